//! The longest text of one message: what a text that is not split must keep to.

use domain::text::{TextLimit, Unit};

use crate::problem::{FieldError, Problem};

/// Refuses a text longer than one message of the chat may be.
pub(super) fn refuse_long(limit: TextLimit, text: &str) -> Result<(), Problem> {
    if limit.takes(text) {
        return Ok(());
    }
    let unit = match limit.unit() {
        Unit::Utf16 => "UTF-16 units",
        Unit::Characters => "characters",
        Unit::Bytes => "bytes",
    };
    let (length, most) = (limit.length_of(text), limit.most());
    let message = format!(
        "has {length} {unit}, and a message takes {most}; write less, or send the rest as another message"
    );
    Err(Problem::fields(vec![FieldError::new("text", message)]))
}
