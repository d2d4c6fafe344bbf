//! The pages of messages as they are drawn, in both languages.

use api::AnyMessage;
use askama::Template;
use domain::Timestamp;
use serde_json::json;

use super::find::{Find, Query};
use super::why::{Page, Why};
use super::{Message, retry_failed};
use crate::dashboard::NavCounts;
use crate::view::Language;
use crate::visitor::Visitor;
use crate::words::{MessagesWords, WorkWords};

fn message(state: &str) -> Message {
    serde_json::from_value(json!({
        "id": "msg_01k2v7m3w0e9tq4b8s6n5x1zyr", "state": state, "account": "backup_1", "chat": "-1001234567890",
        "chat_id": "-1001234567890", "chat_title": "Repair 7041", "text": "Your phone is ready.\n<b>Come</b> before 20:00.",
        "message_ids": [48213], "parts": 1, "created_at": "2026-11-20T11:06:58.112Z", "updated_at": "2026-11-20T11:07:02.489Z",
    }))
    .expect("a message")
}

fn why() -> Why {
    serde_json::from_value(json!({
        "origin": { "listener": "v1", "api_key": "key_01k2v7m3w0e9tq4b8s6n5x1zyr", "api_key_name": "n8n", "address": "192.0.2.7" },
        "candidates": [
            { "account": "backup_1", "verdict": "first", "preferred": false },
            { "account": "main", "verdict": "waits", "until": "2026-11-20T11:31:08Z", "preferred": true,
              "why": "must wait, as Telegram asked" },
            { "account": "backup_2", "verdict": "cannot", "preferred": false, "why": "is not in the chat" },
        ],
        "timeline": [
            { "at": "2026-11-20T11:06:58.112Z", "step": "accepted" },
            { "at": "2026-11-20T11:06:58.117Z", "step": "begun", "part": 0, "account": "main" },
            { "at": "2026-11-20T11:07:01.340Z", "step": "attempted", "part": 0, "account": "main", "outcome": "flood_wait",
              "detail": "until 2026-11-20T11:31:08Z" },
            { "at": "2026-11-20T11:07:01.345Z", "step": "attempted", "part": 0, "account": "main", "outcome": "unknown",
              "detail": "500 INTERNAL" },
            { "at": "2026-11-20T11:07:01.352Z", "step": "moved_on", "account": "backup_1", "detail": "flood wait of main" },
            { "at": "2026-11-20T11:07:02.489Z", "step": "sent", "part": 0, "account": "backup_1", "detail": "message 48213" },
        ],
    }))
    .expect("a way")
}

fn drawn_why(language: Language, state: &str) -> String {
    drawn_why_of(language, &message(state))
}

fn drawn_why_of(language: Language, message: &Message) -> String {
    drawn(language, message, &why())
}

fn drawn(language: Language, message: &Message, why: &Why) -> String {
    let visitor = Visitor::made_up(language, now());
    let words = MessagesWords::of(language);
    let around = around(message);
    let work = WorkWords::of(language);
    Page { visitor: &visitor, words, work, message, why, around: &around, may_act: true }
        .render()
        .expect("a page")
}

/// What a customer wrote before and after it.
fn around(message: &Message) -> [AnyMessage; 3] {
    let received = |number: u8, name: Option<&str>, text: &str| {
        serde_json::from_value(json!({
            "direction": "in", "id": "rcv_1zzzzy5q1rkpjw00000pg", "message_id": number, "account": "main",
            "chat_id": "-1001234567890", "origin": "person", "from": "5000000001", "from_name": name, "text": text,
            "at": "2026-11-20T11:06:50Z", "received_at": "2026-11-20T11:06:50.112Z",
        }))
        .expect("a received message")
    };
    [
        received(45, Some("Anna"), "Is it <i>ready</i>?"),
        AnyMessage::Out(Box::new(message.clone())),
        received(47, None, ""),
    ]
}

