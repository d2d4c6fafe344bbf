//! What the service manager hears from a running server: when it is ready, that its main loops move, that it ends.

use std::time::Duration;

use hyper::Request;
use rustix::time::{ClockId, clock_gettime};
use store::Store;
use systemd::{Notifier, WatchdogTime};
use telegram::Pool;
use telegram::router::Usable;

use crate::output::say;

/// How often it is looked whether the server is ready.
const LOOK: Duration = Duration::from_millis(100);

/// How often the status line is told where no watchdog waits for more.
const USUAL: Duration = Duration::from_secs(20);

/// Whoever started the program, if that is somebody who listens.
#[derive(Debug)]
pub(crate) struct Supervision {
    notifier: Option<Notifier>,
    watchdog: Option<WatchdogTime>,
}

impl Supervision {
    /// The one that the environment names.
    pub(crate) fn of_environment() -> Self {
        let named = std::env::var_os("NOTIFY_SOCKET");
        let notifier = Notifier::to(named.as_deref()).unwrap_or_else(|error| {
            say!("NOT TOLD     the service manager cannot be told: {error}");
            None
        });
        let variable = |name: &str| std::env::var(name).ok();
        let (time, pid) = (variable("WATCHDOG_USEC"), variable("WATCHDOG_PID"));
        let watchdog = WatchdogTime::read(time.as_deref(), pid.as_deref(), std::process::id());
        Self { notifier, watchdog }
    }

    /// Tells that the server is ready once it is, and from then on that it is alive, as long as its main loops move: this
    /// task runs, and the store answers, be it with an error. A full disk is no reason to be started again.
    /// Never ends.
    pub(crate) async fn keep_told(&self, state: &web::State, store: &Store, pool: &Pool) {
        let Some(notifier) = &self.notifier else { return std::future::pending().await };
        let inside = web::Inside::new(state);
        while !is_ready(&inside).await {
            tokio::time::sleep(LOOK).await;
        }
        notifier.ready(&status(pool));
        let interval = self.watchdog.map_or(USUAL, WatchdogTime::interval);
        loop {
            tokio::time::sleep(interval).await;
            // Of the two halves of the watchdog's time one is waited, the other is for the store.
            if tokio::time::timeout(interval, store.round_trip()).await.is_err() {
                tracing::error!(
                    "the store does not answer; the service manager is not told that all is well"
                );
                notifier.status("The store does not answer");
                continue;
            }
            if self.watchdog.is_some() {
                notifier.alive();
            }
            notifier.status(&status(pool));
        }
    }

    /// The settings are read again.
    pub(crate) fn reloading(&self) {
        if let Some(notifier) = &self.notifier {
            let now = clock_gettime(ClockId::Monotonic);
            let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
            let nanos = u32::try_from(now.tv_nsec).unwrap_or(0);
            notifier.reloading(Duration::new(seconds, nanos));
        }
    }

    /// They were read, or could not be; either way it goes on.
    pub(crate) fn reloaded(&self, pool: &Pool) {
        if let Some(notifier) = &self.notifier {
            notifier.ready(&status(pool));
        }
    }

    pub(crate) fn stopping(&self) {
        if let Some(notifier) = &self.notifier {
            notifier.stopping();
        }
    }
}

async fn is_ready(inside: &web::Inside) -> bool {
    match Request::get("/health/ready").header("host", "localhost").body(String::new().into()) {
        Ok(request) => inside.answer(request).await.status().is_success(),
        Err(_) => false,
    }
}

/// One line for `systemctl status`.
fn status(pool: &Pool) -> String {
    let accounts = pool.accounts();
    let ready = accounts.iter().filter(|account| account.usable == Usable::Now).count();
    match accounts.len() {
        0 => "No account yet: switchboard account add".to_owned(),
        all if ready == all => format!("All {all} accounts can work"),
        all => format!("{ready} of {all} accounts can work; switchboard account list"),
    }
}
