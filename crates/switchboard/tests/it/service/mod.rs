//! The program as a service of a systemd that really runs: installed, started, killed, hung, given up, reported, taken away.

mod boot;
mod moved;
mod refused;
mod stage;
mod taken_over;

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::Receiver;

use self::stage::Stage;

const INSTALL: [&str; 7] = [
    "switchboard",
    "service",
    "install",
    "--config",
    "/etc/switchboard/switchboard.toml",
    "--master-key",
    "/etc/switchboard/master.key",
];

/// What an owner may write beside the unit: the same in seconds instead of minutes, so that the tests do not wait.
const QUICK: &str = "mkdir -p /etc/systemd/system/switchboard.service.d && printf \
    '[Unit]\\nStartLimitBurst=5\\n[Service]\\nRestartSec=100ms\\nWatchdogSec=2\\n' \
    > /etc/systemd/system/switchboard.service.d/quick.conf";

impl Stage {
    /// How the service is, as the command says.
    fn status(&self) -> Value {
        let output = self.run(&["switchboard", "service", "status", "--json"]).stdout;
        serde_json::from_slice(&output).unwrap_or(Value::Null)
    }

    /// Waits until it runs as another process than this one; returns its status.
    async fn runs_again(&mut self, before: &Value) -> Value {
        let mut found = Value::Null;
        self.until("it runs again", |stage| {
            found = stage.status();
            found["state"] == "active" && found["pid"] != before["pid"]
        })
        .await;
        found
    }

    fn signal(&self, signal: &str) {
        self.fine(&["systemctl", "kill", "--kill-whom=main", signal, "switchboard.service"]);
    }
}

/// Settings with one address to listen on, and an alert target.
fn settings(listen: SocketAddr, receiver: &Receiver) -> String {
    let url = receiver.address();
    format!(
        "listen = \"{listen}\"\n[[alerts.targets]]\nname = \"hook\"\nkind = \"webhook\"\nurl = \"{url}\"\n"
    )
}

fn free_address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], testkit::free_port()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_lives_under_a_systemd_that_runs() {
    if !stage::can_be() {
        return;
    }
    let (receiver, main) = (Receiver::start().await, free_address());
    let mut stage = Stage::start(&settings(main, &receiver)).await;

    let output = stage.fine(&INSTALL);
    assert!(output.contains("switchboard.service runs, and is started at boot."), "{output}");
    let first = stage.status();
    assert_eq!(
        (&first["state"], &first["at_boot"], &first["restarts"]),
        (&json!("active"), &json!("enabled"), &json!(0))
    );
    assert!(first["says"].as_str().is_some_and(|says| says.starts_with("No account yet")), "{first}");
    // As a user that there is only now, with all that it may not do, it answers.
    let limit = Duration::from_secs(10);
    let http = reqwest::Client::builder().connect_timeout(limit).timeout(limit).build().expect("a client");
    let answer = http.get(format!("http://{main}/health/ready")).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let folder = stage.fine(&["stat", "-L", "-c", "%a %U", "/var/lib/switchboard"]);
    assert!(folder.starts_with("700 ") && !folder.contains("root"), "{folder}");
    limits(&stage);
    // The key is given to it for as long as it runs, and is not stored beside the data.
    let pid = first["pid"].to_string();
    let given =
        stage.fine(&["cat", &format!("/proc/{pid}/root/run/credentials/switchboard.service/master.key")]);
    assert_eq!(given, stage.fine(&["cat", "/etc/switchboard/master.key"]));
    let data = stage.fine(&["ls", "-A", "/var/lib/private/switchboard"]);
    assert!(data.contains("switchboard.db") && !data.contains("master.key"), "{data}");

    // Once more changes nothing.
    let output = stage.fine(&INSTALL);
    assert!(output.contains("nothing was changed"), "{output}");
    assert_eq!(stage.status()["pid"], first["pid"]);
    let doctor =
        stage.says(&["switchboard", "doctor", "--offline", "--json", "--data-dir", "/var/lib/switchboard"]);
    assert!(doctor.contains("ours, started at boot, restart: always, user: its own"), "{doctor}");

    // Killed.
    stage.fine(&["sh", "-c", QUICK]);
    stage.fine(&["systemctl", "daemon-reload"]);
    stage.signal("--signal=KILL");
    let second = stage.runs_again(&first).await;
    assert_eq!(second["restarts"], 1, "{second}");
    // It stands still: the watchdog ends it.
    stage.signal("--signal=STOP");
    let third = stage.runs_again(&second).await;
    assert_eq!(third["restarts"], 2, "{third}");
    let lines = stage.fine(&["switchboard", "service", "logs", "--lines", "200"]);
    assert!(lines.contains("Watchdog timeout") && lines.contains("listening"), "{lines}");
    assert_eq!(receiver.bodies(), Vec::<Value>::new(), "no one is woken for what mends itself");

    // Killed again and again: it is given up, and that is reported without it.
    let mut killed = 0;
    stage
        .until("it is given up", |stage| {
            let now = stage.status()["state"].clone();
            if now == "active" {
                killed += 1;
                assert!(killed < 10, "it is never given up");
                stage.signal("--signal=KILL");
            }
            now == "failed"
        })
        .await;
    stage.until("its end is reported", |_| !receiver.bodies().is_empty()).await;
    let notice = receiver.bodies().remove(0);
    assert_eq!(
        (&notice["type"], &notice["data"]["unit"]),
        (&json!("program.dead"), &json!("switchboard.service"))
    );
    let text = notice["data"]["text"].as_str().expect("a text");
    assert!(
        text.contains("Start request repeated too quickly"),
        "with the last lines of the journal: {text}"
    );
    assert_eq!(stage.run(&["switchboard", "service", "status"]).status.code(), Some(1));
    in_a_loop(&stage);

    // Installing it once more is the way back.
    let output = stage.fine(&INSTALL);
    assert!(output.contains("runs, and is started at boot"), "{output}");
    assert_eq!(stage.status()["state"], "active");

    let output = stage.fine(&["switchboard", "service", "uninstall"]);
    assert!(output.contains("does not run any more"), "{output}");
    assert!(stage.says(&["switchboard", "service", "status"]).contains("there is no service"));
    assert!(http.get(format!("http://{main}/health/live")).send().await.is_err());
    stage.fine(&["test", "-f", "/var/lib/private/switchboard/switchboard.db"]);
    let output = stage.fine(&["switchboard", "service", "uninstall"]);
    assert!(output.contains("nothing was changed"), "{output}");
}

