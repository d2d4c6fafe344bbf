//! What a provider can carry, as data.

use std::fmt;
use std::time::Duration;

use domain::MessageState;
use domain::media::{Media, MediaForm, MediaSource};
use domain::message::Content;
use domain::text::{ParseMode, TextLimit};

/// What a sender can do in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// The longest text of one part; a longer one leaves in several.
    pub text: TextLimit,
    /// The longest text below media; `None` where media have none, so that the text follows them.
    pub caption: Option<TextLimit>,
    /// Whether messages can be sent; false where they only come in.
    pub sends: bool,
    /// Whether a message can answer another; where it cannot, it is sent without that.
    pub reply: bool,
    /// Which media arrive together.
    pub album: Album,
    /// How a text may have been written that has formatting; one without any is always taken.
    pub parse_modes: &'static [ParseMode],
    /// The media that it carries.
    pub media: &'static [MediaKind],
    /// What it can do besides sending.
    pub actions: &'static [Action],
    /// The states after [`MessageState::Sent`] that the provider reports.
    pub states: &'static [MessageState],
    /// What the provider has against doubles.
    pub dedup: Dedup,
}

/// Which media arrive together, but for voice messages and animations, which arrive alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Album {
    /// So many photos and films at most; 1 where each arrives alone.
    pub visual: usize,
    /// So many documents, or so many audio files.
    pub files: usize,
    /// Whether photos and films, documents and audio files go together.
    pub mixed: bool,
    /// So many bytes together at most; none where each counts alone.
    pub bytes: Option<u64>,
}

impl Album {
    /// Each arrives alone.
    pub const NONE: Self = Self { visual: 1, files: 1, mixed: false, bytes: None };
    /// So many of one kind.
    pub const fn of_one_kind(most: usize) -> Self {
        Self { visual: most, files: most, mixed: false, bytes: None }
    }

    /// The most that arrive together.
    pub const fn most(&self) -> usize {
        if self.visual > self.files { self.visual } else { self.files }
    }
}

/// What a provider has against doubles: it decides what follows an attempt of which it is not known whether it arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dedup {
    /// An attempt with the same key has its effect once, so that the same is tried again.
    Key {
        /// How long the provider knows a key, less what one attempt may take; `None` for ever. After that a look decides.
        window: Option<Duration>,
    },
    /// There is no key, and what was taken can be read. [`crate::Sender::find`] says that a part is not there only where
    /// it was not taken and will not be; then it is sent again.
    ReadBack,
    /// Neither: it is in doubt at once, and never sent again by itself.
    None,
}

/// What can be done to chats and messages besides sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The text of a sent message is changed.
    Edit,
    /// A sent message is removed.
    Delete,
    /// What others wrote is marked as read.
    MarkRead,
    /// Others see that something is being written.
    Typing,
}

/// What media are to whom carries them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaKind {
    /// A picture that is shown.
    Photo,
    /// A film that is shown.
    Video,
    /// A short film without sound that runs by itself.
    Animation,
    /// A voice message.
    Voice,
    /// Music or speech.
    Audio,
    /// A file as it is.
    Document,
    /// The media of a public post.
    Post,
    /// A file that the provider has already.
    FileId,
}

impl MediaKind {
    /// Every one.
    pub const ALL: [Self; 8] = [
        Self::Photo,
        Self::Video,
        Self::Animation,
        Self::Voice,
        Self::Audio,
        Self::Document,
        Self::Post,
        Self::FileId,
    ];

    /// The kind of these.
    pub const fn of(media: &Media) -> Self {
        match (&media.source, &media.form) {
            (MediaSource::Post { .. }, _) => Self::Post,
            (MediaSource::FileId { .. }, _) => Self::FileId,
            (MediaSource::File { .. }, MediaForm::Photo { .. }) => Self::Photo,
            (MediaSource::File { .. }, MediaForm::Video { .. }) => Self::Video,
            (MediaSource::File { .. }, MediaForm::Animation { .. }) => Self::Animation,
            (MediaSource::File { .. }, MediaForm::Voice { .. }) => Self::Voice,
            (MediaSource::File { .. }, MediaForm::Audio { .. }) => Self::Audio,
            (MediaSource::File { .. }, MediaForm::Document) => Self::Document,
        }
    }
}

impl fmt::Display for MediaKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Photo => "photo",
            Self::Video => "video",
            Self::Animation => "animation",
            Self::Voice => "voice message",
            Self::Audio => "audio file",
            Self::Document => "document",
            Self::Post => "media of a post",
            Self::FileId => "file id",
        })
    }
}

/// Something of a message that its provider does not carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotCarried {
    /// Messages only come in.
    #[error("messages only come in here, none can be sent")]
    Messages,
    /// Media of a kind that it does not take.
    #[error("this chat takes no {kind}; it takes {}", listed(takes))]
    Media {
        /// Their place in the message, counted from 0.
        index: usize,
        /// What they are.
        kind: MediaKind,
        /// What it takes.
        takes: &'static [MediaKind],
    },
    /// Formatting that it cannot show.
    #[error("this chat takes no formatting written as {mode}; use {}", modes(takes))]
    Formatting {
        /// How it was written.
        mode: ParseMode,
        /// What it takes.
        takes: &'static [ParseMode],
    },
}

impl NotCarried {
    /// The field of the message.
    pub fn field(&self) -> String {
        match self {
            Self::Messages => "chat".to_owned(),
            Self::Media { index, .. } => format!("media[{index}]"),
            Self::Formatting { .. } => "parse_mode".to_owned(),
        }
    }
}

fn listed<T: fmt::Display>(all: &[T]) -> String {
    if all.is_empty() {
        return "texts only".to_owned();
    }
    all.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}

fn modes(takes: &[ParseMode]) -> String {
    let others = takes.iter().copied().filter(|mode| *mode != ParseMode::None);
    listed(&others.chain([ParseMode::None]).collect::<Vec<_>>())
}

impl Capabilities {
    /// Whether all of a message can be carried.
    ///
    /// # Errors
    /// The first thing that cannot.
    pub(crate) fn carries(&self, content: &Content) -> Result<(), NotCarried> {
        if !self.sends {
            return Err(NotCarried::Messages);
        }
        for (index, media) in content.media.iter().enumerate() {
            let kind = MediaKind::of(media);
            if !self.media.contains(&kind) {
                return Err(NotCarried::Media { index, kind, takes: self.media });
            }
        }
        let mode = content.parse_mode;
        if !content.text.entities.is_empty() && !self.parse_modes.contains(&mode) {
            return Err(NotCarried::Formatting { mode, takes: self.parse_modes });
        }
        Ok(())
    }
}

/// Of a provider that takes much.
#[cfg(test)]
pub(crate) const LARGE: Capabilities = Capabilities {
    text: TextLimit::new(4_096, domain::text::Unit::Utf16),
    caption: Some(TextLimit::new(1_024, domain::text::Unit::Utf16)),
    sends: true,
    reply: true,
    album: Album::of_one_kind(10),
    parse_modes: &[ParseMode::Html],
    media: &MediaKind::ALL,
    actions: &[],
    states: &[],
    dedup: Dedup::Key { window: None },
};
