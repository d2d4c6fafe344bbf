//! The token of an account: it lives for 60 days and is renewed while it lives.

use std::time::Duration;

use ambient::Clock;
use domain::secret::ExposeSecret;
use domain::{SecretText, Timestamp};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use crate::error::CallError;
use crate::stored_values::StoredValues;

/// The token that the settings give, or what became of it; or the one that a log-in brought.
pub(super) struct Token {
    given: Option<SecretText>,
    stored: StoredValues,
    clock: Clock,
    /// One renewal at a time.
    renewal: Mutex<()>,
}

/// A token that a renewal or a log-in brought.
pub(super) struct NewToken {
    pub(super) token: SecretText,
    pub(super) lives: Duration,
}

impl Token {
    pub(super) fn new(given: Option<SecretText>, stored: StoredValues, clock: Clock) -> Self {
        Self { given, stored, clock, renewal: Mutex::new(()) }
    }

    /// The token to use now. Another one in the settings replaces all that came after the one before.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn current(&self) -> Result<SecretText, CallError> {
        self.stored("token").or_else(|| self.given.clone()).ok_or_else(|| {
            CallError::Token(
                "no one has logged in yet: `switchboard channel login NAME` begins it".to_owned(),
            )
        })
    }

    /// When it ends, where that is known.
    pub(super) fn expires(&self) -> Option<Timestamp> {
        let micros = self.stored("token_expires")?.expose_secret().parse().ok()?;
        Some(Timestamp::from_micros(micros))
    }

    fn stored(&self, name: &str) -> Option<SecretText> {
        let is_of_given = self.stored.text("token_of").is_some_and(|of| of == self.of_given());
        self.stored.get(name).filter(|_| is_of_given)
    }

    fn of_given(&self) -> String {
        let given = self.given.as_ref().map(ExposeSecret::expose_secret);
        hex::encode(Sha256::digest(given.unwrap_or_default()))
    }

    /// Renews it. Of several at once, one asks and the others take what it got.
    pub(super) async fn renew<F: Future<Output = Result<NewToken, CallError>>>(
        &self,
        ask: impl FnOnce(SecretText) -> F,
    ) -> Result<(), CallError> {
        let before = self.current()?;
        let _one_at_a_time = self.renewal.lock().await;
        if !is_the_same(&before, &self.current()?) {
            return Ok(());
        }
        self.keep(ask(before).await?).await
    }

    /// Has the one of a log-in be used from now on; it is on disk when this returns.
    pub(super) async fn replace(&self, new: NewToken) -> Result<(), CallError> {
        let _after_a_renewal = self.renewal.lock().await;
        self.keep(new).await
    }

    async fn keep(&self, new: NewToken) -> Result<(), CallError> {
        let NewToken { token, lives } = new;
        let expires = self.clock.now().plus(lives).as_micros().to_string();
        let of = self.of_given();
        self.stored
            .put(vec![("token", token), ("token_expires", expires.into()), ("token_of", of.into())])
            .await
            .map_err(|error| CallError::refused("not_kept", format!("the new token cannot be kept: {error}")))
    }
}

pub(super) fn is_the_same(one: &SecretText, other: &SecretText) -> bool {
    one.expose_secret() == other.expose_secret()
}
