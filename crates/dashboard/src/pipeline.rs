//! `/pipeline`: how much of what clients wrote is at each stage on its way to an answer, and since when; what could not be processed,
//! and putting it on its way again.

use access::Right;
use api::{DeadLetter, FailedTurn, Page, PipelineState, PutAgain, ReplayedMessage};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::{Timestamp, TurnStage};
use http::Method;
use serde::Deserialize;
use serde_json::json;

use crate::ask::Refused;
use crate::dashboard::Dashboard;
use crate::listing;
use crate::page::{self, refusal, segment};
use crate::view::Section;
use crate::visitor::{Posted, Visitor};
use crate::words::{self, InboxWords, PipelineWords, WorkWords};

#[derive(Template)]
#[template(path = "pipeline/index.html")]
struct Pipeline<'a> {
    visitor: &'a Visitor,
    words: &'static PipelineWords,
    work: &'static WorkWords,
    inbox: &'static InboxWords,
    state: &'a PipelineState,
    failed: &'a Page<FailedTurn>,
    /// None where Redis does not answer.
    dead: Option<&'a [DeadLetter]>,
    may_retry: bool,
}

/// A stage as the page shows it.
struct Row {
    name: &'static str,
    what: &'static str,
    count: u64,
    since: Option<Timestamp>,
}

impl Pipeline<'_> {
    /// All stages, also those where nothing is.
    fn rows(&self) -> Vec<Row> {
        let (words, state) = (self.words, self.state);
        let batch = Row {
            name: words.batch,
            what: words.batch_detail,
            count: state.waiting,
            since: state.waiting_since,
        };
        let of_stage = |stage: TurnStage| {
            let (name, what) = words.of_stage(stage)?;
            let found = state.stages.iter().find(|counted| counted.stage == stage);
            let since = found.map(|found| found.since);
            Some(Row { name, what, count: found.map_or(0, |found| found.turns), since })
        };
        [batch].into_iter().chain(TurnStage::ALL.into_iter().filter_map(of_stage)).collect()
    }

    fn age(&self, since: Timestamp) -> String {
        words::number::span(self.visitor.language, self.visitor.now.since(since))
    }

    /// Where the conversation of a batch is.
    fn conversation(one: &FailedTurn) -> Option<String> {
        one.client_id.map(|client| format!("/inbox/{client}"))
    }

    fn name(one: &FailedTurn) -> &str {
        one.client_name.as_deref().unwrap_or(&one.chat)
    }

    fn why<'t>(&self, one: &'t FailedTurn) -> std::borrow::Cow<'t, str> {
        self.inbox.why(one.turn.why.as_deref().unwrap_or_default())
    }

    fn behind(&self) -> String {
        let behind = std::time::Duration::from_millis(self.state.behind_ms);
        words::number::latency(self.visitor.language, behind)
    }
}

const HERE: &str = "/pipeline";
/// So much of what could not be processed is shown; the API has the rest.
const MOST: usize = 100;

pub(crate) async fn show(State(dashboard): State<Dashboard>, visitor: Visitor) -> Response {
    let state = match dashboard.ask::<PipelineState>(&visitor, Method::GET, "/v1/pipeline", None).await {
        Ok(state) => state,
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    let path = format!("/v1/pipeline/failed-turns?limit={MOST}");
    let failed = match dashboard.ask::<Page<FailedTurn>>(&visitor, Method::GET, &path, None).await {
        Ok(failed) => failed,
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    let path = "/v1/pipeline/dead-letters";
    let dead = dashboard.ask::<Page<DeadLetter>>(&visitor, Method::GET, path, None).await.ok();
    let words = PipelineWords::of(visitor.language);
    let body = Pipeline {
        visitor: &visitor,
        words,
        work: WorkWords::of(visitor.language),
        inbox: InboxWords::of(visitor.language),
        state: &state,
        failed: &failed,
        dead: dead.as_ref().map(|dead| dead.items.get(..MOST).unwrap_or(&dead.items)),
        may_retry: visitor.may(Right::Send),
    };
    page::page(&visitor, words.pipeline, Section::Pipeline, body)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Form {
    /// What is put on its way again; empty: all.
    id: String,
}

/// `POST /pipeline/actions/{action}`.
pub(crate) async fn act(
    State(dashboard): State<Dashboard>,
    Path(action): Path<String>,
    Posted { visitor, form }: Posted<Form>,
) -> Response {
    let words = PipelineWords::of(visitor.language);
    let id = form.id.trim();
    let list = match action.as_str() {
        "retry" => "failed-turns",
        "retry-dead" => "dead-letters",
        "replay" => {
            let path = format!("/v1/pipeline/messages/{}/replay", segment(id));
            let came = dashboard.ask::<ReplayedMessage>(&visitor, Method::POST, &path, None).await;
            return match came {
                Ok(came) if came.on_its_way => page::done(&visitor, HERE, words.is_on_its_way),
                Ok(_) => page::done(&visitor, HERE, words.was_put_again),
                Err(why) => page::refused(&visitor, HERE, &why),
            };
        }
        _ => return refusal::no_such_page(&visitor),
    };
    let ids: Vec<&str> = Some(id).filter(|id| !id.is_empty()).into_iter().collect();
    let path = format!("/v1/pipeline/{list}/retry");
    let came: Result<PutAgain, Refused> =
        dashboard.ask(&visitor, Method::POST, &path, Some(json!({ "ids": ids }))).await;
    match came {
        Ok(came) if came.again == 0 => page::not_done(&visitor, HERE, words.nothing_put_again),
        Ok(_) => page::done(&visitor, HERE, words.was_put_again),
        Err(why) => page::refused(&visitor, HERE, &why),
    }
}
