//! What people ask of a browser profile: to be opened and tested, and to show the code that its owner scans.

use browser::{Card, DriverError, Failure, Lease, Limits, WebK};
use domain::{ProfileName, UserId};
use store::{StoreError, StoredProfile};

use crate::browsers::{Trouble, trouble};
use crate::service::{Campaigns, ControlError};

/// What came of opening a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileChecked {
    /// Who is logged in there, if all is well.
    pub user_id: Option<UserId>,
    /// What is wrong, if something is.
    pub error: Option<String>,
}

/// What the owner of a profile sees who logs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogIn {
    /// A code to be scanned, as PNG. It changes every few seconds.
    Code(Vec<u8>),
    /// Something else is asked for in the window: `password`, `phone`, `passcode` or `other`.
    Requested(&'static str),
    /// The page is still coming.
    Loading,
    /// It is logged in.
    Done(UserId),
}

/// Why a profile is not opened.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    #[error("there is no profile of this name")]
    Unknown,
    #[error("{0}")]
    NotOpened(String),
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Campaigns {
    /// Opens a profile and runs the self-test of its page; nothing is sent.
    ///
    /// # Errors
    /// See [`ProfileError`].
    pub async fn check_profile(&self, name: &ProfileName) -> Result<ProfileChecked, ProfileError> {
        let (inner, campaigns) = (&self.0, self.0.parts.store.campaigns());
        let (profile, lease) = self.opened(name).await?;
        let tested = async {
            let web_k = self.page(&lease).await?;
            let arrived = web_k.arrive().await;
            if arrived.is_err() {
                inner.keep_picture(&web_k, name, None).await?;
            }
            Ok::<_, ProfileError>(arrived)
        };
        let tested = tested.await;
        close(&profile, lease).await;
        let now = inner.parts.clock.now();
        match tested? {
            Ok(user_id) => {
                campaigns.saw_profile(name, user_id).await?;
                Ok(ProfileChecked { user_id: UserId::new(user_id), error: None })
            }
            Err(failure) => {
                campaigns.profile_went_wrong(name, &failure.to_string(), now).await?;
                if let Some(Trouble::Stops(state, why)) = trouble(&failure) {
                    let sender = domain::CampaignSender::Profile(name.clone());
                    campaigns.stop_sender(sender, state, why.to_owned(), now).await?;
                }
                Ok(ProfileChecked { user_id: None, error: Some(failure.to_string()) })
            }
        }
    }

    /// What the owner of a profile sees now who logs in there. The browser stays open until that is done, or the profile is checked.
    ///
    /// # Errors
    /// See [`ProfileError`].
    pub async fn log_in(&self, name: &ProfileName) -> Result<LogIn, ProfileError> {
        let (inner, campaigns) = (&self.0, self.0.parts.store.campaigns());
        let (profile, lease) = self.opened(name).await?;
        let seen = async {
            let web_k = self.page(&lease).await?;
            let wrong = |error: DriverError| ProfileError::NotOpened(error.to_string());
            let facts = web_k.facts().await.map_err(wrong)?;
            let user = facts.user_id.and_then(UserId::new).filter(|_| facts.chats_shown);
            Ok::<_, ProfileError>(match (user, facts.card) {
                _ if facts.locked => LogIn::Requested("passcode"),
                (Some(user), _) => LogIn::Done(user),
                (None, Some(Card::Code)) => match web_k.code().await {
                    Ok(picture) => LogIn::Code(picture),
                    // The page has gone on meanwhile.
                    Err(DriverError::NoElement(_) | DriverError::NotPressable(_)) => LogIn::Loading,
                    Err(error) => return Err(wrong(error)),
                },
                (None, Some(Card::Password)) => LogIn::Requested("password"),
                (None, Some(Card::Phone)) => LogIn::Requested("phone"),
                (None, Some(Card::Other)) => LogIn::Requested("other"),
                (None, None) => LogIn::Loading,
            })
        };
        let seen = seen.await;
        match &seen {
            Ok(LogIn::Done(user)) => {
                close(&profile, lease).await;
                campaigns.saw_profile(name, (*user).into()).await?;
                // What Telegram restricted stays stopped until a person unblocks it.
                campaigns.profile_logged_in(name, inner.parts.clock.now()).await?;
            }
            Ok(_) => {
                if let Err(error) = lease.release().await {
                    tracing::warn!(profile = %name, %error, "a driver does not end");
                }
            }
            Err(_) => close(&profile, lease).await,
        }
        seen
    }

    /// Tests a proxy; whether Web K is reached through it.
    ///
    /// # Errors
    /// There is none of the name, or the store does not answer.
    pub async fn check_proxy(&self, name: &str) -> Result<Option<bool>, StoreError> {
        match self.0.parts.store.campaigns().proxy(name).await? {
            Some(proxy) => self.0.test_proxy(&proxy).await.map(Some),
            None => Ok(None),
        }
    }

    async fn opened(&self, name: &ProfileName) -> Result<(StoredProfile, Lease), ProfileError> {
        if !self.0.is_at_work {
            return Err(ControlError::NoServer.into());
        }
        let profile = self.0.parts.store.campaigns().profile(name).await?.ok_or(ProfileError::Unknown)?;
        let lease = self.0.lease(&profile).await?.map_err(ProfileError::NotOpened)?;
        Ok((profile, lease))
    }

    async fn page<'a>(&self, lease: &'a Lease) -> Result<WebK<'a>, ProfileError> {
        let parts = &self.0.parts;
        let page =
            WebK::attach(lease.session(), &parts.browsers.web_k, parts.clock.clone(), Limits::default());
        page.await.map_err(|error| ProfileError::NotOpened(Failure::from(error).to_string()))
    }
}

async fn close(profile: &StoredProfile, lease: Lease) {
    if let Err(error) = lease.close().await {
        tracing::warn!(profile = %profile.name, %error, "the browser of a profile does not close");
    }
}
