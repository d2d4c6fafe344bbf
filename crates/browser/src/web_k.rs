//! The page as an object: it comes to rest, opens a chat, writes a text, presses the button, and looks what became of it.

use std::time::Duration;

use ambient::Clock;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use thiserror::Error;

use crate::order::{Attachment, Incoming, Order, Outcome, Prepared, Target};
use crate::page::{
    Card, Chat, Facts, Held, Opening, Page, PopupKind, Progress, Restriction, Rung, Sending, Settling,
    TextFault, Unread, checked, found_again, is_it, is_open, named, page, progress, ready, same, still_in,
};
use crate::selectors::{self, Needed, css};
use crate::webdriver::{DriverError, ESCAPE, Session};

const FACTS: &str = include_str!("script/facts.js");
const WRITE: &str = include_str!("script/write.js");
const ATTACH: &str = include_str!("script/attach.js");
const MISSING: &str = include_str!("script/missing.js");
const MASK: &str = include_str!("script/mask.js");
const DUMP: &str = include_str!("script/dump.js");
const FORGET_WORKERS: &str = include_str!("script/forget_workers.js");

/// Popups that are closed in a row before the page is given up.
const MOST_POPUPS: usize = 5;

/// The most letters of the HTML of a page.
const LONGEST_DUMP: usize = 1 << 20;

/// Elements that a page has at least when it is not white.
const NOT_WHITE: u32 = 20;

/// How long the page is given for each step.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Until the page is there.
    pub page_load: Duration,
    /// Until a search has found something.
    pub search: Duration,
    /// How long results must stay the same, and how long nothing may come of a text that was taken back.
    pub settle: Duration,
    /// Until a chat that was asked for is open.
    pub open: Duration,
    /// Until a message that was sent off shows, or what holds it back.
    pub send: Duration,
    /// Until the server has it; the client waits out floods of a minute without a word.
    pub answer: Duration,
    /// Between two looks.
    pub look: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            page_load: Duration::from_secs(30),
            search: Duration::from_secs(20),
            settle: Duration::from_millis(1_500),
            open: Duration::from_secs(10),
            send: Duration::from_secs(5),
            answer: Duration::from_secs(90),
            look: Duration::from_millis(500),
        }
    }
}

/// Why nothing was sent.
#[derive(Debug, Error)]
pub enum Failure {
    #[error("no chat has this name")]
    ChatNotFound,
    #[error("the name belongs to another now: {found} in the place of {known}")]
    AnotherPeer {
        /// The id that it had.
        known: i64,
        /// The id that it has.
        found: i64,
    },
    #[error("{0}")]
    Restricted(Restriction),
    #[error("{0}")]
    Text(#[from] TextFault),
    #[error("the field did not take the text")]
    NotTaken,
    #[error("the page did not take the file")]
    FileNotTaken,
    #[error("{}", held(*.0))]
    Held(Held),
    #[error("Telegram refused the message; the page does not say why")]
    Refused,
    #[error("the profile is logged out ({0:?}): its owner logs in again")]
    LoggedOut(Card),
    #[error("the profile asks for its passcode: its owner enters it")]
    Locked,
    #[error("another tab or a newer version keeps the session")]
    Deactivated,
    #[error("the page stays white: start its browser again, and look at its proxy")]
    White,
    #[error("popups come back: {0}")]
    Popups(String),
    /// The page is another than the table knows: nothing is sent until the table is.
    #[error("the page has changed: {} not found (selectors of {})", .0.join(", "), selectors::VERSION)]
    Changed(Vec<String>),
    #[error("the chat did not open")]
    NotOpened,
    #[error(transparent)]
    Driver(#[from] DriverError),
}

fn held(held: Held) -> &'static str {
    match held {
        Held::Popup(PopupKind::Confirmation) => "the page asks before it sends, and is not answered",
        Held::Popup(PopupKind::Premium) => "the page offers Premium in the place of sending",
        Held::Popup(PopupKind::Stars) => "the page wants stars for sending",
        Held::Popup(PopupKind::Media | PopupKind::Other) => {
            "an unknown popup came in the place of the message"
        }
        Held::Silently => "the page keeps the text in its field: slow mode, perhaps",
    }
}

/// What follows from a failure, for the task and its profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// The task is blocked.
    BlockTask,
    /// The profile is blocked; its worker ends.
    BlockProfile,
    /// The task has failed and is not blocked.
    Fail,
    /// The profile waits for its owner.
    NeedsOwner,
    /// Another attempt, later.
    Retry,
}

