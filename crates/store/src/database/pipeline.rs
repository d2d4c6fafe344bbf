//! Statements that wait to be sent to PostgreSQL together: their values as the server reads them, and one statement for the
//! rows of many.

use std::error::Error;

use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Statement};

use crate::database::{Parameters, Value};

/// Statements in the order in which they are sent.
#[derive(Default)]
pub(super) struct Pipeline {
    waiting: Vec<Waiting>,
    /// Those before this one take no more rows: what comes after them may read what they change.
    open_from: usize,
}

impl Pipeline {
    /// A statement of its own.
    pub(super) fn put(&mut self, statement: Statement, parameters: &impl Parameters) {
        self.waiting.push(Waiting::new(statement, parameters));
        self.open_from = self.waiting.len();
    }

    /// A statement of its own that those before it have nothing to do with: they take more rows.
    pub(super) fn put_beside(&mut self, statement: Statement, parameters: &impl Parameters) {
        self.waiting.push(Waiting::new(statement, parameters));
    }

    /// The statement that takes rows under this text.
    pub(super) fn of_rows(&mut self, sql: &'static str) -> Option<&mut Waiting> {
        self.waiting[self.open_from..].iter_mut().find(|waiting| waiting.sql == Some(sql))
    }

    /// A statement that takes more rows. `is_exact`: each of them changes one.
    pub(super) fn put_row(
        &mut self,
        sql: &'static str,
        statement: Statement,
        parameters: &impl Parameters,
        is_exact: bool,
    ) {
        self.waiting.push(Waiting { sql: Some(sql), is_exact, ..Waiting::new(statement, parameters) });
    }

    pub(super) fn clear(&mut self) {
        self.take();
    }

    pub(super) fn take(&mut self) -> Vec<Waiting> {
        self.open_from = 0;
        std::mem::take(&mut self.waiting)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether the count of any of them is looked at.
    pub(super) fn has_exact(&self) -> bool {
        self.waiting.iter().any(|waiting| waiting.is_exact)
    }
}

/// A statement with its rows.
pub(super) struct Waiting {
    sql: Option<&'static str>,
    statement: Statement,
    values: Vec<Values>,
    rows: u32,
    is_exact: bool,
}

impl Waiting {
    pub(super) fn new(statement: Statement, parameters: &impl Parameters) -> Self {
        let values = statement.params().iter().cloned().map(Values::of).collect();
        let mut new = Self { sql: None, statement, values, rows: 0, is_exact: false };
        new.add(parameters);
        new
    }

    /// One more row.
    pub(super) fn add(&mut self, parameters: &impl Parameters) {
        let mut values = self.values.iter_mut();
        parameters.each(&mut |value| {
            if let Some(values) = values.next() {
                values.push(value);
            }
        });
        self.rows += 1;
    }

    /// The text of the statement for all rows, where there are several.
    pub(super) fn for_many(&self) -> Option<String> {
        let sql = self.sql.filter(|_| self.rows > 1)?;
        Some(for_many(sql, self.statement.params()))
    }

    /// Goes on with the statement for all rows.
    pub(super) fn become_one_for_many(&mut self, statement: Statement) {
        self.statement = statement;
    }

    /// Whether it changed as many rows as it is to change.
    pub(super) fn is_right(&self, count: u64) -> bool {
        !self.is_exact || count == u64::from(self.rows)
    }

    pub(super) async fn execute(&self, client: &Client) -> Result<u64, tokio_postgres::Error> {
        let bound = self.values.iter().map(|values| Bound { values, rows: self.rows });
        client.execute_raw(&self.statement, bound).await
    }

    pub(super) async fn query(
        &self,
        client: &Client,
    ) -> Result<Vec<tokio_postgres::Row>, tokio_postgres::Error> {
        let bound: Vec<_> = self.values.iter().map(|values| Bound { values, rows: self.rows }).collect();
        let bound: Vec<_> = bound.iter().map(|bound| bound as &(dyn ToSql + Sync)).collect();
        client.query(&self.statement, &bound).await
    }
}

/// The values of one parameter, a row after another: the length of each, -1 for none, and its bytes.
#[derive(Debug)]
struct Values {
    kind: Type,
    encoded: Vec<u8>,
    has_null: bool,
}

impl Values {
    const fn of(kind: Type) -> Self {
        Self { kind, encoded: Vec::new(), has_null: false }
    }

