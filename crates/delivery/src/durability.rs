//! What is promised to callers that hand work in, message or saga: a change runs to its end, "not accepted" is true, and
//! a caller that hung up finds its work again.

use std::fmt::Display;
use std::time::Duration;

use store::StoreError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::Ambient;

/// After a store that did not answer, how long until it is asked again.
pub(crate) const ASK_AGAIN: Duration = Duration::from_secs(1);

/// How often it is asked once more while the program ends.
const CLOSING_ATTEMPTS: u32 = 3;

/// What became of work that the store did not answer for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is on disk and will be carried.
    Accepted,
    /// It will never be carried.
    NotAccepted,
    /// The program ends before the store has answered.
    Unknown,
}

/// Runs a change to its end even if its caller goes away: a connection that is cut must not leave work half
/// accepted. It runs from now on; a caller that waits for it holds no more than its answer.
pub(crate) fn to_the_end<T, F>(
    tasks: &TaskTracker,
    change: F,
) -> impl Future<Output = Result<T, StoreError>> + use<T, F>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let running = ambient::run_detached(tasks, change);
    async { running.await.ok_or_else(|| StoreError::Unavailable("the change did not end".to_owned())) }
}

/// "Nothing was accepted" must be true of the first call with the same key as well: of a refusal remains what that one
/// brought, if there was one. `repeated` asks for it, and is nothing for work without a key.
pub(crate) async fn unless_repeated<S, E>(
    taken: Result<S, E>,
    repeated: Option<impl Future<Output = Result<Option<S>, E>>>,
    is_conflict: impl Fn(&E) -> bool,
) -> Result<S, E> {
    let (refused, repeated) = match (taken, repeated) {
        (Err(refused), Some(repeated)) if !is_conflict(&refused) => (refused, repeated),
        (taken, _) => return taken,
    };
    match repeated.await {
        Ok(Some(submitted)) => Ok(submitted),
        Err(conflict) if is_conflict(&conflict) => Err(conflict),
        Ok(None) | Err(_) => Err(refused),
    }
}

/// What the store says of work that it was to take in: nothing where it was late to answer and has the work all the same.
/// `fate` finds that out, and `unknown` is for when no one can.
///
/// # Errors
/// The work was not taken in, unless it is `unknown`.
pub(crate) async fn answer_or_fate<A, E: From<StoreError>>(
    answer: Result<A, StoreError>,
    subject: &impl Display,
    fate: impl Future<Output = Fate>,
    unknown: E,
) -> Result<Option<A>, E> {
    let why = match answer {
        Err(StoreError::Unavailable(why)) => why,
        answer => return Ok(Some(answer?)),
    };
    match fate.await {
        Fate::Accepted => {
            tracing::warn!(%subject, why, "accepted, though the store was late to say so");
            Ok(None)
        }
        Fate::NotAccepted => Err(StoreError::Unavailable(why).into()),
        Fate::Unknown => Err(unknown),
    }
}

/// Ends cleanly: nothing new is begun, and what is on the wire is waited for, at most `limit`. Says whether it ended.
pub(crate) async fn wound_up(closing: &CancellationToken, tasks: &TaskTracker, limit: Duration) -> bool {
    closing.cancel();
    tasks.close();
    tokio::time::timeout(limit, tasks.wait()).await.is_ok()
}

/// A write whose answer did not come may be on disk all the same, and "not accepted" must be true. A cancel goes behind
/// it in the same queue, and what it finds decides: true when the work waited or is not there. When the program ends
/// meanwhile, the store is asked a few times more; one that stays silent leaves it open.
pub(crate) async fn fate<F>(
    ambient: &Ambient,
    closing: &CancellationToken,
    subject: &impl Display,
    cancel: impl Fn() -> F,
) -> Fate
where
    F: Future<Output = Result<bool, StoreError>>,
{
    let mut closing_attempts = 0;
    loop {
        match cancel().await {
            Ok(true) | Err(StoreError::NotFound { .. }) => return Fate::NotAccepted,
            Ok(false) => return Fate::Accepted,
            Err(error) if closing_attempts >= CLOSING_ATTEMPTS => {
                tracing::error!(%subject, %error, "whether it was accepted is not known; the next start tells");
                return Fate::Unknown;
            }
            Err(error) => {
                tracing::error!(%subject, %error, "whether it was accepted is not known yet");
                ambient.clock.sleep(ASK_AGAIN).await;
                closing_attempts += u32::from(closing.is_cancelled());
            }
        }
    }
}

/// Notes that a caller without a key is gone or was left in doubt. Tries until it is stored: without the note a repeat of
/// its request would be work of its own.
pub(crate) async fn unanswered<F>(
    ambient: &Ambient,
    closing: &CancellationToken,
    subject: &impl Display,
    note: impl Fn() -> F,
) where
    F: Future<Output = Result<(), StoreError>>,
{
    loop {
        match note().await {
            Ok(()) => return,
            Err(StoreError::Conflict { table, what } | StoreError::NotFound { table, what }) => {
                tracing::warn!(%subject, table, what, "there is nothing that a caller could come back to");
                return;
            }
            Err(error) => {
                tracing::warn!(%subject, %error, "a caller got no answer, and that is not stored yet");
                tokio::select! {
                    () = ambient.clock.sleep(ASK_AGAIN) => {}
                    // The next start takes every caller for gone.
                    () = closing.cancelled() => return,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use ambient::{Chance, Clock, Ids};

    use super::*;

    /// The fate of work of which the store says this after it was silent so often, and how often it was asked.
    async fn fate_of(silent: u32, closing: bool, answer: Result<bool, StoreError>) -> (Fate, u32) {
        let clock = Clock::system();
        let ambient =
            Ambient { ids: Ids::new(clock.clone()), chance: Chance::from_system(), clock: clock.clone() };
        let token = CancellationToken::new();
        if closing {
            token.cancel();
        }
        let attempts = AtomicU32::new(0);
        let cancel = || {
            let is_silent = attempts.fetch_add(1, Ordering::Relaxed) < silent;
            let silence = Err(StoreError::Unavailable("busy".into()));
            std::future::ready(if is_silent { silence } else { answer.clone() })
        };
        let waits = async {
            loop {
                tokio::time::sleep(Duration::from_millis(1)).await;
                clock.advance(ASK_AGAIN);
            }
        };
        let fate = tokio::select! {
            fate = fate(&ambient, &token, &"demo", cancel) => fate,
            () = waits => Fate::Unknown,
        };
        (fate, attempts.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn the_late_reply_of_the_store_decides_the_fate() {
        let gone = || Err(StoreError::NotFound { table: "outbox", what: "there is none".into() });
        assert_eq!(fate_of(0, false, Ok(false)).await, (Fate::Accepted, 1));
        assert_eq!(fate_of(9, false, Ok(true)).await, (Fate::NotAccepted, 10));
        assert_eq!(fate_of(9, false, gone()).await, (Fate::NotAccepted, 10));
    }

    #[tokio::test]
    async fn a_program_that_ends_never_says_not_accepted_without_proof() {
        assert_eq!(fate_of(3, true, Ok(false)).await, (Fate::Accepted, 4));
        assert_eq!(fate_of(3, true, Ok(true)).await, (Fate::NotAccepted, 4));
        assert_eq!(fate_of(99, true, Ok(true)).await, (Fate::Unknown, 4));
    }
}
