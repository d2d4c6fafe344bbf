//! A disk that is really full, from the start or in the middle of a file: what does not fit is refused and leaves nothing, what was
//! promised is kept, and the same goes through when there is room again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Disk, Hoster, KEY, Program, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::binary;

const MIB: usize = 1 << 20;

/// How large the disk is, in MiB: what files leave free for the outcomes of messages, and a good deal more.
const SIZE: u32 = 256;

/// And how large one is on which such a file has no room.
const SMALL: u32 = 170;

/// What may be taken by the store and the log meanwhile, in bytes: far less than any file of these tests.
const OF_ITS_OWN: u64 = 12 << 20;

/// How large the file is that is on its way while the disk fills up: it fits as long as nothing else writes.
const FILE: usize = 48 * MIB;

/// How much of it is here when the other writer comes.
const FIRST: usize = 16 * MIB;

const PROMISED: &str = "It was promised.";
const WANTED: &str = "Is there room?";
const WITH_FILE: &str = "A file.";

/// How the other writer leaves the disk.
#[derive(Debug, Clone, Copy)]
enum Left {
    /// With not one byte: the system itself refuses the next piece.
    Nothing,
    /// With less than files leave free: the guard sees it.
    Little,
}

impl Left {
    fn fill(self, disk: &Disk) -> PathBuf {
        match self {
            Self::Nothing => disk.fill(),
            Self::Little => disk.fill_below(100 << 20),
        }
    }
}

async fn stage(mebibytes: u32) -> (World, Disk, Program) {
    let world = World::start(binary()).await;
    world.edit_settings(|text| format!("media.allow_private = [\"127.0.0.1/32\"]\n{text}"));
    let disk = Disk::of(&world, binary(), mebibytes);
    let program = disk.start(&world).ready().await;
    program.account_is("main", "ready").await;
    (world, disk, program)
}

/// What is in the folders of files, by name, and how large it is.
fn lying(disk: &Disk) -> BTreeMap<String, u64> {
    let folders = ["uploads", "outgoing"];
    let entries = folders.iter().flat_map(|folder| std::fs::read_dir(disk.path(folder)).expect("reads"));
    let entries = entries.map(|entry| entry.expect("an entry"));
    entries
        .filter_map(|entry| Some((entry.path().display().to_string(), entry.metadata().ok()?.len())))
        .collect()
}

/// What was sent, in order: texts, and captions with the size of their file.
async fn arrived(world: &World) -> Vec<(String, Option<u64>)> {
    let rows = world.ledger().await;
    let sent = rows
        .iter()
        .filter(|row| row["method"].as_str().is_some_and(|method| method.starts_with("messages.send")));
    sent.map(|row| (row["text"].as_str().expect("a text").to_owned(), row["media"]["size"].as_u64()))
        .collect()
}

fn text(text: &str) -> (String, Option<u64>) {
    (text.to_owned(), None)
}

fn file(size: usize) -> (String, Option<u64>) {
    (WITH_FILE.to_owned(), Some(u64::try_from(size).expect("small")))
}

/// `POST /v1/uploads`, of which the caller has sent a part.
struct Upload {
    stream: TcpStream,
    left: usize,
}

impl Upload {
    /// Says how long the file is, and sends nothing of it yet.
    async fn begin(program: &Program, key: &str, size: usize) -> Self {
        let mut stream = connect(program).await;
        let head = format!(
            "POST /v1/uploads?filename=film.bin HTTP/1.1\r\nHost: test\r\nX-API-Key: {KEY}\r\nIdempotency-Key: {key}\r\n\
             Content-Length: {size}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.expect("writes");
        Self { stream, left: size }
    }

    async fn send(&mut self, bytes: usize) {
        let piece = vec![7; bytes.min(self.left)];
        self.left -= piece.len();
        self.stream.write_all(&piece).await.expect("the program goes on reading");
    }

    /// Sends none of it, as a caller does that asks first; the answer.
    async fn unwanted(self) -> (u16, Value) {
        answer(self.stream).await
    }

    /// Sends what is left of it; the answer.
    async fn end(mut self) -> (u16, Value) {
        self.send(self.left).await;
        answer(self.stream).await
    }
}

async fn connect(program: &Program) -> TcpStream {
    TcpStream::connect(program.address().strip_prefix("http://").expect("an address"))
        .await
        .expect("connects")
}

/// The status and the body of an answer after which the connection is closed.
async fn answer(mut stream: TcpStream) -> (u16, Value) {
    let mut text = Vec::new();
    let reading = stream.read_to_end(&mut text);
    tokio::time::timeout(Duration::from_mins(1), reading).await.expect("an answer in time").expect("reads");
    let text = String::from_utf8(text).expect("UTF-8");
    let (head, body) = text.split_once("\r\n\r\n").expect("an answer");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, serde_json::from_str(body).unwrap_or_else(|_| panic!("{text}")))
}

