//! Messages that came in: one write with their events and the counters, each once, changed as Telegram changes them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::media::{FileKey, Sha256};
use domain::outcome::SentIds;
use domain::received_message::{ForwardedFrom, Reaction, ReceivedFile, ReceivedMedia};
use domain::timeline::Step;
use domain::{
    ChatId, Contact, ContactSource, EventFilter, EventId, FileKind, FileRule, MessageOrigin, MessageState,
    ReceivedMessage, TelegramMessageId, Timestamp, UserId,
};
use serde_json::{Value, json};
use store::{
    Disk, EventRetention, FetchedFile, GapChange, Missed, PageRead, PartSent, ReceivedChange, SelfUser,
    Store, StoreError, StoredSession, Taken, TakenUpdates, UpdateChange,
};

use crate::support::{World, accept, account, begun, chat, chat_number, conformance};

conformance! {
    a_message_its_event_and_the_counters_are_one_write,
    a_supergroup_has_one_row_for_all_accounts,
    messages_of_this_program_have_no_received_row,
    possibly_own_messages_are_shown_once_decided,
    the_writing_account_settles_messages_others_received,
    an_edit_before_the_original_is_the_message,
    edits_emit_events_and_reactions_do_not,
    deletions_name_no_chat_or_a_channel,
    half_an_album_before_a_kill_is_whole_afterwards,
    a_burst_is_one_write,
    numbers_go_on_when_the_clock_was_set_back,
    a_gap_is_read_page_by_page_and_what_is_left_is_listed,
    a_gap_begins_where_the_last_message_of_the_chat_is,
    files_that_the_rule_names_wait_until_they_are_noted,
    another_file_of_a_message_is_fetched_again,
    files_go_with_their_messages_and_accounts,
    a_person_who_opts_out_is_listed_with_the_message,
    sent_messages_are_marked_read_once,
}

fn user(id: i64) -> ChatId {
    ChatId::user(id).unwrap()
}

fn number(id: i32) -> TelegramMessageId {
    TelegramMessageId::new(id).unwrap()
}

/// A message of this chat, as `main` receives it.
fn message(chat_id: ChatId, id: i32) -> ReceivedMessage {
    let at = Timestamp::from_micros(1_700_000_000_000_000);
    let written = testkit::customer_message(chat_id, id, &format!("message {id}"), at);
    ReceivedMessage { sender: Some(user(7)), sender_name: Some("Ann".into()), ..written }
}

fn own(chat_id: ChatId, id: i32, world: &World) -> ReceivedMessage {
    ReceivedMessage { origin: MessageOrigin::Owner, sent_at: world.now(), ..message(chat_id, id) }
}

fn new(message: ReceivedMessage) -> ReceivedChange {
    ReceivedChange::New(Box::new(message))
}

fn edited(message: ReceivedMessage, at: i64) -> ReceivedChange {
    let edited_at = Some(Timestamp::from_micros(at));
    ReceivedChange::Edited(Box::new(ReceivedMessage { edited_at, text: "edited".into(), ..message }))
}

fn deleted(channel: Option<ChatId>, ids: &[i32]) -> ReceivedChange {
    ReceivedChange::Deleted { channel, message_ids: ids.iter().map(|id| number(*id)).collect() }
}

fn of(name: &str) -> TakenUpdates {
    TakenUpdates::new(account(name))
}

async fn take(store: &Store, changes: Vec<ReceivedChange>) -> Taken {
    let state = vec![UpdateChange::Primary { pts: 9, date: 8, seq: 7 }];
    store.received().take(TakenUpdates { changes, state, ..of("main") }).await.unwrap()
}

async fn is_kept(world: &World, message: &ReceivedMessage) -> bool {
    world.store.received().get(&message.id()).await.unwrap().is_some()
}

/// The types of the events about messages that came in, and what they say.
async fn message_events(world: &World) -> Vec<(String, Value)> {
    let read = world.store.events().after(EventId::ZERO, &EventFilter::default(), 1000).await.unwrap();
    let events = read.events.into_iter().filter(|event| event.data.contains("telegram_id"));
    events.map(|event| (event.kind.to_string(), serde_json::from_str(&event.data).unwrap())).collect()
}

async fn words(world: &World) -> Vec<String> {
    message_events(world).await.into_iter().map(|(word, _)| word["message.".len()..].to_owned()).collect()
}

