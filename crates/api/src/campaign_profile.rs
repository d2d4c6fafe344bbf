//! Browser profiles of campaigns, and their proxies.

use campaigns::CampaignSettings;
use domain::Timestamp;
use serde::{Deserialize, Serialize};
use store::{CampaignRow, StoredProfile, StoredProxy};
use utoipa::ToSchema;

/// A browser in which a person has logged in at Telegram Web K.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CampaignProfile {
    /// Its name.
    #[schema(example = "shop-1")]
    pub name: String,
    /// `chromium`, `firefox`, `donut` or `endpoint`.
    #[schema(example = "chromium")]
    pub kind: String,
    /// Its proxy, without the password.
    #[schema(example = "socks5://demo@proxy.example.com:1080")]
    pub proxy: Option<String>,
    /// `active`, `blocked` or `logged_out`.
    #[schema(example = "active")]
    pub state: String,
    /// Why it sends nothing, such as `frozen`, `refused`, `notice`, `proxy_sick`, `logged_out` or `locked`.
    #[schema(example = "frozen")]
    pub reason: Option<String>,
    /// Who is logged in there, once that is known.
    #[schema(example = 5_000_000_001_i64)]
    pub user_id: Option<i64>,
    /// What went wrong last, until the page is fine again.
    pub last_error: Option<String>,
    pub last_error_at: Option<Timestamp>,
    /// The file of the latest picture of what went wrong.
    #[schema(example = "1767225600000000_shop-1.png")]
    pub picture: Option<String>,
    /// The campaigns that it sends for.
    #[schema(example = json!(["spring"]))]
    pub campaigns: Vec<String>,
    /// How many messages it sent within the last hour, over all campaigns.
    #[schema(example = 12)]
    pub sent_last_hour: u64,
    /// The largest of the hourly limits of its campaigns.
    #[schema(example = 25)]
    pub max_messages_per_hour: Option<u32>,
    pub created_at: Timestamp,
}

/// A proxy of browser profiles.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CampaignProxy {
    /// Its address without the password.
    #[schema(example = "socks5://demo@proxy.example.com:1080")]
    pub name: String,
    /// `untested`, `healthy` or `sick`.
    #[schema(example = "healthy")]
    pub health: String,
    /// Why it is sick.
    pub reason: Option<String>,
    pub checked_at: Option<Timestamp>,
    /// The first of the profiles that have it.
    #[schema(example = "shop-1")]
    pub profile: Option<String>,
}

/// What the owner of a browser profile sees who logs in.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CampaignLogIn {
    /// `code` (scan the picture with the phone), `password`, `phone`, `passcode` or `other` (to be typed in the browser's window),
    /// `loading` or `done`.
    #[schema(example = "code")]
    pub state: String,
    /// The code as PNG in base64. Who scans it is let in; it changes every few seconds.
    pub picture: Option<String>,
    /// Who is logged in now.
    pub user_id: Option<i64>,
}

impl CampaignProfile {
    /// A profile with its latest picture, its campaigns and what it sent within the last hour.
    pub fn of(
        profile: StoredProfile,
        picture: Option<String>,
        campaigns: Vec<CampaignRow>,
        sent_last_hour: u64,
    ) -> Self {
        let cap = |row: &CampaignRow| {
            let settings: CampaignSettings = serde_json::from_str(&row.settings).unwrap_or_default();
            settings.max_messages_per_hour
        };
        let max_messages_per_hour = campaigns.iter().map(cap).max();
        let (last_error, last_error_at) = profile.error.unzip();
        Self {
            name: profile.name.to_string(),
            kind: profile.kind,
            proxy: profile.proxy,
            state: profile.state.as_str().to_owned(),
            reason: profile.why,
            user_id: profile.user_id.map(i64::from),
            last_error,
            last_error_at,
            picture,
            campaigns: campaigns.into_iter().map(|row| row.name).collect(),
            sent_last_hour,
            max_messages_per_hour,
            created_at: profile.created_at,
        }
    }
}

impl From<StoredProxy> for CampaignProxy {
    fn from(proxy: StoredProxy) -> Self {
        Self {
            name: proxy.name,
            health: proxy.health.as_str().to_owned(),
            reason: proxy.why,
            checked_at: proxy.checked_at,
            profile: proxy.profile,
        }
    }
}
