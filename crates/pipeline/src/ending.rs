//! How an answer ended, by the other fields: of the body of a model and of the answer of a program alike. Pure.

use domain::Unspoken;
use domain::spoken::{self, names};
use serde_json::Value;

/// Says whether a value says something: it is there, and not empty, null or false.
pub(crate) fn is_given(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(object) => !object.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    }
}

/// Checks the fields that say how an answer ended, in whatever way their names are written. Other fields say nothing.
///
/// # Errors
/// The answer is not whole, and why.
pub(crate) fn check(fields: &Value) -> Result<(), Unspoken> {
    let Some(fields) = fields.as_object() else { return Ok(()) };
    fields.iter().filter(|(_, value)| !value.is_null()).try_for_each(|(name, value)| {
        let is_given = is_given(value) && !is_no(value);
        match names::letters(name).as_str() {
            "finishreason" | "donereason" => match value {
                Value::String(reason) if reason.trim().is_empty() => Ok(()),
                Value::String(reason) => spoken::finished(Some(reason)),
                // An unusual form is read as far as it says that the answer is cut, and is no end otherwise.
                other => words(other).and(Err(spoken::unfinished(&other.to_string()))),
            },
            "nativefinishreason" | "finishdetails" | "stopreason" | "status" => words(value),
            "incompletedetails" | "truncated" | "incomplete" | "partial" if is_given => Err(Unspoken::Cut),
            "error" | "errors" | "iserror" | "errormessage" if is_given => Err(spoken::unfinished("error")),
            "success" | "ok" | "done" if is_no(value) => Err(spoken::unfinished(name)),
            "refusal" if is_given => Err(Unspoken::Refused),
            name if name.starts_with("contentfilterresult") && is_filtered(value) => Err(Unspoken::Refused),
            _ => Ok(()),
        }
    })
}

/// Returns why an answer ended, in whatever way the name of that field is written.
pub(crate) fn reason(fields: &Value) -> Option<&str> {
    let mut reasons = fields.as_object()?.iter().filter(|(name, _)| names::letters(name) == "finishreason");
    reasons.find_map(|(_, reason)| reason.as_str().filter(|reason| !reason.trim().is_empty()))
}

/// Says whether a flag is a no: null, false, or a text that is empty or says false.
pub(crate) fn is_no(flag: &Value) -> bool {
    match flag {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.trim().is_empty() || text.trim().eq_ignore_ascii_case("false"),
        _ => false,
    }
}

/// Checks a reason, or those within a list or an object.
fn words(value: &Value) -> Result<(), Unspoken> {
    match value {
        Value::String(reason) => spoken::not_cut(reason),
        Value::Array(all) => all.iter().try_for_each(words),
        Value::Object(all) => all.values().try_for_each(words),
        _ => Ok(()),
    }
}

/// Whether a filter of the provider withheld something.
fn is_filtered(value: &Value) -> bool {
    match value {
        Value::Array(all) => all.iter().any(is_filtered),
        Value::Object(all) => {
            all.iter().any(|(name, value)| name == "filtered" && *value == true || is_filtered(value))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_field_that_ends_an_answer_is_read() {
        let unfinished = |word: &str| Err(Unspoken::Unfinished(word.to_owned()));
        for (fields, expected) in [
            (json!({ "finish_reason": "length" }), Err(Unspoken::Cut)),
            (json!({ "finishReason": "MAX_TOKENS" }), Err(Unspoken::Cut)),
            (json!({ "finish_reason": ["length"] }), Err(Unspoken::Cut)),
            (json!({ "finish_reason": { "reason": "length" } }), Err(Unspoken::Cut)),
            (json!({ "finish_reason": 1 }), unfinished("1")),
            (json!({ "finish_details": { "type": "max_tokens" } }), Err(Unspoken::Cut)),
            (json!({ "finish_reason": "stop", "stop_reason": "max_tokens" }), Err(Unspoken::Cut)),
            (json!({ "status": "incomplete" }), Err(Unspoken::Cut)),
            (json!({ "incomplete_details": { "reason": "max_output_tokens" } }), Err(Unspoken::Cut)),
            (json!({ "done_reason": "length" }), Err(Unspoken::Cut)),
            (json!({ "content_filter_results": { "hate": { "filtered": true } } }), Err(Unspoken::Refused)),
            (json!({ "error": "overloaded" }), unfinished("error")),
            (json!({ "is_error": true }), unfinished("error")),
            (json!({ "success": false }), unfinished("success")),
            (json!({ "done": false }), unfinished("done")),
            (json!({ "status": "failed" }), unfinished("failed")),
        ] {
            assert_eq!(check(&fields), expected, "{fields}");
        }
        for whole in [
            json!({}),
            json!({ "finish_reason": "stop", "stop_reason": null, "status": "completed", "error": null }),
            json!({ "stop_reason": "\n\n" }),
            json!({ "stop_reason": 128_009 }),
            json!({ "content_filter_results": { "hate": { "filtered": false, "severity": "safe" } } }),
            json!({ "success": true, "truncated": false, "done": true, "incomplete_details": null }),
        ] {
            assert_eq!(check(&whole), Ok(()), "{whole}");
        }
    }
}
