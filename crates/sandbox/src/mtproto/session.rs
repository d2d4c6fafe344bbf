//! Sessions: what a data centre remembers of a client's session, on whichever connection it comes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::message_id::{Ids, Purpose, Received};
use crate::keys::AuthKeyId;

/// Sessions kept while no connection has them; over it they are forgotten, and announced as new when they return.
const MOST_SESSIONS: usize = 4096;

/// One client session.
#[derive(Debug, Default)]
pub(crate) struct Session {
    /// The layer of its last `invokeWithLayer`.
    pub(crate) layer: i32,
    /// It has made a request that was not wrapped in `invokeWithoutUpdates`.
    pub(crate) wants_updates: bool,
    /// `new_session_created` was sent.
    pub(crate) announced: bool,
    pub(crate) received: Received,
    ids: Ids,
    content_sent: i32,
}

impl Session {
    /// Id and sequence number of a message to send.
    pub(crate) fn number(&mut self, now: SystemTime, purpose: Purpose, content: bool) -> (i64, i32) {
        let sequence = self.content_sent.wrapping_mul(2) | i32::from(content);
        self.content_sent = self.content_sent.wrapping_add(i32::from(content));
        (self.ids.next(now, purpose), sequence)
    }
}

/// A session that connections share.
pub(crate) type Shared = Arc<Mutex<Session>>;

pub(crate) fn lock(session: &Mutex<Session>) -> MutexGuard<'_, Session> {
    session.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All sessions of a data centre.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<HashMap<(AuthKeyId, i64), Shared>>);

impl Sessions {
    fn table(&self) -> MutexGuard<'_, HashMap<(AuthKeyId, i64), Shared>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session with this id, made if need be.
    pub(crate) fn find(&self, key: AuthKeyId, session: i64) -> Shared {
        let mut table = self.table();
        if table.len() >= MOST_SESSIONS {
            table.retain(|_, session| Arc::strong_count(session) > 1);
        }
        Arc::clone(table.entry((key, session)).or_default())
    }

    /// Forgets a session; returns whether it was there.
    pub(crate) fn destroy(&self, key: AuthKeyId, session: i64) -> bool {
        self.table().remove(&(key, session)).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_numbers_count_content() {
        let mut session = Session::default();
        let mut number = |content| session.number(SystemTime::UNIX_EPOCH, Purpose::Answer, content).1;
        assert_eq!([true, false, true, true, false].map(&mut number), [1, 2, 3, 5, 6]);
    }

    #[test]
    fn sessions_without_a_connection_are_bounded() {
        let sessions = Sessions::default();
        let held = sessions.find(AuthKeyId(1), 0);
        lock(&held).layer = 5;
        for id in 1..5000 {
            sessions.find(AuthKeyId(1), id);
        }
        assert!(sessions.table().len() <= MOST_SESSIONS);
        assert_eq!(lock(&sessions.find(AuthKeyId(1), 0)).layer, 5);
        assert!(sessions.destroy(AuthKeyId(1), 0));
        assert!(!sessions.destroy(AuthKeyId(1), 0));
    }
}
