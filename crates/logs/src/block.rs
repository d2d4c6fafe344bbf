//! A block: some thousand lines that are compressed together, with what is needed to pass over it unread.
//!
//! In a segment it is a head of fixed size, the filter of its words, its lines' heads and its lines' texts, the last two
//! deflated. Each of the four has a checksum. Texts are set apart by a byte that no text has, so that a word can be looked
//! for in all of them at once.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use crate::ngram_filter::NgramFilter;
use crate::row::{self, Head};

pub(crate) const HEAD: usize = 108;
const MAGIC: [u8; 4] = *b"SwLb";
/// Between two texts. UTF-8 never has it.
pub(crate) const BETWEEN: u8 = 0xff;
/// The most that a part of a block may have unpacked: what claims more is damaged.
const LARGEST: usize = 16 << 20;
/// How hard to compress: a third of the time of the usual 6, and a tenth larger.
const EFFORT: u32 = 3;

/// A block that grows in memory.
pub(crate) struct Growing {
    pub(crate) first: u64,
    pub(crate) lines: u32,
    heads: Vec<u8>,
    texts: Vec<u8>,
    ngrams: NgramFilter,
    before: i64,
    marks: Marks,
}

/// What a block has at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) earliest: i64,
    pub(crate) latest: i64,
    pub(crate) levels: u8,
    /// A bit for each service.
    pub(crate) services: u64,
    /// A bit for each type of error.
    pub(crate) errors: u64,
}

impl Marks {
    const NONE: Self = Self { earliest: i64::MAX, latest: i64::MIN, levels: 0, services: 0, errors: 0 };

    fn add(&mut self, facts: row::Facts) {
        self.earliest = self.earliest.min(facts.at);
        self.latest = self.latest.max(facts.at);
        self.levels |= 1 << facts.level.code();
        self.services |= 1 << facts.service.code();
        self.errors |= facts.error.map_or(0, |error| 1 << error.code());
    }
}

/// The head of a block in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Label {
    pub(crate) first: u64,
    pub(crate) lines: u32,
    pub(crate) marks: Marks,
    pub(crate) filter: Part,
    pub(crate) heads: Part,
    pub(crate) texts: Part,
}

/// A part of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    /// Its bytes in the file.
    pub(crate) packed: u32,
    /// Its bytes unpacked.
    pub(crate) raw: u32,
    crc: u32,
}

impl Growing {
    /// An empty one, whose first line will have this number.
    pub(crate) fn new(first: u64) -> Self {
        Self {
            first,
            lines: 0,
            heads: Vec::new(),
            texts: Vec::new(),
            ngrams: NgramFilter::new(),
            before: 0,
            marks: Marks::NONE,
        }
    }

    /// Begins the next one.
    pub(crate) fn restart(&mut self, first: u64) {
        self.first = first;
        self.lines = 0;
        self.heads.clear();
        self.texts.clear();
        self.ngrams.clear();
        self.before = 0;
        self.marks = Marks::NONE;
    }

    /// Adds a line that is in `rows`.
    pub(crate) fn add(&mut self, head: &Head, rows: &[u8]) {
        let facts = head.facts();
        let text = rows.get(head.text.clone()).unwrap_or_default();
        let lengths: Vec<_> = head.fields(rows).collect();
        row::put_head(&mut self.heads, self.before, facts, head.message(), lengths.into_iter());
        self.texts.extend(text);
        self.texts.push(BETWEEN);
        self.ngrams.add(&String::from_utf8_lossy(text));
        self.before = facts.at;
        self.marks.add(facts);
        self.lines += 1;
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.lines == 0
    }

    /// The bytes of its texts.
    pub(crate) fn size(&self) -> usize {
        self.texts.len()
    }

    /// When its oldest line was written.
    pub(crate) fn earliest(&self) -> Option<i64> {
        (!self.is_empty()).then_some(self.marks.earliest)
    }

    pub(crate) const fn marks(&self) -> Marks {
        self.marks
    }

    /// The number after its last line.
    pub(crate) fn end(&self) -> u64 {
        self.first + u64::from(self.lines)
    }

    /// The block as it goes into a file. Nothing only if the compressor itself fails.
    pub(crate) fn packed(&self) -> Option<Vec<u8>> {
        let filter = self.ngrams.narrowed();
        let heads = deflate(&self.heads)?;
        let texts = deflate(&self.texts)?;
        let part = |packed: &[u8], raw: usize| {
            Some(Part {
                packed: u32::try_from(packed.len()).ok()?,
                raw: u32::try_from(raw).ok()?,
                crc: crc32fast::hash(packed),
            })
        };
        let label = Label {
            first: self.first,
            lines: self.lines,
            marks: self.marks,
            filter: part(&filter, filter.len())?,
            heads: part(&heads, self.heads.len())?,
            texts: part(&texts, self.texts.len())?,
        };
        let mut bytes = Vec::with_capacity(HEAD + filter.len() + heads.len() + texts.len());
        bytes.extend(label.bytes());
        bytes.extend(filter);
        bytes.extend(heads);
        bytes.extend(texts);
        Some(bytes)
    }
}

