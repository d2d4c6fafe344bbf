//! The table that an auditor would write: a row for each port of a script, and for each session that no script names.

use std::path::{Path, PathBuf};

use domain::Service;
use machine::Unit;
use serde::{Deserialize, Serialize};

use super::folder::{Contents, SessionFile};
use super::{Running, Script, StartedBy, script_of};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub port: Option<u16>,
    /// The script, relative to the folder.
    pub script: Option<String>,
    /// What it serves there.
    pub services: Vec<Service>,
    /// The account here that it is known to belong to.
    pub account: Option<String>,
    /// The applications (`api_id`) that it signs in as.
    #[serde(default)]
    pub api_ids: Vec<i32>,
    /// The session files that it uses, relative to the folder.
    pub sessions: Vec<String>,
    /// Who starts it: a unit, a process, or no one any more.
    pub started_by: String,
    pub alive: Alive,
}

/// Whether a script runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Alive {
    Yes {
        pid: u32,
    },
    /// It does, and no one looks after it.
    Orphan {
        pid: u32,
    },
    /// It is started again and again.
    CrashLoop {
        /// So often until now.
        restarts: u64,
    },
    No,
}

/// A script with everything that is known of it.
#[derive(Debug)]
pub struct ScriptRecord<'a> {
    pub file: Option<PathBuf>,
    pub script: Script,
    pub ports: Vec<u16>,
    pub unit: Option<&'a Unit>,
    pub running: Option<&'a Running>,
    /// The session files that it names or has open; those that are not there are left out.
    pub sessions: Vec<&'a SessionFile>,
    /// Those that it names and that are nowhere.
    pub missing: Vec<String>,
}

/// Puts scripts, units and processes together.
pub fn script_records<'a>(
    folder: &Path,
    contents: &'a Contents,
    units: &'a [Unit],
    running: &'a [Running],
) -> Vec<ScriptRecord<'a>> {
    let mut all: Vec<ScriptRecord<'a>> = Vec::new();
    for (file, script) in &contents.scripts {
        let unit = units.iter().find(|unit| script_of(unit).as_ref() == Some(file));
        let alive: Vec<_> = running.iter().filter(|one| one.file.as_ref() == Some(file)).collect();
        let each: Vec<Option<&Running>> =
            if alive.is_empty() { vec![None] } else { alive.into_iter().map(Some).collect() };
        for running in each {
            let unit = unit.filter(|unit| running.is_none_or(|one| started_by_unit(one) == Some(&unit.name)));
            let own = ports(script, unit, running);
            let counts = script.is_old() || unit.is_some() || running.is_some() || !own.is_empty();
            // A module that others use says nothing by itself.
            let is_run = !own.is_empty() || unit.is_some() || running.is_some() || script.speaks_telegram;
            if counts && is_run {
                all.push(together(folder, Some(file.clone()), script.clone(), own, unit, running, contents));
            }
        }
    }
    for one in running {
        if !all.iter().any(|record| record.running.map(|own| own.pid) == Some(one.pid)) {
            let ports = one.ports.clone();
            all.push(together(
                folder,
                one.file.clone(),
                one.script.clone(),
                ports,
                None,
                Some(one),
                contents,
            ));
        }
    }
    all
}

fn started_by_unit(running: &Running) -> Option<&String> {
    match &running.by {
        StartedBy::Unit(unit) => Some(unit),
        StartedBy::Orphaned | StartedBy::Process { .. } => None,
    }
}

/// Where it listens: of one that runs that is certain, of others it is what the unit or the source says.
fn ports(script: &Script, unit: Option<&Unit>, running: Option<&Running>) -> Vec<u16> {
    if let Some(running) = running.filter(|running| !running.ports.is_empty()) {
        return running.ports.clone();
    }
    let named = unit.map(command_ports).unwrap_or_default();
    if named.is_empty() { script.ports.clone() } else { named }
}

/// The ports that a unit's command names: `-b 0.0.0.0:5021`, `--port 5021`, and those of a file named with `-c`.
fn command_ports(unit: &Unit) -> Vec<u16> {
    let mut found = Vec::new();
    let mut words = unit.command.iter().peekable();
    while let Some(word) = words.next() {
        let (option, value) = match word.split_once('=') {
            Some((option, value)) => (option, Some(value.to_owned())),
            None => (word.as_str(), words.peek().map(|value| (*value).clone())),
        };
        let Some(value) = value else { continue };
        match option {
            "-b" | "--bind" | "-p" | "--port" => {
                found.extend(value.rsplit(':').next().and_then(|port| port.parse::<u16>().ok()));
            }
            "-c" | "--config" => {
                let file =
                    unit.folder.as_ref().map_or_else(|| PathBuf::from(&value), |folder| folder.join(&value));
                found.extend(Script::read(&file).unwrap_or_default().ports);
            }
            _ => {}
        }
    }
    found
}

