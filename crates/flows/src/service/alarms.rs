//! What the alert targets are to hear of flows.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{AccountName, FlowRunState, Timestamp};
use store::{FlowRunFilter, Page, StoreError, StoredFlowRun};

use super::{Flows, Inner};
use crate::limits::Skip;
use ambient::lock::Mutex;

/// How long an offer that was missed keeps the alert up.
const MISSED_FOR: Duration = Duration::from_hours(1);

/// How many runs of an earlier run of the program are looked through at most.
const MOST_READ: u32 = 200;

/// Whether all is well with a flow on one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowAlarm {
    pub flow: String,
    pub account: AccountName,
    /// What is wrong: a word, and more of it. Nothing when all is well.
    pub trouble: Option<(String, String)>,
}

/// What is wrong, until a run is done or someone starts the flow.
#[derive(Default)]
pub(super) struct Alarms(Mutex<BTreeMap<(String, AccountName), Trouble>>);

#[derive(Default)]
struct Trouble {
    /// A word, and more of it.
    raised: Option<(String, String)>,
    /// Offers that were missed since, by why, and when the last one was.
    missed: BTreeMap<String, u64>,
    missed_at: Timestamp,
}

impl Alarms {
    pub(super) fn raise(&self, flow: &str, account: &AccountName, reason: &str, detail: String) {
        tracing::warn!(flow, %account, reason, detail, "a flow needs a look");
        let mut all = self.0.lock();
        let trouble = all.entry((flow.to_owned(), account.clone())).or_default();
        trouble.raised = Some((reason.to_owned(), detail));
    }

    pub(super) fn clear(&self, flow: &str, account: &AccountName) {
        self.0.lock().remove(&(flow.to_owned(), account.clone()));
    }

    /// Notes an offer that was missed: its run failed or was cut, or it began none against the owner's wish.
    pub(super) fn note(
        &self,
        flow: &str,
        account: &AccountName,
        (state, code): (FlowRunState, &str),
        at: Timestamp,
    ) {
        let is_missed = match state {
            FlowRunState::Failed | FlowRunState::Cut => true,
            FlowRunState::Skipped => code.parse().is_ok_and(Skip::is_missed),
            FlowRunState::Running | FlowRunState::Done | FlowRunState::Stopped => false,
        };
        if !is_missed {
            return;
        }
        tracing::info!(flow, %account, code, state = state.as_str(), "an offer was missed");
        let mut all = self.0.lock();
        let trouble = all.entry((flow.to_owned(), account.clone())).or_default();
        if at.since(trouble.missed_at) > MISSED_FOR {
            trouble.missed.clear();
        }
        *trouble.missed.entry(code.to_owned()).or_default() += 1;
        trouble.missed_at = trouble.missed_at.max(at);
    }

    fn of(&self, flow: &str, account: &AccountName, now: Timestamp) -> Option<(String, String)> {
        let all = self.0.lock();
        let trouble = all.get(&(flow.to_owned(), account.clone()))?;
        if trouble.raised.is_some() {
            return trouble.raised.clone();
        }
        if trouble.missed.is_empty() || now.since(trouble.missed_at) > MISSED_FOR {
            return None;
        }
        let count: u64 = trouble.missed.values().sum();
        let why: Vec<_> = trouble.missed.iter().map(|(why, count)| format!("{why} {count}")).collect();
        let detail = format!(
            "flow {flow} missed {count} of what account {account} was offered ({}); see them: switchboard flow log {flow}",
            why.join(", ")
        );
        Some(("missed_offers".to_owned(), detail))
    }
}

impl Inner {
    /// Notes the offers that an earlier run of the program missed within the last hour, after the last run that was done and
    /// after a person started the flow.
    pub(super) async fn restore_alarms(
        &self,
        flow: &str,
        account: &AccountName,
        started_at: Timestamp,
    ) -> Result<(), StoreError> {
        let since = self.parts.clock.now().minus(MISSED_FOR).max(started_at);
        let filter =
            FlowRunFilter { flow: Some(flow.to_owned()), account: Some(account.clone()), state: None };
        let page = Page { limit: MOST_READ, cursor: None };
        let runs = self.parts.store.flow_runs().list(filter, &page).await?;
        for run in since_the_last_done(runs.items, since) {
            let code = run.code.as_deref().unwrap_or_default();
            self.alarms.note(flow, account, (run.state, code), run.ended_at.unwrap_or(run.began_at));
        }
        Ok(())
    }
}

