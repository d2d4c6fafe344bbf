//! Sessions, update state, holds, switches; and that keys are sealed on the disk.

use std::num::NonZeroU32;

use domain::account::SendingLimits;
use std::time::Duration;

use domain::account::{Flood, Operation, Reason};
use domain::media::Sha256;
use domain::secret::ExposeSecret;
use domain::{AccessHash, ChatId, FileKind, FileRule, Keep, KeepRule, Purpose, Secret, UserId};
use store::{
    FileReference, Hold, KeyFingerprint, Missed, OwnerlessSession, RemoteKind, SelfUser, SessionInUse,
    SessionsChange, StoredAccount, StoredLogin, StoredSession, Switch, TakenUpdates, UpdateChange,
    UpdateState, UploadState,
};

use crate::support::{World, account, chat, chat_number, conformance};

conformance! {
    sessions_are_kept_by_account_and_key,
    a_new_session_forgets_what_an_earlier_one_named,
    auth_keys_are_nowhere_in_the_files,
    update_state_is_kept_piece_by_piece,
    update_state_is_answered_before_commit_and_read_fresh,
    holds_last_until_their_deadline,
    switches_are_kept,
    accounts_are_added_changed_and_removed,
    session_purposes_change_as_a_whole,
    a_login_is_kept_sealed_until_it_is_over,
    restrictions_last_until_they_are_lifted,
    a_note_is_replaced_and_goes_with_its_account,
    work_of_an_account_is_under_way_until_it_is_over,
}

fn session(name: &str, seed: u8) -> StoredSession {
    let mut key = [0_u8; 256];
    for (index, byte) in (0_u8..=255).zip(key.iter_mut()) {
        *byte = index.wrapping_mul(31).wrapping_add(seed) ^ 0x5a;
    }
    StoredSession {
        account: account(name),
        fingerprint: KeyFingerprint::of(&key),
        dc_id: 2,
        auth_key: Secret::new(Box::new(key)),
        user: None,
    }
}

fn same(one: &StoredSession, other: &StoredSession) -> bool {
    one.account == other.account
        && one.fingerprint == other.fingerprint
        && one.dc_id == other.dc_id
        && one.user == other.user
        && one.auth_key.expose_secret() == other.auth_key.expose_secret()
}

async fn sessions_are_kept_by_account_and_key(world: World) {
    let accounts = world.store.accounts();
    let mut first = session("main", 1);
    let second = session("main", 2);
    let other = session("backup_1", 1);
    assert_eq!(first.fingerprint, other.fingerprint);
    for one in [&first, &second, &other] {
        accounts.save_session(one).await.unwrap();
    }
    first.dc_id = 4;
    first.user = Some(SelfUser {
        user_id: UserId::new(7).expect("an id"),
        username: Some("demo_main".into()),
        display_name: "Demo".into(),
    });
    accounts.save_session(&first).await.unwrap();
    for one in [&first, &second, &other] {
        let found = accounts.session(&one.account, one.fingerprint).await.unwrap().unwrap();
        assert!(same(&found, one), "{found:?}");
    }
    assert_eq!(accounts.sessions().await.unwrap().len(), 3);
    assert!(accounts.session(&account("fifth"), first.fingerprint).await.unwrap().is_none());
    assert!(!format!("{first:?}").contains(&first.auth_key.expose_secret()[0].to_string()));
}

async fn a_new_session_forgets_what_an_earlier_one_named(world: World) {
    let (accounts, files, content) = (world.store.accounts(), world.store.files(), Sha256([7; 32]));
    let (main, backup) = (account("main"), account("backup_1"));
    for one in [session("main", 1), session("backup_1", 1)] {
        accounts.save_session(&one).await.unwrap();
    }
    let saved_at = world.now();
    for name in [&main, &backup] {
        let reference = FileReference {
            kind: RemoteKind::Photo,
            id: 1,
            access_hash: AccessHash(2),
            file_reference: vec![3],
            saved_at,
        };
        files.save_reference(name, content, "photo", reference).await.unwrap();
        let upload = UploadState { file_id: 1, size: 5, part_size: 512, parts_done: 0, started_at: saved_at };
        files.save_upload(name, content, upload).await.unwrap();
    }
    let known = async |name| {
        let reference = files.reference(name, content, "photo").await.unwrap();
        (reference.is_some(), files.upload(name, content).await.unwrap().is_some())
    };
    assert_eq!(known(&main).await, (true, true));
    // The same session, signed in as a user now, is not a new one.
    let user =
        SelfUser { user_id: UserId::new(7).expect("an id"), username: None, display_name: "Demo".into() };
    accounts.save_session(&StoredSession { user: Some(user), ..session("main", 1) }).await.unwrap();
    assert_eq!(known(&main).await, (true, true));
    accounts.save_session(&session("main", 2)).await.unwrap();
    assert_eq!((known(&main).await, known(&backup).await), ((false, false), (true, true)));
}

