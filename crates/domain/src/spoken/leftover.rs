//! What must not be left in the words for a customer. Anything that looks like it is, so that a person reads it first.

use std::collections::HashSet;

use super::marks::{Kind, Mark, is_thought, marks};
use super::{Unspoken, aloud, garbled, names, places, shapes, signals};
use crate::text::{EntityKind, FormattedText};

/// Languages of code that no answer to a customer is in.
const LANGUAGES: [&str; 10] = [
    "tool",
    "tool_call",
    "tool_calls",
    "tool_code",
    "json",
    "xml",
    "function",
    "function_call",
    "action",
    "plaintext_tool",
];

/// The longest name of a tag that may be a key or a size: `<Enter>`, `<XL>`.
const LONGEST_KEY: usize = 12;
/// Commands of formulas.
const FORMULA: [&str; 14] = [
    "times", "cdot", "approx", "frac", "text", "boxed", "leq", "geq", "pm", "sum", "sqrt", "left", "right",
    "quad",
];

/// Finds what is left.
pub(super) fn check(text: &FormattedText) -> Result<(), Unspoken> {
    let length = text.utf16_len();
    let is_all = |end: u32| usize::try_from(end).is_ok_and(|end| end >= length);
    let is_emphasized = text
        .entities
        .iter()
        .any(|entity| entity.kind == EntityKind::Italic && entity.offset == 0 && is_all(entity.length));
    signals::check(&folded(&text.text), is_emphasized)?;
    for entity in &text.entities {
        match &entity.kind {
            EntityKind::TextLink { url } => signs(&folded(url))?,
            EntityKind::Pre { language } if is_thought(&language.to_lowercase()) => {
                return Err(Unspoken::Thoughts);
            }
            EntityKind::Pre { language } if LANGUAGES.contains(&language.to_lowercase().as_str()) => {
                return Err(Unspoken::ToolMarkup);
            }
            EntityKind::Pre { language } => words(&folded(language))?,
            _ => {}
        }
    }
    words(&folded(&text.text))
}

/// A text as it looks: without characters that show nothing, forms of a letter that look the same as that letter.
fn folded(text: &str) -> String {
    let shown = |character: char| match character {
        '\u{200C}'
        | '\u{200D}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{E0000}'..='\u{E007F}'
        | '\u{34F}'
        | '\u{180E}' => None,
        '‹' | '〈' | '⟨' | '＜' | '﹤' => Some('<'),
        '›' | '〉' | '⟩' | '＞' | '﹥' => Some('>'),
        '｜' | '￨' | '∣' | 'ǀ' | '│' => Some('|'),
        '！'..='～' => char::from_u32(u32::from(character) - 0xFEE0),
        other => Some(other),
    };
    text.chars().filter_map(shown).collect()
}

fn words(text: &str) -> Result<(), Unspoken> {
    signs(text)?;
    if text.lines().any(names::is_named) {
        return Err(Unspoken::ToolMarkup);
    }
    aloud::check(text)?;
    shapes::check(text)
}

fn signs(text: &str) -> Result<(), Unspoken> {
    let all: Vec<Mark> = marks(text).collect();
    let closed: HashSet<&str> =
        all.iter().filter(|mark| mark.closes).map(|mark| mark.name.as_str()).collect();
    if let Some(mark) = all.iter().find(|mark| closed.contains(mark.name.as_str()) || !is_key(mark, text)) {
        return Err(match mark.kind {
            Kind::Thought => Unspoken::Thoughts,
            Kind::Tool => Unspoken::ToolMarkup,
            Kind::Edge | Kind::Token => Unspoken::SpecialTokens,
            Kind::Wrapper | Kind::Html | Kind::Tag => Unspoken::Markup,
        });
    }
    if has_thought_in_brackets(text) {
        return Err(Unspoken::Thoughts);
    }
    if has_call(text) || has_object(text) {
        return Err(Unspoken::ToolMarkup);
    }
    if [
        "assistantfinal",
        "assistantanalysis",
        "assistantcommentary",
        "to=functions",
        "<|",
        "|>",
        "[citation:",
    ]
    .iter()
    .any(|sign| text.contains(sign))
    {
        return Err(Unspoken::SpecialTokens);
    }
    let has_markup =
        ["{%", "``", "[]", "&lt;", "&gt;", "&amp;", "&nbsp;"].iter().any(|sign| text.contains(sign));
    let has_close = text.split("</").skip(1).any(|rest| rest.starts_with(char::is_alphabetic));
    if has_markup
        || has_close
        || has_braces(text)
        || has_link(text)
        || has_table(text)
        || has_escape(text)
        || has_foreign_tag(text)
        || has_struck(text)
        || has_comment(text)
        || places::is_left(text)
        || garbled::is_in(text)
    {
        return Err(Unspoken::Markup);
    }
    Ok(())
}

