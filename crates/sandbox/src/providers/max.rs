//! MAX: `GET /subscriptions`, with the bare token as the header and nowhere else.

use serde_json::{Value, json};

use super::{Account, Reply, Request};

pub(super) fn answer(request: &Request, accounts: &[&Account]) -> Reply {
    let Some(account) =
        accounts.iter().find(|account| request.authorization.as_deref() == Some(account.token.as_str()))
    else {
        return Reply::json(401, &json!({ "code": "verify.token", "message": "Invalid access_token" }));
    };
    if (request.method.as_str(), request.path.as_str()) != ("GET", "/subscriptions") {
        return Reply::json(404, &json!({ "code": "not.found", "message": "Unknown path or method" }));
    }
    if let Some(trouble) = account.trouble {
        return trouble.reply();
    }
    let all: Vec<Value> = account
        .webhooks
        .iter()
        .map(|webhook| {
            json!({ "url": webhook.url, "time": 1_760_000_000_000_i64, "update_types": null, "version": "0.0.33" })
        })
        .collect();
    Reply::json(200, &json!({ "subscriptions": all }))
}
