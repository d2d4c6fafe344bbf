//! What misbehaving clients do, and what becomes of them; and what the world does to a connection on purpose.

use std::sync::atomic::Ordering;

use grammers_tl_types::{Identifiable, Serializable, functions, types};

use super::client::{Client, Received, container, wrapped};
use super::framing::{Form, Framing};
use super::world::{Counted, Cutting, DC, Late, Queueing, Running, start};

#[tokio::test]
async fn a_repeated_message_runs_once() {
    let centre = start().await;
    let mut client = Client::ready(centre.address, centre.key).await;
    let (id, body) = (client.next_id(), Counted {}.to_bytes());
    client.send_as(id, 1, &body).await;
    client.result(id).await;
    client.send_as(id, 1, &body).await;
    let ack = client.message().await.as_type::<types::MsgsAck>().unwrap();
    assert_eq!(ack.msg_ids, [id]);

    // Also from a new connection of the same session, and in a container.
    let mut again = Client::connect(centre.address, centre.key).await;
    (again.session, again.salt) = (client.session, client.salt);
    let outer = again.next_id();
    again.send_as(outer, 2, &container(&[wrapped(id, 1, &body)])).await;
    let ack = again.message().await.as_type::<types::MsgsAck>().unwrap();
    assert_eq!(ack.msg_ids, [id]);
    assert_eq!(centre.world.count(Counted::CONSTRUCTOR_ID), 1);
}

