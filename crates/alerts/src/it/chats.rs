//! A Telegram chat is notified through the outbox, and not by the account that is in trouble.

use std::time::Duration;

use crate::it::hook::Hook;
use crate::it::world::{World, chat, webhook};

#[tokio::test]
async fn a_chat_is_notified_by_a_message_of_the_outbox() {
    let world = World::with(vec![chat("owner", None)]).await;
    world.break_down(&["port:5021"]).await;
    world.until(|| world.script.sent().len() == 1).await;
    world.until_none_waits("owner").await;
    let (account, text) = world.script.sent().remove(0);
    assert_eq!(account, "main");
    assert!(text.starts_with("Switchboard demo: port 5021 is in trouble"), "{text}");
    world.mend(&["port:5021"]).await;
    world.until(|| world.script.sent().len() == 2).await;
    world.delivery.drain(Duration::from_secs(1)).await;
}

#[tokio::test]
async fn the_account_that_is_in_trouble_does_not_have_to_tell_so() {
    let world = World::with(vec![chat("owner", Some("backup_1"))]).await;
    world.break_down(&["port:5021"]).await;
    world.until(|| world.script.sent().len() == 1).await;
    world.until_none_waits("owner").await;
    world.break_down(&["account:backup_1", "port:5021"]).await;
    world.until(|| world.script.sent().len() == 2).await;
    let accounts: Vec<_> = world.script.sent().into_iter().map(|(account, _)| account).collect();
    assert_eq!(accounts, ["backup_1", "main"], "pinned, but not when it is broken itself");
}

#[tokio::test]
async fn failed_notice_is_a_new_message_next_time() {
    let hook = Hook::start().await;
    let world = World::with(vec![chat("owner", None), webhook("hook", &hook.address)]).await;
    world.script.refuse(true);
    world.break_down(&["port:5021"]).await;
    world.until(|| hook.posts().len() == 1).await;
    let failed = async {
        while world.alerts.targets().await.expect("targets")[1].last_error.is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), failed).await.expect("it fails");
    assert_eq!(world.waiting("owner").await, 1);
    world.script.refuse(false);
    world.pass_until(Duration::from_secs(11), || world.script.sent().len() == 1).await;
    world.until_none_waits("owner").await;
    assert_eq!(world.script.sent().len(), 1);
}

#[tokio::test]
async fn a_test_tells_a_chat_too() {
    let world = World::with(vec![chat("owner", None)]).await;
    assert_eq!(world.alerts.test("owner").await.expect("answered"), crate::Tested::Delivered);
    assert!(world.script.sent()[0].1.contains("This is a test"));
    world.script.refuse(true);
    let refused = world.alerts.test("owner").await.expect_err("refused").to_string();
    assert!(refused.contains("CHAT_RESTRICTED"), "{refused}");
}

#[tokio::test]
async fn a_test_answers_within_ten_seconds_what_it_waits_for() {
    let world = World::with(vec![chat("owner", None)]).await;
    world.script.fall_silent();
    let begun = world.clock.running();
    let test = world.alerts.test("owner");
    let as_time_goes_by = async {
        loop {
            world.clock.advance(Duration::from_millis(100));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let tested =
        tokio::select! { tested = test => tested.expect("it is on its way"), () = as_time_goes_by => return };
    let passed = world.clock.running().saturating_sub(begun);
    let crate::Tested::Queued { why, .. } = tested else { panic!("{tested:?}") };
    assert!(why.contains("Telegram has not answered yet"), "{why}");
    assert!(passed <= Duration::from_secs(10), "{passed:?}");
}

#[tokio::test]
async fn since_when_something_waits_for_a_target_is_shown() {
    let world = World::with(vec![chat("owner", None)]).await;
    world.script.fall_silent();
    world.break_down(&["port:5021"]).await;
    let since = async || world.alerts.targets().await.expect("targets").remove(0).waiting_since;
    let waits = async {
        while since().await.is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), waits).await.expect("it waits");
    world.clock.advance(Duration::from_mins(2));
    let waited = world.clock.now().since(since().await.expect("it still waits"));
    assert!(waited >= Duration::from_mins(2), "{waited:?}");
}
