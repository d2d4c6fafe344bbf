//! The world behind the wire: one lock round the state, a clock, and the calls that are delayed.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use grammers_tl_types::{Serializable, enums, types};
use sha2::{Digest, Sha256};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::admission::{Admitted, after, refused};
use super::bots::{GIVEN_UP, Pause};
use super::context::Context;
use super::demo;
use super::files::Files;
use super::identities::Seed;
use super::methods;
use super::people::Account;
use super::rpc::bad_request;
use super::state::{Centre, MadeSession, Moment, State};
use crate::call::{Answer, Caller, ConnectionId, Handling, Push, Reply, World};
use crate::keys::KeyRing;

/// How large a world is made.
#[derive(Debug, Clone)]
pub struct WorldOptions {
    /// Everything secret follows from it.
    pub seed: u64,
    /// The first five have names of their own, then `extra_1`…
    pub accounts: usize,
    /// Dialogs in all, spread over the accounts; each has at least some seventy.
    pub dialogs: usize,
    /// The data centres and where they listen.
    pub centres: Vec<Centre>,
    /// Where files are kept; the folder is made with the first one, and belongs to this world alone.
    pub files: PathBuf,
}

/// The pretend Telegram.
pub struct Telegram {
    inner: Arc<Inner>,
    keys: Arc<KeyRing>,
    delayed: TaskTracker,
    /// Notified when all faults are taken away.
    pub(crate) cleared: watch::Sender<()>,
    stop: CancellationToken,
}

struct Inner(Mutex<State>);

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a call that has waited long enough.
    fn finish(&self, call: &Delayed) -> Reply {
        let mut state = self.lock();
        if let Some(held) = &call.held {
            methods::release(&mut state, held);
        }
        let reply = match &call.admitted.turned_away {
            Some(reply) => reply.clone(),
            None => state.run(&call.caller, &call.admitted, call.id, &call.body, now()).0,
        };
        after(call.admitted.loss, reply)
    }
}

/// A call that waits out a delay.
struct Delayed {
    caller: Caller,
    admitted: Admitted,
    held: Option<methods::Reservation>,
    id: u32,
    body: Vec<u8>,
}

impl Telegram {
    /// Makes the demo world, and registers its accounts' keys.
    pub fn new(options: &WorldOptions, keys: Arc<KeyRing>) -> Self {
        let files = Files::new(options.files.clone(), now().0);
        let mut state = State::new(Seed(options.seed), options.centres.clone(), files);
        demo::populate(&mut state, options.accounts, options.dialogs, now());
        let world = Self {
            inner: Arc::new(Inner(Mutex::new(state))),
            keys,
            delayed: TaskTracker::new(),
            cleared: watch::Sender::new(()),
            stop: CancellationToken::new(),
        };
        let accounts = world.accounts();
        for account in &accounts {
            world.register(account);
        }
        world
    }

    /// All accounts, in the order they were made.
    pub fn accounts(&self) -> Vec<Arc<Account>> {
        self.lock().accounts().to_vec()
    }

    /// Makes the keys of an account known to its data centre, and the account's.
    pub(crate) fn register(&self, account: &Account) {
        let all = account.lines.iter().map(|line| line.auth_key).chain([account.auth_key]);
        for key in all {
            let id = self.keys.register(key, account.dc_id);
            self.lock().authorizations.bind(id, account.user_id, false);
        }
    }

    /// The SHA-256 of each key that is signed in as a user because someone signed in with it here.
    pub(crate) fn signed_in_with(&self, user: i64) -> Vec<[u8; 32]> {
        let made = self.made_sessions().borrow().clone();
        let own = made.into_iter().filter(|session| session.user == user && !session.imported);
        let keys = own.filter_map(|session| self.keys.find(session.key, session.dc_id));
        keys.map(|found| Sha256::digest(found.key).into()).collect()
    }

    /// The sessions that were made by signing in, as they come and go.
    pub(crate) fn made_sessions(&self) -> watch::Receiver<Vec<MadeSession>> {
        self.lock().made.subscribe()
    }

