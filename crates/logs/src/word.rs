//! Kinds that are named by one word each: shown, read and serialized as that word.

/// Shows, reads and serializes a kind as its word, which strum gives. What is no such word is kept in `$invalid`, cut to
/// 40 characters.
macro_rules! is_a_word {
    ($kind:ident, $invalid:ident) => {
        domain::enum_words!($kind);

        impl std::fmt::Display for $kind {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $kind {
            type Err = $invalid;

            fn from_str(word: &str) -> Result<Self, $invalid> {
                let mut all = Self::ALL.into_iter();
                all.find(|one| one.as_str() == word).ok_or_else(|| $invalid(word.chars().take(40).collect()))
            }
        }

        impl serde::Serialize for $kind {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

pub(crate) use is_a_word;
