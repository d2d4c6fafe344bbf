//! Looking through one block: by what its head says, by the filter of its words, and only then line by line.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use flate2::Decompress;
use memchr::memmem::Finder;

use crate::block::{self, BETWEEN, Label, Marks};
use crate::files::{BlockEntry, OpenLines};
use crate::filter::Filter;
use crate::fold::fold;
use crate::line::Line;
use crate::ngram_filter::Sought;
use crate::row::{Head, Rows};

/// What to look for, made ready once for all blocks.
pub(crate) struct Matcher<'a> {
    filter: &'a Filter,
    /// The numbers of the lines that count.
    numbers: Range<u64>,
    sought: Sought,
    services: u64,
    errors: u64,
    text: Option<Word<'a>>,
}

enum Word<'a> {
    Exact(Finder<'a>),
    /// In any letter case, of ASCII alone: quick to find among texts whose ASCII letters are made small.
    Small(Finder<'a>),
    /// In any letter case, with other letters.
    Folded(String),
}

/// What a reader of blocks uses again and again, so that memory stays flat.
#[derive(Default)]
pub(crate) struct ScanBuffers {
    packed: Vec<u8>,
    heads: Vec<u8>,
    texts: Vec<u8>,
    small: Vec<u8>,
    unpacker: Option<Decompress>,
}

/// Lines that are at hand: their heads' bytes, their texts' bytes, and where each is.
struct Lines<'a> {
    first: u64,
    found: &'a [Head],
    heads: &'a [u8],
    texts: &'a [u8],
}

/// A block that cannot be read as it was written.
#[derive(Debug)]
pub(crate) struct Damaged;

