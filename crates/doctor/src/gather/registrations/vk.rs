//! A community of VK: `groups.getCallbackServers`, which answers 200 to what it refuses, too.

use domain::SecretText;
use serde::Deserialize;

use super::call::{Answer, Client, send, signed};
use crate::check::webhooks::{Failure, Registration, State, Told, WebhookAddress};

/// The version of the API whose answers are read here.
const VERSION: &str = "5.199";

#[derive(Deserialize)]
struct Envelope {
    response: Option<Servers>,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Servers {
    items: Vec<Server>,
}

#[derive(Deserialize)]
struct Server {
    url: String,
    status: Option<String>,
    secret_key: Option<SecretText>,
}

#[derive(Deserialize)]
struct Refusal {
    error_code: i64,
}

pub(super) async fn ask(client: &Client, token: &SecretText, group_id: u32) -> Result<Told, Failure> {
    let form = [("group_id", group_id.to_string()), ("v", VERSION.to_owned())];
    let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
    read(&send(signed(client.post("/groups.getCallbackServers", &form)?, "Bearer ", token)?).await?)
}

pub(super) fn read(answer: &Answer) -> Result<Told, Failure> {
    if answer.status != 200 {
        return Err(answer.unclear());
    }
    let Envelope { response, error } = answer.read()?;
    if let Some(Refusal { error_code }) = error {
        let why = format!("it answered with error {error_code}");
        return Err(match error_code {
            // The key is invalid, revoked, or without the right `manage`.
            5 | 7 | 15 | 17 | 27 | 28 => Failure::Refused { field: "token", why },
            100 | 113 | 125 | 203 => Failure::Refused { field: "group_id", why },
            1 | 6 | 9 | 10 | 29 => Failure::Unreached(why),
            _ => Failure::Unclear(why),
        });
    }
    let servers = response.ok_or_else(|| answer.unclear())?.items;
    let registered = servers.into_iter().filter(|server| !server.url.is_empty()).map(|server| Registration {
        place: WebhookAddress::of(&server.url),
        state: match server.status.as_deref() {
            Some("unconfigured" | "wait") => State::Unconfirmed,
            Some("failed") => State::Failed,
            _ => State::Works,
        },
        has_secret: server
            .secret_key
            .map(|key| !domain::secret::ExposeSecret::expose_secret(&key).is_empty()),
    });
    Ok(Told { registered: registered.collect(), ..Told::default() })
}
