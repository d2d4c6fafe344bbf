//! The program on a world's settings, and its command line on the same data.

use std::process::{Command, Stdio};

use testkit::{Program, Start, World};

use crate::binary;

/// A command on a data directory of a world.
pub(crate) fn command(world: &World, data: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(arguments).arg("--config").arg(world.settings_file());
    command.arg("--data-dir").arg(world.data_dir(data)).stdin(Stdio::null());
    command
}

/// Runs it; its exit code, and all it printed.
pub(crate) fn ran(command: &mut Command) -> (Option<i32>, String) {
    let ran = command.output().expect("runs");
    (ran.status.code(), String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned())
}

/// Runs a command on the data directory `data` that has to go well; all it printed.
pub(crate) fn fine(world: &World, arguments: &[&str]) -> String {
    let (code, printed) = ran(&mut command(world, "data", arguments));
    assert_eq!(code, Some(0), "{arguments:?}: {printed}");
    printed
}

/// Starts the program on a world; these accounts are ready.
pub(crate) async fn running(world: &World, accounts: &[&str]) -> Program {
    let program = Start::on(world, binary(), "data").ready().await;
    for account in accounts {
        program.account_is(account, "ready").await;
    }
    program
}

/// Starts a world and the program on it; these accounts are ready.
pub(crate) async fn started(accounts: &[&str]) -> (World, Program) {
    let world = World::start(binary()).await;
    let program = running(&world, accounts).await;
    (world, program)
}
