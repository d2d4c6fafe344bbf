//! The sandbox as a whole, with the client library that the product is built on.

use grammers_mtproto::transport::Full;
use grammers_mtsender::{InvocationError, Sender, ServerAddr, connect_with_auth};
use grammers_tl_types::{Deserializable, LAYER, enums, functions, types};
use serde_json::json;

use crate::control::Port;

type Client = Sender<Full, grammers_mtproto::mtp::Encrypted>;

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

/// Connects with the account's key for use by hand.
async fn connect(port: &Port, name: &str) -> Client {
    let listed = port.get("/telegram/accounts").await;
    let accounts = listed["items"].as_array().unwrap();
    let account = accounts.iter().find(|account| account["name"] == name).unwrap();
    let key = hex::decode(account["auth_key"].as_str().unwrap()).unwrap().try_into().unwrap();
    let address = format!("{}:{}", account["host"].as_str().unwrap(), account["port"]).parse().unwrap();
    let mut sender = connect_with_auth(Full::new(), ServerAddr::Tcp { address }, key).await.unwrap();
    let enums::Config::Config(config) =
        sender.invoke(&introduced(functions::help::GetConfig {})).await.unwrap();
    assert_eq!(config.dc_options.len(), 2);
    sender
}

async fn client_1(sender: &mut Client) -> enums::InputPeer {
    let username = "client_1".to_owned();
    let resolve = functions::contacts::ResolveUsername { username, referer: None };
    let enums::contacts::ResolvedPeer::Peer(found) = sender.invoke(&resolve).await.unwrap();
    let enums::User::User(user) = &found.users[0] else { panic!() };
    types::InputPeerUser { user_id: user.id, access_hash: user.access_hash.unwrap() }.into()
}

#[tokio::test]
async fn a_client_sends_hears_and_catches_up() {
    let port = Port::open().await;
    let mut sender = connect(&port, "main").await;
    let enums::updates::State::State(state) = sender.invoke(&functions::updates::GetState {}).await.unwrap();
    let peer = client_1(&mut sender).await;
    let request = crate::world::message(&peer, "hello", 77);
    let enums::Updates::UpdateShortSentMessage(sent) = sender.invoke(&request).await.unwrap() else {
        panic!()
    };
    let ledger = port.get("/ledger").await;
    let row = &ledger["items"][0];
    assert_eq!((&row["seq"], &row["account"]), (&json!(1), &json!("main")));
    assert_eq!((&row["random_id"], &row["message_id"]), (&json!(77), &json!(sent.id)));
    assert_eq!((&row["chat_id"], &row["text"]), (&json!("6000000001"), &json!("hello")));

    let order = json!({"from": "@client_1", "chat": "main", "text": "a question"});
    let (_, written) = port.call("POST", "/telegram/messages", Some(order)).await;
    let heard = loop {
        let updates = sender.step().await.unwrap();
        if let Some(update) = updates.into_iter().next() {
            break update;
        }
    };
    let grammers_session::updates::UpdatesLike::Updates(updates) = heard else { panic!("{heard:?}") };
    let enums::Updates::Updates(updates) = updates else { panic!() };
    let enums::Update::NewMessage(new) = &updates.updates[0] else { panic!() };
    assert_eq!(json!(new.message.id()), written["message_id"]);

    let difference = functions::updates::GetDifference {
        pts: state.pts,
        pts_limit: None,
        pts_total_limit: None,
        date: i32::MAX,
        qts: 0,
        qts_limit: None,
    };
    let enums::updates::Difference::Difference(found) = sender.invoke(&difference).await.unwrap() else {
        panic!()
    };
    assert_eq!(found.new_messages.len(), 2);
    assert_eq!(port.get("/unknown").await["items"], json!([]));
    let calls = port.get("/calls?account=main&method=messages.sendMessage").await;
    assert_eq!(calls["items"], json!([{"account": "main", "method": "messages.sendMessage", "count": 1}]));
    port.running.stop().await;
}

#[tokio::test]
async fn a_cut_connection_leaves_one_effect() {
    let port = Port::open().await;
    let mut sender = connect(&port, "main").await;
    let peer = client_1(&mut sender).await;
    let request = crate::world::message(&peer, "once", 78);
    let order = json!({"fault": "disconnect", "method": "messages.sendMessage", "times": 1});
    port.call("POST", "/faults", Some(order)).await;
    assert!(matches!(sender.invoke(&request).await, Err(InvocationError::Io(_))));
    let mut sender = connect(&port, "main").await;
    sender.invoke(&request).await.unwrap();
    let ledger = port.get("/ledger").await;
    assert_eq!(ledger["items"].as_array().unwrap().len(), 1);
    port.running.stop().await;
}

#[tokio::test]
async fn errors_come_as_telegram_writes_them() {
    let port = Port::open().await;
    let mut sender = connect(&port, "main").await;
    let order = json!({"fault": "flood_wait", "seconds": 31, "times": 1});
    port.call("POST", "/faults", Some(order)).await;
    match sender.invoke(&functions::updates::GetState {}).await {
        Err(InvocationError::Rpc(error)) => {
            assert_eq!((error.code, error.name.as_str(), error.value), (420, "FLOOD_WAIT", Some(31)));
        }
        other => panic!("{other:?}"),
    }
    port.running.stop().await;
}

/// The sessions of the settings file are the accounts they say they are.
#[tokio::test]
async fn each_session_of_the_settings_file_signs_in() {
    use base64::Engine;
    let port = Port::open().await;
    let settings: toml::Table =
        std::fs::read_to_string(&port.running.settings_file).unwrap().parse().unwrap();
    let accounts = port.get("/telegram/accounts").await;
    for (configured, account) in
        settings["telegram"]["accounts"].as_array().unwrap().iter().zip(accounts["items"].as_array().unwrap())
    {
        for session in configured["sessions"].as_array().unwrap() {
            let text = session["string"].as_str().unwrap();
            let raw = base64::engine::general_purpose::URL_SAFE.decode(&text[1..]).unwrap();
            let port = u16::from_be_bytes([raw[5], raw[6]]);
            let address = std::net::SocketAddr::from(([raw[1], raw[2], raw[3], raw[4]], port));
            let key = raw[7..].try_into().unwrap();
            let mut sender = connect_with_auth(Full::new(), ServerAddr::Tcp { address }, key).await.unwrap();
            let me = functions::users::GetUsers { id: vec![enums::InputUser::UserSelf] };
            let users = sender.invoke(&introduced(me)).await.unwrap();
            let enums::User::User(me) = &users[0] else { panic!() };
            assert_eq!(json!(me.id), account["user_id"]);
        }
    }
    port.running.stop().await;
}

#[test]
fn the_layer_is_the_one_that_was_compared() {
    // What a client of an older layer must not be sent is listed by hand: look again when the layer moves.
    assert_eq!(LAYER, 230);
    assert!(enums::MessageEntity::from_bytes(&[]).is_err());
}