impl Failure {
    /// What follows from it.
    pub fn consequence(&self) -> Consequence {
        match self {
            Self::ChatNotFound | Self::AnotherPeer { .. } | Self::Text(_) => Consequence::BlockTask,
            Self::Restricted(Restriction::Frozen) => Consequence::BlockProfile,
            Self::Restricted(_) | Self::Held(_) | Self::Refused => Consequence::Fail,
            Self::LoggedOut(_) | Self::Locked => Consequence::NeedsOwner,
            Self::NotTaken
            | Self::FileNotTaken
            | Self::Deactivated
            | Self::White
            | Self::Popups(_)
            | Self::Changed(_)
            | Self::NotOpened
            | Self::Driver(_) => Consequence::Retry,
        }
    }
}

/// Web K in one tab of one browser.
pub struct WebK<'a> {
    session: &'a Session,
    clock: Clock,
    address: String,
    limits: Limits,
    table: Value,
}

impl<'a> WebK<'a> {
    /// Takes the tab that shows the address, or the first one. One tab of a profile has the session: a second one would take it.
    pub async fn attach(
        session: &'a Session,
        address: &str,
        clock: Clock,
        limits: Limits,
    ) -> Result<Self, DriverError> {
        session.set_limits(limits.page_load).await?;
        let tabs = session.tabs().await?;
        for tab in &tabs {
            session.switch_to(tab).await?;
            if session.address().await?.starts_with(address) {
                break;
            }
        }
        let table = selectors::table();
        let web_k = Self { session, clock, address: address.to_owned(), limits, table };
        if !session.address().await?.starts_with(address) {
            if let Some(first) = tabs.first() {
                session.switch_to(first).await?;
            }
            web_k.load(address).await?;
        }
        Ok(web_k)
    }

    /// Comes to the list of chats, over a page that stays white, popups and other tabs, and tests the selectors. Nothing is sent
    /// before this has said that all is well.
    pub async fn arrive(&self) -> Result<i64, Failure> {
        let mut facts = self.settled().await?;
        let mut rung = Some(Rung::FIRST);
        let mut taken_back = false;
        let user = loop {
            match page(&facts) {
                Page::LoggedIn => match facts.user_id {
                    Some(user) => break user,
                    None => return Err(Failure::Locked),
                },
                Page::LoggedOut(card) => return Err(Failure::LoggedOut(card)),
                Page::Locked => return Err(Failure::Locked),
                Page::Deactivated if taken_back => return Err(Failure::Deactivated),
                Page::Deactivated => {
                    taken_back = true;
                    self.session.reload().await?;
                }
                Page::Blank => {
                    if facts.nodes >= NOT_WHITE && facts.address.starts_with(&self.address) {
                        self.all_there(Needed::InTheList).await?;
                    }
                    let now = rung.ok_or(Failure::White)?;
                    self.climb(now).await?;
                    rung = now.next();
                }
            }
            facts = self.settled().await?;
        };
        self.close_popups().await?;
        self.all_there(Needed::InTheList).await?;
        // The account's own chat: each account has it, and no one learns anything from a look at it.
        match self.open_by_address(&format!("#{user}"), Opening::Peer(user)).await {
            Err(Failure::NotOpened) => {
                self.all_there(Needed::InAChat).await?;
                return Err(Failure::NotOpened);
            }
            opened => opened?,
        };
        self.all_there(Needed::InAChat).await?;
        Ok(user)
    }

    /// Loads the page again, whatever it shows, and arrives.
    pub async fn start_over(&self) -> Result<i64, Failure> {
        self.session.go("about:blank").await?;
        self.load(&self.address).await?;
        self.arrive().await
    }

    /// Opens a chat and returns whose it is; nothing is written there.
    pub async fn find(&self, target: &Target, known: Option<i64>) -> Result<i64, Failure> {
        self.close_popups().await?;
        self.open(target, known).await
    }

