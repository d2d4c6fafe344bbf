//! Lines with which a model thinks aloud, and lines with which it goes on as the customer.

use super::{Unspoken, staff};

/// Words over thoughts: before a colon, in brackets, as a heading or alone on a line.
const THOUGHTS: [&str; 35] = [
    "про себя",
    "think",
    "thought",
    "thoughts",
    "thinks",
    "thinking",
    "thinking process",
    "thought process",
    "my thoughts",
    "my reasoning",
    "reasoning",
    "internal reasoning",
    "internal thoughts",
    "internal note",
    "internal notes",
    "note to self",
    "chain of thought",
    "inner monologue",
    "internal monologue",
    "scratchpad",
    "done thinking",
    "here is my thought process",
    "here's my thought process",
    "here's a thinking process",
    "мысль",
    "мысли",
    "рассуждение",
    "рассуждения",
    "рассуждаю",
    "думаю",
    "размышление",
    "размышления",
    "ход мыслей",
    "внутренняя заметка",
    "заметка для себя",
];
/// Words of a business that are over thoughts where one of [`ANSWERS`] is over the answer.
const AMBIGUOUS: [&str; 8] =
    ["analysis", "plan", "observation", "context", "анализ", "план", "контекст", "разбор"];
/// Words over the answer that follows thoughts.
const ANSWERS: [&str; 9] = [
    "answer",
    "final answer",
    "final response",
    "response",
    "reply",
    "ответ",
    "итоговый ответ",
    "окончательный ответ",
    "финальный ответ",
];
/// Words of agents that call tools in plain text, before a colon.
const STEPS: [&str; 6] =
    ["action input", "tool input", "tool call", "tool calls", "function call", "tool output"];
/// The roles of customers in a talk, and those of the model.
const THEIRS: [&str; 7] = ["user", "human", "customer", "client", "пользователь", "клиент", "покупатель"];
const OURS: [&str; 4] = ["assistant", "ai", "ассистент", "ии-ассистент"];
/// How many of [`THEIRS`] are no words of an order: "Customer: Anna" is a line of one.
const THEIRS_IN_PROMPTS: usize = 2;

/// What a model says before it says who it thinks of.
const FILLERS: [&str; 17] = [
    "okay",
    "ok",
    "alright",
    "all right",
    "hmm",
    "hm",
    "well",
    "so",
    "now",
    "хорошо",
    "итак",
    "так",
    "ладно",
    "окей",
    "ок",
    "думает",
    "thinks",
];
/// Who that is, and what they do.
const SUBJECTS: [&str; 10] = [
    "the user",
    "the customer",
    "the client",
    "this user",
    "this customer",
    "user",
    "customer",
    "пользователь",
    "клиент",
    "покупатель",
];
const VERBS: [&str; 40] = [
    "asks",
    "asked",
    "is asking",
    "has asked",
    "just asked",
    "wants to know",
    "wants a",
    "wants the",
    "wants me",
    "is looking",
    "is requesting",
    "is saying",
    "is greeting",
    "is angry",
    "is upset",
    "is frustrated",
    "says",
    "said",
    "wrote",
    "seems",
    "mentions",
    "спрашивает",
    "спросил",
    "спросила",
    "просит",
    "попросил",
    "интересуется",
    "говорит",
    "пишет, что",
    "уточняет",
    "жалуется",
    "хочет узнать",
    "зол",
    "злой",
    "злится",
    "хамит",
    "хитрит",
    "врёт",
    "нервничает",
    "торгуется",
];
/// Other beginnings of the kind.
const TO_ITSELF: [&str; 14] = [
    "let me think",
    "let me draft",
    "let me craft",
    "let me compose",
    "i need to answer",
    "i need to respond",
    "i need to reply",
    "i should answer",
    "i should respond",
    "i should reply",
    "we need to answer",
    "we need to respond",
    "we need to reply",
    "мне нужно ответить",
];

pub(super) fn check(text: &str) -> Result<(), Unspoken> {
    dialogue(text)?;
    let text = text.to_lowercase();
    staff::check(&text)?;
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let has_answer = lines.iter().any(|line| {
        let lead = Lead::of(line);
        lead.follows != Follows::Words && ANSWERS.contains(&lead.words)
    });
    for line in &lines {
        let lead = Lead::of(line);
        let is_over = match lead.follows {
            Follows::Colon | Follows::Bracket => true,
            Follows::End => lines.len() > 1,
            Follows::Dash => has_answer,
            Follows::Words => false,
        };
        if is_over && (THOUGHTS.contains(&lead.words) || has_answer && AMBIGUOUS.contains(&lead.words)) {
            return Err(Unspoken::Thoughts);
        }
        let took = lead.words.strip_prefix("thought for ").unwrap_or_default();
        if took.starts_with(|first: char| first.is_ascii_digit()) || thinks_of_a_customer(line) {
            return Err(Unspoken::Thoughts);
        }
        let is_alone = lead.follows == Follows::Colon && lead.rest.trim_matches([':', '*', ' ']).is_empty();
        match lead.words {
            "response" if is_alone => return Err(Unspoken::Thoughts),
            words if lead.follows == Follows::Colon && STEPS.contains(&words) => {
                return Err(Unspoken::ToolMarkup);
            }
            "todo" if lead.follows == Follows::Colon => return Err(Unspoken::Markup),
            _ => {}
        }
        let in_brackets = line.match_indices(['(', '[', '{']).filter_map(|(at, _)| line.get(at + 1..));
        let is_thought = |inner: &str| {
            let lead = Lead::of(inner);
            lead.follows == Follows::Colon && THOUGHTS.contains(&lead.words)
        };
        if in_brackets.filter(|inner| inner.starts_with(char::is_alphanumeric)).any(is_thought) {
            return Err(Unspoken::Thoughts);
        }
    }
    Ok(())
}

