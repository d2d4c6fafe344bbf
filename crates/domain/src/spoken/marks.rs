//! The marks with which models separate thoughts, calls and turns: `<name>`, `<|name|>`, `[NAME]` and the like, found in a text.

use std::ops::Range;

/// The longest mark, in bytes.
const LONGEST: usize = 400;
/// The names in square brackets that are marks; others are words.
const SQUARE: [&str; 29] = [
    "inst",
    "system_prompt",
    "sys",
    "tool_calls",
    "tool_call",
    "tool_results",
    "tool_result",
    "tool_content",
    "available_tools",
    "args",
    "call_id",
    "think",
    "thinking",
    "thought",
    "thoughts",
    "reasoning",
    "scratchpad",
    "bos",
    "eos",
    "pad",
    "gmask",
    "sop",
    "eop",
    "model_settings",
    "tool_code",
    "unk",
    "mask",
    "cls",
    "sep",
];
/// The names among them that are words, too, unless they stand in capital letters.
const IN_CAPITALS: [&str; 4] = ["unk", "mask", "cls", "sep"];

/// What a mark is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Thought,
    Tool,
    /// It begins or ends a text or a turn.
    Edge,
    /// Any other token.
    Token,
    /// Round the whole answer.
    Wrapper,
    /// A tag of HTML that chats and pages know.
    Html,
    /// A tag that is none of these.
    Tag,
}

/// A mark in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) at: Range<usize>,
    pub(super) kind: Kind,
    /// In small letters, without what stands round it.
    pub(super) name: String,
    pub(super) closes: bool,
    /// It opens and closes, as `<think/>` does.
    pub(super) is_whole: bool,
}

/// The marks of a text, in order.
pub(super) fn marks(text: &str) -> impl Iterator<Item = Mark> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = text.get(from..)?;
            let at = from + rest.find(begins)?;
            let rest = text.get(at..)?;
            let before = text.get(..at)?.chars().next_back();
            if let Some(mut mark) = read(rest, before) {
                mark.at = at..at + mark.at.end;
                from = mark.at.end;
                return Some(mark);
            }
            from = at + rest.chars().next()?.len_utf8();
        }
    })
}

/// A mark may begin with any of these; U+F8FF is the sign of Apple.
fn begins(character: char) -> bool {
    matches!(
        character,
        '<' | '＜' | '[' | '［' | '◁' | '▷' | '【' | '✿' | '\u{FFFD}' | '▁' | 'Ġ' | 'Ċ' | '\u{E000}'
            ..='\u{F8FE}'
    )
}

/// The mark with which a text begins that follows a character.
fn read(text: &str, before: Option<char>) -> Option<Mark> {
    let first = text.chars().next()?;
    let next = text.chars().nth(1);
    match first {
        '<' | '＜' => angle(text),
        '[' | '［' => square(text),
        '◁' if next.is_some_and(|next| next == '/' || next.is_ascii_alphabetic()) => {
            within(text, '▷', |_| true).or_else(|| Some(mark(text.len(), text, Kind::Token)))
        }
        '▷' if before.is_some_and(|last| last.is_ascii_alphabetic()) => {
            Some(mark(first.len_utf8(), "", Kind::Token))
        }
        '◁' | '▷' => None,
        '【' => within(text, '】', |inner| inner.contains('†')),
        '✿' => within(text, '✿', |inner| {
            !inner.is_empty() && inner.bytes().all(|other| other.is_ascii_uppercase() || other == b'_')
        }),
        // "▁▂▃" is drawn, "▁word" is a piece of a tokenizer.
        '▁' if !next.is_some_and(char::is_alphanumeric) => None,
        // Maltese has these letters, but not after a small one.
        'Ġ' | 'Ċ' if !before.is_some_and(follows_a_piece) => None,
        other => Some(mark(other.len_utf8(), "", Kind::Token)),
    }
}

