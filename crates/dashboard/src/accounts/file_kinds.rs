//! Which files an account fetches as they come in, as a form ticks it.

use domain::FileKind;
use serde::Deserialize;

/// The boxes of a form; one that is not ticked sends nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FilesTicked {
    photo: Option<String>,
    video: Option<String>,
    video_note: Option<String>,
    animation: Option<String>,
    voice: Option<String>,
    audio: Option<String>,
    sticker: Option<String>,
    document: Option<String>,
}

impl FilesTicked {
    pub(super) fn of(kinds: &[FileKind]) -> Self {
        let box_of = |kind| kinds.contains(&kind).then(String::new);
        Self {
            photo: box_of(FileKind::Photo),
            video: box_of(FileKind::Video),
            video_note: box_of(FileKind::VideoNote),
            animation: box_of(FileKind::Animation),
            voice: box_of(FileKind::Voice),
            audio: box_of(FileKind::Audio),
            sticker: box_of(FileKind::Sticker),
            document: box_of(FileKind::Document),
        }
    }

    pub(super) const fn has(&self, kind: FileKind) -> bool {
        let ticked = match kind {
            FileKind::Photo => &self.photo,
            FileKind::Video => &self.video,
            FileKind::VideoNote => &self.video_note,
            FileKind::Animation => &self.animation,
            FileKind::Voice => &self.voice,
            FileKind::Audio => &self.audio,
            FileKind::Sticker => &self.sticker,
            FileKind::Document => &self.document,
        };
        ticked.is_some()
    }

    pub(super) fn words(&self) -> Vec<&'static str> {
        FileKind::ALL.into_iter().filter(|kind| self.has(*kind)).map(FileKind::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_box_is_read() {
        for kind in FileKind::ALL {
            let ticked: FilesTicked =
                serde_urlencoded::from_str(&format!("{}=yes", kind.as_str())).expect("a form");
            assert_eq!(
                (ticked.words(), FilesTicked::of(&[kind]).words()),
                (vec![kind.as_str()], ticked.words())
            );
        }
        assert_eq!(FilesTicked::default().words(), Vec::<&str>::new());
    }
}
