//! Signing in: right and wrong passwords, sessions and their ends, the throttle, and what is written down.

use std::sync::Arc;
use std::time::Duration;

use access::{ChangeError, IDLE, PeopleError, Role, SessionToken, SignInError, Visitor};
use ambient::Ids;
use domain::SecretText;

use crate::hashing::{AT_ONCE, TIMEOUT};
use crate::it::world::{PASSWORD, World, ended_waits, from, name};

async fn visitor(world: &World, token: &SessionToken) -> Option<Visitor> {
    world.access.session(token, &from("192.0.2.1")).await.expect("reads")
}

#[tokio::test]
async fn a_session_is_known_until_it_ends() {
    let world = World::with("anna", Role::Operator).await;
    let one = world.sign_in("Anna", PASSWORD).await;
    let two = world.sign_in("anna", PASSWORD).await;
    let found = visitor(&world, &one.token).await.expect("a visitor");
    assert_eq!(found, one.visitor);
    assert_eq!((found.user.as_str(), found.role), ("anna", Role::Operator));
    assert!(!found.csrf.matches(two.visitor.csrf.as_str()));

    world.access.sign_out(&one.visitor, &from("192.0.2.1")).await.expect("out");
    assert_eq!(visitor(&world, &one.token).await, None);
    assert!(visitor(&world, &two.token).await.is_some());
    assert_eq!(world.access.still_lasts(&one.visitor).await, Ok(false));
    assert_eq!(world.access.still_lasts(&two.visitor).await, Ok(true));
    let unknown = SessionToken::read(&"A".repeat(43)).expect("a token");
    assert_eq!(visitor(&world, &unknown).await, None);
    assert_eq!(world.audited().await, ["anna sign_in done 1", "anna sign_in done 1", "anna sign_out done 1"]);
}

#[tokio::test]
async fn a_session_that_is_used_lasts_and_one_that_is_not_ends() {
    let world = World::with("anna", Role::Viewer).await;
    let used = world.sign_in("anna", PASSWORD).await;
    let idle = world.sign_in("anna", PASSWORD).await;
    for _ in 0..3 {
        world.clock.advance(IDLE / 2);
        assert!(visitor(&world, &used.token).await.is_some());
    }
    assert_eq!(world.access.sessions(&name("anna")).await.expect("reads").len(), 1);
    assert_eq!(world.access.still_lasts(&idle.visitor).await, Ok(false));
    assert_eq!(visitor(&world, &idle.token).await, None);
    for _ in 0..60 {
        world.clock.advance(IDLE.saturating_sub(Duration::from_mins(1)));
        if visitor(&world, &used.token).await.is_none() {
            let since = world.clock.now().since(used.visitor.since);
            assert!(since >= access::LONGEST && since < access::LONGEST + IDLE, "{since:?}");
            return;
        }
    }
    panic!("the session never ended");
}

#[tokio::test]
async fn password_ends_a_session_and_role_changes_at_once() {
    let world = World::with("anna", Role::Operator).await;
    world.access.add(name("boss"), Role::Admin, PASSWORD.into()).await.expect("added");
    let session = world.sign_in("anna", PASSWORD).await;
    world.access.set_role(&name("anna"), Role::Viewer).await.expect("set");
    assert_eq!(world.access.still_lasts(&session.visitor).await, Ok(false));
    assert_eq!(visitor(&world, &session.token).await.expect("a visitor").role, Role::Viewer);
    world.access.set_password(&name("anna"), "a new password".into()).await.expect("set");
    assert_eq!(visitor(&world, &session.token).await, None);
    assert!(matches!(world.try_in("anna", PASSWORD, &from("192.0.2.1")).await, Err(SignInError::Wrong)));
    let again = world.sign_in("anna", "a new password").await;
    world.access.remove(&name("anna")).await.expect("removed");
    assert_eq!(visitor(&world, &again.token).await, None);
    assert_eq!(world.access.remove(&name("boss")).await, Err(PeopleError::LastAdmin));
}

