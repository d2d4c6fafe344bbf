//! Messages that carry media: their albums, the files that wait for them, and what the provider has of these files.

use std::time::Duration;

use domain::media::{FileKey, MediaSource, Sha256};
use domain::message::{OutboundMessage, PartState};
use domain::outcome::{Failure, SentIds};
use domain::{AccessHash, MessageState};
use store::{
    Accepted, Begin, Fail, FileReference, PartSent, RemoteKind, StoreError, Swept, Then, UploadState,
};

use crate::support::{World, accept, account, chat, conformance, file_key, with_album};

const DAY: Duration = Duration::from_hours(24);

conformance! {
    albums_read_back_as_they_were_taken_in,
    an_album_is_sent_under_the_ids_of_its_items,
    a_plan_is_the_same_only_with_all_its_random_ids,
    a_text_leaves_no_trace_of_media,
    the_sender_of_a_message_is_found_by_its_ids,
    files_are_in_use_as_long_as_they_may_be_sent,
    a_reference_is_kept_for_its_account_and_form,
    an_upload_is_kept_as_far_as_it_is,
    provider_references_are_removed_in_time,
}

async fn taken_in(world: &World, message: OutboundMessage) -> OutboundMessage {
    assert_eq!(world.store.outbox().accept(accept(message.clone())).await, Ok(Accepted::New));
    message
}

fn ids(known: &[Option<i64>]) -> SentIds {
    known.iter().copied().collect()
}

async fn albums_read_back_as_they_were_taken_in(world: World) {
    let mut message = with_album(world.message(2), &[1, 2, 3]);
    let post =
        MediaSource::Post { channel: "demo_channel".parse().unwrap(), message_id: 4_i64.try_into().unwrap() };
    message.content.media[1].source = post;
    message.content.media[2].source = MediaSource::FileId { file_id: "AgAD".into() };
    message.parts[0].items[1].random_id = i64::MIN;
    let message = taken_in(&world, message).await;
    assert_eq!(world.get(message.id).await, message);
    let unfinished = world.store.outbox().unfinished(None, 10).await.unwrap().readable;
    assert_eq!(unfinished, [message]);
}

async fn an_album_is_sent_under_the_ids_of_its_items(world: World) {
    let outbox = world.store.outbox();
    for (sent_ids, known) in [
        (ids(&[Some(7), Some(8), Some(9)]), vec![7, 8, 9]),
        (ids(&[None, Some(8)]), vec![8]),
        (SentIds::unread(), vec![]),
    ] {
        let message = taken_in(&world, with_album(world.message(2), &[1, 2, 3])).await;
        outbox.begin(world.begin(message.id, 0)).await.unwrap();
        let sent = PartSent { message_ids: sent_ids.clone(), ..world.sent(message.id, 0) };
        outbox.part_sent(sent.clone()).await.unwrap();
        let mut expected = message.parts[0].clone();
        expected.set_sent(&sent_ids);
        let stored = world.get(message.id).await;
        assert_eq!(stored.parts[0], expected);
        assert_eq!((stored.state, stored.message_numbers()), (MessageState::Sending, known));
        // Reported twice, it stays as it was.
        outbox.part_sent(PartSent { message_ids: ids(&[Some(1), Some(2), Some(3)]), ..sent }).await.unwrap();
        assert_eq!(world.get(message.id).await, stored);
    }
    let whole = taken_in(&world, with_album(world.message(1), &[1, 2])).await;
    outbox.begin(world.begin(whole.id, 0)).await.unwrap();
    let sent = PartSent { message_ids: ids(&[Some(7), Some(8)]), ..world.sent(whole.id, 0) };
    outbox.part_sent(sent).await.unwrap();
    assert_eq!(world.state(whole.id).await, MessageState::Sent);
    let last = outbox.timeline(whole.id).await.unwrap().pop().unwrap();
    assert_eq!(last.detail.as_deref(), Some("messages 7, 8"));
}

async fn a_plan_is_the_same_only_with_all_its_random_ids(world: World) {
    let outbox = world.store.outbox();
    let mut message = with_album(world.message(2), &[1, 2]);
    let plan = std::mem::take(&mut message.parts);
    let id = taken_in(&world, message).await.id;
    let begin = Begin { plan: Some(plan.clone()), ..world.begin(id, 0) };
    outbox.begin(begin.clone()).await.unwrap();
    let (planned, steps) = (world.get(id).await, world.steps(id).await);
    assert_eq!(planned.parts[0].items, plan[0].items);
    outbox.begin(begin.clone()).await.unwrap();
    assert_eq!((world.get(id).await, world.steps(id).await), (planned.clone(), steps));
    for change in [
        |items: &mut Vec<domain::message::PartItem>| items[1].random_id += 1,
        |items: &mut Vec<domain::message::PartItem>| items[1].media = Some(0),
        |items: &mut Vec<domain::message::PartItem>| items.truncate(1),
    ] {
        let mut other = plan.clone();
        other[0].state = PartState::Begun;
        change(&mut other[0].items);
        let refused = outbox.begin(Begin { plan: Some(other), ..begin.clone() }).await;
        assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
        assert_eq!(world.get(id).await, planned);
    }
    // What was sent keeps its ids in another plan.
    let sent = PartSent { message_ids: ids(&[Some(7), Some(8)]), ..world.sent(id, 0) };
    outbox.part_sent(sent).await.unwrap();
    let mut next = world.get(id).await.parts;
    next[1].items[0].random_id = 77;
    outbox.begin(Begin { part: 1, plan: Some(next.clone()), ..begin }).await.unwrap();
    next[1].state = PartState::Begun;
    assert_eq!(world.get(id).await.parts, next);
}

