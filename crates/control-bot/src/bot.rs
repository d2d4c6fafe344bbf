//! A control bot at work: it hears, does what its people ask, says what came of it, and writes that into the audit log.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use access::{Access, AuditEntry, AuditResult, AuditWho};
use ambient::{Chance, Clock};
use channels::telegram_bot::{Bot, BotError, HookSecret};
use config::{ControlBotFields, ControlBotKind};
use delivery::Delivery;
use flows::FlowControl;
use store::{FlowRunFilter, Page, Store, StoreError, StoredFlowRun};
use telegram::Pool;
use tokio_util::sync::CancellationToken;

use crate::account::AccountChannel;
use crate::answer::{Answer, Message, Snapshot, answer, menu, runs_needed};
use crate::channel::{Channel, Request};
use crate::telegram_bot::{BotChannel, Hook};
use crate::webhook::{self, Inbox};
use crate::words::Language;

/// Runs that are read at once.
const PAGE: u32 = 500;

/// What control bots work with.
#[derive(Clone)]
pub struct ControlParts {
    pub flows: Arc<dyn FlowControl>,
    pub store: Store,
    pub access: Access,
    pub clock: Clock,
    pub chance: Chance,
    /// What an account hears and answers with; a bot needs none of it.
    pub accounts: Option<(Arc<Pool>, Delivery)>,
}

/// Why there is no control bot of an entry.
#[derive(Debug, thiserror::Error)]
pub enum ControlBotError {
    #[error(transparent)]
    Bot(#[from] BotError),
    #[error("its {0} {1}")]
    Settings(&'static str, String),
    #[error("there are no accounts here")]
    NoAccounts,
}

/// A control bot. Messages of people that it does not serve are not answered: they cannot know that it is alive.
pub struct ControlBot {
    clerk: Clerk,
    channel: EitherChannel,
}

enum EitherChannel {
    Bot(BotChannel),
    Account(AccountChannel),
}

/// Follows what is asked, over either channel.
struct Clerk {
    name: String,
    people: BTreeSet<i64>,
    parts: ControlParts,
}

impl ControlBot {
    /// A control bot, and where its updates are to be posted if it has a webhook.
    ///
    /// # Errors
    /// No client can be made, or the settings do not go together.
    pub fn new(
        settings: &ControlBotFields,
        parts: ControlParts,
    ) -> Result<(Self, Option<Inbox>), ControlBotError> {
        let (name, clock) = (settings.name.clone(), parts.clock.clone());
        let language = settings.language.map(Language::set);
        let kind = settings.kind().map_err(|wrong| ControlBotError::Settings(wrong.field, wrong.message))?;
        let (channel, inbox) = match kind {
            ControlBotKind::Account(account) => {
                let (pool, delivery) = parts.accounts.as_ref().ok_or(ControlBotError::NoAccounts)?;
                let through = (&**pool, delivery.clone());
                let channel = AccountChannel::new(name.clone(), account.clone(), clock, language, through);
                (EitherChannel::Account(channel), None)
            }
            ControlBotKind::Bot { token } => {
                let bot = Bot::new(settings.api(), token.clone())?;
                let (hook, inbox) = match &settings.webhook {
                    None => (None, None),
                    Some(address) => {
                        let secret = HookSecret::random(&parts.chance);
                        let (inbox, updates) = webhook::inbox(secret.clone());
                        let url = format!("{}{}", address.trim_end_matches('/'), webhook::path(&name));
                        (Some(Hook { url, secret, updates, is_set: false }), Some(inbox))
                    }
                };
                (EitherChannel::Bot(BotChannel::new(name.clone(), bot, clock, language, hook)), inbox)
            }
        };
        let people = settings.people.iter().copied().collect();
        Ok((Self { clerk: Clerk { name, people, parts }, channel }, inbox))
    }

    /// Hears and answers until it is stopped.
    pub async fn run(self, stop: CancellationToken) {
        let Self { clerk, channel } = self;
        tokio::select! {
            () = stop.cancelled() => {}
            () = async {
                match channel {
                    EitherChannel::Bot(channel) => clerk.serve(channel).await,
                    EitherChannel::Account(channel) => clerk.serve(channel).await,
                }
            } => {}
        }
    }
}

impl Clerk {
    async fn serve(&self, mut channel: impl Channel) {
        while let Some(request) = channel.hear().await {
            if !self.serves(request.person).await {
                continue;
            }
            channel.let_go(&request.reply_to).await;
            let message = self.follow(&request).await;
            channel.answer(request, message).await;
        }
    }

    /// Whether this is one of its people; who is not gets no word, and is in the audit log.
    async fn serves(&self, person: i64) -> bool {
        let serves = self.people.contains(&person);
        if !serves {
            tracing::info!(
                control_bot = self.name,
                telegram_id = person,
                "a stranger wrote to a control bot"
            );
            self.note(AuditWho::Unidentified, "write_to_control_bot", None, person, AuditResult::Refused)
                .await;
        }
        serves
    }

    async fn follow<P>(&self, request: &Request<P>) -> Message {
        let Request { person, ask, language, .. } = request;
        let runs = match self.latest(runs_needed(ask)).await {
            Ok(runs) => runs,
            Err(error) => {
                tracing::warn!(control_bot = self.name, %error, "the runs of flows cannot be read");
                return Message::new(language.failed(), vec![menu(*language)]);
            }
        };
        let flows = self.parts.flows.list();
        let snapshot = Snapshot { flows: &flows, runs: &runs, now: self.parts.clock.now() };
        let (names, on) = match answer(ask, snapshot, *language) {
            Answer::Say(message) => return message,
            Answer::Switch { names, on } => (names, on),
        };
        let mut lines = Vec::new();
        for name in names {
            let control = &self.parts.flows;
            let switched = if on { control.start(&name).await } else { control.stop(&name).await };
            let (line, result) = match switched {
                Ok(flow) => (language.done(&flow), AuditResult::Done),
                Err(error) => {
                    tracing::warn!(control_bot = self.name, flow = name, %error, "a flow cannot be switched");
                    (format!("{name}: {}", language.failed()), AuditResult::Failed)
                }
            };
            let action = if on { "start_flow" } else { "stop_flow" };
            self.note(AuditWho::Program, action, Some(name), *person, result).await;
            lines.push(line);
        }
        Message::new(lines.join("\n"), vec![menu(*language)])
    }

    /// The latest runs of all flows, so many at most.
    async fn latest(&self, most: usize) -> Result<Vec<StoredFlowRun>, StoreError> {
        let (mut runs, mut cursor) = (Vec::new(), None);
        while runs.len() < most {
            let left = u32::try_from(most - runs.len()).unwrap_or(PAGE);
            let page = Page { limit: left.min(PAGE), cursor };
            let found = self.parts.store.flow_runs().list(FlowRunFilter::default(), &page).await?;
            runs.extend(found.items);
            cursor = found.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        Ok(runs)
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
            at: self.parts.clock.now(),
            who,
            action: action.to_owned(),
            subject: subject.or_else(|| Some(self.name.clone())),
            details,
            address: None,
            result,
            code: None,
        };
        self.parts.access.note(entry).await;
    }
}
