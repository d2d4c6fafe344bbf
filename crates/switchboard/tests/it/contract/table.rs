//! The table of cases, called by both clients.

use serde_json::json;

use super::cases;
use super::stage::Stage;
use crate::python;

const PORTS: [u16; 8] = [5021, 5022, 5023, 5024, 5025, 5028, 5029, 5030];

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_n8n_get_the_same_answers_in_every_case() {
    let stage = Stage::plain().await;
    let mut misfits = Vec::new();
    for case in cases::all(&stage).await {
        if let Some(misfit) = cases::tried(&stage, &case).await {
            misfits.push(format!("{} {}: {misfit}", case["port"], case["name"]));
        }
    }
    assert!(misfits.is_empty(), "{} cases do not fit:\n{}", misfits.len(), misfits.join("\n"));
    stage.world.assert_nothing_unknown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_python_get_the_same_answers_in_every_case() {
    let stage = Stage::plain().await;
    let ports: serde_json::Map<_, _> =
        PORTS.iter().map(|old| (old.to_string(), json!(stage.port(*old)))).collect();
    let table = json!({
        "control": stage.world.control(),
        "ports": ports,
        "cases": cases::all(&stage).await,
    });
    let file = stage.world.data_dir("cases.json");
    std::fs::write(&file, table.to_string()).expect("writes");
    let printed = python::run("caller.py", &[file.to_str().expect("UTF-8")]).await;
    assert!(printed.trim_end().ends_with("all fit"), "{printed}");
    stage.world.assert_nothing_unknown().await;
}
