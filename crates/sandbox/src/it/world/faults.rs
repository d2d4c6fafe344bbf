//! Each fault, on a call that changes something.

use grammers_tl_types::{enums, functions};
use sandbox::call::Handling;
use serde_json::json;

use super::*;

#[test]
fn refusals_have_no_effect_and_end_when_the_fault_is_deleted() {
    let world = world();
    let main = Client::of(&world, "main");
    let peer = main.peer("client_1");
    for (order, code, name) in [
        (json!({"fault": "flood_wait", "seconds": 30}), 420, "FLOOD_WAIT_30"),
        (json!({"fault": "peer_flood"}), 400, "PEER_FLOOD"),
        (json!({"fault": "banned"}), 401, "USER_DEACTIVATED_BAN"),
        (json!({"fault": "session_revoked"}), 401, "SESSION_REVOKED"),
        (json!({"fault": "auth_key_duplicated"}), 406, "AUTH_KEY_DUPLICATED"),
        (json!({"fault": "rpc_error", "code": 500, "message": "RPC_CALL_FAIL"}), 500, "RPC_CALL_FAIL"),
    ] {
        let mut order = order;
        order["account"] = "main".into();
        let id = fault(&world, order);
        assert_eq!(main.refused(&message(&peer, "x", 1)), (code, name.into()));
        assert_eq!(main.refused(&functions::help::GetConfig {}).0, code);
        Client::of(&world, "backup_1").state();
        assert!(world.remove_fault(id));
        assert!(!world.remove_fault(id));
        main.state();
    }
    assert!(texts(&world).is_empty());
}

#[test]
fn the_effect_happens_or_not_as_the_fault_says() {
    let world = world();
    let main = Client::of(&world, "main");
    let peer = main.peer("client_1");
    for (number, (name, outcome, effect)) in [
        ("drop_answer", Outcome::Silence, true),
        ("disconnect", Outcome::Cut, true),
        ("disconnect_before", Outcome::Cut, false),
        ("deaf", Outcome::Silence, false),
    ]
    .into_iter()
    .enumerate()
    {
        let random_id = i64::try_from(number).unwrap() + 1;
        fault(&world, json!({"fault": name, "method": "messages.sendMessage", "times": 1}));
        assert_eq!(main.hear(&message(&peer, name, random_id)), outcome);
        assert_eq!(texts(&world).contains(&name.to_owned()), effect, "{name}");
        // The repeat gets through, and there is one effect in the end.
        main.send(&peer, name, random_id);
        assert_eq!(texts(&world).iter().filter(|text| *text == name).count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_delay_comes_before_the_effect_and_adds_up_with_a_loss() {
    let world = world();
    let main = Client::of(&world, "main");
    let peer = main.peer("client_1");
    fault(&world, json!({"fault": "delay", "seconds": 2, "times": 1}));
    fault(&world, json!({"fault": "disconnect", "times": 1}));
    let Handling::Later(late) = main.handle(&message(&peer, "slow", 1)) else { panic!() };
    let begun = tokio::time::Instant::now();
    assert!(texts(&world).is_empty());
    assert_eq!(Outcome::from(late.await), Outcome::Cut);
    assert_eq!(begun.elapsed().as_secs(), 2);
    assert_eq!(texts(&world), ["slow"]);
}

#[tokio::test(start_paused = true)]
async fn delayed_calls_go_on_when_the_faults_are_deleted() {
    let world = world();
    let main = Client::of(&world, "main");
    let peer = main.peer("client_1");
    fault(&world, json!({"fault": "delay", "seconds": 3600, "times": 1}));
    let Handling::Later(late) = main.handle(&message(&peer, "slow", 1)) else { panic!() };
    let begun = tokio::time::Instant::now();
    assert!(texts(&world).is_empty());
    world.clear_faults();
    assert!(matches!(Outcome::from(late.await), Outcome::Answer(_)));
    assert_eq!((texts(&world), begun.elapsed().as_secs()), (vec!["slow".to_owned()], 0));
}

#[tokio::test(start_paused = true)]
async fn stopping_gives_up_delayed_calls() {
    let world = world();
    let main = Client::of(&world, "main");
    fault(&world, json!({"fault": "delay", "seconds": 3600}));
    let Handling::Later(late) = main.handle(&message(&main_peer(&main), "slow", 1)) else { panic!() };
    world.stop().await;
    assert_eq!(Outcome::from(late.await), Outcome::Silence);
    assert!(texts(&world).is_empty());
}

fn main_peer(_: &Client) -> enums::InputPeer {
    enums::InputPeer::PeerSelf
}

#[test]
fn a_deaf_account_gets_no_updates() {
    let world = world();
    let main = Client::of(&world, "main");
    let mut pushes = main.listen();
    let id = fault(&world, json!({"fault": "deaf", "account": "main"}));
    let order = serde_json::from_value(json!({"from": "@client_1", "chat": "main", "text": "hi"})).unwrap();
    world.write(&order).unwrap();
    pushes.nothing();
    world.remove_fault(id);
    world.write(&order).unwrap();
    pushes.any();
}

/// A newer connection that got no answer served nothing: the older one goes on, and the key lives.
#[test]
fn a_connection_that_gets_no_answer_does_not_take_the_key_over() {
    let world = world();
    let main = Client::of(&world, "main");
    let state = functions::updates::GetState {};
    main.ask(&state);
    for name in ["deaf", "disconnect_before"] {
        let id = fault(&world, serde_json::json!({"fault": name, "account": "main"}));
        assert!(matches!(main.on(2).hear(&state), Outcome::Silence | Outcome::Cut));
        assert!(world.remove_fault(id));
        main.ask(&state);
    }
    main.on(2).ask(&state);
    assert_eq!(main.refused(&state), (406, "AUTH_KEY_DUPLICATED".into()));
}

#[test]
fn faults_name_accounts_and_methods_that_exist() {
    let world = world();
    for bad in [
        json!({"fault": "deaf", "account": "nobody"}),
        json!({"fault": "deaf", "method": "messages.sendmessage"}),
    ] {
        assert!(world.add_fault(serde_json::from_value(bad).unwrap()).is_err());
    }
}
