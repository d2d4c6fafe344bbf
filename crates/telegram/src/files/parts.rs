//! A file cut into the parts in which it goes up: how many, how many at once, which are there. Pure.

use std::time::Duration;

use grammers_tl_types::{Identifiable, functions};

/// How long each part of a small file is, in bytes.
const SMALL_PART: u32 = 128 * 1024;

/// How long each part of a big file is: the longest that Telegram takes, so that there are few to wait for.
const PART: u32 = 512 * 1024;

const MOST_PARTS: u32 = 4_000;

/// What goes up as a small file, in bytes; anything larger goes up as a big one.
const SMALL: u64 = 10 * 1024 * 1024;

/// The most bytes on the way at once. They are in memory.
const MOST_AT_ONCE: u32 = 4 * PART;

/// The same for a small file: a hundred accounts may send one each.
const FEW_AT_ONCE: u32 = 4 * SMALL_PART;

/// An answer that comes sooner lets one more part go out at once; one that comes later than [`SLOW`] lets one fewer.
const QUICK: Duration = Duration::from_millis(750);

/// Texts of the same account wait behind the parts that are on the way: on a slow line they are few.
const SLOW: Duration = Duration::from_secs(3);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) size: u64,
    /// How long each part but the last is, in bytes.
    pub(super) part: u32,
    pub(super) parts: u32,
}

impl Cut {
    /// None for a file that is empty, or larger than Telegram takes.
    pub(super) fn of(size: u64) -> Option<Self> {
        let part = if size <= SMALL { SMALL_PART } else { PART };
        let parts = u32::try_from(size.div_ceil(u64::from(part))).ok()?;
        (1..=MOST_PARTS).contains(&parts).then_some(Self { size, part, parts })
    }

    pub(super) const fn is_big(self) -> bool {
        self.size > SMALL
    }

    fn at_once(self) -> usize {
        let bytes = if self.is_big() { MOST_AT_ONCE } else { FEW_AT_ONCE };
        usize::try_from((bytes / self.part).max(1)).unwrap_or(1)
    }

    /// Where a part begins; the end of the file, for the one after the last.
    pub(super) fn offset(self, part: u32) -> u64 {
        (u64::from(part) * u64::from(self.part)).min(self.size)
    }

    pub(super) fn length(self, part: u32) -> usize {
        let left = self.size.saturating_sub(self.offset(part)).min(u64::from(self.part));
        usize::try_from(left).unwrap_or(0)
    }

    /// The call that brings a part up, with room for its bytes: they are read to where `usize` points, and are in memory once.
    pub(super) fn call(self, file_id: i64, part: u32) -> (Vec<u8>, usize) {
        let length = self.length(part);
        let id = if self.is_big() {
            functions::upload::SaveBigFilePart::CONSTRUCTOR_ID
        } else {
            functions::upload::SaveFilePart::CONSTRUCTOR_ID
        };
        let mut body = Vec::with_capacity(length + 32);
        body.extend(id.to_le_bytes());
        body.extend(file_id.to_le_bytes());
        body.extend(part.to_le_bytes());
        if self.is_big() {
            body.extend(self.parts.to_le_bytes());
        }
        // TL writes the count of bytes in one byte or in three.
        match u8::try_from(length) {
            Ok(short) if short < 254 => body.push(short),
            _ => {
                body.push(254);
                body.extend(length.to_le_bytes().into_iter().take(3));
            }
        }
        let start = body.len();
        body.resize((start + length).next_multiple_of(4), 0);
        (body, start)
    }
}

/// Which parts are there: all before the first that is missing, and some after it.
#[derive(Debug)]
pub(super) struct Arrived {
    done: u32,
    after: Vec<u32>,
}

impl Arrived {
    pub(super) const fn from(done: u32) -> Self {
        Self { done, after: Vec::new() }
    }

    pub(super) const fn done(&self) -> u32 {
        self.done
    }

    /// Returns whether there are now more without a gap.
    pub(super) fn note(&mut self, part: u32) -> bool {
        let before = self.done;
        if part > self.done {
            if !self.after.contains(&part) {
                self.after.push(part);
            }
        } else if part == self.done {
            self.done += 1;
            while let Some(place) = self.after.iter().position(|after| *after == self.done) {
                self.after.swap_remove(place);
                self.done += 1;
            }
        }
        self.done > before
    }
}

