//! The frame round every page: the rail with its sections, the bar on a phone, the notes.

use access::Right;
use askama::Template;

use crate::dashboard::NavCounts;
use crate::view::{GROUPS, Language, Section, Theme};
use crate::visitor::{Tone, Visitor};
use crate::words::FrameWords;
use crate::{assets, page, words};

#[derive(Template)]
#[template(path = "frame.html")]
pub(super) struct Frame<'a> {
    visitor: &'a Visitor,
    words: &'static FrameWords,
    tally: NavCounts,
    title: &'a str,
    current: Section,
    body: &'a str,
    /// After how many seconds a browser without script shall ask for the page again.
    renew: Option<u16>,
}

impl<'a> Frame<'a> {
    pub(super) fn new(visitor: &'a Visitor, title: &'a str, current: Section, body: &'a str) -> Self {
        let words = FrameWords::of(visitor.language);
        Self { visitor, words, tally: visitor.tallied.now(), title, current, body, renew: None }
    }

    /// The same, asked for again after a number of seconds where no script does it.
    pub(super) fn renewed(self, renew: Option<u16>) -> Self {
        Self { renew, ..self }
    }

    /// How much of a section waits for a decision, if anything does.
    fn waiting(&self, section: Section) -> Option<u64> {
        let waiting = match section {
            Section::Doubt => self.tally.in_doubt,
            Section::Failed => self.tally.failed,
            _ => 0,
        };
        Some(waiting).filter(|waiting| *waiting > 0)
    }

    /// How many conversations have messages that no person has seen.
    fn unread(&self, section: Section) -> Option<u64> {
        (section == Section::Inbox).then_some(self.tally.unread)
    }

    /// The sections of a group that the visitor sees.
    fn sections(&self, sections: &[Section]) -> Vec<Section> {
        let is_seen = |section: &Section| {
            self.visitor.may(Right::Look) || matches!(section, Section::Inbox | Section::Settings)
        };
        sections.iter().copied().filter(is_seen).collect()
    }

    /// The address of this page with one more choice.
    fn choose(&self, name: &str, word: &str) -> String {
        let here = self.visitor.here.as_str();
        let joint = if here.contains('?') { '&' } else { '?' };
        format!("{here}{joint}{name}={word}")
    }

    fn other_language(&self) -> Language {
        match self.visitor.language {
            Language::English => Language::Russian,
            Language::Russian => Language::English,
        }
    }

    /// The looks that are not on now; without a choice it is the browser's, which no one here knows.
    fn next_theme(&self) -> Theme {
        match self.visitor.theme {
            Theme::Browser => Theme::Dark,
            Theme::Dark => Theme::Light,
            Theme::Light => Theme::Browser,
        }
    }
}
