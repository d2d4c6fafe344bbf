//! A store with people, and a clock that is moved by hand.

use std::net::IpAddr;
use std::time::Duration;

use access::{Access, AuditFilter, AuditRecord, ClientInfo, NewSession, Role, SignIn, SignInError, UserName};
use ambient::{Clock, Ids};
use domain::SecretText;
use store::{MasterKey, Page, Store, StoreOptions};
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "correct horse";

pub(crate) struct World {
    pub(crate) access: Access,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) dir: TempDir,
}

pub(crate) fn from(address: &str) -> ClientInfo {
    let address: IpAddr = address.parse().expect("an address");
    ClientInfo { address: Some(address), browser: Some("Demo/1".into()), devices: Vec::new() }
}

pub(crate) fn name(text: &str) -> UserName {
    text.parse().expect("a name")
}

/// How many waits, each twice as long as the one before it, can have ended in this time: a slow machine takes it for its work.
pub(crate) fn ended_waits(first: Duration, time: Duration) -> usize {
    (1..20).take_while(|count| first * ((1 << count) - 1) <= time).count()
}

impl World {
    pub(crate) async fn fresh() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let clock = Clock::system();
        let data_dir = dir.path().join("data");
        let store = Store::open(StoreOptions {
            master_key: MasterKey::File(data_dir.join("master.key")),
            data_dir,
            url: "sqlite:switchboard.db".into(),
            clock: clock.clone(),
        })
        .await
        .expect("opens");
        let access = Access::new(store.clone(), clock.clone(), Ids::new(clock.clone()));
        Self { access, store, clock, dir }
    }

    /// With one user, whose password is [`PASSWORD`].
    pub(crate) async fn with(who: &str, role: Role) -> Self {
        let world = Self::fresh().await;
        world.access.add(name(who), role, PASSWORD.into()).await.expect("added");
        world
    }

    pub(crate) async fn try_in(
        &self,
        who: &str,
        password: &str,
        client: &ClientInfo,
    ) -> Result<SignIn, SignInError> {
        self.access.sign_in(who, SecretText::from(password), client).await
    }

    pub(crate) async fn sign_in(&self, who: &str, password: &str) -> NewSession {
        match self.try_in(who, password, &from("192.0.2.1")).await {
            Ok(SignIn::Done(session)) => session,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn audit(&self) -> Vec<AuditRecord> {
        let page = Page { limit: 100, cursor: None };
        let mut found = self.access.audit(&AuditFilter::default(), &page).await.expect("reads").items;
        found.reverse();
        found
    }

    /// The log as short lines: who, what, result or code, how often.
    pub(crate) async fn audited(&self) -> Vec<String> {
        let line = |record: AuditRecord| {
            let entry = record.entry;
            let who = entry.who.name().unwrap_or_else(|| entry.who.kind().to_owned());
            let result = entry.code.unwrap_or_else(|| entry.result.as_str().to_owned());
            format!("{who} {} {result} {}", entry.action, record.times)
        };
        self.audit().await.into_iter().map(line).collect()
    }
}
