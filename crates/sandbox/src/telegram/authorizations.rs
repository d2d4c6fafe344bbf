//! Whose an auth key is, and whether it is still alive.

use std::collections::HashMap;

use crate::call::ConnectionId;
use crate::keys::AuthKeyId;

/// A key that belongs to a user.
#[derive(Debug)]
pub(crate) struct Authorization {
    pub(crate) user: i64,
    /// Brought from another data centre by `auth.importAuthorization`: good for files only.
    pub(crate) imported: bool,
    /// The newest connection that served a request with it.
    newest: Option<ConnectionId>,
    /// Used on two connections at once: dead for ever.
    duplicated: bool,
}

/// All keys that belong to someone.
#[derive(Debug, Default)]
pub(crate) struct Authorizations {
    by_key: HashMap<AuthKeyId, Authorization>,
    keys_of: HashMap<i64, Vec<AuthKeyId>>,
}

/// The key is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Duplicated;

impl Authorizations {
    pub(crate) fn bind(&mut self, key: AuthKeyId, user: i64, imported: bool) {
        self.unbind(key);
        self.by_key.insert(key, Authorization { user, imported, newest: None, duplicated: false });
        self.keys_of.entry(user).or_default().push(key);
    }

    pub(crate) fn unbind(&mut self, key: AuthKeyId) {
        if let Some(gone) = self.by_key.remove(&key)
            && let Some(keys) = self.keys_of.get_mut(&gone.user)
        {
            keys.retain(|known| *known != key);
        }
    }

    pub(crate) fn get(&self, key: AuthKeyId) -> Option<&Authorization> {
        self.by_key.get(&key)
    }

    pub(crate) fn keys_of(&self, user: i64) -> &[AuthKeyId] {
        self.keys_of.get(&user).map_or(&[], Vec::as_slice)
    }

    /// Whether a request may come on this connection. The key dies when a newer connection has served one before, unless
    /// the client has hung up here: it had sent the request before it went over to the newer one. That is asked now, and only
    /// then: when the request came, the client may not yet have gone over.
    pub(crate) fn admit(
        &mut self,
        key: AuthKeyId,
        on: ConnectionId,
        hung_up: impl FnOnce() -> bool,
    ) -> Result<(), Duplicated> {
        let Some(authorization) = self.by_key.get_mut(&key) else { return Ok(()) };
        if authorization.newest.is_some_and(|newest| newest > on) && !hung_up() {
            authorization.duplicated = true;
        }
        if authorization.duplicated { Err(Duplicated) } else { Ok(()) }
    }

    /// Notes that an admitted request was served on this connection: not left unanswered, not cut before its effect.
    pub(crate) fn served(&mut self, key: AuthKeyId, on: ConnectionId) {
        if let Some(authorization) = self.by_key.get_mut(&key) {
            authorization.newest = authorization.newest.max(Some(on));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_dies_if_an_older_connection_speaks_after_a_newer() {
        let (key, other) = (AuthKeyId(1), AuthKeyId(2));
        let mut keys = Authorizations::default();
        keys.bind(key, 10, false);
        keys.bind(other, 10, false);
        let serve = |keys: &mut Authorizations, key, on| {
            let admitted = keys.admit(key, ConnectionId(on), || false);
            if admitted.is_ok() {
                keys.served(key, ConnectionId(on));
            }
            admitted
        };
        assert_eq!(serve(&mut keys, key, 1), Ok(()));
        // The newer connection gets no answer: nothing was served there.
        assert_eq!(keys.admit(key, ConnectionId(2), || unreachable!("it is the newest")), Ok(()));
        assert_eq!(serve(&mut keys, key, 1), Ok(()));
        assert_eq!(serve(&mut keys, key, 2), Ok(()));
        assert_eq!(serve(&mut keys, key, 2), Ok(()));
        // What was sent on a connection before it was closed, and is only read now.
        assert_eq!(keys.admit(key, ConnectionId(1), || true), Ok(()));
        assert_eq!(serve(&mut keys, key, 1), Err(Duplicated));
        assert_eq!(serve(&mut keys, key, 3), Err(Duplicated));
        assert_eq!(serve(&mut keys, other, 1), Ok(()));
        keys.bind(key, 10, false);
        assert_eq!(serve(&mut keys, key, 4), Ok(()));
        assert_eq!(keys.keys_of(10), [other, key]);
    }
}
