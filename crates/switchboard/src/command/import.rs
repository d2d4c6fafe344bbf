//! `switchboard import`: what old scripts say of themselves, as settings of this program, what the old servers of channels become, what the old tool for campaigns did, and the clients that an older program knows.

mod campaigns;
mod channels;
mod crm;

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ambient::Clock;
use anyhow::{Context, bail};
use clap::Subcommand;
use config::{Problem, References, SettingSource};
use domain::{ExposeSecret, SecretText};
use legacy_survey::flows::{
    EnvFile, ExistingAccount, Named, OldFlow, OldFlows, OldSettings, Panel, SecretLocation, SecretNames,
    exportable, panel, survey, text,
};
use serde_json::{Value, json};
use session_files::{Reader, TableRows};

use crate::Location;
use crate::output::{say, say_json};
use crate::table;

/// The largest `.env` file that is read.
const LARGEST: u64 = 1 << 20;

/// The folder of the data directory that old databases are archived in.
const ARCHIVE: &str = "archive";

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Import {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Show what old scripts that press buttons become, as settings
    #[command(
        after_help = "Names of variables differ between scripts: they are recognised by their words and by the form of what \
            they hold. What is not recognised is listed by its name. Secrets are never printed: the settings name the \
            variables that hold them, or the files of --secrets. The flows are checked as `flow check` does it. Databases \
            that the files name are archived with those of --database, and their tables shown. Nothing is connected, and no \
            session is opened.\n\nExit codes: 0 the flows can be used, 1 something in them is wrong.\n\nExamples:\n  \
            switchboard import flows --env /old/trip/.env --env /old/trip/.env.second --env /old/control.env\n  \
            switchboard import flows --env /old/trip/.env --write flows/trip.toml --secrets secrets\n  \
            switchboard import flows --env /old/control.env --database /old/panel.db --json"
    )]
    Flows(Flows),
    /// Show what the old servers of channels become, as settings
    #[command(
        after_help = "Names of variables differ between servers: they are recognised by their words and by the form of what they \
            hold, and by the folder of the file where they name no channel. What is not recognised is listed by its name. Secrets are \
            never printed: the settings name the variables that hold them, or the files of --secrets. Nothing is changed, and no \
            provider is asked.\n\nExamples:\n  \
            switchboard import channels --env /old/avito/.env --env /old/vk/.env\n  \
            switchboard import channels --env /old/avito/.env --write channels.toml --secrets secrets"
    )]
    Channels(channels::Channels),
    /// Take over the campaigns of the old tool from its database, so that no one is written to again
    #[command(
        after_help = "Its groups become campaigns, with chats, cycles, attempts of the latest run, messages with their counts, and blocks. \
            Names of columns may differ; what is not understood is named. The old tables are only read. It may be repeated: stop the old \
            tool, import once more, then start. What may have been sent in the cycle that a group is in counts as sent.\n\nExamples:\n  \
            switchboard import campaigns --from postgres://reader@old.example.com/campaigns --dry-run\n  \
            switchboard import campaigns --from postgres://old.example.com/tool --account profile_1=main"
    )]
    Campaigns(campaigns::Campaigns),
    /// Take over clients, appeals and history from the database of an older program, with their ids
    #[command(
        after_help = "Reads the tables clients, appeals, messages_history and client_merges, and never changes them. Ids stay: the views \
            clients, appeals and messages_history of this program have them. Names of columns may differ; what is not understood is \
            named. It may be repeated: what was taken before is passed over. Nothing is answered and no event tells of it. A run \
            is undone with --undo; what clients wrote since stays.\n\nExamples:\n  \
            switchboard import crm --from postgres://reader@old.example.com/crm --dry-run\n  \
            switchboard import crm --from postgres://old.example.com/crm --account avito=shop"
    )]
    Crm(crm::Crm),
}

