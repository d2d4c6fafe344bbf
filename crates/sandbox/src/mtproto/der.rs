//! RSA keys as PKCS#1 text and in PKCS#8: the few forms of DER they need.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use num_bigint::BigUint;

use super::tl::Malformed;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const LINE: usize = 64;

/// A sequence of numbers under this label.
pub(crate) fn write(label: &str, numbers: &[&BigUint]) -> String {
    let mut content = Vec::new();
    for number in numbers {
        let mut bytes = number.to_bytes_be();
        // A set top bit would make it negative.
        if bytes[0] & 0x80 != 0 {
            bytes.insert(0, 0);
        }
        put(&mut content, INTEGER, &bytes);
    }
    let mut sequence = Vec::new();
    put(&mut sequence, SEQUENCE, &content);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = &STANDARD.encode(sequence)[..];
    while !rest.is_empty() {
        let (line, next) = rest.split_at(rest.len().min(LINE));
        text.push_str(line);
        text.push('\n');
        rest = next;
    }
    text + &format!("-----END {label}-----\n")
}

/// The numbers under this label.
pub(crate) fn read(label: &str, text: &str) -> Result<Vec<BigUint>, Malformed> {
    let (_, text) = text.split_once(&format!("-----BEGIN {label}-----")).ok_or(Malformed)?;
    let (body, _) = text.split_once(&format!("-----END {label}-----")).ok_or(Malformed)?;
    let body: String = body.split_ascii_whitespace().collect();
    numbers(&STANDARD.decode(body).map_err(|_| Malformed)?)
}

/// The numbers of a private key in PKCS#8: its version and its algorithm come before them.
pub(crate) fn private(key: &[u8]) -> Result<Vec<BigUint>, Malformed> {
    let (content, _) = take(key, SEQUENCE)?;
    let (_version, rest) = take(content, INTEGER)?;
    let (_algorithm, rest) = take(rest, SEQUENCE)?;
    numbers(take(rest, OCTET_STRING)?.0)
}

/// The numbers of a sequence that is all there is.
fn numbers(bytes: &[u8]) -> Result<Vec<BigUint>, Malformed> {
    let (mut content, rest) = take(bytes, SEQUENCE)?;
    if !rest.is_empty() {
        return Err(Malformed);
    }
    let mut numbers = Vec::new();
    while !content.is_empty() {
        let (number, rest) = take(content, INTEGER)?;
        numbers.push(BigUint::from_bytes_be(number));
        content = rest;
    }
    Ok(numbers)
}

fn put(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    out.push(tag);
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let length = content.len().to_be_bytes();
            let skip = length.iter().take_while(|byte| **byte == 0).count();
            out.push(0x80 | u8::try_from(length.len() - skip).unwrap_or(0));
            out.extend_from_slice(&length[skip..]);
        }
    }
    out.extend_from_slice(content);
}

fn take(bytes: &[u8], tag: u8) -> Result<(&[u8], &[u8]), Malformed> {
    let (&[found, first], rest) = bytes.split_first_chunk::<2>().ok_or(Malformed)?;
    if found != tag {
        return Err(Malformed);
    }
    let (length, rest) = match first {
        0x00..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f)).ok_or(Malformed)?;
            (length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
        }
        _ => return Err(Malformed),
    };
    rest.split_at_checked(length).ok_or(Malformed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_survive_a_round_trip(numbers in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..300), 1..5)) {
            let numbers: Vec<BigUint> = numbers.iter().map(|bytes| BigUint::from_bytes_be(bytes)).collect();
            let text = write("SOME KEY", &numbers.iter().collect::<Vec<_>>());
            prop_assert_eq!(read("SOME KEY", &text), Ok(numbers));
            prop_assert_eq!(read("ANOTHER KEY", &text), Err(Malformed));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let text = format!("-----BEGIN A-----\n{}\n-----END A-----", STANDARD.encode(&bytes));
            let _ = (read("A", &text), private(&bytes));
        }
    }
}
