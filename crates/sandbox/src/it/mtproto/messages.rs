//! What well-behaved clients say, and what they are answered.

use std::sync::atomic::Ordering;

use grammers_tl_types::{Deserializable, Identifiable, Serializable, enums, functions, types};

use super::client::{Client, RESULT, container, wrapped};
use super::framing::{Form, Framing};
use super::world::{Counted, DC, Late, Long, Pushing, Silent, long_text, start};

#[tokio::test]
async fn every_transport_is_served_on_the_same_port() {
    let centre = start().await;
    let forms = [Form::Full, Form::Intermediate, Form::Padded, Form::Abridged];
    let plain = forms.into_iter().map(Framing::plain);
    // The full transport has no obfuscated form.
    for framing in plain.chain(forms[1..].iter().copied().map(Framing::obfuscated)) {
        let mut client = Client::connect_by(centre.address, centre.key, framing).await;
        client.greet().await;
        let enums::help::InviteText::Text(text) = client.call(&Long {}).await;
        assert_eq!(text.message, long_text());
        client.call(&Counted {}).await;
    }
}

#[tokio::test]
async fn wrong_salt_is_refused_with_its_outer_message() {
    let centre = start().await;
    let mut client = Client::connect(centre.address, centre.key).await;
    let inner = client.next_id();
    let body = container(&[wrapped(inner, 1, &Counted {}.to_bytes())]);
    let outer = client.next_id();
    client.send_as(outer, 2, &body).await;
    let salt = client.message().await.as_type::<types::BadServerSalt>().unwrap();
    assert_eq!((salt.bad_msg_id, salt.bad_msg_seqno, salt.error_code), (outer, 2, 48));
    assert_ne!(salt.new_server_salt, 0);
    assert_eq!(centre.world.count(Counted::CONSTRUCTOR_ID), 0);

    client.salt = salt.new_server_salt;
    let outer = client.next_id();
    client.send_as(outer, 2, &body).await;
    let created = client.message().await.as_type::<types::NewSessionCreated>().unwrap();
    assert_eq!((created.first_msg_id, created.server_salt), (outer, client.salt));
    client.result(inner).await;
}

#[tokio::test]
async fn a_session_is_new_once_and_comes_back_with_its_layer() {
    let centre = start().await;
    let mut client = Client::ready(centre.address, centre.key).await;
    client.call(&functions::InvokeWithLayer { layer: 229, query: Counted {} }).await;
    let mut again = Client::connect(centre.address, centre.key).await;
    (again.session, again.salt) = (client.session, client.salt);
    let ping = again.ping().await;
    assert_eq!(again.message().await.as_type::<types::Pong>().unwrap().msg_id, ping);
    // The session asked for updates before, so the world hears of the new connection without another call.
    let observed = centre.world.observed.lock().unwrap();
    let connected: Vec<_> = observed.connected.iter().map(|caller| (caller.session, caller.layer)).collect();
    assert_eq!(connected, [(client.session, 229), (client.session, 229)]);
    assert!(observed.connected[0].connection < observed.connected[1].connection);
}

#[tokio::test]
async fn a_late_answer_is_acknowledged_at_once_and_holds_up_no_one() {
    let centre = start().await;
    let mut client = Client::ready(centre.address, centre.key).await;
    let late = client.send(&Late {}).await;
    let ack = client.message().await.as_type::<types::MsgsAck>().unwrap();
    assert_eq!(ack.msg_ids, [late]);
    client.call(&Counted {}).await;
    centre.world.late.notify_one();
    client.result(late).await;
}

#[tokio::test]
async fn an_unanswered_call_leaves_the_connection_open() {
    let centre = start().await;
    let mut client = Client::ready(centre.address, centre.key).await;
    let silent = client.send(&Silent {}).await;
    let counted = client.send(&Counted {}).await;
    assert_eq!(client.message().await.as_result().unwrap().0, counted);
    assert_eq!(centre.world.count(Silent::CONSTRUCTOR_ID), 1);
    assert!(silent < counted);
}

#[tokio::test]
async fn a_deaf_world_leaves_pings_unanswered() {
    let centre = start().await;
    let mut client = Client::ready(centre.address, centre.key).await;
    centre.world.deaf.store(true, Ordering::SeqCst);
    client.ping().await;
    client.call(&Counted {}).await;
    centre.world.deaf.store(false, Ordering::SeqCst);
    let ping = client.ping().await;
    assert_eq!(client.message().await.as_type::<types::Pong>().unwrap().msg_id, ping);
}