/// `.env` files, and what is done with what they say.
#[derive(clap::Args)]
struct Flows {
    /// The `.env` file of a script, or of its control bot; may be given more than once
    #[arg(long = "env", value_name = "FILE", required = true, num_args = 1..)]
    files: Vec<PathBuf>,

    /// A database of the old control panel, which no file names
    #[arg(long, value_name = "FILE")]
    database: Vec<PathBuf>,

    /// The folder that databases are archived in [default: `archive` in the data directory]
    #[arg(long, value_name = "DIR")]
    archive: Option<PathBuf>,

    /// Write the flows to a file that is not there yet, such as one of the folder `flows` beside the settings
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,

    /// Write each secret to a file of its own in this folder, which the settings name then
    #[arg(long, value_name = "DIR")]
    secrets: Option<PathBuf>,

    #[command(flatten)]
    location: Location,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A database that was archived, or why not.
struct Archived {
    database: PathBuf,
    came: Result<(PathBuf, Vec<TableRows>), String>,
}

impl Import {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.what {
            What::Flows(flows) => flows.run(),
            What::Channels(channels) => channels.run(),
            What::Campaigns(campaigns) => campaigns.run().await,
            What::Crm(crm) => crm.run().await,
        }
    }
}

impl Flows {
    fn run(self) -> anyhow::Result<()> {
        let mut files = self.files()?;
        // The panel's database is read as one more file; those that it names itself are not.
        let databases = self.databases(&survey(&files), &files);
        let panels: Vec<_> = databases.iter().filter_map(|database| panel_of(database)).collect();
        let of_panels = panels.iter().map(|panel| panel.people.clone()).collect::<Vec<_>>().concat();
        files.extend(panels.into_iter().map(|panel| panel.file));
        let mut found = survey(&files);
        let sessions = find_sessions(&mut found);
        let folder = self.secrets.as_ref().map(std::path::absolute).transpose()?;
        let names = match &folder {
            Some(_) => SecretNames::of_files(&found, &files),
            None => SecretNames::of_variables(&found, &files, &self.used_variables()?),
        };
        let place = |named: &Named| match &folder {
            Some(folder) => SecretLocation::File(folder.join(names.get(named))),
            None => SecretLocation::Variable(names.get(named)),
        };
        let settings = text(&found, &self.known_accounts()?, &place);
        let target = self.write.clone().unwrap_or_else(|| PathBuf::from("flows.toml"));
        let wrong = config::read_flows(&settings.flows, &target).err().unwrap_or_default();
        let archived = self.archived(databases)?;
        if let Some(folder) = &folder {
            keep_secrets(folder, &found, &files, &names)?;
        }
        if let Some(file) = self.write.as_ref().filter(|_| wrong.is_empty()) {
            write_new(file, settings.flows.as_bytes())?;
        }
        let more = More { names, sessions, people: of_panels };
        if self.json {
            say_json(&as_json(&found, &settings, &wrong, &archived, &more));
        } else {
            self.print(&found, &settings, &wrong, &archived, &more);
        }
        match wrong.len() {
            0 => Ok(()),
            1 => bail!("one thing is wrong with the flows; see above"),
            many => bail!("{many} things are wrong with the flows; see above"),
        }
    }

    /// The `.env` files, each once: a file that is given twice, or by two paths, is of one flow.
    fn files(&self) -> anyhow::Result<Vec<EnvFile>> {
        let mut seen = Vec::new();
        let mut files = Vec::new();
        for file in &self.files {
            let place = fs::canonicalize(file).with_context(|| file.display().to_string())?;
            if !seen.contains(&place) {
                seen.push(place);
                files.push(read(file)?);
            }
        }
        Ok(files)
    }

    /// The variables that the settings name already, with their values where this command has them.
    fn used_variables(&self) -> anyhow::Result<Vec<(String, Option<SecretText>)>> {
        let Some(file) = self.location.settings_file()? else { return Ok(Vec::new()) };
        let named = References::of(&file)?.variables.into_iter();
        Ok(named
            .map(|name| {
                let value = std::env::var(&name).ok().map(SecretText::from);
                (name, value)
            })
            .collect())
    }

