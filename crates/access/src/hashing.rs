//! Hashing passwords off the async threads, a few at a time: each takes 19 MiB and tens of milliseconds.

use std::sync::Arc;
use std::time::Duration;

use ambient::Clock;
use domain::SecretText;
use tokio::sync::Semaphore;

use crate::password;

/// Passwords that are worked on at once.
pub(crate) const AT_ONCE: u32 = 2;
/// The longest wait for a turn.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HashingError {
    Busy,
    /// Something failed on our side.
    Failed(String),
}

/// The few permits where passwords are hashed.
pub(crate) struct Hashing {
    pub(crate) permits: Arc<Semaphore>,
    clock: Clock,
}

impl Hashing {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { permits: Arc::new(Semaphore::new(AT_ONCE as usize)), clock }
    }

    /// What is kept of a password.
    pub(crate) async fn hash(&self, password: SecretText) -> Result<SecretText, HashingError> {
        self.run(move || password::hash(&password)).await
    }

    /// Whether a password is the one that was kept; `None` takes as long and is wrong.
    pub(crate) async fn verify(
        &self,
        password: SecretText,
        kept: Option<SecretText>,
    ) -> Result<bool, HashingError> {
        self.run(move || password::verify(&password, kept.as_ref())).await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, password::HashError> + Send + 'static,
    ) -> Result<T, HashingError> {
        let turn = self.clock.timeout(TIMEOUT, Arc::clone(&self.permits).acquire_owned()).await;
        let permit = turn.map_err(|_| HashingError::Busy)?;
        let permit = permit.map_err(|error| HashingError::Failed(error.to_string()))?;
        let working = tokio::task::spawn_blocking(move || {
            let done = work();
            // Held until the work is over, also when the caller is gone.
            drop(permit);
            done
        });
        match working.await {
            Ok(done) => done.map_err(|error| HashingError::Failed(error.to_string())),
            Err(error) => Err(HashingError::Failed(error.to_string())),
        }
    }
}
