//! Signing in to an account that lives in another data centre: being sent on is obeyed at every step.

use std::sync::Arc;
use std::time::Duration;

use domain::SecretText;
use sandbox::telegram::FaultName;
use telegram::{How, LoginError, LoginFailure, LoginState, Pool};

use crate::it::login::{
    LIMIT, accept, begin, called, code, fault, is_done, now, password, ready, rules, show_qr, shown_qr,
    stored_logins, with_password, with_spare,
};
use crate::it::world::{World, name, send, until, view};

/// The data centre that is asked next sends on to another one, once.
fn migrates(world: &World, method: &str, where_to: &str) {
    refuses(world, method, 303, where_to);
}

fn refuses(world: &World, method: &str, status: i32, words: &str) {
    fault(world, method, FaultName::RpcError, |order| {
        (order.code, order.message) = (Some(status), Some(words.to_owned()));
    });
}

fn is_new_code(state: &LoginState) -> bool {
    let asks_for_new_code = state.advice().contains("enter the new one");
    matches!(state, LoginState::CodeWanted { moved: true, wrong: 0, .. }) && asks_for_new_code
}

/// The code that was sent last.
fn last_code(world: &World) -> String {
    world.telegram().codes().pop().expect("a code").code
}

/// The token that takes the place of this one when its time is over.
async fn next_qr(world: &World, pool: &Arc<Pool>, before: &str) -> String {
    world.clock.advance(Duration::from_secs(61));
    until("another token", || matches!(now(pool), LoginState::QrShown { url, .. } if url != before)).await;
    shown_qr(&now(pool))
}

