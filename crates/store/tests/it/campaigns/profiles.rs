//! Browser profiles that send for campaigns, their proxies and pictures.

use std::time::Duration;

use domain::secret::ExposeSecret;
use domain::text::ParseMode;
use domain::{
    AttemptState, CampaignAttemptId, CampaignSender, ContactSource, DoNotContactId, ProfileName, ProxyHealth,
    Secret, SenderCaps, SenderState, Timestamp, UserId,
};
use proptest::prelude::*;
use store::{
    AttemptEnd, Claim, Claiming, CycleCount, DoNotContactEntry, KeyFingerprint, NewPicture, NewProfile,
    NextTurn, SelfUser, StoreError, StoredSession, Unblocking,
};
use tokio::runtime::Runtime;

use super::{CAPS, campaign, claim, claim_with, claimed, ended, run, sender, sent, stop};
use crate::support::{World, conformance};

conformance! {
    a_profile_keeps_its_login_and_stops_in_all_campaigns,
    one_write_ends_an_attempt_and_stops_its_person,
    a_person_has_one_hour_over_accounts_and_profiles,
    the_peer_of_a_written_chat_is_stored_until_unblocked,
    proxies_are_kept_sealed_and_found_by_name,
    outcomes_of_a_run_are_counted_by_cycle,
    a_sender_stopped_by_its_provider_is_added_stopped,
    logging_in_unblocks_only_who_was_logged_out,
}

/// The profile `shop`, with a proxy.
pub(super) async fn profile(world: &World, proxy: Option<&str>) -> ProfileName {
    let name: ProfileName = "shop".parse().unwrap();
    let new = NewProfile {
        name: name.clone(),
        kind: "chromium".to_owned(),
        record: r#"{"kind":"chromium"}"#.to_owned().into(),
        proxy: proxy.map(str::to_owned),
        now: world.now(),
    };
    world.store.campaigns().put_profile(new).await.unwrap();
    name
}

pub(super) fn picture(file: &str, attempt: Option<CampaignAttemptId>, taken_at: Timestamp) -> NewPicture {
    let oldest = taken_at;
    NewPicture { file: file.to_owned(), profile: "shop".parse().unwrap(), attempt, taken_at, oldest }
}

