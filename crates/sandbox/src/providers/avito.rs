//! Avito: `POST /token`, then `POST /messenger/v1/subscriptions`, which is refused to a GET.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Account, Reply, Request};

pub(super) fn answer(request: &Request, accounts: &[&Account]) -> Reply {
    let refused = |code: u16, message: &str| {
        Reply::json(code, &json!({ "error": { "code": code, "message": message } }))
    };
    match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/token" | "/token/") => {
            let form = request.form();
            let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
            if field("grant_type") != "client_credentials" {
                return refused(400, "grant_type");
            }
            let known = accounts
                .iter()
                .find(|account| account.id == field("client_id") && account.token == field("client_secret"));
            match known {
                Some(account) => Reply::json(
                    200,
                    &json!({ "access_token": access(account), "expires_in": 86_400, "token_type": "Bearer" }),
                ),
                None => Reply::json(
                    200,
                    &json!({ "error": "invalid_client", "error_description": "Invalid client credentials" }),
                ),
            }
        }
        ("POST", "/messenger/v1/subscriptions") => {
            let Some(account) =
                accounts.iter().find(|account| request.bearer() == Some(access(account).as_str()))
            else {
                return refused(401, "invalid access token");
            };
            if let Some(trouble) = account.trouble {
                return trouble.reply();
            }
            let all: Vec<Value> = account
                .webhooks
                .iter()
                .map(|webhook| json!({ "url": webhook.url, "version": "3" }))
                .collect();
            Reply::json(200, &json!({ "subscriptions": all }))
        }
        (_, "/token" | "/token/" | "/messenger/v1/subscriptions") => refused(405, "method not allowed"),
        _ => refused(404, "not found"),
    }
}

/// The token that an account is given: the same all day.
fn access(account: &Account) -> String {
    hex::encode(Sha256::digest(format!("{}\n{}", account.id, account.token)))
}
