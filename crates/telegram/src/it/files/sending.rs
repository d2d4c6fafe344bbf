//! Sending media: what arrives, what is sent again without being brought up again, and what is refused.

use std::time::Duration;

use delivery::{Attempt, Query, Readiness, Sender};
use domain::media::{Media, MediaForm, MediaSource};
use domain::outcome::Unclear;
use domain::{Outcome, Service};
use sandbox::telegram::{FaultName, FileKind};
use telegram::ServiceAction;

use super::{carrying, deliver, ids, message, noise, outside, part, photo, picture, put};
use crate::it::world::{able, candidates, chat_id, name, one_account, query};

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_arrives_as_what_it_is_with_its_caption() {
    let (world, pool) = one_account().await;
    let video =
        MediaForm::Video { width: 64, height: 48, duration_ms: 1_500, streamable: true, silent: true };
    let animation = MediaForm::Animation { width: 8, height: 8, duration_ms: 100 };
    let kinds = [
        (super::PHOTO, "image/png", FileKind::Photo, None),
        (MediaForm::Document, "image/png", FileKind::Document, Some("a.bin")),
        (video, "video/mp4", FileKind::Video, Some("a.bin")),
        (animation, "video/mp4", FileKind::Animation, Some("a.bin")),
        (MediaForm::Voice { duration_ms: 900 }, "audio/ogg", FileKind::Voice, None),
        (MediaForm::Audio { duration_ms: 900 }, "audio/mpeg", FileKind::Audio, Some("a.bin")),
    ];
    for to in ["@client_1".to_owned(), world.demo("Demo supergroup")] {
        let chat_id = chat_id(&pool, "backup_1", &to).await;
        world.telegram().clear_ledger();
        for (number, (form, mime, kind, name)) in (0_u8..).zip(kinds.clone()) {
            let message = carrying("look", vec![put(&world, &picture(number), "a.bin", mime, form)]);
            let sent = deliver(&pool, "backup_1", chat_id, &message, i64::from(number) + 1).await;
            let entry = world.telegram().ledger(0, 100).pop().expect("it arrived");
            assert_eq!(
                (ids(&sent), &*entry.text),
                (vec![i64::from(entry.message_id.expect("an id"))], "look")
            );
            let media = entry.media.expect("a file");
            assert_eq!((media.kind, media.size), (kind, picture(number).len() as u64));
            assert_eq!(media.file_name.as_deref().filter(|_| kind != FileKind::Photo), name, "{kind:?}");
            assert_eq!(entry.random_id, Some(i64::from(number) + 1));
        }
    }
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sent_files_are_not_uploaded_again() {
    let (world, pool) = one_account().await;
    let chat_id = chat_id(&pool, "backup_1", "@client_1").await;
    for random_id in 1..4 {
        let message = carrying("again", vec![photo(&world, 1)]);
        ids(&deliver(&pool, "backup_1", chat_id, &message, random_id).await);
    }
    assert_eq!(world.calls("backup_1", "upload.saveFilePart"), 1);
    // As a document it is another file, and needs no parts either.
    let plain = carrying("", vec![put(&world, &picture(1), "a.png", "image/png", MediaForm::Document)]);
    ids(&deliver(&pool, "backup_1", chat_id, &plain, 9).await);
    assert_eq!(world.calls("backup_1", "upload.saveFilePart"), 1);
    let files = world.telegram().files();
    assert_eq!(
        files.iter().map(|view| view.file.kind).collect::<Vec<_>>(),
        [FileKind::Photo, FileKind::Document]
    );
    // Another program that goes on with the same store knows them too.
    pool.stop(Duration::from_secs(5)).await;
    let pool = world.ready().await;
    ids(&deliver(&pool, "backup_1", chat_id, &carrying("", vec![photo(&world, 1)]), 10).await);
    assert_eq!(world.calls("backup_1", "upload.saveFilePart"), 1);
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_album_arrives_as_one_and_only_once() {
    let (world, pool) = one_account().await;
    let chat_id = chat_id(&pool, "backup_1", &world.demo("Demo supergroup")).await;
    let video =
        MediaForm::Video { width: 64, height: 48, duration_ms: 1_500, streamable: true, silent: false };
    let film = put(&world, &noise(3_000), "b.mp4", "video/mp4", video);
    let message = carrying("three", vec![photo(&world, 1), film, photo(&world, 2)]);
    // The answer is lost: no one knows whether it arrived, and the same is sent once more.
    let cut = world.fault("backup_1", FaultName::Disconnect).method("messages.sendMultiMedia").times(1);
    cut.on();
    let lost = deliver(&pool, "backup_1", chat_id, &message, 100).await;
    assert!(matches!(lost, Outcome::Unknown(_)), "{lost:?}");
    let sent = deliver(&pool, "backup_1", chat_id, &message, 100).await;
    let ledger = world.telegram().ledger(0, 100);
    let arrived: Vec<i64> = ledger.iter().filter_map(|entry| entry.message_id.map(i64::from)).collect();
    assert_eq!(ids(&sent), arrived);
    assert_eq!(ledger.iter().map(|entry| &*entry.text).collect::<Vec<_>>(), ["three", "", ""]);
    assert_eq!(ledger.iter().filter_map(|entry| entry.random_id).collect::<Vec<_>>(), [100, 101, 102]);
    let albums: Vec<Option<i64>> =
        ledger.iter().filter_map(|entry| entry.media.as_ref().map(|media| media.grouped_id)).collect();
    assert!(albums.len() == 3 && albums[0].is_some() && albums.iter().all(|album| *album == albums[0]));
    assert_eq!(world.calls("backup_1", "messages.uploadMedia"), 3);
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_reference_brings_the_file_up_again() {
    let (world, pool) = one_account().await;
    let chat_id = chat_id(&pool, "backup_1", "@client_1").await;
    let single = || carrying("one", vec![photo(&world, 1)]);
    ids(&deliver(&pool, "backup_1", chat_id, &single(), 1).await);
    world.telegram().expire_files(None);
    // Nothing is wrong with the account: it is the one that brings the file up again.
    let (account, content) = (name("backup_1"), single());
    let second = part(&content, 2);
    let attempt = Attempt {
        account: &account,
        address: &chat_id.into(),
        part: &second,
        content: &content,
        binding: store::Binding::IfUnbound,
    };
    pool.prepare(attempt).await.expect("its reference is known");
    let expired = pool.send(attempt).await;
    assert!(matches!(expired, Outcome::Unprepared(_)), "{expired:?}");
    ids(&deliver(&pool, "backup_1", chat_id, &single(), 2).await);
    let album = || carrying("two", vec![photo(&world, 1), photo(&world, 2)]);
    ids(&deliver(&pool, "backup_1", chat_id, &album(), 10).await);
    let second = world.telegram().files().last().expect("a file").file.file_id;
    world.telegram().expire_files(Some(second));
    let made = world.calls("backup_1", "messages.uploadMedia");
    ids(&deliver(&pool, "backup_1", chat_id, &album(), 20).await);
    // Only the one that was refused is made again.
    assert_eq!(world.calls("backup_1", "messages.uploadMedia"), made + 1);
    assert_eq!(world.telegram().ledger(0, 100).len(), 6);
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_refused_by_any_name_brings_the_file_up_once() {
    let (world, pool) = one_account().await;
    let chat_id = chat_id(&pool, "backup_1", "@client_1").await;
    let message = || carrying("one", vec![photo(&world, 1)]);
    ids(&deliver(&pool, "backup_1", chat_id, &message(), 1).await);
    let names = ["MEDIA_INVALID", "FILE_REFERENCE_SOMETHING_NEW", "MEDIA_EMPTY", "PHOTO_INVALID"];
    for (random_id, code) in (2..).zip(names) {
        let uploads = world.calls("backup_1", "upload.saveFilePart");
        let sends = world.calls("backup_1", "messages.sendMedia");
        let refused = world.fault("backup_1", FaultName::RpcError).method("messages.sendMedia").times(1);
        refused.error(400, code).on();
        ids(&deliver(&pool, "backup_1", chat_id, &message(), random_id).await);
        assert_eq!(world.calls("backup_1", "messages.sendMedia"), sends + 2, "{code}");
        assert_eq!(world.calls("backup_1", "upload.saveFilePart"), uploads + 1, "{code}");
    }
    // Refused for what it is: once more, and no more.
    let always = world.fault("backup_1", FaultName::RpcError).method("messages.sendMedia");
    always.error(400, "MEDIA_INVALID").on();
    let sends = world.calls("backup_1", "messages.sendMedia");
    let outcome = deliver(&pool, "backup_1", chat_id, &message(), 9).await;
    assert_eq!(outcome, Outcome::Rejected { code: "MEDIA_INVALID".into() });
    assert_eq!(world.calls("backup_1", "messages.sendMedia"), sends + 2);
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_draws_errors_is_brought_up_again() {
    let (world, pool) = one_account().await;
    let chat_id = chat_id(&pool, "backup_1", "@client_1").await;
    let failing = world.fault("backup_1", FaultName::RpcError).method("messages.sendMedia");
    let failing = failing.error(500, "INTERNAL").on();
    let message = carrying("", vec![photo(&world, 1)]);
    for attempt in 1..=4 {
        let outcome = deliver(&pool, "backup_1", chat_id, &message, 1).await;
        assert!(matches!(outcome, Outcome::Unknown(Unclear::ServerError(_))), "{outcome:?}");
        let uploads = world.calls("backup_1", "upload.saveFilePart");
        assert_eq!(uploads, if attempt < 4 { 1 } else { 2 }, "attempt {attempt}");
    }
    world.telegram().remove_fault(failing);
    ids(&deliver(&pool, "backup_1", chat_id, &message, 1).await);
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn repeatedly_refused_files_are_refused() {
    let (world, pool) = one_account().await;
    let chat_id = chat_id(&pool, "backup_1", "@client_1").await;
    let parts = world.fault("backup_1", FaultName::RpcError).method("messages.sendMedia");
    let parts = parts.error(400, "FILE_PART_0_MISSING").on();
    let refused = deliver(&pool, "backup_1", chat_id, &carrying("", vec![photo(&world, 1)]), 1).await;
    assert_eq!(refused, Outcome::Rejected { code: "FILE_PART_MISSING".into() });
    assert_eq!(world.calls("backup_1", "upload.saveFilePart"), 2, "once more");
    world.telegram().remove_fault(parts);
    let no_picture = put(&world, b"no picture", "a.png", "image/png", super::PHOTO);
    let refused = deliver(&pool, "backup_1", chat_id, &carrying("", vec![no_picture]), 2).await;
    assert_eq!(refused, Outcome::Rejected { code: "IMAGE_PROCESS_FAILED".into() });
    assert_eq!(world.texts(), Vec::<String>::new());
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_file_is_reported_and_not_sent() {
    let (world, pool) = one_account().await;
    let chat_id = chat_id(&pool, "backup_1", "@client_1").await;
    let gone = photo(&world, 1);
    let MediaSource::File { key, .. } = &gone.source else { panic!("a file") };
    world.outgoing.remove(key).await.expect("removed");
    let outcome = deliver(&pool, "backup_1", chat_id, &carrying("", vec![gone]), 1).await;
    assert!(matches!(outcome, Outcome::MediaGone(_)), "{outcome:?}");
    let short = photo(&world, 2);
    let MediaSource::File { key, .. } = &short.source else { panic!("a file") };
    std::fs::write(world.outgoing.path(key), b"cut").expect("written");
    let outcome = deliver(&pool, "backup_1", chat_id, &carrying("", vec![short]), 2).await;
    assert!(matches!(outcome, Outcome::MediaGone(_)), "{outcome:?}");
    assert_eq!(world.calls("backup_1", "messages.sendMedia"), 0);
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unprepared_files_are_not_sent() {
    let (world, pool) = one_account().await;
    let chat_id = chat_id(&pool, "backup_1", "@client_1").await;
    let (account, content) = (name("backup_1"), carrying("", vec![photo(&world, 1)]));
    let part = part(&content, 1);
    let attempt = Attempt {
        account: &account,
        address: &chat_id.into(),
        part: &part,
        content: &content,
        binding: store::Binding::IfUnbound,
    };
    let outcome = pool.send(attempt).await;
    assert!(matches!(outcome, Outcome::Unavailable(_)), "{outcome:?}");
    assert_eq!(world.calls("backup_1", "messages.sendMedia"), 0);
    pool.stop(Duration::from_secs(5)).await;
}

fn post(channel: &str, message_id: i32) -> Media {
    let channel = channel.parse().expect("a name");
    let source = MediaSource::Post { channel, message_id: crate::it::world::message_id(message_id) };
    Media { source, form: MediaForm::Document, name: String::new(), mime: String::new() }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_media_of_a_post_are_sent_again() {
    let (world, pool) = one_account().await;
    let to = chat_id(&pool, "backup_1", "@client_1").await;
    let picture = outside(FileKind::Photo, &picture(1), 2);
    let order = message("main", "@demo_channel", vec![picture]);
    let message_id = world.telegram().write(&order).expect("posted").message_id;
    let again = carrying("again", vec![post("demo_channel", message_id)]);
    for random_id in 1..3 {
        ids(&deliver(&pool, "backup_1", to, &again, random_id).await);
        // Each time the post shows how its media are named.
        world.telegram().expire_files(None);
    }
    let entry = world.telegram().ledger(0, 10).pop().expect("it arrived");
    assert_eq!((entry.media.expect("media").kind, &*entry.text), (FileKind::Photo, "again"));
    assert_eq!(world.calls("backup_1", "upload.saveFilePart"), 0);
    let public = "demo_channel";
    for nothing in [post(public, message_id + 50), post("nobody_has_this", 1), post("client_1", 1)] {
        let outcome = deliver(&pool, "backup_1", to, &carrying("", vec![nothing]), 3).await;
        assert!(matches!(outcome, Outcome::MediaGone(_)), "{outcome:?}");
    }
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn media_are_a_service_of_their_own() {
    let (world, pool) = one_account().await;
    let chat_id = chat_id(&pool, "backup_1", "@client_1").await;
    ids(&deliver(&pool, "backup_1", chat_id, &carrying("", vec![photo(&world, 1)]), 1).await);
    let done = |service| pool.service(service).operations;
    assert_eq!((done(Service::SendMedia), done(Service::SendText)), (1, 0));
    pool.set_service(Service::SendMedia, ServiceAction::Stop).await.expect("stopped");
    let ready = |service| {
        let query = Query { service: Some(service), ..query("@client_1", None) };
        pool.candidates_now(&query).expect("known").able[0].readiness == Readiness::Ready
    };
    assert_eq!((ready(Service::SendMedia), ready(Service::SendText)), (false, true));
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_that_takes_no_photos_still_takes_texts() {
    let (world, pool) = one_account().await;
    let chat_id = chat_id(&pool, "backup_1", "@client_1").await;
    let refused = world.fault("backup_1", FaultName::RpcError).method("messages.sendMedia").times(1);
    refused.error(403, "CHAT_SEND_PHOTOS_FORBIDDEN").on();
    let outcome = deliver(&pool, "backup_1", chat_id, &carrying("", vec![photo(&world, 1)]), 1).await;
    assert_eq!(outcome, Outcome::Forbidden("CHAT_SEND_PHOTOS_FORBIDDEN".into()));
    assert_eq!(able(&candidates(&pool, "@client_1", None).await), ["backup_1"]);
    pool.stop(Duration::from_secs(5)).await;
}
