//! The closed list of names that our prompts use: of tools and of the arguments of a reply. A prompt takes its names from here, and
//! the gate refuses these words where they stand as names.

pub const REPLY: &str = "reply";
pub const HAND_OVER: &str = "hand_over";
pub const CLOSE: &str = "close";
pub const SET_FIELDS: &str = "set_fields";

pub const TEXT: &str = "text";
pub const CONFIDENCE: &str = "confidence";
pub const SOURCES: &str = "sources";

const TOOLS: [&str; 4] = [REPLY, HAND_OVER, CLOSE, SET_FIELDS];

/// Says whether a line has one of the names as a name, not as a word.
pub(super) fn is_named(line: &str) -> bool {
    let is_sign = |other: char| !other.is_ascii_alphanumeric() && !['_', '-'].contains(&other);
    let mut at = 0;
    line.split_inclusive(is_sign).any(|piece| {
        let word = piece.trim_end_matches(is_sign);
        let before = line.get(..at).unwrap_or_default();
        let after = line.get(at + word.len()..).unwrap_or_default();
        at += piece.len();
        Place { before, word: word.trim_matches(['_', '-']), after }.is_name()
    })
}

/// Returns the letters and digits of a name in lower case. Programs write one name as `hand_over`, `handOver` and `hand-over`.
pub fn letters(name: &str) -> String {
    name.chars().filter(|other| other.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Returns the words of a name in lower case: `transfer_to_operator` and `transferToOperator` have three.
fn words(name: &str) -> Vec<String> {
    let (mut spaced, mut was_lower) = (String::with_capacity(name.len()), false);
    for character in name.chars() {
        if was_lower && character.is_uppercase() {
            spaced.push(' ');
        }
        was_lower = character.is_lowercase();
        spaced.push(if character.is_alphanumeric() { character } else { ' ' });
    }
    spaced.split_whitespace().map(str::to_lowercase).collect()
}

/// Says whether a tool has this name, in whatever way it is written.
fn is_tool(name: &str, tool: &str) -> bool {
    letters(name) == letters(tool)
}

/// People of a business as names have them, in English and as the words begin in Russian.
const PEOPLE: [&str; 8] =
    ["human", "person", "operator", "manager", "agent", "specialist", "staff", "support"];
const PEOPLE_IN_RUSSIAN: [&str; 6] =
    ["оператор", "менеджер", "человек", "специалист", "сотрудник", "администратор"];

fn is_of_people(word: &str) -> bool {
    PEOPLE.contains(&word) || PEOPLE_IN_RUSSIAN.iter().any(|start| word.starts_with(start))
}

/// Says whether the name of a tool, of a field or of an action asks for a person: `handOver`, `escalate`, `needs_human`,
/// `transfer_to_operator`, `ПЕРЕВОД НА ОПЕРАТОРА`.
pub fn wants_a_person(name: &str) -> bool {
    const ALONE: [&str; 7] =
        ["handover", "handoff", "handedover", "escalate", "escalation", "эскалац", "эскалир"];
    const ASKS: [&str; 21] = [
        "need",
        "needs",
        "needed",
        "want",
        "wants",
        "require",
        "requires",
        "required",
        "request",
        "requested",
        "call",
        "transfer",
        "connect",
        "switch",
        "route",
        "redirect",
        "takeover",
        "intervention",
        "assistance",
        "review",
        "loop",
    ];
    // What such a name is about where it says something of a request, not asks.
    const ENDS: [&str; 9] = ["id", "ids", "name", "at", "url", "count", "score", "time", "date"];
    const ASKS_IN_RUSSIAN: [&str; 11] = [
        "нужен",
        "нужна",
        "требу",
        "перевод",
        "перевест",
        "переключ",
        "переда",
        "позва",
        "вызов",
        "вызва",
        "подключ",
    ];
    const DENIES: [&str; 8] = ["no", "not", "none", "never", "without", "не", "нет", "без"];
    let (joined, words) = (letters(name), words(name));
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    let asks = has(&ASKS)
        || words.first().is_some_and(|first| first == "to")
        || words.iter().any(|word| ASKS_IN_RUSSIAN.iter().any(|start| word.starts_with(start)));
    let names_a_person = words.iter().any(|word| is_of_people(word));
    let is_detail = words.last().is_some_and(|last| ENDS.contains(&last.as_str()));
    !has(&DENIES) && !is_detail && (ALONE.iter().any(|word| joined.contains(word)) || names_a_person && asks)
}

/// Says whether a name is that of people of a business and of nothing else: `operator`, `human_agent`.
pub fn is_person(name: &str) -> bool {
    let words = words(name);
    let is_of_them =
        |word: &String| is_of_people(word) || ["a", "the", "live", "real"].contains(&word.as_str());
    words.iter().any(|word| is_of_people(word)) && words.iter().all(is_of_them)
}

/// Says whether the name of a writer is that of a language model: `ai`, `llm-bot`, `GPT-4o`.
pub fn is_of_model(name: &str) -> bool {
    const MODELS: [&str; 18] = [
        "grok",
        "phi",
        "gemma",
        "yandexgpt",
        "ai",
        "ии",
        "bot",
        "бот",
        "llm",
        "model",
        "assistant",
        "ассистент",
        "claude",
        "gemini",
        "deepseek",
        "qwen",
        "llama",
        "gigachat",
    ];
    // A family and its number stand in one word: `qwen2.5`, `o3`.
    let is_family = |word: &str| {
        let family = word.trim_end_matches(|sign: char| sign.is_ascii_digit());
        MODELS.contains(&family) || family == "o" && family.len() < word.len()
    };
    words(name).iter().any(|word| {
        ["gpt", "chatbot", "mistral", "llama", "agent", "openai", "нейросет"]
            .iter()
            .any(|part| word.contains(part))
            || is_family(word)
    })
}

/// A word in its line.
struct Place<'a> {
    before: &'a str,
    word: &'a str,
    after: &'a str,
}

impl Place<'_> {
    fn is_name(&self) -> bool {
        TOOLS.iter().any(|tool| is_tool(self.word, tool) && self.is_of_tool(tool)) || self.is_of_argument()
    }

    /// `reply` and `close` are words, too; the other two are names wherever they stand.
    fn is_of_tool(&self, tool: &str) -> bool {
        let Self { before, word, after } = self;
        if word.contains('_') {
            return true;
        }
        let is_lower = self.is_lower();
        let ends = |text: &str| !text.contains(char::is_alphanumeric);
        let is_value = before.trim_end().ends_with([':', '='])
            || ["call ", "Call "].iter().any(|call| before.ends_with(call));
        // "close: 18:00" and "Handover: 14:00" are hours.
        let gives = self
            .given()
            .is_some_and(|value| tool == REPLY || !value.starts_with(|other: char| other.is_ascii_digit()));
        let is_called = after.starts_with('(')
            || self.leads() && gives
            || before.ends_with(['[', '{', '<']) && after.starts_with([']', '}', '>'])
            || before.ends_with('{') && gives;
        (is_lower || tool != CLOSE) && is_called
            || is_lower
                && (self.leads() && ends(after)
                    || is_value && (ends(after) || tool == REPLY && after.starts_with(" with ")))
    }

    fn is_of_argument(&self) -> bool {
        let is = |argument: &str| self.word.eq_ignore_ascii_case(argument);
        if !(is(TEXT) && self.is_lower() || is(CONFIDENCE) || is(SOURCES)) || self.given().is_none() {
            return false;
        }
        let last = self.before.trim_end().chars().next_back();
        let is_in_object = matches!(last, Some('{' | '"' | '\''));
        let follows_another = match last {
            Some(',') => is(SOURCES) || self.after.starts_with(['"', '\'', '=']),
            Some('(') => is(SOURCES),
            _ => false,
        };
        is(CONFIDENCE) || is_in_object || follows_another || self.leads()
    }

    /// What follows a colon or a sign of equality after the word.
    fn given(&self) -> Option<&str> {
        let after = self.after.trim_start_matches(['"', '\'', '`', '*', ' ']);
        after.strip_prefix([':', '=']).map(|value| value.trim_start_matches(['>', ' ', '=', '*']))
    }

    /// It is the first word of its line.
    fn leads(&self) -> bool {
        !self.before.contains(char::is_alphabetic)
    }

    fn is_lower(&self) -> bool {
        !self.word.contains(|other: char| other.is_ascii_uppercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_ask_for_a_person_are_read_in_any_spelling() {
        for name in [
            "hand_over",
            "handover",
            "handOver",
            "hand-over",
            "Hand_Over",
            "functions.hand_over",
            "handoff_to_human",
            "escalate",
            "escalateToManager",
            "needs_human",
            "needsHuman",
            "human_needed",
            "transfer_to_operator",
            "transferToOperator",
            "call_manager",
            "to_operator",
            "TRANSFER_TO_AGENT",
            "handover_to_operator",
            "НУЖЕН ОПЕРАТОР",
            "нужен_оператор",
            "Перевод на оператора",
            "передаёт диалог оператору",
            "human_takeover",
            "HUMAN_REVIEW",
            "human_in_the_loop",
            "requestHumanAssistance",
        ] {
            assert!(wants_a_person(name), "{name}");
        }
        for name in [
            "reply",
            "close",
            "text",
            "operator",
            "manager_name",
            "search_order",
            "note_to_operator",
            "phone",
            "no_handoff",
            "noHumanNeeded",
            "support_request_id",
            "handoff_at",
            "operator_review_score",
            "Оператор не нужен",
            "оператор",
        ] {
            assert!(!wants_a_person(name), "{name}");
        }
        for name in ["operator", "human", "human_agent", "LiveAgent", "оператор"] {
            assert!(is_person(name), "{name}");
        }
        for name in ["", "ai_agent", "operator_name", "the", "support_url", "clerk"] {
            assert!(!is_person(name), "{name}");
        }
    }

    #[test]
    fn writers_that_are_models_are_named_so() {
        for name in
            ["ai", "AI", " ai ", "bot", "llm", "model", "assistant", "gpt-4o", "ChatGPT", "ai_agent", "ИИ"]
        {
            assert!(is_of_model(name), "{name}");
        }
        for name in ["", "crm", "operator", "manager", "email", "robot-vacuum shop", "1c"] {
            assert!(!is_of_model(name), "{name}");
        }
    }
}
