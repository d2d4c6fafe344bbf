//! The backups of a program that runs: made when they are due and when someone asks, one at a time, each tried at once.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ambient::{Clock, Handle};
use config::BackupSettings;
use domain::Timestamp;
use store::{MasterKey, Store};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::copies::CopiesView;
use super::destination::Destination;
use super::drills::DrillsView;
use super::due::due;
use super::folder::{Folder, There};
use super::history::{Attempt, AttemptBy, History, Proof};
use super::keep::{self, Retention};
use super::making::{BackupError, Making, in_background};
use super::name::BackupName;
use super::proof;

/// How often it is looked whether one is due.
pub(super) const LOOK_EVERY: Duration = Duration::from_mins(1);

/// What backups are made of.
pub struct BackupParts {
    pub store: Store,
    pub clock: Clock,
    pub data_dir: PathBuf,
    /// How often, how many, where.
    pub settings: BackupSettings,
    /// What secrets in the database are sealed with; drills open a backup with it.
    pub master_key: MasterKey,
    /// The version of this program.
    pub version: &'static str,
    /// Whether no server runs: this process only serves one command.
    pub at_rest: bool,
}

/// Backups of a data directory. Cheap to clone.
#[derive(Clone)]
pub struct Backups(pub(super) Handle<Inner>);

pub(super) struct Inner {
    pub(super) parts: BackupParts,
    plan: Mutex<Arc<Plan>>,
    pub(super) folder: Folder,
    doing: Mutex<Option<Doing>>,
    /// What became of backups, once it was read: it counts also where it cannot be written.
    history: Mutex<Option<History>>,
    /// Held while the history is written, so that the newest is written last.
    writing: Mutex<()>,
    /// Something was done: there may be a backup to be copied.
    pub(super) made: Notify,
    pub(super) stopping: CancellationToken,
    pub(super) tasks: TaskTracker,
    /// One drill at a time.
    pub(super) drilling: Arc<Semaphore>,
}

/// What the settings say, and the destination of copies that they name; an error when they name none that can be used.
pub(super) struct Plan {
    pub(super) settings: BackupSettings,
    pub(super) destination: Result<Option<Destination>, String>,
}

impl Plan {
    fn new(settings: BackupSettings, data_dir: &Path) -> Arc<Self> {
        let destination = Destination::of(&settings.copy, data_dir).map_err(|error| error.to_string());
        Arc::new(Self { settings, destination })
    }

    const fn retention(&self) -> Retention {
        Retention { most: self.settings.keep, age: self.settings.keep_for }
    }

    /// What is kept at the destination.
    pub(super) const fn copy_retention(&self) -> Retention {
        Retention { most: self.settings.copy.keep, age: self.settings.copy.keep_for }
    }
}

/// What is done now; one thing at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Doing {
    Making(BackupName, AttemptBy),
    Proving(BackupName),
    /// Something is written down.
    Noting,
}

#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackupState {
    /// It is being made.
    Making,
    /// It came to nothing.
    Failed,
    /// It is there, and no one has tried it.
    Unproven,
    /// It is being tried.
    Proving,
    /// Its last trial found nothing wrong.
    Proven,
    /// Its last trial found something wrong.
    Broken,
}

domain::enum_words!(BackupState);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupView {
    pub name: BackupName,
    /// When it was made, or is being made.
    pub made_at: Timestamp,
    pub state: BackupState,
    /// Its size, in bytes, when it is there.
    pub bytes: Option<u64>,
    /// When it was last found to be whole.
    pub proven_at: Option<Timestamp>,
    /// What is wrong, or why it could not be tried.
    pub wrong: Option<String>,
}

/// All of it at a glance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupStatus {
    pub folder: PathBuf,
    /// How often one is made; zero: never by itself.
    pub every: Duration,
    pub keep: usize,
    /// How old they may become; zero: any age.
    pub keep_for: Duration,
    /// When the next one is due.
    pub next_at: Option<Timestamp>,
    /// The newest first.
    pub backups: Vec<BackupView>,
    /// Copies elsewhere; nothing where none are made.
    pub copies: Option<CopiesView>,
    pub drills: DrillsView,
}

/// What is in trouble with backups, for alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Troubles {
    /// Why the last attempt to make one failed.
    pub making: Option<String>,
    /// Where copies are made: why there is none of the newest one.
    pub copying: Option<Option<String>>,
    /// Where drills take place: why the last one failed.
    pub drill: Option<Option<String>>,
}

