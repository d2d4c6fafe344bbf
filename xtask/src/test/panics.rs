//! The panics of failed tests, said again after the tally: the output between may be long.

use std::fmt;

/// How many panics are kept, and of each so many lines of so many characters.
const PANICS: usize = 40;
const LINES: usize = 5;
const LETTERS: usize = 400;

/// What the test programs say of panics. Output of tests that pass is not shown by them, and so not in here.
#[derive(Debug, Default)]
pub(super) struct Panics {
    kept: Vec<Vec<String>>,
    /// Whether the next line still belongs to the newest one.
    is_open: bool,
}

impl Panics {
    /// Takes a line of output.
    pub(super) fn read(&mut self, line: &str) {
        if line.starts_with("thread '") && line.contains(" panicked at ") {
            self.is_open = self.kept.len() < PANICS;
            if self.is_open {
                self.kept.push(vec![short(line)]);
            }
        } else if self.is_open {
            let panic = self.kept.last_mut().filter(|lines| lines.len() < LINES);
            match panic {
                Some(lines) if line != "stack backtrace:" => lines.push(short(line)),
                _ => self.is_open = false,
            }
        }
    }
}

fn short(line: &str) -> String {
    line.chars().take(LETTERS).collect()
}

impl fmt::Display for Panics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kept.iter().flatten().try_for_each(|line| writeln!(formatter, "{line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_are_kept_with_their_words_and_no_backtrace() {
        let mut panics = Panics::default();
        for line in [
            "test a ... FAILED",
            "thread 'a' (7) panicked at src/a.rs:1:2:",
            "assertion failed",
            "stack backtrace:",
            "   0: __rustc::rust_begin_unwind",
            "thread 'b' (8) panicked at src/b.rs:3:4:",
            &"x".repeat(1_000),
        ] {
            panics.read(line);
        }
        let expected = format!(
            "thread 'a' (7) panicked at src/a.rs:1:2:\nassertion failed\nthread 'b' (8) panicked at src/b.rs:3:4:\n{}\n",
            "x".repeat(LETTERS)
        );
        assert_eq!(panics.to_string(), expected);
    }
}
