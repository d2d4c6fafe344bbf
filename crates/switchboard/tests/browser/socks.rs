//! A SOCKS5 proxy on a port of its own (RFC 1928) that leads to addresses of this machine and counts whom it led.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{self, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// It ends with the test's runtime.
pub(crate) struct Socks {
    address: String,
    led: Arc<AtomicU64>,
}

impl Socks {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("socks5://{}", listener.local_addr().expect("an address"));
        let led = Arc::<AtomicU64>::default();
        let count = Arc::clone(&led);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(lead(near, Arc::clone(&count)));
            }
        });
        Self { address, led }
    }

    /// As a form takes it.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// How many connections it led to where they wanted.
    pub(crate) fn led(&self) -> u64 {
        self.led.load(Ordering::SeqCst)
    }
}

async fn lead(mut near: TcpStream, count: Arc<AtomicU64>) -> io::Result<()> {
    // Version and the ways to say who one is: nobody has to.
    let mut offered = [0; 2];
    near.read_exact(&mut offered).await?;
    near.read_exact(&mut vec![0; offered[1].into()]).await?;
    near.write_all(&[5, 0]).await?;
    // Version, "connect", nothing, an IPv4 address, its port.
    let mut wanted = [0; 10];
    near.read_exact(&mut wanted).await?;
    assert_eq!(wanted[..4], [5, 1, 0, 1], "what is wanted is not a connection to an IPv4 address");
    let address = Ipv4Addr::from([wanted[4], wanted[5], wanted[6], wanted[7]]);
    let mut far = TcpStream::connect((address, u16::from_be_bytes([wanted[8], wanted[9]]))).await?;
    near.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    count.fetch_add(1, Ordering::SeqCst);
    io::copy_bidirectional(&mut near, &mut far).await.map(|_| ())
}
