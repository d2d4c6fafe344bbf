//! The RSA keys of data centres: the one thing that has to be known of them beforehand.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use grammers_crypto::rsa;
use grammers_tl_types::Serializable;
use num_bigint::BigUint;
use sha1::{Digest, Sha1};

const BEGIN: &str = "-----BEGIN RSA PUBLIC KEY-----";
const END: &str = "-----END RSA PUBLIC KEY-----";

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;

/// Bits of every modulus: what is encrypted is made for this size.
const BITS: u64 = 2048;

const EXPONENT: u32 = 65_537;

/// The key that Telegram publishes for all its data centres (<https://core.telegram.org/api/obtaining_api_id>).
const TELEGRAMS: &str = concat!(
    "293795981706693370229861771494561285653884311200588637681625564240475121913308474551465763",
    "444877644086617018905050662086321691122695810637742931025773084905312827484659861398809772",
    "803022427728329725394035313160108704012876427630091361567343395380424193887227773571344877",
    "461690935390938502512438971889287359033894517727302452530629633841088128420798875389763604",
    "652909461396386914914960620995708364764548559963191927476636159556337780348971409825174464",
    "053344237013591088101820977494672105095842934280766545733848288095742170799443883012394313",
    "09115013843331317877374435868468779972014486325557807783825502498215169806323",
);

/// Why a text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ServerKeyError {
    #[error("is not PKCS#1 text between \"{BEGIN}\" and \"{END}\"")]
    Unreadable,
    #[error("has no modulus of {BITS} bits")]
    Size,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct ServerKey {
    modulus: BigUint,
    exponent: BigUint,
    fingerprint: i64,
}

/// All keys that are trusted: Telegram's, and those of the settings.
#[derive(Debug, Clone)]
pub struct ServerKeys(Arc<[ServerKey]>);

impl ServerKey {
    fn new(modulus: BigUint, exponent: BigUint) -> Result<Self, ServerKeyError> {
        if modulus.bits() != BITS || exponent.bits() < 2 {
            return Err(ServerKeyError::Size);
        }
        let digest =
            Sha1::digest([modulus.to_bytes_be().to_bytes(), exponent.to_bytes_be().to_bytes()].concat());
        let fingerprint = i64::from_le_bytes(std::array::from_fn(|place| digest[12 + place]));
        Ok(Self { modulus, exponent, fingerprint })
    }

    fn from_pem(text: &str) -> Result<Self, ServerKeyError> {
        let inner = text.trim().strip_prefix(BEGIN).and_then(|text| text.strip_suffix(END));
        let body: String = inner.ok_or(ServerKeyError::Unreadable)?.split_whitespace().collect();
        let der = STANDARD.decode(body).map_err(|_| ServerKeyError::Unreadable)?;
        let mut outer = &der[..];
        let mut numbers = element(&mut outer, SEQUENCE)?;
        let modulus = element(&mut numbers, INTEGER)?;
        let exponent = element(&mut numbers, INTEGER)?;
        if !outer.is_empty() || !numbers.is_empty() {
            return Err(ServerKeyError::Unreadable);
        }
        Self::new(BigUint::from_bytes_be(modulus), BigUint::from_bytes_be(exponent))
    }
}

/// Takes one DER element of this kind off the front.
fn element<'a>(rest: &mut &'a [u8], kind: u8) -> Result<&'a [u8], ServerKeyError> {
    let unreadable = ServerKeyError::Unreadable;
    let (&[found, length], mut after) = rest.split_first_chunk::<2>().ok_or(unreadable)?;
    if found != kind {
        return Err(unreadable);
    }
    let length = match length {
        short @ 0..=0x7f => usize::from(short),
        // The length is in so many bytes more; two are enough for any key here.
        0x81 | 0x82 => {
            let (bytes, behind) = after.split_at_checked(usize::from(length & 3)).ok_or(unreadable)?;
            after = behind;
            bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte))
        }
        _ => return Err(unreadable),
    };
    let (content, behind) = after.split_at_checked(length).ok_or(unreadable)?;
    *rest = behind;
    Ok(content)
}

impl ServerKeys {
    /// Telegram's key and these; on an error, which of these it is.
    pub fn new(further: &[String]) -> Result<Self, (usize, ServerKeyError)> {
        let telegrams = BigUint::parse_bytes(TELEGRAMS.as_bytes(), 10).unwrap_or_default();
        let own = ServerKey::new(telegrams, BigUint::from(EXPONENT)).map_err(|error| (0, error))?;
        let mut keys = vec![own];
        for (place, text) in further.iter().enumerate() {
            keys.push(ServerKey::from_pem(text).map_err(|error| (place, error))?);
        }
        Ok(Self(keys.into()))
    }

    /// The first of these fingerprints that is known, and the key in the form that it is encrypted with.
    pub(crate) fn find(&self, fingerprints: &[i64]) -> Option<(i64, rsa::Key)> {
        let known = |fingerprint: &i64| self.0.iter().find(|key| key.fingerprint == *fingerprint);
        let key = fingerprints.iter().find_map(known)?;
        let numbers = rsa::Key::new(&key.modulus.to_string(), &key.exponent.to_string())?;
        Some((key.fingerprint, numbers))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pem(modulus: &[u8]) -> String {
        let mut der = vec![0x30, 0x82, 1, 10, 2, 0x82, 1, 1, 0];
        der.extend_from_slice(modulus);
        der.extend_from_slice(&[2, 3, 1, 0, 1]);
        format!("{BEGIN}\n{}\n{END}\n", STANDARD.encode(der))
    }

    #[test]
    fn the_key_of_telegram_has_its_published_fingerprint() {
        let keys = ServerKeys::new(&[]).expect("its own");
        assert_eq!(
            keys.find(&[1, -3_414_540_481_677_951_611]).map(|found| found.0),
            Some(-3_414_540_481_677_951_611)
        );
        assert!(keys.find(&[1, 2]).is_none());
    }

    #[test]
    fn keys_of_the_settings_are_read_and_bad_ones_are_named() {
        let text = pem(&[0xC1; 256]);
        let key = ServerKey::from_pem(&text).expect("a key");
        let keys = ServerKeys::new(std::slice::from_ref(&text)).expect("keys");
        assert!(keys.find(&[key.fingerprint]).is_some());
        assert_eq!(ServerKeys::new(&[text, "hello".into()]).unwrap_err(), (1, ServerKeyError::Unreadable));
        assert_eq!(ServerKey::from_pem(&pem(&[1; 256])), Err(ServerKeyError::Size));
        assert_eq!(ServerKey::from_pem(&format!("{BEGIN}{END}")), Err(ServerKeyError::Unreadable));
    }

    proptest! {
        #[test]
        fn any_key_text_is_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let text = format!("{BEGIN}{}{END}", STANDARD.encode(&bytes));
            prop_assert!(ServerKey::from_pem(&text).is_err());
        }
    }
}
