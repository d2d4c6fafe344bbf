//! Errors of the API in the words of the command line: flags instead of fields, commands instead of calls.

/// The fields of requests, as the command line calls them.
const GIVEN: [(&str, &str); 21] = [
    ("account", "--account"),
    ("api_hash", "the api_hash (--api-hash-env or --api-hash-file)"),
    ("api_id", "--api-id"),
    ("as", "--as"),
    ("chat", "the chat"),
    ("code", "the code"),
    ("copy_anyway", "--copy-anyway"),
    ("for", "--for"),
    ("name", "the name"),
    ("parse_mode", "--parse-mode"),
    ("password", "the password"),
    ("path", "the file"),
    ("paths", "the list of paths"),
    ("phone", "the phone number (--phone)"),
    ("pool", "--by-pin"),
    ("priority", "--priority"),
    ("proxy", "the address of the proxy (--proxy, --proxy-env or --proxy-file)"),
    ("reply_to", "--reply-to"),
    ("scopes", "--scope"),
    ("string", "the session string"),
    ("text", "the text"),
];

/// The commands that list what a call lists; a longer path comes before its prefix.
const COMMANDS: [(&str, &str); 7] = [
    ("GET /v1/accounts", "`switchboard account list`"),
    ("GET /v1/campaign-proxies", "`switchboard campaign proxies list`"),
    ("GET /v1/chats/unresolved", "`switchboard chat unresolved`"),
    ("GET /v1/chats", "`switchboard chat list`"),
    ("GET /v1/failed-requests", "`switchboard failed list`"),
    ("GET /v1/keys", "`switchboard key list`"),
    ("GET /v1/ownerless-sessions", "`switchboard account list`"),
];

/// An error about a field, in the words of the command line.
pub(crate) fn of_field(field: &str, message: &str) -> String {
    let message = of_text(message);
    match given(field) {
        Some(given) => format!("{given} {message}"),
        None if field.is_empty() => message,
        None => format!("{field} {message}"),
    }
}

/// A sentence with commands instead of calls.
pub(crate) fn of_text(text: &str) -> String {
    let mut rewritten = text.to_owned();
    for (call, command) in COMMANDS {
        let mut from = 0;
        while let Some(found) = rewritten.get(from..).and_then(|rest| rest.find(call)) {
            let (start, end) = (from + found, from + found + call.len());
            // A longer path is another call.
            if rewritten[end..].starts_with(['/', '?', '-', '_']) {
                from = end;
            } else {
                rewritten.replace_range(start..end, command);
                from = start + command.len();
            }
        }
    }
    rewritten
}

/// How the command line says a field: a name, or one of a list such as `media[2].upload`.
fn given(field: &str) -> Option<String> {
    if let Some((_, given)) = GIVEN.iter().find(|(name, _)| *name == field) {
        return Some((*given).to_owned());
    }
    let (list, rest) = field.split_once('[')?;
    let (place, _) = rest.split_once(']')?;
    let number = place.parse::<usize>().ok()?.checked_add(1)?;
    match list {
        "media" => Some(format!("--file number {number}")),
        "paths" => Some(format!("path number {number}")),
        "for" => Some("--for".to_owned()),
        "scopes" => Some("--scope".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_called_as_they_were_given() {
        for (field, expected) in [
            ("account", "--account is wrong"),
            ("media[0].upload", "--file number 1 is wrong"),
            ("media[11]", "--file number 12 is wrong"),
            ("for[1]", "--for is wrong"),
            ("plan.sessions[2].file", "plan.sessions[2].file is wrong"),
            ("media[x]", "media[x] is wrong"),
            ("", "is wrong"),
        ] {
            assert_eq!(of_field(field, "is wrong"), expected);
        }
    }

    #[test]
    fn a_call_with_a_command_of_its_own_is_called_so() {
        for (text, expected) in [
            (
                "No account is named \"x\"; GET /v1/accounts lists the names.",
                "No account is named \"x\"; `switchboard account list` lists the names.",
            ),
            ("GET /v1/chats/unresolved shows it.", "`switchboard chat unresolved` shows it."),
            ("GET /v1/chats, GET /v1/chats", "`switchboard chat list`, `switchboard chat list`"),
            ("Look at GET /v1/accounts/main first.", "Look at GET /v1/accounts/main first."),
            ("POST /v1/messages/msg_1/retry", "POST /v1/messages/msg_1/retry"),
        ] {
            assert_eq!(of_text(text), expected);
        }
    }

    #[test]
    fn names_are_listed_once() {
        assert!(GIVEN.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
