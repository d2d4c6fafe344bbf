//! Hands each round of health checks to the alerts, which webhooks are switched off, which flows need a look, which API keys
//! and tokens of channels end soon, which webhooks of channels were lost, which browser profiles of campaigns are stuck, and what is
//! wrong with backups.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use alerts::{Alerts, Card, Probe, ProbeResult, Round};
use backup::{Backups, Troubles};
use channels::{Channels, TokenLife, WebhookLoss};
use domain::{AccountName, SenderState, Timestamp};
use flows::{FlowAlarm, Flows};
use health::{CardId, CardKind, Health};
use pipeline::{Pipeline, QueueState};
use store::{ApiKey, Store, StoredProfile, StoredWebhook};
use tokio::sync::broadcast::error::RecvError;

/// The details of at most this many red cards are read in a round; reasons are passed on for all.
const MOST_DETAILED: usize = 50;

/// So long before the end of a key there is an alert, and another.
const WARNINGS: [(&str, Duration); 2] =
    [("within_7_days", Duration::from_hours(7 * 24)), ("within_1_day", Duration::from_hours(24))];

/// What each round looks at beside the beats.
pub(crate) struct Sources {
    pub(crate) flows: Flows,
    pub(crate) channels: Channels,
    pub(crate) store: Store,
    pub(crate) backups: Backups,
    pub(crate) pipeline: Pipeline,
    pub(crate) settings_file: Option<PathBuf>,
}

/// Passes each round on, until the health checks end.
pub(crate) async fn hand_on(health: Health, alerts: Alerts, sources: Sources) {
    let Sources { flows, channels, store, backups, pipeline, settings_file } = sources;
    let mut rounds = health.beats();
    let (mut webhooks, mut keys, mut profiles) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        match rounds.recv().await {
            Ok(round) => {
                // Without the store they are as they were.
                if let Ok(list) = store.webhooks().list().await {
                    webhooks = list;
                }
                if let Ok(list) = store.api_keys().list().await {
                    keys = list;
                }
                if let Ok(list) = store.campaigns().profiles_of_campaigns().await {
                    profiles = list;
                }
                let at = round.at;
                let mut round = translate(&round, |id| health.card(id)?.detail);
                round.probes.extend(webhooks.iter().map(of_webhook));
                round.probes.extend(flows.alarms().into_iter().map(of_flow));
                let file = settings_file.clone();
                let reading = tokio::task::spawn_blocking(move || file.as_deref().map(of_flow_files));
                round.probes.extend(reading.await.ok().flatten());
                round.probes.extend(keys.iter().flat_map(|key| of_key(key, at)));
                let lives =
                    channels.all().filter_map(|account| Some((account.name(), account.token_life()?)));
                round.probes.extend(lives.map(|(name, life)| of_token(name, life, at)));
                round.probes.extend(channels.all().map(|account| {
                    let status = account.status();
                    let loss = status.webhook_loss(account.fields.receive);
                    of_hook(account.name(), loss, status.is_loss_confirmed())
                }));
                round.probes.extend(profiles.iter().map(of_profile));
                round.probes.extend(of_backups(backups.troubles().await));
                round.probes.extend(pipeline.queues().map(|queues| of_dead_letters(&queues, at)));
                alerts.observe(round);
            }
            // Rounds that were missed are no beats; the next one comes.
            Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "rounds of beats were not looked at"),
            Err(RecvError::Closed) => return,
        }
    }
}

/// The dead letters of the lists in Redis in the terms of the alerts: red for an hour after an item became one.
fn of_dead_letters(queues: &QueueState, now: Timestamp) -> Probe {
    const LASTS: Duration = Duration::from_hours(1);
    let newest = queues.last_dead.as_ref().filter(|(_, _, at)| now.since(*at) < LASTS);
    let result = match newest {
        None => ProbeResult::Green,
        Some((list, reason, _)) => ProbeResult::Confirmed {
            reason: "dead_letter".to_owned(),
            detail: Some(format!(
                "an item of {list} could not be taken: {reason}; once that is mended, POST /v1/pipeline/dead-letters/retry takes it again"
            )),
        },
    };
    let card = Card {
        id: "queue:dead_letters".into(),
        kind: "queue".into(),
        name: "dead letters".to_owned(),
        parent: None,
    };
    Probe { card, result }
}

