//! What became of backups: kept beside them, so that the doctor knows of those that were moved elsewhere too.

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use super::copying::Passed;
use super::name::BackupName;

/// The most attempts that are remembered.
const MOST: usize = 200;

/// The most copies that are remembered: more than the settings keep.
const MOST_COPIES: usize = 600;

/// The most drills that are remembered.
const MOST_DRILLS: usize = 20;

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
    /// The copies elsewhere, in the order in which they were made.
    #[serde(default)]
    pub copies: Vec<Copied>,
    /// Why there is no copy of the newest one, as long as that is so.
    #[serde(default)]
    pub uncopied: Option<Uncopied>,
    /// Drills, the newest last.
    #[serde(default)]
    pub drills: Vec<Drill>,
}

/// A copy of a backup elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    pub name: BackupName,
    /// Where: a folder, or `s3://bucket/prefix`.
    pub to: String,
    pub at: Timestamp,
    /// Its size there, in bytes.
    pub bytes: u64,
    /// The hash of what was written there, in hexadecimal digits.
    pub sha256: String,
    pub encrypted: bool,
}

impl Copied {
    /// Whether what was read is what was written.
    pub(crate) fn is(&self, read: &Passed) -> bool {
        (self.bytes, &self.sha256) == (read.bytes, &read.sha256)
    }
}

/// Attempts to copy, of which none came to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uncopied {
    /// What was to be copied last.
    pub name: BackupName,
    pub to: String,
    /// When the first of them failed.
    pub since: Timestamp,
    /// When the last of them did.
    pub at: Timestamp,
    pub attempts: u32,
    /// Why.
    pub why: String,
}

/// A restore for practice, in a temporary folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drill {
    /// When it ended.
    pub at: Timestamp,
    /// The backup that it was of.
    pub name: BackupName,
    pub of: DrillOf,
    /// How many rows the database had, or what is wrong.
    pub came: Result<u64, String>,
}

/// What a drill was of.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum DrillOf {
    /// The backup in its folder.
    Backup,
    /// Its copy, which was fetched.
    Copy,
    /// Its encrypted copy, which was fetched and compared with what was written there; the backup itself was restored.
    EncryptedCopy,
}

domain::enum_words!(DrillOf);

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
    /// Why a later trial did not take place: it says nothing of the backup.
    #[serde(default)]
    pub untried: Option<String>,
}

/// Who asked for a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptBy {
    /// `backup.every`.
    Schedule,
    Person,
}

/// A backup was unpacked, and its database opened with the key and read through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    pub at: Timestamp,
    pub wrong: Option<String>,
}

/// This data directory was put back from a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    pub at: Timestamp,
    /// When the backup was made.
    pub made_at: Timestamp,
}

impl History {
    pub const fn begun(since: Timestamp) -> Self {
        Self {
            since,
            attempts: Vec::new(),
            restored: None,
            copies: Vec::new(),
            uncopied: None,
            drills: Vec::new(),
        }
    }

    /// Remembers an attempt. Of several in a row that came to nothing only the last is kept.
    pub fn add(&mut self, attempt: Attempt) {
        let again = |last: &mut Attempt| last.came.is_err() && attempt.came.is_err();
        self.attempts.pop_if(again);
        self.attempts.push(attempt);
        self.forget_surplus();
    }

    /// Remembers a trial, or why none took place. A backup that was made elsewhere, or is not remembered, takes its place
    /// among the others by its name.
    pub fn prove(&mut self, name: &BackupName, bytes: u64, trial: Result<Proof, String>) {
        let known = self.attempts.iter().rposition(|attempt| attempt.name == *name && attempt.came.is_ok());
        let place = known.unwrap_or_else(|| {
            let at = name.made_at();
            let earlier = self.attempts.iter().rposition(|attempt| attempt.at <= at);
            let place = earlier.map_or(0, |place| place + 1);
            let (by, came) = (AttemptBy::Person, Ok(bytes));
            self.attempts
                .insert(place, Attempt { name: name.clone(), at, by, came, proof: None, untried: None });
            place
        });
        if let Some(attempt) = self.attempts.get_mut(place) {
            match trial {
                Ok(proof) => (attempt.proof, attempt.untried) = (Some(proof), None),
                Err(why) => attempt.untried = Some(why),
            }
        }
        self.forget_surplus();
    }