#[tokio::test]
async fn throttle_locks_the_address_not_the_owner() {
    let world = World::with("admin", Role::Admin).await;
    let attacker = from("2001:db8::1");
    let begun = world.clock.running();
    let (mut looked_at, mut wrong) = (0, 0);
    for number in 0..1000_u32 {
        // The whole /64 is one.
        let client = from(&format!("2001:db8::{number:x}"));
        wrong += 1;
        match world.try_in("admin", "wrong", &client).await {
            Err(SignInError::Wrong) => looked_at += 1,
            Err(SignInError::Wait(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    let ended = ended_waits(Duration::from_secs(2), world.clock.running().saturating_sub(begun));
    assert!((10..=10 + ended).contains(&looked_at), "{looked_at} {ended}");
    // Until the wait is longer than what follows takes on any machine.
    loop {
        wrong += 1;
        match world.try_in("admin", "wrong", &attacker).await {
            Err(SignInError::Wrong) => {}
            Err(SignInError::Wait(wait)) if wait > Duration::from_mins(1) => break,
            Err(SignInError::Wait(wait)) => world.clock.advance(wait),
            other => panic!("{other:?}"),
        }
    }
    // The owner, meanwhile, from elsewhere.
    world.sign_in("admin", PASSWORD).await;
    // Also the right password waits where the wrong ones came from.
    let waits = world.try_in("admin", PASSWORD, &attacker).await;
    let Err(SignInError::Wait(wait)) = waits else { panic!("{waits:?}") };
    world.clock.advance(wait);
    world.try_in("admin", PASSWORD, &attacker).await.expect("in");
    let audit = world.audit().await;
    assert!(audit.len() < 70, "{}", audit.len());
    let counted: u64 =
        audit.iter().filter(|record| record.entry.code.is_some()).map(|record| record.times).sum();
    // And the right one that came too early.
    assert_eq!(counted, wrong + 1);
}

#[tokio::test]
async fn a_known_browser_gets_in_while_others_guess_also_after_a_restart() {
    let world = World::with("admin", Role::Admin).await;
    world.access.add(name("anna"), Role::Viewer, PASSWORD.into()).await.expect("added");
    let device = world.sign_in("admin", PASSWORD).await.device;
    let again = access::Access::new(world.store.clone(), world.clock.clone(), Ids::new(world.clock.clone()));
    let try_in = |who: &'static str, client: access::ClientInfo| {
        let again = again.clone();
        async move { again.sign_in(who, PASSWORD.into(), &client).await }
    };
    for number in 1..200 {
        let guess = again.sign_in("admin", "wrong".into(), &from(&format!("198.51.100.{number}"))).await;
        assert!(matches!(guess, Err(SignInError::Wrong | SignInError::Wait(_))), "{guess:?}");
    }
    // Also from an address where others have guessed too often.
    let here = from("198.51.100.1");
    for _ in 0..20 {
        drop(again.sign_in("anna", "wrong".into(), &here).await);
    }
    let known =
        |device: &access::DeviceToken| access::ClientInfo { devices: vec![device.id()], ..here.clone() };
    assert!(matches!(try_in("admin", here.clone()).await, Err(SignInError::Wait(_))));
    assert!(matches!(try_in("anna", known(&device)).await, Err(SignInError::Wait(_))), "it is another's");
    let made_up = access::DeviceToken::read(&"A".repeat(43)).expect("a token");
    assert!(matches!(try_in("admin", known(&made_up)).await, Err(SignInError::Wait(_))));
    let Ok(access::SignIn::Done(session)) = try_in("admin", known(&device)).await else { panic!("not in") };
    // It is known by the next token from then on, until the password changes; by the one before for ten minutes.
    assert!(try_in("admin", known(&device)).await.is_ok());
    let both = access::ClientInfo { devices: vec![made_up.id(), session.device.id()], ..here.clone() };
    let Ok(access::SignIn::Done(session)) = try_in("admin", both).await else { panic!("not in") };
    world.clock.advance(Duration::from_mins(10));
    for _ in 0..20 {
        drop(again.sign_in("admin", "wrong".into(), &here).await);
    }
    assert!(matches!(try_in("admin", known(&device)).await, Err(SignInError::Wait(_))));
    assert!(try_in("admin", known(&session.device)).await.is_ok());
    let session = match try_in("admin", from("203.0.113.9")).await {
        Err(SignInError::Wait(wait)) => {
            world.clock.advance(wait);
            again.sign_in("admin", PASSWORD.into(), &from("203.0.113.9")).await
        }
        other => other,
    };
    let Ok(access::SignIn::Done(session)) = session else { panic!("not in") };
    again.set_password(&name("admin"), PASSWORD.into()).await.expect("set");
    for number in 1..60 {
        drop(again.sign_in("admin", "wrong".into(), &from(&format!("198.51.100.{number}"))).await);
    }
    assert!(matches!(try_in("admin", known(&session.device)).await, Err(SignInError::Wait(_))));
}

#[tokio::test]
async fn throttle_ignores_a_clock_set_back() {
    let world = World::with("admin", Role::Admin).await;
    let here = from("192.0.2.1");
    let wait = loop {
        match world.try_in("admin", "wrong", &here).await {
            Err(SignInError::Wrong) => {}
            Err(SignInError::Wait(wait)) => break wait,
            other => panic!("{other:?}"),
        }
    };
    world.clock.set_back(Duration::from_hours(1));
    world.clock.advance(wait);
    world.try_in("admin", PASSWORD, &here).await.expect("in");
}

#[tokio::test]
async fn no_one_learns_which_names_there_are() {
    let world = World::with("admin", Role::Admin).await;
    for typed in ["nobody", "admin", "", "a/b", &"x".repeat(100_000), "my secret password"] {
        let refused = world.try_in(typed, "wrong password", &from("192.0.2.1")).await;
        assert!(matches!(refused, Err(SignInError::Wrong)), "{typed:.20}: {refused:?}");
    }
    // What was typed as a name is not written down when it is none.
    let shown = format!("{:?}", world.audit().await);
    assert!(!shown.contains("secret") && shown.contains("admin"), "{shown}");
}

#[tokio::test]
async fn a_session_outlives_the_program_and_nothing_secret_lies_open() {
    let world = World::with("admin", Role::Admin).await;
    let session = world.sign_in("admin", PASSWORD).await;
    let again = access::Access::new(world.store.clone(), world.clock.clone(), Ids::new(world.clock.clone()));
    assert!(again.session(&session.token, &from("192.0.2.1")).await.expect("reads").is_some());

    let text = session.token.text();
    world.store.clone().close().await;
    for file in std::fs::read_dir(world.dir.path().join("data")).expect("a folder") {
        let bytes = std::fs::read(file.expect("a file").path()).expect("reads");
        for secret in [text.as_bytes(), PASSWORD.as_bytes(), b"$argon2id$"] {
            assert!(!bytes.windows(secret.len()).any(|piece| piece == secret));
        }
    }
}

#[tokio::test]
async fn concurrent_attempts_are_counted_before_they_fail() {
    let world = World::with("admin", Role::Admin).await;
    let tries = (0..60).map(|_| {
        let access = world.access.clone();
        tokio::spawn(
            async move { access.sign_in("admin", SecretText::from("wrong"), &from("192.0.2.9")).await },
        )
    });
    let mut looked_at = 0;
    for task in tries.collect::<Vec<_>>() {
        match task.await.expect("ends") {
            // On a slow machine some find no place for their password in time.
            Err(SignInError::Wrong | SignInError::Busy) => looked_at += 1,
            Err(SignInError::Wait(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(looked_at <= 12, "{looked_at}");
}

#[tokio::test]
async fn a_store_that_does_not_answer_makes_no_one_wait() {
    let world = World::with("admin", Role::Admin).await;
    let here = from("192.0.2.1");
    let session = world.sign_in("admin", PASSWORD).await;
    world.store.clone().close().await;
    for _ in 0..40 {
        let refused = world.try_in("admin", PASSWORD, &here).await;
        assert!(matches!(refused, Err(SignInError::Store(_))), "{refused:?}");
        let refused = world.access.drop_second_factor(&session.visitor, PASSWORD.into(), &here).await;
        assert!(matches!(refused, Err(ChangeError::Store(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn overload_refusal_is_no_wrong_password() {
    let world = World::with("admin", Role::Admin).await;
    let passwords = Arc::clone(&world.access.0.hashing.permits);
    let others = passwords.acquire_many_owned(AT_ONCE).await.expect("open");
    // As many as a household may try in a row.
    for _ in 0..10 {
        let access = world.access.clone();
        let busy = tokio::spawn(async move {
            access.sign_in("admin", SecretText::from("wrong"), &from("192.0.2.1")).await
        });
        while !busy.is_finished() {
            world.clock.advance(TIMEOUT);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let busy = busy.await.expect("ends");
        assert!(matches!(busy, Err(SignInError::Busy)), "{busy:?}");
    }
    drop(others);
    for _ in 0..10 {
        let refused = world.try_in("admin", "wrong", &from("192.0.2.1")).await;
        assert!(matches!(refused, Err(SignInError::Wrong)), "{refused:?}");
    }
}
