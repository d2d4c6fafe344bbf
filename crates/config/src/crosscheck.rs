//! What no single value shows: names that come twice, ports in each other's way.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    time::Duration,
};

use domain::{AccountName, Purpose, Responder, Service};
use toml::Value;

use crate::{
    backup,
    channels::{ChannelFields, ChannelKind},
    control_bots::ControlBotFields,
    document::Document,
    flow_files,
    legacy::ChannelPort,
    settings::Settings,
    telegram::{AccountSettings, SessionSource},
};

/// Each session has one source. Looked at before the settings are made, as they have no form for any other.
pub(crate) fn sources(document: &mut Document) {
    let mut wrong = Vec::new();
    let accounts = document.values.get("telegram").and_then(|telegram| telegram.get("accounts"));
    for (account_index, account) in items(accounts) {
        for (index, session) in items(account.get("sessions")) {
            let Value::Table(session) = session else { continue };
            let path = format!("telegram.accounts[{account_index}].sessions[{index}]");
            match (session.contains_key("file"), session.contains_key("string")) {
                (true, true) => wrong.push((path, "has both file and string; keep one")),
                (false, false) => wrong.push((path, "has neither file nor string; give one")),
                _ => {}
            }
        }
    }
    for (path, message) in wrong {
        document.refuse(&path, message);
    }
}

fn items(list: Option<&Value>) -> impl Iterator<Item = (usize, &Value)> {
    list.and_then(Value::as_array).into_iter().flatten().enumerate()
}

/// Everything that can be seen only on the whole.
pub(crate) fn settings(settings: &Settings, document: &mut Document) {
    accounts(settings, document);
    data_centres(settings, document);
    ports(settings, document);
    alerts(settings, document);
    backup::check(&settings.backup, document);
    webhooks(settings, document);
    flow_files::judge(&settings.flows, document);
    control_bots(settings, document);
    channels(settings, document);
    pipeline(settings, document);
}

fn accounts(settings: &Settings, document: &mut Document) {
    let mut names: BTreeMap<&AccountName, usize> = BTreeMap::new();
    let mut files = HashMap::new();
    for (index, account) in settings.telegram.accounts.iter().enumerate() {
        let path = format!("telegram.accounts[{index}]");
        if let Some(first) = names.insert(&account.name, index) {
            document.refuse(
                &format!("{path}.name"),
                format!(
                    "is \"{}\", as is that of `telegram.accounts[{first}]`; names must differ",
                    account.name
                ),
            );
        }
        purposes(account, &path, document);
        for (session_index, session) in account.sessions.iter().enumerate() {
            let SessionSource::File(file) = &session.source else { continue };
            let session_path = format!("{path}.sessions[{session_index}]");
            if let Some(first) = files.insert(file, session_path.clone()) {
                document.refuse(
                    &format!("{session_path}.file"),
                    format!(
                        "is the file of `{first}` too; Telegram ends a session that is used twice, so name all \
                         its purposes in one `for`"
                    ),
                );
            }
        }
    }
}

/// No two sessions of an account are for the same, and none is for nothing.
fn purposes(account: &AccountSettings, path: &str, document: &mut Document) {
    let mut taken: BTreeMap<Purpose, usize> = BTreeMap::new();
    let mut rest: Option<usize> = None;
    for (index, session) in account.sessions.iter().enumerate() {
        for purpose in &session.purposes {
            if let Some(first) = taken.insert(*purpose, index) {
                let message = if first == index {
                    format!("names {} twice", purpose.as_str())
                } else {
                    format!("names {}, as does `{path}.sessions[{first}]`; keep one", purpose.as_str())
                };
                document.refuse(&format!("{path}.sessions[{index}].for"), message);
            }
        }
        if session.purposes.is_empty()
            && let Some(first) = rest.replace(index)
        {
            document.refuse(
                &format!("{path}.sessions[{index}]"),
                format!("has no `for`, as has `{path}.sessions[{first}]`; name what each is for"),
            );
        }
    }
    if let Some(index) = rest
        && taken.len() == Purpose::ALL.len()
    {
        document.refuse(
            &format!("{path}.sessions[{index}]"),
            "has no `for`, and the other sessions leave nothing to it; take it out or give it some",
        );
    }
}

fn data_centres(settings: &Settings, document: &mut Document) {
    let mut ids = BTreeMap::new();
    for (index, centre) in settings.telegram.data_centres.iter().enumerate() {
        if let Some(first) = ids.insert(centre.id, index) {
            document.refuse(
                &format!("telegram.data_centres[{index}].id"),
                format!("is {}, as is that of `telegram.data_centres[{first}]`; keep one", centre.id),
            );
        }
    }
}

