//! `switchboard send`: texts and files from a terminal and from pipes, and what Ctrl+C leaves.

use serde_json::{Value, json};
use testkit::{PDF, PNG, Program, Start, World};

use crate::binary;
use crate::shell::cli::{Cli, cli, cli_on};

/// A file of which each part is on its way for a while, in bytes.
const SIZE: u64 = 6 << 20;

struct Stage {
    world: World,
    program: Program,
    group: String,
}

impl Stage {
    async fn new() -> Self {
        let world = World::start(binary()).await;
        let program = Start::on(&world, binary(), "data").ready().await;
        let group = world.chat_titled("Demo supergroup").await;
        Self { world, program, group }
    }

    /// A file with this content.
    fn file(&self, name: &str, content: &[u8]) -> String {
        let path = self.world.data_dir(name);
        std::fs::write(&path, content).expect("writes");
        path.to_str().expect("UTF-8").to_owned()
    }

    /// A file of zeros, which takes no room on the disk.
    fn large_file(&self, name: &str, size: u64) -> String {
        let path = self.file(name, &[]);
        std::fs::File::options().write(true).open(&path).expect("opens").set_len(size).expect("grows");
        path
    }

    fn send(&self, given: &[&str]) -> Cli {
        cli(&self.world, &[&["send"], given].concat())
    }

    /// Sends what is to be sent; the message.
    fn sent(&self, given: &[&str], input: &str) -> Value {
        let ran = self.send(&[given, &["--json"]].concat()).given(input);
        assert_eq!(ran.err, "");
        let message = ran.json();
        assert_eq!(message["state"], "sent", "{message}");
        message
    }

    /// What arrived in the group.
    async fn texts(&self) -> Vec<String> {
        let ledger = self.world.ledger().await;
        let rows = ledger.iter().filter(|row| row["chat_id"] == self.group.as_str());
        rows.filter_map(|row| row["text"].as_str().map(str::to_owned)).collect()
    }

