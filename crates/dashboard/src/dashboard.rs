//! What every page is made from.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ambient::Handle;
use tokio::sync::Semaphore;

/// The most pages that keep themselves up to date at once; more ask again by themselves.
const MOST_STREAMS: usize = 256;

/// What every page is made from. Cheap to clone.
#[derive(Clone)]
pub struct Dashboard(Handle<Parts>);

struct Parts {
    state: web::State,
    api: web::InProcessApi,
    stream_permits: Arc<Semaphore>,
    page_states: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
    unread: Mutex<Unread>,
}

/// How many conversations have messages that no person has seen, after so many commits of the store.
#[derive(Debug, Clone, Copy, Default)]
struct Unread {
    count: u64,
    commits: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct NavCounts {
    pub(crate) trouble: u64,
    /// Messages and operations of which no one knows whether they happened.
    pub(crate) in_doubt: u64,
    /// Failed requests that wait for a decision.
    pub(crate) failed: u64,
    pub(crate) unresolved: u64,
    /// Conversations with messages that no person has seen, as [`Dashboard::look_for_unread`] found them.
    pub(crate) unread: u64,
}

impl Dashboard {
    /// Over a program's parts; nothing is served before [`crate::router`] is.
    pub fn new(state: web::State) -> Self {
        let api = web::InProcessApi::new(&state);
        let stream_permits = Arc::new(Semaphore::new(MOST_STREAMS));
        Self(Handle::new(Parts {
            state,
            api,
            stream_permits,
            page_states: Mutex::default(),
            unread: Mutex::default(),
        }))
    }

    pub(crate) fn state(&self) -> &web::State {
        &self.0.state
    }

    pub(crate) fn health(&self) -> &health::Health {
        self.state().health()
    }

    pub(crate) fn stream_permits(&self) -> &Arc<Semaphore> {
        &self.0.stream_permits
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

    /// What waits for someone, out of what is known in memory.
    pub(crate) fn tally(&self) -> NavCounts {
        let least = health::CardFilter { limit: Some(1), ..health::CardFilter::default() };
        let overview = self.health().overview(&least);
        NavCounts {
            trouble: overview.causes.all().into(),
            in_doubt: overview.facts.in_doubt,
            failed: overview.facts.failed_requests,
            unresolved: overview.facts.unresolved,
            unread: self.unread().count,
        }
    }

    /// Counts what no person has seen, where anything was written since it was counted last.
    pub(crate) async fn look_for_unread(&self) -> u64 {
        let commits = self.state().commits();
        let known = *self.unread();
        if known.commits == Some(commits) {
            return known.count;
        }
        match self.state().unread().await {
            Ok(count) => {
                *self.unread() = Unread { count, commits: Some(commits) };
                count
            }
            Err(_) => known.count,
        }
    }

    fn unread(&self) -> std::sync::MutexGuard<'_, Unread> {
        self.0.unread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many accounts need a person, as the overview counts them.
    pub(crate) fn accounts_in_trouble(&self) -> u64 {
        let least = health::CardFilter { limit: Some(1), ..health::CardFilter::default() };
        self.health().overview(&least).causes.kind(health::CardKind::Account).into()
    }
}