impl Label {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD);
        bytes.extend(MAGIC);
        bytes.extend([0; 4]);
        bytes.extend(self.first.to_le_bytes());
        bytes.extend(self.lines.to_le_bytes());
        bytes.extend(u32::from(self.marks.levels).to_le_bytes());
        bytes.extend(self.marks.earliest.to_le_bytes());
        bytes.extend(self.marks.latest.to_le_bytes());
        bytes.extend(self.marks.services.to_le_bytes());
        bytes.extend(self.marks.errors.to_le_bytes());
        for part in [self.filter, self.heads, self.texts] {
            bytes.extend(part.packed.to_le_bytes());
            bytes.extend(part.raw.to_le_bytes());
            bytes.extend(part.crc.to_le_bytes());
        }
        // Room for what a later version has to say.
        bytes.resize(HEAD, 0);
        let crc = crc32fast::hash(&bytes[8..]);
        bytes[4..8].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads the head of a block; nothing when there is none.
    pub(crate) fn read(bytes: &[u8; HEAD]) -> Option<Self> {
        let mut input = Numbers(bytes);
        let magic: [u8; 4] = input.take()?;
        let crc = u32::from_le_bytes(input.take()?);
        if magic != MAGIC || crc != crc32fast::hash(&bytes[8..]) {
            return None;
        }
        let first = u64::from_le_bytes(input.take()?);
        let lines = u32::from_le_bytes(input.take()?);
        let levels = u8::try_from(u32::from_le_bytes(input.take()?)).ok()?;
        let marks = Marks {
            levels,
            earliest: i64::from_le_bytes(input.take()?),
            latest: i64::from_le_bytes(input.take()?),
            services: u64::from_le_bytes(input.take()?),
            errors: u64::from_le_bytes(input.take()?),
        };
        let mut part = || {
            let part = Part {
                packed: u32::from_le_bytes(input.take()?),
                raw: u32::from_le_bytes(input.take()?),
                crc: u32::from_le_bytes(input.take()?),
            };
            (part.packed as usize <= LARGEST && part.raw as usize <= LARGEST).then_some(part)
        };
        let label = Self { first, lines, marks, filter: part()?, heads: part()?, texts: part()? };
        label.first.checked_add(u64::from(lines)).map(|_| label)
    }

    /// The bytes of the whole block.
    pub(crate) fn size(&self) -> u64 {
        u64::try_from(HEAD).unwrap_or(u64::MAX)
            + u64::from(self.filter.packed)
            + u64::from(self.heads.packed)
            + u64::from(self.texts.packed)
    }

    /// The number after its last line.
    pub(crate) fn end(&self) -> u64 {
        self.first.saturating_add(u64::from(self.lines))
    }

    /// Whether these are the bytes of the whole block as they were written.
    pub(crate) fn is_whole(&self, block: &[u8]) -> bool {
        let mut rest = block.get(HEAD..).unwrap_or_default();
        [self.filter, self.heads, self.texts].iter().all(|part| {
            let Some((bytes, behind)) = rest.split_at_checked(part.packed as usize) else { return false };
            rest = behind;
            part.is(bytes)
        })
    }

    /// Where the heads and the texts are behind the block's beginning.
    pub(crate) fn heads_at(&self) -> u64 {
        u64::try_from(HEAD).unwrap_or(u64::MAX) + u64::from(self.filter.packed)
    }

    /// The same for the texts.
    pub(crate) fn texts_at(&self) -> u64 {
        self.heads_at() + u64::from(self.heads.packed)
    }
}

impl Part {
    /// Whether these are the bytes that were written.
    pub(crate) fn is(&self, packed: &[u8]) -> bool {
        packed.len() == self.packed as usize && crc32fast::hash(packed) == self.crc
    }

    /// Unpacks it; false when the bytes are not those that were written.
    pub(crate) fn unpack(&self, packed: &[u8], unpacker: &mut Decompress, raw: &mut Vec<u8>) -> bool {
        if !self.is(packed) {
            return false;
        }
        raw.clear();
        raw.resize(self.raw as usize, 0);
        unpacker.reset(false);
        let done = unpacker.decompress(packed, raw, FlushDecompress::Finish);
        matches!(done, Ok(Status::StreamEnd)) && unpacker.total_out() == u64::from(self.raw)
    }
}

/// Numbers of fixed size, one after the other.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (number, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*number)
    }
}

fn deflate(raw: &[u8]) -> Option<Vec<u8>> {
    let mut deflater = Compress::new(Compression::new(EFFORT), false);
    // What does not compress grows by a few bytes in 16 KiB.
    let mut packed = Vec::with_capacity(raw.len() + raw.len() / 1000 + 256);
    let done = deflater.compress_vec(raw, &mut packed, FlushCompress::Finish);
    matches!(done, Ok(Status::StreamEnd)).then_some(packed)
}

/// The lines of a block whose heads are unpacked.
pub(crate) fn heads(label: &Label, raw: &[u8]) -> Option<Vec<Head>> {
    let mut found = Vec::with_capacity((label.lines as usize).min(raw.len()));
    let (mut at, mut before, mut text) = (0, 0, 0);
    for _ in 0..label.lines {
        let (head, end) = row::take_head(raw, at, before, text)?;
        at = end;
        before = head.at;
        text = head.text.end + 1;
        found.push(head);
    }
    (text == label.texts.raw as usize).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_reads_back_and_any_changed_byte_is_noticed() {
        let mut block = Growing::new(7);
        let rows = crate::row::made::row(&crate::line::Line {
            id: crate::LineId::new(7),
            at: domain::Timestamp::from_micros(5),
            level: crate::Level::Warn,
            service: crate::Service::Web,
            error: None,
            message: "a connection ended".to_owned(),
            fields: vec![("account".to_owned(), "main".to_owned())],
        });
        for head in row::Rows::new(&rows) {
            block.add(&head, &rows);
        }
        let packed = block.packed().expect("packs");
        let mut head: [u8; HEAD] = packed[..HEAD].try_into().expect("a head");
        let label = Label::read(&head).expect("reads");
        assert_eq!((label.first, label.lines, label.marks), (7, 1, block.marks()));
        assert_eq!(label.size(), packed.len() as u64);
        for at in 0..HEAD {
            head[at] ^= 1;
            assert_eq!(Label::read(&head), None, "byte {at}");
            head[at] ^= 1;
        }
    }
}
