//! How long a campaign takes, and what its limits cost.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use domain::{Timestamp, UserId};

use crate::plan::Plan;

/// Hours that are looked ahead.
const FARTHEST: usize = 3660 * 24;
/// Hours that a day of a sender has; the windows slide.
const DAY: usize = 24;

/// Who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Senders {
    /// An account and a browser profile of one person share an hour and a day.
    pub people: u32,
    /// What they sent in each of the last 24 hours, all together; the latest comes first.
    pub sent: [u64; DAY],
}

impl Senders {
    /// Of senders that may send: who each is, where that is known, and what it sent in each of the last 24 hours.
    pub fn of(senders: impl IntoIterator<Item = (Option<UserId>, [u64; DAY])>) -> Self {
        let (mut all, mut known) = (Self::default(), BTreeSet::new());
        for (person, sent) in senders {
            all.people += u32::from(person.is_none_or(|person| known.insert(person)));
            for (hour, sent) in all.sent.iter_mut().zip(sent) {
                *hour += sent;
            }
        }
        all
    }
}

/// What is to be sent, and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Recipients of one cycle.
    pub recipients: u64,
    pub cycles: u32,
    pub senders: Senders,
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
    pub senders: Senders,
}

/// When the last message of a run leaves.
pub fn ends_at(plan: &Plan, left: Remainder, now: Timestamp) -> Option<Timestamp> {
    forecast_left(plan, left, now).last_leaves_at
}

