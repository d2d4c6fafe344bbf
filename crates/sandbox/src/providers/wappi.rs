//! Wappi: `GET /api/sync/get/status` of a profile, with the bare token as the header.

use serde_json::json;

use super::{Account, Reply, Request};

pub(super) fn answer(request: &Request, accounts: &[&Account]) -> Reply {
    let refused =
        |code: u16, detail: &str| Reply::json(code, &json!({ "status": "error", "detail": detail }));
    let is_known = |account: &&&Account| request.authorization.as_deref() == Some(account.token.as_str());
    if !accounts.iter().any(|account| is_known(&account)) {
        return refused(401, "unauthorized");
    }
    if (request.method.as_str(), request.path.as_str()) != ("GET", "/api/sync/get/status") {
        return refused(404, "not found");
    }
    let query = request.query();
    let Some(profile) = query.get("profile_id") else { return refused(400, "profile_id is required") };
    let Some(account) = accounts.iter().filter(is_known).find(|account| account.id == *profile) else {
        return refused(404, "profile not found");
    };
    if let Some(trouble) = account.trouble {
        return trouble.reply();
    }
    let url = account.webhooks.first().map(|webhook| webhook.url.as_str()).unwrap_or_default();
    Reply::json(
        200,
        &json!({
            "status": "done",
            "authorized": account.authorized,
            "phone": "70000000001",
            "platform": "android",
            "app_status": "open",
            "webhook_url": url,
            "webhook_types": ["incoming_message"],
            "message_count": account.waiting,
        }),
    )
}
