//! One examination: everything is gathered, each check judges its own facts, and the report puts them together.

use std::path::{Path, PathBuf};

use ambient::Clock;
use config::Settings;
use domain::{AccountName, Timestamp};
use store::{MasterKey, OpenError, StoreInspection};
use telegram::import::Plan;

use super::check::{
    self, clock, ports::Answered, program::ServerState, settings::fingerprint, store as stored,
};
use super::gather::reach::{self, Reached};
use super::gather::registrations::{self, Registrations};
use super::gather::{self, errors, files, sessions, units};
use super::inside::Inside;
use super::legacy;
use super::report::{Area, Report, Section};
use legacy_survey::Running;
use machine::{self, Entry, Journal, Root, Snapshot};

/// Why something is not seen while no server runs.
const ONLY_A_SERVER: &str = "only a running server tells this";

pub struct Patient {
    /// The version of this program.
    pub version: &'static str,
    pub root: Root,
    pub data_dir: PathBuf,
    pub settings_file: Option<PathBuf>,
    /// The settings, or what is wrong with them, a line each.
    pub settings: Result<Settings, Vec<String>>,
    /// The key of the store, if it is to be looked at while no server runs; else why it cannot be.
    pub master_key: Result<MasterKey, String>,
    /// Where the journal of the service manager is.
    pub journal: Journal,
    /// Whether it is tried if Telegram and others can be reached.
    pub reach: bool,
    /// An installation of the old scripts: what is in it is known to be one of them.
    pub legacy: Option<PathBuf>,
    /// The command that takes an old installation over, as it is shown.
    pub import: String,
    /// What time it is.
    pub clock: Clock,
}

pub enum ServerReply {
    /// The server reported what it knows; also when it looks at itself.
    Server(Box<Inside>),
    /// Something answers on the control socket, or holds the data directory, and does not report; why.
    Unresponsive(String),
    Absent,
}

/// What was seen of the machine, all of it blocking.
struct Machine {
    snapshot: Snapshot,
    running: Vec<Running>,
    named: Vec<check::sessions::Named>,
    lying: Vec<check::sessions::Lying>,
    units: Vec<check::units::ClassifiedUnit>,
    files: (Vec<check::files::File>, Option<u32>),
    room: Result<check::disk::Room, String>,
    store: Option<Result<Option<StoreInspection>, OpenError>>,
    held: Option<OpenError>,
    memory: (Option<u64>, machine::MemoryLimit),
    contents: Option<legacy_survey::Contents>,
    errors: Result<check::errors::ErrorTally, String>,
    backups: Option<gather::backups::StoredBackups>,
}

/// What was seen beyond files.
struct Asking {
    entries: Result<Vec<Entry>, String>,
    reached: Option<Reached>,
    registered: Option<Registrations>,
    answered: Vec<Answered>,
}

/// What an examination brings.
pub struct Examination {
    pub report: Report,
    /// How an old installation is taken over, if one was surveyed.
    pub plan: Option<Plan>,
}

pub async fn examine(patient: Patient, reply: ServerReply) -> Examination {
    let clock = patient.clock.clone();
    let now = clock.now();
    let inside = match &reply {
        ServerReply::Server(inside) => Some(inside.as_ref().clone()),
        ServerReply::Unresponsive(_) | ServerReply::Absent => None,
    };
    let asking = ask(&patient, inside.as_ref(), &clock).await;
    let version = patient.version.to_owned();
    let (pid, server) = (
        inside.as_ref().map(|inside| inside.server.pid),
        inside.as_ref().map(|inside| inside.server.clone()),
    );
    let looking = tokio::task::spawn_blocking(move || {
        let machine = Machine::look(&patient, pid, matches!(reply, ServerReply::Absent));
        let mut sections = judge(&patient, &reply, inside.as_ref(), &machine, &asking, now);
        let surveyed = survey(&patient, inside.as_ref(), &machine, &asking);
        let (rows, plan) = match surveyed {
            Some(surveyed) => {
                sections.push(surveyed.section);
                (surveyed.rows, Some(surveyed.plan))
            }
            None => (Vec::new(), None),
        };
        (sections, rows, plan)
    });
    let (sections, legacy, plan) = looking.await.unwrap_or_else(|error| {
        let broken = Section::unseen(Area::Program, format!("the examination broke down: {error}"));
        (vec![broken], Vec::new(), None)
    });
    let sections = sections.into_iter().map(Section::sorted).collect();
    Examination { report: Report { made_at: now, version, server, sections, legacy, inside: None }, plan }
}

