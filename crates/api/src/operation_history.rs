//! The history of work on a chat in words: each entry as a sentence. Pure.

use domain::AccountName;
use domain::outcome::OutcomeKind;
use domain::saga::{SagaEntry, SagaEvent, StepOutcome};

pub(crate) fn sentence(entry: &SagaEntry) -> String {
    let account = entry.account.as_ref().map_or("an account", AccountName::as_str);
    let doing = match entry.what {
        SagaEvent::Resolve => "find the person",
        SagaEvent::Create => "make the chat",
        SagaEvent::OpenHistory => "open the history to new members",
        SagaEvent::Invite => "invite people",
        SagaEvent::Promote => "make an administrator",
        SagaEvent::ExportLink => "make an invite link",
        SagaEvent::ListMembers => "list the members",
        SagaEvent::Remove => "remove a member",
        SagaEvent::Leave => "leave the chat",
        SagaEvent::SetTitle => "set the title",
        SagaEvent::SetAbout => "set the description",
        event => return with_detail(&happened(event, account), entry),
    };
    let what = match entry.outcome {
        Some(StepOutcome::Begun) => format!("{account} is about to {doing}"),
        // "Unknown" says of whom it is not known.
        Some(StepOutcome::Ended(OutcomeKind::Unknown)) => {
            format!("{account} tried to {doing}: no clear answer")
        }
        Some(outcome) => format!("{account} tried to {doing}: {}", outcome.as_str().replace('_', " ")),
        None => format!("{account} tried to {doing}"),
    };
    with_detail(&what, entry)
}

fn happened(event: SagaEvent, account: &str) -> String {
    let what = match event {
        SagaEvent::Accepted => "It was accepted and stored",
        SagaEvent::Resumed => "It was continued after a restart",
        SagaEvent::Joined => "A caller asked for the same again and joined it",
        SagaEvent::Waiting => "It is waiting",
        SagaEvent::MovedOn => return format!("It moved on to {account}"),
        SagaEvent::Resolved => "A person resolved it",
        SagaEvent::Retried => "It was put in the queue again by hand",
        SagaEvent::Finished => "It is done",
        SagaEvent::Failed => "It ended, and nothing was done",
        SagaEvent::Cancelled => "It was cancelled before anything was begun",
        SagaEvent::InDoubt => {
            "It may have been done, and the account that did it can no longer be asked; resolve it by hand"
        }
        step => step.as_str(),
    };
    what.to_owned()
}

fn with_detail(what: &str, entry: &SagaEntry) -> String {
    match &entry.detail {
        Some(detail) => format!("{what}: {detail}."),
        None => format!("{what}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;

    fn says(what: SagaEvent, outcome: Option<StepOutcome>, detail: Option<&str>) -> String {
        sentence(&SagaEntry {
            at: Timestamp::default(),
            what,
            account: "main".parse().ok(),
            outcome,
            detail: detail.map(str::to_owned),
        })
    }

    const FLOOD: Option<StepOutcome> = Some(StepOutcome::Ended(OutcomeKind::FloodWait));

    #[test]
    fn every_entry_is_a_sentence() {
        for what in SagaEvent::ALL {
            for outcome in [None, Some(StepOutcome::Begun), Some(StepOutcome::Ok), FLOOD] {
                let says = says(what, outcome, None);
                assert!(says.ends_with('.') && !says.contains('_'), "{says}");
                assert!(
                    says.starts_with("main ") || says.chars().next().is_some_and(char::is_uppercase),
                    "{says}"
                );
            }
        }
    }

    #[test]
    fn the_detail_says_more() {
        assert_eq!(
            says(SagaEvent::Invite, FLOOD, Some("until 12:00")),
            "main tried to invite people: flood wait: until 12:00."
        );
        assert_eq!(
            says(SagaEvent::Create, Some(StepOutcome::Begun), None),
            "main is about to make the chat."
        );
    }
}
