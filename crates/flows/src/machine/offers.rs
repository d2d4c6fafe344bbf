//! Messages that begin runs: those that begin one, those that wait for room, and those that begin none. Pure.

use std::time::Duration;

use domain::{FlowMoment, FlowRunId, FlowRunState, FlowStage, TelegramMessageId};
use telegram::{Sender, Sighting};

use super::looking::first_button;
use super::run::Run;
use super::{Action, MOST_RUNS, Machine, Now, RunRecord, SETTLE};
use crate::definition::Captures;
use crate::limits::Skip;
use crate::pattern::Choice;
use crate::tracked_messages::News;

/// Messages that wait for room at most; of more, the last ones begin no run.
const MOST_WAITING: usize = 64;

/// Rows of messages that began no run within an hour; more are only counted.
const MOST_ROWS: u32 = 1_000;

/// A message that begins a run once there is room.
#[derive(Debug)]
pub(super) struct Waiting {
    /// The id of its row, which becomes that of its run.
    row: Option<FlowRunId>,
    pub(super) sighting: Sighting,
    captures: Captures,
    order: u64,
    /// The number of the run that began last when it came. Runs that begin later leave it alone.
    last_run: u32,
    pub(super) seen: Now,
    /// When it is too old.
    until: Duration,
    pub(super) why: Skip,
}

/// How many messages that began no run have a row of the hour.
#[derive(Debug, Default)]
pub(super) struct RowsOfSkips {
    since: Duration,
    count: u32,
}

impl RowsOfSkips {
    fn has_room(&mut self, now: Duration) -> bool {
        if now.saturating_sub(self.since) >= Duration::from_hours(1) {
            *self = Self { since: now, count: 0 };
        }
        self.count = self.count.saturating_add(1);
        self.count <= MOST_ROWS
    }
}

/// Whether an edit of a run's message, or an answer to it, is another offer than that of the run, which then waits for its end:
/// the trigger captures something else, or both the text and the button are others.
fn is_another(run: &Run, sighting: &Sighting, captures: &Captures, first: &Choice) -> bool {
    let is_new_button = match (first, &run.first_data) {
        (Choice::Press { data, .. }, Some(pressed)) => data != pressed,
        _ => false,
    };
    let is_new = run.offered != *captures || (is_new_button && run.text != sighting.text);
    // Until the run has pressed, it may press the new button.
    is_new && run.acted.is_some()
}

impl Machine {
    /// Whether messages of a sender begin runs. In groups only those of bots do where the flow names no one.
    fn may_begin(&self, sender: Sender) -> bool {
        use config::FlowSender;
        let is_bots = !sender.is_in_group || sender.is_bot;
        let fits = |named: &FlowSender| match named {
            FlowSender::Bots => is_bots,
            FlowSender::Anyone => true,
            FlowSender::One(_) => self.senders.contains(&sender.id),
        };
        if self.flow.senders.is_empty() { is_bots } else { self.flow.senders.iter().any(fits) }
    }

