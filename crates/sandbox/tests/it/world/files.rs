//! Files: up in parts, into messages and albums, down again.

use grammers_tl_types::{enums, functions, types};
use proptest::prelude::*;
use sandbox::telegram::FileKind;
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

fn named(name: &str) -> Vec<enums::DocumentAttribute> {
    vec![types::DocumentAttributeFilename { file_name: name.into() }.into()]
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
fn kept(client: &Client, peer: &enums::InputPeer, media: enums::InputMedia) -> enums::MessageMedia {
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

fn get(document: &types::Document, offset: i64, limit: i32) -> functions::upload::GetFile {
    let location = types::InputDocumentFileLocation {
        id: document.id,
        access_hash: document.access_hash,
        file_reference: document.file_reference.clone(),
        thumb_size: String::new(),
    };
    functions::upload::GetFile {
        precise: false,
        cdn_supported: false,
        location: location.into(),
        offset,
        limit,
    }
}

fn bytes(file: enums::upload::File) -> Vec<u8> {
    let enums::upload::File::File(file) = file else { panic!("{file:?}") };
    file.bytes
}

#[test]
fn a_document_goes_up_in_parts_and_comes_down_in_pieces() {
    let world = world();
    let main = Client::of(&world, "main");
    let peer = main.peer("client_1");
    let whole: Vec<u8> = (0..20_000_u32).map(|i| u8::try_from(i % 251).unwrap()).collect();
    for (number, part) in (0..).zip(whole.chunks(8_192)).collect::<Vec<_>>().into_iter().rev() {
        assert!(save(&main, 5, number, part));
    }
    let input = document(small(5, 3, "x"), "text/plain", named("a.txt"));
    let updates = main.ask(&send_media(&peer, input, "see", 1));
    let sent = main.newest(&peer, 1).remove(0);
    assert_eq!((sent.id, sent.message.as_str(), sent.grouped_id), (sent_id(&updates), "see", None));
    let shown = as_document(sent.media.as_ref().unwrap());
    assert_eq!((shown.mime_type.as_str(), shown.size, shown.dc_id), ("text/plain", 20_000, 2));
    assert_eq!(shown.attributes, named("a.txt"));
    let mut read = Vec::new();
    for offset in (0..20_480).step_by(4_096) {
        read.extend(bytes(main.ask(&get(&shown, offset, 4_096))));
    }
    assert_eq!(read, whole);
    assert_eq!(bytes(main.ask(&get(&shown, 1024 * 1024, 4_096))), b"");
    assert_eq!(main.refused(&get(&shown, 1, 4_096)), (400, "OFFSET_INVALID".into()));
    assert_eq!(main.refused(&get(&shown, 0, 5)), (400, "LIMIT_INVALID".into()));
    let row = &world.ledger(0, 9)[0];
    let note = row.media.as_ref().unwrap();
    assert_eq!((row.method, &*row.text, note.kind), ("messages.sendMedia", "see", FileKind::Document));
    assert_eq!((note.file_name.as_deref(), note.size), (Some("a.txt"), 20_000));
    assert_eq!((&note.md5, note.file_id), (&world.files()[0].file.md5, shown.id));
    assert_eq!(row.random_id, Some(1));
}

#[test]
fn a_repeat_is_answered_with_the_first_message_even_when_the_upload_is_gone() {
    let world = world();
    let main = Client::of(&world, "main");
    let peer = main.titled("Demo supergroup");
    let input = document(upload(&main, 5, b"once"), "", Vec::new());
    let first = sent_id(&main.ask(&send_media(&peer, input, "", 7)));
    let repeat = send_media(&peer, document(small(99, 3, "x"), "", Vec::new()), "", 7);
    assert_eq!(sent_id(&main.ask(&repeat)), first);
    // Whatever the method was.
    assert_eq!(sent_id(&main.send(&peer, "text", 7)), first);
    assert_eq!(world.ledger(0, 9).len(), 1);
    let other = send_media(&peer, document(small(99, 3, "x"), "", Vec::new()), "", 8);
    assert_eq!(main.refused(&other), (400, "FILE_PART_0_MISSING".into()));
    assert_eq!(
        main.refused(&send_media(&peer, document(upload(&main, 6, b"a"), "", Vec::new()), "", 0)),
        (400, "RANDOM_ID_EMPTY".into())
    );
}

#[test]
fn a_document_is_what_its_attributes_say() {
    let world = world();
    let main = Client::of(&world, "main");
    let peer = main.peer("client_1");
    let video = types::DocumentAttributeVideo {
        round_message: false,
        supports_streaming: true,
        nosound: false,
        duration: 2.5,
        w: 640,
        h: 480,
        preload_prefix_size: None,
        video_start_ts: None,
        video_codec: None,
    };
    let voice = types::DocumentAttributeAudio {
        voice: true,
        duration: 3,
        title: None,
        performer: None,
        waveform: None,
    };
    let cases = [
        ("video/mp4", vec![video.clone().into()], FileKind::Video),
        ("video/mp4", vec![video.clone().into(), enums::DocumentAttribute::Animated], FileKind::Animation),
        ("application/pdf", vec![video.clone().into()], FileKind::Document),
        ("audio/ogg", vec![voice.clone().into()], FileKind::Voice),
        ("audio/mpeg", vec![types::DocumentAttributeAudio { voice: false, ..voice }.into()], FileKind::Audio),
    ];
    for (number, (mime_type, attributes, kind)) in (1..).zip(cases) {
        let input = document(upload(&main, number, &[1]), mime_type, attributes.clone());
        main.ask(&send_media(&peer, input, "", number));
        let row = world.ledger(0, 9).pop().unwrap();
        assert_eq!(row.media.unwrap().kind, kind, "{mime_type} {attributes:?}");
        let shown = main.newest(&peer, 1).remove(0).media.unwrap();
        assert_eq!(as_document(&shown).attributes, attributes);
        let enums::MessageMedia::Document(shown) = shown else { panic!() };
        assert_eq!((shown.voice, shown.video), (kind == FileKind::Voice, kind == FileKind::Video));
    }
    let file = upload(&main, 9, &[1]);
    let enums::InputMedia::UploadedDocument(mut forced) = document(file, "video/mp4", vec![video.into()])
    else {
        panic!()
    };
    forced.force_file = true;
    main.ask(&send_media(&peer, forced.into(), "", 99));
    assert_eq!(world.ledger(0, 9).pop().unwrap().media.unwrap().kind, FileKind::Document);
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
    let mut heard = backup.listen();
    let picture = |number| kept(&main, &peer, photo(upload(&main, number, PICTURE)));
    let (one, two) = (picture(1), picture(2));
    let text = kept(&main, &peer, document(upload(&main, 3, b"text"), "text/plain", Vec::new()));
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
    heard.nothing();

    let enums::Updates::Updates(first) = main.ask(&album(&peer, items(&two))) else { panic!() };
    let enums::Updates::Updates(repeat) = main.ask(&album(&peer, items(&two))) else { panic!() };
    assert_eq!(first.updates, repeat.updates);
    let rows = world.ledger(0, 9);
    let told: Vec<_> = rows.iter().map(|row| (row.method, row.random_id.unwrap(), &*row.text)).collect();
    assert_eq!(told, [("messages.sendMultiMedia", 11, "both"), ("messages.sendMultiMedia", 12, "")]);
    let groups: Vec<_> = rows.iter().map(|row| row.media.as_ref().unwrap().grouped_id.unwrap()).collect();
    assert_eq!(groups[0], groups[1]);
    for _ in 0..2 {
        let enums::Update::NewChannelMessage(new) = &heard.next().updates[0] else { panic!() };
        let enums::Message::Message(message) = &new.message else { panic!() };
        assert_eq!(message.grouped_id, Some(groups[0]));
        assert_eq!(as_photo(message.media.as_ref().unwrap()).sizes.len(), 1);
    }
    heard.nothing();
}

#[test]
fn a_reference_expires_and_the_message_has_a_new_one() {
    let world = world();
    let main = Client::of(&world, "main");
    let peer = main.peer("client_1");
    main.ask(&send_media(&peer, document(upload(&main, 1, b"bytes"), "", Vec::new()), "", 1));
    let old = main.newest(&peer, 1).remove(0).media.unwrap();
    main.ask(&send_media(&peer, again(&old), "again", 2));
    assert_eq!(world.expire_files(None).files, 1);
    assert_eq!(main.refused(&send_media(&peer, again(&old), "", 3)), (400, "FILE_REFERENCE_EXPIRED".into()));
    assert_eq!(main.refused(&get(&as_document(&old), 0, 4_096)), (400, "FILE_REFERENCE_EXPIRED".into()));
    let items = vec![single(again(&old), "", 4)];
    assert_eq!(main.refused(&album(&peer, items)), (400, "FILE_REFERENCE_0_EXPIRED".into()));
    let new = main.newest(&peer, 1).remove(0).media.unwrap();
    main.ask(&send_media(&peer, again(&new), "", 3));
    assert_eq!(bytes(main.ask(&get(&as_document(&new), 0, 4_096))), b"bytes");
    let mut wrong = as_document(&new);
    wrong.file_reference = vec![1, 2];
    assert_eq!(main.refused(&get(&wrong, 0, 4_096)), (400, "FILE_REFERENCE_INVALID".into()));
    wrong.access_hash += 1;
    assert_eq!(main.refused(&get(&wrong, 0, 4_096)), (400, "LOCATION_INVALID".into()));
    assert_eq!(world.ledger(0, 9).len(), 3);
}

#[test]
fn a_public_post_is_sent_again_and_a_file_is_fetched_where_it_lies() {
    let world = world();
    let main = Client::of(&world, "main");
    let order = json!({
        "from": "main", "chat": "@demo_channel", "text": "the price list",
        "media": [{"kind": "document", "content": "YWJj", "size": 100_000, "file_name": "p.pdf", "dc_id": 4}],
    });
    let written = world.write(&serde_json::from_value(order).unwrap()).unwrap();
    let channel = main.peer("demo_channel");
    let post = main.newest(&channel, 1).remove(0);
    assert_eq!((post.id, post.message.as_str()), (written.message_id, "the price list"));
    let media = post.media.unwrap();
    let peer = main.peer("client_1");
    main.ask(&send_media(&peer, again(&media), "", 1));
    let row = world.ledger(0, 9).pop().unwrap().media.unwrap();
    assert_eq!((row.file_name.as_deref(), row.size), (Some("p.pdf"), 100_000));
    assert_eq!(
        world.message(&written.chat_id, written.message_id, None).unwrap().media.unwrap().md5,
        row.md5
    );
    assert_eq!(main.refused(&get(&as_document(&media), 0, 4_096)), (303, "FILE_MIGRATE_4".into()));
    let enums::auth::ExportedAuthorization::Authorization(exported) =
        main.ask(&functions::auth::ExportAuthorization { dc_id: 4 });
    let there = Client::with(&world, AuthKeyId(77), 4);
    there.ask(&functions::auth::ImportAuthorization { id: exported.id, bytes: exported.bytes });
    assert_eq!(bytes(there.ask(&get(&as_document(&media), 0, 4_096)))[..6], *b"abcabc");
}

#[test]
fn a_caption_is_edited_and_an_album_is_forwarded_as_another() {
    let world = world();
    let main = Client::of(&world, "main");
    let (peer, other) = (main.peer("client_1"), main.peer("client_2"));
    let picture = kept(&main, &peer, photo(upload(&main, 1, PICTURE)));
    main.ask(&album(&peer, vec![single(again(&picture), "a", 1), single(again(&picture), "b", 2)]));
    let sent = main.newest(&peer, 2);
    let edit = |message: &str| functions::messages::EditMessage {
        no_webpage: false,
        invert_media: false,
        peer: peer.clone(),
        id: sent[0].id,
        message: Some(message.into()),
        media: None,
        reply_markup: None,
        entities: None,
        schedule_date: None,
        schedule_repeat_period: None,
        quick_reply_shortcut_id: None,
        rich_message: None,
    };
    main.ask(&edit(""));
    assert_eq!(main.refused(&edit("")), (400, "MESSAGE_NOT_MODIFIED".into()));
    assert_eq!(main.refused(&edit(&"x".repeat(1_025))), (400, "MEDIA_CAPTION_TOO_LONG".into()));
    let edited = main.newest(&peer, 1).remove(0);
    assert_eq!((edited.message.as_str(), edited.media), ("", sent[0].media.clone()));
    main.ask(&super::forwarding::forward(&peer, &other, &[(sent[1].id, 3), (sent[0].id, 4)]));
    let forwarded = main.newest(&other, 2);
    assert!(forwarded[0].grouped_id.is_some());
    assert_eq!(forwarded[0].grouped_id, forwarded[1].grouped_id);
    assert_ne!(forwarded[0].grouped_id, sent[0].grouped_id);
}

#[test]
fn faults_strike_files_too() {
    let world = world();
    let main = Client::of(&world, "main");
    let peer = main.peer("client_1");
    fault(&world, json!({"fault": "flood_wait", "seconds": 9, "method": "upload.saveFilePart", "times": 1}));
    let part = functions::upload::SaveFilePart { file_id: 1, file_part: 0, bytes: vec![1] };
    assert_eq!(main.refused(&part), (420, "FLOOD_WAIT_9".into()));
    let input = document(upload(&main, 1, b"bytes"), "", Vec::new());
    fault(&world, json!({"fault": "drop_answer", "method": "messages.sendMedia", "times": 1}));
    let request = send_media(&peer, input, "", 1);
    assert_eq!(main.hear(&request), Heard::Silence);
    main.ask(&request);
    assert_eq!(world.ledger(0, 9).len(), 1);
}

/// While a call is delayed its `random_id`s are taken; then it takes effect.
#[tokio::test(start_paused = true)]
async fn a_delayed_album_holds_its_random_ids() {
    let world = world();
    let main = Client::of(&world, "main");
    let peer = main.peer("client_1");
    let picture = kept(&main, &peer, photo(upload(&main, 1, PICTURE)));
    fault(&world, json!({"fault": "delay", "seconds": 5, "method": "messages.sendMultiMedia", "times": 1}));
    let request = album(&peer, vec![single(again(&picture), "", 1), single(again(&picture), "", 2)]);
    let Handling::Later(later) = main.handle(&request) else { panic!() };
    assert_eq!(main.refused(&request), (500, "RANDOM_ID_DUPLICATE".into()));
    let single = send_media(&peer, again(&picture), "", 2);
    assert_eq!(main.refused(&single), (500, "RANDOM_ID_DUPLICATE".into()));
    assert!(matches!(later.await.into(), Heard::Answer(_)));
    assert_eq!(world.ledger(0, 9).len(), 2);
    main.ask(&request);
    assert_eq!(world.ledger(0, 9).len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_pieces_of_a_file_are_the_file(size in 1_usize..70_000, step in 0_u32..6) {
        let world = world_of(1, 0);
        let main = Client::of(&world, "main");
        let peer = main.peer("client_1");
        let whole: Vec<u8> = (0..size).map(|i| u8::try_from(i * 7 % 253).unwrap()).collect();
        let length = 1024 << step;
        for (number, part) in (0..).zip(whole.chunks(length)) {
            save(&main, 1, number, part);
        }
        let parts = i32::try_from(size.div_ceil(length)).unwrap();
        let shown = as_document(&kept(&main, &peer, document(small(1, parts, "x"), "", Vec::new())));
        let mut read = Vec::new();
        for offset in (0..).step_by(8_192).take(size / 8_192 + 1) {
            read.extend(bytes(main.ask(&get(&shown, offset, 8_192))));
        }
        prop_assert_eq!(read, whole);
    }
}