async fn auth_keys_are_nowhere_in_the_files(world: World) {
    let session = session("main", 3);
    world.store.accounts().save_session(&session).await.unwrap();
    let key = session.auth_key.expose_secret();
    for _ in 0..2 {
        assert!(!world.holds(&key[..16]) && !world.holds(&key[240..]));
        // And again when the log was moved into the database file.
        world.store.clone().close().await;
    }
}

async fn update_state_is_kept_piece_by_piece(world: World) {
    let accounts = world.store.accounts();
    let main = account("main");
    assert_eq!(accounts.update_state(&main).await, Ok(None));
    let whole = UpdateState {
        pts: 10,
        qts: 20,
        date: 30,
        seq: 40,
        channels: vec![(1, 100), (2, 200)],
        saved_at: world.now(),
    };
    let changes = [
        UpdateChange::All(whole.clone()),
        UpdateChange::Primary { pts: 11, date: 31, seq: 41 },
        UpdateChange::Secondary { qts: 21 },
        UpdateChange::Channel { id: 2, pts: 201 },
        UpdateChange::Channel { id: 3, pts: 300 },
    ];
    for change in &changes {
        accounts.save_update_state(&main, change).await.unwrap();
    }
    let found = accounts.update_state(&main).await.unwrap().unwrap();
    let channels = vec![(1, 100), (2, 201), (3, 300)];
    let expected = UpdateState { pts: 11, qts: 21, date: 31, seq: 41, channels, saved_at: found.saved_at };
    assert_eq!(found, expected);
    assert!(found.saved_at >= whole.saved_at);

    accounts.save_update_state(&main, &UpdateChange::All(whole.clone())).await.unwrap();
    assert_eq!(accounts.update_state(&main).await, Ok(Some(whole)));
    let other = account("backup_1");
    accounts.save_update_state(&other, &UpdateChange::Secondary { qts: 5 }).await.unwrap();
    let found = accounts.update_state(&other).await.unwrap().unwrap();
    assert_eq!((found.pts, found.qts), (0, 5));
}

async fn update_state_is_answered_before_commit_and_read_fresh(world: World) {
    let accounts = world.store.accounts();
    let main = account("main");
    let before = world.store.written();
    for pts in 1..=500 {
        accounts.save_update_state(&main, &UpdateChange::Primary { pts, date: 0, seq: 0 }).await.unwrap();
    }
    assert_eq!(accounts.update_state(&main).await.unwrap().unwrap().pts, 500);
    let after = world.store.written();
    assert!(after.commits - before.commits < 50, "{before:?} {after:?}");
    // What no one asks for is written when the store is closed.
    accounts.save_update_state(&main, &UpdateChange::Primary { pts: 501, date: 0, seq: 0 }).await.unwrap();
    world.store.clone().close().await;
    let store = world.open_again().await.unwrap();
    assert_eq!(store.accounts().update_state(&main).await.unwrap().unwrap().pts, 501);
}

async fn holds_last_until_their_deadline(world: World) {
    let accounts = world.store.accounts();
    let now = world.now();
    let (early, late) = (now.plus(Duration::from_secs(10)), now.plus(Duration::from_secs(20)));
    let main = account("main");
    let flood = |until| Hold::Flood { account: main.clone(), operation: Operation::SendMessage, until };
    let slow = |until| Hold::SlowMode { account: main.clone(), chat_id: chat(), until };
    let mark = |why: &str| Hold::Mark {
        account: main.clone(),
        chat_id: chat_number(9),
        why: why.into(),
        at: if why == "kicked" { late } else { early },
    };
    // Of two deadlines the later one stays, whichever came first.
    for hold in [flood(late), flood(early), slow(early), slow(late), mark("muted"), mark("kicked")] {
        accounts.save_hold(hold).await.unwrap();
    }
    let holds = accounts.holds(early).await.unwrap();
    assert_eq!(holds.floods, [(main.clone(), Flood { operation: Operation::SendMessage, until: late })]);
    assert_eq!(holds.slow_modes, [(main.clone(), chat(), late)]);
    assert_eq!(holds.marks, [(main.clone(), chat_number(9), "kicked".to_owned(), late)]);
    let holds = accounts.holds(late).await.unwrap();
    assert!(holds.floods.is_empty() && holds.slow_modes.is_empty() && holds.marks.len() == 1);
    assert_eq!(accounts.lift_mark(&main, chat_number(9)).await, Ok(true));
    assert_eq!(accounts.lift_mark(&main, chat_number(9)).await, Ok(false));
}

