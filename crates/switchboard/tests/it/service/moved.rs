//! A service moves from one systemd to another: units, credentials and owners of files, there and back and there to stay.

use std::fs;

use serde_json::{Value, json};
use testkit::{ACCOUNTS, World};

use super::INSTALL;
use super::stage::{self, Stage};
use crate::binary;
use crate::shell::cli::cli_on;

/// The settings of a world, for a machine that has neither its ports nor its folders.
pub(super) fn settings_of(world: &World) -> String {
    let text = fs::read_to_string(world.settings_file()).expect("the settings");
    let (text, _) = text.split_once("[legacy]").expect("ports");
    format!("listen = \"127.0.0.1:0\"\n{text}")
}

impl Stage {
    /// The state of each account, as the command says.
    pub(super) fn accounts(&self) -> Vec<(String, String)> {
        let output =
            self.run(&["switchboard", "account", "list", "--json", "--data-dir", "/var/lib/switchboard"]);
        let listed: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let items = listed["items"].as_array().into_iter().flatten();
        items.map(|account| (word(&account["name"]), word(&account["state"]))).collect()
    }

    async fn serves(&mut self) {
        self.until("all accounts are ready", |stage| {
            let accounts = stage.accounts();
            accounts.len() == ACCOUNTS.len()
                && accounts.iter().all(|(_, state)| state == "ready")
                && stage.status()["state"] == "active"
        })
        .await;
        assert_eq!(self.status()["at_boot"], "enabled");
    }
}

struct Sides {
    world: World,
    old: Stage,
    new: Stage,
}

impl Sides {
    /// A command of the move, given on a third machine.
    async fn conduct(&self, words: &[&str]) -> Value {
        let (old, new) = (self.old.side(), self.new.side());
        let all = [&["move"], words, &["--from", &old, "--to", &new, "--yes", "--json"]].concat();
        let ran = cli_on(&self.world, "third", &all).beside().await;
        assert_eq!(ran.code, Some(0), "{}", ran.all());
        serde_json::from_str(&ran.out).expect("JSON")
    }

    async fn run(&self) -> Value {
        self.conduct(&["run", "--unit", "switchboard", "--watch", "0s", "--canary", "@client_3"]).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_moves_to_another_machine_and_back() {
    if !stage::can_be() {
        return;
    }
    let world = World::start(binary()).await;
    let mut old = Stage::start(&settings_of(&world)).await;
    old.fine(&INSTALL);
    old.serves().await;
    let new = Stage::start("").await;
    let mut sides = Sides { world, old, new };

    let moved = sides.run().await;
    let facts = |step: &str| moved["journal"]["records"][step]["facts"].clone();
    assert_eq!(facts("audit_old")["unit"], "switchboard.service");
    assert_eq!(
        (&facts("validate")["at_boot"], &facts("monitor")["memory_limit"]),
        (&json!("enabled"), &json!("512M"))
    );
    sides.new.serves().await;
    let unit = "/etc/systemd/system/switchboard.service";
    let verified = sides.new.says(&["systemd-analyze", "verify", unit]);
    assert!(!verified.contains("switchboard.service:"), "{verified}");
    let owned = sides.new.fine(&["find", "/var/lib/private/switchboard", "-uid", "0"]);
    assert_eq!(owned.trim(), "", "all is the service's own");
    // The old one is started by mistake.
    assert_eq!(sides.old.status()["state"], "inactive");
    assert!(!sides.old.run(&["systemctl", "start", "switchboard.service"]).status.success());
    let output = sides.old.fine(&["switchboard", "service", "logs", "--lines", "20"]);
    assert!(output.contains("has given its sessions up"), "{output}");
    // The new machine is restarted.
    sides.new.boot_again(true).await;
    sides.new.serves().await;

    sides.conduct(&["rollback"]).await;
    sides.old.serves().await;
    assert!(sides.new.says(&["switchboard", "service", "status"]).contains("there is no service"));

    sides.run().await;
    sides.new.serves().await;
    let finished = sides.conduct(&["finish"]).await;
    let wiped = &finished["journal"]["records"]["retire"]["facts"]["wiped"];
    assert!(wiped.to_string().contains("/etc/switchboard/master.key"), "{wiped}");
    assert!(!sides.old.given("master.key").exists());
    let record = sides.old.fine(&["cat", "/var/lib/switchboard/move/record.md"]);
    assert!(record.contains("| 10 | retirement of the old side |"), "{record}");
    sides.new.serves().await;
}
