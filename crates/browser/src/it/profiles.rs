//! Browsers that are there already, and drivers that someone else runs.

use std::net::Ipv4Addr;
use std::process::Stdio;
use std::time::Duration;

use browser::{Card, DriverError, Endpoint, Engine, Failure, ProfileError, WebK};
use sandbox::telegram::LogIn;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::task::JoinSet;

use super::stage::{
    Stage, arguments, browser, deliver, driver, end, engine, generous, is_running, loopback, named,
};

#[tokio::test]
async fn a_browser_that_was_left_is_attached_to_again() {
    let stage = Stage::set().await;
    let lease = stage.lease().await;
    stage.logged_in(&lease, "main").await;
    let process = stage.browser().unwrap();
    let second = stage.profile.lease(&stage.clock).await.unwrap_err();
    assert!(matches!(second, ProfileError::Leased(_)), "{second}");

    // The driver is killed under the lease, then the lease goes as when the program is killed.
    let note = std::fs::read_to_string(stage.profile.folder.join("driver.process")).unwrap();
    end(note.split(' ').next().unwrap().parse().unwrap());
    let address = stage.address();
    let gone = WebK::attach(lease.session(), &address, stage.clock.clone(), generous()).await;
    assert!(matches!(gone, Err(DriverError::Unreachable { .. })));
    drop(lease);
    let lease = stage.lease().await;
    assert_eq!(stage.browser(), Some(process));
    let web_k = stage.web_k(&lease, generous()).await;
    web_k.arrive().await.unwrap();
    deliver(&web_k, &named("client_7", "after the driver")).await;
    assert_eq!(stage.texts(), ["after the driver"]);

    // The browser is killed: the page is gone, and the next lease starts another one, which is still logged in.
    lease.close().await.unwrap();
    assert!(!is_running(process));
    let lease = stage.lease().await;
    let again = stage.browser().unwrap();
    assert_ne!(again, process);
    let web_k = stage.web_k(&lease, generous()).await;
    web_k.arrive().await.unwrap();
    end(again);
    let failure = loop {
        if let Err(error) = web_k.facts().await {
            break error;
        }
    };
    // A driver may end with its browser.
    assert!(matches!(failure, DriverError::Gone(_) | DriverError::Unreachable { .. }), "{failure}");
    drop(lease);
    let lease = stage.lease().await;
    stage.web_k(&lease, generous()).await.arrive().await.unwrap();
    lease.close().await.unwrap();
}

/// A tunnel to a driver. geckodriver refuses to be called by another port than its own, so it is the same one of another address.
async fn tunnel(port: u16) -> (String, JoinSet<()>) {
    let listener = TcpListener::bind((Ipv4Addr::new(127, 0, 0, 2), port)).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let mut task = JoinSet::new();
    task.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((mut near, _)) = listener.accept().await {
            connections.spawn(async move {
                let mut far = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
                let _ = copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    (address, task)
}

#[tokio::test]
async fn a_browser_may_be_behind_a_driver_of_someone_else() {
    let stage = Stage::set().await;
    let engine = engine();
    let mut command = Command::new(driver(engine));
    command.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut elsewhere = command.spawn().unwrap();
    let mut lines = BufReader::new(elsewhere.stdout.take().unwrap()).lines();
    let port = loop {
        let line = lines.next_line().await.unwrap().unwrap();
        let announcements = ["successfully on port ", "Listening on 127.0.0.1:"];
        if let Some((_, port)) = announcements.iter().find_map(|words| line.rsplit_once(words)) {
            break port.trim_end_matches('.').parse().unwrap();
        }
    };
    let (driver, mut opened) = tunnel(port).await;
    let options = json!({ "binary": browser(engine), "args": arguments(engine) });
    let name = match engine {
        Engine::Chromium => "goog:chromeOptions",
        Engine::Firefox => "moz:firefoxOptions",
    };
    let endpoint = Endpoint {
        driver,
        allowed: loopback(),
        capabilities: json!({ name: options }),
        folder: stage.profile.folder.with_file_name("elsewhere"),
    };
    let lease = endpoint.lease().await.unwrap();
    let second = endpoint.lease().await.unwrap_err();
    assert!(matches!(second, ProfileError::Leased(_)), "{second}");
    let web_k = stage.web_k(&lease, generous()).await;
    assert!(matches!(web_k.arrive().await, Err(Failure::LoggedOut(_))));
    while web_k.facts().await.unwrap().card != Some(Card::Code) {}
    lease.release().await.unwrap();

    // The owner scans the code between two looks: its page is still there.
    let main = LogIn { account: "main".to_owned(), code: None };
    stage.sandbox.telegram.log_in_to_web_k(&main).unwrap();
    let lease = endpoint.lease().await.unwrap();
    let web_k = stage.web_k(&lease, generous()).await;
    while let Err(error) = web_k.arrive().await {
        assert!(matches!(error, Failure::LoggedOut(_)), "{error}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // So it is after a kill, and after a time without the tunnel.
    drop(lease);
    opened.shutdown().await;
    let away = endpoint.lease().await.unwrap_err();
    assert!(matches!(away, ProfileError::Driver(DriverError::Unreachable { .. })), "{away}");
    let (_, _opened) = tunnel(port).await;
    let lease = endpoint.lease().await.unwrap();
    stage.web_k(&lease, generous()).await.arrive().await.unwrap();
    lease.close().await.unwrap();

    // With its session the browser has ended; the next one is logged out.
    let lease = endpoint.lease().await.unwrap();
    let web_k = stage.web_k(&lease, generous()).await;
    assert!(matches!(web_k.arrive().await, Err(Failure::LoggedOut(_))));
    lease.close().await.unwrap();
}
