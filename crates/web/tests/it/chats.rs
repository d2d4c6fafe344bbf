//! `/v1/chats`: making chats and the answers to it, people, changing, leaving, and what is listed.

use std::time::Duration;

use delivery::sender::{Readiness, RefusalKind};
use domain::outcome::RejectionCode;
use domain::saga::Step;
use domain::{AccessHash, ContactLimits, Outcome};
use serde_json::json;
use store::{PeerKind, ReceivedChange, StoredPeer, TakenUpdates};

use crate::accounts::settings;
use crate::client::Call;
use crate::script::{able, account as account_named, no_candidates};
use crate::world::World;

const GROUP: &str = "-1001234567890";
/// The chat that is made first.
const MADE: &str = GROUP;

fn create(world: &World, body: &str) -> Call {
    world.call("POST", "/v1/chats").json(body)
}

#[tokio::test]
async fn an_edit_longer_than_a_message_is_refused() {
    let world = World::new().await;
    let body = json!({ "text": "x".repeat(4_097) }).to_string();
    let edit = world.call("PATCH", "/v1/chats/@demo_channel/messages/45").json(&body);
    let problem = edit.send().await.problem(422, "invalid_request");
    let refused = "has 4097 UTF-16 units, and a message takes 4096";
    assert!(
        problem["errors"][0]["message"].as_str().is_some_and(|text| text.starts_with(refused)),
        "{problem}"
    );
}

#[tokio::test]
async fn a_chat_is_made_and_answered() {
    let world = World::new().await;
    let body = json!({
        "title": "Order 1", "about": "A demo", "members": ["@client_1", "123456789", "@shy_1", "@gone_1"],
        "admins": ["@demo_bot"], "observer": true,
    });
    let reply = create(&world, &body.to_string()).send().await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let made = reply.json();
    for (field, value) in [
        ("chat_id", json!(MADE)),
        ("title", json!("Order 1")),
        ("account", json!("main")),
        ("invite_link", json!("https://t.me/+abc")),
    ] {
        assert_eq!(made[field], value, "{made}");
    }
    let member = |who: &str| {
        let members = made["members"].as_array().expect("members");
        members.iter().find(|member| member["ref"] == who).unwrap_or_else(|| panic!("{who}: {made}"))
    };
    assert_eq!(member("@client_1")["result"], "added");
    assert_eq!(member("123456789")["result"], "added");
    assert!(member("123456789")["user_id"].is_i64(), "{made}");
    assert_eq!(member("@shy_1")["result"], "privacy");
    assert_eq!(member("@gone_1")["result"], "not_found");
    assert_eq!(
        (&member("@demo_bot")["role"], &member("@demo_bot")["promoted"]),
        (&json!("admin"), &json!(true))
    );
    assert_eq!(member("@demo_observer")["role"], "observer");
    assert_eq!((&made["steps"]["open_history"], &made["steps"]["export_link"]), (&json!("ok"), &json!("ok")));
    let steps = world.hands.taken().into_iter().map(|taken| taken.step);
    let creates: Vec<_> = steps.filter(|step| matches!(step, Step::Create { .. })).collect();
    assert_eq!(creates, [Step::Create { title: "Order 1".to_owned(), about: "A demo".to_owned() }]);

    let operation = made["operation"].as_str().expect("an id");
    assert!(operation.starts_with("op_"), "{made}");
    let seen = world.call("GET", &format!("/v1/operations/{operation}")).send().await.json();
    assert_eq!(
        (&seen["state"], &seen["kind"], &seen["finished"]),
        (&json!("done"), &json!("create_chat"), &json!(true))
    );
    assert_eq!(seen["result"], made);

    let chat = world.call("GET", &format!("/v1/chats/{MADE}")).send().await;
    assert_eq!(chat.status, 200, "{chat:?}");
    let chat = chat.json();
    for (field, value) in [
        ("chat_id", json!(MADE)),
        ("title", json!("Order 1")),
        ("about", json!("A demo")),
        ("state", json!("active")),
        ("account", json!("main")),
        ("invite_link", json!("https://t.me/+abc")),
        ("operation", json!(operation)),
    ] {
        assert_eq!(chat[field], value, "{field}: {chat}");
    }
    let listed = world.call("GET", "/v1/chats?account=main&state=active").send().await.json();
    assert_eq!(listed["items"][0]["chat_id"], MADE, "{listed}");
    let left = world.call("GET", "/v1/chats?state=left").send().await.json();
    assert_eq!(left["items"], json!([]));
}

