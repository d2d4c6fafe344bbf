//! Units of the service manager: crash loops, and unit files that would not do what is wanted.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::Timestamp;

use super::{finding, minute};
use crate::finding::{Code, Finding, Fix, Severity};
use crate::report::{Area, Section};
use legacy_survey::Script;
use machine::{Entry, Event, Unit, file_name};

/// So many restarts within so long are a loop.
const MANY: usize = 5;
const WITHIN: Duration = Duration::from_mins(10);

/// A loop whose last restart is older is over.
const RECENT: Duration = Duration::from_mins(15);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Whose {
    /// It starts this program.
    Ours,
    /// It starts an old script.
    Old(Script),
    Foreign,
}

pub(crate) struct ClassifiedUnit {
    pub(crate) unit: Unit,
    pub(crate) whose: Whose,
}

/// Whether a unit starts this program.
pub(crate) fn is_ours(unit: &Unit) -> bool {
    unit.command.first().is_some_and(|first| file_name(std::path::Path::new(first)) == "switchboard")
        && unit.command.get(1).is_some_and(|word| word == "up")
}

/// `ports` are those that the settings want.
pub(crate) fn check(
    units: &[ClassifiedUnit],
    journal: Result<&[Entry], String>,
    ports: &[u16],
    now: Timestamp,
) -> Section {
    let mut section = Section::new(Area::Units);
    for known in units.iter().filter(|known| known.whose != Whose::Foreign) {
        section.findings.extend(judge(known, ports));
        section.fact(
            known.unit.name.clone(),
            format!(
                "{}, {}, restart: {}, user: {}",
                if known.whose == Whose::Ours { "ours" } else { "an old script's" },
                if known.unit.enabled { "started at boot" } else { "not started at boot" },
                known.unit.restart,
                user(&known.unit)
            ),
        );
    }
    if section.facts.is_empty() {
        section.fact("units", "none of this program, none of the old scripts");
    }
    match journal {
        Ok(entries) => section.findings.extend(loops(entries, units, now)),
        Err(why) => section.lacks(why),
    }
    section
}

fn user(unit: &Unit) -> &str {
    if unit.dynamic_user { "its own" } else { unit.user.as_deref().unwrap_or("root") }
}

/// What writes a unit of ours as it should be.
fn install(unit: &Unit) -> Fix {
    let name = unit.name.strip_suffix(".service").unwrap_or(&unit.name);
    Fix::command_and(
        format!("sudo switchboard service install --name {name}"),
        format!(
            "it shows what changes; it does not touch a unit that it did not write, so move {} away first; if the data are not below /var/lib, name their user with --user",
            unit.file.display()
        ),
    )
}

fn judge(known: &ClassifiedUnit, ports: &[u16]) -> Vec<Finding> {
    let (unit, mut found) = (&known.unit, Vec::new());
    let shown = unit.file.display().to_string();
    match &known.whose {
        Whose::Foreign => {}
        Whose::Ours => {
            if !matches!(unit.restart.as_str(), "always" | "on-failure" | "on-abnormal") {
                found.push(
                    finding(
                        Code::UnitNotRestarted,
                        Severity::Warning,
                        unit.name.clone(),
                        format!("{} is not started again after a crash.", unit.name),
                        install(unit),
                    )
                    .shown_by([format!("{shown}: Restart={}", unit.restart)]),
                );
            }
            if user(unit) == "root" {
                found.push(
                    finding(
                        Code::UnitAsRoot,
                        Severity::Warning,
                        unit.name.clone(),
                        format!("{} runs as root without need.", unit.name),
                        install(unit),
                    )
                    .shown_by([format!("{shown}: no User=, no DynamicUser=")]),
                );
            }
        }
        Whose::Old(script) => {
            let serves = script.ports.iter().any(|port| ports.contains(port));
            if unit.enabled && serves {
                found.push(
                    finding(
                        Code::OldUnitEnabled,
                        Severity::Warning,
                        unit.name.clone(),
                        format!(
                            "{} starts an old script at the next boot, which takes a port of the settings.",
                            unit.name
                        ),
                        Fix::command(format!("systemctl disable --now {}", unit.name)),
                    )
                    .shown_by([shown.clone()]),
                );
            }
            let relative = script.sessions.iter().any(|name| !name.starts_with('/'));
            if relative && unit.folder.is_none() {
                found.push(
                    finding(
                        Code::UnitWithoutFolder,
                        Severity::Note,
                        unit.name.clone(),
                        format!(
                            "{} has no WorkingDirectory, and its script names sessions relative to it: it looks for them in /.",
                            unit.name
                        ),
                        Fix::advice("when importing its sessions, name the files where they are"),
                    )
                    .shown_by([shown]),
                );
            }
        }
    }
    found
}

/// Units that are started again and again.
fn loops(entries: &[Entry], units: &[ClassifiedUnit], now: Timestamp) -> Vec<Finding> {
    let mut by_unit: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        by_unit.entry(&entry.unit).or_default().push(entry);
    }
    by_unit.into_iter().filter_map(|(unit, entries)| one_loop(unit, &entries, units, now)).collect()
}

