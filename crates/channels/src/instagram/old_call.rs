//! Calls of the old server: questions that a new chat offers, the account's posts and what is said below them.

use outbound::Method;
use serde_json::{Value, json};

use super::client::Client;
use crate::error::CallError;
use crate::http::ANSWER;
use crate::old_call::OldCall;

/// What is asked of a post, and of a comment.
const OF_POST: &str =
    "id,caption,media_type,media_url,permalink,thumbnail_url,timestamp,like_count,comments_count";
const OF_COMMENT: &str = "id,text,timestamp,username,hidden,like_count,parent_id";
/// Where the questions are set.
const PROFILE: &str = "me/messenger_profile";

/// Makes it: the answer, without what has the token in it.
///
/// # Errors
/// Instagram refuses it, or no answer came.
pub(super) async fn make(client: &Client, call: &OldCall) -> Result<Value, CallError> {
    let reply = match call {
        OldCall::IceBreakers => client.get(PROFILE, &[("fields", "ice_breakers")]).await,
        OldCall::SetIceBreakers { all } => {
            let body = json!({ "platform": "instagram", "ice_breakers": all });
            client.post(PROFILE, &body, ANSWER).await
        }
        OldCall::RemoveIceBreakers => {
            let body = json!({ "fields": ["ice_breakers"] });
            client.call(Method::DELETE, PROFILE, &[], Some(&body), ANSWER).await
        }
        OldCall::Posts { limit, after } => page(client, "me/media", OF_POST, *limit, after.as_deref()).await,
        OldCall::Comments { post, limit, after } => {
            let path = format!("{}/comments", number(post)?);
            page(client, &path, OF_COMMENT, *limit, after.as_deref()).await
        }
        OldCall::ReplyToComment { comment, text } => {
            client.post(&format!("{}/replies", number(comment)?), &json!({ "message": text }), ANSWER).await
        }
        OldCall::HideComment { comment, is_hidden } => {
            client.post(number(comment)?, &json!({ "hide": is_hidden }), ANSWER).await
        }
        OldCall::DeleteComment { comment } => {
            client.call(Method::DELETE, number(comment)?, &[], None, ANSWER).await
        }
        _ => return Err(CallError::refused("not_supported", "Instagram has no such call")),
    };
    reply.map(without_links)
}

async fn page(
    client: &Client,
    path: &str,
    fields: &str,
    limit: usize,
    after: Option<&str>,
) -> Result<Value, CallError> {
    let limit = limit.to_string();
    let mut query = vec![("fields", fields), ("limit", limit.as_str())];
    query.extend(after.map(|after| ("after", after)));
    client.get(path, &query).await
}

/// The id of a post or comment, which is part of a path.
fn number(id: &str) -> Result<&str, CallError> {
    let is_number = !id.is_empty() && id.bytes().all(|one| one.is_ascii_digit());
    if is_number { Ok(id) } else { Err(CallError::NotFound("an id of Instagram is a number".to_owned())) }
}

/// An answer without the addresses of other pages: they contain the token. `after` leads there as well.
fn without_links(mut reply: Value) -> Value {
    if let Some(paging) = reply.get_mut("paging").and_then(Value::as_object_mut) {
        paging.retain(|name, _| name == "cursors");
    }
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_stand_in_a_path() {
        assert_eq!(number("17900000000000001"), Ok("17900000000000001"));
        for id in ["", "me", "1/../2", "1?fields=x"] {
            assert!(matches!(number(id), Err(CallError::NotFound(_))), "{id}");
        }
    }

    #[test]
    fn addresses_with_the_token_are_left_out() {
        let cursors = json!({ "after": "b" });
        let paging = json!({ "cursors": cursors, "next": "https://example.com/?access_token=planted" });
        let reply = without_links(json!({ "data": [], "paging": paging }));
        assert_eq!(reply, json!({ "data": [], "paging": { "cursors": cursors } }));
        assert_eq!(without_links(json!([])), json!([]));
    }
}
