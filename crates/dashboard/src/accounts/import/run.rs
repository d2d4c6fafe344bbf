//! An import that is carried out: begun by a form, shown while it runs, and kept to be read when it has ended.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use access::Right;
use api::ImportAnswer;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::{ExposeSecret, SecretText};
use http::Method;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::task::JoinHandle;

use super::look::Table;
use super::{API, HERE};
use crate::accounts::add::number;
use crate::accounts::plain;
use crate::ask::Refused;
use crate::dashboard::Dashboard;
use crate::page::{self, refusal};
use crate::view::Section;
use crate::visitor::{Posted, Visitor};
use crate::words::{AccountsWords, ImportWords};

/// How long the answer to the form waits for a short import to end.
const MOMENT: Duration = Duration::from_millis(1_500);

/// After how many seconds a browser without script looks again.
const RENEWED: u16 = 4;

/// The import that runs or ran last, for all admins who look.
#[derive(Default)]
pub(crate) struct Importing(Mutex<Slot>);

#[derive(Default)]
struct Slot {
    running: Option<JoinHandle<()>>,
    ended: Option<Result<ImportAnswer, Refused>>,
}

impl Importing {
    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_under_way(&self) -> bool {
        self.slot().running.as_ref().is_some_and(|running| !running.is_finished())
    }

    fn ended(&self) -> Option<Result<ImportAnswer, Refused>> {
        self.slot().ended.clone()
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Order {
    stopped: Option<String>,
    account: String,
    api_id: String,
    api_hash: Option<SecretText>,
}

impl Order {
    fn body(&self, files: &str) -> Value {
        let mut body = Map::new();
        body.insert("files".into(), files.into());
        if !self.account.is_empty() {
            body.insert("account".into(), self.account.as_str().into());
        }
        if !self.api_id.trim().is_empty() {
            body.insert("api_id".into(), number(&self.api_id));
        }
        let hash = self.api_hash.as_ref().map(|hash| hash.expose_secret().trim()).unwrap_or_default();
        if !hash.is_empty() {
            body.insert("api_hash".into(), hash.into());
        }
        Value::Object(body)
    }
}

/// `POST /accounts/import/{id}/actions/import`.
pub(crate) async fn begin(
    State(dashboard): State<Dashboard>,
    Path(id): Path<String>,
    Posted { visitor, form }: Posted<Order>,
) -> Response {
    if !visitor.may(Right::ArrangeAccounts) {
        return refusal::not_allowed(&visitor);
    }
    let words = ImportWords::of(visitor.language);
    let back = format!("{HERE}/{}", plain(&id));
    if form.stopped.is_none() {
        return page::not_done(&visitor, &back, words.tick_first);
    }
    if !start(&dashboard, &visitor, form.body(&id)) {
        return page::not_done(&visitor, &back, words.another_runs);
    }
    // A short one has ended when its page is shown.
    let end = tokio::time::Instant::now() + MOMENT;
    let importing = dashboard.page_state::<Importing>();
    while importing.is_under_way() && tokio::time::Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    match importing.ended() {
        // What was written is wrong: the files still wait.
        Some(Err(why)) if why.code == "invalid_request" => page::refused(&visitor, &back, &why),
        _ => Redirect::to(&format!("{HERE}/under-way")).into_response(),
    }
}

/// Begins an import that goes on when no one looks; false where one runs already.
fn start(dashboard: &Dashboard, visitor: &Visitor, body: Value) -> bool {
    let importing = dashboard.page_state::<Importing>();
    let mut slot = importing.slot();
    if slot.running.as_ref().is_some_and(|running| !running.is_finished()) {
        return false;
    }
    slot.ended = None;
    let (dashboard, visitor, ends) = (dashboard.clone(), visitor.clone(), Arc::clone(&importing));
    slot.running = Some(tokio::spawn(async move {
        let ended = dashboard.ask_for_long::<ImportAnswer>(&visitor, Method::POST, API, Some(body)).await;
        ends.slot().ended = Some(ended);
    }));
    true
}

/// How far it is, as the API reports.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Progress {
    pub(crate) step: Option<String>,
    pub(crate) done: u64,
    pub(crate) of: u64,
    pub(crate) now: Option<String>,
}

impl Progress {
    /// The file's own name: where it is stored here is not shown.
    pub(crate) fn file(&self) -> Option<&str> {
        self.now.as_deref()?.rsplit('/').next()
    }
}

#[derive(Template)]
#[template(path = "accounts/import_run.html")]
struct Run {
    words: &'static ImportWords,
    list: &'static AccountsWords,
    progress: Progress,
}

#[derive(Template)]
#[template(path = "accounts/import_over.html")]
pub(crate) struct Over<'a> {
    pub(crate) words: &'static ImportWords,
    pub(crate) list: &'static AccountsWords,
    pub(crate) ended: &'a Result<ImportAnswer, Refused>,
}

impl Over<'_> {
    fn table(&self, report: &ImportAnswer) -> Result<String, askama::Error> {
        Table { words: self.words, list: self.list, report }.render()
    }
}

/// `GET /accounts/import/under-way`: how far it is, or what came of it.
pub(crate) async fn under_way(State(dashboard): State<Dashboard>, visitor: Visitor) -> Response {
    if !visitor.may(Right::ArrangeAccounts) {
        return refusal::not_allowed(&visitor);
    }
    let words = ImportWords::of(visitor.language);
    let list = AccountsWords::of(visitor.language);
    let importing = dashboard.page_state::<Importing>();
    if importing.is_under_way() {
        let progress = dashboard.ask::<Progress>(&visitor, Method::GET, API, None).await.unwrap_or_default();
        let body = Run { words, list, progress };
        return page::moving_page(&visitor, words.running, Section::Accounts, body, Some(RENEWED));
    }
    match importing.ended() {
        Some(ended) => {
            page::page(&visitor, words.title, Section::Accounts, Over { words, list, ended: &ended })
        }
        None => refusal::of_nothing(&visitor, words.title, words.never_run),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_form_becomes_the_body_of_the_call() {
        let body = |form: &str| serde_urlencoded::from_str::<Order>(form).expect("a form").body("imp_1");
        assert_eq!(body("account=&api_id=&api_hash="), json!({ "files": "imp_1" }));
        assert_eq!(
            body("stopped=yes&account=main&api_id=1000001&api_hash=ab"),
            json!({ "files": "imp_1", "account": "main", "api_id": 1_000_001, "api_hash": "ab" })
        );
    }

    #[test]
    fn a_file_is_shown_by_its_own_name() {
        let now = |now: &str| Progress { now: Some(now.to_owned()), ..Progress::default() };
        assert_eq!(now("/data/imports/imp_1/main.session").file(), Some("main.session"));
        assert_eq!(now("the string").file(), Some("the string"));
        assert_eq!(Progress::default().file(), None);
    }
}
