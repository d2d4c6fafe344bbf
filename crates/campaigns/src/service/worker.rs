//! Carrying a run out: a worker for each sender, which claims, carries and rests, until the run is over or its sender must stop.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ambient::Handle;
use domain::{
    AccountState, CampaignAttemptId, CampaignRunId, CampaignRunState, CampaignSender, SenderState, Timestamp,
};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use store::{CampaignRun, CampaignSenderRow, Claim, Claiming, RunChange, StoreError};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::again::again;
use super::carry::Carried;
use super::place::Place;
use super::{Inner, browsers};
use crate::judge::stopped;
use crate::plan::{CampaignSettings, Plan};

/// The longest time without a look at what people changed.
const LONGEST_NAP: Duration = Duration::from_secs(30);
/// How long until something is asked for again that no one reports.
pub(super) const ASK_AGAIN: Duration = Duration::from_secs(1);
/// A sender that has to wait longer leaves its place to another.
const LONG_WAIT: Duration = Duration::from_mins(1);

/// Carries out what is open of a run, and the run.
pub(super) async fn carry_out(inner: Handle<Inner>, id: CampaignRunId, pause: CancellationToken) {
    again(&id.to_string(), &inner.parts.clock, &pause, || run(&inner, id, &pause)).await;
    let mut at_work = inner.at_work();
    // A run that was resumed meanwhile is carried out by another task.
    if !pause.is_cancelled() {
        at_work.remove(&id);
    }
}

async fn run(inner: &Inner, id: CampaignRunId, pause: &CancellationToken) -> Result<(), StoreError> {
    let campaigns = inner.parts.store.campaigns();
    let Some(run) = campaigns.run(id).await? else { return Ok(()) };
    let open = campaigns.open_attempts(id).await?.into_iter().map(|attempt| attempt.sender);
    let mut next: BTreeSet<CampaignSender> = open.collect();
    let mut crew = Crew::default();
    next.extend(crew.joined_by(campaigns.senders(&run.campaign).await?));
    let at_once = plan_of(inner, &run.campaign).await?.and_then(|plan| plan.workers);
    let at_once = at_once.and_then(|count| usize::try_from(count).ok()).unwrap_or(Semaphore::MAX_PERMITS);
    let slots = &Semaphore::new(at_once);
    let mut at_work = FuturesUnordered::new();
    loop {
        for sender in std::mem::take(&mut next) {
            crew.busy.insert(sender.clone());
            at_work.push(work(Worker { inner, run: &run, sender, pause, slots }));
        }
        tokio::select! {
            ended = at_work.next() => match ended {
                Some(sender) => crew.busy.remove(&sender),
                None => break,
            },
            () = inner.parts.clock.sleep(LONGEST_NAP) => false,
        };
        if pause.is_cancelled() {
            continue;
        }
        match campaigns.senders(&run.campaign).await {
            Ok(rows) => next.extend(crew.joined_by(rows)),
            Err(error) => tracing::warn!(campaign = %run.campaign, %error, "a campaign waits for the store"),
        }
    }
    if pause.is_cancelled() || inner.closing.is_cancelled() {
        return Ok(());
    }
    let now = inner.parts.clock.now();
    match campaigns.run(id).await? {
        Some(CampaignRun { state: CampaignRunState::Running, canary, .. }) => {
            tracing::warn!(campaign = %run.campaign, "no sender of the campaign may go on; it is paused");
            let reason = Some("no_sender".to_owned());
            let wish = RunChange { state: CampaignRunState::Paused, reason, canary, now };
            campaigns.change_run(id, wish).await.map(drop)
        }
        _ => Ok(()),
    }
}

/// A sender's work to its end. What fails is begun again by itself; the others go on meanwhile.
async fn work(worker: Worker<'_>) -> CampaignSender {
    let Worker { inner, pause, .. } = worker;
    again(&worker.sender.to_string(), &inner.parts.clock, pause, || worker.work()).await;
    worker.sender
}

/// The senders of a run that is carried out.
#[derive(Default)]
struct Crew {
    busy: BTreeSet<CampaignSender>,
    /// Since when each could send that has begun.
    begun: BTreeMap<CampaignSender, Timestamp>,
}

