//! An old installation that is services of systemd is taken over, and gets its sessions back.

use std::fs;

use serde_json::{Value, json};

use super::INSTALL;
use super::moved::settings_of;
use super::stage::{self, Stage};
use crate::importing::stage as old;

const UNIT: &str = "old-gateway.service";
const DATA: &str = "/var/lib/switchboard";

/// What stands for the old program: it has a session open as long as it runs.
const PROGRAM: &str = "[Unit]\nDescription=old\n[Service]\nExecStart=/bin/sh -c 'exec 3< /etc/switchboard/old/spare.session; \
    exec sleep 86400'\n[Install]\nWantedBy=multi-user.target\n";

impl Stage {
    /// How the old service is: whether it runs, and whether it does at boot.
    fn old_service(&self) -> (String, String) {
        let state = |what: &str| self.says(&["systemctl", what, UNIT]).trim().to_owned();
        (state("is-active"), state("is-enabled"))
    }

    /// A chat that the old programs do not know.
    async fn makes_a_chat(&self) {
        let client = reqwest::Client::builder().unix_socket(self.control()).build().expect("a client");
        let order = json!({ "title": "Made meanwhile", "account": old::MOVING });
        let request = client.post("http://localhost/v1/chats").header("content-type", "application/json");
        let made = request.body(order.to_string()).send().await.expect("an answer");
        assert_eq!(made.status(), 201, "{:?}", made.text().await);
    }

    fn state_of(&self, account: &str) -> Option<String> {
        self.accounts().into_iter().find(|(name, _)| name == account).map(|(_, state)| state)
    }

    fn take_over(&self) -> std::process::Output {
        self.take_over_with(&["--plan", "/etc/switchboard/old/plan.toml"])
    }

    fn take_over_with(&self, more: &[&str]) -> std::process::Output {
        let settings = "/etc/switchboard/switchboard.toml";
        let words = [&["move", "take-over", "--unit", UNIT, "--yes", "--json"], more].concat();
        let place = ["--data-dir", DATA, "--config", settings];
        self.run(
            &[&["env", "HASH=0123456789abcdef0123456789abcdef", "switchboard"], &words[..], &place].concat(),
        )
    }
}

/// Ours runs without the account; the old program has its session.
async fn begin() -> (testkit::World, Stage) {
    let world = old::world().await;
    let mut stage = Stage::start(&settings_of(&world)).await;
    let folder = stage.given("old");
    fs::create_dir(&folder).expect("a folder");
    old::file(&world, &folder.join("spare.session"), &[]).await;
    let plan = format!(
        "[[session]]\nfile = \"spare.session\"\naccount = \"{0}\"\n\n[[account]]\nname = \"{0}\"\napi_id = 1000001\n\
         api_hash = {{ env = \"HASH\" }}\n",
        old::MOVING
    );
    fs::write(folder.join("plan.toml"), plan).expect("written");
    // The user of our service reads it.
    stage.fine(&["chmod", "-R", "a+rX", "/etc/switchboard/old"]);
    fs::write(stage.given(UNIT), PROGRAM).expect("written");
    stage.fine(&["cp", &format!("/etc/switchboard/{UNIT}"), "/etc/systemd/system/"]);
    stage.fine(&["systemctl", "daemon-reload"]);
    stage.fine(&["systemctl", "enable", "--now", UNIT]);
    stage.fine(&INSTALL);
    stage.until("ours works", |stage| stage.state_of("main").is_some_and(|state| state == "ready")).await;
    assert_eq!(stage.state_of(old::MOVING), None);
    (world, stage)
}

