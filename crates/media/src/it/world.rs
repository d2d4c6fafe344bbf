//! A folder, a clock, limits and a resolver of the test's own.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ambient::{Clock, Ids};
use media::{Fetcher, Intake, Limits, Timeouts};
use outbound::{AllowList, Allowed, Names};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

pub(crate) const AGES: Duration = Duration::from_hours(24 * 3650);

/// Limits that are never reached but for the size.
pub(crate) const LIMITS: Limits = Limits { most: 1024 * 1024, idle: AGES, total: AGES };

pub(crate) const NO_TIMEOUT: Timeouts = Timeouts { connection: AGES, answer: AGES };

pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = Clock::system();
        Self { folder: tempfile::tempdir().unwrap(), ids: Ids::new(clock.clone()), clock }
    }

    pub(crate) async fn intake(&self, limits: Limits) -> Intake {
        let folder = self.folder.path().join("taken");
        Intake::open(folder, self.ids.clone(), self.clock.clone(), limits).await.unwrap()
    }

    pub(crate) async fn fetcher(&self, names: Names, limits: Limits, timeouts: Timeouts) -> Fetcher {
        Fetcher::new(names, self.intake(limits).await, timeouts).unwrap()
    }

    /// A fetcher for servers on 127.0.0.1 alone, whatever names resolve to.
    pub(crate) async fn local(&self, names: Arc<Scripted>) -> Fetcher {
        self.fetcher(Names::new(names, allowed(&["127.0.0.1/32"])), LIMITS, NO_TIMEOUT).await
    }

    /// The names of all files that were taken, or are left of those that were not.
    pub(crate) fn left(&self) -> Vec<String> {
        names(&self.folder.path().join("taken"))
    }

    pub(crate) async fn hurry<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        loop {
            tokio::select! {
                biased;
                output = &mut future => return output,
                () = tokio::task::yield_now() => self.clock.advance(Duration::from_secs(1)),
            }
        }
    }
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

pub(crate) fn allowed(networks: &[&str]) -> Allowed {
    Allowed::new(AllowList::Media, networks.iter().map(|network| network.parse().unwrap()).collect())
}

/// A resolver whose answers are stored; the last one is repeated. Without any it never answers.
#[derive(Default)]
pub(crate) struct Scripted {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    requested: Mutex<Vec<String>>,
}

impl Scripted {
    pub(crate) fn new(answers: &[&[&str]]) -> Arc<Self> {
        let answers = answers.iter().map(|answer| answer.iter().map(|a| a.parse().unwrap()).collect());
        Arc::new(Self { answers: Mutex::new(answers.collect()), requested: Mutex::default() })
    }

    pub(crate) fn requested(&self) -> Vec<String> {
        self.requested.lock().unwrap().clone()
    }
}

impl Resolve for Scripted {
    fn resolve(&self, name: Name) -> Resolving {
        self.requested.lock().unwrap().push(name.as_str().to_owned());
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        Box::pin(async move {
            let Some(answer) = answer else { return std::future::pending().await };
            let addresses: Vec<_> = answer.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect();
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}
