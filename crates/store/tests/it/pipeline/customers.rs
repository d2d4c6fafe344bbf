//! Which people who write to an account of Telegram are customers.

use domain::{AccessHash, ChatId, CustomerRule, Customers, Responder};
use store::{AppealFilter, PeerKind, PipelineRules, StoredPeer};

use super::{SILENCE, page, started};
use crate::support::{World, account};

pub(super) async fn people_in_the_contacts_of_an_account_are_no_customers(world: World) {
    let customers = CustomerRule { rule: Customers::NotContacts, ..CustomerRule::default() };
    let rules = PipelineRules { customers, ..started(&world, Responder::Human).await };
    for (number, contact) in [(7, true), (8, false)] {
        let chat_id = ChatId::user(i64::from(number)).unwrap();
        let peer = StoredPeer {
            chat_id,
            access_hash: AccessHash(1),
            username: None,
            title: "Anna".into(),
            kind: PeerKind::User,
            dialog: true,
            phone: None,
            contact,
        };
        world.store.peers().save(&account("main"), vec![peer]).await.unwrap();
        world.take(world.received(chat_id, number, "Is it still there?")).await;
    }
    world.work(&rules).await;
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    let appeals = world.store.pipeline().appeals(&AppealFilter::default(), &page()).await.unwrap().items;
    assert_eq!(appeals.len(), 1);
    world.client_of("telegram_account:main/8").await;
}
