//! Avito's messenger: a token for a day, then `POST /messenger/v1/subscriptions`, which reads although it is a POST.

use domain::SecretText;
use domain::secret::ExposeSecret;
use serde::Deserialize;

use super::call::{Answer, Client, send, signed};
use crate::check::webhooks::{Failure, Registration, State, Told, WebhookAddress};

#[derive(Deserialize)]
struct Granted {
    access_token: Option<SecretText>,
    /// A refusal may come with the status 200.
    error: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Subscriptions {
    subscriptions: Vec<Subscription>,
}

#[derive(Deserialize)]
struct Subscription {
    url: String,
}

pub(super) async fn ask(
    client: &Client,
    client_id: &SecretText,
    client_secret: &SecretText,
) -> Result<Told, Failure> {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client_id.expose_secret()),
        ("client_secret", client_secret.expose_secret()),
    ];
    let token = granted(&send(client.post("/token", &form)?).await?)?;
    read(&send(signed(client.post("/messenger/v1/subscriptions", &[])?, "Bearer ", &token)?).await?)
}

/// The token, if one was given.
pub(super) fn granted(answer: &Answer) -> Result<SecretText, Failure> {
    let read = answer.read::<Granted>();
    // What stands before the API turns strangers away with a page of HTML: that is no word about the secret.
    let is_its_word = read.is_ok();
    match (answer.status, read) {
        (200, Ok(Granted { access_token: Some(token), .. })) if !token.expose_secret().is_empty() => {
            Ok(token)
        }
        (200, Ok(Granted { error: Some(_), .. })) | (400, Ok(_)) => Err(answer.refused("client_secret")),
        (401 | 403, _) if is_its_word => Err(answer.refused("client_secret")),
        (403, _) => Err(turned_away()),
        _ => Err(answer.unclear()),
    }
}

pub(super) fn read(answer: &Answer) -> Result<Told, Failure> {
    match answer.status {
        200 => {}
        402 => {
            let why = "it answered 402: the tariff of the account has no messenger API";
            return Err(Failure::Unpaid(why.to_owned()));
        }
        401 | 403 if answer.read::<serde::de::IgnoredAny>().is_ok() => {
            return Err(answer.refused("client_secret"));
        }
        403 => return Err(turned_away()),
        _ => return Err(answer.unclear()),
    }
    let subscriptions = answer.read::<Subscriptions>()?.subscriptions;
    let registered = subscriptions.into_iter().map(|one| Registration {
        place: WebhookAddress::of(&one.url),
        state: State::Works,
        // It takes none when an address is registered.
        has_secret: Some(false),
    });
    Ok(Told { registered: registered.collect(), ..Told::default() })
}

fn turned_away() -> Failure {
    Failure::Unreached("what protects it turned this machine away (403)".to_owned())
}
