//! A line to a side, of ours: slow, or cut at any byte.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::task::JoinHandle;

/// What the conductor starts as its line: its standard input and output are the connection.
const CONNECTOR: &str = "import os, socket, threading
line = socket.create_connection((HOST, PORT))
def there():
    while piece := os.read(0, 65536):
        line.sendall(piece)
    os._exit(0)
threading.Thread(target=there, daemon=True).start()
while piece := line.recv(65536):
    os.write(1, piece)
os._exit(0)
";

/// How it treats bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// The longest piece that goes on at once, in bytes, and how long each takes.
    pub(super) piece: usize,
    pub(super) takes: Duration,
    /// A connection is cut after so many bytes; each lasts for twice as many as the one before.
    pub(super) cut_after: Option<u64>,
    /// The version of the side, where it is to be shown as another.
    pub(super) version: Option<&'static str>,
}

/// A relay on a port of its own. What it started ends with it.
pub(super) struct Relay {
    address: SocketAddr,
    connections: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Relay {
    /// To a side that this command is.
    pub(super) async fn to(side: Vec<String>) -> Self {
        let pace = Pace { piece: 64 * 1024, takes: Duration::ZERO, cut_after: None, version: None };
        Self::at_pace(side, pace).await
    }

    pub(super) async fn at_pace(side: Vec<String>, pace: Pace) -> Self {
        let listener = TcpListener::bind("0.0.0.0:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let connections = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            while let Ok((line, _)) = listener.accept().await {
                let number = count.fetch_add(1, Ordering::Relaxed);
                let cut_after = pace.cut_after.map(|bytes| bytes << number.min(20));
                tokio::spawn(carried(line, side.clone(), Pace { cut_after, ..pace }));
            }
        });
        Self { address, connections, task }
    }

    /// How many connections there were.
    pub(super) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// A program that connects to it, with this before its command.
    pub(super) fn connector(&self, folder: &Path, before: &[String]) -> PathBuf {
        let (script, file) = (folder.join("connector.py"), folder.join("connector"));
        // In namespaces every address of the first one is reached.
        let host = if before.is_empty() { "127.0.0.1" } else { "10.77.0.1" };
        let text =
            CONNECTOR.replace("HOST", &format!("{host:?}")).replace("PORT", &self.address.port().to_string());
        fs::write(&script, text).expect("written");
        let (before, python) = (before.join(" "), crate::python::path());
        fs::write(&file, format!("#!/bin/sh\nexec {before} {python} {}\n", script.display()))
            .expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("a mode");
        file
    }
}

async fn carried(line: TcpStream, side: Vec<String>, pace: Pace) {
    let mut started = Command::new(&side[0])
        .args(&side[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("the side starts");
    let (to_side, from_side) = (started.stdin.take().expect("piped"), started.stdout.take().expect("piped"));
    let (from_line, to_line) = line.into_split();
    let bytes = AtomicU64::new(0);
    // The first that ends, or is cut, ends both, and the side.
    tokio::select! {
        () = pumped(from_line, to_side, pace, &bytes) => {}
        () = pumped(from_side, to_line, pace, &bytes) => {}
    }
}

async fn pumped(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    pace: Pace,
    bytes: &AtomicU64,
) {
    let mut piece = vec![0; pace.piece];
    while let Ok(read @ 1..) = from.read(&mut piece).await {
        let before = bytes.fetch_add(read as u64, Ordering::Relaxed);
        if pace.cut_after.is_some_and(|most| before + read as u64 > most) {
            return;
        }
        if !pace.takes.is_zero() {
            tokio::time::sleep(pace.takes).await;
        }
        if let Some(version) = pace.version {
            renumber(&mut piece[..read], version);
        }
        if to.write_all(&piece[..read]).await.is_err() {
            return;
        }
    }
}

/// Shows a version as another one of the same length.
fn renumber(bytes: &mut [u8], version: &str) {
    let shown = format!("\"version\":\"{version}\"");
    let last = shown.len() - 2;
    let found: Vec<usize> = bytes
        .windows(shown.len())
        .enumerate()
        .filter(|(_, part)| *part == shown.as_bytes())
        .map(|(at, _)| at)
        .collect();
    for at in found {
        bytes[at + last] = if bytes[at + last] == b'9' { b'8' } else { b'9' };
    }
}
