//! What the settings of a campaign say, within ceilings that they cannot pass, and when a sender may go on.

use std::time::Duration;

use config::ActiveHours;
use domain::{SenderCaps, Timestamp};
use serde::{Deserialize, Serialize};

/// Messages of one sender within any hour, whatever the settings say.
pub const HOUR_CEILING: u32 = 60;
/// Messages of one sender within any 24 hours, whatever the settings say.
pub const DAY_CEILING: u32 = 500;
/// Cycles of one run.
pub const MOST_CYCLES: u32 = 100;
/// Senders of one run that are at work at once, where the settings say how many.
const MOST_WORKERS: u32 = 1000;

/// The longest pause that settings may name.
const LONGEST: Duration = Duration::from_hours(24);

/// The settings of a campaign, as they are written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CampaignSettings {
    /// Messages of one sender within any hour.
    pub max_messages_per_hour: u32,
    /// Messages of one sender within any 24 hours.
    pub max_messages_per_day: u32,
    /// How often a run goes through the recipients.
    pub cycles: u32,
    /// Seconds between two cycles.
    pub cycle_delay_seconds: u32,
    /// Seconds between two messages of one sender.
    pub delay_seconds: u32,
    /// How much of that chance adds or takes, 0 to 1.
    pub delay_randomness: f64,
    /// Hours in which it sends, such as `09:00-21:00 Europe/Moscow`; always without.
    pub active_hours: Option<String>,
    /// How often a recipient is tried again after a failure that says nothing about the recipient.
    pub retries: u32,
    /// How many senders are at work at once; all of them without.
    pub workers: Option<u32>,
}

impl Default for CampaignSettings {
    fn default() -> Self {
        Self {
            max_messages_per_hour: 25,
            max_messages_per_day: 300,
            cycles: 1,
            cycle_delay_seconds: 300,
            delay_seconds: 60,
            delay_randomness: 0.2,
            active_hours: None,
            retries: 2,
            workers: None,
        }
    }
}

/// Settings that no campaign can have: the field and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {why}")]
pub struct InvalidSettings {
    pub field: &'static str,
    pub why: String,
}

/// The settings of a campaign, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub caps: SenderCaps,
    pub cycles: u32,
    pub between_cycles: Duration,
    pub retries: u32,
    /// How many senders are at work at once; all of them without.
    pub workers: Option<u32>,
    delay: Duration,
    randomness: f64,
    hours: Option<ActiveHours>,
}

impl Plan {
    /// Checks settings.
    ///
    /// # Errors
    /// A value that is out of its range, or above a ceiling.
    pub fn of(settings: &CampaignSettings) -> Result<Self, InvalidSettings> {
        let within = |field, value: u32, least: u32, most: u32| match value {
            _ if (least..=most).contains(&value) => Ok(value),
            _ => Err(InvalidSettings { field, why: format!("must be {least} to {most}; it is {value}") }),
        };
        let longest = u32::try_from(LONGEST.as_secs()).unwrap_or(u32::MAX);
        let hour = within("max_messages_per_hour", settings.max_messages_per_hour, 1, HOUR_CEILING)?;
        let day = within("max_messages_per_day", settings.max_messages_per_day, 1, DAY_CEILING)?;
        let seconds =
            |field, value| within(field, value, 0, longest).map(|value| Duration::from_secs(value.into()));
        if !(0.0..=1.0).contains(&settings.delay_randomness) {
            let why = format!("must be 0 to 1; it is {}", settings.delay_randomness);
            return Err(InvalidSettings { field: "delay_randomness", why });
        }
        let hours = settings.active_hours.as_deref().map(str::parse).transpose();
        let hours = hours.map_err(|error: config::InvalidHours| InvalidSettings {
            field: "active_hours",
            why: error.to_string(),
        })?;
        Ok(Self {
            caps: SenderCaps { hour, day },
            cycles: within("cycles", settings.cycles, 1, MOST_CYCLES)?,
            between_cycles: seconds("cycle_delay_seconds", settings.cycle_delay_seconds)?,
            retries: within("retries", settings.retries, 0, 10)?,
            workers: settings.workers.map(|count| within("workers", count, 1, MOST_WORKERS)).transpose()?,
            delay: seconds("delay_seconds", settings.delay_seconds)?,
            randomness: settings.delay_randomness,
            hours,
        })
    }

    /// That of the usual settings.
    pub fn usual() -> Self {
        let CampaignSettings { max_messages_per_hour: hour, max_messages_per_day: day, .. } =
            CampaignSettings::default();
        let minute = Duration::from_mins(1);
        Self {
            caps: SenderCaps { hour, day },
            cycles: 1,
            between_cycles: 5 * minute,
            retries: 2,
            workers: None,
            delay: minute,
            randomness: 0.2,
            hours: None,
        }
    }

