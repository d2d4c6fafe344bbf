//! `/v1/uploads`: what is sent ahead is kept as it is, within bounds, and nothing is left of what is not.

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::client::{Call, Reply, Target};
use crate::joining::{eventually, hang_up};
use crate::world::{SOON, World};
use test_app::{KEEP, MOST, MOST_UPLOADED, SILENCE};
use testkit::{PDF, PNG};

impl World {
    pub(crate) fn upload(&self, query: &str, bytes: impl Into<Vec<u8>>) -> Call {
        self.call("POST", &format!("/v1/uploads{query}")).body(bytes)
    }

    /// The names of the files in one of the data directory's folders.
    pub(crate) fn files_in(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.dir().join(folder)).expect("a folder");
        entries.map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned()).collect()
    }
}

fn detail_of(reply: &Reply, status: u16, code: &str) -> String {
    reply.problem(status, code)["detail"].as_str().expect("a detail").to_owned()
}

#[tokio::test]
async fn an_upload_is_stored_shown_and_removed() {
    let world = World::new().await;
    let reply = world.upload("?filename=..%2Fmy%0Aprices.pdf", PDF).send().await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let upload = reply.json();
    let id = upload["id"].as_str().expect("an id").to_owned();
    assert!(id.starts_with("upl_"), "{upload}");
    assert_eq!(reply.header("location"), Some(format!("/v1/uploads/{id}").as_str()));
    for (field, value) in [
        ("name", json!("myprices.pdf")),
        ("size", json!(PDF.len())),
        ("kind", json!("document")),
        ("mime", json!("application/pdf")),
    ] {
        assert_eq!(upload[field], value, "{upload}");
    }
    assert_eq!(upload["sha256"].as_str().map(str::len), Some(64));
    let path = format!("/v1/uploads/{id}");
    assert_eq!(world.call("GET", &path).send().await.json(), upload);
    assert_eq!(world.upload("", PNG).send().await.json()["kind"], "photo");
    assert_eq!(world.call("DELETE", &path).send().await.status, 204);
    for method in ["GET", "DELETE"] {
        detail_of(&world.call(method, &path).send().await, 404, "upload_not_found");
        detail_of(&world.call(method, "/v1/uploads/upl_1").send().await, 404, "upload_not_found");
    }
    world.clock.advance(KEEP);
    assert_eq!(world.files_in("uploads").len(), 2, "the other one and its note, until someone looks");
    assert_eq!(world.upload("", PDF).send().await.status, 201);
    assert_eq!(world.files_in("uploads").len(), 2);
}

#[tokio::test]
async fn a_refused_upload_is_reported_and_leaves_no_file() {
    let world = World::new().await;
    detail_of(&world.upload("", "").header("Content-Length", "0").send().await, 422, "media_invalid");
    detail_of(&world.upload("", "").send().await, 422, "media_invalid");
    let large = vec![7; usize::try_from(MOST).expect("fits") + 1];
    detail_of(&world.upload("", large).send().await, 413, "too_large");
    let declared = world.upload("", "abc").header("Content-Length", "3000000000");
    detail_of(&declared.send().await, 413, "too_large");
    let form = |body: &str| world.upload("", body).header("Content-Type", "multipart/form-data; boundary=x");
    let how = "curl -F file=@price-list.pdf";
    assert!(detail_of(&form("abc").send().await, 400, "broken_body").contains(how));
    let bare = world.upload("", "abc").header("Content-Type", "multipart/form-data");
    assert!(detail_of(&bare.send().await, 400, "broken_body").contains("names no boundary"));
    let field = "--x\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nabc\r\n";
    assert!(
        detail_of(&form(&format!("{field}--x--\r\n")).send().await, 422, "invalid_request")
            .contains("no file")
    );
    let file = field.replace("\"note\"", "\"data\"; filename=\"a.txt\"");
    let several = detail_of(&form(&format!("{file}{file}--x--\r\n")).send().await, 422, "invalid_request");
    assert!(several.contains("several files"), "{several}");
    assert!(detail_of(&form(&file).send().await, 400, "broken_body").contains(how));
    for (query, field) in [("?filename=%2F&name=x", "name"), ("?filename=%2F", "filename")] {
        let wrong = world.upload(query, "abc").send().await.problem(422, "invalid_request");
        assert_eq!(wrong["errors"][0]["field"], field, "{wrong}");
    }
    let no_key = Call::new(&world.main(), "POST", "/v1/uploads").body("abc").send().await;
    detail_of(&no_key, 401, "unauthorized");
    let reader = world.make_key(&["read"]).await;
    let reading = Call::new(&world.main(), "POST", "/v1/uploads").key(&reader).body("abc").send().await;
    detail_of(&reading, 403, "forbidden_scope");
    world.free.is(100 << 20);
    detail_of(&world.upload("", "abc").send().await, 507, "storage_full");
    assert_eq!(world.files_in("uploads"), [""; 0]);
}

