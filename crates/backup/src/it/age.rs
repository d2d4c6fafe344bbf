//! Encrypted copies: Debian's `age` opens them, and so does a restore for practice with the identity.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use backup::{Identity, OpenCopyError, RestoreError, Verification, verify};
use config::BackupCopySettings;
use tokio_util::sync::CancellationToken;

use crate::it::world::{World, by_hand, names};

/// A file with a new identity, as `age-keygen` writes it, and its recipient.
pub(crate) fn identity(place: &Path) -> (PathBuf, String) {
    let file = place.join("key.txt");
    let made = Command::new("age-keygen").arg("-o").arg(&file).output();
    let made = made.expect("`age` is installed: `cargo xtask test` does that");
    assert!(made.status.success(), "{made:?}");
    let text = fs::read_to_string(&file).expect("reads");
    let recipient = text.lines().find_map(|line| line.strip_prefix("# public key: ")).expect("a recipient");
    (file, recipient.to_owned())
}

pub(crate) fn encrypted(place: &Path, recipient: &str) -> BackupCopySettings {
    BackupCopySettings {
        folder: Some(World::elsewhere(place)),
        recipient: Some(recipient.to_owned()),
        ..BackupCopySettings::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn debians_age_opens_an_encrypted_copy() {
    let keys = tempfile::tempdir().expect("a folder");
    let (key, recipient) = identity(keys.path());
    let world = World::new(|place| by_hand(encrypted(place, &recipient))).await;
    world.backups.start();
    let name = world.made().await;
    assert!(world.copied(&name).await.encrypted);
    let elsewhere = world.place.path().join("elsewhere");
    assert_eq!(names(&elsewhere), [format!("{name}.age")]);
    let copy = elsewhere.join(format!("{name}.age"));
    let opened = Command::new("age").arg("-d").arg("-i").arg(&key).arg(&copy).output().expect("age runs");
    assert!(opened.status.success(), "{opened:?}");
    assert!(opened.stdout == fs::read(world.folder().join(name.as_str())).expect("reads"));

    // A restore opens it too, with this identity alone.
    let verification = |identity: Option<&Path>| Verification {
        file: copy.clone(),
        into: world.place.path().join("practice"),
        master_key: world.master_key(),
        identity: identity.map(|file| Identity::read(file).expect("an identity")),
        clock: world.clock.clone(),
        stopping: CancellationToken::new(),
    };
    let verified = verify(verification(Some(&key))).await.expect("nothing is wrong");
    assert!(verified.rows_compared && verified.rows > 0);
    let refused = verify(verification(None)).await.err();
    assert!(
        matches!(refused, Some(RestoreError::Encrypted { source: OpenCopyError::NoIdentity, .. })),
        "{refused:?}"
    );
    let others = tempfile::tempdir().expect("a folder");
    let refused = verify(verification(Some(&identity(others.path()).0))).await.err();
    let is_refused = |source: &OpenCopyError| matches!(source, OpenCopyError::Refused(_));
    assert!(
        matches!(&refused, Some(RestoreError::Encrypted { source, .. }) if is_refused(source)),
        "{refused:?}"
    );
    assert!(!world.place.path().join("practice").exists(), "it is removed");
    world.ended().await;
}
