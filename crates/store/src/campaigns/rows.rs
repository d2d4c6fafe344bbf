//! The rows of the campaigns, as they are read.

use std::collections::BTreeMap;

use domain::media::Media;
use domain::text::ParseMode;
use domain::{
    AttemptState, CampaignAttemptId, CampaignRunId, CampaignRunState, CampaignSender, ChatRef, MessageId,
    SenderState, Timestamp,
};
use uuid::Uuid;

use crate::column::Columns;
use crate::database::Row;
use crate::{StoreError, codes};

/// A campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CampaignRow {
    /// The slug by which it is addressed.
    pub name: String,
    /// The name as people gave it, in any script.
    pub title: String,
    /// Its settings, JSON.
    pub settings: String,
    pub created_at: Timestamp,
}

/// A sender of a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CampaignSenderRow {
    pub sender: CampaignSender,
    pub state: SenderState,
    /// Why it sends nothing.
    pub why: Option<String>,
    pub changed_at: Timestamp,
}

/// A recipient of a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CampaignTask {
    pub chat: ChatRef,
    /// Its place in the order of the import.
    pub place: i64,
    /// What templates say of it.
    pub variables: BTreeMap<String, String>,
    pub is_blocked: bool,
    /// Why it is blocked.
    pub why: Option<String>,
    /// How often in a row it failed.
    pub tries: u32,
    /// In how many cycles it was sent to.
    pub cycles: u32,
    /// Not tried before.
    pub next_at: Timestamp,
    /// Whose chat it was that was written to last; nothing once a person unblocked it.
    pub peer: Option<String>,
    /// The cycle in which it had its turn last, counted over all runs.
    pub(crate) turn: i64,
}

/// A message of a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CampaignMessage {
    pub number: u32,
    /// A template.
    pub text: String,
    pub parse_mode: ParseMode,
    /// How often it is drawn, against the others.
    pub weight: u32,
    pub is_active: bool,
    /// How often it was sent.
    pub uses: u64,
    /// What it carries beside its text.
    pub media: Vec<Media>,
}

/// A run of a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CampaignRun {
    pub id: CampaignRunId,
    pub campaign: String,
    pub state: CampaignRunState,
    /// Why it is paused.
    pub reason: Option<String>,
    /// The cycle it is in, from 1; 0 before the first.
    pub cycle: u32,
    /// How many there are to be.
    pub cycles: u32,
    /// The number of that cycle over all runs of the campaign.
    pub(crate) turn: i64,
    /// How many recipients it takes before it pauses.
    pub canary: Option<u32>,
    /// When the next cycle begins, between two.
    pub next_cycle_at: Option<Timestamp>,
    pub began_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

impl CampaignRun {
    /// Whether a recipient had its turn in the cycle that goes on.
    pub fn has_had(&self, task: &CampaignTask) -> bool {
        self.next_cycle_at.is_none() && task.turn >= self.turn
    }
}

/// An attempt to write to one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAttempt {
    pub id: CampaignAttemptId,
    pub run_id: CampaignRunId,
    pub campaign: String,
    pub cycle: u32,
    pub chat: ChatRef,
    pub sender: CampaignSender,
    pub state: AttemptState,
    /// Why it was not sent.
    pub code: Option<String>,
    pub detail: Option<String>,
    /// Whose chat it is, once that is known.
    pub peer: Option<String>,
    /// The number of its message.
    pub message: Option<u32>,
    /// What that says to this recipient.
    pub text: Option<String>,
    pub parse_mode: Option<ParseMode>,
    /// The message of the outbox.
    pub outbox_id: Option<MessageId>,
    pub claimed_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

pub(super) fn campaign(row: &Row<'_>) -> Result<CampaignRow, StoreError> {
    let columns = Columns::new(row, "campaigns");
    Ok(CampaignRow {
        name: columns.get(0)?,
        settings: columns.get(1)?,
        created_at: columns.time(2)?,
        title: columns.get(3)?,
    })
}

pub(super) fn sender(row: &Row<'_>) -> Result<CampaignSenderRow, StoreError> {
    let columns = Columns::new(row, "campaign_senders");
    Ok(CampaignSenderRow {
        sender: columns.parsed(0)?,
        state: columns.coded(1, "state of a sender", codes::campaign_sender)?,
        why: columns.get(2)?,
        changed_at: columns.time(3)?,
    })
}

pub(super) fn task(row: &Row<'_>) -> Result<CampaignTask, StoreError> {
    let columns = Columns::new(row, "campaign_tasks");
    Ok(CampaignTask {
        chat: columns.parsed(0)?,
        place: columns.get(1)?,
        variables: columns.json(2)?,
        is_blocked: columns.get::<i64>(3)? != 0,
        why: columns.get(4)?,
        tries: columns.get(5)?,
        cycles: columns.get(6)?,
        next_at: columns.time(7)?,
        peer: columns.get(8)?,
        turn: columns.get(9)?,
    })
}

pub(super) fn message(row: &Row<'_>) -> Result<CampaignMessage, StoreError> {
    let columns = Columns::new(row, "campaign_messages");
    Ok(CampaignMessage {
        number: columns.get(0)?,
        text: columns.get(1)?,
        parse_mode: columns.parsed(2)?,
        weight: columns.get(3)?,
        is_active: columns.get(4)?,
        uses: columns.count(5)?,
        media: columns.maybe_json(6)?.unwrap_or_default(),
    })
}

pub(super) fn run(row: &Row<'_>) -> Result<CampaignRun, StoreError> {
    let columns = Columns::new(row, "campaign_runs");
    Ok(CampaignRun {
        id: run_id(&columns, 0)?,
        campaign: columns.get(1)?,
        state: columns.coded(2, "state of a run", codes::campaign_run)?,
        reason: columns.get(3)?,
        cycle: columns.get(4)?,
        cycles: columns.get(5)?,
        turn: columns.get(6)?,
        canary: columns.get(7)?,
        next_cycle_at: columns.maybe_time(8)?,
        began_at: columns.time(9)?,
        ended_at: columns.maybe_time(10)?,
    })
}

pub(super) fn run_id(columns: &Columns<'_>, index: usize) -> Result<CampaignRunId, StoreError> {
    columns.get(index).map(|bytes| CampaignRunId::from_uuid(Uuid::from_bytes(bytes)))
}

pub(super) fn attempt(row: &Row<'_>) -> Result<StoredAttempt, StoreError> {
    let columns = Columns::new(row, "campaign_attempts");
    let outbox_id = columns.get::<Option<[u8; 16]>>(13)?;
    Ok(StoredAttempt {
        id: CampaignAttemptId::from_uuid(Uuid::from_bytes(columns.get(0)?)),
        run_id: run_id(&columns, 1)?,
        campaign: columns.get(2)?,
        cycle: columns.get(3)?,
        chat: columns.parsed(4)?,
        sender: columns.parsed(5)?,
        state: columns.coded(6, "state of an attempt", codes::attempt)?,
        code: columns.get(7)?,
        detail: columns.get(8)?,
        peer: columns.get(9)?,
        message: columns.get(10)?,
        text: columns.get(11)?,
        parse_mode: columns.maybe_parsed(12)?,
        outbox_id: outbox_id.map(|bytes| MessageId::from_uuid(Uuid::from_bytes(bytes))),
        claimed_at: columns.time(14)?,
        ended_at: columns.maybe_time(15)?,
    })
}
