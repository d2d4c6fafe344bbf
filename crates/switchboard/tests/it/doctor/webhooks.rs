//! Webhooks that providers have registered: each is asked for, what is wrong is reported, nothing is changed and no secret shown.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{World, free_port};

use super::{MACHINE, closed_world, doctor, examined, findings, section, well};
use crate::shell::cli::cli;

/// Where each webhook should be. The path is a secret.
const EXPECTED: &str = "https://n8n.example.com/webhook/planted-0123456789";

/// Another path of the same receiver.
const OTHER_PATH: &str = "https://n8n.example.com/webhook-test/planted-0123456789";

/// A webhook of the settings, the account behind it, and what is found of it.
struct Case {
    name: &'static str,
    provider: &'static str,
    /// What it is asked with, in TOML.
    credentials: &'static str,
    /// What its provider knows of it; nothing for an account that there is none of.
    account: Value,
    found: &'static [(&'static str, &'static str)],
}

fn case(
    name: &'static str,
    provider: &'static str,
    credentials: &'static str,
    account: Value,
    found: &'static [(&'static str, &'static str)],
) -> Case {
    Case { name, provider, credentials, account, found }
}

fn registered(places: &[&str]) -> Value {
    places.iter().map(|place| json!({ "url": place })).collect()
}

/// One for each thing that can be wrong, at each provider.
fn cases() -> Vec<Case> {
    const ELSEWHERE: (&str, &str) = ("webhook_elsewhere", "error");
    const ALSO: (&str, &str) = ("webhook_also_elsewhere", "note");
    const MISSING: (&str, &str) = ("webhook_missing", "warning");
    const PLAIN: (&str, &str) = ("webhook_plain", "warning");
    const WITHOUT_SECRET: (&str, &str) = ("webhook_without_secret", "warning");
    const REFUSED: (&str, &str) = ("webhook_refused", "error");
    const UNKNOWN: (&str, &str) = ("webhook_unknown", "warning");
    let seconds = ambient::Clock::system().now().as_seconds();
    let failed = json!({ "at": seconds - 60, "message": "Wrong response from https://planted.example.com/: 502 Bad Gateway" });
    let right = registered(&[EXPECTED]);
    let bot = |more: Value| {
        let mut account = json!({ "webhooks": right });
        let Value::Object(more) = more else { panic!("an object") };
        account.as_object_mut().expect("an object").extend(more);
        account
    };
    vec![
        case(
            "bot_right",
            "telegram_bot",
            "token = '1:planted-a'",
            bot(json!({ "token": "1:planted-a", "waiting": 3 })),
            &[],
        ),
        case(
            "bot_elsewhere",
            "telegram_bot",
            "token = { file = 'bot-token.txt' }",
            json!({ "token": "2:planted-b", "webhooks": registered(&["https://old.example.com:8443/planted"]) }),
            &[ELSEWHERE],
        ),
        case(
            "bot_missing",
            "telegram_bot",
            "token = '3:planted-c'",
            json!({ "token": "3:planted-c" }),
            &[MISSING],
        ),
        case(
            "bot_failing",
            "telegram_bot",
            "token = '4:planted-d'",
            bot(json!({ "token": "4:planted-d", "waiting": 150, "last_error": failed })),
            &[("webhook_failing", "error")],
        ),
        case(
            "bot_struggling",
            "telegram_bot",
            "token = '5:planted-e'",
            bot(json!({ "token": "5:planted-e", "waiting": 1, "last_error": failed })),
            &[("webhook_failing", "warning")],
        ),
        case("bot_revoked", "telegram_bot", "token = '6:planted-f'", Value::Null, &[REFUSED]),
        case(
            "bot_sent_on",
            "telegram_bot",
            "token = '7:planted-g'",
            bot(json!({ "token": "7:planted-g", "trouble": "redirect" })),
            &[UNKNOWN],
        ),
        case(
            "bot_flooded",
            "telegram_bot",
            "token = '8:planted-h'",
            bot(json!({ "token": "8:planted-h", "trouble": "huge" })),
            &[UNKNOWN],
        ),
        case(
            "avito_right",
            "avito",
            "client_id = 'planted-a'\nclient_secret = 'planted-a2'",
            json!({ "id": "planted-a", "token": "planted-a2", "webhooks": right }),
            &[],
        ),
        case(
            "avito_old",
            "avito",
            "client_id = 'planted-b'\nclient_secret = 'planted-b2'",
            json!({ "id": "planted-b", "token": "planted-b2", "webhooks": registered(&["http://old.example.com:5005/avito"]) }),
            &[ELSEWHERE, PLAIN, WITHOUT_SECRET],
        ),
        case(
            "avito_refused",
            "avito",
            "client_id = 'planted-c'\nclient_secret = 'planted-wrong'",
            json!({ "id": "planted-c", "token": "planted-c2", "webhooks": right }),
            &[REFUSED],
        ),
        case(
            "avito_unpaid",
            "avito",
            "client_id = 'planted-d'\nclient_secret = 'planted-d2'",
            json!({ "id": "planted-d", "token": "planted-d2", "trouble": "unpaid" }),
            &[REFUSED],
        ),
        case(
            "max_both",
            "max",
            "token = 'planted-a'",
            json!({ "token": "planted-a", "webhooks": registered(&[EXPECTED, "https://crm.example.com/planted"]) }),
            &[ALSO],
        ),
        case(
            "max_other_path",
            "max",
            "token = 'planted-b'",
            json!({ "token": "planted-b", "webhooks": registered(&[OTHER_PATH]) }),
            &[ELSEWHERE],
        ),
        case("max_missing", "max", "token = 'planted-c'", json!({ "token": "planted-c" }), &[MISSING]),
        case("max_refused", "max", "token = 'planted-d'", Value::Null, &[REFUSED]),
        case(
            "max_garbage",
            "max",
            "token = 'planted-e'",
            json!({ "token": "planted-e", "trouble": "garbage" }),
            &[UNKNOWN],
        ),
        case(
            "vk_right",
            "vk",
            "token = 'planted-a'\ngroup_id = 100",
            json!({ "id": "100", "token": "planted-a", "webhooks": [{ "url": EXPECTED, "secret_key": "planted-key" }] }),
            &[],
        ),
        case(
            "vk_failed",
            "vk",
            "token = 'planted-b'\ngroup_id = 101",
            json!({ "id": "101", "token": "planted-b", "webhooks": [{ "url": EXPECTED, "status": "failed" }] }),
            &[("webhook_failing", "error")],
        ),
        case(
            "vk_elsewhere",
            "vk",
            "token = 'planted-c'\ngroup_id = 102",
            json!({ "id": "102", "token": "planted-c", "webhooks": registered(&["https://crm.example.com/vk"]) }),
            &[ELSEWHERE, WITHOUT_SECRET],
        ),
        case("vk_refused", "vk", "token = 'planted-d'\ngroup_id = 103", Value::Null, &[REFUSED]),
        case(
            "wappi_right",
            "wappi",
            "token = 'planted-cabinet'\nprofile_id = 'a'",
            json!({ "id": "a", "token": "planted-cabinet", "webhooks": right }),
            &[],
        ),
        case(
            "wappi_signed_out",
            "wappi",
            "token = 'planted-cabinet'\nprofile_id = 'b'",
            json!({ "id": "b", "token": "planted-cabinet", "webhooks": right, "authorized": false }),
            &[("webhook_failing", "error")],
        ),
        case(
            "wappi_down",
            "wappi",
            "token = 'planted-cabinet'\nprofile_id = 'c'",
            json!({ "id": "c", "token": "planted-cabinet", "trouble": "unavailable" }),
            &[UNKNOWN],
        ),
        case("wappi_refused", "wappi", "token = 'planted-other'\nprofile_id = 'd'", Value::Null, &[REFUSED]),
    ]
}

