//! The files of `deploy/` name settings, ports, calls and metrics that the program has.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use config::Settings;
use serde_json::Value;

use crate::calls::Description;
use crate::python;
use crate::shell::cli::{cli, started};

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names in a text that begin so.
fn names<'a>(text: &'a str, prefixes: &[&str]) -> BTreeSet<&'a str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .filter(|word| prefixes.iter().any(|prefix| word.starts_with(prefix)))
        .collect()
}

#[test]
fn compose_runs_on_settings_that_are_understood() {
    let folder = tempfile::tempdir().expect("a folder");
    let [url, settings] = ["store-url", "switchboard.toml"].map(|name| folder.path().join(name));
    fs::write(&url, "postgres://switchboard:demo@postgres/switchboard").expect("written");
    let text = read("deploy/switchboard.toml").replace("/run/secrets/store-url", &url.display().to_string());
    fs::write(&settings, text).expect("written");
    let settings = Settings::load(Some(&settings), []).expect("understood");
    let compose = read("deploy/compose.yaml");
    let (_, network) = compose.split_once("subnet: ").expect("a network");
    let network = network.split_whitespace().next().expect("a network");
    let trusted: Vec<_> = settings.trusted_proxies.iter().map(ToString::to_string).collect();
    assert!(trusted.iter().any(|known| known == network), "{network} is not in {trusted:?}");
}

#[test]
fn variables_of_the_image_are_settings() {
    let known = read("docs/settings.md") + &read("docs/settings-guide.md");
    let known = names(&known, &["SWITCHBOARD_"]);
    for file in ["deploy/Dockerfile", "deploy/compose.yaml"] {
        let text = read(file);
        let unknown: Vec<_> = names(&text, &["SWITCHBOARD_"]).difference(&known).copied().collect();
        assert!(unknown.is_empty(), "{file} sets {unknown:?}");
    }
}

#[test]
fn the_image_has_nothing_beneath_it_and_no_root() {
    let text = read("deploy/Dockerfile");
    let (_, last) = text.rsplit_once("\nFROM ").expect("stages");
    assert_eq!(last.lines().next(), Some("scratch"));
    let user = last.lines().filter_map(|line| line.strip_prefix("USER ")).next_back().expect("a user");
    let number = user.split(':').next().and_then(|number| number.trim().parse::<u32>().ok());
    assert!(number.is_some_and(|number| number != 0), "{user}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_health_check_of_the_image_sees_a_server_that_runs() {
    let text = read("deploy/Dockerfile");
    let (_, check) = text.split_once("\nHEALTHCHECK ").expect("a health check");
    let (_, check) = check.lines().next().and_then(|line| line.split_once(" CMD ")).expect("a command");
    let check: Vec<String> = serde_json::from_str(check).expect("a list");
    let [program, arguments @ ..] = check.as_slice() else { panic!("{check:?}") };
    assert_eq!(program, "/usr/bin/switchboard");
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let (world, mut program) = started(&["main"]).await;
    assert_eq!(cli(&world, &arguments).run().fine(), "The server is ready.\n");
    assert_eq!(program.terminate().await, Some(0));
    let ended = cli(&world, &arguments).run();
    assert_eq!(ended.code, Some(1), "{ended:?}");
}

/// A container that grows, hangs or writes without end takes no other with it.
#[test]
fn services_have_limits_and_health_checks() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/compose.yaml");
    let mut python = Command::new(python::path());
    python.args(["-c", "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))"]);
    let output = python.arg(file).output().expect("Python");
    let compose: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let services = compose["services"].as_object().expect("services");
    assert_eq!(services.len(), 3, "{compose}");
    for (name, service) in services {
        for limit in ["/mem_limit", "/healthcheck/test/0", "/logging/options/max-size", "/restart"] {
            assert!(service.pointer(limit).is_some_and(Value::is_string), "{name} has no {limit}");
        }
    }
}

