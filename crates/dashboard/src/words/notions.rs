//! One Russian name for each notion of the pages, and the names that no page has for it.

use std::fs;
use std::path::{Path, PathBuf};

use super::translation::source::sentences_in;

/// The notion, its Russian name, and stems of other names.
const NOTIONS: &[(&str, &str, &[&str])] = &[
    ("account", "аккаунт", &["учётн", "учетн", "акаунт"]),
    ("alert, as the overview shows it", "тревога", &["алерт", "уведомлени"]),
    ("alert, as it is sent", "оповещение", &["алерт", "уведомлени"]),
    ("alert target", "получатель", &["адресат"]),
    ("API key", "ключ API", &["апи-ключ", "токен API"]),
    ("audit log", "журнал действий", &["аудит"]),
    ("backup", "резервная копия", &["бэкап", "бекап"]),
    ("callback", "обратный вызов", &["колбэк", "коллбэк", "колбек"]),
    ("chat", "чат", &["бесед"]),
    ("data directory", "каталог данных", &["папка данных", "папке данных", "папку данных", "папки данных"]),
    ("drop a failed request", "отбросить", &["отказ от неудачн"]),
    ("failed request", "неудачный запрос", &["неуспешн", "провалив", "сбойн"]),
    ("failover", "переключение", &["фейловер", "подмена"]),
    ("flood wait", "ожидание по требованию Telegram", &["флуд", "велел ждать", "по приказу", "срока — "]),
    ("import", "импорт", &["перенос сесс", "перенести сесс", "перенесите"]),
    ("in doubt", "под вопросом", &["сомнени", "спорн"]),
    ("log", "журнал", &["логфайл", "лог-файл"]),
    ("maintenance", "обслуживание", &["техработ"]),
    ("message", "сообщение", &["послани"]),
    ("operation", "операция", &["задание", "задача"]),
    ("second factor", "второй шаг", &["двухфактор", "2FA", "второй фактор", "второго фактора"]),
    ("service", "сервис", &[]),
    ("session of an account", "сессия", &[]),
    ("session of a person", "сеанс", &["закончить сеанс", "сеансы законч", "сеанс законч"]),
    ("two-step password", "пароль двухэтапной проверки", &["облачн"]),
    ("unit of systemd", "служба", &["юнит"]),
];

#[test]
fn each_notion_has_one_russian_name() {
    let words = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/words");
    let mut text = String::new();
    gather(&words, &mut text);
    let text = text.to_lowercase();
    for (notion, _, never) in NOTIONS {
        for stem in *never {
            let at = text.find(&stem.to_lowercase());
            let around = at.map(|at| text[at..].chars().take(60).collect::<String>());
            assert_eq!(around, None, "{notion} has another name: {stem}");
        }
    }
}

/// Words that no English page has: they are old, or say less than they should.
const ARCHAIC: &[&str] = &[
    "anew",
    "whoever",
    "nobody",
    "somebody",
    "everybody",
    "telephone",
    "is told",
    "are told",
    "came to nothing",
    "put back",
    "for want of",
    "beats",
];

#[test]
fn no_english_word_is_archaic() {
    let words = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/words");
    // What is put into Russian there is the English of other crates.
    let places = fs::read_dir(&words).expect("a folder").map(|entry| entry.expect("an entry").path());
    let places: Vec<_> =
        places.filter(|path| !path.ends_with("translation") && !path.ends_with("notions.rs")).collect();
    let sentences = sentences_in(&places.iter().map(PathBuf::as_path).collect::<Vec<_>>());
    assert!(sentences.len() > 500, "{}", sentences.len());
    for sentence in sentences {
        let small = sentence.to_lowercase();
        let found = ARCHAIC.iter().find(|word| small.contains(**word));
        assert_eq!(found, None, "{sentence}");
        assert!(
            !small.contains('`') || sentence.contains("switchboard doctor"),
            "a raw backtick: {sentence}"
        );
    }
}

#[test]
fn no_notion_shares_its_name() {
    let mut names: Vec<&str> = NOTIONS.iter().map(|(_, name, _)| *name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), NOTIONS.len());
}

/// The words of this folder, without this file.
fn gather(place: &Path, text: &mut String) {
    for entry in fs::read_dir(place).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            gather(&path, text);
        } else if path.file_name().is_some_and(|name| name != "notions.rs") {
            text.push_str(&fs::read_to_string(&path).expect("a source file"));
        }
    }
}
