//! A disk that fails at the worst moment: when all of a commit is written and is to be kept. What a caller is answered then is
//! true after a crash, too.

mod full;

use std::path::Path;
use std::process::Command;

use serde_json::json;
use testkit::{Start, World};

use crate::binary;

/// How often it is tried to let the write of a message be the one that fails.
const TRIES: usize = 20;

/// Makes what is between the program and its disk.
fn between(folder: &Path) -> String {
    let (source, made) =
        (concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/disk/failing.c"), folder.join("failing.so"));
    let ended = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&made).arg(source).status();
    assert!(ended.expect("a C compiler, `cc`, is there: SQLite is built with it").success());
    made.to_str().expect("UTF-8").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_for_disk_failure_is_not_sent_after_a_crash() {
    let world = World::start(binary()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let flag = folder.path().join("fail");
    let mut start = Start::on(&world, binary(), "data");
    start.environment = vec![
        ("LD_PRELOAD".to_owned(), between(folder.path())),
        ("FAIL_ONCE".to_owned(), flag.to_str().expect("UTF-8").to_owned()),
    ];
    let mut program = start.ready().await;
    program.account_is("main", "ready").await;

    let (mut taken, mut refused) = (Vec::new(), None);
    for number in 0..TRIES {
        let text = format!("text {number}");
        std::fs::write(&flag, "").expect("writes");
        let order = json!({ "chat": "@client_1", "text": text, "account": "main", "wait": 0 });
        match program.post("/v1/messages", &order).await {
            (200 | 202, _) => taken.push(text),
            (503, reply) => {
                assert_eq!(reply["code"], "store_unavailable", "{reply}");
                refused = Some(text);
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    let refused = refused.expect("one met the failure");
    program.kill();

    let program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("main", "ready").await;
    let (status, again) = program.send("@client_1", "after").await;
    assert_eq!(status, 200, "{again}");
    taken.push("after".to_owned());
    program.until("what was taken in is sent", || async { world.sent().await.len() >= taken.len() }).await;
    assert_eq!(world.sent().await, taken, "{refused} was refused");
}