/// Signed in where the account lives, with nothing left behind.
async fn is_at_home(world: &World, pool: &Arc<Pool>, home: i32) {
    ready(pool).await;
    assert_eq!(view(pool, "spare").lines[0].dc_id, Some(home));
    assert_eq!((pool.ownerless().await.expect("readable"), stored_logins(world).await), (Vec::new(), 0));
    assert_eq!(world.telegram().faults().len(), 0, "each answer was met");
    world.assert_no_unknown_calls();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_centre_that_redirects_everyone_is_followed() {
    // Whose number it is, is not known yet; whichever of the three it says.
    for sent_on in ["NETWORK_MIGRATE_4", "USER_MIGRATE_4", "PHONE_MIGRATE_4"] {
        let world = World::with_accounts(6).await.only(&["backup_1"]);
        let pool = with_spare(&world, "extra_1").await;
        migrates(&world, "auth.sendCode", sent_on);
        begin(&pool, How::Phone(None)).await;
        assert!(is_done(&code(&pool, &world.person("extra_1").login_code).await), "{sent_on}");
        ready(&pool).await;
        assert_eq!(view(&pool, "spare").lines[0].dc_id, Some(4), "{sent_on}");
        assert_eq!(called(&world, "auth.sendCode"), 2, "where it was asked first, and where it was sent");
        assert_eq!(send(&pool, "spare", "@client_1", sent_on, 1).await.word(), "sent");
        world.end(&pool).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn code_follows_to_the_next_data_centre() {
    for sent_on in ["USER_MIGRATE_4", "PHONE_MIGRATE_4", "NETWORK_MIGRATE_4"] {
        let world = World::new().await.only(&["backup_1"]);
        let login_code = world.person("backup_2").login_code.clone();
        let pool = with_spare(&world, "backup_2").await;
        begin(&pool, How::Phone(None)).await;
        // The other one sends back by itself: the account lives here.
        migrates(&world, "auth.signIn", sent_on);
        assert!(is_done(&code(&pool, &login_code).await), "{sent_on}");
        is_at_home(&world, &pool, 2).await;
        assert_eq!((called(&world, "auth.signIn"), called(&world, "auth.sendCode")), (3, 1), "{sent_on}");
        pool.stop(LIMIT).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn code_unknown_elsewhere_is_sent_again_there() {
    for unknown in ["PHONE_CODE_EXPIRED", "PHONE_CODE_INVALID", "PHONE_CODE_HASH_INVALID"] {
        let world = World::with_accounts(6).await.only(&["backup_1"]);
        let pool = with_spare(&world, "extra_1").await;
        let first = begin(&pool, How::Phone(None)).await;
        assert!(matches!(first, LoginState::CodeWanted { moved: false, .. }), "{first:?}");
        migrates(&world, "auth.signIn", "USER_MIGRATE_2");
        refuses(&world, "auth.signIn", 400, unknown);
        let login_code = world.person("extra_1").login_code.clone();
        // The data centre that it was sent on to sends the code home again.
        let state = code(&pool, &login_code).await;
        assert!(is_new_code(&state), "{unknown}: {state:?}");
        // A wrong one is a wrong one, and no reason for another.
        let wrong = code(&pool, "00000").await;
        assert!(matches!(wrong, LoginState::CodeWanted { wrong: 1, .. }), "{wrong:?}");
        assert!(is_done(&code(&pool, &last_code(&world)).await), "{unknown}");
        is_at_home(&world, &pool, 4).await;
        pool.stop(LIMIT).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn resent_code_may_come_from_another_data_centre() {
    for unknown in [None, Some("PHONE_CODE_EXPIRED")] {
        let world = World::new().await.only(&["backup_1"]);
        let pool = with_spare(&world, "backup_2").await;
        begin(&pool, How::Phone(None)).await;
        world.clock.advance(Duration::from_mins(1));
        migrates(&world, "auth.resendCode", "PHONE_MIGRATE_4");
        if let Some(unknown) = unknown {
            refuses(&world, "auth.resendCode", 400, unknown);
        }
        let state = pool.login().resend(&name("spare")).await.expect("asked");
        assert!(is_new_code(&state), "{unknown:?}: {state:?}");
        assert!(is_done(&code(&pool, &last_code(&world)).await), "{unknown:?}");
        is_at_home(&world, &pool, 2).await;
        assert_eq!(called(&world, "auth.resendCode"), 2, "where it was asked first, and where it was sent");
        pool.stop(LIMIT).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn password_of_another_data_centre_needs_a_new_code() {
    for method in ["account.getPassword", "auth.checkPassword"] {
        let world = World::new().await.only(&["backup_1"]);
        rules(&world, "backup_2", &with_password());
        let pool = with_spare(&world, "backup_2").await;
        begin(&pool, How::Phone(None)).await;
        let wanted = code(&pool, &last_code(&world)).await;
        assert!(matches!(wanted, LoginState::PasswordWanted { .. }), "{wanted:?}");
        migrates(&world, method, "USER_MIGRATE_4");
        let state = password(&pool, "horse").await;
        assert!(is_new_code(&state), "{method}: {state:?}");
        let wanted = code(&pool, &last_code(&world)).await;
        assert!(matches!(wanted, LoginState::PasswordWanted { wrong: 0, .. }), "{method}: {wanted:?}");
        assert!(is_done(&password(&pool, "horse").await), "{method}");
        is_at_home(&world, &pool, 2).await;
        pool.stop(LIMIT).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn password_question_begins_again_elsewhere() {
    let world = World::new().await.only(&["backup_1"]);
    rules(&world, "backup_2", &with_password());
    let pool = with_spare(&world, "backup_2").await;
    begin(&pool, How::Phone(None)).await;
    migrates(&world, "account.getPassword", "USER_MIGRATE_4");
    let state = code(&pool, &last_code(&world)).await;
    assert!(is_new_code(&state), "{state:?}");
    code(&pool, &last_code(&world)).await;
    assert!(is_done(&password(&pool, "horse").await));
    is_at_home(&world, &pool, 2).await;
    pool.stop(LIMIT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_shown_and_used_where_telegram_sends_it() {
    let world = World::with_accounts(6).await.only(&["backup_1"]);
    let pool = with_spare(&world, "extra_1").await;
    // There is nothing to show here; there is something over there.
    migrates(&world, "auth.exportLoginToken", "NETWORK_MIGRATE_4");
    let url = show_qr(&pool).await;
    // It is made again there too when its time is over.
    let url = next_qr(&world, &pool, &url).await;
    accept(&world, url, "extra_1");
    until("signed in", || is_done(&now(&pool))).await;
    is_at_home(&world, &pool, 4).await;
    pool.stop(LIMIT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_shown_again_may_have_to_be_shown_elsewhere() {
    let world = World::with_accounts(6).await.only(&["backup_1"]);
    let pool = with_spare(&world, "extra_1").await;
    let first = show_qr(&pool).await;
    migrates(&world, "auth.exportLoginToken", "USER_MIGRATE_4");
    let url = next_qr(&world, &pool, &first).await;
    accept(&world, url, "extra_1");
    until("signed in", || is_done(&now(&pool))).await;
    is_at_home(&world, &pool, 4).await;
    pool.stop(LIMIT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn token_moves_on_from_data_centre_to_data_centre() {
    let world = World::with_accounts(6).await.only(&["backup_1"]);
    let pool = with_spare(&world, "extra_1").await;
    let url = show_qr(&pool).await;
    migrates(&world, "auth.importLoginToken", "USER_MIGRATE_2");
    accept(&world, url, "extra_1");
    until("signed in", || is_done(&now(&pool))).await;
    is_at_home(&world, &pool, 4).await;
    assert_eq!(called(&world, "auth.importLoginToken"), 3, "there, back, and there again");
    pool.stop(LIMIT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_migration_is_reported() {
    let world = World::new().await.only(&["backup_1"]);
    let pool = with_spare(&world, "backup_2").await;
    for (method, how) in [
        ("auth.sendCode", How::Phone(None)),
        ("auth.signIn", How::Phone(None)),
        ("auth.exportLoginToken", How::Qr),
    ] {
        fault(&world, method, FaultName::RpcError, |order| {
            (order.code, order.message, order.times) = (Some(303), Some("USER_MIGRATE_4".to_owned()), None);
        });
        let mut ended = begin(&pool, how).await;
        if method == "auth.signIn" {
            ended = code(&pool, &last_code(&world)).await;
        }
        let LoginState::Failed { code: LoginFailure::Refused, detail, .. } = &ended else {
            panic!("{method}: {ended:?}")
        };
        assert!(detail.contains("again and again"), "{method}: {detail}");
        assert_eq!((called(&world, method), stored_logins(&world).await), (4, 0), "{method}");
        world.telegram().clear_faults();
    }
    // Where no one lives there is nothing to go to.
    migrates(&world, "auth.sendCode", "USER_MIGRATE_9");
    let ended = begin(&pool, How::Phone(None)).await;
    let LoginState::Failed { detail, .. } = &ended else { panic!("{ended:?}") };
    assert!(detail.contains("data centre 9"), "{detail}");
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restart_resumes_the_move_to_another_data_centre() {
    let world = World::new().await.only(&["backup_1"]);
    let pool = with_spare(&world, "backup_2").await;
    begin(&pool, How::Phone(None)).await;
    // It was sent on, and the connection there broke before the code was sent.
    migrates(&world, "auth.signIn", "USER_MIGRATE_4");
    fault(&world, "auth.signIn", FaultName::DisconnectBefore, |_| {});
    let tell = |text: String| {
        let login = pool.login();
        async move { login.submit_code(&name("spare"), SecretText::from(text)).await }
    };
    let lost = tell(last_code(&world)).await;
    assert!(matches!(lost, Err(LoginError::Unreachable(_))), "{lost:?}");
    pool.stop(LIMIT).await;
    // The next run sends it there, where no one knows it; a new one cannot be asked for yet.
    let pool = world.pool().await;
    assert!(matches!(now(&pool), LoginState::CodeWanted { .. }), "{:?}", now(&pool));
    refuses(&world, "auth.signIn", 400, "PHONE_CODE_EXPIRED");
    let deaf = fault(&world, "auth.sendCode", FaultName::DisconnectBefore, |order| order.times = None);
    let login = pool.login();
    let lost = login.submit_code(&name("spare"), SecretText::from(last_code(&world))).await;
    assert!(matches!(lost, Err(LoginError::Unreachable(_))), "{lost:?}");
    drop(login);
    pool.stop(LIMIT).await;
    world.telegram().remove_fault(deaf);
    // The run after that asks for it by itself.
    let pool = world.pool().await;
    until("a new code", || is_new_code(&now(&pool))).await;
    assert!(is_done(&code(&pool, &last_code(&world)).await));
    is_at_home(&world, &pool, 2).await;
    pool.stop(LIMIT).await;
}
