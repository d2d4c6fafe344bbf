//! The numbers that stand for states and steps in tables. Never change one: databases hold them.
//!
//! The order of the message states has a meaning: up to [`LAST_UNFINISHED`] someone still has to do something,
//! below [`FIRST_SENT`] a person may want to look. Up to 1 a saga goes on by itself, up to 10 it is open.

use domain::message::{MessageState, OnFlood, PartState};
use domain::saga::SagaState;
use domain::timeline::Step;
use domain::{
    AppealState, AttemptState, Author, CampaignRunState, ChatRef, FlowRunState, ProxyHealth, SenderState,
    Service, TurnStage,
};

/// The largest number of a state that a worker takes up after a restart, scheduled ones included.
#[cfg(test)]
pub(crate) const LAST_UNFINISHED: i64 = 3;
/// The smallest number of a state in which the provider has the message.
pub(crate) const FIRST_SENT: i64 = 20;

pub(crate) const fn of_message(state: MessageState) -> i64 {
    match state {
        MessageState::Queued => 0,
        MessageState::Scheduled => 1,
        MessageState::AwaitingApproval => 2,
        MessageState::Sending => 3,
        MessageState::InDoubt => 10,
        MessageState::Failed => 11,
        MessageState::Cancelled => 12,
        MessageState::Sent => 20,
        MessageState::Delivered => 21,
        MessageState::Read => 22,
    }
}

pub(crate) fn message(code: i64) -> Option<MessageState> {
    MessageState::ALL.into_iter().find(|state| of_message(*state) == code)
}

pub(crate) const fn of_part(state: PartState) -> i64 {
    match state {
        PartState::Waiting => 0,
        PartState::Begun => 1,
        PartState::Sent => 2,
    }
}

pub(crate) fn part(code: i64) -> Option<PartState> {
    [PartState::Waiting, PartState::Begun, PartState::Sent].into_iter().find(|state| of_part(*state) == code)
}

pub(crate) const fn of_flow_run(state: FlowRunState) -> i64 {
    match state {
        FlowRunState::Running => 0,
        FlowRunState::Done => 10,
        FlowRunState::Failed => 11,
        FlowRunState::Stopped => 12,
        FlowRunState::Cut => 13,
        FlowRunState::Skipped => 14,
    }
}

pub(crate) fn flow_run(code: i64) -> Option<FlowRunState> {
    FlowRunState::ALL.into_iter().find(|state| of_flow_run(*state) == code)
}

pub(crate) const fn of_campaign_run(state: CampaignRunState) -> i64 {
    match state {
        CampaignRunState::Running => 0,
        CampaignRunState::Paused => 1,
        CampaignRunState::Done => 10,
        CampaignRunState::Stopped => 11,
    }
}

pub(crate) fn campaign_run(code: i64) -> Option<CampaignRunState> {
    CampaignRunState::ALL.into_iter().find(|state| of_campaign_run(*state) == code)
}

/// From 12 on it may have been sent.
pub(crate) const fn of_attempt(state: AttemptState) -> i64 {
    match state {
        AttemptState::Claimed => 0,
        AttemptState::Failed => 10,
        AttemptState::Skipped => 11,
        AttemptState::Unknown => 12,
        AttemptState::Sent => 20,
    }
}

pub(crate) fn attempt(code: i64) -> Option<AttemptState> {
    AttemptState::ALL.into_iter().find(|state| of_attempt(*state) == code)
}

pub(crate) const fn of_campaign_sender(state: SenderState) -> i64 {
    match state {
        SenderState::Active => 0,
        SenderState::Blocked => 1,
        SenderState::LoggedOut => 2,
    }
}

pub(crate) fn campaign_sender(code: i64) -> Option<SenderState> {
    SenderState::ALL.into_iter().find(|state| of_campaign_sender(*state) == code)
}

pub(crate) const fn of_appeal(state: AppealState) -> i64 {
    match state {
        AppealState::New => 0,
        AppealState::Open => 1,
        AppealState::WaitingClient => 2,
        AppealState::WaitingUs => 3,
        AppealState::Closed => 10,
    }
}

pub(crate) fn appeal(code: i64) -> Option<AppealState> {
    AppealState::ALL.into_iter().find(|state| of_appeal(*state) == code)
}

pub(crate) const fn of_turn(stage: TurnStage) -> i64 {
    match stage {
        TurnStage::Resolve => 0,
        TurnStage::Appeal => 1,
        TurnStage::Respond => 2,
        TurnStage::Send => 3,
        TurnStage::Answered => 10,
        TurnStage::HandedOver => 11,
        TurnStage::Discarded => 12,
    }
}

pub(crate) fn turn(code: i64) -> Option<TurnStage> {
    TurnStage::ALL.into_iter().find(|stage| of_turn(*stage) == code)
}

pub(crate) const fn of_author(author: Author) -> i64 {
    match author {
        Author::Client => 0,
        Author::Ai => 1,
        Author::Agent => 2,
        Author::Program => 3,
        Author::Elsewhere => 4,
    }
}

pub(crate) fn author(code: i64) -> Option<Author> {
    Author::ALL.into_iter().find(|author| of_author(*author) == code)
}

