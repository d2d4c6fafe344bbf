//! How seldom a person gets messages of campaigns, and by which names campaigns are found.

use std::time::Duration;

use domain::text::ParseMode;
use domain::{AccessHash, AttemptState, ChatId, Timestamp};
use store::{CampaignRow, CampaignRun, Claim, NextTurn, PeerKind, Readied, StoredPeer};

use super::{campaign, claim, claimed, ended, run, sent};
use crate::support::{World, account, conformance};

conformance! {
    campaigns_together_write_to_a_person_seldom,
    a_person_is_the_same_by_name_and_by_id,
    a_campaign_is_found_by_its_title_and_no_two_have_one,
}

/// Claims the next chat of a run for a peer and makes it ready; sent where that is possible, else it waits.
async fn carried(world: &World, run: &CampaignRun, who: &str, peer: &str) -> Option<Timestamp> {
    let attempt = claimed(world, run, who).await;
    let campaigns = world.store.campaigns();
    let ready = campaigns.ready(attempt.id, peer.to_owned(), 1, "Hi".to_owned(), ParseMode::None);
    match ready.await.unwrap() {
        Readied::Ready(..) => {
            sent(world, &attempt).await;
            None
        }
        Readied::TooOften(until) => {
            let later = ended(&attempt, AttemptState::Skipped, NextTurn::Later(until), world.now());
            campaigns.end(later).await.unwrap();
            Some(until)
        }
        other @ Readied::Duplicate(_) => panic!("{other:?}"),
    }
}

async fn campaigns_together_write_to_a_person_seldom(world: World) {
    let names = ["one", "two", "three", "four", "five"];
    let mut runs = Vec::new();
    for name in names {
        campaign(&world, name, &["@client_1"]).await;
        runs.push(run(&world, name, 1, None).await);
    }
    let hour = Duration::from_hours(1);
    let began = world.now();
    assert_eq!(carried(&world, &runs[0], "main", "777").await, None);
    // Another campaign, another account and seconds later: it waits for its turn in the cycle.
    let until = carried(&world, &runs[1], "fifth", "777").await.expect("it waits");
    assert!(until >= began.plus(hour) && until <= world.now().plus(hour));
    assert!(matches!(claim(&world, &runs[1], "main").await, Claim::Later(at) if at == until));
    // What is leaving counts as well.
    let open = claimed(&world, &runs[2], "main").await;
    world.clock.advance(hour);
    let campaigns = world.store.campaigns();
    let ready = campaigns.ready(open.id, "777".to_owned(), 1, "Hi".to_owned(), ParseMode::None).await;
    assert!(matches!(ready.unwrap(), Readied::Ready(..)));
    assert!(carried(&world, &runs[1], "fifth", "777").await.is_some());
    sent(&world, &open).await;
    world.clock.advance(hour);
    assert_eq!(carried(&world, &runs[1], "fifth", "777").await, None);
    // Three within a day, whatever the gap.
    world.clock.advance(2 * hour);
    let until = carried(&world, &runs[3], "main", "777").await.expect("it waits");
    assert!(
        until <= began.plus(24 * hour).plus(Duration::from_mins(1)) && until > world.now().plus(19 * hour)
    );
    // Groups and other people get theirs.
    campaign(&world, "groups", &["-1001234567890", "@client_2"]).await;
    let groups = run(&world, "groups", 1, None).await;
    campaign(&world, "more", &["-1001234567890"]).await;
    let more = run(&world, "more", 1, None).await;
    assert_eq!(carried(&world, &groups, "main", "-1001234567890").await, None);
    assert_eq!(carried(&world, &more, "main", "-1001234567890").await, None);
    assert_eq!(carried(&world, &groups, "main", "778").await, None);
    world.clock.advance(until.since(world.now()));
    assert_eq!(carried(&world, &runs[3], "main", "777").await, None);
}

async fn a_person_is_the_same_by_name_and_by_id(world: World) {
    for name in ["one", "two", "three"] {
        campaign(&world, name, &["@client_1"]).await;
    }
    let [one, two, three] = [
        run(&world, "one", 1, None).await,
        run(&world, "two", 1, None).await,
        run(&world, "three", 1, None).await,
    ];
    // The first is made ready before any account knows the chat, the second after that, the third by another name again.
    assert_eq!(carried(&world, &one, "main", "@client_1").await, None);
    world.store.peers().save(&account("main"), vec![peer("client_1")]).await.unwrap();
    assert!(carried(&world, &two, "fifth", "777").await.is_some());
    world.clock.advance(Duration::from_hours(1));
    assert_eq!(carried(&world, &two, "fifth", "777").await, None);
    assert!(carried(&world, &three, "main", "@client_1").await.is_some());
    // In one cycle they are the same recipient.
    campaign(&world, "four", &["@client_1", "777"]).await;
    world.clock.advance(Duration::from_hours(1));
    let four = run(&world, "four", 1, None).await;
    assert_eq!(carried(&world, &four, "main", "@client_1").await, None);
    let open = claimed(&world, &four, "main").await;
    let ready = world.store.campaigns().ready(open.id, "777".into(), 1, "Hi".into(), ParseMode::None).await;
    assert!(matches!(ready.unwrap(), Readied::Duplicate(_)));
}

/// What an account knows of a person.
fn peer(username: &str) -> StoredPeer {
    StoredPeer {
        chat_id: ChatId::user(777).unwrap(),
        access_hash: AccessHash(1),
        username: Some(username.parse().unwrap()),
        title: "Anna".into(),
        kind: PeerKind::User,
        dialog: false,
        phone: None,
        contact: false,
    }
}

async fn a_campaign_is_found_by_its_title_and_no_two_have_one(world: World) {
    let campaigns = world.store.campaigns();
    let row = |name: &str, title: &str| CampaignRow {
        name: name.to_owned(),
        title: title.to_owned(),
        settings: "{}".to_owned(),
        created_at: world.now(),
    };
    for (name, title, is_added) in [
        ("osen", "Осень", true),
        ("vesna", "Весна", true),
        ("osen", "Osen!", false),
        ("osen_2", " осень", false),
    ] {
        assert_eq!(campaigns.add(row(name, title)).await, Ok(is_added), "{title}");
    }
    for (given, name) in [("Осень", "osen"), ("осень ", "osen"), ("vesna", "vesna"), ("ВЕСНА", "vesna")]
    {
        assert_eq!(
            campaigns.find(given).await.unwrap().map(|row| row.name),
            Some(name.to_owned()),
            "{given}"
        );
    }
    assert_eq!(campaigns.find("Лето").await.unwrap().map(|row| row.name), None);
}
