//! JSON for terminals too: what one would obey rather than show is written as `\u009b` and the like, which is the same JSON.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

/// Writes a value on one line.
pub(crate) fn write(out: impl Write, value: &impl Serialize) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(out, Plain)).map_err(io::Error::from)
}

struct Plain;

impl Formatter for Plain {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let mut plain = 0;
        for (at, letter) in fragment.char_indices().filter(|(_, letter)| logs::is_harmful(*letter)) {
            out.write_all(&fragment.as_bytes()[plain..at])?;
            for unit in letter.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            plain = at + letter.len_utf8();
        }
        out.write_all(&fragment.as_bytes()[plain..])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        write(&mut out, &text).expect("written");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn a_terminal_obeys_nothing() {
        assert_eq!(written("a\u{9b}31m\u{202e}b \"ж\"\u{1b}\n"), r#""a\u009b31m\u202eb \"ж\"\u001b\n""#);
    }

    proptest! {
        #[test]
        fn it_is_the_same_json(text in any::<String>()) {
            let written = written(&text);
            prop_assert!(!written.chars().any(logs::is_harmful));
            prop_assert_eq!(serde_json::from_str::<String>(&written).expect("JSON"), text);
        }
    }
}
