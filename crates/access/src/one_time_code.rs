//! Codes that change every half minute (TOTP, RFC 6238 over RFC 4226): SHA-1, six digits, as every authenticator knows.

use std::fmt::Write;

use domain::secret::{ExposeSecret, Zeroize};
use domain::{Secret, SecretText, Timestamp, UserName};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// Seconds that a code lasts.
const PERIOD: i64 = 30;
/// Bytes of chance in a secret: as many as the digest has.
const LENGTH: usize = 20;
/// RFC 4648.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A new secret.
pub(crate) fn draw() -> Result<Secret<Vec<u8>>, getrandom::Error> {
    let mut bytes = vec![0; LENGTH];
    getrandom::fill(&mut bytes)?;
    Ok(Secret::new(Box::new(bytes)))
}

/// The step whose code this is: the present one, the one before or the one after, for clocks that differ.
pub(crate) fn step_of(secret: &Secret<Vec<u8>>, given: &str, now: Timestamp) -> Option<u64> {
    let digits: String = given.chars().filter(|letter| !letter.is_whitespace()).collect();
    if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let given: u32 = digits.parse().ok()?;
    let present = u64::try_from(now.as_seconds().div_euclid(PERIOD)).ok()?;
    // All three are looked at, whichever it is.
    let mut found = None;
    for step in present.saturating_sub(1)..=present.saturating_add(1) {
        if code(secret.expose_secret(), step) % 1_000_000 == given {
            found = Some(step);
        }
    }
    found
}

/// RFC 4226, 5.3: 31 bits from where the last half byte points.
fn code(secret: &[u8], step: u64) -> u32 {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret) else { return u32::MAX };
    mac.update(&step.to_be_bytes());
    let digest: [u8; 20] = mac.finalize().into_bytes().into();
    let at = usize::from(digest[19] & 15);
    u32::from_be_bytes([digest[at] & 0x7f, digest[at + 1], digest[at + 2], digest[at + 3]])
}

/// The secret as people type it into an authenticator: base 32.
pub(crate) fn written(secret: &Secret<Vec<u8>>) -> SecretText {
    let mut text = String::with_capacity(LENGTH * 8 / 5);
    for five in secret.expose_secret().chunks(5) {
        let mut group = [0; 8];
        group[3..3 + five.len()].copy_from_slice(five);
        let bits = u64::from_be_bytes(group);
        let letters = (five.len() * 8).div_ceil(5);
        text.extend((0..letters).map(|at| char::from(ALPHABET[(bits >> (35 - 5 * at) & 31) as usize])));
    }
    let secret = SecretText::from(text.as_str());
    text.zeroize();
    secret
}

/// The address for the picture that an authenticator reads.
pub(crate) fn address(user: &UserName, secret: &Secret<Vec<u8>>) -> SecretText {
    let mut label = String::new();
    for byte in user.as_str().bytes() {
        if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
            label.push(char::from(byte));
        } else {
            // Writing to a text never fails.
            let _ = write!(label, "%{byte:02X}");
        }
    }
    let secret = written(secret);
    let secret = secret.expose_secret();
    SecretText::from(format!("otpauth://totp/Switchboard:{label}?secret={secret}&issuer=Switchboard"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn rfc() -> Secret<Vec<u8>> {
        Secret::new(Box::new(b"12345678901234567890".to_vec()))
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn codes_are_those_of_the_rfcs() {
        // RFC 4226, appendix D.
        let codes =
            [755_224, 287_082, 359_152, 969_429, 338_314, 254_676, 287_922, 162_583, 399_871, 520_489];
        for (step, expected) in (0..).zip(codes) {
            assert_eq!(code(rfc().expose_secret(), step) % 1_000_000, expected, "{step}");
        }
        // RFC 6238, appendix B, SHA-1, eight digits.
        for (seconds, expected) in [
            (59_i64, 94_287_082),
            (1_111_111_109, 7_081_804),
            (1_111_111_111, 14_050_471),
            (1_234_567_890, 89_005_924),
            (2_000_000_000, 69_279_037),
            (20_000_000_000, 65_353_130),
        ] {
            let step = u64::try_from(seconds / PERIOD).expect("positive");
            assert_eq!(code(rfc().expose_secret(), step) % 100_000_000, expected, "{seconds}");
        }
    }

    #[test]
    fn a_neighbouring_step_is_taken_and_no_other() {
        for (seconds, step) in [(29, None), (30, Some(2)), (60, Some(2)), (119, Some(2)), (120, None)] {
            // Step 2 begins at 60 s.
            assert_eq!(step_of(&rfc(), "359152", at(seconds)), step, "{seconds}");
        }
        assert_eq!(step_of(&rfc(), " 359 152 ", at(60)), Some(2));
        for wrong in ["", "35915", "3591520", "35915x", "٣٥٩١٥٢", "+35915", "359152\0"] {
            assert_eq!(step_of(&rfc(), wrong, at(60)), None, "{wrong:?}");
        }
    }

    #[test]
    fn the_secret_is_written_for_authenticators() {
        // RFC 4648, 10.
        for (plain, text) in
            [("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("foobar", "MZXW6YTBOI")]
        {
            let secret = Secret::new(Box::new(plain.as_bytes().to_vec()));
            assert_eq!(written(&secret).expose_secret(), text);
        }
        let user = "анна@example.com".parse().expect("a name");
        assert_eq!(
            address(&user, &rfc()).expose_secret(),
            "otpauth://totp/Switchboard:%D0%B0%D0%BD%D0%BD%D0%B0%40example.com\
             ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Switchboard"
        );
    }

    proptest! {
        #[test]
        fn the_present_code_is_always_taken(bytes in prop::collection::vec(any::<u8>(), 20), seconds in 0_i64..10_000_000_000) {
            let secret = Secret::new(Box::new(bytes));
            let step = u64::try_from(seconds / PERIOD).expect("positive");
            let shown = format!("{:06}", code(secret.expose_secret(), step) % 1_000_000);
            let found = step_of(&secret, &shown, at(seconds));
            // Neighbours have the same code once in a great while; the latest counts then.
            prop_assert!(found.is_some_and(|found| found == step || found == step + 1));
            prop_assert!(step_of(&secret, &shown, at(seconds).plus(Duration::from_secs(30))).is_some());
        }

        #[test]
        fn any_text_is_read(text in ".{0,20}", seconds: i32) {
            let _ = step_of(&rfc(), &text, at(i64::from(seconds)));
        }
    }
}
