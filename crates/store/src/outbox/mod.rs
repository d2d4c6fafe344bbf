//! The outbox: every outbound message, its parts and its steps.

mod accept;
pub(crate) mod callers;
mod ending;
mod events;
mod held_back;
pub(crate) mod items;
mod reading;
mod receipt;
mod search;
mod sending;
pub(crate) mod statements;
mod timeline;
pub(crate) mod unfinished;

use std::time::Duration;

use domain::media::FileKey;
use domain::message::{OutboundMessage, Part};
use domain::outcome::{Failure, SentIds};
use domain::saga::Failover;
use domain::timeline::Entry;
use domain::{
    AccountName, Address, ChannelName, ChatId, MessageId, ProviderId, Reactions, TelegramMessageId, Timestamp,
};

pub(crate) use accept::KEY_LIFE;
pub use accept::{Accept, Accepted, Idempotency, Join, Origin, SameBy};
pub(crate) use ending::AnsweredWrite;
pub(crate) use held_back::HoldMessages;
pub(crate) use reading::{COUNTED_AT_ONCE, LONGEST_BATCH, logged, message as read_message, with_parts};
pub use reading::{EndedInMinute, Filter, Listed, StoredLane};
pub(crate) use receipt::read_up_to;
pub use receipt::{Receipt, ReceiptState};
pub use unfinished::{Caller, LaneKey, NextScheduled, Queue, QuotaScope, Waiting, WaitingAt};

use crate::accounts::Hold;
use crate::column::Columns;
use crate::database::Row;
use crate::deferred::{Deferred, Settle};
use crate::paging::Page;
use crate::unreadable::Unfinished;
use crate::write::Transaction;
use crate::{Store, StoreError, point};

pub(crate) const TABLE: &str = "outbox";
pub(crate) const PARTS: &str = "outbox_parts";

/// For how long the files of a message that ended unsent are kept: it may be sent after all.
const UNSENT_RETENTION: Duration = Duration::from_hours(7 * 24);

/// A part is about to be given to an account.
#[derive(Debug, Clone)]
pub struct Begin {
    /// The message.
    pub id: MessageId,
    /// The account that will send it.
    pub account: AccountName,
    /// The chat that was found.
    pub address: Address,
    /// Which part.
    pub part: u16,
    /// Replaces all parts, when it takes an account to know them. Parts that were begun or sent must be in it as
    /// they are. A plan with the `random_id`s of the parts there are is that plan again and changes nothing.
    pub plan: Option<Vec<Part>>,
    /// It goes to another account than the one that was its first choice.
    pub failover: Option<Failover>,
    /// Who was passed over for this account and why, in words, for the timeline.
    pub passed_over: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// What a sent part means for the account that a chat goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// Nothing.
    Unchanged,
    /// It is this one, unless there is one already.
    IfUnbound,
    /// It is this one from now on.
    Replaced,
}

/// The provider has a part.
#[derive(Debug, Clone)]
pub struct PartSent {
    /// The message.
    pub id: MessageId,
    /// Which part.
    pub part: u16,
    /// Whether the message has no other.
    pub is_only: bool,
    /// The account that sent it.
    pub account: AccountName,
    /// The chat it was sent to.
    pub address: Address,
    /// The ids at the provider, as far as they are known.
    pub message_ids: SentIds,
    /// What becomes of the chat's account. A chat of a channel is never bound.
    pub binding: Binding,
    /// Whether the part may be sent once more without harm: the provider knows it by its key, and what it needs is still there.
    /// Then the outcome need not wait for the disk. A power cut within a second makes the part one that was begun.
    pub repeatable: bool,
    /// Whether it counts for the limits of the account.
    pub counted: bool,
    /// When.
    pub at: Timestamp,
}

/// It is proved that an attempt at a part sent nothing.
#[derive(Debug, Clone)]
pub struct PartUnsent {
    /// The message.
    pub id: MessageId,
    /// Which part.
    pub part: u16,
    /// The attempt.
    pub entry: Entry,
    /// What becomes of the message.
    pub then: Then,
    /// What the attempt taught about the account.
    pub hold: Option<Hold>,
    /// When.
    pub at: Timestamp,
}

/// What becomes of a message after an attempt that sent nothing.
#[derive(Debug, Clone)]
pub enum Then {
    /// It waits again.
    Requeue {
        /// For this account, or for any. One that has sent a part keeps the rest in any case.
        account: Option<AccountName>,
    },
    /// It ends unsent.
    Fail(Failure),
}

