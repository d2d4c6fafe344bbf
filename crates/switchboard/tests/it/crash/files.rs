//! Killed between the steps of a message with files: it leaves once all the same.

use serde_json::{Value, json};
use testkit::{PNG, Program, Start, World};

use super::{ask, finished};
use crate::binary;

/// What is done to reach a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scenario {
    /// Two photos that become one album.
    Album,
    /// A photo that Telegram has already, under a reference that expired.
    Expired,
    /// A file of several parts.
    Parts,
}

/// The scenario that reaches a write, if it is one of files.
pub(super) fn scenario(write: &str) -> Option<Scenario> {
    match write {
        "store.save_reference" => Some(Scenario::Album),
        "store.forget_reference" => Some(Scenario::Expired),
        "store.save_upload" => Some(Scenario::Parts),
        _ => None,
    }
}

impl Scenario {
    fn media(self) -> Value {
        match self {
            Self::Album => json!({ "media": [{ "path": "photo.png" }, { "path": "other.png" }] }),
            Self::Expired => json!({ "media": [{ "path": "photo.png" }] }),
            Self::Parts => json!({ "media": [{ "path": "large.bin" }] }),
        }
    }

    /// How many messages there are in the end, by the method that made them.
    const fn effects(self) -> (&'static str, usize) {
        match self {
            Self::Album => ("messages.sendMultiMedia", 2),
            Self::Expired => ("messages.sendMedia", 2),
            Self::Parts => ("messages.sendMedia", 1),
        }
    }
}

/// Kills at a point, starts again, and looks what there is.
pub(super) async fn kill_at(scenario: Scenario, point: &str) {
    let world = World::start(binary()).await;
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
    ask(&program, "files", scenario.media()).await;
    stopped(&program, point).await;
    program.kill();
    let program = Start::on(&world, binary(), "data").ready().await;
    finished(&program, "files", scenario.media(), "sent").await;
    let (method, count) = scenario.effects();
    let rows = world.effects(method).await;
    assert_eq!(rows.len(), count, "{point}: {rows:?}\n{}", program.output());
    world.assert_nothing_unknown().await;
}

async fn stopped(program: &Program, point: &str) {
    let what = format!("{point} stops the program");
    program.until(&what, || program.stopped_at(point)).await;
}
