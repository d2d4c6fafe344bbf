//! The country whose numbers are written without its code.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use rlibphonenumber::{PHONE_NUMBER_UTIL, Region};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The home country of this process; Russia until the settings name another.
static HOME: OnceLock<Country> = OnceLock::new();

/// A country, by its two letters in ISO 3166.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Country(Region);

/// Text that names no country.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is no country with phone numbers; write its two letters, such as RU or KZ")]
pub struct InvalidCountry(String);

/// Sets the country whose numbers may be written without their code. The program does so once, when it starts; later calls
/// change nothing.
pub fn set_home(country: Country) {
    let _ = HOME.set(country);
}

impl Country {
    pub(super) fn home() -> Self {
        HOME.get().copied().unwrap_or_default()
    }

    pub(super) const fn region(self) -> Region {
        self.0
    }

    /// What its numbers begin with in international form.
    pub(super) fn code(self) -> Option<String> {
        PHONE_NUMBER_UTIL.get_country_code_for_region(self.0).map(|code| code.to_string())
    }
}

impl Default for Country {
    fn default() -> Self {
        Self(Region::RU)
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Country {
    type Err = InvalidCountry;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidCountry(text.chars().take(16).collect());
        let region = Region::from_code(&text.trim().to_ascii_uppercase()).map_err(|_| invalid())?;
        let country = Self(region);
        if country.code().is_some() { Ok(country) } else { Err(invalid()) }
    }
}

impl Serialize for Country {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