async fn switches_are_kept(world: World) {
    let accounts = world.store.accounts();
    let (main, backup) = (account("main"), account("backup_1"));
    accounts.save_switch(&main, Switch::Paused).await.unwrap();
    accounts.save_switch(&main, Switch::Stopped).await.unwrap();
    accounts.save_switch(&backup, Switch::Paused).await.unwrap();
    assert_eq!(
        accounts.switches().await.unwrap(),
        [(backup.clone(), Switch::Paused), (main.clone(), Switch::Stopped)]
    );
    accounts.save_switch(&main, Switch::On).await.unwrap();
    assert_eq!(accounts.switches().await.unwrap(), [(backup, Switch::Paused)]);
}

fn added(name: &str) -> StoredAccount {
    StoredAccount {
        name: account(name),
        priority: 7,
        in_pool: true,
        api_id: 1_000_001,
        api_hash: "the hash of the application".into(),
        phone: Some("+70000000001".into()),
        proxy: None,
        limits: SendingLimits { per_hour: NonZeroU32::new(25), per_day: None },
        keep: KeepRule {
            rule: Keep::All,
            always: Vec::new(),
            never: vec![ChatId::user(7).unwrap()],
            files: FileRule { kinds: vec![FileKind::Photo], max_size: 5 },
        },
    }
}

fn ownerless(name: &str, seed: u8) -> OwnerlessSession {
    let StoredSession { fingerprint, dc_id, auth_key, user, .. } = session(name, seed);
    OwnerlessSession { fingerprint, dc_id, auth_key, user, origin: "found in a folder".to_owned() }
}

async fn accounts_are_added_changed_and_removed(world: World) {
    let accounts = world.store.accounts();
    assert!(accounts.add(&added("spare")).await.unwrap());
    assert!(!accounts.add(&StoredAccount { priority: 1, ..added("spare") }).await.unwrap());
    assert!(
        accounts
            .change(&StoredAccount { in_pool: false, proxy: Some("socks5://a:1".into()), ..added("spare") })
            .await
            .unwrap()
    );
    assert!(!accounts.change(&added("other")).await.unwrap());
    let all = accounts.added().await.unwrap();
    let [one] = &all[..] else { panic!("{all:?}") };
    assert_eq!((one.priority, one.in_pool, one.api_id), (7, false, 1_000_001));
    assert_eq!(one.keep, added("spare").keep);
    assert_eq!(one.api_hash.expose_secret(), "the hash of the application");
    assert_eq!(one.phone.as_ref().unwrap().expose_secret(), "+70000000001");
    assert_eq!(one.proxy.as_ref().unwrap().expose_secret(), "socks5://a:1");
    // Everything that is known only through it goes with it.
    let taken = session("spare", 1);
    accounts.save_session(&taken).await.unwrap();
    accounts.save_switch(&one.name, Switch::Paused).await.unwrap();
    accounts.save_restriction(&one.name, Reason::Frozen, world.now()).await.unwrap();
    let missed = vec![Missed { channel: None, since: world.now() }];
    let missed = TakenUpdates { missed, ..TakenUpdates::new(one.name.clone()) };
    world.store.received().take(missed).await.unwrap();
    let login = StoredLogin { account: one.name.clone(), record: "{}".into() };
    accounts.save_login(&login).await.unwrap();
    assert!(accounts.remove(&one.name, &[ownerless("spare", 1)]).await.unwrap());
    assert!(!accounts.remove(&one.name, &[]).await.unwrap());
    assert!(accounts.added().await.unwrap().is_empty() && accounts.sessions().await.unwrap().is_empty());
    assert!(world.store.received().gaps(&one.name).await.unwrap().is_empty());
    assert!(accounts.switches().await.unwrap().is_empty() && accounts.logins().await.unwrap().is_empty());
    assert!(accounts.restrictions().await.unwrap().is_empty());
    let kept = accounts.ownerless().await.unwrap();
    assert_eq!((kept.len(), kept[0].fingerprint), (1, taken.fingerprint));
    assert_eq!(kept[0].auth_key.expose_secret(), taken.auth_key.expose_secret());
    assert!(accounts.forget_ownerless(taken.fingerprint).await.unwrap());
    assert!(!accounts.forget_ownerless(taken.fingerprint).await.unwrap());
}

