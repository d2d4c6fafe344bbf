//! Starting where something is wrong: the message names it and the way out.

use std::os::unix::fs::PermissionsExt;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use testkit::{Start, World};

use crate::binary;
use crate::secrets::Secrets;

#[tokio::test(flavor = "multi_thread")]
async fn second_process_on_a_data_directory_is_refused() {
    let world = World::start(binary()).await;
    let program = Start::on(&world, binary(), "data").ready().await;
    let (code, output) = Start::on(&world, binary(), "data").refused().await;
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("pid") || output.contains("process"), "{output}");
    let (status, _) = program.get("/health/live").await;
    assert_eq!(status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_terminated_during_its_start_ends_well() {
    let world = World::start(binary()).await;
    let mut program = Start::on(&world, binary(), "data").begun();
    program.said("Data ").await;
    assert_eq!(program.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_database_is_refused_with_the_ways_out() {
    let world = World::start(binary()).await;
    let data = world.data_dir("data");
    let mut program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("main", "ready").await;
    assert_eq!(program.send("@client_1", "once").await.0, 200);
    assert_eq!(program.terminate().await, Some(0));
    for ending in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(data.join(format!("switchboard.db{ending}")));
    }
    // Others could enter meanwhile.
    std::fs::set_permissions(&data, PermissionsExt::from_mode(0o777)).expect("changed");
    let (code, output) = Start::on(&world, binary(), "data").refused().await;
    assert_eq!(code, Some(2), "{output}");
    for way_out in ["switchboard.db is missing", "switchboard restore", "up --begin-empty"] {
        assert!(output.contains(way_out), "{way_out}: {output}");
    }
    assert!(!data.join("switchboard.db").exists());
    assert_eq!(std::fs::metadata(&data).expect("it is there").permissions().mode() & 0o777, 0o700);
    let mut start = Start::on(&world, binary(), "data");
    start.arguments.push("--begin-empty".to_owned());
    let mut program = start.ready().await;
    assert_eq!(program.terminate().await, Some(0));
    Start::on(&world, binary(), "data").ready().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_removed_while_the_program_runs_ends_it() {
    let world = World::start(binary()).await;
    let database = world.data_dir("data").join("switchboard.db");
    let program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("main", "ready").await;
    std::fs::rename(&database, database.with_extension("aside")).expect("moved");
    // The program may have found the loss by itself and closed its port.
    let message = serde_json::json!({ "chat": "@client_1", "text": "lost" });
    if let Ok(answer) = program.request("POST", "/v1/messages").json(&message).send().await {
        assert_eq!(answer.status(), 503);
    }
    let mut ending = program.as_standby();
    ending.said("error: ").await;
    assert_eq!(ending.terminate().await, Some(2), "the service is not started again");
    std::fs::rename(database.with_extension("aside"), &database).expect("moved back");
    let program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("main", "ready").await;
    assert_eq!(program.send("@client_1", "kept").await.0, 200);
    assert_eq!(world.sent().await, ["kept"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_on_a_real_data_directory_is_refused() {
    let world = World::start(binary()).await;
    let data = world.data_dir("data");
    let mut program = Start::on(&world, binary(), "data").ready().await;
    assert_eq!(program.terminate().await, Some(0));
    let demo = |option: &str| {
        let mut start = Start::on(&world, binary(), "data");
        start.arguments.extend(["--sandbox", option].map(str::to_owned));
        start
    };
    let (code, output) = demo("--accept-database").refused().await;
    assert_eq!(code, Some(2), "{output}");
    assert!(output.contains("real customers") && output.contains("without --data-dir"), "{output}");
    assert!(!data.join("sandbox").exists(), "the pretended world is not begun");
    std::fs::write(data.join("store.json"), "damaged").expect("written");
    let (code, output) = Start::on(&world, binary(), "data").refused().await;
    assert!(code == Some(2) && output.contains("store.json is damaged"), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_that_cannot_be_written_is_named() {
    let world = World::start(binary()).await;
    let file = world.data_dir("a-file");
    std::fs::write(&file, "").expect("writes");
    let (code, output) = Start::on(&world, binary(), "a-file/data").refused().await;
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("a-file"), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_names_its_holder_and_is_used_when_free() {
    let world = World::start(binary()).await;
    let holder = std::net::TcpListener::bind(("127.0.0.1", world.legacy_port(5022))).expect("binds");
    let program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("main", "ready").await;
    assert_eq!(program.send("@client_1", "the rest serves").await.0, 200);
    let (_, listeners) = program.get("/v1/listeners").await;
    let taken = listeners["items"]
        .as_array()
        .expect("items")
        .iter()
        .find(|row| {
            row["address"].as_str().is_some_and(|a| a.ends_with(&world.legacy_port(5022).to_string()))
        })
        .expect("the old port is listed");
    assert!(taken.to_string().contains(&std::process::id().to_string()), "names the holder: {taken}");
    drop(holder);
    let port = world.legacy_port(5022);
    program
        .until("the port is taken up", || async {
            program.advance(std::time::Duration::from_secs(5)).await;
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok()
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_appear_nowhere() {
    let world = World::start(binary()).await;
    let mut program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("main", "ready").await;
    program.send("@client_1", "hello").await;
    let accounts = world.get("/telegram/accounts").await;
    program.terminate().await;
    let hex = accounts["items"][0]["sessions"][0]["auth_key"].as_str().expect("a key").to_owned();
    let raw: Vec<u8> =
        (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).expect("hex")).collect();
    let hash = accounts["items"][0]["api_hash"].as_str().expect("a hash").to_owned();
    assert!(!program.output().contains(&hash) && !program.output().contains(testkit::KEY));
    let mut secrets = Secrets::default();
    secrets.plant("session key", &raw[..32]);
    secrets.not_below(&world.data_dir("data"));
    let mode = {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(world.data_dir("data").join("master.key")).expect("exists").permissions().mode()
            & 0o777
    };
    assert_eq!(mode, 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn environment_master_key_never_touches_the_disk() {
    let world = World::start(binary()).await;
    let start = |key: &str| {
        let mut start = Start::on(&world, binary(), "data");
        start.environment.push(("SWITCHBOARD_MASTER_KEY".to_owned(), key.repeat(64)));
        start
    };
    let mut program = start("a").ready().await;
    program.account_is("main", "ready").await;
    program.terminate().await;
    assert!(!world.data_dir("data").join("master.key").exists());
    let (code, output) = start("b").refused().await;
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("key"), "{output}");
}

/// The limits of a process on what a core dump may have, as the system reports them.
fn core_limits(pid: u32) -> Vec<String> {
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).expect("reads");
    let line = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).expect("a limit");
    line.split_whitespace().take(2).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_leaves_no_core_dump() {
    // What this process may have, those that it starts may have too.
    let most = getrlimit(Resource::Core).maximum;
    setrlimit(Resource::Core, Rlimit { current: most, maximum: most }).expect("set");
    if core_limits(std::process::id()).iter().any(|limit| limit == "0") {
        testkit::not_tried("that a crash leaves no core dump: this machine lets no process write one");
        return;
    }
    let world = World::start(binary()).await;
    let program = Start::on(&world, binary(), "data").ready().await;
    assert_eq!(core_limits(program.pid()), ["0", "0"]);
}
