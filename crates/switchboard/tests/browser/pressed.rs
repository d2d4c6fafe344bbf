//! What there is to press on the pages, and the test that presses it: a template that gains a button, a list of options, a form
//! or a link that looks like a button fails here until a test presses it and is named.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each thing to press as `template: kind what`, and the tests that press it.
const TABLE: &str = include_str!("pressed.txt");

/// The tags of a template that can be pressed or chosen, each by what it does.
fn controls(template: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut form = String::new();
    let mut rest = template;
    while let Some(begin) = rest.find('<') {
        rest = &rest[begin + 1..];
        let name: String = rest.chars().take_while(char::is_ascii_alphabetic).collect();
        if rest.starts_with("/form") {
            form.clear();
        }
        let tag = tag(&rest[name.len()..]);
        let given = |attribute: &str| attribute_of(tag, attribute);
        match name.as_str() {
            "form" => form = given("action").or_else(|| given("id")).unwrap_or_default(),
            "button" => {
                let what =
                    given("formaction").or_else(|| given("data-copy").map(|id| format!("copies {id}")));
                let mark = ["data-sort", "data-show-new", "data-noscript", "popovertarget"]
                    .into_iter()
                    .find(|one| tag.contains(one));
                let what = what.or_else(|| given("id")).or_else(|| mark.map(str::to_owned));
                let choice = given("value").map(|value| format!(" {value}")).unwrap_or_default();
                let place = if form.is_empty() { "of the page" } else { form.as_str() };
                let what = what.unwrap_or_else(|| format!("{place}{choice}"));
                found.insert(format!("button {what}"));
            }
            "a" => {
                let is_button =
                    given("class").is_some_and(|class| class.starts_with("btn") || class == "chip");
                let asks = ["data-dialog", "data-here", "data-close", "rel=\"next\""];
                if is_button || asks.iter().any(|one| tag.contains(one)) {
                    found.insert(format!("link {}", given("href").unwrap_or_default()));
                }
            }
            "select" => {
                found.insert(format!("list {}", given("name").or_else(|| given("id")).unwrap_or_default()));
            }
            "summary" => {
                found.insert(format!("fold of {}", if form.is_empty() { "the page" } else { form.as_str() }));
            }
            _ => {}
        }
    }
    found
}

/// A tag after its name, up to its end. What askama fills in may have any sign in it.
fn tag(rest: &str) -> &str {
    let (mut filled, mut quoted) = (0_u32, false);
    for (at, letter) in rest.char_indices() {
        match letter {
            '{' => filled += 1,
            '}' => filled = filled.saturating_sub(1),
            '"' if filled == 0 => quoted = !quoted,
            '>' if filled == 0 && !quoted => return &rest[..at],
            _ => {}
        }
    }
    rest
}

/// The value of an attribute.
fn attribute_of(tag: &str, name: &str) -> Option<String> {
    let begin = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    let mut filled = 0_u32;
    let end = tag[begin..].char_indices().find(|(_, letter)| {
        match letter {
            '{' => filled += 1,
            '}' => filled = filled.saturating_sub(1),
            _ => {}
        }
        *letter == '"' && filled == 0
    })?;
    Some(tag[begin..begin + end.0].to_owned())
}

/// All files below a folder, in order.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path());
    let mut all: Vec<_> =
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect();
    all.sort();
    all
}

/// Those with this ending.
fn files_of(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut all = files(folder);
    all.retain(|path| path.extension().is_some_and(|extension| extension == ending));
    all
}

/// What the table says: each thing with the tests that press it.
fn table() -> BTreeMap<String, Vec<String>> {
    let lines = TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (what, tests) = line.rsplit_once(" => ").unwrap_or_else(|| panic!("no test: {line}"));
            (what.to_owned(), tests.split(", ").map(str::to_owned).collect())
        })
        .collect()
}

#[test]
fn whatever_can_be_pressed_is_pressed_by_a_test() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let templates = here.join("../dashboard/templates");
    let there: BTreeSet<String> = files_of(&templates, "html")
        .iter()
        .flat_map(|file| {
            let name = file.strip_prefix(&templates).expect("below it").display().to_string();
            let text = fs::read_to_string(file).expect("a template");
            controls(&text).into_iter().map(move |one| format!("{name}: {one}"))
        })
        .collect();
    let table = table();
    let known: BTreeSet<String> = table.keys().cloned().collect();
    let new: Vec<_> = there.difference(&known).collect();
    assert!(new.is_empty(), "press these in a test and name it in pressed.txt:\n{new:#?}");
    let gone: Vec<_> = known.difference(&there).collect();
    assert!(gone.is_empty(), "pressed.txt names what is not there any more:\n{gone:#?}");
    let sources = files_of(&here.join("tests/browser"), "rs");
    let sources: String = sources.iter().map(|file| fs::read_to_string(file).expect("a source")).collect();
    for (what, tests) in table {
        for test in tests {
            let is_there =
                sources.contains(&format!("#[tokio::test(flavor = \"multi_thread\")]\nasync fn {test}()"));
            assert!(is_there, "{what}: there is no test {test}");
        }
    }
}

#[test]
fn controls_are_found_in_a_template() {
    let template = r#"<form method="post" action="{{ account.path() }}/change"{% if a > b %} class="x"{% endif %}><summary>s</summary>
        <button class="btn"{% if a == "b" %} id="q"{% endif %}>Save</button><button name="accept" value="no">No</button></form>
        <button data-copy="key">C</button><a class="btn quiet" href="{{ address("/x", &[("a", "b")]) }}">x</a><a href="/plain">p</a>
        <select name="state"></select>"#;
    let wanted = [
        "button copies key",
        "button q",
        "button {{ account.path() }}/change no",
        "fold of {{ account.path() }}/change",
        r#"link {{ address("/x", &[("a", "b")]) }}"#,
        "list state",
    ];
    assert_eq!(controls(template), wanted.map(str::to_owned).into());
}
