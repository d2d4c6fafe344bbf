//! Tidiness: each source file says its idea first and stays short, names say something, comments are in plain words, nothing is
//! left for later, the product does not know of the pretend world it is tested in, and a provider is named where it is implemented.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::arrows::House;
use crate::source;
use crate::workspace::Workspace;

const MOST_LINES: usize = 700;

/// Where people write; everything else is made or fetched.
const PLACES: [&str; 3] = ["crates", "xtask", "docs"];

/// The most characters of a line of a template.
const WIDEST_TEMPLATE: usize = 160;

/// Kinds of files whose words are read.
const READ: [&str; 5] = ["rs", "py", "toml", "md", "html"];

/// Words that leave work for later. Put together here so that this file may pass itself.
const LEFT_FOR_LATER: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// Macros that leave work for later.
const UNWRITTEN: [&str; 2] = [concat!("to", "do!("), concat!("unimple", "mented!(")];

/// Names under which anything could be found.
const EMPTY_NAMES: [&str; 8] = ["util", "utils", "helper", "helpers", "manager", "common", "misc", "stuff"];

/// Words that comments and names do without, in small letters; between backticks they are names.
const UNUSUAL: [&str; 8] =
    ["whoever", "nobody", "somebody", "anew", "told", "whence", "beholder", "farewell"];

/// What stands before a name that a line declares.
const DECLARES: [&str; 9] = ["fn", "struct", "enum", "trait", "type", "mod", "const", "static", "let"];

/// What the product must not know about.
const PRETEND_WORLD: &str = "sandbox";

/// Providers as code names them; `sms`, `email`, `form` and `telegram` are words of other things too.
const PROVIDERS: [&str; 6] =
    [r#""avito""#, r#""wappi""#, r#""whatsapp""#, r#""vk""#, r#""max""#, r#""instagram""#];

/// Of what they are variants.
const KINDS: [&str; 2] = ["ChannelKind::", "WebhookProvider::"];

/// Where they may be named.
const NAMED_IN: [&str; 15] = [
    // Each has its folder, its counterpart in the pretend world, and its line where that is measured.
    "crates/channels",
    "crates/sandbox",
    "crates/bench",
    // What settings can say.
    "crates/config/src/channels.rs",
    "crates/config/src/doctor.rs",
    // What old programs fixed: their ports, their columns, their folders on a machine.
    "crates/web/src/legacy",
    "crates/pipeline/src/batch.rs",
    "crates/pipeline/src/old_database.rs",
    "crates/legacy-survey",
    // Beneath the channels: which chats are one person's.
    "crates/domain/src/do_not_contact.rs",
    "crates/domain/src/address.rs",
    // What people write beside a phone number, and above a column of them.
    "crates/domain/src/phone",
    "crates/domain/src/contact_list.rs",
    // Pages post their forms to an address that is none of a provider's.
    "crates/web/src/forms.rs",
    // A bot that steers this program is one of Telegram, whatever the channels are.
    "crates/config/src/control_bots.rs",
];

/// Reads all that people wrote.
pub(super) fn check(workspace: &Workspace) -> Result<Vec<String>> {
    let root = &workspace.root;
    let house = House::of(workspace)?;
    let mut findings = Vec::new();
    for place in PLACES {
        for file in source::files(&root.join(place))? {
            let extension = file.extension().map(|extension| extension.to_string_lossy().into_owned());
            if !extension.is_some_and(|extension| READ.contains(&extension.as_str())) {
                continue;
            }
            let text =
                fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let path = file.strip_prefix(root).unwrap_or(&file);
            findings.extend(judge(path, &text, is_product_source(workspace, &house, &file)));
        }
    }
    Ok(findings)
}

/// Whether a file is compiled into one of the product's crates.
fn is_product_source(workspace: &Workspace, house: &House, file: &Path) -> bool {
    workspace
        .members()
        .any(|package| house.is_product(&package.name) && file.starts_with(package.folder().join("src")))
}

/// What is untidy in one file. The path is relative to the root.
fn judge(path: &Path, text: &str, product: bool) -> Vec<String> {
    let shown = path.display();
    let rust = path.extension().is_some_and(|extension| extension == "rs");
    let template = path.extension().is_some_and(|extension| extension == "html");
    let mut findings: Vec<_> = path
        .iter()
        .filter_map(|part| empty_name(&part.to_string_lossy()))
        .map(|name| format!("{shown}: `{name}` says nothing about what is inside"))
        .collect();
    if rust && !text.starts_with("//! ") {
        findings.push(format!("{shown}: the first line does not say the file's idea (`//! …`)"));
    }
    let lines = text.lines().count();
    if rust && lines > MOST_LINES {
        findings.push(format!("{shown}: {lines} lines are more than one idea ({MOST_LINES} at most)"));
    }
    for (number, line) in text.lines().enumerate() {
        if let Some(word) = left_for_later(line) {
            findings.push(format!("{shown}:{}: `{word}` leaves work for later", number + 1));
        }
        if let Some(word) = unusual(line).filter(|_| rust) {
            findings.push(format!("{shown}:{}: `{word}` has a plainer word in comments", number + 1));
        }
        if let Some(word) = unusual_name(line).filter(|_| rust) {
            findings.push(format!("{shown}:{}: `{word}` has a plainer word in names", number + 1));
        }
        if template && line.chars().count() > WIDEST_TEMPLATE {
            findings.push(format!("{shown}:{}: longer than {WIDEST_TEMPLATE} characters", number + 1));
        }
    }
    if product && rust && !is_test_file(path) {
        findings.extend(
            before_tests(text).filter(|(_, line)| line.to_ascii_lowercase().contains(PRETEND_WORLD)).map(
                |(number, _)| format!("{shown}:{number}: the product does not know of a {PRETEND_WORLD}"),
            ),
        );
    }
    if (rust || template) && path.starts_with("crates") && !is_test_file(path) && !names_providers(path) {
        findings.extend(before_tests(text).filter(|(_, line)| names_provider(line)).map(|(number, _)| {
            format!("{shown}:{number}: a provider is named outside its folder; ask `channels::Nature`")
        }));
    }
    findings
}

fn names_providers(path: &Path) -> bool {
    NAMED_IN.iter().any(|place| path.starts_with(place))
}

/// Whether code hangs on which provider it is; comments and examples do not.
fn names_provider(line: &str) -> bool {
    let is_code = !line.trim_start().starts_with("//") && !line.contains("example");
    let is_variant = |name: &str| matches!(name.as_bytes(), [b'A'..=b'Z', b'a'..=b'z', ..]);
    is_code
        && (PROVIDERS.iter().any(|name| line.contains(name))
            || KINDS.iter().any(|kind| line.split(kind).skip(1).any(is_variant)))
}

/// The part of a file's or folder's name that says nothing, if it has one.
fn empty_name(name: &str) -> Option<&'static str> {
    let stem = name.split('.').next().unwrap_or(name);
    stem.split(['_', '-'])
        .find_map(|part| EMPTY_NAMES.into_iter().find(|empty| part.eq_ignore_ascii_case(empty)))
}

