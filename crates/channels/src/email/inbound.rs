//! What a mail of the mailbox comes to: a message, the failure of one of ours, or nothing where it is our own.

use std::fmt;

use domain::inbound::{
    InboundChange, InboundEvent, InboundKind, InboundMedia, InboundMessage, InboundReceipt,
};
use domain::{ContactProof, Content, MessageOrigin, ProvedContact, Timestamp, Words};
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
    if let Some(Bounce { id: original, why }) = automatic::bounce(&mail, own) {
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
    // What we wrote is ours; of a form on a page the customer is the one that the form names.
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
    let mut media = match found.too_large {
        Some(size) => vec![too_large(size)],
        None => media(&mail, found.location),
    };
    if let Some(words) = appointment(&mail) {
        text.push_str(if text.is_empty() { "" } else { "\n" });
        text.push_str(&words);
        media.push(InboundMedia::new(InboundKind::Appointment));
    }
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
    // Two mails of others may have one id.
    let written_at = automatic::value(&mail, "Date").map_or(found.raw, str::as_bytes);
    let external_id =
        if is_from_us { id.clone() } else { threads.unique_id(&id, from.as_deref(), written_at) };
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
        ..InboundMessage::private(chat, external_id.clone(), text, found.at)
    };
    Some(InboundEvent {
        key: format!("mail:{external_id}"),
        change: InboundChange::Message(Box::new(message)),
    })
}

/// Who is to be answered, where others wrote: the address that the mail itself names for answers, such as that of the customer in a
/// mail of a site builder. That address is not proved, and it is a chat of its own, so that no answer about others can be led there.
fn who_is_answered(mail: &Message<'_>, sender: Option<Named>, own: &Own) -> Option<Named> {
    let is_program = |named: &Named| automatic::is_program(&named.0);
    let from_program = sender.as_ref().is_some_and(is_program);
    let is_of_list = |(address, name): &Named| {
        let list = mail.header_raw("List-Post").unwrap_or_default().to_lowercase();
        list.contains(&address.to_lowercase())
            || name.as_deref().is_some_and(|name| name.to_lowercase().contains(" via "))
    };
    // A list that writes its own address over that of the writer keeps the writer's in Reply-To.
    if automatic::is_list_of_people(mail) && !from_program && !sender.as_ref().is_some_and(is_of_list) {
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
    let is_forwarded = ["fwd:", "fwd[", "fw:", "пересл:", "tr:", "wg:"]
        .iter()
        .any(|word| subject.trim_start().to_lowercase().starts_with(word));
    let cuts = is_answer && !is_forwarded;
    let read = |part: &MessagePart<'_>| {
        let text = decoding::text(mail, part)?;
        let text = match &part.body {
            PartType::Html(_) => plain::of_html(&text, cuts),
            _ => text.replace("\r\n", "\n").trim().to_owned(),
        };
        Some(text).filter(|text| !text.is_empty())
    };
    let joined = |texts: Vec<String>| clean(&texts.join("\n\n"));
    let plain = joined(mail.text_bodies().filter_map(read).collect());
    // The plain text beside a page may be empty.
    let whole = if plain.is_empty() { joined(mail.html_bodies().filter_map(read).collect()) } else { plain };
    let text = if cuts { plain::without_quotes(&whole) } else { whole.clone() };
    let whole = Some(whole).filter(|whole| *whole != text);
    Body { text, whole }
}

fn clean(text: &str) -> String {
    let letters =
        text.chars().filter(|one| *one != '\u{feff}' && (!one.is_control() || matches!(one, '\n' | '\t')));
    let mut letters = letters.peekable();
    let text = letters.by_ref().take(LONGEST_TEXT).collect::<String>().trim().to_owned();
    if letters.peek().is_some() { format!("{text}\n[the rest is in the mailbox]") } else { text }
}

/// What a calendar invites to: what, when and where, as its file says it.
fn appointment(mail: &Message<'_>) -> Option<String> {
    let invitation = mail.attachments().find(|part| mime(part) == "text/calendar")?;
    let file = crate::charset::text(invitation.contents());
    // A long line goes on behind a space.
    let file = file.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "");
    // Before the event stands its time zone, which has times of its own.
    let event = file.split_once("BEGIN:VEVENT").map_or(file.as_str(), |(_, event)| event);
    let line = |field: &str| {
        let line = event.lines().find(|line| line.split([':', ';']).next() == Some(field))?;
        let mut is_quoted = false;
        let colon = line.find(|sign| {
            is_quoted ^= sign == '"';
            sign == ':' && !is_quoted
        })?;
        let value = line.get(colon + 1..)?.replace("\\,", ",").replace("\\n", " ");
        Some(one_line(&value, LONGEST_SUBJECT)).filter(|value| !value.is_empty())
    };
    let mut content = Content::default();
    content.add(
        InboundKind::Appointment,
        ["SUMMARY", "DTSTART", "LOCATION"].iter().filter_map(|field| line(field)),
    );
    Some(content.into_parts().0)
}

fn media(mail: &Message<'_>, location: MailLocation) -> Vec<InboundMedia> {
    let is_ornament = |part: &MessagePart<'_>| {
        matches!(part.body, PartType::InlineBinary(_)) && part.contents().len() < ORNAMENT
            // The same text for a program that shows moving pages.
            || mime(part) == "text/x-amp-html"
    };
    let attached = mail.attachments().enumerate().filter(|(_, part)| !is_ornament(part));
    let described = attached.map(|(number, part)| {
        let mime = mime(part);
        InboundMedia {
            file_id: Some(format!("{location}:{number}")),
            name: name_of(part).map(|name| one_line(&name, 200)),
            size: u64::try_from(content(part).len()).ok(),
            ..InboundMedia { mime: Some(mime.clone()), ..InboundMedia::new(kind(&mime)) }
        }
    });
    described.take(MOST_MEDIA).collect()
}

/// What an attachment is called; a mail that is attached has its subject.
fn name_of(part: &MessagePart<'_>) -> Option<String> {
    let named = part.attachment_name().map(media::decoded_again);
    named.or_else(|| Some(format!("{}.eml", part.message()?.subject()?)))
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
mod tests;