/// Lets a call wait for its turn, in which its client does something; returns whether it was known to have hung up then.
async fn hung_up_meanwhile(centre: &Running, then: impl FnOnce(Client) -> Option<Client>) -> bool {
    let mut client = Client::ready(centre.address, centre.key).await;
    let id = client.next_id();
    client.send_as(id, 1, &Queueing {}.to_bytes()).await;
    while centre.world.count(Queueing::CONSTRUCTOR_ID) == 0 {
        tokio::task::yield_now().await;
    }
    let stays = then(client);
    centre.world.turn.store(true, Ordering::SeqCst);
    loop {
        if let Some(known) = *centre.world.had_hung_up.lock().unwrap() {
            drop(stays);
            return known;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hang_up_during_a_delayed_request_is_noticed() {
    let hung_up = |client: Client| {
        drop(client);
        None
    };
    assert!(hung_up_meanwhile(&start().await, hung_up).await);
    assert!(!hung_up_meanwhile(&start().await, Some).await, "it is still there");
}

#[tokio::test]
async fn bad_message_ids_are_reported_and_run_no_call() {
    let centre = start().await;
    let mut client = Client::ready(centre.address, centre.key).await;
    let body = Counted {}.to_bytes();
    let now = client.next_id();
    for (id, code) in [(now - (301 << 32), 16), (now + (40 << 32), 17), (now + 1, 18), (now + 2, 18)] {
        client.send_as(id, 1, &body).await;
        let bad = client.message().await.as_type::<types::BadMsgNotification>().unwrap();
        assert_eq!((bad.bad_msg_id, bad.bad_msg_seqno, bad.error_code), (id, 1, code));
    }
    let (inner, outer) = (client.next_id(), client.next_id());
    let twice = container(&[wrapped(inner, 1, &body)]);
    client.send_as(outer, 2, &twice).await;
    client.result(inner).await;
    client.send_as(outer, 2, &twice).await;
    let bad = client.message().await.as_type::<types::BadMsgNotification>().unwrap();
    assert_eq!((bad.bad_msg_id, bad.error_code), (outer, 19));
    assert_eq!(centre.world.count(Counted::CONSTRUCTOR_ID), 1);
}

#[tokio::test]
async fn unreadable_messages_are_reported() {
    let centre = start().await;
    let mut client = Client::ready(centre.address, centre.key).await;
    // A container that promises more than it holds.
    let mut short = container(&[wrapped(4, 1, &Counted {}.to_bytes())]);
    short[4] = 9;
    // A container in a container.
    let inner = client.next_id();
    let nested = container(&[wrapped(inner, 1, &container(&[]))]);
    for body in [short, nested] {
        let id = client.next_id();
        client.send_as(id, 2, &body).await;
        let bad = client.message().await.as_type::<types::BadMsgNotification>().unwrap();
        assert_eq!(bad.error_code, 64);
    }
    // A wrapper without its inside, a ping without its number.
    for body in [&[0x0d, 0x0d, 0x9b, 0xda, 1, 0, 0, 0][..], &[0xec, 0x77, 0xbe, 0x7a]] {
        let id = client.next_id();
        client.send_as(id, 1, body).await;
        let error = client.result(id).await;
        assert_eq!(error[..4], types::RpcError::CONSTRUCTOR_ID.to_le_bytes());
    }
    client.call(&Counted {}).await;
}

#[tokio::test]
async fn an_unknown_key_is_refused_on_every_transport() {
    let centre = start().await;
    for framing in [
        Framing::plain(Form::Full),
        Framing::plain(Form::Intermediate),
        Framing::plain(Form::Abridged),
        Framing::obfuscated(Form::Abridged),
    ] {
        let mut client = Client::connect_by(centre.address, [7; 256], framing).await;
        client.ping().await;
        assert!(matches!(client.hear().await, Received::Status(-404)));
        assert!(matches!(client.hear().await, Received::Closed));
    }
}

#[tokio::test]
async fn a_key_of_another_data_centre_is_unknown() {
    let centre = start().await;
    centre.keys.register([9; 256], DC + 2);
    let mut client = Client::connect(centre.address, [9; 256]).await;
    client.ping().await;
    assert!(matches!(client.hear().await, Received::Status(-404)));
}

#[tokio::test]
async fn a_broken_message_key_closes_the_connection() {
    let centre = start().await;
    let mut client = Client::ready(centre.address, centre.key).await;
    let id = client.next_id();
    let mut packet = client.packet(id, 1, &Counted {}.to_bytes());
    packet[10] ^= 1;
    client.send_packet(&packet).await;
    assert!(matches!(client.hear().await, Received::Closed));
    assert_eq!(centre.world.count(Counted::CONSTRUCTOR_ID), 0);
}

#[tokio::test]
async fn an_oversized_packet_closes_the_connection_at_once() {
    let centre = start().await;
    let mut client = Client::ready(centre.address, centre.key).await;
    client.send_bytes(&[0, 0, 0, 1, 2, 0, 0, 0]).await;
    assert!(matches!(client.hear().await, Received::Closed));
}

#[tokio::test]
async fn a_connection_of_another_protocol_is_closed() {
    let centre = start().await;
    let mut client = Client::connect(centre.address, centre.key).await;
    client.send_bytes(&[b'G'; 100]).await;
    assert!(matches!(client.hear().await, Received::Closed));
}

#[tokio::test]
async fn a_connection_ends_at_the_delay_set_by_its_ping() {
    let centre = start().await;
    let mut client = Client::ready(centre.address, centre.key).await;
    client.send(&functions::PingDelayDisconnect { ping_id: 1, disconnect_delay: 0 }).await;
    assert!(client.message().await.as_type::<types::Pong>().is_some());
    assert!(matches!(client.hear().await, Received::Closed));
}

#[tokio::test]
async fn too_many_sessions_on_one_connection_close_it() {
    let centre = start().await;
    let mut client = Client::ready(centre.address, centre.key).await;
    for session in 1..17 {
        client.session = session;
        client.send(&Counted {}).await;
    }
    centre.world.gone.notified().await;
    assert_eq!(centre.world.count(Counted::CONSTRUCTOR_ID), 15);
}

#[tokio::test]
async fn a_cut_connection_first_delivers_ready_answers() {
    let centre = start().await;
    let mut client = Client::ready(centre.address, centre.key).await;
    let (first, second, third) = (client.next_id(), client.next_id(), client.next_id());
    let body = container(&[
        wrapped(first, 1, &Counted {}.to_bytes()),
        wrapped(second, 3, &Cutting {}.to_bytes()),
        wrapped(third, 5, &Counted {}.to_bytes()),
    ]);
    let outer = client.next_id();
    client.send_as(outer, 6, &body).await;
    client.result(first).await;
    assert!(matches!(client.hear().await, Received::Closed));
    centre.world.gone.notified().await;
    assert_eq!(centre.world.count(Counted::CONSTRUCTOR_ID), 1);
}

#[tokio::test]
async fn stopping_closes_connections_and_drops_late_answers() {
    let centre = start().await;
    let mut client = Client::ready(centre.address, centre.key).await;
    client.send(&Late {}).await;
    client.message().await;
    centre.stop.cancel();
    assert!(matches!(client.hear().await, Received::Closed));
    centre.serving.await.unwrap();
    assert_eq!(centre.world.observed.lock().unwrap().disconnected.len(), 1);
}
