//! Backups: whether there is a young one, and whether it was ever shown that one can be put back.

use std::time::Duration;

use domain::Timestamp;

use super::{bytes, finding, minute, span};
use crate::finding::{Code, Fix, Severity};
use crate::report::{Area, Section};
use backup::{Attempt, History, due, oldest};

const DAY: Duration = Duration::from_hours(24);

/// How long ago the last trial may be: disks rot, and keys are mislaid.
const UNTRIED: Duration = Duration::from_hours(30 * 24);

/// A server writes down at once that there is something to make backups of.
const AT_ONCE: Duration = Duration::from_mins(1);

const CREATE: &str = "switchboard backup create";

/// What tries one.
const CHECK: &str = "switchboard backup check";

/// What restores one for practice.
const VERIFY: &str = "switchboard backup verify";

/// What is known of backups.
pub(crate) struct Facts<'a> {
    pub(crate) folder: &'a str,
    /// How often one is made; zero: never by itself.
    pub(crate) every: Duration,
    /// Whether they are copied elsewhere.
    pub(crate) copied: bool,
    /// Whether restores are practised.
    pub(crate) drilled: bool,
    /// What became of them; nothing when none began yet.
    pub(crate) history: Result<Option<&'a History>, &'a str>,
    /// Since when a server runs, which makes them.
    pub(crate) served: Option<Timestamp>,
    pub(crate) now: Timestamp,
}

pub(crate) fn check(facts: &Facts<'_>) -> Section {
    let &Facts { folder, every, history, served, now, .. } = facts;
    let history = match history {
        Ok(history) => history,
        Err(why) => return Section::unseen(Area::Backups, why),
    };
    let mut section = Section::new(Area::Backups);
    section.fact("folder", folder);
    let Some(history) = history else {
        if served.is_some_and(|since| now.since(since) > AT_ONCE) {
            section.findings.push(finding(
                Code::BackupFailing,
                Severity::Warning,
                folder,
                "The server cannot write into the folder of backups.",
                Fix::setting(
                    "backup.folder",
                    "let the service's user write there, or name another folder; the log says more",
                ),
            ));
        }
        section.fact("newest", "none yet");
        return section;
    };
    match history.newest() {
        Some(newest) => section.fact("newest", in_a_line(newest)),
        None => section.fact("newest", "none yet"),
    }
    if served.is_some() {
        let next = due(history, every, now);
        section.fact("next", next.map_or_else(|| "none by itself (backup.every is 0s)".to_owned(), minute));
    }
    if let Some(restored) = &history.restored {
        section
            .fact("put back", format!("the one of {}, at {}", minute(restored.made_at), minute(restored.at)));
    }
    age(&mut section, history, every, now);
    if let Some(failed) = history.failing() {
        let why = failed.came.as_ref().err().map(String::as_str).unwrap_or_default();
        section.findings.push(
            finding(
                Code::BackupFailing,
                Severity::Warning,
                "backups",
                "The last attempt to make a backup failed.",
                Fix::command_and(CREATE, "fix what the error says first"),
            )
            .shown_by([format!("{}: {why}", minute(failed.at))]),
        );
    }
    trial(&mut section, history, now);
    copies_and_drills(&mut section, history, facts);
    section
}

/// Whether there is a copy elsewhere, and the last restore for practice went well.
fn copies_and_drills(section: &mut Section, history: &History, facts: &Facts<'_>) {
    if let Some(uncopied) = history.uncopied.as_ref().filter(|_| facts.copied) {
        section.findings.push(
            finding(
                Code::BackupNotCopied,
                Severity::Warning,
                "backups",
                "The newest backup was not copied to where copies go.",
                Fix::setting("backup.copy", "fix what the error says; it is tried again at least every hour"),
            )
            .shown_by([format!("{}: {}", minute(uncopied.at), uncopied.why)]),
        );
    }
    let Some(drill) = history.drills.last().filter(|_| facts.drilled) else { return };
    if let Err(why) = &drill.came {
        section.findings.push(
            finding(
                Code::BackupDrillFailed,
                Severity::Error,
                drill.name.as_str(),
                "The last restore drill failed.",
                Fix::command_and(VERIFY, "fix what the error says first"),
            )
            .shown_by([format!("{}: {why}", minute(drill.at))]),
        );
    }
}

