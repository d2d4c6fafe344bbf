//! Mentions: where a client's name goes in a text.

use crate::UserId;

use super::{
    formatted::{Entity, EntityKind, FormattedText, sort},
    units::{cleaned, units_in},
};

/// What a client's name takes the place of; the longer word is tried first, as it contains the shorter.
const PLACEHOLDERS: [&str; 2] = ["{{client}}", "{client}"];

/// Puts a mention of a user in the place of each `{client}` and `{{client}}`; without one of these it goes in
/// front, followed by a space. The other entities move along.
pub fn with_mention(formatted: FormattedText, user_id: UserId, display_name: &str) -> FormattedText {
    let name = Name::new(user_id, display_name);
    if next_placeholder(&formatted.text).is_none() {
        in_front(formatted, &name)
    } else {
        in_place(&formatted, &name)
    }
}

struct Name {
    user_id: UserId,
    shown: String,
    units: u32,
}

impl Name {
    fn new(user_id: UserId, display_name: &str) -> Self {
        // A name goes on one line; a deleted account has none, and a mention of nothing cannot be sent.
        let clean: String = display_name
            .chars()
            .filter_map(cleaned)
            .map(|character| if character == '\n' { ' ' } else { character })
            .collect();
        let plain = FormattedText::plain(&clean);
        let shown = if plain.is_blank() { format!("id{user_id}") } else { plain.text };
        Self { user_id, units: units_in(&shown), shown }
    }

    fn at(&self, offset: u32) -> Entity {
        Entity { offset, length: self.units, kind: EntityKind::MentionUser { user_id: self.user_id.get() } }
    }
}

fn in_front(formatted: FormattedText, name: &Name) -> FormattedText {
    let gap = if formatted.text.is_empty() { "" } else { " " };
    let shift = name.units.saturating_add(units_in(gap));
    let mut entities = vec![name.at(0)];
    entities.extend(
        formatted
            .entities
            .into_iter()
            .map(|entity| Entity { offset: entity.offset.saturating_add(shift), ..entity }),
    );
    FormattedText { text: format!("{}{gap}{}", name.shown, formatted.text), entities }
}

/// One placeholder that a name took the place of.
struct Swap {
    old_start: u32,
    old_end: u32,
    new_start: u32,
}

fn in_place(formatted: &FormattedText, name: &Name) -> FormattedText {
    let mut text = String::with_capacity(formatted.text.len() + name.shown.len());
    let mut swaps = Vec::new();
    let mut rest = formatted.text.as_str();
    let (mut old, mut new) = (0_u32, 0_u32);
    while let Some((before, placeholder, after)) = next_placeholder(rest) {
        let passed = units_in(before);
        let old_start = old.saturating_add(passed);
        let new_start = new.saturating_add(passed);
        old = old_start.saturating_add(units_in(placeholder));
        new = new_start.saturating_add(name.units);
        swaps.push(Swap { old_start, old_end: old, new_start });
        text.push_str(before);
        text.push_str(&name.shown);
        rest = after;
    }
    text.push_str(rest);
    let mut entities: Vec<Entity> = formatted
        .entities
        .iter()
        .filter_map(|entity| {
            let start = moved(&swaps, name.units, entity.offset, Edge::Start);
            let end = moved(&swaps, name.units, entity.end(), Edge::End);
            (start < end).then(|| Entity { offset: start, length: end - start, kind: entity.kind.clone() })
        })
        .collect();
    entities.extend(swaps.iter().map(|swap| name.at(swap.new_start)));
    sort(&mut entities);
    FormattedText { text, entities }
}

/// Which side of an entity a position is: one that falls inside a placeholder moves outward.
#[derive(Clone, Copy)]
enum Edge {
    Start,
    End,
}

fn moved(swaps: &[Swap], name_units: u32, position: u32, edge: Edge) -> u32 {
    let before = swaps.partition_point(|swap| swap.old_start < position);
    let Some(swap) = before.checked_sub(1).and_then(|last| swaps.get(last)) else {
        return position;
    };
    let new_end = swap.new_start.saturating_add(name_units);
    if position >= swap.old_end {
        return new_end.saturating_add(position - swap.old_end);
    }
    match edge {
        Edge::Start => swap.new_start,
        Edge::End => new_end,
    }
}

/// The next placeholder: what is before it, itself, what is after it.
fn next_placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(brace) = text.get(from..)?.find('{') {
        let start = from + brace;
        let here = text.get(start..)?;
        for placeholder in PLACEHOLDERS {
            if let Some(after) = here.strip_prefix(placeholder) {
                return Some((text.get(..start)?, placeholder, after));
            }
        }
        from = start + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{ParseMode, parse};

    fn user() -> UserId {
        UserId::new(7).unwrap()
    }

    fn html(text: &str) -> FormattedText {
        parse(ParseMode::Html, text).unwrap()
    }

    #[test]
    fn takes_the_place_of_placeholders() {
        let text = with_mention(html("<i>{client}</i>, hello {{client}} <b>x</b>"), user(), "Ann <3 😀");
        assert_eq!(
            text,
            html(concat!(
                "<i><a href='tg://user?id=7'>Ann &lt;3 😀</a></i>, ",
                "hello <a href='tg://user?id=7'>Ann &lt;3 😀</a> <b>x</b>"
            ))
        );
    }

    #[test]
    fn goes_in_front_without_a_placeholder() {
        assert_eq!(
            with_mention(html("<b>hello</b> {Client}"), user(), "Ann"),
            html("<a href='tg://user?id=7'>Ann</a> <b>hello</b> {Client}")
        );
        assert_eq!(with_mention(html(""), user(), "Ann"), html("<a href='tg://user?id=7'>Ann</a>"));
    }

    #[test]
    fn an_edge_inside_a_placeholder_moves_outward() {
        let text = with_mention(html("a {<b>cli</b>ent} b"), user(), "Ann");
        assert_eq!(text, html("a <b><a href='tg://user?id=7'>Ann</a></b> b"));
    }

    #[test]
    fn a_blank_name_is_replaced_by_the_id() {
        assert_eq!(with_mention(html("hi"), user(), " \u{200b}\n").text, "id7 hi");
        assert_eq!(with_mention(html("{client}"), user(), "Ann\nLee").text, "Ann Lee");
    }
}