impl Backups {
    /// Backups of a data directory; none is made before [`Backups::start`], or when someone asks.
    pub fn new(parts: BackupParts) -> Self {
        let folder = Folder::new(parts.data_dir.join(&parts.settings.folder));
        let plan = Plan::new(parts.settings.clone(), &parts.data_dir);
        Self(Handle::new(Inner {
            plan: Mutex::new(plan),
            parts,
            folder,
            doing: Mutex::default(),
            history: Mutex::default(),
            writing: Mutex::default(),
            made: Notify::new(),
            stopping: CancellationToken::new(),
            tasks: TaskTracker::new(),
            drilling: Arc::new(Semaphore::new(1)),
        }))
    }

    /// What is done from now on. What is under way goes on as it was begun.
    pub fn reload(&self, settings: &BackupSettings) {
        let plan = Plan::new(settings.clone(), &self.0.parts.data_dir);
        *self.0.plan.lock().unwrap_or_else(PoisonError::into_inner) = plan;
        self.0.made.notify_one();
    }

    pub(super) fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.0.plan.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes them when they are due, copies them elsewhere, and drills.
    pub fn start(&self) {
        let (making, copying, drilling) = (self.clone(), self.clone(), self.clone());
        self.0.tasks.spawn(self.0.stopping.clone().run_until_cancelled_owned(async move {
            making.keep_making().await;
        }));
        // What it has begun there, it removes before it ends.
        let stopping = self.0.stopping.clone();
        self.0.tasks.spawn(async move { copying.keep_copying(&stopping).await });
        self.0.tasks.spawn(self.0.stopping.clone().run_until_cancelled_owned(async move {
            drilling.keep_drilling().await;
        }));
    }

    /// Ends what is done now: half a backup is none.
    pub async fn stop(&self, limit: Duration) {
        self.0.stopping.cancel();
        self.0.tasks.close();
        if tokio::time::timeout(limit, self.0.tasks.wait()).await.is_err() {
            tracing::warn!("a backup did not end in time; what it left is removed before the next one");
        }
    }

    /// Begins to make one; [`Backups::get`] shows how it is.
    ///
    /// # Errors
    /// [`BackupError::Busy`], or the program is stopping.
    pub fn begin(&self, by: AttemptBy) -> Result<BackupName, BackupError> {
        let at = self.0.parts.clock.now();
        let name = BackupName::of(at);
        let turn = self.take_turn(Doing::Making(name.clone(), by))?;
        let (backups, made) = (self.clone(), name.clone());
        self.0.tasks.spawn(async move {
            backups.make(&made, at, by).await;
            drop(turn);
        });
        Ok(name)
    }

    /// Begins to try one; [`Backups::get`] shows how it is.
    ///
    /// # Errors
    /// [`BackupError::Busy`], there is none of this name, or the program is stopping.
    pub async fn check(&self, name: BackupName) -> Result<(), BackupError> {
        if !self.list().await?.iter().any(|there| there.name == name) {
            return Err(BackupError::Unknown { folder: self.0.folder.path().to_owned() });
        }
        let turn = self.take_turn(Doing::Proving(name.clone()))?;
        let backups = self.clone();
        self.0.tasks.spawn(async move {
            backups.prove(&name).await;
            drop(turn);
        });
        Ok(())
    }

    /// One of them.
    ///
    /// # Errors
    /// There is none of this name, or the folder cannot be read.
    pub async fn get(&self, name: &BackupName) -> Result<BackupView, BackupError> {
        let found = self.status().await?.backups.into_iter().find(|backup| backup.name == *name);
        found.ok_or_else(|| BackupError::Unknown { folder: self.0.folder.path().to_owned() })
    }

    /// Opens the file of one to be read; the file, and its size in bytes. Who reads it has all of it, also when it is removed
    /// meanwhile.
    ///
    /// # Errors
    /// There is none of this name, or it cannot be read.
    pub async fn open(&self, name: &BackupName) -> Result<(File, u64), BackupError> {
        let (folder, path) = (self.0.folder.path().to_owned(), self.0.folder.file(name));
        in_background(move || {
            let opened = || {
                // Nothing but a file is opened: a pipe of this name would keep its reader waiting.
                let is_file = fs::metadata(&path)?.is_file();
                let file = if is_file { File::open(&path)? } else { return Err(ErrorKind::NotFound.into()) };
                let bytes = file.metadata()?.len();
                Ok((file, bytes))
            };
            opened().map_err(|source: io::Error| match source.kind() {
                ErrorKind::NotFound => BackupError::Unknown { folder },
                _ => BackupError::Folder { folder, source },
            })
        })
        .await
    }

