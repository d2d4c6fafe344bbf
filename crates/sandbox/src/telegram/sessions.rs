//! The connected sessions, and pushing updates to them.

use std::collections::HashMap;

use grammers_tl_types::{Serializable, enums};
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

use crate::call::{Caller, ConnectionId, Push};
use crate::keys::AuthKeyId;

/// One MTProto session of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SessionKey {
    pub(crate) key: AuthKeyId,
    pub(crate) session: i64,
}

impl From<&Caller> for SessionKey {
    fn from(caller: &Caller) -> Self {
        Self { key: caller.key, session: caller.session }
    }
}

#[derive(Debug)]
struct Session {
    id: i64,
    connection: ConnectionId,
    pushes: Sender<Push>,
    /// Its queue was full and updates were dropped: it must be notified.
    lagging: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Sessions {
    by_key: HashMap<AuthKeyId, Vec<Session>>,
    by_connection: HashMap<ConnectionId, Vec<SessionKey>>,
}

impl Sessions {
    pub(crate) fn connect(&mut self, caller: &Caller, pushes: Sender<Push>) {
        let sessions = self.by_key.entry(caller.key).or_default();
        sessions.retain(|session| session.id != caller.session);
        sessions.push(Session { id: caller.session, connection: caller.connection, pushes, lagging: false });
        self.by_connection.entry(caller.connection).or_default().push(caller.into());
    }

    pub(crate) fn disconnect(&mut self, connection: ConnectionId) {
        for SessionKey { key, session } in self.by_connection.remove(&connection).unwrap_or_default() {
            if let Some(sessions) = self.by_key.get_mut(&key) {
                // The session may have come back on a newer connection already.
                sessions.retain(|known| known.id != session || known.connection != connection);
                if sessions.is_empty() {
                    self.by_key.remove(&key);
                }
            }
        }
    }

    pub(crate) fn count(&self, keys: &[AuthKeyId]) -> usize {
        keys.iter().filter_map(|key| self.by_key.get(key)).map(Vec::len).sum()
    }

    /// Whether any session but this one is there to be notified.
    pub(crate) fn anyone(&self, keys: &[AuthKeyId], except: Option<SessionKey>) -> bool {
        keys.iter().any(|key| {
            self.by_key.get(key).is_some_and(|sessions| {
                sessions.iter().any(|one| except != Some(SessionKey { key: *key, session: one.id }))
            })
        })
    }

    pub(crate) fn push(&mut self, keys: &[AuthKeyId], except: Option<SessionKey>, push: &Push) {
        for key in keys {
            for session in self.by_key.get_mut(key).into_iter().flatten() {
                if except != Some(SessionKey { key: *key, session: session.id }) {
                    session.push(push);
                }
            }
        }
    }
}

impl Session {
    /// Never waits: a session that does not keep up loses updates, is notified of it, and asks for the difference.
    fn push(&mut self, push: &Push) {
        if self.lagging && self.pushes.try_send(Push::plain(enums::Updates::TooLong.to_bytes())).is_ok() {
            self.lagging = false;
        }
        if let Err(TrySendError::Full(_)) = self.pushes.try_send(push.clone()) {
            self.lagging = true;
        }
    }
}
