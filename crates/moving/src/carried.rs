//! A move without a line: each side goes through its own steps, and a person carries a bundle between them.
//!
//! The side that packs has given the sessions up before the bundle is there. Until a bundle comes back it does not take them again.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ambient::Clock;
use domain::{ExposeSecret, SecretText};
use serde_json::{Value, json};
use store::Side;

use crate::audit::{Audit, Objection, judge};
use crate::bundle::{self, BundleError, Head, Ticket};
use crate::conducting::{Tell, sentences};
use crate::files;
use crate::journal::{self, FOLDER, Journal};
use crate::ownership::adopt_journal;
use crate::parcel::recipient;
use crate::progress::{Direction, Retired};
use crate::record::{RECORD, record};
use crate::serving::{Failed, Order, Performer};
use crate::step::{Role, Step};

/// The key that bundles for this side are encrypted to, and where one goes back to.
pub const KEY: &str = "bundle.key";
const BACK_TO: &str = "bundle.back";

/// Why a carried move does not go on. Giving the command again takes it up.
#[derive(Debug, thiserror::Error)]
pub enum CarriedError {
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// Nothing was changed.
    #[error("the move cannot begin: {}", sentences(.0))]
    Objections(Vec<Objection>),
    #[error("{}: {failed}", step.title())]
    Failed {
        step: Step,
        /// What it said.
        failed: Failed,
    },
    #[error(transparent)]
    Retired(#[from] Retired),
    #[error("{0}")]
    NotThis(String),
    #[error("{}: {source}", file.display())]
    File {
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It was undone here, and has to be carried back.
    #[error(
        "{why}; this side gave the sessions back: carry {} to the other side and give `switchboard move unpack` there",
        back.display()
    )]
    Back { why: String, back: PathBuf },
    /// It was undone.
    #[error("the move was undone: {0}")]
    Undone(String),
}

/// One side of a carried move.
pub struct Carrier<'a, P> {
    data_dir: PathBuf,
    side: Side,
    performer: &'a mut P,
    clock: Clock,
    tell: Box<Tell<'a>>,
}

impl<'a, P: Performer> Carrier<'a, P> {
    pub fn new(
        data_dir: PathBuf,
        side: Side,
        performer: &'a mut P,
        clock: Clock,
        tell: Box<Tell<'a>>,
    ) -> Self {
        Self { data_dir, side, performer, clock, tell }
    }

    fn folder(&self) -> PathBuf {
        self.data_dir.join(FOLDER)
    }

    fn file_error(&self, source: io::Error) -> CarriedError {
        CarriedError::File { file: self.folder(), source }
    }

    fn known(&self) -> Result<Option<Journal>, CarriedError> {
        journal::read(&self.data_dir).map_err(|error| self.file_error(error.into()))
    }

    /// The ticket of the side that is to receive. It has a key of its own from now on.
    ///
    /// # Errors
    /// See [`CarriedError`].
    pub async fn ticket(&mut self, choices: Value) -> Result<Ticket, CarriedError> {
        if let Some(journal) = self.known()?.filter(|journal| !journal.progress.is_over()) {
            return Err(not_over(&journal));
        }
        let mut audit_journal = Journal::new(String::new(), self.side.clone(), self.side.clone(), 0);
        audit_journal.choices = choices;
        let facts = self.request_facts(Step::AuditNew, &audit_journal, json!({})).await?;
        let audit: Audit = serde_json::from_value(facts).map_err(|error| self.file_error(error.into()))?;
        self.make_folder()?;
        store::side_of(&self.data_dir, || self.side.clone())
            .map_err(|error| self.file_error(io::Error::other(error)))?;
        let number = store::remembered_fence(&self.data_dir)
            .map_err(|error| self.file_error(io::Error::other(error)))?
            .map_or(0, |fence| fence.number)
            .max(self.known()?.as_ref().map_or(0, Journal::last_number));
        let recipient = self.key()?;
        Ok(Ticket { side: self.side.clone(), recipient, number, audit })
    }

    /// Makes a key for bundles that come here; the public part.
    fn key(&self) -> Result<String, CarriedError> {
        let made = recipient();
        self.keep(KEY, made.secret.expose_secret())?;
        self.keep(&format!("{KEY}.public"), &made.public)?;
        Ok(made.public)
    }

