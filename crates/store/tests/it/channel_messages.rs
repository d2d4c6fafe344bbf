//! What comes in through channels: each message once, with its event, in the conversation of its chat.

use std::time::Duration;

use domain::message::OutboundMessage;
use domain::received_message::Reaction;
use domain::secret::ExposeSecret;
use domain::{
    AccountName, Address, ChannelChat, ChannelName, ChatRef, EventFilter, EventId, ExternalChat,
    GivenReactions, InboundChange, InboundEvent, InboundKind, InboundMedia, InboundMessage, MessageOrigin,
    MessageRef, MessageState, ProviderId, Timestamp,
};
use store::{
    Begin, ChannelConversationMessage, ChannelTaken, ConversationStart, FetchedInboundFile, InboundFile,
    InboundFileId, InboundFilter, Page, PartSent, StoredInboundFile, TakenFromChannel,
};

use crate::support::{World, accept, account, begun, conformance};

conformance! {
    a_message_comes_in_once_with_its_event,
    an_edit_and_a_deletion_change_the_message,
    changes_before_a_message_are_applied_with_it,
    reactions_change_the_message_of_either_side,
    own_messages_are_recognized_once_the_send_is_over,
    a_conversation_has_both_directions_in_order,
    cursors_and_values_outlive_the_program,
    undelivered_messages_have_failed_unless_they_arrived,
    a_failure_before_the_outcome_is_stored_until_then,
    a_file_is_wanted_until_it_is_stored_or_unavailable,
    files_of_channels_go_with_their_messages,
    chats_are_listed_by_when_their_customer_wrote_last,
    the_last_sent_and_the_waiting_messages_are_found,
    times_that_no_clock_can_have_said_are_not_stored,
}

fn channel() -> ChannelName {
    "avito".parse().unwrap()
}

fn shop() -> AccountName {
    account("shop")
}

fn chat() -> ExternalChat {
    ExternalChat::new("u2i-1").unwrap()
}

fn address() -> ChannelChat {
    ChannelChat { channel: channel(), account: shop(), chat: chat() }
}

pub(crate) fn written(world: &World, id: &str, text: &str) -> InboundMessage {
    InboundMessage {
        user: Some("2000002".to_owned()),
        name: Some("Anna".to_owned()),
        media: vec![InboundMedia::at(InboundKind::Image, "https://example.com/a.jpg")],
        ..InboundMessage::private(chat(), id, text, world.now())
    }
}

fn event(key: &str, change: InboundChange) -> InboundEvent {
    InboundEvent { key: key.to_owned(), change }
}

pub(crate) fn arrived(message: InboundMessage) -> InboundEvent {
    event(&format!("new {}", message.external_id), InboundChange::Message(Box::new(message)))
}

pub(crate) async fn take(world: &World, events: Vec<InboundEvent>) -> ChannelTaken {
    let taken =
        TakenFromChannel { channel: channel(), account: shop(), events, cursor: None, stores_files: true };
    world.store.channels().take(taken).await.unwrap()
}

async fn events(world: &World) -> Vec<String> {
    let read = world.store.events().after(EventId::ZERO, &EventFilter::default(), 100).await.unwrap();
    let of_messages = read.events.into_iter().filter(|event| event.kind.as_str().starts_with("message."));
    of_messages.map(|event| event.kind.as_str().to_owned()).collect()
}

fn page() -> Page {
    Page { limit: 50, cursor: None }
}

