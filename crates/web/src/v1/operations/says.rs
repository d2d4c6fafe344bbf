//! The history of work on a chat in words: each entry as a sentence. Pure.

use domain::AccountName;
use domain::saga::SagaEntry;

/// One entry as a sentence.
pub(super) fn sentence(entry: &SagaEntry) -> String {
    let account = entry.account.as_ref().map_or("an account", AccountName::as_str);
    let what = match entry.what.as_str() {
        "accepted" => "It was accepted and stored".to_owned(),
        "resumed" => "It was continued after a restart".to_owned(),
        "joined" => "A caller asked for the same again and joined it".to_owned(),
        "waiting" => "It is waiting".to_owned(),
        "moved_on" => format!("It moved on to {account}"),
        "resolved" => "A person resolved it".to_owned(),
        "retried" => "It was put in the queue again by hand".to_owned(),
        "finished" => "It is done".to_owned(),
        "failed" => "It ended, and nothing was done".to_owned(),
        "cancelled" => "It was cancelled before anything was begun".to_owned(),
        "in_doubt" => {
            "It may have been done, and the account that did it can no longer be asked; resolve it by hand"
                .to_owned()
        }
        step => step_taken(account, step, entry.outcome.as_deref()),
    };
    match &entry.detail {
        Some(detail) => format!("{what}: {detail}."),
        None => format!("{what}."),
    }
}

fn step_taken(account: &str, step: &str, outcome: Option<&str>) -> String {
    let doing = match step {
        "resolve" => "find the person".to_owned(),
        "create" => "make the chat".to_owned(),
        "open_history" => "open the history to new members".to_owned(),
        "invite" => "invite people".to_owned(),
        "promote" => "make an administrator".to_owned(),
        "export_link" => "make an invite link".to_owned(),
        "list_members" => "list the members".to_owned(),
        "remove" => "remove a member".to_owned(),
        "leave" => "leave the chat".to_owned(),
        "set_title" => "set the title".to_owned(),
        "set_about" => "set the description".to_owned(),
        other => other.replace('_', " "),
    };
    match outcome {
        Some("begun") => format!("{account} is about to {doing}"),
        // "Unknown" says of whom it is not known.
        Some("unknown") => format!("{account} tried to {doing}: no clear answer"),
        Some(outcome) => format!("{account} tried to {doing}: {}", outcome.replace('_', " ")),
        None => format!("{account} tried to {doing}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;
    use domain::saga::Step;

    fn says(what: &str, outcome: Option<&str>, detail: Option<&str>) -> String {
        sentence(&SagaEntry {
            at: Timestamp::default(),
            what: what.to_owned(),
            account: "main".parse().ok(),
            outcome: outcome.map(str::to_owned),
            detail: detail.map(str::to_owned),
        })
    }

    #[test]
    fn every_entry_is_a_sentence() {
        let steps = [
            Step::Resolve { who: "@client_1".parse().expect("a user") },
            Step::Create { title: String::new(), about: String::new() },
            Step::OpenHistory,
            Step::Invite { users: Vec::new() },
            Step::Promote { user: 1 },
            Step::ExportLink,
            Step::ListMembers { keep_own: false },
            Step::Remove { user: 1 },
            Step::Leave,
            Step::SetTitle { title: String::new() },
            Step::SetAbout { about: String::new() },
        ];
        let events = ["accepted", "resumed", "joined", "waiting", "moved_on", "resolved", "retried"];
        let ends = ["finished", "failed", "cancelled", "in_doubt"];
        let words = steps.iter().map(Step::name).chain(events).chain(ends);
        for word in words {
            for outcome in [None, Some("begun"), Some("ok"), Some("flood_wait")] {
                let says = says(word, outcome, None);
                assert!(says.ends_with('.') && !says.contains('_'), "{says}");
            }
        }
    }

    #[test]
    fn the_detail_says_more() {
        assert_eq!(
            says("invite", Some("flood_wait"), Some("until 12:00")),
            "main tried to invite people: flood wait: until 12:00."
        );
        assert_eq!(says("create", Some("begun"), None), "main is about to make the chat.");
    }
}