impl Crew {
    /// Those that may send and have not begun since: they were added or unblocked. One that ended by itself is not begun again.
    fn joined_by(&mut self, rows: Vec<CampaignSenderRow>) -> Vec<CampaignSender> {
        let mut joined = Vec::new();
        for CampaignSenderRow { sender, state, changed_at, .. } in rows {
            if state != SenderState::Active {
                self.begun.remove(&sender);
            } else if !self.busy.contains(&sender) && self.begun.get(&sender) != Some(&changed_at) {
                self.begun.insert(sender.clone(), changed_at);
                joined.push(sender);
            }
        }
        joined
    }
}

/// The settings of a campaign as they are now; none when it is gone.
async fn plan_of(inner: &Inner, campaign: &str) -> Result<Option<Plan>, StoreError> {
    let Some(row) = inner.parts.store.campaigns().get(campaign).await? else { return Ok(None) };
    let settings: CampaignSettings = serde_json::from_str(&row.settings).unwrap_or_default();
    Ok(Some(Plan::of(&settings).unwrap_or_else(|_| Plan::usual())))
}

/// A sender of a run.
pub(super) struct Worker<'a> {
    pub(super) inner: &'a Inner,
    pub(super) run: &'a CampaignRun,
    pub(super) sender: CampaignSender,
    pub(super) pause: &'a CancellationToken,
    /// One for each sender that is at work; a sender that stops or cannot send leaves its place to another.
    slots: &'a Semaphore,
}

impl Worker<'_> {
    /// Ends what the sender has, then goes from recipient to recipient.
    async fn work(&self) -> Result<(), StoreError> {
        let mut open = self.inner.parts.store.campaigns().open_attempts(self.run.id).await?;
        open.retain(|attempt| attempt.sender == self.sender);
        let mut place = Place::among(self.slots);
        if let Some(profile) = self.sender.profile() {
            return browsers::work(self, profile, open, place).await;
        }
        for attempt in open {
            if matches!(self.inner.carry(attempt).await?, Carried::Closing) {
                return Ok(());
            }
        }
        let Self { inner, run, sender, pause, slots: _ } = self;
        let campaigns = inner.parts.store.campaigns();
        if !place.take(pause).await {
            return Ok(());
        }
        if let Some(until) = self.rests_on_until().await? {
            self.nap_through(until).await;
        }
        loop {
            // A sender that left its place waits for one again.
            if !place.take(pause).await || pause.is_cancelled() || !self.is_active().await? {
                return Ok(());
            }
            let Some(plan) = plan_of(inner, &run.campaign).await? else { return Ok(()) };
            let now = inner.parts.clock.now();
            let open_at = plan.open_at(now);
            if open_at > now {
                self.nap(open_at).await;
                continue;
            }
            let Some(account) = sender.account().and_then(|name| inner.parts.pool.account(name)) else {
                let why = "unknown_account".to_owned();
                return campaigns.stop_sender(sender.clone(), SenderState::Blocked, why, now).await;
            };
            if let Some((state, why)) = stopped(account.state) {
                tracing::warn!(campaign = %run.campaign, %sender, why, "the sender stops");
                let stop = inner.stop_of(sender, state, why.to_owned()).await?;
                return campaigns.stop_senders(sender.clone(), stop, now).await;
            }
            if is_away(account.state) {
                place.leave();
                self.nap(now.plus(ASK_AGAIN)).await;
                continue;
            }
            let claiming = Claiming {
                run: run.id,
                sender: sender.clone(),
                id: CampaignAttemptId::from_uuid(inner.parts.ids.next()),
                caps: plan.caps,
                person: account.user_id,
                counted_with: account.same_person_as.into_iter().map(CampaignSender::Account).collect(),
                between_cycles: plan.between_cycles,
                now,
            };
            match campaigns.claim(claiming).await? {
                Claim::Over => {
                    // The others need not find out by themselves.
                    inner.changed.notify_waiters();
                    return Ok(());
                }
                Claim::Later(at) | Claim::Limited(at) => self.nap(at).await,
                Claim::Busy => self.nap(now.plus(ASK_AGAIN)).await,
                Claim::Task(attempt) => match inner.carry(*attempt).await? {
                    Carried::Closing | Carried::Stopped => return Ok(()),
                    Carried::Nothing => {}
                    Carried::Sent => {
                        if let Some(until) = self.rests_until(&plan, inner.parts.clock.now()).await? {
                            self.nap_through(until).await;
                        }
                    }
                    Carried::RestUntil(at) => {
                        if at > inner.parts.clock.now().plus(LONG_WAIT) {
                            place.leave();
                        }
                        self.nap_through(at).await;
                    }
                },
            }
        }
    }

    pub(super) async fn is_active(&self) -> Result<bool, StoreError> {
        let senders = self.inner.parts.store.campaigns().senders(&self.run.campaign).await?;
        Ok(senders.iter().any(|row| row.sender == self.sender && row.state == SenderState::Active))
    }

    /// The settings as they are now; none when the campaign is gone.
    pub(super) async fn plan(&self) -> Result<Option<Plan>, StoreError> {
        plan_of(self.inner, &self.run.campaign).await
    }

    /// Waits until then, or until something changes, or for a while.
    pub(super) async fn nap(&self, until: Timestamp) {
        let clock = &self.inner.parts.clock;
        let until = until.min(clock.now().plus(LONGEST_NAP));
        tokio::select! {
            () = clock.sleep_until(until) => {}
            () = self.inner.changed.notified() => {}
            () = self.pause.cancelled() => {}
        }
    }

    /// Whether the run is at work, and the sender may send for it.
    pub(super) async fn goes_on(&self) -> Result<bool, StoreError> {
        let run = self.inner.parts.store.campaigns().run(self.run.id).await?;
        Ok(run.is_some_and(|run| run.state == CampaignRunState::Running) && self.is_active().await?)
    }

    /// Until when it rests after a message that left then. None where the next claim gives nothing: a trial is over, or the run does
    /// not go on.
    pub(super) async fn rests_until(
        &self,
        plan: &Plan,
        left_at: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let run = self.inner.parts.store.campaigns().run(self.run.id).await?;
        let goes_on = run.is_some_and(|run| run.state == CampaignRunState::Running && run.canary != Some(0));
        let now = self.inner.parts.clock.now();
        Ok(goes_on.then(|| plan.rested_at(left_at, self.inner.drawn(), now)))
    }

    /// Until when it rests after its last message: the run was paused since, or the program restarted.
    pub(super) async fn rests_on_until(&self) -> Result<Option<Timestamp>, StoreError> {
        let Some(plan) = self.plan().await? else { return Ok(None) };
        let since = self.inner.parts.clock.now().minus(plan.longest_rest());
        match self.inner.parts.store.campaigns().last_sent(self.run.id, &self.sender, since).await? {
            Some(left_at) => self.rests_until(&plan, left_at).await,
            None => Ok(None),
        }
    }

    /// Waits until then, whatever changes.
    pub(super) async fn nap_through(&self, until: Timestamp) {
        tokio::select! {
            () = self.inner.parts.clock.sleep_until(until) => {}
            () = self.pause.cancelled() => {}
        }
    }
}