/// Surveys an old installation, if there is one to be surveyed.
fn survey(
    patient: &Patient,
    inside: Option<&Inside>,
    machine: &Machine,
    asking: &Asking,
) -> Option<legacy::Surveyed> {
    let (folder, contents) = (patient.legacy.as_deref()?, machine.contents.as_ref()?);
    let settings = patient.settings.as_ref().ok();
    let named = machine.named.iter().map(|named| (named.account.clone(), named.found.clone().ok().flatten()));
    let mut accounts: Vec<_> = named.collect();
    let described = settings.into_iter().flat_map(|settings| &settings.telegram.accounts);
    accounts.extend(described.map(|account| (account.name.clone(), None)));
    let others = inside.map(|inside| inside.accounts.as_slice()).unwrap_or_default();
    accounts.extend(others.iter().map(|account| (account.name.clone(), None)));
    let owners = inside.map(|inside| inside.owners.as_slice()).unwrap_or_default();
    accounts.extend(owners.iter().map(|(account, key)| (account.clone(), Some(key.clone()))));
    let keys = accounts.iter().filter_map(|(_, key)| key.clone());
    let here = keys.chain(inside.into_iter().flat_map(|inside| inside.sessions.iter().cloned())).collect();
    let units: Vec<_> = machine.units.iter().map(|known| known.unit.clone()).collect();
    Some(legacy::survey(&legacy::Facts {
        folder,
        contents,
        units: &units,
        running: &machine.running,
        journal: asking.entries.as_deref().unwrap_or_default(),
        settings,
        accounts: &accounts,
        here,
        import: &patient.import,
    }))
}

async fn ask(patient: &Patient, inside: Option<&Inside>, clock: &Clock) -> Asking {
    let settings = patient.settings.as_ref().ok();
    let reached = async {
        match settings.filter(|_| patient.reach) {
            Some(settings) => {
                let from_mirror = || reach::mirrored(&patient.data_dir, patient.master_key.as_ref());
                let made_here = inside.map_or_else(from_mirror, |inside| Ok(inside.alert_targets.clone()));
                Some(reach::all(settings, made_here, clock).await)
            }
            None => None,
        }
    };
    let answered = async {
        match inside {
            Some(inside) => reach::listeners(&inside.listeners, clock).await,
            None => Vec::new(),
        }
    };
    // Where none is named, that is known without asking.
    let registered = async {
        match settings.filter(|settings| patient.reach || settings.webhooks_elsewhere().next().is_none()) {
            Some(settings) => Some(registrations::all(settings, clock).await),
            None => None,
        }
    };
    let (entries, reached, registered, answered) =
        tokio::join!(patient.journal.read(&patient.root, clock), reached, registered, answered);
    Asking { entries: entries.map_err(|error| error.to_string()), reached, registered, answered }
}

