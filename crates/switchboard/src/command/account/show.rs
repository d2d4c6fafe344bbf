//! Accounts as tables that people can read.

use serde_json::Value;

use crate::bars::grouped;
use crate::output::say;
use crate::paragraph;
use crate::responsive_table::{self, Column, ResponsiveTable};
use crate::table::{self, cell};

/// Reason and detail of an account or a line in one cell.
fn why(value: &Value) -> String {
    let words = ["reason", "detail"].map(|field| cell(value, field));
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

/// All accounts, a row each, and beneath them why one is not ready.
pub(super) fn list(accounts: &[Value]) {
    if accounts.is_empty() {
        say!(
            "There are no accounts. Add one: switchboard account add NAME; or try it without: switchboard up --sandbox"
        );
        return;
    }
    say!("{}", listed(accounts, table::terminal_width()));
}

/// The list at a terminal of this width.
fn listed(accounts: &[Value], width: Option<u16>) -> String {
    let column = |cell: fn(&Value) -> String| accounts.iter().map(cell).collect::<Vec<_>>();
    let field = |field: &str| accounts.iter().map(|account| cell(account, field)).collect::<Vec<_>>();
    let ResponsiveTable { table, left_out } = responsive_table::fit(
        vec![
            Column::fixed("ACCOUNT", field("name")),
            Column::fixed("STATE", field("state")),
            Column::spare(6, "PRIORITY", column(priority)),
            Column::spare(1, "FROM", field("source")),
            Column::spare(3, "SESSIONS", column(sessions)).or_shortly(column(sessions_shortly)),
            Column::spare(4, "USERNAME", column(username)),
            Column::spare(5, "KNOWS", column(knows)),
            Column::spare(2, "CALLS", column(calls)),
        ],
        width,
    );
    let wrapped = |text: &String| paragraph::wrapped(text, width);
    let mut blocks = vec![table.trim_fmt()];
    let reasons: Vec<_> = reasons(accounts).iter().map(wrapped).collect();
    if !reasons.is_empty() {
        blocks.push(reasons.join("\n"));
    }
    if !left_out.is_empty() {
        let left_out = left_out.join(", ").to_lowercase();
        blocks.push(wrapped(&format!(
            "There is no room here for: {left_out}. `account show NAME` and --json have all."
        )));
    }
    blocks.join("\n\n")
}

/// Why accounts are as they are, each reason once with all whom it is about: reasons are sentences and have no room in a
/// column.
fn reasons(accounts: &[Value]) -> Vec<String> {
    let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
    for account in accounts {
        let (why, name) = (why(account), cell(account, "name"));
        if why.is_empty() {
            continue;
        }
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, names)) => names.push(name),
            None => reasons.push((why, vec![name])),
        }
    }
    reasons.into_iter().map(|(why, names)| format!("{}: {why}", names.join(", "))).collect()
}

fn priority(account: &Value) -> String {
    if account["pool"] == false { "by pin".to_owned() } else { account["priority"].to_string() }
}

