//! What follows from the end of a message for its attempt, its recipient and its sender.
//!
//! Four kinds: a chat that is not found blocks the recipient; a restricted or signed out account stops its sender, and the
//! recipient waits for another; a chat that takes no message from the sender has failed in this cycle; anything else is tried
//! again a few times, then the recipient is blocked.

use std::time::Duration;

use domain::message::MessageState;
use domain::outcome::Failure;
use domain::{AccountState, AttemptState, SenderState, Timestamp};
use store::NextTurn;

/// How long until a recipient is tried again.
const AGAIN_AFTER: Duration = Duration::from_mins(1);

/// What became of an attempt, and what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    pub state: AttemptState,
    pub code: Option<String>,
    pub detail: Option<String>,
    pub next: NextTurn,
    /// What the sender is from now on.
    pub sender: Option<(SenderState, String)>,
    /// Until when the sender sends nothing.
    pub rest_until: Option<Timestamp>,
}

impl Judgement {
    pub(crate) fn new(state: AttemptState, code: &str, next: NextTurn) -> Self {
        let code = Some(code.to_owned());
        Self { state, code, detail: None, next, sender: None, rest_until: None }
    }

    pub(crate) fn because(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// The sender has to stop; the recipient waits for another one.
    pub(crate) fn stopped(state: SenderState, code: &str) -> Self {
        let sender = Some((state, code.to_owned()));
        Self { sender, ..Self::new(AttemptState::Failed, code, NextTurn::Back) }
    }

    /// Says nothing about the recipient: it is tried again, and blocked after so many times.
    pub(crate) fn failed(code: &str, tries: u32, retries: u32, now: Timestamp) -> Self {
        let next = if tries < retries {
            NextTurn::Again(now.plus(AGAIN_AFTER))
        } else {
            NextTurn::Never(code.to_owned())
        };
        Self::new(AttemptState::Failed, code, next)
    }
}

/// What keeps an account from sending for a campaign until a person looks at it.
pub(crate) const fn stopped(state: AccountState) -> Option<(SenderState, &'static str)> {
    match state {
        AccountState::Banned => Some((SenderState::Blocked, "banned")),
        AccountState::Restricted => Some((SenderState::Blocked, "restricted")),
        AccountState::NeedsLogin => Some((SenderState::LoggedOut, "logged_out")),
        AccountState::Ready
        | AccountState::Paused
        | AccountState::Offline
        | AccountState::Connecting
        | AccountState::FloodWait
        | AccountState::Error => None,
    }
}

/// Judges the end of a message. `account` is how its account is now; `tries` is how often the recipient failed before.
pub fn judge(
    state: MessageState,
    failure: Option<&Failure>,
    account: AccountState,
    (tries, retries): (u32, u32),
    now: Timestamp,
) -> Judgement {
    let failure = match (state, failure) {
        (MessageState::Sent | MessageState::Delivered | MessageState::Read, _) => {
            return Judgement { code: None, ..Judgement::new(AttemptState::Sent, "", NextTurn::NextCycle) };
        }
        (MessageState::Cancelled, _) => {
            return Judgement::new(AttemptState::Skipped, "cancelled", NextTurn::NextCycle);
        }
        (MessageState::Failed, Some(failure)) => failure,
        _ => return Judgement::new(AttemptState::Unknown, "in_doubt", NextTurn::NextCycle),
    };
    let because = |judgement: Judgement| judgement.because(failure.describe());
    because(match failure {
        Failure::DoNotContact { .. } => {
            Judgement::new(AttemptState::Skipped, failure.code(), NextTurn::NextCycle)
        }
        Failure::FloodWait { until } | Failure::LimitReached { until } => Judgement {
            rest_until: Some(*until),
            ..Judgement::new(AttemptState::Skipped, failure.code(), NextTurn::Back)
        },
        Failure::Restored { .. } => {
            Judgement::new(AttemptState::Unknown, failure.code(), NextTurn::NextCycle)
        }
        Failure::ChatNotFound { .. } => {
            Judgement::new(AttemptState::Failed, failure.code(), NextTurn::Never(failure.code().to_owned()))
        }
        Failure::NoRights { .. } | Failure::NotInChat { .. } | Failure::NoAccount { .. }
            if stopped(account).is_some() =>
        {
            let (state, code) = stopped(account).unwrap_or((SenderState::Blocked, "restricted"));
            Judgement::stopped(state, code)
        }
        Failure::NoRights { .. } | Failure::NotInChat { .. } => {
            Judgement::new(AttemptState::Failed, failure.code(), NextTurn::NextCycle)
        }
        Failure::NoAccount { .. } => Judgement {
            rest_until: Some(now.plus(AGAIN_AFTER)),
            ..Judgement::new(AttemptState::Failed, failure.code(), NextTurn::Back)
        },
        Failure::Rejected { .. }
        | Failure::MediaGone { .. }
        | Failure::MediaExpired { .. }
        | Failure::ProviderError { .. }
        | Failure::Undelivered { .. } => Judgement::failed(failure.code(), tries, retries, now),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::DoNotContactId;
    use proptest::prelude::*;

    fn failures() -> Vec<Failure> {
        let at = Timestamp::from_micros(1 << 40);
        vec![
            Failure::ChatNotFound { asked: Vec::new() },
            Failure::NoRights { asked: Vec::new() },
            Failure::NotInChat { asked: Vec::new() },
            Failure::NoAccount { asked: Vec::new() },
            Failure::Rejected { provider_code: "MESSAGE_TOO_LONG".into() },
            Failure::ProviderError { detail: "500".into() },
            Failure::Undelivered { detail: "UNDELIV".into() },
            Failure::FloodWait { until: at },
            Failure::LimitReached { until: at },
            Failure::DoNotContact { entry: DoNotContactId::MIN },
            Failure::Restored { made_at: at },
        ]
    }

    fn of(failure: &Failure, account: AccountState, tries: u32) -> Judgement {
        judge(MessageState::Failed, Some(failure), account, (tries, 2), Timestamp::default())
    }

    #[test]
    fn the_four_kinds_have_their_consequences() {
        let [not_found, no_rights, .., rejected] = &failures()[..5] else { panic!("five") };
        let judged = of(not_found, AccountState::Ready, 0);
        assert!(matches!(judged.next, NextTurn::Never(_)) && judged.sender.is_none(), "{judged:?}");
        let judged = of(no_rights, AccountState::Ready, 0);
        assert_eq!((judged.next, judged.sender), (NextTurn::NextCycle, None));
        let judged = of(no_rights, AccountState::Restricted, 0);
        assert_eq!(judged.next, NextTurn::Back);
        assert_eq!(judged.sender, Some((SenderState::Blocked, "restricted".to_owned())));
        for waiting in &failures()[7..9] {
            let judged = of(waiting, AccountState::FloodWait, 2);
            assert_eq!(
                (judged.state, judged.next, judged.sender),
                (AttemptState::Skipped, NextTurn::Back, None)
            );
            assert_eq!(judged.rest_until, Some(Timestamp::from_micros(1 << 40)));
        }
        assert!(matches!(of(rejected, AccountState::Ready, 1).next, NextTurn::Again(_)));
        assert!(matches!(of(rejected, AccountState::Ready, 2).next, NextTurn::Never(_)));
    }

    proptest! {
        #[test]
        fn a_possibly_sent_message_has_no_other_turn_in_its_cycle(
            state in prop::sample::select(MessageState::ALL.to_vec()),
            failure in prop::sample::select(failures()),
            account in prop::sample::select(AccountState::ALL.to_vec()),
            tries in 0_u32..5,
        ) {
            let failure = (state == MessageState::Failed).then_some(&failure);
            let judged = judge(state, failure, account, (tries, 2), Timestamp::default());
            if matches!(judged.state, AttemptState::Sent | AttemptState::Unknown) {
                prop_assert_eq!(judged.next, NextTurn::NextCycle);
            }
            // Only what is proved unsent counts as such.
            if !matches!(state, MessageState::Failed | MessageState::Cancelled) {
                prop_assert!(matches!(judged.state, AttemptState::Sent | AttemptState::Unknown));
            }
        }
    }
}
