//! Passwords: what is taken as one, and the Argon2id text that is kept of it.
//!
//! The cost is OWASP's first choice: 19 MiB, two passes, one lane. Hashing blocks; it is done off the async threads.

use argon2id::Cost;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use domain::secret::Zeroize;
use domain::{ExposeSecret, SecretText, UserName};

use crate::token::same;

/// The cost in the program that people run.
const RELEASED_COST: Cost = Cost { memory: 19 * 1024, passes: 2, lanes: 1 };
/// Tests sign in thousands of times.
const COST: Cost =
    if cfg!(feature = "testing") { Cost { memory: 64, passes: 1, lanes: 1 } } else { RELEASED_COST };
const SALT: usize = 16;

/// The fewest characters of a password.
pub const SHORTEST: usize = 8;
/// The most bytes of a password.
pub const LONGEST: usize = 1024;

/// A password that is not taken. The texts say what to do and never what was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnfitPassword {
    #[error("is too short; use {SHORTEST} characters or more")]
    TooShort,
    #[error("is too long; use at most {LONGEST} bytes")]
    TooLong,
    /// Spaces at an end get lost where passwords are pasted or piped.
    #[error("begins or ends with a space or a line break; leave it out")]
    SpaceAtAnEnd,
    #[error("is the name itself; use another")]
    IsTheName,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the password could not be hashed: {0}")]
pub(crate) struct HashError(String);

/// Whether a password may be set for this user.
pub(crate) fn check(password: &SecretText, user: &UserName) -> Result<(), UnfitPassword> {
    let text = password.expose_secret();
    if text.trim() != text {
        return Err(UnfitPassword::SpaceAtAnEnd);
    }
    if text.chars().count() < SHORTEST {
        return Err(UnfitPassword::TooShort);
    }
    if text.len() > LONGEST {
        return Err(UnfitPassword::TooLong);
    }
    if text.to_lowercase() == user.as_str() {
        return Err(UnfitPassword::IsTheName);
    }
    Ok(())
}

/// What is kept of a password.
pub(crate) fn hash(password: &SecretText) -> Result<SecretText, HashError> {
    let mut salt = [0; SALT];
    getrandom::fill(&mut salt).map_err(|error| HashError(error.to_string()))?;
    let mut digest = digest(password, &salt, COST)?;
    let mut text = format!(
        "$argon2id$v=19$m={},t={},p={}${}${}",
        COST.memory,
        COST.passes,
        COST.lanes,
        STANDARD_NO_PAD.encode(salt),
        STANDARD_NO_PAD.encode(digest)
    );
    digest.zeroize();
    let kept = SecretText::from(text.as_str());
    text.zeroize();
    Ok(kept)
}

/// Whether a password is the one that was kept; without one it is wrong after the same work.
pub(crate) fn verify(password: &SecretText, kept: Option<&SecretText>) -> Result<bool, HashError> {
    let PhcText { cost, salt, hash } = match kept {
        Some(text) => PhcText::parse(text.expose_secret())
            .ok_or_else(|| HashError("what is kept of it is no Argon2id text".to_owned()))?,
        // Nothing hashes to this, and to find that out takes as long.
        None => PhcText { cost: COST, salt: vec![0; SALT], hash: vec![0; argon2id::LENGTH] },
    };
    // A longer password is wrong anyway and must not cost more work.
    let typed = password.expose_secret();
    let typed = SecretText::from(&typed[..typed.floor_char_boundary(LONGEST + 1)]);
    let digest = digest(&typed, &salt, cost)?;
    Ok(same(&digest, &hash) && kept.is_some())
}

fn digest(password: &SecretText, salt: &[u8], cost: Cost) -> Result<[u8; argon2id::LENGTH], HashError> {
    argon2id::hash(password.expose_secret().as_bytes(), salt, cost)
        .map_err(|error| HashError(error.to_string()))
}

/// The parts of `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
struct PhcText {
    cost: Cost,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl PhcText {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("$argon2id$v=19$")?.split('$');
        let mut costs = parts.next()?.split(',');
        let mut number = |name: &str| costs.next()?.strip_prefix(name)?.parse().ok();
        let cost = Cost { memory: number("m=")?, passes: number("t=")?, lanes: number("p=")? };
        let salt = STANDARD_NO_PAD.decode(parts.next()?).ok()?;
        let hash = STANDARD_NO_PAD.decode(parts.next()?).ok()?;
        parts.next().is_none().then_some(Self { cost, salt, hash })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn secret(text: &str) -> SecretText {
        SecretText::from(text)
    }

    #[test]
    fn the_right_password_and_no_other() {
        let kept = hash(&secret("correct horse")).expect("hashes");
        let Cost { memory, passes, lanes } = COST;
        let begin = format!("$argon2id$v=19$m={memory},t={passes},p={lanes}$");
        assert!(kept.expose_secret().starts_with(&begin));
        assert_ne!(kept.expose_secret(), hash(&secret("correct horse")).expect("hashes").expose_secret());
        assert_eq!(verify(&secret("correct horse"), Some(&kept)), Ok(true));
        for wrong in ["correct hors", "Correct horse", "", &"x".repeat(100_000)] {
            assert_eq!(verify(&secret(wrong), Some(&kept)), Ok(false));
        }
        assert_eq!(verify(&secret("correct horse"), None), Ok(false));
        assert!(verify(&secret("x"), Some(&secret("plain"))).is_err());
    }

    #[test]
    fn what_people_run_costs_what_owasp_asks_for() {
        assert_eq!(RELEASED_COST, Cost { memory: 19_456, passes: 2, lanes: 1 });
    }

    #[test]
    fn the_hash_is_that_of_the_reference_implementation() {
        // A vector of the reference implementation's own tests.
        let kept = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert_eq!(verify(&secret("password"), Some(&secret(kept))), Ok(true));
        assert_eq!(verify(&secret("differentpassword"), Some(&secret(kept))), Ok(false));
    }

    #[test]
    fn unfit_passwords_are_refused_with_advice() {
        let anna: UserName = "annaannaanna".parse().expect("a name");
        for (text, expected) in [
            ("пароль12", Ok(())),
            ("seven77", Err(UnfitPassword::TooShort)),
            (&"x".repeat(1025), Err(UnfitPassword::TooLong)),
            (" spaces both ", Err(UnfitPassword::SpaceAtAnEnd)),
            ("AnnaAnnaAnna", Err(UnfitPassword::IsTheName)),
        ] {
            assert_eq!(check(&secret(text), &anna), expected);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_kept_or_none(text in ".{0,120}") {
            let _ = PhcText::parse(&text);
        }
    }
}