/// How many parts may be on the way at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    size: usize,
    most: usize,
}

impl Window {
    pub(super) fn of(cut: Cut) -> Self {
        let most = cut.at_once();
        Self { size: most.min(2), most }
    }

    pub(super) const fn size(self) -> usize {
        self.size
    }

    pub(super) fn answered(&mut self, took: Duration) {
        if took < QUICK {
            self.size = (self.size + 1).min(self.most);
        } else if took > SLOW {
            self.shrink();
        }
    }

    pub(super) fn shrink(&mut self) {
        self.size = (self.size - 1).max(1);
    }
}

#[cfg(test)]
mod tests {
    use grammers_tl_types::Serializable as _;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn larger_files_have_longer_parts() {
        let cut = |size| Cut::of(size).map(|cut| (cut.parts, cut.part, cut.at_once()));
        assert_eq!(Cut::of(0), None);
        assert_eq!(cut(1), Some((1, 131_072, 4)));
        assert_eq!(cut(131_072), Some((1, 131_072, 4)));
        assert_eq!(
            Cut::of(131_073).map(|cut| (cut.parts, cut.length(0), cut.length(1))),
            Some((2, 131_072, 1))
        );
        assert_eq!(cut(SMALL), Some((80, 131_072, 4)));
        assert_eq!(cut(SMALL + 1), Some((21, 524_288, 4)));
        assert_eq!(cut(4_000 * 524_288), Some((4_000, 524_288, 4)));
        assert_eq!(Cut::of(4_000 * 524_288 + 1), None);
        assert_eq!(Cut::of(u64::MAX), None);
        // The settings let no larger file in.
        let greatest = config::parse_size(config::GREATEST_FILE).expect("a size");
        assert_eq!(greatest, u64::from(MOST_PARTS) * u64::from(PART));
        assert!(
            Cut::of(SMALL).is_some_and(|cut| !cut.is_big()) && Cut::of(SMALL + 1).is_some_and(Cut::is_big)
        );
    }

    #[test]
    fn the_window_follows_the_speed_of_the_line() {
        let mut window = Window::of(Cut::of(SMALL + 1).expect("a file"));
        for _ in 0..9 {
            window.answered(Duration::from_millis(10));
        }
        assert_eq!(window.size(), 4);
        window.answered(Duration::from_secs(1));
        assert_eq!(window.size(), 4);
        for _ in 0..9 {
            window.answered(Duration::from_secs(9));
        }
        assert_eq!(window.size(), 1);
    }

    proptest! {
        #[test]
        fn a_call_is_written_as_the_library_writes_it(size in 1..30_000_000_u64, part in 0..200_u32, file_id: i64) {
            let cut = Cut::of(size).expect("not too large");
            let part = part % cut.parts;
            let bytes: Vec<u8> = (0..251_u8).cycle().take(cut.length(part)).collect();
            let (mut body, start) = cut.call(file_id, part);
            body[start..start + bytes.len()].copy_from_slice(&bytes);
            let file_part = i32::try_from(part).expect("small");
            let expected = if cut.is_big() {
                let file_total_parts = i32::try_from(cut.parts).expect("small");
                functions::upload::SaveBigFilePart { file_id, file_part, file_total_parts, bytes }.to_bytes()
            } else {
                functions::upload::SaveFilePart { file_id, file_part, bytes }.to_bytes()
            };
            prop_assert_eq!(body, expected);
        }

        #[test]
        fn all_parts_make_the_file(size in 1..2_000_000_000_u64) {
            let cut = Cut::of(size).expect("not too large");
            let total: u64 = (0..cut.parts).map(|part| cut.length(part) as u64).sum();
            prop_assert_eq!(total, size);
        }

        #[test]
        fn parts_count_when_all_before_them_are_there(order in Just((0..20_u32).collect::<Vec<_>>()).prop_shuffle()) {
            let mut arrived = Arrived::from(0);
            let mut seen = std::collections::BTreeSet::new();
            for part in order {
                let before = arrived.done();
                let moved = arrived.note(part);
                seen.insert(part);
                let expected = (0..=20).find(|part| !seen.contains(part)).expect("one is missing");
                prop_assert_eq!(arrived.done(), expected);
                prop_assert_eq!(moved, expected > before);
                prop_assert!(!arrived.note(part));
            }
            prop_assert_eq!((arrived.done(), arrived.after.len()), (20, 0));
        }
    }
}
