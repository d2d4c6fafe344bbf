//! Runs of flows, and which flows are stopped.

use std::time::Duration;

use domain::event::{FlowEvent, FlowRunEvent};
use domain::{
    AccountName, ChatId, Event, FlowMoment, FlowRunId, FlowRunState, FlowStage, TelegramMessageId, Timestamp,
};
use uuid::Uuid;

use crate::codes;
use crate::column::{Columns, to_json};
use crate::database::{Row, params};
use crate::events::NewEvent;
use crate::paging::{Page, Paged};
use crate::statement::statements;
use crate::write::Transaction;
use crate::{Store, StoreError, point};

const TABLE: &str = "flow_runs";

/// Runs of the last hour that are read at a start.
const MOST_BEGUN: u32 = 10_000;

statements! {
    SAVE = "
        INSERT INTO flow_runs (
            id, flow, account, chat_id, message_id, began_at, ended_at, state, code, step, moments
        ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (id) DO UPDATE SET
            ended_at = excluded.ended_at, state = excluded.state, code = excluded.code, step = excluded.step,
            moments = excluded.moments";
    /// State 0 is running, 13 cut.
    CUT = "UPDATE flow_runs SET state = 13, ended_at = $1, code = 'program_ended' WHERE state = 0";
    GET = "
        SELECT id, flow, account, chat_id, message_id, began_at, ended_at, state, code, step, moments
        FROM flow_runs WHERE id = $1";
    LIST = "
        SELECT id, flow, account, chat_id, message_id, began_at, ended_at, state, code, step, moments
        FROM flow_runs
        WHERE id < $1 AND (CAST($2 AS TEXT) IS NULL OR flow = $2) AND (CAST($3 AS TEXT) IS NULL OR account = $3)
          AND (CAST($4 AS BIGINT) IS NULL OR state = $4)
        ORDER BY id DESC LIMIT $5";
    /// State 14 is skipped. A message that waited for a run has a row and no moment of a match. A quote in a note has a backslash
    /// before it, so no note has these words.
    BEGUN_SINCE = "
        SELECT began_at, chat_id, message_id,
               CAST(CASE WHEN moments LIKE '%\"stage\":\"pressed\"%' OR moments LIKE '%\"stage\":\"sent\"%'
                    THEN 1 ELSE 0 END AS BIGINT)
        FROM flow_runs
        WHERE flow = $1 AND account = $2 AND began_at > $3 AND state <> 14
          AND moments LIKE '%\"stage\":\"matched\"%'
        ORDER BY began_at DESC LIMIT $4";
    LAST_ENDED = "
        SELECT max(ended_at) FROM flow_runs
        WHERE flow = $1 AND account = $2 AND state <> 14
          AND (moments LIKE '%\"stage\":\"pressed\"%' OR moments LIKE '%\"stage\":\"sent\"%')";
    LATEST = "
        SELECT id, flow, account, chat_id, message_id, began_at, ended_at, state, code, step, moments
        FROM flow_runs WHERE flow = $1 AND account = $2 AND state <> 14 ORDER BY id DESC LIMIT 1";
    /// Those that failed, were cut or are skipped.
    MISSED = "
        SELECT state, code, count(*) FROM flow_runs
        WHERE flow = $1 AND account = $2 AND state IN (11, 13, 14) GROUP BY state, code";
    /// State 10 is done.
    DONE_SINCE = "
        SELECT count(*) FROM flow_runs WHERE flow = $1 AND account = $2 AND began_at >= $3 AND state = 10";
    DROP_OLD = "
        DELETE FROM flow_runs WHERE id IN (
            SELECT id FROM flow_runs WHERE state <> 0 AND ended_at <= $1 ORDER BY ended_at LIMIT $2)";
    SWITCH = "
        INSERT INTO flow_switches (flow, account, stopped, changed_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (flow, account) DO UPDATE SET stopped = excluded.stopped, changed_at = excluded.changed_at";
    SWITCHES = "SELECT flow, account, stopped, changed_at FROM flow_switches ORDER BY flow, account";
}

/// A run of a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFlowRun {
    pub id: FlowRunId,
    /// The name of the flow.
    pub flow: String,
    /// The account that watches and presses.
    pub account: AccountName,
    /// The chat with the message that began it.
    pub chat_id: ChatId,
    /// That message.
    pub message_id: TelegramMessageId,
    pub began_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub state: FlowRunState,
    /// Why it ended before its last step.
    pub code: Option<String>,
    /// The step that it is at, from 1.
    pub step: u16,
    /// What happened, in order.
    pub moments: Vec<FlowMoment>,
}

/// Whether a flow is stopped on an account, and since when it is so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowSwitch {
    pub flow: String,
    pub account: AccountName,
    /// Why it is stopped; nothing where it was started.
    pub stopped: Option<String>,
    pub changed_at: Timestamp,
}

