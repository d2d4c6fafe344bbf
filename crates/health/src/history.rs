//! What is known between two rounds: strips, tallies, the last verdicts, and since when things are as they are.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use delivery::{InHand, Unbegun};
use domain::{AccountName, Service, Timestamp};
use store::{BeatsBatch, BeatsPast, EndedInMinute, Stats};
use telegram::{AccountView, ServiceView};

use crate::calendar::Calendar;
use crate::card::{CardId, Stuck, Unable};
use crate::evaluation::{self, Evaluation, LineObservation, ServiceActivity, Worker};
use crate::health::PortLoad;
use crate::minute::{Beat, Minute, ProbeOutcome, Round};
use crate::observation::{LastAnswers, Observation, Probes, line_ids};
use crate::strip::{Shown, Strips};
use crate::tally::{self, Amount, Reading, Tallies};
use crate::unable;

/// How long minutes are kept on disk.
const RETAINED_MINUTES: i64 = 48 * 60;

/// How much the work that waits is, as the delivery says.
#[derive(Debug, Default)]
pub(crate) struct Work {
    /// What could leave and has not, by service: how much, and since when the oldest. What goes to channels is part of none.
    pub(crate) due: Vec<(Option<Service>, u64, Timestamp)>,
    /// How much of it waits for one account and no other.
    pub(crate) due_of_accounts: HashMap<AccountName, u64>,
    /// Work that accounts have and that has no result yet.
    pub(crate) in_hand: Vec<InHand>,
    /// Work that is to be begun this very moment.
    pub(crate) unbegun: Vec<Unbegun>,
    pub(crate) full: bool,
    /// The results of messages since the start.
    pub(crate) counted: Reading,
    /// What each account sent since the start.
    pub(crate) accounts: Vec<(AccountName, Reading)>,
}

/// What a round found out about a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Latest {
    pub(crate) evaluation: Evaluation,
    pub(crate) detail: Option<String>,
}

/// Everything that is known between two rounds.
#[derive(Default)]
pub(crate) struct History {
    calendar: Option<Calendar>,
    strips: Strips,
    pub(crate) tallies: Tallies,
    pub(crate) latest: HashMap<CardId, Latest>,
    pub(crate) answers: LastAnswers,
    /// What was to be begun in the last round.
    unbegun: Vec<Unbegun>,
    pub(crate) stalled: Vec<Option<Service>>,
    pub(crate) stock: Option<Stats>,
    pub(crate) due: Vec<(Option<Service>, u64, Timestamp)>,
    pub(crate) due_of_accounts: HashMap<AccountName, u64>,
    /// What accounts had for too long without a result as of the last round.
    stuck: Vec<InHand>,
    /// How long half of the calls to Telegram took at most, and all but one in a hundred.
    pub(crate) answers_within: [Option<Duration>; 2],
    /// The minute of the last round.
    last_minute: Option<i64>,
    /// Since when each card is in its state.
    marks: HashMap<CardId, Mark>,
    ups: HashMap<CardId, Mark>,
}

/// When a state was first seen. The same word with another beginning is another state.
#[derive(Debug, Clone, Copy)]
struct Mark {
    state: &'static str,
    given: Option<Timestamp>,
    since: Since,
}

/// A reading of the monotonic clock; for what began before that clock did, by how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    At(Duration),
    Before(Duration),
}

impl Since {
    /// Since what was noted, or since now.
    fn now(given: Option<Timestamp>, observation: &Observation) -> Self {
        let ago = given.map_or(Duration::ZERO, |given| observation.at.since(given));
        match observation.running.checked_sub(ago) {
            Some(at) => Self::At(at),
            None => Self::Before(ago.saturating_sub(observation.running)),
        }
    }
}

impl History {
    /// Takes up what an earlier run kept.
    pub(crate) fn restore(&mut self, past: BeatsPast, now: Timestamp, running: Duration) {
        self.calendar = Some(Calendar::begin(past.last, now, running));
        self.strips.restore(past.minutes);
        self.tallies.restore(past.tallies);
    }