/// Whether the newest is young enough.
fn age(section: &mut Section, history: &History, every: Duration, now: Timestamp) {
    let by_itself = !every.is_zero();
    match history.newest() {
        Some(newest) if now.since(newest.at) > oldest(every) => {
            let old = span(now.since(newest.at).as_secs());
            section.findings.push(
                finding(
                    Code::BackupOld,
                    Severity::Warning,
                    "backups",
                    format!("The newest backup is {old} old."),
                    Fix::command(CREATE),
                )
                .shown_by([in_a_line(newest)]),
            );
        }
        None if now.since(history.since) > every.saturating_add(DAY) => {
            let advice = "set backup.every to have one made every day";
            let fix = if by_itself { Fix::command(CREATE) } else { Fix::command_and(CREATE, advice) };
            section.findings.push(
                finding(Code::BackupNone, Severity::Warning, "backups", "There is no backup.", fix).shown_by(
                    [format!("there has been something to back up since {}", minute(history.since))],
                ),
            );
        }
        Some(_) | None => {}
    }
}

/// Whether it was shown that one can be put back.
fn trial(section: &mut Section, history: &History, now: Timestamp) {
    let Some(newest) = history.newest() else { return };
    if let Some(wrong) = newest.proof.as_ref().and_then(|proof| proof.wrong.as_deref()) {
        section.findings.push(
            finding(
                Code::BackupBroken,
                Severity::Error,
                newest.name.as_str(),
                "The newest backup cannot be restored.",
                Fix::command_and(CREATE, "check the disk it is stored on, too"),
            )
            .shown_by([wrong.to_owned()]),
        );
        return;
    }
    let tried = history.proven().map(|(_, proof)| proof.at);
    let drilled = history.drills.iter().filter(|drill| drill.came.is_ok()).map(|drill| drill.at);
    let restored = history.restored.as_ref().map(|restored| restored.at);
    let last = tried.chain(drilled).chain(restored).max();
    if last.is_some_and(|last| now.since(last) <= UNTRIED) {
        return;
    }
    let how_long = match last {
        Some(last) => format!("for {}", span(now.since(last).as_secs())),
        None => "ever".to_owned(),
    };
    section.findings.push(
        finding(
            Code::BackupUntried,
            Severity::Warning,
            "backups",
            format!("No backup has been checked {how_long}."),
            Fix::command_and(
                CHECK,
                "it unpacks the newest into a temporary folder and reads its database; nothing is changed",
            ),
        )
        .shown_by([in_a_line(newest)]),
    );
}

