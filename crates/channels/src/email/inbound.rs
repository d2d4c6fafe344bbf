//! What a mail of the mailbox comes to: a message, the failure of one of ours, or nothing.

use std::fmt;

use domain::inbound::{
    InboundChange, InboundEvent, InboundKind, InboundMedia, InboundMessage, InboundReceipt,
};
use domain::{ContactProof, MessageOrigin, ProvedContact, Timestamp, Words};
use mail_parser::{Addr, Address, HeaderValue, Message, MessageParser, MessagePart, MimeHeaders, PartType};
use serde_json::{Value, json};

use super::authentication::is_authenticated;
use super::automatic::{self, Audience, Bounce};
use super::thread::{Belonging, OwnIds, Threads, bare, chat_without_address, one_line, topic};
use super::{decoding, plain};

/// The longest text that is taken, in characters.
const LONGEST_TEXT: usize = 100_000;
/// The longest subject that is taken, in characters.
const LONGEST_SUBJECT: usize = 500;
/// The most attachments of a mail.
const MOST_MEDIA: usize = 50;
/// A picture in a page that is smaller than this is part of its looks.
const ORNAMENT: usize = 8 * 1024;

/// Who we are.
#[derive(Debug, Clone)]
pub(super) struct Own {
    /// The addresses that are ours, in small letters: the one that mails come from first.
    pub(super) addresses: Vec<String>,
    /// The ids of what we send.
    pub(super) ids: OwnIds,
    /// The receiving server whose results of authentication count.
    pub(super) authserv_id: Option<String>,
}

impl Own {
    pub(super) fn is(&self, address: &str) -> bool {
        self.addresses.iter().any(|own| own == address)
    }
}

/// Where a mail is. Its text form is `in:1700000000:42`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MailLocation {
    /// Among those that were sent, not those that came in.
    pub(super) is_sent: bool,
    /// The number of the folder.
    pub(super) validity: u32,
    /// That of the mail in it.
    pub(super) uid: u32,
}

impl fmt::Display for MailLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let folder = if self.is_sent { "sent" } else { "in" };
        write!(f, "{folder}:{}:{}", self.validity, self.uid)
    }
}

impl MailLocation {
    pub(super) fn read(text: &str) -> Option<Self> {
        let (folder, rest) = text.split_once(':')?;
        let (validity, uid) = rest.split_once(':')?;
        let is_sent = match folder {
            "in" => false,
            "sent" => true,
            _ => return None,
        };
        Some(Self { is_sent, validity: validity.parse().ok()?, uid: uid.parse().ok()? })
    }
}

/// A mail in the mailbox.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<'a> {
    pub(super) raw: &'a [u8],
    pub(super) location: MailLocation,
    /// When it came into the mailbox.
    pub(super) at: Timestamp,
    /// Its size, where it is too large and `raw` has its header alone.
    pub(super) too_large: Option<u64>,
}

