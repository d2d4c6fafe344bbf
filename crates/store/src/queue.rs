//! Bounded queues between async tasks and the threads that talk to SQLite.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use tokio::sync::{Semaphore, oneshot};

use crate::StoreError;

/// No wait on the store is longer than this.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The end that tasks put jobs in. Dropping it ends the thread once it has done what is queued.
pub(crate) struct Queue<J> {
    sender: Sender<J>,
    room: Arc<Semaphore>,
}

/// The end that threads take jobs out of.
pub(crate) struct Jobs<J> {
    receiver: Receiver<J>,
    room: Arc<Semaphore>,
}

/// Why there is no job.
pub(crate) enum NoJob {
    /// None came in time.
    Yet,
    /// None will come.
    EverMore,
}

pub(crate) fn bounded<J>(length: usize) -> (Queue<J>, Jobs<J>) {
    let (sender, receiver) = crossbeam_channel::bounded(length);
    let room = Arc::new(Semaphore::new(length));
    (Queue { sender, room: Arc::clone(&room) }, Jobs { receiver, room })
}

impl<J> Queue<J> {
    /// Puts a job in, waiting for room if need be.
    pub(crate) async fn put(&self, job: J) -> Result<(), StoreError> {
        let permit = match self.room.try_acquire() {
            Ok(permit) => permit,
            Err(_) => match tokio::time::timeout(TIMEOUT, self.room.acquire()).await {
                Ok(Ok(permit)) => permit,
                Ok(Err(_)) => return Err(closed()),
                Err(_) => return Err(late("its queue is full")),
            },
        };
        // The permit says that there is room, so this fails only when the thread is gone.
        self.sender.try_send(job).map_err(|_| closed())?;
        permit.forget();
        Ok(())
    }
}

impl<J> Jobs<J> {
    /// The next job, as soon as there is one.
    pub(crate) fn next(&self) -> Result<J, NoJob> {
        self.receiver.recv().map(|job| self.took(job)).map_err(|_| NoJob::EverMore)
    }

    /// The next job, if it comes within this time.
    pub(crate) fn next_within(&self, time: Duration) -> Result<J, NoJob> {
        self.receiver.recv_timeout(time).map(|job| self.took(job)).map_err(|error| match error {
            RecvTimeoutError::Timeout => NoJob::Yet,
            RecvTimeoutError::Disconnected => NoJob::EverMore,
        })
    }

    /// A job that waits already.
    pub(crate) fn waiting(&self) -> Result<J, NoJob> {
        self.receiver.try_recv().map(|job| self.took(job)).map_err(|error| match error {
            TryRecvError::Empty => NoJob::Yet,
            TryRecvError::Disconnected => NoJob::EverMore,
        })
    }

    fn took(&self, job: J) -> J {
        self.room.add_permits(1);
        job
    }
}

impl<J> Drop for Jobs<J> {
    fn drop(&mut self) {
        // The one who waits for room learns that there is no one any more.
        self.room.close();
    }
}

/// Waits for the answer to a job.
pub(crate) async fn answer<T>(reply: oneshot::Receiver<Result<T, StoreError>>) -> Result<T, StoreError> {
    match tokio::time::timeout(TIMEOUT, reply).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Err(closed()),
        Err(_) => Err(late("it did not answer")),
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("it is closed".into())
}

fn late(what: &str) -> StoreError {
    StoreError::Unavailable(format!("{what} for {} seconds", TIMEOUT.as_secs()))
}
