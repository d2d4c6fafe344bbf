//! The throttle of wrong passwords: delays that grow, for each network and for each name. Pure; the time is handed in,
//! that of [`ambient::Clock::running`], which is never set back.
//!
//! An attempt counts as wrong until it succeeds, so that parallel attempts gain nothing. Guesses from one network delay
//! that network long before the name: its owner still gets in from another. Guesses of one name from many networks delay
//! the name too. A browser in which the owner has signed in before, and a session of theirs, are counted by themselves: no guess
//! from anywhere else delays them.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use domain::{SessionId, UserName};

use crate::token::DeviceId;

/// The most entries of each kind; beyond it those without failures go, then the one with the fewest.
const BOUND: usize = 4096;

/// How the waits of one kind grow.
#[derive(Debug, Clone, Copy)]
struct Rule {
    /// Failures without a delay.
    free: u32,
    /// The first wait; each next one is twice as long.
    first: Duration,
    longest: Duration,
    /// After each of these without a failure, one is forgotten.
    forgets: Duration,
}

const SOURCE: Rule = Rule {
    free: 10,
    first: Duration::from_secs(2),
    longest: Duration::from_mins(15),
    forgets: Duration::from_mins(15),
};

const NAME: Rule = Rule {
    free: 30,
    first: Duration::from_secs(1),
    longest: Duration::from_secs(30),
    forgets: Duration::from_mins(1),
};

/// Codes are short, and are guessed only with the password.
const CODE: Rule = Rule {
    free: 5,
    first: Duration::from_secs(30),
    longest: Duration::from_mins(15),
    forgets: Duration::from_mins(15),
};

#[derive(Debug, Clone, Copy)]
struct FailureCount {
    failures: u32,
    last: Duration,
    /// Both as they were before the last one, for the case that it was never looked at.
    before: Option<(u32, Duration)>,
}

impl FailureCount {
    /// What is left of it.
    fn now(self, rule: Rule, now: Duration) -> u32 {
        let forgotten = now.saturating_sub(self.last).as_micros() / rule.forgets.as_micros();
        self.failures.saturating_sub(u32::try_from(forgotten).unwrap_or(u32::MAX))
    }

    fn wait(self, rule: Rule, now: Duration) -> Duration {
        if self.now(rule, now) < rule.free {
            return Duration::ZERO;
        }
        let doubled = (self.failures - rule.free).min(20);
        let whole = (rule.first * (1 << doubled)).min(rule.longest);
        self.last.saturating_add(whole).saturating_sub(now)
    }
}

struct FailureCounts<K> {
    rule: Rule,
    counts: HashMap<K, FailureCount>,
}

impl<K: Hash + Eq + Clone> FailureCounts<K> {
    fn new(rule: Rule) -> Self {
        Self { rule, counts: HashMap::new() }
    }

    fn wait(&self, who: &K, now: Duration) -> Duration {
        self.counts.get(who).map_or(Duration::ZERO, |count| count.wait(self.rule, now))
    }

    fn record(&mut self, who: &K, now: Duration) {
        if self.counts.len() >= BOUND && !self.counts.contains_key(who) {
            let rule = self.rule;
            self.counts.retain(|_, count| count.now(rule, now) > 0);
            if self.counts.len() >= BOUND {
                let least = self.counts.iter().min_by_key(|(_, count)| (count.now(rule, now), count.last));
                let least = least.map(|(who, _)| who.clone());
                least.map(|least| self.counts.remove(&least));
            }
        }
        let before = self.counts.get(who).map(|count| (count.failures, count.last));
        let failures = self.counts.get(who).map_or(0, |count| count.now(self.rule, now)).saturating_add(1);
        self.counts.insert(who.clone(), FailureCount { failures, last: now, before });
    }

    /// The last one was right after all.
    fn forgive(&mut self, who: &K) {
        if let Some(count) = self.counts.get_mut(who) {
            count.failures = count.failures.saturating_sub(1);
            count.before = None;
        }
    }

    /// The last one was not checked: all is as before it.
    fn give_back(&mut self, who: &K) {
        let Some(count) = self.counts.get_mut(who) else { return };
        match count.before.take() {
            Some((failures, last)) => *count = FailureCount { failures, last, before: None },
            // The first one, or another came in between: how long to wait is not known any better than by the last.
            None => count.failures = count.failures.saturating_sub(1),
        }
    }
}