/// What a line begins with.
pub(super) struct Lead<'a> {
    pub(super) words: &'a str,
    pub(super) follows: Follows,
    pub(super) rest: &'a str,
}

#[derive(PartialEq)]
pub(super) enum Follows {
    Colon,
    /// A bracket that closes.
    Bracket,
    Dash,
    /// Nothing but dots.
    End,
    Words,
}

impl<'a> Lead<'a> {
    pub(super) fn of(line: &'a str) -> Self {
        let line = line.trim_start_matches(|other: char| !other.is_alphanumeric());
        let signs = [':', '(', '[', '{', ')', ']', '}', '—', '–', '…', '.', '!', '?', ',', ';', '|'];
        let end = line.find(signs).unwrap_or(line.len());
        let end = line.get(..end).and_then(|words| words.find(" - ")).unwrap_or(end);
        let (words, rest) = line.split_at_checked(end).unwrap_or((line, ""));
        let follows = match rest.trim_start().chars().next() {
            Some(':') => Follows::Colon,
            Some(']' | ')' | '}') => Follows::Bracket,
            Some('—' | '–' | '-') => Follows::Dash,
            _ if rest.trim_matches(['.', '…', ' ']).is_empty() => Follows::End,
            _ => Follows::Words,
        };
        Self { words: words.trim_matches(['*', '_', '`', '"', '#', ' ']), follows, rest }
    }
}

/// Whether a line in small letters speaks of the customer, not to the customer.
fn thinks_of_a_customer(line: &str) -> bool {
    let signs = |other: char| !other.is_alphanumeric();
    let mut line = line.trim_start_matches(signs);
    while let Some(rest) =
        FILLERS.iter().find_map(|filler| line.strip_prefix(filler).filter(|rest| rest.starts_with(signs)))
    {
        line = rest.trim_start_matches(signs);
    }
    let is_of_customer = SUBJECTS.iter().any(|subject| {
        let does = line.strip_prefix(subject).and_then(|rest| rest.strip_prefix(' ')).unwrap_or_default();
        VERBS
            .iter()
            .any(|verb| does.strip_prefix(verb).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric)))
    });
    is_of_customer || TO_ITSELF.iter().any(|words| line.starts_with(words))
}

/// Whether a text adds a question and an answer of its own: `Yes.`, `Q: And on Sunday?`, `A: Yes.` One that begins so, or under a
/// heading, is a list of questions.
fn goes_on(text: &str) -> bool {
    let labelled = |line: &str, labels: &[&str]| {
        let (label, said) = line.split_once(':').unwrap_or_default();
        let label = label.trim_matches(['#', '*', '_', ' ', '>']).to_lowercase();
        labels.contains(&label.as_str()).then(|| said.trim_end_matches(['*', ' ']).ends_with('?'))
    };
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let asks = |line: &str| labelled(line, &["q", "question", "вопрос"]) == Some(true);
    let Some(first) = lines.iter().position(|line| asks(line)) else { return false };
    let is_answered =
        lines.get(first + 1).is_some_and(|line| labelled(line, &["a", "answer", "ответ"]).is_some());
    let follows = first.checked_sub(1).and_then(|before| lines.get(before));
    is_answered && follows.is_some_and(|before| !before.ends_with(':'))
}

/// Refuses roles as servers leave them that take tokens away, and a talk in which both sides speak.
fn dialogue(text: &str) -> Result<(), Unspoken> {
    if goes_on(text) {
        return Err(Unspoken::SpecialTokens);
    }
    let (mut has_theirs, mut has_ours) = (false, false);
    for line in text.lines() {
        let line = line.trim_matches(['#', '*', ' ', '\t', '>']);
        let (role, said) = line.split_once(':').unwrap_or((line, ""));
        let is_alone = said.trim_matches(['*', ' ']).is_empty();
        let lower = role.trim_matches(['*', '_', ' ', '-', '•']).to_lowercase();
        let theirs = THEIRS.iter().position(|name| *name == lower);
        has_theirs |= theirs.is_some_and(|place| place < THEIRS_IN_PROMPTS || lower == "пользователь");
        has_ours |= OURS.contains(&lower.as_str());
        // "User: demo" is a login, "User: How much is it?" is a customer.
        let asks = theirs.is_some() && said.trim_end().ends_with('?');
        let is_bare = is_alone && ["assistant", "user", "system"].contains(&line.trim_end_matches(':'));
        let is_first = is_alone && line.ends_with(':') && OURS.contains(&lower.as_str());
        if asks || is_bare || is_first || has_theirs && has_ours || is_glued(line) {
            return Err(Unspoken::SpecialTokens);
        }
    }
    Ok(())
}

/// Whether a role follows a sentence without a space: `Yes.assistant`.
fn is_glued(line: &str) -> bool {
    ["assistant", "user", "system"].iter().any(|role| {
        let Some(before) = line.strip_suffix(role) else { return false };
        let last_word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
        // "Your login is anna.user"
        let is_login = *role != "assistant"
            && last_word.chars().all(|other| other.is_ascii_alphanumeric() || ".@".contains(other));
        let ends = |last: char| ".!?…)»”\"".contains(last) || !last.is_ascii() && !last.is_whitespace();
        before.chars().next_back().is_some_and(ends) && !is_login
    })
}
