//! What another program did for a campaign, taken over: who was written to, by whom, who is blocked, how often a message was used.
//!
//! It goes into a run of its own, which is paused in the cycle that the other program was in. Taking the same over again changes nothing.

use domain::{
    AttemptState, CampaignRunId, CampaignRunState, CampaignSender, ChatRef, SenderState, Timestamp,
};
use sha2::{Digest, Sha256};

use super::statements as sql;
use super::{CampaignRun, Campaigns, hour_of, profiles, rows, runs};
use crate::column::Columns;
use crate::database::{Row, params};
use crate::write::Transaction;
use crate::{StoreError, codes, point};

/// Rows that are written at once, so that a long history does not hold other writes up.
const CHUNK: usize = 500;

/// A recipient, as the other program has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastTask {
    pub chat: ChatRef,
    /// In how many cycles it was sent to.
    pub cycles: u32,
    /// Why it is blocked there.
    pub blocked: Option<String>,
    /// Not tried before.
    pub next_at: Option<Timestamp>,
    /// It was written to in the cycle that the other program is in, or may have been.
    pub is_written: bool,
}

/// An attempt of the other program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastAttempt {
    /// What distinguishes it from the others of the campaign: the same whenever it is taken over.
    pub key: String,
    pub chat: ChatRef,
    pub sender: CampaignSender,
    pub state: AttemptState,
    pub code: Option<String>,
    pub at: Timestamp,
    pub cycle: u32,
}

/// What another program did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PastCampaign {
    /// The cycle it is in, from 1.
    pub cycle: u32,
    pub tasks: Vec<PastTask>,
    pub attempts: Vec<PastAttempt>,
    /// Texts of messages and how often they were sent.
    pub uses: Vec<(String, u64)>,
    /// Senders that must not send, and why.
    pub stopped: Vec<(CampaignSender, SenderState, String)>,
}

/// What of it is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PastTaken {
    pub tasks: usize,
    pub attempts: usize,
}

impl Campaigns<'_> {
    /// Takes over what another program did. `id` is that of the run, where none is open.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] while a run is at work, or after one is over: what this program sent since is not to be repeated.
    pub async fn take_over(
        &self,
        name: &str,
        past: PastCampaign,
        id: CampaignRunId,
        now: Timestamp,
    ) -> Result<PastTaken, StoreError> {
        let PastCampaign { cycle, tasks, attempts, uses, stopped } = past;
        let campaign = name.to_owned();
        let begin = move |transaction: &Transaction<'_>| {
            let run = run_of_past(transaction, &campaign, id, cycle, now)?;
            for (text, count) in &uses {
                let count = i64::try_from(*count).unwrap_or(i64::MAX);
                transaction.run(sql::TAKE_USES, params![count, campaign, text])?;
            }
            for (sender, state, why) in &stopped {
                profiles::take_stop(transaction, sender, *state, why, now)?;
            }
            Ok(run)
        };
        let run = self.store.change(point::CHANGE_CAMPAIGN_RUN, begin).await?;
        let mut taken = PastTaken::default();
        for chunk in tasks.chunks(CHUNK) {
            let (run, chunk) = (run.clone(), chunk.to_vec());
            let change = move |transaction: &Transaction<'_>| take_tasks(transaction, &run, &chunk);
            taken.tasks += self.store.change(point::ADD_CAMPAIGN_TASKS, change).await?;
        }
        for chunk in attempts.chunks(CHUNK) {
            let (run, chunk) = (run.clone(), chunk.to_vec());
            let change = move |transaction: &Transaction<'_>| take_attempts(transaction, &run, &chunk);
            taken.attempts += self.store.change(point::ADD_CAMPAIGN_TASKS, change).await?;
        }
        Ok(taken)
    }
}

/// The open run of a campaign, or one that is paused in the cycle of the other program.
fn run_of_past(
    transaction: &Transaction<'_>,
    campaign: &str,
    id: CampaignRunId,
    cycle: u32,
    now: Timestamp,
) -> Result<CampaignRun, StoreError> {
    let refused = |why: &str| Err(StoreError::conflict("campaign_runs", format!("{campaign}: {why}")));
    if let Some(open) = transaction.first(sql::OPEN_RUN, params![campaign], rows::run)? {
        return match open.state {
            CampaignRunState::Paused => {
                transaction.run(sql::FORGET_PENDING, params![campaign])?;
                Ok(open)
            }
            _ => refused("a run of it is at work; pause it first"),
        };
    }
    if transaction.first(sql::LAST_RUN, params![campaign], rows::run)?.is_some() {
        return refused("a run of it is over; what it sent is not to be sent again");
    }
    transaction.run(sql::NEXT_TURN, params![campaign])?;
    let turn = |row: &Row<'_>| Columns::new(row, "campaigns").get::<i64>(0);
    let turn = transaction.first(sql::TURN, params![campaign], turn)?.unwrap_or(1);
    let key = id.as_uuid().as_bytes();
    transaction.run(sql::ADD_PAST_RUN, params![key, campaign, cycle.max(1), turn, now.as_micros()])?;
    runs::get(transaction, id)
}

fn take_tasks(
    transaction: &Transaction<'_>,
    run: &CampaignRun,
    tasks: &[PastTask],
) -> Result<usize, StoreError> {
    let read = |row: &Row<'_>| Columns::new(row, "campaign_tasks").get::<i64>(0);
    let mut place = transaction.first(sql::LAST_PLACE, params![run.campaign], read)?.unwrap_or(0);
    let mut added = 0;
    for PastTask { chat, cycles, blocked, next_at, is_written } in tasks {
        let chat = chat.to_string();
        if transaction.execute(sql::ADD_TASK, params![run.campaign, chat, place + 1, "{}"])? > 0 {
            place += 1;
            added += 1;
        }
        let turn = if *is_written { run.turn } else { 0 };
        let next_at = next_at.map_or(0, Timestamp::as_micros);
        let state = i64::from(blocked.is_some());
        let params = params![turn, cycles, state, blocked, next_at, run.campaign, chat];
        transaction.run(sql::TAKE_PAST_TASK, params)?;
    }
    Ok(added)
}

fn take_attempts(
    transaction: &Transaction<'_>,
    run: &CampaignRun,
    attempts: &[PastAttempt],
) -> Result<usize, StoreError> {
    let mut added = 0;
    for PastAttempt { key, chat, sender, state, code, at, cycle } in attempts {
        let (id, run_key) = (id_of(&run.campaign, key, *at), run.id.as_uuid().as_bytes());
        let (may_be_sent, hour) = (state.may_be_sent(), hour_of(*at));
        let (chat, sender, state) = (chat.to_string(), sender.to_string(), codes::of_attempt(*state));
        let at = at.as_micros();
        let params = params![id, run_key, run.campaign, cycle, chat, sender, state, code, at];
        if transaction.execute(sql::ADD_PAST_ATTEMPT, params)? > 0 {
            let code = code.as_deref().unwrap_or_default();
            transaction.run(sql::COUNT_ENDS, params![run_key, state, code, 1_i64])?;
            if may_be_sent {
                transaction.run(sql::COUNT_SENT, params![sender, hour])?;
            }
            added += 1;
        }
    }
    Ok(added)
}

/// The id of an attempt: the same for the same key, in the order of their times as those that are made here.
fn id_of(campaign: &str, key: &str, at: Timestamp) -> [u8; 16] {
    let digest = Sha256::digest(format!("{campaign}\0{key}"));
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    let millis = u64::try_from(at.as_micros() / 1000).unwrap_or(0);
    id[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    id
}
