//! What is done to the world from outside: through the control port, by hand or by a test.

use std::sync::Arc;

use grammers_tl_types::{enums, types};

use super::accounts;
use super::bots::{keyboard, reply_keyboard};
use super::calls::{CallCount, UnknownMethod};
use super::chats::{Member, Role};
use super::demo;
use super::faults::{ActiveFault, FaultError, FaultOrder};
use super::ledger::Entry;
use super::message::Body;
use super::methods;
use super::orders::{
    ChatMember, ChatView, Edit, MemberOrder, NewAccount, NewBlock, NewContact, NewMessage, OutsideError,
    Reactions, Removal, Restriction, Written,
};
use super::peer::Peer;
use super::people::Account;
use super::posting::Draft;
use super::render::Cast;
use super::sessions::SessionKey;
use super::state::{Moment, State, digits};
use super::world::{Telegram, now};

impl State {
    /// The user or chat that is meant by `@name`, an account's name, or an id.
    pub(crate) fn named(&self, text: &str) -> Result<Peer, OutsideError> {
        let unknown = || OutsideError::NotFound(format!("user or chat \"{text}\""));
        if let Some(username) = text.strip_prefix('@') {
            return self.by_username(username).ok_or_else(unknown);
        }
        if let Some(account) = self.account_named(text) {
            return Ok(Peer::User(account.user_id));
        }
        let peer = Peer::parse(text).ok_or_else(unknown)?;
        let known = match peer {
            Peer::User(id) => self.people.contains_key(&id),
            Peer::Group(id) => self.groups.contains_key(&id),
            Peer::Channel(id) => self.channels.contains_key(&id),
        };
        known.then_some(peer).ok_or_else(unknown)
    }

    pub(crate) fn named_user(&self, text: &str) -> Result<i64, OutsideError> {
        match self.named(text)? {
            Peer::User(id) => Ok(id),
            Peer::Group(_) | Peer::Channel(_) => {
                Err(OutsideError::Invalid(format!("\"{text}\" is a chat, not a user")))
            }
        }
    }

    /// Puts a user into the contacts of another, or takes them out. The other's sessions hear of it, but for the one that does it.
    pub(crate) fn set_contact(
        &mut self,
        who: i64,
        whom: i64,
        is_contact: bool,
        at: Moment,
        here: Option<SessionKey>,
    ) {
        let Some(person) = self.people.get_mut(&who) else { return };
        let is_news = if is_contact { person.contacts.insert(whom) } else { person.contacts.remove(&whom) };
        if is_news {
            self.tell(who, vec![enums::Update::ContactsReset], &Cast::default(), at, here);
        }
    }

    pub(crate) fn named_account(&self, name: &str) -> Result<i64, OutsideError> {
        let user = self.named_user(name)?;
        let known = self.mailboxes.contains_key(&user).then_some(user);
        known.ok_or_else(|| OutsideError::Invalid(format!("\"{name}\" is no account")))
    }

    /// In whose numbering a message of a private chat or basic group has this id: the newest of them, if several.
    fn owner_of_newest(&self, peer: Peer, id: i32) -> Option<i64> {
        let found = self.mailboxes.keys().filter_map(|owner| {
            let stored = self.stored(*owner, peer, id)?;
            Some((stored.origin, *owner))
        });
        found.max().map(|(_, owner)| owner)
    }

    /// In whose numbering a message is, and in which chat.
    pub(crate) fn location_of(
        &self,
        chat_id: &str,
        message_id: i32,
        account: Option<&str>,
    ) -> Result<(i64, Peer), OutsideError> {
        let peer = self.named(chat_id)?;
        let unknown = || OutsideError::NotFound(format!("message {message_id} in chat {chat_id}"));
        let owner = match (peer, account) {
            (Peer::Channel(_), _) => 0,
            (Peer::User(_) | Peer::Group(_), Some(name)) => self.named_account(name)?,
            (Peer::User(_) | Peer::Group(_), None) => {
                self.owner_of_newest(peer, message_id).ok_or_else(unknown)?
            }
        };
        Ok((owner, peer))
    }

