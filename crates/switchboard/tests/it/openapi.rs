//! The description of the API holds: Schemathesis makes requests from it, right and wrong ones, and judges every answer.

use std::env;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use testkit::{KEY, Program, Start, World};

use crate::{binary, python};

/// What one call of it may take.
const TIMEOUT: Duration = Duration::from_mins(20);

/// How many requests it makes up for each operation in a run of the slow tests.
const SLOW_EXAMPLES: &str = "50";

/// What it does in a quick run. The phases that are left out try each bound of each parameter, and calls that follow each other.
const QUICK_PHASES: &str = "examples,fuzzing";

/// Actions stop accounts and services. They are asked for last, so that the rest finds everything running.
const ACTIONS: &str = "/actions/";

/// Runs Schemathesis against the program with further arguments.
async fn judge(program: &Program, arguments: &[&str]) -> Output {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python");
    let folder = tempfile::tempdir().expect("a folder");
    let is_slow = env::var_os("SWITCHBOARD_TEST_SLOW").is_some();
    let running = tokio::process::Command::new(python::path())
        .args(["-c", "from schemathesis.cli import schemathesis; schemathesis()"])
        .arg("--config-file")
        .arg(scripts.join("schemathesis.toml"))
        .args(["run", &format!("{}/openapi.json", program.address())])
        .args(["--header", &format!("X-API-Key: {KEY}"), "--no-color", "--warnings", "off"])
        .args(arguments)
        .args(if is_slow { ["--max-examples", SLOW_EXAMPLES] } else { ["--phases", QUICK_PHASES] })
        // What it makes up must not lead to other machines.
        .env("SCHEMATHESIS_HOOKS", "loopback")
        .env("PYTHONPATH", &scripts)
        // It keeps what it learns in the folder it is run in.
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    tokio::time::timeout(TIMEOUT, running).await.expect("Schemathesis ends in time").expect("Python starts")
}

/// Fails unless it found nothing, in all the operations that it was to try; returns how many those were.
fn tried(output: &Output) -> usize {
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
    let count = |word: &str| {
        let line = printed.lines().find_map(|line| line.trim().strip_prefix(word));
        let number = line.and_then(|rest| rest.trim().split('/').next()?.parse::<usize>().ok());
        number.unwrap_or_else(|| panic!("it does not say what was {word}:\n{printed}"))
    };
    assert_eq!(count("Tested:"), count("Selected:"), "{printed}");
    count("Tested:")
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_as_described_from_accounts_to_conversations() {
    answers_are_as_described("^/v1/[a-c]", is_up_to_c).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_as_described_from_do_not_contact_on() {
    answers_are_as_described("^/(?!v1/[a-c])", |path| !is_up_to_c(path)).await;
}

fn is_up_to_c(path: &str) -> bool {
    path.strip_prefix("/v1/").is_some_and(|rest| rest.starts_with(['a', 'b', 'c']))
}

/// Whatever is asked of the operations whose paths a regular expression and the same condition in Rust name.
async fn answers_are_as_described(paths: &str, are_meant: impl Fn(&str) -> bool) {
    let world = World::start(binary()).await;
    let mut program = Start::on(&world, binary(), "data").ready().await;
    program.has_read_dialogs("main").await;
    // Past the first seconds, in which an account that connects makes `/health/ready` answer 503.
    program.advance(Duration::from_secs(10)).await;

    let others = ["--include-path-regex", paths, "--exclude-path-regex", ACTIONS];
    let work = tried(&judge(&program, &others).await);
    let actions = tried(&judge(&program, &["--include-path-regex", &format!("{paths}.*{ACTIONS}")]).await);
    let (_, described) = program.get("/openapi.json").await;
    let routes = described["paths"].as_object().expect("paths").iter();
    let routes = routes.filter(|(path, _)| are_meant(path));
    let operations: usize = routes.map(|(_, route)| route.as_object().expect("methods").len()).sum();
    assert_eq!(work + actions, operations, "every operation was tried");

    // The wrong keys among what was tried are forgotten in a minute; where it was tried quickly, not yet.
    program.advance(Duration::from_mins(1)).await;
    let (status, reply) = program.get("/v1/messages?limit=1").await;
    assert_eq!(status, 200, "it still serves: {reply}");
    assert!(!program.output().contains("panicked"), "no handler broke");
    assert_eq!(program.terminate().await, Some(0), "and it ends well");
    world.assert_nothing_unknown().await;
}
