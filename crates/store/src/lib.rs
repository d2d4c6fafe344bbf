//! The durable truth: the outbox, sagas, chats, sessions, peers and keys, on SQLite with group commit.
//!
//! A [`Store`] is opened on a data directory, which it locks against other processes. Its repositories are
//! [`Outbox`], [`Received`], [`Conversations`], [`Sagas`], [`Chats`], [`Unresolved`], [`Failovers`], [`Services`], [`Callbacks`], [`Events`], [`FailedRequests`],
//! [`Files`], [`Accounts`], [`SentCounts`], [`Peers`], [`Imports`], [`ClearingRun`], [`Alerts`], [`ApiKeys`], [`DoNotContact`],
//! [`Users`], [`UserSessions`] and [`AuditLog`]; [`Beats`] have a file of their own; [`Store::work`] is the log of messages and sagas
//! together. A write is
//! answered when it is on the disk (fsync); writes that wait together are committed together. A future that is
//! dropped while it waits does not take its write back, except [`Outbox::accept`] and [`Sagas::accept`], which are
//! then not begun if they were still in the queue.

mod access;
mod accounts;
mod alerts;
mod api_keys;
mod beats;
mod callbacks;
mod campaigns;
mod channels;
mod chats;
mod clearing;
mod codes;
mod column;
mod conversations;
mod copying;
mod database;
mod deferred;
mod directory;
mod disk;
mod do_not_contact;
mod error;
mod events;
mod failed_requests;
mod failovers;
mod fences;
mod files;
mod first_contacts;
mod flow_definitions;
mod flows;
pub mod foreign;
mod group;
mod identity;
mod imports;
mod inspect;
mod key_rotation;
mod lease;
mod master_key;
mod migrations;
mod needle;
mod opening;
mod outbox;
mod paging;
mod peers;
mod pipeline;
mod point;
mod queue;
mod reader;
mod received;
mod restored;
mod retention;
mod round_trip;
mod sagas;
mod sent_counts;
mod services;
mod snapshot;
mod statement;
mod stats;
mod sweep;
#[cfg(feature = "testing")]
pub mod testing;
mod unreadable;
mod vault;
mod webhooks;
mod work;
mod write;
mod writer;

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, RwLock};

use crate::database::{Connection, Parameters, Row};

use ambient::{Clock, Handle};
use domain::{EventId, Timestamp};

