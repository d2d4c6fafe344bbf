//! The drill: a long campaign whose program is killed again and again while hours go by. All has an end, no chat gets a cycle's message
//! twice, and no hour of an account has one too many. The bench has the same at its full size.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::Timestamp;
use serde_json::{Value, json};
use testkit::{ACCOUNTS, Start, World};

use super::{SEND, attempts, campaign, made, written};
use crate::binary;
use crate::shell::cli::running;

const CLIENTS: usize = 40;
const CYCLES: usize = 7;
const AN_HOUR: usize = 11;
const KILLS: usize = 3;
const ALL: usize = CLIENTS * CYCLES;
const HOUR: Duration = Duration::from_hours(1);

#[tokio::test(flavor = "multi_thread")]
async fn kills_through_many_hours_pass_no_cap_and_double_nothing() {
    let world = World::start(binary()).await;
    // Its cycles follow each other within a day.
    let often = "\n[limits]\nadvertising_per_day = 10\nadvertising_gap = \"5m\"\n";
    world.edit_settings(|text| text + often);
    let mut program = running(&world, &ACCOUNTS).await;
    let settings = json!({"delay_seconds": 0, "max_messages_per_hour": AN_HOUR, "cycles": CYCLES});
    made(&program, &ACCOUNTS, CLIENTS, settings).await;
    let (status, begun) = program.post("/v1/campaigns/spring/start", &json!({})).await;
    assert_eq!((status, &begun["run"]["cycles"]), (200, &json!(CYCLES)), "{begun}");
    let (mut kills, mut before, mut moved) = (0, 0, Duration::ZERO);
    while campaign(&program).await["run"]["state"] != "done" {
        let sent = world.effects(SEND).await.len();
        if sent > (kills + 1) * ALL / (KILLS + 1) && kills < KILLS {
            kills += 1;
            program.kill();
            program = Start::on(&world, binary(), "data").ready().await;
            // The clock of the killed one was ahead; until it is there again, the new one's is behind.
            program.advance(moved).await;
        } else if sent == before {
            // No one may send: the hours go by.
            program.advance(HOUR / 12).await;
            moved += HOUR / 12;
        }
        assert!(moved < HOUR * 100, "it comes to no end: {}", campaign(&program).await);
        before = sent;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(kills, KILLS);
    let attempts = attempts(&program).await;
    let mut chats: BTreeMap<(String, u64), usize> = BTreeMap::new();
    let mut times: BTreeMap<&str, Vec<Timestamp>> = BTreeMap::new();
    for row in attempts.iter().filter(|row| row["state"] == "sent" || row["state"] == "unknown") {
        let turn = (text(row, "chat").to_owned(), row["cycle"].as_u64().expect("a cycle"));
        *chats.entry(turn).or_default() += 1;
        times.entry(text(row, "account")).or_default().push(text(row, "ended_at").parse().expect("a time"));
    }
    let counted = &campaign(&program).await["run"]["attempts"];
    let count = |state: &str| usize::try_from(counted[state].as_u64().unwrap_or(0)).expect("a count");
    assert_eq!(count("sent") + count("skipped") + count("failed") + count("unknown"), attempts.len());
    assert!(chats.len() == ALL && chats.values().all(|times| *times == 1), "{chats:?}");
    let written = written(&world).await;
    assert!(written.values().all(|times| *times <= CYCLES), "{written:?}");
    let reached = written.values().sum::<usize>();
    assert!((count("sent")..=ALL).contains(&reached), "{reached} of {counted}");
    for (account, mut times) in times {
        times.sort_unstable();
        let narrow = times.windows(AN_HOUR + 1).find(|some| some[AN_HOUR].since(some[0]) < HOUR);
        assert_eq!(narrow, None, "{account} sent too many in an hour");
    }
    world.assert_nothing_unknown().await;
}

fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row[field].as_str().unwrap_or_default()
}
