//! The server of a side: stopped and started as a service of systemd, or as a process of its own.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use ambient::Clock;
use hyper::Method;
use moving::Failed;
use rustix::process::{Pid, Signal, kill_process};
use store::OpenError;
use systemd::Systemd;

use crate::control;

/// How long a server may take to end: it drains for 10 s, twice.
const END: Duration = Duration::from_mins(2);

/// How long one may take until it answers.
const BEGIN: Duration = Duration::from_mins(2);

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(50);

/// How much of what a server that ended at once has said is shown, in bytes.
const WORDS: usize = 2_000;

/// The process that has a data directory.
pub(super) fn holder(data_dir: &Path) -> Option<u32> {
    match store::check_free(data_dir) {
        Err(OpenError::InUse { holder, .. }) => holder,
        _ => None,
    }
}

/// The words that a process was started with.
pub(super) fn started_with(pid: u32) -> Vec<String> {
    let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words = String::from_utf8_lossy(&words);
    words.trim_end_matches('\0').split('\0').map(str::to_owned).collect()
}

/// The settings file of a server, by its words or its environment; none where it has none of its own.
pub(super) fn settings_of(pid: u32) -> Option<PathBuf> {
    let words = started_with(pid);
    let mut after = words.iter().skip_while(|word| !word.starts_with("--config"));
    let named = after
        .next()
        .and_then(|word| word.strip_prefix("--config=").or_else(|| after.next().map(String::as_str)));
    let variables = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let variables = String::from_utf8_lossy(&variables);
    let from_there = variables.split('\0').find_map(|entry| entry.strip_prefix("SWITCHBOARD_CONFIG="));
    let file = named.or(from_there)?;
    let folder = fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
    Some(folder.join(file))
}

/// The service of systemd whose main process this is.
pub(super) async fn unit_of(pid: u32) -> Option<String> {
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let unit =
        groups.lines().filter_map(|line| line.rsplit('/').next()).find(|name| name.ends_with(".service"))?;
    let status = Systemd::of_machine().status(unit).await.ok()?;
    (status.pid == Some(pid)).then(|| unit.to_owned())
}

/// Ends the server of a data directory and waits until the directory is free. Where none runs nothing is done.
pub(super) async fn stop(data_dir: &Path, unit: Option<&str>, clock: &Clock) -> Result<(), Failed> {
    let deadline = clock.now().plus(END);
    let mut signalled = None;
    loop {
        let pid = match store::check_free(data_dir) {
            Ok(()) => return Ok(()),
            Err(OpenError::InUse { holder, .. }) => holder,
            Err(error) => return Err(Failed::refused(error.to_string())),
        };
        if clock.now() > deadline {
            let what = format!("the server of {} did not end within {} s", data_dir.display(), END.as_secs());
            return Err(Failed::passing(what));
        }
        if let Some(pid) = pid.filter(|pid| signalled != Some(*pid)) {
            if !started_with(pid).iter().any(|word| word == "up") {
                let what = format!("process {pid} works on {}; let it end first", data_dir.display());
                return Err(Failed::passing(what));
            }
            signalled = Some(pid);
            if let Some(unit) = unit.map(str::to_owned).or(unit_of(pid).await) {
                Systemd::of_machine()
                    .stop(&unit)
                    .await
                    .map_err(|error| Failed::refused(error.to_string()))?;
            } else {
                let process = i32::try_from(pid).ok().and_then(Pid::from_raw);
                if let Some(process) = process
                    && let Err(error) = kill_process(process, Signal::TERM)
                    && error != rustix::io::Errno::SRCH
                {
                    return Err(Failed::refused(format!("process {pid} cannot be stopped: {error}")));
                }
            }
        }
        clock.sleep(LOOK).await;
    }
}

/// How a server is started that is no service.
pub(super) struct Start<'a> {
    pub(super) data_dir: &'a Path,
    /// The words behind the program's name.
    pub(super) words: Vec<String>,
    /// Variables beside those of this process.
    pub(super) environment: Vec<(String, String)>,
}

/// Starts a service and waits until its server answers.
pub(super) async fn start_unit(data_dir: &Path, unit: &str, clock: &Clock) -> Result<(), Failed> {
    Systemd::of_machine().start(unit).await.map_err(|error| Failed::refused(error.to_string()))?;
    answers(data_dir, clock, || None).await
}

impl Start<'_> {
    /// Starts it, unless it runs, and waits until it answers. It outlives this process.
    pub(super) async fn run(self, clock: &Clock) -> Result<(), Failed> {
        let folder = self.data_dir.join(moving::FOLDER);
        let log = folder.join("up.log");
        if holder(self.data_dir).is_some() {
            return answers(self.data_dir, clock, || None).await;
        }
        let failed =
            |error: std::io::Error| Failed::refused(format!("the server cannot be started: {error}"));
        fs::create_dir_all(&folder).map_err(failed)?;
        let open = || {
            let mut options = OpenOptions::new();
            options.create(true).append(true).mode(0o600).open(&log)
        };
        let begun = fs::metadata(&log).map_or(0, |log| log.len());
        let mut child = Command::new(std::env::current_exe().map_err(failed)?)
            .args(&self.words)
            .envs(self.environment)
            .env_remove("FAILPOINT")
            .stdin(Stdio::null())
            .stdout(open().map_err(failed)?)
            .stderr(open().map_err(failed)?)
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        answers(self.data_dir, clock, move || {
            let status = child.try_wait().ok().flatten()?;
            let output = fs::read(&log).unwrap_or_default();
            let output = output.get(usize::try_from(begun).unwrap_or(0)..).unwrap_or_default();
            let output = output.get(output.len().saturating_sub(WORDS)..).unwrap_or_default();
            Some(format!("the server ended at once ({status}): {}", String::from_utf8_lossy(output).trim()))
        })
        .await
    }
}

/// Waits until the server of a data directory answers.
async fn answers(
    data_dir: &Path,
    clock: &Clock,
    mut ended: impl FnMut() -> Option<String>,
) -> Result<(), Failed> {
    let deadline = clock.now().plus(BEGIN);
    loop {
        if let Some(server) = control::find(data_dir).await
            && server.call_within(BEGIN, Method::GET, "/health/live", None).await.is_ok()
        {
            return Ok(());
        }
        if let Some(why) = ended() {
            return Err(Failed::refused(why));
        }
        if clock.now() > deadline {
            let what =
                format!("the server of {} does not answer after {} s", data_dir.display(), BEGIN.as_secs());
            return Err(Failed::refused(what));
        }
        clock.sleep(LOOK).await;
    }
}
