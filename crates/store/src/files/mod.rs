//! What the provider has of our files: references to files it has whole, and uploads that are on their way.

mod references;
pub(crate) mod statements;
pub(crate) mod uploads;

use domain::media::Sha256;
use domain::{AccessHash, AccountName, Timestamp};

use crate::deferred::{Deferred, Settle};
use crate::{Store, StoreError, point};

/// How an account names a file that the provider has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileReference {
    /// Which of the provider's two kinds of files it is.
    pub kind: RemoteKind,
    /// The provider's id of it.
    pub id: i64,
    /// The account's right to use that id.
    pub access_hash: AccessHash,
    /// A right that runs out: when the provider refuses it, the file is to be uploaded or read again.
    pub file_reference: Vec<u8>,
    /// When it was saved last.
    pub saved_at: Timestamp,
}

/// The provider's kinds of files.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RemoteKind {
    /// A picture that it has scaled.
    Photo,
    /// Everything else.
    Document,
}

domain::enum_words!(RemoteKind);

/// How far an upload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadState {
    /// The id under which the provider collects the parts; drawn by us.
    pub file_id: i64,
    /// The size of the file in bytes.
    pub size: u64,
    /// The size of each part but the last one, in bytes.
    pub part_size: u32,
    /// The provider has the parts before this one, counted from 0.
    pub parts_done: u32,
    /// When the first part was sent.
    pub started_at: Timestamp,
}

/// The files of a store.
#[derive(Clone, Copy)]
pub struct Files<'a> {
    pub(crate) store: &'a Store,
}

impl Files<'_> {
    /// How this account names the file with this content. `form` is the word for what it was sent as: what was sent as a
    /// document cannot be sent again as a photo.
    pub async fn reference(
        &self,
        account: &AccountName,
        sha256: Sha256,
        form: &str,
    ) -> Result<Option<FileReference>, StoreError> {
        let (account, form) = (account.clone(), form.to_owned());
        self.store.read(move |connection| references::read(connection, &account, sha256, &form)).await
    }

    /// Keeps how this account names the file, in the place of what it was named before. It is kept for 30 days after it
    /// was saved last.
    pub async fn save_reference(
        &self,
        account: &AccountName,
        sha256: Sha256,
        form: &str,
        reference: FileReference,
    ) -> Result<(), StoreError> {
        let (account, form) = (account.to_string(), form.to_owned());
        let FileReference { kind, id, access_hash, file_reference, saved_at } = reference;
        let (kind, saved_at) = (kind.as_str(), saved_at.as_micros());
        let row = (account, sha256.0, form, kind, id, access_hash.0, file_reference, saved_at);
        self.store.execute(point::SAVE_REFERENCE, statements::SAVE_REFERENCE, row).await.map(drop)
    }

    /// Forgets a reference that the provider refused. False when there was none.
    pub async fn forget_reference(
        &self,
        account: &AccountName,
        sha256: Sha256,
        form: &str,
    ) -> Result<bool, StoreError> {
        let (account, form) = (account.to_string(), form.to_owned());
        let row = (account, sha256.0, form);
        Ok(self.store.execute(point::FORGET_REFERENCE, statements::FORGET_REFERENCE, row).await? > 0)
    }

    /// How far this account is with uploading this content.
    pub async fn upload(
        &self,
        account: &AccountName,
        sha256: Sha256,
    ) -> Result<Option<UploadState>, StoreError> {
        // What was saved last may still wait for its commit.
        self.store.write(Settle).await?;
        let account = account.clone();
        self.store.read(move |connection| uploads::read(connection, &account, sha256)).await
    }

    /// Keeps how far an upload is. Answers at once; it is on the disk with the next write or a tenth of a second later.
    /// What a crash loses in between is uploaded again. It is kept for a day after the upload began.
    pub async fn save_upload(
        &self,
        account: &AccountName,
        sha256: Sha256,
        state: UploadState,
    ) -> Result<(), StoreError> {
        self.change_upload(account, sha256, Some(state)).await
    }

    /// Forgets an upload that is done, or that has to begin again. Answers at once, as [`Files::save_upload`] does.
    pub async fn forget_upload(&self, account: &AccountName, sha256: Sha256) -> Result<(), StoreError> {
        self.change_upload(account, sha256, None).await
    }

    async fn change_upload(
        &self,
        account: &AccountName,
        sha256: Sha256,
        state: Option<UploadState>,
    ) -> Result<(), StoreError> {
        let write = uploads::SaveUpload { account: account.clone(), sha256, state };
        self.store.inner.writer.defer(Deferred::Upload(write)).await
    }
}
