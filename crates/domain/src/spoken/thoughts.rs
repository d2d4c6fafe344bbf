//! What a model says without what it thinks: thoughts, the channels of harmony, and tokens at both ends.

use super::Unspoken;
use super::marks::{Kind, Mark, marks};

/// What a model calls itself before a colon: `Ассистент: Да`.
const LABELS: [&str; 14] = [
    "assistant",
    "ai",
    "ai assistant",
    "ai-assistant",
    "bot",
    "chatbot",
    "chatgpt",
    "ассистент",
    "ии",
    "ии-ассистент",
    "ии ассистент",
    "бот",
    "чат-бот",
    "чатбот",
];
/// What stands over the answer itself, and names of a service. An answer in a sentence follows the latter, hours or a contact do not.
const ANSWERS: [&str; 7] = [
    "final answer",
    "final response",
    "ответ",
    "итоговый ответ",
    "финальный ответ",
    "окончательный ответ",
    "клиенту",
];
const SERVICES: [&str; 4] = ["support", "agent", "поддержка", "агент"];
/// The words among them that people have as a job, too.
const JOBS: [&str; 2] = ["assistant", "ассистент"];
/// The most bytes of such a label with its marks.
const LONGEST_LABEL: usize = 48;
/// The words of a turn's begin that follow its token.
const ROLES: [&str; 3] = ["assistant", "model", "ai"];

/// The most tokens at the ends of a text that are taken away.
const MOST_EDGES: usize = 64;

/// A text without thoughts, without the tokens at its ends, and without a tag round all of it.
pub(super) fn without(text: &str) -> Result<String, Unspoken> {
    let text = match harmony(text) {
        Some(last) => last?,
        None => unmarked_channels(without_label(text))?,
    };
    let thoughtless = outside(&text)?;
    let answer = without_label(unwrapped(&thoughtless));
    match answer.trim() {
        "" if text.trim().is_empty() => Err(Unspoken::Empty),
        "" if thoughtless.len() < text.len() => Err(Unspoken::Thoughts),
        "" => Err(Unspoken::Empty),
        answer => Ok(answer.to_owned()),
    }
}

enum Edge {
    Opens,
    Closes,
    Nothing,
}

fn edge(mark: &Mark, text: &str) -> Edge {
    if mark.is_whole {
        return Edge::Nothing;
    }
    let name = mark.name.as_str();
    let ends = ["end_", "stop_"].iter().any(|start| name.starts_with(start))
        || ["_end", "_stop", "suffix"].iter().any(|end| name.ends_with(end))
        || name == "unused95";
    let is_channel =
        name == "channel" && text.get(mark.at.end..).is_some_and(|rest| rest.starts_with("thought"));
    match mark.kind {
        Kind::Thought if mark.closes || ends => Edge::Closes,
        Kind::Thought => Edge::Opens,
        // `<|channel>thought … <channel|>`
        Kind::Token if is_channel => Edge::Opens,
        Kind::Token if name == "channel" && mark.closes => Edge::Closes,
        _ => Edge::Nothing,
    }
}

/// What stands outside of thoughts. A template may have opened the first one, so what stands before a close is a thought.
fn outside(text: &str) -> Result<String, Unspoken> {
    let (mut kept, mut depth, mut from) = (String::new(), 0_u32, 0);
    for mark in marks(text) {
        match edge(&mark, text) {
            Edge::Opens => {
                if depth == 0 {
                    kept.push_str(text.get(from..mark.at.start).unwrap_or_default());
                }
                depth += 1;
                from = mark.at.end;
            }
            Edge::Closes => {
                if depth == 0 {
                    kept.clear();
                }
                depth = depth.saturating_sub(1);
                from = mark.at.end;
            }
            Edge::Nothing if depth == 0 && mark.kind == Kind::Thought => {
                kept.push_str(text.get(from..mark.at.start).unwrap_or_default());
                from = mark.at.end;
            }
            Edge::Nothing => {}
        }
    }
    if depth > 0 {
        return Err(Unspoken::Thoughts);
    }
    kept.push_str(text.get(from..).unwrap_or_default());
    Ok(kept)
}

/// The text without tokens at its ends and without a tag round it.
fn unwrapped(text: &str) -> &str {
    let mut text = text.trim();
    for _ in 0..MOST_EDGES {
        let before = text.len();
        let all: Vec<Mark> = marks(text).collect();
        if let Some(first) = all.first().filter(|mark| mark.at.start == 0 && mark.kind == Kind::Edge) {
            text = without_role(text.get(first.at.end..).unwrap_or_default());
        } else if let Some(last) =
            all.last().filter(|mark| mark.at.end == text.len() && mark.kind == Kind::Edge)
        {
            text = text.get(..last.at.start).unwrap_or_default().trim_end();
        } else if let [first, .., last] = all.as_slice()
            && first.at.start == 0
            && last.at.end == text.len()
            && (first.kind, last.kind) == (Kind::Wrapper, Kind::Wrapper)
            && first.name == last.name
            && !first.closes
            && last.closes
            && all.iter().filter(|mark| mark.kind == Kind::Wrapper).count() == 2
        {
            text = text.get(first.at.end..last.at.start).unwrap_or_default().trim();
        }
        if text.len() == before {
            break;
        }
    }
    text
}

