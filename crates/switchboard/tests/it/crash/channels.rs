//! Killed between the steps of a channel: what a customer writes is kept once, and an answer leaves once.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Program, Start, World};
use tokio::task::JoinSet;

use super::files::{no_file_stays, past_its_time};
use super::{ask, finished, id, stopped};
use crate::binary;
use crate::channels::{connected, received, restarted, sent, writes};
use crate::postgres::world;

/// What is done to reach a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scenario {
    /// A provider posts what a customer wrote.
    Taken,
    /// A customer sends a picture, which is stored.
    File,
    /// A provider takes the token no more, so that another one is kept.
    Renewed,
    /// What came in is past its time, with its picture.
    Swept,
}

/// The scenario that reaches a write, if it is one of channels.
pub(super) fn scenario(write: &str) -> Option<Scenario> {
    match write {
        "store.take_from_channel" => Some(Scenario::Taken),
        "store.note_channel_file" => Some(Scenario::File),
        "store.keep_channel_values" => Some(Scenario::Renewed),
        "store.drop_channel_messages" | "store.drop_channel_files" => Some(Scenario::Swept),
        _ => None,
    }
}

/// Kills at a point, starts again, and looks what there is.
pub(super) async fn kill_at(scenario: Scenario, point: &str) {
    let world = world().await;
    // Killed, it has the clock of the machine again: a provider with a history would show once more what was removed months later.
    let (channel, account) =
        if scenario == Scenario::Swept { ("telegram", "bot") } else { ("avito", "shop") };
    let (mut program, _) = connected(&world).await;
    let chat = writes(&world, channel, account, "before").await;
    program.until("it came in", || async { received(&program, channel).await.len() == 1 }).await;
    let answer = json!({ "channel": channel, "chat": chat, "account": null });
    match scenario {
        Scenario::Taken => {
            program.arm(point, 0).await;
            writes(&world, channel, account, "at the point").await;
        }
        Scenario::File => {
            program.arm(point, 0).await;
            sends_a_picture(&world, channel, account).await;
        }
        Scenario::Renewed => {
            world
                .post("/faults", &json!({ "provider": channel, "fault": "token_expired", "times": 1 }))
                .await;
            program.arm(point, 0).await;
            ask(&program, "answer", answer.clone()).await;
        }
        Scenario::Swept => {
            sends_a_picture(&world, channel, account).await;
            is_stored(&world, &program, channel).await;
            writes(&world, channel, account, "last").await;
            program.until("it came in", || async { received(&program, channel).await.len() == 3 }).await;
            past_its_time(&program, None, point).await;
        }
    }
    stopped(&program, point).await;
    program = restarted(&world, program).await;
    if scenario == Scenario::File {
        is_stored(&world, &program, channel).await;
    }
    writes(&world, channel, account, "after").await;
    let ids = || async {
        let all = received(&program, channel).await.into_iter();
        all.map(|one| format!("{} {}", one["external_message_id"], one["text"])).collect::<Vec<_>>()
    };
    let wanted = match scenario {
        Scenario::Taken | Scenario::File => 3,
        Scenario::Swept if point == "store.drop_channel_messages.before" => 4,
        Scenario::Renewed | Scenario::Swept => 2,
    };
    program.until("all came in", || async { ids().await.len() >= wanted }).await;
    let all = ids().await;
    let mut once = all.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!((all.len(), once.len()), (wanted, wanted), "{point}: {all:?}");
    finished(&program, "answer", answer, "sent").await;
    assert_eq!(sent(&world, channel).await.get("answer"), Some(&1), "{point}");
    if scenario == Scenario::Swept {
        no_file_stays(&world, &program).await;
        // The newest row stays.
        let swept =
            program.until("the rest is gone", || async { received(&program, channel).await.len() <= 1 });
        program.as_time_goes_by(Duration::from_mins(30), swept).await;
    }
    world.assert_nothing_unknown().await;
}

