//! When a private dialog goes over from its account to another one, and which account may take it. Pure.

use std::time::Duration;

use config::PrivateDialogs;
use domain::Timestamp;

use crate::peers::PeerRelation;

#[derive(Debug, Clone, Copy)]
pub(crate) struct MoveRule {
    pub(crate) private_dialogs: PrivateDialogs,
    /// How long a caller is held; an account that is away for longer is worth a move.
    pub(crate) hold: Duration,
}

/// How an account is, as far as its private dialogs are concerned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Presence {
    /// Banned, deactivated or signed out by Telegram.
    pub(crate) lost: bool,
    /// Paused, stopped or frozen, since when.
    pub(crate) away_since: Option<Timestamp>,
    pub(crate) held_until: Option<Timestamp>,
}

impl MoveRule {
    /// Whether dialogs of an account in this state go over to another one.
    pub(crate) fn moves(&self, presence: &Presence, now: Timestamp) -> bool {
        let Presence { lost, away_since, held_until } = *presence;
        match self.private_dialogs {
            PrivateDialogs::Stay => false,
            PrivateDialogs::MoveWhenLost => lost,
            PrivateDialogs::Move => {
                lost || away_since.is_some_and(|since| now.since(since) > self.hold)
                    || held_until.is_some_and(|until| until.since(now) > self.hold)
            }
        }
    }
}

/// Why an account cannot take a private dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotTake {
    #[error("is banned or signed out")]
    Lost,
    #[error("has no dialog with this person and cannot find them by a public name")]
    CannotReach,
    /// It would be a first contact, which Telegram does not let it make.
    #[error("has no dialog with this person and may make no new contacts (peer_flood)")]
    FirstContact,
}

/// Whether a person may give a private dialog to an account: one that has it, or can reach the person and may make first
/// contacts.
pub(crate) const fn may_take(
    lost: bool,
    relation: PeerRelation,
    has_public_name: bool,
    peer_flood: bool,
) -> Result<(), CannotTake> {
    match relation {
        _ if lost => Err(CannotTake::Lost),
        PeerRelation::No if !has_public_name => Err(CannotTake::CannotReach),
        PeerRelation::No | PeerRelation::Contact if peer_flood => Err(CannotTake::FirstContact),
        PeerRelation::No | PeerRelation::Contact | PeerRelation::Dialog => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOLD: Duration = Duration::from_secs(100);
    const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);

    fn rules() -> impl Strategy<Value = PrivateDialogs> {
        prop_oneof![
            Just(PrivateDialogs::Stay),
            Just(PrivateDialogs::MoveWhenLost),
            Just(PrivateDialogs::Move)
        ]
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(NOW.as_micros() + seconds * 1_000_000)
    }

    fn moves(private_dialogs: PrivateDialogs, presence: Presence) -> bool {
        MoveRule { private_dialogs, hold: HOLD }.moves(&presence, NOW)
    }

    proptest! {
        /// An account that can work keeps its dialogs, a lost one keeps them under `stay` alone, and a wait counts under
        /// `move` alone once it is longer than the hold.
        #[test]
        fn only_an_account_that_cannot_go_on_loses_dialogs(
            rule in rules(), lost: bool, away in prop::option::of(0_i64..300), held in prop::option::of(-300_i64..300),
        ) {
            let presence = Presence {
                lost, away_since: away.map(|for_seconds| at(-for_seconds)), held_until: held.map(at),
            };
            let waits_long = away.is_some_and(|away| away > 100) || held.is_some_and(|held| held > 100);
            let expected = match rule {
                PrivateDialogs::Stay => false,
                PrivateDialogs::MoveWhenLost => lost,
                PrivateDialogs::Move => lost || waits_long,
            };
            prop_assert_eq!(moves(rule, presence), expected);
        }

        /// A first contact needs the right to make one and a way to reach the person; a dialog needs neither.
        #[test]
        fn a_dialog_goes_only_where_the_person_can_be_reached(lost: bool, named: bool, peer_flood: bool) {
            prop_assert_eq!(may_take(lost, PeerRelation::Dialog, named, peer_flood).is_ok(), !lost);
            prop_assert_eq!(may_take(lost, PeerRelation::Contact, named, peer_flood).is_ok(), !lost && !peer_flood);
            prop_assert_eq!(may_take(lost, PeerRelation::No, named, peer_flood).is_ok(), !lost && named && !peer_flood);
        }
    }
}
