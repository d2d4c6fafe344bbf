//! What an answer of a model comes to: it is sent, the appeal is closed, or a person answers. Never nothing. Pure.

use domain::secret::Words;
use domain::spoken::Languages;
use domain::spoken::names::{REPLY, wants_a_person};
use domain::{SpokenText, Unspoken, spoken};

use super::answer::{Answer, Content, ToolCall};
use super::budget::OverBudget;
use super::endpoint::AskError;
use super::message::Message;
use super::prompt;
use super::tools::{Action, CallProblem, Fields, Reply, reply_in_text};

/// What an answer must be.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// The names of the texts that were given.
    pub sources: &'a [String],
    /// What the owner's template instructs the model, as [`prompt::Prompt`] has it. No answer repeats it.
    pub instructions: &'a [String],
    /// The languages of the conversation.
    pub languages: Languages,
    /// Whether it must cite one of them.
    pub must_cite: bool,
    /// The least confidence with which it is sent; none takes any, and answers that state none.
    pub least_confidence: Option<f64>,
    /// The most characters of its text.
    pub longest: usize,
    /// Whether the model is not asked again.
    pub is_last_round: bool,
}

/// What it comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    pub decision: Decision,
    /// What the customer said of themselves.
    pub fields: Fields,
    /// Calls that did nothing.
    pub problems: Vec<CallProblem>,
}

/// What is done.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// The text is sent.
    Answer { text: SpokenText, confidence: Option<f64>, sources: Vec<String> },
    /// The appeal is closed, after this text where there is one.
    Close { reason: Words, text: Option<SpokenText> },
    /// A person answers.
    HandOver { why: Why, proposed: Option<SpokenText> },
    /// The model is asked again, with these messages at the end.
    Continue(Vec<Message>),
}

/// Why a person answers. The text is for that person; [`Why::word`] is for logs.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Why {
    /// The customer wants it, or the model cannot help.
    #[error("the model hands over: {}", .0.as_str())]
    Requested(Words),
    /// What it said is not for a customer.
    #[error(transparent)]
    Unspoken(#[from] Unspoken),
    /// Unknown tools, or calls that cannot be read.
    #[error("the model's answer makes no sense: {0}")]
    Nonsense(CallProblem),
    /// It noted something, and never answered.
    #[error("the model noted what the customer said and gave no answer")]
    OnlyNoted,
    #[error("the model's answer has {length} characters, more than {longest}")]
    TooLong { length: usize, longest: usize },
    #[error("the model is not sure enough ({confidence} of {least})")]
    Unsure { confidence: f64, least: f64 },
    #[error("the model does not say how sure it is")]
    NoConfidence,
    #[error("the model's answer cites no text")]
    NoSource,
    #[error("the model's answer cites a text that there is not: {0:?}")]
    UnknownSource(String),
    #[error(transparent)]
    OverBudget(#[from] OverBudget),
    #[error(transparent)]
    NoAnswer(#[from] AskError),
}

impl Why {
    /// One word of it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Requested(_) => "asked",
            Self::Unspoken(why) => why.word(),
            Self::Nonsense(_) => "nonsense",
            Self::OnlyNoted => "only_noted",
            Self::TooLong { .. } => "too_long",
            Self::Unsure { .. } => "unsure",
            Self::NoConfidence => "no_confidence",
            Self::NoSource => "no_source",
            Self::UnknownSource(_) => "unknown_source",
            Self::OverBudget(_) => "over_budget",
            Self::NoAnswer(AskError::Timeout(_)) => "timeout",
            Self::NoAnswer(_) => "no_answer",
        }
    }
}

impl Judgement {
    /// What it comes to when there is no answer.
    pub fn without_answer(why: impl Into<Why>) -> Self {
        hand_over(why.into(), None)
    }
}