/// Reads a mail; `threads` learn of it.
pub(super) fn read(found: &Found<'_>, own: &Own, threads: &mut Threads) -> Option<InboundEvent> {
    let raw = decoding::mended(found.raw);
    let mail = MessageParser::default().parse(&raw)?;
    let id = mail.message_id().map_or_else(|| bare(&String::from_utf8_lossy(found.raw)), bare);
    let sender = mail.from().and_then(first);
    let from = sender.as_ref().map(|(from, _)| from.clone());
    if automatic::is_report(&mail) {
        let Bounce { id: original, why } = automatic::bounce(&mail, own)?;
        let change = InboundChange::Receipt {
            external_id: original,
            receipt: InboundReceipt::Failed(why),
            at: found.at,
        };
        return Some(InboundEvent { key: format!("report:{id}"), change });
    }
    let is_from_us = found.location.is_sent || from.as_ref().is_some_and(|from| own.is(from));
    let (is_own, customer) = match is_from_us.then(|| first_other(&mail, own)) {
        None => (false, sender),
        // Anyone can write our address into a mail that came in: the customer is the one that it names for answers.
        Some(Some(_)) if !found.location.is_sent && !is_authenticated(&mail, own.authserv_id.as_deref()) => {
            (false, mail.reply_to().and_then(|to| first_foreign(to.iter(), own)))
        }
        // Of a mail of ours the other end is the customer.
        Some(Some(other)) => (true, Some(other)),
        Some(None) if found.location.is_sent || own.ids.has(&id) => return None,
        // A form on a page writes from our address to our address: its customer is who is to be answered.
        Some(None) => {
            let answered = mail.reply_to().and_then(|to| first_foreign(to.iter(), own));
            (false, answered.or(sender))
        }
    };
    let customer = if is_from_us { customer } else { who_is_answered(&mail, customer, own) };
    let (customer, name) = customer.unzip();
    let earlier: Vec<String> = ids(mail.references()).chain(ids(mail.in_reply_to())).collect();
    let subject = mail.subject().unwrap_or_default();
    // What we wrote is ours; of a form on a page the customer is whom the form names.
    let is_senders = !is_own && customer.is_some() && customer == from;
    let is_authenticated = is_senders && is_authenticated(&mail, own.authserv_id.as_deref());
    let proof = match (is_own, is_authenticated) {
        (true, _) => ContactProof::ChannelId,
        (false, true) => ContactProof::Mail,
        (false, false) => ContactProof::Typed,
    };
    let belonging = customer.as_ref().map(|address| Belonging {
        address,
        id: &id,
        earlier: &earlier,
        topic: topic(subject),
        at: found.at,
        is_proved: proof.is_proved(),
    });
    let chat = belonging.as_ref().and_then(|belonging| threads.chat_of(belonging, &own.ids));
    // A person reads a mail that no chat can have as its address.
    let chat = chat.or_else(|| chat_without_address(&id))?;
    let thread = threads.of(&chat);
    let is_answered = thread.is_some_and(|thread| thread.is_answered) && !earlier.is_empty();
    let continues = is_answered || earlier.iter().any(|id| own.ids.has(id));
    let is_new_topic = thread.is_none_or(|thread| topic(&thread.subject) != topic(subject));
    let audience = if is_own {
        Audience::Everyone
    } else {
        automatic::audience(&mail, from.as_deref(), customer.as_deref(), continues, own)
    };
    if is_own {
        threads.answered(&chat);
    }
    if let Some(belonging) = belonging.filter(|_| !is_own) {
        threads.learn(&chat, subject, &belonging);
    }
    let Body { mut text, whole } = body(&mail, subject, !earlier.is_empty());
    let media = match found.too_large {
        Some(size) => vec![too_large(size)],
        None => media(&mail, found.location),
    };
    let mut subject = Some(one_line(subject, LONGEST_SUBJECT)).filter(|subject| !subject.is_empty());
    if text.is_empty() && (media.is_empty() || found.too_large.is_some()) {
        text = subject.take().unwrap_or_default();
    }
    let origin = match (is_own, audience) {
        (true, _) => MessageOrigin::Owner,
        (false, Audience::Programs(_)) => MessageOrigin::Bot,
        (false, Audience::Everyone | Audience::People(_)) => MessageOrigin::Person,
    };
    let written = || automatic::value(&mail, "From").map(str::to_owned);
    let name = if customer.is_some() { name.flatten() } else { written() };
    let message = InboundMessage {
        origin,
        user: customer.clone(),
        name: name.map(|name| one_line(&name, 200)).filter(|name| !name.is_empty()),
        sender_proof: proof,
        email: customer.map(|customer| ProvedContact::new(customer, proof)),
        media,
        reply_to: ids(mail.in_reply_to()).next(),
        subject: subject.filter(|_| if is_own { earlier.is_empty() } else { is_new_topic }),
        whole_text: whole.map(Words::from),
        is_for_people: matches!(audience, Audience::People(_)),
        raw: Some(header_values(&mail, audience.sign()).to_string()),
        ..InboundMessage::private(chat, id.clone(), text, found.at)
    };
    Some(InboundEvent { key: format!("mail:{id}"), change: InboundChange::Message(Box::new(message)) })
}