    /// Takes in what the store says of messages that ended lately: the last seconds before a stop may not be kept.
    pub(crate) fn make_up(&mut self, ended: &[EndedInMinute], now: Timestamp, running: Duration) {
        let calendar = self.calendar(now, running);
        let mut cards: HashMap<CardId, BTreeMap<i64, Amount>> = HashMap::new();
        let mut services: HashMap<CardId, BTreeMap<i64, Amount>> = HashMap::new();
        for one in ended {
            let minute = calendar.minute_of(one.minute, now, running);
            let amount = Amount { sent: one.sent, failed: one.failed };
            if let Some(service) = one.service {
                let service = services.entry(CardId::service(service)).or_default();
                tally::add(service.entry(minute).or_default(), amount);
            }
            for card in one.account.as_ref().map(CardId::account).into_iter().chain([CardId::queue()]) {
                tally::add(cards.entry(card).or_default().entry(minute).or_default(), amount);
            }
        }
        let minute = self.minute(now, running);
        for (card, stored) in cards {
            // What failed of an account's calls is another number than the messages that came to nothing.
            let is_whole = card == CardId::queue();
            let span = if is_whole { tally::DAY } else { tally::LAST_HOUR };
            self.tallies.correct(&card, minute - span + 1, &stored, is_whole);
        }
        for (card, stored) in services {
            self.tallies.make_up(&card, minute, &stored);
        }
    }

    pub(crate) fn minute(&self, now: Timestamp, running: Duration) -> i64 {
        self.calendar(now, running).minute(running)
    }

    fn calendar(&self, now: Timestamp, running: Duration) -> Calendar {
        self.calendar.unwrap_or_else(|| Calendar::begin(None, now, running))
    }

    pub(crate) fn strip(&self, card: &CardId, now: Timestamp, running: Duration) -> Vec<Minute> {
        let calendar = self.calendar(now, running);
        let shown = self.strips.strip(card, calendar.minute(running)).into_iter();
        shown.map(|shown| minute(&calendar, shown, now, running)).collect()
    }

    /// Since when a card has been in a state, counted back from the present. `given` is when the state began as someone
    /// else noted it; it is believed when the state is first seen.
    pub(crate) fn since(
        &mut self,
        card: &CardId,
        state: &'static str,
        given: Option<Timestamp>,
        observation: &Observation,
    ) -> Timestamp {
        mark(&mut self.marks, card, state, given, observation)
    }

    pub(crate) fn up_since(
        &mut self,
        card: &CardId,
        given: Timestamp,
        observation: &Observation,
    ) -> Timestamp {
        mark(&mut self.ups, card, "up", Some(given), observation)
    }

    /// Since when it is up without a break, if it is; `since` is believed when it is first seen so.
    pub(crate) fn up_while(
        &mut self,
        card: &CardId,
        is_up: bool,
        since: Timestamp,
        observation: &Observation,
    ) -> Option<Timestamp> {
        let state = if is_up { "up" } else { "down" };
        let known = self.ups.get(card).filter(|mark| mark.state == state).map(|mark| mark.given);
        let begun = mark(&mut self.ups, card, state, known.unwrap_or(Some(since)), observation);
        is_up.then_some(begun)
    }

    /// Whether a service's worker is stalled: the same piece of work was to be begun in the last round already.
    fn note_unbegun(&mut self, unbegun: Vec<Unbegun>) {
        let stuck = unbegun.iter().filter(|piece| self.unbegun.contains(piece)).map(|piece| piece.service);
        self.stalled = stuck.collect();
        self.unbegun = unbegun;
    }

