//! Addresses of ours at which a file can be fetched for a while, one on its way out by its provider, one that came in by other
//! programs: signed, so that no other file and no later time is asked for.

use std::time::Duration;

use ambient::Clock;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::media::FileKey;
use domain::secret::ExposeSecret;
use domain::{InboundId, InboundMedia, SecretText, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// How long a link leads to a file on its way out: providers fetch at once, and try again for some minutes.
const LIFE: Duration = Duration::from_hours(1);
/// The same of a file that came in: a program that a message is posted on to has it tried again for a day.
const RECEIVED_LIFE: Duration = Duration::from_hours(24);
/// The longest text that is read as a link.
const LONGEST: usize = 2_000;

/// Makes links, and reads them.
#[derive(Clone)]
pub struct Links {
    public_url: Option<String>,
    key: SecretText,
    clock: Clock,
}

/// What a link leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Linked {
    /// A file on its way out: its key, what it is called, its type.
    Sent {
        #[serde(rename = "k")]
        key: FileKey,
        #[serde(rename = "n")]
        name: String,
        #[serde(rename = "t")]
        mime: String,
    },
    /// A file that came in: its message, and its place there.
    Received {
        #[serde(rename = "m")]
        message: InboundId,
        #[serde(rename = "p")]
        place: u32,
    },
}

#[derive(Serialize, Deserialize)]
struct Claims {
    #[serde(flatten)]
    linked: Linked,
    /// Until when, in microseconds since 1970.
    #[serde(rename = "e")]
    until: i64,
}

impl Links {
    /// Links below this address, signed with this key; none without an address.
    pub fn new(public_url: Option<&str>, key: SecretText, clock: Clock) -> Self {
        Self { public_url: public_url.map(|url| url.trim_end_matches('/').to_owned()), key, clock }
    }

    /// The address at which a file on its way out can be fetched for an hour.
    pub fn to(&self, key: &FileKey, name: &str, mime: &str) -> Option<String> {
        let linked = Linked::Sent { key: key.clone(), name: name.to_owned(), mime: mime.to_owned() };
        self.link(linked, LIFE)
    }

    /// The address at which a file that came in can be fetched for a day.
    pub fn to_received(&self, message: InboundId, place: u32) -> Option<String> {
        self.link(Linked::Received { message, place }, RECEIVED_LIFE)
    }

    /// The address of a file that came in, for other programs: ours, or without `public_url` the provider's. None of what is no file.
    pub fn instead(&self, message: InboundId, place: u32, media: &InboundMedia) -> Option<String> {
        if !media.kind.is_file() {
            return None;
        }
        self.to_received(message, place).or_else(|| media.url.clone())
    }

    fn link(&self, linked: Linked, life: Duration) -> Option<String> {
        let public_url = self.public_url.as_ref()?;
        let payload = Claims { linked, until: self.clock.now().plus(life).as_micros() };
        let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&payload).ok()?);
        let sign = URL_SAFE_NO_PAD.encode(self.mac(&payload)?.finalize().into_bytes());
        Some(format!("{public_url}/media/{payload}.{sign}"))
    }

    /// What the last part of such an address leads to; nothing where it is not ours, or its time is over.
    pub fn open(&self, text: &str) -> Option<Linked> {
        let (payload, sign) = text.split_once('.').filter(|_| text.len() <= LONGEST)?;
        let sign = URL_SAFE_NO_PAD.decode(sign).ok()?;
        self.mac(payload)?.verify_slice(&sign).ok()?;
        let payload: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
        (Timestamp::from_micros(payload.until) > self.clock.now()).then_some(payload.linked)
    }

    fn mac(&self, payload: &str) -> Option<Hmac<Sha256>> {
        let mac = Hmac::<Sha256>::new_from_slice(self.key.expose_secret().as_bytes()).ok()?;
        Some(mac.chain_update(payload))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_opens_for_its_time_and_is_not_forged() {
        let clock = Clock::system();
        let links = Links::new(Some("https://example.com/"), "planted".into(), clock.clone());
        let key: FileKey = format!("file_{}", "0".repeat(32)).parse().unwrap();
        let url = links.to(&key, "счёт.pdf", "application/pdf").unwrap();
        let text = url.strip_prefix("https://example.com/media/").unwrap();
        let (name, mime) = ("счёт.pdf".to_owned(), "application/pdf".to_owned());
        assert_eq!(links.open(text), Some(Linked::Sent { key: key.clone(), name, mime }));
        let message = InboundId::new(7).unwrap();
        let received = links.to_received(message, 1).unwrap();
        let received = received.strip_prefix("https://example.com/media/").unwrap();
        assert_eq!(links.open(received), Some(Linked::Received { message, place: 1 }));
        let other = Links::new(None, "other".into(), clock.clone());
        assert!(other.open(text).is_none() && other.to(&key, "a", "b").is_none());
        for wrong in ["", ".", &text[1..], &text[..text.len() - 1], &"a".repeat(3_000)] {
            assert!(links.open(wrong).is_none(), "{wrong}");
        }
        clock.advance(Duration::from_mins(61));
        assert!(links.open(text).is_none() && links.open(received).is_some());
        clock.advance(Duration::from_hours(24));
        assert!(links.open(received).is_none());
    }
}
