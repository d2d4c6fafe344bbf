//! Keys and scopes, proxies, limits on requests.

use std::num::NonZeroU32;
use std::time::Instant;

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::client::{Call, Target};
use crate::key_limits::key;
use crate::world::{SOON, World};

const BODY: &str = r#"{"chat":"-1001234567890","text":"hello"}"#;

#[tokio::test]
async fn every_route_of_the_document_wants_a_key_and_exists() {
    let world = World::new().await;
    let document = Call::new(&world.main(), "GET", "/openapi.json").send().await;
    assert_eq!((document.status, document.header("content-type")), (200, Some("application/json")));
    let document = document.json();
    let mut seen = 0;
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            // The limit on wrong keys is another matter.
            world.clock.advance(std::time::Duration::from_mins(1));
            let filled = ["{id}", "{chat_id}", "{chat}", "{ref}", "{service}"]
                .iter()
                .fold(path.clone(), |path, name| path.replace(name, "x"))
                .replace("{name}", "main")
                .replace("{action}", "pause");
            let call = Call::new(&world.main(), &method.to_uppercase(), &filled);
            let reply = call.send().await;
            if path.starts_with("/v1") {
                reply.problem(401, "unauthorized");
                assert!(reply.header("www-authenticate").is_some());
                call.key("swb_wrong").send().await.problem(401, "unauthorized");
            } else {
                assert_eq!(reply.status, 200, "{path}: {reply:?}");
            }
            seen += 1;
        }
    }
    assert!(seen >= 40, "{seen}");
}

#[tokio::test]
async fn each_scope_allows_only_its_calls() {
    let world = World::new().await;
    let (send, read) = (world.make_key(&["send"]).await, world.make_key(&["read"]).await);
    let post = |key: &str| Call::new(&world.main(), "POST", "/v1/messages").key(key).json(BODY);
    let list = |key: &str| Call::new(&world.main(), "GET", "/v1/messages").key(key);
    let keys = |key: &str| Call::new(&world.main(), "GET", "/v1/keys").key(key);
    assert_eq!(post(&send).send().await.status, 200);
    list(&send).send().await.problem(403, "forbidden_scope");
    assert_eq!(list(&read).send().await.status, 200);
    let problem = post(&read).send().await.problem(403, "forbidden_scope");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("send")), "{problem}");
    keys(&read).send().await.problem(403, "forbidden_scope");
    keys(&send).send().await.problem(403, "forbidden_scope");
    assert_eq!(keys(&world.key).send().await.status, 200);
    let metrics = || Call::new(&world.main(), "GET", "/metrics");
    metrics().send().await.problem(401, "unauthorized");
    metrics().key(&send).send().await.problem(403, "forbidden_scope");
    assert_eq!(metrics().key(&read).send().await.status, 200);
    let action = Call::new(&world.main(), "POST", "/v1/accounts/main/actions/pause").key(&read);
    action.send().await.problem(403, "forbidden_scope");

    let bearer =
        Call::new(&world.main(), "GET", "/v1/accounts").header("Authorization", &format!("Bearer {read}"));
    assert_eq!(bearer.send().await.status, 200);
    // A caller that may not send is refused before the body is looked at.
    let broken = Call::new(&world.main(), "POST", "/v1/messages").key(&read).json("{");
    broken.send().await.problem(403, "forbidden_scope");
}

