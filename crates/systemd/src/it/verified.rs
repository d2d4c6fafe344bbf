//! The units as systemd itself reads them: no word of them is unknown to it, and they leave little to attack.

use std::fs;
use std::process::{Command, Output};

use crate::{Account, Plan, Systemd, UnitOptions};
use tempfile::TempDir;

/// The units in a folder, for a program that is there.
fn written(account: Account, data_dir: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("master.key");
    fs::write(&key, "").expect("written");
    let options = UnitOptions {
        name: "switchboard".into(),
        program: "/bin/true".into(),
        account,
        config: Some("/etc/hostname".into()),
        data_dir: data_dir.into(),
        master_key: Some(key),
        credentials: Vec::new(),
        environment: None,
        memory_max: Some("512M".into()),
    };
    let nowhere = folder.path().join("nowhere");
    let manager = Systemd::at(folder.path().to_owned(), nowhere.clone(), nowhere);
    for file in Plan::make(&options, &manager).expect("a plan").files {
        fs::write(&file.file, file.text).expect("written");
    }
    folder
}

/// Asks systemd about the units of a folder. A machine without it cannot say whether they are right, so that fails.
fn analyze(folder: &TempDir, arguments: &[&str]) -> Output {
    let path = format!("{}:", folder.path().display());
    let ran = Command::new("systemd-analyze").env("SYSTEMD_UNIT_PATH", path).args(arguments).output();
    ran.unwrap_or_else(|error| {
        panic!("systemd-analyze cannot be run ({error}); install it: apt-get install --no-install-recommends systemd")
    })
}

fn printed(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn systemd_knows_every_word_of_them() {
    for (account, data_dir) in
        [(Account::Dynamic, "/var/lib/switchboard"), (Account::Named("root".into()), "/srv/switchboard")]
    {
        let folder = written(account, data_dir);
        for unit in ["switchboard.service", "switchboard-alert@switchboard.service.service"] {
            let verified = analyze(&folder, &["verify", "--man=no", "--recursive-errors=no", unit]);
            // It also warns of units of the machine, which are not ours.
            let about_ours: Vec<_> = printed(&verified)
                .lines()
                .filter(|line| line.contains("switchboard"))
                .map(str::to_owned)
                .collect();
            assert!(verified.status.success() && about_ours.is_empty(), "{unit}: {}", printed(&verified));
        }
    }
}

#[test]
fn systemd_finds_them_safe() {
    let folder = written(Account::Dynamic, "/var/lib/switchboard");
    for unit in ["switchboard.service", "switchboard-alert@.service"] {
        let file = folder.path().join(unit);
        // An exposure of 2.0 of 10 or more would fail.
        let security = analyze(
            &folder,
            &["security", "--offline=true", "--threshold=20", "--no-pager", file.to_str().expect("UTF-8")],
        );
        assert!(security.status.success(), "{unit}: {}", printed(&security));
    }
}

#[test]
fn a_word_that_systemd_does_not_know_would_be_found() {
    let folder = written(Account::Dynamic, "/var/lib/switchboard");
    let file = folder.path().join("switchboard.service");
    let text = fs::read_to_string(&file).expect("the unit").replace("RestartSec=", "RestartSecs=");
    fs::write(&file, text).expect("written");
    let verified = analyze(&folder, &["verify", "--man=no", "--recursive-errors=no", "switchboard.service"]);
    assert!(printed(&verified).contains("RestartSecs"), "{}", printed(&verified));
}
