//! Progress bars on the standard error, where it is a terminal.

use indicatif::{HumanCount, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The style of a bar of bytes.
const BYTES: &str = "{prefix} [{wide_bar:.}] {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";

/// The style of a bar of counted things.
const COUNT: &str = "{prefix} [{bar:24.}] {human_pos} of {human_len} {wide_msg}";

/// The style of a bar without a known length.
const WORDS: &str = "{prefix} {wide_msg}";

/// The bars of one command, one below the other.
#[derive(Clone)]
pub(crate) struct Bars(MultiProgress);

impl Bars {
    /// Drawn only where the standard error is a terminal that can draw, and not at all if `quiet`.
    pub(crate) fn new(quiet: bool) -> Self {
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        Self(MultiProgress::with_draw_target(target))
    }

    pub(crate) fn are_shown(&self) -> bool {
        !self.0.is_hidden()
    }

    /// A bar of bytes, with their rate and the time left.
    pub(crate) fn bytes(&self, what: &str, of: u64) -> ProgressBar {
        self.0.add(ProgressBar::new(of).with_style(style(BYTES)).with_prefix(shortened(what)))
    }

    /// A bar for counted things, whose length [`show`] sets.
    pub(crate) fn count(&self, what: &str) -> ProgressBar {
        self.0.add(ProgressBar::new(0).with_style(style(WORDS)).with_prefix(shortened(what)))
    }
}

/// Shows what is done of a whole, and a message; without a whole, the message alone.
pub(crate) fn show(bar: &ProgressBar, done: u64, of: Option<u64>, message: &str) {
    bar.set_style(style(if of.is_some() { COUNT } else { WORDS }));
    if let Some(of) = of {
        bar.set_length(of);
        bar.set_position(done.min(of));
    }
    bar.set_message(plain(message));
    bar.tick();
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
    fn no_one_sees_bars_that_are_to_be_quiet() {
        assert!(!Bars::new(true).are_shown());
    }
}
