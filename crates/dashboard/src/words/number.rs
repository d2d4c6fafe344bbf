//! Numbers as they are read: thousands apart, units always, and never broken at the end of a line.

use crate::view::Language;
use std::time::Duration;

/// A narrow space that no line breaks at.
const NARROW: char = '\u{202f}';
/// A space that no line breaks at.
pub(crate) const HARD: char = '\u{a0}';

/// A count with its thousands apart.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3 * NARROW.len_utf8());
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push(NARROW);
        }
        shown.push(digit);
    }
    shown
}

/// A part of one in hundredths; what is there is never shown as nothing.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 0 and 100 000")]
pub(crate) fn percent(part: f32) -> String {
    let hundredths = (part * 100.0).clamp(0.0, 100_000.0);
    if hundredths > 0.0 && hundredths < 1.0 {
        return format!("<{NARROW}1{HARD}%");
    }
    format!("{}{HARD}%", hundredths.round() as u32)
}

/// An amount of memory.
pub(crate) fn bytes(language: Language, amount: u64) -> String {
    let units = language.of(["B", "KB", "MB", "GB"], ["Б", "КБ", "МБ", "ГБ"]);
    let (mut whole, mut rest, mut unit) = (amount, 0, 0);
    while whole >= 1000 && unit + 1 < units.len() {
        rest = whole % 1000 / 100;
        whole /= 1000;
        unit += 1;
    }
    let unit_word = units.get(unit).copied().unwrap_or_default();
    if whole < 10 && unit > 0 {
        let point = language.of('.', ',');
        format!("{whole}{point}{rest}{HARD}{unit_word}")
    } else {
        format!("{whole}{HARD}{unit_word}")
    }
}

/// How long an answer took.
pub(crate) fn latency(language: Language, time: Duration) -> String {
    let millis = time.as_millis();
    if millis < 1 {
        format!("<{NARROW}1{HARD}{}", language.of("ms", "мс"))
    } else if millis < 10_000 {
        format!("{}{HARD}{}", thousands(u64::try_from(millis).unwrap_or(u64::MAX)), language.of("ms", "мс"))
    } else {
        span(language, time)
    }
}

/// How long a stage of a run took: whole microseconds below a millisecond, then milliseconds.
pub(crate) fn micros(language: Language, micros: u64) -> String {
    let point = language.of('.', ',');
    match micros {
        0..1_000 => format!("{micros}{HARD}{}", language.of("µs", "мкс")),
        1_000..10_000 => {
            format!("{}{point}{:02}{HARD}{}", micros / 1_000, micros % 1_000 / 10, language.of("ms", "мс"))
        }
        _ => latency(language, Duration::from_micros(micros)),
    }
}

/// How long something lasts, in its two largest units: `6 d 4 h`.
pub(crate) fn span(language: Language, time: Duration) -> String {
    let (day, hour, minute, second) = language.of(("d", "h", "min", "s"), ("д", "ч", "мин", "с"));
    let all = time.as_secs();
    let (days, hours, minutes, seconds) = (all / 86_400, all / 3_600 % 24, all / 60 % 60, all % 60);
    let both = |large: u64, large_unit: &str, small: u64, small_unit: &str| match small {
        0 => format!("{large}{HARD}{large_unit}"),
        _ => format!("{large}{HARD}{large_unit} {small}{HARD}{small_unit}"),
    };
    if days >= 100 {
        format!("{}{HARD}{day}", thousands(days))
    } else if days > 0 {
        both(days, day, hours, hour)
    } else if hours > 0 {
        both(hours, hour, minutes, minute)
    } else if minutes > 0 {
        format!("{minutes}{HARD}{minute}")
    } else {
        format!("{seconds}{HARD}{second}")
    }
}

/// The same to the second, for what is waited for.
pub(crate) fn countdown(language: Language, time: Duration) -> String {
    let all = time.as_secs();
    if !(60..3_600).contains(&all) || all.is_multiple_of(60) {
        return span(language, time);
    }
    let (minute, second) = language.of(("min", "s"), ("мин", "с"));
    format!("{}{HARD}{minute} {}{HARD}{second}", all / 60, all % 60)
}

