//! Memory of the server, and what the system allows it.

use super::{bytes, finding};
use crate::finding::{Code, Fix, Severity};
use crate::report::{Area, Section};
use machine::MemoryLimit;

pub(crate) fn check(resident: Option<u64>, limit: MemoryLimit) -> Section {
    let mut section = Section::new(Area::Memory);
    match resident {
        Some(resident) => section.fact("server", bytes(resident)),
        None => section.lacks("the memory of the server's process is not visible to this user"),
    }
    section.fact("limit", limit.limit.map_or_else(|| "none".to_owned(), bytes));
    let Some(most) = limit.limit else { return section };
    // Of a group the files it has read count as used, and are given back when needed; its own pages are not.
    let share = resident.unwrap_or(0).saturating_mul(100) / most.max(1);
    if share >= 80 {
        section.findings.push(finding(
            Code::MemoryHigh,
            if share >= 95 { Severity::Error } else { Severity::Warning },
            "server",
            format!("The server uses {share} % of the memory that the system allows it."),
            Fix::advice("raise MemoryMax in its unit, then run: systemctl daemon-reload && systemctl restart switchboard"),
        ));
    }
    if limit.killed > 0 {
        section.findings.push(finding(
            Code::MemoryKilled,
            Severity::Error,
            "server",
            format!("The system killed processes of the server for lack of memory, {} so far.", limit.killed),
            Fix::advice("raise MemoryMax in its unit, then run: systemctl daemon-reload && systemctl restart switchboard"),
        ));
    }
    section
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_the_limit_decides() {
        let found = |resident, limit, killed| {
            let limit = MemoryLimit { limit, used: None, killed };
            check(Some(resident), limit)
                .findings
                .iter()
                .map(|one| (one.code, one.severity))
                .collect::<Vec<_>>()
        };
        assert_eq!(found(900, None, 0), []);
        assert_eq!(found(790, Some(1000), 0), []);
        assert_eq!(found(800, Some(1000), 0), [(Code::MemoryHigh, Severity::Warning)]);
        assert_eq!(found(950, Some(1000), 0), [(Code::MemoryHigh, Severity::Error)]);
        assert_eq!(found(1, Some(1000), 2), [(Code::MemoryKilled, Severity::Error)]);
        assert_eq!(found(0, Some(0), 0), []);
    }
}
