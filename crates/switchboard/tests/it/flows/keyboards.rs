//! Keyboards as bots send them: what comes of each kind of button, in each kind of chat, on several accounts; texts that a flow sends
//! and waits for.

use serde_json::{Value, json};
use testkit::{Program, Receiver, Start, World};

use super::bad_days::{rules, watching};
use super::{PRESS, hears, last_run, offers, watches};
use crate::binary;

/// A flow with this head and these steps, none of which depends on the speed of a test.
fn flow(name: &str, head: &str, steps: &[&str]) -> String {
    let steps: Vec<_> =
        steps.iter().map(|step| format!("[[flows.steps]]\nwithin = \"2m\"\n{step}\n")).collect();
    format!("\n[[flows]]\nname = \"{name}\"\nfresh = \"5m\"\n{head}\n{}", steps.concat())
}

/// The runs of a flow, the latest first, without the messages that began none.
async fn runs(program: &Program, name: &str) -> Vec<Value> {
    let found = program.get(&format!("/v1/flow-runs?flow={name}")).await.1;
    let mut runs = found["items"].as_array().cloned().unwrap_or_default();
    runs.retain(|run| run["state"] != "skipped");
    runs
}

/// Until a flow has had so many runs, and all of them are done.
async fn are_done(program: &Program, name: &str, count: usize) {
    let what = format!("{count} runs of {name} are done");
    let done = || async {
        let runs = runs(program, name).await;
        runs.len() == count && runs.iter().all(|run| run["state"] == "done")
    };
    program.until(&what, done).await;
}

/// Until the last of so many runs of the flow `trip` has this.
async fn ended(program: &Program, count: usize, field: &str, word: &str) {
    let what = format!("{field} of run {count} is {word}");
    let is_so = || async {
        let runs = runs(program, "trip").await;
        runs.len() == count && runs.first().is_some_and(|run| run[field] == *word)
    };
    program.until(&what, is_so).await;
}

