//! Ports that are taken, clients that are slow or large, and the stop.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use config::LegacyPort;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use web::ListenerState;

use crate::client::{Call, Reply, Target, parse};
use crate::world::{SOON, World, send_text_port};

/// Writes bytes and reads to the end.
pub(crate) async fn raw(target: &Target, bytes: &[u8]) -> Reply {
    let mut stream = connect(target).await;
    let _ = stream.write_all(bytes).await;
    parse(&read_all(&mut stream).await)
}

async fn connect(target: &Target) -> TcpStream {
    let Target::Port(address) = target else { panic!("not a port") };
    TcpStream::connect(address).await.expect("connects")
}

async fn read_all(stream: &mut TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    let reading = stream.read_to_end(&mut answer);
    let _ = tokio::time::timeout(SOON, reading).await.expect("it ends");
    answer
}

#[tokio::test]
async fn a_taken_port_is_named_and_taken_up_when_it_is_free() {
    let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let taken = other.local_addr().expect("an address");
    let world = World::with(|options| {
        options.legacy.ports = vec![LegacyPort { port: taken.port(), ..send_text_port() }, send_text_port()];
    })
    .await;
    let view = world.state.listeners()[1].clone();
    assert_eq!((view.name.as_str(), view.state), (taken.port().to_string().as_str(), ListenerState::Taken));
    if cfg!(target_os = "linux") {
        let holder = view.holder.expect("this very process");
        assert_eq!(holder.pid, std::process::id());
        assert!(view.detail.expect("a detail").contains(&holder.to_string()));
    }
    // The rest serves.
    assert_eq!(Call::new(&world.main(), "GET", "/health/live").send().await.status, 200);
    let Target::Port(second) = Target::Port(world.state.listeners()[2].address.parse().expect("an address"))
    else {
        panic!("a port")
    };
    assert_eq!(Call::new(&Target::Port(second), "GET", "/health").send().await.status, 200);
    let ready = Call::new(&world.main(), "GET", "/health/ready").send().await.json();
    assert_eq!(ready["listeners"][1]["state"], "taken");

    drop(other);
    world.until(|listeners| listeners[1].state == ListenerState::Listening).await;
    assert_eq!(world.state.listeners()[1].holder, None);
    assert_eq!(Call::new(&Target::Port(taken), "GET", "/health").send().await.status, 200);
}

#[tokio::test]
async fn a_taken_main_port_leaves_the_control_socket() {
    let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let taken = other.local_addr().expect("an address");
    let world = World::with(|options| options.listen = taken).await;
    let listed = Call::new(&world.control(), "GET", "/v1/listeners").send().await.json();
    assert_eq!(listed["items"][0]["state"], "taken");
    drop(other);
    world.until(|listeners| listeners[0].state == ListenerState::Listening).await;
    assert_eq!(world.call("GET", "/v1/accounts").send().await.status, 200);
}

#[tokio::test]
async fn a_foreign_address_is_refused_and_the_others_listen() {
    let world = World::with(|options| {
        options.legacy.ports = vec![
            LegacyPort { listen: "192.0.2.1".parse().expect("an address"), port: 5022, ..send_text_port() },
            send_text_port(),
        ];
    })
    .await;
    let listeners = world.state.listeners();
    assert_eq!((listeners[1].state, listeners[2].state), (ListenerState::Refused, ListenerState::Listening));
    assert_eq!(world.call("GET", "/v1/listeners").send().await.status, 200);
}

#[tokio::test]
async fn a_client_that_never_ends_its_head_is_cut_off() {
    let world = World::with(|options| options.limits.head_time = Duration::from_millis(500)).await;
    let mut stream = connect(&world.main()).await;
    stream.write_all(b"GET /health/live HTTP/1.1\r\nHost: te").await.expect("writes");
    let answer = read_all(&mut stream).await;
    assert!(answer.is_empty() || parse(&answer).status == 408, "{answer:?}");
    assert_eq!(Call::new(&world.main(), "GET", "/health/live").send().await.status, 200);
}

#[tokio::test]
async fn a_client_that_never_ends_its_body_gets_a_408() {
    let world = World::with(|options| options.limits.body_time = Duration::from_millis(500)).await;
    for (target, path) in [(world.main(), "/v1/messages"), (world.old(), "/send_text")] {
        let call = Call::new(&target, "POST", path).key(&world.key).json("{").header("Content-Length", "100");
        assert_eq!(raw(&target, &call.bytes()).await.status, 408, "{path}");
    }
}

