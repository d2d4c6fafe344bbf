//! A sick proxy: marked, and replaced by one that was tested.

use browser::Proxy;
use domain::{CampaignSender, ProxyHealth, SenderState};
use store::{StoreError, StoredProfile, StoredProxy};

use crate::browsers::{PROXY_SICK, ProfileKind, as_browsers_take_it};
use crate::service::Inner;

impl Inner {
    /// Replaces the proxy of a profile through which too many chats are not found; whether anything was changed. Where none takes its
    /// place the profile pauses. A profile that is known to have none goes on: then it is the list.
    pub(super) async fn replace_proxy(&self, profile: &StoredProfile) -> Result<bool, StoreError> {
        let cure = cure(profile);
        if cure == Cure::Nothing {
            return Ok(false);
        }
        let proxy = profile.proxy.as_deref().unwrap_or("of Donut");
        tracing::warn!(profile = %profile.name, proxy, "the proxy of a profile is sick");
        if let Cure::Another(old) = cure
            && self.take_another(profile, old).await?
        {
            return Ok(true);
        }
        let sender = CampaignSender::Profile(profile.name.clone());
        let (state, why, now) = (SenderState::Blocked, PROXY_SICK.to_owned(), self.parts.clock.now());
        self.parts.store.campaigns().stop_sender(sender, state, why, now).await?;
        Ok(true)
    }

