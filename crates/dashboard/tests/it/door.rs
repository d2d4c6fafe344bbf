//! The door: the form as a password manager and a script find it, wrong passwords, codes, and the way out.

use std::time::Duration;

use access::{ClientInfo, SignIn};
use domain::{ExposeSecret, Role};
use http::StatusCode;

use crate::world::{PASSWORD, Page, World};

const COOKIE: &str = "switchboard";
const DOOR: &str = "switchboard-door";

/// The value of a hidden field.
fn hidden(page: &Page, name: &str) -> String {
    let mark = format!("name=\"{name}\" value=\"");
    let rest = page.body.split(&mark).nth(1).unwrap_or_else(|| panic!("no {name} in {}", page.body));
    rest.split('"').next().expect("its end").to_owned()
}

/// Sends a form of the door as a browser does that was shown it.
async fn enter(world: &World, path: &str, fields: &[(&str, &str)]) -> Page {
    enter_with(world, path, &[("sec-fetch-site", "same-origin")], fields).await
}

async fn enter_with(world: &World, path: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Page {
    let door = world.stranger().get("/sign-in").await;
    let (token, cookie) = (hidden(&door, "csrf"), door.cookie(DOOR).expect("a cookie"));
    let browser = world.stranger().with(&format!("{DOOR}={cookie}"));
    browser.post_with(path, headers, &[&[("csrf", token.as_str())], fields].concat()).await
}

/// A page on another port of the host can set a cookie that the browser sends first.
#[tokio::test]
async fn each_cookie_of_a_session_is_tried() {
    let world = World::new().await;
    let unknown = format!("{COOKIE}={}", "A".repeat(43));
    let bad = || world.stranger().with(&format!("{COOKIE}=AAAA")).with(&unknown);
    assert_eq!(bad().get("/").await.status, StatusCode::SEE_OTHER);
    let session = world.user(Role::Viewer).await;
    let good = access::cookie::begin(&session.token, false);
    let good = good.split(';').next().expect("a cookie");
    assert_eq!(bad().with(good).get("/").await.status, StatusCode::OK);
}

/// Another site can have a browser send a form, with a name and a password of its own, but it cannot know the token.
#[tokio::test]
async fn a_form_that_no_door_of_this_browser_showed_signs_no_one_in() {
    let world = World::new().await;
    world.person(Role::Admin).await;
    let (one, other) = (world.stranger().get("/sign-in").await, world.stranger().get("/sign-in").await);
    let (token, cookie) = (hidden(&one, "csrf"), one.cookie(DOOR).expect("a cookie"));
    let of_other = format!("{DOOR}={}", other.cookie(DOOR).expect("a cookie"));
    for (cookie, token) in
        [("", ""), ("", token.as_str()), (of_other.as_str(), token.as_str()), (of_other.as_str(), "")]
    {
        let fields = [("name", "admin"), ("password", PASSWORD), ("csrf", token)];
        let browser = world.stranger().with(cookie);
        // Browsers of before 2020 say nothing of where a form is from.
        let refused = browser.post_with("/sign-in", &[], &fields).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{cookie} {token}");
        assert!(refused.cookie(COOKIE).is_none());
    }
    // The form of a browser is the same as long as it is open.
    let browser = world.stranger().with(&format!("{DOOR}={cookie}"));
    let again = browser.get("/sign-in").await;
    assert_eq!((hidden(&again, "csrf"), again.cookie(DOOR)), (token.clone(), None));
    let fields = [("name", "admin"), ("password", PASSWORD), ("csrf", token.as_str())];
    let entered = browser.post_with("/sign-in", &[], &fields).await;
    assert_eq!(entered.status, StatusCode::SEE_OTHER);
    let lines: Vec<&str> =
        entered.headers.get_all("set-cookie").iter().filter_map(|line| line.to_str().ok()).collect();
    let device =
        lines.iter().find(|line| line.starts_with("switchboard-device=")).expect("the browser is known");
    assert!(device.contains("HttpOnly") && device.contains("Max-Age=15552000"), "{device}");
}

#[tokio::test]
async fn name_and_password_lead_in_and_where_one_wanted_to_go() {
    let world = World::new().await;
    world.person(Role::Admin).await;
    let door = world.stranger().get("/sign-in?next=%2Fdiagnostics%3Fx%3D1").await;
    assert_eq!(door.status, StatusCode::OK);
    for part in [
        "autocomplete=\"username\"",
        "autocomplete=\"current-password\"",
        "type=\"password\"",
        "name=\"name\"",
        "<label for=\"password\"",
    ] {
        assert!(door.body.contains(part), "{part} in {}", door.body);
    }
    assert!(!door.body.contains("<script") && !door.body.contains("class=\"rail\""), "{}", door.body);
    let next = hidden(&door, "next");
    assert_eq!(next, "/diagnostics?x=1");
    let fields = [("name", " Admin"), ("password", PASSWORD), ("next", next.as_str())];
    let entered = enter(&world, "/sign-in", &fields).await;
    assert_eq!((entered.status, entered.header("location")), (StatusCode::SEE_OTHER, "/diagnostics?x=1"));
    let cookie = entered.header("set-cookie");
    for flag in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(flag), "{cookie}");
    }
    let token = entered.cookie(COOKIE).expect("a session");
    let inside = world.stranger().with(&format!("{COOKIE}={token}"));
    assert_eq!(inside.get("/").await.status, StatusCode::OK);
    // A visitor who is signed in needs no form.
    assert_eq!(inside.get("/sign-in?next=/settings/me").await.header("location"), "/settings/me");
}