    /// Opens the chat, tests whether the account may write there, and writes the text into its field, or hands it the file.
    pub async fn prepare(&self, order: &Order) -> Result<Prepared, Failure> {
        let text = match &order.file {
            Some(_) if order.text.trim().is_empty() => String::new(),
            _ => checked(&order.text)?,
        };
        self.close_popups().await?;
        let peer = self.open(&order.target, order.known).await?;
        let chat = self.may_write(peer).await?;
        if let Some(file) = &order.file {
            // A draft would become the caption.
            self.write("").await?;
            self.attach_file(file, &text).await?;
            let before = chat.own.into_iter().map(|message| message.mid).collect();
            return Ok(Prepared { peer, text, media: true, before });
        }
        self.write(&text).await?;
        // What a chat demands arrives late: once more, just before the click.
        let chat = self.may_write(peer).await?;
        if !same(&chat.typed, &text) || !chat.sends {
            self.write("").await?;
            return Err(Failure::NotTaken);
        }
        let before = chat.own.into_iter().map(|message| message.mid).collect();
        Ok(Prepared { peer, text, media: false, before })
    }

    /// Takes the text out of the field again, and the file back, when it is not to be sent after all.
    pub async fn take_back(&self) -> Result<(), Failure> {
        self.close_popups().await?;
        Ok(self.write("").await?)
    }

    /// Hands a file to the open chat, which shows it in a popup, and writes its caption there.
    async fn attach_file(&self, file: &Attachment, caption: &str) -> Result<(), Failure> {
        let content = STANDARD.encode(&file.content);
        let given = json!([css("chat"), css("chat_field"), content, file.name, file.mime]);
        if !self.session.run::<bool>(ATTACH, &given).await? {
            return Err(Failure::NotOpened);
        }
        let started = self.clock.running();
        let mut written = false;
        loop {
            let facts = self.facts().await?;
            still_in(&facts)?;
            if let Some(other) = facts.popup.filter(|popup| popup.kind != PopupKind::Media) {
                self.close_popups().await?;
                return Err(Failure::Held(Held::Popup(other.kind)));
            }
            if let Some(preview) = facts.preview.filter(|preview| preview.items == 1 && preview.sends) {
                if same(&preview.typed, caption) {
                    return Ok(());
                }
                if !written {
                    let place = json!([css("popup_media"), css("media_caption"), caption]);
                    written = self.session.run::<bool>(WRITE, &place).await?;
                }
            }
            if self.clock.running().saturating_sub(started) >= self.limits.open {
                self.close_popups().await?;
                return Err(Failure::FileNotTaken);
            }
            self.clock.sleep(self.limits.look).await;
        }
    }

    /// Presses the button and follows the message to its end.
    pub async fn send(&self, prepared: &Prepared) -> Outcome {
        let (name, place) =
            if prepared.media { ("media_send", "popup_media") } else { ("chat_send", "chat") };
        let button = format!("{} {}", css(place), css(name));
        match self.session.press(name, &button).await {
            Ok(()) => {}
            // These are said before the button was touched.
            Err(error @ (DriverError::NoElement(_) | DriverError::NotPressable(_))) => {
                return Outcome::Failed(error.into());
            }
            Err(_) => return Outcome::Unknown,
        }
        let progress = self.follow(prepared).await;
        let held = match progress {
            Progress::Sent { message_id, at } => return Outcome::Sent { message_id, at },
            Progress::Refused => return Outcome::Failed(Failure::Refused),
            Progress::Waiting | Progress::Unknown => return Outcome::Unknown,
            Progress::Held(held) => held,
        };
        // The text is taken back, so that nothing can send it later. A bubble that comes all the same counts.
        let taken_back = async {
            self.close_popups().await?;
            self.write("").await?;
            let typed = self.facts().await?.chat.map(|chat| chat.typed);
            Ok::<_, Failure>(typed.is_some_and(|typed| typed.trim().is_empty()))
        };
        if !matches!(taken_back.await, Ok(true)) {
            return Outcome::Unknown;
        }
        match self.nothing_came(prepared).await {
            Ok(true) => Outcome::Failed(Failure::Held(held)),
            Ok(false) | Err(_) => Outcome::Unknown,
        }
    }

