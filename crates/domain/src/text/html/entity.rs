//! Character references: `&lt;`, `&#1046;`, `&#x416;`.

/// The names that are read; those that Telegram needs come first and may lack their semicolon.
const NAMED: [(&str, char); 29] = [
    ("lt", '<'),
    ("gt", '>'),
    ("amp", '&'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{A0}'),
    ("shy", '\u{AD}'),
    ("ensp", '\u{2002}'),
    ("emsp", '\u{2003}'),
    ("thinsp", '\u{2009}'),
    ("ndash", '–'),
    ("mdash", '—'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("bdquo", '„'),
    ("laquo", '«'),
    ("raquo", '»'),
    ("bull", '•'),
    ("middot", '·'),
    ("hellip", '…'),
    ("euro", '€'),
    ("copy", '©'),
    ("reg", '®'),
    ("trade", '™'),
    ("deg", '°'),
    ("times", '×'),
    ("larr", '←'),
];

/// How many of the names may lack their semicolon.
const WITHOUT_SEMICOLON: usize = 4;

/// The longest reference that is looked at, so that a lone `&` costs nothing.
const LONGEST: usize = 12;

/// Reads the reference at the start of a text that begins with `&`: the character, and the bytes it took.
/// Anything that is no reference is text.
pub(super) fn decode(text: &str) -> Option<(char, usize)> {
    let body = text.strip_prefix('&')?;
    match body.strip_prefix('#') {
        Some(number) => decode_number(number).map(|(character, length)| (character, length + 2)),
        None => decode_name(body).map(|(character, length)| (character, length + 1)),
    }
}

fn decode_number(text: &str) -> Option<(char, usize)> {
    let (digits, radix, skipped) = match text.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16, 1),
        None => (text, 10, 0),
    };
    let length = digits.bytes().take(LONGEST).take_while(|byte| char::from(*byte).is_digit(radix)).count();
    let number = u32::from_str_radix(digits.get(..length)?, radix).ok()?;
    let character = char::from_u32(number).filter(|character| *character != '\0')?;
    Some((character, skipped + length + semicolon(digits, length)))
}

fn decode_name(text: &str) -> Option<(char, usize)> {
    let length = text.bytes().take(LONGEST).take_while(u8::is_ascii_alphanumeric).count();
    let name = text.get(..length)?;
    let ended = semicolon(text, length);
    let index = NAMED.iter().position(|(known, _)| *known == name)?;
    let (_, character) = NAMED.get(index)?;
    (ended == 1 || index < WITHOUT_SEMICOLON).then_some((*character, length + ended))
}

fn semicolon(text: &str, at: usize) -> usize {
    usize::from(text.as_bytes().get(at) == Some(&b';'))
}

/// Reads all references in an attribute's value.
pub(super) fn decode_all(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, special) = rest.split_at(at);
        decoded.push_str(before);
        let (character, length) = decode(special).unwrap_or(('&', 1));
        decoded.push(character);
        rest = special.get(length..).unwrap_or_default();
    }
    decoded.push_str(rest);
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_and_what_only_looks_like_one() {
        for (text, found) in [
            ("&lt;", Some(('<', 4))),
            ("&lt b", Some(('<', 3))),
            ("&nbsp;", Some(('\u{A0}', 6))),
            ("&nbsp", None),
            ("&apos;", Some(('\'', 6))),
            ("&#65;", Some(('A', 5))),
            ("&#x1F600;", Some(('😀', 9))),
            ("&#X41 ", Some(('A', 5))),
            ("&#xD800;", None),
            ("&#0;", None),
            ("&#99999999999;", None),
            ("&#;", None),
            ("&", None),
            ("& b", None),
            ("&;", None),
            ("&unknown;", None),
            ("&б", None),
        ] {
            assert_eq!(decode(text), found, "{text}");
        }
    }

    #[test]
    fn values_are_decoded_whole() {
        assert_eq!(decode_all("a?b=1&amp;c=2&d=&quot;"), "a?b=1&c=2&d=\"");
    }
}
