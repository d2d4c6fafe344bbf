//! One message: each write, what it changes and what it refuses.

use domain::message::{Mention, OnFlood, PartState};
use domain::outcome::{Failure, OutcomeKind, Refusal, SentIds};
use domain::text::{Entity, EntityKind, FormattedText};
use domain::timeline::{Entry, Step};
use domain::{ChatRef, MessageState};
use store::{Accepted, Begin, Binding, Fail, Hold, Origin, PartSent, Resolution, StoreError, Then};

use crate::support::{World, accept, account, begun, chat, chat_number, conformance};

conformance! {
    a_message_reads_back_as_it_was_taken_in,
    a_message_begun_at_acceptance_is_sent_in_two_writes,
    a_read_finds_a_write_reported_before_its_commit,
    parts_are_sent_one_by_one,
    a_part_is_begun_once_and_through_one_account,
    the_same_plan_again_changes_nothing,
    the_account_of_the_first_part_keeps_the_rest,
    a_scheduled_message_waits_for_its_time_again,
    a_part_that_was_sent_is_sent_once,
    a_plan_replaces_parts_that_were_not_begun,
    proof_that_nothing_was_sent_requeues_or_ends,
    a_hold_is_kept_with_the_attempt_that_taught_it,
    failing_needs_proof,
    cancelling_needs_that_nothing_was_given_away,
    retrying_keeps_random_ids_and_clears_the_failure,
    a_person_resolves_a_doubt,
    a_doubt_ends_by_evidence,
    no_part_begins_after_the_end,
    a_new_message_cannot_be_half_done,
    notes_are_added_and_bounded,
    of_attempts_in_a_row_the_last_are_kept,
    a_missing_message_is_named,
}

async fn a_message_reads_back_as_it_was_taken_in(world: World) {
    let mut message = world.message(2);
    message.chat = ChatRef::Username("demo_channel".parse().unwrap());
    message.address = None;
    message.pin = Some(account("backup_1"));
    message.on_flood = OnFlood::Fail;
    message.state = MessageState::Scheduled;
    message.send_at = Some(world.now().plus(std::time::Duration::from_mins(1)));
    message.content.mention = Some(Mention::Auto { auto: true, exclude: vec!["@demo_bot".into()] });
    message.content.reply_to = Some(77.into());
    message.content.silent = true;
    message.parts[1].text = FormattedText {
        text: "жирный 😀".into(),
        entities: vec![Entity { offset: 0, length: 6, kind: EntityKind::Bold }],
    };
    message.parts[1].items[0].random_id = i64::MIN;
    let origin = Origin {
        listener: "5022".into(),
        api_key: Some(domain::ApiKeyId::from_uuid(world.ids.next())),
        address: Some("2001:db8::1".parse().unwrap()),
    };
    let accept = store::Accept { origin: origin.clone(), ..accept(message.clone()) };
    assert_eq!(world.store.outbox().accept(accept).await, Ok(Accepted::New));
    assert_eq!(world.get(message.id).await, message);
    assert_eq!(world.store.outbox().origin(message.id).await, Ok(Some(origin)));
    assert_eq!(world.store.outbox().get(world.id()).await, Ok(None));
    let timeline = world.store.outbox().timeline(message.id).await.unwrap();
    assert_eq!((timeline.len(), timeline[0].step, timeline[0].at), (1, Step::Accepted, message.created_at));
}

