//! How long a caller waits for what it asked for, in a body or in a query. Pure.

use std::time::Duration;

use crate::problem::FieldError;

/// How long a caller may wait, in seconds.
const LONGEST: f64 = 100.0;

/// The seconds that a caller named, or these if it named none.
pub(super) fn wait(seconds: Option<f64>, otherwise: Duration) -> Result<Duration, FieldError> {
    match seconds {
        None => Ok(otherwise),
        Some(seconds) if (0.0..=LONGEST).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        Some(_) => Err(FieldError::new("wait", "is wrong: write a number of seconds from 0 to 100")),
    }
}

pub(super) fn wait_in_query(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| (0.0..=LONGEST).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "write a number of seconds from 0 to 100".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_number_is_a_wait_or_a_clear_refusal(seconds: f64) {
            let inside = (0.0..=100.0).contains(&seconds);
            prop_assert_eq!(wait(Some(seconds), Duration::ZERO).is_ok(), inside);
            prop_assert_eq!(wait_in_query(&seconds.to_string()).is_ok(), inside);
        }
    }

    #[test]
    fn a_wait_that_is_not_a_number_is_refused() {
        for text in ["", "x", "NaN", "inf", "-inf", "1s"] {
            assert!(wait_in_query(text).is_err(), "{text}");
        }
        assert_eq!(wait(None, Duration::from_secs(7)), Ok(Duration::from_secs(7)));
    }
}