    fn push(&mut self, value: Value<'_>) {
        match value {
            Value::Null => {
                self.has_null = true;
                self.encoded.extend_from_slice(&(-1_i32).to_be_bytes());
            }
            // One that does not fit is refused by the server for its length.
            Value::Integer(number) => match i32::try_from(number) {
                Ok(number) if self.kind == Type::INT4 => self.put(&number.to_be_bytes()),
                _ => self.put(&number.to_be_bytes()),
            },
            // PostgreSQL stores no such character in a text.
            Value::Text(text) if text.contains('\0') => self.put(text.replace('\0', "\u{fffd}").as_bytes()),
            Value::Text(text) => self.put(text.as_bytes()),
            Value::Blob(bytes) => self.put(bytes),
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        // What is longer than that is no value: the server refuses it.
        self.encoded.extend_from_slice(&i32::try_from(bytes.len()).unwrap_or(i32::MAX).to_be_bytes());
        self.encoded.extend_from_slice(bytes);
    }
}

/// The values of a parameter as they are sent: the value of the only row, or an array.
#[derive(Debug)]
struct Bound<'a> {
    values: &'a Values,
    rows: u32,
}

impl ToSql for Bound<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let Values { kind, encoded, has_null } = self.values;
        if self.rows == 1 {
            if *has_null {
                return Ok(IsNull::Yes);
            }
            out.extend_from_slice(encoded.get(4..).ok_or("a parameter without a value")?);
            return Ok(IsNull::No);
        }
        // Its dimensions, whether any is NULL, the type; how many there are, and the number of the first.
        for number in [1, u32::from(*has_null), kind.oid(), self.rows, 1] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        out.extend_from_slice(encoded);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// The statement for the rows of arrays, made of the one for a row: `$1` becomes a column of what the arrays are.
fn for_many(sql: &str, kinds: &[Type]) -> String {
    let list = |item: &dyn Fn(usize, &Type) -> String| {
        let items: Vec<_> = (1..).zip(kinds).map(|(number, kind)| item(number, kind)).collect();
        items.join(", ")
    };
    let rows = format!(
        "unnest({}) AS many ({})",
        list(&|number, kind| format!("${number}::{}[]", kind.name())),
        list(&|number, _| format!("p{number}"))
    );
    let sql = sql.replace('$', "many.p");
    if let Some((before, values)) = sql.split_once("VALUES (") {
        let (values, rest) = values.split_at(values.find("ON CONFLICT").unwrap_or(values.len()));
        return format!(
            "{before}SELECT one.* FROM {rows} CROSS JOIN LATERAL (VALUES ({}) AS one {rest}",
            values.trim_end()
        );
    }
    let word = if sql.trim_start().starts_with("DELETE") { "USING" } else { "FROM" };
    let condition = condition_of(&sql);
    format!("{}{word} {rows} {}", &sql[..condition], &sql[condition..])
}

/// Where the condition of the statement itself begins.
fn condition_of(sql: &str) -> usize {
    let is_outside = |at: &usize| {
        let before = &sql[..*at];
        before.matches('(').count() == before.matches(')').count()
    };
    sql.match_indices("WHERE").map(|(at, _)| at).find(is_outside).unwrap_or(sql.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_for_a_row_becomes_one_for_many() {
        let kinds = [Type::BYTEA, Type::INT8];
        let rows = "unnest($1::bytea[], $2::int8[]) AS many (p1, p2)";
        for (one, many) in [
            (
                "INSERT INTO t (a, b) VALUES ($1, (SELECT max(b) FROM t WHERE a = $1) + $2) ON CONFLICT (a) DO NOTHING",
                format!(
                    "INSERT INTO t (a, b) SELECT one.* FROM {rows} CROSS JOIN LATERAL \
                     (VALUES (many.p1, (SELECT max(b) FROM t WHERE a = many.p1) + many.p2)) AS one ON CONFLICT (a) DO NOTHING"
                ),
            ),
            (
                "UPDATE t SET b = (SELECT 1 WHERE true) WHERE a = $1 AND b = $2",
                format!(
                    "UPDATE t SET b = (SELECT 1 WHERE true) FROM {rows} WHERE a = many.p1 AND b = many.p2"
                ),
            ),
            (
                "DELETE FROM t WHERE a = $1 AND b = $2",
                format!("DELETE FROM t USING {rows} WHERE a = many.p1 AND b = many.p2"),
            ),
        ] {
            assert_eq!(for_many(one, &kinds), many);
        }
    }
}