async fn a_message_its_event_and_the_counters_are_one_write(world: World) {
    let photo = ReceivedMedia { kind: "photo".into(), file: None };
    let entities = json!([
        {"offset": 0, "length": 10, "type": "blockquote", "expandable": true},
        {"offset": 0, "length": 4, "type": "text_link", "url": "https://example.com/"},
        {"offset": 4, "length": 3, "type": "mention_user", "user_id": 8},
        {"offset": 8, "length": 1, "type": "pre", "language": "rust"},
        {"offset": 9, "length": 1, "type": "custom_emoji", "id": i64::MAX},
    ]);
    let forward = ForwardedFrom {
        from_id: Some(chat()),
        name: Some("Demo".into()),
        at: Timestamp::from_micros(1_600_000_000_000_000),
        message_id: Some(number(3)),
    };
    let one = ReceivedMessage {
        entities: serde_json::from_value(entities).unwrap(),
        media: Some(photo),
        service: Some("pinned".into()),
        reply_to: Some(number(44)),
        forward: Some(forward),
        album: Some(i64::MAX),
        ..message(user(7), 45)
    };
    // The same once more, as after a kill before the answer, changes nothing.
    for kept in [1, 0] {
        assert_eq!(take(&world.store, vec![new(one.clone())]).await, Taken { new: kept, ..Taken::default() });
    }
    let stored = world.store.received().get(&one.id()).await.unwrap().expect("it is kept");
    assert_eq!((&stored.message, stored.deleted_at), (&one, None));
    assert!(stored.received_at() <= world.now());
    let state = world.store.accounts().update_state(&account("main")).await.unwrap().unwrap();
    assert_eq!((state.pts, state.date, state.seq), (9, 8, 7));
    let data = json!({"message_id": one.id(), "telegram_id": 45, "origin": "person", "from": "7", "media": "photo",
        "album": i64::MAX.to_string()});
    assert_eq!(message_events(&world).await, [("message.received".to_owned(), data)]);
    let read = world.store.events().after(EventId::ZERO, &EventFilter::default(), 10).await.unwrap();
    assert_eq!(
        (&read.events[0].account, &read.events[0].chat),
        (&Some(account("main")), &Some("7".to_owned()))
    );
    assert!(!read.events[0].data.contains("message 45"), "no event has a text");
}

async fn a_supergroup_has_one_row_for_all_accounts(world: World) {
    for (chat_id, rows) in [(chat(), 1), (user(7), 3), (ChatId::group(5).unwrap(), 5)] {
        for name in ["main", "backup_1"] {
            let copy = ReceivedMessage { account: account(name), ..message(chat_id, 45) };
            let taken = TakenUpdates { changes: vec![new(copy)], ..of(name) };
            world.store.received().take(taken).await.unwrap();
        }
        assert_eq!(world.number("SELECT count(*) FROM received_messages"), rows, "{chat_id}");
    }
    assert_eq!(words(&world).await.len(), 5);
}

/// The account `main` is the user who writes in these tests.
async fn is_user_seven(world: &World) {
    let session = StoredSession {
        account: account("main"),
        fingerprint: store::KeyFingerprint::of(&[1; 256]),
        dc_id: 2,
        auth_key: domain::Secret::new(Box::new([1; 256])),
        user: Some(SelfUser {
            user_id: UserId::new(7).unwrap(),
            username: None,
            display_name: "Main".into(),
        }),
    };
    world.store.accounts().save_session(&session).await.unwrap();
}

async fn messages_of_this_program_have_no_received_row(world: World) {
    let id = world.sending(1).await;
    world.store.outbox().part_sent(world.sent(id, 0)).await.unwrap();
    let (sent, by_hand) = (own(chat(), 500, &world), own(chat(), 501, &world));
    let taken =
        take(&world.store, vec![new(sent.clone()), new(by_hand.clone()), edited(sent.clone(), 5)]).await;
    assert_eq!(taken, Taken { new: 1, ..Taken::default() });
    assert!(!is_kept(&world, &sent).await && is_kept(&world, &by_hand).await);
    // Another account of ours sees it in the supergroup first.
    is_user_seven(&world).await;
    let seen = |id| ReceivedMessage { account: account("backup_1"), ..message(chat(), id) };
    let changes = vec![new(seen(500)), new(seen(502))];
    let taken = TakenUpdates { changes, ..of("backup_1") };
    assert_eq!(world.store.received().take(taken).await.unwrap().new, 1);
    let stored = world.store.received().get(&seen(502).id()).await.unwrap().unwrap();
    assert_eq!(stored.message.origin, MessageOrigin::Owner);
}

