//! A clock that was ahead and is set back.

use std::time::Duration;

use domain::{Responder, TurnStage};

use super::{ANNA, BORIS, SILENCE, rules, started, written};
use crate::support::{World, conformance};

conformance! {
    a_batch_of_a_clock_that_was_ahead_waits_for_silence,
    a_turn_of_a_clock_that_was_ahead_keeps_its_wait,
}

const YEAR: Duration = Duration::from_hours(365 * 24);
const DAY: Duration = Duration::from_hours(24);

async fn a_batch_of_a_clock_that_was_ahead_waits_for_silence(world: World) {
    let rules = started(&world, Responder::Ai).await;
    let pipeline = world.store.pipeline();
    world.clock.advance(YEAR);
    world.says(written(ANNA, "m-1")).await;
    world.work(&rules).await;
    assert_eq!(pipeline.clock_was_set_back(&rules).await.unwrap(), 0);
    world.clock.set_back(YEAR);
    assert_eq!(pipeline.clock_was_set_back(&rules).await.unwrap(), 1);
    world.work(&rules).await;
    assert_eq!(world.responding().await, []);
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    assert_eq!(world.responding().await.len(), 1);
}

async fn a_turn_of_a_clock_that_was_ahead_keeps_its_wait(world: World) {
    let rules = rules(Responder::Webhook);
    world.work(&rules).await;
    let pipeline = world.store.pipeline();
    world.taken_in(&rules, written(ANNA, "m-1")).await;
    let before = world.responding().await.remove(0);
    pipeline.put_off(before.id, TurnStage::Respond, before.stage_at.plus(DAY)).await.unwrap();
    world.clock.advance(YEAR);
    world.taken_in(&rules, written(BORIS, "v-1")).await;
    let ahead = world.responding().await.pop().unwrap();
    pipeline.put_off(ahead.id, TurnStage::Respond, ahead.stage_at.plus(DAY)).await.unwrap();
    world.clock.set_back(YEAR);
    assert_eq!(pipeline.clock_was_set_back(&rules).await.unwrap(), 1);
    assert_eq!(world.responding().await, [], "neither is hurried");
    let moved = pipeline.turn(ahead.id).await.unwrap().unwrap();
    assert!(moved.stage_at <= world.now() && moved.due_at == moved.stage_at.plus(DAY));
    // Put off by a clock that was ahead, it is due at once.
    pipeline.put_off(before.id, TurnStage::Respond, world.now().plus(YEAR)).await.unwrap();
    assert_eq!(pipeline.clock_was_set_back(&rules).await.unwrap(), 1);
    assert_eq!(world.responding().await.len(), 1);
}
