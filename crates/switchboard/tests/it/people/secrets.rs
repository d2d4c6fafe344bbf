//! Secrets of people and of alert targets: looked for in all that the program says, writes and shows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::StatusCode;
use serde_json::{Value, json};
use testkit::{Program, Receiver, Start, authenticator};

use super::stage::{Stage, cookie, pair};
use crate::backup::files_in;
use crate::binary;
use crate::secrets::{Secrets, files};
use crate::shell::cli::cli;

/// What is in the address of a webhook, in the settings and in the store.
const ADDRESS: [&str; 2] = ["planted-in-an-address-of-the-settings", "planted-in-an-address-of-the-store"];
/// What webhooks are signed with.
const SIGNING: [&str; 2] = ["planted-signing-word-of-the-settings", "planted-signing-word-of-the-store"];
/// Passwords at mail servers.
const MAIL: [&str; 2] = ["planted-mail-password-of-the-settings", "planted-mail-password-of-the-store"];
const FIRST: &str = "planted first password";
const OF_ANNA: &str = "planted password of anna";
const NEXT_OF_ANNA: &str = "planted next password of anna";
const WRONG: &str = "planted wrong password";
/// A password typed where the name belongs.
const IN_THE_NAME: &str = "planted-where-the-name-belongs";

/// So many pages of one kind are looked at, and so many in all.
const OF_ONE_KIND: usize = 3;
const PAGES: usize = 200;

/// The bytes of a text in base 32.
fn base32(text: &str) -> Vec<u8> {
    let (mut bits, mut held, mut bytes) = (0_u32, 0, Vec::new());
    for letter in text.bytes() {
        let digit = if letter.is_ascii_uppercase() { letter - b'A' } else { letter - b'2' + 26 };
        bits = bits << 5 | u32::from(digit);
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 255).expect("a byte"));
        }
    }
    bytes
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let found = text.split_once(before).and_then(|(_, rest)| rest.split_once(after));
    found.unwrap_or_else(|| panic!("no {before}: {text}")).0
}

/// A browser that has signed in.
struct Browser<'a> {
    stage: &'a Stage,
    program: &'a Program,
    cookie: String,
}

impl Browser<'_> {
    async fn page(&self, path: &str) -> (StatusCode, String) {
        let answer = self.stage.get(self.program, path, &self.cookie).send().await.expect("an answer");
        (answer.status(), answer.text().await.expect("a page"))
    }

    async fn press(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let (_, page) = self.page("/settings/me").await;
        let token = between(&page, "name=\"csrf\" value=\"", "\"").to_owned();
        let fields = [&[("csrf", token.as_str())], fields].concat();
        let pressed = self.stage.post(self.program, path, &fields).header("cookie", &self.cookie);
        let answer = pressed.send().await.expect("an answer");
        assert!(matches!(answer.status().as_u16(), 200 | 303), "{path}: {}", answer.status());
        answer.text().await.expect("a page")
    }

    /// Every page that the others lead to, from the first one on; those of one kind only so often.
    async fn pages(&self) -> BTreeMap<String, String> {
        let (mut waiting, mut seen, mut kinds) = (vec!["/".to_owned()], BTreeSet::new(), BTreeMap::new());
        let mut pages = BTreeMap::new();
        while let Some(path) = waiting.pop() {
            let kind: String = path
                .split('?')
                .next()
                .unwrap_or_default()
                .split('/')
                .map(|part| kind_of(part) + "/")
                .collect();
            let count = kinds.entry(kind).or_insert(0);
            if pages.len() >= PAGES || *count >= OF_ONE_KIND || !seen.insert(path.clone()) {
                continue;
            }
            *count += 1;
            let (status, page) = self.page(&path).await;
            assert!(!status.is_server_error(), "{path}: {status}");
            let links = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
            waiting.extend(
                links
                    .filter(|link| link.starts_with('/') && !link.starts_with("/assets/"))
                    .map(|link| link.split('#').next().unwrap_or_default().replace("&amp;", "&")),
            );
            pages.insert(path, page);
        }
        pages
    }
}

