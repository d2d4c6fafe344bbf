//! Every way in which `/v1` says no: the status, the code, and a detail that helps.

use delivery::sender::RefusalKind;
use domain::Outcome;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Call, Target};
use crate::script::no_candidates;
use crate::world::World;

const BODY: &str = r#"{"chat":"-1001234567890","text":"hello"}"#;

#[tokio::test]
async fn each_refusal_of_an_account_has_its_code() {
    let world = World::new().await;
    world.script.then([Outcome::Forbidden("kicked".to_owned())]);
    let problem = world.message(BODY).send().await.problem(403, "no_rights");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("main: kicked")), "{problem}");

    world.script.then([Outcome::NotFound("not among its dialogs".to_owned())]);
    let problem = world.message(BODY).send().await.problem(404, "chat_not_found");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("main: not among")), "{problem}");

    world.script.then([Outcome::Rejected { code: "MESSAGE_TOO_LONG".into() }]);
    let problem = world.message(BODY).send().await.problem(422, "rejected");
    assert_eq!(problem["provider_code"], "MESSAGE_TOO_LONG");
    assert!(world.script.sent().is_empty());
}

#[tokio::test]
async fn each_reason_without_an_account_has_its_code() {
    let world = World::new().await;
    for (why, status, code) in [
        (RefusalKind::NotFound, 404, "chat_not_found"),
        (RefusalKind::Forbidden, 403, "no_rights"),
        (RefusalKind::Unusable, 503, "no_account"),
    ] {
        world.script.candidates_are(no_candidates(why, "because"));
        let problem = world.message(BODY).send().await.problem(status, code);
        assert!(
            problem["detail"].as_str().is_some_and(|detail| detail.contains("main: because")),
            "{problem}"
        );
        assert!(problem["id"].as_str().is_some_and(|id| id.starts_with("msg_")), "{problem}");
    }
    let pinned = r#"{"chat":"-1001234567890","text":"hello","account":"nobody"}"#;
    world.message(pinned).send().await.problem(404, "account_not_found");
}

