//! Clients who were merged more than once.

use ambient::Ids;
use domain::{ClientId, MergeId, Responder};
use store::{FoundClient, OutsideStages, PipelineRules};

use super::{ANNA, BORIS, SILENCE, started, written};
use crate::support::{World, conformance};

conformance! {
    a_client_merged_twice_leads_to_the_last_one,
    an_erased_client_takes_all_who_were_merged_along,
}

const CLARA: &str = "avito:shop/u2i-3";

impl World {
    /// Anna, who was merged into Boris, who was merged into Clara.
    async fn merged_twice(&self, rules: &PipelineRules) -> [ClientId; 3] {
        for address in [ANNA, BORIS, CLARA] {
            self.taken_in(rules, written(address, address)).await;
        }
        let [anna, boris, clara] =
            [self.client_of(ANNA).await, self.client_of(BORIS).await, self.client_of(CLARA).await];
        let ids = Ids::new(self.clock.clone());
        for (master, merged) in [(boris, anna), (clara, boris)] {
            let id = MergeId::from_uuid(ids.next());
            self.store.pipeline().merge(id, master, merged, "olga").await.unwrap();
        }
        [anna, boris, clara]
    }
}

async fn a_client_merged_twice_leads_to_the_last_one(world: World) {
    let rules = started(&world, Responder::Human).await;
    let [anna, boris, clara] = world.merged_twice(&rules).await;
    let pipeline = world.store.pipeline();
    for id in [anna, boris, clara] {
        assert_eq!(pipeline.living_client(id).await.unwrap().unwrap().id, clara);
    }
    let outside = OutsideStages { resolve: true, ..OutsideStages::default() };
    world.says(written("vk:club/3000003", "n-1")).await;
    let rules = PipelineRules { outside, ..rules };
    world.work(&rules).await;
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    let turn = pipeline.open_turns(10).await.unwrap().remove(0);
    let found = FoundClient { client: Some(anna), ..FoundClient::default() };
    assert!(pipeline.resolved(turn.id, found, &Ids::new(world.clock.clone())).await.unwrap());
    assert_eq!(pipeline.turn(turn.id).await.unwrap().unwrap().client, Some(clara));
}

async fn an_erased_client_takes_all_who_were_merged_along(world: World) {
    let rules = started(&world, Responder::Human).await;
    let [_, _, clara] = world.merged_twice(&rules).await;
    assert!(world.store.pipeline().erase(clara).await.unwrap());
    for table in ["pipeline_clients", "pipeline_messages", "pipeline_merges", "pipeline_words"] {
        assert_eq!(world.number(&format!("SELECT count(*) FROM {table}")), 0, "{table}");
    }
}
