//! The connection of a login: one fresh key, calls one after another, each with a limit.

use std::sync::Arc;
use std::time::Duration;

use ambient::Clock;
use grammers_session::updates::UpdatesLike;
use grammers_tl_types::{Deserializable, RemoteCall, enums};
use mtproto::{Addresses, Application, Connection, RequestError, Updates};

use super::meaning::{Meaning, meaning};
use crate::session::{Key, SignedIn};

/// How long a call may take, connecting included.
const CALL: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(crate) enum Trouble {
    /// No answer: what was asked for may have been done.
    NoAnswer(String),
    Refused(Meaning, String),
}

pub(crate) struct LoginConnection {
    connection: Connection,
    clock: Clock,
}

impl LoginConnection {
    /// `None` when there is no address for the data centre of the key. `accepted` is called when a token was accepted.
    pub(crate) fn open(
        key: SignedIn,
        addresses: &Addresses,
        application: &Application,
        clock: &Clock,
        accepted: Arc<dyn Fn() + Send + Sync>,
    ) -> Option<Self> {
        let key = Key::apart(key, addresses)?;
        let arrived = move |updates| {
            if tells_of_a_token(&updates) {
                accepted();
            }
        };
        Some(Self { connection: key.connect(application, clock, |_, _| {}, arrived), clock: clock.clone() })
    }

    pub(crate) async fn ask<R: RemoteCall>(&self, request: &R) -> Result<R::Return, Trouble> {
        let answer = self.connection.wire.request(request.to_bytes(), Updates::Wanted);
        let body = match self.clock.timeout(CALL, answer).await {
            Err(_) => return Err(Trouble::NoAnswer(format!("no answer within {} s", CALL.as_secs()))),
            Ok(Err(RequestError::Rpc(error))) => {
                let words = format!("{} {}", error.code, error.name);
                return Err(Trouble::Refused(meaning(&error), words));
            }
            Ok(Err(error)) => return Err(Trouble::NoAnswer(error.to_string())),
            Ok(Ok(body)) => body,
        };
        R::Return::from_bytes(&body).map_err(|error| Trouble::NoAnswer(error.to_string()))
    }

    pub(crate) async fn close(self) {
        self.connection.close().await;
    }
}

fn tells_of_a_token(updates: &UpdatesLike) -> bool {
    let UpdatesLike::Updates(updates) = updates else { return false };
    let is_it = |update: &enums::Update| matches!(update, enums::Update::LoginToken);
    match updates {
        enums::Updates::UpdateShort(short) => is_it(&short.update),
        enums::Updates::Combined(many) => many.updates.iter().any(is_it),
        enums::Updates::Updates(many) => many.updates.iter().any(is_it),
        _ => false,
    }
}