/// What the limits of a flow on one account count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowRunsCounted {
    /// The runs that began within the last hour.
    pub begun: Vec<FlowRunBegun>,
    /// When the last run ended that pressed or sent something.
    pub last_ended: Option<Timestamp>,
    /// How many were done since the flow was started.
    pub done: u32,
    /// The latest run.
    pub latest: Option<StoredFlowRun>,
    /// How many runs failed or were cut, and how many messages began none, by why, as far back as rows are kept.
    pub missed: Vec<(FlowRunState, String, u64)>,
}

/// A run that began within the last hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowRunBegun {
    pub at: Timestamp,
    pub chat_id: ChatId,
    pub message_id: TelegramMessageId,
    /// Whether it pressed or sent something.
    pub has_acted: bool,
}

/// Which runs to list; all of them without any condition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlowRunFilter {
    pub flow: Option<String>,
    pub account: Option<AccountName>,
    pub state: Option<FlowRunState>,
}

/// The flows' part of a store.
#[derive(Clone, Copy)]
pub struct FlowRuns<'a> {
    pub(crate) store: &'a Store,
}

impl FlowRuns<'_> {
    /// Keeps how a run is. Other programs hear of its moments from this one on, counted from 0.
    pub async fn save(&self, run: StoredFlowRun, reported: usize) -> Result<(), StoreError> {
        let change = move |transaction: &Transaction<'_>| save(transaction, &run, reported);
        self.store.change(point::SAVE_FLOW_RUN, change).await
    }

    /// Marks the runs that the end of the program cut; how many there are.
    pub async fn cut(&self, now: Timestamp) -> Result<usize, StoreError> {
        self.store
            .write(move |transaction: &Transaction<'_>| transaction.execute(CUT, [now.as_micros()]))
            .await
    }

    /// One run.
    pub async fn get(&self, id: FlowRunId) -> Result<Option<StoredFlowRun>, StoreError> {
        self.store.first(GET, [*id.as_uuid().as_bytes()], read).await
    }

    /// Runs, the latest first, a page at a time.
    pub async fn list(&self, filter: FlowRunFilter, page: &Page) -> Result<Paged<StoredFlowRun>, StoreError> {
        let before = page.after::<FlowRunId>()?.map_or([0xff; 16], |id| *id.as_uuid().as_bytes());
        let account = filter.account.map(|account| account.as_str().to_owned());
        let state = filter.state.map(codes::of_flow_run);
        let rows = self.store.all(LIST, (before, filter.flow, account, state, page.rows()), read).await?;
        Ok(page.cut(rows, |run| run.id.to_string()))
    }

    /// What the limits of a flow count on an account that was last started at `since`.
    pub async fn counted(
        &self,
        flow: &str,
        account: &AccountName,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<FlowRunsCounted, StoreError> {
        let (flow, account) = (flow.to_owned(), account.as_str().to_owned());
        let hour_ago = now.minus(Duration::from_hours(1)).as_micros();
        self.store
            .read(move |connection| {
                let begun = params![flow, account, hour_ago, MOST_BEGUN];
                let begun = connection.all(BEGUN_SINCE, begun, |row| {
                    let columns = Columns::new(row, TABLE);
                    let message_id = columns.coded(2, "message id", TelegramMessageId::new)?;
                    let has_acted = columns.count(3)? > 0;
                    Ok(FlowRunBegun {
                        at: columns.time(0)?,
                        chat_id: columns.chat_id(1)?,
                        message_id,
                        has_acted,
                    })
                })?;
                let ended = params![flow, account];
                let ended =
                    connection.first(LAST_ENDED, ended, |row| Columns::new(row, TABLE).maybe_time(0))?;
                let done = params![flow, account, since.as_micros()];
                let done = connection.first(DONE_SINCE, done, |row| Columns::new(row, TABLE).count(0))?;
                let done = u32::try_from(done.unwrap_or_default()).unwrap_or(u32::MAX);
                let latest = connection.first(LATEST, params![flow, account], read)?;
                let missed = connection.all(MISSED, params![flow, account], |row| {
                    let columns = Columns::new(row, TABLE);
                    let state = columns.coded(0, "state of a run", codes::flow_run)?;
                    Ok((state, columns.get::<Option<String>>(1)?.unwrap_or_default(), columns.count(2)?))
                })?;
                Ok(FlowRunsCounted { begun, last_ended: ended.flatten(), done, latest, missed })
            })
            .await
    }

    /// Keeps that a flow is stopped on an account, or was started there.
    pub async fn switch(&self, switch: FlowSwitch) -> Result<(), StoreError> {
        let change = move |transaction: &Transaction<'_>| {
            let FlowSwitch { flow, account, stopped, changed_at } = &switch;
            transaction.run(SWITCH, params![flow, account.as_str(), stopped, changed_at.as_micros()])?;
            if let Some(reason) = stopped {
                let data = FlowEvent { flow: flow.clone(), reason: reason.clone() };
                transaction.tell(NewEvent {
                    at: *changed_at,
                    account: Some(account.clone()),
                    chat: None,
                    event: Event::FlowStopped(data),
                });
            }
            Ok(())
        };
        self.store.change(point::SWITCH_FLOW, change).await
    }

    /// All flows that were ever stopped or started.
    pub async fn switches(&self) -> Result<Vec<FlowSwitch>, StoreError> {
        self.store
            .all(SWITCHES, (), |row| {
                let columns = Columns::new(row, "flow_switches");
                Ok(FlowSwitch {
                    flow: columns.get(0)?,
                    account: columns.account(1)?,
                    stopped: columns.get(2)?,
                    changed_at: columns.time(3)?,
                })
            })
            .await
    }
}

