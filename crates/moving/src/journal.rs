//! The journal of a move: a file in the data directory of each side, the same on both, on the disk before a step and after it.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ambient::regular_file;
use domain::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Fence, Side};

use crate::progress::{Direction, Progress};
use crate::step::{Role, Step};

/// The folder of a data directory that belongs to moves.
pub const FOLDER: &str = "move";

const FILE: &str = "journal.json";

/// The largest that is read, in bytes.
const LARGEST: u64 = 16 << 20;

/// A journal that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the journal of the move, {}: {source}", file.display())]
pub struct JournalError {
    file: PathBuf,
    /// What the system says.
    source: io::Error,
}

impl From<JournalError> for io::Error {
    fn from(error: JournalError) -> Self {
        Self::new(error.source.kind(), error)
    }
}

/// One move, as far as it is known to a side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Journal {
    /// Of two moves the one with the later id is the later one.
    pub id: String,
    pub old: Side,
    pub new: Side,
    /// The fence with which the old side holds the sessions; giving up takes the next number, giving back the one after.
    pub number: i64,
    pub progress: Progress,
    /// What the owner chose, as the program that runs the sides understands it.
    #[serde(default)]
    pub choices: Value,
    #[serde(default)]
    pub records: BTreeMap<Step, Record>,
    /// Why it was turned back.
    #[serde(default)]
    pub why_back: Option<String>,
}

/// What is known of one step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub begun_at: Option<Timestamp>,
    pub done_at: Option<Timestamp>,
    /// What it found or did. Never a secret.
    #[serde(default)]
    pub facts: Value,
}

impl Journal {
    pub fn begin(&mut self, step: Step, at: Timestamp) {
        self.progress.begin(step);
        let record = self.records.entry(step).or_default();
        record.begun_at = record.begun_at.or(Some(at));
    }

    pub fn end(&mut self, step: Step, facts: Value, at: Timestamp) {
        self.progress.end(step);
        let record = self.records.entry(step).or_default();
        record.done_at = Some(at);
        record.facts = facts;
    }

    /// What a step found or did.
    pub fn facts(&self, step: Step) -> &Value {
        self.records.get(&step).map_or(&Value::Null, |record| &record.facts)
    }

    /// The side in a role.
    pub fn side(&self, role: Role) -> &Side {
        match role {
            Role::Old => &self.old,
            Role::New => &self.new,
        }
    }

    /// The fence with which the old side holds the sessions before the move.
    pub fn fence_before(&self) -> Fence {
        self.fence(self.number, Role::Old, None)
    }

    /// The fence that gives the sessions to the new side.
    pub fn fence_there(&self) -> Fence {
        self.fence(self.number + 1, Role::New, self.records.get(&Step::GiveUp))
    }

    /// The fence that gives them back.
    pub fn fence_back(&self) -> Fence {
        let step = if self.progress.is_begun(Step::Place) { Step::GiveBack } else { Step::Renounce };
        self.fence(self.number + 2, Role::Old, self.records.get(&step))
    }

    fn fence(&self, number: i64, holder: Role, record: Option<&Record>) -> Fence {
        Fence {
            number,
            holder: self.side(holder).clone(),
            giver: self.side(holder.other()).clone(),
            at: record.and_then(|record| record.begun_at).unwrap_or_default(),
        }
    }

    /// The largest number of its fences.
    pub fn last_number(&self) -> i64 {
        self.number + 2
    }
}

/// What both sides know of the same move.
///
/// Of two different moves the later one counts: the earlier one was over before it began.
pub fn merged(one: Option<Journal>, other: Option<Journal>) -> Option<Journal> {
    let (Some(one), Some(other)) = (&one, &other) else { return one.or(other) };
    if one.id != other.id {
        return Some(if one.id > other.id { one.clone() } else { other.clone() });
    }
    let mut records = one.records.clone();
    for (step, record) in &other.records {
        let known = records.entry(*step).or_default();
        if known.done_at.is_none() && record.done_at.is_some() {
            *known = record.clone();
        } else {
            known.begun_at = known.begun_at.or(record.begun_at);
        }
    }
    Some(Journal {
        progress: one.progress.together(&other.progress),
        records,
        why_back: one.why_back.clone().or_else(|| other.why_back.clone()),
        ..one.clone()
    })
}

/// The journal of a data directory, if it took part in a move. Blocks.
///
/// # Errors
/// It cannot be read.
pub fn read(data_dir: &Path) -> Result<Option<Journal>, JournalError> {
    let file = data_dir.join(FOLDER).join(FILE);
    let failed = |source| JournalError { file: file.clone(), source };
    let mut text = String::new();
    match regular_file::open(&file).and_then(|file| file.take(LARGEST).read_to_string(&mut text)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(failed)?,
    };
    serde_json::from_str(&text).map(Some).map_err(|error| failed(error.into()))
}

/// Reads a journal that was written apart. Blocks.
pub(crate) fn read_from(file: &Path) -> io::Result<Journal> {
    let mut text = String::new();
    File::open(file)?.take(LARGEST).read_to_string(&mut text)?;
    Ok(serde_json::from_str(&text)?)
}

/// Writes a journal beside something else: a receipt, which is no secret. Blocks.
pub(crate) fn write_to(file: &Path, journal: &Journal) -> io::Result<()> {
    fs::write(file, serde_json::to_vec_pretty(journal)?)
}

/// Writes the journal of a data directory; it is on the disk then, whole. Blocks.
///
/// # Errors
/// It cannot be written; the one before is still there.
pub fn write(data_dir: &Path, journal: &Journal) -> Result<(), JournalError> {
    let folder = data_dir.join(FOLDER);
    let file = folder.join(FILE);
    let write = || {
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let fresh = folder.join(format!("{FILE}.new"));
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        made.write_all(&serde_json::to_vec_pretty(journal)?)?;
        made.sync_all()?;
        fs::rename(&fresh, &file)?;
        File::open(&folder)?.sync_all()
    };
    write().map_err(|source| JournalError { file: file.clone(), source })
}

impl Journal {
    /// A move that has not begun.
    pub fn new(id: String, old: Side, new: Side, number: i64) -> Self {
        Self {
            id,
            old,
            new,
            number,
            progress: Progress::default(),
            choices: Value::Null,
            records: BTreeMap::new(),
            why_back: None,
        }
    }

    pub fn is_back(&self) -> bool {
        self.progress.direction == Direction::Back
    }
}
