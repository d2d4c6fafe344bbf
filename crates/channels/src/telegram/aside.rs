//! Updates that wait until Telegram says which person their connection is of. They outlive a restart, and all others pass them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::outcome::HoldScope;
use domain::{InboundEvent, Timestamp};
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::TelegramBot;
use super::permitted::connection_of;
use super::refusal::Failure;
use crate::arrival::is_due_again;
use crate::error::CallError;

/// Under which name the updates are kept.
const KEPT: &str = "set_aside";
/// The most updates that are set aside, and the most bytes of them. More updates of such connections hold up the others.
const MOST: usize = 300;
const MOST_BYTES: usize = 1024 * 1024;
/// An update is given up after this time, for which Telegram keeps updates too.
const GIVE_UP: Duration = Duration::from_hours(24);
/// The most connections that are asked for at once, and the longest that one look at all of them takes.
const AT_ONCE: usize = 8;
const LOOK: Duration = Duration::from_secs(10);

/// The updates, and how asking for their connections goes.
#[derive(Debug, Default)]
pub(super) struct SetAside {
    updates: Vec<Waiting>,
    /// When each connection was asked for first, and last.
    tries: BTreeMap<String, (Timestamp, Timestamp)>,
    /// Until when Telegram wants no such call.
    held_until: Option<Timestamp>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Waiting {
    connection: String,
    /// When it was set aside, in microseconds.
    at: i64,
    update: Value,
    /// Whether it is on disk.
    #[serde(skip)]
    is_kept: bool,
    /// Whether its events are on their way into the store.
    #[serde(skip)]
    is_recalled: bool,
}

impl Waiting {
    fn id(&self) -> Option<i64> {
        number(&self.update)
    }
}

fn number(update: &Value) -> Option<i64> {
    update["update_id"].as_i64()
}

impl SetAside {
    /// Those that were kept.
    pub(super) fn read(kept: Option<&str>) -> Self {
        let updates: Vec<Waiting> = kept.and_then(|kept| serde_json::from_str(kept).ok()).unwrap_or_default();
        let kept = |waiting: Waiting| Waiting { is_kept: true, ..waiting };
        Self { updates: updates.into_iter().map(kept).collect(), ..Self::default() }
    }

    /// What is to be kept, and the numbers of its updates.
    fn write(&self) -> (String, BTreeSet<i64>) {
        let text = serde_json::to_string(&self.updates).unwrap_or_default();
        (text, self.updates.iter().filter_map(Waiting::id).collect())
    }

    fn has(&self, connection: &str) -> bool {
        self.updates.iter().any(|waiting| waiting.connection == connection)
    }

    /// Whether an update is set aside and on disk.
    pub(super) fn holds(&self, update: &Value) -> bool {
        let id = number(update);
        self.updates.iter().any(|waiting| waiting.is_kept && waiting.id() == id)
    }

    /// Sets an update aside; false where there is no room.
    fn add(&mut self, connection: &str, update: &Value, now: Timestamp) -> bool {
        let id = number(update);
        if self.updates.iter().any(|waiting| waiting.id() == id) {
            return true;
        }
        let size = |update: &Value| update.to_string().len();
        let bytes: usize = self.updates.iter().map(|waiting| size(&waiting.update)).sum();
        if self.updates.len() >= MOST || bytes + size(update) > MOST_BYTES {
            return false;
        }
        let (connection, at, update) = (connection.to_owned(), now.as_micros(), update.clone());
        self.updates.push(Waiting { connection, at, update, is_kept: false, is_recalled: false });
        true
    }

    /// How long Telegram wants no such call yet.
    fn wait(&self, now: Timestamp) -> Option<Duration> {
        self.held_until.filter(|until| *until > now).map(|until| until.since(now))
    }

    fn tried(&mut self, connection: &str, now: Timestamp) {
        if self.has(connection) {
            self.tries.entry(connection.to_owned()).or_insert((now, now)).1 = now;
        }
    }

    /// The connections, those to be asked for again first, the one that was asked for longest ago before the others.
    fn due(&self, now: Timestamp) -> Vec<String> {
        let all: BTreeSet<&String> = self.updates.iter().map(|waiting| &waiting.connection).collect();
        let tried = |connection: &String| self.tries.get(connection).copied();
        let mut due: Vec<&String> =
            all.into_iter().filter(|one| tried(one).is_none_or(|tries| is_due_again(tries, now))).collect();
        due.sort_by_key(|connection| tried(connection).map(|(_, last)| last));
        due.into_iter().cloned().collect()
    }