fn save(transaction: &Transaction<'_>, run: &StoredFlowRun, reported: usize) -> Result<(), StoreError> {
    transaction.run(
        SAVE,
        params![
            run.id.as_uuid().as_bytes(),
            run.flow,
            run.account.as_str(),
            run.chat_id.get(),
            run.message_id.get(),
            run.began_at.as_micros(),
            run.ended_at.map(Timestamp::as_micros),
            codes::of_flow_run(run.state),
            run.code,
            run.step,
            to_json(TABLE, &run.moments)?,
        ],
    )?;
    for moment in run.moments.iter().skip(reported) {
        let data = FlowRunEvent {
            run_id: run.id,
            flow: run.flow.clone(),
            step: moment.step,
            state: None,
            code: None,
        };
        let event = match moment.stage {
            FlowStage::Matched => Event::FlowBegan(data),
            FlowStage::Pressed => Event::FlowPressed(data),
            FlowStage::Ended => {
                Event::FlowEnded(FlowRunEvent { state: Some(run.state), code: run.code.clone(), ..data })
            }
            _ => continue,
        };
        transaction.tell(NewEvent {
            at: run.began_at.plus(Duration::from_micros(moment.at_us)),
            account: Some(run.account.clone()),
            chat: Some(run.chat_id.to_string()),
            event,
        });
    }
    Ok(())
}

fn read(row: &Row<'_>) -> Result<StoredFlowRun, StoreError> {
    let columns = Columns::new(row, TABLE);
    Ok(StoredFlowRun {
        id: FlowRunId::from_uuid(Uuid::from_bytes(columns.get(0)?)),
        flow: columns.get(1)?,
        account: columns.account(2)?,
        chat_id: columns.chat_id(3)?,
        message_id: columns.coded(4, "message id", TelegramMessageId::new)?,
        began_at: columns.time(5)?,
        ended_at: columns.maybe_time(6)?,
        state: columns.coded(7, "state of a run", codes::flow_run)?,
        code: columns.get(8)?,
        step: columns.get(9)?,
        moments: columns.json(10)?,
    })
}
