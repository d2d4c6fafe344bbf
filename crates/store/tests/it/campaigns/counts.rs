//! The kept counts of a campaign: what counting again finds, also where many attempts end at once.

use std::collections::BTreeMap;

use domain::text::ParseMode;
use domain::{AttemptState, CampaignRunState};
use futures::future::join_all;
use store::{AttemptFilter, CampaignRun, NextTurn, Page, RunChange, Unblocking};

use super::{campaign, claimed, ended, run, says_hi, sent, task};
use crate::support::{World, conformance};

conformance! {
    stored_counts_equal_a_recount,
    attempts_that_end_at_once_count_once_each,
}

/// The kept counts of a run, held against its rows.
async fn assert_counts(world: &World, run: &CampaignRun, pending: u64) {
    let campaigns = world.store.campaigns();
    let run = campaigns.run(run.id).await.unwrap().unwrap();
    let counted = campaigns.tasks_counted("spring", Some(&run)).await.unwrap();
    let page = Page { limit: 100, cursor: None };
    let tasks = campaigns.tasks("spring", &page).await.unwrap().items;
    let blocked = tasks.iter().filter(|task| task.is_blocked).count() as u64;
    assert_eq!((counted.all, counted.blocked, counted.pending), (tasks.len() as u64, blocked, pending));
    let mut found = BTreeMap::new();
    for attempt in campaigns.attempts(run.id, AttemptFilter::default(), &page).await.unwrap().items {
        *found.entry(format!("{:?} {:?}", attempt.state, attempt.code)).or_insert(0) += 1;
    }
    for row in campaigns.attempts_counted(run.id).await.unwrap() {
        assert_eq!(found.remove(&format!("{:?} {:?}", row.state, row.code)), Some(row.count));
    }
    assert!(found.is_empty(), "{found:?}");
}

async fn stored_counts_equal_a_recount(world: World) {
    campaign(&world, "spring", &["@client_1", "@client_2", "@client_3"]).await;
    let campaigns = world.store.campaigns();
    let run = run(&world, "spring", 2, None).await;
    assert_counts(&world, &run, 3).await;
    let first = claimed(&world, &run, "main").await;
    assert_counts(&world, &run, 2).await;
    sent(&world, &first).await;
    let second = claimed(&world, &run, "main").await;
    campaigns.add_tasks("spring", vec![task("@client_3"), task("@client_4")]).await.unwrap();
    assert_counts(&world, &run, 2).await;
    campaigns.end(ended(&second, AttemptState::Skipped, NextTurn::Back, world.now())).await.unwrap();
    assert_counts(&world, &run, 3).await;
    let second = claimed(&world, &run, "main").await;
    let never = NextTurn::Never("no_rights".to_owned());
    campaigns.end(ended(&second, AttemptState::Failed, never, world.now())).await.unwrap();
    assert_counts(&world, &run, 2).await;
    // Nothing was sent to it in this cycle.
    campaigns.unblock("spring", Unblocking::default(), world.now()).await.unwrap();
    assert_counts(&world, &run, 3).await;

    // An attempt of a run that was replaced ends within the next one: its chat waits again there.
    let third = claimed(&world, &run, "main").await;
    let over = RunChange { state: CampaignRunState::Stopped, reason: None, canary: None, now: world.now() };
    campaigns.change_run(run.id, over).await.unwrap();
    let next = super::run(&world, "spring", 1, None).await;
    for pending in [3, 2, 1, 0] {
        let attempt = claimed(&world, &next, "main").await;
        assert_counts(&world, &next, pending).await;
        sent(&world, &attempt).await;
    }
    sent(&world, &third).await;
    assert_counts(&world, &next, 1).await;
    assert_eq!(claimed(&world, &next, "main").await.chat, third.chat);
    assert_counts(&world, &next, 0).await;
}

async fn attempts_that_end_at_once_count_once_each(world: World) {
    let chats: Vec<_> = (10..22).map(|number| format!("@client_{number}")).collect();
    campaign(&world, "spring", &chats.iter().map(String::as_str).collect::<Vec<_>>()).await;
    says_hi(&world).await;
    let (campaigns, run) = (world.store.campaigns(), run(&world, "spring", 1, None).await);
    let mut attempts = Vec::new();
    for number in 10..22 {
        let attempt = claimed(&world, &run, "main").await;
        let peer = format!("55000000{number}");
        campaigns.ready(attempt.id, peer, 1, "Hi".to_owned(), ParseMode::None).await.unwrap();
        attempts.push(attempt);
    }
    // Said twice, they count once.
    for _ in 0..2 {
        join_all(attempts.iter().map(|attempt| sent(&world, attempt))).await;
        assert_counts(&world, &run, 0).await;
        assert_eq!(world.number("SELECT sum(attempts) FROM campaign_sent"), 12);
        assert_eq!(campaigns.messages("spring").await.unwrap()[0].uses, 12);
        let tasks = campaigns.tasks("spring", &Page { limit: 100, cursor: None }).await.unwrap().items;
        assert!(tasks.iter().all(|task| task.cycles == 1 && task.peer.is_some()), "{tasks:?}");
    }
}
