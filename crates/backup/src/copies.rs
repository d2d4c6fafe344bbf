//! Copies elsewhere: which backup is copied next, when it is tried again, and what is removed there.

use std::time::Duration;

use domain::Timestamp;
use tokio_util::sync::CancellationToken;

use super::copying::{self, CopyError};
use super::destination::{CopyName, Destination};
use super::history::{Attempt, Copied, History};
use super::keep::{self, Retention};
use super::name::BackupName;
use super::service::{Backups, LOOK_EVERY};

/// So long after the first failure it is tried again, and each time twice as long.
const AGAIN: Duration = Duration::from_mins(1);

/// After a failure it is tried again so much later at most.
const AGAIN_AT_MOST: Duration = Duration::from_hours(1);

/// The state of the copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiesView {
    /// Where they go: a folder, or `s3://bucket/prefix`.
    pub to: String,
    pub encrypted: bool,
    pub keep: usize,
    /// Zero: of any age.
    pub keep_for: Duration,
    /// How many are there.
    pub count: usize,
    /// The newest.
    pub last: Option<Copied>,
    pub failing: Option<CopyTrouble>,
}

/// Why there is no copy of the newest backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyTrouble {
    /// Since when; nothing when the settings are why.
    pub since: Option<Timestamp>,
    pub attempts: u32,
    pub why: String,
    /// When it is tried again.
    pub next_at: Option<Timestamp>,
}

/// The backup to be copied next, if there is one: the newest that has no copy there, is not broken, and would stay there. Pure.
pub(crate) fn next(
    there: &[BackupName],
    busy: Option<&BackupName>,
    history: &History,
    to: &str,
    retention: Retention,
    now: Timestamp,
) -> Option<BackupName> {
    let copied: Vec<_> = history.copies_at(to).map(|copied| copied.name.clone()).collect();
    let proven = proven(history);
    let is_broken = |name: &BackupName| {
        let wrong = |attempt: &Attempt| attempt.proof.as_ref().is_some_and(|proof| proof.wrong.is_some());
        history.attempts.iter().rev().find(|attempt| attempt.name == *name).is_some_and(wrong)
    };
    let would_stay = |name: &BackupName| {
        let all: Vec<_> = copied.iter().chain([name]).cloned().collect();
        !keep::surplus(&all, &proven, retention, now).contains(name)
    };
    let mut wanted: Vec<_> = there
        .iter()
        .filter(|name| Some(*name) != busy && !copied.contains(name) && !is_broken(name) && would_stay(name))
        .collect();
    wanted.sort();
    wanted.pop().cloned()
}

/// When it is tried again after failures; at once where there were none. Pure.
pub(crate) fn again(history: &History, to: &str, now: Timestamp) -> Timestamp {
    let Some(uncopied) = history.uncopied.as_ref().filter(|uncopied| uncopied.to == to) else { return now };
    let wait = AGAIN.saturating_mul(1 << (uncopied.attempts.clamp(1, 8) - 1)).min(AGAIN_AT_MOST);
    // A clock that ran ahead and was set back says nothing of now.
    if uncopied.at > now { now } else { uncopied.at.plus(wait) }
}

fn proven(history: &History) -> Vec<BackupName> {
    history.proven().map(|(attempt, _)| attempt.name.clone()).collect()
}

impl Backups {
    /// Copies what is not copied yet, for as long as the program runs.
    pub(super) async fn keep_copying(&self, stopping: &CancellationToken) {
        while !stopping.is_cancelled() {
            self.copy_what_is_due().await;
            tokio::select! {
                () = self.0.parts.clock.sleep(LOOK_EVERY) => {}
                () = self.0.made.notified() => {}
                () = stopping.cancelled() => {}
            }
        }
    }

