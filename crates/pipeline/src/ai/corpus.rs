//! Answers of models as servers give them, each with what a customer reads or why a person answers instead.

use domain::spoken::Languages;
use serde_json::{Value, json};

use super::answer;
use super::judgement::{Decision, Rules, judge};
use super::tools::ToolSet;

/// The limit of tokens with which the answers were asked for.
const MOST_TOKENS: u32 = 1_000;

const CORPUS: &str = include_str!("corpus.txt");

/// One answer of the corpus.
struct Case {
    name: &'static str,
    body: String,
    expected: String,
}

impl Case {
    fn of_text(name: &'static str, text: &str, expected: String) -> Self {
        let message = json!({ "role": "assistant", "content": text });
        let whole = json!({ "choices": [{ "index": 0, "message": message, "finish_reason": "stop" }] });
        Self { name, body: whole.to_string(), expected }
    }

    /// The texts of a list, each a string of JSON on its line, or with what it reads as a list of two.
    fn of_list(name: &'static str, given: &'static str, expected: &str) -> Vec<Self> {
        let case = |line: &str| {
            let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line} is JSON"));
            let text =
                |value: &Value| value.as_str().unwrap_or_else(|| panic!("{value} is a text")).to_owned();
            let (text, expected) = match expected {
                "each says it" => (text(&line), format!("says {}", text(&line))),
                "each reads so" => (text(&line[0]), format!("says {}", text(&line[1]))),
                "each person" => (text(&line), "person".to_owned()),
                "each asks" => (text(&line), "person asked".to_owned()),
                other => panic!("{name} expects {other}"),
            };
            Self::of_text(name, &text, expected)
        };
        given.lines().map(case).collect()
    }

    /// Says whether an outcome is the expected one; `person` alone is a person for any reason.
    fn expects(&self, outcome: &str) -> bool {
        outcome == self.expected || self.expected == "person" && outcome.starts_with("person ")
    }
}

/// The answers: `=== name`, then the text of an answer, or with `{` or `data:` a whole body, then `--- expected`; or a list of texts,
/// then `--- each …`.
fn cases() -> Vec<Case> {
    let all = CORPUS.split("\n=== ").skip(1);
    all.flat_map(|case| {
        let (name, rest) = case.split_once('\n').expect("a name");
        let (given, expected) =
            rest.rsplit_once("\n--- ").unwrap_or_else(|| panic!("{name} has an expectation"));
        let expected = expected.trim_end();
        if expected.starts_with("each ") {
            return Case::of_list(name, given, expected);
        }
        let is_body = ["{\"choices", "{\"id", "data:", "id:"].iter().any(|start| given.starts_with(start));
        let mut case = Case::of_text(name, &unescaped(given), unescaped(expected));
        if is_body {
            given.clone_into(&mut case.body);
        }
        vec![case]
    })
    .collect()
}

/// Characters that cannot be seen are written `\u{…}`.
fn unescaped(text: &str) -> String {
    let mut pieces = text.split("\\u{");
    let mut made = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (code, rest) = piece.split_once('}').expect("a code");
        made.push(u32::from_str_radix(code, 16).ok().and_then(char::from_u32).expect("a character"));
        made.push_str(rest);
    }
    made
}

/// What is done, in words: `says` and the text, or `person` and why.
fn outcome(body: &str) -> String {
    let tools = ToolSet { close: true, set_fields: true, sources: Vec::new() };
    let rules = Rules {
        sources: &[],
        instructions: &[],
        languages: Languages::default(),
        must_cite: false,
        least_confidence: None,
        longest: 4_000,
        is_last_round: true,
    };
    let Some(answer) = answer::read(body.as_bytes(), &tools, MOST_TOKENS) else {
        return "person no_answer".to_owned();
    };
    match judge(&answer, rules).decision {
        Decision::Answer { text, .. } | Decision::Close { text: Some(text), .. } => {
            format!("says {}", text.plain())
        }
        Decision::Close { text: None, .. } => "closes".to_owned(),
        Decision::HandOver { why, .. } => format!("person {}", why.word()),
        Decision::Continue(_) => "continues".to_owned(),
    }
}

#[test]
fn each_answer_comes_to_what_the_corpus_says() {
    let cases = cases();
    assert!(cases.len() >= 500, "{} cases", cases.len());
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let outcome = outcome(&case.body);
            (!case.expects(&outcome)).then(|| {
                let Case { name, body, expected } = case;
                format!("{name}\n  {body}\n  expected {expected:?}\n  but      {outcome:?}")
            })
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The same answers without their end, at any place, and in any other mood: nothing is said that has a mark in it.
#[test]
fn an_answer_that_is_cut_anywhere_shows_no_mark() {
    for case in cases() {
        let body: Value = serde_json::from_str(&case.body).unwrap_or_default();
        let Some(text) = body["choices"][0]["message"]["content"].as_str() else { continue };
        // Of a text that is said as it is, every piece is a piece of it.
        if case.expected == format!("says {text}") {
            continue;
        }
        for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
            let message = json!({ "content": &text[..end] });
            let body = json!({ "choices": [{ "message": message, "finish_reason": "stop" }] }).to_string();
            let outcome = outcome(&body).to_lowercase();
            let signs = [
                "<think",
                "</think",
                "<|",
                "|>",
                "[think]",
                "tool_call",
                "\"arguments\"",
                "<function",
                "</s>",
                "**",
            ];
            assert!(
                !signs.iter().any(|sign| outcome.contains(sign) && outcome.starts_with("says")),
                "{} {outcome}",
                case.name
            );
        }
    }
}
