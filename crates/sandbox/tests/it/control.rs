//! The control port, over a real socket.

use std::net::SocketAddr;
use std::sync::LazyLock;

use sandbox::mtproto::RsaKey;
use sandbox::{Running, Sandbox, SandboxError, SandboxOptions};
use serde_json::{Value, json};

pub(crate) struct Port {
    pub(crate) running: Running,
    pub(crate) http: reqwest::Client,
    pub(crate) folder: tempfile::TempDir,
}

/// An RSA key takes a while to make: all tests share one.
static RSA_KEY: LazyLock<String> = LazyLock::new(|| RsaKey::generate().unwrap().to_pem());

pub(crate) fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("telegram-rsa.pem"), &*RSA_KEY).unwrap();
    folder
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

#[tokio::test]
async fn accounts_are_listed_and_one_more_is_made_for_good() {
    let port = Port::open().await;
    let listed = port.get("/telegram/accounts").await;
    let main = &listed["items"][0];
    assert_eq!((&main["name"], &main["username"]), (&json!("main"), &json!("demo_main")));
    assert_eq!((&main["phone"], &main["dc_id"]), (&json!("+70000000001"), &json!(2)));
    assert_eq!((&main["host"], &main["port"]), (&json!("127.0.0.1"), &json!(port.running.dc2.port())));
    assert_eq!(main["auth_key"].as_str().unwrap().len(), 512);
    assert_eq!(main["login_code"].as_str().unwrap().len(), 5);
    assert_eq!(main["password"], Value::Null);
    assert_eq!(main["sessions"].as_array().unwrap().len(), 4);

    let order = json!({"name": "late", "phone": "+70000000777", "dialogs": 40, "dc_id": 4});
    let (status, made) = port.call("POST", "/telegram/accounts", Some(order.clone())).await;
    assert_eq!((status, &made["username"]), (201, &json!("demo_late")));
    assert_eq!((&made["dc_id"], &made["port"]), (&json!(4), &json!(port.running.dc4.port())));
    let (status, _) = port.call("POST", "/telegram/accounts", Some(order)).await;
    assert_eq!(status, 409);
    for bad in [
        json!({"name": "", "phone": "+70000000778"}),
        json!({"name": "Not this", "phone": "+70000000778"}),
        json!({"name": "fine", "phone": "12"}),
        json!({"name": "fine", "phone": "+70000000778", "dc_id": 3}),
        json!({"name": "fine", "phone": "+70000000778", "dialogs": -1}),
        json!({"name": "fine", "phone": "+70000000778", "nonsense": 1}),
        json!([]),
    ] {
        let (status, error) = port.call("POST", "/telegram/accounts", Some(bad.clone())).await;
        assert_eq!(status, 400, "{bad}");
        assert!(error["error"].is_string());
    }

    // A restart in the same directory keeps every identity.
    let Port { running, folder, .. } = port;
    running.stop().await;
    let again = Port::open_in(folder).await;
    let relisted = again.get("/telegram/accounts").await;
    assert_eq!(relisted["items"][0]["auth_key"], main["auth_key"]);
    assert_eq!(relisted["items"][5]["auth_key"], made["auth_key"]);
    again.running.stop().await;
}

