//! `POST`, `PATCH` and `DELETE` on `/v1/accounts`: accounts that come and go.

use std::num::NonZeroU32;
use std::sync::Arc;

use api::schemas;
use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use config::ProxyAddress;
use domain::account::{PRIORITIES, SendingLimits, USUAL_PRIORITY};
use domain::secret::ExposeSecret;
use domain::{AccountName, FileKind, FileRule, KeepRule, SecretText};
use http::StatusCode;
use serde::{Deserialize, Deserializer};
use telegram::{AccountSource, RosterError};
use utoipa::ToSchema;

use super::{phone, read_name, refusal};
use crate::answer::{json, located};
use crate::auth::{Authorized, CanArrangeAccounts};
use crate::extract::hidden::{self, Change};
use crate::extract::{PathParameter, QueryParameters, Unchecked};
use crate::problem::{FieldError, Problem};

/// An account to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAccount {
    /// What to call it.
    #[schema(value_type = String, pattern = "^[a-z0-9_-]{1,64}$", example = "main")]
    name: AccountName,
    /// The number of the application, from my.telegram.org.
    #[schema(minimum = 1, example = 1_000_001)]
    api_id: i32,
    /// The secret of the application. It is kept encrypted and never shown.
    #[serde(deserialize_with = "hidden::text")]
    #[schema(value_type = String, format = Password, write_only, pattern = "^[0-9a-fA-F]{32}$", example = "0123456789abcdef0123456789abcdef")]
    api_hash: SecretText,
    /// The phone number, for signing in. It may be given when signing in as well.
    #[serde(default, deserialize_with = "hidden::optional")]
    #[schema(value_type = Option<String>, example = "+70000000001")]
    phone: Option<SecretText>,
    #[schema(schema_with = schemas::new_priority, required = false)]
    priority: Option<u16>,
    /// Whether it is chosen when no one names it.
    #[schema(default = true)]
    pool: Option<bool>,
    /// The proxy to connect through: `socks5://HOST:PORT` or `socks5://USER:PASSWORD@HOST:PORT`. At a public
    /// address, unless `telegram.allow_private_proxies` lists its network; a name is judged when it is dialled.
    #[serde(default, deserialize_with = "hidden::optional")]
    #[schema(value_type = Option<String>, format = Password, write_only, example = "socks5://proxy.example.com:1080")]
    proxy: Option<SecretText>,
    #[schema(schema_with = schemas::limit_per_hour, required = false)]
    messages_per_hour: Option<u32>,
    #[schema(schema_with = schemas::limit_per_day, required = false)]
    messages_per_day: Option<u32>,
    /// Which messages that come in are kept.
    keep_messages: Option<api::KeepMessages>,
}

/// What of an account is to be another; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountChange {
    /// The number of the application.
    #[schema(minimum = 1)]
    api_id: Option<i32>,
    /// The secret of the application.
    #[serde(default, deserialize_with = "hidden::optional")]
    #[schema(value_type = Option<String>, format = Password, write_only, pattern = "^[0-9a-fA-F]{32}$")]
    api_hash: Option<SecretText>,
    /// The phone number; null to forget it.
    #[serde(default, deserialize_with = "hidden::change")]
    #[schema(value_type = Option<String>, example = "+70000000001")]
    phone: Change,
    #[schema(schema_with = schemas::priority, required = false)]
    priority: Option<u16>,
    /// Whether it is chosen when no one names it.
    pool: Option<bool>,
    /// The proxy to connect through; null to connect without one.
    #[serde(default, deserialize_with = "hidden::change")]
    #[schema(value_type = Option<String>, format = Password, write_only)]
    proxy: Change,
    #[serde(default, deserialize_with = "given")]
    #[schema(schema_with = schemas::limit_per_hour, required = false)]
    messages_per_hour: Change<u32>,
    #[serde(default, deserialize_with = "given")]
    #[schema(schema_with = schemas::limit_per_day, required = false)]
    messages_per_day: Change<u32>,
    /// Which messages that come in are kept: all of it is said again.
    keep_messages: Option<api::KeepMessages>,
}

/// Distinguishes a number that is `null` from one that was left out.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Change<u32>, D::Error> {
    Ok(Option::deserialize(deserializer)?.map_or(Change::Clear, Change::To))
}

