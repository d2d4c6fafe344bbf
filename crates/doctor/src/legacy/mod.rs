//! The survey of an old installation, compared with the settings.

mod difference;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use config::Settings;
use domain::AccountName;
use telegram::import::Plan;

use crate::{Area, Section};
use legacy_survey::{Contents, Row, Running, ScriptRecord, SessionFile};
use machine::{Entry, Event, Unit};

/// A unit that was started again so often is not just unlucky.
const MANY: u64 = 5;

/// What is known of an installation, and of what is here.
pub(crate) struct Facts<'a> {
    pub(crate) folder: &'a Path,
    /// What is in it.
    pub(crate) contents: &'a Contents,
    /// Units of the machine and those of the folder.
    pub(crate) units: &'a [Unit],
    /// Those of its scripts that run.
    pub(crate) running: &'a [Running],
    /// What happened to units.
    pub(crate) journal: &'a [Entry],
    /// The settings here, if they can be read.
    pub(crate) settings: Option<&'a Settings>,
    /// Fingerprints of the sessions of each account here, as far as they are known.
    pub(crate) accounts: &'a [(AccountName, Option<String>)],
    /// Fingerprints of all sessions that are here.
    pub(crate) here: BTreeSet<String>,
    /// The command that takes the sessions over.
    pub(crate) import: &'a str,
}

/// What a survey brings.
pub(crate) struct Surveyed {
    pub(crate) rows: Vec<Row>,
    /// What differs from the settings.
    pub(crate) section: Section,
    /// How it is taken over.
    pub(crate) plan: Plan,
}

/// Surveys. Pure.
pub(crate) fn survey(facts: &Facts<'_>) -> Surveyed {
    let scripts = legacy_survey::script_records(facts.folder, facts.contents, facts.units, facts.running);
    let restarts = restarts(facts.journal);
    let owner_of = |session: &SessionFile| {
        let key = session.key.as_ref().ok()?;
        let owner = facts.accounts.iter().find(|(_, own)| own.as_ref() == Some(key));
        owner.map(|(name, _)| name.clone())
    };
    let proven = |one: &ScriptRecord<'_>| {
        let by_key = one.sessions.iter().find_map(|session| owner_of(session));
        by_key.or_else(|| by_phone(one, facts.settings))
    };
    let claimed = |one: &ScriptRecord<'_>| {
        let [name] = one.script.accounts.as_slice() else { return None };
        name.parse::<AccountName>().ok()
    };
    let account_of = |one: &ScriptRecord<'_>| proven(one).or_else(|| claimed(one));
    let shown = |name: AccountName| name.to_string();
    let rows = legacy_survey::rows(
        facts.folder,
        &scripts,
        facts.contents,
        |one| account_of(one).map(shown),
        |session| owner_of(session).map(shown),
        |unit| restarts.get(unit).copied(),
    );
    let mut section = Section::new(Area::Legacy);
    section.fact("folder", facts.folder.display().to_string());
    section.fact("scripts", facts.contents.scripts.len().to_string());
    section.fact("session files", facts.contents.sessions.len().to_string());
    for unseen in &facts.contents.unseen {
        section.lacks(unseen.clone());
    }
    match facts.settings {
        Some(settings) => {
            section.findings.extend(difference::ports(&scripts, settings));
            section.findings.extend(difference::api_ids(&scripts, settings));
        }
        None => section.lacks("the settings cannot be read, so that nothing is compared with them"),
    }
    section.findings.extend(difference::missing(&scripts));
    section.findings.extend(difference::sessions(&facts.contents.sessions, &facts.here, facts.import));
    let names: Vec<AccountName> = facts.accounts.iter().map(|(name, _)| name.clone()).collect();
    // What a script calls its account is no proof: of an account that is here, Telegram must say that it is its.
    let planned =
        |one: &ScriptRecord<'_>| proven(one).or_else(|| claimed(one).filter(|name| !names.contains(name)));
    let plan = legacy_survey::plan(&scripts, &facts.contents.sessions, &facts.here, planned, &names);
    Surveyed { rows, section, plan }
}

/// The account of the settings that has the phone number of a script.
fn by_phone(one: &ScriptRecord<'_>, settings: Option<&Settings>) -> Option<AccountName> {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let has = |phone: &String| one.script.phones.iter().any(|own| digits(own) == digits(phone));
    let accounts = &settings?.telegram.accounts;
    accounts
        .iter()
        .find(|account| account.phone.as_ref().is_some_and(has))
        .map(|account| account.name.clone())
}

/// How often each unit was started again, of those for which that is more than bad luck.
fn restarts(journal: &[Entry]) -> BTreeMap<&str, u64> {
    let mut found: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for entry in journal {
        if let Event::Restarted(count) = entry.event {
            let (times, most) = found.entry(&entry.unit).or_default();
            *times += 1;
            *most = (*most).max(count.unwrap_or(0));
        }
    }
    found
        .into_iter()
        .map(|(unit, (times, most))| (unit, times.max(most)))
        .filter(|(_, count)| *count >= MANY)
        .collect()
}
