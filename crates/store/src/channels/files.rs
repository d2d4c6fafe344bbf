//! The files of messages that came in through channels: which are wanted, which are stored, which are not to be had.

use domain::media::{FileKey, Sha256};
use domain::{AccountName, ChannelName, InboundId, Timestamp};

use super::Channels;
use crate::StoreError;
use crate::column::Columns;
use crate::database::{Row, params};
use crate::point::{self, Point};
use crate::statement::statements;
use crate::write::{Transaction, Write};

const TABLE: &str = "channel_files";

/// The states of a row.
const STORED: i64 = 1;
const GONE: i64 = 2;
const TOO_LARGE: i64 = 3;

statements! {
    WANT = "
        INSERT INTO channel_files (seq, place, channel, account, state, tries, due_at) VALUES ($1, $2, $3, $4, 0, 0, $5)
        ON CONFLICT (seq, place) DO NOTHING";
    WANTED = "
        SELECT seq, place, tries, due_at FROM channel_files
        WHERE channel = $1 AND account = $2 AND state = 0 ORDER BY due_at, seq, place LIMIT $3";
    WAITING = "SELECT count(*) FROM channel_files WHERE channel = $1 AND account = $2 AND state = 0";
    /// Whatever it was before: a file that was lost is stored again.
    STORE = "
        UPDATE channel_files SET state = 1, file = $1, sha256 = $2, mime = $3, failure = NULL WHERE seq = $4 AND place = $5";
    PUT_OFF = "UPDATE channel_files SET tries = $1, due_at = $2 WHERE seq = $3 AND place = $4 AND state = 0";
    GIVE_UP = "UPDATE channel_files SET state = $1, failure = $2 WHERE seq = $3 AND place = $4 AND state = 0";
    OF_MESSAGE = "
        SELECT place, state, file, sha256, mime, failure FROM channel_files WHERE seq = $1 ORDER BY place";
    ALL_STORED = "SELECT file FROM channel_files WHERE state = 1 AND file IS NOT NULL";
    /// Those whose messages are gone.
    DROP_OLD = "
        DELETE FROM channel_files WHERE (seq, place) IN (
            SELECT f.seq, f.place FROM channel_files AS f LEFT JOIN channel_messages AS m ON m.seq = f.seq
            WHERE f.seq <= $1 AND m.seq IS NULL LIMIT $2)";
}

/// A file of a message: the message, and the place of the file in [`domain::InboundMessage::media`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct InboundFileId {
    /// The message.
    pub message: InboundId,
    /// Counted from 0.
    pub place: u32,
}

/// A file that is to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedInboundFile {
    /// Which.
    pub id: InboundFileId,
    /// How often it was tried.
    pub tries: u32,
    /// Not before this.
    pub due_at: Timestamp,
}

/// Where a file of a message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InboundFile {
    /// It is to be fetched.
    Wanted,
    /// It is in the folder of received files.
    Stored(StoredInboundFile),
    /// Its provider does not have it any more, for this reason.
    Gone(String),
    /// It is larger than what is stored.
    TooLarge(String),
}

/// A file in the folder of received files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredInboundFile {
    /// Its name there.
    pub key: FileKey,
    /// Its content.
    pub sha256: Sha256,
    /// Its type, according to its content or its provider.
    pub mime: Option<String>,
}

/// How fetching a file ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchedInboundFile {
    /// It is in the folder of received files.
    Stored(StoredInboundFile),
    /// It is tried again.
    PutOff { tries: u32, due_at: Timestamp },
    /// Its provider does not have it.
    Gone(String),
    /// It is larger than what is stored.
    TooLarge(String),
}

impl Channels<'_> {
    /// The files that an account is to fetch next, which may be due later: at most this number.
    pub async fn wanted_files(
        &self,
        channel: &ChannelName,
        account: &AccountName,
        most: u32,
    ) -> Result<Vec<WantedInboundFile>, StoreError> {
        self.store.all(WANTED, (channel.to_string(), account.to_string(), i64::from(most)), wanted).await
    }

    /// How many files an account is to fetch.
    pub async fn files_waiting(
        &self,
        channel: &ChannelName,
        account: &AccountName,
    ) -> Result<u64, StoreError> {
        let params = (channel.to_string(), account.to_string());
        let counted = self.store.first(WAITING, params, |row| Columns::new(row, TABLE).count(0));
        Ok(counted.await?.unwrap_or_default())
    }

    /// Notes how fetching a file ended; says whether that is still of interest.
    pub async fn note_file(
        &self,
        id: InboundFileId,
        fetched: FetchedInboundFile,
    ) -> Result<bool, StoreError> {
        self.store.write(Note { id, fetched }).await
    }

    /// The files of a message by their places; none of a message whose files are not stored.
    pub async fn files(&self, id: InboundId) -> Result<Vec<(u32, InboundFile)>, StoreError> {
        self.store.all(OF_MESSAGE, [id.get()], file).await
    }

    /// All files that are stored and whose messages are kept.
    pub async fn stored_files(&self) -> Result<Vec<FileKey>, StoreError> {
        self.store.all(ALL_STORED, (), |row| Columns::new(row, TABLE).parsed(0)).await
    }
}

fn wanted(row: &Row<'_>) -> Result<WantedInboundFile, StoreError> {
    let columns = Columns::new(row, TABLE);
    let message = columns.coded(0, "number of a message", InboundId::new)?;
    let id = InboundFileId { message, place: columns.get(1)? };
    Ok(WantedInboundFile { id, tries: columns.get(2)?, due_at: columns.time(3)? })
}

fn file(row: &Row<'_>) -> Result<(u32, InboundFile), StoreError> {
    let columns = Columns::new(row, TABLE);
    let failure = || columns.get::<Option<String>>(5).map(Option::unwrap_or_default);
    let file = match columns.get::<i64>(1)? {
        STORED => InboundFile::Stored(StoredInboundFile {
            key: columns.parsed(2)?,
            sha256: Sha256(columns.get(3)?),
            mime: columns.get(4)?,
        }),
        GONE => InboundFile::Gone(failure()?),
        TOO_LARGE => InboundFile::TooLarge(failure()?),
        _ => InboundFile::Wanted,
    };
    Ok((columns.get(0)?, file))
}

struct Note {
    id: InboundFileId,
    fetched: FetchedInboundFile,
}

impl Write for Note {
    type Answer = bool;
    const POINT: Option<Point> = Some(point::NOTE_CHANNEL_FILE);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<bool, StoreError> {
        let (seq, place) = (self.id.message.get(), self.id.place);
        let given_up = |state: i64, why: &str| transaction.execute(GIVE_UP, params![state, why, seq, place]);
        let changed = match &self.fetched {
            FetchedInboundFile::Stored(StoredInboundFile { key, sha256, mime }) => {
                transaction.execute(STORE, params![key.as_str(), sha256.0, mime, seq, place])
            }
            FetchedInboundFile::PutOff { tries, due_at } => {
                transaction.execute(PUT_OFF, params![tries, due_at.as_micros(), seq, place])
            }
            FetchedInboundFile::Gone(why) => given_up(GONE, why),
            FetchedInboundFile::TooLarge(why) => given_up(TOO_LARGE, why),
        };
        Ok(changed? > 0)
    }
}