async fn possibly_own_messages_are_shown_once_decided(world: World) {
    let received = world.store.received();
    let id = world.sending(1).await;
    let (sent, by_hand) = (own(chat(), 500, &world), own(chat(), 501, &world));
    let gone = own(chat(), 502, &world);
    let all = vec![new(sent.clone()), new(by_hand.clone()), new(gone.clone()), deleted(Some(chat()), &[502])];
    assert_eq!(take(&world.store, all).await, Taken { unsettled: 3, ..Taken::default() });
    assert!(!is_kept(&world, &by_hand).await && words(&world).await.is_empty());
    assert!(received.has_unsettled(&account("main")).await.unwrap());
    // What is accepted later is none of them.
    world.clock.advance(Duration::from_secs(1));
    world.store.outbox().accept(accept(begun(world.message(1)))).await.unwrap();
    world.store.outbox().part_sent(world.sent(id, 0)).await.unwrap();
    assert_eq!(take(&world.store, Vec::new()).await, Taken { new: 1, ..Taken::default() });
    assert!(!received.has_unsettled(&account("main")).await.unwrap());
    assert!(
        !is_kept(&world, &sent).await && is_kept(&world, &by_hand).await && !is_kept(&world, &gone).await
    );
    assert_eq!(words(&world).await, ["received"]);
}

async fn the_writing_account_settles_messages_others_received(world: World) {
    let received = world.store.received();
    is_user_seven(&world).await;
    let id = world.sending(1).await;
    let seen = |id| ReceivedMessage { account: account("backup_1"), ..message(chat(), id) };
    let taken = TakenUpdates { changes: vec![new(seen(500)), new(seen(501))], ..of("backup_1") };
    assert_eq!(received.take(taken).await.unwrap(), Taken { unsettled: 2, ..Taken::default() });
    world.store.outbox().part_sent(world.sent(id, 0)).await.unwrap();
    assert_eq!(received.take(of("backup_1")).await.unwrap(), Taken { new: 1, ..Taken::default() });
    assert!(!is_kept(&world, &seen(500)).await && is_kept(&world, &seen(501)).await);
    assert_eq!(words(&world).await, ["received"]);
}

async fn an_edit_before_the_original_is_the_message(world: World) {
    let original = message(user(7), 45);
    take(&world.store, vec![edited(original.clone(), 5)]).await;
    take(&world.store, vec![new(original.clone())]).await;
    let stored = world.store.received().get(&original.id()).await.unwrap().unwrap();
    assert_eq!(
        (&*stored.message.text, stored.message.edited_at),
        ("edited", Some(Timestamp::from_micros(5)))
    );
    assert_eq!(words(&world).await, ["received"]);
    // In one write with it, in whichever order.
    let other = message(user(7), 46);
    take(&world.store, vec![edited(other.clone(), 5), new(other.clone())]).await;
    let third = message(user(7), 47);
    take(&world.store, vec![new(third.clone()), edited(third.clone(), 5)]).await;
    for message in [&other, &third] {
        let stored = world.store.received().get(&message.id()).await.unwrap().unwrap();
        assert_eq!(&*stored.message.text, "edited");
    }
    assert_eq!(words(&world).await, ["received", "received", "received", "edited"]);
}

async fn edits_emit_events_and_reactions_do_not(world: World) {
    let one = message(user(7), 45);
    take(&world.store, vec![new(one.clone())]).await;
    let heart = Reaction { emoji: Some("❤".into()), custom_emoji_id: None, count: 2 };
    // The same edit again, an older one, and what Telegram calls an edit and is none.
    let silent =
        ReceivedChange::Edited(Box::new(ReceivedMessage { reactions: vec![heart.clone()], ..one.clone() }));
    for change in [edited(one.clone(), 5), edited(one.clone(), 5), edited(one.clone(), 4), silent] {
        take(&world.store, vec![change]).await;
    }
    let stored = world.store.received().get(&one.id()).await.unwrap().unwrap().message;
    assert_eq!((&*stored.text, &stored.reactions), ("edited", &vec![heart]));
    let none =
        ReceivedChange::Reactions { chat_id: one.chat_id, message_id: one.message_id, reactions: Vec::new() };
    let unknown = ReceivedChange::Reactions { chat_id: chat(), message_id: number(1), reactions: Vec::new() };
    take(&world.store, vec![none, unknown]).await;
    assert!(world.store.received().get(&one.id()).await.unwrap().unwrap().message.reactions.is_empty());
    assert_eq!(words(&world).await, ["received", "edited"]);
}

