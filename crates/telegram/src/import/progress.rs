//! How far the import is that is under way, for anyone who watches it.

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportProgress {
    /// What is done now; none when no import is under way.
    pub step: Option<ImportStep>,
    pub done: usize,
    /// How many sessions were found; 0 while they are looked for.
    pub of: usize,
    /// The file whose session it is about; none for a string, and in between.
    pub now: Option<String>,
}

/// The steps of an import, in their order.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportStep {
    /// Files are looked through.
    Looking,
    /// Telegram is asked whose the sessions are.
    Asking,
    /// The sessions are taken over, with whom they know.
    Taking,
    /// The old registry is taken over.
    Registry,
}

domain::enum_words!(ImportStep);

use ambient::lock::Mutex;

/// Where the import that is under way says how far it is.
#[derive(Debug, Default)]
pub(crate) struct Board(Mutex<ImportProgress>);

impl Board {
    pub(super) fn read(&self) -> ImportProgress {
        self.0.lock().clone()
    }

    fn change(&self, change: impl FnOnce(&mut ImportProgress)) {
        change(&mut self.0.lock());
    }

    /// An import begins; it is over when what this gives is dropped.
    pub(super) fn begin(&self) -> RunningImport<'_> {
        let board = RunningImport(self);
        board.step(ImportStep::Looking, 0);
        board
    }
}

pub(super) struct RunningImport<'a>(&'a Board);

impl RunningImport<'_> {
    pub(super) fn step(&self, step: ImportStep, of: usize) {
        self.0.change(|progress| {
            *progress = ImportProgress { step: Some(step), of, ..ImportProgress::default() }
        });
    }

    pub(super) fn now(&self, file: Option<&String>) {
        self.0.change(|progress| progress.now = file.cloned());
    }

    pub(super) fn one_done(&self) {
        self.0.change(|progress| progress.done = progress.done.saturating_add(1).min(progress.of));
    }
}

impl Drop for RunningImport<'_> {
    fn drop(&mut self) {
        self.0.change(|progress| *progress = ImportProgress::default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_board_shows_the_import_while_it_goes_on() {
        let board = Board::default();
        assert_eq!(board.read(), ImportProgress::default());
        let running = board.begin();
        assert_eq!(board.read().step, Some(ImportStep::Looking));
        running.step(ImportStep::Taking, 2);
        let file = "demo.session".to_owned();
        running.now(Some(&file));
        for _ in 0..3 {
            running.one_done();
        }
        let shown = ImportProgress { step: Some(ImportStep::Taking), done: 2, of: 2, now: Some(file) };
        assert_eq!(board.read(), shown, "never more than there are");
        drop(running);
        assert_eq!(board.read(), ImportProgress::default());
    }
}
