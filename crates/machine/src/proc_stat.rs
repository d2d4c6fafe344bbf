//! Times of processes: the kernel gives them in ticks since the machine was started.

use std::time::Duration;

use domain::Timestamp;

/// The auxiliary vector's number for ticks a second, and what every Linux of today has.
const TICKS_KEY: usize = 17;
const USUAL_TICKS: u64 = 100;

/// What is read of `/proc/PID/stat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stat {
    /// The process that it belongs to; 0 when there is none.
    pub(super) parent: u32,
    /// Ticks from the start of the machine to that of the process.
    pub(super) started: u64,
    /// Whether it has ended and is only kept until its parent takes note.
    pub(super) ended: bool,
}

/// Reads a line of `stat`. The second field is a name that may hold anything.
pub(super) fn parse(stat: &str) -> Option<Stat> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    let started = fields.nth(17)?.parse().ok()?;
    Some(Stat { parent, started, ended: matches!(state, "Z" | "X" | "x") })
}

/// When the machine was started, and how fast its ticks are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Boot {
    seconds: i64,
    ticks: u64,
}

impl Boot {
    /// By the text of `/proc/stat` and the bytes of an auxiliary vector; nothing without the first.
    pub(super) fn read(stat: &str, auxiliary: &[u8]) -> Option<Self> {
        let seconds = stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
        Some(Self { seconds, ticks: ticks(auxiliary).unwrap_or(USUAL_TICKS) })
    }

    /// The time that is so many ticks behind the start.
    pub(super) fn after(self, ticks: u64) -> Timestamp {
        let micros = u128::from(ticks) * 1_000_000 / u128::from(self.ticks.max(1));
        let passed = Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX));
        Timestamp::from_micros(self.seconds.saturating_mul(1_000_000)).plus(passed)
    }
}

fn ticks(auxiliary: &[u8]) -> Option<u64> {
    const WORD: usize = size_of::<usize>();
    let word = |bytes: &[u8]| bytes.try_into().ok().map(usize::from_ne_bytes);
    let mut pairs = auxiliary.chunks_exact(2 * WORD);
    let pair = pairs.find(|pair| word(&pair[..WORD]) == Some(TICKS_KEY))?;
    word(&pair[WORD..]).and_then(|ticks| u64::try_from(ticks).ok()).filter(|ticks| *ticks > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_moves_no_field() {
        let rest = "S 7 1 1 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 7 0 12345 1000000 200";
        for name in ["python3", "odd) name (", "a b"] {
            let stat = parse(&format!("42 ({name}) {rest}")).expect("a line");
            assert_eq!((stat.parent, stat.started, stat.ended), (7, 12345, false), "{name}");
        }
        assert!(parse("42 (x) Z 7 1").is_none() && parse("").is_none());
    }

    #[test]
    fn ticks_become_a_time() {
        let words: [usize; 4] = [17, 250, 0, 0];
        let auxiliary: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        let boot = Boot::read("cpu 1 2\nbtime 1000\n", &auxiliary).expect("a time");
        assert_eq!(boot.after(500), Timestamp::from_micros(1_002_000_000));
        let usual = Boot::read("btime 1000", &[]).expect("a time");
        assert_eq!(usual.after(500), Timestamp::from_micros(1_005_000_000));
        assert_eq!(Boot::read("cpu 1", &auxiliary), None);
    }
}
