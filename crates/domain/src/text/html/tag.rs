//! One tag: its name, its attributes, where it ends.

use super::{MarkupProblem, entity};

/// The elements that have a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    Bold,
    Italic,
    Underline,
    Strikethrough,
    Spoiler,
    Span,
    Code,
    Pre,
    Link,
    Blockquote,
    CustomEmoji,
    Break,
}

impl Element {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "b" | "strong" => Self::Bold,
            "i" | "em" => Self::Italic,
            "u" | "ins" => Self::Underline,
            "s" | "strike" | "del" => Self::Strikethrough,
            "tg-spoiler" => Self::Spoiler,
            "span" => Self::Span,
            "code" => Self::Code,
            "pre" => Self::Pre,
            "a" => Self::Link,
            "blockquote" => Self::Blockquote,
            "tg-emoji" => Self::CustomEmoji,
            "br" => Self::Break,
            _ => return None,
        })
    }
}

/// A tag as it was read.
#[derive(Debug)]
pub(super) struct Tag {
    pub(super) element: Element,
    pub(super) name: String,
    pub(super) attributes: Attributes,
    pub(super) closing: bool,
    pub(super) closes_itself: bool,
    /// The bytes it took, from `<` to `>`.
    pub(super) length: usize,
}

/// The attributes of a tag, names in lower case, values decoded.
#[derive(Debug, Default)]
pub(super) struct Attributes(Vec<(String, String)>);

impl Attributes {
    /// The value of an attribute; the first one counts.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// More attributes than any known tag has; the rest is not kept.
const MAX_ATTRIBUTES: usize = 16;

/// How much of an unknown name is shown in an error.
const SHOWN: usize = 32;

/// Whether a `<` begins a tag, a comment or the like for a browser.
pub(super) fn looks_like_one(text: &str) -> bool {
    let mut following = text.chars().skip(1);
    match following.next() {
        Some('/') => following.next().is_some_and(|character| character.is_ascii_alphabetic()),
        Some('!' | '?') => true,
        Some(character) => character.is_ascii_alphabetic(),
        None => false,
    }
}

/// Which ends do not come any more; once looked for in vain, they are not looked for again.
#[derive(Debug, Default)]
pub(super) struct Endless {
    tags: bool,
    comments: bool,
}

/// The bytes that a tag or comment without a meaning takes; none when it never ends.
pub(super) fn skip(text: &str, endless: &mut Endless) -> Option<usize> {
    let (end, in_vain) =
        if text.starts_with("<!--") { ("-->", &mut endless.comments) } else { (">", &mut endless.tags) };
    if *in_vain {
        return None;
    }
    let found = text.find(end).map(|at| at + end.len());
    *in_vain = found.is_none();
    found
}

/// Reads the tag at the start of a text that begins with `<`.
pub(super) fn read(text: &str) -> Result<Tag, MarkupProblem> {
    let mut cursor = Cursor { text, at: 1 };
    let closing = cursor.take('/');
    let name = cursor.until(|character| character.is_whitespace() || matches!(character, '>' | '/' | '<'));
    let shown = || name.chars().take(SHOWN).collect::<String>();
    let lower = if name.len() <= SHOWN { name.to_ascii_lowercase() } else { String::new() };
    let known = Element::named(&lower);
    if closing {
        cursor.skip_space();
        let Some(element) = known.filter(|element| *element != Element::Break) else {
            return Err(MarkupProblem::NotOpened { found: shown() });
        };
        if !cursor.take('>') {
            return Err(MarkupProblem::Unfinished { tag: format!("/{lower}") });
        }
        return Ok(Tag {
            element,
            name: lower,
            attributes: Attributes::default(),
            closing,
            closes_itself: false,
            length: cursor.at,
        });
    }
    let Some(element) = known else {
        return Err(MarkupProblem::Unsupported { found: shown() });
    };
    let mut attributes = Attributes::default();
    let mut closes_itself = false;
    loop {
        cursor.skip_space();
        if cursor.take('>') {
            return Ok(Tag { element, name: lower, attributes, closing, closes_itself, length: cursor.at });
        }
        if cursor.take('/') {
            closes_itself = true;
            continue;
        }
        closes_itself = false;
        let Some((attribute, value)) = cursor.attribute() else {
            return Err(MarkupProblem::Unfinished { tag: lower });
        };
        if attributes.0.len() < MAX_ATTRIBUTES {
            attributes.0.push((attribute, value));
        }
    }
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.rest().starts_with(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn until(&mut self, stop: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let (found, _) = rest.split_at(rest.find(stop).unwrap_or(rest.len()));
        self.at += found.len();
        found
    }

    fn skip_space(&mut self) {
        self.until(|character| !character.is_whitespace());
    }

    /// One `name`, `name=value`, `name="value"` or `name='value'`; none when it is broken or the text ends in it.
    fn attribute(&mut self) -> Option<(String, String)> {
        let name = self.until(|character| {
            character.is_whitespace() || matches!(character, '=' | '>' | '/' | '<' | '"' | '\'')
        });
        if name.is_empty() {
            return None;
        }
        let name = name.to_ascii_lowercase();
        self.skip_space();
        if !self.take('=') {
            return Some((name, String::new()));
        }
        self.skip_space();
        for quote in ['"', '\''] {
            if self.take(quote) {
                let value = self.until(|character| character == quote);
                return self.take(quote).then(|| (name, entity::decode_all(value)));
            }
        }
        let value = self.until(|character| character.is_whitespace() || matches!(character, '>' | '<'));
        (!value.is_empty()).then(|| (name, entity::decode_all(value)))
    }
}
