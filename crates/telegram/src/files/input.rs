//! How media are named in a call, and what an answer says about them. Pure.

use domain::media::{Media, MediaForm};
use domain::{AccessHash, Timestamp};
use grammers_tl_types::{enums, types};
use store::{FileReference, RemoteKind};

/// Under what a reference to media is kept: what they were sent as, and how they are called, as a reference shows the
/// name that they were sent with.
pub(super) fn form_of(media: &Media) -> String {
    match &media.form {
        MediaForm::Photo { .. } => "photo".to_owned(),
        MediaForm::Video { streamable: true, .. } => format!("video_streamable/{}", media.name),
        MediaForm::Video { streamable: false, .. } => format!("video/{}", media.name),
        MediaForm::Animation { .. } => format!("animation/{}", media.name),
        MediaForm::Voice { .. } => "voice".to_owned(),
        MediaForm::Audio { .. } => format!("audio/{}", media.name),
        MediaForm::Document => format!("document/{}", media.name),
    }
}

pub(super) fn uploaded(media: &Media, file: enums::InputFile) -> enums::InputMedia {
    if matches!(media.form, MediaForm::Photo { .. }) {
        return types::InputMediaUploadedPhoto {
            spoiler: false,
            live_photo: false,
            file,
            stickers: None,
            ttl_seconds: None,
            video: None,
        }
        .into();
    }
    let mime_type = if media.mime.is_empty() { "application/octet-stream" } else { &media.mime };
    types::InputMediaUploadedDocument {
        // Else a film without sound would be shown as an animation.
        nosound_video: matches!(media.form, MediaForm::Video { silent: true, .. }),
        force_file: media.form == MediaForm::Document,
        spoiler: false,
        file,
        thumb: None,
        mime_type: mime_type.to_owned(),
        attributes: attributes(media),
        stickers: None,
        video_cover: None,
        video_timestamp: None,
        ttl_seconds: None,
    }
    .into()
}

fn attributes(media: &Media) -> Vec<enums::DocumentAttribute> {
    let mut attributes = Vec::new();
    match media.form {
        MediaForm::Photo { .. } | MediaForm::Document => {}
        MediaForm::Video { width, height, duration_ms, streamable, silent } => {
            attributes.push(film(width, height, duration_ms, streamable, silent));
        }
        MediaForm::Animation { width, height, duration_ms } => {
            attributes.push(if media.mime.starts_with("video/") {
                film(width, height, duration_ms, true, true)
            } else {
                types::DocumentAttributeImageSize { w: pixels(width), h: pixels(height) }.into()
            });
            attributes.push(enums::DocumentAttribute::Animated);
        }
        MediaForm::Voice { duration_ms } => attributes.push(sound(duration_ms, true)),
        MediaForm::Audio { duration_ms } => attributes.push(sound(duration_ms, false)),
    }
    // A voice message has no name.
    if !matches!(media.form, MediaForm::Voice { .. }) && !media.name.is_empty() {
        attributes.push(types::DocumentAttributeFilename { file_name: media.name.clone() }.into());
    }
    attributes
}

fn film(
    width: u32,
    height: u32,
    duration_ms: u64,
    streamable: bool,
    silent: bool,
) -> enums::DocumentAttribute {
    #[expect(clippy::cast_precision_loss, reason = "no film is long enough to lose a millisecond")]
    let duration = duration_ms as f64 / 1_000.0;
    types::DocumentAttributeVideo {
        round_message: false,
        supports_streaming: streamable,
        nosound: silent,
        duration,
        w: pixels(width),
        h: pixels(height),
        preload_prefix_size: None,
        video_start_ts: None,
        video_codec: None,
    }
    .into()
}

fn sound(duration_ms: u64, voice: bool) -> enums::DocumentAttribute {
    let duration = i32::try_from(duration_ms.div_ceil(1_000)).unwrap_or(i32::MAX);
    types::DocumentAttributeAudio { voice, duration, title: None, performer: None, waveform: None }.into()
}