    async fn copy_what_is_due(&self) {
        let plan = self.plan();
        let Ok(Some(to)) = &plan.destination else { return };
        let (address, retention) = (to.address(), plan.copy_retention());
        loop {
            let Ok(there) = self.list().await else { return };
            let there: Vec<_> = there.into_iter().map(|there| there.name).collect();
            let (history, busy, now) = (self.history().await, self.busy(), self.0.parts.clock.now());
            if again(&history, &address, now) > now {
                return;
            }
            let Some(name) = next(&there, busy.as_ref(), &history, &address, retention, now) else {
                if busy.is_none() && history.uncopied.is_some() {
                    // What could not be copied is no more.
                    self.remember(|history| history.uncopied = None).await;
                }
                return;
            };
            if !self.copy(to, &address, &name).await {
                return;
            }
            self.remove_surplus_copies(to, &address, retention).await;
        }
    }

    /// Whether it was copied.
    async fn copy(&self, to: &Destination, address: &str, name: &BackupName) -> bool {
        let (file, copy) = (self.0.folder.file(name), to.name(name));
        let sent = copying::send(file, to, &copy, &self.0.stopping).await;
        let at = self.0.parts.clock.now();
        match sent {
            Ok(passed) => {
                tracing::info!(backup = %name, to = address, bytes = passed.bytes, "a backup was copied");
                let copied = Copied {
                    name: name.clone(),
                    to: address.to_owned(),
                    at,
                    bytes: passed.bytes,
                    sha256: passed.sha256,
                    encrypted: copy.is_encrypted,
                };
                self.remember(|history| history.copied(copied)).await;
                true
            }
            Err(CopyError::Stopping) => false,
            Err(error) => {
                tracing::error!(backup = %name, to = address, %error, "a backup was not copied");
                self.remember(|history| history.not_copied(name, address, at, error.to_string())).await;
                false
            }
        }
    }

    /// Only what this installation copied there is removed: others may use the same place.
    async fn remove_surplus_copies(&self, to: &Destination, address: &str, retention: Retention) {
        let history = self.history().await;
        let copies: Vec<_> = history.copies_at(address).cloned().collect();
        let names: Vec<_> = copies.iter().map(|copied| copied.name.clone()).collect();
        let surplus = keep::surplus(&names, &proven(&history), retention, self.0.parts.clock.now());
        for copied in copies.into_iter().filter(|copied| surplus.contains(&copied.name)) {
            let name = CopyName { backup: copied.name.clone(), is_encrypted: copied.encrypted };
            match to.remove(&name).await {
                Ok(()) => {
                    tracing::info!(copy = %name, to = address, "an old copy of a backup was removed");
                    self.remember(|history| history.forget_copy(&copied.name, address)).await;
                }
                Err(error) => {
                    tracing::warn!(copy = %name, to = address, %error, "an old copy of a backup cannot be removed");
                    return;
                }
            }
        }
    }

