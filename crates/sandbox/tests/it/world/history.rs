//! Reading: by page, by text, by id; contacts and people.

use grammers_tl_types::{enums, functions, types};

use super::*;

fn search(peer: &enums::InputPeer, q: &str) -> functions::messages::Search {
    functions::messages::Search {
        peer: peer.clone(),
        q: q.into(),
        from_id: None,
        saved_peer_id: None,
        saved_reaction: None,
        top_msg_id: None,
        filter: enums::MessagesFilter::InputMessagesFilterEmpty,
        min_date: 0,
        max_date: 0,
        offset_id: 0,
        add_offset: 0,
        limit: 10,
        max_id: 0,
        min_id: 0,
        hash: 0,
    }
}

#[test]
fn history_comes_in_pages_newest_first() {
    let world = world();
    let main = Client::of(&world, "main");
    let peer = main.peer("demo_backup_1");
    for number in 1..=250 {
        main.send(&peer, &number.to_string(), number);
    }
    let mut seen = Vec::new();
    let mut offset_id = 0;
    loop {
        let page = messages_of(main.ask(&functions::messages::GetHistory {
            peer: peer.clone(),
            offset_id,
            offset_date: 0,
            add_offset: 0,
            limit: 100,
            max_id: 0,
            min_id: 0,
            hash: 0,
        }));
        let Some(last) = page.last() else { break };
        offset_id = last.id;
        seen.extend(page.into_iter().map(|message| message.message));
    }
    let expected: Vec<String> = (1..=250).rev().map(|number: i64| number.to_string()).collect();
    assert_eq!(seen, expected);
}

#[test]
fn texts_are_found_in_one_chat_and_in_all() {
    let world = world();
    let main = Client::of(&world, "main");
    let (user, supergroup) = (main.peer("client_1"), main.titled("Demo supergroup"));
    main.send(&user, "a Needle in the hay", 1);
    main.send(&supergroup, "another needle", 2);
    assert_eq!(messages_of(main.ask(&search(&user, "needle"))).len(), 1);
    assert_eq!(messages_of(main.ask(&search(&supergroup, "NEEDLE"))).len(), 1);
    assert_eq!(messages_of(main.ask(&search(&supergroup, "nothing of the sort"))).len(), 0);
    assert_eq!(messages_of(main.ask(&search(&enums::InputPeer::Empty, "needle"))).len(), 2);
    let mine =
        functions::messages::Search { from_id: Some(enums::InputPeer::PeerSelf), ..search(&supergroup, "") };
    assert!(messages_of(main.ask(&mine)).iter().all(|message| message.out));
    let pictures = functions::messages::Search {
        filter: enums::MessagesFilter::InputMessagesFilterPhotos,
        ..search(&supergroup, "")
    };
    assert!(messages_of(main.ask(&pictures)).is_empty());
}

#[test]
fn messages_are_found_by_id() {
    let world = world();
    let main = Client::of(&world, "main");
    let id = sent_id(&main.send(&main.peer("client_1"), "one", 1));
    let wanted = |id| vec![types::InputMessageId { id }.into(), types::InputMessageId { id: 99_999 }.into()];
    let enums::messages::Messages::Messages(found) =
        main.ask(&functions::messages::GetMessages { id: wanted(id) })
    else {
        panic!()
    };
    assert_eq!(found.messages[0].id(), id);
    assert!(matches!(found.messages[1], enums::Message::Empty(_)));
    let supergroup = main.titled("Demo supergroup");
    let id = sent_id(&main.send(&supergroup, "two", 2));
    let enums::InputPeer::Channel(channel) = supergroup else { panic!() };
    let (channel_id, access_hash) = (channel.channel_id, channel.access_hash);
    let channel = types::InputChannel { channel_id, access_hash }.into();
    let enums::messages::Messages::ChannelMessages(found) =
        main.ask(&functions::channels::GetMessages { channel, id: wanted(id) })
    else {
        panic!()
    };
    assert_eq!((found.messages[0].id(), found.count), (id, 2));
}

#[test]
fn people_are_known() {
    let world = world();
    let main = Client::of(&world, "main");
    let me = main.ask(&functions::users::GetUsers { id: vec![enums::InputUser::UserSelf] });
    let enums::User::User(me) = &me[0] else { panic!() };
    assert_eq!((me.is_self, me.username.as_deref()), (true, Some("demo_main")));
    let enums::users::UserFull::Full(full) =
        main.ask(&functions::users::GetFullUser { id: main.user("client_1") });
    let enums::UserFull::Full(about) = full.full_user;
    assert_eq!((about.id, about.common_chats_count), (6_000_000_001, 2));
    let enums::contacts::Contacts::Contacts(contacts) =
        main.ask(&functions::contacts::GetContacts { hash: 0 })
    else {
        panic!()
    };
    assert_eq!(contacts.contacts.len(), 64);
    let found =
        functions::contacts::Search { broadcasts: false, bots: false, q: "@client_6".into(), limit: 50 };
    let enums::contacts::Found::Found(found) = main.ask(&found);
    assert_eq!(found.my_results.len(), 6, "client_6 and client_60 to 64");
    let enums::account::Password::Password(password) = main.ask(&functions::account::GetPassword {});
    assert!(!password.has_password);
}
