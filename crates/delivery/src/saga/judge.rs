//! What a step's refusal, or its missing answer, means for the whole saga. Pure.

use std::time::Duration;

use domain::outcome::{Failure, Refusal, RejectionCode};
use domain::saga::{Saga, Step, Task};
use domain::{AccountName, Outcome, Timestamp};

use super::machine;
use crate::decide::{self, Pause};
use crate::sender::RefusalKind;

/// A question about someone, or about an invite list, that was asked so often without an answer is given up.
const FRUITLESS_ATTEMPTS: u32 = 6;

/// How far a saga is when a step comes back without an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepContext<'a> {
    /// What is asked for.
    pub(crate) task: &'a Task,
    /// The account that took the step.
    pub(crate) account: &'a AccountName,
    /// Whether something was changed already, so that it stays with this account.
    pub(crate) settled: bool,
    /// Whether an earlier attempt at this step may have been done, so that an outcome proves something about this attempt
    /// only.
    pub(crate) doubtful: bool,
    /// How often this step came back without a result, this time included.
    pub(crate) attempts: u32,
    /// The present time.
    pub(crate) now: Timestamp,
    /// Until when a step is kept waiting.
    pub(crate) patient_until: Timestamp,
}

/// A call that was given up after less than this was cut off, and is over; one that took longer got no answer in time,
/// and may still be under way at the provider.
const CUT_OFF: Duration = Duration::from_secs(5);

/// Nothing that was asked for this long ago takes effect any more.
const LATEST_EFFECT: Duration = Duration::from_mins(1);

/// From when on it counts that a chat is not there.
pub(crate) fn absence_counts_from(requested_at: Timestamp, given_up_at: Timestamp) -> Timestamp {
    if given_up_at.since(requested_at) < CUT_OFF { given_up_at } else { requested_at.plus(LATEST_EFFECT) }
}

/// The most that a saga waits for its later steps, however long it waited before.
const LONGEST_WAIT: Duration = Duration::from_mins(10);

/// Until when the steps are kept waiting that follow now. The time in the queue, and the time in which the program was
/// not running, do not count.
pub(crate) fn patient_from(now: Timestamp, saga: &Saga) -> Timestamp {
    let patience = saga.patient_until.since(saga.created_at).min(LONGEST_WAIT);
    saga.patient_until.max(now.plus(patience))
}

/// What follows when a chat was looked for and is certainly not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absent {
    /// It is made again, after this pause.
    MakeAgain(Duration),
    /// This account answers nothing of use: another may try.
    MoveOn,
}

/// `times` it was asked for through this account in vain, this time included.
pub(crate) fn absent(times: u32) -> Absent {
    match times {
        0 | 1 => Absent::MakeAgain(Duration::ZERO),
        2 => Absent::MakeAgain(decide::back_off(times)),
        _ => Absent::MoveOn,
    }
}

/// What happens next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum After {
    /// The refusal is the step's own result; the saga goes on.
    Record,
    /// It is done, though no answer said so.
    Done,
    /// The same step through the same account, not before this pause.
    Again(Pause),
    /// The chat may have been made: look for it.
    Look,
    /// Nothing was done: another account may try, or this one later.
    MoveOn {
        /// This account is not to be asked again for this saga.
        exclude: Option<RefusalKind>,
        /// It may be asked again then.
        held_until: Option<Timestamp>,
    },
    /// The saga ends here.
    Fail(Failure),
    /// It may have been done, and the account that knows is gone.
    Doubt,
}

/// What an outcome means.
pub(crate) fn after(step: &Step, outcome: &Outcome, context: &StepContext<'_>) -> After {
    match step {
        Step::Create { .. } => after_create(outcome),
        Step::Resolve { .. } | Step::ListMembers { .. } => after_question(step, outcome, context),
        _ if context.settled || context.doubtful => after_late_step(step, outcome, context),
        _ => after_first_step(step, outcome, context),
    }
}

/// The one step that is not repeated blindly. The one who asks has looked for the chat after an earlier attempt that came
/// back without an answer, so that a refusal always proves that there is none.
fn after_create(outcome: &Outcome) -> After {
    match outcome {
        Outcome::Unknown(_) | Outcome::InProgress | Outcome::Sent(_) => After::Look,
        Outcome::Rejected { code } => After::Fail(Failure::Rejected { provider_code: code.clone() }),
        refusal => move_on(refusal),
    }
}

fn after_question(step: &Step, outcome: &Outcome, context: &StepContext<'_>) -> After {
    let about_a_person = matches!(step, Step::Resolve { .. });
    let in_vain = about_a_person && context.attempts >= FRUITLESS_ATTEMPTS;
    match outcome {
        // No one is removed from a chat that cannot be left afterwards, or is not to be.
        Outcome::Rejected { code: code @ (RejectionCode::UserCreator | RejectionCode::OwnChat) } => {
            After::Fail(Failure::Rejected { provider_code: code.clone() })
        }
        Outcome::Rejected { .. } | Outcome::Forbidden(_) | Outcome::NotInChat(_) => After::Record,
        Outcome::NotFound(_) if about_a_person || context.settled => After::Record,
        _ if context.settled => after_late_question(outcome, context),
        Outcome::Unknown(_) | Outcome::InProgress | Outcome::Sent(_) if in_vain => After::Record,
        refusal => move_on(refusal),
    }
}

