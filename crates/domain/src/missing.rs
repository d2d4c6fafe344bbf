//! What programs write where a value was missing, such as `undefined`. An id, key, text or title made of that names nothing. Pure.

/// Why such a value is refused.
pub const MISSING: &str =
    "has what programs write where a value is missing, such as undefined or null; look at what fills it";

/// What languages print for no value.
const WORDS: [&str; 12] = [
    "undefined",
    "null",
    "none",
    "nan",
    "nil",
    "<nil>",
    "<null>",
    "(null)",
    "<none>",
    "<empty>",
    "#n/a",
    "<no value>",
];
/// What no id and no text has by chance.
const PARTS: [&str; 4] = ["[object ", "<nil>", "%!s(", "<no value>"];
/// Words that a key has between two separators only where a value was missing.
const BETWEEN: [&str; 4] = ["null", "None", "NaN", "nan"];
/// What surrounds a value: `["undefined"]`, `{{ null }}`, `@undefined`.
const AROUND: [char; 11] = ['"', '\'', '`', '[', ']', '{', '}', '@', '=', ',', '$'];

/// Whether it is nothing but a word for no value, or nothing at all.
pub fn is_missing(text: &str) -> bool {
    let bare = text.trim_matches(|sign: char| sign.is_whitespace() || AROUND.contains(&sign));
    bare.is_empty() || WORDS.iter().any(|word| bare.eq_ignore_ascii_case(word)) || has_part(text)
}

/// Whether a text for people, which may be empty, stands for a missing value. People write `none` and `nil`; programs write `None`.
pub fn is_in_text(text: &str) -> bool {
    let bare = text.trim();
    let is_word =
        ["undefined", "null", "None", "NaN", "\"\"", "''"].contains(&bare) || bare.starts_with("[undefined");
    is_word || ["[null]", "{{ undefined }}"].contains(&bare) || has_part(bare)
}

/// Whether a title was made with a missing value: also one beside other words.
pub fn is_in_title(title: &str) -> bool {
    is_in_text(title) || words_of(title).any(|word| word == "undefined" || word == "NaN")
}

/// Whether an id or a key was made with a missing value, such as `undefined-ready` or `order-null`.
pub fn is_in_id(id: &str) -> bool {
    is_missing(id)
        || id.to_ascii_lowercase().contains("undefined")
        || words_of(id).any(|word| BETWEEN.contains(&word))
}

fn has_part(text: &str) -> bool {
    PARTS.iter().any(|part| text.contains(part))
}

fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_a_missing_value_names_nothing() {
        for id in [
            "",
            "  ",
            "\"\"",
            "undefined",
            "Undefined",
            "null",
            "None",
            "NaN",
            "nil",
            "<nil>",
            "[object Object]",
            "[undefined]",
            "{{ null }}",
            "@undefined",
            "undefined-ready",
            "order-null",
            "null:7",
            "order_None_3",
            "7/[object Object]",
            "orderundefined",
            "undefined@c.us",
            "%!s(<nil>)",
        ] {
            assert!(is_in_id(id), "{id}");
        }
        for id in [
            "0",
            "42",
            "-1001234567890",
            "nullable-7",
            "annul",
            "nancy-1",
            "none7",
            "u2i-nuLl~x",
            "mid.0001",
            "3EB0A",
            "Nile",
            "m-1",
            "завтра",
        ] {
            assert!(!is_in_id(id), "{id}");
        }
    }

    #[test]
    fn a_text_stands_for_a_missing_value_as_a_whole() {
        for text in [
            "undefined",
            " null ",
            "None",
            "NaN",
            "[object Object]",
            "Hello [object Object]!",
            "\"\"",
            "[undefined]",
        ] {
            assert!(is_in_text(text), "{text}");
        }
        for text in ["", "none", "nil", "Nothing is undefined", "null and void", "[]", "@none", "нет"] {
            assert!(!is_in_text(text), "{text}");
        }
        assert!(is_in_title("Order undefined") && is_in_title("NaN"));
        assert!(!is_in_title("Order 1001") && !is_in_title("None of these"));
    }
}