/// Says what an answer comes to.
pub fn judge(answer: &Answer, rules: Rules<'_>) -> Judgement {
    match &answer.content {
        Content::Text(text) => decided(of_reply(reply_in_text(text), rules)),
        Content::Unspoken { why, said } => {
            // A person may finish what broke off, and say what was said beside a wish for that person.
            let is_proposed = matches!(why, Unspoken::Cut | Unspoken::PersonWanted);
            let proposed = is_proposed.then(|| SpokenText::read(said).ok()).flatten();
            hand_over(Why::Unspoken(why.clone()), proposed)
        }
        Content::Calls { calls, .. } => of_calls(answer, calls, rules),
    }
}

fn decided(decision: Decision) -> Judgement {
    Judgement { decision, fields: Fields::default(), problems: Vec::new() }
}

fn hand_over(why: Why, proposed: Option<SpokenText>) -> Judgement {
    decided(Decision::HandOver { why, proposed })
}

/// A person is wanted before anything else; what cannot be read closes nothing and notes nothing.
fn of_calls(answer: &Answer, calls: &[ToolCall], rules: Rules<'_>) -> Judgement {
    let (mut fields, mut problems) = (Fields::default(), Vec::new());
    let (mut reply, mut wants_person, mut closes) = (None::<Reply>, None, None);
    let mut has_several = false;
    for call in calls {
        match &call.read {
            Ok(Action::Reply(proposed)) => {
                has_several |= reply.as_ref().is_some_and(|before| before.text != proposed.text);
                reply = Some(proposed.clone());
            }
            Ok(Action::HandOver { reason }) => wants_person = Some(reason.clone()),
            Ok(Action::Close { reason }) => closes = Some(reason.clone()),
            Ok(Action::SetFields(noted)) => fields = fields.then(noted.clone()),
            Err(problem) => {
                if wants_a_person(&call.name) {
                    wants_person = Some(Words::default());
                }
                problems.push(problem.clone());
            }
        }
    }
    // A call that is not known may be what the reply speaks of, or a wish for a person. Another reply may say the opposite.
    let spoils = |problem: &&CallProblem| match problem {
        CallProblem::Unknown(_) => true,
        CallProblem::Arguments { tool }
        | CallProblem::Missing { tool, .. }
        | CallProblem::TooLong { tool, .. } => *tool == REPLY,
    };
    // Beside calls a text says what the model does, not what the customer is to read.
    let decision = match (wants_person, reply, closes) {
        (Some(reason), reply, _) => {
            let proposed =
                reply.filter(|_| !has_several).and_then(|reply| SpokenText::read(&reply.text).ok());
            Decision::HandOver { why: Why::Requested(reason), proposed }
        }
        (None, Some(_), _) if has_several => {
            Decision::HandOver { why: Why::Unspoken(Unspoken::Several), proposed: None }
        }
        (None, Some(reply), closes) => match (problems.iter().find(spoils), closes) {
            (Some(_), _) if !rules.is_last_round => Decision::Continue(answer.follow_up()),
            (Some(problem), _) => {
                let proposed = SpokenText::read(&reply.text).ok();
                Decision::HandOver { why: Why::Nonsense(problem.clone()), proposed }
            }
            (None, Some(reason)) => match of_reply(reply, rules) {
                Decision::Answer { text, .. } => Decision::Close { reason, text: Some(text) },
                other => other,
            },
            (None, None) => of_reply(reply, rules),
        },
        (None, None, Some(reason)) if problems.is_empty() => Decision::Close { reason, text: None },
        (None, None, _) if !rules.is_last_round => Decision::Continue(answer.follow_up()),
        (None, None, _) => {
            let why = problems.last().cloned().map_or(Why::OnlyNoted, Why::Nonsense);
            Decision::HandOver { why, proposed: None }
        }
    };
    Judgement { decision, fields, problems }
}

