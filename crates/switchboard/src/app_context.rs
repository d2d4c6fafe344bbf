//! The services over a data directory, the same for a server and for a command without one.

use std::path::Path;
use std::sync::Arc;

use ambient::{Chance, Clock, Ids};
use backup::{BackupParts, Backups};
use channels::{Links, Prover, ReceivedFiles, Reception};
use config::Settings;
use delivery::{Ambient, Delivery, Quotas, SagaLimits, Sagas, Sender, Senders};
use domain::{ContactLimits, Customers};
use outbound::{AllowList, Allowed, Names};
use store::{EventRetention, Retention, Store};
use telegram::{Pool, PoolParts};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use web::Files;

use crate::{files, machine};

/// The store and the folders of a data directory, with the time, ids and chance of this process.
pub(crate) struct AppContext {
    pub(crate) store: Store,
    pub(crate) files: Files,
    pub(crate) ambient: Ambient,
    /// Where files may be fetched from beside the public internet.
    pub(crate) private_sources: Allowed,
    /// Where webhooks and alerts may go beside the public internet.
    pub(crate) private_receivers: Allowed,
    /// Where the browsers of campaigns and their proxies may be beside the public internet.
    pub(crate) private_browsers: Allowed,
}

/// Messages and operations over a pool of accounts.
pub(crate) struct Messaging {
    pub(crate) pool: Arc<Pool>,
    pub(crate) delivery: Delivery,
    pub(crate) sagas: Sagas,
    pub(crate) channels: Reception,
    pub(crate) links: Links,
}

/// Health, logs, users, alerts, webhooks, flows, campaigns and backups.
pub(crate) struct Services {
    pub(crate) health: health::Health,
    pub(crate) logs: logs::LogStore,
    pub(crate) access: access::Access,
    pub(crate) alerts: alerts::Alerts,
    pub(crate) webhooks: events::Webhooks,
    pub(crate) flows: flows::Flows,
    pub(crate) campaigns: campaigns::Campaigns,
    pub(crate) pipeline: pipeline::Pipeline,
    pub(crate) backups: Backups,
}

/// Time, ids and chance as the system has them.
pub(crate) fn ambient(clock: Clock) -> Ambient {
    Ambient { ids: Ids::new(clock.clone()), chance: Chance::from_system(), clock }
}

/// How much may wait.
pub(crate) fn quotas(settings: &Settings) -> Quotas {
    Quotas {
        account: settings.limits.waiting_per_account.into(),
        caller: settings.limits.waiting_per_key.into(),
    }
}

/// How many people may be written to first, and how often one person gets advertising.
pub(crate) const fn contact_limits(settings: &Settings) -> ContactLimits {
    let limits = &settings.limits;
    ContactLimits {
        first_contacts_per_day: limits.first_contacts_per_day,
        channel_first_contacts_per_day: limits.channel_first_contacts_per_day,
        advertising_per_day: limits.advertising_per_day,
        advertising_gap: limits.advertising_gap,
    }
}

/// How long rows are kept.
pub(crate) fn retention(settings: &Settings) -> Retention {
    let (keep, events) = (&settings.retention, &settings.events);
    Retention {
        messages: keep.messages,
        messages_at_most: keep.messages_at_most,
        received: keep.received,
        received_at_most: keep.received_at_most,
        conversations: keep.conversations,
        operations: keep.operations,
        failed_requests: keep.failed_requests,
        campaigns: keep.campaigns,
        webhook_attempts: keep.webhook_attempts,
        alerts: keep.alerts,
        audit: keep.audit,
        events: EventRetention { keep: events.keep, most: events.keep_at_most },
    }
}

impl AppContext {
    /// Opens the folders of files beside a store that is open.
    pub(crate) async fn build(
        settings: &Settings,
        data_dir: &Path,
        store: Store,
        ambient: Ambient,
    ) -> anyhow::Result<Self> {
        let private_sources = Allowed::new(AllowList::Media, settings.media.allow_private.clone());
        let files = files::open(settings, data_dir, &ambient, private_sources.clone()).await?;
        store.keep(retention(settings));
        store.limit_contacts(contact_limits(settings));
        let private_receivers = Allowed::new(AllowList::Events, settings.events.allow_private.clone());
        let private_browsers = Allowed::new(AllowList::Campaigns, settings.campaigns.allow_private.clone());
        Ok(Self { store, files, ambient, private_sources, private_receivers, private_browsers })
    }

