//! Secrets: where their text is taken from, and how they are kept out of sight.

use std::{
    collections::BTreeMap,
    io::Read,
    path::{Path, PathBuf},
};

use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serializer, de};
use toml::Value;

use crate::{
    keys::{Row, Section},
    proxy::ProxyAddress,
};

/// The greatest file a secret is read from.
const LARGEST: u64 = 64 * 1024;

/// What is written in the place of a secret.
const REDACTED: &str = "[REDACTED]";

/// Where a secret of the settings is: a command that needs it can take it from there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SecretOrigin {
    /// In the settings themselves.
    #[default]
    Written,
    /// In an environment variable of this name.
    Variable(String),
    /// In this file.
    File(PathBuf),
}

impl Section for SecretOrigin {
    const ROWS: &'static [Row] = &[];
}

/// Why a reference leads to no secret; follows the key in a sentence.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoSecret {
    #[error("must be a text, {{ file = \"…\" }} or {{ env = \"…\" }}; found {found}")]
    NoReference { found: &'static str },
    #[error(
        "refers to the environment variable {name}, which is not set; set it or give the secret otherwise"
    )]
    NotSet { name: String },
    #[error("refers to the file {}, which cannot be read: {source}; check its path and its rights", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("refers to the file {}, which is larger than {LARGEST} bytes; is it the right one?", path.display())]
    TooLarge { path: PathBuf },
    #[error("refers to {place}, which is empty")]
    Empty { place: String },
}

/// The secret that a value is or refers to.
pub(crate) fn resolve(
    value: &Value,
    folder: &Path,
    environment: &BTreeMap<String, String>,
) -> Result<String, NoSecret> {
    let table = match value {
        Value::String(text) => return Ok(text.clone()),
        Value::Table(table) if table.len() == 1 => table,
        other => return Err(NoSecret::NoReference { found: crate::value_kind::kind(other) }),
    };
    if let Some(name) = table.get("env").and_then(Value::as_str) {
        return match environment.get(name) {
            None => Err(NoSecret::NotSet { name: name.to_owned() }),
            Some(text) if text.trim().is_empty() => {
                Err(NoSecret::Empty { place: format!("the environment variable {name}") })
            }
            Some(text) => Ok(text.trim_end_matches(['\r', '\n']).to_owned()),
        };
    }
    if let Some(file) = table.get("file").and_then(Value::as_str) {
        return read(&folder.join(file));
    }
    Err(NoSecret::NoReference { found: "a section with other keys" })
}

/// The environment variable that a value refers to.
pub(crate) fn variable(value: &Value) -> Option<&str> {
    value.as_table()?.get("env")?.as_str()
}

/// Where a value refers to, if it is a reference.
pub(crate) fn origin(value: &Value, folder: &Path) -> Option<SecretOrigin> {
    let table = value.as_table()?;
    let text = |key: &str| table.get(key).and_then(Value::as_str);
    let variable = text("env").map(|name| SecretOrigin::Variable(name.to_owned()));
    variable.or_else(|| text("file").map(|file| SecretOrigin::File(folder.join(file))))
}

fn read(path: &Path) -> Result<String, NoSecret> {
    let unreadable = |source| NoSecret::Unreadable { path: path.to_owned(), source };
    let mut text = String::new();
    let file = ambient::regular_file::open(path).map_err(unreadable)?;
    file.take(LARGEST + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > LARGEST {
        return Err(NoSecret::TooLarge { path: path.to_owned() });
    }
    if text.trim().is_empty() {
        return Err(NoSecret::Empty { place: format!("the file {}", path.display()) });
    }
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    Ok(text)
}

pub(crate) fn redacted<S: Serializer>(_: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(REDACTED)
}

#[expect(clippy::ref_option, reason = "serde hands fields over by reference")]
pub(crate) fn optional_redacted<S: Serializer>(
    secret: &Option<SecretString>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => redacted(secret, serializer),
        None => serializer.serialize_none(),
    }
}

/// A proxy's address where there may be none.
pub(crate) mod optional_proxy {
    use super::{Deserialize, Deserializer, ProxyAddress, REDACTED, Serializer, de};

    #[expect(clippy::ref_option, reason = "serde hands fields over by reference")]
    pub(crate) fn serialize<S: Serializer>(
        proxy: &Option<ProxyAddress>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match proxy {
            Some(_) => serializer.serialize_str(REDACTED),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<ProxyAddress>, D::Error> {
        String::deserialize(deserializer)?.parse().map(Some).map_err(de::Error::custom)
    }
}
