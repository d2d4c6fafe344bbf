//! Messages of others: kept with their events as they come, changed as Telegram changes them, each once, none passed over.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ambient::Ids;
use delivery::Steps;
use domain::account::AccountState;
use domain::message::{OnFlood, OutboundMessage};
use domain::outcome::SentIds;
use domain::text::FormattedText;
use domain::{
    ChatId, ChatRef, Contact, EventFilter, EventId, Keep, MessageId, MessageOrigin, MessageState, ReceivedId,
};
use sandbox::telegram::{ChatKind, FaultName, NewChat, NewMessage, NewRead, Reactions, Written};
use store::{
    Accept, Binding, Disk, GapChange, Missed, Origin, PageRead, PartSent, Queue, Store, StoredReceived,
    TakenUpdates, UpdateChange,
};
use telegram::Pool;

use crate::it::world::{
    World, chat_id, content, message_id, name, one_account, part, send, send_to, sent_id, state, until, view,
};

const ACCOUNT: &str = "backup_1";

fn write(world: &World, from: &str, chat: &str, text: &str) -> Written {
    let order = NewMessage {
        from: from.to_owned(),
        chat: chat.to_owned(),
        text: text.to_owned(),
        media: Vec::new(),
        album: None,
        buttons: Vec::new(),
        keyboard: Vec::new(),
        account: Some(ACCOUNT.to_owned()),
    };
    world.telegram().write(&order).expect("a message")
}

fn id(written: &Written) -> ReceivedId {
    let chat_id: ChatId = written.chat_id.parse().expect("a chat");
    ReceivedId::seen_by(chat_id, message_id(written.message_id), &name(ACCOUNT))
}

async fn found(store: &Store, written: &Written) -> Option<StoredReceived> {
    store.received().get(&id(written)).await.expect("readable")
}

