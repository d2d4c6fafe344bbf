//! Handing a chat over to another owner.

use domain::account::Operation;
use domain::outcome::Refusal;
use domain::{AccountName, ChatId, ChatRef, Outcome, SecretText};
use grammers_tl_types::{RemoteCall, enums, functions};

use super::change::{ChangeError, Changed, Changer};
use crate::calls::classify;
use crate::login::password::proof;
use crate::peers::lookup;
use crate::pool::Pool;

/// Telegram's code for a user who is not in the chat.
const NOT_IN_IT: &str = "USER_NOT_PARTICIPANT";

/// Telegram's code for an answer to a password question that has expired: another was asked meanwhile.
const STALE_QUESTION: &str = "SRP_ID_INVALID";

struct HandOver {
    changer: Changer,
    channel: enums::InputChannel,
    heir: ChatId,
}

impl Pool {
    /// Gives a supergroup or channel that an account owns to another member; Telegram wants the account's two-step password
    /// for it. A chat that is theirs already counts as handed over.
    pub async fn hand_over(
        &self,
        chat: &ChatRef,
        to: &ChatRef,
        password: &SecretText,
        pin: Option<&AccountName>,
    ) -> Result<Changed, ChangeError> {
        let changer = Changer::choose(self, chat, pin, Operation::EditChat).await?;
        let Some(channel) = changer.account.peers.input_channel(changer.chat_id) else {
            return Err(ChangeError::Rejected { code: "CHAT_ID_INVALID".to_owned() });
        };
        let heir = member(&changer, to).await?.ok_or_else(not_in_it)?;
        let hand_over = HandOver { changer, channel, heir };
        if !hand_over.is_done().await? {
            hand_over.carry_out(password).await?;
        }
        Ok(hand_over.changer.done())
    }
}

impl HandOver {
    async fn is_done(&self) -> Result<bool, ChangeError> {
        let Some(participant) = self.changer.account.peers.input(self.heir) else { return Err(not_in_it()) };
        let request = functions::channels::GetParticipant { channel: self.channel.clone(), participant };
        let found = match self.changer.account.read(Operation::Read, &request).await {
            Ok(enums::channels::ChannelParticipant::Participant(found)) => found,
            Err(error) if error.name() == Some(NOT_IN_IT) => return Err(not_in_it()),
            Err(error) => {
                let outcome = classify::outcome(&error, self.changer.account.now());
                return Err(self.changer.refused(&error, outcome));
            }
        };
        Ok(matches!(found.participant, enums::ChannelParticipant::Creator(_)))
    }

    async fn carry_out(&self, password: &SecretText) -> Result<(), ChangeError> {
        match self.try_once(password).await {
            // Another question was asked meanwhile, by a sign-in for example.
            Err(ChangeError::Rejected { code }) if code == STALE_QUESTION => self.try_once(password).await,
            done => done,
        }
    }

    async fn try_once(&self, password: &SecretText) -> Result<(), ChangeError> {
        let account = &self.changer.account;
        let unable = |why: String| ChangeError::NoAccount {
            asked: vec![Refusal { account: account.name.clone(), why }],
        };
        let enums::account::Password::Password(question) =
            ask(&self.changer, &functions::account::GetPassword {}).await?;
        if !question.has_password {
            return Err(ChangeError::Rejected { code: "PASSWORD_MISSING".to_owned() });
        }
        let secret = password.clone();
        let proved = tokio::task::spawn_blocking(move || proof(question, &secret)).await;
        let proved = proved.map_err(|_| unable("the password could not be used".to_owned()))?;
        let password = proved.map_err(|error| unable(error.to_string()))?;
        let user_id =
            self.heir.user_id().and_then(|heir| account.peers.input_user(heir)).ok_or_else(not_in_it)?;
        let peer = self.changer.peer.clone();
        let request = functions::messages::EditChatCreator { peer, user_id, password };
        let Err(error) = account.read(Operation::EditChat, &request).await else { return Ok(()) };
        match classify::outcome(&error, account.now()) {
            Outcome::Unknown(why) => {
                self.changer.wait_for_a_line().await;
                if matches!(self.is_done().await, Ok(true)) {
                    Ok(())
                } else {
                    Err(ChangeError::Unknown(why.to_string()))
                }
            }
            outcome => Err(self.changer.refused(&error, outcome)),
        }
    }
}

async fn ask<R: RemoteCall>(changer: &Changer, request: &R) -> Result<R::Return, ChangeError> {
    let answer = changer.account.read(Operation::Read, request).await;
    answer.map_err(|error| {
        let outcome = classify::outcome(&error, changer.account.now());
        changer.refused(&error, outcome)
    })
}

async fn member(changer: &Changer, to: &ChatRef) -> Result<Option<ChatId>, ChangeError> {
    let account = &changer.account;
    match to {
        ChatRef::Id(id) => Ok(ChatId::user(id.get())),
        ChatRef::Channel(_) => Ok(None),
        ChatRef::Username(name) => {
            if let Some(known) = account.names.find_fresh(name, account.now()) {
                return Ok(Some(known));
            }
            lookup::resolve(account, name).await.map_err(|error| {
                let outcome = classify::outcome(&error, account.now());
                changer.refused(&error, outcome)
            })
        }
    }
}

fn not_in_it() -> ChangeError {
    ChangeError::Rejected { code: NOT_IN_IT.to_owned() }
}
