//! The life of a line: it connects, watches over the connection, and connects again.

use std::sync::Arc;
use std::time::Duration;

use domain::account::{AccountState, Operation, Reason};
use grammers_session::updates::UpdatesLike;
use grammers_tl_types::{Deserializable, Serializable, enums, functions};
use mtproto::{Connection, Loss, RequestError, Wire};
use store::{SelfUser, StoredSession};

use super::{Arrived, Line, Lost};
use crate::calls::classify::{self, CallError, ErrorEffect};
use crate::line::health::{self, Failed};
use crate::peers::parsing;
use crate::session::Key;

/// How long connecting may take, the first answer included.
const CONNECT: Duration = Duration::from_secs(10);

/// A line that was up for less than this did not really come up: the waits go on growing.
const SETTLED: Duration = Duration::from_secs(10);

enum Ended {
    /// For good: its state says why.
    Dead,
    Down {
        failed: Option<Failed>,
        detail: Option<String>,
        rebuild: bool,
        wait: Duration,
    },
}

impl Line {
    /// Reads the key again: someone may have signed in since.
    async fn read_key(&self) {
        self.show(AccountState::Connecting, None, None);
        let key = self.parts.keyring.read().await;
        *self.key.write() = key;
    }

    async fn live(self: &Arc<Self>, key: &Key, connection: &mut Option<Connection>) {
        let clock = self.parts.health.clock.clone();
        let mut failures = 0;
        let mut down_since = clock.now();
        self.take_signals();
        self.show(AccountState::Connecting, None, None);
        loop {
            let open = connection.get_or_insert_with(|| self.open(key));
            let ended = if let Err(ended) = self.greet(key, open).await {
                failures += 1;
                ended
            } else {
                let up_since = clock.now();
                let ended = self.watch(open).await;
                down_since = clock.now();
                failures = if down_since.since(up_since) < SETTLED { failures + 1 } else { 0 };
                ended
            };
            let Ended::Down { failed, detail, rebuild, wait } = ended else { return };
            self.unplug();
            let (state, reason) = health::while_down(failed, down_since, clock.now());
            if wait.is_zero() {
                self.show(state, reason, detail);
            } else {
                self.show(AccountState::FloodWait, None, detail);
            }
            if (rebuild || connection.as_ref().is_some_and(Connection::is_broken))
                && let Some(old) = connection.take()
            {
                old.close().await;
            }
            if failures > 0 {
                let wait = wait.max(self.parts.health.chance.jitter(health::back_off(failures - 1)));
                clock.sleep(wait).await;
            }
        }
    }

    fn open(self: &Arc<Self>, key: &Key) -> Connection {
        // Watchers see it before anything that may wait, whichever line it came by.
        let (watched, line) = (Arc::clone(self), Arc::clone(self));
        let observer = move |updates: &UpdatesLike, write: &mut dyn FnMut()| {
            watched.parts.watch.see(&watched, updates, write);
        };
        let (application, clock) = (&self.parts.application, &self.parts.health.clock);
        let _there = self.parts.connections.enter();
        key.connect(application, clock, observer, move |updates| line.take(updates))
    }

    fn take(&self, updates: UpdatesLike) {
        if matches!(updates, UpdatesLike::ConnectionClosed) {
            self.lose(Lost::Connection);
        } else if self.reads_updates() {
            self.hand_on(Arrived::Updates(Box::new(updates)));
        }
    }

    /// The first call on a connection: it connects, and shows whose session this is.
    async fn greet(&self, key: &Key, connection: &Connection) -> Result<(), Ended> {
        let request = functions::users::GetUsers { id: vec![enums::InputUser::UserSelf] };
        let body = self
            .call_over(&connection.wire, Operation::Connect, request.to_bytes(), CONNECT)
            .await
            .map_err(|error| failed(&error))?;
        // What cannot be read says nothing about the session.
        let users = Vec::<enums::User>::from_bytes(&body)
            .map_err(|error| failed(&CallError::Failed(error.into())))?;
        let Some(person) = users.iter().find_map(parsing::own) else {
            self.die(Reason::SessionRevoked, "the key is not signed in".to_owned());
            return Err(Ended::Dead);
        };
        if self.parts.health.meet(person.clone()).is_err() {
            let detail = format!("this session belongs to {} ({})", person.display_name, person.user_id);
            self.die(Reason::WrongUser, detail);
            return Err(Ended::Dead);
        }
        self.keep(key, person).await;
        let signals = self.take_signals();
        if signals.dead {
            return Err(Ended::Dead);
        }
        self.plug(&connection.wire);
        self.show(AccountState::Ready, None, None);
        Ok(())
    }

    async fn keep(&self, key: &Key, user: SelfUser) {
        let (accounts, account) = (self.parts.store.accounts(), &self.parts.health.name);
        let fingerprint = key.fingerprint();
        let known = accounts.session(account, fingerprint).await;
        if matches!(&known, Ok(Some(known)) if known.user.as_ref() == Some(&user)) {
            return;
        }
        let session = StoredSession {
            account: account.clone(),
            fingerprint,
            dc_id: key.dc_id(),
            auth_key: key.copy(),
            user: Some(user),
        };
        if let Err(error) = accounts.save_session(&session).await {
            tracing::warn!(account = %account, %error, "the session could not be stored");
        }
    }

