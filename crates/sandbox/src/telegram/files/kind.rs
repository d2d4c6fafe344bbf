//! What kind of thing a file is in a message, and which kinds may be together in an album.

use grammers_tl_types::enums::DocumentAttribute;
use serde::{Deserialize, Serialize};

/// How a file is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// A picture that Telegram shows in sizes.
    Photo,
    /// A film with sound.
    Video,
    /// A round film.
    VideoNote,
    /// A film without sound that plays by itself.
    Animation,
    /// A voice message.
    Voice,
    /// A piece of music.
    Audio,
    /// Anything else.
    Document,
}

impl FileKind {
    pub(crate) fn of_document(mime_type: &str, attributes: &[DocumentAttribute]) -> Self {
        let mut kind = Self::Document;
        for attribute in attributes {
            match attribute {
                DocumentAttribute::Animated => return Self::Animation,
                DocumentAttribute::Video(video) if video.round_message => return Self::VideoNote,
                DocumentAttribute::Video(_) if mime_type.starts_with("video/") => kind = Self::Video,
                DocumentAttribute::Audio(audio) if audio.voice => return Self::Voice,
                DocumentAttribute::Audio(_) => kind = Self::Audio,
                _ => {}
            }
        }
        kind
    }

    /// Kinds with the same company may be in one album; a kind with none is sent alone.
    fn company(self) -> Option<Self> {
        match self {
            Self::Photo | Self::Video => Some(Self::Photo),
            Self::Audio => Some(Self::Audio),
            Self::Document => Some(Self::Document),
            Self::VideoNote | Self::Animation | Self::Voice => None,
        }
    }
}

/// Whether these may be one album.
pub(crate) fn make_an_album(kinds: &[FileKind]) -> bool {
    let Some(company) = kinds.first().and_then(|first| first.company()) else { return false };
    kinds.iter().all(|kind| kind.company() == Some(company))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::FileKind::{Animation, Audio, Document, Photo, Video, VideoNote, Voice};
    use super::*;

    #[test]
    fn albums_mix_photos_with_videos_but_no_other_kinds() {
        for album in [&[Photo, Video, Photo][..], &[Audio, Audio], &[Document, Document], &[Video]] {
            assert!(make_an_album(album), "{album:?}");
        }
        for mixed in [&[Photo, Document][..], &[Audio, Document], &[Voice, Voice], &[Photo, Animation], &[]] {
            assert!(!make_an_album(mixed), "{mixed:?}");
        }
    }

    proptest! {
        #[test]
        fn order_and_repeats_do_not_matter(
            kinds in proptest::collection::vec(
                proptest::sample::select(vec![Photo, Video, VideoNote, Animation, Voice, Audio, Document]), 1..10),
        ) {
            let mut turned = kinds.clone();
            turned.reverse();
            turned.extend(&kinds);
            prop_assert_eq!(make_an_album(&kinds), make_an_album(&turned));
        }
    }
}