    /// Begins a run with a message that fits, lets it wait for room, or counts it as one that began none.
    pub(super) fn offer(
        &mut self,
        sighting: &Sighting,
        news: &News,
        (is_fresh, is_expected): (bool, bool),
        now: Now,
        id: &mut dyn FnMut() -> FlowRunId,
        actions: &mut Vec<Action>,
    ) {
        let (message_id, keyboard) = (sighting.message_id, sighting.keyboard.as_deref());
        let waited = self.take_waiting(message_id);
        if !self.may_begin(sighting.sender) {
            // Without its keyboard a message in a group is a bot's no longer.
            if let Some((_, before)) = waited {
                self.skip(&before, before.why, now, id, actions);
            }
            return;
        }
        let is_same = news.fitted.as_deref() == Some(&*sighting.text);
        let captures = self.flow.trigger.fits(&sighting.text, keyboard);
        if let Some((_, before)) = waited.as_ref().filter(|_| !is_same || captures.is_none()) {
            // What it offered before is gone.
            self.skip(before, before.why, now, id, actions);
        }
        let Some(captures) = captures else { return };
        self.tracked.mark(&sighting.text);
        self.end_replaced(sighting, &captures, now, actions);
        let message = (sighting.chat_id, message_id);
        let begins_none = self.is_stopped
            || (is_same && waited.is_none())
            // How the text was is not known: it is an edit of a message that a run began with.
            || (news.is_first && self.counted.has_begun_with(message, now.running))
            || self.is_of_a_run(sighting, is_expected, &captures);
        if begins_none {
            if let Some((_, before)) = waited.filter(|_| is_same) {
                self.skip(&before, before.why, now, id, actions);
            }
            return;
        }
        let age = now.wall.since(sighting.written_at);
        let until = now.running.saturating_add(self.flow.fresh.saturating_sub(age));
        // It waits where it waited before, since it came and not since its edit.
        let (place, row, last_run, seen) = if let Some((place, before)) = waited.filter(|_| is_same) {
            (place, before.row, before.last_run, before.seen)
        } else {
            let seen = Now { running: sighting.arrived.min(now.running), ..now };
            (self.waiting.len(), None, self.run_numbers, seen)
        };
        let why = if is_fresh { self.why_not(now) } else { Some(Skip::Stale) };
        // Those that wait begin first.
        let waits = !self.waiting.is_empty() || self.busy_run_of(sighting).is_some();
        let why = why.or_else(|| waits.then_some(Skip::Busy));
        let waiting = Waiting {
            row,
            sighting: sighting.clone(),
            captures,
            order: news.order,
            last_run,
            seen,
            until,
            why: Skip::Busy,
        };
        match why {
            None => self.begin(waiting, now, id),
            Some(why) if self.may_wait(why, until) => {
                self.let_wait(place, Waiting { why, ..waiting }, now, id, actions);
            }
            Some(why) => self.skip(&waiting, why, now, id, actions),
        }
    }

    /// Lets a message wait. It has a row from now on, which says that the program ended if that comes first.
    fn let_wait(
        &mut self,
        place: usize,
        mut offer: Waiting,
        now: Now,
        id: &mut dyn FnMut() -> FlowRunId,
        actions: &mut Vec<Action>,
    ) {
        if offer.row.is_none() && self.rows.has_room(now.running) {
            let row = id();
            offer.row = Some(row);
            self.record_offer(row, &offer, None, now, actions);
        }
        self.waiting.insert(place, offer);
    }

    /// Whether a message that fits is a part of a run that is under way: an edit of one of its messages, an answer to one, or
    /// what its step looks for or expected. One with the button of the first step is none, but for edits and answers.
    fn is_of_a_run(&self, sighting: &Sighting, is_expected: bool, captures: &Captures) -> bool {
        let first = first_button(&self.flow, sighting.keyboard.as_deref(), captures);
        match (self.busy_run_of(sighting), first) {
            (Some(run), Some(first)) => !is_another(run, sighting, captures, &first),
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => is_expected || self.is_awaited(sighting.message_id),
        }
    }

    /// A run that did nothing yet ends when its message becomes another offer, which begins a run of its own.
    fn end_replaced(
        &mut self,
        sighting: &Sighting,
        captures: &Captures,
        now: Now,
        actions: &mut Vec<Action>,
    ) {
        let is_it = |run: &Run| {
            run.message_id == sighting.message_id
                && run.acted.is_none()
                && run.takes_a_place()
                && run.offered != *captures
        };
        let Some(index) = self.place_of(is_it) else { return };
        let Some(code) = self.runs.get(index).map(Run::lateness) else { return };
        if first_button(&self.flow, sighting.keyboard.as_deref(), captures).is_some() {
            self.end(index, FlowRunState::Failed, Some(code), now, actions);
        }
    }

