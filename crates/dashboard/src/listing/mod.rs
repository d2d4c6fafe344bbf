//! What all lists of work have in common: their filters' addresses, stretches of time, states as lamps, and how an action
//! that came too late is reported.

mod accounts;
mod address;
mod many;
mod named;
mod time_range;
mod unfiltered;

use axum::response::Response;
use http::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;

pub(crate) use address::address;
pub(crate) use many::{chosen, word};
pub(crate) use named::{chat_cell, chat_in_list};
pub(crate) use time_range::{TimeRange, written_time};
pub(crate) use unfiltered::Unfiltered;

use crate::ask::Refused;
use crate::dashboard::Dashboard;
use crate::page::{self, refusal::RefusalPage};
use crate::visitor::Visitor;
use crate::words::WorkWords;

#[derive(Debug, Deserialize)]
pub(crate) struct Pressed {
    /// The page to go back to.
    #[serde(default)]
    pub(crate) back: String,
}

/// It was refused. Where someone else was faster, that is said first, in the reader's language.
pub(crate) fn refuse(visitor: &Visitor, back: &str, why: &Refused) -> Response {
    if why.code != "wrong_state" {
        return page::refused(visitor, back, why);
    }
    let words = WorkWords::of(visitor.language);
    let detail = format!("{} {}", words.too_late, why.detail);
    page::refused(visitor, back, &Refused { detail, ..why.clone() })
}

/// What was found, and what is wrong with the filter: where the API did not take it, nothing is found, and that is shown beside
/// the form, which stays as it was filled in.
pub(crate) fn found<T: Default>(answer: Result<T, Refused>) -> Result<(T, Option<String>), Refused> {
    match answer {
        Ok(found) => Ok((found, None)),
        Err(why) if why.code == "invalid_request" => Ok((T::default(), Some(why.detail))),
        Err(why) => Err(why),
    }
}

/// Asks the API for a list. Returns what it found and what is wrong with the filter, or else the page of its refusal.
pub(crate) async fn find<T: Default + DeserializeOwned>(
    dashboard: &Dashboard,
    visitor: &Visitor,
    path: &str,
) -> Result<(T, Option<String>), RefusalPage> {
    let answer = dashboard.ask(visitor, Method::GET, path, None).await;
    found(answer).map_err(|why| RefusalPage::of_api(visitor, &why))
}

/// The start of a text, on one line, for a row of a list.
pub(crate) fn first_words(text: &str, most: usize) -> String {
    let mut words = String::new();
    for letter in text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }) {
        if letter == ' ' && (words.is_empty() || words.ends_with(' ')) {
            continue;
        }
        if words.chars().count() >= most {
            words.push('…');
            break;
        }
        words.push(letter);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_row_has_the_first_words() {
        assert_eq!(first_words("  hello\n\nworld ", 40), "hello world ");
        assert_eq!(first_words("abcdef", 3), "abc…");
        assert_eq!(first_words("abc", 3), "abc");
        assert_eq!(first_words("", 3), "");
    }

    proptest! {
        #[test]
        fn a_row_is_short_and_on_one_line(text in ".{0,200}", most in 1_usize..50) {
            let words = first_words(&text, most);
            prop_assert!(words.chars().count() <= most + 1);
            prop_assert!(!words.chars().any(char::is_control));
        }
    }
}
