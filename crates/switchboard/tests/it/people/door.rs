//! The door behind proxies that are trusted and those that are not; wrong passwords; sessions that end.

use std::time::Duration;

use serde_json::json;

use super::stage::{Stage, cookie, location, pair};

const TRUSTING: &str = "trusted_proxies = [\"127.0.0.0/8\"]";
const RIGHT: [(&str, &str); 2] = [("name", "admin"), ("password", super::stage::PASSWORD)];
const WRONG: [(&str, &str); 2] = [("name", "admin"), ("password", "wrong password")];

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_is_secure_when_a_trusted_proxy_says_tls() {
    for (top, proto, secure) in [
        (TRUSTING, Some("https"), true),
        (TRUSTING, Some("http"), false),
        (TRUSTING, None, false),
        ("", Some("https"), false),
    ] {
        let stage = Stage::with(top).await;
        let program = stage.program().await;
        let mut request = stage.post(&program, "/sign-in", &RIGHT);
        if let Some(proto) = proto {
            request = request.header("x-forwarded-proto", proto);
        }
        let answer = request.send().await.expect("an answer");
        assert_eq!((answer.status().as_u16(), location(&answer)), (303, "/"));
        let cookie = cookie(&answer);
        assert_eq!(cookie.starts_with("__Host-switchboard="), secure, "{top} {proto:?}: {cookie}");
        assert_eq!(cookie.contains("; Secure"), secure, "{cookie}");
        assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Lax"), "{cookie}");
        // Over the same way it opens the page.
        let mut page = stage.get(&program, "/settings/me", pair(&cookie));
        if let Some(proto) = proto {
            page = page.header("x-forwarded-proto", proto);
        }
        assert_eq!(page.send().await.expect("an answer").status(), 200, "{top} {proto:?}");
        if secure {
            // A neighbour's plain cookie is not looked at where there is TLS.
            let plain = pair(&cookie).replace("__Host-", "");
            let page = stage.get(&program, "/settings/me", &plain).header("x-forwarded-proto", "https");
            assert_eq!(page.send().await.expect("an answer").status(), 303);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_has_the_security_headers() {
    let stage = Stage::with("").await;
    let program = stage.program().await;
    let cookie = stage.sign_in(&program).await;
    let page = stage.get(&program, "/", pair(&cookie)).send().await.expect("an answer");
    let page = page.text().await.expect("a page");
    let asset = page.split('"').find(|text| text.starts_with("/assets/")).expect("an asset");
    let asset = asset.split('#').next().expect("a path");
    for (path, cookie) in
        [("/", pair(&cookie)), ("/settings/me", pair(&cookie)), ("/sign-in", ""), (asset, "")]
    {
        let answer = stage.get(&program, path, cookie).send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{path}");
        for (name, value) in [
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        ] {
            let told: Vec<_> = answer.headers().get_all(name).iter().collect();
            assert_eq!(told, [value], "{name} of {path}");
        }
        let policy = answer.headers()["content-security-policy"].to_str().expect("text");
        assert!(policy.split("; ").any(|part| part == "frame-ancestors 'none'"), "{path}: {policy}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn throttle_locks_the_address_not_the_owner() {
    let stage = Stage::with(TRUSTING).await;
    let program = stage.program().await;
    let from = |address: &str, fields: &[(&str, &str)]| {
        stage.post(&program, "/sign-in", fields).header("x-forwarded-for", address)
    };
    let mut answers = [0_u32; 2];
    let mut wait = 0;
    // And until the wait is longer than what follows takes on any machine.
    while answers[0] + answers[1] < 1000 || wait < 60 {
        if answers[0] + answers[1] >= 1000 {
            program.advance(Duration::from_secs(wait)).await;
        }
        let answer = from("203.0.113.9", &WRONG).send().await.expect("an answer");
        match answer.status().as_u16() {
            401 => answers[0] += 1,
            429 => {
                wait = answer.headers()["retry-after"].to_str().expect("text").parse().expect("seconds");
                assert!((1..=900).contains(&wait), "{wait}");
                answers[1] += 1;
            }
            other => panic!("{other}"),
        }
    }
    assert!(answers[0] < 30 && answers[1] > 970, "{answers:?}");
    // The owner, from elsewhere, at once; and after the wait from there too.
    assert_eq!(from("198.51.100.7", &RIGHT).send().await.expect("an answer").status(), 303);
    assert_eq!(from("203.0.113.9", &RIGHT).send().await.expect("an answer").status(), 429);
    program.advance(Duration::from_mins(15)).await;
    assert_eq!(from("203.0.113.9", &RIGHT).send().await.expect("an answer").status(), 303);

    let (_, log) = program.get("/v1/audit?action=sign_in&limit=500").await;
    let entries = log["items"].as_array().expect("items");
    assert!(entries.len() < 80, "{}", entries.len());
    let there = entries.iter().filter(|entry| entry["address"] == "203.0.113.9");
    let counted: u64 = there.filter_map(|entry| entry["times"].as_u64()).sum();
    // All wrong ones, the one that was right too early, and the one that was let in.
    assert_eq!(counted, u64::from(answers[0] + answers[1] + 2), "{log}");
    let said = program.output();
    assert!(said.matches("turned away").count() < 40, "{said}");
    assert!(!said.contains("wrong password"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn throttle_spares_known_owner_address() {
    let stage = Stage::with(TRUSTING).await;
    let program = stage.program().await;
    let from = async |address: &str, fields: &[(&str, &str)]| {
        let asked = stage.post(&program, "/sign-in", fields).header("x-forwarded-for", address);
        let answer = asked.send().await.expect("an answer");
        let wait = answer.headers().get("retry-after").map(|wait| wait.to_str().expect("text"));
        (answer.status().as_u16(), wait.map(|wait| wait.parse::<u64>().expect("seconds")))
    };
    let home = "198.51.100.7";
    assert_eq!(from(home, &RIGHT).await.0, 303);
    // Each address once, so that none of them has to wait for what it did itself; and until the wait is longer than what
    // follows takes on any machine.
    let (mut tried, mut looked_at, mut wait) = (0, 0, 0);
    while tried < 300 || wait < 25 {
        if tried >= 300 {
            program.advance(Duration::from_secs(wait)).await;
        }
        match from(&format!("198.18.{}.{}", tried / 200, tried % 200 + 1), &WRONG).await {
            (401, None) => (looked_at, wait) = (looked_at + 1, 0),
            (429, Some(seconds)) => {
                assert!((1..=30).contains(&seconds), "{seconds}");
                wait = seconds;
            }
            other => panic!("{other:?}"),
        }
        tried += 1;
        assert!(tried < 400, "the waits do not grow: {wait}");
    }
    assert!((30..60).contains(&looked_at), "{looked_at} of {tried} were looked at");
    // One more address: also with the right password it waits, half a minute at most.
    let new = "192.0.2.44";
    let (status, seconds) = from(new, &RIGHT).await;
    assert!(status == 429 && seconds.is_some_and(|wait| (1..=30).contains(&wait)), "{status} {seconds:?}");
    // Where the owner was before there is no wait, and nobody else's name has one.
    assert_eq!(from(home, &RIGHT).await, (303, None));
    let other = [("name", "anna"), ("password", "wrong password")];
    assert_eq!(from("192.0.2.45", &other).await, (401, None));
    assert_eq!(from(new, &RIGHT).await.0, 429, "that the owner came in elsewhere ends nobody's wait");
    program.advance(Duration::from_secs(30)).await;
    assert_eq!(from(new, &RIGHT).await, (303, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_a_stranger_writes_down_is_not_believed() {
    let stage = Stage::with("").await;
    let program = stage.program().await;
    for number in 0..15 {
        let request = stage.post(&program, "/sign-in", &WRONG);
        let request = request.header("x-forwarded-for", format!("203.0.113.{number}"));
        request.send().await.expect("an answer");
    }
    let answer = stage.post(&program, "/sign-in", &RIGHT).header("x-forwarded-for", "203.0.113.99");
    assert_eq!(answer.send().await.expect("an answer").status(), 429);
    let (_, log) = program.get("/v1/audit?action=sign_in").await;
    assert!(
        log["items"].as_array().expect("items").iter().all(|entry| entry["address"] == "127.0.0.1"),
        "{log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ended_session_leads_to_the_sign_in_page() {
    let stage = Stage::with("").await;
    let program = stage.program().await;
    let cookie = stage.sign_in(&program).await;
    let look = async |cookie: &str| {
        let answer = stage.get(&program, "/settings/audit", cookie).send().await.expect("an answer");
        (answer.status().as_u16(), location(&answer).to_owned())
    };
    assert_eq!(look(pair(&cookie)).await, (200, String::new()));
    let door = (303, "/sign-in?next=%2Fsettings%2Faudit".to_owned());
    assert_eq!(program.delete("/v1/users/admin/sessions").await.0, 204);
    assert_eq!(look(pair(&cookie)).await, door);
    // Yesterday's, another program's, and what is none.
    for other in [
        "switchboard=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "switchboard=x",
        "session=1; switchboard=",
    ] {
        assert_eq!(look(other).await, door, "{other}");
    }
    // Left alone for half a day.
    let cookie = stage.sign_in(&program).await;
    program.advance(Duration::from_hours(12)).await;
    assert_eq!(look(pair(&cookie)).await, door);
}

#[tokio::test(flavor = "multi_thread")]
async fn stale_cookie_leads_to_the_sign_in_page() {
    let stage = Stage::with("").await;
    let mut program = stage.program().await;
    let cookie = stage.sign_in(&program).await;
    program.terminate().await;
    // The data are begun anew, with another key and other people of the same names.
    let data = stage.world.data_dir("data");
    let key = std::fs::read(data.join("master.key")).expect("a key");
    std::fs::remove_dir_all(&data).expect("removed");
    let program = stage.program().await;
    assert_ne!(std::fs::read(data.join("master.key")).expect("a key"), key);
    let page = stage.get(&program, "/messages", pair(&cookie)).send().await.expect("an answer");
    assert_eq!((page.status().as_u16(), location(&page)), (303, "/sign-in?next=%2Fmessages"));
    let form = stage.post(&program, "/settings/people/actions/add", &[("csrf", "x"), ("name", "evil")]);
    let form = form.header("cookie", pair(&cookie)).send().await.expect("an answer");
    assert!(matches!(form.status().as_u16(), 303 | 401 | 403), "{}", form.status());
    // The browser still sends it while its owner signs in.
    let entered = stage.post(&program, "/sign-in", &RIGHT).header("cookie", pair(&cookie));
    let entered = entered.send().await.expect("an answer");
    assert_eq!((entered.status().as_u16(), location(&entered)), (303, "/"));
    let fresh = super::stage::cookie(&entered);
    assert_ne!(pair(&fresh), pair(&cookie));
    let page = stage.get(&program, "/messages", pair(&fresh)).send().await.expect("an answer");
    assert_eq!(page.status(), 200);
    assert!(!program.output().contains("panicked"), "{}", program.output());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_another_session_or_another_site_changes_nothing() {
    let stage = Stage::with("").await;
    let program = stage.program().await;
    let cookie = stage.sign_in(&program).await;
    let action = "/settings/people/actions/add";
    let fields = [("csrf", "made-up"), ("name", "evil"), ("role", "admin"), ("password", "correct horse")];
    for fields in [&fields[..], &fields[1..]] {
        let forged = stage.post(&program, action, fields).header("cookie", pair(&cookie));
        assert_eq!(forged.send().await.expect("an answer").status(), 403);
    }
    let page = stage.get(&program, "/settings/people", pair(&cookie)).send().await.expect("an answer");
    let page = page.text().await.expect("a page");
    let token = page.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let own = [("csrf", token.expect("a token")), fields[1], fields[2], fields[3]];
    let cross = stage.post(&program, action, &own).header("cookie", pair(&cookie));
    let cross = cross.header("sec-fetch-site", "cross-site").send().await.expect("an answer");
    assert_eq!(cross.status(), 403);
    let (_, users) = program.get("/v1/users").await;
    assert_eq!(users["items"].as_array().map(Vec::len), Some(1), "{users}");
    let sent = stage.post(&program, action, &own).header("cookie", pair(&cookie)).send().await;
    assert_eq!(sent.expect("an answer").status(), 303);
    let (_, log) = program.get("/v1/audit?action=add_user").await;
    assert_eq!(log["items"][0]["who"], json!({"kind": "user", "name": "admin"}), "{log}");
    assert_eq!(log["items"][0]["address"], "127.0.0.1", "{log}");
}
