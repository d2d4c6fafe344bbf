//! How long a campaign takes, and what its limits cost.

use std::time::Duration;

use domain::Timestamp;

use crate::plan::Plan;

/// Days that are looked ahead.
const FARTHEST: u64 = 3660;

/// What is to be sent, and by how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Recipients of one cycle.
    pub recipients: u64,
    pub cycles: u32,
    pub senders: u32,
    /// What those senders sent in the last hour.
    pub sent_last_hour: u64,
}

/// What is left of a run that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remainder {
    /// Recipients that have their turn before them in its cycle.
    pub pending: u64,
    /// Recipients of a whole cycle.
    pub recipients: u64,
    /// Its cycle, from 1; 0 before the first.
    pub cycle: u32,
    pub cycles: u32,
    /// When the next cycle begins, between two.
    pub next_cycle_at: Option<Timestamp>,
    pub senders: u32,
    /// What those senders sent in the last hour.
    pub sent_last_hour: u64,
}

/// When the last message of a run leaves.
pub fn ends_at(plan: &Plan, left: Remainder, now: Timestamp) -> Option<Timestamp> {
    let Remainder { pending, recipients, cycle, cycles, next_cycle_at, senders, sent_last_hour } = left;
    let later = cycles.saturating_sub(cycle);
    let (pending, pauses) = match next_cycle_at {
        Some(_) => (0, later.saturating_sub(1)),
        None => (pending, later),
    };
    let recipients = pending.saturating_add(recipients.saturating_mul(later.into()));
    let load = Load { recipients, cycles: 1, senders, sent_last_hour };
    let begins_at = next_cycle_at.map_or(now, |at| at.max(now));
    let last = forecast(plan, load, begins_at).last_leaves_at?;
    Some(last.plus(plan.between_cycles.saturating_mul(pauses)))
}

/// How long a campaign takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forecast {
    /// When the last message leaves; none where that is more than ten years ahead, or no one sends.
    pub last_leaves_at: Option<Timestamp>,
    /// When it would leave if nothing but the rest between two messages held it.
    pub without_limits_at: Option<Timestamp>,
    /// Messages an hour, all senders together.
    pub per_hour: u64,
}

/// Reckons when the last message leaves, to the hour: what a sender may send in each hour, as often as its hours are open and its
/// day has room.
pub fn forecast(plan: &Plan, load: Load, now: Timestamp) -> Forecast {
    let all = load.recipients.saturating_mul(load.cycles.into());
    let senders = u64::from(load.senders);
    let by_rest = 3_600_000_u64.checked_div(plan.usual_rest().as_millis().try_into().unwrap_or(u64::MAX));
    let rate = by_rest.unwrap_or(u64::MAX).max(1).min(plan.caps.hour.into());
    let pauses = plan.between_cycles.saturating_mul(load.cycles.saturating_sub(1));
    let each = all.div_ceil(senders.max(1));
    let rest = u32::try_from(each.saturating_sub(1)).unwrap_or(u32::MAX);
    let without = now.plus(plan.usual_rest().saturating_mul(rest)).plus(pauses);
    let mut left = each;
    let mut hour = now;
    // What was sent lately leaves less room in the first hour.
    let mut room = u64::from(plan.caps.hour).saturating_sub(load.sent_last_hour.div_ceil(senders.max(1)));
    let mut last = (senders > 0 && left == 0).then_some(now);
    for _ in 0..FARTHEST {
        if last.is_some() || senders == 0 {
            break;
        }
        let mut day = u64::from(plan.caps.day);
        for _ in 0..24 {
            if plan.is_open(hour) {
                let most = rate.min(day).min(room);
                if left <= most {
                    let share = Duration::from_hours(1).mul_f64(share(left.saturating_sub(1), rate));
                    last = Some(hour.plus(share).plus(pauses));
                    break;
                }
                left -= most;
                day -= most;
            }
            hour = hour.plus(Duration::from_hours(1));
            room = u64::MAX;
        }
    }
    Forecast {
        last_leaves_at: last,
        without_limits_at: (senders > 0).then_some(without),
        per_hour: rate * senders,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share of an hour")]
fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::CampaignSettings;
    use proptest::prelude::*;

    fn plan(delay_seconds: u32, hours: Option<&str>) -> Plan {
        let active_hours = hours.map(str::to_owned);
        let settings = CampaignSettings { delay_seconds, active_hours, ..CampaignSettings::default() };
        Plan::of(&settings).expect("settings")
    }

    fn hours(plan: &Plan, recipients: u64, senders: u32) -> u64 {
        let now = "2030-01-31T00:00:00Z".parse().expect("a time");
        let load = Load { recipients, cycles: 1, senders, sent_last_hour: 0 };
        forecast(plan, load, now).last_leaves_at.expect("an end").since(now).as_secs() / 3600
    }

    #[test]
    fn the_cap_of_an_hour_and_of_a_day_decide() {
        assert_eq!(hours(&plan(0, None), 25, 1), 0);
        assert_eq!(hours(&plan(0, None), 26, 1), 1);
        assert_eq!(hours(&plan(0, None), 50, 2), 0);
        // 12 hours fill the day of 300.
        assert_eq!(hours(&plan(0, None), 301, 1), 24);
        assert_eq!(hours(&plan(0, Some("10:00-11:00 UTC")), 26, 1), 34);
        assert_eq!(hours(&plan(1800, None), 5, 1), 2);
    }

    #[test]
    fn no_sender_means_no_end() {
        let load = Load { recipients: 1, cycles: 1, senders: 0, sent_last_hour: 0 };
        assert_eq!(forecast(&plan(0, None), load, Timestamp::default()).last_leaves_at, None);
    }

    #[test]
    fn what_was_sent_in_the_last_hour_leaves_less_room() {
        let now = "2030-01-31T00:00:00Z".parse().expect("a time");
        let hours = |sent_last_hour| {
            let load = Load { recipients: 5, cycles: 1, senders: 2, sent_last_hour };
            forecast(&plan(0, None), load, now).last_leaves_at.expect("an end").since(now).as_secs() / 3600
        };
        assert_eq!((hours(0), hours(44), hours(45), hours(50)), (0, 0, 1, 1));
    }

    #[test]
    fn a_run_ends_after_what_is_left_of_its_cycles() {
        let now: Timestamp = "2030-01-31T00:00:00Z".parse().expect("a time");
        let next = now.plus(Duration::from_mins(2));
        let left = |pending, cycle, next_cycle_at| {
            let (recipients, cycles, senders, sent_last_hour) = (2, 2, 1, 0);
            Remainder { pending, recipients, cycle, cycles, next_cycle_at, senders, sent_last_hour }
        };
        let seconds = |left| ends_at(&plan(0, None), left, now).expect("an end").since(now).as_secs();
        // 25 an hour leave evenly; two cycles are five minutes apart.
        assert_eq!(seconds(left(1, 2, None)), 0);
        assert_eq!(seconds(left(2, 2, None)), 144);
        assert_eq!(seconds(left(2, 1, None)), 3 * 144 + 300);
        assert_eq!(seconds(left(2, 1, Some(next))), 120 + 144);
        assert_eq!(ends_at(&plan(0, None), Remainder { senders: 0, ..left(1, 2, None) }, now), None);
    }

    proptest! {
        #[test]
        fn more_senders_are_never_slower(recipients in 0_u64..5_000, senders in 1_u32..20) {
            let plan = plan(60, None);
            prop_assert!(hours(&plan, recipients, senders + 1) <= hours(&plan, recipients, senders));
        }
    }
}
