//! Killed while the master key is rotated: all that is sealed can be read at the next start, which finishes it.

use serde_json::json;
use testkit::Start;

use super::{Lives, act, stopped};
use crate::binary;

/// The writes that only a rotation makes.
const WRITES: [&str; 5] = ["make_next_key", "name_next_key", "seal_again", "adopt_key", "replace_key"];

pub(super) fn reaches(write: &str) -> bool {
    write.strip_prefix("store.").is_some_and(|write| WRITES.contains(&write))
}

/// Kills one rotation after the other.
pub(super) async fn kill_at_each(lives: &mut Lives, points: &[String]) {
    lives.start().await;
    let target = json!({"name": "owner", "kind": "webhook", "url": "https://example.com/hook"});
    act(lives.program(), "/v1/alert-targets".into(), target).await.expect("added");
    for point in points {
        kill_at(lives, point).await;
    }
}

async fn kill_at(lives: &mut Lives, point: &str) {
    lives.start().await;
    let data_dir = lives.world.data_dir("data");
    let (file, next) = (data_dir.join("master.key"), data_dir.join("master.key.next"));
    let before = std::fs::read(&file).expect("the key");
    let program = lives.program();
    program.arm(point, 0).await;
    tokio::join!(act(program, "/v1/master-key/rotate".into(), json!({})), stopped(program, point));
    lives.kill();
    let was_begun = next.exists() || point.ends_with("replace_key.after");

    lives.killed().await;
    let program = lives.program();
    program.account_is("fifth", "ready").await;
    let (status, targets) = program.get("/v1/alert-targets").await;
    assert!(status == 200 && targets.to_string().contains("\"owner\""), "{point}: {targets}");
    assert_eq!(program.send("@client_1", point).await.0, 200);
    assert!(!next.exists(), "{point}: it is finished");
    let after = std::fs::read(&file).expect("the key");
    assert_eq!(after != before, was_begun, "{point}");

    if was_begun {
        lives.kill();
        std::fs::write(&file, &before).expect("writes");
        let (_, output) = Start::on(&lives.world, binary(), "data").refused().await;
        assert!(output.contains("is not the one this database was made with"), "{point}: {output}");
        std::fs::write(&file, &after).expect("writes");
    }
}
