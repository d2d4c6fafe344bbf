//! Strips over restarts, over a clock that is set back, and when they cannot be kept.

use std::time::Duration;

use crate::{CardId, ProbeOutcome, STRIP};
use domain::Service;

use crate::it::world::{World, account};

#[tokio::test(flavor = "multi_thread")]
async fn restart_keeps_the_history_with_a_gap() {
    let world = World::of(&["main"]).await;
    let mut run = world.start().await;
    let card = account("main");
    for _ in 0..9 {
        run.round().await;
    }
    let before = run.health.strip(&card);
    let answered = before.iter().filter(|minute| minute.answer == ProbeOutcome::Answered).count();
    // Three minutes, wherever they begin, and one more where the real time that it took goes over a minute's end.
    assert!((3..=5).contains(&answered), "{answered}");
    run.stop().await;
    world.clock.advance(Duration::from_mins(5));
    let mut run = world.start().await;
    run.round().await;
    let after = run.health.strip(&card);
    assert_eq!(after.len(), STRIP);
    let gap = after.iter().rev().skip_while(|minute| minute.answer != ProbeOutcome::NotAsked);
    let gap = gap.take_while(|minute| minute.answer == ProbeOutcome::NotAsked).count();
    assert!((4..=5).contains(&gap), "{gap}");
    let kept = after.iter().filter(|minute| minute.answer == ProbeOutcome::Answered).count();
    // The beats of the minute in which it ended may be missing.
    assert!(kept >= answered, "{kept} of {answered}");
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sends_are_counted_over_a_stop_and_a_kill() {
    let _turn = crate::it::world::BEGINS.lock().await;
    let world = World::of(&["main"]).await;
    let run = world.start().await;
    for _ in 0..3 {
        run.delivery.submit(crate::it::faults::text("@client_1")).await.expect("accepted");
    }
    crate::it::world::until("they are sent", || run.delivery.counted().sent == 3).await;
    // No round has counted them: as when the program is killed, only the store knows.
    let health = run.health.clone();
    run.stop().await;
    drop(health);
    std::fs::remove_file(world.folder.path().join("data/health.db")).expect("the beats are lost");
    let mut run = world.start().await;
    let sent =
        |run: &crate::it::world::Run| run.health.overview(&crate::CardFilter::default()).facts.sent_last_hour;
    assert_eq!((sent(&run), run.card(&account("main")).sent_last_hour), (3, Some(3)));
    let service = |run: &crate::it::world::Run, service| run.card(&CardId::service(service)).sent_last_hour;
    assert_eq!([Service::SendText, Service::SendMedia].map(|one| service(&run, one)), [Some(3), Some(0)]);
    run.round().await;
    assert_eq!(sent(&run), 3, "nothing is counted twice");
    run.stop().await;
    let run = world.start().await;
    assert_eq!(sent(&run), 3);
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn history_and_uptime_survive_a_clock_set_back() {
    let world = World::of(&["main"]).await;
    let mut run = world.start().await;
    let card = account("main");
    for _ in 0..9 {
        run.round().await;
    }
    let dots = |strip: Vec<crate::Minute>| {
        strip.iter().filter(|minute| minute.answer != ProbeOutcome::NotAsked).count()
    };
    let before = dots(run.health.strip(&card));
    let up = |run: &crate::it::world::Run| {
        let since = run.card(&CardId::store()).up_since.expect("it is up");
        run.clock.now().since(since)
    };
    let ran = up(&run);
    world.clock.set_back(Duration::from_hours(1));
    for _ in 0..6 {
        let beats = run.round().await;
        assert_eq!(beats[&card].answer, ProbeOutcome::Answered, "what is answered after it is seen as new");
    }
    let strip = run.health.strip(&card);
    assert!(strip.windows(2).all(|pair| pair[1].at.since(pair[0].at) == Duration::from_mins(1)));
    assert!(strip.last().expect("a minute").at <= run.clock.now());
    // The machine itself may take some seconds more than the clock was moved.
    let after = dots(strip);
    assert!((before + 2..=before + 3).contains(&after), "{before}, then {after}");
    let longer = up(&run).saturating_sub(ran);
    assert!(longer >= Duration::from_mins(2) && longer < Duration::from_mins(4), "{longer:?}");
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_of_beats_is_begun_again() {
    let world = World::of(&["main"]).await;
    let mut run = world.start().await;
    run.round().await;
    run.stop().await;
    let file = world.folder.path().join("data/health.db");
    std::fs::write(&file, vec![b'x'; 8192]).expect("written");
    let mut run = world.start().await;
    run.round().await;
    assert!(run.health.overview(&crate::CardFilter::default()).facts.beats_kept);
    assert!(world.folder.path().join("data/health.db.damaged").exists());
    run.stop().await;
}
