//! Texts as message centres carry them: in the default alphabet of GSM (3GPP TS 23.038, 6.2.1) or in UCS-2, in parts.
//! What comes in may be of any table. Pure.

use serde::{Deserialize, Serialize};

use crate::charset;

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

/// The languages that have tables of their own.
const TURKISH: u8 = 1;
const SPANISH: u8 = 2;
const PORTUGUESE: u8 = 3;

/// What differs from `LETTERS` and from `SECOND` (annex A of the same).
const TURKISH_LOCKING: [(u8, char); 8] =
    [(0x04, '€'), (0x07, 'ı'), (0x0B, 'Ğ'), (0x0C, 'ğ'), (0x1C, 'Ş'), (0x1D, 'ş'), (0x40, 'İ'), (0x60, 'ç')];
const PORTUGUESE_LOCKING: [(u8, char); 33] = [
    (0x04, 'ê'),
    (0x06, 'ú'),
    (0x07, 'í'),
    (0x08, 'ó'),
    (0x09, 'ç'),
    (0x0B, 'Ô'),
    (0x0C, 'ô'),
    (0x0E, 'Á'),
    (0x0F, 'á'),
    (0x12, 'ª'),
    (0x13, 'Ç'),
    (0x14, 'À'),
    (0x15, '∞'),
    (0x16, '^'),
    (0x17, '\\'),
    (0x18, '€'),
    (0x19, 'Ó'),
    (0x1A, '|'),
    (0x1C, 'Â'),
    (0x1D, 'â'),
    (0x1E, 'Ê'),
    (0x1F, 'É'),
    (0x24, 'º'),
    (0x40, 'Í'),
    (0x5B, 'Ã'),
    (0x5C, 'Õ'),
    (0x5D, 'Ú'),
    (0x5E, 'Ü'),
    (0x60, '~'),
    (0x7B, 'ã'),
    (0x7C, 'õ'),
    (0x7D, '`'),
    (0x7E, 'ü'),
];
const TURKISH_SINGLE: [(u8, char); 7] =
    [(0x47, 'Ğ'), (0x49, 'İ'), (0x53, 'Ş'), (0x63, 'ç'), (0x67, 'ğ'), (0x69, 'ı'), (0x73, 'ş')];
const SPANISH_SINGLE: [(u8, char); 9] = [
    (0x09, 'ç'),
    (0x41, 'Á'),
    (0x49, 'Í'),
    (0x4F, 'Ó'),
    (0x55, 'Ú'),
    (0x61, 'á'),
    (0x69, 'í'),
    (0x6F, 'ó'),
    (0x75, 'ú'),
];
const PORTUGUESE_SINGLE: [(u8, char); 27] = [
    (0x05, 'ê'),
    (0x09, 'ç'),
    (0x0B, 'Ô'),
    (0x0C, 'ô'),
    (0x0E, 'Á'),
    (0x0F, 'á'),
    (0x12, 'Φ'),
    (0x13, 'Γ'),
    (0x15, 'Ω'),
    (0x16, 'Π'),
    (0x17, 'Ψ'),
    (0x18, 'Σ'),
    (0x19, 'Θ'),
    (0x1F, 'Ê'),
    (0x41, 'À'),
    (0x49, 'Í'),
    (0x4F, 'Ó'),
    (0x55, 'Ú'),
    (0x5B, 'Ã'),
    (0x5C, 'Õ'),
    (0x61, 'Â'),
    (0x69, 'í'),
    (0x6F, 'ó'),
    (0x75, 'ú'),
    (0x7B, 'ã'),
    (0x7C, 'õ'),
    (0x7F, 'â'),
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

/// The tables of a language that a part names in its header (3GPP TS 23.038, 6.2.1.2); 0 is the default alphabet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Language {
    /// In the place of the alphabet.
    pub(super) locking: u8,
    /// In the place of the second table.
    pub(super) single: u8,
}

impl Language {
    fn letter(self, byte: u8) -> Option<char> {
        let other: &[(u8, char)] = match self.locking {
            TURKISH => &TURKISH_LOCKING,
            PORTUGUESE => &PORTUGUESE_LOCKING,
            _ => &[],
        };
        let other = other.iter().find(|(known, _)| *known == byte).map(|(_, letter)| *letter);
        other.or_else(|| LETTERS.chars().nth(usize::from(byte)))
    }