fn after_late_question(outcome: &Outcome, context: &StepContext<'_>) -> After {
    match outcome {
        Outcome::Held { until, .. } if *until <= context.patient_until => After::Again(Pause::Until(*until)),
        Outcome::Unknown(_) | Outcome::InProgress | Outcome::Unavailable(_) | Outcome::Sent(_)
            if context.now < context.patient_until =>
        {
            After::Again(Pause::BackOff)
        }
        _ => After::Record,
    }
}

/// The first step that changes something in a chat that is there: until it is done, others may try.
fn after_first_step(step: &Step, outcome: &Outcome, context: &StepContext<'_>) -> After {
    match outcome {
        Outcome::Unknown(_) | Outcome::InProgress | Outcome::Sent(_) => After::Again(Pause::BackOff),
        refusal if is_own_result(step, refusal, context.task) => After::Record,
        Outcome::Rejected { code } => After::Fail(Failure::Rejected { provider_code: code.clone() }),
        refusal => move_on(refusal),
    }
}

/// Whether a refusal to remove someone is no reason to try it through another account.
fn is_own_result(step: &Step, outcome: &Outcome, task: &Task) -> bool {
    let before_leaving = matches!(task, Task::LeaveChat { .. })
        && matches!(outcome, Outcome::Forbidden(_) | Outcome::NotInChat(_));
    matches!(step, Step::Remove { .. }) && (before_leaving || machine::is_about_one_user(outcome))
}

/// Something was changed already, or may have been: the saga stays with this account, and a refusal is this step's own
/// result. Leaving is the exception: it is what the whole was for.
fn after_late_step(step: &Step, outcome: &Outcome, context: &StepContext<'_>) -> After {
    let leaving = matches!(step, Step::Leave);
    let in_vain = !leaving && context.now >= context.patient_until && context.attempts >= FRUITLESS_ATTEMPTS;
    match outcome {
        // It may have been done; the chat is there, and the one who asked must not wait for ever.
        Outcome::Unknown(_) | Outcome::InProgress | Outcome::Unavailable(_) if in_vain => After::Record,
        Outcome::Unknown(_) | Outcome::InProgress | Outcome::Sent(_) => After::Again(Pause::BackOff),
        Outcome::Held { until, .. } if context.doubtful || *until <= context.patient_until => {
            After::Again(Pause::Until(*until))
        }
        Outcome::Unavailable(_) if context.doubtful || context.now < context.patient_until => {
            After::Again(Pause::BackOff)
        }
        _ if !leaving => After::Record,
        // A chat that this account has just been in, and now finds no more, was left.
        Outcome::NotFound(_) => After::Done,
        Outcome::Banned(_) | Outcome::SessionLost(_) if context.doubtful => After::Doubt,
        Outcome::Held { until, .. } => After::Fail(Failure::FloodWait { until: *until }),
        Outcome::Rejected { code } => After::Fail(Failure::Rejected { provider_code: code.clone() }),
        Outcome::Forbidden(_) => After::Fail(Failure::NoRights { asked: vec![refusal(context, outcome)] }),
        Outcome::NotInChat(_) => After::Fail(Failure::NotInChat { asked: vec![refusal(context, outcome)] }),
        // Work on chats carries no media: the one who says so does not do its work.
        Outcome::Banned(_)
        | Outcome::SessionLost(_)
        | Outcome::Restricted(_)
        | Outcome::Unavailable(_)
        | Outcome::ChatMoved
        | Outcome::Unprepared(_)
        | Outcome::MediaGone(_)
        | Outcome::MediaExpired(_) => {
            After::Fail(Failure::NoAccount { asked: vec![refusal(context, outcome)] })
        }
    }
}

/// The account of a saga that is bound to it can be asked no more, now and for good.
pub(crate) fn after_loss(step: &Step, context: &StepContext<'_>, outcome: &Outcome) -> After {
    match step {
        Step::Create { .. } => After::Doubt,
        Step::Leave if context.doubtful => After::Doubt,
        Step::Leave => After::Fail(Failure::NoAccount { asked: vec![refusal(context, outcome)] }),
        _ => After::Record,
    }
}

/// A refusal that proves that nothing was done, or a question without an answer, which may go anywhere.
fn move_on(outcome: &Outcome) -> After {
    let (exclude, held_until) = match outcome {
        Outcome::Held { until, .. } => (None, Some(*until)),
        Outcome::NotFound(_) => (Some(RefusalKind::NotFound), None),
        Outcome::Forbidden(_) => (Some(RefusalKind::Forbidden), None),
        Outcome::NotInChat(_) => (Some(RefusalKind::NotInChat), None),
        Outcome::Restricted(_)
        | Outcome::Banned(_)
        | Outcome::SessionLost(_)
        | Outcome::MediaGone(_)
        | Outcome::MediaExpired(_) => (Some(RefusalKind::Unusable), None),
        Outcome::Unavailable(_)
        | Outcome::ChatMoved
        | Outcome::Unprepared(_)
        | Outcome::Unknown(_)
        | Outcome::InProgress
        | Outcome::Sent(_)
        | Outcome::Rejected { .. } => (None, None),
    };
    After::MoveOn { exclude, held_until }
}

fn refusal(context: &StepContext<'_>, outcome: &Outcome) -> Refusal {
    Refusal { account: context.account.clone(), why: machine::why(outcome) }
}
