//! Sessions and records of other programs come in, and sessions leave again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use config::SessionSource;
use domain::account::AccountState;
use domain::secret::ExposeSecret;
use domain::{ChatId, Outcome};
use rusqlite::Connection;
use sandbox::telegram::FaultName;
use session_files::{Peer, PeerKind, Session};
use store::{FailedState, MasterKey, Page, Store, StoreOptions, StoredPeer};
use telegram::import::{
    Application, ExportError, ExportTo, ImportOrder, ImportReport, Input, Plan, SessionOutcome,
};
use telegram::{Action, NewAccount, Pool, RosterError};

use crate::it::world::{World, name, send_to, until, view};

/// An account that lives elsewhere so far: its session, and what its program knows.
struct Elsewhere {
    session: Session,
    peers: Vec<StoredPeer>,
}

/// A world in which only `main` is in the settings, and what another program has of `account`.
async fn moving(account: &str) -> (World, Elsewhere, tempfile::TempDir) {
    let mut world = World::new().await;
    let pool = world.ready().await;
    let peers = world.store.peers().all(&name(account)).await.expect("readable");
    pool.stop(std::time::Duration::from_secs(5)).await;
    let settings = world.settings.accounts.iter().find(|one| one.name == name(account)).expect("there");
    let SessionSource::Text(text) = &settings.sessions[0].source else { panic!("no string") };
    let session = session_files::read_text(text.expose_secret()).expect("a session").session;
    let folder = tempfile::tempdir().expect("a folder");
    world.store = Store::open(StoreOptions {
        data_dir: folder.path().join("data"),
        url: "sqlite:switchboard.db".to_owned(),
        clock: world.clock.clone(),
        master_key: MasterKey::File(folder.path().join("master.key")),
    })
    .await
    .expect("a store");
    (world.only(&["main"]), Elsewhere { session, peers }, folder)
}

impl Elsewhere {
    fn file(&self, folder: &Path, file: &str) -> PathBuf {
        let kind = |peer: &StoredPeer| match peer.kind {
            store::PeerKind::Bot => PeerKind::Bot,
            store::PeerKind::Group => PeerKind::Group,
            store::PeerKind::Supergroup => PeerKind::Supergroup,
            store::PeerKind::Channel => PeerKind::Channel,
            store::PeerKind::User | store::PeerKind::OwnUser => PeerKind::User,
        };
        let mut session = self.session.clone();
        session.peers = self
            .peers
            .iter()
            .map(|peer| Peer {
                id: peer.chat_id,
                access_hash: Some(peer.access_hash).filter(|_| peer.kind != store::PeerKind::Group),
                kind: kind(peer),
                username: peer.username.as_ref().map(ToString::to_string),
                name: Some(peer.title.clone()),
            })
            .collect();
        let path = folder.join(file);
        session_files::write_telethon(&path, &session).expect("written");
        path
    }

    fn titled(&self, title: &str) -> ChatId {
        let found = self.peers.iter().find(|peer| peer.title == title);
        found.unwrap_or_else(|| panic!("{title} is not among {:?}", self.peers)).chat_id
    }
}

fn application() -> Application {
    Application { api_id: 1_000_001, api_hash: "0123456789abcdef0123456789abcdef".into() }
}

fn order(paths: &[&Path]) -> ImportOrder {
    let inputs = paths.iter().map(|path| Input::Path((*path).to_owned())).collect();
    ImportOrder { inputs, application: Some(application()), ..ImportOrder::default() }
}

async fn import(pool: &Arc<Pool>, order: ImportOrder) -> ImportReport {
    pool.import(order).await.expect("imported")
}