/// The right form of an English noun or verb.
pub(crate) const fn english<T: Copy>(number: u64, one: T, more: T) -> T {
    if number == 1 { one } else { more }
}

/// The right form of a Russian noun: 1 счёт, 2 счёта, 5 счетов, 11 счетов, 21 счёт.
pub(crate) const fn russian<T: Copy>(number: u64, one: T, few: T, many: T) -> T {
    match (number % 100, number % 10) {
        (11..=14, _) => many,
        (_, 1) => one,
        (_, 2..=4) => few,
        _ => many,
    }
}

/// The right form of a noun in a language: of one and more in English; of one, few and many in Russian.
pub(crate) fn form(
    language: Language,
    number: u64,
    forms: (&[&'static str], &[&'static str]),
) -> &'static str {
    let place = language.of(english(number, 0, 1), russian(number, 0, 1, 2));
    language.of(forms.0, forms.1).get(place).copied().unwrap_or_default()
}

/// What a sentence has in it.
pub(crate) trait Argument: Copy {
    /// What decides on the form of nouns.
    fn count(self) -> u64;

    fn shown(self) -> String {
        thousands(self.count())
    }
}

impl Argument for u64 {
    fn count(self) -> u64 {
        self
    }
}

impl Argument for u16 {
    fn count(self) -> u64 {
        self.into()
    }
}

impl Argument for u32 {
    fn count(self) -> u64 {
        self.into()
    }
}

impl Argument for usize {
    fn count(self) -> u64 {
        self as u64
    }
}

impl Argument for &str {
    fn count(self) -> u64 {
        0
    }

    fn shown(self) -> String {
        self.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_carry_their_units() {
        let (en, ru) = (Language::English, Language::Russian);
        assert_eq!(thousands(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(thousands(999), "999");
        assert_eq!(bytes(en, 86_000_000), "86\u{a0}MB");
        assert_eq!(bytes(ru, 1_540_000_000), "1,5\u{a0}ГБ");
        assert_eq!(bytes(en, 12), "12\u{a0}B");
        assert_eq!(percent(0.614), "61\u{a0}%");
        assert_eq!(percent(0.0), "0\u{a0}%");
        assert_eq!(percent(0.001), "<\u{202f}1\u{a0}%");
        assert_eq!(latency(en, Duration::from_millis(184)), "184\u{a0}ms");
        assert_eq!(span(en, Duration::from_secs(6 * 86_400 + 4 * 3_600 + 59)), "6\u{a0}d 4\u{a0}h");
        assert_eq!(span(ru, Duration::from_secs(125)), "2\u{a0}мин");
        assert_eq!(countdown(en, Duration::from_secs(192)), "3\u{a0}min 12\u{a0}s");
        assert_eq!(countdown(en, Duration::from_mins(5)), "5\u{a0}min");
    }

    #[test]
    fn russian_counts_by_its_last_digits() {
        let form = |number| russian(number, "one", "few", "many");
        for (number, expected) in [
            (0, "many"),
            (1, "one"),
            (2, "few"),
            (4, "few"),
            (5, "many"),
            (11, "many"),
            (12, "many"),
            (14, "many"),
            (21, "one"),
            (22, "few"),
            (111, "many"),
            (121, "one"),
        ] {
            assert_eq!(form(number), expected, "{number}");
        }
    }

    proptest! {
        #[test]
        fn no_number_is_lost_in_its_spaces(number: u64) {
            let digits: String = thousands(number).chars().filter(char::is_ascii_digit).collect();
            prop_assert_eq!(digits.parse::<u64>(), Ok(number));
        }

        #[test]
        fn every_time_and_amount_has_a_unit(seconds in 0_u64..1_000_000_000, amount: u64) {
            for language in [Language::English, Language::Russian] {
                prop_assert!(span(language, Duration::from_secs(seconds)).ends_with(char::is_alphabetic));
                prop_assert!(countdown(language, Duration::from_secs(seconds)).ends_with(char::is_alphabetic));
                prop_assert!(bytes(language, amount).ends_with(char::is_alphabetic));
            }
        }
    }
}
