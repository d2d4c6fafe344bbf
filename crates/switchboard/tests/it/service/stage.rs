//! A systemd of the test's own, as the first process of namespaces of its own; the machine's own is left alone.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::binary;

/// Whether a systemd can be run here; says so where it cannot.
pub(super) fn can_be() -> bool {
    let Some(why) = lacks() else { return true };
    testkit::not_tried(&format!(
        "systemd cannot be run here ({why}). What stands in for it: the units are read by `systemd-analyze verify` and \
         `security`, and are installed with a stand-in for `systemctl` (tests of the crate systemd)."
    ));
    false
}

/// What a stage is made with, of the packages `util-linux` and `systemd`; `cargo xtask test` installs them.
const TOOLS: [&str; 4] = ["/usr/bin/unshare", "/usr/bin/nsenter", "/usr/bin/setpriv", "/lib/systemd/systemd"];

/// Runs it.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/systemd/stage.sh");

/// A running systemd. It ends with everything on it when this is dropped.
pub(super) struct Stage {
    unshare: Child,
    /// The first process of the stage, as this machine numbers it.
    first: u32,
    folder: TempDir,
}

/// Why there can be no stage here, if there can be none.
fn lacks() -> Option<String> {
    for tool in TOOLS {
        assert!(
            Path::new(tool).exists(),
            "there is no {tool}; install it: apt-get install --no-install-recommends util-linux systemd"
        );
    }
    // Root in a container has not always what it takes.
    let folder = tempfile::tempdir().expect("a folder");
    let script = "set -e; mount --make-rprivate /; d=$0; mount -t tmpfs tmpfs $d; mkdir $d/u $d/w $d/r; \
                  mount -t overlay overlay -o lowerdir=/,upperdir=$d/u,workdir=$d/w $d/r; \
                  mount -t proc proc $d/r/proc; mount -t sysfs -o ro sysfs $d/r/sys; \
                  mount -t cgroup2 cgroup2 $d/r/sys/fs/cgroup; \
                  test -w $(awk '$3 == \"cgroup2\" { print $2; exit }' /proc/mounts)/cgroup.procs";
    let tried = Command::new("unshare")
        .args(["--mount", "--pid", "--fork", "--uts", "--ipc", "--cgroup", "sh", "-c", script])
        .arg(folder.path())
        .output();
    match tried {
        Ok(tried) if tried.status.success() => None,
        Ok(tried) => Some(format!("no namespaces: {}", String::from_utf8_lossy(&tried.stderr).trim())),
        Err(error) => Some(format!("no namespaces: {error}")),
    }
}

impl Stage {
    /// With these settings and a master key below `/etc/switchboard`.
    pub(super) async fn start(settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let given = folder.path().join("settings");
        fs::create_dir(&given).expect("a folder");
        fs::write(given.join("switchboard.toml"), settings).expect("written");
        fs::write(given.join("master.key"), "07".repeat(32)).expect("written");
        let log = fs::File::create(folder.path().join("log")).expect("a log");
        let unshare = Command::new(SCRIPT)
            .arg("begin")
            .args([folder.path(), binary(), &given])
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .expect("starts");
        let mut stage = Self { unshare, first: 0, folder };
        stage.until("systemd runs", Self::is_booted).await;
        stage
    }

    /// Whether a systemd runs that is another than the one before.
    fn is_booted(&mut self) -> bool {
        let Some(first) = child(self.unshare.id()).and_then(child).filter(|first| *first != self.first)
        else {
            return false;
        };
        let before = std::mem::replace(&mut self.first, first);
        let runs = self.run(&["systemctl", "is-active", "--quiet", "stage.target"]).status.success();
        if !runs {
            self.first = before;
        }
        runs
    }

    /// Boots it once more on the same files: after a shutdown in order, or as after a failure of the power.
    pub(super) async fn boot_again(&mut self, in_order: bool) {
        fs::write(self.folder.path().join("again"), "").expect("written");
        if in_order {
            // It may be gone before it has answered.
            self.says(&["systemctl", "reboot"]);
        } else {
            let killed = Command::new("kill").args(["-KILL", &self.first.to_string()]).status();
            assert!(killed.expect("kill runs").success());
        }
        self.until("it is booted again", Self::is_booted).await;
    }

    /// Overwrites the settings.
    pub(super) fn settings(&self, settings: &str) {
        let file = self.folder.path().join("settings/switchboard.toml");
        fs::write(file, settings).expect("written");
    }

    /// The command that leads to the program on it, as a side of a move.
    pub(super) fn side(&self) -> String {
        format!(
            "exec:nsenter --target {} --mount --pid --uts --ipc --cgroup --root --wd=/ env -i \
             PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin switchboard",
            self.first
        )
    }

    /// The control socket of the service there.
    pub(super) fn control(&self) -> std::path::PathBuf {
        format!("/proc/{}/root/var/lib/private/switchboard/control.sock", self.first).into()
    }

    /// A file of this machine that is below `/etc/switchboard` there.
    pub(super) fn given(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join("settings").join(name)
    }

    /// Runs a command on the stage, as root.
    pub(super) fn run(&self, command: &[&str]) -> Output {
        Command::new("nsenter")
            .args(["--target", &self.first.to_string()])
            .args(["--mount", "--pid", "--uts", "--ipc", "--cgroup", "--root", "--wd=/", "env", "-i"])
            .arg("PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .args(command)
            .stdin(Stdio::null())
            .output()
            .expect("nsenter runs")
    }

    /// What a command says, on either of its outputs.
    pub(super) fn says(&self, command: &[&str]) -> String {
        let ran = self.run(command);
        [ran.stdout, ran.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat()
    }

    /// The same of one that must go well.
    pub(super) fn fine(&self, command: &[&str]) -> String {
        let ran = self.run(command);
        let output =
            [ran.stdout, ran.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        assert!(ran.status.success(), "{command:?}: {output}\n{}", self.log());
        output
    }

    /// What the stage and its service manager said.
    fn log(&self) -> String {
        let early = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        early + &self.says(&["journalctl", "--no-pager", "--quiet", "--lines=100"])
    }

    /// Waits until something is so.
    pub(super) async fn until(&mut self, what: &str, mut so: impl FnMut(&mut Self) -> bool) {
        for _ in 0..1200 {
            if so(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("in vain: {what}: {}", self.log());
    }
}

/// The one process that another has started, if there is one, as this machine numbers it.
fn child(pid: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Its namespaces end with the first process; `--kill-child` sees to that.
        let _ = self.unshare.kill();
        let _ = self.unshare.wait();
        // Waits until the last of its processes has gone.
        let _ = Command::new(SCRIPT).arg("end").arg(self.folder.path()).status();
    }
}
