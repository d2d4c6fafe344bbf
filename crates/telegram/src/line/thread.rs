//! A thread for the connections of accounts: what comes in there waits for no other work of the program.

use std::io;
use std::thread::{self, JoinHandle};

use tokio::runtime::{Builder, Handle};
use tokio_util::sync::CancellationToken;

/// A thread that moves the bytes of connections, until it is dropped; connections that are still open then are closed.
///
/// A press of a button leaves from the task of its connection. Among the other tasks of the program it would wait for a worker.
pub struct ConnectionThread {
    handle: Handle,
    closing: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl ConnectionThread {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system gives no thread, or no descriptors to wait with.
    pub fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (handle, closing) = (runtime.handle().clone(), CancellationToken::new());
        let closed = closing.clone();
        let thread = thread::Builder::new().name("connections".to_owned()).spawn(move || {
            runtime.block_on(closed.cancelled());
            // A name that is being resolved is not waited for.
            runtime.shutdown_background();
        })?;
        Ok(Self { handle, closing, thread: Some(thread) })
    }

    /// Where its tasks run, for [`PoolParts::connections`](crate::PoolParts::connections).
    pub const fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for ConnectionThread {
    fn drop(&mut self) {
        self.closing.cancel();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the connections died");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tasks_run_on_the_thread_until_it_is_dropped() {
        let connections = ConnectionThread::start().expect("a thread");
        let name = connections.handle().spawn(async { thread::current().name().map(str::to_owned) });
        assert_eq!(name.await.expect("it ran").as_deref(), Some("connections"));
        let endless = connections.handle().spawn(std::future::pending::<()>());
        drop(connections);
        assert!(endless.await.expect_err("it was aborted").is_cancelled());
    }
}