fn drawn_list(language: Language) -> String {
    let visitor = Visitor::made_up(language, now());
    let mut failed = message("failed");
    failed.failure =
        serde_json::from_value(json!({ "code": "no_rights", "detail": "No account may write in this chat (main: is not in the chat)." })).ok();
    let found = api::Page {
        items: vec![message("sent"), failed, message("in_doubt")],
        next_cursor: Some("msg_01k2v7m3w0e9tq4b8s6n5x1zyr".to_owned()),
    };
    let query = Query { q: "phone".to_owned(), ..Query::default() };
    let body = Find {
        visitor: &visitor,
        words: MessagesWords::of(language),
        work: WorkWords::of(language),
        query: &query,
        accounts: &["main".to_owned(), "backup_1".to_owned()],
        found: &found,
        wrong: None,
        elsewhere: NavCounts::default(),
        may_act: true,
    };
    body.render().expect("a page")
}

fn now() -> Timestamp {
    "2026-11-20T11:07:31Z".parse().expect("a time")
}

#[test]
fn why_a_message_was_sent_in_english() {
    insta::assert_snapshot!(drawn_why(Language::English, "sent"));
}

#[test]
fn why_a_message_was_sent_in_russian() {
    insta::assert_snapshot!(drawn_why(Language::Russian, "sent"));
}

#[test]
fn a_doubtful_message_links_to_its_evidence() {
    insta::assert_snapshot!(drawn_why(Language::English, "in_doubt"));
}

#[test]
fn messages_that_were_found_in_english() {
    insta::assert_snapshot!(drawn_list(Language::English));
}

#[test]
fn messages_that_were_found_in_russian() {
    insta::assert_snapshot!(drawn_list(Language::Russian));
}

#[test]
fn a_message_held_back_by_a_restore_is_not_shown_as_unsent() {
    for (language, verdict) in
        [(Language::English, "may have been sent"), (Language::Russian, "возможно, отправлено")]
    {
        let mut held = message("failed");
        held.failure = serde_json::from_value(json!({ "code": "restored", "detail": "It waited." })).ok();
        let drawn = drawn_why_of(language, &held);
        assert!(drawn.contains(verdict), "{drawn}");
        assert!(!drawn.contains("Not sent.") && !drawn.contains("Не отправлено."), "{drawn}");
    }
}

#[test]
fn a_doubt_that_a_person_ended_says_so() {
    let why: Why = serde_json::from_value(json!({
        "origin": { "listener": "v1" }, "candidates": [],
        "timeline": [
            { "at": "2026-11-20T11:06:58.112Z", "step": "accepted" },
            { "at": "2026-11-20T11:07:01.345Z", "step": "attempted", "part": 0, "account": "main", "outcome": "unknown" },
            { "at": "2026-11-20T11:09:01.345Z", "step": "resolved" },
        ],
    }))
    .expect("a way");
    for language in [Language::English, Language::Russian] {
        let drawn = drawn(language, &message("sent"), &why);
        let words = MessagesWords::of(language);
        assert!(drawn.contains(words.decided) && drawn.contains(words.decided_detail), "{drawn}");
        assert!(!drawn.contains("from the request to") && !drawn.contains("От запроса до"), "{drawn}");
    }
}

#[test]
fn how_far_retrying_is() {
    let visitor = Visitor::made_up(Language::English, now());
    let failed =
        serde_json::from_value(json!({ "count": 7, "failed_until": "2026-11-20T11:07:31Z", "retry": {
            "state": "running", "total": 1200, "retried": 340, "refused": 2, "asked_by": "asked for by anna",
            "started_at": "2026-11-20T11:07:00Z", "finished_at": null,
        }}))
        .expect("a run");
    let query = Query::default();
    let body = retry_failed::Question {
        visitor: &visitor,
        words: MessagesWords::of(Language::English),
        work: WorkWords::of(Language::English),
        query: &query,
        failed: &failed,
        may_act: true,
    };
    insta::assert_snapshot!(body.render().expect("a page"));
}
