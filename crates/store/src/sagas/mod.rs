//! Sagas: work on chats that takes several steps, each written down before it is taken and after it.

mod accept;
mod change;
mod ending;
mod events;
mod held_back;
mod history;
mod reading;
pub(crate) mod statements;

use domain::saga::{Failover, RegistryChange, Saga, SagaEntry, SagaState, Verdict};
use domain::{CallbackId, OperationId, Service, Timestamp};

use crate::accounts::Hold;
use crate::deferred::{Deferred, Settle};
use crate::outbox::{Idempotency, Join, Origin};
use crate::unreadable::Unfinished;
use crate::write::Transaction;
use crate::{Store, StoreError, point};

pub(crate) use ending::AnsweredWrite;
pub(crate) use held_back::HoldSagas;
pub(crate) use reading::logged;

pub(crate) const TABLE: &str = "operations";

/// A saga to take in.
#[derive(Debug, Clone)]
pub struct AcceptSaga {
    /// The saga, queued.
    pub saga: Saga,
    /// Where it came from.
    pub origin: Origin,
    /// The caller's key against doubles.
    pub idempotency: Option<Idempotency>,
    /// What stands in for a key on ports whose callers have none.
    pub join: Option<Join>,
    /// What becomes a failed request when the saga ends failed or cancelled.
    pub keep: Option<Keep>,
}

/// A request that is kept when its saga ends failed or cancelled, so that it can be tried again by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep {
    /// The service it was made to.
    pub service: Service,
    /// Its path, such as `/create_chat`.
    pub endpoint: String,
    /// Its body as JSON text; a note takes the place of one of more than 64 KiB.
    pub payload: String,
}

/// What became of a saga that was to be taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SagaAccepted {
    /// It was taken in.
    New,
    /// The key made this saga before, with the same request.
    Repeated(OperationId),
    /// The same request made this saga before, and its caller is gone or was left in doubt.
    Joined(OperationId),
    /// The key was used for another request.
    Conflict,
}

/// A saga as it is now and what goes with the change, all written at once.
#[derive(Debug, Clone)]
pub struct SagaChange {
    /// The saga.
    pub saga: Saga,
    /// What is added to its history.
    pub entries: Vec<SagaEntry>,
    /// What the step taught about the account.
    pub hold: Option<Hold>,
    /// What changes in the registry of chats.
    pub registry: Vec<RegistryChange>,
    /// The saga goes to another account than the one that was its first choice.
    pub failover: Option<Failover>,
    /// A callback that is to be sent.
    pub callback: Option<NewCallback>,
}

/// A callback that names a new chat's invite link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCallback {
    /// Its id.
    pub id: CallbackId,
    /// The client it is about, as the caller wrote it.
    pub client_tg_id: String,
    /// The link.
    pub invite_link: String,
}

/// The sagas of a store.
///
/// A write that finds its row gone answers [`StoreError::NotFound`], one whose row is in a state that forbids it
/// [`StoreError::Conflict`]; both change nothing.
#[derive(Clone, Copy)]
pub struct Sagas<'a> {
    pub(crate) store: &'a Store,
}

