//! Links between pages: the file is there, and so is the heading. Addresses of the web are not looked up.

use std::path::{Component, Path, PathBuf};

use super::BOOK;
use super::page::{Page, Placed};

/// What is wrong with the links of all pages.
pub(super) fn judge(root: &Path, pages: &[Page]) -> Vec<String> {
    let found = pages.iter().flat_map(|page| page.links.iter().map(move |link| (page, link)));
    found.filter_map(|(page, link)| wrong(root, pages, page, link)).collect()
}

fn wrong(root: &Path, pages: &[Page], page: &Page, link: &Placed) -> Option<String> {
    let target = link.text.as_str();
    if target.starts_with("https://") || target.starts_with("http://") || target.starts_with("mailto:") {
        return None;
    }
    let why =
        |reason: &str| Some(format!("{}:{}: the link {target} {reason}", page.path.display(), link.line));
    let (file, anchor) = target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
    let folder = page.path.parent().unwrap_or(Path::new(""));
    let path = if file.is_empty() { Some(page.path.clone()) } else { joined(folder, file) };
    let Some(path) = path.filter(|path| root.join(path).exists()) else {
        return why("leads nowhere");
    };
    if page.path.starts_with(BOOK) && !path.starts_with(BOOK) {
        return why("leaves the book; where the book is read as pages of its own there is nothing");
    }
    let anchor = anchor?;
    let there = pages.iter().find(|other| other.path == path);
    match there {
        Some(other) if other.headings.iter().any(|heading| heading.anchor == anchor) => None,
        Some(_) => why("names a heading that is not on that page"),
        None => why("names a heading in what is no page"),
    }
}

/// The path from the root; none for one that leaves the workspace.
fn joined(folder: &Path, file: &str) -> Option<PathBuf> {
    let mut path = PathBuf::new();
    for part in folder.join(file).components() {
        match part {
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            Component::ParentDir => {
                if !path.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_lead_nowhere_are_found() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let page = |path: &str, text: &str| Page::read(path.into(), text);
        let pages = [
            page(
                "README.md",
                "# A\n[a](docs/metrics.md) [b](docs/none.md) [c](#a) [d](#b) [e](https://example.com/x)",
            ),
            page("docs/metrics.md", "[a](../README.md) [b](/etc/passwd) [c](metrics.md#none)"),
        ];
        let found = judge(&root, &pages);
        let named: Vec<_> = found.iter().map(|finding| finding.split_whitespace().nth(3).unwrap()).collect();
        assert_eq!(
            named,
            ["docs/none.md", "#b", "../README.md", "/etc/passwd", "metrics.md#none"],
            "{found:?}"
        );
    }
}
