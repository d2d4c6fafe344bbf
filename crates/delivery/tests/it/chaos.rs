//! Whatever the provider answers: each message once, and each chat in order.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use domain::account::Reason;
use domain::outcome::HoldScope;
use domain::{MessageState, Outcome};
use proptest::prelude::*;

use crate::script::{Act, Bench, Prepares, album, group, text};

fn acts() -> impl Strategy<Value = u8> {
    0_u8..8
}

async fn play(script: Vec<u8>, messages: Vec<(i64, usize)>) -> Result<(), TestCaseError> {
    let bench = Bench::new().await;
    let soon = |seconds| bench.clock.now().plus(Duration::from_secs(seconds));
    for (number, act) in script.iter().enumerate() {
        let act = match act {
            0..=2 => Act::Send,
            3 => Act::SendSilently,
            4 => Act::Refuse(Outcome::Unknown("timeout".into())),
            5 => Act::Refuse(Outcome::held(soon(5))),
            6 => Act::Refuse(Outcome::InProgress),
            _ => Act::Refuse(Outcome::Held { until: soon(3), scope: HoldScope::Chat }),
        };
        let account = if number % 3 == 0 { "backup" } else { "main" };
        match &act {
            Act::Refuse(outcome) if outcome.proves_unsent() && number % 2 == 0 => {
                bench.script.prepare(account, [Prepares::Fails(outcome.clone())]);
            }
            _ => bench.script.act(account, [act]),
        }
    }
    let (mut ids, mut callers) = (Vec::new(), Vec::new());
    for (number, (chat, photos)) in messages.iter().enumerate() {
        let id = bench.submit(album(group(*chat), *photos, &number.to_string())).await;
        let delivery = bench.delivery.clone();
        let waiting = async move { delivery.settled_with_attempt(id, Duration::from_hours(1)).await };
        callers.push(tokio::spawn(waiting));
        ids.push(id);
    }
    let mut left = ids.clone();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_mins(1) {
        let mut waiting = Vec::new();
        for id in left {
            let message = bench.delivery.settled(id, Duration::ZERO).await.expect("reads").expect("exists");
            if !message.state.is_final() {
                waiting.push(id);
            }
        }
        left = waiting;
        if left.is_empty() {
            break;
        }
        bench.clock.advance(Duration::from_secs(1));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    for (id, caller) in ids.into_iter().zip(callers) {
        prop_assert_eq!(bench.settled(id).await.state, MessageState::Sent);
        let settled = caller.await.expect("ends").expect("reads").expect("exists");
        if let Some(attempt) = settled.only_attempt {
            prop_assert_eq!(bench.attempts(id).await, [attempt]);
        }
    }
    let effects = bench.script.effects();
    let all: usize = messages.iter().map(|(_, photos)| (*photos).max(1)).sum();
    prop_assert_eq!(effects.len(), all, "each exactly once: {:?}", effects);
    let mut last: HashMap<_, usize> = HashMap::new();
    for effect in effects.into_iter().filter(|effect| effect.media.is_none_or(|place| place == 0)) {
        let number: usize = effect.text.parse().expect("a number");
        if let Some(before) = last.insert(effect.address.clone(), number) {
            prop_assert!(before < number, "the order in a chat is the order of acceptance");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn messages_arrive_once_and_in_order(
        script in prop::collection::vec(acts(), 0..30),
        messages in prop::collection::vec((1_i64..4, prop_oneof![2 => Just(0), 1 => 1_usize..13]), 1..12),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
            .expect("a runtime");
        runtime.block_on(play(script, messages))?;
    }
}

#[tokio::test]
async fn a_ban_in_the_middle_of_a_lane_moves_the_rest_in_order() {
    let bench = Bench::new().await;
    bench.script.act("main", [Act::Send, Act::Refuse(Outcome::Banned(Reason::Banned))]);
    let mut ids = Vec::new();
    for number in 0..6 {
        ids.push(bench.submit(text(group(1), &number.to_string())).await);
    }
    for id in ids {
        assert_eq!(bench.settled(id).await.state, MessageState::Sent);
    }
    assert_eq!(bench.script.texts(), ["0", "1", "2", "3", "4", "5"]);
}
