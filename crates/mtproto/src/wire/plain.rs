//! A connection on which nothing is encrypted yet: the few questions of a key exchange, one after another.
//!
//! After <https://core.telegram.org/mtproto/description#unencrypted-message>.

use std::net::SocketAddr;

use ambient::Clock;
use grammers_tl_types::{Deserializable as _, RemoteCall, deserialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::error::{Garbled, Loss};
use super::framing::{self, Frame, Framing};
use super::proxied::Proxied;
use super::socket::{self, DialError};

const HEADER: usize = 8 + 8 + 4;

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum PlainError {
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error(transparent)]
    Lost(#[from] Loss),
    #[error("the answer cannot be read: {0}")]
    Unreadable(#[from] deserialize::Error),
}

/// The connection. The wait for an answer is bounded by the caller.
pub(crate) struct Plain {
    stream: TcpStream,
    framing: Framing,
    incoming: Vec<u8>,
    clock: Clock,
    last_id: i64,
}

impl Plain {
    pub(crate) async fn connect(
        to: SocketAddr,
        proxy: Option<&Proxied>,
        clock: &Clock,
    ) -> Result<Self, PlainError> {
        let stream = socket::dial(to, proxy, clock).await?;
        let framing = Framing::default();
        Ok(Self { stream, framing, incoming: Vec::new(), clock: clock.clone(), last_id: 0 })
    }

    pub(crate) async fn ask<R: RemoteCall>(&mut self, request: &R) -> Result<R::Return, PlainError> {
        let body = request.to_bytes();
        let mut packet = vec![0; framing::HEADER + 8];
        packet.extend_from_slice(&self.next_id().to_le_bytes());
        packet.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
        packet.extend_from_slice(&body);
        self.framing.frame(&mut packet);
        self.stream.write_all(&packet).await.map_err(Loss::from)?;
        loop {
            match self.framing.next(&self.incoming)? {
                Frame::Packet { packet, end } => {
                    let answer = self.incoming.get(packet).and_then(opened).map(R::Return::from_bytes);
                    let answer = answer.ok_or(Loss::Garbled(Garbled::Message))?;
                    self.incoming.drain(..end);
                    return Ok(answer?);
                }
                Frame::Missing(_) => {
                    if self.stream.read_buf(&mut self.incoming).await.map_err(Loss::from)? == 0 {
                        return Err(Loss::Ended.into());
                    }
                }
            }
        }
    }

    fn next_id(&mut self) -> i64 {
        let micros = self.clock.now().as_micros();
        let by_clock = ((micros / 1_000_000) << 32) | ((((micros % 1_000_000) << 32) / 1_000_000) & !3);
        self.last_id = by_clock.max(self.last_id + 4);
        self.last_id
    }
}

fn opened(packet: &[u8]) -> Option<&[u8]> {
    let (header, rest) = packet.split_first_chunk::<HEADER>()?;
    let (key, length) = (header.first_chunk::<8>()?, header.last_chunk()?);
    let length = usize::try_from(i32::from_le_bytes(*length)).ok()?;
    if *key == [0; 8] { rest.get(..length) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_packet_is_opened() {
        let packet = |key: u8, length: i32, body: &[u8]| {
            [&[key; 8][..], &[1; 8], &length.to_le_bytes(), body].concat()
        };
        assert_eq!(opened(&packet(0, 4, b"body")), Some(&b"body"[..]));
        for packet in [packet(1, 4, b"body"), packet(0, 5, b"body"), packet(0, -1, b"body"), vec![0; 19]] {
            assert_eq!(opened(&packet), None);
        }
    }
}