fn left_for_later(line: &str) -> Option<&'static str> {
    let mut words = line.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    let word = words.find_map(|word| LEFT_FOR_LATER.into_iter().find(|later| *later == word));
    word.or_else(|| UNWRITTEN.into_iter().find(|unwritten| line.contains(unwritten)))
}

/// The word of a comment that has a plainer one.
fn unusual(line: &str) -> Option<&'static str> {
    let comment = line.trim_start().strip_prefix("//")?.to_ascii_lowercase();
    let prose = comment.split('`').step_by(2);
    let mut words = prose.flat_map(|text| text.split(|letter: char| !letter.is_alphanumeric()));
    words.find_map(|word| UNUSUAL.into_iter().find(|unusual| *unusual == word))
}

/// The word of a name that a line declares that has a plainer one.
fn unusual_name(line: &str) -> Option<&'static str> {
    let mut words = line
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .filter(|word| !word.is_empty() && *word != "mut")
        .skip_while(|word| !DECLARES.contains(word))
        .skip(1);
    let name = words.next().filter(|_| !line.trim_start().starts_with("//"))?;
    // `NotTold`, `NOT_TOLD` and `not_told` have the same words.
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && snake.ends_with(char::is_lowercase) {
            snake.push('_');
        }
        snake.push(letter);
    }
    let snake = snake.to_ascii_lowercase();
    snake.split('_').find_map(|part| UNUSUAL.into_iter().find(|unusual| *unusual == part))
}

fn is_test_file(path: &Path) -> bool {
    path.iter().any(|part| {
        let part = part.to_string_lossy();
        let stem = part.trim_end_matches(".rs");
        matches!(stem, "it" | "tests") || stem.ends_with("_tests")
    })
}

