//! The product in the process of the test, killed by its runtime: whatever waits at that instant is dropped where it is, and only
//! the data directory and the other side remember.

use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};

/// Runs the product with the arguments of a process until it ends or is dropped.
pub type Up = fn(Vec<String>) -> Pin<Box<dyn Future<Output = Result<(), String>>>>;

/// How long work that blocks its thread may take to end with its runtime.
const BLOCKING: Duration = Duration::from_secs(20);

/// Failpoints are those of the process: one product runs at a time.
static TURN: LazyLock<Arc<Mutex<()>>> = LazyLock::new(Arc::default);

/// A product that runs in this process; killed when dropped.
pub(crate) struct Here {
    running: Option<Running>,
}

struct Running {
    killed: oneshot::Sender<()>,
    thread: JoinHandle<Result<(), String>>,
    _turn: OwnedMutexGuard<()>,
}

impl Here {
    pub(crate) async fn start(up: Up, arguments: Vec<String>) -> Self {
        let turn = Arc::clone(&TURN).lock_owned().await;
        let (killed, is_killed) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime =
                Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
            let ended = runtime.block_on(async {
                tokio::select! {
                    ended = up(arguments) => ended,
                    _ = is_killed => Ok(()),
                }
            });
            runtime.shutdown_timeout(BLOCKING);
            failpoint::testing::reset();
            ended
        });
        Self { running: Some(Running { killed, thread, _turn: turn }) }
    }

    pub(crate) fn kill(&mut self) {
        let Some(Running { killed, thread, _turn }) = self.running.take() else { return };
        let _ = killed.send(());
        if let Err(error) = thread.join().expect("the product does not panic") {
            panic!("the product ended with: {error}");
        }
    }

    /// Fails if it ended by itself.
    pub(crate) fn assert_running(&mut self) {
        if self.running.as_ref().is_some_and(|running| running.thread.is_finished()) {
            self.kill();
            panic!("the product ended");
        }
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.kill();
        }
    }
}
