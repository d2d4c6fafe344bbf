//! The accounts that cannot do the work of a service, summed up by why. Pure.

use domain::account::AccountState;

use crate::card::Unable;
use crate::evaluation::Worker;
use crate::minute::ProbeOutcome;

/// How many names are listed of accounts with the same reason.
const NAMED: usize = 5;

/// The accounts that cannot work, those with the most common reason first.
pub(crate) fn groups(pool: &[Worker<'_>]) -> Vec<Unable> {
    let mut groups: Vec<Unable> = Vec::new();
    for worker in pool {
        let Some(reason) = why(worker) else { continue };
        let place = groups.iter().position(|group| group.reason == reason).unwrap_or_else(|| {
            groups.push(Unable { reason, count: 0, names: Vec::new() });
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(place) {
            group.count += 1;
            if group.names.len() < NAMED {
                group.names.push(worker.name.to_owned());
            }
        }
    }
    groups.sort_by(|one, other| (other.count, one.reason).cmp(&(one.count, other.reason)));
    groups
}

/// Why an account cannot do the work, as a stable code.
fn why(worker: &Worker<'_>) -> Option<&'static str> {
    match worker.state {
        AccountState::NeedsLogin => Some("needs_login"),
        AccountState::Banned => Some("banned"),
        AccountState::Paused => Some("paused"),
        AccountState::Offline => Some("stopped"),
        _ if worker.flooded => Some("flood_wait"),
        _ if worker.evaluation.was_answered() => None,
        AccountState::Connecting => Some("connecting"),
        _ if worker.evaluation.answer == ProbeOutcome::NotAsked => None,
        // Floods of other kinds hold nothing up here, and all that is left has words of its own.
        _ => worker.evaluation.code(),
    }
}

/// The same as a sentence of the API: `3 signed out (a, b, c), 1 banned (d)`; nothing where all can work.
pub(crate) fn in_words(groups: &[Unable]) -> Option<String> {
    let one = |group: &Unable| {
        let more = if group.names.len() < group.count as usize { ", …" } else { "" };
        format!("{} {} ({}{more})", group.count, words(group.reason), group.names.join(", "))
    };
    (!groups.is_empty()).then(|| groups.iter().map(one).collect::<Vec<_>>().join(", "))
}

fn words(reason: &'static str) -> String {
    match reason {
        "flood_wait" => "in flood wait".to_owned(),
        "needs_login" => "signed out".to_owned(),
        "peer_flood" => "kept from first contacts".to_owned(),
        "no_answer" | "calls_unanswered" => "not answered by Telegram".to_owned(),
        "server_errors" => "answered with errors of Telegram".to_owned(),
        "not_connected" | "unreachable" => "not connected".to_owned(),
        other => other.replace('_', " "),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::evaluation::Evaluation;

    fn worker(name: &str, state: AccountState, evaluation: Evaluation, flooded: bool) -> Worker<'_> {
        Worker { name, state, evaluation, flooded }
    }

    fn answered() -> Evaluation {
        Evaluation { answer: ProbeOutcome::Answered, latency: None, reason: None }
    }

    #[test]
    fn the_reasons_of_accounts_are_summed_up_and_named() {
        let lost = || Evaluation::failed("session_revoked");
        let pool = [
            worker("main", AccountState::FloodWait, answered(), true),
            worker("a", AccountState::NeedsLogin, lost(), false),
            worker("b", AccountState::NeedsLogin, Evaluation::failed("auth_key_duplicated"), false),
            worker("c", AccountState::NeedsLogin, lost(), false),
            worker("d", AccountState::Banned, Evaluation::failed("banned"), false),
            worker("e", AccountState::Ready, answered(), false),
            worker("f", AccountState::Ready, Evaluation::failed("server_errors"), false),
        ];
        assert_eq!(
            in_words(&groups(&pool)).as_deref(),
            Some(
                "3 signed out (a, b, c), 1 banned (d), 1 in flood wait (main), 1 answered with errors of Telegram (f)"
            )
        );
        assert_eq!(in_words(&groups(&pool[5..6])), None);
    }

    proptest! {
        /// Whatever becomes of accounts: none that can work is among them, and each that fails is, once.
        #[test]
        fn each_account_that_fails_is_counted_once(
            kinds in prop::collection::vec((prop::sample::select(AccountState::ALL.to_vec()), any::<bool>(), any::<bool>()), 0..20),
        ) {
            let worker = |(state, fails, flooded): &(AccountState, bool, bool)| {
                let evaluation = if *fails { Evaluation::failed("no_answer") } else { answered() };
                worker("a", *state, evaluation, *flooded)
            };
            let pool: Vec<Worker<'_>> = kinds.iter().map(worker).collect();
            let counted: u32 = groups(&pool).iter().map(|group| group.count).sum();
            let failing = pool.iter().filter(|one| why(one).is_some()).count();
            prop_assert_eq!(counted as usize, failing);
            prop_assert!(pool.iter().all(|one| one.evaluation.was_answered() || why(one).is_some()));
        }
    }
}
