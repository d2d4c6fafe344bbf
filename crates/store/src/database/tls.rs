//! TLS to a server: required and verified beyond this machine, unless the address says `sslmode=disable`.

use rustls::ClientConfig;
use rustls_platform_verifier::ConfigVerifierExt;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

/// The connector for a server; none where TLS is not used.
pub(crate) fn connector(config: &mut Config) -> Result<Option<MakeRustlsConnect>, rustls::Error> {
    let is_here = |host: &Host| match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
        }
        Host::Unix(_) => true,
    };
    let needed = match config.get_ssl_mode() {
        SslMode::Disable => false,
        SslMode::Require => true,
        _ => !config.get_hosts().iter().all(is_here),
    };
    config.ssl_mode(if needed { SslMode::Require } else { SslMode::Disable });
    needed.then(|| ClientConfig::with_platform_verifier().map(MakeRustlsConnect::new)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_is_required_beyond_this_machine() {
        for (address, is_used) in [
            ("postgres://demo@127.0.0.1/demo", false),
            ("postgres://demo@localhost/demo", false),
            ("postgres:///demo?host=/run/postgresql", false),
            ("postgres://demo@db.example.com/demo", true),
            ("postgres://demo@db.example.com/demo?sslmode=disable", false),
            ("postgres://demo@127.0.0.1/demo?sslmode=require", true),
        ] {
            let mut config: Config = address.parse().unwrap();
            let connector = connector(&mut config).unwrap();
            assert_eq!(connector.is_some(), is_used, "{address}");
            let expected = if is_used { SslMode::Require } else { SslMode::Disable };
            assert_eq!(config.get_ssl_mode(), expected, "{address}");
        }
    }
}
