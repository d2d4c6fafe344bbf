//! The known troubles of the old platform: each has a section on the page for anyone in trouble, in both languages.

use std::path::Path;

/// A trouble, by the headings of its section in English and in Russian, and words that both say of it.
const TROUBLES: [(&str, &str, &[&str]); 8] = [
    ("Flood waits", "Flood wait", &["FloodWait", "switchboard account show"]),
    ("An account is banned in one chat", "Аккаунт заблокирован в одном чате", &["no_rights"]),
    ("\"Cannot find chat -100…\"", "«Cannot find chat -100…»", &["switchboard chat unresolved"]),
    ("Restarts", "Перезапуски", &["10"]),
    ("Two programs on one session", "Две программы на одной сессии", &["auth_key_duplicated", "doctor"]),
    ("Processes without an owner", "Ничьи процессы", &["`orphan`", "gunicorn", "sudo switchboard doctor"]),
    ("A service in a crash loop", "Служба перезапускается по кругу", &["`crash_loop`", "switchboard doctor"]),
    ("A port is taken", "Порт занят", &["is taken by", "sudo switchboard doctor"]),
];

/// The sections of a page, each a heading and what is under it.
fn sections(page: &str) -> Vec<(String, String)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page);
    let text = std::fs::read_to_string(page).expect("a page");
    let sections = text.split("\n## ").skip(1);
    sections
        .map(|section| section.split_once('\n').expect("more than a heading"))
        .map(|(heading, text)| (heading.to_owned(), text.to_owned()))
        .collect()
}

#[test]
fn each_known_trouble_has_its_section_in_both_languages() {
    let languages =
        [(sections("troubleshooting.md"), "**Do:**"), (sections("ru/troubleshooting.md"), "**Что делать:**")];
    let [(english, _), (russian, _)] = &languages;
    assert_eq!(english.len(), russian.len(), "a section is there in one language only");
    for (in_english, in_russian, words) in TROUBLES {
        let mut places = Vec::new();
        for ((sections, remedy), heading) in languages.iter().zip([in_english, in_russian]) {
            let place = sections.iter().position(|(known, _)| known == heading);
            let place = place.unwrap_or_else(|| panic!("nothing is headed {heading}"));
            let text = &sections[place].1;
            assert!(text.contains(remedy), "{heading}: {remedy} is missing");
            for word in words {
                assert!(text.contains(word), "{heading}: {word} is missing");
            }
            places.push(place);
        }
        assert_eq!(places[0], places[1], "{in_english} is elsewhere in Russian");
    }
}
