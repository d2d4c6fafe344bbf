//! What must not be left in the words for a customer. Anything that looks like it is, so that a person reads it first.

use super::Unspoken;
use super::marks::{Kind, marks};
use crate::text::{EntityKind, FormattedText};

/// Words with which models begin to think aloud, at the start of a line and before a colon.
const THOUGHTS: [&str; 18] = [
    "thought",
    "thoughts",
    "thinking",
    "thinking process",
    "my thoughts",
    "reasoning",
    "chain of thought",
    "inner monologue",
    "internal monologue",
    "scratchpad",
    "here is my thought process",
    "here's my thought process",
    "here's a thinking process",
    "мысль",
    "мысли",
    "рассуждение",
    "рассуждения",
    "ход мыслей",
];
/// Words of agents that call tools in plain text, in the same place.
const STEPS: [&str; 8] = [
    "action",
    "action input",
    "observation",
    "final answer",
    "tool",
    "tool input",
    "tool call",
    "function call",
];
/// Roles in a dialogue that a model continues alone.
const ROLES: [&str; 8] = ["user", "human", "assistant", "system", "ai", "bot", "пользователь", "ассистент"];
/// Languages of code that no answer to a customer is in.
const LANGUAGES: [&str; 12] = [
    "tool",
    "tool_call",
    "tool_calls",
    "tool_code",
    "json",
    "xml",
    "function",
    "function_call",
    "action",
    "thinking",
    "think",
    "plaintext_tool",
];

/// Finds what is left.
pub(super) fn check(text: &FormattedText) -> Result<(), Unspoken> {
    for entity in &text.entities {
        match &entity.kind {
            EntityKind::TextLink { url } => words(&folded(url))?,
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
    if let Some(mark) = marks(text).next() {
        return Err(match mark.kind {
            Kind::Thought => Unspoken::Thoughts,
            Kind::Tool => Unspoken::ToolMarkup,
            Kind::Edge | Kind::Token => Unspoken::SpecialTokens,
            Kind::Wrapper | Kind::Html | Kind::Tag => Unspoken::Markup,
        });
    }
    if has_call(text) || has_object(text) {
        return Err(Unspoken::ToolMarkup);
    }
    if ["assistantfinal", "assistantanalysis", "assistantcommentary", "to=functions", "<|", "|>", "◁", "▷"]
        .iter()
        .any(|sign| text.contains(sign))
    {
        return Err(Unspoken::SpecialTokens);
    }
    let has_markup =
        ["{{", "}}", "{%", "%}", "$$", "```", "](", "|--", "|:-", "&lt;", "&gt;", "&amp;", "&nbsp;"].iter();
    if has_markup.into_iter().any(|sign| text.contains(sign)) || has_escape(text) {
        return Err(Unspoken::Markup);
    }
    lines(text)
}

/// What a line begins with, where it ends with a colon.
fn lines(text: &str) -> Result<(), Unspoken> {
    for (place, line) in text.lines().enumerate() {
        let line = line.trim_start_matches(['#', '*', '>', '-', '•', '"', ' ', '\t']);
        if line.starts_with('|') && line.trim_end().ends_with('|') && line.matches('|').count() > 2 {
            return Err(Unspoken::Markup);
        }
        if is_name_of_tool(line) {
            return Err(Unspoken::ToolMarkup);
        }
        let line = line.to_lowercase();
        let Some((lead, rest)) = line.split_once(':') else { continue };
        let lead = lead.trim_matches(['*', '_', ' ']);
        if THOUGHTS.contains(&lead) {
            return Err(Unspoken::Thoughts);
        }
        if STEPS.contains(&lead) {
            return Err(Unspoken::ToolMarkup);
        }
        if ROLES.contains(&lead) && (place > 0 || rest.starts_with([' ', '\n']) || rest.is_empty()) {
            return Err(Unspoken::SpecialTokens);
        }
    }
    let first = text.trim_start().to_lowercase();
    let leads = [
        "instruction:",
        "### response",
        "### instruction",
        "response:",
        "<think",
        "okay, the user",
        "ok, the user",
        "хорошо, пользователь",
    ];
    if leads.iter().any(|lead| first.starts_with(lead)) { Err(Unspoken::Thoughts) } else { Ok(()) }
}

/// A line that is a name such as `hand_over`, or begins with one and what is handed to it.
fn is_name_of_tool(line: &str) -> bool {
    let rest = line.trim_start_matches(|other: char| other.is_ascii_lowercase() || other == '_');
    let name = line.strip_suffix(rest).unwrap_or_default();
    let is_name = name.trim_matches('_').contains('_');
    is_name && (rest.trim().is_empty() || rest.starts_with(['(', '{', ':', '[', '=']))
}

/// A call as programs write it: `reply("…")`, `reply(text=…)`, `functions.reply:0`.
fn has_call(text: &str) -> bool {
    if text.contains("functions.") || text.contains("default_api.") || text.contains("functools") {
        return true;
    }
    text.match_indices('(').any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default().chars().next_back();
        if !before.is_some_and(|last| last.is_ascii_alphanumeric() || last == '_') {
            return false;
        }
        let inner = text.get(at + 1..).unwrap_or_default().trim_start();
        let name = inner.trim_start_matches(|other: char| other.is_ascii_alphanumeric() || other == '_');
        let is_named = name.len() < inner.len()
            && name.trim_start().starts_with('=')
            && !name.trim_start().starts_with("==");
        inner.starts_with(['"', '\'', '{']) || is_named
    })
}

/// An object as programs write it: a brace and a name in quotes.
fn has_object(text: &str) -> bool {
    let begins = |rest: &str| {
        let rest = rest.trim_start();
        let Some(quote) = rest.chars().next().filter(|quote| ['"', '\'', '“', '”'].contains(quote))
        else {
            return false;
        };
        let name = rest.get(quote.len_utf8()..).unwrap_or_default();
        let end = name.trim_start_matches(|other: char| other.is_alphanumeric() || "_-$. ".contains(other));
        end.len() < name.len() && (end.is_empty() || end.starts_with(['"', '\'', '“', '”']))
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
    let is_list = text.starts_with('[') && text.ends_with(']') && text.contains(['"', '\'']);
    objects || has_key('"') || has_key('\'') || is_list
}

/// A backslash that should have been a line or a sign: `\n`, `\frac{…}`, `\u0434`.
fn has_escape(text: &str) -> bool {
    text.match_indices('\\').any(|(at, _)| {
        let rest = text.get(at + 1..).unwrap_or_default();
        let letters = rest.len() - rest.trim_start_matches(|other: char| other.is_ascii_alphabetic()).len();
        let after = rest.get(letters..).unwrap_or_default();
        let is_command = letters > 1 && after.starts_with('{');
        let is_line = rest.starts_with('n')
            && !rest.get(1..).unwrap_or_default().starts_with(|next: char| next.is_ascii_lowercase());
        let is_code = rest.starts_with('u')
            && rest.get(1..5).is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        is_command || is_line || is_code || rest.starts_with('"')
    })
}
