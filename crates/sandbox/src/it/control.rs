//! The control port, over a real socket.

use std::net::SocketAddr;

use sandbox::{Running, Sandbox, SandboxError, SandboxOptions};
use serde_json::{Value, json};

pub(crate) struct Port {
    pub(crate) running: Running,
    pub(crate) http: reqwest::Client,
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

impl Port {
    pub(crate) async fn open() -> Self {
        Self::open_in(folder()).await
    }

    pub(crate) async fn open_in(folder: tempfile::TempDir) -> Self {
        let running = Sandbox::start(SandboxOptions::new(folder.path()).on_free_ports()).await.unwrap();
        let http = reqwest::Client::builder().timeout(std::time::Duration::from_mins(1)).build().unwrap();
        Self { running, http, folder }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.control)
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = self.http.request(method.parse().unwrap(), self.url(path));
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (
            status,
            if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap_or(text.into()) },
        )
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call("GET", path, None).await;
        assert_eq!(status, 200, "{body}");
        body
    }
}

/// A client began a request and never finished it: stopping does not wait for that.
#[tokio::test]
async fn an_incomplete_request_does_not_delay_shutdown() {
    use tokio::io::AsyncWriteExt;

    let port = Port::open().await;
    let mut half = tokio::net::TcpStream::connect(port.running.control).await.unwrap();
    half.write_all(b"POST /faults HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{").await.unwrap();
    // Answered on another connection: by now the first has been taken.
    assert_eq!(port.call("DELETE", "/unknown", None).await.0, 204);
    let stopped = tokio::time::timeout(std::time::Duration::from_secs(20), port.running.stop()).await;
    assert!(stopped.is_ok(), "it waits for the rest of the request");
}

#[tokio::test]
async fn invalid_requests_get_errors_in_json() {
    let port = Port::open().await;
    assert_eq!(port.get("/health").await, json!({"status": "ok"}));
    assert_eq!(port.get("/unknown").await["items"], json!([]));
    assert_eq!(port.get("/calls?account=&method=").await["items"], json!([]));
    assert_eq!(port.call("DELETE", "/calls", None).await.0, 204);
    assert_eq!(port.call("DELETE", "/ledger", None).await.0, 204);
    for (method, path, status) in [
        ("GET", "/nothing", 404),
        ("PUT", "/ledger", 405),
        ("GET", "/ledger?after=x", 400),
        ("GET", "/ledger?nonsense=1", 400),
        ("DELETE", "/faults/x", 400),
    ] {
        let (got, body) = port.call(method, path, None).await;
        assert_eq!(got, status, "{method} {path}");
        assert!(body["error"].is_string(), "{method} {path}: {body}");
    }
    let (status, _) = port.call("POST", "/faults", Some("{".into())).await;
    assert_eq!(status, 400);
    let (_, pem) = port.call("GET", "/telegram/rsa-public-key", None).await;
    assert!(pem.as_str().unwrap().starts_with("-----BEGIN"));
    port.running.stop().await;
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let port = Port::open().await;
    for (telegram, control, wanted, flag) in [
        (port.running.dc2, SocketAddr::from(([127, 0, 0, 1], 0)), port.running.dc2, "--telegram"),
        (SocketAddr::from(([127, 0, 0, 1], 0)), port.running.control, port.running.control, "--control"),
    ] {
        let folder = folder();
        let options = SandboxOptions { telegram, control, ..SandboxOptions::new(folder.path()) };
        let Err(error) = Sandbox::start(options).await else { panic!("two sandboxes on one port") };
        assert!(matches!(&error, SandboxError::PortTaken { address, .. } if *address == wanted));
        let text = error.to_string();
        assert!(text.contains(&wanted.to_string()) && text.contains(flag), "{text}");
        assert!(!folder.path().join("switchboard.toml").exists());
    }
    let wrong = "[::1]:0".parse().unwrap();
    let options = SandboxOptions { telegram: wrong, ..SandboxOptions::new(port.folder.path()) };
    assert!(matches!(Sandbox::start(options).await, Err(SandboxError::TelegramAddress(_))));
    port.running.stop().await;
}

#[tokio::test]
async fn the_settings_file_has_everything_the_product_needs() {
    let port = Port::open().await;
    let text = std::fs::read_to_string(&port.running.settings_file).unwrap();
    let settings: toml::Table = text.parse().unwrap();
    let telegram = &settings["telegram"];
    assert_eq!(telegram["observer"].as_str(), Some("@demo_observer"));
    let centres = telegram["data_centres"].as_array().unwrap();
    assert_eq!(centres[0]["address"].as_str(), Some(port.running.dc2.to_string().as_str()));
    assert_eq!(centres[1]["id"].as_integer(), Some(4));
    let accounts = telegram["accounts"].as_array().unwrap();
    let shape: Vec<_> = accounts
        .iter()
        .map(|account| {
            let sessions = account["sessions"].as_array().unwrap();
            (account["name"].as_str().unwrap(), account["pool"].as_bool().unwrap(), sessions.len())
        })
        .collect();
    let expected = [("main", true, 4), ("backup_1", true, 1), ("backup_2", true, 1), ("backup_3", true, 1)];
    assert_eq!(shape[..4], expected);
    assert_eq!(shape[4], ("fifth", false, 1));
    let main = accounts[0]["sessions"].as_array().unwrap();
    assert_eq!(main[1]["for"].as_array().unwrap()[0].as_str(), Some("send_text"));
    assert_eq!(main[1]["string"].as_str().unwrap().len(), 353);
    assert!(accounts[1]["sessions"][0].get("for").is_none());
    let ports: Vec<_> = settings["legacy"]["ports"]
        .as_array()
        .unwrap()
        .iter()
        .map(|port| {
            let account = port.get("account").and_then(toml::Value::as_str);
            (port["port"].as_integer().unwrap(), port["service"].as_str().unwrap(), account)
        })
        .collect();
    let expected = [
        (5021, "create_chat", None),
        (5022, "send_text", None),
        (5023, "send_media", None),
        (5024, "leave_chat", None),
        (5025, "create_chat", Some("backup_1")),
        (5028, "leave_chat", Some("fifth")),
        (5029, "create_chat", Some("backup_2")),
        (5030, "create_chat", Some("backup_3")),
    ];
    assert_eq!(ports, expected);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&port.running.settings_file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    port.running.stop().await;
}

#[tokio::test]
async fn people_write_to_accounts_by_turns() {
    let port = Port::open().await;
    let order = json!({"from": ["@client_1"], "to": ["main", "backup_1"], "count": 4, "per_second": 1_000});
    let answered = port.call("POST", "/telegram/traffic", Some(order)).await;
    assert_eq!(answered, (200, json!({"written": 4})));
    for wrong in [json!({"to": []}), json!({"count": 0}), json!({"per_second": 10_001})] {
        let mut order = json!({"from": ["@client_1"], "to": ["main"], "count": 1, "per_second": 1});
        order.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        let (status, body) = port.call("POST", "/telegram/traffic", Some(order)).await;
        assert_eq!((status, body["error"].is_string()), (400, true), "{body}");
    }
    port.running.stop().await;
}
