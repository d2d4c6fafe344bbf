//! Changing what is in a chat: editing, deleting, marking as read, typing.

use std::time::Duration;

use domain::text::{Entity, EntityKind, FormattedText};
use sandbox::telegram::{FaultName, NewMessage};
use telegram::{ChangeError, Edit, Typing};

use crate::it::files::ids;
use crate::it::world::{World, chat, message_id, name, one_account, send};

fn edit(text: &str) -> Edit {
    Edit { text: FormattedText::plain(text), preview: false }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_gets_another_text_and_is_deleted() {
    let (world, pool) = one_account().await;
    for (number, to) in (1..).zip(["@client_1".to_owned(), world.demo("Demo supergroup")]) {
        let sent = ids(&send(&pool, "backup_1", &to, "before", number).await)[0];
        let (to, id) = (chat(&to), message_id(sent));
        let mut after = edit("after all");
        after.text.entities.push(Entity { offset: 0, length: 5, kind: EntityKind::Bold });
        let changed = pool.edit_message(&to, id, after.clone(), None).await.expect("changed");
        assert_eq!(changed.account, name("backup_1"));
        // What says this already, and a call whose answer is lost, come to the same.
        world.fault("backup_1", FaultName::Disconnect).method("messages.editMessage").times(1).on();
        pool.edit_message(&to, id, edit("at last"), None).await.expect("changed");
        pool.edit_message(&to, id, edit("at last"), None).await.expect("as it is");
        let shown = world.telegram().message(&changed.chat_id.to_string(), id.get(), Some("backup_1"));
        assert_eq!(shown.expect("there").text, "at last");
        pool.delete_message(&to, id, true, None).await.expect("deleted");
        pool.delete_message(&to, id, true, None).await.expect("gone already");
        assert!(world.telegram().message(&changed.chat_id.to_string(), id.get(), Some("backup_1")).is_err());
        let gone = pool.edit_message(&to, id, edit("too late"), None).await;
        assert!(
            matches!(gone, Err(ChangeError::NoSuchMessage { message_id: gone, .. }) if gone == id),
            "{gone:?}"
        );
    }
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_another_chat_is_not_deleted() {
    let (world, pool) = one_account().await;
    let sent = ids(&send(&pool, "backup_1", "@client_1", "mine", 1).await)[0];
    let id = message_id(sent);
    let deleted = pool.delete_message(&chat("@client_2"), id, true, None).await.expect("nothing there");
    assert_eq!(deleted.account, name("backup_1"));
    let there = world.telegram().ledger(0, 1)[0].chat_id.clone();
    assert_eq!(world.telegram().message(&there, id.get(), Some("backup_1")).expect("there").text, "mine");
    pool.stop(Duration::from_secs(5)).await;
}

/// Messages of a customer in a chat of the account, by their ids.
fn written(world: &World, chat: &str, count: usize) -> Vec<i32> {
    let one = |number| {
        let order = NewMessage {
            from: "@client_1".to_owned(),
            chat: chat.to_owned(),
            text: format!("question {number}"),
            media: Vec::new(),
            album: None,
            buttons: Vec::new(),
            keyboard: Vec::new(),
            account: Some("backup_1".to_owned()),
        };
        world.telegram().write(&order).expect("written").message_id
    };
    (0..count).map(one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_is_read_to_the_given_message_or_its_end() {
    let (world, pool) = one_account().await;
    for (to, chat_of_the_customer) in [
        ("@client_1".to_owned(), "backup_1".to_owned()),
        (world.demo("Demo group"), world.demo("Demo group")),
        (world.demo("Demo supergroup"), world.demo("Demo supergroup")),
    ] {
        let ids = written(&world, &chat_of_the_customer, 4);
        let read = || {
            let attention = world.telegram().attention("backup_1", &to).expect("a chat");
            (attention.read_up_to, attention.unread)
        };
        assert!(read().0 < ids[0] && read().1 >= 4, "{to}: nothing of it is read: {:?}", read());
        pool.mark_read(&chat(&to), Some(message_id(ids[1])), None).await.expect("read");
        assert_eq!(read(), (ids[1], 2), "{to}");
        pool.mark_read(&chat(&to), Some(message_id(ids[0])), None).await.expect("read");
        assert_eq!(read(), (ids[1], 2), "{to}: what was read stays so");
        pool.mark_read(&chat(&to), Some(message_id(ids[2])), Some(&name("backup_1"))).await.expect("read");
        assert_eq!(read(), (ids[2], 1), "{to}");
        pool.mark_read(&chat(&to), None, None).await.expect("read");
        assert_eq!(read(), (ids[3], 0), "{to}");
    }
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_requested_chat_action_is_shown() {
    let (world, pool) = one_account().await;
    for to in ["@client_1".to_owned(), world.demo("Demo supergroup")] {
        let mut expected = Vec::new();
        for typing in Typing::ALL {
            pool.typing(&chat(&to), typing, None).await.expect("shown");
            expected.push(match typing {
                Typing::Typing => "sendMessageTypingAction",
                Typing::UploadPhoto => "sendMessageUploadPhotoAction",
                Typing::UploadDocument => "sendMessageUploadDocumentAction",
                Typing::RecordVoice => "sendMessageRecordAudioAction",
                Typing::Cancel => "sendMessageCancelAction",
            });
            let shown = world.telegram().attention("backup_1", &to).expect("a chat").typing;
            assert_eq!(shown, expected, "{to}: {typing:?}");
        }
    }
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_reported_as_what_they_are() {
    let (world, pool) = one_account().await;
    let to = chat("@client_1");
    let sent = ids(&send(&pool, "backup_1", "@client_1", "before", 1).await)[0];
    let id = message_id(sent);
    let refused = |code: i32, message: &str| {
        world.fault("backup_1", FaultName::RpcError).method("messages.editMessage").error(code, message)
    };
    for (code, message, expected) in [
        (400, "MESSAGE_EDIT_TIME_EXPIRED", "Rejected"),
        (403, "MESSAGE_AUTHOR_REQUIRED", "NoRights"),
        (400, "PEER_ID_INVALID", "NotFound"),
    ] {
        refused(code, message).times(1).on();
        let error = pool.edit_message(&to, id, edit("after"), None).await.expect_err("refused");
        assert!(format!("{error:?}").starts_with(expected), "{error:?}");
    }
    refused(500, "INTERNAL").times(3).on();
    let error = pool.edit_message(&to, id, edit("after"), None).await.expect_err("not known");
    assert!(matches!(error, ChangeError::Unknown(_)), "{error:?}");
    refused(500, "INTERNAL").times(2).on();
    pool.edit_message(&to, id, edit("after"), None).await.expect("the third time");
    world.fault("backup_1", FaultName::FloodWait).method("messages.editMessage").seconds(300.0).times(1).on();
    for _ in 0..2 {
        let error = pool.edit_message(&to, id, edit("again"), None).await.expect_err("flooded");
        assert!(matches!(error, ChangeError::FloodWait { .. }), "{error:?}");
    }
    let error = pool.typing(&chat("@nobody_has_this"), Typing::Typing, None).await.expect_err("nobody");
    assert!(matches!(error, ChangeError::NotFound { .. }), "{error:?}");
    pool.stop(Duration::from_secs(5)).await;
}