#[tokio::test]
async fn a_client_that_stops_reading_is_cut_off() {
    let world = World::with(|options| options.limits.body_time = Duration::from_millis(200)).await;
    let one = world.call("GET", "/openapi.json").send().await.body.len();
    let mut stream = connect(&world.main()).await;
    // Far more than the buffers on the way hold.
    let count = 64 * 1024 * 1024 / one;
    let call = b"GET /openapi.json HTTP/1.1\r\nHost: test\r\n\r\n".repeat(count);
    stream.write_all(&call).await.expect("writes");
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(read_all(&mut stream).await.len() < count * one, "all was sent");
}

#[tokio::test]
async fn oversized_heads_are_refused() {
    let world = World::new().await;
    let many = (0..100)
        .fold(world.call("GET", "/health/live"), |call, number| call.header(&format!("X-{number}"), "x"));
    assert_eq!(many.send().await.status, 431);
    let large = world.call("GET", "/health/live").header("X-Large", &"x".repeat(64 * 1024));
    assert_eq!(large.send().await.status, 431);
    let long = world.call("GET", &format!("/{}", "x".repeat(70_000)));
    assert!([414, 431].contains(&long.send().await.status));
    assert_eq!(raw(&world.main(), b"nonsense\r\n\r\n").await.status, 400);
}

#[tokio::test]
async fn connections_beyond_the_bound_wait_their_turn() {
    let world = World::with(|options| options.limits.connections = 1).await;
    let first = connect(&world.main()).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    let call = world.call("GET", "/health/live");
    let waiting = tokio::spawn(async move { call.send().await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!waiting.is_finished());
    drop(first);
    assert_eq!(waiting.await.expect("no panic").status, 200);
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let world = World::new().await;
    let mut stream = connect(&world.main()).await;
    for _ in 0..3 {
        stream.write_all(b"GET /health/live HTTP/1.1\r\nHost: test\r\n\r\n").await.expect("writes");
        let mut answer = vec![0; 4096];
        let length = stream.read(&mut answer).await.expect("an answer");
        assert_eq!(parse(&answer[..length]).status, 200);
    }
}

#[tokio::test]
async fn the_stop_lets_an_open_request_finish() {
    let world = World::new().await;
    world.script.hold();
    let call = world.message(r#"{"chat":"-1001234567890","text":"hello"}"#);
    let open = tokio::spawn(async move { call.send().await });
    let idle = connect(&world.main()).await;
    while world.delivery.queued() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let main = world.main();
    let Target::Port(address) = main else { panic!("a port") };
    world.stop.cancel();
    wait_until_refused(address).await;
    assert!(!open.is_finished());
    world.script.release();
    let reply = open.await.expect("no panic");
    assert_eq!((reply.status, &reply.json()["state"]), (200, &serde_json::json!("sent")));
    tokio::time::timeout(SOON, world.serving).await.expect("it ends").expect("no panic");
    drop(idle);
}

#[tokio::test]
async fn whatever_is_in_flight_is_answered_when_the_store_is_lost() {
    let world = World::new().await;
    world.script.hold();
    let call = |text: &str| {
        let call = world.message(&format!(r#"{{"chat":"-1001234567890","text":"{text}"}}"#));
        tokio::spawn(async move { call.send().await })
    };
    let open: Vec<_> = (0..20).map(|number| call(&number.to_string())).collect();
    while world.delivery.queued() < 20 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let Target::Port(address) = world.main() else { panic!("a port") };
    // A connection without a request, one with half a request, and one that writes a long body.
    let idle = connect(&world.main()).await;
    let mut half = connect(&world.main()).await;
    half.write_all(b"GET /v1/mess").await.expect("writes");
    let mut uploads = connect(&world.main()).await;
    let head = "POST /v1/messages HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n";
    uploads.write_all(format!("{head}X-API-Key: {}\r\n\r\n{{", world.key).as_bytes()).await.expect("writes");
    tokio::time::sleep(Duration::from_millis(20)).await;
    world.state.lose_store();
    let late = world.call("GET", "/v1/messages").send().await;
    assert_eq!(late.json()["code"], "store_unavailable", "{late:?}");
    world.stop.cancel();
    for one in open {
        let reply = one.await.expect("an answer");
        assert_eq!(reply.header("retry-after"), Some("5"));
        reply.problem(503, "store_unavailable");
    }
    assert_eq!(parse(&read_all(&mut uploads).await).status, 503);
    wait_until_refused(address).await;
    tokio::time::timeout(SOON, world.serving).await.expect("it ends").expect("no panic");
    drop((idle, half));
}

async fn wait_until_refused(address: SocketAddr) {
    let begun = Instant::now();
    while begun.elapsed() < SOON {
        if TcpStream::connect(address).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it still takes connections");
}
