//! A Telegram bot: what it is written and which of its buttons are pressed, by polling or from its webhook.

use std::collections::VecDeque;
use std::time::Duration;

use ambient::Clock;
use channels::telegram_bot::{Bot, BotError, Happening, HookSecret, MessageIn, Press, Update, User};
use tokio::sync::mpsc::Receiver;

use crate::answer::Message;
use crate::ask::Ask;
use crate::channel::{Channel, Request};
use crate::words::Language;

/// How long one poll waits.
const POLL: Duration = Duration::from_secs(50);
/// The waits after failures in a row, the last one again and again.
const AGAIN: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_mins(1),
];
/// The longest wait that a flood is given; a longer one is waited for in pieces.
const LONGEST_FLOOD: Duration = Duration::from_mins(10);

/// A bot.
pub(crate) struct BotChannel {
    name: String,
    bot: Bot,
    clock: Clock,
    /// What it speaks to everyone.
    language: Option<Language>,
    source: Source,
    /// What was heard and is not answered.
    waiting: VecDeque<Update>,
    failures: usize,
}

/// Where its updates come from.
enum Source {
    /// It is asked; from this one on, once what is old is confirmed.
    Poll { offset: Option<i64>, is_free: bool },
    /// They are posted.
    Hook(Hook),
}

/// The webhook of a bot that is not polled.
pub(crate) struct Hook {
    pub(crate) url: String,
    pub(crate) secret: HookSecret,
    pub(crate) updates: Receiver<Update>,
    pub(crate) is_set: bool,
}

/// Where an answer goes.
pub(crate) enum ReplyTarget {
    Chat(i64),
    /// The press, and the chat and the id of its message, which is changed.
    Press {
        id: String,
        message: Option<(i64, i64)>,
    },
}

impl BotChannel {
    pub(crate) fn new(
        name: String,
        bot: Bot,
        clock: Clock,
        language: Option<Language>,
        hook: Option<Hook>,
    ) -> Self {
        let source = hook.map_or(Source::Poll { offset: None, is_free: false }, Source::Hook);
        Self { name, bot, clock, language, source, waiting: VecDeque::new(), failures: 0 }
    }

    /// Waits after failures in a row.
    async fn again(&mut self, error: &BotError) {
        tracing::warn!(control_bot = self.name, %error, "a control bot cannot get its messages; it tries again");
        let wait = match error {
            BotError::Flood(wait) => (*wait).min(LONGEST_FLOOD),
            _ => AGAIN[self.failures.min(AGAIN.len() - 1)],
        };
        self.failures += 1;
        self.clock.sleep(wait).await;
    }

    /// Gets what is there next, if anything is. What came while the program was down is confirmed and passed over: an order
    /// of yesterday is not followed today. None once nothing more will be posted.
    async fn get(&mut self) -> Option<Result<(), BotError>> {
        match &mut self.source {
            Source::Hook(hook) => {
                if !hook.is_set {
                    if let Err(error) = self.bot.set_webhook(&self.clock, &hook.url, &hook.secret, true).await
                    {
                        return Some(Err(error));
                    }
                    hook.is_set = true;
                }
                self.waiting.push_back(hook.updates.recv().await?);
            }
            Source::Poll { offset, is_free } => {
                if !*is_free {
                    // The webhook of settings that have changed since.
                    if let Err(error) = self.bot.delete_webhook(&self.clock).await {
                        return Some(Err(error));
                    }
                    *is_free = true;
                }
                let (from, wait) = offset.map_or((-1, Duration::ZERO), |offset| (offset, POLL));
                let updates = match self.bot.get_updates(&self.clock, from, wait).await {
                    Ok(updates) => updates,
                    Err(error) => return Some(Err(error)),
                };
                let next = updates.last().map(|last| last.id.saturating_add(1));
                // The first look confirms what is old.
                if offset.is_some() {
                    self.waiting.extend(updates);
                }
                *offset = next.or(*offset).or(Some(0));
            }
        }
        self.failures = 0;
        Some(Ok(()))
    }

    fn read(&self, update: Update) -> Option<Request<ReplyTarget>> {
        let of =
            |person: &User| self.language.unwrap_or_else(|| Language::of(person.language_code.as_deref()));
        match update.happening {
            Happening::Message(MessageIn { from: Some(from), chat, text, .. }) if chat.kind == "private" => {
                let ask = Ask::of_text(text.as_deref().unwrap_or_default());
                Some(Request {
                    person: from.id,
                    ask,
                    language: of(&from),
                    reply_to: ReplyTarget::Chat(chat.id),
                })
            }
            Happening::Press(Press { id, from, message, data }) => {
                let ask = data.as_deref().and_then(Ask::of_data).unwrap_or(Ask::Help);
                let message = message.map(|message| (message.chat.id, message.message_id));
                let reply_to = ReplyTarget::Press { id, message };
                Some(Request { person: from.id, ask, language: of(&from), reply_to })
            }
            Happening::Message(_) | Happening::Other => None,
        }
    }

    fn report(&self, outcome: Result<(), BotError>) {
        match outcome {
            Ok(()) | Err(BotError::TooOld) => {}
            Err(error) => tracing::warn!(control_bot = self.name, %error, "a control bot cannot answer"),
        }
    }
}

impl Channel for BotChannel {
    type Target = ReplyTarget;

    async fn hear(&mut self) -> Option<Request<ReplyTarget>> {
        loop {
            while let Some(update) = self.waiting.pop_front() {
                if let Some(request) = self.read(update) {
                    return Some(request);
                }
            }
            if let Err(error) = self.get().await? {
                self.again(&error).await;
            }
        }
    }

    async fn let_go(&self, reply_to: &ReplyTarget) {
        if let ReplyTarget::Press { id, .. } = reply_to {
            self.report(self.bot.answer_callback_query(&self.clock, id, None).await);
        }
    }

    async fn answer(&mut self, request: Request<ReplyTarget>, message: Message) {
        let (bot, clock, keyboard) = (&self.bot, &self.clock, Some(&message.keyboard));
        let outcome = match request.reply_to {
            ReplyTarget::Press { message: Some(target), .. } => {
                bot.edit_message_text(clock, target, &message.text, keyboard).await
            }
            ReplyTarget::Chat(chat) => bot.send_message(clock, chat, &message.text, keyboard).await.map(drop),
            ReplyTarget::Press { message: None, .. } => {
                bot.send_message(clock, request.person, &message.text, keyboard).await.map(drop)
            }
        };
        self.report(outcome);
    }
}