pub use access::{
    AuditEntry, AuditFilter, AuditLog, AuditRecord, AuditResult, AuditWho, BeginSession, Keeping, NewUser,
    OfferedFactor, SecondFactor, StoredUser, UserChange, UserSession, UserSessions, Users,
};
pub use accounts::{
    Accounts, Hold, Holds, InvalidFingerprint, KeyFingerprint, OwnerlessSession, SelfUser, SessionInUse,
    SessionsChange, StoredAccount, StoredLogin, StoredSession, Switch, UpdateChange, UpdateState,
};
pub use alerts::{
    AlertDelivery, AlertFilter, AlertState, Alerts, DeliveriesWaiting, MirrorError, MirroredTarget,
    NewNotice, StoredAlert, StoredMute, StoredTarget, StoredWindow, TargetHealth, read_mirrored_targets,
};
pub use api_keys::{ApiKey, ApiKeys, Scope};
pub use beats::{Beats, BeatsBatch, BeatsPast, StoredMinute, StoredTally};
pub use callbacks::{Callback, Callbacks, CallbacksCounted};
pub use campaigns::{
    AttemptCount, AttemptEnd, AttemptFilter, CampaignMessage, CampaignRow, CampaignRun, CampaignSenderRow,
    CampaignTask, Campaigns, Claim, Claiming, CycleCount, NewCampaignMessage, NewCampaignTask, NewPicture,
    NewProfile, NewRun, NextTurn, PastAttempt, PastCampaign, PastTaken, PastTask, Readied, RunChange,
    SenderStop, StoredAttempt, StoredProfile, StoredProxy, TasksAdded, TasksCounted, Unblocking,
};
pub use channels::{
    ChannelConversationMessage, ChannelTaken, Channels, FetchedInboundFile, HandInOutcome, InboundFile,
    InboundFileId, InboundFilter, StoredChannelChat, StoredInbound, StoredInboundFile, TakenFromChannel,
    WantedInboundFile,
};
pub use chats::{
    ChatFilter, ChatNames, ChatRecord, ChatState, Chats, Unresolved, UnresolvedCaller, UnresolvedChat,
};
pub use clearing::{ClearingRun, StoredClearing};
pub use conversations::{ConversationMessage, ConversationStart, Conversations};
pub use copying::{Copied, CopiedTable, CopyError, CopyOptions, CopyProgress, check_target, copy};
pub use directory::{DirectoryLock, RESTORED, RESTORING, lock_directory, make_directory};
pub use disk::Disk;
pub use do_not_contact::{DoNotContact, DoNotContactEntry};
pub use error::{DamagedFile, MasterKeyError, OpenError, SnapshotError, StoreError};
pub use events::{EventRetention, Events, EventsRead, StoredEvent};
pub use failed_requests::{Direction, FailedRequest, FailedRequests, FailedState};
pub use failovers::{FailoverFilter, FailoverRecord, Failovers};
pub use fences::{Fence, Fences, Side, recorded_side, remember_fence, remembered_fence, side_of};
pub use files::{FileReference, Files, RemoteKind, UploadState};
pub use first_contacts::FirstContacts;
pub use flow_definitions::{DefinitionSaved, FlowDefinition, FlowDefinitions};
pub use flows::{FlowRunBegun, FlowRunFilter, FlowRuns, FlowRunsCounted, FlowSwitch, StoredFlowRun};
pub use foreign::{ForeignRow, ForeignTable, ForeignTables, read_foreign};
pub use identity::{Accepts, STORE_MARK, StoreKind, check_kind, kind_of, remember_database};
pub use imports::{ChatImport, ImportedChat, ImportedFailover, ImportedRequest, Imports};
pub use inspect::{StoreInspection, check_free, inspect};
pub use key_rotation::{KeyRotation, KeyRotationError};
pub use master_key::MasterKey;
pub use outbox::{
    Accept, Accepted, Approval, Begin, Binding, Caller, Doubt, EndedInMinute, Fail, Filter, Idempotency,
    Join, LaneKey, Listed, NextScheduled, Origin, Outbox, PartSent, PartUnsent, Queue, QuotaScope, Receipt,
    ReceiptState, Resolution, SameBy, StoredLane, Then, Waiting, WaitingAt,
};
pub use paging::{Page, Paged};
pub use peers::{FillState, PeerKind, Peers, StoredPeer};
pub use pipeline::{
    Advanced, AppealChange, AppealFilter, AppealNote, AppealOrder, BY_AI, BY_PROGRAM, ChatActivity,
    ClientChat, ClientFields, ClientMessage, Disclosure, FirstContact, FoundAppeal, FoundClient, ImportTaken,
    ImportUndone, OpenedAppeal, OutsideStages, PastAppeal, PastClient, PastMerge, PastMessage, PastPage,
    Pipeline, PipelineCounts, PipelineRule, PipelineRules, Replayed, ReplyTarget, ReplyTemplate, Spent,
    StoredAppeal, StoredClient, StoredIdentity, StoredImport, StoredMerge, StoredTurn, TELEGRAM_ACCOUNT,
    Took, TurnAnswer, Unread, WaitingBatch, WaitingClient, WaitingMessage, WriterIdentity,
};
pub use received::{
    FetchedFile, GapChange, Missed, PageRead, Received, ReceivedChange, ReceivedFilter, ReceivedGap,
    StoredFile, StoredReceived, Taken, TakenUpdates, WantedFile,
};
pub use restored::HeldBack;
pub use retention::Retention;
pub use sagas::{AcceptSaga, Keep, NewCallback, SagaAccepted, SagaChange, Sagas};
pub use sent_counts::{ByMinute, SentCounts};
pub use services::Services;
pub use snapshot::{ProvenCopy, prove_copy};
pub use stats::Stats;
pub use sweep::Swept;
pub use unreadable::Unfinished;
pub use webhooks::{
    DueDelivery, FanOut, Outcome, StoredWebhook, Tried, WebhookDelivery, WebhookDeliveryState,
    WebhookFailures, WebhookForm, WebhookSecrets, WebhookTotals, Webhooks,
};
pub use work::{Work, WorkFilter, WorkKind};
pub use writer::{WriteTimes, Written};

use point::Point;
use reader::{Found, Read, Readers};
use stats::Location;
use vault::Vault;
use write::{AnyWrite, Settled, Transaction, Write, answer_of, any_write};
use writer::Writer;

