//! Splitting: a text that is too long for one message becomes several.

use super::{
    formatted::{Entity, FormattedText, cut},
    limit::TextLimit,
    units::{is_blank, units_in, units_of},
};

/// How far a cut looks back for the start of what is seen as one character.
const LONGEST_CLUSTER: usize = 64;

/// A piece that ends where a paragraph, line or word does is at least this part of what fits: a half.
const SMALLEST_SHARE: usize = 2;

/// Cuts a text into pieces that the limit takes: at the last paragraph that fits, else at the
/// last line, else at the last word, else anywhere but inside a character. A cut that would leave less than half of
/// what fits is not taken: a long text without spaces fills its pieces. White space at the cuts is dropped,
/// as Telegram would drop it; entities are cut along, and no piece has more of them than the limit shows. No piece is blank, so a blank text has no pieces.
pub fn split(formatted: &FormattedText, limit: TextLimit) -> Vec<FormattedText> {
    split_after(formatted, limit, limit)
}

/// The same, where the first piece has a limit of its own.
pub fn split_after(formatted: &FormattedText, first: TextLimit, others: TextLimit) -> Vec<FormattedText> {
    let mut limit = first;
    if limit.takes(&formatted.text) && formatted.entities.len() <= limit.entities() {
        let whole = formatted.clone().trimmed();
        return if whole.is_blank() { Vec::new() } else { vec![whole] };
    }
    let text = formatted.text.as_str();
    let mut pieces = Vec::new();
    // Where we are: in bytes, and in UTF-16 units.
    let (mut at, mut units) = (0, 0_u32);
    while let Some(rest) = text.get(at..) {
        let kept = rest.trim_start();
        units = units.saturating_add(units_in(&rest[..rest.len() - kept.len()]));
        at = text.len() - kept.len();
        if kept.is_empty() {
            break;
        }
        let length = piece(kept, limit, units_before(&formatted.entities, units, limit));
        let (taken, _) = kept.split_at(length);
        let shown = taken.trim_end();
        if !is_blank(shown) {
            let end = units.saturating_add(units_in(shown));
            pieces.push(FormattedText {
                text: shown.to_owned(),
                entities: cut(&formatted.entities, units, end),
            });
            limit = others;
        }
        units = units.saturating_add(units_in(taken));
        at += length;
    }
    pieces
}

/// The UTF-16 units from here to the first entity that is too many for a piece that begins here.
fn units_before(entities: &[Entity], from: u32, limit: TextLimit) -> u32 {
    let mut left: Vec<u32> =
        entities.iter().filter(|entity| entity.end() > from).map(|entity| entity.offset.max(from)).collect();
    left.sort_unstable();
    // Those that begin here together go together: a cut would not part them.
    left.get(limit.entities()).map_or(u32::MAX, |next| next - from)
}

/// The bytes of the first piece of a text that does not begin with white space, of at most this number of UTF-16 units.
fn piece(text: &str, limit: TextLimit, most_units: u32) -> usize {
    let most_units = if most_units == 0 { u32::MAX } else { most_units };
    let (mut units, mut utf16) = (0, 0_u32);
    let fits = text
        .char_indices()
        .find(|(_, character)| {
            units += limit.unit().of(*character);
            utf16 = utf16.saturating_add(units_of(*character));
            units > limit.most() || utf16 > most_units
        })
        .map_or(text.len(), |(at, _)| at);
    if fits == text.len() {
        return fits;
    }
    // What comes right after counts too: a piece may end exactly where a paragraph, line or word does.
    let (head, tail) = text.split_at(fits);
    let lines_after = tail.len() - tail.trim_start_matches('\n').len();
    let (window, _) = text.split_at(fits + lines_after.min(2));
    let next_is_space = tail.chars().next().is_some_and(is_word_gap);
    let most = if utf16 > most_units { limit.length_of(head) } else { limit.most() };
    let worth_it = |at: &usize| {
        let (taken, _) = text.split_at(*at);
        limit.length_of(taken.trim_end()) >= most / SMALLEST_SHARE
    };
    window
        .rfind("\n\n")
        .filter(worth_it)
        .or_else(|| if lines_after > 0 { Some(fits) } else { head.rfind('\n').filter(worth_it) })
        .or_else(|| if next_is_space { Some(fits) } else { head.rfind(is_word_gap).filter(worth_it) })
        .filter(|at| *at > 0)
        .unwrap_or_else(|| between_clusters(text, fits))
}

