//! Keys as a person presses them.

use serde_json::{Value, json};

/// A key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    /// To what comes next.
    Tab,
    /// Presses what has the focus.
    Enter,
    /// Presses a button, chooses a box.
    Space,
    /// Closes what is over the page.
    Escape,
    /// A minute back, or the choice before.
    Left,
    /// A minute on, or the choice after.
    Right,
    /// To the search.
    Slash,
    /// A letter.
    Letter(char),
}

impl Key {
    /// What the browser is sent: that it goes down, and that it comes up.
    pub(super) fn strokes(self) -> [Value; 2] {
        let (key, code, number, text) = match self {
            Self::Tab => ("Tab".to_owned(), "Tab".to_owned(), 9, String::new()),
            Self::Enter => ("Enter".to_owned(), "Enter".to_owned(), 13, "\r".to_owned()),
            Self::Space => (" ".to_owned(), "Space".to_owned(), 32, " ".to_owned()),
            Self::Escape => ("Escape".to_owned(), "Escape".to_owned(), 27, String::new()),
            Self::Left => ("ArrowLeft".to_owned(), "ArrowLeft".to_owned(), 37, String::new()),
            Self::Right => ("ArrowRight".to_owned(), "ArrowRight".to_owned(), 39, String::new()),
            Self::Slash => ("/".to_owned(), "Slash".to_owned(), 191, "/".to_owned()),
            Self::Letter(letter) => {
                let upper = letter.to_ascii_uppercase();
                (letter.to_string(), format!("Key{upper}"), u32::from(upper), letter.to_string())
            }
        };
        let stroke = |kind: &str, text: &str| json!({ "type": kind, "key": key, "code": code, "windowsVirtualKeyCode": number, "text": text });
        [stroke(if text.is_empty() { "rawKeyDown" } else { "keyDown" }, &text), stroke("keyUp", "")]
    }
}
