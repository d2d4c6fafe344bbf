//! Lists and batches: complete, in order, without doubles.

use domain::{MessageId, MessageState};
use store::{Filter, Page, StoreError};

use crate::support::{World, accept, account, chat, chat_number, conformance};

conformance! {
    pages_are_complete_and_without_doubles,
    filters_hold_together,
    a_strange_cursor_is_refused,
    unfinished_messages_come_oldest_first,
}

async fn listed(world: &World, filter: &Filter, limit: u32) -> Vec<MessageId> {
    let mut ids = Vec::new();
    let mut cursor = None;
    loop {
        let listed = world.store.outbox().list(filter, &Page { limit, cursor }).await.unwrap();
        assert!(listed.items.len() <= limit as usize && !listed.items.is_empty());
        ids.extend(listed.items.iter().map(|message| message.id));
        cursor = listed.next_cursor;
        if cursor.is_none() {
            return ids;
        }
    }
}

async fn pages_are_complete_and_without_doubles(world: World) {
    let mut made = Vec::new();
    for _ in 0..30 {
        made.push(world.queued(1).await);
    }
    made.reverse();
    for limit in [1, 7, 10, 29, 30, 31] {
        assert_eq!(listed(&world, &Filter::default(), limit).await, made, "{limit}");
    }
    // What comes in while someone leafs does not move the pages.
    let outbox = world.store.outbox();
    let first = outbox.list(&Filter::default(), &Page { limit: 10, cursor: None }).await.unwrap();
    world.queued(1).await;
    let second =
        outbox.list(&Filter::default(), &Page { limit: 10, cursor: first.next_cursor }).await.unwrap();
    let ids: Vec<MessageId> = second.items.iter().map(|message| message.id).collect();
    assert_eq!(ids, made[10..20]);
    // A limit outside the bounds is brought inside.
    let none = outbox.list(&Filter::default(), &Page { limit: 0, cursor: None }).await.unwrap();
    assert_eq!(none.items.len(), 1);
}

async fn filters_hold_together(world: World) {
    let outbox = world.store.outbox();
    let mut expected = Vec::new();
    for number in 0..12 {
        let mut message = world.message(1);
        message.address = Some(chat_number(number % 2 + 1).into());
        let id = message.id;
        outbox.accept(accept(message)).await.unwrap();
        let chat_id = chat_number(number % 2 + 1);
        let name = account(if number % 3 == 0 { "main" } else { "backup_1" });
        outbox
            .begin(store::Begin { account: name.clone(), address: chat_id.into(), ..world.begin(id, 0) })
            .await
            .unwrap();
        if number % 4 < 2 {
            let sent =
                store::PartSent { account: name.clone(), address: chat_id.into(), ..world.sent(id, 0) };
            outbox.part_sent(sent).await.unwrap();
        }
        expected.push((id, world.state(id).await, name, chat_id));
    }
    expected.reverse();
    for state in [None, Some(MessageState::Sent), Some(MessageState::Sending), Some(MessageState::Failed)] {
        for name in [None, Some(account("main"))] {
            for chat_id in [None, Some(chat_number(1)), Some(chat())] {
                let filter = Filter {
                    state,
                    account: name.clone(),
                    chats: chat_id.map(|id| vec![id]),
                    ..Filter::default()
                };
                let wanted: Vec<MessageId> = expected
                    .iter()
                    .filter(|(_, its, ..)| state.is_none_or(|state| state == *its))
                    .filter(|(_, _, its, _)| name.as_ref().is_none_or(|name| name == its))
                    .filter(|(.., its)| chat_id.is_none_or(|chat| chat == *its))
                    .map(|(id, ..)| *id)
                    .collect();
                let page = Page { limit: 100, cursor: None };
                let found = outbox.list(&filter, &page).await.unwrap();
                let found: Vec<MessageId> = found.items.iter().map(|message| message.id).collect();
                assert_eq!(found, wanted, "{filter:?}");
            }
        }
    }
}

async fn a_strange_cursor_is_refused(world: World) {
    for cursor in ["", "1", "key_00000000000000000000000000", "msg_"] {
        let page = Page { limit: 10, cursor: Some(cursor.into()) };
        let refused = world.store.outbox().list(&Filter::default(), &page).await;
        assert_eq!(refused, Err(StoreError::BadCursor), "{cursor}");
    }
}

async fn unfinished_messages_come_oldest_first(world: World) {
    let outbox = world.store.outbox();
    let queued = world.queued(1).await;
    let sent = world.sending(1).await;
    outbox.part_sent(world.sent(sent, 0)).await.unwrap();
    let mut scheduled = world.message(1);
    scheduled.state = MessageState::Scheduled;
    outbox.accept(accept(scheduled.clone())).await.unwrap();
    let mut approval = world.message(1);
    approval.state = MessageState::AwaitingApproval;
    outbox.accept(accept(approval)).await.unwrap();
    let cancelled = world.queued(1).await;
    outbox.cancel(cancelled, world.now(), None).await.unwrap();
    let doubtful = world.sending(1).await;
    outbox.doubt(world.doubt(doubtful)).await.unwrap();
    let sending = world.sending(2).await;

    let found = outbox.unfinished(None, 100).await.unwrap().readable;
    let ids: Vec<MessageId> = found.iter().map(|message| message.id).collect();
    assert_eq!(ids, [queued, scheduled.id, sending]);
    assert_eq!(found[2], world.get(sending).await);
    let after = outbox.unfinished(Some(queued), 1).await.unwrap().readable;
    assert_eq!(after.iter().map(|message| message.id).collect::<Vec<_>>(), [scheduled.id]);
}