/// Who is to be answered, where others wrote: the address that the mail itself names for answers, such as that of the customer in a
/// mail of a site builder. That address is not proved, and it is a chat of its own, so that no answer about others can be led there.
fn who_is_answered(mail: &Message<'_>, sender: Option<Named>, own: &Own) -> Option<Named> {
    let is_program = |named: &Named| automatic::is_program(&named.0);
    let from_program = sender.as_ref().is_some_and(is_program);
    if automatic::is_list_of_people(mail) && !from_program {
        return sender;
    }
    let named = mail.reply_to().and_then(|to| first_foreign(to.iter(), own));
    match named.filter(|named| !is_program(named)) {
        Some((address, name)) => {
            // It is called as its mail is, where a person wrote that.
            let of_sender = sender.filter(|_| !from_program).and_then(|(_, name)| name);
            Some((address, name.or(of_sender)))
        }
        None => sender,
    }
}

/// The text of a mail.
struct Body {
    text: String,
    /// All of it, where `text` is without what it quotes.
    whole: Option<String>,
}

fn body(mail: &Message<'_>, subject: &str, is_answer: bool) -> Body {
    let is_forwarded = ["fwd:", "fw:", "пересл:", "tr:", "wg:"]
        .iter()
        .any(|word| subject.trim_start().to_lowercase().starts_with(word));
    let cuts = is_answer && !is_forwarded;
    let mut texts = Vec::new();
    for part in mail.text_bodies() {
        let Some(text) = decoding::text(mail, part) else { continue };
        texts.push(match &part.body {
            PartType::Html(_) => plain::of_html(&text, cuts),
            _ => text.replace("\r\n", "\n").trim().to_owned(),
        });
    }
    let whole = clean(&texts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n"));
    let text = if cuts { plain::without_quotes(&whole) } else { whole.clone() };
    let whole = Some(whole).filter(|whole| *whole != text);
    Body { text, whole }
}

fn clean(text: &str) -> String {
    let letters =
        text.chars().filter(|one| *one != '\u{feff}' && (!one.is_control() || matches!(one, '\n' | '\t')));
    letters.take(LONGEST_TEXT).collect::<String>().trim().to_owned()
}

fn media(mail: &Message<'_>, location: MailLocation) -> Vec<InboundMedia> {
    let is_ornament = |part: &MessagePart<'_>| {
        matches!(part.body, PartType::InlineBinary(_)) && part.contents().len() < ORNAMENT
    };
    let attached = mail.attachments().enumerate().filter(|(_, part)| !is_ornament(part));
    let described = attached.map(|(number, part)| {
        let mime = mime(part);
        InboundMedia {
            file_id: Some(format!("{location}:{number}")),
            name: part.attachment_name().map(|name| one_line(&media::decoded_again(name), 200)),
            size: u64::try_from(content(part).len()).ok(),
            ..InboundMedia { mime: Some(mime.clone()), ..InboundMedia::new(kind(&mime)) }
        }
    });
    described.take(MOST_MEDIA).collect()
}

/// The content of an attachment.
pub(super) fn content<'a>(part: &'a MessagePart<'_>) -> &'a [u8] {
    part.message().map_or_else(|| part.contents(), |nested| nested.raw_message())
}

/// The type of an attachment.
pub(super) fn mime(part: &MessagePart<'_>) -> String {
    let Some(kind) = part.content_type() else { return "application/octet-stream".to_owned() };
    format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or("octet-stream")).to_ascii_lowercase()
}

fn kind(mime: &str) -> InboundKind {
    match mime.split('/').next() {
        Some("image") => InboundKind::Image,
        Some("audio") => InboundKind::Audio,
        Some("video") => InboundKind::Video,
        _ => InboundKind::Document,
    }
}

/// A mail whose body stays where it is.
fn too_large(size: u64) -> InboundMedia {
    let name = Some("mail.eml".to_owned());
    InboundMedia {
        name,
        size: Some(size),
        mime: Some("message/rfc822".to_owned()),
        ..InboundMedia::new(InboundKind::Other)
    }
}

