//! Bringing files down: whole, in part, when their reference expired, and what there is none of.

use std::time::Duration;

use domain::account::AccountState;
use domain::media::MediaForm;
use futures::{StreamExt, TryStreamExt};
use sandbox::telegram::{FaultName, FileKind, NewFile};
use telegram::{DownloadError, DownloadOf, DownloadRange, Pool};

use super::{carrying, deliver, ids, message, noise, outside, picture, put};
use crate::it::world::{chat, chat_id, message_id, name, one_account, send, view};

async fn bytes(pool: &Pool, what: DownloadOf, range: DownloadRange) -> Vec<u8> {
    let download = pool.download(what, range).await.expect("found");
    download.stream.try_collect::<Vec<_>>().await.expect("whole").concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_comes_down_whole_and_in_part() {
    let (world, pool) = one_account().await;
    let chat_id = chat_id(&pool, "backup_1", "@client_1").await;
    let content = noise(3 * 512 * 1024 + 77);
    let file = put(&world, &content, "a.pdf", "application/pdf", MediaForm::Document);
    let message_id =
        message_id(ids(&deliver(&pool, "backup_1", chat_id, &carrying("", vec![file]), 1).await)[0]);
    let sent = || DownloadOf::Sent { account: name("backup_1"), chat_id, message_id };
    let download = pool.download(sent(), DownloadRange::default()).await.expect("found");
    assert_eq!(
        (download.name.as_str(), download.mime.as_str(), download.size),
        ("a.pdf", "application/pdf", content.len() as u64)
    );
    assert_eq!(download.stream.try_collect::<Vec<_>>().await.expect("whole").concat(), content);
    for (offset, limit) in [(0, Some(1)), (524_287, Some(2)), (600_000, None), (5, Some(9_999_999))] {
        let count = limit.map_or(usize::MAX, |limit: u64| usize::try_from(limit).expect("small"));
        let from = usize::try_from(offset).expect("small");
        let to = from.saturating_add(count).min(content.len());
        let range = DownloadRange { offset, limit };
        assert!(bytes(&pool, sent(), range).await == content[from..to], "{range:?}");
    }
    let behind = DownloadRange { offset: content.len() as u64, limit: None };
    let refused = pool.download(sent(), behind).await.map(|_| ());
    assert_eq!(refused, Err(DownloadError::OutOfRange { size: content.len() as u64 }));
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unread_parts_are_not_requested() {
    let (world, pool) = one_account().await;
    let chat_id = chat_id(&pool, "backup_1", "@client_1").await;
    let file = put(&world, &noise(6 * 512 * 1024), "a.bin", "", MediaForm::Document);
    let message_id =
        message_id(ids(&deliver(&pool, "backup_1", chat_id, &carrying("", vec![file]), 1).await)[0]);
    let sent = DownloadOf::Sent { account: name("backup_1"), chat_id, message_id };
    let mut download = pool.download(sent, DownloadRange::default()).await.expect("found");
    assert_eq!(world.calls("backup_1", "upload.getFile"), 1);
    download.stream.next().await.expect("a piece").expect("read");
    download.stream.next().await.expect("a piece").expect("read");
    assert_eq!(world.calls("backup_1", "upload.getFile"), 2);
    drop(download);
    pool.stop(Duration::from_secs(5)).await;
    assert_eq!(world.calls("backup_1", "upload.getFile"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn download_renews_references_and_retries_pieces() {
    let (world, pool) = one_account().await;
    let group = world.demo("Demo supergroup");
    let chat_id = chat_id(&pool, "backup_1", &group).await;
    let content = noise(3 * 512 * 1024);
    let file = put(&world, &content, "a.bin", "", MediaForm::Document);
    let message_id =
        message_id(ids(&deliver(&pool, "backup_1", chat_id, &carrying("", vec![file]), 1).await)[0]);
    let what = DownloadOf::InChat { chat: chat(&group), message_id, pin: None };
    let mut download = pool.download(what, DownloadRange::default()).await.expect("found");
    let mut read = download.stream.next().await.expect("a piece").expect("read").to_vec();
    world.telegram().expire_files(None);
    world.fault("backup_1", FaultName::DisconnectBefore).method("upload.getFile").times(1).on();
    read.extend(download.stream.try_collect::<Vec<_>>().await.expect("whole").concat());
    assert!(read == content);
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_comes_down_and_a_text_has_nothing() {
    let (world, pool) = one_account().await;
    let chat_id = chat_id(&pool, "backup_1", "@client_1").await;
    let message = carrying("", vec![super::photo(&world, 3)]);
    let number = ids(&deliver(&pool, "backup_1", chat_id, &message, 1).await)[0];
    let sent =
        |number| DownloadOf::Sent { account: name("backup_1"), chat_id, message_id: message_id(number) };
    assert_eq!(bytes(&pool, sent(number), DownloadRange::default()).await, picture(3));
    let text = ids(&send(&pool, "backup_1", "@client_1", "text", 2).await)[0];
    for (number, expected) in [(text, DownloadError::NoMedia), (number + 99, DownloadError::NoSuchMessage)] {
        let refused = pool.download(sent(number), DownloadRange::default()).await.map(|_| ());
        assert_eq!(refused, Err(expected));
    }
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_comes_down_from_another_data_centre() {
    let (world, pool) = one_account().await;
    let content = noise(2 * 512 * 1024 + 9);
    let order = message("@client_1", "backup_1", vec![outside(FileKind::Document, &content, 4)]);
    let message_id = message_id(world.telegram().write(&order).expect("written").message_id);
    let what = || DownloadOf::InChat { chat: chat("@client_1"), message_id, pin: None };
    let whole = DownloadRange::default();
    assert!(bytes(&pool, what(), whole).await == content);
    // The key is made and let in once, also when the connection was dropped in between.
    assert!(bytes(&pool, what(), whole).await == content);
    let greetings =
        || world.telegram().calls(None, Some("help.getConfig")).iter().map(|call| call.count).sum::<u64>();
    let before = greetings();
    for _ in 0..200 {
        world.clock.advance(Duration::from_secs(6));
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(bytes(&pool, what(), whole).await == content);
        if greetings() > before {
            break;
        }
    }
    assert!(greetings() > before, "the connection was never dropped");
    assert_eq!(world.calls("backup_1", "auth.exportAuthorization"), 1);
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_another_data_centre_has_ended_is_made_again() {
    let ended = [(401, "SESSION_REVOKED"), (401, "AUTH_KEY_UNREGISTERED"), (406, "AUTH_KEY_DUPLICATED")];
    let (world, pool) = one_account().await;
    let content = noise(99);
    let order = message("@client_1", "backup_1", vec![outside(FileKind::Document, &content, 4)]);
    let message_id = message_id(world.telegram().write(&order).expect("written").message_id);
    let what = || DownloadOf::InChat { chat: chat("@client_1"), message_id, pin: None };
    assert!(bytes(&pool, what(), DownloadRange::default()).await == content);
    for (code, message) in ended {
        let fault = world.fault("backup_1", FaultName::RpcError).method("upload.getFile");
        fault.error(code, message).times(1).on();
        assert!(bytes(&pool, what(), DownloadRange::default()).await == content, "{message}");
        assert_eq!(view(&pool, "backup_1").state, AccountState::Ready, "{message}");
    }
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn moved_file_is_followed_to_its_data_centre() {
    let (world, pool) = one_account().await;
    let content = noise(512 * 1024 + 9);
    for (dc_id, stated_dc_id) in [(4, 2), (2, 4)] {
        let file = NewFile { said_dc_id: Some(stated_dc_id), ..outside(FileKind::Document, &content, dc_id) };
        let order = message("@client_1", "backup_1", vec![file]);
        let message_id = message_id(world.telegram().write(&order).expect("written").message_id);
        let before = world.calls("backup_1", "upload.getFile");
        let what = DownloadOf::InChat { chat: chat("@client_1"), message_id, pin: None };
        assert!(bytes(&pool, what, DownloadRange::default()).await == content, "{dc_id}");
        // It is sent on once, and asks for the rest where it was sent.
        assert_eq!(world.calls("backup_1", "upload.getFile") - before, 3, "{dc_id}");
    }
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_redirects_of_a_file_end_in_an_error() {
    let (world, pool) = one_account().await;
    let order = message("@client_1", "backup_1", vec![outside(FileKind::Document, &noise(99), 2)]);
    let message_id = message_id(world.telegram().write(&order).expect("written").message_id);
    world.fault("backup_1", FaultName::RpcError).method("upload.getFile").error(303, "FILE_MIGRATE_2").on();
    let what = DownloadOf::InChat { chat: chat("@client_1"), message_id, pin: None };
    let refused = pool.download(what, DownloadRange::default()).await.map(|_| ());
    assert!(
        matches!(&refused, Err(DownloadError::Failed(why)) if why.contains("FILE_MIGRATE")),
        "{refused:?}"
    );
    assert_eq!(world.calls("backup_1", "upload.getFile"), 4);
    pool.stop(Duration::from_secs(5)).await;
}
