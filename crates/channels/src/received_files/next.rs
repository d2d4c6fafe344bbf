//! What comes after a file that was not fetched. Pure.

use std::time::Duration;

use media::TakeError;

use crate::error::CallError;

/// The wait after the first try; each further one is twice as long.
const RETRY: Duration = Duration::from_mins(1);

/// The longest wait between two tries.
const LONGEST_RETRY: Duration = Duration::from_hours(6);

/// How many times a provider has to say that it has no such file: one that was sent a moment ago may not be everywhere yet.
const GONE_REPORTS: u32 = 3;

/// No link of a provider lives longer, by its pages: that of Wappi does. A file that is asked for by its id gets a new link.
const LONGEST_LIFE: Duration = Duration::from_hours(7 * 24);

/// Why a file was not fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The account is not in the settings any more.
    #[error("the account is not in the settings any more")]
    NoAccount,
    /// The provider does not give it.
    #[error(transparent)]
    Call(#[from] CallError),
    /// It cannot be taken in.
    #[error(transparent)]
    Take(#[from] TakeError),
}

/// What comes after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// It is tried again after this.
    Retry(Duration),
    /// The provider does not have it.
    Gone,
    /// It is larger than what is stored.
    TooLarge,
    /// Nothing of the account is fetched for a while: why, and how long where that is known. The file loses no try by it.
    Rest(&'static str, Option<Duration>),
}

impl FetchError {
    /// Whether the provider says that it does not have the file.
    pub fn is_gone(&self) -> bool {
        match self {
            Self::Call(error) => {
                matches!(error, CallError::NotFound(_) | CallError::Refused { .. }) && !error.is_too_large()
            }
            Self::Take(error) => matches!(error, TakeError::Empty),
            Self::NoAccount => false,
        }
    }

    /// Whether the file is larger than what is taken.
    pub fn is_too_large(&self) -> bool {
        match self {
            Self::Call(error) => error.is_too_large(),
            Self::Take(error) => matches!(error, TakeError::TooLarge { .. }),
            Self::NoAccount => false,
        }
    }

    /// What comes after it, where the file was tried so often before and its message came in so long ago.
    pub(super) fn next(&self, tries: u32, age: Duration) -> Next {
        match self {
            Self::Take(TakeError::NoSpace) => return Next::Rest("disk_full", None),
            Self::Take(TakeError::Disk(_)) => return Next::Rest("disk_failed", None),
            Self::Call(CallError::Wait { wait, .. }) => return Next::Rest("limited", Some(*wait)),
            Self::Call(error) if error.stops_account() => return Next::Rest("stopped", None),
            Self::NoAccount => return Next::Rest("stopped", None),
            error if error.is_too_large() => return Next::TooLarge,
            error if error.is_gone() && tries + 1 >= GONE_REPORTS => return Next::Gone,
            _ => {}
        }
        let wait = RETRY.saturating_mul(2_u32.saturating_pow(tries)).min(LONGEST_RETRY);
        if age.saturating_add(wait) < LONGEST_LIFE { Next::Retry(wait) } else { Next::Gone }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn errors() -> impl Strategy<Value = FetchError> {
        prop_oneof![
            Just(()).prop_map(|()| FetchError::NoAccount),
            Just(()).prop_map(|()| CallError::NotFound("404".to_owned()).into()),
            Just(()).prop_map(|()| CallError::refused("400", "wrong file_id").into()),
            Just(()).prop_map(|()| CallError::too_large(1).into()),
            Just(()).prop_map(|()| CallError::Token("401".to_owned()).into()),
            (0_u64..100_000).prop_map(|wait| CallError::wait(Duration::from_secs(wait)).into()),
            Just(()).prop_map(|()| CallError::Server("500".to_owned()).into()),
            Just(()).prop_map(|()| CallError::Broken("reset".to_owned()).into()),
            Just(()).prop_map(|()| CallError::NoAnswer(Duration::from_secs(30)).into()),
            Just(()).prop_map(|()| TakeError::TooLarge { most: 1 }.into()),
            Just(()).prop_map(|()| TakeError::NoSpace.into()),
            Just(()).prop_map(|()| TakeError::Empty.into()),
            Just(()).prop_map(|()| TakeError::Broken("reset".to_owned()).into()),
            Just(()).prop_map(|()| TakeError::OtherLength { declared: 2, received: 1 }.into()),
        ]
    }

    proptest! {
        #[test]
        fn a_file_is_tried_for_as_long_as_its_link_may_live(error in errors(), tries in 0_u32..100, hours in 0_u64..400) {
            let age = Duration::from_hours(hours);
            match error.next(tries, age) {
                Next::Retry(wait) => {
                    prop_assert!((RETRY..=LONGEST_RETRY).contains(&wait) && age + wait < LONGEST_LIFE);
                    prop_assert!(!error.is_too_large() && (!error.is_gone() || tries + 1 < GONE_REPORTS));
                }
                Next::Gone => {
                    let is_reported = error.is_gone() && tries + 1 >= GONE_REPORTS;
                    prop_assert!(is_reported || age + LONGEST_RETRY >= LONGEST_LIFE);
                }
                Next::TooLarge => prop_assert!(error.is_too_large()),
                Next::Rest(..) => prop_assert!(!error.is_gone() && !error.is_too_large()),
            }
        }

        /// A disk without room and an account that is stopped give up no file, however old it is.
        #[test]
        fn errors_outside_the_file_give_up_no_file(tries: u32, hours in 0_u64..4_000) {
            let age = Duration::from_hours(hours);
            let wait = Duration::from_secs(9);
            for (error, rest) in [
                (TakeError::NoSpace.into(), Next::Rest("disk_full", None)),
                (CallError::Token("401".to_owned()).into(), Next::Rest("stopped", None)),
                (CallError::wait(wait).into(), Next::Rest("limited", Some(wait))),
                (FetchError::NoAccount, Next::Rest("stopped", None)),
            ] {
                prop_assert_eq!(error.next(tries, age), rest);
            }
        }

        #[test]
        fn waits_grow(tries in 0_u32..40) {
            let wait = |tries| match FetchError::from(CallError::Server("500".to_owned())).next(tries, Duration::ZERO) {
                Next::Retry(wait) => wait,
                other => panic!("{other:?}"),
            };
            prop_assert!(wait(tries) <= wait(tries + 1));
        }
    }
}