fn follows_a_piece(last: char) -> bool {
    last.is_lowercase() || last.is_ascii_digit() || ".,!?:;)Ċ".contains(last)
}

fn mark(end: usize, inner: &str, kind: Kind) -> Mark {
    let closes = inner.trim_start_matches(['|', '｜', '<', ' ']).starts_with('/');
    let name: String = inner.trim_matches(['|', '｜', '/', '<', '>', ' ']).to_lowercase().replace('▁', "_");
    Mark { at: 0..end, kind, name, closes, is_whole: false }
}

/// Up to a closing character on the same line.
fn until(text: &str, closing: &[char]) -> Option<(usize, usize)> {
    let first = text.chars().next()?.len_utf8();
    let (at, last) = text
        .get(first..)?
        .char_indices()
        .find(|(at, other)| *at > LONGEST || *other == '\n' || closing.contains(other))?;
    closing.contains(&last).then_some((first + at, first + at + last.len_utf8()))
}

fn within(text: &str, closing: char, is_mark: impl Fn(&str) -> bool) -> Option<Mark> {
    let (inner_end, end) = until(text, &[closing])?;
    let inner = text.get(text.chars().next()?.len_utf8()..inner_end).filter(|inner| is_mark(inner))?;
    let mut mark = mark(end, inner, Kind::Token);
    mark.kind = of_token(&mark.name).unwrap_or(Kind::Token);
    Some(mark)
}

fn square(text: &str) -> Option<Mark> {
    let Some((inner_end, end)) = until(text, &[']', '］']) else {
        if text.len() > LONGEST {
            return None;
        }
        let cut = text.trim_start_matches(['[', '［', '/']).to_lowercase();
        let is_cut =
            text.starts_with("[|") || cut.len() > 2 && SQUARE.iter().any(|name| name.starts_with(&cut));
        return is_cut.then(|| mark(text.len(), text, Kind::Token));
    };
    let inner = text.get(text.chars().next()?.len_utf8()..inner_end)?;
    let mut mark = mark(end, inner, Kind::Token);
    // `[|endofturn|]`
    if inner.len() > 2 && inner.starts_with('|') && inner.ends_with('|') {
        mark.kind = of_token(&mark.name).unwrap_or(Kind::Token);
        return Some(mark);
    }
    let is_last = || text.get(end..).is_some_and(|rest| rest.trim().is_empty());
    let is_word = IN_CAPITALS.contains(&mark.name.as_str()) && inner.contains(char::is_lowercase)
        // "[SEP] 15–20" is a month.
        || mark.name == "sep" && !is_last();
    if is_word || !SQUARE.contains(&mark.name.as_str()) {
        return None;
    }
    mark.kind = match mark.name.as_str() {
        name if name.contains("think")
            || name.contains("thought")
            || name == "reasoning"
            || name == "scratchpad" =>
        {
            Kind::Thought
        }
        name if name.contains("tool") || ["args", "call_id"].contains(&name) => Kind::Tool,
        "inst" if mark.closes => Kind::Edge,
        "bos" | "eos" | "pad" | "cls" | "sep" => Kind::Edge,
        _ => Kind::Token,
    };
    Some(mark)
}