/// The bot offers a trip with this keyboard.
async fn shows(world: &World, keyboard: &Value) {
    let mut order = json!({ "from": "@demo_bot_1", "chat": "@demo_fifth", "text": "New trip" });
    order.as_object_mut().expect("an object").extend(keyboard.as_object().expect("an object").clone());
    world.post("/telegram/messages", &order).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_button_has_its_result() {
    let head = "account = \"fifth\"\nwatch = \"@demo_bot_1\"\ntrigger = { text = \"New trip\" }";
    let (world, program) = watching(&flow("trip", head, &["press = { text = \"Book\" }"])).await;
    let inline = |more: Value| {
        let mut button = json!({ "text": "Book" });
        button.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        json!({ "buttons": [[button]] })
    };
    let of_kind = |kind: &str| inline(json!({ "kind": kind }));
    let key = |kind: &str| json!({ "keyboard": [[{ "text": "Book", "kind": kind }]] });
    let refused = [
        (inline(json!({ "data": "book", "password": true })), "password_button"),
        (of_kind("web_app"), "web_app_button"),
        (of_kind("buy"), "buy_button"),
        (of_kind("switch_inline"), "switch_inline_button"),
        (of_kind("game"), "game_button"),
        (of_kind("copy"), "copy_button"),
        (of_kind("disabled"), "disabled_button"),
        (key("contact"), "contact_button"),
        (key("location"), "location_button"),
        (key("poll"), "poll_button"),
        (key("web_app"), "web_app_button"),
    ];
    let kinds = refused.len();
    for ((keyboard, code), count) in refused.into_iter().zip(1..) {
        shows(&world, &keyboard).await;
        ended(&program, count, "code", code).await;
    }
    assert_eq!((world.calls(PRESS).await, world.sent().await), (0, Vec::new()));

    // An address is noted, and no one calls there.
    let receiver = Receiver::start().await;
    shows(&world, &inline(json!({ "url": receiver.address() }))).await;
    ended(&program, kinds + 1, "state", "done").await;
    let noted = last_run(&program).await["timeline"].as_array().cloned().unwrap_or_default();
    let noted: Vec<_> = noted.iter().filter(|moment| moment["stage"] == "address").collect();
    assert!(noted.len() == 1 && noted[0]["note"] == format!("Book: {}", receiver.address()), "{noted:?}");
    assert_eq!((world.calls(PRESS).await, receiver.posted().len()), (0, 0));

    // A key of a reply keyboard is sent, as a person's tap sends it.
    shows(&world, &json!({ "keyboard": [["Details", "Book"]] })).await;
    ended(&program, kinds + 2, "state", "done").await;
    program.until("the text is sent", || async { world.sent().await == ["Book"] }).await;
    assert_eq!(world.calls(PRESS).await, 0);

    // What the bot put on a button comes back to it byte for byte; this is no UTF-8.
    shows(&world, &inline(json!({ "data_base64": "/wD+" }))).await;
    ended(&program, kinds + 3, "state", "done").await;
    let pressed = world.effects(PRESS).await;
    assert_eq!(
        (&pressed[0]["press"]["button"], &pressed[0]["press"]["refused"]),
        (&json!("Book"), &Value::Null),
        "{pressed:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_and_channels_are_watched_as_bots_are() {
    let world = World::start(binary()).await;
    let mut chats = vec![("private", "@demo_bot_1".to_owned())];
    for kind in ["group", "supergroup", "channel"] {
        let order = json!({ "kind": kind, "title": format!("Trips in a {kind}"), "creator": "@demo_bot_1", "members": ["fifth", "@client_1"] });
        chats.push((kind, world.make_chat("/telegram/chats", &order).await));
    }
    let flows: Vec<_> = chats
        .iter()
        .map(|(kind, chat)| {
            let head =
                format!("account = \"fifth\"\nwatch = \"{chat}\"\ntrigger = {{ text = \"New trip\" }}");
            let confirm = "press = { text = \"Confirm\" }\nexpect = { text = \"booked\", within = \"2m\" }";
            flow(kind, &head, &["press = { text = \"Book\" }", confirm])
        })
        .collect();
    world.edit_settings(|text| text + &flows.concat());
    let program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("fifth", "ready").await;
    for (kind, _) in &chats {
        let path = format!("/v1/flows/{kind}");
        program
            .until(kind, || async { program.get(&path).await.1["accounts"][0]["state"] == "watching" })
            .await;
    }
    hears(&world, &program).await;
    // The message with both buttons is gone when the answer comes: the second button is pressed on the next one.
    rules(
        &world,
        json!([
            {
                "data": "Book",
                "answer": { "kind": "late", "after_ms": 200 },
                "then": [
                    { "delete": true },
                    { "after_ms": 500, "send": { "text": "Sure?", "buttons": [[{ "text": "Confirm", "data": "Confirm" }]] } },
                ],
            },
            { "data": "Confirm", "then": [{ "edit": { "text": "The trip is booked" } }] },
        ]),
    )
    .await;
    // In groups people write offers too. Nothing comes of them.
    for (_, chat) in chats.iter().filter(|(kind, _)| kind.ends_with("group")) {
        let member = json!({ "from": "@client_1", "chat": chat, "text": "New trip?" });
        world.post("/telegram/messages", &member).await;
    }
    let mut places = Vec::new();
    for (kind, chat) in &chats {
        let to = if *kind == "private" { "@demo_fifth" } else { chat.as_str() };
        let buttons = json!([[{ "text": "Book", "data": "Book" }, { "text": "Confirm", "data": "Confirm" }]]);
        let order = json!({ "from": "@demo_bot_1", "chat": to, "text": "New trip", "buttons": buttons });
        let written = world.post("/telegram/messages", &order).await;
        places.push(written["chat_id"].as_str().expect("an id").to_owned());
    }
    for (kind, _) in &chats {
        are_done(&program, kind, 1).await;
    }
    let pressed = world.effects(PRESS).await;
    for place in &places {
        let here: Vec<_> = pressed.iter().filter(|row| row["chat_id"] == *place).collect();
        let buttons: Vec<_> = here.iter().map(|row| row["press"]["button"].as_str()).collect();
        assert_eq!(buttons, [Some("Book"), Some("Confirm")], "{place}");
        assert!(here.iter().all(|row| row["press"]["refused"].is_null()), "{place}: {here:?}");
    }
    assert_eq!(pressed.len(), 2 * places.len());
    // The group becomes a supergroup, and is watched as that.
    let group = &chats[1].1;
    let today = world.post(&format!("/telegram/chats/{group}/migrate"), &json!({})).await;
    let today = today["chat_id"].as_str().expect("an id");
    assert_ne!(today, group);
    let pressed = || async {
        let buttons = json!([[{ "text": "Book", "data": "Book" }]]);
        let order = json!({ "from": "@demo_bot_1", "chat": today, "text": "New trip", "buttons": buttons });
        world.post("/telegram/messages", &order).await;
        world.effects(PRESS).await.iter().any(|row| row["chat_id"] == today)
    };
    program.until("a button of the supergroup is pressed", pressed).await;
    world.assert_nothing_unknown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_on_two_accounts_is_one_on_each() {
    let world = World::start(binary()).await;
    let head = "accounts = [\"main\", \"fifth\"]\nwatch = \"@demo_bot_1\"\ntrigger = { text = \"New trip\" }\n\
        limits = { per_hour = 1 }";
    world.edit_settings(|text| text + &flow("trip", head, &["press = { text = \"Book\" }"]));
    let program = Start::on(&world, binary(), "data").ready().await;
    watches(&program).await;
    let on = |place: usize| {
        let program = &program;
        async move { program.get("/v1/flows/trip").await.1["accounts"][place].clone() }
    };
    for (place, account) in [(0, "main"), (1, "fifth")] {
        program.until(account, || async { on(place).await["state"] == "watching" }).await;
        let path = format!("/v1/accounts/{account}");
        let hears = || async {
            let early = json!({ "from": "@client_1", "chat": account, "text": "early" });
            world.post("/telegram/messages", &early).await;
            program.get(&path).await.1["updates"]["received"].as_u64().is_some_and(|count| count > 0)
        };
        program.until("it hears", hears).await;
    }
    let offer = async |account: &str| {
        let buttons = json!([[{ "text": "Book", "data": "Book" }]]);
        let order = json!({ "from": "@demo_bot_1", "chat": account, "text": "New trip", "buttons": buttons });
        world.post("/telegram/messages", &order).await;
    };
    // `main` has several sessions: what is heard of a change presses once.
    offer("main").await;
    are_done(&program, "trip", 1).await;
    offer("main").await;
    program.until("main is at its limit", || async { on(0).await["skipped"]["per_hour"] == 1 }).await;
    assert_eq!(on(1).await["runs_last_hour"], 0);
    offer("fifth").await;
    are_done(&program, "trip", 2).await;
    let pressed = world.effects(PRESS).await;
    let accounts: Vec<_> = pressed.iter().map(|row| row["account"].as_str()).collect();
    assert_eq!(accounts, [Some("main"), Some("fifth")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_flows_are_messages_and_presses_are_not() {
    let world = World::start(binary()).await;
    let head = |trigger: &str| {
        format!("account = \"fifth\"\nwatch = \"@demo_bot_1\"\ntrigger = {{ text = \"{trigger}\" }}")
    };
    let asks = flow(
        "trip",
        &head("New trip"),
        &[
            "send = \"/trips\"",
            "wait = { regex = '(?P<place>\\w+) is free' }",
            "press = { contains = \"{place}\" }\nexpect = { text = \"booked\", within = \"2m\" }",
        ],
    );
    let presses = flow("presses", &head("Quick trip"), &["press = { text = \"Book\" }"]);
    world.edit_settings(|text| {
        let name = "name = \"fifth\"\n";
        format!("{}{asks}{presses}", text.replace(name, &format!("{name}messages_per_hour = 1\n")))
    });
    let program = Start::on(&world, binary(), "data").ready().await;
    watches(&program).await;
    hears(&world, &program).await;
    let limits = || async { program.get("/v1/accounts/fifth").await.1["limits"].clone() };
    assert_eq!(limits().await["messages_per_hour"], 1, "the settings name the account");
    let places = json!([[{ "text": "Moscow", "data": "Moscow" }, { "text": "Klin", "data": "Klin" }]]);
    rules(
        &world,
        json!([
            { "text": "/trips", "then": [{ "send": { "text": "Klin is free", "buttons": places } }] },
            { "data": "Klin", "then": [{ "edit": { "text": "The trip is booked" } }] },
        ]),
    )
    .await;

    offers(&world, "Quick trip", &["Book"]).await;
    are_done(&program, "presses", 1).await;
    assert_eq!(limits().await["sent_last_hour"], 0);
    offers(&world, "New trip", &[]).await;
    are_done(&program, "trip", 1).await;
    assert_eq!(
        (world.sent().await, super::pressed(&world).await),
        (vec!["/trips".to_owned()], strings(&["Book", "Klin"]))
    );
    assert_eq!(limits().await["sent_last_hour"], 1);
    // The account may send no more within the hour: a text waits, and a press does not.
    offers(&world, "Another New trip", &[]).await;
    let waits = || async {
        let queued = program.get("/v1/messages?state=queued").await.1;
        queued["items"].as_array().is_some_and(|items| items.len() == 1)
    };
    program.until("the text waits", waits).await;
    offers(&world, "Quick trip again", &["Book"]).await;
    are_done(&program, "presses", 2).await;
    assert_eq!((world.sent().await.len(), world.calls(PRESS).await), (1, 3));
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
