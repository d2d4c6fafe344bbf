//! Voices whose provider has written them down.

use std::time::Duration;

use domain::{InboundKind, InboundMedia, Responder};
use store::PipelineRules;

use super::{ANNA, SILENCE, Written, rules, started, written};
use crate::support::World;

pub(super) async fn a_voice_that_its_provider_wrote_down_is_not_awaited(world: World) {
    started(&world, Responder::Ai).await;
    let within = Duration::from_secs(30);
    let rules = PipelineRules { hears_within: Some(within), ..rules(Responder::Ai) };
    let told =
        InboundMedia { transcript: Some("come today".into()), ..InboundMedia::new(InboundKind::Voice) };
    world.says(Written { voice: Some(told), ..written(ANNA, "m-1") }).await;
    world.work(&rules).await;
    assert_eq!(world.store.pipeline().voices(10).await.unwrap(), []);
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    let turn = world.responding().await.remove(0);
    assert_eq!(world.batch_of(&turn).await, ["text of m-1\n\n[Голосовое]: come today"]);
}