#[tokio::test]
async fn pushes_are_content_and_notifications() {
    let centre = start().await;
    let mut client = Client::ready(centre.address, centre.key).await;
    let id = client.send(&Pushing {}).await;
    let (mut answered, mut pushed) = (false, false);
    while !(answered && pushed) {
        let message = client.message().await;
        if message.constructor() == RESULT {
            answered = message.as_result().unwrap().0 == id;
        } else {
            assert_eq!(message.constructor(), types::UpdatesTooLong::CONSTRUCTOR_ID);
            assert_eq!((message.id & 3, message.sequence & 1), (3, 1));
            pushed = true;
        }
    }
}

#[tokio::test]
async fn a_session_without_updates_gets_answers_and_no_pushes() {
    let centre = start().await;
    let mut listening = Client::ready(centre.address, centre.key).await;
    listening.call(&Counted {}).await;
    let mut quiet = Client::ready(centre.address, centre.key).await;
    let query = functions::InvokeWithoutUpdates { query: Counted {} };
    quiet.call(&functions::InvokeWithLayer { layer: 229, query }).await;
    let id = quiet.send(&functions::InvokeWithoutUpdates { query: Pushing {} }).await;
    assert_eq!(quiet.message().await.as_result().unwrap().0, id);
    let connected = || {
        let observed = centre.world.observed.lock().unwrap();
        observed.connected.iter().map(|caller| caller.session).collect::<Vec<_>>()
    };
    assert_eq!(connected(), [listening.session]);
    // A bare request subscribes it, and one without updates takes nothing away.
    quiet.call(&Counted {}).await;
    assert_eq!(connected(), [listening.session, quiet.session]);
    quiet.send(&functions::InvokeWithoutUpdates { query: Pushing {} }).await;
    while quiet.message().await.constructor() != types::UpdatesTooLong::CONSTRUCTOR_ID {}
}

#[tokio::test]
async fn service_requests_are_answered() {
    let centre = start().await;
    let mut client = Client::ready(centre.address, centre.key).await;
    let request = client.send(&functions::GetFutureSalts { num: 5 }).await;
    let salts = client.message().await;
    let enums::FutureSalts::Salts(salts) = enums::FutureSalts::from_bytes(&salts.body).unwrap();
    assert_eq!((salts.req_msg_id, salts.salts.0.len()), (request, 5));
    assert!(salts.salts.0.iter().all(|salt| salt.salt == client.salt));
    assert!(salts.salts.0.iter().any(|salt| salt.valid_since <= salts.now && salts.now < salt.valid_until));

    let unknown = client.call(&functions::RpcDropAnswer { req_msg_id: 4 }).await;
    assert!(matches!(unknown, enums::RpcDropAnswer::RpcAnswerUnknown));

    let mut other = Client::ready(centre.address, centre.key).await;
    other.call(&Counted {}).await;
    client.send(&functions::DestroySession { session_id: other.session }).await;
    assert!(client.message().await.as_type::<types::DestroySessionOk>().is_some());
    client.send(&functions::DestroySession { session_id: 4 }).await;
    assert!(client.message().await.as_type::<types::DestroySessionNone>().is_some());

    let (id, missing) = (client.next_id(), client.next_id() + (1 << 32));
    let mut body = types::MsgsStateReq::CONSTRUCTOR_ID.to_bytes();
    types::MsgsStateReq { msg_ids: vec![request, id, missing] }.serialize(&mut body);
    client.send_as(id, 21, &body).await;
    let info = client.message().await.as_type::<types::MsgsStateInfo>().unwrap();
    assert_eq!((info.req_msg_id, &info.info[..]), (id, &[4, 4, 3][..]));
}

#[tokio::test]
async fn the_world_receives_the_caller_and_method() {
    let centre = start().await;
    let mut client = Client::ready(centre.address, centre.key).await;
    client.call(&functions::InvokeWithLayer { layer: 230, query: Counted {} }).await;
    client.call(&functions::InvokeAfterMsg { msg_id: 4, query: Counted {} }).await;
    let observed = centre.world.observed.lock().unwrap();
    for (caller, method) in &observed.calls {
        assert_eq!(*method, Counted::CONSTRUCTOR_ID);
        assert_eq!((caller.session, caller.layer, caller.dc_id), (client.session, 230, DC));
        assert_eq!(caller.key, sandbox::keys::AuthKeyId::of(&centre.key));
    }
    assert_eq!(observed.calls.len(), 2);
}
