//! Targets are notified once, in order, until they have it: whatever dies meanwhile.

use std::time::Duration;

use crate::Round;
use serde_json::json;
use store::{AlertFilter, AlertState, Page};

use crate::it::hook::{Answer, Hook};
use crate::it::mailbox::MailServer;
use crate::it::world::{World, email, probe, webhook};

#[tokio::test]
async fn all_targets_hear_of_trouble_and_recovery() {
    let (hook, mail) = (Hook::start().await, MailServer::start().await);
    let world = World::with(vec![
        webhook("hook", &hook.address),
        email("mail", &format!("smtp+plain://127.0.0.1:{}", mail.port)),
    ])
    .await;
    world.break_down(&["account:main", "line:main:all", "line:main:send_text"]).await;
    world.until(|| hook.posts().len() == 1 && mail.mails().len() == 1).await;
    let post = &hook.posts()[0];
    assert_eq!(post.body["type"], "alerts.changed");
    assert_eq!(post.cards("raised"), ["account:main"], "its lines raise none of their own");
    assert_eq!(post.body["data"]["raised"][0]["parts"], 2);
    assert_eq!(post.body["data"]["server"], "demo");
    let mail_text = &mail.mails()[0];
    assert!(
        mail_text.contains("Subject: Switchboard demo: account main is in trouble (no_answer)"),
        "{mail_text}"
    );
    assert!(
        mail_text.contains("To: owner@example.com") && mail_text.contains("no answer for 10 s"),
        "{mail_text}"
    );

    world.mend(&["account:main", "line:main:all", "line:main:send_text"]).await;
    world.until(|| hook.posts().len() == 2 && mail.mails().len() == 2).await;
    assert_eq!(hook.posts()[1].cards("cleared"), ["account:main"]);
    assert!(mail.mails()[1].contains("well again"), "{}", mail.mails()[1]);

    let page = Page { limit: 10, cursor: None };
    let over = world.alerts.list(&AlertFilter::default(), &page).await.expect("alerts").items;
    assert_eq!(over.len(), 1, "{over:?}");
    assert_eq!((over[0].alert.state, over[0].alert.card.as_str()), (AlertState::Cleared, "account:main"));
    assert!(over[0].alert.notified_at.is_some() && over[0].alert.closed_at.is_some());
}

#[tokio::test]
async fn a_notice_of_an_alert_has_its_wire_form() {
    let hook = Hook::start().await;
    let world = World::with(vec![webhook("hook", &hook.address)]).await;
    world.break_down(&["account:main", "line:main:all"]).await;
    world.until(|| hook.posts().len() == 1).await;
    let post = hook.posts().remove(0);
    let found = world.alerts.open().into_iter().find(|view| view.alert.card == "account:main");
    let alert = found.expect("it is open").alert;
    let at = &post.body["timestamp"];
    let since = alert.raised_at.to_string()[..16].replace('T', " ");
    assert!(at.is_string(), "{at}");
    let expected = json!({
        "type": "alerts.changed",
        "timestamp": at,
        "data": {
            "notice": post.id(),
            "server": "demo",
            "raised": [{
                "id": alert.id,
                "card": "account:main",
                "kind": "account",
                "name": "main",
                "reason": "no_answer",
                "detail": "no answer for 10 s",
                "raised_at": alert.raised_at,
                "closed_at": null,
                "gone": false,
                "parts": 1,
            }],
            "raised_total": 1,
            "cleared": [],
            "cleared_total": 0,
            "still": [],
            "still_total": 0,
            "text": format!(
                "Switchboard demo: account main is in trouble (no_answer)\n\nIn trouble:\n\
                 - account main: no_answer, since {since} UTC (with 1 part of it). no answer for 10 s\n"
            ),
        },
    });
    assert_eq!(post.body, expected);
}

#[tokio::test]
async fn two_thousand_cards_at_once_are_one_post() {
    let hook = Hook::start().await;
    let world = World::with(vec![webhook("hook", &hook.address)]).await;
    let cards: Vec<String> = (0..2_000).map(|number| format!("account:a{number}")).collect();
    let cards: Vec<&str> = cards.iter().map(String::as_str).collect();
    world.break_down(&cards).await;
    world.until(|| !hook.posts().is_empty()).await;
    world.clock.advance(Duration::from_mins(1));
    world.until_none_waits("hook").await;
    let posts = hook.posts();
    assert_eq!(posts.len(), 1, "one message, not 2,000");
    assert_eq!(posts[0].body["data"]["raised_total"], 2_000);
    assert_eq!(world.alerts.open().len(), 2_000);
}

