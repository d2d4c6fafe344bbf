//! Connections of a line to other data centres, where files lie that it brings down: made when one is wanted, let in by
//! the home data centre, dropped when none is.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::Timestamp;
use domain::account::Operation;
use grammers_tl_types::{Serializable as _, enums, functions};
use mtproto::{Connection, RequestError, fresh_key};

use super::Line;
use super::gate::Gate;
use crate::calls::CallResult;
use crate::classify::CallError;
use crate::session::{Key, SignedIn};

/// How long nobody must have used a connection before it is dropped.
const AFTER_FILES: Duration = Duration::from_secs(5);

/// How long being let in may take, a new key included.
const ADMISSION: Duration = Duration::from_secs(20);

/// What a data centre says of a key that it knows, and not whose it is.
const FORGOTTEN: &str = "AUTH_KEY_UNREGISTERED";

/// The connections of one line, by data centre.
#[derive(Default)]
pub(super) struct Abroad(Mutex<HashMap<i32, Arc<Place>>>);

/// One of the other data centres.
#[derive(Default)]
struct Place {
    /// Whether the data centre knows whose key it is. Held by whoever makes the key or is being let in.
    admitted: tokio::sync::Mutex<bool>,
    visit: Mutex<Option<Arc<Visit>>>,
}

/// A key there, and its connection. The key is kept for as long as the line lives, so that it is made once.
struct Visit {
    connection: Connection,
    gate: Gate,
    /// When it was used last; 0 when it is not connected.
    used_at: AtomicI64,
}

impl Place {
    fn visit(&self) -> Option<Arc<Visit>> {
        self.visit
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .filter(|visit| !visit.connection.is_broken())
    }

    fn set(&self, visit: Option<Arc<Visit>>) {
        *self.visit.lock().unwrap_or_else(PoisonError::into_inner) = visit;
    }
}

impl Abroad {
    fn place(&self, dc_id: i32) -> Arc<Place> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(places.entry(dc_id).or_default())
    }

    fn visits(&self) -> Vec<Arc<Visit>> {
        let places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        places.values().filter_map(|place| place.visit()).collect()
    }

    /// Ends all of them.
    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// When the first of them is to be dropped.
    pub(super) fn due(&self) -> Option<Timestamp> {
        let visits = self.visits();
        let used = visits.iter().map(|visit| visit.used_at.load(Ordering::Acquire));
        let first = used.filter(|at| *at != 0).min()?;
        Some(Timestamp::from_micros(first).plus(AFTER_FILES))
    }

    /// Drops those that are not used any more; their buffers go with them. One with a call on it counts as just used.
    pub(super) fn leave(&self, now: Timestamp) {
        for visit in self.visits() {
            let used_at = visit.used_at.load(Ordering::Acquire);
            if used_at == 0 || now.since(Timestamp::from_micros(used_at)) < AFTER_FILES {
                continue;
            }
            let left = visit.gate.when_empty(|| {
                visit.connection.wire.hang_up();
                visit.used_at.store(0, Ordering::Release);
            });
            if !left {
                visit.used_at.store(now.as_micros(), Ordering::Release);
            }
        }
    }
}

impl Line {
    /// Makes a call in another data centre. What goes wrong there says nothing about the line.
    pub(crate) async fn call_abroad(
        &self,
        dc_id: i32,
        operation: Operation,
        body: Vec<u8>,
        limit: Duration,
    ) -> Result<Vec<u8>, CallError> {
        let place = self.abroad.place(dc_id);
        let clock = &self.parts.standing.clock;
        let mut again = true;
        loop {
            let admission = self.admit(&place, dc_id);
            let admitted = clock.timeout(ADMISSION, admission).await.unwrap_or(Err(CallError::TimedOut));
            let result = match admitted {
                Ok(visit) => self.call_on(&visit, operation, body.clone(), limit).await,
                Err(error) => Err(error),
            };
            let Err(error) = result else { return result };
            let is_about_the_key = is_about_the_key(&error);
            if is_about_the_key {
                *place.admitted.lock().await = false;
            }
            // It may only have forgotten whose key this is. Any other word about the key is the last one.
            if is_hopeless(&error) || (is_about_the_key && !(again && error.name() == Some(FORGOTTEN))) {
                place.set(None);
            }
            if !is_about_the_key || !std::mem::replace(&mut again, false) {
                return Err(error);
            }
        }
    }

