//! `/flow-runs/{id}`: a run, with what happened in it to the microsecond.

use std::borrow::Cow;
use std::time::Duration;

use api::{FlowRun, FlowRunMoment};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::{FlowRunId, Timestamp};
use http::Method;

use super::HERE;
use crate::dashboard::Dashboard;
use crate::page::{self, refusal, segment};
use crate::view::Section;
use crate::visitor::Visitor;
use crate::words::{FlowsWords, WorkWords, number};

#[derive(Template)]
#[template(path = "flows/run.html")]
struct One<'a> {
    visitor: &'a Visitor,
    words: &'static FlowsWords,
    work: &'static WorkWords,
    run: &'a FlowRun,
}

impl One<'_> {
    fn flow_path(&self) -> String {
        format!("{HERE}/{}", segment(&self.run.flow))
    }

    fn at(&self, moment: &FlowRunMoment) -> Timestamp {
        self.run.began_at.plus(Duration::from_micros(moment.at_us))
    }

    /// The moments, each with the time since the one before.
    fn moments(&self) -> impl Iterator<Item = (&FlowRunMoment, Option<u64>)> {
        let before = std::iter::once(None).chain(self.run.timeline.iter().map(|moment| Some(moment.at_us)));
        let since = |(moment, before): (&FlowRunMoment, Option<u64>)| {
            before.map(|before| moment.at_us.saturating_sub(before))
        };
        self.run.timeline.iter().zip(before).map(move |(moment, before)| (moment, since((moment, before))))
    }

    fn micros(&self, micros: u64) -> String {
        number::micros(self.visitor.language, micros)
    }

    /// More of a moment: a label, or why in words.
    fn note<'n>(&self, moment: &'n FlowRunMoment) -> Option<Cow<'n, str>> {
        let note = moment.note.as_deref()?;
        match moment.stage.as_str() {
            "ended" if note == "done" => None,
            "ended" | "failed" | "skipped" => Some(self.words.failed(note)),
            _ => Some(Cow::Borrowed(note)),
        }
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    let Ok(id) = id.parse::<FlowRunId>() else { return refusal::no_such_page(&visitor) };
    let path = format!("/v1/flow-runs/{id}");
    let run = match dashboard.ask::<FlowRun>(&visitor, Method::GET, &path, None).await {
        Ok(run) => run,
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    let (words, work) = (FlowsWords::of(visitor.language), WorkWords::of(visitor.language));
    let title = format!("{} {}", words.run, run.flow);
    page::page(&visitor, &title, Section::Flows, One { visitor: &visitor, words, work, run: &run })
}
