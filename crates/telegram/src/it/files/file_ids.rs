//! Files by the ids that the Bot API and its libraries write: sent again as they are, or refused with a reason.

use std::time::Duration;

use domain::Outcome;
use domain::media::{Media, MediaForm, MediaSource};
use sandbox::telegram::{FaultName, FileKind};
use store::RemoteKind;
use testkit::FileId;

use super::{carrying, deliver, ids, photo, picture, put};
use crate::it::world::{World, chat_id, name, one_account};

fn by_id(file_id: &str) -> Media {
    let source = MediaSource::FileId { file_id: file_id.to_owned() };
    Media { source, form: MediaForm::Document, name: String::new(), mime: String::new() }
}

/// The id of a file that the first backup sent, as a library writes it from what Telegram sent the account.
async fn id_of(world: &World, media: &Media, form: &str) -> String {
    let MediaSource::File { sha256, .. } = &media.source else { panic!("a file") };
    let reference = world.store.files().reference(&name("backup_1"), *sha256, form).await.expect("readable");
    let reference = reference.unwrap_or_else(|| panic!("nothing is kept of the {form}"));
    let kind = if reference.kind == RemoteKind::Photo { 2 } else { 5 };
    let (id, access_hash, file_reference) =
        (reference.id, reference.access_hash.0, &reference.file_reference[..]);
    assert!(!file_reference.is_empty());
    FileId { kind, dc_id: 2, id, access_hash, file_reference }.today()
}

#[tokio::test(flavor = "multi_thread")]
async fn sent_files_are_sent_again_by_id() {
    let (world, pool) = one_account().await;
    let chat_id = chat_id(&pool, "backup_1", "@client_1").await;
    let document = || put(&world, &picture(2), "a.bin", "image/png", MediaForm::Document);
    for (number, (media, form, kind)) in (0..).zip([
        (photo(&world, 1), "photo", FileKind::Photo),
        (document(), "document/a.bin", FileKind::Document),
    ]) {
        let first = carrying("first", vec![media.clone()]);
        ids(&deliver(&pool, "backup_1", chat_id, &first, 10 * number + 1).await);
        let file_id = id_of(&world, &media, form).await;
        let parts = world.calls("backup_1", "upload.saveFilePart");
        let again = carrying("again", vec![by_id(&file_id)]);
        let arrived = ids(&deliver(&pool, "backup_1", chat_id, &again, 10 * number + 2).await);

        let ledger = world.telegram().ledger(0, 100);
        let [.., before, after] = ledger.as_slice() else { panic!("two messages") };
        assert_eq!((&*before.text, &*after.text), ("first", "again"));
        assert_eq!(arrived, [i64::from(after.message_id.expect("an id"))]);
        let (before, after) = (before.media.as_ref().expect("a file"), after.media.as_ref().expect("a file"));
        assert_eq!((after.kind, after.file_id), (kind, before.file_id), "the same file");
        assert_eq!((&after.file_name, after.size), (&before.file_name, before.size));
        assert_eq!(world.calls("backup_1", "upload.saveFilePart"), parts, "it is not brought up again");
    }
    assert_eq!(world.telegram().files().len(), 2, "no other file was made");
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_and_foreign_file_ids_are_refused() {
    let (world, pool) = one_account().await;
    let chat_id = chat_id(&pool, "backup_1", "@client_1").await;
    let refused = deliver(&pool, "backup_1", chat_id, &carrying("", vec![by_id("no id")]), 1).await;
    assert_eq!(refused, Outcome::Rejected { code: "FILE_ID_INVALID".into() });
    let real = "CAACAgIAAxkBAAIEol9yQhBqFnT4HXldAh31a-hYXuDIAAIECwACAoujAAFFn1sl9AABHbkbBA";
    let unknown = deliver(&pool, "backup_1", chat_id, &carrying("", vec![by_id(real)]), 2).await;
    assert_eq!(unknown, Outcome::Rejected { code: "MEDIA_EMPTY".into() });
    let expired = world.fault("backup_1", FaultName::RpcError).method("messages.sendMedia").times(1);
    expired.error(400, "FILE_REFERENCE_EXPIRED").on();
    let expired = deliver(&pool, "backup_1", chat_id, &carrying("", vec![by_id(real)]), 3).await;
    assert!(matches!(expired, Outcome::MediaExpired(_)), "{expired:?}");
    pool.stop(Duration::from_secs(5)).await;
}