/// A tag that may be a key or a size.
fn is_key(mark: &Mark, text: &str) -> bool {
    let raw = text.get(mark.at.clone()).unwrap_or_default();
    let name = raw.trim_matches(['<', '>']);
    mark.kind == Kind::Tag
        && raw.len() == name.len() + 2
        && name.len() <= LONGEST_KEY
        && name.bytes().all(|other| other.is_ascii_alphanumeric())
        && (mark.at.start > 0 || name.starts_with(|first: char| first.is_ascii_uppercase()))
}

/// `(think)…(/think)`, `%%think%%`: a thought in brackets that are no known mark.
fn has_thought_in_brackets(text: &str) -> bool {
    let text = text.to_lowercase();
    let is_bracket = |other: char| "([{<«《〈‹【%)]}>»》〉›】".contains(other);
    ["think", "thinking", "thought", "thoughts", "reasoning", "scratchpad"].iter().any(|word| {
        text.match_indices(word).any(|(at, _)| {
            let before = text.get(..at).unwrap_or_default();
            let after = text.get(at + word.len()..).unwrap_or_default();
            let closes = before.strip_suffix('/').is_some_and(|before| before.ends_with(is_bracket));
            after.starts_with(is_bracket) && closes || after.starts_with("%%") && before.ends_with("%%")
        })
    })
}

/// `{{ $json.name }}`, cut or whole. `{{10}}` is none.
fn has_braces(text: &str) -> bool {
    let is_number = |end: Option<char>| end.is_some_and(|end| end.is_ascii_digit() || end == '%');
    let begins = |at| text.get(at..).is_some_and(|rest: &str| !is_number(rest.trim_start().chars().next()));
    let ends = |at| text.get(..at).is_some_and(|rest: &str| !is_number(rest.trim_end().chars().next_back()));
    text.match_indices("{{").any(|(at, sign)| begins(at + sign.len()))
        || text.match_indices("}}").any(|(at, _)| ends(at))
}

/// The middle of a link in Markdown that is no link. `[shop](5 Main St.)` is none.
fn has_link(text: &str) -> bool {
    text.match_indices("](").any(|(at, sign)| {
        let address = text.get(at + sign.len()..).unwrap_or_default();
        address.is_empty()
            || ["http", "www", "mailto", "tel:", "tg:", "/", "#", "<"]
                .iter()
                .any(|start| address.starts_with(start))
    })
}

/// Lines of a table that was not read.
fn has_table(text: &str) -> bool {
    let rows = text.lines().map(str::trim).filter(|line| {
        line.starts_with("+--") || line.len() > 1 && line.starts_with('|') && line.ends_with('|')
    });
    let is_rule = |line: &str| {
        line.contains('|') && line.contains("--") && line.chars().all(|other| "|:- ".contains(other))
    };
    rows.take(2).count() == 2 || text.lines().any(is_rule)
}

/// A tag in letters of any script that opens a line, and the close of one in square brackets: `<мысли>`, `[/思考]`.
fn has_foreign_tag(text: &str) -> bool {
    let is_name =
        |name: &str| !name.is_empty() && name.chars().all(|other| other.is_alphabetic() || other == '_');
    let opens = |line: &str| {
        let name = line.trim_start().strip_prefix('<').and_then(|rest| Some(rest.split_once('>')?.0));
        // "<Далее>" is a button.
        name.is_some_and(|name| is_name(name) && !name.is_ascii() && !name.starts_with(char::is_uppercase))
    };
    let closes = |rest: &str| rest.split_once(']').is_some_and(|(name, _)| is_name(name));
    text.lines().any(opens) || text.split("[/").skip(1).any(closes)
}

/// A line that is a comment in code.
fn has_comment(text: &str) -> bool {
    text.lines().map(str::trim_start).any(|line| line.starts_with("// ") || line.starts_with("/*"))
}

