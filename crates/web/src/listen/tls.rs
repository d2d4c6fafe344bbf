//! TLS on the main port: the certificate of the settings, and who speaks plain HTTP to it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use config::TlsSettings;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The first byte of a TLS connection: a handshake record.
const HANDSHAKE: u8 = 22;

/// The answer to a program that speaks plain HTTP here.
const PLAIN: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: 45\r\n\
    connection: close\r\n\r\nThis port speaks HTTPS; use an https address\n";

/// What the main port shows. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Tls {
    config: Arc<ServerConfig>,
    chain: Arc<[CertificateDer<'static>]>,
}

/// Why the main port cannot speak TLS. The text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    #[error("`tls.{key}` names {}, which cannot be read: {source}; check its path and its rights", file.display())]
    Unreadable { key: &'static str, file: PathBuf, source: io::Error },
    #[error("`tls.certificate` names {}, in which there is no certificate: it must have lines that say BEGIN CERTIFICATE", file.display())]
    NoCertificate { file: PathBuf },
    #[error("`tls.key` names {}, in which there is no private key: it must have a line that says BEGIN PRIVATE KEY", file.display())]
    NoKey { file: PathBuf },
    #[error("the key in {} is not that of the first certificate in {}; name the two files of one certificate", key.display(), certificate.display())]
    OtherKey { certificate: PathBuf, key: PathBuf },
    #[error("the certificate in {} cannot be used: {what}", certificate.display())]
    Unusable { certificate: PathBuf, what: String },
}

impl Tls {
    /// Reads certificate and key. Blocks on the disk.
    ///
    /// # Errors
    /// They cannot be read, or do not belong together.
    pub fn read(settings: &TlsSettings) -> Result<Self, TlsError> {
        let TlsSettings { certificate, key } = settings;
        let unreadable = |key, file: &Path| {
            let file = file.to_owned();
            move |source| TlsError::Unreadable { key, file, source }
        };
        let text =
            ambient::regular_file::read(certificate).map_err(unreadable("certificate", certificate))?;
        let chain: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&text).collect();
        let chain = chain.ok().filter(|chain| !chain.is_empty());
        let chain = chain.ok_or_else(|| TlsError::NoCertificate { file: certificate.clone() })?;
        let text = ambient::regular_file::read(key).map_err(unreadable("key", key))?;
        let private =
            PrivateKeyDer::from_pem_slice(&text).map_err(|_| TlsError::NoKey { file: key.clone() })?;
        let unusable = |error: rustls::Error| match error {
            rustls::Error::InconsistentKeys(_) => {
                TlsError::OtherKey { certificate: certificate.clone(), key: key.clone() }
            }
            error => TlsError::Unusable { certificate: certificate.clone(), what: error.to_string() },
        };
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_no_client_auth()
            .with_single_cert(chain.clone(), private)
            .map_err(unusable)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config), chain: chain.into() })
    }

    /// Whether both show the same.
    pub fn shows_what(&self, other: &Self) -> bool {
        self.chain == other.chain
    }

    /// Agrees on keys with the other end. A program that speaks plain HTTP is answered so.
    pub(super) async fn accept(&self, mut stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let mut first = [0];
        if stream.peek(&mut first).await? == 1 && first != [HANDSHAKE] {
            stream.write_all(PLAIN).await?;
            stream.shutdown().await?;
            // Were it closed with its request unread, it might never see the answer.
            let mut thrown_away = [0; 1024];
            while stream.read(&mut thrown_away).await? > 0 {}
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it speaks no TLS"));
        }
        TlsAcceptor::from(Arc::clone(&self.config)).accept(stream).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate for localhost and its key, written into a folder.
    fn pair(folder: &Path, name: &str) -> TlsSettings {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let file = |end: &str| folder.join(format!("{name}.{end}"));
        std::fs::write(file("pem"), made.cert.pem()).expect("writes");
        std::fs::write(file("key"), made.signing_key.serialize_pem()).expect("writes");
        TlsSettings { certificate: file("pem"), key: file("key") }
    }

    #[test]
    fn a_pair_is_read_and_anything_else_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, other) = (pair(folder.path(), "one"), pair(folder.path(), "other"));
        let read = Tls::read(&one).expect("a pair");
        assert!(read.shows_what(&Tls::read(&one).expect("a pair")));
        assert!(!read.shows_what(&Tls::read(&other).expect("a pair")));
        let mixed = TlsSettings { key: other.key.clone(), ..one.clone() };
        assert!(matches!(Tls::read(&mixed), Err(TlsError::OtherKey { .. })));
        let turned = TlsSettings { certificate: one.key.clone(), key: one.certificate.clone() };
        assert!(matches!(Tls::read(&turned), Err(TlsError::NoCertificate { .. })));
        let keyless = TlsSettings { key: one.certificate.clone(), ..one.clone() };
        assert!(matches!(Tls::read(&keyless), Err(TlsError::NoKey { .. })));
        let missing = TlsSettings { key: folder.path().join("nothing"), ..one };
        let error = Tls::read(&missing).expect_err("refused").to_string();
        assert!(error.contains("`tls.key`") && error.contains("nothing"), "{error}");
    }
}
