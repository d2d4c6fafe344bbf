//! `/campaigns/{name}`: how far a campaign is, what it sent in each hour, what became of each chat, its runs, and the cycles of one.

use access::Right;
use api::{
    Campaign, CampaignAttempt, CampaignCycle, CampaignCycles, CampaignHour, CampaignHours, CampaignRun,
};
use askama::Template;
use axum::extract::{Path, Query as QueryOf, State};
use axum::response::Response;
use http::Method;
use serde::Deserialize;

use super::hours::{self, Bar};
use super::{Control, call, find};
use crate::dashboard::Dashboard;
use crate::listing::{self, address};
use crate::page::{self, refusal};
use crate::view::{Linked, Section};
use crate::visitor::Visitor;
use crate::words::{self, CampaignsWords, WorkWords, number};

/// The parts of the log, by their words in addresses: all, what was sent, what failed, and so on.
const PARTS: [&str; 7] = ["", "sent", "failed", "not_found", "failed_send", "skipped", "unknown"];

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    /// A part of the log.
    part: String,
    /// Of this run; of the latest one when it is empty.
    run: String,
    after: String,
    /// The path of the page; no part of the query.
    #[serde(skip)]
    path: String,
}

impl Query {
    fn page_after(&self, after: &str) -> String {
        address(&self.path, &[("part", &self.part), ("run", &self.run), ("after", after)])
    }

    fn of_part(&self, part: &str) -> String {
        address(&self.path, &[("part", part), ("run", &self.run)])
    }

    fn of_run(&self, run: &CampaignRun) -> String {
        address(&self.path, &[("run", &run.id.to_string())])
    }

    fn of_file(&self) -> String {
        address(&format!("{}/attempts", self.path), &[("part", &self.part), ("run", &self.run)])
    }

    fn is_narrow(&self) -> bool {
        !self.part.is_empty()
    }

    /// The call for the attempts, all of them or a page.
    fn attempts(&self, name: &str, part: &str, page: &[(&'static str, &str)]) -> String {
        let (state, log, reason) = match self.part.as_str() {
            "not_found" => ("", "", "chat_not_found"),
            "failed_send" => ("", "failed_send", ""),
            state => (state, "", ""),
        };
        let filter = [("run", self.run.as_str()), ("state", state), ("log", log), ("reason", reason)];
        let pairs: Vec<_> = filter.into_iter().chain(page.iter().copied()).collect();
        address(&call(name, part), &pairs)
    }
}

#[derive(Template)]
#[template(path = "campaigns/one.html")]
struct One<'a> {
    visitor: &'a Visitor,
    words: &'static CampaignsWords,
    work: &'static WorkWords,
    campaign: &'a Campaign,
    hours: &'a CampaignHours,
    runs: &'a [CampaignRun],
    /// Of the run that was chosen.
    cycles: &'a [CampaignCycle],
    query: &'a Query,
    found: &'a api::Page<CampaignAttempt>,
    wrong: Option<String>,
    may_act: bool,
}

impl One<'_> {
    fn control(&self) -> Control {
        Control::of(self.campaign)
    }

    fn here(page: &str) -> bool {
        page.is_empty()
    }

    fn bars(&self) -> Vec<(&CampaignHour, Bar)> {
        hours::drawn(self.hours).0
    }

    fn limit_y(&self) -> u64 {
        hours::drawn(self.hours).1
    }

    fn width(&self) -> usize {
        self.hours.hours.len().max(1) * hours::BAR
    }

    /// An hour in words.
    fn hour(&self, hour: &CampaignHour) -> String {
        self.words.hour_sent(&self.visitor.wall().minute(hour.began_at).text(), hour.sent)
    }

    /// The beginning, the middle and the end of the hours.
    fn axis(&self) -> Vec<&CampaignHour> {
        let hours = &self.hours.hours;
        [0, hours.len() / 2, hours.len().saturating_sub(1)]
            .into_iter()
            .filter_map(|at| hours.get(at))
            .collect()
    }

    /// What was sent in all those hours.
    fn day(&self) -> String {
        number::thousands(self.hours.hours.iter().map(|hour| hour.sent).sum())
    }

    /// The page of a sender that is a browser profile.
    fn profile(sender: &str) -> String {
        format!("/campaign-profiles/{}", sender.trim_start_matches("profile:"))
    }

    fn delay(&self) -> String {
        self.words.seconds(self.campaign.settings.delay_seconds)
    }

    fn limits(&self) -> String {
        let settings = &self.campaign.settings;
        self.words.limits(settings.max_messages_per_hour, settings.max_messages_per_day)
    }

    fn is_blocked(&self) -> bool {
        self.campaign.blocked > 0 || self.campaign.senders.iter().any(|sender| !sender.is_active())
    }

    fn is_of_run(&self, run: &CampaignRun) -> bool {
        run.id.to_string() == self.query.run
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
    QueryOf(mut query): QueryOf<Query>,
) -> Response {
    let campaign = match find(&dashboard, &visitor, &name).await {
        Ok(campaign) => campaign,
        Err(answer) => return *answer,
    };
    query.path = campaign.path();
    let path = query.attempts(&name, "/attempts", &[("cursor", &query.after), ("limit", "50")]);
    let answer = dashboard.ask::<api::Page<CampaignAttempt>>(&visitor, Method::GET, &path, None).await;
    let (found, wrong) = match listing::found(answer) {
        Ok(found) => found,
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    let path = call(&name, "/hours");
    let hours = match dashboard.ask::<CampaignHours>(&visitor, Method::GET, &path, None).await {
        Ok(hours) => hours,
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    // The latest ones; all of them are a call of the API.
    let path = call(&name, "/runs?limit=10");
    let runs = match dashboard.ask::<api::Page<CampaignRun>>(&visitor, Method::GET, &path, None).await {
        Ok(runs) => runs.items,
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    let mut cycles = Vec::new();
    // They are counted over each attempt of the run: not for everyone who looks at the campaign.
    if wrong.is_none() && !query.run.is_empty() {
        let path = address(&call(&name, "/cycles"), &[("run", &query.run)]);
        cycles = match dashboard.ask::<CampaignCycles>(&visitor, Method::GET, &path, None).await {
            Ok(found) => found.cycles,
            Err(why) => return refusal::of_api(&visitor, &why),
        };
    }
    let body = One {
        visitor: &visitor,
        words: CampaignsWords::of(visitor.language),
        work: WorkWords::of(visitor.language),
        campaign: &campaign,
        hours: &hours,
        runs: &runs,
        cycles: &cycles,
        query: &query,
        found: &found,
        wrong,
        may_act: visitor.may(Right::Operate),
    };
    page::page(&visitor, &campaign.title, Section::Campaigns, body)
}

/// `GET /campaigns/{name}/attempts`: the file, as the API gives it.
pub(crate) async fn export(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
    QueryOf(query): QueryOf<Query>,
) -> Response {
    dashboard.file(&visitor, &query.attempts(&name, "/attempts/export", &[])).await
}
