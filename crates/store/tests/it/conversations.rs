//! Conversations: both directions in one order, each message once, page by page, and found by their words.

use std::time::Duration;

use domain::outcome::Failure;
use domain::{ChatId, MessageRef, ReceivedMessage, TelegramMessageId};
use store::{
    ConversationMessage, ConversationStart, EventRetention, Fail, Page, PartSent, ReceivedChange,
    ReceivedFilter, StoreError, TakenUpdates,
};

use crate::support::{World, accept, account, begun, chat, chat_number, conformance};

conformance! {
    both_directions_are_in_one_order,
    pages_lead_through_all_of_it_both_ways,
    an_answer_within_the_second_stands_behind,
    caught_up_messages_keep_the_order_of_writing,
    failed_messages_are_listed_and_waiting_ones_are_not,
    a_group_of_two_accounts_has_each_message_once,
    words_are_found_however_far_back,
    a_conversation_is_whole_while_its_index_is_filled,
    received_messages_are_listed_and_narrowed,
    received_messages_go_after_ninety_days,
}

const SECOND: Duration = Duration::from_secs(1);

impl World {
    /// A message that someone writes now.
    pub(crate) fn received(&self, chat_id: ChatId, number: i32, text: &str) -> ReceivedMessage {
        testkit::customer_message(chat_id, number, text, self.now())
    }

    pub(crate) async fn take(&self, message: ReceivedMessage) -> String {
        let id = message.id().to_string();
        let changes = vec![ReceivedChange::New(Box::new(message.clone()))];
        let taken = TakenUpdates { changes, ..TakenUpdates::new(message.account) };
        self.store.received().take(taken).await.unwrap();
        id
    }

    async fn sends_to(&self, chat_id: ChatId, text: &str) -> String {
        let mut message = begun(self.message(1));
        message.chat = domain::ChatRef::Id(chat_id);
        message.address = Some(chat_id.into());
        message.content.text.text = text.to_owned();
        let id = message.id;
        self.store.outbox().accept(accept(message)).await.unwrap();
        self.clock.advance(Duration::from_millis(1));
        let sent = PartSent { address: chat_id.into(), ..self.sent(id, 0) };
        self.store.outbox().part_sent(sent).await.unwrap();
        id.to_string()
    }

    async fn reopen(&mut self) {
        self.store.clone().close().await;
        self.store = self.open_again().await.unwrap();
    }

    async fn page(
        &self,
        start: &ConversationStart,
        text: Option<&str>,
        page: &Page,
    ) -> (Vec<String>, Option<String>) {
        let (conversations, text) = (self.store.conversations(), text.map(str::to_owned));
        let found = conversations.list(chat(), start.clone(), text, page).await.unwrap();
        (found.items.iter().map(id).collect(), found.next_cursor)
    }

    async fn all_pages(&self, start: ConversationStart, text: Option<&str>, limit: u32) -> Vec<String> {
        let (mut ids, mut cursor) = (Vec::new(), None);
        loop {
            let (found, next) = self.page(&start, text, &Page { limit, cursor }).await;
            assert!(found.len() <= limit as usize);
            ids.extend(found);
            cursor = next;
            if cursor.is_none() {
                return ids;
            }
        }
    }
}

fn id(message: &ConversationMessage) -> String {
    match message {
        ConversationMessage::Received(stored) => stored.message.id().to_string(),
        ConversationMessage::Sent(message) => message.id.to_string(),
    }
}

fn named(id: &str) -> MessageRef {
    id.parse().unwrap()
}

/// A conversation of so many messages, the newest first; every third is ours.
async fn talk(world: &World, messages: i32) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 1..=messages {
        ids.push(match number % 3 {
            0 => world.sends_to(chat(), &format!("ours {number}")).await,
            _ => world.take(world.received(chat(), number, &format!("theirs {number}"))).await,
        });
        world.clock.advance(Duration::from_millis(300));
        // Elsewhere people talk too.
        world.take(world.received(chat_number(5), number, "elsewhere")).await;
        world.sends_to(chat_number(5), "elsewhere").await;
    }
    ids.reverse();
    ids
}

async fn both_directions_are_in_one_order(world: World) {
    let ids = talk(&world, 7).await;
    assert_eq!(world.all_pages(ConversationStart::Newest, None, 50).await, ids);
    let (found, _) = world.page(&ConversationStart::Newest, None, &Page { limit: 3, cursor: None }).await;
    assert_eq!(found, ids[..3]);
    // With their parts.
    let page = Page { limit: 50, cursor: None };
    let list = world.store.conversations().list(chat(), ConversationStart::Newest, None, &page).await;
    let sent = list.unwrap().items.into_iter().find_map(|message| match message {
        ConversationMessage::Sent(message) => Some(message),
        ConversationMessage::Received(_) => None,
    });
    assert_eq!(sent.expect("one of ours").message_numbers(), [500]);
}

