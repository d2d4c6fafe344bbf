//! What an old script says of itself: its ports, sessions, application and account. Read leniently, never run; secrets in
//! it are not taken out.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use domain::Service;
use machine::{Unit, is_python, read_text, script};

use super::python_words::{Word, words};

/// The largest script that is read, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// Calls whose first argument is a session.
const CLIENTS: [&str; 2] = ["TelegramClient", "Client"];

/// Libraries that speak to Telegram as a user.
const LIBRARIES: [&str; 3] = ["telethon", "pyrogram", "TelegramClient"];

/// Names under which a script keeps a number or a text, in small letters.
const PORT_NAMES: [&str; 3] = ["port", "listen_port", "http_port"];
const APPLICATION_NAMES: [&str; 3] = ["api_id", "app_id", "apiid"];
const PHONE_NAMES: [&str; 3] = ["phone", "phone_number", "tel"];
const ACCOUNT_NAMES: [&str; 2] = ["account", "account_name"];

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Script {
    /// The ports it says that it listens on.
    pub ports: Vec<u16>,
    /// The sessions it opens, as it names them.
    pub sessions: Vec<String>,
    /// Whether it has a session in itself, as a string.
    pub has_string: bool,
    /// The applications it connects as.
    pub api_ids: Vec<i32>,
    /// The phone numbers in it.
    pub phones: Vec<String>,
    /// What it calls its account.
    pub accounts: Vec<String>,
    /// What it serves, by its paths.
    pub services: Vec<Service>,
    pub speaks_telegram: bool,
}

impl Script {
    /// Reads a file; nothing when it cannot be read.
    pub fn read(file: &Path) -> Option<Self> {
        Some(Self::parse(&read_text(file, LARGEST).ok()?))
    }

    /// Whether it is one of the old scripts: it speaks to Telegram, or serves what they served.
    pub fn is_old(&self) -> bool {
        self.speaks_telegram || !self.services.is_empty()
    }

    pub fn parse(source: &str) -> Self {
        let words = words(source);
        let assignments = Assignments::of(&words);
        let mut script = Self::default();
        for (at, word) in words.iter().enumerate() {
            match word {
                Word::Name(name) => {
                    script.speaks_telegram |= LIBRARIES.contains(&name.as_str());
                    if matches!(words.get(at + 1), Some(Word::Sign('('))) {
                        script.call(name, &arguments(&words, at + 1), &assignments);
                    }
                    if is_assigned(&words, at) {
                        script.assign(name, expression(&words[at + 2..]), &assignments);
                    }
                }
                Word::Text { text, .. } => {
                    let service =
                        Service::ALL.into_iter().find(|one| text.strip_prefix('/') == Some(one.as_str()));
                    push_new(&mut script.services, service);
                    if matches!(words.get(at + 1), Some(Word::Sign(':'))) {
                        script.assign(text, expression(&words[at + 2..]), &assignments);
                    }
                }
                _ => {}
            }
        }
        script
    }

    fn call(&mut self, name: &str, arguments: &[&[Word]], assignments: &Assignments<'_>) {
        if CLIENTS.contains(&name) {
            let first = arguments.iter().find_map(|argument| match argument {
                [Word::Name(key), Word::Sign('='), value @ ..] if key == "session" || key == "name" => {
                    Some(value)
                }
                [Word::Name(_), Word::Sign('='), ..] => None,
                value => Some(*value),
            });
            let Some(first) = first else { return };
            if matches!(first, [Word::Name(kind), ..] if kind == "StringSession") {
                self.has_string = true;
            } else {
                push_new(&mut self.sessions, assignments.path(first));
            }
            return;
        }
        // `app.run(port=…)`, `serve(app, port=…)`, `WSGIServer(("0.0.0.0", 5021), app)`.
        if matches!(name, "run" | "serve" | "run_simple" | "WSGIServer") {
            for argument in arguments {
                match argument {
                    [Word::Name(key), Word::Sign('='), value @ ..] if key == "port" => {
                        push_new(&mut self.ports, assignments.port(value));
                    }
                    [Word::Sign('('), inside @ ..] if name == "WSGIServer" => {
                        push_new(&mut self.ports, assignments.port(inside));
                    }
                    _ => {}
                }
            }
        }
    }

    fn assign(&mut self, name: &str, value: &[Word], assignments: &Assignments<'_>) {
        let name = name.to_ascii_lowercase();
        let name = name.as_str();
        if name == "bind" {
            let port = assignments.text(value).and_then(|text| text.rsplit(':').next()?.parse().ok());
            push_new(&mut self.ports, port);
        } else if PORT_NAMES.contains(&name) {
            push_new(&mut self.ports, assignments.port(value));
        } else if APPLICATION_NAMES.contains(&name) {
            let number = assignments.number(value).and_then(|number| i32::try_from(number).ok());
            push_new(&mut self.api_ids, number.filter(|number| *number > 0));
        } else if PHONE_NAMES.contains(&name) {
            let phone = assignments.text(value).filter(|text| is_phone(text));
            push_new(&mut self.phones, phone);
        } else if ACCOUNT_NAMES.contains(&name) {
            let account = assignments.text(value).filter(|text| text.parse::<domain::AccountName>().is_ok());
            push_new(&mut self.accounts, account);
        }
    }