    pub(crate) fn round(&mut self, observation: &Observation, probes: Probes, work: Work) -> Round {
        let calendar =
            *self.calendar.get_or_insert_with(|| Calendar::begin(None, observation.at, observation.running));
        let minute_now = calendar.minute(observation.running);
        self.note_unbegun(work.unbegun.clone());
        let is_stuck = |one: &&InHand| evaluation::is_stuck(observation.running.saturating_sub(one.since));
        self.stuck = work.in_hand.iter().filter(is_stuck).cloned().collect();
        let evaluations = self.judge(observation, &probes, &work);
        self.answers.note(&observation.accounts);
        self.count(observation, &work, minute_now);
        self.stock = probes.stock;
        self.due = work.due;
        self.due_of_accounts = work.due_of_accounts;
        let mut ended = Vec::new();
        if let Some(last) = self.last_minute.filter(|last| *last < minute_now) {
            for id in self.latest.keys() {
                if let Some(shown) = self.strips.minute(id, last) {
                    ended.push((id.clone(), minute(&calendar, shown, observation.at, observation.running)));
                }
            }
            self.strips.forget_before(minute_now - RETAINED_MINUTES);
            self.tallies.forget_before(minute_now);
        }
        self.last_minute = Some(minute_now);
        let mut beats = Vec::with_capacity(evaluations.len());
        self.latest.clear();
        for (id, latest) in evaluations {
            let Evaluation { answer, latency, reason } = latest.evaluation.clone();
            let beat = Beat { at: observation.at, answer, latency, reason };
            self.strips.beat(&id, minute_now, &beat);
            self.latest.insert(id.clone(), latest);
            beats.push((id, beat));
        }
        let known: HashSet<&CardId> = self.latest.keys().collect();
        self.marks.retain(|id, _| known.contains(id));
        self.ups.retain(|id, _| known.contains(id));
        Round { at: observation.at, minute: minute_now, beats, ended }
    }

    /// What is to be kept of the minute of the last round, and of the one before it if that has just ended.
    pub(crate) fn to_keep(&self, now: Timestamp, running: Duration) -> BeatsBatch {
        let minute = self.last_minute.unwrap_or_else(|| self.minute(now, running));
        BeatsBatch {
            minute,
            at: now,
            minutes: self.strips.to_keep(minute),
            tallies: self.tallies.to_keep(),
            forget_before: minute - RETAINED_MINUTES,
        }
    }

    fn judge(&self, observation: &Observation, probes: &Probes, work: &Work) -> Vec<(CardId, Latest)> {
        let plain = |evaluation| Latest { evaluation, detail: None };
        let mut all = Vec::new();
        let mut of_lines = Vec::with_capacity(observation.accounts.len());
        for account in &observation.accounts {
            let ids = line_ids(account);
            let lines = self.judge_lines(observation, account, &ids);
            let stuck = self.stuck(observation, |one| one.account == account.name).is_some();
            all.push((CardId::account(&account.name), plain(evaluation::account(account, &lines, stuck))));
            all.extend(ids.into_iter().zip(lines.iter().cloned().map(plain)));
            of_lines.push(lines);
        }
        for service in &observation.services {
            let pool = workers(observation, &of_lines, service.service);
            let evaluation = self.judge_service(observation, service, &pool);
            let detail =
                (evaluation.answer == ProbeOutcome::Failed).then(|| unable::in_words(&unable::groups(&pool)));
            all.push((CardId::service(service.service), Latest { evaluation, detail: detail.flatten() }));
        }
        for port in &observation.ports {
            let called = probes.ports.get(&port.name);
            let call = called.map(|called| called.as_ref().map(|latency| *latency).map_err(|_| ()));
            let detail = called.and_then(|called| called.as_ref().err().cloned());
            all.push((
                CardId::port(&port.name),
                Latest { evaluation: evaluation::port(port.state, call), detail },
            ));
        }
        let detail = probes.store.as_ref().err().map(ToString::to_string);
        all.push((CardId::store(), Latest { evaluation: evaluation::store(&probes.store), detail }));
        let oldest = work.due.iter().filter(|(service, ..)| is_running(observation, *service));
        let oldest = oldest.map(|(.., oldest)| observation.at.since(*oldest)).max();
        let evaluation =
            evaluation::queue(!self.stalled.is_empty(), work.full, oldest, probes.stock.is_some());
        all.push((CardId::queue(), plain(evaluation)));
        all
    }

    /// A service as it is at this moment, by what the last round found out about lines: what ended since, as a flood wait,
    /// holds nothing up.
    pub(crate) fn service_now(
        &self,
        observation: &Observation,
        service: &ServiceView,
    ) -> (Evaluation, Vec<Unable>) {
        let of_line = |id: CardId| {
            let latest = self.latest.get(&id).map(|latest| latest.evaluation.clone());
            latest.unwrap_or(Evaluation::not_probed("starting"))
        };
        let of_lines = |account| line_ids(account).into_iter().map(of_line).collect();
        let of_lines: Vec<Vec<Evaluation>> = observation.accounts.iter().map(of_lines).collect();
        let pool = workers(observation, &of_lines, service.service);
        (self.judge_service(observation, service, &pool), unable::groups(&pool))
    }