    /// Puts someone into a chat, takes or throws someone out, or silences someone.
    pub(crate) fn move_member(&mut self, chat_id: &str, order: &MemberOrder) -> Result<(), OutsideError> {
        let peer = self.named(chat_id)?;
        let user = self.named_user(&order.account)?;
        let at = now();
        let removal = order.remove.unwrap_or(Removal::Plain(false));
        let absent = || OutsideError::NotFound(format!("member \"{}\" of {chat_id}", order.account));
        match (peer, removal) {
            (Peer::User(_), _) => {
                return Err(OutsideError::Invalid("a private chat has no members".to_owned()));
            }
            (Peer::Channel(id), removal) => {
                if removal == Removal::Plain(true) {
                    self.leave_channel(user, id).then_some(()).ok_or_else(absent)?;
                } else if removal == Removal::Harder(Restriction::Ban) {
                    self.ban(user, id, 0, at.date());
                } else if removal == Removal::Harder(Restriction::Mute)
                    || !self.enter_channel(user, id, user, at.date())
                {
                    let member = self.channels.get_mut(&id).and_then(|it| it.members.get_mut(&user));
                    member.ok_or_else(absent)?.muted = removal == Removal::Harder(Restriction::Mute);
                }
                self.notify_of_membership(user, id, at, None);
            }
            (Peer::Group(id), Removal::Plain(false)) => {
                if self.enter_group(user, id, user, at.date()) {
                    let action = types::MessageActionChatAddUser { users: vec![user] }.into();
                    self.announce(user, peer, action, at, None);
                }
            }
            (Peer::Group(id), Removal::Plain(true) | Removal::Harder(Restriction::Ban)) => {
                let inside = self.groups.get(&id).is_some_and(|group| group.members.contains_key(&user));
                inside.then_some(()).ok_or_else(absent)?;
                let action = types::MessageActionChatDeleteUser { user_id: user }.into();
                self.announce(user, peer, action, at, None);
                self.leave_group(user, id);
            }
            (Peer::Group(_), Removal::Harder(Restriction::Mute)) => {
                return Err(OutsideError::Invalid("no one can be muted in a basic group".to_owned()));
            }
        }
        Ok(())
    }
}

impl Telegram {
    /// The ledger after a seq, at most so many entries.
    pub fn ledger(&self, after: u64, limit: usize) -> Vec<Entry> {
        self.lock().ledger.after(after, limit)
    }

    /// Writes an effect at another provider into the ledger.
    pub(crate) fn record_outside(&self, effect: crate::channels::ChannelEffect) {
        self.lock().ledger.record_outside(now().0, effect);
    }

    /// Empties the ledger; seq goes on.
    pub fn clear_ledger(&self) {
        self.lock().ledger.clear();
    }

    /// How often methods were called.
    pub fn calls(&self, account: Option<&str>, method: Option<&str>) -> Vec<CallCount> {
        self.lock().calls.list(account, method)
    }

    /// Begins to count again.
    pub fn clear_calls(&self) {
        self.lock().calls.clear();
    }

    /// How many sessions of an account are subscribed to its updates.
    pub fn subscribed(&self, account: &str) -> usize {
        let state = self.lock();
        let user = state.account_named(account).map(|account| account.user_id);
        user.map_or(0, |user| state.sessions.count(state.authorizations.keys_of(user)))
    }

    /// Methods that were asked for and are not known.
    pub fn unknown(&self) -> Vec<UnknownMethod> {
        self.lock().calls.unknown()
    }

    /// Forgets them.
    pub fn clear_unknown(&self) {
        self.lock().calls.clear_unknown();
    }

    /// Turns the fault dial.
    pub fn add_fault(&self, order: FaultOrder) -> Result<u64, FaultError> {
        let mut state = self.lock();
        if let Some(name) = &order.account
            && state.account_named(name).is_none()
        {
            return Err(FaultError::Account(name.clone()));
        }
        if let Some(method) = &order.method
            && !methods::is_known(method)
        {
            return Err(FaultError::Method(method.clone()));
        }
        state.faults.add(order)
    }

    pub fn faults(&self) -> Vec<ActiveFault> {
        self.lock().faults.list()
    }

    /// Takes a fault away; false when there is none with this id.
    pub fn remove_fault(&self, id: u64) -> bool {
        self.lock().faults.remove(id)
    }

    /// Takes all faults away, and lets the calls go on that a delay holds.
    pub fn clear_faults(&self) {
        self.lock().faults.clear();
        self.cleared.send_replace(());
    }