    /// Each part of a file takes so many seconds.
    async fn slow_uploads(&self, seconds: f64) {
        for method in ["upload.saveFilePart", "upload.saveBigFilePart"] {
            self.world.fault("delay", json!({ "method": method, "seconds": seconds })).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_and_files_leave_over_pipes_without_a_bar() {
    let stage = Stage::new().await;
    stage.sent(&[&stage.group, "from an argument"], "");
    stage.sent(&[&stage.group, "-", "--parse-mode", "html"], "<b>from</b> the input\n");
    let (photo, list) = (stage.file("photo.png", PNG), stage.file("our prices.pdf", PDF));
    let files = ["--file", &photo, "--file", &list, "--as", "document"];
    let message = stage.sent(&[&[stage.group.as_str(), "the caption"], &files[..]].concat(), "");
    let media = message["media"].as_array().expect("media");
    assert_eq!(media.len(), 2, "{message}");
    for one in media {
        assert_eq!((&one["kind"], &one["uploaded"]), (&json!("document"), &one["size"]), "{message}");
    }
    assert_eq!(media[1]["name"], "our prices.pdf", "{message}");
    let texts = stage.texts().await;
    for text in ["from an argument", "from the input", "the caption"] {
        assert_eq!(texts.iter().filter(|sent| *sent == text).count(), 1, "{text}: {texts:?}");
    }
    let output = stage.send(&["@client_1", "in words"]).fine();
    assert!(output.starts_with("Sent by ") && output.contains("msg_"), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn send_errors_have_words_and_exit_codes() {
    let stage = Stage::new().await;
    let empty = stage.file("empty.bin", b"");
    let missing = stage.world.data_dir("missing.bin").to_str().expect("UTF-8").to_owned();
    for (given, input, code, word) in [
        (vec!["@client_1"], "", 2, "nothing to send"),
        (vec!["@client_1", "-"], " \n", 2, "nothing to send"),
        (vec!["@client_1", "--file", &missing], "", 2, "missing.bin"),
        (vec!["@client_1", "--file", &empty], "", 2, "empty"),
        (vec!["a b", "x"], "", 2, "CHAT"),
        (vec!["@client_1", "x", "--as", "animation"], "", 2, "--as"),
        (vec!["@nobody_at_all", "x"], "", 1, "No account finds this chat"),
        (vec!["@client_1", "x", "--account", "nobody"], "", 1, "nobody"),
        (vec!["@client_1", "<b>x", "--parse-mode", "html"], "", 1, "text"),
    ] {
        let refused = stage.send(&given).given(input);
        assert_eq!(refused.code, Some(code), "{given:?}: {refused:?}");
        assert!(refused.err.contains(word), "{given:?}: {refused:?}");
    }
    let no_server = cli_on(&stage.world, "data_of_nobody", &["send", "@client_1", "x"]).run();
    assert!(no_server.code == Some(1) && no_server.err.contains("switchboard up"), "{no_server:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn at_a_terminal_both_ways_of_a_file_have_a_bar() {
    let stage = Stage::new().await;
    stage.slow_uploads(0.3).await;
    let file = stage.large_file("large.bin", SIZE);
    let mut sending = stage.send(&[&stage.group, "look", "--file", &file]).pty();
    sending.shows("large.bin to the server", 1).await;
    sending.shows("to Telegram [", 2).await;
    assert_eq!(sending.ended().await, Some(0), "{}", sending.screen());
    sending.shows("Sent by ", 1).await;
    assert!(sending.screen().contains("of 6.00 MiB"), "{}", sending.screen());
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_while_a_file_goes_to_the_server_leaves_nothing() {
    let stage = Stage::new().await;
    let file = stage.large_file("huge.bin", 1 << 30);
    let mut sending = stage.send(&[&stage.group, "--file", &file]).pty();
    sending.shows("huge.bin to the server", 1).await;
    sending.interrupt();
    assert_eq!(sending.ended().await, Some(1), "{}", sending.screen());
    sending.shows("no message was accepted", 1).await;
    let (_, messages) = stage.program.get("/v1/messages").await;
    assert_eq!(messages["items"], json!([]), "{messages}");
    let uploads = stage.world.data_dir("data").join("uploads");
    let size = || {
        let entries = std::fs::read_dir(&uploads).expect("reads").flatten();
        entries.filter_map(|entry| entry.metadata().ok()).map(|found| found.len()).sum::<u64>()
    };
    stage.program.until("what came of the file is gone", || async { size() < 1 << 20 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_leaves_the_message_to_the_server() {
    let stage = Stage::new().await;
    stage.slow_uploads(0.5).await;
    let file = stage.large_file("large.bin", SIZE);
    let mut sending = stage.send(&[&stage.group, "on its own", "--file", &file]).pty();
    sending.shows("to Telegram [", 1).await;
    let (_, listed) = stage.program.get("/v1/messages").await;
    let id = listed["items"][0]["id"].as_str().expect("accepted").to_owned();
    let path = format!("/v1/messages/{id}");
    let uploaded = || async { stage.program.get(&path).await.1["media"][0]["uploaded"].clone() };
    stage
        .program
        .until("a part of it is there", || async {
            uploaded().await.as_u64().is_some_and(|bytes| (1..SIZE).contains(&bytes))
        })
        .await;
    sending.interrupt();
    assert_eq!(sending.ended().await, Some(1), "{}", sending.screen());
    sending.shows("goes on by itself", 1).await;
    assert!(sending.screen().contains(&id), "{}", sending.screen());
    stage.world.delete("/faults").await;
    stage.program.until("it is sent", || async { stage.program.get(&path).await.1["state"] == "sent" }).await;
    assert_eq!(uploaded().await, json!(SIZE));
    let texts = stage.texts().await;
    assert_eq!(texts.iter().filter(|text| *text == "on its own").count(), 1, "{texts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_speaks_of_what_was_given_on_the_command_line() {
    let stage = Stage::new().await;
    let (voice, picture) = (stage.file("a.ogg", b"no sound at all"), stage.file("b.png", PNG));
    for (given, named, hidden) in [
        (&["--file", &voice, "--file", &picture, "--as", "voice"][..], "--file number 1", "media["),
        (&["hello", "--account", "nobody"], "`switchboard account list`", "/v1/"),
    ] {
        let refused = stage.send(&[&[stage.group.as_str()], given].concat()).run();
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.err.contains(named) && !refused.err.contains(hidden), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stuck_messages_are_stopped_and_resolved_by_a_person() {
    let stage = Stage::new().await;
    stage.world.fault("unreadable", json!({ "method": "messages.sendMessage" })).await;
    let order = json!({ "chat": "@client_1", "text": "stuck", "wait": 0 });
    let (_, reply) = stage.program.post("/v1/messages", &order).await;
    let id = reply["id"].as_str().expect("an id").to_owned();
    let message = async || stage.program.get(&format!("/v1/messages/{id}")).await.1;
    stage
        .program
        .until("its first attempt says nothing", async || message().await["gives_up_at"].is_string())
        .await;
    assert_eq!(message().await["state"], "sending");
    let command = |words: &[&str]| {
        let ran = cli(&stage.world, &[&["message"], words].concat()).run();
        (ran.code, ran.all())
    };
    let (code, output) = command(&["cancel", &id]);
    assert!(code == Some(0) && output.contains("not known whether it arrived"), "{output}");
    assert_eq!(message().await["state"], "in_doubt");
    stage.world.delete("/faults").await;
    let (code, output) = command(&["resolve", &id, "--as", "resend"]);
    assert!(code == Some(0) && output.contains("is sent now"), "{output}");
    stage.program.until("it is sent", async || message().await["state"] == "sent").await;
    let (code, output) = command(&["cancel", &id]);
    assert!(code == Some(1) && output.contains("can be cancelled"), "{output}");
    assert_eq!(stage.world.sent().await, ["stuck"]);
}
