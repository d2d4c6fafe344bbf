//! The row of settings: each page of them, as far as the visitor's role goes.

use askama::Template;

use crate::view::Tab;
use crate::visitor::Visitor;
use crate::words::SettingsWords;

#[derive(Template)]
#[template(path = "settings/tabs.html")]
pub(super) struct Tabs {
    words: &'static SettingsWords,
    current: Tab,
    open: Vec<Tab>,
}

impl Tabs {
    pub(super) fn new(visitor: &Visitor, current: Tab) -> Self {
        let is_open = |tab: &Tab| tab.right().is_none_or(|right| visitor.may(right));
        let open = Tab::ALL.into_iter().filter(is_open).collect();
        Self { words: SettingsWords::of(visitor.language), current, open }
    }
}
