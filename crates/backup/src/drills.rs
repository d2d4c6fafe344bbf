//! Drills: a restore for practice now and then, of the newest copy where there are copies, else of the newest backup.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;

use super::copying;
use super::destination::{CopyName, Destination};
use super::history::{Copied, Drill, DrillOf, History};
use super::making::{BackupError, in_background};
use super::name::BackupName;
use super::room;
use super::service::{Backups, Doing, LOOK_EVERY};
use super::verify::{Verification, Verified, verify};

/// The first drill comes so soon.
const FIRST: Duration = Duration::from_hours(24);

/// After one that failed the next comes so soon, unless there is a newer backup before.
const AGAIN: Duration = Duration::from_hours(6);

/// A drill waits for its turn so long at most.
const WAIT: Duration = Duration::from_hours(1);

/// The state of the drills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrillsView {
    /// Zero: never.
    pub every: Duration,
    pub next_at: Option<Timestamp>,
    pub last: Option<Drill>,
    /// Whether one takes place now.
    pub is_running: bool,
}

/// When the next one is due; never where none are wanted, or there is nothing to restore. Pure.
pub(crate) fn due(
    history: &History,
    newest: Option<&BackupName>,
    every: Duration,
    now: Timestamp,
) -> Option<Timestamp> {
    let newest = newest.filter(|_| !every.is_zero())?;
    let next = match history.drills.last() {
        None => history.since.plus(FIRST.min(every)),
        Some(last) if last.came.is_ok() => last.at.plus(every),
        Some(last) if last.name < *newest && newest.made_at() > last.at => newest.made_at(),
        Some(last) => last.at.plus(AGAIN.min(every)),
    };
    // A clock that ran ahead and was set back: what was written down then says nothing of now.
    let from_ahead = history.drills.last().map_or(history.since, |last| last.at) > now;
    Some(if from_ahead { now } else { next })
}

impl Backups {
    /// Drills when one is due, for as long as the program runs.
    pub(super) async fn keep_drilling(&self) {
        loop {
            let now = self.0.parts.clock.now();
            if self.next_drill().await.is_some_and(|next| next <= now)
                && let Ok(_turn) = self.0.drilling.try_acquire()
            {
                self.drill().await;
            }
            self.0.parts.clock.sleep(LOOK_EVERY).await;
        }
    }

    async fn next_drill(&self) -> Option<Timestamp> {
        let newest = self.list().await.ok()?.pop().map(|there| there.name);
        let (history, every) = (self.history().await, self.plan().settings.drill_every);
        due(&history, newest.as_ref(), every, self.0.parts.clock.now())
    }

    /// The state of the drills.
    pub(super) fn drills(&self, history: &History, newest: Option<&BackupName>) -> DrillsView {
        let (every, now) = (self.plan().settings.drill_every, self.0.parts.clock.now());
        let next_at = due(history, newest, every, now);
        let is_running = self.0.drilling.available_permits() == 0;
        DrillsView { every, next_at, last: history.drills.last().cloned(), is_running }
    }

    /// Begins one now, whenever the next is due; [`Backups::standing`] shows how it is.
    ///
    /// # Errors
    /// One takes place already, there is nothing to restore, or the program is stopping.
    pub async fn begin_drill(&self) -> Result<(), BackupError> {
        if self.0.stopping.is_cancelled() {
            return Err(BackupError::Stopping);
        }
        if self.list().await?.is_empty() {
            return Err(BackupError::None { folder: self.0.folder.path().to_owned() });
        }
        let turn = Arc::clone(&self.0.drilling).try_acquire_owned().map_err(|_| BackupError::Busy)?;
        let backups = self.clone();
        self.0.tasks.spawn(async move {
            backups.drill().await;
            drop(turn);
        });
        Ok(())
    }

    /// Restores; called by one at a time.
    async fn drill(&self) {
        let (Ok(there), history, plan) = (self.list().await, self.history().await, self.plan()) else {
            return;
        };
        let Some(newest) = there.iter().map(|there| &there.name).max() else { return };
        let to = plan.destination.as_ref().ok().and_then(Option::as_ref);
        let copy = to.and_then(|to| {
            let newest = history.copies_at(&to.address()).max_by_key(|copied| &copied.name).cloned();
            Some((to, newest?))
        });
        let (of, name) = match &copy {
            None => (DrillOf::Backup, newest.clone()),
            Some((_, copied)) if !copied.encrypted => (DrillOf::Copy, copied.name.clone()),
            Some((_, copied)) if there.iter().any(|there| there.name == copied.name) => {
                (DrillOf::EncryptedCopy, copied.name.clone())
            }
            Some(_) => (DrillOf::EncryptedCopy, newest.clone()),
        };
        let came = match self.restored(of, &name, copy.as_ref().map(|(to, copied)| (*to, copied))).await {
            _ if self.0.stopping.is_cancelled() => return,
            Ok(verified) => {
                tracing::info!(backup = %name, of = of.as_str(), rows = verified.rows, "a restore drill went well");
                Ok(verified.rows)
            }
            Err(why) => {
                tracing::error!(backup = %name, of = of.as_str(), why, "a restore drill failed");
                Err(why)
            }
        };
        let at = self.0.parts.clock.now();
        self.remember(|history| history.drilled(Drill { at, name, of, came })).await;
    }

