//! One's own password and second factor.

use std::time::Duration;

use access::{ChangeError, NewSession, Role, SignIn, SignInError, UnfitPassword};
use domain::{ExposeSecret, SecretText, Timestamp};

use crate::it::world::{PASSWORD, World, ended_waits, from, name};

fn code(secret: &SecretText, now: Timestamp) -> String {
    testkit::authenticator::code(secret.expose_secret(), now.as_seconds())
}

async fn ticket(world: &World) -> SecretText {
    match world.try_in("anna", PASSWORD, &from("192.0.2.1")).await {
        Ok(SignIn::CodeWanted(ticket)) => ticket,
        other => panic!("{other:?}"),
    }
}

async fn step(world: &World, code: &str) -> Result<NewSession, SignInError> {
    let ticket = ticket(world).await;
    world.access.second_step(ticket.expose_secret(), code, &from("192.0.2.1")).await
}

#[tokio::test]
async fn a_second_factor_is_confirmed_used_and_taken_away() {
    let world = World::with("anna", Role::Admin).await;
    let here = from("192.0.2.1");
    let session = world.sign_in("anna", PASSWORD).await;
    let me = &session.visitor;
    let refused = world.access.confirm_second_factor(me, "000000", &here).await;
    assert!(matches!(refused, Err(ChangeError::NotOffered)), "{refused:?}");

    let offered = world.access.offer_second_factor(me).await.expect("offered");
    let again = world.access.offered_second_factor(me).await.expect("reads").expect("offered");
    assert_eq!(again.secret.expose_secret(), offered.secret.expose_secret());
    assert!(offered.address.expose_secret().contains(offered.secret.expose_secret()));
    // Not in force yet.
    world.sign_in("anna", PASSWORD).await;
    let first = code(&offered.secret, world.clock.now());
    let codes = world.access.confirm_second_factor(me, &first, &here).await.expect("confirmed");
    assert_eq!(codes.len(), 10);
    let person = world.access.person(&name("anna")).await.expect("reads").expect("anna");
    assert!(person.second_factor && person.recovery_codes == 10);

    // A caller that has the session alone does not put another in its place.
    assert!(matches!(world.access.offer_second_factor(me).await, Err(ChangeError::HasFactor)));
    assert!(world.access.offered_second_factor(me).await.expect("reads").is_none());
    let refused = world.access.confirm_second_factor(me, &first, &here).await;
    assert!(matches!(refused, Err(ChangeError::HasFactor)), "{refused:?}");

    // The code that confirmed it is used up, and so is each that let someone in.
    assert!(matches!(step(&world, &first).await, Err(SignInError::WrongCode)));
    world.clock.advance(Duration::from_mins(1));
    let second = code(&offered.secret, world.clock.now());
    let entered = step(&world, &second).await.expect("in");
    assert!(entered.visitor.second_factor);
    assert!(matches!(step(&world, &second).await, Err(SignInError::WrongCode)));
    let recovery = codes[3].expose_secret();
    step(&world, recovery).await.expect("in");
    assert!(matches!(step(&world, recovery).await, Err(SignInError::WrongCode)));

    let refused = world.access.drop_second_factor(me, "wrong password".into(), &here).await;
    assert_eq!(refused, Err(ChangeError::WrongPassword));
    let renewed = world.access.renew_recovery_codes(me, PASSWORD.into(), &here).await.expect("renewed");
    assert!(matches!(step(&world, codes[4].expose_secret()).await, Err(SignInError::WrongCode)));
    step(&world, renewed[4].expose_secret()).await.expect("in");
    world.access.drop_second_factor(me, PASSWORD.into(), &here).await.expect("dropped");
    world.sign_in("anna", PASSWORD).await;
    let refused = world.access.renew_recovery_codes(me, PASSWORD.into(), &here).await;
    assert!(matches!(refused, Err(ChangeError::NoFactor)));
    let audited = world.audited().await;
    for line in ["turn_on_second_factor", "turn_off_second_factor", "renew_recovery_codes"] {
        assert!(audited.contains(&format!("anna {line} done 1")), "{audited:?}");
    }
}

