//! Cards out of what is seen now and what the last round found out.

use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use domain::account::AccountState;
use telegram::router::Usable;
use telegram::{AccountView, LineView, ServiceView};

use crate::card::{ActionSet, Advice, Card, CardAction, CardId, CardKind, Lamp};
use crate::evaluation::{self, Evaluation, flooded_until};
use crate::health::{Port, PortState};
use crate::history::{History, Latest};
use crate::minute::ProbeOutcome;
use crate::observation::{Observation, line_ids};
use crate::unable;

/// What the program takes, and how many calls there were, to share it out.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Shares {
    /// 1 is one core.
    pub(crate) cpu: Option<f32>,
    /// In bytes.
    pub(crate) memory: Option<u64>,
    pub(crate) calls: u64,
    pub(crate) service_calls: u64,
    pub(crate) requests: u64,
}

impl Shares {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a part of a whole, for the eye"
    )]
    fn give(&self, card: &mut Card, of: u64) {
        let Some(operations) = card.operations else { return };
        let share = if of == 0 { 0.0 } else { (operations as f64 / of as f64).min(1.0) as f32 };
        card.share = Some(share);
        // Nothing is known of a card that did nothing: it has no process of its own.
        let has_share = share > 0.0;
        card.cpu = self.cpu.filter(|_| has_share).map(|cpu| cpu * share);
        card.memory =
            self.memory.filter(|_| has_share).map(|memory| (memory as f64 * f64::from(share)) as u64);
    }
}

/// Makes all cards, in no order.
pub(crate) struct CardMaker<'a> {
    pub(crate) observation: &'a Observation,
    pub(crate) history: &'a mut History,
    pub(crate) shares: Shares,
    pub(crate) started_at: Timestamp,
    pub(crate) minute: i64,
    /// Whether the beats are kept on disk.
    pub(crate) is_stored: bool,
}

