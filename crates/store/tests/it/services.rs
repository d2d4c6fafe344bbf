//! Services that were stopped by hand.

use std::time::Duration;

use domain::Service;

use crate::support::{World, conformance};

conformance! { a_stopped_service_stays_so_until_it_is_started }

async fn a_stopped_service_stays_so_until_it_is_started(world: World) {
    let services = world.store.services();
    assert_eq!(services.stopped().await, Ok(Vec::new()));
    let since = world.now();
    for service in Service::ALL {
        services.save(service, true, since).await.unwrap();
    }
    // One that is stopped already keeps its time.
    let later = since.plus(Duration::from_secs(1));
    services.save(Service::SendText, true, later).await.unwrap();
    services.save(Service::LeaveChat, false, later).await.unwrap();
    services.save(Service::LeaveChat, false, later).await.unwrap();
    world.store.clone().close().await;
    let store = world.open_again().await.unwrap();
    let mut stopped = store.services().stopped().await.unwrap();
    stopped.sort_unstable();
    assert_eq!(
        stopped,
        [(Service::CreateChat, since), (Service::SendText, since), (Service::SendMedia, since)]
    );
}