    /// Signs in a session of an earlier run, if its user is still there.
    pub(crate) fn sign_in_again(&self, session: MadeSession) {
        let mut state = self.lock();
        if state.people.contains_key(&session.user) {
            state.sign_in(session);
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.inner.lock()
    }

    /// Gives up the calls that are still delayed.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.delayed.close();
        self.delayed.wait().await;
    }

    /// Lets a call wait, at most until all faults are taken away. It takes effect even when its connection is gone by then.
    fn delay(&self, call: Delayed, wait: std::time::Duration, mut cleared: watch::Receiver<()>) -> Handling {
        let (done, reply) = oneshot::channel();
        let inner = Arc::clone(&self.inner);
        let stop = self.stop.clone();
        self.delayed.spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                _ = cleared.changed() => {}
                () = stop.cancelled() => return,
            }
            // The receiver may be gone.
            let _ = done.send(inner.finish(&call));
        });
        Handling::Later(Box::pin(async move { reply.await.unwrap_or(Reply::Silence) }))
    }
}

/// The reply when and as often as its method wants it.
fn paused(reply: Reply, pause: Pause) -> Handling {
    match (pause, reply) {
        (Pause::Twice, Reply::Send(answer)) => Handling::Now(Reply::Twice(answer)),
        (Pause::For(wait), reply) => Handling::Later(Box::pin(async move {
            tokio::time::sleep(wait).await;
            reply
        })),
        (Pause::UntilAnswered(answer), Reply::Send(_)) => Handling::Later(Box::pin(async move {
            match tokio::time::timeout(GIVEN_UP, answer).await {
                Ok(Ok(answer)) => {
                    let answer = types::messages::BotCallbackAnswer::from(answer);
                    let boxed = enums::messages::BotCallbackAnswer::from(answer);
                    Reply::Send(Answer::Result(boxed.to_bytes()))
                }
                _ => refused(bad_request("BOT_RESPONSE_TIMEOUT")),
            }
        })),
        (_, reply) => Handling::Now(reply),
    }
}

/// The clock on the wall: clients compare our dates with theirs.
#[expect(clippy::disallowed_methods, reason = "the outside world has a time of its own")]
pub(crate) fn now() -> Moment {
    Moment(jiff::Timestamp::now().as_microsecond())
}

impl World for Telegram {
    fn call(&self, caller: &Caller, hung_up: &dyn Fn() -> bool, request: &[u8]) -> Handling {
        let Some((id, body)) = request.split_first_chunk::<4>() else {
            return Handling::Now(refused(bad_request("INPUT_REQUEST_INVALID")));
        };
        let id = u32::from_le_bytes(*id);
        let at = now();
        // Before the delay is decided on, so that nothing falls between the two.
        let cleared = self.cleared.subscribe();
        let mut state = self.lock();
        let admitted = state.admit(caller, hung_up, id);
        let Some(wait) = admitted.delay else {
            let (reply, pause) = match &admitted.turned_away {
                Some(reply) => (reply.clone(), Pause::default()),
                None => state.run(caller, &admitted, id, body, at),
            };
            return paused(after(admitted.loss, reply), pause);
        };
        let mut held = None;
        if admitted.turned_away.is_none() {
            let (user, method) = (admitted.user, admitted.method);
            let mut context =
                Context { state: &mut state, caller, user, at, method, pause: Pause::default() };
            match methods::reserve(&mut context, id, body) {
                Ok(reservation) => held = reservation,
                Err(error) => return Handling::Now(after(admitted.loss, refused(error))),
            }
        }
        drop(state);
        let call = Delayed { caller: caller.clone(), admitted, held, id, body: body.to_vec() };
        self.delay(call, wait, cleared)
    }

    fn connected(&self, caller: &Caller, pushes: mpsc::Sender<Push>) {
        self.lock().sessions.connect(caller, pushes);
    }

    fn is_deaf(&self, caller: &Caller) -> bool {
        let state = self.lock();
        let user = state.authorizations.get(caller.key).map(|authorization| authorization.user);
        state.faults.deafens(user.and_then(|user| state.account_of(user)).map(|account| &*account.name))
    }

    fn disconnected(&self, connection: ConnectionId) {
        self.lock().sessions.disconnect(connection);
    }
}
