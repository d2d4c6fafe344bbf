//! What a model did with its tools, as entries of the audit log: which tool, on which appeal, and never what was said. Pure.

use std::collections::BTreeMap;

use domain::Timestamp;
use store::{AuditEntry, AuditResult, AuditWho, StoredTurn};

use super::judgement::{Decision, Judgement, Why};
use super::tools::{CallProblem, Fields};

/// The entries of what a model decided about a turn.
pub(crate) fn entries(
    judgement: &Judgement,
    turn: &StoredTurn,
    model: &str,
    at: Timestamp,
) -> Vec<AuditEntry> {
    let entry = |action: &str, details: &[(&str, String)], code: Option<&str>| {
        let of_all = [("turn", turn.id.to_string()), ("model", model.to_owned())];
        let details = of_all.iter().chain(details);
        AuditEntry {
            at,
            who: AuditWho::Program,
            action: action.to_owned(),
            subject: Some(turn.appeal.map_or_else(|| turn.id.to_string(), |appeal| appeal.to_string())),
            details: details
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect::<BTreeMap<_, _>>(),
            address: None,
            result: if code.is_some() { AuditResult::Refused } else { AuditResult::Done },
            code: code.map(ToOwned::to_owned),
        }
    };
    let mut found = Vec::new();
    let noted = names(&judgement.fields);
    if !noted.is_empty() {
        found.push(entry("model_set_fields", &[("fields", noted.join(", "))], None));
    }
    match &judgement.decision {
        Decision::Answer { sources, .. } => {
            let cited = (!sources.is_empty()).then(|| ("sources", sources.join(", ")));
            found.push(entry("model_reply", cited.as_slice(), None));
        }
        Decision::Close { text, .. } => {
            if text.is_some() {
                found.push(entry("model_reply", &[], None));
            }
            found.push(entry("model_close", &[], None));
        }
        Decision::HandOver { why: Why::Requested(_), .. } => found.push(entry("model_hand_over", &[], None)),
        // No tool was used.
        Decision::HandOver { .. } | Decision::Continue(_) => {}
    }
    found.extend(judgement.problems.iter().map(|problem| {
        let (tool, code) = match problem {
            CallProblem::Unknown(name) => (name.as_str(), "unknown_tool"),
            CallProblem::Arguments { tool } => (*tool, "bad_arguments"),
            CallProblem::Missing { tool, .. } => (*tool, "missing_argument"),
            CallProblem::TooLong { tool, .. } => (*tool, "too_long"),
        };
        entry("model_call", &[("tool", tool.to_owned())], Some(code))
    }));
    found
}

/// The names of the fields that say something.
fn names(fields: &Fields) -> Vec<&'static str> {
    let Fields { name, phone, email, device, tags } = fields;
    let present = [
        ("name", name.is_some()),
        ("phone", phone.is_some()),
        ("email", email.is_some()),
        ("device", device.is_some()),
        ("tags", !tags.is_empty()),
    ];
    present.into_iter().filter(|(_, is_present)| *is_present).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use domain::TurnStage;
    use domain::{SpokenText, Unspoken};

    use super::*;

    fn turn() -> StoredTurn {
        StoredTurn {
            id: "turn_00000000000000000000000001".parse().expect("an id"),
            chat: "avito:shop/u2i-1".parse().expect("a chat"),
            stage: TurnStage::Respond,
            client: None,
            appeal: Some("appeal_00000000000000000000000002".parse().expect("an id")),
            responder: None,
            discards: 0,
            created_at: Timestamp::default(),
            stage_at: Timestamp::default(),
            due_at: Timestamp::default(),
            tries: 0,
            answer: None,
            formatted: None,
            needs_approval: false,
            why: None,
            outbox_id: None,
        }
    }

    fn actions(judgement: &Judgement) -> Vec<(String, Option<String>)> {
        let found = entries(judgement, &turn(), "demo", Timestamp::default());
        assert!(!format!("{found:?}").contains("Anna"), "{found:?}");
        let appeal = turn().appeal.map(|appeal| appeal.to_string());
        assert!(found.iter().all(|entry| entry.subject == appeal && entry.who == AuditWho::Program));
        found.into_iter().map(|entry| (entry.action, entry.code)).collect()
    }

    #[test]
    fn each_tool_use_is_an_entry_without_the_conversation() {
        let fields = Fields { name: Some("Anna".into()), tags: vec!["Anna".into()], ..Fields::default() };
        let decided = |decision| Judgement { decision, fields: fields.clone(), problems: Vec::new() };
        let done = |action: &str| (action.to_owned(), None);
        let answer = Decision::Answer {
            text: SpokenText::read("Anna").unwrap(),
            confidence: None,
            sources: Vec::new(),
        };
        assert_eq!(actions(&decided(answer)), [done("model_set_fields"), done("model_reply")]);
        let close = Decision::Close { reason: "Anna".into(), text: SpokenText::read("Anna").ok() };
        let expected = [done("model_set_fields"), done("model_reply"), done("model_close")];
        assert_eq!(actions(&decided(close)), expected);
        let over = Decision::HandOver { why: Why::Requested("Anna".into()), proposed: None };
        assert_eq!(actions(&decided(over)), [done("model_set_fields"), done("model_hand_over")]);
    }

    #[test]
    fn calls_that_do_nothing_are_refused_entries() {
        let judgement = Judgement {
            problems: vec![
                CallProblem::Unknown("refund".to_owned()),
                CallProblem::Arguments { tool: "close" },
            ],
            ..Judgement::without_answer(Why::Unspoken(Unspoken::Empty))
        };
        let refused = |code: &str| ("model_call".to_owned(), Some(code.to_owned()));
        assert_eq!(actions(&judgement), [refused("unknown_tool"), refused("bad_arguments")]);
    }
}
