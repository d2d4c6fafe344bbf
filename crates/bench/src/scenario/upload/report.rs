//! What is reported of uploads.

use serde_json::Value;

use super::Upload;
use crate::report::{Goal, Measured, megabytes, table, times};

/// At most this part of the library's processor time for a large file.
const PROCESSOR: f64 = 1.0 / 3.0;

/// What a large file may add to the memory, in kilobytes.
const MEMORY: u64 = 20 * 1_024;

impl Measured for Upload {
    fn text(&self) -> String {
        let Self { ours, library, both_ways, size, .. } = self;
        let took = times(f64::from(ours.took), f64::from(library.took));
        let processor = times(ours.processor, library.processor);
        let (more, theirs) = (megabytes(ours.memory_more), megabytes(library.memory_more));
        let rows = [
            format!("| a file, ms | {} | {} | {took} |", ours.took, library.took),
            format!("| CPU a file, ms | {:.0} | {:.0} | {processor} |", ours.processor, library.processor),
            format!("| memory more than before the first, MB | {more} | {theirs} | |"),
        ];
        format!(
            "## Sending a file of {} MB\n\nBy turns, {} each, no two the same. Switchboard is asked by `POST /v1/messages` with a \
             path: that it takes a copy and its hash first is in it. Telethon has cryptg and only sends.\n\n{}\
             One of {} MB, by `POST /v1/uploads` and back by `GET /v1/messages/{{id}}/media/0`, adds {} MB of memory on its \
             way out and {} MB on its way back.\n\n",
            size / 1_000_000,
            ours.files,
            table("| | Switchboard | Telethon + cryptg | ratio |", rows),
            both_ways.size / 1_000_000,
            megabytes(both_ways.memory_more_out),
            megabytes(both_ways.memory_more_back)
        )
    }

    fn goals(&self) -> Vec<Goal> {
        let Self { ours, library, both_ways: both, .. } = self;
        let any = ours.files > 0;
        let mut memory = Goal::memory("memory that large files add", MEMORY, ours.memory_more);
        memory.met &= any;
        let more = both.memory_more_out.max(both.memory_more_back);
        let mut memory_of_both =
            Goal::memory("memory that a very large file adds, out and back", MEMORY, more);
        memory_of_both.met &= both.size > 0;
        vec![
            Goal::new(
                "a large file, of Telethon's time with cryptg",
                "≤ 1×",
                times(f64::from(ours.took), f64::from(library.took)),
                any && ours.took <= library.took,
            ),
            Goal::new(
                "CPU of a large file, of Telethon's with cryptg",
                format!("≤ {PROCESSOR:.2}×"),
                times(ours.processor, library.processor),
                any && ours.processor <= library.processor * PROCESSOR,
            ),
            memory,
            Goal::new(
                "large files that arrived whole",
                self.sent,
                self.whole,
                self.sent > 0 && self.whole == self.sent,
            ),
            memory_of_both,
            Goal::new(
                "bytes of it that came back as they were",
                both.size,
                both.same,
                both.size > 0 && both.same == both.size,
            ),
        ]
    }

    fn unknown_methods(&self) -> Vec<&Value> {
        self.unknown_methods.iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{RoundTrip, Side};
    use super::*;
    use crate::report::assert_missed;

    #[test]
    fn each_goal_can_be_missed() {
        let side = |took, processor, memory_more| Side { files: 3, took, processor, memory_more };
        let upload = |ours, whole, both_ways| Upload {
            size: 1,
            ours,
            library: side(1_000, 300.0, 0),
            sent: 6,
            whole,
            both_ways,
            unknown_methods: Vec::new(),
        };
        let both = |more, same| RoundTrip { size: 9, memory_more_out: 1, memory_more_back: more, same };
        assert_missed(&upload(side(1_000, 100.0, MEMORY - 1), 6, both(MEMORY - 1, 9)), 0);
        assert_missed(&upload(side(1_001, 100.1, MEMORY), 5, both(MEMORY, 8)), 6);
    }
}
