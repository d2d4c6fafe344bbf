//! A mail as its writer meant it: headers whose words are cut between bytes, labels of charsets that no standard has, texts without a
//! label. Pure.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{Encoding, Message, MessagePart, MimeHeaders, PartType};

use crate::charset;

/// The longest encoded word that is read. The standard allows 75 bytes.
const LONGEST_WORD: usize = 4_096;
/// The most boundaries of a mail that are looked for.
const MOST_BOUNDARIES: usize = 50;

/// Returns a mail with headers that any program can read: in UTF-8, each run of encoded words as one, with labels of the standards.
pub(super) fn mended(raw: &[u8]) -> Vec<u8> {
    let mut mended = Vec::with_capacity(raw.len());
    let mut boundaries: Vec<Vec<u8>> = Vec::new();
    let mut header: Option<Vec<u8>> = Some(Vec::new());
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        if let Some(lines) = &mut header {
            if !line.trim_ascii().is_empty() {
                lines.extend_from_slice(line);
                continue;
            }
            let whole = mended_header(lines);
            boundaries.extend(boundary(&whole).filter(|_| boundaries.len() < MOST_BOUNDARIES));
            mended.extend(whole);
            header = None;
        } else if is_boundary(line, &boundaries) {
            header = Some(Vec::new());
        }
        mended.extend_from_slice(line);
    }
    if let Some(lines) = header {
        mended.extend(mended_header(&lines));
    }
    mended
}

/// Whether the header of a part begins after this line.
fn is_boundary(line: &[u8], boundaries: &[Vec<u8>]) -> bool {
    let Some(marked) = line.strip_prefix(b"--") else { return false };
    boundaries.iter().any(|boundary| boundary == marked.trim_ascii_end())
}

/// The boundary that a header names.
fn boundary(header: &[u8]) -> Option<Vec<u8>> {
    let lower = header.to_ascii_lowercase();
    let start = find(&lower, b"boundary=")? + b"boundary=".len();
    let value = &header[start..];
    let value = match value.strip_prefix(b"\"") {
        Some(quoted) => quoted.split(|byte| *byte == b'"').next()?,
        None => value.split(|byte| matches!(byte, b';' | b' ' | b'\t' | b'\r' | b'\n')).next()?,
    };
    Some(value.to_vec()).filter(|value| !value.is_empty())
}

fn mended_header(header: &[u8]) -> Vec<u8> {
    let header = match std::str::from_utf8(header) {
        Ok(_) => Cow::Borrowed(header),
        Err(_) => Cow::Owned(charset::text(header).into_bytes()),
    };
    with_known_labels(&with_whole_words(&header))
}

/// An encoded word (RFC 2047) at the beginning of some bytes.
struct EncodedWord<'a> {
    label: &'a str,
    content: Vec<u8>,
    length: usize,
}

impl<'a> EncodedWord<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let bytes = &bytes[..bytes.len().min(LONGEST_WORD)];
        let rest = bytes.strip_prefix(b"=?")?;
        let mut parts = rest.splitn(3, |byte| *byte == b'?');
        let (label, encoding, after) = (parts.next()?, parts.next()?, parts.next()?);
        let text = &after[..find(after, b"?=")?];
        let label = std::str::from_utf8(label).ok().filter(|label| (2..=45).contains(&label.len()))?;
        let content = match encoding {
            b"B" | b"b" => base64_decode(text)?,
            b"Q" | b"q" => {
                let spaced: Vec<u8> =
                    text.iter().map(|byte| if *byte == b'_' { b' ' } else { *byte }).collect();
                quoted_printable_decode(&spaced)?
            }
            _ => return None,
        };
        let length = 2 + label.len() + 1 + encoding.len() + 1 + text.len() + 2;
        // A language may follow the charset (RFC 2231, 5).
        let label = label.split('*').next().unwrap_or_default();
        Some(Self { label, content, length })
    }
}

/// Each run of encoded words of one charset as one word of UTF-8: writers cut between the bytes of a letter.
fn with_whole_words(header: &[u8]) -> Vec<u8> {
    let mut whole = Vec::with_capacity(header.len());
    let mut rest = header;
    while let Some((first, after)) = rest.split_first() {
        let Some(word) = EncodedWord::read(rest) else {
            whole.push(*first);
            rest = after;
            continue;
        };
        let (label, mut content) = (word.label, word.content);
        rest = &rest[word.length..];
        while let Some(next) = EncodedWord::read(rest.trim_ascii_start())
            && next.label.eq_ignore_ascii_case(label)
        {
            content.extend(next.content);
            rest = &rest.trim_ascii_start()[next.length..];
        }
        let text = charset::labelled(label, &content);
        whole.extend(format!("=?utf-8?B?{}?=", STANDARD.encode(text)).into_bytes());
    }
    whole
}

