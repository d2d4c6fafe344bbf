//! The bodies of requests that make and change chats, and what is wrong with one. Pure.

use std::time::Duration;

use api::schemas;
use domain::message::OnFlood;
use domain::saga::{ObserverRule, Task};
use domain::{AccountName, ChatRef};
use serde::Deserialize;
use utoipa::ToSchema;

use super::people::{people, together};
use super::title::{about, title};
use crate::extract::kept_when_empty;
use crate::problem::{FieldError, Problem};
use crate::v1::chat_name::ChatName;
use crate::v1::operations::Order;
use crate::v1::wait::wait;

/// How long a caller waits if it does not say.
pub(super) const WAIT: Duration = Duration::from_mins(1);

/// A chat to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"title": "Order 1001", "members": ["@client_1", "123456789"], "admins": ["@helper_bot"]}))]
#[serde(deny_unknown_fields)]
pub(crate) struct NewChat {
    /// Its title, 1 to 128 characters.
    #[schema(min_length = 1, max_length = 128, example = "Order 1001")]
    title: String,
    /// Its description, at most 255 characters.
    #[schema(max_length = 255)]
    about: Option<String>,
    /// Whom to invite; bots among them become administrators. At most 200 together with `admins`.
    #[schema(schema_with = schemas::people, required = false)]
    members: Option<Vec<ChatName>>,
    /// Whom to invite and make administrators.
    #[schema(schema_with = schemas::people, required = false)]
    admins: Option<Vec<ChatName>>,
    /// Whether the observer of the settings is invited too.
    #[schema(default = false)]
    observer: Option<bool>,
    /// Only through this account.
    #[schema(value_type = Option<String>, example = "main")]
    account: Option<AccountName>,
    /// What to do when every account that could make it must wait: `wait` in the queue, or `fail`.
    #[schema(schema_with = schemas::on_flood, required = false)]
    on_flood: Option<OnFlood>,
    /// How many seconds to wait for the result; then the answer is 202 and the work goes on.
    #[schema(minimum = 0, maximum = 100, default = 60)]
    wait: Option<f64>,
}

/// People to be invited into a chat.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"members": ["@client_1"], "admins": ["@helper_bot"]}))]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMembers {
    /// Whom to invite; bots among them become administrators. At most 200 together with `admins`.
    #[schema(schema_with = schemas::people, required = false)]
    members: Option<Vec<ChatName>>,
    /// Whom to invite and make administrators.
    #[schema(schema_with = schemas::people, required = false)]
    admins: Option<Vec<ChatName>>,
    /// Only through this account.
    #[schema(value_type = Option<String>, example = "main")]
    account: Option<AccountName>,
    /// What to do when every account that could invite must wait: `wait` in the queue, or `fail`.
    #[schema(schema_with = schemas::on_flood, required = false)]
    on_flood: Option<OnFlood>,
    /// How many seconds to wait for the result; then the answer is 202 and the work goes on.
    #[schema(minimum = 0, maximum = 100, default = 60)]
    wait: Option<f64>,
}

/// What is to change about a chat; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"title": "Order 1001, done"}))]
#[serde(deny_unknown_fields)]
pub(crate) struct ChatChange {
    /// The new title, 1 to 128 characters.
    #[schema(min_length = 1, max_length = 128)]
    title: Option<String>,
    /// The new description, at most 255 characters; an empty one takes it away.
    #[serde(default, deserialize_with = "kept_when_empty")]
    #[schema(max_length = 255)]
    about: Option<String>,
    /// The account that is to serve the chat from now on; it must be in the chat. Of a private dialog it must have the
    /// dialog, or be able to find the person and to make a first contact.
    #[schema(value_type = Option<String>, example = "backup_1")]
    account: Option<AccountName>,
    /// How many seconds to wait for the result; then the answer is 202 and the work goes on.
    #[schema(minimum = 0, maximum = 100, default = 60)]
    wait: Option<f64>,
}

impl NewChat {
    /// Checks the fields together; all errors are reported at once.
    pub(super) fn order(self) -> Result<Order, Problem> {
        let mut errors = Vec::new();
        let title = title(&self.title, &mut errors);
        let about = about(self.about.as_deref().unwrap_or_default(), &mut errors);
        let (members, admins) = both(self.members, self.admins, &mut errors);
        let wait = waiting(self.wait, &mut errors);
        let observer =
            if self.observer.unwrap_or(false) { ObserverRule::Always } else { ObserverRule::Never };
        let (needs_a_member, client_tg_id) = (false, None);
        let task = Task::CreateChat { title, about, members, admins, observer, needs_a_member, client_tg_id };
        ordered(errors, Order { task, pin: self.account, on_flood: self.on_flood.unwrap_or_default(), wait })
    }
}

impl NewMembers {
    /// Checks the fields together; all errors are reported at once.
    pub(super) fn order(self, chat: ChatRef) -> Result<Order, Problem> {
        let mut errors = Vec::new();
        let (members, admins) = both(self.members, self.admins, &mut errors);
        if members.is_empty() && admins.is_empty() && errors.is_empty() {
            errors.push(FieldError::new("members", "is empty; name the people to invite here or in admins"));
        }
        let wait = waiting(self.wait, &mut errors);
        let task = Task::AddMembers { chat, members, admins };
        ordered(errors, Order { task, pin: self.account, on_flood: self.on_flood.unwrap_or_default(), wait })
    }
}