async fn deletions_name_no_chat_or_a_channel(world: World) {
    let other = chat_number(5);
    let all = [message(user(7), 45), message(user(8), 46), message(chat(), 45), message(other, 45)];
    take(&world.store, all.iter().cloned().map(new).collect()).await;
    let are_gone = async || {
        let mut gone = Vec::new();
        for message in &all {
            gone.push(world.store.received().get(&message.id()).await.unwrap().unwrap().deleted_at.is_some());
        }
        gone
    };
    take(&world.store, vec![deleted(None, &[45, 46, 99])]).await;
    assert_eq!(are_gone().await, [true, true, false, false]);
    take(&world.store, vec![deleted(Some(chat()), &[45]), deleted(None, &[45])]).await;
    assert_eq!(are_gone().await, [true, true, true, false]);
    // It is gone already when its original comes: a history that is read late has it no more.
    take(&world.store, vec![new(all[0].clone())]).await;
    assert_eq!(are_gone().await, [true, true, true, false]);
    let words = words(&world).await;
    assert_eq!(words[..4], ["received"; 4]);
    assert_eq!(words[4..], ["deleted"; 3]);
}

async fn half_an_album_before_a_kill_is_whole_afterwards(world: World) {
    let photo = |id| ReceivedMessage { album: Some(9), ..message(user(7), id) };
    take(&world.store, vec![new(photo(45)), new(photo(46))]).await;
    // The counters that were written before say that all of it is to be asked for again.
    let taken = take(&world.store, (45..49).map(|id| new(photo(id))).collect()).await;
    assert_eq!(taken.new, 2);
    for id in 45..49 {
        assert!(is_kept(&world, &photo(id)).await);
    }
    assert_eq!(words(&world).await, ["received"; 4]);
}

async fn a_burst_is_one_write(world: World) {
    let before = world.store.written();
    let changes = (1..=5_000).map(|id| new(message(user(i64::from(id % 50) + 1), id))).collect();
    assert_eq!(take(&world.store, changes).await, Taken { new: 5_000, ..Taken::default() });
    let after = world.store.written();
    assert_eq!((after.writes - before.writes, after.commits - before.commits), (1, 1));
    assert_eq!(world.number("SELECT count(DISTINCT seq) FROM received_messages"), 5_000);
    assert_eq!(world.number("SELECT count(*) FROM events"), 5_000);
}

async fn numbers_go_on_when_the_clock_was_set_back(world: World) {
    let mut places = Vec::new();
    for id in 1..=3 {
        let one = message(user(7), id);
        take(&world.store, vec![new(one.clone())]).await;
        places.push(world.store.received().get(&one.id()).await.unwrap().unwrap().seq);
        world.clock.set_back(Duration::from_mins(1));
    }
    assert!(places.is_sorted_by(|one, next| one < next), "{places:?}");
}

#[tokio::test]
async fn without_room_no_message_is_stored_and_counters_stay() {
    const MB: u64 = 1 << 20;
    let free = Arc::new(AtomicU64::new(1000 * MB));
    let disk = Disk::default().with_free_space({
        let free = Arc::clone(&free);
        move |_| Ok(free.load(Ordering::Relaxed))
    });
    let world = World::on(disk).await;
    free.store(63 * MB, Ordering::Relaxed);
    world.clock.advance(Duration::from_secs(1));
    let one = message(user(7), 45);
    let state = vec![UpdateChange::Primary { pts: 9, date: 8, seq: 7 }];
    let taken = TakenUpdates { changes: vec![new(one.clone())], state, ..of("main") };
    assert_eq!(world.store.received().take(taken.clone()).await, Err(StoreError::StorageFull));
    assert_eq!(world.store.accounts().update_state(&account("main")).await, Ok(None));
    free.store(1000 * MB, Ordering::Relaxed);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.store.received().take(taken).await.map(|taken| taken.new), Ok(1));
}

