//! Killed in the middle of an import: the next one goes on from there, and the end is the same.

use testkit::{Program, Start, World};

use crate::binary;
use crate::importing::stage::{self, fine, path};

/// Whether a point lies on the way of an import.
pub(super) fn reaches(write: &str) -> bool {
    write.strip_prefix("store.").is_some_and(|write| WRITES.contains(&write))
}

/// The writes that only an import makes.
const WRITES: [&str; 4] = ["import_peers", "import_chats", "import_requests", "import_failovers"];

/// Kills at a point, imports again, and looks at the end.
pub(super) async fn kill_at(point: &str) {
    let world = stage::world().await;
    let group = world.chat_titled("Demo supergroup").await;
    let (session, file) = path(&world, "moving.session");
    stage::file(&world, &session, &[&group]).await;
    let (registry, old) = path(&world, "registry.db");
    stage::registry(&registry, "-1009999999999", "-1008888888888");
    let mut program = Start::on(&world, binary(), "data").ready().await;
    program.arm(point, 0).await;
    let arguments = stage::import(&[&file, &old]);
    let cut_off = stage::command(&world, &arguments).output();
    let killed = async {
        program.until(&format!("{point} stops the program"), || program.stopped_at(point)).await;
    };
    let mut cut_off = Box::pin(cut_off);
    tokio::select! {
        () = killed => {}
        ended = &mut cut_off => panic!("{point}: the import ended: {ended:?}"),
    }
    program.kill();
    assert!(!cut_off.await.expect("runs").status.success(), "{point}");
    let program = Start::on(&world, binary(), "data").ready().await;
    fine(&world, &arguments).await;
    let again = fine(&world, &arguments).await;
    assert_eq!(again["sessions"][0]["what"], "known", "{point}: {again:#}");
    whole(&world, &program, point).await;
}

async fn whole(world: &World, program: &Program, point: &str) {
    let moved = stage::account(world, stage::MOVING).await;
    let (_, accounts) = program.get("/v1/accounts").await;
    let of_it = |account: &&serde_json::Value| account["user_id"] == moved["user_id"];
    let found: Vec<_> = accounts["items"].as_array().expect("items").iter().filter(of_it).collect();
    let [account] = found.as_slice() else { panic!("{point}: {accounts:#}") };
    let name = account["name"].as_str().expect("a name");
    program.account_is(name, "ready").await;
    let (_, failed) = program.get("/v1/failed-requests").await;
    assert_eq!(failed["items"].as_array().map(Vec::len), Some(1), "{point}: {failed}");
    let (_, failovers) = program.get("/v1/failovers").await;
    assert_eq!(failovers["items"].as_array().map(Vec::len), Some(1), "{point}: {failovers}");
    let (_, bound) = program.get("/v1/chats/-1009999999999").await;
    assert_eq!(bound["account"], "backup_2", "{point}: {bound}");
    let (_, left) = program.get("/v1/chats/-1008888888888").await;
    assert_eq!(left["state"], "left", "{point}: {left}");
    assert!(world.sent().await.is_empty(), "{point}");
}
