//! Reading columns into the words of the domain; what does not fit names its table.

use std::fmt::Display;
use std::str::FromStr;

use domain::{
    AccountName, ApiKeyId, ChatId, ContactProof, MessageId, OperationId, ProvedContact, Timestamp, UserId,
};
use uuid::Uuid;

use crate::StoreError;
use crate::database::{FromValue, Row, Value};

/// A row of a known table.
pub(crate) struct Columns<'a> {
    row: &'a Row<'a>,
    table: &'static str,
}

impl<'a> Columns<'a> {
    pub(crate) const fn new(row: &'a Row<'a>, table: &'static str) -> Self {
        Self { row, table }
    }

    /// A column as a type of the language.
    pub(crate) fn get<T: FromValue>(&self, index: usize) -> Result<T, StoreError> {
        let value = self.row.value(index).map_err(|what| self.corrupt(index, what))?;
        T::from_value(value).map_err(|what| self.corrupt(index, what))
    }

    pub(crate) fn message_id(&self, index: usize) -> Result<MessageId, StoreError> {
        self.get(index).map(|bytes| MessageId::from_uuid(Uuid::from_bytes(bytes)))
    }

    pub(crate) fn operation_id(&self, index: usize) -> Result<OperationId, StoreError> {
        self.get(index).map(|bytes| OperationId::from_uuid(Uuid::from_bytes(bytes)))
    }

    pub(crate) fn maybe_operation_id(&self, index: usize) -> Result<Option<OperationId>, StoreError> {
        let bytes = self.get::<Option<[u8; 16]>>(index)?;
        Ok(bytes.map(|bytes| OperationId::from_uuid(Uuid::from_bytes(bytes))))
    }

    pub(crate) fn maybe_api_key(&self, index: usize) -> Result<Option<ApiKeyId>, StoreError> {
        let bytes = self.get::<Option<[u8; 16]>>(index)?;
        Ok(bytes.map(|bytes| ApiKeyId::from_uuid(Uuid::from_bytes(bytes))))
    }

    pub(crate) fn time(&self, index: usize) -> Result<Timestamp, StoreError> {
        self.get(index).map(Timestamp::from_micros)
    }

    pub(crate) fn maybe_time(&self, index: usize) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.get::<Option<i64>>(index)?.map(Timestamp::from_micros))
    }

    pub(crate) fn chat_id(&self, index: usize) -> Result<ChatId, StoreError> {
        let number = self.get(index)?;
        ChatId::new(number).ok_or_else(|| self.strange(index, "chat id", number))
    }

    pub(crate) fn maybe_chat_id(&self, index: usize) -> Result<Option<ChatId>, StoreError> {
        match self.get::<Option<i64>>(index)? {
            None => Ok(None),
            Some(number) => {
                ChatId::new(number).map(Some).ok_or_else(|| self.strange(index, "chat id", number))
            }
        }
    }

    pub(crate) fn maybe_user_id(&self, index: usize) -> Result<Option<UserId>, StoreError> {
        let read = |id| UserId::try_from(id).map_err(|error| self.corrupt(index, error));
        self.get::<Option<i64>>(index)?.map(read).transpose()
    }

    pub(crate) fn account(&self, index: usize) -> Result<AccountName, StoreError> {
        self.parsed(index)
    }

    pub(crate) fn maybe_account(&self, index: usize) -> Result<Option<AccountName>, StoreError> {
        self.maybe_parsed(index)
    }

    /// A text that is the written form of something.
    pub(crate) fn parsed<T: FromStr<Err: Display>>(&self, index: usize) -> Result<T, StoreError> {
        let Ok(Value::Text(text)) = self.row.value(index) else {
            return Err(self.corrupt(index, "it is no text"));
        };
        text.parse().map_err(|error: T::Err| self.corrupt(index, error))
    }

    /// The same, where there may be none.
    pub(crate) fn maybe_parsed<T: FromStr<Err: Display>>(
        &self,
        index: usize,
    ) -> Result<Option<T>, StoreError> {
        if self.is_null(index) { Ok(None) } else { self.parsed(index).map(Some) }
    }

    /// A number that counts something.
    pub(crate) fn count(&self, index: usize) -> Result<u64, StoreError> {
        let number: i64 = self.get(index)?;
        u64::try_from(number).map_err(|_| self.strange(index, "count", number))
    }

    /// A number that stands for a word.
    pub(crate) fn coded<T>(
        &self,
        index: usize,
        what: &str,
        read: impl FnOnce(i64) -> Option<T>,
    ) -> Result<T, StoreError> {
        let code = self.get(index)?;
        read(code).ok_or_else(|| self.strange(index, what, code))
    }

    /// A word.
    pub(crate) fn word<T>(
        &self,
        index: usize,
        what: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, StoreError> {
        let word: String = self.get(index)?;
        read(&word).ok_or_else(|| self.strange(index, what, word))
    }

    /// JSON.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self, index: usize) -> Result<T, StoreError> {
        let text: String = self.get(index)?;
        serde_json::from_str(&text).map_err(|error| self.corrupt(index, error))
    }

    /// JSON, where there may be none.
    pub(crate) fn maybe_json<T: serde::de::DeserializeOwned>(
        &self,
        index: usize,
    ) -> Result<Option<T>, StoreError> {
        if self.is_null(index) { Ok(None) } else { self.json(index).map(Some) }
    }

    pub(crate) fn strange(&self, index: usize, what: &str, value: impl Display) -> StoreError {
        self.corrupt(index, format_args!("{value} is no {what}"))
    }

    fn id_in_words(&self, id: Uuid) -> String {
        match self.table.split('_').next() {
            Some("outbox") => MessageId::from_uuid(id).to_string(),
            Some("operation" | "operations") => OperationId::from_uuid(id).to_string(),
            _ => id.to_string(),
        }
    }

    /// A contact and its proof; none where there is no contact.
    pub(crate) fn maybe_contact(
        &self,
        value: usize,
        proof: usize,
    ) -> Result<Option<ProvedContact>, StoreError> {
        let Some(value) = self.get::<Option<String>>(value)? else { return Ok(None) };
        // A contact without a proof is one that no one checked.
        let proof = self.maybe_parsed(proof)?.unwrap_or(ContactProof::Typed);
        Ok(Some(ProvedContact { value, proof }))
    }

    pub(crate) fn is_null(&self, index: usize) -> bool {
        self.row.value(index) == Ok(Value::Null)
    }

    /// The error for a column that cannot be read.
    fn corrupt(&self, index: usize, what: impl Display) -> StoreError {
        let id = ["message_id", "operation_id", "id", "name", "account"]
            .into_iter()
            .find_map(|name| self.row.named(name))
            .and_then(|value| match value {
                Value::Blob(bytes) => Some(self.id_in_words(Uuid::from_slice(bytes).ok()?)),
                Value::Text(text) => Some(text.to_owned()),
                Value::Integer(number) => Some(number.to_string()),
                Value::Null => None,
            });
        let id = id.unwrap_or_else(|| "?".to_owned());
        StoreError::corrupt(self.table, self.row.column_name(index), id, what)
    }
}

/// Writes JSON for a column of this table.
pub(crate) fn to_json<T: serde::Serialize>(table: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Unavailable(format!("{table}: {error}")))
}