fn in_a_line(attempt: &Attempt) -> String {
    let size = attempt.came.as_ref().map_or_else(|_| String::new(), |size| format!(", {}", bytes(*size)));
    let tried = match &attempt.proof {
        Some(proof) if proof.wrong.is_none() => format!(", tried {}", minute(proof.at)),
        Some(_) => ", broken".to_owned(),
        None => ", never tried".to_owned(),
    };
    format!("{}{size}{tried}", attempt.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use backup::{AttemptBy, BackupName, Drill, DrillOf, Proof, Restored};
    use proptest::prelude::*;

    const NOTHING: Facts<'static> = Facts {
        folder: "f",
        every: DAY,
        copied: false,
        drilled: false,
        history: Ok(None),
        served: None,
        now: Timestamp::from_micros(0),
    };

    fn at(hours: u64) -> Timestamp {
        Timestamp::from_micros(1_893_456_000_000_000).plus(Duration::from_hours(hours))
    }

    fn made(hour: u64, proof: Option<Result<u64, &str>>) -> Attempt {
        Attempt {
            name: BackupName::of(at(hour)),
            at: at(hour),
            by: AttemptBy::Schedule,
            came: Ok(1 << 20),
            untried: None,
            proof: proof
                .map(|came| Proof { at: at(came.unwrap_or(hour)), wrong: came.err().map(str::to_owned) }),
        }
    }

    fn failed(hour: u64) -> Attempt {
        Attempt { came: Err("there is too little room".to_owned()), ..made(hour, None) }
    }

    fn history(attempts: Vec<Attempt>) -> History {
        History { attempts, ..History::begun(at(0)) }
    }

    fn found(history: &History, every: Duration, now: u64) -> Vec<Code> {
        let facts = Facts {
            folder: "/data/backups",
            every,
            copied: true,
            drilled: true,
            history: Ok(Some(history)),
            served: Some(at(0)),
            now: at(now),
        };
        check(&facts).findings.into_iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn each_trouble_has_its_finding() {
        let fine = |hour| made(hour, Some(Ok(hour)));
        let (week, month) = (7 * 24, 30 * 24);
        for (attempts, every, now, codes) in [
            (vec![], DAY, 40, vec![]),
            (vec![], DAY, 49, vec![Code::BackupNone]),
            (vec![], Duration::ZERO, 25, vec![Code::BackupNone]),
            (vec![fine(1)], DAY, 48, vec![]),
            (vec![fine(1)], DAY, 50, vec![Code::BackupOld]),
            (vec![fine(1)], Duration::ZERO, week, vec![]),
            (vec![fine(1)], Duration::ZERO, week + 2, vec![Code::BackupOld]),
            (vec![fine(1), failed(25)], DAY, 26, vec![Code::BackupFailing]),
            (vec![failed(1)], DAY, 2, vec![Code::BackupFailing]),
            (vec![fine(1), failed(25), fine(26)], DAY, 27, vec![]),
            (vec![made(1, None)], DAY, 2, vec![Code::BackupUntried]),
            (vec![fine(1), made(month + 2, None)], DAY, month + 3, vec![Code::BackupUntried]),
            (vec![fine(1), made(2, Some(Err("torn")))], DAY, 3, vec![Code::BackupBroken]),
        ] {
            assert_eq!(found(&history(attempts.clone()), every, now), codes, "{attempts:?} at {now}");
        }
    }

    #[test]
    fn a_restored_backup_counts_as_tested() {
        let restored = Some(Restored { at: at(2), made_at: at(1) });
        assert_eq!(found(&History { restored, ..history(vec![made(1, None)]) }, DAY, 3), []);
    }

    #[test]
    fn a_missing_copy_or_failed_drill_is_found_until_it_succeeds() {
        let mut history = history(vec![made(1, Some(Ok(1)))]);
        let name = made(1, None).name;
        history.not_copied(&name, "/mnt/elsewhere", at(2), "there is no folder".to_owned());
        let drill = Drill { at: at(2), name, of: DrillOf::Copy, came: Err("torn".to_owned()) };
        history.drilled(drill.clone());
        assert_eq!(found(&history, DAY, 3), [Code::BackupNotCopied, Code::BackupDrillFailed]);
        history.uncopied = None;
        history.drilled(Drill { came: Ok(7), ..drill });
        assert_eq!(found(&history, DAY, 3), []);
    }

    #[test]
    fn a_server_that_cannot_write_is_reported() {
        let found = |hours| {
            let facts = Facts { history: Ok(None), served: Some(at(0)), now: at(hours), ..NOTHING };
            check(&facts).findings.into_iter().map(|finding| finding.code).collect::<Vec<_>>()
        };
        assert_eq!((found(0), found(1)), (vec![], vec![Code::BackupFailing]));
    }

    #[test]
    fn an_unreadable_history_is_not_called_well() {
        let facts = Facts { history: Err("denied"), now: at(0), ..NOTHING };
        assert_eq!(check(&facts).unseen, ["denied"]);
    }

    proptest! {
        /// A clock that goes wrong is the clock's finding, not that of backups.
        #[test]
        fn a_newest_backup_in_the_future_is_no_trouble(ahead in 0_u64..10_000) {
            let history = history(vec![made(ahead, Some(Ok(ahead)))]);
            prop_assert_eq!(found(&history, DAY, 0), []);
        }
    }
}
