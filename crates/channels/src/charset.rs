//! Texts of other programs as letters: by the label of their charset where it is known, else as UTF-8 or windows-1251. Pure.

use mail_parser::decoders::charsets::map::charset_decoder;

/// The letters of windows-1251 from 0x80 to 0xBF; those after them are the Russian alphabet.
const MIDDLE: [char; 64] = [
    'Ђ', 'Ѓ', '‚', 'ѓ', '„', '…', '†', '‡', '€', '‰', 'Љ', '‹', 'Њ', 'Ќ', 'Ћ', 'Џ', 'ђ', '‘', '’', '“', '”',
    '•', '–', '—', '\u{98}', '™', 'љ', '›', 'њ', 'ќ', 'ћ', 'џ', '\u{A0}', 'Ў', 'ў', 'Ј', '¤', 'Ґ', '¦', '§',
    'Ё', '©', 'Є', '«', '¬', '\u{AD}', '®', 'Ї', '°', '±', 'І', 'і', 'ґ', 'µ', '¶', '·', 'ё', '№', 'є', '»',
    'ј', 'Ѕ', 'ѕ', 'ї',
];

/// The letters from 0x80 of two charsets that the reader of mails does not have.
const IBM866: &str = "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмноп░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
    рстуфхцчшщъыьэюяЁёЄєЇїЎў°∙·√№¤■\u{A0}";
const MAC_CYRILLIC: &str = "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ†°Ґ£§•¶І®©™Ђђ≠Ѓѓ∞±≤≥іµґЈЄєЇїЉљЊњјЅ¬√ƒ≈∆«»…\u{A0}ЋћЌќѕ\
    –—“”‘’÷„ЎўЏџ№Ёёяабвгдежзийклмнопрстуфхцчшщъыьэю€";

/// The beginnings of labels of charsets whose letters have several bytes and which the reader of mails does not have.
const WIDE: [&str; 9] = ["iso-2022", "shift", "sjis", "euc-", "ks_c", "gb", "big5", "hz-", "x-sjis"];

