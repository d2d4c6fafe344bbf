//! What programs write where a value was missing, such as `undefined`. An id, key, text or title made of that names nothing. Pure.

use crate::text::visible;

/// Why such a value is refused.
pub const MISSING: &str =
    "has what programs write where a value is missing, such as undefined or null; look at what fills it";

/// What languages and spreadsheets print for no value.
const WORDS: [&str; 26] = [
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
    "<na>",
    "#n/a",
    "#ref!",
    "#value!",
    "#name?",
    "#div/0!",
    "#error!",
    "<no value>",
    "#num!",
    "#null!",
    "#н/д",
    "#ссылка!",
    "#знач!",
    "#имя?",
    "#дел/0!",
    "#число!",
];
/// What no id and no text of a program has by chance. A template that was not filled begins with two braces.
const PARTS: [&str; 14] = [
    "[object ",
    "<nil>",
    "%!s(",
    "%!d(",
    "%!v(",
    "<no value>",
    "Invalid Date",
    "{{$",
    "{{ $",
    "#Н/Д",
    "#N/A",
    "#REF!",
    "#ССЫЛКА!",
    "#ЗНАЧ!",
];
/// Between these stands what a template was to be filled with.
const PLACES: [(&str, &str); 4] = [("{{", "}}"), ("${", "}"), ("{%", "%}"), ("<%", "%>")];
/// Words that a key has between two separators only where a value was missing.
const BETWEEN: [&str; 5] = ["null", "NULL", "None", "NaN", "nan"];
/// A name between braces that this program fills in itself, with a mention.
const FILLED: &str = "client";
/// Words of which a text for people consists where its values were missing. People write `none` and `nil`; programs write `None`.
const PRINTED: [&str; 6] = ["undefined", "Undefined", "null", "NULL", "None", "NaN"];
/// What surrounds a value: `["undefined"]`, `{{ null }}`, `@undefined`.
const AROUND: [char; 11] = ['"', '\'', '`', '[', ']', '{', '}', '@', '=', ',', '$'];

/// Whether it is nothing but a word for no value, or nothing at all.
pub fn is_missing(text: &str) -> bool {
    let text = visible(text);
    let bare = text.trim_matches(|sign: char| sign.is_whitespace() || AROUND.contains(&sign));
    bare.is_empty() || WORDS.contains(&bare.to_lowercase().as_str()) || has_part(&text)
}

/// Whether a text that a program wrote for people, which may be empty, has a missing value or a template that was not filled.
pub fn is_in_text(text: &str) -> bool {
    let unfilled = [("{{", "}}"), ("${", "}")];
    is_whole_text(text) || has_part(text) || unfilled.iter().any(|(open, close)| has_place(text, open, close))
}

/// Whether a text of people stands for a missing value as a whole: people may write of `[object Object]`.
pub fn is_whole_text(text: &str) -> bool {
    let text = visible(text);
    let bare = text.trim();
    let mut words = words_of(bare).peekable();
    let is_printed = words.peek().is_some() && words.all(|word| PRINTED.contains(&word));
    let is_place = ["{{", "${", "{"].iter().any(|open| {
        let inner = bare.strip_prefix(open).and_then(|rest| rest.split_once('}'));
        inner.is_some_and(|(name, after)| is_plain_name(name) && after.trim_matches('}').is_empty())
    });
    is_printed
        || is_place
        || bare == "Invalid Date"
        || bare.starts_with(['#', '<']) && WORDS.contains(&bare.to_lowercase().as_str())
        || ["\"\"", "''"].contains(&bare)
        || bare.starts_with("[undefined")
        || bare.starts_with("[object ") && bare.ends_with(']')
}

/// Whether a title was made with a missing value: also one beside other words.
pub fn is_in_title(title: &str) -> bool {
    is_in_text(title) || words_of(title).any(|word| ["undefined", "null", "NaN"].contains(&word))
}

/// Whether an id or a key was made with a missing value, such as `undefined-ready`, `order-null` or `{{ $json.id }}-ready`.
pub fn is_in_id(id: &str) -> bool {
    is_missing(id)
        || PLACES.iter().any(|(open, close)| id.split_once(open).is_some_and(|(_, rest)| rest.contains(close)))
        || id.to_ascii_lowercase().contains("undefined")
        // People are called Nan, too.
        || words_of(id).any(|word| BETWEEN.contains(&word) && !(word == "nan" && id.contains('@')))
}

