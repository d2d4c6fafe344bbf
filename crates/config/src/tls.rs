//! TLS on the main port, for those without a proxy in front.

use std::path::PathBuf;

use crate::keys::settings;

settings! {
    /// The section `[tls]`.
    pub item TlsSettings at "tls." {
        /// The certificate that the main port shows, in PEM, with those that lead from it to the root. With this section it
        /// speaks HTTPS and nothing else. Both files are read again on every reload.
        certificate: PathBuf, file(), "\"/etc/letsencrypt/live/example.com/fullchain.pem\"";
        /// The key of the certificate, in PEM.
        key: PathBuf, file(), "\"/etc/letsencrypt/live/example.com/privkey.pem\"";
    }
}