/// A round in the terms of the alerts. `detail` is called for some of the red cards.
fn translate(round: &health::Round, detail: impl Fn(&CardId) -> Option<String>) -> Round {
    let red = round.beats.iter().filter(|(_, beat)| beat.answer == health::ProbeOutcome::Failed);
    let details: HashMap<&CardId, Option<String>> =
        red.take(MOST_DETAILED).map(|(id, _)| (id, detail(id))).collect();
    let probes = round.beats.iter().map(|(id, beat)| Probe {
        card: card(id),
        result: match beat.answer {
            health::ProbeOutcome::NotAsked => ProbeResult::Grey,
            health::ProbeOutcome::Answered | health::ProbeOutcome::Slow => ProbeResult::Green,
            health::ProbeOutcome::Failed => ProbeResult::Red {
                reason: beat.reason.as_deref().unwrap_or("failed").to_owned(),
                detail: details.get(id).cloned().flatten(),
            },
        },
    });
    Round { probes: probes.collect() }
}

/// A webhook in the terms of the alerts: red once it is switched off, whatever it wants.
fn of_webhook(webhook: &StoredWebhook) -> Probe {
    let name = webhook.id.to_string();
    let result = match &webhook.disabled {
        None => ProbeResult::Green,
        Some((_, why)) => ProbeResult::Red { reason: "switched_off".to_owned(), detail: Some(why.clone()) },
    };
    Probe {
        card: Card { id: format!("webhook:{name}").into(), kind: "webhook".into(), name, parent: None },
        result,
    }
}

/// A flow on one account in the terms of the alerts: red from a failure that is to be reported until a run is done, or someone
/// starts it.
fn of_flow(alarm: FlowAlarm) -> Probe {
    let FlowAlarm { flow, account, trouble } = alarm;
    let name = format!("{flow}:{account}");
    let result = match trouble {
        None => ProbeResult::Green,
        Some((reason, detail)) => ProbeResult::Red { reason, detail: Some(detail) },
    };
    Probe {
        card: Card { id: format!("flow:{name}").into(), kind: "flow".into(), name, parent: None },
        result,
    }
}

/// The files of flows beside the settings file in the terms of the alerts: red while one is wrong.
fn of_flow_files(settings_file: &Path) -> Probe {
    let wrong = match config::flow_files(settings_file) {
        Ok(files) => {
            let mut problems = files.iter().flat_map(|file| &file.problems);
            problems.next().map(ToString::to_string)
        }
        Err(error) => Some(error.to_string()),
    };
    let result = match wrong {
        None => ProbeResult::Green,
        Some(detail) => ProbeResult::Red { reason: "wrong_file".to_owned(), detail: Some(detail) },
    };
    let card = Card { id: "flow:files".into(), kind: "flow".into(), name: "files".to_owned(), parent: None };
    Probe { card, result }
}

/// A key in the terms of the alerts: a card for each warning, red from then on. A key that has ended has none: nothing is well again.
fn of_key(key: &ApiKey, now: Timestamp) -> Vec<Probe> {
    let Some(end) = key.expires_at.filter(|end| key.revoked_at.is_none() && now < *end) else {
        return Vec::new();
    };
    let warning = |(word, before): (&str, Duration)| {
        let is_near = end.since(now) <= before;
        let detail = || {
            let ends = end.to_the_second();
            format!(
                "the API key {} ({}) works until {ends}; give it more time: switchboard key change {} --expires-in 90d",
                key.name, key.id, key.id
            )
        };
        let result = if is_near {
            ProbeResult::Red { reason: format!("expires_{word}"), detail: Some(detail()) }
        } else {
            ProbeResult::Green
        };
        let card = Card {
            id: format!("api_key:{}:{word}", key.id).into(),
            kind: "api_key".into(),
            name: key.name.clone(),
            parent: None,
        };
        Probe { card, result }
    };
    WARNINGS.into_iter().map(warning).collect()
}

