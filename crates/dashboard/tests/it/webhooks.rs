//! Webhooks: made, looked at, tried, changed and removed on their pages.

use axum::Router;
use axum::routing::post;
use domain::Role;
use http::StatusCode;

use crate::world::{Browser, Page, World, note, send};

/// An endpoint of the test's own: takes what comes to `/in` and refuses what comes to `/out`.
async fn endpoint() -> String {
    let router = Router::new()
        .route("/in", post(|| async { "thanks <b>" }))
        .route("/out", post(|| async { (StatusCode::INTERNAL_SERVER_ERROR, "not today") }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Makes one; the path of its page.
async fn made(world: &World, admin: &Browser<'_>, fields: &[(&str, &str)]) -> String {
    let page = send(admin, "/webhooks/add", fields).await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    assert!(page.body.contains("whsec_"), "{}", page.body);
    let newest = world.store.webhooks().list().await.expect("reads").pop().expect("one");
    format!("/webhooks/{}", newest.id)
}

/// Asks for a page until it shows something.
async fn until_shown(browser: &Browser<'_>, path: &str, text: &str) -> Page {
    let shown = async {
        loop {
            let page = browser.get(path).await;
            if page.body.contains(text) {
                return page;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_mins(1), shown).await.expect("it is shown")
}

#[tokio::test]
async fn a_webhook_is_made_shown_and_removed() {
    let (world, address) = (World::new().await, endpoint().await);
    let admin = world.person(Role::Admin).await;
    assert!(admin.get("/webhooks").await.body.contains("No webhooks yet"));
    let url = format!("{address}/in");
    let fields = [
        ("url", url.as_str()),
        ("description", "n8n <answers>"),
        ("events", "message.*, account.state"),
        ("ordered", "yes"),
        ("headers", "Authorization: planted"),
    ];
    let path = made(&world, &admin, &fields).await;
    world.queued_for("-1001234567890", "planted").await;
    until_shown(&admin, &path, "thanks &#60;b&#62;").await;
    // The numbers were read before the list.
    let page = until_shown(&admin, &path, "100\u{a0}%").await;
    for text in ["n8n &#60;answers&#62;", "message.accepted", "Delivered", "<code>authorization</code>"] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    assert!(!page.body.contains("planted") && !page.body.contains("whsec_"), "{}", page.body);
    let list = admin.get("/webhooks").await;
    assert!(list.body.contains("n8n &#60;answers&#62;") && list.body.contains("Works"), "{}", list.body);
    let none = admin.get(&format!("{path}?state=dead")).await;
    assert!(none.body.contains("Nothing found"), "{}", none.body);
    let wrong = admin.get(&format!("{path}?state=gone")).await;
    assert!(wrong.body.contains("The filter has a wrong field"), "{}", wrong.body);

    let form = admin.get(&format!("{path}/change")).await;
    assert!(form.body.contains(&url) && !form.body.contains("planted"), "{}", form.body);
    let changed = send(&admin, &format!("{path}/change"), &[("url", &url), ("description", "")]).await;
    assert_eq!((changed.header("location"), changed.status), (path.as_str(), StatusCode::SEE_OTHER));
    let found = world.store.webhooks().list().await.expect("reads").remove(0);
    assert_eq!((found.description, found.ordered, found.secrets.headers.len()), (None, false, 1));

    let question = admin.get(&format!("{path}/remove")).await;
    assert!(question.body.contains("id=\"ask\""), "{}", question.body);
    let removed = send(&admin, &format!("{path}/actions/remove"), &[]).await;
    assert_eq!(removed.header("location"), "/webhooks");
    assert_eq!(admin.get(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn each_button_of_a_webhook_does_what_it_says() {
    let (world, address) = (World::new().await, endpoint().await);
    let admin = world.person(Role::Admin).await;
    let path = made(&world, &admin, &[("url", &format!("{address}/in")), ("events", "message.*")]).await;
    let act = async |action: &str, fields: &[(&str, &str)]| {
        let page = send(&admin, &format!("{path}/actions/{action}"), fields).await;
        assert_eq!(
            (page.status, page.header("location")),
            (StatusCode::SEE_OTHER, path.as_str()),
            "{action}"
        );
        note(&page)
    };
    assert!(act("test", &[]).await.contains("It answered 200 in "));
    act("pause", &[]).await;
    assert!(admin.get(&path).await.body.contains("/actions/resume"));
    world.queued_for("-1001234567890", "planted").await;
    assert_eq!(act("resume", &[]).await, "It is posted to again.");
    let page = until_shown(&admin, &path, "name=\"event\" value=\"").await;
    let (_, event) = page.body.split_once("name=\"event\" value=\"").expect("an event");
    let event = event.split('"').next().expect("an id");
    assert_eq!(act("retry", &[("event", event)]).await, "1 event is being sent again.");
    assert_eq!(act("retry-dead", &[]).await, "0 events are being sent again.");
    assert!(act("replay", &[("since", "2020-01-01")]).await.starts_with("Everything since 1\u{a0}Jan 2020"));
    assert!(act("replay", &[("since", "soon")]).await.contains("is no date and time"));
    let rotated = send(&admin, &format!("{path}/actions/rotate"), &[]).await;
    assert!(rotated.body.contains("whsec_") && rotated.body.contains("the old secret too"), "{rotated:?}");
    assert!(act("retry", &[("event", "x")]).await.contains("was not notified of \"x\""));
    assert_eq!(send(&admin, &format!("{path}/actions/explode"), &[]).await.status, StatusCode::NOT_FOUND);

    let refuses = made(&world, &admin, &[("url", &format!("{address}/out"))]).await;
    let tested = send(&admin, &format!("{refuses}/actions/test"), &[]).await;
    assert!(note(&tested).contains("it answered 500"), "{}", note(&tested));
    let russian = world.person(Role::Viewer).await.with("language=ru");
    world.queued_for("-1001234567890", "planted").await;
    let page = until_shown(&russian, &refuses, "Не принимает").await;
    assert!(page.body.contains("ответил 500") && page.body.contains("not today"), "{}", page.body);
    assert!(page.body.contains("Повторится позже"), "{}", page.body);
}

#[tokio::test]
async fn a_form_that_is_not_taken_says_why_at_its_fields() {
    let world = World::new().await;
    let admin = world.person(Role::Admin).await.with("language=ru");
    let fields = [
        ("url", "http://10.0.0.1/hook"),
        ("events", "no.such"),
        ("chats", "?"),
        ("headers", "webhook-id: 1"),
        ("description", "kept"),
    ];
    let page = send(&admin, "/webhooks/add", &fields).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    for text in [
        "url-error",
        "events-error",
        "chats-error",
        "headers-error",
        "такого вида событий нет",
        "value=\"kept\"",
        "value=\"no.such\"",
    ] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    assert_eq!(world.store.webhooks().list().await.expect("reads").len(), 0);
}

#[tokio::test]
async fn only_admins_change_webhooks() {
    let (world, address) = (World::new().await, endpoint().await);
    let admin = world.person(Role::Admin).await;
    let path = made(&world, &admin, &[("url", &format!("{address}/in"))]).await;
    let operator = world.person(Role::Operator).await;
    for page in ["/webhooks", path.as_str()] {
        let shown = operator.get(page).await;
        assert_eq!(shown.status, StatusCode::OK);
        assert!(shown.body.contains(&address) && !shown.body.contains(&format!("{address}/in")), "{page}");
        assert!(admin.get(page).await.body.contains(&format!("{address}/in")), "{page}");
        for offered in ["/actions/", "/webhooks/add", "/change", "/remove"] {
            assert!(!shown.body.contains(offered), "{page} offers {offered}");
        }
    }
    for page in ["/webhooks/add", &format!("{path}/change"), &format!("{path}/remove")] {
        assert_eq!(operator.get(page).await.status, StatusCode::FORBIDDEN, "{page}");
    }
    for form in ["/webhooks/add", &format!("{path}/change")] {
        assert_eq!(send(&operator, form, &[("url", "x")]).await.status, StatusCode::FORBIDDEN, "{form}");
    }
    for action in ["test", "pause", "rotate", "remove", "retry-dead"] {
        let refused = send(&operator, &format!("{path}/actions/{action}"), &[]).await;
        assert!(note(&refused).contains("admin"), "{action}: {}", note(&refused));
    }
    assert_eq!(world.store.webhooks().list().await.expect("reads")[0].paused_at, None);
}
