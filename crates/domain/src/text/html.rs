//! HTML: the subset that Telegram's Bot API takes.

mod entity;
mod error;
mod tag;

use super::formatted::{Builder, EntityKind, FormattedText};
pub use error::{MarkupError, MarkupProblem};
use tag::{Attributes, Element, Tag};

/// How deep tags may be nested; Telegram itself keeps far fewer levels.
const MAX_DEPTH: usize = 32;

/// Whether broken markup is refused or passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strictness {
    /// Refused, as the Bot API does.
    Strict,
    /// Passed over, as browsers and older automations do.
    Lenient,
}

/// Writes a text so that it stands for itself inside HTML.
pub fn escape_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// Reads HTML.
pub(super) fn parse(input: &str, strictness: Strictness) -> Result<FormattedText, MarkupError> {
    let mut reader = Reader {
        input,
        at: 0,
        built: Builder::default(),
        open: Vec::new(),
        strictness,
        endless: tag::Endless::default(),
    };
    reader.read()?;
    Ok(reader.built.finish())
}

/// A tag that waits for its end.
struct Open {
    element: Element,
    name: String,
    /// Where the tag is in the input.
    at: usize,
    /// Where its content begins: in UTF-16 units, and in bytes of the text built.
    start: u32,
    start_bytes: usize,
    /// What its content becomes; none when it only adds something to its parent.
    kind: Option<EntityKind>,
}

struct Reader<'a> {
    input: &'a str,
    at: usize,
    built: Builder,
    open: Vec<Open>,
    strictness: Strictness,
    endless: tag::Endless,
}

impl Reader<'_> {
    fn read(&mut self) -> Result<(), MarkupError> {
        while let Some(rest) = self.input.get(self.at..).filter(|rest| !rest.is_empty()) {
            let plain = rest.find(['<', '&']).unwrap_or(rest.len());
            let (text, special) = rest.split_at(plain);
            self.built.push_str(text);
            self.at += plain;
            if special.starts_with('&') {
                let (character, length) = entity::decode(special).unwrap_or(('&', 1));
                self.built.push(character);
                self.at += length;
            } else if special.starts_with('<') {
                self.read_tag(special)?;
            }
        }
        match self.open.pop() {
            Some(open) if self.strictness == Strictness::Strict => {
                Err(MarkupError::new(open.at, MarkupProblem::Unclosed { tag: open.name }))
            }
            _ => Ok(()),
        }
    }

    fn read_tag(&mut self, rest: &str) -> Result<(), MarkupError> {
        if self.strictness == Strictness::Lenient && !tag::looks_like_one(rest) {
            self.built.push('<');
            self.at += 1;
            return Ok(());
        }
        let done = match tag::read(rest) {
            Ok(tag) => {
                let length = tag.length;
                self.take_tag(tag).map(|()| length)
            }
            Err(problem) => Err(problem),
        };
        match (done, self.strictness) {
            (Ok(length), _) => self.at += length,
            (Err(problem), Strictness::Strict) => return Err(MarkupError::new(self.at, problem)),
            (Err(_), Strictness::Lenient) => {
                if let Some(length) = tag::skip(rest, &mut self.endless) {
                    self.at += length;
                } else {
                    self.built.push('<');
                    self.at += 1;
                }
            }
        }
        Ok(())
    }

    fn take_tag(&mut self, tag: Tag) -> Result<(), MarkupProblem> {
        if tag.closing {
            return self.close(tag);
        }
        if tag.element == Element::Break {
            self.built.push('\n');
            return Ok(());
        }
        if tag.closes_itself {
            return Err(MarkupProblem::Unclosed { tag: tag.name });
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(MarkupProblem::TooDeep { limit: MAX_DEPTH });
        }
        let kind = self.kind(tag.element, &tag.attributes)?;
        self.open.push(Open {
            element: tag.element,
            name: tag.name,
            at: self.at,
            start: self.built.position(),
            start_bytes: self.built.bytes(),
            kind,
        });
        Ok(())
    }

    /// What the content of a tag becomes.
    fn kind(
        &mut self,
        element: Element,
        attributes: &Attributes,
    ) -> Result<Option<EntityKind>, MarkupProblem> {
        Ok(Some(match element {
            Element::Bold => EntityKind::Bold,
            Element::Italic => EntityKind::Italic,
            Element::Underline => EntityKind::Underline,
            Element::Strikethrough => EntityKind::Strikethrough,
            Element::Spoiler => EntityKind::Spoiler,
            Element::Span => {
                if attributes.get("class") != Some("tg-spoiler") {
                    return Err(MarkupProblem::BadAttribute {
                        tag: "span",
                        attribute: "class",
                        wanted: "\"tg-spoiler\"",
                    });
                }
                EntityKind::Spoiler
            }
            Element::Code => return Ok(self.code(attributes)),
            Element::Pre => EntityKind::Pre { language: String::new() },
            Element::Link => return Ok(attributes.get("href").and_then(EntityKind::link)),
            Element::Blockquote => {
                EntityKind::Blockquote { expandable: attributes.get("expandable").is_some() }
            }
            Element::CustomEmoji => EntityKind::CustomEmoji {
                id: attributes
                    .get("emoji-id")
                    .and_then(|id| id.parse().ok())
                    .filter(|id: &i64| *id != 0)
                    .ok_or(MarkupProblem::BadAttribute {
                        tag: "tg-emoji",
                        attribute: "emoji-id",
                        wanted: "the number of a custom emoji",
                    })?,
            },
            Element::Break => return Ok(None),
        }))
    }

    /// Code is code, but right inside a block of code it only says the language.
    fn code(&mut self, attributes: &Attributes) -> Option<EntityKind> {
        let Some(block) = self.open.last_mut().filter(|open| open.element == Element::Pre) else {
            return Some(EntityKind::Code);
        };
        let named = attributes.get("class").and_then(|class| class.strip_prefix("language-"));
        let first = matches!(self.built.since(block.start_bytes), "" | "\n");
        if let (Some(named), Some(EntityKind::Pre { language }), true) = (named, &mut block.kind, first) {
            named.clone_into(language);
        }
        None
    }

    fn close(&mut self, tag: Tag) -> Result<(), MarkupProblem> {
        let open = match (self.strictness, self.open.pop()) {
            (_, Some(open)) if open.name == tag.name => open,
            (Strictness::Strict, Some(open)) => {
                return Err(MarkupProblem::Mismatched { found: tag.name, expected: open.name });
            }
            (Strictness::Strict, None) => {
                return Err(MarkupProblem::NotOpened { found: tag.name });
            }
            (Strictness::Lenient, last) => {
                self.open.extend(last);
                match self.open.iter().rposition(|open| open.name == tag.name) {
                    Some(index) => self.open.remove(index),
                    None => return Ok(()),
                }
            }
        };
        if let Some(kind) = open.kind {
            self.built.mark(open.start, kind);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
