//! Mails that no person wrote (RFC 3834): programs that answer, lists, and servers that bring a mail back.

use mail_parser::{Message, MimeHeaders};

use super::inbound::Own;

/// Whose mails are from programs.
const PROGRAMS: [&str; 6] =
    ["mailer-daemon", "postmaster", "no-reply", "noreply", "do-not-reply", "donotreply"];

/// By what a mail shows that no automatic answer may follow; none where a person wrote it to us.
pub(super) fn sign(mail: &Message<'_>, from: &str, own: &Own) -> Option<&'static str> {
    let header = |name: &str| value(mail, name).map(str::to_ascii_lowercase);
    let local = from.split('@').next().unwrap_or_default();
    if header("Auto-Submitted")
        .is_some_and(|value| value.split(';').next().unwrap_or_default().trim() != "no")
    {
        Some("Auto-Submitted")
    } else if header("Return-Path").is_some_and(|value| value == "<>") {
        Some("Return-Path")
    } else if header("Precedence").is_some_and(|value| ["bulk", "junk", "list"].contains(&value.as_str())) {
        Some("Precedence")
    } else if let Some(name) =
        ["List-Id", "List-Unsubscribe", "X-Auto-Response-Suppress", "X-Autoreply", "X-Autorespond"]
            .into_iter()
            .find(|name| header(name).is_some())
    {
        Some(name)
    } else if is_report(mail) {
        Some("multipart/report")
    } else if PROGRAMS.iter().any(|program| local.starts_with(program)) {
        Some("From")
    } else if !own.is_addressed(mail) {
        Some("To")
    } else {
        None
    }
}

/// The first header of this name as it is in the mail.
pub(super) fn value<'a>(mail: &'a Message<'_>, name: &str) -> Option<&'a str> {
    mail.headers_raw().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// Whether it reports what became of another mail.
pub(super) fn is_report(mail: &Message<'_>) -> bool {
    mail.content_type().is_some_and(|kind| {
        kind.ctype().eq_ignore_ascii_case("multipart")
            && kind.subtype().is_some_and(|kind| kind.eq_ignore_ascii_case("report"))
    })
}

/// A mail of ours that did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bounce {
    /// Its id.
    pub(super) id: String,
    /// Why, as its server reports it.
    pub(super) why: String,
}

/// The mail of ours that a report is about (RFC 3464), where it did not arrive and will not.
pub(super) fn bounce(mail: &Message<'_>, own: &Own) -> Option<Bounce> {
    let kind = |part: &mail_parser::MessagePart<'_>, subtype: &str| {
        part.content_type().is_some_and(|kind| {
            kind.ctype().eq_ignore_ascii_case("message")
                && kind.subtype().is_some_and(|known| known.eq_ignore_ascii_case(subtype))
        })
    };
    let status =
        mail.parts.iter().find(|part| kind(part, "delivery-status") || kind(part, "global-delivery-status"));
    let status = String::from_utf8_lossy(status?.contents()).into_owned();
    let field = |name: &str| {
        let start =
            |line: &&str| line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        status.lines().find(start).map(|line| line[name.len()..].trim().to_owned())
    };
    if !field("Action:").is_some_and(|action| action.eq_ignore_ascii_case("failed")) {
        return None;
    }
    let why: Vec<String> = [field("Status:"), field("Diagnostic-Code:")].into_iter().flatten().collect();
    let why = super::thread::one_line(&why.join(" "), 300);
    Some(Bounce {
        id: original(mail, own)?,
        why: if why.is_empty() { "it came back".to_owned() } else { why },
    })
}

/// The id of ours among what a report has of the mail.
fn original(mail: &Message<'_>, own: &Own) -> Option<String> {
    let in_text = |text: &str| {
        let ids = text.split(['<', '>', '"', ' ', '\t', '\r', '\n']).filter(|word| word.contains('@'));
        ids.map(super::thread::bare).find(|id| own.ids.has(id))
    };
    let of_part = |part: &mail_parser::MessagePart<'_>| match part.message() {
        Some(nested) => nested.message_id().map(super::thread::bare).filter(|id| own.ids.has(id)),
        None => in_text(&String::from_utf8_lossy(part.contents())),
    };
    let named =
        ["In-Reply-To", "References"].into_iter().find_map(|name| value(mail, name).and_then(in_text));
    mail.parts.iter().skip(1).find_map(of_part).or(named)
}
