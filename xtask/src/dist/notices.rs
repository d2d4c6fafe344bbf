//! The licences of the crates that are linked into the program: most ask that copies of it come with their text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::Result;

use super::PRODUCT;
use crate::program;
use crate::workspace::Workspace;

/// How the names of files with a licence begin, in small letters.
const NAMES: [&str; 5] = ["license", "licence", "copying", "notice", "unlicense"];

/// Returns the licence of each crate, then each text once, below the crates that have it.
pub(super) fn text(workspace: &Workspace) -> Result<String> {
    let mut tree = program::cargo(&workspace.root);
    tree.args(["tree", "--locked", "--package", PRODUCT, "--edges", "normal", "--prefix", "none"]);
    let tree = String::from_utf8(program::output(tree.args(["--format", "{p}"]))?)?;
    let linked: BTreeSet<_> = tree.lines().filter_map(name_and_version).collect();
    let mut crates = String::new();
    let mut texts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in &workspace.packages {
        let is_ours = workspace.member_ids.contains(&package.id);
        if is_ours || !linked.contains(&(package.name.as_str(), package.version.as_str())) {
            continue;
        }
        let named = format!("{} {}", package.name, package.version);
        // Writing to a text cannot fail.
        let _ = writeln!(crates, "{named}: {}", package.license.as_deref().unwrap_or("see its text below"));
        for text in licences(package.folder())? {
            texts.entry(text).or_default().insert(named.clone());
        }
    }
    let mut whole = format!("Libraries in the program, and their licences\n\n{crates}");
    for (text, owners) in texts {
        let owners = owners.into_iter().collect::<Vec<_>>().join(", ");
        let _ = write!(whole, "\n{}\n{owners}\n\n{text}\n", "-".repeat(80));
    }
    Ok(whole)
}

/// The package of a line such as `serde v1.0.0`.
fn name_and_version(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.split_once(" v")?;
    Some((name, rest.split_whitespace().next()?))
}

/// The texts of the licences in a crate's folder.
fn licences(folder: &Path) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        if path.is_file() && NAMES.iter().any(|begin| name.starts_with(begin)) {
            texts.push(String::from_utf8_lossy(&fs::read(&path)?).trim().to_owned());
        }
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_tree_are_read() {
        assert_eq!(name_and_version("serde v1.0.228"), Some(("serde", "1.0.228")));
        assert_eq!(name_and_version("web v0.1.0 (/srv/web) (*)"), Some(("web", "0.1.0")));
        assert_eq!(name_and_version(""), None);
    }
}