    /// Makes sure that there is a key, and lets the home data centre vouch for it.
    async fn admit(&self, place: &Place, dc_id: i32) -> Result<Arc<Visit>, CallError> {
        let mut admitted = place.admitted.lock().await;
        let visit = match place.visit() {
            Some(visit) if *admitted => return Ok(visit),
            Some(visit) => visit,
            None => {
                *admitted = false;
                self.open_abroad(dc_id).await?
            }
        };
        let request = functions::auth::ExportAuthorization { dc_id };
        let enums::auth::ExportedAuthorization::Authorization(passport) =
            self.call(Operation::Connect, &request, ADMISSION).await?;
        let request = functions::auth::ImportAuthorization { id: passport.id, bytes: passport.bytes };
        self.call_on(&visit, Operation::Connect, request.to_bytes(), ADMISSION).await?;
        place.set(Some(Arc::clone(&visit)));
        *admitted = true;
        Ok(visit)
    }

    async fn open_abroad(&self, dc_id: i32) -> Result<Arc<Visit>, CallError> {
        let (addresses, application) = (&self.parts.keyring.addresses, &self.parts.application);
        let nowhere = || CallError::NotConnected(format!("there is no address for data centre {dc_id}"));
        let address = addresses.of(dc_id).ok_or_else(nowhere)?;
        let clock = &self.parts.standing.clock;
        let made = fresh_key(address, application.proxy.as_ref(), &self.parts.server_keys, clock).await;
        let key = made.map_err(|error| CallError::NotConnected(format!("data centre {dc_id}: {error}")))?;
        let key = Key::apart(SignedIn { dc_id, key, user_id: None }, addresses).ok_or_else(nowhere)?;
        // Nothing that concerns the account comes over it by itself.
        let connection = key.connect(application, clock, |_| {});
        Ok(Arc::new(Visit { connection, gate: Gate::default(), used_at: AtomicI64::new(0) }))
    }

    async fn call_on(
        &self,
        visit: &Visit,
        operation: Operation,
        body: Vec<u8>,
        limit: Duration,
    ) -> Result<Vec<u8>, CallError> {
        let standing = &self.parts.standing;
        let inside = visit.gate.enter().await;
        let started = standing.clock.now();
        let answer = standing.clock.timeout(limit, visit.connection.wire.request(body)).await;
        drop(inside);
        let now = standing.clock.now();
        if visit.used_at.swap(now.as_micros(), Ordering::AcqRel) == 0 {
            self.signalled.notify_one();
        }
        let error = match answer {
            Ok(Ok(body)) => {
                self.count(operation, CallResult::Answered, started);
                return Ok(body);
            }
            Ok(Err(error)) => CallError::Failed(error),
            Err(_) => CallError::TimedOut,
        };
        if let Some(result) = CallResult::of(&error) {
            self.count(operation, result, started);
        }
        Err(error)
    }
}

/// Whether a connection that answers so is better made anew, with another key: it hangs, or its key is not known.
/// Whether the data centre will not hear anything said under this key.
fn is_about_the_key(error: &CallError) -> bool {
    match error {
        CallError::Failed(RequestError::Rpc(error)) => {
            error.code == 401 || error.name.starts_with("AUTH_KEY")
        }
        _ => false,
    }
}

const fn is_hopeless(error: &CallError) -> bool {
    matches!(error, CallError::TimedOut | CallError::Failed(RequestError::KeyUnknown))
}