    /// How long a sender rests between two messages; `chance` is a random number.
    pub fn rest(&self, chance: u64) -> Duration {
        // 53 bits fill a float exactly.
        #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
        let share = (chance >> 11) as f64 / (1_u64 << 53) as f64;
        self.delay.mul_f64(1.0 + self.randomness * (2.0 * share - 1.0))
    }

    /// When a sender may write again whose last message left then.
    pub fn rested_at(&self, last: Timestamp, chance: u64, now: Timestamp) -> Timestamp {
        // Of a clock that was set back it may be ahead.
        last.min(now).plus(self.rest(chance))
    }

    /// The longest rest that chance draws.
    pub fn longest_rest(&self) -> Duration {
        self.rest(u64::MAX)
    }

    /// The rest without chance.
    pub fn usual_rest(&self) -> Duration {
        self.delay
    }

    /// Whether it may send then.
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.hours.as_ref().is_none_or(|hours| hours.cover(at))
    }

    /// When it may send: now, or at the next of its hours.
    pub fn open_at(&self, now: Timestamp) -> Timestamp {
        let Some(hours) = &self.hours else { return now };
        if hours.cover(now) {
            return now;
        }
        let minute = Timestamp::from_micros(now.as_micros().div_euclid(60_000_000) * 60_000_000);
        (1..=2 * 24 * 60)
            .map(|minutes| minute.plus(Duration::from_mins(minutes)))
            .find(|at| hours.cover(*at))
            .unwrap_or_else(|| now.plus(Duration::from_hours(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plan(change: impl FnOnce(&mut CampaignSettings)) -> Result<Plan, InvalidSettings> {
        let mut settings = CampaignSettings::default();
        change(&mut settings);
        Plan::of(&settings)
    }

    #[test]
    fn ceilings_cannot_be_passed() {
        let field = |change: fn(&mut CampaignSettings)| plan(change).expect_err("refused").field;
        assert_eq!(
            field(|settings| settings.max_messages_per_hour = HOUR_CEILING + 1),
            "max_messages_per_hour"
        );
        assert_eq!(field(|settings| settings.max_messages_per_day = DAY_CEILING + 1), "max_messages_per_day");
        assert_eq!(field(|settings| settings.cycles = MOST_CYCLES + 1), "cycles");
        assert_eq!(field(|settings| settings.cycles = 0), "cycles");
        assert_eq!(field(|settings| settings.workers = Some(0)), "workers");
        assert_eq!(field(|settings| settings.delay_randomness = f64::NAN), "delay_randomness");
        assert_eq!(field(|settings| settings.active_hours = Some("at night".into())), "active_hours");
        assert_eq!(plan(|_| ()).expect("fine").caps.hour, 25);
    }

    #[test]
    fn the_usual_plan_is_that_of_the_usual_settings() {
        assert_eq!(plan(|_| ()).expect("fine"), Plan::usual());
        assert_eq!(Plan::usual().between_cycles, Duration::from_mins(5));
        // A minute, give or take a fifth.
        let [shortest, longest] = [0, u64::MAX].map(|chance| Plan::usual().rest(chance).as_secs_f64());
        assert!((shortest - 48.0).abs() < 1e-6 && (longest - 72.0).abs() < 1e-6, "{shortest} {longest}");
    }

    #[test]
    fn a_rest_counts_from_the_last_message_however_long_ago() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let plan = plan(|settings| settings.delay_randomness = 0.0).expect("fine");
        // The last case is a clock that was set back.
        for (last, now, rested) in [(100, 100, 160), (100, 130, 160), (100, 400, 160), (100, 40, 100)] {
            assert_eq!(plan.rested_at(at(last), 0, at(now)), at(rested), "{last} {now}");
        }
    }

    #[test]
    fn quiet_hours_end_by_the_clocks_of_their_time_zone() {
        let plan =
            plan(|settings| settings.active_hours = Some("09:00-21:00 Etc/GMT-3".into())).expect("fine");
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        assert_eq!(plan.open_at(at("2030-01-31T06:00:00Z")), at("2030-01-31T06:00:00Z"));
        assert_eq!(plan.open_at(at("2030-01-31T18:00:30Z")), at("2030-02-01T06:00:00Z"));
    }

    proptest! {
        #[test]
        fn chance_moves_a_rest_by_its_share_at_most(chance: u64, delay in 0_u32..3600, randomness in 0.0..=1.0_f64) {
            let plan = plan(|settings| {
                settings.delay_seconds = delay;
                settings.delay_randomness = randomness;
            }).expect("fine");
            let (rest, delay) = (plan.rest(chance).as_secs_f64(), f64::from(delay));
            prop_assert!((rest - delay).abs() <= delay * randomness + 1e-6, "{rest}");
        }
    }
}
