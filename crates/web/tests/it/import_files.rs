//! Session files that are sent to be imported: kept for the program alone, looked through, taken back, and never left behind.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::client::{Call, Reply};
use crate::world::World;

const KIND: &str = "multipart/form-data; boundary=b";

fn form(files: &[(&str, &str)]) -> String {
    let mut body = String::new();
    for (name, text) in files {
        let head = format!("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"");
        body.extend([head.as_str(), "\r\n\r\n", text, "\r\n"]);
    }
    body + "--b--\r\n"
}

impl World {
    fn send_files(&self, files: &[(&str, &str)]) -> Call {
        self.call("POST", "/v1/accounts/import/files").header("Content-Type", KIND).body(form(files))
    }

    async fn import(&self, body: serde_json::Value) -> Reply {
        self.call("POST", "/v1/accounts/import").json(body.to_string()).send().await
    }
}

#[tokio::test]
async fn files_keep_their_names_and_are_removed_afterwards() {
    let world = World::new().await;
    let sent = world.send_files(&[("old/main.session", "no session"), ("b.txt", "hello")]).send().await;
    assert_eq!(sent.status, 201, "{sent:?}");
    let answer = sent.json();
    let id = answer["id"].as_str().expect("an id").to_owned();
    assert_eq!(
        (&answer["count"], sent.header("location").map(str::to_owned)),
        (&json!(2), Some(format!("/v1/accounts/import/files/{id}")))
    );
    let folder = world.dir().join("imports").join(&id);
    for (path, mode) in [(folder.clone(), 0o700), (folder.join("main.session"), 0o600)] {
        let found = std::fs::metadata(&path).expect("there").permissions().mode() & 0o777;
        assert_eq!(found, mode, "{path:?}");
    }
    let looked = world.import(json!({ "files": id, "dry_run": true })).await;
    assert_eq!(looked.status, 200, "{looked:?}");
    let rows = looked.json()["sessions"].clone();
    assert_eq!((&rows[0]["file"], &rows[0]["what"]), (&json!("b.txt"), &json!("unreadable")), "{rows}");
    assert_eq!(rows[1]["file"], "main.session", "{rows}");
    assert!(!looked.body.contains("imports/"), "{}", looked.body);
    assert!(folder.exists(), "a dry run leaves them");
    assert_eq!(world.import(json!({ "files": id })).await.status, 200);
    assert!(!folder.exists(), "an import does not");
    let gone = world.import(json!({ "files": id })).await.problem(422, "invalid_request");
    assert_eq!(gone["errors"][0]["field"], "files", "{gone}");
}

#[tokio::test]
async fn uploaded_import_files_can_be_removed() {
    let world = World::new().await;
    let id = world.send_files(&[("a.session", "x")]).send().await.json()["id"].clone();
    let path = format!("/v1/accounts/import/files/{}", id.as_str().expect("an id"));
    assert_eq!(world.call("DELETE", &path).send().await.status, 204);
    world.call("DELETE", &path).send().await.problem(404, "not_found");
    world.call("DELETE", "/v1/accounts/import/files/..%2F..").send().await.problem(404, "not_found");
    assert!(world.files_in("imports").is_empty());
}

#[tokio::test]
async fn invalid_oversized_and_unauthorized_uploads_are_refused() {
    let world = World::new().await;
    let other = world.call("POST", "/v1/accounts/import/files").json("{}");
    other.send().await.problem(415, "unsupported_media_type");
    world.send_files(&[]).send().await.problem(422, "invalid_request");
    world.send_files(&[("a.session", "")]).send().await.problem(422, "invalid_request");
    world.send_files(&vec![("a.session", "x"); 201]).send().await.problem(422, "invalid_request");
    let cut =
        world.call("POST", "/v1/accounts/import/files").header("Content-Type", KIND).body("--b\r\nContent");
    cut.send().await.problem(422, "invalid_request");
    let reader = world.make_key(&["send", "read"]).await;
    let call = Call::new(&world.main(), "POST", "/v1/accounts/import/files").key(&reader);
    call.header("Content-Type", KIND).body(form(&[("a", "x")])).send().await.problem(403, "forbidden_scope");
    assert!(!world.dir().join("imports").exists());
    for _ in 0..4 {
        assert_eq!(world.send_files(&[("a.session", "x")]).send().await.status, 201);
    }
    world.send_files(&[("a.session", "x")]).send().await.problem(409, "wrong_state");
}

#[tokio::test]
async fn a_plan_among_them_counts_and_reaches_nothing_else() {
    let world = World::new().await;
    let plan = "[[session]]\nfile = \"/etc/passwd\"\naccount = \"main\"\n";
    let sent = world.send_files(&[("plan.toml", plan), ("main.session", "x")]).send().await.json();
    let looked = world.import(json!({ "files": sent["id"], "dry_run": true })).await;
    assert_eq!(looked.status, 200, "{looked:?}");
    assert!(!looked.body.contains("/etc") && !looked.body.contains("plan.toml"), "{}", looked.body);
    for wrong in ["nonsense", "[[account]]\nname = \"main\"\napi_hash = { env = \"HOME\" }\n"] {
        let sent = world.send_files(&[("plan.toml", wrong), ("main.session", "x")]).send().await.json();
        world.import(json!({ "files": sent["id"], "dry_run": true })).await.problem(422, "invalid_request");
    }
    let alone = world.send_files(&[("plan.toml", plan)]).send().await.json();
    world.import(json!({ "files": alone["id"], "dry_run": true })).await.problem(422, "invalid_request");
}