/// Makes the accounts, and names their webhooks in the settings.
async fn set_up(world: &World, cases: &[Case]) {
    let mut settings = String::new();
    for Case { name, provider, credentials, account, .. } in cases {
        if let Value::Object(account) = account {
            let mut account = account.clone();
            account.insert("provider".to_owned(), json!(provider));
            world.put("/webhooks", &Value::Object(account)).await;
        }
        let api = format!("{}/providers/{provider}", world.control());
        write!(
            settings,
            "\n[[doctor.webhooks]]\nname = '{name}'\nprovider = '{provider}'\napi = '{api}'\n\
             expect = {{ file = 'hook.txt' }}\n{credentials}\n"
        )
        .expect("a text");
    }
    fs::write(world.data_dir("hook.txt"), EXPECTED).expect("written");
    fs::write(world.data_dir("bot-token.txt"), "2:planted-b").expect("written");
    // One whose provider is not there at all.
    write!(
        settings,
        "\n[[doctor.webhooks]]\nname = 'nobody'\nprovider = 'max'\napi = 'http://127.0.0.1:{}'\n\
         expect = {{ file = 'hook.txt' }}\ntoken = 'planted-n'\n",
        free_port()
    )
    .expect("a text");
    // Whatever is logged, at any level, is searched for secrets.
    world.edit_settings(|text| format!("{text}\n[log]\nlevel = 'trace'\n{settings}"));
}