#[tokio::test]
async fn messages_are_written_and_edited() {
    let port = Port::open().await;
    let order = json!({
        "from": "@client_1",
        "chat": "@demo_main",
        "text": "hi",
        "buttons": [[{"text": "Yes", "data": "yes"}, {"text": "Site", "url": "https://example.com"}]],
    });
    let (status, written) = port.call("POST", "/telegram/messages", Some(order)).await;
    assert_eq!((status, &written["chat_id"]), (201, &json!("6000000001")));
    let path = format!("/telegram/messages/6000000001/{}", written["message_id"]);
    let edit = json!({"text": "hello", "account": "main"});
    assert_eq!(port.call("PATCH", &path, Some(edit)).await.0, 200);
    // Without an account it is the newest message with this id, wherever it is.
    let edit = json!({"text": "hello again", "buttons": [[{"text": "No", "data": "no"}]]});
    assert_eq!(
        port.call("PATCH", &path, Some(edit)).await,
        (200, json!({"chat_id": "6000000001", "message_id": written["message_id"]}))
    );
    let far = "/telegram/messages/6000000001/99999";
    assert_eq!(port.call("PATCH", far, Some(json!({"text": "x"}))).await.0, 404);
    let by_id = json!({"from": 6_000_000_001_i64, "chat": -1_002_000_000_001_i64, "text": "by id"});
    assert_eq!(port.call("POST", "/telegram/messages", Some(by_id)).await.0, 201);
    assert_eq!(port.call("PATCH", far, Some(json!({"text": "x", "account": "main"}))).await.0, 404);
    assert_eq!(
        port.call("PATCH", "/telegram/messages/6000000001/x", Some(json!({"text": "x"}))).await.0,
        400
    );

    for (from, chat, status, chat_id) in [
        ("@client_1", "-1002000000001", 201, json!("-1002000000001")),
        ("main", "@demo_channel", 201, json!("-1002000000002")),
        ("@client_1", "-4000001", 201, json!("-4000001")),
        ("@demo_bot_1", "backup_1", 201, json!("5500000001")),
        ("main", "@client_2", 201, json!("6000000002")),
        ("@client_1", "@demo_channel", 403, Value::Null),
        ("@client_60", "-4000001", 403, Value::Null),
        ("@client_1", "@client_2", 400, Value::Null),
        ("@nobody", "main", 404, Value::Null),
        ("@client_1", "-100999", 404, Value::Null),
        ("@demo_channel", "main", 400, Value::Null),
    ] {
        let order = json!({"from": from, "chat": chat, "text": "hello"});
        let (got, body) = port.call("POST", "/telegram/messages", Some(order)).await;
        assert_eq!(got, status, "{from} {chat}: {body}");
        assert_eq!(body["chat_id"], chat_id, "{from} {chat}");
    }
    for bad in [
        json!({"from": "@client_1", "chat": "main"}),
        json!({"from": "@client_1", "chat": "main", "text": ""}),
        json!({"from": "@client_1", "chat": "main", "text": "x".repeat(4_097)}),
        json!({"from": "@client_1", "chat": "main", "text": "x", "buttons": [[{"text": "neither"}]]}),
    ] {
        assert_eq!(port.call("POST", "/telegram/messages", Some(bad)).await.0, 400);
    }
    assert_eq!(port.get("/ledger").await["items"], json!([]));
    port.running.stop().await;
}