    /// The public part of the key that there is.
    fn public_key(&self) -> Result<String, CarriedError> {
        match fs::read_to_string(self.folder().join(format!("{KEY}.public"))) {
            Ok(key) => Ok(key),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.key(),
            Err(error) => Err(self.file_error(error)),
        }
    }

    fn keep(&self, name: &str, text: &str) -> Result<(), CarriedError> {
        self.make_folder()?;
        let file = self.folder().join(name);
        let write = || {
            match fs::remove_file(&file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file)?;
            made.write_all(text.as_bytes())?;
            made.sync_all()
        };
        write().map_err(|error| self.file_error(error))
    }

    /// Forgets its keys: a bundle that was made for them opens nowhere any more.
    fn forget_keys(&self) -> Result<(), CarriedError> {
        for name in [KEY.to_owned(), format!("{KEY}.public"), BACK_TO.to_owned()] {
            match fs::remove_file(self.folder().join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(self.file_error(error)),
                _ => {}
            }
        }
        Ok(())
    }

    /// The old side: prepares, stops, gives the sessions up and writes the bundle. Without a bundle what fails is undone.
    ///
    /// # Errors
    /// See [`CarriedError`].
    pub async fn pack(
        &mut self,
        ticket: &Ticket,
        to: &Path,
        id: String,
        choices: Value,
    ) -> Result<Journal, CarriedError> {
        let known = self.known()?;
        let number = store::remembered_fence(&self.data_dir)
            .map_err(|error| self.file_error(io::Error::other(error)))?
            .map_or(0, |fence| fence.number)
            .max(known.as_ref().map_or(0, Journal::last_number))
            .max(ticket.number)
            + 1;
        let mut journal = match known {
            Some(journal)
                if journal.old.id == self.side.id
                    && journal.new.id == ticket.side.id
                    && !journal.is_back() =>
            {
                journal
            }
            Some(journal) if !journal.progress.is_over() => return Err(not_over(&journal)),
            _ => Journal::new(id, self.side.clone(), ticket.side.clone(), number),
        };
        if journal.progress.is_begun(Step::Retire) {
            return Err(Retired.into());
        }
        let may_be_out = journal.progress.is_begun(Step::TransferRest);
        journal.choices = choices;
        let facts = self.request_facts(Step::AuditOld, &journal, Value::Null).await?;
        let old: Audit =
            serde_json::from_value(facts.clone()).map_err(|error| self.file_error(error.into()))?;
        // The ticket is as old as the time that it was carried, and its side never shares a server with this one at a time.
        let new = Audit { at: old.at, ..ticket.audit.clone() };
        let objections =
            judge(&old, &new, journal.choices["unit"].is_string(), journal.progress.is_begun(Step::Stop));
        if !objections.is_empty() {
            return Err(CarriedError::Objections(objections));
        }
        let packed = self.packed(&mut journal, ticket, to, facts).await;
        let Err(error) = packed else { return Ok(journal) };
        if may_be_out || to.exists() || !journal.progress.is_begun(Step::Stop) {
            return Err(error);
        }
        // No bundle is there, so no other side can open the sessions.
        journal.progress.turn_back()?;
        journal.why_back = Some(error.to_string());
        for step in journal.progress.rollback_steps().iter().filter(|step| step.role() == Role::Old) {
            self.step(&mut journal, *step, Value::Null).await?;
        }
        self.forget_keys()?;
        Err(CarriedError::Undone(error.to_string()))
    }