    /// Forgets the oldest, but neither the newest that came to be nor the newest that was proven.
    fn forget_surplus(&mut self) {
        while self.attempts.len() > MOST {
            let newest = self.newest().map(|attempt| attempt.name.clone());
            let proven = self.proven().next_back().map(|(attempt, _)| attempt.name.clone());
            let spared = |name: &BackupName| Some(name) == newest.as_ref() || Some(name) == proven.as_ref();
            let oldest = self.attempts.iter().position(|attempt| !spared(&attempt.name));
            self.attempts.remove(oldest.unwrap_or_default());
        }
    }

    /// Remembers a copy.
    pub fn copied(&mut self, copied: Copied) {
        self.copies.retain(|other| (&other.name, &other.to) != (&copied.name, &copied.to));
        self.copies.push(copied);
        let surplus = self.copies.len().saturating_sub(MOST_COPIES);
        self.copies.drain(..surplus);
        self.uncopied = None;
    }

    /// Remembers that a copy came to nothing.
    pub fn not_copied(&mut self, name: &BackupName, to: &str, at: Timestamp, why: String) {
        let before = self.uncopied.take().filter(|before| before.to == to);
        self.uncopied = Some(Uncopied {
            name: name.clone(),
            to: to.to_owned(),
            since: before.as_ref().map_or(at, |before| before.since),
            at,
            attempts: before.map_or(1, |before| before.attempts.saturating_add(1)),
            why,
        });
    }

    /// Forgets a copy that was removed.
    pub fn forget_copy(&mut self, name: &BackupName, to: &str) {
        self.copies.retain(|copied| (&copied.name, copied.to.as_str()) != (name, to));
    }

    /// Remembers a drill.
    pub fn drilled(&mut self, drill: Drill) {
        self.drills.push(drill);
        let surplus = self.drills.len().saturating_sub(MOST_DRILLS);
        self.drills.drain(..surplus);
    }

    /// The copies at a destination.
    pub fn copies_at<'a>(&'a self, to: &'a str) -> impl DoubleEndedIterator<Item = &'a Copied> {
        self.copies.iter().filter(move |copied| copied.to == to)
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
        Attempt { name: BackupName::of(at), at, by: AttemptBy::Schedule, came, proof: None, untried: None }
    }

    #[test]
    fn the_last_failure_counts_until_a_backup_succeeds() {
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
        history.prove(&mine, 10, Ok(Proof { wrong: Some("torn".to_owned()), ..fine.clone() }));
        assert_eq!(history.proven().count(), 0);
        history.prove(&mine, 10, Ok(fine.clone()));
        history.prove(&other, 20, Ok(fine));
        assert_eq!(history.proven().map(|(one, _)| one.name.clone()).collect::<Vec<_>>(), [mine, other]);
    }

    #[test]
    fn one_that_comes_from_elsewhere_is_as_old_as_it_is() {
        let mut history = History::begun(Timestamp::default());
        history.add(attempt(100, Ok(10)));
        let fine = Proof { at: Timestamp::from_micros(200_000_000), wrong: None };
        history.prove(&attempt(7, Ok(0)).name, 10, Ok(fine));
        assert_eq!(history.newest().map(|one| one.at.as_seconds()), Some(100));
        history.prove(&attempt(100, Ok(0)).name, 10, Err("the disk is full".to_owned()));
        assert_eq!(history.newest().and_then(|one| one.untried.as_deref()), Some("the disk is full"));
    }

    #[test]
    fn failures_for_weeks_push_out_nothing_that_came_to_be() {
        let mut history = History::begun(Timestamp::default());
        history.add(attempt(1, Ok(10)));
        history.prove(&attempt(1, Ok(0)).name, 10, Ok(Proof { at: Timestamp::default(), wrong: None }));
        history.add(attempt(2, Ok(10)));
        for second in 3..1000 {
            history.add(attempt(second, Err("there is too little room".to_owned())));
            history.add(attempt(second, if second % 5 == 0 { Ok(1) } else { Err("again".to_owned()) }));
        }
        assert_eq!(history.proven().count(), 1);
        assert!(history.newest().is_some_and(|newest| newest.at.as_seconds() == 995));
        assert!(history.attempts.len() <= MOST);
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
