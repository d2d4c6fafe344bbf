//! Settings that are wrong: it ends with 2 and is left alone. Then as a user of the machine, with data elsewhere.

use serde_json::json;
use testkit::Receiver;

use super::stage::{self, Stage};
use super::{INSTALL, QUICK, free_address, settings};

/// A user that every machine has.
const USER: &str = "daemon";

#[tokio::test(flavor = "multi_thread")]
async fn invalid_settings_are_not_retried_by_systemd() {
    if !stage::can_be() {
        return;
    }
    let (receiver, main) = (Receiver::start().await, free_address());
    let right = settings(main, &receiver);
    let mut stage = Stage::start(&right).await;
    stage.fine(&INSTALL);
    // Were it started again, that would be at once.
    stage.fine(&["sh", "-c", QUICK]);
    stage.fine(&["systemctl", "daemon-reload"]);
    stage.settings(&format!("lisen = 1\n{right}"));
    let restarted = stage.run(&["systemctl", "restart", "switchboard.service"]);
    assert!(!restarted.status.success());
    let shown = stage.fine(&[
        "systemctl",
        "show",
        "-p",
        "ActiveState,SubState,Result,ExecMainStatus,NRestarts",
        "switchboard.service",
    ]);
    let mut shown: Vec<&str> = shown.lines().collect();
    shown.sort_unstable();
    assert_eq!(
        shown,
        // A unit that waits to be started again is `activating` and `auto-restart`.
        ["ActiveState=failed", "ExecMainStatus=2", "NRestarts=0", "Result=exit-code", "SubState=failed"]
    );
    let lines = stage.fine(&["switchboard", "service", "logs", "--lines", "50"]);
    assert!(lines.contains("lisen"), "{lines}");
    // The alert target is in those settings, and is notified all the same.
    let alert = "switchboard-alert@switchboard.service.service";
    stage
        .until("the alert is sent", |stage| {
            let output = stage.says(&["journalctl", "--no-pager", "-u", alert]);
            output.contains("the settings are wrong") && !receiver.bodies().is_empty()
        })
        .await;
    assert_eq!(receiver.bodies()[0]["type"], "program.dead");

    // Right again, and installed again, it runs.
    stage.settings(&right);
    let output = stage.fine(&INSTALL);
    assert!(output.contains("runs, and is started at boot"), "{output}");
    stage.fine(&["switchboard", "service", "uninstall"]);

    let data = "/srv/switchboard";
    stage.fine(&["install", "-d", "-o", USER, "-m", "700", data]);
    let named = ["--name", "named"];
    let output = stage.fine(&[&INSTALL[..], &named, &["--user", USER, "--data-dir", data]].concat());
    assert!(output.contains("named.service runs, and is started at boot"), "{output}");
    let pid = stage.fine(&["systemctl", "show", "--value", "-p", "MainPID", "named.service"]);
    let owners = stage.fine(&[
        "stat",
        "-c",
        "%U %a",
        &format!("/proc/{}", pid.trim()),
        &format!("{data}/switchboard.db"),
    ]);
    assert_eq!(owners, format!("{USER} 555\n{USER} 600\n"));
    stage.fine(&["test", "!", "-e", &format!("{data}/master.key")]);
    // It may write its data and nothing beside them.
    let elsewhere = format!("/proc/{}/root/srv/beside", pid.trim());
    assert!(!stage.run(&["touch", &elsewhere]).status.success());
    let doctor = stage.says(&["switchboard", "doctor", "--offline", "--json", "--data-dir", data]);
    assert!(doctor.contains(&format!("ours, started at boot, restart: always, user: {USER}")), "{doctor}");
    let status = stage.fine(&[&["switchboard", "service", "status", "--json"], &named[..]].concat());
    let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
    assert_eq!((&status["state"], &status["restarts"]), (&json!("active"), &json!(0)), "{status}");
}
