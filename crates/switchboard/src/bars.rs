//! Bars on the standard error, for whoever watches at a terminal; nothing where nobody does.

use indicatif::{HumanCount, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How a bar of bytes looks.
const BYTES: &str = "{prefix} [{wide_bar:.}] {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";

/// How a bar of things that are counted looks.
const COUNT: &str = "{prefix} [{bar:24.}] {human_pos} of {human_len} {wide_msg}";

/// How something looks of which nobody knows how much there is.
const WORDS: &str = "{prefix} {wide_msg}";

/// The bars of one command, one below the other.
#[derive(Clone)]
pub(crate) struct Bars {
    all: MultiProgress,
    shown: bool,
}

impl Bars {
    /// Drawn only where the standard error is a terminal that can draw; `quiet` keeps them away from there too.
    pub(crate) fn new(quiet: bool) -> Self {
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let all = MultiProgress::with_draw_target(target);
        Self { shown: !all.is_hidden(), all }
    }

    /// Whether somebody sees them.
    pub(crate) const fn are_shown(&self) -> bool {
        self.shown
    }

    /// A bar for so many bytes, with their rate and the time that is left.
    pub(crate) fn bytes(&self, what: &str, of: u64) -> Bar {
        let bar = ProgressBar::new(of).with_style(style(BYTES)).with_prefix(shortened(what));
        Bar(self.all.add(bar))
    }

    /// A bar for things that are counted; how many there are is told later.
    pub(crate) fn count(&self, what: &str) -> Bar {
        let bar = ProgressBar::new(0).with_style(style(WORDS)).with_prefix(shortened(what));
        Bar(self.all.add(bar))
    }
}

/// One bar. Cheap to clone; each clone is the same bar.
#[derive(Clone)]
pub(crate) struct Bar(ProgressBar);

impl Bar {
    /// So much is done.
    pub(crate) fn is_at(&self, done: u64) {
        self.0.set_position(done);
    }

    /// So much of so much is done, and something is to be said of it; without a whole there are only the words.
    pub(crate) fn shows(&self, done: u64, of: Option<u64>, words: &str) {
        self.0.set_style(style(if of.is_some() { COUNT } else { WORDS }));
        if let Some(of) = of {
            self.0.set_length(of);
            self.0.set_position(done.min(of));
        }
        self.0.set_message(plain(words));
        self.0.tick();
    }

    /// It stays as it is.
    pub(crate) fn stays(&self) {
        self.0.abandon();
    }

    pub(crate) fn goes(&self) {
        self.0.finish_and_clear();
    }
}

/// A number as people read it: `1,200`.
pub(crate) fn grouped(number: u64) -> String {
    HumanCount(number).to_string()
}

fn style(template: &str) -> ProgressStyle {
    // The templates are the ones above, which a test reads.
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("=> ")
}

/// A name that leaves room for the bar.
fn shortened(name: &str) -> String {
    const MOST: usize = 32;
    let mut short = plain(name);
    if let Some((end, _)) = short.char_indices().nth(MOST) {
        short.truncate(end);
        short.pop();
        short.push('…');
    }
    short
}

/// Without what would move the cursor: names of files may hold anything.
fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_templates() {
        for template in [BYTES, COUNT, WORDS] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }

    #[test]
    fn names_leave_room_and_numbers_are_grouped() {
        assert_eq!(
            (shortened("main"), shortened("a\u{1b}[2J")),
            ("main".to_owned(), "a\u{fffd}[2J".to_owned())
        );
        assert_eq!(shortened(&"ж".repeat(40)).chars().count(), 32);
        assert_eq!((grouped(999), grouped(1_200_000)), ("999".to_owned(), "1,200,000".to_owned()));
    }

    #[test]
    fn nobody_sees_bars_that_are_to_be_quiet() {
        assert!(!Bars::new(true).are_shown());
    }
}