async fn a_message_begun_at_acceptance_is_sent_in_two_writes(world: World) {
    let id = world.sending(1).await;
    assert_eq!(world.steps(id).await, [Step::Accepted, Step::Begun]);
    let sent = PartSent { binding: Binding::IfUnbound, ..world.sent(id, 0) };
    world.store.outbox().part_sent(sent.clone()).await.unwrap();
    let message = world.get(id).await;
    assert_eq!((message.state, message.message_numbers()), (MessageState::Sent, vec![500]));
    assert_eq!((message.account.clone(), message.chat_id()), (Some(account("main")), Some(chat())));
    let timeline = world.store.outbox().timeline(id).await.unwrap();
    let steps: Vec<Step> = timeline.iter().map(|entry| entry.step).collect();
    assert_eq!(steps, [Step::Accepted, Step::Begun, Step::Sent]);
    assert_eq!(timeline[1].account, Some(account("main")));
    assert_eq!(timeline[2].outcome, Some(OutcomeKind::Sent));
    assert_eq!(timeline[2].detail.as_deref(), Some("message 500"));
    assert_eq!(world.store.accounts().bindings().await.unwrap(), [(chat(), account("main"))]);
    // A binding that exists stays.
    let other = world.sending(1).await;
    let sent = PartSent { id: other, account: account("backup_1"), ..sent };
    world.store.outbox().part_sent(sent).await.unwrap();
    assert_eq!(world.store.accounts().bindings().await.unwrap(), [(chat(), account("main"))]);
}

async fn a_read_finds_a_write_reported_before_its_commit(world: World) {
    for _ in 0..20 {
        let id = world.sending(1).await;
        let outbox = world.store.outbox();
        let sent = outbox.part_sent(world.sent(id, 0));
        let (sent, state) = tokio::join!(biased; sent, world.state(id));
        assert_eq!((sent, state), (Ok(()), MessageState::Sent));
    }
}

async fn parts_are_sent_one_by_one(world: World) {
    let outbox = world.store.outbox();
    let id = world.queued(3).await;
    for part in 0..3 {
        outbox.begin(world.begin(id, part)).await.unwrap();
        let message = world.get(id).await;
        assert_eq!(message.state, MessageState::Sending);
        assert_eq!(message.parts[usize::from(part)].state, PartState::Begun);
        outbox.part_sent(world.sent(id, part)).await.unwrap();
        let expected = if part == 2 { MessageState::Sent } else { MessageState::Sending };
        assert_eq!(world.state(id).await, expected);
    }
    assert_eq!(world.get(id).await.message_numbers(), [500, 501, 502]);
}

async fn a_part_is_begun_once_and_through_one_account(world: World) {
    let outbox = world.store.outbox();
    let id = world.queued(2).await;
    outbox.begin(world.begin(id, 0)).await.unwrap();
    let (message, steps) = (world.get(id).await, world.steps(id).await);
    assert_eq!(steps, [Step::Accepted, Step::Begun]);
    // The same write again, because its answer came too late.
    let again = Begin { at: message.updated_at, ..world.begin(id, 0) };
    outbox.begin(again).await.unwrap();
    assert_eq!((world.get(id).await, world.steps(id).await), (message.clone(), steps.clone()));
    for part in 0..2 {
        let other = Begin { account: account("backup_1"), ..world.begin(id, part) };
        let refused = outbox.begin(other).await.unwrap_err();
        assert!(matches!(refused, StoreError::Conflict { table: "outbox_parts", .. }), "{refused:?}");
        assert!(refused.to_string().contains("with main"), "{refused}");
        assert_eq!((world.get(id).await, world.steps(id).await), (message.clone(), steps.clone()));
    }
    // Proof that nothing was sent sets it free for others.
    outbox.part_unsent(world.unsent(id, 0, Then::Requeue { account: None })).await.unwrap();
    outbox.begin(Begin { account: account("backup_1"), ..world.begin(id, 0) }).await.unwrap();
    assert_eq!(world.get(id).await.account, Some(account("backup_1")));
}

async fn the_same_plan_again_changes_nothing(world: World) {
    let outbox = world.store.outbox();
    let id = world.queued(0).await;
    let plan = world.message(2).parts;
    let begin = Begin { plan: Some(plan.clone()), ..world.begin(id, 0) };
    outbox.begin(begin.clone()).await.unwrap();
    let (planned, steps) = (world.get(id).await, world.steps(id).await);
    outbox.begin(begin.clone()).await.unwrap();
    assert_eq!((world.get(id).await, world.steps(id).await), (planned.clone(), steps));
    assert_eq!(planned.parts[0].state, PartState::Begun);

    outbox.part_sent(world.sent(id, 0)).await.unwrap();
    outbox.begin(Begin { part: 1, ..begin.clone() }).await.unwrap();
    let states: Vec<_> = world.get(id).await.parts.iter().map(|part| part.state).collect();
    assert_eq!(states, [PartState::Sent, PartState::Begun]);
    // A part that is sent is not begun again, whatever the plan.
    let refused = outbox.begin(begin).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
}

