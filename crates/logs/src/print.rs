//! A line as people read it, on one row of a terminal or of a file.

use std::fmt;

use domain::Timestamp;

use crate::escape::escaped;
use crate::level::Level;
use crate::line::Line;

/// A line written as text: the time in UTC to the millisecond, the level, the service, the sentence, then each field. What a
/// terminal would not show as letters is escaped.
pub struct Printed<'a> {
    line: &'a Line,
    colours: bool,
}

/// Writes a line as text, with colours for terminals or without.
pub const fn printed(line: &Line, colours: bool) -> Printed<'_> {
    Printed { line, colours }
}

const DIM: &str = "\u{1b}[2m";
const END: &str = "\u{1b}[0m";

const fn colour(level: Level) -> &'static str {
    match level {
        Level::Error => "\u{1b}[1;31m",
        Level::Warn => "\u{1b}[33m",
        Level::Info => "\u{1b}[32m",
        Level::Debug | Level::Trace => DIM,
    }
}

impl fmt::Display for Printed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paint = |code: &'static str| if self.colours { code } else { "" };
        let (dim, end) = (paint(DIM), paint(END));
        let Line { at, level, service, message, fields, .. } = self.line;
        write!(
            f,
            "{dim}{}{end} {}{level:<5}{end} {dim}{service:<11}{end} ",
            Moment(*at),
            paint(colour(*level))
        )?;
        write!(f, "{}", escaped(message))?;
        for (name, value) in fields {
            write!(f, " {dim}{}={end}{}", escaped(name), escaped(value))?;
        }
        Ok(())
    }
}

/// An instant to the millisecond.
struct Moment(Timestamp);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.0.to_string();
        // `…:31.204876Z`: the last three digits are more than people read.
        match whole.strip_suffix('Z').and_then(|time| time.get(..time.len().checked_sub(3)?)) {
            Some(time) if time.contains('.') => write!(f, "{time}Z"),
            _ => f.write_str(&whole),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LineId, Service};

    #[test]
    fn a_line_takes_one_row_whatever_is_in_it() {
        let line = Line {
            id: LineId::new(1),
            at: Timestamp::from_micros(1_893_456_000_204_876),
            level: Level::Warn,
            service: Service::SendText,
            error: None,
            message: "two\nrows".to_owned(),
            fields: vec![("account".to_owned(), "\u{1b}[2Jmain".to_owned())],
        };
        let plain = printed(&line, false).to_string();
        assert_eq!(plain, "2030-01-01T00:00:00.204Z warn  send_text   two\\nrows account=\\u{1b}[2Jmain");
        let coloured = printed(&line, true).to_string();
        assert!(
            coloured.contains("\u{1b}[33mwarn \u{1b}[0m") && !coloured.contains("\u{1b}[2J"),
            "{coloured:?}"
        );
    }
}
