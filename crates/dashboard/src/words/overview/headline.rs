//! What the overview opens with when nothing fails: an alert that is still open, and what waits for a person, are no "all well".

use health::CardKind;

use super::super::number::{english, russian, thousands};
use super::OverviewWords;
use crate::view::Language;

/// What is left to be seen to though no card is in trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Leftover {
    /// Alerts that are not cleared.
    pub(crate) alerts: u64,
    /// Messages and operations of which it is not known whether they happened.
    pub(crate) in_doubt: u64,
    /// Failed requests that wait for a person.
    pub(crate) failed_requests: u64,
}

impl OverviewWords {
    /// The sentence that the page opens with.
    pub(crate) fn headline(
        &self,
        troubles: [(CardKind, u64); CardKind::ALL.len()],
        left: Leftover,
    ) -> String {
        if troubles.iter().any(|(_, many)| *many > 0) {
            return self.verdict(troubles);
        }
        let alerts = thousands(left.alerts);
        match (self.language, left.alerts) {
            (_, 0) => self.well_but(left).unwrap_or_else(|| self.verdict(troubles)),
            (Language::English, many) => {
                let verb = english(many, "alert is", "alerts are");
                format!("Nothing fails now; {alerts} {verb} not cleared yet.")
            }
            (Language::Russian, many) => {
                let noun =
                    russian(many, "тревога ещё не снята", "тревоги ещё не сняты", "тревог ещё не сняты");
                format!("Сейчас сбоев нет, но {alerts} {noun}.")
            }
        }
    }

    fn well_but(&self, left: Leftover) -> Option<String> {
        let named = [
            (left.in_doubt, self.language.of("in doubt", "под вопросом")),
            (
                left.failed_requests,
                match self.language {
                    Language::English => english(left.failed_requests, "failed request", "failed requests"),
                    Language::Russian => russian(
                        left.failed_requests,
                        "неудачный запрос",
                        "неудачных запроса",
                        "неудачных запросов",
                    ),
                },
            ),
        ];
        let named: Vec<String> = named
            .into_iter()
            .filter(|(many, _)| *many > 0)
            .map(|(many, what)| format!("{} {what}", thousands(many)))
            .collect();
        let some = named.join(self.language.of(" and ", " и "));
        (!some.is_empty()).then(|| {
            self.language.of(
                format!("Everything works; waiting for you: {some}."),
                format!("Всё работает; вас ждут: {some}."),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_works_only_where_nothing_is_left() {
        let (en, ru) = (OverviewWords::of(Language::English), OverviewWords::of(Language::Russian));
        let none = CardKind::ALL.map(|kind| (kind, 0));
        let left = |alerts, in_doubt, failed_requests| Leftover { alerts, in_doubt, failed_requests };
        for (left, english, russian) in [
            (left(0, 0, 0), "Everything works.", "Всё работает."),
            (
                left(3, 5, 6),
                "Nothing fails now; 3 alerts are not cleared yet.",
                "Сейчас сбоев нет, но 3 тревоги ещё не сняты.",
            ),
            (
                left(0, 5, 6),
                "Everything works; waiting for you: 5 in doubt and 6 failed requests.",
                "Всё работает; вас ждут: 5 под вопросом и 6 неудачных запросов.",
            ),
            (
                left(0, 0, 1),
                "Everything works; waiting for you: 1 failed request.",
                "Всё работает; вас ждут: 1 неудачный запрос.",
            ),
        ] {
            assert_eq!(
                (en.headline(none, left).as_str(), ru.headline(none, left).as_str()),
                (english, russian)
            );
        }
        let two = CardKind::ALL.map(|kind| (kind, u64::from(kind == CardKind::Account) * 2));
        assert_eq!(en.headline(two, left(1, 1, 1)), en.verdict(two), "trouble comes first");
    }
}
