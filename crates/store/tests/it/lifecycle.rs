//! Opening, closing, crashing, and who may open at all.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use ambient::Clock;
use domain::outcome::SentIds;
use domain::timeline::Step;
use domain::{MessageState, ProviderId};
use store::{
    Accepted, Disk, MasterKey, MasterKeyError, OpenError, PartSent, Store, StoreError, StoreOptions,
};

use crate::support::{World, accept, conformance, options, with_key};

conformance! {
    dropping_the_last_handle_closes_in_order,
    a_second_process_learns_the_name_of_the_first,
    a_closed_store_says_so,
    concurrent_writes_share_commits,
    files_are_for_their_owner_alone,
    another_master_key_is_refused,
    ended_messages_are_counted_by_the_minute,
    a_newer_database_is_left_alone,
    a_write_that_fails_does_not_hurt_its_group,
    what_many_write_at_once_is_what_each_would_write_alone;
    sqlite:
    answered_writes_are_on_the_disk_when_the_process_dies,
    a_power_cut_makes_a_repeatable_part_one_that_was_begun,
    a_damaged_file_is_named,
    every_write_has_its_failpoints,
}

async fn answered_writes_are_on_the_disk_when_the_process_dies(world: World) {
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(world.queued(1).await);
    }
    let (_killed, store) = copied(&world).await;
    let found: Vec<_> = store
        .outbox()
        .unfinished(None, 100)
        .await
        .unwrap()
        .readable
        .into_iter()
        .map(|message| message.id)
        .collect();
    assert_eq!(found, ids);
}

/// A store on a copy of the files as they are now, without the lock.
async fn copied(world: &World) -> (tempfile::TempDir, Store) {
    let killed = tempfile::tempdir().unwrap();
    fs::create_dir(killed.path().join("data")).unwrap();
    for name in ["store.json", "switchboard.db", "switchboard.db-wal", "master.key"] {
        let file = world.dir.path().join("data").join(name);
        let copy = killed.path().join("data").join(name);
        fs::copy(file, &copy).unwrap();
    }
    let store = Store::open(options(&killed, &world.clock)).await.unwrap();
    (killed, store)
}

