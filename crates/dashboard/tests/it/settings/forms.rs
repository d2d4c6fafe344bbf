//! Forms that decide: limits of an account, sessions without an account, doubts, retries, sessions and second factors of people.

use domain::{MessageState, Role, Secret};
use http::StatusCode;
use store::{KeyFingerprint, OwnerlessSession};

use crate::world::{Browser, PASSWORD, World, note, submit};

async fn shows(browser: &Browser<'_>, path: &str, text: &str) -> bool {
    browser.get(path).await.body.contains(text)
}

async fn add_account(admin: &Browser<'_>) {
    let fields = [("name", "main"), ("api_id", "1000001"), ("api_hash", "0123456789abcdef0123456789abcdef")];
    submit(admin, "/accounts/add", &fields).await;
}

#[tokio::test]
async fn limits_are_written_shown_and_taken_away() {
    let world = World::new().await;
    let admin = world.person(Role::Admin).await;
    add_account(&admin).await;
    let (page, change) = ("/accounts/main", "/accounts/main/change");
    assert!(shows(&admin, page, "none of ours").await);
    submit(&admin, change, &[("messages_per_hour", "2"), ("messages_per_day", "20")]).await;
    assert!(shows(&admin, page, "0 of 2 an hour").await && shows(&admin, page, "0 of 20 in 24 hours").await);
    assert!(shows(&admin, "/accounts", "0 of 2 an hour").await);
    submit(&admin, change, &[("messages_per_hour", ""), ("messages_per_day", "")]).await;
    assert!(shows(&admin, page, "none of ours").await);
}

#[tokio::test]
async fn an_ownerless_session_is_given_or_deleted() {
    let world = World::new().await;
    let admin = world.person(Role::Admin).await;
    add_account(&admin).await;
    let session = |seed: u8| OwnerlessSession {
        fingerprint: KeyFingerprint::of(&[seed; 256]),
        dc_id: 2,
        auth_key: Secret::new(Box::new([seed; 256])),
        user: None,
        origin: "found in a folder".to_owned(),
    };
    world.store.accounts().save_ownerless(&[session(1), session(2)]).await.expect("saved");
    let [first, second] =
        [1, 2].map(|seed| format!("/accounts/sessions/{}", KeyFingerprint::of(&[seed; 256])));
    assert!(shows(&admin, &format!("{first}/give"), "<option>main</option>").await);
    let left = async || world.store.accounts().ownerless().await.expect("a list").len();
    let fields = [("account", "main"), ("send_text", "yes")];
    let given = submit(&admin, &format!("{first}/actions/give"), &fields).await;
    assert_eq!(left().await, 1, "{}", note(&given));
    let of_main = world.store.accounts().sessions_in_use().await.expect("a list");
    assert_eq!(of_main.len(), 1);
    assert!(shows(&admin, &format!("{second}/drop"), "/actions/drop").await);
    submit(&admin, &format!("{second}/actions/drop"), &[]).await;
    assert_eq!(left().await, 0);
}

#[tokio::test]
async fn doubts_that_are_ticked_are_ended_together() {
    let world = World::new().await;
    let ids = [world.in_doubt("one").await, world.in_doubt("two").await, world.in_doubt("three").await];
    let operator = world.person(Role::Operator).await;
    let [one, two, _] = ids.map(|id| id.to_string());
    let question = format!("/doubt/question?as=happened&id={one}&id={two}");
    assert!(shows(&operator, &question, "/doubt/actions/happened").await);
    submit(&operator, "/doubt/actions/happened", &[("id", &one), ("id", &two)]).await;
    let mut states = Vec::new();
    for id in ids {
        states.push(world.store.outbox().get(id).await.expect("reads").expect("a message").state);
    }
    assert_eq!(states, [MessageState::Sent, MessageState::Sent, MessageState::InDoubt]);
}

#[tokio::test]
async fn a_waiting_message_is_cancelled_on_its_page() {
    let world = World::new().await;
    let id = world.queued_for(crate::work::CHAT, "not any more").await;
    let operator = world.person(Role::Operator).await;
    let page = format!("/messages/{id}");
    assert!(shows(&operator, &page, "/actions/cancel").await);
    submit(&operator, &format!("{page}/actions/cancel"), &[]).await;
    let state = world.store.outbox().get(id).await.expect("reads").expect("a message").state;
    assert_eq!(state, MessageState::Cancelled);
    assert!(!shows(&operator, &page, "/actions/cancel").await);
}

#[tokio::test]
async fn retrying_all_that_failed_is_ended_early() {
    let world = World::new().await;
    for _ in 0..200 {
        world.failed("one of many").await;
    }
    let operator = world.person(Role::Operator).await;
    submit(&operator, "/messages/actions/retry-failed", &[]).await;
    let stopped = submit(&operator, "/messages/actions/stop-retrying", &[]).await;
    assert!(note(&stopped).contains("Retrying has stopped"), "{}", note(&stopped));
    assert!(!shows(&operator, "/messages/retry-failed", "Retry 0 failed messages?").await);
}

#[tokio::test]
async fn one_other_session_ends_and_the_own_goes_on() {
    let world = World::new().await;
    let viewer = world.person(Role::Viewer).await;
    let mut others = Vec::new();
    for _ in 0..2 {
        let signed_in = world.access.sign_in("viewer", PASSWORD.into(), &access::ClientInfo::default()).await;
        let Ok(access::SignIn::Done(session)) = signed_in else { panic!("{signed_in:?}") };
        others.push(world.stranger().with(&format!("switchboard={}", session.token.text())));
    }
    let me = viewer.get("/settings/me").await.body;
    let forms = me.split("actions/end-session\"").skip(1);
    let ids: Vec<&str> =
        forms.filter_map(|form| form.split("name=\"id\" value=\"").nth(1)?.split('"').next()).collect();
    assert_eq!(ids.len(), 2, "one's own has no button: {me}");
    submit(&viewer, "/settings/me/actions/end-session", &[("id", ids[0])]).await;
    let mut open = 0;
    for other in &others {
        open += usize::from(other.get("/").await.status == StatusCode::OK);
    }
    assert_eq!((open, viewer.get("/").await.status), (1, StatusCode::OK));
}

#[tokio::test]
async fn an_admin_takes_off_a_second_factor_that_is_lost() {
    let world = World::new().await;
    let (admin, viewer) = (world.person(Role::Admin).await, world.person(Role::Viewer).await);
    submit(&viewer, "/settings/me/actions/offer-second-factor", &[]).await;
    let page = viewer.get("/settings/me/second-factor").await;
    let secret = page.body.split("<code>").nth(1).and_then(|rest| rest.split('<').next()).expect("a secret");
    let code = testkit::authenticator::code(&secret.replace(' ', ""), world.clock.now().as_seconds());
    let fields = [("csrf", viewer.csrf.as_str()), ("code", code.as_str())];
    let confirmed = viewer.post("/settings/me/actions/confirm-second-factor", &fields).await;
    assert_eq!(confirmed.status, StatusCode::OK);
    let reset = "/settings/people/viewer/actions/reset-second-factor";
    assert!(shows(&admin, "/settings/people/viewer", reset).await);
    assert!(note(&submit(&admin, reset, &[]).await).contains("viewer"));
    assert!(!shows(&admin, "/settings/people/viewer", reset).await);
    let signed_in = world.access.sign_in("viewer", PASSWORD.into(), &access::ClientInfo::default()).await;
    assert!(matches!(signed_in, Ok(access::SignIn::Done(_))), "the password is enough: {signed_in:?}");
}
