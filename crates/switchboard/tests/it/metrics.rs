//! `/metrics`: its labels bounded, each metric documented, its numbers moved by real work.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use testkit::{ACCOUNTS, KEY, Program, World};

use crate::shell::cli::started;

/// What labels there are; each has values that are known beforehand, come from the settings or are routes.
const LABELS: [&str; 15] = [
    "account",
    "code",
    "kind",
    "le",
    "listener",
    "method",
    "operation",
    "outcome",
    "result",
    "route",
    "stage",
    "state",
    "status",
    "version",
    "work",
];

/// A page that was read.
#[derive(Debug, Default)]
struct Page {
    /// The kind of each family.
    families: BTreeMap<String, String>,
    samples: BTreeMap<Series, f64>,
}

/// The name of a sample and its labels in order of their names.
type Series = (String, BTreeMap<String, String>);

impl Page {
    /// Reads a page whose labels have no quotes in them. How a family is written is tested in `web`.
    fn read(text: &str) -> Self {
        let mut page = Self::default();
        for line in text.lines() {
            if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
                let again = page.families.insert(name.to_owned(), kind.to_owned());
                assert_eq!(again, None, "{name} is there twice");
            } else if !line.starts_with('#') {
                let (series, value) = line.rsplit_once(' ').expect("a value");
                let value: f64 = value.parse().expect("a number");
                let again = page.samples.insert(series_of(series), value);
                assert!(again.is_none() && value.is_finite() && value >= 0.0, "{line}");
            }
        }
        page
    }

    /// The number of one series; nothing counts as none.
    fn get(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let labels = labels.iter().map(|(label, value)| ((*label).to_owned(), (*value).to_owned())).collect();
        self.samples.get(&(name.to_owned(), labels)).copied().unwrap_or(0.0)
    }
}

/// The name of a sample and its labels.
fn series_of(text: &str) -> Series {
    let (name, labels) = text.trim_end_matches('}').split_once('{').unwrap_or((text, ""));
    let labels = labels.split_terminator("\",").filter_map(|label| label.split_once("=\""));
    let text = |text: &str| text.trim_end_matches('"').to_owned();
    (name.to_owned(), labels.map(|(label, value)| (label.to_owned(), text(value))).collect())
}

async fn scrape(program: &Program) -> (String, Page) {
    let (status, body) = program.get("/metrics").await;
    assert_eq!(status, 200, "{body}");
    let text = body.as_str().expect("a text").to_owned();
    let page = Page::read(&text);
    (text, page)
}