/// What is kept of the header.
fn header_values(mail: &Message<'_>, sign: Option<&str>) -> Value {
    let header = |name: &str| automatic::value(mail, name).map(|value| one_line(value, 1_000));
    json!({
        "subject": mail.subject().map(|subject| one_line(subject, 1_000)),
        "from": header("From"),
        "to": header("To"),
        "cc": header("Cc"),
        "reply_to": header("Reply-To"),
        "date": header("Date"),
        "message_id": header("Message-ID"),
        "in_reply_to": header("In-Reply-To"),
        "references": header("References"),
        // By this header no program may answer it.
        "automatic": sign,
        // What the topmost server found out about its sender.
        "authentication_results": header("Authentication-Results"),
    })
}

/// The ids in a header.
fn ids<'a>(value: &'a HeaderValue<'_>) -> impl Iterator<Item = String> + 'a {
    let one = value.as_text_list().map_or_else(
        || value.as_text().into_iter().collect::<Vec<_>>(),
        |all| all.iter().map(AsRef::as_ref).collect(),
    );
    one.into_iter().take(100).map(bare)
}

/// The addresses in a header, in small letters.
pub(super) fn addresses<'a>(header: &'a Address<'_>) -> impl Iterator<Item = String> + 'a {
    header.iter().filter_map(|one| sound(one.address()?))
}

/// An address in small letters, if it can be one.
pub(super) fn sound(address: &str) -> Option<String> {
    let address = address.trim().to_lowercase();
    let (local, domain) = address.rsplit_once('@')?;
    // With two of them it is unknown which server the mail comes from.
    let is_sound = !local.is_empty()
        && !local.contains('@')
        && !domain.is_empty()
        && address.len() <= 254
        && !domain.contains('#')
        && !address.contains(|one: char| one.is_whitespace() || one.is_control() || "<>,;".contains(one));
    is_sound.then_some(address)
}

/// An address and what it is called.
type Named = (String, Option<String>);

/// The first address of a header with what it is called.
fn first(header: &Address<'_>) -> Option<Named> {
    header.iter().find_map(|one| Some((sound(one.address()?)?, one.name().map(str::to_owned))))
}

/// The first one that a mail of ours is to and that is not ours.
fn first_other(mail: &Message<'_>, own: &Own) -> Option<Named> {
    first_foreign([mail.to(), mail.cc()].into_iter().flatten().flat_map(Address::iter), own)
}

