//! Agreeing on a fresh key with a data centre: the connection, and the three questions that go over it.

mod prime;
mod server_key;
mod steps;

pub use prime::is_good_prime;
pub use server_key::{ServerKeyError, ServerKeys};

use std::net::SocketAddr;
use std::time::Duration;

use ambient::Clock;

use crate::AuthKey;
use crate::wire::{Plain, PlainError, Proxied};

/// How long connecting and all questions may take together.
const EXCHANGE: Duration = Duration::from_secs(30);

/// Why there is no fresh key.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    #[error("the data centre cannot be reached: {0}")]
    Connection(#[from] PlainError),
    #[error("the data centre does not answer")]
    NoAnswer,
    #[error(transparent)]
    Step(#[from] steps::StepError),
    #[error("the key exchange was interrupted")]
    Interrupted,
}

/// Agrees on a key with the data centre at this address. It belongs to no one yet.
pub async fn fresh_key(
    address: SocketAddr,
    proxy: Option<&Proxied>,
    keys: &ServerKeys,
    clock: &Clock,
) -> Result<AuthKey, ExchangeError> {
    let agreed = exchange(address, proxy, keys.clone(), clock);
    clock.timeout(EXCHANGE, agreed).await.map_err(|_| ExchangeError::NoAnswer)?
}

async fn exchange(
    address: SocketAddr,
    proxy: Option<&Proxied>,
    keys: ServerKeys,
    clock: &Clock,
) -> Result<AuthKey, ExchangeError> {
    let mut connection = Plain::connect(address, proxy, clock).await?;
    let (request, begun) = steps::begin()?;
    let answer = connection.ask(&request).await?;
    // Factors and powers take milliseconds, which others should not wait for.
    let (request, hidden) = blocking(move || begun.hide(answer, &keys)).await?;
    let answer = connection.ask(&request).await?;
    let (request, agreed) = blocking(move || hidden.agree(answer)).await?;
    let answer = connection.ask(&request).await?;
    Ok(agreed.finish(answer)?)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, steps::StepError> + Send + 'static,
) -> Result<T, ExchangeError> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|_| ExchangeError::Interrupted)??)
}
