//! What a variable is, by its name and by the form of its value: each of the old scripts had names of its own. Pure.

/// What a variable was recognised as.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    ApiId,
    ApiHash,
    Phone,
    /// A session file, by its path or by its name.
    SessionFile,
    SessionString,
    /// The bot, or the chat, that is watched.
    Watched,
    /// What a message says that begins a run.
    Trigger,
    /// The label of a button that is pressed.
    Button,
    ControlToken,
    /// Telegram ids of people who may control it.
    AllowedIds,
    Database,
    /// The password of the two-step verification. A session that is signed in does not need it.
    TwoStepPassword,
}

domain::enum_words!(Meaning);

impl Meaning {
    /// Whether what it holds is the account, or a bot.
    pub const fn is_secret(self) -> bool {
        matches!(self, Self::ApiHash | Self::SessionString | Self::ControlToken | Self::TwoStepPassword)
    }
}

/// The words of a name in lower case, without the digits behind them.
pub(super) struct Words(Vec<String>);

impl Words {
    pub(super) fn of(name: &str) -> Self {
        let words = name.split(|letter: char| !letter.is_ascii_alphanumeric());
        Self(
            words
                .map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()).to_ascii_lowercase())
                .collect(),
        )
    }

    pub(super) fn has(&self, wanted: &[&str]) -> bool {
        self.0.iter().any(|word| wanted.contains(&word.as_str()))
    }
}

/// What a variable is; nothing where neither its name nor its form says.
pub(super) fn meaning(name: &str, value: &str) -> Option<Meaning> {
    let (words, value) = (Words::of(name), value.trim());
    let digits = value.bytes().all(|byte| byte.is_ascii_digit()) && !value.is_empty();
    let is_number = value.parse::<f64>().is_ok();
    Some(match () {
        () if value.is_empty() => return None,
        () if is_token(value) => Meaning::ControlToken,
        () if words.has(&["session", "sessions"]) && is_session_string(value) => Meaning::SessionString,
        () if is_two_step(&words) && !is_number_of_seconds(&words) => Meaning::TwoStepPassword,
        () if is_hash(value) && words.has(&["hash", "apihash", "api"]) => Meaning::ApiHash,
        // What follows is shown.
        () if words.has(SECRET) => return None,
        () if is_database(value) => Meaning::Database,
        () if !is_number && is_session(&words, value) => Meaning::SessionFile,
        () if digits && (3..=10).contains(&value.len()) && is_api_id(&words) => Meaning::ApiId,
        () if words.has(BUTTON) && !is_number => Meaning::Button,
        () if is_phone(&words, value) => Meaning::Phone,
        () if words.has(PEOPLE) && !words.has(WATCHED) && ids(value).is_some() => Meaning::AllowedIds,
        () if watched(&words, value).is_some() => Meaning::Watched,
        () if words.has(TRIGGER) && !is_number => Meaning::Trigger,
        () => return None,
    })
}

const SECRET: &[&str] = &[
    "secret", "secrets", "key", "keys", "password", "passwd", "pass", "pwd", "token", "hash", "string",
    "auth", "fa",
];
const BUTTON: &[&str] = &["button", "buttons", "btn", "btns", "press", "click"];
const PEOPLE: &[&str] = &[
    "admin",
    "admins",
    "allow",
    "allowed",
    "owner",
    "owners",
    "operator",
    "operators",
    "user",
    "users",
    "whitelist",
];
const WATCHED: &[&str] = &["bot", "target", "watch", "watched", "channel", "source", "peer", "entity"];
const TRIGGER: &[&str] = &[
    "trigger", "triggers", "keyword", "keywords", "match", "pattern", "patterns", "regex", "regexp",
    "filter", "offer",
];

/// The token of a bot: its id, and 35 letters.
fn is_token(value: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    value.split_once(':').is_some_and(|(id, rest)| {
        (6..=12).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_digit())
            && (30..=60).contains(&rest.len())
            && rest.bytes().all(plain)
    })
}

/// Whether a name is that of the password of the two-step verification.
fn is_two_step(words: &Words) -> bool {
    let is_password = words.has(&["password", "passwd", "pass", "pwd"]);
    words.has(&["2fa", "twofa", "twostep"])
        || (words.has(&["two"]) && words.has(&["fa", "step", "factor"]))
        || (words.has(&["cloud", "fa", "account"]) && is_password)
}