/// White space that a line may be broken at.
fn is_word_gap(character: char) -> bool {
    character.is_whitespace() && !matches!(character, '\u{A0}' | '\u{2007}' | '\u{202F}')
}

/// The last place at or before a cut that is not inside what is seen as one character; the cut itself when
/// there is none near.
fn between_clusters(text: &str, cut: usize) -> usize {
    let (head, _) = text.split_at(cut);
    let mut places = head.char_indices().rev().map(|(at, _)| at);
    let mut at = cut;
    for _ in 0..LONGEST_CLUSTER {
        if at == 0 {
            return cut;
        }
        if !is_joined(text, at) {
            return at;
        }
        at = places.next().unwrap_or(0);
    }
    cut
}

/// Whether the characters on both sides of a place are seen as one.
fn is_joined(text: &str, at: usize) -> bool {
    let (head, tail) = text.split_at(at);
    let (Some(before), Some(after)) = (head.chars().next_back(), tail.chars().next()) else { return false };
    let flags = head.chars().rev().take(LONGEST_CLUSTER).take_while(|c| is_flag_letter(*c)).count();
    before == '\u{200D}' || extends(after) || (is_flag_letter(after) && flags % 2 == 1)
}

/// A character that changes the one before it.
fn extends(character: char) -> bool {
    matches!(
        character,
        '\u{200D}'
            | '\u{0300}'..='\u{036F}'
            | '\u{0483}'..='\u{0489}'
            | '\u{1AB0}'..='\u{1AFF}'
            | '\u{1DC0}'..='\u{1DFF}'
            | '\u{20D0}'..='\u{20FF}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FE20}'..='\u{FE2F}'
            | '\u{1F3FB}'..='\u{1F3FF}'
            | '\u{E0020}'..='\u{E007F}'
    )
}