#[tokio::test]
async fn a_target_that_is_down_for_a_day_gets_all_of_it_in_order() {
    let (down, up) = (Hook::start().await, Hook::start().await);
    down.answer(Answer::Status(503));
    let world = World::with(vec![webhook("down", &down.address), webhook("up", &up.address)]).await;
    world.break_down(&["account:main"]).await;
    world.until(|| !down.posts().is_empty() && up.posts().len() == 1).await;
    world.mend(&["account:main"]).await;
    // The other target does not wait.
    world.until(|| up.posts().len() == 2).await;
    for _ in 0..24 {
        world.clock.advance(Duration::from_hours(1));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(world.waiting("down").await, 2);
    let seen = down.posts().len();
    assert!(seen >= 2, "it was tried again and again: {seen}");
    assert!(down.posts().iter().all(|post| post.id() == down.posts()[0].id()), "the first one first");
    down.answer(Answer::Status(204));
    world
        .pass_until(Duration::from_mins(11), || {
            down.posts().iter().any(|post| !post.cards("cleared").is_empty())
        })
        .await;
    world.until_none_waits("down").await;
    let targets = world.alerts.targets().await.expect("targets");
    assert!(
        targets.iter().all(|target| target.notified_at.is_some() && target.last_error.is_none()),
        "{targets:?}"
    );
    assert_eq!(up.posts().len(), 2, "and no one was notified twice");
}

#[tokio::test]
async fn gone_webhook_is_skipped_until_a_test_succeeds() {
    let hook = Hook::start().await;
    hook.answer(Answer::Status(410));
    let world = World::with(vec![webhook("hook", &hook.address)]).await;
    world.break_down(&["account:main"]).await;
    world.until(|| hook.posts().len() == 1).await;
    world.until_none_waits("hook").await;
    world.clock.advance(Duration::from_hours(1));
    let off = world.alerts.targets().await.expect("targets").remove(0);
    assert!(off.off_at.is_some() && off.last_error.is_some_and(|error| error.contains("410")));
    world.mend(&["account:main"]).await;
    world.until_finished().await;
    world.until_none_waits("hook").await;
    assert_eq!(hook.posts().len(), 1, "it wanted nothing more");
    hook.answer(Answer::Status(200));
    world.alerts.test("hook").await.expect("it takes the test");
    assert_eq!(hook.posts()[1].body["type"], "alerts.test");
    assert!(world.alerts.targets().await.expect("targets")[0].off_at.is_none());
    world.break_down(&["account:main"]).await;
    world.until(|| hook.posts().len() == 3).await;
}

#[tokio::test]
async fn a_mail_server_that_refuses_is_asked_again() {
    let mail = MailServer::start().await;
    mail.refuse(true);
    let world = World::with(vec![email("mail", &format!("smtp+plain://127.0.0.1:{}", mail.port))]).await;
    world.break_down(&["store"]).await;
    let recipients = || mail.lines().iter().filter(|line| line.starts_with("RCPT")).count();
    world.until(|| recipients() == 1).await;
    world.pass_until(Duration::from_secs(11), || recipients() >= 2).await;
    let target = world.alerts.targets().await.expect("targets").remove(0);
    assert!(target.last_error.is_some_and(|error| error.contains("550")), "it says what the server said");
    mail.refuse(false);
    world.pass_until(Duration::from_mins(1), || mail.mails().len() == 1).await;
    assert!(
        mail.mails()[0].contains("Subject: Switchboard demo: store is in trouble"),
        "{}",
        mail.mails()[0]
    );
}

#[tokio::test]
async fn a_mail_server_without_tls_gets_no_password() {
    let mail = MailServer::start().await;
    let world =
        World::with(vec![email("mail", &format!("smtp://demo:planted@127.0.0.1:{}", mail.port))]).await;
    let refused = world.alerts.test("mail").await.expect_err("no STARTTLS").to_string();
    assert!(!refused.contains("planted"), "{refused}");
    assert!(mail.mails().is_empty());
    assert!(!mail.lines().iter().any(|line| line.contains("AUTH")), "{:?}", mail.lines());
}

#[tokio::test]
async fn notice_on_the_wire_at_a_kill_is_repeated_with_its_id() {
    let hook = Hook::start().await;
    hook.answer(Answer::Nothing);
    let targets = || vec![webhook("hook", &hook.address)];
    let world = World::with(targets()).await;
    world.break_down(&["account:main"]).await;
    world.until(|| hook.posts().len() == 1).await;
    hook.answer(Answer::Status(200));
    let after = world.after_a_crash(targets()).await;
    after.until(|| hook.posts().len() == 2).await;
    after.until_none_waits("hook").await;
    let posts = hook.posts();
    assert_eq!(posts[0].id(), posts[1].id(), "a receiver can tell the repeat");
    // The alert of the earlier run is not raised again, and is cleared by this one.
    assert!(after.is_open("account:main"));
    after.mend(&["account:main"]).await;
    after.until(|| hook.posts().len() == 3).await;
    assert_eq!(hook.posts()[2].cards("cleared"), ["account:main"]);
}

#[tokio::test]
async fn unsent_alert_at_a_kill_is_sent_by_the_next_run() {
    let hook = Hook::start().await;
    let targets = || vec![webhook("hook", &hook.address)];
    let world = World::with(targets()).await;
    for _ in 0..3 {
        world.alerts.observe(Round { probes: vec![probe("account:main", false)] });
    }
    // It is written at once, and reported a little later: what else breaks may belong to it.
    let written = async {
        while world.store.alerts().unfinished().await.expect("reads").is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), written).await.expect("it is written");
    let after = world.after_a_crash(targets()).await;
    world.alerts.stop(Duration::from_secs(5)).await;
    assert!(hook.posts().is_empty());
    after.pass_until(Duration::from_secs(6), || !hook.posts().is_empty()).await;
    assert_eq!(hook.posts()[0].cards("raised"), ["account:main"]);
    after.clock.advance(Duration::from_mins(1));
    after.until_none_waits("hook").await;
    assert_eq!(hook.posts().len(), 1);
}

