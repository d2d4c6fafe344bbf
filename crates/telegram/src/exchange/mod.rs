//! Agreeing on a fresh key with a data centre: the connection, and the three questions that go over it.

mod prime;
mod server_key;
mod steps;

pub(crate) use prime::is_good_prime;
pub(crate) use server_key::ServerKeys;

use std::net::SocketAddr;
use std::time::Duration;

use ambient::Clock;
use domain::SecretText;
use domain::secret::ExposeSecret;
use grammers_mtproto::{mtp, transport};
use grammers_mtsender::{InvocationError, Sender, ServerAddr};

use crate::session::AuthKey;

/// How long connecting and all questions may take together.
const EXCHANGE: Duration = Duration::from_secs(30);

/// Why there is no fresh key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExchangeError {
    /// The data centre cannot be reached, or ended the connection.
    #[error("the data centre cannot be reached: {0}")]
    Connection(String),
    /// It did not answer.
    #[error("the data centre does not answer")]
    NoAnswer,
    /// What it answered is not what it should be.
    #[error(transparent)]
    Step(#[from] steps::StepError),
    /// The work could not be done here.
    #[error("the key exchange was interrupted")]
    Interrupted,
}

impl From<InvocationError> for ExchangeError {
    fn from(error: InvocationError) -> Self {
        Self::Connection(error.to_string())
    }
}

/// Agrees on a key with the data centre at this address. It belongs to nobody yet.
pub(crate) async fn fresh_key(
    address: SocketAddr,
    proxy: Option<&SecretText>,
    keys: &ServerKeys,
    clock: &Clock,
) -> Result<AuthKey, ExchangeError> {
    let address = match proxy {
        Some(proxy) => ServerAddr::Proxied { address, proxy: proxy.expose_secret().to_owned() },
        None => ServerAddr::Tcp { address },
    };
    clock.timeout(EXCHANGE, exchange(address, keys.clone())).await.map_err(|_| ExchangeError::NoAnswer)?
}

async fn exchange(address: ServerAddr, keys: ServerKeys) -> Result<AuthKey, ExchangeError> {
    let connected = Sender::connect(transport::Full::new(), mtp::Plain::new(), address).await;
    let mut sender = connected.map_err(|error| ExchangeError::Connection(error.to_string()))?;
    let (request, begun) = steps::begin()?;
    let answer = sender.invoke(&request).await?;
    // Factors and powers take milliseconds, which others should not wait for.
    let (request, hidden) = blocking(move || begun.hide(answer, &keys)).await?;
    let answer = sender.invoke(&request).await?;
    let (request, agreed) = blocking(move || hidden.agree(answer)).await?;
    let answer = sender.invoke(&request).await?;
    let key = agreed.finish(answer)?;
    // The key is made; a connection that does not close in order is closed all the same.
    let _ = sender.disconnect().await;
    Ok(key)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, steps::StepError> + Send + 'static,
) -> Result<T, ExchangeError> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|_| ExchangeError::Interrupted)??)
}
