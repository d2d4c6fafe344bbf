//! Transcriptions: a voice comes as a part of a form, and its text is answered.

use md5::{Digest, Md5};
use serde_json::json;

use super::refusal::Refusal;
use super::{Answered, PROVIDER, Purpose, model};
use crate::channels::{ChannelEffect, ChannelFault, Reply, Request};

/// The most bytes of a request.
const MOST: usize = 25 * 1024 * 1024;
const FORMATS: [&str; 10] = ["flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm"];
const FIELDS: [&str; 9] = [
    "model",
    "file",
    "language",
    "prompt",
    "response_format",
    "temperature",
    "stream",
    "timestamp_granularities[]",
    "chunking_strategy",
];

pub(super) fn answer(request: &Request, fault: Option<ChannelFault>) -> Result<Answered, Refusal> {
    if request.body.len() > MOST {
        return Err(Refusal::too_large(MOST, request.body.len()));
    }
    let parts = request.parts();
    if parts.is_empty() {
        return Err(Refusal::whole("Could not parse multipart form"));
    }
    if let Some(part) = parts.iter().find(|part| !FIELDS.contains(&part.name.as_str())) {
        return Err(Refusal::whole(format!("Unrecognized request argument supplied: {}", part.name)));
    }
    let part = |name: &str| parts.iter().find(|part| part.name == name);
    let text = |name: &str| part(name).map(|part| String::from_utf8_lossy(&part.content).into_owned());
    let name = text("model").filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Refusal::whole("you must provide a model parameter"))?;
    model(&name, |purpose| purpose == Purpose::Transcription)?;
    let file = part("file").ok_or_else(|| Refusal::missing("file"))?;
    let called = file.file_name.as_deref().unwrap_or_default();
    let extension = called.rsplit_once('.').map(|(_, extension)| extension.to_lowercase());
    if !extension.is_some_and(|extension| FORMATS.contains(&extension.as_str())) {
        let words = format!("Unrecognized file format. Supported formats: {FORMATS:?}");
        return Err(Refusal::whole(words));
    }
    if file.content.is_empty() {
        let words = "Audio file is too short. Minimum audio length is 0.1 seconds.";
        return Err(Refusal::field("file", Some("audio_too_short"), words));
    }
    let transcript = match std::str::from_utf8(&file.content) {
        _ if fault == Some(ChannelFault::Empty) => String::new(),
        Ok(text) => text.trim().to_owned(),
        Err(_) => format!("voice of {} bytes", file.content.len()),
    };
    let effect = Some(ChannelEffect {
        provider: PROVIDER.to_owned(),
        account: name,
        method: "audio.transcriptions".to_owned(),
        text: transcript.clone(),
        media: Some("voice".to_owned()),
        md5: Some(hex::encode(Md5::digest(&file.content))),
        ..ChannelEffect::default()
    });
    let reply = match text("response_format").as_deref() {
        _ if fault == Some(ChannelFault::Nonsense) => Reply::json(200, &json!({ "words": [] })),
        None | Some("json" | "") => Reply::json(200, &json!({ "text": transcript })),
        Some("text") => Reply::text(200, format!("{transcript}\n")),
        Some("verbose_json") => {
            let whole = json!({
                "task": "transcribe", "language": "russian", "duration": 1.0, "text": transcript,
                "segments": [],
            });
            Reply::json(200, &whole)
        }
        Some(_) => {
            let words = "Supported values are: 'json', 'text', and 'verbose_json'.";
            return Err(Refusal::field("response_format", Some("invalid_value"), words));
        }
    };
    Ok(Answered { reply, events: Vec::new(), effect })
}
