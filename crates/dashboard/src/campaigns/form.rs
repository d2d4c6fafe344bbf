//! `/new-campaign` and `/campaigns/{name}/change`: the settings of a campaign, and the accounts that send for it.

use access::Right;
use api::Campaign;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::{API, call, find};
use crate::ask::Refused;
use crate::dashboard::Dashboard;
use crate::page::{self, refusal};
use crate::view::{Linked, Section};
use crate::visitor::{Posted, Visitor};
use crate::words::{CampaignsWords, WorkWords};

/// The settings that are numbers, as the API names them.
const NUMBERS: [&str; 6] = [
    "max_messages_per_hour",
    "max_messages_per_day",
    "delay_seconds",
    "cycles",
    "cycle_delay_seconds",
    "retries",
];

/// What is before the name of a browser profile that sends.
const PROFILE: &str = "profile:";

/// What the form sends: the boxes of all accounts have one name.
type Pairs = [(String, String)];

/// A number of the form.
struct Number {
    field: &'static str,
    label: &'static str,
    help: &'static str,
    value: String,
    wrong: Option<String>,
}

/// What was not taken: fields of the form and words.
#[derive(Default)]
struct Wrong(Vec<(String, String)>);

impl Wrong {
    fn of(why: &Refused) -> Self {
        if why.fields.is_empty() {
            return Self(vec![(String::new(), why.detail.clone())]);
        }
        // The settings of a new campaign are in a field of their own; an entry of a list is part of its field.
        let field = |path: &str| {
            let path = path.strip_prefix("settings.").unwrap_or(path);
            path.split(['[', '.']).next().unwrap_or_default().to_owned()
        };
        Self(why.fields.iter().map(|wrong| (field(&wrong.field), wrong.message.clone())).collect())
    }

    fn at(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(at, _)| at == field).map(|(_, text)| text.as_str())
    }

    fn elsewhere(&self) -> Option<&str> {
        let known =
            |field: &str| NUMBERS.contains(&field) || ["name", "active_hours", "accounts"].contains(&field);
        self.0.iter().find(|(at, _)| !known(at)).map(|(_, text)| text.as_str())
    }
}

#[derive(Template)]
#[template(path = "campaigns/form.html")]
struct Form<'a> {
    visitor: &'a Visitor,
    words: &'static CampaignsWords,
    work: &'static WorkWords,
    /// The one that is changed; none for a new one.
    campaign: Option<&'a Campaign>,
    accounts: &'a [String],
    pairs: &'a Pairs,
    wrong: Wrong,
}

impl Form<'_> {
    fn value(&self, field: &str) -> &str {
        value(self.pairs, field)
    }

    fn numbers(&self) -> Vec<Number> {
        let words = self.words;
        let [hour, day, delay, cycles, between, retries] = NUMBERS;
        [
            (hour, words.max_per_hour, words.max_per_hour_help),
            (day, words.max_per_day, words.max_per_day_help),
            (delay, words.delay_field, words.delay_help),
            (cycles, words.cycles_field, words.cycles_help),
            (between, words.between_field, ""),
            (retries, words.retries_field, words.retries_help),
        ]
        .into_iter()
        .map(|(field, label, help)| {
            let wrong = self.wrong.at(field).map(str::to_owned);
            Number { field, label, help, value: self.value(field).to_owned(), wrong }
        })
        .collect()
    }

    /// Whether an account sends for it already.
    fn sends(&self, account: &str) -> bool {
        self.campaign.is_some_and(|campaign| sends(campaign, account))
    }

    fn is_ticked(&self, account: &str) -> bool {
        self.pairs.iter().any(|(field, value)| field == "account" && value == account)
    }

    fn here(&self) -> String {
        self.campaign
            .map_or_else(|| "/new-campaign".to_owned(), |campaign| format!("{}/change", campaign.path()))
    }

    fn back(&self) -> String {
        self.campaign.map_or_else(|| super::HERE.to_owned(), Campaign::path)
    }
}

fn sends(campaign: &Campaign, account: &str) -> bool {
    campaign.senders.iter().any(|sender| sender.account.as_str() == account)
}

fn value<'a>(pairs: &'a Pairs, field: &str) -> &'a str {
    pairs.iter().find(|(name, _)| name == field).map_or("", |(_, value)| value.trim())
}

/// The settings that the form has; a number that is empty stays, hours that are empty are any.
fn settings(pairs: &Pairs) -> Value {
    let mut settings = Map::new();
    for field in NUMBERS {
        let text = value(pairs, field);
        if !text.is_empty() {
            // What is no number is refused there, with the name of its field.
            let number = text.parse::<u32>().map_or_else(|_| Value::from(text), Value::from);
            settings.insert(field.to_owned(), number);
        }
    }
    settings.insert("active_hours".to_owned(), value(pairs, "active_hours").into());
    settings.into()
}

/// The form of a campaign as it is.
fn filled(campaign: &Campaign) -> Vec<(String, String)> {
    let settings = &campaign.settings;
    let numbers = [
        settings.max_messages_per_hour,
        settings.max_messages_per_day,
        settings.delay_seconds,
        settings.cycles,
        settings.cycle_delay_seconds,
        settings.retries,
    ];
    let numbers =
        NUMBERS.into_iter().zip(numbers).map(|(field, value)| (field.to_owned(), value.to_string()));
    let hours = settings.active_hours.clone().unwrap_or_default();
    numbers.chain([("active_hours".to_owned(), hours)]).collect()
}