#[tokio::test]
async fn codes_are_not_guessed_and_tickets_end() {
    let world = World::with("anna", Role::Admin).await;
    let here = from("192.0.2.1");
    let session = world.sign_in("anna", PASSWORD).await;
    let offered = world.access.offer_second_factor(&session.visitor).await.expect("offered");
    let first = code(&offered.secret, world.clock.now());
    world.access.confirm_second_factor(&session.visitor, &first, &here).await.expect("confirmed");

    let late = ticket(&world).await;
    world.clock.advance(Duration::from_mins(5));
    let now = code(&offered.secret, world.clock.now());
    let refused = world.access.second_step(late.expose_secret(), &now, &here).await;
    assert!(matches!(refused, Err(SignInError::TicketOver)), "{refused:?}");
    let unknown = world.access.second_step("made up", &now, &here).await;
    assert!(matches!(unknown, Err(SignInError::TicketOver)));

    // A ticket rests on the password it was given for.
    let old = ticket(&world).await;
    world.clock.advance(Duration::from_secs(1));
    world.access.set_password(&name("anna"), "another one".into()).await.expect("set");
    let refused = world.access.second_step(old.expose_secret(), &now, &here).await;
    assert!(matches!(refused, Err(SignInError::TicketOver)), "{refused:?}");
    world.access.set_password(&name("anna"), PASSWORD.into()).await.expect("set");

    let first_wait = Duration::from_secs(30);
    let begun = world.clock.running();
    let (mut looked_at, mut last) = (0, begun);
    for number in 0..40 {
        let tried = world.clock.running();
        match step(&world, &format!("{number:06}")).await {
            Err(SignInError::WrongCode) => {
                looked_at += 1;
                last = tried;
            }
            Err(SignInError::Wait(wait)) => {
                let whole = wait + world.clock.running().saturating_sub(last);
                assert!(whole >= first_wait, "{whole:?}");
            }
            other => panic!("{other:?}"),
        }
    }
    let ended = ended_waits(first_wait, world.clock.running().saturating_sub(begun));
    assert!(looked_at <= 5 + ended, "{looked_at} {ended}");
    world.access.reset_second_factor(&name("anna")).await.expect("reset");
    world.sign_in("anna", PASSWORD).await;
}

#[tokio::test]
async fn password_change_ends_the_other_sessions() {
    let world = World::with("anna", Role::Viewer).await;
    let here = from("192.0.2.1");
    let (mine, other) = (world.sign_in("anna", PASSWORD).await, world.sign_in("anna", PASSWORD).await);
    let change = |present: &str, new: &str| {
        let (present, new) = (SecretText::from(present), SecretText::from(new));
        let (access, visitor, here) = (world.access.clone(), mine.visitor.clone(), here.clone());
        async move { access.change_password(&visitor, present, new, &here).await }
    };
    assert_eq!(change("wrong password", "a new password").await, Err(ChangeError::WrongPassword));
    assert_eq!(change(PASSWORD, "short").await, Err(ChangeError::Unfit(UnfitPassword::TooShort)));
    assert_eq!(change(PASSWORD, "a new password").await, Ok(()));
    assert!(world.access.session(&mine.token, &here).await.expect("reads").is_some());
    assert!(world.access.session(&other.token, &here).await.expect("reads").is_none());
    world.sign_in("anna", "a new password").await;
    // A stolen session does not guess the password either.
    let begun = world.clock.running();
    let mut waits = 0;
    for _ in 0..20 {
        waits += usize::from(matches!(change("guess", "a newer password").await, Err(ChangeError::Wait(_))));
    }
    let ended = ended_waits(Duration::from_secs(2), world.clock.running().saturating_sub(begun));
    assert!(waits + ended >= 9, "{waits} {ended}");
    let ended = world.access.end_own_other_sessions(&mine.visitor, &here).await;
    assert_eq!(ended, Ok(1));
}
