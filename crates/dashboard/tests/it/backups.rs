//! The page of backups: what each role sees there and may do, in both languages; one is made, tried and taken away.

use std::time::{Duration, Instant};

use domain::Role;
use http::{Method, StatusCode};
use http_body_util::BodyExt;

use crate::world::{Browser, Page, World, note};

const HERE: &str = "/settings/backups";
const NOWHERE: &str = "switchboard-20300131T120000.250Z.tar.gz";

async fn press(browser: &Browser<'_>, path: &str) -> Page {
    browser.post(path, &[("csrf", browser.csrf.as_str())]).await
}

/// The page once nothing is made or tried any more.
async fn settled(browser: &Browser<'_>) -> String {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let page = browser.get(HERE).await;
        assert_eq!(page.status, StatusCode::OK, "{page:?}");
        if !page.body.contains("data-refresh") {
            return page.body;
        }
        assert!(Instant::now() < deadline, "{}", page.body);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The only backup there is.
fn only(world: &World) -> String {
    let entries = std::fs::read_dir(world.folder("backups")).expect("a folder");
    let names = entries.map(|entry| entry.expect("a file").file_name().into_string().expect("UTF-8"));
    let backups: Vec<_> = names.filter(|name| name.ends_with(".tar.gz")).collect();
    let [name] = backups.as_slice() else { panic!("{backups:?}") };
    name.clone()
}

/// The path of what is done with one.
fn path(name: &str, what: &str) -> String {
    let name = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
    format!("{HERE}/{name}/{what}")
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_made_tried_and_downloaded() {
    let world = World::new().await;
    let admin = world.person(Role::Admin).await;
    let none = admin.get(HERE).await.body;
    for part in ["There is no backup yet.", "Make one now", "switchboard restore", "/backups</dd>"] {
        assert!(none.contains(part), "{part} in {none}");
    }
    let create = format!("{HERE}/actions/create");
    let foreign = admin.post(&create, &[("csrf", "made-up")]).await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    let made = press(&admin, &create).await;
    assert_eq!((made.header("location"), note(&made).as_str()), (HERE, "A backup is being made."));
    let page = settled(&admin).await;
    let name = only(&world);
    for part in ["The newest backup can be restored.", &name, "data-state=\"proven\""] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let tried = press(&admin, &path(&name, "actions/check")).await;
    assert_eq!((tried.header("location"), note(&tried).as_str()), (HERE, "It is being tested."));
    assert!(settled(&admin).await.contains("Practise now"));
    let drilled = press(&admin, &format!("{HERE}/actions/drill")).await;
    assert_eq!(
        (drilled.header("location"), note(&drilled).as_str()),
        (HERE, "A restore is being practised.")
    );
    assert!(!settled(&admin).await.contains("drill-failed"));

    let file = std::fs::read(world.folder("backups").join(&name)).expect("a file");
    let content = path(&name, "content");
    let answer = admin.send(Method::GET, &content, &[], String::new()).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let headers = answer.headers();
    assert_eq!(headers["content-type"], "application/gzip");
    assert_eq!(headers["content-disposition"], format!("attachment; filename=\"{name}\""));
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["content-length"], file.len().to_string());
    let bytes = answer.into_body().collect().await.expect("a body").to_bytes();
    assert!(bytes == file, "{} bytes came, {} lie there", bytes.len(), file.len());
    let part = admin.send(Method::GET, &content, &[("range", "bytes=10-19")], String::new()).await;
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    let bytes = part.into_body().collect().await.expect("a body").to_bytes();
    assert_eq!(bytes, file[10..20]);

    for nowhere in [NOWHERE, "history.json", "../master.key"] {
        let gone = admin.get(&path(nowhere, "content")).await;
        assert_eq!(gone.status, StatusCode::NOT_FOUND, "{gone:?}");
        assert_eq!(gone.header("content-type"), "text/html; charset=utf-8", "a page for a person");
        let refused = press(&admin, &path(nowhere, "actions/check")).await;
        assert!(note(&refused).contains("no backup of this name"), "{}", note(&refused));
    }
    let log = admin.get("/settings/audit?who=admin").await.body;
    for action in ["create_backup", "check_backup", "drill_backup", "download_backup", &name] {
        assert!(log.contains(action), "{action} in {log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_backup_waits_for_the_running_one() {
    let world = World::new().await;
    let admin = world.person(Role::Admin).await;
    // Much to put into it takes a while.
    let noise = |seed: u32| {
        let mut state = seed;
        std::iter::repeat_with(move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        })
    };
    for number in 0..40 {
        let bytes: Vec<u8> = noise(number).take(400_000).collect();
        std::fs::write(world.folder("outgoing").join(format!("busy{number}")), bytes).expect("written");
    }
    let create = format!("{HERE}/actions/create");
    press(&admin, &create).await;
    let moving = admin.get(HERE).await.body;
    for part in [
        "A backup is being made.",
        "data-refresh=\"1\"",
        "<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>",
        "data-state=\"making\"",
    ] {
        assert!(moving.contains(part), "{part} in {moving}");
    }
    let busy = press(&admin, &create).await;
    assert_eq!(busy.header("location"), HERE);
    assert!(note(&busy).contains("already. Wait until"), "{}", note(&busy));
    let russian = world.person(Role::Operator).await.with("language=ru").get(HERE).await.body;
    assert!(russian.contains("Копия делается."), "{russian}");
    settled(&admin).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_are_read_only_without_admin_rights() {
    let world = World::new().await;
    let admin = world.person(Role::Admin).await;
    press(&admin, &format!("{HERE}/actions/create")).await;
    settled(&admin).await;
    let name = only(&world);
    for role in [Role::Viewer, Role::Operator] {
        let browser = world.person(role).await;
        let page = browser.get(HERE).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(
            page.body.contains(&name) && page.body.contains("href=\"/settings/backups\""),
            "{}",
            page.body
        );
        for part in ["/actions/c", "/content\""] {
            assert!(!page.body.contains(part), "{role:?} {part} in {}", page.body);
        }
        for action in [format!("{HERE}/actions/create"), path(&name, "actions/check")] {
            let refused = press(&browser, &action).await;
            assert!(note(&refused).contains("takes the role admin"), "{}", note(&refused));
        }
        assert_eq!(browser.get(&path(&name, "content")).await.status, StatusCode::FORBIDDEN);
    }
    let page = admin.with("language=ru").get(HERE).await.body;
    for part in ["Последнюю копию можно восстановить.", "Сделать сейчас", "Проверить", "Скачать"]
    {
        assert!(page.contains(part), "{part} in {page}");
    }
    let stranger = world.stranger();
    for here in [HERE.to_owned(), path(&name, "content")] {
        let page = stranger.get(&here).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER);
        assert!(page.header("location").starts_with("/sign-in"), "{page:?}");
    }
}
