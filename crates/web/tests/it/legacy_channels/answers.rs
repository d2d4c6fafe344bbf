//! What a provider reads from the answers to its posts: which make it post again, and which would make it switch the address off.

use serde_json::json;

use super::Ports;
use crate::client::Call;

/// What a post is, and the answer to it.
type Row = (&'static str, u16);

/// Of each channel: the answers to a post that is forged, for another account, no JSON, of a kind that says nothing, and of a customer;
/// and the body of an answer that counts.
///
/// Avito, Wappi, VK and MAX post again and then switch the address off for all posts, after hours or a few tries; Meta switches the
/// subscription off for every account of the app. Each takes a 200 for received; VK wants `ok` in it. A visitor of a page reads what is
/// wrong with a form.
const TABLE: [(&str, [Row; 5], &str); 6] = [
    ("avito", ANSWERED, ""),
    ("whatsapp", ANSWERED, ""),
    ("vk", ANSWERED, "ok"),
    ("max", ANSWERED, ""),
    ("instagram", ANSWERED, ""),
    ("form", [(FORGED, 401), (OTHER, 403), ("no JSON", 400), (NOTE, 200), (TEXT, 200)], ""),
];
const ANSWERED: [Row; 5] = [(FORGED, 401), (OTHER, 200), ("no JSON", 200), (NOTE, 200), (TEXT, 200)];
const FORGED: &str = r#"{"kind":"forged"}"#;
const OTHER: &str = r#"{"kind":"other"}"#;
const NOTE: &str = r#"{"kind":"note"}"#;
const TEXT: &str = r#"{"id":"m-1","chat":"c-1","text":"Hello"}"#;

#[tokio::test]
async fn no_answer_makes_a_provider_switch_off_the_address() {
    let ports = Ports::new().await;
    for (channel, rows, received) in TABLE {
        for (post, status) in rows {
            let path = format!("/hooks/{channel}/{channel}_1/made-up");
            let answer = Call::new(&ports.world.main(), "POST", &path).json(post).send().await;
            assert_eq!(answer.status, status, "{channel} {post}: {}", answer.body);
            if [OTHER, "no JSON"].contains(&post) && status == 200 {
                assert_eq!(answer.body, received, "{channel} {post}");
            }
        }
        let path = format!("/v1/channels/{channel}_1");
        let errors = ports.world.call("GET", &path).send().await.json()["errors"].clone();
        let unread = errors["unread"].as_array().cloned().unwrap_or_default();
        let lost = unread.iter().filter(|one| one["is_lost"] == true && one["count"] == 1).count();
        assert_eq!(lost, if channel == "form" { 0 } else { 2 }, "{channel}: {errors}");
        assert_eq!(errors["last_hour"], json!(lost), "{channel}: {errors}");
    }
}
