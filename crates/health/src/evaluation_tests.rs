//! Verdicts: red only for a reason, green only after an answer.

use domain::account::Reason;
use proptest::prelude::*;
use telegram::AccountSource;

use std::borrow::Cow;
use std::time::Duration;

use domain::Purpose;
use domain::account::AccountState;
use domain::account::Operation;
use store::StoreError;
use telegram::{CallTrouble, LastCalls, LineView};

use crate::evaluation::{
    Evaluation, LineObservation, PATIENT_ROUNDS, ServiceActivity, Worker, line, port, queue, service, store,
    traffic,
};
use crate::health::PortState;
use crate::minute::ProbeOutcome;

fn view(state: AccountState, reason: Option<Reason>) -> LineView {
    LineView {
        name: "all".to_owned(),
        purposes: Purpose::ALL.to_vec(),
        source: AccountSource::Settings,
        session: None,
        state,
        reason,
        detail: None,
        dc_id: Some(2),
        last_answer_at: None,
        round_trip_ms: Some(40),
        operations: 7,
        errors: 0,
        reads_updates: true,
    }
}

fn worker(state: AccountState, answer: ProbeOutcome, flooded: bool) -> Worker<'static> {
    let evaluation = Evaluation { answer, latency: None, reason: Some(Cow::Borrowed("x")) };
    Worker { name: "main", state, evaluation, flooded }
}

#[test]
fn a_line_is_green_only_after_an_answer_and_slow_is_shown() {
    let ready = view(AccountState::Ready, None);
    let observed = |answered| LineObservation { answered, ..LineObservation::default() };
    assert_eq!(line(&ready, observed(true)).answer, ProbeOutcome::Answered);
    assert_eq!(line(&ready, observed(false)), Evaluation::not_probed("no_answer_yet"));
    let slow = LineView { round_trip_ms: Some(2_500), ..ready };
    assert_eq!(line(&slow, observed(true)).answer, ProbeOutcome::Slow);
}

#[test]
fn coming_up_takes_a_moment_and_then_is_trouble() {
    let connecting = view(AccountState::Connecting, None);
    let observed = |connecting| LineObservation { connecting, ..LineObservation::default() };
    assert_eq!(line(&connecting, observed(1)), Evaluation::not_probed("connecting"));
    assert_eq!(line(&connecting, observed(PATIENT_ROUNDS)), Evaluation::failed("not_connected"));
    let silent = LineObservation { silent: true, ..observed(9) };
    assert_eq!(line(&connecting, silent), Evaluation::not_probed("clearing"), "silence is no fault");
}

#[test]
fn a_service_goes_on_as_long_as_one_account_can() {
    let green = worker(AccountState::Ready, ProbeOutcome::Answered, false);
    let flooded = worker(AccountState::FloodWait, ProbeOutcome::Answered, true);
    let broken = worker(AccountState::Error, ProbeOutcome::Failed, false);
    let paused = worker(AccountState::Paused, ProbeOutcome::NotAsked, false);
    let judged = |pool: &[&Worker<'static>]| {
        let pool: Vec<Worker<'_>> = pool.iter().map(|worker| (*worker).clone()).collect();
        service(ServiceActivity::Working, &pool)
    };
    assert_eq!(judged(&[&broken, &flooded, &green]).answer, ProbeOutcome::Answered);
    assert_eq!(judged(&[&flooded, &paused]), Evaluation::failed("flood_wait"));
    assert_eq!(judged(&[&broken, &flooded]), Evaluation::failed("accounts_unable"));
    assert_eq!(judged(&[&broken, &paused]).answer, ProbeOutcome::Failed);
    assert_eq!(judged(&[&paused]), Evaluation::not_probed("paused"));
    assert_eq!(judged(&[]), Evaluation::not_probed("no_account"));
    assert_eq!(
        service(ServiceActivity::Stalled, std::slice::from_ref(&green)),
        Evaluation::failed("stalled")
    );
    assert_eq!(service(ServiceActivity::Stopped, &[green]), Evaluation::not_probed("stopped"));
}

#[test]
fn ports_the_store_and_the_queue_give_reasons() {
    assert_eq!(port(PortState::Taken, None), Evaluation::failed("port_taken"));
    assert_eq!(port(PortState::Listening, Some(Err(()))), Evaluation::failed("no_answer"));
    assert_eq!(port(PortState::Listening, Some(Ok(Duration::from_millis(3)))).answer, ProbeOutcome::Answered);
    assert_eq!(store(&Err(StoreError::StorageFull)), Evaluation::failed("disk_full"));
    let (column, id, what) = ("state".into(), "7".into(), "99 is no state".into());
    let corrupt = StoreError::Corrupt { table: "outbox", column, id, what };
    assert_eq!(store(&Err(corrupt)), Evaluation::failed("row_unreadable"));
    assert_eq!(store(&Err(StoreError::Unavailable(String::new()))), Evaluation::failed("store_unavailable"));
    assert_eq!(store(&Ok(Duration::from_secs(3))).answer, ProbeOutcome::Slow);
    assert_eq!(queue(true, false, None, true), Evaluation::failed("stalled"));
    assert_eq!(queue(false, false, Some(Duration::from_hours(1)), true).answer, ProbeOutcome::Slow);
    assert_eq!(queue(false, false, None, true).answer, ProbeOutcome::Answered);
}

