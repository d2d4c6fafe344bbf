//! Files: up in parts, into messages and albums, down again.

use grammers_tl_types::{enums, functions, types};
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// A picture of 320 × 240: its head is all that is looked at.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\x40\0\0\0\xf0\x08\x02 and so on";

fn save(client: &Client, id: i64, part: i32, bytes: &[u8]) -> bool {
    client.ask(&functions::upload::SaveFilePart { file_id: id, file_part: part, bytes: bytes.to_vec() })
}

fn small(id: i64, parts: i32, name: &str) -> enums::InputFile {
    types::InputFile { id, parts, name: name.into(), md5_checksum: String::new() }.into()
}

fn upload(client: &Client, id: i64, bytes: &[u8]) -> enums::InputFile {
    assert!(save(client, id, 0, bytes));
    small(id, 1, "file.bin")
}

fn photo(file: enums::InputFile) -> enums::InputMedia {
    types::InputMediaUploadedPhoto {
        spoiler: false,
        live_photo: false,
        file,
        stickers: None,
        ttl_seconds: None,
        video: None,
    }
    .into()
}

fn document(
    file: enums::InputFile,
    mime_type: &str,
    attributes: Vec<enums::DocumentAttribute>,
) -> enums::InputMedia {
    types::InputMediaUploadedDocument {
        nosound_video: false,
        force_file: false,
        spoiler: false,
        file,
        thumb: None,
        mime_type: mime_type.into(),
        attributes,
        stickers: None,
        video_cover: None,
        video_timestamp: None,
        ttl_seconds: None,
    }
    .into()
}

fn send_media(
    peer: &enums::InputPeer,
    media: enums::InputMedia,
    caption: &str,
    random_id: i64,
) -> functions::messages::SendMedia {
    functions::messages::SendMedia {
        silent: false,
        background: false,
        clear_draft: false,
        noforwards: false,
        update_stickersets_order: false,
        invert_media: false,
        allow_paid_floodskip: false,
        peer: peer.clone(),
        reply_to: None,
        media,
        message: caption.into(),
        random_id,
        reply_markup: None,
        entities: None,
        schedule_date: None,
        schedule_repeat_period: None,
        send_as: None,
        quick_reply_shortcut: None,
        effect: None,
        allow_paid_stars: None,
        suggested_post: None,
    }
}

fn single(media: enums::InputMedia, caption: &str, random_id: i64) -> enums::InputSingleMedia {
    types::InputSingleMedia { media, random_id, message: caption.into(), entities: None }.into()
}

fn album(
    peer: &enums::InputPeer,
    multi_media: Vec<enums::InputSingleMedia>,
) -> functions::messages::SendMultiMedia {
    functions::messages::SendMultiMedia {
        silent: false,
        background: false,
        clear_draft: false,
        noforwards: false,
        update_stickersets_order: false,
        invert_media: false,
        allow_paid_floodskip: false,
        peer: peer.clone(),
        reply_to: None,
        multi_media,
        schedule_date: None,
        send_as: None,
        quick_reply_shortcut: None,
        effect: None,
        allow_paid_stars: None,
    }
}

/// Makes a file of an upload, without sending it.
fn uploaded_media(client: &Client, peer: &enums::InputPeer, media: enums::InputMedia) -> enums::MessageMedia {
    client.ask(&functions::messages::UploadMedia { business_connection_id: None, peer: peer.clone(), media })
}

fn as_document(media: &enums::MessageMedia) -> types::Document {
    let enums::MessageMedia::Document(media) = media else { panic!("{media:?}") };
    let Some(enums::Document::Document(document)) = &media.document else { panic!("{media:?}") };
    document.clone()
}

fn as_photo(media: &enums::MessageMedia) -> types::Photo {
    let enums::MessageMedia::Photo(media) = media else { panic!("{media:?}") };
    let Some(enums::Photo::Photo(photo)) = &media.photo else { panic!("{media:?}") };
    photo.clone()
}

