//! Who a mail is for: whether people are shown it, and whether a program may answer it (RFC 3834). These are two questions: a person's
//! mail may bear the headers of a list. Pure.

use mail_parser::{Message, MimeHeaders};

use super::inbound::{Own, addresses, sound};

/// Whose mails report what became of others.
const REPORTERS: [&str; 2] = ["mailer-daemon", "postmaster"];
/// Whose mails are from programs, which may write for a person.
const PROGRAMS: [&str; 7] =
    ["no-reply", "noreply", "no_reply", "no.reply", "do-not-reply", "do_not_reply", "donotreply"];
/// How the addresses of other such programs begin.
const NOTIFIERS: [&str; 2] = ["notification@", "notifications@"];
/// How headers begin by which programs say that they answer for someone who is away.
const AUTOREPLIES: [&str; 6] =
    ["x-autoreply", "x-auto-reply", "x-autorespon", "x-mail-autoreply", "x-autoanswer", "x-yandex-autoreply"];
/// Subjects of such answers, which nothing but a colon may follow.
const AUTOREPLY_SUBJECTS: [&str; 6] = [
    "автоответ",
    "автоматический ответ",
    "automatic reply",
    "auto-reply",
    "autoreply",
    "undelivered mail returned to sender",
];
/// Headers in which a receiving server names the address that it delivered a mail for, such as an alias.
const DELIVERED: [&str; 5] =
    ["Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To"];

/// Who a mail is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Audience {
    /// Everyone: a program may answer it too.
    Everyone,
    /// People: they are shown it, and by this header no program may answer it.
    People(&'static str),
    /// No person: by this header a program wrote it to no one in particular.
    Programs(&'static str),
}

impl Audience {
    /// The header that says it.
    pub(super) const fn sign(self) -> Option<&'static str> {
        match self {
            Self::Everyone => None,
            Self::People(sign) | Self::Programs(sign) => Some(sign),
        }
    }
}

/// Finds out who a mail of others is for. `customer` is who is answered. A mail that `continues` a thread of ours is for people, unless
/// it reports what became of another, or says that it answers for someone who is away.
pub(super) fn audience(
    mail: &Message<'_>,
    from: Option<&str>,
    customer: Option<&str>,
    continues: bool,
    own: &Own,
) -> Audience {
    let header = |name: &str| value(mail, name).map(str::to_ascii_lowercase);
    let precedence = header("Precedence").unwrap_or_default();
    let auto_submitted = header("Auto-Submitted");
    let auto_submitted =
        auto_submitted.as_deref().and_then(|value| value.split([';', '(']).next()).map(str::trim);
    let has = |name: &&str| header(name).is_some();
    let from_program = from.is_some_and(is_program);
    // A site writes for its visitor. What names the same house for answers is a notice of that house, and no site unsubscribes.
    let is_for_visitor = match (from, customer) {
        (Some(from), Some(customer)) => {
            (from_program || own.is(from) || !has(&"List-Unsubscribe"))
                && domain_of(from) != domain_of(customer)
        }
        _ => false,
    };
    if is_report(mail) {
        return Audience::Programs("multipart/report");
    }
    if from.is_some_and(|from| is_of(from, &REPORTERS)) {
        return Audience::Programs("From");
    }
    // Programs of customers write these in answers of people too.
    let of_program = if continues { Audience::People } else { Audience::Programs };
    match auto_submitted {
        None | Some("no") => {}
        Some("auto-replied") => return Audience::Programs("Auto-Submitted"),
        Some("auto-generated") if is_for_visitor => return Audience::People("Auto-Submitted"),
        Some(_) => return of_program("Auto-Submitted"),
    }
    if header("Return-Path").is_some_and(|value| value == "<>") {
        return of_program("Return-Path");
    }
    if is_autoreply(mail) {
        return of_program("X-Autoreply");
    }
    if precedence == "auto_reply" {
        return of_program("Precedence");
    }
    if customer.is_some_and(is_program) || (from_program && !is_for_visitor) {
        return of_program("From");
    }
    let is_bulk = matches!(precedence.as_str(), "bulk" | "junk");
    // A list of people says where to write to it.
    let is_newsletter = has(&"List-Unsubscribe") && has(&"List-Id") && !is_list_of_people(mail);
    if !continues && (is_bulk && !is_for_visitor || is_newsletter) {
        return Audience::Programs(if is_bulk { "Precedence" } else { "List-Id" });
    }
    if is_bulk || precedence == "list" {
        return Audience::People("Precedence");
    }
    if let Some(name) = ["List-Id", "List-Unsubscribe"].into_iter().find(has) {
        return Audience::People(name);
    }
    // It may ask for no receipts alone.
    let suppressed = header("X-Auto-Response-Suppress").unwrap_or_default();
    if suppressed.split([',', ' ']).any(|kind| matches!(kind, "all" | "oof" | "autoreply")) {
        return Audience::People("X-Auto-Response-Suppress");
    }
    if !continues && !is_addressed(mail, own) {
        return Audience::People("To");
    }
    Audience::Everyone
}

