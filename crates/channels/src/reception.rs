//! What comes in: providers post it or are asked for it, and it is kept before anyone is answered.

mod refused_forms;

use std::sync::Arc;
use std::time::Duration;

use ambient::Ids;
use config::{ForwardFormat, MediaRule, ReceiveBy};
use delivery::Delivery;
use domain::event::AccountEvent;
use domain::secret::ExposeSecret;
use domain::{
    AccountName, AccountState, ChannelChat, ChannelName, ExternalChat, InboundChange, InboundEvent,
    InboundReceipt, ProviderId, Timestamp, Unread,
};
use store::{ChannelTaken, Receipt, ReceiptState, Store, StoreError, Switch, TakenFromChannel};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::accounts::{Account, AccountStatus, Channels, ReceivesBy};
use crate::arrival::{CatchUp, Prover};
use crate::error::CallError;
use crate::health::{WebhookObservation, WebhookState};
use crate::login::LogInAnswer;
use crate::posting::Registered;
use crate::provider::{Hook, HookAnswer, HookPost, HookRefusal};
use crate::received_files::{self, ReceivedFiles};
use crate::setup::is_same;

/// What names and links may take while a provider waits for its answer: the shortest wait of one is two seconds.
const COMPLETE: Duration = Duration::from_millis(1_200);
/// How long after a message of the account is looked again whether this program sent it.
const SETTLE: Duration = Duration::from_secs(1);
/// Between two polls that brought nothing and do not wait by themselves.
const IDLE: Duration = Duration::from_secs(5);
/// The first wait after a poll that failed; it doubles up to the longest.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// Between two looks whether an account is well.
const CHECK: Duration = Duration::from_mins(1);
/// Between two looks whether posts arrive.
const LOOK: Duration = Duration::from_secs(20);
/// The most chats whose histories are read one by one.
const MOST_CHATS: u32 = 200;
/// From a look that found a loss to the one that confirms it.
const CONFIRM: Duration = Duration::from_secs(2);

