//! What is taken over from an older program: its peers, its chats, what failed there. Each a second time changes nothing.

mod chats;
mod lines;
mod peers;

use domain::{AccountName, ChatId, FailedRequestId, Service, Timestamp};
use sha2::{Digest, Sha256};

use crate::failed_requests::Direction;
use crate::peers::StoredPeer;
use crate::statement::statements;
use crate::write::Transaction;
use crate::{Store, StoreError};

statements! {
    /// What the account knows already is newer than what a file says. A name leads to one chat.
    SAVE_PEER = "
        INSERT INTO telegram_peers (account, chat_id, access_hash, username, title, kind, dialog)
        SELECT $1, $2, $3,
            CASE WHEN EXISTS (SELECT 1 FROM telegram_peers AS p WHERE p.account = $1 AND p.username = $4)
                THEN NULL ELSE $4 END,
            $5, $6,
            CASE WHEN EXISTS (SELECT 1 FROM chats AS c WHERE c.chat_id = $2 AND c.left_at IS NOT NULL)
                THEN 0 ELSE CAST($7 AS BIGINT) END
        WHERE true
        ON CONFLICT (account, chat_id) DO NOTHING";
    CHAT = "
        SELECT CASE WHEN c.chat_id IS NULL THEN 0 ELSE 1 END, CASE WHEN c.left_at IS NULL THEN 0 ELSE 1 END, b.account
        FROM (SELECT CAST($1 AS BIGINT) AS chat_id) AS i
            LEFT JOIN chats AS c ON c.chat_id = i.chat_id
            LEFT JOIN chat_bindings AS b ON b.chat_id = i.chat_id";
    SAVE_CHAT = "
        INSERT INTO chats (chat_id, title, invite_link, created_at, left_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (chat_id) DO UPDATE SET
            title = coalesce(chats.title, excluded.title),
            invite_link = coalesce(chats.invite_link, excluded.invite_link),
            created_at = coalesce(chats.created_at, excluded.created_at)";
    NOTE_LINE = "
        INSERT INTO imported_lines (digest, imported_at) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING";
    KEEP_REQUEST = "
        INSERT INTO failed_requests (id, at, service, direction, endpoint, payload, error, state, retry_count,
            last_retry_at, last_retry_error)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', $8, $9, $10)";
    STORED_LINE = "SELECT 1 FROM imported_lines WHERE digest = $1";
}

/// A chat as an older program's records have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedChat {
    /// The chat.
    pub chat_id: ChatId,
    /// The account that it goes through; `None` where no account here is meant.
    pub account: Option<AccountName>,
    /// Its title.
    pub title: Option<String>,
    /// Its invite link.
    pub invite_link: Option<String>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// Whether it was left. It is then bound to no one.
    pub left: bool,
}

/// What became of a chat that was to be taken over. What is known here already is always kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChatImport {
    /// It was not known, or not bound; now it is as the records say. Holds the id that it has today.
    Taken(ChatId),
    /// It was so already.
    Same,
    /// It was left here, and the records have it in use. It stays left.
    LeftHere,
    /// It is in use here, and the records have it left. It stays in use.
    UsedHere,
    /// It goes through this other account here, and stays there.
    BoundHere(AccountName),
}

/// A request that failed in an older program. It is kept to be looked at: nothing here can try it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedRequest {
    /// Its new id.
    pub id: FailedRequestId,
    /// Its number in the old records: with the rest, it distinguishes one line from another.
    pub number: i64,
    /// When it failed.
    pub at: Timestamp,
    /// The service it belongs to.
    pub service: Service,
    /// The direction in which it went.
    pub direction: Direction,
    /// Its path or address.
    pub endpoint: String,
    /// Its body.
    pub payload: String,
    /// Why it failed.
    pub error: String,
    /// How often it was tried again.
    pub retry_count: u32,
    /// When it was last tried again.
    pub last_retry_at: Option<Timestamp>,
    /// Why that failed.
    pub last_retry_error: Option<String>,
}

/// A chat that changed accounts in an older program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedFailover {
    /// What happened.
    pub failover: domain::saga::Failover,
    /// What the history names as the piece of work, such as `old registry`.
    pub subject: String,
}

/// Taking over from an older program.
#[derive(Clone, Copy)]
pub struct Imports<'a> {
    pub(crate) store: &'a Store,
}

impl Imports<'_> {
    /// Keeps peers of an account that it does not know yet; returns how many those were. Of a chat that was left here it is
    /// not believed that the account is in it. All or nothing for a few thousand at a time; the rest with the next call.
    pub async fn peers(&self, account: &AccountName, peers: Vec<StoredPeer>) -> Result<usize, StoreError> {
        let mut rest = peers.into_iter().peekable();
        let mut new = 0;
        while rest.peek().is_some() {
            let peers = rest.by_ref().take(peers::CHUNK).collect();
            new += self.store.write(peers::SavePeers { account: account.clone(), peers }).await?;
        }
        Ok(new)
    }

    /// Takes chats over, all or nothing; returns what became of each, in their order. Give it some hundreds at a time:
    /// other writes wait meanwhile.
    pub async fn chats(&self, chats: Vec<ImportedChat>) -> Result<Vec<ChatImport>, StoreError> {
        self.store.write(chats::SaveChats { chats, at: self.store.now() }).await
    }

    /// What would become of chats, in their order; changes nothing.
    pub async fn would_take(&self, chats: Vec<ImportedChat>) -> Result<Vec<ChatImport>, StoreError> {
        self.store.read(move |connection| chats::look(connection, &chats)).await
    }

    /// Keeps failed requests, all or nothing; returns how many of them were not taken over before.
    pub async fn failed_requests(&self, requests: Vec<ImportedRequest>) -> Result<usize, StoreError> {
        self.store.write(lines::SaveRequests { requests, at: self.store.now() }).await
    }

    /// How many of these were not taken over before; changes nothing.
    pub async fn new_failed_requests(&self, requests: Vec<ImportedRequest>) -> Result<usize, StoreError> {
        let digests = requests.iter().map(lines::of_request).collect();
        self.store.read(move |connection| lines::count_new(connection, digests)).await
    }

    /// Keeps failovers, all or nothing; returns how many of them were not taken over before.
    pub async fn failovers(&self, failovers: Vec<ImportedFailover>) -> Result<usize, StoreError> {
        self.store.write(lines::SaveFailovers { failovers, at: self.store.now() }).await
    }

    /// How many of these were not taken over before; changes nothing.
    pub async fn new_failovers(&self, failovers: Vec<ImportedFailover>) -> Result<usize, StoreError> {
        let digests = failovers.iter().map(lines::of_failover).collect();
        self.store.read(move |connection| lines::count_new(connection, digests)).await
    }
}

/// What distinguishes one line of old records from all others: the first half of a SHA-256 over its fields.
fn digest(fields: &[&str]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for field in fields {
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field);
    }
    let mut first = [0; 16];
    first.copy_from_slice(&hash.finalize()[..16]);
    first
}

/// Notes a line as taken over; false when it was before.
fn is_new(transaction: &Transaction<'_>, digest: [u8; 16], at: Timestamp) -> Result<bool, StoreError> {
    Ok(transaction.execute(NOTE_LINE, crate::database::params![digest, at.as_micros()])? > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_do_not_run_into_each_other() {
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
        assert_ne!(digest(&["a"]), digest(&["a", ""]));
        assert_eq!(digest(&["a", "b"]), digest(&["a", "b"]));
    }
}