async fn a_message_comes_in_once_with_its_event(world: World) {
    let message = written(&world, "m-1", "Есть в наличии?");
    let taken = take(&world, vec![arrived(message.clone()), arrived(message.clone())]).await;
    assert_eq!((taken.new.len(), taken.repeated, taken.conflicts.len()), (1, 1, 0));
    let other = arrived(InboundMessage { text: "And today?".into(), ..message.clone() });
    assert_eq!(take(&world, vec![other]).await.conflicts.len(), 1, "another message with its id");
    let elsewhere = InboundMessage { chat: ExternalChat::new("u2i-2").unwrap(), ..message.clone() };
    assert_eq!(take(&world, vec![arrived(elsewhere)]).await.conflicts.len(), 1, "its id in another chat");
    let other = InboundMessage { text: "And today?".into(), ..message.clone() };
    let other = event("third key", InboundChange::Message(Box::new(other)));
    let taken_again = take(&world, vec![other]).await;
    assert_eq!((taken_again.new, taken_again.conflicts.len()), (Vec::new(), 1), "its id under another key");
    let again = event("another key", InboundChange::Message(Box::new(message.clone())));
    let taken_again = take(&world, vec![again]).await;
    assert_eq!((taken_again.new, taken_again.conflicts.len()), (Vec::new(), 0));
    let stored = world.store.channels().get(taken.new[0]).await.unwrap().unwrap();
    assert_eq!((stored.message, stored.address), (message, address()));
    assert_eq!(events(&world).await, ["message.received"]);
    let known = world.store.channels().chat(&address()).await.unwrap().unwrap();
    assert_eq!((known.name.as_deref(), known.last_in_at.is_some()), (Some("Anna"), true));
    let filter = InboundFilter { text: Some("НАЛИЧИИ".to_owned()), ..InboundFilter::default() };
    assert_eq!(world.store.channels().list(&filter, &page()).await.unwrap().items.len(), 1);
    let other = InboundFilter { account: Some(account("other")), ..InboundFilter::default() };
    assert!(world.store.channels().list(&other, &page()).await.unwrap().items.is_empty());
}

async fn times_that_no_clock_can_have_said_are_not_stored(world: World) {
    let far = [1 << 62, -(1 << 62), i64::MAX, i64::MIN, 0, -1, 1_893_456_000].map(Timestamp::from_micros);
    for (number, at) in far.into_iter().enumerate() {
        let (id, before) = (format!("m-{number}"), world.now());
        let message = InboundMessage { sent_at: at, ..written(&world, &id, "a") };
        let taken = take(&world, vec![arrived(message)]).await;
        let edited = InboundChange::Edited { external_id: id.clone(), text: "b".into(), at };
        let deleted = InboundChange::Deleted { external_id: id.clone(), at };
        let can = InboundChange::Reachable { chat: chat(), can: false, at };
        let more = [("e", edited), ("d", deleted), ("r", can)];
        take(&world, more.map(|(key, change)| event(&format!("{key}{id}"), change)).into()).await;
        let stored = world.store.channels().get(taken.new[0]).await.unwrap().unwrap();
        let known = world.store.channels().chat(&address()).await.unwrap().unwrap();
        let times = [Some(stored.message.sent_at), stored.edited_at, stored.deleted_at, known.unreachable_at];
        for time in times {
            let time = time.expect("a time");
            assert!(before <= time && time <= world.now(), "{at}: {time}");
        }
    }
}

async fn an_edit_and_a_deletion_change_the_message(world: World) {
    let id = take(&world, vec![arrived(written(&world, "m-1", "a"))]).await.new[0];
    let at = world.now().plus(Duration::from_secs(1));
    let edited = InboundChange::Edited { external_id: "m-1".to_owned(), text: "b".into(), at };
    let deleted = InboundChange::Deleted { external_id: "m-1".to_owned(), at };
    let unknown = InboundChange::Deleted { external_id: "m-9".to_owned(), at };
    take(
        &world,
        vec![event("e", edited.clone()), event("e2", edited), event("d", deleted), event("u", unknown)],
    )
    .await;
    let stored = world.store.channels().get(id).await.unwrap().unwrap();
    assert_eq!(
        (stored.message.text.as_str(), stored.edited_at, stored.deleted_at),
        ("b", Some(at), Some(at))
    );
    assert_eq!(events(&world).await, ["message.received", "message.edited", "message.deleted"]);
}

