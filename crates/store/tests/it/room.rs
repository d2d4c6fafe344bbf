//! The room that rows take on SQLite, against the table of it in the documentation.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::message::Part;
use domain::text::{FormattedText, ParseMode};
use domain::{AttemptState, ChatId, Responder, SenderCaps, WebhookId};
use futures::future::join_all;
use store::{Accepted, AttemptEnd, Claim, NextTurn, Outcome, ReceivedChange, Retention, TakenUpdates};

use crate::campaigns::{campaign, claim_with, ended, run};
use crate::pipeline::started;
use crate::support::{World, accept, account, begun};
use crate::webhooks::{added, fan_out, tried};

/// How many messages are written in each direction, and by how many people.
const ROWS: u16 = 1000;
const CLIENTS: u16 = 50;

/// 110 letters, in words most of which are said again and again.
fn text(number: u16) -> String {
    let often = (1..14).map(|place| format!("word{:03}", (u32::from(number) * 7 + place * 11) % 60));
    let words: Vec<_> = std::iter::once(format!("own{number:04}")).chain(often).collect();
    let mut text = words.join(" ");
    text.truncate(110);
    text
}

async fn sends(world: &World) {
    let outbox = world.store.outbox();
    let sending = (0..ROWS).map(|number| {
        let body = FormattedText::plain(&text(number));
        let mut message = world.message(1);
        message.content.text = body.clone();
        message.parts = vec![Part::of_text(0, body, i64::MAX - i64::from(number))];
        let message = begun(message);
        async move {
            let id = message.id;
            assert_eq!(outbox.accept(accept(message)).await, Ok(Accepted::New));
            outbox.part_sent(world.sent(id, 0)).await.unwrap();
        }
    });
    join_all(sending).await;
}

async fn receives(world: &World) {
    let changes = (0..ROWS).map(|number| {
        let person = ChatId::user(5_000_000_000 + i64::from(number % CLIENTS)).unwrap();
        ReceivedChange::New(Box::new(world.received(person, i32::from(number) + 1, &text(number))))
    });
    let taken = TakenUpdates { changes: changes.collect(), ..TakenUpdates::new(account("main")) };
    world.store.received().take(taken).await.unwrap();
}

async fn posts(world: &World, webhook: WebhookId) {
    loop {
        let events = fan_out(world, webhook).await;
        if events.is_empty() {
            return;
        }
        let taken = events.into_iter().map(|event| tried(event, Outcome::Delivered)).collect();
        world.store.webhooks().tried(webhook, taken, world.now()).await.unwrap();
    }
}

async fn attempts(world: &World) {
    let chats: Vec<_> = (0..ROWS).map(|number| format!("@client_{number}")).collect();
    campaign(world, "spring", &chats.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let run = run(world, "spring", 1, None).await;
    let caps = SenderCaps { hour: ROWS.into(), day: ROWS.into() };
    let attempting = (0..ROWS).map(|number| {
        let run = &run;
        async move {
            let Claim::Task(attempt) = claim_with(world, run, "main", caps).await else { panic!("a chat") };
            let (campaigns, peer) = (world.store.campaigns(), format!("55{number:08}"));
            campaigns.ready(attempt.id, peer, 1, text(number), ParseMode::None).await.unwrap();
            let end = ended(&attempt, AttemptState::Sent, NextTurn::NextCycle, world.now());
            campaigns.end(AttemptEnd { outbox_id: Some(world.id()), ..end }).await.unwrap();
        }
    });
    join_all(attempting).await;
}

/// Closes the store and packs it.
async fn packed(world: &World) {
    world.store.clone().close().await;
    world.run("VACUUM");
}

/// The bytes that a row of the first of these tables takes, with its indexes and what the others have of it.
fn bytes(world: &World, tables: &[&str]) -> i64 {
    let names = tables.iter().map(|table| format!("'{table}'")).collect::<Vec<_>>().join(", ");
    let of_them = format!("SELECT name FROM sqlite_schema WHERE tbl_name IN ({names})");
    let room = world.number(&format!("SELECT sum(pgsize) FROM dbstat WHERE name IN ({of_them})"));
    room / world.number(&format!("SELECT count(*) FROM {}", tables[0]))
}

async fn measured() -> BTreeMap<&'static str, i64> {
    let world = World::fresh().await;
    let webhook = added(&world).await;
    let rules = started(&world, Responder::Human).await;
    receives(&world).await;
    world.work(&rules).await;
    world.clock.advance(Duration::from_mins(1));
    world.work(&rules).await;
    sends(&world).await;
    posts(&world, webhook).await;
    packed(&world).await;
    let campaigns = World::fresh().await;
    attempts(&campaigns).await;
    packed(&campaigns).await;
    let messages =
        ["outbox", "outbox_parts", "outbox_timeline", "outbox_places", "provider_messages", "outbox_files"];
    BTreeMap::from([
        ("messages", bytes(&world, &messages)),
        ("events", bytes(&world, &["events"])),
        ("messages that came in", bytes(&world, &["received_messages"])),
        ("conversations", bytes(&world, &["pipeline_messages", "pipeline_words"])),
        ("attempts", bytes(&campaigns, &["campaign_attempts"])),
        ("posts to a webhook", bytes(&world, &["posts"])),
    ])
}

/// How many rows of each kind there are after all times of retention, by the numbers of a day in the documentation.
fn kept() -> BTreeMap<&'static str, i64> {
    let keep = Retention::default();
    let days = |time: Duration| i64::try_from(time.as_secs() / 86_400).unwrap();
    BTreeMap::from([
        ("messages", 5000 * days(keep.messages)),
        ("events", (2 * 5000 + 2000) * days(keep.events.keep)),
        ("messages that came in", 2000 * days(keep.received)),
        ("conversations", 500 * days(keep.conversations)),
        ("attempts", 1500 * days(keep.campaigns)),
    ])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_owner_has_less_than_a_gigabyte_as_documented() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operating.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (measured, kept) = (measured().await, kept());
    let number = |cell: &str| cell.replace(',', "").parse::<i64>().ok();
    let table = page.lines().skip_while(|line| *line != "| | rows | bytes each | MB |").skip(2);
    let (mut all, mut sized) = (0, 0);
    for line in table.take_while(|line| line.starts_with('|')) {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [what, rows, each, megabytes] = cells[..] else { panic!("{line}") };
        let megabytes = number(megabytes).unwrap();
        if what == "together" {
            assert!(megabytes == all && megabytes < 1000, "{all} MB are not {megabytes}");
            assert_eq!(sized, measured.len(), "each kind that is measured has a row");
            return;
        }
        all += megabytes;
        let Some(each) = number(each) else { continue };
        sized += 1;
        let what = what.split([':', ',']).next().unwrap();
        let rows = number(rows).unwrap();
        assert!(kept.get(what).is_none_or(|kept| *kept == rows), "{what}: {rows} are not {kept:?}");
        assert_eq!((rows * each + 500_000) / 1_000_000, megabytes, "{line}");
        assert!(page.contains(&format!("{each} bytes")), "{what}: the upper table says something else");
        let is = measured[what];
        // Rows of owners differ, in their texts above all: a third more or less is the same.
        assert!(
            is * 3 <= each * 4 && is * 3 >= each * 2,
            "{what}: {is} bytes each, not {each}: {measured:?}"
        );
    }
    panic!("the documentation has no such table");
}