#[tokio::test]
async fn an_unfinished_chat_continues_at_its_location() {
    let world = World::new().await;
    world.hands.hold("create");
    let reply = create(&world, r#"{"title":"Order 1","members":["@client_1"],"wait":0}"#).send().await;
    assert_eq!(reply.status, 202, "{reply:?}");
    let body = reply.json();
    assert_eq!((&body["kind"], &body["finished"]), (&json!("create_chat"), &json!(false)), "{body}");
    let location = reply.header("location").expect("a location").to_owned();
    assert_eq!(location, format!("/v1/operations/{}", body["id"].as_str().expect("an id")));
    world.hands.release();
    world.until_operation(&location, "done").await;
    let done = world.call("GET", &location).send().await.json();
    assert_eq!(done["result"]["chat_id"], MADE, "{done}");
    assert!(done["steps"].as_array().is_some_and(|steps| steps.len() > 3), "{done}");
}

#[tokio::test]
async fn the_same_key_is_the_same_chat() {
    let world = World::new().await;
    let keyed = |body: &str| create(&world, body).header("Idempotency-Key", "order-1");
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let call = keyed(r#"{"title":"Order 1","members":["@client_1"]}"#);
            tokio::spawn(async move { call.send().await })
        })
        .collect();
    let (mut fresh, mut answers) = (0, Vec::new());
    for call in calls {
        let reply = call.await.expect("no panic");
        assert_eq!(reply.status, 201, "{reply:?}");
        fresh += usize::from(reply.header("idempotency-replayed").is_none());
        answers.push(reply.json());
    }
    answers.dedup();
    assert_eq!((answers.len(), fresh, world.hands.count("create")), (1, 1, 1));

    let waits = keyed(r#"{"wait":5,"members":["@client_1"],"title":"Order 1"}"#).send().await;
    assert_eq!((waits.status, waits.header("idempotency-replayed")), (201, Some("true")));
    keyed(r#"{"title":"Order 2"}"#).send().await.problem(409, "idempotency_conflict");
    create(&world, r#"{"title":"Order 1"}"#)
        .header("Idempotency-Key", "a b")
        .send()
        .await
        .problem(400, "invalid_header");
    assert_eq!(world.hands.count("create"), 1);
}

#[tokio::test]
async fn each_failure_to_make_a_chat_has_its_code() {
    let world = World::new().await;
    let body = r#"{"title":"Order 1"}"#;
    world.hands.then("create", [Outcome::Rejected { code: "CHAT_TITLE_EMPTY".into() }]);
    let problem = create(&world, body).send().await.problem(422, "rejected");
    assert_eq!(problem["provider_code"], "CHAT_TITLE_EMPTY");
    assert_eq!(problem["state"], "failed");
    let id = problem["id"].as_str().expect("an id");
    let seen = world.call("GET", &format!("/v1/operations/{id}")).send().await.json();
    assert_eq!(seen["failure"]["code"], "rejected", "{seen}");

    world.candidates_are(&no_candidates(RefusalKind::Unusable, "banned"));
    let problem = create(&world, body).send().await.problem(503, "no_account");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("main: banned")), "{problem}");
    create(&world, r#"{"title":"a","account":"nobody"}"#).send().await.problem(404, "account_not_found");

    let until = world.clock.now().plus(Duration::from_mins(5));
    world.candidates_are(&able(&[("main", Readiness::HeldUntil(until))]));
    let reply = create(&world, r#"{"title":"Order 1","on_flood":"fail"}"#).send().await;
    reply.problem(429, "flood_wait");
    let seconds: u64 = reply.header("retry-after").and_then(|value| value.parse().ok()).expect("Retry-After");
    assert!((290..=300).contains(&seconds), "{seconds}");
    let waits = create(&world, r#"{"title":"Order 2","wait":0}"#).send().await;
    assert_eq!((waits.status, &waits.json()["state"]), (202, &json!("queued")));
    assert_eq!(world.hands.count("create"), 1);
}

#[tokio::test]
async fn invalid_fields_are_named_and_no_account_is_called() {
    let world = World::new().await;
    let long = json!({ "title": "a".repeat(300) }).to_string();
    let too_many = json!({ "title": "a", "members": vec!["@client_1"; 201] }).to_string();
    for (body, field) in [
        ("{}", "title"),
        (long.as_str(), "title"),
        (too_many.as_str(), "members"),
        (r#"{"title":"a","memebrs":[]}"#, "memebrs"),
        (r#"{"title":"a","members":["-1001234567890"]}"#, "members[0]"),
        (r#"{"title":"a","wait":101}"#, "wait"),
    ] {
        let problem = create(&world, body).send().await.problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
    let problem =
        create(&world, r#"{"title":"a","memebrs":[]}"#).send().await.problem(422, "invalid_request");
    assert_eq!(problem["errors"][0]["message"], "is not known; did you mean \"members\"?");
    create(&world, "{").send().await.problem(400, "invalid_json");
    let reader = world.make_key(&["read"]).await;
    let call = Call::new(&world.main(), "POST", "/v1/chats").key(&reader).json(r#"{"title":"a"}"#);
    call.send().await.problem(403, "forbidden_scope");
    assert_eq!(world.sagas.queued(), 0);
    assert!(world.hands.taken().is_empty());
}

#[tokio::test]
async fn two_hundred_people_are_invited() {
    let world = World::new().await;
    let limits = ContactLimits { first_contacts_per_day: 150, ..ContactLimits::default() };
    world.store.limit_contacts(limits);
    let members: Vec<_> = (1..=200).map(|id| (100_000 + id).to_string()).collect();
    let reply = create(&world, &json!({ "title": "Crowd", "members": members }).to_string()).send().await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let made = reply.json();
    let members = made["members"].as_array().expect("members");
    let added = members.iter().filter(|member| member["result"] == "added");
    assert_eq!(added.count(), 150);
    let last = &members[199];
    let why = last["detail"].as_str().unwrap_or_default();
    assert!(last["result"] == "failed" && why.contains("limits.first_contacts_per_day"), "{last}");
}

#[tokio::test]
async fn people_are_invited_and_removed() {
    let world = World::new().await;
    let path = format!("/v1/chats/{GROUP}/members");
    let reply = world.call("POST", &path).json(r#"{"members":["@client_1","@shy_1"]}"#).send().await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let body = reply.json();
    assert_eq!(
        (&body["members"][0]["result"], &body["members"][1]["result"]),
        (&json!("added"), &json!("privacy"))
    );
    assert!(body["operation"].as_str().is_some_and(|id| id.starts_with("op_")), "{body}");
    world.call("POST", &path).json("{}").send().await.problem(422, "invalid_request");

    let gone = world.call("DELETE", &format!("{path}/@client_1")).send().await;
    assert_eq!((gone.status, &gone.json()["members"][0]["result"]), (200, &json!("removed")), "{gone:?}");
    world.call("DELETE", &format!("{path}/@gone_1")).send().await.problem(404, "chat_not_found");
    world.call("DELETE", &format!("{path}/{GROUP}")).send().await.problem(404, "chat_not_found");
    world.call("DELETE", &format!("{path}/@client_1?wat=1")).send().await.problem(422, "invalid_request");

    world.candidates_are(&no_candidates(RefusalKind::Forbidden, "no right to invite"));
    let problem =
        world.call("POST", &path).json(r#"{"members":["@client_1"]}"#).send().await.problem(403, "no_rights");
    assert!(
        problem["detail"].as_str().is_some_and(|detail| detail.contains("no right to invite")),
        "{problem}"
    );
    let user = world.call("POST", "/v1/chats/123/members").json(r#"{"members":["@client_1"]}"#).send().await;
    assert_eq!(user.problem(422, "invalid_request")["errors"][0]["field"], "chat_id");
}

#[tokio::test]
async fn a_chat_is_renamed() {
    let world = World::new().await;
    let call = |body: &str| world.call("PATCH", &format!("/v1/chats/{GROUP}")).json(body);
    let reply = call(r#"{"title":"Order 1, done","about":""}"#).send().await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let body = reply.json();
    assert_eq!(
        (&body["title"], &body["about"], &body["chat_id"]),
        (&json!("Order 1, done"), &json!(""), &json!(GROUP))
    );
    assert_eq!(body["steps"], json!({ "title": "ok", "about": "ok" }));
    assert_eq!(world.hands.count("set_title"), 1);
    let chat = world.call("GET", &format!("/v1/chats/{GROUP}")).send().await.json();
    assert_eq!(chat["title"], "Order 1, done");

    call("{}").send().await.problem(422, "invalid_request");
    call(r#"{"title":""}"#).send().await.problem(422, "invalid_request");
    call(r#"{"account":"nobody"}"#).send().await.problem(404, "account_not_found");
}

#[tokio::test]
async fn a_chat_is_left() {
    let world = World::new().await;
    let path = format!("/v1/chats/{GROUP}");
    let reply = world.call("DELETE", &path).send().await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let body = reply.json();
    assert_eq!(
        (&body["left"], &body["removed"], &body["not_removed"]),
        (&json!(true), &json!([]), &json!([]))
    );
    assert_eq!((world.hands.count("remove"), world.hands.count("leave")), (0, 1));
    let chat = world.call("GET", &path).send().await.json();
    assert_eq!((&chat["state"], &chat["account"]), (&json!("left"), &json!(null)), "{chat}");

    let other = world.call("DELETE", "/v1/chats/-1001234567891?remove_members=true&wait=100");
    let reply = world.pass(Duration::from_millis(500), tokio::spawn(async move { other.send().await })).await;
    assert_eq!((reply.status, &reply.json()["removed"]), (200, &json!([11, 12])), "{reply:?}");

    world.candidates_are(&no_candidates(RefusalKind::NotFound, "not among its dialogs"));
    world.call("DELETE", "/v1/chats/-1001234567892").send().await.problem(404, "chat_not_found");
    for wrong in ["remove_members=maybe", "wait=101", "remove=true"] {
        world.call("DELETE", &format!("{path}?{wrong}")).send().await.problem(422, "invalid_request");
    }
    world.call("DELETE", "/v1/chats/123").send().await.problem(422, "invalid_request");
}

#[tokio::test]
async fn an_own_chat_is_emptied_only_where_the_caller_says_so() {
    let world = World::new().await;
    world.hands.then("list_members", [Outcome::Rejected { code: RejectionCode::OwnChat }]);
    let path = format!("/v1/chats/{GROUP}?remove_members=true");
    let refused = world.call("DELETE", &path).send().await.problem(409, "own_chat");
    let detail = refused["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("leave_own=true") && detail.contains("no one was removed"), "{refused}");
    let call = world.call("DELETE", &format!("{path}&leave_own=true"));
    let reply = world.pass(Duration::from_millis(500), tokio::spawn(async move { call.send().await })).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let listed: Vec<Step> = world
        .hands
        .taken()
        .into_iter()
        .map(|one| one.step)
        .filter(|step| step.name() == "list_members")
        .collect();
    assert_eq!(listed, [true, false].map(|keep_own| Step::ListMembers { keep_own }));
}

#[tokio::test]
async fn a_missing_right_while_leaving_is_reported() {
    let world = World::new().await;
    world.hands.then("remove", [Outcome::Forbidden("CHAT_ADMIN_REQUIRED".to_owned())]);
    let call = world.call("DELETE", &format!("/v1/chats/{GROUP}?remove_members=true"));
    let reply = world.pass(Duration::from_millis(500), tokio::spawn(async move { call.send().await })).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let body = reply.json();
    assert_eq!((&body["left"], &body["not_removed"][0]["user_id"]), (&json!(true), &json!(11)), "{body}");
}

#[tokio::test]
async fn unknown_chats_are_not_found() {
    let world = World::new().await;
    for path in ["/v1/chats/-1009999999999", "/v1/chats/@no_such_chat", "/v1/chats/a%20b"] {
        world.call("GET", path).send().await.problem(404, "chat_not_found");
    }
    // There is no account that could be asked.
    for path in ["members", "history"] {
        let reply = world.call("GET", &format!("/v1/chats/{GROUP}/{path}")).send().await;
        assert!([404, 503].contains(&reply.status), "{reply:?}");
        for wrong in ["limit=0", "limit=1000", "curser=x"] {
            let call = world.call("GET", &format!("/v1/chats/{GROUP}/{path}?{wrong}"));
            call.send().await.problem(422, "invalid_request");
        }
        let call = world.call("GET", &format!("/v1/chats/{GROUP}/{path}?account=nobody"));
        call.send().await.problem(404, "account_not_found");
    }
    let call = world.call("GET", &format!("/v1/chats/{GROUP}/history?cursor=x"));
    call.send().await.problem(422, "invalid_request");
    for wrong in ["state=gone", "kind=user", "account=No%20Name", "cursor=nothing"] {
        world.call("GET", &format!("/v1/chats?{wrong}")).send().await.problem(422, "invalid_request");
    }
}

#[tokio::test]
async fn unresolved_chats_are_listed_with_their_callers() {
    let world = World::new().await;
    world.candidates_are(&no_candidates(RefusalKind::NotFound, "not among its dialogs"));
    for _ in 0..2 {
        let body = format!(r#"{{"chat":"{GROUP}","text":"hello"}}"#);
        world.message(&body).send().await.problem(404, "chat_not_found");
    }
    world.call("DELETE", "/v1/chats/@no_such_chat").send().await.problem(404, "chat_not_found");
    let listed = world.call("GET", "/v1/chats/unresolved").send().await.json();
    let items = listed["items"].as_array().expect("items");
    assert_eq!(items.len(), 2, "{listed}");
    assert_eq!((&items[0]["chat_id"], &items[0]["count"]), (&json!("@no_such_chat"), &json!(1)));
    assert_eq!((&items[1]["chat_id"], &items[1]["count"]), (&json!(GROUP), &json!(2)));
    assert_eq!(items[1]["accounts"], json!([{ "account": "main", "why": "not among its dialogs" }]));
    let caller = &items[1]["callers"][0];
    assert_eq!((&caller["listener"], &caller["count"]), (&json!("v1"), &json!(2)), "{listed}");
    assert_eq!(caller["address"], "127.0.0.1");
    assert!(caller["api_key"].as_str().is_some_and(|key| key.starts_with("key_")), "{listed}");

    let forget = |chat: &str| world.call("DELETE", &format!("/v1/chats/unresolved/{chat}"));
    assert_eq!(forget(GROUP).send().await.status, 204);
    forget(GROUP).send().await.problem(404, "chat_not_found");
    assert_eq!(forget("No_Such_Chat").send().await.status, 204);
    assert_eq!(world.call("GET", "/v1/chats/unresolved").send().await.json()["items"], json!([]));
}

/// A chat as an account that was connected once left it in the store.
fn dialog(chat_id: &str, title: &str, username: Option<&str>) -> StoredPeer {
    StoredPeer {
        chat_id: chat_id.parse().expect("a chat"),
        access_hash: AccessHash(7),
        username: username.map(|name| name.parse().expect("a name")),
        title: title.to_owned(),
        kind: PeerKind::Supergroup,
        dialog: true,
        phone: None,
        contact: false,
    }
}

#[tokio::test]
async fn chats_known_to_accounts_are_shown_and_can_be_bound() {
    let before = World::new().await;
    let other = "-1001234500002";
    let save = async |account: &str, peers: Vec<StoredPeer>| {
        before.store.peers().save(&account_named(account), peers).await.expect("the store");
    };
    save("main", vec![dialog(GROUP, "Order 1", Some("demo_channel")), dialog(other, "Order 2", None)]).await;
    save("fifth", vec![dialog(GROUP, "Order 1", Some("demo_channel"))]).await;
    let world = before.after_a_crash_of(settings()).await;

    let shown = world.call("GET", "/v1/chats/@Demo_Channel").send().await;
    assert_eq!(shown.status, 200, "{shown:?}");
    let shown = shown.json();
    for (field, value) in [
        ("chat_id", json!(GROUP)),
        ("title", json!("Order 1")),
        ("username", json!("@demo_channel")),
        ("kind", json!("supergroup")),
        ("state", json!("active")),
        ("account", json!(null)),
        ("accounts", json!(["main", "fifth"])),
        ("operation", json!(null)),
    ] {
        assert_eq!(shown[field], value, "{field}: {shown}");
    }

    let bind = |chat: &str, account: &str| {
        let body = json!({ "account": account }).to_string();
        world.call("PATCH", &format!("/v1/chats/{chat}")).json(body)
    };
    let bound = bind("@demo_channel", "fifth").send().await;
    assert_eq!((bound.status, &bound.json()["account"]), (200, &json!("fifth")), "{bound:?}");
    let listed = world.call("GET", "/v1/chats?account=fifth&kind=supergroup").send().await.json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1), "{listed}");
    assert_eq!(
        (&listed["items"][0]["chat_id"], &listed["items"][0]["account"]),
        (&json!(GROUP), &json!("fifth"))
    );

    let problem = bind(other, "fifth").send().await.problem(422, "invalid_request");
    assert_eq!(problem["errors"][0]["field"], "account");
    let message = problem["errors"][0]["message"].as_str().expect("words");
    assert!(message.contains("fifth is not in the chat") && message.contains("in it: main"), "{message}");
    bind(other, "nobody").send().await.problem(404, "account_not_found");
    bind("@no_such_chat", "main").send().await.problem(404, "chat_not_found");
    assert_eq!(world.call("GET", &format!("/v1/chats/{other}")).send().await.json()["account"], json!(null));
}

#[tokio::test]
async fn a_chat_by_its_name_is_the_one_that_events_are_about() {
    let before = World::new().await;
    let peers = vec![dialog(GROUP, "Order 1", Some("demo_channel"))];
    before.store.peers().save(&account_named("main"), peers).await.expect("the store");
    let world = before.after_a_crash_of(settings()).await;
    let message =
        testkit::customer_message(GROUP.parse().expect("a chat"), 1, "Is it there?", world.clock.now());
    let changes = vec![ReceivedChange::New(Box::new(message))];
    let taken = TakenUpdates { changes, ..TakenUpdates::new(account_named("main")) };
    world.store.received().take(taken).await.expect("the store");
    for (chat, count) in [("@Demo_Channel", 1), (GROUP, 1), ("@no_such_chat", 0)] {
        let path = format!("/v1/events?type=message.received&chat={chat}");
        let page = world.call("GET", &path).send().await.json();
        assert_eq!(page["items"].as_array().map(Vec::len), Some(count), "{chat}: {page}");
    }
    let webhook = json!({"url": "https://example.com/hook", "chats": ["@demo_channel", "@no_such_chat"]});
    let made = world.call("POST", "/v1/webhooks").json(webhook.to_string()).send().await;
    assert_eq!((made.status, &made.json()["chats"]), (201, &json!([GROUP, "@no_such_chat"])), "{made:?}");
}
