//! A profile of Wappi: `GET /api/sync/get/status`, with the bare token as the header.

use domain::SecretText;
use serde_json::{Map, Value};

use super::call::{Answer, Client, send, signed};
use crate::check::webhooks::{Failure, Registration, State, Told, WebhookAddress};

pub(super) async fn ask(client: &Client, token: &SecretText, profile_id: &str) -> Result<Told, Failure> {
    let request = client.get("/api/sync/get/status", &[("profile_id", profile_id)])?;
    read(&send(signed(request, "", token)?).await?)
}

pub(super) fn read(answer: &Answer) -> Result<Told, Failure> {
    match answer.status {
        200 => {}
        401 | 403 => return Err(answer.refused("token")),
        402 => return Err(Failure::Unpaid("it answered 402: the profile is not paid for".to_owned())),
        400 | 404 => return Err(answer.refused("profile_id")),
        _ => return Err(answer.unclear()),
    }
    let told = answer.read::<Map<String, Value>>()?;
    // A refusal may come with the status 200.
    if told.get("status").and_then(Value::as_str) == Some("error") {
        return Err(Failure::Refused {
            field: "profile_id",
            why: "it answered 200 with the status error".to_owned(),
        });
    }
    let url = match told.get("webhook_url") {
        Some(Value::String(url)) => Some(url).filter(|url| !url.is_empty()),
        Some(Value::Null) => None,
        _ => return Err(answer.unclear()),
    };
    let registered = url.map(|url| Registration {
        place: WebhookAddress::of(url),
        state: State::Works,
        // It signs nothing.
        has_secret: Some(false),
    });
    Ok(Told {
        registered: registered.into_iter().collect(),
        signed_out: told.get("authorized").and_then(Value::as_bool) == Some(false),
        ..Told::default()
    })
}
