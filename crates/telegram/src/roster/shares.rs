//! Which sessions of an account are used for what. Pure.
//!
//! A session of the store is younger than those of the settings: someone signed in, or gave it by hand, since. So it
//! takes its purposes over from them, and gives them back when it is taken out.

use domain::Purpose;
use store::KeyFingerprint;

use crate::line::Origin;

/// The sessions that are connected with, each with what it is for. Nothing is done by two of them.
pub(crate) fn shares(
    settings: &[Vec<Purpose>],
    stored: &[(KeyFingerprint, Vec<Purpose>)],
) -> Vec<(Origin, Vec<Purpose>)> {
    let mut taken = Vec::new();
    let mut rest = |purposes: &[Purpose]| {
        let rest: Vec<_> = purposes.iter().copied().filter(|purpose| !taken.contains(purpose)).collect();
        taken.extend_from_slice(&rest);
        rest
    };
    // The latest first.
    let mut of_store: Vec<_> =
        stored.iter().rev().map(|(key, purposes)| (Origin::Stored(*key), rest(purposes))).collect();
    of_store.reverse();
    let of_settings =
        settings.iter().enumerate().map(|(place, purposes)| (Origin::Settings(place), rest(purposes)));
    let all: Vec<_> = of_settings.chain(of_store).collect();
    all.into_iter().filter(|(_, purposes)| !purposes.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::subsequence;

    use super::*;

    #[test]
    fn a_stored_session_takes_over_its_purposes() {
        let key = KeyFingerprint([1; 8]);
        let all = Purpose::ALL.to_vec();
        let rest = vec![Purpose::CreateChat, Purpose::SendMedia, Purpose::LeaveChat];
        assert_eq!(shares(std::slice::from_ref(&all), &[]), [(Origin::Settings(0), all.clone())]);
        let both = shares(std::slice::from_ref(&all), &[(key, vec![Purpose::SendText])]);
        assert_eq!(both, [(Origin::Settings(0), rest), (Origin::Stored(key), vec![Purpose::SendText])]);
        assert_eq!(shares(std::slice::from_ref(&all), &[(key, all.clone())]), [(Origin::Stored(key), all)]);
    }

    proptest! {
        #[test]
        fn each_purpose_is_given_to_one_session(
            settings in proptest::collection::vec(subsequence(Purpose::ALL.to_vec(), 0..=4), 0..4),
            stored in proptest::collection::vec(subsequence(Purpose::ALL.to_vec(), 0..=4), 0..4),
        ) {
            let keys: Vec<_> = (0..).zip(stored.clone()).map(|(place, one)| (KeyFingerprint([place; 8]), one)).collect();
            let shares = shares(&settings, &keys);
            for purpose in Purpose::ALL {
                let requested = settings.iter().chain(&stored).any(|one| one.contains(&purpose));
                let given = shares.iter().filter(|(_, one)| one.contains(&purpose)).count();
                prop_assert_eq!(given, usize::from(requested));
            }
            prop_assert!(shares.iter().all(|(_, one)| !one.is_empty()));
        }
    }
}
