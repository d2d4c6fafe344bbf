//! A press: which keyboard it hit, what the bot does about it, and when and how it is answered.

use std::time::Duration;

use grammers_tl_types::types;
use tokio::sync::oneshot;

use super::agenda::Scene;
use super::api::BotAnswer;
use super::keyboards::callbacks;
use super::orders::{AnswerKind, AnswerOrder, OutsidePress};
use super::rules::{BotInput, Reaction};
use crate::telegram::ledger::PressNote;
use crate::telegram::orders::OutsideError;
use crate::telegram::peer::Peer;
use crate::telegram::rpc::{self, RpcError, bad_request};
use crate::telegram::state::{Moment, State};
use crate::telegram::world::Telegram;

/// When Telegram gives up on a bot that does not answer.
pub(crate) const GIVEN_UP: Duration = Duration::from_secs(10);

/// When and how often the answer of a method is sent.
#[derive(Debug, Default)]
pub(crate) enum Pause {
    /// At once.
    #[default]
    None,
    Twice,
    For(Duration),
    /// When the program of the bot has answered.
    UntilAnswered(oneshot::Receiver<BotAnswer>),
}

/// What a press came to.
#[derive(Debug)]
pub(crate) struct Press {
    pub(crate) note: PressNote,
    pub(crate) pause: Pause,
    pub(crate) answer: rpc::Result<types::messages::BotCallbackAnswer>,
}

impl Press {
    fn refused(note: PressNote, error: RpcError) -> Self {
        let note = PressNote { refused: Some(error.message.to_string()), ..note };
        Self { note, pause: Pause::default(), answer: Err(error) }
    }
}

impl State {
    /// A user presses a button of a message that it names in its own numbering.
    pub(crate) fn press(
        &mut self,
        me: i64,
        peer: Peer,
        id: i32,
        data: &[u8],
        with_password: bool,
        at: Moment,
    ) -> Press {
        let stored = self.stored(me, peer, id);
        let note = self.keyboards.pressed(stored.map(|stored| stored.origin), data, at.0);
        let Some(stored) = stored else { return Press::refused(note, bad_request("MESSAGE_ID_INVALID")) };
        let button = callbacks(stored.body.markup.as_deref()).find(|button| button.data == data);
        let Some(button) = button else { return Press::refused(note, bad_request("DATA_INVALID")) };
        if button.requires_password && !with_password {
            return Press::refused(note, bad_request("PASSWORD_HASH_INVALID"));
        }
        let (bot, text) = (stored.from, button.text.to_owned());
        let account = self.account_of(me).map(|account| account.name.clone());
        let input = BotInput::Press { data: &String::from_utf8_lossy(data), button: &text };
        let reaction = self.bots.react(bot, account.as_deref(), input);
        if reaction.is_none()
            && let Some(theirs) = self.twin(me, peer, id, bot)
            && let Some(pending) = self.ask_bot(me, bot, theirs, data)
        {
            return Press {
                note,
                pause: Pause::UntilAnswered(pending),
                answer: Ok(BotAnswer::default().into()),
            };
        }
        let Reaction { answer, then } = reaction.unwrap_or_default();
        let refusal = match answer.kind {
            AnswerKind::MessageIdInvalid => Some(bad_request("MESSAGE_ID_INVALID")),
            AnswerKind::DataInvalid => Some(bad_request("DATA_INVALID")),
            AnswerKind::FloodWait => {
                let message = format!("FLOOD_WAIT_{}", answer.seconds.unwrap_or(30)).into();
                Some(RpcError { code: 420, message })
            }
            AnswerKind::Now | AnswerKind::Late | AnswerKind::Twice | AnswerKind::Never => None,
        };
        if let Some(error) = refusal {
            return Press::refused(note, error);
        }
        self.act(Scene { bot, owner: me, peer, message: Some(id) }, then, at);
        answered(note, &answer)
    }

    /// The id that a message of a private chat has in the other's numbering.
    fn twin(&self, owner: i64, peer: Peer, id: i32, other: i64) -> Option<i32> {
        let origin = self.stored(owner, peer, id)?.origin;
        self.copy_of(other, Peer::User(owner), origin)
    }

    /// A text has come to a user. What a bot does about it is done after the sender has its answer.
    pub(crate) fn hear_text(&mut self, from: i64, to: i64, text: &str, origin: u64, at: Moment) {
        if !self.people.get(&to).is_some_and(|person| person.bot) {
            return;
        }
        let account = self.account_of(from).map(|account| account.name.clone());
        match self.bots.react(to, account.as_deref(), BotInput::Text(text)) {
            Some(Reaction { then, .. }) => {
                let scene = Scene { bot: to, owner: from, peer: Peer::User(to), message: None };
                self.act_later(scene, then.into(), at);
            }
            None => self.tell_bot(from, to, origin),
        }
    }
}

fn answered(note: PressNote, order: &AnswerOrder) -> Press {
    let pause = match order.kind {
        AnswerKind::Late => Pause::For(Duration::from_millis(order.after_ms)),
        AnswerKind::Twice => Pause::Twice,
        AnswerKind::Never => Pause::For(order.seconds.map_or(GIVEN_UP, |it| Duration::from_secs(it.into()))),
        _ => Pause::None,
    };
    let answer = if order.kind == AnswerKind::Never {
        Err(bad_request("BOT_RESPONSE_TIMEOUT"))
    } else {
        let (text, url) = (order.text.clone(), order.url.clone());
        Ok(BotAnswer { text, alert: order.alert, url }.into())
    };
    Press { note, pause, answer }
}

impl Telegram {
    /// A client presses a button of a bot that has a token; what comes back is the bot's answer, or none in time.
    pub(crate) async fn press_outside(
        &self,
        order: &OutsidePress,
    ) -> Result<Option<BotAnswer>, OutsideError> {
        let pending = {
            let mut state = self.lock();
            let (user, bot) = (state.named_user(&order.from)?, state.named_user(&order.bot)?);
            let stored = state.stored(bot, Peer::User(user), order.message_id);
            let markup = stored.and_then(|stored| stored.body.markup.clone());
            let offered = callbacks(markup.as_deref()).any(|it| it.data == order.data.as_bytes());
            if !offered {
                return Err(OutsideError::NotFound(format!("button \"{}\" of that message", order.data)));
            }
            state.ask_bot(user, bot, order.message_id, order.data.as_bytes())
        };
        let pending =
            pending.ok_or_else(|| OutsideError::Invalid(format!("\"{}\" has no token", order.bot)))?;
        Ok(tokio::time::timeout(GIVEN_UP, pending).await.ok().and_then(Result::ok))
    }
}
