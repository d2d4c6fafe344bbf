//! Peers: whom each account knows, with what it takes to address them, and how far that reading is.

use domain::{AccessHash, AccountName, ChatId, Timestamp, Username};

use crate::chats::migrate;
use crate::column::Columns;
use crate::database::params;
use crate::point::{self, Point};
use crate::statement::statements;
use crate::write::{Transaction, Write};
use crate::{Store, StoreError};

/// Peers that are written at once, so that a long list does not hold other writes up.
const CHUNK: usize = 200;

statements! {
    SAVE = "
        INSERT INTO telegram_peers (account, chat_id, access_hash, username, title, kind, dialog, named_at, phone,
            contact)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (account, chat_id) DO UPDATE SET
            access_hash = excluded.access_hash, username = excluded.username, title = excluded.title,
            kind = excluded.kind, named_at = excluded.named_at, contact = excluded.contact,
            phone = coalesce(excluded.phone, telegram_peers.phone),
            dialog = CASE WHEN excluded.dialog > telegram_peers.dialog
                THEN excluded.dialog ELSE telegram_peers.dialog END";
    /// A public name belongs to one chat at a time.
    TAKE_NAME = "
        UPDATE telegram_peers SET username = NULL
        WHERE account = $1 AND username = $2 AND username IS NOT NULL AND chat_id <> $3";
    LEFT = "UPDATE telegram_peers SET dialog = 0 WHERE account = $1 AND chat_id = $2";
    ALL_OF = "
        SELECT chat_id, access_hash, username, title, kind, dialog, phone, contact FROM telegram_peers
        WHERE account = $1 ORDER BY chat_id";
    NO_CONTACT = "UPDATE telegram_peers SET contact = $1 WHERE account = $2 AND chat_id = $3";
    /// Whether a person is in the contacts of an account.
    CONTACT = "SELECT contact FROM telegram_peers WHERE account = $1 AND chat_id = $2";
    NAMED_AT = "
        SELECT chat_id, named_at FROM telegram_peers
        WHERE account = $1 AND username IS NOT NULL AND named_at IS NOT NULL";
    FILL = "
        SELECT complete, offset_date, offset_id, offset_peer, refreshed_at FROM telegram_fills
        WHERE account = $1";
    SAVE_FILL = "
        INSERT INTO telegram_fills (account, complete, offset_date, offset_id, offset_peer, refreshed_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (account) DO UPDATE SET
            complete = excluded.complete, offset_date = excluded.offset_date, offset_id = excluded.offset_id,
            offset_peer = excluded.offset_peer, refreshed_at = excluded.refreshed_at";
    MIGRATIONS = "SELECT from_id, to_id FROM chat_migrations ORDER BY from_id";
}

/// What kind of peer it is.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PeerKind {
    /// A person.
    User,
    /// A bot.
    Bot,
    /// The account itself.
    OwnUser,
    /// A basic group.
    Group,
    /// A supergroup.
    Supergroup,
    /// A broadcast channel.
    Channel,
}

domain::enum_words!(PeerKind);

/// A peer as one account knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPeer {
    /// Its id in the form of the Bot API.
    pub chat_id: ChatId,
    /// What this account must show to address it.
    pub access_hash: AccessHash,
    /// The public name, if any.
    pub username: Option<Username>,
    /// The title or name.
    pub title: String,
    /// What it is.
    pub kind: PeerKind,
    /// Whether the account has a dialog with it or is in it.
    pub dialog: bool,
    /// The phone of a person, digits alone, where Telegram gives it to the account.
    pub phone: Option<String>,
    /// Whether it is a person in the contacts of the account.
    pub contact: bool,
}

/// How far the first reading of an account's dialogs is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FillState {
    /// All dialogs were read once.
    pub complete: bool,
    /// Where to go on: the date of the last message seen.
    pub offset_date: i32,
    /// Where to go on: its id.
    pub offset_id: i32,
    /// Where to go on: its chat.
    pub offset_peer: Option<i64>,
    /// When the newest dialogs were last looked at.
    pub refreshed_at: Option<Timestamp>,
}

/// The peers' part of a store.
#[derive(Clone, Copy)]
pub struct Peers<'a> {
    pub(crate) store: &'a Store,
}

