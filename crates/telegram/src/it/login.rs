//! Signing in: every way it goes, every way it does not, and the program ending in between.

use std::sync::Arc;
use std::time::Duration;

use domain::account::{AccountState, Reason};
use domain::{Purpose, SecretText, UserId};
use sandbox::telegram::{FaultName, FaultOrder, SignInRules, TokenOrder, Way};
use telegram::{
    AccountSource, CodeDelivery, How, LoginError, LoginFailure, LoginOptions, LoginState, NewAccount, Pool,
};

use crate::it::world::{World, name, one_account, send, state, until, view};

pub(crate) const LIMIT: Duration = Duration::from_secs(5);

pub(crate) async fn with_spare(world: &World, person: &str) -> Arc<Pool> {
    let pool = world.pool().await;
    pool.add_account(NewAccount { priority: 50, ..world.spare(person) }).await.expect("added");
    pool
}

pub(crate) async fn begin(pool: &Arc<Pool>, how: How) -> LoginState {
    pool.login().start(&name("spare"), how, LoginOptions::default()).await.expect("begun")
}

pub(crate) async fn code(pool: &Arc<Pool>, code: &str) -> LoginState {
    pool.login().submit_code(&name("spare"), SecretText::from(code.to_owned())).await.expect("answered")
}

pub(crate) async fn password(pool: &Arc<Pool>, password: &str) -> LoginState {
    pool.login()
        .submit_password(&name("spare"), SecretText::from(password.to_owned()))
        .await
        .expect("answered")
}

pub(crate) fn now(pool: &Arc<Pool>) -> LoginState {
    pool.login().state(&name("spare"))
}

pub(crate) fn is_done(state: &LoginState) -> bool {
    matches!(state, LoginState::Done { .. })
}

pub(crate) fn shown_qr(state: &LoginState) -> String {
    let LoginState::QrShown { url, .. } = state else { panic!("no token: {state:?}") };
    url.clone()
}

pub(crate) async fn show_qr(pool: &Arc<Pool>) -> String {
    shown_qr(&begin(pool, How::Qr).await)
}

pub(crate) fn accept(world: &World, token: String, account: &str) {
    let order = TokenOrder { token, account: account.to_owned() };
    world.telegram().accept_login_token(&order).expect("accepted");
}

fn failure(state: &LoginState) -> Option<LoginFailure> {
    match state {
        LoginState::Failed { code, .. } => Some(*code),
        _ => None,
    }
}

pub(crate) fn fault(
    world: &World,
    method: &str,
    fault: FaultName,
    change: impl FnOnce(&mut FaultOrder),
) -> u64 {
    let mut order = FaultOrder {
        provider: "telegram".to_owned(),
        account: None,
        method: Some(method.to_owned()),
        fault,
        seconds: None,
        times: Some(1),
        probability: None,
        code: None,
        message: None,
        effect: None,
    };
    change(&mut order);
    world.telegram().add_fault(order).expect("a fault")
}

pub(crate) fn rules(world: &World, person: &str, rules: &SignInRules) {
    world.telegram().set_sign_in(person, rules).expect("set");
}

pub(crate) fn with_password() -> SignInRules {
    let (password, hint) = (Some("horse".to_owned()), Some("an animal".to_owned()));
    SignInRules { password, hint, ..SignInRules::default() }
}

pub(crate) async fn ready(pool: &Pool) {
    until("ready", || state(pool, "spare").0 == AccountState::Ready).await;
}

pub(crate) async fn stored_logins(world: &World) -> usize {
    world.store.accounts().logins().await.expect("readable").len()
}

pub(crate) fn called(world: &World, method: &str) -> u64 {
    world.telegram().calls(None, Some(method)).iter().map(|call| call.count).sum()
}

/// No one finds out whose a key is until the faults are cleared.
fn blind(world: &World) {
    fault(world, "users.getUsers", FaultName::DropAnswer, |order| order.times = None);
}

