//! The OpenAPI 3.1 document, made from the handlers.

mod leniency;

use std::sync::LazyLock;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use domain::Role;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use serde_json::Value;
use store::Scope;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Content, OpenApi as Document, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use crate::auth::Demand;

/// What the document says beside its routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Switchboard",
        description = "Carries a small business's messages. Errors are problem documents (RFC 9457) with a stable `code`; a \
            client whose `Accept` names `application/json` and not `application/problem+json` gets them as the former. `security` \
            has the scopes of each call, `x-roles` the roles of users. A key without the scope `read` gets the fields that \
            `x-words` marks empty. Query parameters that a call does not describe are refused.",
    ),
    servers((url = "/", description = "This server")),
    tags(
        (name = "messages", description = "Sending, and what became of it"),
        (name = "chats", description = "Making, changing and leaving chats, and who is in them"),
        (name = "do-not-contact", description = "The contacts that no message goes to"),
        (name = "files", description = "Files that are sent ahead and named by messages later"),
        (name = "operations", description = "The log of all work, and what is left for a person to do"),
        (name = "accounts", description = "The Telegram accounts"),
        (name = "events", description = "What happens, for other programs"),
        (name = "logs", description = "The lines that the program writes about itself"),
        (name = "keys", description = "API keys and their scopes"),
        (name = "users", description = "The people of the dashboard, and who did what"),
        (name = "alerts", description = "What stays broken, who is notified, and when alerts are muted"),
        (name = "conversations", description = "What clients write, and who answers"),
        (name = "clients", description = "People who write, over however many channels"),
        (name = "webhooks", description = "Other programs that events are posted to"),
        (name = "system", description = "Health, services and listeners"),
    ),
    components(schemas(crate::problem::Body)),
    modifiers(&Keys),
)]
pub(crate) struct Head;

/// The two ways to present a key.
struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        let header = ApiKeyValue::new("X-API-Key");
        components.add_security_scheme("api_key", SecurityScheme::ApiKey(ApiKey::Header(header)));
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
}

/// Says what a call demands: `security` has the scopes of a key, `x-roles` the roles of users.
pub(crate) fn demand(operation: &mut Operation, demand: Demand) {
    let sets = demand.scopes.alternatives().into_iter();
    let sets = sets.map(|set| set.into_iter().map(Scope::as_str).collect::<Vec<_>>());
    let security = sets.flat_map(|set| {
        ["api_key", "bearer"].map(|scheme| SecurityRequirement::new(scheme, set.iter().copied()))
    });
    operation.security = Some(security.collect());
    let roles = Role::ALL.into_iter().filter(|role| access::may(*role, demand.right));
    let roles: Vec<&str> = roles.map(Role::as_str).collect();
    operation.extensions.get_or_insert_default().merge(Extensions::from_iter([("x-roles", roles)]));
}

/// Adds what every route of the API asks for and may answer, so that each operation lists only what is its own:
/// the problems that its parameters, its body and its path lead to.
pub(crate) fn add_shared_answers(document: &mut Document) {
    let shared = [
        ("401", "No valid API key"),
        ("403", "The API key lacks the scope"),
        ("429", "Too many requests"),
        ("503", "The store is away, or the server is stopping"),
        ("default", "Any other problem"),
    ];
    let problem = Content::new(Some(Ref::from_schema_name("Problem")));
    let routes = document.paths.paths.iter_mut().filter(|(path, _)| path.starts_with("/v1"));
    for (path, route) in routes {
        let methods = [&mut route.get, &mut route.post, &mut route.delete, &mut route.put, &mut route.patch];
        for operation in methods.into_iter().flatten() {
            let in_query = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(one) if one.parameter_in == ParameterIn::Query);
            let takes_query = operation.parameters.iter().flatten().any(in_query);
            let own = [
                path.contains('{').then_some(("404", "There is none")),
                operation.request_body.is_some().then_some(("422", "Wrong fields")),
                takes_query.then_some(("422", "Wrong parameters")),
            ];
            let responses = &mut operation.responses.responses;
            for (status, description) in own.into_iter().flatten().chain(shared) {
                let answer = || ResponseBuilder::new().description(description).build().into();
                responses.entry(status.to_owned()).or_insert_with(answer);
            }
            for (_, answer) in responses.iter_mut().filter(|(status, _)| !status.starts_with(['2', '3'])) {
                if let RefOr::T(answer) = answer
                    && answer.content.is_empty()
                {
                    answer.content.insert("application/problem+json".to_owned(), problem.clone().into());
                }
            }
        }
    }
}

/// Says of every parameter in a query that it may be empty: then it counts as absent. Forms of automation tools send
/// the fields no one filled in.
pub(crate) fn allow_empty_parameters(document: &mut Document) {
    for route in document.paths.paths.values_mut() {
        let methods = [&mut route.get, &mut route.post, &mut route.delete, &mut route.put, &mut route.patch];
        let parameters = methods.into_iter().flatten().flat_map(|operation| operation.parameters.iter_mut());
        for parameter in parameters.flatten() {
            if let RefOr::T(parameter) = parameter
                && parameter.parameter_in == ParameterIn::Query
            {
                // The library has no field for it; the document has.
                let empty = Extensions::from_iter([("allowEmptyValue", true)]);
                parameter.extensions.get_or_insert_default().merge(empty);
            }
        }
    }
}

/// A header that may be left out is no header that may be `null`.
fn forbid_null_headers(document: &mut Value) {
    let routes = document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    let operations = routes.filter_map(Value::as_object_mut).flat_map(|route| route.values_mut());
    let lists = operations.filter_map(|operation| operation.get_mut("parameters")?.as_array_mut());
    for parameter in lists.flatten().filter(|parameter| parameter["in"] == "header") {
        if let Some(kinds) = parameter["schema"]["type"].as_array_mut() {
            kinds.retain(|kind| kind != "null");
        }
    }
}

/// Numbers of 32 bits without a sign are more than `int32` holds.
fn widen_unsigned_numbers(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let is_unsigned = fields.get("minimum").is_some_and(|least| least == 0)
                && fields.get("format").is_some_and(|format| format == "int32")
                && !fields.contains_key("maximum");
            if is_unsigned {
                fields.insert("format".to_owned(), "int64".into());
                fields.insert("maximum".to_owned(), u32::MAX.into());
            }
            fields.values_mut().for_each(widen_unsigned_numbers);
        }
        Value::Array(items) => items.iter_mut().for_each(widen_unsigned_numbers),
        _ => {}
    }
}

static JSON: LazyLock<Bytes> = LazyLock::new(|| openapi_json().into());

/// The OpenAPI 3.1 document of the API as indented JSON, the same for every run.
pub fn openapi_json() -> String {
    let document = serde_json::to_value(crate::router::document()).map(|mut document| {
        leniency::describe(&mut document);
        forbid_null_headers(&mut document);
        widen_unsigned_numbers(&mut document);
        document
    });
    document
        .and_then(|document| serde_json::to_string_pretty(&document))
        .unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
}

pub(crate) async fn document() -> Response {
    let mut response = Response::new(Body::from(JSON.clone()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    std::future::ready(response).await
}
