//! The lists that other programs share with this one, while it runs. What is taken from a list is in the store before it leaves Redis;
//! what an outside program does is open in the store until its result is there.

mod dead;
mod incoming;
mod mirror;
mod outgoing;
mod results;
mod stage;
mod watching;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ::queue::{Done, QueueError, Redis, Taken, keys};
use ambient::Handle;
use config::{PipelineSettings, QueueSettings};
use domain::{Timestamp, lenient};
use serde_json::{Value, json};
use store::StoreError;

use crate::service::Inner;

pub use dead::DeadLetter;
pub(crate) use stage::{NotOffered, Stage};

/// Items that are taken at once.
const MOST: usize = 50;
/// How long until an empty list is looked at again.
const LOOK: Duration = Duration::from_millis(200);
/// How long until Redis or the store is asked again that did not answer.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// An item that is longer is not taken.
const LONGEST: usize = 1024 * 1024;
/// So much of an item is kept among the dead letters.
const DEAD_LENGTH: usize = 64 * 1024;

/// How the queues in Redis are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueueState {
    /// Why Redis cannot be used, and since when.
    pub broken: Option<(String, Timestamp)>,
    /// Another program that took from a list of this one: the list, the program as far as it is known, and when.
    pub other_consumer: Option<(String, Option<String>, Timestamp)>,
    /// The last item that became a dead letter since the start: its list, why, and when.
    pub last_dead: Option<(String, String, Timestamp)>,
}

/// The queues in Redis.
pub(crate) struct Queue {
    pub(crate) redis: Redis,
    offer_again: Duration,
    status: Mutex<Status>,
}

#[derive(Debug, Clone, Default)]
struct Status {
    /// Of each part of the queues for which Redis does nothing: why, and since when.
    broken: BTreeMap<&'static str, (String, Timestamp)>,
    other_consumer: Option<(String, Option<String>, Timestamp)>,
    last_dead: Option<(String, String, Timestamp)>,
}

/// A list that is taken from.
#[derive(Debug, Clone, Copy)]
enum Source {
    Incoming,
    Outgoing,
    Results(Stage),
}

/// What became of an item.
enum Fate {
    /// The store has what it stands for.
    Taken,
    /// It cannot be taken, for this reason.
    Dead(String),
}

/// Why items are not taken now; they stay where they are.
#[derive(Debug, thiserror::Error)]
enum Later {
    #[error(transparent)]
    Queue(#[from] QueueError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("there is no room for more messages")]
    NoRoom,
}

impl Queue {
    /// The queues of these settings; none where they name no Redis.
    pub(crate) fn new(settings: &QueueSettings) -> Result<Option<Self>, QueueError> {
        let redis = Redis::new(settings)?;
        Ok(redis.map(|redis| Self { redis, offer_again: settings.offer_again, status: Mutex::default() }))
    }

    pub(crate) fn state(&self) -> QueueState {
        let Status { broken, other_consumer, last_dead } = self.status().clone();
        QueueState { broken: broken.into_values().next(), other_consumer, last_dead }
    }

    fn status(&self) -> std::sync::MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes whether Redis does something for a part of the queues, and logs when that changes.
    pub(crate) fn note(&self, part: &'static str, answer: Result<(), &QueueError>, now: Timestamp) {
        let mut status = self.status();
        match (answer, status.broken.get_mut(part)) {
            (Ok(()), None) => {}
            (Ok(()), Some(_)) => {
                status.broken.remove(part);
                tracing::info!(part, "Redis answers again");
            }
            (Err(error), Some((why, _))) => *why = error.to_string(),
            (Err(error), None) => {
                tracing::warn!(part, %error, "the queues wait for Redis");
                status.broken.insert(part, (error.to_string(), now));
            }
        }
    }
}

/// Lets the queues move.
pub(crate) fn start(inner: &Handle<Inner>) {
    if inner.queue.is_none() {
        return;
    }
    let settings = &inner.parts.settings;
    let results = Stage::ALL.into_iter().filter(|stage| settings.enabled && stage.may_be_external(settings));
    for source in [Source::Incoming, Source::Outgoing].into_iter().chain(results.map(Source::Results)) {
        inner.tasks.spawn(take(inner.clone(), source));
    }
    if settings.enabled {
        inner.tasks.spawn(mirror::run(inner.clone()));
    }
    inner.tasks.spawn(watching::run(inner.clone()));
}

impl Source {
    const fn part(self) -> &'static str {
        match self {
            Self::Incoming => "incoming",
            Self::Outgoing => "outgoing",
            Self::Results(stage) => stage.as_str(),
        }
    }