/// Attempts that were turned away, reported ever more seldom.
#[derive(Debug, Clone, Copy)]
struct RefusalCount {
    unreported: u64,
    /// They are reported when there are so many.
    next: u64,
}

impl RefusalCount {
    const EMPTY: Self = Self { unreported: 0, next: 1 };

    fn add(&mut self) -> Option<u64> {
        self.unreported += 1;
        if self.unreported < self.next {
            return None;
        }
        self.next = self.next.saturating_mul(2);
        Some(std::mem::take(&mut self.unreported))
    }
}

/// Where an attempt comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    /// A network in which no one is known.
    Network(IpAddr),
    /// A browser in which the user has signed in before.
    Device(DeviceId),
    /// A session of the user, who confirms something.
    Session(SessionId),
}

impl Source {
    pub(crate) fn elsewhere(address: Option<IpAddr>) -> Self {
        Self::Network(address.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), network_prefix))
    }

    const fn is_known(self) -> bool {
        !matches!(self, Self::Network(_))
    }
}

/// What to do with an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Check it. So many were turned away since it was last reported.
    Check { unreported: u64 },
    Wait {
        wait: Duration,
        /// How many were turned away since it was last reported; nothing when it is not due to be reported.
        reported: Option<u64>,
    },
}

/// The memory of wrong passwords and codes.
pub(crate) struct Throttle {
    sources: FailureCounts<Source>,
    names: FailureCounts<String>,
    codes: FailureCounts<UserName>,
    refusals: HashMap<Source, RefusalCount>,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            sources: FailureCounts::new(SOURCE),
            names: FailureCounts::new(NAME),
            codes: FailureCounts::new(CODE),
            refusals: HashMap::new(),
        }
    }
}

impl Throttle {
    /// An attempt with a password for what was typed as a name, known or not. Counts until [`Self::right`].
    pub(crate) fn password(&mut self, typed: &str, source: Source, now: Duration) -> Verdict {
        let name = key(typed);
        let of_name = if source.is_known() { Duration::ZERO } else { self.names.wait(&name, now) };
        let wait = self.sources.wait(&source, now).max(of_name);
        let verdict = self.verdict(source, wait);
        if matches!(verdict, Verdict::Check { .. }) {
            self.sources.record(&source, now);
            if !source.is_known() {
                self.names.record(&name, now);
            }
        }
        verdict
    }

    /// An attempt with a code, after the right password. Counts until [`Self::right_code`].
    pub(crate) fn code(&mut self, user: &UserName, source: Source, now: Duration) -> Verdict {
        let of_user = if source.is_known() { Duration::ZERO } else { self.codes.wait(user, now) };
        let wait = self.sources.wait(&source, now).max(of_user);
        let verdict = self.verdict(source, wait);
        if matches!(verdict, Verdict::Check { .. }) {
            self.sources.record(&source, now);
            if !source.is_known() {
                self.codes.record(user, now);
            }
        }
        verdict
    }

    pub(crate) fn right(&mut self, user: &UserName, source: Source) {
        self.sources.forgive(&source);
        if !source.is_known() {
            self.names.forgive(&key(user.as_str()));
        }
    }

    /// The password was not checked: hashing was busy, or the store did not answer.
    pub(crate) fn not_checked(&mut self, typed: &str, source: Source) {
        self.sources.give_back(&source);
        if !source.is_known() {
            self.names.give_back(&key(typed));
        }
    }

    /// The code was not checked.
    pub(crate) fn code_not_checked(&mut self, user: &UserName, source: Source) {
        self.sources.give_back(&source);
        if !source.is_known() {
            self.codes.give_back(user);
        }
    }

    pub(crate) fn right_code(&mut self, user: &UserName, source: Source) {
        self.sources.forgive(&source);
        self.codes.forgive(user);
    }

