//! What the doctor tries to reach: data centres, providers, mail servers and webhooks of alerts. He connects, and says nothing.

use std::io::Read;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use testkit::free_port;

use super::{MACHINE, closed_world, examined, finding, findings, section, well, wrong};

/// A label of a name may have 63 letters: this name is refused before any name server is asked.
fn no_name() -> String {
    format!("{}.example.com", "x".repeat(64))
}

/// Takes connections and keeps what it hears on each until that one is closed.
fn listen() -> (u16, Arc<Mutex<Vec<Vec<u8>>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let port = listener.local_addr().expect("an address").port();
    let received = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&received);
    std::thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let mut bytes = Vec::new();
            let _ = connection.read_to_end(&mut bytes);
            kept.lock().expect("lock").push(bytes);
        }
    });
    (port, received)
}

/// The finding whose summary names an alert target.
fn about<'a>(report: &'a Value, target: &str) -> &'a Value {
    let named = format!("The alert target {target} ");
    let mut found = findings(report)
        .into_iter()
        .filter(|one| one["summary"].as_str().is_some_and(|text| text.starts_with(&named)));
    let one = found.next().unwrap_or_else(|| panic!("nothing of {target}: {report:#}"));
    assert!(found.next().is_none(), "{target} is there twice: {report:#}");
    one
}

