//! API keys: found by their hash, ended for good.

use std::time::Duration;

use domain::ApiKeyId;
use store::{ApiKey, Scope, StoreError};

use crate::support::{World, conformance};

conformance! {
    a_key_is_revoked_once,
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