/// The numbered lines up to the file's test module, which comes last.
fn before_tests(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines: Vec<_> = text.lines().collect();
    let tests = lines
        .windows(2)
        .position(|pair| {
            pair[0].trim() == "#[cfg(test)]"
                && pair[1].trim_start().contains("mod ")
                && pair[1].ends_with('{')
        })
        .unwrap_or(lines.len());
    lines.into_iter().take(tests).enumerate().map(|(index, line)| (index + 1, line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        judge(Path::new(path), text, true)
    }

    #[test]
    fn a_tidy_file_has_no_findings() {
        assert!(found("crates/store/src/outbox.rs", "//! The outbox.\n\nfn f() {}\n").is_empty());
        assert!(found("crates/store/README.md", "# Store\n").is_empty());
    }

    #[test]
    fn the_first_line_and_the_length_count_for_rust_alone() {
        assert_eq!(found("a.rs", "fn f() {}\n").len(), 1);
        assert_eq!(found("a.rs", &format!("//! One.\n{}", "\n".repeat(MOST_LINES))).len(), 1);
        assert!(found("a.rs", &format!("//! One.\n{}", "\n".repeat(MOST_LINES - 1))).is_empty());
        assert!(found("a.md", &"\n".repeat(MOST_LINES * 2)).is_empty());
    }

    #[test]
    fn a_wide_line_of_a_template_is_found() {
        let line = "é".repeat(WIDEST_TEMPLATE);
        assert!(found("a.html", &line).is_empty());
        assert_eq!(found("a.html", &format!("\n{line}.")), ["a.html:2: longer than 160 characters"]);
        assert!(found("a.md", &format!("{line}.")).is_empty());
    }

    #[test]
    fn names_that_say_nothing_are_found_in_any_part() {
        for path in ["crates/utils/src/lib.rs", "a/account_manager.rs", "tests/common/mod.rs", "a/Helpers.rs"]
        {
            assert_eq!(found(path, "//! One.\n").len(), 1, "{path}");
        }
        assert!(found("a/uncommon.rs", "//! One.\n").is_empty());
    }

    #[test]
    fn work_left_for_later_is_found_with_its_line() {
        let later = LEFT_FOR_LATER[0];
        assert_eq!(
            found("a.py", &format!("x = 1\n# {later}: y\n")),
            [format!("a.py:2: `{later}` leaves work for later")]
        );
        assert_eq!(found("a.rs", &format!("//! One.\nfn f() {{ {}) }}\n", UNWRITTEN[0])).len(), 1);
        assert!(found("a.py", &format!("{later}S = 1\n")).is_empty());
    }

    #[test]
    fn a_word_of_a_comment_that_has_a_plainer_one_is_found() {
        let text = "//! One.\n/// Nobody knows.\n// `nobody` is a user.\nfn f() { g(nobody) }\n";
        assert_eq!(found("a.rs", text), ["a.rs:2: `nobody` has a plainer word in comments"]);
        assert!(found("a.md", "// Nobody knows.").is_empty());
    }

    #[test]
    fn a_word_of_a_declared_name_that_has_a_plainer_one_is_found() {
        for line in ["pub fn is_X(&self) {}", "    let mut X = 1;", "enum NotX {", "const NOT_X: u8 = 1;"] {
            let text = format!("//! One.\n{}\n", line.replace('X', "Anew"));
            assert_eq!(found("a.rs", &text), ["a.rs:2: `anew` has a plainer word in names"], "{line}");
        }
        assert!(found("a.rs", "//! One.\nlet canew = one.anew;\n").is_empty());
    }

    #[test]
    fn a_provider_is_named_where_it_is_implemented() {
        let named = "//! One.\nconst A: &str = \"vk\";\nconst B: ChannelKind = ChannelKind::Max;\n";
        assert_eq!(found("crates/web/src/a.rs", named).len(), 2);
        assert_eq!(found("crates/doctor/src/a.rs", "//! One.\nfn f() { WebhookProvider::Vk }\n").len(), 1);
        assert_eq!(found("crates/web/templates/a.html", "{% if one == \"vk\" %}").len(), 1);
        for path in
            ["crates/channels/src/vk/mod.rs", "crates/web/src/legacy/a.rs", "crates/web/tests/it/a.rs"]
        {
            assert!(found(path, named).is_empty(), "{path}");
        }
        let spared = "//! One.\n// As \"vk\".\n#[schema(example = \"vk\")]\nfn f() { ChannelKind::ALL }\n";
        assert!(found("crates/web/src/a.rs", spared).is_empty());
    }

    #[test]
    fn the_product_may_speak_of_the_pretend_world_in_tests_only() {
        let tests = "//! One.\n#[cfg(test)]\nmod tests {\n    use sandbox::World;\n}\n";
        assert!(found("crates/web/src/a.rs", tests).is_empty());
        assert!(found("crates/web/src/a/tests.rs", "//! In the sandbox.\n").is_empty());
        assert_eq!(found("crates/web/src/a.rs", "//! One.\n// In the Sandbox.\n").len(), 1);
        assert!(judge(Path::new("crates/switchboard/src/up.rs"), "//! Sandbox.\n", false).is_empty());
    }
}