    /// All of them, and when the next one is due.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub async fn status(&self) -> Result<BackupStatus, BackupError> {
        // In this order: what ends meanwhile is in the history then.
        let doing = self.doing().clone();
        let there = self.list().await?;
        let history = self.history().await;
        let BackupSettings { every, keep, keep_for, .. } = self.plan().settings;
        Ok(BackupStatus {
            folder: self.0.folder.path().to_owned(),
            every,
            keep,
            keep_for,
            next_at: due(&history, every, self.0.parts.clock.now()),
            backups: views(&there, &history, doing.as_ref()),
            copies: self.copies(&history),
            drills: self.drills(&history, there.last().map(|there| &there.name)),
        })
    }

    /// What is in trouble.
    pub async fn troubles(&self) -> Troubles {
        let history = self.history().await;
        let drills = !self.plan().settings.drill_every.is_zero();
        let copies = self.copies(&history);
        Troubles {
            making: history.failing().and_then(|failed| failed.came.clone().err()),
            copying: copies.map(|copies| copies.failing.map(|failing| failing.why)),
            drill: drills.then(|| history.drills.last().and_then(|last| last.came.clone().err())),
        }
    }

    pub(super) async fn list(&self) -> Result<Vec<There>, BackupError> {
        let folder = self.0.folder.clone();
        in_background(move || {
            folder.list().map_err(|source| BackupError::Folder { folder: folder.path().to_owned(), source })
        })
        .await
    }

    pub(super) async fn history(&self) -> History {
        if let Some(known) = self.cached_history().clone() {
            return known;
        }
        let (folder, now) = (self.0.folder.clone(), self.0.parts.clock.now());
        let reading = tokio::task::spawn_blocking(move || folder.history(now));
        let read = reading.await.unwrap_or_else(|_| History::begun(now));
        self.cached_history().get_or_insert(read).clone()
    }

    pub(super) fn cached_history(&self) -> MutexGuard<'_, Option<History>> {
        self.0.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers what became of something, and writes it down.
    pub(super) async fn remember(&self, change: impl FnOnce(&mut History)) {
        let read = self.history().await;
        change(self.cached_history().get_or_insert(read));
        let backups = self.clone();
        let kept = in_background(move || {
            let folder = &backups.0.folder;
            let failed = |source| BackupError::Folder { folder: folder.path().to_owned(), source };
            let _writing = backups.0.writing.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(history) = backups.cached_history().clone() else { return Ok(()) };
            folder.create().map_err(failed)?;
            folder.keep(&history).map_err(failed)
        });
        if let Err(error) = kept.await {
            tracing::warn!(%error, "what became of a backup is not written down");
        }
    }

    /// The backup that is made or tried now.
    pub(super) fn busy(&self) -> Option<BackupName> {
        match &*self.doing() {
            Some(Doing::Making(name, _) | Doing::Proving(name)) => Some(name.clone()),
            Some(Doing::Noting) | None => None,
        }
    }

    fn doing(&self) -> MutexGuard<'_, Option<Doing>> {
        self.0.doing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take_turn(&self, what: Doing) -> Result<Turn, BackupError> {
        if self.0.stopping.is_cancelled() {
            return Err(BackupError::Stopping);
        }
        let mut doing = self.doing();
        if doing.is_some() {
            return Err(BackupError::Busy);
        }
        *doing = Some(what);
        Ok(Turn(self.clone()))
    }

    async fn keep_making(&self) {
        // From now on there is something to make backups of.
        if let Ok(turn) = self.take_turn(Doing::Noting) {
            self.remember(|_| ()).await;
            drop(turn);
        }
        loop {
            let (every, now) = (self.plan().settings.every, self.0.parts.clock.now());
            let next = due(&self.history().await, every, now);
            if next.is_some_and(|next| next <= now) {
                // Someone may be at it; it is looked again soon.
                let _ = self.begin(AttemptBy::Schedule);
            }
            self.0.parts.clock.sleep(LOOK_EVERY).await;
        }
    }

    async fn make(&self, name: &BackupName, at: Timestamp, by: AttemptBy) {
        let Inner { parts, folder, stopping, .. } = &*self.0;
        let &BackupParts { ref store, ref data_dir, version, at_rest, .. } = parts;
        let making = Making { store, data_dir, folder, version, at_rest, stopping };
        let made = making.make(name, at).await;
        if let Err(BackupError::Stopping) = made {
            return;
        }
        let came = match &made {
            Ok(bytes) => {
                tracing::info!(backup = %name, bytes, "a backup was made");
                Ok(*bytes)
            }
            Err(error) => {
                tracing::error!(%error, "no backup was made");
                Err(error.to_string())
            }
        };
        let attempt = Attempt { name: name.clone(), at, by, came, proof: None, untried: None };
        self.remember(|history| history.add(attempt)).await;
        if made.is_ok() {
            *self.doing() = Some(Doing::Proving(name.clone()));
            self.prove(name).await;
            self.remove_surplus().await;
        }
    }

    async fn prove(&self, name: &BackupName) {
        let Inner { parts, folder, stopping, .. } = &*self.0;
        let at = || parts.clock.now();
        let trial = match proof::prove(&parts.store, folder, name, stopping).await {
            Ok(Ok(_)) => Ok(Proof { at: at(), wrong: None }),
            Ok(Err(wrong)) => {
                tracing::error!(backup = %name, wrong, "a backup is broken");
                Ok(Proof { at: at(), wrong: Some(wrong) })
            }
            Err(BackupError::Stopping) => return,
            Err(error) => {
                tracing::warn!(backup = %name, %error, "a backup could not be tried");
                Err(error.to_string())
            }
        };
        let bytes =
            self.list().await.ok().and_then(|there| {
                there.into_iter().find(|there| there.name == *name).map(|there| there.bytes)
            });
        self.remember(|history| history.prove(name, bytes.unwrap_or_default(), trial)).await;
    }

    async fn remove_surplus(&self) {
        let Ok(there) = self.list().await else { return };
        let history = self.history().await;
        let proven: Vec<_> = history.proven().map(|(attempt, _)| attempt.name.clone()).collect();
        let names: Vec<_> = there.into_iter().map(|there| there.name).collect();
        let folder = self.0.folder.clone();
        let now = self.0.parts.clock.now();
        let surplus = keep::surplus(&names, &proven, self.plan().retention(), now);
        let removed = tokio::task::spawn_blocking(move || {
            for name in surplus {
                match fs::remove_file(folder.file(&name)) {
                    Ok(()) => tracing::info!(backup = %name, "an old backup was removed"),
                    Err(error) => tracing::warn!(backup = %name, %error, "an old backup cannot be removed"),
                }
            }
        });
        let _ = removed.await;
    }
}

