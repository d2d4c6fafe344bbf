//! Who may call: this machine, the networks of `allow_from`, or anyone who has a key. Nothing else is looked at before.

use serde_json::{Value, json};

use super::caller::{Call, Reply};
use super::stage::{CREATE, LEAVE, MEDIA, Setup, Stage, TEXT};
use crate::shell::cli::cli;

const INSIDE: &str = "10.1.2.3";
const OUTSIDE: &str = "192.0.2.7";

/// Ports with each kind of rule; this machine stands for a proxy, so that callers come from anywhere.
fn setup() -> Setup {
    Setup {
        top: "trusted_proxies = [\"127.0.0.0/8\"]".to_owned(),
        ports: vec![
            (CREATE, "service = \"create_chat\""),
            (TEXT, "service = \"send_text\", allow_from = [\"10.0.0.0/8\"]"),
            (LEAVE, "service = \"leave_chat\", key_required = true"),
            (MEDIA, "service = \"send_media\", allow_from = [\"10.0.0.0/8\"], key_required = true"),
        ],
        ..Setup::default()
    }
}

async fn from(call: Call, address: Option<&str>, key: Option<&str>) -> Reply {
    let call = match address {
        Some(address) => call.header("X-Forwarded-For", address),
        None => call,
    };
    let call = match key {
        Some(key) => call.header("X-API-Key", key),
        None => call,
    };
    call.send().await
}

fn key(stage: &Stage, name: &str, scope: &str) -> String {
    let key = cli(&stage.world, &["key", "create", name, "--scope", scope]).fine();
    key.trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn networks_and_keys_decide() {
    let stage = Stage::with(Setup { until_ready: false, ..setup() }).await;
    let sender = key(&stage, "sender", "send");
    let reader = key(&stage, "reader", "read");
    let (sender, reader) = (Some(sender.as_str()), Some(reader.as_str()));
    // An empty body is 400 for a caller that is let in.
    for (old, path, address, key, status) in [
        (CREATE, "/create_chat", None, None, 400),
        (CREATE, "/create_chat", Some(INSIDE), None, 401),
        (CREATE, "/create_chat", Some(OUTSIDE), None, 401),
        (CREATE, "/create_chat", Some(OUTSIDE), sender, 400),
        (CREATE, "/create_chat", Some(OUTSIDE), reader, 403),
        (TEXT, "/send_text", Some(INSIDE), None, 400),
        (TEXT, "/send_text", Some(OUTSIDE), None, 403),
        (TEXT, "/send_text", None, None, 403),
        (LEAVE, "/leave_chat", None, None, 401),
        (LEAVE, "/leave_chat", None, Some("swb_not_a_key_of_anybody"), 401),
        (LEAVE, "/leave_chat", None, reader, 403),
        (LEAVE, "/leave_chat", None, sender, 400),
        (LEAVE, "/leave_chat", Some(OUTSIDE), sender, 400),
        (MEDIA, "/send_media", Some(INSIDE), None, 401),
        (MEDIA, "/send_media", Some(INSIDE), sender, 400),
        (MEDIA, "/send_media", Some(OUTSIDE), sender, 403),
    ] {
        let reply = from(stage.call(old, path, &json!({})), address, key).await;
        assert_eq!(reply.status, status, "{old} from {address:?} with {key:?}: {}", reply.text);
        let error = reply.json()["error"].clone();
        assert!(matches!(&error, Value::String(text) if !text.is_empty()), "{}", reply.text);
    }
    assert!(stage.world.ledger().await.is_empty());
}