    /// The run that a message belongs to, or answers, while its steps are not done. Once they are, the next offer may come as an
    /// edit of its message.
    fn busy_run_of(&self, sighting: &Sighting) -> Option<&Run> {
        let owner = self.tracked.owner(sighting.message_id);
        let owner = owner.or_else(|| sighting.reply_to.and_then(|replied| self.tracked.owner(replied)))?;
        self.runs.iter().find(|run| run.number == owner && run.takes_a_place())
    }

    /// The place of the message that begins the next run: the first one whose own run is not under way.
    fn next_place(&self) -> Option<usize> {
        self.waiting.iter().position(|waiting| self.busy_run_of(&waiting.sighting).is_none())
    }

    /// Why no run may begin now, if so.
    fn why_not(&mut self, now: Now) -> Option<Skip> {
        let under_way = self.runs.iter().filter(|run| run.takes_a_place()).count();
        let left = self.flow.limits.stop_after.map(|most| most.get().saturating_sub(self.counted.done()));
        // Each of those under way may be the last one that is wanted.
        let are_enough =
            left.is_some_and(|left| self.runs.len() >= usize::try_from(left).unwrap_or(usize::MAX));
        if self.flow.active.as_ref().is_some_and(|hours| !hours.cover(now.wall)) {
            return Some(Skip::Hours);
        }
        self.counted.refusal(&self.flow.limits, now.running).or_else(|| {
            let most = usize::from(self.flow.limits.at_once);
            let is_full = under_way >= most || self.runs.len() >= MOST_RUNS || are_enough;
            is_full.then_some(Skip::Busy)
        })
    }

    /// Takes a message out of those that wait, with its place among them.
    pub(super) fn take_waiting(&mut self, message_id: TelegramMessageId) -> Option<(usize, Waiting)> {
        let place = self.waiting.iter().position(|waiting| waiting.sighting.message_id == message_id)?;
        Some((place, self.waiting.remove(place)?))
    }

    /// Whether a message waited for a run of its own already when a run began: the run has no part in it.
    pub(super) fn waits_since_before(&self, message_id: TelegramMessageId, run: u32) -> bool {
        let is_it = |waiting: &Waiting| waiting.sighting.message_id == message_id && waiting.last_run < run;
        self.waiting.iter().any(is_it)
    }

    /// Whether a message waits for room, as it is fresh until then.
    fn may_wait(&self, why: Skip, until: Duration) -> bool {
        let has_room = self.waiting.len() < MOST_WAITING;
        match why {
            Skip::Busy => has_room,
            Skip::Cooldown => {
                has_room && self.counted.cooldown_ends(&self.flow.limits).is_some_and(|end| end < until)
            }
            Skip::Hours | Skip::PerHour | Skip::Stale | Skip::OtherRun | Skip::Stopped => false,
        }
    }

    /// When something is to be done about a message that waits.
    pub(super) fn next_offer_due(&self) -> Option<Duration> {
        let until = self.waiting.iter().map(|waiting| waiting.until).min()?;
        let cooldown = self.counted.cooldown_ends(&self.flow.limits);
        // The others wait for the next one, whatever they waited for when they came.
        let next = self.next_place().and_then(|place| self.waiting.get(place));
        let is_cooling = next.is_some_and(|next| next.why == Skip::Cooldown);
        Some(match cooldown.filter(|_| is_cooling) {
            Some(end) => until.min(end),
            None => until,
        })
    }

