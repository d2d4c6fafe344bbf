//! People of the dashboard: the last admin stays, sessions end with what they rest on, codes are taken once, the audit
//! log counts and has bounds.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{ExposeSecret, Role, Secret, SecretText, SessionId, Timestamp, UserName};
use store::{
    AuditEntry, AuditFilter, AuditRecord, AuditResult, AuditWho, BeginSession, Keeping, NewUser, Page,
    StoreError, Swept, UserChange,
};

use crate::support::{World, conformance};

conformance! {
    a_user_is_added_once_and_the_password_is_never_stored_open,
    the_last_admin_cannot_be_demoted_or_removed,
    sessions_end_with_the_password_and_the_user,
    a_session_rests_on_the_password_that_was_checked,
    the_oldest_of_too_many_sessions_ends,
    a_factor_is_confirmed_as_offered_and_each_code_works_once,
    a_factor_in_force_is_not_replaced,
    the_audit_log_is_filtered_and_paged,
    the_same_again_is_counted,
    sessions_and_the_audit_log_go_in_time,
    the_audit_log_has_bounds,
}

fn name(text: &str) -> UserName {
    text.parse().unwrap()
}

async fn add(world: &World, who: &str, role: Role) -> UserName {
    let user = NewUser { name: name(who), role, password: SecretText::from("plain words"), at: world.now() };
    assert_eq!(world.store.users().add(&user).await, Ok(true));
    user.name
}

async fn begin(world: &World, user: &UserName, token: u8) -> SessionId {
    let id = SessionId::from_uuid(world.ids.next());
    let password_at = world.store.users().get(user).await.unwrap().unwrap().password_at;
    let session = BeginSession {
        token: [token; 32],
        id,
        user: user.clone(),
        password_at,
        at: world.now(),
        address: Some("192.0.2.1".parse().unwrap()),
        browser: Some("Demo/1".into()),
        device: [token; 32],
        known_as: Vec::new(),
        known_as_since: Timestamp::default(),
    };
    assert_eq!(world.store.user_sessions().begin(&session).await, Ok(true));
    id
}

async fn is_there(world: &World, token: u8) -> bool {
    world.store.user_sessions().find([token; 32]).await.unwrap().is_some()
}

async fn a_user_is_added_once_and_the_password_is_never_stored_open(world: World) {
    assert_eq!(world.store.users().is_empty().await, Ok(true));
    let at = world.now();
    let first = NewUser { name: name("Admin"), role: Role::Admin, password: "plain words".into(), at };
    assert_eq!(world.store.users().add_first(&first).await, Ok(true));
    assert_eq!(world.store.users().add_first(&first).await, Ok(false));
    let again = NewUser { name: name("admin"), role: Role::Viewer, password: "other".into(), at };
    assert_eq!(world.store.users().add(&again).await, Ok(false));
    let found = world.store.users().get(&name("ADMIN")).await.unwrap().unwrap();
    assert_eq!((found.role, found.password.expose_secret()), (Role::Admin, "plain words"));
    assert_eq!((found.created_at, found.password_at, found.signed_in_at), (at, at, None));
    assert!(found.factor.is_none() && found.offered.is_none());
    assert!(!format!("{found:?}").contains("plain words"));

    world.store.clone().close().await;
    assert!(!world.holds(b"plain words"));
}

async fn the_last_admin_cannot_be_demoted_or_removed(world: World) {
    let users = world.store.users();
    let (one, two) = (add(&world, "one", Role::Admin).await, add(&world, "two", Role::Operator).await);
    assert_eq!(users.set_role(&one, Role::Viewer).await, Ok(UserChange::LastAdmin));
    assert_eq!(users.remove(&one).await, Ok(UserChange::LastAdmin));
    assert_eq!(users.set_role(&one, Role::Admin).await, Ok(UserChange::Done));
    assert_eq!(users.set_role(&name("nobody"), Role::Admin).await, Ok(UserChange::Unknown));
    assert_eq!(users.set_role(&two, Role::Admin).await, Ok(UserChange::Done));
    // Two at once remove each other: one stays.
    let (a, b) = tokio::join!(users.remove(&one), users.remove(&two));
    let mut both = [a.unwrap(), b.unwrap()];
    both.sort_by_key(|change| *change == UserChange::LastAdmin);
    assert_eq!(both, [UserChange::Done, UserChange::LastAdmin]);
    assert_eq!(users.list().await.unwrap().len(), 1);
}

