//! What a caller names as one of a message's files, and how it wants it sent.

use std::path::PathBuf;

use domain::{TelegramMessageId, UploadId, Username};
use media::Wish;

/// One of a message's files, as its caller named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) source: Source,
    /// What it is to be called; otherwise what it is called where it comes from.
    pub(crate) name: Option<String>,
    /// As what it is to be sent.
    pub(crate) wish: Wish,
    /// Whether a video can be watched while it loads; otherwise it can.
    pub(crate) streamable: Option<bool>,
}

/// Where a file is to come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Url(String),
    Upload(UploadId),
    Path(PathBuf),
    Post { channel: Username, message_id: TelegramMessageId },
    FileId(String),
}

impl Named {
    /// What a person knows it by.
    pub(crate) fn shown(&self) -> String {
        let of_source = || match &self.source {
            Source::Url(address) => address.clone(),
            Source::Upload(id) => id.to_string(),
            Source::Path(path) => path.display().to_string(),
            Source::Post { channel, message_id } => {
                format!("https://t.me/{}/{message_id}", channel.to_string().trim_start_matches('@'))
            }
            Source::FileId(id) => id.clone(),
        };
        self.name.clone().unwrap_or_else(of_source)
    }
}

impl Source {
    /// The field of `/v1` that names such a source.
    pub(crate) const fn field(&self) -> &'static str {
        match self {
            Self::Url(_) => "url",
            Self::Upload(_) => "upload",
            Self::Path(_) => "path",
            Self::Post { .. } => "post",
            Self::FileId(_) => "file_id",
        }
    }
}