fn one_loop(name: &str, entries: &[&Entry], units: &[ClassifiedUnit], now: Timestamp) -> Option<Finding> {
    let mut times: Vec<Timestamp> = entries
        .iter()
        .filter(|entry| matches!(entry.event, Event::Restarted(_)))
        .map(|entry| entry.at)
        .collect();
    times.sort_unstable();
    if !times.windows(MANY).any(|some| some[MANY - 1].since(some[0]) <= WITHIN) {
        return None;
    }
    let last = *times.last()?;
    let counted = entries.iter().filter_map(|entry| match entry.event {
        Event::Restarted(count) => count,
        _ => None,
    });
    let count = counted.max().unwrap_or(0).max(times.len() as u64);
    let known = units.iter().find(|known| known.unit.name == name);
    let whose = known.map_or(&Whose::Foreign, |known| &known.whose);
    let goes_on = now.since(last) <= RECENT;
    let severity = match whose {
        Whose::Foreign => Severity::Note,
        _ if goes_on => Severity::Error,
        _ => Severity::Warning,
    };
    let fix = match whose {
        Whose::Foreign => Fix::Nothing,
        Whose::Ours => Fix::command_and(
            format!("journalctl -u {name} -n 50"),
            "its first lines after a start say why it stops; a taken port never stops it",
        ),
        Whose::Old(_) => Fix::command(format!("systemctl disable --now {name}")),
    };
    let ended = entries.iter().filter_map(|entry| match &entry.event {
        Event::Ended(how) => Some((entry.at, how)),
        _ => None,
    });
    let mut evidence = vec![format!("the journal counts {count} restarts, the last at {}", minute(last))];
    evidence.extend(ended.max_by_key(|(at, _)| *at).map(|(_, how)| format!("its process {how}")));
    if entries.iter().any(|entry| entry.event == Event::AddressInUse) {
        evidence.push("it reports that its address is already in use".to_owned());
    }
    let kind = if *whose == Whose::Foreign { "The foreign unit " } else { "" };
    let verb = if goes_on { "is" } else { "was" };
    let summary = format!("{kind}{name} {verb} in a crash loop: started again {count} times.");
    Some(finding(Code::CrashLoop, severity, name, summary, fix).shown_by(evidence))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_893_456_000_000_000);

    fn restarts(unit: &str, count: u64, every: Duration, last: Timestamp) -> Vec<Entry> {
        (0..count)
            .map(|number| Entry {
                at: last.minus(every * u32::try_from(count - 1 - number).expect("few")),
                unit: unit.to_owned(),
                event: Event::Restarted(Some(number + 107)),
            })
            .collect()
    }

    fn classified(name: &str, whose: Whose) -> ClassifiedUnit {
        let unit = Unit {
            name: name.to_owned(),
            restart: "always".to_owned(),
            user: Some("demo".to_owned()),
            ..Unit::default()
        };
        ClassifiedUnit { unit, whose }
    }

    #[test]
    fn a_restart_loop_is_reported_and_a_foreign_one_ignored() {
        let mut entries = restarts("monitor.service", 5, Duration::from_secs(10), NOW);
        entries.push(Entry { at: NOW, unit: "monitor.service".to_owned(), event: Event::AddressInUse });
        entries.push(Entry {
            at: NOW,
            unit: "monitor.service".to_owned(),
            event: Event::Ended("exited with 1".to_owned()),
        });
        let old = [classified("monitor.service", Whose::Old(Script::default()))];
        let section = check(&old, Ok(&entries), &[], NOW);
        let one = &section.findings[0];
        assert_eq!((one.code, one.severity), (Code::CrashLoop, Severity::Error));
        assert!(one.summary.contains("111") && one.evidence.len() == 3, "{one:?}");
        assert_eq!(one.fix, Fix::command("systemctl disable --now monitor.service"));
        let foreign = check(&[], Ok(&entries), &[], NOW);
        assert_eq!((foreign.findings[0].severity, &foreign.findings[0].fix), (Severity::Note, &Fix::Nothing));
        let later = check(&old, Ok(&entries), &[], NOW.plus(Duration::from_hours(2)));
        assert_eq!(later.findings[0].severity, Severity::Warning);
    }

    #[test]
    fn unit_files_are_judged_by_what_they_are_for() {
        let mut ours = classified("switchboard.service", Whose::Ours);
        ours.unit.restart = "no".to_owned();
        ours.unit.user = None;
        let script = Script::parse("TelegramClient('main', 1, 'x')\napp.run(port=5021)");
        let mut old = classified("old.service", Whose::Old(script));
        old.unit.enabled = true;
        let section = check(&[ours, old], Err("no journal".to_owned()), &[5021], NOW);
        let found: Vec<_> = section.findings.iter().map(|one| one.code).collect();
        assert_eq!(
            found,
            [Code::UnitNotRestarted, Code::UnitAsRoot, Code::OldUnitEnabled, Code::UnitWithoutFolder]
        );
        for mended in &section.findings[..2] {
            assert!(
                matches!(&mended.fix, Fix::Command { command, .. }
                    if command == "sudo switchboard service install --name switchboard"),
                "{mended:?}"
            );
        }
        assert_eq!(section.unseen, ["no journal"]);
    }

    proptest! {
        #[test]
        fn few_or_slow_restarts_are_no_loop(count in 0_u64..30, seconds in 1_u64..1000) {
            let entries = restarts("a.service", count, Duration::from_secs(seconds), NOW);
            let found = loops(&entries, &[], NOW).len();
            prop_assert_eq!(found, usize::from(count >= 5 && seconds * 4 <= 600));
        }
    }
}