async fn sends_a_picture(world: &World, channel: &str, account: &str) {
    let media = json!([{ "kind": "image" }]);
    let deed = json!({ "channel": channel, "account": account, "from": "2000002", "media": media });
    world.post("/customers/messages", &deed).await;
}

/// Waits until the picture is stored, and reads it when its provider has it no more.
async fn is_stored(world: &World, program: &Program, channel: &str) {
    let picture = || async {
        let all = received(program, channel).await;
        let found = all.iter().find(|one| one["media"]["has_images"] == true)?;
        let path = format!("/v1/messages/{}", found["id"].as_str().expect("an id"));
        let shown = program.get(&path).await.1;
        (shown["files"][0]["state"] == "stored").then_some(path)
    };
    program.until("the picture is stored", || async { picture().await.is_some() }).await;
    let path = picture().await.expect("it is stored");
    // `telegram` alone is the one of accounts.
    let provider = if channel == "telegram" { "telegram_bot" } else { channel };
    let fault = json!({ "provider": provider, "method": "/files/", "fault": "error", "code": 404 });
    world.post("/faults", &fault).await;
    let read = program.request("GET", &format!("{path}/media/0")).send().await.expect("an answer");
    assert_eq!(read.status(), 200);
    assert_eq!(read.text().await.expect("a body"), "a pretend image");
}

