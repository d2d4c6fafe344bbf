//! The dialog cache: which chats and users each account knows, and under which names the world knows them.

pub(crate) mod dialogs;
pub(crate) mod lookup;
pub(crate) mod parsing;
pub(crate) mod phone_numbers;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use std::time::Duration;

use domain::{AccessHash, ChatId, ChatKind, Timestamp, UserId, Username};
use grammers_tl_types::{enums, types};
use store::{PeerKind, StoredPeer};

use ambient::lock::RwLock;

/// How long a public name is believed to lead where it led. Names pass from one to another; mostly an update or an
/// answer reports it, and if none does, anyone who uses an older one asks again.
const NAME_LASTS: Duration = Duration::from_hours(24);

/// How long an older name is believed on when it cannot be asked for.
const GRACE: Duration = Duration::from_hours(1);

/// How well an account knows a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PeerRelation {
    /// It cannot reach it.
    No,
    /// It can reach it, and has no dialog with it or is not in it.
    Contact,
    Dialog,
}

/// One chat as one account knows it. Kept small: an account may have thousands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Peer {
    access_hash: AccessHash,
    username: Option<Box<str>>,
    title: Box<str>,
    kind: PeerKind,
    dialog: bool,
    phone: Option<Box<str>>,
    contact: bool,
}

/// A person as one account knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) user_id: UserId,
    pub(crate) display_name: String,
    pub(crate) username: Option<String>,
    pub(crate) is_bot: bool,
    pub(crate) is_self: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Peers(RwLock<Table>);

/// The peers, and how many of them are dialogs: that is looked at far more often than it changes.
#[derive(Debug, Default)]
struct Table {
    peers: HashMap<ChatId, Peer>,
    dialogs: usize,
}

impl Peers {
    pub(crate) fn len(&self) -> usize {
        self.0.read().peers.len()
    }

    pub(crate) fn dialogs(&self) -> usize {
        self.0.read().dialogs
    }

    /// Takes in what was stored, and when each name was: a restart makes none younger.
    pub(crate) fn restore(
        &self,
        names: &Names,
        stored: Vec<StoredPeer>,
        named_at: &HashMap<ChatId, Timestamp>,
    ) {
        let mut table = self.0.write();
        for peer in stored {
            if let Some(username) = &peer.username {
                let named_at = named_at.get(&peer.chat_id).copied().unwrap_or_default();
                names.restore(username, peer.chat_id, named_at);
            }
            table.take(&peer, &mut Vec::new());
        }
    }

    /// Takes in what an older program kept, as far as it is new: what is known already is newer. Of a chat that was left
    /// it is not believed that the account is in it; names are to be asked for before they are believed.
    pub(crate) fn believe(
        &self,
        names: &Names,
        imported: Vec<StoredPeer>,
        was_left: impl Fn(ChatId) -> bool,
    ) {
        let mut table = self.0.write();
        for mut peer in imported {
            if table.peers.contains_key(&peer.chat_id) {
                continue;
            }
            if let Some(username) = peer.username.take_if(|username| names.get(username).is_none()) {
                names.restore(&username, peer.chat_id, Timestamp::default());
                peer.username = Some(username);
            } else {
                peer.username = None;
            }
            peer.dialog &= !was_left(peer.chat_id);
            table.take(&peer, &mut Vec::new());
        }
    }

    /// Takes in what was learned; gives back what of it is news, to be stored.
    pub(crate) fn learn(&self, names: &Names, learned: Vec<StoredPeer>, now: Timestamp) -> Vec<StoredPeer> {
        let mut table = self.0.write();
        let mut old_names = Vec::new();
        let mut claimed = Vec::new();
        let news: Vec<StoredPeer> = learned
            .into_iter()
            .filter(|peer| {
                // Also of a peer that is no news: meanwhile the name may have been someone else's.
                claimed.extend(peer.username.clone().map(|username| (username, peer.chat_id)));
                // What is learned again is to be stored again before the next start finds it too old.
                let ages = |username: &Username| names.ages(username, peer.chat_id, now);
                let ages = peer.username.as_ref().is_some_and(ages);
                table.take(peer, &mut old_names) || ages
            })
            .collect();
        drop(table);
        for (username, chat_id) in old_names {
            names.give_up(&username, chat_id);
        }
        for (username, chat_id) in claimed {
            names.set(&username, chat_id, now);
        }
        news
    }

