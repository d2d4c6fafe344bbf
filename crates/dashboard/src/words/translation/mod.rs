//! What the program and its API say in English, in the reader's language: patterns of sentences, each with its own words in it.
//! What is not known here stays as it was said.

use std::borrow::Cow;
use std::sync::LazyLock;

use super::overview::{reason, state};
use crate::view::Language;

mod codes;
#[cfg(test)]
pub(super) mod source;

/// English and Russian; `{}` stands for what differs, and is put into the reader's language by itself.
type Entry = (Cow<'static, str>, Cow<'static, str>);

/// What the program and its API say of work, and what the API refuses.
static OF_WORK: LazyLock<Vec<Entry>> =
    LazyLock::new(|| read(&[include_str!("work.po"), include_str!("refusals.po")]));

/// What the doctor says; its facts are short words, which would be found in other sentences too.
static OF_DOCTOR: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let mut catalogue = read(&[include_str!("doctor.po"), include_str!("webhooks.po")]);
    catalogue.extend_from_slice(&OF_WORK);
    catalogue
});

/// Reads catalogues of gettext, each sentence on one line. The first that fits a text counts.
fn read(catalogues: &[&'static str]) -> Vec<Entry> {
    let quoted = |line: &'static str, key: &str| {
        let text = line.strip_prefix(key)?.strip_prefix(" \"")?.strip_suffix('"')?;
        Some(if text.contains('\\') { Cow::Owned(text.replace("\\\"", "\"")) } else { Cow::Borrowed(text) })
    };
    let lines = || catalogues.iter().flat_map(|catalogue| catalogue.lines());
    lines()
        .zip(lines().skip(1))
        .filter_map(|(english, russian)| Some((quoted(english, "msgid")?, quoted(russian, "msgstr")?)))
        .collect()
}

/// How deep a sentence is looked into: one in a list in another one.
const DEEPEST: u8 = 6;

/// What was said, in this language.
pub(crate) fn translate(language: Language, text: &str) -> Cow<'_, str> {
    match language {
        Language::English => Cow::Borrowed(text),
        Language::Russian => russian(&OF_WORK, text, DEEPEST).map_or(Cow::Borrowed(text), Cow::Owned),
    }
}

/// Why the API refused something, for a page: no calls of the API, and in Russian at least what kind of problem it is. What comes
/// from outside, such as an answer of Telegram, is quoted as it came.
pub(crate) fn refused(language: Language, code: &str, detail: &str) -> String {
    if language == Language::English {
        return match detail.find("; GET /v1/") {
            Some(call) => format!("{}.", &detail[..call]),
            None => detail.to_owned(),
        };
    }
    let known = russian(&OF_WORK, detail, DEEPEST).filter(|translated| is_russian(translated));
    known.unwrap_or_else(|| match codes::by_code(code) {
        Some(kind) if QUOTED.contains(&code) => format!("{kind}: «{}».", detail.trim_end_matches('.')),
        Some(kind) => format!("{kind}."),
        None => detail.to_owned(),
    })
}

/// What is wrong with a field, for a page.
pub(crate) fn wrong_field(language: Language, message: &str) -> String {
    match language {
        Language::English => message.to_owned(),
        Language::Russian => russian(&OF_WORK, message, DEEPEST)
            .filter(|translated| is_russian(translated))
            .unwrap_or_else(|| "заполнено неверно".to_owned()),
    }
}

/// Problems whose detail is an answer from outside.
const QUOTED: &[&str] = &[
    "internal",
    "login_failed",
    "media_unreachable",
    "provider_error",
    "read_failed",
    "rejected",
    "target_refused",
];

fn is_russian(text: &str) -> bool {
    text.chars().any(|letter| ('а'..='я').contains(&letter))
}

/// What the doctor said, in Russian; nothing where the sentence is not known.
pub(super) fn doctor_in_russian(text: &str) -> Option<String> {
    russian(&OF_DOCTOR, text, DEEPEST)
}

