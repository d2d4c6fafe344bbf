//! The pages about log lines: what a filter shows and hides, what followers get, and what is said when not all can be read.

use std::time::Duration;

use axum::body::Body;
use domain::Role;
use http::{Method, StatusCode};
use http_body_util::BodyExt;

use crate::world::{Browser, Page, World};

/// The sentences of the lines that a page shows, newest first.
fn sentences(page: &Page) -> Vec<String> {
    let sentence = |row: &str| {
        let row = row.split("</li>").next().unwrap_or_default();
        let (_, behind) = row.split_once("<span class=\"msg\">").expect("a sentence");
        let plain = behind.replace("<mark>", "").replace("</mark>", "");
        plain.split(['<', '\n']).next().unwrap_or_default().trim().to_owned()
    };
    page.body.split("\" id=\"log_").skip(1).map(sentence).collect()
}

/// An attribute of the list of lines.
fn attribute(page: &Page, name: &str) -> String {
    let (_, list) = page.body.split_once("id=\"lines\"").expect("a list");
    let rest = list.split(&format!("{name}=\"")).nth(1).expect("the attribute");
    rest.split('"').next().expect("its value").to_owned()
}

/// The stream of a page.
async fn follow(browser: &Browser<'_>, path: &str, headers: &[(&str, &str)]) -> Body {
    let answer = browser.send(Method::GET, path, headers, String::new()).await;
    let unbuffered = answer.headers().get("x-accel-buffering").is_some_and(|word| word == "no");
    assert!(answer.status() == StatusCode::OK && unbuffered, "{path}: {answer:?}");
    answer.into_body()
}

/// The next event with lines: how many were left out before it, and their sentences.
async fn next(body: &mut Body) -> (String, Vec<String>) {
    loop {
        let frame = tokio::time::timeout(Duration::from_secs(30), body.frame()).await.expect("in time");
        let data = frame.expect("the stream goes on").expect("a piece").into_data().expect("bytes");
        let event = String::from_utf8(data.to_vec()).expect("text");
        if let Some((_, data)) = event.split_once("data: ").filter(|_| event.starts_with("event: lines")) {
            let (missed, rows) = data.split_once(' ').expect("a number before the rows");
            let page =
                Page { status: StatusCode::OK, headers: http::HeaderMap::new(), body: rows.to_owned() };
            return (missed.to_owned(), sentences(&page));
        }
    }
}

#[tokio::test]
async fn each_filter_shows_what_it_means_and_hides_the_rest() {
    let world = World::new().await;
    let began = world.clock.now();
    world.logs(|| tracing::info!(service = "send_text", account = "main", "an old sentence"));
    let viewer = world.person(Role::Viewer).await;
    assert_eq!(sentences(&viewer.get("/logs").await), ["an old sentence"]);
    world.clock.advance(Duration::from_mins(90));
    world.logs(|| {
        tracing::info!(service = "send_text", account = "main", subject = "msg_1", "a text went out");
        tracing::warn!(
            service = "send_text",
            account = "backup_1",
            subject = "msg_2",
            outcome = "flood_wait",
            "it waits"
        );
        tracing::error!(service = "create_chat", account = "main", code = "PEER_FLOOD", "no chat was made");
        tracing::error!(service = "web", "ПОРТ занят");
    });
    let all = ["an old sentence", "a text went out", "it waits", "no chat was made", "ПОРТ занят"];
    let minute = |at: domain::Timestamp| at.to_string().chars().take(16).collect::<String>();
    let old = minute(began);
    let from = minute(world.clock.now().minus(Duration::from_mins(10)));
    for (path, shown) in [
        ("/logs".to_owned(), &[0, 1, 2, 3, 4][..]),
        ("/logs?service=send_text".to_owned(), &[0, 1, 2]),
        ("/logs?service=web".to_owned(), &[4]),
        ("/logs?service=leave_chat".to_owned(), &[]),
        ("/logs?account=main".to_owned(), &[0, 1, 3]),
        ("/logs?account=backup_1".to_owned(), &[2]),
        ("/logs?account=mai".to_owned(), &[]),
        ("/logs?level=warn".to_owned(), &[2, 3, 4]),
        ("/logs?level=error".to_owned(), &[3, 4]),
        ("/logs?error=flood_wait".to_owned(), &[2]),
        ("/logs?error=peer_flood".to_owned(), &[3]),
        ("/logs?error=banned".to_owned(), &[]),
        ("/logs?q=WENT".to_owned(), &[1]),
        ("/logs?q=%D0%BF%D0%BE%D1%80%D1%82".to_owned(), &[4]),
        ("/logs?q=account%3Dbackup_1".to_owned(), &[2]),
        ("/logs?q=a%20text%20went%20in".to_owned(), &[]),
        ("/logs?subject=msg_1".to_owned(), &[1]),
        ("/logs?range=15m".to_owned(), &[1, 2, 3, 4]),
        ("/logs?range=1d".to_owned(), &[0, 1, 2, 3, 4]),
        (format!("/logs?from={from}"), &[1, 2, 3, 4]),
        (format!("/logs?from={old}&to={old}"), &[0]),
        (format!("/logs?to={old}"), &[0]),
        ("/logs?service=send_text&account=main&range=15m&q=text".to_owned(), &[1]),
        ("/logs?service=send_text&level=error".to_owned(), &[]),
    ] {
        let page = viewer.get(&path).await;
        let mut expected: Vec<&str> = shown.iter().map(|&place| all[place]).collect();
        expected.reverse();
        assert_eq!(sentences(&page), expected, "{path}");
        // The count, the file and the stream mean the same lines.
        let errors = shown.iter().filter(|&&place| place >= 3).count();
        let words =
            |number: usize, one: &str| format!("{number} {one}{}", if number == 1 { "" } else { "s" });
        let lede = format!("{}, {} among them.", words(shown.len(), "line"), words(errors, "error"));
        assert!(page.body.contains(&lede), "{lede} in {path}: {}", page.body);
        let file = viewer.get(&path.replacen("/logs", "/logs/download", 1)).await;
        for (place, sentence) in all.iter().enumerate() {
            assert_eq!(
                file.body.contains(sentence),
                shown.contains(&place),
                "{sentence} in {path}: {}",
                file.body
            );
        }
    }
}

