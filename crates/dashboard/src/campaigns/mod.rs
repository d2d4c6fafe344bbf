//! Campaigns: how far each is, what became of each chat, and what is done with them.

pub(crate) mod act;
pub(crate) mod chats;
pub(crate) mod forecast;
pub(crate) mod form;
mod hours;
pub(crate) mod list;
pub(crate) mod messages;
pub(crate) mod one;

use std::collections::BTreeMap;

use api::{Campaign, CampaignImport};
use axum::response::Response;
use http::Method;
use serde_json::json;

use crate::ask::Refused;
use crate::dashboard::Dashboard;
use crate::page::{refusal, segment};
use crate::view::Linked;
use crate::visitor::Visitor;
use crate::words::CampaignsWords;

const HERE: &str = "/campaigns";
const API: &str = "/v1/campaigns";

impl Linked for Campaign {
    fn path(&self) -> String {
        path_of(&self.name)
    }
}

fn path_of(name: &str) -> String {
    format!("{HERE}/{}", segment(name))
}

/// The call of the API for a part of a campaign.
fn call(name: &str, part: &str) -> String {
    format!("{API}/{}{part}", segment(name))
}

async fn find(dashboard: &Dashboard, visitor: &Visitor, name: &str) -> Result<Campaign, Box<Response>> {
    let found = dashboard.ask::<Campaign>(visitor, Method::GET, &call(name, ""), None).await;
    found.map_err(|why| Box::new(refusal::of_api(visitor, &why)))
}

/// How far a run is in its cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Progress {
    done: u64,
    all: u64,
}

fn count(attempts: &BTreeMap<String, u64>, state: &str) -> u64 {
    attempts.get(state).copied().unwrap_or_default()
}

/// How far the latest run is; none before the first, of one that was stopped, and without chats.
fn progress(campaign: &Campaign) -> Option<Progress> {
    let (run, all) = (campaign.run.as_ref()?, campaign.chats);
    let done = match run.state.as_str() {
        "done" => all,
        "stopped" => return None,
        _ => all.saturating_sub(campaign.pending).saturating_sub(count(&run.attempts, "claimed")),
    };
    (all > 0).then_some(Progress { done, all })
}

/// What came of a run or a cycle so far, by the states of its attempts.
fn results(attempts: &BTreeMap<String, u64>) -> impl Iterator<Item = (&str, u64)> {
    let states = ["sent", "failed", "skipped", "unknown", "claimed"];
    states.into_iter().map(|state| (state, count(attempts, state))).filter(|(_, count)| *count > 0)
}

/// What may be done with the run of a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Control {
    /// It is over or was never begun.
    Start,
    Pause,
    /// It goes on.
    Resume,
    /// The same after a trial: whether to write to all others is asked.
    Decide,
}

impl Control {
    fn of(campaign: &Campaign) -> Self {
        match campaign.run.as_ref() {
            Some(run) if run.state == "running" => Self::Pause,
            Some(run) if run.state == "paused" && run.reason.as_deref() == Some("canary") => Self::Decide,
            Some(run) if run.state == "paused" => Self::Resume,
            _ => Self::Start,
        }
    }

    /// Whether a run is open.
    const fn is_open(self) -> bool {
        !matches!(self, Self::Start)
    }
}

/// Messages of its senders within the last hour, and how many there may be.
fn rate(campaign: &Campaign) -> (u64, u64) {
    let active = campaign.senders.iter().filter(|sender| sender.is_active());
    let most = u64::from(campaign.settings.max_messages_per_hour);
    (campaign.senders.iter().map(|sender| sender.sent_last_hour).sum(), active.count() as u64 * most)
}

/// Adds a file to a campaign, or looks at it.
async fn import(
    dashboard: &Dashboard,
    visitor: &Visitor,
    (name, part): (&str, &str),
    file: &str,
    dry_run: bool,
) -> Result<CampaignImport, Refused> {
    let path = call(name, &format!("/{part}?dry_run={dry_run}"));
    dashboard.ask(visitor, Method::POST, &path, Some(json!({ "file": file }))).await
}

/// What came of adding a file, in words.
pub(crate) fn added(words: &CampaignsWords, import: &CampaignImport) -> String {
    let added = words.added_note(import.added as u64, import.known as u64);
    match import.wrong_count {
        0 => added,
        wrong => format!("{added} {}", words.unused_note(wrong as u64)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn campaign(
        state: Option<&str>,
        reason: Option<&str>,
        (chats, pending, claimed): (u64, u64, u64),
    ) -> Campaign {
        let run = state.map(|state| {
            json!({
                "id": "camp_01k2v7m3w0e9tq4b8s6n5x1zyr", "state": state, "reason": reason, "cycle": 1, "cycles": 1,
                "canary": null, "next_cycle_at": null, "began_at": "2030-01-31T12:00:00Z", "ended_at": null,
                "attempts": BTreeMap::from([("claimed", claimed)]), "reasons": {},
            })
        });
        let sender = |state: &str, sent: u64| json!({ "account": "main", "state": state, "reason": null, "sent_last_hour": sent });
        serde_json::from_value(json!({
            "name": "spring", "title": "Spring", "created_at": "2030-01-31T12:00:00Z", "chats": chats, "blocked": 0, "pending": pending,
            "settings": {
                "max_messages_per_hour": 25, "max_messages_per_day": 300, "cycles": 1, "cycle_delay_seconds": 300,
                "delay_seconds": 60, "delay_randomness": 0.2, "active_hours": null, "retries": 2,
            },
            "senders": [sender("active", 3), sender("blocked", 4)], "run": run, "ends_at": null,
        }))
        .expect("a campaign")
    }

    #[test]
    fn the_actions_follow_from_the_state_of_the_run() {
        let control = |state, reason| Control::of(&campaign(state, reason, (1, 0, 0)));
        assert_eq!(control(None, None), Control::Start);
        assert_eq!(control(Some("done"), None), Control::Start);
        assert_eq!(control(Some("stopped"), Some("by_hand")), Control::Start);
        assert_eq!(control(Some("running"), None), Control::Pause);
        assert_eq!(control(Some("paused"), Some("by_hand")), Control::Resume);
        assert_eq!(control(Some("paused"), Some("canary")), Control::Decide);
        assert_eq!(rate(&campaign(None, None, (1, 0, 0))), (7, 25));
    }

    proptest! {
        #[test]
        fn no_run_is_further_than_its_end(chats: u64, pending: u64, claimed: u64, state in 0_usize..4) {
            let state = ["running", "paused", "done", "stopped"][state];
            if let Some(Progress { done, all }) = progress(&campaign(Some(state), None, (chats, pending, claimed))) {
                prop_assert!(done <= all && all > 0);
            }
        }
    }
}
