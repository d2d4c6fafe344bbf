//! The text of a file as editors and spreadsheets save it. Pure.

const MARK_OF_UTF_8: &[u8] = b"\xEF\xBB\xBF";
const MARK_OF_UTF_16_LE: &[u8] = b"\xFF\xFE";
const MARK_OF_UTF_16_BE: &[u8] = b"\xFE\xFF";

/// Reads a file in UTF-8, or in UTF-16 with a byte order mark, which spreadsheets write as "Unicode text". Its lines end with line
/// feeds. None in another encoding: UTF-16 without a mark has NUL characters.
pub fn read_file(bytes: &[u8]) -> Option<String> {
    let text = if let Some(units) = bytes.strip_prefix(MARK_OF_UTF_16_LE) {
        utf_16(units, u16::from_le_bytes)?
    } else if let Some(units) = bytes.strip_prefix(MARK_OF_UTF_16_BE) {
        utf_16(units, u16::from_be_bytes)?
    } else {
        std::str::from_utf8(bytes.strip_prefix(MARK_OF_UTF_8).unwrap_or(bytes)).ok()?.to_owned()
    };
    (!text.contains('\0')).then(|| with_line_feeds(&text))
}

/// Returns a text without a byte order mark, with line feeds in place of the line ends of Windows and old Macs. JSON stays the same
/// JSON.
pub fn with_line_feeds(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// Returns the separator that a first line such as `sep=;` announces. Spreadsheets write and read it; it is no row.
pub fn announced_separator(line: &str) -> Option<char> {
    let line = line.trim_matches(['\u{feff}', ' ', '\r', '\n', '"']);
    let (word, sign) = line.split_at_checked("sep=".len())?;
    let mut signs = sign.chars();
    let separator = signs.next().filter(|_| word.eq_ignore_ascii_case("sep="))?;
    signs.next().is_none().then_some(separator)
}

fn utf_16(bytes: &[u8], unit: impl Fn([u8; 2]) -> u16) -> Option<String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
    String::from_utf16(&units).ok().filter(|_| rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announced_separator_is_no_row() {
        for (line, separator) in [
            ("sep=;", Some(';')),
            ("\u{feff}SEP=,\r\n", Some(',')),
            ("\"sep=;\"", Some(';')),
            ("sep=\t", Some('\t')),
            ("sep=", None),
            ("sep=;;", None),
            ("separator;", None),
            ("о=;", None),
        ] {
            assert_eq!(announced_separator(line), separator, "{line:?}");
        }
    }

    #[test]
    fn files_of_editors_and_spreadsheets_are_read() {
        let text = "контакт\n@anna_1\n";
        let units = || text.replace('\n', "\r\n").encode_utf16().collect::<Vec<_>>();
        let little: Vec<u8> = units().into_iter().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = units().into_iter().flat_map(u16::to_be_bytes).collect();
        for file in [
            text.as_bytes().to_vec(),
            format!("\u{feff}{text}").into_bytes(),
            text.replace('\n', "\r").into_bytes(),
            text.replace('\n', "\r\n").into_bytes(),
            [MARK_OF_UTF_16_LE, &little].concat(),
            [MARK_OF_UTF_16_BE, &big].concat(),
        ] {
            assert_eq!(read_file(&file).as_deref(), Some(text), "{file:?}");
        }
        for file in [b"\xff".as_slice(), b"\xea\xee\xed", b"@\0a\0", b"\xff\xfe@", b"\xff\xfe\x00\xd8"] {
            assert_eq!(read_file(file), None, "{file:?}");
        }
        assert_eq!(read_file(b"").as_deref(), Some(""));
    }
}
