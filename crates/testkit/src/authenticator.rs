//! An authenticator on a telephone: RFC 6238 from the secret as it is typed, written apart from the product.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// The six digits for a secret in base 32, at so many seconds since 1970.
///
/// # Panics
/// On a secret that is none, or a time before 1970.
pub fn code(secret: &str, seconds: i64) -> String {
    let (mut bits, mut held, mut key) = (0_u64, 0, Vec::new());
    for letter in secret.bytes() {
        let digit = if letter.is_ascii_uppercase() { letter - b'A' } else { letter - b'2' + 26 };
        bits = bits << 5 | u64::from(digit);
        held += 5;
        if held >= 8 {
            held -= 8;
            key.push((bits >> held & 255) as u8);
        }
    }
    let mut mac = Hmac::<Sha1>::new_from_slice(&key).expect("a key of any length");
    mac.update(&u64::try_from(seconds / 30).expect("a time after 1970").to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let at = usize::from(digest[19] & 15);
    let number = u32::from_be_bytes([digest[at] & 127, digest[at + 1], digest[at + 2], digest[at + 3]]);
    format!("{:06}", number % 1_000_000)
}
