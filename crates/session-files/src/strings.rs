//! Session strings: Telethon's and Pyrogram's, read and written.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use domain::secret::{ExposeSecret, Zeroize};
use domain::{SecretText, UserId};

use crate::centre;
use crate::session::{Found, Key, Kind, Session};
use crate::unreadable::{Foreign, Unreadable, Unwritable};

/// What Telethon's strings begin with: their version.
const VERSION: char = '1';

/// Lengths of Telethon's strings with an IPv4 and with an IPv6 address.
const TELETHON: [usize; 2] = [353, 369];

/// Lengths of Pyrogram's strings: with a user id of 32 bits, of 64 bits, and with the application as well.
const PYROGRAM_32: usize = 351;
const PYROGRAM_64: usize = 356;
const PYROGRAM: usize = 362;

const KEY: usize = 256;

/// Reads with and without the padding at the end; people lose it.
const READER: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const PADDED: GeneralPurpose = base64::engine::general_purpose::URL_SAFE;
const BARE: GeneralPurpose = base64::engine::general_purpose::URL_SAFE_NO_PAD;

pub(crate) fn read(text: &str) -> Result<Found, Unreadable> {
    let pyrogram = text.trim_end_matches('=').len();
    if let Some(packed) = text.strip_prefix(VERSION) {
        if is_gramjs(packed) {
            return Err(Unreadable::Foreign(Foreign::GramJs));
        }
        if TELETHON.contains(&text.len()) {
            return opened(packed, Kind::TelethonString, telethon);
        }
    }
    match pyrogram {
        PYROGRAM_32 | PYROGRAM_64 | PYROGRAM => opened(text, Kind::PyrogramString, self::pyrogram),
        _ => Err(Unreadable::NotAString),
    }
}

fn opened(
    packed: &str,
    kind: Kind,
    read: fn(&mut Reader<'_>) -> Option<Result<Session, Unreadable>>,
) -> Result<Found, Unreadable> {
    let mut raw = READER.decode(packed).map_err(|_| Unreadable::NotAString)?;
    let session = read(&mut Reader(&raw));
    raw.zeroize();
    Ok(Found { kind, version: None, session: session.ok_or(Unreadable::NotAString)?? })
}

fn telethon(raw: &mut Reader<'_>) -> Option<Result<Session, Unreadable>> {
    let ipv4 = raw.0.len() == 1 + 4 + 2 + KEY;
    let [dc_id] = raw.array()?;
    let ip: IpAddr = if ipv4 {
        Ipv4Addr::from(raw.array::<4>()?).into()
    } else {
        Ipv6Addr::from(raw.array::<16>()?).into()
    };
    let port = u16::from_be_bytes(raw.array()?);
    let key = raw.last(KEY)?;
    let address = centre::address(ip, port);
    Some(Key::from_file(key).and_then(|key| Session::at(dc_id.into(), address, key)))
}

fn pyrogram(raw: &mut Reader<'_>) -> Option<Result<Session, Unreadable>> {
    let length = raw.0.len();
    let [dc_id] = raw.array()?;
    let with_api_id = length == 1 + 4 + 1 + KEY + 8 + 1;
    let api_id = if with_api_id { Some(i32::from_be_bytes(raw.array()?)) } else { None };
    let test_mode = raw.flag()?;
    let key = raw.take(KEY)?;
    let user_id = if length == 1 + 1 + KEY + 4 + 1 {
        i64::from(u32::from_be_bytes(raw.array()?))
    } else {
        i64::from_be_bytes(raw.array()?)
    };
    let is_bot = raw.flag()?;
    if !raw.0.is_empty() {
        return None;
    }
    let session = || {
        let mut session = Session::at(dc_id.into(), None, Key::from_file(key)?)?;
        session.api_id = api_id.filter(|id| *id > 0);
        session.test_mode = test_mode;
        session.user_id = UserId::new(user_id);
        session.is_bot = session.user_id.map(|_| is_bot);
        Ok(session)
    };
    Some(session())
}

/// Whether this, behind the version, is `GramJS`'s: it writes the address as text, with its length before it.
fn is_gramjs(packed: &str) -> bool {
    // It uses the other alphabet of base64; what is looked at is in the first bytes.
    let standard = packed.replace('-', "+").replace('_', "/");
    let engine = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let Ok(mut raw) = engine.decode(&standard) else { return false };
    let mut reader = Reader(&raw);
    let _dc_id: Option<[u8; 1]> = reader.array();
    let length = reader.array().map(u16::from_be_bytes).map(usize::from);
    let address = length.and_then(|length| reader.take(length)).unwrap_or_default();
    let written = !address.is_empty()
        && address.iter().all(|byte| byte.is_ascii_alphanumeric() || b".:-[]".contains(byte));
    let fits = reader.0.len() == 2 + KEY;
    raw.zeroize();
    written && fits
}

/// Bytes that are taken from the front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn last(&mut self, length: usize) -> Option<&'a [u8]> {
        (self.0.len() == length).then_some(self.0)
    }

    fn flag(&mut self) -> Option<bool> {
        match self.array()? {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }
}

