//! The product in the process of the test, killed by its runtime: whatever waits at that instant is dropped where it is, and only
//! the data directory and the other side remember. A transaction was not made, or its answer was lost.

use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};

use crate::process::TIMEOUT;

/// Runs the product with the arguments of a process until it ends or is dropped.
pub type Up = fn(Vec<String>) -> Pin<Box<dyn Future<Output = Result<(), String>>>>;

/// How long work that blocks its thread may take to end with its runtime.
const BLOCKING: Duration = Duration::from_secs(20);

/// Failpoints are those of the process: one product runs at a time.
static TURN: LazyLock<Arc<Mutex<()>>> = LazyLock::new(Arc::default);

/// A program that runs in this process; killed when dropped.
pub(crate) struct Here {
    running: Option<Running>,
}

struct Running {
    killed: oneshot::Sender<()>,
    thread: JoinHandle<Result<(), String>>,
    _turn: OwnedMutexGuard<()>,
}

impl Here {
    pub(crate) async fn start<F>(work: impl FnOnce() -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<(), String>>,
    {
        let turn = Arc::clone(&TURN).lock_owned().await;
        let (killed, is_killed) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime =
                Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
            let ended = runtime.block_on(async {
                tokio::select! {
                    ended = work() => ended,
                    _ = is_killed => Ok(()),
                }
            });
            runtime.shutdown_timeout(BLOCKING);
            failpoint::testing::reset();
            ended
        });
        Self { running: Some(Running { killed, thread, _turn: turn }) }
    }

    /// Drops everything where it is. Fails if it ended with an error before.
    pub(crate) fn kill(&mut self) {
        let Some(Running { killed, thread, _turn }) = self.running.take() else { return };
        let _ = killed.send(());
        if let Err(error) = thread.join().expect("the program does not panic") {
            panic!("the program ended with: {error}");
        }
    }

    fn is_running(&self) -> bool {
        self.running.as_ref().is_some_and(|running| !running.thread.is_finished())
    }

    /// Fails if it ended by itself.
    pub(crate) fn assert_running(&mut self) {
        if !self.is_running() {
            self.kill();
            panic!("the program ended");
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

/// Runs work that a program does, until something stops at the point, and kills it there.
pub async fn killed_at<F>(point: &'static str, work: impl FnOnce() -> F + Send + 'static)
where
    F: Future<Output = ()>,
{
    let mut here = Here::start(async move || {
        failpoint::testing::arm(point, 0);
        work().await;
        Err(format!("nothing stopped at {point}"))
    })
    .await;
    let deadline = Instant::now() + TIMEOUT;
    while !failpoint::testing::stopped().contains_key(point) {
        here.assert_running();
        assert!(Instant::now() < deadline, "nothing stops at {point}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    here.kill();
}

/// Runs work that a program does, to its end.
pub async fn run<F>(work: impl FnOnce() -> F + Send + 'static)
where
    F: Future<Output = ()>,
{
    let mut here = Here::start(async move || {
        work().await;
        Ok(())
    })
    .await;
    let deadline = Instant::now() + TIMEOUT;
    while here.is_running() {
        assert!(Instant::now() < deadline, "it does not end");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    here.kill();
}
