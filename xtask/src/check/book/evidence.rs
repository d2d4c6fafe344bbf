//! Tests that a page names as `path.rs::name`: they are in the sources, so that what is said to be shown is shown.

use std::fs;
use std::path::Path;

use super::page::Page;

/// Tests that are named and are not there.
pub(super) fn judge(root: &Path, pages: &[Page]) -> Vec<String> {
    let mut findings = Vec::new();
    for page in pages {
        for span in &page.spans {
            let Some((file, name)) = test(&span.text) else { continue };
            let there = fs::read_to_string(root.join(file)).is_ok_and(|source| has_test(&source, name));
            if !there {
                findings.push(format!(
                    "{}:{}: there is no test {}",
                    page.path.display(),
                    span.line,
                    span.text
                ));
            }
        }
    }
    findings
}

/// Promises of the page (headings of the third depth) that name no test.
pub(super) fn rows_without(pages: &[Page], path: &Path) -> Vec<String> {
    let Some(page) = pages.iter().find(|page| page.path == path) else {
        return vec![format!("{} is missing: it says what shows each promise", path.display())];
    };
    let mut findings = Vec::new();
    for (index, heading) in page.headings.iter().enumerate().filter(|(_, heading)| heading.depth == 3) {
        let end = page.headings.get(index + 1).map_or(usize::MAX, |next| next.line);
        let own = page.spans.iter().filter(|span| span.line > heading.line && span.line < end);
        if own.filter(|span| test(&span.text).is_some()).count() == 0 {
            let (shown, words) = (path.display(), &heading.words);
            findings.push(format!("{shown}:{}: nothing shows \"{words}\"", heading.line));
        }
    }
    findings
}

/// The file and the name of a test.
fn test(span: &str) -> Option<(&str, &str)> {
    let (file, name) = span.split_once("::")?;
    Path::new(file).extension().is_some_and(|extension| extension == "rs").then_some((file, name))
}

/// Whether a source has a function of this name with an attribute that makes it a test, or in the list of a conformance suite.
fn has_test(source: &str, name: &str) -> bool {
    let lines: Vec<_> = source.lines().map(str::trim).collect();
    let opens = |line: &str| {
        let declared = line.strip_prefix("async ").unwrap_or(line);
        declared
            .strip_prefix("fn ")
            .and_then(|rest| rest.strip_prefix(name))
            .is_some_and(|rest| rest.starts_with('('))
    };
    let mut suite =
        lines.iter().skip_while(|line| **line != "conformance! {").take_while(|line| **line != "}");
    let is_of_suite = suite.any(|line| line.trim_end_matches(',') == name);
    lines.iter().enumerate().filter(|(_, line)| opens(line)).any(|(index, _)| {
        let above =
            lines[..index].iter().rev().take_while(|line| line.starts_with('#') || line.starts_with("//"));
        let is_marked =
            above.into_iter().any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"));
        is_marked || is_of_suite
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "#[test]\nfn one() {}\n\n#[tokio::test(flavor = \"multi_thread\")]\n/// Why.\nasync fn two() {}\n\nfn three() {}\n\n\
        conformance! {\n    four,\n    five,\n}\n\nasync fn four(world: World) {}\n";

    #[test]
    fn only_tests_count() {
        assert!(has_test(SOURCE, "one") && has_test(SOURCE, "two"));
        assert!(!has_test(SOURCE, "three") && !has_test(SOURCE, "on"));
        assert!(has_test(SOURCE, "four") && !has_test(SOURCE, "five"));
    }

    #[test]
    fn missing_tests_and_unproven_rows_are_found() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let text = "### Shown\n`xtask/src/check/book/evidence.rs::only_tests_count`\n### Not there\n\
            `xtask/src/main.rs::none`\n### Nothing\n`main.rs`\n";
        let pages = [Page::read("docs/a.md".into(), text)];
        assert_eq!(judge(&root, &pages), ["docs/a.md:4: there is no test xtask/src/main.rs::none"]);
        assert_eq!(rows_without(&pages, Path::new("docs/a.md")), ["docs/a.md:5: nothing shows \"Nothing\""]);
    }
}