    pub fn add_account(&self, order: &NewAccount) -> Result<Arc<Account>, OutsideError> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if !(1..=27).contains(&order.name.len())
            || !order.name.bytes().all(plain)
            || order.name.starts_with('_')
            || order.name.ends_with('_')
        {
            let rule = "name must be 1 to 27 small letters, digits and inner underscores";
            return Err(OutsideError::Invalid(rule.to_owned()));
        }
        let number = digits(&order.phone);
        if !order.phone.starts_with('+') || !(7..=15).contains(&number.len()) {
            return Err(OutsideError::Invalid("phone must be + and 7 to 15 digits".to_owned()));
        }
        if order.dialogs > 10_000 {
            return Err(OutsideError::Invalid("dialogs must be at most 10000".to_owned()));
        }
        let mut state = self.lock();
        if !state.centres.iter().any(|centre| centre.dc_id == order.dc_id) {
            return Err(OutsideError::Invalid("dc_id must be that of a data centre: 2 or 4".to_owned()));
        }
        if state.account_named(&order.name).is_some()
            || state.by_username(&format!("demo_{}", order.name)).is_some()
        {
            return Err(OutsideError::Taken(format!("the name \"{}\"", order.name)));
        }
        if state.by_phone(&number).is_some() {
            return Err(OutsideError::Taken(format!("the phone {}", order.phone)));
        }
        let place = state.accounts().len() + 1;
        let account = accounts::make(state.seed, place, &order.name, &format!("+{number}"), order.dc_id);
        let account = Arc::new(account);
        state.add_person(accounts::person(&account));
        demo::settle(&mut state, account.user_id, order.dialogs, now());
        drop(state);
        self.register(&account);
        Ok(account)
    }

    /// Sends a message as a client, a bot or an account. It is no effect of an account's call: the ledger does not have it.
    pub fn write(&self, order: &NewMessage) -> Result<Written, OutsideError> {
        let units = order.text.encode_utf16().count();
        if order.media.is_empty() && (order.text.trim().is_empty() || units > 4_096) {
            return Err(OutsideError::Invalid("text must have 1 to 4096 UTF-16 units".to_owned()));
        }
        if !order.media.is_empty() && units > 1_024 {
            return Err(OutsideError::Invalid("a caption must have at most 1024 UTF-16 units".to_owned()));
        }
        // Large files are written before anything is locked.
        let files = self.brought(&order.media)?;
        let mut state = self.lock();
        let from = state.named_user(&order.from)?;
        let peer = state.named(&order.chat)?;
        state.may_write(from, peer)?;
        let markup = match keyboard(&order.buttons)? {
            Some(markup) => Some(markup),
            None => reply_keyboard(&order.keyboard)?,
        };
        let body = Body { text: order.text.as_str().into(), markup, ..Body::default() };
        // Whose numbering is answered: the receiver's if it has a mailbox, else the sender's.
        let (reader, there) = match peer {
            Peer::User(to) if state.mailboxes.contains_key(&to) => (to, Peer::User(from)),
            Peer::User(_) | Peer::Channel(_) => (from, peer),
            Peer::Group(id) => {
                let named = order.account.as_deref().map(|name| state.named_account(name)).transpose()?;
                let members = state.groups.get(&id).map(|group| group.members.keys());
                let first =
                    members.into_iter().flatten().find(|user| state.mailboxes.contains_key(user)).copied();
                (named.or(first).unwrap_or(from), peer)
            }
        };
        let mut message_ids = Vec::new();
        for body in state.with_files(body, files) {
            let body = Body { group: order.album.or(body.group), ..body };
            let draft = Draft { body, reply_to: None, silent: false };
            let posted = state.post(from, peer, &draft, now(), None);
            let message_id = match peer {
                Peer::Channel(_) => posted.own.map(|sent| sent.id),
                Peer::User(_) | Peer::Group(_) => state.copy_of(reader, there, posted.origin),
            };
            message_ids.push(message_id.ok_or_else(|| {
                OutsideError::Invalid("neither side is an account: no one would see it".to_owned())
            })?);
        }
        let message_id = message_ids.first().copied().unwrap_or_default();
        if message_ids.len() == 1 {
            message_ids.clear();
        }
        Ok(Written { chat_id: there.to_string(), message_id, message_ids })
    }

    /// Changes a message, regardless of its author.
    pub fn edit(&self, chat_id: &str, message_id: i32, edit: &Edit) -> Result<Written, OutsideError> {
        if edit.text.trim().is_empty() || edit.text.encode_utf16().count() > 4_096 {
            return Err(OutsideError::Invalid("text must have 1 to 4096 UTF-16 units".to_owned()));
        }
        let mut state = self.lock();
        let unknown = || OutsideError::NotFound(format!("message {message_id} in chat {chat_id}"));
        let (owner, peer) = state.location_of(chat_id, message_id, edit.account.as_deref())?;
        let old = state.stored(owner, peer, message_id).ok_or_else(unknown)?.body.clone();
        let markup = match &edit.buttons {
            Some(rows) => keyboard(rows)?,
            None => old.markup,
        };
        let body = Body { text: edit.text.as_str().into(), entities: None, markup, ..old };
        state.edit(owner, peer, message_id, &body, now(), None).ok_or_else(unknown)?;
        Ok(Written { chat_id: peer.to_string(), message_id, message_ids: Vec::new() })
    }

    /// Takes a message away for everyone, of any author.
    pub fn delete(&self, chat_id: &str, message_id: i32, account: Option<&str>) -> Result<(), OutsideError> {
        let mut state = self.lock();
        let (owner, peer) = state.location_of(chat_id, message_id, account)?;
        let gone = state.delete_everywhere(owner, peer, message_id, now());
        gone.then_some(())
            .ok_or_else(|| OutsideError::NotFound(format!("message {message_id} in chat {chat_id}")))
    }

    /// Gives a message these reactions instead of those it has.
    pub fn react(&self, chat_id: &str, message_id: i32, order: &Reactions) -> Result<(), OutsideError> {
        let mut state = self.lock();
        let (owner, peer) = state.location_of(chat_id, message_id, order.account.as_deref())?;
        let given = order.emojis.iter().map(|(emoji, count)| (emoji.clone(), *count)).collect();
        let known = state.react(owner, peer, message_id, &given, now());
        known
            .then_some(())
            .ok_or_else(|| OutsideError::NotFound(format!("message {message_id} in chat {chat_id}")))
    }

    /// Lists the groups, supergroups and channels.
    pub fn chats(&self) -> Vec<ChatView> {
        let state = self.lock();
        let member = |(user, member): (&i64, &Member)| {
            let person = state.people.get(user);
            ChatMember {
                user_id: *user,
                username: person.and_then(|person| person.username.clone()),
                account: state.account_of(*user).map(|account| Arc::clone(&account.name)),
                role: match member.role {
                    Role::Creator => "creator",
                    Role::Admin { .. } => "admin",
                    Role::Member => "member",
                },
            }
        };
        let mut chats: Vec<(Peer, ChatView)> = Vec::new();
        for group in state.groups.values() {
            let peer = Peer::Group(group.id);
            let view = ChatView {
                chat_id: peer.to_string(),
                kind: "group",
                title: group.title.clone(),
                username: None,
                migrated_to: group.migrated_to.map(|id| Peer::Channel(id).to_string()),
                members: group.members.iter().map(member).collect(),
            };
            chats.push((peer, view));
        }
        for channel in state.channels.values() {
            let peer = Peer::Channel(channel.id);
            let view = ChatView {
                chat_id: peer.to_string(),
                kind: if channel.megagroup { "supergroup" } else { "channel" },
                title: channel.title.clone(),
                username: channel.username.clone(),
                migrated_to: None,
                members: channel.members.iter().map(member).collect(),
            };
            chats.push((peer, view));
        }
        chats.sort_by_key(|(peer, _)| *peer);
        chats.into_iter().map(|(_, view)| view).collect()
    }

    /// Puts someone into a chat, takes or throws someone out, or silences someone.
    pub fn move_member(&self, chat_id: &str, order: &MemberOrder) -> Result<(), OutsideError> {
        self.lock().move_member(chat_id, order)
    }

    /// Saves a user in the contacts of an account.
    pub fn save_contact(&self, order: &NewContact) -> Result<(), OutsideError> {
        let mut state = self.lock();
        let account = state.named_account(&order.account)?;
        let user = state.named_user(&order.user)?;
        state.set_contact(account, user, !order.remove, now(), None);
        Ok(())
    }

    /// Lets someone block an account.
    pub fn block(&self, order: &NewBlock) -> Result<(), OutsideError> {
        let mut state = self.lock();
        let by = state.named_user(&order.from)?;
        let whom = state.named_user(&order.account)?;
        if let Some(person) = state.people.get_mut(&by) {
            if order.remove {
                person.blocked.remove(&whom);
            } else {
                person.blocked.insert(whom);
            }
        }
        Ok(())
    }
}