/// Kills at each point of a send through these accounts, each in a world of its own: most of the time a look is awaited.
async fn answers_killed_in_transit(accounts: [&'static str; 3]) {
    let mut running: JoinSet<()> = accounts.into_iter().map(answer_killed_in_transit).collect();
    while let Some(done) = running.join_next().await {
        done.expect("what it checks is true");
    }
}

/// Kills at each point of a send through this account. What is known of an answer then: VK knows a repeat by its key and WhatsApp's
/// messages can be read, but a Telegram bot shows nothing of what arrived.
async fn answer_killed_in_transit(name: &str) {
    let world = world().await;
    let (mut program, channels) = connected(&world).await;
    std::fs::write(world.data_dir("data").join("media/photo.png"), testkit::PNG).expect("writes");
    let shown = channels.iter().find(|one| one["name"] == name).expect("the account");
    let channel = shown["channel"].as_str().expect("a channel");
    let chat = writes(&world, channel, name, "Is it there?").await;
    let of_account = async || {
        received(&program, channel).await.into_iter().filter(|one| one["channel_account"] == name).count()
    };
    program.until("it came in", || async { of_account().await > 0 }).await;
    let media = json!([{ "path": "photo.png" }]);
    let with_file = ["vk", "max"].contains(&channel).then_some(("store.part_sent.before", &media));
    let points = [
        "store.accept.after",
        "store.begin.before",
        "store.begin.after",
        "store.part_sent.before",
        "store.part_sent.after",
    ];
    let points = points.map(|point| (point, &Value::Null)).into_iter().chain(with_file);
    let mut ahead = Duration::ZERO;
    for (point, media) in points {
        let text = format!("{name}-{point}-{}", media.is_array());
        let mut answer = json!({"channel": channel, "channel_account": name, "chat": chat, "account": null});
        if media.is_array() {
            answer["media"] = media.clone();
        }
        // Begun at its acceptance, unless it has to wait.
        let waits = point.starts_with("store.begin");
        let switch = async |verb: &str| {
            program.post(&format!("/v1/channels/{name}/{verb}"), &json!({})).await;
        };
        if waits {
            switch("pause").await;
        } else {
            program.arm(point, 0).await;
        }
        let reply = ask(&program, &text, answer.clone()).await;
        if waits {
            program.arm(point, 0).await;
            switch("resume").await;
        }
        assert!(reply.as_ref().is_none_or(|reply| reply["code"].is_null()), "{text}: {reply:?}");
        stopped(&program, point).await;
        program = restarted(&world, program).await;
        let state = async || {
            let repeated = ask(&program, &text, answer.clone()).await;
            let path = format!("/v1/messages/{}", id(repeated.as_ref()));
            program.get(&path).await.1["state"].as_str().unwrap_or_default().to_owned()
        };
        let is_over = || async { ["sent", "in_doubt"].contains(&state().await.as_str()) };
        // A call that was cut may be at work for half a minute before the chat shows that it is not. In one leap: while the clocks
        // go apart a look cannot tell. The call began by the clock of the program before, which made the leaps before.
        if shown["can"]["dedup"] == "read_back" {
            ahead += Duration::from_secs(31);
            program.advance(ahead).await;
        }
        program.until(&format!("{text} is over"), is_over).await;
        let (state, left) = (state().await, sent(&world, channel).await.get(&text).copied());
        // With nothing to look at, a person decides.
        let is_begun = ["store.accept.after", "store.begin.after", "store.part_sent.before"].contains(&point);
        let may_be_unknown = shown["can"]["dedup"] == "none" && is_begun;
        assert!(state == "sent" || may_be_unknown, "{text}: {state}");
        assert!(left == Some(1) || (state == "in_doubt" && left.is_none()), "{text}: {state} {left:?}");
    }
    world.assert_nothing_unknown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_killed_in_transit_leaves_once_or_is_in_doubt() {
    answers_killed_in_transit(["club", "phone", "bot"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_killed_in_transit_to_a_messenger_leaves_once() {
    answers_killed_in_transit(["assistant", "studio", "shop"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_or_letter_killed_in_transit_leaves_once() {
    answers_killed_in_transit(["mail", "texts", "texts_smpp"]).await;
}

/// Accounts that are asked keep what they brought and where the next question goes on in one write.
#[tokio::test(flavor = "multi_thread")]
async fn polled_messages_are_received_once_when_killed_midway() {
    const ACCOUNTS: [(&str, &str); 5] =
        [("telegram", "bot"), ("vk", "club"), ("max", "assistant"), ("avito", "shop"), ("email", "mail")];
    // A provider that has nothing is asked again after seconds. In small steps: a leap over the time-out of a question that is under
    // way makes it fail.
    const STEP: Duration = Duration::from_millis(500);
    let (world, port) = (world().await, testkit::free_port());
    world.with_channels(&format!("http://127.0.0.1:{port}"));
    let mut program = Start::on(&world, binary(), "data").at(port).ready().await;
    let texts = async |program: &Program, channel: &str| {
        program.advance(STEP).await;
        // MAX has what is known of a contact on further lines.
        let first_line = |one: &'_ Value| one["text"].as_str()?.lines().next().map(str::to_owned);
        let mut texts: Vec<_> = received(program, channel).await.iter().filter_map(first_line).collect();
        texts.sort_unstable();
        texts
    };
    for (channel, account) in ACCOUNTS {
        let is_in = || async {
            // What is in a mailbox before it is asked for the first time is not brought.
            writes(&world, channel, account, "before").await;
            let is_in = async || !texts(&program, channel).await.is_empty();
            for _ in 0..100 {
                if is_in().await {
                    return true;
                }
            }
            false
        };
        program.until(&format!("{account} is asked"), is_in).await;
        assert_eq!(program.get(&format!("/v1/channels/{account}")).await.1["receives_by"], "poll");
    }
    for (channel, account) in ACCOUNTS {
        let points = ["store.take_from_channel.before", "store.take_from_channel.after"];
        for point in points {
            program.arm(point, 0).await;
            writes(&world, channel, account, point).await;
            let is_stopped = || async {
                program.advance(STEP).await;
                program.stopped_at(point).await
            };
            program.until(&format!("{account} stops at {point}"), is_stopped).await;
            program = restarted(&world, program).await;
        }
        writes(&world, channel, account, "after").await;
        let has_all = || async { texts(&program, channel).await.iter().any(|text| text == "after") };
        program.until(&format!("{account} has all"), has_all).await;
        let mut texts = texts(&program, channel).await;
        texts.retain(|text| text != "before");
        assert_eq!(texts, ["after", points[1], points[0]], "{account}");
    }
    world.assert_nothing_unknown().await;
}
