//! Browser profiles that send for campaigns, and the pictures of what went wrong in them.

use std::collections::BTreeMap;

use domain::secret::ExposeSecret;
use domain::{CampaignAttemptId, CampaignSender, ProfileName, SecretText, SenderState, Timestamp, UserId};
use uuid::Uuid;

use super::{CampaignRow, Campaigns, SenderStop, rows, statements as campaigns};
use crate::column::Columns;
use crate::database::{Row, params};
use crate::statement::statements;
use crate::vault::{Sealed, Vault};
use crate::write::Transaction;
use crate::{StoreError, codes, point};

pub(crate) const TABLE: &str = "campaign_profiles";

/// Profiles there may be.
const MOST: u32 = 1000;
/// Why an account is stopped that was removed; it says nothing about one that is added under the name.
const UNKNOWN_ACCOUNT: &str = "unknown_account";
/// What went wrong is cut to this many characters.
const LONGEST: usize = 500;

statements! {
    PROFILES = "
        SELECT name, kind, record, proxy, proxy_since, state, why, user_id, error, error_at, created_at
        FROM campaign_profiles ORDER BY name LIMIT $1";
    OF_CAMPAIGNS = "
        SELECT name, kind, record, proxy, proxy_since, state, why, user_id, error, error_at, created_at
        FROM campaign_profiles WHERE 'profile:' || name IN (SELECT sender FROM campaign_senders) ORDER BY name LIMIT $1";
    PROFILE = "
        SELECT name, kind, record, proxy, proxy_since, state, why, user_id, error, error_at, created_at
        FROM campaign_profiles WHERE name = $1";
    COUNT = "SELECT count(*) FROM campaign_profiles WHERE name <> $1";
    PUT = "
        INSERT INTO campaign_profiles (
            name, kind, record, proxy, proxy_since, state, why, user_id, error, error_at, created_at
        ) VALUES ($1, $2, $3, $4, $5, 0, NULL, NULL, NULL, NULL, $5)
        ON CONFLICT (name) DO UPDATE SET
            kind = excluded.kind, record = excluded.record, proxy_since = CASE
                WHEN coalesce(campaign_profiles.proxy, '') = coalesce(excluded.proxy, '') THEN campaign_profiles.proxy_since
                ELSE excluded.proxy_since
            END, proxy = excluded.proxy";
    REMOVE = "DELETE FROM campaign_profiles WHERE name = $1";
    REMOVE_FROM_CAMPAIGNS = "DELETE FROM campaign_senders WHERE sender = $1";
    STOP = "UPDATE campaign_profiles SET state = $1, why = $2 WHERE 'profile:' || name = $3 AND state = 0";
    UNBLOCK = "UPDATE campaign_profiles SET state = 0, why = NULL WHERE name = $1";
    UNBLOCK_IN_CAMPAIGNS = "
        UPDATE campaign_senders SET state = 0, why = NULL, changed_at = $1 WHERE sender = $2 AND state <> 0";
    LOGGED_IN = "UPDATE campaign_profiles SET state = 0, why = NULL WHERE name = $1 AND state = 2";
    LOGGED_IN_TO_CAMPAIGNS = "
        UPDATE campaign_senders SET state = 0, why = NULL, changed_at = $1 WHERE sender = $2 AND state = 2";
    STATE = "SELECT state, why FROM campaign_profiles WHERE 'profile:' || name = $1";
    LATEST_STATE = "
        SELECT state, why FROM campaign_senders WHERE sender = $1 ORDER BY changed_at DESC, state DESC LIMIT 1";
    BLOCKED_OF_PERSON = "
        SELECT state, why FROM campaign_profiles
        WHERE state = 1 AND coalesce(why, '') <> 'proxy_sick' AND user_id IN (
            SELECT user_id FROM telegram_sessions WHERE 'account:' || account = $1
            UNION SELECT user_id FROM campaign_profiles WHERE 'profile:' || name = $1)
        ORDER BY name LIMIT 1";
    UNBLOCK_OF_CAMPAIGN = "
        UPDATE campaign_profiles SET state = 0, why = NULL WHERE state <> 0 AND 'profile:' || name IN (
            SELECT sender FROM campaign_senders
            WHERE campaign = $1 AND (CAST($2 AS TEXT) IS NULL OR sender = $2)
        )";
    SAVE_USER = "UPDATE campaign_profiles SET user_id = $1, error = NULL, error_at = NULL WHERE name = $2";
    WENT_WRONG = "UPDATE campaign_profiles SET error = $1, error_at = $2 WHERE name = $3";
    SET_PROXY = "UPDATE campaign_profiles SET proxy = $1, proxy_since = $2 WHERE name = $3";
    OTHER_WITH_PROXY = "SELECT name FROM campaign_profiles WHERE proxy = $1 AND name <> $2 LIMIT 1";
    USER = "SELECT user_id FROM campaign_profiles WHERE name = $1";
    PEOPLE = "SELECT name, user_id FROM campaign_profiles WHERE user_id IS NOT NULL";
    OF_PERSON = "SELECT 'profile:' || name FROM campaign_profiles WHERE user_id = $1";
    ADD_PICTURE = "
        INSERT INTO campaign_pictures (file, profile, attempt, taken_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (file) DO NOTHING";
    DROP_PICTURES = "DELETE FROM campaign_pictures WHERE taken_at < $1";
    PICTURE_OF_PROFILE = "
        SELECT file FROM campaign_pictures WHERE profile = $1 ORDER BY taken_at DESC LIMIT 1";
    PICTURES_OF_ATTEMPTS = "
        SELECT attempt, file FROM campaign_pictures WHERE attempt >= $1 AND attempt <= $2 ORDER BY attempt LIMIT 1000";
    SENT_SINCE = "SELECT count(*) FROM campaign_attempts WHERE sender = $1 AND ended_at > $2 AND state >= 12";
    CAMPAIGNS_OF = "
        SELECT name, settings, created_at, title FROM campaigns
        WHERE name IN (SELECT campaign FROM campaign_senders WHERE sender = $1) ORDER BY name";
}

/// A browser in which a person has logged in at Telegram Web K.
#[derive(Debug, Clone)]
pub struct StoredProfile {
    pub name: ProfileName,
    /// What kind of browser it is.
    pub kind: String,
    /// Where that is, JSON; it may have a token.
    pub record: SecretText,
    /// The name of its proxy.
    pub proxy: Option<String>,
    /// Since when it has that.
    pub proxy_since: Timestamp,
    pub state: SenderState,
    /// Why it sends nothing.
    pub why: Option<String>,
    /// Who is logged in there, once that is known.
    pub user_id: Option<UserId>,
    /// What went wrong last, and when.
    pub error: Option<(String, Timestamp)>,
    pub created_at: Timestamp,
}

/// A profile to be kept; one of the name keeps its state.
#[derive(Debug, Clone)]
pub struct NewProfile {
    pub name: ProfileName,
    pub kind: String,
    pub record: SecretText,
    pub proxy: Option<String>,
    pub now: Timestamp,
}

/// A picture of what went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPicture {
    pub file: String,
    pub profile: ProfileName,
    pub attempt: Option<CampaignAttemptId>,
    pub taken_at: Timestamp,
    /// Older ones are gone.
    pub oldest: Timestamp,
}