fn whats(report: &ImportReport) -> Vec<SessionOutcome> {
    report.sessions.iter().map(|row| row.what).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn imported_session_writes_before_any_dialog_is_read() {
    let (world, elsewhere, folder) = moving("backup_1").await;
    let pool = world.ready().await;
    let file = elsewhere.file(folder.path(), "any_name.session");
    // The reading of the dialogs hangs in its first call, which no one answers: whatever else asked for dialogs
    // would be one call more.
    world.fault("backup_1", FaultName::Delay).method("messages.getDialogs").seconds(3600.0).on();
    let dialog_requests = || world.calls("backup_1", "messages.getDialogs");
    let (before, before_dialogs) = (world.calls("backup_1", "users.getUsers"), dialog_requests());
    let report = import(&pool, order(&[&file])).await;
    let [row] = report.sessions.as_slice() else { panic!("{report:?}") };
    assert_eq!((row.what, row.purposes.len()), (SessionOutcome::New, 4), "{row:?}");
    assert!(row.phone.as_deref().is_some_and(|phone| phone.contains('•')), "{row:?}");
    let account = row.account.clone().expect("an account");
    until("the account is ready", || view(&pool, account.as_str()).state != AccountState::Connecting).await;
    assert_eq!(view(&pool, account.as_str()).user_id, row.user_id);
    until("the dialogs are asked for", || dialog_requests() > before_dialogs).await;
    for (number, title) in ["Demo supergroup", "Demo group"].into_iter().enumerate() {
        let random_id = i64::try_from(number).expect("small") + 77;
        let before = dialog_requests();
        let outcome = send_to(&pool, account.as_str(), elsewhere.titled(title), title, random_id).await;
        assert!(matches!(outcome, Outcome::Sent { .. }), "{title}: {outcome:?}");
        assert_eq!(dialog_requests(), before, "{title}: no dialogs are read for the sake of a message");
    }
    assert_eq!(world.texts(), ["Demo supergroup", "Demo group"]);
    assert!(!view(&pool, account.as_str()).dialogs_complete);
    // A second time nothing is asked and nothing happens.
    let query_count = world.calls("backup_1", "users.getUsers");
    assert!(query_count > before);
    let again = import(&pool, order(&[&file])).await;
    assert_eq!(whats(&again), [SessionOutcome::Known]);
    assert_eq!(world.calls("backup_1", "users.getUsers"), query_count);
    pool.stop(std::time::Duration::from_secs(5)).await;
    // It is there after a restart too.
    let pool = world.pool().await;
    until("it is back", || view(&pool, account.as_str()).lines[0].state == AccountState::Ready).await;
    world.assert_no_unknown_calls();
}

#[tokio::test(flavor = "multi_thread")]
async fn dry_run_opens_nothing_and_merges_equal_keys() {
    let (world, elsewhere, folder) = moving("backup_1").await;
    let pool = world.ready().await;
    let sessions = folder.path().join("sessions");
    std::fs::create_dir(&sessions).expect("a folder");
    elsewhere.file(&sessions, "one.session");
    elsewhere.file(&sessions, "two.session");
    let before = world.calls("backup_1", "users.getUsers");
    let dry = import(&pool, ImportOrder { dry_run: true, ..order(&[&sessions]) }).await;
    assert!(dry.dry_run);
    assert_eq!(whats(&dry), [SessionOutcome::Unasked, SessionOutcome::Duplicate]);
    assert_eq!((world.calls("backup_1", "users.getUsers"), pool.accounts().len()), (before, 1));
    let report = import(&pool, order(&[&sessions])).await;
    assert_eq!(whats(&report), [SessionOutcome::New, SessionOutcome::Duplicate]);
    assert!(report.sessions[1].detail.as_deref().is_some_and(|detail| detail.contains("one.session")));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_application_a_stranger_is_stored_for_later() {
    let (world, elsewhere, folder) = moving("backup_1").await;
    let pool = world.ready().await;
    let file = elsewhere.file(folder.path(), "some.session");
    let kept = import(&pool, ImportOrder { application: None, ..order(&[&file]) }).await;
    assert_eq!(whats(&kept), [SessionOutcome::Ownerless]);
    assert_eq!(world.store.accounts().ownerless().await.expect("readable").len(), 1);
    let again = import(&pool, ImportOrder { application: None, ..order(&[&file]) }).await;
    assert_eq!(whats(&again), [SessionOutcome::Known]);
    let settled = import(&pool, order(&[&file])).await;
    assert_eq!(whats(&settled), [SessionOutcome::New]);
    assert_eq!(world.store.accounts().ownerless().await.expect("readable").len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_and_dead_sessions_join_no_account() {
    let (world, elsewhere, folder) = moving("backup_1").await;
    let pool = world.ready().await;
    let file = elsewhere.file(folder.path(), "some.session");
    let named = ImportOrder { account: Some(name("main")), ..order(&[&file]) };
    let report = import(&pool, named).await;
    assert_eq!(whats(&report), [SessionOutcome::OtherPerson]);
    for (fault, what) in [
        (FaultName::SessionRevoked, SessionOutcome::SignedOut),
        (FaultName::AuthKeyDuplicated, SessionOutcome::Duplicated),
        (FaultName::Banned, SessionOutcome::Banned),
    ] {
        let fault = world.fault("backup_1", fault).any_method().on();
        let report = import(&pool, order(&[&file])).await;
        assert_eq!(whats(&report), [what]);
        assert!(report.sessions[0].detail.is_some());
        world.telegram().remove_fault(fault);
    }
    assert_eq!(
        (pool.accounts().len(), world.store.accounts().ownerless().await.expect("readable").len()),
        (1, 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_sessions_are_listed_with_the_reason() {
    let (world, mut elsewhere, folder) = moving("backup_1").await;
    let pool = world.ready().await;
    let folder = folder.path();
    let half = elsewhere.file(folder, "half.session");
    let whole = std::fs::read(&half).expect("reads");
    std::fs::write(&half, &whole[..whole.len() / 2]).expect("writes");
    let newer = elsewhere.file(folder, "newer.session");
    Connection::open(&newer).expect("opens").execute("UPDATE version SET version = 99", []).expect("changes");
    let keyless = elsewhere.file(folder, "keyless.session");
    Connection::open(&keyless)
        .expect("opens")
        .execute("UPDATE sessions SET auth_key = x''", [])
        .expect("changes");
    let text = folder.join("text.session");
    std::fs::write(&text, "hello").expect("writes");
    elsewhere.session.dc_id = 9;
    elsewhere.session.address = "203.0.113.9:443".parse().ok();
    let nowhere = elsewhere.file(folder, "nowhere.session");
    let missing = folder.join("missing.session");
    let own = world.store.file().to_owned();
    let data = own.parent().expect("a folder").to_owned();
    let report =
        import(&pool, order(&[&half, &newer, &keyless, &text, &nowhere, &missing, &own, &data])).await;
    let why = |path: &Path| {
        let row = report.sessions.iter().find(|row| Path::new(&row.file) == path).expect("a row");
        assert_eq!(row.what, SessionOutcome::Unreadable, "{row:?}");
        row.detail.clone().unwrap_or_default()
    };
    for (path, word) in [
        (&half, "only in part"),
        (&newer, "version 99"),
        (&keyless, "not signed in"),
        (&text, "neither"),
        (&nowhere, "data centre 9"),
        (&missing, "cannot be opened"),
        (&own, "in use"),
        (&data, "in use"),
    ] {
        assert!(why(path).contains(word), "{}: {}", path.display(), why(path));
    }
    assert_eq!(pool.accounts().len(), 1);
}

const REGISTRY: &str = "
    CREATE TABLE chat_assignments (chat_id TEXT PRIMARY KEY, account_name TEXT, title TEXT, invite_link TEXT,
                                   created_at REAL, status TEXT);
    CREATE TABLE failed_requests (id INTEGER PRIMARY KEY, ts REAL, service TEXT, direction TEXT, endpoint TEXT,
                                  request_payload TEXT, error TEXT, status TEXT, retry_count INTEGER,
                                  last_retry_ts REAL, last_retry_error TEXT);
    INSERT INTO failed_requests VALUES
        (7, 1700000004.0, 'create_chat', 'inbound', '/create_chat', '{\"title\":\"Demo\"}', 'timeout', 'pending', 2, NULL,
         NULL);";

#[tokio::test(flavor = "multi_thread")]
async fn the_old_registry_is_imported_once_without_overwriting() {
    let world = World::new().await;
    let pool = world.ready().await;
    let peers = world.store.peers().all(&name("backup_1")).await.expect("readable");
    let group = peers.iter().find(|peer| peer.title == "Demo supergroup").expect("known").chat_id;
    let (left, strange) = (ChatId::channel(77).expect("an id"), ChatId::channel(78).expect("an id"));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("registry.db");
    let database = Connection::open(&file).expect("opens");
    database.execute_batch(REGISTRY).expect("made");
    for (chat, account, status) in
        [(group, "old_backup", "active"), (left, "main", "left"), (strange, "nobody", "active")]
    {
        let add =
            "INSERT INTO chat_assignments VALUES (?1, ?2, 'Demo', 'https://t.me/+demo', 1700000000, ?3)";
        database.execute(add, (chat.get().to_string(), account, status)).expect("added");
    }
    drop(database);
    let plan = || Plan::read("[names]\nold_backup = \"backup_1\"", Path::new("/"), |_| None).expect("a plan");
    let dry = import(&pool, ImportOrder { dry_run: true, plan: plan(), ..order(&[&file]) }).await;
    assert_eq!((dry.registries[0].chats_taken, dry.registries[0].failed_requests_taken), (3, 1), "{dry:?}");
    assert!(!pool.is_left(&left.get().to_string().parse().expect("a chat")));
    let report = import(&pool, ImportOrder { plan: plan(), ..order(&[&file]) }).await;
    let [registry] = report.registries.as_slice() else { panic!("{report:?}") };
    assert_eq!((registry.chats_taken, registry.failed_requests_taken), (3, 1), "{registry:?}");
    assert_eq!(registry.names_unknown.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["nobody"]);
    assert!(pool.is_left(&left.get().to_string().parse().expect("a chat")));
    let candidates = crate::it::world::candidates(&pool, &group.to_string(), None).await;
    assert_eq!(candidates.able[0].account.as_str(), "backup_1", "{candidates:?}");
    let kept = world.store.chats().get(group).await.expect("readable").expect("known");
    assert_eq!(kept.invite_link.as_deref(), Some("https://t.me/+demo"));
    let page = Page { limit: 10, cursor: None };
    let failed = world.store.failed_requests().list(&[], &page).await.expect("readable").items;
    assert_eq!(failed.len(), 1);
    assert_eq!((failed[0].state, failed[0].payload.as_str()), (FailedState::Pending, "{\"title\":\"Demo\"}"));
    let now = world.clock.now();
    // Nothing here can try it again: what it may have done already, no one knows.
    assert!(!world.store.failed_requests().retried(failed[0].id, now).await.expect("written"));
    assert!(world.store.failed_requests().drop(failed[0].id, now).await.expect("written"));
    let again = import(&pool, ImportOrder { plan: plan(), ..order(&[&file]) }).await;
    let registry = &again.registries[0];
    assert_eq!(
        (
            registry.chats_taken,
            registry.chats_known,
            registry.failed_requests_taken,
            registry.failed_requests_known
        ),
        (0, 3, 0, 1),
        "{registry:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn export_stops_the_account_and_includes_peers() {
    let world = World::new().await;
    let pool = world.ready().await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("main.session");
    let to = || ExportTo::TelethonFile(path.clone());
    let exported = pool.export(&name("backup_1"), None, to(), false).await.expect("exported");
    assert!(exported.stopped && exported.peers > 0);
    assert_eq!(view(&pool, "backup_1").state, AccountState::Offline);
    let found = session_files::read(&path).expect("a session");
    assert_eq!(found.session.peers.len(), exported.peers);
    let refused = pool.export(&name("backup_1"), None, to(), false).await.expect_err("it exists");
    assert!(refused.to_string().contains("already"), "{refused}");
    let string = pool.export(&name("main"), None, ExportTo::TelethonString, true).await.expect("exported");
    assert!(!string.stopped);
    assert_eq!(view(&pool, "main").state, AccountState::Ready);
    let read = session_files::read_text(string.text.expect("a string").expose_secret()).expect("a session");
    assert_eq!(read.session.dc_id, view(&pool, "main").lines[0].dc_id.expect("known"));
    let unknown = pool.export(&name("nobody"), None, ExportTo::TelethonString, true).await;
    assert!(matches!(unknown, Err(ExportError::NoSuchAccount(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_export_leaves_the_account_running() {
    let world = World::new().await;
    let pool = world.ready().await;
    let folder = tempfile::tempdir().expect("a folder");
    let to = || ExportTo::KurigramFile(folder.path().join("no such folder").join("backup_1.session"));
    let refused = pool.export(&name("backup_1"), None, to(), false).await.expect_err("nowhere to write");
    assert!(matches!(refused, ExportError::Unwritable(_)), "{refused}");
    until("it is back", || view(&pool, "backup_1").state == AccountState::Ready).await;
    pool.act(&name("backup_1"), Action::Stop).await.expect("stopped");
    assert!(pool.export(&name("backup_1"), None, to(), false).await.is_err());
    pool.stop(std::time::Duration::from_secs(5)).await;
    let pool = world.pool().await;
    assert_eq!(view(&pool, "backup_1").state, AccountState::Offline);
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_session_costs_the_others_nothing() {
    let (world, elsewhere, folder) = moving("backup_1").await;
    let pool = world.ready().await;
    let file = elsewhere.file(folder.path(), "some.session");
    let registry = folder.path().join("registry.db");
    Connection::open(&registry).expect("opens").execute_batch(REGISTRY).expect("made");
    let plan = format!(
        "[[session]]\nfile = {:?}\naccount = \"spare\"\n[[account]]\nname = \"spare\"\nphone = \"70000000002\"\n\
         [[session]]\nfile = \"/elsewhere.session\"\nskip = true",
        file.to_str().expect("UTF-8")
    );
    let plan = Plan::read(&plan, Path::new("/"), |_| None).expect("a plan");
    let report = import(&pool, ImportOrder { plan, ..order(&[&file, &registry]) }).await;
    assert_eq!(whats(&report), [SessionOutcome::Refused]);
    assert!(report.sessions[0].detail.as_deref().is_some_and(|why| why.contains("phone")), "{report:?}");
    assert_eq!(report.registries[0].failed_requests_taken, 1);
    assert!(report.notes.iter().any(|note| note.contains("/elsewhere.session")), "{:?}", report.notes);
    assert_eq!(whats(&import(&pool, order(&[&file])).await), [SessionOutcome::New]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_used_once_while_its_owner_is_queried() {
    let (world, elsewhere, folder) = moving("backup_1").await;
    let pool = world.ready().await;
    let file = elsewhere.file(folder.path(), "some.session");
    let kept = import(&pool, ImportOrder { application: None, ..order(&[&file]) }).await;
    assert_eq!(whats(&kept), [SessionOutcome::Ownerless]);
    pool.add_account(NewAccount {
        name: name("spare"),
        priority: 9,
        in_pool: true,
        api_id: 1_000_001,
        api_hash: "0123456789abcdef0123456789abcdef".into(),
        phone: None,
        proxy: None,
        limits: domain::account::SendingLimits::default(),
        keep: domain::KeepRule::default(),
    })
    .await
    .expect("added");
    // Telegram takes its time.
    let slow = world.fault("backup_1", FaultName::DropAnswer).method("users.getUsers").on();
    let before = world.calls("backup_1", "users.getUsers");
    let importing = Arc::clone(&pool);
    let again = ImportOrder { application: None, ..order(&[&file]) };
    let asking = tokio::spawn(async move { importing.import(again).await });
    until("it is asked", || world.calls("backup_1", "users.getUsers") > before).await;
    let session = world.store.accounts().ownerless().await.expect("readable")[0].fingerprint;
    let refused = pool.adopt_session(&name("spare"), session, &[]).await;
    assert!(matches!(refused, Err(RosterError::UnderImport)), "{refused:?}");
    world.telegram().remove_fault(slow);
    world.clock.advance(std::time::Duration::from_secs(16));
    let report = asking.await.expect("it ends").expect("imported");
    assert_eq!(whats(&report), [SessionOutcome::NoAnswer]);
    pool.adopt_session(&name("spare"), session, &[]).await.expect("free again");
    until("it works", || view(&pool, "spare").state == AccountState::Ready).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_at_rest_is_exported_at_once() {
    let world = World::new().await;
    let pool = Pool::at_rest(world.parts()).await.expect("at rest");
    let exported =
        pool.export(&name("backup_1"), None, ExportTo::TelethonString, false).await.expect("exported");
    assert!(exported.stopped && exported.text.is_some());
    pool.stop(std::time::Duration::from_secs(5)).await;
    let pool = world.pool().await;
    assert_eq!(view(&pool, "backup_1").state, AccountState::Offline);
}
