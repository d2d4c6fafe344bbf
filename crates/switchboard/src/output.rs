//! The standard output. A reader that closes it does not stop the program.

use std::fmt;
use std::io::{self, Write};

use serde_json::Value;

use crate::plain_json;

/// Writes a line; a closed output, as after `head`, is no error.
pub(crate) fn line(text: fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Like `println!`, without its panic on a closed output.
macro_rules! say {
    ($($text:tt)*) => { $crate::output::line(format_args!($($text)*)) };
}
pub(crate) use say;

/// Writes JSON over several lines. A terminal executes nothing in it.
pub(crate) fn say_json(value: &Value) {
    line(format_args!("{}", plain_json::plain(format!("{value:#}"))));
}

/// The same on one line, for programs that read line by line.
pub(crate) fn say_json_line(value: &Value) {
    line(format_args!("{}", plain_json::plain(value.to_string())));
}

/// A text of several lines in which a terminal executes nothing but the ends of lines.
pub(crate) fn plain(text: &str) -> String {
    text.split('\n').map(|line| logs::escaped(line).to_string()).collect::<Vec<_>>().join("\n")
}

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
    fn a_terminal_obeys_nothing_but_the_ends_of_lines() {
        assert_eq!(plain("a\u{1b}[31m\nb\u{202e}\n"), "a\\u{1b}[31m\nb\\u{202e}\n");
    }

    #[test]
    fn a_cause_in_the_message_is_not_repeated() {
        let cause = || anyhow::anyhow!("no rights");
        assert_eq!(
            explain(&cause().context("cannot read x: no rights; check it")),
            "cannot read x: no rights; check it"
        );
        assert_eq!(explain(&cause().context("cannot read x")), "cannot read x: no rights");
    }
}
