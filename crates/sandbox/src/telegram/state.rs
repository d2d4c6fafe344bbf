//! The state of the pretend Telegram: who there is, who is where, who is connected.

use std::collections::HashMap;
use std::net::SocketAddrV4;
use std::sync::Arc;

use tokio::sync::watch;

use super::authorizations::Authorizations;
use super::bots::{Bots, Keyboards};
use super::calls::Calls;
use super::chats::{Channel, Group};
use super::faults::Faults;
use super::files::Files;
use super::identities::Seed;
use super::ledger::Ledger;
use super::mailbox::Mailbox;
use super::peer::Peer;
use super::people::{Account, Person};
use super::sessions::Sessions;
use super::signing::Signing;
use super::web_k::WebSessions;
use crate::keys::AuthKeyId;

/// A point in time, in Unix microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub(crate) i64);

impl Moment {
    /// As Telegram writes dates: Unix seconds.
    pub(crate) fn date(self) -> i32 {
        i32::try_from(self.0.div_euclid(1_000_000)).unwrap_or(i32::MAX)
    }
}

/// A session that was not there when the world began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MadeSession {
    pub(crate) key: AuthKeyId,
    /// Where the key was made.
    pub(crate) dc_id: i32,
    pub(crate) user: i64,
    /// Brought along from another data centre.
    pub(crate) imported: bool,
}

/// A data centre and where it listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Centre {
    /// 2 or 4.
    pub dc_id: i32,
    /// On loopback.
    pub address: SocketAddrV4,
}

/// Everything, behind one lock that is held briefly.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) seed: Seed,
    pub(crate) centres: Vec<Centre>,
    pub(crate) people: HashMap<i64, Person>,
    pub(crate) groups: HashMap<i64, Group>,
    pub(crate) channels: HashMap<i64, Channel>,
    pub(crate) mailboxes: HashMap<i64, Mailbox>,
    pub(crate) authorizations: Authorizations,
    pub(crate) sessions: Sessions,
    pub(crate) ledger: Ledger,
    pub(crate) calls: Calls,
    pub(crate) faults: Faults,
    pub(crate) bots: Bots,
    /// The keyboards that messages have had.
    pub(crate) keyboards: Keyboards,
    pub(crate) files: Files,
    /// What accounts said that they were doing in a chat.
    pub(crate) typing: HashMap<(i64, Peer), Vec<&'static str>>,
    /// Nothing is pushed while this is set.
    pub(crate) hushed: bool,
    /// Invite links by their hash.
    pub(crate) invites: HashMap<String, Peer>,
    pub(crate) signing: Signing,
    /// Browsers at Web K.
    pub(crate) web: WebSessions,
    /// Tokens of `auth.exportAuthorization`: the user, and the data centre they are for.
    pub(crate) exported: HashMap<Vec<u8>, (i64, i32)>,
    /// Sessions made by signing in; the task that keeps them watches.
    pub(crate) made: watch::Sender<Vec<MadeSession>>,
    usernames: HashMap<String, Peer>,
    phones: HashMap<String, i64>,
    accounts: Vec<Arc<Account>>,
    last_origin: u64,
    last_group: i64,
    last_channel: i64,
    last_secret: u64,
    last_album: i64,
}

impl State {
    pub(crate) fn new(seed: Seed, centres: Vec<Centre>, files: Files) -> Self {
        Self {
            seed,
            centres,
            people: HashMap::new(),
            groups: HashMap::new(),
            channels: HashMap::new(),
            mailboxes: HashMap::new(),
            authorizations: Authorizations::default(),
            sessions: Sessions::default(),
            ledger: Ledger::default(),
            calls: Calls::default(),
            faults: Faults::new(seed.0),
            bots: Bots::default(),
            keyboards: Keyboards::default(),
            files,
            typing: HashMap::new(),
            hushed: false,
            invites: HashMap::new(),
            signing: Signing::default(),
            web: WebSessions::default(),
            exported: HashMap::new(),
            made: watch::Sender::new(Vec::new()),
            usernames: HashMap::new(),
            phones: HashMap::new(),
            accounts: Vec::new(),
            last_origin: 0,
            last_group: 4_000_000,
            last_channel: 2_000_000_000,
            last_secret: 0,
            last_album: 13_000_000_000_000_000,
        }
    }