async fn a_gap_is_read_page_by_page_and_what_is_left_is_listed(world: World) {
    let received = world.store.received();
    let since = Timestamp::from_micros(5);
    let missed = |channel| Missed { channel, since };
    received.take(TakenUpdates { missed: vec![missed(None)], ..of("main") }).await.unwrap();
    let gaps = async || received.open_gaps(&account("main")).await.unwrap();
    assert_eq!(gaps().await.iter().map(|gap| (gap.chat_id, gap.since)).collect::<Vec<_>>(), [(None, since)]);
    let chats = GapChange::Chats { chats: vec![user(7), user(8)], since, failure: None };
    received.change_gap(&account("main"), chats).await.unwrap();
    assert_eq!(
        gaps().await.iter().map(|gap| gap.chat_id).collect::<Vec<_>>(),
        [Some(user(7)), Some(user(8))]
    );
    let page = |reached: Option<i32>, messages| TakenUpdates {
        changes: reached.map(|id| new(message(user(7), id))).into_iter().collect(),
        page: Some(PageRead { chat_id: user(7), reached: reached.map(number), messages }),
        ..of("main")
    };
    received.take(page(Some(45), 100)).await.unwrap();
    received.take(page(Some(46), 3)).await.unwrap();
    let read = &gaps().await[0];
    assert_eq!((read.reached, read.messages, read.since), (Some(number(46)), 103, since));
    assert_eq!(words(&world).await, ["received", "received"]);
    received.take(page(None, 0)).await.unwrap();
    let failed = GapChange::Failed { chat_id: Some(user(8)), why: "CHAT_GONE".into() };
    received.change_gap(&account("main"), failed).await.unwrap();
    assert!(gaps().await.is_empty());
    let listed = received.gaps(&account("main")).await.unwrap();
    assert_eq!(
        listed.iter().map(|gap| (gap.chat_id, gap.failure.as_deref())).collect::<Vec<_>>(),
        [(Some(user(8)), Some("CHAT_GONE"))]
    );
    // Another gap is another try; one that is open is read again from its beginning.
    let chats = |micros| GapChange::Chats {
        chats: vec![user(8)],
        since: Timestamp::from_micros(micros),
        failure: Some("too many".into()),
    };
    received.take(TakenUpdates { missed: vec![missed(None)], ..of("main") }).await.unwrap();
    for (micros, expected) in [(7, 7), (9, 7), (6, 6)] {
        received.change_gap(&account("main"), chats(micros)).await.unwrap();
        let gaps = gaps().await;
        assert_eq!(gaps.iter().map(|gap| gap.since.as_micros()).collect::<Vec<_>>(), [expected]);
    }
    world.clock.advance(Duration::from_hours(24 * 31));
    world.store.sweep().await.unwrap();
    received
        .change_gap(&account("main"), GapChange::Failed { chat_id: Some(user(8)), why: "late".into() })
        .await
        .unwrap();
    assert_eq!(received.gaps(&account("main")).await.unwrap().len(), 1);
}

async fn a_gap_begins_where_the_last_message_of_the_chat_is(world: World) {
    let one = message(chat(), 45);
    take(&world.store, vec![new(one.clone())]).await;
    let missed = |chat_id| Missed { channel: Some(chat_id), since: Timestamp::from_micros(5) };
    // What comes with the gap comes after it.
    let later = ReceivedMessage { sent_at: one.sent_at.plus(Duration::from_secs(9)), ..message(chat(), 99) };
    let taken = TakenUpdates {
        changes: vec![new(later)],
        missed: vec![missed(chat()), missed(chat_number(5))],
        ..of("main")
    };
    world.store.received().take(taken).await.unwrap();
    let mut since: Vec<_> =
        world.store.received().gaps(&account("main")).await.unwrap().iter().map(|gap| gap.since).collect();
    since.sort();
    assert_eq!(since, [Timestamp::from_micros(5), one.sent_at]);
}

/// A message with a photo of so many bytes.
fn with_photo(chat_id: ChatId, id: i32, size: u64) -> ReceivedMessage {
    let file = Some(ReceivedFile { name: None, mime: "image/jpeg".into(), size });
    ReceivedMessage { media: Some(ReceivedMedia { kind: "photo".into(), file }), ..message(chat_id, id) }
}

/// Photos of 100 bytes at most are fetched.
async fn take_with_files(world: &World, changes: Vec<ReceivedChange>) -> usize {
    let files = FileRule { kinds: vec![FileKind::Photo], max_size: 100 };
    world.store.received().take(TakenUpdates { changes, files, ..of("main") }).await.unwrap().files
}

