//! Where the browser of a profile is.

use std::fmt;

use outbound::guard::AddressError;
use outbound::{Allowed, guard};
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
    pub why: String,
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
    /// An address that is none or that the guard refuses, an id or a token that is empty, capabilities that are no object.
    pub fn checked(self, allowed: &Allowed) -> Result<Self, InvalidProfileLocation> {
        let bad = |field, why: &str| Err(InvalidProfileLocation { field, why: why.to_owned() });
        match &self {
            Self::Donut { api, .. } => check("api", api, "http://127.0.0.1:10108", allowed)?,
            Self::Endpoint { driver, .. } => check("driver", driver, "http://127.0.0.1:9515", allowed)?,
            Self::Chromium | Self::Firefox => {}
        }
        match &self {
            Self::Donut { token, .. } if token.trim().is_empty() => {
                bad("token", "must be the token of its settings")
            }
            Self::Donut { id, .. } if !is_id(id) => bad("id", "must be the id of the profile in Donut"),
            Self::Endpoint { capabilities, .. } if !capabilities.is_object() => {
                bad("capabilities", "must be an object, as WebDriver has it")
            }
            Self::Chromium | Self::Firefox | Self::Donut { .. } | Self::Endpoint { .. } => Ok(self),
        }
    }
}

/// Checks the address of a program that paths are added to.
fn check(
    field: &'static str,
    address: &str,
    such_as: &str,
    allowed: &Allowed,
) -> Result<(), InvalidProfileLocation> {
    let bad = |why| Err(InvalidProfileLocation { field, why });
    let wrong = |sign: char| sign.is_whitespace() || sign.is_control() || matches!(sign, '?' | '#');
    if address.contains(wrong) {
        return bad(format!("must be an address without a query, such as {such_as}"));
    }
    match guard::address(address, allowed) {
        Ok(_) => Ok(()),
        Err(AddressError::Refused(refused)) => bad(format!("is not dialled: {refused}")),
        Err(why) => bad(format!("must be an address such as {such_as}: {why}")),
    }
}

/// It becomes a part of an address.
fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use outbound::AllowList;
    use serde_json::json;

    #[test]
    fn a_location_reads_back_and_bad_ones_are_named() {
        let listed = Allowed::new(AllowList::Campaigns, vec!["127.0.0.0/8".parse().expect("a network")]);
        let read = |value: Value| {
            serde_json::from_value::<ProfileLocation>(value).expect("a place").checked(&listed)
        };
        assert_eq!(read(json!({"kind": "chromium"})).map(|place| place.kind()), Ok(ProfileKind::Chromium));
        assert_eq!(read(json!({"kind": "firefox"})).map(|place| place.kind()), Ok(ProfileKind::Firefox));
        let donut = json!({"kind": "donut", "api": "http://127.0.0.1:10108", "token": "t", "id": "4c1a-2"});
        assert_eq!(read(donut.clone()).map(|place| serde_json::to_value(place).expect("JSON")), Ok(donut));
        for (value, field) in [
            (json!({"kind": "donut", "api": "127.0.0.1", "token": "t", "id": "1"}), "api"),
            (json!({"kind": "donut", "api": "http://a", "token": " ", "id": "1"}), "token"),
            (json!({"kind": "donut", "api": "http://a", "token": "t", "id": "../1"}), "id"),
            (json!({"kind": "endpoint", "driver": "http://", "capabilities": {}}), "driver"),
            (json!({"kind": "endpoint", "driver": "http://a/x?", "capabilities": {}}), "driver"),
            (json!({"kind": "donut", "api": "http://a/#x", "token": "t", "id": "1"}), "api"),
            (json!({"kind": "endpoint", "driver": "http://a:b@c", "capabilities": {}}), "driver"),
            (json!({"kind": "endpoint", "driver": "http://10.0.0.1", "capabilities": {}}), "driver"),
            (json!({"kind": "endpoint", "driver": "http://a"}), "capabilities"),
        ] {
            assert_eq!(read(value).map_err(|error| error.field).err(), Some(field));
        }
    }
}