/// The right to make or try something; given back when dropped.
pub(super) struct Turn(Backups);

impl Drop for Turn {
    fn drop(&mut self) {
        *self.0.doing() = None;
        // There may be one more to be copied.
        self.0.0.made.notify_one();
    }
}

/// How each is. Pure.
fn views(there: &[There], history: &History, doing: Option<&Doing>) -> Vec<BackupView> {
    let mut views: Vec<BackupView> = there.iter().rev().map(|there| view(there, history)).collect();
    if let Some(failed) = history.failing() {
        let wrong = failed.came.as_ref().err().cloned();
        views.push(BackupView {
            name: failed.name.clone(),
            made_at: failed.at,
            state: BackupState::Failed,
            bytes: None,
            proven_at: None,
            wrong,
        });
    }
    match doing {
        Some(Doing::Making(name, _)) => {
            // Its file may be there for a moment before its trial begins.
            views.retain(|view| view.name != *name);
            views.push(BackupView {
                name: name.clone(),
                made_at: name.made_at(),
                state: BackupState::Making,
                bytes: None,
                proven_at: None,
                wrong: None,
            });
        }
        Some(Doing::Proving(name)) => {
            let tried = views.iter_mut().filter(|view| view.name == *name && view.bytes.is_some());
            tried.for_each(|view| view.state = BackupState::Proving);
        }
        Some(Doing::Noting) | None => {}
    }
    views.sort_by(|one, other| other.name.cmp(&one.name));
    views
}

fn view(there: &There, history: &History) -> BackupView {
    let attempt = history.attempts.iter().rev().find(|attempt| attempt.name == there.name);
    let proof = attempt.and_then(|attempt| attempt.proof.as_ref());
    let untried = attempt.and_then(|attempt| attempt.untried.as_ref());
    let broken = proof.and_then(|proof| proof.wrong.clone());
    BackupView {
        name: there.name.clone(),
        made_at: there.name.made_at(),
        state: match proof {
            Some(_) if broken.is_some() => BackupState::Broken,
            Some(_) if untried.is_none() => BackupState::Proven,
            Some(_) | None => BackupState::Unproven,
        },
        bytes: Some(there.bytes),
        proven_at: proof.filter(|_| broken.is_none()).map(|proof| proof.at),
        wrong: broken.or_else(|| untried.map(|why| format!("it could not be tried: {why}"))),
    }
}