struct SealedProfile {
    profile: StoredProfile,
    record: Vec<u8>,
}

impl Campaigns<'_> {
    /// All profiles, by name.
    pub async fn profiles(&self) -> Result<Vec<StoredProfile>, StoreError> {
        self.opened(PROFILES).await
    }

    /// Those that send for a campaign, by name.
    pub async fn profiles_of_campaigns(&self) -> Result<Vec<StoredProfile>, StoreError> {
        self.opened(OF_CAMPAIGNS).await
    }

    async fn opened(&self, statement: &'static str) -> Result<Vec<StoredProfile>, StoreError> {
        let sealed = self.store.all(statement, [MOST], read).await?;
        sealed.into_iter().map(|sealed| open(&self.store.inner.vault, sealed)).collect()
    }

    /// A profile.
    pub async fn profile(&self, name: &ProfileName) -> Result<Option<StoredProfile>, StoreError> {
        let sealed = self.store.first(PROFILE, [name.to_string()], read).await?;
        sealed.map(|sealed| open(&self.store.inner.vault, sealed)).transpose()
    }

    /// Makes or changes a profile.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when there are as many as there may be (1000), or another one has its proxy.
    pub async fn put_profile(&self, new: NewProfile) -> Result<(), StoreError> {
        let record = seal(&self.store.inner.vault, &new)?;
        let NewProfile { name, kind, record: _, proxy, now } = new;
        let change = move |transaction: &Transaction<'_>| {
            let name = name.as_str();
            let others = transaction.first(COUNT, params![name], |row| Columns::new(row, TABLE).count(0))?;
            if others.unwrap_or_default() >= u64::from(MOST) {
                return Err(StoreError::conflict(TABLE, format!("there are {MOST} profiles already")));
            }
            refuse_shared(transaction, name, proxy.as_deref())?;
            transaction.run(PUT, params![name, kind, record, proxy, now.as_micros()])
        };
        self.store.change(point::SAVE_CAMPAIGN, change).await
    }

    /// Removes a profile, from its campaigns too. What it sent stays. False when there is none.
    pub async fn remove_profile(&self, name: &ProfileName) -> Result<bool, StoreError> {
        let name = name.clone();
        let change = move |transaction: &Transaction<'_>| {
            let sender = CampaignSender::Profile(name.clone()).to_string();
            transaction.run(REMOVE_FROM_CAMPAIGNS, params![sender])?;
            Ok(transaction.execute(REMOVE, params![name.as_str()])? > 0)
        };
        self.store.change(point::SAVE_CAMPAIGN, change).await
    }

    /// Lets a profile send again, in each of its campaigns. False when there is none.
    pub async fn unblock_profile(&self, name: &ProfileName, now: Timestamp) -> Result<bool, StoreError> {
        let name = name.clone();
        let change = move |transaction: &Transaction<'_>| {
            let sender = CampaignSender::Profile(name.clone()).to_string();
            transaction.run(UNBLOCK_IN_CAMPAIGNS, params![now.as_micros(), sender])?;
            Ok(transaction.execute(UNBLOCK, params![name.as_str()])? > 0)
        };
        self.store.change(point::SAVE_CAMPAIGN, change).await
    }

    /// Lets a profile send again that was logged out, in each of its campaigns. One that its provider stopped stays as it is.
    pub async fn profile_logged_in(&self, name: &ProfileName, now: Timestamp) -> Result<(), StoreError> {
        let name = name.clone();
        let change = move |transaction: &Transaction<'_>| {
            if transaction.execute(LOGGED_IN, params![name.as_str()])? == 0 {
                return Ok(());
            }
            let sender = CampaignSender::Profile(name.clone()).to_string();
            transaction.run(LOGGED_IN_TO_CAMPAIGNS, params![now.as_micros(), sender])
        };
        self.store.change(point::SAVE_CAMPAIGN, change).await
    }

    /// Keeps who is logged in at a profile; nothing is wrong with it.
    pub async fn saw_profile(&self, name: &ProfileName, user_id: i64) -> Result<(), StoreError> {
        self.store.execute(point::SAVE_CAMPAIGN, SAVE_USER, (user_id, name.to_string())).await.map(drop)
    }

    /// Who is logged in at the profiles, as far as that is known.
    pub async fn people_of_profiles(&self) -> Result<BTreeMap<ProfileName, UserId>, StoreError> {
        let read = |row: &Row<'_>| {
            let columns = Columns::new(row, TABLE);
            Ok(Some(columns.parsed(0)?).zip(columns.maybe_user_id(1)?))
        };
        Ok(self.store.all(PEOPLE, (), read).await?.into_iter().flatten().collect())
    }

    /// Keeps what went wrong with a profile.
    pub async fn profile_went_wrong(
        &self,
        name: &ProfileName,
        error: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let error: String = error.chars().take(LONGEST).collect();
        let row = (error, now.as_micros(), name.to_string());
        self.store.execute(point::SAVE_CAMPAIGN, WENT_WRONG, row).await.map(drop)
    }

    /// Gives a profile another proxy.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another profile has it.
    pub async fn assign_proxy(
        &self,
        name: &ProfileName,
        proxy: Option<String>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let name = name.clone();
        let change = move |transaction: &Transaction<'_>| {
            refuse_shared(transaction, name.as_str(), proxy.as_deref())?;
            transaction.run(SET_PROXY, params![proxy, now.as_micros(), name.as_str()])
        };
        self.store.change(point::SAVE_CAMPAIGN, change).await
    }

    /// Keeps where a picture is, and forgets those that are gone.
    pub async fn add_picture(&self, picture: NewPicture) -> Result<(), StoreError> {
        let change = move |transaction: &Transaction<'_>| {
            let NewPicture { file, profile, attempt, taken_at, oldest } = &picture;
            let attempt = attempt.map(|id| *id.as_uuid().as_bytes());
            transaction.run(ADD_PICTURE, params![file, profile.as_str(), attempt, taken_at.as_micros()])?;
            transaction.run(DROP_PICTURES, params![oldest.as_micros()])
        };
        self.store.change(point::SAVE_CAMPAIGN, change).await
    }

    /// The file of the latest picture of a profile.
    pub async fn picture_of_profile(&self, name: &ProfileName) -> Result<Option<String>, StoreError> {
        self.store.first(PICTURE_OF_PROFILE, [name.to_string()], file).await
    }

    /// The files of the pictures of the attempts from one to another.
    pub async fn pictures_of_attempts(
        &self,
        first: CampaignAttemptId,
        last: CampaignAttemptId,
    ) -> Result<BTreeMap<CampaignAttemptId, String>, StoreError> {
        let ids = [*first.as_uuid().as_bytes(), *last.as_uuid().as_bytes()];
        let pair = |row: &Row<'_>| {
            let columns = Columns::new(row, "campaign_pictures");
            let id = Uuid::from_bytes(columns.get(0)?);
            Ok((CampaignAttemptId::from_uuid(id), columns.get(1)?))
        };
        Ok(self.store.all(PICTURES_OF_ATTEMPTS, ids, pair).await?.into_iter().collect())
    }

    /// How many messages a profile sent since then, or may have.
    pub async fn sent_by_profile(&self, name: &ProfileName, since: Timestamp) -> Result<u64, StoreError> {
        let sender = CampaignSender::Profile(name.clone()).to_string();
        let count = |row: &Row<'_>| Columns::new(row, "campaign_attempts").count(0);
        let sent = self.store.first(SENT_SINCE, (sender, since.as_micros()), count).await?;
        Ok(sent.unwrap_or_default())
    }

    /// The campaigns that a profile sends for, by name.
    pub async fn campaigns_of_profile(&self, name: &ProfileName) -> Result<Vec<CampaignRow>, StoreError> {
        let sender = CampaignSender::Profile(name.clone()).to_string();
        self.store.all(CAMPAIGNS_OF, [sender], rows::campaign).await
    }
}

