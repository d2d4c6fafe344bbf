//! Who is in the contacts of an account: known before they write, and followed as they change with other apps.

use std::time::Duration;

use domain::ChatId;
use sandbox::telegram::{NewAccount, NewContact};
use telegram::{Pool, PoolParts};

use crate::it::world::{World, name};

const ACCOUNT: &str = "backup_1";

/// A person whom Telegram never showed to the account.
fn stranger(world: &World, name: &str) -> ChatId {
    let place = world.telegram().accounts().len() + 1;
    let phone = format!("+7000000{place:04}");
    let order = NewAccount { name: name.to_owned(), phone, dialogs: 0, dc_id: 2 };
    let account = world.telegram().add_account(&order).expect("an account");
    ChatId::user(account.user_id).expect("a person")
}

/// The account's owner saves someone with another app, or takes them out.
fn save(world: &World, user: &str, remove: bool) {
    let order = NewContact { account: ACCOUNT.to_owned(), user: user.to_owned(), remove };
    world.telegram().save_contact(&order).expect("saved");
}

/// Waits until this is the one contact that is kept.
async fn until_stored(world: &World, wanted: ChatId) {
    let waiting = async {
        loop {
            let all = world.store.peers().all(&name(ACCOUNT)).await.expect("readable");
            let found = all.into_iter().filter(|peer| peer.contact).map(|peer| peer.chat_id);
            if found.collect::<Vec<_>>() == [wanted] {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), waiting).await.expect("the contact is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_are_known_before_they_write() {
    let world = World::new().await.only(&[ACCOUNT]);
    let (friend, other) = (stranger(&world, "friend"), stranger(&world, "other"));
    save(&world, "friend", false);
    // Where it is of no use they are not asked for.
    let pool = world.ready().await;
    pool.stop(Duration::from_secs(5)).await;
    assert_eq!(world.calls(ACCOUNT, "contacts.getContacts"), 0);

    let pool = Pool::start(PoolParts { contacts: true, ..world.parts() }).await.expect("accounts");
    until_stored(&world, friend).await;
    save(&world, "other", false);
    save(&world, "friend", true);
    // They are asked for once a minute at most.
    world.clock.advance(Duration::from_mins(1));
    until_stored(&world, other).await;
    assert!(world.calls(ACCOUNT, "contacts.getContacts") >= 2);
    world.end(&pool).await;
}