    fn list(self) -> String {
        match self {
            Self::Incoming => keys::INCOMING.to_owned(),
            Self::Outgoing => keys::OUTGOING.to_owned(),
            Self::Results(stage) => keys::results(stage.as_str()),
        }
    }
}

/// The lists that no other program may take from.
fn ours(settings: &PipelineSettings) -> Vec<String> {
    let mut lists = vec![keys::INCOMING.to_owned(), keys::OUTGOING.to_owned()];
    for stage in Stage::ALL {
        if stage.may_be_external(settings) {
            lists.push(keys::results(stage.as_str()));
        } else if stage == Stage::Batch {
            lists.push(keys::PENDING.to_owned());
        }
    }
    lists
}

async fn take(inner: Handle<Inner>, source: Source) {
    let Some(queue) = &inner.queue else { return };
    let (list, clock) = (source.list(), &inner.parts.clock);
    while !inner.closing().is_cancelled() {
        let rest = match round(&inner, queue, source, &list).await {
            Ok(taken) => {
                queue.note(source.part(), Ok(()), clock.now());
                if taken == 0 { LOOK } else { Duration::ZERO }
            }
            Err(Later::Queue(error)) => {
                queue.note(source.part(), Err(&error), clock.now());
                ASK_AGAIN
            }
            Err(error) => {
                tracing::warn!(list, %error, "a queue waits");
                ASK_AGAIN
            }
        };
        tokio::select! {
            () = inner.closing().cancelled() => {}
            () = clock.sleep(rest) => {}
        }
    }
}

/// Takes some items, has them in the store, and lets go of them. How many there were.
async fn round(inner: &Inner, queue: &Queue, source: Source, list: &str) -> Result<usize, Later> {
    let ids: Vec<_> = (0..MOST).map(|_| inner.parts.ids.next()).collect();
    let taken = queue.redis.take(list, &ids).await?;
    if taken.is_empty() {
        return Ok(0);
    }
    let mut fates = Vec::with_capacity(taken.len());
    let later = match source {
        Source::Incoming => incoming::take(inner, &taken, &mut fates).await,
        Source::Outgoing => outgoing::take(inner, &taken, &mut fates).await,
        Source::Results(stage) => results::take(inner, queue, stage, &taken, &mut fates).await,
    };
    let now = inner.parts.clock.now();
    let done: Vec<Done<'_>> = taken
        .iter()
        .zip(fates)
        .map(|(taken, fate)| match fate {
            Fate::Taken => Done { taken, dead: None },
            Fate::Dead(reason) => {
                tracing::warn!(list, reason, "an item becomes a dead letter");
                queue.status().last_dead = Some((list.to_owned(), reason.clone(), now));
                Done { taken, dead: Some(dead_letter(list, taken, &reason, now)) }
            }
        })
        .collect();
    failpoint::reach("pipeline.acknowledge.before").await;
    queue.redis.acknowledge(list, &done).await?;
    failpoint::reach("pipeline.acknowledge.after").await;
    later.map(|()| taken.len())
}

fn dead_letter(list: &str, taken: &Taken, reason: &str, now: Timestamp) -> String {
    let item = taken.item.get(..DEAD_LENGTH).unwrap_or(&taken.item);
    json!({
        "list": list, "reason": reason, "item": String::from_utf8_lossy(item), "at": now,
        "id": taken.id.map(|id| id.simple().to_string()),
    })
    .to_string()
}

/// An item as an object.
fn read(item: &[u8]) -> Result<Value, String> {
    if item.len() > LONGEST {
        return Err(format!("it has more than {LONGEST} bytes"));
    }
    let read = match lenient::json(item) {
        // Written as JSON twice.
        Ok(Value::String(text)) => lenient::json(text.as_bytes()),
        read => read,
    };
    match read {
        // As n8n writes what it puts out.
        Ok(Value::Array(items)) if items.len() == 1 => Ok(items.into_iter().next().unwrap_or_default()),
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err("it is no JSON object".to_owned()),
        Err(error) => Err(format!("it is no JSON: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_an_object_however_it_was_written() {
        for item in ["{\"a\":1}", "\u{feff}{\"a\":1}", "[{\"a\":1}]", "\"{\\\"a\\\":1}\""] {
            assert_eq!(read(item.as_bytes()), Ok(json!({ "a": 1 })), "{item}");
        }
        for item in ["", "a", "\"a\"", "[]", "7", "\"[1\""] {
            assert!(read(item.as_bytes()).is_err(), "{item}");
        }
    }
}
