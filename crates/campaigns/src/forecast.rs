//! How long a campaign takes, and what its limits cost: the rules of its senders, on a clock that only these rules move.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use domain::{ContactLimits, Timestamp, UserId};

use crate::plan::Plan;

/// Days that are looked ahead.
const FARTHEST: u32 = 3660;
/// Hours that a day of a sender has; the windows slide.
const DAY: usize = 24;
const HOUR: Duration = Duration::from_hours(1);

/// The messages of each of the last 24 hours; the latest comes first.
pub type ByHour = [u64; DAY];

/// Who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Senders {
    /// An account and a browser profile of one person share an hour and a day.
    pub people: u32,
    /// What they sent in each of the last 24 hours, all together.
    pub sent: ByHour,
}

impl Senders {
    /// Of senders that may send: who each is, where that is known, and what it sent in each of the last 24 hours.
    pub fn of(senders: impl IntoIterator<Item = (Option<UserId>, ByHour)>) -> Self {
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

/// The people among the recipients, and how seldom they may be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct People {
    /// How many recipients of a whole cycle are people. The others are groups, which have no such limits.
    pub among_recipients: u64,
    /// How many of those whose turn is next no sender knows.
    pub strangers: u64,
    /// The first contacts of the senders in each of the last 24 hours, all together.
    pub first_contacts: ByHour,
    pub limits: ContactLimits,
}

/// What is left of a run that goes on, or a run that begins.
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
    pub people: People,
}

/// When the last message of a run leaves.
pub fn ends_at(plan: &Plan, left: Remainder, now: Timestamp) -> Option<Timestamp> {
    forecast_left(plan, left, now).last_leaves_at
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

/// Reckons how long what is left of a run takes. The work is shared out evenly: one sender is followed from message to message. Of
/// more senders than are at work at once only as many are counted.
pub fn forecast_left(plan: &Plan, left: Remainder, now: Timestamp) -> Forecast {
    let people = u64::from(left.senders.people);
    let senders = people.min(plan.workers.map_or(u64::MAX, u64::from));
    let by_rest = 3_600_000_u64.checked_div(plan.usual_rest().as_millis().try_into().unwrap_or(u64::MAX));
    let rate = by_rest.unwrap_or(u64::MAX).max(1).min(plan.caps.hour.into());
    let later = u64::from(left.cycles.saturating_sub(left.cycle));
    let (pending, later) = match left.next_cycle_at {
        Some(_) => (left.recipients, later.saturating_sub(1)),
        None => (left.pending, later),
    };
    let begins_at = left.next_cycle_at.map_or(now, |at| at.max(now));
    let share = |count: u64| count.div_ceil(senders.max(1));
    let each = share(pending.saturating_add(left.recipients.saturating_mul(later)));
    let rest = u32::try_from(each.saturating_sub(1)).unwrap_or(u32::MAX);
    let pauses = plan.between_cycles.saturating_mul(u32::try_from(later).unwrap_or(u32::MAX));
    let without = begins_at.plus(plan.usual_rest().saturating_mul(rest)).plus(pauses);
    let is_near = each <= u64::from(FARTHEST) * u64::from(plan.caps.day);
    let last = (senders > 0 && is_near).then(|| {
        let [first, whole, strangers] = [pending, left.recipients, left.people.strangers].map(share);
        Sender::of(plan, &left, now).last_of(Cycles { first, whole, strangers, later }, begins_at, now)
    });
    Forecast {
        // Where no one is left to write to, it ends as it begins.
        last_leaves_at: last.flatten().map(|at| at.max(begins_at)),
        without_limits_at: (senders > 0).then_some(without),
        per_hour: rate * senders,
    }
}

/// The messages of one sender.
#[derive(Clone, Copy)]
struct Cycles {
    /// In the cycle that is next.
    first: u64,
    /// In each cycle behind it.
    whole: u64,
    /// The first contacts among those of the cycle that is next.
    strangers: u64,
    later: u64,
}

/// One sender, as the plan and the limits let it go on.
struct Sender<'a> {
    plan: &'a Plan,
    left: &'a Remainder,
    /// When its latest messages left, the oldest first.
    sent: VecDeque<Timestamp>,
    first_contacts: VecDeque<Timestamp>,
    rested_at: Timestamp,
    /// When its hours last began.
    opened: Timestamp,
}

