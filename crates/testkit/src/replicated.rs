//! A PostgreSQL with a synchronous standby, for a test that lets the standby take over.

use std::time::Instant;

use crate::postgres::query;
use crate::process::{TIMEOUT, free_port};
use crate::supervisor::Supervisor;

/// Two servers, of the same programs and the same owner as the one that all tests share. They end when this is dropped.
pub struct Replicated {
    supervisor: Supervisor,
    ports: [u16; 2],
}

impl Replicated {
    /// Starts both. From here on, what the first commits is on the second.
    pub fn start() -> Self {
        let ports = [free_port(), free_port()];
        let arguments = ports.map(|port| port.to_string());
        let supervisor = Supervisor::start(include_str!("replicated.sh"), &arguments, &[]);
        let mut both = Self { supervisor, ports };
        both.supervisor.reported("ready");
        query(&both.url(0), "ALTER SYSTEM SET synchronous_standby_names = '*'").expect("set");
        query(&both.url(0), "SELECT pg_reload_conf()").expect("read");
        both.is_synchronous();
        both
    }

    fn is_synchronous(&self) {
        let deadline = Instant::now() + TIMEOUT;
        let states = "SELECT sync_state FROM pg_stat_replication WHERE sync_state = 'sync'";
        while query(&self.url(0), states).expect("an answer").is_empty() {
            assert!(Instant::now() < deadline, "the second server does not follow the first one");
            query(&self.url(0), "SELECT pg_sleep(0.02)").expect("an answer");
        }
    }

    fn url(&self, number: usize) -> String {
        format!("postgres://postgres@{}/postgres", self.address(number))
    }

    fn address(&self, number: usize) -> String {
        format!("127.0.0.1:{}", self.ports[number])
    }

    /// The database on the server that is in charge first, and that server's `host:port`.
    pub fn first(&self) -> (String, String) {
        (self.url(0), self.address(0))
    }

    /// The `host:port` of the standby, which takes no writes until the first server has ended.
    pub fn second(&self) -> String {
        self.address(1)
    }

    /// Ends the first server without a word and lets the second take over; the second one's `host:port`.
    pub fn fail_over(&mut self) -> String {
        self.supervisor.go_on();
        self.supervisor.reported("promoted");
        self.address(1)
    }
}