impl Sagas<'_> {
    /// Takes a saga in, together with its key, or finds the one that this request made before.
    ///
    /// A key whose saga ended failed or cancelled counts as new: such answers are never stored. One that was held back
    /// after a restore may have been done, so its key stands for it. A request without a key joins a saga only if its caller got no answer. When this answers [`StoreError::Unavailable`] after a wait,
    /// the saga may have been taken in all the same.
    pub async fn accept(&self, accept: AcceptSaga) -> Result<SagaAccepted, StoreError> {
        self.store.write(accept::AcceptWrite::new(accept)?).await
    }

    /// What a key stands for: [`SagaAccepted::Repeated`] or [`SagaAccepted::Conflict`], or nothing when it is free.
    pub async fn keyed(
        &self,
        idempotency: Idempotency,
        now: Timestamp,
    ) -> Result<Option<SagaAccepted>, StoreError> {
        let look =
            move |connection: &_| accept::stands_for(&Transaction::new(connection, false), &idempotency, now);
        self.store.read(look).await
    }

    /// Writes down that a step is about to be taken: the saga runs and has its step begun. Refused when it has ended
    /// meanwhile. The same write again is no error and changes nothing.
    pub async fn begin(&self, change: SagaChange) -> Result<(), StoreError> {
        self.store.write(change::BeginWrite::new(change, self.store.contact_limits())?).await
    }

    /// Writes down what came of a step, or how the saga ended. Refused when it has ended meanwhile, and when a step is
    /// begun in a saga that is queued, done, failed or cancelled, or none in one that is in doubt. What goes with an
    /// end (its entry, the failed request, the count of chats that no one finds) is written with it. The same write
    /// again is no error and changes nothing.
    pub async fn save(&self, change: SagaChange) -> Result<(), StoreError> {
        self.store.write(change::SaveWrite::new(change)?).await
    }

    /// Ends a saga of which nothing was begun. False when it is too late for that.
    pub async fn cancel(
        &self,
        id: OperationId,
        at: Timestamp,
        detail: Option<String>,
    ) -> Result<bool, StoreError> {
        let cancel =
            move |transaction: &Transaction<'_>| ending::cancel(transaction, &id, at, detail.as_deref());
        self.store.change(point::SAGA_CANCEL, cancel).await
    }

    /// Queues a failed or cancelled saga again, as it was when it was taken in, with as long a wait for floods as then;
    /// its failed request says so. One that was held back goes on where it was. False for any other.
    pub async fn retry(&self, id: OperationId, at: Timestamp) -> Result<bool, StoreError> {
        self.store.change(point::SAGA_RETRY, move |transaction| ending::retry(transaction, &id, at)).await
    }

    /// Ends a doubt by a person's word: the saga goes on with the chat that was made, or begins again. False when it
    /// is not in doubt; refused when it made a chat and the word does not say which.
    pub async fn resolve(
        &self,
        id: OperationId,
        verdict: Verdict,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.store.write(ending::ResolveWrite::new(id, verdict, at)).await
    }

    /// Ends a doubt by a person's word that the step was taken, when it was the last one: the end and what goes with it
    /// are written with that word, so that no crash leaves a saga that would take the step again. False when it is not
    /// in doubt; refused when the change is not the end of a saga that is done.
    pub async fn resolve_as_done(&self, change: SagaChange) -> Result<bool, StoreError> {
        self.store.write(ending::ResolveWrite::ending(change)?).await
    }

    /// Adds an entry to the history. After a thousand entries of one saga, notes are no longer kept.
    pub async fn note(&self, id: OperationId, entry: SagaEntry) -> Result<(), StoreError> {
        self.store.write(history::NoteWrite::new(id, entry)).await
    }

    /// The caller of a request without a key was answered: the same body is a new saga from now on. No one waits for this
    /// to be on the disk.
    pub async fn answered(&self, id: OperationId) -> Result<(), StoreError> {
        self.store.inner.writer.defer(Deferred::SagaAnswered(AnsweredWrite(id))).await
    }

    /// The caller of a request without a key is gone, or was left in doubt: the same body joins the saga from now on.
    /// Changes nothing if a caller of this saga was answered.
    pub async fn unanswered(&self, id: OperationId) -> Result<(), StoreError> {
        self.store
            .change(point::SAGA_UNANSWERED, move |transaction| ending::unanswered(transaction, &id))
            .await
    }

    /// A saga.
    pub async fn get(&self, id: OperationId) -> Result<Option<Saga>, StoreError> {
        self.store.read(move |connection| reading::get(connection, id)).await
    }

    /// A saga as it is once all is on the disk that was handed over before. For callers that got no answer whether a change
    /// was made.
    pub async fn settled(&self, id: OperationId) -> Result<Option<Saga>, StoreError> {
        self.store.write(Settle).await?;
        self.get(id).await
    }

    /// Where a saga came from.
    pub async fn origin(&self, id: OperationId) -> Result<Option<Origin>, StoreError> {
        self.store.read(move |connection| reading::origin(connection, id)).await
    }

    /// The history of a saga, in order; nothing for one that is not there.
    pub async fn steps(&self, id: OperationId) -> Result<Vec<SagaEntry>, StoreError> {
        self.store.read(move |connection| history::read(connection, id)).await
    }

    /// Sagas that are queued or running, oldest first, those after `after` alone, 1 to 1000 at once: what is to be
    /// taken up after a restart.
    pub async fn unfinished(
        &self,
        after: Option<OperationId>,
        limit: u32,
    ) -> Result<Unfinished<OperationId, Saga>, StoreError> {
        self.store.read(move |connection| reading::unfinished(connection, after, limit)).await
    }
}

/// The id as its column has it.
fn key(id: &OperationId) -> &[u8; 16] {
    id.as_uuid().as_bytes()
}

/// The state of a saga, or an error that says that it is gone.
fn state_of(transaction: &Transaction<'_>, id: &OperationId) -> Result<SagaState, StoreError> {
    transaction
        .first(statements::STATE_OF, [key(id)], |row| {
            crate::column::Columns::new(row, TABLE).coded(0, "state", crate::codes::saga)
        })?
        .ok_or_else(|| no_such_saga(id))
}

fn no_such_saga(id: &OperationId) -> StoreError {
    StoreError::not_found(TABLE, format!("there is no operation {id}"))
}
