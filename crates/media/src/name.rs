//! File names: made safe to store, to show and to send, wherever they come from.

use std::fmt;

use outbound::Url;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::kind::Content;

/// The longest name, in bytes of UTF-8: what file systems take.
const MOST_BYTES: usize = 255;

/// The longest ending that is kept when a name is cut, in bytes, without the dot.
const LONGEST_ENDING: usize = 16;

/// Names that mean a device on some systems, whatever their ending.
const DEVICES: [&str; 22] = [
    "CON", "PRN", "AUX", "NUL", "COM1", "COM2", "COM3", "COM4", "COM5", "COM6", "COM7", "COM8", "COM9",
    "LPT1", "LPT2", "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9",
];

/// A safe file name: one name without folders, 1 to 255 bytes, nothing in it that is invisible, turns the direction of
/// writing, or means something to a file system.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileName(String);

impl FileName {
    /// Makes a name safe. Nothing, if nothing is left of it.
    pub fn new(raw: &str) -> Option<Self> {
        let last = raw.rsplit(['/', '\\']).next().unwrap_or_default();
        // What is further back than any name reaches is not looked at, however long the text is.
        let shown: String = last.chars().filter(|letter| !is_hidden(*letter)).take(MOST_BYTES * 4).collect();
        let plain: String =
            shown.chars().map(|letter| if is_special(letter) { '_' } else { letter }).collect();
        let mut name = cut(bare(&plain));
        if is_device(&name) {
            name = cut(&format!("_{name}"));
        }
        (!name.is_empty()).then_some(Self(name))
    }

    /// The name of a file: what the caller said, else what the server said of it, else the last part of its address,
    /// else what it is. A name without an ending gets that of its content.
    pub fn choose(
        requested: Option<&str>,
        disposition: Option<&[u8]>,
        url: Option<&Url>,
        content: Content,
    ) -> Self {
        let found = requested
            .and_then(Self::new)
            .or_else(|| disposition.and_then(from_disposition).and_then(|name| Self::new(&name)))
            .or_else(|| url.and_then(from_url).and_then(|name| Self::new(&name)));
        let named = match found {
            Some(name) if name.0.contains('.') || content == Content::Unknown => return name,
            Some(name) => name.0,
            None => content.noun().to_owned(),
        };
        let ending = content.extension();
        let fallback = || Self(format!("file.{ending}"));
        Self::new(&format!("{}.{ending}", front(&named, MOST_BYTES - LONGEST_ENDING)))
            .unwrap_or_else(fallback)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for FileName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for FileName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).ok_or_else(|| de::Error::custom("an empty file name"))
    }
}

/// Letters that are not seen and change what is: control characters, marks of direction, of order, of width.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// Letters that file systems or shells of other systems read as something else.
const fn is_special(letter: char) -> bool {
    matches!(letter, ':' | '*' | '?' | '"' | '<' | '>' | '|')
}

/// Without the blanks around a name, and the dots that hide it or that other systems drop.
fn bare(name: &str) -> &str {
    name.trim_matches(|letter: char| letter.is_whitespace() || letter == '.')
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    DEVICES.iter().any(|device| stem.eq_ignore_ascii_case(device))
}

/// As much of a name as is allowed, its ending kept if that is a short one.
fn cut(name: &str) -> String {
    if name.len() <= MOST_BYTES {
        return name.to_owned();
    }
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    match ending.filter(|ending| ending.len() <= LONGEST_ENDING && !ending.is_empty()) {
        Some(ending) => format!("{}.{ending}", bare(front(name, MOST_BYTES - 1 - ending.len()))),
        None => bare(front(name, MOST_BYTES)).to_owned(),
    }
}

