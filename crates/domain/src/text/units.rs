//! UTF-16 code units, and the characters that count as nothing.

/// The length of a text in UTF-16 code units, as Telegram counts it.
pub fn utf16_len(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().map(char::len_utf16).sum() }
}

/// The UTF-16 code units of one character.
pub(super) fn units_of(character: char) -> u32 {
    if u32::from(character) > 0xFFFF { 2 } else { 1 }
}

/// The UTF-16 code units of a text as an entity counts them.
pub(super) fn units_in(text: &str) -> u32 {
    u32::try_from(utf16_len(text)).unwrap_or(u32::MAX)
}

/// A character that shows nothing: a text of these and white space alone is empty to Telegram.
pub(super) fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}'
    )
}

/// A text that Telegram would refuse as empty.
pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(|character| character.is_whitespace() || is_invisible(character))
}

/// What becomes of one character on its way out: Telegram drops carriage returns and shows other control
/// characters as spaces. Doing it here keeps the offsets of entities true on the other side.
pub(super) fn cleaned(character: char) -> Option<char> {
    match character {
        '\n' | '\t' => Some(character),
        '\r' => None,
        '\0'..='\u{1F}' | '\u{7F}' => Some(' '),
        _ => Some(character),
    }
}
