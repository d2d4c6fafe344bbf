//! What the page shows: rows of chats, search results, one chat with its newest messages.

use serde::Serialize;

use crate::telegram::files::FileKind;
use crate::telegram::message::Stored;
use crate::telegram::peer::Peer;
use crate::telegram::state::State;

/// What Web K adds to the ids of messages in channels and supergroups.
const OF_A_CHANNEL: i64 = 1 << 32;

/// Messages that one screen shows.
const ON_SCREEN: usize = 30;

/// Rows that one list shows.
const ROWS: usize = 50;

/// A chat in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Row {
    pub(crate) peer_id: i64,
    title: String,
    username: Option<String>,
    preview: String,
    unread: usize,
}

/// Search results by section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Results {
    own: Vec<Row>,
    global: Vec<Row>,
}

/// A message on the screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Bubble {
    mid: i64,
    out: bool,
    service: bool,
    text: String,
    /// `photo` or `document`; a document is called `file`.
    media: Option<&'static str>,
    file: Option<String>,
    at: i32,
}

/// An open chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Chat {
    pub(crate) peer_id: i64,
    title: String,
    username: Option<String>,
    /// What takes the place of the field: `start`, `unblock`, `join`, `mute`, `premium`, `frozen`, `forbidden`, `paid`; none if
    /// the account may write.
    pub(crate) plate: Option<&'static str>,
    pub(crate) bubbles: Vec<Bubble>,
}

/// The id of a chat as Web K writes it.
pub(super) fn peer_id(peer: Peer) -> i64 {
    match peer {
        Peer::User(id) => id,
        Peer::Group(id) | Peer::Channel(id) => -id,
    }
}

/// The id of a message as Web K writes it.
pub(super) fn mid(peer: Peer, id: i32) -> i64 {
    i64::from(id) + if matches!(peer, Peer::Channel(_)) { OF_A_CHANNEL } else { 0 }
}

impl State {
    /// The chat that an id of Web K means.
    pub(crate) fn web_peer(&self, id: i64) -> Option<Peer> {
        if self.people.contains_key(&id) {
            return Some(Peer::User(id));
        }
        let id = id.checked_neg()?;
        if self.groups.contains_key(&id) {
            return Some(Peer::Group(id));
        }
        self.channels.contains_key(&id).then_some(Peer::Channel(id))
    }

    fn web_title(&self, me: i64, peer: Peer) -> (String, Option<String>) {
        match peer {
            Peer::User(id) if id == me => ("Saved Messages".to_owned(), None),
            Peer::User(id) => self.people.get(&id).map_or_else(Default::default, |person| {
                let last = person.last_name.as_deref().unwrap_or_default();
                (format!("{} {last}", person.first_name).trim().to_owned(), person.username.clone())
            }),
            Peer::Group(id) => {
                (self.groups.get(&id).map(|group| group.title.clone()).unwrap_or_default(), None)
            }
            Peer::Channel(id) => self
                .channels
                .get(&id)
                .map_or_else(Default::default, |channel| (channel.title.clone(), channel.username.clone())),
        }
    }

    fn web_row(&self, me: i64, peer: Peer) -> Row {
        let (title, username) = self.web_title(me, peer);
        let dialog = self.mailboxes.get(&me).and_then(|mailbox| mailbox.dialog(peer));
        let top = dialog.and_then(|dialog| self.top(dialog));
        let preview = top.map(|stored| stored.body.text.to_string()).unwrap_or_default();
        let unread = dialog.map_or(0, |dialog| self.unread(me, dialog));
        Row { peer_id: peer_id(peer), title, username, preview, unread }
    }

    /// The chats of an account, the newest first.
    pub(crate) fn web_dialogs(&self, me: i64) -> Vec<Row> {
        let Some(mailbox) = self.mailboxes.get(&me) else { return Vec::new() };
        let mut dated: Vec<_> = mailbox
            .shown()
            .map(|dialog| (self.top(dialog).map_or(0, |stored| stored.date), dialog.peer))
            .collect();
        dated.sort_unstable_by(|one, other| other.cmp(one));
        dated.into_iter().take(ROWS).map(|(_, peer)| self.web_row(me, peer)).collect()
    }

