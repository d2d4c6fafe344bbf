//! Killed while the master key is rotated: all that is sealed can be read at the next start, which finishes it.

use serde_json::json;
use testkit::Start;

use super::{act, stopped};
use crate::binary;
use crate::postgres::world;

/// The writes that only a rotation makes.
const WRITES: [&str; 5] = ["make_next_key", "name_next_key", "seal_again", "adopt_key", "replace_key"];

pub(super) fn reaches(write: &str) -> bool {
    write.strip_prefix("store.").is_some_and(|write| WRITES.contains(&write))
}

pub(super) async fn kill_at(point: &str) {
    let world = world().await;
    let (file, next) =
        (world.data_dir("data").join("master.key"), world.data_dir("data").join("master.key.next"));
    let mut program = Start::on(&world, binary(), "data").ready().await;
    let target = json!({"name": "owner", "kind": "webhook", "url": "https://example.com/hook"});
    act(&program, "/v1/alert-targets".into(), target).await.expect("added");
    let before = std::fs::read(&file).expect("the key");
    program.arm(point, 0).await;
    let rotating = act(&program, "/v1/master-key/rotate".into(), json!({}));
    tokio::join!(rotating, stopped(&program, point));
    program.kill();
    let was_begun = next.exists() || point.ends_with("replace_key.after");

    let mut program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("fifth", "ready").await;
    let (status, targets) = program.get("/v1/alert-targets").await;
    assert!(status == 200 && targets.to_string().contains("\"owner\""), "{point}: {targets}");
    assert_eq!(program.send("@client_1", point).await.0, 200);
    assert!(!next.exists(), "{point}: it is finished");
    let after = std::fs::read(&file).expect("the key");
    assert_eq!(after != before, was_begun, "{point}");
    program.kill();

    if was_begun {
        std::fs::write(&file, &before).expect("writes");
        let (_, output) = Start::on(&world, binary(), "data").refused().await;
        assert!(output.contains("is not the one this database was made with"), "{point}: {output}");
        std::fs::write(&file, &after).expect("writes");
    }
    drop(Start::on(&world, binary(), "data").ready().await);
}
