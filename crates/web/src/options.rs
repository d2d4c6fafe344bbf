//! What the web layer is given at start: where to listen, which proxies to trust, and how much to take.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use config::{LegacySettings, Settings};
use ipnet::IpNet;

use crate::listen::Tls;

/// Where to listen, and which proxies to trust.
#[derive(Debug, Clone)]
pub struct Options {
    pub listen: SocketAddr,
    /// What the main port shows; without it, it speaks plain HTTP.
    pub tls: Option<Tls>,
    /// The control socket; none is served without it.
    pub control_socket: Option<PathBuf>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The ports of the gateway that is replaced.
    pub legacy: LegacySettings,
    pub examined: Examined,
    /// Bounds on what a client may do.
    pub limits: Limits,
}

/// What the doctor looks at, beside the server itself.
#[derive(Debug, Clone)]
pub struct Examined {
    pub data_dir: PathBuf,
    /// The settings file, if there is one.
    pub settings_file: Option<PathBuf>,
    /// The settings that the server works by.
    pub settings: Arc<Settings>,
    /// What names the settings as they were read, before arguments changed some.
    pub fingerprint: String,
}

impl Options {
    /// Those of the settings, without TLS.
    pub fn new(settings: &Settings, control_socket: Option<PathBuf>, examined: Examined) -> Self {
        Self {
            listen: settings.listen,
            tls: None,
            control_socket,
            trusted_proxies: settings.trusted_proxies.clone(),
            legacy: settings.legacy.clone(),
            examined,
            limits: Limits {
                body: usize::try_from(settings.limits.body).unwrap_or(usize::MAX),
                per_key: settings.limits.requests_per_minute_per_key,
                connections: settings.limits.connections,
                addresses_within: settings.media.addresses_within,
                per_address: settings.limits.requests_per_minute_per_address,
                ..Limits::default()
            },
        }
    }
}

/// Bounds on what a client may do.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest body, in bytes.
    pub body: usize,
    /// How long a body may take to arrive, and how long an answer may be stuck because no one reads it.
    pub body_time: Duration,
    /// How long a request's head may take to arrive; also how long an idle connection is kept.
    pub head_time: Duration,
    /// The most headers in a request.
    pub headers: usize,
    /// The largest head of a request, in bytes.
    pub head: usize,
    /// The most connections of one listener; more wait until one ends.
    pub connections: usize,
    /// How often a port that is taken is tried again.
    pub retry: Duration,
    /// How long open requests may go on after the stop.
    pub drain: Duration,
    /// How long a request that waits for a message goes on waiting after the stop.
    pub grace: Duration,
    /// How long the files that a call of `POST /v1/messages` names by address may take.
    pub addresses_within: Duration,
    /// Requests of one key in a minute.
    pub per_key: Option<NonZeroU32>,
    /// Requests of one address in a minute.
    pub per_address: Option<NonZeroU32>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 1024 * 1024,
            body_time: Duration::from_secs(30),
            head_time: Duration::from_secs(30),
            headers: 64,
            head: 32 * 1024,
            connections: 2048,
            retry: Duration::from_secs(3),
            drain: Duration::from_secs(10),
            grace: Duration::from_secs(4),
            addresses_within: Duration::from_secs(100),
            per_key: None,
            per_address: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(settings: &Settings) -> Limits {
        let examined = Examined {
            data_dir: PathBuf::new(),
            settings_file: None,
            settings: Arc::default(),
            fingerprint: String::new(),
        };
        Options::new(settings, None, examined).limits
    }

    #[test]
    fn a_port_takes_as_many_connections_as_set() {
        let mut settings = Settings::default();
        assert_eq!(limits(&settings).connections, Limits::default().connections);
        settings.limits.connections = 100;
        assert_eq!(limits(&settings).connections, 100);
    }
}
