//! What a message carries, for one attempt: its files under keys of their own, as the outbox removes them once its message is over.

use domain::media::{Media, MediaSource};
use media::{Held, TakeError};

use super::Inner;

/// What one attempt carries. Dropped, its files are gone; those that the campaign keeps stay.
#[derive(Default)]
pub(super) struct Load {
    pub(super) media: Vec<Media>,
    held: Vec<Held>,
}

/// Why there is nothing to carry.
#[derive(Debug, thiserror::Error)]
pub(in crate::service) enum NoLoad {
    #[error("its files are kept by the server alone")]
    NoFolder,
    #[error("its file {name} cannot be read: {source}; import the message once more")]
    File { name: String, source: TakeError },
    #[error("its file {name} cannot be read: {source}; import the message once more")]
    Unread { name: String, source: std::io::Error },
}

impl Load {
    /// Leaves the files to the message.
    pub(super) fn keep(self) {
        self.held.into_iter().for_each(Held::keep);
    }
}

impl Inner {
    /// Makes ready what a message carries.
    pub(super) async fn load(&self, media: &[Media]) -> Result<Load, NoLoad> {
        let mut load = Load::default();
        for one in media {
            let mut own = one.clone();
            if let MediaSource::File { key, size, sha256 } = &one.source {
                let outgoing = self.parts.files.as_ref().ok_or(NoLoad::NoFolder)?;
                let held = outgoing.again(key, *size, *sha256).await;
                let held = held.map_err(|source| NoLoad::File { name: one.name.clone(), source })?;
                own.source = MediaSource::File { key: held.key().clone(), size: *size, sha256: *sha256 };
                load.held.push(held);
            }
            load.media.push(own);
        }
        Ok(load)
    }
}