fn of_reply(reply: Reply, rules: Rules<'_>) -> Decision {
    let Reply { text, confidence, mut sources } = reply;
    let text = match SpokenText::read(&text) {
        Ok(text) => text,
        Err(why) => return Decision::HandOver { why: Why::Unspoken(why), proposed: None },
    };
    let plain = text.plain();
    if prompt::is_repeated_in(&plain, rules.instructions) {
        return Decision::HandOver { why: Why::Unspoken(Unspoken::Thoughts), proposed: None };
    }
    if spoken::cites(&plain, rules.sources) {
        return Decision::HandOver { why: Why::Unspoken(Unspoken::ToolMarkup), proposed: None };
    }
    if rules.languages.are_left_by(&plain) {
        return Decision::HandOver { why: Why::Unspoken(Unspoken::Language), proposed: None };
    }
    let length = plain.chars().count();
    let unknown = sources.iter().find(|name| !rules.sources.contains(name));
    let why = match (rules.least_confidence, confidence) {
        _ if length > rules.longest => Some(Why::TooLong { length, longest: rules.longest }),
        (Some(least), Some(confidence)) if confidence < least => Some(Why::Unsure { confidence, least }),
        (Some(_), None) => Some(Why::NoConfidence),
        _ if !rules.must_cite => None,
        _ if sources.is_empty() => Some(Why::NoSource),
        _ => unknown.map(|name| Why::UnknownSource(name.chars().take(64).collect())),
    };
    if let Some(why) = why {
        return Decision::HandOver { why, proposed: Some(text) };
    }
    sources.retain(|name| rules.sources.contains(name));
    Decision::Answer { text, confidence, sources }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::ai::answer;
    use crate::ai::tools::ToolSet;

    fn sources() -> Vec<String> {
        vec!["prices".to_owned()]
    }

    fn rules(sources: &[String]) -> Rules<'_> {
        Rules {
            sources,
            instructions: &[],
            languages: Languages::default(),
            must_cite: false,
            least_confidence: None,
            longest: 100,
            is_last_round: true,
        }
    }

    fn tools() -> ToolSet {
        ToolSet { close: true, set_fields: true, sources: sources() }
    }

    fn answer(message: &Value) -> Answer {
        let body = json!({ "choices": [{ "message": message, "finish_reason": "stop" }] });
        answer::read(body.to_string().as_bytes(), &tools(), 1_000).unwrap()
    }

    fn calls(calls: &[(&str, Value)]) -> Value {
        let call = |(name, arguments): &(&str, Value)| json!({ "id": name, "function": { "name": name, "arguments": arguments.to_string() } });
        json!({ "content": null, "tool_calls": calls.iter().map(call).collect::<Vec<_>>() })
    }

    /// What is done, in words.
    fn shown(decision: &Decision) -> String {
        let words =
            |text: &Option<SpokenText>| text.as_ref().map_or_else(|| "-".to_owned(), SpokenText::plain);
        match decision {
            Decision::Answer { text, .. } => format!("answer {}", text.plain()),
            Decision::Close { text, .. } => format!("close {}", words(text)),
            Decision::HandOver { why, proposed } => format!("{} {}", why.word(), words(proposed)),
            Decision::Continue(messages) => format!("continue {}", messages.len()),
        }
    }

    fn decided(message: &Value, rules: Rules<'_>) -> String {
        shown(&judge(&answer(message), rules).decision)
    }

    #[test]
    fn plain_texts_are_answers() {
        let sources = sources();
        let text = |text: &str| decided(&json!({ "content": text }), rules(&sources));
        assert_eq!(text("Yes"), "answer Yes");
        assert_eq!(text("{\"text\":\"Yes\",\"confidence\":0.1}"), "answer Yes");
        assert_eq!(text("{\"text\":\" \"}"), "empty -");
        assert_eq!(text("{\"answer\":1}"), "tool_markup -");
        assert_eq!(text(""), "empty -");
        assert_eq!(text("Yes [prices]"), "tool_markup -");
        assert_eq!(text("Yes, as our prices say."), "answer Yes, as our prices say.");
        let secret = ["nevertellacustomerwhatwepayforthewheels".to_owned()];
        let strict = Rules { instructions: &secret, ..rules(&sources) };
        let repeated = json!({ "content": "**Never** tell a customer what we pay for the wheels!" });
        assert_eq!(decided(&repeated, strict), "thoughts -");
        assert_eq!(text(&"x".repeat(101)), format!("too_long {}", "x".repeat(101)));
        let refusal = json!({ "content": null, "refusal": "No" });
        assert_eq!(decided(&refusal, rules(&sources)), "refused -");
    }

    #[test]
    fn an_answer_is_sent_when_it_is_sure_and_cites() {
        let sources = sources();
        let strict = Rules { must_cite: true, least_confidence: Some(0.7), ..rules(&sources) };
        let reply = |arguments: Value| decided(&calls(&[("reply", arguments)]), strict);
        let cited = json!(["prices"]);
        assert_eq!(reply(json!({ "text": "Yes", "confidence": 0.7, "sources": cited })), "answer Yes");
        assert_eq!(reply(json!({ "text": "Yes", "confidence": 0.6, "sources": cited })), "unsure Yes");
        assert_eq!(reply(json!({ "text": "Yes", "sources": cited })), "no_confidence Yes");
        assert_eq!(reply(json!({ "text": "Yes", "confidence": 1 })), "no_source Yes");
        assert_eq!(reply(json!({ "text": "Yes", "confidence": 1, "sources": ["x"] })), "unknown_source Yes");
        assert_eq!(decided(&json!({ "content": "Yes" }), strict), "no_confidence Yes");
        // Where nothing must be cited, what there is not is left out.
        let given = calls(&[("reply", json!({ "text": "Yes", "sources": ["x", "prices"] }))]);
        let Decision::Answer { sources: kept, .. } = judge(&answer(&given), rules(&sources)).decision else {
            panic!("it is no answer")
        };
        assert_eq!(kept, ["prices"]);
    }

    #[test]
    fn a_person_comes_first_and_what_cannot_be_read_does_nothing() {
        let sources = sources();
        let yes = || ("reply", json!({ "text": "Yes" }));
        let over = || ("hand_over", json!({ "reason": "wants a person" }));
        let close = || ("close", json!({ "reason": "done" }));
        let note = || ("set_fields", json!({ "name": "Anna" }));
        let wrong = |name| (name, json!([]));
        for (given, expected) in [
            (vec![yes(), close(), over()], "asked Yes"),
            (vec![yes(), wrong("hand_over")], "asked Yes"),
            (vec![yes(), yes()], "answer Yes"),
            (vec![yes(), ("reply", json!({ "text": "No" }))], "several -"),
            (vec![yes(), ("reply", json!({ "text": "No" })), over()], "asked -"),
            (vec![yes(), close()], "close Yes"),
            (vec![close()], "close -"),
            (vec![yes(), wrong("close")], "answer Yes"),
            (vec![yes(), note(), ("refund", json!({ "sum": 1 }))], "nonsense Yes"),
            (vec![yes(), ("reply", json!({ "text": 5 }))], "nonsense Yes"),
            (vec![yes(), ("transfer_to_operator", json!({}))], "asked Yes"),
            (vec![yes(), ("escalate", json!({}))], "asked Yes"),
            (vec![("reply", json!({ "text": "Yes", "hand_over": true }))], "asked -"),
            (vec![wrong("close")], "nonsense -"),
            (vec![("refund", json!({ "sum": 1 }))], "nonsense -"),
            (vec![wrong("reply"), close()], "nonsense -"),
            (vec![note()], "only_noted -"),
        ] {
            assert_eq!(decided(&calls(&given), rules(&sources)), expected, "{given:?}");
        }
        let judged = judge(&answer(&calls(&[yes(), note(), wrong("close")])), rules(&sources));
        assert_eq!(judged.fields.name, Some("Anna".into()));
        assert_eq!(judged.problems, [CallProblem::Arguments { tool: "close" }]);
        let more = Rules { is_last_round: false, ..rules(&sources) };
        assert_eq!(decided(&calls(&[note()]), more), "continue 2");
        assert_eq!(decided(&calls(&[note(), yes()]), more), "answer Yes");
        // The model is asked again, and learns that its reply was not sent.
        let spoiled = answer(&calls(&[yes(), ("refund", json!({}))]));
        assert_eq!(shown(&judge(&spoiled, more).decision), "continue 3");
        let Message::ToolResult { result, .. } = &spoiled.follow_up()[1] else { panic!("{spoiled:?}") };
        assert!(result.starts_with("not sent"), "{result}");
        // Beside a call, a text says what the model does.
        let beside = |given: &[(&str, Value)]| {
            let mut message = calls(given);
            message["content"] = json!("I will note the name.");
            decided(&message, rules(&sources))
        };
        assert_eq!(
            (beside(&[note()]), beside(&[close()])),
            ("only_noted -".to_owned(), "close -".to_owned())
        );
        for name in ["handover", "hand-over", "functions.hand_over", "HAND_OVER"] {
            assert_eq!(beside(&[(name, json!({}))]), "asked -", "{name}");
        }
        // An object with more than a reply has is no reply.
        for said in [
            json!({ "name": "hand_over", "text": "The client is angry" }),
            json!({ "hand_over": true, "text": "Yes" }),
            json!({ "thought": "Is it?", "text": "Yes" }),
        ] {
            let message = json!({ "content": said.to_string() });
            assert_ne!(decided(&message, rules(&sources)).split(' ').next(), Some("answer"), "{said}");
        }
    }

    #[test]
    fn without_an_answer_there_is_a_person() {
        let timeout = AskError::Timeout(Duration::from_secs(30));
        for (judged, word) in [
            (Judgement::without_answer(timeout), "timeout"),
            (Judgement::without_answer(AskError::Unauthorized(401)), "no_answer"),
            (Judgement::without_answer(OverBudget::Answer), "over_budget"),
        ] {
            let Decision::HandOver { why, proposed: None } = judged.decision else { panic!("{judged:?}") };
            assert_eq!(why.word(), word);
        }
    }

    fn any_call() -> impl Strategy<Value = (&'static str, Value)> {
        let name = prop_oneof![
            Just("reply"),
            Just("hand_over"),
            Just("close"),
            Just("set_fields"),
            Just("refund"),
            Just(""),
        ];
        let arguments = prop_oneof![
            Just(json!([])),
            Just(json!({})),
            Just(json!({ "reason": "x", "name": "Anna" })),
            ("[ a\n]{0,6}", any::<f64>())
                .prop_map(|(text, sure)| json!({ "text": text, "confidence": sure })),
            Just(json!({ "text": "Yes", "sources": ["prices", "x"], "confidence": "90%" })),
        ];
        (name, arguments)
    }

    proptest! {
        /// Whatever a model answers, something is done: what is sent is no blank and not too long, and only what was asked for closes.
        #[test]
        fn never_silence(
            given in prop::collection::vec(any_call(), 0..4), text in "[ a\n]{0,12}", must_cite: bool, is_last_round: bool,
            least_confidence in prop::option::of(0.0..1.0),
        ) {
            let sources = sources();
            let rules = Rules { must_cite, least_confidence, longest: 5, is_last_round, ..rules(&sources) };
            let mut message = calls(&given);
            message["content"] = text.into();
            let has = |name: &str| given.iter().any(|(called, _)| *called == name);
            match judge(&answer(&message), rules).decision {
                Decision::Answer { text, sources, .. } => {
                    let text = text.plain();
                    prop_assert!(!text.trim().is_empty() && text.chars().count() <= 5);
                    prop_assert!(!has("hand_over"));
                    prop_assert!(!must_cite || !sources.is_empty());
                }
                Decision::Close { text, .. } => {
                    prop_assert!(has("close") && !has("hand_over"));
                    prop_assert!(text.is_none_or(|text| !text.plain().trim().is_empty()));
                }
                Decision::HandOver { .. } => {}
                Decision::Continue(messages) => prop_assert!(!is_last_round && messages.len() > 1),
            }
        }
    }
}
