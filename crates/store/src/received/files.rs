//! Files of messages that came in which are fetched by the rule of their account: which wait, which are stored here.

use domain::media::{FileKey, Sha256};
use domain::received_message::ReceivedMedia;
use domain::{AccountName, ChatId, ReceivedId, TelegramMessageId, Timestamp};

use super::{Received, owner};
use crate::StoreError;
use crate::column::Columns;
use crate::database::{Row, params};
use crate::point::{self, Point};
use crate::statement::statements;
use crate::write::{Transaction, Write};

const TABLE: &str = "received_files";

statements! {
    WANT = "
        INSERT INTO received_files (seq, account, state, tries, due_at) VALUES ($1, $2, 0, 0, $3)
        ON CONFLICT (seq) DO NOTHING";
    /// The row of a message that has another file now.
    DROP_CHANGED = "
        DELETE FROM received_files WHERE seq IN (
            SELECT seq FROM received_messages
            WHERE owner = $1 AND message_id = $2 AND chat_id = $3 AND media IS DISTINCT FROM CAST($4 AS TEXT))";
    WANT_CHANGED = "
        INSERT INTO received_files (seq, account, state, tries, due_at)
        SELECT seq, account, 0, 0, CAST($1 AS BIGINT) FROM received_messages
        WHERE owner = $2 AND message_id = $3 AND chat_id = $4 AND media IS DISTINCT FROM CAST($5 AS TEXT) AND origin <> 4
        ON CONFLICT (seq) DO NOTHING";
    NEXT = "
        SELECT f.seq, m.chat_id, m.message_id, f.tries, f.due_at
        FROM received_files AS f INNER JOIN received_messages AS m ON m.seq = f.seq
        WHERE f.account = $1 AND f.state = 0 ORDER BY f.due_at, f.seq LIMIT 1";
    WAITING = "SELECT count(*) FROM received_files WHERE account = $1 AND state = 0";
    KEEP = "UPDATE received_files SET state = 1, file = $1, sha256 = $2 WHERE seq = $3 AND state = 0";
    PUT_OFF = "UPDATE received_files SET tries = $1, due_at = $2 WHERE seq = $3 AND state = 0";
    GIVE_UP = "UPDATE received_files SET state = 2, failure = $1 WHERE seq = $2 AND state = 0";
    STORED_FILE = "
        SELECT f.file, f.sha256, m.media
        FROM received_files AS f INNER JOIN received_messages AS m ON m.seq = f.seq
        WHERE m.owner = $1 AND m.message_id = $2 AND m.chat_id = $3 AND m.origin <> 4 AND f.state = 1";
    STORED_FILES = "SELECT file FROM received_files WHERE state = 1 AND file IS NOT NULL";
    /// Those whose messages are gone.
    DROP_OLD = "
        DELETE FROM received_files WHERE seq IN (
            SELECT f.seq FROM received_files AS f LEFT JOIN received_messages AS m ON m.seq = f.seq
            WHERE f.seq <= $1 AND m.seq IS NULL LIMIT $2)";
}

/// A file that is to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedFile {
    /// The place of its message in the order in which they came in.
    pub seq: i64,
    pub chat_id: ChatId,
    pub message_id: TelegramMessageId,
    /// How often it was tried.
    pub tries: u32,
    /// Not before this.
    pub due_at: Timestamp,
}

/// How fetching a file ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchedFile {
    /// It is in the folder of received files.
    Stored { key: FileKey, sha256: Sha256 },
    /// It is tried again.
    PutOff { tries: u32, due_at: Timestamp },
    /// It is not tried again.
    GivenUp { why: String },
}

/// A file of a message that is stored here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Its name in the folder of received files.
    pub key: FileKey,
    pub sha256: Sha256,
    /// What its message says of it.
    pub media: ReceivedMedia,
}

impl Received<'_> {
    /// The file that this account is to fetch next, which may be due later.
    pub async fn next_file(&self, account: &AccountName) -> Result<Option<WantedFile>, StoreError> {
        self.store.first(NEXT, [account.to_string()], wanted).await
    }

    /// How many files this account is to fetch.
    pub async fn files_waiting(&self, account: &AccountName) -> Result<u64, StoreError> {
        let counted =
            self.store.first(WAITING, [account.to_string()], |row| Columns::new(row, TABLE).count(0));
        Ok(counted.await?.unwrap_or_default())
    }

    /// Notes how fetching a file ended; says whether it was still wanted.
    pub async fn note_file(&self, seq: i64, fetched: FetchedFile) -> Result<bool, StoreError> {
        self.store.write(Note { seq, fetched }).await
    }

    /// The file of a message, if it was fetched.
    pub async fn stored_file(&self, id: &ReceivedId) -> Result<Option<StoredFile>, StoreError> {
        let (owner, message_id, chat_id) = (owner(id), id.message_id().get(), id.chat_id().get());
        self.store
            .read(move |connection| {
                connection.first(STORED_FILE, params![owner, message_id, chat_id], |row| {
                    let columns = Columns::new(row, TABLE);
                    let (key, sha256) = (columns.parsed(0)?, Sha256(columns.get(1)?));
                    Ok(StoredFile { key, sha256, media: columns.json(2)? })
                })
            })
            .await
    }

    /// All files that were fetched and whose messages are kept.
    pub async fn kept_files(&self) -> Result<Vec<FileKey>, StoreError> {
        self.store.all(STORED_FILES, (), |row| Columns::new(row, TABLE).parsed(0)).await
    }
}

fn wanted(row: &Row<'_>) -> Result<WantedFile, StoreError> {
    let columns = Columns::new(row, TABLE);
    Ok(WantedFile {
        seq: columns.get(0)?,
        chat_id: columns.chat_id(1)?,
        message_id: columns.coded(2, "id of a message", TelegramMessageId::new)?,
        tries: columns.get(3)?,
        due_at: columns.time(4)?,
    })
}

struct Note {
    seq: i64,
    fetched: FetchedFile,
}

impl Write for Note {
    type Answer = bool;
    const POINT: Option<Point> = Some(point::NOTE_RECEIVED_FILE);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<bool, StoreError> {
        let changed = match &self.fetched {
            FetchedFile::Stored { key, sha256 } => {
                transaction.execute(KEEP, params![key.as_str(), sha256.0, self.seq])
            }
            FetchedFile::PutOff { tries, due_at } => {
                transaction.execute(PUT_OFF, params![tries, due_at.as_micros(), self.seq])
            }
            FetchedFile::GivenUp { why } => transaction.execute(GIVE_UP, params![why, self.seq]),
        };
        Ok(changed? > 0)
    }
}
