//! Addresses of ours at which a provider can fetch a file for a while: signed, so that no other file and no later time is asked for.

use std::time::Duration;

use ambient::Clock;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::media::FileKey;
use domain::secret::ExposeSecret;
use domain::{SecretText, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// How long a link leads to its file: providers fetch at once, and try again for some minutes.
const LIFE: Duration = Duration::from_hours(1);
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
pub struct Linked {
    /// The file.
    #[serde(rename = "k")]
    pub key: FileKey,
    /// What it is called.
    #[serde(rename = "n")]
    pub name: String,
    /// Its type.
    #[serde(rename = "t")]
    pub mime: String,
    /// Until when, in microseconds since 1970.
    #[serde(rename = "e")]
    until: i64,
}

impl Links {
    /// Links below this address, signed with this key; none without an address.
    pub fn new(public_url: Option<&str>, key: SecretText, clock: Clock) -> Self {
        Self { public_url: public_url.map(|url| url.trim_end_matches('/').to_owned()), key, clock }
    }

    /// The address at which a file can be fetched for an hour.
    pub fn to(&self, key: &FileKey, name: &str, mime: &str) -> Option<String> {
        let until = self.clock.now().plus(LIFE).as_micros();
        let linked = Linked { key: key.clone(), name: name.to_owned(), mime: mime.to_owned(), until };
        let said = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&linked).ok()?);
        let sign = URL_SAFE_NO_PAD.encode(self.mac(&said)?.finalize().into_bytes());
        Some(format!("{}/media/{said}.{sign}", self.public_url.as_ref()?))
    }

    /// What the last part of such an address leads to; nothing where it is not ours, or its time is over.
    pub fn open(&self, text: &str) -> Option<Linked> {
        let (said, sign) = text.split_once('.').filter(|_| text.len() <= LONGEST)?;
        let sign = URL_SAFE_NO_PAD.decode(sign).ok()?;
        self.mac(said)?.verify_slice(&sign).ok()?;
        let linked: Linked = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(said).ok()?).ok()?;
        (Timestamp::from_micros(linked.until) > self.clock.now()).then_some(linked)
    }

    fn mac(&self, said: &str) -> Option<Hmac<Sha256>> {
        let mac = Hmac::<Sha256>::new_from_slice(self.key.expose_secret().as_bytes()).ok()?;
        Some(mac.chain_update(said))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_opens_for_an_hour_and_is_not_forged() {
        let clock = Clock::system();
        let links = Links::new(Some("https://example.com/"), "planted".into(), clock.clone());
        let key: FileKey = format!("file_{}", "0".repeat(32)).parse().unwrap();
        let url = links.to(&key, "счёт.pdf", "application/pdf").unwrap();
        let text = url.strip_prefix("https://example.com/media/").unwrap();
        let opened = links.open(text).unwrap();
        assert_eq!((opened.key, opened.name.as_str()), (key.clone(), "счёт.pdf"));
        let other = Links::new(None, "other".into(), clock.clone());
        assert!(other.open(text).is_none() && other.to(&key, "a", "b").is_none());
        for wrong in ["", ".", &text[1..], &text[..text.len() - 1], &"a".repeat(3_000)] {
            assert!(links.open(wrong).is_none(), "{wrong}");
        }
        clock.advance(Duration::from_mins(61));
        assert!(links.open(text).is_none());
    }
}
