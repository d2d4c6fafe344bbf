//! Whose store may be another process's puts nothing on the wire.

use domain::MessageState;
use domain::message::PartState;
use domain::saga::SagaState;

use crate::folder::Folder;
use crate::provider::{SagaBench, create};
use crate::script::{Bench, group, text};

#[tokio::test]
async fn work_begun_under_a_lost_lease_is_left_to_the_next() {
    let bench = Bench::on_postgres().await;
    bench.store.lose_lease();
    let id = bench.submit(text(group(1), "hello")).await;
    bench.breathe().await;
    let begun = bench.store.outbox().get(id).await.expect("reads").expect("exists");
    assert_eq!((begun.state, begun.parts[0].state), (MessageState::Sending, PartState::Begun));
    assert_eq!(bench.script.calls(), 0);
    let bench = bench.restart().await;
    assert_eq!(bench.settled(id).await.state, MessageState::Sent);
    assert_eq!(bench.script.texts(), ["hello"]);
}

#[tokio::test]
async fn no_chat_is_made_under_a_lost_lease() {
    let bench = SagaBench::on(Folder::on_postgres().await).await;
    bench.store.lose_lease();
    let id = bench.submit(create("Order 1")).await;
    bench.breathe().await;
    assert_eq!(bench.provider.chats().len(), 0);
    let bench = bench.restart().await;
    assert_eq!(bench.settled(id).await.state, SagaState::Done);
    assert_eq!(bench.provider.chats().len(), 1);
}
