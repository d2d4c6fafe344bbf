//! An answer of a person: sent once, however often its form is.

use access::Right;
use api::Message;
use axum::extract::{FromRequest, FromRequestParts, Path, Request, State};
use axum::response::{IntoResponse, Response};
use domain::media::Sha256;
use domain::{ClientId, Timestamp};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method};
use serde::Deserialize;
use serde_json::json;
use sha2::Digest;

use super::{call, one, path_of};
use crate::ask::Refused;
use crate::dashboard::Dashboard;
use crate::listing::address;
use crate::page::{self, refusal};
use crate::visitor::form_with_files::{parts_of_ours, whole};
use crate::visitor::{Posted, Visitor};
use crate::words::ChannelsWords;

/// How many seconds the page waits for the answer to leave; later its state shows in the thread.
const WAIT: u8 = 5;

/// The form.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Form {
    pub(super) text: String,
    /// The chat that it goes to; empty: where the client wrote last.
    pub(super) chat: String,
    /// When the form was drawn: the same text from another drawing is another answer.
    pub(super) drawn: String,
    /// The last message that was on the page.
    pub(super) seen: String,
}

impl Form {
    pub(super) fn at(now: Timestamp) -> Self {
        Self { drawn: now.as_micros().to_string(), ..Self::default() }
    }

    /// The same for the same press: what was changed after going back is another answer.
    pub(super) fn key(&self, visitor: &Visitor) -> Option<HeaderValue> {
        let user = visitor.user.as_ref().map(ToString::to_string).unwrap_or_default();
        let mut hash = sha2::Sha256::new();
        for part in [&user, &self.drawn, &self.chat, &self.text] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        HeaderValue::from_str(&Sha256(hash.finalize().into()).to_string()).ok()
    }
}

/// What the API answers when it has a file.
#[derive(Deserialize)]
struct Uploaded {
    id: String,
}

/// Keeps a file for the answer that is to carry it.
async fn upload(dashboard: &Dashboard, visitor: &Visitor, file: web::Part) -> Result<String, Refused> {
    let path = address("/v1/uploads", &[("filename", &file.file_name.unwrap_or_default())]);
    let kind = Some(HeaderValue::from_static("application/octet-stream"));
    let kept = dashboard.ask_with::<Uploaded>(visitor, Method::POST, &path, kind, file.bytes).await;
    kept.map(|kept| kept.id)
}

/// The form and its files, of a page of ours.
async fn read(dashboard: &Dashboard, request: Request) -> Result<(Visitor, Form, Vec<web::Part>), Response> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("multipart/") {
        let posted = Posted::<Form>::from_request(request, dashboard).await;
        return match posted {
            Ok(Posted { visitor, form }) => Ok((visitor, form, Vec::new())),
            Err(unfit) => Err(unfit.into_response()),
        };
    }
    let (mut parts, body) = request.into_parts();
    let visitor = Visitor::from_request_parts(&mut parts, dashboard).await;
    let visitor = visitor.map_err(IntoResponse::into_response)?;
    if !visitor.may(Right::Answer) {
        return Err(refusal::not_allowed(&visitor));
    }
    let Ok(body) = whole(body).await else { return Err(refusal::form_unread(&visitor)) };
    let Some(fields) = parts_of_ours(dashboard.state(), &visitor.csrf, &parts, &body) else {
        return Err(refusal::form_of_elsewhere(&visitor));
    };
    let field = |name: &str| {
        let found = fields.iter().find(|part| part.name == name).and_then(web::Part::text);
        found.unwrap_or_default().to_owned()
    };
    let form = Form { text: field("text"), chat: field("chat"), drawn: field("drawn"), seen: field("seen") };
    let files = fields.into_iter().filter(|part| part.name == "media" && !part.bytes.is_empty()).collect();
    Ok((visitor, form, files))
}

/// `POST /inbox/{client_id}`.
pub(crate) async fn reply(
    State(dashboard): State<Dashboard>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let (visitor, form, files) = match read(&dashboard, request).await {
        Ok(read) => read,
        Err(answer) => return answer,
    };
    let Ok(id) = id.parse::<ClientId>() else { return refusal::no_such_page(&visitor) };
    let key = form.key(&visitor).filter(|_| visitor.may(Right::Answer));
    let Some(key) = key else { return refusal::not_allowed(&visitor) };
    let mut media = Vec::with_capacity(files.len());
    for file in files {
        match upload(&dashboard, &visitor, file).await {
            Ok(id) => media.push(json!({ "upload": id })),
            Err(why) => return one::with_refused(&dashboard, &visitor, id, &form, &why).await,
        }
    }
    let body =
        json!({ "text": form.text, "media": media, "chat": form.chat, "seen": form.seen, "wait": WAIT });
    match dashboard.ask_once::<Message>(&visitor, &call(id, "/reply"), key, body).await {
        Ok(message) => {
            let words = ChannelsWords::of(visitor.language);
            page::done(&visitor, &path_of(id), &words.sent(message.state.as_str()))
        }
        Err(why) => one::with_refused(&dashboard, &visitor, id, &form, &why).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_that_of_one_press() {
        let visitor = Visitor::made_up(crate::view::Language::English, Timestamp::from_micros(1));
        let form = Form { text: "Yes".into(), chat: String::new(), drawn: "1".into(), seen: String::new() };
        let key = |form: &Form| form.key(&visitor).expect("a key");
        assert_eq!(key(&form), key(&form.clone()));
        for other in [
            Form { text: "No".into(), ..form.clone() },
            Form { chat: "avito:shop/1".into(), ..form.clone() },
            Form { drawn: "2".into(), ..form.clone() },
            Form { text: String::new(), chat: "Yes".into(), ..form.clone() },
        ] {
            assert_ne!(key(&form), key(&other), "{other:?}");
        }
    }
}
