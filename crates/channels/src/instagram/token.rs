//! The token of an account: it lives for 60 days and is renewed while it lives.

use std::time::Duration;

use ambient::Clock;
use domain::secret::ExposeSecret;
use domain::{SecretText, Timestamp};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use crate::error::CallError;
use crate::kept::Kept;

/// The token that the settings give, or what became of it.
pub(super) struct Token {
    given: SecretText,
    kept: Kept,
    clock: Clock,
    /// One renewal at a time.
    renewal: Mutex<()>,
}

/// A token that a renewal brought.
pub(super) struct NewToken {
    pub(super) token: SecretText,
    pub(super) lives: Duration,
}

impl Token {
    pub(super) fn new(given: SecretText, kept: Kept, clock: Clock) -> Self {
        Self { given, kept, clock, renewal: Mutex::new(()) }
    }

    /// The token to use now. Another one in the settings replaces all that was renewed.
    pub(super) fn current(&self) -> SecretText {
        self.kept("token").unwrap_or_else(|| self.given.clone())
    }

    /// When it ends, once it was renewed.
    pub(super) fn expires(&self) -> Option<Timestamp> {
        let micros = self.kept("token_expires")?.expose_secret().parse().ok()?;
        Some(Timestamp::from_micros(micros))
    }

    fn kept(&self, name: &str) -> Option<SecretText> {
        let is_of_given = self.kept.text("token_of").is_some_and(|of| of == fingerprint(&self.given));
        self.kept.get(name).filter(|_| is_of_given)
    }

    /// Renews it. Of several at once, one asks and the others take what it got.
    pub(super) async fn renew<F: Future<Output = Result<NewToken, CallError>>>(
        &self,
        ask: impl FnOnce(SecretText) -> F,
    ) -> Result<(), CallError> {
        let before = self.current();
        let _one_at_a_time = self.renewal.lock().await;
        if !is_the_same(&before, &self.current()) {
            return Ok(());
        }
        let NewToken { token, lives } = ask(before).await?;
        let expires = self.clock.now().plus(lives).as_micros().to_string();
        let of = fingerprint(&self.given);
        self.kept
            .put(vec![("token", token), ("token_expires", expires.into()), ("token_of", of.into())])
            .await
            .map_err(|error| CallError::refused("not_kept", format!("the new token cannot be kept: {error}")))
    }
}

pub(super) fn is_the_same(one: &SecretText, other: &SecretText) -> bool {
    one.expose_secret() == other.expose_secret()
}

fn fingerprint(token: &SecretText) -> String {
    hex::encode(Sha256::digest(token.expose_secret()))
}
