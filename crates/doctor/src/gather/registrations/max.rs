//! A bot of MAX: `GET /subscriptions`, with the bare token as the header.

use domain::SecretText;
use serde::Deserialize;

use super::call::{Answer, Client, send, signed};
use crate::check::webhooks::{Failure, Registration, State, Told, WebhookAddress};

#[derive(Deserialize)]
struct Subscriptions {
    subscriptions: Vec<Subscription>,
}

#[derive(Deserialize)]
struct Subscription {
    url: String,
}

pub(super) async fn ask(client: &Client, token: &SecretText) -> Result<Told, Failure> {
    read(&send(signed(client.get("/subscriptions", &[])?, "", token)?).await?)
}

pub(super) fn read(answer: &Answer) -> Result<Told, Failure> {
    match answer.status {
        200 => {}
        401 | 403 => return Err(answer.refused("token")),
        _ => return Err(answer.unclear()),
    }
    let subscriptions = answer.read::<Subscriptions>()?.subscriptions;
    let registered = subscriptions.into_iter().map(|one| Registration {
        place: WebhookAddress::of(&one.url),
        state: State::Works,
        has_secret: None,
    });
    Ok(Told { registered: registered.collect(), ..Told::default() })
}