    pub(crate) fn add_person(&mut self, person: Person) {
        if let Some(username) = &person.username {
            self.usernames.insert(username.to_lowercase(), Peer::User(person.id));
        }
        if let Some(account) = &person.account {
            self.phones.insert(digits(&account.phone), person.id);
            self.accounts.push(Arc::clone(account));
            self.mailboxes.insert(person.id, Mailbox::new());
        }
        self.people.insert(person.id, person);
    }

    /// Gives a channel its public name.
    pub(crate) fn name_channel(&mut self, channel: i64, username: &str) {
        if let Some(known) = self.channels.get_mut(&channel) {
            known.username = Some(username.to_owned());
            self.usernames.insert(username.to_lowercase(), Peer::Channel(channel));
        }
    }

    /// Gives a user another public name, or none; the one before is free.
    pub(crate) fn name_person(&mut self, user: i64, username: Option<&str>) {
        let Some(person) = self.people.get_mut(&user) else { return };
        if let Some(old) = std::mem::replace(&mut person.username, username.map(str::to_owned)) {
            self.usernames.remove(&old.to_lowercase());
        }
        if let Some(username) = username {
            self.usernames.insert(username.to_lowercase(), Peer::User(user));
        }
    }

    /// Takes a channel's public name back.
    pub(crate) fn forget_username(&mut self, username: &str) {
        self.usernames.remove(&username.to_lowercase());
    }

    pub(crate) fn by_username(&self, username: &str) -> Option<Peer> {
        self.usernames.get(&username.to_lowercase()).copied()
    }

    pub(crate) fn by_phone(&self, phone: &str) -> Option<i64> {
        self.phones.get(&digits(phone)).copied()
    }

    /// All accounts, in the order they were made.
    pub(crate) fn accounts(&self) -> &[Arc<Account>] {
        &self.accounts
    }

    pub(crate) fn account_named(&self, name: &str) -> Option<&Arc<Account>> {
        self.accounts.iter().find(|account| &*account.name == name)
    }

    /// The account a user signs in as.
    pub(crate) fn account_of(&self, user: i64) -> Option<&Arc<Account>> {
        self.people.get(&user).and_then(|person| person.account.as_ref())
    }

    /// Gives a key to the user that signed in with it.
    pub(crate) fn sign_in(&mut self, session: MadeSession) {
        self.authorizations.bind(session.key, session.user, session.imported);
        self.signing.half.remove(&session.key);
        self.made.send_modify(|made| {
            made.retain(|known| known.key != session.key);
            made.push(session);
        });
    }

    /// Takes a key from its owner.
    pub(crate) fn sign_out(&mut self, key: AuthKeyId) {
        self.authorizations.unbind(key);
        self.signing.half.remove(&key);
        self.made.send_modify(|made| made.retain(|known| known.key != key));
    }

    pub(crate) fn next_origin(&mut self) -> u64 {
        self.last_origin += 1;
        self.last_origin
    }

    pub(crate) fn next_group(&mut self) -> i64 {
        self.last_group += 1;
        self.last_group
    }

    pub(crate) fn next_channel(&mut self) -> i64 {
        self.last_channel += 1;
        self.last_channel
    }

    /// The number of a new album.
    pub(crate) fn next_album(&mut self) -> i64 {
        self.last_album += 1;
        self.last_album
    }

    /// A string that cannot be guessed: a code hash, an invite hash.
    pub(crate) fn next_secret(&mut self, label: &str) -> String {
        self.last_secret += 1;
        self.seed.hex32(&format!("{label} {}", self.last_secret))
    }
}

/// A phone number as it is compared.
pub(crate) fn digits(phone: &str) -> String {
    phone.chars().filter(char::is_ascii_digit).collect()
}

/// A length as Telegram writes counts.
pub(crate) fn count(len: usize) -> i32 {
    i32::try_from(len).unwrap_or(i32::MAX)
}

/// A limit as a client writes it, brought into the range that Telegram serves.
pub(crate) fn page(limit: i32, most: usize) -> usize {
    usize::try_from(limit).unwrap_or(0).min(most)
}
