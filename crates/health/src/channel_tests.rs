//! What goes to a channel is on no card of a service.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use delivery::{InHand, Unbegun};
use domain::{Service, Timestamp};
use store::EndedInMinute;
use telegram::ServiceView;

use crate::card::{Card, CardId};
use crate::cards::{CardMaker, Shares};
use crate::history::{History, Work};
use crate::observation::{Observation, Probes};

const RUNNING: Duration = Duration::from_hours(1);

fn observation() -> Observation {
    let view = |service| ServiceView {
        service,
        running: true,
        since: Timestamp::default(),
        operations: 0,
        errors: 0,
        last_error: None,
        cache_size: 0,
    };
    Observation {
        at: Timestamp::default().plus(RUNNING),
        running: RUNNING,
        accounts: Vec::new(),
        services: Service::ALL.map(view).into(),
        ports: Vec::new(),
        silent: Vec::new(),
    }
}

/// Work of which some waits, some is stuck with an account, and some no worker takes up.
fn stuck(service: Option<Service>) -> Work {
    Work {
        due: vec![(service, 3, Timestamp::default())],
        in_hand: vec![InHand { account: "shop".parse().expect("a name"), service, since: Duration::ZERO }],
        unbegun: vec![Unbegun { what: *domain::MessageId::MIN.as_uuid(), service, since: Duration::ZERO }],
        ..Work::default()
    }
}

/// The cards after the second round with this work.
fn cards(work: impl Fn() -> Work, ended: &[EndedInMinute]) -> HashMap<CardId, Arc<Card>> {
    let (observation, mut history) = (observation(), History::default());
    history.make_up(ended, observation.at, observation.running);
    for _ in 0..2 {
        let probes = Probes { ports: HashMap::new(), store: Ok(Duration::ZERO), stock: None };
        history.round(&observation, probes, work());
    }
    let minute = history.minute(observation.at, observation.running);
    let maker = CardMaker {
        observation: &observation,
        history: &mut history,
        shares: Shares::default(),
        started_at: Timestamp::default(),
        minute,
        is_stored: true,
    };
    maker.all().into_iter().map(|card| (card.id.clone(), card)).collect()
}

fn ended(service: Option<Service>) -> [EndedInMinute; 1] {
    let minute = Timestamp::default().plus(RUNNING / 2);
    [EndedInMinute { minute, account: None, service, sent: 2, failed: 1 }]
}

#[test]
fn work_of_a_channel_is_on_no_card_of_a_service() {
    let text = CardId::service(Service::SendText);
    let idle = cards(Work::default, &[]);
    let channel = cards(|| stuck(None), &ended(None));
    for service in Service::ALL.map(CardId::service) {
        assert_eq!(channel[&service], idle[&service]);
    }
    let telegram = cards(|| stuck(Some(Service::SendText)), &ended(Some(Service::SendText)));
    let card = &telegram[&text];
    assert_eq!((card.state, card.queue, card.sent_last_hour), ("stalled", Some(3), Some(2)));
    assert!(card.stuck.is_some());
    for of_queue in [&telegram, &channel].map(|cards| &cards[&CardId::queue()]) {
        assert_eq!((of_queue.state, of_queue.queue), ("stalled", Some(3)), "all that waits is in one queue");
    }
}
