//! `POST /v1/accounts/import`: sessions of other programs and the old registry are taken over.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State as Shared};
use axum::response::Response;
use domain::{AccountName, Purpose, SecretText};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use telegram::import::{Application, ImportError, ImportOrder, ImportReport, Input, Plan};
use utoipa::ToSchema;

use crate::answer::json;
use crate::auth::{Authorized, CanArrangeAccounts, ConnectionInfo, ListenerKind};
use crate::extract::{Json, QueryParameters, hidden, read_body};
use crate::options::Limits;
use crate::problem::{Code, FieldError, Problem};
use crate::state::State;

/// The largest session file that is taken, in bytes.
const LARGEST_FILE: usize = 64 * 1024 * 1024;

/// The most files and folders in one request.
const MOST_PATHS: usize = 1_000;

/// What is to be imported, and how.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Import {
    /// Files and folders on the server's machine, as absolute paths. Taken on the control socket alone.
    #[schema(max_items = 1000)]
    #[serde(default)]
    paths: Vec<String>,
    /// The id of files that were sent before. After the import they are removed. A plan file among them counts when there is no
    /// `plan`.
    #[schema(value_type = Option<String>, example = "imp_0193c0de00007000800000000000000a")]
    #[serde(default)]
    files: Option<String>,
    /// A session string of Telethon, Pyrogram or Kurigram.
    #[serde(default, deserialize_with = "hidden::optional")]
    #[schema(value_type = Option<String>, format = Password, write_only)]
    string: Option<SecretText>,
    /// Open no connection and change nothing: only say what would be done.
    #[serde(default)]
    dry_run: bool,
    /// The account for sessions whose person has none yet.
    #[schema(value_type = Option<String>, example = "main")]
    #[serde(default)]
    account: Option<AccountName>,
    /// What the sessions are for; nothing means what no other session of the account is for.
    #[serde(default, rename = "for")]
    #[schema(value_type = Vec<String>, example = json!(["send_text"]))]
    purposes: Vec<Purpose>,
    /// The number of the application to connect as, and to make new accounts with.
    #[schema(minimum = 1)]
    #[serde(default)]
    api_id: Option<i32>,
    /// The secret of that application.
    #[serde(default, deserialize_with = "hidden::optional")]
    #[schema(value_type = Option<String>, format = Password, write_only)]
    api_hash: Option<SecretText>,
    /// What is to become of single sessions: a plan file as JSON.
    #[schema(value_type = Option<Object>)]
    #[serde(default)]
    plan: Option<Plan>,
}

/// Takes over sessions of Telethon, Pyrogram, Kurigram and grammers with the users and chats they know, and the registry of
/// the old scripts.
///
/// Whose a session is, Telegram is asked. The program that used it must be stopped first: one session in two programs is
/// ended by Telegram for good. What is here already stays as it is, so that a second time changes nothing. A single
/// session file may be the body itself, with the options as query parameters.
#[utoipa::path(
    post, path = "/v1/accounts/import", tag = "accounts", operation_id = "import_sessions",
    params(
        ("dry_run" = Option<bool>, Query, description = "For a file as the body: only say what would be done"),
        ("account" = Option<String>, Query, description = "For a file as the body: the account for it"),
        ("for" = Option<String>, Query, description = "For a file as the body: what it is for, with commas"),
    ),
    request_body(content((Import = "application/json"), (Vec<u8> = "application/octet-stream"))),
    responses(
        (status = 200, description = "What became of each session", body = api::ImportAnswer),
        (status = 409, description = "Another import is under way, or an account did not take its session"),
    )
)]
pub(crate) async fn import(
    Shared(state): Shared<State>,
    _: Authorized<CanArrangeAccounts>,
    mut query: QueryParameters,
    request: Request,
) -> Result<Response, Problem> {
    let here =
        request.extensions().get::<ConnectionInfo>().is_some_and(|via| via.listener == ListenerKind::Control);
    let mut sent = None;
    let order = if is_file(request.headers()) {
        let dry_run = query.take::<bool>("dry_run").unwrap_or_default();
        let account = query.take::<AccountName>("account");
        let purposes = query.take_with("for", read_purposes).unwrap_or_default();
        query.finish()?;
        let (parts, body) = request.into_parts();
        let bytes = read_file(&state, &parts.headers, body).await?;
        ImportOrder { inputs: vec![Input::File(bytes)], dry_run, account, purposes, ..ImportOrder::default() }
    } else {
        query.finish()?;
        let body = <Json<Import> as axum::extract::FromRequest<State>>::from_request(request, &state).await?;
        let mut import = body.value;
        sent = match import.files.take() {
            Some(id) => Some(Sent::find(&state, id, &mut import).await?),
            None => None,
        };
        import.order(here, sent.as_ref())?
    };
    // It runs to its end, whether the caller waits for it or not.
    let importing = state.clone();
    let ended = ambient::run_detached(state.tasks(), async move { run(&importing, order, sent).await }).await;
    match ended {
        Some(Ok(report)) => Ok(json(StatusCode::OK, &api::ImportAnswer::from(report))),
        Some(Err(error)) => Err(problem(error)),
        None => Err(Problem::new(Code::Internal, "The import broke down; the log says why. Start it again.")),
    }
}

