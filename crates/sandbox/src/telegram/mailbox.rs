//! What one account has: its dialogs, its message numbering, its update state.

use std::collections::{HashMap, HashSet};

use super::message::{History, Stored};
use super::peer::Peer;
use super::update_log::{Event, UpdateLog};

/// What a `random_id` led to, kept without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) id: i32,
    pub(crate) pts: i32,
    pub(crate) date: i32,
}

/// One chat of one account.
#[derive(Debug)]
pub(crate) struct Dialog {
    pub(crate) peer: Peer,
    /// Not in the list of dialogs: left, deleted, or never opened.
    pub(crate) hidden: bool,
    /// Empty for channels, which keep their own.
    pub(crate) history: History,
    pub(crate) read_inbox: i32,
    pub(crate) read_outbox: i32,
    pub(crate) sent: HashMap<i64, Sent>,
    /// Calls that wait out a delay: their `random_id` is taken, but nothing has happened yet.
    pub(crate) pending: HashSet<i64>,
}

impl Dialog {
    fn new(peer: Peer) -> Self {
        Self {
            peer,
            hidden: true,
            history: History::default(),
            read_inbox: 0,
            read_outbox: 0,
            sent: HashMap::new(),
            pending: HashSet::new(),
        }
    }

    /// How many messages of others are not read, in a chat that keeps its history here.
    pub(crate) fn unread(&self, owner: i64) -> usize {
        self.history
            .newest_first()
            .take_while(|message| message.id > self.read_inbox)
            .filter(|message| message.from != owner)
            .count()
    }
}

/// One account's mailbox.
#[derive(Debug)]
pub(crate) struct Mailbox {
    pub(crate) log: UpdateLog,
    dialogs: Vec<Dialog>,
    indexes: HashMap<Peer, usize>,
    /// The dialog of message id n is at n - 1.
    dialog_of: Vec<u32>,
}

impl Mailbox {
    pub(crate) fn new() -> Self {
        Self {
            log: UpdateLog::starting_at(1),
            dialogs: Vec::new(),
            indexes: HashMap::new(),
            dialog_of: Vec::new(),
        }
    }

    pub(crate) fn dialog(&self, peer: Peer) -> Option<&Dialog> {
        self.indexes.get(&peer).and_then(|index| self.dialogs.get(*index))
    }

    pub(crate) fn dialog_mut(&mut self, peer: Peer) -> Option<&mut Dialog> {
        let index = *self.indexes.get(&peer)?;
        self.dialogs.get_mut(index)
    }

    /// The place of this dialog, which is made when there is none.
    fn dialog_index(&mut self, peer: Peer) -> usize {
        *self.indexes.entry(peer).or_insert_with(|| {
            self.dialogs.push(Dialog::new(peer));
            self.dialogs.len() - 1
        })
    }

    /// This dialog, made when there is none.
    pub(crate) fn open(&mut self, peer: Peer) -> &mut Dialog {
        let index = self.dialog_index(peer);
        &mut self.dialogs[index]
    }

    /// The dialogs that show in the list.
    pub(crate) fn shown(&self) -> impl Iterator<Item = &Dialog> {
        self.dialogs.iter().filter(|dialog| !dialog.hidden)
    }

    /// Stores a message of a private chat or basic group and returns its id and the pts after it.
    pub(crate) fn deliver(&mut self, peer: Peer, message: Stored) -> (i32, i32) {
        let id = self.store(peer, message);
        (id, self.log.record(Event::New(id)))
    }

    /// Stores a message without an update: the past.
    pub(crate) fn store(&mut self, peer: Peer, mut message: Stored) -> i32 {
        let index = self.dialog_index(peer);
        self.dialog_of.push(u32::try_from(index).unwrap_or(u32::MAX));
        let id = i32::try_from(self.dialog_of.len()).unwrap_or(i32::MAX);
        message.id = id;
        let dialog = &mut self.dialogs[index];
        dialog.hidden = false;
        dialog.history.push(message);
        id
    }

    /// Which chat a message of this mailbox is in.
    pub(crate) fn peer_of(&self, id: i32) -> Option<Peer> {
        let index = *self.dialog_of.get(usize::try_from(id.checked_sub(1)?).ok()?)?;
        self.dialogs.get(usize::try_from(index).ok()?).map(|dialog| dialog.peer)
    }

    /// A message of a private chat or basic group, by its id alone.
    pub(crate) fn message(&self, id: i32) -> Option<(Peer, &Stored)> {
        let peer = self.peer_of(id)?;
        self.dialog(peer)?.history.get(id).map(|message| (peer, message))
    }
}
