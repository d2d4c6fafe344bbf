//! The page of the book that says what each call demands. Made from the OpenAPI document, and so from the types in the signatures of
//! the handlers.

use std::fmt::Write as _;

use serde_json::Value;

const HEAD: &str = "\
# Rights

`switchboard key rights` writes this page. Each call demands scopes of an API key, or a role of a user of the dashboard. A key with
`admin` may make every call. Why the scopes are cut like this is in [ADR 92](adr/0092-scopes-by-effect.md).

| scope | what it lets a key do |
|---|---|
| `send` | write to people and change chats: without it nothing leaves, by any call, tool or old port |
| `read` | read: without it no answer has a person's words; the fields are empty (`x-words` in the OpenAPI document) |
| `operate` | cancel, pause, stop and resume; with `send` also start campaigns and flows and fill them |
| `personal` | change, merge, split, erase and import clients, and vouch for contacts that it hands in; with `read` also export them |
| `admin` | everything |

A new key has `send` and `read` unless you name others. A paused account or a stopped service that `operate` resumes sends what keys
with `send` had asked for. From a key without `personal`, `POST /v1/inbound` takes a contact as typed, whatever it says is verified. In a
private chat of a provider such a key names the user without proof, unless the address of the chat is the user's or the chat is proved to be
that user's. In a channel of your own the ids of chats and writers count. An upload belongs to the key that made it: other keys get 404. When a key is revoked, expires or loses a
right, or a user is removed or loses the role, open streams end within a second.

A port of an old channel server that has no key of its own takes a known API key. What shows something demands `read`. Setting where the
provider posts, renewing a token, the QR code that signs in and VK's confirmation code demand `admin`. Stopping a mailing demands `send`
or `operate`. Everything else demands `send`. On the old ports of Telegram `GET /health` and `GET /stats` demand `read`, and
`POST /reload_cache` any of `send`, `read` and `operate`.

";

/// Returns the page as Markdown.
pub fn rights_page() -> String {
    let document: Value = serde_json::to_value(crate::router::document()).unwrap_or_default();
    let mut page = HEAD.to_owned();
    page.push_str("| call | scopes | roles |\n|---|---|---|\n");
    for (path, route) in document["paths"].as_object().into_iter().flatten() {
        for (method, call) in route.as_object().into_iter().flatten() {
            let roles = words(&call["x-roles"]).join(", ");
            if !roles.is_empty() {
                let method = method.to_uppercase();
                let _ = writeln!(page, "| `{method} {path}` | {} | {roles} |", scopes(call));
            }
        }
    }
    page
}

/// Each set of scopes that is enough, such as `send` or `operate`.
fn scopes(call: &Value) -> String {
    let sets = call["security"].as_array().into_iter().flatten();
    let sets = sets.filter(|set| set["api_key"].is_array()).map(|set| {
        let scopes: Vec<String> = words(&set["api_key"]).iter().map(|scope| format!("`{scope}`")).collect();
        scopes.join(" and ")
    });
    sets.collect::<Vec<_>>().join(" or ")
}

fn words(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}
