//! The first API key: from the environment, or generated at the first start.

use domain::{ApiKeyId, ExposeSecret, KeyLimits, SecretText, Timestamp};
use store::{ApiKey, Scope, Store};

/// The variable that gives the first key.
const BOOTSTRAP: &str = "SWITCHBOARD_BOOTSTRAP_KEY";
/// The shortest key that is taken from it.
const SHORTEST: usize = 20;

/// A bootstrap key that is too easy to guess.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{BOOTSTRAP} is too short: give it {SHORTEST} characters or more, or leave it out")]
pub(crate) struct TooShort;

/// The key from the environment, if there is one.
pub(crate) fn given() -> Result<Option<SecretText>, TooShort> {
    match std::env::var(BOOTSTRAP) {
        Ok(given) => check(&given).map(Some),
        Err(_) => Ok(None),
    }
}

fn check(given: &str) -> Result<SecretText, TooShort> {
    if given.chars().count() < SHORTEST { Err(TooShort) } else { Ok(given.into()) }
}

/// Ensures that there is a key: the one given, or, when there is none at all, a new one, which is returned to be shown once.
pub(crate) async fn ensure_first(
    store: &Store,
    given: Option<&SecretText>,
    id: ApiKeyId,
    now: Timestamp,
) -> anyhow::Result<Option<SecretText>> {
    let all = vec![Scope::Send, Scope::Read, Scope::Admin];
    let key = |name: &str| ApiKey {
        id,
        name: name.to_owned(),
        scopes: all.clone(),
        created_at: now,
        revoked_at: None,
        repeats: None,
        limits: KeyLimits::default(),
        expires_at: None,
        rate: None,
        burst: None,
        last_used: None,
    };
    if let Some(given) = given {
        store
            .api_keys()
            .upsert_bootstrap(&key("bootstrap"), web::hash_api_key(given.expose_secret()))
            .await?;
        return Ok(None);
    }
    if store.api_keys().list().await?.iter().any(|key| key.revoked_at.is_none()) {
        return Ok(None);
    }
    let drawn = web::new_api_key()?;
    store.api_keys().create(&key("first"), web::hash_api_key(&drawn)).await?;
    Ok(Some(drawn.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_characters_are_enough() {
        assert!(check("нннннннннннннннннннн").is_ok());
        assert!(matches!(check("a-key-of-19-letters"), Err(TooShort)));
    }
}