impl Machine {
    fn look(patient: &Patient, server: Option<u32>, alone: bool) -> Self {
        let settings = patient.settings.as_ref().ok();
        let session_files = settings.map(sessions::files).unwrap_or_default();
        let snapshot = Snapshot::take(&patient.root, &session_files);
        let ports: Vec<u16> =
            settings.map(gather::wanted).unwrap_or_default().iter().map(|one| one.address.port()).collect();
        let folder = patient.legacy.as_deref();
        let running = legacy_survey::running(&snapshot, folder, &session_files, &ports);
        let named = settings.map(sessions::named).unwrap_or_default();
        let lying = sessions::lying(&named, &patient.data_dir);
        let contents = folder.map(legacy_survey::contents);
        let more = contents.as_ref().map(|contents| contents.unit_folders.as_slice()).unwrap_or_default();
        let units = units::classified(units::all(&patient.root, more), folder);
        let files = files::rights(&patient.data_dir, patient.settings_file.as_deref(), &session_files);
        let room = files::room(&patient.data_dir);
        let held = if server.is_none() { store::check_free(&patient.data_dir).err() } else { None };
        let store = match (settings, &patient.master_key) {
            (Some(settings), Ok(key)) if alone && held.is_none() => {
                Some(store::inspect(&patient.data_dir, &settings.store.url.to_string(), key))
            }
            _ => None,
        };
        let memory = server.map_or((None, machine::MemoryLimit::default()), |pid| {
            (machine::resident(&patient.root, pid), machine::memory_limit(&patient.root, pid))
        });
        let errors = errors::tally(&patient.data_dir, &patient.clock);
        let backups = settings.map(|settings| gather::backups::read(settings, &patient.data_dir));
        Self {
            snapshot,
            running,
            named,
            lying,
            units,
            files,
            room,
            store,
            held,
            memory,
            contents,
            errors,
            backups,
        }
    }
}

/// What is wrong with the files of flows beside a settings file, a line each.
fn wrong_flows(settings_file: Option<&Path>) -> Vec<String> {
    match settings_file.map(config::flow_files) {
        None => Vec::new(),
        Some(Ok(files)) => files.iter().flat_map(|file| &file.problems).map(ToString::to_string).collect(),
        Some(Err(error)) => vec![error.to_string()],
    }
}

fn judge(
    patient: &Patient,
    reply: &ServerReply,
    inside: Option<&Inside>,
    machine: &Machine,
    asking: &Asking,
    now: Timestamp,
) -> Vec<Section> {
    let settings = patient.settings.as_ref();
    let wanted = settings.map(gather::wanted).unwrap_or_default();
    let ports: Vec<u16> = wanted.iter().map(|one| one.address.port()).collect();
    let stock = inside.and_then(|inside| inside.stock.as_ref());
    let pid = inside.map(|inside| inside.server.pid);
    let accounts: Option<Vec<AccountName>> =
        inside.map(|inside| inside.accounts.iter().map(|account| account.name.clone()).collect());
    let no_settings = "the settings cannot be read";
    let untried = if settings.is_ok() { "it was not asked for" } else { no_settings };
    let only_server = |area| Section::unseen(area, ONLY_A_SERVER);
    let from_server = |area, section: Option<Section>| section.unwrap_or_else(|| only_server(area));
    let receiver = settings.ok().and_then(|settings| settings.legacy.invite_callback.as_ref());
    let receiver =
        receiver.and_then(|callback| reach::host_and_port(&callback.url, 443)).map(|(host, _)| host);

    vec![
        check::program::check(
            patient.version,
            &server_state(reply, inside, machine),
            &patient.data_dir.display().to_string(),
            now,
        ),
        check::settings::check(&check::settings::Facts {
            file: patient.settings_file.as_ref().map(|file| file.display().to_string()).as_deref(),
            settings: settings.map_err(Vec::as_slice),
            wrong_flows: &wrong_flows(patient.settings_file.as_deref()),
            servers: inside.map(|inside| inside.server.settings.as_str()),
            changed: inside.is_none_or(|inside| {
                changed_since(patient.settings_file.as_deref(), inside.server.started_at)
            }),
            accounts: accounts.as_deref(),
            forwarded: inside.map(|inside| inside.forwarded),
        }),
        store_section(patient, inside, machine),
        match (settings, &machine.backups) {
            (Ok(settings), Some(backups)) => check::backups::check(&check::backups::Facts {
                folder: &backups.folder.display().to_string(),
                every: settings.backup.every,
                copied: settings.backup.copy.folder.is_some() || settings.backup.copy.bucket.is_some(),
                drilled: !settings.backup.drill_every.is_zero(),
                history: backups.history.as_ref().map(Option::as_ref).map_err(String::as_str),
                served: inside.map(|inside| inside.server.started_at),
                now,
            }),
            _ => Section::unseen(Area::Backups, no_settings),
        },
        from_server(
            Area::Queue,
            inside.and_then(|inside| Some(check::queue::check(stock?, &inside.stopped))),
        ),
        match settings {
            Ok(_) => check::ports::check(&check::ports::Facts {
                wanted: &wanted,
                listeners: inside.map(|inside| inside.listeners.as_slice()),
                answered: &asking.answered,
                snapshot: &machine.snapshot,
                running: &machine.running,
                server: pid,
            }),
            Err(_) => Section::unseen(Area::Ports, no_settings),
        },
        from_server(Area::Accounts, inside.map(|inside| check::accounts::check(&inside.accounts))),
        match settings {
            Ok(settings) => check::channels::check(settings, inside.map(|inside| inside.channels.as_slice())),
            Err(_) => Section::unseen(Area::Channels, no_settings),
        },
        check::sessions::check(&check::sessions::Facts {
            named: &machine.named,
            lying: &machine.lying,
            stored: inside.map_or(&[][..], |inside| &inside.sessions),
            ownerless: stock.map(|stock| stock.ownerless),
            snapshot: &machine.snapshot,
            running: &machine.running,
            server: pid,
        }),
        check::processes::check(&machine.running, &ports, inside.is_some()),
        check::units::check(&machine.units, asking.entries.as_deref().map_err(Clone::clone), &ports, now),
        check::files::check(&machine.files.0, machine.files.1),
        check::disk::check(&patient.data_dir.display().to_string(), machine.room.clone()),
        check::clock::check(clock::Facts {
            now,
            ahead: inside.and_then(|inside| inside.telegram_ahead),
            written: written(machine),
        }),
        match &asking.reached {
            Some(Reached { tried, left_out, unknown }) => {
                let works = inside.is_some_and(|inside| {
                    inside
                        .accounts
                        .iter()
                        .any(|account| account.state <= domain::account::AccountState::Paused)
                });
                check::network::check(tried, *left_out, unknown.as_deref(), works)
            }
            None => Section::unseen(Area::Network, untried),
        },
        from_server(Area::Memory, inside.map(|_| check::memory::check(machine.memory.0, machine.memory.1))),
        check::callbacks::check(receiver.as_deref(), stock),
        match &asking.registered {
            Some(Registrations { queries, left_out }) => check::webhooks::check(queries, *left_out, now),
            None => Section::unseen(Area::Webhooks, untried),
        },
        check::errors::check(machine.errors.as_ref().map_err(String::as_str)),
    ]
    .into_iter()
    .map(|section| with_caches(section, inside))
    .collect()
}

