//! The door drawn in both languages.

use std::time::Duration;

use access::SignInError;
use askama::Template;

use super::door::Door;
use crate::assets::LOOK;
use crate::settings::tests::visitor;
use crate::view::Language;

/// The page; the stylesheet's name changes with each of its edits.
fn drawn(door: &Door<'_>) -> String {
    door.render().expect("drawn").replace(LOOK.path(), "/assets/look.css")
}

#[test]
fn the_door_in_both_languages() {
    for language in [Language::English, Language::Russian] {
        let stranger = visitor(language);
        let words = Door::new(&stranger, "/").words;
        let wait = SignInError::Wait(Duration::from_secs(13));
        let password = Door {
            name: "<anna>",
            wrong: Some(words.wrong(&wait)),
            note: Some(words.session_ended),
            ..Door::new(&stranger, "/messages?q=1&state=failed")
        };
        insta::assert_snapshot!(format!("password_{}", language.code()), drawn(&password));
        let code = Door {
            ticket: Some("made-up-ticket"),
            wrong: Some(words.wrong(&SignInError::WrongCode)),
            ..Door::new(&stranger, "/")
        };
        insta::assert_snapshot!(format!("code_{}", language.code()), drawn(&code));
    }
}