/// What is wanted of the lines that match.
pub(crate) enum Take<'a> {
    /// The lines, at most so many, from the end if so wanted.
    Lines { most: usize, newest_first: bool, out: &'a mut Vec<Line> },
    /// Their numbers and heads.
    Heads(&'a mut dyn FnMut(u64, &Head)),
}

impl<'a> Matcher<'a> {
    pub(crate) fn new(filter: &'a Filter, numbers: Range<u64>) -> Self {
        let text = filter.text.as_deref().filter(|text| !text.is_empty()).map(|text| {
            if filter.match_case {
                Word::Exact(Finder::new(text))
            } else if text.is_ascii() {
                Word::Small(Finder::new(&text.to_ascii_lowercase()).into_owned())
            } else {
                Word::Folded(fold(text).into_owned())
            }
        });
        Self {
            filter,
            numbers,
            sought: filter.sought(),
            services: filter.services.iter().fold(0, |bits, service| bits | 1 << service.code()),
            errors: filter.errors.iter().fold(0, |bits, error| bits | 1 << error.code()),
            text,
        }
    }

    /// The numbers of the lines that count.
    pub(crate) const fn numbers(&self) -> &Range<u64> {
        &self.numbers
    }

    /// Whether a block's head lets hope for a line.
    pub(crate) fn may_have(&self, label: &Label) -> bool {
        label.end() > self.numbers.start && label.first < self.numbers.end && self.may_match(&label.marks)
    }

    fn may_match(&self, marks: &Marks) -> bool {
        let filter = self.filter;
        filter.level.is_none_or(|least| marks.levels & ((2 << least.code()) - 1) != 0)
            && (self.services == 0 || marks.services & self.services != 0)
            && (self.errors == 0 || marks.errors & self.errors != 0)
            && filter.since.is_none_or(|since| marks.latest >= since.as_micros())
            && filter.until.is_none_or(|until| marks.earliest < until.as_micros())
    }

    fn takes_head(&self, head: &Head) -> bool {
        let filter = self.filter;
        filter.level.is_none_or(|least| head.level <= least)
            && (self.services == 0 || self.services & (1 << head.service.code()) != 0)
            && (self.errors == 0 || head.error.is_some_and(|error| self.errors & (1 << error.code()) != 0))
            && filter.since.is_none_or(|since| head.at >= since.as_micros())
            && filter.until.is_none_or(|until| head.at < until.as_micros())
    }

    fn takes_fields(&self, head: &Head, lines: &Lines<'_>) -> bool {
        let pairs = || head.pairs(lines.heads, lines.texts);
        let filter = self.filter;
        filter.account.as_ref().is_none_or(|account| {
            pairs()
                .find(|(name, _)| *name == b"account")
                .is_some_and(|(_, value)| value == account.as_bytes())
        }) && filter
            .subject
            .as_ref()
            .is_none_or(|subject| pairs().any(|(_, value)| value == subject.as_bytes()))
    }

    /// Looks through a block of a segment.
    pub(crate) fn look_into(
        &self,
        file: &File,
        entry: &BlockEntry,
        buffers: &mut ScanBuffers,
        take: Take<'_>,
    ) -> Result<(), Damaged> {
        let BlockEntry { at, label } = entry;
        let ScanBuffers { packed, heads, texts, small, unpacker } = buffers;
        let unpacker = unpacker.get_or_insert_with(|| Decompress::new(false));
        if !self.sought.is_empty() {
            read(file, at + block::HEAD as u64, label.filter.packed, packed)?;
            // A filter that is damaged says nothing.
            if label.filter.is(packed) && !self.sought.may_be_in(packed) {
                return Ok(());
            }
        }
        read(file, at + label.heads_at(), label.heads.packed, packed)?;
        if !label.heads.unpack(packed, unpacker, heads) {
            return Err(Damaged);
        }
        let found = block::heads(label, heads).ok_or(Damaged)?;
        texts.clear();
        if !(self.filter.needs_no_text() && matches!(take, Take::Heads(_))) {
            read(file, at + label.texts_at(), label.texts.packed, packed)?;
            if !label.texts.unpack(packed, unpacker, texts) {
                return Err(Damaged);
            }
        }
        self.look(&Lines { first: label.first, found: &found, heads, texts }, small, take);
        Ok(())
    }

    /// Looks through the newest lines.
    pub(crate) fn look_at(&self, open: &OpenLines, buffers: &mut ScanBuffers, take: Take<'_>) {
        let found: Vec<_> = Rows::new(&open.rows).collect();
        let lines = Lines { first: open.first, found: &found, heads: &open.rows, texts: &open.rows };
        self.look(&lines, &mut buffers.small, take);
    }

    fn look(&self, lines: &Lines<'_>, small: &mut Vec<u8>, take: Take<'_>) {
        let matching = self.matching(lines, small);
        match take {
            Take::Lines { most, newest_first, out } => {
                let line = |index: usize| {
                    lines.found[index].line(lines.first + index as u64, lines.heads, lines.texts)
                };
                let indexes = matching.into_iter();
                if newest_first {
                    out.extend(indexes.rev().take(most).map(line));
                } else {
                    out.extend(indexes.take(most).map(line));
                }
            }
            Take::Heads(note) => {
                for index in matching {
                    note(lines.first + index as u64, &lines.found[index]);
                }
            }
        }
    }

    /// The indexes of the lines that are wanted, in order.
    fn matching(&self, lines: &Lines<'_>, small: &mut Vec<u8>) -> Vec<usize> {
        let from = usize::try_from(self.numbers.start.saturating_sub(lines.first)).unwrap_or(usize::MAX);
        let to = usize::try_from(self.numbers.end.saturating_sub(lines.first)).unwrap_or(usize::MAX);
        let to = to.min(lines.found.len());
        let mut indexes = Vec::new();
        if from >= to {
            return indexes;
        }
        let wanted = |index: &usize| {
            let head = &lines.found[*index];
            self.takes_head(head) && self.takes_fields(head, lines)
        };
        match &self.text {
            None => indexes.extend((from..to).filter(wanted)),
            Some(Word::Folded(word)) => indexes.extend((from..to).filter(wanted).filter(|&index| {
                let text = lines.texts.get(lines.found[index].text.clone()).unwrap_or_default();
                fold(&String::from_utf8_lossy(text)).contains(word.as_str())
            })),
            Some(Word::Exact(finder)) => {
                indexes.extend(hits(finder, lines.texts, lines.found, from..to).filter(wanted));
            }
            Some(Word::Small(finder)) => {
                small.clear();
                small.extend_from_slice(lines.texts);
                small.make_ascii_lowercase();
                indexes.extend(hits(finder, small, lines.found, from..to).filter(wanted));
            }
        }
        indexes
    }
}

fn read(file: &File, at: u64, length: u32, bytes: &mut Vec<u8>) -> Result<(), Damaged> {
    bytes.resize(length as usize, 0);
    file.read_exact_at(bytes, at).map_err(|_: io::Error| Damaged)
}

/// The indexes of the lines whose text has the word, in order and each once. The word is looked for in all texts at once.
fn hits<'a>(
    finder: &'a Finder<'_>,
    texts: &'a [u8],
    found: &'a [Head],
    range: Range<usize>,
) -> impl Iterator<Item = usize> + use<'a> {
    debug_assert!(!finder.needle().contains(&BETWEEN), "texts are set apart by a byte that no word has");
    let length = finder.needle().len();
    let mut index = range.start;
    let mut at = found.get(index).map_or(texts.len(), |head| head.text.start);
    std::iter::from_fn(move || {
        loop {
            let hit = at + finder.find(texts.get(at..)?)?;
            // The line that the hit is in, or the next one when it is between two.
            index += found.get(index..range.end)?.partition_point(|head| head.text.end <= hit);
            let head = found.get(index..range.end)?.first()?;
            if hit >= head.text.start && hit + length <= head.text.end {
                index += 1;
                at = head.text.end;
                return Some(index - 1);
            }
            at = (hit + 1).max(head.text.start);
        }
    })
}
