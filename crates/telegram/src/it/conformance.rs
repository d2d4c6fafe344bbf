//! The accounts pass the suite for senders.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ambient::{Chance, Ids};
use delivery::{Ambient, Delivery, Limits, Submission};
use domain::message::OnFlood;
use domain::{AccountName, Timestamp};
use sandbox::telegram::FaultName;
use store::Origin;
use telegram::Pool;
use testkit::conformance::{Answer, Stage, conforms, keeps_pace};

use crate::it::world::{World, chat, content, name};

/// How many rounds a second of the stage's time takes: connections are made in real time.
const ROUNDS: u32 = 50;

struct OnTelegram {
    world: World,
    pool: Arc<Pool>,
    delivery: Delivery,
    /// How many calls are still to be the program's last.
    deadly: AtomicUsize,
    dying: AtomicBool,
    rounds: AtomicU32,
    /// When each text came, by the stage's time.
    arrived: Mutex<Vec<Timestamp>>,
}

fn delivery(world: &World, pool: &Arc<Pool>) -> Delivery {
    let clock = world.clock.clone();
    let ambient = Ambient { ids: Ids::new(clock.clone()), chance: Chance::from_system(), clock };
    Delivery::new(world.store.clone(), pool.clone(), ambient, Limits::default())
}

impl OnTelegram {
    async fn new() -> Self {
        Self::limited(None).await
    }

    /// With an account that may send so many messages within any hour.
    async fn limited(per_hour: Option<NonZeroU32>) -> Self {
        let mut world = World::new().await.only(&["backup_1"]);
        for account in &mut world.settings.accounts {
            account.messages_per_hour = per_hour;
        }
        let pool = world.ready().await;
        let delivery = delivery(&world, &pool);
        let (deadly, dying, rounds, arrived) = (0.into(), false.into(), 0.into(), Mutex::default());
        Self { world, pool, delivery, deadly, dying, rounds, arrived }
    }

    fn note_arrivals(&self) -> Vec<Timestamp> {
        let mut arrived = self.arrived.lock().expect("lock");
        arrived.resize(self.ledger().len(), self.world.clock.now());
        arrived.clone()
    }

    fn deadly(&self) -> usize {
        let faults = self.world.telegram().faults();
        let is_deadly = |fault| matches!(fault, FaultName::DropAnswer | FaultName::Deaf);
        faults.iter().filter(|active| is_deadly(active.order.fault)).count()
    }

    /// What Telegram refuses comes first, then what it takes.
    fn order(&self, answer: Answer) {
        let fault = |fault| self.world.fault("backup_1", fault).times(1);
        match answer {
            Answer::Takes => fault(FaultName::Delay).seconds(0.001),
            Answer::TakesUnheard | Answer::TakesAndErrs => fault(FaultName::Disconnect),
            Answer::TakesUnreadably => fault(FaultName::Unreadable).with_effect(),
            Answer::TakesAndDies => fault(FaultName::DropAnswer),
            Answer::Silent => fault(FaultName::DisconnectBefore),
            Answer::Errs => fault(FaultName::RpcError).error(500, "INTERNAL"),
            Answer::Dies => fault(FaultName::Deaf),
            Answer::Floods => fault(FaultName::FloodWait).seconds(2.0),
            Answer::Refuses => fault(FaultName::RpcError).error(400, "MESSAGE_TOO_LONG"),
        }
        .on();
    }
}

impl Stage for OnTelegram {
    fn plays(&self, answers: &[Answer]) {
        for answer in answers {
            self.order(*answer);
        }
        self.deadly.store(self.deadly(), Ordering::Relaxed);
    }

    fn delivery(&self) -> &Delivery {
        &self.delivery
    }

    fn text(&self, number: u8, words: &str) -> Submission {
        Submission {
            chat: chat(&format!("@client_{number}")),
            content: content(words),
            pin: None,
            on_flood: OnFlood::Wait,
            send_at: None,
            needs_approval: false,
            origin: Origin { listener: "v1".into(), api_key: None, address: None },
            idempotency: None,
            join: None,
        }
    }

    fn ledger(&self) -> Vec<String> {
        self.world.texts()
    }

    fn arrivals(&self) -> Vec<(AccountName, Timestamp)> {
        self.note_arrivals().into_iter().map(|at| (name("backup_1"), at)).collect()
    }

    fn advance(&self, by: Duration) {
        self.note_arrivals();
        if self.rounds.fetch_add(1, Ordering::Relaxed).is_multiple_of(ROUNDS) {
            self.world.clock.advance(by);
        }
    }

    fn is_dying(&self) -> bool {
        let deadly = self.deadly();
        let is_dying = deadly < self.deadly.swap(deadly, Ordering::Relaxed);
        self.dying.fetch_or(is_dying, Ordering::Relaxed) || is_dying
    }

    async fn restart(self) -> Self {
        self.delivery.drain(Duration::from_millis(10)).await;
        let pool = self.world.restarted(&self.pool).await;
        let delivery = delivery(&self.world, &pool);
        delivery.resume().await.expect("resumes");
        self.dying.store(false, Ordering::Relaxed);
        Self { pool, delivery, ..self }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_text_arrives_once_under_any_answer() {
    let stage = OnTelegram::new().await;
    let mut answers = Answer::ALL.to_vec();
    answers.extend([Answer::TakesAndDies, Answer::Errs, Answer::Dies, Answer::TakesUnreadably]);
    let chats = [1, 2, 1, 1, 2, 2, 1, 2];
    let stage = conforms(stage, &answers, &chats).await.expect("all is kept");
    assert!(stage.world.telegram().faults().is_empty(), "everything was answered");
    stage.world.end(&stage.pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_hour_has_more_than_an_account_may_send() {
    let stage = OnTelegram::limited(NonZeroU32::new(3)).await;
    let answers = [Answer::Takes, Answer::TakesAndDies, Answer::TakesUnheard, Answer::Dies];
    let stage = keeps_pace(stage, &answers, &[1, 2, 3, 1, 2], 3).await.expect("all is kept");
    stage.world.end(&stage.pool).await;
}
