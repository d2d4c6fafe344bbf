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
    if let Some(arrival) = testing::arrive(name) {
        testing::released(name, arrival).await;
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

    static POINTS: Mutex<Points> = Mutex::new(Points {
        armed: BTreeMap::new(),
        stopped: BTreeMap::new(),
        waiting: Vec::new(),
        released: BTreeMap::new(),
    });

    struct Points {
        /// How many pass a point before one is stopped there.
        armed: BTreeMap<String, u32>,
        stopped: BTreeMap<&'static str, u32>,
        /// Who waits at which point.
        waiting: Vec<(&'static str, Waker)>,
        /// How often each point was released.
        released: BTreeMap<String, u64>,
    }

    impl Points {
        fn released(&self, name: &str) -> u64 {
            self.released.get(name).copied().unwrap_or_default()
        }
    }

    /// Stops the one who reaches this point after `skip` have passed it.
    pub fn arm(name: &str, skip: u32) {
        points().armed.insert(name.to_owned(), skip);
    }

    /// The variable that names a point to stop at, for a program that no one can ask to.
    pub const VARIABLE: &str = "FAILPOINT";

    /// Arms the point that the environment names, if it names one. The one who stops there says so on the standard error.
    pub fn arm_by_environment() {
        if let Ok(name) = std::env::var(VARIABLE) {
            arm(&name, 0);
        }
    }

    /// Releases all that wait at this point, and stops no one there until it is armed again.
    pub fn release(name: &str) {
        let mut points = points();
        points.armed.remove(name);
        points.stopped.remove(name);
        *points.released.entry(name.to_owned()).or_default() += 1;
        for (_, waker) in points.waiting.extract_if(.., |(point, _)| *point == name) {
            waker.wake();
        }
    }

    /// Forgets every point, and all that stopped: a program that ran in this process has ended.
    pub fn reset() {
        let mut points = points();
        points.armed.clear();
        points.stopped.clear();
        points.waiting.clear();
    }

    /// The points where something stopped, and how often.
    pub fn stopped() -> BTreeMap<&'static str, u32> {
        points().stopped.clone()
    }

    /// How often the point had been released when the caller was stopped there; nothing if it may pass.
    pub(crate) fn arrive(name: &'static str) -> Option<u64> {
        let mut points = points();
        let skip = points.armed.get_mut(name)?;
        if *skip > 0 {
            *skip -= 1;
            return None;
        }
        if std::env::var_os(VARIABLE).is_some() {
            eprintln!("stopped at {name}");
        }
        *points.stopped.entry(name).or_insert(0) += 1;
        Some(points.released(name))
    }

    /// Ends when the point is released after an arrival, even if it is armed again at once.
    pub(crate) async fn released(name: &'static str, arrival: u64) {
        poll_fn(|context| {
            let mut points = points();
            if points.released(name) > arrival {
                return Poll::Ready(());
            }
            points.waiting.push((name, context.waker().clone()));
            Poll::Pending
        })
        .await;
    }

    fn points() -> MutexGuard<'static, Points> {
        POINTS.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
