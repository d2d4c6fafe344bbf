//! What goes in time, and leads to no one any more.

use std::time::Duration;

use domain::Responder;
use store::{Retention, Swept};

use super::{ANNA, BORIS, started, written};
use crate::support::{World, conformance};

conformance! {
    words_of_messages_go_with_them_and_turns_in_their_own_time,
}

const DAY: Duration = Duration::from_hours(24);

async fn words_of_messages_go_with_them_and_turns_in_their_own_time(world: World) {
    world.store.keep(Retention { conversations: DAY, messages: 2 * DAY, ..Retention::default() });
    let rules = started(&world, Responder::Human).await;
    world.taken_in(&rules, written(ANNA, "kettle-1")).await;
    world.taken_in(&rules, written(BORIS, "kettle-2")).await;
    let (anna, boris) = (world.client_of(ANNA).await, world.client_of(BORIS).await);
    world.clock.advance(DAY / 2);
    world.taken_in(&rules, written(ANNA, "toaster-1")).await;
    assert_eq!(world.store.sweep().await, Ok(Swept::default()));
    assert_eq!(world.found("kettle").await, [anna, boris]);
    world.clock.advance(DAY / 2);
    assert_eq!(world.store.sweep().await, Ok(Swept { conversations: 2, ..Swept::default() }));
    // What a later message says too, and what a client is called, leads to it.
    for (text, expected) in [
        ("kettle", vec![]),
        ("2", vec![]),
        ("text of", vec![anna]),
        ("1", vec![anna]),
        ("toaster", vec![anna]),
        ("anna", vec![anna, boris]),
    ] {
        assert_eq!(world.found(text).await, expected, "{text}");
    }
    world.clock.advance(DAY);
    let swept = Swept { conversations: 1, turns: 2, ..Swept::default() };
    assert_eq!(world.store.sweep().await, Ok(swept));
    assert_eq!(world.found("toaster").await, []);
    // They are of what clients are called alone.
    assert_eq!(world.number("SELECT count(*) FROM pipeline_words WHERE word <> 'anna'"), 0);
}