    /// Gives up what waits for too long.
    fn give_up(&mut self, now: Timestamp) -> Vec<Value> {
        let is_old = |waiting: &mut Waiting| now.since(Timestamp::from_micros(waiting.at)) >= GIVE_UP;
        self.updates.extract_if(.., is_old).map(|waiting| waiting.update).collect()
    }

    /// The updates whose connection is known by now, in their order.
    fn recall(&mut self, knows: impl Fn(&str) -> bool) -> Vec<Value> {
        let mut recalled = Vec::new();
        for waiting in &mut self.updates {
            if knows(&waiting.connection) {
                waiting.is_recalled = true;
                recalled.push(waiting.update.clone());
            }
        }
        recalled
    }

    /// Forgets those that were recalled.
    fn forget(&mut self) {
        self.updates.retain(|waiting| !waiting.is_recalled);
        let waits: BTreeSet<&str> = self.updates.iter().map(|waiting| waiting.connection.as_str()).collect();
        self.tries.retain(|connection, _| waits.contains(connection.as_str()));
    }
}

impl TelegramBot {
    /// Asks Telegram for the person of a connection, unless it wants no such call now.
    ///
    /// # Errors
    /// No answer came, and the connection may be the owner's.
    pub(super) async fn learn(&self, connection: &str) -> Result<(), CallError> {
        let now = self.clock.now();
        let wait = self.aside.lock().wait(now);
        if let Some(wait) = wait {
            return Err(CallError::Wait { wait, scope: HoldScope::Chat });
        }
        self.aside.lock().tried(connection, now);
        let body = json!({ "business_connection_id": connection });
        let asked = match self.client.call::<Value>("getBusinessConnection", &body).await {
            // The other calls work, so this is no wrong token.
            Err(Failure::Missing(why)) => Err(CallError::Server(format!("404 {why}"))),
            asked => asked.map_err(CallError::from),
        };
        let described = match asked {
            Ok(described) => described,
            Err(CallError::Refused { .. } | CallError::NotFound(_) | CallError::Forbidden(_)) => Value::Null,
            Err(_) if !self.permitted.lock().lists_accounts() => Value::Null,
            Err(CallError::Wait { wait, .. }) => {
                self.aside.lock().held_until = Some(self.clock.now().plus(wait));
                return Err(CallError::Wait { wait, scope: HoldScope::Chat });
            }
            Err(error) => return Err(error),
        };
        self.permitted.lock().learn(connection, &described);
        Ok(())
    }

    /// Sets an update aside if the person of its connection is not known, asking for it for so long. Later updates of the connection
    /// follow it. [`TelegramBot::keep_aside`] is to follow.
    ///
    /// # Errors
    /// There is no room.
    pub(super) async fn sets_aside(&self, update: &Value, limit: Duration) -> Result<bool, CallError> {
        let Some(connection) = connection_of(update) else { return Ok(false) };
        let (waits, is_known) = (self.aside.lock().has(connection), self.permitted.lock().knows(connection));
        if !waits && is_known {
            return Ok(false);
        }
        if !waits {
            let asked = self.clock.timeout(limit, self.learn(connection)).await;
            match asked.unwrap_or(Err(CallError::NoAnswer(limit))) {
                Ok(()) => return Ok(false),
                // It is ignored anyway, and is not asked for again.
                Err(_) if !self.permitted.lock().lists_accounts() => {
                    self.permitted.lock().learn(connection, &Value::Null);
                    return Ok(false);
                }
                Err(error) => tracing::warn!(
                    account = %self.name, connection, %error,
                    "Telegram does not say which person a connection of the bot is of; its updates wait"
                ),
            }
        }
        let is_added = self.aside.lock().add(connection, update, self.clock.now());
        if !is_added {
            let detail = "too many updates wait for Telegram to say which person their connection is of";
            return Err(CallError::refused("set_aside", detail));
        }
        Ok(true)
    }

    /// Keeps what is set aside; it is on disk when this returns.
    ///
    /// # Errors
    /// The store cannot be written.
    pub(super) async fn keep_aside(&self) -> Result<(), CallError> {
        let _one = self.keeping.lock().await;
        let (text, ids) = self.aside.lock().write();
        let kept = self.kept.put(vec![(KEPT, text.into())]).await;
        kept.map_err(|error| CallError::refused("store", error.to_string()))?;
        for waiting in &mut self.aside.lock().updates {
            waiting.is_kept |= waiting.id().is_some_and(|id| ids.contains(&id));
        }
        Ok(())
    }

