//! A control bot at work: it hears, does what its people ask, says what came of it, and writes that into the audit log.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use access::{Access, AuditEntry, AuditResult, AuditWho};
use ambient::{Chance, Clock};
use channels::telegram_bot::{Bot, BotError, Happening, HookSecret, MessageIn, Press, Update, User};
use config::ControlBotFields;
use flows::FlowControl;

use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;

use crate::answer::{Answer, Message, answer, menu};
use crate::ask::Ask;
use crate::webhook::{self, Inbox};
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

/// A control bot. Messages of people that it does not serve are not answered: they cannot tell that it is alive.
pub struct ControlBot {
    name: String,
    people: BTreeSet<i64>,
    bot: Bot,
    flows: Arc<dyn FlowControl>,
    access: Access,
    clock: Clock,
    hook: Option<Hook>,
}

/// The webhook of a bot that is not polled.
struct Hook {
    url: String,
    secret: HookSecret,
    updates: Receiver<Update>,
}

impl ControlBot {
    /// A bot, and where its updates are to be posted if it has a webhook.
    ///
    /// # Errors
    /// No client can be made.
    pub fn new(
        settings: &ControlBotFields,
        flows: Arc<dyn FlowControl>,
        access: Access,
        (clock, chance): (Clock, &Chance),
    ) -> Result<(Self, Option<Inbox>), BotError> {
        let bot = Bot::new(settings.api(), settings.token.clone())?;
        let people = settings.people.iter().copied().collect();
        let name = settings.name.clone();
        let (hook, inbox) = match &settings.webhook {
            None => (None, None),
            Some(address) => {
                let secret = HookSecret::random(chance);
                let (inbox, updates) = webhook::inbox(secret.clone());
                let url = format!("{}{}", address.trim_end_matches('/'), webhook::path(&name));
                (Some(Hook { url, secret, updates }), Some(inbox))
            }
        };
        Ok((Self { name, people, bot, flows, access, clock, hook }, inbox))
    }

    /// The name of its entry in the settings.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Hears and answers until it is stopped. What came while the program was down is passed over: an order of yesterday is
    /// not followed today.
    pub async fn run(mut self, stop: CancellationToken) {
        let hook = self.hook.take();
        tokio::select! {
            () = stop.cancelled() => {}
            () = async {
                match hook {
                    Some(hook) => self.be_posted_to(hook).await,
                    None => self.poll().await,
                }
            } => {}
        }
    }

    /// Waits after failures in a row.
    async fn again(&self, error: &BotError, failures: usize) {
        tracing::warn!(control_bot = self.name, %error, "a control bot cannot get its messages; it tries again");
        let wait = match error {
            BotError::Flood(wait) => (*wait).min(LONGEST_FLOOD),
            _ => AGAIN[failures.min(AGAIN.len() - 1)],
        };
        self.clock.sleep(wait).await;
    }

    async fn be_posted_to(&self, hook: Hook) {
        let Hook { url, secret, mut updates } = hook;
        let mut failures = 0;
        while let Err(error) = self.bot.set_webhook(&self.clock, &url, &secret, true).await {
            self.again(&error, failures).await;
            failures += 1;
        }
        while let Some(update) = updates.recv().await {
            self.take(update).await;
        }
    }

    async fn poll(&self) {
        let mut failures = 0;
        // The webhook of settings that have changed since.
        while let Err(error) = self.bot.delete_webhook(&self.clock).await {
            self.again(&error, failures).await;
            failures += 1;
        }
        let mut offset = -1;
        failures = 0;
        let mut fresh = false;
        loop {
            let wait = if fresh { POLL } else { Duration::ZERO };
            match self.bot.get_updates(&self.clock, offset, wait).await {
                Ok(updates) => {
                    failures = 0;
                    if let Some(last) = updates.last() {
                        offset = last.id.saturating_add(1);
                    } else if !fresh {
                        offset = 0;
                    }
                    // The first look confirms what is old.
                    if std::mem::replace(&mut fresh, true) {
                        for update in updates {
                            self.take(update).await;
                        }
                    }
                }
                Err(error) => {
                    self.again(&error, failures).await;
                    failures += 1;
                }
            }
        }
    }

