//! Maintenance windows: once, or every week, by the clock on the visitor's wall.

use api::MaintenanceWindow;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use health::{Card, CardFilter, CardKind, LARGEST_PAGE};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::people::unread;
use super::{Nothing, Tabs};
use crate::dashboard::Dashboard;
use crate::listing::written_time;
use crate::page::{self, refusal, segment};
use crate::view::{Linked, Section, Tab};
use crate::visitor::{Posted, Visitor};
use crate::words::{MaintenanceWords, OverviewWords, Wall, WorkWords};

const HERE: &str = "/settings/maintenance";
/// The call that lists and makes them.
const API: &str = "/v1/maintenance";
/// The days of the API, Monday first.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Linked for MaintenanceWindow {
    fn path(&self) -> String {
        format!("{HERE}/{}", self.id)
    }
}

#[derive(Template)]
#[template(path = "settings/maintenance.html")]
pub(super) struct Maintenance<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static MaintenanceWords,
    pub(super) overview: &'static OverviewWords,
    pub(super) wall: Wall,
    pub(super) tabs: Tabs,
    pub(super) windows: &'a [MaintenanceWindow],
    pub(super) cards: &'a [Card],
}

impl Maintenance<'_> {
    /// The kinds that there are cards of, each with its cards.
    fn kinds(&self) -> Vec<(CardKind, Vec<&Card>)> {
        let of = |kind| self.cards.iter().filter(|card| card.kind == kind).collect::<Vec<_>>();
        CardKind::ALL
            .into_iter()
            .map(|kind| (kind, of(kind)))
            .filter(|(_, cards)| !cards.is_empty())
            .collect()
    }

    fn scope(&self, window: &MaintenanceWindow) -> String {
        match (window.scope.as_str(), CardKind::from_word(&window.scope)) {
            ("all", _) => self.words.every_card.to_owned(),
            (_, Some(kind)) => self.overview.kind_many(kind).to_owned(),
            (scope, None) => {
                match scope.split_once(':').and_then(|(kind, name)| Some((CardKind::from_word(kind)?, name)))
                {
                    Some((kind, name)) => format!("{} {name}", self.overview.kind_of(kind)),
                    None => scope.to_owned(),
                }
            }
        }
    }

    fn weekly(&self, window: &MaintenanceWindow) -> Option<String> {
        let days = window.days.as_ref()?;
        let named =
            DAYS.iter().zip(self.words.weekdays).filter(|(day, _)| days.iter().any(|one| one == *day));
        let named: Vec<&str> = named.map(|(_, word)| word).collect();
        let offset = window.utc_offset.as_deref().unwrap_or("+00:00");
        Some(self.words.weekly_at(&named, window.start.as_deref()?, window.minutes?.into(), offset))
    }

    /// How a date and a time are written.
    fn time_hint(&self) -> &'static str {
        WorkWords::of(self.visitor.language).time_hint
    }

    fn weekdays(&self) -> Vec<(&'static str, &'static str)> {
        DAYS.into_iter().zip(self.words.weekdays).collect()
    }
}

/// `GET /settings/maintenance`.
pub(crate) async fn show(State(dashboard): State<Dashboard>, visitor: Visitor) -> Response {
    if !visitor.may(access::Right::Operate) {
        return refusal::not_allowed(&visitor);
    }
    let path = format!("{API}?limit=500");
    let windows =
        match dashboard.ask::<api::Page<MaintenanceWindow>>(&visitor, Method::GET, &path, None).await {
            Ok(list) => list.items,
            Err(why) => return unread(&visitor, &why),
        };
    let words = MaintenanceWords::of(visitor.language);
    let tabs = Tabs::new(&visitor, Tab::Maintenance);
    let wanted =
        CardFilter { by_kind: true, in_accounts: true, limit: Some(LARGEST_PAGE), ..CardFilter::default() };
    let mut cards = dashboard.health().overview(&wanted).cards;
    cards.sort_by(|one, other| (one.kind, &one.name).cmp(&(other.kind, &other.name)));
    let overview = OverviewWords::of(visitor.language);
    let body = Maintenance {
        visitor: &visitor,
        words,
        overview,
        wall: visitor.wall(),
        tabs,
        windows: &windows,
        cards: &cards,
    };
    page::page(&visitor, words.title, Section::Settings, body)
}

/// A window for once; the times are as they were written.
#[derive(Deserialize)]
pub(crate) struct Once {
    note: String,
    scope: String,
    from: String,
    until: String,
}

