//! API keys: found by their hash, ended for good.

use std::num::NonZeroU32;
use std::time::Duration;

use domain::{ApiKeyId, KeyLimits};
use store::{ApiKey, Scope, StoreError};

use crate::support::{World, conformance};

conformance! {
    a_key_is_changed_while_it_works,
    a_key_is_revoked_once,
    a_use_is_noted_and_the_last_one_counts,
    the_environments_key_replaces_the_one_before,
    keys_are_found_by_hash,
}

fn new_key(world: &World, name: &str) -> ApiKey {
    ApiKey {
        id: ApiKeyId::from_uuid(world.ids.next()),
        name: name.into(),
        scopes: vec![Scope::Send, Scope::Read],
        created_at: world.now(),
        revoked_at: None,
        repeats: None,
        limits: KeyLimits::default(),
        expires_at: None,
        rate: None,
        burst: None,
        last_used: None,
    }
}

async fn keys_are_found_by_hash(world: World) {
    let keys = world.store.api_keys();
    let (first, second) = (new_key(&world, "n8n"), new_key(&world, ""));
    let second = ApiKey { scopes: Vec::new(), repeats: Some(Duration::from_mins(10)), ..second };
    keys.create(&first, [1; 32]).await.unwrap();
    keys.create(&second, [2; 32]).await.unwrap();
    assert_eq!(keys.find([1; 32]).await, Ok(Some(first.clone())));
    assert_eq!(keys.find([3; 32]).await, Ok(None));
    assert_eq!(keys.list().await, Ok(vec![first, second]));
    let twice = keys.create(&new_key(&world, "again"), [1; 32]).await;
    assert!(matches!(twice, Err(StoreError::Conflict { table: "api_keys", .. })), "{twice:?}");
}

fn limited(key: ApiKey) -> ApiKey {
    ApiKey {
        limits: KeyLimits {
            accounts: vec!["main".parse().unwrap()],
            chats: vec!["@demo_main".parse().unwrap(), "avito:shop/u2i-1".parse().unwrap()],
            channels: vec!["telegram".parse().unwrap()],
        },
        expires_at: Some(key.created_at.plus(Duration::from_hours(1))),
        rate: Some("10/s".parse().unwrap()),
        burst: NonZeroU32::new(20),
        ..key
    }
}

async fn a_key_is_changed_while_it_works(world: World) {
    let keys = world.store.api_keys();
    let (made, plain) = (limited(new_key(&world, "made")), new_key(&world, "plain"));
    keys.create(&made, [1; 32]).await.unwrap();
    keys.create(&plain, [2; 32]).await.unwrap();
    assert_eq!(keys.find([1; 32]).await, Ok(Some(made)));
    let changed = limited(ApiKey { name: "changed".into(), ..plain });
    assert_eq!(keys.change(&changed).await, Ok(true));
    assert_eq!(keys.get(changed.id).await, Ok(Some(changed.clone())));
    keys.revoke(changed.id, world.now()).await.unwrap();
    assert_eq!(keys.change(&new_key(&world, "unknown")).await, Ok(false));
    assert_eq!(keys.change(&changed).await, Ok(false));
}

async fn a_use_is_noted_and_the_last_one_counts(world: World) {
    let keys = world.store.api_keys();
    let key = new_key(&world, "n8n");
    keys.create(&key, [1; 32]).await.unwrap();
    let (first, last) = (world.now(), world.now().plus(Duration::from_mins(1)));
    keys.used(key.id, first, "192.0.2.1".parse().ok()).await.unwrap();
    keys.used(key.id, last, None).await.unwrap();
    // What comes after it is on the disk behind it.
    keys.create(&new_key(&world, "later"), [2; 32]).await.unwrap();
    assert_eq!(keys.get(key.id).await.unwrap().unwrap().last_used, Some((last, None)));
    keys.used(key.id, last, "2001:db8::1".parse().ok()).await.unwrap();
    keys.create(&new_key(&world, "latest"), [3; 32]).await.unwrap();
    let used = keys.get(key.id).await.unwrap().unwrap().last_used;
    assert_eq!(used, Some((last, "2001:db8::1".parse().ok())));
}

async fn a_key_is_revoked_once(world: World) {
    let keys = world.store.api_keys();
    let key = new_key(&world, "n8n");
    keys.create(&key, [1; 32]).await.unwrap();
    let at = world.now();
    assert_eq!(keys.revoke(key.id, at).await, Ok(true));
    assert_eq!(keys.revoke(key.id, world.now()).await, Ok(false));
    assert_eq!(keys.find([1; 32]).await.unwrap().unwrap().revoked_at, Some(at));
    let unknown = keys.revoke(new_key(&world, "").id, at).await;
    assert!(matches!(unknown, Err(StoreError::NotFound { .. })));
}

async fn the_environments_key_replaces_the_one_before(world: World) {
    let keys = world.store.api_keys();
    let made = new_key(&world, "made by hand");
    keys.create(&made, [9; 32]).await.unwrap();
    let first = new_key(&world, "bootstrap");
    keys.upsert_bootstrap(&first, [1; 32]).await.unwrap();
    let again = ApiKey { scopes: vec![Scope::Admin], ..new_key(&world, "bootstrap") };
    keys.upsert_bootstrap(&again, [1; 32]).await.unwrap();
    let found = keys.find([1; 32]).await.unwrap().unwrap();
    assert_eq!((found.id, found.scopes), (first.id, vec![Scope::Admin]));

    let second = new_key(&world, "bootstrap");
    keys.upsert_bootstrap(&second, [2; 32]).await.unwrap();
    assert!(keys.find([1; 32]).await.unwrap().unwrap().revoked_at.is_some());
    assert!(keys.find([2; 32]).await.unwrap().unwrap().revoked_at.is_none());
    keys.upsert_bootstrap(&new_key(&world, "bootstrap"), [1; 32]).await.unwrap();
    assert!(keys.find([1; 32]).await.unwrap().unwrap().revoked_at.is_none());
    assert!(keys.find([2; 32]).await.unwrap().unwrap().revoked_at.is_some());
    assert!(keys.find([9; 32]).await.unwrap().unwrap().revoked_at.is_none());
}
