//! Files made by hand, byte by byte, and any bytes at all.

use std::io::Cursor;

use proptest::prelude::*;

use super::*;

const MOST: u64 = 2_000_000_000;

fn facts(bytes: &[u8]) -> Facts {
    look(&mut Cursor::new(bytes), bytes.len() as u64).unwrap()
}

fn kind(bytes: &[u8]) -> Kind {
    choose(&facts(bytes), "", Wish::Auto, MOST).unwrap()
}

fn png(width: u32, height: u32) -> Vec<u8> {
    [b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", &width.to_be_bytes()[..], &height.to_be_bytes()].concat()
}

/// A JPEG file with as many bytes of metadata before its frame.
fn jpeg(width: u16, height: u16, metadata: u16) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xe1];
    bytes.extend((metadata + 2).to_be_bytes());
    // Looks like a frame, and is none: it is inside the metadata.
    bytes.extend([0xff, 0xc0].iter().cycle().take(metadata.into()));
    bytes.extend([0xff, 0xc4, 0, 3, 0, 0xff, 0xff, 0xc2, 0, 11, 8]);
    bytes.extend(height.to_be_bytes());
    bytes.extend(width.to_be_bytes());
    bytes
}

fn boxed(name: &[u8], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 8).unwrap();
    [&length.to_be_bytes()[..], name, content].concat()
}

fn track(handler: &[u8], width: u32, height: u32, turned: bool) -> Vec<u8> {
    let mut header = vec![0; 84];
    header[if turned { 45 } else { 40 }] = 1;
    header[76..80].copy_from_slice(&(width << 16).to_be_bytes());
    header[80..84].copy_from_slice(&(height << 16).to_be_bytes());
    let handler = [&[0; 8][..], handler, &[0; 13]].concat();
    let media = boxed(b"mdia", &boxed(b"hdlr", &handler));
    boxed(b"trak", &[boxed(b"tkhd", &header), media].concat())
}

fn film(brand: &[u8], tracks: &[Vec<u8>]) -> Vec<u8> {
    let mut header = vec![0; 100];
    header[12..16].copy_from_slice(&600_u32.to_be_bytes());
    header[16..20].copy_from_slice(&1_500_u32.to_be_bytes());
    let tracks = [boxed(b"mvhd", &header), tracks.concat()].concat();
    let brand = [brand, &b"\0\0\x02\0isomiso2"[..]].concat();
    [boxed(b"ftyp", &brand), boxed(b"mdat", &[7; 5000]), boxed(b"moov", &tracks)].concat()
}

fn ogg_page(position: u64, packet: &[u8]) -> Vec<u8> {
    let mut page = b"OggS\0\0".to_vec();
    page.extend(position.to_le_bytes());
    page.extend([0; 12]);
    page.extend([1, u8::try_from(packet.len()).unwrap()]);
    page.extend(packet);
    page
}

fn opus(samples: u64) -> Vec<u8> {
    let head = [&b"OpusHead\x01\x01"[..], &312_u16.to_le_bytes(), &[0; 7]].concat();
    [ogg_page(0, &head), ogg_page(960, &[1; 200]), ogg_page(samples + 312, &[2; 90])].concat()
}

fn webp(chunk: &[u8], content: &[u8]) -> Vec<u8> {
    [b"RIFF\0\0\0\0WEBP", chunk, &[0; 4], content].concat()
}

#[test]
fn pictures_are_photos_with_their_size() {
    let pixels = Pixels { width: 640, height: 480 };
    let lossless = 0x27f_u32 | (0x1df << 14);
    let lossy = [&[0, 0, 0, 0x9d, 0x01, 0x2a][..], &640_u16.to_le_bytes(), &480_u16.to_le_bytes()].concat();
    let extended = |flags| [&[flags, 0, 0, 0][..], &[0x7f, 2, 0, 0xdf, 1, 0]].concat();
    for picture in [
        png(640, 480),
        jpeg(640, 480, 4),
        jpeg(640, 480, 60_000),
        webp(b"VP8 ", &lossy),
        webp(b"VP8L", &[&[0x2f][..], &lossless.to_le_bytes()].concat()),
        webp(b"VP8X", &extended(0)),
    ] {
        assert_eq!(kind(&picture), Kind::Photo(pixels), "{:?}", &picture[..16]);
    }
    assert_eq!(facts(&webp(b"VP8X", &extended(2))).content, Content::WebpAnimated);
    assert_eq!(kind(&webp(b"VP8X", &extended(2))), Kind::Document);
}