/// Nothing where nothing of it is known.
fn russian(catalogue: &[Entry], text: &str, deeper: u8) -> Option<String> {
    let deeper = deeper.checked_sub(1)?;
    let known = catalogue.iter().find_map(|(english, russian)| Some((filled(english, text)?, russian)));
    if let Some((holes, pattern)) = known {
        let mut whole = String::new();
        let mut holes = holes.into_iter();
        for (place, piece) in pattern.split("{}").enumerate() {
            if place > 0 {
                let hole = holes.next().unwrap_or_default();
                whole.push_str(&russian_or_same(catalogue, hole, deeper));
            }
            whole.push_str(piece);
        }
        return Some(whole);
    }
    if let Some(word) = code(text) {
        return Some(word);
    }
    // An error's words, made a sentence.
    if let Some(words) =
        text.strip_suffix('.').filter(|text| text.starts_with(|first: char| first.is_uppercase()))
    {
        let mut letters = words.chars();
        let small: String = letters.next().into_iter().flat_map(char::to_lowercase).collect();
        let translated = russian(catalogue, &format!("{small}{}", letters.as_str()), deeper)
            .filter(|translated| is_russian(translated));
        if let Some(translated) = translated {
            let mut letters = translated.chars();
            let capital: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
            return Some(format!("{capital}{}.", letters.as_str()));
        }
    }
    // What each account said.
    if text.contains("; ") {
        let each: Vec<_> = text.split("; ").map(|one| russian_or_same(catalogue, one, deeper)).collect();
        return Some(each.join("; "));
    }
    match text.split_once(": ") {
        Some((name, rest)) if !name.contains(' ') => {
            let name = code(name).unwrap_or_else(|| name.to_owned());
            Some(format!("{name}: {}", russian_or_same(catalogue, rest, deeper)))
        }
        // Who was passed over: `main (paused), backup_1 (banned)`.
        _ if text.ends_with(')') && text.contains(" (") => {
            let each = text.split("), ").map(|one| match one.split_once(" (") {
                Some((name, why)) => {
                    format!("{name} ({})", russian_or_same(catalogue, why.trim_end_matches(')'), deeper))
                }
                None => one.to_owned(),
            });
            Some(each.collect::<Vec<_>>().join(", "))
        }
        _ => None,
    }
}

fn russian_or_same(catalogue: &[Entry], text: &str, deeper: u8) -> String {
    russian(catalogue, text, deeper).unwrap_or_else(|| text.to_owned())
}

/// The word for a state or reason of an account or of work.
fn code(text: &str) -> Option<String> {
    let is_code = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if !is_code {
        return None;
    }
    let untouched = text.replace('_', " ");
    let words = [
        reason(Language::Russian, text).into_owned(),
        state(Language::Russian, text).to_lowercase(),
        super::pill(Language::Russian, text).word.to_lowercase(),
    ];
    let unknown = super::pill(Language::Russian, "").word.to_lowercase();
    words.into_iter().find(|word| *word != untouched && *word != unknown)
}