    fn judge_service(
        &self,
        observation: &Observation,
        service: &ServiceView,
        pool: &[Worker<'_>],
    ) -> Evaluation {
        let activity = match () {
            () if !service.running && observation.silent.contains(&service.service) => {
                ServiceActivity::Clearing
            }
            () if !service.running => ServiceActivity::Stopped,
            () if self.stalled.contains(&Some(service.service)) => ServiceActivity::Stalled,
            () if self.stuck(observation, |one| one.service == Some(service.service)).is_some() => {
                ServiceActivity::Stuck
            }
            () => ServiceActivity::Working,
        };
        evaluation::service(activity, pool)
    }

    pub(crate) fn stuck(&self, observation: &Observation, wanted: impl Fn(&InHand) -> bool) -> Option<Stuck> {
        let stuck = self.stuck.iter().filter(|one| wanted(one));
        let count = u32::try_from(stuck.clone().count()).unwrap_or(u32::MAX);
        let since = stuck.map(|one| one.since).min()?;
        Some(Stuck { count, since: observation.at.minus(observation.running.saturating_sub(since)) })
    }

    fn judge_lines(
        &self,
        observation: &Observation,
        account: &AccountView,
        ids: &[CardId],
    ) -> Vec<Evaluation> {
        let judged = |(line, id): (&telegram::LineView, &CardId)| {
            let about = LineObservation {
                answered: self.answers.is_new(id, line.last_answer_at),
                connecting: self.answers.connecting(id),
                silent: observation.is_silent(&line.purposes),
            };
            evaluation::line(line, about)
        };
        account.lines.iter().zip(ids).map(judged).collect()
    }

    /// Counts what was done since the last round.
    pub(crate) fn count(&mut self, observation: &Observation, work: &Work, minute: i64) {
        for service in &observation.services {
            let reading =
                Reading { sent: service.operations.saturating_sub(service.errors), failed: service.errors };
            self.tallies.read(&CardId::service(service.service), minute, reading);
        }
        for (account, reading) in &work.accounts {
            self.tallies.read(&CardId::account(account), minute, *reading);
        }
        for port in &observation.ports {
            let PortLoad { answered, failed, .. } = port.load;
            let reading = Reading { sent: answered.saturating_sub(failed), failed };
            self.tallies.read(&CardId::port(&port.name), minute, reading);
        }
        self.tallies.read(&CardId::queue(), minute, work.counted);
    }
}

/// Since when something has been in a state, by a monotonic clock.
fn mark(
    marks: &mut HashMap<CardId, Mark>,
    card: &CardId,
    state: &'static str,
    given: Option<Timestamp>,
    observation: &Observation,
) -> Timestamp {
    let known = marks.get(card).filter(|mark| mark.state == state && mark.given == given);
    let since = known.map_or_else(|| Since::now(given, observation), |mark| mark.since);
    if known.is_none() {
        marks.insert(card.clone(), Mark { state, given, since });
    }
    let ago = match since {
        Since::At(at) => observation.running.saturating_sub(at),
        Since::Before(before) => observation.running.saturating_add(before),
    };
    observation.at.minus(ago)
}

fn workers<'a>(
    observation: &'a Observation,
    of_lines: &[Vec<Evaluation>],
    service: Service,
) -> Vec<Worker<'a>> {
    let pool = observation.accounts.iter().zip(of_lines).filter(|(account, _)| account.pool);
    pool.map(|(account, lines)| Worker::of(account, lines, service, observation.at)).collect()
}

/// Whether no one has stopped it. A channel has no switch.
fn is_running(observation: &Observation, service: Option<Service>) -> bool {
    let is_on = |service| observation.services.iter().any(|one| one.service == service && one.running);
    service.is_none_or(is_on)
}

fn minute(calendar: &Calendar, shown: Shown, now: Timestamp, running: Duration) -> Minute {
    Minute {
        at: calendar.begun_at(shown.minute, now, running),
        answer: shown.answer,
        latency: shown.latency,
        reason: shown.reason.map(|reason| reason.to_string()),
    }
}