/// What a change asks for: another account, other words, or both.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Changes {
    pub(super) bind: Option<AccountName>,
    pub(super) title: Option<String>,
    pub(super) about: Option<String>,
    pub(super) wait: Duration,
}

impl ChatChange {
    /// Checks the fields together; all errors are reported at once.
    pub(super) fn changes(self) -> Result<Changes, Problem> {
        let mut errors = Vec::new();
        if self.title.is_none() && self.about.is_none() && self.account.is_none() {
            errors
                .push(FieldError::new("", "changes nothing; write one or more of title, about and account"));
        }
        let title = self.title.map(|given| title(&given, &mut errors));
        let about = self.about.map(|given| about(&given, &mut errors));
        let wait = waiting(self.wait, &mut errors);
        ordered(errors, Changes { bind: self.account, title, about, wait })
    }
}

fn both(
    members: Option<Vec<ChatName>>,
    admins: Option<Vec<ChatName>>,
    errors: &mut Vec<FieldError>,
) -> (Vec<ChatRef>, Vec<ChatRef>) {
    let members = people("members", members, errors);
    let admins = people("admins", admins, errors);
    together(&members, &admins, errors);
    (members, admins)
}

fn waiting(seconds: Option<f64>, errors: &mut Vec<FieldError>) -> Duration {
    wait(seconds, WAIT).unwrap_or_else(|error| {
        errors.push(error);
        WAIT
    })
}

fn ordered<T>(errors: Vec<FieldError>, order: T) -> Result<T, Problem> {
    if errors.is_empty() { Ok(order) } else { Err(Problem::fields(errors)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::parse_json;

    fn chat(json: &str) -> Result<Order, Problem> {
        parse_json::<NewChat>(json.as_bytes())?.order()
    }

    fn first_field(problem: &Problem) -> String {
        let body = serde_json::to_value(problem.body()).expect("JSON");
        body["errors"][0]["field"].as_str().expect("a field").to_owned()
    }

    #[test]
    fn omitted_fields_have_their_defaults() {
        let order = chat(r#"{"title":" Order 1 "}"#).expect("an order");
        let task = Task::CreateChat {
            title: "Order 1".to_owned(),
            about: String::new(),
            members: Vec::new(),
            admins: Vec::new(),
            observer: ObserverRule::Never,
            needs_a_member: false,
            client_tg_id: None,
        };
        let (pin, on_flood) = (None, OnFlood::Wait);
        assert_eq!(order, Order { task, pin, on_flood, wait: Duration::from_mins(1) });
        let same = r#"{"title":"Order 1","about":null,"members":null,"admins":null,"observer":null,"account":null,
            "on_flood":null,"wait":null}"#;
        assert_eq!(chat(same).expect("an order"), order);
    }

    #[test]
    fn each_wrong_field_is_named() {
        let long = format!(r#""title":"{}""#, "a".repeat(300));
        let people = |count: usize| vec![r#""@client_1""#; count].join(",");
        let too_many_together =
            format!(r#""title":"a","members":[{}],"admins":[{}]"#, people(150), people(51));
        let too_many_admins = format!(r#""title":"a","admins":[{}]"#, people(201));
        for (fields, field) in [
            (r#""about":"a""#, "title"),
            (r#""title":"""#, "title"),
            (r#""title":"  ""#, "title"),
            (r#""title":"a\nb""#, "title"),
            (r#""title":[7]"#, "title"),
            (long.as_str(), "title"),
            (r#""title":"a","members":"@client_1""#, "members"),
            (r#""title":"a","members":["@client_1","a b"]"#, "members[1]"),
            (r#""title":"a","members":["-1001234567890"]"#, "members[0]"),
            (r#""title":"a","admins":[-7]"#, "admins[0]"),
            (too_many_admins.as_str(), "admins"),
            (too_many_together.as_str(), "members"),
            (r#""title":"a","observer":"yes""#, "observer"),
            (r#""title":"a","account":"No Name""#, "account"),
            (r#""title":"a","on_flood":"explode""#, "on_flood"),
            (r#""title":"a","wait":100.5"#, "wait"),
            (r#""title":"a","tilte":"b""#, "tilte"),
        ] {
            let problem = chat(&format!("{{{fields}}}")).expect_err(fields);
            assert_eq!(first_field(&problem), field, "{fields}");
        }
        let problem = chat(r#"{"title":"","wait":200,"members":[-7]}"#).expect_err("three errors");
        assert_eq!(problem.detail(), "3 fields are wrong; see errors.");
    }

    #[test]
    fn someone_must_be_invited_and_something_changed() {
        let invite = |json: &str| {
            let body = parse_json::<NewMembers>(json.as_bytes())?;
            body.order("-1001234567890".parse().expect("a chat"))
        };
        assert_eq!(first_field(&invite("{}").expect_err("nobody")), "members");
        assert_eq!(first_field(&invite(r#"{"members":[],"admins":[]}"#).expect_err("nobody")), "members");
        assert!(invite(r#"{"admins":[7]}"#).is_ok());

        let change = |json: &str| parse_json::<ChatChange>(json.as_bytes())?.changes();
        assert_eq!(first_field(&change(r#"{"wait":1}"#).expect_err("nothing")), "");
        let changes = change(r#"{"about":""}"#).expect("a change");
        assert_eq!((changes.about.as_deref(), changes.title, changes.bind), (Some(""), None, None));
        // What may be left out and is empty counts as left out.
        assert_eq!(first_field(&change(r#"{"title":"","account":""}"#).expect_err("nothing")), "");
    }
}
