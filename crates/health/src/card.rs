//! A card: one thing that works or does not, and everything the overview says of it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use domain::account::Reason;
use domain::{AccountName, Service, Timestamp};
use serde::{Serialize, Serializer};

#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CardKind {
    /// What the accounts do for callers: `create_chat`, `send_text`, `send_media`, `leave_chat`.
    Service,
    /// A user account.
    Account,
    /// A session of an account.
    Line,
    /// A listener: the main port, an old port, the control socket.
    Port,
    /// The database and the disk it is on.
    Store,
    /// What waits to be sent.
    Queue,
}

domain::enum_words!(CardKind);

/// The name of a card: `service:send_text`, `account:main`, `line:main:send_text`, `port:5021`, `store`, `queue`. It is
/// the same after a restart. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CardId {
    kind: CardKind,
    text: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} names no card; write service:NAME, account:NAME, line:ACCOUNT:NAME, port:NAME, store or queue, as \
     GET /v1/overview lists them"
)]
pub struct InvalidCardId(String);

/// The longest id: two names of accounts would fit.
const LONGEST: usize = 160;

impl CardId {
    pub fn service(service: Service) -> Self {
        Self { kind: CardKind::Service, text: format!("service:{}", service.as_str()).into() }
    }

    pub fn account(name: &AccountName) -> Self {
        Self { kind: CardKind::Account, text: format!("account:{name}").into() }
    }

    /// The card of a line: the account's name, and the line's among those of the account.
    pub fn line(account: &AccountName, line: &str) -> Self {
        Self { kind: CardKind::Line, text: format!("line:{account}:{line}").into() }
    }

    /// The card of a listener: `main`, `control`, or the number of an old port.
    pub fn port(name: &str) -> Self {
        Self { kind: CardKind::Port, text: format!("port:{name}").into() }
    }

    pub fn store() -> Self {
        Self { kind: CardKind::Store, text: "store".into() }
    }

    pub fn queue() -> Self {
        Self { kind: CardKind::Queue, text: "queue".into() }
    }

    pub fn kind(&self) -> CardKind {
        self.kind
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn text(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }

    /// What follows the kind: the name of the service, account or port, `ACCOUNT:NAME` of a line; for the store and the
    /// queue the kind itself.
    pub fn name(&self) -> &str {
        self.text.split_once(':').map_or(&self.text, |(_, name)| name)
    }
}

impl fmt::Display for CardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for CardId {
    type Err = InvalidCardId;

    fn from_str(text: &str) -> Result<Self, InvalidCardId> {
        let wrong = || InvalidCardId(text.chars().take(64).collect());
        let (word, name) = match text.split_once(':') {
            Some((word, name)) => (word, Some(name)),
            None => (text, None),
        };
        let kind = CardKind::from_word(word).ok_or_else(wrong)?;
        let alone = matches!(kind, CardKind::Store | CardKind::Queue);
        let plain = |name: &str| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-+.".contains(&byte))
        };
        let fits = match (kind, name) {
            (_, None) => alone,
            (CardKind::Line, Some(name)) => {
                name.split_once(':').is_some_and(|(account, line)| plain(account) && plain(line))
            }
            (_, Some(name)) => !alone && plain(name),
        };
        if fits && text.len() <= LONGEST { Ok(Self { kind, text: text.into() }) } else { Err(wrong()) }
    }
}

impl Serialize for CardId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// The colour of a card and, because colour is never alone, its shape.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lamp {
    /// A square: someone has to do something.
    Trouble,
    /// A half disc: it waits for something that comes by itself.
    Waiting,
    /// An open ring: it is being brought up.
    Busy,
    /// A ring: switched off, or nothing is known.
    Off,
    /// A disc: fine.
    Good,
}

domain::enum_words!(Lamp);

/// What someone should do about a card. The words are made where it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    /// What an account's reason calls for.
    Account(Reason),
    /// The account waits for a deadline that Telegram named; nothing is to be done.
    WaitForDeadline,
    /// Every account that could do the work waits for a deadline: one that is free would do it now.
    WaitOrAddAnAccount,
    /// The account was paused by hand: resume it.
    Resume,
    /// It was stopped by hand: start it.
    Start,
    /// No account of the pool can work: mend one, or add one.
    MendAnAccount,
    /// Work is due and is not begun though an account is ready: restart the program and look into its log.
    RestartTheProgram,
    /// Another program has the port: stop that one, or name another port in the settings.
    FreeThePort,
    /// The system refuses the address: look at the settings.
    MendTheAddress,
    /// The port takes connections and answers nothing: restart the program.
    LookIntoTheLog,
    /// Free some space in the data directory.
    FreeDisk,
    /// The database does not answer: look at the disk and into the log.
    MendTheStore,
    /// A row of the database cannot be read; its work waits, the rest goes on: repair it, or put a backup back.
    RepairTheRow,
    /// A flood wait is being cleared: wait, or cancel that.
    WaitForClearing,
    /// Calls of the account go wrong though it is connected: pause it, so that others do its work, or restart it.
    PauseTheAccount,
}

#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CardAction {
    Start,
    /// Stop it; asks first.
    Stop,
    /// Start it over.
    Restart,
    /// Read its dialogs again.
    ReloadCache,
    /// Give it no more work.
    Pause,
    /// Give it work again.
    Resume,
    SignIn,
}

