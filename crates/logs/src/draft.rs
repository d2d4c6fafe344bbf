//! A line that is being put together, within its bounds: what is too long is cut, with a mark that says so.

use std::fmt::{self, Write};

use crate::error_kind::{ErrorKind, SIGNS};
use crate::level::Level;
use crate::row::{self, Facts, LONGEST_TEXT};
use crate::service::Service;

/// The longest sentence or value, in bytes.
const LONGEST_PIECE: usize = 8 * 1024;
/// What the mark of a cut takes at most.
const MARK: usize = 48;
/// The most fields; tracing itself has a bound of 32.
const MOST_FIELDS: usize = 40;

/// A line before it is written. Used again for the next one.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    message: String,
    has_message: bool,
    /// The fields as they will be in the text.
    fields: String,
    lengths: Vec<(usize, usize)>,
    service: Option<Service>,
    /// The type that a field shows, with the field's place among those that can.
    error: Option<(usize, ErrorKind)>,
}

impl Draft {
    pub(crate) fn clear(&mut self) {
        self.message.clear();
        self.has_message = false;
        self.fields.clear();
        self.lengths.clear();
        self.service = None;
        self.error = None;
    }

    /// Adds a field. The first that is called `message` is the sentence.
    pub(crate) fn add(&mut self, name: &str, value: impl FnOnce(&mut dyn Write) -> fmt::Result) {
        let left =
            LONGEST_TEXT.saturating_sub(self.message.len() + self.fields.len() + name.len() + 2 + MARK);
        if name == "message" && !self.has_message {
            self.has_message = true;
            put(&mut self.message, left, value);
            return;
        }
        if self.lengths.len() >= MOST_FIELDS || left <= MARK {
            return;
        }
        self.fields.push(' ');
        self.fields.push_str(name);
        self.fields.push('=');
        let begin = self.fields.len();
        put(&mut self.fields, left, value);
        self.lengths.push((name.len(), self.fields.len() - begin));
        self.notice(name, begin);
    }

    /// What the last value says of the line.
    fn notice(&mut self, name: &str, begin: usize) {
        let value = &self.fields[begin..];
        if name == "service" {
            self.service = value.parse().ok();
        }
        if let Some(rank) = SIGNS.iter().position(|sign| *sign == name)
            && self.error.is_none_or(|(known, _)| rank < known)
            && let Some(error) = ErrorKind::of_value(value)
        {
            self.error = Some((rank, error));
        }
    }

    /// Puts the line behind others that wait.
    pub(crate) fn finish(&self, at: i64, level: Level, target: &str, out: &mut Vec<u8>) {
        let facts = Facts {
            at,
            level,
            service: self.service.unwrap_or_else(|| Service::of_target(target)),
            error: self.error.map(|(_, error)| error),
        };
        row::put_head(out, 0, facts, self.message.len(), self.lengths.iter().copied());
        out.extend(self.message.as_bytes());
        out.extend(self.fields.as_bytes());
    }
}

/// Writes a value, or as much of it as there is room for and a mark.
fn put(out: &mut String, left: usize, value: impl FnOnce(&mut dyn Write) -> fmt::Result) {
    let mut piece = Piece { out, left: left.min(LONGEST_PIECE), whole: 0, cut: false };
    // A value that cannot be written is kept as far as it came.
    let _ = value(&mut piece);
    let Piece { whole, cut, .. } = piece;
    if cut {
        let _ = write!(out, "… [cut, {whole} bytes in all]");
    }
}

/// Takes as much as there is room for, and counts the rest.
struct Piece<'a> {
    out: &'a mut String,
    left: usize,
    whole: usize,
    cut: bool,
}

impl Write for Piece<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.whole = self.whole.saturating_add(text.len());
        if self.cut {
            return Ok(());
        }
        let fits = text.floor_char_boundary(self.left);
        self.out.push_str(&text[..fits]);
        self.left -= fits;
        self.cut = fits < text.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::row::Rows;

    fn line(draft: &Draft) -> crate::Line {
        let mut bytes = Vec::new();
        draft.finish(1, Level::Info, "web::router", &mut bytes);
        let heads: Vec<_> = Rows::new(&bytes).collect();
        assert_eq!(heads.len(), 1, "{draft:?}");
        heads[0].line(1, &bytes, &bytes)
    }

    #[test]
    fn a_megabyte_is_cut_with_a_mark() {
        let mut draft = Draft::default();
        draft.add("message", |out| out.write_str("long"));
        draft.add("body", |out| out.write_str(&"я".repeat(1 << 19)));
        draft.add("account", |out| out.write_str("main"));
        let line = line(&draft);
        let body = line.field("body").expect("a body");
        assert!(body.len() < LONGEST_PIECE + MARK && body.ends_with("я… [cut, 1048576 bytes in all]"));
        assert_eq!((line.message.as_str(), line.account()), ("long", Some("main")));
    }

    #[test]
    fn service_and_error_come_from_the_fields() {
        let mut draft = Draft::default();
        draft.add("state", |out| out.write_str("banned"));
        draft.add("outcome", |out| out.write_str("flood_wait"));
        draft.add("service", |out| out.write_str("send_text"));
        draft.add("message", |out| out.write_str("one"));
        draft.add("message", |out| out.write_str("two"));
        let found = line(&draft);
        assert_eq!((found.service, found.error), (Service::SendText, Some(ErrorKind::FloodWait)));
        assert_eq!((found.message.as_str(), found.field("message")), ("one", Some("two")));
        draft.clear();
        assert_eq!((line(&draft).service, line(&draft).error), (Service::Web, None));
    }

    proptest! {
        #[test]
        fn any_fields_make_a_line_that_reads_back(
            message in prop::option::of(".{0,20}"),
            fields in prop::collection::vec(("[a-z_.]{1,12}", ".{0,40}", 1_usize..2_000), 0..60),
        ) {
            let mut draft = Draft::default();
            if let Some(message) = &message {
                draft.add("message", |out| out.write_str(message));
            }
            let mut whole = true;
            for (name, value, times) in &fields {
                let value = value.repeat(*times);
                whole &= value.len() < 200;
                draft.add(name, |out| out.write_str(&value));
            }
            let line = line(&draft);
            prop_assert!(line.text().len() <= LONGEST_TEXT);
            if whole && fields.len() < MOST_FIELDS && message.is_some() {
                let given: Vec<_> =
                    fields.iter().map(|(name, value, times)| (name.clone(), value.repeat(*times))).collect();
                prop_assert_eq!(line.fields, given);
                prop_assert_eq!(Some(line.message), message);
            }
        }
    }
}
