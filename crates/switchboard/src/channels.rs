//! The accounts of channels, made from the settings.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use channels::http::{Http, Route};
use channels::{Account, Channels, Links, OutgoingFiles, Provider, Setup, StoredValues};
use config::{ChannelFields, ForwardFormat, Settings};
use delivery::Ambient;
use domain::media::FileKey;
use domain::{ChannelName, EventFilter, EventId, SecretText, WebhookId};
use events::{MADE_BY_SETTINGS, Vouched};
use media::Outgoing;
use outbound::Names;
use store::{Store, StoredWebhook, Switch, WebhookForm, WebhookSecrets};

/// The last part of an account's address is kept under this name.
const HOOK_SECRET: &str = "hook_secret";
/// The key of links is kept under this name.
const LINK_KEY: &str = "link_key";

/// The files of messages, and links to them.
struct FilesOut {
    outgoing: Outgoing,
    links: Links,
}

impl OutgoingFiles for FilesOut {
    fn path(&self, key: &FileKey) -> PathBuf {
        self.outgoing.path(key)
    }

    fn link(&self, key: &FileKey, name: &str, mime: &str) -> Option<String> {
        self.links.to(key, name, mime)
    }
}

/// The accounts that the settings name, and links to files of theirs. Nothing is asked of a provider.
pub(crate) async fn open(
    settings: &Settings,
    store: &Store,
    ambient: &Ambient,
    outgoing: &Outgoing,
    names: &Names,
) -> anyhow::Result<(Channels, Links)> {
    let (channel, account) = ("links".parse()?, "links".parse()?);
    let kept = StoredValues::of_program(store.clone(), channel, account).await?;
    let key = secret(&kept, LINK_KEY, ambient).await?;
    let links = Links::new(settings.public_url.as_deref(), key, ambient.clock.clone());
    let switches = store.accounts().switches().await?;
    let paused: Vec<_> =
        switches.into_iter().filter(|(_, switch)| *switch != Switch::On).map(|(name, _)| name).collect();
    let mut accounts = Vec::with_capacity(settings.channels.len());
    for fields in &settings.channels {
        let of = || format!("the channel account {}", fields.name);
        let channel: ChannelName = fields.channel.as_str().parse()?;
        let kept = StoredValues::load(store.clone(), channel.clone(), fields).await?;
        let hook_secret = match &fields.hook_secret {
            Some(given) => given.clone(),
            None => secret(&kept, HOOK_SECRET, ambient).await?,
        };
        let hook_url = settings.public_url.as_deref().map(|url| {
            let path = channels::hook_path(&channel, &fields.name, &hook_secret);
            format!("{}{path}", url.trim_end_matches('/'))
        });
        let made = provider(fields, kept, hook_secret.clone(), hook_url, ambient, names);
        let (provider, http) = made.with_context(of)?;
        let health = store.channels().health(&channel, &fields.name).await?;
        let account = Account::new(fields.clone(), channel, provider, hook_secret).through(http);
        let health = health.and_then(|kept| serde_json::from_str(&kept).ok());
        account.restore(health, paused.contains(&fields.name));
        accounts.push(account);
    }
    let files = FilesOut { outgoing: outgoing.clone(), links: links.clone() };
    Ok((Channels::new(accounts, Some(Arc::new(files)), ambient.clock.clone()), links))
}

/// What speaks to the provider of an account, and what its calls go out through. Nothing is asked.
pub(crate) fn provider(
    fields: &ChannelFields,
    kept: StoredValues,
    hook_secret: SecretText,
    hook_url: Option<String>,
    ambient: &Ambient,
    names: &Names,
) -> anyhow::Result<(Arc<dyn Provider>, Http)> {
    let ca = match &fields.ca_file {
        Some(file) => Some(ambient::regular_file::read(file).with_context(|| file.display().to_string())?),
        None => None,
    };
    let named_by_caller = fields.named_by_caller;
    let route = Route { proxy: fields.proxy.clone(), ca, names: names.clone(), named_by_caller };
    let http = Http::new(ambient.clock.clone(), fields.api(), &route)?;
    let (clock, chance) = (ambient.clock.clone(), ambient.chance.clone());
    let provider = channels::make(Setup {
        fields: fields.clone(),
        http: http.clone(),
        kept,
        clock,
        chance,
        hook_secret,
        hook_url,
    });
    Ok((provider?, http))
}