#[tokio::test(flavor = "multi_thread")]
async fn code_signs_in_and_the_session_survives_a_restart() {
    let world = World::new().await.only(&["backup_1"]);
    let person = world.person("backup_2");
    let pool = with_spare(&world, "backup_2").await;
    let shown = view(&pool, "spare");
    assert_eq!((shown.state, shown.reason), (AccountState::NeedsLogin, Some(Reason::NoSession)));
    assert_eq!((shown.wants_session, shown.source), (true, AccountSource::Store));
    let begun = begin(&pool, How::Phone(None)).await;
    let LoginState::CodeWanted { sent_by, length, next_by, wrong: 0, .. } = begun else {
        panic!("{begun:?}")
    };
    assert_eq!((sent_by, length, next_by), (CodeDelivery::App, Some(5), Some(CodeDelivery::Sms)));
    // Anyone who begins again is shown how far it is, and no other code goes out.
    assert_eq!(begin(&pool, How::Phone(None)).await, now(&pool));
    assert_eq!(called(&world, "auth.sendCode"), 1);
    let wrong = if person.login_code == "00000" { "00001" } else { "00000" };
    for (attempt, times) in [(wrong, 1), ("", 2)] {
        let state = code(&pool, attempt).await;
        assert!(matches!(state, LoginState::CodeWanted { wrong, .. } if wrong == times), "{state:?}");
        assert!(state.advice().contains("wrong"));
    }
    let done = code(&pool, &person.login_code).await;
    assert!(matches!(&done, LoginState::Done { user } if user.user_id.get() == person.user_id), "{done:?}");
    ready(&pool).await;
    assert_eq!(stored_logins(&world).await, 0);
    assert_eq!(send(&pool, "spare", "@client_1", "hello", 1).await.word(), "sent");
    let shown = view(&pool, "spare");
    assert_eq!((shown.wants_session, shown.user_id), (false, UserId::new(person.user_id)));
    assert!(shown.lines[0].session.is_some() && shown.lines[0].purposes == Purpose::ALL);
    let pool = world.restarted(&pool).await;
    ready(&pool).await;
    assert_eq!(send(&pool, "spare", "@client_1", "hello again", 2).await.word(), "sent");
    assert_eq!(
        (world.texts(), now(&pool)),
        (vec!["hello".to_owned(), "hello again".to_owned()], LoginState::None)
    );
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_code_uses_the_next_delivery_in_due_time() {
    let world = World::new().await.only(&["backup_1"]);
    let pool = with_spare(&world, "backup_2").await;
    begin(&pool, How::Phone(None)).await;
    let spare = name("spare");
    let early = pool.login().resend(&spare).await;
    assert!(matches!(early, Err(LoginError::TooSoon(_))), "{early:?}");
    for (way, delivery) in [(Way::Sms, CodeDelivery::Sms), (Way::Call, CodeDelivery::Call)] {
        world.clock.advance(Duration::from_secs(61));
        let sent = pool.login().resend(&spare).await.expect("sent");
        assert!(matches!(sent, LoginState::CodeWanted { sent_by, .. } if sent_by == delivery), "{sent:?}");
        assert_eq!(world.telegram().codes()[0].way, way);
    }
    let none = pool.login().resend(&spare).await;
    assert!(matches!(none, Err(LoginError::NoOtherDelivery)), "{none:?}");
    assert!(is_done(&code(&pool, &world.person("backup_2").login_code).await));
    pool.stop(LIMIT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_code_is_requested_again() {
    let world = World::new().await.only(&["backup_1"]);
    let pool = with_spare(&world, "backup_2").await;
    begin(&pool, How::Phone(None)).await;
    world.telegram().expire_codes();
    let login_code = world.person("backup_2").login_code.clone();
    assert_eq!(failure(&code(&pool, &login_code).await), Some(LoginFailure::CodeExpired));
    assert_eq!(stored_logins(&world).await, 0);
    let again = pool.login().submit_code(&name("spare"), SecretText::from("1".to_owned())).await;
    assert!(matches!(again, Err(LoginError::NotNow(LoginState::Failed { .. }))), "{again:?}");
    begin(&pool, How::Phone(None)).await;
    assert!(is_done(&code(&pool, &login_code).await));
    pool.stop(LIMIT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_is_requested_until_it_is_right() {
    let world = World::new().await.only(&["backup_1"]);
    rules(&world, "backup_2", &with_password());
    let pool = with_spare(&world, "backup_2").await;
    begin(&pool, How::Phone(None)).await;
    let early = pool.login().submit_password(&name("spare"), SecretText::from("horse".to_owned())).await;
    assert!(matches!(early, Err(LoginError::NotNow(LoginState::CodeWanted { .. }))), "{early:?}");
    let state = code(&pool, &world.person("backup_2").login_code).await;
    assert_eq!(state, LoginState::PasswordWanted { hint: Some("an animal".to_owned()), wrong: 0 });
    let wrong = password(&pool, "cow").await;
    assert_eq!(wrong, LoginState::PasswordWanted { hint: Some("an animal".to_owned()), wrong: 1 });
    assert!(is_done(&password(&pool, "horse").await));
    ready(&pool).await;
    pool.stop(LIMIT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_moves_to_the_data_centre_of_the_account() {
    let world = World::with_accounts(6).await.only(&["backup_1"]);
    let person = world.person("extra_1");
    assert_eq!(person.dc_id, 4);
    let pool = with_spare(&world, "extra_1").await;
    begin(&pool, How::Phone(None)).await;
    assert!(is_done(&code(&pool, &person.login_code).await));
    ready(&pool).await;
    assert_eq!(view(&pool, "spare").lines[0].dc_id, Some(4));
    rules(&world, "extra_1", &with_password());
    let url = show_qr(&pool).await;
    accept(&world, url, "extra_1");
    until("a password is wanted", || matches!(now(&pool), LoginState::PasswordWanted { .. })).await;
    let before = view(&pool, "spare").lines[0].session.clone();
    assert!(is_done(&password(&pool, "horse").await));
    ready(&pool).await;
    let lines = view(&pool, "spare").lines;
    // All of it was done by the session before, which is kept.
    assert!(lines.len() == 1 && lines[0].session != before);
    let ownerless = pool.ownerless().await.expect("readable");
    assert_eq!(ownerless.iter().map(|one| Some(one.session.clone())).collect::<Vec<_>>(), [before]);
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn impossible_sign_ins_are_refused_in_words() {
    let world = World::new().await.only(&["backup_1"]);
    let pool = with_spare(&world, "backup_2").await;
    let start = async |phone: &str| {
        let how = How::Phone(Some(SecretText::from(phone.to_owned())));
        pool.login().start(&name("spare"), how, LoginOptions::default()).await
    };
    assert!(matches!(start("hello").await, Err(LoginError::InvalidPhone)));
    let unknown = pool.login().start(&name("nobody"), How::Qr, LoginOptions::default()).await;
    assert!(matches!(unknown, Err(LoginError::NoSuchAccount(_))));
    rules(&world, "fifth", &SignInRules { banned: true, ..SignInRules::default() });
    let banned = start(&world.person("fifth").phone).await.expect("begun");
    assert_eq!(failure(&banned), Some(LoginFailure::PhoneBanned));
    // A number of no one is sent a code all the same.
    start("+70000090000").await.expect("begun");
    let sent = world.telegram().codes().pop().expect("a code");
    let refused = code(&pool, &sent.code).await;
    assert_eq!(failure(&refused), Some(LoginFailure::SignUpRequired));
    assert!(refused.advice().contains("never"));
    fault(&world, "auth.sendCode", FaultName::RpcError, |order| {
        (order.code, order.message) = (Some(400), Some("API_ID_INVALID".to_owned()));
    });
    let refused = start(&world.person("backup_2").phone).await.expect("begun");
    assert_eq!(failure(&refused), Some(LoginFailure::ApiIdInvalid));
    assert_eq!(stored_logins(&world).await, 0);
    pool.stop(LIMIT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_requested_by_telegram_outlasts_a_restart() {
    let world = World::new().await.only(&["backup_1"]);
    let pool = with_spare(&world, "backup_2").await;
    fault(&world, "auth.sendCode", FaultName::FloodWait, |order| order.seconds = Some(600.0));
    let flood = begin(&pool, How::Phone(None)).await;
    let LoginState::Failed { code: LoginFailure::Flood, until: Some(wait), .. } = &flood else {
        panic!("{flood:?}")
    };
    let left = wait.since(world.clock.now());
    assert!(left > Duration::from_secs(500) && left <= Duration::from_mins(10), "{left:?}");
    let restart = LoginOptions { restart: true, ..LoginOptions::default() };
    let code_requests = || called(&world, "auth.sendCode");
    let before = code_requests();
    assert_eq!(
        pool.login().start(&name("spare"), How::Phone(None), restart.clone()).await.expect("answered"),
        flood
    );
    let pool = world.restarted(&pool).await;
    assert_eq!(now(&pool), flood);
    assert_eq!(begin(&pool, How::Phone(None)).await, flood);
    assert_eq!(code_requests(), before);
    world.clock.advance(Duration::from_secs(601));
    assert!(matches!(begin(&pool, How::Phone(None)).await, LoginState::CodeWanted { .. }));
    pool.stop(LIMIT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_shown_again_until_it_is_accepted() {
    let world = World::new().await.only(&["backup_1"]);
    let pool = with_spare(&world, "backup_2").await;
    let first = show_qr(&pool).await;
    world.clock.advance(Duration::from_secs(61));
    until("another token", || matches!(now(&pool), LoginState::QrShown { url, .. } if url != first)).await;
    let url = shown_qr(&now(&pool));
    accept(&world, url, "backup_2");
    until("signed in", || is_done(&now(&pool))).await;
    ready(&pool).await;
    pool.stop(LIMIT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_ends_at_any_step_goes_on_there() {
    let world = World::new().await.only(&["backup_1"]);
    rules(&world, "backup_2", &with_password());
    let login_code = world.person("backup_2").login_code.clone();
    let pool = with_spare(&world, "backup_2").await;
    let state = begin(&pool, How::Phone(None)).await;
    pool.stop(LIMIT).await;
    // The code is wanted.
    let pool = world.pool().await;
    assert_eq!(now(&pool), state);
    let state = code(&pool, &login_code).await;
    assert!(matches!(state, LoginState::PasswordWanted { .. }));
    pool.stop(LIMIT).await;
    // The password is wanted.
    let pool = world.pool().await;
    assert_eq!(now(&pool), state);
    let wrong = password(&pool, "cow").await;
    assert!(matches!(wrong, LoginState::PasswordWanted { wrong: 1, .. }), "{wrong:?}");
    // It was right, and the answer got lost.
    blind(&world);
    fault(&world, "auth.checkPassword", FaultName::Disconnect, |_| {});
    let lost = pool.login().submit_password(&name("spare"), SecretText::from("horse".to_owned())).await;
    assert!(matches!(lost, Err(LoginError::Unreachable(_))), "{lost:?}");
    pool.stop(LIMIT).await;
    assert_eq!(stored_logins(&world).await, 1, "no one found it out yet");
    world.telegram().clear_faults();
    // This run finds it out.
    let pool = world.pool().await;
    ready(&pool).await;
    assert_eq!(send(&pool, "spare", "@client_1", "hello", 1).await.word(), "sent");
    assert_eq!((stored_logins(&world).await, called(&world, "auth.checkPassword")), (0, 2));
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_with_a_lost_answer_is_not_sent_twice() {
    let world = World::new().await.only(&["backup_1"]);
    let login_code = world.person("backup_2").login_code.clone();
    let pool = with_spare(&world, "backup_2").await;
    begin(&pool, How::Phone(None)).await;
    fault(&world, "auth.signIn", FaultName::Disconnect, |_| {});
    let lost = pool.login().submit_code(&name("spare"), SecretText::from(login_code.clone())).await;
    assert!(matches!(lost, Err(LoginError::Unreachable(_))), "{lost:?}");
    assert!(is_done(&code(&pool, &login_code).await));
    ready(&pool).await;
    pool.stop(LIMIT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_cannot_be_checked_yet_is_not_missing() {
    let world = World::new().await.only(&["backup_1"]);
    let login_code = world.person("backup_2").login_code.clone();
    let pool = with_spare(&world, "backup_2").await;
    begin(&pool, How::Phone(None)).await;
    let login = pool.login();
    let spare = name("spare");
    let tell = || login.submit_code(&spare, SecretText::from(login_code.clone()));
    let flood = fault(&world, "users.getUsers", FaultName::FloodWait, |order| {
        (order.seconds, order.times) = (Some(30.0), None);
    });
    fault(&world, "auth.signIn", FaultName::Disconnect, |_| {});
    let lost = tell().await;
    assert!(matches!(lost, Err(LoginError::Unreachable(_))), "{lost:?}");
    for _ in 0..2 {
        let early = tell().await;
        assert!(matches!(early, Err(LoginError::TooSoon(_))), "{early:?}");
    }
    world.telegram().remove_fault(flood);
    world.clock.advance(Duration::from_secs(31));
    assert!(is_done(&code(&pool, &login_code).await));
    ready(&pool).await;
    pool.stop(LIMIT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_accepted_while_the_program_was_off_is_used() {
    let world = World::new().await.only(&["backup_1"]);
    let pool = with_spare(&world, "backup_2").await;
    let url = show_qr(&pool).await;
    pool.stop(LIMIT).await;
    accept(&world, url, "backup_2");
    let pool = world.pool().await;
    world.clock.advance(Duration::from_secs(61));
    until("signed in", || is_done(&now(&pool))).await;
    pool.stop(LIMIT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_made_and_not_used_is_used_by_the_next_run() {
    let world = World::new().await.only(&["backup_1"]);
    let pool = with_spare(&world, "backup_2").await;
    fault(&world, "auth.sendCode", FaultName::DisconnectBefore, |_| {});
    let lost = pool.login().start(&name("spare"), How::Phone(None), LoginOptions::default()).await;
    assert!(matches!(lost, Err(LoginError::Unreachable(_))), "{lost:?}");
    assert_eq!((now(&pool), stored_logins(&world).await), (LoginState::None, 1));
    let pool = world.restarted(&pool).await;
    assert!(matches!(begin(&pool, How::Phone(None)).await, LoginState::CodeWanted { .. }));
    assert!(is_done(&code(&pool, &world.person("backup_2").login_code).await));
    ready(&pool).await;
    pool.stop(LIMIT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_whose_use_got_no_answer_is_not_used_twice() {
    let world = World::new().await.only(&["backup_1"]);
    let pool = with_spare(&world, "backup_2").await;
    let url = show_qr(&pool).await;
    blind(&world);
    fault(&world, "auth.exportLoginToken", FaultName::Disconnect, |_| {});
    accept(&world, url, "backup_2");
    until("asked", || world.telegram().faults().len() == 1).await;
    pool.stop(LIMIT).await;
    assert_eq!(stored_logins(&world).await, 1, "no one found it out yet");
    world.telegram().clear_faults();
    let exported = called(&world, "auth.exportLoginToken");
    // This run finds it out.
    let pool = world.pool().await;
    ready(&pool).await;
    assert_eq!(called(&world, "auth.exportLoginToken"), exported, "the token is used once");
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_person_is_never_mixed_in() {
    let (world, pool) = one_account().await;
    let (own, other) = (name("backup_1"), world.person("backup_2"));
    let how = How::Phone(Some(SecretText::from(other.phone.clone())));
    pool.login().start(&own, how, LoginOptions::default()).await.expect("begun");
    let code = SecretText::from(other.login_code.clone());
    let refused = pool.login().submit_code(&own, code).await.expect("answered");
    assert_eq!(failure(&refused), Some(LoginFailure::OtherPerson), "{refused:?}");
    assert_eq!(world.calls("backup_2", "auth.logOut"), 1);
    let shown = view(&pool, "backup_1");
    assert_eq!((shown.state, shown.lines.len()), (AccountState::Ready, 1));
    assert_eq!(pool.ownerless().await.expect("readable"), []);
    pool.stop(LIMIT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_session_of_the_settings_is_replaced_by_signing_in() {
    let (world, pool) = one_account().await;
    let person = world.person("backup_1");
    world.fault("backup_1", FaultName::SessionRevoked).any_method().times(1).on();
    world.clock.advance(Duration::from_secs(30));
    until("lost", || state(&pool, "backup_1").0 == AccountState::NeedsLogin).await;
    world.telegram().clear_faults();
    let own = name("backup_1");
    pool.login().start(&own, How::Phone(None), LoginOptions::default()).await.expect("begun");
    let done =
        pool.login().submit_code(&own, SecretText::from(person.login_code.clone())).await.expect("answered");
    assert!(is_done(&done), "{done:?}");
    until("ready", || state(&pool, "backup_1").0 == AccountState::Ready).await;
    let shown = view(&pool, "backup_1");
    assert_eq!(
        (shown.lines.len(), shown.lines[0].source, shown.source),
        (1, AccountSource::Store, AccountSource::Settings)
    );
    let pool = world.restarted(&pool).await;
    until("ready", || state(&pool, "backup_1").0 == AccountState::Ready).await;
    assert_eq!(send(&pool, "backup_1", "@client_1", "hello", 1).await.word(), "sent");
    pool.stop(LIMIT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abandoned_or_cancelled_login_ends() {
    let world = World::new().await.only(&["backup_1"]);
    let pool = with_spare(&world, "backup_2").await;
    begin(&pool, How::Phone(None)).await;
    assert_eq!(stored_logins(&world).await, 1);
    assert_eq!(pool.login().cancel(&name("spare")).await.expect("given up"), LoginState::None);
    assert_eq!((stored_logins(&world).await, world.telegram().codes().len()), (0, 0));
    begin(&pool, How::Phone(None)).await;
    world.clock.advance(Duration::from_mins(16));
    until("over", || failure(&now(&pool)) == Some(LoginFailure::LeftAlone)).await;
    assert_eq!(stored_logins(&world).await, 0);
    begin(&pool, How::Phone(None)).await;
    let restart = LoginOptions { restart: true, ..LoginOptions::default() };
    let state = pool.login().start(&name("spare"), How::Qr, restart).await.expect("begun");
    assert!(matches!(state, LoginState::QrShown { .. }), "{state:?}");
    pool.remove_account(&name("spare"), false).await.expect("removed");
    assert_eq!((now(&pool), stored_logins(&world).await), (LoginState::None, 0));
    world.end(&pool).await;
}
