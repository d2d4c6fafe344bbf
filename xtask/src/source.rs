//! Source text: which files there are, and which crates a Rust file names.

use std::collections::BTreeSet;
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

/// The names that a Rust source uses as the first part of a path or after `use` or `crate`: the crates it may mean.
/// Comments do not count; text in quotes does, since attributes name paths there.
pub(crate) fn roots_of_paths(source: &str) -> BTreeSet<String> {
    let code = without_comments(source);
    let mut roots = BTreeSet::new();
    let mut previous = "";
    let mut rest = code.as_str();
    while let Some(start) = rest.find(starts_word) {
        let between = &rest[..start];
        let word_on = &rest[start..];
        let end = word_on.find(|letter| !continues_word(letter)).unwrap_or(word_on.len());
        let (word, after) = word_on.split_at(end);
        let deeper = !previous.is_empty() && between.trim() == "::";
        let opens_path = after.trim_start().starts_with("::") && !deeper;
        let imported = matches!(previous, "use" | "crate") && between.trim().is_empty();
        if opens_path || imported {
            roots.insert(word.to_owned());
        }
        previous = word;
        rest = after;
    }
    roots
}

fn starts_word(letter: char) -> bool {
    letter == '_' || letter.is_alphabetic()
}

fn continues_word(letter: char) -> bool {
    letter == '_' || letter.is_alphanumeric()
}

/// The source with each comment replaced by a space. Quoted text stays, so that `//` in an address is no comment.
fn without_comments(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(letter) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            code.push(' ');
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            code.push(' ');
            block_comment(rest)
        } else {
            let length = literal(rest).unwrap_or(letter.len_utf8());
            code.push_str(&rest[..length]);
            length
        };
        rest = &rest[length..];
    }
    code
}

/// The length of the block comment that the text opens with; they nest.
fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth = depth.saturating_sub(1);
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of the string or character literal that the text opens with, if it does. A whole word is taken as one step,
/// so that the `r` at the end of a name is not read as the start of a raw string.
fn literal(text: &str) -> Option<usize> {
    for prefix in ["br", "cr", "r"] {
        if let Some(after) = text.strip_prefix(prefix) {
            let hashes = after.len() - after.trim_start_matches('#').len();
            if after[hashes..].starts_with('"') {
                let close = format!("\"{}", "#".repeat(hashes));
                let body = prefix.len() + hashes + 1;
                return Some(text[body..].find(&close).map_or(text.len(), |at| body + at + close.len()));
            }
        }
    }
    if text.starts_with('"') {
        return Some(quoted(text, '"').unwrap_or(text.len()));
    }
    if text.starts_with('\'') {
        // A lifetime has no closing quote within a character's length.
        return quoted(text, '\'')
            .filter(|length| text[..*length].starts_with("'\\") || text[1..*length].chars().count() == 2);
    }
    text.starts_with(starts_word).then(|| text.find(|letter| !continues_word(letter)).unwrap_or(text.len()))
}

/// The length of the quoted text, both quotes counted, up to the first closing one that is not escaped.
fn quoted(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if letter == quote => return Some(at + letter.len_utf8()),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots(source: &str) -> Vec<String> {
        roots_of_paths(source).into_iter().collect()
    }

    #[test]
    fn imports_paths_attributes_and_quoted_paths_count() {
        assert_eq!(roots("use tokio::time;"), ["tokio"]);
        assert_eq!(roots("use jiff;"), ["jiff"]);
        assert_eq!(roots("extern crate bytes;"), ["bytes"]);
        assert_eq!(
            roots("#[tokio::test] async fn f() -> anyhow::Result<()> { serde_json::json!({}) }"),
            ["anyhow", "serde_json", "tokio"]
        );
        assert_eq!(roots("#[serde(with = \"hex::serde\")] x: u8"), ["hex"]);
        assert_eq!(roots("let x: ::http::Uri;"), ["http"]);
    }

    #[test]
    fn deeper_parts_bare_words_and_comments_do_not_count() {
        assert_eq!(roots("crate::store::open()"), ["crate"]);
        assert_eq!(roots("let http = web; // tokio::spawn\n/* a /* b::c */ d::e */"), Vec::<String>::new());
        assert_eq!(roots("/// ```\n/// use toml::Table;\n/// ```\nfn f() {}"), Vec::<String>::new());
    }

    #[test]
    fn an_address_in_quotes_is_no_comment() {
        assert_eq!(roots("let a = \"http://example.com\"; hex::encode(a)"), ["hex"]);
        assert_eq!(roots("let a = r#\"\"//\"#; hex::encode(a)"), ["hex"]);
        assert_eq!(roots("let a = '\"'; hex::encode(a) // \""), ["hex"]);
        assert_eq!(roots("fn f<'a>(x: &'a str) { let c = '\\''; hex::encode(x) }"), ["hex"]);
        assert_eq!(roots("for r in x { var\"//\"; hex::encode(r) }"), ["hex"]);
    }

    #[test]
    fn broken_source_ends_without_a_panic() {
        for source in ["\"", "/*", "r#\"", "'", "'\\", "é::ü", "/* é", "b'"] {
            roots(source);
        }
    }
}
