//! An attempt: made ready with what it says and to whom, and its end with what follows from it.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::event::CampaignAttemptEvent;
use domain::text::ParseMode;
use domain::{
    AttemptState, CampaignAttemptId, CampaignRunId, CampaignSender, ChatId, ChatRef, Event, MessageId,
    SenderState, Timestamp,
};

use super::statements as sql;
use super::{Campaigns, StoredAttempt, hour_of, profiles, rows};
use crate::column::Columns;
use crate::database::{Row, params};
use crate::events::NewEvent;
use crate::write::Transaction;
use crate::{StoreError, codes, do_not_contact, point};

/// Attempts that were claimed before this ended more than a day ago.
const LOOKED_BACK: Duration = Duration::from_hours(48);

/// What became of an attempt that was to be made ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readied {
    /// It may leave, and says this: the number of its message and the text.
    Ready(u32, String, ParseMode),
    /// The same chat has its turn in this cycle by this name.
    Duplicate(ChatRef),
    /// The person has had as much advertising as there may be, over all campaigns, until then.
    TooOften(Timestamp),
}

/// When a recipient has its next turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextTurn {
    /// In the next cycle.
    NextCycle,
    /// In this cycle, not before; it failed once more.
    Again(Timestamp),
    /// In this cycle, by whichever sender; nothing was tried.
    Back,
    /// The same, not before.
    Later(Timestamp),
    /// Never, until a person unblocks it.
    Never(String),
}

/// Why senders send nothing more, in any campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderStop {
    pub state: SenderState,
    pub why: String,
    /// The other senders of the same person, which stop in the same write.
    pub others: Vec<CampaignSender>,
}

/// How an attempt ends, and what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptEnd {
    /// As it was claimed; what it was made ready with since may be missing.
    pub attempt: StoredAttempt,
    pub state: AttemptState,
    pub code: Option<String>,
    pub detail: Option<String>,
    pub outbox_id: Option<MessageId>,
    pub next: NextTurn,
    /// The sender stops.
    pub sender: Option<SenderStop>,
    pub now: Timestamp,
}

impl Campaigns<'_> {
    /// Keeps what an attempt says and whose chat it is for, before it leaves. What leaves through a browser passes no outbox: the
    /// do-not-contact list is read in this write.
    ///
    /// # Errors
    /// [`StoreError::DoNotContact`] of an attempt of a browser profile.
    pub async fn ready(
        &self,
        id: CampaignAttemptId,
        peer: String,
        message: u32,
        text: String,
        parse_mode: ParseMode,
    ) -> Result<Readied, StoreError> {
        let (now, limits) = (self.store.now(), self.store.contact_limits());
        let change = move |transaction: &Transaction<'_>| {
            let key = id.as_uuid().as_bytes();
            let Some(attempt) = transaction.first(sql::ATTEMPT, params![key], rows::attempt)? else {
                return Err(no_such_attempt(id));
            };
            if attempt.sender.profile().is_some() {
                do_not_contact::refuse_all(transaction, &attempt.chat, peer.parse().ok())?;
            }
            let chat = |row: &Row<'_>| Columns::new(row, "campaign_attempts").parsed(0);
            let run = attempt.run_id.as_uuid().as_bytes();
            let names = names_of(transaction, &peer)?;
            for name in &names {
                let same = params![run, attempt.cycle, name, key];
                if let Some(other) = transaction.first(sql::SAME_PEER, same, chat)? {
                    return Ok(Readied::Duplicate(other));
                }
            }
            if let Some(((text, mode), number)) = attempt.text.zip(attempt.parse_mode).zip(attempt.message) {
                return Ok(Readied::Ready(number, text, mode));
            }
            // A group is a place where people read what they like; a person gets each message.
            let is_person = peer.parse::<ChatId>().is_ok_and(|chat| chat.user_id().is_some())
                || !matches!(peer.parse(), Ok(ChatRef::Id(_)));
            if is_person {
                let since = now.minus(LOOKED_BACK).as_micros();
                let time = |row: &Row<'_>| Columns::new(row, "campaign_attempts").time(0);
                let mut sent = Vec::new();
                for name in &names {
                    let lately = params![now.as_micros(), name, since, key];
                    sent.extend(transaction.all(sql::ADVERTISED, lately, time)?);
                }
                if let Some(until) = limits.advertising_at(sent, now) {
                    return Ok(Readied::TooOften(until));
                }
            }
            transaction.run(sql::READY, params![peer, message, text, parse_mode.as_str(), key])?;
            Ok(Readied::Ready(message, text.clone(), parse_mode))
        };
        self.store.change(point::READY_CAMPAIGN_ATTEMPT, change).await
    }

    /// Ends an attempt, with what follows for its recipient and its sender. Nothing changes when it has an end.
    pub async fn end(&self, end: AttemptEnd) -> Result<(), StoreError> {
        let change = move |transaction: &Transaction<'_>| finish(transaction, &end);
        self.store.change(point::END_CAMPAIGN_ATTEMPT, change).await
    }

    /// Whether a sender wrote to a chat, or may have.
    pub async fn has_written_to(&self, sender: &CampaignSender, chat: ChatId) -> Result<bool, StoreError> {
        let count = |row: &Row<'_>| Columns::new(row, "campaign_attempts").count(0);
        let found = self.store.first(sql::WROTE_TO, [sender.to_string(), chat.to_string()], count).await?;
        Ok(found.unwrap_or_default() > 0)
    }

    /// When the last message of a sender in a run left since, or may have left.
    pub async fn last_sent(
        &self,
        run: CampaignRunId,
        sender: &CampaignSender,
        since: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let time = |row: &Row<'_>| Columns::new(row, "campaign_attempts").time(0);
        let params = (sender.to_string(), since.as_micros(), *run.as_uuid().as_bytes());
        self.store.first(sql::LAST_SENT, params, time).await
    }

    /// An attempt.
    pub async fn attempt(&self, id: CampaignAttemptId) -> Result<Option<StoredAttempt>, StoreError> {
        self.store.first(sql::ATTEMPT, [*id.as_uuid().as_bytes()], rows::attempt).await
    }
}

