//! The machine of an old Python installation: this one, or another that `ssh` leads to. Nothing of ours has to be there, only `systemctl`,
//! `find`, `tar` and a shell.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, DirBuilder};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use systemd::Systemd;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::target::Target;
use crate::terminal::WrongUsage;

/// How long a command there may take, and the copying of its files.
const COMMAND: Duration = Duration::from_mins(2);
const COPY: Duration = Duration::from_hours(1);

/// The largest registry that is written back, in bytes.
const LARGEST: u64 = 1 << 30;

/// Where the old installation is.
pub(super) enum OldMachine {
    Here,
    /// The words that lead to a shell there.
    Beyond(Vec<String>),
}

impl OldMachine {
    /// By the name that was given: `ssh://USER@HOST[:PORT]`, or nothing for this machine.
    pub(super) fn of(name: Option<&str>) -> Result<Self, WrongUsage> {
        let Some(name) = name else { return Ok(Self::Here) };
        match name.parse::<Target>()? {
            Target::Ssh { host, port, data_dir: None } => Ok(Self::Beyond(Target::ssh(&host, port))),
            _ => Err(WrongUsage(format!("{name:?} is no old machine; write ssh://USER@HOST[:PORT]"))),
        }
    }

    pub(super) fn manager(&self) -> Systemd {
        match self {
            Self::Here => Systemd::of_machine(),
            Self::Beyond(words) => Systemd::beyond(words.iter().map(OsString::from)),
        }
    }

    pub(super) fn is_here(&self) -> bool {
        matches!(self, Self::Here)
    }

    /// A session that a process there has open, and who has it.
    pub(super) async fn open_session(&self, paths: &[PathBuf]) -> anyhow::Result<Option<(PathBuf, String)>> {
        let Self::Beyond(_) = self else {
            let paths = paths.to_vec();
            let look = move || {
                let snapshot = machine::Snapshot::take(&machine::Root::default(), &paths);
                let mut open = snapshot.sessions.into_iter();
                let found = open.find(|(file, _)| paths.iter().any(|path| file.starts_with(path)))?;
                Some((found.0, format!("{:?}", found.1)))
            };
            return Ok(tokio::task::spawn_blocking(look).await?);
        };
        // Processes come and go meanwhile.
        let listed = self
            .shell("find /proc/[0-9]*/fd -maxdepth 1 -type l -printf '%p %l\\n' 2>/dev/null; true")
            .await?;
        let listed = String::from_utf8_lossy(&listed);
        Ok(listed.lines().filter_map(|line| line.split_once(' ')).find_map(|(descriptor, file)| {
            let file = Path::new(file);
            let is_it = paths.iter().any(|path| file.starts_with(path));
            let pid = descriptor.split('/').nth(2).unwrap_or_default();
            is_it.then(|| (file.to_owned(), format!("[{pid}]")))
        }))
    }

    /// Copies files and folders of another machine below a folder of this one, which only its owner can read.
    pub(super) async fn fetch(&self, paths: &BTreeSet<PathBuf>, to: &Path) -> anyhow::Result<()> {
        let Self::Beyond(words) = self else { return Ok(()) };
        let _ = fs::remove_dir_all(to);
        DirBuilder::new().recursive(true).mode(0o700).create(to)?;
        let named: Vec<String> =
            paths.iter().map(|path| doctor::quoted(path.strip_prefix("/").unwrap_or(path))).collect();
        let mut sending = command(words, &format!("tar -C / -cf - -- {}", named.join(" ")));
        let mut sending = sending.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let from: Stdio = sending.stdout.take().context("no output")?.try_into()?;
        let receiving = Command::new("tar")
            .args(["--no-same-owner", "--no-same-permissions", "-C"])
            .arg(to)
            .args(["-xf", "-"])
            .stdin(from)
            .kill_on_drop(true)
            .output();
        let (sent, received) =
            tokio::time::timeout(COPY, async { tokio::join!(sending.wait_with_output(), receiving) })
                .await
                .context("the files of the old machine do not come to an end")?;
        for ran in [sent?, received.context("the program `tar`")?] {
            ensure!(
                ran.status.success(),
                "the files of the old machine cannot be copied: {}",
                String::from_utf8_lossy(&ran.stderr).trim()
            );
        }
        // What has been copied are secrets.
        let mut folders = vec![to.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                let kind = entry.file_type()?;
                if kind.is_dir() {
                    fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o700))?;
                    folders.push(entry.path());
                } else if kind.is_file() {
                    fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o600))?;
                }
            }
        }
        Ok(())
    }

    /// What a file there holds; nothing where it is none.
    pub(super) async fn read(&self, file: &Path) -> anyhow::Result<Option<Vec<u8>>> {
        match self {
            Self::Here if !file.is_file() => Ok(None),
            Self::Here => Ok(Some(fs::read(file)?)),
            Self::Beyond(_) => {
                let file = doctor::quoted(file);
                let read =
                    self.shell(&format!("[ ! -f {file} ] || {{ echo; head -c {LARGEST} {file}; }}")).await?;
                Ok(read.strip_prefix(b"\n").map(<[u8]>::to_vec))
            }
        }
    }

    /// Writes a file that is there; what it was stays beside it. Its owner and its mode stay.
    pub(super) async fn write(&self, file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
        match self {
            Self::Here => {
                let kept = file.with_extension("before-hand-back");
                fs::copy(file, kept)?;
                let mut opened = fs::OpenOptions::new().write(true).truncate(true).open(file)?;
                opened.write_all(bytes)?;
                Ok(opened.sync_all()?)
            }
            Self::Beyond(words) => {
                let (kept, file) =
                    (doctor::quoted(&file.with_extension("before-hand-back")), doctor::quoted(file));
                let script = format!("cp -p {file} {kept} && cat > {file} && sync {file}");
                let mut started =
                    command(words, &script).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
                let mut to = started.stdin.take().context("no input")?;
                let written = async {
                    to.write_all(bytes).await?;
                    drop(to);
                    started.wait_with_output().await
                };
                let ran = tokio::time::timeout(COPY, written).await.context("it does not end")??;
                ensure!(ran.status.success(), "{file}: {}", String::from_utf8_lossy(&ran.stderr).trim());
                Ok(())
            }
        }
    }

    async fn shell(&self, script: &str) -> anyhow::Result<Vec<u8>> {
        let Self::Beyond(words) = self else { bail!("this machine needs no shell") };
        let ran = tokio::time::timeout(COMMAND, command(words, script).output()).await;
        let ran = ran.context("the old machine does not answer")??;
        ensure!(ran.status.success(), "the old machine: {}", String::from_utf8_lossy(&ran.stderr).trim());
        Ok(ran.stdout)
    }
}

/// A script for the shell that these words lead to.
fn command(words: &[String], script: &str) -> Command {
    let mut command = Command::new(words.first().map(String::as_str).unwrap_or_default());
    command.args(words.iter().skip(1)).arg(script).stdin(Stdio::null()).kill_on_drop(true);
    command
}
