//! As what a file is sent, in the words of a message. Pure.

use std::time::Duration;

use domain::media::MediaForm;
use media::Wish;
use media::kind::{self, Facts, Kind, Pixels};

/// The form of a file of this kind. `streamable` is the caller's word on videos, which stream otherwise.
pub(super) fn form(kind: Kind, facts: &Facts, streamable: Option<bool>) -> MediaForm {
    let sides = |pixels: Option<Pixels>| pixels.map_or((0, 0), |pixels| (pixels.width, pixels.height));
    let millis = |duration: Option<Duration>| {
        duration.map_or(0, |duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    };
    match kind {
        Kind::Photo(Pixels { width, height }) => MediaForm::Photo { width, height },
        Kind::Video(tracks) => {
            let (width, height) = sides(tracks.and_then(|tracks| tracks.pixels));
            MediaForm::Video {
                width,
                height,
                duration_ms: millis(tracks.and_then(|tracks| tracks.duration)),
                streamable: streamable.unwrap_or(true),
                silent: tracks.is_some_and(|tracks| tracks.picture && !tracks.sound),
            }
        }
        Kind::Animation(pixels) => {
            let (width, height) = sides(pixels);
            let duration_ms = millis(facts.tracks.and_then(|tracks| tracks.duration));
            MediaForm::Animation { width, height, duration_ms }
        }
        Kind::Voice(duration) => MediaForm::Voice { duration_ms: millis(duration) },
        Kind::Audio(duration) => MediaForm::Audio { duration_ms: millis(duration) },
        Kind::Document => MediaForm::Document,
    }
}

/// As what a file is sent unless its caller says otherwise, in a word.
pub(crate) fn kind_of(facts: &Facts, name: &str) -> &'static str {
    let kind = kind::choose(facts, name, Wish::Auto, u64::MAX).unwrap_or(Kind::Document);
    form(kind, facts, None).as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::Content;
    use media::kind::Tracks;

    #[test]
    fn known_attributes_are_sent_and_the_others_are_zero() {
        let pixels = Pixels { width: 640, height: 480 };
        let tracks = Tracks {
            duration: Some(Duration::from_millis(1_500)),
            pixels: Some(pixels),
            picture: true,
            sound: false,
        };
        let facts = Facts { content: Content::Mp4, size: 9, pixels: None, tracks: Some(tracks) };
        let video = |tracks, word| form(Kind::Video(tracks), &facts, word);
        let known = |streamable| MediaForm::Video {
            width: 640,
            height: 480,
            duration_ms: 1_500,
            streamable,
            silent: true,
        };
        assert_eq!(video(Some(tracks), None), known(true));
        assert_eq!(video(Some(tracks), Some(true)), known(true));
        assert_eq!(video(Some(tracks), Some(false)), known(false));
        let unknown =
            MediaForm::Video { width: 0, height: 0, duration_ms: 0, streamable: true, silent: false };
        assert_eq!(video(None, None), unknown);
        let moving = form(Kind::Animation(Some(pixels)), &facts, None);
        assert_eq!(moving, MediaForm::Animation { width: 640, height: 480, duration_ms: 1_500 });
        let photo = form(Kind::Photo(pixels), &facts, Some(true));
        assert_eq!(photo, MediaForm::Photo { width: 640, height: 480 });
        assert_eq!(form(Kind::Voice(None), &facts, None), MediaForm::Voice { duration_ms: 0 });
        assert_eq!(form(Kind::Document, &facts, None), MediaForm::Document);
    }
}
