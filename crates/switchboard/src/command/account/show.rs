//! Accounts as tables that people can read.

use serde_json::Value;

use crate::bars::grouped;
use crate::output::say;
use crate::table;

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or("")
}

/// Reason and detail of an account or a line in one cell.
fn why(value: &Value) -> String {
    let words = [text(value, "reason"), text(value, "detail")];
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(": ")
}

/// How many chats and users an account knows; while its dialogs are read for the first time, how far that is.
fn knows(account: &Value) -> String {
    let count = |field: &str| account[field].as_u64();
    match (account["dialogs_complete"] == false, count("dialogs_read"), count("dialogs_total")) {
        (true, Some(read), Some(total)) => format!("{} of {}", grouped(read.min(total)), grouped(total)),
        _ => count("cached_peers").map(grouped).unwrap_or_default(),
    }
}

/// All accounts, a row each.
pub(super) fn list(accounts: &[Value]) {
    if accounts.is_empty() {
        say!(
            "There are no accounts. Add one: switchboard account add NAME; or try it without: switchboard up --sandbox"
        );
        return;
    }
    let header = ["ACCOUNT", "STATE", "WHY", "PRIORITY", "FROM", "SESSIONS", "USERNAME", "KNOWS", "CALLS"];
    let mut table = table::with_header(header);
    for account in accounts {
        let priority =
            if account["pool"] == false { "by pin".to_owned() } else { account["priority"].to_string() };
        let lines = account["lines"].as_array().into_iter().flatten();
        let sessions: Vec<_> = lines.map(|line| text(line, "name")).collect();
        table.add_row([
            text(account, "name").to_owned(),
            text(account, "state").to_owned(),
            why(account),
            priority,
            text(account, "source").to_owned(),
            if sessions.is_empty() { "none".to_owned() } else { sessions.join(", ") },
            account["username"].as_str().map(|name| format!("@{name}")).unwrap_or_default(),
            knows(account),
            account["operations"].as_u64().map(|n| n.to_string()).unwrap_or_default(),
        ]);
    }
    say!("{table}");
}

/// The sessions that belong to no account, if there are any.
pub(super) fn ownerless(sessions: &[Value]) {
    if sessions.is_empty() {
        return;
    }
    let columns = [
        ("SESSION", "id"),
        ("USER", "user_id"),
        ("USERNAME", "username"),
        ("DC", "dc_id"),
        ("FROM", "origin"),
    ];
    say!("\nSessions that belong to no account:\n{}", table::of(sessions, columns));
    say!("Give one to an account: switchboard account assign SESSION ACCOUNT");
}

/// One account with its lines and floods.
pub(super) fn one(account: &Value) {
    say!("{}", table::fields(account));
    let mut lines = table::with_header(["LINE", "STATE", "WHY", "DC", "ROUND TRIP"]);
    for line in account["lines"].as_array().into_iter().flatten() {
        lines.add_row([
            text(line, "name").to_owned(),
            text(line, "state").to_owned(),
            why(line),
            line["dc_id"].as_u64().map(|dc| dc.to_string()).unwrap_or_default(),
            line["round_trip_ms"].as_u64().map(|ms| format!("{ms} ms")).unwrap_or_default(),
        ]);
    }
    say!("\n{lines}");
    for flood in account["floods"].as_array().into_iter().flatten() {
        say!("flood wait on {} until {}", text(flood, "operation"), text(flood, "until"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_an_account_knows_is_how_far_it_is_while_it_reads() {
        let account = |complete: bool, total: Option<u64>| json!({ "cached_peers": 5_000, "dialogs_read": 1_200, "dialogs_total": total, "dialogs_complete": complete });
        assert_eq!(knows(&account(false, Some(4_000))), "1,200 of 4,000");
        assert_eq!(knows(&account(false, Some(1_000))), "1,000 of 1,000");
        assert_eq!(knows(&account(false, None)), "5,000");
        assert_eq!(knows(&account(true, Some(4_000))), "5,000");
        assert_eq!(knows(&json!({})), "");
    }
}
