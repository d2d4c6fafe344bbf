//! For how long the same body counts as a repeat of the first request.

use std::time::Duration;

use crate::duration::parse_duration;

/// The shortest and the longest time, as they are written.
pub(crate) const SHORTEST: &str = "1s";
pub(crate) const LONGEST: &str = "1d";

/// A text that is no such time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a length of time from {SHORTEST} to {LONGEST}, such as \"10m\"")]
pub struct InvalidRepeats;

/// Reads how long the same body counts as a repeat.
pub fn parse_repeats(text: &str) -> Result<Duration, InvalidRepeats> {
    let (shortest, longest) = (parse_duration(SHORTEST).ok(), parse_duration(LONGEST).ok());
    parse_duration(text)
        .ok()
        .filter(|given| shortest <= Some(*given) && Some(*given) <= longest)
        .ok_or(InvalidRepeats)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_take_a_second_to_a_day() {
        assert_eq!(parse_repeats("10m"), Ok(Duration::from_mins(10)));
        for text in ["1s", "1d", "24h"] {
            assert!(parse_repeats(text).is_ok(), "{text}");
        }
        for text in ["", "0s", "999ms", "1d1s", "10", "ten minutes"] {
            assert_eq!(parse_repeats(text), Err(InvalidRepeats), "{text}");
        }
    }
}