/// The same file once more.
fn again(media: &enums::MessageMedia) -> enums::InputMedia {
    if let enums::MessageMedia::Photo(_) = media {
        let types::Photo { id, access_hash, file_reference, .. } = as_photo(media);
        let id = types::InputPhoto { id, access_hash, file_reference }.into();
        return types::InputMediaPhoto {
            spoiler: false,
            live_photo: false,
            id,
            ttl_seconds: None,
            video: None,
        }
        .into();
    }
    let types::Document { id, access_hash, file_reference, .. } = as_document(media);
    let id = types::InputDocument { id, access_hash, file_reference }.into();
    types::InputMediaDocument {
        spoiler: false,
        id,
        video_cover: None,
        video_timestamp: None,
        ttl_seconds: None,
        query: None,
    }
    .into()
}

fn bytes(file: enums::upload::File) -> Vec<u8> {
    let enums::upload::File::File(file) = file else { panic!("{file:?}") };
    file.bytes
}

#[test]
fn a_photo_has_a_size_and_must_be_a_picture() {
    let world = world();
    let main = Client::of(&world, "main");
    let peer = main.peer("client_1");
    main.ask(&send_media(&peer, photo(upload(&main, 1, PICTURE)), "look", 1));
    let shown = as_photo(&main.newest(&peer, 1).remove(0).media.unwrap());
    let [enums::PhotoSize::Size(size)] = &shown.sizes[..] else { panic!("{shown:?}") };
    assert_eq!((size.r#type.as_str(), size.w, size.h), ("m", 320, 240));
    let get = |thumb_size: &str| functions::upload::GetFile {
        precise: true,
        cdn_supported: false,
        location: types::InputPhotoFileLocation {
            id: shown.id,
            access_hash: shown.access_hash,
            file_reference: shown.file_reference.clone(),
            thumb_size: thumb_size.into(),
        }
        .into(),
        offset: 0,
        limit: 1024,
    };
    assert_eq!(bytes(main.ask(&get("m"))), PICTURE);
    assert_eq!(main.refused(&get("w")), (400, "LOCATION_INVALID".into()));
    for (number, content, error) in [
        (2, &b"text"[..], "IMAGE_PROCESS_FAILED"),
        (3, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\x40\0\0\0\x01\x08\x02", "PHOTO_INVALID_DIMENSIONS"),
    ] {
        let refused = main.refused(&send_media(&peer, photo(upload(&main, number, content)), "", number));
        assert_eq!(refused, (400, error.into()));
    }
    let long = "я".repeat(1_025);
    let refused = main.refused(&send_media(&peer, photo(upload(&main, 4, PICTURE)), &long, 4));
    assert_eq!(refused, (400, "MEDIA_CAPTION_TOO_LONG".into()));
    main.ask(&send_media(&peer, photo(upload(&main, 4, PICTURE)), &long[..2_048], 4));
    assert_eq!(world.ledger(0, 9).len(), 2);
}

#[test]
fn an_album_is_sent_as_a_whole_or_not_at_all() {
    let world = world();
    let (main, backup) = (Client::of(&world, "main"), Client::of(&world, "backup_1"));
    let peer = main.titled("Demo supergroup");
    let mut listener = backup.listen();
    let picture = |number| uploaded_media(&main, &peer, photo(upload(&main, number, PICTURE)));
    let (one, two) = (picture(1), picture(2));
    let text = uploaded_media(&main, &peer, document(upload(&main, 3, b"text"), "text/plain", Vec::new()));
    let items =
        |second: &enums::MessageMedia| vec![single(again(&one), "both", 11), single(again(second), "", 12)];
    assert_eq!(main.refused(&album(&peer, items(&text))), (400, "MEDIA_GROUPED_INVALID".into()));
    let raw = vec![single(again(&one), "", 11), single(photo(small(1, 1, "x")), "", 12)];
    assert_eq!(main.refused(&album(&peer, raw)), (400, "MEDIA_INVALID".into()));
    let many = (1..=11).map(|number| single(again(&one), "", number)).collect();
    assert_eq!(main.refused(&album(&peer, many)), (400, "MULTI_MEDIA_TOO_LONG".into()));
    assert_eq!(main.refused(&album(&peer, Vec::new())), (400, "MEDIA_EMPTY".into()));
    let same = vec![single(again(&one), "", 11), single(again(&two), "", 11)];
    assert_eq!(main.refused(&album(&peer, same)), (400, "RANDOM_ID_INVALID".into()));
    let foreign = vec![single(again(&one), "", 11), single(again(&two), "", 12)];
    let there = backup.titled("Demo supergroup");
    assert_eq!(backup.refused(&album(&there, foreign)), (400, "MEDIA_EMPTY".into()));
    assert_eq!(world.ledger(0, 9), []);
    listener.nothing();

    let enums::Updates::Updates(first) = main.ask(&album(&peer, items(&two))) else { panic!() };
    let enums::Updates::Updates(repeat) = main.ask(&album(&peer, items(&two))) else { panic!() };
    assert_eq!(first.updates, repeat.updates);
    let rows = world.ledger(0, 9);
    let recorded: Vec<_> =
        rows.iter().map(|row| (&*row.method, row.random_id.unwrap(), &*row.text)).collect();
    assert_eq!(recorded, [("messages.sendMultiMedia", 11, "both"), ("messages.sendMultiMedia", 12, "")]);
    let groups: Vec<_> = rows.iter().map(|row| row.media.as_ref().unwrap().grouped_id.unwrap()).collect();
    assert_eq!(groups[0], groups[1]);
    for _ in 0..2 {
        let enums::Update::NewChannelMessage(new) = &listener.next().updates[0] else { panic!() };
        let enums::Message::Message(message) = &new.message else { panic!() };
        assert_eq!(message.grouped_id, Some(groups[0]));
        assert_eq!(as_photo(message.media.as_ref().unwrap()).sizes.len(), 1);
    }
    listener.nothing();
}

#[test]
fn faults_apply_to_files() {
    let world = world();
    let main = Client::of(&world, "main");
    let peer = main.peer("client_1");
    fault(&world, json!({"fault": "flood_wait", "seconds": 9, "method": "upload.saveFilePart", "times": 1}));
    let part = functions::upload::SaveFilePart { file_id: 1, file_part: 0, bytes: vec![1] };
    assert_eq!(main.refused(&part), (420, "FLOOD_WAIT_9".into()));
    let input = document(upload(&main, 1, b"bytes"), "", Vec::new());
    fault(&world, json!({"fault": "drop_answer", "method": "messages.sendMedia", "times": 1}));
    let request = send_media(&peer, input, "", 1);
    assert_eq!(main.hear(&request), Outcome::Silence);
    main.ask(&request);
    assert_eq!(world.ledger(0, 9).len(), 1);
}

/// While a call is delayed its `random_id`s are taken; then it takes effect.
#[tokio::test(start_paused = true)]
async fn a_delayed_album_holds_its_random_ids() {
    let world = world();
    let main = Client::of(&world, "main");
    let peer = main.peer("client_1");
    let picture = uploaded_media(&main, &peer, photo(upload(&main, 1, PICTURE)));
    fault(&world, json!({"fault": "delay", "seconds": 5, "method": "messages.sendMultiMedia", "times": 1}));
    let request = album(&peer, vec![single(again(&picture), "", 1), single(again(&picture), "", 2)]);
    let Handling::Later(later) = main.handle(&request) else { panic!() };
    assert_eq!(main.refused(&request), (500, "RANDOM_ID_DUPLICATE".into()));
    let single = send_media(&peer, again(&picture), "", 2);
    assert_eq!(main.refused(&single), (500, "RANDOM_ID_DUPLICATE".into()));
    assert!(matches!(later.await.into(), Outcome::Answer(_)));
    assert_eq!(world.ledger(0, 9).len(), 2);
    main.ask(&request);
    assert_eq!(world.ledger(0, 9).len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
}
