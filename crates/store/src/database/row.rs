//! A row that a statement found.

use crate::StoreError;
use crate::database::{OwnedValue, Value, postgres, sqlite};

/// A row, as long as the next one is not asked for.
pub(crate) enum Row<'a> {
    /// Of SQLite.
    Sqlite(&'a rusqlite::Row<'a>),
    /// Of PostgreSQL.
    Postgres(&'a tokio_postgres::Row),
}

/// What a column can be read into.
pub(crate) trait FromValue: Sized {
    /// Reads a value; an error says what it is not.
    fn from_value(value: Value<'_>) -> Result<Self, String>;
}

impl Row<'_> {
    /// A column as it is, or what is wrong with it.
    pub(crate) fn value(&self, index: usize) -> Result<Value<'_>, String> {
        match self {
            Self::Sqlite(row) => sqlite::value(row, index),
            Self::Postgres(row) => postgres::value(row, index),
        }
    }

    /// A column as a type.
    pub(crate) fn get<T: FromValue>(&self, index: usize) -> Result<T, StoreError> {
        self.value(index)
            .and_then(T::from_value)
            .map_err(|what| StoreError::corrupt("the database", self.column_name(index), "?", what))
    }

    /// A column's text; none where it holds something else.
    pub(crate) fn text(&self, index: usize) -> Option<&str> {
        match self.value(index) {
            Ok(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The name of a column.
    pub(crate) fn column_name(&self, index: usize) -> &str {
        match self {
            Self::Sqlite(row) => row.as_ref().column_name(index).unwrap_or("?"),
            Self::Postgres(row) => row.columns().get(index).map_or("?", tokio_postgres::Column::name),
        }
    }

    /// The column of this name.
    pub(crate) fn named(&self, name: &str) -> Option<Value<'_>> {
        let index = match self {
            Self::Sqlite(row) => row.as_ref().column_index(name).ok()?,
            Self::Postgres(row) => row.columns().iter().position(|column| column.name() == name)?,
        };
        self.value(index).ok()
    }
}

macro_rules! integers {
    ($($type:ty)+) => {$(
        impl FromValue for $type {
            fn from_value(value: Value<'_>) -> Result<Self, String> {
                let number = i64::from_value(value)?;
                number.try_into().map_err(|_| format!("{number} does not fit"))
            }
        }
    )+};
}
integers! { i32 u32 u16 u8 }

impl FromValue for i64 {
    fn from_value(value: Value<'_>) -> Result<Self, String> {
        match value {
            Value::Integer(number) => Ok(number),
            other => Err(is_no("number", &other)),
        }
    }
}

impl FromValue for bool {
    fn from_value(value: Value<'_>) -> Result<Self, String> {
        i64::from_value(value).map(|number| number != 0)
    }
}

impl FromValue for OwnedValue {
    fn from_value(value: Value<'_>) -> Result<Self, String> {
        Ok(value.into())
    }
}

impl FromValue for String {
    fn from_value(value: Value<'_>) -> Result<Self, String> {
        match value {
            Value::Text(text) => Ok(text.to_owned()),
            other => Err(is_no("text", &other)),
        }
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: Value<'_>) -> Result<Self, String> {
        match value {
            Value::Blob(bytes) => Ok(bytes.to_owned()),
            other => Err(is_no("blob", &other)),
        }
    }
}

impl<const N: usize> FromValue for [u8; N] {
    fn from_value(value: Value<'_>) -> Result<Self, String> {
        match value {
            Value::Blob(bytes) => bytes.try_into().map_err(|_| format!("{} bytes are not {N}", bytes.len())),
            other => Err(is_no("blob", &other)),
        }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value<'_>) -> Result<Self, String> {
        if value == Value::Null { Ok(None) } else { T::from_value(value).map(Some) }
    }
}

/// Says what a value is not, without the value: it may be a person's words.
fn is_no(expected: &str, found: &Value<'_>) -> String {
    let kind = match found {
        Value::Null => "NULL",
        Value::Integer(_) => "a number",
        Value::Text(_) => "a text",
        Value::Blob(_) => "a blob",
    };
    format!("{kind} is no {expected}")
}