/// What the service manager has read of the unit, and the kernel too where it gives out memory by groups here.
fn limits(stage: &Stage) {
    let most = (512_u64 << 20).to_string();
    let property = |name: &str| {
        let shown = stage.fine(&["systemctl", "show", "--value", "-p", name, "switchboard.service"]);
        shown.trim().to_owned()
    };
    assert_eq!(property("MemoryMax"), most);
    assert_eq!(property("UnitFileState"), "enabled");
    let group = format!("/sys/fs/cgroup{}/memory.max", property("ControlGroup"));
    if stage.run(&["test", "-e", &group]).status.success() {
        assert_eq!(stage.fine(&["cat", &group]).trim(), most);
    } else {
        testkit::not_tried(
            "that the kernel has the limit of memory: here groups of the second version do not count memory. The service \
             manager has read it.",
        );
    }
}

/// The doctor reads the journal that there is, and finds what went on.
fn in_a_loop(stage: &Stage) {
    let arguments = ["switchboard", "doctor", "--offline", "--json", "--data-dir", "/var/lib/switchboard"];
    let report: Value = serde_json::from_slice(&stage.run(&arguments).stdout).expect("JSON");
    let sections = report["sections"].as_array().expect("sections").iter();
    let all = sections.flat_map(|section| section["findings"].as_array().expect("findings"));
    let found: Vec<&Value> = all.filter(|finding| finding["code"] == "crash_loop").collect();
    let [found] = found[..] else { panic!("{report:#}") };
    assert_eq!(
        (&found["severity"], &found["subject"], &found["fix"]["command"]),
        (&json!("error"), &json!("switchboard.service"), &json!("journalctl -u switchboard.service -n 50"))
    );
    let restarts = stage.status()["restarts"].as_u64().expect("a count");
    let counted = format!("the journal counts {restarts} restarts, ");
    assert!(
        restarts >= 5 && found["evidence"][0].as_str().is_some_and(|line| line.starts_with(&counted)),
        "{restarts}: {found:#}"
    );
}
