//! What the updates brought and is not stored yet, folded together so that a busy second is one write. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::Timestamp;
use grammers_session::updates::{MessageBox, State};
use store::{Missed, ReceivedChange, UpdateChange, UpdateState};

use crate::account::Learned;

/// This much is written at once, whatever the time.
const MUCH: usize = 200;

#[derive(Debug, Default)]
pub(super) struct Pending {
    primary: Option<(i32, i32, i32)>,
    secondary: Option<i32>,
    channels: BTreeMap<i64, i32>,
    pub(super) learned: Learned,
    /// What is kept of them, in their order.
    pub(super) received: Vec<ReceivedChange>,
    /// What they passed over.
    pub(super) missed: Vec<Missed>,
    /// When the first of them came.
    pub(super) since: Option<Timestamp>,
}

impl Pending {
    pub(super) fn note(&mut self, state: &State) {
        match state.message_box {
            Some(MessageBox::Common { pts }) if pts > 0 => self.primary = Some((pts, state.date, state.seq)),
            Some(MessageBox::Secondary { qts }) if qts > 0 => self.secondary = Some(qts),
            Some(MessageBox::Channel { channel_id, pts }) if pts > 0 => self.note_channel(channel_id, pts),
            _ => {}
        }
    }

    pub(super) fn note_primary(&mut self, pts: i32, date: i32, seq: i32) {
        self.primary = Some((pts, date, seq));
    }

    pub(super) fn note_channel(&mut self, id: i64, pts: i32) {
        self.channels.insert(id, pts);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.primary.is_none()
            && self.secondary.is_none()
            && self.channels.is_empty()
            && self.learned.len() == 0
            && self.received.is_empty()
            && self.missed.is_empty()
    }

    pub(super) fn is_much(&self) -> bool {
        self.channels.len() + self.learned.len() + self.received.len() >= MUCH
    }

    /// The changes of the counters, in the order they are to be written.
    pub(super) fn counters(&self) -> Vec<UpdateChange> {
        let mut changes = Vec::new();
        if let Some((pts, date, seq)) = self.primary {
            changes.push(UpdateChange::Primary { pts, date, seq });
        }
        if let Some(qts) = self.secondary {
            changes.push(UpdateChange::Secondary { qts });
        }
        let channels = self.channels.iter();
        changes.extend(channels.map(|(id, pts)| UpdateChange::Channel { id: *id, pts: *pts }));
        changes
    }

    /// All of it is stored.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// The first moment after another that is a multiple of a duration, which is the same for all accounts.
pub(super) fn next_multiple(moment: Timestamp, of: Duration) -> Timestamp {
    let of = i64::try_from(of.as_micros()).unwrap_or(i64::MAX).max(1);
    let into = moment.as_micros().rem_euclid(of);
    Timestamp::from_micros(moment.as_micros().saturating_add(of - into))
}

/// The state of the updates before some were missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Absence {
    pub(super) pts: i32,
    /// In seconds of Telegram's clock.
    pub(super) date: i32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Beginning {
    /// From here: what came since is asked for.
    At(UpdateState),
    /// From now on; what is older than can be asked for is missed.
    Now { missed: Option<Absence> },
}

/// Decides where to begin: a state that is too old is not asked for.
pub(super) fn begin(stored: Option<UpdateState>, now: Timestamp, oldest: Duration) -> Beginning {
    match stored {
        Some(state) if state.pts > 0 && now.since(state.saved_at) <= oldest => Beginning::At(state),
        Some(state) if state.pts > 0 => {
            Beginning::Now { missed: Some(Absence { pts: state.pts, date: state.date }) }
        }
        _ => Beginning::Now { missed: None },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn many_updates_merge_into_one_change_of_each_kind() {
        let mut pending = Pending::default();
        assert!(pending.is_empty());
        for pts in 1..=5 {
            pending.note(&State { date: 10 + pts, seq: pts, message_box: Some(MessageBox::Common { pts }) });
            let message_box = Some(MessageBox::Channel { channel_id: 7, pts: 100 + pts });
            pending.note(&State { date: 0, seq: 0, message_box });
        }
        pending.note(&State { date: 0, seq: 0, message_box: Some(MessageBox::Secondary { qts: 0 }) });
        assert_eq!(
            pending.counters(),
            [UpdateChange::Primary { pts: 5, date: 15, seq: 5 }, UpdateChange::Channel { id: 7, pts: 105 }]
        );
        pending.clear();
        assert!(pending.is_empty());
    }

    #[test]
    fn a_day_is_caught_up_with_and_no_more() {
        let day = Duration::from_hours(24);
        let state = UpdateState {
            pts: 5,
            qts: 0,
            date: 1,
            seq: 1,
            channels: Vec::new(),
            saved_at: Timestamp::from_micros(0),
        };
        let now = Timestamp::from_micros(0).plus(day);
        assert_eq!(begin(Some(state.clone()), now, day), Beginning::At(state.clone()));
        let later = now.plus(Duration::from_secs(1));
        let missed = Some(Absence { pts: 5, date: 1 });
        assert_eq!(begin(Some(state), later, day), Beginning::Now { missed });
        assert_eq!(begin(None, now, day), Beginning::Now { missed: None });
    }

    proptest! {
        #[test]
        fn moments_between_two_multiples_have_the_same_next(
            period in -1_000_i64..1_000, first in 0_i64..10_000, second in 0_i64..10_000,
        ) {
            let every = Duration::from_millis(10);
            let due = |into| next_multiple(Timestamp::from_micros(period * 10_000 + into), every);
            prop_assert_eq!(due(first), due(second));
            prop_assert_eq!(due(first), Timestamp::from_micros((period + 1) * 10_000));
        }
    }
}
