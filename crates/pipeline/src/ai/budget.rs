//! What answers may cost: tokens and time of one, tokens and money of a day. Pure.
//!
//! What a call may cost at most is set aside when it is granted, so that answers that are made at the same time do not spend the same
//! tokens. What it did cost takes the place of that when it has ended.

use std::time::Duration;

use domain::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::answer::Usage;
use super::client::Ceiling;

/// Fewer tokens than these make no answer.
const LEAST_ANSWER: u32 = 64;
/// Less time makes none either.
const LEAST_TIME: Duration = Duration::from_secs(1);
/// The number of tokens that a price is for.
const PRICED: u64 = 1_000_000;

/// The tokens of a text, rather too many than too few: three bytes each.
pub fn estimated_tokens(text: &str) -> u64 {
    text.len().div_ceil(3) as u64
}

/// Money, in millionths of what prices are in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money(pub u64);

/// What a million tokens cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prices {
    pub prompt: Money,
    pub completion: Money,
}

impl Prices {
    /// What this costs, rounded up.
    pub fn cost(self, usage: Usage) -> Money {
        let part = |tokens: u64, Money(price): Money| {
            u64::try_from((u128::from(tokens) * u128::from(price)).div_ceil(u128::from(PRICED)))
                .unwrap_or(u64::MAX)
        };
        Money(part(usage.prompt, self.prompt).saturating_add(part(usage.completion, self.completion)))
    }

    /// The most tokens of an answer that this much pays for.
    fn affordable(self, Money(left): Money) -> u64 {
        let Money(price) = self.completion;
        let tokens = (u128::from(left) * u128::from(PRICED)).checked_div(u128::from(price));
        tokens.map_or(u64::MAX, |tokens| u64::try_from(tokens).unwrap_or(u64::MAX))
    }
}

/// What may be spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The most tokens that a call may answer.
    pub completion: u32,
    /// The longest that an answer takes, all its rounds together.
    pub time: Duration,
    /// The most tokens of an answer, the prompts of all its rounds included.
    pub answer: Option<u64>,
    /// The most tokens of a day.
    pub day: Option<u64>,
    /// The most money of a day, and what tokens cost.
    pub money: Option<(Money, Prices)>,
}

/// What has been spent on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    pub date: Date,
    pub tokens: u64,
    pub money: Money,
}

impl Day {
    const fn begins(date: Date) -> Self {
        Self { date, tokens: 0, money: Money(0) }
    }
}

/// What one answer has taken so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SoFar {
    pub tokens: u64,
    pub time: Duration,
}

/// A call that may be made. What it may cost is set aside until it is settled.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub struct Grant {
    pub ceiling: Ceiling,
    /// The day it counts on.
    date: Date,
    prompt: u64,
}

impl Grant {
    const fn greatest(&self) -> Usage {
        Usage { prompt: self.prompt, completion: self.ceiling.tokens as u64 }
    }
}

/// What a call cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    Usage(Usage),
    /// It is not known: as much as it may have cost at most.
    Unknown,
    Nothing,
}

/// What is to be added to what a day has spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    pub date: Date,
    pub tokens: u64,
    pub money: Money,
}

/// Why a model may not be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OverBudget {
    #[error("the answer has taken all the tokens that one may take")]
    Answer,
    #[error("the answer has taken all the time that one may take")]
    Time,
    #[error("the tokens of the day are spent; there are more at {}", .until.to_the_second())]
    Day { until: Timestamp },
    #[error("the money of the day is spent; there is more at {}", .until.to_the_second())]
    Money { until: Timestamp },
}

/// The budget of a model.
#[derive(Debug, Clone)]
pub struct Budget {
    limits: Limits,
    zone: TimeZone,
    day: Day,
    set_aside_tokens: u64,
    set_aside_money: Money,
}

impl Budget {
    /// A budget whose days begin at midnight of this zone, with what has been spent on the last of them, if that is known.
    pub fn new(limits: Limits, zone: TimeZone, spent: Option<Day>) -> Self {
        let day = spent.unwrap_or(Day::begins(Date::MIN));
        Self { limits, zone, day, set_aside_tokens: 0, set_aside_money: Money(0) }
    }

