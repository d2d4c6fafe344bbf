//! The layout of a line in memory and in files: a head with its facts and lengths, and its text in one piece.
//!
//! The text is the sentence followed by ` name=value` for each field: what searches for words look at is there as it is.

use std::ops::Range;

use domain::Timestamp;

use crate::error_kind::ErrorKind;
use crate::level::Level;
use crate::line::{Line, LineId};
use crate::service::Service;
use crate::varint;

/// The most bytes that the text of a line may have; longer ones are cut before they come here.
pub(crate) const LONGEST_TEXT: usize = 16 * 1024;

/// The most fields.
const MOST_FIELDS: usize = 64;

/// The facts of a line that most filters need, and where the rest is.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) at: i64,
    pub(crate) level: Level,
    pub(crate) service: Service,
    pub(crate) error: Option<ErrorKind>,
    /// The place of the text among the texts.
    pub(crate) text: Range<usize>,
    /// The length of the sentence, with which the text begins.
    message: usize,
    /// The place of the fields' lengths among the heads.
    lengths: Range<usize>,
}

/// What a line's head says before its lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) at: i64,
    pub(crate) level: Level,
    pub(crate) service: Service,
    pub(crate) error: Option<ErrorKind>,
}

/// Writes the head of a line, whose time is written as the distance to `before`.
pub(crate) fn put_head(
    out: &mut Vec<u8>,
    before: i64,
    facts: Facts,
    message: usize,
    fields: impl ExactSizeIterator<Item = (usize, usize)>,
) {
    varint::put_signed(out, facts.at.wrapping_sub(before));
    out.extend([facts.level.code(), facts.service.code(), facts.error.map_or(0, ErrorKind::code)]);
    varint::put_length(out, message);
    varint::put_length(out, fields.len());
    for (name, value) in fields {
        varint::put_length(out, name);
        varint::put_length(out, value);
    }
}

/// Reads the head that begins at `at` among `heads`, of a line whose text begins at `text`. Gives it and the end of it; nothing
/// when there is no head of a line that could have been written.
pub(crate) fn take_head(heads: &[u8], at: usize, before: i64, text: usize) -> Option<(Head, usize)> {
    let mut input = heads.get(at..)?;
    let time = before.wrapping_add(varint::take_signed(&mut input)?);
    let [level, service, error, rest @ ..] = input else { return None };
    input = rest;
    let message = varint::take_length(&mut input)?;
    let fields = varint::take_length(&mut input)?;
    if message > LONGEST_TEXT || fields > MOST_FIELDS {
        return None;
    }
    let begin = heads.len() - input.len();
    let mut length = message;
    for _ in 0..fields {
        let name = varint::take_length(&mut input)?;
        let value = varint::take_length(&mut input)?;
        length = length.checked_add(name)?.checked_add(value)?.checked_add(2)?;
    }
    if length > LONGEST_TEXT {
        return None;
    }
    let end = heads.len() - input.len();
    let head = Head {
        at: time,
        level: Level::from_code(*level),
        service: Service::from_code(*service),
        error: ErrorKind::from_code(*error),
        text: text..text.checked_add(length)?,
        message,
        lengths: begin..end,
    };
    Some((head, end))
}

impl Head {
    /// The lengths of the names and values.
    pub(crate) fn fields<'a>(&self, heads: &'a [u8]) -> impl Iterator<Item = (usize, usize)> + use<'a> {
        let mut input = heads.get(self.lengths.clone()).unwrap_or_default();
        std::iter::from_fn(move || Some((varint::take_length(&mut input)?, varint::take_length(&mut input)?)))
    }

    /// The length of the sentence.
    pub(crate) const fn message(&self) -> usize {
        self.message
    }

    pub(crate) const fn facts(&self) -> Facts {
        Facts { at: self.at, level: self.level, service: self.service, error: self.error }
    }

    /// Names and values as they are among the texts.
    pub(crate) fn pairs<'a>(
        &self,
        heads: &'a [u8],
        texts: &'a [u8],
    ) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let mut at = self.text.start + self.message;
        self.fields(heads).map_while(move |(name, value)| {
            let name_begin = at + 1;
            let value_begin = name_begin + name + 1;
            at = value_begin + value;
            Some((texts.get(name_begin..value_begin - 1)?, texts.get(value_begin..at)?))
        })
    }

    pub(crate) fn line(&self, number: u64, heads: &[u8], texts: &[u8]) -> Line {
        let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let message = texts.get(self.text.start..self.text.start + self.message).unwrap_or_default();
        Line {
            id: LineId::new(number),
            at: Timestamp::from_micros(self.at),
            level: self.level,
            service: self.service,
            error: self.error,
            message: words(message),
            fields: self.pairs(heads, texts).map(|(name, value)| (words(name), words(value))).collect(),
        }
    }
}

/// Lines one after the other, each as its head and its text: how they wait in memory and are stored in the open file.
#[derive(Debug, Clone)]
pub(crate) struct Rows<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Rows<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Where the next one begins.
    pub(crate) const fn position(&self) -> usize {
        self.at
    }
}

impl Iterator for Rows<'_> {
    type Item = Head;

    /// The next line; its text is among the same bytes. Ends before anything that is no line.
    fn next(&mut self) -> Option<Head> {
        let (mut head, end) = take_head(self.bytes, self.at, 0, 0)?;
        head.text = end..end + head.text.len();
        if head.text.end > self.bytes.len() {
            return None;
        }
        self.at = head.text.end;
        Some(head)
    }
}

#[cfg(test)]
pub(crate) mod made {
    //! Lines for tests.

    use super::{Facts, put_head};
    use crate::line::Line;

    /// A line as it waits in memory.
    pub(crate) fn row(line: &Line) -> Vec<u8> {
        let mut bytes = Vec::new();
        let facts =
            Facts { at: line.at.as_micros(), level: line.level, service: line.service, error: line.error };
        let lengths: Vec<_> = line.fields.iter().map(|(name, value)| (name.len(), value.len())).collect();
        put_head(&mut bytes, 0, facts, line.message.len(), lengths.into_iter());
        bytes.extend(line.text().as_bytes());
        bytes
    }
}
