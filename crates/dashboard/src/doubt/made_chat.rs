//! The chat that a person says was made: what cannot be one, and the way back to the form about it.

use axum::response::Response;
use domain::ChatId;
use domain::chat::ChatKind;

use crate::ask::Refused;
use crate::listing::address;
use crate::page;
use crate::visitor::Visitor;
use crate::words::DoubtWords;

/// What was written in its field and cannot be it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WrongChat {
    /// Nothing was written.
    Missing,
    /// It is no chat that is made here: those are supergroups.
    NoneMadeHere,
}

impl WrongChat {
    /// What is wrong with it, if anything is.
    pub(super) fn of(written: &str) -> Option<Self> {
        match written.trim() {
            "" => Some(Self::Missing),
            chat => {
                let made_here = chat.parse::<ChatId>().is_ok_and(|chat| chat.kind() == ChatKind::Channel);
                (!made_here).then_some(Self::NoneMadeHere)
            }
        }
    }

    pub(super) const fn message(self, words: &DoubtWords) -> &'static str {
        match self {
            Self::Missing => words.no_made_chat,
            Self::NoneMadeHere => words.other_made_chat,
        }
    }
}

/// It was not decided: to the form again, which keeps what was written and says beside it what to write instead.
pub(crate) fn form_again(visitor: &Visitor, id: &str, written: &str, why: &Refused) -> Response {
    let evidence = format!("/doubt/{id}");
    match WrongChat::of(written).filter(|_| why.code == "invalid_request") {
        Some(wrong) => {
            let words = DoubtWords::of(visitor.language);
            let back = match written.trim() {
                "" => format!("{evidence}?chat_id="),
                chat => address(&evidence, &[("chat_id", chat)]),
            };
            page::not_done(visitor, &back, wrong.message(words))
        }
        None => page::refused(visitor, &evidence, why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_created_chat_is_a_supergroup() {
        for (written, wrong) in [
            (" -1001234567890 ", None),
            ("", Some(WrongChat::Missing)),
            ("  ", Some(WrongChat::Missing)),
            ("-7", Some(WrongChat::NoneMadeHere)),
            ("42", Some(WrongChat::NoneMadeHere)),
            ("@client_1", Some(WrongChat::NoneMadeHere)),
        ] {
            assert_eq!(WrongChat::of(written), wrong, "{written:?}");
        }
    }
}