#[tokio::test]
async fn a_file_is_taken_from_a_form_under_its_name() {
    let world = World::new().await;
    let mut body = "--x\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nabc\r\n--x\r\n\
        Content-Disposition: form-data; name=\"data\"; filename=\"Счёт.pdf\"\r\nContent-Type: application/pdf\r\n\r\n"
        .as_bytes()
        .to_vec();
    body.extend_from_slice(PDF);
    body.extend_from_slice(b"\r\n--x--\r\n");
    let reply = world.upload("", body).header("Content-Type", "multipart/form-data; boundary=x").send().await;
    assert_eq!(reply.status, 201, "{reply:?}");
    assert_eq!((&reply.json()["name"], &reply.json()["size"]), (&json!("Счёт.pdf"), &json!(PDF.len())));
    let raw = world.upload("", PDF).header("Content-Disposition", "attachment; filename=\"invoice 7.pdf\"");
    assert_eq!(raw.send().await.json()["name"], "invoice 7.pdf");
    let both =
        world.upload("?filename=other.pdf", PDF).header("Content-Disposition", "attachment; filename=a.pdf");
    assert_eq!(both.send().await.json()["name"], "other.pdf", "what the call says counts more");
}

#[tokio::test]
async fn all_uploads_together_have_a_bound() {
    let world = World::new().await;
    let large = vec![7; usize::try_from(MOST).expect("fits")];
    assert_eq!(world.upload("", large.clone()).send().await.status, 201);
    let full = detail_of(&world.upload("", large).send().await, 507, "storage_full");
    assert!(full.contains(&MOST_UPLOADED.to_string()), "{full}");
    assert_eq!(world.upload("", "abc").send().await.status, 201);
}

/// Connects, announces so many bytes, and sends some.
async fn begin(world: &World, announced: usize, sent: &[u8]) -> TcpStream {
    let Target::Port(address) = world.main() else { panic!("a port") };
    let mut stream = TcpStream::connect(address).await.expect("connects");
    let head = world.upload("", "").header("Content-Length", &announced.to_string()).bytes();
    stream.write_all(&head).await.expect("writes");
    stream.write_all(sent).await.expect("writes");
    eventually(|| !world.files_in("uploads").is_empty()).await;
    stream
}

#[tokio::test]
async fn a_disk_that_fills_up_in_the_middle_answers_507() {
    let world = World::new().await;
    let mut stream = begin(&world, 7 << 20, &[7; 1024]).await;
    world.free.is(100 << 20);
    stream.write_all(&vec![7; (7 << 20) - 1024]).await.expect("writes");
    let mut answer = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer).await.expect("reads");
    detail_of(&crate::client::parse(&answer), 507, "storage_full");
    assert_eq!(world.files_in("uploads"), [""; 0]);
}

#[tokio::test]
async fn an_interrupted_upload_leaves_no_file() {
    let world = World::new().await;
    hang_up(begin(&world, 1000, b"abc").await).await;
    eventually(|| world.files_in("uploads").is_empty()).await;
    let mut stream = begin(&world, 1000, b"abc").await;
    let mut answer = Vec::new();
    let read = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer);
    let (clock, reading) = (world.clock.clone(), tokio::time::timeout(SOON, read));
    tokio::pin!(reading);
    let read = loop {
        tokio::select! {
            read = &mut reading => break read,
            () = tokio::time::sleep(std::time::Duration::from_millis(5)) => clock.advance(SILENCE),
        }
    };
    read.expect("in time").expect("reads");
    detail_of(&crate::client::parse(&answer), 408, "request_timeout");
    assert_eq!(world.files_in("uploads"), [""; 0]);
}

#[tokio::test]
async fn the_same_key_is_the_same_upload() {
    let world = World::new().await;
    let put = |name: &str, bytes: &'static [u8]| {
        world.upload(&format!("?filename={name}"), bytes).header("Idempotency-Key", "order-1")
    };
    let first = put("a.pdf", PDF).send().await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (201, None));
    let again = put("a.pdf", PDF).send().await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (201, Some("true")));
    assert_eq!(again.json(), first.json());
    detail_of(&put("a.pdf", PNG).send().await, 409, "idempotency_conflict");
    detail_of(&put("b.pdf", PDF).send().await, 409, "idempotency_conflict");
    let other = world.make_key(&["send"]).await;
    let theirs = Call::new(&world.main(), "POST", "/v1/uploads?filename=a.pdf")
        .key(&other)
        .header("Idempotency-Key", "order-1")
        .body(PDF);
    assert_ne!(theirs.send().await.json()["id"], first.json()["id"]);
    assert_eq!(world.files_in("uploads").len(), 4);
    let wrong = put("a.pdf", PDF).header("Idempotency-Key", "order-2").send().await;
    detail_of(&wrong, 400, "invalid_header");
}

#[tokio::test]
async fn an_upload_belongs_to_the_key_that_made_it() {
    let world = World::new().await;
    let (own, other) = (world.make_key(&["send", "read"]).await, world.make_key(&["send", "read"]).await);
    let call = |key: &str, method: &str, path: &str| Call::new(&world.main(), method, path).key(key);
    let made = call(&own, "POST", "/v1/uploads").body(PDF).send().await.json();
    let path = format!("/v1/uploads/{}", made["id"].as_str().expect("an id"));
    let message = |key: &str| {
        let body = json!({ "chat": "-1001234567890", "media": [{ "upload": made["id"] }] });
        call(key, "POST", "/v1/messages").json(body.to_string())
    };
    for method in ["GET", "DELETE"] {
        detail_of(&call(&other, method, &path).send().await, 404, "upload_not_found");
    }
    message(&other).send().await.problem(422, "invalid_request");
    assert_eq!(world.script.sent().len(), 0, "a foreign file was sent");
    assert_eq!(call(&own, "GET", &path).send().await.json(), made);
    assert_eq!(world.call("GET", &path).send().await.json(), made, "an admin sees all");
    assert_eq!(message(&own).send().await.status, 200);
    assert_eq!(call(&own, "DELETE", &path).send().await.status, 204);
}
