//! Carrying a clearing out: each step is stored, so that a restart goes on where it was.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ambient::Clock;
use domain::account::AccountState;
use domain::{AccountName, Service, Timestamp};
use store::{Store, StoreError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::machine::{Next, Run, WIND_DOWN};
use super::{Clearing, ClearingError, ClearingView};
use crate::account::view::AccountView;
use crate::pool::services::{ServiceAction, ServiceView};
use crate::pool::{ActError, Action, Pool};
use crate::router::Usable;
use ambient::lock::Mutex;

/// How long after the store refused a step it is tried again.
const AGAIN: Duration = Duration::from_secs(2);

/// The longest piece of a wait: a clock that is moved just before one begins is noticed soon.
const NAP: Duration = Duration::from_secs(1);

/// Clears flood waits, and switches services and accounts by hand meanwhile.
pub struct FloodClearing {
    store: Store,
    pool: Arc<Pool>,
    clock: Clock,
    run: Mutex<Option<Run>>,
    /// One change at a time, those by hand included.
    changing: tokio::sync::Mutex<()>,
    changed: Notify,
    /// Whether it takes orders.
    is_open: AtomicBool,
    /// Whether an account of the run may not be paused yet. Noted rather than looked up: an account that was switched on by
    /// hand would be paused again.
    pauses_owed: AtomicBool,
}

impl FloodClearing {
    pub fn new(store: Store, pool: Arc<Pool>, clock: Clock) -> Self {
        Self {
            store,
            pool,
            clock,
            run: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
            changed: Notify::new(),
            is_open: AtomicBool::new(false),
            pauses_owed: AtomicBool::new(false),
        }
    }

    /// Reads what an earlier run left.
    pub async fn load(&self) -> Result<(), StoreError> {
        let _changing = self.changing.lock().await;
        let stored = self.store.clearing().get().await?;
        let run = stored.and_then(|stored| {
            let run = Run::from_stored(stored);
            if run.is_none() {
                tracing::error!(
                    "another version of the program was clearing flood waits; start the services by hand"
                );
            }
            run
        });
        *self.run.lock() = run;
        Ok(())
    }

    pub fn view(&self) -> Option<ClearingView> {
        self.run.lock().as_ref().map(Run::view)
    }

    /// Clears flood waits. While that runs already the same way, this joins it; on an error nothing was changed.
    pub async fn begin(&self, how: Clearing, by: &str) -> Result<ClearingView, ClearingError> {
        let _changing = self.changing.lock().await;
        if let Some(run) = self.current() {
            self.changed.notify_one();
            return if run.how == how { Ok(run.view()) } else { Err(ClearingError::OtherMode) };
        }
        if !self.is_open.load(Ordering::Acquire) {
            return Err(ClearingError::NoServer);
        }
        let now = self.clock.now();
        let run = match how {
            Clearing::StopAll => {
                let running: Vec<Service> = self
                    .pool
                    .services()
                    .into_iter()
                    .filter(|one| one.running)
                    .map(|one| one.service)
                    .collect();
                if running.is_empty() {
                    return Err(ClearingError::NothingRuns);
                }
                Run::stop_all(running, by, now)
            }
            Clearing::PauseFlooded => {
                let flooded: Vec<_> = self.pool.accounts().iter().filter_map(flood_of).collect();
                if flooded.is_empty() {
                    return Err(ClearingError::NothingFlooded);
                }
                Run::pause_flooded(flooded, by, now)
            }
        };
        self.save(Some(run.clone())).await?;
        // From here on it runs, whatever else becomes of it: paused accounts must go on at the deadline.
        self.changed.notify_one();
        tracing::info!(how = how.as_str(), by, "clearing flood waits");
        if how == Clearing::PauseFlooded
            && let Err(error) = self.pause_all(&run).await
        {
            // One that cannot be paused now is paused by the next look: it is stored.
            tracing::warn!(%error, "not all accounts with flood waits could be paused yet; trying again");
        }
        Ok(run.view())
    }

    /// Ends the clearing: everything that it stopped or paused goes on at once. `None` if none ran.
    pub async fn cancel(&self, by: &str) -> Result<Option<ClearingView>, ClearingError> {
        let _changing = self.changing.lock().await;
        let Some(mut run) = self.current() else { return Ok(None) };
        run.hurry = true;
        self.save(Some(run.clone())).await?;
        tracing::info!(by, "the clearing of flood waits is cancelled; what it stopped goes on");
        // Here and now, so that it also works while nothing is carried out in the background.
        while self.step().await? != Next::Over {}
        self.changed.notify_one();
        Ok(Some(run.view()))
    }

    pub async fn switch_service(
        &self,
        service: Service,
        action: ServiceAction,
    ) -> Result<ServiceView, ActError> {
        let _changing = self.changing.lock().await;
        let view = self.pool.set_service(service, action).await?;
        if let Some(mut run) = self.current().filter(|run| run.how == Clearing::StopAll) {
            match action {
                ServiceAction::Start | ServiceAction::Restart => run.started(service, self.clock.now(), true),
                ServiceAction::Stop => run.stopped_by_hand(service),
            }
            self.save(Some(run.clone())).await?;
            self.pool.quiesce(&run.silent);
            self.changed.notify_one();
        }
        Ok(view)
    }

    pub async fn switch_account(&self, name: &AccountName, action: Action) -> Result<AccountView, ActError> {
        let _changing = self.changing.lock().await;
        let view = self.pool.act(name, action).await?;
        if let Some(mut run) = self.current().filter(|run| run.how == Clearing::PauseFlooded) {
            run.let_go(name);
            self.save(Some(run)).await?;
            self.changed.notify_one();
        }
        Ok(view)
    }

    /// Takes orders from now on, for [`FloodClearing::work`] to carry out.
    pub fn open(&self) {
        self.is_open.store(true, Ordering::Release);
    }

    /// Carries the clearing out, one that an earlier run left included, until the program ends.
    pub async fn work(&self, stopping: CancellationToken) {
        if let Err(error) = self.take_up().await {
            tracing::warn!(%error, "the clearing of flood waits could not be taken up as it was; it goes on");
        }
        // What was due while the program was down is judged by the time of day; from here on by the monotonic clock.
        let mut waited_for: Option<(Option<Timestamp>, Duration)> = None;
        loop {
            let wait = match self.current() {
                None => None,
                Some(run) if run.next(false) == Next::Wait => {
                    let running = self.clock.running();
                    let deadline = match waited_for {
                        Some((until, deadline)) if until == run.until => deadline,
                        _ => {
                            let left =
                                run.until.map_or(Duration::ZERO, |until| until.since(self.clock.now()));
                            running
                                .saturating_add(run.longest_wait().map_or(left, |longest| left.min(longest)))
                        }
                    };
                    waited_for = Some((run.until, deadline));
                    Some(deadline.saturating_sub(running))
                }
                Some(_) => Some(Duration::ZERO),
            };
            let due = async {
                match wait {
                    Some(wait) => self.clock.sleep(wait.min(NAP)).await,
                    None => std::future::pending().await,
                }
            };
            let is_due = tokio::select! {
                () = stopping.cancelled() => return,
                // Whatever changed: how long there is to wait is found out again.
                () = self.changed.notified() => continue,
                () = due => wait.is_none_or(|wait| wait <= NAP),
            };
            if !is_due && !self.pauses_owed.load(Ordering::Acquire) {
                continue;
            }
            let take_step = async {
                let _changing = self.changing.lock().await;
                if is_due {
                    self.step_when_due(waited_for.and_then(|(until, _)| until)).await
                } else {
                    self.pause_owed().await
                }
            };
            let stepped = tokio::select! {
                stepped = take_step => stepped,
                () = stopping.cancelled() => return,
            };
            if let Err(error) = stepped {
                tracing::warn!(%error, "a step of clearing flood waits could not be written; trying again");
                tokio::select! {
                    () = self.clock.sleep(AGAIN) => {}
                    () = stopping.cancelled() => return,
                }
            }
        }
    }

    /// The next step, if what was waited for is still what there is to wait for.
    async fn step_when_due(&self, waited_for: Option<Timestamp>) -> Result<(), ClearingError> {
        let Some(run) = self.current() else { return Ok(()) };
        let due = waited_for.is_some() && waited_for == run.until;
        self.take(run, due).await.map(|_| ())
    }

    async fn step(&self) -> Result<Next, ClearingError> {
        match self.current() {
            Some(run) => self.take(run, false).await,
            None => Ok(Next::Over),
        }
    }

    async fn take(&self, mut run: Run, due: bool) -> Result<Next, ClearingError> {
        let next = run.next(due);
        match &next {
            Next::Wait => {}
            Next::Stop => {
                failpoint::reach("telegram.clearing.stopping").await;
                for service in &run.waiting {
                    self.pool.set_service(*service, ServiceAction::Stop).await.map_err(of_act)?;
                }
                failpoint::reach("telegram.clearing.stopped").await;
                self.clock.sleep(WIND_DOWN).await;
                run.fall_silent(self.clock.now());
                self.pool.quiesce(&run.silent);
                self.save(Some(run)).await?;
                failpoint::reach("telegram.clearing.silent").await;
            }
            Next::Start(service) => {
                self.pool.set_service(*service, ServiceAction::Start).await.map_err(of_act)?;
                run.started(*service, self.clock.now(), false);
                self.save(Some(run.clone())).await?;
                self.pool.quiesce(&run.silent);
                failpoint::reach("telegram.clearing.started").await;
            }
            Next::Resume(account) => {
                let paused = self.pool.account(account).is_some_and(|one| one.state != AccountState::Offline);
                if paused {
                    // One that is gone meanwhile needs nothing.
                    match self.pool.act(account, Action::Resume).await {
                        Ok(_) | Err(ActError::NoSuchAccount(_)) => {}
                        Err(ActError::Store(error)) => return Err(error.into()),
                    }
                }
                run.let_go(account);
                self.save(Some(run)).await?;
            }
            Next::Over => {
                self.save(None).await?;
                self.pool.quiesce(&[]);
                tracing::info!("flood waits are cleared");
            }
        }
        Ok(next)
    }

    /// Pauses what is stored to be paused. One that cannot be keeps none of the others from it, and is owed.
    async fn pause_all(&self, run: &Run) -> Result<(), ClearingError> {
        let mut failed = None;
        for (account, _) in &run.pauses {
            match self.pool.act(account, Action::Pause).await {
                Ok(_) | Err(ActError::NoSuchAccount(_)) => {}
                Err(ActError::Store(error)) => failed = failed.or(Some(error)),
            }
        }
        self.pauses_owed.store(failed.is_some(), Ordering::Release);
        failed.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Pauses what could not be paused before, while that is still wanted.
    async fn pause_owed(&self) -> Result<(), ClearingError> {
        match self.current().filter(|run| run.how == Clearing::PauseFlooded && !run.hurry) {
            Some(run) => self.pause_all(&run).await,
            None => Ok(()),
        }
    }

    async fn take_up(&self) -> Result<(), ClearingError> {
        let _changing = self.changing.lock().await;
        let Some(mut run) = self.current() else { return Ok(()) };
        self.pool.quiesce(&run.silent);
        if run.how == Clearing::PauseFlooded {
            return self.pause_all(&run).await;
        }
        if run.phase != super::Phase::Stopping {
            let now = self.clock.now();
            for service in run.waiting.clone() {
                if self.pool.service(service).running {
                    // The last run started it and could not write that down, or someone did while nothing ran.
                    let own =
                        run.waiting.first() == Some(&service) && run.until.is_some_and(|due| due <= now);
                    run.started(service, now, !own);
                }
            }
            self.save(Some(run.clone())).await?;
            self.pool.quiesce(&run.silent);
        }
        Ok(())
    }

    async fn save(&self, run: Option<Run>) -> Result<(), StoreError> {
        self.store.clearing().save(run.as_ref().map(Run::stored)).await?;
        *self.run.lock() = run;
        self.pool.changes.tell();
        Ok(())
    }

    fn current(&self) -> Option<Run> {
        self.run.lock().clone()
    }
}

fn of_act(error: ActError) -> ClearingError {
    match error {
        ActError::Store(error) => error.into(),
        // Only accounts have names here.
        ActError::NoSuchAccount(_) => ClearingError::NothingFlooded,
    }
}

/// An account that works, or will once it is connected, and has a flood wait; and until when.
fn flood_of(account: &AccountView) -> Option<(AccountName, Timestamp)> {
    let until = account.floods.iter().map(|flood| flood.until).max()?;
    // One that is on its way would ask again as soon as it is there.
    let works = !matches!(account.usable, Usable::No(..));
    works.then(|| (account.name.clone(), until))
}
