//! The world behind the wire, called directly: no sockets.

mod access;
mod bots;
mod buttons;
mod chats;
mod dialogs;
mod faults;
mod files;
mod forwarding;
mod inviting;
mod lives;
mod sending;
mod sign_in;
mod speed;
mod updates;

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use grammers_tl_types::{Cursor, Deserializable, RemoteCall, enums, functions, types};
use sandbox::call::{Answer, Caller, ConnectionId, Handling, Push, Reply, World};
use sandbox::keys::{AuthKeyId, KeyRing};
use sandbox::telegram::{Centre, FaultOrder, Telegram, WorldOptions};
use tokio::sync::mpsc;

/// What became of a call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    Answer(Vec<u8>),
    Error(i32, String),
    Twice(Vec<u8>),
    Silence,
    Cut,
}

impl From<Reply> for Outcome {
    fn from(reply: Reply) -> Self {
        match reply {
            Reply::Send(Answer::Result(bytes)) => Self::Answer(bytes),
            Reply::Twice(Answer::Result(bytes)) => Self::Twice(bytes),
            Reply::Send(Answer::Error { code, message }) | Reply::Twice(Answer::Error { code, message }) => {
                Self::Error(code, message)
            }
            Reply::Silence => Self::Silence,
            Reply::Cut => Self::Cut,
        }
    }
}

pub(crate) fn world() -> Arc<Telegram> {
    world_of(6, 0)
}

/// Each world has a folder of its own for files, made with the first one: most worlds have none.
static WORLDS: AtomicU64 = AtomicU64::new(0);

pub(crate) fn world_of(accounts: usize, dialogs: usize) -> Arc<Telegram> {
    let centre = |dc_id, port| Centre { dc_id, address: SocketAddrV4::new(Ipv4Addr::LOCALHOST, port) };
    let number = WORLDS.fetch_add(1, Ordering::Relaxed);
    let files = std::env::temp_dir().join(format!("world-{}-{number}", std::process::id()));
    let centres = vec![centre(2, 5097), centre(4, 5096)];
    let options = WorldOptions { seed: 1, accounts, dialogs, centres, files };
    Arc::new(Telegram::new(&options, Arc::new(KeyRing::default())))
}

/// A client on one connection.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) world: Arc<Telegram>,
    pub(crate) caller: Caller,
}

/// The key a session of the settings file has.
fn key_id(key: [u8; 256]) -> AuthKeyId {
    KeyRing::default().register(key, 2)
}

impl Client {
    /// An account's client, with the key for use by hand.
    pub(crate) fn of(world: &Arc<Telegram>, name: &str) -> Self {
        let accounts = world.accounts();
        let account = accounts.iter().find(|account| &*account.name == name).unwrap();
        Self::with(world, key_id(account.auth_key), account.dc_id)
    }

    /// A client with any key.
    pub(crate) fn with(world: &Arc<Telegram>, key: AuthKeyId, dc_id: i32) -> Self {
        let caller =
            Caller { key, session: 1, connection: ConnectionId(1), dc_id, layer: 230, since_keyboard: None };
        Self { world: Arc::clone(world), caller }
    }

    /// The account's client with a key of the settings file.
    pub(crate) fn on_line(world: &Arc<Telegram>, name: &str, line: usize) -> Self {
        let accounts = world.accounts();
        let account = accounts.iter().find(|account| &*account.name == name).unwrap();
        Self::with(world, key_id(account.lines[line].auth_key), account.dc_id)
    }

    /// The same session on another connection.
    pub(crate) fn on(&self, connection: u64) -> Self {
        let mut other = self.clone();
        other.caller.connection = ConnectionId(connection);
        other
    }

    pub(crate) fn id(&self, name: &str) -> i64 {
        self.world.accounts().iter().find(|account| &*account.name == name).unwrap().user_id
    }

    pub(crate) fn handle<F: RemoteCall>(&self, request: &F) -> Handling {
        self.world.call(&self.caller, &|| false, &request.to_bytes())
    }

    /// A call that is decided at once.
    pub(crate) fn hear<F: RemoteCall>(&self, request: &F) -> Outcome {
        match self.handle(request) {
            Handling::Now(reply) => reply.into(),
            Handling::Later(_) => panic!("the call is delayed"),
        }
    }

    /// An answer, read to its end.
    pub(crate) fn ask<F: RemoteCall>(&self, request: &F) -> F::Return {
        match self.hear(request) {
            Outcome::Answer(bytes) => whole(&bytes),
            other => panic!("{other:?}"),
        }
    }

    /// The error a call must end with.
    pub(crate) fn refused<F: RemoteCall>(&self, request: &F) -> (i32, String) {
        match self.hear(request) {
            Outcome::Error(code, message) => (code, message),
            other => panic!("{other:?}"),
        }
    }

    /// Listens for updates.
    pub(crate) fn listen(&self) -> Pushes {
        let (sender, receiver) = mpsc::channel(100);
        self.world.connected(&self.caller, sender);
        Pushes(receiver)
    }

    pub(crate) fn resolve(&self, username: &str) -> enums::contacts::ResolvedPeer {
        self.ask(&functions::contacts::ResolveUsername { username: username.into(), referer: None })
    }

