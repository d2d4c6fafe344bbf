//! Firefox's own protocol, as far as finding a browser and closing it needs it: packets of JSON, with their length before a colon.
//!
//! A signal would end it at once, and what the page has kept of late, a login for example, would be lost.

use std::io::{Error, ErrorKind};
use std::net::Ipv4Addr;

use ambient::Clock;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::running::LOOK;

/// The longest packet that is read.
const LONGEST: usize = 64 * 1024;

/// Connects to a Firefox, which greets.
pub(super) async fn greeted(port: u16) -> Result<TcpStream, Error> {
    let mut firefox = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let greeting = packet(&mut firefox).await?;
    if greeting["marionetteProtocol"].is_number() { Ok(firefox) } else { Err(ErrorKind::InvalidData.into()) }
}

/// Has a Firefox close as its window would be closed.
pub(super) async fn close(port: u16, clock: &Clock) {
    // It takes no one else until it knows that its driver is gone.
    while let Err(error) = quit(port).await {
        tracing::debug!(%error, "a Firefox is asked again to close");
        clock.sleep(LOOK).await;
    }
}

async fn quit(port: u16) -> Result<(), Error> {
    let mut firefox = greeted(port).await?;
    let orders = [
        json!([0, 1, "WebDriver:NewSession", {}]),
        json!([0, 2, "Marionette:Quit", { "flags": ["eAttemptQuit"] }]),
    ];
    for order in orders {
        let order = order.to_string();
        firefox.write_all(format!("{}:{order}", order.len()).as_bytes()).await?;
        let answer = packet(&mut firefox).await?;
        if !answer[2].is_null() {
            return Err(Error::other(answer[2].to_string()));
        }
    }
    Ok(())
}

async fn packet(firefox: &mut TcpStream) -> Result<Value, Error> {
    let mut length = 0_usize;
    loop {
        match firefox.read_u8().await? {
            b':' => break,
            digit @ b'0'..=b'9' if length < LONGEST => length = length * 10 + usize::from(digit - b'0'),
            _ => return Err(ErrorKind::InvalidData.into()),
        }
    }
    if length > LONGEST {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; length];
    firefox.read_exact(&mut bytes).await?;
    serde_json::from_slice(&bytes).map_err(Into::into)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn only_what_greets_like_a_firefox_is_one() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for (greeting, is_one) in [
            (r#"50:{"applicationType":"gecko","marionetteProtocol":3}"#, true),
            (r#"17:{"jsonrpc":"2.0"}"#, false),
            ("HTTP/1.1 400 Bad Request", false),
            ("99999999:", false),
        ] {
            let (greeted, ()) = tokio::join!(greeted(port), async {
                let (mut other, _) = listener.accept().await.unwrap();
                other.write_all(greeting.as_bytes()).await.unwrap();
            });
            assert_eq!(greeted.is_ok(), is_one, "{greeting}");
        }
    }
}