async fn changes_before_a_message_are_applied_with_it(world: World) {
    let at = |seconds| world.now().plus(Duration::from_secs(seconds));
    let (first, last) = (at(1), at(2));
    let edited = |id: &str, text: &str, at| {
        let change = InboundChange::Edited { external_id: id.to_owned(), text: text.into(), at };
        event(&format!("edit {id} {text}"), change)
    };
    let deleted = InboundChange::Deleted { external_id: "m-1".to_owned(), at: last };
    let given = |user: &str| GivenReactions {
        user: user.to_owned(),
        reactions: vec![Reaction::emoji("👍")],
        at: first,
    };
    let reacted = |user: &str| InboundChange::Reacted { external_id: "m-1".to_owned(), given: given(user) };
    let early = vec![
        edited("m-1", "the last", last),
        edited("m-1", "an earlier one", first),
        event("reaction", reacted("2")),
        event("deletion", deleted),
        edited("m-2", "new", last),
        edited("m-3", "forgotten", first),
    ];
    take(&world, early.clone()).await;
    assert_eq!(take(&world, early).await.repeated, 6);
    assert_eq!(events(&world).await, [""; 0]);

    let message = written(&world, "m-1", "as it was written");
    let id = take(&world, vec![arrived(message.clone()), arrived(message)]).await.new[0];
    let stored = world.store.channels().get(id).await.unwrap().unwrap();
    assert_eq!(
        (stored.message.text.as_str(), stored.edited_at, stored.deleted_at),
        ("the last", Some(last), Some(last))
    );
    assert_eq!(stored.reactions.counted(), [Reaction::emoji("👍")]);
    assert_eq!(events(&world).await, ["message.received", "message.edited", "message.deleted"]);

    // Another message is as it was edited, and what is late changes it as ever.
    let id = take(&world, vec![arrived(written(&world, "m-2", "old"))]).await.new[0];
    take(&world, vec![edited("m-2", "older", first)]).await;
    assert_eq!(world.store.channels().get(id).await.unwrap().unwrap().message.text.as_str(), "new");

    world.clock.advance(Duration::from_hours(8 * 24));
    world.store.sweep().await.unwrap();
    let id = take(&world, vec![arrived(written(&world, "m-3", "as it is"))]).await.new[0];
    assert_eq!(world.store.channels().get(id).await.unwrap().unwrap().message.text.as_str(), "as it is");
}

async fn reactions_change_the_message_of_either_side(world: World) {
    let id = take(&world, vec![arrived(written(&world, "m-1", "a"))]).await.new[0];
    let sending = ours(&world);
    let sent_id = sending.id;
    let outbox = world.store.outbox();
    outbox.accept(accept(sending)).await.unwrap();
    let begin = Begin { account: shop(), address: Address::Channel(address()), ..world.begin(sent_id, 0) };
    outbox.begin(begin).await.unwrap();
    let sent = PartSent {
        account: shop(),
        address: Address::Channel(address()),
        message_ids: [Some("m-2")].into_iter().collect(),
        binding: store::Binding::IfUnbound,
        ..world.sent(sent_id, 0)
    };
    outbox.part_sent(sent).await.unwrap();
    let reacts = |key: &str, external_id: &str, user: &str, emoji: &[&str], seconds: u64| {
        let given = GivenReactions {
            user: user.to_owned(),
            reactions: emoji.iter().copied().map(Reaction::emoji).collect(),
            at: world.now().plus(Duration::from_secs(seconds)),
        };
        event(key, InboundChange::Reacted { external_id: external_id.to_owned(), given })
    };
    let before = events(&world).await;
    let changes = vec![
        reacts("1", "m-1", "anna", &["❤"], 1),
        reacts("1", "m-1", "anna", &["❤"], 1),
        reacts("2", "m-1", "ivan", &["❤"], 2),
        reacts("3", "m-2", "anna", &["👍"], 2),
        reacts("4", "m-9", "anna", &["👍"], 2),
    ];
    assert_eq!(take(&world, changes).await, ChannelTaken { repeated: 1, ..ChannelTaken::default() });
    let of_theirs = || async { world.store.channels().get(id).await.unwrap().unwrap().reactions.counted() };
    assert_eq!(of_theirs().await, [Reaction { count: 2, ..Reaction::emoji("❤") }]);
    let [of_ours] = &outbox.reactions(sent_id).await.unwrap()[..] else { panic!() };
    assert_eq!(of_ours.counted(), [Reaction::emoji("👍")]);
    // One is taken back, which comes before what was given earlier.
    take(&world, vec![reacts("5", "m-1", "anna", &[], 5), reacts("6", "m-1", "anna", &["🔥"], 4)]).await;
    assert_eq!(of_theirs().await, [Reaction::emoji("❤")]);
    assert_eq!(events(&world).await, before, "no event, as with Telegram");
}

