//! `/channels-new`: a channel is chosen, its keys are filled in, and the account is written into the settings.

use access::Right;
use api::AddedChannel;
use askama::Template;
use axum::extract::{Query as QueryOf, State};
use axum::response::Response;
use config::{ChannelKey, ChannelKeyForm, ChannelKind};
use domain::{ExposeSecret, SecretText};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{API, HERE};
use crate::ask::Refused;
use crate::dashboard::Dashboard;
use crate::page::{self, refusal};
use crate::view::Section;
use crate::visitor::{Posted, Visitor};
use crate::words::{ChannelSettingsWords, ChannelsWords};

/// Which channel.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Chosen {
    channel: String,
}

/// What the form sends: its keys are those of the channel. A secret is never shown again.
#[derive(Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Filled(Vec<(String, SecretText)>);

impl Filled {
    fn text(&self, field: &str) -> &str {
        let found = self.0.iter().find(|(name, _)| name == field);
        found.map(|(_, text)| text.expose_secret().trim()).unwrap_or_default()
    }

    fn checks(&self) -> bool {
        self.text("no_check").is_empty()
    }

    /// What is empty is left out.
    fn body(&self) -> Value {
        let (mut keys, mut secrets) = (Map::new(), Map::new());
        for key in ChannelKey::all() {
            let text = self.text(key.name);
            if !text.is_empty() {
                let of = if key.form == ChannelKeyForm::Secret { &mut secrets } else { &mut keys };
                of.insert(key.name.to_owned(), text.into());
            }
        }
        let (channel, name) = (self.text("channel"), self.text("name"));
        json!({ "channel": channel, "name": name, "keys": keys, "secrets": secrets, "check": self.checks() })
    }
}

/// What was not taken: fields of the form and words.
#[derive(Default)]
struct Wrong(Vec<(String, String)>);

impl Wrong {
    fn of(why: &Refused) -> Self {
        if why.fields.is_empty() {
            return Self(vec![(String::new(), why.detail.clone())]);
        }
        // `keys.group_id`, and what is in a list of it.
        let field = |path: &str| {
            let key = path.strip_prefix("keys.").or_else(|| path.strip_prefix("secrets.")).unwrap_or(path);
            key.split(['[', '.']).next().unwrap_or_default().to_owned()
        };
        Self(why.fields.iter().map(|wrong| (field(&wrong.field), wrong.message.clone())).collect())
    }

    fn at(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(at, _)| at == field).map(|(_, text)| text.as_str())
    }
}

/// A key of the form.
struct Row {
    name: &'static str,
    help: &'static str,
    is_secret: bool,
    is_needed: bool,
    /// The words of which it takes one.
    choices: &'static [&'static str],
    value: String,
    wrong: Option<String>,
}

/// Keys of the form.
struct Group {
    title: &'static str,
    rows: Vec<Row>,
    /// Whether it is folded up.
    is_folded: bool,
}

#[derive(Template)]
#[template(path = "channels/choose.html")]
struct Choose {
    words: &'static ChannelSettingsWords,
    channels: &'static ChannelsWords,
}

impl Choose {
    fn kinds() -> [ChannelKind; ChannelKind::ALL.len()] {
        ChannelKind::ALL
    }
}

#[derive(Template)]
#[template(path = "channels/add.html")]
struct Add<'a> {
    visitor: &'a Visitor,
    words: &'static ChannelSettingsWords,
    channels: &'static ChannelsWords,
    channel: &'static str,
    name: &'a str,
    groups: Vec<Group>,
    steps: &'static [[&'static str; 2]],
    checks: bool,
    wrong: &'a Wrong,
}

impl Add<'_> {
    /// What is wrong with nothing of the form.
    fn elsewhere(&self) -> Option<&str> {
        let is_shown = |field: &str| {
            field == "name" || self.groups.iter().flat_map(|group| &group.rows).any(|row| row.name == field)
        };
        self.wrong.0.iter().find(|(at, _)| !is_shown(at)).map(|(_, text)| text.as_str())
    }
}