pub(crate) const fn of_proxy_health(health: ProxyHealth) -> i64 {
    match health {
        ProxyHealth::Untested => 0,
        ProxyHealth::Healthy => 1,
        ProxyHealth::Sick => 2,
    }
}

pub(crate) fn proxy_health(code: i64) -> Option<ProxyHealth> {
    ProxyHealth::ALL.into_iter().find(|health| of_proxy_health(*health) == code)
}

/// What sends a message into a chat, files or a text alone.
pub(crate) const fn of_sending(chat: &ChatRef, has_media: bool) -> i64 {
    match Service::sending_to(chat, has_media) {
        Some(Service::SendMedia) => 1,
        Some(_) => 0,
        None => 2,
    }
}

pub(crate) const fn sending(code: i64) -> Option<Service> {
    match code {
        1 => Some(Service::SendMedia),
        2 => None,
        _ => Some(Service::SendText),
    }
}

pub(crate) const fn of_saga(state: SagaState) -> i64 {
    match state {
        SagaState::Queued => 0,
        SagaState::Running => 1,
        SagaState::InDoubt => 10,
        SagaState::Failed => 11,
        SagaState::Cancelled => 12,
        SagaState::Done => 20,
    }
}

pub(crate) fn saga(code: i64) -> Option<SagaState> {
    SagaState::ALL.into_iter().find(|state| of_saga(*state) == code)
}

pub(crate) const fn of_step(step: Step) -> i64 {
    match step {
        Step::Accepted => 0,
        Step::Begun => 1,
        Step::Attempted => 2,
        Step::Waiting => 3,
        Step::MovedOn => 4,
        Step::Joined => 5,
        Step::Sent => 6,
        Step::Failed => 7,
        Step::Cancelled => 8,
        Step::InDoubt => 9,
        Step::Resolved => 10,
        Step::Resumed => 11,
        Step::Retried => 12,
        Step::Delivered => 13,
        Step::Read => 14,
        Step::Approved => 15,
        Step::Rejected => 16,
    }
}

/// The step of a message that was begun as it was accepted: one row for both.
pub(crate) const ACCEPTED_AND_BEGUN: i64 = 17;

pub(crate) fn step(code: i64) -> Option<Step> {
    if code == ACCEPTED_AND_BEGUN {
        return Some(Step::Begun);
    }
    Step::ALL.into_iter().find(|step| of_step(*step) == code)
}

pub(crate) const fn of_on_flood(on_flood: OnFlood) -> i64 {
    match on_flood {
        OnFlood::Wait => 0,
        OnFlood::Fail => 1,
    }
}

pub(crate) fn on_flood(code: i64) -> Option<OnFlood> {
    [OnFlood::Wait, OnFlood::Fail].into_iter().find(|on_flood| of_on_flood(*on_flood) == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back() {
        for state in MessageState::ALL {
            assert_eq!(message(of_message(state)), Some(state));
        }
        for state in [PartState::Waiting, PartState::Begun, PartState::Sent] {
            assert_eq!(part(of_part(state)), Some(state));
        }
        for state in SagaState::ALL {
            assert_eq!(saga(of_saga(state)), Some(state));
        }
        for one in Step::ALL {
            assert_eq!(step(of_step(one)), Some(one));
        }
        for state in FlowRunState::ALL {
            assert_eq!(flow_run(of_flow_run(state)), Some(state));
        }
        for state in CampaignRunState::ALL {
            assert_eq!(campaign_run(of_campaign_run(state)), Some(state));
            assert_eq!(of_campaign_run(state) >= 10, state.is_final());
        }
        for state in AttemptState::ALL {
            assert_eq!(attempt(of_attempt(state)), Some(state));
            let maybe_sent = matches!(state, AttemptState::Sent | AttemptState::Unknown);
            assert_eq!(of_attempt(state) >= 12, maybe_sent, "{state:?}");
        }
        for state in SenderState::ALL {
            assert_eq!(campaign_sender(of_campaign_sender(state)), Some(state));
        }
        for health in ProxyHealth::ALL {
            assert_eq!(proxy_health(of_proxy_health(health)), Some(health));
        }
        for one in [OnFlood::Wait, OnFlood::Fail] {
            assert_eq!(on_flood(of_on_flood(one)), Some(one));
        }
        assert_eq!((message(99), part(99), step(99), on_flood(99)), (None, None, None, None));
        assert_eq!(saga(99), None);
    }

    #[test]
    fn message_state_codes_keep_the_order_statements_rely_on() {
        for state in MessageState::ALL {
            let code = of_message(state);
            assert_eq!(code <= LAST_UNFINISHED, !state.is_final(), "{state:?}");
            let sent = matches!(state, MessageState::Sent | MessageState::Delivered | MessageState::Read);
            assert_eq!(code >= FIRST_SENT, sent, "{state:?}");
            assert_eq!(code <= 2, state.can_cancel(), "{state:?}");
        }
        for state in SagaState::ALL {
            let code = of_saga(state);
            assert_eq!(code <= 1, !state.is_final(), "{state:?}");
            assert_eq!(code <= 10, !state.is_final() || state == SagaState::InDoubt, "{state:?}");
        }
    }
}