async fn sessions_end_with_the_password_and_the_user(world: World) {
    let (anna, boris) = (add(&world, "anna", Role::Admin).await, add(&world, "boris", Role::Viewer).await);
    let here = begin(&world, &anna, 1).await;
    begin(&world, &anna, 2).await;
    begin(&world, &boris, 3).await;
    let found = world.store.user_sessions().find([1; 32]).await.unwrap().unwrap();
    assert_eq!((found.id, found.user.as_str(), found.role), (here, "anna", Role::Admin));
    assert_eq!(found.browser.as_deref(), Some("Demo/1"));

    world.clock.advance(Duration::from_secs(1));
    let (users, new) = (world.store.users(), SecretText::from("another"));
    assert_eq!(users.set_password(&anna, &new, world.now(), Keeping::This(here)).await, Ok(true));
    assert!(is_there(&world, 1).await && !is_there(&world, 2).await && is_there(&world, 3).await);
    assert_eq!(users.set_password(&name("nobody"), &new, world.now(), Keeping::None).await, Ok(false));
    // A role that changes is seen at once; no one ends another's session.
    users.set_role(&boris, Role::Operator).await.unwrap();
    let changed = world.store.user_sessions().find([3; 32]).await.unwrap().unwrap();
    assert_eq!(changed.role, Role::Operator);
    assert_eq!(world.store.user_sessions().end(&anna, changed.id).await, Ok(false));
    users.remove(&boris).await.unwrap();
    assert!(!is_there(&world, 3).await);
    begin(&world, &anna, 4).await;
    assert_eq!(world.store.user_sessions().end_all(&anna, Keeping::This(here)).await, Ok(1));
    assert_eq!(world.store.user_sessions().end(&anna, here).await, Ok(true));
    assert!(world.store.user_sessions().list(&anna).await.unwrap().is_empty());
}

async fn a_session_rests_on_the_password_that_was_checked(world: World) {
    let anna = add(&world, "anna", Role::Admin).await;
    let checked = world.store.users().get(&anna).await.unwrap().unwrap().password_at;
    world.clock.advance(Duration::from_secs(1));
    world.store.users().set_password(&anna, &"new".into(), world.now(), Keeping::None).await.unwrap();
    let late = BeginSession {
        token: [1; 32],
        id: SessionId::from_uuid(world.ids.next()),
        user: anna,
        password_at: checked,
        at: world.now(),
        address: None,
        browser: None,
        device: [9; 32],
        known_as: Vec::new(),
        known_as_since: Timestamp::default(),
    };
    assert_eq!(world.store.user_sessions().begin(&late).await, Ok(false));
    assert!(!is_there(&world, 1).await);
}

async fn the_oldest_of_too_many_sessions_ends(world: World) {
    let anna = add(&world, "anna", Role::Admin).await;
    for token in 0..60 {
        world.clock.advance(Duration::from_secs(1));
        begin(&world, &anna, token).await;
    }
    let sessions = world.store.user_sessions().list(&anna).await.unwrap();
    assert_eq!(sessions.len(), 50);
    assert!(!is_there(&world, 9).await && is_there(&world, 10).await && is_there(&world, 59).await);
}

async fn a_factor_is_confirmed_as_offered_and_each_code_works_once(world: World) {
    let anna = add(&world, "anna", Role::Admin).await;
    let users = world.store.users();
    let secret = |byte: u8| Secret::new(Box::new(vec![byte; 20]));
    assert_eq!(users.use_step(&anna, 5).await, Ok(false));
    users.offer_factor(&anna, &secret(1)).await.unwrap();
    let first = users.get(&anna).await.unwrap().unwrap().offered.unwrap();
    users.offer_factor(&anna, &secret(2)).await.unwrap();
    assert_eq!(users.confirm_factor(&anna, first, 7, vec![[1; 32]]).await, Ok(false));
    let second = users.get(&anna).await.unwrap().unwrap().offered.unwrap();
    assert_eq!(second.secret.expose_secret(), &[2; 20]);
    assert_eq!(users.confirm_factor(&anna, second, 7, vec![[1; 32], [2; 32]]).await, Ok(true));
    let now = users.get(&anna).await.unwrap().unwrap();
    let factor = now.factor.unwrap();
    assert_eq!((factor.secret.expose_secret().as_slice(), factor.step), ([2; 20].as_slice(), 7));
    assert!(now.offered.is_none());

    for (step, taken) in [(7, false), (6, false), (8, true), (8, false), (9, true)] {
        assert_eq!(users.use_step(&anna, step).await, Ok(taken), "{step}");
    }
    let (a, b) = tokio::join!(users.use_step(&anna, 10), users.use_step(&anna, 10));
    assert_ne!(a, b);
    assert_eq!(users.use_recovery_code(&anna, [1; 32]).await, Ok(true));
    assert_eq!(users.use_recovery_code(&anna, [1; 32]).await, Ok(false));
    assert_eq!(users.get(&anna).await.unwrap().unwrap().recovery_codes, 1);
    assert_eq!(users.replace_recovery_codes(&anna, vec![[3; 32], [4; 32], [5; 32]]).await, Ok(true));
    assert_eq!(users.use_recovery_code(&anna, [2; 32]).await, Ok(false));
    assert_eq!(users.drop_factor(&anna).await, Ok(true));
    assert_eq!(users.drop_factor(&anna).await, Ok(false));
    assert_eq!(users.use_recovery_code(&anna, [3; 32]).await, Ok(false));
    assert_eq!(users.replace_recovery_codes(&anna, vec![[6; 32]]).await, Ok(false));
}

