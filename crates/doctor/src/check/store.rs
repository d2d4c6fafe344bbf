//! The store: whether it can be used, and whether it is of this program's time.

use store::{OpenError, StoreInspection};

use super::{bytes, finding};
use crate::finding::{Code, Fix, Severity};
use crate::inside::StockFact;
use crate::report::{Area, Section};

/// What is known of the store.
pub(crate) enum Facts<'a> {
    Served {
        /// What it reports of it, or nothing when it did not answer.
        stock: Option<&'a StockFact>,
        /// Why it took nothing that was written to it, if it did not.
        unwritten: Option<&'a str>,
    },
    /// Looked at while no process has it; nothing when there is none yet.
    Alone(Result<Option<&'a StoreInspection>, &'a OpenError>),
    /// Not looked at, for this reason.
    Unchecked(String),
}

pub(crate) fn check(facts: &Facts<'_>) -> Section {
    let mut section = Section::new(Area::Store);
    match facts {
        Facts::Unchecked(why) => return Section::unseen(Area::Store, why.clone()),
        Facts::Served { stock, unwritten } => {
            if let Some(stock) = stock {
                section.fact(
                    "database",
                    format!("{}, its log {}", bytes(stock.database_bytes), bytes(stock.log_bytes)),
                );
            }
            section.findings.extend(silent(stock.is_some(), *unwritten));
        }
        Facts::Alone(Ok(None)) => section.fact("database", "none yet; it is made at the first start"),
        Facts::Alone(Ok(Some(look))) => {
            section.fact(
                "database",
                format!(
                    "{}, its log {}, schema {}",
                    bytes(look.database_bytes),
                    bytes(look.log_bytes),
                    look.schema
                ),
            );
            if look.schema < look.known {
                section.findings.push(finding(
                    Code::StoreBehind,
                    Severity::Note,
                    "store",
                    format!("The database has schema {}, this program has {}; the next start updates it.", look.schema, look.known),
                    Fix::advice("an older program will then refuse it: copy the data directory first if you may want to go back"),
                ));
            }
            if !look.checked {
                section.lacks("the database is large and was not checked in full; sqlite3's `PRAGMA quick_check` does that");
            }
        }
        Facts::Alone(Err(error)) => section.findings.push(unusable(error)),
    }
    section
}

/// A store that does not answer, or that answers and takes nothing.
fn silent(answers: bool, unwritten: Option<&str>) -> Option<crate::Finding> {
    let summary = match (answers, unwritten) {
        (true, None) => return None,
        (true, Some(_)) => "The database takes no writes, so nothing new is accepted.",
        (false, _) => "The database does not answer the server.",
    };
    let fix = Fix::command_and(
        "systemctl restart switchboard",
        "check first that the disk works and that no other program has the database open; waiting messages are kept",
    );
    Some(
        finding(Code::StoreSilent, Severity::Error, "store", summary, fix)
            .shown_by(unwritten.map(str::to_owned)),
    )
}

fn unusable(error: &OpenError) -> crate::Finding {
    let text = error.to_string();
    let (summary, way_out) = text.rsplit_once("; ").unwrap_or((&text, "the log of the server says more"));
    let code = if matches!(error, OpenError::Newer { .. }) { Code::StoreNewer } else { Code::StoreUnusable };
    let mode = way_out.split_once("run: ").map(|(_, command)| command.trim().to_owned());
    let fix = mode.map_or_else(|| Fix::advice(way_out), Fix::command);
    finding(code, Severity::Error, "store", format!("The database cannot be used: {summary}."), fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn store_errors_become_findings_with_a_fix() {
        let newer = check(&Facts::Alone(Err(&OpenError::Newer { found: 99, known: 8 })));
        assert_eq!(newer.findings[0].code, Code::StoreNewer);
        assert!(newer.findings[0].summary.contains("99"), "{}", newer.findings[0].summary);
        let open = OpenError::MasterKey(store::MasterKeyError::TooOpen {
            file: "/data/master.key".into(),
            mode: 0o644,
        });
        let open = check(&Facts::Alone(Err(&open)));
        assert_eq!(open.findings[0].fix, Fix::command("chmod 600 /data/master.key"));
        let served = |stock, unwritten| check(&Facts::Served { stock, unwritten }).findings;
        let stock = StockFact::default();
        assert_eq!(served(Some(&stock), None), []);
        for silent in [served(None, None), served(None, Some("late")), served(Some(&stock), Some("late"))] {
            assert_eq!((silent.len(), silent[0].code), (1, Code::StoreSilent), "{silent:?}");
        }
        assert_eq!(served(Some(&stock), Some("late"))[0].evidence, ["late"]);
        assert!(check(&Facts::Alone(Ok(None))).findings.is_empty());
    }
}