/// Labels of parameters as the standards write them: `charset=CP-1251` and `filename*=CP-1251''…`.
fn with_known_labels(header: &[u8]) -> Vec<u8> {
    let lower = header.to_ascii_lowercase();
    let mut known = Vec::with_capacity(header.len());
    let mut at = 0;
    while at < header.len() {
        let mark = [b"charset=".as_slice(), b"*="].into_iter().find(|mark| lower[at..].starts_with(mark));
        let Some(mark) = mark else {
            known.push(header[at]);
            at += 1;
            continue;
        };
        let start = at + mark.len();
        known.extend_from_slice(&header[at..start]);
        let is_end = |byte: &u8| matches!(byte, b';' | b'\'' | b'"' | b' ' | b'\t' | b'\r' | b'\n');
        let quote = usize::from(header.get(start) == Some(&b'"'));
        known.extend_from_slice(&header[start..start + quote]);
        let value = &header[start + quote..];
        let length = value.iter().position(is_end).unwrap_or(value.len());
        let is_label = mark != b"*=" || value.get(length) == Some(&b'\'');
        let label = std::str::from_utf8(&value[..length]).ok().filter(|label| is_label && label.len() <= 45);
        let label = label.and_then(charset::known);
        known.extend_from_slice(label.as_ref().map_or(&value[..length], |label| label.as_bytes()));
        at = start + quote + length;
    }
    known
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// The text of a part. One without a known label, or with a wrong one, is of UTF-8, or else of windows-1251.
pub(super) fn text(mail: &Message<'_>, part: &MessagePart<'_>) -> Option<String> {
    let (PartType::Text(read) | PartType::Html(read)) = &part.body else { return None };
    let label = part.content_type().and_then(|kind| kind.attribute("charset")).unwrap_or_default();
    let place = |offset: u32| usize::try_from(offset).unwrap_or(usize::MAX);
    let bytes = mail.raw_message().get(place(part.offset_body)..place(part.offset_end)).unwrap_or_default();
    let bytes = match part.encoding {
        Encoding::None => Some(Cow::Borrowed(bytes)),
        Encoding::QuotedPrintable => quoted_printable_decode(bytes).map(Cow::Owned),
        Encoding::Base64 => base64_decode(bytes).map(Cow::Owned),
    };
    let decoded = |bytes: Cow<'_, [u8]>| charset::labelled(label, &bytes);
    Some(bytes.map_or_else(|| read.clone().into_owned(), decoded))
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;
    use proptest::prelude::*;

    use super::*;

    fn read<T>(raw: &[u8], of: impl Fn(&Message<'_>) -> T) -> T {
        let raw = mended(raw);
        of(&MessageParser::default().parse(&raw).expect("a mail"))
    }

    fn name(disposition: &str) -> String {
        let raw = format!(
            "From: anna@example.org\r\nContent-Type: multipart/mixed; boundary=\"a b\"\r\n\r\n--a b\r\nContent-Type: application/pdf\r\n\
             Content-Disposition: attachment; {disposition}\r\n\r\nx\r\n--a b--\r\n"
        );
        read(raw.as_bytes(), |mail| {
            let file = mail.attachments().next().expect("a file");
            file.attachment_name().unwrap_or_default().to_owned()
        })
    }

    #[test]
    fn words_that_are_cut_between_bytes_are_joined() {
        let encoded = |bytes: &[u8]| STANDARD.encode(bytes);
        let letters = "Счёт за ноябрь.pdf".as_bytes();
        for cut in [1, 3, 5, 9, letters.len() - 5] {
            let (one, two) = letters.split_at(cut);
            let words = format!("=?utf-8?B?{}?=\r\n =?UTF-8?b?{}?=", encoded(one), encoded(two));
            assert_eq!(name(&format!("filename=\"{words}\"")), "Счёт за ноябрь.pdf", "{cut}");
            let subject = format!("Subject: Re: {words}\r\n\r\nx");
            let read = read(subject.as_bytes(), |mail| mail.subject().map(str::to_owned));
            assert_eq!(read.as_deref(), Some("Re: Счёт за ноябрь.pdf"));
        }
        let quoted = "=?utf-8?Q?=D0=A1=D1?= =?utf-8?Q?=87=D1=91=D1=82_1?=";
        assert_eq!(name(&format!("filename=\"{quoted}\"")), "Счёт 1");
        // Words of two charsets stay two, and what is none stays as it is.
        let mixed = "Subject: =?koi8-r?B?8NI=?= =?cp-866?B?j+A=?= =?x?B?!?= a=?b\r\n\r\nx";
        assert_eq!(
            read(mixed.as_bytes(), |mail| mail.subject().map(str::to_owned))
                .as_deref()
                .map(|text| &text[..8]),
            Some("ПрПр")
        );
    }

    #[test]
    fn labels_that_no_standard_has_are_known() {
        for label in ["CP-1251", "win-1251", "WINDOWS1251"] {
            let raw = [
                format!(
                    "Subject: =?{label}?B?z/Do4uXy?=\r\nContent-Type: text/plain; charset=\"{label}\"\r\n\r\n"
                )
                .as_bytes(),
                b"\xCF\xF0\xE8\xE2\xE5\xF2",
            ]
            .concat();
            let found = read(&raw, |mail| {
                let part = mail.text_bodies().next().expect("a text");
                (mail.subject().unwrap_or_default().to_owned(), text(mail, part).expect("a text"))
            });
            assert_eq!(found, ("Привет".to_owned(), "Привет".to_owned()), "{label}");
            assert_eq!(name(&format!("filename*={label}''%CF%F0%E8.pdf")), "При.pdf");
        }
        for (label, bytes) in
            [("cp-866", b"\x8F\xE0\xA8".as_slice()), ("KOI8R", b"\xF0\xD2\xC9"), ("latin1", b"\xE9t\xE9")]
        {
            let raw =
                [format!("Content-Type: text/plain; charset={label}\r\n\r\n").as_bytes(), bytes].concat();
            let found = read(&raw, |mail| text(mail, mail.text_bodies().next().expect("a text")));
            assert_eq!(found.as_deref(), Some(if label == "latin1" { "été" } else { "При" }), "{label}");
        }
    }

    #[test]
    fn texts_without_a_label_are_of_utf_8_or_windows_1251() {
        let (old, new) = (b"\xCF\xF0\xE8\xE2\xE5\xF2".to_vec(), "Привет".as_bytes().to_vec());
        for kind in [
            "",
            "Content-Type: text/plain\r\n",
            "Content-Type: text/plain; charset=us-ascii\r\n",
            "Content-Type: text/html; charset=unknown-8bit\r\n",
        ] {
            for bytes in [&old, &new] {
                for (encoding, body) in [
                    ("8bit", bytes.clone()),
                    ("base64", STANDARD.encode(bytes).into_bytes()),
                    (
                        "quoted-printable",
                        bytes.iter().flat_map(|byte| format!("={byte:02X}").into_bytes()).collect(),
                    ),
                ] {
                    let head = format!("{kind}Content-Transfer-Encoding: {encoding}\r\nSubject: ");
                    let raw = [head.as_bytes(), bytes, b"\r\n\r\n", &body].concat();
                    let found = read(&raw, |mail| {
                        let part = mail.text_bodies().next().expect("a text");
                        (
                            mail.subject().unwrap_or_default().to_owned(),
                            text(mail, part).expect("a text").trim().to_owned(),
                        )
                    });
                    assert_eq!(found, ("Привет".to_owned(), "Привет".to_owned()), "{kind} {encoding}");
                }
            }
        }
    }

    #[test]
    fn only_headers_are_changed() {
        let raw = "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n\
                   -- \r\n=?utf-8?B?YQ==?= =?utf-8?B?YQ==?=\r\ncharset=CP-1251\r\n--b--\r\n";
        assert_eq!(String::from_utf8(mended(raw.as_bytes())).expect("a text"), raw);
    }

    proptest! {
        #[test]
        fn any_bytes_are_mended(raw in prop::collection::vec(any::<u8>(), 0..300), lines in "(=\\?utf-8\\?[BQ]\\?[A-Za-z=_0-9]{0,9}\\?=|charset=|\\*=|''|\r\n|boundary=b|--b|\"| ){0,30}") {
            for raw in [raw.as_slice(), lines.as_bytes()] {
                let raw = mended(raw);
                if let Some(mail) = MessageParser::default().parse(&raw) {
                    for part in &mail.parts {
                        let _ = text(&mail, part);
                    }
                }
            }
        }
    }
}
