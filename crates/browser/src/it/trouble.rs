//! Pages that do not come, or come otherwise.

use browser::Failure;
use serde_json::json;

use super::stage::{Stage, deliver, generous, named, quick_pages};

#[tokio::test]
async fn a_white_page_is_climbed_out_of_or_given_up() {
    let stage = Stage::set().await;
    let lease = stage.lease().await;
    let web_k = stage.logged_in(&lease, "main").await;
    let quick = stage.web_k(&lease, quick_pages()).await;

    stage.fault(json!({ "fault": "blank", "times": 2 }));
    quick.start_over().await.unwrap();
    stage.fault(json!({ "fault": "slow", "seconds": 0.5, "times": 1 }));
    web_k.start_over().await.unwrap();
    stage.once("deactivated");
    web_k.start_over().await.unwrap();

    stage.once("locked");
    assert!(matches!(web_k.start_over().await, Err(Failure::Locked)));
    stage.fault(json!({ "fault": "deactivated" }));
    assert!(matches!(web_k.start_over().await, Err(Failure::Deactivated)));
    stage.sandbox.telegram.clear_faults();
    stage.fault(json!({ "fault": "blank" }));
    assert!(matches!(quick.start_over().await, Err(Failure::White)));
    // The login has stayed.
    stage.sandbox.telegram.clear_faults();
    web_k.start_over().await.unwrap();
    assert!(stage.texts().is_empty());
    lease.close().await.unwrap();
}

#[tokio::test]
async fn a_changed_page_is_named_and_nothing_is_sent() {
    let stage = Stage::set().await;
    let lease = stage.lease().await;
    let web_k = stage.logged_in(&lease, "main").await;
    let quick = stage.web_k(&lease, quick_pages()).await;
    for (class, missing) in [
        ("btn-send", "chat_send"),
        ("input-search-input", "search_input"),
        ("input-message-input", "chat_field"),
        ("main-columns", "main_columns"),
    ] {
        stage.fault(json!({ "fault": "renamed", "message": class }));
        let found = quick.start_over().await;
        assert!(matches!(&found, Err(Failure::Changed(names)) if names == &[missing]), "{class}: {found:?}");
        let outcome = deliver(&quick, &named("client_7", "x")).await;
        assert!(matches!(outcome, browser::Outcome::Failed(_)), "{class}: {outcome:?}");
        stage.sandbox.telegram.clear_faults();
    }
    web_k.start_over().await.unwrap();
    assert!(stage.texts().is_empty());
    lease.close().await.unwrap();
}

#[tokio::test]
async fn a_picture_shows_no_code_that_lets_someone_in() {
    let stage = Stage::set().await;
    let lease = stage.lease().await;
    let web_k = stage.web_k(&lease, generous()).await;
    let mut pictures = Vec::new();
    for _ in 0..2 {
        assert!(matches!(web_k.start_over().await, Err(Failure::LoggedOut(_))));
        while web_k.facts().await.unwrap().card != Some(browser::Card::Code) {}
        pictures.push(web_k.picture().await.unwrap());
    }
    let codes = stage.sandbox.telegram.codes_of_web_k();
    assert!(codes.len() > 1 && codes[0] != codes[1]);
    assert!(pictures[0].starts_with(b"\x89PNG"));
    // The codes differ, and nothing else does.
    assert_eq!(pictures[0], pictures[1]);
    lease.close().await.unwrap();
}
