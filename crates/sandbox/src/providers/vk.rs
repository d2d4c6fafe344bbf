//! VK: `groups.getCallbackServers`, which takes forms and answers 200 to everything.

use serde_json::{Value, json};

use super::{Account, Reply, Request};

pub(super) fn answer(request: &Request, accounts: &[&Account]) -> Reply {
    let refused = |code: u32, message: &str| {
        Reply::json(
            200,
            &json!({ "error": { "error_code": code, "error_msg": message, "request_params": [] } }),
        )
    };
    let mut given = request.query();
    given.extend(request.form());
    let field = |name: &str| given.get(name).map(String::as_str);
    let token = request.bearer().or_else(|| field("access_token"));
    let Some(account) = accounts.iter().find(|account| token == Some(account.token.as_str())) else {
        return refused(5, "User authorization failed: invalid access_token (4).");
    };
    if request.path.strip_prefix("/method").unwrap_or(&request.path) != "/groups.getCallbackServers" {
        return refused(3, "Unknown method passed");
    }
    if field("v").is_none() {
        return refused(8, "Invalid request: v is a required parameter");
    }
    match field("group_id") {
        None => return refused(100, "One of the parameters specified was missing or invalid: group_id"),
        Some(id) if id != account.id => return refused(125, "Invalid group id"),
        Some(_) => {}
    }
    if let Some(trouble) = account.trouble {
        return trouble.reply();
    }
    let all: Vec<Value> = (1..)
        .zip(&account.webhooks)
        .map(|(id, webhook): (u32, _)| {
            json!({
                "id": id,
                "title": format!("server {id}"),
                "creator_id": 1,
                "url": webhook.url,
                "secret_key": webhook.secret_key,
                "status": webhook.status,
            })
        })
        .collect();
    Reply::json(200, &json!({ "response": { "count": all.len(), "items": all } }))
}
