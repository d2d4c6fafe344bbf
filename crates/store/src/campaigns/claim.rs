//! The next recipient of a run, given to one sender: the cap, the cycle and the claim in one write.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::{
    AttemptState, CampaignAttemptId, CampaignRunId, CampaignRunState, CampaignSender, ChatRef, SenderCaps,
    Timestamp, UserId,
};

use super::statements as sql;
use super::{CampaignRun, Campaigns, StoredAttempt, hour_of, rows};
use super::{profiles, runs};
use crate::column::Columns;
use crate::database::{Row, params};
use crate::write::Transaction;
use crate::{StoreError, codes, point};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
/// No failure lets a recipient wait longer: what is further ahead was written by a clock that ran ahead.
const LONGEST_RETRY: Duration = Duration::from_mins(10);

/// A sender that asks for its next recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claiming {
    pub run: CampaignRunId,
    pub sender: CampaignSender,
    /// The id of the attempt.
    pub id: CampaignAttemptId,
    pub caps: SenderCaps,
    /// Who the sender is: what the person's browser profiles send counts too.
    pub person: Option<UserId>,
    /// Their other senders, which count as well.
    pub counted_with: Vec<CampaignSender>,
    /// How long between two cycles.
    pub between_cycles: Duration,
    pub now: Timestamp,
}

/// What a sender is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It has this recipient; the attempt is written.
    Task(Box<StoredAttempt>),
    /// The run is paused or over.
    Over,
    /// No recipient may be written to before.
    Later(Timestamp),
    /// The sender has sent as much as it may, until then.
    Limited(Timestamp),
    /// Other senders have what is left of the cycle.
    Busy,
}

impl Campaigns<'_> {
    /// Gives a sender its next recipient. Two senders never get the same one: there is one writer.
    pub async fn claim(&self, claiming: Claiming) -> Result<Claim, StoreError> {
        let change = move |transaction: &Transaction<'_>| claim(transaction, &claiming);
        self.store.change(point::CLAIM_CAMPAIGN_TASK, change).await
    }
}

fn claim(transaction: &Transaction<'_>, claiming: &Claiming) -> Result<Claim, StoreError> {
    let Claiming { sender, id, between_cycles, now, .. } = claiming;
    let Claimable { mut run, counted, mut due } = claimable(transaction, claiming)?;
    if run.state != CampaignRunState::Running {
        return Ok(Claim::Over);
    }
    if run.canary == Some(0) {
        return match open(transaction, &run)? {
            0 => end(transaction, &run, CampaignRunState::Paused, Some("canary"), *now),
            _ => Ok(Claim::Busy),
        };
    }
    if let Some(at) = run.next_cycle_at {
        // A clock that ran ahead wrote a later one, or the pause was longer then. The first cycle begins when it was asked to.
        let latest = now.plus(*between_cycles);
        if run.cycle > 0 && at > latest {
            transaction.run(sql::END_CYCLE, params![latest.as_micros(), run.id.as_uuid().as_bytes()])?;
            return Ok(Claim::Later(latest));
        }
        if at > *now {
            return Ok(Claim::Later(at));
        }
        begin_cycle(transaction, &run)?;
        Claimable { run, due, .. } = claimable(transaction, claiming)?;
    }
    if let Some(at) = limited_until(transaction, claiming, counted)? {
        return Ok(Claim::Limited(at));
    }
    let Some(chat) = due else {
        return none_due(transaction, &run, *between_cycles, *now);
    };
    let (key, name) = (run.id.as_uuid().as_bytes(), chat.to_string());
    transaction.run(sql::TAKE_TASK, params![run.turn, run.campaign, name])?;
    transaction.run(sql::TAKE_ONE, params![key])?;
    let (attempt, by) = (id.as_uuid().as_bytes(), sender.to_string());
    transaction
        .run(sql::ADD_ATTEMPT, params![attempt, key, run.campaign, run.cycle, name, by, now.as_micros()])?;
    Ok(Claim::Task(Box::new(StoredAttempt {
        id: *id,
        run_id: run.id,
        campaign: run.campaign,
        cycle: run.cycle,
        chat,
        sender: sender.clone(),
        state: AttemptState::Claimed,
        code: None,
        detail: None,
        peer: None,
        message: None,
        text: None,
        parse_mode: None,
        outbox_id: None,
        claimed_at: *now,
        ended_at: None,
    })))
}

/// What a claim looks at first, in one statement.
struct Claimable {
    run: CampaignRun,
    counted: Counted,
    /// The recipient whose turn it is.
    due: Option<ChatRef>,
}

/// How many attempts of a sender count.
#[derive(Clone, Copy)]
struct Counted {
    /// They have no end.
    open: u64,
    /// They may have been sent within 24 hours, or a little before: all of the hour in which those began are among them.
    lately: u64,
}

impl Counted {
    fn read(columns: &Columns<'_>, first: usize) -> Result<Self, StoreError> {
        Ok(Self { open: columns.count(first)?, lately: columns.count(first + 1)? })
    }
}