async fn kept(world: &World, seq: i64, number: u128) -> FileKey {
    let key = FileKey::from_uuid(uuid::Uuid::from_u128(number));
    let fetched = FetchedFile::Stored { key: key.clone(), sha256: Sha256([7; 32]) };
    assert_eq!(world.store.received().note_file(seq, fetched).await, Ok(true));
    key
}

async fn files_that_the_rule_names_wait_until_they_are_noted(world: World) {
    let received = world.store.received();
    let (first, second) = (with_photo(user(7), 1, 100), with_photo(user(8), 2, 5));
    let changes = vec![
        new(first.clone()),
        new(with_photo(user(7), 3, 101)),
        new(message(user(7), 4)),
        new(second.clone()),
    ];
    assert_eq!(take_with_files(&world, changes).await, 2);
    assert_eq!(take_with_files(&world, vec![new(first.clone())]).await, 0, "the same once more");
    assert_eq!(received.files_waiting(&account("main")).await, Ok(2));
    assert_eq!(received.next_file(&account("backup_1")).await, Ok(None));
    let wanted = received.next_file(&account("main")).await.unwrap().unwrap();
    assert_eq!((wanted.chat_id, wanted.message_id, wanted.tries), (user(7), number(1), 0));
    // One that is put off lets others go first.
    let due_at = world.now().plus(Duration::from_hours(1));
    let put_off = FetchedFile::PutOff { tries: 1, due_at };
    assert_eq!(received.note_file(wanted.seq, put_off).await, Ok(true));
    let other = received.next_file(&account("main")).await.unwrap().unwrap();
    assert_eq!(other.chat_id, user(8));
    let key = kept(&world, other.seq, 1).await;
    let file = received.stored_file(&second.id()).await.unwrap().expect("it lies here");
    assert_eq!((&file.key, file.sha256, Some(file.media)), (&key, Sha256([7; 32]), second.media));
    assert_eq!(received.kept_files().await, Ok(vec![key]));
    let last = received.next_file(&account("main")).await.unwrap().unwrap();
    assert_eq!((last.seq, last.tries, last.due_at), (wanted.seq, 1, due_at));
    let given_up = FetchedFile::GivenUp { why: "there is no such message".to_owned() };
    assert_eq!(received.note_file(wanted.seq, given_up.clone()).await, Ok(true));
    assert_eq!(received.note_file(wanted.seq, given_up).await, Ok(false), "it is over");
    assert_eq!(received.next_file(&account("main")).await, Ok(None));
    assert_eq!(received.stored_file(&first.id()).await, Ok(None));
}

async fn another_file_of_a_message_is_fetched_again(world: World) {
    let received = world.store.received();
    take_with_files(&world, vec![new(with_photo(user(7), 1, 50))]).await;
    let seq = received.next_file(&account("main")).await.unwrap().unwrap().seq;
    kept(&world, seq, 1).await;
    // Other words are no other file.
    assert_eq!(take_with_files(&world, vec![edited(with_photo(user(7), 1, 50), 5)]).await, 0);
    assert_eq!(received.kept_files().await.unwrap().len(), 1);
    assert_eq!(take_with_files(&world, vec![edited(with_photo(user(7), 1, 51), 6)]).await, 1);
    assert_eq!(received.kept_files().await, Ok(Vec::new()));
    kept(&world, seq, 2).await;
    // One that the rule does not name is not fetched, and what was is not its file.
    assert_eq!(take_with_files(&world, vec![edited(with_photo(user(7), 1, 500), 7)]).await, 0);
    assert_eq!(received.stored_file(&message(user(7), 1).id()).await, Ok(None));
    // A text that gets a photo.
    take_with_files(&world, vec![new(message(user(7), 2))]).await;
    assert_eq!(take_with_files(&world, vec![edited(with_photo(user(7), 2, 50), 5)]).await, 1);
}

