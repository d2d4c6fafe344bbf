//! Named points on the way of a message where a test can stop the program and kill it.
//!
//! Without the feature `testing` a point is nothing at all. With it, a test arms a point by name; the task that
//! reaches it stops there, the test sees that in [`testing::stopped`] and ends the process with SIGKILL, or releases it.

/// Passes a point: at once, unless a test armed it.
#[cfg(not(feature = "testing"))]
#[inline]
#[expect(clippy::unused_async, reason = "the same signature as in test builds, where it waits")]
pub async fn reach(_name: &'static str) {}

/// Passes a point: at once, unless a test armed it.
#[cfg(feature = "testing")]
pub async fn reach(name: &'static str) {
    if testing::arrive(name) {
        testing::released(name).await;
    }
}

/// The same for work that blocks its thread.
#[cfg(not(feature = "testing"))]
#[inline]
pub fn hold(_name: &'static str) {}

/// The same for work that blocks its thread.
#[cfg(feature = "testing")]
pub fn hold(name: &'static str) {
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Wake, Waker};
    use std::thread::Thread;

    struct Sleeper(Thread);

    impl Wake for Sleeper {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Sleeper(std::thread::current())));
    let mut reached = pin!(reach(name));
    while reached.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
        std::thread::park();
    }
}

#[cfg(feature = "testing")]
pub mod testing {
    //! Arming points, and seeing what was reached.

    use std::collections::BTreeMap;
    use std::future::poll_fn;
    use std::sync::{Mutex, MutexGuard, PoisonError};
    use std::task::{Poll, Waker};

    static ARMED: Mutex<BTreeMap<String, u32>> = Mutex::new(BTreeMap::new());
    static STOPPED: Mutex<BTreeMap<&'static str, u32>> = Mutex::new(BTreeMap::new());
    /// Who waits at which point.
    static WAITING: Mutex<Vec<(&'static str, Waker)>> = Mutex::new(Vec::new());

    /// Stops the one who reaches this point after `skip` have passed it.
    pub fn arm(name: &str, skip: u32) {
        lock(&ARMED).insert(name.to_owned(), skip);
    }

    /// The variable that names a point to stop at, for a program that no one can ask to.
    pub const VARIABLE: &str = "FAILPOINT";

    /// Arms the point that the environment names, if it names one. The one who stops there says so on the standard error.
    pub fn arm_by_environment() {
        if let Ok(name) = std::env::var(VARIABLE) {
            arm(&name, 0);
        }
    }

    /// Releases all that wait at this point, and stops no one there any more.
    pub fn release(name: &str) {
        // Held until all are woken, so that no one begins to wait meanwhile.
        let mut armed = lock(&ARMED);
        armed.remove(name);
        lock(&STOPPED).remove(name);
        let mut waiting = lock(&WAITING);
        for (_, waker) in waiting.extract_if(.., |(point, _)| *point == name) {
            waker.wake();
        }
    }

    /// Forgets every point, and all that stopped: a program that ran in this process has ended.
    pub fn reset() {
        lock(&ARMED).clear();
        lock(&STOPPED).clear();
        lock(&WAITING).clear();
    }

    /// The points where something stopped, and how often.
    pub fn stopped() -> BTreeMap<&'static str, u32> {
        lock(&STOPPED).clone()
    }

    pub(crate) fn arrive(name: &'static str) -> bool {
        let mut armed = lock(&ARMED);
        let stop = match armed.get_mut(name) {
            None => false,
            Some(0) => true,
            Some(skip) => {
                *skip -= 1;
                false
            }
        };
        drop(armed);
        if stop {
            if std::env::var_os(VARIABLE).is_some() {
                eprintln!("stopped at {name}");
            }
            *lock(&STOPPED).entry(name).or_insert(0) += 1;
        }
        stop
    }

    /// Ends when the point is no longer armed.
    pub(crate) async fn released(name: &'static str) {
        poll_fn(|context| {
            let armed = lock(&ARMED);
            if !armed.contains_key(name) {
                return Poll::Ready(());
            }
            lock(&WAITING).push((name, context.waker().clone()));
            Poll::Pending
        })
        .await;
    }

    fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