/// A window for every week; a day that is not ticked sends nothing.
#[derive(Deserialize)]
pub(crate) struct Weekly {
    note: String,
    scope: String,
    start: String,
    minutes: String,
    mon: Option<String>,
    tue: Option<String>,
    wed: Option<String>,
    thu: Option<String>,
    fri: Option<String>,
    sat: Option<String>,
    sun: Option<String>,
}

/// A time on the visitor's wall as the API reads it: with seconds and the offset. What is no time goes on as it is: the API
/// says what to write instead.
fn instant(written: &str, visitor: &Visitor) -> String {
    match written_time(written, visitor.zone, visitor.now) {
        Some(time) => format!("{}{}", time.strftime("%FT%T"), visitor.zone.offset()),
        None => written.to_owned(),
    }
}

/// For which cards; all when no one says.
fn scope(written: &str) -> &str {
    Some(written.trim()).filter(|scope| !scope.is_empty()).unwrap_or("all")
}

async fn make(dashboard: &Dashboard, visitor: &Visitor, body: Value) -> Response {
    match dashboard.ask::<Value>(visitor, Method::POST, API, Some(body)).await {
        Ok(_) => page::done(visitor, HERE, MaintenanceWords::of(visitor.language).made),
        Err(why) => page::refused(visitor, HERE, &why),
    }
}

/// `POST /settings/maintenance/actions/once`.
pub(crate) async fn once(
    State(dashboard): State<Dashboard>,
    Posted { visitor, form }: Posted<Once>,
) -> Response {
    let (from, until) = (instant(&form.from, &visitor), instant(&form.until, &visitor));
    let body = json!({ "note": form.note, "scope": scope(&form.scope), "from": from, "until": until });
    make(&dashboard, &visitor, body).await
}

/// `POST /settings/maintenance/actions/weekly`.
pub(crate) async fn weekly(
    State(dashboard): State<Dashboard>,
    Posted { visitor, form }: Posted<Weekly>,
) -> Response {
    let ticked = [&form.mon, &form.tue, &form.wed, &form.thu, &form.fri, &form.sat, &form.sun];
    let days: Vec<&str> =
        DAYS.iter().zip(ticked).filter(|(_, tick)| tick.is_some()).map(|(day, _)| *day).collect();
    // What is no number goes on as it is: the API says what to write instead.
    let minutes =
        form.minutes.trim().parse::<u32>().map_or_else(|_| json!(form.minutes), |minutes| json!(minutes));
    let body = json!({
        "note": form.note, "scope": scope(&form.scope), "days": days, "start": form.start, "minutes": minutes,
        "utc_offset": visitor.zone.offset(),
    });
    make(&dashboard, &visitor, body).await
}

#[derive(Template)]
#[template(path = "settings/remove_window.html")]
pub(super) struct RemoveQuestion<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static MaintenanceWords,
    pub(super) window: &'a MaintenanceWindow,
}

/// `GET /settings/maintenance/{id}/remove`: the question before it.
pub(crate) async fn ask_remove(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    if !visitor.may(access::Right::Operate) {
        return refusal::not_allowed(&visitor);
    }
    let path = format!("{API}?limit=500");
    let found = match dashboard.ask::<api::Page<MaintenanceWindow>>(&visitor, Method::GET, &path, None).await
    {
        Ok(list) => list.items.into_iter().find(|window| window.id.to_string() == id),
        Err(why) => return unread(&visitor, &why),
    };
    let Some(window) = found else { return refusal::no_such_page(&visitor) };
    let words = MaintenanceWords::of(visitor.language);
    let title = words.remove_question(&window.note);
    let body = RemoveQuestion { visitor: &visitor, words, window: &window };
    page::page(&visitor, &title, Section::Settings, body)
}

/// `POST /settings/maintenance/{id}/actions/remove`.
pub(crate) async fn remove(
    State(dashboard): State<Dashboard>,
    Path(id): Path<String>,
    Posted { visitor, .. }: Posted<Nothing>,
) -> Response {
    let path = format!("{API}/{}", segment(&id));
    match dashboard.ask::<Value>(&visitor, Method::DELETE, &path, None).await {
        Ok(_) => page::done(&visitor, HERE, MaintenanceWords::of(visitor.language).removed),
        Err(why) => page::refused(&visitor, HERE, &why),
    }
}