/// Imports. Files that were sent for it are not needed any more when it is done.
async fn run(state: &State, order: ImportOrder, sent: Option<Sent>) -> Result<ImportReport, ImportError> {
    let dry_run = order.dry_run;
    let report = state.pool().import(order).await?;
    if let Some(Sent { id, .. }) = sent.filter(|_| !dry_run) {
        state.bundles().remove(&id).await;
    }
    Ok(report)
}

/// Files that were sent before.
struct Sent {
    id: String,
    paths: Vec<PathBuf>,
}

impl Sent {
    async fn find(state: &State, id: String, import: &mut Import) -> Result<Self, Problem> {
        let wrong = |message: String| Problem::fields(vec![FieldError::new("files", message)]);
        let Some(paths) = state.bundles().find(&id, state.clock().now()).await else {
            return Err(wrong(
                "is none that is kept: they wait for half an hour; send them again".to_owned(),
            ));
        };
        let is_plan = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "toml");
        let (plans, paths): (Vec<_>, Vec<_>) = paths.into_iter().partition(is_plan);
        match plans.as_slice() {
            [] => {}
            [plan] => {
                let text = tokio::fs::read_to_string(plan).await;
                let text = text.map_err(|_| wrong("has a plan file that is no text".to_owned()))?;
                let plan = read_plan(&text).map_err(wrong)?;
                import.plan.get_or_insert(plan);
            }
            _ => return Err(wrong("has more than one plan file; send one".to_owned())),
        }
        if paths.is_empty() {
            return Err(wrong("has no session file beside the plan; send them together".to_owned()));
        }
        Ok(Self { id, paths })
    }
}

/// A plan that came with its files, which have no folders here, whichever it names. Secrets of the server's environment are not for
/// anyone who sends a plan.
fn read_plan(text: &str) -> Result<Plan, String> {
    let plan = Plan::read(text, Path::new(""), |_| None);
    let mut plan = plan.map_err(|error| format!("has a plan file: {error}"))?;
    for session in &mut plan.sessions {
        session.file = session.file.as_deref().and_then(|file| name_of(Path::new(file)));
    }
    Ok(plan)
}

/// What a file is called without its folders.
fn name_of(path: &Path) -> Option<String> {
    path.file_name().map(|name| name.to_string_lossy().into_owned())
}

/// Shows how far the import is that is under way, in the same way while none is.
#[utoipa::path(
    get, path = "/v1/accounts/import", tag = "accounts", operation_id = "get_import_progress",
    responses((status = 200, description = "How far it is", body = api::ImportUnderWay))
)]
pub(crate) async fn progress(
    Shared(pool): Shared<Arc<telegram::Pool>>,
    _: Authorized<CanArrangeAccounts>,
) -> Response {
    json(StatusCode::OK, &api::ImportUnderWay::from(pool.import_progress()))
}

impl Import {
    /// What is ordered by this; paths only by anyone who is on this machine.
    fn order(self, here: bool, sent: Option<&Sent>) -> Result<ImportOrder, Problem> {
        let Self { paths, files: _, string, dry_run, account, purposes, api_id, api_hash, plan } = self;
        let mut errors = Vec::new();
        if !paths.is_empty() && !here {
            let advice = "is taken on the control socket alone; run `switchboard account import` on the server, or send a \
                           session file itself as application/octet-stream";
            errors.push(FieldError::new("paths", advice));
        }
        if paths.len() > MOST_PATHS {
            errors.push(FieldError::new(
                "paths",
                format!("names more than {MOST_PATHS} files; name their folder"),
            ));
        }
        if paths.iter().any(|path| !path.starts_with('/')) {
            errors.push(FieldError::new("paths", "must hold absolute paths"));
        }
        if paths.is_empty() && string.is_none() && sent.is_none() {
            errors.push(FieldError::new(
                "paths",
                "is empty; name session files, or give a session as `string`, or send `files` first",
            ));
        }
        let application = match (api_id, api_hash) {
            (Some(api_id), Some(api_hash)) => Some(Application { api_id, api_hash }),
            (None, None) => None,
            (Some(_), None) => {
                errors.push(FieldError::new("api_hash", "is missing; it belongs to api_id"));
                None
            }
            (None, Some(_)) => {
                errors.push(FieldError::new("api_id", "is missing; it belongs to api_hash"));
                None
            }
        };
        if !errors.is_empty() {
            return Err(Problem::fields(errors));
        }
        let paths = paths.into_iter().map(|path| Input::Path(PathBuf::from(path)));
        let sent = sent.into_iter().flat_map(|sent| &sent.paths);
        let sent = sent.map(|path| Input::Sent(path.clone(), name_of(path).unwrap_or_default()));
        let inputs = paths.chain(sent).chain(string.map(Input::Text)).collect();
        let plan = plan.unwrap_or_default();
        Ok(ImportOrder { inputs, dry_run, account, purposes, application, plan })
    }
}

