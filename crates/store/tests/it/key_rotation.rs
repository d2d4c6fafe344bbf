//! Another master key: everything sealed opens with it alone, whatever is written or cut off meanwhile.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use domain::secret::ExposeSecret;
use domain::{ChannelName, EventFilter, EventId, Role, Secret, SecretText, WebhookId};
use store::{
    KeyFingerprint, KeyRotation, KeyRotationError, MasterKey, MasterKeyError, NewUser, OpenError,
    OwnerlessSession, Store, StoreOptions, StoredAccount, StoredLogin, StoredSession, StoredTarget,
    StoredWebhook, WebhookSecrets,
};

use crate::support::{World, account, conformance};

conformance! {
    everything_sealed_opens_with_the_new_key_alone,
    values_sealed_during_a_rotation_open_afterwards,
    a_rotation_that_was_cut_off_is_finished,
    a_key_from_outside_is_not_rotated,
}

fn key_file(world: &World) -> PathBuf {
    world.dir.path().join("data/master.key")
}

fn text(text: &str) -> SecretText {
    SecretText::from(text.to_owned())
}

fn channel() -> ChannelName {
    "avito".parse().unwrap()
}

fn session(name: &str, seed: u8) -> StoredSession {
    let key = [seed; 256];
    StoredSession {
        account: account(name),
        fingerprint: KeyFingerprint::of(&key),
        dc_id: 2,
        auth_key: Secret::new(Box::new(key)),
        user: None,
    }
}

/// One of everything that is sealed: thirteen fields.
async fn fill(world: &World) -> WebhookId {
    let (store, now) = (&world.store, world.now());
    let added = StoredAccount {
        name: account("added"),
        priority: 1,
        in_pool: true,
        api_id: 1_000_001,
        api_hash: text("made-up"),
        phone: Some(text("+70000000001")),
        proxy: Some(text("socks5://127.0.0.1:1080")),
        limits: domain::account::SendingLimits::default(),
        keep: domain::KeepRule::default(),
    };
    assert_eq!(store.accounts().add(&added).await, Ok(true));
    store.accounts().save_session(&session("main", 1)).await.unwrap();
    let kept = OwnerlessSession {
        fingerprint: KeyFingerprint::of(&[9; 256]),
        dc_id: 2,
        auth_key: Secret::new(Box::new([9; 256])),
        user: None,
        origin: "a test".to_owned(),
    };
    store.accounts().save_ownerless(&[kept]).await.unwrap();
    let login = StoredLogin { account: account("main"), record: text("a login") };
    store.accounts().save_login(&login).await.unwrap();
    for name in ["anna", "boris"] {
        let user =
            NewUser { name: name.parse().unwrap(), role: Role::Admin, password: text("words"), at: now };
        assert_eq!(store.users().add(&user).await, Ok(true));
        let secret = Secret::new(Box::new(b"a factor".to_vec()));
        assert_eq!(store.users().offer_factor(&user.name, &secret).await, Ok(true));
    }
    let anna = store.users().get(&"anna".parse().unwrap()).await.unwrap().unwrap();
    let offered = anna.offered.unwrap();
    assert_eq!(store.users().confirm_factor(&anna.name, offered, 1, Vec::new()).await, Ok(true));
    let target = StoredTarget {
        name: "hook".into(),
        record: text("a target"),
        created_at: now,
        created_by: "anna".into(),
    };
    assert_eq!(store.alerts().add_target(&target).await, Ok(true));
    let values = vec![("token".to_owned(), text("a token"))];
    store.channels().keep_values(channel(), account("shop"), values).await.unwrap();
    let id = WebhookId::from_uuid(world.ids.next());
    let webhook = StoredWebhook {
        id,
        secrets: WebhookSecrets {
            url: text("https://example.com/hook"),
            secret: text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            previous: Vec::new(),
            headers: Vec::new(),
            form: None,
        },
        description: None,
        filter: EventFilter::default(),
        ordered: false,
        created_at: now,
        created_by: "anna".to_owned(),
        paused_at: None,
        disabled: None,
        cursor: EventId::ZERO,
        replay: None,
        delivered_at: None,
        failing_since: None,
        failures: 0,
        last_error: None,
    };
    store.webhooks().add(&webhook).await.unwrap();
    id
}

/// Opens all of it.
async fn is_whole(store: &Store, webhook: WebhookId) {
    let accounts = store.accounts();
    let added = accounts.added().await.unwrap();
    assert_eq!(added[0].api_hash.expose_secret(), "made-up");
    assert_eq!(added[0].phone.as_ref().unwrap().expose_secret(), "+70000000001");
    assert_eq!(added[0].proxy.as_ref().unwrap().expose_secret(), "socks5://127.0.0.1:1080");
    let kept = accounts.session(&account("main"), KeyFingerprint::of(&[1; 256])).await.unwrap().unwrap();
    assert_eq!(kept.auth_key.expose_secret(), &[1; 256]);
    assert_eq!(accounts.ownerless().await.unwrap()[0].auth_key.expose_secret(), &[9; 256]);
    assert_eq!(accounts.logins().await.unwrap()[0].record.expose_secret(), "a login");
    let users = store.users().list().await.unwrap();
    assert_eq!(users.len(), 2);
    for user in users {
        assert_eq!(user.password.expose_secret(), "words");
        let (factor, offered) = (user.factor.map(|one| one.secret), user.offered.map(|one| one.secret));
        assert_eq!(factor.or(offered).unwrap().expose_secret(), b"a factor");
    }
    assert_eq!(store.alerts().targets().await.unwrap()[0].record.expose_secret(), "a target");
    let values = store.channels().values(&channel(), &account("shop")).await.unwrap();
    assert_eq!(values["token"].expose_secret(), "a token");
    let webhook = store.webhooks().get(webhook).await.unwrap().unwrap();
    assert_eq!(webhook.secrets.url.expose_secret(), "https://example.com/hook");
}