    /// The accounts of the settings, where there are any.
    fn known_accounts(&self) -> anyhow::Result<Vec<ExistingAccount>> {
        let accounts = self.location.settings()?.telegram.accounts;
        let known = |account: config::AccountSettings| ExistingAccount {
            name: account.name.to_string(),
            phone: account.phone,
        };
        Ok(accounts.into_iter().map(known).collect())
    }

    /// The databases of the old panel. Those that files name are beside one of the files where they are relative.
    fn databases(&self, found: &OldFlows, files: &[EnvFile]) -> Vec<PathBuf> {
        let folders = || files.iter().filter_map(|file| file.path.parent());
        let found_at =
            |named: &PathBuf| folders().map(|folder| folder.join(named)).find(|path| path.is_file());
        let named = found.databases.iter().map(|named| found_at(named).unwrap_or_else(|| named.clone()));
        let mut databases: Vec<PathBuf> = self.database.iter().cloned().chain(named).collect();
        databases.dedup();
        databases
    }

    /// Archives the databases that are there.
    fn archived(&self, databases: Vec<PathBuf>) -> anyhow::Result<Vec<Archived>> {
        if databases.is_empty() {
            return Ok(Vec::new());
        }
        let folder = match &self.archive {
            Some(folder) => folder.clone(),
            None => self.location.data_dir()?.join(ARCHIVE),
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .with_context(|| folder.display().to_string())?;
        let day: String =
            Clock::system().now().to_string().chars().filter(char::is_ascii_digit).take(20).collect();
        let archive = |(number, database): (usize, PathBuf)| {
            let name =
                database.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let to = folder.join(format!("{day}-{}-{name}", number + 1));
            let tables = Reader::default().archive(&database, &to);
            let came = tables.map(|tables| (to, tables)).map_err(|error| error.to_string());
            Archived { database, came }
        };
        Ok(databases.into_iter().enumerate().map(archive).collect())
    }

    fn print(
        &self,
        found: &OldFlows,
        settings: &OldSettings,
        wrong: &[Problem],
        archived: &[Archived],
        more: &More,
    ) {
        if !settings.settings.is_empty() {
            say!("# For the settings file:\n\n{}\n", settings.settings.trim_end());
        }
        match &self.write {
            _ if found.flows.is_empty() => {
                say!("No file names a bot, a button or what begins a run: there is no flow in them.");
            }
            Some(file) if wrong.is_empty() => {
                say!("{} flows are in {}; nothing is wrong with them.", found.flows.len(), file.display());
            }
            _ => {
                say!(
                    "# For a file of the folder flows, or the settings file:\n\n{}",
                    settings.flows.trim_end()
                );
            }
        }
        for problem in wrong {
            say!("\nWRONG in the flows above, {}", of_line(problem));
        }
        if let Some(folder) = &self.secrets {
            say!("\nThe secrets are in files of {}, which the settings name.", folder.display());
        }
        if self.secrets.is_none() {
            for named in found.recognised.iter().map(|(named, _)| named) {
                let name = more.names.get(named);
                if name != named.variable {
                    let file = named.file.display();
                    let why = if name == exportable(&named.variable) {
                        "no shell exports a variable of that name"
                    } else {
                        "another file, or the settings, have another value for it"
                    };
                    say!("\n{} of {file} becomes the variable {name}: {why}.", named.variable);
                }
            }
        }
        for line in more.lines(found) {
            say!("\n{line}");
        }
        let mut rows = table::with_header(["FILE", "VARIABLE", "IS"]);
        for (Named { file, variable }, meaning) in &found.recognised {
            rows.add_row([file.display().to_string(), variable.clone(), meaning.as_str().replace('_', " ")]);
        }
        for Named { file, variable } in &found.unknown {
            rows.add_row([file.display().to_string(), variable.clone(), "not recognised".to_owned()]);
        }
        if rows.row_count() > 0 {
            say!("\n{rows}");
        }
        for Archived { database, came } in archived {
            match came {
                Ok((archive, tables)) => {
                    say!("\n{} is archived as {}:", database.display(), archive.display());
                    let mut rows = table::with_header(["TABLE", "ROWS"]);
                    for TableRows { name, rows: count } in tables {
                        rows.add_row([name.clone(), count.to_string()]);
                    }
                    say!("{rows}");
                }
                Err(why) => say!("\n{} is not archived: {why}.", database.display()),
            }
        }
        if !found.flows.is_empty() {
            say!(
                "\nLook through the settings, and stop the old script before this program opens its session or asks its bot: \
                 Telegram ends a session that two programs use."
            );
        }
    }
}

/// What is said beside the settings.
struct More {
    names: SecretNames,
    sessions: Vec<OldSession>,
    /// Tables of panels with people: how many are allowed, and how many are not.
    people: Vec<(String, usize, usize)>,
}

/// The session of a flow: where its file names it, and where it is.
struct OldSession {
    flow: String,
    named: PathBuf,
    /// None where it is missing.
    found: Option<PathBuf>,
    /// Whether an account with another phone names it too.
    is_disputed: bool,
}

impl More {
    /// What a person has to look at, a sentence each.
    fn lines(&self, found: &OldFlows) -> Vec<String> {
        let mut lines = Vec::new();
        for OldSession { flow, named, found, is_disputed } in &self.sessions {
            match found {
                None if *is_disputed => lines.push(format!(
                    "The session file {} of {flow} is named by several files with different phones, so the settings name it for \
                     none of them. Write it where it belongs, or sign in: switchboard account add",
                    named.display()
                )),
                Some(file) if file == named => {}
                Some(file) => lines.push(format!(
                    "The session of {flow} is not at {}; it is at {}, which the settings name.",
                    named.display(),
                    file.display()
                )),
                None => lines.push(format!(
                    "MISSING: the session file {} of {flow} is not there, nor in a folder sessions near it. Bring it, \
                     or sign in: switchboard account add",
                    named.display()
                )),
            }
        }
        for (table, allowed, left_out) in &self.people {
            lines.push(format!(
                "Of the people in the table {table} of the panel {allowed} are taken over, and {left_out} are not: it does \
                 not let them control anything, or has no id on Telegram of them."
            ));
        }
        for (file, people) in &found.unclaimed {
            let people: Vec<_> = people.iter().map(ToString::to_string).collect();
            lines.push(format!(
                "The people of {} are of no control bot that is known: {}. Add them to `people` of theirs.",
                file.display(),
                people.join(", ")
            ));
        }
        for (file, first) in &found.copies {
            lines.push(format!(
                "The flow of {} is that of {}: the same account, chat, trigger and buttons. It is left out, or the account would \
                 press twice.",
                file.display(),
                first.display()
            ));
        }
        for (file, first) in &found.shared_bots {
            lines.push(format!(
                "The control bot of {} is that of {}, with the same token. It is one bot for the people of both.",
                file.display(),
                first.display()
            ));
        }
        for Named { file, variable } in &found.repeated {
            lines.push(format!(
                "{variable} is in {} more than once, with different values: the last one counts.",
                file.display()
            ));
        }
        for (file, numbers) in &found.left_lines {
            let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
            lines.push(format!(
                "Lines of {} that are not understood: {}.",
                file.display(),
                numbers.join(", ")
            ));
        }
        lines
    }
}

/// Reads the database of a control panel. One that cannot be read is reported where it is archived.
fn panel_of(database: &Path) -> Option<Panel> {
    let tables = Reader::default().small_tables(database).ok()?;
    Some(panel(std::path::absolute(database).ok()?, &tables))
}

/// Looks for the session files that flows name: at their place, else in a folder `sessions` near it. A file that is found
/// elsewhere for several accounts is of one of them at most, so it is taken for none. Neither is one that several accounts name.
fn find_sessions(found: &mut OldFlows) -> Vec<OldSession> {
    let place = |flow: &OldFlow| {
        let places = places_of(flow.session.as_ref()?, &flow.file);
        places.into_iter().find(|place| place.is_file())
    };
    let places: Vec<_> = found.flows.iter().map(|flow| (flow.phone.clone(), place(flow))).collect();
    let all_named: Vec<_> =
        found.flows.iter().map(|flow| (flow.phone.clone(), flow.session.clone())).collect();
    let mut sessions = Vec::new();
    for (number, flow) in found.flows.iter_mut().enumerate() {
        let Some((named, (phone, place))) = flow.session.clone().zip(places.get(number)) else { continue };
        let is_of_another = |(other, (of, at)): (usize, &(Option<String>, Option<PathBuf>))| {
            other != number && at == place && (of.is_none() || of != phone)
        };
        let is_certain = place.as_ref() == Some(&named) || !places.iter().enumerate().any(is_of_another);
        let is_disputed = flow.phone.is_some()
            && all_named
                .iter()
                .any(|(of, session)| of.is_some() && *of != flow.phone && session.as_ref() == Some(&named));
        let there = place.clone().filter(|_| is_certain && !is_disputed);
        if there.is_some() || is_disputed {
            flow.session.clone_from(&there);
        }
        sessions.push(OldSession { flow: flow.name.clone(), named, found: there, is_disputed });
    }
    sessions
}

/// Where a session file may be.
fn places_of(named: &Path, env_file: &Path) -> Vec<PathBuf> {
    let Some(name) = named.file_name() else { return vec![named.to_owned()] };
    let folders = [named.parent(), env_file.parent(), env_file.parent().and_then(Path::parent)];
    let beside = folders.into_iter().flatten().flat_map(|folder| {
        [folder.join(name), folder.join("sessions").join(name), folder.join("session").join(name)]
    });
    std::iter::once(named.to_owned()).chain(beside).collect()
}

/// Reads a `.env` file; what is no UTF-8 in it is replaced.
fn read(file: &Path) -> anyhow::Result<EnvFile> {
    let absolute = std::path::absolute(file).with_context(|| file.display().to_string())?;
    let mut bytes = Vec::new();
    let opened = File::open(&absolute).and_then(|opened| opened.take(LARGEST + 1).read_to_end(&mut bytes));
    let size = opened.with_context(|| file.display().to_string())?;
    anyhow::ensure!(size as u64 <= LARGEST, "{} is larger than 1 MiB; is it a .env file?", file.display());
    Ok(EnvFile::read(absolute, &String::from_utf8_lossy(&bytes)))
}

/// Writes a file that is not there yet, for its owner alone.
fn write_new(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let opened = File::options().write(true).create_new(true).mode(0o600).open(file);
    let written = opened.and_then(|mut opened| opened.write_all(bytes));
    written.with_context(|| file.display().to_string())
}

/// Writes each secret that was recognised to a file of its own. One that is there with the same content stays.
fn keep_secrets(
    folder: &Path,
    found: &OldFlows,
    files: &[EnvFile],
    names: &SecretNames,
) -> anyhow::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| folder.display().to_string())?;
    for (named, _) in found.recognised.iter().filter(|(_, meaning)| meaning.is_secret()) {
        let of_file = files.iter().filter(|file| file.path == named.file);
        let variable =
            of_file.flat_map(|file| &file.variables).find(|variable| variable.name == named.variable);
        if let Some(variable) = variable {
            let secret = variable.secret().expose_secret().trim();
            let path = folder.join(names.get(named));
            if fs::read_to_string(&path).is_ok_and(|kept| kept == secret) {
                continue;
            }
            write_new(&path, secret.as_bytes())?;
        }
    }
    Ok(())
}