fn together<'a>(
    folder: &Path,
    file: Option<PathBuf>,
    script: Script,
    ports: Vec<u16>,
    unit: Option<&'a Unit>,
    running: Option<&'a Running>,
    contents: &'a Contents,
) -> ScriptRecord<'a> {
    let works_in: Vec<PathBuf> = [
        running.and_then(|one| one.folder.clone()),
        unit.and_then(|unit| unit.folder.clone()),
        file.as_ref().and_then(|file| file.parent().map(Path::to_owned)),
        Some(folder.to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut sessions: Vec<&SessionFile> = Vec::new();
    let mut missing = Vec::new();
    for (name, number) in script.sessions.iter().zip(0..) {
        let mut places =
            works_in.iter().filter_map(|works_in| script.session_files(works_in).into_iter().nth(number));
        let found = places.find_map(|place| contents.sessions.iter().find(|one| one.file == place));
        match found {
            Some(found) if !sessions.contains(&found) => sessions.push(found),
            Some(_) => {}
            None => missing.push(name.clone()),
        }
    }
    for open in running.into_iter().flat_map(|one| &one.open) {
        if let Some(found) = contents.sessions.iter().find(|one| one.file == *open)
            && !sessions.contains(&found)
        {
            sessions.push(found);
        }
    }
    ScriptRecord { file, script, ports, unit, running, sessions, missing }
}

/// The rows, by port; sessions that no script names come last.
pub fn rows(
    folder: &Path,
    script_records: &[ScriptRecord<'_>],
    contents: &Contents,
    account_of: impl Fn(&ScriptRecord<'_>) -> Option<String>,
    owner_of: impl Fn(&SessionFile) -> Option<String>,
    restarts_of: impl Fn(&str) -> Option<u64>,
) -> Vec<Row> {
    let relative = |file: &Path| file.strip_prefix(folder).unwrap_or(file).display().to_string();
    let mut rows: Vec<Row> = Vec::new();
    for one in script_records {
        let restarts = one.unit.filter(|_| one.running.is_none()).and_then(|unit| restarts_of(&unit.name));
        let row = Row {
            port: None,
            script: one.file.as_deref().map(relative),
            services: one.script.services.clone(),
            account: account_of(one),
            api_ids: api_ids(one),
            sessions: one
                .sessions
                .iter()
                .map(|session| relative(&session.file))
                .chain(one.missing.iter().map(|name| format!("{name} (missing)")))
                .collect(),
            started_by: started_by(one),
            alive: alive(one.running, restarts),
        };
        if one.ports.is_empty() {
            rows.push(row.clone());
        }
        rows.extend(one.ports.iter().map(|port| Row { port: Some(*port), ..row.clone() }));
    }
    rows.sort_by(|one, other| {
        (one.port.is_none(), one.port, &one.script).cmp(&(other.port.is_none(), other.port, &other.script))
    });
    let is_named = |session: &SessionFile| script_records.iter().any(|one| one.sessions.contains(&session));
    rows.extend(contents.sessions.iter().filter(|session| !is_named(session)).map(|session| Row {
        port: None,
        script: None,
        services: Vec::new(),
        account: owner_of(session),
        api_ids: session.api_id.into_iter().collect(),
        sessions: vec![relative(&session.file)],
        started_by: String::new(),
        alive: Alive::No,
    }));
    rows
}

/// What the script names, and what its sessions were signed in with.
pub fn api_ids(one: &ScriptRecord<'_>) -> Vec<i32> {
    let of_sessions = one.sessions.iter().filter_map(|session| session.api_id);
    let mut all: Vec<i32> = one.script.api_ids.iter().copied().chain(of_sessions).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn started_by(one: &ScriptRecord<'_>) -> String {
    match (one.running.map(|running| &running.by), one.unit) {
        (Some(StartedBy::Unit(unit)), _) => unit.clone(),
        (Some(StartedBy::Orphaned), _) => "none (orphan)".to_owned(),
        (Some(StartedBy::Process { pid, name }), _) => format!("{name} ({pid})"),
        (None, Some(unit)) => unit.name.clone(),
        (None, None) => String::new(),
    }
}

fn alive(running: Option<&Running>, restarts: Option<u64>) -> Alive {
    match (running, restarts) {
        (Some(one), _) if one.by == StartedBy::Orphaned => Alive::Orphan { pid: one.pid },
        (Some(one), _) => Alive::Yes { pid: one.pid },
        (None, Some(restarts)) => Alive::CrashLoop { restarts },
        (None, None) => Alive::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ports_of_a_unit_stand_in_its_command() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("gunicorn.conf.py"), "bind = '0.0.0.0:5024'").expect("written");
        let ports_of = |command: &str| {
            let command = command.split(' ').map(str::to_owned).collect();
            command_ports(&Unit { command, folder: Some(folder.path().to_owned()), ..Unit::default() })
        };
        assert_eq!(ports_of("gunicorn -b 0.0.0.0:5021 app:app"), [5021]);
        assert_eq!(ports_of("gunicorn --bind=127.0.0.1:5022 app:app"), [5022]);
        assert_eq!(ports_of("gunicorn -c gunicorn.conf.py app:app"), [5024]);
        assert_eq!(ports_of("python3 send.py --port 5023"), [5023]);
        assert_eq!(ports_of("gunicorn app:app -b"), Vec::<u16>::new());
    }
}