    async fn take(&self, update: Update) {
        match update.happening {
            Happening::Message(MessageIn { from: Some(from), chat, text, .. }) if chat.kind == "private" => {
                if self.serves(&from).await {
                    let ask = Ask::of_text(text.as_deref().unwrap_or_default());
                    let message = self.follow(&ask, &from).await;
                    self.report(self.send(chat.id, &message).await);
                }
            }
            Happening::Press(press) => self.pressed(press).await,
            Happening::Message(_) | Happening::Other => {}
        }
    }

    async fn pressed(&self, press: Press) {
        if !self.serves(&press.from).await {
            return;
        }
        let ask = press.data.as_deref().and_then(Ask::of_data).unwrap_or(Ask::Help);
        // The button is let go of at once, whatever it takes.
        self.report(self.bot.answer_callback_query(&self.clock, &press.id, None).await);
        let message = self.follow(&ask, &press.from).await;
        let said = match press.message {
            Some(MessageIn { message_id, chat, .. }) => {
                let place = (chat.id, message_id);
                self.bot.edit_message_text(&self.clock, place, &message.text, Some(&message.keyboard)).await
            }
            None => self.send(press.from.id, &message).await,
        };
        self.report(said);
    }

    async fn send(&self, chat: i64, message: &Message) -> Result<(), BotError> {
        self.bot.send_message(&self.clock, chat, &message.text, Some(&message.keyboard)).await.map(|_| ())
    }

    /// Whether this is one of its people; who is not gets no word, and is in the audit log.
    async fn serves(&self, person: &User) -> bool {
        let serves = self.people.contains(&person.id);
        if !serves {
            tracing::info!(
                control_bot = self.name,
                telegram_id = person.id,
                "a stranger wrote to a control bot"
            );
            self.note(AuditWho::Nobody, "write_to_control_bot", None, person.id, AuditResult::Refused).await;
        }
        serves
    }

    async fn follow(&self, ask: &Ask, person: &User) -> Message {
        let language = Language::of(person.language_code.as_deref());
        let (names, on) = match answer(ask, &self.flows.list(), language) {
            Answer::Say(message) => return message,
            Answer::Switch { names, on } => (names, on),
        };
        let mut lines = Vec::new();
        for name in names {
            let switched = if on { self.flows.start(&name).await } else { self.flows.stop(&name).await };
            let (line, result) = match switched {
                Ok(flow) => (language.done(&flow), AuditResult::Done),
                Err(error) => {
                    tracing::warn!(control_bot = self.name, flow = name, %error, "a flow cannot be switched");
                    (format!("{name}: {}", language.failed()), AuditResult::Failed)
                }
            };
            let action = if on { "start_flow" } else { "stop_flow" };
            self.note(AuditWho::Program, action, Some(name), person.id, result).await;
            lines.push(line);
        }
        Message::new(lines.join("\n"), vec![menu(language)])
    }

    async fn note(
        &self,
        who: AuditWho,
        action: &str,
        subject: Option<String>,
        person: i64,
        result: AuditResult,
    ) {
        let details = [("control_bot", self.name.clone()), ("telegram_id", person.to_string())];
        let details: BTreeMap<_, _> =
            details.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let entry = AuditEntry {
            at: self.clock.now(),
            who,
            action: action.to_owned(),
            subject: subject.or_else(|| Some(self.name.clone())),
            details,
            address: None,
            result,
            code: None,
        };
        self.access.note(entry).await;
    }

    fn report(&self, said: Result<(), BotError>) {
        match said {
            Ok(()) | Err(BotError::TooOld) => {}
            Err(error) => tracing::warn!(control_bot = self.name, %error, "a control bot cannot answer"),
        }
    }
}
