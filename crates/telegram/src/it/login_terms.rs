//! Terms of service after signing in: accepted, not accepted, left alone, and the program ending in between.

use std::sync::Arc;
use std::time::Duration;

use domain::SecretText;
use domain::account::AccountState;
use sandbox::telegram::{FaultName, SignInRules};
use telegram::{How, LoginError, LoginFailure, LoginState, Pool};

use crate::it::login::{
    LIMIT, accept, begin, called, code, fault, now, ready, rules, show_qr, stored_logins, with_spare,
};
use crate::it::world::{World, name, send, state, until, view};

const TERMS: &str = "Be kind to each other.";

/// A world with terms to accept, and an account to sign in to.
async fn with_terms() -> (World, Arc<Pool>) {
    let world = World::new().await.only(&["backup_1"]);
    show(&world, Some(TERMS));
    let pool = with_spare(&world, "backup_2").await;
    (world, pool)
}

fn show(world: &World, terms: Option<&str>) {
    let terms = terms.map(str::to_owned);
    rules(world, "backup_2", &SignInRules { terms, ..SignInRules::default() });
}

async fn submit_login_code(world: &World, pool: &Arc<Pool>) -> LoginState {
    begin(pool, How::Phone(None)).await;
    code(pool, &world.person("backup_2").login_code).await
}

fn wanted() -> LoginState {
    LoginState::TermsWanted { text: TERMS.to_owned(), min_age: None }
}

async fn answer(pool: &Arc<Pool>, accepted: bool) -> Result<LoginState, LoginError> {
    pool.login().answer_terms(&name("spare"), accepted).await
}