#[test]
fn pictures_that_telegram_takes_as_no_photo_are_documents() {
    assert!(matches!(kind(&png(5_000, 5_000)), Kind::Photo(_)));
    assert!(matches!(kind(&png(2_000, 100)), Kind::Photo(_)));
    for (width, height) in [(5_001, 5_000), (2_001, 100), (100, 2_001), (0, 10), (u32::MAX, u32::MAX)] {
        assert_eq!(kind(&png(width, height)), Kind::Document, "{width} × {height}");
    }
    let picture = facts(&png(640, 480));
    let sized = |size| choose(&Facts { size, ..picture }, "", Wish::Auto, MOST).unwrap();
    assert!(matches!(sized(10 * 1024 * 1024), Kind::Photo(_)));
    assert_eq!(sized(10 * 1024 * 1024 + 1), Kind::Document);
    // The header ends before the size.
    for cut in [&png(640, 480)[..20], &jpeg(640, 480, 4)[..12], &jpeg(640, 480, 900)[..700]] {
        assert_eq!(kind(cut), Kind::Document);
    }
}

#[test]
fn films_say_their_tracks() {
    let with_sound = film(b"isom", &[track(b"vide", 1280, 720, false), track(b"soun", 0, 0, false)]);
    let tracks = Tracks {
        duration: Some(Duration::from_millis(2_500)),
        pixels: Some(Pixels { width: 1280, height: 720 }),
        picture: true,
        sound: true,
    };
    assert_eq!(kind(&with_sound), Kind::Video(Some(tracks)));
    let turned = facts(&film(b"mp42", &[track(b"vide", 1280, 720, true)])).tracks.unwrap();
    assert_eq!(turned.pixels, Some(Pixels { width: 720, height: 1280 }));
    let moved = film(b"qt  ", &[track(b"vide", 1280, 720, false)]);
    assert!(matches!(kind(&moved), Kind::Video(Some(_))));
    let sound = film(b"isom", &[track(b"soun", 0, 0, false)]);
    assert_eq!(facts(&sound).content, Content::M4a);
    assert_eq!(kind(&sound), Kind::Audio(tracks.duration));
    let cut = &with_sound[..with_sound.len() - 60];
    assert_eq!(kind(cut), Kind::Video(None));
    for (film, mime) in [
        (&b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm"[..], "video/webm"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x88matroska", "video/x-matroska"),
        (b"RIFF\0\0\0\0AVI LIST", "video/x-msvideo"),
    ] {
        assert_eq!((kind(film), facts(film).content.mime()), (Kind::Video(None), mime));
    }
}

#[test]
fn a_film_of_unclear_content_is_recognized_by_its_name() {
    let named = |bytes: &[u8], name| choose(&facts(bytes), name, Wish::Auto, MOST);
    for name in ["clip.mp4", "CLIP.MOV", "a.b.mkv", "old.mpeg", "old.wmv"] {
        assert_eq!(named(b"some bytes", name), Ok(Kind::Video(None)), "{name}");
    }
    for name in ["clip", "mp4", "clip.mp4.txt", "notes.ts"] {
        assert_eq!(named(b"some bytes", name), Ok(Kind::Document), "{name}");
    }
    // What the content shows counts for more.
    assert!(matches!(named(&png(9, 9), "clip.mp4"), Ok(Kind::Photo(_))));
    assert_eq!(named(b"MZ\x90\0", "clip.mp4"), Ok(Kind::Document));
    assert_eq!(choose(&facts(b"some bytes"), "clip.mp4", Wish::Document, MOST), Ok(Kind::Document));
}

#[test]
fn recordings_are_voices_or_music() {
    assert_eq!(kind(&opus(48_000 * 3)), Kind::Voice(Some(Duration::from_secs(3))));
    assert_eq!(facts(&ogg_page(0, b"\x01vorbis")).content, Content::OggVorbis);
    for (bytes, content) in [
        (&b"ID3\x04\0\0"[..], Content::Mp3),
        (b"\xff\xfb\x90\x64", Content::Mp3),
        (b"\xff\xf1\x50\x80", Content::Aac),
        (b"fLaC\0\0\0\x22", Content::Flac),
        (b"RIFF\0\0\0\0WAVEfmt ", Content::Wav),
    ] {
        assert_eq!(facts(bytes).content, content);
        assert_eq!(kind(bytes), Kind::Audio(None));
    }
}