impl Flows {
    /// How all flows are, for the alerts.
    pub fn alarms(&self) -> Vec<FlowAlarm> {
        let now = self.0.parts.clock.now();
        let of = |instance: &std::sync::Arc<super::Instance>| FlowAlarm {
            flow: instance.flow_name.clone(),
            account: instance.account.clone(),
            trouble: self.0.alarms.of(&instance.flow_name, &instance.account, now),
        };
        self.0.roster().all.iter().map(of).collect()
    }
}

/// Of the latest runs, the last one first: those that began since then and after the last one that was done, in their order.
fn since_the_last_done(latest: Vec<StoredFlowRun>, since: Timestamp) -> Vec<StoredFlowRun> {
    let counts = |run: &StoredFlowRun| run.state != FlowRunState::Done && run.began_at >= since;
    let mut runs: Vec<_> = latest.into_iter().take_while(counts).collect();
    runs.reverse();
    runs
}

#[cfg(test)]
mod tests {
    use domain::{ChatId, FlowRunId, TelegramMessageId};

    use super::*;

    #[test]
    fn missed_offers_are_an_alert_until_one_is_booked_or_an_hour_passed() {
        let (alarms, account): (_, AccountName) = (Alarms::default(), "main".parse().expect("a name"));
        let now: Timestamp = "2030-01-06T12:00:00Z".parse().expect("a time");
        let of = |now| alarms.of("trip", &account, now);
        for (state, code) in [(FlowRunState::Skipped, "hours"), (FlowRunState::Stopped, "by_hand")] {
            alarms.note("trip", &account, (state, code), now);
        }
        assert_eq!(of(now), None);
        for (state, code) in [
            (FlowRunState::Skipped, "busy"),
            (FlowRunState::Skipped, "busy"),
            (FlowRunState::Failed, "no_button"),
            (FlowRunState::Cut, "interrupted"),
        ] {
            alarms.note("trip", &account, (state, code), now);
        }
        let (reason, detail) = of(now).expect("an alert");
        assert_eq!(reason, "missed_offers");
        assert!(
            detail.contains("missed 4") && detail.contains("busy 2, interrupted 1, no_button 1"),
            "{detail}"
        );
        assert_eq!(of(now.plus(MISSED_FOR + Duration::from_secs(1))), None);
        // What a step asks to be alerted of stays, and goes before.
        alarms.raise("trip", &account, "no_button", "step 1".to_owned());
        assert_eq!(of(now.plus(MISSED_FOR * 2)).map(|trouble| trouble.0).as_deref(), Some("no_button"));
        alarms.clear("trip", &account);
        assert_eq!(of(now), None);
    }

    #[test]
    fn what_was_missed_before_a_restart_counts_since_the_last_run_that_was_done() {
        use FlowRunState::{Cut, Done, Failed, Skipped};
        let now: Timestamp = "2030-01-06T12:00:00Z".parse().expect("a time");
        let run = |minutes: u64, state| StoredFlowRun {
            id: FlowRunId::MIN,
            flow: "trip".to_owned(),
            account: "main".parse().expect("a name"),
            chat_id: ChatId::user(7).expect("an id"),
            message_id: TelegramMessageId::new(5).expect("an id"),
            began_at: now.minus(Duration::from_mins(minutes)),
            ended_at: None,
            state,
            code: None,
            step: 1,
            moments: Vec::new(),
        };
        let latest = [run(1, Cut), run(5, Skipped), run(20, Done), run(30, Failed), run(70, Failed)];
        let states = |latest: &[StoredFlowRun]| {
            let missed = since_the_last_done(latest.to_vec(), now.minus(MISSED_FOR));
            missed.iter().map(|run| run.state).collect::<Vec<_>>()
        };
        assert_eq!(states(&latest), [Skipped, Cut]);
        assert_eq!(states(&latest[3..]), [Failed], "no longer than an hour");
    }
}
