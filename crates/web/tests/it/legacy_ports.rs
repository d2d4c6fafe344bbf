//! What all old ports have in common: health, statistics, stopped services, chats that were left, who may call.

use config::LegacyPort;
use delivery::Steps;
use delivery::sender::Readiness;
use domain::Service;
use domain::saga::RegistryChange;
use serde_json::json;
use telegram::ServiceAction;

use crate::client::Call;
use crate::legacy::GROUP;
use crate::script::able;
use crate::world::{World, port_of};

const SERVICES: [(Service, &str); 4] = [
    (Service::CreateChat, r#"{"title":"x","usernames":["@anna_1"]}"#),
    (Service::SendText, GROUP),
    (Service::SendMedia, r#"{"username":"@demo","files":["a"]}"#),
    (Service::LeaveChat, r#"{"chat":"-1001234567890"}"#),
];

async fn world() -> World {
    World::with(|options| {
        options.legacy.ports = SERVICES.iter().map(|(service, ..)| port_of(*service)).collect();
    })
    .await
}

fn ask(world: &World, number: usize) -> Call {
    let (service, body) = SERVICES[number];
    Call::new(&world.old_at(number), "POST", &format!("/{}", service.as_str())).json(body)
}

#[tokio::test]
async fn every_port_has_health_statistics_and_a_cache() {
    let world = world().await;
    for (number, (service, ..)) in SERVICES.into_iter().enumerate() {
        let look = |method, path| Call::new(&world.old_at(number), method, path);
        let health = look("GET", "/health").send().await;
        assert_eq!((health.status, health.body.as_str()), (200, r#"{"status":"not_ready"}"#));
        let stats = look("GET", "/stats").send().await;
        assert_eq!(
            (stats.status, stats.body.as_str()),
            (200, r#"{"cache_size":0,"accounts":[],"error_count":0,"operations_count":0}"#)
        );
        let reload = look("POST", "/reload_cache").send().await;
        assert_eq!((reload.status, reload.body.as_str()), (200, r#"{"status":"ok","cache_size":0}"#));
        let bare = service == Service::CreateChat;
        for (method, path, status) in [("GET", "/nothing", 404), ("DELETE", "/health", 405)] {
            let reply = look(method, path).send().await;
            let answer = reply.json();
            assert_eq!((reply.status, answer.get("status").is_none()), (status, bare), "{answer}");
            assert!(answer["error"].is_string(), "{answer}");
        }
    }
}

#[tokio::test]
async fn a_stopped_service_answers_503_and_starts_again() {
    let world = world().await;
    // What a stopped service shows its candidates as.
    world.script.candidates_are(able(&[("main", Readiness::Connecting)]));
    world.hands.creators_are(able(&[("main", Readiness::Connecting)]));
    world.hands.reachers_are(able(&[("main", Readiness::Connecting)]));
    for (number, (service, _)) in SERVICES.into_iter().enumerate() {
        world.pool.set_service(service, ServiceAction::Stop).await.expect("it stops");
        let reply = ask(&world, number).send().await;
        let answer = reply.json();
        assert_eq!(reply.status, 503, "{service:?}: {answer}");
        assert_eq!(answer.get("status").is_none(), service == Service::CreateChat, "{answer}");
        assert!(answer["error"].as_str().is_some_and(|error| error.contains("is stopped")), "{answer}");
        world.pool.set_service(service, ServiceAction::Start).await.expect("it starts");
    }
    assert_eq!((world.delivery.queued(), world.sagas.queued()), (0, 0), "nothing is left that could go out");
    assert!(world.script.sent().is_empty() && world.hands.taken().is_empty());
    world.script.candidates_are(able(&[("main", Readiness::Ready)]));
    assert_eq!(ask(&world, 1).send().await.status, 200);
}

#[tokio::test]
async fn a_chat_that_was_left_is_not_touched() {
    let world = world().await;
    let keyed = ask(&world, 1).header("Idempotency-Key", "before");
    assert_eq!(keyed.send().await.status, 200);
    let chat_id = "-1001234567890".parse().expect("a chat");
    world.pool.registered(&RegistryChange::Left { chat_id });
    let skipped = r#"{"status":"skipped","reason":"chat already left"}"#;
    let reply = ask(&world, 1).send().await;
    assert_eq!((reply.status, reply.body.as_str()), (200, skipped));
    let again = keyed.send().await;
    assert_eq!((again.status, &again.json()["status"]), (200, &json!("ok")), "it was sent before");
    let media = Call::new(&world.old_at(2), "POST", "/send_media").json(r#"{"user_id":"-1001234567890"}"#);
    let reply = media.send().await;
    assert_eq!((reply.status, reply.body.as_str()), (200, skipped), "before the files are looked at");
    assert_eq!(world.script.texts(), ["hello"]);
}

#[tokio::test]
async fn invalid_requests_to_the_file_port_are_refused() {
    let world = world().await;
    for (body, status, error) in [
        ("no json", 400, "Invalid JSON: "),
        ("{}", 400, "Specify 'user_id' or 'username'"),
        (r#"{"user_id":"x","files":["a"]}"#, 400, "user_id must be integer"),
        (r#"{"user_id":1}"#, 400, "files must be a non-empty list"),
        (
            r#"{"user_id":1,"files":["a"]}"#,
            500,
            "files[0]: there is no such file in the media folder; nothing was sent",
        ),
    ] {
        let reply = Call::new(&world.old_at(2), "POST", "/send_media").json(body).send().await;
        let answer = reply.json();
        assert_eq!((reply.status, &answer["status"]), (status, &json!("error")), "{body}: {answer}");
        assert!(answer["error"].as_str().is_some_and(|text| text.contains(error)), "{answer}");
    }
}

#[tokio::test]
async fn access_is_checked_on_every_port() {
    let world = World::with(|options| {
        options.legacy.ports = SERVICES
            .iter()
            .map(|(service, ..)| LegacyPort {
                allow_from: vec!["10.0.0.0/8".parse().expect("a network")],
                ..port_of(*service)
            })
            .collect();
    })
    .await;
    for number in 0..SERVICES.len() {
        let reply = ask(&world, number).send().await;
        assert_eq!(reply.status, 403, "{reply:?}");
        assert!(reply.json()["error"].is_string(), "{reply:?}");
    }
    assert!(world.script.sent().is_empty() && world.hands.taken().is_empty());
}