fn groups(
    words: &'static ChannelSettingsWords,
    channel: ChannelKind,
    filled: &Filled,
    wrong: &Wrong,
) -> Vec<Group> {
    let is_needed = |key: &ChannelKey| channel.needs().contains(&key.name);
    let row = |key: ChannelKey| Row {
        name: key.name,
        help: words.meaning(channel, &key),
        is_secret: key.form == ChannelKeyForm::Secret,
        is_needed: is_needed(&key),
        choices: if key.form == ChannelKeyForm::Flag { &["true", "false"] } else { key.choices },
        value: if key.form == ChannelKeyForm::Secret {
            String::new()
        } else {
            filled.text(key.name).to_owned()
        },
        wrong: wrong.at(key.name).map(str::to_owned),
    };
    let group = |title, takes: &dyn Fn(&ChannelKey) -> bool, may_fold: bool| {
        let rows: Vec<_> = ChannelKey::all().filter(takes).map(row).collect();
        let is_folded = may_fold && rows.iter().all(|row| row.value.is_empty() && row.wrong.is_none());
        Group { title, rows, is_folded }
    };
    let all = [
        group(words.needed, &is_needed, false),
        group(words.optional, &|key: &ChannelKey| channel.takes().contains(&key.name), true),
        group(words.of_all, &|key: &ChannelKey| key.is_of_all() && !key.is_of_owner(), true),
    ];
    all.into_iter().filter(|group| !group.rows.is_empty()).collect()
}

fn drawn(visitor: &Visitor, channel: ChannelKind, filled: &Filled, wrong: &Wrong) -> Response {
    let words = ChannelSettingsWords::of(visitor.language);
    let status = if wrong.0.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let body = Add {
        visitor,
        words,
        channels: ChannelsWords::of(visitor.language),
        channel: channel.as_str(),
        name: filled.text("name"),
        groups: groups(words, channel, filled, wrong),
        steps: channels::Nature::of(channel).steps,
        checks: filled.checks(),
        wrong,
    };
    page::page_of(status, visitor, words.add, Section::Channels, body)
}

/// `GET /channels-new`: which channel, or the form of one.
pub(crate) async fn show(visitor: Visitor, QueryOf(chosen): QueryOf<Chosen>) -> Response {
    if !visitor.may(Right::Administer) {
        return refusal::not_allowed(&visitor);
    }
    let answer = if let Ok(channel) = chosen.channel.parse::<ChannelKind>() {
        drawn(&visitor, channel, &Filled::default(), &Wrong::default())
    } else {
        let words = ChannelSettingsWords::of(visitor.language);
        let body = Choose { words, channels: ChannelsWords::of(visitor.language) };
        page::page(&visitor, words.add, Section::Channels, body)
    };
    std::future::ready(answer).await
}

/// `POST /channels-new`: back to the list, or the form again with what is wrong.
pub(crate) async fn add(
    State(dashboard): State<Dashboard>,
    Posted { visitor, form }: Posted<Filled>,
) -> Response {
    if !visitor.may(Right::Administer) {
        return refusal::not_allowed(&visitor);
    }
    let Ok(channel) = form.text("channel").parse::<ChannelKind>() else {
        return refusal::no_such_page(&visitor);
    };
    let words = ChannelSettingsWords::of(visitor.language);
    match dashboard.ask::<AddedChannel>(&visitor, Method::POST, API, Some(form.body())).await {
        Ok(added) => {
            let name = added.name.as_str();
            let note = added.is.as_deref().filter(|is| !is.is_empty());
            let mut note = note.map_or_else(|| words.added(name), |is| words.added_as(name, is));
            if !added.missing.is_empty() {
                note += &words.missing(&added.missing.join(", "));
            }
            page::done(&visitor, HERE, &note)
        }
        Err(why) => drawn(&visitor, channel, &form, &Wrong::of(&why)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_becomes_the_body_of_the_call() {
        let body = |form: &str| serde_urlencoded::from_str::<Filled>(form).expect("a form").body();
        let whole = body("csrf=x&channel=vk&name=+club+&token=+planted+&group_id=100&receive=&no_check=yes");
        let wanted = json!({
            "channel": "vk", "name": "club", "keys": {"group_id": "100"}, "secrets": {"token": "planted"}, "check": false,
        });
        assert_eq!(whole, wanted);
        let empty = json!({ "channel": "", "name": "", "keys": {}, "secrets": {}, "check": true });
        assert_eq!(body(""), empty);
    }
}
