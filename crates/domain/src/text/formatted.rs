//! A text with its entities, and the cutting of both together.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::units::{cleaned, is_blank, units_in, units_of, utf16_len};

/// A text and the parts of it that look or behave in a special way.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormattedText {
    /// The text as it is shown, without any markup.
    pub text: String,
    /// The entities, by offset; of two that begin together the longer one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<Entity>,
}

/// No log has to know what a message says: printed are the length and how many entities there are.
impl fmt::Debug for FormattedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FormattedText")
            .field("text", &crate::secret::redacted(&self.text))
            .field("entities", &self.entities.len())
            .finish()
    }
}

/// One stretch of a text that looks or behaves in a special way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// Where it begins, in UTF-16 code units.
    pub offset: u32,
    /// How long it is, in UTF-16 code units.
    pub length: u32,
    /// What it is.
    #[serde(flatten)]
    pub kind: EntityKind,
}

impl Entity {
    /// Where it ends, in UTF-16 code units.
    pub fn end(&self) -> u32 {
        self.offset.saturating_add(self.length)
    }
}

/// The kinds of entities that a sender can ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EntityKind {
    /// Bold text.
    Bold,
    /// Italic text.
    Italic,
    /// Underlined text.
    Underline,
    /// Text that is struck through.
    Strikethrough,
    /// Text that is hidden until it is tapped.
    Spoiler,
    /// A short piece of code inside a line.
    Code,
    /// A block of code.
    Pre {
        /// The language for highlighting; empty when none was named.
        #[serde(default)]
        language: String,
    },
    /// A text that opens an address.
    TextLink {
        /// The address.
        url: String,
    },
    /// A text that names a user, with or without a username.
    MentionUser {
        /// The user's Telegram id.
        user_id: i64,
    },
    /// A quotation.
    Blockquote {
        /// Whether it is shown folded at first.
        #[serde(default)]
        expandable: bool,
    },
    /// A custom emoji; the text under it is what others see instead.
    CustomEmoji {
        /// The id of the emoji's document.
        id: i64,
    },
}

impl EntityKind {
    /// What a link to this address becomes: `tg://user?id=…` names a user, a script becomes no link, anything else opens.
    pub(super) fn link(url: &str) -> Option<Self> {
        let url = url.trim();
        let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme).to_ascii_lowercase();
        if url.is_empty() || ["javascript", "vbscript", "data"].contains(&scheme.as_str()) {
            return None;
        }
        Some(match user_of(url) {
            Some(user_id) => Self::MentionUser { user_id },
            None => Self::TextLink { url: url.to_owned() },
        })
    }
}

fn user_of(url: &str) -> Option<i64> {
    const PREFIX: &str = "tg://user?id=";
    let head = url.get(..PREFIX.len())?;
    if !head.eq_ignore_ascii_case(PREFIX) {
        return None;
    }
    let digits = url.get(PREFIX.len()..)?.split(['&', '#']).next()?;
    digits.parse().ok().filter(|id| *id > 0)
}

impl FormattedText {
    /// A text without entities, cleaned and trimmed as Telegram does.
    pub fn plain(text: &str) -> Self {
        let mut builder = Builder::default();
        builder.push_str(text);
        builder.finish()
    }

    /// The text for readers who see no entities: addresses follow their words, and what is struck through is said to be over.
    pub fn flattened(&self) -> String {
        super::commonmark::flattened(self)
    }

    /// Whether it says nothing but what is struck through.
    pub(crate) fn is_all_struck(&self) -> bool {
        super::commonmark::is_all_struck(self)
    }

    /// Whether Telegram would refuse it as empty: nothing, white space, or characters that show nothing.
    pub fn is_blank(&self) -> bool {
        is_blank(&self.text)
    }

    /// The length in UTF-16 code units, which Telegram's limits are about.
    pub fn utf16_len(&self) -> usize {
        utf16_len(&self.text)
    }

    /// Without white space at both ends, the entities moved along.
    #[must_use]
    pub fn trimmed(mut self) -> Self {
        let kept = self.text.trim();
        if kept.len() == self.text.len() {
            return self;
        }
        let skipped = self.text.len() - self.text.trim_start().len();
        let from = units_in(&self.text[..skipped]);
        let to = from.saturating_add(units_in(kept));
        self.text = kept.to_owned();
        self.entities = cut(&self.entities, from, to);
        self
    }
}