fn ports(settings: &Settings, document: &mut Document) {
    let main = (settings.listen.ip(), settings.listen.port(), "listen".to_owned());
    let mut taken = vec![main];
    for (index, port) in settings.legacy.ports.iter().enumerate() {
        let path = format!("legacy.ports[{index}]");
        take(&mut taken, (port.listen, port.port, path.clone()), document);
        if port.invite_callback_url.is_some() {
            let wrong = match port.service {
                Service::CreateChat if settings.legacy.invite_callback.is_some() => None,
                Service::CreateChat => Some(
                    "needs the section [legacy.invite_callback] with a group_id; its url is for the other ports",
                ),
                _ => Some("is for ports that create chats; take it out"),
            };
            if let Some(wrong) = wrong {
                document.refuse(&format!("{path}.invite_callback_url"), wrong);
            }
        }
        if !port.listen.is_loopback() && port.allow_from.is_empty() && !port.key_required {
            document.refuse(
                &format!("{path}.listen"),
                format!(
                    "is {}, beyond loopback, so anybody could send; add allow_from = [\"10.0.0.0/8\"] with your \
                     callers' networks, or key_required = true",
                    port.listen
                ),
            );
        }
    }
    for (index, port) in settings.legacy.channel_ports.iter().enumerate() {
        let path = format!("legacy.channel_ports[{index}]");
        take(&mut taken, (port.listen, port.port, path.clone()), document);
        channel_port(settings, port, &path, document);
    }
}

/// Notes where a port listens, and refuses it where another does.
fn take(taken: &mut Vec<(IpAddr, u16, String)>, port: (IpAddr, u16, String), document: &mut Document) {
    let (listen, wanted, path) = &port;
    let clash =
        taken.iter().find(|(address, number, _)| number == wanted && *wanted != 0 && meet(*address, *listen));
    if let Some((_, number, other)) = clash {
        document
            .refuse(&format!("{path}.port"), format!("is {number}, as is that of `{other}`; take another"));
    }
    taken.push(port);
}

/// The port of an old channel server has one account, and is not open to anybody.
fn channel_port(settings: &Settings, port: &ChannelPort, path: &str, document: &mut Document) {
    let channel = port.channel.as_str();
    let accounts = || settings.channels.iter().filter(|account| account.channel == port.channel);
    match &port.account {
        Some(name) if !accounts().any(|account| account.name == *name) => {
            let message =
                format!("is \"{name}\", and no account of [[channels]] that is {channel} has this name");
            document.refuse(&format!("{path}.account"), message);
        }
        None if accounts().count() > 1 => {
            let message = format!("has no `account`, and there are several of {channel}; name one");
            document.refuse(path, message);
        }
        _ => {}
    }
    if !port.listen.is_loopback() && port.allow_from.is_empty() && port.key.is_none() {
        document.refuse(
            &format!("{path}.listen"),
            format!(
                "is {}, beyond loopback, so anybody could send; add allow_from = [\"10.0.0.0/8\"] with your \
                 callers' networks, or key",
                port.listen
            ),
        );
    }
}

/// Each target has a name of its own and the fields of its kind.
fn alerts(settings: &Settings, document: &mut Document) {
    let shortest = Duration::from_mins(5);
    let every = settings.alerts.remind_every;
    if !every.is_zero() && every < shortest {
        document
            .refuse("alerts.remind_every", "is shorter than 5m; make it longer, or \"0s\" for no reminders");
    }
    let mut names = BTreeMap::new();
    for (index, target) in settings.alerts.targets.iter().enumerate() {
        let path = format!("alerts.targets[{index}]");
        if let Some(first) = names.insert(&target.name, index) {
            let message =
                format!("is \"{}\", as is that of `alerts.targets[{first}]`; names must differ", target.name);
            document.refuse(&format!("{path}.name"), message);
        }
        for wrong in target.check().err().into_iter().flatten() {
            document.refuse(&format!("{path}.{}", wrong.field), wrong.message);
        }
    }
}

/// Each control bot has a name of its own, and is either a bot or an account that no other is.
fn control_bots(settings: &Settings, document: &mut Document) {
    let bots = &settings.control_bots;
    for (index, bot) in bots.iter().enumerate() {
        if let Some(first) = bots.iter().take(index).position(|other| other.name == bot.name) {
            let message =
                format!("is \"{}\", as is that of `control_bots[{first}]`; names must differ", bot.name);
            document.refuse(&format!("control_bots[{index}].name"), message);
        }
        let same = |other: &ControlBotFields| bot.account.is_some() && other.account == bot.account;
        if let Err(wrong) = bot.kind() {
            document.refuse(&format!("control_bots[{index}].{}", wrong.field), wrong.message);
        } else if let Some(first) = bots.iter().take(index).position(same) {
            let message = format!("is that of `control_bots[{first}]` too; name all `people` there");
            document.refuse(&format!("control_bots[{index}].account"), message);
        }
    }
}

