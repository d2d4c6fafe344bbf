//! The messages of a chat, as an endpoint takes them.

use domain::secret::Words;
use serde_json::{Value, json};

use super::answer::ToolCall;

/// A message.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// The rules. Nothing that a customer wrote is in it.
    System(String),
    /// What customers wrote, and records about them. Pictures are addresses, or `data:` with the picture itself.
    User { content: Words, images: Vec<String> },
    /// What was answered before.
    Assistant(Words),
    /// Tools that the model called. A [`Message::ToolResult`] for each follows.
    Called { text: Option<Words>, calls: Vec<ToolCall> },
    /// The result of a call.
    ToolResult { id: String, result: String },
}

impl Message {
    pub(super) fn json(&self) -> Value {
        match self {
            Self::System(text) => json!({ "role": "system", "content": text }),
            Self::User { content, images } if images.is_empty() => {
                json!({ "role": "user", "content": content })
            }
            Self::User { content, images } => {
                let image = |url: &String| json!({ "type": "image_url", "image_url": { "url": url } });
                let text = json!({ "type": "text", "text": content });
                let parts: Vec<Value> = std::iter::once(text).chain(images.iter().map(image)).collect();
                json!({ "role": "user", "content": parts })
            }
            Self::Assistant(text) => json!({ "role": "assistant", "content": text }),
            Self::Called { text, calls } => {
                let calls: Vec<Value> = calls.iter().map(called).collect();
                json!({ "role": "assistant", "content": text, "tool_calls": calls })
            }
            Self::ToolResult { id, result } => {
                json!({ "role": "tool", "tool_call_id": id, "content": result })
            }
        }
    }
}

fn called(call: &ToolCall) -> Value {
    let function = json!({ "name": call.name, "arguments": &*call.arguments });
    json!({ "id": call.id, "type": "function", "function": function })
}