    fn second(self, byte: u8) -> Option<char> {
        let own: &[(u8, char)] = match self.single {
            TURKISH => &TURKISH_SINGLE,
            SPANISH => &SPANISH_SINGLE,
            PORTUGUESE => &PORTUGUESE_SINGLE,
            _ => &[],
        };
        own.iter().chain(&SECOND).find(|(known, _)| *known == byte).map(|(_, letter)| *letter)
    }
}

/// Some bytes of a text, and how they are to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Piece {
    pub(super) data_coding: u8,
    #[serde(default)]
    pub(super) language: Language,
    pub(super) bytes: Vec<u8>,
}

/// Reads pieces that follow each other. A letter may be cut between two of them. A byte order mark before them is no letter.
pub(super) fn read_all(pieces: &[Piece]) -> String {
    let is_alike =
        |one: &Piece, next: &Piece| (one.data_coding, one.language) == (next.data_coding, next.language);
    let whole = |alike: &[Piece]| {
        let bytes: Vec<u8> = alike.iter().flat_map(|piece| piece.bytes.iter().copied()).collect();
        alike.first().map(|first| decoded(first.data_coding, first.language, &bytes)).unwrap_or_default()
    };
    let mut text: String = pieces.chunk_by(is_alike).map(whole).collect();
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    text
}

/// The bytes of a text, by the `data_coding` of SMPP or of GSM (3GPP TS 23.038, 4).
pub(super) fn read(data_coding: u8, bytes: &[u8]) -> String {
    decoded(data_coding, Language::default(), bytes)
}