#[tokio::test]
async fn malformed_requests_are_refused() {
    let world = World::new().await;
    for body in ["", "{", "hello", "{\"chat\":\"@demo\"", "{\"a\":1}{}"] {
        world.message(body).send().await.problem(400, "invalid_json");
    }
    for (body, field) in [
        ("[]", ""),
        ("[\"@demo\",\"hello\"]", ""),
        ("7", ""),
        (r#"{"text":"hello"}"#, "chat"),
        (r#"{"chat":"@demo"}"#, "text"),
        (r#"{"chat":"@demo","text":""}"#, "text"),
        (r#"{"chat":"@demo","text":"  "}"#, "text"),
        (r#"{"chat":true,"text":"a"}"#, "chat"),
        (r#"{"chat":"a b","text":"a"}"#, "chat"),
        (r#"{"chat":"@demo","text":["a"]}"#, "text"),
        (r#"{"chat":"undefined","text":"a"}"#, "chat"),
        (r#"{"chat":"@demo","text":"a","txet":"b"}"#, "txet"),
        (r#"{"chat":"@demo","text":"a","mention":{"usr_id":7}}"#, "mention.usr_id"),
        (r#"{"chat":"@demo","text":"a","wait":101}"#, "wait"),
        (r#"{"chat":"@demo","text":"<b>a","parse_mode":"html"}"#, "text"),
    ] {
        let problem = world.message(body).send().await.problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], field, "{body}: {problem}");
    }
    let problem = world
        .message(r#"{"chat":"@demo","text":"a","repli_to":7}"#)
        .send()
        .await
        .problem(422, "invalid_request");
    assert_eq!(problem["errors"][0]["message"], "is not known; did you mean \"reply_to\"?");
    let broken = json!({ "chat": "@demo", "text": "one <i>two", "parse_mode": "html" }).to_string();
    let problem = world.message(&broken).send().await.problem(422, "invalid_request");
    let message = problem["errors"][0]["message"].as_str().expect("a message");
    assert!(message.contains("byte 4") && message.contains("&lt;"), "{message}");
    assert_eq!(world.delivery.queued(), 0);
    assert!(
        world.call("GET", "/v1/messages").send().await.json()["items"].as_array().is_some_and(Vec::is_empty)
    );
}

/// As a client that reads plain JSON alone, n8n for one, is answered.
#[tokio::test]
async fn json_only_clients_get_problems_as_json() {
    let world = World::new().await;
    for (accept, kind) in [
        ("application/json,text/html,*/*;q=0.7", "application/json"),
        ("application/json, application/problem+json", "application/problem+json"),
        ("*/*", "application/problem+json"),
    ] {
        let reply = world.message("{}").header("Accept", accept).send().await;
        assert_eq!((reply.status, reply.header("content-type")), (422, Some(kind)), "{accept}");
        assert_eq!(reply.json()["code"], "invalid_request", "{accept}");
    }
}

/// A client that writes all of a large body before it reads gets to read why it was refused.
#[tokio::test]
async fn an_early_answer_reaches_a_client_that_still_writes() {
    let world = World::with(|options| options.limits.body = 1_000).await;
    let Target::Port(address) = world.main() else { panic!("a port") };
    let large = vec![b'7'; 6 << 20];
    let json = ("Content-Type", "application/json");
    for (path, key, header, status) in [
        ("/v1/uploads", false, json, 401),
        ("/v1/messages", false, json, 401),
        ("/v1/messages", true, json, 413),
        ("/v1/messages", true, ("Content-Type", "multipart/form-data; boundary=x"), 415),
        ("/v1/nothing", true, json, 404),
    ] {
        let call = Call::new(&world.main(), "POST", path).header(header.0, header.1);
        let call = if key { world.call("POST", path).header(header.0, header.1) } else { call };
        let head = call.header("Content-Length", &large.len().to_string()).bytes();
        let mut stream = TcpStream::connect(address).await.expect("connects");
        stream.write_all(&head).await.expect("writes");
        for piece in large.chunks(64 * 1024) {
            stream.write_all(piece).await.unwrap_or_else(|error| panic!("{path} {status}: {error}"));
        }
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("reads");
        assert_eq!(crate::client::parse(&answer).status, status, "{path}");
    }
}

#[tokio::test]
async fn wrong_media_types_and_sizes_are_refused() {
    let world = World::with(|options| options.limits.body = 1_000).await;
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        let call = world.call("POST", "/v1/messages").header("Content-Type", kind).body(BODY);
        call.send().await.problem(415, "unsupported_media_type");
    }
    let plain = world.call("POST", "/v1/messages").body(BODY).send().await;
    assert_eq!(plain.status, 200, "without a media type it is taken for JSON: {plain:?}");

    let large = json!({ "chat": "@demo", "text": "a".repeat(1_000) }).to_string();
    world.message(&large).send().await.problem(413, "too_large");
    let chunked = format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
    let head = String::from_utf8(world.call("POST", "/v1/messages").json("").bytes()).expect("text");
    let head = head.replace("\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n");
    let reply = crate::listeners::raw(&world.main(), format!("{head}{chunked}").as_bytes()).await;
    reply.problem(413, "too_large");
}

#[tokio::test]
async fn an_oversized_body_is_read_whole_and_refused() {
    let world = World::new().await;
    let large = json!({ "chat": "@demo", "text": "a".repeat(8 * 1024 * 1024) }).to_string();
    world.message(&large).send().await.problem(413, "too_large");
}

#[tokio::test]
async fn every_list_has_pages() {
    let world = World::new().await;
    for name in ["one", "two"] {
        let body = json!({ "name": name, "scopes": ["read"] }).to_string();
        assert_eq!(world.call("POST", "/v1/keys").json(body).send().await.status, 201);
    }
    for title in ["one", "two"] {
        world.hands.then("create", [Outcome::Forbidden("CHANNELS_TOO_MUCH".to_owned())]);
        let made = world.call("POST", "/v1/chats").json(json!({ "title": title }).to_string()).send().await;
        assert_eq!(made.status, 201, "{made:?}");
    }
    world.candidates_are(&no_candidates(RefusalKind::NotFound, "not among its dialogs"));
    for chat in ["-1001234500001", "-1001234500002"] {
        world.call("DELETE", &format!("/v1/chats/{chat}")).send().await.problem(404, "chat_not_found");
    }
    for (path, least) in [
        ("/v1/messages", 0),
        ("/v1/accounts", 0),
        ("/v1/keys", 2),
        ("/v1/listeners", 2),
        ("/v1/chats", 2),
        ("/v1/chats/unresolved", 2),
        ("/v1/operations", 4),
        ("/v1/failovers", 2),
        ("/v1/failed-requests", 0),
        ("/v1/services", 4),
    ] {
        let whole = world.call("GET", &format!("{path}?limit=500")).send().await.json();
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = world.call("GET", &format!("{path}?limit=1&cursor={cursor}")).send().await.json();
            let page_items = page["items"].as_array().expect("items");
            assert!(page_items.len() <= 1, "{path}: {page}");
            items.extend_from_slice(page_items);
            match page["next_cursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => break,
            }
        }
        assert_eq!(whole["items"].as_array(), Some(&items), "{path}");
        assert!(items.len() >= least, "{path}: {whole}");
        for wrong in ["limit=0", "limit=501", "limit=x", "cursor=nothing"] {
            let call = world.call("GET", &format!("{path}?{wrong}"));
            call.send().await.problem(422, "invalid_request");
        }
    }
}

#[tokio::test]
async fn wrong_paths_and_methods_are_refused() {
    let world = World::new().await;
    for path in ["/v2/messages", "/v1", "/v1/messages/", "/v1/message", "/%ff", "/docs/nothing.js"] {
        world.call("GET", path).send().await.problem(404, "not_found");
    }
    for (method, path, allow) in [
        ("PUT", "/v1/messages", "GET,HEAD,POST"),
        ("DELETE", "/v1/messages/msg_00000000000000000000000000", "GET,HEAD"),
        ("GET", "/v1/messages/msg_00000000000000000000000000/cancel", "POST"),
        ("POST", "/health/live", "GET,HEAD"),
        ("BREW", "/v1/accounts", "GET,HEAD,POST"),
    ] {
        let reply = world.call(method, path).send().await;
        reply.problem(405, "method_not_allowed");
        let mut allowed: Vec<_> =
            reply.header("allow").unwrap_or_default().split(',').map(str::trim).collect();
        allowed.sort_unstable();
        assert_eq!(allowed.join(","), allow, "{method} {path}");
    }
}

#[tokio::test]
async fn wrong_headers_are_refused() {
    let world = World::new().await;
    for key in ["", "a b", &"x".repeat(256)] {
        let reply = world.message(BODY).header("Idempotency-Key", key).send().await;
        reply.problem(400, "invalid_header");
    }
    assert!(world.script.sent().is_empty());
}

#[tokio::test]
async fn each_kind_of_problem_has_a_page() {
    let world = World::new().await;
    let reply = world.call("GET", "/problems/flood_wait").send().await;
    assert_eq!((reply.status, &reply.json()["status"]), (200, &json!(429)));
    Call::new(&world.main(), "GET", "/problems/nonsense").send().await.problem(404, "not_found");
}

#[tokio::test]
async fn an_unavailable_store_is_reported() {
    let world = World::new().await;
    world.store.clone().close().await;
    let reply = world.message(BODY).send().await;
    reply.problem(503, "store_unavailable");
    assert!(reply.header("retry-after").is_some());
    let ready = Call::new(&world.main(), "GET", "/health/ready").send().await;
    assert_eq!((ready.status, &ready.json()["status"]), (503, &json!("store_unavailable")));
    let live = Call::new(&world.main(), "GET", "/health/live").send().await;
    assert_eq!(live.status, 200);
}
