//! API keys: drawn here, stored only as SHA-256.

use domain::{ApiKeyId, ExposeSecret, SecretText, Timestamp};
use sha2::{Digest, Sha256};
use store::{ApiKey, Scope, Store};

/// The letters of a key: no `0 O 1 l I`, which people mix up.
const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789A";

/// A new key: `swb_` and 40 letters, 200 bits of chance.
pub(crate) fn draw() -> Result<SecretText, getrandom::Error> {
    let mut bytes = [0_u8; 40];
    getrandom::fill(&mut bytes)?;
    let letters = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
    Ok("swb_".chars().chain(letters).collect::<String>().into())
}

/// What is stored of a key.
pub(crate) fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// Makes sure that someone can get in: the key from the environment, or, when there is no key at all, a new one that
/// is returned to be shown once.
pub(crate) async fn ensure_first(
    store: &Store,
    given: Option<&str>,
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
    };
    if let Some(given) = given {
        anyhow::ensure!(
            given.chars().count() >= 20,
            "SWITCHBOARD_BOOTSTRAP_KEY is too short: give it 20 characters or more"
        );
        store.api_keys().upsert_bootstrap(&key("bootstrap"), hash(given)).await?;
        return Ok(None);
    }
    if store.api_keys().list().await?.iter().any(|key| key.revoked_at.is_none()) {
        return Ok(None);
    }
    let drawn = draw()?;
    store.api_keys().create(&key("first"), hash(drawn.expose_secret())).await?;
    Ok(Some(drawn))
}
