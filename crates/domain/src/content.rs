//! What a message says beside text and files, by one rule for all channels: its kind is attached, and words for it are in the text. Pure.

use crate::inbound::{InboundKind, InboundMedia};

/// The most letters of the name of a kind that is not known.
const LONGEST_NAME: usize = 64;

/// What a message says, gathered piece by piece.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Content {
    lines: Vec<String>,
    media: Vec<InboundMedia>,
}

impl Content {
    /// Adds what was typed.
    pub fn say(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !text.is_empty() {
            self.lines.push(text);
        }
    }

    /// Adds a file.
    pub fn attach(&mut self, media: InboundMedia) {
        self.media.push(media);
    }

    /// Adds something that is no file, in words: `[location] 55.75,37.5 Office`.
    pub fn add<W: AsRef<str>>(&mut self, kind: InboundKind, words: impl IntoIterator<Item = W>) {
        self.lines.push(in_words(kind.as_str(), words));
        self.media.push(InboundMedia::new(kind));
    }

    /// Adds something of a kind that this program does not know, by the name that the provider gives it.
    pub fn add_unknown<W: AsRef<str>>(&mut self, name: &str, words: impl IntoIterator<Item = W>) {
        let name: String = name.chars().filter(|letter| !letter.is_control()).take(LONGEST_NAME).collect();
        let name = if name.trim().is_empty() { "unknown".to_owned() } else { name };
        self.lines.push(in_words(&name, words));
        self.media.push(InboundMedia { name: Some(name), ..InboundMedia::new(InboundKind::Unknown) });
    }

    /// Adds what another message says that this one passes on, below the name of its writer.
    pub fn add_forward(&mut self, from: Option<&str>, forwarded: Self) {
        self.add(InboundKind::Forward, from);
        self.lines.extend(forwarded.lines);
        self.media.extend(forwarded.media);
    }

    /// Whether something is attached.
    pub const fn has_media(&self) -> bool {
        !self.media.is_empty()
    }

    /// Whether it says nothing.
    pub const fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.media.is_empty()
    }

    /// Returns the text and what is attached, files first.
    pub fn into_parts(self) -> (String, Vec<InboundMedia>) {
        // Files come first: their places in the list are their addresses.
        let (mut media, others): (Vec<_>, Vec<_>) =
            self.media.into_iter().partition(|media| media.kind.is_file());
        media.extend(others);
        (self.lines.join("\n"), media)
    }
}

/// The words for something: its kind in brackets, then what is known of it.
fn in_words<W: AsRef<str>>(kind: &str, words: impl IntoIterator<Item = W>) -> String {
    words.into_iter().fold(format!("[{kind}]"), |text, word| match word.as_ref().trim() {
        "" => text,
        word => format!("{text} {word}"),
    })
}

/// Where something is, as words: `55.75,37.5`.
pub fn coordinates(latitude: &serde_json::Value, longitude: &serde_json::Value) -> Option<String> {
    let degrees = |value: &serde_json::Value| match value {
        serde_json::Value::Number(number) => number.as_f64(),
        serde_json::Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    Some(format!("{},{}", degrees(latitude)?, degrees(longitude)?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_piece_has_words_and_a_kind() {
        let mut content = Content::default();
        assert!(content.is_empty());
        content.say("Here");
        content.add(
            InboundKind::Location,
            coordinates(&json!(55.75), &json!("37.5")).iter().map(String::as_str).chain(["", "Office"]),
        );
        content.add_unknown("holo\ngram", ["Big"]);
        content.add_unknown("", [""]);
        let mut forwarded = Content::default();
        forwarded.say("Look");
        content.add_forward(Some("Anna"), forwarded);
        let (text, media) = content.into_parts();
        assert_eq!(
            text,
            "Here\n[location] 55.75,37.5 Office\n[hologram] Big\n[unknown]\n[forward] Anna\nLook"
        );
        let kinds: Vec<_> = media.iter().map(|media| (media.kind.as_str(), media.name.as_deref())).collect();
        let wanted = [
            ("location", None),
            ("unknown", Some("hologram")),
            ("unknown", Some("unknown")),
            ("forward", None),
        ];
        assert_eq!(kinds, wanted);
        assert_eq!(coordinates(&json!(null), &json!(1)), None);
    }
}
