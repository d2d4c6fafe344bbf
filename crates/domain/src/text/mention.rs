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

/// Whether a text says where the mention goes.
pub fn has_placeholder(formatted: &FormattedText) -> bool {
    next_placeholder(&formatted.text).is_some()
}

/// A text in which no one is mentioned: each placeholder goes, and with it the comma or space that sets it off.
pub fn without_mention(formatted: &FormattedText) -> FormattedText {
    let (text, swaps) = swapped(&formatted.text, "", set_off);
    FormattedText { text, entities: moved_along(&formatted.entities, &swaps, 0) }
}

/// How many bytes around a placeholder go with it: of what is before, and of what is after.
fn set_off(before: &str, after: &str) -> (usize, usize) {
    let words_before = before.trim_end_matches(' ');
    if words_before.is_empty() || words_before.ends_with('\n') {
        let rest = after.strip_prefix([',', ':', '!']).unwrap_or(after);
        return (0, after.len() - rest.trim_start_matches(' ').len());
    }
    if after.starts_with(char::is_alphanumeric) {
        return (0, 0);
    }
    let is_sentence = after.trim_start().starts_with(|next: char| next.is_alphanumeric());
    let kept =
        if is_sentence { words_before } else { words_before.strip_suffix(',').unwrap_or(words_before) };
    (before.len() - kept.len(), 0)
}

/// One placeholder that another text took the place of.
struct Swap {
    old_start: u32,
    old_end: u32,
    new_start: u32,
}

fn in_place(formatted: &FormattedText, name: &Name) -> FormattedText {
    let (text, swaps) = swapped(&formatted.text, &name.shown, |_, _| (0, 0));
    let mut entities = moved_along(&formatted.entities, &swaps, name.units);
    entities.extend(swaps.iter().map(|swap| name.at(swap.new_start)));
    sort(&mut entities);
    FormattedText { text, entities }
}

/// Puts `shown` in the place of each placeholder and of as many bytes around it as `goes` says.
fn swapped(text: &str, shown: &str, goes: impl Fn(&str, &str) -> (usize, usize)) -> (String, Vec<Swap>) {
    let mut new_text = String::with_capacity(text.len() + shown.len());
    let mut swaps = Vec::new();
    let mut rest = text;
    let mut old = 0_u32;
    while let Some((before, placeholder, after)) = next_placeholder(rest) {
        new_text.push_str(before);
        let (goes_before, goes_after) = goes(&new_text, after);
        let kept = new_text.len().saturating_sub(goes_before.min(before.len()));
        let gone = new_text.get(kept..).map_or(0, units_in);
        new_text.truncate(kept);
        let (removed, next) = after.split_at(goes_after);
        let start = old.saturating_add(units_in(before));
        old = start.saturating_add(units_in(placeholder)).saturating_add(units_in(removed));
        swaps.push(Swap {
            old_start: start.saturating_sub(gone),
            old_end: old,
            new_start: units_in(&new_text),
        });
        new_text.push_str(shown);
        rest = next;
    }
    new_text.push_str(rest);
    (new_text, swaps)
}

fn moved_along(entities: &[Entity], swaps: &[Swap], new_units: u32) -> Vec<Entity> {
    let moved_along = |entity: &Entity| {
        let start = moved(swaps, new_units, entity.offset, Edge::Start);
        let end = moved(swaps, new_units, entity.end(), Edge::End);
        (start < end).then(|| Entity { offset: start, length: end - start, kind: entity.kind.clone() })
    };
    entities.iter().filter_map(moved_along).collect()
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
    fn without_a_person_a_placeholder_goes_with_what_sets_it_off() {
        for (given, wanted) in [
            ("{client}, your <b>phone</b> is ready", "your <b>phone</b> is ready"),
            ("{{client}}! Your phone", "Your phone"),
            ("Hello, {client}!", "Hello!"),
            ("Hello {client}, your <i>phone</i>", "Hello, your <i>phone</i>"),
            ("😀 for <b>{client} today</b>", "😀 for<b> today</b>"),
            ("Да, {client}, готово", "Да, готово"),
            ("Hello, {client}", "Hello"),
            ("Hello, {client} it is ready", "Hello, it is ready"),
            ("One\n{client}, two {client}", "One\ntwo"),
            ("no one", "no one"),
            ("{client}", ""),
        ] {
            assert_eq!(without_mention(&html(given)), html(wanted), "{given}");
        }
    }

    #[test]
    fn a_blank_name_is_replaced_by_the_id() {
        assert_eq!(with_mention(html("hi"), user(), " \u{200b}\n").text, "id7 hi");
        assert_eq!(with_mention(html("{client}"), user(), "Ann\nLee").text, "Ann Lee");
    }
}
