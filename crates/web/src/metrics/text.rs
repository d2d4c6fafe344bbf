//! The text format of Prometheus, version 0.0.4: families with help and type, samples with labels.

use std::fmt::{self, Display, Write};
use std::time::Duration;

use domain::measure::Spread;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// They only grow, until the program starts again.
    Counter,
    Gauge,
    /// They are counted by how large they are.
    Histogram,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// What the numbers of a histogram are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Times, kept in microseconds and shown in seconds.
    Time,
    Plain,
}

/// A number as it is shown: always exact, never in an exponent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    Whole(u64),
    Seconds(Duration),
}

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Self::Whole(number)
    }
}

impl From<usize> for Number {
    fn from(number: usize) -> Self {
        Self::Whole(number as u64)
    }
}

impl From<bool> for Number {
    fn from(yes: bool) -> Self {
        Self::Whole(u64::from(yes))
    }
}

impl From<Duration> for Number {
    fn from(time: Duration) -> Self {
        Self::Seconds(time)
    }
}

impl Unit {
    const fn number(self, number: u64) -> Number {
        match self {
            Self::Time => Number::Seconds(Duration::from_micros(number)),
            Self::Plain => Number::Whole(number),
        }
    }
}

impl Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(number) => write!(f, "{number}"),
            Self::Seconds(time) => {
                write!(f, "{}", time.as_secs())?;
                if time.subsec_micros() > 0 {
                    let fraction = format!("{:06}", time.subsec_micros());
                    write!(f, ".{}", fraction.trim_end_matches('0'))?;
                }
                Ok(())
            }
        }
    }
}

pub(super) type Label<'a> = (&'static str, &'a str);

/// The page that is being written.
#[derive(Debug, Default)]
pub(super) struct Page(String);

impl Page {
    /// Begins a family; its samples follow at once. Each family is begun once.
    pub(super) fn family(&mut self, name: &'static str, kind: Kind, help: &str) -> Family<'_> {
        debug_assert_eq!(name.ends_with("_total"), kind == Kind::Counter, "{name}");
        self.line(format_args!("# HELP {name} {}", help.replace('\\', "\\\\").replace('\n', "\\n")));
        self.line(format_args!("# TYPE {name} {}", kind.as_str()));
        Family { page: self, name }
    }

    pub(super) fn counter(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, Kind::Counter, help)
    }

    /// A family that measures what is now.
    pub(super) fn gauge(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, Kind::Gauge, help)
    }

    pub(super) fn histogram(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, Kind::Histogram, help)
    }

    pub(super) fn finish(self) -> String {
        self.0
    }

    fn line(&mut self, line: fmt::Arguments<'_>) {
        // Writing to a string never fails.
        let _ = self.0.write_fmt(line);
        self.0.push('\n');
    }

    fn sample(&mut self, name: &str, suffix: &str, labels: &[Label<'_>], number: Number) {
        self.0.push_str(name);
        self.0.push_str(suffix);
        for (place, (label, value)) in labels.iter().enumerate() {
            self.0.push(if place == 0 { '{' } else { ',' });
            self.0.push_str(label);
            self.0.push_str("=\"");
            for letter in value.chars() {
                match letter {
                    '\\' => self.0.push_str("\\\\"),
                    '"' => self.0.push_str("\\\""),
                    '\n' => self.0.push_str("\\n"),
                    other => self.0.push(other),
                }
            }
            self.0.push('"');
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        self.line(format_args!(" {number}"));
    }
}

/// A family of the page, while its samples are written.
pub(super) struct Family<'a> {
    page: &'a mut Page,
    name: &'static str,
}

