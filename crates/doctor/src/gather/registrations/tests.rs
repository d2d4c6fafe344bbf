//! What is asked and what a failed call means to the owner; and that no secret is in it, whatever the answer.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// A token is longer than a word that is shown.
const TOKEN: &str = "1:planted_0123456789_0123456789";

/// What is known of a bot.
const ANSWER: &str = r#"{"ok":true,"result":{"url":"https://example.com/planted"}}"#;

#[test]
fn a_call_that_failed_names_the_key_that_mends_it() {
    use WebhookProvider::{Avito, Max, Telegram, Vk, Whatsapp};
    let text = || "planted_0123456789_0123456789 not known".to_owned();
    let refused = |provider, error: CallError| match failure(provider, &error) {
        Failure::Refused { field, why } if !why.contains("planted") => Some(field),
        Failure::Refused { why, .. } => panic!("{why}"),
        _ => None,
    };
    for (provider, token, unknown) in [
        (Telegram, "token", None),
        (Avito, "client_secret", None),
        (Max, "token", None),
        (Vk, "token", Some("group_id")),
        (Whatsapp, "token", Some("profile_id")),
    ] {
        assert_eq!(refused(provider, CallError::Token(text())), Some(token), "{provider:?}");
        assert_eq!(refused(provider, CallError::refused("100", text())), unknown, "{provider:?}");
    }
    assert_eq!(refused(Vk, CallError::Account(text())), Some("token"), "a right is missing");
    assert!(matches!(failure(Avito, &CallError::Account(text())), Failure::Barred(_)));
    assert!(matches!(failure(Max, &CallError::Server(text())), Failure::Unreached(_)));
    assert!(matches!(failure(Max, &CallError::Unreadable(text())), Failure::Unclear(_)));
}

/// Settings with a bot whose provider is at this address.
fn settings(api: &str) -> Settings {
    written(&format!(
        "[[doctor.webhooks]]\nname = \"shop\"\nprovider = \"telegram\"\ntoken = \"{TOKEN}\"\n\
         expect = \"https://example.com/planted\"\napi = \"{api}\"\n"
    ))
}

fn written(text: &str) -> Settings {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("switchboard.toml");
    std::fs::write(&file, text).expect("written");
    Settings::load(Some(&file), []).expect("settings")
}

/// The one outcome, and the whole of it as it may be printed.
fn outcome(registrations: Registrations) -> (Result<ProviderReport, Failure>, String) {
    let printed = format!("{:?}", registrations.queries);
    let one = registrations.queries.into_iter().next().expect("one");
    (one.outcome, printed)
}

/// Answers a caller with a status and a body; what it was asked.
async fn serve(listener: &TcpListener, status: &str, body: &str) -> String {
    let (mut stream, _) = listener.accept().await.expect("a caller");
    let mut request: Vec<u8> = Vec::new();
    while !request.ends_with(b"{}") {
        assert_ne!(stream.read_buf(&mut request).await.expect("a question"), 0);
    }
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(answer.as_bytes()).await.expect("an answer");
    String::from_utf8_lossy(&request).into_owned()
}

#[tokio::test]
async fn one_query_is_made_and_errors_omit_the_address() {
    let clock = Clock::system();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let settings = settings(&format!("http://{address}/base/"));
    let question = format!("POST /base/bot{TOKEN}/getWebhookInfo HTTP/1.1\r\n");
    let refusal = format!(r#"{{"ok":false,"error_code":401,"description":"unknown: bot{TOKEN}"}}"#);
    for (status, body, expected) in [
        ("200 OK", ANSWER, None),
        ("401 Unauthorized", refusal.as_str(), Some("refuses the token: unknown: …")),
        ("302 Found\r\nLocation: http://127.0.0.1:1/planted", "", Some("cannot be read: 302")),
        ("503 Planted", "", Some("an error of its own: 503")),
        ("200 OK", "planted", Some("cannot be read: 200")),
    ] {
        let (registrations, request) = tokio::join!(all(&settings, &clock), serve(&listener, status, body));
        assert!(request.starts_with(&question), "{request}");
        let (outcome, printed) = outcome(registrations);
        assert!(!printed.contains("planted"), "{printed}");
        let failure = outcome.err().map(|failure| format!("{failure:?}"));
        assert_eq!(failure.is_some(), expected.is_some(), "{failure:?}");
        assert!(failure.unwrap_or_default().contains(expected.unwrap_or_default()), "{printed}");
    }
    drop(listener);
    let (outcome, printed) = outcome(all(&settings, &clock).await);
    assert!(matches!(outcome, Err(Failure::Unreached(_))), "{outcome:?}");
    assert!(!printed.contains("planted"), "{printed}");
}

fn settings_at(address: std::net::SocketAddr) -> Settings {
    settings(&format!("http://{address}"))
}

#[tokio::test]
async fn a_provider_that_is_silent_is_given_up_when_its_time_is_over() {
    let clock = Clock::system();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let settings = settings_at(listener.local_addr().expect("an address"));
    let silence = async {
        let _held = listener.accept().await.expect("a caller");
        clock.advance(TIMEOUT);
        std::future::pending::<()>().await;
    };
    let registrations = tokio::select! {
        registrations = all(&settings, &clock) => registrations,
        () = silence => unreachable!("it is silent for good"),
    };
    let (outcome, _) = outcome(registrations);
    assert_eq!(outcome.unwrap_err(), Failure::Unreached("no answer within 10 s".to_owned()));
}

#[tokio::test]
async fn an_account_that_is_posted_to_elsewhere_is_asked_after() {
    let clock = Clock::system();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let settings = written(&format!(
        "[[channels]]\nname = \"shop\"\nchannel = \"telegram\"\ntoken = \"{TOKEN}\"\nreceive = \"off\"\n\
         expect = \"https://example.com/planted\"\napi = \"http://{}\"\n",
        listener.local_addr().expect("an address")
    ));
    let (registrations, request) = tokio::join!(all(&settings, &clock), serve(&listener, "200 OK", ANSWER));
    assert!(request.starts_with(&format!("POST /bot{TOKEN}/getWebhookInfo HTTP/1.1\r\n")), "{request}");
    assert_eq!(
        (registrations.queries[0].webhook.name.as_str(), registrations.queries[0].key),
        ("shop", "channels")
    );
    let (outcome, printed) = outcome(registrations);
    assert!(outcome.is_ok() && !printed.contains("planted"), "{printed}");
}

#[tokio::test]
async fn more_webhooks_than_are_asked_for_are_counted() {
    let clock = Clock::system();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let mut settings = settings_at(listener.local_addr().expect("an address"));
    drop(listener);
    let one = settings.doctor.webhooks[0].clone();
    settings.doctor.webhooks = vec![one; MOST + 2];
    let found = all(&settings, &clock).await;
    assert_eq!((found.queries.len(), found.left_out), (MOST, 2));
}
