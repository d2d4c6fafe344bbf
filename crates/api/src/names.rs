//! What people call a chat.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What people call a chat; left out as far as it is not known.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = NamesView)]
pub struct ChatNames {
    /// The title of the chat, or the name of the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Order 1001")]
    #[schema(extensions(("x-words" = json!(true))))]
    pub chat_title: Option<String>,
    /// The public name of the chat or person.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "@demo_channel")]
    #[schema(extensions(("x-words" = json!(true))))]
    pub chat_username: Option<String>,
}

impl From<&store::ChatNames> for ChatNames {
    fn from(names: &store::ChatNames) -> Self {
        Self {
            chat_title: names.title.clone(),
            chat_username: names.username.as_ref().map(ToString::to_string),
        }
    }
}