/// A secret that is made once and kept.
async fn secret(kept: &StoredValues, name: &'static str, ambient: &Ambient) -> anyhow::Result<SecretText> {
    if let Some(kept) = kept.get(name) {
        return Ok(kept);
    }
    let words = [(); 3].map(|()| format!("{:016x}", ambient.chance.random_id()));
    let made = SecretText::from(words.concat());
    kept.put(vec![(name, made.clone())]).await?;
    Ok(made)
}

/// Where the owner has messages posted on to. Addresses that a call named are judged as other webhooks are.
pub(crate) fn forwarded_to(settings: &Settings) -> Vec<Vouched> {
    let of_owner = settings.channels.iter().filter(|fields| !fields.named_by_caller);
    let vouched = |fields: &ChannelFields| {
        Some(Vouched { account: fields.name.clone(), url: fields.forward_to.clone()? })
    };
    of_owner.filter_map(vouched).collect()
}

/// Has the webhooks of `forward_to` be as the settings say; one that they name no more goes.
pub(crate) async fn forward(settings: &Settings, store: &Store, ambient: &Ambient) -> anyhow::Result<()> {
    let webhooks = store.webhooks();
    let mut before = webhooks.list().await?;
    before.retain(|webhook| webhook.created_by == MADE_BY_SETTINGS);
    for fields in &settings.channels {
        let Some(url) = &fields.forward_to else { continue };
        let description = format!("messages of the channel account {}", fields.name);
        let known = before.iter().position(|webhook| webhook.description.as_ref() == Some(&description));
        let known = known.map(|place| before.swap_remove(place));
        let form = match fields.forward_format {
            ForwardFormat::Message => WebhookForm::Message,
            ForwardFormat::Raw => WebhookForm::Raw,
            ForwardFormat::Legacy => WebhookForm::Legacy,
        };
        let (secret, previous) = match &known {
            Some(known) => (known.secrets.secret.clone(), known.secrets.previous.clone()),
            None => (events::new_secret()?, Vec::new()),
        };
        let secrets = WebhookSecrets {
            url: url.clone().into(),
            secret,
            previous,
            headers: Vec::new(),
            form: Some(form),
        };
        let is_new = known.is_none();
        let webhook = StoredWebhook {
            secrets,
            description: Some(description),
            filter: EventFilter {
                types: vec!["message.received".parse()?],
                chats: Vec::new(),
                accounts: vec![fields.name.clone()],
            },
            ordered: true,
            ..known.unwrap_or_else(|| blank(ambient))
        };
        if is_new {
            webhooks.add(&webhook).await?;
        } else {
            webhooks.change(&webhook).await?;
        }
    }
    for webhook in before {
        webhooks.remove(webhook.id, ambient.clock.now()).await?;
    }
    Ok(())
}

fn blank(ambient: &Ambient) -> StoredWebhook {
    let none = || SecretText::from(String::new());
    StoredWebhook {
        id: WebhookId::from_uuid(ambient.ids.next()),
        secrets: WebhookSecrets {
            url: none(),
            secret: none(),
            previous: Vec::new(),
            headers: Vec::new(),
            form: None,
        },
        description: None,
        filter: EventFilter::default(),
        ordered: true,
        created_at: ambient.clock.now(),
        created_by: MADE_BY_SETTINGS.to_owned(),
        paused_at: None,
        disabled: None,
        cursor: EventId::ZERO,
        replay: None,
        delivered_at: None,
        failing_since: None,
        failures: 0,
        last_error: None,
    }
}
