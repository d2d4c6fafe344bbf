//! What the address of the log pages asks for: a filter, and the same as a query. Pure.

use std::time::Duration;

use ::logs::{ErrorKind, Filter, Level, Service};
use domain::Timestamp;
use serde::Deserialize;

use crate::listing::{TimeRange, address};
use crate::view::Zone;
use crate::visitor::Visitor;

/// The stretch that is shown when none is asked for.
const USUAL: Duration = Duration::from_hours(2);

/// What belongs to one message or operation is looked for over this stretch.
const USUAL_OF_SUBJECT: Duration = Duration::from_hours(30 * 24);

/// The longest text that is looked for, in characters.
const LONGEST: usize = 200;

/// What the address asks for, as it is written there. Unknown words mean nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    pub(super) q: String,
    pub(super) level: String,
    pub(super) service: String,
    pub(super) account: String,
    pub(super) error: String,
    pub(super) subject: String,
    pub(super) range: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) after: String,
}

impl Query {
    pub(super) fn stretch(&self) -> TimeRange {
        TimeRange { range: self.range.clone(), from: self.from.clone(), to: self.to.clone() }
    }

    /// The words that are looked for.
    pub(super) fn text(&self) -> Option<String> {
        let text: String = self.q.trim().chars().take(LONGEST).collect();
        (!text.is_empty()).then_some(text)
    }

    /// Where the stretch begins; it always begins somewhere, so that a search has an end.
    pub(super) fn since(&self, zone: Zone, now: Timestamp) -> Timestamp {
        let usual = if self.subject.is_empty() { USUAL } else { USUAL_OF_SUBJECT };
        let until = self.stretch().until(zone, now).unwrap_or(now);
        self.stretch().since(zone, now).unwrap_or_else(|| until.minus(usual))
    }

    pub(super) fn filter(&self, visitor: &Visitor) -> Filter {
        let given = |text: &String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Filter {
            services: self.service.parse::<Service>().into_iter().collect(),
            level: self.level.parse::<Level>().ok(),
            account: given(&self.account),
            errors: self.error.parse::<ErrorKind>().into_iter().collect(),
            subject: given(&self.subject),
            since: Some(self.since(visitor.zone, visitor.now)),
            until: self.stretch().until(visitor.zone, visitor.now),
            text: self.text(),
            match_case: false,
        }
    }

    /// Whether anything but time is narrowed.
    pub(super) fn is_narrow(&self) -> bool {
        let Self { q, level, service, account, error, subject, .. } = self;
        [q, level, service, account, error, subject].into_iter().any(|value| !value.is_empty())
    }

    /// Whether new lines belong to it: it ends now.
    pub(super) fn is_open(&self) -> bool {
        self.to.trim().is_empty() && self.after.is_empty()
    }

    pub(super) fn under(&self, path: &str) -> String {
        let Self { q, level, service, account, error, subject, range, from, to, after } = self;
        let pairs = [
            ("q", q.as_str()),
            ("level", level),
            ("service", service),
            ("account", account),
            ("error", error),
            ("subject", subject),
            ("range", range),
            ("from", from),
            ("to", to),
            ("after", after),
        ];
        address(path, &pairs)
    }

    /// The page that comes after a line.
    pub(super) fn page_after(&self, after: &str) -> String {
        Self { after: after.to_owned(), ..self.clone() }.under("/logs")
    }

    /// The same with another range that ends now.
    pub(super) fn with_range(&self, range: &str) -> String {
        let none = String::new;
        Self { range: range.to_owned(), from: none(), to: none(), after: none(), ..self.clone() }
            .under("/logs")
    }

    /// The same without the words or the subject.
    pub(super) fn without_words(&self) -> String {
        let none = String::new;
        Self { q: none(), subject: none(), after: none(), ..self.clone() }.under("/logs")
    }

    /// The same for the API, with times written out.
    pub(super) fn of_api(&self, path: &str, format: &str, visitor: &Visitor) -> String {
        let filter = self.filter(visitor);
        let instant = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
        let (since, until) = (instant(filter.since), instant(filter.until));
        let text = filter.text.unwrap_or_default();
        let level = filter.level.map_or("", Level::as_str);
        let service = filter.services.first().map_or("", |service| service.as_str());
        let error = filter.errors.first().map_or("", |error| error.as_str());
        let pairs = [
            ("q", text.as_str()),
            ("level", level),
            ("service", service),
            ("account", self.account.trim()),
            ("error", error),
            ("subject", self.subject.trim()),
            ("since", &since),
            ("until", &until),
            ("format", format),
        ];
        address(path, &pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(address: &str) -> Query {
        let query = address.split_once('?').map_or("", |(_, query)| query);
        serde_urlencoded::from_str::<Query>(query).expect("a query")
    }

    #[test]
    fn a_search_always_begins_somewhere() {
        let now: Timestamp = "2026-11-20T11:07:31Z".parse().expect("a time");
        let since = |query: &str| read(query).since(Zone::default(), now);
        assert_eq!(since("/logs"), now.minus(USUAL));
        assert_eq!(since("/logs?range=15m"), now.minus(Duration::from_mins(15)));
        assert_eq!(since("/logs?subject=msg_1"), now.minus(USUAL_OF_SUBJECT));
        assert_eq!(since("/logs?to=2026-11-01T10:00"), "2026-11-01T08:01:00Z".parse().expect("a time"));
    }

    proptest! {
        #[test]
        fn an_address_means_what_it_was_made_from(q in "\\PC{0,60}", level in "(|warn|error|x)", range in "(|2h|7d)") {
            let query = Query { q, level, range, ..Query::default() };
            prop_assert_eq!(read(&query.under("/logs")), query);
        }
    }
}