impl CardMaker<'_> {
    pub(crate) fn all(mut self) -> Vec<Arc<Card>> {
        let observation = self.observation;
        let lines: usize = observation.accounts.iter().map(|account| account.lines.len()).sum();
        let mut cards = Vec::with_capacity(
            observation.services.len() + observation.accounts.len() + lines + observation.ports.len() + 2,
        );
        for service in &observation.services {
            cards.push(Arc::new(self.service(service)));
        }
        for account in &observation.accounts {
            cards.push(Arc::new(self.account(account)));
            for (id, line) in line_ids(account).into_iter().zip(&account.lines) {
                cards.push(Arc::new(self.line(account, line, id)));
            }
        }
        for port in &observation.ports {
            cards.push(Arc::new(self.port(port)));
        }
        cards.push(Arc::new(self.store()));
        cards.push(Arc::new(self.queue()));
        cards
    }

    fn latest(&self, id: &CardId) -> Option<Latest> {
        self.history.latest.get(id).cloned()
    }

    fn failed(&self, id: &CardId) -> bool {
        self.history.latest.get(id).is_some_and(|latest| latest.evaluation.answer == ProbeOutcome::Failed)
    }

    /// A card about which nothing is known but since when it is so.
    fn blank(
        &mut self,
        id: CardId,
        name: String,
        lamp: Lamp,
        state: &'static str,
        given: Option<Timestamp>,
    ) -> Card {
        let since = self.history.since(&id, state, given, self.observation);
        let is_counted = !matches!(id.kind(), CardKind::Line | CardKind::Store);
        let sends = is_counted.then(|| self.history.tallies.sends(&id, self.minute));
        let sent_last_hour = is_counted.then(|| self.history.tallies.sent_last_hour(&id, self.minute));
        let up_since = (lamp == Lamp::Good).then_some(since);
        Card { name, up_since, sent_last_hour, sends, ..Card::new(id, lamp, state, since) }
    }

    fn waiting(&self, service: domain::Service) -> u64 {
        let due = self.history.due.iter().filter(|(one, ..)| *one == Some(service));
        due.map(|(_, count, _)| *count).sum()
    }

    fn service(&mut self, service: &ServiceView) -> Card {
        let id = CardId::service(service.service);
        let latest = self.latest(&id);
        let clearing = !service.running && self.observation.silent.contains(&service.service);
        let (now, unable) = self.history.service_now(self.observation, service);
        // It is as it is now, once it was asked at all since it was started.
        let evaluation = latest.as_ref().map(|latest| &latest.evaluation).map(|latest| match latest.code() {
            Some("stopped" | "clearing") => latest,
            _ => &now,
        });
        let reason = evaluation.and_then(|evaluation| evaluation.reason.as_deref().map(str::to_owned));
        let (lamp, state): (_, &'static str) = match evaluation.map(|evaluation| evaluation.answer) {
            _ if clearing => (Lamp::Waiting, "clearing"),
            _ if !service.running => (Lamp::Off, "stopped"),
            Some(ProbeOutcome::Slow) if reason.as_deref().is_some_and(|why| why != "slow") => {
                (Lamp::Waiting, trouble_word(ProbeOutcome::Slow, reason.as_deref()))
            }
            Some(ProbeOutcome::Answered | ProbeOutcome::Slow) => (Lamp::Good, "active"),
            Some(ProbeOutcome::Failed) => match reason.as_deref() {
                // It ends by itself; but until then no one does this work, and anyone who relies on it should know.
                Some("flood_wait") => (Lamp::Trouble, "flood_wait"),
                Some("stalled") => (Lamp::Trouble, "stalled"),
                _ => (Lamp::Trouble, "unable"),
            },
            Some(ProbeOutcome::NotAsked) if reason.as_deref() == Some("connecting") => {
                (Lamp::Busy, "connecting")
            }
            Some(ProbeOutcome::NotAsked) if reason.as_deref() == Some("no_answer_yet") => {
                (Lamp::Good, "active")
            }
            // It was started again since it was asked last.
            Some(ProbeOutcome::NotAsked) if matches!(reason.as_deref(), Some("stopped" | "clearing")) => {
                (Lamp::Busy, "starting")
            }
            Some(ProbeOutcome::NotAsked) => (Lamp::Off, "no_account"),
            None => (Lamp::Busy, "starting"),
        };
        let stopped_at = (!service.running).then_some(service.since);
        let mut card = self.blank(id, service.service.as_str().to_owned(), lamp, state, stopped_at);
        // What runs, runs since it was started, however able it is at the moment.
        let running = CardId::service(service.service);
        card.up_since = service.running.then(|| self.up_since(&running, service.since));
        card.reason = reason.filter(|_| matches!(lamp, Lamp::Trouble | Lamp::Waiting | Lamp::Off));
        card.latency = evaluation.and_then(|evaluation| evaluation.latency);
        if unable.iter().any(|group| group.reason == "flood_wait") && lamp == Lamp::Trouble {
            let pool = self
                .observation
                .accounts
                .iter()
                .filter(|account| account.pool && account.usable == Usable::Now);
            card.until = pool
                .filter_map(|account| flooded_until(&account.floods, service.service, self.observation.at))
                .min();
        }
        card.detail =
            matches!(lamp, Lamp::Trouble | Lamp::Waiting).then(|| unable::in_words(&unable)).flatten();
        card.unable = unable;
        card.stuck = self.history.stuck(self.observation, |one| one.service == Some(service.service));
        card.advice = match state {
            "clearing" => Some(Advice::WaitForClearing),
            "stopped" => Some(Advice::Start),
            "stalled" => Some(Advice::RestartTheProgram),
            "flood_wait" => Some(Advice::WaitOrAddAnAccount),
            "unable" | "no_account" => Some(Advice::MendAnAccount),
            "unsteady" | "stuck" => Some(Advice::PauseTheAccount),
            _ => None,
        };
        (card.operations, card.errors) = (Some(service.operations), Some(service.errors));
        card.last_error.clone_from(&service.last_error);
        card.cache = Some(service.cache_size as u64);
        card.queue = Some(self.waiting(service.service));
        let switch: &[CardAction] =
            if service.running { &[CardAction::Stop, CardAction::Restart] } else { &[CardAction::Start] };
        card.actions = ActionSet::of(switch.iter().copied().chain([CardAction::ReloadCache]));
        self.shares.give(&mut card, self.shares.service_calls);
        card
    }

    fn up_since(&mut self, id: &CardId, given: Timestamp) -> Timestamp {
        self.history.up_since(id, given, self.observation)
    }

    /// Since when an account or a line is connected: anyone who waits for the end of a flood wait is so too.
    fn connected_since(&mut self, card: &Card) -> Option<Timestamp> {
        let is_up = card.lamp == Lamp::Good
            || card.state == AccountState::FloodWait.as_str()
            || matches!(card.state, "unsteady" | "failing" | "stuck");
        self.history.up_while(&card.id, is_up, card.since, self.observation)
    }

    fn account(&mut self, account: &AccountView) -> Card {
        let id = CardId::account(&account.name);
        let failed = self.failed(&id);
        let silent = account.state == AccountState::Connecting
            && account.lines.iter().all(|line| self.observation.is_silent(&line.purposes));
        let stuck = self.history.stuck(self.observation, |one| one.account == account.name);
        // As it is at this moment: what real calls show is not kept until the next round.
        let work = evaluation::traffic(&account.troubles, |_| true)
            .or(stuck.map(|_| Evaluation::slow("stuck")))
            .filter(|_| account.state == AccountState::Ready);
        let (lamp, state) = match &work {
            _ if silent => (Lamp::Waiting, "clearing"),
            Some(work) if work.answer == ProbeOutcome::Failed => (Lamp::Trouble, "failing"),
            Some(work) => (Lamp::Waiting, trouble_word(work.answer, work.code())),
            None => (
                lamp_of(account.state, failed && account.state != AccountState::Ready),
                account.state.as_str(),
            ),
        };
        let given = Some(account.state_since)
            .filter(|since| *since != Timestamp::default() && state == account.state.as_str());
        let mut card = self.blank(id, account.name.to_string(), lamp, state, given);
        card.reason = account.reason.map(|reason| reason.as_str().to_owned());
        card.reason = card.reason.or(work.as_ref().and_then(Evaluation::code).map(str::to_owned));
        card.stuck = stuck;
        card.detail.clone_from(&account.detail);
        card.proof = card.detail.as_ref().and(account.last_error.clone());
        if account.state == AccountState::FloodWait {
            card.reason = Some("flood_wait".to_owned());
            card.until = account.floods.iter().map(|flood| flood.until).max();
        }
        card.advice = match account.state {
            _ if silent => Some(Advice::WaitForClearing),
            AccountState::FloodWait => Some(Advice::WaitForDeadline),
            AccountState::Paused => Some(Advice::Resume),
            AccountState::Offline => Some(Advice::Start),
            _ if work.is_some() => Some(Advice::PauseTheAccount),
            _ => account.reason.map(Advice::Account),
        };
        card.up_since = self.connected_since(&card);
        (card.operations, card.errors) = (Some(account.operations), Some(account.errors));
        card.queue = Some(self.history.due_of_accounts.get(&account.name).copied().unwrap_or_default());
        card.last_error.clone_from(&account.last_error);
        card.cache = Some(account.cached_peers as u64);
        let fastest = account.lines.iter().filter_map(|line| line.round_trip_ms).min();
        card.latency = fastest.map(|millis| Duration::from_millis(millis.into()));
        card.actions = account_actions(account);
        self.shares.give(&mut card, self.shares.calls);
        card
    }

    fn line(&mut self, account: &AccountView, line: &LineView, id: CardId) -> Card {
        let failed = self.failed(&id);
        let silent = line.state == AccountState::Connecting && self.observation.is_silent(&line.purposes);
        let lamp = if silent { Lamp::Waiting } else { lamp_of(line.state, failed) };
        let state = if silent { "clearing" } else { line.state.as_str() };
        let name = id.name().rsplit(':').next().unwrap_or_default().to_owned();
        let mut card = self.blank(id, name, lamp, state, None);
        card.parent = Some(CardId::account(&account.name));
        card.reason = line.reason.map(|reason| reason.as_str().to_owned());
        card.detail.clone_from(&line.detail);
        card.advice = if silent { Some(Advice::WaitForClearing) } else { line.reason.map(Advice::Account) };
        card.proof = line.dc_id.map(|dc_id| format!("dc {dc_id}"));
        card.latency = line.round_trip_ms.map(|millis| Duration::from_millis(millis.into()));
        card.up_since = self.connected_since(&card);
        (card.operations, card.errors) = (Some(line.operations), Some(line.errors));
        self.shares.give(&mut card, self.shares.calls);
        card
    }

    fn port(&mut self, port: &Port) -> Card {
        let id = CardId::port(&port.name);
        let latest = self.latest(&id);
        let failed = latest.as_ref().is_some_and(|latest| latest.evaluation.answer == ProbeOutcome::Failed);
        let (lamp, state, reason, advice) = match port.state {
            PortState::Starting => (Lamp::Busy, "starting", None, None),
            PortState::Taken => (Lamp::Trouble, "taken", Some("port_taken"), Some(Advice::FreeThePort)),
            PortState::Refused => {
                (Lamp::Trouble, "refused", Some("port_refused"), Some(Advice::MendTheAddress))
            }
            PortState::Listening if failed => {
                (Lamp::Trouble, "silent", Some("no_answer"), Some(Advice::LookIntoTheLog))
            }
            PortState::Listening => (Lamp::Good, "listening", None, None),
        };
        let mut card = self.blank(id, port.name.clone(), lamp, state, Some(port.since));
        card.reason = reason.map(str::to_owned);
        let detail = latest.as_ref().and_then(|latest| latest.detail.clone()).filter(|_| state == "silent");
        card.detail = port.detail.clone().or(detail);
        card.proof = Some(match &port.holder {
            Some(holder) => format!("{} held by {holder}", port.address),
            None => port.address.clone(),
        });
        card.advice = advice;
        card.latency = latest.and_then(|latest| latest.evaluation.latency);
        (card.operations, card.errors) = (Some(port.load.answered), Some(port.load.failed));
        card.queue = Some(port.load.open);
        self.shares.give(&mut card, self.shares.requests);
        card
    }

    fn store(&mut self) -> Card {
        let id = CardId::store();
        let latest = self.latest(&id);
        let evaluation = latest.as_ref().map(|latest| &latest.evaluation);
        let reason = evaluation.and_then(|evaluation| evaluation.reason.as_deref().map(str::to_owned));
        let (lamp, state): (_, &'static str) = match evaluation.map(|evaluation| evaluation.answer) {
            Some(ProbeOutcome::Failed) => match reason.as_deref() {
                Some("disk_full") => (Lamp::Trouble, "disk_full"),
                Some("row_unreadable") => (Lamp::Trouble, "failing"),
                _ => (Lamp::Trouble, "unavailable"),
            },
            Some(_) => (Lamp::Good, "ready"),
            None => (Lamp::Busy, "starting"),
        };
        let mut card = self.blank(id, "store".to_owned(), lamp, state, None);
        card.up_since = card.up_since.map(|_| self.started_at);
        card.latency = evaluation.and_then(|evaluation| evaluation.latency);
        card.reason = reason.filter(|_| lamp == Lamp::Trouble);
        card.detail = latest.and_then(|latest| latest.detail);
        if card.detail.is_none() && !self.is_stored {
            card.detail = Some("beats cannot be kept on disk; those in memory go on".to_owned());
        }
        let free = self.history.stock.as_ref().and_then(|stock| stock.free_bytes);
        card.proof = free.map(|free| format!("{} MB free", free >> 20));
        card.advice = match state {
            "disk_full" => Some(Advice::FreeDisk),
            "unavailable" => Some(Advice::MendTheStore),
            "failing" => Some(Advice::RepairTheRow),
            _ => None,
        };
        card
    }

    fn queue(&mut self) -> Card {
        let id = CardId::queue();
        let latest = self.latest(&id);
        let evaluation = latest.as_ref().map(|latest| &latest.evaluation);
        let reason = evaluation.and_then(|evaluation| evaluation.reason.as_deref().map(str::to_owned));
        let (lamp, state): (_, &'static str) = match evaluation.map(|evaluation| evaluation.answer) {
            Some(ProbeOutcome::Failed) if reason.as_deref() == Some("stalled") => (Lamp::Trouble, "stalled"),
            Some(ProbeOutcome::Failed) => (Lamp::Trouble, "full"),
            Some(ProbeOutcome::Slow) => (Lamp::Waiting, "waiting"),
            Some(_) => (Lamp::Good, "ready"),
            None => (Lamp::Busy, "starting"),
        };
        let mut card = self.blank(id, "queue".to_owned(), lamp, state, None);
        card.up_since = card.up_since.map(|_| self.started_at);
        card.reason = reason.filter(|_| matches!(lamp, Lamp::Trouble | Lamp::Waiting));
        card.queue = Some(self.history.due.iter().map(|(_, count, _)| *count).sum());
        card.advice = (state == "stalled").then_some(Advice::RestartTheProgram);
        card
    }
}

