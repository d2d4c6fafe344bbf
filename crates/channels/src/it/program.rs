//! A program with one account of a channel: its store, its delivery, and what takes messages in.

use std::path::PathBuf;
use std::sync::Arc;

use ambient::{Chance, Clock, Ids};
use channels::{Account, Channels, Provider, Reception};
use config::{ChannelFields, ChannelKind};
use delivery::{Ambient, Delivery};
use store::{InboundFilter, MasterKey, Page, Store, StoreOptions, StoredInbound};

use crate::it::support::World;

pub(crate) struct Program {
    pub(crate) store: Store,
    pub(crate) account: Arc<Account>,
    pub(crate) channels: Channels,
    pub(crate) ambient: Ambient,
    pub(crate) data_dir: PathBuf,
    pub(crate) delivery: Delivery,
}

impl Program {
    /// With this account, whose address at its provider ends with `secret`.
    pub(crate) async fn open(
        world: &World,
        fields: ChannelFields,
        provider: Arc<dyn Provider>,
        secret: &str,
    ) -> Self {
        Self::open_with(world, fields, provider, secret, &[]).await
    }

    /// The same, with the first accounts of other channels.
    pub(crate) async fn open_with(
        world: &World,
        fields: ChannelFields,
        provider: Arc<dyn Provider>,
        secret: &str,
        others: &[ChannelKind],
    ) -> Self {
        let clock = Clock::system();
        let (ids, chance) = (Ids::new(clock.clone()), Chance::from_seed(1));
        let ambient = Ambient { clock: clock.clone(), ids, chance };
        let data_dir = world.folder.path().join("data");
        std::fs::create_dir(&data_dir).unwrap();
        let options = StoreOptions {
            data_dir: data_dir.clone(),
            url: "sqlite:switchboard.db".to_owned(),
            clock: clock.clone(),
            master_key: MasterKey::File(data_dir.join("master.key")),
        };
        let store = Store::open(options).await.unwrap();
        let name = fields.name.clone();
        let others = others.iter().map(|kind| (world.fields(*kind), world.provider(*kind)));
        let accounts = std::iter::once((fields, provider)).chain(others).map(|(fields, provider)| {
            let channel = fields.channel.as_str().parse().unwrap();
            Account::new(fields, channel, provider, secret.to_owned().into())
        });
        let channels = Channels::new(accounts.collect(), None, clock);
        let account = Arc::clone(channels.get(&name).unwrap());
        let (sender, limits) = (Arc::new(channels.clone()), delivery::Limits::default());
        let delivery = Delivery::new(store.clone(), sender, ambient.clone(), limits);
        Self { store, account, channels, ambient, data_dir, delivery }
    }

    pub(crate) fn reception(&self, public_url: Option<String>) -> Reception {
        Reception::new(self.channels.clone(), self.store.clone(), self.delivery.clone(), public_url)
    }
}

/// What came in, the last one first.
pub(crate) async fn received(store: &Store) -> Vec<StoredInbound> {
    let page = Page { limit: 50, cursor: None };
    store.channels().list(&InboundFilter::default(), &page).await.unwrap().items
}