fn ours(world: &World) -> OutboundMessage {
    let mut message = world.message(1);
    (message.chat, message.address) = (ChatRef::Channel(address()), Some(Address::Channel(address())));
    OutboundMessage { account: Some(shop()), ..begun(message) }
}

async fn own_messages_are_recognized_once_the_send_is_over(world: World) {
    let outbox = world.store.outbox();
    let sending = ours(&world);
    let id = sending.id;
    outbox.accept(accept(sending)).await.unwrap();
    outbox
        .begin(Begin { account: shop(), address: Address::Channel(address()), ..world.begin(id, 0) })
        .await
        .unwrap();
    let own = |id: &str| {
        arrived(InboundMessage { origin: MessageOrigin::Owner, ..written(&world, id, "an answer") })
    };
    let taken = take(&world, vec![own("m-1"), own("m-2")]).await;
    assert_eq!((taken.new.len(), taken.unsettled), (0, 2), "a send is under way");
    let sent = PartSent {
        account: shop(),
        address: Address::Channel(address()),
        message_ids: [Some("m-1")].into_iter().collect(),
        binding: store::Binding::IfUnbound,
        ..world.sent(id, 0)
    };
    let last_sent = || async { world.store.channels().last_sent(&channel(), &shop()).await.unwrap() };
    assert!(last_sent().await.is_empty());
    outbox.part_sent(sent).await.unwrap();
    assert_eq!(last_sent().await, ["m-1"]);
    let settled = take(&world, Vec::new()).await;
    assert_eq!((settled.new.len(), settled.unsettled), (1, 0));
    let stored = world.store.channels().get(settled.new[0]).await.unwrap().unwrap();
    assert_eq!((stored.message.external_id.as_str(), stored.message.origin), ("m-2", MessageOrigin::Owner));
}

async fn a_conversation_has_both_directions_in_order(world: World) {
    let first = take(&world, vec![arrived(written(&world, "m-1", "one"))]).await.new[0];
    let sending = ours(&world);
    let id = sending.id;
    let outbox = world.store.outbox();
    outbox.accept(accept(sending)).await.unwrap();
    outbox
        .begin(Begin { account: shop(), address: Address::Channel(address()), ..world.begin(id, 0) })
        .await
        .unwrap();
    let sent = PartSent {
        account: shop(),
        address: Address::Channel(address()),
        message_ids: [Some("m-2")].into_iter().collect(),
        binding: store::Binding::IfUnbound,
        ..world.sent(id, 0)
    };
    outbox.part_sent(PartSent { at: world.now().plus(Duration::from_millis(1)), ..sent }).await.unwrap();
    let channels = world.store.channels();
    let read = |start| channels.conversation(address(), start, None, &Page { limit: 1, cursor: None });
    let newest = read(ConversationStart::Newest).await.unwrap();
    assert!(matches!(&newest.items[..], [ChannelConversationMessage::Sent(message)] if message.id == id));
    let before = read(ConversationStart::Before(MessageRef::Sent(id))).await.unwrap();
    assert!(
        matches!(&before.items[..], [ChannelConversationMessage::Received(stored)] if stored.id == first)
    );
    let after = read(ConversationStart::After(MessageRef::Inbound(first))).await.unwrap();
    assert!(matches!(&after.items[..], [ChannelConversationMessage::Sent(_)]));
    let text = Some("one".to_owned());
    let found = channels.conversation(address(), ConversationStart::Newest, text, &page()).await.unwrap();
    assert_eq!(found.items.len(), 1);
    assert_eq!(channels.unread(&address(), world.now().plus(Duration::from_secs(9))).await.unwrap(), ["m-2"]);
}

