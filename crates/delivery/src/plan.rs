//! Which calls a message takes: its media in albums, with the text as their caption, then what is left of the text. Pure.

use domain::media::{Media, MediaForm, MediaSource};
use domain::message::{Part, PartItem, PartState};
use domain::text::{FormattedText, split, split_after};

use crate::{Album, Capabilities};

/// How many media one message may carry.
pub const MOST_MEDIA: usize = 50;

/// What may be in one album; an album has one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Photos and films, mixed.
    Visual,
    /// Files as they are.
    Documents,
    /// Music.
    Audio,
    /// What arrives alone, and what is not known before it is there.
    Alone,
}

impl Kind {
    const fn of(media: &Media) -> Self {
        match (&media.source, &media.form) {
            (MediaSource::Post { .. } | MediaSource::FileId { .. }, _)
            | (_, MediaForm::Voice { .. } | MediaForm::Animation { .. }) => Self::Alone,
            (_, MediaForm::Photo { .. } | MediaForm::Video { .. }) => Self::Visual,
            (_, MediaForm::Document) => Self::Documents,
            (_, MediaForm::Audio { .. }) => Self::Audio,
        }
    }

    const fn limit(self, album: &Album) -> usize {
        match self {
            Self::Visual => album.visual,
            Self::Documents | Self::Audio => album.files,
            Self::Alone => 1,
        }
    }

    fn goes_with(self, other: Self, album: &Album) -> bool {
        self == other || (album.mixed && self != Self::Alone && other != Self::Alone)
    }
}

/// The parts of a message, each item with a `random_id` of its own. The order of the media stays: neighbours that go
/// together make an album. The first of them bears the text, as far as a caption goes; the rest of it follows them.
pub(crate) fn parts(
    text: &FormattedText,
    media: &[Media],
    capabilities: &Capabilities,
    mut random_id: impl FnMut() -> i64,
) -> Vec<Part> {
    let albums = albums(media, &capabilities.album);
    let caption_limit = capabilities.caption.filter(|_| !albums.is_empty());
    let texts = match caption_limit {
        Some(caption) => split_after(text, caption, capabilities.text),
        None => split(text, capabilities.text),
    };
    let mut texts = texts.into_iter();
    let mut parts = Vec::new();
    for (album, index) in albums.into_iter().zip(0..) {
        let caption = if index == 0 && caption_limit.is_some() { texts.next() } else { None };
        let items = album
            .into_iter()
            .map(|place| PartItem { random_id: random_id(), media: Some(place), message_id: None })
            .collect();
        parts.push(Part { index, text: caption.unwrap_or_default(), items, state: PartState::Waiting });
    }
    let first_text = parts.last().map_or(0, |part| part.index + 1);
    parts.extend(texts.zip(first_text..).map(|(text, index)| Part::of_text(index, text, random_id())));
    parts
}

/// The places of the media, grouped as they go out.
fn albums(media: &[Media], most: &Album) -> Vec<Vec<u16>> {
    let mut albums: Vec<(Kind, u64, Vec<u16>)> = Vec::new();
    for (media, place) in media.iter().zip(0..) {
        let (kind, size) = (Kind::of(media), size(media));
        match albums.last_mut() {
            Some((last, bytes, album))
                if kind.goes_with(*last, most)
                    && album.len() < kind.limit(most)
                    && most.bytes.is_none_or(|limit| bytes.saturating_add(size) <= limit) =>
            {
                *bytes = bytes.saturating_add(size);
                album.push(place);
            }
            _ => albums.push((kind, size, vec![place])),
        }
    }
    albums.into_iter().map(|(.., album)| album).collect()
}