    async fn packed(
        &mut self,
        journal: &mut Journal,
        ticket: &Ticket,
        to: &Path,
        audited: Value,
    ) -> Result<(), CarriedError> {
        if !journal.progress.is_begun(Step::Stop) {
            let at = self.clock.now();
            journal.begin(Step::AuditOld, at);
            journal.end(Step::AuditOld, audited, at);
            journal.begin(Step::AuditNew, at);
            journal.end(Step::AuditNew, serde_json::to_value(&ticket.audit).unwrap_or_default(), at);
            self.write_journal(journal)?;
        }
        self.all(journal, &[Step::FirstBackup]).await?;
        let sealed =
            self.request_facts(Step::Environment, journal, json!({ "recipient": ticket.recipient })).await?;
        self.all(journal, &[Step::Stop, Step::LastBackup, Step::GiveUp]).await?;
        // The new side puts it in place, and does so by its own journal.
        let mut given = journal.clone();
        let record = given.records.entry(Step::Environment).or_default();
        record.facts = json!({ "parcel": sealed["what"] });
        journal.records.insert(Step::Environment, record.clone());
        self.write_journal(journal)?;
        given.choices = journal.choices.clone();
        let back_to = self.public_key()?;
        // From here on there may be a bundle: a later call that fails does not take the sessions back.
        journal.begin(Step::TransferRest, self.clock.now());
        self.write_journal(journal)?;
        let head = Head {
            journal: given,
            sealed: sealed["sealed"].as_str().map(str::to_owned),
            back_to,
            files: Vec::new(),
        };
        self.write_bundle(head, true, to, &ticket.recipient).await
    }

    async fn write_bundle(
        &mut self,
        mut head: Head,
        with_files: bool,
        to: &Path,
        recipient: &str,
    ) -> Result<(), CarriedError> {
        let (data_dir, but) = (self.data_dir.clone(), self.performer.settings_file());
        let (file, recipient) = (to.to_owned(), recipient.to_owned());
        let write = move || {
            if with_files {
                head.files = files::list(&data_dir, but.as_deref())
                    .map_err(|source| BundleError::File { file: data_dir.clone(), source })?;
            }
            bundle::write(&file, &head, with_files.then_some(data_dir.as_path()), &recipient)
        };
        let bytes = tokio::task::spawn_blocking(write)
            .await
            .map_err(|error| self.file_error(io::Error::other(error)))??;
        (self.tell)(Step::Transfer, &format!("{} MB, in {}", bytes.div_ceil(1 << 20), to.display()));
        Ok(())
    }

