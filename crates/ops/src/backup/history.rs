//! What became of backups: kept beside them, so that the doctor knows of those that were moved elsewhere too.

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use super::name::BackupName;

/// The most attempts that are remembered.
const MOST: usize = 200;

/// What is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// Since when there is something to make backups of, as far as is known here.
    pub since: Timestamp,
    /// Attempts to make one, the newest last.
    #[serde(default)]
    pub attempts: Vec<Attempt>,
    /// The last time that this data directory was put back from one.
    #[serde(default)]
    pub restored: Option<Restored>,
}

/// One attempt to make a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// What it is called, or would be.
    pub name: BackupName,
    /// When it was begun.
    pub at: Timestamp,
    /// Who asked for it.
    pub by: AttemptBy,
    /// Its size, or why there is none.
    pub came: Result<u64, String>,
    /// The last trial of it.
    #[serde(default)]
    pub proof: Option<Proof>,
}

/// Who asked for a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptBy {
    /// `backup.every`.
    Schedule,
    /// Somebody.
    Person,
}

/// A backup was unpacked, and its database opened with the key and read through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// When.
    pub at: Timestamp,
    /// What is wrong with it, if something is.
    pub wrong: Option<String>,
}

/// This data directory was put back from a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// When.
    pub at: Timestamp,
    /// When the backup was made.
    pub made_at: Timestamp,
}

impl History {
    /// Nothing yet.
    pub const fn begun(since: Timestamp) -> Self {
        Self { since, attempts: Vec::new(), restored: None }
    }

    /// Remembers an attempt.
    pub fn add(&mut self, attempt: Attempt) {
        self.attempts.push(attempt);
        let surplus = self.attempts.len().saturating_sub(MOST);
        self.attempts.drain(..surplus);
    }

    /// Remembers a trial. Of a backup that was made elsewhere nothing is known but its name.
    pub fn prove(&mut self, name: &BackupName, bytes: u64, proof: Proof) {
        match self.attempts.iter_mut().rev().find(|attempt| attempt.name == *name) {
            Some(attempt) => attempt.proof = Some(proof),
            None => self.add(Attempt {
                name: name.clone(),
                at: proof.at,
                by: AttemptBy::Person,
                came: Ok(bytes),
                proof: Some(proof),
            }),
        }
    }

    /// The newest that came to be.
    pub fn newest(&self) -> Option<&Attempt> {
        self.attempts.iter().rev().find(|attempt| attempt.came.is_ok())
    }

    /// The last attempt, if it came to nothing.
    pub fn failing(&self) -> Option<&Attempt> {
        self.attempts.last().filter(|attempt| attempt.came.is_err())
    }

    /// Those whose last trial found nothing wrong.
    pub fn proven(&self) -> impl DoubleEndedIterator<Item = (&Attempt, &Proof)> {
        self.attempts.iter().filter_map(|attempt| {
            Some((attempt, attempt.proof.as_ref().filter(|proof| proof.wrong.is_none())?))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(second: i64, came: Result<u64, String>) -> Attempt {
        let at = Timestamp::from_micros(second * 1_000_000);
        Attempt { name: BackupName::of(at), at, by: AttemptBy::Schedule, came, proof: None }
    }

    #[test]
    fn what_failed_last_counts_until_one_comes_to_be() {
        let mut history = History::begun(Timestamp::default());
        assert!(history.newest().is_none() && history.failing().is_none());
        history.add(attempt(1, Ok(10)));
        history.add(attempt(2, Err("the disk is full".to_owned())));
        assert_eq!(history.newest().map(|one| one.at.as_seconds()), Some(1));
        assert_eq!(history.failing().map(|one| one.at.as_seconds()), Some(2));
        history.add(attempt(3, Ok(10)));
        assert!(history.failing().is_none());
    }

    #[test]
    fn a_trial_belongs_to_its_backup_and_the_last_one_counts() {
        let mut history = History::begun(Timestamp::default());
        history.add(attempt(1, Ok(10)));
        let (mine, other) = (attempt(1, Ok(0)).name, attempt(9, Ok(0)).name);
        let fine = Proof { at: Timestamp::default(), wrong: None };
        history.prove(&mine, 10, Proof { wrong: Some("torn".to_owned()), ..fine.clone() });
        assert_eq!(history.proven().count(), 0);
        history.prove(&mine, 10, fine.clone());
        history.prove(&other, 20, fine);
        assert_eq!(history.proven().map(|(one, _)| one.name.clone()).collect::<Vec<_>>(), [mine, other]);
    }

    #[test]
    fn only_so_many_are_remembered_and_all_reads_back() {
        let mut history = History::begun(Timestamp::default());
        for second in 0..500 {
            history.add(attempt(second, Ok(1)));
        }
        assert_eq!((history.attempts.len(), history.attempts[0].at.as_seconds()), (MOST, 300));
        let text = serde_json::to_string(&history).unwrap();
        assert_eq!(serde_json::from_str::<History>(&text).unwrap(), history);
    }
}
