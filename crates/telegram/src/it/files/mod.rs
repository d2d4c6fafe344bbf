//! Files: what the tests about them share.

mod downloading;
mod fetching;
mod file_ids;
mod finding;
mod sending;
mod uploading;

use std::io::Cursor;
use std::time::Duration;

use ambient::Ids;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use delivery::{Attempt, Sender};
use domain::media::{FileKey, Media, MediaForm, MediaSource, Sha256};
use domain::message::{Content, Part, PartItem, PartState};
use domain::text::FormattedText;
use domain::{ChatId, Outcome};
use sandbox::telegram::{FileKind, NewFile, NewMessage};
use sha2::Digest;
use telegram::Pool;

use crate::it::world::{World, content, name};

pub(crate) const PHOTO: MediaForm = MediaForm::Photo { width: 320, height: 240 };

/// Bytes that a picture could begin with; the number makes them different.
pub(crate) fn picture(number: u8) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\x40\0\0\0\xf0\x08\x02".to_vec();
    bytes.extend([number; 100]);
    bytes
}

/// So many bytes of which no two pieces are alike.
pub(crate) fn noise(count: usize) -> Vec<u8> {
    let mut state = 7_u64;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[2]
    })
    .take(count)
    .collect()
}

pub(crate) fn put(world: &World, bytes: &[u8], name: &str, mime: &str, form: MediaForm) -> Media {
    let key = FileKey::from_uuid(Ids::new(world.clock.clone()).next());
    std::io::copy(
        &mut Cursor::new(bytes),
        &mut std::fs::File::create(world.outgoing.path(&key)).expect("a file"),
    )
    .expect("written");
    let sha256 = Sha256(sha2::Sha256::digest(bytes).into());
    let source = MediaSource::File { key, size: bytes.len() as u64, sha256 };
    Media { source, form, name: name.to_owned(), mime: mime.to_owned() }
}

pub(crate) fn photo(world: &World, number: u8) -> Media {
    put(world, &picture(number), "a.png", "image/png", PHOTO)
}

pub(crate) fn carrying(caption: &str, media: Vec<Media>) -> Content {
    Content { media, ..content(caption) }
}

/// All of its media in one part; `random_id`s count from the one given.
pub(crate) fn part(content: &Content, first: i64) -> Part {
    let items = (0..).zip(&content.media).map(|(place, _)| PartItem {
        random_id: first + i64::from(place),
        media: Some(place),
        message_id: None,
    });
    let text = FormattedText::plain(&content.text.text);
    Part { index: 0, text, items: items.collect(), state: PartState::Begun }
}

/// Prepares a part and sends it, as the delivery does; again while it is to be tried again.
pub(crate) async fn deliver(
    pool: &Pool,
    account: &str,
    chat_id: ChatId,
    content: &Content,
    first: i64,
) -> Outcome {
    let (account, part) = (name(account), part(content, first));
    let attempt = Attempt {
        account: &account,
        address: &chat_id.into(),
        part: &part,
        content,
        binding: store::Binding::IfUnbound,
    };
    for _ in 0..500 {
        let outcome = match pool.prepare(attempt).await {
            Ok(()) => pool.send(attempt).await,
            Err(outcome) => outcome,
        };
        match outcome {
            Outcome::Unavailable(_) | Outcome::Unprepared(_) => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            outcome => return outcome,
        }
    }
    panic!("tried too often");
}

pub(crate) fn ids(outcome: &Outcome) -> Vec<i64> {
    let Outcome::Sent(ids) = outcome else { panic!("{outcome:?}") };
    ids.iter().map(|id| id.and_then(domain::ProviderId::number).expect("known")).collect()
}

pub(crate) fn outside(kind: FileKind, bytes: &[u8], dc_id: i32) -> NewFile {
    let content = STANDARD.encode(bytes);
    NewFile {
        kind,
        content,
        size: None,
        file_name: Some("theirs.bin".to_owned()),
        mime_type: None,
        dc_id,
        said_dc_id: None,
    }
}

pub(crate) fn message(from: &str, chat: &str, media: Vec<NewFile>) -> NewMessage {
    NewMessage {
        from: from.to_owned(),
        chat: chat.to_owned(),
        text: String::new(),
        media,
        album: None,
        buttons: Vec::new(),
        keyboard: Vec::new(),
        account: None,
    }
}
