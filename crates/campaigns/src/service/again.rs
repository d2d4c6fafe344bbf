//! Work that is begun again, ever later, after it failed or panicked.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use ambient::Clock;
use futures::FutureExt;
use store::StoreError;
use tokio_util::sync::CancellationToken;

/// After the first failure; doubled each time, up to the longest.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// Does the work until it ends well or is to stop.
pub(super) async fn again<W>(what: &str, clock: &Clock, stop: &CancellationToken, work: impl Fn() -> W)
where
    W: Future<Output = Result<(), StoreError>>,
{
    let mut backoff = FIRST;
    loop {
        match AssertUnwindSafe(work()).catch_unwind().await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => tracing::warn!(what, %error, "a campaign waits for the store"),
            // The hook has logged what it said.
            Err(_) => tracing::error!(what, "a campaign's work panicked; it is begun again"),
        }
        tokio::select! {
            () = clock.sleep(backoff) => {}
            () = stop.cancelled() => return,
        }
        backoff = (backoff * 2).min(LONGEST);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn failed_or_panicked_work_restarts_ever_later() {
        let clock = Clock::system();
        let (stop, tries) = (CancellationToken::new(), AtomicU32::new(0));
        let work = || async {
            match tries.fetch_add(1, Ordering::Relaxed) {
                0 => Err(StoreError::Unavailable("away".to_owned())),
                1 => panic!("a fault"),
                _ => Ok(()),
            }
        };
        let done = again("a test", &clock, &stop, work);
        tokio::pin!(done);
        for (tries_by_now, step) in [(1, FIRST), (2, FIRST * 2)] {
            assert!(futures::poll!(&mut done).is_pending());
            assert_eq!(tries.load(Ordering::Relaxed), tries_by_now);
            clock.advance(step);
        }
        done.await;
        assert_eq!(tries.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn stopping_work_is_not_restarted() {
        let clock = Clock::system();
        let stop = CancellationToken::new();
        stop.cancel();
        again("a test", &clock, &stop, || async { panic!("a fault") }).await;
    }
}
