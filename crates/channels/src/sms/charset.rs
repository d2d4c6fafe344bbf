//! Forms whose letters are of UTF-8 or windows-1251.

/// The letters of windows-1251 from 0x80 to 0xBF; those after them are the Russian alphabet.
const MIDDLE: [char; 64] = [
    'Ђ', 'Ѓ', '‚', 'ѓ', '„', '…', '†', '‡', '€', '‰', 'Љ', '‹', 'Њ', 'Ќ', 'Ћ', 'Џ', 'ђ', '‘', '’', '“', '”',
    '•', '–', '—', '\u{98}', '™', 'љ', '›', 'њ', 'ќ', 'ћ', 'џ', '\u{A0}', 'Ў', 'ў', 'Ј', '¤', 'Ґ', '¦', '§',
    'Ё', '©', 'Є', '«', '¬', '\u{AD}', '®', 'Ї', '°', '±', 'І', 'і', 'ґ', 'µ', '¶', '·', 'ё', '№', 'є', '»',
    'ј', 'Ѕ', 'ѕ', 'ї',
];

/// A text of UTF-8, or else of windows-1251.
pub(super) fn text(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    bytes.iter().map(|byte| letter(*byte)).collect()
}

fn letter(byte: u8) -> char {
    match byte {
        0..=0x7F => char::from(byte),
        0x80..=0xBF => MIDDLE[usize::from(byte - 0x80)],
        0xC0..=0xFF => char::from_u32(u32::from('А') + u32::from(byte - 0xC0)).unwrap_or('?'),
    }
}

/// The fields of a form, byte for byte.
pub(super) fn fields(form: &[u8]) -> Vec<(String, Vec<u8>)> {
    let pairs = form.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let end = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let (name, value) = (decoded(&pair[..end]), decoded(pair.get(end + 1..).unwrap_or_default()));
            (text(&name), value)
        })
        .collect()
}

fn decoded(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let coded = after.get(..2).filter(|_| *first == b'%').and_then(|pair| hex::decode(pair).ok());
        match (first, coded) {
            (_, Some(byte)) => {
                bytes.extend(byte);
                rest = &after[2..];
            }
            (b'+', None) => bytes.push(b' '),
            (_, None) => bytes.push(*first),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_charsets_are_read() {
        let value = |form: &str| text(&fields(form.as_bytes())[0].1);
        assert_eq!(value("mes=%CF%F0%E8%E2%E5%F2+%B8%B9"), "Привет ё№");
        assert_eq!(value("mes=%D0%9F%D1%80%D0%B8"), "При");
        assert_eq!(value("mes=a%2+b%"), "a%2 b%");
        assert_eq!(fields(b"&a=1&b"), [("a".to_owned(), b"1".to_vec()), ("b".to_owned(), Vec::new())]);
    }

    proptest! {
        #[test]
        fn forms_are_read_as_they_were_written(name in "[a-z]{1,5}", value in any::<String>()) {
            let form = form_urlencoded::Serializer::new(String::new()).append_pair(&name, &value).finish();
            prop_assert_eq!(fields(form.as_bytes()), [(name, value.into_bytes())]);
        }

        #[test]
        fn no_form_panics(form in any::<Vec<u8>>()) {
            for (_, value) in fields(&form) {
                text(&value);
            }
        }
    }
}
