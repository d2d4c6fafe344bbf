//! The Bot API: `getWebhookInfo`, with the token in the path.

use serde_json::{Value, json};

use super::{Account, Reply, Request};

pub(super) fn answer(request: &Request, accounts: &[&Account]) -> Reply {
    let refused = |code: u16, description: &str| {
        Reply::json(code, &json!({ "ok": false, "error_code": code, "description": description }))
    };
    let Some((token, method)) = request.bot_call() else { return refused(404, "Not Found") };
    if !is_token(token) {
        return refused(404, "Not Found");
    }
    let Some(account) = accounts.iter().find(|account| account.token == token) else {
        return refused(401, "Unauthorized");
    };
    // Names of methods are the same in any case, and GET is as good as POST.
    if !method.eq_ignore_ascii_case("getWebhookInfo") {
        return refused(404, "Not Found");
    }
    if let Some(trouble) = account.trouble {
        return trouble.reply();
    }
    let url = account.webhooks.first().map(|webhook| webhook.url.as_str()).unwrap_or_default();
    let mut info =
        json!({ "url": url, "has_custom_certificate": false, "pending_update_count": account.waiting });
    if let (Value::Object(info), Some(error)) = (&mut info, &account.last_error) {
        info.insert("last_error_date".to_owned(), json!(error.at));
        info.insert("last_error_message".to_owned(), json!(error.message));
    }
    Reply::json(200, &json!({ "ok": true, "result": info }))
}

/// The path as it may be remembered.
pub(super) fn without_token(request: &Request) -> String {
    request.bot_call().map_or_else(|| "…".to_owned(), |(_, method)| format!("/bot…/{method}"))
}

fn is_token(text: &str) -> bool {
    text.split_once(':').is_some_and(|(number, word)| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) && !word.is_empty()
    })
}
