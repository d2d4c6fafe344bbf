//! Looking whether media arrived.

use std::time::Duration;

use delivery::{Attempt, Evidence, MessageLookup, Sender};
use domain::media::MediaForm;
use domain::message::Content;
use domain::{ChatId, Timestamp};
use telegram::Pool;

use super::{carrying, deliver, ids, noise, part, photo, put};
use crate::it::world::{World, chat_id, name, one_account};

async fn find(
    pool: &Pool,
    chat_id: ChatId,
    content: &Content,
    first: i64,
    since: Timestamp,
) -> MessageLookup {
    let (account, part) = (name("backup_1"), part(content, first));
    let attempt = Attempt {
        account: &account,
        address: &chat_id.into(),
        part: &part,
        content,
        binding: store::Binding::IfUnbound,
    };
    Sender::find(pool, attempt, since).await
}

#[tokio::test(flavor = "multi_thread")]
async fn media_are_found_by_id_and_by_appearance() {
    let world = World::new().await.only(&["backup_1", "backup_2"]);
    let pool = world.ready().await;
    let chat_id = chat_id(&pool, "backup_1", &world.demo("Demo supergroup")).await;
    let since = world.clock.now();
    let file = || put(&world, &noise(3_000), "a.bin", "", MediaForm::Document);
    let single = carrying("one", vec![file()]);
    let album = carrying("two", vec![photo(&world, 1), photo(&world, 2)]);
    let one = ids(&deliver(&pool, "backup_1", chat_id, &single, 1).await);
    let two = ids(&deliver(&pool, "backup_1", chat_id, &album, 10).await);
    let here = |ids: &[i64]| MessageLookup::Here(ids.iter().copied().map(Some).collect());
    assert_eq!(find(&pool, chat_id, &album, 10, since).await, here(&two));
    // Another part that looks the same is not this one.
    assert_eq!(find(&pool, chat_id, &album, 20, since).await, MessageLookup::NotThere);
    // Another run has seen nothing, and looks.
    pool.stop(Duration::from_secs(5)).await;
    let pool = world.ready().await;
    assert_eq!(find(&pool, chat_id, &album, 10, since).await, here(&two));
    assert_eq!(find(&pool, chat_id, &single, 1, since).await, here(&one));
    let three = carrying("two", vec![photo(&world, 1), photo(&world, 2), photo(&world, 3)]);
    assert_eq!(find(&pool, chat_id, &three, 30, since).await, MessageLookup::NotThere);
    let longer = carrying("one", vec![put(&world, &noise(3_001), "a.bin", "", MediaForm::Document)]);
    assert_eq!(find(&pool, chat_id, &longer, 40, since).await, MessageLookup::NotThere);
    // Anyone else who is in the chat sees it too.
    let (account, whole) = (name("backup_1"), part(&album, 50));
    let attempt = Attempt {
        account: &account,
        address: &chat_id.into(),
        part: &whole,
        content: &album,
        binding: store::Binding::IfUnbound,
    };
    pool.stop(Duration::from_secs(5)).await;
    let pool = world.ready().await;
    let seen = pool.peer_check(attempt, since).await;
    assert_eq!(seen, Evidence::Present(Some(two.iter().copied().map(Some).collect())));
    // Two that look the same prove nothing.
    ids(&deliver(&pool, "backup_2", chat_id, &carrying("other", vec![file()]), 60).await);
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_albums_that_look_the_same_prove_nothing() {
    let (world, pool) = one_account().await;
    let chat_id = chat_id(&pool, "backup_1", &world.demo("Demo supergroup")).await;
    let since = world.clock.now();
    let album = carrying("", vec![photo(&world, 1), photo(&world, 2)]);
    ids(&deliver(&pool, "backup_1", chat_id, &album, 1).await);
    ids(&deliver(&pool, "backup_1", chat_id, &album, 10).await);
    pool.stop(Duration::from_secs(5)).await;
    let pool = world.ready().await;
    assert_eq!(find(&pool, chat_id, &album, 20, since).await, MessageLookup::CannotTell);
    pool.stop(Duration::from_secs(5)).await;
}
