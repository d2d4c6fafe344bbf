//! What comes in is posted on by `forward_to`, in each form, and is had over a kill.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Program, Receiver, World, free_port};

use crate::binary;
use crate::channels::{connect, restarted};

/// A post of Wappi with two messages, spaced as no program of ours would write it.
const OF_WHATSAPP: &str = "{ \"messages\" : [\n  {\"wh_type\":\"incoming_message\", \"profile_id\":\"1a2b3c4d-5e6f\", \
    \"id\":\"FORM-1\",  \"type\":\"chat\",\"body\":\"first\", \"from\":\"70000000001@c.us\",\"to\":\"70000000009@c.us\", \
    \"chatId\":\"70000000001@c.us\",\"is_me\":false,\"time\":1760000500},\n  {\"wh_type\":\"incoming_message\", \
    \"profile_id\":\"1a2b3c4d-5e6f\",\"id\":\"FORM-2\",\"type\":\"chat\", \"body\":\"second\",\"from\":\"70000000001@c.us\", \
    \"to\":\"70000000009@c.us\",\"chatId\":\"70000000001@c.us\",\"is_me\":false,\"time\":1760000501} ] }\n";

/// A post of Avito, spaced likewise.
const OF_AVITO: &str = "{\"id\" : \"post-FORM\", \"payload\": {\"type\":\"message\",  \"value\":{\"id\":\"FORM-1\", \
    \"chat_id\":\"u2i-FORM\",\"user_id\":1000001, \"author_id\":2000002,\"created\":1760000500,\"type\":\"text\", \
    \"chat_type\":\"u2i\",\"content\":{\"text\":\"first\"}}} }\n";

/// An account, and what its provider posts.
const ACCOUNTS: [(&str, &str); 2] = [("phone", OF_WHATSAPP), ("shop", OF_AVITO)];

/// Has the messages of an account posted on; no more of any if there is no form.
fn forward(world: &World, plain: &str, account: &str, receiver: &Receiver, form: Option<&str>) {
    world.edit_settings(|_| {
        let Some(form) = form else { return plain.to_owned() };
        let name = format!("\nname = \"{account}\"\n");
        let keys = format!("{name}forward_to = \"{}\"\nforward_format = \"{form}\"\n", receiver.address());
        let (before, channels) = plain.split_once("\n[[channels]]").expect("accounts of channels");
        assert_eq!(channels.matches(&name).count(), 1, "{plain}");
        format!("{before}\n[[channels]]{}", channels.replacen(&name, &keys, 1))
    });
}

async fn posts(program: &Program, account: &str, body: &str) {
    let url = program.get(&format!("/v1/channels/{account}/webhook")).await.1["url"].clone();
    let url = url.as_str().expect("an address");
    let path = url.strip_prefix(program.address()).expect("its own address");
    let answer = program.request("POST", path).body(body.to_owned()).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
}

/// What is posted on of a post, as far as it is the same each time.
fn wanted(account: &str, form: &str, post: &str) -> Vec<Value> {
    let one = |id: &str, text: &str| match (form, account) {
        ("legacy", "phone") => json!({"messageId": id, "text": text, "chatId": "70000000001@c.us"}),
        (_, "phone") => json!({"channel_account": "phone", "external_message_id": id, "text": text}),
        _ => json!({"channel_account": "shop", "external_message_id": id, "text": text}),
    };
    match (form, account) {
        ("raw", _) | ("legacy", "shop") => vec![json!(post)],
        (_, "phone") => vec![one(&format!("{form}-1"), "first"), one(&format!("{form}-2"), "second")],
        _ => vec![one(&format!("{form}-1"), "first")],
    }
}

/// A body that was posted, as `wanted` has it: as a text, or the fields that are named.
fn as_wanted(body: &str, wanted: &Value) -> Value {
    let Some(fields) = wanted.as_object() else { return json!(body) };
    let parsed: Value = serde_json::from_str(body).unwrap_or_default();
    fields.keys().map(|name| (name.clone(), parsed[name].clone())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn incoming_messages_are_forwarded_in_each_form() {
    let (world, receiver, port) = (World::start(binary()).await, Receiver::start().await, free_port());
    world.with_channels(&format!("http://127.0.0.1:{port}"));
    world.edit_settings(|text| format!("{text}\n[events]\nallow_private = [\"127.0.0.1/32\"]\n"));
    let plain = std::fs::read_to_string(world.settings_file()).expect("settings");
    let (mut program, _) = connect(&world, port).await;
    let waiting = async |program: &Program| {
        let webhooks = program.get("/v1/webhooks").await.1;
        webhooks["items"]
            .as_array()
            .expect("webhooks")
            .iter()
            .map(|one| one["waiting"].clone())
            .collect::<Vec<_>>()
    };
    for (account, post) in ACCOUNTS {
        for form in ["message", "raw", "legacy"] {
            forward(&world, &plain, account, &receiver, Some(form));
            program = restarted(&world, program).await;
            receiver.answer(500);
            let (earlier, body) = (receiver.posted().len(), post.replace("FORM", form));
            posts(&program, account, &body).await;
            program.until("it is tried", || async { receiver.posted().len() > earlier }).await;
            // Killed while the other program is in trouble.
            program.kill();
            let begun = receiver.posted().len();
            receiver.answer(200);
            program = restarted(&world, program).await;
            let is_had = || async {
                let is_posted = receiver.posted().len() > begun;
                if !is_posted {
                    program.advance(Duration::from_secs(10)).await;
                }
                is_posted && waiting(&program).await == [0]
            };
            program.until(&format!("{account} is posted on as {form}"), is_had).await;
            let wanted = wanted(account, form, &body);
            let had: Vec<_> = receiver.posted()[begun..].iter().map(|posted| posted.text.clone()).collect();
            let had: Vec<_> = had.iter().map(|body| as_wanted(body, &wanted[0])).collect();
            assert_eq!(had, wanted, "{account} {form}");
        }
    }
    // Over a start too, the secret that was replaced is good for a day.
    let id = program.get("/v1/webhooks").await.1["items"][0]["id"].clone();
    let path = format!("/v1/webhooks/{}/rotate", id.as_str().expect("an id"));
    assert_eq!(program.post(&path, &json!({})).await.0, 200);
    program = restarted(&world, program).await;
    let begun = receiver.posted().len();
    posts(&program, "shop", &OF_AVITO.replace("FORM", "rotated")).await;
    program.until("it is posted on", || async { receiver.posted().len() > begun }).await;
    let posted = receiver.posted();
    let signatures = &posted[begun].headers["webhook-signature"];
    assert_eq!(signatures.split(' ').count(), 2, "{signatures}");
    forward(&world, &plain, "shop", &receiver, None);
    program = restarted(&world, program).await;
    assert_eq!(program.get("/v1/webhooks").await.1["items"], json!([]));
}