/// A text costs what it did before there were media.
async fn a_text_leaves_no_trace_of_media(world: World) {
    let id = world.sending(1).await;
    world.store.outbox().part_sent(world.sent(id, 0)).await.unwrap();
    world.store.clone().close().await;
    let traces = world.number(
        "SELECT (SELECT count(*) FROM outbox_files) + (SELECT count(*) FROM outbox_parts
         WHERE items IS NOT NULL OR provider_ids IS NOT NULL OR text IS NOT NULL)",
    );
    assert_eq!(traces, 0);
}

async fn the_sender_of_a_message_is_found_by_its_ids(world: World) {
    let outbox = world.store.outbox();
    let send = async |message: OutboundMessage, by: &str, sent_ids: &[i64]| {
        let id = taken_in(&world, message).await.id;
        outbox.begin(Begin { account: account(by), ..world.begin(id, 0) }).await.unwrap();
        let message_ids = sent_ids.iter().copied().map(Some).collect();
        outbox.part_sent(PartSent { account: account(by), message_ids, ..world.sent(id, 0) }).await.unwrap();
    };
    let message_id = |number: i64| number.try_into().unwrap();
    let by = async |number| outbox.sent_by(chat(), message_id(number)).await.unwrap();
    assert_eq!(by(45).await, None);
    send(world.message(1), "main", &[45]).await;
    send(with_album(world.message(1), &[1, 2]), "backup_1", &[46, 145]).await;
    // The first part of two, and one that was given to no account yet.
    send(world.message(2), "backup_2", &[48]).await;
    taken_in(&world, world.message(1)).await;
    let named = |name: &str| Some(account(name));
    for (number, who) in [
        (45, named("main")),
        (46, named("backup_1")),
        (145, named("backup_1")),
        (48, named("backup_2")),
        (5, None),
        (14, None),
        (4, None),
    ] {
        assert_eq!(by(number).await, who, "{number}");
    }
    let elsewhere = domain::ChatId::channel(77).unwrap();
    assert_eq!(outbox.sent_by(elsewhere, message_id(45)).await, Ok(None));
    // In private chats each account counts by itself.
    send(world.message(1), "backup_1", &[45]).await;
    assert_eq!(by(45).await, named("backup_1"), "the last one");
}

async fn files_are_in_use_as_long_as_they_may_be_sent(world: World) {
    let outbox = world.store.outbox();
    let in_use = async || {
        let mut files = outbox.files_in_use().await.unwrap();
        files.sort_unstable();
        files
    };
    let keys = |numbers: &[u8]| -> Vec<FileKey> { numbers.iter().copied().map(file_key).collect() };
    let mut messages = Vec::new();
    for number in 1..=5 {
        messages.push(taken_in(&world, with_album(world.message(1), &[number])).await.id);
    }
    assert_eq!(in_use().await, keys(&[1, 2, 3, 4, 5]));
    let [queued, sent, failed, cancelled, doubtful] = messages[..] else { panic!("five") };
    outbox.begin(world.begin(sent, 0)).await.unwrap();
    assert_eq!(in_use().await.len(), 5, "not before it is sent");
    outbox.part_sent(world.sent(sent, 0)).await.unwrap();
    let failure = Failure::MediaExpired { detail: "old".into() };
    outbox.fail(Fail { id: failed, failure: failure.clone(), at: world.now() }).await.unwrap();
    assert_eq!(world.get(failed).await.failure, Some(failure));
    outbox.cancel(cancelled, world.now(), None).await.unwrap();
    outbox.begin(world.begin(doubtful, 0)).await.unwrap();
    outbox.doubt(world.doubt(doubtful)).await.unwrap();
    assert_eq!(in_use().await, keys(&[1, 3, 4, 5]));
    let done_with = async |id| outbox.files_done_with(id).await.unwrap();
    assert_eq!(done_with(sent).await, keys(&[2]));
    for id in [queued, failed, cancelled, doubtful] {
        assert_eq!(done_with(id).await, [], "it may be sent after all");
    }
    world.clock.advance(7 * DAY + Duration::from_secs(1));
    assert_eq!(in_use().await, keys(&[1]), "a week after their end");
    assert_eq!(done_with(failed).await, keys(&[3]), "by the same rule");
    assert_eq!(outbox.retry(failed, world.now()).await, Ok(true));
    assert_eq!(in_use().await, keys(&[1, 3]));
    outbox.begin(world.begin(queued, 0)).await.unwrap();
    outbox.part_unsent(world.unsent(queued, 0, Then::Requeue { account: None })).await.unwrap();
    assert_eq!(in_use().await, keys(&[1, 3]));

    world.clock.advance(91 * DAY);
    assert_eq!(world.store.sweep().await.unwrap().messages, 2, "the sent one and the cancelled one");
    world.store.clone().close().await;
    assert_eq!(world.number("SELECT count(*) FROM outbox_files"), 3, "files go with their messages");
}

