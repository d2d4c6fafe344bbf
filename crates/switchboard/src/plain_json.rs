//! JSON for terminals: control characters are written as `\u009b` and the like, which is the same JSON.

/// The same JSON without control characters: only strings can have them, but for the ends of lines between.
pub(crate) fn plain(json: String) -> String {
    let is_harmful = |letter: char| letter != '\n' && logs::is_harmful(letter);
    if !json.contains(is_harmful) {
        return json;
    }
    let mut plain = String::with_capacity(json.len() + 16);
    for letter in json.chars() {
        if is_harmful(letter) {
            plain.extend(letter.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            plain.push(letter);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_terminal_obeys_nothing() {
        let text = json!(["a\u{9b}31m\u{202e}b \"ж\"\u{1b}\n"]);
        let escaped = r#""a\u009b31m\u202eb \"ж\"\u001b\n""#;
        assert_eq!(plain(text.to_string()), format!("[{escaped}]"));
        assert_eq!(plain(format!("{text:#}")), format!("[\n  {escaped}\n]"));
    }

    proptest! {
        #[test]
        fn it_is_the_same_json(text in any::<String>()) {
            let value = json!({ &text: [&text, 1] });
            for written in [plain(value.to_string()), plain(format!("{value:#}"))] {
                prop_assert!(!written.chars().any(|letter| letter != '\n' && logs::is_harmful(letter)));
                prop_assert_eq!(serde_json::from_str::<Value>(&written).expect("JSON"), value.clone());
            }
        }
    }
}