#[test]
fn proxies_pass_on_to_the_port_of_the_program() {
    let listen = Settings::load(None, []).expect("the defaults").listen;
    let port = listen.port().to_string();
    for file in ["Dockerfile", "Caddyfile", "nginx.conf", "switchboard.toml"] {
        assert!(read(&format!("deploy/{file}")).contains(&port), "{file} does not name {port}");
    }
}

#[test]
fn comments_for_nginx_name_settings_that_there_are() {
    let (known, text) = (read("docs/settings.md"), read("deploy/nginx.conf"));
    let comments = text.lines().filter_map(|line| line.trim().strip_prefix('#'));
    let quoted: Vec<_> = comments.flat_map(|comment| comment.split('`').skip(1).step_by(2)).collect();
    assert!(!quoted.is_empty());
    for name in quoted.iter().filter_map(|words| words.split_whitespace().next()) {
        assert!(known.contains(&format!("| `{name}` |")), "{name} is no setting");
    }
}

/// The ports of addresses in a text, of four digits each.
fn ports(text: &str) -> BTreeSet<&str> {
    let after = text.match_indices(':').filter_map(|(at, _)| text.get(at + 1..));
    let digits = after.filter_map(|rest| rest.split(|letter: char| !letter.is_ascii_digit()).next());
    digits.filter(|port| port.len() == 4).collect()
}

/// Whether the page of the old ports has this call of this port.
fn is_old(page: &str, port: &str, call: &str) -> bool {
    page.lines().any(|line| line.starts_with(&format!("| {port} |")) && line.contains(call))
}

#[test]
fn workflows_call_ports_and_paths_that_there_are() {
    let main = Settings::load(None, []).expect("the defaults").listen.port().to_string();
    let (old, description) = (read("docs/old-ports.md"), Description::print());
    let mut calls = 0;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/n8n");
    for entry in fs::read_dir(folder).expect("the workflows") {
        let file = format!("deploy/n8n/{}", entry.expect("reads").file_name().to_string_lossy());
        let text = read(&file);
        let named = ports(&text);
        for port in &named {
            assert!(*port == main || is_old(&old, port, ""), "{file} names the port {port}");
        }
        let workflow: Value = serde_json::from_str(&text).expect("JSON");
        for node in workflow["nodes"].as_array().expect("nodes") {
            let Some(url) = node["parameters"]["url"].as_str() else { continue };
            let method = node["parameters"]["method"].as_str().unwrap_or("GET");
            let url = url.split('?').next().unwrap_or_default();
            let is_there = if let Some(at) = url.find("/v1/") {
                description.has(Some(method), &url[at..])
            } else {
                let path = url.rsplit_once("}}").map_or(url, |(_, path)| path);
                let path = path.find('/').map_or("", |at| &path[at..]);
                let of_url = ports(url);
                let called = if of_url.is_empty() { &named } else { &of_url };
                called.iter().any(|port| is_old(&old, port, &format!("`{method} {path}`")))
            };
            assert!(is_there, "{file} calls {method} {url}");
            calls += 1;
        }
    }
    assert!(calls > 10, "only {calls} calls were found");
}

#[test]
fn panels_draw_metrics_that_there_are() {
    let (metrics, dashboard) = (read("docs/metrics.md"), read("deploy/grafana/switchboard.json"));
    let panels: Value = serde_json::from_str(&dashboard).expect("JSON");
    let known = names(&metrics, &["switchboard_", "process_"]);
    for panel in panels["panels"].as_array().expect("panels") {
        for target in panel["targets"].as_array().expect("targets") {
            let expression = target["expr"].as_str().expect("an expression");
            let drawn = names(expression, &["switchboard_", "process_"]);
            assert!(!drawn.is_empty(), "{expression}");
            for name in drawn {
                let family = name.strip_suffix("_bucket").unwrap_or(name);
                assert!(known.contains(family), "{} draws {name}", panel["title"]);
            }
        }
    }
}