impl<'a> Sender<'a> {
    fn of(plan: &'a Plan, left: &'a Remainder, now: Timestamp) -> Self {
        let people = u64::from(left.senders.people);
        let times = |by_hour: &ByHour| -> VecDeque<Timestamp> {
            let hours = by_hour.iter().enumerate().rev();
            let times = hours.flat_map(|(hour, count)| {
                let count = usize::try_from(count.div_ceil(people.max(1))).unwrap_or(usize::MAX);
                let ago = HOUR * u32::try_from(hour).unwrap_or(0);
                // Every limit is lower than this.
                std::iter::repeat_n(now.minus(ago), count.min(1000))
            });
            times.collect()
        };
        let (sent, first_contacts) = (times(&left.senders.sent), times(&left.people.first_contacts));
        Self { plan, left, sent, first_contacts, rested_at: now, opened: now }
    }

    /// When the last message of these cycles leaves. None where that is too far ahead.
    fn last_of(mut self, cycles: Cycles, mut begins_at: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let Remainder { recipients, next_cycle_at, people, .. } = *self.left;
        let a_day = usize::try_from(people.limits.advertising_per_day.max(1)).unwrap_or(usize::MAX);
        let had = self.had_before(cycles, now);
        // When each recipient had its message, in the latest cycles and in this one.
        let (mut before, mut times) = if next_cycle_at.is_some() {
            (VecDeque::from([had]), Vec::new())
        } else {
            (VecDeque::new(), had)
        };
        let mut last = now;
        for cycle in 0..=cycles.later {
            let is_first = cycle == 0;
            for place in 0..if is_first { cycles.first } else { cycles.whole } {
                let number = times.len();
                let mut from = begins_at;
                if is_in(number.try_into().unwrap_or(u64::MAX), people.among_recipients, recipients) {
                    let at = |times: Option<&Vec<Timestamp>>| times?.get(number).copied();
                    let gap = at(before.back()).map(|at| at.plus(people.limits.advertising_gap));
                    let of_day = before.len().checked_sub(a_day).and_then(|oldest| at(before.get(oldest)));
                    from = from.max(gap.unwrap_or(from)).max(of_day.map_or(from, |at| at.plus(24 * HOUR)));
                }
                last = self.send(from, is_first && is_in(place, cycles.strangers, cycles.first));
                if last.since(now) > FARTHEST * 24 * HOUR {
                    return None;
                }
                times.push(last);
            }
            before.push_back(std::mem::take(&mut times));
            if before.len() > a_day {
                before.pop_front();
            }
            begins_at = last.max(begins_at).plus(self.plan.between_cycles);
        }
        Some(last)
    }

    /// When those had their last message that had one: as if the sender had gone on evenly until now. Before a run there are none.
    fn had_before(&self, cycles: Cycles, now: Timestamp) -> Vec<Timestamp> {
        let Remainder { cycle, next_cycle_at, .. } = *self.left;
        let had = match (cycle, next_cycle_at) {
            (0, _) => 0,
            (_, Some(_)) => cycles.whole,
            (_, None) => cycles.whole.saturating_sub(cycles.first),
        };
        let ended = next_cycle_at.map_or(now, |at| at.minus(self.plan.between_cycles).min(now));
        let apart = self.plan.usual_rest().max(HOUR / self.plan.caps.hour.max(1));
        let ago = |number: u64| apart.saturating_mul(u32::try_from(number).unwrap_or(u32::MAX));
        (0..had).rev().map(|number| ended.minus(ago(number))).collect()
    }