/// Reads a text that has no label: as UTF-8, also where some bytes of it are broken, or else as windows-1251.
pub(crate) fn text(bytes: &[u8]) -> String {
    let (mut wide, mut broken) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        wide += chunk.valid().chars().filter(|letter| !letter.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    // Letters of windows-1251 are almost never letters of UTF-8.
    if wide >= broken {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    bytes.iter().map(|byte| letter(*byte)).collect()
}

/// Whether a text that is said to have one byte a letter is one of UTF-8.
fn is_utf8(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let is_usual = |letter: char| matches!(letter, '\0'..'\u{530}' | '\u{2000}'..'\u{2C00}' | '\u{FE00}'.. );
    !text.is_ascii() && text.chars().all(is_usual)
}

/// Whether a text that is said to be Latin is one of windows-1251: its letters beyond ASCII stand in words of their own.
fn is_cyrillic(bytes: &[u8]) -> bool {
    let wide = |byte: &u8| *byte >= 0xC0;
    let words = bytes.split(|byte| !wide(byte)).map(<[u8]>::len);
    let (all, long) = words
        .fold((0, 0), |(all, long), length| (all + length, if length >= 3 { long + length } else { long }));
    long > 0 && long * 4 >= all * 3
}

/// The letters of ASCII in a text of a charset that is not read here; a sign stands for the others.
fn without_wide(bytes: &[u8]) -> String {
    let mut text = String::new();
    let (mut is_escaped, mut rest) = (false, bytes);
    while let [first, after @ ..] = rest {
        rest = after;
        if let (0x1B, [kind, _, more @ ..]) = (*first, after) {
            // `ESC ( B` leads back to ASCII.
            is_escaped = *kind == b'$';
            rest = more.get(usize::from(is_escaped && after[1] == b'(')..).unwrap_or_default();
        } else if first.is_ascii() && !(is_escaped && first.is_ascii_graphic()) {
            text.push(char::from(*first));
        } else if !text.ends_with(char::REPLACEMENT_CHARACTER) {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    text
}

/// Reads a text by the label of its charset, as [`text`] where the label says nothing.
pub(crate) fn labelled(label: &str, bytes: &[u8]) -> String {
    let name = label.trim().to_ascii_lowercase();
    // The reader of mails knows their labels and not their letters.
    if WIDE.iter().any(|start| name.starts_with(start)) && !is_utf8(bytes) {
        return without_wide(bytes);
    }
    let Some(known) = known(label) else { return text(bytes) };
    if known == "utf-8" || !known.starts_with("utf") && is_utf8(bytes) {
        return text(bytes);
    }
    let is_latin = ["iso-8859-1", "iso-8859-15", "windows-1252", "latin1"].contains(&known.as_str());
    if is_latin && is_cyrillic(bytes) {
        return bytes.iter().map(|byte| letter(*byte)).collect();
    }
    let upper = match known.as_str() {
        "ibm866" => Some(IBM866),
        "x-mac-cyrillic" => Some(MAC_CYRILLIC),
        _ => None,
    };
    if let Some(upper) = upper {
        let letters: Vec<char> = upper.chars().collect();
        let letter = |byte: &u8| match byte.checked_sub(0x80) {
            Some(place) => letters.get(usize::from(place)).copied().unwrap_or(char::REPLACEMENT_CHARACTER),
            None => char::from(*byte),
        };
        return bytes.iter().map(letter).collect();
    }
    match charset_decoder(known.as_bytes()) {
        Some(decode) => decode(bytes),
        None => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// The label of a charset as the standards write it. None where it says nothing: one that is not known, or ASCII, which
/// programs write when they do not know.
pub(crate) fn known(label: &str) -> Option<String> {
    let label = label.trim().trim_matches(['"', '\'']).to_ascii_lowercase();
    let letters: String = label.chars().filter(char::is_ascii_alphabetic).collect();
    let digits: String = label.chars().filter(char::is_ascii_digit).collect();
    let name = letters.trim_start_matches('x');
    let alias = match (name, digits.as_str()) {
        ("ascii" | "usascii" | "ansix", _) => return None,
        ("utf" | "utfbom" | "utfmb" | "unicodeutf", digits) if digits.starts_with('8') || digits == "118" => {
            Some("utf-8".to_owned())
        }
        ("utf", "7" | "16") => Some(format!("utf-{digits}")),
        ("windows" | "win" | "cp" | "ms" | "ansi" | "mscp" | "microsoftcp" | "wincp" | "", digits)
            if digits.len() == 4 && digits.starts_with("125") =>
        {
            Some(format!("windows-{digits}"))
        }
        ("mscyrl", _) => Some("windows-1251".to_owned()),
        ("cp" | "ibm" | "dos" | "oem" | "msdos" | "alt" | "csibm" | "", digits @ ("866" | "850")) => {
            Some(format!("ibm{digits}"))
        }
        ("koi" | "koir" | "koirus", "8") => Some("koi8-r".to_owned()),
        ("koiu" | "koiru", "8") => Some("koi8-u".to_owned()),
        ("iso" | "isoiec", digits) if digits.starts_with("8859") && digits.len() > 4 => {
            Some(format!("iso-8859-{}", &digits[4..]))
        }
        ("maccyrillic" | "maccyr", _) => Some("x-mac-cyrillic".to_owned()),
        _ => None,
    };
    let alias = alias.filter(|alias| alias == "utf-8" || charset_decoder(alias.as_bytes()).is_some());
    alias.or_else(|| charset_decoder(label.as_bytes()).map(|_| label.clone()))
}

fn letter(byte: u8) -> char {
    match byte {
        0..=0x7F => char::from(byte),
        0x80..=0xBF => MIDDLE[usize::from(byte - 0x80)],
        0xC0..=0xFF => char::from_u32(u32::from('А') + u32::from(byte - 0xC0)).unwrap_or('?'),
    }
}

/// The fields of a form, byte for byte.
pub(crate) fn fields(form: &[u8]) -> Vec<(String, Vec<u8>)> {
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

    #[test]
    fn labels_of_charsets_have_aliases() {
        assert_eq!((IBM866.chars().count(), MAC_CYRILLIC.chars().count()), (128, 128));
        for (labels, bytes, wanted) in [
            (
                "windows-1251 CP-1251 cp1251 Win-1251 WINDOWS1251 x-cp1251 ansi-1251 ms-cyrl 1251",
                b"\xCF\xF0".as_slice(),
                "Пр",
            ),
            ("cp866 CP-866 ibm866 IBM-866 dos-866 866 x-cp866", b"\x8F\xE0", "Пр"),
            ("koi8-r KOI8R koi-8-r koi8", b"\xF0\xD2", "Пр"),
            ("iso-8859-5 ISO8859-5 iso_8859_5", b"\xBF\xE0", "Пр"),
            ("utf-8 UTF8 \"utf-8\" utf8mb4 unicode-1-1-utf-8", "Пр".as_bytes(), "Пр"),
            ("us-ascii unknown-8bit x-unknown nonsense", b"\xCF\xF0", "Пр"),
            ("us-ascii unknown-8bit", "Пр".as_bytes(), "Пр"),
            ("maccyrillic x-mac-cyrillic", b"\x8F\xF0\xDD", "ПрЁ"),
        ] {
            for label in labels.split(' ') {
                let read = labelled(label, bytes);
                assert_eq!(read, wanted, "{label}");
            }
        }
    }

    #[test]
    fn a_wrong_label_and_broken_bytes_cost_no_text() {
        let russian = "Привет, где мой заказ №5?";
        for label in ["windows-1251", "koi8-r", "iso-8859-1", "cp866", "latin1", "gb2312", "iso-2022-jp"] {
            assert_eq!(labelled(label, russian.as_bytes()), russian, "{label}");
        }
        for (label, bytes, wanted) in [
            ("utf-8", b"\xCF\xF0\xE8\xE2\xE5\xF2".as_slice(), "Привет"),
            ("iso-8859-1", b"\xD1\xEA\xEE\xEB\xFC\xEA\xEE \xE7\xE0 5?", "Сколько за 5?"),
            ("windows-1252", b"\xC7a va, cr\xE9\xE9e \xE0 No\xEBl", "Ça va, créée à Noël"),
            // A letter is cut at the end, and a byte in the middle is broken.
            ("utf-8", &russian.as_bytes()[..11], "Приве\u{FFFD}"),
            ("", b"\xD0\x9F\xD1\x80\xFF\xD0\xB8", "Пр\u{FFFD}и"),
            // Letters of cp866 may look like letters of UTF-8.
            ("cp866", b"\xE0\xA0\xA4", "рад"),
            ("windows-1251", b"\xD0\xE5\xEA\xE0", "Река"),
            ("gb2312", b"Dear Anna, \xC4\xE3\xBA\xC3!", "Dear Anna, \u{FFFD}!"),
            ("iso-2022-jp", b"Order \x1B$B%A%e\x1B(B 5", "Order \u{FFFD} 5"),
            ("iso-2022-kr", b"a\x1B$(DAB\x1B(B", "a\u{FFFD}"),
            ("shift_jis", b"a \x83\x65", "a \u{FFFD}e"),
        ] {
            assert_eq!(labelled(label, bytes), wanted, "{label}");
        }
    }

    proptest! {
        #[test]
        fn any_label_is_read(label in "(\\PC|[a-z0-9_ -]|gb|iso-2022-jp){0,60}", bytes in any::<Vec<u8>>()) {
            labelled(&label, &bytes);
        }

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