async fn running() -> (World, Program) {
    let (world, program) = started(&ACCOUNTS).await;
    for account in ACCOUNTS {
        program.has_read_dialogs(account).await;
    }
    (world, program)
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_documented_and_name_no_recipient() {
    let (world, program) = running().await;
    assert_eq!(program.send("@client_1", "a secret text").await.0, 200);
    assert_eq!(program.send("@nobody_has_this_name", "Hello").await.0, 404);
    let order = json!({"title": "A secret title", "usernames": ["client_2"]});
    assert_eq!(program.legacy(world.legacy_port(5021), "/create_chat", &order).await.0, 200);
    assert_eq!(program.get("/v1/messages/not_an_id_of_ours").await.0, 404);
    assert_eq!(program.get("/secret_path?secret=1").await.0, 404);

    let answer = program.request("GET", "/metrics").send().await.expect("an answer");
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let (text, page) = scrape(&program).await;
    let used: BTreeSet<&str> =
        page.samples.keys().flat_map(|(_, labels)| labels.keys().map(String::as_str)).collect();
    assert_eq!(used, BTreeSet::from(LABELS), "labels are named here one by one");
    for hidden in ["client_", "nobody_has", "secret", "not_an_id", KEY, "swb_", "+7", "-100", "t.me"] {
        assert!(!text.contains(hidden), "{hidden} is on the page:\n{text}");
    }
    let routes: BTreeSet<&str> =
        page.samples.keys().filter_map(|(_, labels)| labels.get("route").map(String::as_str)).collect();
    assert!(routes.contains("/v1/messages/{id}") && routes.contains("none"), "{routes:?}");

    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    let documented = std::fs::read_to_string(file).expect("docs/metrics.md");
    let documented: BTreeMap<String, String> = documented
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split('|');
            let name = cells.next()?.trim().trim_end_matches('`');
            Some((name.to_owned(), cells.next()?.trim().to_owned()))
        })
        .collect();
    assert_eq!(page.families, documented, "docs/metrics.md lists each metric with its type");
    world.assert_nothing_unknown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_numbers_move_with_what_is_done() {
    let (world, program) = running().await;
    let (_, before) = scrape(&program).await;
    for text in ["one", "two", "three"] {
        assert_eq!(program.send("@client_1", text).await.0, 200);
    }
    assert_eq!(program.send("@nobody_has_this_name", "Hello").await.0, 404);
    let body = json!({"chat": "client_3", "text": "Hello"});
    assert_eq!(program.legacy(world.legacy_port(5022), "/send_text", &body).await.0, 200);
    let order = json!({"title": "Demo", "usernames": ["client_2"]});
    assert_eq!(program.legacy(world.legacy_port(5021), "/create_chat", &order).await.0, 200);
    let (_, after) = scrape(&program).await;

    let grew = |name: &str, labels: &[(&str, &str)], by: f64| {
        let (old, new) = (before.get(name, labels), after.get(name, labels));
        assert!((new - old - by).abs() < f64::EPSILON, "{name} {labels:?}: {old} → {new}, not {by} more");
    };
    grew("switchboard_messages_accepted_total", &[], 5.0);
    grew("switchboard_messages_ended_total", &[("outcome", "sent")], 4.0);
    grew("switchboard_messages_ended_total", &[("outcome", "failed")], 1.0);
    grew("switchboard_messages_ended_total", &[("outcome", "in_doubt")], 0.0);
    grew("switchboard_messages_failed_total", &[("code", "chat_not_found")], 1.0);
    grew("switchboard_messages_failed_total", &[("code", "rejected")], 0.0);
    grew("switchboard_message_duration_seconds_count", &[], 4.0);
    grew("switchboard_messages_in_hand", &[], 0.0);
    grew("switchboard_messages", &[("state", "sending")], 0.0);
    grew("switchboard_operations_accepted_total", &[("kind", "create_chat")], 1.0);
    grew("switchboard_operations_ended_total", &[("kind", "create_chat"), ("outcome", "done")], 1.0);
    grew("switchboard_chat_lookups_total", &[("result", "nobody")], 1.0);
    let port = world.legacy_port(5022).to_string();
    let posted = |listener, route, status| {
        [("listener", listener), ("method", "POST"), ("route", route), ("status", status)]
    };
    grew("switchboard_http_requests_total", &posted("main", "/v1/messages", "2xx"), 3.0);
    grew("switchboard_http_requests_total", &posted("main", "/v1/messages", "4xx"), 1.0);
    grew("switchboard_http_requests_total", &posted(&port, "/send_text", "2xx"), 1.0);
    let timed = [("listener", "main"), ("method", "POST"), ("route", "/v1/messages")];
    grew("switchboard_http_request_duration_seconds_count", &timed, 4.0);

    // The provider says the same of the calls.
    let calls: f64 = ACCOUNTS
        .iter()
        .map(|account| {
            let labels = [("account", *account), ("operation", "send_message"), ("outcome", "answered")];
            after.get("switchboard_provider_calls_total", &labels)
        })
        .sum();
    assert_eq!(format!("{calls}"), world.calls("messages.sendMessage").await.to_string());

    let overhead = |part: &str| after.get(&format!("switchboard_message_overhead_seconds_{part}"), &[]);
    assert!(overhead("count") >= 1.0 && overhead("count") <= 4.0, "{}", overhead("count"));
    let whole = after.get("switchboard_message_duration_seconds_sum", &[]);
    assert!(overhead("sum") > 0.0 && overhead("sum") < whole, "{} of {whole}", overhead("sum"));
    for growing in
        ["switchboard_store_writes_total", "switchboard_store_commits_total", "switchboard_uptime_seconds"]
    {
        assert!(after.get(growing, &[]) > before.get(growing, &[]), "{growing}");
    }
    for present in [
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
        "switchboard_store_database_bytes",
        "switchboard_disk_free_bytes",
        "switchboard_ready",
        "switchboard_store_up",
    ] {
        assert!(after.get(present, &[]) > 0.0, "{present}");
    }
    for account in ["main", "fifth"] {
        assert!(after.get("switchboard_account_lines_up", &[("account", account)]) >= 1.0);
        assert!(after.get("switchboard_account_peers", &[("account", account)]) > 1.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn flood_metric_shows_the_remaining_wait() {
    let (world, program) = running().await;
    let flood = json!({"account": "fifth", "method": "messages.sendMessage", "seconds": 600, "times": 1});
    world.fault("flood_wait", flood).await;
    let order = json!({"chat": "@client_1", "text": "Hello", "account": "fifth", "wait": 0});
    let (status, sent) = program.post("/v1/messages", &order).await;
    assert_eq!(status, 202, "{sent}");
    program.account_is("fifth", "flood_wait").await;
    let (_, page) = scrape(&program).await;
    let left = page.get(
        "switchboard_account_flood_remaining_seconds",
        &[("account", "fifth"), ("operation", "send_message")],
    );
    assert!(left > 500.0 && left <= 600.0, "{left}");
    let flooded = [("account", "fifth"), ("operation", "send_message"), ("outcome", "flood_wait")];
    assert!((page.get("switchboard_provider_calls_total", &flooded) - 1.0).abs() < f64::EPSILON);
    for (account, expected) in [("main", "ready"), ("fifth", "flood_wait")] {
        let shown: Vec<&str> = page
            .samples
            .iter()
            .filter(|((name, labels), number)| {
                name == "switchboard_account_state" && labels["account"] == account && **number > 0.0
            })
            .map(|((_, labels), _)| labels["state"].as_str())
            .collect();
        assert_eq!(shown, [expected], "{account}");
    }
    let held: f64 =
        ["queued", "sending"].iter().map(|state| page.get("switchboard_messages", &[("state", state)])).sum();
    assert!((held - 1.0).abs() < f64::EPSILON, "{held}");
}

#[tokio::test(flavor = "multi_thread")]
async fn uptime_ignores_a_clock_set_back() {
    let (_world, program) = running().await;
    program.advance(Duration::from_hours(2)).await;
    let uptime = async || scrape(&program).await.1.get("switchboard_uptime_seconds", &[]);
    let before = uptime().await;
    assert!(before >= 7200.0, "{before}");
    program.set_back(Duration::from_hours(1)).await;
    let after = uptime().await;
    assert!((before..before + 60.0).contains(&after), "{before}, then {after}");
    let (_, report) = program.get("/v1/doctor").await;
    let facts = report["sections"][0]["facts"].as_array().expect("facts");
    let up = facts.iter().find(|fact| fact["name"] == "server").expect("the server")["value"].to_string();
    assert!(up.contains("up for 2 h"), "{up}");
}
