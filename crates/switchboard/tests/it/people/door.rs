//! The door behind proxies that are trusted and those that are not; sessions that end.

use std::time::Duration;

use super::stage::{Stage, cookie, location, pair};

const TRUSTING: &str = "trusted_proxies = [\"127.0.0.0/8\"]";
const RIGHT: [(&str, &str); 2] = [("name", "admin"), ("password", super::stage::PASSWORD)];

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