async fn a_factor_in_force_is_not_replaced(world: World) {
    let anna = add(&world, "anna", Role::Admin).await;
    let users = world.store.users();
    let secret = |byte: u8| Secret::new(Box::new(vec![byte; 20]));
    assert_eq!(users.offer_factor(&anna, &secret(1)).await, Ok(true));
    let offered = users.get(&anna).await.unwrap().unwrap().offered.unwrap();
    assert_eq!(users.confirm_factor(&anna, offered, 7, vec![[1; 32]]).await, Ok(true));
    assert_eq!(users.offer_factor(&anna, &secret(2)).await, Ok(false));
    assert!(users.get(&anna).await.unwrap().unwrap().offered.is_none());
    let factor = users.get(&anna).await.unwrap().unwrap().factor.unwrap();
    assert_eq!((factor.secret.expose_secret().as_slice(), factor.step), ([1; 20].as_slice(), 7));
    assert_eq!(users.use_step(&anna, 8).await, Ok(true));
    assert_eq!(users.drop_factor(&anna).await, Ok(true));
    assert_eq!(users.offer_factor(&anna, &secret(3)).await, Ok(true));
}

fn entry(world: &World, who: AuditWho, action: &str, subject: &str) -> AuditEntry {
    AuditEntry {
        at: world.now(),
        who,
        action: action.into(),
        subject: Some(subject.into()),
        details: BTreeMap::from([("role".into(), "viewer".into())]),
        address: Some("192.0.2.7".parse().unwrap()),
        result: AuditResult::Done,
        code: None,
    }
}

async fn listed(world: &World, filter: &AuditFilter, limit: u32) -> Vec<AuditRecord> {
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let page = world.store.audit().list(filter, &Page { limit, cursor }).await.unwrap();
        found.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return found;
        }
    }
}

async fn the_audit_log_is_filtered_and_paged(world: World) {
    let key = "key_00000000000000000000000000".parse().unwrap();
    let whos = [
        AuditWho::User(name("anna")),
        AuditWho::ApiKey(key),
        AuditWho::Machine,
        AuditWho::Program,
        AuditWho::Unidentified,
    ];
    let mut made = Vec::new();
    for (number, who) in (0..25).zip(whos.into_iter().cycle()) {
        let action = if number % 2 == 0 { "create_key" } else { "act_on_service" };
        let mut entry = entry(&world, who, action, if number % 3 == 0 { "main" } else { "send_text" });
        if number % 4 == 0 {
            entry.result = AuditResult::Refused;
            entry.code = Some("forbidden_role".into());
            entry.address = None;
        }
        world.store.audit().add(entry.clone()).await.unwrap();
        made.push(entry);
        world.clock.advance(Duration::from_secs(1));
    }
    made.reverse();
    let filters = [
        AuditFilter::default(),
        AuditFilter { who: Some("anna".into()), ..AuditFilter::default() },
        AuditFilter { who: Some("machine".into()), ..AuditFilter::default() },
        AuditFilter { who: Some("key_00000000000000000000000000".into()), ..AuditFilter::default() },
        AuditFilter {
            action: Some("create_key".into()),
            subject: Some("main".into()),
            ..AuditFilter::default()
        },
        AuditFilter { result: Some(AuditResult::Refused), ..AuditFilter::default() },
        AuditFilter { address: Some("192.0.2.7".parse().unwrap()), ..AuditFilter::default() },
        AuditFilter { since: Some(made[9].at), until: Some(made[3].at), ..AuditFilter::default() },
    ];
    for filter in filters {
        let expected: Vec<_> = made
            .iter()
            .filter(|entry| {
                filter.who.as_ref().is_none_or(|who| {
                    entry.who.name().as_ref() == Some(who) || entry.who.kind() == who.as_str()
                }) && filter.action.as_ref().is_none_or(|action| *action == entry.action)
                    && filter.subject.as_ref().is_none_or(|subject| Some(subject) == entry.subject.as_ref())
                    && filter.result.is_none_or(|result| result == entry.result)
                    && filter.address.is_none_or(|address| Some(address) == entry.address)
                    && filter.since.is_none_or(|since| entry.at >= since)
                    && filter.until.is_none_or(|until| entry.at < until)
            })
            .cloned()
            .collect();
        assert!(!expected.is_empty(), "{filter:?}");
        for limit in [1, 4, 100] {
            let found: Vec<_> =
                listed(&world, &filter, limit).await.into_iter().map(|record| record.entry).collect();
            assert_eq!(found, expected, "{filter:?}");
        }
    }
    let strange = Page { limit: 1, cursor: Some("x".into()) };
    let refused = world.store.audit().list(&AuditFilter::default(), &strange).await;
    assert_eq!(refused, Err(StoreError::BadCursor));
}