    /// The state of the copies; nothing where none are made.
    pub(super) fn copies(&self, history: &History) -> Option<CopiesView> {
        let plan = self.plan();
        let settings = &plan.settings.copy;
        let view = |to: String, failing| CopiesView {
            encrypted: settings.recipient.is_some(),
            keep: settings.keep,
            keep_for: settings.keep_for,
            count: history.copies_at(&to).count(),
            last: history.copies_at(&to).max_by_key(|copied| &copied.name).cloned(),
            to,
            failing,
        };
        match &plan.destination {
            Ok(None) => None,
            Ok(Some(to)) => {
                let address = to.address();
                let next_at = again(history, &address, self.0.parts.clock.now());
                let failing = history.uncopied.as_ref().filter(|uncopied| uncopied.to == address);
                let failing = failing.map(|uncopied| CopyTrouble {
                    since: Some(uncopied.since),
                    attempts: uncopied.attempts,
                    why: uncopied.why.clone(),
                    next_at: Some(next_at),
                });
                Some(view(address, failing))
            }
            Err(why) => {
                let to = settings.bucket.as_ref().map_or_else(String::new, |bucket| format!("s3://{bucket}"));
                let why = why.clone();
                Some(view(to, Some(CopyTrouble { since: None, attempts: 0, why, next_at: None })))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AttemptBy, Proof};
    use proptest::prelude::*;

    const ANY_AGE: Retention = Retention { most: 3, age: Duration::ZERO };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    fn name(second: i64) -> BackupName {
        BackupName::of(at(second))
    }

    fn copied(second: i64, to: &str) -> Copied {
        let (name, to) = (name(second), to.to_owned());
        Copied { name, to, at: at(second), bytes: 1, sha256: String::new(), encrypted: false }
    }

    #[test]
    fn the_newest_without_a_copy_is_next() {
        let mut history = History::begun(at(0));
        let (there, busy): (Vec<_>, _) = ((1..=5).map(name).collect(), name(5));
        let next = |history: &History, busy| next(&there, busy, history, "/b", ANY_AGE, at(100));
        assert_eq!(next(&history, None), Some(name(5)));
        assert_eq!(next(&history, Some(&busy)), Some(name(4)), "it is made or tried now");
        history.copied(copied(5, "/b"));
        history.copied(copied(4, "/elsewhere"));
        assert_eq!(next(&history, None), Some(name(4)));
        let wrong = Proof { at: at(9), wrong: Some("torn".to_owned()) };
        history.prove(&name(4), 1, Ok(wrong));
        assert_eq!(next(&history, None), Some(name(3)));
        history.copied(copied(3, "/b"));
        assert_eq!(next(&history, None), Some(name(2)));
        history.copied(copied(2, "/b"));
        assert_eq!(next(&history, None), None, "more would not stay there");
    }

    #[test]
    fn failures_are_tried_again_ever_later() {
        let mut history = History::begun(at(0));
        assert_eq!(again(&history, "/b", at(7)), at(7));
        let mut waits = Vec::new();
        for _ in 0..9 {
            history.not_copied(&name(1), "/b", at(100), "it is away".to_owned());
            waits.push(again(&history, "/b", at(100)).since(at(100)).as_secs() / 60);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(history.uncopied.as_ref().map(|one| (one.since, one.attempts)), Some((at(100), 9)));
        assert_eq!(again(&history, "/elsewhere", at(100)), at(100));
        assert_eq!(again(&history, "/b", at(1)), at(1), "the clock was set back");
        history.copied(copied(1, "/b"));
        assert_eq!(again(&history, "/b", at(100)), at(100));
    }

    proptest! {
        /// Whatever is there and was copied: copying ends, and what was copied stays.
        #[test]
        fn copying_ends_with_the_retained_backups(
            there in proptest::collection::btree_set(0_i64..60, 0..10),
            before in proptest::collection::btree_set(0_i64..60, 0..10),
            most in 1_usize..6, age in 0_u64..70,
        ) {
            let retention = Retention { most, age: Duration::from_secs(age) };
            let there: Vec<_> = there.into_iter().map(name).collect();
            let mut history = History::begun(at(0));
            for name in &there {
                let by = AttemptBy::Schedule;
                let proof = Some(Proof { at: at(60), wrong: None });
                history.add(Attempt { name: name.clone(), at: name.made_at(), by, came: Ok(1), proof, untried: None });
            }
            for second in before {
                history.copied(copied(second, "/b"));
            }
            for _ in 0..there.len() {
                let Some(name) = next(&there, None, &history, "/b", retention, at(60)) else { break };
                history.copied(Copied { name, ..copied(0, "/b") });
                let names: Vec<_> = history.copies_at("/b").map(|copied| copied.name.clone()).collect();
                for gone in keep::surplus(&names, &proven(&history), retention, at(60)) {
                    prop_assert!(names.last() != Some(&gone), "it was copied in vain");
                    history.forget_copy(&gone, "/b");
                }
            }
            prop_assert_eq!(next(&there, None, &history, "/b", retention, at(60)), None);
        }
    }
}
