//! Pretend providers of messaging: customers write through them, the product answers, and all it did is in the ledger.

mod avito;
mod email;
mod fake;
mod faults;
mod form;
mod instagram;
mod max;
mod poster;
mod request;
mod sms;
mod telegram;
mod vk;
mod whatsapp;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::Timestamp;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::telegram::now;

pub(crate) use email::{MailPorts, serve_imap, serve_smtp};
pub use fake::ChannelEffect;
pub(crate) use fake::{CustomerDeed, CustomerDone, Fake, HookOrder, Outside, Post};
pub(crate) use faults::{ActiveChannelFault, ChannelFault, ChannelFaultOrder};
pub(crate) use request::{Reply, Request};
pub(crate) use sms::serve_smpp;

use fake::ProviderFile;
use faults::ChannelFaults;

/// How often is looked for what is due.
const LOOK: Duration = Duration::from_millis(20);
/// Their certificates are signed by an authority that no system trusts.
const BY_HTTPS: [&str; 1] = ["max"];
/// The most files that are kept.
const MOST_FILES: usize = 10_000;

/// Every pretend provider that is called over HTTP alone, by the name of its channel.
fn all() -> Vec<(&'static str, Box<dyn Fake>)> {
    vec![
        ("avito", Box::new(avito::Avito::default())),
        ("form", Box::new(form::FormFake::default())),
        ("instagram", Box::new(instagram::Instagram::new())),
        ("max", Box::new(max::MaxFake::new())),
        ("telegram", Box::new(telegram::TelegramFake::new())),
        ("vk", Box::new(vk::Vk::default())),
        ("whatsapp", Box::new(whatsapp::WhatsappFake::new())),
    ]
}

/// The pretend providers.
pub(crate) struct Channels {
    inner: Mutex<Inner>,
    posted: Notify,
    base: String,
    /// The port with TLS, and the certificate of the authority that signs its own.
    https: (SocketAddr, PathBuf),
    calls: AtomicU64,
}

struct Inner {
    fakes: BTreeMap<&'static str, Box<dyn Fake>>,
    files: BTreeMap<&'static str, Vec<ProviderFile>>,
    faults: ChannelFaults,
    /// What is to be posted, with when.
    posts: Vec<(Timestamp, Post)>,
    /// A post that waits until the next has gone.
    held: Option<Post>,
}

/// Talks over each connection until the token is cancelled.
pub(crate) async fn serve<F: Future<Output = io::Result<()>> + Send + 'static>(
    listener: TcpListener,
    stop: CancellationToken,
    talk: impl Fn(TcpStream) -> F,
) {
    let tasks = TaskTracker::new();
    loop {
        let stream = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = stream else { continue };
        let (talking, stop) = (talk(stream), stop.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                _ = talking => {}
            }
        });
    }
    tasks.close();
    tasks.wait().await;
}

/// What a call comes to.
pub(crate) enum Called {
    Answer(Reply),
    /// The connection breaks in the middle of the answer.
    Cut,
    /// No answer comes.
    Silence,
}

impl Channels {
    /// All of them, below the control port; those of [`BY_HTTPS`] below that with TLS, and with the certificate of its authority.
    pub(crate) fn new(
        control: SocketAddr,
        https: (SocketAddr, PathBuf),
        mail: MailPorts,
        smpp: SocketAddr,
    ) -> Self {
        let mail: Box<dyn Fake> = Box::new(email::Email::new(mail));
        let sms: Box<dyn Fake> = Box::new(sms::Sms::new(smpp));
        let inner = Inner {
            fakes: all().into_iter().chain([("email", mail), ("sms", sms)]).collect(),
            files: BTreeMap::new(),
            faults: ChannelFaults::default(),
            posts: Vec::new(),
            held: None,
        };
        Self {
            inner: Mutex::new(inner),
            posted: Notify::new(),
            base: format!("http://{control}/providers"),
            https,
            calls: AtomicU64::new(0),
        }
    }

