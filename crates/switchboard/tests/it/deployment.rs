//! The files of `deploy/` name settings, ports and metrics that the program has.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use config::Settings;

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
    Settings::load(Some(&settings), []).expect("understood");
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
fn proxies_pass_on_to_the_port_of_the_program() {
    let listen = Settings::load(None, []).expect("the defaults").listen;
    let port = listen.port().to_string();
    for file in ["Dockerfile", "Caddyfile", "nginx.conf", "switchboard.toml"] {
        assert!(read(&format!("deploy/{file}")).contains(&port), "{file} does not name {port}");
    }
}

#[test]
fn panels_draw_metrics_that_there_are() {
    let (metrics, dashboard) = (read("docs/metrics.md"), read("deploy/grafana/switchboard.json"));
    let panels: serde_json::Value = serde_json::from_str(&dashboard).expect("JSON");
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
