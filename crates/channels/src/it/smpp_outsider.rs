//! A message centre that no one here wrote, npm's `smpp`, takes our messages and delivers to us.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use config::ChannelKind;
use domain::outcome::HoldScope;
use domain::{InboundChange, InboundEvent, InboundReceipt, Outcome};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::it::support::{lone, messages, text};

/// Names the folder of npm's package `smpp`.
const PACKAGE: &str = "SWITCHBOARD_TEST_SMPP";
const TIMEOUT: Duration = Duration::from_secs(20);

struct Centre {
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Centre {
    /// With a key and a certificate it is reached over TLS.
    fn start(tls: &[PathBuf]) -> Self {
        let package = std::env::var_os(PACKAGE).unwrap_or_else(|| {
            panic!("{PACKAGE} names no package: run `cargo xtask test`, which installs it and sets that")
        });
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outsiders/smpp_server.cjs");
        let mut command = Command::new("node");
        let mut child = command
            .arg(script)
            .arg(package)
            .args(tls)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { _child: child, lines }
    }

    async fn next(&mut self) -> Value {
        let line = tokio::time::timeout(TIMEOUT, self.lines.next_line()).await.expect("a line in time");
        serde_json::from_str(&line.unwrap().expect("a line")).unwrap()
    }
}

#[tokio::test]
async fn npms_centre_and_we_understand_each_other() {
    let mut centre = Centre::start(&[]);
    let port = centre.next().await["port"].as_u64().unwrap();
    let keys = |password: &str| {
        format!(
            "gateway = \"smpp\"\nsender = \"+70000000009\"\nsmpp = \"smpp://demo:{password}@127.0.0.1:{port}\""
        )
    };
    let wrong = lone(ChannelKind::Sms, &keys("wrong"));
    assert!(matches!(wrong.send(&text("+70000000001", "x", 1)).await, Outcome::SessionLost(_)));
    let provider = lone(ChannelKind::Sms, &keys("planted8"));
    assert_eq!(provider.check().await.unwrap().name, "npm");

    // What a customer wrote is reported, and answered once it is known to be kept.
    let mut cursor: Option<String> = None;
    let mut events: Vec<InboundEvent> = Vec::new();
    while messages(&events).len() < 2 {
        let brought = provider.poll(cursor.as_deref()).unwrap().await.unwrap();
        events.extend(brought.events);
        cursor = brought.cursor;
    }
    let written: Vec<String> = messages(&events).iter().map(|message| message.text.to_string()).collect();
    assert_eq!(written, ["Здравствуйте", "Do you deliver? {€}"]);

    let long = "Да, доставим сегодня.".repeat(5);
    for (words, parts) in [("Yes {€}", 1), ("Да 😀", 1), (long.as_str(), 2)] {
        let sent = provider.send(&text("+70000000001", words, 0x1_0000 + parts)).await;
        assert!(matches!(sent, Outcome::Sent(_)), "{sent:?}");
    }
    let held = provider.send(&text("+70000000001", "slow", 9)).await;
    assert!(matches!(held, Outcome::Held { scope: HoldScope::Account, .. }), "{held:?}");
    let mut receipts = Vec::new();
    while receipts.len() < 3 {
        let brought = provider.poll(cursor.as_deref()).unwrap().await.unwrap();
        cursor = brought.cursor;
        receipts.extend(brought.events.into_iter().filter_map(|event| match event.change {
            InboundChange::Receipt { external_id, receipt: InboundReceipt::Delivered, .. } => {
                Some(external_id)
            }
            _ => None,
        }));
    }
    // Of the message in two parts the last one counts.
    assert_eq!(receipts, ["npm-1", "npm-2", "npm-4"]);

    // The last receipts are answered by one more poll.
    let again = tokio::spawn(async move { provider.poll(cursor.as_deref()).unwrap().await });
    let (mut lines, mut answers) = (Vec::new(), 0);
    while lines.len() < 4 || answers < 7 {
        let line = centre.next().await;
        match line.get("answered").or(line.get("receipt_answered")) {
            Some(status) => {
                assert_eq!(status, 0);
                answers += 1;
            }
            None => lines.push(line),
        }
    }
    again.abort();
    let texts: Vec<&str> = lines.iter().map(|line| line["text"].as_str().unwrap()).collect();
    assert_eq!((texts[0], texts[1], texts[2..].concat()), ("Yes {€}", "Да 😀", long));
    let of = |name: &str| lines.iter().map(|line| line[name].clone()).collect::<Vec<_>>();
    assert_eq!(of("udh"), [json!(null), json!(null), json!("0003020201"), json!("0003020202")]);
    assert_eq!(of("data_coding"), [0, 8, 8, 8]);
    assert!(lines.iter().all(|line| line["from"] == "70000000009" && line["to"] == "70000000001"));
    assert!(of("registered_delivery").iter().all(|value| *value == 1));
}

#[tokio::test]
async fn a_centre_over_tls_is_trusted_by_the_authority_that_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let python = std::env::var_os("SWITCHBOARD_TEST_PYTHON").expect(
        "SWITCHBOARD_TEST_PYTHON is not set: run `cargo xtask test`, which makes a Python and sets it",
    );
    let made = Command::new(python).args(["-m", "trustme", "-q", "-d"]).arg(folder.path()).status().await;
    assert!(made.unwrap().success());
    let file = |name: &str| folder.path().join(name);
    let mut centre = Centre::start(&[file("server.key"), file("server.pem")]);
    let port = centre.next().await["port"].as_u64().unwrap();
    let keys = |more: &str| {
        format!(
            "gateway = \"smpp\"\nsender = \"+70000000009\"\nsmpp = \"smpps://demo:planted8@127.0.0.1:{port}\"\n{more}"
        )
    };
    let unknown = lone(ChannelKind::Sms, &keys("")).check().await.unwrap_err();
    assert!(!unknown.to_string().contains("planted"), "{unknown}");
    let trusting = lone(ChannelKind::Sms, &keys(&format!("ca_file = \"{}\"", file("client.pem").display())));
    assert_eq!(trusting.check().await.unwrap().name, "npm");
    let sent = trusting.send(&text("+70000000001", "Yes", 1)).await;
    assert!(matches!(sent, Outcome::Sent(_)), "{sent:?}");
}