/// What was found, by the names of webhooks.
fn found(report: &Value) -> BTreeMap<String, Vec<(String, String)>> {
    let mut all: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for one in section(report, "webhooks")["findings"].as_array().expect("findings") {
        let word = |key: &str| one[key].as_str().expect("a text").to_owned();
        let name = word("subject").strip_prefix("webhook ").expect("a webhook").to_owned();
        all.entry(name).or_default().push((word("code"), word("severity")));
    }
    for codes in all.values_mut() {
        codes.sort();
    }
    all
}

fn expected(cases: &[Case]) -> BTreeMap<String, Vec<(String, String)>> {
    let owned = |(code, severity): &(&str, &str)| ((*code).to_owned(), (*severity).to_owned());
    let mut all: BTreeMap<_, Vec<_>> = cases
        .iter()
        .filter(|case| !case.found.is_empty())
        .map(|case| (case.name.to_owned(), case.found.iter().map(owned).collect()))
        .collect();
    all.insert("nobody".to_owned(), vec![owned(&("webhook_unknown", "warning"))]);
    for codes in all.values_mut() {
        codes.sort();
    }
    all
}

fn about<'a>(report: &'a Value, webhook: &str) -> &'a Value {
    let subject = format!("webhook {webhook}");
    let mut all = findings(report).into_iter().filter(|one| one["subject"] == *subject);
    all.next().unwrap_or_else(|| panic!("nothing of {webhook}: {report:#}"))
}

/// Every kind of call that the providers had.
async fn provider_calls(world: &World) -> BTreeSet<(String, String, String)> {
    let calls = world.get("/webhooks/calls").await;
    let text = |one: &Value, key: &str| one[key].as_str().expect("a text").to_owned();
    let calls = calls["items"].as_array().expect("items").iter();
    calls.map(|call| (text(call, "provider"), text(call, "method"), text(call, "path"))).collect()
}

/// Nothing but questions.
fn questions() -> BTreeSet<(String, String, String)> {
    [
        ("telegram_bot", "POST", "/bot…/getWebhookInfo"),
        ("avito", "POST", "/token"),
        ("avito", "POST", "/messenger/v1/subscriptions"),
        ("max", "GET", "/subscriptions"),
        ("vk", "POST", "/groups.getCallbackServers"),
        ("wappi", "GET", "/api/sync/get/status"),
    ]
    .into_iter()
    .map(|(provider, method, path)| (provider.to_owned(), method.to_owned(), path.to_owned()))
    .collect()
}

/// The kept log lines with this in them.
fn kept_lines(world: &World, text: &str) -> String {
    cli(world, &["logs", "--grep", text, "--level", "trace"]).fine()
}

