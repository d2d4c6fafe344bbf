//! A client library that is not ours, against the wire.

use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6};
use std::sync::Arc;

use grammers_mtproto::transport::Full;
use grammers_mtsender::{InvocationError, SenderPool, ServerAddr, connect_with_auth};
use grammers_session::SessionData;
use grammers_session::storages::MemorySession;
use grammers_session::types::DcOption;
use grammers_session::updates::UpdatesLike;
use grammers_tl_types::{LAYER, enums, functions};

use super::world::{Counted, DC, Late, Long, Pushing, long_text, start};

fn introduced<X>(query: X) -> functions::InvokeWithLayer<functions::InitConnection<X>> {
    functions::InvokeWithLayer {
        layer: LAYER,
        query: functions::InitConnection {
            api_id: 1,
            device_model: "test".into(),
            system_version: "1".into(),
            app_version: "1".into(),
            system_lang_code: "en".into(),
            lang_pack: String::new(),
            lang_code: "en".into(),
            proxy: None,
            params: None,
            query,
        },
    }
}

#[tokio::test]
async fn a_sender_with_a_shared_key_calls_and_is_answered() {
    let centre = start().await;
    let address = ServerAddr::Tcp { address: centre.address };
    let mut sender = connect_with_auth(Full::new(), address, centre.key).await.unwrap();
    let enums::NearestDc::Dc(nearest) = sender.invoke(&introduced(Counted {})).await.unwrap();
    assert_eq!(nearest.this_dc, DC);
    for expected in 2..40 {
        let enums::NearestDc::Dc(nearest) = sender.invoke(&Counted {}).await.unwrap();
        assert_eq!(nearest.nearest_dc, expected);
    }
    let enums::help::InviteText::Text(text) = sender.invoke(&Long {}).await.unwrap();
    assert_eq!(text.message, long_text());
    match sender.invoke(&functions::help::GetPeerColors { hash: 0 }).await {
        Err(InvocationError::Rpc(error)) => {
            assert_eq!((error.code, &error.name[..], error.value), (400, "NOT_HERE", Some(7)));
        }
        other => panic!("{other:?}"),
    }
    let seen = centre.world.seen.lock().unwrap();
    assert!(seen.calls.iter().all(|(caller, _)| caller.layer == LAYER && caller.dc_id == DC));
    assert_eq!(seen.connected.len(), 1);
}

#[tokio::test]
async fn a_pool_calls_side_by_side_and_hears_updates() {
    let centre = start().await;
    let SocketAddr::V4(ipv4) = centre.address else { panic!("an IPv4 address") };
    let ipv6 = SocketAddrV6::new(Ipv6Addr::LOCALHOST, ipv4.port(), 0, 0);
    let mut data = SessionData { home_dc: DC, ..SessionData::default() };
    data.dc_options.insert(DC, DcOption { id: DC, ipv4, ipv6, auth_key: Some(centre.key) });
    let SenderPool { runner, handle, mut updates } = SenderPool::new(Arc::new(MemorySession::from(data)), 1);
    let running = tokio::spawn(runner.run());

    handle.invoke_in_dc(DC, &Counted {}).await.unwrap();
    let calls = (0..100).map(|_| {
        let handle = handle.thin.clone();
        tokio::spawn(async move { handle.invoke_in_dc(DC, &Counted {}).await.map(drop) })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    let late = tokio::spawn({
        let handle = handle.thin.clone();
        async move { handle.raw_invoke_in_dc(DC, grammers_tl_types::Serializable::to_bytes(&Late {})).await }
    });
    handle.invoke_in_dc(DC, &Pushing {}).await.unwrap();
    assert!(matches!(updates.recv().await, Some(UpdatesLike::Updates(enums::Updates::TooLong))));
    centre.world.late.notify_one();
    late.await.unwrap().unwrap();

    handle.quit();
    running.await.unwrap();
    centre.world.gone.notified().await;
    assert_eq!(centre.world.seen.lock().unwrap().disconnected.len(), 1);
}