    /// Looks for an own message with this text since then, or a file with this caption: what an unknown outcome, or a restart, is
    /// settled by.
    pub async fn look_for(
        &self,
        peer: i64,
        content: (&str, bool),
        since: i64,
    ) -> Result<Option<(i64, Option<i64>)>, Failure> {
        self.close_popups().await?;
        self.open(&Target::Peer(peer), None).await?;
        let started = self.clock.running();
        loop {
            let facts = self.facts().await?;
            if facts.chat.as_ref().is_some_and(|chat| chat.below) {
                self.go_down().await;
            }
            let found = found_again(&facts, peer, content, since);
            if found.is_some() || self.clock.running().saturating_sub(started) >= self.limits.send {
                return Ok(found);
            }
            self.clock.sleep(self.limits.look).await;
        }
    }

    /// What others have written in a chat, as far as one screen shows it.
    pub async fn incoming(&self, peer: i64) -> Result<Vec<Incoming>, Failure> {
        self.close_popups().await?;
        self.open(&Target::Peer(peer), None).await?;
        let chat = self.facts().await?.chat.ok_or(Failure::NotOpened)?;
        let read = chat.incoming.into_iter().filter(|message| message.peer == Some(peer));
        Ok(read
            .filter_map(|message| {
                Some(Incoming { message_id: message.mid.server()?, at: message.at, text: message.text })
            })
            .collect())
    }

    /// The people whose chats in the list have messages that were not read.
    pub async fn unread(&self) -> Result<Vec<Unread>, DriverError> {
        let mut unread = self.facts().await?.unread;
        unread.retain(|chat| chat.peer > 0);
        Ok(unread)
    }

    /// A picture of the page as PNG, without the codes that let someone in and without what others are called and write.
    pub async fn picture(&self) -> Result<Vec<u8>, DriverError> {
        self.session.run::<Value>(MASK, &json!([selectors::MASKED])).await?;
        let taken = self.session.picture().await;
        self.session.run::<Value>(MASK, &json!([null])).await?;
        taken
    }

    /// The page as HTML, without what the picture hides, what fields have, scripts and addresses.
    pub async fn html(&self) -> Result<String, DriverError> {
        self.session.run(DUMP, &json!([selectors::MASKED, LONGEST_DUMP])).await
    }

    /// A picture of the code alone with which the owner logs in; scanning it logs in as the owner.
    pub async fn code(&self) -> Result<Vec<u8>, DriverError> {
        self.session.picture_of("auth_code", css("auth_code")).await
    }

    /// Whether the server reported something after a message was sent, a limit or a warning: it is not pressed away.
    pub async fn notice(&self) -> Result<bool, DriverError> {
        let popup = self.facts().await?.popup;
        Ok(popup.is_some_and(|popup| popup.kind == PopupKind::Confirmation))
    }

    /// The page as it is now.
    pub async fn facts(&self) -> Result<Facts, DriverError> {
        self.session.run(FACTS, &json!([self.table])).await
    }

    /// Loads the page. That it is slow is no error: what is there is looked at afterwards.
    async fn load(&self, address: &str) -> Result<(), DriverError> {
        match self.session.go(address).await {
            Err(DriverError::Refused { error, .. }) if error == "timeout" => Ok(()),
            other => other,
        }
    }

    /// The page once it is no longer blank, or after its time.
    async fn settled(&self) -> Result<Facts, DriverError> {
        let started = self.clock.running();
        loop {
            let facts = self.facts().await?;
            let over = self.clock.running().saturating_sub(started) >= self.limits.page_load;
            if page(&facts) != Page::Blank || over {
                return Ok(facts);
            }
            self.clock.sleep(self.limits.look).await;
        }
    }

    async fn climb(&self, rung: Rung) -> Result<(), DriverError> {
        tracing::warn!(?rung, "the page of Web K stays white");
        match rung {
            Rung::Reload => {}
            Rung::Leave => self.session.go("about:blank").await?,
            Rung::ForgetWorkers => {
                self.session.run::<Value>(FORGET_WORKERS, &json!([])).await?;
            }
        }
        self.load(&self.address).await?;
        // The same address again loads nothing.
        if rung == Rung::Leave { Ok(()) } else { self.session.reload().await }
    }

