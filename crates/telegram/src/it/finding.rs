//! Looking whether a message arrived.

use std::sync::Arc;
use std::time::Duration;

use delivery::{Attempt, Evidence, MessageLookup, Sender};
use domain::outcome::SentIds;
use domain::{ChatId, Timestamp};
use sandbox::telegram::FaultName;
use telegram::Pool;

use crate::it::world::{World, chat_id, content, name, one_account, part, send_to, sent_id, until};

async fn find(pool: &Pool, chat_id: ChatId, text: &str, random_id: i64, since: Timestamp) -> MessageLookup {
    let (account, content) = (name("backup_1"), content(text));
    let part = part(content.text.clone(), random_id);
    let attempt = Attempt {
        account: &account,
        address: &chat_id.into(),
        part: &part,
        content: &content,
        binding: store::Binding::IfUnbound,
    };
    Sender::find(pool, attempt, since).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_found_by_its_recorded_id() {
    let (world, pool) = one_account().await;
    let chat_id = chat_id(&pool, "backup_1", "@client_1").await;
    let since = world.clock.now();
    let Some(id) = sent_id(send_to(&pool, "backup_1", chat_id, "same", 1).await) else { panic!("sent") };
    assert_eq!(find(&pool, chat_id, "same", 1, since).await, MessageLookup::Here(SentIds::one(Some(id))));
    // Another part of the same text is not this message.
    assert_eq!(find(&pool, chat_id, "same", 2, since).await, MessageLookup::NotThere);
    assert_eq!(find(&pool, chat_id, "other", 3, since).await, MessageLookup::NotThere);
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_answer_was_lost_is_found_in_the_history() {
    let (world, pool) = one_account().await;
    // Our clock is ten minutes ahead of Telegram's: messages seem older than they are.
    world.clock.advance(Duration::from_mins(10));
    for (random_id, to) in [(10, "@client_1"), (11, &*world.demo("Demo supergroup"))] {
        let chat_id = chat_id(&pool, "backup_1", to).await;
        world.telegram().clear_ledger();
        let since = world.clock.now();
        world.fault("backup_1", FaultName::DropAnswer).times(1).on();
        let sending = tokio::spawn({
            let pool = Arc::clone(&pool);
            async move { send_to(&pool, "backup_1", chat_id, "lost", 9).await }
        });
        until("it arrived", || world.texts() == ["lost"]).await;
        let id = world.telegram().ledger(0, 1)[0].message_id.map(i64::from);
        let found = find(&pool, chat_id, "lost", random_id, since).await;
        assert_eq!(Some(found), id.map(|id| MessageLookup::Here(SentIds::one(Some(id)))));
        sending.abort();
    }
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_account_in_the_chat_sees_what_the_lost_one_sent() {
    let world = World::new().await.only(&["backup_1", "backup_2"]);
    let pool = world.ready().await;
    let chat_id = chat_id(&pool, "backup_1", &world.demo("Demo supergroup")).await;
    let since = world.clock.now();
    let Some(id) = sent_id(send_to(&pool, "backup_1", chat_id, "seen", 9).await) else { panic!("sent") };
    let (account, content) = (name("backup_1"), content("seen"));
    let peer_check = |text: &str, random_id| {
        let part = part(domain::text::FormattedText::plain(text), random_id);
        let (pool, account, content) = (&pool, &account, &content);
        async move {
            pool.peer_check(
                Attempt {
                    account,
                    address: &chat_id.into(),
                    part: &part,
                    content,
                    binding: store::Binding::Unchanged,
                },
                since,
            )
            .await
        }
    };
    assert_eq!(peer_check("seen", 9).await, Evidence::Present(Some(SentIds::one(Some(id)))));
    assert_eq!(peer_check("never sent", 10).await, Evidence::None);
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_chat_gives_no_evidence() {
    let (world, pool) = one_account().await;
    let chat_id = chat_id(&pool, "backup_1", "@client_1").await;
    world.fault("backup_1", FaultName::RpcError).method("messages.getHistory").error(500, "INTERNAL").on();
    assert_eq!(find(&pool, chat_id, "lost", 9, world.clock.now()).await, MessageLookup::CannotTell);
    pool.stop(Duration::from_secs(5)).await;
}