#[tokio::test]
async fn reminders_come_while_it_stays_broken() {
    let hook = Hook::start().await;
    let world = World::with(vec![webhook("hook", &hook.address)]).await;
    world.break_down(&["account:main"]).await;
    world.until(|| hook.posts().len() == 1).await;
    world.pass_until(Duration::from_hours(2), || hook.posts().len() == 2).await;
    assert_eq!(hook.posts()[1].cards("still"), ["account:main"]);
    assert!(world.alerts.open()[0].alert.reminded_at.is_some());
}

#[tokio::test]
async fn a_store_that_is_dead_is_news_that_needs_no_store() {
    let hook = Hook::start().await;
    let world = World::with(vec![webhook("hook", &hook.address)]).await;
    hook.answer(Answer::Status(503));
    world.store.clone().close().await;
    world.break_down(&["store"]).await;
    world.pass_until(Duration::from_secs(16), || !hook.posts().is_empty()).await;
    hook.answer(Answer::Status(200));
    world.pass_until(Duration::from_secs(11), || hook.posts().len() >= 2).await;
    let posts = hook.posts();
    assert_eq!((posts[1].cards("raised"), posts[1].id()), (vec!["store".to_owned()], posts[0].id()));
    for _ in 0..10 {
        world.clock.advance(Duration::from_mins(1));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(hook.posts().len(), 2, "it is taken once, though nothing can be written down");
}

#[tokio::test]
async fn removed_target_gets_nothing_and_delays_no_other() {
    let hook = Hook::start().await;
    hook.answer(Answer::Status(500));
    let world = World::with(vec![webhook("hook", &hook.address)]).await;
    world.break_down(&["account:main"]).await;
    world.until(|| !hook.posts().is_empty()).await;
    let after = world.after_a_crash(Vec::new()).await;
    let waits = async {
        while !after.store.alerts().waiting().await.expect("reads").is_empty() {
            after.clock.advance(Duration::from_mins(1));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), waits).await.expect("it is given up");
}
