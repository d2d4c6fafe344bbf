//! The pipeline switched off and on again.

use domain::{AppealState, Responder};
use store::Spent;

use super::{ANNA, BORIS, SILENCE, started, written};
use crate::support::{World, conformance};

conformance! {
    what_came_while_it_was_off_is_not_taken_in,
    a_start_that_has_it_on_goes_on_where_it_was,
    what_was_open_when_it_was_switched_off_is_for_a_person,
    spending_on_days_to_come_is_passed_over,
}

async fn what_came_while_it_was_off_is_not_taken_in(world: World) {
    let rules = started(&world, Responder::Ai).await;
    world.store.pipeline().switched_off().await.unwrap();
    world.says(written(ANNA, "m-1")).await;
    world.store.pipeline().switched_off().await.unwrap();
    world.taken_in(&rules, written(ANNA, "m-2")).await;
    assert_eq!(world.responding().await, []);
    world.taken_in(&rules, written(ANNA, "m-3")).await;
    let turns = world.responding().await;
    assert_eq!(world.batch_of(&turns[0]).await, ["text of m-3"]);
}

async fn a_start_that_has_it_on_goes_on_where_it_was(world: World) {
    let rules = started(&world, Responder::Ai).await;
    world.says(written(ANNA, "m-1")).await;
    let rules = started(&world, rules.rules[0].responder).await;
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    assert_eq!(world.responding().await.len(), 1);
}

async fn what_was_open_when_it_was_switched_off_is_for_a_person(world: World) {
    let rules = started(&world, Responder::Ai).await;
    world.taken_in(&rules, written(ANNA, "m-1")).await;
    world.says(written(BORIS, "v-1")).await;
    world.work(&rules).await;
    let pipeline = world.store.pipeline();
    pipeline.switched_off().await.unwrap();
    assert_eq!(pipeline.open_turns(10).await.unwrap(), []);
    let anna = world.client_of(ANNA).await;
    let appeal = pipeline.appeals_of(anna, 1).await.unwrap().remove(0);
    assert_eq!((appeal.state, appeal.responder), (AppealState::WaitingUs, Some(Responder::Human)));
    world.work(&rules).await;
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    assert_eq!((world.responding().await, pipeline.next_due().await.unwrap()), (vec![], None));
}

async fn spending_on_days_to_come_is_passed_over(world: World) {
    let pipeline = world.store.pipeline();
    let on = |day: &str| Spent { day: day.to_owned(), tokens: 7, money: 3 };
    for day in ["2030-01-01", "2031-01-01"] {
        pipeline.spend(on(day)).await.unwrap();
    }
    assert_eq!(pipeline.last_spent("2030-01-02").await.unwrap(), Some(on("2030-01-01")));
}
