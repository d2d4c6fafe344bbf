//! Killed between the steps of a message with files: it leaves once all the same.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{PNG, Program, Start, World};

use super::{act, ask, finished};
use crate::binary;
use crate::postgres::world;

/// What is done to reach a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scenario {
    /// Two photos that become one album.
    Album,
    /// A photo that Telegram has already, under a reference that expired.
    Expired,
    /// A file of several parts.
    Parts,
    /// A photo that came in and is fetched by the rule of the account.
    Received,
    /// The same, once its message is past its time.
    Dropped,
}

/// The scenario that reaches a write, if it is one of files.
pub(super) fn scenario(write: &str) -> Option<Scenario> {
    match write {
        "store.save_reference" => Some(Scenario::Album),
        "store.forget_reference" => Some(Scenario::Expired),
        "store.save_upload" => Some(Scenario::Parts),
        "store.note_received_file" => Some(Scenario::Received),
        "store.drop_received_files" => Some(Scenario::Dropped),
        _ => None,
    }
}

impl Scenario {
    fn media(self) -> Value {
        match self {
            Self::Album => json!({ "media": [{ "path": "photo.png" }, { "path": "other.png" }] }),
            Self::Expired => json!({ "media": [{ "path": "photo.png" }] }),
            Self::Parts => json!({ "media": [{ "path": "large.bin" }] }),
            Self::Received | Self::Dropped => json!({}),
        }
    }

    /// How many messages there are in the end, by the method that made them.
    const fn effects(self) -> (&'static str, usize) {
        match self {
            Self::Album => ("messages.sendMultiMedia", 2),
            Self::Expired => ("messages.sendMedia", 2),
            Self::Parts => ("messages.sendMedia", 1),
            Self::Received | Self::Dropped => ("messages.sendMessage", 1),
        }
    }
}

/// Kills at a point, starts again, and looks what there is.
pub(super) async fn kill_at(scenario: Scenario, point: &str) {
    let world = world().await;
    if matches!(scenario, Scenario::Received | Scenario::Dropped) {
        let name = "name = \"fifth\"\n";
        world.edit_settings(|text| text.replace(name, &format!("{name}keep_files = [\"photo\"]\n")));
    }
    if scenario == Scenario::Dropped {
        return dropped(&world, point).await;
    }
    let mut program = Start::on(&world, binary(), "data").listening().await;
    program.account_is("fifth", "ready").await;
    let folder = world.data_dir("data").join("media");
    let other = [PNG, b"other"].concat();
    for (name, bytes) in
        [("photo.png", PNG.to_vec()), ("other.png", other), ("large.bin", vec![7; 1_300_000])]
    {
        std::fs::write(folder.join(name), bytes).expect("writes");
    }
    if scenario == Scenario::Expired {
        finished(&program, "before", scenario.media(), "sent").await;
        world.expire_files().await;
    }
    program.arm(point, 0).await;
    if scenario == Scenario::Received {
        write_a_photo(&world, &program).await;
    } else {
        ask(&program, "files", scenario.media()).await;
    }
    stopped(&program, point).await;
    program.kill();
    let program = Start::on(&world, binary(), "data").ready().await;
    if scenario == Scenario::Received {
        program.until("the photo is fetched", || async { has_file(&world) }).await;
        let fetched = || async { program.get("/v1/accounts/fifth").await.1["files"]["waiting"] == 0 };
        program.until("nothing waits", fetched).await;
    }
    finished(&program, "files", scenario.media(), "sent").await;
    let (method, count) = scenario.effects();
    let rows = world.effects(method).await;
    assert_eq!(rows.len(), count, "{point}: {rows:?}\n{}", program.output());
    world.assert_nothing_unknown().await;
}

/// A customer sends a photo, once the account hears.
async fn write_a_photo(world: &World, program: &Program) {
    let write = async |media: &[Value]| {
        let order = json!({"from": "@client_1", "chat": "@demo_fifth", "text": "see here", "media": media});
        world.post("/telegram/messages", &order).await
    };
    program
        .until("the account hears", || async {
            write(&[]).await;
            program.get("/v1/accounts/fifth").await.1["updates"]["received"] != 0
        })
        .await;
    let content = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, PNG);
    write(&[json!({"kind": "photo", "content": content})]).await;
}