fn logged_out(world: &World) -> u64 {
    called(world, "auth.logOut")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_works_when_its_terms_are_accepted_and_not_before() {
    let (world, pool) = with_terms().await;
    let early = answer(&pool, true).await;
    assert!(matches!(early, Err(LoginError::NotNow(LoginState::None))), "{early:?}");
    let shown = submit_login_code(&world, &pool).await;
    assert_eq!(shown, wanted());
    assert!(shown.advice().contains("terms of service") && !shown.is_over());
    assert!(view(&pool, "spare").lines.is_empty(), "the session is not used yet");
    // Anyone who begins again is shown how far it is; another code is not wanted.
    assert_eq!(begin(&pool, How::Phone(None)).await, wanted());
    let code = pool.login().submit_code(&name("spare"), SecretText::from("1".to_owned())).await;
    assert!(matches!(code, Err(LoginError::NotNow(LoginState::TermsWanted { .. }))), "{code:?}");
    let done = answer(&pool, true).await.expect("answered");
    assert!(matches!(done, LoginState::Done { .. }), "{done:?}");
    ready(&pool).await;
    assert_eq!(send(&pool, "spare", "@client_1", "hello", 1).await.word(), "sent");
    assert_eq!((stored_logins(&world).await, logged_out(&world)), (0, 0));
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn terms_are_shown_behind_a_qr_code_too() {
    let (world, pool) = with_terms().await;
    let url = show_qr(&pool).await;
    accept(&world, url, "backup_2");
    until("terms are shown", || now(&pool) == wanted()).await;
    assert!(matches!(answer(&pool, true).await, Ok(LoginState::Done { .. })));
    ready(&pool).await;
    pool.stop(LIMIT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn declined_terms_sign_out_only_the_new_session() {
    let (world, pool) = with_terms().await;
    submit_login_code(&world, &pool).await;
    let declined = answer(&pool, false).await.expect("answered");
    let LoginState::Failed { code: LoginFailure::TermsDeclined, detail, .. } = &declined else {
        panic!("{declined:?}")
    };
    assert!(detail.contains("not accepted"), "{detail}");
    assert_eq!((logged_out(&world), stored_logins(&world).await), (1, 0));
    assert_eq!(state(&pool, "spare").0, AccountState::NeedsLogin);
    assert_eq!(state(&pool, "backup_1").0, AccountState::Ready);
    // Another try is asked again.
    assert_eq!(submit_login_code(&world, &pool).await, wanted());
    assert!(matches!(answer(&pool, true).await, Ok(LoginState::Done { .. })));
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_terms_are_shown_before_they_count() {
    let (world, pool) = with_terms().await;
    submit_login_code(&world, &pool).await;
    show(&world, Some("Be kinder still."));
    let changed = answer(&pool, true).await.expect("answered");
    assert_eq!(changed, LoginState::TermsWanted { text: "Be kinder still.".to_owned(), min_age: None });
    assert!(matches!(answer(&pool, true).await, Ok(LoginState::Done { .. })));
    pool.stop(LIMIT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_before_the_answer_requests_it_again() {
    let (world, pool) = with_terms().await;
    submit_login_code(&world, &pool).await;
    let pool = world.restarted(&pool).await;
    assert_eq!(now(&pool), wanted());
    // They were accepted, and the answer got lost.
    fault(&world, "help.acceptTermsOfService", FaultName::Disconnect, |_| {});
    let lost = answer(&pool, true).await;
    assert!(matches!(lost, Err(LoginError::Unreachable(_))), "{lost:?}");
    let pool = world.restarted(&pool).await;
    ready(&pool).await;
    assert_eq!((stored_logins(&world).await, logged_out(&world)), (0, 0));
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn terms_accepted_elsewhere_are_not_requested_again() {
    let (world, pool) = with_terms().await;
    submit_login_code(&world, &pool).await;
    pool.stop(LIMIT).await;
    show(&world, None);
    let pool = world.pool().await;
    ready(&pool).await;
    pool.stop(LIMIT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unanswered_terms_sign_the_session_out() {
    let (world, pool) = with_terms().await;
    submit_login_code(&world, &pool).await;
    world.clock.advance(Duration::from_mins(16));
    let is_over =
        |state: LoginState| matches!(state, LoginState::Failed { code: LoginFailure::LeftAlone, .. });
    until("over", || is_over(now(&pool))).await;
    assert_eq!((logged_out(&world), stored_logins(&world).await), (1, 0));
    submit_login_code(&world, &pool).await;
    assert_eq!(pool.login().cancel(&name("spare")).await.expect("given up"), LoginState::None);
    assert_eq!((logged_out(&world), stored_logins(&world).await), (2, 0));
    world.end(&pool).await;
}

/// Telegram answers this method with an error of its own.
fn trouble(world: &World, method: &str) -> u64 {
    fault(world, method, FaultName::RpcError, |order| {
        (order.times, order.code, order.message) = (None, Some(500), Some("INTERNAL".to_owned()));
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn lasting_trouble_ends_the_login_and_loses_no_session() {
    let (world, pool) = with_terms().await;
    let spare = name("spare");
    for (can_sign_out, left) in [(true, 0), (false, 1)] {
        let mut faults =
            vec![trouble(&world, "help.getTermsOfServiceUpdate"), trouble(&world, "users.getUsers")];
        if !can_sign_out {
            faults.push(trouble(&world, "auth.logOut"));
        }
        begin(&pool, How::Phone(None)).await;
        let code = SecretText::from(world.person("backup_2").login_code.clone());
        let reply = pool.login().submit_code(&spare, code).await;
        assert!(matches!(reply, Err(LoginError::Unreachable(_))), "{reply:?}");
        world.clock.advance(Duration::from_mins(15));
        let over = |state| matches!(state, LoginState::Failed { code: LoginFailure::LeftAlone, .. });
        until("over", || {
            world.clock.advance(Duration::from_secs(2));
            over(now(&pool))
        })
        .await;
        assert_eq!((pool.ownerless().await.expect("readable").len(), stored_logins(&world).await), (left, 0));
        assert!(faults.into_iter().all(|fault| world.telegram().remove_fault(fault)));
    }
    // What was kept is good.
    let session = pool.ownerless().await.expect("readable")[0].session.parse().expect("a name");
    pool.adopt_session(&spare, session, &[]).await.expect("adopted");
    ready(&pool).await;
    pool.stop(LIMIT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replacement_session_waits_for_nothing_offline() {
    let (world, pool) = with_terms().await;
    show(&world, None);
    submit_login_code(&world, &pool).await;
    ready(&pool).await;
    pool.stop(LIMIT).await;
    let pool = Pool::at_rest(world.parts()).await.expect("accounts");
    let before = view(&pool, "spare").lines[0].session.clone();
    // Far less than a line that runs may take to close.
    let signing = tokio::time::timeout(Duration::from_secs(10), submit_login_code(&world, &pool)).await;
    assert!(matches!(signing, Ok(LoginState::Done { .. })), "{signing:?}");
    let after = view(&pool, "spare").lines;
    assert!(after.len() == 1 && after[0].session.is_some() && after[0].session != before, "{after:?}");
    let ownerless = pool.ownerless().await.expect("readable");
    assert_eq!(ownerless.iter().map(|one| Some(one.session.clone())).collect::<Vec<_>>(), [before]);
    pool.stop(LIMIT).await;
}
