//! A session as it is connected with: one key, its data centre, and where that is.

mod keyring;
mod source;

pub(crate) use keyring::{Claims, Holder, Key, KeyTrouble, Keyring};
pub(crate) use source::Source;

use domain::secret::ExposeSecret;
use domain::{Secret, UserId};
use mtproto::AuthKey;
use store::KeyFingerprint;

/// A key that is signed in, and the data centre that knows it.
pub(crate) struct SignedIn {
    pub(crate) dc_id: i32,
    pub(crate) key: AuthKey,
    /// Whose it is, if the file says so.
    pub(crate) user_id: Option<UserId>,
}

impl SignedIn {
    pub(crate) fn copy(&self) -> Self {
        let key = Secret::new(Box::new(*self.key.expose_secret()));
        Self { dc_id: self.dc_id, key, user_id: self.user_id }
    }

    /// What distinguishes this key from others without showing it.
    pub(crate) fn fingerprint(&self) -> KeyFingerprint {
        KeyFingerprint::of(self.key.expose_secret())
    }
}
