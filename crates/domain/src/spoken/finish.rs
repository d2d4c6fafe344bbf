//! Whether a model came to the end of its answer, by the reason that its endpoint gives.

use super::Unspoken;

/// The most characters of an unknown reason that are kept.
const LONGEST: usize = 32;

/// The reasons of an answer that is whole, as endpoints write them: OpenAI, vLLM, Ollama, llama.cpp, DeepSeek, Mistral, GigaChat,
/// YandexGPT; Hugging Face's and Together's; Anthropic, Gemini and Cohere behind a gateway.
const WHOLE: [&str; 20] = [
    "stop",
    "stop_sequence",
    "stop_str",
    "stop_token",
    "end",
    "done",
    "finish",
    "finished",
    "eos",
    "eos_token",
    "eosfound",
    "end_turn",
    "complete",
    "completed",
    "alternative_status_final",
    // Calls of tools, which are judged by themselves.
    "tool_call",
    "tool_calls",
    "tool_use",
    "function_call",
    "alternative_status_tool_calls",
];
const CUT: [&str; 9] = [
    "length",
    "max_length",
    "model_length",
    "max_tokens",
    "max_output_tokens",
    "model_context_window_exceeded",
    "incomplete",
    "truncated",
    "alternative_status_truncated_final",
];
const REFUSED: [&str; 14] = [
    "content_filter",
    "content_filtered",
    "alternative_status_content_filter",
    "safety",
    "blacklist",
    "blocklist",
    "prohibited_content",
    "recitation",
    "spii",
    "sensitive",
    "language",
    "refusal",
    "guardrail_intervened",
    "error_toxic",
];

/// What other fields say of an answer that broke off.
const BROKEN: [&str; 9] =
    ["error", "failed", "failure", "cancelled", "canceled", "abort", "aborted", "timeout", "pause_turn"];

/// Says whether an answer is whole. None is no reason: an endpoint that finished says so.
///
/// # Errors
/// It is not, and why.
pub fn finished(reason: Option<&str>) -> Result<(), Unspoken> {
    let given = reason.unwrap_or_default();
    match word_of(given).as_str() {
        word if WHOLE.contains(&word) => Ok(()),
        word if CUT.contains(&word) => Err(Unspoken::Cut),
        word if REFUSED.contains(&word) => Err(Unspoken::Refused),
        _ => Err(unfinished(given)),
    }
}

/// Says whether another reason that stands beside [`finished`]'s says that the answer is cut, withheld or broken off; unknown ones
/// say nothing.
///
/// # Errors
/// It does.
pub fn not_cut(reason: &str) -> Result<(), Unspoken> {
    match finished(Some(reason)) {
        Err(Unspoken::Unfinished(_)) if !BROKEN.contains(&word_of(reason).as_str()) => Ok(()),
        other => other,
    }
}

/// Says whether a status is that of an answer that is not over yet.
pub fn goes_on(status: &str) -> bool {
    ["in_progress", "generating", "streaming"].contains(&word_of(status).as_str())
}

/// Says whether a reason is that of an answer with calls of tools.
pub fn is_of_calls(reason: &str) -> bool {
    let word = word_of(reason);
    ["tool_call", "tool_use", "function_call"].iter().any(|call| word.contains(call))
}

/// The answer is not whole, in the words of its endpoint.
pub fn unfinished(reason: &str) -> Unspoken {
    Unspoken::Unfinished(reason.trim().chars().take(LONGEST).collect())
}

/// A reason as the lists have it.
fn word_of(reason: &str) -> String {
    let word = reason.trim().to_ascii_lowercase().replace('-', "_");
    // `FINISH_REASON_STOP`, `FinishReason.STOP`
    let word = word.rsplit('.').next().unwrap_or_default();
    word.strip_prefix("finish_reason_").unwrap_or(word).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_reasons_end_an_answer() {
        for whole in [
            "stop",
            "STOP",
            "tool_calls",
            "ALTERNATIVE_STATUS_FINAL",
            "stop_sequence",
            "FINISH_REASON_STOP",
            "FinishReason.STOP",
            "TOOL_CALL",
            "stop_str",
            "done",
        ] {
            assert_eq!(finished(Some(whole)), Ok(()), "{whole}");
        }
        for (reason, expected) in [
            (Some("length"), Unspoken::Cut),
            (Some("MAX_TOKENS"), Unspoken::Cut),
            (Some("FINISH_REASON_MAX_TOKENS"), Unspoken::Cut),
            (Some("FinishReason.SAFETY"), Unspoken::Refused),
            (Some("content_filter"), Unspoken::Refused),
            (Some("stopped_by_error"), Unspoken::Unfinished("stopped_by_error".to_owned())),
            (Some("blacklist"), Unspoken::Refused),
            (Some("error"), Unspoken::Unfinished("error".to_owned())),
            (Some("abort"), Unspoken::Unfinished("abort".to_owned())),
            (
                Some("insufficient_system_resource"),
                Unspoken::Unfinished("insufficient_system_resource".to_owned()),
            ),
            (Some(""), Unspoken::Unfinished(String::new())),
            (None, Unspoken::Unfinished(String::new())),
        ] {
            assert_eq!(finished(reason), Err(expected), "{reason:?}");
        }
        assert_eq!(not_cut("MAX_TOKENS"), Err(Unspoken::Cut));
        assert_eq!(not_cut("failed"), Err(Unspoken::Unfinished("failed".to_owned())));
        assert_eq!((not_cut("\n\n"), not_cut("MALFORMED"), not_cut("completed")), (Ok(()), Ok(()), Ok(())));
        assert!(goes_on("in_progress") && goes_on("IN-PROGRESS") && !goes_on("completed"));
        assert!(is_of_calls("TOOL_CALL") && is_of_calls("tool-calls") && !is_of_calls("stop"));
    }
}