    /// Whether a model may be asked this much, and how far the call may go.
    ///
    /// # Errors
    /// Too little is left for an answer.
    pub fn ask(&mut self, now: Timestamp, prompt: u64, so_far: SoFar) -> Result<Grant, OverBudget> {
        let until = self.turn(now);
        let least = u64::from(LEAST_ANSWER.min(self.limits.completion));
        let mut most = u64::from(self.limits.completion);
        let mut fit = |room: Option<u64>, error: OverBudget| match room {
            Some(room) if room < least => Err(error),
            Some(room) => {
                most = most.min(room);
                Ok(())
            }
            None => Ok(()),
        };
        let left = |limit: Option<u64>, spent: u64| {
            limit.map(|limit| limit.saturating_sub(spent).saturating_sub(prompt))
        };
        fit(left(self.limits.answer, so_far.tokens), OverBudget::Answer)?;
        let spent = self.day.tokens.saturating_add(self.set_aside_tokens);
        fit(left(self.limits.day, spent), OverBudget::Day { until })?;
        let affordable = self.limits.money.map(|(Money(limit), prices)| {
            let Money(prompt_cost) = prices.cost(Usage { prompt, completion: 0 });
            let spent = self.day.money.0.saturating_add(self.set_aside_money.0).saturating_add(prompt_cost);
            // What the limit does not even pay the question of, pays no answer, however cheap.
            limit.checked_sub(spent).map_or(0, |left| prices.affordable(Money(left)))
        });
        fit(affordable, OverBudget::Money { until })?;
        let time = self.limits.time.saturating_sub(so_far.time);
        if time < LEAST_TIME.min(self.limits.time / 2) || time.is_zero() {
            return Err(OverBudget::Time);
        }
        let tokens = u32::try_from(most).unwrap_or(u32::MAX);
        let grant = Grant { ceiling: Ceiling { tokens, time }, date: self.day.date, prompt };
        self.set_aside_tokens = self.set_aside_tokens.saturating_add(grant.greatest().total());
        self.set_aside_money = Money(self.set_aside_money.0.saturating_add(self.cost(grant.greatest()).0));
        Ok(grant)
    }

    /// Counts what a call has cost. A call counts on the day on which it was granted.
    pub fn settle(&mut self, now: Timestamp, grant: &Grant, cost: Cost) -> Charge {
        self.turn(now);
        let usage = match cost {
            Cost::Usage(usage) => usage,
            Cost::Unknown => grant.greatest(),
            Cost::Nothing => Usage::default(),
        };
        let charge = Charge { date: grant.date, tokens: usage.total(), money: self.cost(usage) };
        if grant.date == self.day.date {
            let greatest = grant.greatest();
            self.set_aside_tokens = self.set_aside_tokens.saturating_sub(greatest.total());
            self.set_aside_money = Money(self.set_aside_money.0.saturating_sub(self.cost(greatest).0));
            self.day.tokens = self.day.tokens.saturating_add(charge.tokens);
            self.day.money = Money(self.day.money.0.saturating_add(charge.money.0));
        }
        charge
    }

    /// Goes on from what was spent before, where that is of a later day than the one it knows.
    pub fn has_spent(&mut self, spent: Day) {
        if spent.date > self.day.date {
            self.day = spent;
        }
    }

    /// What has been spent today, without what is set aside.
    pub fn spent(&mut self, now: Timestamp) -> Day {
        self.turn(now);
        self.day
    }

    fn cost(&self, usage: Usage) -> Money {
        self.limits.money.map(|(_, prices)| prices.cost(usage)).unwrap_or_default()
    }

    /// The last day on which something can have been spent: a clock that is set back a little may come from the day after today.
    pub fn last_day(&self, now: Timestamp) -> Date {
        let today = self.today(now);
        today.tomorrow().unwrap_or(today)
    }

    fn today(&self, now: Timestamp) -> Date {
        let instant = jiff::Timestamp::from_microsecond(now.as_micros()).unwrap_or_default();
        instant.to_zoned(self.zone.clone()).date()
    }