    fn verdict(&mut self, source: Source, wait: Duration) -> Verdict {
        if wait.is_zero() {
            let unreported = self.refusals.remove(&source).map_or(0, |refusal| refusal.unreported);
            return Verdict::Check { unreported };
        }
        if self.refusals.len() >= BOUND && !self.refusals.contains_key(&source) {
            self.refusals.clear();
        }
        let reported = self.refusals.entry(source).or_insert(RefusalCount::EMPTY).add();
        Verdict::Wait { wait, reported }
    }
}

/// What a typed name is counted as: long ones are cut, so that memory has a bound.
fn key(typed: &str) -> String {
    typed.trim().chars().take(40).flat_map(char::to_lowercase).collect()
}

/// The network of an address: the IPv4 address itself, or the /64 of an IPv6 address.
pub fn network_prefix(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const A: Source = Source::Network(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
    const B: Source = Source::Network(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)));
    const DEVICE: Source = Source::Device(DeviceId([1; 32]));

    fn is_checked(verdict: Verdict) -> bool {
        matches!(verdict, Verdict::Check { .. })
    }

    fn admin() -> UserName {
        "admin".parse().expect("a name")
    }

    #[test]
    fn wrong_passwords_lock_their_address_and_not_the_owner() {
        let mut throttle = Throttle::default();
        let mut now = Duration::ZERO;
        let mut checked = 0;
        for _ in 0..1000 {
            checked += u32::from(is_checked(throttle.password("admin", A, now)));
            now += Duration::from_millis(100);
        }
        // 100 s: ten at once, then after 2, 4, 8, 16 and 32 s.
        assert_eq!(checked, 15);
        assert!(
            matches!(throttle.password("Admin ", A, now), Verdict::Wait { wait, .. } if wait > Duration::from_secs(20))
        );
        assert!(is_checked(throttle.password("admin", B, now)));
    }

    #[test]
    fn refused_attempts_are_reported_seldom_and_completely() {
        let mut throttle = Throttle::default();
        let now = Duration::ZERO;
        for _ in 0..10 {
            assert_eq!(throttle.password("x", A, now), Verdict::Check { unreported: 0 });
        }
        let reported: Vec<u64> = (0..1000)
            .filter_map(|_| match throttle.password("x", A, now) {
                Verdict::Wait { reported, .. } => reported,
                Verdict::Check { .. } => None,
            })
            .collect();
        assert_eq!(reported, [1, 2, 4, 8, 16, 32, 64, 128, 256]);
        let later = now + Duration::from_secs(3);
        assert_eq!(throttle.password("x", A, later), Verdict::Check { unreported: 1000 - 511 });
    }

    fn anywhere(number: u32) -> Source {
        Source::elsewhere(Some(IpAddr::V4(Ipv4Addr::from(number))))
    }

    /// Two guesses a second from fresh addresses, for an hour.
    #[test]
    fn guesses_from_fresh_addresses_are_few_and_lock_no_known_device_out() {
        let mut throttle = Throttle::default();
        let (mut now, mut checked) = (Duration::ZERO, 0);
        for number in 0..7_200 {
            checked += u32::from(is_checked(throttle.password("admin", anywhere(number), now)));
            if number % 60 == 0 {
                assert!(is_checked(throttle.password("admin", DEVICE, now)));
                throttle.right(&admin(), DEVICE);
            }
            now += Duration::from_millis(500);
        }
        assert!(checked < 250, "{checked}");
        assert!(is_checked(throttle.password("anna", B, now)));
        // An owner who comes from a new place waits half a minute at most.
        assert!(is_checked(throttle.password("admin", B, now + Duration::from_secs(30))));
    }

    #[test]
    fn a_known_device_guesses_no_more_than_others() {
        let mut throttle = Throttle::default();
        let checked =
            (0..100).filter(|_| is_checked(throttle.password("admin", DEVICE, Duration::ZERO))).count();
        assert_eq!(checked, 10);
        assert!(is_checked(throttle.password("admin", A, Duration::ZERO)));
    }

    #[test]
    fn codes_are_guessed_slowly_from_wherever() {
        let mut throttle = Throttle::default();
        let now = Duration::ZERO;
        let checked =
            (0..250).filter(|last| is_checked(throttle.code(&admin(), anywhere(*last), now))).count();
        assert_eq!(checked, 5);
    }

    #[test]
    fn addresses_of_a_network_count_as_one() {
        let of = |text: &str| network_prefix(text.parse().expect("an address"));
        assert_eq!(of("2001:db8::1"), of("2001:db8::2"));
        assert_ne!(of("2001:db8:0:1::1"), of("2001:db8::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
    }

    #[test]
    fn memory_has_bounds() {
        let mut throttle = Throttle::default();
        for number in 0..10_000_u32 {
            let typed = format!("{number}{}", "x".repeat(100));
            throttle.password(&typed, anywhere(number), Duration::ZERO);
        }
        assert!(throttle.sources.counts.len() <= BOUND && throttle.names.counts.len() <= BOUND);
        assert!(throttle.refusals.len() <= BOUND);
        assert!(throttle.names.counts.keys().all(|name| name.chars().count() <= 40));
    }

    proptest! {
        #[test]
        fn no_one_guesses_more_than_a_few_times_a_day(gaps in prop::collection::vec(0_u64..600, 1..2000)) {
            let mut throttle = Throttle::default();
            let mut now = Duration::ZERO;
            let mut checked: Vec<Duration> = Vec::new();
            for gap in gaps {
                now += Duration::from_secs(gap);
                if is_checked(throttle.password("admin", A, now)) {
                    checked.push(now);
                }
            }
            let day = Duration::from_hours(24);
            for at in &checked {
                let guesses = checked.iter().filter(|other| **other <= *at && at.saturating_sub(**other) < day).count();
                // The free ones, the doubling ones, and one for each that is forgotten.
                prop_assert!(guesses <= 10 + 10 + 97 + 10, "{guesses}");
            }
        }

        #[test]
        fn a_reported_wait_is_long_enough_and_never_too_long(
            gaps in prop::collection::vec(0_u64..5_000, 1..100),
        ) {
            let mut throttle = Throttle::default();
            let mut now = Duration::from_secs(1_000_000);
            for gap in gaps {
                now += Duration::from_millis(gap);
                if let Verdict::Wait { wait, .. } = throttle.password("admin", A, now) {
                    prop_assert!(wait <= SOURCE.longest);
                    now += wait;
                    prop_assert!(is_checked(throttle.password("admin", A, now)));
                }
            }
        }

        #[test]
        fn unchecked_attempts_change_nothing(
            gaps in prop::collection::vec(0_u64..2_000, 1..60), busy in prop::collection::vec(any::<bool>(), 60),
        ) {
            let (mut throttle, mut other) = (Throttle::default(), Throttle::default());
            let mut now = Duration::from_secs(1_000_000);
            for (gap, busy) in gaps.into_iter().zip(busy) {
                now += Duration::from_secs(gap);
                if busy {
                    if is_checked(throttle.password("admin", A, now)) {
                        throttle.not_checked("Admin ", A);
                    }
                } else {
                    prop_assert_eq!(
                        is_checked(throttle.password("admin", A, now)),
                        is_checked(other.password("admin", A, now))
                    );
                }
                prop_assert_eq!(throttle.sources.wait(&A, now), other.sources.wait(&A, now));
                prop_assert_eq!(throttle.names.wait(&key("admin"), now), other.names.wait(&key("admin"), now));
            }
        }

        #[test]
        fn many_unread_at_once_cost_nothing_and_wrong_ones_stay(
            busy in 0_usize..10, wrong in 0_usize..10,
        ) {
            let mut throttle = Throttle::default();
            let now = Duration::from_secs(1);
            let counted = (0..busy + wrong).filter(|_| is_checked(throttle.password("admin", A, now))).count();
            let returned = busy.min(counted);
            for _ in 0..returned {
                throttle.not_checked("admin", A);
            }
            let left = throttle.sources.counts.get(&A).map_or(0, |count| count.failures);
            prop_assert_eq!(usize::try_from(left), Ok(counted - returned));
        }

        #[test]
        fn the_right_password_never_costs_anything(rounds in 1_usize..200) {
            let mut throttle = Throttle::default();
            for _ in 0..rounds {
                prop_assert!(is_checked(throttle.password("admin", A, Duration::ZERO)));
                throttle.right(&admin(), A);
            }
        }
    }
}