/// How long what is left of a run takes.
pub fn forecast_left(plan: &Plan, left: Remainder, now: Timestamp) -> Forecast {
    let Remainder { pending, recipients, cycle, cycles, next_cycle_at, senders } = left;
    let later = cycles.saturating_sub(cycle);
    let (pending, pauses) = match next_cycle_at {
        Some(_) => (0, later.saturating_sub(1)),
        None => (pending, later),
    };
    let recipients = pending.saturating_add(recipients.saturating_mul(later.into()));
    let load = Load { recipients, cycles: 1, senders };
    let begins_at = next_cycle_at.map_or(now, |at| at.max(now));
    let found = forecast(plan, load, begins_at);
    let with_pauses = |at: Timestamp| at.plus(plan.between_cycles.saturating_mul(pauses));
    Forecast {
        last_leaves_at: found.last_leaves_at.map(with_pauses),
        without_limits_at: found.without_limits_at.map(with_pauses),
        ..found
    }
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
/// day has room. Of more senders than are at work at once only as many are counted.
pub fn forecast(plan: &Plan, load: Load, now: Timestamp) -> Forecast {
    let all = load.recipients.saturating_mul(load.cycles.into());
    let Senders { people, sent } = load.senders;
    let people = u64::from(people);
    let senders = people.min(plan.workers.map_or(u64::MAX, u64::from));
    let by_rest = 3_600_000_u64.checked_div(plan.usual_rest().as_millis().try_into().unwrap_or(u64::MAX));
    let rate = by_rest.unwrap_or(u64::MAX).max(1).min(plan.caps.hour.into());
    let pauses = plan.between_cycles.saturating_mul(load.cycles.saturating_sub(1));
    let each = all.div_ceil(senders.max(1));
    let rest = u32::try_from(each.saturating_sub(1)).unwrap_or(u32::MAX);
    let without = now.plus(plan.usual_rest().saturating_mul(rest)).plus(pauses);
    let mut left = each;
    let mut hour = now;
    // What was sent lately leaves less room in the first hour, and in those that are within a day of it.
    let mut room = u64::from(plan.caps.hour).saturating_sub(sent[0].div_ceil(people.max(1)));
    let mut today = VecDeque::with_capacity(DAY);
    let mut last = (senders > 0 && left == 0).then_some(now);
    let (mut elapsed, mut opened) = (0, now);
    while last.is_none() && senders > 0 && elapsed < FARTHEST {
        if !plan.is_open(hour) {
            opened = opens(plan, opened, hour);
            let closed = usize::try_from(opened.since(hour).as_secs() / 3600).unwrap_or(FARTHEST);
            for _ in 0..closed.min(DAY) {
                pass(&mut today, 0);
            }
            if closed > 0 {
                room = u64::MAX;
            }
            elapsed += closed;
            hour = opened;
        }
        let before: u64 = sent.iter().take(DAY.saturating_sub(elapsed)).sum();
        let taken = before.div_ceil(people) + today.iter().sum::<u64>();
        let day = u64::from(plan.caps.day).saturating_sub(taken);
        let most = rate.min(day).min(room);
        if left <= most {
            let share = Duration::from_hours(1).mul_f64(share(left.saturating_sub(1), rate));
            last = Some(hour.plus(share).plus(pauses));
            break;
        }
        left -= most;
        pass(&mut today, most);
        hour = hour.plus(Duration::from_hours(1));
        elapsed += 1;
        room = u64::MAX;
    }
    Forecast {
        last_leaves_at: last,
        without_limits_at: (senders > 0).then_some(without),
        per_hour: rate * senders,
    }
}

/// Another hour of the day is over, in which so many left.
fn pass(today: &mut VecDeque<u64>, sent: u64) {
    today.push_back(sent);
    if today.len() == DAY {
        today.pop_front();
    }
}

/// When the next of its hours begin. Nearly always that is a day after the last ones did, and no minute is looked at.
fn opens(plan: &Plan, last: Timestamp, now: Timestamp) -> Timestamp {
    let guess = last.plus(Duration::from_hours(24));
    let begins = guess > now && plan.is_open(guess) && !plan.is_open(guess.minus(Duration::from_mins(1)));
    if begins { guess } else { plan.open_at(now) }
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

    fn people(people: u32) -> Senders {
        Senders { people, ..Senders::default() }
    }

    fn hours_of(plan: &Plan, recipients: u64, senders: Senders) -> u64 {
        let now = "2030-01-31T00:00:00Z".parse().expect("a time");
        let load = Load { recipients, cycles: 1, senders };
        forecast(plan, load, now).last_leaves_at.expect("an end").since(now).as_secs() / 3600
    }

    fn hours(plan: &Plan, recipients: u64, senders: u32) -> u64 {
        hours_of(plan, recipients, people(senders))
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
        // 25 in each twenty minutes of a day; the end of those is no hour after their beginning.
        let short = plan(0, Some("10:40-11:00 UTC"));
        assert_eq!([1, 26, 51].map(|recipients| hours(&short, recipients, 1)), [10, 34, 58]);
    }

    #[test]
    fn no_sender_means_no_end() {
        let load = Load { recipients: 1, cycles: 1, senders: people(0) };
        assert_eq!(forecast(&plan(0, None), load, Timestamp::default()).last_leaves_at, None);
    }

    #[test]
    fn messages_of_the_last_hour_leave_less_room() {
        let hours = |lately| {
            let mut senders = people(2);
            senders.sent[0] = lately;
            hours_of(&plan(0, None), 5, senders)
        };
        assert_eq!((hours(0), hours(44), hours(45), hours(50)), (0, 0, 1, 1));
    }

    #[test]
    fn a_full_day_makes_room_as_its_messages_grow_old() {
        // 25 in each hour from 20 to 8 hours ago fill the day of 300.
        let mut senders = people(1);
        senders.sent[8..20].fill(25);
        assert_eq!(hours_of(&plan(0, None), 1, senders), 5);
        assert_eq!(hours_of(&plan(0, None), 26, senders), 6);
        senders.sent[8] = 24;
        assert_eq!(hours_of(&plan(0, None), 1, senders), 0);
        assert_eq!(hours_of(&plan(0, None), 2, senders), 5);
    }

    #[test]
    fn no_more_senders_are_counted_than_are_at_work() {
        let settings = CampaignSettings { delay_seconds: 0, workers: Some(2), ..CampaignSettings::default() };
        let two_at_once = Plan::of(&settings).expect("settings");
        assert_eq!((hours(&two_at_once, 50, 9), hours(&two_at_once, 51, 9)), (0, 1));
        assert_eq!(hours(&two_at_once, 26, 1), 1);
        let load = Load { recipients: 50, cycles: 1, senders: people(9) };
        assert_eq!(forecast(&two_at_once, load, Timestamp::default()).per_hour, 50);
    }

    #[test]
    fn an_account_and_its_profile_are_one_person() {
        let sent = |count| {
            let mut sent = [0; DAY];
            sent[3] = count;
            sent
        };
        let person = UserId::new;
        let senders =
            Senders::of([(person(7), sent(1)), (person(7), sent(2)), (None, sent(3)), (None, sent(4))]);
        assert_eq!(senders, Senders { people: 3, sent: sent(10) });
    }

    #[test]
    fn the_delay_by_limits_is_reported() {
        let now: Timestamp = "2030-01-31T00:00:00Z".parse().expect("a time");
        let load = Load { recipients: 61, cycles: 1, senders: people(1) };
        let result = forecast(&plan(60, None), load, now);
        assert_eq!(result.without_limits_at, Some(now.plus(Duration::from_hours(1))));
        assert!(result.last_leaves_at > Some(now.plus(Duration::from_hours(2))), "{result:?}");
    }

    #[test]
    fn a_run_ends_after_what_is_left_of_its_cycles() {
        let now: Timestamp = "2030-01-31T00:00:00Z".parse().expect("a time");
        let next = now.plus(Duration::from_mins(2));
        let left = |pending, cycle, next_cycle_at| {
            let (recipients, cycles, senders) = (2, 2, people(1));
            Remainder { pending, recipients, cycle, cycles, next_cycle_at, senders }
        };
        let seconds = |left| ends_at(&plan(0, None), left, now).expect("an end").since(now).as_secs();
        // 25 an hour leave evenly; two cycles are five minutes apart.
        assert_eq!(seconds(left(1, 2, None)), 0);
        assert_eq!(seconds(left(2, 2, None)), 144);
        assert_eq!(seconds(left(2, 1, None)), 3 * 144 + 300);
        assert_eq!(seconds(left(2, 1, Some(next))), 120 + 144);
        assert_eq!(ends_at(&plan(0, None), Remainder { senders: people(0), ..left(1, 2, None) }, now), None);
    }

    proptest! {
        #[test]
        fn more_senders_are_never_slower(recipients in 0_u64..5_000, senders in 1_u32..20) {
            let plan = plan(60, None);
            prop_assert!(hours(&plan, recipients, senders + 1) <= hours(&plan, recipients, senders));
        }
    }
}
