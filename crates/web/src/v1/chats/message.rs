//! `PATCH` and `DELETE /v1/chats/{chat_id}/messages/{message_id}`: another text for a message of ours, or no message.

use ::channels::Deed;
use axum::extract::State as Shared;
use axum::response::Response;
use domain::missing::{self, MISSING};
use domain::text::{ParseMode, parse};
use domain::{AccountName, ChannelChat, ChatId, ChatRef, TelegramMessageId, Words};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use telegram::{Changed as Done, Edit};
use utoipa::{IntoParams, ToSchema};

use super::{author, named, unchanged};
use crate::answer::json;
use crate::auth::{Authorized, CanSend};
use crate::extract::{PathParameter, QueryParameters, Unchecked};
use crate::problem::{FieldError, Problem};
use crate::state::State;
use crate::v1::channels;
use crate::v1::text_limit::refuse_long;

/// What a message is to say from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"text": "Hello <b>there</b>", "parse_mode": "html"}))]
#[serde(deny_unknown_fields)]
pub(crate) struct MessageEdit {
    /// Its text, or its caption: as long as a message of its channel may be; in Telegram 4,096 UTF-16 units, a
    /// caption 1,024. Empty takes the caption away.
    #[schema(value_type = String)]
    text: Words,
    /// How the text says what is bold: `html`, `markdown` (or `md`) or `none`.
    #[schema(value_type = Option<String>, default = "none", example = "html")]
    parse_mode: Option<ParseMode>,
    /// With a preview of the first link.
    #[schema(default = false)]
    preview: Option<bool>,
    /// Only through this account.
    #[schema(value_type = Option<String>, example = "main")]
    account: Option<AccountName>,
}

/// What was done in a chat, and by whom.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DoneInChat)]
pub(crate) struct DoneView {
    /// The chat.
    #[schema(value_type = String, example = "-1001234567890")]
    chat_id: ChatId,
    /// The account that did it.
    #[schema(value_type = String, example = "main")]
    account: AccountName,
    /// The message it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i32>, example = 45)]
    message_id: Option<TelegramMessageId>,
}

impl DoneView {
    pub(super) fn new(done: Done, message_id: Option<TelegramMessageId>) -> Self {
        Self { chat_id: done.chat_id, account: done.account, message_id }
    }
}

impl MessageEdit {
    fn edit(self) -> Result<(Edit, Option<AccountName>), Problem> {
        if missing::is_in_text(&self.text) {
            return Err(Problem::fields(vec![FieldError::new("text", MISSING)]));
        }
        let text = parse(self.parse_mode.unwrap_or_default(), &self.text)
            .map_err(|error| Problem::fields(vec![FieldError::new("text", format!("is wrong: {error}"))]))?;
        Ok((Edit { text, preview: self.preview.unwrap_or(false) }, self.account))
    }
}

/// Gives a message another text, or another caption.
///
/// Without `account` the one changes it that sent it, as far as that is known. A message that says this already counts as
/// changed, so the call can be made again when its answer was lost.
#[utoipa::path(
    patch, path = "/v1/chats/{chat_id}/messages/{message_id}", tag = "chats", operation_id = "edit_message",
    params(
        ("chat_id" = String, Path, description = "A chat id as the Bot API writes it, `@name`, a phone number or `me`"),
        ("message_id" = i32, Path, description = "Telegram's id of the message in the chat")),
    request_body = MessageEdit,
    responses(
        (status = 200, description = "Changed", body = DoneView),
        (status = 403, description = "No account may change it, or the chat is on the do-not-contact list"),
        (status = 404, description = "No account finds the chat or the message"),
        (status = 422, description = "Wrong fields, or refused by the provider"),
        (status = 429, description = "Every account must wait"),
        (status = 502, description = "It is not known whether it was changed; the same call again is safe"),
        (status = 503, description = "No usable account"),
    )
)]
pub(crate) async fn edit(
    Shared(state): Shared<State>,
    by: Authorized<CanSend>,
    PathParameter((chat, message)): PathParameter<(String, String)>,
    body: Unchecked<MessageEdit>,
) -> Result<Response, Problem> {
    if let Ok(chat) = chat.parse::<ChannelChat>() {
        let text = body.checked(MessageEdit::edit)?.0.text.text;
        let deed = Deed::Edit { external_id: message, text };
        return channels::deeds::act(&state, &by.caller, &chat, deed).await;
    }
    let message_id = named::message(&message)?;
    let (edit, account) = body.checked(MessageEdit::edit)?;
    refuse_long(telegram::CAPABILITIES.text, &edit.text.text)?;
    let (chat, account) = named::chat(&state, &chat, by.caller.pin(account)?).await?;
    refuse_listed(&state, &chat).await?;
    let change = |account: Option<AccountName>| {
        let (pool, chat, edit) = (state.pool(), &chat, edit.clone());
        async move { pool.edit_message(chat, message_id, edit, account.as_ref()).await }
    };
    let done = author::change(&state, &chat, message_id, account, change).await;
    let done = done.map_err(|error| unchanged::problem(error, state.clock().now()))?;
    Ok(json(StatusCode::OK, &DoneView::new(done, Some(message_id))))
}

