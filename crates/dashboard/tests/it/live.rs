//! The stream of changes: what is sent, what is not, and when it ends.

use std::time::Duration;

use domain::{Role, Service, UserName};
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use telegram::ServiceAction;

use crate::world::{Browser, World};

/// The next piece of a stream.
async fn next(body: &mut axum::body::Body) -> Option<String> {
    let frame =
        tokio::time::timeout(Duration::from_secs(30), body.frame()).await.expect("a piece in time")?;
    let data = frame.expect("an unbroken stream").into_data().expect("bytes");
    Some(String::from_utf8(data.to_vec()).expect("text"))
}

fn attribute(page: &str, name: &str) -> String {
    let rest = page.split(&format!("{name}=\"")).nth(1).expect("the attribute");
    rest.split('"').next().expect("its value").to_owned()
}

#[tokio::test]
async fn a_stream_begins_at_once_and_sends_what_changed() {
    let world = World::new().await;
    let viewer = world.person(Role::Viewer).await;
    let page = viewer.get("/?kind=service").await.body;
    let (marks, order) = (attribute(&page, "data-marks"), attribute(&page, "data-order"));
    let path = format!("/live/overview?kind=service&marks={marks}&order={order}");
    let answer = viewer.send(Method::GET, &path, &[("accept", "text/event-stream")], String::new()).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["content-type"], "text/event-stream; charset=utf-8");
    assert_eq!(answer.headers()["x-accel-buffering"], "no");
    let mut body = answer.into_body();
    let first = next(&mut body).await.expect("the way is open");
    assert!(first.starts_with("retry:") && first.len() > 2_048, "fills what a proxy gathers");
    world.health.switch_service(Service::LeaveChat, ServiceAction::Stop).await.expect("stops");
    let changed = loop {
        let event = next(&mut body).await.expect("an event");
        if event.contains("service:leave_chat\":\"<li") && event.contains("data-state=\\\"stopped\\\"") {
            break event;
        }
    };
    let data = changed.lines().find_map(|line| line.strip_prefix("data: ")).expect("data");
    let update: serde_json::Value = serde_json::from_str(data).expect("JSON");
    assert!(
        update["cards"]["service:leave_chat"].as_str().is_some_and(|card| card.contains("Stopped")),
        "{update}"
    );
    assert!(update["cards"]["account:main"].is_null(), "of another kind");
}

#[tokio::test]
async fn a_stream_is_for_those_who_are_signed_in() {
    let world = World::new().await;
    let answer = world.stranger().get_with("/live/overview", &[("accept", "text/event-stream")]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn stream_ends_after_ten_minutes() {
    let world = World::new().await;
    let viewer = world.person(Role::Viewer).await;
    let answer = viewer.send(Method::GET, "/live/overview", &[], String::new()).await;
    let mut body = answer.into_body();
    assert!(next(&mut body).await.is_some(), "the way is open");
    // The stream notes the time of its beginning by itself; what waits now sees ten minutes go by.
    let (ended, ()) = tokio::join!(
        async {
            while let Some(event) = next(&mut body).await {
                assert!(event.starts_with("event: "), "{event}");
            }
        },
        async {
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
            world.clock.advance(Duration::from_mins(11));
        }
    );
    let () = ended;
}

/// Lets so many heartbeats go by; returns whether the stream ends.
async fn ends(world: &World, body: &mut axum::body::Body, beats: u32) -> bool {
    for _ in 0..beats {
        world.clock.advance(Duration::from_secs(16));
        if let Ok(frame) = tokio::time::timeout(Duration::from_millis(500), body.frame()).await
            && frame.is_none()
        {
            return true;
        }
    }
    false
}

#[tokio::test]
async fn streams_end_with_the_session_the_role_and_the_user() {
    for path in ["/live/overview", "/live/logs"] {
        let world = World::new().await;
        let name = |role: Role| -> UserName { role.as_str().parse().expect("a name") };
        let browsers = (
            world.person(Role::Admin).await,
            world.person(Role::Operator).await,
            world.person(Role::Viewer).await,
        );
        let open = async |browser: &Browser<'_>| {
            let mut body = browser.send(Method::GET, path, &[], String::new()).await.into_body();
            assert!(next(&mut body).await.is_some(), "the way is open");
            body
        };
        let mut bodies = [open(&browsers.0).await, open(&browsers.1).await, open(&browsers.2).await];
        // While all is well they go on.
        for body in &mut bodies {
            assert!(!ends(&world, body, 3).await, "{path}");
        }
        world.access.end_sessions(&name(Role::Admin), None).await.expect("ended");
        world.access.set_role(&name(Role::Operator), Role::Viewer).await.expect("set");
        world.access.remove(&name(Role::Viewer)).await.expect("removed");
        // They end by themselves: no time goes by on the clock of the program.
        for body in &mut bodies {
            let ended = async { while body.frame().await.is_some() {} };
            tokio::time::timeout(Duration::from_mins(1), ended).await.expect("it ends");
        }
    }
}
