//! `/campaigns/{name}/messages`: the messages of a campaign with how often each was sent, and adding more after a look.

use access::Right;
use api::{Campaign, CampaignImport, CampaignMessage};
use askama::Template;
use axum::extract::{FromRequestParts, Path, Query as QueryOf, Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::{call, find, import};
use crate::ask::Refused;
use crate::dashboard::Dashboard;
use crate::listing::{self, Unfiltered, address};
use crate::page::{self, refusal};
use crate::view::{Linked, Section};
use crate::visitor::Visitor;
use crate::visitor::form_with_files::{parts_of_ours, whole};
use crate::words::{self, CampaignsWords, WorkWords, translate};

/// The kinds of markup.
const MODES: [&str; 3] = ["none", "html", "markdown"];

/// What the form sends.
#[derive(Default)]
pub(crate) struct Pasted {
    file: String,
    parse_mode: String,
    /// It is to be looked at and not saved.
    preview: Option<String>,
    /// The upload that each text carries, and what it is called.
    upload: String,
    upload_name: String,
}

impl Pasted {
    /// The file for the API: texts with markup are a list of objects there.
    fn file(&self) -> String {
        let text = self.file.replace("\r\n", "\n");
        let is_json = text.trim_start().starts_with(['[', '{'])
            && serde_json::from_str::<serde_json::Value>(&text).is_ok();
        let is_plain = !MODES[1..].contains(&self.parse_mode.as_str());
        if is_json || (is_plain && self.upload.is_empty()) {
            return text;
        }
        let texts = text.split("\n---\n").map(str::trim).filter(|text| !text.is_empty());
        let mode = if is_plain { MODES[0] } else { &self.parse_mode };
        let media: Vec<_> = Some(&self.upload).filter(|upload| !upload.is_empty()).into_iter().collect();
        let message = |text: &str| json!({ "text": text, "parse_mode": mode, "media": media });
        let all: Vec<_> = texts.map(message).collect();
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
        translate(self.visitor.language, message).into_owned()
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
    let title = format!("{}: {}", campaign.title, words.messages);
    page::page_of(status, visitor, &title, Section::Campaigns, body)
}

/// What the API answers when it has a file.
#[derive(Deserialize)]
struct Uploaded {
    id: String,
    name: String,
}

/// Keeps a file for the messages that are to carry it.
async fn upload(dashboard: &Dashboard, visitor: &Visitor, file: web::Part) -> Result<Uploaded, Refused> {
    let path = address("/v1/uploads", &[("filename", &file.file_name.unwrap_or_default())]);
    let kind = Some(HeaderValue::from_static("application/octet-stream"));
    dashboard.ask_with(visitor, Method::POST, &path, kind, file.bytes).await
}

/// `POST /campaigns/{name}/messages`.
pub(crate) async fn add(
    State(dashboard): State<Dashboard>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let visitor = match Visitor::from_request_parts(&mut parts, &dashboard).await {
        Ok(visitor) => visitor,
        Err(unknown) => return unknown.into_response(),
    };
    if !visitor.may(Right::Operate) {
        return refusal::not_allowed(&visitor);
    }
    let Ok(body) = whole(body).await else { return refusal::form_unread(&visitor) };
    let Some(fields) = parts_of_ours(dashboard.state(), &visitor.csrf, &parts, &body) else {
        return refusal::form_of_elsewhere(&visitor);
    };
    let field = |name: &str| {
        let found = fields.iter().find(|part| part.name == name).and_then(web::Part::text);
        found.unwrap_or_default().to_owned()
    };
    let mut form = Pasted {
        file: field("file"),
        parse_mode: field("parse_mode"),
        preview: Some(field("preview")).filter(|preview| !preview.is_empty()),
        upload: field("upload"),
        upload_name: field("upload_name"),
    };
    let again = async |form: &Pasted, came: Came<'_>| {
        drawn(&dashboard, &visitor, &name, Unfiltered::default(), form, came).await
    };
    if let Some(file) = fields.into_iter().find(|part| part.name == "media" && !part.bytes.is_empty()) {
        match upload(&dashboard, &visitor, file).await {
            Ok(kept) => (form.upload, form.upload_name) = (kept.id, kept.name),
            Err(why) => return again(&form, Came::Wrong(&why.detail)).await,
        }
    }
    let file = form.file();
    let looked = match import(&dashboard, &visitor, (&name, "messages"), &file, true).await {
        Ok(looked) => looked,
        Err(why) => {
            return again(&form, Came::Wrong(why.fields.first().map_or(&why.detail, |field| &field.message)))
                .await;
        }
    };
    // A list of texts goes in as a whole or not at all.
    if form.preview.is_some() || looked.wrong_count > 0 {
        return again(&form, Came::Read(&looked)).await;
    }
    match import(&dashboard, &visitor, (&name, "messages"), &file, false).await {
        Ok(import) => {
            let back = format!("{}/messages", super::path_of(&name));
            page::done(&visitor, &back, &super::added(CampaignsWords::of(visitor.language), &import))
        }
        Err(why) => again(&form, Came::Wrong(&why.detail)).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_with_markup_are_a_list_of_objects() {
        let pasted = |file: &str, parse_mode: &str| Pasted {
            file: file.to_owned(),
            parse_mode: parse_mode.to_owned(),
            ..Pasted::default()
        };
        let file = |file: &str, parse_mode: &str| pasted(file, parse_mode).file();
        assert_eq!(file("Hi\r\n---\r\nBye", "none"), "Hi\n---\nBye");
        let listed = r#"[{"media":[],"parse_mode":"html","text":"<b>Hi</b>"},{"media":[],"parse_mode":"html","text":"Bye"}]"#;
        assert_eq!(file("<b>Hi</b>\n---\nBye\n", "html"), listed);
        assert_eq!(file(r#"["Hi"]"#, "html"), r#"["Hi"]"#);
        assert_eq!(file("{name}, hi", "html"), r#"[{"media":[],"parse_mode":"html","text":"{name}, hi"}]"#);
        assert_eq!(file(" ", "html"), "");
        let with_file = Pasted { upload: "upl_1".to_owned(), ..pasted("Hi", "none") };
        assert_eq!(with_file.file(), r#"[{"media":["upl_1"],"parse_mode":"none","text":"Hi"}]"#);
    }
}
