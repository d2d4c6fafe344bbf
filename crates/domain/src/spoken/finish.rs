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

/// Says whether an answer is whole. None is no reason: an endpoint that finished says so.
///
/// # Errors
/// It is not, and why.
pub fn finished(reason: Option<&str>) -> Result<(), Unspoken> {
    let given = reason.unwrap_or_default().trim();
    let word = given.to_ascii_lowercase().replace('-', "_");
    // `FINISH_REASON_STOP`, `FinishReason.STOP`
    let word = word.rsplit('.').next().unwrap_or_default();
    match word.strip_prefix("finish_reason_").unwrap_or(word) {
        word if WHOLE.contains(&word) => Ok(()),
        word if CUT.contains(&word) => Err(Unspoken::Cut),
        word if REFUSED.contains(&word) => Err(Unspoken::Refused),
        _ => Err(Unspoken::Unfinished(given.chars().take(LONGEST).collect())),
    }
}

/// Says whether another reason that stands beside [`finished`]'s says that the answer is cut or withheld; unknown ones say nothing.
///
/// # Errors
/// It does.
pub fn not_cut(reason: Option<&str>) -> Result<(), Unspoken> {
    match finished(reason) {
        Err(why @ (Unspoken::Cut | Unspoken::Refused)) => Err(why),
        _ => Ok(()),
    }
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
        assert_eq!(not_cut(Some("MAX_TOKENS")), Err(Unspoken::Cut));
        assert_eq!((not_cut(None), not_cut(Some("MALFORMED"))), (Ok(()), Ok(())));
    }
}
