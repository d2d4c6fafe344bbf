//! Sagas for the tests of their views.

use domain::message::OnFlood;
use domain::saga::{Progress, Saga, SagaState};
use domain::{OperationId, Timestamp};

pub(crate) fn saga(task: &str) -> Saga {
    Saga {
        id: OperationId::MIN,
        task: serde_json::from_str(task).expect("a task"),
        state: SagaState::Queued,
        pin: None,
        on_flood: OnFlood::Wait,
        patient_until: Timestamp::default(),
        account: None,
        chat_id: None,
        begun: None,
        progress: Progress::default(),
        failure: None,
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
    }
}
