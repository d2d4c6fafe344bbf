//! `/telegram`: accounts, messages, chats.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};

use super::answers::{Body, ControlError, Items, Path, Query};
use super::context::ControlContext;
use crate::telegram::{
    Account, ChatName, ChatView, Edit, Line, MemberOrder, NewAccount, NewBlock, NewChat, NewContact,
    NewMessage, NewRead, NewUsername, Privacy, Reactions, UserName, Written,
};

/// An account with all it takes to connect as it.
#[derive(Serialize)]
pub(super) struct AccountView {
    name: Arc<str>,
    user_id: i64,
    username: String,
    phone: String,
    dc_id: i32,
    host: String,
    port: u16,
    /// For clients that connect by hand.
    auth_key: String,
    api_id: i32,
    api_hash: String,
    login_code: String,
    /// The two-step password, if there is one.
    password: Option<String>,
    /// The sessions of the settings file.
    sessions: Vec<SessionView>,
    /// The sessions that someone signed in for, by the SHA-256 of their keys.
    signed_in: Vec<String>,
}

#[derive(Serialize)]
struct SessionView {
    r#for: Option<String>,
    auth_key: String,
}

fn view(context: &ControlContext, account: &Account) -> AccountView {
    let centre = context.centre_of(account);
    let session =
        |line: &Line| SessionView { r#for: line.purpose.clone(), auth_key: hex::encode(line.auth_key) };
    AccountView {
        name: Arc::clone(&account.name),
        user_id: account.user_id,
        username: account.username.clone(),
        phone: account.phone.clone(),
        dc_id: account.dc_id,
        host: centre.map(|centre| centre.address.ip().to_string()).unwrap_or_default(),
        port: centre.map_or(0, |centre| centre.address.port()),
        auth_key: hex::encode(account.auth_key),
        api_id: account.api_id,
        api_hash: account.api_hash.clone(),
        login_code: account.login_code.clone(),
        password: context.telegram.password(account.user_id),
        sessions: account.lines.iter().map(session).collect(),
        signed_in: context.telegram.signed_in_with(account.user_id).into_iter().map(hex::encode).collect(),
    }
}

/// `?silent=true`: those whom it concerns are not notified.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manner {
    #[serde(default)]
    silent: bool,
}

pub(super) async fn accounts(State(context): State<Arc<ControlContext>>) -> Json<Items<AccountView>> {
    let accounts = context.telegram.accounts();
    Json(Items { items: accounts.iter().map(|account| view(&context, account)).collect() })
}

pub(super) async fn add_account(
    State(context): State<Arc<ControlContext>>,
    Body(order): Body<NewAccount>,
) -> Result<(StatusCode, Json<AccountView>), ControlError> {
    let account = context.telegram.add_account(&order)?;
    context.remember(order)?;
    Ok((StatusCode::CREATED, Json(view(&context, &account))))
}

pub(super) async fn rsa_public_key(State(context): State<Arc<ControlContext>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/x-pem-file")], context.rsa_public_key.clone())
}

pub(super) async fn write(
    State(context): State<Arc<ControlContext>>,
    Body(order): Body<NewMessage>,
) -> Result<(StatusCode, Json<Written>), ControlError> {
    // A large file takes a while to be written.
    let writing = tokio::task::spawn_blocking(move || context.telegram.write(&order));
    let written = writing.await.map_err(std::io::Error::other)?;
    Ok((StatusCode::CREATED, Json(written?)))
}

pub(super) async fn edit(
    State(context): State<Arc<ControlContext>>,
    Path((chat_id, message_id)): Path<(String, i32)>,
    Body(edit): Body<Edit>,
) -> Result<Json<Written>, ControlError> {
    Ok(Json(context.telegram.edit(&chat_id, message_id, &edit)?))
}

/// `?account=main`: whose numbering a message id is in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Numbering {
    #[serde(default)]
    account: Option<String>,
}

pub(super) async fn delete(
    State(context): State<Arc<ControlContext>>,
    Query(numbering): Query<Numbering>,
    Path((chat_id, message_id)): Path<(String, i32)>,
) -> Result<StatusCode, ControlError> {
    context.telegram.delete(&chat_id, message_id, numbering.account.as_deref())?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn react(
    State(context): State<Arc<ControlContext>>,
    Path((chat_id, message_id)): Path<(String, i32)>,
    Body(order): Body<Reactions>,
) -> Result<StatusCode, ControlError> {
    context.telegram.react(&chat_id, message_id, &order)?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn chats(State(context): State<Arc<ControlContext>>) -> Json<Items<ChatView>> {
    Json(Items { items: context.telegram.chats() })
}

pub(super) async fn move_member(
    State(context): State<Arc<ControlContext>>,
    Query(manner): Query<Manner>,
    Path(chat_id): Path<String>,
    Body(order): Body<MemberOrder>,
) -> Result<StatusCode, ControlError> {
    let world = &context.telegram;
    let done = if manner.silent {
        world.quietly().move_member(&chat_id, &order)
    } else {
        world.move_member(&chat_id, &order)
    };
    done?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn block(
    State(context): State<Arc<ControlContext>>,
    Body(order): Body<NewBlock>,
) -> Result<StatusCode, ControlError> {
    context.telegram.block(&order)?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn read(
    State(context): State<Arc<ControlContext>>,
    Body(order): Body<NewRead>,
) -> Result<StatusCode, ControlError> {
    context.telegram.read(&order)?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn save_contact(
    State(context): State<Arc<ControlContext>>,
    Body(order): Body<NewContact>,
) -> Result<StatusCode, ControlError> {
    context.telegram.save_contact(&order)?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn make_chat(
    State(context): State<Arc<ControlContext>>,
    Query(manner): Query<Manner>,
    Body(order): Body<NewChat>,
) -> Result<(StatusCode, Json<ChatName>), ControlError> {
    let world = &context.telegram;
    let done = if manner.silent { world.quietly().make_chat(&order) } else { world.make_chat(&order) };
    Ok((StatusCode::CREATED, Json(done?)))
}

pub(super) async fn close_chat(
    State(context): State<Arc<ControlContext>>,
    Query(manner): Query<Manner>,
    Path(chat_id): Path<String>,
) -> Result<StatusCode, ControlError> {
    let world = &context.telegram;
    let done = if manner.silent { world.quietly().close_chat(&chat_id) } else { world.close_chat(&chat_id) };
    done?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn migrate(
    State(context): State<Arc<ControlContext>>,
    Query(manner): Query<Manner>,
    Path(chat_id): Path<String>,
) -> Result<Json<ChatName>, ControlError> {
    let world = &context.telegram;
    let done = if manner.silent { world.quietly().migrate(&chat_id) } else { world.migrate(&chat_id) };
    Ok(Json(done?))
}

pub(super) async fn set_privacy(
    State(context): State<Arc<ControlContext>>,
    Path(name): Path<String>,
    Body(privacy): Body<Privacy>,
) -> Result<Json<Privacy>, ControlError> {
    Ok(Json(context.telegram.set_privacy(&name, privacy)?))
}

pub(super) async fn rename(
    State(context): State<Arc<ControlContext>>,
    Query(manner): Query<Manner>,
    Path(name): Path<String>,
    Body(order): Body<NewUsername>,
) -> Result<Json<UserName>, ControlError> {
    let world = &context.telegram;
    let done =
        if manner.silent { world.quietly().rename(&name, &order) } else { world.rename(&name, &order) };
    Ok(Json(done?))
}