/// Whether a name is that of a limit of time.
fn is_number_of_seconds(words: &Words) -> bool {
    words.has(&["timeout", "delay", "interval", "enabled", "required"])
}

fn is_hash(value: &str) -> bool {
    value.len() == 32 && value.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_api_id(words: &Words) -> bool {
    words.has(&["apiid", "appid"]) || (words.has(&["api", "app"]) && words.has(&["id"]))
}

fn is_session_string(value: &str) -> bool {
    value.len() >= 200 && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_=+/".contains(&byte))
}

fn is_session(words: &Words, value: &str) -> bool {
    let is_path = !value.contains(|letter: char| letter.is_whitespace() || letter.is_control());
    is_path && (value.ends_with(".session") || words.has(&["session", "sessions"]))
}

/// The path of a database, also in the addresses that libraries of Python take.
pub(super) fn database(value: &str) -> &str {
    let rest =
        value.split_once("://").filter(|(scheme, _)| scheme.starts_with("sqlite")).map(|(_, rest)| rest);
    // Three slashes are of a relative path, four of an absolute one.
    rest.map_or(value, |rest| rest.strip_prefix('/').unwrap_or(rest))
}

fn is_database(value: &str) -> bool {
    let path = database(value);
    [".db", ".sqlite", ".sqlite3"].iter().any(|ending| path.ends_with(ending)) && !path.contains('\n')
}

fn is_phone(words: &Words, value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let plain = value.bytes().all(|byte| byte.is_ascii_digit() || b"+ -()".contains(&byte));
    plain && (7..=15).contains(&digits) && (value.starts_with('+') || words.has(&["phone", "tel", "number"]))
}

/// A phone number in international form, with its plus. Of a number that no country has the digits are taken as they are.
pub(super) fn phone(value: &str) -> String {
    let digits = || value.chars().filter(char::is_ascii_digit).collect::<String>();
    domain::phone::e164(value).unwrap_or_else(|| format!("+{}", digits()))
}

/// Several values in one: a list of JSON, or separated by signs.
pub(super) fn several(value: &str, signs: &[char]) -> Vec<String> {
    if value.trim_start().starts_with('[')
        && let Ok(list) = serde_json::from_str::<Vec<serde_json::Value>>(value)
    {
        let text = |item: serde_json::Value| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
        return list.into_iter().map(text).collect();
    }
    let parts = value.split(signs).map(str::trim).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

/// Telegram ids, if the value is nothing else.
pub(super) fn ids(value: &str) -> Option<Vec<i64>> {
    let ids =
        several(value, &[',', ';', ' ', '\n']).iter().map(|one| one.parse()).collect::<Result<Vec<i64>, _>>();
    ids.ok().filter(|ids| !ids.is_empty() && ids.iter().all(|id| (10_000..100_000_000_000_000).contains(id)))
}

/// A username with its `@`, or the id of a chat.
pub(super) fn watched(words: &Words, value: &str) -> Option<String> {
    let link =
        ["https://t.me/", "http://t.me/", "t.me/"].iter().find_map(|prefix| value.strip_prefix(prefix));
    let name = link.or(value.strip_prefix('@')).unwrap_or(value);
    let is_username = (4..=32).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let is_marked = link.is_some() || value.starts_with('@');
    let says_so = words.has(WATCHED) && !words.has(&["token", "mode", "timeout", "delay", "interval"]);
    if is_username && (is_marked || (says_so && name.to_ascii_lowercase().ends_with("bot"))) {
        return Some(format!("@{name}"));
    }
    (says_so && value.parse::<i64>().is_ok_and(|id| id.unsigned_abs() >= 10_000)).then(|| value.to_owned())
}

/// Whether a text is an expression rather than words.
pub(super) fn is_expression(name: &str, text: &str) -> bool {
    Words::of(name).has(&["regex", "regexp", "pattern", "patterns"])
        || text.starts_with('^')
        || text.ends_with('$')
        || [".*", ".+", "\\d", "\\w", "\\s", "\\b", "(?", "|"].iter().any(|sign| text.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn variables_are_known_by_name_and_form() {
        let string = format!("1{}", "Ab9-".repeat(88));
        let token = format!("5099000001:{}", "AAb_-".repeat(7));
        for (name, value, wanted) in [
            ("API_ID", "5099", Some(Meaning::ApiId)),
            ("TG_API_ID2", "50991234", Some(Meaning::ApiId)),
            ("APIID", "5099", Some(Meaning::ApiId)),
            ("TELEGRAM_API_HASH", "5099aa17c0ffee005099aa17c0ffee00", Some(Meaning::ApiHash)),
            ("CACHE_KEY", "5099aa17c0ffee005099aa17c0ffee00", None),
            ("PHONE_NUMBER", "7 (000) 000-00-01", Some(Meaning::Phone)),
            ("LOGIN", "+70000000001", Some(Meaning::Phone)),
            ("SESSION_NAME", "main", Some(Meaning::SessionFile)),
            ("ACCOUNT_FILE", "sessions/main.session", Some(Meaning::SessionFile)),
            ("STRING_SESSION", string.as_str(), Some(Meaning::SessionString)),
            ("SESSION_TIMEOUT", "30", None),
            ("SESSION_SECRET", "planted", None),
            ("SESSION_STRING", "planted", None),
            ("BUTTON_PASSWORD", "planted", None),
            ("TARGET_BOT", "demo_trips_bot", Some(Meaning::Watched)),
            ("BOT_USERNAME", "@demo_trips_bot", Some(Meaning::Watched)),
            ("LINK", "https://t.me/demo_trips_bot", Some(Meaning::Watched)),
            ("CHANNEL", "-1001234567890", Some(Meaning::Watched)),
            ("BOT_MODE", "robot", None),
            ("BUTTON_1_TEXT", "Book", Some(Meaning::Button)),
            ("CONFIRM_BTN", "Yes|Confirm", Some(Meaning::Button)),
            ("BUTTON_DELAY", "0.5", None),
            ("TRIGGER_REGEX", "New trip .*", Some(Meaning::Trigger)),
            ("KEYWORDS", "trip,ride", Some(Meaning::Trigger)),
            ("CONTROL", token.as_str(), Some(Meaning::ControlToken)),
            ("ADMIN_IDS", "5000000001, 5000000002", Some(Meaning::AllowedIds)),
            ("ALLOWED_USERS", "[5000000001]", Some(Meaning::AllowedIds)),
            ("DATABASE_URL", "sqlite+aiosqlite:///panel.db", Some(Meaning::Database)),
            ("DB_PATH", "/old/panel.sqlite3", Some(Meaning::Database)),
            ("2FA_PASSWORD", "planted", Some(Meaning::TwoStepPassword)),
            ("TWO_FA", "12345", Some(Meaning::TwoStepPassword)),
            ("CLOUD_PASSWORD", "planted", Some(Meaning::TwoStepPassword)),
            ("2FA_TIMEOUT", "30", None),
            ("2FA_PASSWORD", "", None),
            ("LOG_LEVEL", "INFO", None),
            ("PROXY_PASSWORD", "planted", None),
            ("API_ID", "", None),
        ] {
            assert_eq!(meaning(name, value), wanted, "{name}");
        }
    }

    #[test]
    fn paths_of_databases_are_taken_out_of_addresses() {
        for (value, path) in [
            ("sqlite:///panel.db", "panel.db"),
            ("sqlite+aiosqlite:////old/panel.db", "/old/panel.db"),
            ("a.db", "a.db"),
        ] {
            assert_eq!(database(value), path);
        }
    }

    proptest! {
        #[test]
        fn no_value_makes_it_panic(name in "[A-Z_0-9]{0,20}", value in "\\PC{0,60}") {
            let _ = meaning(&name, &value);
        }

        #[test]
        fn a_secret_by_its_form_is_never_a_text_that_is_shown(name in "[A-Z_]{1,20}", id in 100_000_u64..10_000_000_000, rest in "[A-Za-z0-9_-]{35}") {
            prop_assert_eq!(meaning(&name, &format!("{id}:{rest}")), Some(Meaning::ControlToken));
        }
    }
}
