//! A maintenance window.

use alerts::{Hours, Weekday, WindowView};
use domain::{MaintenanceId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::schemas;

/// A maintenance window: once, or every week.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MaintenanceWindow {
    /// Its id.
    #[schema(value_type = String, example = "maint_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    pub id: MaintenanceId,
    /// What for.
    #[schema(example = "backup")]
    pub note: String,
    /// For which cards: `all`, a kind such as `account`, or a card such as `account:main`.
    #[schema(example = "all")]
    pub scope: String,
    /// When it begins, if it is once.
    pub from: Option<Timestamp>,
    /// When it ends, if it is once.
    pub until: Option<Timestamp>,
    /// The days on which it begins, if it is every week.
    #[schema(schema_with = schemas::weekdays)]
    pub days: Option<Vec<String>>,
    /// The time of day at which it begins then.
    #[schema(example = "02:00")]
    pub start: Option<String>,
    /// How many minutes it lasts then.
    pub minutes: Option<u32>,
    /// How far the clocks it is meant by are ahead of UTC.
    #[schema(example = "+03:00")]
    pub utc_offset: Option<String>,
    /// Until when it lasts, if it is now.
    pub now_until: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
}

impl From<WindowView> for MaintenanceWindow {
    fn from(view: WindowView) -> Self {
        let WindowView { id, window, now_until, created_at, created_by } = view;
        let alerts::MaintenanceWindow { note, scope, hours } = window;
        let scope = scope.to_string();
        let (from, until, weekly) = match hours {
            Hours::Once { from, until } => (Some(from), Some(until), None),
            Hours::Weekly { days, start, minutes, utc_offset } => {
                (None, None, Some((days, start, minutes, utc_offset)))
            }
        };
        let days = weekly
            .as_ref()
            .map(|(days, ..)| days.iter().copied().map(|day| Weekday::as_str(day).to_owned()).collect());
        let clock = |minutes: u32| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        let start = weekly.as_ref().map(|(_, start, ..)| clock(*start));
        let minutes = weekly.as_ref().map(|(_, _, minutes, _)| *minutes);
        let utc_offset = weekly.map(|(.., offset)| {
            format!("{}{}", if offset < 0 { '-' } else { '+' }, clock(offset.unsigned_abs()))
        });
        Self {
            id,
            note,
            scope,
            from,
            until,
            days,
            start,
            minutes,
            utc_offset,
            now_until,
            created_at,
            created_by,
        }
    }
}