async fn cursors_and_values_outlive_the_program(world: World) {
    let channels = world.store.channels();
    assert_eq!(channels.cursor(&channel(), &shop()).await.unwrap(), None);
    for cursor in ["17", "18"] {
        let cursor = Some(cursor.to_owned());
        let taken = TakenFromChannel {
            channel: channel(),
            account: shop(),
            events: Vec::new(),
            cursor,
            stores_files: true,
        };
        channels.take(taken).await.unwrap();
    }
    assert_eq!(channels.cursor(&channel(), &shop()).await.unwrap().as_deref(), Some("18"));
    let values =
        |token: &str| vec![("token".to_owned(), token.to_owned().into()), ("b".to_owned(), "c".into())];
    channels.keep_values(channel(), shop(), values("one")).await.unwrap();
    channels.keep_values(channel(), shop(), values("two")).await.unwrap();
    let kept = channels.values(&channel(), &shop()).await.unwrap();
    assert_eq!((kept.len(), kept["token"].expose_secret()), (2, "two"));
    assert!(channels.values(&channel(), &account("other")).await.unwrap().is_empty());
}

async fn undelivered_messages_have_failed_unless_they_arrived(world: World) {
    let outbox = world.store.outbox();
    for (provider_id, arrives, state) in
        [("m-1", false, MessageState::Failed), ("m-2", true, MessageState::Delivered)]
    {
        let sending = ours(&world);
        let id = sending.id;
        outbox.accept(accept(sending)).await.unwrap();
        let begin = Begin { account: shop(), address: Address::Channel(address()), ..world.begin(id, 0) };
        outbox.begin(begin).await.unwrap();
        let sent = PartSent {
            account: shop(),
            address: Address::Channel(address()),
            message_ids: [Some(provider_id)].into_iter().collect(),
            binding: store::Binding::IfUnbound,
            ..world.sent(id, 0)
        };
        outbox.part_sent(sent).await.unwrap();
        let (provider_id, at): (ProviderId, Timestamp) = (provider_id.into(), world.now());
        if arrives {
            let (channel, account, provider_id) = (channel(), shop(), provider_id.clone());
            let state = store::ReceiptState::Delivered;
            outbox.receipt(store::Receipt { channel, account, provider_id, state, at }).await.unwrap();
        }
        let reported =
            outbox.undelivered(channel(), shop(), provider_id, "no such number".to_owned(), at).await;
        assert_eq!(reported, Ok(Some(id)));
        assert_eq!(world.state(id).await, state);
    }
}

async fn a_failure_before_the_outcome_is_stored_until_then(world: World) {
    let outbox = world.store.outbox();
    let mut sending = world.message(2);
    (sending.chat, sending.address) = (ChatRef::Channel(address()), Some(Address::Channel(address())));
    let sending = OutboundMessage { account: Some(shop()), ..begun(sending) };
    let id = sending.id;
    outbox.accept(accept(sending)).await.unwrap();
    let at = world.now();
    let fails = |id: &str| outbox.undelivered(channel(), shop(), id.into(), "no such number".to_owned(), at);
    // Of a message that is not sent here nothing follows.
    assert_eq!(fails("m-9").await, Ok(None));
    for (part, provider_id) in [(0, "m-1"), (1, "m-2")] {
        let begin = Begin { account: shop(), address: Address::Channel(address()), ..world.begin(id, part) };
        outbox.begin(begin).await.unwrap();
        if part == 0 {
            assert_eq!(fails("m-1").await, Ok(None), "its outcome is not stored");
        }
        let sent = PartSent {
            account: shop(),
            address: Address::Channel(address()),
            message_ids: [Some(provider_id)].into_iter().collect(),
            binding: store::Binding::IfUnbound,
            is_only: false,
            ..world.sent(id, part)
        };
        outbox.part_sent(sent).await.unwrap();
        if part == 0 {
            assert!(!world.state(id).await.is_final(), "the other part leaves");
        }
    }
    assert_eq!(world.state(id).await, MessageState::Failed);
    let steps = outbox.timeline(id).await.unwrap();
    assert_eq!(steps.last().and_then(|entry| entry.detail.as_deref()), Some("no such number"));
}