    /// When its next message leaves, no earlier than an instant.
    fn send(&mut self, from: Timestamp, is_first_contact: bool) -> Timestamp {
        let caps = self.plan.caps;
        let first = self.left.people.limits.first_contacts_per_day;
        let mut at = from.max(self.rested_at);
        at = at.max(room(&self.sent, caps.hour, HOUR).unwrap_or(at));
        at = at.max(room(&self.sent, caps.day, 24 * HOUR).unwrap_or(at));
        if is_first_contact {
            at = at.max(room(&self.first_contacts, first, 24 * HOUR).unwrap_or(at));
        }
        if !self.plan.is_open(at) {
            at = opens(self.plan, self.opened, at);
            self.opened = at;
        }
        push(&mut self.sent, at, caps.day.max(caps.hour));
        if is_first_contact {
            push(&mut self.first_contacts, at, first);
        }
        self.rested_at = at.plus(self.plan.usual_rest());
        at
    }
}

/// When the limit of `most` within any time of this length lets another one through.
fn room(times: &VecDeque<Timestamp>, most: u32, within: Duration) -> Option<Timestamp> {
    let oldest = times.len().checked_sub(usize::try_from(most.max(1)).ok()?)?;
    times.get(oldest).map(|at| at.plus(within))
}

fn push(times: &mut VecDeque<Timestamp>, at: Timestamp, most: u32) {
    times.push_back(at);
    if times.len() > usize::try_from(most).unwrap_or(usize::MAX).max(1) {
        times.pop_front();
    }
}

/// Whether one of `whole` places is among `part` of them, which are spread evenly.
fn is_in(place: u64, part: u64, whole: u64) -> bool {
    let until = |place: u64| u128::from(place) * u128::from(part) / u128::from(whole.max(1));
    until(place + 1) > until(place)
}