    /// The parts of a pool of accounts.
    pub(crate) fn pool_parts<'a>(&self, settings: &'a Settings, connections: Handle) -> PoolParts<'a> {
        let pipeline = &settings.pipeline;
        PoolParts {
            settings: &settings.telegram,
            hold: settings.legacy.hold,
            store: self.store.clone(),
            clock: self.ambient.clock.clone(),
            chance: self.ambient.chance.clone(),
            ids: self.ambient.ids.clone(),
            outgoing: Some(self.files.outgoing.clone()),
            received: Some(self.files.received.clone()),
            contacts: pipeline.telegram_accounts && pipeline.telegram_customers == Customers::NotContacts,
            connections,
        }
    }

    /// Messages and sagas over all senders there are, and this pool. Nothing moves before they are resumed.
    pub(crate) async fn messaging(&self, settings: &Settings, pool: Arc<Pool>) -> anyhow::Result<Messaging> {
        let (store, ambient) = (&self.store, &self.ambient);
        let give_up_after = settings.limits.give_up_after;
        let quotas = quotas(settings);
        let limits = delivery::Limits { give_up_after, quotas, ..delivery::Limits::default() };
        let names = Names::of_system(self.private_sources.clone());
        let opened = crate::channels::open(settings, store, ambient, &self.files.outgoing, &names);
        let (channels, links) = opened.await?;
        for name in channels.accounts() {
            pool.reserve_name(name);
        }
        let mut senders: Vec<Arc<dyn Sender>> = vec![pool.clone()];
        if channels.all().next().is_some() {
            senders.push(Arc::new(channels.clone()));
        }
        let sender = Senders::join(senders)?;
        let delivery = Delivery::new(store.clone(), sender, ambient.clone(), limits);
        let sagas = Sagas::new(store.clone(), pool.clone(), ambient.clone(), SagaLimits::default());
        let public_url = settings.public_url.clone();
        let received = ReceivedFiles::new(
            channels.clone(),
            store.clone(),
            self.files.received.clone(),
            ambient.chance.clone(),
            names.clone(),
        )?;
        let prover = match &public_url {
            Some(url) => Some(Prover::new(&ambient.clock, url, names, ambient.chance.clone())?),
            None => None,
        };
        let mut channels =
            Reception::new(channels, store.clone(), delivery.clone(), public_url).with_files(received);
        if let Some(prover) = prover {
            channels = channels.with_prover(prover);
        }
        Ok(Messaging { pool, delivery, sagas, channels, links })
    }

    /// The health checks, which do not run before they are started.
    pub(crate) fn health(&self, messaging: &Messaging) -> health::Health {
        health::Health::new(health::HealthParts {
            store: self.store.clone(),
            delivery: messaging.delivery.clone(),
            sagas: messaging.sagas.clone(),
            accounts: telegram::Monitor::new(
                messaging.pool.clone(),
                self.store.clone(),
                self.ambient.clock.clone(),
            ),
            clock: self.ambient.clock.clone(),
            version: env!("CARGO_PKG_VERSION"),
        })
    }

    /// The users of the dashboard.
    pub(crate) fn access(&self) -> access::Access {
        access::Access::new(self.store.clone(), self.ambient.clock.clone(), self.ambient.ids.clone())
    }

    /// Backups of the data directory. None is made before they are started or one is requested.
    pub(crate) fn backups(
        &self,
        settings: &Settings,
        data_dir: &Path,
        at_rest: bool,
    ) -> anyhow::Result<Backups> {
        Ok(Backups::new(BackupParts {
            store: self.store.clone(),
            clock: self.ambient.clock.clone(),
            data_dir: data_dir.to_owned(),
            settings: settings.backup.clone(),
            master_key: crate::command::up::master_key(data_dir)?,
            version: env!("CARGO_PKG_VERSION"),
            at_rest,
        }))
    }

    /// The parts of the alerts.
    pub(crate) fn alerts_parts<'a>(
        &self,
        settings: &'a Settings,
        messaging: &Messaging,
    ) -> alerts::AlertsParts<'a> {
        alerts::AlertsParts {
            store: self.store.clone(),
            delivery: messaging.delivery.clone(),
            clock: self.ambient.clock.clone(),
            ids: self.ambient.ids.clone(),
            settings: &settings.alerts,
            allowed: self.private_receivers.clone(),
            server: machine::name(),
        }
    }

    /// The parts of the webhooks.
    pub(crate) fn webhooks_parts(&self, settings: &Settings, messaging: &Messaging) -> events::WebhooksParts {
        events::WebhooksParts {
            store: self.store.clone(),
            clock: self.ambient.clock.clone(),
            chance: self.ambient.chance.clone(),
            allowed: self.private_receivers.clone(),
            vouched: crate::channels::forwarded_to(settings),
            links: messaging.links.clone(),
        }
    }

    /// The parts of the flows.
    pub(crate) fn flows_parts(&self, messaging: &Messaging) -> flows::FlowsParts {
        flows::FlowsParts {
            store: self.store.clone(),
            pool: messaging.pool.clone(),
            delivery: messaging.delivery.clone(),
            clock: self.ambient.clock.clone(),
            ids: self.ambient.ids.clone(),
        }
    }

    /// The parts of the campaigns.
    pub(crate) fn campaigns_parts(
        &self,
        settings: &Settings,
        data_dir: &Path,
        messaging: &Messaging,
    ) -> campaigns::CampaignsParts {
        campaigns::CampaignsParts {
            store: self.store.clone(),
            delivery: messaging.delivery.clone(),
            pool: messaging.pool.clone(),
            clock: self.ambient.clock.clone(),
            ids: self.ambient.ids.clone(),
            chance: self.ambient.chance.clone(),
            logs: Some(data_dir.join("campaign-logs")),
            browsers: campaigns::Browsers::new(
                &settings.campaigns.browser,
                data_dir,
                self.private_browsers.clone(),
            ),
            files: Some(self.files.outgoing.clone()),
        }
    }

    /// Conversations with clients. Nothing moves before it is started.
    pub(crate) fn pipeline(
        &self,
        settings: &Settings,
        messaging: &Messaging,
    ) -> Result<pipeline::Pipeline, pipeline::PipelineError> {
        pipeline::Pipeline::new(pipeline::PipelineParts {
            store: self.store.clone(),
            delivery: messaging.delivery.clone(),
            clock: self.ambient.clock.clone(),
            ids: self.ambient.ids.clone(),
            settings: settings.pipeline.clone(),
            received: messaging.channels.files().cloned(),
            pool: messaging.pool.clone(),
            channels: messaging.channels.channels().clone(),
            links: messaging.links.clone(),
            queue: settings.queue.clone(),
        })
    }

    /// The parts of the control bots.
    pub(crate) fn control_parts(
        &self,
        messaging: &Messaging,
        flows: &flows::Flows,
        access: &access::Access,
    ) -> control_bot::ControlParts {
        control_bot::ControlParts {
            flows: Arc::new(flows.clone()),
            store: self.store.clone(),
            access: access.clone(),
            clock: self.ambient.clock.clone(),
            chance: self.ambient.chance.clone(),
            accounts: Some((messaging.pool.clone(), messaging.delivery.clone())),
        }
    }

    /// The services of the API. `callbacks_due` is notified of callbacks to be sent; who reads the settings again and who changes
    /// the accounts of channels in them is there while a server runs.
    pub(crate) fn services(
        &self,
        messaging: &Messaging,
        services: Services,
        callbacks_due: Arc<Notify>,
        of_server: Option<(web::ReloadRequests, web::ChannelChanges)>,
    ) -> web::Services {
        let (reload, channel_changes) = of_server.unzip();
        web::Services {
            store: self.store.clone(),
            delivery: messaging.delivery.clone(),
            sagas: messaging.sagas.clone(),
            callbacks_due,
            pool: messaging.pool.clone(),
            files: self.files.clone(),
            health: services.health,
            logs: services.logs,
            access: services.access,
            alerts: services.alerts,
            webhooks: services.webhooks,
            flows: services.flows,
            campaigns: services.campaigns,
            pipeline: services.pipeline,
            channels: messaging.channels.clone(),
            links: messaging.links.clone(),
            backups: services.backups,
            clock: self.ambient.clock.clone(),
            ids: self.ambient.ids.clone(),
            reload,
            channel_changes,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const fn days(days: u64) -> Duration {
        Duration::from_hours(24 * days)
    }

    #[test]
    fn each_setting_of_retention_keeps_its_own_rows() {
        let mut settings = Settings::default();
        settings.retention.messages = days(101);
        settings.retention.messages_at_most = 10_002;
        settings.retention.received = days(103);
        settings.retention.received_at_most = 10_004;
        settings.retention.conversations = days(105);
        settings.retention.campaigns = days(106);
        settings.retention.operations = days(107);
        settings.retention.failed_requests = days(108);
        settings.retention.webhook_attempts = days(109);
        settings.retention.alerts = days(110);
        settings.retention.audit = days(111);
        settings.events.keep = days(112);
        settings.events.keep_at_most = 10_013;
        let kept = Retention {
            messages: days(101),
            messages_at_most: 10_002,
            received: days(103),
            received_at_most: 10_004,
            conversations: days(105),
            campaigns: days(106),
            operations: days(107),
            failed_requests: days(108),
            webhook_attempts: days(109),
            alerts: days(110),
            audit: days(111),
            events: EventRetention { keep: days(112), most: 10_013 },
        };
        assert_eq!(retention(&settings), kept);
    }
}
