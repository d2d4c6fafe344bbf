//! What a file is, recognized by its content, and as what it is sent.

mod content;
mod image;
mod mp4;
mod ogg;

use std::io::{self, Read, Seek, SeekFrom};
use std::time::Duration;

pub use content::{Content, mime};

/// Photos that Telegram takes as photos: at most this many bytes.
const MOST_PHOTO_BYTES: u64 = 10 * 1024 * 1024;

/// The most that width and height of a photo may be together.
const MOST_PHOTO_SIDES: u64 = 10_000;

/// The most that one side of a photo may be of the other.
const MOST_PHOTO_RATIO: u64 = 20;

/// Width and height, as the header of a picture or a film says them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pixels {
    pub width: u32,
    pub height: u32,
}

/// What the tracks of a film or a recording say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tracks {
    /// How long it plays, where that is said.
    pub duration: Option<Duration>,
    /// The size of the picture, where there is one and it is said.
    pub pixels: Option<Pixels>,
    pub picture: bool,
    pub sound: bool,
}

/// What the content of a file says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    pub content: Content,
    /// Its size in bytes.
    pub size: u64,
    /// The size of the picture, for pictures whose header can be read.
    pub pixels: Option<Pixels>,
    /// The tracks, for MP4, MOV and Ogg Opus files that can be read.
    pub tracks: Option<Tracks>,
}

/// What a caller wants a file to be sent as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Wish {
    /// As what it is.
    #[default]
    Auto,
    /// As a file, whatever it is.
    Document,
    /// As a voice message.
    Voice,
    /// As a moving picture without sound that plays by itself.
    Animation,
}

/// As what a file is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A photo, which Telegram makes smaller.
    Photo(Pixels),
    /// A video, and what its tracks say, where they can be read.
    Video(Option<Tracks>),
    /// A GIF, or a film without sound, that plays by itself.
    Animation(Option<Pixels>),
    /// A voice message, and how long it is, where that is said.
    Voice(Option<Duration>),
    /// Music, and how long it is, where that is said.
    Audio(Option<Duration>),
    Document,
}

/// Why a file cannot be sent as wished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotThat {
    #[error("the file is empty")]
    Empty,
    #[error("the file is larger than {most} bytes")]
    TooLarge {
        /// The bound, in bytes.
        most: u64,
    },
    #[error("a voice message is an Ogg Opus, MP3 or M4A file; send this one as a document")]
    NoVoice,
    #[error("an animation is a GIF, or an MP4 file without sound; send this one as a document")]
    NoAnimation,
}

/// Looks at the headers of a file of `size` bytes. Reads a few kilobytes of it, wherever in it they are; what cannot be
/// made out is left unsaid. Blocks for as long as the reader does.
pub fn look<R: Read + Seek>(reader: &mut R, size: u64) -> io::Result<Facts> {
    reader.seek(SeekFrom::Start(0))?;
    let mut head = Vec::with_capacity(content::HEAD);
    reader.by_ref().take(content::HEAD as u64).read_to_end(&mut head)?;
    let sniffed = content::sniff(&head);
    let (mut pixels, mut tracks) = (None, None);
    match sniffed {
        Content::Jpeg => pixels = spoiled(image::jpeg(reader))?,
        Content::Png => pixels = image::png(&head),
        Content::Gif => pixels = image::gif(&head),
        Content::Webp => pixels = image::webp(&head),
        Content::Mp4 | Content::Quicktime | Content::M4a => tracks = spoiled(mp4::tracks(reader, size))?,
        Content::OggOpus => tracks = spoiled(ogg::opus(reader, size, &head))?,
        _ => {}
    }
    let content = match (sniffed, tracks) {
        // The brand of the container says little; what is in it counts.
        (Content::Mp4, Some(Tracks { picture: false, sound: true, .. })) => Content::M4a,
        (Content::M4a, Some(Tracks { picture: true, .. })) => Content::Mp4,
        (sniffed, _) => sniffed,
    };
    Ok(Facts { content, size, pixels, tracks })
}

/// A file that ends within its headers is no trouble of the reader.
fn spoiled<T>(read: io::Result<Option<T>>) -> io::Result<Option<T>> {
    match read {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        read => read,
    }
}

/// As what a file is sent. Its name is asked only for what its content does not show; `most` is the largest file that is
/// sent, in bytes.
pub fn choose(facts: &Facts, name: &str, wish: Wish, most: u64) -> Result<Kind, NotThat> {
    if facts.size == 0 {
        return Err(NotThat::Empty);
    }
    if facts.size > most {
        return Err(NotThat::TooLarge { most });
    }
    match wish {
        Wish::Document => Ok(Kind::Document),
        Wish::Auto => Ok(by_content(facts, name)),
        Wish::Voice => voice(facts).ok_or(NotThat::NoVoice),
        Wish::Animation => animation(facts).ok_or(NotThat::NoAnimation),
    }
}

fn by_content(facts: &Facts, name: &str) -> Kind {
    // Old callers have every film as one that plays while it loads, whatever its format.
    if mime(facts.content, name).starts_with("video/") {
        return Kind::Video(facts.tracks);
    }
    let duration = facts.tracks.and_then(|tracks| tracks.duration);
    match facts.content {
        Content::Jpeg | Content::Png | Content::Webp => facts
            .pixels
            .filter(|pixels| fits_a_photo(facts.size, *pixels))
            .map_or(Kind::Document, Kind::Photo),
        Content::Gif => Kind::Animation(facts.pixels),
        Content::OggOpus => Kind::Voice(duration),
        Content::Mp3 | Content::M4a | Content::Flac | Content::OggVorbis | Content::Wav | Content::Aac => {
            Kind::Audio(duration)
        }
        _ => Kind::Document,
    }
}

fn fits_a_photo(size: u64, pixels: Pixels) -> bool {
    let (width, height) = (u64::from(pixels.width), u64::from(pixels.height));
    let (short, long) = (width.min(height), width.max(height));
    size <= MOST_PHOTO_BYTES
        && short > 0
        && width + height <= MOST_PHOTO_SIDES
        && long <= short * MOST_PHOTO_RATIO
}

fn voice(facts: &Facts) -> Option<Kind> {
    let fits = matches!(facts.content, Content::OggOpus | Content::Mp3 | Content::M4a);
    fits.then(|| Kind::Voice(facts.tracks.and_then(|tracks| tracks.duration)))
}

fn animation(facts: &Facts) -> Option<Kind> {
    match (facts.content, facts.tracks) {
        (Content::Gif, _) => Some(Kind::Animation(facts.pixels)),
        (Content::Mp4, Some(tracks)) if tracks.picture && !tracks.sound => {
            Some(Kind::Animation(tracks.pixels))
        }
        _ => None,
    }
}

fn at<const N: usize>(head: &[u8], place: usize) -> Option<[u8; N]> {
    head.get(place..place.checked_add(N)?)?.try_into().ok()
}

fn read<const N: usize>(reader: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