async fn the_account_of_the_first_part_keeps_the_rest(world: World) {
    let outbox = world.store.outbox();
    let id = world.sending(2).await;
    outbox.part_sent(world.sent(id, 0)).await.unwrap();
    outbox.begin(world.begin(id, 1)).await.unwrap();
    outbox.part_unsent(world.unsent(id, 1, Then::Requeue { account: None })).await.unwrap();
    assert_eq!(world.get(id).await.account, Some(account("main")));
    outbox.begin(world.begin(id, 1)).await.unwrap();
    outbox.doubt(world.doubt(id)).await.unwrap();
    assert_eq!(outbox.resolve(id, Resolution::Resend, world.now()).await, Ok(true));
    let message = world.get(id).await;
    assert_eq!((message.state, message.account), (MessageState::Queued, Some(account("main"))));
}

async fn a_scheduled_message_waits_for_its_time_again(world: World) {
    let outbox = world.store.outbox();
    let send_at = world.now().plus(std::time::Duration::from_mins(1));
    let mut message = world.message(1);
    message.state = MessageState::Scheduled;
    message.send_at = Some(send_at);
    let id = message.id;
    outbox.accept(accept(message)).await.unwrap();
    for (at, state) in [(world.now(), MessageState::Scheduled), (send_at, MessageState::Queued)] {
        assert_eq!(outbox.cancel(id, world.now(), None).await, Ok(true));
        assert_eq!(outbox.retry(id, at).await, Ok(true));
        assert_eq!(world.state(id).await, state);
    }
}

async fn a_part_that_was_sent_is_sent_once(world: World) {
    let outbox = world.store.outbox();
    let id = world.sending(2).await;
    outbox.part_sent(world.sent(id, 0)).await.unwrap();
    let (message, steps) = (world.get(id).await, world.steps(id).await);
    let again =
        PartSent { message_ids: SentIds::one(Some(999)), account: account("backup_1"), ..world.sent(id, 0) };
    outbox.part_sent(again).await.unwrap();
    assert_eq!((world.get(id).await, world.steps(id).await), (message, steps));
    for refused in [
        outbox.begin(world.begin(id, 0)).await,
        outbox.part_unsent(world.unsent(id, 0, Then::Requeue { account: None })).await,
    ] {
        assert!(matches!(refused, Err(StoreError::Conflict { table: "outbox_parts", .. })), "{refused:?}");
    }
    assert_eq!(world.get(id).await.parts[0].state, PartState::Sent);
}

async fn a_plan_replaces_parts_that_were_not_begun(world: World) {
    let outbox = world.store.outbox();
    let id = world.queued(0).await;
    let mut plan = world.message(2).parts;
    outbox.begin(Begin { plan: Some(plan.clone()), ..world.begin(id, 0) }).await.unwrap();
    plan[0].state = PartState::Begun;
    assert_eq!(world.get(id).await.parts, plan);

    // The begun part must be in the next plan as it is; the rest may change.
    let mut other = plan.clone();
    other[0].items[0].random_id = 1;
    let refused = outbox.begin(Begin { plan: Some(other), ..world.begin(id, 0) }).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })));
    assert_eq!(world.get(id).await.parts, plan);
    plan.truncate(1);
    outbox.begin(Begin { plan: Some(plan.clone()), ..world.begin(id, 0) }).await.unwrap();
    assert_eq!(world.get(id).await.parts, plan);
}