/// The parts of a path that are ids are of one kind.
fn kind_of(part: &str) -> String {
    if part.chars().any(|letter| letter.is_ascii_digit()) { "*".to_owned() } else { part.to_owned() }
}

/// Writes settings that alert a webhook and a mailbox.
fn settings(stage: &Stage, receiver: &str) {
    stage.world.edit_settings(|text| {
        format!(
            "{text}\n[events]\nallow_private = [\"127.0.0.0/8\"]\n\
             [[alerts.targets]]\nname = \"hook\"\nkind = \"webhook\"\nurl = \"{receiver}/{}\"\nsecret = \"{}\"\n\
             [[alerts.targets]]\nname = \"mail\"\nkind = \"email\"\nsmtp = \"smtps://demo:{}@127.0.0.1:{}\"\n\
             from = \"alerts@example.com\"\nto = [\"owner@example.com\"]\n",
            ADDRESS[0],
            SIGNING[0],
            MAIL[0],
            testkit::free_port()
        )
    });
}

fn started(stage: &Stage) -> Start<'static> {
    let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Start {
        environment: vec![
            variable("SWITCHBOARD_ADMIN_PASSWORD", FIRST),
            variable("SWITCHBOARD_LOG__LEVEL", "trace"),
        ],
        ..Start::on(&stage.world, binary(), "data")
    }
}

/// All that a command says, on both of its outputs.
fn output_of(stage: &Stage, arguments: &[&str]) -> String {
    let ran = cli(&stage.world, arguments).run();
    assert!(matches!(ran.code, Some(0 | 1)), "{arguments:?}: {ran:?}");
    ran.all()
}

/// Makes a user, who signs in, wrongly first, and turns a second factor on; plants what that takes. The cookie.
async fn live(stage: &Stage, program: &Program, secrets: &mut Secrets) -> String {
    let anna = json!({"name": "anna", "role": "admin", "password": OF_ANNA});
    let (status, made) = program.post("/v1/users", &anna).await;
    assert_eq!(status, 201, "{made}");
    let (status, refused) = program.post("/v1/users", &json!({"name": "boris", "password": [WRONG]})).await;
    assert_eq!(status, 422, "{refused}");
    secrets.not_in("a refusal", refused.to_string());
    let enter = async |name: &str, password: &str| {
        let answer = stage.post(program, "/sign-in", &[("name", name), ("password", password)]).send().await;
        answer.expect("an answer")
    };
    assert_eq!(enter("anna", WRONG).await.status(), 401);
    assert_eq!(enter(IN_THE_NAME, WRONG).await.status(), 401);
    let entered = enter("anna", OF_ANNA).await;
    assert_eq!(entered.status(), 303);
    let first = pair(&cookie(&entered)).to_owned();
    plant_cookie(secrets, &first);

    let browser = Browser { stage, program, cookie: first };
    browser.press("/settings/me/actions/offer-second-factor", &[]).await;
    let (_, offer) = browser.page("/settings/me/second-factor").await;
    let grouped = between(&offer, "<code>", "</code>").to_owned();
    let secret = grouped.replace(' ', "");
    secrets.plant("second factor, as it is typed", secret.clone());
    secrets.plant("second factor, as it is shown", grouped);
    secrets.plant("second factor, its bytes", base32(&secret));
    let now: domain::Timestamp = program.now().await.parse().expect("an instant");
    let code = authenticator::code(&secret, now.as_seconds());
    let shown = browser.press("/settings/me/actions/confirm-second-factor", &[("code", &code)]).await;
    let list = between(&shown, "id=\"codes\">", "</ul>");
    let codes: Vec<&str> =
        list.split("<li>").skip(1).map(|code| code.split('<').next().unwrap_or_default().trim()).collect();
    assert!(codes.len() >= 8, "{shown}");
    for code in &codes {
        secrets.plant("recovery code", *code);
        secrets.plant("recovery code without dashes", code.replace('-', ""));
    }

    // In again, by a wrong code and a recovery code.
    let page = enter("anna", OF_ANNA).await.text().await.expect("a page");
    let ticket = between(&page, "name=\"ticket\" value=\"", "\"").to_owned();
    secrets.plant("ticket", &ticket);
    for (code, status) in [("planted-wrong-code", 401), (codes[0], 303)] {
        let answer =
            stage.post(program, "/sign-in/code", &[("ticket", &ticket), ("code", code)]).send().await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status(), status, "{code}");
        if status == 303 {
            plant_cookie(secrets, pair(&cookie(&answer)));
        }
    }
    secrets.plant("wrong code", "planted-wrong-code");
    browser.cookie
}