async fn pages_lead_through_all_of_it_both_ways(world: World) {
    let ids = talk(&world, 11).await;
    for limit in [1, 2, 3, 10, 11, 12] {
        assert_eq!(world.all_pages(ConversationStart::Newest, None, limit).await, ids, "{limit}");
        for place in 0..ids.len() {
            let before = ConversationStart::Before(named(&ids[place]));
            assert_eq!(world.all_pages(before, None, limit).await, ids[place + 1..], "{limit} {place}");
            let after: Vec<_> = ids[..place].iter().rev().cloned().collect();
            let start = ConversationStart::After(named(&ids[place]));
            assert_eq!(world.all_pages(start, None, limit).await, after, "{limit} {place}");
        }
    }
    let strange = ConversationStart::Before(named(&world.id().to_string()));
    let page = Page { limit: 5, cursor: None };
    let refused = world.store.conversations().list(chat(), strange, None, &page).await;
    assert!(matches!(refused, Err(StoreError::NotFound { .. })), "{refused:?}");
    let page = Page { limit: 5, cursor: Some("nonsense".into()) };
    let refused = world.store.conversations().list(chat(), ConversationStart::Newest, None, &page).await;
    assert_eq!(refused, Err(StoreError::BadCursor));
}

async fn an_answer_within_the_second_stands_behind(world: World) {
    let into_the_second = world.now().as_micros().rem_euclid(1_000_000).unsigned_abs();
    world.clock.advance(Duration::from_micros(1_100_000 - into_the_second));
    let first = world.take(world.received(chat(), 1, "how much?")).await;
    world.clock.advance(SECOND / 5);
    let answer = world.sends_to(chat(), "20").await;
    world.clock.advance(SECOND / 5);
    let last = world.take(world.received(chat(), 3, "thanks")).await;
    assert_eq!(world.all_pages(ConversationStart::Newest, None, 10).await, [last, answer, first]);
}

async fn caught_up_messages_keep_the_order_of_writing(world: World) {
    let missed = [world.received(chat(), 1, "are you there?"), world.received(chat(), 2, "hello?")];
    world.clock.advance(60 * SECOND);
    let sent = world.sends_to(chat(), "we are back").await;
    world.clock.advance(60 * SECOND);
    let [first, second] = missed;
    let (first, second) = (world.take(first).await, world.take(second).await);
    assert_eq!(world.all_pages(ConversationStart::Newest, None, 1).await, [sent, second, first]);
}

async fn failed_messages_are_listed_and_waiting_ones_are_not(world: World) {
    let outbox = world.store.outbox();
    world.queued(1).await;
    world.sending(1).await;
    let failed = world.queued(1).await;
    let failure = Failure::Rejected { provider_code: "MESSAGE_EMPTY".into() };
    outbox.fail(Fail { id: failed, failure, at: world.now() }).await.unwrap();
    world.clock.advance(SECOND);
    let doubtful = world.sending(1).await;
    outbox.doubt(world.doubt(doubtful)).await.unwrap();
    let expected = [doubtful, failed].map(|id| id.to_string());
    assert_eq!(world.all_pages(ConversationStart::Newest, None, 1).await, expected);
    // What waits has neighbours all the same.
    let waiting = world.queued(1).await;
    let before = ConversationStart::Before(MessageRef::Sent(waiting));
    assert_eq!(world.all_pages(before, None, 10).await, expected);
}

/// More messages than the index takes at once.
async fn a_conversation_is_whole_while_its_index_is_filled(mut world: World) {
    let mut expected = Vec::new();
    for _ in 0..13 {
        expected.extend(futures::future::join_all((0..100).map(|_| world.sends_to(chat(), "many"))).await);
    }
    expected.sort();
    let ids = world.all_pages(ConversationStart::Newest, None, 100).await;
    let mut found = ids.clone();
    found.sort();
    assert_eq!(found, expected);
    world.reopen().await;
    assert_eq!(world.all_pages(ConversationStart::Newest, None, 100).await, ids, "after a start");
    world.clock.advance(SECOND);
    world.store.events().sweep(EventRetention { keep: Duration::ZERO, most: 1 }).await.unwrap();
    world.reopen().await;
    assert_eq!(world.all_pages(ConversationStart::Newest, None, 100).await, ids, "without its events");
}

