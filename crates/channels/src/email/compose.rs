//! A mail as it leaves: its header and its parts.

use std::time::{Duration, SystemTime};

use domain::message::Writer;
use domain::text::{Entity, EntityKind, FormattedText, escape_html};
use domain::{Outcome, ProviderId, Timestamp};
use lettre::Message;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};

use super::thread::{ChatParts, Thread, answered, bare, one_line};
use crate::error::CallError;
use crate::provider::Outgoing;

/// The longest subject of a new thread, in characters.
const LONGEST_SUBJECT: usize = 78;
/// The greatest file; with its base64 a mail then has about the 25 MB that most servers take.
pub(super) const LARGEST_FILE: u64 = 18 * 1024 * 1024;

/// Asks programs at the other end for no answers of their own. Reports of mails that did not arrive stay wanted.
#[derive(Clone)]
struct NoAutomaticAnswer;

impl Header for NoAutomaticAnswer {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("X-Auto-Response-Suppress")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "OOF, AutoReply".to_owned())
    }
}

/// Says that no person wrote the mail, and whether it answers one (RFC 3834).
#[derive(Clone)]
struct Automatic(&'static str);

impl Automatic {
    const ANSWER: Self = Self("auto-replied");
    const FIRST: Self = Self("auto-generated");
}

impl Header for Automatic {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self::FIRST)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), self.0.to_owned())
    }
}

/// Who mails are from.
pub(super) struct Sender {
    pub(super) from: Mailbox,
    pub(super) reply_to: Option<Mailbox>,
}

/// Writes a mail.
///
/// # Errors
/// An outcome that proves that nothing was sent.
pub(super) async fn write(
    outgoing: &Outgoing,
    sender: &Sender,
    id: &str,
    thread: Option<&Thread>,
    now: Timestamp,
) -> Result<Message, Outcome> {
    let refused = |code: &str, detail: String| CallError::refused(code, detail).outcome(now);
    let address = ChatParts::of(&outgoing.chat).address;
    let to =
        address.parse().map_err(|_| Outcome::NotFound(format!("{address:?} is no address for email")))?;
    let (last, chain) = answers(outgoing, thread);
    let mut builder = Message::builder()
        .from(sender.from.clone())
        .to(Mailbox::new(None, to))
        .message_id(Some(format!("<{id}>")))
        .date(system_time(now))
        .subject(subject(outgoing, thread));
    // What a person writes may be answered as any mail.
    if outgoing.written_by == Writer::Program {
        builder = builder.header(NoAutomaticAnswer);
        builder = builder.header(if last.is_some() { Automatic::ANSWER } else { Automatic::FIRST });
    }
    if let Some(reply_to) = &sender.reply_to {
        builder = builder.reply_to(reply_to.clone());
    }
    if let Some(last) = last {
        builder = builder.in_reply_to(format!("<{last}>"));
        builder = builder.references(chain.iter().map(|id| format!("<{id}>")).collect::<Vec<_>>().join(" "));
    }
    if outgoing.files().map(|(file, _)| file.size).sum::<u64>() > LARGEST_FILE {
        return Err(refused("too_large", format!("a mail takes files of up to {LARGEST_FILE} bytes")));
    }
    let mut files = Vec::new();
    for (file, _) in outgoing.files() {
        let kind = ContentType::parse(&one_line(file.mime(), 200));
        let kind = kind.or_else(|_| ContentType::parse("application/octet-stream"));
        let kind = kind.map_err(|error| refused("type", error.to_string()))?;
        files.push(Attachment::new(one_line(&file.name, 200)).body(file.read().await?, kind));
    }
    let text = &outgoing.text;
    let plain = || SinglePart::plain(text.flattened());
    let mut files = files.into_iter();
    let written = match files.next() {
        None if text.entities.is_empty() => builder.singlepart(plain()),
        None => builder.multipart(alternative(text)),
        Some(first) => {
            let mixed = MultiPart::mixed();
            let mixed = if text.text.is_empty() {
                mixed.singlepart(first)
            } else if text.entities.is_empty() {
                mixed.singlepart(plain()).singlepart(first)
            } else {
                mixed.multipart(alternative(text)).singlepart(first)
            };
            builder.multipart(files.fold(mixed, MultiPart::singlepart))
        }
    };
    written.map_err(|error| refused("mail", error.to_string()))
}

fn alternative(text: &FormattedText) -> MultiPart {
    MultiPart::alternative_plain_html(text.flattened(), html(text))
}

/// The mail that is answered, and the chain that it ends.
fn answers(outgoing: &Outgoing, thread: Option<&Thread>) -> (Option<String>, Vec<String>) {
    let named = outgoing.reply_to.as_ref().map(ProviderId::to_string).map(|id| bare(&id));
    let mut chain = thread.map(Thread::chain).unwrap_or_default();
    if chain.is_empty() {
        // A hash stands for a root that is not known any more.
        let root = ChatParts::of(&outgoing.chat).root.filter(|root| root.contains('@'));
        chain.extend(root.map(bare));
    }
    if let Some(named) = &named
        && !chain.contains(named)
    {
        chain.push(named.clone());
    }
    (named.or_else(|| chain.last().cloned()), chain)
}

/// That of the thread; a new one has the first line of the text.
fn subject(outgoing: &Outgoing, thread: Option<&Thread>) -> String {
    if let Some(thread) = thread {
        return one_line(&answered(&thread.subject), 250);
    }
    let first = outgoing.text.text.trim().lines().next().unwrap_or_default();
    let name = outgoing.file.as_ref().map(|file| file.name.as_str()).unwrap_or_default();
    let line = one_line(if first.is_empty() { name } else { first }, usize::MAX);
    if line.chars().count() <= LONGEST_SUBJECT {
        return line;
    }
    let short: String = line.chars().take(LONGEST_SUBJECT - 1).collect();
    let short = short.rsplit_once(' ').map_or(short.as_str(), |(words, _)| words);
    format!("{short}…")
}

