//! What is reported to the service manager: ready, alive, reloading, stopping. Its protocol (`sd_notify`) is a datagram
//! of lines to the socket that `NOTIFY_SOCKET` names.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// Notifies the service manager. Cheap to make; does nothing where no one listens.
#[derive(Debug)]
pub struct Notifier {
    socket: UnixDatagram,
    address: SocketAddr,
}

/// How often the service manager wants to hear that the program is alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchdogTime(Duration);

impl Notifier {
    /// The one that an environment names, if it names one.
    ///
    /// # Errors
    /// It names something that cannot be spoken to.
    pub fn to(named: Option<&OsStr>) -> io::Result<Option<Self>> {
        let Some(named) = named.filter(|named| !named.is_empty()) else { return Ok(None) };
        let address = match named.as_bytes() {
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
            [b'/', ..] => SocketAddr::from_pathname(named)?,
            _ => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "NOTIFY_SOCKET is no address of a socket",
                ));
            }
        };
        let socket = UnixDatagram::unbound()?;
        // A service manager that does not read must not stop the program.
        socket.set_nonblocking(true)?;
        Ok(Some(Self { socket, address }))
    }

    /// The program can be relied on.
    pub fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\n{}", line(status)));
    }

    /// How it is, in words.
    pub fn status(&self, status: &str) {
        self.tell(&line(status));
    }

    /// Its main loops move.
    pub fn alive(&self) {
        self.tell("WATCHDOG=1");
    }

    /// It reads its settings again; `at` is the monotonic clock of the system.
    pub fn reloading(&self, at: Duration) {
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={}", at.as_micros()));
    }

    pub fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=Finishing what is on the wire");
    }

    fn tell(&self, text: &str) {
        // It is notified again soon, and what it does not hear is for it to judge.
        if let Err(error) = self.socket.send_to_addr(text.as_bytes(), &self.address) {
            tracing::debug!(%error, "the service manager does not listen");
        }
    }
}

/// One line, whatever is in it.
fn line(status: &str) -> String {
    let status: String = status.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    format!("STATUS={status}")
}

impl WatchdogTime {
    /// What an environment says (`WATCHDOG_USEC`, `WATCHDOG_PID`), if that is for the process of this number.
    pub fn read(microseconds: Option<&str>, pid: Option<&str>, own_pid: u32) -> Option<Self> {
        let for_us = pid.is_none_or(|pid| pid.parse() == Ok(own_pid));
        let time: u64 = microseconds?.parse().ok()?;
        (for_us && time > 0).then_some(Self(Duration::from_micros(time)))
    }

    /// How often to say so: at half of the time.
    pub fn interval(self) -> Duration {
        (self.0 / 2).max(Duration::from_millis(10))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_reaches_the_socket_that_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notify");
        let listening = UnixDatagram::bind(&path).expect("binds");
        let notifier = Notifier::to(Some(path.as_os_str())).expect("an address").expect("named");
        let mut datagram = [0; 256];
        let mut hear = || {
            let length = listening.recv(&mut datagram).expect("hears");
            String::from_utf8_lossy(&datagram[..length]).into_owned()
        };
        notifier.ready("3 accounts\nREADY=0");
        assert_eq!(hear(), "READY=1\nSTATUS=3 accounts READY=0");
        notifier.alive();
        assert_eq!(hear(), "WATCHDOG=1");
        notifier.reloading(Duration::from_secs(1));
        assert_eq!(hear(), "RELOADING=1\nMONOTONIC_USEC=1000000");
        drop(listening);
        notifier.stopping();
    }

    #[test]
    fn no_datagram_is_sent_without_a_socket() {
        assert!(Notifier::to(None).expect("fine").is_none());
        assert!(Notifier::to(Some(OsStr::new(""))).expect("fine").is_none());
        assert!(Notifier::to(Some(OsStr::new("vsock:2"))).is_err());
        assert!(Notifier::to(Some(OsStr::new("@switchboard-test"))).expect("fine").is_some());
    }

    #[test]
    fn the_watchdog_is_for_the_process_that_is_named() {
        let read = |time, pid| WatchdogTime::read(time, pid, 7).map(WatchdogTime::interval);
        assert_eq!(read(Some("60000000"), Some("7")), Some(Duration::from_secs(30)));
        assert_eq!(read(Some("60000000"), None), Some(Duration::from_secs(30)));
        for (time, pid) in [(None, None), (Some("0"), None), (Some("x"), None), (Some("60000000"), Some("8"))]
        {
            assert_eq!(read(time, pid), None);
        }
    }
}