async fn wanted(world: &World) -> Vec<(InboundFileId, u32)> {
    let wanted = world.store.channels().wanted_files(&channel(), &shop(), 10).await.unwrap();
    wanted.into_iter().map(|file| (file.id, file.tries)).collect()
}

fn stored_file(number: u8) -> StoredInboundFile {
    StoredInboundFile {
        key: format!("file_{number:032}").parse().unwrap(),
        sha256: domain::media::Sha256([number; 32]),
        mime: Some("image/jpeg".to_owned()),
    }
}

async fn a_file_is_wanted_until_it_is_stored_or_unavailable(world: World) {
    let channels = world.store.channels();
    let four = InboundMessage {
        media: vec![InboundMedia::at(InboundKind::Image, "https://example.com/a.jpg"); 4],
        ..written(&world, "m-1", "see here")
    };
    let id = take(&world, vec![arrived(four.clone())]).await.new[0];
    let file = |place| InboundFileId { message: id, place };
    let all = [(file(0), 0), (file(1), 0), (file(2), 0), (file(3), 0)];
    assert_eq!(wanted(&world).await, all);
    let later = world.now().plus(Duration::from_mins(1));
    let stored = FetchedInboundFile::Stored(stored_file(1));
    for (place, fetched) in [
        (0, FetchedInboundFile::PutOff { tries: 1, due_at: later }),
        (1, stored.clone()),
        (2, FetchedInboundFile::Gone("404".to_owned())),
        (3, FetchedInboundFile::TooLarge("9 bytes".to_owned())),
    ] {
        assert_eq!(channels.note_file(file(place), fetched).await, Ok(true));
    }
    assert_eq!(wanted(&world).await, [(file(0), 1)]);
    assert_eq!(channels.files_waiting(&channel(), &shop()).await, Ok(1));
    let expected = [
        (0, InboundFile::Wanted),
        (1, InboundFile::Stored(stored_file(1))),
        (2, InboundFile::Gone("404".to_owned())),
        (3, InboundFile::TooLarge("9 bytes".to_owned())),
    ];
    assert_eq!(channels.files(id).await.unwrap(), expected);
    assert_eq!(channels.stored_files().await.unwrap(), [stored_file(1).key]);
    // What is not wanted any more is not put off; one that was lost is stored again; one of no message is of no interest.
    let put_off = FetchedInboundFile::PutOff { tries: 2, due_at: later };
    assert_eq!(channels.note_file(file(2), put_off).await, Ok(false));
    assert_eq!(channels.note_file(file(1), FetchedInboundFile::Stored(stored_file(2))).await, Ok(true));
    assert_eq!(channels.stored_files().await.unwrap(), [stored_file(2).key]);
    assert_eq!(channels.note_file(file(7), stored).await, Ok(false));
    let other = TakenFromChannel {
        channel: channel(),
        account: account("other"),
        events: vec![arrived(four)],
        cursor: None,
        stores_files: false,
    };
    let id = channels.take(other).await.unwrap().new[0];
    assert_eq!(channels.files(id).await, Ok(Vec::new()), "an account that stores none");
}