/// What is in the places of a pattern, if the text is such a sentence.
fn filled<'a>(pattern: &str, text: &'a str) -> Option<Vec<&'a str>> {
    let mut pieces = pattern.split("{}");
    let mut rest = text.strip_prefix(pieces.next()?)?;
    let mut holes = Vec::new();
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next() {
        let at = if pieces.peek().is_none() {
            rest.len().checked_sub(piece.len()).filter(|at| rest.get(*at..) == Some(piece))
        } else {
            rest.find(piece)
        }?;
        holes.push(&rest[..at]);
        rest = &rest[at + piece.len()..];
    }
    (rest.is_empty() && holes.iter().all(|hole| !hole.is_empty())).then_some(holes)
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;
    use domain::Timestamp;
    use domain::outcome::{Failure, Refusal};

    fn in_russian(text: &str) -> String {
        translate(Language::Russian, text).into_owned()
    }

    #[test]
    fn every_failure_is_translated_into_russian() {
        let refusals =
            |why: &str| vec![Refusal { account: "main".parse().expect("a name"), why: why.to_owned() }];
        let until = Timestamp::from_micros(60_000_000);
        for failure in [
            Failure::ChatNotFound { asked: refusals("does not know the chat") },
            Failure::NoRights { asked: refusals("may not write there") },
            Failure::NotInChat { asked: refusals("is not, or no longer, in the chat") },
            Failure::Rejected { provider_code: "MESSAGE_EMPTY".into() },
            Failure::MediaGone { detail: "x".to_owned() },
            Failure::MediaExpired { detail: "x".to_owned() },
            Failure::FloodWait { until },
            Failure::LimitReached { until },
            Failure::NoAccount { asked: refusals("needs_login: session_revoked") },
            Failure::DoNotContact { entry: domain::DoNotContactId::MIN },
            Failure::Restored { made_at: until },
        ] {
            let translated = in_russian(&failure.describe());
            let is_russian = |letter: char| ('а'..='я').contains(&letter);
            assert!(translated.chars().filter(|letter| is_russian(*letter)).count() > 20, "{translated}");
            assert_eq!(translate(Language::English, &failure.describe()), failure.describe());
        }
    }

    #[test]
    fn account_reports_are_translated_into_russian() {
        for (english, russian) in [
            (
                "No account can send now (main: paused; backup_1: needs_login: session_revoked).",
                "Сейчас отправить не может ни один аккаунт (main: на паузе; backup_1: нужно войти: сессия завершена с другого устройства).",
            ),
            (
                "instead of main (flood wait until 2026-11-20T14:31:00Z), backup_1 (banned)",
                "вместо main (ждёт по требованию Telegram до 2026-11-20T14:31:00Z), backup_1 (заблокирован Telegram)",
            ),
            ("message 110", "сообщение № 110"),
            (
                "The message is sent; only what is in_doubt can be resolved.",
                "Сообщение уже в другом состоянии: «отправлено».",
            ),
            (
                "Switchboard ignores messages of the personal account 7 (\"Eve\"): business_accounts does not list it; add \"7\" there if it is yours",
                "Switchboard не принимает сообщения личного аккаунта 7 (\"Eve\"): его нет в business_accounts; если аккаунт ваш, добавьте туда \"7\"",
            ),
            ("Something else entirely", "Something else entirely"),
            ("", ""),
        ] {
            assert_eq!(in_russian(english), russian);
        }
    }

    #[test]
    fn each_problem_of_the_api_has_russian_words() {
        for code in web::problem_codes() {
            let translated = refused(Language::Russian, code, "No one has put this into Russian.");
            assert!(is_russian(&translated), "{code}: {translated}");
            let quoted = translated.contains("No one has put");
            assert_eq!(quoted, QUOTED.contains(&code), "{code}: {translated}");
        }
        for (english, on_a_page, russian) in [
            (
                "No account knows the chat @demo; GET /v1/chats lists those known.",
                "No account knows the chat @demo.",
                "Чат @demo не знает ни один аккаунт.",
            ),
            (
                "The field \"name\" is wrong: use 1 to 40 letters, digits and . _ - @.",
                "The field \"name\" is wrong: use 1 to 40 letters, digits and . _ - @.",
                "Поле «Название»: напишите от 1 до 40 букв, цифр и . _ - @.",
            ),
            (
                "There is an account main already; take another name, or change that one.",
                "There is an account main already; take another name, or change that one.",
                "Аккаунт main уже есть; возьмите другое название или измените его.",
            ),
        ] {
            assert_eq!(refused(Language::English, "x", english), on_a_page);
            assert_eq!(refused(Language::Russian, "x", english), russian);
        }
    }

    #[test]
    fn each_wrong_field_that_a_page_sends_has_russian_words() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let places = [
            "config/src/alerts.rs",
            "config/src/channels.rs",
            "config/src/proxy.rs",
            "config/src/active_hours.rs",
            "campaigns/src/plan.rs",
            "alerts/src/hours.rs",
            "access/src/password.rs",
        ]
        .map(|place| crates.join(place));
        let web = [
            "users",
            "alerts",
            "accounts/change.rs",
            "keys.rs",
            "chats/title.rs",
            "webhooks",
            "campaigns",
            "channels/settings.rs",
        ]
        .map(|place| crates.join("web/src/v1").join(place));
        let places: Vec<&Path> = places.iter().chain(&web).map(PathBuf::as_path).collect();
        let unknown: Vec<_> = source::sentences_in(&places)
            .into_iter()
            .filter(|sentence| {
                ["is ", "has ", "must ", "needs ", "begins "].iter().any(|start| sentence.starts_with(start))
            })
            .filter(|sentence| {
                let filled = sentence.replace("{}", "X1").replace("{:?}", "X1").replace(['{', '}'], "");
                !is_russian(&translate(Language::Russian, &filled))
            })
            .collect();
        assert!(unknown.is_empty(), "{unknown:#?}");
    }

    #[test]
    fn both_languages_have_the_same_placeholders() {
        let entries = |text: &str| text.lines().filter(|line| line.starts_with("msg")).count();
        for text in ["doctor.po", "webhooks.po", "work.po", "refusals.po"] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/words/translation");
            let text: &str = std::fs::read_to_string(folder.join(text)).expect("a catalogue").leak();
            assert_eq!(read(&[text]).len() * 2, entries(text));
        }
        for (english, russian) in OF_DOCTOR.iter() {
            let places = |text: &str| text.matches("{}").count();
            assert!(places(russian) <= places(english), "{english}");
        }
    }

    /// Parts of sentences that are put together in the source: their wholes are in the table.
    const PARTS: &[&str] = &[
        "node shop.js",
        "python3 send.py",
        "is paused",
        "is stopped",
        "must wait: Telegram asked it to",
        "does not work",
        "is restricted by Telegram",
        "has no session that works",
        "was closed by Telegram",
        "ahead of",
        "The account {name} {what}.",
        "The clock is {} {side} Telegram's.",
        "Process {pid}",
        "{who} holds the data directory and does not answer.",
        "Callers ask for {more}{} chats that no account is in.",
        "more than ",
        "{} is open in {} program{}{with}; Telegram ends a session that two use at once.",
        "{kind}{name} {verb} in a crash loop: started again {count} times.",
        "The foreign unit ",
        "{} cannot be reached at {}.",
        "{} sessions of the old scripts are not here yet{more}.",
        "{count} times",
        "{instead}; then {how}",
        "api_id {api_id}",
        "{near} requests from this machine or a private network, {far} from elsewhere, with X-Forwarded-For or Forwarded{last}",
        "{shown}: Restart={}",
        "{times} within {within}, last {}: {last}",
        "{how}; {first}",
    ];

    #[test]
    fn every_sentence_of_the_doctor_is_translated() {
        let doctor = Path::new(env!("CARGO_MANIFEST_DIR")).join("../doctor/src");
        let places =
            ["check", "gather", "examine.rs", "legacy/difference.rs"].map(|place| doctor.join(place));
        let sentences = source::sentences_in(&places.each_ref().map(PathBuf::as_path));
        assert!(sentences.len() > 150, "{}", sentences.len());
        let unknown: Vec<_> = sentences
            .iter()
            .filter(|sentence| !PARTS.contains(&sentence.as_str()))
            .filter(|sentence| {
                let filled = sentence.replace("{}", "X1").replace(['{', '}'], "");
                let translated =
                    doctor_in_russian(&filled).or_else(|| doctor_in_russian(sentence)).unwrap_or_default();
                !translated.chars().any(|letter| ('а'..='я').contains(&letter))
            })
            .collect();
        assert!(unknown.is_empty(), "{unknown:#?}");
        for provider in config::WebhookProvider::ALL {
            let its = channels::Nature::of(provider.channel()).registering;
            for words in [its.how, its.first, its.instead, its.credentials, its.without_secret, its.unreached]
            {
                assert!(
                    doctor_in_russian(words).is_some_and(|translated| is_russian(&translated)),
                    "{words}"
                );
            }
        }
    }
}
