//! Formatting as MAX takes it: HTML with the marks that it has; others are shown as plain text. Pure.

use domain::text::{Entity, EntityKind, FormattedText, escape_html};

/// The text as HTML; none where nothing of its formatting can be shown.
pub(super) fn html(text: &FormattedText) -> Option<String> {
    let shown: Vec<(&Entity, String, &'static str)> = text
        .entities
        .iter()
        .filter_map(|entity| marks(&entity.kind).map(|(open, close)| (entity, open, close)))
        .collect();
    if shown.is_empty() {
        return None;
    }
    let mut html = String::with_capacity(text.text.len() * 2);
    // Marks that are open: where each ends, and its end.
    let mut open: Vec<(u32, &'static str)> = Vec::new();
    let mut coming = shown.into_iter().peekable();
    let mut at = 0_u32;
    for character in text.text.chars() {
        while open.last().is_some_and(|(end, _)| *end <= at) {
            html.extend(open.pop().map(|(_, close)| close));
        }
        while let Some((entity, begin, close)) = coming.next_if(|(entity, ..)| entity.offset <= at) {
            // What would end after the mark around it ends with it, so that marks never cross.
            let end = open.last().map_or(entity.end(), |(outer, _)| entity.end().min(*outer));
            if end > at {
                html.push_str(&begin);
                open.push((end, close));
            }
        }
        html.push_str(&escape_html(character.encode_utf8(&mut [0; 4])));
        at += if u32::from(character) > 0xFFFF { 2 } else { 1 };
    }
    html.extend(open.into_iter().rev().map(|(_, close)| close));
    Some(html)
}

fn marks(kind: &EntityKind) -> Option<(String, &'static str)> {
    let plain = |open: &str, close| Some((open.to_owned(), close));
    match kind {
        EntityKind::Bold => plain("<b>", "</b>"),
        EntityKind::Italic => plain("<i>", "</i>"),
        EntityKind::Underline => plain("<u>", "</u>"),
        EntityKind::Strikethrough => plain("<s>", "</s>"),
        EntityKind::Code => plain("<code>", "</code>"),
        EntityKind::Pre { .. } => plain("<pre>", "</pre>"),
        EntityKind::TextLink { url } => Some((format!("<a href=\"{}\">", escape_html(url)), "</a>")),
        EntityKind::Spoiler
        | EntityKind::MentionUser { .. }
        | EntityKind::Blockquote { .. }
        | EntityKind::CustomEmoji { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use domain::text::{ParseMode, parse};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn marks_that_max_has_are_written() {
        for (given, wanted) in [
            ("plain", None),
            ("<tg-spoiler>x</tg-spoiler>", None),
            ("<b>a <i>b</i></b> &lt;", Some("<b>a <i>b</i></b> &lt;")),
            ("\u{1F600}<u>x</u><s>y</s>", Some("\u{1F600}<u>x</u><s>y</s>")),
            (
                "<a href=\"https://example.com/?a=1&amp;b\">l</a>",
                Some("<a href=\"https://example.com/?a=1&amp;b\">l</a>"),
            ),
            ("<code>c</code>", Some("<code>c</code>")),
        ] {
            let text = parse(ParseMode::Html, given).unwrap();
            assert_eq!(html(&text).as_deref(), wanted, "{given}");
        }
    }

    proptest! {
        #[test]
        fn every_mark_has_its_end(spans in prop::collection::vec((0_u32..20, 1_u32..20), 0..6)) {
            let entities = spans.into_iter().map(|(offset, length)| Entity { offset, length, kind: EntityKind::Bold });
            let text = FormattedText { text: "0123456789\u{1F600}<&".to_owned(), entities: entities.collect() };
            let html = html(&text).unwrap_or_default();
            prop_assert_eq!(html.matches("<b>").count(), html.matches("</b>").count());
        }
    }
}
