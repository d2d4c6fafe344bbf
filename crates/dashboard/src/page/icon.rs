//! An icon of the sprite, for templates: `{{ page::icon("stop") }}`.

use std::fmt;

use askama::filters::HtmlSafe;

use crate::assets;

/// An icon beside words; readers of screens pass over it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Icon {
    name: &'static str,
    class: &'static str,
}

/// The icon of this name in `assets/icons.svg`, as tall as the text.
pub(crate) const fn icon(name: &'static str) -> Icon {
    Icon { name, class: "i" }
}

pub(crate) const fn brand() -> Icon {
    Icon { name: "brand", class: "" }
}

/// Its parts are words of this program, so nothing in it needs escaping.
impl HtmlSafe for Icon {}

impl fmt::Display for Icon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, class } = self;
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        write!(f, "<svg{class} aria-hidden=\"true\"><use href=\"{}#{name}\"/></svg>", assets::ICONS.path())
    }
}