#[tokio::test]
async fn no_one_is_led_elsewhere() {
    let world = World::new().await;
    world.person(Role::Admin).await;
    for elsewhere in ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"] {
        let fields = [("name", "admin"), ("password", PASSWORD), ("next", elsewhere)];
        let entered = enter(&world, "/sign-in", &fields).await;
        assert_eq!((entered.status, entered.header("location")), (StatusCode::SEE_OTHER, "/"), "{elsewhere}");
    }
    let fields = [("name", "admin"), ("password", PASSWORD)];
    for headers in [
        [("sec-fetch-site", "cross-site")],
        [("origin", "https://evil.example.com")],
        [("origin", "null")],
        [("referer", "https://evil.example.com/")],
    ] {
        let cross = enter_with(&world, "/sign-in", &headers, &fields).await;
        assert_eq!(cross.status, StatusCode::FORBIDDEN, "{headers:?}");
        assert!(cross.cookie(COOKIE).is_none());
    }
}

#[tokio::test]
async fn wrong_sign_ins_get_one_reply_and_growing_delays() {
    let world = World::new().await;
    world.person(Role::Operator).await;
    let mut texts = Vec::new();
    for name in ["operator", "nobody"] {
        let fields = [("name", name), ("password", "wrong <b>password")];
        let refused = enter(&world, "/sign-in", &fields).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        assert!(refused.header("www-authenticate").starts_with("Form "));
        assert!(
            refused.cookie(COOKIE).is_none() && !refused.body.contains("wrong &#60;b"),
            "{}",
            refused.body
        );
        texts.push(refused.body.replace(name, "NAME").replace(&hidden(&refused, "csrf"), "TOKEN"));
    }
    assert_eq!(texts[0], texts[1]);
    let fields = [("name", "operator"), ("password", "wrong password")];
    let mut waits = Vec::new();
    for _ in 0..30 {
        let refused = enter(&world, "/sign-in", &fields).await;
        if refused.status == StatusCode::TOO_MANY_REQUESTS {
            let wait: u64 = refused.header("retry-after").parse().expect("seconds");
            assert!(refused.body.contains("Too many wrong passwords"), "{}", refused.body);
            waits.push(wait);
            world.clock.advance(Duration::from_secs(wait));
        }
    }
    // What a check took is no part of the wait that follows it, and the longest ones are alike.
    assert!(waits.len() >= 8 && waits.windows(2).all(|pair| pair[0] <= pair[1] + 5), "{waits:?}");
    assert!(waits.last().is_some_and(|last| *last >= 120), "{waits:?}");
}

#[tokio::test]
async fn a_code_is_asked_for_and_a_recovery_code_is_one_too() {
    let world = World::new().await;
    world.person(Role::Operator).await;
    let signed_in = world.access.sign_in("operator", PASSWORD.into(), &ClientInfo::default()).await;
    let Ok(SignIn::Done(session)) = signed_in else { panic!("{signed_in:?}") };
    let offered = world.access.offer_second_factor(&session.visitor).await.expect("offered");
    let now = world.clock.now().as_seconds();
    let code = testkit::authenticator::code(offered.secret.expose_secret(), now);
    let confirmed = world.access.confirm_second_factor(&session.visitor, &code, &ClientInfo::default()).await;
    let codes = confirmed.expect("confirmed");

    let fields = [("name", "operator"), ("password", PASSWORD), ("next", "/settings/me")];
    let reply = enter(&world, "/sign-in", &fields).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert!(reply.cookie(COOKIE).is_none() && reply.body.contains("one-time-code"), "{}", reply.body);
    let ticket = hidden(&reply, "ticket");
    let wrong = [("ticket", ticket.as_str()), ("code", "000000"), ("next", "/settings/me")];
    let refused = enter(&world, "/sign-in/code", &wrong).await;
    assert_eq!((refused.status, hidden(&refused, "ticket")), (StatusCode::UNAUTHORIZED, ticket.clone()));
    let right = [("ticket", ticket.as_str()), ("code", codes[0].expose_secret()), ("next", "/settings/me")];
    let entered = enter(&world, "/sign-in/code", &right).await;
    assert_eq!((entered.status, entered.header("location")), (StatusCode::SEE_OTHER, "/settings/me"));
    assert!(entered.cookie(COOKIE).is_some());
    // The ticket has served.
    let again = [("ticket", ticket.as_str()), ("code", codes[1].expose_secret())];
    let refused = enter(&world, "/sign-in/code", &again).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert!(refused.body.contains("name=\"password\""), "{}", refused.body);
}

#[tokio::test]
async fn signing_out_needs_the_form_token_and_ends_the_session() {
    let world = World::new().await;
    let viewer = world.person(Role::Viewer).await;
    let refused = viewer.post("/sign-out", &[("csrf", "made up")]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(viewer.get("/").await.status, StatusCode::OK);
    let out = viewer.post("/sign-out", &[("csrf", &viewer.csrf)]).await;
    assert_eq!((out.status, out.header("location")), (StatusCode::SEE_OTHER, "/sign-in?note=out"));
    assert_eq!(out.cookie(COOKIE).as_deref(), Some(""));
    assert_eq!(viewer.get("/").await.header("location"), "/sign-in");
    // What is sent afterwards is not done, and that is said.
    let late = viewer.post("/flood-clearing/actions/cancel", &[("csrf", &viewer.csrf)]).await;
    assert_eq!((late.status, late.header("location")), (StatusCode::SEE_OTHER, "/sign-in?note=ended"));
    let door = world.stranger().get("/sign-in?note=ended").await;
    assert!(door.body.contains("was not done"), "{}", door.body);
}
