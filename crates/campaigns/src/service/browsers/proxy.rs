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
        let (campaigns, clock) = (self.parts.store.campaigns(), &self.parts.clock);
        let sick = "too many chats are not found through it";
        let Some((old, own)) = behind(profile) else { return Ok(false) };
        tracing::warn!(profile = %profile.name, proxy = old, "the proxy of a profile is sick");
        if !own {
            campaigns.proxy_is(old, ProxyHealth::Sick, Some(sick.to_owned()), clock.now()).await?;
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
        }
        let sender = CampaignSender::Profile(profile.name.clone());
        campaigns.stop_sender(sender, SenderState::Blocked, PROXY_SICK.to_owned(), clock.now()).await?;
        Ok(true)
    }

    /// Tests whether Web K is reached through a proxy, and keeps that.
    pub(super) async fn test_proxy(&self, proxy: &StoredProxy) -> Result<bool, StoreError> {
        let clock = &self.parts.clock;
        let taken: Proxy = as_browsers_take_it(&proxy.address);
        let (host, port) = place(&self.parts.browsers.web_k);
        let (health, why) = match taken.test((host, port), clock).await {
            Ok(()) => (ProxyHealth::Healthy, None),
            Err(error) => (ProxyHealth::Sick, Some(error.to_string())),
        };
        let is_healthy = why.is_none();
        self.parts.store.campaigns().proxy_is(&proxy.name, health, why, clock.now()).await?;
        Ok(is_healthy)
    }
}

/// The proxy that a profile goes through, and whether it is Donut's own, which is changed there alone.
fn behind(profile: &StoredProfile) -> Option<(&str, bool)> {
    let own = profile.kind == ProfileKind::Donut.to_string();
    profile.proxy.as_deref().or(own.then_some("of Donut")).map(|proxy| (proxy, own))
}

/// The host and port of an address.
fn place(address: &str) -> (&str, u16) {
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
    use super::*;
    use domain::Timestamp;

    #[test]
    fn the_proxy_of_donut_is_its_own() {
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
        assert_eq!(behind(&profile(ProfileKind::Chromium, None)), None);
        assert_eq!(behind(&profile(ProfileKind::Chromium, Some("p1"))), Some(("p1", false)));
        assert!(matches!(behind(&profile(ProfileKind::Donut, None)), Some((_, true))));
    }

    #[test]
    fn a_proxy_is_tested_on_the_way_to_web_k() {
        assert_eq!(place("https://web.telegram.org/k/"), ("web.telegram.org", 443));
        assert_eq!(place("http://127.0.0.1:8080/k/"), ("127.0.0.1", 8080));
        assert_eq!(place("http://localhost/"), ("localhost", 80));
    }
}