/// Two tildes round what should be struck through.
fn has_struck(text: &str) -> bool {
    text.split(|other| other != '~').any(|tildes| tildes.len() == 2)
}

/// A call as programs write it: `functions.reply:0`, `search_orders(id="5")`. Calls of our own tools are names.
fn has_call(text: &str) -> bool {
    let is_letter = |other: char| other.is_ascii_lowercase() || other == '_';
    let is_spaced = ["functions.", "default_api."].iter().any(|space| {
        text.match_indices(space).any(|(at, space)| {
            let name = text.get(at + space.len()..).unwrap_or_default();
            let rest = name.trim_start_matches(is_letter);
            rest.len() < name.len() && rest.starts_with([':', '('])
        })
    });
    let is_called = text.match_indices('(').any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        let start = before.trim_end_matches(|other: char| is_letter(other) || other.is_ascii_digit());
        let name = before.get(start.len()..).unwrap_or_default();
        let inner = text.get(at + 1..).unwrap_or_default().trim_start();
        let rest = inner.trim_start_matches(|other: char| other.is_ascii_alphanumeric() || other == '_');
        let is_argument = inner.starts_with(['"', '\'', '{'])
            || rest.len() < inner.len() && rest.trim_start().starts_with('=');
        name.trim_matches('_').contains('_') && !start.ends_with('/') && is_argument
    });
    is_spaced || is_called || text.contains("functools[")
}

/// An object as programs write it: a brace, a name in quotes, and a colon or the end.
fn has_object(text: &str) -> bool {
    let is_quote = |other: char| ['"', '\'', '“', '”'].contains(&other);
    let begins = |rest: &str| {
        let Some(name) = rest.trim_start().strip_prefix(is_quote) else { return false };
        let end = name.trim_start_matches(|other: char| other.is_alphanumeric() || "_-$. ".contains(other));
        let after = end.trim_start_matches(is_quote).trim_start();
        end.len() < name.len()
            && (after.is_empty() || end.starts_with(is_quote) && after.starts_with([':', '=']))
    };
    let objects = text.match_indices('{').any(|(at, _)| begins(text.get(at + 1..).unwrap_or_default()));
    let keys = [
        "arguments",
        "parameters",
        "tool_calls",
        "function_call",
        "action_input",
        "tool_input",
        "tool_uses",
        "recipient_name",
    ];
    let has_key = |quote: char| keys.iter().any(|key| text.contains(&format!("{quote}{key}{quote}")));
    let text = text.trim();
    let is_list = text.ends_with(']')
        && text.strip_prefix('[').is_some_and(|inner| inner.trim_start().starts_with(['"', '\'']));
    objects || has_key('"') || has_key('\'') || is_list
}

/// A backslash that should have been a line or a sign: `\n`, `\frac{…}`, `\u0434`.
fn has_escape(text: &str) -> bool {
    let (mut from, mut is_path, mut lines) = (0, false, 0);
    text.match_indices('\\').any(|(at, _)| {
        let between = text.get(from..at).unwrap_or_default();
        from = at;
        let rest = text.get(at + 1..).unwrap_or_default();
        let letters = rest.len() - rest.trim_start_matches(|other: char| other.is_ascii_alphabetic()).len();
        let command = rest.get(..letters).unwrap_or_default();
        let after = rest.get(letters..).unwrap_or_default();
        let last = between.chars().next_back();
        // "C:\new"
        is_path = last == Some(':') || is_path && !between.contains(char::is_whitespace);
        let follows_word = last.is_some_and(|last| last.is_ascii_alphanumeric());
        let is_command = letters > 1
            && (after.starts_with('{') || FORMULA.contains(&command) && !follows_word && !is_path);
        let next = rest.strip_prefix('n').map(|after| after.chars().next());
        let is_line = match next {
            _ if is_path => false,
            None => false,
            Some(Some(next)) if next.is_ascii_lowercase() => false,
            // "qwerty\n1" may be a password, and two such lines are none.
            Some(Some(next)) if next.is_ascii_digit() && follows_word => {
                lines += 1;
                lines > 1
            }
            Some(_) => true,
        };
        let is_code = rest.starts_with('u')
            && rest.get(1..5).is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        is_command || is_line || is_code || rest.starts_with('"')
    })
}