    /// The files that it opens as sessions, when it works in this folder.
    pub fn session_files(&self, folder: &Path) -> Vec<PathBuf> {
        self.sessions
            .iter()
            .map(|name| {
                let whole = if name.ends_with(".session") { name.clone() } else { format!("{name}.session") };
                folder.join(whole)
            })
            .collect()
    }
}

fn push_new<T: PartialEq>(list: &mut Vec<T>, value: Option<T>) {
    if let Some(value) = value.filter(|value| !list.contains(value)) {
        list.push(value);
    }
}

fn is_phone(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the name at this place is given a value: `name =`, and not `name ==`.
fn is_assigned(words: &[Word], at: usize) -> bool {
    matches!(words.get(at + 1), Some(Word::Sign('='))) && !matches!(words.get(at + 2), Some(Word::Sign('=')))
}

/// The words of one value: up to a comma, a bracket that closes, or the next assignment.
fn expression(words: &[Word]) -> &[Word] {
    const LONGEST: usize = 40;
    let mut depth = 0_usize;
    for (at, word) in words.iter().enumerate().take(LONGEST) {
        match word {
            Word::Sign('(' | '[' | '{') => depth += 1,
            Word::Sign(')' | ']' | '}' | ',') if depth == 0 => return &words[..at],
            Word::Sign(')' | ']' | '}') => depth -= 1,
            Word::Name(_) if depth == 0 && at > 0 && is_assigned(words, at) => return &words[..at],
            // Two values in a row are on two lines.
            Word::Name(_) | Word::Number(_) | Word::Text { .. }
                if depth == 0 && at > 0 && !matches!(words[at - 1], Word::Sign('.' | '+' | '/' | '=')) =>
            {
                let word = matches!(&words[at - 1], Word::Name(word) if word == "or" || word == "if" || word == "else");
                let joins =
                    matches!(&words[at], Word::Name(word) if word == "or" || word == "if" || word == "else");
                if !word && !joins {
                    return &words[..at];
                }
            }
            _ => {}
        }
    }
    &words[..words.len().min(LONGEST)]
}

/// The arguments of the call whose bracket opens at `open`.
fn arguments(words: &[Word], open: usize) -> Vec<&[Word]> {
    const LONGEST: usize = 400;
    let (mut found, mut depth, mut start) = (Vec::new(), 0_usize, open + 1);
    for (at, word) in words.iter().enumerate().skip(open).take(LONGEST) {
        match word {
            Word::Sign('(' | '[' | '{') => depth += 1,
            Word::Sign(')' | ']' | '}') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    found.push(&words[start..at]);
                    return found;
                }
            }
            Word::Sign(',') if depth == 1 => {
                found.push(&words[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found
}

/// Names that were given a number or a text somewhere in the source.
struct Assignments<'a>(HashMap<&'a str, &'a [Word]>);

impl<'a> Assignments<'a> {
    fn of(words: &'a [Word]) -> Self {
        let mut assignments = HashMap::new();
        for (at, word) in words.iter().enumerate() {
            if let Word::Name(name) = word
                && is_assigned(words, at)
            {
                assignments.entry(name.as_str()).or_insert_with(|| expression(&words[at + 2..]));
            }
        }
        Self(assignments)
    }

    /// The last whole number of a value: `int(os.environ.get("PORT", 5021))` falls back to it.
    fn number(&self, value: &[Word]) -> Option<i64> {
        self.number_within(value, 3)
    }

    fn number_within(&self, value: &[Word], depth: usize) -> Option<i64> {
        value.iter().rev().find_map(|word| match word {
            Word::Number(number) => Some(*number),
            Word::Text { text, .. } => text.trim().parse().ok(),
            Word::Name(name) if depth > 0 => self.number_within(self.0.get(name.as_str())?, depth - 1),
            _ => None,
        })
    }

    fn port(&self, value: &[Word]) -> Option<u16> {
        self.number(value).and_then(|number| u16::try_from(number).ok()).filter(|port| *port > 0)
    }

    /// A text by itself, or a name that stands for one.
    fn text(&self, value: &[Word]) -> Option<String> {
        self.text_within(value, 3)
    }

    fn text_within(&self, value: &[Word], depth: usize) -> Option<String> {
        match value {
            [Word::Text { text, formatted: false }] => Some(text.clone()),
            [Word::Text { text, formatted: true }] => self.filled(text, depth),
            [Word::Name(name)] if depth > 0 => self.text_within(self.0.get(name.as_str())?, depth - 1),
            // `os.environ.get("NAME", "fallback")`
            [Word::Name(_), .., Word::Text { text, formatted: false }, Word::Sign(')')]
                if value.contains(&Word::Sign(','))
                    && value.iter().any(
                        |word| matches!(word, Word::Name(call) if call == "get" || call == "getenv"),
                    ) =>
            {
                Some(text.clone())
            }
            _ => None,
        }
    }

    /// A path: a text, or several that are joined.
    fn path(&self, value: &[Word]) -> Option<String> {
        if let Some(text) = self.text(value) {
            return Some(text);
        }
        let joins =
            value.iter().any(|word| matches!(word, Word::Name(name) if name == "join" || name == "Path"))
                || value.iter().any(|word| matches!(word, Word::Sign('/' | '+')));
        if !joins {
            return None;
        }
        let concatenates = value.contains(&Word::Sign('+'));
        let parts: Vec<String> = value
            .iter()
            .filter_map(|word| match word {
                Word::Text { .. } => self.text(std::slice::from_ref(word)),
                Word::Name(name) => self.text_within(self.0.get(name.as_str())?, 2),
                _ => None,
            })
            .collect();
        (!parts.is_empty()).then(|| parts.join(if concatenates { "" } else { "/" }))
    }

    /// An f-string, if all names in it are known.
    fn filled(&self, text: &str, depth: usize) -> Option<String> {
        let mut whole = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}')?;
            whole.push_str(before);
            let value = self.0.get(name.trim())?;
            whole.push_str(&self.text_within(value, depth.checked_sub(1)?)?);
            rest = after;
        }
        whole.push_str(rest);
        Some(whole)
    }
}

/// The script that a unit starts.
pub fn script_of(unit: &Unit) -> Option<PathBuf> {
    is_python(&unit.command).then(|| script(&unit.command, unit.folder.as_deref())).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_flask_script_tells_its_port_session_and_service() {
        let script = Script::parse(
            r#"
from flask import Flask
from telethon import TelegramClient
API_ID = 1000001
API_HASH = "0123456789abcdef0123456789abcdef"
PHONE = "+70000000001"
SESSION_NAME = 'main_create'
app = Flask(__name__)
client = TelegramClient(SESSION_NAME, API_ID, API_HASH)

@app.route("/create_chat", methods=["POST"])
def create():
    return {"status": "ok"}

if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5021)
"#,
        );
        assert_eq!(script.ports, [5021]);
        assert_eq!(script.sessions, ["main_create"]);
        assert_eq!(script.api_ids, [1_000_001]);
        assert_eq!(script.phones, ["+70000000001"]);
        assert_eq!(script.services, [Service::CreateChat]);
        assert!(script.speaks_telegram && script.is_old() && !script.has_string);
        assert!(!format!("{script:?}").contains("0123456789abcdef"), "a secret is not taken out");
        assert_eq!(
            script.session_files(Path::new("/srv/old")),
            [PathBuf::from("/srv/old/main_create.session")]
        );
    }

    #[test]
    fn ports_and_sessions_are_read_in_many_forms() {
        for (source, ports, sessions) in [
            ("app.run(port=int(os.environ.get('PORT', 5022)))", vec![5022], vec![]),
            ("PORT = int(os.getenv('PORT', '5023'))\nserve(app, port=PORT)", vec![5023], vec![]),
            ("bind = '0.0.0.0:5024'\nworkers = 1", vec![5024], vec![]),
            ("WSGIServer(('0.0.0.0', 5028), app).serve_forever()", vec![5028], vec![]),
            ("TelegramClient(os.path.join('sessions', 'leave'), 1, 'x')", vec![], vec!["sessions/leave"]),
            (
                "N = 'fifth'\nTelegramClient(f'sessions/{N}_send.session', 1, 'x')",
                vec![],
                vec!["sessions/fifth_send.session"],
            ),
            ("D = '/srv/'\nTelegramClient(D + 'main', 1, 'x')", vec![], vec!["/srv/main"]),
            ("Client(name='backup', api_id=1)", vec![], vec!["backup"]),
            ("CONFIG = {'port': 5029, 'session': 'x'}", vec![5029], vec![]),
            ("# app.run(port=1)\n'''app.run(port=2)'''", vec![], vec![]),
            ("app.run(port=70000)", vec![], vec![]),
        ] {
            let script = Script::parse(source);
            assert_eq!(
                (&script.ports, &script.sessions),
                (&ports, &sessions.iter().map(ToString::to_string).collect()),
                "{source}"
            );
        }
        let string = Script::parse("TelegramClient(StringSession('1AsecretsecretX'), 1, 'x')");
        assert!(string.has_string && string.sessions.is_empty() && !format!("{string:?}").contains("secret"));
    }

    proptest! {
        #[test]
        fn broken_sources_do_no_harm(source in "[a-zA-Z(){}\\[\\]=,:'\"./ \n0-9]{0,200}") {
            let _ = Script::parse(&source);
            let _ = Script::parse(&format!("TelegramClient({source}"));
            let _ = Script::parse(&format!("port = {source}"));
        }
    }
}
