//! Strips: the last two hours of each card, minute by minute, in memory. Pure.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use store::StoredMinute;

use crate::card::CardId;
use crate::minute::{Beat, ProbeOutcome, STRIP};

/// A minute of a card, small: there are hundreds of thousands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Dot {
    minute: i64,
    /// In milliseconds; the largest number is none.
    latency: u32,
    reason: u16,
    answer: ProbeOutcome,
}

const NO_LATENCY: u32 = u32::MAX;
const NO_REASON: u16 = u16::MAX;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) minute: i64,
    pub(crate) answer: ProbeOutcome,
    pub(crate) latency: Option<Duration>,
    pub(crate) reason: Option<Arc<str>>,
}

#[derive(Debug, Default)]
pub(crate) struct Strips {
    cards: HashMap<CardId, VecDeque<Dot>>,
    reasons: Reasons,
}

/// The codes that were seen, each once.
#[derive(Debug, Default)]
struct Reasons {
    words: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u16>,
}

impl Reasons {
    fn number(&mut self, word: Option<&str>) -> u16 {
        let Some(word) = word else { return NO_REASON };
        if let Some(number) = self.numbers.get(word) {
            return *number;
        }
        // Codes are few; a file from elsewhere may hold any number of them.
        let Some(number) = u16::try_from(self.words.len()).ok().filter(|number| *number < NO_REASON) else {
            return NO_REASON;
        };
        let word: Arc<str> = word.into();
        self.words.push(Arc::clone(&word));
        self.numbers.insert(word, number);
        number
    }

    fn word(&self, number: u16) -> Option<Arc<str>> {
        self.words.get(usize::from(number)).cloned()
    }
}

/// What a minute is after one more beat: the worst answer, the longest time, and the reason of what first was the worst.
fn fold(dot: &mut Dot, beat: Dot) {
    if beat.answer > dot.answer || (beat.answer == dot.answer && dot.reason == NO_REASON) {
        (dot.answer, dot.reason) = (beat.answer, beat.reason);
    }
    dot.latency = match (dot.latency, beat.latency) {
        (NO_LATENCY, other) | (other, NO_LATENCY) => other,
        (one, other) => one.max(other),
    };
}

fn millis(latency: Option<Duration>) -> u32 {
    latency.map_or(NO_LATENCY, |latency| {
        u32::try_from(latency.as_millis()).unwrap_or(NO_LATENCY - 1).min(NO_LATENCY - 1)
    })
}

impl Strips {
    pub(crate) fn beat(&mut self, card: &CardId, minute: i64, beat: &Beat) {
        let reason = self.reasons.number(beat.reason.as_deref());
        self.put(card, Dot { minute, latency: millis(beat.latency), reason, answer: beat.answer });
    }

    /// Takes in what an earlier run kept.
    pub(crate) fn restore(&mut self, minutes: Vec<StoredMinute>) {
        let mut known: HashMap<Arc<str>, Option<CardId>> = HashMap::new();
        for stored in minutes {
            let card = known.entry(stored.card).or_insert_with_key(|card| card.parse().ok());
            let answer = ProbeOutcome::ALL.get(usize::from(stored.answer)).copied();
            // What another version wrote and this one does not know is not shown.
            let (Some(card), Some(answer)) = (card, answer) else { continue };
            let reason = self.reasons.number(stored.reason.as_deref());
            let latency = stored.latency_ms.unwrap_or(NO_LATENCY);
            self.put(card, Dot { minute: stored.minute, latency, reason, answer });
        }
    }

    fn put(&mut self, card: &CardId, new: Dot) {
        let dots = match self.cards.get_mut(card) {
            Some(dots) => dots,
            None => self.cards.entry(card.clone()).or_default(),
        };
        let place = dots.partition_point(|dot| dot.minute < new.minute);
        match dots.get_mut(place) {
            Some(same) if same.minute == new.minute => fold(same, new),
            _ => dots.insert(place, new),
        }
        while dots.len() > STRIP {
            dots.pop_front();
        }
    }

    /// The minute of a card, if anything was noted in it.
    pub(crate) fn minute(&self, card: &CardId, minute: i64) -> Option<Shown> {
        let dots = self.cards.get(card)?;
        let place = dots.binary_search_by_key(&minute, |dot| dot.minute).ok()?;
        dots.get(place).map(|dot| self.shown(dot))
    }

    /// The last [`STRIP`] minutes up to this one, oldest first; those in which nothing was noted are not asked.
    pub(crate) fn strip(&self, card: &CardId, last: i64) -> Vec<Shown> {
        let length = i64::try_from(STRIP).unwrap_or(0);
        let first = last.saturating_sub(length - 1);
        let mut dots =
            self.cards.get(card).into_iter().flatten().skip_while(|dot| dot.minute < first).peekable();
        (first..=last)
            .map(|minute| match dots.next_if(|dot| dot.minute == minute) {
                Some(dot) => self.shown(dot),
                None => Shown { minute, answer: ProbeOutcome::NotAsked, latency: None, reason: None },
            })
            .collect()
    }

