//! Lists on a real Redis: taken, given back after a death, offered and withdrawn.

use std::time::Duration;

use config::QueueSettings;
use queue::{Done, QueueError, Redis, keys};
use testkit::RedisServer;
use uuid::Uuid;

fn connect(url: &str) -> Redis {
    let settings = QueueSettings { redis: Some(url.to_owned().into()), ..QueueSettings::default() };
    Redis::new(&settings).expect("an address").expect("Redis")
}

fn ids(first: u128) -> [Uuid; 2] {
    [Uuid::from_u128(first), Uuid::from_u128(first + 1)]
}

#[tokio::test]
async fn items_of_a_dead_program_are_taken_with_the_same_ids() {
    let server = RedisServer::start();
    server.ask(&["RPUSH", "queue:incoming", "one", "two", "three"]);
    let taken = connect(&server.url()).take(keys::INCOMING, &ids(1)).await.unwrap();
    assert_eq!(
        taken.iter().map(|one| one.item.clone()).collect::<Vec<_>>(),
        [b"one".to_vec(), b"two".to_vec()]
    );
    assert_eq!(server.ask(&["LLEN", "queue:incoming"]), 1);
    let redis = connect(&server.url());
    assert_eq!(redis.take(keys::INCOMING, &ids(7)).await.unwrap(), taken);
    let dead = Some("{\"reason\":\"unreadable\"}".to_owned());
    let done = [Done { taken: &taken[0], dead: None }, Done { taken: &taken[1], dead }];
    for _ in 0..2 {
        redis.acknowledge(keys::INCOMING, &done).await.unwrap();
        assert_eq!(server.list(keys::DEAD), ["{\"reason\":\"unreadable\"}"]);
        assert_eq!(server.list("queue:incoming:processing"), Vec::<String>::new());
    }
    let last = redis.take(keys::INCOMING, &ids(9)).await.unwrap();
    assert_eq!((last.len(), last[0].id), (1, Some(Uuid::from_u128(9))));
}

#[tokio::test]
async fn an_item_is_offered_once_however_often() {
    let server = RedisServer::start();
    let redis = connect(&server.url());
    redis.offer("respond", "a", "first").await.unwrap();
    redis.offer("respond", "b", "other").await.unwrap();
    redis.offer("respond", "a", "second").await.unwrap();
    assert_eq!(server.list("queue:stage:respond"), ["other", "second"]);
    // Taken by a program that is killed: offered again, it is there again.
    server.ask(&["LPOP", "queue:stage:respond"]);
    redis.offer("respond", "b", "other").await.unwrap();
    assert_eq!(server.list("queue:stage:respond"), ["second", "other"]);
    redis.withdraw("respond", &["a".to_owned(), "b".to_owned()]).await.unwrap();
    assert_eq!(
        (server.ask(&["KEYS", "*"]), redis.open("respond").await.unwrap()),
        (serde_json::json!([]), Vec::new())
    );
}

#[tokio::test]
async fn a_lock_is_found_by_the_next_connection() {
    let server = RedisServer::start();
    let redis = connect(&server.url());
    assert!(redis.lock("lock:a", "processing", 300, "one").await.unwrap());
    assert!(!redis.lock("lock:a", "processing", 300, "two").await.unwrap());
    assert!(server.ask(&["TTL", "lock:a"]).as_i64().is_some_and(|left| (290..=300).contains(&left)));
    let again = connect(&server.url());
    assert_eq!(again.locks().await.unwrap(), [("one".to_owned(), "lock:a".to_owned())]);
    again.unlock("lock:a", "two").await.unwrap();
    assert_eq!(server.ask(&["GET", "lock:a"]), "processing");
    again.unlock("lock:a", "one").await.unwrap();
    assert_eq!(server.ask(&["KEYS", "*"]), serde_json::json!([]));
}

#[tokio::test]
async fn a_lock_that_another_program_set_since_stays() {
    let server = RedisServer::start();
    let redis = connect(&server.url());
    // Another one says the same: it ends later, or never.
    for other in [&["SET", "lock:a", "processing", "EX", "310"][..], &["SET", "lock:a", "processing"]] {
        assert!(redis.lock("lock:a", "processing", 300, "one").await.unwrap());
        server.ask(&["DEL", "lock:a"]);
        assert_eq!(server.ask(other), "OK");
        connect(&server.url()).unlock("lock:a", "one").await.unwrap();
        assert_eq!(server.ask(&["KEYS", "*"]), serde_json::json!(["lock:a"]));
        server.ask(&["DEL", "lock:a"]);
    }
}