/// The first letters of a text that fit in so many bytes.
fn front(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

/// The name in a `Content-Disposition` header (RFC 6266): `filename*` before `filename`.
pub fn from_disposition(header: &[u8]) -> Option<String> {
    let text = text(header);
    let (mut plain, mut extended) = (None, None);
    for (key, value) in Parameters(text.split_once(';')?.1) {
        if key.eq_ignore_ascii_case("filename*") {
            extended = extended.or_else(|| decoded(&value));
        } else if key.eq_ignore_ascii_case("filename") {
            plain = plain.or(Some(value));
        }
    }
    extended.or(plain).map(|name| decoded_again(&name)).filter(|name| !name.is_empty())
}

/// Returns a name without the percents that are left of it where its server encoded it twice. A name may have percents of its own:
/// only what is a text with other letters than ASCII is decoded.
pub fn decoded_again(name: &str) -> String {
    let is_encoded = name.is_ascii() && name.contains('%');
    let decoded = Some(percent_decode_str(name)).filter(|_| is_encoded);
    let decoded = decoded.and_then(|decoded| decoded.decode_utf8().ok());
    let decoded = decoded.filter(|decoded| !decoded.is_ascii());
    decoded.map_or_else(|| name.to_owned(), std::borrow::Cow::into_owned)
}

/// The last part of an address's path.
pub fn from_url(url: &Url) -> Option<String> {
    let last = url.path_segments()?.rfind(|segment| !segment.is_empty())?;
    Some(percent_decode_str(last).decode_utf8_lossy().into_owned())
}

/// Headers are Latin-1 by the book and UTF-8 in the wild.
fn text(bytes: &[u8]) -> String {
    str::from_utf8(bytes)
        .map_or_else(|_| bytes.iter().map(|byte| char::from(*byte)).collect(), ToOwned::to_owned)
}

/// The value of RFC 5987: the character set, a language, then the text in percents.
fn decoded(value: &str) -> Option<String> {
    let mut parts = value.splitn(3, '\'');
    let (set, _language, percents) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes: Vec<u8> = percent_decode_str(percents).collect();
    if set.eq_ignore_ascii_case("utf-8") {
        String::from_utf8(bytes).ok()
    } else if set.eq_ignore_ascii_case("iso-8859-1") {
        Some(bytes.iter().map(|byte| char::from(*byte)).collect())
    } else {
        None
    }
}

/// The parameters of a header: `key=value` or `key="value"`, between semicolons.
struct Parameters<'a>(&'a str);