/// Somebody began a request and never finished it: stopping does not wait for that.
#[tokio::test]
async fn half_a_request_does_not_keep_the_sandbox_up() {
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
async fn the_dial_is_turned_and_turned_back() {
    let port = Port::open().await;
    let order = json!({
        "provider": "telegram", "account": null, "method": null, "fault": "flood_wait",
        "seconds": 30, "times": 1, "probability": 1.0, "code": 400, "message": "…",
    });
    let (status, made) = port.call("POST", "/faults", Some(order)).await;
    assert_eq!(status, 201);
    let listed = port.get("/faults").await;
    let (id, fault) = (&listed["items"][0]["id"], &listed["items"][0]["fault"]);
    assert_eq!((id, fault), (&made["id"], &json!("flood_wait")));
    let path = format!("/faults/{}", made["id"]);
    assert_eq!(port.call("DELETE", &path, None).await.0, 204);
    assert_eq!(port.call("DELETE", &path, None).await.0, 404);
    for bad in [
        json!({"fault": "nonsense"}),
        json!({"fault": "deaf", "account": "nobody"}),
        json!({"fault": "deaf", "method": "nothing"}),
        json!({"fault": "rpc_error"}),
        json!({"seconds": 1}),
    ] {
        let (status, error) = port.call("POST", "/faults", Some(bad.clone())).await;
        assert_eq!(status, 400, "{bad}");
        assert!(error["error"].is_string());
    }
    port.call("POST", "/faults", Some(json!({"fault": "deaf"}))).await;
    assert_eq!(port.call("DELETE", "/faults", None).await.0, 204);
    assert_eq!(port.get("/faults").await["items"], json!([]));
    port.running.stop().await;
}

#[tokio::test]
async fn chats_members_and_blocks() {
    let port = Port::open().await;
    let chats = port.get("/telegram/chats").await;
    let first =
        &chats["items"].as_array().unwrap().iter().find(|chat| chat["kind"] == "supergroup").unwrap().clone();
    assert_eq!((&first["title"], &first["chat_id"]), (&json!("Demo supergroup"), &json!("-1002000000001")));
    let names = |chat: &Value| {
        let members = chat["members"].as_array().unwrap().clone();
        members
            .into_iter()
            .filter_map(|member| member["account"].as_str().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    assert_eq!(names(first), ["main", "backup_1", "backup_2", "backup_3"]);
    let path = "/telegram/chats/-1002000000001/members";
    for (order, status) in [
        (json!({"account": "backup_1", "remove": true}), 204),
        (json!({"account": "backup_1", "remove": true}), 404),
        (json!({"account": "backup_2", "remove": "ban"}), 204),
        (json!({"account": "fifth"}), 204),
        (json!({"account": "fifth", "remove": "gently"}), 400),
        (json!({"account": "nobody"}), 404),
    ] {
        assert_eq!(port.call("POST", path, Some(order.clone())).await.0, status, "{order}");
    }
    let chats = port.get("/telegram/chats").await;
    let first = chats["items"].as_array().unwrap().iter().find(|chat| chat["kind"] == "supergroup").unwrap();
    assert_eq!(names(first), ["main", "backup_3", "fifth"]);
    let block = json!({"from": "@client_1", "account": "main"});
    assert_eq!(port.call("POST", "/telegram/blocks", Some(block)).await.0, 204);
    port.running.stop().await;
}

#[tokio::test]
async fn people_and_chats_change_from_outside() {
    let port = Port::open().await;
    let id = json!(6_000_000_007_i64);
    for (method, path, order, answer) in [
        (
            "POST",
            "/telegram/users/@client_7/privacy",
            json!({"invites": "nobody"}),
            (200, json!({"invites": "nobody"})),
        ),
        (
            "POST",
            "/telegram/users/%40client_7/privacy",
            json!({"invites": "contacts"}),
            (200, json!({"invites": "contacts"})),
        ),
        (
            "POST",
            "/telegram/users/@client_7/username",
            json!({"username": null}),
            (200, json!({"user_id": id, "username": null})),
        ),
        (
            "POST",
            "/telegram/users/6000000007/username",
            json!({"username": "client_77"}),
            (200, json!({"user_id": id, "username": "client_77"})),
        ),
        (
            "POST",
            "/telegram/chats",
            json!({"title": "Theirs", "creator": "@client_1", "members": ["main"], "kind": "group"}),
            (201, json!({"chat_id": "-4000002"})),
        ),
        (
            "POST",
            "/telegram/chats/-4000002/migrate",
            Value::Null,
            (200, json!({"chat_id": "-1002000000003"})),
        ),
        ("DELETE", "/telegram/chats/-1002000000003?silent=true", Value::Null, (204, Value::Null)),
        (
            "POST",
            "/telegram/chats?silent=true",
            json!({"title": "Unheard of", "creator": "@client_1", "members": ["main"]}),
            (201, json!({"chat_id": "-1002000000004"})),
        ),
    ] {
        let body = Some(order).filter(|order| !order.is_null());
        assert_eq!(port.call(method, path, body).await, answer, "{path}");
    }
    for (path, order, status) in [
        ("/telegram/users/@client_1/privacy", json!({"invites": "some"}), 400),
        ("/telegram/users/@client_1/privacy", json!({}), 400),
        ("/telegram/users/@nobody/privacy", json!({"invites": "nobody"}), 404),
        ("/telegram/users/@client_1/username", json!({}), 400),
        ("/telegram/users/@client_1/username", json!({"username": "client_2"}), 409),
        ("/telegram/users/@client_1/username", json!({"username": "_"}), 400),
        ("/telegram/chats", json!({"title": "", "creator": "main"}), 400),
        ("/telegram/chats", json!({"title": "x", "creator": "@nobody"}), 404),
        ("/telegram/chats/-4000002/migrate", json!({}), 400),
        ("/telegram/chats?silent=maybe", json!({"title": "x", "creator": "main"}), 400),
    ] {
        let (got, body) = port.call("POST", path, Some(order.clone())).await;
        assert_eq!(got, status, "{path} {order}: {body}");
        assert!(body["error"].is_string());
    }
    assert_eq!(port.get("/ledger").await["items"], json!([]));
    port.running.stop().await;
}

#[tokio::test]
async fn what_is_asked_wrongly_is_told_so_in_json() {
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
