//! One call: what the wire hands to the world, and what the world hands back.

use std::pin::Pin;
use std::time::Duration;

use crate::keys::AuthKeyId;

/// A TCP connection, numbered in the order of acceptance: the larger is the newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// Who calls, as far as the wire knows.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The auth key the request was encrypted with.
    pub key: AuthKeyId,
    /// The client's MTProto session id.
    pub session: i64,
    /// The connection the request came on.
    pub connection: ConnectionId,
    /// The data centre that listens there.
    pub dc_id: i32,
    /// The layer of the last `invokeWithLayer` of this session; 0 before the first.
    pub layer: i32,
    /// From when the bytes of the last keyboard were handed to this connection until the bytes of this request arrived.
    pub since_keyboard: Option<Duration>,
}

/// The result of a method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The boxed result, serialized; it becomes the body of `rpc_result`.
    Result(Vec<u8>),
    /// `rpc_error`.
    Error {
        /// As Telegram's error codes: 400, 401, 406, 420, 500…
        code: i32,
        /// As Telegram writes it: `FLOOD_WAIT_30`.
        message: String,
    },
}

/// What the wire does about a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    Send(Answer),
    /// The same answer two times, as after a resend.
    Twice(Answer),
    /// Say nothing; the connection stays.
    Silence,
    /// Close the connection without an answer.
    Cut,
}

/// A call that is decided now, or one that takes its time (a `delay` fault).
pub enum Handling {
    /// Reply at once.
    Now(Reply),
    /// Reply when this is done; later requests of the connection do not wait for it.
    Later(Pin<Box<dyn Future<Output = Reply> + Send>>),
}

/// Something the world sends by itself.
#[derive(Debug, Clone)]
pub struct Push {
    /// A boxed `Updates`, serialized.
    pub updates: Vec<u8>,
    /// Whether a message in it has a keyboard.
    pub has_keyboard: bool,
}

impl Push {
    /// Updates without a keyboard.
    pub const fn plain(updates: Vec<u8>) -> Self {
        Self { updates, has_keyboard: false }
    }
}

/// The world behind the wire.
pub trait World: Send + Sync + 'static {
    /// Runs one method. `request` begins with the constructor id of the method itself: the wire has peeled
    /// `invokeWithLayer`, `initConnection` and `invokeWithoutUpdates` off.
    ///
    /// `hung_up` returns whether the client has closed the connection: what it had sent before is all that still comes. It is
    /// asked at the moment at which that counts, since a client may hang up while its request waits for its turn.
    fn call(&self, caller: &Caller, hung_up: &dyn Fn() -> bool, request: &[u8]) -> Handling;

    /// A session was seen on a connection for the first time; pushes for its user go to `pushes` from now on.
    /// Called again when the same session comes back on a new connection.
    fn connected(&self, caller: &Caller, pushes: tokio::sync::mpsc::Sender<Push>);

    /// Whether this caller's pings and other service messages stay unanswered too: the `deaf` fault.
    fn is_deaf(&self, _caller: &Caller) -> bool {
        false
    }

    /// The connection is gone.
    fn disconnected(&self, connection: ConnectionId);
}
