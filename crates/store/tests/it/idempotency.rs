//! One request, one message: keys, and joining requests without one.

use std::time::Duration;

use domain::outcome::Failure;
use store::{Accepted, Fail, Join, Then};

use crate::support::{World, accept, begun, conformance, with_join, with_key};

conformance! {
    a_key_makes_one_message,
    a_key_whose_message_ended_unsent_is_free,
    a_key_lives_for_a_day,
    sixty_four_callers_with_one_key_make_one_message,
    the_same_body_joins_until_its_caller_was_answered,
    the_same_body_joins_what_ended_a_moment_ago,
    a_doubt_is_joined_however_old,
    a_key_that_joined_stands_for_what_it_joined,
}

async fn a_key_makes_one_message(world: World) {
    let outbox = world.store.outbox();
    let first = world.message(1);
    assert_eq!(outbox.accept(with_key(first.clone(), 1, 1)).await, Ok(Accepted::New));
    assert_eq!(outbox.accept(with_key(world.message(1), 1, 1)).await, Ok(Accepted::Repeated(first.id)));
    assert_eq!(outbox.accept(with_key(world.message(1), 1, 2)).await, Ok(Accepted::Conflict));
    assert_eq!(outbox.accept(with_key(world.message(1), 2, 1)).await, Ok(Accepted::New));
    assert_eq!(outbox.accept(accept(world.message(1))).await, Ok(Accepted::New));
    assert_eq!(outbox.unfinished(None, 10).await.unwrap().len(), 3);
}

async fn a_key_whose_message_ended_unsent_is_free(world: World) {
    let outbox = world.store.outbox();
    let failure = || Failure::NoAccount { asked: Vec::new() };
    for end in 0..3 {
        let message = if end == 2 { begun(world.message(1)) } else { world.message(1) };
        let id = message.id;
        assert_eq!(outbox.accept(with_key(message, 1, end)).await, Ok(Accepted::New));
        match end {
            0 => assert_eq!(outbox.cancel(id, world.now(), None).await, Ok(true)),
            1 => {
                let fail = Fail { id, failure: failure(), at: world.now() };
                assert_eq!(outbox.fail(fail).await, Ok(true));
            }
            _ => outbox.part_unsent(world.unsent(id, 0, Then::Fail(failure()))).await.unwrap(),
        }
    }
    let sent = begun(world.message(1));
    assert_eq!(outbox.accept(with_key(sent.clone(), 1, 9)).await, Ok(Accepted::New));
    outbox.part_sent(world.sent(sent.id, 0, true)).await.unwrap();
    assert_eq!(outbox.accept(with_key(world.message(1), 1, 9)).await, Ok(Accepted::Repeated(sent.id)));
}

async fn a_key_lives_for_a_day(world: World) {
    let outbox = world.store.outbox();
    let first = world.message(1);
    outbox.accept(with_key(first.clone(), 1, 1)).await.unwrap();
    world.clock.advance(Duration::from_mins(24 * 60 - 1));
    assert_eq!(outbox.accept(with_key(world.message(1), 1, 1)).await, Ok(Accepted::Repeated(first.id)));
    world.clock.advance(Duration::from_mins(1));
    let second = world.message(1);
    assert_eq!(outbox.accept(with_key(second.clone(), 1, 2)).await, Ok(Accepted::New));
    assert_eq!(outbox.accept(with_key(world.message(1), 1, 2)).await, Ok(Accepted::Repeated(second.id)));
}

async fn sixty_four_callers_with_one_key_make_one_message(world: World) {
    let callers: Vec<_> = (0..64)
        .map(|_| {
            let (store, accept) = (world.store.clone(), with_key(world.message(1), 1, 1));
            tokio::spawn(async move { store.outbox().accept(accept).await.unwrap() })
        })
        .collect();
    let mut answers = Vec::new();
    for caller in callers {
        answers.push(caller.await.unwrap());
    }
    let (new, repeated): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| *answer == Accepted::New);
    let made = world.store.outbox().unfinished(None, 100).await.unwrap();
    assert_eq!((new.len(), made.len()), (1, 1));
    assert!(repeated.iter().all(|answer| *answer == Accepted::Repeated(made[0].id)));
}

async fn the_same_body_joins_until_its_caller_was_answered(world: World) {
    let outbox = world.store.outbox();
    let first = begun(world.message(1));
    assert_eq!(outbox.accept(with_join(first.clone(), 1)).await, Ok(Accepted::New));
    assert_eq!(outbox.accept(with_join(world.message(1), 1)).await, Ok(Accepted::Joined(first.id)));
    assert_eq!(outbox.accept(with_join(world.message(1), 2)).await, Ok(Accepted::New));
    outbox.part_sent(world.sent(first.id, 0, true)).await.unwrap();
    outbox.answered(first.id).await.unwrap();
    outbox.answered(first.id).await.unwrap();
    let second = world.message(1);
    assert_eq!(outbox.accept(with_join(second.clone(), 1)).await, Ok(Accepted::New));
    // The late answer to the first caller does not end what the second began.
    outbox.answered(first.id).await.unwrap();
    assert_eq!(outbox.accept(with_join(world.message(1), 1)).await, Ok(Accepted::Joined(second.id)));
}

async fn the_same_body_joins_what_ended_a_moment_ago(world: World) {
    let outbox = world.store.outbox();
    let first = begun(world.message(1));
    outbox.accept(with_join(first.clone(), 1)).await.unwrap();
    world.clock.advance(Duration::from_mins(5));
    outbox.part_sent(world.sent(first.id, 0, true)).await.unwrap();
    world.clock.advance(Duration::from_secs(50));
    assert_eq!(outbox.accept(with_join(world.message(1), 1)).await, Ok(Accepted::Joined(first.id)));
    world.clock.advance(Duration::from_secs(11));
    assert_eq!(outbox.accept(with_join(world.message(1), 1)).await, Ok(Accepted::New));
}

async fn a_doubt_is_joined_however_old(world: World) {
    let outbox = world.store.outbox();
    let first = begun(world.message(1));
    outbox.accept(with_join(first.clone(), 1)).await.unwrap();
    outbox.doubt(world.doubt(first.id)).await.unwrap();
    world.clock.advance(Duration::from_hours(1));
    assert_eq!(outbox.accept(with_join(world.message(1), 1)).await, Ok(Accepted::Joined(first.id)));
    outbox.resolve(first.id, store::Resolution::Sent, world.now()).await.unwrap();
    assert_eq!(outbox.accept(with_join(world.message(1), 1)).await, Ok(Accepted::Joined(first.id)));
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(outbox.accept(with_join(world.message(1), 1)).await, Ok(Accepted::New));
}

async fn a_key_that_joined_stands_for_what_it_joined(world: World) {
    let outbox = world.store.outbox();
    let first = world.message(1);
    outbox.accept(with_join(first.clone(), 1)).await.unwrap();
    let both = || {
        let join = Join { fingerprint: [1; 32], repeats: Duration::from_mins(1) };
        store::Accept { join: Some(join), ..with_key(world.message(1), 5, 5) }
    };
    assert_eq!(outbox.accept(both()).await, Ok(Accepted::Joined(first.id)));
    outbox.answered(first.id).await.unwrap();
    assert_eq!(outbox.accept(both()).await, Ok(Accepted::Repeated(first.id)));
}