    /// The number of a call that begins.
    pub(crate) fn next_call(&self) -> u64 {
        self.calls.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn base(&self, provider: &str) -> String {
        if BY_HTTPS.contains(&provider) {
            return format!("https://{}/providers/{provider}", self.https.0);
        }
        format!("{}/{provider}", self.base)
    }

    /// The accounts of the demo world as settings.
    pub(crate) fn settings(&self) -> Vec<toml::Table> {
        let inner = self.lock();
        let with_api = |provider: &str, mut tables: Vec<toml::Table>| {
            for table in &mut tables {
                if provider != "form" && provider != "email" && !table.contains_key("smpp") {
                    table.insert("api".to_owned(), self.base(provider).into());
                }
                if BY_HTTPS.contains(&provider) {
                    table.insert("ca_file".to_owned(), self.https.1.display().to_string().into());
                }
            }
            tables
        };
        inner.fakes.iter().flat_map(|(provider, fake)| with_api(provider, fake.settings())).collect()
    }

    /// The channels, with their accounts.
    pub(crate) fn accounts(&self) -> Vec<(String, Vec<String>)> {
        self.lock().fakes.iter().map(|(provider, fake)| ((*provider).to_owned(), fake.accounts())).collect()
    }

    /// Whether there is such a provider.
    pub(crate) fn has(&self, provider: &str) -> bool {
        self.lock().fakes.contains_key(provider)
    }

    /// Answers a call; nothing where its credentials are of no account here. What it did is written down by `record`.
    pub(crate) async fn call(
        &self,
        provider: &str,
        request: &Request,
        record: &(dyn Fn(ChannelEffect) + Sync),
    ) -> Option<Called> {
        let fault = self.lock().faults.strike(provider, &request.path, false);
        let wanted = self.lock().fakes.get(provider).and_then(|fake| fake.fetches(request));
        let with_file = match wanted {
            Some(url) => Some(Request { fetched: poster::fetch(&url).await, ..request.clone() }),
            None => None,
        };
        let request = with_file.as_ref().unwrap_or(request);
        let Some(fault) = fault else { return self.answer_in_time(provider, request, record).await };
        let has_effect = fault.effect.unwrap_or_default();
        let effect = || has_effect.then(|| self.answer(provider, request, record));
        Some(match fault.fault {
            ChannelFault::Error => {
                effect();
                Called::Answer(Reply::text(fault.code.unwrap_or(500), fault.message.unwrap_or_default()))
            }
            ChannelFault::Garbage => {
                effect();
                Called::Answer(Reply::html(200))
            }
            ChannelFault::Cut => {
                effect();
                Called::Cut
            }
            ChannelFault::Deaf => {
                effect();
                Called::Silence
            }
            ChannelFault::Delay => {
                tokio::time::sleep(fault.wait()).await;
                Called::Answer(self.answer(provider, request, record)?)
            }
            ChannelFault::RateLimit => {
                let inner = self.lock();
                Called::Answer(inner.fakes.get(provider)?.too_many(fault.wait().as_secs()))
            }
            ChannelFault::TokenExpired => {
                if let Some(fake) = self.lock().fakes.get_mut(provider) {
                    fake.expire_tokens();
                }
                Called::Answer(self.answer(provider, request, record)?)
            }
            ChannelFault::LinksExpired => {
                let now = Timestamp::from_micros(now().0);
                for file in self.lock().files.get_mut(provider).into_iter().flatten() {
                    file.until = Some(now);
                }
                Called::Answer(self.answer(provider, request, record)?)
            }
            // Those of posts do not strike calls, and those of models no channel.
            _ => Called::Answer(self.answer(provider, request, record)?),
        })
    }

    /// Answers a call once there is something to say, or the call has waited long enough.
    async fn answer_in_time(
        &self,
        provider: &str,
        request: &Request,
        record: &(dyn Fn(ChannelEffect) + Sync),
    ) -> Option<Called> {
        let begun = Instant::now();
        loop {
            let reply = self.answer(provider, request, record)?;
            if reply.waits.is_none_or(|longest| begun.elapsed() >= longest) {
                return Some(Called::Answer(reply));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn answer(
        &self,
        provider: &str,
        request: &Request,
        record: &(dyn Fn(ChannelEffect) + Sync),
    ) -> Option<Reply> {
        if let Some(id) = request.path.strip_prefix("/files/") {
            let inner = self.lock();
            let file = inner.files.get(provider)?.iter().find(|file| file.id == id);
            let file =
                file.filter(|file| file.until.is_none_or(|until| until > Timestamp::from_micros(now().0)));
            return Some(match file {
                Some(file) => Reply {
                    status: 200,
                    content_type: file.mime.clone(),
                    body: file.content.clone(),
                    ..Reply::default()
                },
                None => Reply::text(404, "no such file"),
            });
        }
        self.with(provider, record, |fake, outside| fake.answer(request, outside))?
    }

    /// A customer does something.
    ///
    /// # Errors
    /// What is wrong with the order, in words.
    pub(crate) fn customer(&self, deed: &CustomerDeed) -> Result<CustomerDone, String> {
        let done = self.with(&deed.channel, &|_| {}, |fake, outside| {
            let accounts = fake.accounts();
            let account = deed.account.clone().or_else(|| accounts.first().cloned());
            if !account.as_ref().is_some_and(|account| accounts.contains(account)) {
                return Err(format!(
                    "account: there is none of that name; there are {}",
                    accounts.join(", ")
                ));
            }
            let deed = CustomerDeed { account, ..deed.clone() };
            let before = outside.posts.len();
            let done = fake.customer(&deed, outside)?;
            let made: Vec<Post> = outside.posts[before..].to_vec();
            for _ in 1..deed.times.unwrap_or(1) {
                outside.posts.extend(made.iter().cloned());
            }
            Ok(done)
        });
        let channels = || self.lock().fakes.keys().copied().collect::<Vec<_>>().join(", ");
        done.unwrap_or_else(|| Err(format!("channel: there is none of that name; there are {}", channels())))
    }

    /// The owner types an address to post to in the pages of a provider. It counts once the provider has taken it.
    ///
    /// # Errors
    /// What is wrong with the order, in words.
    pub(crate) async fn type_hook(&self, order: &HookOrder) -> Result<(), String> {
        let typed = self.with(&order.channel, &|_| {}, |fake, outside| fake.type_hook(order, outside));
        typed.unwrap_or_else(|| Err("channel: there is none of that name".to_owned()))?;
        let is_taken = || {
            let inner = self.lock();
            let typed = inner.fakes.get(order.channel.as_str()).and_then(|it| it.typed_hook(&order.account));
            typed.is_some_and(|url| url == order.url)
        };
        let deadline = tokio::time::Instant::now() + fake::ANSWER;
        while !is_taken() {
            if tokio::time::Instant::now() > deadline {
                return Err("url: it did not answer as the provider wants".to_owned());
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// No call goes wrong from now on.
    pub(crate) fn clear_faults(&self) {
        self.lock().faults.clear();
    }

    /// The fault dial.
    pub(crate) fn faults<T>(&self, work: impl FnOnce(&mut ChannelFaults) -> T) -> T {
        work(&mut self.lock().faults)
    }

    /// Lets a provider work, and takes what it wants done.
    fn with<T>(
        &self,
        provider: &str,
        record: &dyn Fn(ChannelEffect),
        work: impl FnOnce(&mut dyn Fake, &mut Outside) -> T,
    ) -> Option<T> {
        let mut inner = self.lock();
        let Inner { fakes, files, faults, posts, held } = &mut *inner;
        let (name, fake) = fakes.iter_mut().find(|(name, _)| **name == provider)?;
        let kept = files.entry(name).or_default();
        let at = Timestamp::from_micros(now().0);
        let mut outside = Outside {
            now: at,
            base: self.base(provider),
            files: std::mem::take(kept),
            effects: Vec::new(),
            posts: Vec::new(),
        };
        let done = work(fake.as_mut(), &mut outside);
        let Outside { files: mut all, effects, posts: made, .. } = outside;
        if all.len() > MOST_FILES {
            all.drain(..all.len() - MOST_FILES);
        }
        *kept = all;
        for post in made {
            match faults.strike(provider, &post.url, true).map(|fault| fault.fault) {
                Some(ChannelFault::Redeliver) => posts.extend([(at, post.clone()), (at, post)]),
                Some(ChannelFault::Reorder) => *held = Some(post),
                _ => posts.extend([(at, post)].into_iter().chain(held.take().map(|held| (at, held)))),
            }
        }
        for effect in effects {
            record(effect);
        }
        drop(inner);
        self.posted.notify_one();
        Some(done)
    }

    /// Posts to the product until the token is cancelled. Posts of one account leave one after the other.
    pub(crate) async fn keep_posting(self: Arc<Self>, stop: CancellationToken) {
        let busy: Arc<Mutex<Vec<(&'static str, String)>>> = Arc::default();
        let tasks = TaskTracker::new();
        loop {
            while let Some(post) = self.next_due(&busy) {
                let (channels, busy) = (Arc::clone(&self), Arc::clone(&busy));
                tasks.spawn(async move {
                    let answer = poster::post(&post).await;
                    let key = (post.provider, post.account.clone());
                    channels.posted(post, answer.as_ref());
                    busy.lock().unwrap_or_else(PoisonError::into_inner).retain(|one| *one != key);
                    channels.posted.notify_one();
                });
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.posted.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    fn next_due(&self, busy: &Mutex<Vec<(&'static str, String)>>) -> Option<Post> {
        let mut busy = busy.lock().unwrap_or_else(PoisonError::into_inner);
        let mut inner = self.lock();
        let at = Timestamp::from_micros(now().0);
        let is_free = |post: &Post| {
            !busy.iter().any(|(provider, account)| *provider == post.provider && *account == post.account)
        };
        let place = inner.posts.iter().position(|(due, post)| *due <= at && is_free(post))?;
        let (_, post) = inner.posts.remove(place);
        busy.push((post.provider, post.account.clone()));
        Some(post)
    }

    fn posted(&self, post: Post, answer: Option<&fake::PostAnswer>) {
        let is_taken = poster::is_taken(&post, answer);
        let repeats = self.with(post.provider, &|_| {}, |fake, outside| {
            fake.posted(&post, answer, outside);
            fake.repeats(&post)
        });
        if is_taken || repeats != Some(true) {
            return;
        }
        let Some(wait) = post.retries.get(post.tries).copied() else { return };
        let due = Timestamp::from_micros(now().0).plus(Duration::from_millis(wait));
        self.lock().posts.push((due, Post { tries: post.tries + 1, ..post }));
    }
}

#[cfg(test)]
mod tests;