async fn a_power_cut_makes_a_repeatable_part_one_that_was_begun(world: World) {
    let id = world.sending(1).await;
    let before = world.store.written();
    let (_disk, as_synced) = copied(&world).await;
    world.store.outbox().part_sent(world.sent(id, 0)).await.unwrap();
    let after = world.store.written();
    assert_eq!((after.commits - before.commits, after.synced - before.synced), (1, 0));
    let sent = world.store.outbox().get(id).await.unwrap().unwrap();
    let begun = as_synced.outbox().get(id).await.unwrap().unwrap();
    assert_eq!((sent.state, begun.state), (MessageState::Sent, MessageState::Sending));
    assert_eq!(begun.parts[0].random_id(), sent.parts[0].random_id());
    // By itself, without another write.
    while world.store.written().synced == before.synced {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

async fn dropping_the_last_handle_closes_in_order(world: World) {
    let id = world.queued(1).await;
    let options = world.options();
    let World { store, dir: _dir, postgres: _postgres, .. } = world;
    drop(store);
    let store = Store::open(options).await.unwrap();
    assert!(store.outbox().get(id).await.unwrap().is_some());
}

async fn a_second_process_learns_the_name_of_the_first(world: World) {
    let Err(error) = world.open_again().await else { panic!("opened twice") };
    let pid = std::process::id();
    assert!(matches!(error, OpenError::InUse { holder: Some(holder), .. } if holder == pid), "{error:?}");
    assert!(error.to_string().contains(&format!("process {pid}")), "{error}");
    world.store.clone().close().await;
    world.open_again().await.unwrap();
}

async fn a_closed_store_says_so(world: World) {
    let id = world.queued(1).await;
    world.store.clone().close().await;
    assert!(matches!(world.store.outbox().get(id).await, Err(StoreError::Unavailable(_))));
    let late = world.store.outbox().accept(accept(world.message(1))).await;
    assert!(matches!(late, Err(StoreError::Unavailable(_))), "{late:?}");
    world.store.clone().close().await;
    let names: Vec<_> = fs::read_dir(world.dir.path().join("data"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(!names.iter().any(|name| name.ends_with("-wal")), "{names:?}");
}

async fn concurrent_writes_share_commits(world: World) {
    let before = world.store.written();
    let tasks: Vec<_> = (0..500)
        .map(|_| {
            let (store, accept) = (world.store.clone(), accept(world.message(1)));
            tokio::spawn(async move { store.outbox().accept(accept).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), Ok(Accepted::New));
    }
    let after = world.store.written();
    assert_eq!(after.writes - before.writes, 500);
    assert!(after.commits - before.commits < 125, "{before:?} {after:?}");
    assert_eq!(world.store.outbox().unfinished(None, 1000).await.unwrap().readable.len(), 500);
}

async fn what_many_write_at_once_is_what_each_would_write_alone(world: World) {
    let tasks: Vec<_> = (0..100_u8)
        .map(|number| {
            let (store, message, again) = (world.store.clone(), world.message(1), world.message(1));
            let id = message.id;
            let begin = world.begin(id, 0);
            let message_ids = SentIds::one(Some(i64::from(number)));
            let sent = PartSent { message_ids, is_only: true, ..world.sent(id, 0) };
            tokio::spawn(async move {
                let outbox = store.outbox();
                assert_eq!(outbox.accept(with_key(message, number, 1)).await, Ok(Accepted::New));
                outbox.begin(begin.clone()).await.unwrap();
                if number % 10 == 0 {
                    let repeated = outbox.accept(with_key(again, number, 1)).await;
                    assert_eq!(repeated, Ok(Accepted::Repeated(id)));
                    outbox.begin(begin).await.unwrap();
                }
                outbox.part_sent(sent.clone()).await.unwrap();
                if number % 10 == 5 {
                    outbox.part_sent(sent).await.unwrap();
                }
                (id, number)
            })
        })
        .collect();
    for task in tasks {
        let (id, number) = task.await.unwrap();
        let message = world.get(id).await;
        assert_eq!(message.state, MessageState::Sent);
        let sent = ProviderId::from(i64::from(number));
        assert_eq!(message.parts[0].items[0].message_id, Some(sent));
        assert_eq!(world.steps(id).await, [Step::Accepted, Step::Begun, Step::Sent]);
    }
    assert_eq!(world.number("SELECT count(*) FROM outbox"), 100);
}

async fn a_write_that_fails_does_not_hurt_its_group(world: World) {
    let known = world.queued(1).await;
    let tasks: Vec<_> = (0..100)
        .map(|number| {
            let mut message = world.message(1);
            if number % 10 == 0 {
                message.id = known;
            }
            let store = world.store.clone();
            tokio::spawn(async move { (number, store.outbox().accept(accept(message)).await) })
        })
        .collect();
    for task in tasks {
        let (number, answer) = task.await.unwrap();
        if number % 10 == 0 {
            assert!(matches!(answer, Err(StoreError::Conflict { table: "outbox", .. })), "{answer:?}");
        } else {
            assert_eq!(answer, Ok(Accepted::New));
        }
    }
    assert_eq!(world.store.outbox().unfinished(None, 1000).await.unwrap().readable.len(), 91);
    assert_eq!(world.steps(known).await.len(), 1);
}

async fn files_are_for_their_owner_alone(world: World) {
    world.queued(1).await;
    let data = world.dir.path().join("data");
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(data.clone()), 0o700);
    for file in fs::read_dir(&data).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(path.clone()), 0o600, "{path:?}");
    }
    let file = world.dir.path().join("file");
    fs::write(&file, "").unwrap();
    let blocked = StoreOptions { data_dir: file.join("data"), ..world.options() };
    let Err(error) = Store::open(blocked).await else { panic!("opened inside a file") };
    assert!(
        matches!(error, OpenError::NotWritable { .. }) && error.to_string().contains("--data-dir"),
        "{error}"
    );
}

async fn ended_messages_are_counted_by_the_minute(world: World) {
    let since = world.clock.now().minus(std::time::Duration::from_mins(5));
    assert_eq!(world.store.outbox().ended_by_minute(since).await.unwrap(), []);
    let id = world.queued(1).await;
    let failure = domain::outcome::Failure::Rejected { provider_code: "CHAT_RESTRICTED".into() };
    let at = world.clock.now();
    assert!(world.store.outbox().fail(store::Fail { id, failure, at }).await.unwrap());
    let ended = world.store.outbox().ended_by_minute(since).await.unwrap();
    assert_eq!(
        ended.iter().map(|one| (one.service, one.sent, one.failed)).collect::<Vec<_>>(),
        [(Some(domain::Service::SendText), 0, 1)]
    );
    let later = world.clock.now().plus(std::time::Duration::from_mins(1));
    assert_eq!(world.store.outbox().ended_by_minute(later).await.unwrap(), []);
}

async fn another_master_key_is_refused(world: World) {
    world.store.clone().close().await;
    let with = |master_key| StoreOptions { master_key, ..world.options() };
    let Err(error) = world.open_with(with(MasterKey::Given("ab".repeat(32).into()))).await else {
        panic!("opened")
    };
    assert!(matches!(error, OpenError::MasterKey(MasterKeyError::Wrong { .. })), "{error:?}");
    let Err(error) = world.open_with(with(MasterKey::Given("short".into()))).await else { panic!("opened") };
    assert!(matches!(error, OpenError::MasterKey(MasterKeyError::Malformed { .. })), "{error:?}");

    let file = world.dir.path().join("data/master.key");
    let text = fs::read_to_string(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let Err(error) = world.open_again().await else { panic!("opened") };
    assert!(matches!(error, OpenError::MasterKey(MasterKeyError::Missing { .. })), "{error:?}");
    assert!(!file.exists());
    world.open_with(with(MasterKey::Given(text.into()))).await.unwrap();
}

async fn a_damaged_file_is_named(world: World) {
    world.store.clone().close().await;
    let file = world.dir.path().join("data/switchboard.db");
    fs::write(&file, "this is no database, but long enough to be looked at as one. ".repeat(100)).unwrap();
    let Err(error) = world.open_again().await else { panic!("opened") };
    assert!(matches!(error, OpenError::Corrupt { .. }), "{error:?}");
    assert!(error.to_string().contains("switchboard.db"), "{error}");
}

async fn a_newer_database_is_left_alone(world: World) {
    world.store.clone().close().await;
    world.run("INSERT INTO schema_migrations VALUES (999, 'later', 0)");
    let Err(error) = world.open_again().await else { panic!("opened") };
    assert!(matches!(error, OpenError::Newer { found: 999, .. }), "{error:?}");
}

async fn every_write_has_its_failpoints(_: World) {
    let names = [
        "accept",
        "begin",
        "part_sent",
        "part_unsent",
        "fail",
        "doubt",
        "cancel",
        "retry",
        "resolve",
        "approve",
        "reject",
        "note",
        "answered",
        "unanswered",
        "save_session",
        "save_update_state",
        "save_hold",
        "save_switch",
        "save_peers",
        "save_fill",
        "lift_mark",
        "create_key",
        "change_key",
        "revoke_key",
        "leave_peer",
        "accept_saga",
        "saga_begin",
        "saga_save",
        "saga_cancel",
        "saga_retry",
        "saga_resolve",
        "saga_note",
        "saga_answered",
        "saga_unanswered",
        "change_chat",
        "migrate_chat",
        "forget_unresolved",
        "save_service",
        "callback_delivered",
        "callback_failed",
        "callback_requeue",
        "retry_failed_request",
        "drop_failed_request",
        "save_reference",
        "forget_reference",
        "save_upload",
        "drop_messages",
        "drop_keys",
        "drop_joins",
        "drop_holds",
        "drop_sagas",
        "drop_failovers",
        "drop_unresolved",
        "drop_callbacks",
        "add_account",
        "change_account",
        "remove_account",
        "change_sessions",
        "save_ownerless",
        "forget_ownerless",
        "save_login",
        "forget_login",
        "save_restriction",
        "lift_restriction",
        "drop_failed_requests",
        "drop_references",
        "drop_uploads",
        "count_account",
        "drop_sent_counts",
        "import_peers",
        "import_chats",
        "import_requests",
        "import_failovers",
        "save_clearing",
        "save_alerts",
        "alert_delivered",
        "alert_notified",
        "alert_put_off",
        "alert_given_up",
        "alert_target_off",
        "add_alert_target",
        "remove_alert_target",
        "save_alert_mute",
        "forget_alert_mute",
        "add_maintenance",
        "remove_maintenance",
        "drop_alerts",
        "drop_alert_notices",
        "account_states",
        "drop_events",
        "add_webhook",
        "change_webhook",
        "pause_webhook",
        "resume_webhook",
        "disable_webhook",
        "remove_webhook",
        "replay_webhook",
        "retry_webhook",
        "make_next_key",
        "name_next_key",
        "seal_again",
        "adopt_key",
        "replace_key",
        "fan_out",
        "webhook_tried",
        "drop_webhook_deliveries",
        "trim_webhook",
        "hurry_webhook",
        "drop_webhook_posts",
        "drop_received",
        "drop_received_files",
        "drop_channel_messages",
        "drop_channel_files",
        "drop_old_rows",
        "take_updates",
        "change_gap",
        "note_received_file",
        "take_from_channel",
        "keep_channel_values",
        "note_channel_file",
        "save_flow_run",
        "switch_flow",
        "save_campaign",
        "add_campaign_tasks",
        "change_campaign_run",
        "claim_campaign_task",
        "ready_campaign_attempt",
        "end_campaign_attempt",
        "save_flow_definition",
        "remove_flow_definition",
        "pipeline_take_in",
        "pipeline_advance",
        "pipeline_answer",
        "pipeline_submitted",
        "pipeline_change",
    ];
    let expected: Vec<String> = names
        .iter()
        .flat_map(|name| [format!("store.{name}.before"), format!("store.{name}.after")])
        .collect();
    assert_eq!(Store::FAILPOINTS, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lease_ends_with_the_store_while_handles_live() {
    let world = World::on_postgres().await;
    let elsewhere = tempfile::tempdir().unwrap();
    fs::create_dir(elsewhere.path().join("data")).unwrap();
    let key = |dir: &std::path::Path| dir.join("data/master.key");
    fs::copy(key(world.dir.path()), key(elsewhere.path())).unwrap();
    let on_another_machine = || StoreOptions { data_dir: elsewhere.path().join("data"), ..world.options() };
    let Err(held) = Store::open(on_another_machine()).await else { panic!("opened twice") };
    let holder = format!("process {}", std::process::id());
    assert!(matches!(held, OpenError::Held { .. }) && held.to_string().contains(&holder), "{held}");
    let handle = world.store.clone();
    world.store.clone().close().await;
    let id = world.id();
    let second = Store::open(on_another_machine()).await.unwrap();
    assert_eq!(second.outbox().get(id).await, Ok(None));
    drop(handle);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_callers_share_a_few_connections_to_a_server() {
    let world = World::on_postgres().await;
    let asking: Vec<_> = (0..200)
        .map(|_| {
            let (store, accept) = (world.store.clone(), accept(world.message(1)));
            tokio::spawn(async move {
                let id = accept.message.id;
                store.outbox().accept(accept).await.unwrap();
                store.outbox().get(id).await.unwrap().is_some()
            })
        })
        .collect();
    for one in asking {
        assert!(one.await.unwrap());
    }
    let sessions = "SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'switchboard'";
    assert_eq!(world.number(sessions), 4, "one writes, two read, one holds the lease");
}

#[tokio::test]
async fn an_unsupported_database_address_is_refused_first() {
    let dir = tempfile::tempdir().unwrap();
    let options = StoreOptions { url: "mysql://example.com/db".into(), ..options(&dir, &Clock::system()) };
    let Err(error) = Store::open_on(options, Disk::default()).await else { panic!("opened") };
    assert!(matches!(error, OpenError::UnsupportedUrl { .. }), "{error:?}");
    assert!(!dir.path().join("data").exists());
}