fn plant_cookie(secrets: &mut Secrets, pair: &str) {
    let (_, token) = pair.split_once('=').expect("a value");
    secrets.plant("cookie", token);
    secrets.plant("cookie, its bytes", URL_SAFE_NO_PAD.decode(token).expect("base64"));
}

/// Makes targets that hold secrets; tests all targets, in vain.
async fn tell(program: &Program, receiver: &str) {
    let hook = json!({
        "name": "made-hook", "kind": "webhook", "url": format!("{receiver}/{}", ADDRESS[1]), "secret": SIGNING[1],
    });
    let mail = json!({
        "name": "made-mail", "kind": "email", "from": "alerts@example.com", "to": ["owner@example.com"],
        "smtp": format!("smtps://demo:{}@127.0.0.1:{}", MAIL[1], testkit::free_port()),
    });
    for target in [hook, mail] {
        let (status, made) = program.post("/v1/alert-targets", &target).await;
        assert_eq!(status, 201, "{made}");
    }
    for name in ["hook", "mail", "made-hook", "made-mail"] {
        let (status, reply) = program.post(&format!("/v1/alert-targets/{name}/test"), &json!({})).await;
        assert!(status >= 400, "{name}: {status} {reply}");
    }
}

const CALLS: [&str; 14] = [
    "/metrics",
    "/v1/doctor?facts=true",
    "/v1/audit?limit=500",
    "/v1/users",
    "/v1/users/anna",
    "/v1/users/anna/sessions",
    "/v1/keys",
    "/v1/alert-targets",
    "/v1/alerts",
    "/v1/accounts",
    "/v1/overview",
    "/v1/listeners",
    "/v1/logs?limit=500",
    "/v1/logs/download?format=json",
];

