//! Campaigns: the owner's messages to a list of chats, through several senders, within limits that hold.
//!
//! What to do is decided by pure functions: [`Plan`] is what a campaign's settings say within the built-in ceilings, [`draw`] and
//! [`render`] make what one recipient gets, [`judge`] says what follows from its end, [`forecast`] how long it all takes.
//! [`Campaigns`] carries them out: a claim, a message through the outbox, an end, each written before the next.

mod browsers;
mod draw;
mod forecast;
mod import;
mod judge;
mod old_database;
mod plan;
mod service;
mod template;

pub use browsers::{InvalidProfileLocation, ProfileKind, ProfileLocation, read_proxies};
pub use draw::draw;
pub use forecast::{ByHour, Forecast, People, Remainder, Senders, ends_at, forecast_left};
pub use import::{BadLine, ChatList, FileMessage, Imported, MEDIA, read_messages};
pub use judge::{Judgement, judge};
pub use old_database::{
    OLD_TABLES, OldAttempt, OldCampaign, OldFound, OldMessage, OldRows, OldTask, is_old_column,
};
pub use plan::{CampaignSettings, DAY_CEILING, HOUR_CEILING, InvalidSettings, MOST_CYCLES, Plan};
pub use service::{
    BROWSERS, Browsers, Campaigns, CampaignsParts, ControlError, LeftOut, LogIn, Outlook, Preview,
    ProfileChecked, ProfileError, Start,
};
pub use template::{TemplateError, render, variables};