impl Family<'_> {
    pub(super) fn add(&mut self, labels: &[Label<'_>], number: impl Into<Number>) -> &mut Self {
        self.page.sample(self.name, "", labels, number.into());
        self
    }

    /// One histogram: a line for each bucket, counted from below, their sum and their number.
    pub(super) fn add_spread(&mut self, labels: &[Label<'_>], spread: &Spread, unit: Unit) -> &mut Self {
        let mut under = 0;
        for (bound, count) in spread.bounds.iter().zip(&spread.counts) {
            under += count;
            self.bucket(labels, &unit.number(*bound).to_string(), under);
        }
        let count = spread.count();
        self.bucket(labels, "+Inf", count);
        self.page.sample(self.name, "_sum", labels, unit.number(spread.sum));
        self.page.sample(self.name, "_count", labels, Number::Whole(count));
        self
    }

    fn bucket(&mut self, labels: &[Label<'_>], bound: &str, count: u64) {
        let mut all = labels.to_vec();
        all.push(("le", bound));
        self.page.sample(self.name, "_bucket", &all, Number::Whole(count));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::measure::Histogram;
    use proptest::prelude::*;

    #[test]
    fn a_family_says_what_it_is_and_then_its_numbers() {
        let mut page = Page::default();
        page.counter("demo_things_total", "Things.")
            .add(&[("kind", "a")], 3_u64)
            .add(&[("kind", "b")], 0_u64);
        page.gauge("demo_age_seconds", "Age.").add(&[], Duration::from_millis(1_500));
        assert_eq!(
            page.finish(),
            "# HELP demo_things_total Things.\n# TYPE demo_things_total counter\n\
             demo_things_total{kind=\"a\"} 3\ndemo_things_total{kind=\"b\"} 0\n\
             # HELP demo_age_seconds Age.\n# TYPE demo_age_seconds gauge\ndemo_age_seconds 1.5\n"
        );
    }

    #[test]
    fn a_histogram_counts_from_below() {
        let times = Histogram::new(&[500, 1_000, 2_500_000]);
        for micros in [1, 500, 900, 9_000_000] {
            times.add(micros);
        }
        let mut page = Page::default();
        page.histogram("demo_seconds", "Times.").add_spread(&[("a", "b")], &times.spread(), Unit::Time);
        assert_eq!(
            page.finish().lines().skip(2).collect::<Vec<_>>(),
            [
                "demo_seconds_bucket{a=\"b\",le=\"0.0005\"} 2",
                "demo_seconds_bucket{a=\"b\",le=\"0.001\"} 3",
                "demo_seconds_bucket{a=\"b\",le=\"2.5\"} 3",
                "demo_seconds_bucket{a=\"b\",le=\"+Inf\"} 4",
                "demo_seconds_sum{a=\"b\"} 9.001401",
                "demo_seconds_count{a=\"b\"} 4",
            ]
        );
    }

    proptest! {
        #[test]
        fn a_label_can_be_read_back_whatever_it_holds(value in "[\\PC\\\\\"\n]{0,20}") {
            let mut page = Page::default();
            page.gauge("demo", "Demo.").add(&[("label", &value)], 1_u64);
            let text = page.finish();
            prop_assert_eq!(text.lines().count(), 3);
            let line = text.lines().last().unwrap_or_default();
            let inner = line.strip_prefix("demo{label=\"").and_then(|rest| rest.strip_suffix("\"} 1"));
            let mut read = String::new();
            let mut letters = inner.expect("the frame").chars();
            while let Some(letter) = letters.next() {
                match letter {
                    '\\' => match letters.next() {
                        Some('n') => read.push('\n'),
                        Some(other) => read.push(other),
                        None => prop_assert!(false, "an escape without a letter"),
                    },
                    '"' => prop_assert!(false, "a quote that ends the label"),
                    other => read.push(other),
                }
            }
            prop_assert_eq!(read, value);
        }

        #[test]
        fn seconds_are_exact(micros in 0_u64..10_000_000_000) {
            let shown = Number::Seconds(Duration::from_micros(micros)).to_string();
            let (whole, fraction) = shown.split_once('.').unwrap_or((&shown, ""));
            let back = whole.parse::<u64>().expect("whole") * 1_000_000
                + format!("{fraction:0<6}").parse::<u64>().expect("a fraction");
            prop_assert_eq!(back, micros);
        }
    }
}
