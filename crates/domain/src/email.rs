//! Addresses of email as people write them: bare, with a name, as a link. Pure.

use unicode_normalization::UnicodeNormalization as _;

use crate::phone::{is_other_chat_of_whatsapp, number_in_whatsapp};
use crate::text::visible;

/// The longest address.
const LONGEST: usize = 254;

/// Words that say what stands behind them.
const LABELS: [&str; 5] = ["mailto", "email", "e-mail", "mail", "почта"];

/// The address that a field names, in small letters: `mailto:` and a name with brackets are taken off.
pub fn read(text: &str) -> Option<String> {
    // Full-width letters are ordinary ones.
    let text: String = visible(text).nfkc().collect();
    let bracketed =
        text.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(inside, _)| inside);
    let mut bare = bracketed.unwrap_or(&text).trim();
    if let Some((label, rest)) = bare.split_once(':')
        && LABELS.contains(&label.trim().to_lowercase().as_str())
    {
        bare = rest.trim_start_matches('/');
    }
    let bare = bare
        .split_once('?')
        .filter(|(address, _)| address.contains('@'))
        .map_or(bare, |(address, _)| address);
    if needs_quotes(bare) {
        return None;
    }
    let bare = unquoted(&bare.replace("%40", "@"));
    let bare = bare.trim_start_matches('=');
    let bare = bare.trim_matches(|one: char| one.is_whitespace() || "<>()[]\"'`«»“”,;*".contains(one));
    read_plain(bare.trim_end_matches(['.', '!', '?']))
}

/// The address without quotes around its name, which change nothing where the name needs none.
fn unquoted(address: &str) -> String {
    // The quote before it may be gone, where a field was taken out of quotes.
    let address = address.trim();
    let quoted = address.strip_prefix('"').unwrap_or(address).split_once("\"@");
    quoted.map_or_else(|| address.to_owned(), |(name, host)| format!("{name}@{host}"))
}

/// Whether the name of an address stands in quotes that it needs, as in `"a b"@example.org`. Such an address has no other form.
pub(crate) fn needs_quotes(address: &str) -> bool {
    let Some((before, _)) = address.rsplit_once("\"@") else { return false };
    let name = before.rsplit_once('"').map_or(before, |(_, name)| name);
    !name.chars().all(is_of_name)
}

/// The address that a word is, in small letters. Names and hosts may have letters of any language.
pub(crate) fn read_plain(word: &str) -> Option<String> {
    let (name, host) = word.split_once('@')?;
    if number_in_whatsapp(word).is_some() || is_other_chat_of_whatsapp(word) {
        return None;
    }
    let parts: Vec<&str> = host.split('.').collect();
    let are_parts =
        parts.len() >= 2 && parts.iter().all(|part| !part.is_empty() && part.chars().all(is_of_host));
    let has_end = parts
        .last()
        .is_some_and(|last| last.chars().count() >= 2 && !last.starts_with(|one: char| one.is_ascii_digit()));
    let is_right =
        word.len() <= LONGEST && !name.is_empty() && name.chars().all(is_of_name) && are_parts && has_end;
    let host: Vec<String> = parts.iter().map(|part| shown_label(&part.to_lowercase())).collect();
    is_right.then(|| format!("{}@{}", name.to_lowercase(), host.join(".")))
}

fn is_of_name(one: char) -> bool {
    one.is_alphanumeric() || ".!#$%&'*+/=?^_{|}~-".contains(one)
}

fn is_of_host(one: char) -> bool {
    one.is_alphanumeric() || one == '-'
}

/// A part of a host as people write it: `почта` for `xn--80a1acny`.
fn shown_label(label: &str) -> String {
    let decoded = label.strip_prefix("xn--").and_then(from_punycode);
    let is_word = |decoded: &String| !decoded.is_empty() && decoded.chars().all(is_of_host);
    decoded.filter(is_word).map_or_else(|| label.to_owned(), |decoded| decoded.to_lowercase())
}

/// Decodes punycode, as RFC 3492 has it in section 6.2.
fn from_punycode(text: &str) -> Option<String> {
    let (plain, coded) = text.rsplit_once('-').unwrap_or(("", text));
    let mut letters: Vec<char> = plain.chars().collect();
    let (mut code, mut place, mut bias) = (128_u32, 0_u32, 72_u32);
    let mut digits = coded.bytes().peekable();
    while digits.peek().is_some() {
        let before = place;
        let (mut weight, mut step) = (1_u32, 36_u32);
        loop {
            let digit = match digits.next()? {
                letter @ b'a'..=b'z' => letter - b'a',
                number @ b'0'..=b'9' => number - b'0' + 26,
                _ => return None,
            };
            place = place.checked_add(u32::from(digit).checked_mul(weight)?)?;
            let threshold = step.saturating_sub(bias).clamp(1, 26);
            if u32::from(digit) < threshold {
                break;
            }
            weight = weight.checked_mul(36 - threshold)?;
            step += 36;
        }
        let count = u32::try_from(letters.len()).ok()? + 1;
        let mut delta = (place - before) / if before == 0 { 700 } else { 2 };
        delta += delta / count;
        bias = 0;
        while delta > 455 {
            delta /= 35;
            bias += 36;
        }
        bias += 36 * delta / (delta + 38);
        code = code.checked_add(place / count)?;
        place %= count;
        letters.insert(usize::try_from(place).ok()?, char::from_u32(code)?);
        place += 1;
    }
    Some(letters.into_iter().collect())
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
            "(x@example.org)",
            "[x@example.org]",
            "“x@example.org”",
            "\"x\"@example.org",
            "x\"@example.org",
            "Anna <\"X\"@example.org>",
            "e-mail: x@example.org",
            "Почта: x@example.org!",
            "ｘ＠ｅｘａｍｐｌｅ．ｏｒｇ",
            "\u{202a}x@example.org\u{202c}",
            "x%40example.org",
            "mailto:x%40example.org",
        ] {
            assert_eq!(read(text).as_deref(), Some("x@example.org"), "{text}");
        }
        for (text, address) in [
            ("Иван@Почта.рф", "иван@почта.рф"),
            ("x@xn--80a1acny.xn--p1ai", "x@почта.рф"),
            ("x@XN--80A1ACNY.XN--P1AI.", "x@почта.рф"),
            ("x@b\u{fc}cher.example", "x@bücher.example"),
            ("x@xn--bcher-kva.example", "x@bücher.example"),
            ("x@xn--.example", "x@xn--.example"),
            ("x@xn--99999999.example", "x@xn--99999999.example"),
            ("anna+news@example.org", "anna+news@example.org"),
            ("O'Brien@example.org", "o'brien@example.org"),
        ] {
            assert_eq!(read(text).as_deref(), Some(address), "{text}");
        }
        for text in [
            "",
            "x",
            "@example.org",
            "x@",
            "x@example",
            "a b@example.org",
            "x@@example.org",
            "x@example..org",
            "x@example.org, y@example.org",
            "x @example.org",
            "x@example,org",
            "x(at)example.org",
            "x@192.168.0.1",
            "https://x@example.org",
            "Anna x@example.org",
            "\"a b\"@example.org",
            "\" a\"@example.org",
            "\"(a\"@example.org",
            "\"a@b\"@example.org",
            "79000007711@s.whatsapp.net",
            "79000007711@C.us",
            "120363000000000001@g.us",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
