//! W3C WebDriver, as far as one page needs it: a session, a dozen commands, answers with bounds.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use outbound::{Method, NamedBy};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use thiserror::Error;

/// The name of an element's id (W3C WebDriver, section 12).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// The longest answer: a picture of a large window.
const LONGEST: usize = 32 << 20;

/// How long connecting may take: the driver is near, or at the end of a tunnel.
const CONNECTING: Duration = Duration::from_secs(5);

/// How long, and how many, connections are kept for the next command.
const IDLE: Duration = Duration::from_secs(90);
const MOST_IDLE: usize = 1;

/// How long one command may take. A session on a browser that is away is refused by the driver after a minute.
const COMMAND: Duration = Duration::from_secs(90);

/// The escape key.
pub(crate) const ESCAPE: &str = "\u{e00c}";

/// Why a command did nothing.
#[derive(Debug, Error)]
pub enum DriverError {
    #[error("the driver at {driver} does not answer: {source}")]
    Unreachable {
        driver: String,
        #[source]
        source: outbound::SendError,
    },
    /// The browser or the driver went away: what the page does is unknown.
    #[error("the browser or its tab is gone: {0}")]
    Gone(String),
    /// The page cannot be loaded: its proxy or the network.
    #[error("the page cannot be loaded ({0}): look at the profile's proxy, then at the network")]
    Net(String),
    /// No element has this selector.
    #[error("the page has no {0}")]
    NoElement(&'static str),
    /// Something covers it, or it is folded away.
    #[error("the page's {0} cannot be pressed")]
    NotPressable(&'static str),
    /// Anything else that the driver says, in its words.
    #[error("the driver refused: {error}: {message}")]
    Refused {
        /// As the standard names it.
        error: String,
        message: String,
    },
    #[error("the driver's answer cannot be read: {0}")]
    Unreadable(String),
}

/// A session of a driver: one browser, one tab at a time.
#[derive(Debug)]
pub struct Session {
    http: outbound::Client,
    driver: String,
    id: String,
}

#[derive(Deserialize)]
struct Answer {
    value: Value,
}

/// What is refused, as the standard has it.
#[derive(Deserialize)]
struct Refusal {
    error: String,
    #[serde(default)]
    message: String,
}

impl Session {
    /// Opens one. The capabilities are those of `alwaysMatch`.
    pub(crate) async fn open(
        driver: &str,
        named_by: NamedBy,
        capabilities: &Value,
    ) -> Result<Self, DriverError> {
        let mut session = Self::left(driver, named_by, "")?;
        let order = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let made = session.send(Method::POST, "/session", Some(&order)).await?;
        let id = made["sessionId"].as_str();
        id.ok_or_else(|| DriverError::Unreadable("no session id".to_owned()))?.clone_into(&mut session.id);
        Ok(session)
    }

    /// One that was left open.
    pub(crate) fn left(driver: &str, named_by: NamedBy, id: &str) -> Result<Self, DriverError> {
        let unreachable = |source| DriverError::Unreachable { driver: driver.to_owned(), source };
        let builder = outbound::Client::builder(named_by)
            .connect_timeout(CONNECTING)
            .timeout(COMMAND)
            .idle(IDLE, MOST_IDLE);
        let builder = if driver.starts_with("https:") { builder } else { builder.without_tls() };
        let http = builder.build().map_err(unreachable)?;
        Ok(Self { http, driver: driver.trim_end_matches('/').to_owned(), id: id.to_owned() })
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Ends it. A browser that someone else started stays open.
    pub async fn end(self) -> Result<(), DriverError> {
        self.send(Method::DELETE, &format!("/session/{}", self.id), None).await.map(drop)
    }

    /// Goes to an address and waits until the page has loaded.
    pub(crate) async fn go(&self, address: &str) -> Result<(), DriverError> {
        self.post("url", &json!({ "url": address })).await.map(drop)
    }

    pub(crate) async fn address(&self) -> Result<String, DriverError> {
        self.get("url").await
    }

    pub(crate) async fn reload(&self) -> Result<(), DriverError> {
        self.post("refresh", &json!({})).await.map(drop)
    }

    /// The tabs.
    pub(crate) async fn tabs(&self) -> Result<Vec<String>, DriverError> {
        self.get("window/handles").await
    }

    pub(crate) async fn switch_to(&self, tab: &str) -> Result<(), DriverError> {
        self.post("window", &json!({ "handle": tab })).await.map(drop)
    }

    /// How long pages may load, and scripts run.
    pub(crate) async fn set_limits(&self, page: Duration) -> Result<(), DriverError> {
        let page = u64::try_from(page.as_millis()).unwrap_or(u64::MAX);
        self.post("timeouts", &json!({ "pageLoad": page, "script": page })).await.map(drop)
    }

    /// Runs the body of a function. A promise is waited for.
    pub(crate) async fn run<T: DeserializeOwned>(
        &self,
        script: &str,
        given: &Value,
    ) -> Result<T, DriverError> {
        let value = self.post("execute/sync", &json!({ "script": script, "args": given })).await?;
        serde_json::from_value(value).map_err(|error| DriverError::Unreadable(error.to_string()))
    }

    /// Presses an element with the pointer, as a person does.
    pub(crate) async fn press(&self, name: &'static str, css: &str) -> Result<(), DriverError> {
        let found = self.post("element", &json!({ "using": "css selector", "value": css })).await;
        let found = found.map_err(|error| of_an_element(error, name))?;
        let element = found[ELEMENT].as_str().ok_or(DriverError::NoElement(name))?;
        let pressed = self.post(&format!("element/{element}/click"), &json!({})).await;
        pressed.map(drop).map_err(|error| of_an_element(error, name))
    }

    /// Presses a key.
    pub(crate) async fn key(&self, key: &str) -> Result<(), DriverError> {
        let strokes = [json!({ "type": "keyDown", "value": key }), json!({ "type": "keyUp", "value": key })];
        let order = json!({ "actions": [{ "type": "key", "id": "keys", "actions": strokes }] });
        self.post("actions", &order).await.map(drop)
    }

    /// A picture of the window, as PNG.
    pub(crate) async fn picture(&self) -> Result<Vec<u8>, DriverError> {
        let text: String = self.get("screenshot").await?;
        STANDARD.decode(text).map_err(|error| DriverError::Unreadable(error.to_string()))
    }

    /// A picture of one element, as PNG.
    pub(crate) async fn picture_of(&self, name: &'static str, css: &str) -> Result<Vec<u8>, DriverError> {
        let found = self.post("element", &json!({ "using": "css selector", "value": css })).await;
        let found = found.map_err(|error| of_an_element(error, name))?;
        let element = found[ELEMENT].as_str().ok_or(DriverError::NoElement(name))?;
        let text: Result<String, _> = self.get(&format!("element/{element}/screenshot")).await;
        let text = text.map_err(|error| of_an_element(error, name))?;
        STANDARD.decode(text).map_err(|error| DriverError::Unreadable(error.to_string()))
    }

    /// A command of Chromium's own protocol.
    pub(crate) async fn devtools(&self, command: &str) -> Result<Value, DriverError> {
        self.post("goog/cdp/execute", &json!({ "cmd": command, "params": {} })).await
    }

    async fn get<T: DeserializeOwned>(&self, command: &str) -> Result<T, DriverError> {
        let value = self.send(Method::GET, &format!("/session/{}/{command}", self.id), None).await?;
        serde_json::from_value(value).map_err(|error| DriverError::Unreadable(error.to_string()))
    }

    async fn post(&self, command: &str, body: &Value) -> Result<Value, DriverError> {
        self.send(Method::POST, &format!("/session/{}/{command}", self.id), Some(body)).await
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, DriverError> {
        let unreachable = |source| DriverError::Unreachable { driver: self.driver.clone(), source };
        let mut request = self.http.request(method, &format!("{}{path}", self.driver));
        if let Some(body) = body {
            request = request.json(body);
        }
        let mut answer = self.http.send(request).await.map_err(unreachable)?;
        let fine = answer.status().is_success();
        let mut bytes = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(|error| unreachable(error.into()))? {
            if bytes.len() + part.len() > LONGEST {
                return Err(DriverError::Unreadable("it is longer than 32 MiB".to_owned()));
            }
            bytes.extend_from_slice(&part);
        }
        let read: Answer =
            serde_json::from_slice(&bytes).map_err(|error| DriverError::Unreadable(error.to_string()))?;
        if fine { Ok(read.value) } else { Err(refused(read.value)) }
    }
}

/// What a refusal means. Stack traces of the driver are left out.
fn refused(value: Value) -> DriverError {
    let Ok(Refusal { error, message }) = serde_json::from_value(value) else {
        return DriverError::Unreadable("an error without a name".to_owned());
    };
    // The reason can be on a line of its own.
    let reason = message.lines().find_map(|line| Some(format!(" {}", line.trim().strip_prefix("from ")?)));
    let message = message.lines().next().unwrap_or_default().to_owned();
    let net = message.split_whitespace().find_map(|word| word.strip_prefix("net::"));
    // Firefox names the page of its error.
    let shown = message.split_once("about:neterror?e=").and_then(|(_, rest)| rest.split('&').next());
    if let Some(code) = net.or(shown) {
        return DriverError::Net(code.to_owned());
    }
    let dead = [
        "disconnected",
        "not reachable",
        "crashed",
        "no longer running",
        "target frame detached",
        "from marionette",
    ];
    match error.as_str() {
        "invalid session id" | "no such window" => DriverError::Gone(message),
        _ if dead.iter().any(|words| message.contains(words)) => DriverError::Gone(message),
        _ => DriverError::Refused { error, message: message + &reason.unwrap_or_default() },
    }
}

fn of_an_element(error: DriverError, name: &'static str) -> DriverError {
    match error {
        DriverError::Refused { error, .. } if error == "no such element" => DriverError::NoElement(name),
        DriverError::Refused { error, .. }
            if ["element click intercepted", "element not interactable", "stale element reference"]
                .contains(&error.as_str()) =>
        {
            DriverError::NotPressable(name)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_distinguished_and_lose_their_traces() {
        let refusal = |error: &str, message: &str| {
            refused(json!({ "error": error, "message": message, "stacktrace": "#0 x" }))
        };
        assert!(matches!(refusal("invalid session id", "x"), DriverError::Gone(_)));
        assert!(matches!(
            refusal(
                "unknown error",
                "session deleted as the browser has closed the connection\nfrom disconnected"
            ),
            DriverError::Refused { .. }
        ));
        assert!(
            matches!(refusal("unknown error", "tab crashed\n#0"), DriverError::Gone(words) if words == "tab crashed")
        );
        let net =
            refusal("unknown error", "unknown error: net::ERR_PROXY_CONNECTION_FAILED\n  (Session info");
        assert!(matches!(net, DriverError::Net(code) if code == "ERR_PROXY_CONNECTION_FAILED"));
        let net = refusal("unknown error", "Reached error page: about:neterror?e=proxyConnectFailure&u=http");
        assert!(matches!(net, DriverError::Net(code) if code == "proxyConnectFailure"));
        let gone = refusal("unknown error", "Failed to decode response from marionette");
        assert!(matches!(gone, DriverError::Gone(_)));
        let message = "session not created.\nfrom unknown error: it ended\n  (Session info";
        let refused_there = refusal("session not created", message);
        assert!(refused_there.to_string().ends_with("session not created. unknown error: it ended"));
        let stale = refusal("stale element reference", "x");
        assert!(matches!(of_an_element(stale, "chat_send"), DriverError::NotPressable("chat_send")));
        assert!(matches!(refused(json!(null)), DriverError::Unreadable(_)));
    }
}
