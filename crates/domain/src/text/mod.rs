//! Formatted text: parse modes, entities, splitting and mentions.
//!
//! Everything here is pure. Offsets and lengths are UTF-16 code units, the unit that the protocol uses.

pub(crate) mod commonmark;
mod file;
mod fold;
mod formatted;
mod html;
mod limit;
mod markdown;
mod mention;
mod mode;
mod split;
mod units;

#[cfg(test)]
mod properties;

pub use file::{announced_separator, read_file, with_line_feeds};
pub use fold::{bare, bare_into, folded, folded_line, noun_forms, shows_nothing, stem, visible};
pub use formatted::{Entity, EntityKind, FormattedText};
pub use html::{MarkupError, MarkupProblem, escape_html};
pub use limit::{MOST_ENTITIES, TextLimit, Unit};
pub use markdown::{escape_markdown, is_code_open};
pub use mention::{has_placeholder, with_mention, without_mention};
pub use mode::{ParseMode, UnknownParseMode, parse, parse_leniently};
pub use split::{split, split_after};
pub use units::utf16_len;
