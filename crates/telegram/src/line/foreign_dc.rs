//! Connections of a line to other data centres, which have files that it brings down: made when one is wanted, let in
//! by the home data centre, dropped when none is.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::Timestamp;
use domain::account::Operation;
use grammers_tl_types::{Serializable as _, enums, functions};
use mtproto::{Connection, RequestError, Updates, fresh_key};

use super::gate::Gate;
use super::{Line, TAKEN};
use crate::calls::CallResult;
use crate::calls::classify::CallError;
use crate::session::{Key, SignedIn};
use ambient::lock::Mutex;

/// How long no one must have used a connection before it is dropped.
const AFTER_FILES: Duration = Duration::from_secs(5);

/// How long being let in may take, a new key included.
const ADMISSION: Duration = Duration::from_secs(20);

/// What a data centre says of a key that it knows, and not whose it is.
const FORGOTTEN: &str = "AUTH_KEY_UNREGISTERED";

/// The connections of one line, by data centre.
#[derive(Default)]
pub(super) struct ForeignCentres(Mutex<HashMap<i32, Arc<ForeignCentre>>>);

#[derive(Default)]
struct ForeignCentre {
    /// Whether the data centre knows whose key it is. Held while the key is made or let in.
    admitted: tokio::sync::Mutex<bool>,
    connection: Mutex<Option<Arc<ForeignConnection>>>,
}

/// A key there, and its connection. The key is kept for as long as the line lives, so that it is made once.
struct ForeignConnection {
    connection: Connection,
    gate: Gate,
    /// When it was used last; 0 when it is not connected.
    used_at: AtomicI64,
}

impl ForeignCentre {
    fn connection(&self) -> Option<Arc<ForeignConnection>> {
        self.connection.lock().clone().filter(|connection| !connection.connection.is_broken())
    }

    fn set(&self, connection: Option<Arc<ForeignConnection>>) {
        *self.connection.lock() = connection;
    }
}

impl ForeignCentres {
    fn centre(&self, dc_id: i32) -> Arc<ForeignCentre> {
        let mut centres = self.0.lock();
        Arc::clone(centres.entry(dc_id).or_default())
    }

    fn connections(&self) -> Vec<Arc<ForeignConnection>> {
        let centres = self.0.lock();
        centres.values().filter_map(|centre| centre.connection()).collect()
    }

    pub(super) fn clear(&self) {
        self.0.lock().clear();
    }

    /// When the first of them is to be dropped.
    pub(super) fn due(&self) -> Option<Timestamp> {
        let connections = self.connections();
        let used = connections.iter().map(|connection| connection.used_at.load(Ordering::Acquire));
        let first = used.filter(|at| *at != 0).min()?;
        Some(Timestamp::from_micros(first).plus(AFTER_FILES))
    }

    /// Drops those that are not used any more; their buffers go with them. One with a call on it counts as just used.
    pub(super) fn leave(&self, now: Timestamp) {
        for connection in self.connections() {
            let used_at = connection.used_at.load(Ordering::Acquire);
            if used_at == 0 || now.since(Timestamp::from_micros(used_at)) < AFTER_FILES {
                continue;
            }
            let left = connection.gate.when_empty(|| {
                connection.connection.wire.hang_up();
                connection.used_at.store(0, Ordering::Release);
            });
            if !left {
                connection.used_at.store(now.as_micros(), Ordering::Release);
            }
        }
    }
}

impl Line {
    /// Makes a call in another data centre. What goes wrong there says nothing about the line.
    pub(crate) async fn call_foreign_dc(
        &self,
        dc_id: i32,
        operation: Operation,
        body: Vec<u8>,
        limit: Duration,
    ) -> Result<Vec<u8>, CallError> {
        let centre = self.foreign_dc.centre(dc_id);
        let clock = &self.parts.health.clock;
        let mut again = true;
        loop {
            let admission = self.admit(&centre, dc_id);
            let admitted = clock.timeout(ADMISSION, admission).await.unwrap_or(Err(CallError::TimedOut));
            let result = match admitted {
                Ok(connection) => self.call_on(&connection, operation, body.clone(), limit).await,
                Err(error) => Err(error),
            };
            let Err(error) = result else { return result };
            let is_about_the_key = is_about_the_key(&error);
            if is_about_the_key {
                *centre.admitted.lock().await = false;
            }
            // It may only have forgotten whose key this is. Any other word about the key is the last one.
            if is_hopeless(&error) || (is_about_the_key && !(again && error.name() == Some(FORGOTTEN))) {
                centre.set(None);
            }
            if !is_about_the_key || !std::mem::replace(&mut again, false) {
                return Err(error);
            }
        }
    }

    /// Makes sure that there is a key, and lets the home data centre vouch for it.
    async fn admit(&self, centre: &ForeignCentre, dc_id: i32) -> Result<Arc<ForeignConnection>, CallError> {
        let mut admitted = centre.admitted.lock().await;
        let connection = match centre.connection() {
            Some(connection) if *admitted => return Ok(connection),
            Some(connection) => connection,
            None => {
                *admitted = false;
                self.open_foreign(dc_id).await?
            }
        };
        let request = functions::auth::ExportAuthorization { dc_id };
        let enums::auth::ExportedAuthorization::Authorization(passport) =
            self.call(Operation::Connect, &request, ADMISSION).await?;
        let request = functions::auth::ImportAuthorization { id: passport.id, bytes: passport.bytes };
        self.call_on(&connection, Operation::Connect, request.to_bytes(), ADMISSION).await?;
        centre.set(Some(Arc::clone(&connection)));
        *admitted = true;
        Ok(connection)
    }

    async fn open_foreign(&self, dc_id: i32) -> Result<Arc<ForeignConnection>, CallError> {
        let (addresses, application) = (&self.parts.keyring.addresses, &self.parts.application);
        let nowhere = || CallError::NotConnected(format!("there is no address for data centre {dc_id}"));
        let address = addresses.of(dc_id).ok_or_else(nowhere)?;
        let clock = &self.parts.health.clock;
        let made = fresh_key(address, application.proxy.as_ref(), &self.parts.server_keys, clock).await;
        let key = made.map_err(|error| CallError::NotConnected(format!("data centre {dc_id}: {error}")))?;
        let key = Key::apart(SignedIn { dc_id, key, user_id: None }, addresses).ok_or_else(nowhere)?;
        // Nothing that concerns the account comes over it by itself.
        let connection = key.connect(application, clock, |_, _| {}, |_| {});
        Ok(Arc::new(ForeignConnection { connection, gate: Gate::default(), used_at: AtomicI64::new(0) }))
    }

    async fn call_on(
        &self,
        connection: &ForeignConnection,
        operation: Operation,
        body: Vec<u8>,
        limit: Duration,
    ) -> Result<Vec<u8>, CallError> {
        let health = &self.parts.health;
        if !self.parts.store.is_held().await {
            return Err(CallError::NotConnected(TAKEN.to_owned()));
        }
        let inside = connection.gate.enter().await;
        let started = health.clock.now();
        let response = connection.connection.wire.request(body, Updates::Unwanted);
        let answer = health.clock.timeout(limit, response).await;
        drop(inside);
        let now = health.clock.now();
        if connection.used_at.swap(now.as_micros(), Ordering::AcqRel) == 0 {
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

/// Whether a connection that answers so is better made again, with another key: it hangs, or its key is not known.
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