/// Two profiles behind one proxy are seen as one.
fn refuse_shared(transaction: &Transaction<'_>, name: &str, proxy: Option<&str>) -> Result<(), StoreError> {
    let Some(proxy) = proxy else { return Ok(()) };
    let other = |row: &Row<'_>| Columns::new(row, TABLE).get::<String>(0);
    match transaction.first(OTHER_WITH_PROXY, params![proxy, name], other)? {
        Some(other) => Err(StoreError::conflict(TABLE, format!("the profile {other} has the proxy {proxy}"))),
        None => Ok(()),
    }
}

/// Lets a sender send nothing more, in any campaign.
pub(super) fn stop(
    transaction: &Transaction<'_>,
    sender: &CampaignSender,
    state: SenderState,
    why: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    let (name, code) = (sender.to_string(), codes::of_campaign_sender(state));
    transaction.run(campaigns::BLOCK_SENDER, params![code, why, at.as_micros(), name])?;
    match sender {
        CampaignSender::Profile(_) => transaction.run(STOP, params![code, why, name]),
        CampaignSender::Account(_) => Ok(()),
    }
}

/// The same with the other senders of its person.
pub(super) fn stop_all(
    transaction: &Transaction<'_>,
    sender: &CampaignSender,
    with: &SenderStop,
    at: Timestamp,
) -> Result<(), StoreError> {
    let mut senders = std::iter::once(sender).chain(&with.others);
    senders.try_for_each(|sender| stop(transaction, sender, with.state, &with.why, at))
}

