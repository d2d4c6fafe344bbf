//! Which calls a text takes. Pure.

use domain::message::{Part, PartState};
use domain::text::{FormattedText, split};

/// Telegram's limit for one message, in UTF-16 units after entities are parsed.
pub(crate) const TEXT_LIMIT: usize = 4_096;

/// The parts of a text, each with a `random_id` of its own.
pub(crate) fn parts(text: &FormattedText, mut random_id: impl FnMut() -> i64) -> Vec<Part> {
    split(text, TEXT_LIMIT)
        .into_iter()
        .zip(0..=u16::MAX)
        .map(|(text, index)| Part {
            index,
            text,
            random_id: random_id(),
            state: PartState::Waiting,
            message_id: None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_one_unit_too_long_leaves_in_two_parts() {
        let mut next = 0;
        let mut random_id = || {
            next += 1;
            next
        };
        assert_eq!(parts(&FormattedText::plain(&"a".repeat(4_096)), &mut random_id).len(), 1);
        let two = parts(&FormattedText::plain(&"a".repeat(4_097)), &mut random_id);
        assert_eq!(two.iter().map(|part| (part.index, part.random_id)).collect::<Vec<_>>(), [(0, 2), (1, 3)]);
    }
}
