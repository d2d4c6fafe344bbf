//! `/echo`: bytes to a peer that sends them back, over a connection as those of clients are: what the machine alone takes.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Json;
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::answers::{Body, ControlError, Items};

/// How long all of it may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The most bytes of one round trip.
const LARGEST: usize = 64 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    peer: SocketAddr,
    bytes: usize,
    /// Round trips, one after the other.
    times: u8,
}

/// The microseconds of each round trip.
pub(super) async fn measure(Body(order): Body<Order>) -> Result<Json<Items<u64>>, ControlError> {
    if order.bytes > LARGEST {
        return Err(ControlError::Request(format!("at most {LARGEST} bytes")));
    }
    match timeout(TIMEOUT, trips(&order)).await {
        Ok(Ok(items)) => Ok(Json(Items { items })),
        Ok(Err(error)) => Err(ControlError::Request(format!("the peer: {error}"))),
        Err(_) => Err(ControlError::Request("the peer sends nothing back".to_owned())),
    }
}

async fn trips(order: &Order) -> std::io::Result<Vec<u64>> {
    let mut stream = TcpStream::connect(order.peer).await?;
    stream.set_nodelay(true)?;
    let mut bytes = vec![0; order.bytes];
    let mut items = Vec::new();
    for _ in 0..order.times {
        let began = Instant::now();
        stream.write_all(&bytes).await?;
        stream.read_exact(&mut bytes).await?;
        items.push(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
    }
    Ok(items)
}