    pub(crate) fn get(&self, chat_id: ChatId) -> Option<StoredPeer> {
        let table = self.0.read();
        let peer = table.peers.get(&chat_id)?;
        Some(StoredPeer {
            chat_id,
            access_hash: peer.access_hash,
            username: peer.username.as_deref().and_then(|name| name.parse().ok()),
            title: peer.title.to_string(),
            kind: peer.kind,
            dialog: peer.dialog,
            phone: peer.phone.as_deref().map(str::to_owned),
            contact: peer.contact,
        })
    }

    /// A user who is known has other names now; gives back what is to be learned from that.
    pub(crate) fn renamed(
        &self,
        chat_id: ChatId,
        username: Option<Username>,
        title: String,
    ) -> Option<StoredPeer> {
        Some(StoredPeer { username, title, ..self.get(chat_id)? })
    }

    /// Whether it is a person in the contacts of the account.
    pub(crate) fn has_contact(&self, chat_id: ChatId) -> bool {
        self.0.read().peers.get(&chat_id).is_some_and(|peer| peer.contact)
    }

    /// Who is known as a contact and is not among these.
    pub(crate) fn contacts_beside(&self, listed: &HashSet<ChatId>) -> Vec<ChatId> {
        let table = self.0.read();
        let is_gone = |(chat_id, peer): &(&ChatId, &Peer)| peer.contact && !listed.contains(*chat_id);
        table.peers.iter().filter(is_gone).map(|(chat_id, _)| *chat_id).collect()
    }

    /// These are contacts no longer.
    pub(crate) fn no_contacts(&self, gone: &[ChatId]) {
        let mut table = self.0.write();
        for chat_id in gone {
            if let Some(peer) = table.peers.get_mut(chat_id) {
                peer.contact = false;
            }
        }
    }

    pub(crate) fn relation(&self, chat_id: ChatId) -> PeerRelation {
        match self.0.read().peers.get(&chat_id) {
            None => PeerRelation::No,
            Some(peer) if peer.dialog => PeerRelation::Dialog,
            Some(_) => PeerRelation::Contact,
        }
    }

    /// The account left the chat. Returns whether that is news.
    pub(crate) fn leave(&self, chat_id: ChatId) -> bool {
        let mut table = self.0.write();
        let left =
            table.peers.get_mut(&chat_id).is_some_and(|peer| std::mem::replace(&mut peer.dialog, false));
        table.dialogs -= usize::from(left);
        left
    }

    /// Telegram does not know what we thought we knew.
    pub(crate) fn forget(&self, chat_id: ChatId) {
        let mut table = self.0.write();
        let gone = table.peers.remove(&chat_id);
        table.dialogs -= usize::from(gone.is_some_and(|peer| peer.dialog));
    }

    pub(crate) fn input(&self, chat_id: ChatId) -> Option<enums::InputPeer> {
        let bare = chat_id.bare();
        if chat_id.kind() == ChatKind::Group {
            return Some(types::InputPeerChat { chat_id: bare }.into());
        }
        let table = self.0.read();
        let peer = table.peers.get(&chat_id)?;
        let AccessHash(access_hash) = peer.access_hash;
        Some(match chat_id.kind() {
            ChatKind::Group => types::InputPeerChat { chat_id: bare }.into(),
            ChatKind::User if peer.kind == PeerKind::OwnUser => enums::InputPeer::PeerSelf,
            ChatKind::User => types::InputPeerUser { user_id: bare, access_hash }.into(),
            ChatKind::Channel => types::InputPeerChannel { channel_id: bare, access_hash }.into(),
        })
    }

    pub(crate) fn input_user(&self, user_id: UserId) -> Option<enums::InputUser> {
        let table = self.0.read();
        let peer = table.peers.get(&user_id.into())?;
        Some(match peer.kind {
            PeerKind::OwnUser => enums::InputUser::UserSelf,
            _ => types::InputUser { user_id: user_id.get(), access_hash: peer.access_hash.0 }.into(),
        })
    }

    /// A supergroup or channel in the form that calls take.
    pub(crate) fn input_channel(&self, chat_id: ChatId) -> Option<enums::InputChannel> {
        if chat_id.kind() != ChatKind::Channel {
            return None;
        }
        let AccessHash(access_hash) = self.0.read().peers.get(&chat_id)?.access_hash;
        Some(types::InputChannel { channel_id: chat_id.bare(), access_hash }.into())
    }