async fn proof_that_nothing_was_sent_requeues_or_ends(world: World) {
    let outbox = world.store.outbox();
    let id = world.sending(1).await;
    let requeue = Then::Requeue { account: Some(account("backup_1")) };
    outbox.part_unsent(world.unsent(id, 0, requeue)).await.unwrap();
    let message = world.get(id).await;
    assert_eq!((message.state, message.account.clone()), (MessageState::Queued, Some(account("backup_1"))));
    assert!(!message.in_flight());

    outbox.begin(world.begin(id, 0)).await.unwrap();
    let failure =
        Failure::ChatNotFound { asked: vec![Refusal { account: account("main"), why: "no".into() }] };
    outbox.part_unsent(world.unsent(id, 0, Then::Fail(failure.clone()))).await.unwrap();
    let message = world.get(id).await;
    assert_eq!((message.state, message.failure.clone()), (MessageState::Failed, Some(failure.clone())));
    let steps = world.steps(id).await;
    assert_eq!(steps[2..], [Step::Attempted, Step::Begun, Step::Attempted, Step::Failed]);
    // What is final stays so.
    let refused = outbox.part_unsent(world.unsent(id, 0, Then::Fail(failure))).await;
    assert!(matches!(refused, Err(StoreError::Conflict { table: "outbox", .. })));
    assert_eq!(world.get(id).await, message);
}

async fn a_hold_is_kept_with_the_attempt_that_taught_it(world: World) {
    let id = world.sending(1).await;
    let at = world.now();
    let hold = Hold::Mark { account: account("main"), chat_id: chat_number(5), why: "kicked".into(), at };
    let mut unsent = world.unsent(id, 0, Then::Requeue { account: None });
    unsent.hold = Some(hold);
    world.store.outbox().part_unsent(unsent).await.unwrap();
    let holds = world.store.accounts().holds(world.now()).await.unwrap();
    assert_eq!(holds.marks, [(account("main"), chat_number(5), "kicked".to_owned(), at)]);
}

async fn failing_needs_proof(world: World) {
    let outbox = world.store.outbox();
    let fail = |id| Fail { id, failure: Failure::NoAccount { asked: Vec::new() }, at: world.now() };
    let queued = world.queued(1).await;
    assert_eq!(outbox.fail(fail(queued)).await, Ok(true));
    assert_eq!(outbox.fail(fail(queued)).await, Ok(false));
    assert_eq!(world.steps(queued).await, [Step::Accepted, Step::Failed]);

    let sending = world.sending(2).await;
    assert_eq!(outbox.fail(fail(sending)).await, Ok(false));
    assert_eq!(world.state(sending).await, MessageState::Sending);
    // Between two parts nothing is under way.
    outbox.part_sent(world.sent(sending, 0)).await.unwrap();
    assert_eq!(outbox.fail(fail(sending)).await, Ok(true));
    assert_eq!(world.get(sending).await.parts[0].state, PartState::Sent);
}

async fn cancelling_needs_that_nothing_was_given_away(world: World) {
    let outbox = world.store.outbox();
    let queued = world.queued(1).await;
    assert_eq!(outbox.cancel(queued, world.now(), Some("by hand".into())).await, Ok(true));
    assert_eq!(outbox.cancel(queued, world.now(), None).await, Ok(false));
    assert_eq!(world.state(queued).await, MessageState::Cancelled);
    let last = world.store.outbox().timeline(queued).await.unwrap().pop().unwrap();
    assert_eq!((last.step, last.detail.as_deref()), (Step::Cancelled, Some("by hand")));

    let sending = world.sending(2).await;
    assert_eq!(outbox.cancel(sending, world.now(), None).await, Ok(false));
    outbox.part_sent(world.sent(sending, 0)).await.unwrap();
    outbox.begin(world.begin(sending, 1)).await.unwrap();
    outbox.part_unsent(world.unsent(sending, 1, Then::Requeue { account: None })).await.unwrap();
    assert_eq!(world.state(sending).await, MessageState::Queued);
    assert_eq!(outbox.cancel(sending, world.now(), None).await, Ok(false));
}

