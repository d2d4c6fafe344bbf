//! Formats: recognized by the first bytes of a file, and what each is called elsewhere.

use super::at;

/// How many first bytes are looked at.
pub(super) const HEAD: usize = 512;

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Content {
    Jpeg,
    Png,
    /// A WebP picture that is not animated.
    Webp,
    /// A WebP picture that moves.
    WebpAnimated,
    Gif,
    Bmp,
    Tiff,
    /// A HEIF or AVIF picture.
    Heif,
    Psd,
    Mp4,
    Quicktime,
    Webm,
    Matroska,
    Avi,
    OggOpus,
    OggVorbis,
    /// Something else in Ogg.
    Ogg,
    Mp3,
    /// A recording in MP4.
    M4a,
    Aac,
    Flac,
    Wav,
    Pdf,
    /// A ZIP archive, or one of the many formats that are one.
    Zip,
    Gzip,
    SevenZip,
    Rar,
    /// A program for some system.
    Program,
    Unknown,
}

impl Content {
    pub const fn mime(self) -> &'static str {
        self.names().0
    }

    /// How the names of such files end, without the dot.
    pub const fn extension(self) -> &'static str {
        self.names().1
    }

    /// What a file of this format is called that has no name.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Jpeg | Self::Png | Self::Webp | Self::Bmp | Self::Tiff | Self::Heif | Self::Psd => "photo",
            Self::Gif | Self::WebpAnimated => "animation",
            Self::Mp4 | Self::Quicktime | Self::Webm | Self::Matroska | Self::Avi => "video",
            Self::OggOpus => "voice",
            Self::OggVorbis | Self::Ogg | Self::Mp3 | Self::M4a | Self::Aac | Self::Flac | Self::Wav => {
                "audio"
            }
            Self::Pdf => "document",
            Self::Zip | Self::Gzip | Self::SevenZip | Self::Rar => "archive",
            Self::Program | Self::Unknown => "file",
        }
    }

    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Jpeg => ("image/jpeg", "jpg"),
            Self::Png => ("image/png", "png"),
            Self::Webp | Self::WebpAnimated => ("image/webp", "webp"),
            Self::Gif => ("image/gif", "gif"),
            Self::Bmp => ("image/bmp", "bmp"),
            Self::Tiff => ("image/tiff", "tiff"),
            Self::Heif => ("image/heif", "heif"),
            Self::Psd => ("image/vnd.adobe.photoshop", "psd"),
            Self::Mp4 => ("video/mp4", "mp4"),
            Self::Quicktime => ("video/quicktime", "mov"),
            Self::Webm => ("video/webm", "webm"),
            Self::Matroska => ("video/x-matroska", "mkv"),
            Self::Avi => ("video/x-msvideo", "avi"),
            Self::OggOpus | Self::OggVorbis | Self::Ogg => ("audio/ogg", "ogg"),
            Self::Mp3 => ("audio/mpeg", "mp3"),
            Self::M4a => ("audio/mp4", "m4a"),
            Self::Aac => ("audio/aac", "aac"),
            Self::Flac => ("audio/flac", "flac"),
            Self::Wav => ("audio/wav", "wav"),
            Self::Pdf => ("application/pdf", "pdf"),
            Self::Zip => ("application/zip", "zip"),
            Self::Gzip => ("application/gzip", "gz"),
            Self::SevenZip => ("application/x-7z-compressed", "7z"),
            Self::Rar => ("application/vnd.rar", "rar"),
            Self::Program | Self::Unknown => ("application/octet-stream", "bin"),
        }
    }
}

const SIGNATURES: [(&[u8], Content); 20] = [
    (b"\xff\xd8\xff", Content::Jpeg),
    (b"\x89PNG\r\n\x1a\n", Content::Png),
    (b"GIF87a", Content::Gif),
    (b"GIF89a", Content::Gif),
    (b"II*\0", Content::Tiff),
    (b"MM\0*", Content::Tiff),
    (b"8BPS\0\x01", Content::Psd),
    (b"ID3", Content::Mp3),
    (b"fLaC", Content::Flac),
    (b"%PDF-", Content::Pdf),
    (b"PK\x03\x04", Content::Zip),
    (b"PK\x05\x06", Content::Zip),
    (b"\x1f\x8b\x08", Content::Gzip),
    (b"7z\xbc\xaf\x27\x1c", Content::SevenZip),
    (b"Rar!\x1a\x07", Content::Rar),
    (b"\x7fELF", Content::Program),
    (b"MZ", Content::Program),
    (b"\xcf\xfa\xed\xfe", Content::Program),
    (b"\xca\xfe\xba\xbe", Content::Program),
    (b"#!/", Content::Program),
];

/// The format that the first bytes of a file show.
pub(super) fn sniff(head: &[u8]) -> Content {
    let signed = SIGNATURES.iter().find(|(signature, _)| head.starts_with(signature));
    signed
        .map(|(_, content)| *content)
        .or_else(|| riff(head))
        .or_else(|| boxes(head))
        .or_else(|| ogg(head))
        .or_else(|| matroska(head))
        .or_else(|| bitmap(head))
        .or_else(|| frames(head))
        .unwrap_or(Content::Unknown)
}

fn riff(head: &[u8]) -> Option<Content> {
    if at(head, 0)? != *b"RIFF" {
        return None;
    }
    match &at::<4>(head, 8)? {
        b"WEBP" => {
            let extended = at(head, 12).is_some_and(|chunk: [u8; 4]| chunk == *b"VP8X");
            let moves = extended && head.get(20).is_some_and(|flags| flags & 0b10 != 0);
            Some(if moves { Content::WebpAnimated } else { Content::Webp })
        }
        b"WAVE" => Some(Content::Wav),
        b"AVI " => Some(Content::Avi),
        _ => None,
    }
}