    pub(crate) fn person(&self, user_id: UserId) -> Option<Person> {
        let table = self.0.read();
        let peer = table.peers.get(&user_id.into())?;
        Some(Person {
            user_id,
            display_name: peer.title.to_string(),
            username: peer.username.as_ref().map(ToString::to_string),
            is_bot: peer.kind == PeerKind::Bot,
            is_self: peer.kind == PeerKind::OwnUser,
        })
    }
}

impl Table {
    /// Returns whether it was news. A dialog stays one until the account leaves it: partial answers do not say so.
    /// Names that were given up are added to `old_names`.
    fn take(&mut self, learned: &StoredPeer, old_names: &mut Vec<(Box<str>, ChatId)>) -> bool {
        let is_group = learned.chat_id.kind() != ChatKind::User;
        let username = learned.username.as_ref().map(Username::as_str);
        match self.peers.entry(learned.chat_id) {
            Entry::Vacant(vacant) => {
                vacant.insert(Peer {
                    access_hash: learned.access_hash,
                    username: username.map(Box::from),
                    title: learned.title.as_str().into(),
                    kind: learned.kind,
                    dialog: learned.dialog,
                    phone: learned.phone.as_deref().map(Box::from),
                    contact: learned.contact,
                });
                self.dialogs += usize::from(learned.dialog);
                true
            }
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                // Of groups every full answer says whether the account is in it; of users only the dialog list does.
                let dialog = if is_group { learned.dialog } else { known.dialog || learned.dialog };
                // Most answers have no phone; what is known of it stays.
                let phone = learned.phone.as_deref().or(known.phone.as_deref()).map(Box::from);
                let same = known.phone == phone
                    && known.access_hash == learned.access_hash
                    && known.username.as_deref() == username
                    && *known.title == *learned.title
                    && known.kind == learned.kind
                    && known.contact == learned.contact
                    && known.dialog == dialog;
                if !same {
                    known.access_hash = learned.access_hash;
                    if known.username.as_deref() != username {
                        old_names.extend(known.username.take().map(|name| (name, learned.chat_id)));
                    }
                    known.username = username.map(Box::from);
                    known.title = learned.title.as_str().into();
                    known.kind = learned.kind;
                    known.contact = learned.contact;
                    self.dialogs = self.dialogs + usize::from(dialog) - usize::from(known.dialog);
                    known.dialog = dialog;
                    known.phone = phone;
                }
                !same
            }
        }
    }
}