async fn drawn(
    dashboard: &Dashboard,
    visitor: &Visitor,
    campaign: Option<&Campaign>,
    pairs: &Pairs,
    wrong: Wrong,
) -> Response {
    let (words, work) = (CampaignsWords::of(visitor.language), WorkWords::of(visitor.language));
    let mut accounts = dashboard.account_names(visitor).await;
    accounts.extend(dashboard.profile_names(visitor).await.iter().map(|name| format!("{PROFILE}{name}")));
    let title = campaign
        .map_or_else(|| words.add.to_owned(), |campaign| format!("{}: {}", words.change, campaign.title));
    let status = if wrong.0.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let body = Form { visitor, words, work, campaign, accounts: &accounts, pairs, wrong };
    page::page_of(status, visitor, &title, Section::Campaigns, body)
}

/// `GET /new-campaign`.
pub(crate) async fn new(State(dashboard): State<Dashboard>, visitor: Visitor) -> Response {
    if !visitor.may(Right::Operate) {
        return refusal::not_allowed(&visitor);
    }
    drawn(&dashboard, &visitor, None, &[], Wrong::default()).await
}

/// `POST /new-campaign`.
pub(crate) async fn add(
    State(dashboard): State<Dashboard>,
    Posted { visitor, form }: Posted<Vec<(String, String)>>,
) -> Response {
    if !visitor.may(Right::Operate) {
        return refusal::not_allowed(&visitor);
    }
    let body = json!({ "name": value(&form, "name"), "settings": settings(&form) });
    match dashboard.ask::<Campaign>(&visitor, Method::POST, API, Some(body)).await {
        Ok(made) => add_senders(&dashboard, &visitor, &made, &form).await,
        Err(why) => drawn(&dashboard, &visitor, None, &form, Wrong::of(&why)).await,
    }
}

/// `GET /campaigns/{name}/change`.
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Response {
    if !visitor.may(Right::Operate) {
        return refusal::not_allowed(&visitor);
    }
    match find(&dashboard, &visitor, &name).await {
        Ok(campaign) => {
            drawn(&dashboard, &visitor, Some(&campaign), &filled(&campaign), Wrong::default()).await
        }
        Err(answer) => *answer,
    }
}

/// `POST /campaigns/{name}/change`.
pub(crate) async fn change(
    State(dashboard): State<Dashboard>,
    Path(name): Path<String>,
    Posted { visitor, form }: Posted<Vec<(String, String)>>,
) -> Response {
    if !visitor.may(Right::Operate) {
        return refusal::not_allowed(&visitor);
    }
    let campaign = match find(&dashboard, &visitor, &name).await {
        Ok(campaign) => campaign,
        Err(answer) => return *answer,
    };
    let body = Some(settings(&form));
    match dashboard.ask::<Campaign>(&visitor, Method::PATCH, &call(&name, ""), body).await {
        Ok(changed) => add_senders(&dashboard, &visitor, &changed, &form).await,
        Err(why) => drawn(&dashboard, &visitor, Some(&campaign), &form, Wrong::of(&why)).await,
    }
}

/// Adds the accounts that are ticked and do not send for it yet.
async fn add_senders(
    dashboard: &Dashboard,
    visitor: &Visitor,
    campaign: &Campaign,
    form: &Pairs,
) -> Response {
    let ticked = form.iter().filter(|(field, _)| field == "account").map(|(_, account)| account.as_str());
    let new: Vec<&str> = ticked.filter(|account| !sends(campaign, account)).collect();
    if !new.is_empty() {
        let profiles: Vec<_> = new.iter().filter_map(|name| name.strip_prefix(PROFILE)).collect();
        let accounts: Vec<_> = new.iter().filter(|name| !name.starts_with(PROFILE)).collect();
        let body = json!({ "accounts": accounts, "profiles": profiles });
        let path = call(&campaign.name, "/senders");
        if let Err(why) = dashboard.ask::<Campaign>(visitor, Method::POST, &path, Some(body)).await {
            return drawn(dashboard, visitor, Some(campaign), form, Wrong::of(&why)).await;
        }
    }
    let words = CampaignsWords::of(visitor.language);
    page::done(visitor, &campaign.path(), &words.saved_note(&campaign.title))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::WrongField;

    #[test]
    fn a_form_is_settings_of_the_api() {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(
            "name=spring&max_messages_per_hour=+20+&cycles=many&active_hours=&account=main&account=fifth",
        )
        .expect("a form");
        let expected = json!({ "max_messages_per_hour": 20, "cycles": "many", "active_hours": "" });
        assert_eq!(settings(&pairs), expected);
    }

    #[test]
    fn a_wrong_setting_is_shown_at_its_field() {
        let field = |field: &str| WrongField { field: field.into(), message: field.into() };
        let fields = ["settings.cycles", "accounts[0]", "new"].map(field).to_vec();
        let wrong = Wrong::of(&Refused { fields, ..Refused::internal("") });
        assert_eq!(
            (wrong.at("cycles"), wrong.at("accounts")),
            (Some("settings.cycles"), Some("accounts[0]"))
        );
        assert_eq!(wrong.elsewhere(), Some("new"));
    }
}
