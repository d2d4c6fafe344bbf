//! Texts as message centres carry them: in the default alphabet of GSM (3GPP TS 23.038, 6.2.1) or in UCS-2, in parts. Pure.

/// `data_coding` of the centre's default alphabet.
const DEFAULT: u8 = 0x00;
/// `data_coding` of ASCII.
const ASCII: u8 = 0x01;
/// `data_coding` of UCS-2.
const UCS2: u8 = 0x08;
/// Leads to the second table.
const ESCAPE: u8 = 0x1B;

/// The letters 0x00 to 0x7F; that of `ESCAPE` is never looked at.
const LETTERS: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1B}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿\
                       abcdefghijklmnopqrstuvwxyzäöñüà";
/// Those behind `ESCAPE`.
const SECOND: [(u8, char); 10] = [
    (0x0A, '\u{C}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2F, '\\'),
    (0x3C, '['),
    (0x3D, '~'),
    (0x3E, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

/// How a text leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Long {
    /// In parts, each with a header that says which it is (3GPP TS 23.040, 9.2.3.24.1).
    Parts,
    /// In one piece, which the centre cuts.
    Payload,
}

/// A text as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) data_coding: u8,
    /// One, or several that each want a header.
    pub(super) parts: Vec<Vec<u8>>,
}

/// A text in the shortest alphabet that has its letters. No letter is cut in two.
pub(super) fn write(text: &str, long: Long) -> Written {
    let all = text.chars().map(gsm).collect::<Option<Vec<_>>>();
    // A part has 140 bytes, in which 160 letters of GSM have room; with a header of 6 bytes 134, or 153 letters.
    let (data_coding, letters, single, part) = match all {
        Some(letters) => (DEFAULT, letters, 160, 153),
        None => (UCS2, text.chars().map(utf16).collect(), 140, 134),
    };
    let length: usize = letters.iter().map(Vec::len).sum();
    if length <= single || long == Long::Payload {
        return Written { data_coding, parts: vec![letters.concat()] };
    }
    let mut parts = vec![Vec::new()];
    for letter in letters {
        if parts.last().is_none_or(|last: &Vec<u8>| last.len() + letter.len() > part) {
            parts.push(Vec::new());
        }
        if let Some(last) = parts.last_mut() {
            last.extend(letter);
        }
    }
    Written { data_coding, parts }
}

fn gsm(letter: char) -> Option<Vec<u8>> {
    let place = LETTERS.chars().position(|known| known == letter && known != '\u{1B}');
    let first = place.and_then(|place| u8::try_from(place).ok()).map(|byte| vec![byte]);
    first.or_else(|| SECOND.iter().find(|(_, known)| *known == letter).map(|(byte, _)| vec![ESCAPE, *byte]))
}

fn utf16(letter: char) -> Vec<u8> {
    letter.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes()).collect()
}

/// The bytes of a text, by the `data_coding` of SMPP or of GSM (3GPP TS 23.038, 4).
pub(super) fn read(data_coding: u8, bytes: &[u8]) -> String {
    let is_ucs2 = data_coding == UCS2 || (0x10..0x40).contains(&data_coding) && data_coding & 0x0C == 0x08;
    // Some write the default alphabet where they say ASCII, which has no use for the escape.
    let is_escaped = data_coding == ASCII && bytes.contains(&ESCAPE);
    let is_default = is_escaped
        || data_coding == DEFAULT
        || data_coding & 0xF4 == 0xF0
        || (0x10..0x40).contains(&data_coding);
    if is_ucs2 {
        let units: Vec<u16> = bytes
            .chunks(2)
            .map(|pair| pair.iter().fold(0, |unit, byte| unit << 8 | u16::from(*byte)))
            .collect();
        return String::from_utf16_lossy(&units);
    }
    if !is_default {
        return bytes.iter().copied().map(char::from).collect();
    }
    let mut text = String::new();
    let mut is_second = false;
    for byte in bytes {
        let second = SECOND.iter().find(|(known, _)| is_second && known == byte).map(|(_, letter)| *letter);
        is_second = *byte == ESCAPE;
        if !is_second {
            // No letter of GSM has the eighth bit: a centre that sets it has Latin ones.
            let first = LETTERS.chars().nth(usize::from(*byte));
            text.push(second.or(first).unwrap_or(char::from(*byte)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_alphabet_has_128_letters() {
        assert_eq!(LETTERS.chars().count(), 128);
        assert_eq!((gsm('@'), gsm('à'), gsm('€')), (Some(vec![0]), Some(vec![0x7F]), Some(vec![0x1B, 0x65])));
        assert_eq!(
            (read(0, b"\x00\x1B\x65\xE9"), read(3, b"\xE9"), read(0x18, &[4, 0x16])),
            ("@€é".into(), "é".into(), "Ж".into())
        );
    }

    #[test]
    fn texts_have_as_many_parts_as_phones_count() {
        for (text, coding, parts) in [
            ("a".repeat(160), DEFAULT, 1),
            ("a".repeat(161), DEFAULT, 2),
            ("a".repeat(307), DEFAULT, 3),
            ("€".repeat(81), DEFAULT, 2),
            ("ж".repeat(70), UCS2, 1),
            ("ж".repeat(71), UCS2, 2),
            ("ж".repeat(335), UCS2, 5),
        ] {
            let written = write(&text, Long::Parts);
            assert_eq!((written.data_coding, written.parts.len()), (coding, parts), "{text}");
            assert_eq!(write(&text, Long::Payload).parts.len(), 1);
        }
    }

    proptest! {
        #[test]
        fn every_text_is_read_as_it_was_written(text in prop_oneof![any::<String>(), "[a-zA-Z€ñ{}]{0,400}", "[а-я😀]{0,200}"]) {
            let written = write(&text, Long::Parts);
            let back: String = written.parts.iter().map(|part| read(written.data_coding, part)).collect();
            prop_assert_eq!(back, text);
            let longest = if written.data_coding == DEFAULT { 160 } else { 140 };
            prop_assert!(written.parts.iter().all(|part| part.len() <= longest));
        }

        #[test]
        fn no_bytes_panic(data_coding in any::<u8>(), bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            read(data_coding, &bytes);
        }
    }
}
