//! What is reported of log lines.

use super::Logs;
use crate::report::{Goal, Measured, megabytes, table};

/// The first lines with a word, in milliseconds.
const WORD: u128 = 1_000;

/// A small server's memory, in kilobytes: what a search takes must fit beside everything else.
const SMALL_SERVER: u64 = 512 * 1_024;

impl Measured for Logs {
    fn text(&self) -> String {
        let rows = self.words.iter().map(|word| {
            let cells = [word.ours, word.served, word.page, word.grep, word.zgrep].map(|ms| ms.to_string());
            format!("| {} | {} | {} |", word.what, word.found, cells.join(" | "))
        });
        let rotation = &self.rotation;
        format!(
            "## {} log lines\n\n{} MB as text are {} MB in the store. Writing one takes {:.2} µs of a processor, the making of the \
             event and all that the store does later included; {:.0} a second went in.\n\nThe first 100 lines with a word, by \
             `switchboard logs --grep` while no server runs and by `GET /v1/logs` of a server. The page `/logs` shows 200 and counts \
             all of a day for its bars. Beside it `grep -m 100` on the text and `zgrep -m 100` on the same packed by gzip. All files \
             are in the memory of the system.\n\n{}The page without a word took {} ms. The server had {} MB of memory before the first \
             search and {} MB at most. With a budget of {} bytes {} lines were written; the files never had more than {} bytes, and \
             the oldest line was {}.\n\n",
            self.lines,
            self.text / 1_000_000,
            self.stored / 1_000_000,
            self.processor,
            self.per_second,
            table(
                "| | lines | `switchboard logs`, ms | `/v1/logs`, ms | `/logs`, ms | grep, ms | zgrep, ms |",
                rows
            ),
            self.page,
            megabytes(self.memory_before),
            megabytes(self.memory_highest),
            rotation.budget,
            rotation.lines,
            rotation.most,
            if rotation.went { "gone" } else { "still there" },
        )
    }

    fn goals(&self) -> Vec<Goal> {
        let slowest = self.words.iter().map(|word| word.ours.max(word.served)).max().unwrap_or(u128::MAX);
        let right =
            self.words.iter().all(|word| word.found == word.expected && word.served_found == word.expected);
        let rotation = &self.rotation;
        let mut memory = Goal::memory(
            "memory of the server at most, while all of them are searched",
            SMALL_SERVER,
            self.memory_highest,
        );
        memory.met &= self.memory_highest > 0;
        vec![
            Goal::new(
                "the first 100 log lines with a word, whichever",
                format!("< {WORD} ms"),
                format!("{slowest} ms"),
                slowest < WORD,
            ),
            Goal::all("lines with the word that were found", right && !self.words.is_empty()),
            Goal::new(
                "log lines written, none dropped",
                self.lines,
                self.written,
                self.written == self.lines,
            ),
            memory,
            Goal::new(
                "log files on the disk at most, with a budget, in bytes",
                format!("≤ {}", rotation.budget),
                rotation.most,
                rotation.most > 0 && rotation.most <= rotation.budget && rotation.went,
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Rotation, Word};
    use super::*;
    use crate::report::assert_missed;

    #[test]
    fn each_goal_can_be_missed() {
        let word = |ours, served, served_found| Word {
            what: "a",
            found: 1,
            expected: 1,
            ours,
            served,
            served_found,
            page: 700,
            grep: 900,
            zgrep: 9_000,
        };
        let logs = |word, written, memory_highest, most| Logs {
            lines: 7,
            written,
            memory_highest,
            rotation: Rotation { budget: 10, most, lines: 5, went: true },
            words: vec![word],
            ..Logs::default()
        };
        let good = logs(word(12, 999, 1), 7, SMALL_SERVER - 1, 10);
        assert_missed(&good, 0);
        assert!(good.text().contains("| a | 1 | 12 | 999 | 700 | 900 | 9000 |"));
        assert_missed(&logs(word(1, 1_000, 2), 6, SMALL_SERVER, 11), 5);
    }
}