/// One of the letters that make a flag in twos.
fn is_flag_letter(character: char) -> bool {
    matches!(character, '\u{1F1E6}'..='\u{1F1FF}') && units_of(character) == 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Entity, EntityKind, ParseMode, Unit, parse, utf16_len};

    fn texts(text: &str, limit: usize) -> Vec<String> {
        split(&FormattedText::plain(text), TextLimit::new(limit, Unit::Utf16))
            .into_iter()
            .map(|piece| piece.text)
            .collect()
    }

    #[test]
    fn a_text_that_fits_stays_whole() {
        assert_eq!(texts("a\n\nb", 4), ["a\n\nb"]);
        assert_eq!(texts("😀😀", 4), ["😀😀"]);
        assert!(texts(" \u{200b} ", 1).is_empty());
    }

    #[test]
    fn paragraph_before_line_before_word_before_anything() {
        assert_eq!(texts("a b\nc\n\nd e\nf", 8), ["a b\nc", "d e\nf"]);
        assert_eq!(texts("a b\nc d e", 6), ["a b", "c d e"]);
        assert_eq!(texts("aa bb cc", 6), ["aa bb", "cc"]);
        assert_eq!(texts("abcdef", 4), ["abcd", "ef"]);
    }

    #[test]
    fn a_piece_may_be_exactly_full() {
        assert_eq!(texts("abcd\n\nefgh", 4), ["abcd", "efgh"]);
        assert_eq!(texts("abc\n\nefgh", 4), ["abc", "efgh"]);
        assert_eq!(texts("abcd\nefgh", 4), ["abcd", "efgh"]);
        assert_eq!(texts("abcd efgh", 4), ["abcd", "efgh"]);
        assert_eq!(texts("a cd efgh", 4), ["a cd", "efgh"]);
        assert_eq!(texts("ab\n\n\n\n   cd", 4), ["ab", "cd"]);
    }

    #[test]
    fn long_texts_at_telegrams_limit() {
        let pieces = texts(&"x".repeat(4097), 4096);
        assert_eq!(pieces.iter().map(String::len).collect::<Vec<_>>(), [4096, 1]);
        let pieces = texts(&"😀".repeat(2049), 4096);
        assert_eq!(pieces.iter().map(|piece| utf16_len(piece)).collect::<Vec<_>>(), [4096, 2]);
    }

    #[test]
    fn a_text_without_spaces_fills_its_pieces() {
        let lengths = |text: &str| texts(text, 4096).iter().map(|piece| utf16_len(piece)).collect::<Vec<_>>();
        assert_eq!(lengths(&format!("w5long {}", "x".repeat(9000))), [4096, 4096, 815]);
        assert_eq!(lengths(&format!("Hello\n\n{}", "я".repeat(5000))), [4096, 911]);
        assert_eq!(lengths(&format!("{} {}", "x".repeat(2048), "y".repeat(4096))), [2048, 4096]);
    }

    #[test]
    fn a_visible_character_is_never_split() {
        assert_eq!(texts("a😀b", 2), ["a", "😀", "b"]);
        assert_eq!(texts("ab👨\u{200d}👩\u{200d}👧c", 9), ["ab", "👨\u{200d}👩\u{200d}👧c"]);
        assert_eq!(texts("a🇩🇪🇫🇷", 7), ["a🇩🇪", "🇫🇷"]);
        assert_eq!(texts("abe\u{301}", 3), ["ab", "e\u{301}"]);
        // Joined without end: then anywhere.
        assert_eq!(texts(&format!("a{}", "\u{301}".repeat(9)), 5).len(), 2);
    }

    #[test]
    fn entities_are_cut_on_both_sides() {
        let text = parse(ParseMode::Html, "aa <b>bb cc</b> <i>dd</i>").unwrap();
        let piece = |text: &str, entities: &[(u32, u32, EntityKind)]| FormattedText {
            text: text.into(),
            entities: entities
                .iter()
                .map(|(offset, length, kind)| Entity { offset: *offset, length: *length, kind: kind.clone() })
                .collect(),
        };
        assert_eq!(
            split(&text, TextLimit::new(6, Unit::Utf16)),
            [
                piece("aa bb", &[(3, 2, EntityKind::Bold)]),
                piece("cc dd", &[(0, 2, EntityKind::Bold), (3, 2, EntityKind::Italic)]),
            ]
        );
    }

    #[test]
    fn no_piece_has_more_entities_than_are_shown() {
        let words = (0..250).map(|word| format!("<b>w{word}</b> ")).collect::<Vec<_>>().concat();
        let text = parse(ParseMode::Html, &words).unwrap();
        let limit = TextLimit::new(4_096, Unit::Utf16).with_entities(100);
        let pieces = split(&text, limit);
        let counts: Vec<_> = pieces.iter().map(|piece| piece.entities.len()).collect();
        assert_eq!(counts, [100, 100, 50]);
        assert!(
            pieces[0].text.ends_with(" w99") && pieces[1].text.starts_with("w100 "),
            "{:?}",
            pieces[1].text
        );
        let joined: Vec<_> = pieces.iter().map(|piece| piece.text.as_str()).collect();
        assert_eq!(joined.join(" "), text.text);
        // An entity around all of them counts in each piece.
        let text = parse(ParseMode::Html, &format!("<i>{words}</i>")).unwrap();
        let counts: Vec<_> = split(&text, limit).iter().map(|piece| piece.entities.len()).collect();
        assert_eq!(counts, [100, 100, 53]);
        assert_eq!(split(&text, TextLimit::new(4_096, Unit::Utf16)).len(), 1);
        // Paragraphs stay whole where they can.
        let rows =
            (0..60).map(|row| format!("<b>a{row}</b> <i>b</i> <u>c</u>\n\n")).collect::<Vec<_>>().concat();
        let pieces = split(&parse(ParseMode::Html, &rows).unwrap(), limit);
        assert!(pieces.iter().all(|piece| piece.entities.len() <= 100 && piece.text.ends_with('c')));
        assert_eq!(pieces.len(), 2);
    }
}
