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
    for (chat, id, transcript) in [(ANNA, "m-1", "come today"), ("avito:shop/u2i-2", "m-2", "text of m-2")] {
        let media =
            InboundMedia { transcript: Some(transcript.into()), ..InboundMedia::new(InboundKind::Voice) };
        world.says(Written { voice: Some(media), ..written(chat, id) }).await;
    }
    world.work(&rules).await;
    assert_eq!(world.store.pipeline().voices(10).await.unwrap(), []);
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    let mut batches = Vec::new();
    for turn in world.responding().await {
        batches.extend(world.batch_of(&turn).await);
    }
    batches.sort();
    assert_eq!(batches, ["text of m-1\n\n[Голосовое]: come today", "text of m-2"]);
}

pub(super) async fn a_batch_waits_for_the_text_of_a_voice(world: World) {
    const WITHIN: Duration = Duration::from_secs(30);
    started(&world, Responder::Ai).await;
    let rules = PipelineRules { hears_within: Some(WITHIN), ..rules(Responder::Ai) };
    let pipeline = world.store.pipeline();
    let voice_media = || Some(InboundMedia::new(InboundKind::Voice));
    world.says(Written { voice: voice_media(), ..written(ANNA, "m-1") }).await;
    world.work(&rules).await;
    let (voice, until) = pipeline.voices(10).await.unwrap().remove(0);
    let written_at = until.minus(WITHIN);
    assert_eq!(pipeline.next_due().await.unwrap(), Some(until));
    // Once it is heard, silence alone counts.
    assert!(pipeline.heard(&rules, &voice, Some("come today".into())).await.unwrap());
    assert!(!pipeline.heard(&rules, &voice, Some("twice".into())).await.unwrap());
    assert_eq!(pipeline.next_due().await.unwrap(), Some(written_at.plus(SILENCE)));
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    let turn = world.responding().await.remove(0);
    assert_eq!(world.batch_of(&turn).await, ["text of m-1\n\n[Голосовое]: come today"]);
    // One that is not heard is not waited for longer.
    world.says(Written { voice: voice_media(), ..written("avito:shop/u2i-2", "m-2") }).await;
    world.work(&rules).await;
    world.clock.advance(WITHIN);
    world.work(&rules).await;
    assert_eq!(world.responding().await.len(), 2);
    let (voice, _) = pipeline.voices(10).await.unwrap().remove(0);
    assert!(pipeline.heard(&rules, &voice, None).await.unwrap());
    assert_eq!(pipeline.voices(10).await.unwrap(), []);
}
