//! Bringing the media of a message down: found, then streamed piece by piece, as fast as it is read.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::account::Operation;
use domain::outcome::Refusal;
use domain::{AccountName, ChatId, ChatRef, Outcome, Purpose, TelegramMessageId, Timestamp};
use futures::stream::{self, BoxStream, StreamExt as _};
use grammers_tl_types::{Deserializable as _, Serializable as _, enums, functions, types};

use crate::account::Account;
use crate::calls::classify::{self, CallError};
use crate::chat::{ReadError, reader, single};
use crate::line::health;
use crate::pool::Pool;

/// How much is asked for at once, in bytes: what Telegram gives is within a block of a mebibyte.
const PIECE: u64 = 512 * 1024;

/// How long Telegram may take for a piece.
const ANSWER: Duration = Duration::from_secs(30);

/// How often a piece is asked for whose answer did not come.
const TRIES: u32 = 4;

/// How long a wait that Telegram asks for is sat out.
const SHORT_WAIT: Duration = Duration::from_secs(20);

/// How often a piece may be elsewhere, or the reference to its file expired, before that is an error.
const DETOURS: u32 = 3;

/// Whose media are brought down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DownloadOf {
    /// A message that this account sent or sees.
    Sent {
        /// The account, which counts messages in its own way where the chat is no channel.
        account: AccountName,
        chat_id: ChatId,
        /// The message with the media; each item of an album is one.
        message_id: TelegramMessageId,
    },
    /// A message of a private chat or a basic group, by the number that this account has for it. It stays where it was counted,
    /// also when the group has become a supergroup since.
    Counted { account: AccountName, chat_id: ChatId, message_id: TelegramMessageId },
    /// A message of a chat, read by any account that can.
    InChat {
        chat: ChatRef,
        message_id: TelegramMessageId,
        /// The only account that may be asked.
        pin: Option<AccountName>,
    },
}

/// Which bytes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DownloadRange {
    /// The first, counted from 0.
    pub offset: u64,
    /// How many at most; without it all the rest.
    pub limit: Option<u64>,
}

/// A file on its way down.
pub struct Download {
    /// The name that its sender gave it; empty where there is none, as for photos.
    pub name: String,
    /// Its type, as its sender gave it; of a photo `image/jpeg`.
    pub mime: String,
    /// The size of the whole file in bytes.
    pub size: u64,
    /// The bytes that were asked for, in pieces of at most 512 KiB. Nothing is asked of Telegram before the stream is
    /// read on; one piece is in memory.
    pub stream: BoxStream<'static, io::Result<Bytes>>,
}

/// Why a file cannot be brought down.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DownloadError {
    #[error("no account finds this chat")]
    NotFound {
        /// Which accounts were asked and what each said.
        asked: Vec<Refusal>,
    },
    #[error("there is no such message")]
    NoSuchMessage,
    #[error("the message has no photo and no file")]
    NoMedia,
    #[error("no account may read this chat")]
    NoRights {
        /// Which accounts were asked and what each said.
        asked: Vec<Refusal>,
    },
    #[error("no account can be used now")]
    NoAccount {
        /// Which accounts there are and how each is.
        asked: Vec<Refusal>,
    },
    #[error("the account must wait until {until}")]
    FloodWait { until: Timestamp },
    #[error("the file has {size} bytes: the range begins behind its end")]
    OutOfRange {
        /// The size of the file in bytes.
        size: u64,
    },
    #[error("Telegram hands this file out through other servers only, which this program does not ask")]
    HandedOutElsewhere,
    #[error("{0}")]
    Failed(String),
}

impl From<ReadError> for DownloadError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::NotFound { asked } => Self::NotFound { asked },
            ReadError::NoRights { asked } => Self::NoRights { asked },
            ReadError::NoAccount { asked } => Self::NoAccount { asked },
            ReadError::FloodWait { until } => Self::FloodWait { until },
            error @ (ReadError::InvalidCursor | ReadError::Failed(_)) => Self::Failed(error.to_string()),
        }
    }
}

impl Pool {
    /// Finds a file and begins to bring it down. The first bytes are there when this returns, so that most of what can
    /// go wrong is an error here; what goes wrong later ends the stream.
    pub async fn download(&self, what: DownloadOf, range: DownloadRange) -> Result<Download, DownloadError> {
        let (account, chat_id, message_id) = match what {
            DownloadOf::Sent { account, chat_id, message_id } => {
                let account = self.get(&account).ok_or(DownloadError::NoAccount { asked: Vec::new() })?;
                // The chat as it was then: of a group that became a supergroup the messages stay behind.
                (account, chat_id, message_id)
            }
            DownloadOf::Counted { account, chat_id, message_id } => {
                let (account, _) = reader(self, &ChatRef::Id(chat_id), Some(&account)).await?;
                (account, chat_id, message_id)
            }
            DownloadOf::InChat { chat, message_id, pin } => {
                let (account, chat_id) = reader(self, &chat, pin.as_ref()).await?;
                (account, chat_id, message_id)
            }
        };
        begin(account, chat_id, message_id, range).await
    }
}

