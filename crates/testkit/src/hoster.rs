//! A server of files at an address: honest, gone, silent, halting, dripping, endless, lying, or sending callers on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::films;

/// The header of a PNG picture of 4 by 3 pixels.
pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x04\0\0\0\x03\x08\x02\0\0\0";

/// The beginning of a PDF document.
pub const PDF: &[u8] = b"%PDF-1.7 demo";

/// A server on a port of its own, until it is dropped.
pub struct Hoster {
    at: SocketAddr,
    asked: Arc<AtomicUsize>,
    /// Whether what halts goes on.
    released: watch::Sender<bool>,
    running: JoinHandle<()>,
}

impl Hoster {
    /// Starts one.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let at = listener.local_addr().expect("an address");
        let asked = Arc::<AtomicUsize>::default();
        let seen = Arc::clone(&asked);
        let (released, gate) = watch::channel(false);
        let running = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((connection, _)) = listener.accept().await {
                seen.fetch_add(1, Ordering::SeqCst);
                connections.spawn(serve(connection, gate.clone()));
            }
        });
        Self { at, asked, released, running }
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.at)
    }

    /// How often it was asked for something.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Lets every file go on that halted.
    pub fn release(&self) {
        self.released.send_replace(true);
    }
}

impl Drop for Hoster {
    fn drop(&mut self) {
        self.running.abort();
    }
}

async fn serve(mut connection: TcpStream, mut gate: watch::Receiver<bool>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = connection.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let fine = |body: &[u8]| {
        [format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
    };
    let answer = match head.split(' ').nth(1).unwrap_or_default() {
        "/photo.png" => fine(PNG),
        "/price.pdf" => fine(PDF),
        "/voice.ogg" => fine(&films::recording()),
        "/film.mp4" => fine(&films::film(b"isom", true)),
        "/empty" => fine(b""),
        "/short" => b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nshort".to_vec(),
        "/huge" => b"HTTP/1.1 200 OK\r\ncontent-length: 3000000000\r\n\r\n".to_vec(),
        "/inward" => {
            b"HTTP/1.1 302 Found\r\nlocation: http://10.0.0.1/\r\ncontent-length: 0\r\n\r\n".to_vec()
        }
        // The document, which is called so by its address, in percents; and one that is called so by a header.
        named if named.starts_with("/named/") => fine(PDF),
        named if named.starts_with("/said/") => {
            let name = &named["/said/".len()..];
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-disposition: attachment; filename*=UTF-8''{name}\r\ncontent-length: {}\r\n\r\n",
                PDF.len()
            );
            [head.as_bytes(), PDF].concat()
        }
        // So many bytes, not one of them in memory at once.
        large if large.starts_with("/large/") || large.starts_with("/halting/") => {
            let halts = large.starts_with("/halting/");
            let size = large.rsplit('/').next().and_then(|size| size.parse::<usize>().ok()).unwrap_or(0);
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n");
            let mut sent = connection.write_all(head.as_bytes()).await;
            let mut left = size;
            let piece = vec![7; 64 * 1024];
            while left > 0 && sent.is_ok() {
                // In the middle of the file.
                if halts && left <= size / 2 {
                    let _ = gate.wait_for(|released| *released).await;
                }
                let now = left.min(piece.len());
                sent = connection.write_all(&piece[..now]).await;
                left -= now;
            }
            return;
        }
        "/endless" => {
            let _ = connection.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            let piece = vec![7; 64 * 1024];
            while connection.write_all(&piece).await.is_ok() {}
            return;
        }
        "/dripping" => {
            // One byte after the other, and never the last.
            let _ = connection.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            while connection.write_all(b".").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            return;
        }
        "/silent" => {
            // Until the other side hangs up.
            let _ = connection.read_u8().await;
            return;
        }
        _ => b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec(),
    };
    let _ = connection.write_all(&answer).await;
    let _ = connection.shutdown().await;
}
