//! Another program answers clients: it is posted each batch, and answers at once, later, twice, wrongly or not at all.

use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use domain::outcome::Outcome;
use serde_json::{Value, json};
use testkit::Receiver;

use super::shop_with;
use crate::legacy_channels::Shop;
use crate::world::World;

/// A shop whose clients are answered by a program.
async fn answered_by(program: &Receiver) -> (World, Arc<Shop>) {
    let webhook = json!({
        "url": program.address(), "secret": "planted-signing-secret", "answer_within": "5m"
    });
    let pipeline = json!({ "responder": "webhook", "webhook": webhook });
    shop_with(serde_json::from_value(pipeline).expect("settings")).await
}

impl World {
    /// How many clients wait for a person.
    async fn owed(&self) -> usize {
        let found = self.get("/v1/conversations?state=waiting_us").await;
        found["items"].as_array().expect("items").len()
    }

    /// Nothing is in anyone's hands.
    async fn until_idle(&self) {
        let is_idle = async || {
            let shown = self.get("/v1/pipeline").await;
            (&shown["waiting"], &shown["stages"]) == (&json!(0), &json!([]))
        };
        self.until_so("nothing is left", is_idle).await;
    }

    /// The turn of the last batch that the program was posted, once there are so many.
    async fn turn(&self, program: &Receiver, posts: usize) -> String {
        self.until_so("it is posted", async || program.posted().len() >= posts).await;
        let batch = program.bodies().pop().expect("a batch");
        batch["turn_id"].as_str().expect("an id").to_owned()
    }
}

