//! `/campaigns/{name}/messages`: the messages of a campaign with how often each was sent, and adding more after a look.

use access::Right;
use api::{Campaign, CampaignImport, CampaignMessage};
use askama::Template;
use axum::extract::{Path, Query as QueryOf, State};
use axum::response::Response;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::{call, find, import};
use crate::dashboard::Dashboard;
use crate::listing::{self, Unfiltered, address};
use crate::page::{self, refusal};
use crate::view::{Linked, Section};
use crate::visitor::{Posted, Visitor};
use crate::words::{self, CampaignsWords, WorkWords, said};

/// The kinds of markup.
const MODES: [&str; 3] = ["none", "html", "markdown"];

/// What the form sends.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Pasted {
    file: String,
    parse_mode: String,
    /// It is to be looked at and not saved.
    preview: Option<String>,
}

impl Pasted {
    /// The file for the API: texts with markup are a list of objects there.
    fn file(&self) -> String {
        let text = self.file.replace("\r\n", "\n");
        let is_json = text.trim_start().starts_with(['[', '{'])
            && serde_json::from_str::<serde_json::Value>(&text).is_ok();
        let is_plain = !MODES[1..].contains(&self.parse_mode.as_str());
        if is_json || is_plain {
            return text;
        }
        let texts = text.split("\n---\n").map(str::trim).filter(|text| !text.is_empty());
        let all: Vec<_> = texts.map(|text| json!({ "text": text, "parse_mode": self.parse_mode })).collect();
        if all.is_empty() { String::new() } else { json!(all).to_string() }
    }
}

/// What came of the form.
#[derive(Clone, Copy)]
enum Came<'a> {
    Nothing,
    /// It was looked at, or something in it cannot be used.
    Read(&'a CampaignImport),
    Wrong(&'a str),
}

#[derive(Template)]
#[template(path = "campaigns/messages.html")]
struct Messages<'a> {
    visitor: &'a Visitor,
    words: &'static CampaignsWords,
    work: &'static WorkWords,
    campaign: &'a Campaign,
    query: &'a Unfiltered,
    found: &'a api::Page<CampaignMessage>,
    pasted: &'a Pasted,
    came: Came<'a>,
    wrong: Option<String>,
    may_act: bool,
}

impl Messages<'_> {
    fn here(page: &str) -> bool {
        page == "/messages"
    }

    fn import(&self) -> Option<&CampaignImport> {
        match self.came {
            Came::Read(import) => Some(import),
            _ => None,
        }
    }

    fn wrong_form(&self) -> Option<&str> {
        match self.came {
            Came::Wrong(wrong) => Some(wrong),
            _ => None,
        }
    }

    fn line(&self, message: &str) -> String {
        said(self.visitor.language, message).into_owned()
    }

    fn note(&self, import: &CampaignImport) -> String {
        super::added(self.words, import)
    }

    fn is_chosen(&self, mode: &str) -> bool {
        self.pasted.parse_mode == mode
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
    QueryOf(query): QueryOf<Unfiltered>,
) -> Response {
    drawn(&dashboard, &visitor, &name, query, &Pasted::default(), Came::Nothing).await
}

async fn drawn(
    dashboard: &Dashboard,
    visitor: &Visitor,
    name: &str,
    mut query: Unfiltered,
    pasted: &Pasted,
    came: Came<'_>,
) -> Response {
    let campaign = match find(dashboard, visitor, name).await {
        Ok(campaign) => campaign,
        Err(answer) => return *answer,
    };
    query.path = format!("{}/messages", campaign.path());
    let path = address(&call(name, "/messages"), &[("cursor", &query.after), ("limit", "50")]);
    let answer = dashboard.ask::<api::Page<CampaignMessage>>(visitor, Method::GET, &path, None).await;
    let (found, wrong) = match listing::found(answer) {
        Ok(found) => found,
        Err(why) => return refusal::of_api(visitor, &why),
    };
    let words = CampaignsWords::of(visitor.language);
    let is_right = match came {
        Came::Nothing => true,
        Came::Read(import) => import.wrong_count == 0,
        Came::Wrong(_) => false,
    };
    let status = if is_right { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let body = Messages {
        visitor,
        words,
        work: WorkWords::of(visitor.language),
        campaign: &campaign,
        query: &query,
        found: &found,
        pasted,
        came,
        wrong,
        may_act: visitor.may(Right::Operate),
    };
    let title = format!("{}: {}", campaign.name, words.messages);
    page::page_of(status, visitor, &title, Section::Campaigns, body)
}

/// `POST /campaigns/{name}/messages`.
pub(crate) async fn add(
    State(dashboard): State<Dashboard>,
    Path(name): Path<String>,
    Posted { visitor, form }: Posted<Pasted>,
) -> Response {
    if !visitor.may(Right::Operate) {
        return refusal::not_allowed(&visitor);
    }
    let again =
        async |came: Came<'_>| drawn(&dashboard, &visitor, &name, Unfiltered::default(), &form, came).await;
    let file = form.file();
    let looked = match import(&dashboard, &visitor, (&name, "messages"), &file, true).await {
        Ok(looked) => looked,
        Err(why) => {
            return again(Came::Wrong(why.fields.first().map_or(&why.detail, |field| &field.message))).await;
        }
    };
    // A list of texts goes in as a whole or not at all.
    if form.preview.is_some() || looked.wrong_count > 0 {
        return again(Came::Read(&looked)).await;
    }
    match import(&dashboard, &visitor, (&name, "messages"), &file, false).await {
        Ok(import) => {
            let back = format!("{}/messages", super::path_of(&name));
            page::done(&visitor, &back, &super::added(CampaignsWords::of(visitor.language), &import))
        }
        Err(why) => again(Came::Wrong(&why.detail)).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_with_markup_are_a_list_of_objects() {
        let file = |file: &str, parse_mode: &str| {
            Pasted { file: file.to_owned(), parse_mode: parse_mode.to_owned(), preview: None }.file()
        };
        assert_eq!(file("Hi\r\n---\r\nBye", "none"), "Hi\n---\nBye");
        let listed = r#"[{"parse_mode":"html","text":"<b>Hi</b>"},{"parse_mode":"html","text":"Bye"}]"#;
        assert_eq!(file("<b>Hi</b>\n---\nBye\n", "html"), listed);
        assert_eq!(file(r#"["Hi"]"#, "html"), r#"["Hi"]"#);
        assert_eq!(file("{name}, hi", "html"), r#"[{"parse_mode":"html","text":"{name}, hi"}]"#);
        assert_eq!(file(" ", "html"), "");
    }
}
