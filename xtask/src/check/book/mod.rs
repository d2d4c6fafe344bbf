//! The book: every link leads somewhere, the table of contents lists every page, and the tests that a page names exist.

mod contents;
mod evidence;
mod links;
mod page;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use self::page::Page;
use crate::source;
use crate::workspace::Workspace;

/// The folder of the book.
const BOOK: &str = "docs";

/// The page that says what shows each promise.
const EVIDENCE: &str = "docs/promises.md";

/// Reads all pages and judges them together.
pub(super) fn check(workspace: &Workspace) -> Result<Vec<String>> {
    let root = &workspace.root;
    let pages = pages(root)?;
    let mut findings = links::judge(root, &pages);
    findings.extend(contents::judge(&pages));
    findings.extend(evidence::judge(root, &pages));
    findings.extend(evidence::rows_without(&pages, Path::new(EVIDENCE)));
    Ok(findings)
}

/// Everything written in Markdown, in the root and in the book; paths are relative to the root.
fn pages(root: &Path) -> Result<Vec<Page>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(root).with_context(|| format!("cannot list {}", root.display()))? {
        files.push(entry?.path());
    }
    files.extend(source::files(&root.join(BOOK))?);
    files.retain(|file| file.is_file() && file.extension().is_some_and(|extension| extension == "md"));
    files.sort();
    files.iter().map(|file| read(root, file)).collect()
}

fn read(root: &Path, file: &Path) -> Result<Page> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let path: PathBuf = file.strip_prefix(root).unwrap_or(file).to_owned();
    Ok(Page::read(path, &text))
}
