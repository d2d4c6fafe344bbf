//! `/campaigns/{name}/forecast`: who would get what and when, and the start.

use access::Right;
use api::{Campaign, CampaignForecast};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use http::Method;

use super::{Control, call, find};
use crate::dashboard::Dashboard;
use crate::page::{self, refusal};
use crate::view::{Linked, Section};
use crate::visitor::Visitor;
use crate::words::{self, CampaignsWords, translate};

#[derive(Template)]
#[template(path = "campaigns/forecast.html")]
struct ForecastPage<'a> {
    visitor: &'a Visitor,
    words: &'static CampaignsWords,
    campaign: &'a Campaign,
    forecast: &'a CampaignForecast,
    may_act: bool,
}

impl ForecastPage<'_> {
    fn here(page: &str) -> bool {
        page == "/forecast"
    }

    fn control(&self) -> Control {
        Control::of(self.campaign)
    }

    /// How many chats a start would write to.
    fn chats(&self) -> u64 {
        self.forecast.recipients
    }

    fn translated(&self, text: &str) -> String {
        translate(self.visitor.language, text).into_owned()
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Response {
    let campaign = match find(&dashboard, &visitor, &name).await {
        Ok(campaign) => campaign,
        Err(answer) => return *answer,
    };
    let path = call(&name, "/forecast");
    let forecast = match dashboard.ask::<CampaignForecast>(&visitor, Method::GET, &path, None).await {
        Ok(forecast) => forecast,
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    let words = CampaignsWords::of(visitor.language);
    let may_act = visitor.may(Right::Operate);
    let body = ForecastPage { visitor: &visitor, words, campaign: &campaign, forecast: &forecast, may_act };
    page::page(&visitor, &format!("{}: {}", campaign.title, words.forecast), Section::Campaigns, body)
}
