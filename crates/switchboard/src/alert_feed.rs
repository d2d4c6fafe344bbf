//! Hands each round of health checks to the alerts, and which webhooks are switched off.

use std::collections::HashMap;
use std::sync::Arc;

use alerts::{Alerts, Card, Probe, ProbeResult, Round};
use domain::AccountName;
use health::{CardId, CardKind, Health};
use store::{Store, StoredWebhook};
use tokio::sync::broadcast::error::RecvError;

/// The details of at most this many red cards are read in a round; reasons are passed on for all.
const ASKED: usize = 50;

/// Passes each round on, until the health checks end.
pub(crate) async fn hand_on(health: Health, alerts: Alerts, store: Store) {
    let mut rounds = health.beats();
    let mut webhooks = Vec::new();
    loop {
        match rounds.recv().await {
            Ok(round) => {
                // Without the store they are as they were.
                if let Ok(list) = store.webhooks().list().await {
                    webhooks = list;
                }
                let mut round = translate(&round, |id| health.card(id)?.detail);
                round.probes.extend(webhooks.iter().map(of_webhook));
                alerts.observe(round);
            }
            // Rounds that were missed are no beats; the next one comes.
            Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "rounds of beats were not looked at"),
            Err(RecvError::Closed) => return,
        }
    }
}

/// A round in the terms of the alerts. `detail` is called for some of the red cards.
fn translate(round: &health::Round, detail: impl Fn(&CardId) -> Option<String>) -> Round {
    let red = round.beats.iter().filter(|(_, beat)| beat.answer == health::Answer::Failed);
    let details: HashMap<&CardId, Option<String>> = red.take(ASKED).map(|(id, _)| (id, detail(id))).collect();
    let probes = round.beats.iter().map(|(id, beat)| Probe {
        card: card(id),
        result: match beat.answer {
            health::Answer::NotAsked => ProbeResult::Grey,
            health::Answer::Answered | health::Answer::Slow => ProbeResult::Green,
            health::Answer::Failed => ProbeResult::Red {
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
    use domain::Timestamp;

    fn beat(id: &str, answer: health::Answer) -> (CardId, health::Beat) {
        let reason = (answer == health::Answer::Failed).then(|| "no_answer".into());
        let beat = health::Beat { at: Timestamp::default(), answer, latency: None, reason };
        (id.parse().expect("a card"), beat)
    }

    #[test]
    fn red_is_what_failed_and_a_line_is_a_part_of_its_account() {
        let round = health::Round {
            at: Timestamp::default(),
            minute: 0,
            beats: vec![
                beat("line:main:all", health::Answer::Failed),
                beat("account:main", health::Answer::Slow),
                beat("store", health::Answer::NotAsked),
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
}
