//! What every page is made from.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

/// The most pages that keep themselves up to date at once; more ask again by themselves.
const MOST_STREAMS: usize = 256;

/// What every page is made from. Cheap to clone.
#[derive(Clone)]
pub struct Dashboard(Arc<Parts>);

struct Parts {
    state: web::State,
    api: web::InProcessApi,
    places: Arc<Semaphore>,
    page_states: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct NavCounts {
    pub(crate) trouble: u64,
    /// Messages and operations of which no one knows whether they happened.
    pub(crate) in_doubt: u64,
    /// Failed requests that wait for a decision.
    pub(crate) failed: u64,
    pub(crate) unresolved: u64,
}

impl Dashboard {
    /// Over a program's parts; nothing is served before [`crate::router`] is.
    pub fn new(state: web::State) -> Self {
        let api = web::InProcessApi::new(&state);
        let places = Arc::new(Semaphore::new(MOST_STREAMS));
        Self(Arc::new(Parts { state, api, places, page_states: Mutex::default() }))
    }

    pub(crate) fn state(&self) -> &web::State {
        &self.0.state
    }

    pub(crate) fn health(&self) -> &health::Health {
        self.state().health()
    }

    pub(crate) fn places(&self) -> &Arc<Semaphore> {
        &self.0.places
    }

    /// What a page keeps between requests: one value of each type, made at the first call.
    pub(crate) fn page_state<T: Any + Default + Send + Sync>(&self) -> Arc<T> {
        let mut states = self.0.page_states.lock().unwrap_or_else(PoisonError::into_inner);
        let state = Arc::clone(states.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default())));
        state.downcast().unwrap_or_default()
    }

    pub(crate) fn api(&self) -> &web::InProcessApi {
        &self.0.api
    }

    /// What waits for someone, out of what is known in memory: the store is not asked.
    pub(crate) fn tally(&self) -> NavCounts {
        let least = health::CardFilter { limit: Some(1), ..health::CardFilter::default() };
        let overview = self.health().overview(&least);
        NavCounts {
            trouble: overview.causes.all().into(),
            in_doubt: overview.facts.in_doubt,
            failed: overview.facts.failed_requests,
            unresolved: overview.facts.unresolved,
        }
    }

    /// How many accounts need a person, as the overview counts them.
    pub(crate) fn accounts_in_trouble(&self) -> u64 {
        let least = health::CardFilter { limit: Some(1), ..health::CardFilter::default() };
        self.health().overview(&least).causes.kind(health::CardKind::Account).into()
    }
}