/// The token of a channel account in the terms of the alerts: red once it should have been renewed, until it is.
fn of_token(account: &AccountName, life: TokenLife, now: Timestamp) -> Probe {
    let result = match life.ends.filter(|_| life.ends_soon(now)) {
        None => ProbeResult::Green,
        Some(ends) => ProbeResult::Red {
            reason: if now < ends { "token_ends_soon" } else { "token_has_ended" }.to_owned(),
            detail: Some(format!(
                "the token of {account} works until {} and could not be renewed: switchboard channel refresh-token {account} says \
                 why; once it has ended: switchboard channel login {account}",
                ends.to_the_second()
            )),
        },
    };
    let card = Card {
        id: format!("channel_token:{account}").into(),
        kind: "channel_token".into(),
        name: account.to_string(),
        parent: None,
    };
    Probe { card, result }
}

/// What a channel account receives in the terms of the alerts: red while what customers write does not arrive.
fn of_hook(name: &AccountName, loss: Option<WebhookLoss<'_>>, is_confirmed: bool) -> Probe {
    let red = |reason: &str, detail: String| {
        let (reason, detail) = (reason.to_owned(), Some(detail));
        if is_confirmed {
            ProbeResult::Confirmed { reason, detail }
        } else {
            ProbeResult::Red { reason, detail }
        }
    };
    let result = match loss {
        None => ProbeResult::Green,
        Some(WebhookLoss::Lapsed(why)) => red(
            "webhook_lapsed",
            format!(
                "the provider of {name} posts here no more, and the address could not be registered again ({why}): switchboard \
                 channel resubscribe {name}"
            ),
        ),
        Some(loss @ WebhookLoss::Contested) => red(
            "webhook_contested",
            format!("{name}: {loss}; stop that program, or give the account another token"),
        ),
        Some(WebhookLoss::Taken) => red(
            "webhook_taken",
            format!(
                "the provider of {name} posts to another program now: switchboard channel connect {name} --take-over; if that is \
                 right, give the account receive = \"off\""
            ),
        ),
        Some(loss @ WebhookLoss::Missing) => red(
            "webhook_missing",
            format!(
                "{name}: {loss}: switchboard channel connect {name}; if the account only sends, give it receive = \"off\""
            ),
        ),
        Some(loss @ WebhookLoss::GivenUp(_)) => {
            red("webhook_given_up", format!("{name}: {loss}: switchboard channel connect {name} --take-over"))
        }
        Some(loss @ WebhookLoss::Unreached(_)) => red(
            "webhook_unreached",
            format!(
                "{name}: {loss}; look at public_url and at the proxy before this program, then: switchboard channel connect {name}"
            ),
        ),
        Some(loss @ WebhookLoss::Unproved) => red(
            "webhook_unproved",
            format!(
                "{name}: {loss}: switchboard channel connect {name} shows it; if the account only sends, give it receive = \"off\""
            ),
        ),
        Some(loss @ WebhookLoss::Rival(_)) => red(
            "channel_shared",
            format!(
                "another program receives what is written to {name}: {loss}; stop that program, or give the account another token"
            ),
        ),
    };
    let card = Card {
        id: format!("channel_webhook:{name}").into(),
        kind: "channel_webhook".into(),
        name: name.to_string(),
        parent: None,
    };
    Probe { card, result }
}

/// A browser profile of a campaign in the terms of the alerts: red while it is stopped, and from trouble with its page until that is
/// there again.
fn of_profile(profile: &StoredProfile) -> Probe {
    let name = &profile.name;
    let why = profile.why.as_deref().unwrap_or("stopped");
    let red = |reason: &str, why: &str, advice: &str| ProbeResult::Red {
        reason: reason.to_owned(),
        detail: Some(format!("the browser profile {name} sends nothing ({why}); {advice} {name}")),
    };
    let result = match (profile.state, &profile.error) {
        (SenderState::Active, None) => ProbeResult::Green,
        (SenderState::Active, Some((error, _))) => {
            red("profile_stuck", error, "open it and look: switchboard campaign profiles check")
        }
        (SenderState::LoggedOut, _) => {
            red("profile_logged_out", why, "its owner logs in again: switchboard campaign profiles log-in")
        }
        (SenderState::Blocked, _) if why == "proxy_sick" => red(
            "profile_proxy_sick",
            why,
            "give it another proxy, then: switchboard campaign profiles unblock",
        ),
        (SenderState::Blocked, _) => {
            red("profile_blocked", why, "see to its account, then: switchboard campaign profiles unblock")
        }
    };
    let card = Card {
        id: format!("campaign_profile:{name}").into(),
        kind: "campaign_profile".into(),
        name: name.to_string(),
        parent: None,
    };
    Probe { card, result }
}