/// Whether a program answers for someone who is away. `X-Auto-Response-Suppress` says no more than that none may answer it.
fn is_autoreply(mail: &Message<'_>) -> bool {
    let subject = mail.subject().unwrap_or_default().trim().to_lowercase();
    let of_subject = AUTOREPLY_SUBJECTS.iter().any(|start| {
        subject.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    });
    of_subject
        || mail.headers_raw().any(|(name, value)| {
            let (name, value) = (name.to_ascii_lowercase(), value.trim().to_ascii_lowercase());
            AUTOREPLIES.iter().any(|start| name.starts_with(start))
                && !["no", "false", "0"].contains(&value.as_str())
                || name == "x-autogenerated" && value.starts_with("reply")
        })
}

/// Whether an address is that of a program.
pub(super) fn is_program(address: &str) -> bool {
    let local = address.split('@').next().unwrap_or_default();
    PROGRAMS.iter().any(|name| local.contains(name))
        || NOTIFIERS.iter().any(|name| address.starts_with(name))
        || is_of(address, &REPORTERS)
}

fn domain_of(address: &str) -> &str {
    address.rsplit('@').next().unwrap_or_default()
}

fn is_of(address: &str, names: &[&str]) -> bool {
    let local = address.split('@').next().unwrap_or_default();
    names.iter().any(|name| local.starts_with(name))
}

/// Whether a mail came through a list in which people write to each other.
pub(super) fn is_list_of_people(mail: &Message<'_>) -> bool {
    let is_list = value(mail, "Precedence").is_some_and(|value| value.eq_ignore_ascii_case("list"));
    is_list || value(mail, "List-Post").is_some_and(|value| !value.eq_ignore_ascii_case("no"))
}

/// Whether a mail is to us, openly: to an address of ours, or to an alias for which its server delivered it.
fn is_addressed(mail: &Message<'_>, own: &Own) -> bool {
    let named: Vec<String> = [mail.to(), mail.cc()].into_iter().flatten().flat_map(addresses).collect();
    let delivered: Vec<String> = mail
        .headers_raw()
        .filter(|(name, _)| DELIVERED.iter().any(|known| known.eq_ignore_ascii_case(name)))
        .filter_map(|(_, value)| sound(value.trim().trim_matches(['<', '>'])))
        .collect();
    named
        .iter()
        .any(|address| own.is(address) || own.is(&without_tag(address)) || delivered.contains(address))
}

/// An address without what follows a `+`, which its owner may choose.
fn without_tag(address: &str) -> String {
    match address.split_once('@') {
        Some((local, domain)) => format!("{}@{domain}", local.split('+').next().unwrap_or_default()),
        None => address.to_owned(),
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

/// The mail of ours that a report is about (RFC 3464), where it did not arrive and will not. Some servers write only a header and a text.
pub(super) fn bounce(mail: &Message<'_>, own: &Own) -> Option<Bounce> {
    if !is_report(mail) {
        value(mail, "X-Failed-Recipients")?;
        let text = mail.parts.iter().find_map(|part| {
            let text = String::from_utf8_lossy(part.contents()).into_owned();
            original_in(&text, own)
        });
        return Some(Bounce { id: text?, why: "it came back".to_owned() });
    }
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

/// The id of ours in a text.
fn original_in(text: &str, own: &Own) -> Option<String> {
    let ids = text.split(['<', '>', '"', ' ', '\t', '\r', '\n']).filter(|word| word.contains('@'));
    ids.map(super::thread::bare).find(|id| own.ids.has(id))
}

/// The id of ours among what a report has of the mail.
fn original(mail: &Message<'_>, own: &Own) -> Option<String> {
    let in_text = |text: &str| original_in(text, own);
    let of_part = |part: &mail_parser::MessagePart<'_>| match part.message() {
        Some(nested) => nested.message_id().map(super::thread::bare).filter(|id| own.ids.has(id)),
        None => in_text(&String::from_utf8_lossy(part.contents())),
    };
    let named =
        ["In-Reply-To", "References"].into_iter().find_map(|name| value(mail, name).and_then(in_text));
    mail.parts.iter().skip(1).find_map(of_part).or(named)
}