    async fn all_there(&self, place: Needed) -> Result<(), Failure> {
        let wanted: Vec<_> =
            selectors::needed(place).into_iter().map(|one| json!([one.name, one.css])).collect();
        let chat = (place == Needed::InAChat).then(|| css("chat"));
        let missing: Vec<String> = self.session.run(MISSING, &json!([wanted, chat])).await?;
        if missing.is_empty() { Ok(()) } else { Err(Failure::Changed(missing)) }
    }

    /// Closes what covers the page. No button of a popup is ever pressed.
    async fn close_popups(&self) -> Result<(), Failure> {
        for _ in 0..MOST_POPUPS {
            let facts = self.facts().await?;
            let Some(popup) = facts.popup else { return still_in(&facts) };
            if facts.deactivated {
                return Err(Failure::Deactivated);
            }
            tracing::warn!(kind = ?popup.kind, title = popup.title, "a popup of Web K is closed");
            let close = format!("{} {}", css("popup"), css("popup_close"));
            if self.session.press("popup_close", &close).await.is_err() {
                self.session.key(ESCAPE).await?;
            }
            self.clock.sleep(self.limits.look).await;
        }
        let popup = self.facts().await?.popup;
        popup.map_or(Ok(()), |popup| Err(Failure::Popups(popup.title)))
    }

    async fn open(&self, target: &Target, known: Option<i64>) -> Result<i64, Failure> {
        let found = match target {
            Target::Peer(peer) => self.open_by_address(&format!("#{peer}"), Opening::Peer(*peer)).await?,
            Target::Name(name) => match self.open_by_search(name).await? {
                Some(peer) => peer,
                None => self.open_by_name(name).await?,
            },
        };
        match known {
            Some(known) if known != found => Err(Failure::AnotherPeer { known, found }),
            _ => Ok(found),
        }
    }

    /// Searches for a name and opens the row that has exactly it; none if no row has.
    async fn open_by_search(&self, name: &str) -> Result<Option<i64>, Failure> {
        let field = css("search_input");
        self.press("search_input", field).await?;
        self.session.run::<Value>(WRITE, &json!([null, field, format!("@{name}")])).await?;
        let (started, mut settling) = (self.clock.running(), Settling::default());
        let peer = loop {
            let facts = self.facts().await?;
            still_in(&facts)?;
            let now = self.clock.running();
            let settled = settling.observe(now, &facts.rows, self.limits.settle);
            if let Some(row) = named(&facts.rows, name)
                && row.shown
            {
                break Some(row.peer);
            }
            if settled || now.saturating_sub(started) >= self.limits.search {
                break None;
            }
            self.clock.sleep(self.limits.look).await;
        };
        let opened = match peer {
            None => None,
            Some(peer) => {
                // Of two rows of one chat the first is as good as the second; adverts are no rows.
                let row = css("search_rows").replace("[data-peer-id]", &format!("[data-peer-id=\"{peer}\"]"));
                let row = format!("{row}:not({})", css("row_sponsored"));
                self.press("search_rows", &row).await?;
                Some(self.until_open(Opening::Peer(peer)).await?)
            }
        };
        self.session.run::<Value>(WRITE, &json!([null, field, ""])).await?;
        Ok(opened)
    }

    /// Opens the chat that the client itself finds under a name. No change means that there is none.
    async fn open_by_name(&self, name: &str) -> Result<i64, Failure> {
        // The account's own chat first: whatever opens then is new.
        let user = self.facts().await?.user_id.ok_or(Failure::Locked)?;
        self.open_by_address(&format!("#{user}"), Opening::Peer(user)).await?;
        let opened =
            self.open_by_address(&format!("#@{name}"), Opening::Name { name, before: Some(user) }).await;
        match opened {
            Err(Failure::NotOpened) => Err(Failure::ChatNotFound),
            other => other,
        }
    }

