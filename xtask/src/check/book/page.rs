//! A page of Markdown: its headings, links, and what is in code.

use std::path::PathBuf;

/// Something on a page, with the number of its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) line: usize,
    pub(super) text: String,
}

/// A heading: its depth, 1 to 6, its words, and the anchor that leads to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heading {
    pub(super) line: usize,
    pub(super) depth: usize,
    pub(super) words: String,
    pub(super) anchor: String,
}

/// What the checks look at.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Relative to the root of the workspace.
    pub(super) path: PathBuf,
    pub(super) headings: Vec<Heading>,
    /// The targets of `[words](target)`.
    pub(super) links: Vec<Placed>,
    /// What is between backticks in the text.
    pub(super) spans: Vec<Placed>,
}

impl Page {
    pub(super) fn read(path: PathBuf, text: &str) -> Self {
        let mut page = Self { path, ..Self::default() };
        let mut fence: Option<String> = None;
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            let trimmed = line.trim_start();
            match &fence {
                Some(open) if trimmed.starts_with(open.as_str()) => fence = None,
                Some(_) => {}
                None if trimmed.starts_with("```") => {
                    fence = Some(trimmed.chars().take_while(|letter| *letter == '`').collect());
                }
                None => page.read_prose(number, line),
            }
        }
        page
    }

    fn read_prose(&mut self, line: usize, text: &str) {
        let depth = text.chars().take_while(|letter| *letter == '#').count();
        if (1..=6).contains(&depth) && text[depth..].starts_with(' ') {
            let words = text[depth..].trim().to_owned();
            let first = anchor(&words);
            let times = self.headings.iter().filter(|heading| anchor(&heading.words) == first).count();
            let anchor = if times == 0 { first } else { format!("{first}-{times}") };
            self.headings.push(Heading { line, depth, words, anchor });
        }
        let mut prose = String::new();
        for (index, piece) in text.split('`').enumerate() {
            if index % 2 == 1 {
                self.spans.push(Placed { line, text: piece.to_owned() });
                // A code span is a word of the sentence round it, so that a link may have one in its words.
                prose.push('x');
            } else {
                prose.push_str(piece);
            }
        }
        let mut rest = prose.as_str();
        while let Some(start) = rest.find("](") {
            let target = &rest[start + 2..];
            let Some(end) = target.find(')') else { break };
            self.links.push(Placed { line, text: target[..end].to_owned() });
            rest = &target[end..];
        }
    }
}

/// The anchor of a heading, as both the book and code hosting sites make it.
fn anchor(words: &str) -> String {
    let kept = words.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_links_spans_and_fences_are_distinguished() {
        let text = "# One `two`, three!\n\nSee [`it`](a.md#b) and [that](c.md), not `[x](y.md)`.\n\
            ```console\n# no heading\n[no](link)\n```\n## One two three\n";
        let page = Page::read("docs/a.md".into(), text);
        let anchors: Vec<_> = page.headings.iter().map(|heading| heading.anchor.as_str()).collect();
        assert_eq!(anchors, ["one-two-three", "one-two-three-1"]);
        let links: Vec<_> = page.links.iter().map(|link| link.text.as_str()).collect();
        assert_eq!(links, ["a.md#b", "c.md"]);
        assert_eq!(page.spans.len(), 3);
    }

    #[test]
    fn anchors_keep_the_letters_of_every_language() {
        assert_eq!(anchor("Быстрый старт: 5 минут"), "быстрый-старт-5-минут");
    }
}