/// Public names: they mean the same to every account.
#[derive(Debug, Default)]
pub(crate) struct Names(RwLock<HashMap<Box<str>, Named>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Named {
    /// Nothing while two accounts remember different chats of this name.
    chat_id: Option<ChatId>,
    until: Timestamp,
}

impl Names {
    pub(crate) fn find(&self, username: &Username) -> Option<ChatId> {
        self.get(username)?.chat_id
    }

    /// The same, unless it was learned too long ago to be believed without asking.
    pub(crate) fn find_fresh(&self, username: &Username, now: Timestamp) -> Option<ChatId> {
        self.get(username).filter(|named| named.until > now)?.chat_id
    }

    fn get(&self, username: &Username) -> Option<Named> {
        self.0.read().get(username.as_str()).copied()
    }

    pub(crate) fn of(&self, chat_id: ChatId) -> Option<Username> {
        let names = self.0.read();
        let (name, _) = names.iter().find(|(_, named)| named.chat_id == Some(chat_id))?;
        name.parse().ok()
    }

    pub(crate) fn set(&self, username: &Username, chat_id: ChatId, now: Timestamp) {
        let (chat_id, until) = (Some(chat_id), now.plus(NAME_LASTS));
        // Names come with nearly every answer; writing each time would make all wait for each other.
        let same = |known: Named| known.chat_id == chat_id && known.until.plus(GRACE) > until;
        if !self.get(username).is_some_and(same) {
            let mut names = self.0.write();
            names.insert(username.as_str().into(), Named { chat_id, until });
        }
    }

    /// The store remembers that it was learned then. When two accounts remember it differently, Telegram is to be asked.
    fn restore(&self, username: &Username, chat_id: ChatId, named_at: Timestamp) {
        let mut names = self.0.write();
        let restored = Named { chat_id: Some(chat_id), until: named_at.plus(NAME_LASTS) };
        let known = names.entry(username.as_str().into()).or_insert(restored);
        if known.chat_id == Some(chat_id) {
            known.until = known.until.max(restored.until);
        } else {
            known.chat_id = None;
        }
    }

    /// Whether this is known, and half of the time is over for which it is believed.
    fn ages(&self, username: &Username, chat_id: ChatId, now: Timestamp) -> bool {
        let ages = |named: Named| named.chat_id == Some(chat_id) && named.until < now.plus(NAME_LASTS / 2);
        self.get(username).is_some_and(ages)
    }

    /// It could not be asked for: it is believed a while longer.
    pub(crate) fn put_off(&self, username: &Username, now: Timestamp) {
        let mut names = self.0.write();
        if let Some(named) = names.get_mut(username.as_str()) {
            named.until = named.until.max(now.plus(GRACE));
        }
    }

    fn give_up(&self, username: &str, chat_id: ChatId) {
        let mut names = self.0.write();
        if names.get(username).is_some_and(|named| named.chat_id == Some(chat_id)) {
            names.remove(username);
        }
    }

    pub(crate) fn drop_name(&self, username: &Username) {
        self.0.write().remove(username.as_str());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(0);

    fn peer(chat_id: i64, username: Option<&str>, dialog: bool) -> StoredPeer {
        StoredPeer {
            chat_id: ChatId::new(chat_id).expect("a chat"),
            access_hash: AccessHash(5),
            username: username.and_then(|name| name.parse().ok()),
            title: "Ann".into(),
            kind: if chat_id > 0 { PeerKind::User } else { PeerKind::Supergroup },
            dialog,
            phone: None,
            contact: false,
        }
    }

    proptest! {
        #[test]
        fn dialogs_are_counted_as_they_come_and_go(
            steps in prop::collection::vec((0..3_u8, 1..6_i64, any::<bool>(), any::<bool>()), 0..60),
        ) {
            let (peers, names) = (Peers::default(), Names::default());
            for (step, number, group, dialog) in steps {
                let learned = peer(if group { -1_000_000_000_000 - number } else { number }, None, dialog);
                match step {
                    0 => drop(peers.learn(&names, vec![learned], NOW)),
                    1 => drop(peers.leave(learned.chat_id)),
                    _ => peers.forget(learned.chat_id),
                }
                let counted = peers.0.read().peers.values().filter(|peer| peer.dialog).count();
                prop_assert_eq!(peers.dialogs(), counted);
            }
        }
    }

    #[test]
    fn only_new_peers_are_returned() {
        let (peers, names) = (Peers::default(), Names::default());
        let learned = vec![peer(7, Some("demo_ann"), true), peer(-1_000_000_000_008, None, true)];
        assert_eq!(peers.learn(&names, learned.clone(), NOW), learned);
        assert_eq!(peers.learn(&names, learned, NOW), []);
        assert_eq!(names.find(&"@Demo_Ann".parse().expect("a name")), ChatId::user(7));
        assert_eq!(names.of(ChatId::user(7).expect("id")), "demo_ann".parse().ok());
        assert_eq!(names.of(ChatId::user(8).expect("id")), None);
        assert_eq!(peers.len(), 2);
    }

    #[test]
    fn a_new_access_hash_replaces_the_old_one() {
        let (peers, names) = (Peers::default(), Names::default());
        let renewed = StoredPeer { access_hash: AccessHash(6), ..peer(7, None, true) };
        let saved = StoredPeer { contact: true, ..renewed.clone() };
        peers.learn(&names, vec![peer(7, None, true)], NOW);
        for news in [[renewed], [saved]] {
            assert_eq!(peers.learn(&names, news.to_vec(), NOW), news);
        }
        let user: enums::InputPeer = types::InputPeerUser { user_id: 7, access_hash: 6 }.into();
        assert_eq!(peers.input(ChatId::user(7).expect("id")), Some(user));
    }

    #[test]
    fn leaving_ends_group_dialogs_and_not_user_dialogs() {
        let (peers, names) = (Peers::default(), Names::default());
        let (user, group) = (ChatId::user(7).expect("id"), ChatId::channel(8).expect("id"));
        peers.learn(&names, vec![peer(7, None, true), peer(group.get(), None, true)], NOW);
        peers.learn(&names, vec![peer(7, None, false)], NOW);
        assert_eq!(peers.relation(user), PeerRelation::Dialog);
        assert!(peers.leave(group));
        assert!(!peers.leave(group));
        assert_eq!(peers.relation(group), PeerRelation::Contact);
        peers.learn(&names, vec![peer(group.get(), None, true)], NOW);
        assert_eq!(peers.relation(group), PeerRelation::Dialog);
        peers.learn(&names, vec![peer(group.get(), None, false)], NOW);
        assert_eq!(peers.relation(group), PeerRelation::Contact);
        peers.forget(group);
        assert_eq!(peers.relation(group), PeerRelation::No);
    }

    #[test]
    fn a_username_leads_to_its_current_owner_only() {
        let (peers, names) = (Peers::default(), Names::default());
        let name = |text: &str| text.parse::<Username>().expect("a name");
        peers.learn(&names, vec![peer(7, Some("demo_ann"), true), peer(8, None, true)], NOW);
        let user = ChatId::user(7).expect("id");
        let renamed = peers.renamed(user, Some(name("demo_anna")), "Anna".into()).expect("known");
        assert_eq!(peers.learn(&names, vec![renamed], NOW).len(), 1);
        assert_eq!((names.find(&name("demo_ann")), names.find(&name("demo_anna"))), (None, Some(user)));
        peers.learn(&names, vec![peer(8, Some("demo_anna"), true)], NOW);
        assert_eq!(names.find(&name("demo_anna")), ChatId::user(8));
        peers.learn(&names, vec![peer(7, None, true)], NOW);
        assert_eq!(names.find(&name("demo_anna")), ChatId::user(8));
        assert_eq!(peers.renamed(ChatId::user(9).expect("id"), None, String::new()), None);
    }

    #[test]
    fn inputs_carry_the_hash_of_this_account() {
        let (peers, names) = (Peers::default(), Names::default());
        peers.learn(&names, vec![peer(7, None, true)], NOW);
        let user = types::InputUser { user_id: 7, access_hash: 5 };
        let input = |id| peers.input_user(UserId::new(id).expect("id"));
        assert_eq!((input(7), input(9)), (Some(user.into()), None));
        let group = ChatId::group(3).expect("id");
        assert_eq!(peers.input(group), Some(types::InputPeerChat { chat_id: 3 }.into()));
        assert_eq!(peers.input_channel(group), None);
    }

    fn at(user: i64, at: Timestamp) -> HashMap<ChatId, Timestamp> {
        HashMap::from([(ChatId::user(user).expect("id"), at)])
    }

    #[test]
    fn restored_names_keep_their_age_until_learned_again() {
        let (peers, names) = (Peers::default(), Names::default());
        let (name, user) = ("demo_ann".parse::<Username>().expect("a name"), ChatId::user(7).expect("id"));
        let ann = || vec![peer(7, Some("demo_ann"), true)];
        peers.restore(&names, ann(), &at(7, NOW));
        let later = NOW.plus(NAME_LASTS);
        assert_eq!(names.find_fresh(&name, NOW), Some(user));
        assert_eq!((names.find_fresh(&name, later), names.find(&name)), (None, Some(user)));
        assert_eq!(peers.learn(&names, ann(), NOW.plus(NAME_LASTS / 3)), []);
        assert_eq!(peers.learn(&names, ann(), later), ann());
        assert_eq!(peers.learn(&names, ann(), later), []);
        let names = Names::default();
        Peers::default().restore(&names, ann(), &HashMap::new());
        assert_eq!(names.find_fresh(&name, later), None);
    }

    #[test]
    fn stale_or_conflicting_names_are_resolved_again() {
        let names = Names::default();
        let (name, user) = ("demo_ann".parse::<Username>().expect("a name"), ChatId::user(7).expect("id"));
        names.set(&name, user, NOW);
        let later = NOW.plus(NAME_LASTS);
        assert_eq!((names.find_fresh(&name, NOW), names.find_fresh(&name, later)), (Some(user), None));
        assert_eq!(names.find(&name), Some(user));
        names.put_off(&name, later);
        assert_eq!(names.find_fresh(&name, later), Some(user));
        names.set(&name, user, later);
        assert_eq!(names.find_fresh(&name, later.plus(GRACE)), Some(user));
        let names = Names::default();
        let peers = [Peers::default(), Peers::default()];
        peers[0].restore(&names, vec![peer(7, Some("demo_ann"), true)], &at(7, NOW));
        assert_eq!(names.find(&name), Some(user));
        peers[1].restore(&names, vec![peer(8, Some("demo_ann"), true)], &at(8, NOW));
        assert_eq!(names.find(&name), None);
        // Anyone who of the two is heard of with the name has it, news or not.
        assert_eq!(peers[0].learn(&names, vec![peer(7, Some("demo_ann"), true)], NOW), []);
        assert_eq!(names.find(&name), Some(user));
    }
}
