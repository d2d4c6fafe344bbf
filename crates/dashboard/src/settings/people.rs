//! People: who may sign in, with which role; a new password, the second factor, sessions.

use access::Role;
use api::{User, UserSession};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::{ExposeSecret, SecretText};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Tabs;
use crate::ask::Refused;
use crate::dashboard::Dashboard;
use crate::page::{self, refusal, segment};
use crate::view::{Linked, Section, Tab};
use crate::visitor::{Posted, Visitor};
use crate::words::{self, PeopleWords, Wall};

const HERE: &str = "/settings/people";

impl Linked for User {
    fn path(&self) -> String {
        format!("{HERE}/{}", segment(self.name.as_str()))
    }
}

#[derive(Template)]
#[template(path = "settings/people.html")]
pub(super) struct People<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static PeopleWords,
    pub(super) wall: Wall,
    pub(super) tabs: Tabs,
    pub(super) users: &'a [User],
}

impl People<'_> {
    fn count(&self) -> u64 {
        self.users.len() as u64
    }

    fn is_own(&self, user: &User) -> bool {
        self.visitor.user.as_ref().is_some_and(|own| *own == user.name)
    }
}

#[derive(Template)]
#[template(path = "settings/person.html")]
pub(super) struct Person<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static PeopleWords,
    pub(super) wall: Wall,
    pub(super) tabs: Tabs,
    pub(super) user: &'a User,
    pub(super) sessions: &'a [UserSession],
}

#[derive(Template)]
#[template(path = "settings/remove_person.html")]
struct RemoveQuestion<'a> {
    visitor: &'a Visitor,
    words: &'static PeopleWords,
    user: &'a User,
}

async fn user(dashboard: &Dashboard, visitor: &Visitor, name: &str) -> Result<User, Refused> {
    dashboard.ask(visitor, Method::GET, &format!("/v1/users/{}", segment(name)), None).await
}

/// What the API refused: nothing for anyone who may not look, a page about it for others.
pub(super) fn unread(visitor: &Visitor, why: &Refused) -> Response {
    if why.code == "forbidden_role" { refusal::not_allowed(visitor) } else { refusal::of_api(visitor, why) }
}

/// `GET /settings/people`.
pub(crate) async fn show(State(dashboard): State<Dashboard>, visitor: Visitor) -> Response {
    let list = dashboard.ask::<api::Page<User>>(&visitor, Method::GET, "/v1/users?limit=500", None).await;
    let users = match list {
        Ok(list) => list.items,
        Err(why) => return unread(&visitor, &why),
    };
    let words = PeopleWords::of(visitor.language);
    let tabs = Tabs::new(&visitor, Tab::People);
    let body = People { visitor: &visitor, words, wall: visitor.wall(), tabs, users: &users };
    page::page(&visitor, words.title, Section::Settings, body)
}

/// `GET /settings/people/{name}`.
pub(crate) async fn one(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Response {
    let path = format!("/v1/users/{}/sessions", segment(&name));
    let sessions = dashboard.ask::<api::Page<UserSession>>(&visitor, Method::GET, &path, None);
    let (user, sessions) = match tokio::try_join!(user(&dashboard, &visitor, &name), sessions) {
        Ok((user, sessions)) => (user, sessions.items),
        Err(why) => return unread(&visitor, &why),
    };
    let words = PeopleWords::of(visitor.language);
    let tabs = Tabs::new(&visitor, Tab::People);
    let wall = visitor.wall();
    let body = Person { visitor: &visitor, words, wall, tabs, user: &user, sessions: &sessions };
    page::page(&visitor, user.name.as_str(), Section::Settings, body)
}

/// `GET /settings/people/{name}/remove`: the question before it.
pub(crate) async fn ask_remove(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Response {
    match user(&dashboard, &visitor, &name).await {
        Ok(user) => {
            let words = PeopleWords::of(visitor.language);
            let title = words.remove_question(user.name.as_str());
            let body = RemoveQuestion { visitor: &visitor, words, user: &user };
            page::page(&visitor, &title, Section::Settings, body)
        }
        Err(why) => unread(&visitor, &why),
    }
}

#[derive(Deserialize)]
pub(crate) struct NewUser {
    name: String,
    role: Role,
    password: SecretText,
}

/// `POST /settings/people/actions/add`.
pub(crate) async fn add(
    State(dashboard): State<Dashboard>,
    Posted { visitor, form }: Posted<NewUser>,
) -> Response {
    let NewUser { name, role, password } = form;
    let body = json!({ "name": name, "role": role, "password": password.expose_secret() });
    match dashboard.ask::<User>(&visitor, Method::POST, "/v1/users", Some(body)).await {
        Ok(user) => page::done(&visitor, HERE, &PeopleWords::of(visitor.language).added(user.name.as_str())),
        Err(why) => page::refused(&visitor, HERE, &why),
    }
}

/// What the forms about one person send; each has what it needs.
#[derive(Deserialize)]
pub(crate) struct Change {
    role: Option<Role>,
    password: Option<SecretText>,
}

/// `POST /settings/people/{name}/actions/{action}`.
pub(crate) async fn act(
    State(dashboard): State<Dashboard>,
    Path((name, action)): Path<(String, String)>,
    Posted { visitor, form }: Posted<Change>,
) -> Response {
    let words = PeopleWords::of(visitor.language);
    let (path, back) = (format!("/v1/users/{}", segment(&name)), format!("{HERE}/{}", segment(&name)));
    let (method, path, body, note, back) = match (action.as_str(), form.role, form.password) {
        ("role", Some(role), _) => {
            (Method::PATCH, path, Some(json!({ "role": role })), words.role_changed(&name, role), back)
        }
        ("password", _, Some(password)) => {
            let body = json!({ "password": password.expose_secret() });
            (Method::PUT, format!("{path}/password"), Some(body), words.password_set(&name), back)
        }
        ("reset-second-factor", ..) => {
            (Method::DELETE, format!("{path}/second-factor"), None, words.factor_reset(&name), back)
        }
        ("end-sessions", ..) => {
            (Method::DELETE, format!("{path}/sessions"), None, words.sessions_ended(&name), back)
        }
        ("remove", ..) => (Method::DELETE, path, None, words.removed(&name), HERE.to_owned()),
        ("role" | "password", ..) => {
            return refusal::form_wrong(&visitor, &format!("missing field `{action}`"));
        }
        _ => return refusal::no_such_page(&visitor),
    };
    match dashboard.ask::<Value>(&visitor, method, &path, body).await {
        Ok(_) => page::done(&visitor, &back, &note),
        Err(why) => page::refused(&visitor, &back, &why),
    }
}
