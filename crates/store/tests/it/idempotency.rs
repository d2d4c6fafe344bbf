//! One request, one message: keys, and joining requests without one.

use std::time::Duration;

use domain::outcome::Failure;
use store::{Accept, Accepted, Fail, Join, SameBy, Then};

use crate::support::{World, accept, begun, conformance, with_join, with_key};

conformance! {
    a_key_makes_one_message,
    a_key_whose_message_ended_unsent_is_free,
    a_key_lives_for_a_day,
    the_message_of_a_key_can_be_queried,
    sixty_four_callers_with_one_key_make_one_message,
    a_key_whose_message_failed_half_sent_is_kept,
    the_same_body_is_a_new_message_while_its_caller_waits,
    the_same_body_joins_what_its_caller_has_left,
    an_answered_message_is_not_joined,
    an_answer_is_known_to_callers_that_ask_later,
    each_message_that_was_left_is_joined_the_oldest_first,
    the_same_body_joins_what_ended_a_moment_ago,
    a_doubt_is_joined_however_old,
    callers_of_an_earlier_process_are_gone,
    a_key_that_joined_stands_for_what_it_joined,
    a_body_that_counts_makes_one_message_within_its_time,
}

async fn a_key_makes_one_message(world: World) {
    let outbox = world.store.outbox();
    let first = world.message(1);
    assert_eq!(outbox.accept(with_key(first.clone(), 1, 1)).await, Ok(Accepted::New));
    assert_eq!(outbox.accept(with_key(world.message(1), 1, 1)).await, Ok(Accepted::Repeated(first.id)));
    assert_eq!(outbox.accept(with_key(world.message(1), 1, 2)).await, Ok(Accepted::Conflict));
    assert_eq!(outbox.accept(with_key(world.message(1), 2, 1)).await, Ok(Accepted::New));
    assert_eq!(outbox.accept(accept(world.message(1))).await, Ok(Accepted::New));
    assert_eq!(outbox.unfinished(None, 10).await.unwrap().readable.len(), 3);
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
    outbox.part_sent(world.sent(sent.id, 0)).await.unwrap();
    assert_eq!(outbox.accept(with_key(world.message(1), 1, 9)).await, Ok(Accepted::Repeated(sent.id)));
}

async fn the_message_of_a_key_can_be_queried(world: World) {
    let outbox = world.store.outbox();
    let request = with_key(world.message(1), 1, 1);
    let (id, key) = (request.message.id, request.idempotency.expect("a key"));
    assert_eq!(outbox.keyed(key, world.now()).await, Ok(None));
    assert_eq!(outbox.accept(request).await, Ok(Accepted::New));
    assert_eq!(outbox.keyed(key, world.now()).await, Ok(Some(Accepted::Repeated(id))));
    let other = with_key(world.message(1), 1, 2).idempotency.expect("a key");
    assert_eq!(outbox.keyed(other, world.now()).await, Ok(Some(Accepted::Conflict)));
    assert_eq!(outbox.cancel(id, world.now(), None).await, Ok(true));
    assert_eq!(outbox.keyed(key, world.now()).await, Ok(None));
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
    let made = world.store.outbox().unfinished(None, 100).await.unwrap().readable;
    assert_eq!((new.len(), made.len()), (1, 1));
    assert!(repeated.iter().all(|answer| *answer == Accepted::Repeated(made[0].id)));
}

async fn a_key_whose_message_failed_half_sent_is_kept(world: World) {
    let outbox = world.store.outbox();
    let half = begun(world.message(2));
    outbox.accept(with_key(half.clone(), 1, 1)).await.unwrap();
    outbox.part_sent(world.sent(half.id, 0)).await.unwrap();
    let fail = Fail { id: half.id, failure: Failure::NoAccount { asked: Vec::new() }, at: world.now() };
    assert_eq!(outbox.fail(fail).await, Ok(true));
    assert_eq!(outbox.accept(with_key(world.message(2), 1, 1)).await, Ok(Accepted::Repeated(half.id)));
    assert_eq!(outbox.accept(with_key(world.message(2), 1, 2)).await, Ok(Accepted::Conflict));
    world.clock.advance(Duration::from_hours(24));
    assert_eq!(outbox.accept(with_key(world.message(2), 1, 2)).await, Ok(Accepted::New));
}

async fn the_same_body_is_a_new_message_while_its_caller_waits(world: World) {
    let outbox = world.store.outbox();
    let first = begun(world.message(1));
    assert_eq!(outbox.accept(with_join(first.clone(), 1)).await, Ok(Accepted::New));
    assert_eq!(outbox.accept(with_join(world.message(1), 1)).await, Ok(Accepted::New));
    outbox.part_sent(world.sent(first.id, 0)).await.unwrap();
    assert_eq!(outbox.accept(with_join(world.message(1), 1)).await, Ok(Accepted::New));
}

async fn the_same_body_joins_what_its_caller_has_left(world: World) {
    let outbox = world.store.outbox();
    let first = begun(world.message(1));
    outbox.accept(with_join(first.clone(), 1)).await.unwrap();
    outbox.unanswered(first.id).await.unwrap();
    outbox.unanswered(first.id).await.unwrap();
    assert_eq!(outbox.accept(with_join(world.message(1), 1)).await, Ok(Accepted::Joined(first.id)));
    assert_eq!(outbox.accept(with_join(world.message(1), 1)).await, Ok(Accepted::Joined(first.id)));
    assert_eq!(outbox.accept(with_join(world.message(1), 2)).await, Ok(Accepted::New));
    // Without a join there is nothing to come back to.
    let plain = world.queued(1).await;
    outbox.unanswered(plain).await.unwrap();
    outbox.answered(plain).await.unwrap();
}