fn last_calls(calls: usize, wrong: usize, well_since: usize, wrong_for: u64) -> LastCalls {
    LastCalls {
        operation: Operation::SendMessage,
        calls,
        wrong,
        well_since,
        wrong_for: Duration::from_secs(wrong_for),
        trouble: CallTrouble::ServerErrors,
    }
}

#[test]
fn real_calls_turn_an_account_amber_then_red_and_end_it() {
    let judged = |last| traffic(&[last], |_| true).map(|evaluation| evaluation.answer);
    assert_eq!(judged(last_calls(1, 1, 0, 0)), Some(ProbeOutcome::Slow), "the first that goes wrong");
    assert_eq!(judged(last_calls(3, 3, 0, 2)), Some(ProbeOutcome::Slow), "one short outage");
    assert_eq!(judged(last_calls(3, 3, 0, 12)), Some(ProbeOutcome::Failed));
    assert_eq!(judged(last_calls(10, 4, 0, 60)), Some(ProbeOutcome::Slow), "most go well");
    assert_eq!(judged(last_calls(10, 2, 0, 60)), None, "a rare one is no trouble");
    assert_eq!(judged(last_calls(4, 3, 1, 60)), Some(ProbeOutcome::Slow), "the latest went well");
    assert_eq!(judged(last_calls(6, 3, 3, 60)), None, "well again");
    assert_eq!(traffic(&[last_calls(9, 9, 0, 60)], |operation| operation == Operation::Leave), None);
}

fn states() -> impl Strategy<Value = AccountState> {
    prop::sample::select(AccountState::ALL.to_vec())
}

proptest! {
    /// Whatever is seen: green needs an answer, red needs a state that is a fault or a line that stays away, and what is
    /// red says why.
    #[test]
    fn no_line_is_red_without_a_fault_or_green_without_an_answer(
        state in states(), answered: bool, connecting in 0_u32..5, silent: bool,
    ) {
        let evaluation = line(&view(state, None), LineObservation { answered, connecting, silent });
        let fault = matches!(
            state,
            AccountState::FloodWait | AccountState::Error | AccountState::Restricted
                | AccountState::NeedsLogin | AccountState::Banned
        );
        let stays_away = state == AccountState::Connecting && connecting >= PATIENT_ROUNDS && !silent;
        prop_assert_eq!(evaluation.answer == ProbeOutcome::Failed, fault || stays_away);
        prop_assert!(!evaluation.was_answered() || answered);
        prop_assert!(evaluation.answer != ProbeOutcome::Failed || evaluation.reason.is_some());
    }

    /// Whatever came of calls: no trouble without a call that went wrong, red only where the latest did and half of all.
    #[test]
    fn traffic_is_red_only_for_what_lasts(calls in 1_usize..10, wrong in 1_usize..10, well in 0_usize..10, lasts in 0_u64..90) {
        let wrong = 1 + wrong % calls;
        let well = well % (calls - wrong + 1);
        let evaluation = traffic(&[last_calls(calls, wrong, well, lasts)], |_| true);
        let red = evaluation.as_ref().is_some_and(|evaluation| evaluation.answer == ProbeOutcome::Failed);
        prop_assert_eq!(red, well == 0 && wrong >= 2 && wrong * 2 >= calls && lasts >= 10);
        prop_assert_eq!(evaluation.is_none(), well >= 3 || wrong * 4 < calls);
        prop_assert!(evaluation.is_none_or(|evaluation| evaluation.reason.is_some()));
    }

    /// A service is red only if its worker is stalled, or some account that is switched on fails or must wait.
    #[test]
    fn no_service_is_red_without_a_fault(
        pool in prop::collection::vec((states(), prop::sample::select(ProbeOutcome::ALL.to_vec()), any::<bool>()), 0..6),
        activity in prop::sample::select(vec![ServiceActivity::Stopped, ServiceActivity::Clearing, ServiceActivity::Stalled, ServiceActivity::Stuck, ServiceActivity::Working]),
    ) {
        let pool: Vec<Worker<'_>> =
            pool.into_iter().map(|(state, answer, flooded)| worker(state, answer, flooded)).collect();
        let evaluation = service(activity, &pool);
        let works = matches!(activity, ServiceActivity::Stuck | ServiceActivity::Working);
        let fault = pool.iter().any(|one| one.evaluation.answer == ProbeOutcome::Failed || one.flooded);
        prop_assert!(evaluation.answer != ProbeOutcome::Failed || activity == ServiceActivity::Stalled || (works && fault));
        let free = pool.iter().any(|one| one.evaluation.was_answered() && !one.flooded);
        prop_assert!(!(works && free) || evaluation.was_answered());
    }
}
