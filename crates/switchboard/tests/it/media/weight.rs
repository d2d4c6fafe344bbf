//! Files are big and memory is not: what passes through the program is never in it as a whole.

use serde_json::json;
use testkit::Program;

use super::{bytes, files_waiting, stage, upload};

/// The size of the file, in bytes.
const SIZE: usize = 32 << 20;

/// How much more memory its way in and out may take, in KiB.
const MOST: u64 = 20 << 10;

/// A file in which each piece gives its place: pieces that are left out, doubled or out of order show. Files that begin with
/// other numbers have nothing in common.
fn content(first: u64) -> Vec<u8> {
    (first..first + SIZE as u64 / 8).flat_map(u64::to_be_bytes).collect()
}

/// Lets the kernel forget the most memory that the program ever had: what it needed at its start would hide what a file adds.
fn forget_peak(program: &Program) {
    std::fs::write(format!("/proc/{}/clear_refs", program.pid()), "5").expect("writes");
}

/// The most memory that the program had since that was forgotten, in KiB.
fn peak(program: &Program) -> u64 {
    let pid = program.pid();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("reads");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a line");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_passes_through_little_memory() {
    let (world, program, hoster) = stage().await;
    let group = world.chat_titled("Demo supergroup").await;
    // Whatever is needed once is there from now on.
    let small = upload(&program, "small.bin", vec![7; 600 << 10]).await;
    let warm = json!({ "chat": group, "media": [{ "upload": small }] });
    assert_eq!(program.post("/v1/messages", &warm).await.0, 200);
    let folder = world.data_dir("data").join("media");
    std::fs::write(folder.join("here.bin"), content(1 << 40)).expect("writes");
    forget_peak(&program);
    let before = peak(&program);

    let large = upload(&program, "large.bin", content(0)).await;
    let media = json!([
        { "upload": large },
        { "url": hoster.url(&format!("/large/{SIZE}")) },
        { "path": "here.bin" },
    ]);
    let body = json!({ "chat": group, "media": media, "wait": 100 });
    let (status, sent) = program.post("/v1/messages", &body).await;
    assert_eq!(status, 200, "{sent}");
    let rows = world.effects("messages.sendMultiMedia").await;
    let sizes: Vec<_> = rows.iter().map(|row| row["media"]["size"].as_u64()).collect();
    assert_eq!(sizes, [Some(SIZE as u64); 3], "{rows:?}");
    // What was sent is no longer stored here, so that what is read comes from Telegram.
    let path = format!("/v1/messages/{}", sent["id"].as_str().expect("an id"));
    let is_gone = || async { program.get(&path).await.1["media"][0]["stored"] == false };
    program.until("the file lies with Telegram alone", is_gone).await;
    program.until("so do the others", || async { files_waiting(&world) == 0 }).await;
    let before_reading = world.calls("upload.getFile").await;
    for (number, first) in [(0, 0), (2, 1 << 40)] {
        let path = sent["media"][number]["url"].as_str().expect("a path");
        let (status, read) = bytes(&program, path, None).await;
        assert_eq!((status, read.len()), (200, SIZE));
        assert!(read == content(first), "other bytes came back");
    }
    assert!(world.calls("upload.getFile").await > before_reading, "it was not read from Telegram");
    let more = peak(&program).saturating_sub(before);
    assert!(more < MOST, "{more} KiB more for files of {SIZE} bytes");
}
