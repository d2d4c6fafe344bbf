//! Named points on the way of a message where a test can stop the program and kill it.
//!
//! Without the feature `testing` a point is nothing at all. With it, a test arms a point by name; the task that
//! reaches it stops there for good, the test sees that in [`testing::stopped`] and ends the process with SIGKILL.

/// Passes a point: at once, unless a test armed it.
#[cfg(not(feature = "testing"))]
#[inline]
#[expect(clippy::unused_async, reason = "the same signature as in test builds, where it waits")]
pub async fn reach(_name: &'static str) {}

/// Passes a point: at once, unless a test armed it.
#[cfg(feature = "testing")]
pub async fn reach(name: &'static str) {
    if testing::arrive(name) {
        std::future::pending::<()>().await;
    }
}

#[cfg(feature = "testing")]
pub mod testing {
    //! Arming points, and seeing what was reached.

    use std::collections::BTreeMap;
    use std::sync::{Mutex, PoisonError};

    static ARMED: Mutex<BTreeMap<String, u32>> = Mutex::new(BTreeMap::new());
    static STOPPED: Mutex<BTreeMap<&'static str, u32>> = Mutex::new(BTreeMap::new());

    /// Stops whoever reaches this point after `skip` have passed it.
    pub fn arm(name: &str, skip: u32) {
        ARMED.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), skip);
    }

    /// The points where something stopped, and how often.
    pub fn stopped() -> BTreeMap<&'static str, u32> {
        STOPPED.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn arrive(name: &'static str) -> bool {
        let mut armed = ARMED.lock().unwrap_or_else(PoisonError::into_inner);
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
            *STOPPED.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_insert(0) += 1;
        }
        stop
    }
}
