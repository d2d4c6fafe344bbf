//! What a person sees of a move: its progress, how far it is on either side, the time of day that it waits for; what a program reads.

use std::fs;

use serde_json::{Value, json};
use testkit::{Receiver, World};

use super::line::program;
use super::{Sides, fine};
use crate::binary;
use crate::shell::cli::cli_on;

#[tokio::test(flavor = "multi_thread")]
async fn a_move_at_a_time_of_day_shows_each_step() {
    let sides = Sides::begin().await;
    // A clock on which it is soon half past three.
    let folder = program(
        &sides,
        "date",
        "case \"$*\" in +%s) echo 1000;; '-d 03:30 +%s') echo 1001;; *) exit 1;; esac",
    );
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").expect("a path"));
    let (new, settings) = (sides.folder("new"), sides.world.settings_file());
    let (new, settings) = (new.to_str().expect("UTF-8"), settings.to_str().expect("UTF-8"));
    let words = [
        "run",
        "--to",
        new,
        "--to-config",
        settings,
        "--listen",
        "127.0.0.1:0",
        "--watch",
        "0s",
        "--at",
        "03:30",
        "--yes",
    ];
    let ran = sides.cli(&words).env("PATH", &path).beside().await;
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    let shown = [
        " 1  audit of the old side\n",
        " 2  backup while the old side serves\n",
        " 5  check without a session\n",
        "Prepared; the old side is stopped in 0 min\n",
        " 2  stop of the old side\n",
        "KB went over the line\n",
        " 6  accounts opened one by one\n",
        " 7  validation\n",
        " 9  comparison with the old side\n",
    ];
    let mut rest = ran.err.as_str();
    for line in shown {
        let (_, after) = rest.split_once(line).unwrap_or_else(|| panic!("{line:?} in {}", ran.err));
        rest = after;
    }
    assert!(ran.out.starts_with("The move is done; ") && ran.out.contains("after the stop"), "{}", ran.out);
    let wrong = sides.cli(&["run", "--to", new, "--at", "25:00", "--yes"]).beside().await;
    assert!(wrong.code == Some(2) && wrong.all().contains("is no time of day"), "{}", wrong.all());

    for side in ["old", "new"] {
        let status = cli_on(&sides.world, side, &["move", "status"]).beside().await.fine();
        assert!(status.contains("accounts opened one by one           done"), "{status}");
        assert!(status.contains(&format!("The sessions are held by {}", sides.name_of("new"))), "{status}");
        let status = cli_on(&sides.world, side, &["move", "status", "--json"]).beside().await.json();
        assert_eq!(status["journal"]["progress"]["direction"], "forward", "{status}");
        assert_eq!(status["fence"]["number"], 2);
        let record = fs::read_to_string(sides.folder(side).join("move/record.md")).expect("a record");
        assert!(record.contains("| 9 | comparison with the old side | 20"), "{record}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_alert_targets_get_the_comparison() {
    let (world, receiver) = (World::start(binary()).await, Receiver::start().await);
    let target = format!(
        "[[alerts.targets]]\nname = \"owner\"\nkind = \"webhook\"\nurl = \"{}\"\n",
        receiver.address()
    );
    world.edit_settings(|text| format!("{text}\n{target}"));
    let sides = Sides::begin_in(world).await;
    let moved = fine(sides.run().beside().await);
    let facts = |step: &str| moved["journal"]["records"][step]["facts"].clone();
    assert_eq!(facts("compare")["report"], json!([{ "target": "owner", "delivered": true, "why": null }]));
    let report = receiver.bodies().into_iter().find(|body| body["type"] == "report").expect("a report");
    let text = report["data"]["text"].as_str().expect("a text");
    assert!(
        text.contains("an answer of the API: ") && text.contains("the last account was open after"),
        "{text}"
    );
    let measures = facts("compare")["measures"].clone();
    for (what, unit) in [(0, "µs"), (3, "bytes")] {
        let measure = &measures[what];
        assert!(measure["old"].as_u64() > Some(0) && measure["new"].as_u64() > Some(0), "{measures}");
        assert_eq!(measure["unit"], unit);
    }
    assert!(facts("validate")["restart"]["ms"].as_u64() > Some(0), "{}", facts("validate"));
    assert_eq!(facts("monitor")["alert_targets"], 1);

    fine(sides.rollback().beside().await);
    let undone = |body: &Value| body["data"]["text"].as_str().is_some_and(|text| text.contains("was undone"));
    assert!(receiver.bodies().iter().any(undone), "{:?}", receiver.bodies());
    sides.is_served_by("old").await;
}

impl Sides {
    /// What a side is called in the journal.
    fn name_of(&self, side: &str) -> String {
        let text = fs::read_to_string(self.folder("old").join("move/journal.json")).expect("a journal");
        let journal: Value = serde_json::from_str(&text).expect("JSON");
        journal[side]["name"].as_str().expect("a name").to_owned()
    }
}
