//! `/flows`: all of them, how each is on its accounts, and its last run.

use access::Right;
use api::{Flow, FlowDefinition, FlowFile, FlowProblem};
use askama::Template;
use axum::extract::{Query as QueryOf, State};
use axum::response::Response;
use domain::Timestamp;
use http::Method;

use super::{API, HERE, run_path};
use crate::dashboard::Dashboard;
use crate::listing::{Unfiltered, address};
use crate::page::{self, refusal};
use crate::view::{Linked, Section};
use crate::visitor::Visitor;
use crate::words::{FlowsWords, WorkWords, translate};

#[derive(Template)]
#[template(path = "flows/list.html")]
struct List<'a> {
    visitor: &'a Visitor,
    words: &'static FlowsWords,
    work: &'static WorkWords,
    query: &'a Unfiltered,
    found: &'a api::Page<Flow>,
    /// Those that were written here and are not in use.
    unused: &'a [FlowDefinition],
    wrong_files: &'a [FlowFile],
    may_act: bool,
    may_write: bool,
}

/// The last run of a flow, on whichever account.
struct LastRun<'a> {
    path: String,
    at: Timestamp,
    state: &'a str,
    code: &'a str,
}

impl List<'_> {
    /// The first thing that is wrong with a definition.
    fn wrong(&self, definition: &FlowDefinition) -> Option<String> {
        definition.problems.first().map(|problem| self.problem(problem))
    }

    fn problem(&self, problem: &FlowProblem) -> String {
        let message = translate(self.visitor.language, &problem.message);
        format!("{} {message}", problem.key)
    }

    fn place(&self, problem: &FlowProblem) -> Option<String> {
        Some(self.words.place(problem.line?, problem.column.unwrap_or(1)))
    }

    /// How many offers began no run, failed or were cut, on all accounts.
    fn missed(flow: &Flow) -> u64 {
        flow.accounts.iter().flat_map(|on| on.skipped.values().chain(on.failed.values())).sum()
    }

    fn last(flow: &Flow) -> Option<LastRun<'_>> {
        let on = flow.accounts.iter().max_by_key(|on| on.last_run_at)?;
        Some(LastRun {
            path: run_path(on.last_run_id.as_ref()?),
            at: on.last_run_at?,
            state: on.last_run_state.as_deref()?,
            code: on.last_run_code.as_deref().unwrap_or_default(),
        })
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    QueryOf(mut query): QueryOf<Unfiltered>,
) -> Response {
    HERE.clone_into(&mut query.path);
    let path = address(API, &[("cursor", &query.after), ("limit", "50")]);
    let found = match dashboard.ask::<api::Page<Flow>>(&visitor, Method::GET, &path, None).await {
        Ok(found) => found,
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    // As many as a page has; more of them are wrong at once only by the hand of a program.
    let path = "/v1/flow-definitions?limit=100";
    let mut unused = match dashboard.ask::<api::Page<FlowDefinition>>(&visitor, Method::GET, path, None).await
    {
        Ok(kept) => kept.items,
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    unused.retain(|definition| !definition.problems.is_empty());
    let path = "/v1/flow-files?limit=100";
    let mut wrong_files = match dashboard.ask::<api::Page<FlowFile>>(&visitor, Method::GET, path, None).await
    {
        Ok(files) => files.items,
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    wrong_files.retain(|file| !file.problems.is_empty());
    let words = FlowsWords::of(visitor.language);
    let work = WorkWords::of(visitor.language);
    let body = List {
        visitor: &visitor,
        words,
        work,
        query: &query,
        found: &found,
        unused: &unused,
        wrong_files: &wrong_files,
        may_act: visitor.may(Right::Operate),
        may_write: visitor.may(Right::Administer),
    };
    page::page(&visitor, words.flows, Section::Flows, body)
}
