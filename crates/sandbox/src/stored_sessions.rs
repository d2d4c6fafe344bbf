//! Sessions made by signing in, kept in the data directory: a restart knows them again.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::files;
use crate::keys::KeyRing;
use crate::telegram::{MadeSession, Telegram};

/// A session as it is kept.
#[derive(Serialize, Deserialize)]
struct StoredSession {
    auth_key: String,
    dc_id: i32,
    user_id: i64,
    imported: bool,
}

/// The file of sessions.
pub(crate) struct StoredSessions {
    path: PathBuf,
    keys: Arc<KeyRing>,
    made: watch::Receiver<Vec<MadeSession>>,
}

impl StoredSessions {
    /// Gives the world back the sessions of earlier runs.
    pub(crate) fn restore(path: PathBuf, keys: Arc<KeyRing>, world: &Telegram) -> std::io::Result<Self> {
        let kept: Vec<StoredSession> = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        for StoredSession { auth_key, dc_id, user_id, imported } in kept {
            let bytes = hex::decode(auth_key).ok().and_then(|bytes| <[u8; 256]>::try_from(bytes).ok());
            let Some(bytes) = bytes else {
                return Err(std::io::Error::new(
                    std::io::ErrorKind::InvalidData,
                    "a kept auth key is broken",
                ));
            };
            let key = keys.register(bytes, dc_id);
            world.sign_in_again(MadeSession { key, dc_id, user: user_id, imported });
        }
        let mut made = world.made_sessions();
        made.mark_unchanged();
        Ok(Self { path, keys, made })
    }

    /// Writes the file whenever someone signs in or out, until the token is cancelled.
    pub(crate) async fn keep(mut self, stop: CancellationToken) {
        loop {
            let ended = tokio::select! {
                changed = self.made.changed() => changed.is_err(),
                () = stop.cancelled() => true,
            };
            if self.made.has_changed().unwrap_or(false) || !ended {
                self.write().await;
            }
            if ended {
                return;
            }
        }
    }

    async fn write(&mut self) {
        let made = self.made.borrow_and_update().clone();
        let kept: Vec<StoredSession> = made.into_iter().filter_map(|session| self.stored(session)).collect();
        let path = self.path.clone();
        let written = tokio::task::spawn_blocking(move || {
            let bytes = serde_json::to_vec_pretty(&kept)?;
            files::write_private(&path, &bytes)
        });
        match written.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "new sessions are not kept"),
            Err(error) => tracing::warn!(%error, "new sessions are not kept"),
        }
    }

    fn stored(&self, session: MadeSession) -> Option<StoredSession> {
        let MadeSession { key, dc_id, user, imported } = session;
        let registered = self.keys.find(key, dc_id)?;
        Some(StoredSession { auth_key: hex::encode(registered.key), dc_id, user_id: user, imported })
    }
}