fn lines(account: &Value) -> &[Value] {
    account["lines"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn sessions(account: &Value) -> String {
    match lines(account) {
        [] => "none".to_owned(),
        lines => lines.iter().map(|line| cell(line, "name")).collect::<Vec<_>>().join(", "),
    }
}

/// The sessions of an account where their names have no room.
fn sessions_shortly(account: &Value) -> String {
    match lines(account) {
        [] => sessions(account),
        [only] if only["name"] == "all" => sessions(account),
        lines => lines.len().to_string(),
    }
}

fn username(account: &Value) -> String {
    account["username"].as_str().map(|name| format!("@{name}")).unwrap_or_default()
}

fn calls(account: &Value) -> String {
    account["operations"].as_u64().map(grouped).unwrap_or_default()
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

/// One account with its lines and floods, and the chats of which it missed messages.
pub(super) fn one(account: &Value, gaps: &[Value]) -> String {
    let mut table = table::with_header(["LINE", "SESSION", "STATE", "WHY", "DC", "ROUND TRIP"]);
    for line in lines(account) {
        table.add_row([
            cell(line, "name"),
            cell(line, "session"),
            cell(line, "state"),
            why(line),
            cell(line, "dc_id"),
            line["round_trip_ms"].as_u64().map(|ms| format!("{ms} ms")).unwrap_or_default(),
        ]);
    }
    let mut blocks = vec![format!("{}\n\n{table}", table::fields(account))];
    blocks.extend(limits(&account["limits"]));
    let floods = account["floods"].as_array().into_iter().flatten();
    blocks.extend(
        floods.map(|flood| {
            format!("flood wait on {} until {}", cell(flood, "operation"), cell(flood, "until"))
        }),
    );
    blocks.extend(gaps.iter().map(missed));
    blocks.join("\n")
}

fn missed(gap: &Value) -> String {
    let chat = [&gap["chat_title"], &gap["chat_id"]].into_iter().find_map(Value::as_str);
    let chat = chat.unwrap_or("private chats and basic groups");
    let (since, read) = (cell(gap, "since"), grouped(gap["messages"].as_u64().unwrap_or(0)));
    match gap["failure"].as_str() {
        None => format!("missed messages of {chat} since {since}: {read} read so far, and it goes on"),
        Some(why) => format!("missed messages of {chat} since {since}: {read} read, the rest is not: {why}"),
    }
}

/// How many messages it may send and how many it has; nothing where nothing is limited.
fn limits(limits: &Value) -> Vec<String> {
    let number = |field: &str| limits[field].as_u64();
    let spans =
        [("messages_per_hour", "sent_last_hour", "hour"), ("messages_per_day", "sent_last_day", "24 hours")];
    let mut lines: Vec<_> = spans
        .iter()
        .filter_map(|(limit, sent, span)| {
            let (limit, sent) = (number(limit)?, number(sent).unwrap_or(0));
            Some(format!("sent {} of {} messages in the last {span}", grouped(sent), grouped(limit)))
        })
        .collect();
    lines.extend(limits["free_at"].as_str().map(|at| format!("it may send again at {at}")));
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Accounts as they are on a good and on a bad day.
    fn accounts() -> [Value; 4] {
        let line = |name: &str| json!({ "name": name });
        [
            json!({
                "name": "main", "state": "ready", "priority": 1, "pool": true, "source": "settings",
                "username": "demo_main", "cached_peers": 12_345, "dialogs_complete": true, "operations": 1_207,
                "lines": (["create_chat", "send_text", "send_media", "leave_chat"].map(line)),
            }),
            json!({
                "name": "backup_1", "state": "needs_login", "reason": "session_revoked", "priority": 2, "pool": true,
                "detail": "Telegram says that the session was ended on another device; sign in again with `switchboard account login backup_1`",
                "source": "settings", "username": "demo_backup_1", "cached_peers": 71, "dialogs_complete": false,
                "dialogs_read": 1_200, "dialogs_total": 4_000, "operations": 3, "lines": [line("all")],
            }),
            json!({
                "name": "backup_2", "state": "offline", "detail": "the server is not running", "priority": 100,
                "pool": true, "source": "stored", "lines": [],
            }),
            json!({
                "name": "fifth", "state": "offline", "detail": "the server is not running", "priority": 100,
                "pool": false, "source": "stored", "lines": [line("send_text+send_media")],
            }),
        ]
    }

    #[test]
    fn a_narrow_terminal_shows_accounts_and_their_problems() {
        insta::assert_snapshot!(listed(&accounts(), Some(80)), @r"
         ACCOUNT   STATE        PRIORITY  SESSIONS  USERNAME        KNOWS
         main      ready        1         4         @demo_main      12,345
         backup_1  needs_login  2         all       @demo_backup_1  1,200 of 4,000
         backup_2  offline      100       none
         fifth     offline      by pin    1

        backup_1: session_revoked: Telegram says that the session was ended on another
          device; sign in again with `switchboard account login backup_1`
        backup_2, fifth: the server is not running

        There is no room here for: from, calls. `account show NAME` and --json have all.
        ");
    }

    #[test]
    fn a_wide_terminal_has_all_of_it() {
        insta::assert_snapshot!(listed(&accounts(), Some(120)), @r"
         ACCOUNT   STATE        PRIORITY  FROM      SESSIONS  USERNAME        KNOWS           CALLS
         main      ready        1         settings  4         @demo_main      12,345          1,207
         backup_1  needs_login  2         settings  all       @demo_backup_1  1,200 of 4,000  3
         backup_2  offline      100       stored    none
         fifth     offline      by pin    stored    1

        backup_1: session_revoked: Telegram says that the session was ended on another device; sign in again with `switchboard
          account login backup_1`
        backup_2, fifth: the server is not running
        ");
    }

    #[test]
    fn a_pipe_gets_every_column_and_unbroken_lines() {
        insta::assert_snapshot!(listed(&accounts(), None), @r"
         ACCOUNT   STATE        PRIORITY  FROM      SESSIONS                                        USERNAME        KNOWS           CALLS
         main      ready        1         settings  create_chat, send_text, send_media, leave_chat  @demo_main      12,345          1,207
         backup_1  needs_login  2         settings  all                                             @demo_backup_1  1,200 of 4,000  3
         backup_2  offline      100       stored    none
         fifth     offline      by pin    stored    send_text+send_media

        backup_1: session_revoked: Telegram says that the session was ended on another device; sign in again with `switchboard account login backup_1`
        backup_2, fifth: the server is not running
        ");
    }

    #[test]
    fn a_very_narrow_terminal_says_what_it_has_no_room_for() {
        insta::assert_snapshot!(listed(&accounts()[..1], Some(40)), @r"
         ACCOUNT  STATE  PRIORITY  KNOWS
         main     ready  1         12,345

        There is no room here for: from, calls,
          sessions, username. `account show
          NAME` and --json have all.
        ");
    }

    #[test]
    fn missed_messages_are_reported() {
        let gap = |title: Option<&str>, why: Option<&str>| {
            missed(&json!({ "chat_id": title.map(|_| "-1001234567890"), "chat_title": title, "failure": why,
                "since": "2026-01-01T10:00:00Z", "messages": 1200 }))
        };
        assert_eq!(
            gap(None, None),
            "missed messages of private chats and basic groups since 2026-01-01T10:00:00Z: 1,200 read so far, and it goes on"
        );
        assert_eq!(
            gap(Some("Order 7"), Some("CHANNEL_PRIVATE")),
            "missed messages of Order 7 since 2026-01-01T10:00:00Z: 1,200 read, the rest is not: CHANNEL_PRIVATE"
        );
    }

    #[test]
    fn limits_are_shown_if_there_are_any() {
        let limited = json!({ "messages_per_hour": 30, "messages_per_day": null, "sent_last_hour": 30, "sent_last_day": 64,
            "free_at": "2026-01-01T10:00:00Z" });
        assert_eq!(
            limits(&limited),
            ["sent 30 of 30 messages in the last hour", "it may send again at 2026-01-01T10:00:00Z"]
        );
        assert_eq!(limits(&json!({ "messages_per_hour": null })), Vec::<String>::new());
    }

    #[test]
    fn known_dialogs_show_the_progress_while_reading() {
        let account = |complete: bool, total: Option<u64>| json!({ "cached_peers": 5_000, "dialogs_read": 1_200, "dialogs_total": total, "dialogs_complete": complete });
        assert_eq!(knows(&account(false, Some(4_000))), "1,200 of 4,000");
        assert_eq!(knows(&account(false, Some(1_000))), "1,000 of 1,000");
        assert_eq!(knows(&account(false, None)), "5,000");
        assert_eq!(knows(&account(true, Some(4_000))), "5,000");
        assert_eq!(knows(&json!({})), "");
    }
}
