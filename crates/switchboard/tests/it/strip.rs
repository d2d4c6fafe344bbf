//! The dots of a card outlive SIGKILL: what was asked before it is seen after it.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Program, Start, World};

use crate::binary;

const BEAT: Duration = Duration::from_secs(20);

/// The dots of a card that are not grey, oldest first: the answer and the reason.
async fn dots(program: &Program, card: &str) -> Vec<(Value, Value)> {
    let (status, shown) = program.get(&format!("/v1/cards/{card}")).await;
    assert_eq!(status, 200, "{shown}");
    let strip = shown["strip"].as_array().expect("a strip").iter();
    let checked = strip.filter(|minute| minute["answer"] != "not_asked");
    checked.map(|minute| (minute["answer"].clone(), minute["reason"].clone())).collect()
}

/// Rounds go by until the dots of a card are as wanted.
async fn until_dots(program: &Program, card: &str, wanted: impl Fn(&[(Value, Value)]) -> bool) {
    program
        .until("the dots are there", || async {
            if wanted(&dots(program, card).await) {
                return true;
            }
            program.advance(BEAT).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
            false
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_takes_the_last_round_of_dots_at_most() {
    let world = World::start(binary()).await;
    let mut program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("main", "ready").await;
    let (account, store) = ("account:main", "store");
    let green = |dots: &[(Value, Value)]| dots.iter().filter(|dot| dot.0 == "answered").count();
    until_dots(&program, account, |dots| green(dots) >= 3).await;
    world.fault("session_revoked", json!({"account": "main"})).await;
    let red = |dot: &(Value, Value)| *dot == (json!("failed"), json!("session_revoked"));
    // Two of them: one minute is over.
    until_dots(&program, account, |dots| dots.iter().filter(|dot| red(dot)).count() >= 2).await;
    let seen = dots(&program, account).await;
    assert!(seen[..seen.len() - 1].iter().any(red) && green(&seen) > 0, "{seen:?}");
    let before = [dots(&program, account).await, dots(&program, store).await];
    program.kill();

    let program = Start::on(&world, binary(), "data").ready().await;
    for (card, before) in [account, store].into_iter().zip(before) {
        // A round lasts 20 seconds; the minute that ran may have begun with the very last one.
        let over = &before[..before.len() - 1];
        assert!(over.len() >= 3, "{card}: {before:?}");
        let mut after = Vec::new();
        for _ in 0..3_000 {
            after = dots(&program, card).await;
            if after.len() >= over.len() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(after.get(..over.len()), Some(over), "{card}: {before:?}, then {after:?}");
    }
    // And it goes on behind them.
    let kept = dots(&program, store).await.len();
    until_dots(&program, store, |dots| dots.len() > kept).await;
}
