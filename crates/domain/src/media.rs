//! What a message carries beside its text: where it comes from and as what it is sent.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

/// One of the things that a message carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// Where it comes from.
    pub source: MediaSource,
    /// As what it is sent.
    pub form: MediaForm,
    /// The file's name as the receiver sees it; empty where the provider gives one.
    pub name: String,
    /// The type of the content, such as `image/jpeg`; empty where it is not known.
    pub mime: String,
}

/// Where media come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum MediaSource {
    /// A file that was taken in with the message and is kept until the message is over.
    File {
        /// Its name in the folder of outgoing files.
        key: FileKey,
        /// Its size in bytes.
        size: u64,
        /// The hash of its content: the same content need not be uploaded twice.
        sha256: Sha256,
    },
    /// The media of a public post, sent again. Their form is [`MediaForm::Document`] until Telegram reports it.
    Post {
        /// The channel's public name.
        channel: crate::Username,
        /// The post's id in the channel.
        message_id: crate::TelegramMessageId,
    },
    /// A file that Telegram has already.
    FileId {
        /// Its id as the Bot API writes it.
        file_id: String,
    },
}

/// As what media are sent. Sizes in pixels and durations in milliseconds; 0 where they are not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "as", rename_all = "snake_case")]
pub enum MediaForm {
    /// A picture that is shown.
    Photo {
        /// How wide it is.
        width: u32,
        /// How high it is.
        height: u32,
    },
    /// A film that is shown.
    Video {
        /// How wide it is.
        width: u32,
        /// How high it is.
        height: u32,
        /// How long it is.
        duration_ms: u64,
        /// Whether it can be watched before all of it is there.
        streamable: bool,
        /// Whether it has no sound.
        silent: bool,
    },
    /// A short film without sound that runs by itself.
    Animation {
        /// How wide it is.
        width: u32,
        /// How high it is.
        height: u32,
        /// How long it is.
        duration_ms: u64,
    },
    /// A voice message.
    Voice {
        /// How long it is.
        duration_ms: u64,
    },
    /// Music or speech that is played as a file.
    Audio {
        /// How long it is.
        duration_ms: u64,
    },
    /// A file as it is.
    Document,
}

impl MediaForm {
    /// The word for it, in the API and in the store.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Photo { .. } => "photo",
            Self::Video { .. } => "video",
            Self::Animation { .. } => "animation",
            Self::Voice { .. } => "voice",
            Self::Audio { .. } => "audio",
            Self::Document => "document",
        }
    }
}

/// The name of a file in the folder of outgoing files: `file_` and 32 hexadecimal digits. It never leads anywhere else.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FileKey(String);

/// A text that names no outgoing file.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("this names no outgoing file; such a name is \"file_\" and 32 hexadecimal digits in lower case")]
pub struct InvalidFileKey;

impl FileKey {
    /// What the name begins with.
    pub const PREFIX: &'static str = "file_";

    /// The name that goes with an id of our own making.
    pub fn from_uuid(uuid: Uuid) -> Self {
        Self(format!("{}{}", Self::PREFIX, uuid.simple()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for FileKey {
    type Error = InvalidFileKey;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digits = text.strip_prefix(Self::PREFIX).ok_or(InvalidFileKey)?;
        let right = digits.len() == 32 && digits.bytes().all(is_hex_digit);
        if right { Ok(Self(text)) } else { Err(InvalidFileKey) }
    }
}

impl From<FileKey> for String {
    fn from(key: FileKey) -> Self {
        key.0
    }
}

impl FromStr for FileKey {
    type Err = InvalidFileKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text.to_owned())
    }
}

impl fmt::Display for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The SHA-256 of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256(pub [u8; 32]);

/// A text that is no SHA-256.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("this is no SHA-256; it has 64 hexadecimal digits in lower case")]
pub struct InvalidSha256;

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Sha256 {
    type Err = InvalidSha256;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != 64 || !text.bytes().all(is_hex_digit) {
            return Err(InvalidSha256);
        }
        let mut bytes = [0; 32];
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| InvalidSha256)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| InvalidSha256)?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Sha256 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sha256 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

const fn is_hex_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn names_and_hashes_read_back(number: u128, bytes: [u8; 32]) {
            let key = FileKey::from_uuid(Uuid::from_u128(number));
            prop_assert_eq!(key.to_string().parse(), Ok(key));
            let hash = Sha256(bytes);
            prop_assert_eq!(hash.to_string().parse(), Ok(hash));
        }

        #[test]
        fn a_name_never_leads_out_of_its_folder(text: String) {
            if let Ok(key) = text.parse::<FileKey>() {
                prop_assert!(key.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
            }
        }
    }

    #[test]
    fn other_texts_are_refused() {
        let hex = "0123456789abcdef0123456789abcdef";
        assert!(format!("file_{hex}").parse::<FileKey>().is_ok());
        for wrong in
            [hex.to_owned(), format!("file_{hex}0"), format!("file_{}", hex.to_uppercase()), "file_..".into()]
        {
            assert_eq!(wrong.parse::<FileKey>(), Err(InvalidFileKey), "{wrong}");
        }
        assert_eq!("é".repeat(32).parse::<Sha256>(), Err(InvalidSha256));
    }

    #[test]
    fn the_stored_form_stays_as_it_is() {
        let media = Media {
            source: MediaSource::File {
                key: FileKey::from_uuid(Uuid::from_u128(7)),
                size: 5,
                sha256: Sha256([255; 32]),
            },
            form: MediaForm::Voice { duration_ms: 900 },
            name: "note.ogg".to_owned(),
            mime: "audio/ogg".to_owned(),
        };
        let stored = format!(
            r#"{{"source":{{"from":"file","key":"file_00000000000000000000000000000007","size":5,"sha256":"{}"}},"form":{{"as":"voice","duration_ms":900}},"name":"note.ogg","mime":"audio/ogg"}}"#,
            "f".repeat(64)
        );
        assert_eq!(serde_json::to_string(&media).expect("writes"), stored);
        assert_eq!(serde_json::from_str::<Media>(&stored).expect("reads"), media);
        let post = r#"{"from":"post","channel":"demo_channel","message_id":4}"#;
        let MediaSource::Post { message_id, .. } = serde_json::from_str(post).expect("reads") else {
            panic!("another source")
        };
        assert_eq!(message_id.get(), 4);
    }
}
