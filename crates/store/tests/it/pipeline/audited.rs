//! What a model does beside its words is in the audit log, in the write of its answer.

use domain::Responder;
use store::{AuditEntry, AuditFilter, AuditResult, AuditWho, ClientFields, TurnAnswer};

use super::{ANNA, SILENCE, page, started, written};
use crate::support::World;

pub(super) async fn what_a_model_does_is_audited_with_its_answer(world: World) {
    let rules = started(&world, Responder::Ai).await;
    world.says(written(ANNA, "m-1")).await;
    world.work(&rules).await;
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    let turn = world.responding().await.remove(0);
    let entry = AuditEntry {
        at: world.now(),
        who: AuditWho::Program,
        action: "model_close".to_owned(),
        subject: turn.appeal.map(|appeal| appeal.to_string()),
        details: std::collections::BTreeMap::new(),
        address: None,
        result: AuditResult::Done,
        code: None,
    };
    for (is_taken, result) in [(true, AuditResult::Done), (false, AuditResult::Refused)] {
        let close = TurnAnswer::Close { why: "it is over".to_owned() };
        let pipeline = world.store.pipeline();
        let taken = pipeline.answer_of_model(turn.id, close, ClientFields::default(), vec![entry.clone()]);
        assert_eq!(taken.await.unwrap(), is_taken);
        let listed = world.store.audit().list(&AuditFilter::default(), &page()).await.unwrap().items;
        assert_eq!(listed[0].entry.result, result);
    }
}