    /// Names a user or channel by username.
    pub(crate) fn peer(&self, username: &str) -> enums::InputPeer {
        let enums::contacts::ResolvedPeer::Peer(found) = self.resolve(username);
        match (found.users.first(), found.chats.first()) {
            (Some(enums::User::User(user)), _) => {
                types::InputPeerUser { user_id: user.id, access_hash: user.access_hash.unwrap() }.into()
            }
            (_, Some(enums::Chat::Channel(channel))) => {
                types::InputPeerChannel { channel_id: channel.id, access_hash: channel.access_hash.unwrap() }
                    .into()
            }
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn user(&self, username: &str) -> enums::InputUser {
        let enums::InputPeer::User(user) = self.peer(username) else { panic!("{username} is no user") };
        types::InputUser { user_id: user.user_id, access_hash: user.access_hash }.into()
    }

    /// The first dialogs, as many as one answer holds.
    pub(crate) fn chats(&self) -> Vec<enums::Chat> {
        let mut all = Vec::new();
        for page in self::dialogs::pages(self, 100) {
            all.extend(page.1);
        }
        all
    }

    /// Names a group or supergroup by its title.
    pub(crate) fn titled(&self, title: &str) -> enums::InputPeer {
        for chat in self.chats() {
            match chat {
                enums::Chat::Channel(channel) if channel.title == title => {
                    let (channel_id, access_hash) = (channel.id, channel.access_hash.unwrap());
                    return types::InputPeerChannel { channel_id, access_hash }.into();
                }
                enums::Chat::Chat(chat) if chat.title == title => {
                    return types::InputPeerChat { chat_id: chat.id }.into();
                }
                _ => {}
            }
        }
        panic!("no chat is called {title}")
    }

    pub(crate) fn send(&self, peer: &enums::InputPeer, text: &str, random_id: i64) -> enums::Updates {
        self.ask(&message(peer, text, random_id))
    }

    /// The newest messages of a chat.
    pub(crate) fn newest(&self, peer: &enums::InputPeer, limit: i32) -> Vec<types::Message> {
        messages_of(self.ask(&functions::messages::GetHistory {
            peer: peer.clone(),
            offset_id: 0,
            offset_date: 0,
            add_offset: 0,
            limit,
            max_id: 0,
            min_id: 0,
            hash: 0,
        }))
    }

    pub(crate) fn state(&self) -> types::updates::State {
        let enums::updates::State::State(state) = self.ask(&functions::updates::GetState {});
        state
    }
}

/// Reads an answer; nothing may be left over.
pub(crate) fn whole<T: Deserializable>(bytes: &[u8]) -> T {
    let mut cursor = Cursor::from_slice(bytes);
    let value = T::deserialize(&mut cursor).unwrap();
    assert_eq!(cursor.pos(), bytes.len(), "the answer is longer than its type");
    value
}

/// What is pushed to a session.
pub(crate) struct Pushes(mpsc::Receiver<Push>);

impl Pushes {
    pub(crate) fn next(&mut self) -> types::Updates {
        match self.any() {
            enums::Updates::Updates(updates) => updates,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn any(&mut self) -> enums::Updates {
        whole(&self.0.try_recv().expect("a push").updates)
    }

    pub(crate) fn nothing(&mut self) {
        assert!(self.0.try_recv().is_err(), "nothing should be pushed");
    }
}

pub(crate) fn message(
    peer: &enums::InputPeer,
    text: &str,
    random_id: i64,
) -> functions::messages::SendMessage {
    functions::messages::SendMessage {
        no_webpage: false,
        silent: false,
        background: false,
        clear_draft: false,
        noforwards: false,
        update_stickersets_order: false,
        invert_media: false,
        allow_paid_floodskip: false,
        peer: peer.clone(),
        reply_to: None,
        message: text.into(),
        random_id,
        reply_markup: None,
        entities: None,
        schedule_date: None,
        schedule_repeat_period: None,
        send_as: None,
        quick_reply_shortcut: None,
        effect: None,
        allow_paid_stars: None,
        suggested_post: None,
        rich_message: None,
    }
}

pub(crate) fn reply(id: i32) -> enums::InputReplyTo {
    types::InputReplyToMessage {
        reply_to_msg_id: id,
        top_msg_id: None,
        reply_to_peer_id: None,
        quote_text: None,
        quote_entities: None,
        quote_offset: None,
        monoforum_peer_id: None,
        todo_item_id: None,
        poll_option: None,
    }
    .into()
}

/// The plain messages of an answer.
pub(crate) fn messages_of(answer: enums::messages::Messages) -> Vec<types::Message> {
    let messages = match answer {
        enums::messages::Messages::Messages(it) => it.messages,
        enums::messages::Messages::Slice(it) => it.messages,
        enums::messages::Messages::ChannelMessages(it) => it.messages,
        enums::messages::Messages::NotModified(_) => panic!("not modified"),
    };
    let plain = |message| match message {
        enums::Message::Message(message) => Some(message),
        enums::Message::Empty(_) | enums::Message::Service(_) => None,
    };
    messages.into_iter().filter_map(plain).collect()
}

/// The id of a message that was sent.
pub(crate) fn sent_id(updates: &enums::Updates) -> i32 {
    match updates {
        enums::Updates::UpdateShortSentMessage(sent) => sent.id,
        enums::Updates::Updates(updates) => match &updates.updates[0] {
            enums::Update::MessageId(assigned) => assigned.id,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

pub(crate) fn fault(world: &Telegram, json: serde_json::Value) -> u64 {
    let order: FaultOrder = serde_json::from_value(json).unwrap();
    world.add_fault(order).unwrap()
}

pub(crate) fn texts(world: &Telegram) -> Vec<String> {
    world.ledger(0, usize::MAX).iter().map(|entry| entry.text.to_string()).collect()
}