fn server_state(reply: &ServerReply, inside: Option<&Inside>, machine: &Machine) -> ServerState {
    let holder = match &machine.held {
        Some(OpenError::InUse { holder, .. }) => Some(*holder),
        _ => None,
    };
    match (reply, inside, holder) {
        (_, Some(inside), _) => ServerState::Answers(inside.server.clone()),
        (ServerReply::Unresponsive(why), None, holder) => {
            ServerState::Deaf { pid: holder.flatten(), why: why.clone() }
        }
        (_, None, Some(pid)) => ServerState::Deaf { pid, why: "no answer on its control socket".to_owned() },
        (_, None, None) => ServerState::Absent { used: matches!(machine.store, Some(Ok(Some(_)) | Err(_))) },
    }
}

fn store_section(patient: &Patient, inside: Option<&Inside>, machine: &Machine) -> Section {
    if let Some(inside) = inside {
        return check::store::check(&stored::Facts::Served {
            stock: inside.stock.as_ref(),
            unwritten: inside.unwritten.as_deref(),
        });
    }
    let facts = match (&machine.store, &patient.master_key, &patient.settings) {
        (Some(Ok(look)), ..) => stored::Facts::Alone(Ok(look.as_ref())),
        (Some(Err(error)), ..) => stored::Facts::Alone(Err(error)),
        (None, Err(why), _) => stored::Facts::Unchecked(why.clone()),
        (None, _, Err(_)) => stored::Facts::Unchecked("the settings cannot be read".to_owned()),
        (None, ..) => stored::Facts::Unchecked("another process has it".to_owned()),
    };
    check::store::check(&facts)
}

