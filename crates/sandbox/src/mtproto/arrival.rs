//! When the bytes of a client arrived: the kernel notes it, so that what this process is late to read does not count.

use std::io;

use bytes::BytesMut;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::time::Instant;

/// How much is read at once.
pub(super) const READ: usize = 32 * 1024;

/// Has the kernel note when bytes of this connection arrive.
pub(super) fn note(stream: &TcpStream) {
    if let Err(error) = system::note(stream) {
        tracing::debug!(%error, "arrivals are not noted");
    }
}

/// Reads what is there, at most [`READ`] bytes, and says when the last of it arrived. It reads nothing where it is cancelled.
pub(super) async fn read(stream: &TcpStream, into: &mut BytesMut) -> io::Result<(usize, Instant)> {
    loop {
        stream.readable().await?;
        match stream.try_io(Interest::READABLE, || system::read(stream, into)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            read => return read,
        }
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::io::{self, IoSliceMut};
    use std::os::fd::AsRawFd;
    use std::time::{Duration, SystemTime};

    use bytes::BytesMut;
    use nix::sys::socket::sockopt::ReceiveTimestampns;
    use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt};
    use nix::sys::time::TimeSpec;
    use tokio::net::TcpStream;
    use tokio::time::Instant;

    use super::super::message_id::now;

    pub(super) fn note(stream: &TcpStream) -> io::Result<()> {
        Ok(setsockopt(stream, ReceiveTimestampns, &true)?)
    }

    pub(super) fn read(stream: &TcpStream, into: &mut BytesMut) -> io::Result<(usize, Instant)> {
        let known = into.len();
        into.resize(known + super::READ, 0);
        let mut space = nix::cmsg_space!(TimeSpec);
        let mut parts = [IoSliceMut::new(&mut into[known..])];
        let read = recvmsg::<()>(stream.as_raw_fd(), &mut parts, Some(&mut space), MsgFlags::empty());
        let read = read.map(|message| {
            let stamp = message.cmsgs().ok().and_then(|mut notes| {
                notes.find_map(|note| match note {
                    ControlMessageOwned::ScmTimestampns(at) => Some(Duration::from(at)),
                    _ => None,
                })
            });
            (message.bytes, stamp)
        });
        into.truncate(known + read.as_ref().map_or(0, |(count, _)| *count));
        let (count, stamp) = read?;
        let since = |at| now().duration_since(SystemTime::UNIX_EPOCH + at).ok();
        let (read_at, late) = (Instant::now(), stamp.and_then(since).unwrap_or_default());
        // A clock that was set forward meanwhile can make it longer than the machine runs.
        Ok((count, read_at.checked_sub(late).unwrap_or(read_at)))
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::io;

    use bytes::BytesMut;
    use tokio::net::TcpStream;
    use tokio::time::Instant;

    pub(super) const fn note(_: &TcpStream) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn read(stream: &TcpStream, into: &mut BytesMut) -> io::Result<(usize, Instant)> {
        into.reserve(super::READ);
        Ok((stream.try_read_buf(into)?, Instant::now()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn bytes_arrive_before_they_are_read() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        note(&stream);
        let late = Duration::from_millis(20);
        // The kernel begins a moment after it was asked.
        for _ in 0..50 {
            let (mut bytes, written) = (BytesMut::new(), Instant::now());
            client.write_all(b"press").await.unwrap();
            std::thread::park_timeout(late);
            let (count, arrived) = read(&stream, &mut bytes).await.unwrap();
            assert_eq!((count, &bytes[..]), (5, &b"press"[..]));
            if arrived.saturating_duration_since(written) < late / 2 {
                return;
            }
        }
        panic!("arrivals are not noted");
    }
}