/// Why a request to a registered address is not taken.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// There is no such address: the channel, the account or the secret is another.
    #[error("there is no such address")]
    NoSuchAddress,
    /// The provider's own check failed.
    #[error(transparent)]
    Refused(#[from] HookRefusal),
    /// It cannot be kept now; the provider is to say it again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Has the first message of a post carry all of it, and the others nothing: the post is handed on once.
fn keep_whole(events: &mut [InboundEvent], body: &[u8]) {
    let mut whole = std::str::from_utf8(body).ok().map(str::to_owned);
    for event in events {
        if let InboundChange::Message(message) = &mut event.change {
            message.raw = whole.take();
        }
    }
}

/// A request to a registered address that was taken.
#[derive(Debug, Clone)]
pub struct TakenHook {
    /// The answer that the provider wants.
    pub answer: HookAnswer,
    /// The provider's id of the first message that it reported.
    pub message_id: Option<String>,
    /// Whether messages of the account are posted on to another program.
    pub forwarded: bool,
}

/// Takes what comes in through channels. Cheap to clone.
#[derive(Clone)]
pub struct Reception {
    channels: Channels,
    store: Store,
    delivery: Delivery,
    pub(crate) public_url: Option<String>,
    files: Option<ReceivedFiles>,
    /// Proves that posts arrive; without it, what providers say is believed.
    pub(crate) prover: Option<Arc<Prover>>,
    ids: Ids,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Reception {
    /// For these accounts; nothing is asked before [`Reception::start`].
    pub fn new(channels: Channels, store: Store, delivery: Delivery, public_url: Option<String>) -> Self {
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let public_url = public_url.map(|url| url.trim_end_matches('/').to_owned());
        let ids = Ids::new(channels.clock().clone());
        Self { channels, store, delivery, public_url, files: None, prover: None, ids, stop, tasks }
    }

    /// The same, with a place for the files of messages.
    #[must_use]
    pub fn with_files(self, files: ReceivedFiles) -> Self {
        Self { files: Some(files), ..self }
    }

    /// The files of messages that came in; none without a place for them.
    pub const fn files(&self) -> Option<&ReceivedFiles> {
        self.files.as_ref()
    }

    /// The place for the files of an account's messages, if it stores them.
    fn files_of(&self, account: &Account) -> Option<&ReceivedFiles> {
        self.files.as_ref().filter(|_| account.fields.media == MediaRule::Store)
    }

    /// The accounts.
    pub const fn channels(&self) -> &Channels {
        &self.channels
    }

    /// The address to which a browser comes back from the log-in at a provider; none without `public_url`.
    pub fn log_in_url(&self, channel: &ChannelName) -> Option<String> {
        self.public_url.as_ref().map(|url| format!("{url}/oauth/{channel}/callback"))
    }

    /// Takes what a browser brought back from the log-in at a provider; the account that is logged in by it.
    ///
    /// # Errors
    /// It is not the answer to a link of ours, or the provider refuses it, or no answer came.
    pub async fn finish_log_in(
        &self,
        channel: &ChannelName,
        answer: LogInAnswer,
    ) -> Result<AccountName, CallError> {
        let name = answer.state.split('.').next().and_then(|name| name.parse::<AccountName>().ok());
        let account =
            name.and_then(|name| self.channels.get(&name)).filter(|found| found.channel == *channel);
        let wrong = || CallError::refused("wrong_state", "this is no link of an account here");
        let account = account.ok_or_else(wrong)?;
        let back = self.log_in_url(channel).ok_or_else(wrong)?;
        account.provider.finish_log_in(&answer, &back).await?;
        self.check_now(account).await;
        Ok(account.name().clone())
    }

    /// Begins to look after every account: whether it is well, what came in where it is asked for, and that its token is renewed.
    pub fn start(&self) {
        for account in self.channels.all() {
            self.store_files(account);
            let (reception, account) = (self.clone(), Arc::clone(account));
            self.tasks.spawn(async move {
                let stop = reception.stop.clone();
                tokio::select! {
                    () = stop.cancelled() => {}
                    ((), (), ()) = futures::future::join3(
                        reception.check(&account),
                        reception.ask(&account),
                        reception.keep_token(&account),
                    ) => {}
                }
            });
        }
        self.tasks.close();
    }

    /// Begins to fetch the files of an account's messages, if it stores them.
    fn store_files(&self, account: &Arc<Account>) {
        let Some(files) = self.files_of(account) else { return };
        for _ in 0..received_files::AT_ONCE {
            let (files, account, stop) = (files.clone(), Arc::clone(account), self.stop.clone());
            self.tasks.spawn(async move { stop.run_until_cancelled(files.run(&account)).await });
        }
    }

    /// Ends all that [`Reception::start`] began, within so long.
    pub async fn stop(&self, limit: Duration) {
        self.stop.cancel();
        self.tasks.close();
        if self.channels.clock().timeout(limit, self.tasks.wait()).await.is_err() {
            tracing::warn!("calls to providers of channels did not end in time");
        }
        for account in self.channels.all() {
            self.keep_health(account).await;
        }
    }

    /// Takes a request to a registered address. What it says is on disk when this returns.
    ///
    /// # Errors
    /// It is not the provider's, or cannot be kept.
    pub async fn hook(
        &self,
        channel: &ChannelName,
        account: &AccountName,
        secret: &str,
        mut post: HookPost,
    ) -> Result<HookAnswer, HookError> {
        let found = self.channels.get(account).filter(|found| found.channel == *channel);
        let account = Arc::clone(found.ok_or(HookError::NoSuchAddress)?);
        if !is_same(account.hook_secret().expose_secret().as_bytes(), secret.as_bytes()) {
            return Err(HookError::NoSuchAddress);
        }
        if self.is_proof(&post) {
            return Ok(HookAnswer::default());
        }
        let is_post = post.method == "POST";
        let taken = if account.provider.shares_hook() && is_post {
            self.take_shared(&account, &post).await
        } else {
            self.take_post(&account, &mut post).await.map(|taken| taken.answer)
        };
        if is_post && matches!(taken, Err(HookError::Refused(HookRefusal::NotGenuine))) {
            let now = self.channels.clock().now();
            account.change(|status| status.health.refusals.note(&post.body, now));
        }
        taken.or_else(|error| self.answer_unread(&account, &post, error))
    }

    /// Takes a request to the old server's address of a channel, which has no secret; only where the settings of an account allow it,
    /// of one that is named if any is.
    ///
    /// # Errors
    /// As [`Reception::hook`].
    pub async fn old_hook(
        &self,
        channel: &ChannelName,
        name: Option<&AccountName>,
        post: HookPost,
    ) -> Result<TakenHook, HookError> {
        let (mut refused, mut refused_by) = (HookError::NoSuchAddress, None);
        let allowing: Vec<_> = self
            .channels
            .of(channel)
            .filter(|account| account.fields.old_hook && name.is_none_or(|name| account.name() == name))
            .cloned()
            .collect();
        if self.is_proof(&post) && !allowing.is_empty() {
            return Ok(TakenHook { answer: HookAnswer::default(), message_id: None, forwarded: false });
        }
        for account in allowing {
            // The address stays the one that was called: by it the account knows that it has no secret.
            match self.read_post(&account, &post).await {
                // It may be for one that does not know its own id yet.
                Err(HookError::Refused(_))
                    if matches!(refused, HookError::Refused(HookRefusal::NotYet(_))) => {}
                Err(HookError::Refused(why)) => (refused, refused_by) = (why.into(), Some(account)),
                taken => return taken,
            }
        }
        let Some(account) = refused_by else { return Err(refused) };
        let answer = self.answer_unread(&account, &post, refused)?;
        Ok(TakenHook { answer, message_id: None, forwarded: false })
    }

    /// Takes a request for an account that was let in by something else than the secret of its address.
    ///
    /// # Errors
    /// As [`Reception::hook`].
    pub async fn let_in(&self, account: &Arc<Account>, mut post: HookPost) -> Result<TakenHook, HookError> {
        self.take_post(account, &mut post).await
    }

    pub(crate) async fn take_post(
        &self,
        account: &Arc<Account>,
        post: &mut HookPost,
    ) -> Result<TakenHook, HookError> {
        if let Some(url) = self.hook_url(account) {
            let query = if post.query.is_empty() { String::new() } else { format!("?{}", post.query) };
            post.url = format!("{url}{query}");
        }
        let taken = self.read_post(account, post).await;
        match &taken {
            Ok(_) => self.settle_form(account, post).await,
            Err(HookError::Refused(HookRefusal::Unreadable(why))) => self.keep_form(account, post, why).await,
            Err(_) => {}
        }
        taken
    }

    async fn read_post(&self, account: &Arc<Account>, post: &HookPost) -> Result<TakenHook, HookError> {
        let clock = self.channels.clock();
        let began = clock.running();
        let looking = account.provider.look_up(post);
        // Without an answer the post is refused until later.
        let _ = clock.timeout(COMPLETE, looking).await;
        let Hook { events, answer } = account.provider.hook(post)?;
        let now = self.channels.clock().now();
        account.change(|status| {
            status.health.last_post_at = Some(now);
            status.health.posted_to = Some(self.address_id(account));
            status.is_unproved = false;
            // A handshake has no signature.
            if post.method == "POST" {
                status.health.refusals.forget();
            }
        });
        let message_id = events.iter().find_map(|event| match &event.change {
            InboundChange::Message(message) => Some(message.external_id.clone()),
            _ => None,
        });
        let completing = account.provider.complete(events.clone());
        let left = COMPLETE.saturating_sub(clock.running().saturating_sub(began));
        let completed = clock.timeout(left, completing).await;
        let mut events = crate::unread::all_of_post(completed.unwrap_or(events), post);
        if account.fields.forward_format == ForwardFormat::Raw {
            keep_whole(&mut events, &post.body);
        }
        self.take(account, events, None).await?;
        let forwarded = account.fields.forward_to.is_some();
        Ok(TakenHook { answer, message_id, forwarded })
    }

    /// Keeps what a provider reported, and where asking it goes on.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn take(
        &self,
        account: &Arc<Account>,
        events: Vec<InboundEvent>,
        cursor: Option<String>,
    ) -> Result<(), StoreError> {
        let now = self.channels.clock().now();
        let mut events: Vec<_> = events.into_iter().map(InboundEvent::without_empty_message).collect();
        for event in &mut events {
            if event.correct_time(now) {
                self.note_unread(account, &Unread::new("a time that no clock can have said", false));
            }
        }
        events.retain(|event| match &event.change {
            InboundChange::Unread(unread) => {
                self.note_unread(account, unread);
                false
            }
            _ => true,
        });
        for event in &events {
            match &event.change {
                InboundChange::Receipt { external_id, receipt, at } => {
                    self.receipt(account, external_id, receipt, *at).await?;
                }
                InboundChange::ReadUpTo { chat, at } => self.read_up_to(account, chat, *at).await?,
                InboundChange::SignedIn(is_in) => {
                    let error = CallError::Token("the account is signed out at its provider".to_owned());
                    let result = if *is_in { Ok(()) } else { Err(&error) };
                    account.note(result, self.channels.clock().now());
                    self.channels.touch();
                }
                InboundChange::Message(_)
                | InboundChange::Edited { .. }
                | InboundChange::Deleted { .. }
                | InboundChange::Reacted { .. }
                | InboundChange::Reachable { .. }
                | InboundChange::Unread(_) => {}
            }
        }
        let (channel, name) = (account.channel.clone(), account.name().clone());
        let stores_files = self.files_of(account).is_some();
        let taken = TakenFromChannel { channel, account: name, events, cursor, stores_files };
        let taken = self.store.channels().take(taken).await?;
        for raw in &taken.conflicts {
            let unread = Unread::new("another message with the id of a known one", false);
            self.note_unread(account, &Unread { raw: raw.clone(), ..unread });
        }
        self.wake_files(&taken);
        if taken.unsettled > 0 {
            let (reception, account) = (self.clone(), Arc::clone(account));
            self.tasks.spawn(async move { reception.settle(&account).await });
        }
        Ok(())
    }

    fn wake_files(&self, taken: &ChannelTaken) {
        if let Some(files) = self.files.as_ref().filter(|_| !taken.new.is_empty()) {
            files.wake();
        }
    }

    async fn receipt(
        &self,
        account: &Account,
        external_id: &str,
        receipt: &InboundReceipt,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let state = match receipt {
            InboundReceipt::Delivered => ReceiptState::Delivered,
            InboundReceipt::Read => ReceiptState::Read,
            InboundReceipt::Failed(why) => {
                let (channel, name, id) =
                    (account.channel.clone(), account.name().clone(), ProviderId::from(external_id));
                return self.store.outbox().undelivered(channel, name, id, why.clone(), at).await.map(drop);
            }
        };
        let receipt = Receipt {
            channel: account.channel.clone(),
            account: account.name().clone(),
            provider_id: external_id.into(),
            state,
            at,
        };
        self.delivery.receipt(receipt).await.map(drop)
    }

    async fn read_up_to(
        &self,
        account: &Account,
        chat: &ExternalChat,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let (channel, name) = (account.channel.clone(), account.name().clone());
        let address = ChannelChat { channel, account: name, chat: chat.clone() };
        for external_id in self.store.channels().unread(&address, at).await? {
            self.receipt(account, &external_id, &InboundReceipt::Read, at).await?;
        }
        Ok(())
    }

    /// Looks again whether this program sent what the account is said to have written, until that is clear.
    async fn settle(&self, account: &Account) {
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = self.channels.clock().sleep(SETTLE) => {}
            }
            let (channel, name) = (account.channel.clone(), account.name().clone());
            let stores_files = self.files_of(account).is_some();
            let taken =
                TakenFromChannel { channel, account: name, events: Vec::new(), cursor: None, stores_files };
            if let Ok(taken) = self.store.channels().take(taken).await {
                self.wake_files(&taken);
                if taken.unsettled == 0 {
                    return;
                }
            }
        }
    }

    /// Looks from time to time whether an account is well and where its provider posts to, which is put right where it can be, and
    /// keeps what went wrong.
    async fn check(&self, account: &Arc<Account>) {
        let mut kept = account.status().health;
        loop {
            let due = self.channels.clock().now().plus(CHECK);
            self.check_now(account).await;
            loop {
                self.put_right(account).await;
                self.take_set_aside(account).await;
                let AccountStatus { health, losses, .. } = account.status();
                if health != kept {
                    self.keep_health(account).await;
                    kept = health;
                }
                self.channels.clock().sleep(if losses == 1 { CONFIRM } else { LOOK }).await;
                let now = self.channels.clock().now();
                if now >= due || now < due.minus(CHECK) {
                    break;
                }
                self.look(account).await;
            }
        }
    }

    /// Does what a look at where the provider posts to calls for.
    pub(crate) async fn put_right(&self, account: &Arc<Account>) {
        self.register_again(account).await;
        let now = self.channels.clock().now();
        account.change(|status| status.looked_at = Some(now));
        self.prove(account).await;
        self.catch_up(account).await;
        let receive = account.fields.receive;
        let is_unproved = self.is_unproved(account);
        account.change(|status| {
            status.is_unproved = is_unproved;
            let is_lost = status.webhook_loss(receive).is_some();
            status.losses = if is_lost { status.losses.saturating_add(1) } else { 0 };
        });
    }

    /// The chats of an account, the one in which a customer wrote last first.
    pub(crate) async fn known_chats(&self, account: &Account) -> Result<Vec<ExternalChat>, StoreError> {
        let chats = self.store.channels().chats(&account.channel, account.name(), (MOST_CHATS, 0)).await?;
        Ok(chats.into_iter().map(|known| known.chat).collect())
    }

    /// Takes what the provider has set aside and can read by now.
    async fn take_set_aside(&self, account: &Arc<Account>) {
        let Some(recalling) = account.provider.recall() else { return };
        let events = account.provider.complete(recalling.await).await;
        let taken = if events.is_empty() { Ok(()) } else { self.take(account, events, None).await };
        let result = match taken {
            Ok(()) => account.provider.forget_recalled().await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(why) = result {
            tracing::warn!(account = %account.name(), channel = %account.channel, why, "what is set aside is taken later");
        }
    }

    /// What cannot be kept now is kept at the next change.
    pub(crate) async fn keep_health(&self, account: &Account) {
        let Ok(health) = serde_json::to_string(&account.status().health) else { return };
        let kept = self.store.channels().keep_health(&account.channel, account.name(), health).await;
        if let Err(error) = kept {
            tracing::debug!(account = %account.name(), channel = %account.channel, %error, "its health is kept later");
        }
    }

    /// Pauses an account or resumes it, over restarts. While it is paused, nothing is sent through it: messages wait. What comes in is
    /// received.
    ///
    /// # Errors
    /// The store cannot be written; nothing has changed then.
    pub async fn pause(&self, account: &Account, paused: bool) -> Result<(), StoreError> {
        let switch = if paused { Switch::Paused } else { Switch::On };
        self.store.accounts().save_switch(account.name(), switch).await?;
        if account.status().paused == paused {
            return Ok(());
        }
        account.change(|status| status.paused = paused);
        let action = if paused { "pause" } else { "resume" };
        tracing::info!(account = %account.name(), channel = %account.channel, action, "switched by hand");
        self.channels.touch();
        let (now, before) = if paused {
            (AccountState::Paused, AccountState::Ready)
        } else {
            (AccountState::Ready, AccountState::Paused)
        };
        let switched = vec![(account.name().clone(), AccountEvent { state: now, was: Some(before) })];
        if let Err(error) = self.store.events().account_states(switched, self.channels.clock().now()).await {
            tracing::warn!(account = %account.name(), %error, "that it was switched is no event");
        }
        Ok(())
    }

    /// Looks whether an account is well, with a real call.
    pub async fn check_now(&self, account: &Arc<Account>) {
        let result = account.provider.check().await;
        let now = self.channels.clock().now();
        account.change(|status| status.health.forget_old_bodies(now));
        match result {
            Ok(identity) => {
                let was_stopped = account.status().stopped.is_some();
                account.note(Ok(()), now);
                account.change(|status| {
                    status.checked_at = Some(now);
                    status.identity = Some(identity);
                });
                if was_stopped {
                    self.channels.touch();
                }
            }
            Err(error) => {
                let name = account.name();
                tracing::warn!(account = %name, channel = %account.channel, %error, "an account of a channel is not well");
                account.note(Err(&error), now);
            }
        }
        self.registered(account).await;
    }

    /// Asks for what came in, for as long as the provider does not post it.
    async fn ask(&self, account: &Arc<Account>) {
        let mut wait = FIRST_WAIT;
        loop {
            let is_polled = self.is_polled(account).await;
            let posts = account.status().receives_by == ReceivesBy::Webhook;
            if !(is_polled || posts && account.provider.polls_beside_posts()) {
                self.channels.clock().sleep(CHECK).await;
                continue;
            }
            match self.ask_once(account, is_polled).await {
                Ok(more) => {
                    wait = FIRST_WAIT;
                    if !more {
                        self.channels.clock().sleep(if is_polled { IDLE } else { CHECK }).await;
                    }
                }
                Err(why) => {
                    tracing::warn!(account = %account.name(), channel = %account.channel, error = why, "asking failed");
                    self.channels.clock().sleep(wait).await;
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
            }
        }
    }

    /// Whether an account is to be asked for what came in; notes how it hears.
    async fn is_polled(&self, account: &Arc<Account>) -> bool {
        let can_be_polled = account.provider.poll(None).is_some();
        let by = match account.fields.receive {
            ReceiveBy::Poll if can_be_polled => ReceivesBy::Poll,
            ReceiveBy::Off | ReceiveBy::Poll => ReceivesBy::Nothing,
            ReceiveBy::Webhook => ReceivesBy::Webhook,
            ReceiveBy::Auto if !can_be_polled => ReceivesBy::Webhook,
            ReceiveBy::Auto => match self.registered(account).await {
                Some(Ok(registered)) => {
                    let posts = registered.posts_to(|url| self.is_hook_url(account, url));
                    let refuses = account.provider.refuses_polls_while_registered();
                    if posts.is_some_and(|posts| posts.is_ok() || refuses) {
                        ReceivesBy::Webhook
                    } else {
                        ReceivesBy::Poll
                    }
                }
                _ => ReceivesBy::Poll,
            },
        };
        account.change(|status| {
            status.receives_by = by;
            if by != ReceivesBy::Poll {
                status.rival = None;
            }
        });
        by == ReceivesBy::Poll
    }

    /// Looks where an account's provider posts to, or what it leaves out where it does not show that.
    pub(crate) async fn look(&self, account: &Account) -> Option<Result<Registered, CallError>> {
        let reply = self.registered(account).await;
        if reply.is_none()
            && let Some(asking) = account.provider.gap()
            && let Ok(gap) = asking.await
        {
            account.change(|status| {
                if let Some(identity) = &mut status.identity {
                    identity.gap = gap;
                }
            });
        }
        reply
    }

    /// Where an account's provider posts to; none where it has no such question.
    pub async fn registered(&self, account: &Account) -> Option<Result<Registered, CallError>> {
        let reply = account.provider.registered()?.await;
        if let Ok(registered) = &reply {
            let at = self.channels.clock().now();
            let posts = registered.posts_to(|url| self.is_hook_url(account, url));
            let gap = posts.and_then(Result::err);
            account.change(|status| {
                let state = WebhookState::of(
                    |url| self.is_hook_url(account, url),
                    |url| self.is_former_hook_url(account, url),
                    registered,
                    status.health.was_here,
                );
                status.health.was_here |= state == WebhookState::Here;
                if state == WebhookState::Here && gap.is_none() {
                    status.health.refusals.forget_old(at);
                    status.registering.take_if(|last| last.error.is_some());
                } else {
                    status.catch_up = CatchUp::default();
                }
                status.webhook = Some(WebhookObservation { state, registered: registered.clone(), gap, at });
            });
        }
        Some(reply)
    }

    /// Asks once, instead of its posts or beside them; whether more waits.
    async fn ask_once(&self, account: &Arc<Account>, instead: bool) -> Result<bool, String> {
        let cursor = self.store.channels().cursor(&account.channel, account.name()).await;
        let cursor = cursor.map_err(|error| error.to_string())?;
        let Some(polling) = account.provider.poll(cursor.as_deref()) else { return Ok(false) };
        let polled = polling.await;
        if polled.is_err() && instead && !self.is_polled(account).await {
            // Its address was registered meanwhile: it posts from now on.
            return Ok(true);
        }
        let now = self.channels.clock().now();
        account.note(polled.as_ref().map(drop), now);
        // That it is well otherwise, which is looked at in between, does not end this.
        match &polled {
            Ok(_) => account.change(|status| status.rival = None),
            Err(error @ CallError::Conflict(_)) => {
                account.change(|status| status.rival = Some((error.clone(), now)));
            }
            Err(_) => {}
        }
        let polled = polled.map_err(|error| error.to_string())?;
        let events = account.provider.complete(polled.events).await;
        let is_new = polled.cursor != cursor || !events.is_empty();
        if is_new {
            self.take(account, events, polled.cursor).await.map_err(|error| error.to_string())?;
        }
        Ok(polled.more)
    }
}
