//! What waits, what is in doubt, what came to nothing: work that a person may have to see to.

use std::time::Duration;

use super::{finding, span};
use crate::finding::{Code, Fix, Severity};
use crate::inside::StockFact;
use crate::report::{Area, Section};

/// A message that waits longer is worth a look: floods rarely take that long.
const LONG: Duration = Duration::from_mins(10);

pub(crate) fn check(stock: &StockFact, stopped: &[String]) -> Section {
    let mut section = Section::new(Area::Queue);
    section.fact("messages waiting", stock.waiting.to_string());
    if let Some(oldest) = stock.oldest.filter(|oldest| stock.waiting > 0 && *oldest >= LONG) {
        section.findings.push(finding(
            Code::QueueStuck,
            Severity::Warning,
            "queue",
            format!("A message has waited for {}.", span(oldest.as_secs())),
            Fix::command_and("switchboard account list", "a message waits while no account can send it"),
        ));
    }
    for service in stopped {
        section.findings.push(finding(
            Code::ServiceStopped,
            Severity::Warning,
            format!("service {service}"),
            format!("The service {service} was stopped by hand: it accepts and sends nothing."),
            Fix::command(format!("switchboard service start {service}")),
        ));
    }
    let doubt = stock.messages_in_doubt + stock.operations_in_doubt;
    if doubt > 0 {
        section.findings.push(finding(
            Code::InDoubt,
            Severity::Warning,
            "queue",
            format!(
                "The outcome of {} messages and {} operations is unknown.",
                stock.messages_in_doubt, stock.operations_in_doubt
            ),
            Fix::advice("look into each chat and resolve them on the dashboard's page In doubt, or with GET /v1/messages?state=in_doubt and POST /v1/messages/{id}/resolve"),
        ));
    }
    if stock.failed_requests > 0 {
        section.findings.push(finding(
            Code::FailedRequests,
            Severity::Warning,
            "queue",
            format!("{} requests failed and are kept.", stock.failed_requests),
            Fix::command("switchboard failed list"),
        ));
    }
    if stock.unresolved > 0 {
        let more = if stock.unresolved_more { "more than " } else { "" };
        section.findings.push(finding(
            Code::UnresolvedChats,
            Severity::Warning,
            "chats",
            format!("Callers ask for {more}{} chats that no account is in.", stock.unresolved),
            Fix::command_and(
                "switchboard chat unresolved",
                "it shows who asks; fix the scenario, or add an account to the chat",
            ),
        ));
    }
    section
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_work_for_a_person_is_reported() {
        let codes = |stock: &StockFact, stopped: &[String]| {
            check(stock, stopped).findings.iter().map(|finding| finding.code).collect::<Vec<_>>()
        };
        let calm = StockFact { waiting: 3, oldest: Some(Duration::from_mins(1)), ..StockFact::default() };
        assert_eq!(codes(&calm, &[]), []);
        let trouble = StockFact {
            waiting: 1,
            oldest: Some(LONG),
            messages_in_doubt: 1,
            failed_requests: 2,
            unresolved: 3,
            ..StockFact::default()
        };
        assert_eq!(
            codes(&trouble, &["send_text".to_owned()]),
            [
                Code::QueueStuck,
                Code::ServiceStopped,
                Code::InDoubt,
                Code::FailedRequests,
                Code::UnresolvedChats
            ]
        );
    }
}