/// What a store needs to open.
pub struct StoreOptions {
    /// The directory of all data; made with mode 0700 when it is not there.
    pub data_dir: PathBuf,
    /// The database, such as `sqlite:switchboard.db`; relative to the data directory.
    pub url: String,
    /// The time, for everything that the store dates itself.
    pub clock: Clock,
    /// The key that secrets are sealed with.
    pub master_key: MasterKey,
}

/// The open store. Cheap to clone; the last clone that is dropped closes it.
#[derive(Clone)]
pub struct Store {
    inner: Handle<Inner>,
}

struct Inner {
    // The readers go first, so that the writer is the last connection and can tidy up.
    readers: Readers,
    writer: Writer,
    // After the writer: it is given back when nothing more is written.
    lease: Option<lease::Lease>,
    term: Arc<lease::Term>,
    /// How it is reached, where it is on a server.
    server: Option<Box<tokio_postgres::Config>>,
    vault: Arc<Vault>,
    master_key: MasterKey,
    /// Held while the master key is rotated; what was sealed with the old one and may be on its way.
    rotating: tokio::sync::Mutex<Option<vault::Outstanding>>,
    clock: Clock,
    location: Location,
    callbacks_counted: callbacks::Counters,
    newest_event: tokio::sync::watch::Receiver<EventId>,
    lately: conversations::index::Lately,
    unreadable: unreadable::LastUnreadable,
    retention: RwLock<Retention>,
    contact_limits: RwLock<domain::ContactLimits>,
    messages_counted: Mutex<Option<sweep::MessagesCounted>>,
}

