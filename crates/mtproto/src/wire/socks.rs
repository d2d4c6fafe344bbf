//! SOCKS5, as far as a connection through a proxy needs it: the handshake, and its user name and password.
//!
//! After RFC 1928 and, for the password, RFC 1929.

use std::io;
use std::net::SocketAddr;

use domain::SecretText;
use domain::secret::ExposeSecret;
use outbound::guard::Refused;
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

const VERSION: u8 = 5;
const NO_PASSWORD: u8 = 0;
const PASSWORD: u8 = 2;

/// Why a proxy does not open the connection.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    #[error("the proxy's address must be socks5://HOST:PORT or socks5://USER:PASSWORD@HOST:PORT")]
    Address,
    #[error("the user and the password for a SOCKS5 proxy may have 255 bytes each, and not be empty")]
    Words,
    #[error("what answers at the proxy's address does not speak SOCKS5")]
    OtherProtocol,
    #[error("the proxy refuses the user and password; check `proxy` of the account")]
    Refused,
    #[error("the proxy does not connect: {0}")]
    NotConnected(&'static str),
    #[error("the proxy is not dialled: {0}")]
    Guarded(#[from] Refused),
    #[error("the connection to the proxy broke: {0}")]
    Broken(#[from] io::Error),
}

/// A proxy, by its address in the settings.
pub(super) struct Proxy {
    pub(super) host: String,
    pub(super) port: u16,
    words: Option<(SecretText, SecretText)>,
}

impl Proxy {
    pub(super) fn parse(address: &SecretText) -> Result<Self, ProxyError> {
        let rest = address.expose_secret().strip_prefix("socks5://").ok_or(ProxyError::Address)?;
        let (words, server) = match rest.rsplit_once('@') {
            Some((words, server)) => (Some(words.split_once(':').ok_or(ProxyError::Address)?), server),
            None => (None, rest),
        };
        let (host, port) = server.rsplit_once(':').ok_or(ProxyError::Address)?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let port = port.parse().map_err(|_| ProxyError::Address)?;
        let decoded =
            |word: &str| SecretText::from(percent_decode_str(word).decode_utf8_lossy().into_owned());
        let words = words.map(|(user, password)| (decoded(user), decoded(password)));
        Ok(Self { host: host.to_owned(), port, words })
    }

    /// Opens a connection to an address over a connection to the proxy.
    pub(super) async fn open(
        &self,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
        to: SocketAddr,
    ) -> Result<(), ProxyError> {
        let method = if self.words.is_some() { PASSWORD } else { NO_PASSWORD };
        stream.write_all(&[VERSION, 1, method]).await?;
        let [version, chosen] = read(stream).await?;
        match (version, chosen) {
            (VERSION, chosen) if chosen == method => {}
            (VERSION, _) => return Err(ProxyError::Refused),
            _ => return Err(ProxyError::OtherProtocol),
        }
        if let Some((user, password)) = &self.words {
            let mut words = vec![1];
            for word in [user, password] {
                let word = word.expose_secret().as_bytes();
                let length = u8::try_from(word.len()).ok().filter(|length| *length > 0);
                words.push(length.ok_or(ProxyError::Words)?);
                words.extend_from_slice(word);
            }
            stream.write_all(&words).await?;
            let [_, refused] = read(stream).await?;
            if refused != 0 {
                return Err(ProxyError::Refused);
            }
        }
        let mut wish = vec![VERSION, 1, 0];
        match to {
            SocketAddr::V4(to) => {
                wish.push(1);
                wish.extend_from_slice(&to.ip().octets());
            }
            SocketAddr::V6(to) => {
                wish.push(4);
                wish.extend_from_slice(&to.ip().octets());
            }
        }
        wish.extend_from_slice(&to.port().to_be_bytes());
        stream.write_all(&wish).await?;
        let [version, reply, _, kind] = read(stream).await?;
        if version != VERSION {
            return Err(ProxyError::OtherProtocol);
        }
        if reply != 0 {
            return Err(ProxyError::NotConnected(reason(reply)));
        }
        // Where it connects from is no one's concern, but has to be read.
        match kind {
            1 => drop(read::<6>(stream).await?),
            4 => drop(read::<18>(stream).await?),
            3 => {
                let [length] = read(stream).await?;
                let mut name = vec![0; usize::from(length) + 2];
                stream.read_exact(&mut name).await?;
            }
            _ => return Err(ProxyError::OtherProtocol),
        }
        Ok(())
    }
}

async fn read<const N: usize>(stream: &mut (impl AsyncRead + Unpin)) -> Result<[u8; N], io::Error> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}

const fn reason(reply: u8) -> &'static str {
    match reply {
        1 => "it failed",
        2 => "its rules do not allow it",
        3 => "the network cannot be reached from there",
        4 => "the data centre cannot be reached from there",
        5 => "the data centre refuses connections from there",
        6 => "it took too long",
        7 => "it does not make connections",
        8 => "it does not know this kind of address",
        _ => "for a reason that it has no word for",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Parsed = (String, u16, Option<(String, String)>);

    fn parsed(address: &str) -> Option<Parsed> {
        let proxy = Proxy::parse(&address.into()).ok()?;
        let shown = |word: SecretText| word.expose_secret().to_owned();
        Some((proxy.host, proxy.port, proxy.words.map(|(user, password)| (shown(user), shown(password)))))
    }

    #[test]
    fn a_proxy_address_is_parsed() {
        let some = |host: &str, port, words: Option<(&str, &str)>| {
            Some((host.to_owned(), port, words.map(|(user, word)| (user.to_owned(), word.to_owned()))))
        };
        assert_eq!(parsed("socks5://127.0.0.1:1080"), some("127.0.0.1", 1080, None));
        assert_eq!(parsed("socks5://[::1]:1080"), some("::1", 1080, None));
        let words = Some(("demo", "wo@rd"));
        assert_eq!(parsed("socks5://demo:wo@rd@proxy.example.com:9"), some("proxy.example.com", 9, words));
        assert_eq!(parsed("socks5://demo:wo%40rd@proxy.example.com:9"), some("proxy.example.com", 9, words));
        for wrong in ["http://a:1", "socks5://a", "socks5://demo@a:1", "socks5://a:99999", ""] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }

    /// What the client says to a proxy that answers so, and what comes of it.
    async fn spoken(address: &str, answers: &[u8]) -> (Vec<u8>, Result<(), ProxyError>) {
        let proxy = Proxy::parse(&address.into()).expect("an address");
        let (mut ours, mut theirs) = tokio::io::duplex(1024);
        theirs.write_all(answers).await.expect("room");
        let opened = proxy.open(&mut ours, "203.0.113.7:443".parse().expect("an address")).await;
        drop(ours);
        let mut output = Vec::new();
        theirs.read_to_end(&mut output).await.expect("readable");
        (output, opened)
    }

    #[tokio::test]
    async fn requests_follow_the_socks_protocol() {
        let wish = [5, 1, 0, 1, 203, 0, 113, 7, 1, 187];
        let (output, opened) = spoken("socks5://a:1", &[5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await;
        assert!(opened.is_ok(), "{opened:?}");
        assert_eq!(output, [&[5, 1, 0][..], &wish].concat());
        let answers = [5, 2, 1, 0, 5, 0, 0, 3, 2, b'a', b'b', 0, 1];
        let (output, opened) = spoken("socks5://demo:word@a:1", &answers).await;
        assert!(opened.is_ok(), "{opened:?}");
        assert_eq!(output, [&[5, 1, 2, 1, 4][..], b"demo", &[4], b"word", &wish].concat());
    }

    #[tokio::test]
    async fn refusals_are_distinguished() {
        let refusal = async |address: &str, answers: &[u8]| match spoken(address, answers).await.1 {
            Err(error) => error,
            Ok(()) => panic!("opened"),
        };
        assert!(matches!(refusal("socks5://a:1", &[5, 255]).await, ProxyError::Refused));
        assert!(matches!(refusal("socks5://a:1", b"HTTP").await, ProxyError::OtherProtocol));
        assert!(matches!(refusal("socks5://d:w@a:1", &[5, 2, 1, 1]).await, ProxyError::Refused));
        let not_connected = refusal("socks5://a:1", &[5, 0, 5, 5, 0, 1]).await;
        assert!(matches!(not_connected, ProxyError::NotConnected(why) if why.contains("refuses")));
        assert!(matches!(refusal("socks5://d:@a:1", &[5, 2]).await, ProxyError::Words));
    }
}
