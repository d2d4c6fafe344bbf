//! The machine is restarted: the service comes back by itself, with what it had.

use serde_json::json;
use testkit::Receiver;

use super::stage::{self, Stage};
use super::{INSTALL, free_address, settings};

#[tokio::test(flavor = "multi_thread")]
async fn after_a_boot_the_service_runs_with_all_that_it_had() {
    if !stage::can_be() {
        return;
    }
    let receiver = Receiver::start().await;
    let mut stage = Stage::start(&settings(free_address(), &receiver)).await;
    stage.fine(&INSTALL);
    let place = ["--data-dir", "/var/lib/switchboard"];
    let keys = |stage: &Stage| {
        let listed = stage.fine(&[&["switchboard", "key", "list", "--json"], &place[..]].concat());
        serde_json::from_str::<serde_json::Value>(&listed).expect("JSON")
    };
    stage.fine(&[&["switchboard", "key", "create", "n8n", "--scope", "send"], &place[..]].concat());
    let before = keys(&stage);
    assert!(before.to_string().contains("n8n"), "{before}");

    for in_order in [true, false] {
        stage.boot_again(in_order).await;
        let mut status = json!(null);
        stage
            .until("the service runs", |stage| {
                status = stage.status();
                status["state"] == "active"
            })
            .await;
        assert_eq!((&status["restarts"], &status["at_boot"]), (&json!(0), &json!("enabled")), "{status}");
        let restarts = stage.fine(&["systemctl", "show", "-p", "NRestarts", "switchboard.service"]);
        assert_eq!(restarts.trim(), "NRestarts=0");
        assert_eq!(keys(&stage), before, "in order: {in_order}");
        let data = stage.fine(&["ls", "-A", "/var/lib/private/switchboard"]);
        assert!(!data.contains("master.key"), "{data}");
    }
    assert_eq!(receiver.bodies(), Vec::<serde_json::Value>::new(), "no one is woken for a boot");
}