async fn everything_sealed_opens_with_the_new_key_alone(world: World) {
    let webhook = fill(&world).await;
    let old = fs::read_to_string(key_file(&world)).unwrap();
    assert_eq!(world.store.rotate_master_key().await.unwrap(), KeyRotation { fields: 13 });
    let new = fs::read_to_string(key_file(&world)).unwrap();
    assert_ne!(old, new);
    assert_eq!(fs::metadata(key_file(&world)).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!world.store.is_rotating_master_key());
    is_whole(&world.store, webhook).await;
    world.store.clone().close().await;

    let given = |key: &str| StoreOptions {
        master_key: MasterKey::Given(key.trim().to_owned().into()),
        ..world.options()
    };
    let refused = world.open_with(given(&old)).await.err();
    assert!(matches!(refused, Some(OpenError::MasterKey(MasterKeyError::Wrong { .. }))), "{refused:?}");
    let store = world.open_with(given(&new)).await.unwrap();
    is_whole(&store, webhook).await;
    store.close().await;
    // As often as one likes.
    let store = world.open_again().await.unwrap();
    assert_eq!(store.rotate_master_key().await.unwrap(), KeyRotation { fields: 13 });
    assert_eq!(store.rotate_master_key().await.unwrap(), KeyRotation { fields: 13 });
    is_whole(&store, webhook).await;
    store.close().await;
    let store = world.open_again().await.unwrap();
    is_whole(&store, webhook).await;
    store.close().await;
}

async fn values_sealed_during_a_rotation_open_afterwards(world: World) {
    let webhook = fill(&world).await;
    let store = world.store.clone();
    let writing = tokio::spawn(async move {
        for seed in 10..110_u8 {
            store.accounts().save_session(&session("busy", seed)).await.unwrap();
        }
    });
    let mut fields = 0;
    while !writing.is_finished() {
        fields += world.store.rotate_master_key().await.unwrap().fields;
    }
    writing.await.unwrap();
    assert!(fields >= 13, "{fields}");
    world.store.clone().close().await;
    let store = world.open_again().await.unwrap();
    is_whole(&store, webhook).await;
    for seed in 10..110_u8 {
        let one = session("busy", seed);
        let found = store.accounts().session(&one.account, one.fingerprint).await.unwrap().unwrap();
        assert_eq!(found.auth_key.expose_secret(), one.auth_key.expose_secret(), "{seed}");
    }
    store.close().await;
}

async fn a_rotation_that_was_cut_off_is_finished(world: World) {
    let webhook = fill(&world).await;
    world.store.clone().close().await;
    // Only the next key was made.
    let next = world.dir.path().join("data/master.key.next");
    fs::write(&next, "11".repeat(32)).unwrap();
    fs::set_permissions(&next, PermissionsExt::from_mode(0o600)).unwrap();
    let store = world.open_again().await.unwrap();
    assert!(store.is_rotating_master_key());
    is_whole(&store, webhook).await;
    // What is sealed now has the next key: without it nothing opens.
    store.accounts().save_session(&session("later", 3)).await.unwrap();
    store.close().await;
    fs::rename(&next, next.with_extension("away")).unwrap();
    let refused = world.open_again().await.err();
    assert!(matches!(refused, Some(OpenError::MasterKey(MasterKeyError::NextMissing { .. }))), "{refused:?}");
    fs::rename(next.with_extension("away"), &next).unwrap();

    let store = world.open_again().await.unwrap();
    let copy = world.dir.path().join("copy.db");
    assert!(store.snapshot(&copy).await.is_err(), "a copy with fields of two keys opens with neither");
    assert_eq!(store.rotate_master_key().await.unwrap(), KeyRotation { fields: 13 });
    assert_eq!(fs::read_to_string(key_file(&world)).unwrap(), "11".repeat(32));
    assert!(!next.exists());
    is_whole(&store, webhook).await;
    store.close().await;
    let store = world.open_again().await.unwrap();
    is_whole(&store, webhook).await;
    assert!(
        store.accounts().session(&account("later"), session("later", 3).fingerprint).await.unwrap().is_some()
    );
    store.close().await;
}

async fn a_key_from_outside_is_not_rotated(world: World) {
    world.store.clone().close().await;
    let key = fs::read_to_string(key_file(&world)).unwrap();
    let given = MasterKey::Given(key.trim().to_owned().into());
    let store = world.open_with(StoreOptions { master_key: given, ..world.options() }).await.unwrap();
    let refused = store.rotate_master_key().await.err();
    assert!(matches!(refused, Some(KeyRotationError::Given)), "{refused:?}");
    assert_eq!(fs::read_to_string(key_file(&world)).unwrap(), key);
    store.close().await;
}