const fn size(media: &Media) -> u64 {
    match media.source {
        MediaSource::File { size, .. } => size,
        MediaSource::Post { .. } | MediaSource::FileId { .. } => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capabilities::LARGE;
    use domain::media::{FileKey, Sha256};
    use domain::text::{TextLimit, Unit};
    use proptest::prelude::*;

    fn any_capabilities() -> impl Strategy<Value = Capabilities> {
        let unit = || prop_oneof![Just(Unit::Utf16), Just(Unit::Characters), Just(Unit::Bytes)];
        let limit = move |most: std::ops::Range<usize>| {
            (most, unit()).prop_map(|(most, unit)| TextLimit::new(most, unit))
        };
        let caption = prop::option::of(limit(0..2_000));
        let most = || 1_usize..=MOST_MEDIA;
        let album = (most(), most(), any::<bool>(), prop::option::of(1_u64..20))
            .prop_map(|(visual, files, mixed, bytes)| Album { visual, files, mixed, bytes });
        (limit(20..5_000), caption, album).prop_map(|(text, caption, album)| Capabilities {
            text,
            caption,
            album,
            ..LARGE
        })
    }

    fn file(form: MediaForm) -> Media {
        let key: FileKey = format!("file_{}", "0".repeat(32)).parse().expect("a name");
        let source = MediaSource::File { key, size: 1, sha256: Sha256([0; 32]) };
        Media { source, form, name: "a".into(), mime: String::new() }
    }

    fn forms() -> impl Strategy<Value = MediaForm> {
        prop_oneof![
            3 => Just(MediaForm::Photo { width: 1, height: 1 }),
            3 => Just(MediaForm::Video { width: 1, height: 1, duration_ms: 0, streamable: true, silent: false }),
            2 => Just(MediaForm::Document),
            2 => Just(MediaForm::Audio { duration_ms: 1 }),
            1 => Just(MediaForm::Voice { duration_ms: 1 }),
            1 => Just(MediaForm::Animation { width: 1, height: 1, duration_ms: 1 }),
        ]
    }

    fn any_media() -> impl Strategy<Value = Media> {
        prop_oneof![
            8 => forms().prop_map(file),
            1 => Just(MediaSource::FileId { file_id: "x".into() }).prop_map(|source| Media {
                source, ..file(MediaForm::Document)
            }),
            1 => Just(MediaSource::Post { channel: "demo_channel".parse().expect("a name"), message_id: 1_i64.try_into().expect("an id") })
                .prop_map(|source| Media { source, ..file(MediaForm::Document) }),
        ]
    }

    fn any_text() -> impl Strategy<Value = String> {
        prop_oneof![
            Just(String::new()),
            (0_usize..20).prop_map(|words| "word ".repeat(words)),
            (0_usize..3_000).prop_map(|words| "ab😀 ".repeat(words)),
        ]
    }

    fn counter() -> impl FnMut() -> i64 {
        let mut next = 0;
        move || {
            next += 1;
            next
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

        #[test]
        fn media_leave_once_in_order_with_the_text(
            media in prop::collection::vec(any_media(), 0..=MOST_MEDIA), text in any_text(),
            capabilities in any_capabilities(),
        ) {
            let text = FormattedText::plain(&text);
            let parts = parts(&text, &media, &capabilities, counter());
            let places: Vec<usize> =
                parts.iter().flat_map(|part| &part.items).filter_map(|item| item.media).map(usize::from).collect();
            prop_assert_eq!(places, (0..media.len()).collect::<Vec<_>>());
            let mut random_ids: Vec<i64> =
                parts.iter().flat_map(|part| &part.items).map(|item| item.random_id).collect();
            let all = random_ids.len();
            random_ids.sort_unstable();
            random_ids.dedup();
            prop_assert_eq!(random_ids.len(), all);

            for (number, part) in parts.iter().enumerate() {
                prop_assert_eq!(usize::from(part.index), number);
                prop_assert!(!part.items.is_empty() && part.items.len() <= capabilities.album.most());
                // Each file of this test has one byte.
                let bytes = capabilities.album.bytes.map_or(usize::MAX, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
                prop_assert!(part.items.len() <= bytes.max(1));
                prop_assert_eq!(part.state, PartState::Waiting);
                if !part.is_media() {
                    prop_assert_eq!(part.items.len(), 1);
                    prop_assert!(!part.text.is_blank() && capabilities.text.takes(&part.text.text));
                    continue;
                }
                let caption = &part.text.text;
                prop_assert!(caption.is_empty() || capabilities.caption.is_some_and(|limit| limit.takes(caption)));
                prop_assert!(number == 0 || part.text.text.is_empty(), "only the first has a caption");
                let kinds: Vec<Kind> = part.items.iter()
                    .filter_map(|item| item.media.and_then(|place| media.get(usize::from(place))))
                    .map(Kind::of).collect();
                prop_assert!(kinds.windows(2).all(|pair| pair[0].goes_with(pair[1], &capabilities.album)), "{:?}", kinds);
                prop_assert!(kinds.len() == 1 || kinds[0] != Kind::Alone);
            }
            let texts_first = parts.windows(2).any(|pair| !pair[0].is_media() && pair[1].is_media());
            prop_assert!(!texts_first, "the media come before the rest of the text");
            let shown = |text: &str| text.chars().filter(|one| !one.is_whitespace()).collect::<String>();
            let joined: String = parts.iter().map(|part| part.text.text.as_str()).collect();
            prop_assert_eq!(shown(&joined), shown(&text.text));
        }
    }

    #[test]
    fn a_text_one_unit_too_long_leaves_in_two_parts() {
        let long = |units| FormattedText::plain(&"a".repeat(units));
        assert_eq!(parts(&long(4_096), &[], &LARGE, counter()).len(), 1);
        let two = parts(&long(4_097), &[], &LARGE, counter());
        assert_eq!(
            two.iter().map(|part| (part.index, part.random_id())).collect::<Vec<_>>(),
            [(0, 1), (1, 2)]
        );
        let photo = [file(MediaForm::Photo { width: 1, height: 1 })];
        assert_eq!(parts(&long(1_024), &photo, &LARGE, counter()).len(), 1);
        let lengths = |capabilities: &Capabilities| -> Vec<usize> {
            let parts = parts(&long(1_024 + 4_097), &photo, capabilities, counter());
            parts.iter().map(|part| part.text.utf16_len()).collect()
        };
        assert_eq!(lengths(&LARGE), [1_024, 4_096, 1]);
        assert_eq!(lengths(&Capabilities { caption: None, ..LARGE }), [0, 4_096, 1_025]);
    }

    #[test]
    fn neighbours_of_one_kind_make_an_album() {
        let photo = || file(MediaForm::Photo { width: 1, height: 1 });
        let video =
            file(MediaForm::Video { width: 1, height: 1, duration_ms: 1, streamable: true, silent: false });
        let mut media: Vec<Media> = (0..10).map(|_| photo()).collect();
        media.extend([video, file(MediaForm::Document), photo(), file(MediaForm::Voice { duration_ms: 1 })]);
        assert_eq!(
            albums(&media, &Album::of_one_kind(10)),
            [(0..10).collect(), vec![10], vec![11], vec![12], vec![13]]
        );
    }
}
