//! A disk that is really full, on the real page: a file system of the test's own, filled and freed again.

use serde_json::json;
use testkit::{Disk, World};

use crate::binary;
use crate::faults::{looks, red};
use crate::minute::{before_a_fault, was_red_in_time};
use crate::stage::{Stage, beginning};

/// How large the disk is, in MiB: what the program wants free to take in work, its reserve, and as much again.
const SIZE: u32 = 160;

/// The program on a disk of its own.
async fn stage() -> (Stage, Disk) {
    let world = World::start(binary()).await;
    let disk = Disk::of(&world, binary(), SIZE);
    let mut start = disk.start(&world);
    start.environment = beginning(&world).environment;
    let program = start.ready().await;
    (Stage::of(world, program).await, disk)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_red_on_the_page_until_there_is_room_again() {
    let (stage, disk) = stage().await;
    let tab = stage.tab().await;
    tab.open("/").await;
    stage.pass(60).await;
    looks(&tab, "store", "ok", "ready", "").await;
    assert_eq!(red(&tab).await, "");
    assert_eq!(stage.program.send("@client_1", "There is room.").await.0, 200);

    let fault = before_a_fault(&stage).await;
    let filling = disk.fill();
    stage.pass(60).await;
    looks(&tab, "store", "bad", "disk_full", "the disk is full").await;
    was_red_in_time(&stage, "store", fault).await;
    // Nothing else is to blame, and nothing is taken in that could be lost.
    assert_eq!(red(&tab).await, "c-store");
    let (status, refused) = stage.program.send("@client_1", "There is none.").await;
    assert_eq!((status, &refused["code"]), (507, &json!("storage_full")), "{refused}");
    tab.until("document.querySelector('[id=c-store].bad .alerted') !== null").await;
    assert_eq!((tab.findings().await, tab.complaints()), (Vec::new(), Vec::new()));
    assert_eq!(stage.world.sent().await, ["There is room."]);

    std::fs::remove_file(&filling).expect("removed");
    stage.pass(60).await;
    looks(&tab, "store", "ok", "ready", "").await;
    assert_eq!(red(&tab).await, "");
    assert_eq!(stage.program.send("@client_1", "There is room again.").await.0, 200);
    assert_eq!(stage.world.sent().await, ["There is room.", "There is room again."]);
    assert_eq!((tab.findings().await, tab.complaints()), (Vec::new(), Vec::new()));
}