fn angle(text: &str) -> Option<Mark> {
    let first = text.chars().next()?.len_utf8();
    if text.starts_with("<!--") {
        let end = text.find("-->").map_or(text.len(), |at| at + 3);
        return Some(Mark { is_whole: true, ..mark(end, "!", Kind::Html) });
    }
    let after = text.get(first..)?;
    let is_token = after.starts_with(['|', '｜']) || after.starts_with("<SYS") || after.starts_with("</SYS");
    let Some((inner_end, end)) = until(text, &['>', '＞']) else { return broken(text, after, is_token) };
    let inner = text.get(first..inner_end)?;
    if is_token || inner.ends_with(['|', '｜']) {
        let end = if text.get(end..).is_some_and(|rest| inner.starts_with('<') && rest.starts_with('>')) {
            end + 1
        } else {
            end
        };
        let mut mark = mark(end, inner, Kind::Token);
        mark.kind = of_token(&mark.name).unwrap_or(Kind::Token);
        mark.closes |= inner.ends_with(['|', '｜']) && !is_token;
        return Some(mark);
    }
    let is_address = (inner.contains("://") || inner.contains('@')) && !inner.contains([' ', '=', '"']);
    if is_address || inner.contains('<') {
        return None;
    }
    let bare = inner.trim_start_matches(['/', ' ']);
    let name: String =
        bare.chars().take_while(|other| other.is_ascii_alphanumeric() || "_:.-▁".contains(*other)).collect();
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
        || name.starts_with("0x")
        || bare.starts_with(['!', '?']);
    // A name and nothing, or what gives it values.
    let rest = bare.get(name.len()..).unwrap_or_default();
    let is_tag = is_name && (rest.is_empty() || rest.starts_with(['=', '/', ' ', '!', '?']));
    // `<s>` is a token, `<S>` is a size.
    let kind = if name == "S" { Kind::Tag } else { of_tag(&name.to_lowercase().replace('▁', "_"), rest) };
    let has_words = rest.starts_with(' ') && !rest.trim().is_empty() && !rest.contains(['=', '/']);
    let is_sentence = has_words || inner.starts_with(' ');
    if !is_tag || is_sentence && matches!(kind, Kind::Tag | Kind::Html | Kind::Edge | Kind::Wrapper) {
        return None;
    }
    let mut found = mark(end, &name, Kind::Tag);
    found.closes = inner.trim_start().starts_with('/');
    found.is_whole = inner.trim_end().ends_with('/') && !found.closes;
    found.kind = kind;
    Some(found)
}

/// A mark that breaks off at the end of the text.
fn broken(text: &str, after: &str, is_token: bool) -> Option<Mark> {
    let is_name = after.trim_start_matches('/').starts_with(|first: char| first.is_ascii_alphabetic());
    let is_cut = text.len() <= LONGEST
        && !text.contains(char::is_whitespace)
        && !text.contains("://")
        && !text.contains('@');
    ((is_name || is_token) && is_cut).then(|| mark(text.len(), after, Kind::Token))
}

/// Whether the name of a mark is one of thinking aloud.
pub(super) fn is_thought(name: &str) -> bool {
    let name = name.rsplit(':').next().unwrap_or(name).replace(['_', '-', '.', ' '], "");
    let parts = [
        "think",
        "thought",
        "reason",
        "reflect",
        "scratchpad",
        "monologue",
        "rationale",
        "deliberat",
        "brainstorm",
        "innervoice",
        "innerprefix",
        "innersuffix",
        "chainofthought",
    ];
    let words = ["cot", "plan", "planning", "analysis", "internal", "analyze", "critique", "selfcheck"];
    parts.iter().any(|part| name.contains(part)) || words.contains(&name.as_str())
}

fn is_tool(name: &str) -> bool {
    let parts = [
        "tool",
        "function",
        "invoke",
        "param",
        "plugin",
        "action",
        "python",
        "call",
        "dsml",
        "arg_",
        "args",
        "argument",
        "observation",
        "execute",
    ];
    parts.iter().any(|part| name.contains(part))
}

fn of_token(name: &str) -> Option<Kind> {
    const EDGES: [&str; 28] = [
        "im_start",
        "im_end",
        "im_sep",
        "endoftext",
        "endofturn",
        "endofprompt",
        "eot",
        "eot_id",
        "eom",
        "eom_id",
        "eos",
        "bos",
        "end_of_text",
        "begin_of_text",
        "end_of_turn",
        "start_of_turn",
        "end_of_sentence",
        "begin_of_sentence",
        "end_of_role",
        "start_of_role",
        "end_of_box",
        "begin_of_box",
        "header_id",
        "solution",
        "response",
        "end",
        "stop",
        "assistant",
    ];
    let is_edge = EDGES.iter().any(|edge| name == *edge || (edge.len() > 6 && name.contains(edge)));
    if is_thought(name) {
        Some(Kind::Thought)
    } else if is_tool(name) {
        Some(Kind::Tool)
    } else {
        is_edge.then_some(Kind::Edge)
    }
}

