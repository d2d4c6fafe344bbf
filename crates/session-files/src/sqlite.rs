//! A foreign database: opened so that it can do nothing, and read by the names of its columns.

use std::collections::HashSet;
use std::fmt::Write;
use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;

use domain::{AccessHash, ChatId, ChatKind};
use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row};

use crate::Unreadable;
use crate::centre;
use crate::private_copy::PrivateCopy;
use crate::session::{Kind, UpdateState};
use crate::tables::{TableRows, TableText};

/// What every SQLite file begins with.
pub(crate) const MAGIC: &[u8] = b"SQLite format 3\0";

/// The length of a database's header, and of the smallest page it can be on.
const HEADER: usize = 100;
pub(crate) const SMALLEST: u64 = 512;

/// A private copy, opened. It lives no longer than the copy it was opened on.
pub(crate) struct Database<'a> {
    connection: Connection,
    _copy: &'a PrivateCopy,
}

impl<'a> Database<'a> {
    /// Opens a copy, read-only.
    pub(crate) fn open(copy: &'a PrivateCopy) -> Result<Self, Unreadable> {
        if copy.is_unfinished() {
            recover(&copy.path())?;
        }
        check_length(&copy.path())?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_EXRESCODE;
        let connection = Connection::open_with_flags(uri(&copy.path()), flags)?;
        distrust(&connection)?;
        Ok(Self { connection, _copy: copy })
    }

    pub(crate) fn has_columns(&self, table: &str, columns: &[&str]) -> Result<bool, Unreadable> {
        let there = self.columns(table)?;
        Ok(columns.iter().all(|column| there.contains(*column)))
    }

