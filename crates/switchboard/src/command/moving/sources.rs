//! The variables of a side: those that its server has, however it was started, and those that came with a move.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use config::References;
use moving::Failed;
use systemd::Systemd;

use super::{environment, server};

/// The master key, where it is given from outside.
pub(super) const MASTER_KEY: &str = "SWITCHBOARD_MASTER_KEY";

/// The name of the credential that is the master key.
const CREDENTIAL: &str = "master.key";

/// The variables that a server had which is no service, while it is stopped.
const VARIABLES_FILE: &str = "server.env";

pub(super) type Variables = BTreeMap<String, String>;

/// The variables of the server of a data directory; `unit` is the service that it is, or will be.
pub(super) async fn variables(data_dir: &Path, settings: &Path, unit: Option<&str>) -> Variables {
    let mut found = environment::variables(settings);
    found.extend(environment::read_variables(&variables_file(data_dir)));
    if let Some(unit) = unit {
        found.extend(of_unit(unit, settings).await);
    }
    if let Some(pid) = server::holder(data_dir) {
        found.extend(of_process(pid, settings));
    }
    found
}

/// Keeps what a server that is no service has, for the time in which it does not run.
pub(super) fn keep(data_dir: &Path, settings: &Path) -> Result<(), Failed> {
    let Some(found) = server::holder(data_dir).map(|pid| of_process(pid, settings)) else { return Ok(()) };
    let file = variables_file(data_dir);
    let write = || {
        forget(data_dir)?;
        fs::create_dir_all(data_dir.join(moving::FOLDER))?;
        let mut made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file)?;
        made.write_all(environment::lines(&found).as_bytes())?;
        made.sync_all()
    };
    write().map_err(|error: io::Error| Failed::refused(format!("{}: {error}", file.display())))
}

/// Removes it again.
pub(super) fn forget(data_dir: &Path) -> io::Result<()> {
    match fs::remove_file(variables_file(data_dir)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn variables_file(data_dir: &Path) -> PathBuf {
    data_dir.join(moving::FOLDER).join(VARIABLES_FILE)
}

/// Whether a variable is one of the program, or one that the settings refer to.
fn is_ours(name: &str, named: &[String]) -> bool {
    let is_setting = name.starts_with("SWITCHBOARD_") && !name.starts_with("SWITCHBOARD_TEST_");
    is_setting || named.iter().any(|one| one == name)
}

fn named(settings: &Path) -> Vec<String> {
    References::of(settings).map(|references| references.variables).unwrap_or_default()
}

/// What a process was started with, as far as it may be read; a credential that is the master key too.
fn of_process(pid: u32, settings: &Path) -> Variables {
    let text = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let all: Variables = text
        .split('\0')
        .filter_map(|entry| entry.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let named = named(settings);
    let mut found: Variables = all
        .iter()
        .filter(|(name, _)| is_ours(name, &named))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let given = all
        .get("CREDENTIALS_DIRECTORY")
        .and_then(|folder| fs::read_to_string(format!("/proc/{pid}/root{folder}/{CREDENTIAL}")).ok());
    if let Some(key) = given {
        found.entry(MASTER_KEY.to_owned()).or_insert_with(|| key.trim().to_owned());
    }
    found
}

/// The same of a service that does not run.
async fn of_unit(unit: &str, settings: &Path) -> Variables {
    let Ok(given) = Systemd::of_machine().given(unit).await else { return Variables::new() };
    let named = named(settings);
    let mut found: Variables = given
        .environment
        .iter()
        .flat_map(|file| environment::read_variables(file))
        .filter(|(name, _)| is_ours(name, &named))
        .collect();
    let file = given.credentials.into_iter().find(|(name, _)| name == CREDENTIAL).map(|(_, file)| file);
    if let Some(key) = file.and_then(|file| fs::read_to_string(file).ok()) {
        found.entry(MASTER_KEY.to_owned()).or_insert_with(|| key.trim().to_owned());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_others_stay_where_they_are() {
        let named = ["MAIN_API_HASH".to_owned()];
        for (name, ours) in [
            ("SWITCHBOARD_LISTEN", true),
            ("MAIN_API_HASH", true),
            ("SWITCHBOARD_TEST_POSTGRES", false),
            ("PATH", false),
            ("AWS_SECRET_ACCESS_KEY", false),
        ] {
            assert_eq!(is_ours(name, &named), ours, "{name}");
        }
    }
}