fn shows_no_secret(text: &str) {
    assert!(!text.contains("planted"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_provider_is_asked_for_its_webhook_without_a_change() {
    let _machine = MACHINE.read().await;
    let world = closed_world().await;
    let cases = cases();
    set_up(&world, &cases).await;
    let accounts = world.get("/webhooks").await;

    // With `--offline` no provider is asked.
    let (_, report) = examined(&world, &["--offline"]).await;
    assert_eq!(section(&report, "webhooks")["looked"], "not");
    assert!(provider_calls(&world).await.is_empty());

    // By the command, while no server runs.
    let (code, report) = examined(&world, &[]).await;
    assert_eq!((code, found(&report)), (Some(1), expected(&cases)), "{report:#}");
    assert_eq!(provider_calls(&world).await, questions());
    let webhooks = section(&report, "webhooks");
    assert_eq!(webhooks["looked"], "partly", "some did not tell");
    let facts = webhooks["facts"].as_array().expect("facts");
    let fact = |name: &str| {
        facts.iter().find(|fact| fact["name"] == name).map(|fact| fact["value"].as_str().expect("a text"))
    };
    let words = "Telegram has it registered as expected, at https://n8n.example.com; 3 updates wait";
    assert_eq!(fact("bot_right"), Some(words));
    for right in ["avito_right", "max_both", "vk_right", "wappi_right"] {
        assert!(fact(right).is_some_and(|value| value.contains("as expected")), "{right}: {webhooks:#}");
    }
    assert_eq!(fact("bot_elsewhere"), None);

    let elsewhere = about(&report, "bot_elsewhere");
    assert_eq!(
        elsewhere["summary"],
        "Telegram sends what customers write to bot_elsewhere to https://old.example.com:8443, and not to https://n8n.example.com."
    );
    let files = |name: &str| world.data_dir(name).display().to_string();
    let command = format!(
        "curl --silent \"{}/providers/telegram_bot/bot$(cat {})/setWebhook\" --data-urlencode \"url=$(cat {})\"",
        world.control(),
        files("bot-token.txt"),
        files("hook.txt"),
    );
    assert_eq!(elsewhere["fix"]["command"], command, "{elsewhere:#}");
    let evidence = about(&report, "max_other_path")["evidence"].clone();
    assert_eq!(
        evidence,
        json!([
            "registered: https://n8n.example.com, under another path",
            "expected: https://n8n.example.com"
        ])
    );
    let failing = about(&report, "bot_failing")["evidence"].to_string();
    assert!(
        failing.contains("Wrong response from … 502 Bad Gateway") && failing.contains("150 updates wait"),
        "{failing}"
    );
    let fix = &about(&report, "vk_refused")["fix"];
    assert_eq!((&fix["kind"], &fix["key"]), (&json!("setting"), &json!("doctor.webhooks")), "{fix:#}");
    shows_no_secret(&report.to_string());
    let (_, out, err) = doctor(&world, &[]).await;
    shows_no_secret(&out);
    shows_no_secret(&err);
    assert!(out.contains("WEBHOOKS  (seen in part)") && out.contains(&command), "{out}");

    // By the server, whose look the command takes over.
    let mut program = well(&world).await;
    world.delete("/webhooks/calls").await;
    let (_, report) = examined(&world, &[]).await;
    assert_eq!(found(&report), expected(&cases), "{report:#}");
    let count = world.get("/webhooks/calls").await["items"].as_array().map(Vec::len);
    let (status, own) = program.get("/v1/doctor").await;
    assert_eq!((status, found(&own)), (200, expected(&cases)));
    assert_eq!(provider_calls(&world).await, questions());
    // Two calls for each application of Avito that is given a token, one for all else: only one of both has asked.
    let once = cases.len() + cases.iter().filter(|case| case.provider == "avito").count() - 1;
    assert_eq!(count, Some(once));
    shows_no_secret(&report.to_string());
    shows_no_secret(&own.to_string());
    shows_no_secret(&program.output());

    // What was mended is found no more.
    let mut mended = json!({ "provider": "telegram_bot", "token": "2:planted-b" });
    mended["webhooks"] = registered(&[EXPECTED]);
    world.put("/webhooks", &mended).await;
    program.advance(Duration::from_secs(6)).await;
    let (_, report) = examined(&world, &[]).await;
    assert!(!found(&report).contains_key("bot_elsewhere"), "{report:#}");
    program.terminate().await;
    shows_no_secret(&program.output());
    assert_eq!(kept_lines(&world, "planted"), "");
    assert_ne!(kept_lines(&world, "a"), "");

    // The doctor changed nothing himself.
    world.put("/webhooks", &accounts["items"][1]).await;
    let sorted = |accounts: &Value| {
        let mut all: Vec<String> =
            accounts["items"].as_array().expect("items").iter().map(Value::to_string).collect();
        all.sort();
        all
    };
    assert_eq!(sorted(&world.get("/webhooks").await), sorted(&accounts));
}

#[tokio::test(flavor = "multi_thread")]
async fn incomplete_webhook_setting_prevents_the_start() {
    let _machine = MACHINE.read().await;
    let world = closed_world().await;
    world.edit_settings(|text| {
        text + "\n[[doctor.webhooks]]\nname = 'shop'\nprovider = 'vk'\nexpect = 'https://example.com/planted'\n\
                token = 'planted'\nprofile_id = 'planted'\n"
    });
    let (code, out, _) = doctor(&world, &["--json"]).await;
    let report: Value = serde_json::from_str(&out).expect("a report");
    assert_eq!(code, Some(1));
    let evidence = super::finding(&report, "settings_wrong")["evidence"].to_string();
    for text in [
        "`doctor.webhooks[0].group_id` is missing",
        "`doctor.webhooks[0].profile_id` belongs to webhooks of whatsapp",
    ] {
        assert!(evidence.contains(text), "{evidence}");
    }
    assert_eq!(section(&report, "webhooks")["unseen"], json!(["the settings cannot be read"]));
    shows_no_secret(&out);
}