fn of_tag(name: &str, rest: &str) -> Kind {
    const EDGES: [&str; 10] = [
        "s",
        "eos",
        "bos",
        "pad",
        "end_of_turn",
        "start_of_turn",
        "end_of_utterance",
        "sop",
        "eop",
        "end_of_text",
    ];
    const WRAPPERS: [&str; 8] =
        ["answer", "final", "final_answer", "response", "output", "reply", "message", "result"];
    const HTML: [&str; 50] = [
        "a",
        "abbr",
        "b",
        "big",
        "blockquote",
        "br",
        "center",
        "code",
        "dd",
        "del",
        "div",
        "dl",
        "dt",
        "em",
        "font",
        "footer",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "i",
        "ins",
        "kbd",
        "li",
        "mark",
        "nobr",
        "ol",
        "p",
        "pre",
        "q",
        "section",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "u",
        "ul",
        "wbr",
    ];
    let local = name.rsplit(':').next().unwrap_or(name);
    match name {
        // `<s>` begins a text; the one of HTML strikes through, and none of it is lost.
        name if EDGES.contains(&name) => Kind::Edge,
        "unused94" | "unused95" => Kind::Thought,
        name if is_thought(name) => Kind::Thought,
        name if HTML.contains(&name) => Kind::Html,
        _ if WRAPPERS.contains(&local) && !rest.starts_with('=') => Kind::Wrapper,
        name if is_tool(name) => Kind::Tool,
        name if name.starts_with("unused")
            || name.starts_with("reserved")
            || name.starts_with("extra_id")
            || name.starts_with("0x") =>
        {
            Kind::Token
        }
        "unk" | "mask" | "image" | "audio" | "video" | "assistant" | "user" | "system" => Kind::Token,
        _ => Kind::Tag,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, Kind)> {
        marks(text).map(|mark| (text[mark.at].to_owned(), mark.kind)).collect()
    }

    #[test]
    fn marks_are_distinguished_from_words() {
        for (text, kind) in [
            ("<think>", Kind::Thought),
            ("</ thinking >", Kind::Thought),
            ("<seed:think>", Kind::Thought),
            ("[/THINK]", Kind::Thought),
            ("◁think▷", Kind::Thought),
            ("<|begin_of_thought|>", Kind::Thought),
            ("<function=reply>", Kind::Tool),
            ("<｜tool▁calls▁begin｜>", Kind::Tool),
            ("[TOOL_CALLS]", Kind::Tool),
            ("<|im_end|>", Kind::Edge),
            ("<｜end▁of▁sentence｜>", Kind::Edge),
            ("</s>", Kind::Edge),
            ("<|fim_prefix|>", Kind::Token),
            ("<<SYS>>", Kind::Token),
            ("<answer>", Kind::Wrapper),
            ("<br/>", Kind::Html),
            ("<a href=\"https://example.com\">", Kind::Html),
            ("<notes>", Kind::Tag),
            ("<th", Kind::Token),
            ("【4:0†source】", Kind::Token),
            ("[|endofturn|]", Kind::Edge),
            ("[|user|]", Kind::Token),
            ("[UNK]", Kind::Token),
            ("[SEP]", Kind::Edge),
        ] {
            let all = found(text);
            assert_eq!(all.len(), 1, "{text} {all:?}");
            assert_eq!(all[0], (text.to_owned(), kind));
        }
        for text in [
            "I <3 you",
            "a < b > c",
            "1<2",
            "<https://example.com>",
            "<anna@example.com>",
            "[да]",
            "[1]",
            "[Mask]",
            "x<y и y>z",
            "«<»",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
