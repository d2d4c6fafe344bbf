//! A session that others use: two programs of Telethon that have one file open at once, as two scripts did.

use std::fs;

use serde_json::{Value, json};

use super::{Foreign, MACHINE, close, examined, finding, findings};
use crate::importing::stage;

/// Opens a session with Telethon and keeps it, as a client does that is connected.
const HOLDS: &str = "\
import sys
from telethon.sessions import SQLiteSession
session = SQLiteSession(sys.argv[1])
assert session.auth_key is not None
session.get_update_state(0)
print('ready', flush=True)
sys.stdin.read()
";

#[tokio::test(flavor = "multi_thread")]
async fn a_session_open_in_two_programs_is_reported_with_both() {
    let _machine = MACHINE.write().await;
    let world = stage::world().await;
    close(&world);
    let folder = world.data_dir("keys");
    fs::create_dir(&folder).expect("made");
    let file = folder.join("moved.session");
    stage::file(&world, &file, &[]).await;
    let path = file.to_str().expect("UTF-8");
    world.edit_settings(|text| {
        let account = format!(
            "\n[[telegram.accounts]]\nname = \"moved\"\napi_id = 1000001\napi_hash = \"0123456789abcdef0123456789abcdef\"\nsessions = [{{ file = \"{path}\" }}]\n"
        );
        text.replacen("\n[legacy]", &format!("{account}\n[legacy]"), 1)
    });
    let is_reported = |report: &Value| findings(report).iter().any(|one| one["code"] == "session_shared");
    assert!(!is_reported(&examined(&world, &["--offline"]).await.1), "no one has it open");

    let one = Foreign::python(HOLDS, &[path]);
    let (_, report) = examined(&world, &["--offline"]).await;
    let shared = finding(&report, "session_shared");
    assert_eq!(shared["severity"], "warning", "it is only this server's too once that runs: {shared:#}");

    let two = Foreign::python(HOLDS, &[path]);
    let (code, report) = examined(&world, &["--offline"]).await;
    let shared = finding(&report, "session_shared");
    assert_eq!((code, &shared["severity"], &shared["subject"]), (Some(1), &json!("error"), &json!(path)));
    assert!(
        shared["summary"].as_str().is_some_and(|text| text.contains("open in 2 programs;")),
        "{shared:#}"
    );
    let evidence = shared["evidence"].as_array().expect("lines");
    assert_eq!(evidence.len(), 2, "{shared:#}");
    for program in [&one, &two] {
        let line = format!("process {}: ", program.pid());
        assert!(
            evidence.iter().any(|text| text.as_str().is_some_and(|text| text.starts_with(&line))),
            "{shared:#}"
        );
    }
    assert_eq!(shared["fix"]["kind"], "advice", "foreign programs are left alone: {shared:#}");

    drop((one, two));
    assert!(!is_reported(&examined(&world, &["--offline"]).await.1), "no one has it open any more");
}
