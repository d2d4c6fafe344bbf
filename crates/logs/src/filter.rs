//! Which lines a reader wants.

use domain::Timestamp;

use crate::error_kind::ErrorKind;
use crate::fold::fold;
use crate::level::Level;
use crate::line::Line;
use crate::ngram_filter::Sought;
use crate::service::Service;

/// Which lines are wanted; what is left out narrows nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Lines of any of these services.
    pub services: Vec<Service>,
    /// Lines at least as important as this.
    pub level: Option<Level>,
    /// Lines with this in the field `account`.
    pub account: Option<String>,
    /// Lines with an error of any of these types.
    pub errors: Vec<ErrorKind>,
    /// Lines of which any field is exactly this: a message, an operation, a request.
    pub subject: Option<String>,
    /// Lines written at this time or later, by the clock of then.
    pub since: Option<Timestamp>,
    /// Lines written before this time.
    pub until: Option<Timestamp>,
    /// Lines whose [text](Line::text) has this in it, letter by letter.
    pub text: Option<String>,
    /// Whether the text must have the same large and small letters.
    pub match_case: bool,
}

impl Filter {
    /// Whether a line is wanted.
    pub fn matches(&self, line: &Line) -> bool {
        let has = |wanted: &str| {
            let text = line.text();
            if self.match_case { text.contains(wanted) } else { fold(&text).contains(&*fold(wanted)) }
        };
        (self.services.is_empty() || self.services.contains(&line.service))
            && self.level.is_none_or(|least| line.level <= least)
            && self.account.as_ref().is_none_or(|account| line.account() == Some(account))
            && (self.errors.is_empty() || line.error.is_some_and(|error| self.errors.contains(&error)))
            && self
                .subject
                .as_ref()
                .is_none_or(|subject| line.fields.iter().any(|(_, value)| value == subject))
            && self.since.is_none_or(|since| line.at >= since)
            && self.until.is_none_or(|until| line.at < until)
            && self.text.as_deref().is_none_or(has)
    }

    /// The words that a line's text must have, whatever else it must.
    pub(crate) fn sought(&self) -> Sought {
        let account = self.account.as_ref().map(|account| format!(" account={account}"));
        let subject = self.subject.as_ref().map(|subject| format!("={subject}"));
        let words = [self.text.as_deref(), account.as_deref(), subject.as_deref()];
        Sought::of(words.into_iter().flatten())
    }

    /// Whether the facts in the heads of lines are enough to decide.
    pub(crate) const fn needs_no_text(&self) -> bool {
        self.account.is_none() && self.subject.is_none() && self.text.is_none()
    }
}