    async fn watch(&self, connection: &mut Connection) -> Ended {
        let clock = &self.parts.health.clock;
        loop {
            let leaving = self.foreign_dc.due();
            let now = clock.running();
            let quiet = health::probe_wait(self.answered_at().unwrap_or(now), now, self.parts.probe_every);
            let mut probe = false;
            tokio::select! {
                // A line that is known to be dead is not probed.
                biased;
                detail = connection.broken() => {
                    return Ended::Down {
                        failed: Some(Failed::Refused), detail: Some(detail), rebuild: true, wait: Duration::ZERO,
                    };
                }
                () = self.signalled.notified() => {
                    let signals = self.take_signals();
                    if signals.dead {
                        return Ended::Dead;
                    }
                    if signals.lost != Lost::Nothing {
                        let rebuild = signals.lost == Lost::Opening;
                        return Ended::Down { failed: None, detail: None, rebuild, wait: Duration::ZERO };
                    }
                    probe |= signals.doubtful;
                }
                () = clock.sleep_until(leaving.unwrap_or_default()), if leaving.is_some() => {
                    self.foreign_dc.leave(clock.now());
                }
                () = clock.sleep(quiet) => probe = true,
            }
            if probe && let Some(ended) = self.probe(&connection.wire).await {
                return ended;
            }
        }
    }

    /// Asks something, if nothing was answered for a while.
    async fn probe(&self, wire: &Wire) -> Option<Ended> {
        let request = functions::updates::GetState {};
        match self.call_over(wire, Operation::Connect, request.to_bytes(), health::PROBE_ANSWER).await {
            Err(CallError::TimedOut) => Some(Ended::Down {
                failed: Some(Failed::NoAnswer),
                detail: Some(format!("a probe was not answered within {} s", health::PROBE_ANSWER.as_secs())),
                rebuild: true,
                wait: Duration::ZERO,
            }),
            Err(CallError::Failed(error)) if is_beyond_repair(&error) => Some(Ended::Down {
                failed: Some(Failed::Refused),
                detail: Some(error.to_string()),
                rebuild: true,
                wait: Duration::ZERO,
            }),
            Ok(body) => {
                if enums::updates::State::from_bytes(&body).is_err() {
                    self.unreadable(Operation::Connect);
                }
                None
            }
            // Anything else was judged already: what it means for the line is in the signals.
            Err(_) => None,
        }
    }
}

/// Whether a connection on which a probe ends so is better made again: it is up, and nothing sensible comes over it.
const fn is_beyond_repair(error: &RequestError) -> bool {
    matches!(
        error,
        RequestError::NotTaken(_)
            | RequestError::Unreadable(_)
            | RequestError::Unpackable
            | RequestError::Lost { loss: Loss::Closed, .. }
    )
}

/// What a failed first call means for the connection.
fn failed(error: &CallError) -> Ended {
    if matches!(classify::effect(error), ErrorEffect::Dead(_)) {
        return Ended::Dead;
    }
    let down = |failed, rebuild| Ended::Down {
        failed: Some(failed),
        detail: Some(error.to_string()),
        rebuild,
        wait: error.flood().unwrap_or_default(),
    };
    match error {
        CallError::TimedOut => Ended::Down {
            failed: Some(Failed::NoAnswer),
            detail: Some(format!("no answer within {} s", CONNECT.as_secs())),
            rebuild: true,
            wait: Duration::ZERO,
        },
        CallError::Failed(
            RequestError::Unreachable(_)
            | RequestError::Lost { loss: Loss::Broken(_) | Loss::Ended | Loss::Stalled, .. },
        ) => down(Failed::Unreachable, false),
        CallError::Failed(RequestError::Lost { loss: Loss::Silent, .. }) => down(Failed::NoAnswer, true),
        _ => down(Failed::Refused, error.flood().is_none()),
    }
}

/// Reports that a line is over, however that happened.
struct Over<'a>(&'a Line);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.over.send_replace(true);
    }
}

pub(crate) async fn run(line: Arc<Line>) {
    let _over = Over(&line);
    let mut wanted = line.wanted.subscribe();
    let mut last_round = 0;
    loop {
        let now = *wanted.borrow_and_update();
        if now.end {
            line.show(AccountState::Offline, None, None);
            return;
        }
        let mut connection = None;
        if now.run && now.fenced {
            // As one that connects: what is to be sent waits.
            let detail = "waits until the move opens its sessions here".to_owned();
            line.show(AccountState::Connecting, None, Some(detail));
        } else if now.run && now.quiesced {
            // As one that connects: anyone who waits for it goes on waiting.
            line.show(
                AccountState::Connecting,
                None,
                Some("silent while flood waits are cleared".to_owned()),
            );
        } else if now.run {
            if std::mem::replace(&mut last_round, now.round) != now.round {
                line.read_key().await;
            }
            match line.key() {
                Err(trouble) => line.show(trouble.reason.state(), Some(trouble.reason), Some(trouble.detail)),
                Ok(key) => tokio::select! {
                    biased;
                    _ = wanted.changed() => wanted.mark_changed(),
                    () = line.live(&key, &mut connection) => {}
                },
            }
        } else {
            line.show(AccountState::Offline, None, None);
        }
        line.unplug();
        line.foreign_dc.clear();
        if let Some(connection) = connection {
            connection.close().await;
        }
        if wanted.changed().await.is_err() {
            return;
        }
    }
}