/// Telethon's `StringSession` for a session.
///
/// # Errors
///
/// [`Unwritable::NoAddress`] when the data centre is not one of Telegram's and the session names no address.
pub fn string_session(session: &Session) -> Result<SecretText, Unwritable> {
    let address = session.reachable_at().ok_or(Unwritable::NoAddress(session.dc_id))?;
    let mut raw = Vec::with_capacity(1 + 16 + 2 + KEY);
    raw.push(centre_byte(session)?);
    match address.ip() {
        IpAddr::V4(ip) => raw.extend_from_slice(&ip.octets()),
        IpAddr::V6(ip) => raw.extend_from_slice(&ip.octets()),
    }
    raw.extend_from_slice(&address.port().to_be_bytes());
    raw.extend_from_slice(session.key.expose_secret());
    let mut text = String::with_capacity(TELETHON[1]);
    text.push(VERSION);
    PADDED.encode_string(&raw, &mut text);
    raw.zeroize();
    Ok(text.into())
}

/// The session string of Pyrogram and Kurigram.
///
/// # Errors
///
/// [`Unwritable::MissingIdentity`] when the session does not know its application or its user.
pub fn pyrogram_string(session: &Session) -> Result<SecretText, Unwritable> {
    let (Some(api_id), Some(user_id)) = (session.api_id, session.user_id) else {
        return Err(Unwritable::MissingIdentity);
    };
    let mut raw = Vec::with_capacity(1 + 4 + 1 + KEY + 8 + 1);
    raw.push(centre_byte(session)?);
    raw.extend_from_slice(&api_id.to_be_bytes());
    raw.push(session.test_mode.into());
    raw.extend_from_slice(session.key.expose_secret());
    raw.extend_from_slice(&user_id.get().to_be_bytes());
    raw.push(session.is_bot.unwrap_or_default().into());
    let text = BARE.encode(&raw);
    raw.zeroize();
    Ok(text.into())
}

fn centre_byte(session: &Session) -> Result<u8, Unwritable> {
    u8::try_from(session.dc_id).map_err(|_| Unwritable::DataCentre(session.dc_id))
}

#[cfg(test)]
mod tests {
    use domain::Secret;
    use proptest::prelude::*;

    use super::*;

    fn dummy_key() -> [u8; KEY] {
        std::array::from_fn(|index| u8::try_from(index).unwrap_or_default())
    }

    fn session(dc_id: i32, key: [u8; KEY]) -> Option<Session> {
        Some(Session::new(dc_id, Key::new(Secret::new(Box::new(key)))?))
    }

    fn telethons(address: &[u8], key: &[u8]) -> String {
        let raw = [&[2], address, &443_u16.to_be_bytes(), key].concat();
        format!("1{}", PADDED.encode(raw))
    }

    #[test]
    fn telethons_strings_are_read_with_either_address() {
        let ipv4 = telethons(&[149, 154, 167, 51], &dummy_key());
        assert!(ipv4.starts_with("1ApWapzMBuwABAgME") && ipv4.len() == 353);
        let ipv6 = telethons(&[0x20; 16], &dummy_key());
        assert_eq!(ipv6.len(), 369);
        for text in [ipv4, ipv6] {
            let found = read(&text).expect("a session");
            assert_eq!((found.kind, found.session.dc_id), (Kind::TelethonString, 2));
            assert_eq!(found.session.key.expose_secret(), &dummy_key());
            assert_eq!((found.session.test_mode, found.session.address), (false, None));
        }
        let test = read(&telethons(&[149, 154, 167, 40], &dummy_key())).expect("a session");
        assert!(test.session.test_mode);
    }