    /// What a search finds: own chats by title or name, all others by the beginning of their names.
    pub(crate) fn web_search(&self, me: i64, query: &str) -> Results {
        let query = query.trim().trim_start_matches('@').to_lowercase();
        if query.is_empty() {
            return Results { own: Vec::new(), global: Vec::new() };
        }
        let named = |row: &Row| {
            row.username.as_ref().is_some_and(|username| username.to_lowercase().starts_with(&query))
        };
        let own: Vec<Row> = self
            .mailboxes
            .get(&me)
            .into_iter()
            .flat_map(|mailbox| mailbox.shown().map(|dialog| dialog.peer))
            .map(|peer| self.web_row(me, peer))
            .filter(|row| named(row) || row.title.to_lowercase().contains(&query))
            .take(ROWS)
            .collect();
        let people = self.people.keys().map(|id| Peer::User(*id));
        let channels = self.channels.keys().map(|id| Peer::Channel(*id));
        let mut global: Vec<Row> = people
            .chain(channels)
            .filter(|peer| *peer != Peer::User(me) && !own.iter().any(|row| row.peer_id == peer_id(*peer)))
            .map(|peer| self.web_row(me, peer))
            .filter(named)
            .collect();
        // As in the client, the shortest name comes first.
        global.sort_by_key(|row| (row.username.as_ref().map_or(0, String::len), row.peer_id));
        global.truncate(ROWS);
        Results { own, global }
    }

    /// What takes the place of the field.
    fn web_plate(&self, me: i64, peer: Peer) -> Option<&'static str> {
        match peer {
            Peer::User(id) => {
                let blocked = self.people.get(&me).is_some_and(|one| one.blocked.contains(&id));
                let bot = self.people.get(&id).is_some_and(|one| one.bot);
                let known = self.mailboxes.get(&me).is_some_and(|own| own.dialog(peer).is_some());
                match (blocked, bot && !known) {
                    (true, _) => Some("unblock"),
                    (false, true) => Some("start"),
                    (false, false) => None,
                }
            }
            Peer::Group(_) => self.may_write(me, peer).is_err().then_some("forbidden"),
            Peer::Channel(id) => {
                let channel = self.channels.get(&id)?;
                match channel.members.get(&me) {
                    _ if self.may_write(me, peer).is_ok() => None,
                    None => Some("join"),
                    Some(_) if channel.megagroup => Some("forbidden"),
                    Some(_) => Some("mute"),
                }
            }
        }
    }

    /// A chat as an account sees it; none if it may not.
    pub(crate) fn web_chat(&self, me: i64, peer: Peer) -> Option<Chat> {
        self.may_read(me, peer).ok()?;
        let (title, username) = self.web_title(me, peer);
        let bubble = |stored: &Stored| {
            let note = self.media_note(&stored.body);
            Bubble {
                mid: mid(peer, stored.id),
                out: stored.from == me,
                service: stored.body.service.is_some(),
                text: stored.body.text.to_string(),
                media: note
                    .as_ref()
                    .map(|note| if note.kind == FileKind::Photo { "photo" } else { "document" }),
                file: note.and_then(|note| note.file_name),
                at: stored.date,
            }
        };
        let mut bubbles: Vec<Bubble> = match peer {
            Peer::Channel(id) => {
                let channel = self.channels.get(&id)?;
                channel.history.newest_first().take(ON_SCREEN).map(bubble).collect()
            }
            Peer::User(_) | Peer::Group(_) => {
                let dialog = self.mailboxes.get(&me)?.dialog(peer);
                let newest = dialog.into_iter().flat_map(|dialog| dialog.history.newest_first());
                newest.take(ON_SCREEN).map(bubble).collect()
            }
        };
        bubbles.reverse();
        Some(Chat { peer_id: peer_id(peer), title, username, plate: self.web_plate(me, peer), bubbles })
    }
}