/// Backups in the terms of the alerts: a card for making them and, where there are any, for copies and for drills.
fn of_backups(troubles: Troubles) -> impl Iterator<Item = Probe> {
    let Troubles { making, copying, drill } = troubles;
    let kinds = [
        ("made", "backup_failed", Some(making)),
        ("copy", "copy_failed", copying),
        ("drill", "drill_failed", drill),
    ];
    kinds.into_iter().filter_map(|(name, reason, trouble)| {
        let card = Card {
            id: format!("backup:{name}").into(),
            kind: "backup".into(),
            name: name.to_owned(),
            parent: None,
        };
        let red = |why| ProbeResult::Red { reason: reason.to_owned(), detail: Some(why) };
        Some(Probe { card, result: trouble?.map_or(ProbeResult::Green, red) })
    })
}

fn card(id: &CardId) -> Card {
    let account = (id.kind() == CardKind::Line)
        .then(|| id.name().split_once(':')?.0.parse::<AccountName>().ok())
        .flatten();
    let parent: Option<Arc<str>> = account.map(|account| CardId::account(&account).as_str().into());
    Card { id: id.as_str().into(), kind: id.kind().as_str().into(), name: id.name().to_owned(), parent }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beat(id: &str, answer: health::ProbeOutcome) -> (CardId, health::Beat) {
        let reason = (answer == health::ProbeOutcome::Failed).then(|| "no_answer".into());
        let beat = health::Beat { at: Timestamp::default(), answer, latency: None, reason };
        (id.parse().expect("a card"), beat)
    }

    #[test]
    fn red_is_what_failed_and_a_line_is_a_part_of_its_account() {
        let round = health::Round {
            at: Timestamp::default(),
            minute: 0,
            beats: vec![
                beat("line:main:all", health::ProbeOutcome::Failed),
                beat("account:main", health::ProbeOutcome::Slow),
                beat("store", health::ProbeOutcome::NotAsked),
            ],
            ended: Vec::new(),
        };
        let probes = translate(&round, |_| Some("no answer for 10 s".to_owned())).probes;
        assert_eq!(probes[0].card.parent.as_deref(), Some("account:main"));
        let (reason, detail) = ("no_answer".to_owned(), Some("no answer for 10 s".to_owned()));
        assert_eq!(probes[0].result, ProbeResult::Red { reason, detail });
        assert_eq!((&probes[1].result, &probes[2].result), (&ProbeResult::Green, &ProbeResult::Grey));
        assert_eq!((&*probes[2].card.kind, probes[2].card.name.as_str()), ("store", "store"));
    }

    #[test]
    fn a_failed_copy_is_red_and_what_is_not_wanted_has_no_card() {
        let troubles = Troubles { making: None, copying: Some(Some("it is away".to_owned())), drill: None };
        let probes: Vec<_> = of_backups(troubles).collect();
        let (reason, detail) = ("copy_failed".to_owned(), Some("it is away".to_owned()));
        let shown: Vec<_> =
            probes.into_iter().map(|probe| (probe.card.id.to_string(), probe.result)).collect();
        let red = ProbeResult::Red { reason, detail };
        assert_eq!(shown, [("backup:made".to_owned(), ProbeResult::Green), ("backup:copy".to_owned(), red)]);
    }

    #[test]
    fn a_key_is_warned_of_twice_before_its_end() {
        let now = Timestamp::from_micros(1_893_456_000_000_000);
        let day = Duration::from_hours(24);
        let key = |expires_at, revoked_at| ApiKey {
            id: domain::ApiKeyId::MIN,
            name: "n8n".to_owned(),
            scopes: Vec::new(),
            created_at: now,
            revoked_at,
            repeats: None,
            limits: domain::KeyLimits::default(),
            expires_at,
            rate: None,
            burst: None,
            last_used: None,
        };
        let reds = |end: Timestamp| {
            let probes = of_key(&key(Some(end), None), now);
            probes.iter().filter(|probe| probe.result != ProbeResult::Green).count()
        };
        assert_eq!(reds(now.plus(day * 8)), 0);
        assert_eq!(reds(now.plus(day * 7)), 1);
        assert_eq!(reds(now.plus(day)), 2);
        for key in [key(None, None), key(Some(now), None), key(Some(now.plus(day)), Some(now))] {
            assert_eq!(of_key(&key, now), []);
        }
    }

    #[test]
    fn a_token_is_warned_of_until_it_is_renewed() {
        let now = Timestamp::from_micros(1_893_456_000_000_000);
        let day = Duration::from_hours(24);
        let account: AccountName = "studio".parse().expect("a name");
        for (ends, wanted) in [
            (None, None),
            (Some(now.plus(day * 11)), None),
            (Some(now.plus(day * 9)), Some("token_ends_soon")),
            (Some(now.minus(day)), Some("token_has_ended")),
        ] {
            let probe = of_token(&account, TokenLife { lives: day * 60, ends }, now);
            let reason = match &probe.result {
                ProbeResult::Red { reason, .. } => Some(reason.as_str()),
                _ => None,
            };
            assert_eq!(reason, wanted, "{ends:?}");
        }
    }

    #[test]
    fn a_profile_is_red_until_it_may_send_and_its_page_works() {
        let profile = |state, why: Option<&str>, error: Option<&str>| StoredProfile {
            name: "shop".parse().expect("a name"),
            kind: "chromium".to_owned(),
            record: "{}".to_owned().into(),
            proxy: None,
            proxy_since: Timestamp::default(),
            state,
            why: why.map(str::to_owned),
            user_id: None,
            error: error.map(|error| (error.to_owned(), Timestamp::default())),
            created_at: Timestamp::default(),
        };
        for (state, why, error, wanted, says) in [
            (SenderState::Active, None, Some("the page stays white"), "profile_stuck", "white); open it"),
            (
                SenderState::LoggedOut,
                Some("logged_out"),
                Some("x"),
                "profile_logged_out",
                "profiles log-in shop",
            ),
            (SenderState::Blocked, Some("frozen"), None, "profile_blocked", "(frozen)"),
            (SenderState::Blocked, Some("proxy_sick"), None, "profile_proxy_sick", "profiles unblock shop"),
        ] {
            let ProbeResult::Red { reason, detail } = of_profile(&profile(state, why, error)).result else {
                panic!("{wanted} is not red");
            };
            assert_eq!(reason, wanted);
            assert!(detail.is_some_and(|detail| detail.contains(says)), "{wanted}");
        }
        assert_eq!(of_profile(&profile(SenderState::Active, None, None)).result, ProbeResult::Green);
    }

    #[test]
    fn a_webhook_of_a_channel_that_was_lost_is_red() {
        let account: AccountName = "shop".parse().expect("a name");
        for (loss, wanted, says) in [
            (
                WebhookLoss::Lapsed("no answer"),
                "webhook_lapsed",
                "(no answer): switchboard channel resubscribe shop",
            ),
            (WebhookLoss::Contested, "webhook_contested", "again and again; stop that program"),
            (WebhookLoss::Taken, "webhook_taken", "switchboard channel connect shop --take-over"),
            (WebhookLoss::Missing, "webhook_missing", "switchboard channel connect shop"),
            (WebhookLoss::GivenUp("failed"), "webhook_given_up", "failed: switchboard channel connect shop"),
            (WebhookLoss::Unproved, "webhook_unproved", "switchboard channel connect shop shows it"),
            (WebhookLoss::Unreached("404"), "webhook_unreached", "404; look at public_url"),
        ] {
            let ProbeResult::Red { reason, detail } = of_hook(&account, Some(loss), false).result else {
                panic!("{wanted} is not red");
            };
            assert_eq!(reason, wanted);
            assert!(detail.is_some_and(|detail| detail.contains(says)), "{wanted}");
        }
        let confirmed = of_hook(&account, Some(WebhookLoss::Taken), true).result;
        assert!(matches!(confirmed, ProbeResult::Confirmed { .. }), "{confirmed:?}");
        assert_eq!(of_hook(&account, None, false).result, ProbeResult::Green);
    }
}