async fn files_go_with_their_messages_and_accounts(world: World) {
    let received = world.store.received();
    take_with_files(&world, vec![new(with_photo(user(7), 1, 50))]).await;
    let seq = received.next_file(&account("main")).await.unwrap().unwrap().seq;
    kept(&world, seq, 1).await;
    world.clock.advance(Duration::from_hours(24 * 91));
    take_with_files(&world, vec![new(with_photo(user(7), 2, 50))]).await;
    assert_eq!(world.store.sweep().await.unwrap().received, 1);
    assert_eq!(received.kept_files().await, Ok(Vec::new()));
    assert_eq!(world.number("SELECT count(*) FROM received_files"), 1);
    world.store.accounts().remove(&account("main"), &[]).await.unwrap();
    assert_eq!(world.number("SELECT count(*) FROM received_files"), 0);
}

async fn a_person_who_opts_out_is_listed_with_the_message(world: World) {
    let says = |chat_id, id, text: &str| ReceivedMessage { text: text.into(), ..message(chat_id, id) };
    let listed = async |person: ChatId| {
        world.store.do_not_contact().find(&Contact::ChatId(person)).await.unwrap().map(|entry| entry.source)
    };
    let group = ChatId::channel(5).unwrap();
    let changes = vec![
        new(says(user(7), 1, "bus stop?")),
        new(says(user(8), 2, "Stop!")),
        new(says(group, 3, "stop")),
        new(ReceivedMessage { text: "stop".into(), ..own(user(9), 4, &world) }),
        // Its account keeps no messages.
        ReceivedChange::Wish(user(10), domain::ContactWish::NoMore),
    ];
    take(&world.store, changes).await;
    for (chat, expected) in
        [(user(7), false), (user(8), true), (group, false), (user(9), false), (user(10), true)]
    {
        assert_eq!(listed(chat).await, expected.then_some(ContactSource::OptOut), "{chat}");
    }
    // Who was taken off the list by hand is not put there again by what is known already.
    let entry = world.store.do_not_contact().find(&Contact::ChatId(user(8))).await.unwrap().unwrap();
    assert!(world.store.do_not_contact().remove(entry.id).await.unwrap());
    take(&world.store, vec![new(says(user(8), 2, "Stop!"))]).await;
    assert_eq!(listed(user(8)).await, None);
}

/// Which messages are said to be read.
async fn read_receipts(world: &World) -> Vec<String> {
    let filter = EventFilter { types: vec!["message.read".parse().unwrap()], ..EventFilter::default() };
    let read = world.store.events().after(EventId::ZERO, &filter, 1000).await.unwrap();
    let ids = read.events.iter().map(|event| serde_json::from_str::<Value>(&event.data).unwrap());
    ids.map(|data| data["message_id"].as_str().unwrap().to_owned()).collect()
}

async fn sent_messages_are_marked_read_once(world: World) {
    let mut sent = Vec::new();
    for ids in [&[500_i64][..], &[501, 502], &[503]] {
        let id = world.sending(1).await;
        let message_ids: SentIds = ids.iter().copied().map(Some).collect();
        world.store.outbox().part_sent(PartSent { message_ids, ..world.sent(id, 0) }).await.unwrap();
        sent.push(id);
    }
    let under_way = world.sending(1).await;
    let read = |chat_id, id| ReceivedChange::ReadUpTo { chat_id, message_id: number(id) };
    let others = TakenUpdates { changes: vec![read(chat(), 503)], ..of("backup_1") };
    world.store.received().take(others).await.unwrap();
    take(&world.store, vec![read(user(7), 503), read(chat(), 499)]).await;
    assert!(read_receipts(&world).await.is_empty());
    // Half of an album is not all of it.
    for _ in 0..2 {
        take(&world.store, vec![read(chat(), 501)]).await;
        assert_eq!(read_receipts(&world).await, [sent[0].to_string()]);
        assert_eq!(world.state(sent[1]).await, MessageState::Sent);
    }
    // With its events each has left memory for the index.
    world.clock.advance(Duration::from_secs(1));
    world.store.events().sweep(EventRetention { keep: Duration::ZERO, most: 1 }).await.unwrap();
    take(&world.store, vec![read(chat(), 502), read(chat(), 600)]).await;
    let receipts = read_receipts(&world).await;
    assert!(receipts.ends_with(&[sent[1].to_string(), sent[2].to_string()]), "{receipts:?}");
    for id in sent {
        let steps = world.steps(id).await;
        assert_eq!(steps.iter().filter(|step| **step == Step::Read).count(), 1, "{steps:?}");
        assert_eq!(world.state(id).await, MessageState::Read);
    }
    assert_eq!(world.state(under_way).await, MessageState::Sending);
}
