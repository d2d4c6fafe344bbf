//! A store that is late: what someone did to a message or a saga happens after they were answered that the store does
//! not answer, and it is carried all the same.

use std::path::Path;
use std::time::Duration;

use delivery::Change;
use domain::account::Reason;
use domain::saga::{SagaState, Verdict};
use domain::{ChatId, MessageId, MessageState, Outcome};
use store::{Resolution, Store, StoreError};

use crate::provider::{Chat, Does, SagaBench, create, leave};
use crate::script::{Act, Bench, group, text};

/// Holds the database so that a write waits, and lets the time that is waited for it pass at once.
async fn late_reply<T>(
    folder: &Path,
    store: &Store,
    change: impl Future<Output = Result<T, StoreError>>,
) -> String {
    let database = rusqlite::Connection::open(folder.join("data/switchboard.db")).expect("the database");
    database.execute_batch("BEGIN IMMEDIATE").expect("is locked");
    let (before, mut change) = (store.written().writes, std::pin::pin!(change));
    // What is read before the write is read in time.
    let handed_over = async {
        while store.written().writes == before {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        _ = &mut change => panic!("no one waits for the store"),
        () = handed_over => {}
    }
    tokio::time::pause();
    let reply = change.await.err().expect("the store does not answer").to_string();
    tokio::time::resume();
    database.execute_batch("ROLLBACK").expect("is free");
    reply
}

async fn is_sent(bench: &Bench, id: MessageId) -> bool {
    bench.delivery.get(id).await.expect("reads").is_some_and(|now| now.state == MessageState::Sent)
}

pub(crate) async fn until<F: Future<Output = bool>>(so: impl Fn() -> F) {
    let waiting = async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), waiting).await.expect("it comes");
}

#[tokio::test]
async fn a_retry_that_the_store_takes_late_is_sent() {
    let bench = Bench::new().await;
    bench.script.act("main", [Act::Refuse(Outcome::Rejected { code: "MEDIA_INVALID".into() })]);
    let id = bench.submit(text(group(1), "hello")).await;
    assert_eq!(bench.settled(id).await.state, MessageState::Failed);

    let reply = late_reply(bench.folder.path(), &bench.store, bench.delivery.retry(id)).await;
    assert!(reply.contains("did not answer"), "{reply}");
    until(|| is_sent(&bench, id)).await;
    assert_eq!(bench.script.texts(), ["hello"]);
    assert!(matches!(bench.delivery.retry(id).await.expect("writes"), Change::Refused(_)));
    until(|| async { bench.delivery.queued() == 0 }).await;
}

#[tokio::test]
async fn a_doubt_that_is_ended_late_lets_the_message_go_on() {
    let bench = Bench::new().await;
    let gone = Act::Refuse(Outcome::SessionLost(Reason::SessionRevoked));
    bench.script.act("main", [Act::Refuse(Outcome::Unknown("timeout".into())), gone]);
    let id = bench.submit(text(group(1), "hello")).await;
    assert_eq!(bench.settled(id).await.state, MessageState::InDoubt);

    let reply =
        late_reply(bench.folder.path(), &bench.store, bench.delivery.resolve(id, Resolution::Resend)).await;
    assert!(reply.contains("did not answer"), "{reply}");
    until(|| is_sent(&bench, id)).await;
    assert_eq!(bench.script.texts(), ["hello"]);
}

#[tokio::test]
async fn a_saga_that_is_put_back_late_is_carried() {
    let bench = SagaBench::new().await;
    bench.provider.does(
        "main",
        "create",
        [Does::Refuses(Outcome::Rejected { code: "TITLE_INVALID".into() })],
    );
    let id = bench.submit(create("Order 1")).await;
    assert_eq!(bench.settled(id).await.state, SagaState::Failed);

    let reply = late_reply(bench.folder.path(), &bench.store, bench.sagas.retry(id)).await;
    assert!(reply.contains("did not answer"), "{reply}");
    let is_done = || async {
        bench.sagas.get(id).await.expect("reads").is_some_and(|now| now.state == SagaState::Done)
    };
    until(is_done).await;
    until(|| async { bench.sagas.queued() == 0 }).await;
    assert_eq!(bench.provider.chats().len(), 1);
}

#[tokio::test]
async fn chat_resolved_as_left_is_left_despite_a_late_store() {
    let bench = SagaBench::new().await;
    let chat = ChatId::channel(1).expect("a chat");
    bench.provider.world().chats.insert(chat.get(), Chat::default());
    let banned = Does::Refuses(Outcome::Banned(Reason::Banned));
    bench.provider.does("main", "leave", [Does::LosesAnswer, banned]);
    let id = bench.submit(leave(chat, false)).await;
    assert_eq!(bench.settled(id).await.state, SagaState::InDoubt);
    assert!(bench.provider.world().registered.is_empty());

    let reply =
        late_reply(bench.folder.path(), &bench.store, bench.sagas.resolve(id, Verdict::Done(None))).await;
    assert!(reply.contains("did not answer"), "{reply}");
    until(|| async { bench.provider.world().registered.len() == 1 }).await;
    assert_eq!((bench.get(id).await.state, bench.sagas.queued()), (SagaState::Done, 0));
}
