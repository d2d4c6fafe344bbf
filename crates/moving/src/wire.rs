//! What goes over the line: a greeting, then messages, each a JSON head and a body of bytes.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// What a side says first. Whatever a login shell prints before it is skipped.
pub(crate) const GREETING: &[u8] = b"\x01switchboard-move/1\n";

/// How much may precede the greeting, in bytes.
const NOISE: usize = 64 * 1024;

/// The longest head and the longest body, in bytes.
pub(crate) const LONGEST: usize = 8 << 20;

/// One message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) head: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

pub(crate) async fn greet(to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    to.write_all(GREETING).await?;
    to.flush().await
}

/// Reads until the greeting. What precedes it is returned where there is none: it says what is wrong.
pub(crate) async fn greeted(from: &mut (impl AsyncRead + Unpin)) -> Result<(), String> {
    let mut read = Vec::new();
    while !read.ends_with(GREETING) {
        match from.read_u8().await {
            Ok(byte) if read.len() < NOISE => read.push(byte),
            _ => return Err(String::from_utf8_lossy(&read).trim().chars().take(500).collect()),
        }
    }
    Ok(())
}

pub(crate) async fn send(to: &mut (impl AsyncWrite + Unpin), message: &Message) -> io::Result<()> {
    let length = |bytes: &[u8]| {
        u32::try_from(bytes.len())
            .ok()
            .filter(|length| *length as usize <= LONGEST)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a message of the move is too long"))
    };
    let (head, body) = (length(&message.head)?, length(&message.body)?);
    to.write_u32(head).await?;
    to.write_u32(body).await?;
    to.write_all(&message.head).await?;
    to.write_all(&message.body).await?;
    to.flush().await
}

pub(crate) async fn receive(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Message> {
    let lengths = [from.read_u32().await?, from.read_u32().await?].map(|length| length as usize);
    if lengths.iter().any(|length| *length > LONGEST) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "what came over the line is no message of a move",
        ));
    }
    let [mut head, mut body] = lengths.map(|length| vec![0; length]);
    from.read_exact(&mut head).await?;
    from.read_exact(&mut body).await?;
    Ok(Message { head, body })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
    }

    proptest! {
        #[test]
        fn sent_messages_are_received(head in proptest::collection::vec(any::<u8>(), 0..300), body in proptest::collection::vec(any::<u8>(), 0..3000), noise in "[a-zA-Z\n ]{0,200}") {
            let message = Message { head, body };
            let received = run(async {
                let mut line = Vec::new();
                line.extend_from_slice(noise.as_bytes());
                greet(&mut line).await.unwrap();
                send(&mut line, &message).await.unwrap();
                let mut line = line.as_slice();
                greeted(&mut line).await.unwrap();
                receive(&mut line).await.unwrap()
            });
            prop_assert_eq!(received, message);
        }

        #[test]
        fn bytes_of_another_program_are_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = run(async { receive(&mut bytes.as_slice()).await });
        }
    }

    #[test]
    fn output_instead_of_a_greeting_is_shown() {
        let greeting = run(async { greeted(&mut b"sh: switchboard: not found\n".as_slice()).await });
        assert_eq!(greeting, Err("sh: switchboard: not found".to_owned()));
    }
}