/// What is wrong, with its line.
fn of_line(problem: &Problem) -> String {
    match problem.place {
        SettingSource::File { line, .. } => format!("line {line}: `{}` {}", problem.key, problem.message),
        SettingSource::Environment(_) | SettingSource::Defaults => problem.to_string(),
    }
}

fn as_json(
    found: &OldFlows,
    settings: &OldSettings,
    wrong: &[Problem],
    archived: &[Archived],
    more: &More,
) -> Value {
    let named = |Named { file, variable }: &Named| json!({ "file": file, "variable": variable });
    let recognised = |(named, meaning): &(Named, legacy_survey::flows::Meaning)| json!({ "file": named.file, "variable": named.variable, "is": meaning.as_str() });
    let database = |Archived { database, came }: &Archived| match came {
        Ok((archive, tables)) => json!({
            "file": database, "archive": archive,
            "tables": tables.iter().map(|table| json!({ "name": table.name, "rows": table.rows })).collect::<Vec<_>>(),
        }),
        Err(why) => json!({ "file": database, "wrong": why }),
    };
    json!({
        "flows": found.flows.iter().map(|flow| json!({ "name": flow.name, "file": flow.file })).collect::<Vec<_>>(),
        "settings": settings.settings,
        "flows_file": settings.flows,
        "wrong": wrong.iter().map(|problem| {
            let line = match problem.place {
                SettingSource::File { line, .. } => Some(line),
                SettingSource::Environment(_) | SettingSource::Defaults => None,
            };
            json!({ "line": line, "key": problem.key, "message": problem.message })
        }).collect::<Vec<_>>(),
        "controls": found.controls.iter().map(|control| {
            json!({ "name": control.name, "file": control.file, "token_variable": control.token, "allowed": control.allowed })
        }).collect::<Vec<_>>(),
        "recognised": found.recognised.iter().map(recognised).collect::<Vec<_>>(),
        "notes": more.lines(found),
        "sessions": more.sessions.iter().map(|session| {
            json!({ "flow": session.flow, "named": session.named, "file": session.found })
        }).collect::<Vec<_>>(),
        "not_recognised": found.unknown.iter().map(named).collect::<Vec<_>>(),
        "databases": archived.iter().map(database).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_session_file_is_not_taken_for_two_accounts() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        for made in ["a", "b", "c", "sessions"] {
            fs::create_dir(path(made)).expect("made");
        }
        for session in ["sessions/main.session", "c/main.session"] {
            fs::write(path(session), "").expect("written");
        }
        let file = |name: &str, phone: u8| {
            let phone = if phone == 0 { String::new() } else { format!("PHONE=+7000000000{phone}\n") };
            let text = format!("{phone}SESSION=main\nBUTTON=Book {name}\n");
            EnvFile::read(path(name).join(".env"), &text)
        };
        let found = |files: &[EnvFile]| {
            let sessions = find_sessions(&mut survey(files));
            sessions.into_iter().map(|session| session.found).collect::<Vec<_>>()
        };
        let (shared, own) = (Some(path("sessions/main.session")), Some(path("c/main.session")));
        assert_eq!(found(&[file("a", 1), file("b", 2), file("c", 3)]), [None, None, own.clone()]);
        assert_eq!(found(&[file("a", 0), file("b", 0), file("c", 3)]), [None, None, own.clone()]);
        assert_eq!(found(&[file("a", 1), file("b", 1), file("c", 3)]), [shared.clone(), shared, own.clone()]);
        // Two files name the same one, for two phones.
        let beside = |name: &str, phone: u8| {
            let text = format!("PHONE=+7000000000{phone}\nSESSION=main\nBUTTON=Book\n");
            EnvFile::read(path("c").join(name), &text)
        };
        let files = [beside(".env", 1), beside(".env.2nd", 2)];
        assert_eq!(found(&files), [None, None]);
        let mut surveyed = survey(&files);
        assert!(find_sessions(&mut surveyed).iter().all(|session| session.is_disputed));
        assert!(surveyed.flows.iter().all(|flow| flow.session.is_none()));
        assert_eq!(found(&[beside(".env", 1), beside(".env.2nd", 1)]), [own]);
    }
}
