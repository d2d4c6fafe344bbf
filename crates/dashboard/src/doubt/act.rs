//! Ending many doubts at once: a question with their number first, then one call of the API for each.

use access::Right;
use askama::Template;
use axum::extract::{Path, Query as QueryOf, State};
use axum::response::Response;
use domain::{MessageId, OperationId};
use http::Method;
use serde_json::{Value, json};

use crate::dashboard::Dashboard;
use crate::listing::{chosen, refuse, word};
use crate::operations::{Operation, makes_a_chat};
use crate::page::{self, refusal};
use crate::view::Section;
use crate::visitor::{Posted, Visitor};
use crate::words::{self, DoubtWords, WorkWords};

/// The most doubts that one press of a button ends.
const MOST: usize = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Happened,
    /// It did not: it is done again.
    Again,
}

impl Word {
    fn from_word(word: &str) -> Option<Self> {
        [Self::Happened, Self::Again].into_iter().find(|known| known.word() == word)
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Happened => "happened",
            Self::Again => "again",
        }
    }

    pub(super) const fn repeats(self) -> bool {
        matches!(self, Self::Again)
    }
}

/// A message or work on a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Message(MessageId),
    Operation(OperationId),
}

impl Subject {
    fn read(id: &str) -> Option<Self> {
        id.parse().map(Self::Message).or_else(|_| id.parse().map(Self::Operation)).ok()
    }

    const fn operation(self) -> Option<OperationId> {
        match self {
            Self::Message(_) => None,
            Self::Operation(id) => Some(id),
        }
    }

    /// The call that ends its doubt.
    fn call(self, word: Word) -> (String, Value) {
        let (path, happened, again) = match self {
            Self::Message(id) => (format!("/v1/messages/{id}/resolve"), "sent", "resend"),
            Self::Operation(id) => (format!("/v1/operations/{id}/resolve"), "done", "again"),
        };
        (path, json!({ "as": if word.repeats() { again } else { happened } }))
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Message(id) => id.fmt(f),
            Self::Operation(id) => id.fmt(f),
        }
    }
}

#[derive(Template)]
#[template(path = "doubt/question.html")]
pub(super) struct Question<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static DoubtWords,
    pub(super) work: &'static WorkWords,
    pub(super) word: Word,
    pub(super) subjects: &'a [Subject],
    /// Chats that may have been made: each has to be named, so each is decided on its own page.
    pub(super) apart: &'a [Operation],
}

fn subjects(pairs: &[(String, String)]) -> Vec<Subject> {
    chosen(pairs, MOST, Subject::read)
}

/// `/doubt/question`.
pub(crate) async fn ask(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    QueryOf(pairs): QueryOf<Vec<(String, String)>>,
) -> Response {
    if !visitor.may(Right::Send) {
        return refusal::not_allowed(&visitor);
    }
    let Some(word) = word(&pairs, "as", Word::from_word) else { return refusal::no_such_page(&visitor) };
    let words = DoubtWords::of(visitor.language);
    let (mut subjects, mut apart) = (subjects(&pairs), Vec::new());
    if word == Word::Happened {
        for id in subjects.iter().filter_map(|subject| subject.operation()) {
            let path = format!("/v1/operations/{id}");
            match dashboard.ask::<Operation>(&visitor, Method::GET, &path, None).await {
                Ok(operation) if makes_a_chat(&operation) => apart.push(operation),
                Ok(_) => {}
                Err(why) => return refusal::of_api(&visitor, &why),
            }
        }
        subjects.retain(|subject| apart.iter().all(|operation| operation.id != subject.to_string()));
    }
    let body = Question {
        visitor: &visitor,
        words,
        work: WorkWords::of(visitor.language),
        word,
        subjects: &subjects,
        apart: &apart,
    };
    page::page(&visitor, words.doubt, Section::Doubt, body)
}

/// `/doubt/actions/{word}`.
pub(crate) async fn act(
    State(dashboard): State<Dashboard>,
    Path(word): Path<String>,
    Posted { visitor, form }: Posted<Vec<(String, String)>>,
) -> Response {
    let Some(word) = Word::from_word(&word) else { return refusal::no_such_page(&visitor) };
    let words = DoubtWords::of(visitor.language);
    let subjects = subjects(&form);
    let call = |subject: &Subject| {
        let (path, body) = subject.call(word);
        (Method::POST, path, Some(body))
    };
    match dashboard.ask_each(&visitor, subjects.iter().map(call)).await {
        Ok(done) => page::done(&visitor, "/doubt", &words.acted(word.repeats(), done, subjects.len() as u64)),
        Err(why) => refuse(&visitor, "/doubt", &why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_doubt_is_ended_once_by_its_own_call() {
        let (message, operation) = ("msg_01k2v7m3w0e9tq4b8s6n5x1zyr", "op_01k2v7m3w0e9tq4b8s6n5x1zyr");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let pairs = [
            pair("id", message),
            pair("csrf", "x"),
            pair("id", message),
            pair("id", operation),
            pair("id", "../keys"),
        ];
        let found = subjects(&pairs);
        let calls: Vec<_> = found.iter().map(|subject| subject.call(Word::Again)).collect();
        assert_eq!(
            calls,
            [
                (format!("/v1/messages/{message}/resolve"), json!({ "as": "resend" })),
                (format!("/v1/operations/{operation}/resolve"), json!({ "as": "again" })),
            ]
        );
        for word in [Word::Happened, Word::Again] {
            assert_eq!(Word::from_word(word.word()), Some(word));
        }
    }
}