    /// Asks for the connections of what is set aside, and reads what can be read by now.
    pub(super) async fn recall_set_aside(&self) -> Vec<InboundEvent> {
        let now = self.clock.now();
        let given_up = self.aside.lock().give_up(now);
        if !given_up.is_empty() {
            tracing::error!(
                account = %self.name, given_up = given_up.len(),
                "updates are left out: for a day Telegram did not say which person their connection is of"
            );
        }
        let due = self.aside.lock().due(now);
        let unknown = due.into_iter().filter(|connection| !self.permitted.lock().knows(connection));
        let asking: Vec<_> = unknown.map(|connection| self.ask_again(connection)).collect();
        let all = futures::stream::iter(asking).buffer_unordered(AT_ONCE).collect::<Vec<()>>();
        let _ = self.clock.timeout(LOOK, all).await;
        let updates = self.aside.lock().recall(|connection| self.permitted.lock().knows(connection));
        let left_out = given_up.iter().map(|update| {
            InboundEvent::lost("an update whose connection is not known").with_raw(|| update.to_string())
        });
        let read = updates.iter().filter_map(|update| self.read(update)).flat_map(|(_, events)| events);
        left_out.chain(read).collect()
    }

    async fn ask_again(&self, connection: String) {
        if let Err(error) = self.learn(&connection).await {
            tracing::debug!(account = %self.name, connection, %error, "a connection is asked for again later");
        }
    }

    /// Forgets what was recalled.
    ///
    /// # Errors
    /// The store cannot be written.
    pub(super) async fn forget_set_aside(&self) -> Result<(), CallError> {
        self.aside.lock().forget();
        self.keep_aside().await
    }

    /// Whether something is set aside.
    pub(super) fn has_set_aside(&self) -> bool {
        !self.aside.lock().updates.is_empty()
    }

    /// What was kept before a restart.
    pub(super) fn kept_aside(kept: &crate::stored_values::StoredValues) -> SetAside {
        SetAside::read(kept.text(KEPT).as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn update(id: i64) -> Value {
        json!({ "update_id": id })
    }

    #[test]
    fn what_is_set_aside_outlives_a_restart_and_is_recalled_in_its_order() {
        let mut aside = SetAside::default();
        for (id, connection) in [(7, "a"), (8, "b"), (9, "a"), (7, "a")] {
            assert!(aside.add(connection, &update(id), at(1)));
        }
        assert!(!aside.holds(&update(7)), "it is not on disk");
        let (text, ids) = aside.write();
        assert_eq!(ids, BTreeSet::from([7, 8, 9]));
        let mut aside = SetAside::read(Some(&text));
        assert!(aside.holds(&update(7)) && aside.has("b"));
        assert_eq!(aside.recall(|connection| connection == "a"), [update(7), update(9)]);
        assert!(aside.has("a"), "its events are not kept yet");
        aside.forget();
        assert!(!aside.has("a") && aside.has("b"));
        assert_eq!(aside.give_up(at(2)), [] as [Value; 0]);
        assert_eq!(aside.give_up(at(24 * 3_600 + 1)), [update(8)]);
        assert!(SetAside::read(Some("{")).updates.is_empty() && SetAside::read(None).updates.is_empty());
    }

    #[test]
    fn there_is_room_for_some_updates() {
        let mut aside = SetAside::default();
        let added = (0..1_000).filter(|id| aside.add("a", &update(*id), at(1))).count();
        assert_eq!(added, MOST);
        let large = json!({ "update_id": 1, "text": "x".repeat(MOST_BYTES) });
        assert!(!SetAside::default().add("a", &large, at(1)));
    }

    #[test]
    fn a_connection_is_asked_for_after_ever_longer_times() {
        let mut aside = SetAside::default();
        for (id, connection) in [(1, "a"), (2, "b")] {
            aside.add(connection, &update(id), at(0));
        }
        assert_eq!(aside.due(at(0)), ["a", "b"]);
        aside.tried("a", at(0));
        aside.tried("none", at(0));
        assert_eq!(aside.due(at(20)), ["b", "a"]);
        aside.tried("a", at(20));
        assert_eq!(aside.due(at(39)), ["b"]);
        assert_eq!(aside.due(at(40)), ["b", "a"]);
        assert!(!aside.tries.contains_key("none"));
        aside.held_until = Some(at(3_600));
        assert_eq!(aside.wait(at(100)), Some(Duration::from_secs(3_500)));
        assert_eq!(aside.wait(at(3_600)), None);
    }
}
