//! Alerts on a fresh store, with a clock that can be moved and a sender of messages that follows a script.

use std::sync::Arc;
use std::time::Duration;

use crate::{Alerts, AlertsParts, Card, Probe, ProbeResult, Round};
use ambient::{Chance, Clock, Ids};
use config::{AlertSettings, AlertTargetFields, AlertTargetKind};
use delivery::{Ambient, Delivery};
use outbound::{AllowList, Allowed};
use store::{MasterKey, Store, StoreOptions};
use tempfile::TempDir;

use crate::it::script::Script;

pub(crate) struct World {
    pub(crate) alerts: Alerts,
    pub(crate) store: Store,
    pub(crate) delivery: Delivery,
    pub(crate) script: Arc<Script>,
    pub(crate) clock: Clock,
    pub(crate) dir: TempDir,
}

impl World {
    /// With these targets in the settings.
    pub(crate) async fn with(targets: Vec<AlertTargetFields>) -> Self {
        Self::at(tempfile::tempdir().expect("a directory"), Clock::system(), targets).await
    }

    /// What comes up where the program was killed at this moment: its files as they are.
    pub(crate) async fn after_a_crash(&self, targets: Vec<AlertTargetFields>) -> Self {
        let left = tempfile::tempdir().expect("a directory");
        for name in ["store.json", "switchboard.db", "switchboard.db-wal", "master.key"] {
            std::fs::copy(self.dir.path().join(name), left.path().join(name)).expect("copies");
        }
        Self::at(left, self.clock.clone(), targets).await
    }

    async fn at(dir: TempDir, clock: Clock, targets: Vec<AlertTargetFields>) -> Self {
        let store = Store::open(StoreOptions {
            data_dir: dir.path().to_owned(),
            url: "sqlite:switchboard.db".to_owned(),
            clock: clock.clone(),
            master_key: MasterKey::File("master.key".into()),
        })
        .await
        .expect("the store opens");
        let script = Arc::new(Script::default());
        let ids = Ids::new(clock.clone());
        let ambient = Ambient { clock: clock.clone(), ids: ids.clone(), chance: Chance::from_seed(1) };
        let delivery =
            Delivery::new(store.clone(), Arc::clone(&script) as _, ambient, delivery::Limits::default());
        delivery.resume().await.expect("resumes");
        let alerts = Alerts::start(AlertsParts {
            store: store.clone(),
            delivery: delivery.clone(),
            clock: clock.clone(),
            ids,
            settings: &AlertSettings { targets, ..AlertSettings::default() },
            allowed: Allowed::new(AllowList::Events, Vec::new()),
            server: "demo".to_owned(),
        })
        .await
        .expect("the alerts start");
        Self { alerts, store, delivery, script, clock, dir }
    }

    /// Three rounds in which these cards are red, and the time that it takes until they are reported.
    pub(crate) async fn break_down(&self, cards: &[&str]) {
        self.rounds(3, cards, false).await;
    }

    /// Two rounds in which these cards are green, and the same time.
    pub(crate) async fn mend(&self, cards: &[&str]) {
        self.rounds(2, cards, true).await;
    }

    async fn rounds(&self, times: usize, cards: &[&str], green: bool) {
        let mut changes = self.alerts.changes();
        changes.mark_unchanged();
        for _ in 0..times {
            self.alerts.observe(Round { probes: cards.iter().map(|card| probe(card, green)).collect() });
        }
        // The last round changed something once it was looked at; then it is gathered.
        tokio::time::timeout(Duration::from_mins(1), changes.changed())
            .await
            .expect("the rounds change something")
            .expect("the alerts are there");
        self.until(|| green != cards.iter().any(|card| self.is_open(card))).await;
        self.clock.advance(Duration::from_secs(6));
    }

    pub(crate) fn is_open(&self, card: &str) -> bool {
        self.alerts.open().iter().any(|view| view.alert.card == card)
    }

    /// Waits until it is so.
    pub(crate) async fn until(&self, so: impl Fn() -> bool) {
        let waiting = async {
            while !so() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), waiting).await.expect("it comes");
    }

    /// Lets time pass in steps until it is so.
    pub(crate) async fn pass_until(&self, step: Duration, so: impl Fn() -> bool) {
        let waiting = async {
            while !so() {
                self.clock.advance(step);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), waiting).await.expect("it comes with time");
    }

    /// How much waits for a target.
    pub(crate) async fn waiting(&self, name: &str) -> u64 {
        let targets = self.alerts.targets().await.expect("targets");
        targets.iter().find(|target| target.name == name).expect("the target").waiting
    }

    /// Waits until there is nothing left to report about any alert.
    pub(crate) async fn until_finished(&self) {
        let waiting = async {
            while !self.store.alerts().unfinished().await.expect("reads").is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), waiting).await.expect("all is over");
    }

    /// Waits until nothing waits for a target.
    pub(crate) async fn until_none_waits(&self, name: &str) {
        let waiting = async {
            while self.waiting(name).await > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), waiting).await.expect("all are notified");
    }
}

/// A probe of a card; those named `line:NAME:…` are parts of `account:NAME`.
pub(crate) fn probe(id: &str, green: bool) -> Probe {
    let (kind, name) = id.split_once(':').unwrap_or((id, id));
    let parent = (kind == "line").then(|| {
        let account = name.split(':').next().unwrap_or_default();
        format!("account:{account}").into()
    });
    let card = Card { id: id.into(), kind: kind.into(), name: name.to_owned(), parent };
    let result = if green {
        ProbeResult::Green
    } else {
        ProbeResult::Red { reason: "no_answer".to_owned(), detail: Some("no answer for 10 s".to_owned()) }
    };
    Probe { card, result }
}

fn target(name: &str, kind: AlertTargetKind) -> AlertTargetFields {
    AlertTargetFields {
        name: name.to_owned(),
        kind,
        chat: None,
        account: None,
        url: None,
        secret: None,
        smtp: None,
        from: None,
        to: Vec::new(),
    }
}

pub(crate) fn webhook(name: &str, url: &str) -> AlertTargetFields {
    AlertTargetFields { url: Some(url.into()), ..target(name, AlertTargetKind::Webhook) }
}

pub(crate) fn signed(name: &str, url: &str, secret: &str) -> AlertTargetFields {
    AlertTargetFields { secret: Some(secret.into()), ..webhook(name, url) }
}

pub(crate) fn email(name: &str, smtp: &str) -> AlertTargetFields {
    AlertTargetFields {
        smtp: Some(smtp.into()),
        from: Some("alerts@example.com".to_owned()),
        to: vec!["owner@example.com".to_owned()],
        ..target(name, AlertTargetKind::Email)
    }
}

pub(crate) fn chat(name: &str, account: Option<&str>) -> AlertTargetFields {
    AlertTargetFields {
        chat: Some("@demo_owner".to_owned()),
        account: account.map(str::to_owned),
        ..target(name, AlertTargetKind::Telegram)
    }
}
