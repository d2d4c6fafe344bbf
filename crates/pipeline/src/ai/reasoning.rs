//! Content that repeats the thoughts in other fields of the answer. Pure.

use serde_json::Value;

use crate::fields::thoughts;

/// The most letters that two texts share by chance.
const BY_CHANCE: usize = 20;
/// What stands before a draft of the answer within thoughts. A model that plans its answer says the draft in the end.
const BEFORE_DRAFT: [char; 10] = [':', '"', '«', '“', '„', '\'', '`', '>', '*', '→'];

/// Says whether a content has the thoughts in it that stand in other fields, or is a part of them that is no draft.
pub(super) fn is_repeated(message: &Value, content: &str) -> bool {
    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    let is_long = |text: &str| text.chars().filter(|other| other.is_alphanumeric()).count() > BY_CHANCE;
    let said = squeezed(content);
    thoughts(message).iter().map(|text| squeezed(text)).filter(|thoughts| !thoughts.is_empty()).any(
        |thoughts| {
            said.starts_with(&thoughts)
                || is_long(&thoughts) && said.contains(&thoughts)
                || is_long(&said) && is_part(&said, &thoughts)
        },
    )
}

fn is_part(said: &str, thoughts: &str) -> bool {
    let mut places = thoughts.match_indices(said).peekable();
    let is_draft = |at| thoughts.get(..at).is_some_and(|before| before.ends_with(BEFORE_DRAFT));
    places.peek().is_some() && !places.any(|(at, _)| is_draft(at))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn content_that_repeats_thoughts_is_found() {
        let thoughts = "Let me see. The customer is poor, so no discount.";
        for message in [
            json!({ "reasoning": thoughts }),
            json!({ "reasoning_content": thoughts }),
            json!({ "reasoning_text": thoughts }),
            json!({ "thinking": thoughts }),
            json!({ "reasoning_details": [{ "type": "reasoning.text", "text": thoughts, "index": 0 }] }),
            json!({ "thinking_blocks": [{ "type": "thinking", "thinking": thoughts, "signature": "x" }] }),
            json!({ "provider_specific_fields": { "thinking_blocks": [{ "thinking": thoughts }] } }),
        ] {
            for content in [
                thoughts.to_owned(),
                format!("{thoughts}\n\nYes"),
                format!("Yes.\n{thoughts}"),
                "The customer is poor,\nso no discount.".to_owned(),
            ] {
                assert!(is_repeated(&message, &content), "{message} {content}");
            }
            assert!(!is_repeated(&message, "Yes, we deliver on Sundays."), "{message}");
        }
        let plans = |draft: &str| json!({ "reasoning": format!("They ask for Sunday. So I say{draft}Is it right? It is.") });
        let answer = "Yes, we deliver on Sundays.";
        assert!(!is_repeated(&plans(&format!(": {answer} ")), answer));
        assert!(!is_repeated(&plans(&format!(" \"{answer}\" ")), answer));
        assert!(is_repeated(&plans(&format!(". {answer} ")), answer));
        assert!(!is_repeated(&json!({ "reasoning": "They want it. Yes." }), "Yes."));
        assert!(!is_repeated(&json!({ "reasoning": true, "reasoning_tokens": 5 }), "5"));
    }
}
