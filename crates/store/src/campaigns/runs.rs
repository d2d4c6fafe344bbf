//! Runs of campaigns: begun, paused, ended, and how far they are.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::event::CampaignEvent;
use domain::{AttemptState, CampaignLog, CampaignRunId, CampaignRunState, CampaignSender, Event, Timestamp};

use super::statements as sql;
use super::{CampaignRun, Campaigns, StoredAttempt, hour_of, rows};
use crate::column::Columns;
use crate::database::{Row, params};
use crate::events::NewEvent;
use crate::paging::{Page, Paged};
use crate::write::{Transaction, Write};
use crate::{StoreError, codes, point};

/// A run to be begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRun {
    pub id: CampaignRunId,
    pub campaign: String,
    /// How many cycles there are to be.
    pub cycles: u32,
    /// How many recipients it takes before it pauses.
    pub canary: Option<u32>,
    pub now: Timestamp,
    /// When its first cycle begins.
    pub starts_at: Timestamp,
}

/// How a run is to be from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunChange {
    pub state: CampaignRunState,
    pub reason: Option<String>,
    /// How many recipients it takes before it pauses.
    pub canary: Option<u32>,
    pub now: Timestamp,
}

/// How many attempts of a run are in a state for a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptCount {
    pub state: AttemptState,
    pub code: Option<String>,
    pub count: u64,
}

/// How many attempts of a run are in a state in one of its cycles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CycleCount {
    /// From 1.
    pub cycle: u32,
    /// When the first of them was claimed.
    pub began_at: Timestamp,
    pub state: AttemptState,
    pub count: u64,
}

/// Which attempts are wanted; all of them by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AttemptFilter {
    pub state: Option<AttemptState>,
    /// Why it was not sent.
    pub code: Option<String>,
    pub log: CampaignLog,
}

/// How many recipients a campaign has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TasksCounted {
    pub all: u64,
    pub blocked: u64,
    /// Those that have their turn in the cycle of the run still before them.
    pub pending: u64,
}