/// Whether an account comes back by itself, or when its owner wants it to: no chat is claimed for it until then.
const fn is_away(state: AccountState) -> bool {
    matches!(state, AccountState::Paused | AccountState::Offline | AccountState::Connecting)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_added_or_unblocked_sender_joins_once() {
        let row = |name: &str, state, seconds: i64| CampaignSenderRow {
            sender: CampaignSender::Account(name.parse().expect("a name")),
            state,
            why: None,
            changed_at: Timestamp::from_micros(seconds * 1_000_000),
        };
        let (active, blocked) = (SenderState::Active, SenderState::Blocked);
        let mut crew = Crew::default();
        let mut joined = |rows: &[CampaignSenderRow], busy: &[&str]| -> Vec<String> {
            let busy = busy.iter().map(|name| CampaignSender::Account(name.parse().expect("a name")));
            crew.busy = busy.collect();
            crew.joined_by(rows.to_vec()).iter().map(ToString::to_string).collect()
        };
        assert_eq!(joined(&[row("main", active, 1), row("fifth", blocked, 1)], &[]), ["account:main"]);
        let both = [row("main", active, 1), row("fifth", active, 2)];
        assert_eq!(joined(&both, &["main"]), ["account:fifth"]);
        // Neither is begun again: one is at work, the other ended by itself.
        assert_eq!(joined(&both, &["main"]), Vec::<String>::new());
        assert_eq!(joined(&[row("main", blocked, 2)], &[]), Vec::<String>::new());
        assert_eq!(joined(&[row("main", active, 2)], &[]), ["account:main"]);
    }
}