domain::enum_words!(CardAction);

/// The buttons of a card, as a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ActionSet(u8);

impl ActionSet {
    pub fn of(actions: impl IntoIterator<Item = CardAction>) -> Self {
        Self(actions.into_iter().fold(0, |set, action| set | 1 << action as u8))
    }

    pub const fn contains(self, action: CardAction) -> bool {
        self.0 & (1 << action as u8) != 0
    }

    /// The actions, in the order of the buttons.
    pub fn iter(self) -> impl Iterator<Item = CardAction> {
        CardAction::ALL.into_iter().filter(move |action| self.contains(*action))
    }
}

impl Serialize for ActionSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// Accounts of the pool that cannot do the work of a service, for the same reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unable {
    /// Why, as a stable code: `flood_wait`, `needs_login`, `banned`, `paused` …
    pub reason: &'static str,
    pub count: u32,
    /// The first of them by name, at most five.
    pub names: Vec<String>,
}

/// Work that an account has for longer than a minute without a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Stuck {
    pub count: u32,
    /// Since when the account has the oldest.
    pub since: Timestamp,
}

/// One thing that works or does not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Card {
    pub id: CardId,
    pub kind: CardKind,
    pub name: String,
    pub parent: Option<CardId>,
    pub lamp: Lamp,
    /// How it is, as a word of the API: `ready`, `flood_wait`, `active`, `stopped`, `listening`, `taken`, `stalled` …
    pub state: &'static str,
    /// Why, as a stable code: `no_answer`, `session_revoked`, `banned`, `flood_wait`, `disk_full`, `port_taken` …
    pub reason: Option<String>,
    pub detail: Option<String>,
    pub advice: Option<Advice>,
    /// What shows it: an error as it came, an address, a process.
    pub proof: Option<String>,
    pub since: Timestamp,
    pub until: Option<Timestamp>,
    /// Since when it runs without a restart; measured by a monotonic clock.
    pub up_since: Option<Timestamp>,
    /// Calls since the start or the last restart; of a listener the requests that it answered. None where they are not
    /// counted: at the store and the queue.
    pub operations: Option<u64>,
    pub errors: Option<u64>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// Its part of all calls since the start, 0 to 1.
    pub share: Option<f32>,
    /// Its part of the processor time that the program takes, by its share: 1 is one core.
    pub cpu: Option<f32>,
    /// Its part of the memory that the program takes, by its share; bytes.
    pub memory: Option<u64>,
    pub cache: Option<u64>,
    /// What waits for it: for an account what no other may do, at a listener the requests that are being answered. None for
    /// what has no queue of its own.
    pub queue: Option<u64>,
    /// What it has for longer than a minute without a result.
    pub stuck: Option<Stuck>,
    /// Of a service: the accounts that cannot do its work, those with the most common reason first.
    pub unable: Vec<Unable>,
    /// What it sent within the last hour, of a listener the requests that it answered well.
    pub sent_last_hour: Option<u64>,
    /// What it sent in each of the last 24 hours, oldest first, of a listener the requests that it answered well; the last one is
    /// the hour that runs. None where it is not counted.
    pub sends: Option<[u32; 24]>,
    /// How long its last answer took.
    pub latency: Option<Duration>,
    pub actions: ActionSet,
}

impl Card {
    /// A card of which nothing more is known.
    pub fn new(id: CardId, lamp: Lamp, state: &'static str, since: Timestamp) -> Self {
        Self {
            kind: id.kind(),
            name: id.name().to_owned(),
            id,
            parent: None,
            lamp,
            state,
            reason: None,
            detail: None,
            advice: None,
            proof: None,
            since,
            until: None,
            up_since: None,
            operations: None,
            errors: None,
            last_error: None,
            share: None,
            cpu: None,
            memory: None,
            cache: None,
            queue: None,
            stuck: None,
            unable: Vec::new(),
            sent_last_hour: None,
            sends: None,
            latency: None,
            actions: ActionSet::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_written() {
        let main: AccountName = "main".parse().expect("a name");
        let ids = [
            CardId::service(Service::SendText),
            CardId::account(&main),
            CardId::line(&main, "send_text+leave_chat"),
            CardId::port("5021"),
            CardId::port("control"),
            CardId::store(),
            CardId::queue(),
        ];
        for id in ids {
            assert_eq!(id.as_str().parse(), Ok(id.clone()));
        }
        assert_eq!(CardId::line(&main, "all").name(), "main:all");
        assert_eq!(CardId::store().name(), "store");
        for wrong in ["", "store:", "queue:x", "line:main", "account:", "account:a b", "port:a:b", "bot:main"]
        {
            assert!(wrong.parse::<CardId>().is_err(), "{wrong}");
        }
        assert!(format!("port:{}", "9".repeat(LONGEST)).parse::<CardId>().is_err());
    }

    #[test]
    fn a_set_has_what_was_put_into_it_in_the_order_of_the_buttons() {
        let set = ActionSet::of([CardAction::SignIn, CardAction::Start]);
        assert!(set.iter().eq([CardAction::Start, CardAction::SignIn]));
        assert!(set.contains(CardAction::Start) && !set.contains(CardAction::Stop));
        assert_eq!(ActionSet::of(CardAction::ALL).iter().count(), CardAction::ALL.len());
    }
}