    /// Begins a run with the first message that waits, if there is room; skips those that are too old. Whether one began.
    pub(super) fn begin_waiting(
        &mut self,
        now: Now,
        id: &mut dyn FnMut() -> FlowRunId,
        actions: &mut Vec<Action>,
    ) -> bool {
        if self.is_stopped {
            self.end_waiting(Some(Skip::Stopped), now, actions);
        }
        // One that came later may be too old sooner.
        while let Some(place) = self.waiting.iter().position(|waiting| waiting.until <= now.running) {
            let Some(late) = self.waiting.remove(place) else { break };
            self.skip(&late, late.why, now, id, actions);
        }
        while let Some(place) = self.next_place()
            && let Some(mut next) = self.waiting.remove(place)
        {
            let (until, why) = (next.until, self.why_not(now));
            match why {
                None => {
                    self.begin(next, now, id);
                    return true;
                }
                Some(why) if self.may_wait(why, until) => {
                    next.why = why;
                    self.waiting.insert(place, next);
                    return false;
                }
                Some(why) => self.skip(&next, why, now, id, actions),
            }
        }
        false
    }

    /// Ends the wait of all messages, for this reason or the one for which each waits: none of them begins a run.
    pub(super) fn end_waiting(&mut self, why: Option<Skip>, now: Now, actions: &mut Vec<Action>) {
        for offer in std::mem::take(&mut self.waiting) {
            self.skip_waiting(&offer, why.unwrap_or(offer.why), now, actions);
        }
    }

    /// Skips a message that waits, whose row is there if there was room for it.
    pub(super) fn skip_waiting(&mut self, offer: &Waiting, why: Skip, now: Now, actions: &mut Vec<Action>) {
        self.count_skip(why);
        if let Some(row) = offer.row {
            self.record_offer(row, offer, Some(why), now, actions);
        }
    }

    fn begin(&mut self, offer: Waiting, now: Now, id: &mut dyn FnMut() -> FlowRunId) {
        let Waiting { row, sighting, captures, order, seen, .. } = offer;
        self.counted.begin((sighting.chat_id, sighting.message_id), now.running);
        self.run_numbers = self.run_numbers.wrapping_add(1);
        let row = row.unwrap_or_else(id);
        let mut run = Run::new(row, self.run_numbers, &sighting, captures, order, seen);
        run.note(FlowStage::Matched, None, None, now);
        run.begin_step(0, self.flow.steps.first().map_or(SETTLE, |step| step.within), now);
        self.tracked.give(sighting.message_id, run.number);
        self.runs.push(run);
    }

    pub(super) fn count_skip(&mut self, why: Skip) {
        if let Some(count) = self.skipped.get_mut(why as usize) {
            *count += 1;
        }
        self.last_skip = Some(why);
    }

    /// A message that fits begins no run: it is counted, and has a row.
    pub(super) fn skip(
        &mut self,
        offer: &Waiting,
        why: Skip,
        now: Now,
        id: &mut dyn FnMut() -> FlowRunId,
        actions: &mut Vec<Action>,
    ) {
        self.count_skip(why);
        let row = offer.row.or_else(|| self.rows.has_room(now.running).then(id));
        if let Some(row) = row {
            self.record_offer(row, offer, Some(why), now, actions);
        }
    }

    /// Has the row of a message written that waits, or that begins no run for this reason.
    fn record_offer(
        &self,
        row: FlowRunId,
        offer: &Waiting,
        why: Option<Skip>,
        now: Now,
        actions: &mut Vec<Action>,
    ) {
        let after = now.running.saturating_sub(offer.seen.running);
        let moment = |at_us, stage, note| FlowMoment { at_us, stage, step: None, note };
        let mut moments = vec![moment(0, FlowStage::Seen, None)];
        moments.extend(why.map(|why| {
            let at_us = u64::try_from(after.as_micros()).unwrap_or(u64::MAX);
            moment(at_us, FlowStage::Skipped, Some(why.as_str().to_owned()))
        }));
        actions.push(Action::Record(Box::new(RunRecord {
            id: row,
            flow: self.flow.name.clone(),
            chat_id: offer.sighting.chat_id,
            message_id: offer.sighting.message_id,
            began_at: offer.seen.wall,
            ended_at: why.map(|_| now.wall),
            state: why.map_or(FlowRunState::Running, |_| FlowRunState::Skipped),
            code: why.map(Skip::as_str),
            step: 1,
            moments,
        })));
    }
}
