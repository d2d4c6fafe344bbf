//! Tables of another program in a database of PostgreSQL: read as they are at one moment, and never changed.

use domain::Timestamp;
use serde_json::{Map, Value};

use crate::database::postgres::Use;
use crate::database::{Address, Postgres};
use crate::{OpenError, StoreError};

/// Rows that are asked for at once.
const FETCH: &str = "FETCH 1000 FROM rows_of_a_table";

/// A table that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignTable {
    /// As it was asked for.
    pub name: String,
    pub columns: Vec<String>,
    pub rows: u64,
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct ForeignRow<'a> {
    pub table: &'a str,
    /// Its values by the names of columns.
    pub columns: Map<String, Value>,
    /// Seconds that the clocks of the server are ahead of UTC: times without a zone are meant so.
    pub utc_offset: i64,
}

/// What another program has in a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignTables {
    /// Those that are there, in the order in which they were asked for.
    pub tables: Vec<ForeignTable>,
}

/// Reads tables of these names, row after row; each row is an object with its columns. Views are not looked at: they may be ours. The
/// database is asked in a transaction that can only read. It blocks.
///
/// # Errors
/// The address is none of PostgreSQL, the server cannot be reached or refuses to answer.
pub fn read_foreign(
    url: &str,
    wanted: &[&str],
    mut each: impl FnMut(ForeignRow<'_>),
) -> Result<ForeignTables, OpenError> {
    let config = match Address::parse(url, "".as_ref())? {
        Address::Postgres(config) => config,
        Address::Sqlite(_) => return Err(OpenError::UnsupportedUrl { scheme: "sqlite".to_owned() }),
    };
    let database = Postgres::connect(&config, Use::Reading)?;
    read(&database, wanted, &mut each).map_err(|error| OpenError::Server { what: error.to_string() })
}

fn read(
    database: &Postgres,
    wanted: &[&str],
    each: &mut dyn FnMut(ForeignRow<'_>),
) -> Result<ForeignTables, StoreError> {
    database.begin_reading()?;
    let offset = "SELECT extract(timezone FROM now())::bigint";
    let utc_offset = database.first(offset, &(), |row| row.get(0))?.unwrap_or(0);
    let mut tables = Vec::new();
    for name in wanted {
        let found = "
            SELECT oid::regclass::text FROM pg_class
            WHERE oid = to_regclass($1) AND relkind IN ('r', 'p', 'f', 'm')";
        let Some(quoted) = database.first(found, &[*name], |row| row.get::<String>(0))? else { continue };
        let columns = "
            SELECT attname::text FROM pg_attribute
            WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum";
        let mut table = ForeignTable { name: (*name).to_owned(), columns: Vec::new(), rows: 0 };
        database.each(columns, &[*name], &mut |row| {
            table.columns.push(row.get(0)?);
            Ok(std::ops::ControlFlow::Continue(()))
        })?;
        database.batch(&format!(
            "DECLARE rows_of_a_table NO SCROLL CURSOR FOR SELECT row_to_json(found)::text FROM {quoted} found"
        ))?;
        loop {
            let mut fetched = 0;
            database.each(FETCH, &(), &mut |row| {
                fetched += 1;
                if let Ok(Value::Object(columns)) = serde_json::from_str(&row.get::<String>(0)?) {
                    each(ForeignRow { table: name, columns, utc_offset });
                }
                Ok(std::ops::ControlFlow::Continue(()))
            })?;
            table.rows += fetched;
            if fetched == 0 {
                break;
            }
        }
        database.batch("CLOSE rows_of_a_table")?;
        tables.push(table);
    }
    // Nothing was changed; it ends the moment that was looked at.
    database.batch("ROLLBACK")?;
    Ok(ForeignTables { tables })
}

/// The first of these columns that holds something, as text.
pub fn text(row: &Map<String, Value>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| match row.get(*name)? {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    })
}

/// The first of these columns that holds a number.
pub fn number(row: &Map<String, Value>, names: &[&str]) -> Option<u64> {
    names.iter().find_map(|name| match row.get(*name)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    })
}

/// Whether one of these columns holds yes.
pub fn flag(row: &Map<String, Value>, names: &[&str]) -> bool {
    names.iter().any(|name| match row.get(*name) {
        Some(Value::Bool(flag)) => *flag,
        Some(Value::Number(number)) => number.as_i64() != Some(0),
        Some(Value::String(text)) => ["true", "t", "yes", "1"].contains(&text.to_lowercase().as_str()),
        _ => false,
    })
}

/// A time with or without a zone, or seconds since 1970.
pub fn time(row: &Map<String, Value>, names: &[&str], utc_offset: i64) -> Option<Timestamp> {
    names.iter().find_map(|name| match row.get(*name)? {
        Value::Number(number) => {
            #[expect(clippy::cast_possible_truncation, reason = "a time of this millennium fits")]
            let micros = (number.as_f64()? * 1e6).round() as i64;
            Some(Timestamp::from_micros(micros))
        }
        Value::String(text) => {
            let text = text.replacen(' ', "T", 1);
            let naive = || -> Option<Timestamp> {
                let read: Timestamp = format!("{text}Z").parse().ok()?;
                Some(Timestamp::from_micros(read.as_micros() - utc_offset.saturating_mul(1_000_000)))
            };
            text.parse().ok().or_else(naive)
        }
        _ => None,
    })
}
