//! Answers of models as servers give them, each with what a customer reads or why a person answers instead.

use serde_json::{Value, json};

use super::answer;
use super::judgement::{Decision, Rules, judge};
use super::tools::ToolSet;

const CORPUS: &str = include_str!("corpus.txt");

/// One answer of the corpus.
struct Case {
    name: &'static str,
    body: String,
    expected: String,
}

/// The answers: `=== name`, then the text of an answer, or with `{` or `data:` a whole body, then `--- expected`.
fn cases() -> Vec<Case> {
    let all = CORPUS.split("\n=== ").skip(1);
    all.map(|case| {
        let (name, rest) = case.split_once('\n').expect("a name");
        let (given, expected) =
            rest.rsplit_once("\n--- ").unwrap_or_else(|| panic!("{name} has an expectation"));
        let is_body =
            given.starts_with("{\"choices") || given.starts_with("{\"id") || given.starts_with("data:");
        let message = json!({ "role": "assistant", "content": unescaped(given) });
        let whole =
            json!({ "choices": [{ "index": 0, "message": message, "finish_reason": "stop" }] }).to_string();
        Case {
            name,
            body: if is_body { given.to_owned() } else { whole },
            expected: unescaped(expected.trim_end()),
        }
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
    let rules =
        Rules { sources: &[], must_cite: false, least_confidence: None, longest: 4_000, is_last_round: true };
    let Some(answer) = answer::read(body.as_bytes(), &tools) else { return "person no_answer".to_owned() };
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
    assert!(cases.len() >= 60, "{} cases", cases.len());
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let outcome = outcome(&case.body);
            (outcome != case.expected)
                .then(|| format!("{}\n  expected {:?}\n  but      {outcome:?}", case.name, case.expected))
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