/// Stops a sender that another program had stopped. A profile in which someone is logged in here is not logged out any more.
pub(super) fn take_stop(
    transaction: &Transaction<'_>,
    sender: &CampaignSender,
    state: SenderState,
    why: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    if let (SenderState::LoggedOut, Some(name)) = (state, sender.profile()) {
        let user = |row: &Row<'_>| Columns::new(row, TABLE).get::<Option<i64>>(0);
        if transaction.first(USER, params![name.as_str()], user)?.flatten().is_some() {
            return Ok(());
        }
    }
    stop(transaction, sender, state, why, at)
}

/// How a sender that is added to a campaign is: as its profile, or as its provider left it in another campaign, or its person.
pub(super) fn known_stop(
    transaction: &Transaction<'_>,
    sender: &CampaignSender,
) -> Result<(SenderState, Option<String>), StoreError> {
    let name = sender.to_string();
    let read = |row: &Row<'_>| {
        let columns = Columns::new(row, TABLE);
        let state = columns.coded(0, "state of a sender", codes::campaign_sender)?;
        Ok((state, columns.get::<Option<String>>(1)?))
    };
    let own = match sender {
        CampaignSender::Profile(_) => {
            transaction.first(STATE, params![name], read)?.filter(|(state, _)| *state != SenderState::Active)
        }
        CampaignSender::Account(_) => transaction.first(LATEST_STATE, params![name], read)?.map(|known| {
            let by_provider = known.0 == SenderState::Blocked && known.1.as_deref() != Some(UNKNOWN_ACCOUNT);
            if by_provider { known } else { (SenderState::Active, None) }
        }),
    };
    let known = match own {
        Some(own) => Some(own),
        None => transaction.first(BLOCKED_OF_PERSON, params![name], read)?,
    };
    Ok(known.unwrap_or((SenderState::Active, None)))
}

