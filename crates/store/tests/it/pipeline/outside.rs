//! Turns in the hands of other programs, and what happens to them meanwhile.

use std::time::Duration;

use ambient::Ids;
use domain::{AppealState, Author, MessageOrigin, Responder, SpokenText, TurnStage};
use store::{ClientFields, FoundClient, OutsideStages, PipelineRules, TurnAnswer};

use super::{ANNA, SILENCE, Written, page, started, written};
use crate::support::{World, conformance};

conformance! {
    a_turn_is_put_off_at_the_stage_it_was_in_alone,
    a_person_who_answers_before_an_appeal_loses_no_message,
    a_person_takes_over_before_an_appeal_is_found,
}

async fn a_turn_is_put_off_at_the_stage_it_was_in_alone(world: World) {
    let rules = started(&world, Responder::Webhook).await;
    world.taken_in(&rules, written(ANNA, "m-1")).await;
    let (turn, pipeline) = (world.responding().await.remove(0), world.store.pipeline());
    let text = TurnAnswer::Text {
        text: SpokenText::read("Yes").unwrap(),
        needs_approval: false,
        why: None,
        closes: false,
    };
    assert!(pipeline.answer(turn.id, text, ClientFields::default()).await.unwrap());
    let until = world.now().plus(Duration::from_hours(1));
    pipeline.put_off(turn.id, turn.stage, until).await.unwrap();
    assert_eq!(pipeline.at_stage(TurnStage::Send, 10).await.unwrap().len(), 1);
    pipeline.put_off(turn.id, TurnStage::Send, until).await.unwrap();
    assert_eq!(pipeline.at_stage(TurnStage::Send, 10).await.unwrap(), []);
}

async fn a_person_who_answers_before_an_appeal_loses_no_message(world: World) {
    for (place, outside) in [
        OutsideStages { resolve: true, ..OutsideStages::default() },
        OutsideStages { appeal: true, ..OutsideStages::default() },
    ]
    .into_iter()
    .enumerate()
    {
        let rules = PipelineRules { outside, ..started(&world, Responder::Ai).await };
        let (pipeline, ids) = (world.store.pipeline(), Ids::new(world.clock.clone()));
        let address = format!("avito:shop/u2i-{place}");
        world.taken_in(&rules, written(&address, &format!("m-{place}"))).await;
        let turn = pipeline.open_turns(10).await.unwrap().remove(0);
        let answer = format!("o-{place}");
        world.says(Written { origin: MessageOrigin::Owner, ..written(&address, &answer) }).await;
        world.work(&rules).await;
        if outside.resolve {
            assert!(pipeline.resolved(turn.id, FoundClient::default(), &ids).await.unwrap());
            world.work(&rules).await;
        } else {
            assert!(pipeline.appeal_found(turn.id, (None, None), &rules, &ids).await.unwrap());
        }
        assert_eq!(pipeline.open_turns(10).await.unwrap(), []);
        let client = world.client_of(&address).await;
        let messages = pipeline.conversation(client, &page()).await.unwrap().items;
        let authors: Vec<_> = messages.iter().map(|message| message.author).collect();
        assert_eq!(authors, [Author::Elsewhere, Author::Client]);
        assert!(messages[1].appeal.is_some());
        let appeal = pipeline.appeals_of(client, 1).await.unwrap().remove(0);
        let person = Some(Responder::Human);
        assert_eq!((appeal.state, appeal.responder), (AppealState::WaitingClient, person));
    }
}

async fn a_person_takes_over_before_an_appeal_is_found(world: World) {
    let outside = OutsideStages { appeal: true, ..OutsideStages::default() };
    let rules = PipelineRules { outside, ..started(&world, Responder::Ai).await };
    world.says(written(ANNA, "m-1")).await;
    world.work(&rules).await;
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    let (pipeline, ids) = (world.store.pipeline(), Ids::new(world.clock.clone()));
    let turn = pipeline.open_turns(10).await.unwrap().remove(0);
    let client = turn.client.unwrap();
    assert!(pipeline.take_over(client).await.unwrap());
    assert!(pipeline.appeal_found(turn.id, (None, Some(Responder::Ai)), &rules, &ids).await.unwrap());
    assert_eq!(world.responding().await, []);
    let appeal = pipeline.appeals_of(client, 1).await.unwrap().remove(0);
    assert_eq!((appeal.state, appeal.unread), (AppealState::WaitingUs, 1));
}
