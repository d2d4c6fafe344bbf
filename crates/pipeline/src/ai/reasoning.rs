//! Thoughts that stand in fields of their own beside the content of an answer, and content that repeats them. Pure.

use domain::spoken::names::letters;
use serde_json::Value;

/// The most letters that two texts share by chance.
const BY_CHANCE: usize = 20;
/// What stands before a draft of the answer within thoughts. A model that plans its answer says the draft in the end.
const BEFORE_DRAFT: [char; 10] = [':', '"', '«', '“', '„', '\'', '`', '>', '*', '→'];

/// Returns the thoughts beside the content of a message, or of a piece of one, whatever their fields are called.
pub(super) fn beside(message: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (name, value) in message.as_object().into_iter().flatten() {
        let mut text = String::new();
        if is_name(name) {
            collect(value, &mut text);
        } else if value.is_object() {
            // What a gateway passes on of its provider.
            found.extend(beside(value));
        }
        found.extend(Some(text).filter(|text| !text.is_empty()));
    }
    found
}

/// Says whether a content has the thoughts in it that stand in other fields, or is a part of them that is no draft.
pub(super) fn is_repeated(message: &Value, content: &str) -> bool {
    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    let is_long = |text: &str| text.chars().filter(|other| other.is_alphanumeric()).count() > BY_CHANCE;
    let said = squeezed(content);
    beside(message).iter().map(|text| squeezed(text)).filter(|thoughts| !thoughts.is_empty()).any(
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

fn is_name(name: &str) -> bool {
    let name = letters(name);
    ["reasoning", "thinking", "thought"].iter().any(|start| name.starts_with(start))
}

/// Adds the texts of a field; types and signatures among them are none.
fn collect(value: &Value, text: &mut String) {
    match value {
        Value::String(piece) => text.push_str(piece),
        Value::Array(all) => all.iter().for_each(|value| collect(value, text)),
        Value::Object(all) => {
            let is_text =
                |name: &str| ["text", "summary", "content", "value"].contains(&name) || is_name(name);
            all.iter().filter(|(name, _)| is_text(name)).for_each(|(_, value)| collect(value, text));
        }
        _ => {}
    }
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
