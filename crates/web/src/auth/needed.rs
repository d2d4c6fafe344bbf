//! Which right of a dashboard user a call of the API takes. Pure.

use access::Right;
use http::Method;
use store::Scope;

/// The right for a call: its method, the template of its path, and the scope that an API key would need.
pub(crate) fn needed(method: &Method, path: &str, scope: Scope) -> Right {
    let mut segments = path.split('/').skip_while(|segment| *segment != "v1").skip(1);
    let (kind, rest) = (segments.next().unwrap_or(""), segments.collect::<Vec<_>>());
    let looks = *method == Method::GET || *method == Method::HEAD;
    match (kind, rest.as_slice()) {
        ("keys", _) => Right::ManageKeys,
        ("users", _) => Right::ManagePeople,
        ("audit", _) => Right::ReadAudit,
        ("accounts", [_, "export", ..]) => Right::ExportSessions,
        // What is shown while an account is signed in is for whoever signs it in.
        ("accounts", [_, "login", ..]) => Right::Operate,
        // Who has a backup and the master key has the accounts.
        ("backups", [_, "content"]) => Right::Administer,
        _ if looks => Right::Look,
        ("messages" | "uploads", _) => Right::Send,
        _ if scope == Scope::Send => Right::Send,
        ("accounts", [_, "actions", ..]) => Right::Operate,
        ("accounts" | "ownerless-sessions", _) => Right::ArrangeAccounts,
        ("targets" | "alert-targets", _) | ("alerts", ["targets", ..]) => Right::ArrangeAlerts,
        (
            "services" | "failed-requests" | "operations" | "chats" | "flood-clearing" | "alerts" | "mutes"
            | "maintenance",
            _,
        ) => Right::Operate,
        _ => Right::Administer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_call_has_its_right() {
        for (method, path, scope, right) in [
            (Method::GET, "/v1/messages/{id}", Scope::Read, Right::Look),
            (Method::GET, "/v1/keys", Scope::Admin, Right::ManageKeys),
            (Method::GET, "/v1/audit", Scope::Admin, Right::ReadAudit),
            (Method::PATCH, "/v1/users/{name}", Scope::Admin, Right::ManagePeople),
            (Method::POST, "/v1/messages", Scope::Send, Right::Send),
            (Method::POST, "/v1/messages/{id}/resolve", Scope::Admin, Right::Send),
            (Method::POST, "/v1/services/{service}/actions/{action}", Scope::Admin, Right::Operate),
            (Method::POST, "/v1/accounts/{name}/actions/{action}", Scope::Admin, Right::Operate),
            (Method::POST, "/v1/accounts/{name}/login/code", Scope::Admin, Right::Operate),
            (Method::GET, "/v1/accounts/{name}/login", Scope::Admin, Right::Operate),
            (Method::POST, "/v1/accounts/{name}/export", Scope::Admin, Right::ExportSessions),
            (Method::DELETE, "/v1/accounts/{name}", Scope::Admin, Right::ArrangeAccounts),
            (Method::POST, "/v1/chats", Scope::Send, Right::Send),
            (Method::POST, "/v1/chats/move", Scope::Admin, Right::Operate),
            (Method::DELETE, "/v1/chats/unresolved/{chat}", Scope::Admin, Right::Operate),
            (Method::GET, "/v1/backups/{name}", Scope::Read, Right::Look),
            (Method::GET, "/v1/backups/{name}/content", Scope::Admin, Right::Administer),
            (Method::HEAD, "/v1/backups/{name}/content", Scope::Admin, Right::Administer),
            (Method::POST, "/v1/backups", Scope::Admin, Right::Administer),
            (Method::POST, "/v1/backups/{name}/check", Scope::Admin, Right::Administer),
            (Method::PUT, "/v1/something/new", Scope::Admin, Right::Administer),
            (Method::POST, "", Scope::Admin, Right::Administer),
        ] {
            assert_eq!(needed(&method, path, scope), right, "{method} {path}");
        }
    }
}