fn pixels(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

pub(super) fn named(
    kind: RemoteKind,
    id: i64,
    AccessHash(access_hash): AccessHash,
    file_reference: Vec<u8>,
) -> enums::InputMedia {
    match kind {
        RemoteKind::Photo => types::InputMediaPhoto {
            spoiler: false,
            live_photo: false,
            id: types::InputPhoto { id, access_hash, file_reference }.into(),
            ttl_seconds: None,
            video: None,
        }
        .into(),
        RemoteKind::Document => types::InputMediaDocument {
            spoiler: false,
            id: types::InputDocument { id, access_hash, file_reference }.into(),
            video_cover: None,
            video_timestamp: None,
            ttl_seconds: None,
            query: None,
        }
        .into(),
    }
}

/// The same, by a reference that was kept.
pub(super) fn by_reference(reference: &FileReference) -> enums::InputMedia {
    let FileReference { kind, id, access_hash, file_reference, .. } = reference;
    named(*kind, *id, *access_hash, file_reference.clone())
}

/// How the media of an answer can be named from now on. Nothing for what is no file.
pub(super) fn reference(media: &enums::MessageMedia, saved_at: Timestamp) -> Option<FileReference> {
    let (kind, id, access_hash, file_reference) = match media {
        enums::MessageMedia::Photo(media) => match media.photo.as_ref()? {
            enums::Photo::Photo(it) => (RemoteKind::Photo, it.id, it.access_hash, &it.file_reference),
            enums::Photo::Empty(_) => return None,
        },
        enums::MessageMedia::Document(media) => match media.document.as_ref()? {
            enums::Document::Document(it) => {
                (RemoteKind::Document, it.id, it.access_hash, &it.file_reference)
            }
            enums::Document::Empty(_) => return None,
        },
        _ => return None,
    };
    let access_hash = AccessHash(access_hash);
    Some(FileReference { kind, id, access_hash, file_reference: file_reference.clone(), saved_at })
}

/// What can be seen of media in a message: enough to know whether they are the ones that were sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) word: &'static str,
    /// In bytes; none for a photo, which Telegram makes again.
    pub(crate) size: Option<u64>,
}

/// What can be seen of media; nothing of those that are no file.
pub(crate) fn shown(media: &enums::MessageMedia) -> Option<Shown> {
    match media {
        enums::MessageMedia::Photo(media) => {
            media.photo.as_ref().map(|_| Shown { word: "photo", size: None })
        }
        enums::MessageMedia::Document(media) => {
            let Some(enums::Document::Document(document)) = &media.document else { return None };
            let mut word = "document";
            for attribute in &document.attributes {
                match attribute {
                    enums::DocumentAttribute::Animated => {
                        word = "animation";
                        break;
                    }
                    enums::DocumentAttribute::Video(_) => word = "video",
                    enums::DocumentAttribute::Audio(audio) if audio.voice => word = "voice",
                    enums::DocumentAttribute::Audio(_) => word = "audio",
                    _ => {}
                }
            }
            Some(Shown { word, size: u64::try_from(document.size).ok() })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use domain::media::MediaSource;

    use super::*;

    fn media(form: MediaForm, name: &str, mime: &str) -> Media {
        let source = MediaSource::FileId { file_id: "x".into() };
        Media { source, form, name: name.into(), mime: mime.into() }
    }

    fn document(media: &Media) -> types::InputMediaUploadedDocument {
        let file = types::InputFileBig { id: 1, parts: 1, name: "a".into() };
        match uploaded(media, file.into()) {
            enums::InputMedia::UploadedDocument(document) => document,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_form_is_sent_as_its_own_kind() {
        let form =
            MediaForm::Video { width: 320, height: 240, duration_ms: 1_500, streamable: true, silent: true };
        let video = document(&media(form, "a.mp4", "video/mp4"));
        assert!(video.nosound_video && !video.force_file);
        let enums::DocumentAttribute::Video(film) = &video.attributes[0] else { panic!("{video:?}") };
        assert_eq!((film.w, film.h, film.supports_streaming), (320, 240, true));
        assert!((film.duration - 1.5).abs() < f64::EPSILON);
        let voice = document(&media(MediaForm::Voice { duration_ms: 1_001 }, "a.ogg", "audio/ogg"));
        let [enums::DocumentAttribute::Audio(sound)] = &voice.attributes[..] else { panic!("{voice:?}") };
        assert_eq!((sound.voice, sound.duration), (true, 2));
        let plain = document(&media(MediaForm::Document, "a.jpg", ""));
        assert!(plain.force_file && plain.mime_type == "application/octet-stream");
        let gif = MediaForm::Animation { width: 1, height: 1, duration_ms: 0 };
        let gif = document(&media(gif, "a.gif", "image/gif"));
        assert!(gif.attributes.contains(&enums::DocumentAttribute::Animated));
        assert!(!gif.attributes.iter().any(|one| matches!(one, enums::DocumentAttribute::Video(_))));
    }

    #[test]
    fn a_reference_is_stored_for_one_form_and_name() {
        let photo = |name| form_of(&media(MediaForm::Photo { width: 1, height: 1 }, name, ""));
        assert_eq!(photo("a"), photo("b"));
        let plain = |name| form_of(&media(MediaForm::Document, name, ""));
        assert_ne!(plain("a"), plain("b"));
        assert_ne!(plain("a"), photo("a"));
    }
}
