//! Installing and uninstalling, with a command in the place of `systemctl` that writes down what it was asked.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::{Account, InstallError, Plan, Systemd, SystemdError, UnitOptions};
use tempfile::TempDir;

/// A machine: a folder of units, and a service manager that believes what is reported to it.
struct Machine {
    folder: TempDir,
}

/// Keeps whether the unit is enabled and active in files, as the real one would in its memory.
const SYSTEMCTL: &str = r#"#!/bin/sh
here=$(dirname "$0")
echo "$*" >> "$here/asked"
case "$1" in
  enable) echo enabled > "$here/at_boot" ;;
  start|restart) echo active > "$here/state" ;;
  disable) rm -f "$here/at_boot" "$here/state" ;;
  show)
    echo "LoadState=loaded"
    echo "ActiveState=$(cat "$here/state" 2>/dev/null || echo inactive)"
    echo "UnitFileState=$(cat "$here/at_boot" 2>/dev/null || echo disabled)"
    ;;
esac
"#;

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["units", "booted"] {
            fs::create_dir(folder.path().join(name)).expect("made");
        }
        let command = folder.path().join("systemctl");
        fs::write(&command, SYSTEMCTL).expect("written");
        fs::set_permissions(&command, fs::Permissions::from_mode(0o755)).expect("made a program");
        Self { folder }
    }

    fn manager(&self) -> Systemd {
        let at = |name: &str| self.folder.path().join(name);
        Systemd::at(at("units"), at("systemctl"), at("booted"))
    }

    /// What the service manager was asked to change since the last look.
    fn calls(&self) -> Vec<String> {
        let file = self.folder.path().join("asked");
        let calls = fs::read_to_string(&file).unwrap_or_default();
        fs::write(&file, "").expect("written");
        calls.lines().filter(|line| !line.starts_with("show")).map(str::to_owned).collect()
    }

    fn unit(&self, name: &str) -> PathBuf {
        self.folder.path().join("units").join(name)
    }
}

fn options() -> UnitOptions {
    UnitOptions {
        name: "switchboard".into(),
        program: "/usr/local/bin/switchboard".into(),
        account: Account::Dynamic,
        config: None,
        data_dir: "/var/lib/switchboard".into(),
        master_key: None,
        credentials: Vec::new(),
        environment: None,
        memory_max: Some("512M".into()),
    }
}

#[tokio::test]
async fn it_is_written_enabled_and_started_once() {
    let machine = Machine::new();
    let manager = machine.manager();
    let plan = Plan::make(&options(), &manager).expect("a plan");
    assert!(plan.files.iter().all(|file| !file.exists && file.diff.starts_with('+')));
    assert!(
        machine.calls().is_empty() && !machine.unit("switchboard.service").exists(),
        "a plan changes nothing"
    );
    let done = plan.carry_out(&manager, false).await.expect("done");
    assert!(done.wrote && done.started);
    assert_eq!(
        machine.calls(),
        ["daemon-reload", "enable -- switchboard.service", "start -- switchboard.service"]
    );
    for unit in ["switchboard.service", "switchboard-alert@.service"] {
        let mode = fs::metadata(machine.unit(unit)).expect("the unit").permissions().mode() & 0o777;
        assert_eq!(mode, 0o644, "{unit}");
    }
    // Again: nothing is changed, nothing is restarted.
    let plan = Plan::make(&options(), &manager).expect("a plan");
    assert!(!plan.changes());
    let done = plan.carry_out(&manager, false).await.expect("done");
    assert!(!done.wrote && !done.started && machine.calls().is_empty());
    // With another limit: the difference is shown, and the service restarted.
    let plan =
        Plan::make(&UnitOptions { memory_max: Some("1G".into()), ..options() }, &manager).expect("a plan");
    assert_eq!(plan.files[0].diff, "-MemoryMax=512M\n+MemoryMax=1G\n");
    plan.carry_out(&manager, false).await.expect("done");
    assert_eq!(machine.calls(), ["daemon-reload", "restart -- switchboard.service"]);
}

#[tokio::test]
async fn it_may_be_started_at_boot_alone() {
    let machine = Machine::new();
    let plan = Plan::make(&options(), &machine.manager()).expect("a plan");
    let done = plan.carry_out(&machine.manager(), true).await.expect("done");
    assert!(done.wrote && !done.started);
    assert_eq!(machine.calls(), ["daemon-reload", "enable -- switchboard.service"]);
}

#[tokio::test]
async fn a_unit_of_someone_else_is_left_alone() {
    let machine = Machine::new();
    let theirs = machine.unit("switchboard.service");
    fs::write(&theirs, "[Service]\nExecStart=/opt/other\n").expect("written");
    let refused = Plan::make(&options(), &machine.manager()).expect_err("refused");
    assert!(matches!(&refused, InstallError::Foreign(file) if *file == theirs), "{refused}");
    assert!(refused.to_string().contains("--name"), "{refused}");
    let refused = machine.manager().uninstall("switchboard").await.expect_err("refused");
    assert!(matches!(refused, InstallError::Foreign(_)));
    assert!(machine.calls().is_empty() && theirs.exists());
}

#[tokio::test]
async fn it_goes_as_it_came_and_its_data_stay() {
    let machine = Machine::new();
    let manager = machine.manager();
    Plan::make(&options(), &manager).expect("a plan").carry_out(&manager, false).await.expect("done");
    machine.calls();
    let gone = manager.uninstall("switchboard").await.expect("gone");
    assert_eq!(gone.removed.len(), 2);
    assert_eq!(machine.calls(), ["disable --now -- switchboard.service", "daemon-reload"]);
    assert!(!machine.unit("switchboard.service").exists());
    let again = manager.uninstall("switchboard").await.expect("nothing to do");
    assert!(again.removed.is_empty() && machine.calls().is_empty());
}

#[tokio::test]
async fn install_without_a_service_manager_writes_nothing() {
    let machine = Machine::new();
    fs::remove_dir(machine.folder.path().join("booted")).expect("removed");
    let plan = Plan::make(&options(), &machine.manager()).expect("a plan can be shown anywhere");
    let refused = plan.carry_out(&machine.manager(), false).await.expect_err("refused");
    assert!(matches!(refused, InstallError::Systemd(SystemdError::NoSystemd)));
    assert!(refused.to_string().contains("--print"), "{refused}");
    assert!(!machine.unit("switchboard.service").exists());
}

#[tokio::test]
async fn a_refusal_of_the_service_manager_is_quoted() {
    let machine = Machine::new();
    let command = machine.folder.path().join("systemctl");
    fs::write(&command, "#!/bin/sh\necho 'Access denied' >&2\nexit 4\n").expect("written");
    let plan = Plan::make(&options(), &machine.manager()).expect("a plan");
    let refused = plan.carry_out(&machine.manager(), false).await.expect_err("refused").to_string();
    assert_eq!(refused, "`systemctl daemon-reload` failed: Access denied");
}
