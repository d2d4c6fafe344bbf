//! Mails as customers' programs and servers write them.

use std::fmt::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Timestamp;

use super::super::fake::CustomerDeed;
use super::ADDRESS;

/// The name of the receiving server in its results of authentication.
pub(super) const SERVER: &str = "mx.example.com";

/// A mail that is to be written.
pub(super) struct Mail<'a> {
    /// The name and the address.
    pub(super) from: (&'a str, &'a str),
    pub(super) to: (&'a str, &'a str),
    pub(super) subject: &'a str,
    pub(super) id: &'a str,
    /// The ids of the thread before it.
    pub(super) earlier: &'a [String],
    pub(super) at: Timestamp,
}

impl Mail<'_> {
    pub(super) fn write(&self, deed: &CustomerDeed) -> Vec<u8> {
        let mut mail = format!(
            "Return-Path: <{}>\r\nFrom: {}\r\nTo: {}\r\nSubject: {}\r\nDate: {}\r\nMessage-ID: <{}>\r\nMIME-Version: 1.0\r\n",
            self.from.1,
            mailbox(self.from),
            mailbox(self.to),
            encoded(self.subject),
            date(self.at),
            self.id,
        );
        if let Some(last) = self.earlier.last() {
            let all = self.earlier.iter().map(|id| format!("<{id}>")).collect::<Vec<_>>().join("\r\n ");
            let _ = write!(mail, "In-Reply-To: <{last}>\r\nReferences: {all}\r\n");
        }
        let verdict = if deed.forged { "fail" } else { "pass" };
        let _ = write!(mail, "Authentication-Results: {SERVER}; dmarc={verdict}\r\n");
        for (name, value) in deed.extra["headers"].as_object().into_iter().flatten() {
            let _ = write!(mail, "{name}: {}\r\n", value.as_str().unwrap_or_default());
        }
        let text = deed.text.as_deref().unwrap_or_default();
        let body = match deed.extra["html"].as_str() {
            Some(page) => format!(
                "Content-Type: multipart/alternative; boundary=alternative\r\n\r\n--alternative\r\n{}\r\n--alternative\r\n{}\r\n\
                 --alternative--\r\n",
                part("text/plain; charset=utf-8", "", text.as_bytes()),
                part("text/html; charset=utf-8", "", page.as_bytes()),
            ),
            None => part("text/plain; charset=utf-8", "", text.as_bytes()),
        };
        if deed.media.is_empty() {
            return (mail + &body).into_bytes();
        }
        let _ = write!(mail, "Content-Type: multipart/mixed; boundary=mixed\r\n\r\n--mixed\r\n{body}\r\n");
        for media in &deed.media {
            let usual = match media.kind.as_str() {
                "image" => ("image/png", "picture.png"),
                "voice" | "audio" => ("audio/ogg", "voice.ogg"),
                "video" => ("video/mp4", "film.mp4"),
                _ => ("application/pdf", "paper.pdf"),
            };
            let name = encoded(media.name.as_deref().unwrap_or(usual.1));
            let kept = format!("Content-Disposition: attachment; filename=\"{name}\"\r\n");
            let mime = media.mime.as_deref().unwrap_or(usual.0);
            let _ = write!(mail, "--mixed\r\n{}\r\n", part(mime, &kept, &media.bytes()));
        }
        (mail + "--mixed--\r\n").into_bytes()
    }
}

/// A report that a mail did not arrive (RFC 3464).
pub(super) fn report(original: &str, to: &str, id: &str, at: Timestamp) -> Vec<u8> {
    format!(
        "Return-Path: <>\r\nFrom: Mail Delivery System <MAILER-DAEMON@example.com>\r\nTo: {ADDRESS}\r\n\
         Subject: Undelivered Mail Returned to Sender\r\nDate: {date}\r\nMessage-ID: <{id}>\r\n\
         Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=report\r\n\r\n\
         --report\r\nContent-Type: text/plain\r\n\r\nYour mail to {to} did not arrive.\r\n\
         --report\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; example.com\r\n\r\n\
         Final-Recipient: rfc822; {to}\r\nAction: failed\r\nStatus: 5.1.1\r\n\
         Diagnostic-Code: smtp; 550 no such mailbox\r\n\r\n\
         --report\r\nContent-Type: message/rfc822\r\n\r\nFrom: {ADDRESS}\r\nTo: {to}\r\nMessage-ID: <{original}>\r\n\
         Subject: It\r\n\r\nText\r\n--report--\r\n",
        date = date(at),
    )
    .into_bytes()
}

fn part(kind: &str, more: &str, content: &[u8]) -> String {
    let lines: Vec<String> = STANDARD
        .encode(content)
        .as_bytes()
        .chunks(76)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
    format!(
        "Content-Type: {kind}\r\n{more}Content-Transfer-Encoding: base64\r\n\r\n{}\r\n",
        lines.join("\r\n")
    )
}

fn mailbox((name, address): (&str, &str)) -> String {
    if name.is_empty() { address.to_owned() } else { format!("{} <{address}>", encoded(name)) }
}

/// A text as a header has it.
fn encoded(text: &str) -> String {
    let is_plain =
        text.bytes().all(|one| one == b' ' || (one.is_ascii_graphic() && !b"\"<>,=".contains(&one)));
    if is_plain { text.to_owned() } else { format!("=?utf-8?B?{}?=", STANDARD.encode(text)) }
}

fn date(at: Timestamp) -> String {
    stamp(at, "%a, %d %b %Y %H:%M:%S +0000")
}

/// A time in UTC.
pub(super) fn stamp(at: Timestamp, format: &str) -> String {
    jiff::Timestamp::from_microsecond(at.as_micros())
        .map(|at| at.strftime(format).to_string())
        .unwrap_or_default()
}
