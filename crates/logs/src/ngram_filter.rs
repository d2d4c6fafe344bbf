//! Which blocks a word cannot be in: a filter over the runs of four bytes that a block's texts have.
//!
//! A word is in a text only if all its runs of four bytes are. Each run sets one bit; a block keeps the bits in the smallest
//! size that leaves half of them unset, about 2 % of its raw size. A word of eight letters that is not there passes about one
//! block in thirty; an id of ours practically none.

use crate::fold::fold;

/// The bytes of a run.
const RUN: usize = 4;
/// The bits that are gathered while a block grows.
const WIDE: u32 = 20;
/// The fewest bits that a block keeps.
const NARROW: u32 = 10;

/// The runs of one growing block.
pub(crate) struct NgramFilter {
    bits: Vec<u64>,
}

/// The position of a run among 2^32; the leading bits are those that count.
fn position(run: u32) -> u32 {
    run.wrapping_mul(0x9e37_79b1)
}

fn runs(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.windows(RUN).map(|run| u32::from_le_bytes([run[0], run[1], run[2], run[3]]))
}

impl NgramFilter {
    pub(crate) fn new() -> Self {
        Self { bits: vec![0; 1 << (WIDE - 6)] }
    }

    /// Adds the runs of one text.
    pub(crate) fn add(&mut self, text: &str) {
        let folded = fold(text);
        for run in runs(folded.as_bytes()) {
            let bit = position(run) >> (32 - WIDE);
            if let Some(word) = self.bits.get_mut(bit as usize >> 6) {
                *word |= 1 << (bit & 63);
            }
        }
    }

    /// The bits to keep. A narrower filter is the wide one with neighbours put together: the leading bits stay.
    pub(crate) fn narrowed(&self) -> Vec<u8> {
        let mut bits = self.bits.clone();
        let mut width = WIDE;
        let set: u64 = bits.iter().map(|word| u64::from(word.count_ones())).sum();
        while width > NARROW && (1_u64 << (width - 1)) >= 2 * set {
            halve(&mut bits);
            width -= 1;
        }
        bits.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    pub(crate) fn clear(&mut self) {
        self.bits.fill(0);
    }
}

/// Puts each two neighbouring bits together.
fn halve(bits: &mut Vec<u64>) {
    let halves = bits.len() / 2;
    for at in 0..halves {
        bits[at] = pairs(bits[2 * at]) | (pairs(bits[2 * at + 1]) << 32);
    }
    bits.truncate(halves);
}

/// Of 64 bits 32: one for each two neighbours, set if either is.
fn pairs(word: u64) -> u64 {
    let mut even = (word | (word >> 1)) & 0x5555_5555_5555_5555;
    for (shift, mask) in [
        (1, 0x3333_3333_3333_3333),
        (2, 0x0f0f_0f0f_0f0f_0f0f),
        (4, 0x00ff_00ff_00ff_00ff),
        (8, 0x0000_ffff_0000_ffff),
        (16, 0x0000_0000_ffff_ffff_u64),
    ] {
        even = (even | (even >> shift)) & mask;
    }
    even
}

/// The runs of a word that is looked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sought(Vec<u32>);

impl Sought {
    /// Of words that must all be there, in any letter case.
    pub(crate) fn of<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let mut positions: Vec<u32> = words
            .into_iter()
            .flat_map(|word| runs(fold(word).as_bytes()).collect::<Vec<_>>())
            .map(position)
            .collect();
        positions.sort_unstable();
        positions.dedup();
        Self(positions)
    }

    /// Whether there is anything to ask a filter for.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a block with this filter may have all of them. A filter that is none lets everything pass.
    pub(crate) fn may_be_in(&self, filter: &[u8]) -> bool {
        let bits = filter.len() * 8;
        if !bits.is_power_of_two() || !(NARROW..=WIDE).contains(&bits.ilog2()) {
            return true;
        }
        let shift = 32 - bits.ilog2();
        self.0.iter().all(|position| {
            let bit = (position >> shift) as usize;
            filter.get(bit >> 3).is_some_and(|byte| byte & (1 << (bit & 7)) != 0)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_word_that_is_there_always_passes(
            texts in prop::collection::vec("\\PC{0,60}", 1..20),
            which: prop::sample::Index,
            from: prop::sample::Index,
            length in 1_usize..20,
        ) {
            let mut ngrams = NgramFilter::new();
            for text in &texts {
                ngrams.add(text);
            }
            let filter = ngrams.narrowed();
            prop_assert!(filter.len().is_power_of_two());
            let letters: Vec<char> = which.get(&texts).chars().collect();
            if letters.is_empty() {
                return Ok(());
            }
            let begin = from.index(letters.len());
            let word: String = letters[begin..].iter().take(length).collect();
            prop_assert!(Sought::of([word.as_str()]).may_be_in(&filter), "{word:?}");
            prop_assert!(Sought::of([word.to_uppercase().to_lowercase().as_str()]).0.len() < 100);
        }
    }

    #[test]
    fn a_word_that_is_not_there_seldom_passes() {
        let mut ngrams = NgramFilter::new();
        for number in 0..5_000 {
            ngrams.add(&format!("sent subject=msg_{:026} account=main took_ms={number}", number * 7_919));
        }
        let filter = ngrams.narrowed();
        assert!(filter.len() <= 1 << 14, "{}", filter.len());
        let passed = ["persistent", "timestamp", "zebra crossing", "msg_01kaf7v0s8e2xyzkmnpqrstvwx"]
            .into_iter()
            .filter(|word| Sought::of([*word]).may_be_in(&filter))
            .count();
        assert_eq!(passed, 0);
        assert!(Sought::of(["abc"]).is_empty() && Sought::of(["abc"]).may_be_in(&filter));
    }

    #[test]
    fn neighbouring_bits_are_merged() {
        assert_eq!(pairs(0), 0);
        assert_eq!(pairs(u64::MAX), 0xffff_ffff);
        for bit in 0..64 {
            assert_eq!(pairs(1 << bit), 1 << (bit / 2));
        }
    }
}
