//! Forms that pages of other sites send to the main port.

use std::sync::Arc;

use channels::Account;
use serde_json::{Value, json};

use crate::client::{Call, Reply};
use crate::legacy_channels::Shop;
use crate::world::World;

const PAGE: &str = "https://example.com";

async fn world(origins: Value) -> World {
    let account = |name: &str, channel: &str, fields: Value| {
        let mut fields = fields;
        (fields["name"], fields["channel"]) = (name.into(), channel.into());
        let fields = serde_json::from_value(fields).expect("an account");
        Account::new(
            fields,
            channel.parse().expect("a channel"),
            Arc::new(Shop::default()) as _,
            "made-up".into(),
        )
    };
    let accounts =
        vec![account("site", "form", json!({ "origins": origins })), account("shop", "avito", json!({}))];
    World::with_channels(accounts, |_| {}).await
}

fn form(id: &str) -> String {
    json!({ "form": true, "id": id, "phone": "+70000000001" }).to_string()
}

fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    let found = reply.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

#[tokio::test]
async fn a_page_that_is_named_sends_forms_and_reads_answers() {
    let world = world(json!([format!("{PAGE}/")])).await;
    let call = |method: &str| Call::new(&world.main(), method, "/forms/site").header("Origin", PAGE);
    let preflight = call("OPTIONS").header("Access-Control-Request-Method", "POST").send().await;
    assert_eq!(preflight.status, 204);
    assert_eq!(header(&preflight, "access-control-allow-origin"), Some(PAGE));
    assert_eq!(header(&preflight, "access-control-allow-headers"), Some("Content-Type"));
    let taken = call("POST").json(form("f-1")).send().await;
    assert_eq!((taken.status, &taken.json()["submission_id"]), (200, &json!("f-1")), "{}", taken.body);
    assert_eq!(header(&taken, "access-control-allow-origin"), Some(PAGE));
    let listed = world.call("GET", "/v1/messages?direction=in&channel=form").send().await.json();
    assert_eq!(listed["items"][0]["external_message_id"], "f-1", "{listed}");
    let wrong = call("POST").json(r#"{"form":true}"#).send().await;
    let error = json!({ "field": "phone", "message": "is missing" });
    assert_eq!((wrong.status, &wrong.json()["errors"][0]), (422, &error), "{}", wrong.body);
    assert_eq!(header(&wrong, "access-control-allow-origin"), Some(PAGE));
}

#[tokio::test]
async fn another_page_and_what_is_no_form_are_refused() {
    let world = world(json!([PAGE])).await;
    let call = |path: &str| Call::new(&world.main(), "POST", path).json(form("f-1"));
    for origin in ["https://example.com.evil.example", "null", "http://example.com"] {
        let refused = call("/forms/site").header("Origin", origin).send().await;
        assert_eq!((refused.status, &refused.json()["code"]), (403, &json!("forbidden_origin")), "{origin}");
        assert_eq!(header(&refused, "access-control-allow-origin"), None, "{origin}");
    }
    for path in ["/forms/shop", "/forms/nothing", "/forms/%00"] {
        assert_eq!(call(path).send().await.status, 404, "{path}");
    }
    let large = json!({ "form": true, "phone": "1", "message": "a".repeat(64 * 1024) }).to_string();
    assert_eq!(Call::new(&world.main(), "POST", "/forms/site").json(large).send().await.status, 413);
    // A program names no page.
    assert_eq!(call("/forms/site").send().await.status, 200);
}

#[tokio::test]
async fn an_address_sends_20_forms_a_minute() {
    let world = world(json!([])).await;
    let mut replies = Vec::new();
    for number in 0..21 {
        let call = Call::new(&world.main(), "POST", "/forms/site").header("Origin", PAGE);
        replies.push(call.json(form(&format!("f-{number}"))).send().await);
    }
    let last = replies.pop().expect("an answer");
    assert!(replies.iter().all(|reply| reply.status == 200));
    assert_eq!((last.status, &last.json()["code"]), (429, &json!("rate_limited")), "{}", last.body);
    assert_eq!(header(&last, "access-control-allow-origin"), Some("*"));
    assert_eq!(header(&last, "retry-after"), Some("3"));
    // The surplus waits for a person.
    let kept = world.call("GET", "/v1/failed-requests").send().await.json()["items"].clone();
    assert_eq!((&kept[0]["payload"]["id"], &kept[1]), (&json!("f-20"), &Value::Null), "{kept}");
    let path = format!("/v1/failed-requests/{}/retry", kept[0]["id"].as_str().expect("an id"));
    let taken = world.call("POST", &path).json("{}").send().await;
    assert_eq!((taken.status, &taken.json()["state"]), (202, &json!("done")), "{}", taken.body);
    let messages = world.call("GET", "/v1/messages?direction=in&channel=form").send().await.json();
    assert_eq!(messages["items"][0]["external_message_id"], "f-20", "{messages}");
}

#[tokio::test]
async fn a_form_that_is_refused_is_kept_and_taken_in_once_it_is_corrected() {
    let world = world(json!([])).await;
    let send = async || {
        Call::new(&world.main(), "POST", "/forms/site").json(r#"{"form":true,"name":"Anna"}"#).send().await
    };
    for _ in 0..2 {
        assert_eq!(send().await.status, 422);
    }
    let kept = async || world.call("GET", "/v1/failed-requests").send().await.json()["items"].clone();
    let listed = kept().await;
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "the same is kept once: {listed}");
    let form = &listed[0];
    assert_eq!((&form["endpoint"], &form["error"]), (&json!("/forms/site"), &json!("phone: is missing")));
    assert_eq!((&form["payload"], form.get("service")), (&json!({ "form": true, "name": "Anna" }), None));
    let path = format!("/v1/failed-requests/{}/retry", form["id"].as_str().expect("an id"));
    let retry = async |body: &str| world.call("POST", &path).json(body).send().await;
    for still_wrong in ["", "{}", r#"{"fields":{"name":"Boris"}}"#] {
        let wrong = retry(still_wrong).await;
        let error = json!({ "field": "phone", "message": "is missing" });
        assert_eq!(
            (wrong.status, &wrong.json()["errors"][0]),
            (422, &error),
            "{still_wrong}: {}",
            wrong.body
        );
    }
    assert_eq!(retry(r#"{"phone":"+70000000001"}"#).await.status, 422, "not a field");
    let taken = retry(r#"{"fields":{"phone":"+70000000001","id":"f-9"}}"#).await;
    assert_eq!(
        (taken.status, &taken.json()["state"], &taken.json()["retry_count"]),
        (202, &json!("done"), &json!(4))
    );
    let messages = world.call("GET", "/v1/messages?direction=in&channel=form").send().await.json();
    assert_eq!(messages["items"][0]["external_message_id"], "f-9", "{messages}");
    assert_eq!(retry("{}").await.status, 409);
    // What another form is refused for is kept too, and can be dropped.
    assert_eq!(send().await.status, 422);
    let id = kept().await[0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(world.call("DELETE", &format!("/v1/failed-requests/{id}")).send().await.status, 204);
}