impl Campaigns<'_> {
    /// Begins a run.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] while another run of the campaign is open.
    pub async fn begin(&self, new: NewRun) -> Result<CampaignRun, StoreError> {
        let change = move |transaction: &Transaction<'_>| begin(transaction, &new);
        self.store.change(point::CHANGE_CAMPAIGN_RUN, change).await
    }

    /// Changes how a run is. Nothing when it is over.
    pub async fn change_run(
        &self,
        id: CampaignRunId,
        wish: RunChange,
    ) -> Result<Option<CampaignRun>, StoreError> {
        let change = move |transaction: &Transaction<'_>| set(transaction, id, &wish);
        self.store.change(point::CHANGE_CAMPAIGN_RUN, change).await
    }

    /// The run of a campaign that is not over.
    pub async fn open_run(&self, campaign: &str) -> Result<Option<CampaignRun>, StoreError> {
        self.store.first(sql::OPEN_RUN, [campaign.to_owned()], rows::run).await
    }

    /// The latest run of a campaign.
    pub async fn last_run(&self, campaign: &str) -> Result<Option<CampaignRun>, StoreError> {
        self.store.first(sql::LAST_RUN, [campaign.to_owned()], rows::run).await
    }

    /// The runs of a campaign, the latest first, a page at a time.
    pub async fn runs(&self, campaign: &str, page: &Page) -> Result<Paged<CampaignRun>, StoreError> {
        let before = page.after::<CampaignRunId>()?.map_or([u8::MAX; 16], |id| *id.as_uuid().as_bytes());
        let found = self.store.all(sql::RUNS, (campaign.to_owned(), before, page.rows()), rows::run).await?;
        Ok(page.cut(found, |run| run.id.to_string()))
    }

    /// A run.
    pub async fn run(&self, id: CampaignRunId) -> Result<Option<CampaignRun>, StoreError> {
        self.store.first(sql::RUN, [*id.as_uuid().as_bytes()], rows::run).await
    }

    /// The runs that go on by themselves, and those with an attempt that has no end.
    pub async fn runs_at_work(&self) -> Result<Vec<CampaignRunId>, StoreError> {
        self.store
            .all(sql::RUNS_AT_WORK, (), |row| rows::run_id(&Columns::new(row, "campaign_runs"), 0))
            .await
    }

    /// How many attempts of a run came to what.
    pub async fn attempts_counted(&self, id: CampaignRunId) -> Result<Vec<AttemptCount>, StoreError> {
        let read = |row: &Row<'_>| {
            let columns = Columns::new(row, "campaign_attempts");
            let code: String = columns.get(1)?;
            Ok(AttemptCount {
                state: columns.coded(0, "state of an attempt", codes::attempt)?,
                code: Some(code).filter(|code| !code.is_empty()),
                count: columns.count(2)?,
            })
        };
        self.store.all(sql::COUNT_ATTEMPTS, [*id.as_uuid().as_bytes()], read).await
    }

    /// How many attempts of a run came to what in each cycle, the first cycle first. Attempts that are removed are left out.
    pub async fn cycles_counted(&self, id: CampaignRunId) -> Result<Vec<CycleCount>, StoreError> {
        let read = |row: &Row<'_>| {
            let columns = Columns::new(row, "campaign_attempts");
            Ok(CycleCount {
                cycle: columns.get(0)?,
                began_at: columns.time(1)?,
                state: columns.coded(2, "state of an attempt", codes::attempt)?,
                count: columns.count(3)?,
            })
        };
        self.store.all(sql::COUNT_CYCLES, [*id.as_uuid().as_bytes()], read).await
    }

    /// How many recipients a campaign has, and how many of them wait in this run; in the next one where there is none.
    pub async fn tasks_counted(
        &self,
        name: &str,
        run: Option<&CampaignRun>,
    ) -> Result<TasksCounted, StoreError> {
        let run =
            run.filter(|run| run.next_cycle_at.is_none()).map(|run| (*run.id.as_uuid().as_bytes(), run.turn));
        let name = name.to_owned();
        self.store
            .read(move |connection| {
                let counted = connection.first(sql::COUNT_TASKS, params![name], counts)?.unwrap_or_default();
                let Some((key, turn)) = run else { return Ok(counted) };
                let known = |row: &Row<'_>| Columns::new(row, "campaign_runs").get::<Option<i64>>(0);
                let known = connection.first(sql::STORED_PENDING, params![key], known)?.flatten();
                if let Some(pending) = known.and_then(|pending| u64::try_from(pending).ok()) {
                    return Ok(TasksCounted { pending, ..counted });
                }
                let pending = |row: &Row<'_>| Columns::new(row, "campaign_tasks").count(0);
                let found = connection.first(sql::COUNT_PENDING, params![name, turn], pending)?;
                Ok(TasksCounted { pending: found.unwrap_or(0), ..counted })
            })
            .await
    }

    /// The attempts of a run that have no end, the oldest first.
    pub async fn open_attempts(&self, id: CampaignRunId) -> Result<Vec<StoredAttempt>, StoreError> {
        self.store.all(sql::OPEN_ATTEMPTS, [*id.as_uuid().as_bytes()], rows::attempt).await
    }

    /// The attempts of a run, the latest first, a page at a time.
    pub async fn attempts(
        &self,
        id: CampaignRunId,
        filter: AttemptFilter,
        page: &Page,
    ) -> Result<Paged<StoredAttempt>, StoreError> {
        let AttemptFilter { state, code, log } = filter;
        let before =
            page.after::<domain::CampaignAttemptId>()?.map_or([u8::MAX; 16], |id| *id.as_uuid().as_bytes());
        let log = match log {
            CampaignLog::Main => None,
            CampaignLog::Success => Some(1_i64),
            CampaignLog::FailedChats => Some(2),
            CampaignLog::FailedSend => Some(3),
        };
        let params = (*id.as_uuid().as_bytes(), before, state.map(codes::of_attempt), log, code, page.rows());
        let found = self.store.all(sql::ATTEMPTS, params, rows::attempt).await?;
        Ok(page.cut(found, |attempt| attempt.id.to_string()))
    }

    /// How many messages each sender of a campaign sent since, over all campaigns, or may have sent.
    pub async fn sent_since(
        &self,
        name: &str,
        since: Timestamp,
    ) -> Result<BTreeMap<CampaignSender, u64>, StoreError> {
        let read = |row: &Row<'_>| {
            let columns = Columns::new(row, "campaign_attempts");
            Ok((columns.parsed(0)?, columns.count(1)?))
        };
        let found = self.store.all(sql::SENT_SINCE, (name.to_owned(), since.as_micros()), read).await?;
        Ok(found.into_iter().collect())
    }

    /// How many messages each sender of a campaign sent in each of the last 24 hours, over all campaigns, or may have sent; the hour
    /// before `now` comes first.
    pub async fn sent_by_hours_ago(
        &self,
        name: &str,
        now: Timestamp,
    ) -> Result<BTreeMap<CampaignSender, [u64; 24]>, StoreError> {
        let read = |row: &Row<'_>| {
            let columns = Columns::new(row, "campaign_attempts");
            Ok((columns.parsed(0)?, columns.get::<i64>(1)?, columns.count(2)?))
        };
        let day_ago = now.minus(Duration::from_hours(24)).as_micros();
        let params = (now.as_micros(), name.to_owned(), day_ago);
        let mut sent = BTreeMap::new();
        for (sender, ago, count) in self.store.all(sql::SENT_BY_HOURS_AGO, params, read).await? {
            // Of a clock that was set back it is less than none.
            let ago = usize::try_from(ago).unwrap_or(0);
            if let Some(hour) = sent.entry(sender).or_insert([0; 24]).get_mut(ago) {
                *hour += count;
            }
        }
        Ok(sent)
    }

    /// How many messages of a campaign left since, or may have left, by the hour since 1970.
    pub async fn sent_by_hour(&self, name: &str, since: Timestamp) -> Result<BTreeMap<i64, u64>, StoreError> {
        let read = |row: &Row<'_>| {
            let columns = Columns::new(row, "campaign_attempts");
            Ok((columns.get::<i64>(0)?, columns.count(1)?))
        };
        let found = self.store.all(sql::SENT_BY_HOUR, (name.to_owned(), since.as_micros()), read).await?;
        Ok(found.into_iter().collect())
    }
}