/// The senders that are browser profiles of a person.
pub(super) fn of_person(transaction: &Transaction<'_>, person: UserId) -> Result<Vec<String>, StoreError> {
    transaction.all(OF_PERSON, params![i64::from(person)], |row| Columns::new(row, TABLE).get(0))
}

fn file(row: &Row<'_>) -> Result<String, StoreError> {
    Columns::new(row, "campaign_pictures").get(0)
}

fn seal(vault: &Vault, new: &NewProfile) -> Result<Sealed, StoreError> {
    vault
        .seal(TABLE, new.name.as_str(), new.record.expose_secret().as_bytes())
        .map_err(|error| StoreError::Unavailable(error.to_string()))
}

fn read(row: &Row<'_>) -> Result<SealedProfile, StoreError> {
    let columns = Columns::new(row, TABLE);
    let error: Option<String> = columns.get(8)?;
    let profile = StoredProfile {
        name: columns.parsed(0)?,
        kind: columns.get(1)?,
        record: String::new().into(),
        proxy: columns.get(3)?,
        proxy_since: columns.time(4)?,
        state: columns.coded(5, "state of a profile", codes::campaign_sender)?,
        why: columns.get(6)?,
        user_id: columns.maybe_user_id(7)?,
        error: error.zip(columns.maybe_time(9)?),
        created_at: columns.time(10)?,
    };
    Ok(SealedProfile { profile, record: columns.get(2)? })
}

fn open(vault: &Vault, sealed: SealedProfile) -> Result<StoredProfile, StoreError> {
    let SealedProfile { profile, record } = sealed;
    let record = opened(vault, TABLE, profile.name.as_str(), &record)?;
    Ok(StoredProfile { record, ..profile })
}

/// A sealed text.
pub(super) fn opened(
    vault: &Vault,
    table: &'static str,
    row: &str,
    sealed: &[u8],
) -> Result<SecretText, StoreError> {
    let broken = |error: String| StoreError::corrupt(table, "a sealed field", row, error);
    let plain = vault.open(table, row, sealed).map_err(|error| broken(error.to_string()))?;
    let plain = String::from_utf8(plain).map_err(|error| broken(error.to_string()))?;
    Ok(plain.into())
}