    /// The side that a bundle is for: the new one goes on with the move, the old one takes its sessions back.
    ///
    /// # Errors
    /// See [`CarriedError`].
    pub async fn unpack(&mut self, from: &Path) -> Result<Journal, CarriedError> {
        let known = self.known()?;
        let secret = match fs::read_to_string(self.folder().join(KEY)) {
            Ok(secret) => SecretText::from(secret),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(CarriedError::NotThis(
                    "this side waits for no bundle: it gave no ticket, or the move is over".to_owned(),
                ));
            }
            Err(error) => return Err(self.file_error(error)),
        };
        let (file, data_dir, own) = (from.to_owned(), self.data_dir.clone(), self.side.clone());
        let placed = known
            .as_ref()
            .is_some_and(|journal| journal.progress.is_begun(Step::Place) && !journal.is_back());
        let read = move || {
            bundle::read::<CarriedError>(&file, &secret, &data_dir, |head| {
                wanted(head, &own, known.as_ref())?;
                if placed {
                    return Err(CarriedError::NotThis(String::new()));
                }
                Ok(())
            })
        };
        let head = tokio::task::spawn_blocking(read)
            .await
            .map_err(|error| self.file_error(io::Error::other(error)))?;
        let head = match head {
            // It was unpacked before a kill: what is in place stays.
            Err(CarriedError::NotThis(why)) if why.is_empty() => None,
            head => Some(head?),
        };
        match head {
            Some(head) if head.journal.is_back() => self.take_back(head).await,
            Some(head) => self.take(head, from).await,
            None => {
                let mut journal = self
                    .known()?
                    .ok_or_else(|| CarriedError::NotThis("no move was begun here".to_owned()))?;
                self.go_on(&mut journal, from).await?;
                Ok(journal)
            }
        }
    }

    async fn take(&mut self, head: Head, from: &Path) -> Result<Journal, CarriedError> {
        let mut journal = head.journal;
        store::remember_fence(&self.data_dir, &journal.fence_before())
            .map_err(|error| self.file_error(io::Error::other(error)))?;
        self.keep(BACK_TO, &head.back_to)?;
        let at = self.clock.now();
        for step in [Step::Transfer, Step::TransferRest] {
            journal.begin(step, at);
            journal.end(step, json!({ "files": head.files.len() }), at);
        }
        journal.begin(Step::Environment, at);
        self.write_journal(&journal)?;
        let parcel = journal.facts(Step::Environment)["parcel"].clone();
        let given = json!({ "sealed": head.sealed, "key": KEY });
        let placed = self.request_facts(Step::Environment, &journal, given).await;
        let placed = match placed {
            Ok(placed) => placed,
            Err(error) => return Err(self.give_back(&mut journal, from, &error).await),
        };
        journal.end(Step::Environment, json!({ "parcel": parcel, "placed": placed }), self.clock.now());
        self.write_journal(&journal)?;
        self.go_on(&mut journal, from).await?;
        Ok(journal)
    }

    /// What is left to do on the new side.
    async fn go_on(&mut self, journal: &mut Journal, from: &Path) -> Result<(), CarriedError> {
        const STEPS: [Step; 8] = [
            Step::Check,
            Step::Install,
            Step::Place,
            Step::Start,
            Step::Open,
            Step::Validate,
            Step::Monitor,
            Step::Compare,
        ];
        match self.all(journal, &STEPS).await {
            Ok(()) => {}
            Err(error) => return Err(self.give_back(journal, from, &error).await),
        }
        let receipt = beside(from, "receipt");
        journal::write_to(&receipt, journal).map_err(|source| CarriedError::File { file: receipt, source })
    }

    /// The new side failed: it gives the sessions back in a bundle beside the one that came.
    async fn give_back(&mut self, journal: &mut Journal, from: &Path, error: &CarriedError) -> CarriedError {
        let back = beside(from, "back");
        match self.pack_back(journal, &back, &error.to_string()).await {
            Ok(()) => CarriedError::Back { why: error.to_string(), back },
            Err(also) => CarriedError::NotThis(format!(
                "{error}; and it is not given back yet: {also}. Give `switchboard move pack` here"
            )),
        }
    }

    /// The new side gives the sessions back, and writes the bundle for the old one.
    ///
    /// # Errors
    /// See [`CarriedError`].
    pub async fn pack_return(&mut self, to: &Path) -> Result<Journal, CarriedError> {
        let journal = self.known()?.filter(|journal| journal.new.id == self.side.id);
        let mut journal =
            journal.ok_or_else(|| CarriedError::NotThis("no bundle was unpacked here".to_owned()))?;
        self.pack_back(&mut journal, to, "as was asked").await?;
        Ok(journal)
    }

    async fn pack_back(&mut self, journal: &mut Journal, to: &Path, why: &str) -> Result<(), CarriedError> {
        let back_to =
            fs::read_to_string(self.folder().join(BACK_TO)).map_err(|error| self.file_error(error))?;
        if journal.progress.direction == Direction::Forward {
            journal.progress.turn_back()?;
            journal.why_back = Some(why.to_owned());
            self.write_journal(journal)?;
        }
        let has_worked = journal.progress.is_begun(Step::Place);
        let steps: &[Step] = if has_worked { &[Step::StopNew, Step::GiveBack] } else { &[Step::Renounce] };
        self.all(journal, steps).await?;
        let head = Head { journal: journal.clone(), sealed: None, back_to: String::new(), files: Vec::new() };
        self.write_bundle(head, has_worked, to, &back_to).await?;
        self.all(journal, &[Step::Clear]).await?;
        match fs::remove_file(self.folder().join(KEY)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.file_error(error)),
            _ => Ok(()),
        }
    }

    async fn take_back(&mut self, head: Head) -> Result<Journal, CarriedError> {
        let mut journal = head.journal;
        let at = self.clock.now();
        let steps: &[Step] = if journal.progress.is_begun(Step::Place) {
            journal.begin(Step::TransferBack, at);
            journal.end(Step::TransferBack, json!({ "files": head.files.len() }), at);
            &[Step::PlaceBack, Step::Restart]
        } else {
            &[Step::TakeBack, Step::Restart]
        };
        self.write_journal(&journal)?;
        self.all(&mut journal, steps).await?;
        // The new side has cleared what it was brought.
        journal.end(Step::Clear, Value::Null, self.clock.now());
        self.write_journal(&journal)?;
        self.forget_keys()?;
        Ok(journal)
    }

    /// The old side is retired, by what the new one wrote when it was done.
    ///
    /// # Errors
    /// See [`CarriedError`].
    pub async fn retire(&mut self, receipt: &Path) -> Result<Journal, CarriedError> {
        let theirs = journal::read_from(receipt)
            .map_err(|source| CarriedError::File { file: receipt.to_owned(), source })?;
        let ours = self
            .known()?
            .filter(|ours| ours.id == theirs.id && ours.old.id == self.side.id && !ours.is_back());
        let is_done = theirs.progress.is_done(Step::Compare) && !theirs.is_back();
        let (Some(ours), true) = (ours, is_done) else {
            return Err(CarriedError::NotThis(format!(
                "{} says of no move of this side that it is done",
                receipt.display()
            )));
        };
        let mut journal = journal::merged(Some(ours), Some(theirs))
            .ok_or_else(|| CarriedError::NotThis("no move was begun here".to_owned()))?;
        self.all(&mut journal, &[Step::Retire]).await?;
        self.forget_keys()?;
        Ok(journal)
    }

    /// Does steps, those that were done left out.
    async fn all(&mut self, journal: &mut Journal, steps: &[Step]) -> Result<(), CarriedError> {
        for step in steps {
            if !journal.progress.is_done(*step) {
                self.step(journal, *step, Value::Null).await?;
            }
        }
        Ok(())
    }

    async fn step(&mut self, journal: &mut Journal, step: Step, given: Value) -> Result<(), CarriedError> {
        journal.begin(step, self.clock.now());
        self.write_journal(journal)?;
        (self.tell)(step, "");
        let (before, after) = step.points();
        failpoint::reach(before).await;
        let facts = self.request_facts(step, journal, given).await?;
        failpoint::reach(after).await;
        journal.end(step, facts, self.clock.now());
        self.write_journal(journal)
    }

    async fn request_facts(
        &mut self,
        step: Step,
        journal: &Journal,
        given: Value,
    ) -> Result<Value, CarriedError> {
        let order = Order { journal: journal.clone(), at: self.clock.now(), given };
        self.performer.perform(step, &order).await.map_err(|failed| CarriedError::Failed { step, failed })
    }

    fn make_folder(&self) -> Result<(), CarriedError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(self.folder());
        made.map_err(|error| self.file_error(error))
    }

    fn write_journal(&self, journal: &Journal) -> Result<(), CarriedError> {
        self.make_folder()?;
        store::side_of(&self.data_dir, || self.side.clone())
            .map_err(|error| self.file_error(io::Error::other(error)))?;
        journal::write(&self.data_dir, journal).map_err(|error| self.file_error(error.into()))?;
        fs::write(self.folder().join(RECORD), record(journal)).map_err(|error| self.file_error(error))?;
        adopt_journal(&self.data_dir).map_err(|error| self.file_error(error))
    }
}

