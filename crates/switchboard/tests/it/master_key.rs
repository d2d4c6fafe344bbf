//! The master key, replaced by the command while the server runs.

use testkit::Start;

use crate::binary;
use crate::shell::cli::{cli, started};

#[tokio::test(flavor = "multi_thread")]
async fn a_command_replaces_the_master_key_of_a_running_server() {
    let (world, mut program) = started(&["main"]).await;
    let file = world.data_dir("data").join("master.key");
    let before = std::fs::read(&file).expect("a key");
    let output = cli(&world, &["master-key", "rotate"]).fine();
    assert!(output.starts_with("The master key was replaced; ") && output.contains("master.key"), "{output}");
    assert_ne!(std::fs::read(&file).expect("a key"), before);
    assert_eq!(program.send("@client_1", "with the new key").await.0, 200);
    program.kill();
    let program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("main", "ready").await;
}