/// Each channel has a name that no other account has, and the keys of its provider.
fn channels(settings: &Settings, document: &mut Document) {
    for (index, channel) in settings.channels.iter().enumerate() {
        let path = format!("channels[{index}]");
        let is_named = |other: &AccountName| *other == channel.name;
        let before = settings.channels.iter().take(index).position(|other| is_named(&other.name));
        let account = settings.telegram.accounts.iter().position(|other| is_named(&other.name));
        let first = before.map(|first| format!("channels[{first}]"));
        let first = first.or_else(|| account.map(|first| format!("telegram.accounts[{first}]")));
        if let Some(first) = first {
            let message = format!("is \"{}\", as is that of `{first}`; names must differ", channel.name);
            document.refuse(&format!("{path}.name"), message);
        }
        if channel.old_hook {
            old_hook(settings, channel, &format!("{path}.old_hook"), document);
        }
        for wrong in channel.check().err().into_iter().flatten() {
            document.refuse(&format!("{path}.{}", wrong.field), wrong.message);
        }
    }
}

/// A model or a program that answers has a section that says where it is.
fn pipeline(settings: &Settings, document: &mut Document) {
    let pipeline = &settings.pipeline;
    for (key, responder) in pipeline.responders() {
        let (is_there, section) = match responder {
            Responder::Ai => (pipeline.ai.is_some(), "[pipeline.ai] with url and model"),
            Responder::Webhook => {
                let is_there = pipeline.webhook.is_some() || pipeline.stages.respond.is_external();
                (is_there, "[pipeline.webhook] with url")
            }
            Responder::Redis => (settings.queue.redis.is_some(), "[queue] with redis"),
            Responder::Human | Responder::Off => continue,
        };
        if !is_there {
            let message =
                format!("is \"{}\", and nothing says where that is; add {section}", responder.as_str());
            document.refuse(&format!("pipeline.{key}"), message);
        }
    }
    let taken_over = pipeline.stages.all().into_iter().filter(|(_, by)| by.is_external());
    for (stage, _) in taken_over.filter(|_| settings.queue.redis.is_none()) {
        let message = "is \"external\", and nothing says where the queues are; add [queue] with redis";
        document.refuse(&format!("pipeline.stages.{stage}"), message.to_owned());
    }
}

/// What is posted to the old address of a channel is taken at the port of its old server, and nowhere else.
fn old_hook(settings: &Settings, channel: &ChannelFields, path: &str, document: &mut Document) {
    let kind = channel.channel.as_str();
    if !ChannelKind::OLD_SERVERS.contains(&kind) {
        document.refuse(path, format!("is true, and there was no old server of {kind}; take it out"));
        return;
    }
    let takes = |port: &ChannelPort| {
        port.channel == channel.channel && port.account.as_ref().is_none_or(|name| *name == channel.name)
    };
    if !settings.legacy.channel_ports.iter().any(takes) {
        let name = &channel.name;
        document.refuse(
            path,
            format!(
                "is true, and nothing listens where the provider posts to; add to legacy.channel_ports the port of that address, such as \
                 {{ port = 8765, channel = \"{kind}\", account = \"{name}\" }}, or take old_hook out"
            ),
        );
    }
}

/// Each webhook has a name of its own, the keys of its provider, and is asked for once.
fn webhooks(settings: &Settings, document: &mut Document) {
    let webhooks = &settings.doctor.webhooks;
    for (index, webhook) in webhooks.iter().enumerate() {
        let path = format!("doctor.webhooks[{index}]");
        let before = || webhooks.iter().take(index).enumerate();
        if let Some((first, _)) = before().find(|(_, other)| other.name == webhook.name) {
            let message = format!(
                "is \"{}\", as is that of `doctor.webhooks[{first}]`; names must differ",
                webhook.name
            );
            document.refuse(&format!("{path}.name"), message);
        }
        let account = settings.channels.iter().position(|account| webhook.is_of(account));
        if let Some(account) = account {
            let name = &settings.channels[account].name;
            let message = format!(
                "asks after the account {name} of `channels[{account}]`, which the doctor looks after by itself; take this section out"
            );
            document.refuse(&path, message);
        }
        if let Err(wrong) = webhook.check() {
            for wrong in wrong {
                document.refuse(&format!("{path}.{}", wrong.field), wrong.message);
            }
        } else if let Some((first, field)) =
            before().find_map(|(first, other)| Some((first, webhook.asks_like(other)?)))
        {
            document.refuse(
                &format!("{path}.{field}"),
                format!("is that of `doctor.webhooks[{first}]` too, and a provider is asked once; keep one"),
            );
        }
    }
}

/// Whether two listeners with one port number are in each other's way.
fn meet(one: IpAddr, other: IpAddr) -> bool {
    one == other || one.is_unspecified() || other.is_unspecified()
}
