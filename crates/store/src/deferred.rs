//! Changes that wait for the next commit: the one who made them went on already.

use std::time::Duration;

use crate::StoreError;
use crate::accounts::updates::SaveUpdateState;
use crate::api_keys::KeyUsed;
use crate::files::uploads::SaveUpload;
use crate::point::Point;
use crate::write::{Pending, Transaction, Write};
use crate::{outbox, sagas};

/// A deferred of this length is committed without waiting for more.
const LONG: usize = 512;
/// A change that no one waits for is on the disk after this time at the latest.
const WITHIN: Duration = Duration::from_millis(100);
/// The same for one that a crash must not find missing. Where much is written, one of the next commits takes it along
/// before.
const SOON: Duration = Duration::from_millis(5);

/// A change that no one waits for.
pub(crate) enum Deferred {
    /// The update state of an account.
    Updates(SaveUpdateState),
    /// How far an upload is.
    Upload(SaveUpload),
    /// The caller who sent a message without a key has its answer.
    MessageAnswered(outbox::AnsweredWrite),
    /// The same of a saga.
    SagaAnswered(sagas::AnsweredWrite),
    /// When a key was used last.
    KeyUsed(KeyUsed),
}

impl Deferred {
    /// Whether this change makes an earlier one pointless.
    fn replaces(&self, earlier: &Self) -> bool {
        match (self, earlier) {
            (Self::Updates(change), Self::Updates(earlier)) => change.replaces(earlier),
            (Self::Upload(change), Self::Upload(earlier)) => change.replaces(earlier),
            (Self::KeyUsed(change), Self::KeyUsed(earlier)) => change.replaces(earlier),
            _ => false,
        }
    }

    /// Whether a crash before it is on the disk is felt: a caller who has its answer would be taken for one that has none,
    /// and its next request of the same body for a repeat.
    const fn is_pressing(&self) -> bool {
        matches!(self, Self::MessageAnswered(_) | Self::SagaAnswered(_))
    }

    /// The points round it where a test can end the program.
    pub(crate) const fn point(&self) -> Option<Point> {
        match self {
            Self::Updates(_) => SaveUpdateState::POINT,
            Self::Upload(_) => SaveUpload::POINT,
            Self::MessageAnswered(_) => outbox::AnsweredWrite::POINT,
            Self::SagaAnswered(_) => sagas::AnsweredWrite::POINT,
            Self::KeyUsed(_) => KeyUsed::POINT,
        }
    }

    /// As a member of a group that is committed together.
    pub(crate) fn pending(self) -> Pending {
        match self {
            Self::Updates(change) => Pending::silent(change),
            Self::Upload(change) => Pending::silent(change),
            Self::MessageAnswered(note) => Pending::silent(note),
            Self::SagaAnswered(note) => Pending::silent(note),
            Self::KeyUsed(note) => Pending::silent(note),
        }
    }
}

/// Changes that wait for the next commit. A later one takes the place of those it makes pointless, so a busy account
/// or a fast upload costs one row a commit, not one a change.
#[derive(Default)]
pub(crate) struct DeferredWrites {
    /// Those of a commit that failed; they come first again.
    left_over: Vec<Pending>,
    changes: Vec<Deferred>,
}

impl DeferredWrites {
    pub(crate) fn put(&mut self, change: Deferred) {
        self.changes.retain(|earlier| !change.replaces(earlier));
        self.changes.push(change);
    }

    /// Keeps what a commit that failed did not bring onto the disk. While none succeeds, the oldest are given up.
    pub(crate) fn keep(&mut self, mut left_over: Vec<Pending>) {
        left_over.append(&mut self.left_over);
        let given_up = left_over.len().saturating_sub(LONG);
        if given_up > 0 {
            tracing::warn!(given_up, "changes that no caller waits for were lost: no commit succeeds");
            left_over.drain(..given_up);
        }
        self.left_over = left_over;
    }

    pub(crate) fn take(&mut self) -> impl Iterator<Item = Pending> {
        self.left_over.drain(..).chain(self.changes.drain(..).map(Deferred::pending))
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.left_over.is_empty() && self.changes.is_empty()
    }

    pub(crate) const fn is_long(&self) -> bool {
        self.changes.len() >= LONG
    }

    /// How long the oldest of them may wait.
    pub(crate) fn longest_wait(&self) -> Duration {
        if self.changes.iter().any(Deferred::is_pressing) { SOON } else { WITHIN }
    }
}

/// Changes nothing, but is answered only when everything before it is on the disk.
pub(crate) struct Settle;

impl Write for Settle {
    type Answer = ();

    fn apply(&self, _: &Transaction<'_>) -> Result<(), StoreError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use domain::{AccountName, Timestamp};

    use super::*;
    use crate::accounts::{UpdateChange, UpdateState};

    fn change_of(later: &Deferred) -> Option<UpdateChange> {
        match later {
            Deferred::Updates(write) => Some(write.change().clone()),
            _ => None,
        }
    }

    #[test]
    fn a_backlog_keeps_only_what_still_matters() {
        let account: AccountName = "main".parse().unwrap();
        let other: AccountName = "backup_1".parse().unwrap();
        let mut deferred = DeferredWrites::default();
        let put = |deferred: &mut DeferredWrites, account: &AccountName, change| {
            deferred.put(Deferred::Updates(SaveUpdateState::new(
                account.clone(),
                change,
                Timestamp::default(),
            )));
        };
        for pts in 0..3 {
            put(&mut deferred, &account, UpdateChange::Primary { pts, date: 0, seq: 0 });
            put(&mut deferred, &account, UpdateChange::Channel { id: 1, pts });
            put(&mut deferred, &account, UpdateChange::Channel { id: 2, pts });
            put(&mut deferred, &other, UpdateChange::Secondary { qts: pts });
        }
        let kept: Vec<UpdateChange> = deferred.changes.iter().filter_map(change_of).collect();
        assert_eq!(
            kept,
            [
                UpdateChange::Primary { pts: 2, date: 0, seq: 0 },
                UpdateChange::Channel { id: 1, pts: 2 },
                UpdateChange::Channel { id: 2, pts: 2 },
                UpdateChange::Secondary { qts: 2 },
            ]
        );
        let all = UpdateChange::All(UpdateState {
            pts: 9,
            qts: 9,
            date: 9,
            seq: 9,
            channels: Vec::new(),
            saved_at: Timestamp::default(),
        });
        put(&mut deferred, &account, all.clone());
        let kept: Vec<UpdateChange> = deferred.changes.iter().filter_map(change_of).collect();
        assert_eq!(kept, [UpdateChange::Secondary { qts: 2 }, all]);
        assert_eq!(deferred.take().count(), 2);
        assert!(deferred.is_empty());
    }
}