#[tokio::test(flavor = "multi_thread")]
async fn secrets_of_people_and_targets_are_never_in_the_clear() {
    let stage = Stage::with("").await;
    let receiver = Receiver::start().await;
    receiver.answer(500);
    settings(&stage, receiver.address());
    let mut secrets = Secrets::default();
    for (what, secret) in [
        ("address of a webhook", ADDRESS[0]),
        ("address of a webhook that was made here", ADDRESS[1]),
        ("webhook's secret", SIGNING[0]),
        ("webhook's secret that was made here", SIGNING[1]),
        ("password of mail", MAIL[0]),
        ("password of mail that was made here", MAIL[1]),
        ("first password", FIRST),
        ("password", OF_ANNA),
        ("next password", NEXT_OF_ANNA),
        ("wrong password", WRONG),
        ("password in the place of the name", IN_THE_NAME),
        ("bootstrap key", testkit::KEY),
    ] {
        secrets.plant(what, secret);
    }

    let mut program = started(&stage).ready().await;
    program.account_is("main", "ready").await;
    let (status, made) = program.post("/v1/keys", &json!({"name": "n8n", "scopes": ["admin"]})).await;
    assert_eq!(status, 201, "{made}");
    let key = made["key"].as_str().expect("a key").to_owned();
    assert_eq!(program.status_with(&key, "/v1/accounts").await, 200);
    secrets.plant("API key", &key);
    secrets.plant("API key without its beginning", key.trim_start_matches("swb_"));
    tell(&program, receiver.address()).await;
    let entered = live(&stage, &program, &mut secrets).await;
    assert_eq!(receiver.bodies().len(), 2, "both webhooks were really posted to");

    for call in CALLS {
        let answer = program.request("GET", call).send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{call}");
        secrets.not_in(call, answer.text().await.expect("a body"));
    }
    let pages = Browser { stage: &stage, program: &program, cookie: entered }.pages().await;
    assert!(pages.len() > 30, "{:?}", pages.keys());
    for wanted in
        ["/settings/me", "/settings/audit", "/settings/alerts", "/settings/people/anna", "/diagnostics"]
    {
        assert!(pages.contains_key(wanted), "{wanted}: {:?}", pages.keys());
    }
    assert!(pages["/settings/people/anna"].contains("anna"));
    for (path, page) in &pages {
        secrets.not_in(path, page);
    }
    let (status, answer) =
        program.post("/v1/users", &json!({"name": "anna", "password": OF_ANNA, "role": "viewer"})).await;
    assert_eq!(status, 409, "{answer}");
    let next = json!({"password": NEXT_OF_ANNA});
    let put = program.request("PUT", "/v1/users/anna/password").header("content-type", "application/json");
    assert_eq!(put.body(next.to_string()).send().await.expect("an answer").status(), 204);
    // A round of the overview is written down, and then it is killed with everything open.
    program.advance(Duration::from_secs(20)).await;
    let commands: [&[&str]; 7] = [
        &["doctor"],
        &["doctor", "--json"],
        &["top", "--once"],
        &["user", "list", "--json"],
        &["key", "list", "--json"],
        &["alert", "targets", "list", "--json"],
        &["logs", "--since", "1d", "--json"],
    ];
    for command in commands {
        secrets.not_in(&command.join(" "), output_of(&stage, command));
    }
    program.kill();

    assert!(program.output().contains("TRACE"), "everything is logged:\n{}", program.output());
    secrets.not_in("standard output and error", program.output());
    let data = stage.world.data_dir("data");
    let all = files(&data);
    let names: BTreeSet<&str> = all.iter().filter_map(|(path, _)| path.rsplit('/').next()).collect();
    for wanted in ["switchboard.db", "switchboard.db-wal", "health.db", "alert-targets.json", "master.key"] {
        assert!(names.contains(wanted), "{wanted}: {names:?}");
    }
    for (path, bytes) in &all {
        secrets.not_in(path, bytes);
    }
    // The search finds what is there.
    let mut known = Secrets::default();
    known.plant("name of a target", "made-hook");
    assert!(all.iter().any(|(path, bytes)| path.ends_with(".db-wal") && known.found(bytes).is_some()));
    assert!(known.found(&std::fs::read(data.join("alert-targets.json")).expect("reads")).is_some());
    for command in
        [&["doctor", "--offline", "--json"][..], &["doctor", "--offline"], &["logs", "--since", "1d"]]
    {
        secrets.not_in(&command.join(" "), output_of(&stage, command));
    }
    // Nor are they in what is carried elsewhere.
    secrets.not_in("backup create", output_of(&stage, &["backup", "create"]));
    let backups = files(&data.join("backups"));
    let backups = backups.iter().filter(|(path, _)| path.ends_with(".tar.gz"));
    let packed: Vec<_> = backups.flat_map(|(path, _)| files_in(Path::new(path))).collect();
    assert!(packed.iter().any(|(_, bytes)| known.found(bytes).is_some()), "a backup has the targets");
    for (path, bytes) in &packed {
        secrets.not_in(path, bytes);
    }
    let lines = output_of(&stage, &["logs", "--since", "1d", "--json"]);
    secrets.not_in("the kept lines", &lines);
    let kept = lines.lines().filter(|line| serde_json::from_str::<Value>(line).is_ok()).count();
    assert!(kept > 50, "everything is kept: {kept}");
}