async fn the_same_again_is_counted(world: World) {
    let audit = world.store.audit();
    let hour = Duration::from_hours(1);
    let first = entry(&world, AuditWho::Unidentified, "sign_in", "-");
    audit.count(first.clone(), 1, hour).await.unwrap();
    world.clock.advance(Duration::from_mins(10));
    let again = AuditEntry { at: world.now(), ..first.clone() };
    audit.count(again.clone(), 4, hour).await.unwrap();
    let other = AuditEntry { address: None, ..again.clone() };
    audit.count(other, 1, hour).await.unwrap();
    let found = listed(&world, &AuditFilter::default(), 10).await;
    assert_eq!(found.iter().map(|record| record.times).collect::<Vec<_>>(), [1, 5]);
    assert_eq!((found[1].entry.at, found[1].last_at), (first.at, again.at));
    world.clock.advance(hour);
    audit.count(AuditEntry { at: world.now(), ..first }, 1, hour).await.unwrap();
    assert_eq!(listed(&world, &AuditFilter::default(), 10).await.len(), 3);
}

async fn sessions_and_the_audit_log_go_in_time(world: World) {
    let anna = add(&world, "anna", Role::Admin).await;
    begin(&world, &anna, 1).await;
    let kept = begin(&world, &anna, 2).await;
    for _ in 0..250 {
        world.store.audit().add(entry(&world, AuditWho::Machine, "x", "y")).await.unwrap();
    }
    let day = Duration::from_hours(24);
    world.clock.advance(29 * day);
    world.store.user_sessions().seen(kept, world.now(), None).await.unwrap();
    assert_eq!(world.store.sweep().await, Ok(Swept::default()));
    world.clock.advance(2 * day);
    assert_eq!(world.store.sweep().await, Ok(Swept { sessions: 1, ..Swept::default() }));
    assert!(is_there(&world, 2).await);
    world.clock.advance(300 * day);
    world.store.audit().add(entry(&world, AuditWho::Machine, "late", "y")).await.unwrap();
    world.clock.advance(60 * day);
    assert_eq!(world.store.sweep().await, Ok(Swept { sessions: 1, audit: 250, ..Swept::default() }));
    assert_eq!(listed(&world, &AuditFilter::default(), 10).await.len(), 1);
}

async fn the_audit_log_has_bounds(world: World) {
    world.store.audit().add(entry(&world, AuditWho::Machine, "first", "y")).await.unwrap();
    world.store.clone().close().await;
    // As if someone had been refused for days.
    world.run(
        "WITH RECURSIVE numbers (number) AS (SELECT 2 UNION ALL SELECT number + 1 FROM numbers WHERE number < 51999)
         INSERT INTO audit_log (seq, at, kind, action, subject, details, result, times, last_at)
         SELECT number, at, kind, 'refused', CAST(number AS TEXT), details, 'refused', times, last_at
         FROM numbers, audit_log",
    );
    let store = world.open_again().await.unwrap();
    store.audit().add(entry(&world, AuditWho::Machine, "last", "y")).await.unwrap();
    let page = |limit| Page { limit, cursor: None };
    let done = AuditFilter { result: Some(AuditResult::Done), ..AuditFilter::default() };
    let found = store.audit().list(&done, &page(10)).await.unwrap().items;
    let actions: Vec<_> = found.iter().map(|record| record.entry.action.as_str()).collect();
    assert_eq!(actions, ["last", "first"]);
    let subject = |number: u32| AuditFilter { subject: Some(number.to_string()), ..AuditFilter::default() };
    for (number, kept) in [(2, 0), (31_999, 0), (32_000, 1), (51_999, 1)] {
        let found = store.audit().list(&subject(number), &page(1)).await.unwrap().items;
        assert_eq!(found.len(), kept, "{number}");
    }
}