/// A table of letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Table {
    Default,
    Ascii,
    Latin,
    Ucs2,
    /// Of the standards of the web, by its label.
    Labelled(&'static str),
    /// Bytes that may be no text.
    Binary,
    /// One that is not known here, by its name.
    Foreign(&'static str),
    /// Nothing says which.
    Unknown,
}

impl Table {
    const fn of(data_coding: u8) -> Self {
        match data_coding {
            DEFAULT | 0xC0..=0xDF => Self::Default,
            ASCII => Self::Ascii,
            0x02 | 0x04 => Self::Binary,
            0x03 => Self::Latin,
            0x05 => Self::Foreign("JIS X 0208"),
            0x06 => Self::Labelled("iso-8859-5"),
            0x07 => Self::Labelled("iso-8859-8"),
            UCS2 | 0xE0..=0xEF => Self::Ucs2,
            0x09 => Self::Foreign("pictograms"),
            0x0A => Self::Foreign("ISO-2022-JP"),
            0x0D => Self::Foreign("JIS X 0212"),
            0x0E => Self::Foreign("KS C 5601"),
            // Those of GSM: with a class, to be deleted by itself, or a message that something waits.
            0x10..=0x7F => match data_coding & 0x0C {
                0x00 => Self::Default,
                0x04 => Self::Binary,
                0x08 => Self::Ucs2,
                _ => Self::Unknown,
            },
            0xF0..=0xFF if data_coding & 0x04 == 0 => Self::Default,
            0xF0..=0xFF => Self::Binary,
            _ => Self::Unknown,
        }
    }
}

fn decoded(data_coding: u8, language: Language, bytes: &[u8]) -> String {
    match Table::of(data_coding) {
        // Some write the default alphabet where they say ASCII, which has no use for the escape.
        Table::Ascii if !bytes.contains(&ESCAPE) => bytes.iter().copied().map(char::from).collect(),
        Table::Default | Table::Ascii => default(language, bytes),
        Table::Latin => bytes.iter().copied().map(char::from).collect(),
        Table::Ucs2 => {
            let unit = |pair: &[u8]| pair.iter().fold(0, |unit, byte| unit << 8 | u16::from(*byte));
            String::from_utf16_lossy(&bytes.chunks(2).map(unit).collect::<Vec<_>>())
        }
        Table::Labelled(label) => charset::labelled(label, bytes),
        Table::Binary | Table::Unknown => {
            let text = charset::text(bytes);
            let is_text = !text.chars().any(|one| one.is_control() && !one.is_whitespace());
            if is_text { text } else { format!("[data: {} bytes]", bytes.len()) }
        }
        Table::Foreign(name) => {
            if bytes.is_ascii() && !bytes.contains(&ESCAPE) {
                String::from_utf8_lossy(bytes).into_owned()
            } else {
                format!("[text of {name}: {} bytes]", bytes.len())
            }
        }
    }
}

fn default(language: Language, bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut is_second = false;
    for byte in bytes {
        let second = language.second(*byte).filter(|_| is_second);
        is_second = *byte == ESCAPE;
        if !is_second {
            // No letter of GSM has the eighth bit: a centre that sets it has Latin ones.
            text.push(second.or_else(|| language.letter(*byte)).unwrap_or(char::from(*byte)));
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

    #[test]
    fn each_table_is_read() {
        for (data_coding, bytes, wanted) in [
            (0x00, b"a\x1B\x65".as_slice(), "a€"),
            (0x01, b"abc", "abc"),
            (0x02, b"plain", "plain"),
            (0x04, "текст".as_bytes(), "текст"),
            (0x04, b"\x06\x05\x04\x0B\x84", "[data: 5 bytes]"),
            (0x03, b"\xE9", "é"),
            (0x06, b"\xBF\xE0\xD8", "При"),
            (0x07, b"\xE9\xEC\xE5", "ילו"),
            (0x08, b"\x04\x16", "Ж"),
            (0x0A, b"abc", "abc"),
            (0x0A, b"\x1B$B", "[text of ISO-2022-JP: 3 bytes]"),
            (0x0E, b"\xB0\xA1", "[text of KS C 5601: 2 bytes]"),
            (0x11, b"a\x00", "a@"),
            (0x19, b"\x04\x16", "Ж"),
            (0x48, b"\x04\x16", "Ж"),
            (0xC8, b"\x00", "@"),
            (0xE0, b"\x04\x16", "Ж"),
            (0xF0, b"\x00", "@"),
            (0xF5, b"data", "data"),
            (0x80, b"\xCF\xF0\xE8", "При"),
        ] {
            assert_eq!(read(data_coding, bytes), wanted, "{data_coding:#x}");
        }
    }

    #[test]
    fn languages_have_tables_of_their_own() {
        let of = |locking, single, bytes: &[u8]| {
            let language = Language { locking, single };
            read_all(&[Piece { data_coding: DEFAULT, language, bytes: bytes.to_vec() }])
        };
        assert_eq!(of(TURKISH, 0, b"\x40stanbul \x1D\x07k"), "İstanbul şık");
        assert_eq!(of(0, TURKISH, b"\x1B\x49stanbul \x1B\x65"), "İstanbul €");
        assert_eq!(of(0, SPANISH, b"\x1B\x61rbol"), "árbol");
        assert_eq!(of(PORTUGUESE, PORTUGUESE, b"S\x7Bo \x1B\x7F"), "São â");
        assert_eq!(of(99, 99, b"a\x1B\x65"), "a€");
    }

    #[test]
    fn a_letter_that_is_cut_between_parts_is_whole() {
        let piece = |data_coding, bytes: &[u8]| Piece {
            data_coding,
            language: Language::default(),
            bytes: bytes.to_vec(),
        };
        let emoji: Vec<u8> = "Ок 😀!".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for cut in 0..=emoji.len() {
            let (one, two) = emoji.split_at(cut);
            assert_eq!(read_all(&[piece(UCS2, one), piece(UCS2, two)]), "Ок 😀!", "{cut}");
        }
        assert_eq!(read_all(&[piece(0, b"10 \x1B"), piece(0, b"\x65")]), "10 €");
        // Two tables in one message stay apart.
        assert_eq!(read_all(&[piece(0, b"a\x00"), piece(UCS2, b"\x04\x16")]), "a@Ж");
        assert_eq!(read_all(&[piece(UCS2, b"\xFE\xFF\x04\x16")]), "Ж");
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