/// Whether a key was made with a missing value, also with an empty one beside words: `-ready`, `order-`, `shop--ready`. Keys of random
/// letters have digits, or large and small letters in one part.
pub fn is_in_key(key: &str) -> bool {
    const SEPARATORS: [char; 6] = ['-', '_', ':', '.', '/', '|'];
    let is_word = |part: &str| {
        let rest = part.get(1..).unwrap_or_default();
        part.bytes().all(|sign| sign.is_ascii_alphabetic())
            && (rest.bytes().all(|sign| sign.is_ascii_lowercase())
                || part.bytes().all(|sign| sign.is_ascii_uppercase()))
    };
    let parts: Vec<&str> = key.split(SEPARATORS).collect();
    let is_empty_beside_words =
        parts.len() > 1 && parts.contains(&"") && parts.iter().all(|part| is_word(part));
    let has_null =
        parts.len() > 1 && parts.iter().any(|part| ["null", "nil"].contains(&part.to_lowercase().as_str()));
    is_in_id(key) || is_empty_beside_words || has_null
}

/// Whether a name stands between two marks of a template.
fn has_place(text: &str, open: &str, close: &str) -> bool {
    // `${HOME}` is of a shell.
    let is_shell =
        |name: &str| open == "${" && name.bytes().all(|sign| sign.is_ascii_uppercase() || sign == b'_');
    text.split(open)
        .skip(1)
        .any(|rest| rest.split_once(close).is_some_and(|(name, _)| is_unfilled(name) && !is_shell(name)))
}

/// Whether a template writes such a name: `name`, `$json.name`, `order.items[0].id`, `First Name`, `имя`, `1.name`. Numbers are none.
fn is_unfilled(name: &str) -> bool {
    const LONGEST: usize = 60;
    let name = name.trim();
    name.chars().any(char::is_alphabetic)
        && name.chars().count() <= LONGEST
        && name.chars().all(|sign| sign.is_alphanumeric() || " _$.[]-'".contains(sign))
        && name != FILLED
}

/// The same in one pair of braces, which people write too. Names in capital letters are of shells.
fn is_plain_name(name: &str) -> bool {
    let name = name.trim();
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '$' || first == '_')
        && name.chars().all(|sign| sign.is_ascii_alphanumeric() || "_$.[]".contains(sign))
        && name.contains(|sign: char| sign.is_ascii_lowercase())
        && name != FILLED
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
            "\u{feff}undefined",
            "nu\u{200b}ll",
            "NULL-7",
            "order-Invalid Date",
            "{{ $json.order_id }}",
            "={{$json.id}}-ready",
            "{{1.id}}-ready",
            "${order.id}",
            "<%= id %>",
            "#REF!",
            "#N/A",
            "<NA>",
            "{}",
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
            "nan@example.com",
            "none7",
            "u2i-nuLl~x",
            "mid.0001",
            "3EB0A",
            "Nile",
            "m-1",
            "завтра",
            "{1}",
            "price$5",
        ] {
            assert!(!is_in_id(id), "{id}");
        }
    }

    #[test]
    fn a_key_of_an_empty_value_names_nothing() {
        for key in ["-ready", "order-", "order:", "_ready_now", "order-NULL", "{{order_id}}", "undefined"] {
            assert!(is_in_key(key), "{key}");
        }
        for key in ["7-ready", "order-7-", "-K3xq", "ready", "a-b", "-1001", "_aB"] {
            assert!(!is_in_key(key), "{key}");
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
            "undefined undefined",
            "NULL",
            "null, null",
            "\u{feff}undefined",
            "Your order comes on Invalid Date",
            "Hello {{ $json.name }}!",
            "Hello {{ name }}!",
            "Your order ${order.id} is ready",
            "{name}",
            "Invalid Date",
            "#N/A",
        ] {
            assert!(is_in_text(text), "{text}");
        }
        for text in [
            "",
            "none",
            "nil",
            "Nothing is undefined",
            "null and void",
            "[]",
            "@none",
            "нет",
            "{{client}}, hello",
            "{{a|b}}",
            "echo ${HOME}",
            "Write {name} in the field",
            "{10}",
        ] {
            assert!(!is_in_text(text), "{text}");
        }
        for (text, is_whole) in [
            ("undefined", true),
            ("[object Object]", true),
            ("Your page shows [object Object]", false),
            ("It says Invalid Date!", false),
            ("null and void", false),
            ("{{ name }}", true),
            ("${name}", true),
            ("#REF!", true),
            ("Why do I see {{ name }}?", false),
            ("#name", false),
            ("...", false),
            ("", false),
        ] {
            assert_eq!(is_whole_text(text), is_whole, "{text}");
        }
        assert!(is_in_title("Order undefined") && is_in_title("Order null") && is_in_title("NaN"));
        assert!(!is_in_title("Order 1001") && !is_in_title("None of these"));
    }
}