/// A message ends unsent without a new attempt.
#[derive(Debug, Clone)]
pub struct Fail {
    /// The message.
    pub id: MessageId,
    /// Why.
    pub failure: Failure,
    /// When.
    pub at: Timestamp,
}

/// A message may have been sent, and no one who knows can be asked.
#[derive(Debug, Clone)]
pub struct Doubt {
    /// The message.
    pub id: MessageId,
    /// What led to it.
    pub entry: Entry,
    /// Whether the part counts for the limits of the account that the entry names.
    pub counted: bool,
    /// When.
    pub at: Timestamp,
}

/// A person's word on a message that waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval {
    /// It may leave.
    Approved,
    /// It does not leave.
    Rejected,
}

/// How a person ended a doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resolution {
    /// It was sent.
    Sent,
    /// It was not: send it again.
    Resend,
}

/// The outbox of a store.
///
/// A write that finds its row gone answers [`StoreError::NotFound`], one whose row is in a state that forbids it
/// [`StoreError::Conflict`]; both change nothing.
#[derive(Clone, Copy)]
pub struct Outbox<'a> {
    pub(crate) store: &'a Store,
}

impl Outbox<'_> {
    /// Takes a message in, together with its key, or finds the one that this request made before.
    ///
    /// A key whose message ended unsent (cancelled, or failed with no part sent) counts as new: such answers are never
    /// stored. One that was held back after a restore may have been sent, so its key stands for it. A request without one joins a message only if its caller got no answer. When this
    /// answers [`StoreError::Unavailable`] after a wait, the message may have been taken in all the same.
    pub async fn accept(&self, accept: Accept) -> Result<Accepted, StoreError> {
        self.store.write(accept::AcceptWrite::new(accept, self.store.contact_limits())?).await
    }

    /// What a key stands for: [`Accepted::Repeated`] or [`Accepted::Conflict`], or nothing when it is free.
    pub async fn keyed(
        &self,
        idempotency: Idempotency,
        now: Timestamp,
    ) -> Result<Option<Accepted>, StoreError> {
        let look =
            move |connection: &_| accept::stands_for(&Transaction::new(connection, false), &idempotency, now);
        self.store.read(look).await
    }

    /// The message that the same request would join now, if it had no key.
    pub async fn joined(&self, join: Join, now: Timestamp) -> Result<Option<MessageId>, StoreError> {
        let look = move |connection: &_| accept::same_body(&Transaction::new(connection, false), &join, now);
        if self.store.read(look).await?.is_none() {
            return Ok(None);
        }
        // That its caller was answered may be on its way to the disk.
        self.store.write(Settle).await?;
        self.store.read(look).await
    }

    /// Gives a part to an account. The message must be queued, scheduled or sending, the part not sent, and no part
    /// under way through another account. A part that this account has already is no error and stays as it is.
    pub async fn begin(&self, begin: Begin) -> Result<(), StoreError> {
        self.store.write(sending::BeginWrite::new(begin, self.store.contact_limits())?).await
    }

    /// The provider has a part. The message becomes sent when no other is left. A part that was sent before is no
    /// error and changes nothing; a message in doubt is in doubt no more.
    pub async fn part_sent(&self, sent: PartSent) -> Result<(), StoreError> {
        self.store.write(sending::SentWrite::new(sent)?).await
    }

    /// A provider says how far something is that was sent there; none where nothing here is known by that id, else the
    /// message, whether or not that is news. A message is as far as the least of its parts, and never goes back. Nothing
    /// is known of what was sent before [`Outbox::part_sent`] has returned.
    pub async fn receipt(&self, receipt: Receipt) -> Result<Option<MessageId>, StoreError> {
        self.store.write(receipt::ReceiptWrite(receipt)).await
    }

    /// The reactions to a message that was sent through a channel: one for each of its parts that has any, in order.
    pub async fn reactions(&self, id: MessageId) -> Result<Vec<Reactions>, StoreError> {
        self.store.all(statements::REACTIONS_OF, [*key(&id)], receipt::reactions).await
    }

    /// A provider had taken something and could not deliver it: the message has failed, unless it had arrived. None where nothing
    /// here is known by that id. What arrives before all of the message is stored as sent is kept, and applied then.
    pub async fn undelivered(
        &self,
        channel: ChannelName,
        account: AccountName,
        provider_id: ProviderId,
        why: String,
        at: Timestamp,
    ) -> Result<Option<MessageId>, StoreError> {
        let now = self.store.now();
        self.store.write(receipt::UndeliveredWrite { channel, account, provider_id, why, at, now }).await
    }

    /// An attempt sent nothing: the part waits again, and the message waits or ends. The message must be queued,
    /// scheduled or sending, the part not sent.
    pub async fn part_unsent(&self, unsent: PartUnsent) -> Result<(), StoreError> {
        self.store.write(sending::UnsentWrite::new(unsent)?).await
    }

    /// Ends a message unsent. False when it is final already or a part of it is under way.
    pub async fn fail(&self, fail: Fail) -> Result<bool, StoreError> {
        self.store.write(ending::FailWrite::new(fail)?).await
    }

    /// Puts a message that is being sent, with a part under way, in doubt. One that is in doubt stays so.
    pub async fn doubt(&self, doubt: Doubt) -> Result<(), StoreError> {
        self.store.write(sending::DoubtWrite(doubt)).await
    }

    /// Ends a message of which nothing was given to an account. False when it is too late for that.
    pub async fn cancel(
        &self,
        id: MessageId,
        at: Timestamp,
        detail: Option<String>,
    ) -> Result<bool, StoreError> {
        self.take_back(id, at, detail).await.map(|waited| waited.is_some())
    }

    /// Queues a failed or cancelled message again, or schedules it if its time has not come; its parts keep their
    /// random ids. False for any other.
    pub async fn retry(&self, id: MessageId, at: Timestamp) -> Result<bool, StoreError> {
        self.store.change(point::RETRY, move |transaction| ending::retry(transaction, &id, at)).await
    }

    /// Ends the wait of a message for a person's word; `by` says whose it is. False when it does not wait for one.
    pub async fn decide(
        &self,
        id: MessageId,
        approval: Approval,
        at: Timestamp,
        by: String,
    ) -> Result<bool, StoreError> {
        let point = match approval {
            Approval::Approved => point::APPROVE,
            Approval::Rejected => point::REJECT,
        };
        self.store.change(point, move |transaction| ending::decide(transaction, &id, approval, at, &by)).await
    }

    /// Ends a doubt by a person's word. False when the message is not in doubt.
    pub async fn resolve(&self, id: MessageId, as_: Resolution, at: Timestamp) -> Result<bool, StoreError> {
        self.store.write(ending::ResolveWrite { id, resolution: as_, at }).await
    }

    /// Adds a step to the timeline. After a thousand steps of one message, notes are no longer kept.
    pub async fn note(&self, id: MessageId, entry: Entry) -> Result<(), StoreError> {
        self.store.write(timeline::NoteWrite { id, entry }).await
    }

    /// The caller of a request without a key was answered: the same body is a new message from now on. No one waits for
    /// this to be on the disk; after a crash in between, the same body joins the message once more.
    pub async fn answered(&self, id: MessageId) -> Result<(), StoreError> {
        self.store.inner.writer.defer(Deferred::MessageAnswered(AnsweredWrite(id))).await
    }

    /// The caller of a request without a key is gone, or was left in doubt: the same body joins the message from now
    /// on. Changes nothing if a caller of this message was answered.
    pub async fn unanswered(&self, id: MessageId) -> Result<(), StoreError> {
        self.store.change(point::UNANSWERED, move |transaction| ending::unanswered(transaction, &id)).await
    }

    /// Messages that were sent or failed since an instant, by the minute and the account: for counting at the start.
    pub async fn ended_by_minute(&self, since: Timestamp) -> Result<Vec<EndedInMinute>, StoreError> {
        reading::ended_by_minute(self.store, since).await
    }

    /// A message.
    pub async fn get(&self, id: MessageId) -> Result<Option<OutboundMessage>, StoreError> {
        self.store.read(move |connection| reading::get(connection, id)).await
    }

    /// A message as it is once all is on the disk that was handed over before. For callers that got no answer whether a change
    /// was made.
    pub async fn settled(&self, id: MessageId) -> Result<Option<OutboundMessage>, StoreError> {
        self.store.write(Settle).await?;
        self.get(id).await
    }

    /// The message of which an account of a channel sent what the provider calls so.
    pub async fn of_provider_id(
        &self,
        channel: &ChannelName,
        account: &AccountName,
        provider_id: &str,
    ) -> Result<Option<OutboundMessage>, StoreError> {
        let params = (channel.to_string(), account.to_string(), provider_id.to_owned());
        let read = |row: &Row<'_>| Columns::new(row, TABLE).message_id(0);
        match self.store.first(statements::RECEIPT_FOR, params, read).await? {
            Some(id) => self.get(id).await,
            None => Ok(None),
        }
    }

    /// The account that sent what the provider has under this id in this chat, as far back as messages are kept; the
    /// last one if several did, each in its own private chat with the same user. Reads much when there is none: for
    /// single questions of people, not for every message.
    pub async fn sent_by(
        &self,
        chat_id: ChatId,
        message_id: TelegramMessageId,
    ) -> Result<Option<AccountName>, StoreError> {
        self.store.read(move |connection| reading::sent_by(connection, chat_id, message_id)).await
    }

    /// Where a message waits that is due or under way, whatever else of its row can be read. Nothing for one that is
    /// scheduled: it is in no lane before its time.
    pub async fn lane(&self, id: MessageId) -> Result<Option<StoredLane>, StoreError> {
        self.store.read(move |connection| reading::lane(connection, id)).await
    }

    /// Where a message came from.
    pub async fn origin(&self, id: MessageId) -> Result<Option<Origin>, StoreError> {
        self.store.read(move |connection| reading::origin(connection, id)).await
    }

    /// The steps of a message, in order; none for one that is not there.
    pub async fn timeline(&self, id: MessageId) -> Result<Vec<Entry>, StoreError> {
        self.store.read(move |connection| timeline::read(connection, id)).await
    }

    /// Messages, newest first, a page at a time.
    pub async fn list(&self, filter: &Filter, page: &Page) -> Result<Listed, StoreError> {
        let (filter, page) = (filter.clone(), page.clone());
        self.store.read(move |connection| reading::list(connection, &filter, &page)).await
    }

    /// The ids of messages that failed before an instant and have not been tried again since, the oldest first, at most a
    /// thousand after one of them. A text in the filter is not looked at.
    pub async fn failed(
        &self,
        filter: &Filter,
        until: Timestamp,
        after: Option<MessageId>,
        limit: u32,
    ) -> Result<Vec<MessageId>, StoreError> {
        let filter = filter.clone();
        self.store.read(move |connection| search::failed(connection, &filter, until, after, limit)).await
    }

    /// The outgoing files that may still be needed: of messages that are not over, and of those that failed, were
    /// cancelled or came into doubt less than seven days ago and may be sent after all.
    pub async fn files_in_use(&self) -> Result<Vec<FileKey>, StoreError> {
        let since = self.store.now().minus(UNSENT_RETENTION);
        self.store.read(move |connection| reading::files_in_use(connection, since)).await
    }

    /// Of the files of this message those that no message needs any more, itself included; see
    /// [`Outbox::files_in_use`] for what needs one. None for a message that is not there.
    pub async fn files_done_with(&self, id: MessageId) -> Result<Vec<FileKey>, StoreError> {
        let since = self.store.now().minus(UNSENT_RETENTION);
        self.store.read(move |connection| reading::files_done_with(connection, id, since)).await
    }

    /// Messages that are queued, scheduled or sending, oldest first, those after `after` alone: what is to be taken
    /// up after a restart. Those that wait for a person are not among them.
    pub async fn unfinished(
        &self,
        after: Option<MessageId>,
        limit: u32,
    ) -> Result<Unfinished<MessageId, OutboundMessage>, StoreError> {
        self.store.read(move |connection| reading::unfinished(connection, after, limit)).await
    }
}

/// The id as its column has it.
fn key(id: &MessageId) -> &[u8; 16] {
    id.as_uuid().as_bytes()
}

/// The state of a message, or an error that says that it is gone.
fn state_of(transaction: &Transaction<'_>, id: &MessageId) -> Result<domain::MessageState, StoreError> {
    transaction
        .first(statements::STATE_OF, [key(id)], |row| {
            Columns::new(row, TABLE).coded(0, "state", crate::codes::message)
        })?
        .ok_or_else(|| no_such_message(id))
}

fn no_such_message(id: &MessageId) -> StoreError {
    StoreError::not_found(TABLE, format!("there is no message {id}"))
}

/// The error for a message that is in the wrong state, or gone.
fn refused<T>(transaction: &Transaction<'_>, id: &MessageId, what: &str) -> Result<T, StoreError> {
    let state = state_of(transaction, id)?;
    Err(StoreError::conflict(TABLE, format!("message {id} is {}, so {what}", state.as_str())))
}
