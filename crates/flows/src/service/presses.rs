//! Presses on their way. No two flows press one button of one keyboard from one account.

use std::collections::{HashMap, VecDeque};
use std::future::ready;
use std::sync::Arc;

use ambient::lock::Mutex;
use domain::{AccountName, ChatId, TelegramMessageId};
use futures::FutureExt;
use futures::future::BoxFuture;
use telegram::{LiveLine, PressAnswer};

use super::Inner;
use super::instance::Instance;

/// Presses of one account that are remembered; of more, the oldest are forgotten.
const MOST: usize = 512;

/// The result of a press.
pub(super) enum Came {
    Answer(PressAnswer),
    /// It was not made: this flow pressed the button before.
    Taken {
        by: String,
    },
}

/// A button of one keyboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Button {
    pub(super) message_id: TelegramMessageId,
    /// Telegram's number of the change that brought the keyboard.
    pub(super) version: i32,
    pub(super) data: Vec<u8>,
}

struct Made {
    chat_id: ChatId,
    button: Button,
    /// The number of the instance.
    instance: u64,
    flow: String,
}

/// The latest presses of each account.
#[derive(Default)]
pub(super) struct Presses(Mutex<HashMap<AccountName, VecDeque<Made>>>);

impl Presses {
    /// Notes a press that is about to be made, unless another flow made it from this account: its name.
    fn claim(&self, instance: &Instance, chat_id: ChatId, button: &Button) -> Result<(), String> {
        let mut all = self.0.lock();
        let made = all.entry(instance.account.clone()).or_default();
        let is_same = |made: &&Made| made.chat_id == chat_id && made.button == *button;
        if let Some(before) = made.iter().find(is_same).filter(|made| made.instance != instance.number) {
            return Err(before.flow.clone());
        }
        if made.len() >= MOST {
            made.pop_front();
        }
        let (button, flow) = (button.clone(), instance.flow_name.clone());
        made.push_back(Made { chat_id, button, instance: instance.number, flow });
        Ok(())
    }

    /// It is proved that a press was not made: another flow may make it.
    fn release(&self, instance: &Instance, chat_id: ChatId, button: &Button) {
        if let Some(made) = self.0.lock().get_mut(&instance.account) {
            made.retain(|made| {
                made.instance != instance.number || made.chat_id != chat_id || made.button != *button
            });
        }
    }
}

impl Inner {
    /// Hands a press to the connection, before this returns.
    pub(super) fn press(
        self: &Arc<Self>,
        instance: &Arc<Instance>,
        line: Option<&LiveLine<'_>>,
        button: Button,
    ) -> BoxFuture<'static, Came> {
        let not_written = || {
            let why = PressAnswer::NotWritten("no line is up".to_owned());
            ready(Came::Answer(why)).boxed()
        };
        let Some(target) = instance.target() else { return not_written() };
        let chat_id = target.chat_id;
        if let Err(by) = self.presses.claim(instance, chat_id, &button) {
            return ready(Came::Taken { by }).boxed();
        }
        let (message_id, data) = (button.message_id, button.data.clone());
        let pressing = match line {
            Some(line) => Some(line.press(&target, message_id, data)),
            None => self.parts.pool.hand(&instance.account).map(|hand| hand.press(&target, message_id, data)),
        };
        let Some(pressing) = pressing else {
            self.presses.release(instance, chat_id, &button);
            return not_written();
        };
        let (inner, instance) = (Arc::clone(self), Arc::clone(instance));
        async move {
            let answer = pressing.await;
            if matches!(answer, PressAnswer::Flood(_) | PressAnswer::NotWritten(_)) {
                inner.presses.release(&instance, chat_id, &button);
            }
            Came::Answer(answer)
        }
        .boxed()
    }
}
