//! The evidence page as it is drawn, in both languages.

use askama::Template;
use domain::Timestamp;
use serde_json::json;

use super::evidence::Evidence;
use crate::messages::Message;
use crate::operations::Operation;
use crate::view::Language;
use crate::visitor::Visitor;
use crate::words::{DoubtWords, WorkWords};

fn drawn(language: Language) -> String {
    let now: Timestamp = "2026-11-20T11:07:31Z".parse().expect("a time");
    let visitor = Visitor::made_up(language, now);
    let id = "msg_01k2v7m3w0e9tq4b8s6n5x1zyr";
    let operation: Operation = serde_json::from_value(json!({
        "id": id, "kind": "send_text", "state": "in_doubt", "finished": false, "account": "main", "chat": "-1001234567890",
        "chat_id": "-1001234567890", "chat_title": "Repair 7041", "detail": null, "created_at": "2026-11-20T11:00:00Z", "updated_at": "2026-11-20T11:00:20Z",
    }))
    .expect("an operation");
    let message: Message = serde_json::from_value(json!({
        "id": id, "state": "in_doubt", "account": "main", "chat": "-1001234567890", "chat_id": "-1001234567890",
        "text": "Your phone is ready.", "message_ids": [], "parts": 1, "created_at": "2026-11-20T11:00:00Z", "updated_at": "2026-11-20T11:00:20Z",
    }))
    .expect("a message");
    let seen = serde_json::from_value(json!([
        { "id": "rcv_1zzzzy5q1rkpjw00000pg", "message_id": 46, "at": "2026-11-20T11:00:01Z", "outgoing": true, "text": "Your phone is ready.", "media": null, "service": null },
        { "id": "rcv_1zzzzy5q1rkpjw00000pg", "message_id": 45, "at": "2026-11-20T10:58:00Z", "outgoing": false, "text": "<i>When?</i>", "media": null, "service": null },
    ]))
    .expect("a history");
    let steps = serde_json::from_value::<Vec<crate::messages::Step>>(json!([
        { "at": "2026-11-20T11:00:00Z", "step": "accepted" },
        { "at": "2026-11-20T11:00:20Z", "step": "attempted", "account": "main", "outcome": "unknown", "detail": "500 INTERNAL" },
    ]))
    .expect("steps");
    let body = Evidence {
        visitor: &visitor,
        words: DoubtWords::of(language),
        work: WorkWords::of(language),
        operation: &operation,
        message: Some(&message),
        steps: &steps,
        seen: Some(Ok(seen)),
        written: None,
        may_act: true,
    };
    body.render().expect("a page")
}

#[test]
fn evidence_that_a_message_arrived_in_english() {
    let drawn = drawn(Language::English);
    assert!(drawn.contains("It was probably sent"), "{drawn}");
    insta::assert_snapshot!(drawn);
}

#[test]
fn evidence_that_a_message_arrived_in_russian() {
    insta::assert_snapshot!(drawn(Language::Russian));
}
