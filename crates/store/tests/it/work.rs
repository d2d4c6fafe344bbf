//! The log of all work: messages and sagas in one order, under one cursor.

use domain::saga::{Saga, SagaState, TaskKind};
use store::{Page, StoreError, Work, WorkFilter, WorkKind};

use crate::support::{World, accept_saga, account, change, chat, chat_number, conformance, leave_chat};

conformance! { messages_and_sagas_come_in_one_order, filters_hold_together, a_strange_cursor_is_refused }

fn id(work: &Work) -> String {
    match work {
        Work::Message(message) => message.id.to_string(),
        Work::Saga(saga) => saga.id.to_string(),
    }
}

async fn listed(world: &World, filter: &WorkFilter, limit: u32) -> Vec<Work> {
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let listed = world.store.work(filter, &Page { limit, cursor }).await.unwrap();
        assert!(listed.items.len() <= limit as usize);
        found.extend(listed.items);
        cursor = listed.next_cursor;
        if cursor.is_none() {
            return found;
        }
    }
}

/// Pieces of work of every kind and in every state, the newest first.
async fn made(world: &World) -> Vec<Work> {
    let mut made = Vec::new();
    for number in 0..36 {
        if number % 2 == 0 {
            let id = world.sending(1).await;
            match number % 3 {
                0 => world.store.outbox().part_sent(world.sent(id, 0)).await.unwrap(),
                1 => world.store.outbox().doubt(world.doubt(id)).await.unwrap(),
                _ => {}
            }
            made.push(Work::Message(Box::new(world.get(id).await)));
            continue;
        }
        let saga = if number % 4 == 1 {
            world.begun_making().await
        } else {
            let saga = Saga { chat_id: Some(chat()), ..world.saga(leave_chat("-1001234567890")) };
            world.store.sagas().accept(accept_saga(saga.clone())).await.unwrap();
            saga
        };
        match number % 3 {
            0 => {
                let done = world.ended(saga.clone(), SagaState::Done);
                world.store.sagas().save(change(done)).await.unwrap();
            }
            1 if saga.begun.is_some() => {
                let doubtful = Saga { state: SagaState::InDoubt, ..saga.clone() };
                world.store.sagas().save(change(doubtful)).await.unwrap();
            }
            _ => {}
        }
        made.push(Work::Saga(Box::new(world.get_saga(saga.id).await)));
    }
    made.reverse();
    made
}

async fn messages_and_sagas_come_in_one_order(world: World) {
    assert!(listed(&world, &WorkFilter::default(), 10).await.is_empty());
    let made = made(&world).await;
    for limit in [1, 5, 35, 36, 100] {
        assert_eq!(listed(&world, &WorkFilter::default(), limit).await, made, "{limit}");
    }
}

fn holds(filter: &WorkFilter, work: &Work) -> bool {
    let (kind, account, chat_id, open) = match work {
        Work::Message(message) => {
            let open = !message.state.is_final() || message.state == domain::MessageState::InDoubt;
            (WorkKind::SendText, &message.account, message.chat_id(), open)
        }
        Work::Saga(saga) => {
            let open = !saga.state.is_final() || saga.state == SagaState::InDoubt;
            (WorkKind::Saga(saga.task.kind()), &saga.account, saga.chat_id, open)
        }
    };
    filter.kind.is_none_or(|wanted| match wanted {
        WorkKind::Sagas => kind != WorkKind::SendText,
        wanted => wanted == kind,
    }) && (filter.account.is_none() || filter.account == *account)
        && filter.chats.as_ref().is_none_or(|chats| chat_id.is_some_and(|id| chats.contains(&id)))
        && filter.open.is_none_or(|wanted| wanted == open)
}

async fn filters_hold_together(world: World) {
    let made = made(&world).await;
    let kinds = [
        None,
        Some(WorkKind::SendText),
        Some(WorkKind::Sagas),
        Some(WorkKind::Saga(TaskKind::CreateChat)),
        Some(WorkKind::Saga(TaskKind::LeaveChat)),
        Some(WorkKind::Saga(TaskKind::EditChat)),
    ];
    for kind in kinds {
        for name in [None, Some("main"), Some("nobody")] {
            for chat_id in [None, Some(chat()), Some(chat_number(9))] {
                for open in [None, Some(true), Some(false)] {
                    let chats = chat_id.map(|id| vec![id, chat_number(8)]);
                    let filter =
                        WorkFilter { kind, account: name.map(account), chats, open, in_doubt: false };
                    let expected: Vec<_> = made.iter().filter(|work| holds(&filter, work)).map(id).collect();
                    let found: Vec<_> = listed(&world, &filter, 7).await.iter().map(id).collect();
                    assert_eq!(found, expected, "{filter:?}");
                }
            }
        }
    }
}

async fn a_strange_cursor_is_refused(world: World) {
    for cursor in ["", "key_00000000000000000000000000", "elsewhere"] {
        let page = Page { limit: 1, cursor: Some(cursor.into()) };
        assert_eq!(world.store.work(&WorkFilter::default(), &page).await, Err(StoreError::BadCursor));
    }
}
