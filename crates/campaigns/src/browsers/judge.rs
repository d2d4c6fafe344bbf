//! What follows from what the page did, for an attempt, its recipient and its profile.

use browser::{Failure, Held, Outcome, PopupKind, Restriction};
use domain::{AttemptState, SenderState, Timestamp};
use store::NextTurn;

use crate::judge::Judgement;

/// Why a profile stops whose proxy is sick and has no successor.
pub(crate) const PROXY_SICK: &str = "proxy_sick";

/// Whether a stop is Telegram's, and so of the person: their accounts and other profiles stop too. A sick proxy and a lost login are of
/// one profile alone.
pub(crate) fn is_of_the_person(state: SenderState, why: &str) -> bool {
    state == SenderState::Blocked && why != PROXY_SICK
}

/// What a page that does not work means for its profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The owner must see to it.
    Stops(SenderState, &'static str),
    /// The browser is opened again after a while.
    Passes,
}

/// What a failure says about the profile, if it says something.
pub(crate) fn trouble(failure: &Failure) -> Option<Trouble> {
    match failure {
        Failure::Restricted(Restriction::Frozen) => Some(Trouble::Stops(SenderState::Blocked, "frozen")),
        Failure::LoggedOut(_) => Some(Trouble::Stops(SenderState::LoggedOut, "logged_out")),
        Failure::Locked => Some(Trouble::Stops(SenderState::LoggedOut, "locked")),
        Failure::Deactivated
        | Failure::White
        | Failure::Popups(_)
        | Failure::Changed(_)
        | Failure::Driver(_) => Some(Trouble::Passes),
        Failure::ChatNotFound
        | Failure::AnotherPeer { .. }
        | Failure::Restricted(_)
        | Failure::Text(_)
        | Failure::NotTaken
        | Failure::FileNotTaken
        | Failure::Held(_)
        | Failure::Refused
        | Failure::NotOpened => None,
    }
}

/// Judges a failure, of which it is proved that nothing was sent, and an outcome. `tries` is how often the recipient failed before.
pub(crate) fn judge(outcome: &Outcome, (tries, retries): (u32, u32), now: Timestamp) -> Judgement {
    let failure = match outcome {
        Outcome::Sent { message_id, .. } => {
            let sent = Judgement::new(AttemptState::Sent, "", NextTurn::NextCycle);
            return Judgement { code: None, ..sent }.because(format!("message {message_id}"));
        }
        Outcome::Unknown => return Judgement::new(AttemptState::Unknown, "in_doubt", NextTurn::NextCycle),
        Outcome::Failed(failure) => failure,
    };
    let failed = |code: &str, next| Judgement::new(AttemptState::Failed, code, next);
    let never = |code: &str| failed(code, NextTurn::Never(code.to_owned()));
    let judged = match (failure, trouble(failure)) {
        (_, Some(Trouble::Stops(state, code))) => Judgement::stopped(state, code),
        // Nothing was tried that the recipient could count for.
        (_, Some(Trouble::Passes)) => Judgement::new(AttemptState::Skipped, "browser", NextTurn::Back),
        (Failure::ChatNotFound, None) => never("chat_not_found"),
        (Failure::AnotherPeer { .. }, None) => never("another_peer"),
        (Failure::Text(_), None) => never("template"),
        (Failure::Restricted(restriction), None) => failed(restricted(*restriction), NextTurn::NextCycle),
        (Failure::Held(held), None) => failed(held_back(*held), NextTurn::NextCycle),
        (Failure::Refused, None) => failed("refused", NextTurn::NextCycle),
        (_, None) => Judgement::failed("browser", tries, retries, now),
    };
    judged.because(failure.to_string())
}

fn restricted(restriction: Restriction) -> &'static str {
    match restriction {
        Restriction::Premium => "premium",
        Restriction::Paid => "paid",
        Restriction::MustJoin => "must_join",
        Restriction::MustStart => "must_start",
        Restriction::BlockedByUs => "blocked",
        Restriction::Frozen
        | Restriction::ReadOnly
        | Restriction::NoTexts
        | Restriction::Restricted
        | Restriction::Unknown => "no_rights",
    }
}

fn held_back(held: Held) -> &'static str {
    match held {
        Held::Popup(PopupKind::Premium) => "premium",
        Held::Popup(PopupKind::Stars) => "paid",
        Held::Popup(PopupKind::Confirmation | PopupKind::Media | PopupKind::Other) | Held::Silently => {
            "held_back"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use browser::{Card, DriverError};

    fn of(failure: Failure, tries: u32) -> Judgement {
        judge(&Outcome::Failed(failure), (tries, 2), Timestamp::default())
    }

    #[test]
    fn the_four_kinds_have_their_consequences() {
        assert!(matches!(of(Failure::ChatNotFound, 0).next, NextTurn::Never(_)));
        let frozen = of(Failure::Restricted(Restriction::Frozen), 0);
        assert_eq!(frozen.sender, Some((SenderState::Blocked, "frozen".to_owned())));
        assert_eq!(frozen.next, NextTurn::Back);
        let premium = of(Failure::Restricted(Restriction::Premium), 0);
        assert_eq!((premium.code.as_deref(), premium.next), (Some("premium"), NextTurn::NextCycle));
        assert!(matches!(of(Failure::NotOpened, 1).next, NextTurn::Again(_)));
        assert!(matches!(of(Failure::NotOpened, 2).next, NextTurn::Never(_)));
        let logged_out = of(Failure::LoggedOut(Card::Code), 0);
        assert_eq!(logged_out.sender, Some((SenderState::LoggedOut, "logged_out".to_owned())));
    }

    #[test]
    fn a_restriction_is_the_persons_a_sick_proxy_the_profiles() {
        for why in ["frozen", "refused", "notice", "banned", "restricted"] {
            assert!(is_of_the_person(SenderState::Blocked, why), "{why}");
        }
        for (state, why) in [
            (SenderState::Blocked, PROXY_SICK),
            (SenderState::LoggedOut, "logged_out"),
            (SenderState::LoggedOut, "locked"),
        ] {
            assert!(!is_of_the_person(state, why), "{why}");
        }
    }

    #[test]
    fn a_page_in_trouble_costs_no_recipient_anything() {
        for failure in [
            Failure::White,
            Failure::Changed(vec!["chat_send".to_owned()]),
            Failure::Driver(DriverError::Gone("x".to_owned())),
            Failure::Driver(DriverError::Net("ERR_PROXY_CONNECTION_FAILED".to_owned())),
        ] {
            let judged = of(failure, 9);
            assert_eq!((judged.state, judged.next), (AttemptState::Skipped, NextTurn::Back));
            assert_eq!(judged.sender, None);
        }
    }

    #[test]
    fn a_possibly_sent_message_has_no_other_turn() {
        for outcome in [Outcome::Unknown, Outcome::Sent { message_id: 7, at: None }] {
            let judged = judge(&outcome, (0, 2), Timestamp::default());
            assert_eq!((judged.next, judged.sender), (NextTurn::NextCycle, None));
        }
    }
}