impl<'a> Iterator for Parameters<'a> {
    type Item = (&'a str, String);

    fn next(&mut self) -> Option<Self::Item> {
        let (key, rest) = self.0.split_once('=')?;
        // What precedes a semicolon without a value is no key of this one.
        let key = key.rsplit(';').next().unwrap_or_default().trim();
        let rest = rest.trim_start();
        let (value, rest) = if let Some(quoted) = rest.strip_prefix('"') {
            quoted_value(quoted)
        } else {
            let (value, rest) = rest.split_once(';').unwrap_or((rest, ""));
            (value.trim().to_owned(), rest)
        };
        self.0 = rest;
        Some((key, value))
    }
}

/// A value up to its closing quote, and what follows it.
fn quoted_value(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((place, letter)) = letters.next() {
        match letter {
            '"' => return (value, &text[place + 1..]),
            '\\' => value.extend(letters.next().map(|(_, escaped)| escaped)),
            letter => value.push(letter),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn safe(raw: &str) -> Option<String> {
        FileName::new(raw).map(|name| name.0)
    }

    fn is_safe(name: &str) -> bool {
        !name.is_empty()
            && name.len() <= 255
            && !name.chars().any(|letter| is_hidden(letter) || is_special(letter) || "/\\".contains(letter))
            && !name.starts_with('.')
            && !name.ends_with(['.', ' '])
            && !is_device(name)
    }

    proptest! {
        #[test]
        fn any_text_becomes_a_safe_name_or_none(raw in "\\PC{0,40}|[\u{0}-\u{ff}]{0,300}|(con|\\.| |/|a|é){0,200}") {
            if let Some(name) = safe(&raw) {
                prop_assert!(is_safe(&name), "{name:?}");
                prop_assert_eq!(safe(&name), Some(name.clone()), "stays as it is");
            }
        }

        #[test]
        fn every_letter_is_taken_or_left(letter: char, count in 0..300_usize) {
            if let Some(name) = safe(&format!("a{}.jpg", letter.to_string().repeat(count))) {
                prop_assert!(is_safe(&name), "{name:?}");
            }
        }

        #[test]
        fn a_name_is_always_found(requested: Option<String>, disposition: Option<Vec<u8>>, path in "[ -~]{0,20}") {
            let url = Url::parse("https://example.com/").unwrap().join(&path).ok();
            for content in [Content::Jpeg, Content::Unknown] {
                let name = FileName::choose(requested.as_deref(), disposition.as_deref(), url.as_ref(), content);
                prop_assert!(is_safe(name.as_str()), "{name}");
            }
        }
    }

    #[test]
    fn a_name_that_was_encoded_twice_is_decoded_twice() {
        for (header, name) in [
            ("attachment; filename*=UTF-8''%25D1%2581%25D1%2587%25D1%2591%25D1%2582.pdf", "счёт.pdf"),
            ("attachment; filename=\"%D1%81%D1%87%D1%91%D1%82.pdf\"", "счёт.pdf"),
            ("attachment; filename*=UTF-8''%D1%81%D1%87%D1%91%D1%82.pdf", "счёт.pdf"),
            // Percents that are meant.
            ("attachment; filename*=UTF-8''50%25%20off.pdf", "50% off.pdf"),
            ("attachment; filename=\"100%25.pdf\"", "100%25.pdf"),
            ("attachment; filename=\"%FF%FE.pdf\"", "%FF%FE.pdf"),
        ] {
            assert_eq!(from_disposition(header.as_bytes()).as_deref(), Some(name), "{header}");
        }
    }

    #[test]
    fn tricks_are_taken_out() {
        for (raw, name) in [
            ("photo.jpg", "photo.jpg"),
            ("Отчёт за май.pdf", "Отчёт за май.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\me\\a.doc", "a.doc"),
            ("a\r\nb\0.txt", "ab.txt"),
            ("evil\u{202e}gpj.exe", "evilgpj.exe"),
            (" .hidden ", "hidden"),
            ("a:b*c?.txt", "a_b_c_.txt"),
            ("nul", "_nul"),
            ("Com1.tar.gz", "_Com1.tar.gz"),
            ("console.log", "console.log"),
        ] {
            assert_eq!(safe(raw).as_deref(), Some(name), "{raw:?}");
        }
        for nothing in ["", "/", "..", " . ", "\u{200e}\u{202e}", "a/"] {
            assert_eq!(safe(nothing), None, "{nothing:?}");
        }
        let long = safe(&format!("{}.jpeg", "é".repeat(300))).unwrap();
        assert!(long.len() <= 255 && long.len() > 250 && long.ends_with("é.jpeg"), "{long}");
    }

    #[test]
    fn headers_name_files_in_many_forms() {
        for (header, name) in [
            (&b"attachment; filename=a.jpg"[..], Some("a.jpg")),
            (b"attachment; filename=\"a; b.jpg\"; size=3", Some("a; b.jpg")),
            (b"inline; FileName = \"say \\\"hi\\\".txt\"", Some("say \"hi\".txt")),
            (b"attachment; filename=\"x.txt\"; filename*=UTF-8''%E2%82%AC%20rates.txt", Some("€ rates.txt")),
            (b"attachment; filename*=iso-8859-1'en'%A3.txt", Some("£.txt")),
            (b"attachment; filename*=utf-8''%FF; filename=b.txt", Some("b.txt")),
            (b"attachment; filename*=koi8-r''%C1; filename=b.txt", Some("b.txt")),
            (b"attachment; filename=\"\xd1\x84.txt\"", Some("ф.txt")),
            (b"attachment; filename=\"\xe9.txt\"", Some("é.txt")),
            (b"attachment; filename=\"open", Some("open")),
            (b"attachment; nothing; filename=c.txt", Some("c.txt")),
            (b"attachment", None),
            (b"attachment; filename=\"\"", None),
            (b"", None),
        ] {
            assert_eq!(from_disposition(header).as_deref(), name, "{}", text(header));
        }
    }

    #[test]
    fn the_requested_name_comes_first_and_the_content_last() {
        let url = Url::parse("https://example.com/files/%D1%84%2F..%2Fa.png/?x=1").unwrap();
        let bare = Url::parse("https://example.com/").unwrap();
        let disposition = Some(&b"attachment; filename=said.png"[..]);
        let choose = |requested, disposition, url: &Url, content| {
            FileName::choose(requested, disposition, Some(url), content).0
        };
        assert_eq!(choose(Some("told.png"), disposition, &url, Content::Png), "told.png");
        assert_eq!(choose(Some(".."), disposition, &url, Content::Png), "said.png");
        assert_eq!(choose(None, None, &url, Content::Png), "a.png");
        assert_eq!(choose(None, None, &bare, Content::Png), "photo.png");
        assert_eq!(choose(None, None, &bare, Content::Unknown), "file.bin");
        assert_eq!(choose(Some("scan"), None, &bare, Content::Pdf), "scan.pdf");
        assert_eq!(choose(Some("README"), None, &bare, Content::Unknown), "README");
        assert!(choose(Some(&"n".repeat(400)), None, &bare, Content::Pdf).ends_with("n.pdf"));
    }
}
