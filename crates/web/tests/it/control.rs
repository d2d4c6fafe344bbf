//! The control socket, and the pages of the main port.

use std::os::unix::fs::{FileTypeExt, PermissionsExt};

use serde_json::json;

use crate::client::Call;
use crate::world::World;

#[tokio::test]
async fn only_the_owner_opens_the_control_socket_without_a_key() {
    let world = World::new().await;
    let file = std::fs::symlink_metadata(world.dir().join("control.sock")).expect("it is there");
    assert!(file.file_type().is_socket());
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
    assert!(!world.dir().join("control.sock.new").exists());

    let control = world.control();
    let sent = Call::new(&control, "POST", "/v1/messages")
        .json(r#"{"chat":"@demo_channel","text":"hi"}"#)
        .send()
        .await;
    assert_eq!(sent.status, 200, "{sent:?}");
    assert_eq!(Call::new(&control, "GET", "/v1/keys").send().await.status, 200);
    Call::new(&control, "GET", "/nothing").send().await.problem(404, "not_found");
}

#[tokio::test]
async fn stale_socket_is_replaced_and_removed() {
    let world = World::with(|options| {
        let path = options.control_socket.clone().expect("a path");
        drop(std::os::unix::net::UnixListener::bind(&path).expect("a socket"));
        std::fs::write(path.with_extension("sock.new"), "left over").expect("a file");
    })
    .await;
    assert_eq!(Call::new(&world.control(), "GET", "/health/live").send().await.status, 200);
    world.stop.cancel();
    let state = world.state.clone();
    world.serving.await.expect("no panic");
    assert!(!state.listeners().is_empty());
}

#[tokio::test]
async fn clock_controls_are_not_served_on_a_port() {
    let world = World::new().await;
    for (method, path) in [("POST", "/testing/clock"), ("GET", "/testing/failpoints")] {
        world.call(method, path).json("{}").send().await.problem(404, "not_found");
    }
}

#[cfg(feature = "testing")]
#[tokio::test]
async fn test_builds_move_the_clock_and_arm_points() {
    let world = World::new().await;
    let control = world.control();
    let before = world.clock.now();
    let moved = Call::new(&control, "POST", "/testing/clock").json(r#"{"advance_ms":3600000}"#).send().await;
    assert_eq!(moved.status, 200, "{moved:?}");
    assert!(world.clock.now().since(before).as_secs() >= 3600);

    let points = Call::new(&control, "GET", "/testing/failpoints").send().await.json();
    let known = points["known"].as_array().expect("names");
    assert!(!known.is_empty());
    assert_eq!(points["stopped"], json!({}));
    let wrong = Call::new(&control, "POST", "/testing/failpoints").json(r#"{"name":"nowhere"}"#).send().await;
    wrong.problem(422, "invalid_request");
    let body = json!({ "name": known[0], "skip": 1_000_000 }).to_string();
    let armed = Call::new(&control, "POST", "/testing/failpoints").json(body).send().await;
    assert_eq!(armed.status, 204, "{armed:?}");
}

#[tokio::test]
async fn health_and_listeners_are_reported() {
    let world = World::new().await;
    let live = Call::new(&world.main(), "GET", "/health/live").send().await;
    assert_eq!((live.status, live.json()), (200, json!({ "status": "ok" })));
    let ready = Call::new(&world.main(), "GET", "/health/ready").send().await;
    assert_eq!(ready.status, 200, "{ready:?}");
    let names: Vec<_> = ready.json()["listeners"]
        .as_array()
        .expect("listeners")
        .iter()
        .map(|view| view["name"].clone())
        .collect();
    assert_eq!(names, ["main", "0", "control"]);
    let listed = world.call("GET", "/v1/listeners").send().await.json();
    assert!(
        listed["items"].as_array().expect("items").iter().all(|view| view["state"] == "listening"),
        "{listed}"
    );
}

#[tokio::test]
async fn the_docs_come_from_the_program_alone() {
    let world = World::new().await;
    let bare = Call::new(&world.main(), "GET", "/docs").send().await;
    assert_eq!((bare.status, bare.header("location")), (308, Some("/docs/")));
    let page = Call::new(&world.main(), "GET", "/docs/").send().await;
    assert_eq!(page.status, 200, "{page:?}");
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"), "{policy}");
    let mut files: Vec<String> = Vec::new();
    for attribute in ["src=\"", "href=\""] {
        files.extend(
            page.body.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned),
        );
    }
    assert!(files.len() >= 4, "{}", page.body);
    for file in files {
        assert!(!file.contains("//"), "{file} is elsewhere");
        let path = format!("/docs/{}", file.trim_start_matches("./"));
        let reply = Call::new(&world.main(), "GET", &path).send().await;
        assert_eq!(reply.status, 200, "{path}");
        if path.ends_with("initializer.js") {
            assert!(
                reply.body.contains("\"/openapi.json\"") && !reply.body.contains("petstore"),
                "{}",
                reply.body
            );
            assert!(reply.body.contains("\"validatorUrl\": \"none\""), "{}", reply.body);
        }
    }
}