fn claimable(transaction: &Transaction<'_>, claiming: &Claiming) -> Result<Claimable, StoreError> {
    let Claiming { run, sender, now, .. } = claiming;
    let read = |row: &Row<'_>| {
        let columns = Columns::new(row, "campaign_runs");
        Ok(Claimable {
            run: rows::run(row)?,
            counted: Counted::read(&columns, 11)?,
            due: columns.maybe_parsed(13)?,
        })
    };
    let hour = hour_of(now.minus(DAY));
    let params = params![sender.to_string(), hour, now.as_micros(), run.as_uuid().as_bytes()];
    transaction.first(sql::CLAIMABLE, params, read)?.ok_or_else(|| runs::no_such_run(*run))
}

/// What a sender does for which no recipient is due: it waits for one, or the cycle is over.
fn none_due(
    transaction: &Transaction<'_>,
    run: &CampaignRun,
    between_cycles: Duration,
    now: Timestamp,
) -> Result<Claim, StoreError> {
    let next = |row: &Row<'_>| Columns::new(row, "campaign_tasks").maybe_time(0);
    let next_try = || transaction.first(sql::NEXT_TRY, params![run.campaign, run.turn], next);
    if let Some(at) = next_try()?.flatten() {
        let latest = now.plus(LONGEST_RETRY);
        if at <= latest {
            return Ok(Claim::Later(at));
        }
        transaction.run(sql::HASTEN_TRIES, params![latest.as_micros(), run.campaign, run.turn])?;
        return Ok(Claim::Later(next_try()?.flatten().unwrap_or(at)));
    }
    if open(transaction, run)? > 0 {
        return Ok(Claim::Busy);
    }
    if run.cycle >= run.cycles {
        return end(transaction, run, CampaignRunState::Done, None, now);
    }
    let at = now.plus(between_cycles);
    transaction.run(sql::END_CYCLE, params![at.as_micros(), run.id.as_uuid().as_bytes()])?;
    Ok(Claim::Later(at))
}

fn begin_cycle(transaction: &Transaction<'_>, run: &CampaignRun) -> Result<(), StoreError> {
    transaction.run(sql::NEXT_TURN, params![run.campaign])?;
    let turn = |row: &Row<'_>| Columns::new(row, "campaigns").get::<i64>(0);
    let turn = transaction.first(sql::TURN, params![run.campaign], turn)?.unwrap_or(run.turn + 1);
    let counted = runs::tasks_counted(transaction, &run.campaign)?;
    let pending = i64::try_from(counted.all.saturating_sub(counted.blocked)).unwrap_or(i64::MAX);
    transaction.run(sql::BEGIN_CYCLE, params![turn, pending, run.id.as_uuid().as_bytes()])
}

fn end(
    transaction: &Transaction<'_>,
    run: &CampaignRun,
    state: CampaignRunState,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<Claim, StoreError> {
    let ended_at = state.is_final().then_some(now.as_micros());
    let (none, key) = (None::<u32>, run.id.as_uuid().as_bytes());
    transaction.run(sql::SET_RUN, params![codes::of_campaign_run(state), reason, none, ended_at, key])?;
    let run = CampaignRun { state, reason: reason.map(str::to_owned), ..run.clone() };
    runs::tell(transaction, &run, now);
    Ok(Claim::Over)
}

/// How many attempts of a run have no end.
fn open(transaction: &Transaction<'_>, run: &CampaignRun) -> Result<u64, StoreError> {
    let count = |row: &Row<'_>| Columns::new(row, "campaign_attempts").count(0);
    let key = run.id.as_uuid().as_bytes();
    Ok(transaction.first(sql::OPEN_OF_RUN, params![key], count)?.unwrap_or(0))
}

/// Until when a person has sent as much as they may, over all campaigns and senders.
fn limited_until(
    transaction: &Transaction<'_>,
    claiming: &Claiming,
    of_sender: Counted,
) -> Result<Option<Timestamp>, StoreError> {
    let Claiming { sender, caps, person, counted_with, now, .. } = claiming;
    let sender = sender.to_string();
    let mut senders: BTreeSet<_> = counted_with.iter().map(ToString::to_string).collect();
    if let Some(person) = person {
        senders.extend(profiles::of_person(transaction, *person)?);
    }
    senders.remove(&sender);
    let Counted { mut open, mut lately } = of_sender;
    let count = |row: &Row<'_>| Counted::read(&Columns::new(row, "campaign_attempts"), 0);
    for other in &senders {
        let params = params![other, hour_of(now.minus(DAY))];
        if let Some(counted) = transaction.first(sql::OF_SENDER, params, count)? {
            open += counted.open;
            lately += counted.lately;
        }
    }
    // The times are read only where they decide: those of a day where it may be full, else those of an hour.
    if caps.has_room_after(lately + open) {
        return Ok(None);
    }
    let window = if lately + open < u64::from(caps.day) { HOUR } else { DAY };
    let since = now.minus(window).as_micros();
    let time = |row: &Row<'_>| Columns::new(row, "campaign_attempts").time(0);
    let mut ended = Vec::new();
    for sender in std::iter::once(&sender).chain(&senders) {
        ended.extend(transaction.all(sql::SENT_LATELY, params![sender, since], time)?);
    }
    Ok(caps.free_at(ended, usize::try_from(open).unwrap_or(usize::MAX), *now))
}