    #[test]
    fn pyrograms_strings_of_all_three_lengths_are_read() {
        let packed = |before: &[u8], after: &[u8]| BARE.encode([before, &dummy_key(), after].concat());
        let short = packed(&[2, 0], &[0xA1, 0x3B, 0x86, 0x01, 0]);
        let long = packed(&[2, 0], &[0, 0, 0, 1, 0xA1, 0x3B, 0x86, 1, 1]);
        let current = packed(&[2, 0, 0, 0x30, 0x39, 1], &[0, 0, 0, 1, 0xA1, 0x3B, 0x86, 1, 0]);
        assert_eq!([&short, &long, &current].map(String::len), [351, 356, 362]);
        let read = |text: &str| read(text).expect("a session").session;
        assert_eq!((read(&short).user_id, read(&short).api_id), (UserId::new(0xA13B_8601), None));
        assert_eq!((read(&long).user_id, read(&long).is_bot), (UserId::new(7_000_000_001), Some(true)));
        let current = read(&format!("{current}=="));
        assert_eq!((current.user_id, current.api_id), (UserId::new(7_000_000_001), Some(12345)));
        assert_eq!((current.test_mode, current.is_bot), (true, Some(false)));
        assert_eq!(current.key.expose_secret(), &dummy_key());
    }

    #[test]
    fn invalid_strings_are_refused_with_the_reason() {
        let refusal = |text: &str| read(text).expect_err("a refusal");
        let good = telethons(&[1, 2, 3, 4], &dummy_key());
        assert!(matches!(refusal(""), Unreadable::NotAString));
        assert!(matches!(refusal(&good.replacen('1', "2", 1)), Unreadable::NotAString));
        assert!(matches!(refusal(&good[..good.len() - 4]), Unreadable::NotAString));
        assert!(matches!(refusal(&telethons(&[1, 2, 3, 4], &[0; 256])), Unreadable::ZeroKey));
        assert!(matches!(refusal(&"A".repeat(362)), Unreadable::ZeroKey));
        assert!(matches!(refusal(&"_".repeat(362)), Unreadable::NotAString));
        let nowhere = BARE.encode([&[9, 0][..], &dummy_key(), &[0, 0, 0, 1, 0]].concat());
        assert!(matches!(refusal(&nowhere), Unreadable::ImpossibleDataCentre(9)));
    }

    #[test]
    fn gramjs_is_recognized_at_the_length_of_telethon() {
        for address in ["149.154.167.51", "venus.web.telegram.org"] {
            let length = u16::try_from(address.len()).expect("short").to_be_bytes();
            let raw = [&[2][..], &length, address.as_bytes(), &443_u16.to_be_bytes(), &dummy_key()].concat();
            let text = format!("1{}", base64::engine::general_purpose::STANDARD.encode(raw));
            assert!(matches!(read(&text).err(), Some(Unreadable::Foreign(Foreign::GramJs))), "{address}");
        }
    }

    fn key() -> impl Strategy<Value = [u8; KEY]> {
        prop::collection::vec(any::<u8>(), KEY).prop_filter_map("a key", |bytes| {
            bytes.try_into().ok().filter(|key: &[u8; KEY]| key.iter().any(|byte| *byte != 0))
        })
    }

    proptest! {
        #[test]
        fn any_text_is_a_session_or_a_clear_refusal(text: String) {
            prop_assert!(read(&text).is_err());
        }

        #[test]
        fn any_base64_is_read_without_a_panic(text in "1?[A-Za-z0-9_-]{345,372}={0,2}") {
            let _ = read(&text);
        }

        #[test]
        fn a_string_session_comes_back(
            key in key(), dc_id in 1..=255_i32, ip: std::net::IpAddr, port in 1..u16::MAX,
        ) {
            prop_assume!(!ip.is_unspecified());
            let mut before = session(dc_id, key).expect("a session");
            before.address = Some((ip, port).into());
            let text = string_session(&before).expect("a string");
            let after = read(text.expose_secret()).expect("a session");
            prop_assert_eq!(after.kind, Kind::TelethonString);
            prop_assert_eq!(after.session.dc_id, dc_id);
            prop_assert_eq!(after.session.key.expose_secret(), &key);
            prop_assert_eq!(after.session.address, before.address.filter(|_| dc_id > 5));
        }

        #[test]
        fn a_pyrogram_string_comes_back(
            key in key(), dc_id in 1..=5_i32, api_id in 1..i32::MAX, user_id in 1..=0xff_ffff_ffff_i64,
            test_mode: bool, is_bot: bool,
        ) {
            let mut before = session(dc_id, key).expect("a session");
            (before.api_id, before.user_id) = (Some(api_id), UserId::new(user_id));
            (before.test_mode, before.is_bot) = (test_mode, Some(is_bot));
            let text = pyrogram_string(&before).expect("a string");
            prop_assert_eq!(text.expose_secret().len(), PYROGRAM);
            let after = read(text.expose_secret()).expect("a session").session;
            prop_assert_eq!((after.dc_id, after.api_id, after.user_id), (dc_id, Some(api_id), UserId::new(user_id)));
            prop_assert_eq!((after.test_mode, after.is_bot), (test_mode, Some(is_bot)));
            prop_assert_eq!(after.key.expose_secret(), &key);
        }
    }
}
