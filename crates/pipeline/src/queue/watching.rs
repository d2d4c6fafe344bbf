//! Other programs that take from lists of this one: they are named in the log and in the state of the queues.

use std::time::Duration;

use ::queue::QueueError;
use ambient::Handle;
use domain::Timestamp;

use super::{Queue, ours};
use crate::service::Inner;

/// How long until it is listened again after a break.
const LISTEN_AGAIN: Duration = Duration::from_secs(5);
/// How often the same is said at most.
const SAY_AGAIN: Duration = Duration::from_mins(1);

pub(super) async fn run(inner: Handle<Inner>) {
    let Some(queue) = &inner.queue else { return };
    let (clock, mut reported_at) = (&inner.parts.clock, None);
    while !inner.closing().is_cancelled() {
        tokio::select! {
            () = inner.closing().cancelled() => return,
            // Whether Redis answers at all, those that take from it notice.
            listened = listen(&inner, queue, &mut reported_at) => if let Err(error) = listened {
                tracing::debug!(%error, "other consumers of the queues go unnoticed");
            },
        }
        tokio::select! {
            () = inner.closing().cancelled() => {}
            () = clock.sleep(LISTEN_AGAIN) => {}
        }
    }
}

async fn listen(inner: &Inner, queue: &Queue, reported_at: &mut Option<Timestamp>) -> Result<(), QueueError> {
    let lists = ours(&inner.parts.settings);
    let lists: Vec<&str> = lists.iter().map(String::as_str).collect();
    let mut watch = queue.redis.watch(&lists).await?;
    while let Some(list) = watch.next().await {
        let now = inner.parts.clock.now();
        if reported_at.is_some_and(|reported_at| reported_at.plus(SAY_AGAIN) > now) {
            continue;
        }
        *reported_at = Some(now);
        let who: Vec<String> = queue.redis.poppers().await?.iter().map(ToString::to_string).collect();
        let who = (!who.is_empty()).then(|| who.join(", "));
        tracing::warn!(
            list,
            who = who.as_deref().unwrap_or("a connection that is closed by now"),
            "another program takes from a list of this one: switch it off, or leave the stage to it"
        );
        queue.status().other_consumer = Some((list, who, now));
    }
    Ok(())
}