/// Begins to bring down what this account sees.
pub(super) async fn begin(
    account: Arc<Account>,
    chat_id: ChatId,
    message_id: TelegramMessageId,
    range: DownloadRange,
) -> Result<Download, DownloadError> {
    let file = Remote::read(&account, chat_id, message_id).await?;
    let (size, name, mime) = (file.size, file.name.clone(), file.mime.clone());
    // An empty file has no byte to begin with.
    if range.offset > 0 && range.offset >= size {
        return Err(DownloadError::OutOfRange { size });
    }
    let end = range.limit.map_or(size, |limit| range.offset.saturating_add(limit).min(size));
    let mut reading = Reading { account, chat_id, message_id, file, next: range.offset, end };
    let first = if reading.next < reading.end { Some(reading.piece().await?) } else { None };
    let rest = stream::try_unfold(reading, async |mut reading| {
        if reading.next >= reading.end {
            return Ok(None);
        }
        let piece = reading.piece().await.map_err(io::Error::other)?;
        Ok(Some((piece, reading)))
    });
    Ok(Download { name, mime, size, stream: stream::iter(first.map(Ok)).chain(rest).boxed() })
}

/// The file of a message, as the message describes it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FileShown {
    /// The name that its sender gave it; empty where there is none, as for photos.
    pub name: String,
    /// Its type, as its sender gave it; of a photo `image/jpeg`.
    pub mime: String,
    /// Its size in bytes.
    pub size: u64,
}

pub(crate) fn file_shown(media: &enums::MessageMedia) -> Option<FileShown> {
    let Remote { name, mime, size, .. } = Remote::of(media)?;
    Some(FileShown { name, mime, size })
}

/// A file as a message shows it.
#[derive(Debug, Clone)]
struct Remote {
    location: enums::InputFileLocation,
    dc_id: i32,
    size: u64,
    name: String,
    mime: String,
}

impl Remote {
    async fn read(
        account: &Account,
        chat_id: ChatId,
        message_id: TelegramMessageId,
    ) -> Result<Self, DownloadError> {
        let message = single::message(account, chat_id, message_id).await;
        let message = message.map_err(|error| failed(account, &error))?;
        let media = message.ok_or(DownloadError::NoSuchMessage)?.media.ok_or(DownloadError::NoMedia)?;
        Self::of(&media).ok_or(DownloadError::NoMedia)
    }

    fn of(media: &enums::MessageMedia) -> Option<Self> {
        match media {
            enums::MessageMedia::Photo(media) => {
                let Some(enums::Photo::Photo(photo)) = &media.photo else { return None };
                let (thumb_size, size) = largest(&photo.sizes)?;
                let location = types::InputPhotoFileLocation {
                    id: photo.id,
                    access_hash: photo.access_hash,
                    file_reference: photo.file_reference.clone(),
                    thumb_size,
                };
                let (name, mime) = (String::new(), "image/jpeg".to_owned());
                Some(Self { location: location.into(), dc_id: photo.dc_id, size, name, mime })
            }
            enums::MessageMedia::Document(media) => {
                let Some(enums::Document::Document(document)) = &media.document else { return None };
                let name = document.attributes.iter().find_map(|attribute| match attribute {
                    enums::DocumentAttribute::Filename(name) => Some(name.file_name.clone()),
                    _ => None,
                });
                let location = types::InputDocumentFileLocation {
                    id: document.id,
                    access_hash: document.access_hash,
                    file_reference: document.file_reference.clone(),
                    thumb_size: String::new(),
                };
                Some(Self {
                    location: location.into(),
                    dc_id: document.dc_id,
                    size: u64::try_from(document.size).ok()?,
                    name: name.unwrap_or_default(),
                    mime: document.mime_type.clone(),
                })
            }
            _ => None,
        }
    }
}

