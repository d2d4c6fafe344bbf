//! Events on the whole program: shown and followed by the command, over a kill of the server.

use std::io::{BufRead, BufReader};

use serde_json::Value;
use testkit::Start;

use crate::binary;
use crate::shell::cli::{cli, started};

/// The next line that a follower prints.
fn next(lines: &mut impl Iterator<Item = std::io::Result<String>>) -> Value {
    let line = lines.next().expect("a line").expect("UTF-8");
    serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_followed_and_listed_over_a_kill() {
    let (world, mut program) = started(&["main"]).await;
    let follow = ["events", "--follow", "--json", "--type", "message.*", "--after", "1h"];
    let mut follower = cli(&world, &follow).spawn();
    let mut lines = BufReader::new(follower.stdout.take().expect("piped")).lines();
    let (_, sent) = program.send("@client_2", "Not for the stream").await;
    let accepted = next(&mut lines);
    assert_eq!(
        (&accepted["type"], &accepted["data"]["message_id"]),
        (&"message.accepted".into(), &sent["id"])
    );
    let done = next(&mut lines);
    assert_eq!((&done["type"], &done["data"]["message_ids"]), (&"message.sent".into(), &sent["message_ids"]));
    program.kill();
    // It takes a running server.
    assert!(!follower.wait().expect("ends").success());

    let after = accepted["id"].as_str().expect("an id").to_owned();
    let listed = || cli(&world, &["events", "--json", "--type", "message.*", "--after", &after]).run().fine();
    let events: Vec<Value> = listed().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(events, std::slice::from_ref(&done), "also without a server");
    let program = Start::on(&world, binary(), "data").ready().await;
    assert_eq!(listed().lines().count(), 1);
    program
        .until("the account is up", || async {
            cli(&world, &["events", "--type", "account.state"]).run().fine().contains("\"ready\"")
        })
        .await;
    let shown = cli(&world, &["events", "--account", "main", "--type", "message.sent"]).run().fine();
    assert!(shown.contains("message.sent") && shown.contains("\"state\":\"sent\""), "{shown}");
    assert!(!shown.contains("Not for the stream"), "{shown}");
}
