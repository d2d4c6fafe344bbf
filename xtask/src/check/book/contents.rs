//! The table of contents: it lists each page of the book once.

use std::path::{Path, PathBuf};

use super::BOOK;
use super::page::Page;

/// The table's own page.
const CONTENTS: &str = "SUMMARY.md";

/// Pages that are not listed, or more than once. Links of the table that lead nowhere are found with all others.
pub(super) fn judge(pages: &[Page]) -> Vec<String> {
    let table = Path::new(BOOK).join(CONTENTS);
    let Some(contents) = pages.iter().find(|page| page.path == table) else {
        return vec![format!("{} is missing: it lists the pages of the book", table.display())];
    };
    let listed: Vec<PathBuf> = contents.links.iter().map(|link| Path::new(BOOK).join(&link.text)).collect();
    let book = pages.iter().filter(|page| page.path.starts_with(BOOK) && page.path != table);
    let mut findings = Vec::new();
    for page in book {
        let times = listed.iter().filter(|path| **path == page.path).count();
        if times != 1 {
            let path = page.path.display();
            findings.push(format!("{path}: {} lists it {times} times instead of once", table.display()));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_listed_once() {
        let page = |path: &str, text: &str| Page::read(path.into(), text);
        let table = page("docs/SUMMARY.md", "- [A](a.md)\n- [B](adr/b.md)\n- [B](adr/b.md)\n");
        let pages = [table, page("docs/a.md", ""), page("docs/adr/b.md", ""), page("docs/c.md", "")];
        let found = judge(&pages);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("docs/adr/b.md:") && found[1].starts_with("docs/c.md:"), "{found:?}");
        assert_eq!(judge(&pages[1..]).len(), 1);
    }
}