/// Who is on the do-not-contact list reads nothing new.
async fn refuse_listed(state: &State, chat: &ChatRef) -> Result<(), Problem> {
    let chats = vec![(chat.clone(), named::id(state, chat))];
    Ok(state.store().do_not_contact().refuse_message(chats).await?)
}

/// Which message goes, and for whom.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
pub(crate) struct DeleteParameters {
    /// For everyone in the chat, or for the account alone.
    #[param(default = true)]
    for_all: Option<bool>,
    /// Only through this account.
    #[param(example = "main")]
    account: Option<String>,
}

/// Deletes a message.
///
/// Without `account` the one deletes it that sent it, as far as that is known and that one can. A message that is gone
/// already counts as deleted, so the call can be made again when its answer was lost.
#[utoipa::path(
    delete, path = "/v1/chats/{chat_id}/messages/{message_id}", tag = "chats", operation_id = "delete_message",
    params(
        ("chat_id" = String, Path, description = "A chat id as the Bot API writes it, `@name`, a phone number or `me`"),
        ("message_id" = i32, Path, description = "Telegram's id of the message in the chat"),
        DeleteParameters),
    responses(
        (status = 200, description = "Deleted", body = DoneView),
        (status = 403, description = "No account may delete it"),
        (status = 404, description = "No account finds the chat"),
        (status = 422, description = "Wrong parameters, or refused by the provider"),
        (status = 429, description = "Every account must wait"),
        (status = 502, description = "It is not known whether it was deleted; the same call again is safe"),
        (status = 503, description = "No usable account"),
    )
)]
pub(crate) async fn delete(
    Shared(state): Shared<State>,
    by: Authorized<CanSend>,
    PathParameter((chat, message)): PathParameter<(String, String)>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let for_all = query.take::<bool>("for_all").unwrap_or(true);
    let account = query.take::<AccountName>("account");
    query.finish()?;
    if let Ok(chat) = chat.parse::<ChannelChat>() {
        return channels::deeds::act(&state, &by.caller, &chat, Deed::Delete { external_id: message }).await;
    }
    let message_id = named::message(&message)?;
    let (chat, account) = named::chat(&state, &chat, by.caller.pin(account)?).await?;
    let change = |account: Option<AccountName>| {
        let (pool, chat) = (state.pool(), &chat);
        async move { pool.delete_message(chat, message_id, for_all, account.as_ref()).await }
    };
    let done = author::change(&state, &chat, message_id, account, change).await;
    let done = done.map_err(|error| unchanged::problem(error, state.clock().now()))?;
    Ok(json(StatusCode::OK, &DoneView::new(done, Some(message_id))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::parse_json;

    fn of(json: &str) -> Result<(Edit, Option<AccountName>), Problem> {
        parse_json::<MessageEdit>(json.as_bytes())?.edit()
    }

    #[test]
    fn the_text_of_an_edit_is_parsed() {
        let (edit, account) =
            of(r#"{"text":"<b>a</b>","parse_mode":"html","account":"main"}"#).expect("an edit");
        assert_eq!((edit.text.text.as_str(), edit.text.entities.len(), edit.preview), ("a", 1, false));
        assert_eq!(account.as_ref().map(AccountName::as_str), Some("main"));
        assert!(of(r#"{"text":""}"#).is_ok(), "a caption that is taken away");
        for wrong in ["{}", r#"{"text":"<b>a","parse_mode":"html"}"#] {
            let problem = of(wrong).expect_err("wrong");
            assert!(problem.detail().contains("\"text\""), "{}", problem.detail());
        }
    }
}