#[tokio::test]
async fn a_reconnect_gets_the_missed_lines_or_a_gap_notice() {
    let world = World::new().await;
    let viewer = world.person(Role::Viewer).await;
    world.logs(|| tracing::warn!("known"));
    let page = viewer.get("/logs?level=warn").await;
    assert_eq!(sentences(&page), ["known"]);
    let known = attribute(&page, "data-newest");
    let number = |from: usize, to: usize| {
        world.logs(|| (from..to).for_each(|number| tracing::warn!("line {number}.")));
    };
    let wanted =
        |from: usize, to: usize| (from..to).map(|number| format!("line {number}.")).collect::<Vec<_>>();
    number(0, 250);
    assert_eq!(sentences(&viewer.get("/logs?level=warn").await).len(), 200);
    for headers in [&[][..], &[("last-event-id", known.as_str())]] {
        // The header is of the browser, which knows better than the address.
        let newest = if headers.is_empty() { known.as_str() } else { "log_0000000000000" };
        let mut body = follow(&viewer, &format!("/live/logs?level=warn&newest={newest}"), headers).await;
        let mut received = Vec::new();
        while received.len() < 250 {
            let (missed, sentences) = next(&mut body).await;
            assert!(missed == "0" && sentences.len() <= 200, "{missed} {sentences:?}");
            received.extend(sentences);
        }
        assert_eq!(received, wanted(0, 250));
    }
    // More than a page shows: what is left out is not passed over in silence, and then it goes on.
    number(250, 1_300);
    assert_eq!(sentences(&viewer.get("/logs?level=warn").await).len(), 200);
    let mut body = follow(&viewer, &format!("/live/logs?level=warn&newest={known}"), &[]).await;
    let mut received = Vec::new();
    loop {
        let (missed, sentences) = next(&mut body).await;
        received.extend(sentences);
        if missed != "0" {
            assert_eq!(missed, "+");
            break;
        }
    }
    assert_eq!(received[..1_000], wanted(0, 1_000));
    world.logs(|| tracing::warn!("later"));
    while received.last().is_none_or(|last| last != "later") {
        received.extend(next(&mut body).await.1);
    }
    assert!(received.len() <= 1_002, "{received:?}");
}

#[tokio::test]
async fn lines_after_an_empty_page_are_sent() {
    let world = World::new().await;
    let viewer = world.person(Role::Viewer).await;
    let page = viewer.get("/logs?level=error").await;
    assert_eq!(sentences(&page), Vec::<String>::new());
    world.logs(|| tracing::error!("between the page and its stream"));
    assert_eq!(sentences(&viewer.get("/logs?level=error").await).len(), 1);
    let live = attribute(&page, "data-live").replace("&#38;", "&").replace("&amp;", "&");
    let mut body = follow(&viewer, &format!("{live}&newest={}", attribute(&page, "data-newest")), &[]).await;
    assert_eq!(next(&mut body).await, ("0".to_owned(), vec!["between the page and its stream".to_owned()]));
}

