//! Which files of messages that come in are fetched without being asked for.

use serde::{Deserialize, Serialize};

use crate::received_message::ReceivedMedia;

/// What a file is that came in, by the word of its [`ReceivedMedia`].
#[derive(
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
    strum::VariantNames,
    Serialize,
    Deserialize,
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    Photo,
    Video,
    /// A round one.
    VideoNote,
    Animation,
    Voice,
    Audio,
    Sticker,
    Document,
}

enum_words!(FileKind);

/// Which files are fetched as they come in: none without a kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FileRule {
    /// Those of these kinds.
    pub kinds: Vec<FileKind>,
    /// As far as they have no more bytes than this.
    pub max_size: u64,
}

impl FileRule {
    /// What [`FileRule::max_size`] is unless said otherwise: 10 MB.
    pub const USUAL_SIZE: u64 = 10_000_000;

    /// The greatest file that Telegram takes of an account.
    pub const GREATEST_SIZE: u64 = 2_000 << 20;

    /// Whether what is attached to a message is fetched.
    pub fn wants(&self, media: &ReceivedMedia) -> bool {
        let is_wanted = self.kinds.iter().any(|kind| kind.as_str() == media.kind);
        is_wanted && media.file.as_ref().is_some_and(|file| (1..=self.max_size).contains(&file.size))
    }
}

impl Default for FileRule {
    fn default() -> Self {
        Self { kinds: Vec::new(), max_size: Self::USUAL_SIZE }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::received_message::ReceivedFile;

    proptest! {
        #[test]
        fn kind_and_size_decide(
            kinds in proptest::sample::subsequence(FileKind::ALL.to_vec(), 0..4),
            max_size in 1..9_u64,
            of in proptest::sample::select(FileKind::ALL.to_vec()),
            size in 0..12_u64,
        ) {
            let rule = FileRule { kinds, max_size };
            let file = Some(ReceivedFile { name: None, mime: "image/jpeg".into(), size });
            let media = ReceivedMedia { kind: of.as_str().to_owned(), file };
            prop_assert_eq!(rule.wants(&media), rule.kinds.contains(&of) && size > 0 && size <= max_size);
            let without = ReceivedMedia { file: None, ..media };
            prop_assert!(!rule.wants(&without));
        }
    }
}