#[tokio::test]
async fn names_are_read_over_many_pages() {
    let server = RedisServer::start();
    let redis = connect(&server.url());
    let mut lists: Vec<String> = (0..2_500).map(|number| format!("queue:batch:vk:{number}")).collect();
    let words = ["MSET", "last_seen:vk:1", "1"].into_iter().map(str::to_owned);
    let words: Vec<String> =
        words.chain(lists.iter().flat_map(|key| [key.clone(), "x".to_owned()])).collect();
    assert_eq!(server.ask(&words.iter().map(String::as_str).collect::<Vec<_>>()), "OK");
    lists.sort();
    assert_eq!(redis.names(keys::BATCHES).await.unwrap().into_iter().collect::<Vec<_>>(), lists);
}

#[tokio::test]
async fn a_full_redis_serves_reads_and_refuses_writes() {
    let server = RedisServer::start();
    server.ask(&["RPUSH", "queue:incoming", "one"]);
    let redis = connect(&server.url());
    server.ask(&["CONFIG", "SET", "maxmemory", "1"]);
    assert!(matches!(redis.offer("respond", "a", "first").await, Err(QueueError::Redis(_))));
    let taken = redis.take(keys::INCOMING, &ids(1)).await.unwrap();
    assert_eq!(server.list("queue:incoming:processing").len(), 1);
    let dead = Some("dead".to_owned());
    redis.acknowledge(keys::INCOMING, &[Done { taken: &taken[0], dead }]).await.unwrap();
    assert_eq!(server.list(keys::DEAD), ["dead"]);
    server.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    redis.offer("respond", "a", "first").await.unwrap();
    assert_eq!(server.list("queue:stage:respond"), ["first"]);
}

#[tokio::test]
async fn a_restart_is_survived() {
    let mut server = RedisServer::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let redis = connect(&server.url());
    server.ask(&["RPUSH", "queue:incoming", "one"]);
    let taken = redis.take(keys::INCOMING, &ids(1)).await.unwrap();
    server.kill();
    assert!(redis.length(keys::INCOMING).await.is_err());
    server.start_again();
    assert_eq!(redis.take(keys::INCOMING, &ids(5)).await.unwrap(), taken);
}

#[tokio::test]
async fn passwords_and_numbers_of_databases_are_used() {
    let server = RedisServer::with(&["--requirepass", "made-up"]);
    let port = server.port();
    let wrong = connect(&format!("redis://:other@127.0.0.1:{port}"));
    let error = wrong.length("queue:incoming").await.unwrap_err().to_string();
    assert!(error.contains("AuthenticationFailed") && !error.contains("other@"), "{error}");
    let [zero, four] =
        [0, 4].map(|database| connect(&format!("redis://:made-up@127.0.0.1:{port}/{database}")));
    four.set("a", "1").await.unwrap();
    four.offer("respond", "a", "first").await.unwrap();
    assert_eq!(
        (
            zero.length("queue:stage:respond").await.unwrap(),
            four.length("queue:stage:respond").await.unwrap()
        ),
        (0, 1)
    );
}

#[tokio::test]
async fn tls_accepts_a_server_of_a_trusted_authority() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let folder = std::env::temp_dir().join(format!("queue-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let [certificate, key] = ["cert.pem", "key.pem"].map(|name| folder.join(name));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let port = testkit::free_port().to_string();
    let path = certificate.to_str().unwrap();
    let options = ["--tls-port", &port, "--tls-cert-file", path, "--tls-key-file", key.to_str().unwrap()];
    let _server = RedisServer::with(
        &[&options[..], &["--tls-auth-clients", "no", "--tls-ca-cert-file", path]].concat(),
    );
    let url = format!("rediss://localhost:{port}/1");
    let settings = QueueSettings {
        redis: Some(url.clone().into()),
        ca_file: Some(certificate.clone()),
        ..QueueSettings::default()
    };
    let redis = Redis::new(&settings).unwrap().unwrap();
    assert_eq!(redis.length("queue:incoming").await.unwrap(), 0);
    assert!(connect(&url).length("queue:incoming").await.is_err(), "an authority that no one named");
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn another_consumer_is_detected_and_named() {
    let server = RedisServer::start();
    let redis = connect(&server.url());
    let mut watch = redis.watch(&[keys::INCOMING]).await.unwrap();
    // What this program takes itself is no news.
    server.ask(&["RPUSH", "queue:incoming", "one", "two"]);
    redis.take(keys::INCOMING, &ids(1)[..1]).await.unwrap();
    let other = connect(&server.url());
    other.take("queue:other", &ids(3)).await.unwrap();
    let blocked = std::net::TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    std::io::Write::write_all(&mut &blocked, b"CLIENT SETNAME old-n8n\r\nBLPOP queue:incoming 0\r\n")
        .unwrap();
    let list = tokio::time::timeout(Duration::from_secs(30), watch.next()).await.unwrap();
    assert_eq!(list.as_deref(), Some("queue:incoming"));
    let poppers = redis.poppers().await.unwrap();
    assert_eq!(
        (poppers.len(), poppers[0].name.as_str(), poppers[0].command.as_str()),
        (1, "old-n8n", "blpop")
    );
}