/// The word for work that goes wrong at times, or that has no result for long.
fn trouble_word(answer: ProbeOutcome, why: Option<&str>) -> &'static str {
    match (answer, why) {
        (_, Some("stuck")) => "stuck",
        (ProbeOutcome::Failed, _) => "failing",
        _ => "unsteady",
    }
}

fn lamp_of(state: AccountState, failed: bool) -> Lamp {
    match state {
        AccountState::Ready => Lamp::Good,
        AccountState::Paused | AccountState::Offline => Lamp::Off,
        AccountState::Connecting if failed => Lamp::Trouble,
        AccountState::Connecting => Lamp::Busy,
        AccountState::FloodWait => Lamp::Waiting,
        AccountState::Error | AccountState::Restricted | AccountState::NeedsLogin | AccountState::Banned => {
            Lamp::Trouble
        }
    }
}

fn account_actions(account: &AccountView) -> ActionSet {
    let mut actions = match account.state {
        AccountState::Offline => vec![CardAction::Start],
        AccountState::Paused => vec![CardAction::Stop, CardAction::Restart, CardAction::Resume],
        _ => vec![CardAction::Stop, CardAction::Restart, CardAction::Pause],
    };
    actions.extend(account.wants_session.then_some(CardAction::SignIn));
    ActionSet::of(actions)
}

/// The kinds are in the order of the enum, which the counts rely on.
const _: () = assert!(CardKind::ALL.len() == CardKind::Queue as usize + 1);
