//! Pressing a button: written at once over a line that is up, and what came of it.

use std::cell::RefCell;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use domain::account::Operation;
use domain::{AccountName, ChatId, ChatRef, Purpose, TelegramMessageId};
use futures::FutureExt;
use futures::future::BoxFuture;
use grammers_tl_types::{Deserializable, Serializable, enums, functions};
use mtproto::RequestError;

use crate::calls::classify::CallError;
use crate::line::Line;
use crate::peers::lookup;
use crate::pool::Pool;

/// How long the answer to a press may take. Telegram waits ten seconds for the bot and then says so.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A chat in which an account presses.
#[derive(Debug, Clone)]
pub struct Target {
    pub chat_id: ChatId,
    pub(super) peer: enums::InputPeer,
}

/// Why an account cannot press in a chat.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    #[error("there is no account {0}")]
    NoAccount(AccountName),
    #[error("account {0} finds no chat {1}; write to it once from this account, or correct the name")]
    NotFound(AccountName, ChatRef),
    /// It may be found later.
    #[error("account {0} cannot look for {1} now: {2}")]
    NotNow(AccountName, ChatRef, String),
}

/// What came of a press.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PressAnswer {
    /// The bot answered.
    Answered {
        /// What it shows the person.
        text: Option<String>,
        /// Whether the person has to confirm that.
        is_alert: bool,
        /// An address that it wants opened.
        url: Option<String>,
    },
    /// The bot has the press and said nothing in time.
    NoResponse,
    /// The message is gone.
    MessageGone,
    /// The message has no button that says this any more.
    DataInvalid,
    /// Telegram asks to wait; nothing was pressed.
    Flood(Duration),
    /// Nothing was written.
    NotWritten(String),
    /// It was written, and no answer came: it may have counted.
    Unknown(String),
    /// Telegram refuses it, for this reason.
    Refused(String),
}

impl PressAnswer {
    fn of(result: Result<Vec<u8>, CallError>) -> Self {
        let error = match result {
            Ok(body) => {
                return match enums::messages::BotCallbackAnswer::from_bytes(&body) {
                    Ok(enums::messages::BotCallbackAnswer::Answer(answer)) => {
                        Self::Answered { text: answer.message, is_alert: answer.alert, url: answer.url }
                    }
                    Err(error) => Self::Unknown(error.to_string()),
                };
            }
            Err(error) => error,
        };
        if let Some(wait) = error.flood() {
            return Self::Flood(wait);
        }
        match &error {
            CallError::NotConnected(why) => Self::NotWritten(why.clone()),
            CallError::TimedOut => Self::Unknown("no answer in time".to_owned()),
            CallError::Failed(failed) => match failed {
                RequestError::Rpc(rpc) => match rpc.name.as_str() {
                    "BOT_RESPONSE_TIMEOUT" => Self::NoResponse,
                    "MESSAGE_ID_INVALID" => Self::MessageGone,
                    "DATA_INVALID" => Self::DataInvalid,
                    // Of Telegram's own inside: it says nothing of the press.
                    name if rpc.code >= 500 || rpc.code < 0 => Self::Unknown(name.to_owned()),
                    name => Self::Refused(name.to_owned()),
                },
                RequestError::Lost { written: false, .. }
                | RequestError::Unreachable(_)
                | RequestError::KeyUnknown
                | RequestError::Unsendable(_) => Self::NotWritten(failed.to_string()),
                _ => Self::Unknown(failed.to_string()),
            },
        }
    }
}

/// A line of an account, to press over.
#[derive(Clone)]
pub struct Hand(Arc<Line>);

impl Hand {
    /// Hands a press to the connection, before this returns; what comes back is the future's answer. Nothing is repeated.
    pub fn press(
        &self,
        target: &Target,
        message_id: TelegramMessageId,
        data: Vec<u8>,
    ) -> BoxFuture<'static, PressAnswer> {
        let request = functions::messages::GetBotCallbackAnswer {
            game: false,
            peer: target.peer.clone(),
            msg_id: message_id.get(),
            data: Some(data),
            password: None,
        };
        match self.0.hand_over(Operation::SendMessage, request.to_bytes(), TIMEOUT) {
            Ok(answer) => answer.map(PressAnswer::of).boxed(),
            Err(error) => ready(PressAnswer::of(Err(error))).boxed(),
        }
    }
}

/// The line that something came by, while it is being looked at.
pub struct LiveLine<'a> {
    hand: Hand,
    /// Writes at once what was handed to the connection.
    write: RefCell<&'a mut dyn FnMut()>,
}

impl<'a> LiveLine<'a> {
    pub(super) fn new(line: &Arc<Line>, write: &'a mut dyn FnMut()) -> Self {
        Self { hand: Hand(Arc::clone(line)), write: RefCell::new(write) }
    }

    /// The same as [`Hand::press`]; it is written before this returns, as far as that needs no wait.
    pub fn press(
        &self,
        target: &Target,
        message_id: TelegramMessageId,
        data: Vec<u8>,
    ) -> BoxFuture<'static, PressAnswer> {
        let answer = self.hand.press(target, message_id, data);
        (*self.write.borrow_mut())();
        answer
    }
}

impl Pool {
    /// Looks for a chat in which an account is to press.
    pub async fn target(&self, account: &AccountName, chat: &ChatRef) -> Result<Target, TargetError> {
        let found = self.get(account).ok_or_else(|| TargetError::NoAccount(account.clone()))?;
        let not_found = || TargetError::NotFound(account.clone(), chat.clone());
        let not_now =
            |error: CallError| TargetError::NotNow(account.clone(), chat.clone(), error.to_string());
        let chat_id = match (self.find(chat), chat) {
            (Some(chat_id), _) => chat_id,
            (None, ChatRef::Username(username)) => {
                lookup::resolve(&found, username).await.map_err(not_now)?.ok_or_else(not_found)?
            }
            (None, _) => return Err(not_found()),
        };
        match lookup::input(&found, chat_id).await {
            Some(peer) => Ok(Target { chat_id, peer }),
            // A name gives every account its own way to the chat.
            None => match chat {
                ChatRef::Username(username) => {
                    let resolved = lookup::resolve(&found, username).await.map_err(not_now)?;
                    let peer = resolved.and_then(|chat_id| found.peers.input(chat_id));
                    peer.map(|peer| Target { chat_id, peer }).ok_or_else(not_found)
                }
                _ if found.health.is_up() => Err(not_found()),
                _ => {
                    Err(TargetError::NotNow(account.clone(), chat.clone(), "it is not connected".to_owned()))
                }
            },
        }
    }

    /// A line of an account that is up, to press over.
    pub fn hand(&self, account: &AccountName) -> Option<Hand> {
        self.get(account)?.line_for(Purpose::SendText).map(Hand)
    }

    /// Shows all that comes in live to a watcher too, from now on and after those that are there.
    pub fn watch(&self, watcher: std::sync::Weak<dyn super::Watcher>) {
        self.builder.watch.add(watcher);
    }

    /// Why an account can press nothing until a person does something about it, if so.
    pub fn restriction(&self, account: &AccountName) -> Option<domain::account::Reason> {
        self.get(account)?.health.restriction()
    }

    /// Waits until something changed about the accounts.
    pub fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.changes.subscribe()
    }
}