/// When the next of its hours begin. Nearly always that is some days after the last ones did, and no minute is looked at.
fn opens(plan: &Plan, last: Timestamp, now: Timestamp) -> Timestamp {
    let day = 24 * HOUR;
    let days = now.since(last).as_secs() / day.as_secs() + 1;
    let guess = last.plus(day.saturating_mul(u32::try_from(days).unwrap_or(u32::MAX)));
    let begins = guess > now && plan.is_open(guess) && !plan.is_open(guess.minus(Duration::from_mins(1)));
    if begins { guess } else { plan.open_at(now) }
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
        ends_at(plan, new_run(recipients, 1, senders), now).expect("an end").since(now).as_secs() / 3600
    }

    /// A run that is not begun, to groups.
    fn new_run(recipients: u64, cycles: u32, senders: Senders) -> Remainder {
        let people = People::default();
        Remainder {
            pending: recipients,
            recipients,
            cycle: 0,
            cycles,
            next_cycle_at: Some(Timestamp::default()),
            senders,
            people,
        }
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
        let run = new_run(1, 1, people(0));
        assert_eq!(ends_at(&plan(0, None), run, Timestamp::default()), None);
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
        let run = new_run(50, 1, people(9));
        assert_eq!(forecast_left(&two_at_once, run, Timestamp::default()).per_hour, 50);
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
        let result = forecast_left(&plan(60, None), new_run(61, 1, people(1)), now);
        assert_eq!(result.without_limits_at, Some(now.plus(Duration::from_hours(1))));
        assert!(result.last_leaves_at > Some(now.plus(Duration::from_hours(2))), "{result:?}");
    }

    #[test]
    fn a_run_ends_after_what_is_left_of_its_cycles() {
        let now: Timestamp = "2030-01-31T00:00:00Z".parse().expect("a time");
        let next = now.plus(Duration::from_mins(2));
        let left = |pending, cycle, next_cycle_at| {
            let (recipients, cycles, senders) = (2, 2, people(1));
            Remainder {
                pending,
                recipients,
                cycle,
                cycles,
                next_cycle_at,
                senders,
                people: People::default(),
            }
        };
        let seconds = |left| ends_at(&plan(60, None), left, now).expect("an end").since(now).as_secs();
        // A minute is between two messages, and five between two cycles.
        assert_eq!(seconds(left(1, 2, None)), 0);
        assert_eq!(seconds(left(2, 2, None)), 60);
        assert_eq!(seconds(left(2, 1, None)), 60 + 300 + 60);
        assert_eq!(seconds(left(2, 1, Some(next))), 120 + 60);
        assert_eq!(ends_at(&plan(0, None), Remainder { senders: people(0), ..left(1, 2, None) }, now), None);
    }

    #[test]
    fn a_cap_that_is_not_reached_delays_nothing() {
        let now: Timestamp = "2030-01-31T00:00:00Z".parse().expect("a time");
        let result = forecast_left(&plan(60, None), new_run(20, 1, people(1)), now);
        assert_eq!(result.last_leaves_at, Some(now.plus(Duration::from_mins(19))));
        assert_eq!(result.last_leaves_at, result.without_limits_at);
    }

    /// The minutes until the last message of a run whose recipients are people.
    fn minutes_of(recipients: u64, cycles: u32, people: People) -> u64 {
        let now = "2030-01-31T00:00:00Z".parse().expect("a time");
        let run = Remainder { people, ..new_run(recipients, cycles, self::people(1)) };
        let settings = CampaignSettings {
            max_messages_per_hour: 60,
            max_messages_per_day: 500,
            delay_seconds: 60,
            ..CampaignSettings::default()
        };
        let plan = Plan::of(&settings).expect("settings");
        ends_at(&plan, run, now).expect("an end").since(now).as_secs() / 60
    }

    #[test]
    fn a_person_has_a_message_an_hour_and_three_a_day() {
        let of = |among_recipients| People { among_recipients, ..People::default() };
        // Ten groups: 9 minutes a cycle, 5 between two. People wait for the hour, and from the fourth cycle on for the day.
        assert_eq!(minutes_of(10, 2, of(0)), 9 + 5 + 9);
        assert_eq!(minutes_of(10, 2, of(10)), 60 + 9);
        assert_eq!(minutes_of(10, 3, of(10)), 120 + 9);
        assert_eq!(minutes_of(10, 4, of(10)), 24 * 60 + 9);
        assert_eq!(minutes_of(10, 7, of(10)), 48 * 60 + 9);
        // One person among them holds the cycle as well.
        assert_eq!(minutes_of(10, 2, of(1)), 60 + 9);
        // A cycle that is longer than the gap holds no one.
        assert_eq!(minutes_of(60, 2, of(60)), minutes_of(60, 2, of(0)));
    }

    #[test]
    fn a_run_that_goes_on_counts_from_the_messages_before() {
        let now: Timestamp = "2030-01-31T00:00:00Z".parse().expect("a time");
        let people = People { among_recipients: 10, ..People::default() };
        let left = |pending, cycle, next_cycle_at| Remainder {
            pending,
            cycle,
            next_cycle_at,
            people,
            ..new_run(10, 2, self::people(1))
        };
        let minutes = |left| ends_at(&plan(60, None), left, now).expect("an end").since(now).as_secs() / 60;
        // The first cycle ended as the run paused, five minutes ago: its messages left 2.4 minutes apart.
        assert_eq!(minutes(left(0, 1, Some(now))), 55);
        // Half of it is left: the last of the others had its message now, and those that are left follow it in each cycle.
        assert_eq!(minutes(left(5, 1, None)), 60 + 5);
    }

    #[test]
    fn first_contacts_wait_for_their_day() {
        let of = |strangers| People { strangers, ..People::default() };
        assert_eq!(minutes_of(150, 1, of(100)), 149);
        assert_eq!(minutes_of(150, 1, of(150)), 24 * 60 + 49);
        let mut people = of(50);
        people.first_contacts[5] = 60;
        // 40 are left of the day; the others wait until those of five to six hours ago are a day old.
        assert_eq!(minutes_of(50, 1, people), 19 * 60 + 9);
    }

    proptest! {
        #[test]
        fn more_senders_are_never_slower(recipients in 0_u64..5_000, senders in 1_u32..20) {
            let plan = plan(60, None);
            prop_assert!(hours(&plan, recipients, senders + 1) <= hours(&plan, recipients, senders));
        }
    }
}
