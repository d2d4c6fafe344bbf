//! The pretend Web K, asked as its page asks.

use serde_json::{Value, json};

use super::control::Port;

/// A browser that is logged in.
struct Browser {
    port: Port,
    session: String,
}

impl Browser {
    async fn of(account: &str) -> Self {
        let mut browser = Self { port: Port::open().await, session: String::new() };
        let code = browser.ask("code", Value::Null).await.1["code"].as_str().unwrap().to_owned();
        let path = format!("code/{code}");
        assert_eq!(browser.ask(&path, Value::Null).await.1, Value::Null);
        assert_eq!(browser.ask("dialogs", Value::Null).await.0, 401);
        let shown = browser.port.get("/web-k/log-ins").await;
        assert_eq!(shown["items"], json!([code]));
        let order = json!({"account": account, "code": code});
        let (status, _) = browser.port.call("POST", "/web-k/log-ins", Some(order.clone())).await;
        assert_eq!(status, 201);
        let (again, _) = browser.port.call("POST", "/web-k/log-ins", Some(order)).await;
        assert_eq!(again, 404, "a code is scanned once");
        browser.session = browser.ask(&path, Value::Null).await.1["session"].as_str().unwrap().to_owned();
        browser
    }

    async fn ask(&self, path: &str, body: Value) -> (u16, Value) {
        let request = self.port.http.post(format!("http://{}/k/api/{path}", self.port.running.web_k));
        let request = request.header("cookie", format!("web_k={}", self.session));
        let request = request.header("content-type", "application/json").body(body.to_string());
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
    }

    async fn get(&self, path: &str) -> String {
        let url = format!("http://{}{path}", self.port.running.web_k);
        self.port.http.get(url).send().await.unwrap().text().await.unwrap()
    }

    async fn fault(&self, order: Value) {
        let mut order = order;
        if order.get("provider").is_none() {
            order["provider"] = "web_k".into();
        }
        let (status, body) = self.port.call("POST", "/faults", Some(order)).await;
        assert_eq!(status, 201, "{body}");
    }

    async fn client(&self) -> i64 {
        self.ask("resolve", json!({"query": "client_7"})).await.1["peer_id"].as_i64().unwrap()
    }

    async fn send(&self, text: &str) -> Value {
        let peer = self.client().await;
        self.ask("send", json!({"peer_id": peer, "text": text, "random_id": 7})).await.1
    }

    async fn ledger(&self) -> Vec<Value> {
        self.port.get("/ledger").await["items"].as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn a_message_sent_by_the_page_is_in_the_ledger_once() {
    let browser = Browser::of("main").await;
    let sent = browser.send("Привет 👋\nfrom the page").await["sent"].clone();
    assert_eq!(browser.send("Привет 👋\nfrom the page").await["sent"], sent);
    let ledger = browser.ledger().await;
    assert_eq!(ledger.len(), 1, "{ledger:?}");
    assert_eq!(ledger[0]["text"], "Привет 👋\nfrom the page");
    assert_eq!(ledger[0]["message_id"], sent["mid"]);
    assert_eq!(ledger[0]["account"], "main");
    let open = browser.ask("open", json!({"peer_id": browser.client().await})).await.1;
    assert_eq!(open["bubbles"].as_array().unwrap().last().unwrap()["mid"], sent["mid"]);
}

#[tokio::test]
async fn a_search_has_own_chats_first_and_others_by_name() {
    let browser = Browser::of("main").await;
    let found = browser.ask("search", json!({"query": "@guest_1"})).await.1;
    assert_eq!(found["own"], json!([]));
    assert_eq!(found["global"][0]["username"], "guest_1");
    assert!(found["global"].as_array().unwrap().len() > 3);
    let own = browser.ask("search", json!({"query": "client_1"})).await.1;
    assert!(own["own"].as_array().unwrap().iter().any(|row| row["username"] == "client_1"));
}

#[tokio::test]
async fn ordinary_faults_apply_to_the_page() {
    let browser = Browser::of("main").await;
    for (fault, answer) in [
        (json!({"fault": "flood_wait", "seconds": 30}), json!({"wait": 30.0})),
        (json!({"fault": "peer_flood"}), json!("error")),
        (json!({"fault": "disconnect_before"}), json!({"wait": 0.2})),
        (json!({"fault": "deaf"}), json!("silence")),
    ] {
        let mut fault = fault;
        fault["provider"] = "telegram".into();
        fault["times"] = 1.into();
        browser.fault(fault).await;
        assert_eq!(browser.send("x").await, answer);
    }
    assert!(browser.ledger().await.is_empty());
    browser.fault(json!({"fault": "disconnect", "times": 1, "provider": "telegram"})).await;
    assert_eq!(browser.send("x").await, json!({"wait": 0.2}));
    assert!(browser.send("x").await["sent"].is_object());
    assert_eq!(browser.ledger().await.len(), 1);
    browser.fault(json!({"fault": "session_revoked", "provider": "telegram", "times": 1})).await;
    browser.send("x").await;
    assert_eq!(browser.ask("dialogs", Value::Null).await.0, 401);
}

#[tokio::test]
async fn faults_of_the_page_are_on_the_same_dial() {
    let browser = Browser::of("main").await;
    let peer = browser.client().await;
    let url = browser.port.get("/web-k").await["url"].clone();
    assert_eq!(url, format!("http://{}/k/", browser.port.running.web_k));
    let whole = browser.get("/k/").await;
    assert!(whole.contains("page.js") && whole.contains("main-columns"));
    for (fault, path, body, answer) in [
        ("popup", "before", Value::Null, json!("popup")),
        ("slow_mode", "before", Value::Null, json!("slow_mode")),
        ("notice", "after", Value::Null, json!(true)),
        ("error", "send", json!({"peer_id": peer, "text": "x", "random_id": 1}), json!("error")),
        ("silent_wait", "send", json!({"peer_id": peer, "text": "x", "random_id": 1}), json!("silence")),
        ("unknown_name", "resolve", json!({"query": "client_7"}), Value::Null),
    ] {
        browser.fault(json!({"fault": fault, "account": "main", "times": 1})).await;
        assert_eq!(browser.ask(path, body).await.1, answer, "{fault}");
    }
    for (fault, plate) in
        [("frozen", "frozen"), ("premium", "premium"), ("paid", "paid"), ("forbidden", "forbidden")]
    {
        browser.fault(json!({"fault": fault, "times": 1})).await;
        assert_eq!(browser.ask("open", json!({"peer_id": peer})).await.1["plate"], plate);
    }
    assert_eq!(browser.ask("open", json!({"peer_id": peer})).await.1["plate"], Value::Null);
    browser.fault(json!({"fault": "blank", "times": 1})).await;
    assert!(!browser.get("/k/").await.contains("page.js"));
    browser.fault(json!({"fault": "renamed", "message": "btn-send"})).await;
    assert!(browser.get("/k/screen.js").await.contains("new-btn-send"));
    assert!(browser.ledger().await.is_empty());
    browser.fault(json!({"fault": "logged_out", "times": 1})).await;
    assert_eq!(browser.ask("dialogs", Value::Null).await.0, 401);
    assert_eq!(browser.ask("dialogs", Value::Null).await.0, 401);
}