/// What follows a role with which a text begins: `Assistant: Yes`. Servers that take tokens away leave some on a line of their own.
fn without_label(text: &str) -> &str {
    let first = text.trim_start();
    let follows = |role: &&str| first.strip_prefix(*role)?.strip_prefix('\n').map(str::trim_start);
    let on_a_line = ["assistant", "model", "final"].iter().find_map(follows);
    on_a_line.or_else(|| after_label(first)).unwrap_or(text)
}

/// What follows a label of a model, also one in bold. With a contact, or among other labels, a job is one of an order: `Assistant: Anna`.
fn after_label(text: &str) -> Option<&str> {
    let (label, said) = text.split_once(':').filter(|(label, _)| label.len() <= LONGEST_LABEL)?;
    let (label, said) = match label.strip_prefix("**") {
        Some(bold) => match bold.strip_suffix("**") {
            Some(inner) => (inner, said),
            None => (bold, said.strip_prefix("**")?),
        },
        None => (label, said),
    };
    let (role, said) = (label.trim().to_lowercase(), said.trim());
    let is_labelled = |line: &str| {
        let words = line.split_once(": ").map_or("", |(before, _)| before);
        (1..=2).contains(&words.split_whitespace().count()) && !words.contains(['.', '!', '?', ','])
    };
    let is_in_order = || {
        JOBS.contains(&role.as_str()) && (said.contains(['+', '@']) || said.lines().skip(1).any(is_labelled))
    };
    // "AI: no" is one of a list of features.
    let is_role = label == "assistant" || said.starts_with(char::is_uppercase) && !is_in_order();
    let is_single = || !said.lines().skip(1).any(|line| line.contains(':'));
    let is_sentence = || {
        said.contains(['.', '!', '?']) && !said.contains(|sign: char| sign == '@' || sign.is_ascii_digit())
    };
    let is_known = LABELS.contains(&role.as_str())
        || ANSWERS.contains(&role.as_str()) && is_single()
        || SERVICES.contains(&role.as_str()) && is_single() && is_sentence();
    (is_role && is_known).then_some(said)
}

/// What follows the role of a turn.
fn without_role(text: &str) -> &str {
    let text = text.trim_start();
    let role = ROLES.iter().find_map(|role| {
        let (word, rest) = text.split_at_checked(role.len())?;
        (word.eq_ignore_ascii_case(role) && rest.starts_with(['\n', '<', ':'])).then_some(rest)
    });
    role.map_or(text, |rest| rest.trim_start_matches(':').trim_start())
}

/// The final message of a text in the format of harmony; none where the text has no channels.
fn harmony(text: &str) -> Option<Result<String, Unspoken>> {
    let tokens: Vec<Mark> = marks(text)
        .filter(|mark| {
            text.get(mark.at.clone()).is_some_and(|raw| raw.starts_with("<|") && raw.ends_with("|>"))
        })
        .collect();
    if !tokens.iter().any(|mark| ["channel", "message"].contains(&mark.name.as_str())) {
        return None;
    }
    let (mut finals, mut calls_tool, mut header) = (Vec::new(), false, String::new());
    for (place, mark) in tokens.iter().enumerate() {
        let end = tokens.get(place + 1).map_or(text.len(), |next| next.at.start);
        let follows = text.get(mark.at.end..end).unwrap_or_default();
        match mark.name.as_str() {
            "start" => header.clear(),
            "channel" | "constrain" => header.push_str(follows),
            "message" => {
                let header = std::mem::take(&mut header);
                if header.contains("to=") {
                    calls_tool = true;
                } else if header.trim().starts_with("final") {
                    finals.push(follows.trim().to_owned());
                }
            }
            "call" => calls_tool = true,
            "end" | "return" if follows.trim().is_empty() => {}
            _ => return Some(Err(Unspoken::SpecialTokens)),
        }
    }
    Some(match (finals.len(), finals.pop()) {
        _ if calls_tool => Err(Unspoken::ToolMarkup),
        (1, Some(answer)) => Ok(answer),
        (0, _) => Err(Unspoken::Thoughts),
        _ => Err(Unspoken::Several),
    })
}

/// The same where a server has taken the tokens away: `analysis…assistantfinal…`.
fn unmarked_channels(text: &str) -> Result<String, Unspoken> {
    const FINAL: &str = "assistantfinal";
    let first = text.trim_start();
    let begins = ["analysis", "commentary"].iter().any(|name| first.starts_with(name));
    let goes_on = |rest: &str| rest.starts_with(|next: char| next.is_uppercase());
    match text.rsplit_once(FINAL) {
        Some((before, answer)) if begins => {
            if before.contains("to=functions") {
                Err(Unspoken::ToolMarkup)
            } else {
                Ok(answer.to_owned())
            }
        }
        Some(_) => Err(Unspoken::Thoughts),
        None if first.strip_prefix("analysis").is_some_and(goes_on) => Err(Unspoken::Thoughts),
        // `analysis … final …`, in small letters as tokens are.
        None if (begins || first.starts_with("assistant "))
            && first.split_whitespace().any(|word| word == "final") =>
        {
            Err(Unspoken::Thoughts)
        }
        None => Ok(text.to_owned()),
    }
}