/// An upload whose end is unknown before: its answer.
async fn upload_of_unknown_length(program: &Program, size: usize) -> (u16, Value) {
    let mut stream = connect(program).await;
    let head = format!(
        "POST /v1/uploads HTTP/1.1\r\nHost: test\r\nX-API-Key: {KEY}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("writes");
    let chunk = [b"100000\r\n".as_slice(), &vec![7; MIB], b"\r\n"].concat();
    for _ in 0..size / MIB {
        // It may be refused in the middle, and then the rest is never read.
        if stream.write_all(&chunk).await.is_err() {
            break;
        }
    }
    let _ = stream.write_all(b"0\r\n\r\n").await;
    answer(stream).await
}

#[track_caller]
fn refused(answer: &(u16, Value)) {
    let (status, reply) = answer;
    assert_eq!((*status, &reply["code"]), (507, &json!("storage_full")), "{reply}");
    let detail = reply["detail"].as_str().expect("words");
    assert!(
        detail.starts_with("Nothing was ") && detail.contains("no space is left on the disk"),
        "{detail}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn oversized_upload_leaves_nothing() {
    let (world, disk, program) = stage(SMALL).await;
    let free = disk.free();
    // It says how large it is, and is refused before it comes, or while it comes, or it turns out on the way.
    refused(&Upload::begin(&program, "huge", 2 * FILE).await.unwanted().await);
    refused(&Upload::begin(&program, "large", FILE).await.end().await);
    refused(&upload_of_unknown_length(&program, FILE).await);
    assert_eq!(lying(&disk), BTreeMap::new());
    // A file that is removed takes room until the last who writes to it has let go.
    program.until("no room is taken", || async { free.saturating_sub(disk.free()) < OF_ITS_OWN }).await;

    assert_eq!(program.send("@client_1", WANTED).await.0, 200);
    let (status, upload) = Upload::begin(&program, "small", FIRST).await.end().await;
    assert_eq!((status, &upload["size"]), (201, &json!(FIRST)), "{upload}");
    let order = json!({ "chat": "@client_1", "text": WITH_FILE, "media": [{ "upload": upload["id"] }] });
    let (status, sent) = program.post("/v1/messages", &order).await;
    assert_eq!(status, 200, "{sent}");
    assert_eq!(arrived(&world).await, [text(WANTED), file(FIRST)]);
}

/// A message that is taken in now and due in a minute.
async fn due_in_a_minute(program: &Program) -> String {
    let due = ambient::Clock::system().now().plus(Duration::from_mins(1)).to_string();
    let order =
        json!({ "chat": "@client_1", "text": PROMISED, "account": "main", "send_at": due, "wait": 0 });
    let (status, accepted) = program.post("/v1/messages", &order).await;
    assert_eq!(status, 202, "{accepted}");
    format!("/v1/messages/{}", accepted["id"].as_str().expect("an id"))
}

/// While the disk is full a message is sent that was taken in before, and that is written down. Nothing new is taken in where there
/// is no room for what comes of it.
async fn promised_message_is_sent(program: &Program, world: &World, message: &str, left: Left) {
    program.pass_calmly(64).await;
    program.until("it is sent", || async { program.get(message).await.1["state"] == "sent" }).await;
    assert_eq!(arrived(world).await, [text(PROMISED)], "{left:?}");
    let (status, reply) = program.send("@client_1", WANTED).await;
    match left {
        Left::Nothing => assert_eq!((status, &reply["code"]), (507, &json!("storage_full")), "{reply}"),
        Left::Little => assert_eq!(status, 200, "{reply}"),
    }
}

/// The other writer takes its file away, and a second goes by, after which the disk is asked again.
async fn make_room(program: &Program, filling: &Path) {
    std::fs::remove_file(filling).expect("removed");
    program.advance(Duration::from_secs(2)).await;
}

/// All that was sent when there was room again, in order.
fn sent_in_the_end(left: Left) -> Vec<(String, Option<u64>)> {
    match left {
        Left::Nothing => vec![text(PROMISED), file(FILE)],
        Left::Little => vec![text(PROMISED), text(WANTED), file(FILE)],
    }
}

/// Waits until so many bytes of a file are in a folder.
async fn until_here(program: &Program, disk: &Disk, bytes: usize) {
    let enough = || async { lying(disk).values().sum::<u64>() >= u64::try_from(bytes).expect("small") };
    program.until("the first half is on the disk", enough).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn upload_onto_a_filling_disk_is_refused() {
    for left in [Left::Nothing, Left::Little] {
        let (world, disk, program) = stage(SIZE).await;
        let message = due_in_a_minute(&program).await;
        let mut upload = Upload::begin(&program, "film", FILE).await;
        upload.send(FIRST).await;
        until_here(&program, &disk, FIRST / 2).await;
        let filling = left.fill(&disk);
        refused(&upload.end().await);
        assert_eq!(lying(&disk), BTreeMap::new(), "{left:?}");
        promised_message_is_sent(&program, &world, &message, left).await;

        make_room(&program, &filling).await;
        // The same key: what was refused was not kept under it.
        let (status, upload) = Upload::begin(&program, "film", FILE).await.end().await;
        assert_eq!((status, &upload["size"]), (201, &json!(FILE)), "{left:?}: {upload}");
        let order = json!({ "chat": "@client_1", "text": WITH_FILE, "account": "main", "media": [{ "upload": upload["id"] }] });
        let (status, sent) = program.post("/v1/messages", &order).await;
        assert_eq!(status, 200, "{left:?}: {sent}");
        assert_eq!(arrived(&world).await, sent_in_the_end(left));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn download_onto_a_filling_disk_is_refused() {
    for left in [Left::Nothing, Left::Little] {
        let (world, disk, program) = stage(SIZE).await;
        let hoster = Hoster::start().await;
        let message = due_in_a_minute(&program).await;
        let url = hoster.url(&format!("/halting/{FILE}"));
        let order =
            json!({ "chat": "@client_1", "text": WITH_FILE, "account": "main", "media": [{ "url": url }] });
        let order = || {
            let request = program.request("POST", "/v1/messages").header("idempotency-key", "film");
            let request = request.header("content-type", "application/json").body(order.to_string());
            async move {
                let answer = request.send().await.expect("an answer");
                let status = answer.status().as_u16();
                (status, serde_json::from_str::<Value>(&answer.text().await.expect("a body")).expect("JSON"))
            }
        };
        let fill = async {
            until_here(&program, &disk, FIRST).await;
            let filling = left.fill(&disk);
            hoster.release();
            filling
        };
        let (answer, filling) = tokio::join!(order(), fill);
        refused(&answer);
        assert_eq!(lying(&disk), BTreeMap::new(), "{left:?}");
        promised_message_is_sent(&program, &world, &message, left).await;

        make_room(&program, &filling).await;
        let (status, sent) = order().await;
        assert_eq!(status, 200, "{left:?}: {sent}");
        assert_eq!(arrived(&world).await, sent_in_the_end(left));
        // One message, not two: the key joins what was accepted.
        let (status, again) = order().await;
        assert_eq!((status, &again["id"]), (200, &sent["id"]), "{again}");
        assert_eq!(arrived(&world).await, sent_in_the_end(left));
    }
}