    /// Begins a new day once it is one, and says when the next begins. A clock that is set back begins none, unless it was days ahead.
    fn turn(&mut self, now: Timestamp) -> Timestamp {
        let today = self.today(now);
        if today > self.day.date || self.day.date > self.last_day(now) {
            self.day = Day::begins(today);
            (self.set_aside_tokens, self.set_aside_money) = (0, Money(0));
        }
        let midnight = self.day.date.tomorrow().and_then(|date| date.to_zoned(self.zone.clone()));
        midnight.map_or(now, |midnight| Timestamp::from_micros(midnight.timestamp().as_microsecond()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn limits() -> Limits {
        let time = Duration::from_secs(30);
        Limits { completion: 1_000, time, answer: None, day: None, money: None }
    }

    fn budget(limits: Limits) -> Budget {
        Budget::new(limits, TimeZone::UTC, None)
    }

    #[test]
    fn a_call_gets_what_is_left() {
        let now = at("2030-01-01T12:00:00Z");
        let until = at("2030-01-02T00:00:00Z");
        let ask = |limits: Limits, prompt, tokens, seconds| {
            let so_far = SoFar { tokens, time: Duration::from_secs(seconds) };
            budget(limits)
                .ask(now, prompt, so_far)
                .map(|grant| (grant.ceiling.tokens, grant.ceiling.time.as_secs()))
        };
        let (a_thousand, price) = (Some(1_000), Money(2_000_000));
        let prices = Prices { prompt: price, completion: price };
        let money = Some((Money(1_000), prices));
        for (limits, prompt, tokens, seconds, expected) in [
            (limits(), 1_000_000, 1_000_000, 10, Ok((1_000, 20))),
            (limits(), 0, 0, 30, Err(OverBudget::Time)),
            (Limits { answer: a_thousand, ..limits() }, 500, 100, 0, Ok((400, 30))),
            (Limits { answer: a_thousand, ..limits() }, 500, 450, 0, Err(OverBudget::Answer)),
            (Limits { day: a_thousand, ..limits() }, 900, 0, 0, Ok((100, 30))),
            (Limits { day: a_thousand, ..limits() }, 950, 0, 0, Err(OverBudget::Day { until })),
            // Two millionths a token, a thousand in all.
            (Limits { money, ..limits() }, 200, 0, 0, Ok((300, 30))),
            (Limits { money, ..limits() }, 500, 0, 0, Err(OverBudget::Money { until })),
            (Limits { completion: 10, answer: Some(10), ..limits() }, 0, 0, 0, Ok((10, 30))),
        ] {
            assert_eq!(
                ask(limits.clone(), prompt, tokens, seconds),
                expected,
                "{limits:?} {prompt} {tokens}"
            );
        }
    }

    #[test]
    fn a_free_answer_needs_its_question_paid() {
        let prices = Prices { prompt: Money(1_000_000), completion: Money(0) };
        let mut budget = budget(Limits { money: Some((Money(10), prices)), ..limits() });
        let now = at("2030-01-01T12:00:00Z");
        assert!(matches!(budget.ask(now, 11, SoFar::default()), Err(OverBudget::Money { .. })));
        assert!(budget.ask(now, 10, SoFar::default()).is_ok());
    }

    #[test]
    fn a_day_begins_at_midnight_of_its_zone() {
        let zone = TimeZone::get("Europe/Moscow").unwrap();
        let mut budget = Budget::new(Limits { day: Some(1_000), ..limits() }, zone, None);
        let evening = at("2030-01-01T20:59:59Z");
        let grant = budget.ask(evening, 0, SoFar::default()).unwrap();
        let until = at("2030-01-01T21:00:00Z");
        assert_eq!(budget.ask(evening, 0, SoFar::default()), Err(OverBudget::Day { until }));
        assert!(budget.ask(until, 0, SoFar::default()).is_ok());
        // The call of yesterday counts there.
        let charge = budget.settle(until, &grant, Cost::Unknown);
        assert_eq!((charge.date.to_string().as_str(), charge.tokens), ("2030-01-01", 1_000));
        assert_eq!(budget.spent(until).tokens, 0);
        assert_eq!(budget.spent(evening).date.to_string(), "2030-01-02", "the clock was set back");
    }

    #[test]
    fn a_clock_that_was_days_ahead_begins_a_new_day() {
        let mut budget = budget(Limits { day: Some(1_000), ..limits() });
        let (now, ahead) = (at("2030-01-01T12:00:00Z"), at("2031-01-01T12:00:00Z"));
        let grant = budget.ask(ahead, 0, SoFar::default()).unwrap();
        budget.settle(ahead, &grant, Cost::Unknown);
        assert!(budget.ask(now, 0, SoFar::default()).is_ok());
        assert_eq!(budget.spent(now).date.to_string(), "2030-01-01");
        assert_eq!(budget.last_day(now).to_string(), "2030-01-02");
    }

    #[test]
    fn spending_outlives_a_restart() {
        let now = at("2030-01-01T12:00:00Z");
        let mut before = budget(Limits { day: Some(1_000), ..limits() });
        let grant = before.ask(now, 0, SoFar::default()).unwrap();
        before.settle(now, &grant, Cost::Usage(Usage { prompt: 900, completion: 90 }));
        let limits = Limits { day: Some(1_000), ..limits() };
        let mut after = Budget::new(limits, TimeZone::UTC, Some(before.spent(now)));
        assert!(matches!(after.ask(now, 0, SoFar::default()), Err(OverBudget::Day { .. })));
        assert!(after.ask(now.plus(12 * HOUR), 0, SoFar::default()).is_ok());
    }

    #[derive(Debug, Clone)]
    enum Step {
        Ask { prompt: u64 },
        Settle { which: usize, share: u8, cost: u8 },
        Wait { minutes: u64 },
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..3_000_u64).prop_map(|prompt| Step::Ask { prompt }),
            4 => (0..8_usize, any::<u8>(), 0..4_u8).prop_map(|(which, share, cost)| Step::Settle { which, share, cost }),
            1 => (0..1_000_u64).prop_map(|minutes| Step::Wait { minutes }),
        ]
    }

    proptest! {
        /// Whatever is asked at the same time and however it ends, no day spends more than its limits, as long as the endpoint keeps to
        /// the ceilings; and what the charges say is what the days have spent.
        #[test]
        fn no_day_is_overspent(steps in prop::collection::vec(step(), 0..80), day in 0..20_000_u64, money in 0..20_000_u64, prices in (0..3_000_000_u64, 0..3_000_000_u64)) {
            let prices = Prices { prompt: Money(prices.0), completion: Money(prices.1) };
            let limits = Limits { day: Some(day), money: Some((Money(money), prices)), ..limits() };
            let mut budget = budget(limits);
            let mut now = at("2030-01-01T12:00:00Z");
            let mut open: Vec<Grant> = Vec::new();
            let mut days = std::collections::BTreeMap::<Date, (u64, u64)>::new();
            for step in steps {
                match step {
                    Step::Ask { prompt } => open.extend(budget.ask(now, prompt, SoFar::default())),
                    Step::Settle { which, share, cost } => {
                        if which >= open.len() {
                            continue;
                        }
                        let grant = open.swap_remove(which);
                        let greatest = grant.greatest();
                        let part = |tokens: u64| tokens * u64::from(share) / 255;
                        let usage = Usage { prompt: part(greatest.prompt), completion: part(greatest.completion) };
                        let cost = match cost {
                            0 => Cost::Nothing,
                            1 => Cost::Unknown,
                            _ => Cost::Usage(usage),
                        };
                        let charge = budget.settle(now, &grant, cost);
                        let spent = days.entry(charge.date).or_default();
                        *spent = (spent.0 + charge.tokens, spent.1 + charge.money.0);
                    }
                    Step::Wait { minutes } => now = now.plus(Duration::from_secs(60 * minutes)),
                }
                let today = budget.spent(now);
                let spent = days.get(&today.date).copied().unwrap_or_default();
                prop_assert_eq!((today.tokens, today.money.0), spent);
                for (tokens, money_spent) in days.values() {
                    prop_assert!(*tokens <= day && *money_spent <= money, "{} {}", tokens, money_spent);
                }
            }
        }

        /// Whatever an endpoint says that it took, the next call is refused rather than anything overflows.
        #[test]
        fn any_usage_is_counted(prompt in prop_oneof![0..700_u64, any::<u64>()], completion in prop_oneof![0..700_u64, any::<u64>()]) {
            let prices = Prices { prompt: Money(u64::MAX), completion: Money(1) };
            let mut budget = budget(Limits { day: Some(1_000), money: Some((Money(u64::MAX), prices)), ..limits() });
            let now = at("2030-01-01T12:00:00Z");
            let grant = budget.ask(now, 0, SoFar::default()).unwrap();
            let usage = Usage { prompt, completion };
            budget.settle(now, &grant, Cost::Usage(usage));
            prop_assert_eq!(budget.ask(now, 0, SoFar::default()).is_ok(), usage.total() <= 1_000 - 64);
        }
    }
}