/// Whether a file was written after an instant; one that cannot be looked at may have been.
fn changed_since(file: Option<&Path>, instant: Timestamp) -> bool {
    let Some(file) = file else { return true };
    let written = std::fs::metadata(file).and_then(|file| file.modified()).ok();
    let since = written.and_then(|at| at.duration_since(std::time::SystemTime::UNIX_EPOCH).ok());
    since.is_none_or(|since| Timestamp::default().plus(since) > instant)
}

fn written(machine: &Machine) -> Option<Timestamp> {
    machine.store.as_ref()?.as_ref().ok()?.as_ref()?.written_at
}

/// What the server keeps in memory is reported beside its memory.
fn with_caches(mut section: Section, inside: Option<&Inside>) -> Section {
    if section.area == Area::Memory {
        for (name, count) in inside.into_iter().flat_map(|inside| &inside.caches) {
            section.fact(name.clone(), count.to_string());
        }
    }
    section
}

impl Report {
    /// The report of a command that looked again at a machine whose server has looked too: of each area the look that saw
    /// more. Where both saw the same, the command's counts, which may see more of other users' processes; but only when
    /// it has the same settings.
    #[must_use]
    pub fn beside(self, servers: Self, settings: Result<&Settings, &Vec<String>>) -> Self {
        let same = settings.is_ok_and(|settings| {
            servers.server.as_ref().is_some_and(|server| server.settings == fingerprint(settings))
        });
        let mut theirs = servers.sections;
        let mut sections: Vec<Section> = Vec::new();
        for own in self.sections {
            let other = theirs
                .iter()
                .position(|section| section.area == own.area)
                .map(|position| theirs.remove(position));
            let always_own = matches!(own.area, Area::Program | Area::Settings | Area::Legacy);
            sections.push(match other {
                Some(other) if !always_own && (!same || other.looked > own.looked) => other,
                _ => own,
            });
        }
        sections.extend(theirs);
        Self { sections, server: servers.server.or(self.server), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Looked, Server};

    fn report(sections: Vec<(Area, Looked, &str)>, settings: &str) -> Report {
        let sections = sections
            .into_iter()
            .map(|(area, looked, name)| {
                let mut section = Section::new(area);
                section.looked = looked;
                section.fact(name, "");
                section
            })
            .collect();
        let server = Server {
            version: "1".to_owned(),
            pid: 7,
            started_at: Timestamp::default(),
            settings: settings.to_owned(),
        };
        Report {
            made_at: Timestamp::default(),
            version: "1".to_owned(),
            server: Some(server),
            sections,
            legacy: Vec::new(),
            inside: None,
        }
    }

    #[test]
    fn of_two_looks_the_one_that_saw_more_counts() {
        let settings = Settings::default();
        let own = || {
            report(
                vec![
                    (Area::Settings, Looked::Wholly, "own"),
                    (Area::Sessions, Looked::Wholly, "own"),
                    (Area::Network, Looked::Not, "own"),
                    (Area::Disk, Looked::Wholly, "own"),
                ],
                "x",
            )
        };
        let theirs = |settings: &str| {
            report(
                vec![
                    (Area::Settings, Looked::Wholly, "theirs"),
                    (Area::Sessions, Looked::Partly, "theirs"),
                    (Area::Network, Looked::Wholly, "theirs"),
                    (Area::Disk, Looked::Wholly, "theirs"),
                ],
                settings,
            )
        };
        let names = |report: &Report| {
            report.sections.iter().map(|section| section.facts[0].name.clone()).collect::<Vec<_>>()
        };
        let same = own().beside(theirs(&fingerprint(&settings)), Ok(&settings));
        assert_eq!(names(&same), ["own", "own", "theirs", "own"]);
        let other = own().beside(theirs("another"), Ok(&settings));
        assert_eq!(names(&other), ["own", "theirs", "theirs", "theirs"]);
        let unread = own().beside(theirs(&fingerprint(&settings)), Err(&Vec::new()));
        assert_eq!(names(&unread), ["own", "theirs", "theirs", "theirs"]);
    }
}
