//! Random numbers: keys against doubles, and jitter.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// A source of random numbers. Cheap to clone; clones share one sequence.
#[derive(Clone)]
pub struct Chance(Arc<Mutex<StdRng>>);

impl Chance {
    /// Seeded by the operating system.
    pub fn from_system() -> Self {
        Self(Arc::new(Mutex::new(rand::make_rng())))
    }

    /// The same numbers for the same seed.
    pub fn from_seed(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// A random 64-bit number that is not zero: Telegram's `random_id`.
    pub fn random_id(&self) -> i64 {
        let mut rng = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let id: i64 = rng.random();
            if id != 0 {
                return id;
            }
        }
    }

    /// A duration between half of `base` and all of it: so that many who wait do not come back at once.
    pub fn jitter(&self, base: Duration) -> Duration {
        let mut rng = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        base.mul_f64(rng.random_range(0.5..=1.0))
    }
}