#[tokio::test]
async fn a_program_answers_at_once() {
    let program = Receiver::start().await;
    program.says(200, r#"{"text":"Yes, it is."}"#);
    let (world, shop) = answered_by(&program).await;
    world.client_writes("c1", "Is it there?").await;
    let turn = world.turn(&program, 1).await;
    world.until_idle().await;
    world.until_so("it is answered", async || !shop.texts().is_empty()).await;
    let batch = program.bodies().remove(0);
    assert_eq!((&batch["text"], &batch["external_chat_id"]), (&json!("Is it there?"), &json!("c1")));
    let headers = program.posted().remove(0).headers;
    assert_eq!(headers["webhook-id"], turn);
    assert!(headers["webhook-signature"].starts_with("v1,"), "{headers:?}");
    // Once more, later: one counts.
    let path = format!("/v1/pipeline/turns/{turn}/answer");
    let (status, problem) = world.post(&path, json!({ "text": "And again." })).await;
    assert_eq!((status, &problem["code"]), (409, &json!("turn_over")), "{problem}");
    world.until_idle().await;
    assert_eq!(shop.texts(), [("c1".to_owned(), "Yes, it is.".to_owned())]);
    assert_eq!(program.posted().len(), 1);
}

#[tokio::test]
async fn a_last_answer_that_does_not_arrive_is_for_a_person() {
    let program = Receiver::start().await;
    program.says(200, r#"{"text":"Good-bye","close":true}"#);
    let (world, shop) = answered_by(&program).await;
    shop.then(Outcome::Forbidden("the customer blocked it".to_owned()));
    world.client_writes("c1", "Thank you").await;
    world.until_so("a person is to look", async || world.owed().await == 1).await;
    assert_eq!(program.posted().len(), 1);
}

#[tokio::test]
async fn extra_fields_of_a_message_are_posted_too() {
    let program = Receiver::start().await;
    program.answer(202);
    let (world, _shop) = answered_by(&program).await;
    let handed_in = json!({
        "channel": "avito", "external_chat_id": "c1", "text": "Hello", "client_email": "anna@example.com",
        "tenant_id": "t", "form_data": { "city": "Town" }, "prefilled_data": { "model": "X1" }, "utm_source": "search",
        "media": { "videos": [{ "url": "https://example.com/a.mp4" }] }, "meta": { "external_message_id": 7 },
    });
    assert_eq!(world.post("/v1/inbound", handed_in.clone()).await.0, 201);
    world.until_so("it waits for silence", async || world.get("/v1/pipeline").await["waiting"] == 1).await;
    world.clock.advance(Duration::from_secs(21));
    world.turn(&program, 1).await;
    let batch = program.bodies().remove(0);
    for name in ["client_email", "tenant_id", "form_data", "prefilled_data", "utm_source"] {
        assert_eq!(batch[name], handed_in[name], "{name}: {batch}");
    }
    let film = batch["media"]["videos"][0]["url"].as_str().expect("an address");
    assert!(film.starts_with("https://shop.example.com/media/"), "{batch}");
}

#[tokio::test]
async fn waiting_work_of_each_stage_is_shown_with_its_age() {
    let program = Receiver::start().await;
    program.answer(202);
    let (world, _shop) = answered_by(&program).await;
    let began = world.clock.now();
    let hello =
        json!({ "channel": "avito", "external_chat_id": "c1", "external_message_id": 1, "text": "Hello" });
    assert_eq!(world.post("/v1/inbound", hello).await.0, 201);
    world.until_so("it waits for silence", async || world.get("/v1/pipeline").await["waiting"] == 1).await;
    let shown = world.get("/v1/pipeline").await;
    let since: Timestamp = shown["waiting_since"].as_str().expect("a time").parse().expect("a time");
    assert!((began..=world.clock.now()).contains(&since), "{shown}");
    world.clock.advance(Duration::from_secs(21));
    world.turn(&program, 1).await;
    world.until_so("all is taken in", async || world.get("/v1/pipeline").await["behind_ms"] == 0).await;
    let shown = world.get("/v1/pipeline").await;
    let client = world.client_ids().await.remove(0);
    let turns = world.get(&format!("/v1/conversations/{client}/turns")).await;
    let respond = json!([{ "stage": "respond", "turns": 1, "since": turns["items"][0]["stage_at"] }]);
    assert_eq!((&shown["stages"], &shown["waiting_since"]), (&respond, &Value::Null), "{shown}");
}

#[tokio::test]
async fn a_program_answers_later_and_once() {
    let program = Receiver::start().await;
    program.answer(202);
    let (world, shop) = answered_by(&program).await;
    world.client_writes("c1", "Is it there?").await;
    let path = format!("/v1/pipeline/turns/{}/answer", world.turn(&program, 1).await);
    let (status, turn) =
        world.post(&path, json!({ "text": "Later.", "client_email": "anna@example.com" })).await;
    assert_eq!(status, 200, "{turn}");
    for text in ["Later.", "Twice."] {
        let (status, problem) = world.post(&path, json!({ "text": text })).await;
        assert_eq!((status, &problem["code"]), (409, &json!("turn_over")), "{problem}");
    }
    world.until_idle().await;
    world.until_so("it is answered", async || !shop.texts().is_empty()).await;
    assert_eq!(shop.texts(), [("c1".to_owned(), "Later.".to_owned())]);
    assert_eq!(program.posted().len(), 1);
    assert_eq!(world.get("/v1/clients").await["items"][0]["email"], "anna@example.com");
}

#[tokio::test]
async fn messages_written_meanwhile_are_answered_together() {
    let program = Receiver::start().await;
    program.answer(202);
    let (world, shop) = answered_by(&program).await;
    world.client_writes("c1", "Is it there?").await;
    let first = world.turn(&program, 1).await;
    world.client_writes("c1", "In green?").await;
    let second = world.turn(&program, 2).await;
    let batch = program.bodies().pop().expect("a batch");
    assert_eq!(batch["text"], "Is it there?\n\nIn green?", "{batch}");
    let answer = json!({ "text": "In green too." });
    let (status, problem) = world.post(&format!("/v1/pipeline/turns/{first}/answer"), answer.clone()).await;
    assert_eq!((status, &problem["code"]), (409, &json!("turn_over")), "{problem}");
    assert_eq!(world.post(&format!("/v1/pipeline/turns/{second}/answer"), answer).await.0, 200);
    world.until_idle().await;
    world.until_so("it is answered", async || !shop.texts().is_empty()).await;
    assert_eq!(shop.texts(), [("c1".to_owned(), "In green too.".to_owned())]);
}

#[tokio::test]
async fn of_a_person_and_a_program_the_first_answers() {
    let program = Receiver::start().await;
    program.answer(202);
    let (world, shop) = answered_by(&program).await;
    world.client_writes("c1", "Is it there?").await;
    let late = world.turn(&program, 1).await;
    let client = world.client_ids().await.remove(0);
    let reply = format!("/v1/conversations/{client}/reply");
    let (status, sent) = world.post(&reply, json!({ "text": "Yes, says a person." })).await;
    assert_eq!(status, 200, "{sent}");
    let is_last = async |text: &str| {
        let shown = world.get(&format!("/v1/conversations/{client}")).await;
        shown["last_message"]["text"] == text
    };
    world.until_so("it is in the conversation", async || is_last("Yes, says a person.").await).await;
    let answer = |turn: &str| format!("/v1/pipeline/turns/{turn}/answer");
    let (status, refusal) = world.post(&answer(&late), json!({ "text": "Yes, says a program." })).await;
    assert_eq!((status, &refusal["code"]), (409, &json!("turn_over")), "{refusal}");
    // Given back, the program is first: a person who writes meanwhile is refused.
    let given_back = world.post(&format!("/v1/conversations/{client}/hand-over"), json!({})).await;
    assert_eq!(given_back.0, 200, "{given_back:?}");
    world.client_writes("c1", "In green?").await;
    let first = world.turn(&program, 2).await;
    let seen = world.get(&format!("/v1/conversations/{client}")).await["last_message"]["id"].clone();
    let (status, turn) = world.post(&answer(&first), json!({ "text": "In green, says a program." })).await;
    assert_eq!(status, 200, "{turn}");
    world.until_idle().await;
    world.until_so("it is there too", async || is_last("In green, says a program.").await).await;
    let (status, refusal) = world.post(&reply, json!({ "text": "In green!", "seen": seen })).await;
    assert_eq!((status, &refusal["code"]), (409, &json!("already_answering")), "{refusal}");
    world.until_so("both have left", async || shop.texts().len() == 2).await;
    let texts =
        ["Yes, says a person.", "In green, says a program."].map(|text| ("c1".to_owned(), text.to_owned()));
    assert_eq!(shop.texts(), texts);
}

#[tokio::test]
async fn a_resent_message_leaves_without_a_programs_answer() {
    let program = Receiver::start().await;
    program.answer(202);
    let (world, shop) = answered_by(&program).await;
    shop.then(Outcome::Forbidden("the customer blocked it".to_owned()));
    world.client_writes("c1", "Is it there?").await;
    let answer = |turn: String| format!("/v1/pipeline/turns/{turn}/answer");
    let first = answer(world.turn(&program, 1).await);
    assert_eq!(world.post(&first, json!({ "text": "Yes." })).await.0, 200);
    world.until_so("a person is to look", async || world.owed().await == 1).await;
    let client = world.client_ids().await.remove(0);
    let path = format!("/v1/conversations/{client}");
    let failed = world.get(&path).await["last_message"]["id"].as_str().expect("an id").to_owned();
    assert_eq!(world.post(&format!("{path}/hand-over"), json!({})).await.0, 200);
    world.client_writes("c1", "In green?").await;
    let second = answer(world.turn(&program, 2).await);
    let (status, again) = world.post(&format!("{path}/messages/{failed}/retry"), json!({})).await;
    assert!(status < 300, "{again}");
    let (status, refusal) = world.post(&second, json!({ "text": "In green too." })).await;
    assert_eq!((status, &refusal["code"]), (409, &json!("turn_over")), "{refusal}");
    world.until_so("it left", async || shop.texts().len() == 2).await;
}

#[tokio::test]
async fn a_turn_a_program_does_not_answer_is_for_a_person() {
    let program = Receiver::start().await;
    let (world, shop) = answered_by(&program).await;
    for (number, (status, body, why)) in [
        (200, r#"{"hand_over":true,"reason":"angry"}"#, "angry"),
        (200, "Yes, it is.", "timeout"),
        (500, r#"{"text":"Yes, it is."}"#, "timeout"),
        (202, r#"{"text":"Yes, it is."}"#, "timeout"),
        (Receiver::SILENCE, "", "timeout"),
    ]
    .into_iter()
    .enumerate()
    {
        program.says(status, body);
        let before = program.posted().len();
        world.client_writes(&format!("c{number}"), "Is it there?").await;
        world.turn(&program, before + 1).await;
        if why == "timeout" {
            assert_eq!(world.owed().await, number, "{status}: it may answer for five minutes");
            world.clock.advance(Duration::from_mins(5));
        }
        world.until_so("a person is to answer", async || world.owed().await == number + 1).await;
        let client = world.client_ids().await.pop().expect("a client");
        let turns = world.get(&format!("/v1/conversations/{client}/turns")).await;
        assert_eq!(
            (&turns["items"][0]["stage"], &turns["items"][0]["why"]),
            (&json!("handed_over"), &json!(why)),
            "{status}: {turns}"
        );
    }
    assert_eq!(shop.texts(), []);
}
