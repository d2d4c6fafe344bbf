//! What the program says on its standard output. Nobody reading it is no reason to stop.

use std::fmt;
use std::io::{self, Write};

/// Writes a line. A reader that went away, as `head` does, has seen what it wanted.
pub(crate) fn line(text: fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Like `println!`, for a reader who may leave.
macro_rules! say {
    ($($text:tt)*) => { $crate::output::line(format_args!($($text)*)) };
}
pub(crate) use say;

/// An error with its causes, each said once.
pub(crate) fn explain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_was_told_is_not_told_again() {
        let cause = || anyhow::anyhow!("no rights");
        assert_eq!(
            explain(&cause().context("cannot read x: no rights; check it")),
            "cannot read x: no rights; check it"
        );
        assert_eq!(explain(&cause().context("cannot read x")), "cannot read x: no rights");
    }
}
