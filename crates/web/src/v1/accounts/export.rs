//! `POST /v1/accounts/{name}/export`: a session leaves for another program; on the control socket alone.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State as Shared;
use axum::response::Response;
use domain::Purpose;
use domain::secret::ExposeSecret;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use telegram::import::{ExportError, ExportTo};
use utoipa::ToSchema;

use super::read_name;
use crate::answer::json;
use crate::auth::{Authorized, CanExportSessions, ConnectionInfo, ListenerKind};
use crate::extract::{Json, PathParameter};
use crate::problem::{Code, FieldError, Problem};

/// What a session is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Format {
    /// A session file of Telethon.
    TelethonFile,
    /// A session file of Kurigram.
    KurigramFile,
    /// A session string of Telethon.
    TelethonString,
}

/// Which session leaves, and as what.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Export {
    /// As what.
    format: Format,
    /// The file to write, as an absolute path on the server's machine; none is written over.
    path: Option<String>,
    /// The session for this; without it the first one.
    #[serde(rename = "for")]
    #[schema(value_type = Option<String>, example = "send_text")]
    purpose: Option<Purpose>,
    /// Leave the account running. Two programs on one session end it for good.
    #[serde(default)]
    copy_anyway: bool,
}

/// A session that left.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExportAnswer {
    /// The session string, where one was asked for. Anyone who has it is the account.
    string: Option<String>,
    /// The file, where one was asked for.
    path: Option<String>,
    /// How many users and chats went with it.
    peers: usize,
    /// Whether the account was stopped for it; it stays so until it is started by hand.
    stopped: bool,
}

/// Writes a session of an account for another program. The account is stopped first, since two programs on one session end
/// it for good. Only on the control socket.
#[utoipa::path(
    post, path = "/v1/accounts/{name}/export", tag = "accounts", operation_id = "export_session",
    params(("name" = String, Path, description = "The account's name")),
    request_body = Export,
    responses(
        (status = 200, description = "It left", body = ExportAnswer),
        (status = 403, description = "Not over the network"),
        (status = 409, description = "There is such a file, or no such session"),
    )
)]
pub(crate) async fn export(
    Shared(pool): Shared<Arc<telegram::Pool>>,
    _: Authorized<CanExportSessions>,
    via: Option<Extension<ConnectionInfo>>,
    PathParameter(given): PathParameter<String>,
    body: Json<Export>,
) -> Result<Response, Problem> {
    if via.is_none_or(|via| via.listener != ListenerKind::Control) {
        return Err(Problem::new(
            Code::ForbiddenScope,
            "A session leaves over the control socket alone; run `switchboard account export` on the server.",
        ));
    }
    let name = read_name(&given)?;
    let Export { format, path, purpose, copy_anyway } = body.value;
    let to = destination(format, path.as_deref())?;
    let exported = pool.export(&name, purpose, to, copy_anyway).await.map_err(|error| match error {
        ExportError::NoSuchAccount(_) => Problem::account_not_found(&given),
        ExportError::Store(error) => error.into(),
        other => Problem::new(Code::WrongState, sentence(&other.to_string())),
    })?;
    let string = exported.text.map(|text| text.expose_secret().to_owned());
    let path = path.filter(|_| string.is_none());
    Ok(json(StatusCode::OK, &ExportAnswer { string, path, peers: exported.peers, stopped: exported.stopped }))
}

fn destination(format: Format, path: Option<&str>) -> Result<ExportTo, Problem> {
    let wrong = |message: &str| Err(Problem::fields(vec![FieldError::new("path", message)]));
    let path = match (format, path) {
        (Format::TelethonString, None) => return Ok(ExportTo::TelethonString),
        (Format::TelethonString, Some(_)) => return wrong("has no use for a string; leave it out"),
        (_, None) => return wrong("is missing; name the file to write"),
        (_, Some(path)) if !path.starts_with('/') => return wrong("must be an absolute path"),
        (_, Some(path)) => PathBuf::from(path),
    };
    Ok(if format == Format::KurigramFile {
        ExportTo::KurigramFile(path)
    } else {
        ExportTo::TelethonFile(path)
    })
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_a_path_and_strings_have_none() {
        assert_eq!(destination(Format::TelethonString, None), Ok(ExportTo::TelethonString));
        assert_eq!(
            destination(Format::KurigramFile, Some("/demo/main.session")),
            Ok(ExportTo::KurigramFile("/demo/main.session".into()))
        );
        assert!(destination(Format::TelethonString, Some("/x")).is_err());
        assert!(destination(Format::TelethonFile, None).is_err());
        assert!(destination(Format::TelethonFile, Some("x")).is_err());
    }
}