async fn retrying_keeps_random_ids_and_clears_the_failure(world: World) {
    let outbox = world.store.outbox();
    let id = world.sending(2).await;
    assert_eq!(outbox.retry(id, world.now()).await, Ok(false));
    let failure = Failure::Rejected { provider_code: "MESSAGE_TOO_LONG".into() };
    outbox.part_unsent(world.unsent(id, 0, Then::Fail(failure))).await.unwrap();
    let failed = world.get(id).await;
    assert_eq!(outbox.retry(id, world.now()).await, Ok(true));
    let message = world.get(id).await;
    assert_eq!((message.state, message.failure, message.account), (MessageState::Queued, None, None));
    assert_eq!(message.parts, failed.parts);
    assert_eq!(outbox.retry(id, world.now()).await, Ok(false));

    // An account that has sent a part has to send the rest.
    outbox.begin(world.begin(id, 0)).await.unwrap();
    outbox.part_sent(world.sent(id, 0)).await.unwrap();
    let fail = Fail { id, failure: Failure::NoAccount { asked: Vec::new() }, at: world.now() };
    assert_eq!(outbox.fail(fail).await, Ok(true));
    assert_eq!(outbox.retry(id, world.now()).await, Ok(true));
    assert_eq!(world.get(id).await.account, Some(account("main")));
}

async fn a_person_resolves_a_doubt(world: World) {
    let outbox = world.store.outbox();
    for (parts, resolution, state, part) in [
        (1, Resolution::Sent, MessageState::Sent, PartState::Sent),
        (2, Resolution::Sent, MessageState::Queued, PartState::Sent),
        (1, Resolution::Resend, MessageState::Queued, PartState::Waiting),
    ] {
        let id = world.sending(parts).await;
        assert_eq!(outbox.resolve(id, resolution, world.now()).await, Ok(false));
        outbox.doubt(world.doubt(id)).await.unwrap();
        outbox.doubt(world.doubt(id)).await.unwrap();
        assert_eq!(world.state(id).await, MessageState::InDoubt);
        assert_eq!(outbox.retry(id, world.now()).await, Ok(false));
        assert_eq!(outbox.cancel(id, world.now(), None).await, Ok(false));
        assert_eq!(outbox.resolve(id, resolution, world.now()).await, Ok(true));
        let message = world.get(id).await;
        assert_eq!((message.state, message.parts[0].state), (state, part));
        assert_eq!(message.parts[0].items[0].message_id, None);
        assert_eq!(message.account.is_none(), resolution == Resolution::Resend);
        let steps = world.steps(id).await;
        assert_eq!(steps[2..], [Step::Attempted, Step::InDoubt, Step::Resolved]);
    }
    // Without a part under way there is nothing to doubt.
    let queued = world.queued(1).await;
    let refused = outbox.doubt(world.doubt(queued)).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })));
}

async fn a_doubt_ends_by_evidence(world: World) {
    let outbox = world.store.outbox();
    for (parts, state) in [(1, MessageState::Sent), (2, MessageState::Queued)] {
        let id = world.sending(parts).await;
        outbox.doubt(world.doubt(id)).await.unwrap();
        outbox.part_sent(world.sent(id, 0)).await.unwrap();
        assert_eq!(world.state(id).await, state);
    }
}

async fn no_part_begins_after_the_end(world: World) {
    let outbox = world.store.outbox();
    let cancelled = world.queued(1).await;
    outbox.cancel(cancelled, world.now(), None).await.unwrap();
    let doubtful = world.sending(1).await;
    outbox.doubt(world.doubt(doubtful)).await.unwrap();
    let sent = world.sending(1).await;
    outbox.part_sent(world.sent(sent, 0)).await.unwrap();
    for id in [cancelled, doubtful, sent] {
        let before = (world.get(id).await, world.steps(id).await);
        let refused = outbox.begin(world.begin(id, 0)).await.unwrap_err();
        assert!(refused.to_string().contains(before.0.state.as_str()), "{refused}");
        assert_eq!((world.get(id).await, world.steps(id).await), before);
    }
}