    /// The columns of a table, in lower case; none when there is no such table.
    pub(crate) fn columns(&self, table: &str) -> Result<HashSet<String>, Unreadable> {
        // Views are no tables: what they say is computed, and may be computed for ever.
        let table = self
            .connection
            .query_row(
                "SELECT name FROM sqlite_master
                 WHERE type = 'table' AND lower(name) = ?1 AND sql NOT LIKE 'create virtual%'",
                [table],
                |row| row.get::<_, String>(0),
            )
            .optional()?;
        let Some(table) = table else { return Ok(HashSet::new()) };
        let mut statement = self.connection.prepare("SELECT lower(name) FROM pragma_table_info(?1)")?;
        let names = statement.query_map([table], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    /// The version that a file says it has, in the table `version`.
    pub(crate) fn version(&self, column: &str, kind: Kind, newest: u32) -> Result<u32, Unreadable> {
        let version = self.first("version", &[column], "", |row| Ok(row.integer(column)))?.flatten();
        let version = version.unwrap_or_default();
        u32::try_from(version)
            .ok()
            .filter(|version| (1..=newest).contains(version))
            .ok_or(Unreadable::OtherVersion { kind, version, newest })
    }

    /// All tables with the number of their rows.
    pub(crate) fn tables(&self) -> Result<Vec<TableRows>, Unreadable> {
        let sql = "SELECT name FROM sqlite_master
                   WHERE type = 'table' AND sql NOT LIKE 'create virtual%' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
                   ORDER BY name";
        let mut statement = self.connection.prepare(sql)?;
        let names = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
        let counted = names.into_iter().map(|name| {
            let sql = format!("SELECT count(*) FROM \"{}\"", name.replace('"', "\"\""));
            let rows: i64 = self.connection.query_row(&sql, [], |row| row.get(0))?;
            Ok(TableRows { name, rows: u64::try_from(rows).unwrap_or_default() })
        });
        counted.collect()
    }

    /// All rows of a table, as text.
    pub(crate) fn text(&self, name: String) -> Result<TableText, Unreadable> {
        let mut statement =
            self.connection.prepare(&format!("SELECT * FROM \"{}\"", name.replace('"', "\"\"")))?;
        let columns: Vec<String> = statement.column_names().map(str::to_lowercase).collect();
        let mut found = statement.query([])?;
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            let values = (0..columns.len()).map(|place| row.get_ref(place).map(shown));
            rows.push(values.collect::<Result<_, _>>()?);
        }
        Ok(TableText { name, columns, rows })
    }

    pub(crate) fn pragma(&self, name: &str) -> Result<i64, Unreadable> {
        Ok(self.connection.pragma_query_value(None, name, |row| row.get(0))?)
    }

    /// Goes through the rows of a table. Columns that it does not have are read as NULL.
    ///
    /// `rest` is what follows the table's name: conditions and order, on columns that are there.
    pub(crate) fn each(
        &self,
        table: &str,
        columns: &[&str],
        rest: &str,
        mut visit: impl FnMut(Fields<'_>) -> Result<(), Unreadable>,
    ) -> Result<(), Unreadable> {
        let there = self.columns(table)?;
        if there.is_empty() {
            return Ok(());
        }
        let mut select = String::new();
        for column in columns {
            let comma = if select.is_empty() { "" } else { ", " };
            let source = if there.contains(*column) { column } else { "NULL" };
            // Writing to a string cannot fail.
            let _ = write!(select, "{comma}{source} AS {column}");
        }
        let mut statement = self.connection.prepare(&format!("SELECT {select} FROM {table} {rest}"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            visit(Fields(row))?;
        }
        Ok(())
    }

    /// The first row of a table.
    pub(crate) fn first<T>(
        &self,
        table: &str,
        columns: &[&str],
        rest: &str,
        read: impl Fn(Fields<'_>) -> Result<T, Unreadable>,
    ) -> Result<Option<T>, Unreadable> {
        let mut found = None;
        self.each(table, columns, &format!("{rest} LIMIT 1"), |fields| {
            found = Some(read(fields)?);
            Ok(())
        })?;
        Ok(found)
    }
}

/// A row whose columns may have any type: SQLite does not mind, and old programs did not either.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(&'a Row<'a>);

impl<'a> Fields<'a> {
    fn value(self, column: &str) -> ValueRef<'a> {
        self.0.get_ref(column).unwrap_or(ValueRef::Null)
    }

    /// A whole number; the part behind the point is left out.
    pub(crate) fn integer(self, column: &str) -> Option<i64> {
        match self.value(column) {
            ValueRef::Integer(number) => Some(number),
            ValueRef::Real(number) => whole(number),
            ValueRef::Text(text) => str::from_utf8(text).ok()?.trim().parse().ok(),
            ValueRef::Null | ValueRef::Blob(_) => None,
        }
    }

    /// The access hash of this peer; basic groups have none.
    pub(crate) fn access_hash(self, column: &str, peer: ChatId) -> Option<AccessHash> {
        let hash = self.integer(column).filter(|_| peer.kind() != ChatKind::Group);
        hash.map(AccessHash)
    }

    /// A number of the size of most of Telegram's; 0 for what is none.
    pub(crate) fn count(self, column: &str) -> i32 {
        self.integer(column).and_then(|number| i32::try_from(number).ok()).unwrap_or_default()
    }

    pub(crate) fn real(self, column: &str) -> Option<f64> {
        match self.value(column) {
            ValueRef::Real(number) => Some(number),
            // Exact up to 2^53, which is farther than any time goes.
            #[expect(clippy::cast_precision_loss, reason = "times are small")]
            ValueRef::Integer(number) => Some(number as f64),
            ValueRef::Text(text) => str::from_utf8(text).ok()?.trim().parse().ok(),
            ValueRef::Null | ValueRef::Blob(_) => None,
        }
    }

    /// The address in Telethon's and Kurigram's columns; none when it is not there or no number.
    pub(crate) fn address(self) -> Option<SocketAddr> {
        let ip = self.text("server_address")?.trim_matches(['[', ']']).parse().ok()?;
        centre::address(ip, u16::try_from(self.integer("port")?).ok()?)
    }

    pub(crate) fn update_state(self) -> UpdateState {
        let date = self.integer("date").unwrap_or_default();
        UpdateState { pts: self.count("pts"), qts: self.count("qts"), date, seq: self.count("seq") }
    }

    /// Text with something in it. A number counts as its digits.
    pub(crate) fn text(self, column: &str) -> Option<String> {
        shown(self.value(column))
    }

    /// Bytes in place; none when there are none.
    pub(crate) fn bytes(self, column: &str) -> &'a [u8] {
        match self.value(column) {
            ValueRef::Blob(bytes) | ValueRef::Text(bytes) => bytes,
            ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => &[],
        }
    }
}

/// Text with something in it. A number counts as its digits.
fn shown(value: ValueRef<'_>) -> Option<String> {
    let text = match value {
        ValueRef::Text(text) | ValueRef::Blob(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Null => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// The whole part of a number; none for what is not one or too large.
pub(crate) fn whole(number: f64) -> Option<i64> {
    const LIMIT: f64 = 9.0e18;
    #[expect(clippy::cast_possible_truncation, reason = "its size was looked at")]
    (number.abs() < LIMIT).then_some(number.trunc() as i64)
}

/// Lets SQLite bring the copy to the last state that was complete.
fn recover(path: &Path) -> Result<(), Unreadable> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    distrust(&connection)?;
    connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?;
    connection.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))?;
    Ok(())
}

/// Nothing that a stranger put into the schema is run.
fn distrust(connection: &Connection) -> Result<(), Unreadable> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    Ok(())
}

/// Compares the length of a file with what its header says.
fn check_length(path: &Path) -> Result<(), Unreadable> {
    let mut header = Vec::new();
    let mut file = File::open(path)?;
    let there = file.metadata()?.len();
    file.by_ref().take(HEADER as u64).read_to_end(&mut header)?;
    match wanted_length(&header) {
        Some(wanted) if there < wanted => Err(Unreadable::HalfCopied { there, wanted }),
        _ => Ok(()),
    }
}

/// How many bytes a header says that its file has, if it can be believed.
fn wanted_length(header: &[u8]) -> Option<u64> {
    let number = |at: usize| header.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    if header.len() < HEADER {
        return Some(SMALLEST);
    }
    let pages = number(28)?;
    let page = match header.get(16..18)? {
        [0, 1] => 65536,
        [high, low] => u64::from(u16::from_be_bytes([*high, *low])),
        _ => return None,
    };
    // Programs older than SQLite 3.7 do not keep the count; then the two numbers differ.
    (number(24)? == number(92)?).then_some(page * u64::from(pages))
}

/// The address under which SQLite opens a file that no one changes.
fn uri(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.".contains(byte) {
            uri.push(char::from(*byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri + "?mode=ro&immutable=1"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_path_is_named_so_that_sqlite_understands_it() {
        assert_eq!(uri(Path::new("/a b/c?d#%.x")), "file:/a%20b/c%3Fd%23%25.x?mode=ro&immutable=1");
    }

    #[test]
    fn a_header_gives_the_length_of_its_file() {
        assert_eq!(wanted_length(MAGIC), Some(512));
        let mut header = [0; HEADER];
        header[16..18].copy_from_slice(&4096_u16.to_be_bytes());
        header[28..32].copy_from_slice(&7_u32.to_be_bytes());
        assert_eq!(wanted_length(&header), Some(7 * 4096));
        header[16..18].copy_from_slice(&[0, 1]);
        assert_eq!(wanted_length(&header), Some(7 * 65536));
        header[24] = 1;
        assert_eq!(wanted_length(&header), None);
    }

    #[test]
    fn numbers_lose_their_fraction() {
        assert_eq!(whole(1_700_000_000.75), Some(1_700_000_000));
        assert_eq!([f64::NAN, f64::INFINITY, -1e300].map(whole), [None; 3]);
    }
}
