//! Where the store is.

use std::{fmt, path::PathBuf, str::FromStr};

use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{keys::settings, value_kind::reads};

settings! {
    /// The section `[store]`.
    pub section StoreSettings at "store." {
        /// Where the store is; a relative file is relative to the data directory.
        url: StoreUrl = StoreUrl::default(),
            secret("sqlite:FILE or postgres://USER:PASSWORD@HOST/DATABASE", reads::<StoreUrl>);
    }
}

/// The address of a store. A server's address holds a password, so it is never printed.
#[derive(Debug, Clone)]
pub enum StoreUrl {
    /// An SQLite file; a relative path is relative to the data directory.
    Sqlite(PathBuf),
    /// A PostgreSQL server: the whole address.
    Postgres(SecretString),
}

impl Default for StoreUrl {
    fn default() -> Self {
        Self::Sqlite(PathBuf::from("switchboard.db"))
    }
}

/// A text that is no store's address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be sqlite:FILE or postgres://USER:PASSWORD@HOST/DATABASE")]
pub struct InvalidStoreUrl;

impl FromStr for StoreUrl {
    type Err = InvalidStoreUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(file) = text.strip_prefix("sqlite:") {
            let file = file.strip_prefix("//").unwrap_or(file);
            return if file.is_empty() { Err(InvalidStoreUrl) } else { Ok(Self::Sqlite(file.into())) };
        }
        let server = ["postgres://", "postgresql://"].iter().find_map(|scheme| text.strip_prefix(scheme));
        if server.is_some_and(|server| !server.is_empty()) {
            return Ok(Self::Postgres(text.into()));
        }
        Err(InvalidStoreUrl)
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => write!(f, "sqlite:{}", file.display()),
            Self::Postgres(_) => f.write_str("postgres://[REDACTED]"),
        }
    }
}

impl Serialize for StoreUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for StoreUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_both_kinds_are_read() {
        for (text, shown) in [
            ("sqlite:switchboard.db", "sqlite:switchboard.db"),
            ("sqlite:///var/lib/x.db", "sqlite:/var/lib/x.db"),
            ("postgres://demo:word@127.0.0.1/demo", "postgres://[REDACTED]"),
        ] {
            let url: StoreUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), shown);
            assert!(!format!("{url:?}").contains("word"));
        }
        for text in ["", "sqlite:", "mysql://x", "postgres://"] {
            assert_eq!(text.parse::<StoreUrl>().unwrap_err(), InvalidStoreUrl, "{text}");
        }
    }
}
