//! The signals that stop the program.

use std::time::Duration;

use ambient::Clock;
use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::task::AbortOnDropHandle;

use super::DRAIN;

/// SIGINT and SIGTERM, kept from the moment they are watched: one that arrives before it is awaited is not lost.
pub(super) struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
    /// Ends the process while it starts.
    limit: Option<AbortOnDropHandle<()>>,
}

impl StopSignals {
    pub(super) fn watch() -> anyhow::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).context("Ctrl+C cannot be watched")?,
            terminate: signal(SignalKind::terminate())?,
            limit: None,
        })
    }

    /// Watches the signals from the beginning of a start. A start that does not end within [`DRAIN`] of a signal ends the process:
    /// it may wait for a disk that does not answer. That holds until [`StopSignals::started`].
    pub(super) fn of_start(clock: &Clock) -> anyhow::Result<Self> {
        let (mut during_start, clock) = (Self::watch()?, clock.clone());
        let limit = async move {
            let exit = || {
                eprintln!(
                    "error: a signal asked the start to stop, and it did not within {} s",
                    DRAIN.as_secs()
                );
                std::process::exit(1);
            };
            end_after(during_start.received(), &clock, DRAIN, exit).await;
        };
        // The main thread may stand still.
        Ok(Self { limit: Some(AbortOnDropHandle::new(tokio::spawn(limit))), ..Self::watch()? })
    }

    /// From now on the caller awaits the signals.
    pub(super) fn started(&mut self) {
        self.limit = None;
    }

    pub(super) async fn received(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Ends the process a while after a signal.
async fn end_after(signal: impl Future<Output = ()>, clock: &Clock, wait: Duration, exit: impl FnOnce()) {
    signal.await;
    clock.sleep(wait).await;
    exit();
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn a_start_that_stands_still_is_ended() {
        let (exit, ended) = sync_channel(1);
        let clock = Clock::system();
        let limit = async move {
            let exit = || exit.send(()).expect("the start waits");
            end_after(std::future::ready(()), &clock, Duration::from_millis(1), exit).await;
        };
        let _limit = AbortOnDropHandle::new(tokio::spawn(limit));
        // As a read of a pipe would.
        ended.recv_timeout(DRAIN).expect("it is ended");
    }
}