fn system_time(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(at.as_micros()).unwrap_or(0))
}

/// A text with its formatting as a page.
fn html(text: &FormattedText) -> String {
    let units: Vec<u16> = text.text.encode_utf16().collect();
    let place = |offset: u32| usize::try_from(offset).unwrap_or(usize::MAX).min(units.len());
    let mut cuts: Vec<usize> = vec![0, units.len()];
    cuts.extend(text.entities.iter().flat_map(|entity| [place(entity.offset), place(entity.end())]));
    cuts.sort_unstable();
    cuts.dedup();
    let mut page = String::from("<html><body>");
    for pair in cuts.windows(2) {
        let (start, end) = (pair[0], pair[1]);
        let covers = |entity: &&Entity| place(entity.offset) <= start && end <= place(entity.end());
        let tags: Vec<(String, &str)> = text.entities.iter().filter(covers).filter_map(tag).collect();
        for (open, _) in &tags {
            page.push_str(open);
        }
        page.push_str(&escape_html(&String::from_utf16_lossy(&units[start..end])).replace('\n', "<br>\r\n"));
        for (_, close) in tags.iter().rev() {
            page.push_str(close);
        }
    }
    page + "</body></html>"
}

/// The tags of a kind of formatting, where HTML of mails has it.
fn tag(entity: &Entity) -> Option<(String, &'static str)> {
    let simple = |open: &str, close| Some((open.to_owned(), close));
    match &entity.kind {
        EntityKind::Bold => simple("<b>", "</b>"),
        EntityKind::Italic => simple("<i>", "</i>"),
        EntityKind::Underline => simple("<u>", "</u>"),
        EntityKind::Strikethrough => simple("<s>", "</s>"),
        EntityKind::Code => simple("<code>", "</code>"),
        EntityKind::Pre { .. } => simple("<pre>", "</pre>"),
        EntityKind::TextLink { url } => Some((format!("<a href=\"{}\">", escape_html(url)), "</a>")),
        EntityKind::Blockquote { .. } => simple("<blockquote>", "</blockquote>"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use domain::ExternalChat;
    use futures::FutureExt;

    use super::*;

    fn mail(chat: &str, text: FormattedText, reply_to: Option<&str>) -> String {
        mail_by(Writer::Program, chat, text, reply_to)
    }

    fn mail_by(written_by: Writer, chat: &str, text: FormattedText, reply_to: Option<&str>) -> String {
        let sender = Sender {
            from: "Shop <shop@example.com>".parse().unwrap(),
            reply_to: Some("help@example.com".parse().unwrap()),
        };
        let outgoing = Outgoing {
            chat: ExternalChat::new(chat).unwrap(),
            text,
            file: None,
            reply_to: reply_to.map(ProviderId::from),
            written_by,
            silent: false,
            preview: false,
            key: 7,
            prepared: None,
            album: Vec::new(),
            provider_options: None,
        };
        let written = write(&outgoing, &sender, "id@example.com", None, Timestamp::from_micros(0));
        String::from_utf8(written.now_or_never().unwrap().unwrap().formatted()).unwrap()
    }

    #[test]
    fn a_mail_names_those_that_it_answers() {
        let written = mail("anna@example.org#root@x", FormattedText::plain("Да"), Some("last@x"));
        for line in [
            "To: anna@example.org\r\n",
            "Reply-To: help@example.com\r\n",
            "Message-ID: <id@example.com>\r\n",
            "In-Reply-To: <last@x>\r\n",
            "References: <root@x> <last@x>\r\n",
            "X-Auto-Response-Suppress: OOF, AutoReply\r\n",
            "Auto-Submitted: auto-replied\r\n",
            "Content-Type: text/plain; charset=utf-8\r\n",
            "MIME-Version: 1.0\r\n",
        ] {
            assert!(written.contains(line), "{line} {written}");
        }
        let first = mail("anna@example.org", FormattedText::plain("x"), None);
        assert!(first.contains("Auto-Submitted: auto-generated\r\n"), "{first}");
        let by_person = mail_by(Writer::Person, "anna@example.org", FormattedText::plain("x"), None);
        for header in ["References", "Auto-Submitted", "X-Auto-Response-Suppress"] {
            assert!(!by_person.contains(header), "{by_person}");
        }
    }

    #[test]
    fn no_header_can_be_put_into_a_mail() {
        let text = FormattedText { text: "Hello\rBcc: all@example.com".to_owned(), entities: Vec::new() };
        let written = mail("anna@example.org", text, Some("a@b>\r\nBcc: all@example.com"));
        let head = written.split("\r\n\r\n").next().unwrap();
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
    }

    #[test]
    fn formatting_becomes_a_page() {
        let entity = |offset, length, kind| Entity { offset, length, kind };
        let link = EntityKind::TextLink { url: "https://example.com/?a=\"".to_owned() };
        let text = FormattedText {
            text: "a <b>\nc".to_owned(),
            entities: vec![
                entity(0, 5, EntityKind::Bold),
                entity(2, 3, link),
                entity(6, 900, EntityKind::Italic),
            ],
        };
        let wanted = "<html><body><b>a </b><b><a href=\"https://example.com/?a=&quot;\">&lt;b&gt;</a></b><br>\r\n\
                      <i>c</i></body></html>";
        assert_eq!(html(&text), wanted);
        assert!(mail("anna@example.org", text, None).contains("multipart/alternative"));
    }
}