    /// Marks a proxy and gives the profile one that is free and passes a test; whether there is one.
    async fn take_another(&self, profile: &StoredProfile, old: &str) -> Result<bool, StoreError> {
        let (campaigns, clock) = (self.parts.store.campaigns(), &self.parts.clock);
        let why = "too many chats are not found through it".to_owned();
        campaigns.proxy_is(old, ProxyHealth::Sick, Some(why), clock.now()).await?;
        for proxy in campaigns.proxies().await? {
            let is_free = proxy.profile.is_none() && proxy.health != ProxyHealth::Sick;
            if !is_free || !self.test_proxy(&proxy).await? {
                continue;
            }
            match campaigns.assign_proxy(&profile.name, Some(proxy.name), clock.now()).await {
                Ok(()) => return Ok(true),
                // Another profile took it while it was tested.
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// Tests whether Web K is reached through a proxy, and keeps that.
    pub(super) async fn test_proxy(&self, proxy: &StoredProxy) -> Result<bool, StoreError> {
        let clock = &self.parts.clock;
        let taken: Proxy = as_browsers_take_it(&proxy.address, &self.parts.browsers.allowed);
        let (host, port) = host_and_port(&self.parts.browsers.web_k);
        let (health, why) = match taken.test((host, port), clock).await {
            Ok(()) => (ProxyHealth::Healthy, None),
            Err(error) => (ProxyHealth::Sick, Some(error.to_string())),
        };
        let is_healthy = why.is_none();
        self.parts.store.campaigns().proxy_is(&proxy.name, health, why, clock.now()).await?;
        Ok(is_healthy)
    }
}

/// What is done about the sick proxy of a profile.
#[derive(Debug, PartialEq, Eq)]
enum Cure<'a> {
    /// It is known to have none.
    Nothing,
    /// This one is marked, and another one takes its place.
    Another(&'a str),
    /// It has one of Donut, which is changed there alone: no proxy here is touched, and the profile stops.
    Stop,
}

fn cure(profile: &StoredProfile) -> Cure<'_> {
    match &profile.proxy {
        _ if profile.kind == ProfileKind::Donut.to_string() => Cure::Stop,
        Some(proxy) => Cure::Another(proxy),
        None => Cure::Nothing,
    }
}

/// The host and port of an address.
fn host_and_port(address: &str) -> (&str, u16) {
    let (usual, rest) = match address.strip_prefix("http://") {
        Some(rest) => (80, rest),
        None => (443, address.strip_prefix("https://").unwrap_or(address)),
    };
    let server = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    match server.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?))) {
        Some((host, port)) => (host, port),
        None => (server, usual),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use ambient::{Chance, Clock, Ids};
    use config::{CampaignBrowserSettings, TelegramSettings};
    use delivery::{Ambient, Delivery, Limits};
    use domain::Timestamp;
    use store::{MasterKey, NewProfile, Store, StoreOptions};
    use telegram::{Pool, PoolParts};

    use super::*;
    use crate::browsers::ProfileLocation;
    use crate::service::{Browsers, Campaigns, CampaignsParts};

    #[test]
    fn the_proxy_of_donut_is_its_own_and_stops_its_profile() {
        let profile = |kind: ProfileKind, proxy: Option<&str>| StoredProfile {
            name: "shop".parse().expect("a name"),
            kind: kind.to_string(),
            record: "{}".to_owned().into(),
            proxy: proxy.map(str::to_owned),
            proxy_since: Timestamp::default(),
            state: SenderState::Active,
            why: None,
            user_id: None,
            error: None,
            created_at: Timestamp::default(),
        };
        for kind in [ProfileKind::Chromium, ProfileKind::Firefox, ProfileKind::Endpoint] {
            assert_eq!(cure(&profile(kind, None)), Cure::Nothing);
            assert_eq!(cure(&profile(kind, Some("p1"))), Cure::Another("p1"));
        }
        assert_eq!(cure(&profile(ProfileKind::Donut, None)), Cure::Stop);
    }

    /// Campaigns on a new store, without any account.
    async fn campaigns(folder: &Path) -> Campaigns {
        let (clock, data_dir) = (Clock::system(), folder.to_owned());
        let (ids, chance) = (Ids::new(clock.clone()), Chance::from_seed(1));
        let (url, master_key) =
            ("sqlite:switchboard.db".to_owned(), MasterKey::File(folder.join("master.key")));
        let options = StoreOptions { data_dir, url, clock: clock.clone(), master_key };
        let store = Store::open(options).await.expect("a store");
        let settings = TelegramSettings::default();
        let pool = Pool::at_rest(PoolParts {
            settings: &settings,
            hold: Duration::ZERO,
            store: store.clone(),
            clock: clock.clone(),
            chance: chance.clone(),
            ids: ids.clone(),
            outgoing: None,
            received: None,
            contacts: false,
            connections: tokio::runtime::Handle::current(),
        });
        let pool = pool.await.expect("a pool");
        let ambient = Ambient { clock: clock.clone(), ids: ids.clone(), chance: chance.clone() };
        let delivery = Delivery::new(store.clone(), pool.clone(), ambient, Limits::default());
        let nothing = outbound::Allowed::new(outbound::AllowList::Campaigns, Vec::new());
        let browsers = Browsers::new(&CampaignBrowserSettings::default(), folder, nothing);
        Campaigns::at_rest(CampaignsParts {
            store,
            delivery,
            pool,
            clock,
            ids,
            chance,
            logs: None,
            browsers,
            files: None,
        })
    }

    #[tokio::test]
    async fn a_profile_of_donut_stops_once_its_proxy_is_sick() {
        let folder = tempfile::tempdir().expect("a folder");
        let inner = campaigns(folder.path()).await.0;
        let (campaigns, name) = (inner.parts.store.campaigns(), "shop".parse().expect("a name"));
        let (kind, record, now) =
            (ProfileKind::Donut.to_string(), "{}".to_owned().into(), Timestamp::default());
        let new = NewProfile { name, kind, record, proxy: None, now };
        let name = new.name.clone();
        campaigns.put_profile(new).await.expect("writes");
        let profile = async || campaigns.profile(&name).await.expect("reads").expect("it is there");
        assert!(inner.replace_proxy(&profile().await).await.expect("writes"));
        let stopped = profile().await;
        assert_eq!((stopped.state, stopped.why.as_deref()), (SenderState::Blocked, Some(PROXY_SICK)));
    }

    #[tokio::test]
    async fn a_profile_and_a_proxy_inside_need_the_owners_list() {
        let folder = tempfile::tempdir().expect("a folder");
        let inside = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let at = inside.local_addr().expect("an address");
        let service = campaigns(folder.path()).await;
        let (inner, campaigns) = (&service.0, service.0.parts.store.campaigns());
        let donut = ProfileLocation::Donut {
            api: format!("http://{at}"),
            token: "token".to_owned(),
            id: "one".to_owned(),
        };
        let endpoint =
            ProfileLocation::Endpoint { driver: format!("http://{at}"), capabilities: serde_json::json!({}) };
        for location in [donut, endpoint] {
            let refused = location.clone().checked(service.allowed()).err().expect("it is inside");
            assert!(refused.to_string().contains("[campaigns] allow_private"), "{refused}");
            // One that was stored before is judged when it is dialled.
            let record = serde_json::to_string(&location).expect("JSON").into();
            let kind = location.kind().to_string();
            let name = kind.parse().expect("a name");
            let new = NewProfile { name, kind, record, proxy: None, now: Timestamp::default() };
            let name = new.name.clone();
            campaigns.put_profile(new).await.expect("writes");
            let profile = campaigns.profile(&name).await.expect("reads").expect("it is there");
            let refused = inner.lease(&profile).await.expect("reads").expect_err("it is inside");
            assert!(refused.contains("[campaigns] allow_private"), "{refused}");
        }
        let dialled = tokio::time::timeout(Duration::from_millis(50), inside.accept()).await;
        assert!(dialled.is_err(), "nothing was dialled");
    }

    #[test]
    fn a_proxy_is_tested_by_reaching_web_k() {
        assert_eq!(host_and_port("https://web.telegram.org/k/"), ("web.telegram.org", 443));
        assert_eq!(host_and_port("http://127.0.0.1:8080/k/"), ("127.0.0.1", 8080));
        assert_eq!(host_and_port("http://localhost/"), ("localhost", 80));
    }
}