impl Peers<'_> {
    /// When each peer of an account that has a public name was last kept with it.
    pub async fn named_at(&self, account: &AccountName) -> Result<Vec<(ChatId, Timestamp)>, StoreError> {
        self.store
            .all(NAMED_AT, [account.to_string()], |row| {
                let columns = Columns::new(row, "telegram_peers");
                Ok((columns.chat_id(0)?, columns.time(1)?))
            })
            .await
    }

    /// Keeps what an account learned about peers just now. `dialog` only ever becomes true here; see [`Peers::left`].
    pub async fn save(&self, account: &AccountName, peers: Vec<StoredPeer>) -> Result<(), StoreError> {
        let mut rest = peers.into_iter().peekable();
        while rest.peek().is_some() {
            let peers = rest.by_ref().take(CHUNK).collect();
            let (account, gone) = (account.clone(), Vec::new());
            self.store.write(Save { account, peers, gone, at: self.store.now() }).await?;
        }
        Ok(())
    }

    /// These people are no longer in the contacts of an account. All else that is known of them stays, as old as it is.
    pub async fn no_contacts(&self, account: &AccountName, gone: &[ChatId]) -> Result<(), StoreError> {
        for gone in gone.chunks(CHUNK) {
            let (account, peers, gone) = (account.clone(), Vec::new(), gone.to_vec());
            self.store.write(Save { account, peers, gone, at: self.store.now() }).await?;
        }
        Ok(())
    }

    /// The account is no longer in this chat. A chat that is not known is left so.
    pub async fn left(&self, account: &AccountName, chat_id: ChatId) -> Result<(), StoreError> {
        self.store.execute(point::LEAVE_PEER, LEFT, (account.to_string(), chat_id.get())).await.map(drop)
    }

    /// A basic group became this supergroup: what was bound to or known of the one goes over to the other.
    pub async fn migrated(&self, from: ChatId, to: ChatId) -> Result<(), StoreError> {
        self.store.change(point::MIGRATE_CHAT, move |transaction| migrate(transaction, from, to)).await
    }

    /// Every basic group that became a supergroup, and which.
    pub async fn migrations(&self) -> Result<Vec<(ChatId, ChatId)>, StoreError> {
        self.store
            .all(MIGRATIONS, (), |row| {
                let columns = Columns::new(row, "chat_migrations");
                Ok((columns.chat_id(0)?, columns.chat_id(1)?))
            })
            .await
    }

    /// All peers of an account.
    pub async fn all(&self, account: &AccountName) -> Result<Vec<StoredPeer>, StoreError> {
        self.store
            .all(ALL_OF, [account.to_string()], |row| {
                let columns = Columns::new(row, "telegram_peers");
                Ok(StoredPeer {
                    chat_id: columns.chat_id(0)?,
                    access_hash: AccessHash(columns.get(1)?),
                    username: columns.maybe_parsed(2)?,
                    title: columns.get(3)?,
                    kind: columns.word(4, "kind of peer", PeerKind::from_word)?,
                    dialog: columns.get(5)?,
                    phone: columns.get(6)?,
                    contact: columns.get(7)?,
                })
            })
            .await
    }

    /// How far the first reading of the dialogs is; the beginning when nothing was kept.
    pub async fn fill(&self, account: &AccountName) -> Result<FillState, StoreError> {
        let found = self.store.first(FILL, [account.to_string()], |row| {
            let columns = Columns::new(row, "telegram_fills");
            Ok(FillState {
                complete: columns.get(0)?,
                offset_date: columns.get(1)?,
                offset_id: columns.get(2)?,
                offset_peer: columns.get(3)?,
                refreshed_at: columns.maybe_time(4)?,
            })
        });
        Ok(found.await?.unwrap_or_default())
    }

    /// Keeps how far it is.
    pub async fn save_fill(&self, account: &AccountName, state: &FillState) -> Result<(), StoreError> {
        let row = (
            account.to_string(),
            state.complete,
            state.offset_date,
            state.offset_id,
            state.offset_peer,
            state.refreshed_at.map(Timestamp::as_micros),
        );
        self.store.execute(point::SAVE_FILL, SAVE_FILL, row).await.map(drop)
    }
}

struct Save {
    account: AccountName,
    peers: Vec<StoredPeer>,
    /// Who is in the contacts no longer.
    gone: Vec<ChatId>,
    at: Timestamp,
}

impl Write for Save {
    type Answer = ();
    const POINT: Option<Point> = Some(point::SAVE_PEERS);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let account = self.account.as_str();
        for peer in &self.peers {
            let username = peer.username.as_ref().map(Username::as_str);
            if username.is_some() {
                transaction.run(TAKE_NAME, params![account, username, peer.chat_id.get()])?;
            }
            transaction.run(
                SAVE,
                params![
                    account,
                    peer.chat_id.get(),
                    peer.access_hash.0,
                    username,
                    peer.title,
                    peer.kind.as_str(),
                    peer.dialog,
                    username.map(|_| self.at.as_micros()),
                    peer.phone,
                    peer.contact,
                ],
            )?;
        }
        for chat_id in &self.gone {
            transaction.run(NO_CONTACT, params![false, account, chat_id.get()])?;
        }
        Ok(())
    }
}