/// Whether a bundle is for this side, and now.
fn wanted(head: &Head, own: &Side, known: Option<&Journal>) -> Result<(), CarriedError> {
    let journal = &head.journal;
    let refused = |why: String| Err(CarriedError::NotThis(why));
    let is_for = if journal.is_back() { &journal.old } else { &journal.new };
    if is_for.id != own.id {
        return refused(format!("the bundle is for {}, and this is {}", is_for.name, own.name));
    }
    match known {
        Some(known) if known.id == journal.id && !journal.is_back() && known.is_back() => {
            refused("the sessions of this bundle were given back already; make a new one".to_owned())
        }
        Some(known)
            if known.id == journal.id
                && journal.is_back()
                && known.is_back()
                && known.progress.is_done(Step::Restart) =>
        {
            refused("this side took its sessions back already".to_owned())
        }
        Some(known) if known.id != journal.id && !known.progress.is_over() => Err(not_over(known)),
        Some(known) if known.id > journal.id => refused("the bundle is of an earlier move".to_owned()),
        None if journal.is_back() => refused("no move was begun here".to_owned()),
        _ => Ok(()),
    }
}

fn not_over(journal: &Journal) -> CarriedError {
    CarriedError::NotThis(format!(
        "another move is not over: from {} to {}; end or undo that one first",
        journal.old.name, journal.new.name
    ))
}

/// A file beside a bundle.
fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".{ending}"));
    name.into()
}
