//! Fetching: the guard on every way to a server, and servers that are slow, endless, odd or dishonest.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use media::fetch::RedirectError;
use media::intake::Wait;
use media::{Content, FetchError, Fetched, Limits, TakeError, Timeouts};
use outbound::Names;
use outbound::guard::{AddressError, Range};
use sha2::{Digest, Sha256};

use crate::it::server::{Act, Server, answer, fine, sent_on};
use crate::it::world::{AGES, LIMITS, NO_TIMEOUT, Scripted, World, allowed};

/// Fetches from 127.0.0.1, which is allowed, with names that all mean it.
async fn fetched(world: &World, url: &str) -> Result<Fetched, FetchError> {
    world.local(Scripted::new(&[&["127.0.0.1"]])).await.fetch(url, None).await
}

fn range<T: std::fmt::Debug>(result: Result<T, FetchError>) -> Range {
    match result {
        Err(FetchError::Refused(refused) | FetchError::Address(AddressError::Refused(refused))) => {
            refused.range
        }
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_file_arrives_with_its_name_and_facts() {
    let world = World::new();
    let body = [&b"%PDF-1.7\n"[..], &vec![7; 200_000]].concat();
    let headers = "content-length: 200009\r\ncontent-disposition: attachment; filename*=UTF-8''%D1%81%D1%87%D1%91%D1%82.pdf\r\n";
    let server = Server::saying(answer("200 OK", headers, &body)).await;
    let Fetched { taken, name } = fetched(&world, &server.url("/a/b.bin?c#d")).await.unwrap();
    assert_eq!((taken.size, taken.facts.content, name.as_str()), (200_009, Content::Pdf, "счёт.pdf"));
    assert_eq!(taken.sha256, <[u8; 32]>::from(Sha256::digest(&body)));
    assert_eq!(std::fs::read(&taken.path).unwrap(), body);
    assert_eq!(world.left(), [taken.path.file_name().unwrap().to_str().unwrap()]);
    let request = server.requests().concat().to_lowercase();
    assert!(request.starts_with("get /a/b.bin?c http/1.1"), "{request}");
    assert!(request.contains("accept-encoding: identity\r\n") && !request.contains("gzip"), "{request}");
    assert!(!request.contains("referer") && !request.contains("cookie"), "{request}");
}

#[tokio::test]
async fn a_name_comes_from_the_caller_or_the_address() {
    let world = World::new();
    let server = Server::saying(fine(b"GIF89a\x01\0\x01\0")).await;
    let fetcher = world.local(Scripted::new(&[&["127.0.0.1"]])).await;
    let named = async |path: &str, requested| {
        fetcher.fetch(&server.url(path), requested).await.unwrap().name.to_string()
    };
    assert_eq!(named("/x/cat.gif?y", None).await, "cat.gif");
    assert_eq!(named("/x/cat.gif", Some("../dog")).await, "dog.gif");
    assert_eq!(named("/", None).await, "animation.gif");
}

#[tokio::test]
async fn unlisted_addresses_are_never_dialled() {
    let world = World::new();
    let server = Server::saying(fine(b"secret")).await;
    let port = server.at.port();
    let names = Scripted::new(&[&["127.0.0.1"], &["::1", "127.0.0.1"], &["169.254.169.254"]]);
    let fetcher = world.fetcher(Names::new(names, allowed(&[])), LIMITS, NO_TIMEOUT).await;
    for host in ["127.0.0.1", "0x7f.1", "2130706433", "127.0.0.1.", "[::ffff:127.0.0.1]", "[::1]", "0"] {
        range(fetcher.fetch(&format!("http://{host}:{port}/"), None).await);
    }
    let by_name = async || range(fetcher.fetch(&format!("http://example.com:{port}/"), None).await);
    assert_eq!(by_name().await, Range::Loopback);
    assert_eq!(by_name().await, Range::Loopback);
    assert_eq!(by_name().await, Range::Metadata);
    let system = world.fetcher(Names::of_system(allowed(&[])), LIMITS, NO_TIMEOUT).await;
    assert_eq!(range(system.fetch(&format!("http://localhost:{port}/"), None).await), Range::Loopback);
    assert!(server.requests().is_empty() && world.left().is_empty());
    // The same server, once it is listed.
    let listed = world.fetcher(Names::of_system(allowed(&["127.0.0.0/8"])), LIMITS, NO_TIMEOUT).await;
    assert!(listed.fetch(&format!("http://localhost:{port}/"), None).await.is_ok());
}

#[tokio::test]
async fn of_several_addresses_only_the_allowed_are_dialled() {
    let world = World::new();
    let server = Server::saying(fine(b"x")).await;
    let fetcher = world.local(Scripted::new(&[&["127.0.0.2", "10.0.0.1", "127.0.0.1"]])).await;
    let port = server.at.port();
    assert!(fetcher.fetch(&format!("http://example.com:{port}/"), None).await.is_ok());
}

#[tokio::test]
async fn redirects_are_judged_again() {
    let world = World::new();
    let inner = Server::saying(fine(b"secret")).await;
    let port = inner.at.port();
    let script = move |path: &str| {
        vec![Act::Send(sent_on(&match path {
            "/number" => format!("http://127.0.0.2:{port}/"),
            "/odd" => format!("http://2130706434:{port}/"),
            "/mapped" => format!("http://[::ffff:127.0.0.1]:{port}/"),
            "/name" => format!("http://inner.example.com:{port}/"),
            "/file" => "file:///etc/passwd".to_owned(),
            "/credentials" => format!("http://me:you@127.0.0.1:{port}/"),
            "/port" => "http://127.0.0.1:22/".to_owned(),
            _ => "http://[".to_owned(),
        }))]
    };
    let outer = Server::of(script).await;
    let fetcher = world.local(Scripted::new(&[&["127.0.0.2"]])).await;
    let sent_to = async |path: &str| fetcher.fetch(&outer.url(path), None).await;
    assert_eq!(range(sent_to("/number").await), Range::Loopback);
    assert_eq!(range(sent_to("/odd").await), Range::Loopback);
    assert_eq!(range(sent_to("/mapped").await), Range::Mapped);
    assert_eq!(range(sent_to("/name").await), Range::Loopback);
    for (path, rule) in [
        ("/file", AddressError::Scheme("file".to_owned())),
        ("/credentials", AddressError::Credentials),
        ("/port", AddressError::Port(22)),
    ] {
        assert!(matches!(sent_to(path).await, Err(FetchError::Address(broken)) if broken == rule), "{path}");
    }
    assert!(matches!(sent_to("/").await, Err(FetchError::Redirect(RedirectError::Nowhere))));
    assert!(inner.requests().is_empty() && world.left().is_empty());
}

#[tokio::test]
async fn rebound_name_is_judged_again() {
    let world = World::new();
    let server = Server::of(|path| {
        vec![Act::Send(if path == "/first" { sent_on("/second") } else { fine(b"secret") })]
    })
    .await;
    let names = Scripted::new(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let fetcher = world.local(Arc::clone(&names)).await;
    let url = format!("http://example.com:{}/first", server.at.port());
    assert_eq!(range(fetcher.fetch(&url, None).await), Range::Loopback);
    assert_eq!(names.requested(), ["example.com", "example.com"]);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn no_connection_is_reused_by_the_next_call() {
    let world = World::new();
    let server = Server::saying(fine(b"x")).await;
    let names = Scripted::new(&[&["127.0.0.1"], &["10.0.0.1"]]);
    let fetcher = world.local(Arc::clone(&names)).await;
    let url = format!("http://example.com:{}/", server.at.port());
    assert!(fetcher.fetch(&url, None).await.is_ok());
    assert_eq!(range(fetcher.fetch(&url, None).await), Range::Private);
}

#[tokio::test]
async fn five_redirects_are_followed_and_no_more() {
    let world = World::new();
    let server = Server::of(|path| {
        let left: usize = path[1..].parse().unwrap();
        vec![Act::Send(if left == 0 { fine(b"x") } else { sent_on(&format!("/{}", left - 1)) })]
    })
    .await;
    assert!(fetched(&world, &server.url("/5")).await.is_ok());
    let error = fetched(&world, &server.url("/6")).await.unwrap_err();
    assert!(matches!(error, FetchError::Redirect(RedirectError::TooMany)), "{error:?}");
}

#[tokio::test]
async fn other_answers_are_named() {
    let world = World::new();
    for status in [201, 204, 206, 304, 403, 404, 410, 429, 500, 503] {
        let server = Server::saying(answer(&format!("{status} X"), "content-length: 0\r\n", b"")).await;
        let error = fetched(&world, &server.url("/")).await.unwrap_err();
        assert!(matches!(&error, FetchError::Status(code) if code.as_u16() == status), "{error:?}");
        assert!(error.to_string().contains(&status.to_string()), "{error}");
    }
    let server = Server::saying(answer("200 OK", "content-encoding: br\r\n", b"\x1f\x8b")).await;
    let error = fetched(&world, &server.url("/")).await.unwrap_err();
    assert!(matches!(&error, FetchError::Encoded(encoding) if encoding == "br"), "{error:?}");
    assert!(world.left().is_empty());
}

#[tokio::test]
async fn a_file_that_comes_packed_is_unpacked() {
    let world = World::new();
    let body = [&b"%PDF-1.7\n"[..], &vec![7; 200_000]].concat();
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(&body).unwrap();
    let archive = writer.finish().unwrap();
    let length = format!("content-length: {}\r\n", archive.len());
    for encoding in ["gzip", "X-GZIP"] {
        let server =
            Server::saying(answer("200 OK", &format!("{length}content-encoding: {encoding}\r\n"), &archive))
                .await;
        let Fetched { taken, .. } = fetched(&world, &server.url("/a.pdf")).await.unwrap();
        assert_eq!((taken.size, taken.facts.content), (200_009, Content::Pdf));
        assert_eq!(std::fs::read(&taken.path).unwrap(), body);
    }
    // An archive is taken as it is, and what breaks off is no file.
    let server =
        Server::saying(answer("200 OK", &format!("{length}content-encoding: gzip\r\n"), &archive)).await;
    let Fetched { taken, .. } = fetched(&world, &server.url("/a.tar.gz")).await.unwrap();
    assert_eq!(taken.facts.content, Content::Gzip);
    let left = world.left().len();
    for broken in [&archive[..archive.len() - 9], b"no gzip at all"] {
        let server =
            Server::saying(answer("200 OK", "connection: close\r\ncontent-encoding: gzip\r\n", broken)).await;
        let error = fetched(&world, &server.url("/")).await.unwrap_err();
        assert!(matches!(error, FetchError::Take(TakeError::Broken(_))), "{error:?}");
    }
    // However small it was packed, the limit is that of the file.
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(&vec![0; 4 * 1024 * 1024]).unwrap();
    let server = Server::saying(answer(
        "200 OK",
        "connection: close\r\ncontent-encoding: gzip\r\n",
        &packer.finish().unwrap(),
    ))
    .await;
    let error = fetched(&world, &server.url("/")).await.unwrap_err();
    assert!(matches!(error, FetchError::Take(TakeError::TooLarge { .. })), "{error:?}");
    assert_eq!(world.left().len(), left);
}

#[tokio::test]
async fn lies_about_the_length_are_noticed() {
    let world = World::new();
    let result_of = async |headers: &str, body: &[u8]| {
        let server = Server::saying(answer("200 OK", headers, body)).await;
        fetched(&world, &server.url("/")).await
    };
    let more = result_of("content-length: 10\r\n", b"seven..").await.unwrap_err();
    assert!(
        matches!(more, FetchError::Take(TakeError::OtherLength { declared: 10, received: 7 })),
        "{more:?}"
    );
    let two = result_of("content-length: 3\r\ncontent-length: 4\r\n", b"abcd").await.unwrap_err();
    assert!(matches!(two, FetchError::Unreachable(_)), "{two:?}");
    let none = result_of("content-length: many\r\n", b"abcd").await.unwrap_err();
    assert!(matches!(none, FetchError::Unreachable(_)), "{none:?}");
    let cut = result_of("transfer-encoding: chunked\r\n", b"3\r\nabc\r\n9\r\nab").await.unwrap_err();
    assert!(matches!(cut, FetchError::Take(TakeError::Broken(_))), "{cut:?}");
    for empty in ["content-length: 0\r\n", "connection: close\r\n"] {
        let error = result_of(empty, b"").await.unwrap_err();
        assert!(matches!(error, FetchError::Take(TakeError::Empty)), "{error:?}");
    }
    assert!(world.left().is_empty());
    // By HTTP, what follows the declared length is no part of the file.
    let less = result_of("content-length: 3\r\n", b"abcdef").await.unwrap();
    assert_eq!(std::fs::read(less.taken.path).unwrap(), b"abc");
}

#[tokio::test]
async fn files_that_are_too_large_end_whether_they_say_so_or_not() {
    let world = World::new();
    let most = LIMITS.most;
    // It says so, and no byte is waited for.
    let head = answer("200 OK", &format!("content-length: {}\r\n", most + 1), b"");
    let honest = Server::of(move |_| vec![Act::Send(head.clone()), Act::Hold]).await;
    // It does not say, and does not end.
    let head = answer("200 OK", "connection: close\r\n", b"");
    let endless = Server::of(move |_| vec![Act::Send(head.clone()), Act::Endless(vec![7; 9_999])]).await;
    let chunked = answer("200 OK", "transfer-encoding: chunked\r\n", b"");
    let pieces =
        Server::of(move |_| vec![Act::Send(chunked.clone()), Act::Endless(b"3\r\nabc\r\n".to_vec())]).await;
    for server in [honest, endless, pieces] {
        let error = fetched(&world, &server.url("/")).await.unwrap_err();
        assert!(
            matches!(error, FetchError::Take(TakeError::TooLarge { most: limit }) if limit == most),
            "{error:?}"
        );
    }
    assert!(world.left().is_empty());
    let whole = Server::saying(fine(&vec![7; usize::try_from(most).unwrap()])).await;
    assert_eq!(fetched(&world, &whole.url("/")).await.unwrap().taken.size, most);
}

/// What was waited for too long, with a clock that is moved all the time.
async fn waited_for(acts: Vec<Act>, names: Arc<Scripted>, limits: Limits, timeouts: Timeouts) -> Wait {
    let world = World::new();
    let server = Server::of(move |_| acts.clone()).await;
    let fetcher = world.fetcher(Names::new(names, allowed(&["127.0.0.1/32"])), limits, timeouts).await;
    let url = format!("http://example.com:{}/", server.at.port());
    let error = world.hurry(fetcher.fetch(&url, None)).await.unwrap_err();
    assert_eq!(world.left(), [""; 0]);
    match error {
        FetchError::Take(TakeError::TooSlow { wait, limit }) => {
            assert_eq!(limit, Duration::from_mins(1));
            wait
        }
        other => panic!("not slow: {other:?}"),
    }
}

#[tokio::test]
async fn every_wait_has_its_limit() {
    let minute = Duration::from_mins(1);
    let here = || Scripted::new(&[&["127.0.0.1"]]);
    let head = || Act::Send(answer("200 OK", "content-length: 10\r\n", b"abc"));
    let drip = vec![Act::Send(answer("200 OK", "", b"")), Act::Endless(b".".to_vec())];
    let endless = Limits { most: u64::MAX, ..LIMITS };

    let timeouts = Timeouts { connection: minute, ..NO_TIMEOUT };
    assert_eq!(waited_for(vec![], Arc::default(), LIMITS, timeouts).await, Wait::Connection);
    let timeouts = Timeouts { answer: minute, ..NO_TIMEOUT };
    assert_eq!(waited_for(vec![Act::Hold], here(), LIMITS, timeouts).await, Wait::Answer);
    let limits = Limits { idle: minute, ..LIMITS };
    assert_eq!(waited_for(vec![head(), Act::Hold], here(), limits, NO_TIMEOUT).await, Wait::NextBytes);
    let limits = Limits { total: minute, ..LIMITS };
    assert_eq!(waited_for(vec![head(), Act::Hold], here(), limits, NO_TIMEOUT).await, Wait::WholeFile);
    let limits = Limits { total: minute, idle: AGES, ..endless };
    assert_eq!(waited_for(drip, here(), limits, NO_TIMEOUT).await, Wait::WholeFile);
}

#[tokio::test]
async fn unreachable_hosts_are_distinguished() {
    let world = World::new();
    let nowhere = world.local(Scripted::new(&[&[]])).await;
    let error = nowhere.fetch("http://example.com/", None).await.unwrap_err();
    assert!(matches!(error, FetchError::UnknownHost), "{error:?}");
    let closed = Server::saying(fine(b"x")).await.url("/?token=secret");
    tokio::task::yield_now().await;
    let error = fetched(&world, &closed).await.unwrap_err();
    assert!(matches!(error, FetchError::Unreachable(_)), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_nothing() {
    let world = World::new();
    let head = answer("200 OK", "content-length: 100000\r\n", &vec![7; 50_000]);
    let server = Server::of(move |_| vec![Act::Send(head.clone()), Act::Hold]).await;
    let fetcher = world.local(Scripted::new(&[&["127.0.0.1"]])).await;
    let url = server.url("/");
    let fetching = fetcher.fetch(&url, None);
    let begun = async {
        while world.left().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        result = fetching => panic!("it cannot end: {result:?}"),
        () = begun => {}
    }
    assert_eq!(world.left(), [""; 0]);
}
