//! Sessions, update state, holds, switches; and that keys lie on the disk sealed.

use std::time::Duration;

use domain::Secret;
use domain::account::{Flood, Operation};
use domain::secret::ExposeSecret;
use store::{Hold, KeyFingerprint, SelfUser, StoredSession, Switch, UpdateChange, UpdateState};

use crate::support::{World, account, chat, chat_number, conformance};

conformance! {
    sessions_are_kept_by_account_and_key,
    auth_keys_are_nowhere_in_the_files,
    update_state_is_kept_piece_by_piece,
    update_state_answers_before_the_commit_and_is_never_read_old,
    holds_last_until_their_deadline,
    switches_are_kept,
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
    first.user =
        Some(SelfUser { user_id: 7, username: Some("demo_main".into()), display_name: "Demo".into() });
    accounts.save_session(&first).await.unwrap();
    for one in [&first, &second, &other] {
        let found = accounts.session(&one.account, one.fingerprint).await.unwrap().unwrap();
        assert!(same(&found, one), "{found:?}");
    }
    assert_eq!(accounts.sessions().await.unwrap().len(), 3);
    assert!(accounts.session(&account("fifth"), first.fingerprint).await.unwrap().is_none());
    assert!(!format!("{first:?}").contains(&first.auth_key.expose_secret()[0].to_string()));
}

async fn auth_keys_are_nowhere_in_the_files(world: World) {
    let session = session("main", 3);
    world.store.accounts().save_session(&session).await.unwrap();
    let key = session.auth_key.expose_secret();
    let hexadecimal: String = key[..16]
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from_digit(u32::from(digit), 16).unwrap())
        .collect();
    let mut looked_at = 0;
    for _ in 0..2 {
        for file in std::fs::read_dir(world.dir.path().join("data")).unwrap() {
            let path = file.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
            assert!(!holds(&key[..16]) && !holds(&key[240..]) && !holds(hexadecimal.as_bytes()), "{path:?}");
            looked_at += bytes.len();
        }
        // And again when the log was moved into the database file.
        world.store.clone().close().await;
    }
    assert!(looked_at > 10_000);
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

async fn update_state_answers_before_the_commit_and_is_never_read_old(world: World) {
    let accounts = world.store.accounts();
    let main = account("main");
    let before = world.store.written();
    for pts in 1..=500 {
        accounts.save_update_state(&main, &UpdateChange::Primary { pts, date: 0, seq: 0 }).await.unwrap();
    }
    assert_eq!(accounts.update_state(&main).await.unwrap().unwrap().pts, 500);
    let after = world.store.written();
    assert!(after.commits - before.commits < 50, "{before:?} {after:?}");
    // What nobody asks for is written when the store is closed.
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
    let mark = |why: &str| Hold::Mark { account: main.clone(), chat_id: chat_number(9), why: why.into() };
    // Of two deadlines the later one stays, whichever came first.
    for hold in [flood(late), flood(early), slow(early), slow(late), mark("muted"), mark("kicked")] {
        accounts.save_hold(hold).await.unwrap();
    }
    let holds = accounts.holds(early).await.unwrap();
    assert_eq!(holds.floods, [(main.clone(), Flood { operation: Operation::SendMessage, until: late })]);
    assert_eq!(holds.slow_modes, [(main.clone(), chat(), late)]);
    assert_eq!(holds.marks, [(main.clone(), chat_number(9), "kicked".to_owned())]);
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