/// Adds an account. It has no session yet: sign in to it next.
#[utoipa::path(
    post, path = "/v1/accounts", tag = "accounts", operation_id = "add_account",
    request_body = NewAccount,
    responses(
        (status = 201, description = "Added; it needs a login", body = api::Account,
            headers(("Location" = String, description = "The account's path"))),
        (status = 409, description = "The name is taken: `account_exists`, or `account_is_in_settings`"),
    )
)]
pub(crate) async fn add(
    Shared(pool): Shared<Arc<telegram::Pool>>,
    _: Authorized<CanArrangeAccounts>,
    body: Unchecked<NewAccount>,
) -> Result<Response, Problem> {
    let new = body.checked(check_new)?;
    let name = new.name.clone();
    if pool.account(&name).is_some_and(|taken| taken.source == AccountSource::Settings) {
        return Err(refusal::of_roster(RosterError::ReadOnly(name)));
    }
    let view = pool.add_account(new).await.map_err(refusal::of_roster)?;
    Ok(located(json(StatusCode::CREATED, &api::Account::from(view)), &format!("/v1/accounts/{name}")))
}

/// Changes an account. One of the settings file is changed there.
#[utoipa::path(
    patch, path = "/v1/accounts/{name}", tag = "accounts", operation_id = "change_account",
    params(("name" = String, Path, description = "The account's name")),
    request_body = AccountChange,
    responses(
        (status = 200, description = "The account as it is now", body = api::Account),
        (status = 409, description = "It stands in the settings file: `account_is_in_settings`"),
    )
)]
pub(crate) async fn change(
    Shared(pool): Shared<Arc<telegram::Pool>>,
    _: Authorized<CanArrangeAccounts>,
    PathParameter(given): PathParameter<String>,
    body: Unchecked<AccountChange>,
) -> Result<Response, Problem> {
    let name = read_name(&given)?;
    let change = body.checked(check_change)?;
    let view = pool.change_account(&name, change).await.map_err(refusal::of_roster)?;
    Ok(json(StatusCode::OK, &api::Account::from(view)))
}

/// Removes an account.
///
/// Its connections are ended; its sessions are kept as sessions without an account. What it sent and which chats belong
/// to it stays known. While messages of it are under way it is not removed, unless `force` says so.
#[utoipa::path(
    delete, path = "/v1/accounts/{name}", tag = "accounts", operation_id = "remove_account",
    params(
        ("name" = String, Path, description = "The account's name"),
        ("force" = Option<bool>, Query, description = "Even while its messages are being sent"),
    ),
    responses(
        (status = 204, description = "Removed"),
        (status = 409, description = "It stands in the settings file: `account_is_in_settings`; or messages of it are under way: `account_busy`"),
    )
)]
pub(crate) async fn remove(
    Shared(pool): Shared<Arc<telegram::Pool>>,
    _: Authorized<CanArrangeAccounts>,
    PathParameter(given): PathParameter<String>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let name = read_name(&given)?;
    let force = query.take_with("force", |text| match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("write true or false".to_owned()),
    });
    query.finish()?;
    let force = force.unwrap_or(false);
    pool.remove_account(&name, force).await.map_err(refusal::of_roster)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// What a body says, its fields read one by one so that all errors are reported at once.
#[derive(Default)]
struct Reading(Vec<FieldError>);

impl Reading {
    fn api_id(&mut self, api_id: i32) -> i32 {
        if api_id <= 0 {
            self.wrong("api_id", "is wrong: it is a number above 0, from my.telegram.org");
        }
        api_id
    }

