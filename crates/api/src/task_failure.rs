//! Why work on a chat failed, in words.

use domain::outcome::{Failure, Refusal};
use domain::saga::Saga;

/// What happened to work on a chat, and what it changed before, in a sentence each.
pub fn describe_task_failure(saga: &Saga, failure: &Failure) -> String {
    let description = describe_refused_task(failure);
    match saga.changed_before_failing() {
        Some(changed) => format!("{}; {changed}.", description.trim_end_matches('.')),
        None => description,
    }
}

/// What happened to work on a chat, in a sentence.
pub fn describe_refused_task(failure: &Failure) -> String {
    match failure {
        Failure::ChatNotFound { asked } => format!("No account finds this chat ({}).", each(asked)),
        Failure::NoRights { asked } => format!("No account may do this in the chat ({}).", each(asked)),
        Failure::NotInChat { asked } => {
            format!("No account is in the chat, or they are no longer in the chat ({}).", each(asked))
        }
        Failure::Rejected { provider_code } => provider_code.in_words() + ".",
        Failure::MediaGone { .. }
        | Failure::MediaExpired { .. }
        | Failure::ProviderError { .. }
        | Failure::Undelivered { .. }
        | Failure::DoNotContact { .. } => failure.describe(),
        Failure::LimitReached { until } => {
            format!(
                "Every account has sent as many messages as its limits allow; the first may send again at {until}."
            )
        }
        Failure::FloodWait { until } => format!("Every account must wait; the first may do it at {until}."),
        Failure::NoAccount { asked } => format!("No account can do it now ({}).", each(asked)),
        Failure::Restored { made_at } => format!(
            "It waited when the backup of {} was made and may have been done since; retry it if it was not.",
            made_at.to_the_second()
        ),
    }
}

pub fn each(refusals: &[Refusal]) -> String {
    if refusals.is_empty() {
        return "no account was asked".to_owned();
    }
    refusals
        .iter()
        .map(|refusal| format!("{}: {}", refusal.account, refusal.why))
        .collect::<Vec<_>>()
        .join("; ")
}
