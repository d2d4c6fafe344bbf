//! The do-not-contact list through the API, and what it refuses on `/v1` and on the old ports.

use std::time::Duration;

use domain::Outcome;
use domain::account::Reason;
use serde_json::{Value, json};

use crate::client::Call;
use crate::world::World;

const LIST: &str = "/v1/do-not-contact";

async fn add(world: &World, contact: &str) -> Value {
    let body = json!({ "contact": contact, "reason": "asked to stop" }).to_string();
    let added = world.call("POST", LIST).json(&body).send().await;
    assert_eq!(added.status, 200, "{added:?}");
    added.json()["items"][0].clone()
}

#[tokio::test]
async fn a_message_to_a_listed_contact_is_refused_and_not_stored() {
    let world = World::new().await;
    let entry = add(&world, "@demo_channel").await;
    let body = r#"{"chat":"https://t.me/Demo_Channel","text":"hello"}"#;
    let problem = world.message(body).send().await.problem(403, "do_not_contact");
    let remove = format!("DELETE {LIST}/{}", entry["id"].as_str().expect("an id"));
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(&remove)), "{problem}");
    let old = world.text(r#"{"chat":"@demo_channel","text":"hello"}"#).send().await;
    let answer = old.json();
    assert_eq!((old.status, &answer["status"]), (403, &json!("error")), "{answer}");
    assert!(answer["error"].as_str().is_some_and(|error| error.contains("do-not-contact list")), "{answer}");
    let edit = world.call("PATCH", "/v1/chats/@demo_channel/messages/45").json(r#"{"text":"x"}"#);
    edit.send().await.problem(403, "do_not_contact");
    assert_eq!(world.call("GET", "/v1/messages").send().await.json()["items"], json!([]));
    let path = format!("{LIST}/t.me%2Fdemo_channel");
    assert_eq!(world.call("DELETE", &path).send().await.status, 204);
    world.call("DELETE", &path).send().await.problem(404, "do_not_contact_entry_not_found");
    assert_eq!(world.message(body).send().await.status, 200);
}

#[tokio::test]
async fn ended_messages_are_not_resent_to_listed_contacts() {
    let world = World::new().await;
    let at = world.clock.now().plus(Duration::from_hours(1));
    let body = json!({ "chat": "@demo_channel", "text": "later", "send_at": at, "wait": 0 }).to_string();
    let reply = world.message(&body).send().await.json();
    let path = format!("/v1/messages/{}", reply["id"].as_str().expect("an id"));
    assert_eq!(world.call("POST", &format!("{path}/cancel")).send().await.status, 200);
    add(&world, "@demo_channel").await;
    let again = world.call("POST", &format!("{path}/retry"));
    again.send().await.problem(403, "do_not_contact");
    assert_eq!(world.call("GET", &path).send().await.json()["state"], "cancelled");
    assert_eq!(world.call("DELETE", &format!("{LIST}/t.me%2Fdemo_channel")).send().await.status, 204);
    let again = world.call("POST", &format!("{path}/retry"));
    assert_eq!(again.send().await.status, 202);
}

#[tokio::test]
async fn a_released_message_to_a_listed_contact_is_refused() {
    let world = World::new().await;
    let body = json!({ "chat": "@demo_channel", "text": "first", "needs_approval": true, "wait": 0 });
    let waiting = world.message(&body.to_string()).send().await.json();
    world.script.then([Outcome::Unknown("cut".into()), Outcome::Banned(Reason::Banned)]);
    let call = world.message(r#"{"chat":"@demo_channel","text":"second"}"#);
    let doubtful = tokio::spawn(async move { call.send().await });
    let doubtful = world.pass(Duration::from_millis(200), doubtful).await.json();
    assert_eq!(
        (&waiting["state"], &doubtful["state"]),
        (&json!("awaiting_approval"), &json!("in_doubt")),
        "{waiting} {doubtful}"
    );
    add(&world, "@demo_channel").await;
    let path = |message: &Value| format!("/v1/messages/{}", message["id"].as_str().expect("an id"));
    let approved = world.call("POST", &format!("{}/approve", path(&waiting)));
    approved.send().await.problem(403, "do_not_contact");
    let resolve = |word: &str| {
        let call = world.call("POST", &format!("{}/resolve", path(&doubtful)));
        call.json(json!({ "as": word }).to_string())
    };
    resolve("resend").send().await.problem(403, "do_not_contact");
    for message in [&waiting, &doubtful] {
        assert_eq!(world.call("GET", &path(message)).send().await.json()["state"], message["state"]);
    }
    // What a person says is true, and what sends nothing, is taken.
    assert_eq!(resolve("sent").send().await.status, 200);
    let rejected = world.call("POST", &format!("{}/reject", path(&waiting)));
    assert_eq!(rejected.send().await.status, 200);
    assert_eq!(world.script.texts(), <[String; 0]>::default());
}

#[tokio::test]
async fn an_invitation_refuses_each_listed_person() {
    let world = World::new().await;
    add(&world, "@client_1").await;
    let both = world.call("POST", "/v1/chats").json(r#"{"title":"A","members":["@client_1","@client_2"]}"#);
    let made = both.send().await;
    assert_eq!(made.status, 201, "{made:?}");
    let members = &made.json()["members"];
    assert_eq!((&members[0]["result"], &members[1]["result"]), (&json!("failed"), &json!("added")));
    let detail = members[0]["detail"].as_str().expect("a detail");
    assert!(detail.contains("do-not-contact list"), "{detail}");
    let alone = world.call("POST", "/v1/chats").json(r#"{"title":"A","members":["@client_1"]}"#);
    alone.send().await.problem(403, "do_not_contact");
    assert_eq!(world.hands.count("create"), 1);
}

#[tokio::test]
async fn readers_look_senders_add_and_admins_remove() {
    let world = World::new().await;
    let (read, send) = (world.make_key(&["read"]).await, world.make_key(&["send"]).await);
    let by = |key: &str, method: &str, path: &str| Call::new(&world.main(), method, path).key(key);
    let body = r#"{"contacts":["8 (000) 000-00-01","name@example.com","777"]}"#;
    by(&read, "POST", LIST).json(body).send().await.problem(403, "forbidden_scope");
    let added = by(&send, "POST", LIST).json(body).send().await.json();
    assert_eq!((&added["added"], &added["already"]), (&json!(3), &json!(0)), "{added}");
    let again = by(&send, "POST", LIST).json(r#"{"contact":"+70000000001"}"#).send().await.json();
    assert_eq!((&again["added"], &again["already"]), (&json!(0), &json!(1)), "{again}");
    by(&send, "GET", LIST).send().await.problem(403, "forbidden_scope");
    let found = by(&read, "GET", &format!("{LIST}?contact=70000000001")).send().await.json();
    let entry = &found["items"][0];
    assert_eq!((&entry["kind"], &entry["contact"]), (&json!("phone"), &json!("+70000000001")), "{found}");
    assert_eq!(entry["source"], "api");
    let first = by(&read, "GET", &format!("{LIST}?limit=2")).send().await.json();
    assert_eq!(first["items"].as_array().map(Vec::len), Some(2));
    let cursor = first["next_cursor"].as_str().expect("another page");
    let second = by(&read, "GET", &format!("{LIST}?limit=2&cursor={cursor}")).send().await.json();
    assert_eq!((second["items"].as_array().map(Vec::len), &second["next_cursor"]), (Some(1), &Value::Null));
    by(&send, "DELETE", &format!("{LIST}/777")).send().await.problem(403, "forbidden_scope");
    assert_eq!(by(&world.key, "DELETE", &format!("{LIST}/777")).send().await.status, 204);
    let audit = by(&world.key, "GET", "/v1/audit?action=add_do_not_contact").send().await.json();
    assert_eq!(audit["items"][0]["details"]["added"], "0", "{audit}");
    for wrong in ["{}", r#"{"contact":"a b"}"#, r#"{"contact":"777","kind":"person"}"#] {
        by(&send, "POST", LIST).json(wrong).send().await.problem(422, "invalid_request");
    }
}

#[tokio::test]
async fn a_contact_is_shown_as_it_is_compared_or_refused_with_what_was_understood() {
    let world = World::new().await;
    for (written, contact) in [
        ("(900)0007711", "+79000007711"),
        ("+8 900 000 77 09", "+79000007709"),
        ("79000007716.0", "+79000007716"),
        ("mailto:x@example.org", "x@example.org"),
    ] {
        assert_eq!(add(&world, written).await["contact"], contact, "{written}");
    }
    for (written, understood) in [
        ("+9000007712", "+79000007712"),
        ("9000007713", "+79000007713"),
        ("+79000007714 +79000007715", "+79000007714, +79000007715"),
    ] {
        let body = json!({ "contact": written }).to_string();
        let problem = world.call("POST", LIST).json(&body).send().await.problem(422, "invalid_request");
        assert!(problem.to_string().contains(understood), "{written}: {problem}");
    }
    let import = |file: &'static str| {
        let call = world.call("POST", &format!("{LIST}/import")).header("Content-Type", "text/csv");
        call.body(file)
    };
    let lines = import("phone;name\r(900)0007721;Anna\r+9000007722;Ivan\r").send().await.json();
    assert_eq!((&lines["added"], &lines["wrong"][0]["line"]), (&json!(1), &json!(3)), "{lines}");
    let list = |bytes: Vec<u8>| {
        world.call("POST", &format!("{LIST}/import")).header("Content-Type", "text/csv").body(bytes)
    };
    let unicode_text = "\u{feff}phone\tname\r\n+79000007731\tАнна\r\n".encode_utf16();
    let unicode_text = list(unicode_text.flat_map(u16::to_le_bytes).collect()).send().await.json();
    assert_eq!(
        (&unicode_text["added"], &unicode_text["wrong"][0]),
        (&json!(1), &Value::Null),
        "{unicode_text}"
    );
    for unreadable in
        [b"\r\r".to_vec(), b"# nothing\r".to_vec(), b"\xea\xf2\xee\r".to_vec(), b"@\0a\0".to_vec()]
    {
        assert_eq!(list(unreadable.clone()).send().await.status, 422, "{unreadable:?}");
    }
    let flags = import("email,doNotContact\ny@example.org,true\nz@example.org,false").send().await.json();
    assert_eq!((&flags["added"], &flags["items"][0]["contact"]), (&json!(1), &json!("y@example.org")));
}

#[tokio::test]
async fn an_entry_has_a_level_and_a_paused_one_is_decided() {
    let world = World::new().await;
    let send = world.make_key(&["send"]).await;
    let by = async |key: &str, path: &str, body: &str| {
        Call::new(&world.main(), "POST", path).key(key).json(body).send().await
    };
    let added = by(&send, LIST, r#"{"contact":"777","level":"advertising"}"#).await.json();
    assert_eq!((&added["added"], &added["items"][0]["level"]), (&json!(1), &json!("advertising")), "{added}");
    let further = by(&send, LIST, r#"{"contact":"777"}"#).await.json();
    assert_eq!((&further["added"], &further["items"][0]["level"]), (&json!(1), &json!("all")), "{further}");
    let back = by(&send, LIST, r#"{"contact":"777","level":"paused"}"#).await.json();
    assert_eq!((&back["added"], &back["already"]), (&json!(0), &json!(1)), "{back}");
    by(&send, LIST, r#"{"contact":"778","level":"some"}"#).await.problem(422, "invalid_request");
    for (contact, refuses, left) in [("779", "true", json!("advertising")), ("780", "false", Value::Null)] {
        let body = format!(r#"{{"contact":"{contact}","level":"paused"}}"#);
        let entry = by(&send, LIST, &body).await.json()["items"][0].clone();
        let path = format!("{LIST}/{}/decide", entry["id"].as_str().expect("an id"));
        let decision = format!(r#"{{"refuses":{refuses}}}"#);
        assert_eq!(by(&send, &path, &decision).await.status, 204);
        by(&send, &path, &decision).await.problem(404, "do_not_contact_entry_not_found");
        let found = world.call("GET", &format!("{LIST}?contact={contact}")).send().await.json();
        assert_eq!(found["items"][0]["level"], left, "{found}");
    }
}

#[tokio::test]
async fn a_list_is_imported_and_exported() {
    let world = World::new().await;
    add(&world, "@client_1").await;
    let file = "contact,reason\n@Client_1,x\n+7 000 000-00-01,\"asked, twice\"\nno one\n+70000000001,\n";
    let path = format!("{LIST}/import");
    let import = world.call("POST", &path).header("Content-Type", "text/csv").body(file).send().await;
    let report = import.json();
    assert_eq!((&report["added"], &report["already"]), (&json!(1), &json!(2)), "{report}");
    assert_eq!((&report["wrong"][0]["line"], &report["wrong"][1]), (&json!(4), &Value::Null), "{report}");
    assert_eq!(report["items"][0]["contact"], "+70000000001", "{report}");
    let export = world.call("GET", &format!("{LIST}/export")).send().await;
    assert_eq!(export.header("content-type"), Some("text/csv; charset=utf-8"));
    let lines: Vec<_> = export.body.lines().collect();
    assert_eq!(lines[0], "contact,kind,level,source,added_by,added_at,reason");
    assert!(
        lines[1].starts_with("+70000000001,phone,all,import,key_") && lines[1].ends_with(",\"asked, twice\"")
    );
    assert!(lines[2].starts_with("@client_1,username,all,api,key_"), "{}", export.body);
    let again = world.call("POST", &path).header("Content-Type", "text/csv").body(export.body.clone());
    assert_eq!(again.send().await.json()["already"], 2);
    // Another installation refuses what this one refuses.
    let listed = json!({"contact": "@client_3", "level": "advertising"}).to_string();
    assert_eq!(world.call("POST", LIST).json(listed).send().await.status, 200);
    let export = world.call("GET", &format!("{LIST}/export")).send().await;
    let elsewhere = World::new().await;
    let import = elsewhere.call("POST", &path).header("Content-Type", "text/csv").body(export.body.clone());
    assert_eq!(import.send().await.json()["added"], 3);
    let level = |contact: &str| format!("{LIST}?contact={}", contact.replace('@', "%40"));
    for (contact, wanted) in [("@client_3", "advertising"), ("@client_1", "all")] {
        let found = elsewhere.call("GET", &level(contact)).send().await.json();
        assert_eq!(found["items"][0]["level"], wanted, "{contact}: {found}");
    }
    let body = json!({ "list": "@client_2\n" }).to_string();
    assert_eq!(world.call("POST", &path).json(body).send().await.json()["added"], 1);
}
