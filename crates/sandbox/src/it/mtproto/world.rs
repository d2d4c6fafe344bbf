//! A tiny world: a few methods, each with one behaviour of the wire to show.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use grammers_tl_types::{Cursor, Deserializable, Identifiable, Serializable, enums, functions, types};
use sandbox::call::{Answer, Caller, ConnectionId, Handling, Push, Reply, World};
use sandbox::keys::KeyRing;
use sandbox::mtproto::{DataCentre, RsaKey};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::{CancellationToken, DropGuard};

pub(crate) const DC: i32 = 2;

/// Answered at once, with the number of calls so far.
pub(crate) type Counted = functions::help::GetNearestDc;
/// Answered with a long text.
pub(crate) type Long = functions::help::GetInviteText;
/// Never answered.
pub(crate) type Silent = functions::help::GetSupportName;
/// Answered when the test says so.
pub(crate) type Late = functions::help::GetSupport;
/// Waits for its turn until the test says so, as a call does that another holds up.
pub(crate) type Queueing = functions::help::GetPromoData;
/// Cuts the connection.
pub(crate) type Cutting = functions::help::GetCdnConfig;
/// Sends something to the connection that asked.
pub(crate) type Pushing = functions::updates::GetState;

pub(crate) fn long_text() -> String {
    "a word and another ".repeat(400)
}

/// What the world is notified of.
#[derive(Default)]
pub(crate) struct Observations {
    pub(crate) calls: Vec<(Caller, u32)>,
    pub(crate) connected: Vec<Caller>,
    pub(crate) disconnected: Vec<ConnectionId>,
    pushes: Vec<(ConnectionId, mpsc::Sender<Push>)>,
}

#[derive(Default)]
pub(crate) struct Tiny {
    pub(crate) observed: Mutex<Observations>,
    pub(crate) late: Arc<Notify>,
    pub(crate) gone: Notify,
    pub(crate) deaf: AtomicBool,
    /// It is the turn of the call that waits for it.
    pub(crate) turn: AtomicBool,
    /// Whether its client had hung up by then.
    pub(crate) had_hung_up: Mutex<Option<bool>>,
}

impl Tiny {
    pub(crate) fn count(&self, method: u32) -> usize {
        self.observed.lock().unwrap().calls.iter().filter(|(_, called)| *called == method).count()
    }
}

fn result(object: &impl Serializable) -> Handling {
    Handling::Now(Reply::Send(Answer::Result(object.to_bytes())))
}

fn nearest(nearest_dc: usize) -> enums::NearestDc {
    let nearest_dc = i32::try_from(nearest_dc).unwrap();
    enums::NearestDc::Dc(types::NearestDc { country: "AQ".into(), this_dc: DC, nearest_dc })
}

/// A configuration in which nothing is set.
fn config() -> Handling {
    let mut fields = vec![0; 12];
    fields.extend(false.to_bytes());
    fields.extend(DC.to_bytes());
    fields.extend(Vec::<i32>::new().to_bytes());
    fields.resize(600, 0);
    let config = types::Config::deserialize(&mut Cursor::from_slice(&fields)).unwrap();
    result(&enums::Config::Config(config))
}

impl World for Tiny {
    fn call(&self, caller: &Caller, hung_up: &dyn Fn() -> bool, request: &[u8]) -> Handling {
        let method = u32::from_le_bytes(request[..4].try_into().unwrap());
        let mut observed = self.observed.lock().unwrap();
        observed.calls.push((caller.clone(), method));
        if method == Queueing::CONSTRUCTOR_ID {
            drop(observed);
            while !self.turn.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            *self.had_hung_up.lock().unwrap() = Some(hung_up());
            return Handling::Now(Reply::Silence);
        }
        match method {
            Counted::CONSTRUCTOR_ID => result(&nearest(observed.calls.len())),
            Long::CONSTRUCTOR_ID => {
                result(&enums::help::InviteText::Text(types::help::InviteText { message: long_text() }))
            }
            Silent::CONSTRUCTOR_ID => Handling::Now(Reply::Silence),
            Cutting::CONSTRUCTOR_ID => Handling::Now(Reply::Cut),
            Late::CONSTRUCTOR_ID => {
                let late = Arc::clone(&self.late);
                Handling::Later(Box::pin(async move {
                    late.notified().await;
                    Reply::Send(Answer::Result(nearest(0).to_bytes()))
                }))
            }
            Pushing::CONSTRUCTOR_ID => {
                for (_, pushes) in observed.pushes.iter().filter(|(of, _)| *of == caller.connection) {
                    pushes.try_send(Push::plain(enums::Updates::TooLong.to_bytes())).unwrap();
                }
                result(&enums::updates::State::State(types::updates::State {
                    pts: 1,
                    qts: 0,
                    date: 0,
                    seq: 0,
                    unread_count: 0,
                }))
            }
            functions::help::GetConfig::CONSTRUCTOR_ID => config(),
            _ => Handling::Now(Reply::Send(Answer::Error { code: 400, message: "NOT_HERE_7".into() })),
        }
    }

    fn connected(&self, caller: &Caller, pushes: mpsc::Sender<Push>) {
        let mut observed = self.observed.lock().unwrap();
        observed.connected.push(caller.clone());
        observed.pushes.push((caller.connection, pushes));
    }

    fn is_deaf(&self, _caller: &Caller) -> bool {
        self.deaf.load(Ordering::SeqCst)
    }

    fn disconnected(&self, connection: ConnectionId) {
        let mut observed = self.observed.lock().unwrap();
        observed.disconnected.push(connection);
        observed.pushes.retain(|(of, _)| *of != connection);
        self.gone.notify_one();
    }
}

/// A data centre that serves as long as this lives.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) keys: Arc<KeyRing>,
    pub(crate) world: Arc<Tiny>,
    pub(crate) rsa: Arc<RsaKey>,
    /// A key that is known.
    pub(crate) key: [u8; 256],
    pub(crate) stop: CancellationToken,
    pub(crate) serving: tokio::task::JoinHandle<()>,
    _guard: DropGuard,
}

pub(crate) async fn start() -> Running {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (keys, world) = (Arc::new(KeyRing::default()), Arc::new(Tiny::default()));
    let rsa = Arc::new(RsaKey::shared().unwrap());
    let key = std::array::from_fn(|i| u8::try_from(i).unwrap() ^ 0x5a);
    keys.register(key, DC);
    let stop = CancellationToken::new();
    let centre = DataCentre {
        dc_id: DC,
        listener,
        keys: Arc::clone(&keys),
        rsa: Arc::clone(&rsa),
        world: world.clone(),
    };
    let serving = tokio::spawn(centre.serve(stop.clone()));
    Running { address, keys, world, rsa, key, stop: stop.clone(), serving, _guard: stop.drop_guard() }
}