#[tokio::test(flavor = "multi_thread")]
async fn unreachable_alert_targets_are_found_without_an_alert() {
    let _machine = MACHINE.read().await;
    let world = closed_world().await;
    let (open, received) = listen();
    let (closed, made) = (free_port(), free_port());
    let name = no_name();
    world.edit_settings(|text| {
        format!(
            "{text}\n[events]\nallow_private = [\"127.0.0.0/8\"]\n\
             [[alerts.targets]]\nname = \"open\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:{open}/planted\"\n\
             [[alerts.targets]]\nname = \"closed\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:{closed}/planted\"\n\
             [[alerts.targets]]\nname = \"mail\"\nkind = \"email\"\nsmtp = \"smtps://demo:planted@{name}\"\n\
             from = \"alerts@example.com\"\nto = [\"owner@example.com\"]\n\
             [[alerts.targets]]\nname = \"chat\"\nkind = \"telegram\"\nchat = \"@client_1\"\n"
        )
    });
    let mut program = well(&world).await;
    let url = format!("http://127.0.0.1:{made}/planted");
    let (status, added) =
        program.post("/v1/alert-targets", &json!({"name": "made", "kind": "webhook", "url": url})).await;
    assert_eq!(status, 201, "{added}");

    // By the server itself, who also knows what was made while it runs.
    let (code, report) = examined(&world, &[]).await;
    let mut codes = wrong(&report);
    codes.sort_unstable();
    let unreachable = "address_unreachable";
    assert_eq!((code, codes), (Some(1), vec![unreachable, unreachable, "name_unknown"]), "{report:#}");
    let (closed_one, made_one, mail) =
        (about(&report, "closed"), about(&report, "made"), about(&report, "mail"));
    assert_eq!(closed_one["subject"], format!("127.0.0.1:{closed}"), "{closed_one:#}");
    assert_eq!(closed_one["fix"]["key"], "alerts.targets", "{closed_one:#}");
    assert!(closed_one["evidence"].to_string().contains("refused"), "{closed_one:#}");
    let command = made_one["fix"]["command"].as_str().expect("a command");
    assert!(command.starts_with("switchboard alert targets test made "), "{made_one:#}");
    assert_eq!((&mail["code"], &mail["subject"]), (&json!("name_unknown"), &json!(format!("{name}:465"))));
    assert_eq!(mail["fix"]["command"], format!("getent hosts {name}"), "{mail:#}");
    let reached = section(&report, "network")["facts"].as_array().expect("facts");
    let open_one = reached.iter().find(|fact| fact["name"] == format!("127.0.0.1:{open}")).expect("reached");
    assert!(
        open_one["value"].as_str().is_some_and(|text| text.starts_with("the alert target open: reached in ")),
        "{open_one:#}"
    );
    assert!(!report.to_string().contains("planted"), "{report:#}");

    // And by the command, while no server runs.
    program.terminate().await;
    let (_, report) = examined(&world, &[]).await;
    assert_eq!(about(&report, "closed")["code"], unreachable);
    assert_eq!(about(&report, "mail")["code"], "name_unknown");
    assert_eq!(about(&report, "made")["subject"], format!("127.0.0.1:{made}"), "it lies beside the store");
    assert_eq!(section(&report, "network")["looked"], "wholly");
    // Where it cannot be read, that is said.
    std::fs::rename(world.data_dir("data").join("master.key"), world.data_dir("master.key")).expect("moved");
    let (_, report) = examined(&world, &[]).await;
    let network = section(&report, "network");
    assert_eq!(network["looked"], "partly");
    assert!(
        network["unseen"][0]
            .as_str()
            .is_some_and(|why| why.starts_with("alert targets that were made while")),
        "{network:#}"
    );
    // Each examination opens one connection, which is closed again without a word.
    let begun = std::time::Instant::now();
    while begun.elapsed() < std::time::Duration::from_mins(1) {
        if received.lock().expect("lock").len() >= 3 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(*received.lock().expect("lock"), vec![Vec::<u8>::new(); 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn unreachable_providers_are_reported_by_address() {
    let _machine = MACHINE.read().await;
    let world = closed_world().await;
    let (closed, name) = (free_port(), no_name());
    let control = world.control();
    world.put("/webhooks", &json!({"provider": "max", "token": "planted-here"})).await;
    world.edit_settings(|text| {
        let webhook = |called: &str, api: &str| {
            format!(
                "[[doctor.webhooks]]\nname = \"{called}\"\nprovider = \"max\"\napi = \"{api}\"\n\
                 expect = \"https://example.com/planted\"\ntoken = \"planted-{called}\"\n"
            )
        };
        let away = format!("http://127.0.0.1:{closed}/planted");
        let webhooks = [
            webhook("here", &format!("{control}/providers/max")),
            webhook("closed", &away),
            webhook("closed_too", &away),
            webhook("nowhere", &format!("https://{name}/planted")),
        ];
        format!("{text}\n{}", webhooks.concat())
    });
    let (code, report) = examined(&world, &[]).await;
    assert_eq!(code, Some(1), "{report:#}");
    let network = section(&report, "network");
    let found: Vec<(&Value, &Value, &Value)> = network["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .map(|one| (&one["code"], &one["severity"], &one["subject"]))
        .collect();
    let expected = [
        (json!("name_unknown"), json!("error"), json!(format!("{name}:443"))),
        (json!("address_unreachable"), json!("warning"), json!(format!("127.0.0.1:{closed}"))),
    ];
    let expected: Vec<_> =
        expected.iter().map(|(code, severity, subject)| (code, severity, subject)).collect();
    assert_eq!(found, expected, "{network:#}");
    let away = finding(&report, "address_unreachable");
    assert_eq!(away["summary"], format!("The API of MAX cannot be reached at 127.0.0.1:{closed}."));
    assert_eq!(away["fix"]["key"], "doctor.webhooks", "{away:#}");
    let evidence = away["evidence"].to_string();
    assert!(evidence.contains("refused") && evidence.contains("closed, closed_too"), "{away:#}");
    assert_eq!(finding(&report, "name_unknown")["fix"]["command"], format!("getent hosts {name}"));
    let here = control.strip_prefix("http://").expect("an address");
    let facts = network["facts"].as_array().expect("facts");
    let reached = facts.iter().find(|fact| fact["name"] == *here).expect("reached");
    assert!(
        reached["value"].as_str().is_some_and(|text| text.starts_with("the API of MAX: reached in ")),
        "{reached:#}"
    );
    assert!(!report.to_string().contains("planted"), "{report:#}");
    // With `--offline` nothing is tried.
    let (_, report) = examined(&world, &["--offline"]).await;
    assert_eq!(section(&report, "network")["looked"], "not");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_unreachable_data_centre_is_a_warning() {
    let _machine = MACHINE.read().await;
    let world = closed_world().await;
    let away = |text: String, centre: &str, port: u16| {
        let (before, rest) = text.split_once(&format!("{{ id = {centre}, address = \"")).expect("a centre");
        let (_, after) = rest.split_once('"').expect("its end");
        format!("{before}{{ id = {centre}, address = \"127.0.0.1:{port}\"{after}")
    };
    let (fourth, second) = (free_port(), free_port());
    world.edit_settings(|text| away(text, "4", fourth));
    let mut program = well(&world).await;
    let (code, report) = examined(&world, &[]).await;
    assert_eq!((code, wrong(&report)), (Some(1), vec!["telegram_unreachable"]), "{report:#}");
    let found = finding(&report, "telegram_unreachable");
    assert_eq!(
        (&found["severity"], &found["subject"], &found["summary"]),
        (
            &json!("warning"),
            &json!(format!("127.0.0.1:{fourth}")),
            &json!(format!("Telegram's data centre 4 cannot be reached at 127.0.0.1:{fourth}."))
        )
    );
    program.terminate().await;

    world.edit_settings(|text| away(text, "2", second));
    let (_, report) = examined(&world, &[]).await;
    let severities: Vec<&Value> = findings(&report)
        .into_iter()
        .filter(|one| one["code"] == "telegram_unreachable")
        .map(|one| &one["severity"])
        .collect();
    assert_eq!(severities, ["error"], "what is the same is reported once: {report:#}");
}