async fn a_profile_keeps_its_login_and_stops_in_all_campaigns(world: World) {
    let campaigns = world.store.campaigns();
    let name = profile(&world, None).await;
    let sender = CampaignSender::Profile(name.clone());
    let of_campaigns = async || campaigns.profiles_of_campaigns().await.unwrap().len();
    assert_eq!(of_campaigns().await, 0);
    for group in ["spring", "summer"] {
        campaign(&world, group, &[]).await;
        campaigns.add_senders(group, vec![sender.clone()], world.now()).await.unwrap();
    }
    assert_eq!(of_campaigns().await, 1);
    campaigns.saw_profile(&name, 7).await.unwrap();
    campaigns.profile_went_wrong(&name, "the page stays white", world.now()).await.unwrap();
    campaigns.stop_sender(sender.clone(), SenderState::Blocked, "frozen".into(), world.now()).await.unwrap();
    profile(&world, Some("p1")).await;
    let kept = campaigns.profile(&name).await.unwrap().unwrap();
    assert_eq!((kept.state, kept.why.as_deref()), (SenderState::Blocked, Some("frozen")));
    assert_eq!((kept.user_id, kept.proxy.as_deref()), (domain::UserId::new(7), Some("p1")));
    assert_eq!(kept.record.expose_secret(), r#"{"kind":"chromium"}"#);
    assert!(kept.error.is_some());
    let states = async || {
        let mut states = Vec::new();
        for group in ["spring", "summer"] {
            let rows = campaigns.senders(group).await.unwrap();
            states.extend(rows.into_iter().filter(|row| row.sender == sender).map(|row| row.state));
        }
        states
    };
    assert_eq!(states().await, [SenderState::Blocked; 2]);
    assert!(campaigns.unblock_profile(&name, world.now()).await.unwrap());
    assert_eq!(states().await, [SenderState::Active; 2]);
    campaigns.stop_sender(sender.clone(), SenderState::LoggedOut, "x".into(), world.now()).await.unwrap();
    campaigns.unblock("spring", Unblocking::default(), world.now()).await.unwrap();
    assert_eq!(campaigns.profile(&name).await.unwrap().unwrap().state, SenderState::Active);
    let groups = campaigns.campaigns_of_profile(&name).await.unwrap();
    assert_eq!(groups.into_iter().map(|row| row.name).collect::<Vec<_>>(), ["spring", "summer"]);
    let at = |micros| Timestamp::from_micros(micros);
    assert_eq!(campaigns.sent_by_profile(&name, at(0)).await.unwrap(), 0);
    campaigns.add_picture(picture("1_shop.png", None, at(1))).await.unwrap();
    campaigns.add_picture(picture("2_shop.png", None, at(2))).await.unwrap();
    assert_eq!(campaigns.picture_of_profile(&name).await.unwrap().as_deref(), Some("2_shop.png"));
    assert_eq!(world.texts("SELECT file FROM campaign_pictures"), ["2_shop.png"]);
    assert!(campaigns.remove_profile(&name).await.unwrap());
    assert!(!campaigns.remove_profile(&name).await.unwrap());
    assert_eq!(states().await, []);
}

async fn one_write_ends_an_attempt_and_stops_its_person(world: World) {
    campaign(&world, "spring", &["@client_1"]).await;
    campaign(&world, "summer", &[]).await;
    let campaigns = world.store.campaigns();
    let name = profile(&world, None).await;
    let run = run(&world, "spring", 1, None).await;
    let attempt = claimed(&world, &run, "fifth").await;
    let others = vec![sender("main"), CampaignSender::Profile(name.clone())];
    let end = AttemptEnd {
        sender: Some(stop("frozen", others)),
        ..ended(&attempt, AttemptState::Failed, NextTurn::Back, world.now())
    };
    campaigns.end(end).await.unwrap();
    for group in ["spring", "summer"] {
        for row in campaigns.senders(group).await.unwrap() {
            assert_eq!((row.state, row.why.as_deref()), (SenderState::Blocked, Some("frozen")), "{group}");
        }
    }
    assert_eq!(campaigns.profile(&name).await.unwrap().unwrap().state, SenderState::Blocked);
}

async fn a_person_has_one_hour_over_accounts_and_profiles(world: World) {
    campaign(&world, "spring", &["@client_1", "@client_2", "@client_3", "@client_4"]).await;
    let campaigns = world.store.campaigns();
    let name = profile(&world, None).await;
    campaigns.saw_profile(&name, 7).await.unwrap();
    let run = run(&world, "spring", 1, None).await;
    let person = domain::UserId::new(7);
    let claim = async |sender: CampaignSender, counted_with: Vec<CampaignSender>| {
        let claiming = Claiming {
            run: run.id,
            sender,
            id: CampaignAttemptId::from_uuid(*world.id().as_uuid()),
            caps: SenderCaps { hour: 2, day: 100 },
            person,
            counted_with,
            between_cycles: Duration::ZERO,
            now: world.now(),
        };
        campaigns.claim(claiming).await.unwrap()
    };
    let (account, browser) = (sender("main"), CampaignSender::Profile(name));
    assert!(matches!(claim(account.clone(), Vec::new()).await, Claim::Task(_)));
    assert!(matches!(claim(browser.clone(), vec![account.clone()]).await, Claim::Task(_)));
    assert!(matches!(claim(browser, vec![account.clone()]).await, Claim::Limited(_)));
    assert!(matches!(claim(account, Vec::new()).await, Claim::Limited(_)));
    assert!(matches!(claim_with(&world, &run, "fifth", CAPS).await, Claim::Task(_)));
}

/// Readies a message from a browser to the person `7`, `@client_1`, with these on the do-not-contact list: whether it may go.
async fn may_go_beside(world: &World, listed: Vec<&str>) -> bool {
    campaign(world, "spring", &["@client_1"]).await;
    let campaigns = world.store.campaigns();
    let name = profile(world, None).await;
    let run = run(world, "spring", 1, None).await;
    let claiming = Claiming {
        run: run.id,
        sender: CampaignSender::Profile(name),
        id: CampaignAttemptId::from_uuid(*world.id().as_uuid()),
        caps: CAPS,
        person: None,
        counted_with: Vec::new(),
        between_cycles: Duration::ZERO,
        now: world.now(),
    };
    let Claim::Task(attempt) = campaigns.claim(claiming).await.unwrap() else { panic!("a task") };
    let entry = |contact: &str| DoNotContactEntry {
        id: DoNotContactId::from_uuid(world.ids.next()),
        contact: contact.parse().unwrap(),
        source: ContactSource::OptOut,
        added_by: "a test".to_owned(),
        reason: None,
        added_at: world.now(),
        level: domain::Suppression::Advertising,
    };
    world.store.do_not_contact().add(listed.into_iter().map(entry).collect()).await.unwrap();
    let ready = campaigns.ready(attempt.id, "7".to_owned(), 1, "Hi".to_owned(), ParseMode::None).await;
    let text = campaigns.attempt(attempt.id).await.unwrap().unwrap().text;
    match ready {
        Ok(_) => true,
        Err(StoreError::DoNotContact { .. }) if text.is_none() => false,
        other => panic!("{other:?}, {text:?}"),
    }
}

/// By what the person can be on the list.
const LISTED_BY: [&str; 5] = ["7", "tg://user?id=7", "@client_1", "Client_1", "https://t.me/Client_1"];
/// Others.
const OTHERS: [&str; 4] = ["778", "@other_1", "+70000000002", "name@example.com"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn no_message_from_a_browser_goes_to_who_is_listed(
        own in prop::sample::subsequence(&LISTED_BY[..], 0..=2),
        others in prop::sample::subsequence(&OTHERS[..], 0..=OTHERS.len()),
        on_postgres in prop::bool::weighted(0.2),
    ) {
        let may_go = own.is_empty();
        Runtime::new().unwrap().block_on(async {
            let world = World::fresh_on(on_postgres).await;
            prop_assert_eq!(may_go_beside(&world, [own, others].concat()).await, may_go);
            Ok(())
        })?;
    }
}

async fn the_peer_of_a_written_chat_is_stored_until_unblocked(world: World) {
    campaign(&world, "spring", &["@client_1"]).await;
    let campaigns = world.store.campaigns();
    let run = run(&world, "spring", 4, None).await;
    let peer = async || {
        let chat = "@client_1".parse().unwrap();
        campaigns.task("spring", &chat).await.unwrap().unwrap().peer
    };
    let readied = async |peer: &str| {
        world.clock.advance(Duration::from_mins(5));
        let attempt = claimed(&world, &run, "main").await;
        campaigns.ready(attempt.id, peer.to_owned(), 1, "Hi".to_owned(), ParseMode::None).await.unwrap();
        attempt
    };
    let end = async |attempt: &_, state, next| {
        campaigns.end(ended(attempt, state, next, world.now())).await.unwrap();
    };
    // Nothing was written to that one.
    end(&readied("6").await, AttemptState::Skipped, NextTurn::Back).await;
    assert_eq!(peer().await, None);
    sent(&world, &readied("7").await).await;
    assert_eq!(peer().await.as_deref(), Some("7"));
    assert!(matches!(claim_with(&world, &run, "main", CAPS).await, Claim::Later(_)));
    end(&readied("8").await, AttemptState::Unknown, NextTurn::NextCycle).await;
    assert_eq!(peer().await.as_deref(), Some("8"));
    assert!(matches!(claim_with(&world, &run, "main", CAPS).await, Claim::Later(_)));
    end(&readied("9").await, AttemptState::Failed, NextTurn::Never("another_peer".to_owned())).await;
    assert_eq!(peer().await.as_deref(), Some("8"));
    campaigns.unblock("spring", Unblocking::default(), world.now()).await.unwrap();
    assert_eq!(peer().await, None);
}

async fn proxies_are_kept_sealed_and_found_by_name(world: World) {
    let campaigns = world.store.campaigns();
    let proxy = |address: &str| vec![("p1".to_owned(), address.to_owned().into())];
    assert_eq!(campaigns.add_proxies(proxy("socks5://a:one@b:1"), world.now()).await.unwrap(), 1);
    assert_eq!(campaigns.add_proxies(proxy("socks5://a:two@b:1"), world.now()).await.unwrap(), 0);
    let found = campaigns.proxy("p1").await.unwrap().unwrap();
    assert_eq!((found.health, found.profile), (ProxyHealth::Untested, None));
    assert_eq!(found.address.expose_secret(), "socks5://a:two@b:1");
    let name = profile(&world, None).await;
    campaigns.assign_proxy(&name, Some("p1".to_owned()), world.now()).await.unwrap();
    campaigns.proxy_is("p1", ProxyHealth::Healthy, None, world.now()).await.unwrap();
    let found = &campaigns.proxies().await.unwrap()[0];
    assert_eq!((found.health, found.profile.as_deref()), (ProxyHealth::Healthy, Some("shop")));
    // One profile has one proxy, and shares it with none.
    campaigns.assign_proxy(&name, Some("p1".to_owned()), world.now()).await.unwrap();
    profile(&world, Some("p1")).await;
    let other = |proxy: Option<&str>| NewProfile {
        name: "other".parse().unwrap(),
        kind: "chromium".to_owned(),
        record: "{}".to_owned().into(),
        proxy: proxy.map(str::to_owned),
        now: world.now(),
    };
    let refused = campaigns.put_profile(other(Some("p1"))).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    campaigns.put_profile(other(None)).await.unwrap();
    campaigns.put_profile(other(Some("p2"))).await.unwrap();
    let refused = campaigns.assign_proxy(&other(None).name, Some("p1".to_owned()), world.now()).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    let kept = campaigns.profile(&other(None).name).await.unwrap().unwrap();
    assert_eq!(kept.proxy.as_deref(), Some("p2"));
    world.store.rotate_master_key().await.unwrap();
    assert_eq!(campaigns.proxy("p1").await.unwrap().unwrap().address.expose_secret(), "socks5://a:two@b:1");
    assert!(campaigns.profile(&name).await.unwrap().is_some());
    assert!(campaigns.remove_proxy("p1").await.unwrap());
    assert!(!campaigns.remove_proxy("p1").await.unwrap());
}

async fn outcomes_of_a_run_are_counted_by_cycle(world: World) {
    campaign(&world, "spring", &["@client_1", "@client_2", "@client_3"]).await;
    let (campaigns, run) = (world.store.campaigns(), run(&world, "spring", 2, None).await);
    assert_eq!(campaigns.cycles_counted(run.id).await.unwrap(), []);
    let mut claimed_at = Vec::new();
    for state in [AttemptState::Sent, AttemptState::Failed, AttemptState::Sent] {
        world.clock.advance(Duration::from_mins(1));
        let attempt = claimed(&world, &run, "main").await;
        campaigns.end(ended(&attempt, state, NextTurn::NextCycle, world.now())).await.unwrap();
        claimed_at.push(attempt.claimed_at);
    }
    assert!(matches!(claim(&world, &run, "main").await, Claim::Later(_)));
    world.clock.advance(Duration::from_mins(5));
    claimed_at.push(claimed(&world, &run, "main").await.claimed_at);
    let of =
        |cycle, began: usize, state, count| CycleCount { cycle, began_at: claimed_at[began], state, count };
    let expected = [
        of(1, 1, AttemptState::Failed, 1),
        of(1, 0, AttemptState::Sent, 2),
        of(2, 3, AttemptState::Claimed, 1),
    ];
    assert_eq!(campaigns.cycles_counted(run.id).await.unwrap(), expected);
}

/// How a sender of a campaign is, and why.
async fn state_of(world: &World, group: &str, sender: &CampaignSender) -> (SenderState, Option<String>) {
    let rows = world.store.campaigns().senders(group).await.unwrap();
    let row = rows.into_iter().find(|row| row.sender == *sender).unwrap();
    (row.state, row.why)
}

async fn a_sender_stopped_by_its_provider_is_added_stopped(world: World) {
    let campaigns = world.store.campaigns();
    let (main, fifth) = (sender("main"), sender("fifth"));
    let (active, blocked) =
        ((SenderState::Active, None), |why: &str| (SenderState::Blocked, Some(why.to_owned())));
    campaign(&world, "spring", &[]).await;
    let block = async |sender: &CampaignSender, why: &str| {
        campaigns.stop_sender(sender.clone(), SenderState::Blocked, why.into(), world.now()).await.unwrap();
    };
    block(&main, "restricted").await;
    block(&fifth, "unknown_account").await;
    campaign(&world, "summer", &[]).await;
    assert_eq!(state_of(&world, "summer", &main).await, blocked("restricted"));
    assert_eq!(state_of(&world, "summer", &fifth).await, active);
    world.clock.advance(Duration::from_mins(1));
    campaigns.unblock("spring", Unblocking::default(), world.now()).await.unwrap();
    campaign(&world, "autumn", &[]).await;
    assert_eq!(state_of(&world, "autumn", &main).await, active);
    // A profile keeps its stop where it is removed and added, and so does an account of its person that is in no campaign.
    let (shop, backup) = (CampaignSender::Profile(profile(&world, None).await), sender("backup_1"));
    campaigns.saw_profile(shop.profile().unwrap(), 7).await.unwrap();
    let auth_key = Box::new([7; 256]);
    let user_id = UserId::new(7).unwrap();
    let session = StoredSession {
        account: backup.account().unwrap().clone(),
        fingerprint: KeyFingerprint::of(&auth_key),
        dc_id: 2,
        auth_key: Secret::new(auth_key),
        user: Some(SelfUser { user_id, username: None, display_name: "Demo".into() }),
    };
    world.store.accounts().save_session(&session).await.unwrap();
    let added = async |sender: &CampaignSender| {
        campaigns.remove_sender("autumn", sender).await.unwrap();
        campaigns.add_senders("autumn", vec![sender.clone()], world.now()).await.unwrap();
        state_of(&world, "autumn", sender).await
    };
    assert_eq!([added(&shop).await, added(&backup).await], [active.clone(), active.clone()]);
    block(&shop, "proxy_sick").await;
    assert_eq!([added(&shop).await, added(&backup).await], [blocked("proxy_sick"), active]);
    campaigns.unblock_profile(shop.profile().unwrap(), world.now()).await.unwrap();
    block(&shop, "notice").await;
    assert_eq!([added(&shop).await, added(&backup).await], [blocked("notice"), blocked("notice")]);
}

async fn logging_in_unblocks_only_who_was_logged_out(world: World) {
    let campaigns = world.store.campaigns();
    let name = profile(&world, None).await;
    let sender = CampaignSender::Profile(name.clone());
    campaign(&world, "spring", &[]).await;
    campaigns.add_senders("spring", vec![sender.clone()], world.now()).await.unwrap();
    for (stopped, after) in
        [(SenderState::LoggedOut, SenderState::Active), (SenderState::Blocked, SenderState::Blocked)]
    {
        campaigns.stop_sender(sender.clone(), stopped, "x".into(), world.now()).await.unwrap();
        campaigns.profile_logged_in(&name, world.now()).await.unwrap();
        assert_eq!(campaigns.profile(&name).await.unwrap().unwrap().state, after);
        assert_eq!(state_of(&world, "spring", &sender).await.0, after);
    }
}