fn reference(world: &World, id: i64) -> FileReference {
    FileReference {
        kind: RemoteKind::Photo,
        id,
        access_hash: AccessHash(i64::MIN),
        file_reference: vec![0, 1, 255],
        saved_at: world.now(),
    }
}

async fn a_reference_is_kept_for_its_account_and_form(world: World) {
    let files = world.store.files();
    let (main, content) = (account("main"), Sha256([7; 32]));
    assert_eq!(files.reference(&main, content, "photo").await, Ok(None));
    let first = reference(&world, 1);
    files.save_reference(&main, content, "photo", first.clone()).await.unwrap();
    assert_eq!(files.reference(&main, content, "photo").await, Ok(Some(first.clone())));
    for (who, what, form) in [
        (account("backup_1"), content, "photo"),
        (main.clone(), Sha256([8; 32]), "photo"),
        (main.clone(), content, "document"),
    ] {
        assert_eq!(files.reference(&who, what, form).await, Ok(None), "{who} {form}");
        assert_eq!(files.forget_reference(&who, what, form).await, Ok(false));
    }
    let second =
        FileReference { kind: RemoteKind::Document, file_reference: Vec::new(), ..reference(&world, 2) };
    files.save_reference(&main, content, "photo", second.clone()).await.unwrap();
    assert_eq!(files.reference(&main, content, "photo").await, Ok(Some(second)));
    assert_eq!(files.forget_reference(&main, content, "photo").await, Ok(true));
    assert_eq!(files.reference(&main, content, "photo").await, Ok(None));
}

async fn an_upload_is_kept_as_far_as_it_is(world: World) {
    let (main, content, other) = (account("main"), Sha256([7; 32]), Sha256([8; 32]));
    let state = |parts_done| UploadState {
        file_id: -5,
        size: 2_000_000_000,
        part_size: 512 * 1024,
        parts_done,
        started_at: world.now(),
    };
    let files = world.store.files();
    assert_eq!(files.upload(&main, content).await, Ok(None));
    let last = state(40);
    for parts_done in 0..40 {
        files.save_upload(&main, content, state(parts_done)).await.unwrap();
        files.save_upload(&main, other, state(parts_done)).await.unwrap();
    }
    files.save_upload(&main, content, last).await.unwrap();
    assert_eq!(files.upload(&main, content).await, Ok(Some(last)));
    assert_eq!(files.upload(&account("backup_1"), content).await, Ok(None));
    // What was saved just before is forgotten as well, whatever of it is on the disk already.
    files.save_upload(&main, other, state(41)).await.unwrap();
    files.forget_upload(&main, other).await.unwrap();
    assert_eq!(files.upload(&main, other).await, Ok(None));
    world.store.clone().close().await;
    let again = world.open_again().await.unwrap();
    assert_eq!(again.files().upload(&main, content).await, Ok(Some(last)));
    assert_eq!(again.files().upload(&main, other).await, Ok(None));
}

async fn provider_references_are_removed_in_time(world: World) {
    let files = world.store.files();
    let main = account("main");
    let (old, used) = (Sha256([7; 32]), Sha256([8; 32]));
    for content in [old, used] {
        files.save_reference(&main, content, "photo", reference(&world, 1)).await.unwrap();
    }
    let started_at = world.now();
    let state = UploadState { file_id: 1, size: 5, part_size: 512, parts_done: 0, started_at };
    files.save_upload(&main, old, state).await.unwrap();
    world.clock.advance(Duration::from_secs(24 * 3600 - 1));
    assert_eq!(world.store.sweep().await, Ok(Swept::default()));
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.store.sweep().await, Ok(Swept { uploads: 1, ..Swept::default() }));
    assert_eq!(files.upload(&main, old).await, Ok(None));
    // Callers that use a reference save it again.
    world.clock.advance(28 * DAY);
    files.save_reference(&main, used, "photo", reference(&world, 1)).await.unwrap();
    world.clock.advance(DAY);
    assert_eq!(world.store.sweep().await, Ok(Swept { references: 1, ..Swept::default() }));
    assert_eq!(files.reference(&main, old, "photo").await, Ok(None));
    assert!(files.reference(&main, used, "photo").await.unwrap().is_some());
}
