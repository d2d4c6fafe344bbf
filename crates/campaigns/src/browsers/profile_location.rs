//! Where the browser of a profile is.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What kind of browser a profile is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProfileKind {
    /// A Chromium of this program, on a directory of its own.
    Chromium,
    /// A Firefox of this program, on a directory of its own.
    Firefox,
    /// A profile of Donut Browser, which starts its browser itself.
    Donut,
    /// A driver that someone else runs: on another machine, or a grid.
    Endpoint,
}

impl fmt::Display for ProfileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
            Self::Donut => "donut",
            Self::Endpoint => "endpoint",
        })
    }
}

/// Where the browser of a profile is. It is kept sealed: it may have a token.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ProfileLocation {
    Chromium,
    Firefox,
    Donut {
        /// `http://127.0.0.1:10108`, as its settings show it.
        api: String,
        /// The token in its settings.
        token: String,
        /// The profile's id there.
        id: String,
    },
    Endpoint {
        /// `http://127.0.0.1:9515`: a driver has no password, so it is reached on loopback or through a tunnel.
        driver: String,
        /// What is asked for: which browser, which profile.
        #[serde(default)]
        capabilities: Value,
    },
}

/// A place that cannot be: the field and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {why}")]
pub struct InvalidProfileLocation {
    pub field: &'static str,
    pub why: &'static str,
}

impl ProfileLocation {
    pub fn kind(&self) -> ProfileKind {
        match self {
            Self::Chromium => ProfileKind::Chromium,
            Self::Firefox => ProfileKind::Firefox,
            Self::Donut { .. } => ProfileKind::Donut,
            Self::Endpoint { .. } => ProfileKind::Endpoint,
        }
    }

    /// Checks what a person wrote.
    ///
    /// # Errors
    /// An address that is none, an id or a token that is empty, capabilities that are no object.
    pub fn checked(self) -> Result<Self, InvalidProfileLocation> {
        let bad = |field, why| Err(InvalidProfileLocation { field, why });
        match &self {
            Self::Donut { api, .. } if !is_http(api) => {
                bad("api", "must be an address such as http://127.0.0.1:10108")
            }
            Self::Donut { token, .. } if token.trim().is_empty() => {
                bad("token", "must be the token of its settings")
            }
            Self::Donut { id, .. } if !is_id(id) => bad("id", "must be the id of the profile in Donut"),
            Self::Endpoint { driver, .. } if !is_http(driver) => {
                bad("driver", "must be an address such as http://127.0.0.1:9515")
            }
            Self::Endpoint { capabilities, .. } if !capabilities.is_object() => {
                bad("capabilities", "must be an object, as WebDriver has it")
            }
            Self::Chromium | Self::Firefox | Self::Donut { .. } | Self::Endpoint { .. } => Ok(self),
        }
    }
}

fn is_http(address: &str) -> bool {
    let rest = address.strip_prefix("http://").or_else(|| address.strip_prefix("https://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        && !address.contains(|sign: char| sign.is_whitespace() || sign.is_control())
}

/// It becomes a part of an address.
fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_location_reads_back_and_bad_ones_are_named() {
        let read =
            |value: Value| serde_json::from_value::<ProfileLocation>(value).expect("a place").checked();
        assert_eq!(read(json!({"kind": "chromium"})).map(|place| place.kind()), Ok(ProfileKind::Chromium));
        assert_eq!(read(json!({"kind": "firefox"})).map(|place| place.kind()), Ok(ProfileKind::Firefox));
        let donut = json!({"kind": "donut", "api": "http://127.0.0.1:10108", "token": "t", "id": "4c1a-2"});
        assert_eq!(read(donut.clone()).map(|place| serde_json::to_value(place).expect("JSON")), Ok(donut));
        for (value, field) in [
            (json!({"kind": "donut", "api": "127.0.0.1", "token": "t", "id": "1"}), "api"),
            (json!({"kind": "donut", "api": "http://a", "token": " ", "id": "1"}), "token"),
            (json!({"kind": "donut", "api": "http://a", "token": "t", "id": "../1"}), "id"),
            (json!({"kind": "endpoint", "driver": "http:///x", "capabilities": {}}), "driver"),
            (json!({"kind": "endpoint", "driver": "http://a"}), "capabilities"),
        ] {
            assert_eq!(read(value).map_err(|error| error.field).err(), Some(field));
        }
    }
}