/// The peers under which attempts have this chat: one that was made ready before the id was known has the username.
fn names_of(transaction: &Transaction<'_>, peer: &str) -> Result<BTreeSet<String>, StoreError> {
    let mut names = BTreeSet::from([peer.to_owned()]);
    if let Ok(id) = peer.parse::<ChatId>() {
        let known = do_not_contact::names_of(transaction, id)?.into_iter();
        names.extend(known.filter_map(|(username, _)| Some(ChatRef::Username(username?).to_string())));
    } else {
        let peers = transaction.all(sql::PEERS_OF_CHAT, [peer], |row| row.get::<Option<String>>(0))?;
        names.extend(peers.into_iter().flatten());
    }
    Ok(names)
}

fn finish(transaction: &Transaction<'_>, end: &AttemptEnd) -> Result<(), StoreError> {
    let AttemptEnd { attempt, state, code, detail, outbox_id, next, sender, now } = end;
    let (key, run_key) = (attempt.id.as_uuid().as_bytes(), attempt.run_id.as_uuid().as_bytes());
    // Of a clock that was set back meanwhile the hour of its claim would have room for one too many.
    let now = (*now).max(attempt.claimed_at);
    let outbox = outbox_id.map(|id| *id.as_uuid().as_bytes());
    let ended = params![codes::of_attempt(*state), code, detail, outbox, now.as_micros(), key];
    if !transaction.change_row(sql::END_ATTEMPT, ended)? {
        return Ok(());
    }
    // What reads these counts in the same group is sent behind them.
    let reason = code.as_deref().unwrap_or_default();
    transaction.run_beside(sql::COUNT_ENDS, params![run_key, codes::of_attempt(*state), reason, 1_i64])?;
    let may_be_sent = state.may_be_sent();
    if may_be_sent {
        transaction.run_beside(sql::COUNT_SENT, params![attempt.sender.to_string(), hour_of(now)])?;
    }
    let chat = attempt.chat.to_string();
    let sent = u32::from(*state == AttemptState::Sent);
    let written_to = may_be_sent.then_some(key);
    let in_cycle = params![sent, run_key, written_to, attempt.campaign, chat];
    // Nearly all end like this, and nothing is read.
    if *next != NextTurn::NextCycle || !transaction.change_row(sql::END_TURN, in_cycle)? {
        let read = |row: &Row<'_>| {
            let columns = Columns::new(row, "campaign_tasks");
            Ok((columns.get::<u32>(0)?, columns.get::<i64>(1)?))
        };
        // A recipient may have been removed meanwhile.
        if let Some((tries, turn)) = transaction.first(sql::ENDING, params![run_key, chat], read)? {
            let (blocked, why, turn, tries, next_at) = match next {
                NextTurn::NextCycle => (0, None, turn, 0, 0),
                NextTurn::Again(at) => (0, None, turn - 1, tries + 1, at.as_micros()),
                NextTurn::Back => (0, None, turn - 1, tries, 0),
                NextTurn::Later(at) => (0, None, turn - 1, tries, at.as_micros()),
                // Once it is unblocked it has its turn again: nothing was sent.
                NextTurn::Never(why) => (1, Some(why), turn - 1, tries + 1, 0),
            };
            transaction.run(sql::CHANGE_PENDING, params![blocked, turn, chat, attempt.campaign])?;
            let params =
                params![blocked, why, turn, tries, sent, next_at, written_to, attempt.campaign, chat];
            transaction.run(sql::END_TASK, params)?;
        }
    }
    if sent == 1 {
        transaction.run_beside(sql::COUNT_USE, params![attempt.campaign, key])?;
    }
    if let Some(stop) = sender {
        profiles::stop_all(transaction, &attempt.sender, stop, now)?;
    }
    let data = CampaignAttemptEvent {
        run_id: attempt.run_id,
        campaign: attempt.campaign.clone(),
        to: chat.clone(),
        state: *state,
        code: code.clone(),
    };
    let account = attempt.sender.account().cloned();
    transaction.tell(NewEvent { at: now, account, chat: Some(chat), event: Event::CampaignAttempted(data) });
    Ok(())
}

fn no_such_attempt(id: CampaignAttemptId) -> StoreError {
    StoreError::not_found("campaign_attempts", format!("there is no attempt {id}"))
}
