//! What a part looks like in a chat's history, and which messages look like it. Pure.

use std::collections::BTreeMap;

use domain::media::{Media, MediaForm, MediaSource};
use domain::{TelegramMessageId, Words};

use crate::files::Shown;
use crate::sending::Attempt;

/// One of the author's messages, as the history shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HistoryMessage {
    pub(crate) id: TelegramMessageId,
    pub(crate) date: i64,
    pub(crate) text: Words,
    pub(crate) media: Option<Shown>,
    pub(crate) album: Option<i64>,
}

/// One or several of the author's messages that look like the part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Match {
    /// In the order of the part's items.
    pub(crate) ids: Vec<TelegramMessageId>,
    pub(crate) date: i64,
}

/// What is known of one of the media. What is not known fits any.
#[derive(Debug, Clone, PartialEq, Eq)]
struct MediaFingerprint {
    word: Option<&'static str>,
    size: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fingerprint<'a> {
    text: &'a str,
    /// None for a text.
    media: Vec<MediaFingerprint>,
}

impl<'a> Fingerprint<'a> {
    pub(crate) fn of(attempt: &Attempt<'a>) -> Self {
        let outline = |place: u16| {
            attempt
                .content
                .media
                .get(usize::from(place))
                .map_or(MediaFingerprint { word: None, size: None }, MediaFingerprint::of)
        };
        let media = attempt.part.items.iter().filter_map(|item| item.media).map(outline).collect();
        Self { text: &attempt.part.text.text, media }
    }

    pub(crate) fn among(&self, mut messages: Vec<HistoryMessage>) -> Vec<Match> {
        messages.sort_by_key(|message| message.id);
        if self.media.len() < 2 {
            let fits = |message: &&HistoryMessage| match self.media.first() {
                None => *message.text == *self.text,
                Some(outline) => {
                    *message.text == *self.text
                        && message.album.is_none()
                        && outline.fits(message.media.as_ref())
                }
            };
            let own = |message: &HistoryMessage| Match { ids: vec![message.id], date: message.date };
            return messages.iter().filter(fits).map(own).collect();
        }
        let mut albums: BTreeMap<i64, Vec<&HistoryMessage>> = BTreeMap::new();
        for message in &messages {
            if let Some(album) = message.album {
                albums.entry(album).or_default().push(message);
            }
        }
        albums.values().filter(|album| self.is(album)).filter_map(|album| own(album)).collect()
    }

    fn is(&self, album: &[&HistoryMessage]) -> bool {
        let captions = std::iter::once(self.text).chain(std::iter::repeat(""));
        let alike = |((message, outline), caption): ((&&HistoryMessage, &MediaFingerprint), &str)| {
            *message.text == *caption && outline.fits(message.media.as_ref())
        };
        album.len() == self.media.len() && album.iter().zip(&self.media).zip(captions).all(alike)
    }
}

fn own(album: &[&HistoryMessage]) -> Option<Match> {
    Some(Match { ids: album.iter().map(|message| message.id).collect(), date: album.first()?.date })
}

impl MediaFingerprint {
    fn of(media: &Media) -> Self {
        let MediaSource::File { size, .. } = &media.source else { return Self { word: None, size: None } };
        // Telegram makes photos and animations again.
        let (word, size) = match &media.form {
            MediaForm::Photo { .. } => ("photo", None),
            MediaForm::Animation { .. } => ("animation", None),
            MediaForm::Video { .. } => ("video", Some(*size)),
            MediaForm::Voice { .. } => ("voice", Some(*size)),
            MediaForm::Audio { .. } => ("audio", Some(*size)),
            MediaForm::Document => ("document", Some(*size)),
        };
        Self { word: Some(word), size }
    }

    fn fits(&self, shown: Option<&Shown>) -> bool {
        let Some(shown) = shown else { return false };
        self.word.is_none_or(|word| word == shown.word)
            && (self.size.is_none() || shown.size.is_none() || self.size == shown.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(
        id: i64,
        text: &str,
        media: Option<(&'static str, Option<u64>)>,
        album: Option<i64>,
    ) -> HistoryMessage {
        let media = media.map(|(word, size)| Shown { word, size });
        let date = 1_000 + id;
        HistoryMessage {
            id: TelegramMessageId::new(id).expect("an id"),
            date,
            text: text.into(),
            media,
            album,
        }
    }

    fn outline(word: &'static str, size: Option<u64>) -> MediaFingerprint {
        MediaFingerprint { word: Some(word), size }
    }

    fn ids(look: &Fingerprint<'_>, messages: &[HistoryMessage]) -> Vec<Vec<i64>> {
        let numbers = |own: Match| own.ids.into_iter().map(i64::from).collect();
        look.among(messages.to_vec()).into_iter().map(numbers).collect()
    }

    #[test]
    fn a_single_file_is_recognized_by_caption_kind_and_size() {
        let look = Fingerprint { text: "here", media: vec![outline("document", Some(5))] };
        let messages = [
            message(1, "here", Some(("document", Some(5))), None),
            message(2, "here", Some(("document", Some(6))), None),
            message(3, "there", Some(("document", Some(5))), None),
            message(4, "here", Some(("video", Some(5))), None),
            message(5, "here", None, None),
            message(6, "here", Some(("document", Some(5))), Some(9)),
        ];
        assert_eq!(ids(&look, &messages), [[1]]);
        let any = Fingerprint { text: "here", media: vec![MediaFingerprint { word: None, size: None }] };
        assert_eq!(ids(&any, &messages), [[1], [2], [4]]);
        let text = Fingerprint { text: "there", media: Vec::new() };
        assert_eq!(ids(&text, &messages), [[3]]);
    }

    #[test]
    fn an_album_is_recognized_as_a_whole() {
        let look =
            Fingerprint { text: "here", media: vec![outline("photo", None), outline("video", Some(7))] };
        let (photo, video) = (Some(("photo", None)), Some(("video", Some(7))));
        let messages = [
            message(4, "", video, Some(9)),
            message(3, "here", photo, Some(9)),
            // Another order, another caption, one too many, one alone.
            message(5, "here", video, Some(10)),
            message(6, "", photo, Some(10)),
            message(7, "", photo, Some(11)),
            message(8, "", video, Some(11)),
            message(9, "here", photo, Some(12)),
            message(10, "", video, Some(12)),
            message(11, "", video, Some(12)),
            message(12, "here", photo, Some(13)),
        ];
        assert_eq!(ids(&look, &messages), [[3, 4]]);
    }
}
