//! `/flows/{name}`: one of them, with its runs, its speed and its definition.

use std::borrow::Cow;

use access::Right;
use api::{Flow, FlowDefinition, FlowRun, FlowStats};
use askama::Template;
use axum::extract::{Path, Query as QueryOf, State};
use axum::response::Response;
use http::{Method, StatusCode};

use super::speed::{self, Bar, Drawn};
use super::{API, find, kept};
use crate::dashboard::Dashboard;
use crate::listing::{Unfiltered, address};
use crate::page::{self, refusal, segment};
use crate::view::{Linked, Section};
use crate::visitor::Visitor;
use crate::words::{self, FlowsWords, WorkWords, number};

#[derive(Template)]
#[template(path = "flows/one.html")]
struct One<'a> {
    visitor: &'a Visitor,
    words: &'static FlowsWords,
    work: &'static WorkWords,
    flow: &'a Flow,
    stats: &'a FlowStats,
    query: &'a Unfiltered,
    found: &'a api::Page<FlowRun>,
    /// As it was written, where it is none of the settings.
    kept: Option<&'a FlowDefinition>,
    may_act: bool,
    may_write: bool,
}

impl One<'_> {
    fn drawn(&self) -> Vec<Drawn<'_>> {
        speed::drawn(&self.stats.stages)
    }

    fn width(bars: &[Bar]) -> usize {
        bars.len().max(1) * speed::BAR
    }

    fn micros(&self, micros: u64) -> String {
        number::micros(self.visitor.language, micros)
    }

    fn presses(run: &FlowRun) -> usize {
        run.timeline.iter().filter(|moment| moment.stage == "pressed").count()
    }

    /// The reasons of failed runs, each with its count.
    fn failed<'f>(&self, on: &'f api::FlowOnAccount) -> Vec<(Cow<'f, str>, u64)> {
        let reason = |code: &'f String| match self.words.why(code) {
            Some(words) => Cow::Borrowed(words),
            None => Cow::Owned(code.replace('_', " ")),
        };
        on.failed.iter().map(|(code, count)| (reason(code), *count)).collect()
    }

    fn took(&self, run: &FlowRun) -> Option<String> {
        let last = run.timeline.last().filter(|_| run.ended_at.is_some() && run.state != "cut")?;
        Some(self.micros(last.at_us))
    }

    fn limits(&self) -> Vec<String> {
        let per_hour = self.flow.per_hour.map(|most| self.words.per_hour(most));
        let at_once = self.words.at_once(self.flow.at_once.into());
        std::iter::once(at_once)
            .chain(per_hour)
            .chain(self.flow.stop_after.map(|most| self.words.stop_after(most)))
            .collect()
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
    QueryOf(mut query): QueryOf<Unfiltered>,
) -> Response {
    let flow = match find(&dashboard, &visitor, &name).await {
        Ok(flow) => flow,
        Err(answer) => return *answer,
    };
    query.path = flow.path();
    let path = address("/v1/flow-runs", &[("flow", &flow.name), ("cursor", &query.after), ("limit", "25")]);
    let found = match dashboard.ask::<api::Page<FlowRun>>(&visitor, Method::GET, &path, None).await {
        Ok(found) => found,
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    let path = format!("{API}/{}/stats", segment(&flow.name));
    let stats = match dashboard.ask::<FlowStats>(&visitor, Method::GET, &path, None).await {
        Ok(stats) => stats,
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    let kept = match kept(&dashboard, &visitor, &flow.name).await {
        Ok(kept) => Some(kept),
        Err(why) if why.status == StatusCode::NOT_FOUND => None,
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    let body = One {
        visitor: &visitor,
        words: FlowsWords::of(visitor.language),
        work: WorkWords::of(visitor.language),
        flow: &flow,
        stats: &stats,
        query: &query,
        found: &found,
        kept: kept.as_ref(),
        may_act: visitor.may(Right::Operate),
        may_write: visitor.may(Right::Administer),
    };
    page::page(&visitor, &flow.name, Section::Flows, body)
}
