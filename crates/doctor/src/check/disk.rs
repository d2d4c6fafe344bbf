//! Room on the disk of the data directory.

use super::{bytes, finding};
use crate::finding::{Code, Fix, Severity};
use crate::report::{Area, Section};

/// Below this the server takes nothing new.
const NOTHING_NEW: u64 = 64 << 20;
/// Below this it will not for long.
const LITTLE: u64 = 512 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    /// Bytes that may still be written.
    pub(crate) free: u64,
    /// Bytes in all.
    pub(crate) total: u64,
    /// Files that may still be made; nothing where they are not counted.
    pub(crate) files: Option<u64>,
}

pub(crate) fn check(folder: &str, room: Result<Room, String>) -> Section {
    let room = match room {
        Ok(room) => room,
        Err(why) => {
            return Section::unseen(
                Area::Disk,
                format!("the disk of {folder} does not say how full it is: {why}"),
            );
        }
    };
    let mut section = Section::new(Area::Disk);
    section.fact(folder, format!("{} free of {}", bytes(room.free), bytes(room.total)));
    let severity = match room.free {
        0..NOTHING_NEW => Some((Severity::Error, "nothing new is accepted until there is more")),
        NOTHING_NEW..LITTLE => Some((Severity::Warning, "below 64 MiB nothing new is accepted")),
        _ => None,
    };
    if let Some((severity, what)) = severity {
        section.findings.push(finding(
            Code::DiskLow,
            severity,
            folder,
            format!("Only {} free on the disk of {folder}: {what}.", bytes(room.free)),
            Fix::command_and(
                format!("du -xh --max-depth=2 {folder}"),
                "free some space on that disk; nothing has to be restarted",
            ),
        ));
    }
    if let Some(files) = room.files.filter(|files| *files < 1000) {
        section.findings.push(finding(
            Code::DiskLow,
            Severity::Error,
            folder,
            format!("Only {files} more files can be made on the disk of {folder}."),
            Fix::command_and("df -i", "delete files that are not needed: there is space, but no free inodes"),
        ));
    }
    section
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn worst(free: u64) -> Option<Severity> {
        let room = Room { free, total: u64::MAX, files: None };
        check("/data", Ok(room)).findings.first().map(|finding| finding.severity)
    }

    proptest! {
        #[test]
        fn less_room_is_never_better(one: u64, other: u64) {
            let rank = |free| worst(free).map_or(9, |severity| severity as u8);
            prop_assert!(rank(one.min(other)) <= rank(one.max(other)));
        }
    }

    #[test]
    fn the_bounds_are_those_of_the_intake() {
        assert_eq!(worst(NOTHING_NEW - 1), Some(Severity::Error));
        assert_eq!(worst(NOTHING_NEW), Some(Severity::Warning));
        assert_eq!(worst(LITTLE), None);
        let full = check("/data", Ok(Room { free: LITTLE, total: LITTLE, files: Some(3) }));
        assert_eq!(full.findings.len(), 1);
    }
}
