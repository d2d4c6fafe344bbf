//! Keeping a caller waiting: until what it asked for is final, or the hold ends and "not done" or "in doubt" is said.

use std::time::Duration;

use domain::Timestamp;
use domain::account::Operation;
use http::StatusCode;
use store::StoreError;

use super::answer::Answer;
use super::caller::Caller;
use super::held::{Cancelled, Held};
use super::hold::{AccountAvailability, flooded_until};
use crate::state::State;

/// How long it is left alone before anyone looks why it waits.
const FIRST_LOOK: Duration = Duration::from_millis(300);
/// How often it is looked at after that.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The port that a caller came by.
pub(super) trait Port: Sync {
    fn state(&self) -> &State;

    /// What is answered while what it does is stopped by hand.
    fn stopped(&self) -> Option<String> {
        None
    }
}

/// What a caller wants, and how the outcome is reported to it.
pub(super) trait Errand: Sync {
    type Work: Held;

    /// The kind of call that would be flooded first.
    const OPERATION: Operation;

    /// What it answers at its end; `None` while it may still change by itself.
    fn answer(&self, work: &Self::Work, now: Timestamp) -> Option<Answer>;

    fn doubt(&self, work: &Self::Work) -> Answer;

    /// When its caller began to wait, if that was before it was accepted.
    fn since(&self) -> Option<Timestamp> {
        None
    }

    /// How many times the hold its caller waits while it is as it is now.
    fn holds(&self, _work: &Self::Work) -> u32 {
        1
    }
}

/// Waits for what a caller asked for, notes what its caller received, and says whether a key had brought it before.
pub(super) async fn wait<E: Errand>(
    gate: &impl Port,
    caller: Caller<E::Work>,
    errand: &E,
) -> Result<(Answer, bool), Answer> {
    let replayed = caller.is_replay();
    match until_answered(gate, caller.id(), errand).await {
        Ok(answer) if answer.is_doubt() => {
            caller.left_in_doubt().await;
            Ok((answer, replayed))
        }
        Ok(answer) => {
            caller.answered().await;
            Ok((answer, replayed))
        }
        Err(error) => {
            caller.left_in_doubt().await;
            Err(stored(&error))
        }
    }
}

async fn until_answered<E: Errand>(
    gate: &impl Port,
    id: <E::Work as Held>::Id,
    errand: &E,
) -> Result<Answer, StoreError> {
    let state = gate.state();
    let since = errand.since().unwrap_or_else(|| state.clock().now());
    let hold = state.options().legacy.hold;
    let mut hold_until = since.plus(hold);
    let mut look = if gate.stopped().is_some() { Duration::ZERO } else { FIRST_LOOK };
    loop {
        let left = hold_until.since(state.clock().now());
        let Some(work) = E::Work::settled(state, id, left.min(look)).await? else { return Ok(gone(&id)) };
        let now = state.clock().now();
        if let Some(answer) = errand.answer(&work, now) {
            return Ok(answer);
        }
        hold_until = since.plus(hold.saturating_mul(errand.holds(&work)));
        let in_vain = work.can_cancel()
            && (gate.stopped().is_some() || work.held_until(state).is_some_and(|until| until >= hold_until));
        if hold_until <= now || state.is_stopping() || in_vain {
            return give_up(gate, id, work.held_until(state), errand).await;
        }
        look = LOOK_EVERY;
    }
}

/// Ends the wait: what was not begun is cancelled, and only then "not done" is said.
async fn give_up<E: Errand>(
    gate: &impl Port,
    id: <E::Work as Held>::Id,
    held_until: Option<Timestamp>,
    errand: &E,
) -> Result<Answer, StoreError> {
    let state = gate.state();
    let now = state.clock().now();
    let why = match gate.stopped() {
        _ if state.is_stopping() => "the program is stopping".to_owned(),
        Some(stopped) => stopped,
        None => match held_until.filter(|until| *until > now) {
            Some(until) => format!("every account must wait until {until}"),
            None => "its caller waited long enough".to_owned(),
        },
    };
    Ok(match E::Work::cancel(state, id, why.clone()).await? {
        Cancelled::Yes(work) => {
            let views = state.pool().accounts();
            let accounts: Vec<_> =
                views.iter().map(|view| AccountAvailability::of(view, E::OPERATION)).collect();
            match flooded_until(held_until, &accounts, work.pin(), now) {
                Some(until) if gate.stopped().is_none() => Answer::flood(until, now),
                _ => Answer::error(
                    StatusCode::SERVICE_UNAVAILABLE,
                    format!("no account could take it ({why}); nothing was done"),
                ),
            }
        }
        Cancelled::TooLate(work) if state.is_stopping() && errand.answer(&work, now).is_none() => {
            // What is on the wire comes back within moments, and its caller would get a doubt that is none.
            match E::Work::settled(state, id, state.options().legacy.hold).await? {
                Some(work) => errand.answer(&work, now).unwrap_or_else(|| errand.doubt(&work)),
                None => gone(&id),
            }
        }
        Cancelled::TooLate(work) => errand.answer(&work, now).unwrap_or_else(|| errand.doubt(&work)),
        Cancelled::Gone => gone(&id),
    })
}

fn gone(id: &impl std::fmt::Display) -> Answer {
    tracing::error!(subject = %id, "what was accepted is not in the store");
    Answer::error(
        StatusCode::INTERNAL_SERVER_ERROR,
        format!("{id} was accepted but cannot be found; see the log"),
    )
}

fn stored(error: &StoreError) -> Answer {
    // Whether it was done is not known here: it may be on its way, so this is no "not done".
    tracing::error!(%error, "the store does not say what became of a request");
    Answer::error(
        StatusCode::INTERNAL_SERVER_ERROR,
        "the store cannot be read now and it may have been done; the same call again joins it",
    )
}