    /// A copy may take long to come: backups are made meanwhile.
    async fn restored(
        &self,
        of: DrillOf,
        name: &BackupName,
        copy: Option<(&Destination, &Copied)>,
    ) -> Result<Verified, String> {
        let fetched = match copy {
            Some((to, copied)) => Some(self.fetched(to, copied).await?),
            None => None,
        };
        let file = match (&fetched, of) {
            (Some(fetched), DrillOf::Copy) => fetched.clone(),
            _ => self.0.folder.file(name),
        };
        let verified = self.verified(file, name).await;
        if let Some(fetched) = fetched {
            // What cannot be removed now is removed before the next one.
            let _ = tokio::task::spawn_blocking(move || fs::remove_file(fetched)).await;
        }
        verified
    }

    async fn verified(&self, file: PathBuf, name: &BackupName) -> Result<Verified, String> {
        let parts = &self.0.parts;
        let deadline = parts.clock.now().plus(WAIT);
        let turn = loop {
            match self.take_turn(Doing::Proving(name.clone())) {
                Ok(turn) => break turn,
                Err(error) if parts.clock.now() > deadline => return Err(error.to_string()),
                Err(_) => parts.clock.sleep(LOOK_EVERY).await,
            }
        };
        let folder = self.0.folder.clone();
        let prepared = in_background(move || {
            let failed = |source| BackupError::Folder { folder: folder.path().to_owned(), source };
            folder.prepare().map_err(failed)
        });
        prepared.await.map_err(|error| error.to_string())?;
        let verified = verify(Verification {
            file,
            into: self.0.folder.trial(name),
            master_key: parts.master_key.clone().beside(&parts.data_dir),
            identity: None,
            clock: parts.clock.clone(),
            stopping: self.0.stopping.clone(),
        });
        let verified = verified.await.map_err(|error| error.to_string());
        drop(turn);
        verified
    }

    /// Fetches a copy, and compares it with what was written there.
    async fn fetched(&self, to: &Destination, copied: &Copied) -> Result<PathBuf, String> {
        let (folder, needed) = (self.0.folder.clone(), copied.bytes.saturating_add(room::MARGIN));
        let enough = in_background(move || {
            let failed = |source| BackupError::Folder { folder: folder.path().to_owned(), source };
            folder.create().and_then(|()| folder.remove_fetched()).map_err(failed)?;
            let free = room::free(folder.path()).map_err(failed)?;
            if free >= needed {
                return Ok(());
            }
            Err(BackupError::NoRoom { folder: folder.path().to_owned(), needed, free })
        });
        enough.await.map_err(|error| error.to_string())?;
        let name = CopyName { backup: copied.name.clone(), is_encrypted: copied.encrypted };
        let into = self.0.folder.fetched(&copied.name);
        let read = tokio::select! {
            read = copying::fetch(to, &name, into.clone()) => read.map_err(|error| error.to_string()),
            () = self.0.stopping.cancelled() => return Err("the program is stopping".to_owned()),
        };
        let compared = read.and_then(|read| {
            if copied.is(&read) {
                return Ok(into.clone());
            }
            let to = &copied.to;
            Err(format!(
                "the copy {name} in {to} is not what was written there; it was changed or is damaged"
            ))
        });
        if compared.is_err() {
            let _ = tokio::task::spawn_blocking(move || fs::remove_file(into)).await;
        }
        compared
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEEK: Duration = Duration::from_hours(7 * 24);

    fn at(hours: u64) -> Timestamp {
        Timestamp::from_micros(1_893_456_000_000_000).plus(Duration::from_hours(hours))
    }

    fn drilled(hour: u64, came: Result<u64, String>) -> History {
        let mut history = History::begun(at(0));
        history.drilled(Drill { at: at(hour), name: BackupName::of(at(1)), of: DrillOf::Backup, came });
        history
    }

    #[test]
    fn a_drill_comes_each_interval_and_soon_after_one_that_failed() {
        let (old, new) = (BackupName::of(at(1)), BackupName::of(at(40)));
        let none = History::begun(at(0));
        assert_eq!(due(&none, None, WEEK, at(50)), None, "nothing to restore");
        assert_eq!(due(&none, Some(&old), Duration::ZERO, at(50)), None);
        assert_eq!(due(&none, Some(&old), WEEK, at(2)), Some(at(24)));
        let (well, failed) = (drilled(30, Ok(7)), drilled(30, Err("torn".to_owned())));
        assert_eq!(due(&well, Some(&new), WEEK, at(50)), Some(at(30 + 7 * 24)));
        assert_eq!(due(&failed, Some(&old), WEEK, at(31)), Some(at(36)));
        assert_eq!(due(&failed, Some(&new), WEEK, at(41)), Some(at(40)), "a newer one may be well");
        assert_eq!(due(&well, Some(&new), WEEK, at(3)), Some(at(3)), "the clock was set back");
    }
}