/// The largest of the sizes that a photo comes in: its letter, and how many bytes it has.
fn largest(sizes: &[enums::PhotoSize]) -> Option<(String, u64)> {
    let of = |size: &enums::PhotoSize| match size {
        enums::PhotoSize::Size(size) => Some((size.r#type.clone(), u64::try_from(size.size).ok()?)),
        enums::PhotoSize::Progressive(size) => {
            Some((size.r#type.clone(), u64::try_from(*size.sizes.iter().max()?).ok()?))
        }
        _ => None,
    };
    sizes.iter().filter_map(of).max_by_key(|(_, bytes)| *bytes)
}

/// A file that is being brought down.
struct Reading {
    account: Arc<Account>,
    chat_id: ChatId,
    message_id: TelegramMessageId,
    file: Remote,
    /// The next byte that is wanted, and the one behind the last.
    next: u64,
    end: u64,
}

impl Reading {
    /// The next bytes, as many as one call brings.
    async fn piece(&mut self) -> Result<Bytes, DownloadError> {
        let start = self.next / PIECE * PIECE;
        let bytes = self.bring(start).await?;
        let (from, to) = (self.next - start, (self.end - start).min(PIECE));
        let (from, to) = (usize::try_from(from).unwrap_or(0), usize::try_from(to).unwrap_or(0));
        if bytes.len() < to {
            return Err(DownloadError::Failed("Telegram has less of the file than it announced".to_owned()));
        }
        self.next = (start + PIECE).min(self.end);
        Ok(Bytes::from(bytes).slice(from..to))
    }

    async fn bring(&mut self, start: u64) -> Result<Vec<u8>, DownloadError> {
        let (mut failures, mut detours) = (0, 0);
        loop {
            let error = match self.ask(start).await {
                Ok(bytes) => match enums::upload::File::from_bytes(&bytes) {
                    Ok(enums::upload::File::File(file)) => return Ok(file.bytes),
                    Ok(enums::upload::File::CdnRedirect(_)) => return Err(DownloadError::HandedOutElsewhere),
                    Err(error) => CallError::Failed(error.into()),
                },
                Err(error) => error,
            };
            let clock = self.account.health.clock.clone();
            match error.name_and_value() {
                Some(("FILE_MIGRATE", Some(dc_id))) if detours < DETOURS => {
                    detours += 1;
                    self.file.dc_id = i32::try_from(dc_id).unwrap_or(0);
                    continue;
                }
                Some((name, _)) if name.starts_with("FILE_REFERENCE") && detours < DETOURS => {
                    detours += 1;
                    // The message names its file again.
                    let dc_id = self.file.dc_id;
                    self.file = Remote::read(&self.account, self.chat_id, self.message_id).await?;
                    self.file.dc_id = dc_id;
                    continue;
                }
                _ => {}
            }
            if let Some(wait) = error.flood().filter(|wait| *wait <= SHORT_WAIT) {
                clock.sleep(wait).await;
                failures += 1;
            } else if matches!(
                classify::outcome(&error, clock.now()),
                Outcome::Unknown(_) | Outcome::Unavailable(_) | Outcome::InProgress
            ) {
                clock.sleep(self.account.health.chance.jitter(health::back_off(failures))).await;
                failures += 1;
            } else {
                return Err(failed(&self.account, &error));
            }
            if failures >= TRIES {
                return Err(failed(&self.account, &error));
            }
        }
    }

    async fn ask(&self, start: u64) -> Result<Vec<u8>, CallError> {
        let request = functions::upload::GetFile {
            precise: false,
            cdn_supported: false,
            location: self.file.location.clone(),
            offset: i64::try_from(start).unwrap_or(i64::MAX),
            limit: i32::try_from(PIECE).unwrap_or(i32::MAX),
        };
        let Some(line) = self.account.line_for(Purpose::SendMedia) else {
            return Err(CallError::NotConnected("no line is up".to_owned()));
        };
        let body = request.to_bytes();
        if line.dc_id() == Some(self.file.dc_id) || self.file.dc_id == 0 {
            line.call_raw(Operation::Read, body, ANSWER).await
        } else {
            line.call_foreign_dc(self.file.dc_id, Operation::Read, body, ANSWER).await
        }
    }
}

fn failed(account: &Account, error: &CallError) -> DownloadError {
    let refusals = || vec![Refusal { account: account.name.clone(), why: error.to_string() }];
    match classify::outcome(error, account.now()) {
        Outcome::NotFound(_) => DownloadError::NotFound { asked: refusals() },
        Outcome::Forbidden(_) | Outcome::NotInChat(_) => DownloadError::NoRights { asked: refusals() },
        Outcome::Held { until, .. } => DownloadError::FloodWait { until },
        Outcome::Banned(_) | Outcome::SessionLost(_) | Outcome::Unavailable(_) => {
            DownloadError::NoAccount { asked: refusals() }
        }
        _ => DownloadError::Failed(format!("{}: {error}", account.name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_size_of_a_photo_is_taken() {
        let size = |letter: &str, size| types::PhotoSize { r#type: letter.into(), w: 1, h: 1, size }.into();
        let progressive = types::PhotoSizeProgressive { r#type: "y".into(), w: 1, h: 1, sizes: vec![5, 70] };
        assert_eq!(largest(&[size("m", 9), size("x", 30)]), Some(("x".into(), 30)));
        assert_eq!(largest(&[size("m", 9), progressive.into()]), Some(("y".into(), 70)));
        assert_eq!(largest(&[types::PhotoSizeEmpty { r#type: "s".into() }.into()]), None);
    }
}
