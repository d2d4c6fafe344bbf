//! Watching over a login: tokens are made again, accepted ones used, and what is left alone comes to an end.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::Timestamp;
use store::StoreError;

use super::record::{Record, Step};
use super::table::Login;
use super::turn::Turn;
use crate::pool::Pool;

/// After how long a login that no one goes on with ends.
pub(super) const LEFT_ALONE: Duration = Duration::from_mins(15);

/// For how long Telegram is asked in vain what became of a login that no one goes on with, before it ends unasked.
pub(super) const IN_VAIN: Duration = Duration::from_mins(1);

/// How long after a step that failed it is tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// Takes up the logins of an earlier run: each goes on where it was, unless its key is signed in already.
pub(crate) async fn take_up(pool: &Arc<Pool>) -> Result<(), StoreError> {
    for stored in pool.store.accounts().logins().await? {
        let Some(mut record) = Record::read(&stored.record).filter(|_| pool.get(&stored.account).is_some())
        else {
            tracing::warn!(account = %stored.account, "a login of no account, or of another version, is forgotten");
            pool.store.accounts().forget_login(&stored.account).await?;
            continue;
        };
        // Whatever was asked for last may have been done.
        record.in_doubt = !record.is_blank() && !matches!(record.step, Step::Failed { .. });
        let login = pool.logins.of(&stored.account, &pool.running.closing);
        login.show(record.state());
        login.inner.lock().await.record = Some(record);
        // At rest no one is asked before someone wants to go on.
        if !pool.running.at_rest {
            watch(pool, &login);
        }
    }
    Ok(())
}

pub(super) fn watch(pool: &Arc<Pool>, login: &Arc<Login>) {
    if !login.watched.swap(true, Ordering::AcqRel) {
        pool.running.tasks.spawn(run(Arc::clone(pool), Arc::clone(login)));
    }
}

async fn run(pool: Arc<Pool>, login: Arc<Login>) {
    let mut failing_since = None;
    loop {
        let Ok(mut turn) = Turn::of(Arc::clone(&pool), Arc::clone(&login)).await else { break };
        let now = pool.clock.now();
        let due = match turn.tend(failing_since).await {
            Ok(due) => {
                failing_since = None;
                due
            }
            Err(error) => {
                tracing::debug!(account = %login.account, %error, "a login waits");
                failing_since.get_or_insert(now);
                Some(now.plus(AGAIN))
            }
        };
        let Some(due) = due else {
            // Said while no one else has the turn: anyone who starts over watches again.
            login.watched.store(false, Ordering::Release);
            return;
        };
        drop(turn);
        tokio::select! {
            () = login.closing.cancelled() => break,
            () = login.changed.notified() => {}
            () = pool.clock.sleep_until(due.max(now.plus(Duration::from_millis(10)))) => {}
        }
    }
    let connection = login.inner.lock().await.connection.take();
    if let Some(connection) = connection {
        connection.close().await;
    }
}

/// When a login has to be looked after next; `None` when it is over.
pub(super) fn due(record: &Record) -> Option<Timestamp> {
    let end = record.touched_at.plus(LEFT_ALONE);
    match &record.step {
        Step::Token { expires_at, .. } => Some(end.min(*expires_at)),
        Step::Failed { .. } => record.held_until,
        Step::Fresh
        | Step::Code { .. }
        | Step::Password { .. }
        | Step::Terms { .. }
        | Step::Moving { .. }
        | Step::StartOver => Some(end),
    }
}