async fn a_new_message_cannot_be_half_done(world: World) {
    let sent = domain::message::OutboundMessage { state: MessageState::Sent, ..world.message(1) };
    let no_account = domain::message::OutboundMessage { account: None, ..begun(world.message(1)) };
    let begun_in_queue =
        domain::message::OutboundMessage { state: MessageState::Queued, ..begun(world.message(1)) };
    for wrong in [sent, no_account, begun_in_queue] {
        let id = wrong.id;
        let refused = world.store.outbox().accept(accept(wrong)).await;
        assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
        assert_eq!(world.store.outbox().get(id).await, Ok(None));
    }
}

async fn notes_are_added_and_bounded(world: World) {
    let outbox = world.store.outbox();
    let id = world.queued(1).await;
    let mut note = world.entry(Step::Waiting, None);
    note.detail = Some("ы".repeat(5000));
    outbox.note(id, note.clone()).await.unwrap();
    let kept = outbox.timeline(id).await.unwrap().pop().unwrap();
    assert_eq!((kept.step, kept.at, kept.part), (note.step, note.at, note.part));
    assert_eq!(kept.detail, Some("ы".repeat(500)));
    note.detail = None;
    let notes = (0..1100).map(|_| outbox.note(id, note.clone()));
    for kept in futures_in_order(notes).await {
        kept.unwrap();
    }
    assert_eq!(outbox.timeline(id).await.unwrap().len(), 1000);
    // What really happens is written all the same.
    outbox.cancel(id, world.now(), None).await.unwrap();
    assert_eq!(world.steps(id).await.last(), Some(&Step::Cancelled));
}

async fn of_attempts_in_a_row_the_last_are_kept(world: World) {
    let outbox = world.store.outbox();
    let id = world.queued(1).await;
    for number in 0..69 {
        let note = Entry { detail: Some(number.to_string()), ..world.entry(Step::Attempted, None) };
        outbox.note(id, note).await.unwrap();
    }
    let timeline = outbox.timeline(id).await.unwrap();
    let attempts = timeline.iter().filter(|entry| entry.step == Step::Attempted);
    let kept: Vec<_> = attempts.filter_map(|entry| entry.detail.as_deref()?.parse::<u32>().ok()).collect();
    assert_eq!(kept, (0..3).chain(59..69).collect::<Vec<_>>());
}

/// Runs futures side by side on this task, so that they share commits.
async fn futures_in_order<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut ready = true;
        for (future, output) in waiting.iter_mut().filter(|(_, output)| output.is_none()) {
            match future.as_mut().poll(context) {
                std::task::Poll::Ready(value) => *output = Some(value),
                std::task::Poll::Pending => ready = false,
            }
        }
        if ready { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    waiting.into_iter().filter_map(|(_, output)| output).collect()
}

async fn a_missing_message_is_named(world: World) {
    let outbox = world.store.outbox();
    let id = world.id();
    let failure = Failure::NoAccount { asked: Vec::new() };
    let requeue = Then::Requeue { account: None };
    let errors = [
        outbox.begin(world.begin(id, 0)).await.unwrap_err(),
        outbox.part_sent(world.sent(id, 0)).await.unwrap_err(),
        outbox.part_unsent(world.unsent(id, 0, requeue)).await.unwrap_err(),
        outbox.fail(Fail { id, failure, at: world.now() }).await.unwrap_err(),
        outbox.doubt(world.doubt(id)).await.unwrap_err(),
        outbox.cancel(id, world.now(), None).await.unwrap_err(),
        outbox.retry(id, world.now()).await.unwrap_err(),
        outbox.resolve(id, Resolution::Sent, world.now()).await.unwrap_err(),
        outbox.note(id, world.entry(Step::Waiting, None)).await.unwrap_err(),
        outbox.unanswered(id).await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, StoreError::NotFound { .. }), "{error:?}");
        assert!(error.to_string().contains(&id.to_string()), "{error}");
    }
    assert_eq!(outbox.timeline(id).await, Ok(Vec::new()));
    let known = world.queued(1).await;
    let no_part = outbox.begin(world.begin(known, 7)).await.unwrap_err();
    assert!(no_part.to_string().contains("no part 7"), "{no_part}");
    assert_eq!(world.state(known).await, MessageState::Queued);
}
