//! Units that would not do what is wanted: real files where the service manager has them, in a namespace of the test's own.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use testkit::World;

use super::old_installation::script;
use super::{MACHINE, closed_world, findings, section};
use crate::binary;

/// The doctor's report where these are the units of the machine and there are no others.
fn where_units_are(world: &World, folder: &Path) -> Value {
    let path = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    // The service manager's own folders are there with it, and what is not there has no units.
    let commands = "set -e; made=$1; shift; for units in /run/systemd/system /usr/lib/systemd/system /etc/systemd/system; do \
                    if [ -d $units ]; then mount -t tmpfs tmpfs $units; fi; done; \
                    cp -a \"$made/.\" /etc/systemd/system; exec \"$@\"";
    let doctor = ["doctor", "--offline", "--json", "--config"].map(str::to_owned);
    let root = fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let namespaces: &[&str] = if root { &["--mount"] } else { &["--mount", "--user", "--map-root-user"] };
    let ran = Command::new("unshare")
        .args(namespaces)
        .args(["sh", "-c", commands, "sh", &path(folder), &path(binary())])
        .args(doctor)
        .args([path(&world.settings_file()), "--data-dir".to_owned(), path(&world.data_dir("data"))])
        .stdin(Stdio::null())
        .output()
        .expect("unshare runs");
    serde_json::from_slice(&ran.stdout).unwrap_or_else(|_| {
        panic!(
            "this test puts units where those of the machine are, in a namespace of its own, which needs /etc/systemd/system, and root \
             or namespaces of users: {}",
            String::from_utf8_lossy(&ran.stderr)
        )
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_units_are_reported_and_a_right_one_is_not() {
    let _machine = MACHINE.write().await;
    let world = closed_world().await;
    let folder = world.data_dir("units");
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("written");
    fs::create_dir_all(folder.join("multi-user.target.wants")).expect("made");
    let old = world.data_dir("old-text.py");
    let port = format!("PORT = {}", world.legacy_port(5022));
    fs::write(&old, script("send_text", "main_text", "main", &port)).expect("written");
    let up = "ExecStart=/usr/local/bin/switchboard up";
    write("hand-made.service", &format!("[Service]\n{up}\n"));
    write("right.service", &format!("[Service]\n{up}\nUser=switchboard\nRestart=always\n"));
    // What is written beside a unit counts more.
    write("mended.service", &format!("[Service]\n{up}\n"));
    fs::create_dir(folder.join("mended.service.d")).expect("made");
    write("mended.service.d/own.conf", "[Service]\nDynamicUser=yes\nRestart=on-failure\n");
    write(
        "old-text.service",
        &format!("[Service]\nExecStart=/usr/bin/python3 {}\nRestart=always\n", old.display()),
    );
    symlink("../old-text.service", folder.join("multi-user.target.wants/old-text.service")).expect("linked");
    write("shop.service", "[Service]\nExecStart=/usr/bin/python3 /srv/shop.py\n");

    let report = where_units_are(&world, &folder);
    let units = section(&report, "units");
    let reported: Vec<(&str, &str, &str)> = units["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .map(|one| {
            let field = |name: &str| one[name].as_str().expect("a word");
            (field("subject"), field("code"), field("severity"))
        })
        .collect();
    assert_eq!(
        reported,
        [
            ("hand-made.service", "unit_not_restarted", "warning"),
            ("hand-made.service", "unit_as_root", "warning"),
            ("old-text.service", "old_unit_enabled", "warning"),
            ("old-text.service", "unit_without_folder", "note"),
        ],
        "{units:#}"
    );
    let named = |name: &str| {
        let mut facts = units["facts"].as_array().expect("facts").iter();
        let fact = facts.find(|fact| fact["name"] == name);
        fact.and_then(|fact| fact["value"].as_str()).unwrap_or_default().to_owned()
    };
    assert_eq!(named("right.service"), "ours, not started at boot, restart: always, user: switchboard");
    assert_eq!(named("mended.service"), "ours, not started at boot, restart: on-failure, user: its own");
    assert_eq!(named("shop.service"), "", "it belongs to another");
    let fix = |code: &str| {
        findings(&report).into_iter().find(|one| one["code"] == code).map(|one| one["fix"].clone())
    };
    assert_eq!(
        fix("old_unit_enabled").expect("there")["command"],
        json!("systemctl disable --now old-text.service")
    );
    let again = fix("unit_as_root").expect("there")["command"].to_string();
    assert!(again.contains("sudo switchboard service install --name hand-made"), "{again}");
}