/// The first address that is not ours, with what it is called.
fn first_foreign<'a>(all: impl Iterator<Item = &'a Addr<'a>>, own: &Own) -> Option<Named> {
    let mut sound = all.filter_map(|one| Some((sound(one.address()?)?, one.name().map(str::to_owned))));
    sound.find(|(address, _)| !own.is(address))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn own() -> Own {
        let ids = OwnIds { domain: "example.com".to_owned() };
        Own {
            addresses: vec!["shop@example.com".to_owned()],
            ids,
            authserv_id: Some("mx.example.com".to_owned()),
        }
    }

    fn found(raw: &[u8]) -> Found<'_> {
        let location = MailLocation { is_sent: false, validity: 1, uid: 2 };
        Found { raw, location, at: Timestamp::from_micros(0), too_large: None }
    }

    fn message(raw: &str) -> InboundMessage {
        let raw = raw.replace('\n', "\r\n");
        match read(&found(raw.as_bytes()), &own(), &mut Threads::default()).unwrap().change {
            InboundChange::Message(message) => *message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_mail_without_a_sound_sender_is_kept_for_a_person() {
        let mut chats = std::collections::BTreeSet::new();
        for (number, from) in [
            "<victim@example.org>\0<attacker@evil.example>",
            "victim@example.org@evil.example",
            "\"victim@example.org\"@evil.example",
            "<@evil.example:victim@example.org>",
            "victim@example.org#evil.example",
            "victim",
            "",
        ]
        .into_iter()
        .enumerate()
        {
            let mail = format!(
                "From: {from}\nTo: shop@example.com\nSubject: Price\nMessage-ID: <{number}@x>\n\nText"
            );
            let read = message(&mail);
            assert_eq!((&*read.text, read.origin), ("Text", MessageOrigin::Person), "{from:?}");
            assert_eq!(
                (read.user, read.email, read.sender_proof),
                (None, None, ContactProof::Typed),
                "{from:?}"
            );
            // It has no address that anyone could be answered at.
            let parts = crate::email::ChatParts::of(&read.chat);
            assert!(!parts.address.contains('@') && parts.root.is_some(), "{}", read.chat);
            assert_eq!(read.name.is_some(), !from.is_empty(), "{from:?}");
            assert!(chats.insert(read.chat), "{from:?}");
        }
        let long = format!("{}@example.org", "x".repeat(240));
        let read = message(&format!("From: {long}\nTo: shop@example.com\nMessage-ID: <1@x>\n\nText"));
        assert_eq!(read.email, Some(ProvedContact::typed(&long)));
    }

    #[test]
    fn people_are_shown_all_but_what_programs_write_to_no_one_in_particular() {
        let of = |from: &str, headers: &str| {
            let read = message(&format!("From: {from}\nSubject: x\nMessage-ID: <1@x>\n{headers}\n\nText"));
            (read.origin, read.is_for_people)
        };
        let (anna, to) = ("anna@example.org", "To: Shop <SHOP@example.com>");
        let (anyone, people) = ((MessageOrigin::Person, false), (MessageOrigin::Person, true));
        let programs = (MessageOrigin::Bot, false);
        for (headers, wanted) in [
            ("", anyone),
            ("Auto-Submitted: no", anyone),
            ("X-Auto-Response-Suppress: DR, RN, NRN", anyone),
            ("X-Auto-Response-Suppress: All", people),
            ("X-Auto-Response-Suppress: OOF, AutoReply", people),
            ("Precedence: list", people),
            ("List-Unsubscribe: <mailto:x@example.org>", people),
            ("List-Id: <friends.example.org>", people),
            (
                "List-Id: <friends.example.org>\nList-Post: <mailto:f@example.org>\nList-Unsubscribe: <mailto:x@example.org>",
                people,
            ),
            ("Auto-Submitted: auto-generated", programs),
            ("Auto-Submitted: auto-replied; x=y", programs),
            ("Return-Path: <>", programs),
            ("Precedence: Bulk", programs),
            ("Precedence: auto_reply", programs),
            ("List-Id: <news.example.org>\nList-Unsubscribe: <mailto:x@example.org>", programs),
            ("X-Autoreply: yes", programs),
        ] {
            assert_eq!(of(anna, format!("{to}\n{headers}").trim_end()), wanted, "{headers}");
        }
        for program in [
            "no-reply@example.org",
            "noreply@example.org",
            "MAILER-DAEMON@example.org",
            "postmaster@example.org",
        ] {
            assert_eq!(of(program, to), programs, "{program}");
        }
        // In a thread that goes on it is a person who answers, whatever the mail came through.
        let answer = "In-Reply-To: <0000000000000007.0@example.com>";
        for headers in [
            "Precedence: bulk",
            "List-Id: <news.example.org>\nList-Unsubscribe: <mailto:x@example.org>",
            "X-Auto-Response-Suppress: All",
        ] {
            assert_eq!(of(anna, &format!("{to}\n{answer}\n{headers}")), people, "{headers}");
        }
        assert_eq!(of(anna, &format!("{to}\n{answer}\nAuto-Submitted: auto-replied")), programs);
        // So it is where the owner answered with another mail program, and not where no one of us did.
        let mut threads = Threads::default();
        let mut origin = |is_sent: bool, head: &str| {
            let raw = format!("Subject: x\n{head}\n\nText").replace('\n', "\r\n");
            let found = found(raw.as_bytes());
            let location = MailLocation { is_sent, ..found.location };
            match read(&Found { location, ..found }, &own(), &mut threads).unwrap().change {
                InboundChange::Message(message) => message.origin,
                other => panic!("{other:?}"),
            }
        };
        let news = "From: anna@example.org\nTo: shop@example.com\nPrecedence: bulk";
        assert_eq!(origin(false, &format!("{news}\nMessage-ID: <1@x>")), MessageOrigin::Bot);
        assert_eq!(
            origin(false, &format!("{news}\nMessage-ID: <2@x>\nIn-Reply-To: <1@x>")),
            MessageOrigin::Bot
        );
        let ours = "From: shop@example.com\nTo: anna@example.org\nMessage-ID: <3@phone>\nIn-Reply-To: <2@x>\nReferences: <1@x> <2@x>";
        assert_eq!(origin(true, ours), MessageOrigin::Owner);
        let answer =
            format!("{news}\nMessage-ID: <4@x>\nReferences: <1@x> <2@x> <3@phone>\nIn-Reply-To: <3@phone>");
        assert_eq!(origin(false, &answer), MessageOrigin::Person);
    }

    #[test]
    fn a_mail_to_an_alias_is_to_us() {
        let is_for_people = |headers: &str| {
            let read =
                message(&format!("From: anna@example.org\nSubject: x\nMessage-ID: <1@x>\n{headers}\n\nText"));
            assert_eq!(read.origin, MessageOrigin::Person, "{headers}");
            read.is_for_people
        };
        for answered in [
            "To: x@example.org\nCc: shop@example.com",
            "To: shop+orders@example.com",
            "To: sales@example.com\nDelivered-To: sales@example.com",
            "To: sales@example.com\nX-Original-To: <sales@example.com>\nDelivered-To: shop@example.com",
            "To: others@example.org\nIn-Reply-To: <0000000000000007.0@example.com>",
        ] {
            assert!(!is_for_people(answered), "{answered}");
        }
        // It may be a copy in secret: people see it.
        for copy in [
            "To: others@example.org",
            "To: undisclosed-recipients:;",
            "X-Mailer: x",
            "To: others@example.org\nDelivered-To: shop@example.com",
        ] {
            assert!(is_for_people(copy), "{copy}");
        }
    }

    #[test]
    fn the_address_for_answers_is_answered() {
        let authenticated = "Authentication-Results: mx.example.com; dmarc=pass\n";
        let of = |from: &str, headers: &str| {
            message(&format!(
                "{authenticated}From: {from}\nTo: shop@example.com\nSubject: x\nMessage-ID: <1@x>\n{headers}\n\nText"
            ))
        };
        for (from, reply_to, customer, name) in [
            ("Forms <noreply@builder.example>", "Анна <anna@example.org>", "anna@example.org", Some("Анна")),
            ("Forms <noreply@builder.example>", "anna@example.org", "anna@example.org", None),
            ("Anna <anna@work.example>", "anna@example.org", "anna@example.org", Some("Anna")),
        ] {
            let read = of(from, &format!("Reply-To: {reply_to}"));
            assert_eq!((read.user.as_deref(), read.name.as_deref()), (Some(customer), name), "{from}");
            assert_eq!(
                (read.chat.as_str(), read.origin),
                (&*format!("{customer}#1@x"), MessageOrigin::Person)
            );
            // The sender is proved, the address for answers is not.
            assert_eq!(read.sender_proof, ContactProof::Typed);
            assert_eq!(read.email, Some(ProvedContact::typed(customer)));
        }
        let anna = "Anna <anna@example.org>";
        for (from, headers) in [
            (anna, "Reply-To: Anna@Example.org"),
            (anna, "Reply-To: shop@example.com"),
            (anna, "Reply-To: noreply@example.org"),
            (anna, "Reply-To: list@example.net\nPrecedence: list"),
            (anna, "Reply-To: list@example.net\nList-Post: <mailto:list@example.net>"),
        ] {
            let read = of(from, headers);
            assert_eq!(
                (read.user.as_deref(), read.sender_proof),
                (Some("anna@example.org"), ContactProof::Mail),
                "{headers}"
            );
        }
        // Who is answered elsewhere is in a chat of its own: nothing said to the sender leads there.
        let mut threads = Threads::default();
        let mut chat_of = |id: &str, more: &str| {
            let raw = format!(
                "{authenticated}From: anna@example.org\nTo: shop@example.com\nSubject: x\nMessage-ID: <{id}>\n{more}\n\nText"
            );
            match read(&found(raw.replace('\n', "\r\n").as_bytes()), &own(), &mut threads).unwrap().change {
                InboundChange::Message(message) => message.chat,
                other => panic!("{other:?}"),
            }
        };
        let (first, second) =
            (chat_of("1@x", "X-Mailer: x"), chat_of("2@x", "In-Reply-To: <1@x>\nReply-To: evil@example.net"));
        assert_eq!((first.as_str(), second.as_str()), ("anna@example.org#1@x", "evil@example.net#1@x"));
    }

    #[test]
    fn a_subject_stands_where_a_thread_begins_or_is_called_otherwise() {
        let mut threads = Threads::default();
        let mut subject = |id: &str, earlier: &str, subject: &str, text: &str| {
            let raw = format!(
                "From: anna@example.org\nTo: shop@example.com\nSubject: {subject}\nMessage-ID: <{id}>\n{earlier}\n{text}"
            );
            match read(&found(raw.replace('\n', "\r\n").as_bytes()), &own(), &mut threads).unwrap().change {
                InboundChange::Message(message) => (message.subject, message.text.to_string()),
                other => panic!("{other:?}"),
            }
        };
        let known = |subject: &str, text: &str| (Some(subject.to_owned()), text.to_owned());
        assert_eq!(subject("1@x", "", "Price", "Text"), known("Price", "Text"));
        assert_eq!(subject("2@x", "In-Reply-To: <1@x>\n", "Re: Price", "Yes"), (None, "Yes".to_owned()));
        assert_eq!(subject("3@x", "In-Reply-To: <1@x>\n", "Delivery", "When?"), known("Delivery", "When?"));
        // A mail without a text has its subject as text.
        assert_eq!(subject("4@x", "", "Call me", ""), (None, "Call me".to_owned()));
    }

    #[test]
    fn what_is_cut_is_kept() {
        let text = "Да.\n\n01.11.2026 10:00, shop@example.com пишет:\n> Хотите?";
        let head = "From: anna@example.org\nTo: shop@example.com\nMessage-ID: <1@x>\nContent-Type: text/plain; charset=utf-8\n";
        let answer = message(&format!("{head}In-Reply-To: <0@x>\n\n{text}"));
        assert_eq!((&*answer.text, answer.whole_text.as_ref().map(Words::as_str)), ("Да.", Some(text)));
        let first = message(&format!("{head}\n{text}"));
        assert_eq!((&*first.text, first.whole_text), (text, None));
    }

    #[test]
    fn a_sender_is_proved_by_the_trusted_server_alone() {
        let of = |head: &str| {
            let mail = "From: anna@example.org\nTo: shop@example.com\nSubject: x\nMessage-ID: <1@x>\n";
            let read = message(&format!("{head}{mail}\nText"));
            (read.sender_proof, read.email.map(|email| email.proof))
        };
        let passed = of("Authentication-Results: mx.example.com; dmarc=pass header.from=example.org\n");
        assert_eq!(passed, (ContactProof::Mail, Some(ContactProof::Mail)));
        for head in [
            "",
            "Authentication-Results: mx.example.com; dmarc=fail\n",
            "Authentication-Results: mx.evil.example; dmarc=pass\n",
        ] {
            assert_eq!(of(head), (ContactProof::Typed, Some(ContactProof::Typed)), "{head}");
        }
        // A form of our page is sent by our server, and says what a visitor typed.
        let form = message(
            "Authentication-Results: mx.example.com; dmarc=pass\nFrom: shop@example.com\nTo: shop@example.com\n\
             Reply-To: anna@example.org\nMessage-ID: <1@web>\n\nText",
        );
        assert_eq!(form.sender_proof, ContactProof::Typed);
    }

    #[test]
    fn a_form_that_writes_from_our_address_is_its_customers() {
        let ours = "From: Shop <shop@example.com>\nTo: shop@example.com\nSubject: x\n";
        let form = |more: &str| message(&format!("{ours}Message-ID: <1@web>\n{more}\n\nText"));
        let asked = form("Reply-To: shop@example.com, Anna <Anna@example.org>");
        assert_eq!(
            (asked.email.clone(), asked.name.as_deref()),
            (Some(ProvedContact::typed("anna@example.org")), Some("Anna"))
        );
        assert_eq!((asked.chat.as_str(), asked.origin), ("anna@example.org#1@web", MessageOrigin::Person));
        assert_eq!(form("X-Mailer: form").email, Some(ProvedContact::typed("shop@example.com")));
        // To a customer it is what the owner wrote, if the server proves that. Anyone can write our address.
        let to_anna = |results: &str| {
            let mail = format!(
                "Authentication-Results: mx.example.com; {results}\n{ours}Cc: anna@example.org\nMessage-ID: <1@web>\n\nText"
            );
            let mail = mail.replace('\n', "\r\n");
            read(&found(mail.as_bytes()), &own(), &mut Threads::default()).map(|event| event.change)
        };
        let Some(InboundChange::Message(proved)) = to_anna("dmarc=pass header.from=example.com") else {
            panic!("it is proved")
        };
        assert_eq!(proved.origin, MessageOrigin::Owner);
        // A person sees what only looks like ours. It is in no customer's chat.
        let Some(InboundChange::Message(forged)) = to_anna("dmarc=fail header.from=example.com") else {
            panic!("it is kept")
        };
        assert_eq!((forged.origin, forged.user.as_deref()), (MessageOrigin::Person, None));
        assert!(!forged.chat.as_str().contains("anna"), "{}", forged.chat);
        // What this program sent to itself, or is among what was sent, is no form.
        let sent =
            format!("{ours}Message-ID: <0000000000000007.0@example.com>\n\nText").replace('\n', "\r\n");
        assert_eq!(read(&found(sent.as_bytes()), &own(), &mut Threads::default()), None);
        let copy = format!("{ours}Message-ID: <1@web>\n\nText").replace('\n', "\r\n");
        let location = MailLocation { is_sent: true, validity: 1, uid: 2 };
        let copy = Found { location, ..found(copy.as_bytes()) };
        assert_eq!(read(&copy, &own(), &mut Threads::default()), None);
    }

    #[test]
    fn reports_are_of_our_mails_alone() {
        let report = |id: &str, action: &str| {
            let text = format!(
                "From: MAILER-DAEMON@example.org\nTo: shop@example.com\nMessage-ID: <r@x>\n\
                 Content-Type: multipart/report; boundary=b\n\n\
                 --b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n\
                 Action: {action}\nStatus: 5.0.0\n\n\
                 --b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <{id}>\n--b--\n"
            );
            read(&found(text.replace('\n', "\r\n").as_bytes()), &own(), &mut Threads::default())
        };
        let ours = "0000000000000007.0@example.com";
        let InboundChange::Receipt { external_id, .. } = report(ours, "failed").unwrap().change else {
            panic!("no receipt")
        };
        assert_eq!(external_id, ours);
        assert_eq!(report(ours, "delayed"), None);
        assert_eq!(report("7@example.com", "failed"), None);
    }

    #[test]
    fn a_forwarded_mail_keeps_what_it_has() {
        let mail = |subject: &str| {
            let head = "From: anna@example.org\nTo: shop@example.com\nIn-Reply-To: <0@x>\n";
            message(&format!("{head}Subject: {subject}\n\nSee\n-----Original Message-----\nOld"))
        };
        assert_eq!(mail("Re: Price").text.as_str(), "See");
        assert!(mail("Fwd: Price").text.contains("Old"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(
            raw in proptest::collection::vec(any::<u8>(), 0..300),
            lines in "(From: [a-z@<>\"# é]{0,20}\r\n|Content-Type: (multipart/report|text/html|message/rfc822); boundary=b\r\n|\
                \r\n|--b(--)?\r\n|[ -~]{0,20}\r\n|References: [<>a-z@ ]{0,30}\r\n){0,20}",
        ) {
            let mut threads = Threads::default();
            let from = [b"From: a@b\r\n", raw.as_slice()].concat();
            for raw in [raw.as_slice(), lines.as_bytes(), from.as_slice()] {
                let _ = read(&found(raw), &own(), &mut threads);
            }
        }
    }
}
