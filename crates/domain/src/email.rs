//! Addresses of email as people write them: bare, with a name, as a link. Pure.

use crate::text::visible;

/// The longest address.
const LONGEST: usize = 254;

/// The address that a field names, in small letters: `mailto:` and a name with brackets are taken off.
pub fn read(text: &str) -> Option<String> {
    let text = visible(text);
    let text = text.trim();
    let bracketed =
        text.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(inside, _)| inside);
    let bare = bracketed.unwrap_or(text).trim();
    let bare = match bare.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => {
            bare[7..].split('?').next().unwrap_or_default()
        }
        _ => bare,
    };
    let bare = bare.replace('\u{FF20}', "@").replace("%40", "@");
    let bare = bare.trim_matches(|one: char| one.is_whitespace() || "<>\"'`«»,;".contains(one));
    read_plain(bare.trim_end_matches('.'))
}

/// The address that a word is, in small letters. Names and hosts may have letters of any language.
pub(crate) fn read_plain(word: &str) -> Option<String> {
    let (name, host) = word.split_once('@')?;
    let is_name = |one: char| one.is_alphanumeric() || ".!#$%&'*+/=?^_{|}~-".contains(one);
    let is_host = |one: char| one.is_alphanumeric() || one == '-';
    let parts: Vec<&str> = host.split('.').collect();
    let are_parts =
        parts.len() >= 2 && parts.iter().all(|part| !part.is_empty() && part.chars().all(is_host));
    let has_end = parts
        .last()
        .is_some_and(|last| last.chars().count() >= 2 && !last.starts_with(|one: char| one.is_ascii_digit()));
    let is_right =
        word.len() <= LONGEST && !name.is_empty() && name.chars().all(is_name) && are_parts && has_end;
    is_right.then(|| word.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_however_it_is_written() {
        for text in [
            "x@example.org",
            "mailto:x@example.org",
            "MAILTO:X@Example.org?subject=Stop",
            "<x@example.org>",
            "Anna X. <x@example.org>",
            "\"Anna, X\" <mailto:x@example.org>",
            " x@example.org. ",
            "x@exa\u{200b}mple.org",
            "x\u{FF20}example.org",
            "x@example.org;",
        ] {
            assert_eq!(read(text).as_deref(), Some("x@example.org"), "{text}");
        }
        assert_eq!(read("Иван@Почта.рф").as_deref(), Some("иван@почта.рф"));
        for text in [
            "",
            "x",
            "@example.org",
            "x@",
            "x@example",
            "a b@example.org",
            "x@@example.org",
            "x@example..org",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