#[tokio::test(flavor = "multi_thread")]
async fn old_services_are_taken_over_and_get_all_back() {
    if !stage::can_be() {
        return;
    }
    let (world, mut stage) = begin().await;
    let taken = stage.take_over();
    let output =
        String::from_utf8_lossy(&taken.stdout).into_owned() + &String::from_utf8_lossy(&taken.stderr);
    assert!(taken.status.success(), "{output}");
    assert_eq!(stage.old_service(), ("inactive".to_owned(), "disabled".to_owned()));
    assert_eq!(stage.state_of(old::MOVING).as_deref(), Some("ready"));
    world.assert_nothing_unknown().await;
    stage.makes_a_chat().await;

    stage.fine(&["switchboard", "move", "hand-back", "--yes", "--data-dir", DATA]);
    assert_eq!(stage.old_service(), ("active".to_owned(), "enabled".to_owned()));
    let made: Value =
        serde_json::from_str(&stage.fine(&["cat", &format!("{DATA}/move/chats-made-meanwhile.json")]))
            .expect("JSON");
    assert_eq!(made[0]["title"], json!("Made meanwhile"), "{made}");
    let closed = stage.state_of(old::MOVING).expect("it is known");
    assert!(closed != "ready" && closed != "connecting", "{closed}");

    // And once more, to stay.
    let again = stage.take_over();
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    stage.until("it works", |stage| stage.state_of(old::MOVING).is_some_and(|state| state == "ready")).await;
    assert_eq!(stage.old_service(), ("inactive".to_owned(), "disabled".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_refused_goes_back_to_the_old_services() {
    if !stage::can_be() {
        return;
    }
    let (world, stage) = begin().await;
    world.fault("session_revoked", json!({ "account": old::MOVING })).await;
    let taken = stage.take_over();
    assert_eq!(taken.status.code(), Some(1));
    let output = String::from_utf8_lossy(&taken.stderr).into_owned();
    assert!(output.contains("it was undone, and the old services run again"), "{output}");
    assert_eq!(stage.old_service(), ("active".to_owned(), "enabled".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_something_else_has_open_is_not_taken() {
    if !stage::can_be() {
        return;
    }
    let (_world, stage) = begin().await;
    stage.fine(&["sh", "-c", "sleep 86400 < /etc/switchboard/old/spare.session > /dev/null 2>&1 &"]);
    let taken = stage.take_over();
    let output = String::from_utf8_lossy(&taken.stderr).into_owned();
    assert!(taken.status.code() == Some(1) && output.contains("is open in process"), "{output}");
    assert_eq!(stage.old_service(), ("active".to_owned(), "enabled".to_owned()));
    assert_eq!(stage.state_of(old::MOVING), None, "nothing was opened here");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_machine_is_taken_over_by_ssh() {
    if !stage::can_be() {
        return;
    }
    let (world, mut stage) = begin().await;
    // The other machine is this one, where only root sees the files.
    stage.fine(&[
        "sh",
        "-c",
        "umask 077 && mkdir /srv/old && mv /etc/switchboard/old/spare.session /srv/old/",
    ]);
    stage.fine(&["ln", "-s", "/srv/old/spare.session", "/etc/switchboard/old/spare.session"]);
    stage.fine(&["systemctl", "restart", UNIT]);
    let ssh = "printf '#!/bin/sh\\necho \"$*\" >> /srv/asked\\nwhile [ \"$1\" != -- ]; do shift; done; shift; exec sh -c \"$*\"\\n' \
               > /usr/local/bin/ssh && chmod 755 /usr/local/bin/ssh";
    stage.fine(&["sh", "-c", ssh]);
    let registry = stage.given("old").join("registry.db");
    old::registry(&registry, "-1007777777777", "-1008888888888");
    stage.fine(&["mv", "/etc/switchboard/old/registry.db", "/srv/old/"]);
    stage.fine(&["chmod", "600", "/srv/old/registry.db"]);
    let plan = fs::read_to_string(stage.given("old").join("plan.toml")).expect("the plan");
    let plan =
        plan.replace("\"spare.session\"", "\"/srv/old/spare.session\"") + "\n[names]\nspare = \"backup_1\"\n";
    fs::write(stage.given("old").join("plan.toml"), plan).expect("written");

    let words = [
        "/srv/old/registry.db",
        "--from",
        "ssh://root@old.example.com",
        "--plan",
        "/etc/switchboard/old/plan.toml",
    ];
    let taken = stage.take_over_with(&words);
    let output =
        String::from_utf8_lossy(&taken.stdout).into_owned() + &String::from_utf8_lossy(&taken.stderr);
    assert!(taken.status.success(), "{output}");
    assert!(
        stage
            .fine(&["cat", "/srv/asked"])
            .contains("root@old.example.com -- systemctl stop -- old-gateway.service")
    );
    assert_eq!(stage.old_service(), ("inactive".to_owned(), "disabled".to_owned()));
    assert_eq!(stage.state_of(old::MOVING).as_deref(), Some("ready"));
    assert!(
        !stage.run(&["test", "-e", &format!("{DATA}/move/fetched")]).status.success(),
        "copies of secrets are removed"
    );
    world.assert_nothing_unknown().await;

    stage.makes_a_chat().await;
    stage.fine(&["switchboard", "move", "hand-back", "--yes", "--data-dir", DATA]);
    assert_eq!(stage.old_service(), ("active".to_owned(), "enabled".to_owned()));
    stage.fine(&["cp", "/srv/old/registry.db", "/etc/switchboard/handed-back.db"]);
    stage.fine(&["test", "-f", "/srv/old/registry.before-hand-back"]);
    let handed =
        session_files::legacy_registry(&stage.given("handed-back.db")).expect("a registry").assignments;
    let made =
        handed.iter().find(|one| one.title.as_deref() == Some("Made meanwhile")).expect("it was added");
    assert_eq!(made.account_name.as_deref(), Some("spare"), "as the old programs call the account");
    stage.until("the old program runs", |stage| stage.old_service().0 == "active").await;
}
