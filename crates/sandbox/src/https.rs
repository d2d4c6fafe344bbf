//! The control port over HTTPS, for providers whose certificates are signed by an authority that no system trusts: the sandbox has one
//! of its own.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::{channels, files};

/// The certificate of the authority, as PEM.
const CERTIFICATE: &str = "ca.pem";
/// Its key, which stays the same, so that a product that has read the certificate goes on.
const KEY: &str = "ca-key.pem";
/// The longest wait for a client to agree on keys.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The authority of a data directory.
pub(crate) struct Https {
    authority: Issuer<'static, KeyPair>,
    /// The file of its certificate.
    pub(crate) ca_file: PathBuf,
}

impl Https {
    /// That of an earlier start, or a new one.
    pub(crate) fn open(data_dir: &Path) -> io::Result<Self> {
        let key = key(&data_dir.join(KEY))?;
        let mut authority = CertificateParams::default();
        authority.distinguished_name.push(DnType::CommonName, "The sandbox's own authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca_file = data_dir.join(CERTIFICATE);
        if !ca_file.exists() {
            std::fs::write(&ca_file, authority.self_signed(&key).map_err(io::Error::other)?.pem())?;
        }
        Ok(Self { authority: Issuer::new(authority, key), ca_file })
    }

    /// What the port shows: a certificate for loopback that the authority signs.
    fn acceptor(&self) -> io::Result<TlsAcceptor> {
        let names = ["127.0.0.1", "localhost"].map(str::to_owned);
        let mut port = CertificateParams::new(names).map_err(io::Error::other)?;
        port.distinguished_name.push(DnType::CommonName, "127.0.0.1");
        port.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        port.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let shown = port.signed_by(&key, &self.authority).map_err(io::Error::other)?;
        let config =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(io::Error::other)?
                .with_no_client_auth()
                .with_single_cert(
                    vec![shown.der().clone()],
                    PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
                )
                .map_err(io::Error::other)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// Hands what it deciphers on to the control port, until the token is cancelled.
    pub(crate) async fn serve(self, listener: TcpListener, control: SocketAddr, stop: CancellationToken) {
        // The first random number takes the library 0.1 s: only who is called here waits for it.
        let acceptor: Arc<LazyLock<_, _>> = Arc::new(LazyLock::new(move || self.acceptor()));
        channels::serve(listener, stop, move |stream| {
            let acceptor = acceptor.clone();
            async move {
                let accepting = match &**acceptor {
                    Ok(acceptor) => acceptor.accept(stream),
                    Err(error) => return Err(io::Error::other(error.to_string())),
                };
                let mut stream = tokio::time::timeout(HANDSHAKE, accepting).await??;
                let mut within = TcpStream::connect(control).await?;
                tokio::io::copy_bidirectional(&mut stream, &mut within).await.map(drop)
            }
        })
        .await;
    }
}

/// The key of an earlier start, or a new one.
fn key(path: &Path) -> io::Result<KeyPair> {
    match std::fs::read_to_string(path) {
        Ok(pem) => KeyPair::from_pem(&pem).map_err(io::Error::other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let made = KeyPair::generate().map_err(io::Error::other)?;
            files::write_private(path, made.serialize_pem().as_bytes())?;
            Ok(made)
        }
        Err(error) => Err(error),
    }
}
