//! What holds for every text: nothing panics, entities stay inside, nothing is lost in a split.

use proptest::prelude::*;

use crate::UserId;

use super::{
    EntityKind, FormattedText, ParseMode, TextLimit, Unit, escape_html, parse, parse_leniently, split_after,
    units::is_invisible, utf16_len, with_mention,
};

/// Texts that are full of what parsers stumble on.
fn markup() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("<b>".to_owned()),
        Just("</b>".to_owned()),
        Just("<i>".to_owned()),
        Just("</i>".to_owned()),
        Just("<pre><code class=\"language-x\">".to_owned()),
        Just("</code></pre>".to_owned()),
        Just("<a href='tg://user?id=7'>".to_owned()),
        Just("</a>".to_owned()),
        Just("<br>".to_owned()),
        Just("<!--".to_owned()),
        Just("&amp;".to_owned()),
        Just("&#x1F600;".to_owned()),
        Just("{client}".to_owned()),
        Just("{{client}}".to_owned()),
        Just("[x](https://example.com)".to_owned()),
        Just("```".to_owned()),
        "[*_~`|\\\\\\[\\]()<>&;#/='\" \n\r]{1,3}",
        "\\PC{0,4}",
        Just("😀".to_owned()),
        Just("👨\u{200d}👩".to_owned()),
        Just("\u{200b}\n\n".to_owned()),
    ];
    proptest::collection::vec(word, 0..40).prop_map(|words| words.concat())
}

fn any_mode() -> impl Strategy<Value = ParseMode> {
    prop_oneof![Just(ParseMode::None), Just(ParseMode::Html), Just(ParseMode::Markdown)]
}

fn any_limit() -> impl Strategy<Value = TextLimit> {
    let unit = prop_oneof![Just(Unit::Utf16), Just(Unit::Characters), Just(Unit::Bytes)];
    (0_usize..40, unit, 1_usize..8)
        .prop_map(|(most, unit, entities)| TextLimit::new(most, unit).with_entities(entities))
}

/// Entities are in order, not empty, inside the text, and never begin or end inside a character.
fn check(formatted: &FormattedText) -> Result<(), TestCaseError> {
    let mut places = vec![0_u32];
    for character in formatted.text.chars() {
        let last = places.last().copied().unwrap_or_default();
        places.push(last + if character.len_utf16() == 2 { 2 } else { 1 });
    }
    let mut last = 0;
    for entity in &formatted.entities {
        prop_assert!(entity.length > 0, "{formatted:?}");
        prop_assert!(entity.offset >= last, "{formatted:?}");
        prop_assert!(places.binary_search(&entity.offset).is_ok(), "{formatted:?}");
        prop_assert!(places.binary_search(&entity.end()).is_ok(), "{formatted:?}");
        last = entity.offset;
    }
    Ok(())
}

fn shown(text: &str) -> String {
    text.chars().filter(|character| !character.is_whitespace() && !is_invisible(*character)).collect()
}

proptest! {
    #[test]
    fn parsing_never_panics(mode in any_mode(), text in any::<String>()) {
        if let Ok(formatted) = parse(mode, &text) {
            check(&formatted)?;
        }
        check(&parse_leniently(mode, &text))?;
    }

    #[test]
    fn parsed_entities_are_sound(mode in any_mode(), text in markup()) {
        match parse(mode, &text) {
            Ok(formatted) => {
                check(&formatted)?;
                prop_assert_eq!(formatted.text.trim(), &formatted.text);
            }
            Err(error) => prop_assert!(text.is_char_boundary(error.position), "{}", error),
        }
        check(&parse_leniently(mode, &text))?;
    }

    #[test]
    fn strict_reading_differs_only_in_its_refusals(text in markup()) {
        if let Ok(strict) = parse(ParseMode::Html, &text) {
            prop_assert_eq!(strict, parse_leniently(ParseMode::Html, &text));
        }
    }

    #[test]
    fn escaped_html_stands_for_itself(text in any::<String>()) {
        prop_assert_eq!(parse(ParseMode::Html, &escape_html(&text)), parse(ParseMode::None, &text));
    }

    #[test]
    fn pieces_are_small_whole_and_all_there(
        mode in any_mode(), text in markup(), first in any_limit(), others in any_limit(),
    ) {
        let whole = parse_leniently(mode, &text);
        let pieces = split_after(&whole, first, others);
        for (number, piece) in pieces.iter().enumerate() {
            check(piece)?;
            let limit = if number == 0 { first } else { others };
            prop_assert!(limit.takes(&piece.text), "{limit:?}: {piece:?}");
            prop_assert!(!piece.is_blank());
            prop_assert_eq!(piece.text.trim(), &piece.text);
        }
        let joined: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
        prop_assert_eq!(shown(&joined), shown(&whole.text));
        let marked = |formatted: &FormattedText| {
            formatted.entities.iter().map(|entity| u64::from(entity.length)).sum::<u64>()
        };
        prop_assert!(pieces.iter().map(marked).sum::<u64>() <= marked(&whole));
        if first.takes(&whole.text) && whole.entities.len() <= first.entities() {
            prop_assert!(pieces.len() <= 1);
        }
    }

    /// However words, lines and paragraphs are strewn, only the last piece is smaller than half of what fits.
    #[test]
    fn every_piece_but_the_last_is_half_full(
        words in proptest::collection::vec(("[a-zé😀]{1,60}", prop_oneof![Just(" "), Just("\n"), Just("\n\n")]), 1..20),
        limit in 8_usize..80,
    ) {
        let text: String = words.into_iter().flat_map(|(word, gap)| [word, gap.to_owned()]).collect();
        let whole = TextLimit::new(limit, Unit::Utf16);
        let pieces = split_after(&FormattedText::plain(&text), whole, whole);
        let (_, but_last) = pieces.split_last().expect("it says something");
        for piece in but_last {
            prop_assert!(piece.utf16_len() >= limit / 2, "{} of {limit}: {piece:?}", piece.utf16_len());
        }
    }

    #[test]
    fn a_mention_is_always_there(mode in any_mode(), text in markup(), name in any::<String>()) {
        let before = parse_leniently(mode, &text);
        let after = with_mention(before.clone(), UserId::new(42).expect("an id"), &name);
        check(&after)?;
        let wanted = EntityKind::MentionUser { user_id: 42 };
        prop_assert!(after.entities.iter().any(|entity| entity.kind == wanted));
        prop_assert!(after.entities.len() > before.entities.len());
        prop_assert_eq!(utf16_len(&after.text), after.utf16_len());
    }
}
