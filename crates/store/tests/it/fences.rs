//! Fences: who may open a store, and which accounts are opened.

use domain::AccountName;
use store::{Fence, OpenError, Side};

use crate::support::{World, conformance};

conformance! {
    only_the_side_that_holds_the_sessions_opens_the_store,
    accounts_are_opened_one_by_one_and_the_number_only_grows,
}

fn side(id: &str) -> Side {
    Side { id: id.to_owned(), name: format!("{id}.example.com") }
}

fn fence(world: &World, number: i64, from: &str, to: &str) -> Fence {
    Fence { number, holder: side(to), giver: side(from), at: world.now() }
}

fn accounts(names: &[&str]) -> Vec<AccountName> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

async fn only_the_side_that_holds_the_sessions_opens_the_store(world: World) {
    let data_dir = world.options().data_dir;
    let there = fence(&world, 1, "old", "new");
    world.store.fences().give(&there, &[]).await.unwrap();
    world.store.clone().close().await;
    // A directory that never was a side, such as one that a backup was put into.
    world.open_again().await.unwrap().close().await;

    store::side_of(&data_dir, || side("old")).unwrap();
    let Err(OpenError::GivenUp { fence: held, .. }) = world.open_again().await else { panic!("it opened") };
    assert_eq!(*held, there);
    // It takes them back.
    let back = fence(&world, 2, "new", "old");
    store::remember_fence(&data_dir, &back).unwrap();
    let store = world.open_again().await.unwrap();
    store.fences().give(&back, &[]).await.unwrap();
    assert_eq!(store.fences().newest().await, Ok(Some(back)));
    store.close().await;
    // A store from before it gave them up for good is no way round it.
    store::remember_fence(&data_dir, &fence(&world, 3, "old", "new")).unwrap();
    assert!(matches!(world.open_again().await, Err(OpenError::GivenUp { .. })));
}

async fn accounts_are_opened_one_by_one_and_the_number_only_grows(world: World) {
    let fences = world.store.fences();
    assert_eq!(fences.newest().await, Ok(None));
    let (second, third) = (fence(&world, 2, "old", "new"), fence(&world, 3, "new", "old"));
    fences.give(&second, &accounts(&["main", "backup_1"])).await.unwrap();
    assert_eq!(fences.not_opened().await, Ok(accounts(&["backup_1", "main"])));
    fences.open(&"backup_1".parse().unwrap(), world.now()).await.unwrap();
    assert_eq!(fences.not_opened().await, Ok(accounts(&["main"])));
    // Given again, as after a kill, it changes nothing.
    for again in [&second, &fence(&world, 1, "new", "old")] {
        fences.give(again, &accounts(&["main", "backup_1"])).await.unwrap();
        assert_eq!(fences.newest().await, Ok(Some(second.clone())));
        assert_eq!(fences.not_opened().await, Ok(accounts(&["main"])));
    }
    fences.give(&third, &[]).await.unwrap();
    assert_eq!(fences.not_opened().await, Ok(Vec::new()));
}