async fn files_of_channels_go_with_their_messages(world: World) {
    let channels = world.store.channels();
    let id = take(&world, vec![arrived(written(&world, "m-1", "one"))]).await.new[0];
    let file = InboundFileId { message: id, place: 0 };
    channels.note_file(file, FetchedInboundFile::Stored(stored_file(1))).await.unwrap();
    world.clock.advance(Duration::from_hours(24 * 91));
    let newest = take(&world, vec![arrived(written(&world, "m-2", "two"))]).await.new[0];
    assert_eq!(world.store.sweep().await.unwrap().received, 1);
    assert_eq!(channels.stored_files().await, Ok(Vec::new()));
    let kept = InboundFileId { message: newest, place: 0 };
    assert_eq!((channels.files(id).await, wanted(&world).await), (Ok(Vec::new()), vec![(kept, 0)]));
}

async fn chats_are_listed_by_when_their_customer_wrote_last(world: World) {
    let in_chat = |chat: &str, seconds| InboundMessage {
        chat: ExternalChat::new(chat).unwrap(),
        name: Some(format!("Customer {chat}")),
        sent_at: world.now().plus(Duration::from_secs(seconds)),
        ..written(&world, &format!("m {chat} {seconds}"), "hello")
    };
    take(&world, vec![arrived(in_chat("a", 1)), arrived(in_chat("b", 2)), arrived(in_chat("c", 0))]).await;
    take(&world, vec![arrived(in_chat("a", 3))]).await;
    let never =
        InboundChange::Reachable { chat: ExternalChat::new("silent").unwrap(), can: false, at: world.now() };
    take(&world, vec![event("blocked", never)]).await;
    let listed = async |page| {
        let chats = world.store.channels().chats(&channel(), &shop(), page).await.unwrap();
        chats.into_iter().map(|chat| chat.chat.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(listed((10, 0)).await, ["a", "b", "c", "silent"]);
    assert_eq!(listed((2, 1)).await, ["b", "c"]);
    let first = world.store.channels().chats(&channel(), &shop(), (1, 0)).await.unwrap().remove(0);
    assert_eq!(first.name.as_deref(), Some("Customer a"));
    assert!(world.store.channels().chats(&channel(), &account("other"), (9, 0)).await.unwrap().is_empty());
}

async fn the_last_sent_and_the_waiting_messages_are_found(world: World) {
    let channels = world.store.channels();
    assert_eq!(channels.last_out(&channel(), &shop()).await, Ok(None));
    let mut ids = Vec::new();
    for account in [shop(), account("shop2")] {
        let chat = ChatRef::Channel(ChannelChat { account, ..address() });
        let waiting = OutboundMessage { chat, ..world.message(1) };
        ids.push(waiting.id);
        world.store.outbox().accept(accept(waiting)).await.unwrap();
    }
    let id = ids[0];
    assert_eq!(channels.waiting(&channel(), &shop()).await, Ok(1));
    assert_eq!(channels.waiting(&channel(), &account("shop2")).await, Ok(1));
    let begin = Begin { account: shop(), address: Address::Channel(address()), ..world.begin(id, 0) };
    world.store.outbox().begin(begin).await.unwrap();
    let sent = PartSent {
        account: shop(),
        address: Address::Channel(address()),
        message_ids: [Some("m-1")].into_iter().collect(),
        binding: store::Binding::IfUnbound,
        ..world.sent(id, 0)
    };
    let at = sent.at;
    world.store.outbox().part_sent(sent).await.unwrap();
    assert_eq!(channels.last_out(&channel(), &shop()).await, Ok(Some(at)));
    assert_eq!(channels.waiting(&channel(), &shop()).await, Ok(0));
    for health in ["{}", "{\"here\":true}"] {
        channels.keep_health(&channel(), &shop(), health.to_owned()).await.unwrap();
        assert_eq!(channels.health(&channel(), &shop()).await.unwrap().as_deref(), Some(health));
    }
    assert_eq!(channels.health(&channel(), &account("other")).await, Ok(None));
}