#[test]
fn a_requested_kind_counts_if_the_content_allows_it() {
    let chosen = |bytes: &[u8], wish| choose(&facts(bytes), "", wish, MOST);
    let silent = film(b"isom", &[track(b"vide", 320, 200, false)]);
    let loud = film(b"isom", &[track(b"vide", 320, 200, false), track(b"soun", 0, 0, false)]);
    let pixels = Some(Pixels { width: 320, height: 200 });
    assert_eq!(chosen(&png(9, 9), Wish::Document), Ok(Kind::Document));
    assert_eq!(chosen(&opus(48), Wish::Document), Ok(Kind::Document));
    assert_eq!(chosen(b"ID3\x04", Wish::Voice), Ok(Kind::Voice(None)));
    assert_eq!(chosen(&png(9, 9), Wish::Voice), Err(NotThat::NoVoice));
    assert_eq!(chosen(&silent, Wish::Animation), Ok(Kind::Animation(pixels)));
    assert!(matches!(chosen(&silent, Wish::Auto), Ok(Kind::Video(_))));
    assert_eq!(chosen(&loud, Wish::Animation), Err(NotThat::NoAnimation));
    let gif = b"GIF89a\x40\x01\xc8\0";
    assert_eq!(chosen(gif, Wish::Animation), Ok(Kind::Animation(pixels)));
    assert_eq!(chosen(gif, Wish::Auto), Ok(Kind::Animation(pixels)));
}

#[test]
fn empty_and_too_large_files_are_refused_as_any_kind() {
    for wish in [Wish::Auto, Wish::Document, Wish::Voice, Wish::Animation] {
        assert_eq!(choose(&facts(b""), "", wish, MOST), Err(NotThat::Empty));
        let large = Facts { size: MOST + 1, ..facts(&opus(48)) };
        assert_eq!(choose(&large, "", wish, MOST), Err(NotThat::TooLarge { most: MOST }));
    }
    assert_eq!(choose(&facts(b"x"), "", Wish::Auto, 1), Ok(Kind::Document));
}

#[test]
fn the_name_counts_only_if_the_content_shows_no_kind() {
    assert_eq!(mime(facts(&png(1, 1)).content, "a.exe"), "image/png");
    assert_eq!(mime(facts(b"MZ\x90\0").content, "photo.jpg"), "application/octet-stream");
    assert_eq!(mime(facts(b"not a photo").content, "photo.jpg"), "application/octet-stream");
    assert_eq!(mime(facts(b"a;b;c").content, "Table.CSV"), "text/csv");
    assert_eq!(mime(facts(b"PK\x03\x04").content, "a.zip"), "application/zip");
    let letter = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    assert_eq!(mime(facts(b"PK\x03\x04").content, "letter.docx"), letter);
    assert_eq!(mime(facts(b"%PDF-1.7").content, "no ending"), "application/pdf");
    assert_eq!(kind(b"not a photo"), Kind::Document);
}

proptest! {
    #[test]
    fn any_bytes_are_looked_at_without_harm(
        beginning in prop::sample::select(vec![
            png(9, 9), jpeg(9, 9, 9), opus(48), webp(b"VP8X", &[0; 10]), b"GIF89a".to_vec(), b"OggS".to_vec(),
            film(b"isom", &[track(b"vide", 9, 9, false)]), boxed(b"ftyp", b"isom"), vec![0xff, 0xd8, 0xff],
        ]),
        cut in 0..6_000_usize,
        rest in prop::collection::vec(any::<u8>(), 0..600),
        spoiled in prop::collection::vec((0..6_000_usize, any::<u8>()), 0..8),
    ) {
        let mut bytes: Vec<u8> = beginning.into_iter().take(cut).chain(rest).collect();
        for (place, byte) in spoiled {
            if let Some(spot) = bytes.get_mut(place) {
                *spot = byte;
            }
        }
        let facts = facts(&bytes);
        for wish in [Wish::Auto, Wish::Document, Wish::Voice, Wish::Animation] {
            let chosen = choose(&facts, "", wish, MOST);
            prop_assert_eq!(chosen == Err(NotThat::Empty), bytes.is_empty());
            if let Ok(Kind::Photo(pixels)) = chosen {
                prop_assert!(pixels.width > 0 && pixels.height > 0);
                prop_assert!(pixels.width <= 10_000 && pixels.height <= 10_000);
            }
        }
    }
}

#[test]
fn a_film_of_endless_boxes_is_given_up() {
    let tiny = boxed(b"free", b"").repeat(MOST_TINY);
    let bytes = [film(b"isom", &[]), tiny, boxed(b"moov", b"")].concat();
    assert_eq!(facts(&bytes).tracks, None);
}

const MOST_TINY: usize = 20_000;