fn is_file(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/octet-stream")
}

async fn read_file(state: &State, headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Problem> {
    let limits = Limits { body: LARGEST_FILE, ..state.limits() };
    let bytes = read_body(headers, body, &limits).await?;
    if bytes.is_empty() {
        return Err(Problem::fields(vec![FieldError::new("", "is empty; send the bytes of a session file")]));
    }
    Ok(bytes.to_vec())
}

fn read_purposes(text: &str) -> Result<Vec<Purpose>, String> {
    let one = |word: &str| {
        let known = Purpose::ALL.into_iter().find(|purpose| purpose.as_str() == word.trim());
        let words = Purpose::ALL.map(Purpose::as_str).join(", ");
        known.ok_or_else(|| format!("{word:?} is none of {words}"))
    };
    text.split(',').map(one).collect()
}

fn problem(error: ImportError) -> Problem {
    match error {
        ImportError::Store(error) => error.into(),
        ImportError::Busy => {
            Problem::new(Code::WrongState, "Another import is under way; wait until it has ended.")
        }
        ImportError::Refused { account, why } => Problem::new(
            Code::WrongState,
            format!(
                "The account {account} did not take its session: {why}. What came before it is done; mend that, and import again."
            ),
        ),
        ImportError::Ending => Problem::new(
            Code::ShuttingDown,
            "The program is ending. What was done is kept; import again when it runs.",
        ),
        ImportError::Broken(why) => {
            tracing::error!(error = why, "an import broke down");
            Problem::new(Code::Internal, "The files could not be looked through; the log says why.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(json: &str) -> Import {
        crate::extract::parse_json(json.as_bytes()).expect("it reads")
    }

    #[test]
    fn paths_are_taken_on_this_machine_alone() {
        let named = || body(r#"{"paths":["/demo/main.session"]}"#);
        assert_eq!(named().order(true, None).map(|order| order.inputs.len()), Ok(1));
        let refused = named().order(false, None).map(|_| ()).expect_err("refused");
        assert!(refused.detail().contains("control socket"), "{}", refused.detail());
        assert!(body(r#"{"paths":["main.session"]}"#).order(true, None).is_err());
        assert!(body("{}").order(true, None).is_err());
        assert!(body(r#"{"string":"1A"}"#).order(false, None).is_ok());
    }

    #[test]
    fn a_plan_that_was_sent_reaches_no_other_files_and_no_secrets() {
        let plan = "[[session]]\nfile = \"/etc/../old/main.session\"\naccount = \"main\"\n[[session]]\nfile = \"..\"\n";
        let plan = read_plan(plan).expect("a plan");
        assert_eq!(plan.sessions[0].file.as_deref(), Some("main.session"));
        assert_eq!(plan.sessions[1].file, None);
        let secret = "[[account]]\nname = \"main\"\napi_hash = { env = \"HOME\" }\n";
        assert!(read_plan(secret).is_err_and(|why| why.contains("HOME")));
        assert!(read_plan("nonsense").is_err());
    }

    #[test]
    fn an_incomplete_application_is_ignored() {
        for (half, missing) in [(r#""api_id":1"#, "api_hash"), (r#""api_hash":"demo""#, "api_id")] {
            let refused = body(&format!(r#"{{"string":"1A",{half}}}"#))
                .order(false, None)
                .map(|_| ())
                .expect_err("half");
            assert!(refused.detail().contains(missing), "{}", refused.detail());
        }
    }

    #[test]
    fn purposes_are_words_with_commas() {
        assert_eq!(read_purposes("send_text, leave_chat"), Ok(vec![Purpose::SendText, Purpose::LeaveChat]));
        assert!(read_purposes("send").is_err());
    }
}
