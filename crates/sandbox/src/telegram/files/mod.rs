//! Files: uploaded in parts, kept on disk, shown in messages, named by references that expire.

mod content;
mod form;
mod kind;
mod media;
mod upload;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use grammers_tl_types::enums;
use grammers_tl_types::enums::storage::FileType;

pub(crate) use content::{Content, Depot};
pub(crate) use form::{Extent, extent, form};
pub use kind::FileKind;
pub(crate) use kind::make_an_album;
pub(crate) use media::Media;
pub(crate) use upload::{Claim, Part, Uploads, disk};

/// How many bytes of a file are enough to know its form.
pub(crate) const HEAD: usize = 512 * 1024;

/// A file that can be shown in messages.
#[derive(Debug, Clone)]
pub(crate) struct StoredFile {
    pub(crate) kind: FileKind,
    pub(crate) content: Arc<Content>,
    pub(crate) name: Option<String>,
    pub(crate) mime_type: String,
    pub(crate) attributes: Vec<enums::DocumentAttribute>,
    /// How large a photo is.
    pub(crate) extent: Option<Extent>,
    pub(crate) form: FileType,
    /// The data centre where it is stored.
    pub(crate) dc_id: i32,
    /// The data centre that messages name.
    pub(crate) named_dc_id: i32,
    pub(crate) date: i32,
    /// Rises when all references to it expire.
    pub(crate) era: u32,
}

#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) depot: Depot,
    uploads: HashMap<i64, Uploads>,
    stored: BTreeMap<i64, StoredFile>,
    last: i64,
}

impl Files {
    /// No file yet. Ids rise from the number given: time, so that an id of an earlier run means nothing in this one.
    pub(crate) fn new(folder: PathBuf, first: i64) -> Self {
        Self { depot: Depot::new(folder), uploads: HashMap::new(), stored: BTreeMap::new(), last: first }
    }

    /// Takes a part of an account's upload.
    pub(crate) fn save(&mut self, user: i64, id: i64, part: Part<'_>) -> super::rpc::Result<()> {
        self.uploads.entry(user).or_default().save(&self.depot, id, part)
    }

    /// What an account uploaded.
    pub(crate) fn whole(&mut self, user: i64, claim: &Claim<'_>) -> super::rpc::Result<Arc<Content>> {
        self.uploads.entry(user).or_default().whole(claim)
    }

    /// Makes a file of something that was uploaded; returns its id.
    pub(crate) fn keep(&mut self, file: StoredFile) -> i64 {
        self.last += 1;
        self.stored.insert(self.last, file);
        self.last
    }

    pub(crate) fn get(&self, id: i64) -> Option<&StoredFile> {
        self.stored.get(&id)
    }

    /// In the order they were made.
    pub(crate) fn all(&self) -> impl Iterator<Item = (i64, &StoredFile)> {
        self.stored.iter().map(|(id, kept)| (*id, kept))
    }

    /// Lets the references to one file expire, or to all; returns to how many.
    pub(crate) fn expire(&mut self, id: Option<i64>) -> usize {
        let mut expired = 0;
        for (_, kept) in self.stored.iter_mut().filter(|(known, _)| id.is_none_or(|id| id == **known)) {
            kept.era = kept.era.saturating_add(1);
            expired += 1;
        }
        expired
    }
}
