//! `/metrics`: its format read strictly, its labels bounded, its numbers moved by real work.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use testkit::{ACCOUNTS, KEY, Program, World};

use crate::shell::cli::started;

/// What labels there are; each has values that are known beforehand, come from the settings or are routes.
const LABELS: [&str; 14] = [
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
    /// Reads a page; says what is wrong with it.
    fn read(text: &str) -> Result<Self, String> {
        let mut page = Self::default();
        let mut helped: Option<&str> = None;
        let mut family: Option<(&str, &str)> = None;
        if !text.ends_with('\n') {
            return Err("the last line does not end".to_owned());
        }
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').ok_or(format!("no help: {line}"))?;
                if help.trim().is_empty() || !is_name(name) {
                    return Err(format!("a bad help: {line}"));
                }
                (helped, family) = (Some(name), None);
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').ok_or(format!("no type: {line}"))?;
                let fits = match kind {
                    "counter" => name.ends_with("_total"),
                    "gauge" | "histogram" => {
                        !["_total", "_count", "_sum", "_bucket"].iter().any(|end| name.ends_with(end))
                    }
                    _ => false,
                };
                let again = page.families.insert(name.to_owned(), kind.to_owned()).is_some();
                if helped.take() != Some(name) || again || !fits || !has_good_unit(name) {
                    return Err(format!("a bad type: {line}"));
                }
                family = Some((name, kind));
            } else {
                let (series, value) = read_sample(line).ok_or(format!("a bad sample: {line}"))?;
                let (name, kind) = family.ok_or(format!("a sample without a type: {line}"))?;
                let suffix = series.0.strip_prefix(name).ok_or(format!("of another family: {line}"))?;
                let fits = match kind {
                    "histogram" => matches!(suffix, "_bucket" | "_sum" | "_count"),
                    _ => suffix.is_empty(),
                };
                if !fits || (suffix == "_bucket") != series.1.contains_key("le") {
                    return Err(format!("a sample that does not fit its type: {line}"));
                }
                if !value.is_finite() || value < 0.0 || page.samples.insert(series, value).is_some() {
                    return Err(format!("a bad number, or a second one: {line}"));
                }
            }
        }
        page.check_histograms()?;
        Ok(page)
    }

    /// The buckets are counted from below and end with all of them.
    fn check_histograms(&self) -> Result<(), String> {
        let mut buckets: BTreeMap<Series, Vec<(f64, f64)>> = BTreeMap::new();
        for ((name, labels), count) in &self.samples {
            if let Some(family) = name.strip_suffix("_bucket") {
                let mut labels = labels.clone();
                let bound = labels.remove("le").unwrap_or_default();
                let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().map_err(|_| bound)? };
                buckets.entry((family.to_owned(), labels)).or_default().push((bound, *count));
            }
        }
        for ((family, labels), mut buckets) in buckets {
            buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
            let rises = buckets.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
            let last = buckets.last().copied();
            let count = self.samples.get(&(format!("{family}_count"), labels.clone())).copied();
            let sum = self.samples.get(&(format!("{family}_sum"), labels.clone()));
            if !rises || sum.is_none() || last != count.map(|count| (f64::INFINITY, count)) {
                return Err(format!("a bad histogram: {family} {labels:?}"));
            }
        }
        Ok(())
    }

    /// The number of one series; nothing counts as none.
    fn get(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let labels = labels.iter().map(|(label, value)| ((*label).to_owned(), (*value).to_owned())).collect();
        self.samples.get(&(name.to_owned(), labels)).copied().unwrap_or(0.0)
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|letter: char| letter.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Base units only, and a prefix that says whose it is.
fn has_good_unit(name: &str) -> bool {
    let words: Vec<&str> = name.split('_').collect();
    let wrong = ["ms", "millis", "milliseconds", "micros", "minutes", "kb", "mb", "kilobytes", "percent"];
    matches!(words[0], "switchboard" | "process") && !words.iter().any(|word| wrong.contains(word))
}

fn read_sample(line: &str) -> Option<(Series, f64)> {
    let end = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = BTreeMap::new();
    if let Some(mut inside) = rest.strip_prefix('{') {
        loop {
            let (label, value) = inside.split_once("=\"")?;
            let mut read = String::new();
            let mut letters = value.char_indices();
            let after = loop {
                match letters.next()? {
                    (at, '"') => break at + 1,
                    (_, '\\') => read.push(match letters.next()?.1 {
                        'n' => '\n',
                        escaped @ ('\\' | '"') => escaped,
                        _ => return None,
                    }),
                    (_, letter) => read.push(letter),
                }
            };
            if !is_name(label) || labels.insert(label.to_owned(), read).is_some() {
                return None;
            }
            let value = &value[after..];
            let Some(more) = value.strip_prefix(',') else {
                rest = value.strip_prefix('}')?;
                break;
            };
            inside = more;
        }
    }
    let number = rest.strip_prefix(' ')?;
    if !is_name(name) || number.contains(' ') {
        return None;
    }
    Some(((name.to_owned(), labels), number.parse().ok()?))
}

async fn scrape(program: &Program) -> (String, Page) {
    let (status, body) = program.get("/metrics").await;
    assert_eq!(status, 200, "{body}");
    let text = body.as_str().expect("a text").to_owned();
    let page = Page::read(&text).unwrap_or_else(|wrong| panic!("{wrong}\n{text}"));
    (text, page)
}

async fn running() -> (World, Program) {
    let (world, program) = started(&ACCOUNTS).await;
    for account in ACCOUNTS {
        program.has_read_dialogs(account).await;
    }
    (world, program)
}

#[test]
fn metrics_reader_is_strict() {
    let right = "# HELP process_a_total A.\n# TYPE process_a_total counter\nprocess_a_total{x=\"1\",y=\"\\\"\\\\\\n\"} 5\n\
        # HELP process_b_seconds B.\n# TYPE process_b_seconds histogram\nprocess_b_seconds_bucket{le=\"0.5\"} 1\n\
        process_b_seconds_bucket{le=\"+Inf\"} 2\nprocess_b_seconds_sum 9.5\nprocess_b_seconds_count 2\n";
    let page = Page::read(right).expect("is right");
    assert!((page.get("process_a_total", &[("x", "1"), ("y", "\"\\\n")]) - 5.0).abs() < f64::EPSILON);
    for (from, to) in [
        ("# TYPE process_a_total counter\n", ""),
        ("counter", "gauge"),
        ("# HELP process_a_total A.\n", ""),
        ("process_a_total{", "process_c_total{"),
        ("y=", "x="),
        ("\\\\", "\\w"),
        ("} 5", "} five"),
        ("} 5", "} -5"),
        ("} 5", "} 5 1700000000"),
        ("le=\"+Inf\"} 2", "le=\"+Inf\"} 3"),
        ("le=\"0.5\"} 1", "le=\"0.5\"} 3"),
        ("process_b_seconds_sum 9.5\n", ""),
        ("process_b_seconds", "process_b_ms"),
        ("process_b", "other_b"),
        ("\nprocess_b_seconds_count", "\n\nprocess_b_seconds_count"),
    ] {
        let wrong = right.replace(from, to);
        assert_ne!(wrong, right, "{from}");
        assert!(Page::read(&wrong).is_err(), "{wrong}");
    }
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
async fn log_lines_that_are_kept_are_counted_with_the_room_they_take() {
    let (_world, program) = running().await;
    let kept = |page: &Page| page.get("switchboard_log_lines_total", &[("result", "kept")]);
    // They are written a moment after they are logged.
    program.until("lines are kept", async || kept(&scrape(&program).await.1) > 0.0).await;
    let (_, page) = scrape(&program).await;
    let (bytes, budget) =
        (page.get("switchboard_log_bytes", &[]), page.get("switchboard_log_budget_bytes", &[]));
    assert!(0.0 < bytes && bytes < budget, "{bytes} of {budget}");
    for result in ["dropped", "lost"] {
        assert!(page.get("switchboard_log_lines_total", &[("result", result)]) < 1.0, "{result}");
    }
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
async fn work_that_goes_to_another_account_is_counted() {
    let (world, program) = running().await;
    let flood = json!({"account": "main", "method": "channels.createChannel", "seconds": 3600});
    world.fault("flood_wait", flood).await;
    let (status, made) = program.post("/v1/chats", &json!({"title": "Order"})).await;
    assert_eq!((status, &made["account"]), (201, &json!("backup_1")), "{made}");
    let (_, page) = scrape(&program).await;
    let failovers = |work| format!("{}", page.get("switchboard_failovers_total", &[("work", work)]));
    assert_eq!((failovers("operation"), failovers("message")), ("1".to_owned(), "0".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_may_read_is_needed_except_on_the_control_socket() {
    let (world, program) = running().await;
    let (_, made) = program.post("/v1/keys", &json!({"name": "sends", "scopes": ["send"]})).await;
    let sends = made["key"].as_str().expect("a key").to_owned();
    let (_, made) = program.post("/v1/keys", &json!({"name": "reads", "scopes": ["read"]})).await;
    let reads = made["key"].as_str().expect("a key").to_owned();
    assert_eq!(program.status_with(&sends, "/metrics").await, 403);
    assert_eq!(program.status_with(&reads, "/metrics").await, 200);
    assert_eq!(program.status_with("swb_nobody_has_this_key", "/metrics").await, 401);
    let http = reqwest::Client::builder().build().expect("a client");
    let bare = http.get(format!("{}/metrics", program.address())).send().await.expect("an answer");
    assert_eq!(bare.status().as_u16(), 401);
    let socket = world.data_dir("data").join("control.sock");
    let control = reqwest::Client::builder().unix_socket(socket).build().expect("a client");
    let answer = control.get("http://localhost/metrics").send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 200);
    let text = answer.text().await.expect("a text");
    assert!(Page::read(&text).is_ok(), "{text}");
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