fn begin(transaction: &Transaction<'_>, new: &NewRun) -> Result<CampaignRun, StoreError> {
    let NewRun { id, campaign, cycles, canary, now, starts_at } = new;
    if transaction.first(sql::OPEN_RUN, params![campaign], rows::run)?.is_some() {
        return Err(StoreError::conflict("campaign_runs", format!("a run of campaign {campaign} is open")));
    }
    let key = id.as_uuid().as_bytes();
    let turn = |row: &Row<'_>| Columns::new(row, "campaigns").get::<i64>(0);
    let turn = transaction.first(sql::TURN, params![campaign], turn)?.unwrap_or(0);
    let (now, starts_at) = (now.as_micros(), starts_at.as_micros());
    transaction.run(sql::ADD_RUN, params![key, campaign, cycles, turn, canary, starts_at, now])?;
    let run = get(transaction, *id)?;
    tell(transaction, &run, new.now);
    Ok(run)
}

fn set(
    transaction: &Transaction<'_>,
    id: CampaignRunId,
    wish: &RunChange,
) -> Result<Option<CampaignRun>, StoreError> {
    let RunChange { state, reason, canary, now } = wish;
    let ended_at = state.is_final().then_some(now.as_micros());
    let key = id.as_uuid().as_bytes();
    let params = params![codes::of_campaign_run(*state), reason, canary, ended_at, key];
    if transaction.execute(sql::SET_RUN, params)? == 0 {
        return Ok(None);
    }
    let run = get(transaction, id)?;
    tell(transaction, &run, *now);
    Ok(Some(run))
}

/// How many recipients a campaign has between two cycles.
pub(super) fn tasks_counted(transaction: &Transaction<'_>, name: &str) -> Result<TasksCounted, StoreError> {
    Ok(transaction.first(sql::COUNT_TASKS, params![name], counts)?.unwrap_or_default())
}

fn counts(row: &Row<'_>) -> Result<TasksCounted, StoreError> {
    let columns = Columns::new(row, "campaign_tasks");
    let (all, blocked) = (columns.count(0)?, columns.count(1)?);
    Ok(TasksCounted { all, blocked, pending: all.saturating_sub(blocked) })
}

pub(super) fn get(transaction: &Transaction<'_>, id: CampaignRunId) -> Result<CampaignRun, StoreError> {
    transaction.first(sql::RUN, params![id.as_uuid().as_bytes()], rows::run)?.ok_or_else(|| no_such_run(id))
}

pub(super) fn no_such_run(id: CampaignRunId) -> StoreError {
    StoreError::not_found("campaign_runs", format!("there is no run {id}"))
}

/// Other programs hear how a run is now.
pub(super) fn tell(transaction: &Transaction<'_>, run: &CampaignRun, at: Timestamp) {
    let data = CampaignEvent {
        run_id: run.id,
        campaign: run.campaign.clone(),
        state: run.state,
        reason: run.reason.clone(),
    };
    let event = match run.state {
        CampaignRunState::Running => Event::CampaignBegan(data),
        CampaignRunState::Paused => Event::CampaignPaused(data),
        CampaignRunState::Done | CampaignRunState::Stopped => Event::CampaignEnded(data),
    };
    transaction.tell(NewEvent { at, account: None, chat: None, event });
}

/// Of a restored store: runs are paused, and what was under way may have been sent.
pub(crate) struct HoldCampaigns {
    pub(crate) at: Timestamp,
}

impl Write for HoldCampaigns {
    type Answer = usize;

    fn apply(&self, transaction: &Transaction<'_>) -> Result<usize, StoreError> {
        transaction.run(sql::COUNT_HELD, ())?;
        transaction.run(sql::COUNT_HELD_SENT, params![hour_of(self.at)])?;
        transaction.run(sql::HOLD_ATTEMPTS, params![self.at.as_micros()])?;
        transaction.execute(sql::HOLD_RUNS, ())
    }
}
