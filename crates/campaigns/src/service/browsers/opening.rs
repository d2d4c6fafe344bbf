//! Opening the browser of a profile, and pictures of what went wrong there.

use std::io;
use std::time::Duration;

use browser::{Donut, Endpoint, Engine, Lease, Local, Pictures, Retention, WebK};
use domain::secret::ExposeSecret;
use domain::{CampaignAttemptId, ProfileName};
use outbound::Allowed;
use store::{NewPicture, StoreError, StoredProfile};

use super::Programs;
use crate::browsers::{ProfileLocation, as_browsers_take_it};
use crate::service::{Campaigns, Inner};

/// The pictures that are kept.
const RETENTION: Retention = Retention { most: 1_000, age: Duration::from_hours(30 * 24) };

impl Campaigns {
    /// The private networks that drivers, Donut and proxies may be in.
    pub fn allowed(&self) -> &Allowed {
        &self.0.parts.browsers.allowed
    }

    /// A picture of what went wrong, or the HTML beside it, if it is still kept.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn picture(&self, file: &str) -> io::Result<Option<Vec<u8>>> {
        Pictures::new(self.0.parts.browsers.pictures(), RETENTION).read(file).await
    }
}

impl Inner {
    /// Opens the browser of a profile; an error says why it cannot be, in words for its owner.
    pub(super) async fn lease(&self, profile: &StoredProfile) -> Result<Result<Lease, String>, StoreError> {
        let (clock, browsers) = (&self.parts.clock, &self.parts.browsers);
        let folder = browsers.folder.join(profile.name.as_str());
        let Ok(location) = serde_json::from_str(profile.record.expose_secret()) else {
            return Ok(Err("where its browser is cannot be read: set the profile up again".to_owned()));
        };
        let lease = match location {
            location @ (ProfileLocation::Chromium | ProfileLocation::Firefox) => {
                let proxy = match &profile.proxy {
                    Some(name) => match self.parts.store.campaigns().proxy(name).await? {
                        Some(proxy) => Some(as_browsers_take_it(&proxy.address, &browsers.allowed)),
                        None => return Ok(Err(format!("its proxy {name} is gone: give it another one"))),
                    },
                    None => None,
                };
                let (engine, programs) = match location {
                    ProfileLocation::Firefox => (Engine::Firefox, &browsers.firefox),
                    _ => (Engine::Chromium, &browsers.chromium),
                };
                let Programs { program, driver, arguments } = programs.clone();
                Local { engine, folder, program, driver, arguments, proxy }.lease(clock).await
            }
            ProfileLocation::Donut { api, token, id } => {
                let driver = browsers.chromium.driver.clone();
                let allowed = browsers.allowed.clone();
                Donut { api, allowed, token: token.into(), id, folder, driver }.lease(clock).await
            }
            ProfileLocation::Endpoint { driver, capabilities } => {
                Endpoint { driver, allowed: browsers.allowed.clone(), capabilities, folder }.lease().await
            }
        };
        Ok(lease.map_err(|error| error.to_string()))
    }

    /// Keeps a picture of the page. That there is none is no reason to stop.
    pub(super) async fn keep_picture(
        &self,
        web_k: &WebK<'_>,
        profile: &ProfileName,
        attempt: Option<CampaignAttemptId>,
    ) -> Result<(), StoreError> {
        let now = self.parts.clock.now();
        let kept = async {
            let png = web_k.picture().await.map_err(|error| error.to_string())?;
            let html = web_k.html().await.map_err(|error| error.to_string())?;
            let pictures = Pictures::new(self.parts.browsers.pictures(), RETENTION);
            let kept = pictures.keep(profile.as_str(), now, &png, &html).await;
            let path = kept.map_err(|error| error.to_string())?;
            let oldest = pictures.stored().await.ok().and_then(|names| names.into_iter().next());
            Ok::<_, String>((path, oldest))
        };
        let (path, oldest) = match kept.await {
            Ok(kept) => kept,
            Err(error) => {
                tracing::warn!(%profile, error, "no picture of the page");
                return Ok(());
            }
        };
        let named = |name: &str| name.split_once('_').and_then(|(micros, _)| micros.parse().ok());
        let oldest = oldest.as_deref().and_then(named).map_or(now, domain::Timestamp::from_micros);
        let Some(file) = path.file_name().map(|name| name.to_string_lossy().into_owned()) else {
            return Ok(());
        };
        let picture = NewPicture { file, profile: profile.clone(), attempt, taken_at: now, oldest };
        self.parts.store.campaigns().add_picture(picture).await
    }
}
