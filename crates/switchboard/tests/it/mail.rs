//! Alerts by mail, over TLS, to a third-party mail server: what is trusted, what is not, and no password in the clear.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{ACCOUNTS, Start, World};

use crate::shell::cli::cli;
use crate::{binary, python};

const PASSWORD: &str = "word of mail";

/// Mail servers of every kind; ended when dropped.
struct Servers {
    _running: tokio::process::Child,
    folder: PathBuf,
    ports: Value,
}

impl Servers {
    async fn start(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).expect("a folder");
        let running = python::script("mailbox.py", &[folder.to_str().expect("UTF-8")])
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        let mut servers = Self { _running: running, folder: folder.to_owned(), ports: Value::Null };
        for _ in 0..1200 {
            if let Ok(text) = std::fs::read_to_string(folder.join("ports.json")) {
                servers.ports = serde_json::from_str(&text).expect("JSON");
                return servers;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the mail servers do not start");
    }

    /// Everything that happened at one of them.
    fn events(&self, server: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.join("events.jsonl")).expect("events");
        let all = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        all.filter(|event| event["server"] == server).collect()
    }

    /// A target for the settings: the server's name is its own.
    fn target(&self, server: &str, scheme: &str) -> String {
        format!(
            "\n[[alerts.targets]]\nname = \"{server}\"\nkind = \"email\"\nfrom = \"alerts@example.com\"\n\
             to = [\"owner@example.com\"]\nsmtp = \"{scheme}://demo:{}@127.0.0.1:{}\"\n",
            PASSWORD.replace(' ', "%20"),
            self.ports[server]
        )
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_and_password_only_go_over_trusted_tls() {
    let world = World::start(binary()).await;
    let servers = Servers::start(&world.data_dir("mail")).await;
    let all = [
        ("tls", "smtps"),
        ("starttls", "smtp"),
        ("other_name", "smtps"),
        ("expired", "smtps"),
        ("unknown", "smtps"),
        ("unknown_starttls", "smtp"),
        ("stripped", "smtp"),
    ];
    let targets: String = all.iter().map(|(server, scheme)| servers.target(server, scheme)).collect();
    world.edit_settings(|text| text + &targets);
    let mut start = Start::on(&world, binary(), "data");
    let trusted = servers.folder.join("ca.pem").to_str().expect("UTF-8").to_owned();
    start.environment.push(("SSL_CERT_FILE".to_owned(), trusted));
    let program = start.ready().await;
    let tested = |server: &str| {
        let ran = cli(&world, &["alert", "targets", "test", server]).run();
        let output = ran.all();
        assert!(!output.contains(PASSWORD) && !output.contains("word%20of"), "{output}");
        (ran.code, output)
    };

    for server in ["tls", "starttls"] {
        let (code, output) = tested(server);
        assert_eq!(code, Some(0), "{server}: {output}");
        let events = servers.events(server);
        assert_eq!(events.len(), 2, "{server}: {events:?}");
        assert_eq!(
            (events[0]["login"].as_str(), events[0]["password"].as_str()),
            (Some("demo"), Some(PASSWORD))
        );
        assert!(events.iter().all(|event| event["encrypted"] == true), "{server}: {events:?}");
        let mail = events[1]["mail"].as_str().expect("a mail");
        assert!(
            mail.contains("From: alerts@example.com") && mail.contains("To: owner@example.com"),
            "{mail}"
        );
    }
    // A certificate of another name, an expired one, one of an untrusted issuer: they get no name and no password.
    for server in ["other_name", "expired", "unknown", "unknown_starttls"] {
        let (code, output) = tested(server);
        assert!(code == Some(1) && output.to_lowercase().contains("certificate"), "{server}: {output}");
        assert_eq!(servers.events(server), Vec::<Value>::new(), "{server}");
    }
    // A server that offers no TLS, or someone in between who took it out.
    let (code, output) = tested("stripped");
    assert!(code == Some(1) && output.to_uppercase().contains("STARTTLS"), "{output}");
    assert_eq!(servers.events("stripped"), Vec::<Value>::new());
    assert!(!program.output().contains(PASSWORD), "{}", program.output());
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_and_recovered_accounts_are_mailed() {
    let world = World::start(binary()).await;
    let servers = Servers::start(&world.data_dir("mail")).await;
    world.edit_settings(|text| text + &servers.target("tls", "smtps"));
    let mut start = Start::on(&world, binary(), "data");
    let trusted = servers.folder.join("ca.pem").to_str().expect("UTF-8").to_owned();
    start.environment.push(("SSL_CERT_FILE".to_owned(), trusted));
    let program = start.ready().await;
    for account in ACCOUNTS {
        program.account_is(account, "ready").await;
    }
    let has = |words: &[&str]| {
        let events = servers.events("tls");
        let mut mails = events.iter().filter_map(|event| event["mail"].as_str());
        mails.any(|mail| words.iter().all(|word| mail.contains(word)))
    };
    let until = async |what: &str, words: &[&str]| {
        let waiting = program.until(what, || async { has(words) });
        program.as_time_goes_by(Duration::from_secs(5), waiting).await;
    };
    world.fault("session_revoked", json!({ "account": "main" })).await;
    world.fault("deaf", json!({ "account": "backup_1" })).await;
    until("the lost one is reported", &["In trouble:", "- account main: session_revoked, since "]).await;
    until("the deaf one is reported", &["In trouble:", "- account backup_1: no_answer, since "]).await;
    assert!(!has(&["Well again:", "- account backup_1: "]), "{:?}", servers.events("tls"));
    world.delete("/faults").await;
    until("the end is reported", &["Well again:", "- account backup_1: was no_answer for "]).await;
    let events = servers.events("tls");
    assert!(!has(&["- account main: was "]), "the lost one is not well: {events:?}");
    for mail in events.iter().filter(|event| event["mail"].is_string()) {
        assert_eq!(
            (&mail["to"], &mail["encrypted"]),
            (&json!(["owner@example.com"]), &json!(true)),
            "{mail}"
        );
    }
}