/// The entities that reach into `from..to`, cut to it and counted from its start.
pub(super) fn cut(entities: &[Entity], from: u32, to: u32) -> Vec<Entity> {
    entities
        .iter()
        .filter_map(|entity| {
            let start = entity.offset.max(from);
            let end = entity.end().min(to);
            (start < end).then(|| Entity {
                offset: start - from,
                length: end - start,
                kind: entity.kind.clone(),
            })
        })
        .collect()
}

/// Puts a text together piece by piece, counting as it goes.
#[derive(Debug, Default)]
pub(super) struct Builder {
    text: String,
    units: u32,
    entities: Vec<Entity>,
}

impl Builder {
    /// Where the next character will be.
    pub(super) fn position(&self) -> u32 {
        self.units
    }

    /// What was put since a byte position of [`Builder::bytes`].
    pub(super) fn since(&self, bytes: usize) -> &str {
        self.text.get(bytes..).unwrap_or_default()
    }

    /// How many bytes were put so far.
    pub(super) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Puts one character.
    pub(super) fn push(&mut self, character: char) {
        if let Some(character) = cleaned(character) {
            self.text.push(character);
            self.units = self.units.saturating_add(units_of(character));
        }
    }

    /// Puts a run of text.
    pub(super) fn push_str(&mut self, text: &str) {
        for character in text.chars() {
            self.push(character);
        }
    }

    /// Marks all from `start` to here; a mark over nothing is no mark.
    pub(super) fn mark(&mut self, start: u32, kind: EntityKind) {
        if start < self.units {
            self.entities.push(Entity { offset: start, length: self.units - start, kind });
        }
    }

    /// The finished text: entities in order, white space at the ends gone.
    pub(super) fn finish(mut self) -> FormattedText {
        // Inner marks end first; of two over the same stretch the outer one is to come first.
        self.entities.reverse();
        sort(&mut self.entities);
        FormattedText { text: self.text, entities: self.entities }.trimmed()
    }
}

/// Puts entities in the order that Telegram keeps: by offset, the longer one first.
pub(super) fn sort(entities: &mut [Entity]) {
    entities.sort_by(|a, b| a.offset.cmp(&b.offset).then(b.length.cmp(&a.length)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trimming_moves_and_cuts_entities() {
        let text = FormattedText {
            text: "  😀 b  ".into(),
            entities: vec![
                Entity { offset: 0, length: 1, kind: EntityKind::Italic },
                Entity { offset: 1, length: 7, kind: EntityKind::Bold },
            ],
        };
        assert_eq!(
            text.trimmed(),
            FormattedText {
                text: "😀 b".into(),
                entities: vec![Entity { offset: 0, length: 4, kind: EntityKind::Bold }],
            }
        );
    }

    #[test]
    fn blank_is_what_shows_nothing() {
        for text in ["", " \n\t", "\u{200b}\u{feff} \u{a0}"] {
            assert!(FormattedText::plain(text).is_blank(), "{text:?}");
        }
        assert!(!FormattedText::plain(".").is_blank());
    }

    #[test]
    fn control_characters_do_not_go_out() {
        assert_eq!(FormattedText::plain("a\r\nb\0c\td").text, "a\nb c\td");
    }

    #[test]
    fn links_to_users_become_mentions() {
        assert_eq!(EntityKind::link("TG://user?id=42"), Some(EntityKind::MentionUser { user_id: 42 }));
        for url in ["tg://user?id=x", "tg://user?id=-1", "https://example.com/tg://user?id=1"] {
            assert_eq!(EntityKind::link(url), Some(EntityKind::TextLink { url: url.into() }));
        }
        for url in ["  ", "javascript:alert(1)", " JavaScript:x", "data:text/html,x"] {
            assert_eq!(EntityKind::link(url), None, "{url}");
        }
    }

    #[test]
    fn stored_form_is_that_of_the_bot_api() {
        let text = FormattedText {
            text: "x".into(),
            entities: vec![Entity { offset: 0, length: 1, kind: EntityKind::MentionUser { user_id: 7 } }],
        };
        let json = serde_json::to_string(&text).unwrap();
        assert_eq!(
            json,
            r#"{"text":"x","entities":[{"offset":0,"length":1,"type":"mention_user","user_id":7}]}"#
        );
        assert_eq!(serde_json::from_str::<FormattedText>(&json).unwrap(), text);
    }
}
