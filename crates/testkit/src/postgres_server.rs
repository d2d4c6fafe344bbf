//! A PostgreSQL for one test alone, which starts it again or has it speak TLS.

use crate::process::free_port;
use crate::supervisor::Supervisor;

/// A server of the same programs and the same owner as the one that all tests share. It ends when this is dropped.
pub struct PostgresServer {
    supervisor: Supervisor,
    port: u16,
}

impl PostgresServer {
    /// Starts one.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// Starts one that lets no one in without TLS, and shows this certificate.
    pub fn over_tls(certificate: &str, key: &str) -> Self {
        Self::with(&[("CERTIFICATE", certificate), ("KEY", key)])
    }

    fn with(environment: &[(&str, &str)]) -> Self {
        let port = free_port();
        let script = include_str!("postgres_server.sh");
        let mut supervisor = Supervisor::start(script, &[port.to_string()], environment);
        supervisor.reported("ready");
        Self { supervisor, port }
    }

    /// The address of a database there.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Ends it, which ends all its connections, and starts it again. Blocks until it is back.
    pub fn restart(&mut self) {
        self.supervisor.go_on();
        self.supervisor.reported("ready");
    }
}