impl Store {
    /// The names of all points where a test can end the program, in a fixed order.
    pub const FAILPOINTS: &'static [&'static str] = point::NAMES;

    /// The point where a test makes the store stand still: each [`Store::round_trip`] waits there until it is released.
    pub const STANDSTILL: &'static str = round_trip::POINT;

    /// Opens the store: makes and locks the directory, brings the schema up to date.
    pub async fn open(options: StoreOptions) -> Result<Self, OpenError> {
        Self::open_on(options, Disk::default()).await
    }

    /// Opens the store on a database that may be another one than the data directory expects.
    pub async fn open_accepting(options: StoreOptions, accepts: Accepts) -> Result<Self, OpenError> {
        Self::open_with(options, accepts, Disk::default()).await
    }

    /// Opens the store on a disk that is not the real one.
    pub async fn open_on(options: StoreOptions, disk: Disk) -> Result<Self, OpenError> {
        Self::open_with(options, Accepts::default(), disk).await
    }

    async fn open_with(options: StoreOptions, accepts: Accepts, disk: Disk) -> Result<Self, OpenError> {
        let file = options.data_dir.join("switchboard.db");
        let opening = tokio::task::spawn_blocking(move || opening::open(options, accepts, disk));
        let inner = opening.await.map_err(|error| OpenError::Failed { file, what: error.to_string() })??;
        Ok(Self { inner: Handle::new(inner) })
    }

    /// Writes down what waits, moves the log into the database file and gives the lock of the directory and the lease back.
    /// Other clones answer [`StoreError::Unavailable`] from then on.
    pub async fn close(self) {
        let readers = self.inner.readers.close().await;
        if let Err(error) = readers.and(self.inner.writer.close().await) {
            tracing::warn!(%error, "the store was not closed in order; it will be when it is opened next");
        }
        let released = tokio::task::spawn_blocking(move || {
            if let Some(lease) = &self.inner.lease {
                lease.release();
            }
        });
        if released.await.is_err() {
            tracing::error!("the giving back of the lease broke down");
        }
    }

    /// Outbound messages.
    pub fn outbox(&self) -> Outbox<'_> {
        Outbox { store: self }
    }

    /// What was received and sent in each chat, in one order.
    pub fn conversations(&self) -> Conversations<'_> {
        Conversations { store: self }
    }

    /// How much the accounts with limits have sent.
    pub fn sent_counts(&self) -> SentCounts<'_> {
        SentCounts { store: self }
    }

    /// Work on chats that takes several steps.
    pub fn sagas(&self) -> Sagas<'_> {
        Sagas { store: self }
    }

    /// The registry of chats.
    pub fn chats(&self) -> Chats<'_> {
        Chats { store: self }
    }

    /// Chats that no one found.
    pub fn unresolved(&self) -> Unresolved<'_> {
        Unresolved { store: self }
    }

    /// Work that went to another account than its first choice.
    pub fn failovers(&self) -> Failovers<'_> {
        Failovers { store: self }
    }

    /// Which side of a move holds the sessions.
    pub fn fences(&self) -> Fences<'_> {
        Fences { store: self }
    }

    /// Services that were stopped by hand.
    pub fn services(&self) -> Services<'_> {
        Services { store: self }
    }

    /// Flows that are written while the program runs.
    pub fn flow_definitions(&self) -> FlowDefinitions<'_> {
        FlowDefinitions { store: self }
    }

    /// Runs of flows, and which flows are stopped.
    pub fn flow_runs(&self) -> FlowRuns<'_> {
        FlowRuns { store: self }
    }

    /// Campaigns, their runs and attempts.
    pub fn campaigns(&self) -> Campaigns<'_> {
        Campaigns { store: self }
    }

    /// Clients, their appeals, and what they write on its way to an answer.
    pub fn pipeline(&self) -> Pipeline<'_> {
        Pipeline { store: self }
    }

    /// The clearing of flood waits that runs.
    pub fn clearing(&self) -> ClearingRun<'_> {
        ClearingRun { store: self }
    }

    /// Callbacks on their way to another program.
    pub fn callbacks(&self) -> Callbacks<'_> {
        Callbacks { store: self }
    }

    /// What other programs hear of.
    pub fn events(&self) -> Events<'_> {
        Events { store: self }
    }

    /// What came in through channels, and what their accounts remember.
    pub fn channels(&self) -> Channels<'_> {
        Channels { store: self }
    }

    /// Messages that came in.
    pub fn received(&self) -> Received<'_> {
        Received { store: self }
    }

    /// Requests that failed and are kept.
    pub fn failed_requests(&self) -> FailedRequests<'_> {
        FailedRequests { store: self }
    }

    /// Files that the provider has, and uploads on their way.
    pub fn files(&self) -> Files<'_> {
        Files { store: self }
    }

    /// Sessions, update state, holds and switches of the user accounts.
    pub fn accounts(&self) -> Accounts<'_> {
        Accounts { store: self }
    }

    /// Whom each account knows.
    pub fn peers(&self) -> Peers<'_> {
        Peers { store: self }
    }

    /// Taking over from an older program.
    pub fn imports(&self) -> Imports<'_> {
        Imports { store: self }
    }

    /// Alerts, who is notified of them, and when no one wants to be.
    pub fn alerts(&self) -> Alerts<'_> {
        Alerts { store: self }
    }

    /// Endpoints of other programs, and what is posted to each of them.
    pub fn webhooks(&self) -> Webhooks<'_> {
        Webhooks { store: self }
    }

    /// Whom no message may go to.
    pub fn do_not_contact(&self) -> DoNotContact<'_> {
        DoNotContact { store: self }
    }

    /// The people that accounts wrote to first.
    pub fn first_contacts(&self) -> FirstContacts<'_> {
        FirstContacts { store: self }
    }

    /// Keys of the HTTP API.
    pub fn api_keys(&self) -> ApiKeys<'_> {
        ApiKeys { store: self }
    }

    /// People of the dashboard.
    pub fn users(&self) -> Users<'_> {
        Users { store: self }
    }

    /// Their sessions.
    pub fn user_sessions(&self) -> UserSessions<'_> {
        UserSessions { store: self }
    }

    /// Who did what.
    pub fn audit(&self) -> AuditLog<'_> {
        AuditLog { store: self }
    }

    /// Waits until this process has lost the store, so that it must end. On a server another process may have it, and this one may
    /// wait for it again: there is no error. On SQLite the error says that the database file was removed or replaced.
    pub async fn lost(&self) -> Option<OpenError> {
        self.inner.term.over().await;
        self.lost_database()
    }

    /// The error of [`Store::lost`], as far as it is known at once.
    pub fn lost_database(&self) -> Option<OpenError> {
        let file = || OpenError::LostDatabase { file: self.inner.location.file.clone() };
        (self.inner.server.is_none() && self.inner.term.is_over()).then(file)
    }

    /// Whether no other process may work on the store, and have the sessions that are in it. After a sleep this is not known at
    /// once, and waited for, 10 s at most. On SQLite it is true as long as the database file is in its place.
    pub async fn is_held(&self) -> bool {
        self.inner.term.is_held().await
    }

    /// The same as far as it is known at once.
    pub fn is_held_for_sure(&self) -> bool {
        self.inner.term.is_fresh()
    }

    /// Makes it not held any more, as far as this process knows.
    #[cfg(feature = "testing")]
    pub fn lose_lease(&self) {
        self.inner.term.end();
    }

    /// The database file. No one else in this process may open it: closing it would give
    /// up the store's own locks.
    pub fn file(&self) -> &Path {
        &self.inner.location.file
    }

    /// Counts the commits that may have changed what someone may do: keys, users and their sessions. It changes before the
    /// writes of the commit are answered.
    pub fn rights_changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.inner.writer.rights()
    }

    /// How much was written since the store was opened.
    pub fn written(&self) -> Written {
        self.inner.writer.written()
    }

    /// How large the groups of writes were and how long writing took since the store was opened.
    pub fn write_times(&self) -> WriteTimes {
        self.inner.writer.times()
    }

    /// What is in the store now and how much room it takes.
    pub async fn stats(&self) -> Result<Stats, StoreError> {
        let (now, location) = (self.now(), self.inner.location.clone());
        self.read(move |connection| stats::take(connection, &location, now)).await
    }

    fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }
}

