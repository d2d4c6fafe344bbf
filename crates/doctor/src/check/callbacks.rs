//! Callbacks to other programs: whether they accept them. The invite callback is the only one there is.

use super::finding;
use crate::finding::{Code, Fix, Severity};
use crate::inside::StockFact;
use crate::report::{Area, Section};

pub(crate) fn check(receiver: Option<&str>, stock: Option<&StockFact>) -> Section {
    let mut section = Section::new(Area::Callbacks);
    section.fact("invite callback", receiver.unwrap_or("none is set"));
    let Some(stock) = stock else {
        section.lacks("how many wait, only a running server tells");
        return section;
    };
    section.fact("waiting", stock.callbacks_waiting.to_string());
    if stock.callbacks_waiting > 0 && receiver.is_none() {
        section.findings.push(finding(
            Code::CallbacksWait,
            Severity::Warning,
            "invite callback",
            format!(
                "{} callbacks wait, and the settings no longer name a receiver.",
                stock.callbacks_waiting
            ),
            Fix::setting("legacy.invite_callback", "name the receiver again, and they are sent"),
        ));
    } else if stock.callbacks_waiting > 0 {
        section.findings.push(finding(
            Code::CallbacksWait,
            Severity::Warning,
            "invite callback",
            format!("{} callbacks wait: the receiver has not accepted them.", stock.callbacks_waiting),
            Fix::command_and(
                "switchboard failed list",
                "they are retried at growing intervals; check the receiver",
            ),
        ));
    }
    section
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_callbacks_are_reported_with_the_reason() {
        let found = |receiver, waiting| {
            let stock = StockFact { callbacks_waiting: waiting, ..StockFact::default() };
            check(receiver, Some(&stock)).findings.first().map(|finding| finding.fix.clone())
        };
        assert_eq!(found(Some("example.com"), 0), None);
        assert!(matches!(found(Some("example.com"), 2), Some(Fix::Command { .. })));
        assert!(matches!(found(None, 2), Some(Fix::Setting { .. })));
    }
}
