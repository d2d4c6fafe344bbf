//! The threads that read: each with a connection that cannot write, all fed from one queue.

use std::any::Any;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::sync::oneshot;

use crate::StoreError;
use crate::database::Connection;
use crate::queue::{self, Jobs, NoJob, Queue};

/// Reads that may wait.
const QUEUE: usize = 256;

/// What was read, without its type: all round a read is compiled once.
pub(crate) type Found = Result<Box<dyn Any + Send>, StoreError>;
/// Reads by one of the connections.
pub(crate) type Read = Box<dyn FnOnce(&Connection) -> Found + Send>;

enum Job {
    Read(Read, oneshot::Sender<Found>),
    /// End one thread; its connection is closed before the answer.
    Close(oneshot::Sender<Result<(), StoreError>>),
}

/// The handle to the threads.
pub(crate) struct Readers {
    queue: Option<Queue<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    /// Starts a thread for each connection.
    pub(crate) fn start(connections: Vec<Connection>) -> io::Result<Self> {
        let (queue, jobs) = queue::bounded(QUEUE);
        let jobs = Arc::new(jobs);
        let mut readers = Self { queue: Some(queue), threads: Vec::with_capacity(connections.len()) };
        for connection in connections {
            let jobs = Arc::clone(&jobs);
            let thread =
                thread::Builder::new().name("store-reader".into()).spawn(move || work(connection, &jobs))?;
            readers.threads.push(thread);
        }
        Ok(readers)
    }

    /// Runs a function on one of the connections.
    pub(crate) async fn read(&self, read: Read) -> Found {
        let (reply, answered) = oneshot::channel();
        self.put(Job::Read(read, reply)).await?;
        queue::answer(answered).await
    }

    /// Ends all threads after what waits.
    pub(crate) async fn close(&self) -> Result<(), StoreError> {
        for _ in &self.threads {
            let (reply, closed) = oneshot::channel();
            self.put(Job::Close(reply)).await?;
            queue::answer(closed).await?;
        }
        Ok(())
    }

    async fn put(&self, job: Job) -> Result<(), StoreError> {
        match &self.queue {
            Some(queue) => queue.put(job).await,
            None => Err(StoreError::Unavailable("it is closed".into())),
        }
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a reader of the store died");
            }
        }
    }
}

fn work(connection: Connection, jobs: &Jobs<Job>) {
    loop {
        match jobs.next() {
            // A caller who is gone needs no answer.
            Ok(Job::Read(_, reply)) if reply.is_closed() => {}
            Ok(Job::Read(read, reply)) => drop(reply.send(read(&connection))),
            Ok(Job::Close(reply)) => {
                drop(connection);
                let _ = reply.send(Ok(()));
                return;
            }
            Err(NoJob::Yet) => {}
            Err(NoJob::EverMore) => return,
        }
    }
}
