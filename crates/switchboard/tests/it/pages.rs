//! What the pages ask people to write loads as written, and the pages in two languages have the same blocks.

use std::path::{Path, PathBuf};

use config::Settings;
use telegram::import::Plan;

/// A block of a page: its language, what it holds, and where it begins.
pub(crate) struct Block {
    pub(crate) language: String,
    pub(crate) text: String,
    line: usize,
}

/// What references of the pages lead to; all others to a secret.
const SECRET: &str = "0123456789abcdef0123456789abcdef";
const VALUES: [(&str, &str); 8] = [
    ("main-proxy", "socks5://user:password@192.0.2.1:1080"),
    ("ALERT_HOOK", "https://alerts.example.com/hook"),
    ("smtp.txt", "smtps://USER:PASSWORD@mail.example.com"),
    ("SHOP_BOT_HOOK", "https://example.com/shop"),
    ("SHOP_BOT_TOKEN", "123456:AAdemo"),
    ("avito-hook.txt", "https://example.com/avito"),
    ("VK_HOOK", "https://example.com/vk"),
    ("REDIS_URL", "redis://127.0.0.1:6379/0"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A page of the root or of the book.
pub(crate) fn page(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The pages that people read, as paths below the root.
fn pages() -> Vec<String> {
    let mut found = Vec::new();
    for folder in ["", "docs/", "docs/ru/"] {
        for entry in std::fs::read_dir(root().join(folder)).expect("a folder") {
            let name = entry.expect("reads").file_name().into_string().expect("UTF-8");
            if Path::new(&name).extension().is_some_and(|extension| extension == "md") {
                found.push(format!("{folder}{name}"));
            }
        }
    }
    found.sort();
    found
}

/// The blocks of a page, in order.
pub(crate) fn blocks(page: &str) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let mut inside = false;
    for (line, text) in (1..).zip(page.lines()) {
        if let Some(language) = text.trim_start().strip_prefix("```") {
            inside = !inside;
            if inside {
                found.push(Block { language: language.to_owned(), text: String::new(), line });
            }
        } else if let Some(block) = found.last_mut().filter(|_| inside) {
            block.text.push_str(text);
            block.text.push('\n');
        }
    }
    assert!(!inside, "a block of the page has no end");
    found
}

/// The names below `word` in what is written: `{ env = "NAME" }`, `{ file = "NAME" }`.
fn named<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    let begins = format!("{{ {word} = \"");
    let uncommented = text.lines().map(|line| line.split(" # ").next().unwrap_or(line));
    let pieces = uncommented.flat_map(|line| line.split(begins.as_str()).skip(1));
    pieces.filter_map(|rest| rest.split('"').next()).collect()
}

fn value(name: &str) -> String {
    VALUES.iter().find(|(known, _)| *known == name).map_or(SECRET, |(_, value)| value).to_owned()
}

/// What is wrong with the settings, or the plan, that a page asks people to write.
fn wrong(text: &str) -> Option<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let variables: Vec<_> =
        named(text, "env").into_iter().map(|name| (name.to_owned(), value(name))).collect();
    if ["[[session]]", "[[account]]", "[names]"].iter().any(|head| text.lines().any(|line| line == *head)) {
        let variable = |name: &str| Some(variables.iter().find(|(known, _)| known == name)?.1.clone());
        return Plan::read(text, folder.path(), variable).err().map(|error| error.to_string());
    }
    for name in named(text, "file") {
        let file = folder.path().join(name);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        std::fs::write(file, value(name)).expect("written");
    }
    let settings = folder.path().join("switchboard.toml");
    std::fs::write(&settings, text).expect("written");
    Settings::load(Some(&settings), variables).err().map(|error| error.to_string())
}

#[test]
fn examples_in_the_pages_load() {
    let (mut findings, mut seen) = (Vec::new(), Vec::new());
    for path in pages() {
        for block in blocks(&page(&path)).into_iter().filter(|block| block.language == "toml") {
            if let Some(wrong) = wrong(&block.text) {
                findings.push(format!("{path}:{}: {wrong}", block.line));
            }
            seen.push(path.clone());
        }
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
    for known in ["README.md", "README.ru.md", "docs/accounts.md", "docs/moving.md", "docs/old-ports.md"]
        .into_iter()
        .chain(["docs/operating.md", "docs/quick-start.md", "docs/ru/moving.md", "docs/ru/quick-start.md"])
    {
        assert!(seen.iter().any(|path| path == known), "no block of {known} was found");
    }
}

#[test]
fn an_example_that_does_not_load_is_found() {
    assert_eq!(wrong("listen = \"127.0.0.1:5099\"\n"), None);
    assert!(wrong("listens = \"127.0.0.1:5099\"\n").is_some_and(|why| why.contains("listens")));
    assert!(wrong("[backup]\nevery = \"often\"\n").is_some());
    assert!(wrong("[[session]]\nfile = \"a.session\"\ncount = \"main\"\n").is_some());
    assert!(wrong("[[session]]\naccount = \"main\"\n").is_some());
    let proxy = "[[telegram.accounts]]\nname = \"main\"\napi_id = 1\napi_hash = { env = \"HASH\" }\nproxy = { env = \"OTHER\" }\n";
    assert!(wrong(proxy).is_some_and(|why| why.contains("proxy")), "what a reference leads to is read");
}

/// Message texts in the Russian pages' commands, and in the English ones'.
const TRANSLATED: [(&str, &str); 3] = [
    ("Ваш телефон готов.", "Your phone is ready."),
    ("Здравствуйте, <i>заходите</i>", "Hello <i>there</i>"),
    ("Наши цены", "Our prices"),
];

/// What there is to type, comments left out.
fn typed(block: &Block) -> String {
    let uncommented = block.text.lines().map(|line| line.split(" # ").next().unwrap_or(line).trim_end());
    let text = uncommented.collect::<Vec<_>>().join("\n");
    TRANSLATED.iter().fold(text, |text, (russian, english)| text.replace(russian, english))
}

#[test]
fn a_page_in_two_languages_has_the_same_to_type_in_both() {
    let mut twins = vec![("README.md".to_owned(), "README.ru.md".to_owned())];
    for russian in pages().into_iter().filter(|path| path.starts_with("docs/ru/")) {
        twins.push((russian.replace("docs/ru/", "docs/"), russian));
    }
    assert!(twins.len() > 4, "{twins:?}");
    let mut compared = 0;
    for (english, russian) in twins {
        let (one, other) = (blocks(&page(&english)), blocks(&page(&russian)));
        assert_eq!(one.len(), other.len(), "{english} and {russian} have as many blocks");
        for (one, other) in one.iter().zip(&other) {
            let place = format!("{english}:{} and {russian}:{}", one.line, other.line);
            assert_eq!((&one.language, typed(one)), (&other.language, typed(other)), "{place}");
            compared += 1;
        }
    }
    assert!(compared > 25, "only {compared} blocks were compared");
}
