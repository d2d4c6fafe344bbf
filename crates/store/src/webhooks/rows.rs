//! A webhook as it is stored: what is secret about it is sealed.

use domain::secret::ExposeSecret;
use domain::{EventFilter, EventId, SecretText, Timestamp, WebhookId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::TABLE;
use crate::StoreError;
use crate::column::{Columns, to_json};
use crate::database::Row;
use crate::vault::{Sealed, Vault};

/// An endpoint of another program.
#[derive(Debug, Clone)]
pub struct StoredWebhook {
    /// Its id.
    pub id: WebhookId,
    /// Where it is, and what posts to it carry.
    pub secrets: WebhookSecrets,
    /// What it is for.
    pub description: Option<String>,
    /// Which events it wants.
    pub filter: EventFilter,
    /// Whether the events of one chat are posted one after another, each once the one before was taken or given up.
    pub ordered: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// Since when a person lets nothing be posted.
    pub paused_at: Option<Timestamp>,
    /// Since when it is switched off, and why: it said that it wants nothing more, or failed for days.
    pub disabled: Option<(Timestamp, String)>,
    /// Events up to this one have their deliveries.
    pub cursor: EventId,
    /// The replay under way: behind the first event, up to the second.
    pub replay: Option<(EventId, EventId)>,
    /// When it took something last.
    pub delivered_at: Option<Timestamp>,
    /// Since when every attempt failed.
    pub failing_since: Option<Timestamp>,
    /// How many attempts failed since then.
    pub failures: u64,
    /// Why the last one did.
    pub last_error: Option<String>,
}

/// What is secret about a webhook.
#[derive(Debug, Clone)]
pub struct WebhookSecrets {
    /// Its address, which may carry a secret.
    pub url: SecretText,
    /// What posts are signed with.
    pub secret: SecretText,
    /// What they are signed with too, each until when, the latest first.
    pub previous: Vec<(SecretText, Timestamp)>,
    /// Headers of its own: names and values.
    pub headers: Vec<(String, SecretText)>,
    /// In the place of the event, the message that came in, in this form.
    pub form: Option<WebhookForm>,
}

/// The form in which a message of a channel is posted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookForm {
    /// The one format of all channels.
    Message,
    /// What the provider posted, byte for byte.
    Raw,
    /// As the old server of the channel posted it on.
    Legacy,
}

/// The sealed record, as JSON.
#[derive(Serialize, Deserialize)]
struct Record<'a> {
    url: std::borrow::Cow<'a, str>,
    secret: std::borrow::Cow<'a, str>,
    /// Secrets of before, and until when each counts: microseconds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    previous: Vec<(std::borrow::Cow<'a, str>, i64)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    headers: Vec<(std::borrow::Cow<'a, str>, std::borrow::Cow<'a, str>)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    form: Option<WebhookForm>,
}

/// A filter as its column has it.
#[derive(Serialize, Deserialize)]
struct FilterText {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    types: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    chats: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    accounts: Vec<String>,
}

pub(super) fn key(id: WebhookId) -> [u8; 16] {
    *id.as_uuid().as_bytes()
}

pub(super) fn seal(vault: &Vault, webhook: &StoredWebhook) -> Result<Sealed, StoreError> {
    let WebhookSecrets { url, secret, previous, headers, form } = &webhook.secrets;
    let record = Record {
        url: url.expose_secret().into(),
        secret: secret.expose_secret().into(),
        previous: previous
            .iter()
            .map(|(secret, until)| (secret.expose_secret().into(), until.as_micros()))
            .collect(),
        headers: headers
            .iter()
            .map(|(name, value)| (name.as_str().into(), value.expose_secret().into()))
            .collect(),
        form: *form,
    };
    let plain = to_json(TABLE, &record)?;
    vault
        .seal(TABLE, &webhook.id.to_string(), plain.as_bytes())
        .map_err(|error| StoreError::Unavailable(error.to_string()))
}

pub(super) fn filter_text(filter: &EventFilter) -> Result<String, StoreError> {
    let text = FilterText {
        types: filter.types.iter().map(ToString::to_string).collect(),
        chats: filter.chats.clone(),
        accounts: filter.accounts.iter().map(ToString::to_string).collect(),
    };
    to_json(TABLE, &text)
}

fn filter_of(text: &str) -> Result<EventFilter, String> {
    let FilterText { types, chats, accounts } =
        serde_json::from_str(text).map_err(|error| error.to_string())?;
    let types = types.iter().map(|text| text.parse()).collect::<Result<_, _>>();
    let accounts = accounts.iter().map(|text| text.parse()).collect::<Result<_, _>>();
    Ok(EventFilter {
        types: types.map_err(|error: domain::event::InvalidEventPattern| error.to_string())?,
        chats,
        accounts: accounts.map_err(|_| "an account's name is none".to_owned())?,
    })
}

/// A webhook as stored in the table.
pub(super) struct SealedWebhook {
    webhook: StoredWebhook,
    record: Sealed,
}

impl SealedWebhook {
    pub(super) fn open(self, vault: &Vault) -> Result<StoredWebhook, StoreError> {
        let Self { mut webhook, record } = self;
        let row = webhook.id.to_string();
        let corrupt = |what: String| StoreError::corrupt(TABLE, "record", &row, what);
        let plain = vault.open(TABLE, &row, &record).map_err(|error| corrupt(error.to_string()))?;
        let plain =
            SecretText::from(String::from_utf8(plain).map_err(|_| corrupt("it is no text".to_owned()))?);
        let Record { url, secret, previous, headers, form } = serde_json::from_str(plain.expose_secret())
            .map_err(|_| corrupt("it is no record of a webhook".to_owned()))?;
        let own = |text: std::borrow::Cow<'_, str>| SecretText::from(text.into_owned());
        webhook.secrets = WebhookSecrets {
            url: own(url),
            secret: own(secret),
            previous: previous
                .into_iter()
                .map(|(secret, until)| (own(secret), Timestamp::from_micros(until)))
                .collect(),
            headers: headers.into_iter().map(|(name, value)| (name.into_owned(), own(value))).collect(),
            form,
        };
        Ok(webhook)
    }
}

pub(super) fn read(row: &Row<'_>) -> Result<SealedWebhook, StoreError> {
    let columns = Columns::new(row, TABLE);
    let filter: String = columns.get(3)?;
    let event = |index| Ok::<_, StoreError>(columns.get::<Option<i64>>(index)?.map(EventId::new));
    let id = WebhookId::from_uuid(Uuid::from_bytes(columns.get(0)?));
    let disabled_reason: Option<String> = columns.get(9)?;
    let empty = || SecretText::from(String::new());
    let webhook = StoredWebhook {
        id,
        secrets: WebhookSecrets {
            url: empty(),
            secret: empty(),
            previous: Vec::new(),
            headers: Vec::new(),
            form: None,
        },
        description: columns.get(2)?,
        filter: filter_of(&filter)
            .map_err(|what| StoreError::corrupt(TABLE, "filter", id.to_string(), what))?,
        ordered: columns.get(4)?,
        created_at: columns.time(5)?,
        created_by: columns.get(6)?,
        paused_at: columns.maybe_time(7)?,
        disabled: columns.maybe_time(8)?.zip(disabled_reason),
        cursor: EventId::new(columns.get(10)?),
        replay: event(11)?.zip(event(12)?),
        delivered_at: columns.maybe_time(13)?,
        failing_since: columns.maybe_time(14)?,
        failures: columns.count(15)?,
        last_error: columns.get(16)?,
    };
    Ok(SealedWebhook { webhook, record: columns.get(1)? })
}
