//! How long a text may be, in the unit that its receiver counts.

use super::units::utf16_len;

/// The entities of a message that Telegram shows; it ignores further ones.
pub const MOST_ENTITIES: usize = 100;

/// What a length is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// UTF-16 code units.
    Utf16,
    /// Unicode characters.
    Characters,
    /// Bytes of UTF-8.
    Bytes,
}

impl Unit {
    /// How many one character takes.
    pub(super) const fn of(self, character: char) -> usize {
        match self {
            Self::Utf16 => character.len_utf16(),
            Self::Characters => 1,
            Self::Bytes => character.len_utf8(),
        }
    }

    /// How many one character takes at most.
    const fn largest(self) -> usize {
        match self {
            Self::Utf16 => 2,
            Self::Characters => 1,
            Self::Bytes => 4,
        }
    }
}

/// The longest text that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextLimit {
    most: usize,
    unit: Unit,
    entities: usize,
}

impl TextLimit {
    /// The number of units; at least what one character can need.
    pub const fn new(most: usize, unit: Unit) -> Self {
        let least = unit.largest();
        Self { most: if most < least { least } else { most }, unit, entities: usize::MAX }
    }

    /// The same for a provider that ignores further entities of a message.
    #[must_use]
    pub const fn with_entities(self, entities: usize) -> Self {
        Self { entities, ..self }
    }

    /// How many entities of a message the provider shows.
    pub const fn entities(self) -> usize {
        self.entities
    }

    /// How many units.
    pub const fn most(self) -> usize {
        self.most
    }

    /// Which unit.
    pub const fn unit(self) -> Unit {
        self.unit
    }

    /// The length of a text in the unit of this limit.
    pub fn length_of(self, text: &str) -> usize {
        match self.unit {
            Unit::Utf16 => utf16_len(text),
            Unit::Characters => text.chars().count(),
            Unit::Bytes => text.len(),
        }
    }

    /// Whether the text is short enough.
    pub fn takes(self, text: &str) -> bool {
        // No unit is smaller than a byte.
        text.len() <= self.most || self.length_of(text) <= self.most
    }
}