/// The family of MP4, by its brand.
fn boxes(head: &[u8]) -> Option<Content> {
    match &at::<4>(head, 4)? {
        b"ftyp" => Some(match &at::<4>(head, 8)? {
            b"qt  " => Content::Quicktime,
            b"M4A " | b"M4B " | b"M4P " => Content::M4a,
            b"heic" | b"heix" | b"hevc" | b"heim" | b"heis" | b"mif1" | b"msf1" | b"avif" | b"avis" => {
                Content::Heif
            }
            _ => Content::Mp4,
        }),
        // Old `QuickTime` films begin without a brand.
        b"moov" | b"mdat" | b"wide" => Some(Content::Quicktime),
        _ => None,
    }
}

fn ogg(head: &[u8]) -> Option<Content> {
    if at(head, 0)? != *b"OggS" {
        return None;
    }
    let segments = usize::from(*head.get(26)?);
    let packet = head.get(27 + segments..).unwrap_or_default();
    Some(if packet.starts_with(b"OpusHead") {
        Content::OggOpus
    } else if packet.starts_with(b"\x01vorbis") {
        Content::OggVorbis
    } else {
        Content::Ogg
    })
}

fn matroska(head: &[u8]) -> Option<Content> {
    if at(head, 0)? != [0x1a, 0x45, 0xdf, 0xa3] {
        return None;
    }
    let beginning = head.get(..64).unwrap_or(head);
    let webm = beginning.windows(4).any(|window| window == b"webm");
    Some(if webm { Content::Webm } else { Content::Matroska })
}

/// Two letters are little proof; the size of the second header is one more.
fn bitmap(head: &[u8]) -> Option<Content> {
    let size = u32::from_le_bytes(at(head, 14)?);
    (head.starts_with(b"BM") && matches!(size, 12 | 40 | 52 | 56 | 64 | 108 | 124)).then_some(Content::Bmp)
}

/// MP3 and AAC without a header: frames from the first byte.
fn frames(head: &[u8]) -> Option<Content> {
    let [first, second, third] = at(head, 0)?;
    if first != 0xff || second & 0xe0 != 0xe0 {
        return None;
    }
    let (version, layer) = (second >> 3 & 0b11, second >> 1 & 0b11);
    let (bitrate, rate) = (third >> 4, third >> 2 & 0b11);
    if version != 0b01 && layer == 0b01 && !matches!(bitrate, 0 | 15) && rate != 0b11 {
        return Some(Content::Mp3);
    }
    (second & 0xf6 == 0xf0 && (third >> 2 & 0b1111) < 13).then_some(Content::Aac)
}

/// Media types of names: for formats that are a ZIP archive inside.
const ZIPPED: [(&str, &str); 10] = [
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("odt", "application/vnd.oasis.opendocument.text"),
    ("ods", "application/vnd.oasis.opendocument.spreadsheet"),
    ("odp", "application/vnd.oasis.opendocument.presentation"),
    ("epub", "application/epub+zip"),
    ("apk", "application/vnd.android.package-archive"),
    ("jar", "application/java-archive"),
    ("kmz", "application/vnd.google-earth.kmz"),
];

/// Media types of names: for formats that do not show in the content.
const UNSIGNED: [(&str, &str); 20] = [
    ("txt", "text/plain"),
    ("log", "text/plain"),
    ("md", "text/markdown"),
    ("csv", "text/csv"),
    ("tsv", "text/tab-separated-values"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("css", "text/css"),
    ("js", "text/javascript"),
    ("json", "application/json"),
    ("xml", "application/xml"),
    ("svg", "image/svg+xml"),
    ("yaml", "application/yaml"),
    ("yml", "application/yaml"),
    ("ics", "text/calendar"),
    ("vcf", "text/vcard"),
    ("rtf", "application/rtf"),
    ("doc", "application/msword"),
    ("xls", "application/vnd.ms-excel"),
    ("ppt", "application/vnd.ms-powerpoint"),
];

/// Media types of names: for films in formats that do not show in the content. Anyone who calls a file a film means one.
const FILMS: [(&str, &str); 12] = [
    ("mp4", "video/mp4"),
    ("m4v", "video/mp4"),
    ("mov", "video/quicktime"),
    ("webm", "video/webm"),
    ("mkv", "video/x-matroska"),
    ("avi", "video/x-msvideo"),
    ("mpg", "video/mpeg"),
    ("mpeg", "video/mpeg"),
    ("m2ts", "video/mp2t"),
    ("flv", "video/x-flv"),
    ("wmv", "video/x-ms-wmv"),
    ("3gp", "video/3gpp"),
];

/// The media type of a file: what its content shows; the name is asked only for what content does not show.
pub fn mime(content: Content, name: &str) -> &'static str {
    let tables: [&[(&str, &str)]; 2] = match content {
        Content::Zip => [&ZIPPED, &[]],
        Content::Unknown => [&UNSIGNED, &FILMS],
        _ => return content.mime(),
    };
    let Some((_, ending)) = name.rsplit_once('.') else { return content.mime() };
    let mut known = tables.into_iter().flatten();
    let named = known.find(|(known, _)| ending.eq_ignore_ascii_case(known));
    named.map_or(content.mime(), |(_, mime)| mime)
}
