//! Users over the API, what a role lets the dashboard ask, and the audit log.

use std::collections::BTreeMap;
use std::time::Duration;

use access::{Role, UserName};
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use web::{Actor, InProcessApi};

use crate::client::Call;
use crate::world::{SOON, World};

const ANNA: &str = r#"{"name":"Anna","role":"operator","password":"correct horse"}"#;

async fn audit(world: &World, query: &str) -> Vec<Value> {
    let reply = world.call("GET", &format!("/v1/audit{query}")).send().await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["items"].as_array().expect("items").clone()
}

async fn ask(world: &World, role: Role, method: &str, path: &str, body: &str) -> (u16, Value) {
    let actor = Actor {
        user: "anna".parse::<UserName>().expect("a name"),
        role,
        address: Some("192.0.2.7".parse().expect("an address")),
    };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost")
        .header("content-type", "application/json")
        .body(Body::from(body.to_owned()))
        .expect("a request");
    let answer = InProcessApi::new(&world.state).answer_as(actor, request).await;
    let status = answer.status().as_u16();
    let bytes = answer.into_body().collect().await.expect("a body").to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

#[tokio::test]
async fn users_are_added_changed_and_removed() {
    let world = World::new().await;
    let added = world.call("POST", "/v1/users").json(ANNA).send().await;
    assert_eq!((added.status, added.header("location")), (201, Some("/v1/users/anna")), "{added:?}");
    let anna = added.json();
    assert_eq!(
        (&anna["name"], &anna["role"], &anna["second_factor"]),
        (&json!("anna"), &json!("operator"), &json!(false))
    );
    assert!(!added.body.contains("correct") && !added.body.contains("argon2"), "{}", added.body);
    world.call("POST", "/v1/users").json(ANNA).send().await.problem(409, "user_exists");

    let boss = r#"{"name":"boss","role":"admin","password":"correct horse"}"#;
    assert_eq!(world.call("POST", "/v1/users").json(boss).send().await.status, 201);
    let list = world.call("GET", "/v1/users?limit=1").send().await.json();
    assert_eq!((&list["items"][0]["name"], &list["next_cursor"]), (&json!("anna"), &json!("anna")));
    let changed = world.call("PATCH", "/v1/users/ANNA").json(r#"{"role":"viewer"}"#).send().await;
    assert_eq!(changed.json()["role"], "viewer");
    let demoted = world.call("PATCH", "/v1/users/boss").json(r#"{"role":"viewer"}"#).send().await;
    demoted.problem(409, "last_admin");
    world.call("DELETE", "/v1/users/boss").send().await.problem(409, "last_admin");
    let set = world.call("PUT", "/v1/users/anna/password").json(r#"{"password":"another one"}"#);
    assert_eq!(set.send().await.status, 204);
    assert_eq!(world.call("DELETE", "/v1/users/anna/second-factor").send().await.status, 204);
    assert_eq!(world.call("DELETE", "/v1/users/anna").send().await.status, 204);
    for path in ["/v1/users/anna", "/v1/users/%20", "/v1/users/anna/sessions"] {
        world.call("GET", path).send().await.problem(404, "user_not_found");
    }
    world.call("DELETE", "/v1/users/anna").send().await.problem(404, "user_not_found");
}

#[tokio::test]
async fn wrong_fields_are_named_and_no_password_is_shown() {
    let world = World::new().await;
    for (body, field) in [
        (r#"{"name":"a b","role":"viewer","password":"correct horse"}"#, "name"),
        (r#"{"name":"anna","role":"king","password":"correct horse"}"#, "role"),
        (r#"{"name":"anna","role":"viewer","password":"short"}"#, "password"),
        (r#"{"name":"anna","role":"viewer","password":[12345678]}"#, "password"),
        (r#"{"name":"anna","role":"viewer"}"#, "password"),
        (r#"{"name":"hunterhunter","role":"viewer","password":"HunterHunter"}"#, "password"),
    ] {
        let reply = world.call("POST", "/v1/users").json(body).send().await;
        let problem = reply.problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], field, "{body}");
        for secret in ["correct", "12345678", "HunterHunter"] {
            assert!(!reply.body.contains(secret), "{}", reply.body);
        }
    }
    let wrong = world.call("GET", "/v1/audit?result=good&since=x").send().await;
    assert_eq!(wrong.problem(422, "invalid_request")["errors"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn sessions_of_a_user_are_listed_and_ended() {
    let world = World::new().await;
    world.call("POST", "/v1/users").json(ANNA).send().await;
    let client = access::ClientInfo {
        address: Some("192.0.2.7".parse().expect("an address")),
        browser: None,
        devices: Vec::new(),
    };
    let mut tokens = Vec::new();
    for _ in 0..3 {
        let signed_in = world.state.access().sign_in("anna", "correct horse".into(), &client).await;
        let Ok(access::SignIn::Done(session)) = signed_in else { panic!("{signed_in:?}") };
        tokens.push(session.token);
    }
    let list = world.call("GET", "/v1/users/anna/sessions").send().await;
    assert!(tokens.iter().all(|token| !list.body.contains(&token.text())));
    let list = list.json();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(3));
    assert_eq!(list["items"][0]["address"], "192.0.2.7");
    let id = list["items"][0]["id"].as_str().expect("an id").to_owned();
    let end = world.call("DELETE", &format!("/v1/users/anna/sessions/{id}"));
    assert_eq!(end.send().await.status, 204);
    end.send().await.problem(404, "session_not_found");
    world.call("DELETE", "/v1/users/anna/sessions/x").send().await.problem(404, "session_not_found");
    assert_eq!(world.call("DELETE", "/v1/users/anna/sessions").send().await.status, 204);
    for token in &tokens {
        assert_eq!(world.state.access().session(token, &client).await, Ok(None));
    }
}

#[tokio::test]
async fn each_role_allows_only_its_calls() {
    let world = World::new().await;
    let message = r#"{"chat":"-1001234567890","text":"hello"}"#;
    let calls = [
        ("GET", "/v1/messages", "", [403, 200, 200, 200]),
        ("GET", "/v1/conversations", "", [200, 200, 200, 200]),
        ("GET", "/v1/services", "", [403, 200, 200, 200]),
        ("POST", "/v1/services/send_text/actions/stop", "", [403, 403, 200, 200]),
        ("POST", "/v1/services/send_text/actions/start", "", [403, 403, 200, 200]),
        ("POST", "/v1/messages", message, [403, 403, 200, 200]),
        ("GET", "/v1/keys", "", [403, 403, 403, 200]),
        ("POST", "/v1/keys", r#"{"name":"x","scopes":["send"]}"#, [403, 403, 403, 201]),
        ("GET", "/v1/users", "", [403, 403, 403, 200]),
        ("GET", "/v1/audit", "", [403, 403, 403, 200]),
        (
            "POST",
            "/v1/accounts",
            r#"{"name":"one","api_id":1,"api_hash":"00000000000000000000000000000000"}"#,
            [403, 403, 403, 201],
        ),
    ];
    for (method, path, body, expected) in calls {
        for (role, expected) in Role::ALL.into_iter().zip(expected) {
            let (status, answer) = ask(&world, role, method, path, body).await;
            assert_eq!(status, expected, "{role:?} {method} {path}: {answer}");
            if expected == 403 {
                assert_eq!(answer["code"], "forbidden_role", "{answer}");
                assert!(
                    answer["detail"]
                        .as_str()
                        .is_some_and(|detail| detail.contains("switchboard user role anna"))
                );
            }
        }
    }
}

#[tokio::test]
async fn an_agent_approves_nothing_outside_of_conversations() {
    let world = World::new().await;
    let draft = json!({ "chat": "-1001234567890", "text": "a draft", "needs_approval": true }).to_string();
    let draft = world.message(&draft).send().await.json();
    let path = format!("/v1/messages/{}", draft["id"].as_str().expect("an id"));
    for call in ["approve", "reject"] {
        let (status, answer) = ask(&world, Role::Agent, "POST", &format!("{path}/{call}"), "").await;
        assert_eq!((status, &answer["code"]), (404, &json!("message_not_found")));
    }
    assert_eq!(ask(&world, Role::Operator, "POST", &format!("{path}/approve"), "").await.0, 202);
}

#[tokio::test]
async fn internal_headers_from_outside_are_ignored() {
    let world = World::new().await;
    let call = Call::new(&world.main(), "GET", "/v1/users")
        .header("Actor", "admin")
        .header("X-Actor", "admin")
        .header("X-Forwarded-User", "admin");
    call.send().await.problem(401, "unauthorized");
}

#[tokio::test]
async fn actions_are_audited_with_their_actor() {
    let world = World::new().await;
    let before = audit(&world, "").await.len();
    let made =
        world.call("POST", "/v1/keys").json(r#"{"name":"n8n","scopes":["send","read"]}"#).send().await.json();
    let (key, id) = (made["key"].as_str().expect("a key"), made["id"].as_str().expect("an id"));
    world.call("POST", "/v1/services/send_text/actions/stop").send().await;
    Call::new(&world.control(), "POST", "/v1/services/send_text/actions/start").send().await;
    ask(&world, Role::Operator, "POST", "/v1/services/send_text/actions/restart", "").await;
    // Whatever they name, it is one entry.
    for path in ["send_text/actions/stop", "send_text/actions/start", "made_up/actions/stop"] {
        ask(&world, Role::Viewer, "POST", &format!("/v1/services/{path}"), "").await;
    }
    world.call("POST", "/v1/users").json(ANNA).send().await;
    world.call("POST", "/v1/users").json("{").send().await;
    // What programs do all day is not written down, nor what no one did, nor looking.
    world.call("POST", "/v1/messages").json(r#"{"chat":"-1001234567890","text":"the words"}"#).send().await;
    Call::new(&world.main(), "POST", "/v1/keys").key("swb_wrong").send().await;
    world.call("GET", "/v1/keys").send().await;
    Call::new(&world.main(), "DELETE", &format!("/v1/keys/{id}"))
        .key(key)
        .send()
        .await
        .problem(403, "forbidden_scope");
    world.call("DELETE", &format!("/v1/keys/{id}")).send().await;

    let found = audit(&world, "").await;
    let own = audit(&world, "?action=create_key&limit=1").await[0]["who"]["name"].clone();
    let lines: Vec<String> = found
        .iter()
        .rev()
        .skip(before)
        .map(|entry| {
            let who = &entry["who"];
            let name = if who["name"] == own {
                "own"
            } else if who["name"] == id {
                "new"
            } else {
                who["name"].as_str().unwrap_or("-")
            };
            let subject =
                entry["subject"].as_str().map_or("-", |subject| if subject == id { "new" } else { subject });
            let outcome = entry["code"].as_str().or(entry["result"].as_str()).unwrap_or("-");
            format!(
                "{} {name}: {} {subject} {outcome} {}",
                who["kind"].as_str().unwrap_or("-"),
                entry["action"].as_str().unwrap_or("-"),
                entry["times"]
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            "api_key own: create_key new done 1",
            "api_key own: act_on_service send_text done 1",
            "machine -: act_on_service send_text done 1",
            "user anna: act_on_service send_text done 1",
            "user anna: act_on_service - forbidden_role 3",
            "api_key own: add_user anna done 1",
            "api_key own: add_user - invalid_json 1",
            "api_key new: revoke_key - forbidden_scope 1",
            "api_key own: revoke_key new done 1",
        ]
    );
    let stop = &audit(&world, "?action=act_on_service&who=anna&result=done").await[0];
    assert_eq!((&stop["details"], &stop["address"]), (&json!({"action": "restart"}), &json!("192.0.2.7")));
    let add = &audit(&world, "?action=add_user&result=done").await[0];
    assert_eq!((&add["details"], &add["address"]), (&json!({"role": "operator"}), &json!("127.0.0.1")));
    let all = format!("{found:?}");
    for secret in ["correct horse", "the words", key] {
        assert!(!all.contains(secret), "{secret}");
    }
    // A person who sends is a person who acts.
    ask(&world, Role::Operator, "POST", "/v1/messages", r#"{"chat":"-1001234567890","text":"the words"}"#)
        .await;
    let sent = audit(&world, "?action=send_message").await;
    assert_eq!(sent.len(), 1);
    assert!(!format!("{sent:?}").contains("the words"));
}

/// The path of a call of the document, with a name that nothing has in the place of each parameter.
fn filled(template: &str) -> String {
    let parts = template.split('/').map(|part| if part.starts_with('{') { "nothing" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_change_by_a_person_is_audited() {
    let world = World::new().await;
    let document: Value = serde_json::from_str(&web::openapi_json()).expect("JSON");
    let mut written = BTreeMap::new();
    for (path, calls) in document["paths"].as_object().expect("paths") {
        for (method, call) in calls.as_object().expect("calls").iter().filter(|(method, _)| *method != "get")
        {
            let action = call["operationId"].as_str().expect("a name");
            ask(&world, Role::Admin, &method.to_uppercase(), &filled(path), "{}").await;
            let entries = audit(&world, &format!("?action={action}&who=anna")).await;
            written.insert(action.to_owned(), entries.len());
        }
    }
    assert!(written.len() > 50, "{written:?}");
    // What comes with reading and writing in a chat is no one's decision, and what only tries a flow out changes nothing.
    let not_written: Vec<_> = written.iter().filter(|(_, entries)| **entries != 1).collect();
    let calls =
        ["check_flows", "mark_read", "see_conversation", "show_typing", "show_who_writes", "simulate_flow"];
    let calls = calls.map(str::to_owned);
    assert_eq!(not_written, calls.each_ref().map(|call| (call, &0)));
}

/// The status of a call by a user of a role, before its body is read.
async fn status(world: &World, role: Role, method: &str, path: &str) -> u16 {
    let actor = Actor { user: "anna".parse().expect("a name"), role, address: None };
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    let request =
        request.header("content-type", "application/json").body(Body::from("{}")).expect("a request");
    InProcessApi::new(&world.state).answer_as(actor, request).await.status().as_u16()
}

#[tokio::test]
async fn each_call_takes_the_scopes_and_the_roles_of_its_description() {
    let world = World::new().await;
    let scopes = ["read", "send", "operate", "personal"];
    let mut sets: Vec<Vec<&str>> = scopes.iter().map(|scope| vec![*scope]).collect();
    for (place, scope) in scopes.iter().enumerate() {
        sets.extend(scopes[place + 1..].iter().map(|other| vec![*scope, *other]));
    }
    let mut keys = Vec::new();
    for set in sets {
        let key = world.make_key(&set).await;
        keys.push((set, key));
    }
    let document: Value = serde_json::from_str(&web::openapi_json()).expect("JSON");
    for (template, calls) in document["paths"].as_object().expect("paths") {
        for (method, call) in calls.as_object().expect("calls").iter().filter(|_| template.starts_with("/v1"))
        {
            let described: Vec<Vec<&str>> = call["security"]
                .as_array()
                .expect("what a key needs")
                .iter()
                .filter_map(|set| set["api_key"].as_array())
                .map(|set| set.iter().filter_map(Value::as_str).collect())
                .collect();
            // No stream begins with a limit that is none.
            let (method, path) =
                (method.to_uppercase(), format!("{}?limit=none&since=none", filled(template)));
            for (set, key) in &keys {
                let call = Call::new(&world.main(), &method, &path).key(key).json("{}");
                let enough = described.iter().any(|needed| needed.iter().all(|scope| set.contains(scope)));
                let reply = call.send().await;
                assert_eq!(reply.status != 403, enough, "{method} {template} with {set:?}: {}", reply.body);
            }
            let roles: Vec<&str> =
                call["x-roles"].as_array().expect("roles").iter().filter_map(Value::as_str).collect();
            for role in Role::ALL {
                let allowed = status(&world, role, &method, &path).await != 403;
                assert_eq!(allowed, roles.contains(&role.as_str()), "{method} {template} as {role:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_disconnected_caller_is_audited_too() {
    let world = World::new().await;
    let actor = Actor { user: "anna".parse().expect("a name"), role: Role::Admin, address: None };
    let tomorrow = world.clock.now().plus(Duration::from_hours(24));
    let body = json!({"chat": "-1001234567890", "text": "hi", "send_at": tomorrow, "wait": 90});
    let request = Request::builder()
        .method("POST")
        .uri("/v1/messages")
        .header("host", "localhost")
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .expect("a request");
    let inside = InProcessApi::new(&world.state);
    let asking = tokio::spawn(async move { inside.answer_as(actor, request).await });
    // It waits for a message that is not sent today.
    let is_there = async || !world.call("GET", "/v1/messages").send().await.json()["items"][0].is_null();
    within_a_while("the message is accepted", is_there).await;
    asking.abort();
    assert!(asking.await.is_err(), "it answered before it was given up");
    within_a_while("it is written down", async || !audit(&world, "?who=anna").await.is_empty()).await;
    let entry = audit(&world, "?who=anna").await.remove(0);
    assert_eq!((&entry["action"], &entry["result"]), (&json!("send_message"), &json!("unknown")));
}

/// Looks again and again, for ten seconds at most.
async fn within_a_while(what: &str, is_so: impl AsyncFn() -> bool) {
    let looking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOON, looking).await.unwrap_or_else(|_| panic!("never: {what}"));
}
