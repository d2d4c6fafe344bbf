//! The campaign of the demo world: two accounts, a browser profile and thirty customers, ready to be started, over within half a
//! minute.

use std::time::Duration;

use ambient::Clock;
use campaigns::{CampaignSettings, Campaigns, LogIn, ProfileError, ProfileLocation};
use domain::text::ParseMode;
use domain::{AccountName, CampaignSender, ChatRef, ProfileName, Timestamp};
use sandbox::telegram::Telegram;
use store::{CampaignRow, NewCampaignMessage, NewCampaignTask, NewProfile, Store};
use tokio_util::sync::CancellationToken;

const NAME: &str = "spring";
const CHATS: usize = 30;
const SENDERS: [&str; 2] = ["backup_1", "backup_2"];
/// The browser profile, and the account whose owner logs in there.
const PROFILE: &str = "shop";
const OWNER: &str = "backup_3";
/// How often the window of the profile is looked at, and how many times.
const LOOK: Duration = Duration::from_millis(500);
const LOOKS: u32 = 120;
const TEXTS: [&str; 2] = [
    "Hello {name}! Until Sunday a new battery is half the price. Write stop if you want no such messages.",
    "Здравствуйте, {name}! До воскресенья замена аккумулятора вдвое дешевле. Не нужно таких сообщений — напишите стоп.",
];

/// Adds it, unless it is there.
pub(crate) async fn add(store: &Store, now: Timestamp) -> anyhow::Result<()> {
    let settings = CampaignSettings { delay_seconds: 2, ..CampaignSettings::default() };
    let row = CampaignRow {
        name: NAME.to_owned(),
        title: NAME.to_owned(),
        settings: serde_json::to_string(&settings)?,
        created_at: now,
    };
    let campaigns = store.campaigns();
    if !campaigns.add(row).await? {
        return Ok(());
    }
    let senders = SENDERS.map(|name| name.parse::<AccountName>().map(CampaignSender::Account));
    campaigns.add_senders(NAME, senders.into_iter().collect::<Result<_, _>>()?, now).await?;
    let messages = TEXTS.map(|text| NewCampaignMessage {
        text: text.to_owned(),
        parse_mode: ParseMode::None,
        weight: 1,
        is_active: true,
        media: Vec::new(),
    });
    campaigns.add_messages(NAME, messages.to_vec(), false).await?;
    let task = |(username, name): (String, &str)| {
        let chat: ChatRef = format!("@{username}").parse()?;
        anyhow::Ok(NewCampaignTask { chat, variables: [("name".to_owned(), name.to_owned())].into() })
    };
    let tasks = sandbox::telegram::clients().take(CHATS).map(task).collect::<Result<_, _>>()?;
    campaigns.add_tasks(NAME, tasks).await?;
    let (place, name) = (ProfileLocation::Chromium, PROFILE.parse()?);
    let record = serde_json::to_string(&place)?.into();
    campaigns
        .put_profile(NewProfile { name, kind: place.kind().to_string(), record, proxy: None, now })
        .await?;
    Ok(())
}

/// Logs its profile in at the pretend page and lets it send for the campaign. What keeps it from that, such as a program that is
/// not installed, is shown on the profile's page.
pub(crate) async fn log_in(
    store: &Store,
    campaigns: &Campaigns,
    (world, clock): (&Telegram, &Clock),
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let name: ProfileName = PROFILE.parse()?;
    let kept = store.campaigns();
    if kept.profile(&name).await?.is_none() || kept.get(NAME).await?.is_none() {
        return Ok(());
    }
    for _ in 0..LOOKS {
        match campaigns.log_in(&name).await {
            Ok(LogIn::Done(_)) => {
                kept.add_senders(NAME, vec![CampaignSender::Profile(name)], clock.now()).await?;
                return Ok(());
            }
            Ok(LogIn::Code(_)) => {
                // A code that has expired meanwhile is followed by another.
                let _ = world
                    .log_in_to_web_k(&sandbox::telegram::LogIn { account: OWNER.to_owned(), code: None });
            }
            Ok(LogIn::Requested(_) | LogIn::Loading) => {}
            Err(ProfileError::NotOpened(why)) => {
                kept.profile_went_wrong(&name, &why, clock.now()).await?;
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
        tokio::select! {
            () = clock.sleep(LOOK) => {}
            () = stop.cancelled() => break,
        }
    }
    // That closes the browser.
    campaigns.check_profile(&name).await?;
    Ok(())
}