async fn session_purposes_change_as_a_whole(world: World) {
    let (accounts, main) = (world.store.accounts(), account("main"));
    let (first, second) = (session("main", 1), session("main", 2));
    // One that is only remembered is not in use.
    accounts.save_session(&first).await.unwrap();
    assert!(accounts.sessions_in_use().await.unwrap().is_empty());
    let in_use = |session: &StoredSession, purposes: &[Purpose]| SessionInUse {
        session: session.clone(),
        purposes: purposes.to_vec(),
    };
    let take = Some(in_use(&first, &Purpose::ALL));
    accounts.change_sessions(&main, &SessionsChange { take, ..SessionsChange::default() }).await.unwrap();
    // Writing it down again, as a connection does, changes nothing about that.
    accounts.save_session(&first).await.unwrap();
    accounts.save_login(&StoredLogin { account: main.clone(), record: "{}".into() }).await.unwrap();
    accounts.save_ownerless(&[ownerless("main", 2)]).await.unwrap();
    let change = SessionsChange {
        take: Some(in_use(&second, &[Purpose::SendText])),
        purposes: vec![(first.fingerprint, vec![Purpose::CreateChat, Purpose::LeaveChat])],
        ends_login: true,
        ..SessionsChange::default()
    };
    accounts.change_sessions(&main, &change).await.unwrap();
    let mut now = accounts.sessions_in_use().await.unwrap();
    now.sort_by_key(|one| one.purposes.len());
    assert_eq!(now[0].purposes, [Purpose::SendText]);
    assert_eq!(now[1].purposes, [Purpose::CreateChat, Purpose::LeaveChat]);
    assert!(same(&now[0].session, &second) && same(&now[1].session, &first));
    // What has an owner now is not without one, and who signed in is done with it.
    assert!(accounts.ownerless().await.unwrap().is_empty() && accounts.logins().await.unwrap().is_empty());
    let change = SessionsChange {
        drop: vec![second.fingerprint],
        keep: vec![ownerless("main", 2)],
        ..SessionsChange::default()
    };
    accounts.change_sessions(&main, &change).await.unwrap();
    assert_eq!(accounts.sessions_in_use().await.unwrap().len(), 1);
    assert_eq!(accounts.ownerless().await.unwrap()[0].origin, "found in a folder");
}

async fn a_login_is_kept_sealed_until_it_is_over(world: World) {
    let (accounts, main) = (world.store.accounts(), account("main"));
    for record in ["first and secret", "second and secret"] {
        accounts.save_login(&StoredLogin { account: main.clone(), record: record.into() }).await.unwrap();
    }
    let logins = accounts.logins().await.unwrap();
    assert_eq!((logins.len(), logins[0].record.expose_secret()), (1, "second and secret"));
    assert!(!world.holds(b"and secret"));
    assert!(accounts.forget_login(&main).await.unwrap());
    assert!(!accounts.forget_login(&main).await.unwrap());
}

async fn restrictions_last_until_they_are_lifted(world: World) {
    let (accounts, main, now) = (world.store.accounts(), account("main"), world.now());
    accounts.save_restriction(&main, Reason::PeerFlood, now).await.unwrap();
    accounts.save_restriction(&main, Reason::Frozen, now).await.unwrap();
    // What is found out again anyway is not kept.
    accounts.save_restriction(&account("other"), Reason::WrongUser, now).await.unwrap();
    assert_eq!(accounts.restrictions().await.unwrap(), [(main.clone(), Reason::Frozen, now)]);
    assert!(accounts.lift_restriction(&main).await.unwrap());
    assert!(!accounts.lift_restriction(&main).await.unwrap());
}

async fn a_note_is_replaced_and_goes_with_its_account(world: World) {
    let (accounts, spare, main) = (world.store.accounts(), account("spare"), account("main"));
    let at = world.now();
    accounts.add(&added("spare")).await.unwrap();
    for (text, by) in [("The SIM card is in the office.", "anna"), ("Ask Boris.", "this machine")] {
        accounts.save_note(&spare, text, at, by).await.unwrap();
    }
    let found = accounts.note(&spare).await.unwrap();
    assert_eq!(found, Some(("Ask Boris.".to_owned(), at, "this machine".to_owned())));
    accounts.save_note(&main, "another", at, "anna").await.unwrap();
    accounts.remove(&spare, &[]).await.unwrap();
    assert_eq!(accounts.note(&spare).await.unwrap(), None);
    for _ in 0..2 {
        accounts.forget_note(&main).await.unwrap();
        assert_eq!(accounts.note(&main).await.unwrap(), None);
    }
}

async fn work_of_an_account_is_under_way_until_it_is_over(world: World) {
    let (accounts, main) = (world.store.accounts(), account("main"));
    assert_eq!(accounts.open_work(&main).await.unwrap(), 0);
    let id = world.sending(1).await;
    assert_eq!(accounts.open_work(&main).await.unwrap(), 1);
    assert_eq!(accounts.open_work(&account("other")).await.unwrap(), 0);
    world.store.outbox().part_sent(world.sent(id, 0)).await.unwrap();
    assert_eq!(accounts.open_work(&main).await.unwrap(), 0);
}