    /// Presses what may be covered for a moment: the card of the login fades, results are drawn again.
    async fn press(&self, name: &'static str, css: &str) -> Result<(), DriverError> {
        let started = self.clock.running();
        loop {
            match self.session.press(name, css).await {
                Err(DriverError::NotPressable(_) | DriverError::NoElement(_))
                    if self.clock.running().saturating_sub(started) < self.limits.open => {}
                ended => return ended,
            }
            self.clock.sleep(self.limits.look).await;
        }
    }

    /// Changes the fragment of the address alone: nothing is loaded again.
    async fn open_by_address(&self, fragment: &str, opening: Opening<'_>) -> Result<i64, Failure> {
        let facts = self.facts().await?;
        if let Some(open) = is_open(opening, &facts) {
            return Ok(open);
        }
        let address = format!("{}{fragment}", self.address);
        if facts.address == address {
            // The same fragment again would say nothing to the page.
            self.session.go("about:blank").await?;
        }
        self.load(&address).await?;
        self.until_open(opening).await
    }

    async fn until_open(&self, opening: Opening<'_>) -> Result<i64, Failure> {
        let started = self.clock.running();
        loop {
            let facts = self.facts().await?;
            if let Some(peer) = is_open(opening, &facts) {
                return Ok(peer);
            }
            if self.clock.running().saturating_sub(started) >= self.limits.open {
                still_in(&facts)?;
                return Err(Failure::NotOpened);
            }
            self.clock.sleep(self.limits.look).await;
        }
    }

    async fn may_write(&self, peer: i64) -> Result<Chat, Failure> {
        let chat = ready(self.facts().await?, peer)?;
        if chat.below {
            self.go_down().await;
        }
        Ok(chat)
    }

    /// Goes to the newest messages, where those of ours appear. If the button has gone meanwhile, they are there.
    async fn go_down(&self) {
        let button = format!("{} {}", css("chat"), css("chat_go_down"));
        if let Err(error) = self.session.press("chat_go_down", &button).await {
            tracing::debug!(%error, "the button to the newest messages cannot be pressed");
        }
    }

    /// Replaces what is in the field of the open chat, a draft for example, by a text.
    async fn write(&self, text: &str) -> Result<(), DriverError> {
        self.session.run::<bool>(WRITE, &json!([css("chat"), css("chat_field"), text])).await.map(drop)
    }

    fn sending<'b>(&self, prepared: &'b Prepared) -> Sending<'b> {
        Sending {
            peer: prepared.peer,
            text: &prepared.text,
            media: prepared.media,
            before: &prepared.before,
            bubble_within: self.limits.send,
            answer_within: self.limits.answer,
        }
    }

    async fn follow(&self, prepared: &Prepared) -> Progress {
        let (sending, started) = (self.sending(prepared), self.clock.running());
        loop {
            let elapsed = self.clock.running().saturating_sub(started);
            let Ok(facts) = self.facts().await else { return Progress::Unknown };
            if facts.chat.as_ref().is_some_and(|chat| chat.below) {
                self.go_down().await;
            }
            match progress(&sending, &facts, elapsed) {
                Progress::Waiting => self.clock.sleep(self.limits.look).await,
                ended => return ended,
            }
        }
    }

    /// Whether no bubble has come although the text was taken back.
    async fn nothing_came(&self, prepared: &Prepared) -> Result<bool, DriverError> {
        let started = self.clock.running();
        loop {
            let facts = self.facts().await?;
            let ours = |chat: &Chat| {
                chat.own
                    .iter()
                    .filter(|one| !prepared.before.contains(&one.mid))
                    .any(|one| is_it(one, &prepared.text, prepared.media))
            };
            match facts.chat.as_ref().filter(|chat| chat.title_peer == Some(prepared.peer)) {
                Some(chat) if !ours(chat) => {}
                Some(_) | None => return Ok(false),
            }
            if self.clock.running().saturating_sub(started) >= self.limits.settle {
                return Ok(true);
            }
            self.clock.sleep(self.limits.look).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_a_search_and_a_text_have_their_usual_time() {
        let limits = Limits::default();
        let seconds = [limits.page_load, limits.search, limits.send].map(|limit| limit.as_secs());
        assert_eq!(seconds, [30, 20, 5]);
    }
}
