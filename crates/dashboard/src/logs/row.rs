//! A log line as a row: the same on the page and on the wire of those who follow.

use ::logs::{Line, escaped};
use askama::Template;

use super::marked::{Piece, SHORT, pieces};
use crate::page;
use crate::words::{LogsWords, Wall};

/// Fields that a row shows beside its sentence, and the characters of each.
const FIELDS: usize = 4;
const FIELD: usize = 80;

#[derive(Template)]
#[template(path = "logs/row.html")]
pub(super) struct Row<'a> {
    pub(super) line: &'a Line,
    pub(super) words: &'static LogsWords,
    pub(super) wall: Wall,
    pub(super) sought: Option<&'a str>,
    /// The one that the page is about: with all its fields.
    pub(super) chosen: bool,
}

impl Row<'_> {
    fn message(&self) -> Vec<Piece> {
        let most = if self.chosen { usize::MAX - 1 } else { SHORT };
        pieces(&self.line.message, self.sought, most)
    }

    fn account(&self) -> String {
        escaped(self.line.account().unwrap_or_default()).to_string()
    }

    /// The first fields that say more than the columns do.
    fn fields(&self) -> Vec<(String, Vec<Piece>)> {
        let fields = self.line.fields.iter().filter(|(name, _)| name != "account" && name != "service");
        fields
            .take(FIELDS)
            .map(|(name, value)| (escaped(name).to_string(), pieces(value, self.sought, FIELD)))
            .collect()
    }

    fn all_fields(&self) -> Vec<(String, String)> {
        let fields = self.line.fields.iter();
        fields.map(|(name, value)| (escaped(name).to_string(), escaped(value).to_string())).collect()
    }

    /// The page of what it is about.
    fn subject_path(&self) -> Option<String> {
        let subject = self.line.subject()?;
        if subject.parse::<domain::MessageId>().is_ok() {
            Some(format!("/messages/{subject}"))
        } else if subject.parse::<domain::OperationId>().is_ok() {
            Some(format!("/operations/{subject}"))
        } else {
            None
        }
    }

    fn advice(&self) -> Option<&'static str> {
        self.words.advice(self.line.error?)
    }
}

/// A row as HTML on one line, as an event of a stream carries it.
pub(super) fn on_one_line(row: &Row<'_>) -> Result<String, askama::Error> {
    Ok(row.render()?.replace(['\n', '\r'], " "))
}
