//! Templates of answers: written once, with variables that are filled for each client.

use api::{Client, Page, ReplyTemplate};
use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::find_client;
use crate::answer::json;
use crate::auth::{Authorized, CanReadInbox, CanSend};
use crate::extract::{Json, PathParameter};
use crate::problem::{Code, FieldError, Problem, shorten};
use crate::state::State;

/// The longest name and text, in characters.
const LONGEST_NAME: usize = 64;
const LONGEST_TEXT: usize = 4000;
/// What a text may ask for.
const VARIABLES: [&str; 4] = ["client.name", "client.phone", "client.email", "agent"];

/// The text of a template.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"text": "Hello, {{client.name}}!"}))]
#[serde(deny_unknown_fields)]
pub(crate) struct TemplateText {
    /// The variables `{{client.name}}`, `{{client.phone}}`, `{{client.email}}` and `{{agent}}` are filled in.
    text: String,
}

/// Lists the templates of answers, by name.
#[utoipa::path(
    get, path = "/v1/reply-templates", tag = "conversations", operation_id = "list_reply_templates",
    responses((status = 200, description = "The templates", body = Page<ReplyTemplate>))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    _: Authorized<CanReadInbox>,
) -> Result<Response, Problem> {
    let items = state.store().pipeline().templates().await?;
    let items: Vec<ReplyTemplate> = items.into_iter().map(ReplyTemplate::from).collect();
    Ok(json(StatusCode::OK, &Page { items, next_cursor: None }))
}

/// Lists the templates with their variables filled in for a client.
#[utoipa::path(
    get, path = "/v1/conversations/{client_id}/templates", tag = "conversations", operation_id = "fill_reply_templates",
    params(("client_id" = String, Path, description = "The client")),
    responses((status = 200, description = "The templates", body = Page<ReplyTemplate>))
)]
pub(crate) async fn filled(
    Shared(state): Shared<State>,
    by: Authorized<CanReadInbox>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let (client, who) = (Client::from(find_client(&state, &given).await?), by.caller.who());
    let filled = |mut template: ReplyTemplate| {
        template.text = fill(&template.text, |name| value(&client, &who, name));
        template
    };
    let items = state.store().pipeline().templates().await?;
    let items: Vec<ReplyTemplate> = items.into_iter().map(ReplyTemplate::from).map(filled).collect();
    Ok(json(StatusCode::OK, &Page { items, next_cursor: None }))
}

/// Saves a template; the one of its name is replaced.
#[utoipa::path(
    put, path = "/v1/reply-templates/{name}", tag = "conversations", operation_id = "save_reply_template",
    params(("name" = String, Path, description = "Its name; 64 characters at most")), request_body = TemplateText,
    responses((status = 200, description = "The template", body = ReplyTemplate))
)]
pub(crate) async fn save(
    Shared(state): Shared<State>,
    by: Authorized<CanSend>,
    PathParameter(name): PathParameter<String>,
    body: Json<TemplateText>,
) -> Result<Response, Problem> {
    let (name, text) = (name.trim(), body.value.text);
    let mut errors = Vec::new();
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        errors.push(FieldError::new("name", format!("is 1 to {LONGEST_NAME} characters")));
    }
    if text.trim().is_empty() || text.chars().count() > LONGEST_TEXT {
        errors.push(FieldError::new("text", format!("is 1 to {LONGEST_TEXT} characters")));
    }
    if let Some(unknown) = unknown_variable(&text) {
        let known = VARIABLES.join("}}, {{");
        let message = format!("has the variable {:?}; known are {{{{{known}}}}}", shorten(&unknown));
        errors.push(FieldError::new("text", message));
    }
    if !errors.is_empty() {
        return Err(Problem::fields(errors));
    }
    let saved = state.store().pipeline().save_template(name, &text, &by.caller.who()).await?;
    Ok(json(StatusCode::OK, &ReplyTemplate::from(saved)))
}

/// Removes a template.
#[utoipa::path(
    delete, path = "/v1/reply-templates/{name}", tag = "conversations", operation_id = "remove_reply_template",
    params(("name" = String, Path, description = "Its name")),
    responses((status = 204, description = "It is gone"),
        (status = 404, description = "There is no such template: `template_not_found`"))
)]
pub(crate) async fn remove(
    Shared(state): Shared<State>,
    _: Authorized<CanSend>,
    PathParameter(name): PathParameter<String>,
) -> Result<StatusCode, Problem> {
    if state.store().pipeline().drop_template(name.trim()).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    let detail = format!("No template is called {:?}; GET /v1/reply-templates lists them.", shorten(&name));
    Err(Problem::new(Code::TemplateNotFound, detail))
}

fn value(client: &Client, who: &str, name: &str) -> Option<String> {
    let known = |field: &Option<String>| Some(field.clone().unwrap_or_default());
    match name {
        "client.name" => known(&client.name),
        "client.phone" => known(&client.phone),
        "client.email" => known(&client.email),
        "agent" => Some(who.to_owned()),
        _ => None,
    }
}

/// A text with its variables filled in; what is none stays as it is.
fn fill(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let (mut filled, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let known = after.split_once("}}").and_then(|(name, behind)| Some((value(name.trim())?, behind)));
        if let Some((value, behind)) = known {
            filled.push_str(&value);
            rest = behind;
        } else {
            filled.push_str("{{");
            rest = after;
        }
    }
    filled.push_str(rest);
    filled
}

fn unknown_variable(text: &str) -> Option<String> {
    let names = text.split("{{").skip(1).filter_map(|after| after.split_once("}}"));
    let mut names = names.map(|(name, _)| name.trim().to_owned());
    names.find(|name| !VARIABLES.contains(&name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_filled_in_and_unknown_ones_are_named() {
        let value = |name: &str| (name == "client.name").then(|| "{{agent}}".to_owned());
        for (text, expected) in [
            ("Hello, {{ client.name }}!", "Hello, {{agent}}!"),
            ("{{nothing}} {{client.name}}", "{{nothing}} {{agent}}"),
            ("{{client.name", "{{client.name"),
            ("none", "none"),
        ] {
            assert_eq!(fill(text, value), expected, "{text}");
        }
        assert_eq!(unknown_variable("{{agent}} {{price}}").as_deref(), Some("price"));
        assert_eq!(unknown_variable("{{agent}} {{"), None);
    }
}