impl Store {
    fn write<W: Write>(&self, write: W) -> impl Future<Output = Result<W::Answer, StoreError>> + Send {
        self.write_between(W::POINT, write)
    }

    /// Makes a change between the two points where a test can end the program.
    fn change<A: Send + 'static>(
        &self,
        point: Point,
        change: impl Fn(&Transaction<'_>) -> Result<A, StoreError> + Send + 'static,
    ) -> impl Future<Output = Result<A, StoreError>> + Send {
        self.write_between(Some(point), change)
    }

    fn write_between<W: Write>(
        &self,
        point: Option<Point>,
        write: W,
    ) -> impl Future<Output = Result<W::Answer, StoreError>> + Send {
        let is_reported_early = write.is_reported_early();
        let settled = self.write_any(any_write(write), is_reported_early, point);
        async move { answer_of::<W>(settled.await) }
    }

    /// Boxed, so that only this crate compiles it: an async function is compiled where it is awaited.
    fn write_any(
        &self,
        write: Box<dyn AnyWrite>,
        is_reported_early: bool,
        point: Option<Point>,
    ) -> Pin<Box<dyn Future<Output = Settled> + Send + '_>> {
        Box::pin(async move {
            let settled = self.inner.writer.write(write, is_reported_early, point).await;
            self.note_unreadable(&settled);
            settled
        })
    }

    /// Runs one statement between the two points where a test can end the program; says how many rows it changed.
    fn execute(
        &self,
        point: Point,
        sql: &'static str,
        params: impl Parameters + Clone + Send + 'static,
    ) -> impl Future<Output = Result<usize, StoreError>> + Send {
        self.change(point, move |transaction| transaction.execute(sql, params.clone()))
    }

    /// Reads the first row that a statement finds, if there is one.
    fn first<T: Send + 'static>(
        &self,
        sql: &'static str,
        params: impl Parameters + Send + 'static,
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> impl Future<Output = Result<Option<T>, StoreError>> + Send {
        self.read(move |connection| connection.first(sql, params, read))
    }

    /// Reads all rows that a statement finds.
    fn all<T: Send + 'static>(
        &self,
        sql: &'static str,
        params: impl Parameters + Send + 'static,
        read: impl FnMut(&Row<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> impl Future<Output = Result<Vec<T>, StoreError>> + Send {
        self.read(move |connection| connection.all(sql, params, read))
    }

    fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> impl Future<Output = Result<T, StoreError>> + Send {
        let found = self.read_any(Box::new(|connection| Ok(Box::new(read(connection)?))));
        async move {
            let found = found.await?.downcast::<T>();
            found.map(|found| *found).map_err(|_| StoreError::Unavailable("it read something else".into()))
        }
    }

    /// Boxed for the same reason.
    fn read_any(&self, read: Read) -> Pin<Box<dyn Future<Output = Found> + Send + '_>> {
        Box::pin(async move {
            self.inner.writer.catch_up().await;
            let found = self.inner.readers.read(read).await;
            self.note_unreadable(&found);
            found
        })
    }
}