#[tokio::test]
async fn bars_that_are_too_short_are_called_so() {
    let world = World::new().await;
    let viewer = world.person(Role::Viewer).await;
    let mut number = 0_u64;
    let segments = || {
        let files = std::fs::read_dir(world.folder("logs")).expect("a folder").flatten();
        files.map(|file| file.path()).filter(|path| path.extension().is_some_and(|end| end == "segment"))
    };
    while segments().next().is_none() {
        world.logs(|| {
            for _ in 0..2_000 {
                number += 1;
                tracing::info!(
                    number,
                    noise = number.wrapping_mul(0x9e37_79b9_7f4a_7c15),
                    "a line of a common length"
                );
            }
        });
        assert!(!sentences(&viewer.get("/logs").await).is_empty());
    }
    let whole = viewer.get("/logs").await;
    assert!(!whole.body.contains("At least") && !whole.body.contains("Not counted"), "{}", whole.body);
    for path in segments() {
        let mut bytes = std::fs::read(&path).expect("reads");
        // What a block says of itself stays as it is, what it has does not.
        bytes[1_024..].iter_mut().for_each(|byte| *byte = !*byte);
        std::fs::write(&path, bytes).expect("writes");
    }
    let english = viewer.get("/logs").await.body;
    assert!(
        english.contains("At least") && english.contains("Not counted: 1 block of damaged lines."),
        "{english}"
    );
    let russian = viewer.get_with("/logs", &[("accept-language", "ru")]).await.body;
    assert!(
        russian.contains("Не меньше") && russian.contains("Не посчитано: 1 блок повреждённых строк."),
        "{russian}"
    );
}

#[tokio::test]
async fn a_hostile_log_line_is_harmless_and_has_a_page() {
    let world = World::new().await;
    let long = "x".repeat(1_000_000);
    world.logs(|| {
        tracing::error!(
            code = "FLOOD_WAIT_30",
            account = "main",
            "<script>alert(1)</script>\u{1b}[31m\nsecond"
        );
        tracing::info!(account = "backup_1", "{long}");
    });
    let viewer = world.person(Role::Viewer).await;
    let mut page = viewer.get("/logs").await;
    let begun = std::time::Instant::now();
    while !(page.body.contains("second") && page.body.contains("xxxx"))
        && begun.elapsed() < Duration::from_mins(1)
    {
        tokio::time::sleep(Duration::from_millis(20)).await;
        page = viewer.get("/logs").await;
    }
    assert!(page.body.contains("alert(1)") && !page.body.contains("<script>alert"), "{}", page.body);
    assert!(!page.body.contains('\u{1b}') && page.body.contains("\\u{1b}[31m\\nsecond"), "{}", page.body);
    assert!(page.body.len() < 200_000, "a long line is cut: {}", page.body.len());
    assert!(page.body.contains("<rect") && page.body.contains("class=\"e\""), "bars");
    let errors = viewer.get("/logs?level=error&q=ALERT&error=flood_wait").await;
    assert!(errors.body.contains("<mark>alert</mark>(1)"), "{}", errors.body);
    assert!(!errors.body.contains("xxxx"), "{}", errors.body);
    let id = errors.body.split("href=\"/logs/log_").nth(1).and_then(|rest| rest.split('"').next());
    let line = viewer.get(&format!("/logs/log_{}", id.expect("a link"))).await;
    assert_eq!(line.status, StatusCode::OK);
    for part in ["FloodWait", "FLOOD_WAIT_30", "What to do"] {
        assert!(line.body.contains(part), "{part} in {}", line.body);
    }
    let file = viewer.get("/logs/download?level=error").await;
    assert!(file.header("content-disposition").contains("attachment"), "{file:?}");
    assert!(file.body.contains("alert(1)") && !file.body.contains('\u{1b}'), "{}", file.body);
    assert_eq!(viewer.get("/logs/log_0000000000000").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_log_follower_gets_new_lines() {
    let world = World::new().await;
    let viewer = world.person(Role::Viewer).await;
    let answer = viewer.send(Method::GET, "/live/logs?level=warn", &[], String::new()).await;
    assert_eq!(answer.headers()["content-type"], "text/event-stream; charset=utf-8");
    let mut body = answer.into_body();
    let mut seen = String::new();
    world.logs(|| {
        tracing::info!("not this one");
        tracing::warn!("<i>this one</i>");
    });
    while !seen.contains("this one") {
        let frame = tokio::time::timeout(Duration::from_secs(20), body.frame()).await.expect("in time");
        let frame = frame.expect("the stream goes on").expect("a piece");
        seen.push_str(&String::from_utf8_lossy(&frame.into_data().expect("bytes")));
    }
    assert!(
        seen.contains("event: lines") && !seen.contains("not this one") && !seen.contains("<i>"),
        "{seen}"
    );
    assert!(world.stranger().get("/live/logs").await.header("location").starts_with("/sign-in"));
}
