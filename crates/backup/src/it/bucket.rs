//! Copies in a bucket of `moto`, a foreign stand-in for S3.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use backup::{FetchError, fetch_copy};
use config::BackupCopySettings;
use futures::TryStreamExt;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{ObjectStore, ObjectStoreExt};

use crate::it::world::{HOUR, World, by_hand};

/// The store; gone when dropped.
pub(crate) struct S3 {
    child: Child,
    pub(crate) port: u16,
}

impl S3 {
    /// One on a port, or on any where that is 0.
    pub(crate) fn on(port: u16) -> Self {
        let python = std::env::var("SWITCHBOARD_TEST_PYTHON")
            .unwrap_or_else(|_| panic!("no Python is named: run `cargo xtask test`, which makes one"));
        let mut child = Command::new(python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/s3.py"))
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Python starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("it tells");
        let port = line.trim().parse().unwrap_or_else(|_| panic!("the store does not run: {line:?}"));
        Self { child, port }
    }

    pub(crate) fn settings(&self) -> BackupCopySettings {
        BackupCopySettings {
            bucket: Some("demo-backups".to_owned()),
            prefix: Some("switchboard".to_owned()),
            endpoint: Some(format!("http://127.0.0.1:{}", self.port)),
            access_key_id: Some("demo".into()),
            secret_access_key: Some("planted-secret".into()),
            ..BackupCopySettings::default()
        }
    }

    pub(crate) fn client(&self) -> AmazonS3 {
        AmazonS3Builder::new()
            .with_bucket_name("demo-backups")
            .with_endpoint(format!("http://127.0.0.1:{}", self.port))
            .with_allow_http(true)
            .with_access_key_id("demo")
            .with_secret_access_key("planted-secret")
            .build()
            .expect("a client")
    }

    /// The names of all objects.
    async fn names(&self) -> Vec<String> {
        let listed: Vec<_> = self.client().list(None).try_collect().await.expect("listed");
        let mut names: Vec<_> = listed.into_iter().map(|object| object.location.to_string()).collect();
        names.sort();
        names
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_in_the_bucket_are_pruned_to_the_limit() {
    let s3 = S3::on(0);
    let world = World::new(|_| by_hand(BackupCopySettings { keep: 1, ..s3.settings() })).await;
    s3.client().put(&"switchboard/another".into(), "another's".into()).await.expect("put");
    // More than one piece, of what packs to nothing.
    let noise: Vec<u8> = (0_u32..3 << 20).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    std::fs::write(world.place.path().join("data/outgoing/large"), noise).expect("written");
    world.backups.start();
    let first = world.made().await;
    let copies = world.copied(&first).await;
    assert_eq!((copies.to.as_str(), copies.count), ("s3://demo-backups/switchboard", 1));
    let object = s3.client().get(&format!("switchboard/{first}").into()).await.expect("there");
    let stored = object.bytes().await.expect("reads");
    let original = std::fs::read(world.folder().join(first.as_str())).expect("reads");
    assert!(stored == original && original.len() > 9 << 20, "{} of {}", stored.len(), original.len());
    let second = world.made().await;
    world.copied(&second).await;
    world.until("the first is gone", |now| now.copies.as_ref().is_some_and(|copies| copies.count == 1)).await;
    assert_eq!(s3.names().await, ["switchboard/another".to_owned(), format!("switchboard/{second}")]);
    let history = world.ended().await;
    let text = serde_json::to_string(&history).expect("JSON");
    assert!(!text.contains("planted"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_is_away_is_tried_again_and_the_backup_stays() {
    let s3 = S3::on(0);
    let (port, settings) = (s3.port, s3.settings());
    drop(s3);
    let world = World::new(|_| by_hand(settings)).await;
    world.backups.start();
    let name = world.made().await;
    let failing = world
        .until("it failed", |now| now.copies.as_ref().is_some_and(|copies| copies.failing.is_some()))
        .await;
    let why = failing.copies.and_then(|copies| copies.failing).expect("it fails").why;
    assert!(why.contains("s3://demo-backups/switchboard") && !why.contains("planted"), "{why}");
    assert!(world.folder().join(name.as_str()).exists());
    let s3 = S3::on(port);
    world.clock.advance(HOUR);
    world.copied(&name).await;
    assert_eq!(world.backups.troubles().await.copying, Some(None));
    assert_eq!(s3.names().await, [format!("switchboard/{name}")]);
    world.backups.stop(Duration::from_mins(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_bucket_is_reported_with_its_error() {
    let s3 = S3::on(0);
    let none = BackupCopySettings { bucket: Some("demo-none".to_owned()), ..s3.settings() };
    let world = World::new(|_| by_hand(none)).await;
    world.backups.start();
    world.made().await;
    let failing = world
        .until("it failed", |now| now.copies.as_ref().is_some_and(|copies| copies.failing.is_some()))
        .await;
    let why = failing.copies.and_then(|copies| copies.failing).expect("it fails").why;
    assert!(why.contains("s3://demo-none/switchboard") && why.contains("NoSuchBucket"), "{why}");
    world.backups.stop(Duration::from_mins(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_fetched_by_name_and_compared() {
    let s3 = S3::on(0);
    let world = World::new(|_| by_hand(s3.settings())).await;
    world.backups.start();
    let name = world.made().await;
    world.copied(&name).await;
    let history = world.ended().await;
    let (settings, data_dir) = (s3.settings(), world.place.path().join("data"));
    let into = world.place.path().join("fetched");
    let fetch = async |name: Option<&str>, known: bool| {
        fetch_copy(&settings, &data_dir, known.then_some(&history), name, into.clone()).await
    };
    let original = std::fs::read(world.folder().join(name.as_str())).expect("reads");
    for (requested, known) in [(None, true), (Some(name.as_str()), true), (Some(name.as_str()), false)] {
        let copy = fetch(requested, known).await.expect("fetched");
        assert!(std::fs::read(&into).expect("reads") == original, "other bytes");
        assert_eq!(
            (copy.name.as_str(), copy.is_compared, copy.bytes),
            (name.as_str(), known, original.len() as u64)
        );
        std::fs::remove_file(&into).expect("removed");
    }
    assert!(matches!(fetch(None, false).await, Err(FetchError::NoCopy { .. })));
    assert!(matches!(fetch(Some("history.json"), true).await, Err(FetchError::Name(_))));
    let other = "switchboard-20300131T120000.250Z.tar.gz";
    let why = fetch(Some(other), true).await.expect_err("there is none").to_string();
    assert!(why.contains(other) && !why.contains("planted"), "{why}");
    let object = format!("switchboard/{name}");
    s3.client().put(&object.into(), original[1..].to_vec().into()).await.expect("put");
    assert!(matches!(fetch(None, true).await, Err(FetchError::Changed { .. })));
    assert!(!into.exists(), "nothing of it is left");
}
