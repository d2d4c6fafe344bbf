//! `/v1/backups`: made, tried, listed, and downloaded by callers that may do everything; and who is written down for it.

use access::{Role, UserName};
use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use web::{Actor, InProcessApi};

use crate::client::{Call, Reply};
use crate::world::World;

const NOWHERE: &str = "switchboard-20300131T120000.250Z.tar.gz";

/// Makes one and waits until it was tried; its name.
async fn made(world: &World) -> String {
    let made = world.call("POST", "/v1/backups").send().await;
    assert_eq!((made.status, &made.json()["state"]), (202, &json!("making")), "{made:?}");
    let name = made.json()["name"].as_str().expect("a name").to_owned();
    world.until_shown(&format!("/v1/backups/{name}"), |backup| backup["state"] == "proven").await;
    name
}

/// Waits until nothing is made or tried.
async fn rest(world: &World) -> Value {
    world
        .until_shown("/v1/backups", |list| {
            let states = list["items"].as_array().expect("items").iter();
            states.map(|backup| &backup["state"]).all(|state| state != "making" && state != "proving")
        })
        .await
}

async fn download(world: &World, name: &str) -> Reply {
    world.call("GET", &format!("/v1/backups/{name}/content")).send().await
}

async fn audited(world: &World, action: &str) -> Vec<Value> {
    let list = world.call("GET", &format!("/v1/audit?action={action}")).send().await.json();
    list["items"].as_array().expect("items").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_made_tested_and_listed() {
    let world = World::new().await;
    let none = world.call("GET", "/v1/backups").send().await.json();
    assert_eq!((&none["items"], &none["keep"]), (&json!([]), &json!(7)), "{none}");
    assert!(none["folder"].as_str().is_some_and(|folder| folder.ends_with("/backups")), "{none}");
    assert!(none["next_at"].is_string() && none["every_seconds"] == 86_400, "{none}");

    let name = made(&world).await;
    let listed = rest(&world).await["items"].clone();
    assert_eq!((listed.as_array().map(Vec::len), &listed[0]["name"]), (Some(1), &json!(name)), "{listed}");
    let bytes = std::fs::metadata(world.dir().join("backups").join(&name)).expect("a file").len();
    assert_eq!(listed[0]["bytes"], bytes, "{listed}");

    let check = format!("/v1/backups/{name}/check");
    let tried = world.call("POST", &check).send().await;
    assert_eq!((tried.status, &tried.json()["state"]), (202, &json!("proving")), "{tried:?}");
    world.until_shown("/v1/backups", |list| list["items"][0]["state"] == "proven").await;
    // Whatever is no backup is none, and nothing beside them is one.
    for nowhere in [NOWHERE, "history.json", "..%2Fmaster.key", "x"] {
        let path = format!("/v1/backups/{nowhere}");
        world.call("GET", &path).send().await.problem(404, "backup_not_found");
        world.call("POST", &format!("{path}/check")).send().await.problem(404, "backup_not_found");
        download(&world, nowhere).await.problem(404, "backup_not_found");
    }
    assert_eq!(audited(&world, "create_backup").await.len(), 1);
    assert_eq!(audited(&world, "check_backup").await[0]["result"], "refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_backup_or_drill_runs_at_a_time() {
    let world = World::new().await;
    let name = made(&world).await;
    // What is to be put into the next one takes a while.
    for number in 0..40_u32 {
        let file = world.dir().join(format!("outgoing/busy{number}"));
        std::fs::write(file, noise(number, 400_000)).expect("written");
    }
    rest(&world).await;
    let first = world.call("POST", "/v1/backups").send().await;
    assert_eq!(first.status, 202, "{first:?}");
    for path in ["/v1/backups".to_owned(), format!("/v1/backups/{name}/check")] {
        world.call("POST", &path).send().await.problem(409, "wrong_state");
    }
    assert_eq!(rest(&world).await["items"].as_array().map(Vec::len), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_downloaded_whole_or_in_part() {
    let world = World::new().await;
    let name = made(&world).await;
    let whole = std::fs::read(world.dir().join("backups").join(&name)).expect("a file");
    let reply = download(&world, &name).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(reply.bytes == whole, "{} bytes came, {} lie there", reply.bytes.len(), whole.len());
    for (header, value) in [
        ("content-type", "application/gzip".to_owned()),
        ("content-disposition", format!("attachment; filename=\"{name}\"")),
        ("content-length", whole.len().to_string()),
        ("cache-control", "no-store".to_owned()),
        ("accept-ranges", "bytes".to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
    ] {
        assert_eq!(reply.header(header), Some(value.as_str()), "{header}");
    }
    let path = format!("/v1/backups/{name}/content");
    let tag = reply.header("etag").expect("a tag").to_owned();
    let on = world.call("GET", &path).header("Range", "bytes=100-").header("If-Range", &tag).send().await;
    assert_eq!((on.status, on.bytes == whole[100..]), (206, true), "{:?}", on.headers);
    let beyond = world.call("GET", &path).header("Range", &format!("bytes={}-", whole.len())).send().await;
    beyond.problem(416, "range_not_satisfiable");
    let known = world.call("GET", &path).header("If-None-Match", &tag).send().await;
    assert_eq!((known.status, known.bytes.len()), (304, 0), "{known:?}");

    let entries = audited(&world, "download_backup").await;
    assert_eq!(
        (entries[0]["subject"].as_str(), &entries[0]["result"]),
        (Some(name.as_str()), &json!("done"))
    );
    // One that was removed is none.
    std::fs::remove_file(world.dir().join("backups").join(&name)).expect("removed");
    download(&world, &name).await.problem(404, "backup_not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_admins_make_test_or_download_backups() {
    let world = World::new().await;
    let name = made(&world).await;
    let (list, content) = ("/v1/backups".to_owned(), format!("/v1/backups/{name}/content"));
    let one = format!("/v1/backups/{name}");
    let check = format!("{one}/check");
    let calls = [("POST", &list), ("POST", &check), ("GET", &content), ("HEAD", &content)];
    let (reader, sender) = (world.make_key(&["read"]).await, world.make_key(&["send"]).await);
    for key in [&reader, &sender] {
        for (method, path) in calls {
            let reply = Call::new(&world.main(), method, path).key(key).send().await;
            assert_eq!(reply.status, 403, "{method} {path}: {reply:?}");
        }
    }
    for path in [&list, &one] {
        assert_eq!(Call::new(&world.main(), "GET", path).key(&reader).send().await.status, 200);
        Call::new(&world.main(), "GET", path).key(&sender).send().await.problem(403, "forbidden_scope");
    }
    for (role, status) in [(Role::Viewer, 403), (Role::Operator, 403), (Role::Admin, 200)] {
        assert_eq!(ask(&world, role, "GET", &one).await, 200, "{role:?}");
        assert_eq!(ask(&world, role, "GET", &content).await, status, "{role:?}");
        assert_eq!(ask(&world, role, "HEAD", &content).await, status, "{role:?}");
        if role != Role::Admin {
            assert_eq!(ask(&world, role, "POST", &list).await, status, "{role:?}");
            assert_eq!(ask(&world, role, "POST", &check).await, status, "{role:?}");
        }
    }
    let entries = audited(&world, "download_backup").await;
    let of = |result: &str| -> u64 {
        let entries = entries.iter().filter(|entry| entry["result"] == result);
        entries.filter_map(|entry| entry["times"].as_u64()).sum()
    };
    // Two keys and two roles were refused; a look at the head alone takes nothing away.
    assert_eq!((of("done"), of("refused")), (1, 4), "{entries:#?}");
    let done = entries.iter().find(|entry| entry["result"] == "done").expect("an entry");
    assert_eq!((&done["who"]["name"], &done["subject"]), (&json!("anna"), &json!(name)), "{done}");
}

/// Bytes that do not get smaller.
fn noise(seed: u32, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_add(1);
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(length)
    .collect()
}

/// Asks as a person of the dashboard; the status.
async fn ask(world: &World, role: Role, method: &str, path: &str) -> u16 {
    let actor = Actor { user: "anna".parse::<UserName>().expect("a name"), role, address: None };
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    let request = request.body(Body::empty()).expect("a request");
    InProcessApi::new(&world.state).answer_as(actor, request).await.status().as_u16()
}