async fn a_group_of_two_accounts_has_each_message_once(world: World) {
    let group = ChatId::group(42).unwrap();
    let mut expected = Vec::new();
    for (number, text) in (1..).zip(["same", "same", "other"]) {
        let one = world.received(group, number, text);
        let message_id = TelegramMessageId::new(number + 70).unwrap();
        let other = ReceivedMessage { account: account("second"), message_id, ..one.clone() };
        expected.push(world.take(one).await);
        world.take(other).await;
    }
    // Only one of them received this.
    let alone = ReceivedMessage { account: account("second"), ..world.received(group, 99, "alone") };
    expected.push(world.take(alone).await);
    expected.reverse();
    let page = Page { limit: 10, cursor: None };
    let list = world.store.conversations().list(group, ConversationStart::Newest, None, &page).await;
    let ids: Vec<_> = list.unwrap().items.iter().map(id).collect();
    assert_eq!(ids, expected);
}

async fn words_are_found_however_far_back(world: World) {
    let first = world.take(world.received(chat(), 1, "Сколько стоит ЭКРАН?")).await;
    world.clock.advance(SECOND);
    let ours = world.sends_to(chat(), "Экран стоит 20").await;
    talk(&world, 40).await;
    for limit in [1, 2, 3] {
        let found = world.all_pages(ConversationStart::Newest, Some("экран"), limit).await;
        assert_eq!(found, [ours.clone(), first.clone()], "{limit}");
    }
    assert!(world.all_pages(ConversationStart::Newest, Some("nothing"), 5).await.is_empty());
}

async fn received_messages_are_listed_and_narrowed(world: World) {
    let (first_at, mut ids) = (world.now(), Vec::new());
    for (number, (bare, text)) in
        (1..).zip([(1, "Hello there"), (2, "цена?"), (1, "HELLO again"), (2, "bye")])
    {
        let mut message = world.received(chat_number(bare), number, text);
        if number == 4 {
            message.account = account("second");
        }
        ids.push(world.take(message).await);
        world.clock.advance(SECOND);
    }
    ids.reverse();
    let list = async |filter: &ReceivedFilter, limit: u32| {
        let (mut found, mut cursor) = (Vec::new(), None);
        loop {
            let page = world.store.received().list(filter, &Page { limit, cursor }).await.unwrap();
            found.extend(page.items.iter().map(|stored| stored.message.id().to_string()));
            cursor = page.next_cursor;
            if cursor.is_none() {
                return found;
            }
        }
    };
    let some = |places: &[usize]| places.iter().map(|place| ids[*place].clone()).collect::<Vec<_>>();
    let all = ReceivedFilter::default();
    for limit in [1, 3, 4, 5] {
        assert_eq!(list(&all, limit).await, ids, "{limit}");
    }
    let of = |chats: &[i64]| Some(chats.iter().map(|bare| chat_number(*bare)).collect::<Vec<_>>());
    for (filter, expected) in [
        (ReceivedFilter { account: Some(account("second")), ..all.clone() }, some(&[0])),
        (ReceivedFilter { chats: of(&[1]), ..all.clone() }, some(&[1, 3])),
        (ReceivedFilter { text: Some("hello".into()), ..all.clone() }, some(&[1, 3])),
        (ReceivedFilter { text: Some("ЦЕНА".into()), ..all.clone() }, some(&[2])),
        (ReceivedFilter { text: Some("bye".into()), or_from: of(&[1]), ..all.clone() }, some(&[0, 1, 3])),
        (ReceivedFilter { text: Some("anna".into()), or_from: of(&[]), ..all.clone() }, ids.clone()),
        (ReceivedFilter { since: Some(first_at.plus(SECOND * 2)), ..all.clone() }, some(&[0, 1])),
        (ReceivedFilter { until: Some(first_at.plus(SECOND * 2)), ..all.clone() }, some(&[2, 3])),
    ] {
        assert_eq!(list(&filter, 2).await, expected, "{filter:?}");
    }
}

async fn received_messages_go_after_ninety_days(world: World) {
    let day = Duration::from_hours(24);
    for number in 1..=230 {
        world.take(world.received(chat(), number, "old")).await;
    }
    world.clock.advance(89 * day);
    let late = world.take(world.received(chat(), 231, "late")).await;
    assert_eq!(world.store.sweep().await.unwrap().received, 0);
    world.clock.advance(2 * day);
    assert_eq!(world.store.sweep().await.unwrap().received, 230);
    world.clock.advance(90 * day);
    assert_eq!(world.store.sweep().await.unwrap().received, 0, "numbers go on from the newest");
    assert_eq!(world.all_pages(ConversationStart::Newest, None, 5).await, [late]);
}
