//! An account that answers probes and does no work is amber, then red, and well again once its calls go well.

use std::time::Duration;

use crate::{Advice, CardFilter, CardId, Lamp, ProbeOutcome};
use delivery::Submission;
use domain::Service;
use sandbox::telegram::FaultName;

use crate::it::faults::text;
use crate::it::world::{BEGINS, Run, World, account};

const SOON: u64 = 60;

impl Run {
    /// Time goes by second by second until a card's lamp is as wanted; returns the lamps on the way, and the seconds.
    async fn until_lamp(&self, card: &CardId, wanted: Lamp) -> (Vec<Lamp>, u64) {
        let begun = self.clock.running();
        let mut lamps = Vec::new();
        loop {
            let lamp = self.card(card).lamp;
            if lamps.last() != Some(&lamp) {
                lamps.push(lamp);
            }
            let passed = self.clock.running().saturating_sub(begun).as_secs();
            if lamp == wanted {
                return (lamps, passed);
            }
            assert!(passed < 600, "{card}: {lamps:?}, {:?}", self.card(card));
            self.pass(Duration::from_secs(1)).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn submit(&self, submission: Submission) {
        self.delivery.submit(submission).await.expect("accepted");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_whose_every_call_answers_500_turns_red() {
    let world = World::of(&["main", "backup_1"]).await;
    let mut run = world.start().await;
    let main = account("main");
    let fault = world.order("main", FaultName::RpcError, |order| {
        (order.code, order.message) = (Some(500), Some("INTERNAL".to_owned()));
    });
    let (lamps, passed) = run.until_lamp(&main, Lamp::Trouble).await;
    assert_eq!(lamps, [Lamp::Good, Lamp::Waiting, Lamp::Trouble]);
    assert!(passed <= SOON, "{passed} s");
    let card = run.card(&main);
    assert_eq!(
        (card.state, card.reason.as_deref(), card.advice),
        ("failing", Some("server_errors"), Some(Advice::PauseTheAccount))
    );
    // The round says the same as the card, and the services go on with the other account.
    run.until_beat(&main, |beat| {
        beat.reason.as_deref() == Some("server_errors") && beat.answer == ProbeOutcome::Failed
    })
    .await;
    let service = run.card(&CardId::service(Service::SendText));
    assert_eq!(service.lamp, Lamp::Good, "{service:?}");
    assert_eq!(
        (service.unable[0].reason, service.unable[0].names.as_slice()),
        ("server_errors", &["main".to_owned()][..])
    );
    assert!(world.sandbox.telegram.remove_fault(fault));
    // Its sessions are asked in the same round: three answers that are well may come at once.
    let (lamps, _) = run.until_lamp(&main, Lamp::Good).await;
    assert_eq!(lamps.first(), Some(&Lamp::Trouble));
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sends_without_an_answer_turn_it_red_though_probes_have_one() {
    let _turn = BEGINS.lock().await;
    let world = World::of(&["main"]).await;
    let run = world.start().await;
    let fault = world.order("main", FaultName::DropAnswer, |order| {
        order.method = Some("messages.sendMessage".to_owned());
    });
    run.submit(text("@client_1")).await;
    let main = account("main");
    let (lamps, passed) = run.until_lamp(&main, Lamp::Trouble).await;
    assert_eq!(lamps, [Lamp::Good, Lamp::Waiting, Lamp::Trouble]);
    assert!(passed <= SOON, "{passed} s");
    assert_eq!(run.card(&main).reason.as_deref(), Some("calls_unanswered"));
    let service = CardId::service(Service::SendText);
    assert_eq!(run.card(&service).detail.as_deref(), Some("1 not answered by Telegram (main)"));
    assert_eq!(run.card(&CardId::service(Service::LeaveChat)).lamp, Lamp::Good, "another kind of call");
    // The message is named where it waits, once that is longer than a minute.
    let stuck = |card: &CardId| run.card(card).stuck.map(|stuck| stuck.count);
    while stuck(&main).is_none() {
        run.pass(Duration::from_secs(1)).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!((stuck(&main), stuck(&service)), (Some(1), Some(1)));
    assert!(world.sandbox.telegram.remove_fault(fault));
    run.until_lamp(&service, Lamp::Good).await;
    assert_eq!(run.health.overview(&CardFilter::default()).facts.waiting, 0);
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_cannot_be_read_are_no_answers() {
    let world = World::of(&["main"]).await;
    let mut run = world.start().await;
    world.order("main", FaultName::Unreadable, |_| {});
    let main = account("main");
    let (_, passed) = run.until_lamp(&main, Lamp::Trouble).await;
    assert!(passed <= SOON, "{passed} s");
    run.until_beat(&main, |beat| beat.answer == ProbeOutcome::Failed).await;
    run.stop().await;
}
