//! Opening the accounts of a new side one by one.

use std::path::Path;
use std::time::Duration;

use ambient::Clock;
use hyper::Method;
use moving::{AccountFact, Failed, Journal};
use serde_json::{Value, json};

use super::side::audited;
use crate::control::{self, Control};

/// How long an account may take until it is ready.
const READY: Duration = Duration::from_mins(2);

/// How long one call may take.
const CALL: Duration = Duration::from_mins(2);

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(50);

pub(super) async fn running(data_dir: &Path) -> Result<Control, Failed> {
    control::running(data_dir).await.map_err(|error| Failed::refused(format!("{error:#}")))
}

pub(super) async fn ask(server: &Control, method: Method, path: &str) -> Result<Value, Failed> {
    let answer = server.call_within(CALL, method, path, None).await;
    answer.map_err(|error| Failed::refused(format!("{error:#}")))
}

pub(super) fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// What an account came to.
pub(super) enum Came {
    Up,
    Refused(String),
    NotYet,
}

/// What a state says of an account that was in another on the old side: one that was lost there is lost here too.
pub(super) fn came(before: &str, account: &Value) -> Came {
    let state = word(&account["state"]);
    match state {
        "needs_login" | "banned" if before != state => {
            Came::Refused(format!("{state}: {}", word(&account["reason"])))
        }
        "connecting" | "error" if before != "error" => Came::NotYet,
        _ => Came::Up,
    }
}

/// Opens them, the least important first; one that Telegram refuses ends it.
pub(super) async fn open_all(data_dir: &Path, journal: &Journal, clock: &Clock) -> Result<Value, Failed> {
    let server = running(data_dir).await?;
    let mut opened = Vec::new();
    for AccountFact { name, state: before } in audited(journal) {
        let begun = clock.now();
        ask(&server, Method::POST, &format!("/v1/accounts/{name}/actions/open")).await?;
        loop {
            let account = ask(&server, Method::GET, &format!("/v1/accounts/{name}")).await?;
            match came(&before, &account) {
                Came::Up => {
                    opened.push(json!({ "account": name, "state": account["state"], "ms": u64::try_from(clock.now().since(begun).as_millis()).unwrap_or(u64::MAX) }));
                    break;
                }
                Came::Refused(why) => {
                    return Err(Failed::refused(format!(
                        "Telegram refuses the session of {name} on the new side: {why}"
                    )));
                }
                Came::NotYet if clock.now().since(begun) > READY => {
                    let why = word(&account["detail"]);
                    return Err(Failed::refused(format!(
                        "{name} is not ready on the new side after {} s: {} {why}",
                        READY.as_secs(),
                        word(&account["state"])
                    )));
                }
                Came::NotYet => clock.sleep(LOOK).await,
            }
        }
    }
    Ok(json!({ "accounts": opened }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_was_lost_before_does_not_stop_the_move() {
        let account = |state: &str| json!({ "state": state, "reason": "auth_key_duplicated" });
        assert!(matches!(came("ready", &account("needs_login")), Came::Refused(_)));
        assert!(matches!(came("needs_login", &account("needs_login")), Came::Up));
        assert!(matches!(came("ready", &account("connecting")), Came::NotYet));
        assert!(matches!(came("ready", &account("flood_wait")), Came::Up));
    }
}