async fn an_answered_message_is_not_joined(world: World) {
    let outbox = world.store.outbox();
    let first = begun(world.message(1));
    outbox.accept(with_join(first.clone(), 1)).await.unwrap();
    outbox.part_sent(world.sent(first.id, 0)).await.unwrap();
    outbox.answered(first.id).await.unwrap();
    outbox.answered(first.id).await.unwrap();
    // One of two callers that joined it has hung up; the other has its answer.
    outbox.unanswered(first.id).await.unwrap();
    let second = world.message(1);
    assert_eq!(outbox.accept(with_join(second.clone(), 1)).await, Ok(Accepted::New));
    outbox.unanswered(second.id).await.unwrap();
    // The late answer to the first caller does not end what the second began.
    outbox.answered(first.id).await.unwrap();
    assert_eq!(outbox.accept(with_join(world.message(1), 1)).await, Ok(Accepted::Joined(second.id)));
}

async fn an_answer_is_known_to_callers_that_ask_later(world: World) {
    let outbox = world.store.outbox();
    let first = world.message(1);
    let body = with_join(first.clone(), 1);
    let join = body.join.unwrap();
    outbox.accept(body).await.unwrap();
    assert_eq!(outbox.joined(join, world.now()).await, Ok(None));
    outbox.unanswered(first.id).await.unwrap();
    assert_eq!(outbox.joined(join, world.now()).await, Ok(Some(first.id)));
    // No one waits until that is on the disk, and yet no call after it is taken for a repeat.
    outbox.answered(first.id).await.unwrap();
    assert_eq!(outbox.joined(join, world.now()).await, Ok(None));
    assert_eq!(outbox.accept(with_join(world.message(1), 1)).await, Ok(Accepted::New));
}

async fn each_message_that_was_left_is_joined_the_oldest_first(world: World) {
    let outbox = world.store.outbox();
    let left = [world.message(1), world.message(1)];
    for message in &left {
        assert_eq!(outbox.accept(with_join(message.clone(), 1)).await, Ok(Accepted::New));
    }
    for message in left.iter().rev() {
        outbox.unanswered(message.id).await.unwrap();
    }
    for message in &left {
        assert_eq!(outbox.accept(with_join(world.message(1), 1)).await, Ok(Accepted::Joined(message.id)));
        outbox.answered(message.id).await.unwrap();
    }
    assert_eq!(outbox.accept(with_join(world.message(1), 1)).await, Ok(Accepted::New));
}

async fn the_same_body_joins_what_ended_a_moment_ago(world: World) {
    let outbox = world.store.outbox();
    let first = begun(world.message(1));
    outbox.accept(with_join(first.clone(), 1)).await.unwrap();
    outbox.unanswered(first.id).await.unwrap();
    world.clock.advance(Duration::from_mins(5));
    outbox.part_sent(world.sent(first.id, 0)).await.unwrap();
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
    outbox.unanswered(first.id).await.unwrap();
    world.clock.advance(Duration::from_hours(1));
    assert_eq!(outbox.accept(with_join(world.message(1), 1)).await, Ok(Accepted::Joined(first.id)));
    outbox.resolve(first.id, store::Resolution::Sent, world.now()).await.unwrap();
    assert_eq!(outbox.accept(with_join(world.message(1), 1)).await, Ok(Accepted::Joined(first.id)));
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(outbox.accept(with_join(world.message(1), 1)).await, Ok(Accepted::New));
}

async fn callers_of_an_earlier_process_are_gone(world: World) {
    let answered = world.message(1);
    let waiting = world.message(1);
    world.store.outbox().accept(with_join(answered.clone(), 1)).await.unwrap();
    world.store.outbox().answered(answered.id).await.unwrap();
    world.store.outbox().accept(with_join(waiting.clone(), 1)).await.unwrap();
    world.store.clone().close().await;
    let store = world.open_again().await.unwrap();
    let again = store.outbox().accept(with_join(world.message(1), 1)).await;
    assert_eq!(again, Ok(Accepted::Joined(waiting.id)));
}

async fn a_key_that_joined_stands_for_what_it_joined(world: World) {
    let outbox = world.store.outbox();
    let first = world.message(1);
    outbox.accept(with_join(first.clone(), 1)).await.unwrap();
    outbox.unanswered(first.id).await.unwrap();
    let both = || {
        let join = Join { fingerprint: [1; 32], repeats: Duration::from_mins(1) };
        store::Accept { join: Some(join), ..with_key(world.message(1), 5, 5) }
    };
    assert_eq!(outbox.accept(both()).await, Ok(Accepted::Joined(first.id)));
    outbox.answered(first.id).await.unwrap();
    assert_eq!(outbox.accept(both()).await, Ok(Accepted::Repeated(first.id)));
}

async fn a_body_that_counts_makes_one_message_within_its_time(world: World) {
    let outbox = world.store.outbox();
    let repeat = || {
        let mut repeat: Accept = with_key(world.message(1), 1, 1);
        let same_by = SameBy::Body { within: Duration::from_mins(10) };
        repeat.idempotency = repeat.idempotency.map(|body| store::Idempotency { same_by, ..body });
        repeat
    };
    let refused = repeat();
    let id = refused.message.id;
    assert_eq!(outbox.accept(refused).await, Ok(Accepted::New));
    assert_eq!(outbox.cancel(id, world.now(), None).await, Ok(true));
    let first = repeat();
    let id = first.message.id;
    assert_eq!(outbox.accept(first).await, Ok(Accepted::New), "a refusal is not kept");
    world.clock.advance(Duration::from_secs(599));
    assert_eq!(outbox.accept(repeat()).await, Ok(Accepted::Repeated(id)));
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(outbox.accept(repeat()).await, Ok(Accepted::New), "its time is over");
}