    fn api_hash(&mut self, api_hash: SecretText) -> SecretText {
        let text = api_hash.expose_secret();
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            self.wrong("api_hash", "is wrong: it has 32 digits and letters a-f, from my.telegram.org");
        }
        api_hash
    }

    fn phone(&mut self, written: &SecretText) -> Option<SecretText> {
        let number = phone::read(written.expose_secret());
        if number.is_none() {
            self.wrong("phone", phone::WRONG);
        }
        number.map(SecretText::from)
    }

    fn proxy(&mut self, address: SecretText) -> SecretText {
        if let Err(error) = address.expose_secret().parse::<ProxyAddress>() {
            self.wrong("proxy", &error.to_string());
        }
        address
    }

    fn priority(&mut self, priority: u16) -> u16 {
        if !PRIORITIES.contains(&priority) {
            let (first, last) = PRIORITIES.into_inner();
            self.wrong("priority", &format!("is wrong: it is a number from {first} to {last}"));
        }
        priority
    }

    fn limit(&mut self, field: &str, limit: u32) -> Option<NonZeroU32> {
        let read = NonZeroU32::new(limit).filter(|_| SendingLimits::RANGE.contains(&limit));
        if read.is_none() {
            let (first, last) = SendingLimits::RANGE.into_inner();
            let wanted =
                format!("is wrong: it is a number from {first} to {last}, or null for as many as there are");
            self.wrong(field, &wanted);
        }
        read
    }

    fn keep(&mut self, keep: api::KeepMessages) -> KeepRule {
        for (field, chats) in [("keep_messages.always", &keep.always), ("keep_messages.never", &keep.never)] {
            if chats.len() > KeepRule::MOST_CHATS {
                self.wrong(field, &format!("is too long: at most {} chats", KeepRule::MOST_CHATS));
            }
        }
        if keep.files.kinds.len() > FileKind::ALL.len() {
            self.wrong("keep_messages.files.kinds", "is too long: each kind is named once");
        }
        if !(1..=FileRule::GREATEST_SIZE).contains(&keep.files.max_size) {
            let wanted = format!("is wrong: it is a number of bytes from 1 to {}", FileRule::GREATEST_SIZE);
            self.wrong("keep_messages.files.max_size", &wanted);
        }
        keep.into()
    }

    #[expect(clippy::option_option, reason = "what the pool takes: nothing is left as it is")]
    fn limit_change(&mut self, field: &str, change: &Change<u32>) -> Option<Option<NonZeroU32>> {
        match change {
            Change::Keep => None,
            Change::Clear => Some(None),
            Change::To(limit) => Some(self.limit(field, *limit)),
        }
    }

    fn wrong(&mut self, field: &str, message: &str) {
        self.0.push(FieldError::new(field, message));
    }

    fn finish(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::fields(self.0)) }
    }
}

fn check_new(new: NewAccount) -> Result<telegram::NewAccount, Problem> {
    let mut reading = Reading::default();
    let checked = telegram::NewAccount {
        name: new.name,
        api_id: reading.api_id(new.api_id),
        api_hash: reading.api_hash(new.api_hash),
        phone: new.phone.as_ref().and_then(|phone| reading.phone(phone)),
        priority: reading.priority(new.priority.unwrap_or(USUAL_PRIORITY)),
        in_pool: new.pool.unwrap_or(true),
        proxy: new.proxy.map(|proxy| reading.proxy(proxy)),
        limits: SendingLimits {
            per_hour: new.messages_per_hour.and_then(|limit| reading.limit("messages_per_hour", limit)),
            per_day: new.messages_per_day.and_then(|limit| reading.limit("messages_per_day", limit)),
        },
        keep: new.keep_messages.map(|keep| reading.keep(keep)).unwrap_or_default(),
    };
    reading.finish()?;
    Ok(checked)
}

fn check_change(change: AccountChange) -> Result<telegram::AccountChange, Problem> {
    let mut reading = Reading::default();
    let checked = telegram::AccountChange {
        api_id: change.api_id.map(|api_id| reading.api_id(api_id)),
        api_hash: change.api_hash.map(|api_hash| reading.api_hash(api_hash)),
        phone: match change.phone {
            Change::Keep => None,
            Change::Clear => Some(None),
            Change::To(phone) => Some(reading.phone(&phone)),
        },
        priority: change.priority.map(|priority| reading.priority(priority)),
        in_pool: change.pool,
        proxy: match change.proxy {
            Change::Keep => None,
            Change::Clear => Some(None),
            Change::To(proxy) => Some(Some(reading.proxy(proxy))),
        },
        messages_per_hour: reading.limit_change("messages_per_hour", &change.messages_per_hour),
        messages_per_day: reading.limit_change("messages_per_day", &change.messages_per_day),
        keep: change.keep_messages.map(|keep| reading.keep(keep)),
    };
    reading.finish()?;
    Ok(checked)
}