#[tokio::test]
async fn keys_are_made_shown_once_and_revoked() {
    let world = World::new().await;
    let made = world
        .call("POST", "/v1/keys")
        .json(r#"{"name":" n8n ","scopes":["send","send","read"]}"#)
        .send()
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    let made = made.json();
    let text = made["key"].as_str().expect("a key").to_owned();
    assert!(text.starts_with("swb_") && text.len() >= 36, "{text}");
    assert_eq!((&made["name"], &made["scopes"]), (&json!("n8n"), &json!(["send", "read"])));
    let call = Call::new(&world.main(), "GET", "/v1/messages").key(&text);
    assert_eq!(call.send().await.status, 200);

    let listed = world.call("GET", "/v1/keys").send().await;
    assert!(!listed.body.contains(&text));
    let item = listed.json()["items"]
        .as_array()
        .expect("items")
        .iter()
        .find(|item| item["id"] == made["id"])
        .cloned();
    assert_eq!(item.expect("it is listed")["revoked_at"], json!(null));

    let path = format!("/v1/keys/{}", made["id"].as_str().expect("an id"));
    for _ in 0..2 {
        let revoked = world.call("DELETE", &path).send().await;
        assert_eq!((revoked.status, revoked.body.as_str()), (204, ""));
        call.send().await.problem(401, "unauthorized");
    }
    for id in ["key_00000000000000000000000000", "nonsense"] {
        world.call("DELETE", &format!("/v1/keys/{id}")).send().await.problem(404, "key_not_found");
    }
    for (body, field) in [
        (r#"{"name":"","scopes":["send"]}"#, "name"),
        (r#"{"name":"a","scopes":[]}"#, "scopes"),
        (r#"{"name":"a","scopes":["all"]}"#, "scopes[0]"),
        (r#"{"name":"a"}"#, "scopes"),
        (r#"{"name":"a","scope":["send"]}"#, "scope"),
    ] {
        let problem = world.call("POST", "/v1/keys").json(body).send().await.problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
}

#[tokio::test]
async fn repeated_wrong_keys_are_rate_limited() {
    let world = World::new().await;
    for _ in 0..20 {
        Call::new(&world.main(), "GET", "/v1/messages")
            .key("swb_wrong")
            .send()
            .await
            .problem(401, "unauthorized");
    }
    let reply = Call::new(&world.main(), "GET", "/v1/messages").key("swb_wrong").send().await;
    reply.problem(429, "rate_limited");
    assert!(reply.header("retry-after").is_some());
    // A right key still works.
    assert_eq!(world.call("GET", "/v1/messages").send().await.status, 200);
    world.clock.advance(std::time::Duration::from_secs(10));
    Call::new(&world.main(), "GET", "/v1/messages")
        .key("swb_wrong")
        .send()
        .await
        .problem(401, "unauthorized");
}

#[tokio::test]
async fn requests_are_limited_when_the_settings_say_so() {
    let world = World::with(|options| options.limits.per_key = NonZeroU32::new(3)).await;
    let (begun, mut statuses) = (Instant::now(), Vec::new());
    for _ in 0..4 {
        statuses.push(world.call("GET", "/v1/accounts").send().await.status);
    }
    assert_eq!(statuses, [200, 200, 200, 429]);
    let other = world.make_key(&["read"]).await;
    assert_eq!(Call::new(&world.main(), "GET", "/v1/accounts").key(&other).send().await.status, 200);
    world.clock.advance(std::time::Duration::from_secs(21));
    assert_eq!(world.call("GET", "/v1/accounts").send().await.status, 200);
    let reply = world.call("GET", "/v1/accounts").send().await;
    reply.problem(429, "rate_limited");
    let wait: u64 = reply.header("retry-after").and_then(|wait| wait.parse().ok()).expect("a wait");
    // One comes free every 20 s: the next one in that time, less what all of them took.
    let took = begun.elapsed().as_secs();
    assert!((19_u64.saturating_sub(took)..=20).contains(&wait), "{wait} {took}");
}

#[tokio::test]
async fn a_clock_that_is_set_back_turns_no_one_away() {
    let world = World::with(|options| {
        options.limits.per_key = NonZeroU32::new(60);
        options.limits.per_address = NonZeroU32::new(60);
    })
    .await;
    let wrong = || Call::new(&world.main(), "GET", "/v1/accounts").key("swb_wrong");
    assert_eq!(world.call("GET", "/v1/accounts").send().await.status, 200);
    wrong().send().await.problem(401, "unauthorized");
    world.clock.set_back(std::time::Duration::from_hours(1));
    assert_eq!(world.call("GET", "/v1/accounts").send().await.status, 200);
    wrong().send().await.problem(401, "unauthorized");
}

#[tokio::test]
async fn an_address_behind_a_trusted_proxy_is_the_one_that_counts() {
    let world = World::with(|options| {
        options.limits.per_address = NonZeroU32::new(1);
        options.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    })
    .await;
    let from = |address: &str| world.call("GET", "/v1/accounts").header("X-Forwarded-For", address);
    assert_eq!(from("192.0.2.1").send().await.status, 200);
    from("192.0.2.1").send().await.problem(429, "rate_limited");
    assert_eq!(from("192.0.2.1, 192.0.2.2").send().await.status, 200);
    from("192.0.2.9, 192.0.2.2").send().await.problem(429, "rate_limited");
}

#[tokio::test]
async fn missing_accounts_are_not_found() {
    let world = World::new().await;
    let list = world.call("GET", "/v1/accounts").send().await;
    assert_eq!(
        list.json(),
        json!({ "items": [], "next_cursor": null, "states": {}, "ownerless_sessions": [] })
    );
    for name in ["main", "No%20Name"] {
        world.call("GET", &format!("/v1/accounts/{name}")).send().await.problem(404, "account_not_found");
        let path = format!("/v1/accounts/{name}/actions/pause");
        world.call("POST", &path).send().await.problem(404, "account_not_found");
    }
    world.call("POST", "/v1/accounts/main/actions/dance").send().await.problem(404, "not_found");
}

#[tokio::test]
async fn an_open_old_port_refuses_a_known_key_that_is_over() {
    let world = World::new().await;
    let slow = key(&world, json!({"rate": "1/m"})).await;
    let ends = key(&world, json!({"expires_in": "1h"})).await;
    let send = |key: &str| {
        let call = world.text(r#"{"chat":"-1001234567890","text":"hello"}"#).key(key);
        call.header("Idempotency-Key", "order-1")
    };
    assert_eq!(send(&slow).send().await.status, 200);
    let refused = send(&slow).send().await;
    assert_eq!(refused.status, 429, "it was no call without a key: {refused:?}");
    assert!(refused.json()["retry_after"].is_u64(), "{refused:?}");
    world.clock.advance(std::time::Duration::from_hours(2));
    let over = send(&ends).send().await;
    assert_eq!(over.status, 401, "{over:?}");
    assert!(over.json()["error"].as_str().is_some_and(|error| error.contains("worked until")), "{over:?}");
    assert_eq!(world.script.texts(), ["hello"]);
    // A text in the form of a key was one: a revoked key gives no more than it did. Another text is as none.
    let revoked = send("swb_wrong").send().await;
    assert_eq!(revoked.status, 401, "{revoked:?}");
    let bearer = send("anything").header("Authorization", "Bearer swb_wrong").send().await;
    assert_eq!(bearer.status, 401, "{bearer:?}");
    // The last one is `swb_wrong:` as HTTP Basic.
    let odd = [
        ("Authorization", "swb_wrong"),
        ("X-Token", "Basic \"swb_wrong\""),
        ("X-Token", "swb%5Fwrong"),
        ("Authorization", "Basic c3diX3dyb25nOg=="),
    ];
    for (name, value) in odd {
        let odd = send("anything").header(name, value).send().await;
        assert_eq!(odd.status, 401, "{odd:?}");
    }
    for _ in 0..21 {
        assert_eq!(send("anything").send().await.status, 200);
    }
    assert_eq!(world.script.texts(), ["hello", "hello"]);
}

/// Behind a proxy of this machine stands anyone, as far as the port can tell.
#[tokio::test]
async fn an_old_port_without_a_key_refuses_what_comes_through_an_unknown_proxy() {
    let send = |world: &World, headers: &[(&str, &str)]| {
        let call = world.text(r#"{"chat":"-1001234567890","text":"hello"}"#);
        headers.iter().fold(call, |call, (name, value)| call.header(name, value))
    };
    let world = World::new().await;
    assert_eq!(send(&world, &[]).send().await.status, 200);
    // A page whose own name leads here, or one that a browser names.
    for headers in [[("Host", "evil.example:5022")], [("Host", "evil")], [("Sec-Fetch-Site", "cross-site")]] {
        let refused = send(&world, &headers).send().await;
        assert_eq!(refused.status, 403, "{headers:?} {refused:?}");
        assert_eq!(send(&world, &headers).key(&world.key).send().await.status, 200, "{headers:?}");
    }
    for headers in [
        [("X-Forwarded-For", "203.0.113.7")],
        [("X-Forwarded-For", "127.0.0.1")],
        [("x-forwarded-for", "")],
        [("Forwarded", "for=203.0.113.7;proto=https")],
        [("X-Real-IP", "203.0.113.7")],
        [("X-Forwarded-Proto", "https")],
        [("CF-Connecting-IP", "203.0.113.7")],
        [("Via", "1.1 example.com")],
    ] {
        let refused = send(&world, &headers).send().await;
        assert_eq!(refused.status, 403, "{headers:?} {refused:?}");
        assert!(refused.body.contains("trusted_proxies"), "{refused:?}");
        let with_key = send(&world, &headers).key(&world.key).send().await;
        assert_eq!(with_key.status, 200, "{headers:?} {with_key:?}");
    }
    // Once the proxy is named, it is the client that counts.
    let world = World::with(|options| {
        options.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    })
    .await;
    assert_eq!(send(&world, &[("Forwarded", "for=\"[::1]:5022\"")]).send().await.status, 200);
    assert_eq!(send(&world, &[("X-Forwarded-For", "203.0.113.7")]).send().await.status, 401);
    // It names no one, or a client added a header that the proxy passed on.
    for headers in [
        &[("X-Forwarded-For", "203.0.113.7"), ("Forwarded", "for=198.51.100.1")][..],
        &[("X-Forwarded-For", "0177.0.0.1")],
        &[("X-Forwarded-For", "203.0.113.7, unix:")],
        // Another proxy on this machine, which no one trusts.
        &[("X-Forwarded-For", "203.0.113.7, ::1")],
        &[("Forwarded", "for=unknown")],
        &[("X-Real-IP", "203.0.113.7")],
        &[("Via", "1.1 example.com")],
    ] {
        let refused = send(&world, headers).send().await;
        assert_eq!(refused.status, 403, "{headers:?} {refused:?}");
    }
}

#[tokio::test]
async fn one_client_behind_a_proxy_leaves_room_for_the_others() {
    let world = World::with(|options| {
        options.limits.connections = 8;
        options.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    })
    .await;
    let Target::Port(address) = world.main() else { panic!("a port") };
    let slow = world.call("POST", "/v1/messages").header("Content-Length", "100").body("{");
    let slow = slow.header("X-Forwarded-For", "192.0.2.1").bytes();
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(address).await.expect("connects");
        stream.write_all(&slow).await.expect("writes");
        open.push(stream);
    }
    let look =
        async |client: &str| world.call("GET", "/v1/accounts").header("X-Forwarded-For", client).send().await;
    let began = Instant::now();
    while look("192.0.2.1").await.status == 200 {
        assert!(began.elapsed() < SOON, "it takes all it likes");
    }
    look("192.0.2.1").await.problem(429, "rate_limited");
    for other in ["192.0.2.2", "2001:db8::1"] {
        assert_eq!(look(other).await.status, 200, "{other}");
    }
    drop(open);
    while look("192.0.2.1").await.status != 200 {
        assert!(began.elapsed() < SOON, "what ended still counts");
    }
}

#[tokio::test]
async fn browsers_over_tls_are_asked_to_stay_there() {
    let world = World::with(|options| {
        options.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    })
    .await;
    for (headers, is_asked) in [
        (&[][..], false),
        (&[("X-Forwarded-Proto", "http")], false),
        (&[("X-Forwarded-Proto", "https")], true),
        (&[("Forwarded", "for=192.0.2.1;proto=https")], true),
    ] {
        let call = Call::new(&world.main(), "GET", "/health/live");
        let reply = headers.iter().fold(call, |call, (name, value)| call.header(name, value)).send().await;
        assert_eq!(reply.header("strict-transport-security").is_some(), is_asked, "{headers:?}");
    }
    let world = World::new().await;
    let untrusted = Call::new(&world.main(), "GET", "/health/live").header("X-Forwarded-Proto", "https");
    assert_eq!(untrusted.send().await.header("strict-transport-security"), None);
}