async fn dropped(world: &World, point: &str) {
    let mut program = Start::on(world, binary(), "data").ready().await;
    program.account_is("fifth", "ready").await;
    write_a_photo(world, &program).await;
    let fetched =
        || async { has_file(world) && program.get("/v1/accounts/fifth").await.1["files"]["waiting"] == 0 };
    program.until("the photo is fetched", fetched).await;
    // The newest message of all stays.
    let order = json!({"from": "@client_1", "chat": "@demo_fifth", "text": "later"});
    world.post("/telegram/messages", &order).await;
    let texts = async |program: &Program| {
        let page = program.get("/v1/messages?direction=in&account=fifth&limit=200").await.1;
        let items = page["items"].as_array().cloned().unwrap_or_default();
        items
            .iter()
            .map(|message| message["text"].as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    let is_kept = || async { texts(&program).await.first().is_some_and(|text| text == "later") };
    program.until("the last message is kept", is_kept).await;
    past_its_time(&program, Some("fifth"), point).await;
    program.kill();
    let program = Start::on(world, binary(), "data").ready().await;
    // Its message went before; the row may stay without it until it is past its time again.
    assert_eq!(texts(&program).await, ["later"], "{point}");
    no_file_stays(world, &program).await;
    assert_eq!(texts(&program).await, ["later"], "{point}");
    world.assert_nothing_unknown().await;
}

/// Stops the program at a point of the sweep in which what came in is past its time. An account of Telegram is paused before: it would
/// read the histories of the months that it was away.
pub(super) async fn past_its_time(program: &Program, account: Option<&str>, point: &str) {
    if let Some(name) = account {
        act(program, format!("/v1/accounts/{name}/actions/pause"), json!({})).await;
        program.account_is(name, "paused").await;
    }
    // A sweep comes to the point before anything is past its time, the next one after it.
    program.arm(point, 0).await;
    program.as_time_goes_by(Duration::from_hours(1), stopped(program, point)).await;
    program.advance(Duration::from_hours(91 * 24)).await;
    program.release(point).await;
    program.arm(point, 0).await;
    program.as_time_goes_by(Duration::from_hours(1), stopped(program, point)).await;
}

/// Waits until no file is in the folder of received files, months later.
pub(super) async fn no_file_stays(world: &World, program: &Program) {
    program.advance(Duration::from_hours(91 * 24)).await;
    let gone = program.until("the file is gone", || async { !has_file(world) });
    program.as_time_goes_by(Duration::from_mins(30), gone).await;
}

/// Whether a whole file is in the folder of received files.
fn has_file(world: &World) -> bool {
    let folder = std::fs::read_dir(world.data_dir("data").join("received")).expect("a folder");
    let mut names = folder.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    names.any(|name| !name.contains('.'))
}

async fn stopped(program: &Program, point: &str) {
    let what = format!("{point} stops the program");
    program.until(&what, || program.stopped_at(point)).await;
}

/// A file of 24 parts.
const TWELVE_MEGABYTES: usize = 12 << 20;

/// How many parts it has.
const PARTS: u64 = 24;

/// The most parts that are on the way at once, and so unknown when the program is killed.
const WINDOW: u64 = 4;

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_goes_on_where_it_was_killed() {
    const METHOD: &str = "upload.saveBigFilePart";
    let world = world().await;
    let mut program = Start::on(&world, binary(), "data").listening().await;
    program.account_is("fifth", "ready").await;
    let large = world.data_dir("data").join("media").join("large.bin");
    std::fs::write(large, vec![7; TWELVE_MEGABYTES]).expect("writes");
    let point = "store.save_upload.after";
    program.arm(point, 10).await;
    ask(&program, "files", Scenario::Parts.media()).await;
    stopped(&program, point).await;
    // How far it is waits for the next write that a caller waits for, a tenth of a second at most: this is one.
    let (status, key) = program.post("/v1/keys", &json!({ "name": "a write", "scopes": ["read"] })).await;
    assert_eq!(status, 201, "{key}");
    program.kill();
    let before = world.calls(METHOD).await;
    assert!((11..=11 + WINDOW).contains(&before), "{before} parts before it was killed");
    let program = Start::on(&world, binary(), "data").ready().await;
    finished(&program, "files", Scenario::Parts.media(), "sent").await;
    let all = world.calls(METHOD).await;
    assert!((PARTS..=PARTS + WINDOW).contains(&all), "{all} parts of {PARTS}, {before} before it was killed");
    let sent = world.effects("messages.sendMedia").await;
    assert_eq!((sent.len(), &sent[0]["media"]["size"]), (1, &json!(TWELVE_MEGABYTES)), "{sent:?}");
}
