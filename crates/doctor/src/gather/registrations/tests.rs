//! What providers answer, right, wrong and as garbage; and that a call tells no secret, whatever comes of it.

use config::Settings;
use domain::Timestamp;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::call::Answer;
use super::*;
use crate::check::webhooks::State;

type Read = fn(&Answer) -> Result<Told, Failure>;

const READERS: [(&str, Read); 5] = [
    ("telegram_bot", telegram_bot::read),
    ("avito", avito::read),
    ("max", max::read),
    ("vk", vk::read),
    ("wappi", wappi::read),
];

fn answer(status: u16, body: &str) -> Answer {
    Answer { status, body: body.as_bytes().to_vec() }
}

fn places(told: &Told) -> Vec<String> {
    told.registered.iter().map(|one| one.place.to_string()).collect()
}

#[test]
fn telegram_tells_one_address_and_how_it_goes() {
    let read = |body: &str| telegram_bot::read(&answer(200, body)).expect("told");
    let told = read(
        r#"{"ok":true,"more":1,"result":{"url":"https://example.com:8443/planted","has_custom_certificate":false,
        "pending_update_count":3,"last_error_date":1760000000,"last_error_message":"Connection refused","more":[]}}"#,
    );
    assert_eq!((places(&told), told.waiting), (vec!["https://example.com:8443".to_owned()], Some(3)));
    let at = Timestamp::from_micros(1_760_000_000_000_000);
    assert_eq!(told.failed, Some((at, "Connection refused".to_owned())));
    let none = read(r#"{"ok":true,"result":{"url":"","pending_update_count":-1,"last_error_date":0}}"#);
    assert_eq!((places(&none), none.waiting, none.failed), (vec![], Some(0), None));
    let far = read(r#"{"ok":true,"result":{"url":"","last_error_date":9223372036854775807}}"#);
    assert_eq!(far.failed.map(|(at, _)| at), Some(Timestamp::from_micros(i64::MAX)));
    for status in [401, 404] {
        let refused = telegram_bot::read(&answer(status, r#"{"ok":false,"description":"planted"}"#));
        let why = format!("it answered {status}");
        assert_eq!(refused.unwrap_err(), Failure::Refused { field: "token", why });
    }
}

#[test]
fn max_tells_each_subscription() {
    let told = max::read(&answer(
        200,
        r#"{"subscriptions":[{"url":"https://example.com/a","time":1,"update_types":null},{"url":"https://example.org/b"}]}"#,
    ));
    assert_eq!(places(&told.expect("told")), ["https://example.com", "https://example.org"]);
    assert!(max::read(&answer(200, r#"{"subscriptions":[]}"#)).expect("told").registered.is_empty());
    assert!(matches!(
        max::read(&answer(200, r#"{"success":false,"message":"planted"}"#)),
        Err(Failure::Unclear(_))
    ));
    let refused = max::read(&answer(401, r#"{"code":"verify.token","message":"planted"}"#));
    assert!(matches!(refused, Err(Failure::Refused { field: "token", .. })));
}

#[test]
fn avito_gives_a_token_first_and_may_refuse_with_200() {
    use domain::secret::ExposeSecret;
    let granted = |status, body: &str| avito::granted(&answer(status, body));
    let token = granted(200, r#"{"access_token":"word","expires_in":86400,"token_type":"Bearer"}"#);
    assert_eq!(token.expect("a token").expose_secret(), "word");
    for (status, body) in [
        (200, r#"{"error":"invalid_client","error_description":"planted"}"#),
        (400, r#"{"error":{"code":400,"message":"planted"}}"#),
        (401, "{}"),
        (403, "{}"),
    ] {
        let refused = granted(status, body);
        assert!(matches!(refused, Err(Failure::Refused { field: "client_secret", .. })), "{status} {body}");
    }
    assert!(matches!(granted(403, "<html>planted"), Err(Failure::Unreached(_))));
    assert!(matches!(granted(200, "{}"), Err(Failure::Unclear(_))));
    assert!(matches!(granted(200, r#"{"access_token":""}"#), Err(Failure::Unclear(_))));

    let told =
        avito::read(&answer(200, r#"{"subscriptions":[{"url":"http://example.com:9000/x","version":"3"}]}"#));
    let told = told.expect("told");
    assert_eq!(
        (places(&told), told.registered[0].has_secret),
        (vec!["http://example.com:9000".to_owned()], Some(false))
    );
    assert!(matches!(avito::read(&answer(402, "{}")), Err(Failure::Unpaid(_))));
    assert!(matches!(avito::read(&answer(403, "<html>")), Err(Failure::Unreached(_))));
    assert!(matches!(avito::read(&answer(401, "{}")), Err(Failure::Refused { .. })));
}

#[test]
fn vk_tells_each_server_and_refuses_with_200() {
    let told = vk::read(&answer(
        200,
        r#"{"response":{"count":4,"items":[
        {"id":1,"title":"a","creator_id":1,"url":"https://example.com/a","secret_key":"planted","status":"ok"},
        {"id":2,"title":"b","url":"https://example.com/b","secret_key":"","status":"failed"},
        {"id":3,"title":"c","url":"https://example.com/c","status":"wait"},
        {"id":4,"title":"d","url":"","status":"unconfigured"}]}}"#,
    ));
    let told = told.expect("told");
    let states: Vec<_> = told.registered.iter().map(|one| (one.state, one.has_secret)).collect();
    assert_eq!(
        states,
        [(State::Works, Some(true)), (State::Failed, Some(false)), (State::Unconfirmed, None)]
    );
    assert!(!format!("{told:?}").contains("planted"));
    let error = |code: i64| {
        let body =
            format!(r#"{{"error":{{"error_code":{code},"error_msg":"planted","request_params":[]}}}}"#);
        vk::read(&answer(200, &body)).expect_err("an error")
    };
    let why = "it answered with error 5".to_owned();
    assert_eq!(error(5), Failure::Refused { field: "token", why });
    assert!(matches!(error(125), Failure::Refused { field: "group_id", .. }));
    assert!(matches!(error(6), Failure::Unreached(_)));
    assert!(matches!(error(-7), Failure::Unclear(_)));
    assert!(matches!(vk::read(&answer(200, "{}")), Err(Failure::Unclear(_))));
}

#[test]
fn wappi_tells_one_address_and_whether_it_is_signed_in() {
    let read = |status, body: &str| wappi::read(&answer(status, body));
    let told =
        read(200, r#"{"status":"done","authorized":false,"webhook_url":"https://example.com/x","more":1}"#);
    let told = told.expect("told");
    assert!(told.signed_out && places(&told) == ["https://example.com"]);
    for nowhere in [r#"{"status":"done","webhook_url":""}"#, r#"{"webhook_url":null}"#] {
        assert!(read(200, nowhere).expect("told").registered.is_empty(), "{nowhere}");
    }
    assert!(matches!(read(200, r#"{"status":"done"}"#), Err(Failure::Unclear(_))));
    assert!(matches!(read(200, r#"{"webhook_url":7}"#), Err(Failure::Unclear(_))));
    assert!(matches!(
        read(200, r#"{"status":"error","detail":"planted"}"#),
        Err(Failure::Refused { field: "profile_id", .. })
    ));
    assert!(matches!(read(401, ""), Err(Failure::Refused { field: "token", .. })));
    assert!(matches!(read(402, ""), Err(Failure::Unpaid(_))));
    assert!(matches!(read(404, ""), Err(Failure::Refused { field: "profile_id", .. })));
}

/// JSON of any shape, with the names that are looked for.
fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        "planted[a-z]{0,8}".prop_map(Into::into),
    ];
    let name = prop::sample::select(vec![
        "ok",
        "result",
        "url",
        "subscriptions",
        "response",
        "items",
        "status",
        "webhook_url",
        "error",
        "error_code",
        "access_token",
        "pending_update_count",
        "last_error_date",
        "secret_key",
    ]);
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::hash_map(name.clone(), inner, 0..5).prop_map(|map| {
                map.into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect::<serde_json::Map<_, _>>()
                    .into()
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_answer_makes_a_panic_or_is_told_back(
        status in prop::sample::select(vec![200_u16, 201, 400, 401, 402, 403, 404, 418]),
        json in any_json(),
        garbage in prop::collection::vec(any::<u8>(), 0..80),
        is_json: bool,
    ) {
        let body = if is_json { json.to_string().into_bytes() } else { garbage };
        let answer = Answer { status, body };
        for (name, read) in READERS {
            if let Err(failure) = read(&answer) {
                prop_assert!(!format!("{failure:?}").contains("planted"), "{name}: {failure:?}");
            }
        }
        if let Err(failure) = avito::granted(&answer) {
            prop_assert!(!format!("{failure:?}").contains("planted"), "{failure:?}");
        }
    }
}

/// Settings with a bot whose provider is at this address.
fn settings(api: &str) -> Settings {
    written(&format!(
        "[[doctor.webhooks]]\nname = \"shop\"\nprovider = \"telegram\"\ntoken = \"1:planted\"\n\
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
fn outcome(registrations: Registrations) -> (Result<Told, Failure>, String) {
    let printed = format!("{:?}", registrations.asked);
    let one = registrations.asked.into_iter().next().expect("one");
    (one.outcome, printed)
}

/// Answers each caller with these bytes, and then so many more; what it was asked.
async fn serve(listener: &TcpListener, head: &str, more: usize) -> String {
    let (mut stream, _) = listener.accept().await.expect("a caller");
    let mut asked = vec![0; 4096];
    let length = stream.read(&mut asked).await.expect("a question");
    asked.truncate(length);
    let _ = stream.write_all(head.as_bytes()).await;
    let piece = [b' '; 4096];
    for _ in 0..more.div_ceil(piece.len()) {
        if stream.write_all(&piece).await.is_err() {
            break;
        }
    }
    String::from_utf8_lossy(&asked).into_owned()
}

#[tokio::test]
async fn one_question_is_asked_and_wrong_answers_are_told_without_the_address() {
    let clock = Clock::system();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let settings = settings(&format!("http://{}/base/", listener.local_addr().expect("an address")));
    let body = r#"{"ok":true,"result":{"url":"https://example.com/planted"}}"#;
    for (head, more, said) in [
        (format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()), 0, None),
        (
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/planted\r\nContent-Length: 0\r\n\r\n"
                .to_owned(),
            0,
            Some("wants to be asked at another address"),
        ),
        ("HTTP/1.1 503 Planted\r\nContent-Length: 0\r\n\r\n".to_owned(), 0, Some("it answered 503")),
        ("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_owned(), 300 * 1024, Some("larger than 256 KiB")),
        ("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nplanted".to_owned(), 0, Some("nothing that is known")),
        ("planted\r\n\r\n".to_owned(), 0, Some("")),
    ] {
        let (registrations, asked) = tokio::join!(all(&settings, &clock), serve(&listener, &head, more));
        assert!(asked.starts_with("GET /base/bot1:planted/getWebhookInfo HTTP/1.1\r\n"), "{asked}");
        let (outcome, printed) = outcome(registrations);
        assert!(!printed.contains("planted"), "{printed}");
        match (said, outcome) {
            (None, outcome) => assert!(outcome.is_ok(), "{outcome:?}"),
            (Some(said), outcome) => {
                let failure = format!("{:?}", outcome.expect_err("a failure"));
                assert!(failure.contains(said), "{failure}");
            }
        }
    }
    let nobody = listener.local_addr().expect("an address");
    drop(listener);
    let (outcome, printed) = outcome(all(&settings_at(nobody), &clock).await);
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
        "[[channels]]\nname = \"shop\"\nchannel = \"telegram\"\ntoken = \"1:planted\"\nreceive = \"off\"\n\
         expect = \"https://example.com/planted\"\napi = \"http://{}\"\n",
        listener.local_addr().expect("an address")
    ));
    let body = r#"{"ok":true,"result":{"url":"https://example.com/planted"}}"#;
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let (registrations, asked) = tokio::join!(all(&settings, &clock), serve(&listener, &head, 0));
    assert!(asked.starts_with("GET /bot1:planted/getWebhookInfo HTTP/1.1\r\n"), "{asked}");
    assert_eq!(
        (registrations.asked[0].webhook.name.as_str(), registrations.asked[0].key),
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
    assert_eq!((found.asked.len(), found.left_out), (MOST, 2));
}
