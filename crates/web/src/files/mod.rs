//! Files that messages carry: what callers name, taken in before the message is accepted, and kept with it.

mod condition;
mod disposition;
mod form;
mod link;
mod load;
mod named;
mod range;
mod refused;
mod serve;
mod slots;
mod take;
mod unread;

use std::path::PathBuf;
use std::sync::Arc;

use domain::UploadId;
use domain::media::MediaSource;
use domain::message::OutboundMessage;
use media::shelf::Owner;
use media::{Fetcher, Outgoing, Shelf, Upload};
use tokio::sync::Semaphore;

use slots::Slots;

pub(crate) use form::kind_of;
pub(crate) use link::{NoPost, post};
pub(crate) use load::{Load, submit};
pub(crate) use named::{Named, Source};
pub(crate) use refused::{Untaken, Why, of_taking as code_of};
pub(crate) use serve::{FileRequest, backup, from_telegram, linked, stored, unnamed};
pub(crate) use slots::Asker;
pub(crate) use take::{Terms, take};

/// The most pieces of files that are read at once: from the disk, and from Telegram. A reader that is slow to take a piece keeps no
/// place among them.
const MOST_READ: usize = 32;

/// The places where files come in, wait and are stored.
#[derive(Clone)]
pub struct Files {
    /// The files of messages that are not over.
    pub outgoing: Outgoing,
    /// The files of messages that came in, as far as they are fetched by rule.
    pub received: Outgoing,
    /// Uploads that no message has named yet.
    pub shelf: Shelf,
    pub fetcher: Fetcher,
    /// Server paths are read only inside this folder.
    pub folder: PathBuf,
}

/// The uploads that a caller may name, see and remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Uploads {
    All,
    Of(Owner),
}

impl Uploads {
    /// Of callers that put none there.
    pub(crate) const NONE: Self = Self::Of([0; 32]);
}

/// [`Files`], with the bounds on how many come in and are read at once.
#[derive(Clone)]
pub(crate) struct BoundedFiles {
    files: Files,
    slots: Arc<Slots>,
    disk: Arc<Semaphore>,
    telegram: Arc<Semaphore>,
}

impl BoundedFiles {
    pub(crate) fn new(files: Files) -> Self {
        let [disk, telegram] = [(); 2].map(|()| Arc::new(Semaphore::new(MOST_READ)));
        Self { files, slots: Arc::new(Slots::new()), disk, telegram }
    }

    pub(crate) const fn outgoing(&self) -> &Outgoing {
        &self.files.outgoing
    }

    pub(crate) const fn received(&self) -> &Outgoing {
        &self.files.received
    }

    /// The places of pieces that are read from the disk.
    fn disk(&self) -> Arc<Semaphore> {
        Arc::clone(&self.disk)
    }

    /// The places of pieces that come from Telegram.
    fn telegram(&self) -> Arc<Semaphore> {
        Arc::clone(&self.telegram)
    }

    /// Of each file of a message whether it is stored here.
    pub(crate) async fn stored(&self, message: &OutboundMessage) -> Vec<bool> {
        let mut stored = Vec::with_capacity(message.content.media.len());
        for media in &message.content.media {
            stored.push(match &media.source {
                MediaSource::File { key, .. } => {
                    tokio::fs::try_exists(self.files.outgoing.path(key)).await.unwrap_or(false)
                }
                MediaSource::Post { .. } | MediaSource::FileId { .. } => false,
            });
        }
        stored
    }

    /// An upload that is not over, for those who may reach it.
    pub(crate) fn upload(&self, id: UploadId, reach: Uploads) -> Option<Upload> {
        self.files.shelf.get(id).filter(|upload| match reach {
            Uploads::All => true,
            Uploads::Of(owner) => upload.owner == owner,
        })
    }

    pub(crate) const fn shelf(&self) -> &Shelf {
        &self.files.shelf
    }
}
