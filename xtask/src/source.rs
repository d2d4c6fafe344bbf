//! Source text: which files there are.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Folders that hold what programs wrote, not people.
const NOT_WRITTEN_HERE: [&str; 5] = ["target", "node_modules", "__pycache__", "venv", "proptest-regressions"];

/// All files below a folder, hidden ones left out, in a stable order. A folder that is not there has none.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    collect(folder, &mut found)?;
    found.sort();
    Ok(found)
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') || NOT_WRITTEN_HERE.contains(&name.as_ref()) {
            continue;
        }
        let path = entry.path();
        if entry.file_type()?.is_dir() { collect(&path, found)? } else { found.push(path) }
    }
    Ok(())
}
