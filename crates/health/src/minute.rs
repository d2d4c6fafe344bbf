//! Beats and minutes: what was asked of a card and what came back. Pure.

use std::borrow::Cow;
use std::time::Duration;

use domain::Timestamp;
use serde::Serialize;

/// How many minutes a strip shows.
pub const STRIP: usize = 120;

/// The result of a probe of a card. The order is from best to worst, so that the worst of several is their `max`.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeOutcome {
    /// No one asked: it is switched off, was just started, or nothing called for it.
    NotAsked,
    /// A real round trip was answered in time.
    Answered,
    /// It was answered, and took longer than it should.
    Slow,
    /// It was asked and something is wrong.
    Failed,
}

domain::enum_words!(ProbeOutcome);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beat {
    pub at: Timestamp,
    pub answer: ProbeOutcome,
    pub latency: Option<Duration>,
    /// Why it failed or was not asked, as a stable code.
    pub reason: Option<Cow<'static, str>>,
}

/// One dot of a strip: the worst of a minute's beats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Minute {
    /// When it began. Counted back from the present by a monotonic clock, so that dots never overlap.
    pub at: Timestamp,
    pub answer: ProbeOutcome,
    #[serde(rename = "latency_ms", serialize_with = "as_millis")]
    pub latency: Option<Duration>,
    pub reason: Option<String>,
}

#[expect(clippy::ref_option, reason = "serde asks for it so")]
fn as_millis<S: serde::Serializer>(latency: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    latency.map(|latency| u64::try_from(latency.as_millis()).unwrap_or(u64::MAX)).serialize(serializer)
}

/// One round of beats: what every card answered, and with the last round of a minute also the minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    pub at: Timestamp,
    /// The number of the minute it belongs to; it never goes back, whatever is done to the clock.
    pub minute: i64,
    pub beats: Vec<(crate::CardId, Beat)>,
    /// The minute that ended just before this round, by card; empty within a minute.
    pub ended: Vec<(crate::CardId, Minute)>,
}
