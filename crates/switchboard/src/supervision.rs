//! Notifications to the service manager: ready, alive, stopping.

use std::time::Duration;

use ambient::Clock;
use hyper::Request;
use rustix::time::{ClockId, clock_gettime};
use store::Store;
use systemd::{Notifier, WatchdogTime};
use telegram::Pool;
use telegram::router::Usable;

use crate::output::say;

/// How often readiness is checked.
const LOOK: Duration = Duration::from_millis(100);

/// How often the status line is sent without a watchdog.
const USUAL: Duration = Duration::from_secs(20);

/// The service manager that started the program, if there is one.
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
            say!("NOT NOTIFIED the service manager cannot be notified: {error}");
            None
        });
        let variable = |name: &str| std::env::var(name).ok();
        let (time, pid) = (variable("WATCHDOG_USEC"), variable("WATCHDOG_PID"));
        let watchdog = WatchdogTime::read(time.as_deref(), pid.as_deref(), std::process::id());
        Self { notifier, watchdog }
    }

    /// Notifies that the server is ready once it is, and then that it is alive as long as this task runs and the store
    /// answers, even with an error: a full disk is no reason for a restart. Never ends.
    pub(crate) async fn keep_notified(&self, clock: &Clock, state: &web::State, store: &Store, pool: &Pool) {
        let Some(notifier) = &self.notifier else { return std::future::pending().await };
        let inside = web::InProcessApi::new(state);
        while !is_ready(&inside).await {
            clock.sleep(LOOK).await;
        }
        notifier.ready(&status(pool));
        let interval = self.watchdog.map_or(USUAL, WatchdogTime::interval);
        loop {
            clock.sleep(interval).await;
            // Of the two halves of the watchdog's time one is waited, the other is for the store.
            if tokio::time::timeout(interval, store.round_trip()).await.is_err() {
                tracing::error!(
                    "the store does not answer; the service manager is not notified that all is well"
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

    /// The settings were read, or could not be.
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

async fn is_ready(inside: &web::InProcessApi) -> bool {
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