/// Waits until what is kept of a message is so.
async fn until_stored(
    world: &World,
    written: &Written,
    is: impl Fn(&StoredReceived) -> bool,
) -> StoredReceived {
    let waiting = async {
        loop {
            match found(&world.store, written).await.filter(&is) {
                Some(stored) => return stored,
                None => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), waiting).await.expect("it is kept")
}

/// How many messages came in by the word of the events, each with an event of its own.
async fn received_count(store: &Store) -> usize {
    let filter =
        EventFilter { types: vec!["message.received".parse().expect("a type")], ..EventFilter::default() };
    let (mut at, mut all, mut ids) = (EventId::ZERO, 0, std::collections::HashSet::new());
    loop {
        let read = store.events().after(at, &filter, 1000).await.expect("readable");
        if read.up_to == at {
            assert_eq!(ids.len(), all, "a message has one event");
            return all;
        }
        at = read.up_to;
        all += read.events.len();
        ids.extend(read.events.into_iter().map(|event| event.data));
    }
}

async fn until_received(store: &Store, count: usize) {
    let waiting = async {
        while received_count(store).await < count {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(2), waiting).await.expect("all have events");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_stored_and_follows_its_changes() {
    let (world, pool) = one_account().await;
    let written = write(&world, "@client_1", "@demo_backup_1", "is anybody there?");
    let stored = until_stored(&world, &written, |_| true).await;
    assert_eq!((&*stored.message.text, stored.message.origin), ("is anybody there?", MessageOrigin::Person));
    assert!(stored.message.sender_name.is_some() && stored.message.edited_at.is_none());
    let edit =
        serde_json::from_value(serde_json::json!({"text": "hello?", "account": ACCOUNT})).expect("an edit");
    world.telegram().edit(&written.chat_id, written.message_id, &edit).expect("edited");
    until_stored(&world, &written, |stored| {
        &*stored.message.text == "hello?" && stored.message.edited_at.is_some()
    })
    .await;
    let reactions = Reactions { emojis: [("👍".to_owned(), 2)].into(), account: Some(ACCOUNT.to_owned()) };
    world.telegram().react(&written.chat_id, written.message_id, &reactions).expect("given");
    let stored = until_stored(&world, &written, |stored| !stored.message.reactions.is_empty()).await;
    let reaction = &stored.message.reactions[0];
    assert_eq!((reaction.emoji.as_deref(), reaction.count), (Some("👍"), 2));
    world.telegram().delete(&written.chat_id, written.message_id, Some(ACCOUNT)).expect("gone");
    until_stored(&world, &written, |stored| stored.deleted_at.is_some()).await;
    assert_eq!(received_count(&world.store).await, 1);
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unintroduced_peers_are_looked_up() {
    let world = World::new().await.only(&[ACCOUNT]);
    let earlier = write(&world, "@client_1", "@demo_backup_1", "hello");
    // Telegram takes them for known, and here no list of dialogs has named them yet.
    world.fault(ACCOUNT, FaultName::RpcError).method("messages.getDialogs").error(500, "INTERNAL").on();
    let pool = world.pool().await;
    world.update_state(ACCOUNT).await;
    let written = write(&world, "@client_1", "@demo_backup_1", "is anybody there?");
    let stored = until_stored(&world, &written, |_| true).await;
    assert!(stored.message.sender_name.is_some(), "{stored:?}");
    assert!(found(&world.store, &earlier).await.is_none(), "it came before the account was here");
    until("it is ready", || state(&pool, ACCOUNT).0 == domain::account::AccountState::Ready).await;
    let outcome = send_to(&pool, ACCOUNT, written.chat_id.parse().expect("a chat"), "yes", 1).await;
    assert_eq!(outcome.word(), "sent", "{outcome:?}");
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_from_the_phone_of_the_owner_are_distinguished() {
    let mut world = World::new().await.only(&[ACCOUNT]);
    world.settings.accounts[0].keep_messages = Keep::All;
    let pool = world.ready().await;
    // What goes out here is known by the answer.
    send(&pool, ACCOUNT, "@client_1", "from here", 1).await;
    send(&pool, ACCOUNT, &world.demo("Demo supergroup"), "from here too", 2).await;
    let by_hand = write(&world, ACCOUNT, "@client_1", "from a phone");
    let stored = until_stored(&world, &by_hand, |_| true).await;
    assert_eq!((stored.message.origin, &*stored.message.text), (MessageOrigin::Owner, "from a phone"));
    assert_eq!(received_count(&world.store).await, 1);
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rule_selects_the_stored_chats() {
    let group = |keep: Keep, stored_in_group: bool| async move {
        let mut world = World::new().await.only(&[ACCOUNT]);
        world.settings.accounts[0].keep_messages = keep;
        let supergroup = world.demo("Demo supergroup");
        let pool = world.ready().await;
        let in_group = write(&world, "@client_1", &supergroup, "to all");
        let private = write(&world, "@client_1", "@demo_backup_1", "stop");
        until("both came", || view(&pool, ACCOUNT).updates.received >= 2).await;
        pool.stop(Duration::from_secs(5)).await;
        let are_stored =
            (found(&world.store, &in_group).await.is_some(), found(&world.store, &private).await.is_some());
        assert_eq!(are_stored, (stored_in_group, keep != Keep::None), "{keep:?}");
        let person = Contact::ChatId(private.chat_id.parse().expect("a chat"));
        let entry = world.store.do_not_contact().find(&person).await.expect("reads");
        assert!(entry.is_some(), "{keep:?}: who opts out is listed, whatever is kept");
    };
    group(Keep::All, true).await;
    group(Keep::Registered, false).await;
    group(Keep::None, false).await;
    // A chat that is sent to is one of ours from then on.
    let (world, pool) = one_account().await;
    let supergroup = world.demo("Demo supergroup");
    let chat_id = supergroup.parse().expect("a chat");
    let bound = domain::saga::RegistryChange::Bound { chat_id, account: name(ACCOUNT) };
    pool.registered(&bound);
    let in_group = write(&world, "@client_1", &supergroup, "to all");
    until_stored(&world, &in_group, |_| true).await;
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_pauses_without_disk_space_and_loses_nothing() {
    const MB: u64 = 1 << 20;
    let free = Arc::new(AtomicU64::new(1000 * MB));
    let disk = Disk::default().with_free_space({
        let free = Arc::clone(&free);
        move |_| Ok(free.load(Ordering::Relaxed))
    });
    let world = World::on_disk(disk).await.only(&[ACCOUNT]);
    let pool = world.ready().await;
    let before = world.update_state(ACCOUNT).await.pts;
    free.store(10 * MB, Ordering::Relaxed);
    world.clock.advance(Duration::from_secs(1));
    for number in 0..1_500 {
        write(&world, "@client_1", "@demo_backup_1", &number.to_string());
    }
    until("some came", || view(&pool, ACCOUNT).updates.received > 0).await;
    assert_eq!((received_count(&world.store).await, world.update_state(ACCOUNT).await.pts), (0, before));
    // The program ends meanwhile: what was read and not kept is asked for again.
    pool.stop(Duration::from_secs(5)).await;
    let pool = world.pool().await;
    free.store(1000 * MB, Ordering::Relaxed);
    let going = async {
        loop {
            world.clock.advance(Duration::from_millis(250));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        () = going => {}
        () = until_received(&world.store, 1_500) => {}
    }
    assert_eq!(received_count(&world.store).await, 1_500);
    assert_eq!(view(&pool, ACCOUNT).updates.missed, 0);
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_five_thousand_is_stored_once_each() {
    let (world, pool) = one_account().await;
    for number in 0..5_000 {
        let client = if number % 2 == 0 { "@client_1" } else { "@client_2" };
        write(&world, client, "@demo_backup_1", &number.to_string());
    }
    until_received(&world.store, 5_000).await;
    assert_eq!(received_count(&world.store).await, 5_000);
    assert_eq!(view(&pool, ACCOUNT).updates.missed, 0);
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_album_that_comes_around_a_stop_is_whole() {
    let (world, pool) = one_account().await;
    let file = |content: &str| serde_json::json!({"kind": "document", "content": content});
    let order = serde_json::json!({"from": "@client_1", "chat": "@demo_backup_1", "text": "four",
        "media": [file("AAAA"), file("BBBB"), file("CCCC"), file("DDDD")]});
    let album = world.telegram().write(&serde_json::from_value(order).expect("an order")).expect("an album");
    // It stops as soon as the first of them is there.
    let one = |message_id| Written { message_id, message_ids: Vec::new(), chat_id: album.chat_id.clone() };
    until_stored(&world, &one(album.message_ids[0]), |_| true).await;
    pool.stop(Duration::from_secs(5)).await;
    let pool = world.pool().await;
    let mut groups = std::collections::HashSet::new();
    for message_id in &album.message_ids {
        let stored = until_stored(&world, &one(*message_id), |_| true).await;
        assert_eq!(stored.message.media.map(|media| media.kind).as_deref(), Some("document"));
        groups.insert(stored.message.album.expect("of an album"));
    }
    assert_eq!((groups.len(), received_count(&world.store).await), (1, 4));
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_chat_leaves_its_stored_messages() {
    let mut world = World::new().await.only(&[ACCOUNT]);
    world.settings.accounts[0].keep_messages = Keep::All;
    let pool = world.ready().await;
    let supergroup = world.demo("Demo supergroup");
    let written = write(&world, "@client_1", &supergroup, "to all");
    until_stored(&world, &written, |_| true).await;
    world.telegram().close_chat(&supergroup).expect("closed");
    let private = write(&world, "@client_1", "@demo_backup_1", "still there?");
    until_stored(&world, &private, |_| true).await;
    let pool = world.restarted(&pool).await;
    let private = write(&world, "@client_1", "@demo_backup_1", "and now?");
    until_stored(&world, &private, |_| true).await;
    assert!(found(&world.store, &written).await.is_some_and(|stored| stored.deleted_at.is_none()));
    world.end(&pool).await;
}

/// Lets time go by until so many messages have events.
pub(crate) async fn filled(world: &World, count: usize) {
    let mut newest = world.store.events().newest();
    let going = async {
        loop {
            world.clock.advance(Duration::from_secs(1));
            // At most: a page more is worth going on at once.
            let _ = tokio::time::timeout(Duration::from_millis(100), newest.changed()).await;
        }
    };
    tokio::select! {
        () = going => {}
        () = until_received(&world.store, count) => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_missed_messages_are_read_from_the_history() {
    let (world, pool) = one_account().await;
    let before = write(&world, "@client_1", "@demo_backup_1", "on Friday");
    until_stored(&world, &before, |_| true).await;
    pool.stop(Duration::from_secs(5)).await;
    let mut last = None;
    for number in 0..9_990 {
        last = Some(write(&world, "@client_1", "@demo_backup_1", &number.to_string()));
    }
    write(&world, "@client_2", "@demo_backup_1", "one more");
    world.clock.advance(Duration::from_hours(60));
    let pool = world.pool().await;
    filled(&world, 3_000).await;
    // It ends on the way, and goes on where it was.
    pool.stop(Duration::from_secs(5)).await;
    let read = world.calls(ACCOUNT, "messages.getHistory");
    let pool = world.pool().await;
    filled(&world, 9_992).await;
    assert_eq!(received_count(&world.store).await, 9_992);
    assert_eq!(&*found(&world.store, &last.expect("one")).await.expect("kept").message.text, "9989");
    let calls = world.calls(ACCOUNT, "messages.getHistory");
    assert!(read >= 30 && calls <= 110, "{read}, {calls}");
    let drained = async {
        while !world.store.received().gaps(&name(ACCOUNT)).await.expect("readable").is_empty() {
            world.clock.advance(Duration::from_secs(1));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), drained).await.expect("nothing is left");
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gaps_in_a_history_are_listed() {
    let (world, pool) = one_account().await;
    pool.stop(Duration::from_secs(5)).await;
    write(&world, "@client_1", "@demo_backup_1", "while away");
    world.clock.advance(Duration::from_hours(60));
    let refused = world.fault(ACCOUNT, FaultName::RpcError).method("messages.getHistory");
    refused.error(400, "CHANNEL_PRIVATE").on();
    let pool = world.pool().await;
    assert_eq!(listed(&world).await, "CHANNEL_PRIVATE");
    assert_eq!(received_count(&world.store).await, 0);
    world.end(&pool).await;
}

/// Why something that was missed is not read.
async fn listed(world: &World) -> String {
    let listed = async {
        loop {
            let gaps = world.store.received().gaps(&name(ACCOUNT)).await.expect("readable");
            if let Some(why) = gaps.into_iter().find_map(|gap| gap.failure) {
                return why;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), listed).await.expect("it is listed")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_is_read_up_to_a_bound_and_the_rest_is_listed() {
    let (world, pool) = one_account().await;
    let before = write(&world, "@client_1", "@demo_backup_1", "on Friday");
    until_stored(&world, &before, |_| true).await;
    pool.stop(Duration::from_secs(5)).await;
    write(&world, "@client_1", "@demo_backup_1", "while away");
    // As many of this chat are read already as ever are.
    let (chat_id, account) = (id(&before).chat_id(), name(ACCOUNT));
    let received = world.store.received();
    let gap = GapChange::Chats { chats: vec![chat_id], since: world.clock.now(), failure: None };
    received.change_gap(&account, gap).await.expect("written");
    let page = PageRead { chat_id, reached: Some(message_id(before.message_id)), messages: 50_000 };
    let taken = TakenUpdates { page: Some(page), ..TakenUpdates::new(account) };
    received.take(taken).await.expect("taken");
    let pool = world.pool().await;
    assert_eq!(listed(&world).await, "there are more messages than are read");
    assert_eq!(world.calls(ACCOUNT, "messages.getHistory"), 0);
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dialogs_are_looked_through_up_to_a_bound_which_is_listed() {
    let (world, pool) = one_account().await;
    pool.stop(Duration::from_secs(5)).await;
    let missed = vec![Missed { channel: None, since: world.clock.now() }];
    let taken = TakenUpdates { missed, ..TakenUpdates::new(name(ACCOUNT)) };
    world.store.received().take(taken).await.expect("taken");
    let order = NewChat {
        kind: ChatKind::Supergroup,
        title: "New".to_owned(),
        creator: "@client_1".to_owned(),
        members: vec![ACCOUNT.to_owned()],
    };
    for _ in 0..5_000 {
        world.telegram().quietly().make_chat(&order).expect("made");
    }
    // Nothing but the dialogs mentions them.
    world.fault(ACCOUNT, FaultName::RpcError).method("updates.getDifference").error(500, "INTERNAL").on();
    world.telegram().clear_calls();
    let pool = world.pool().await;
    let going = async {
        loop {
            world.clock.advance(Duration::from_secs(1));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let why = tokio::select! {
        () = going => String::new(),
        why = listed(&world) => why,
    };
    assert_eq!(why, "there are more dialogs than are looked through");
    assert!(world.calls(ACCOUNT, "messages.getDialogs") >= 50);
    world.end(&pool).await;
}

/// What arrives while a difference is owed has a counter past what the difference would bring.
#[tokio::test(flavor = "multi_thread")]
async fn a_difference_that_a_cut_ends_is_asked_for_again() {
    let (world, pool) = one_account().await;
    let write = |text: &str| write(&world, "@client_1", "@demo_backup_1", text);
    until_stored(&world, &write("one"), |_| true).await;
    pool.stop(Duration::from_secs(5)).await;
    for text in ["while away 1", "while away 2"] {
        write(text);
    }
    world.telegram().clear_calls();
    world.fault(ACCOUNT, FaultName::RpcError).method("updates.getDifference").error(500, "INTERNAL").on();
    let pool = world.pool().await;
    until("the difference is asked for", || world.calls(ACCOUNT, "updates.getDifference") > 0).await;
    write("live");
    world.fault(ACCOUNT, FaultName::DisconnectBefore).any_method().on();
    assert_eq!(sent_id(send(&pool, ACCOUNT, "@client_1", "cut", 1).await), None);
    until("the account is away", || state(&pool, ACCOUNT).0 != AccountState::Ready).await;
    for _ in 0..10 {
        world.clock.advance(Duration::from_secs(1));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    pool.stop(Duration::from_secs(5)).await;
    world.telegram().clear_faults();
    let pool = world.pool().await;
    until_received(&world.store, 4).await;
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_followed_supergroup_is_queried_at_the_start() {
    let mut world = World::new().await.only(&[ACCOUNT]);
    world.settings.accounts[0].keep_messages = Keep::All;
    let pool = world.ready().await;
    let supergroup = world.demo("Demo supergroup");
    let written = write(&world, "@client_1", &supergroup, "one");
    until_stored(&world, &written, |_| true).await;
    pool.stop(Duration::from_secs(5)).await;
    let away = write(&world, "@client_1", &supergroup, "while away");
    // An absence after which the difference is not asked for.
    world.clock.advance(Duration::from_hours(60));
    let pool = world.pool().await;
    until_stored(&world, &away, |_| true).await;
    assert_eq!(received_count(&world.store).await, 2);
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supergroup_that_is_not_stored_is_not_queried() {
    let (world, pool) = one_account().await;
    pool.stop(Duration::from_secs(5)).await;
    let supergroup: ChatId = world.demo("Demo supergroup").parse().expect("a chat");
    let counter = UpdateChange::Channel { id: supergroup.bare(), pts: 1 };
    let taken = TakenUpdates { state: vec![counter], ..TakenUpdates::new(name(ACCOUNT)) };
    world.store.received().take(taken).await.expect("taken");
    let pool = world.pool().await;
    // By the second one the moment to ask has passed.
    for text in ["one", "two"] {
        let private = write(&world, "@client_1", "@demo_backup_1", text);
        until_stored(&world, &private, |_| true).await;
    }
    assert_eq!(world.update_state(ACCOUNT).await.channels, [(supergroup.bare(), 1)]);
    assert_eq!(world.calls(ACCOUNT, "updates.getChannelDifference"), 0);
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supergroup_beyond_its_difference_is_read_from_history() {
    let mut world = World::new().await.only(&[ACCOUNT]);
    world.settings.accounts[0].keep_messages = Keep::All;
    let pool = world.ready().await;
    let supergroup = world.demo("Demo supergroup");
    let before = write(&world, "@client_1", &supergroup, "on Friday");
    until_stored(&world, &before, |_| true).await;
    pool.stop(Duration::from_secs(5)).await;
    let away = ["one", "two", "three"].map(|text| write(&world, "@client_1", &supergroup, text));
    // Telegram has forgotten what came behind this counter.
    let counter = UpdateChange::Channel { id: id(&before).chat_id().bare(), pts: 1 };
    let taken = TakenUpdates { state: vec![counter], ..TakenUpdates::new(name(ACCOUNT)) };
    world.store.received().take(taken).await.expect("taken");
    let pool = world.pool().await;
    for written in &away {
        until_stored(&world, written, |_| true).await;
    }
    assert!(world.calls(ACCOUNT, "messages.getHistory") > 0);
    assert!(received_count(&world.store).await >= 4, "each has its event");
    world.end(&pool).await;
}

/// Sends a text, which is in the outbox as the delivery leaves it.
async fn sent_from_outbox(world: &World, pool: &Pool, to: &str, random_id: i64) -> MessageId {
    let chat_id = chat_id(pool, ACCOUNT, to).await;
    let number = sent_id(send_to(pool, ACCOUNT, chat_id, "hello", random_id).await);
    let (id, at) = (MessageId::from_uuid(Ids::new(world.clock.clone()).next()), world.clock.now());
    let message = OutboundMessage {
        id,
        chat: ChatRef::Id(chat_id),
        address: Some(chat_id.into()),
        pin: None,
        account: Some(name(ACCOUNT)),
        content: content("hello"),
        parts: vec![part(FormattedText::plain("hello"), random_id)],
        state: MessageState::Sending,
        failure: None,
        on_flood: OnFlood::Wait,
        send_at: None,
        created_at: at,
        updated_at: at,
    };
    let origin = Origin { listener: "v1".into(), api_key: None, address: None };
    let accept = Accept { message, origin, idempotency: None, join: None, queue: Queue::Pool };
    world.store.outbox().accept(accept).await.expect("taken in");
    let sent = PartSent {
        id,
        part: 0,
        is_only: true,
        account: name(ACCOUNT),
        address: chat_id.into(),
        message_ids: SentIds::one(number),
        binding: Binding::Unchanged,
        counted: false,
        repeatable: true,
        at,
    };
    world.store.outbox().part_sent(sent).await.expect("written");
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_by_a_customer_are_events_under_any_rule() {
    let mut world = World::new().await.only(&[ACCOUNT]);
    world.settings.accounts[0].keep_messages = Keep::None;
    let pool = world.ready().await;
    let (supergroup, group) = (world.demo("Demo supergroup"), world.demo("Demo group"));
    let chats = [("@client_1", "@demo_backup_1"), (&*supergroup, &*supergroup), (&*group, &*group)];
    for (random_id, (to, chat_id_of_reader)) in (1..).zip(chats) {
        let id = sent_from_outbox(&world, &pool, to, random_id).await;
        let order = NewRead { from: "@client_1".to_owned(), chat: chat_id_of_reader.to_owned() };
        world.telegram().read(&order).expect("read");
        let waiting = async {
            loop {
                let message = world.store.outbox().get(id).await.expect("readable").expect("there");
                if message.state == MessageState::Read {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), waiting).await.expect("it is read");
    }
    let filter =
        EventFilter { types: vec!["message.read".parse().expect("a type")], ..EventFilter::default() };
    let read = world.store.events().after(EventId::ZERO, &filter, 1000).await.expect("readable");
    assert_eq!(read.events.len(), 3, "once each");
    world.end(&pool).await;
}
