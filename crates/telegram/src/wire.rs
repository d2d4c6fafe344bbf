//! One sender pool and the tasks that drive it: opened, watched, and closed so that nothing of it is left.

use std::num::NonZeroUsize;
use std::sync::OnceLock;
use std::time::Duration;

use domain::SecretText;
use domain::secret::ExposeSecret;
use grammers_mtsender::{ConnectionParams, NoRetries, SenderPool, SenderPoolHandle};
use grammers_session::updates::UpdatesLike;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::session::Key;

/// How many updates may wait between the connection and the task that takes them.
const UPDATES_WAITING: usize = 512;

/// How long a pool may take to close its connection before it is aborted.
const CLOSING: Duration = Duration::from_millis(500);

/// What the connection tells Telegram about the machine: asked of the system once, as each time takes 12 ms.
struct Machine {
    system_version: String,
    system_lang_code: String,
    lang_code: String,
}

fn machine() -> &'static Machine {
    static MACHINE: OnceLock<Machine> = OnceLock::new();
    MACHINE.get_or_init(|| {
        let asked = ConnectionParams::default();
        Machine {
            system_version: asked.system_version,
            system_lang_code: asked.system_lang_code,
            lang_code: asked.lang_code,
        }
    })
}

/// Under what name the program connects, and through what.
pub(crate) struct Application {
    pub(crate) api_id: i32,
    /// The address of a SOCKS5 proxy.
    pub(crate) proxy: Option<SecretText>,
}

fn parameters(use_ipv6: bool, proxy: Option<&SecretText>) -> ConnectionParams {
    let machine = machine();
    ConnectionParams {
        device_model: "Switchboard".to_owned(),
        system_version: machine.system_version.clone(),
        app_version: env!("CARGO_PKG_VERSION").to_owned(),
        system_lang_code: machine.system_lang_code.clone(),
        lang_code: machine.lang_code.clone(),
        proxy_url: proxy.map(|proxy| proxy.expose_secret().to_owned()),
        use_ipv6,
        retry_policy: Box::new(NoRetries),
        updates_channel_capacity: NonZeroUsize::new(UPDATES_WAITING).unwrap_or(NonZeroUsize::MIN),
        __non_exhaustive: (),
    }
}

/// A way to the data centre.
#[derive(Clone)]
pub(crate) struct Wire {
    pub(crate) handle: SenderPoolHandle,
    pub(crate) dc_id: i32,
}

/// A pool that runs. Aborted when dropped; [`Pool::close`] is the polite way.
pub(crate) struct Pool {
    pub(crate) wire: Wire,
    runner: JoinHandle<()>,
    pump: JoinHandle<()>,
}

impl Pool {
    /// Starts a pool; it connects with the first call. Each thing that arrives by itself is given to `arrived`.
    pub(crate) fn open(
        key: &Key,
        application: &Application,
        arrived: impl FnMut(UpdatesLike) + Send + 'static,
    ) -> Self {
        let parameters = parameters(key.use_ipv6(), application.proxy.as_ref());
        let pool = SenderPool::with_configuration(key.session(), application.api_id, parameters);
        Self {
            wire: Wire { handle: pool.handle.thin, dc_id: key.dc_id() },
            runner: tokio::spawn(pool.runner.run()),
            pump: tokio::spawn(pump(pool.updates, arrived)),
        }
    }

    /// Waits until the pool ends by itself, which it does only when something broke; tells what.
    pub(crate) async fn broken(&mut self) -> String {
        match (&mut self.runner).await {
            Ok(()) => "the connection task ended".to_owned(),
            Err(error) if error.is_panic() => "the connection task panicked".to_owned(),
            Err(_) => "the connection task was stopped".to_owned(),
        }
    }

    /// Whether it ended.
    pub(crate) fn is_broken(&self) -> bool {
        self.runner.is_finished()
    }

    /// Closes the connection and waits until it is closed: two with one key at a time would end the session.
    pub(crate) async fn close(mut self) {
        self.wire.handle.quit();
        if !self.runner.is_finished() && tokio::time::timeout(CLOSING, &mut self.runner).await.is_err() {
            self.runner.abort();
            // Its only other end is a panic, which was looked for already.
            let _ = (&mut self.runner).await;
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.runner.abort();
        self.pump.abort();
    }
}

/// Takes updates out of the connection's own small queue as fast as they come.
async fn pump(mut updates: mpsc::Receiver<UpdatesLike>, mut arrived: impl FnMut(UpdatesLike)) {
    while let Some(update) = updates.recv().await {
        arrived(update);
    }
}