    /// The minutes with this number, to be kept.
    pub(crate) fn to_keep(&self, minute: i64) -> Vec<StoredMinute> {
        let noted = |(card, dots): (&CardId, &VecDeque<Dot>)| {
            let place = dots.binary_search_by_key(&minute, |dot| dot.minute).ok()?;
            let dot = dots.get(place)?;
            Some(StoredMinute {
                card: card.text(),
                minute,
                answer: dot.answer as u8,
                latency_ms: Some(dot.latency).filter(|millis| *millis != NO_LATENCY),
                reason: self.reasons.word(dot.reason),
            })
        };
        self.cards.iter().filter_map(noted).collect()
    }

    /// Forgets cards of which nothing is shown any more.
    pub(crate) fn forget_before(&mut self, minute: i64) {
        self.cards.retain(|_, dots| dots.back().is_some_and(|dot| dot.minute >= minute));
    }

    fn shown(&self, dot: &Dot) -> Shown {
        Shown {
            minute: dot.minute,
            answer: dot.answer,
            latency: Some(dot.latency)
                .filter(|millis| *millis != NO_LATENCY)
                .map(|millis| Duration::from_millis(millis.into())),
            reason: self.reasons.word(dot.reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use domain::Timestamp;

    fn beat(answer: ProbeOutcome, latency: Option<u64>, reason: Option<&'static str>) -> Beat {
        Beat {
            at: Timestamp::default(),
            answer,
            latency: latency.map(Duration::from_millis),
            reason: reason.map(Into::into),
        }
    }

    #[test]
    fn one_failed_beat_makes_the_minute_red_with_its_reason() {
        let (mut strips, card) = (Strips::default(), CardId::store());
        strips.beat(&card, 7, &beat(ProbeOutcome::Answered, Some(3), None));
        strips.beat(&card, 7, &beat(ProbeOutcome::Failed, None, Some("disk_full")));
        strips.beat(&card, 7, &beat(ProbeOutcome::Answered, Some(9), None));
        strips.beat(&card, 7, &beat(ProbeOutcome::NotAsked, None, Some("stopped")));
        let minute = strips.minute(&card, 7).expect("a minute");
        assert_eq!((minute.answer, minute.reason.as_deref()), (ProbeOutcome::Failed, Some("disk_full")));
        assert_eq!(minute.latency, Some(Duration::from_millis(9)));
        let strip = strips.strip(&card, 8);
        assert_eq!((strip.len(), strip[STRIP - 1].answer), (STRIP, ProbeOutcome::NotAsked));
        assert_eq!(strip[STRIP - 2], minute);
    }

    fn answers() -> impl Strategy<Value = ProbeOutcome> {
        prop::sample::select(ProbeOutcome::ALL.to_vec())
    }

    proptest! {
        /// In whatever order beats come: a minute is its worst beat, none is lost or doubled, and what is kept and read
        /// again after a restart shows the same.
        #[test]
        fn strips_fold_and_survive_a_restart(
            beats in prop::collection::vec((0_i64..200, answers(), prop::option::of(0_u64..9_000)), 1..80),
            last in 100_i64..220,
        ) {
            let (mut strips, card) = (Strips::default(), CardId::queue());
            for (minute, answer, latency) in &beats {
                let reason = (*answer == ProbeOutcome::Failed).then_some("no_answer");
                strips.beat(&card, *minute, &beat(*answer, *latency, reason));
            }
            let strip = strips.strip(&card, last);
            prop_assert_eq!(strip.len(), STRIP);
            prop_assert!(strip.windows(2).all(|pair| pair[0].minute + 1 == pair[1].minute));
            for shown in &strip {
                let of_minute = || beats.iter().filter(|(minute, ..)| *minute == shown.minute);
                let worst = of_minute().map(|(_, answer, _)| *answer).max().unwrap_or(ProbeOutcome::NotAsked);
                // Only the latest minutes are kept, however many were noted.
                let noted: std::collections::BTreeSet<_> = beats.iter().map(|(minute, ..)| *minute).collect();
                let kept = noted.iter().rev().take(STRIP).any(|minute| *minute == shown.minute);
                let worst = if kept { worst } else { ProbeOutcome::NotAsked };
                prop_assert_eq!(shown.answer, worst);
                if kept {
                    let slowest = of_minute().filter_map(|(.., latency)| *latency).max();
                    prop_assert_eq!(shown.latency, slowest.map(Duration::from_millis));
                }
                prop_assert_eq!(shown.reason.is_some(), shown.answer == ProbeOutcome::Failed);
            }
            let mut again = Strips::default();
            again.restore((0..220).flat_map(|minute| strips.to_keep(minute)).collect());
            prop_assert_eq!(again.strip(&card, last), strip);
        }
    }
}
