//! One suite for every provider: each true cell of the table is a run against the sandbox, each action that is false a refusal.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use ambient::Clock;
use channels::{AlbumFile, CallError, Deed, HookPost, Incoming, Outgoing, OutgoingFile, Provider, Setup};
use delivery::{Action, Dedup, MediaKind, MessageLookup};
use domain::media::MediaForm;
use domain::outcome::SentIds;
use domain::received_message::Reaction;
use domain::text::{FormattedText, TextLimit, Unit};
use domain::{
    ExternalChat, InboundChange, InboundEvent, InboundKind, InboundMessage, InboundReceipt, MessageOrigin,
    MessageState, Outcome, ProviderId,
};
use futures::FutureExt;
use serde_json::{Value, json};

use crate::it::support::{Receiver, World, content_of, hurried, id_of, md5, messages, text};
use crate::it::table::{COLUMNS, Column, Row};

/// How long something is waited for.
const TIMEOUT: Duration = Duration::from_secs(20);
/// After this a provider has done what it will do.
const SETTLED: Duration = Duration::from_secs(20);
/// A text of nothing else, of letters that several others make up.
const EMOJI: &str = "👩‍👩‍👧‍👦🏳️‍🌈";
/// The connection of the sandbox's bot to a personal account, in whose chats deletions are reported.
const PERSONAL: &str = "demo";

#[tokio::test(flavor = "multi_thread")]
async fn every_true_cell_runs() {
    let columns = COLUMNS.iter().map(|column| async move {
        let mut account = Account::open(column).await;
        let mut failed = Vec::new();
        for row in Row::all() {
            if AssertUnwindSafe(account.run(row)).catch_unwind().await.is_err() {
                failed.push(format!("{}: {row:?}", column.title));
            }
        }
        if AssertUnwindSafe(account.closes()).catch_unwind().await.is_err() {
            failed.push(format!("{}: unregister", column.title));
        }
        failed
    });
    let failed = futures::future::join_all(columns).await.concat();
    assert!(failed.is_empty(), "{failed:#?}");
}

/// The message is sent once, with another token, or certainly not at all.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_in_a_send_doubles_nothing() {
    // A message centre has a password, which counts when it is bound.
    let of_tokens = |column: &&Column| !column.sends_by.0.is_empty() && column.account != "texts_smpp";
    for column in COLUMNS.iter().filter(of_tokens) {
        let mut account = Account::open(column).await;
        if account.provider.receives().contains(&Incoming::Text) {
            account.writes(&json!({})).await;
        }
        let (provider, method) = column.sends_by;
        let method = if provider == "email" { "auth" } else { method };
        let order = json!({"provider": provider, "method": method, "fault": "token_expired", "times": 1});
        account.world.fault(order).await;
        let outgoing = account.outgoing();
        let outcome = account.provider.send(&outgoing).await;
        let is_sent = matches!(outcome, Outcome::Sent(_));
        // Avito gives a new one within the send; the others are asked for no new one.
        assert_eq!(is_sent, column.account == "shop", "{}: {outcome:?}", column.title);
        assert!(is_sent || outcome.proves_unsent(), "{}: {outcome:?}", column.title);
        let sent = account.ledger().await.iter().filter(|entry| entry["text"] == *outgoing.text.text).count();
        assert_eq!(sent, usize::from(is_sent), "{}: {outcome:?}", column.title);
    }
}

/// An account of the sandbox, and how far it is.
struct Account {
    column: &'static Column,
    world: World,
    channel: &'static str,
    setup: Setup,
    provider: Arc<dyn Provider>,
    clock: Clock,
    /// Where the provider posts to, once it does.
    receiver: Option<Receiver>,
    /// Where the next poll goes on.
    cursor: Option<String>,
    /// The chat of the customer.
    chat: String,
    /// Makes every text and every key another one.
    number: i64,
    /// Whether the provider is asked for what is heard now.
    is_polled: bool,
}

impl Account {
    async fn open(column: &'static Column) -> Self {
        let world = World::start().await;
        let setup = World::setup(world.fields_of(column.account));
        let (channel, clock) = (setup.fields.channel.as_str(), setup.clock.clone());
        let provider = channels::make(setup.clone()).unwrap();
        // Posts count once the account is identified.
        let _ = provider.check().await;
        let chat = column.customer.to_owned();
        let (receiver, cursor, number, is_polled) = (None, None, 0, true);
        Self { column, world, channel, setup, provider, clock, receiver, cursor, chat, number, is_polled }
    }

    async fn run(&mut self, row: Row) {
        let is_true = row.cell(&*self.provider).is_some();
        self.is_polled = self.receiver.is_none() || self.column.polled.contains(&row);
        match row {
            Row::Action(action) if !is_true => {
                let before = self.ledger().await.len();
                let refused = self.act(action, "1".to_owned()).await;
                assert!(matches!(refused, Err(CallError::Refused { .. })), "{refused:?}");
                assert_eq!(self.ledger().await.len(), before);
            }
            _ if !is_true => {}
            Row::In(incoming) => self.hears(incoming).await,
            Row::Text => {
                let longest = longest(self.provider.capabilities().text);
                for body in [longest.as_str(), EMOJI] {
                    let outgoing = Outgoing { text: FormattedText::plain(body), ..self.outgoing() };
                    self.arrives(&outgoing).await;
                }
            }
            Row::Caption => {
                let kind = self.provider.capabilities().media[0];
                let file = Some(self.file(kind).await);
                let outgoing = Outgoing { file, ..self.outgoing() };
                self.arrives(&outgoing).await;
            }
            Row::Reply => {
                let answered = self.writes(&json!({})).await;
                let reply_to = Some(ProviderId::from(answered.as_str()));
                let outgoing = Outgoing { reply_to, ..self.outgoing() };
                assert_eq!(self.arrives(&outgoing).await["reply_to"], answered);
            }
            Row::Media(kind) => {
                let file = Some(self.file(kind).await);
                let outgoing = Outgoing { file, text: FormattedText::plain(""), ..self.outgoing() };
                let entry = self.arrives(&outgoing).await;
                assert_eq!(entry["file_md5"], md5(&content(kind)));
                assert!(arrives_as(kind).contains(&entry["file_kind"].as_str().unwrap()), "{entry}");
            }
            Row::Album => {
                self.album_arrives(&[MediaKind::Photo, MediaKind::Photo]).await;
                let album = self.provider.capabilities().album;
                if album.files > 1 {
                    self.album_arrives(&[MediaKind::Document, MediaKind::Document]).await;
                }
                if album.mixed {
                    self.album_arrives(&[MediaKind::Photo, MediaKind::Document]).await;
                }
            }
            Row::Action(Action::Edit) => {
                let id = self.sends().await;
                self.act(Action::Edit, id.clone()).await.unwrap();
                let entry = self.last().await;
                assert_eq!((&entry["text"], &entry["external_id"]), (&json!("New"), &json!(id)));
            }
            Row::Action(Action::Delete) => {
                let id = self.sends().await;
                self.act(Action::Delete, id.clone()).await.unwrap();
                let entry = self.last().await;
                assert_eq!((&entry["text"], &entry["external_id"]), (&json!(""), &json!(id)));
                self.act(Action::Delete, format!("{id}9")).await.unwrap_err();
            }
            Row::Action(action @ (Action::MarkRead | Action::Typing)) => {
                let id = self.writes(&json!({})).await;
                let before = self.ledger().await.len();
                self.act(action, id).await.unwrap();
                assert_eq!(self.ledger().await.len(), before + 1);
            }
            Row::State(state) => self.state_is_received(state).await,
            // Elsewhere, where it is alone.
            Row::Dedup => Box::pin(Self::open(self.column).await.unclear_sends_are_settled()).await,
        }
    }

    /// Something that the customer does.
    async fn customer(&self, deed: &Value) -> Value {
        let mut whole =
            json!({"channel": self.channel, "account": self.column.account, "from": self.column.customer});
        whole.as_object_mut().unwrap().extend(deed.as_object().unwrap().clone());
        self.world.customer(whole).await
    }

    /// The customer writes a text, unless the deed says something else; the id of the message.
    async fn writes(&mut self, deed: &Value) -> String {
        let mut whole = json!({"text": self.word()});
        whole.as_object_mut().unwrap().extend(deed.as_object().unwrap().clone());
        let done = self.customer(&whole).await;
        done["chat_id"].as_str().unwrap().clone_into(&mut self.chat);
        done["message_id"].as_str().unwrap_or_default().to_owned()
    }

    /// A text that there was none of.
    fn word(&mut self) -> String {
        self.number += 1;
        format!("Text {}", self.number)
    }

    /// A text on its way out.
    fn outgoing(&mut self) -> Outgoing {
        let word = self.word();
        text(&self.chat, &word, self.number)
    }

    async fn file(&self, kind: MediaKind) -> OutgoingFile {
        let (form, mime, name) = form(kind);
        self.world.served_file(form, name, mime, &content(kind)).await
    }

    /// Sends a message; its id.
    async fn send(&self, outgoing: &Outgoing) -> String {
        let mut outgoing = outgoing.clone();
        if outgoing.file.is_some() {
            outgoing.prepared = self.provider.prepare(&outgoing).await.unwrap();
        }
        let sending = self.provider.send(&outgoing);
        // MAX works at a file for a while before it takes the message.
        let outcome = match self.channel {
            "max" => hurried(&self.clock, Duration::from_secs(1), sending).await,
            _ => sending.await,
        };
        id_of(&outcome)
    }

    async fn sends(&mut self) -> String {
        let outgoing = self.outgoing();
        self.send(&outgoing).await
    }

    /// Sends a message that arrives once, as it is; what the ledger says of it.
    async fn arrives(&mut self, outgoing: &Outgoing) -> Value {
        let before = self.ledger().await.len();
        let id = self.send(outgoing).await;
        assert_eq!(self.ledger().await.len(), before + 1);
        let entry = self.last().await;
        assert_eq!((&entry["external_id"], &entry["chat_id"]), (&json!(id), &json!(self.chat)));
        assert_eq!(entry["text"], outgoing.text.text.as_str());
        entry
    }

    /// Files that are sent together arrive once, in their order, with the text at the first.
    async fn album_arrives(&mut self, kinds: &[MediaKind]) {
        let before = self.ledger().await.len();
        let mut outgoing = self.outgoing();
        let (mut files, mut wanted) = (Vec::new(), Vec::new());
        for (key, kind) in (self.number * 100..).zip(kinds) {
            let content = format!("content {key}").into_bytes();
            let (form, mime, name) = form(*kind);
            let file = self.world.served_file(form, &format!("{key}-{name}"), mime, &content).await;
            let alone = Outgoing { file: Some(file.clone()), ..outgoing.clone() };
            let prepared = self.provider.prepare(&alone).await.unwrap();
            files.push(AlbumFile { key, file, prepared });
            wanted.push(md5(&content));
        }
        let first = files.remove(0);
        (outgoing.file, outgoing.prepared, outgoing.album) = (Some(first.file), first.prepared, files);
        let sending = self.provider.send(&outgoing);
        let outcome = match self.channel {
            "max" => hurried(&self.clock, Duration::from_secs(1), sending).await,
            _ => sending.await,
        };
        let Outcome::Sent(ids) = &outcome else { panic!("{outcome:?}") };
        let entries = self.ledger().await.split_off(before);
        let all =
            |name: &str| entries.iter().filter_map(|it| it[name].as_str()).collect::<Vec<_>>().join(",");
        assert_eq!(all("file_md5"), wanted.join(","), "{entries:?}");
        assert_eq!(entries[0]["text"], outgoing.text.text.as_str());
        let sent: Vec<String> = ids.iter().flatten().map(ToString::to_string).collect();
        assert_eq!(all("external_id"), sent.join(","));
        let since = self.clock.now().minus(SETTLED);
        if matches!(self.provider.capabilities().dedup, Dedup::ReadBack) {
            let other = Outgoing { album: Vec::new(), ..outgoing };
            assert!(!matches!(self.provider.find(&other, since).await, MessageLookup::Here(_)));
        }
    }

    async fn act(&self, action: Action, id: String) -> Result<(), CallError> {
        let deed = match action {
            Action::Edit => Deed::Edit { external_id: id, text: "New".to_owned() },
            Action::Delete => Deed::Delete { external_id: id },
            Action::MarkRead => Deed::MarkRead { external_id: Some(id) },
            Action::Typing => Deed::Typing,
        };
        self.provider.act(&ExternalChat::new(&self.chat).unwrap(), &deed).await
    }

    async fn ledger(&self) -> Vec<Value> {
        self.world.ledger(self.channel).await
    }

    async fn last(&self) -> Value {
        self.ledger().await.pop().unwrap()
    }

    /// What is heard next.
    async fn events(&mut self) -> Vec<InboundEvent> {
        let events = match &self.receiver {
            Some(receiver) if !self.is_polled => {
                let post = receiver.next().await;
                self.provider.look_up(&post).await;
                self.provider.hook(&post).map(|hook| hook.events).unwrap_or_default()
            }
            _ => {
                let polled =
                    self.provider.poll(self.cursor.as_deref()).expect("it can be asked").await.unwrap();
                self.cursor = polled.cursor;
                polled.events
            }
        };
        self.provider.complete(events).await
    }

    /// The first of what is heard that is meant; the rest is let by.
    async fn hear<T>(&mut self, meant: impl Fn(&InboundEvent) -> Option<T>) -> T {
        let received = async {
            loop {
                if let Some(found) = self.events().await.iter().find_map(&meant) {
                    return found;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(TIMEOUT, received).await.expect("it is heard in time")
    }

    async fn hear_message(&mut self, meant: impl Fn(&InboundMessage) -> bool) -> InboundMessage {
        let found = |event: &InboundEvent| {
            let found = messages(std::slice::from_ref(event)).first().copied().cloned();
            found.filter(|message| meant(message))
        };
        self.hear(found).await
    }

    async fn receives_by_poll(&mut self) {
        // Some begin with what waits, some with the present; some wait where nothing is there.
        self.writes(&json!({})).await;
        self.events().await;
        self.writes(&json!({})).await;
        let word = format!("Text {}", self.number);
        let message = self.hear_message(|message| *message.text == word).await;
        assert_eq!((message.chat.as_str(), message.origin), (self.chat.as_str(), MessageOrigin::Person));
    }

    async fn receives_by_webhook(&mut self) {
        let receiver = Receiver::start(Arc::clone(&self.provider)).await;
        let url = format!("{}{}", receiver.url, self.column.query);
        let done = self.provider.register(&url).await;
        if let Some(registered) = self.provider.registered() {
            assert_eq!(done, Ok(()));
            assert_eq!(registered.await.unwrap().urls, [url]);
        } else {
            assert!(done.is_ok() || done == Err(CallError::by_hand()), "{done:?}");
            let setup = Setup { hook_url: Some(url.clone()), ..self.setup.clone() };
            self.provider = channels::make(setup).unwrap();
            let fields = self.world.fields_of(self.column.account);
            let word = fields.verify_token.as_ref().map(domain::secret::ExposeSecret::expose_secret);
            let order = json!({"channel": self.channel, "account": self.column.account, "url": url, "verify_token": word});
            assert_eq!(self.world.type_hook(&order).await, 204);
        }
        // An address may count only once it has been asked.
        let provider = Arc::clone(&self.provider);
        let is_received = |post: HookPost| provider.hook(&post).is_ok_and(|hook| !hook.events.is_empty());
        loop {
            self.lives(&json!({})).await;
            if receiver.within(Duration::from_millis(300)).await.is_some_and(is_received) {
                break;
            }
        }
        // What is posted twice has the same keys.
        self.lives(&json!({"times": 2})).await;
        let mut seen = HashSet::new();
        while provider
            .hook(&receiver.next().await)
            .unwrap()
            .events
            .into_iter()
            .all(|event| seen.insert(event.key))
        {}
        if self.column.is_signed {
            self.lives(&json!({"forged": true})).await;
            while provider.hook(&receiver.next().await).is_ok() {}
        }
        self.receiver = Some(receiver);
    }

    /// The provider has something to post.
    async fn lives(&mut self, more: &Value) {
        if self.provider.receives().contains(&Incoming::Text) {
            self.writes(more).await;
            return;
        }
        self.sends().await;
        let mut deed = more.clone();
        deed["action"] = "deliver".into();
        self.customer(&deed).await;
    }

    async fn hears(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Poll => self.receives_by_poll().await,
            Incoming::Webhook => self.receives_by_webhook().await,
            Incoming::Text => {
                let id = self.writes(&json!({})).await;
                let word = format!("Text {}", self.number);
                let message = self.hear_message(|message| *message.text == word).await;
                assert!(message.external_id == id || !self.column.gives_ids, "{message:?}");
                assert_eq!(
                    (message.chat.as_str(), message.origin),
                    (self.chat.as_str(), MessageOrigin::Person)
                );
            }
            Incoming::Image => self.hears_file("image", InboundKind::Image).await,
            Incoming::Voice => self.hears_file("voice", InboundKind::Voice).await,
            Incoming::Audio => self.hears_file("audio", InboundKind::Audio).await,
            Incoming::Video => self.hears_file("video", InboundKind::Video).await,
            Incoming::Document => self.hears_file("document", InboundKind::Document).await,
            Incoming::Sticker => self.hears_file("sticker", InboundKind::Sticker).await,
            Incoming::Reply => {
                let answered = self.writes(&json!({})).await;
                let id = self.writes(&json!({"message_id": answered})).await;
                let message = self.hear_message(|message| message.external_id == id).await;
                assert_eq!(message.reply_to, Some(answered));
            }
            Incoming::Edit => {
                let id = self.writes(&json!({})).await;
                self.customer(&json!({"action": "edit", "message_id": id, "text": "New"})).await;
                let edited = |event: &InboundEvent| match &event.change {
                    InboundChange::Edited { external_id, text, .. } if *external_id == id => {
                        Some(text.to_string())
                    }
                    _ => None,
                };
                assert_eq!(self.hear(edited).await, "New");
            }
            Incoming::Delete => {
                let extra = json!({"business": PERSONAL});
                let word = self.word();
                let done = self.customer(&json!({"text": word, "extra": extra})).await;
                let id = done["message_id"].as_str().unwrap();
                self.customer(&json!({"action": "delete", "message_id": id, "extra": extra})).await;
                let deleted = |event: &InboundEvent| match &event.change {
                    InboundChange::Deleted { external_id, .. } => (external_id == id).then_some(()),
                    _ => None,
                };
                self.hear(deleted).await;
            }
            Incoming::Reaction => {
                let theirs = self.writes(&json!({})).await;
                let ours = self.sends().await;
                // VK has numbers.
                let emoji = if self.channel == "vk" { "4" } else { "👍" };
                for (id, text) in [(&theirs, emoji), (&theirs, ""), (&ours, emoji)] {
                    self.customer(&json!({"action": "react", "message_id": id, "text": text})).await;
                    let extract = |event: &InboundEvent| match &event.change {
                        InboundChange::Reacted { external_id, given } if external_id == id => {
                            Some(given.clone())
                        }
                        _ => None,
                    };
                    let given = self.hear(extract).await;
                    let wanted = match text.parse() {
                        Ok(number) => vec![Reaction::numbered(number)],
                        Err(_) if text.is_empty() => Vec::new(),
                        Err(_) => vec![Reaction::emoji(text)],
                    };
                    assert!(self.column.customer.ends_with(given.user.trim_start_matches('+')), "{given:?}");
                    assert_eq!(given.reactions, wanted);
                }
            }
            Incoming::Press => {
                self.customer(&json!({"action": "press", "text": "a=1"})).await;
                self.hear_message(|message| &*message.text == "a=1").await;
            }
            Incoming::Owner => {
                let word = self.word();
                self.customer(&json!({"action": "owner_writes", "text": word})).await;
                let message = self.hear_message(|message| *message.text == word).await;
                assert_eq!(message.origin, MessageOrigin::Owner);
            }
            Incoming::Reachable => {
                for (action, wanted) in [("block", false), ("unblock", true)] {
                    self.customer(&json!({"action": action})).await;
                    let extract = |event: &InboundEvent| match event.change {
                        InboundChange::Reachable { can, .. } => Some(can),
                        _ => None,
                    };
                    assert_eq!(self.hear(extract).await, wanted);
                    let outgoing = self.outgoing();
                    let outcome = self.provider.send(&outgoing).await;
                    assert_eq!(matches!(outcome, Outcome::Forbidden(_)), !wanted, "{outcome:?}");
                }
            }
            Incoming::Undelivered => {
                let id = self.sends().await;
                self.customer(&json!({"action": "undeliver"})).await;
                self.hear_receipt(&id, |receipt| matches!(receipt, InboundReceipt::Failed(_))).await;
            }
        }
    }

    async fn hears_file(&mut self, word: &str, kind: InboundKind) {
        let done = self.customer(&json!({"media": [{"kind": word, "name": "price.pdf"}]})).await;
        let message = self.hear_message(|message| message.external_id == done["message_id"]).await;
        let [media] = &message.media[..] else { panic!("{message:?}") };
        assert_eq!(media.kind, kind);
        let fetched = self.provider.fetch(media, 1_000).await.unwrap();
        assert_eq!(content_of(fetched).await, format!("a pretend {word}").into_bytes());
        assert!(self.provider.fetch(media, 3).await.is_err());
    }

    async fn hear_receipt(&mut self, id: &str, meant: impl Fn(&InboundReceipt) -> bool) {
        let extract = |event: &InboundEvent| match &event.change {
            InboundChange::Receipt { external_id, receipt, .. } => {
                (external_id == id && meant(receipt)).then_some(())
            }
            _ => None,
        };
        self.hear(extract).await;
    }

    async fn state_is_received(&mut self, state: MessageState) {
        let (deed, receipt) = match state {
            MessageState::Delivered => (json!({"action": "deliver"}), InboundReceipt::Delivered),
            MessageState::Read if self.channel == "sms" => {
                (json!({"action": "deliver", "extra": {"status": 2}}), InboundReceipt::Read)
            }
            MessageState::Read => (json!({"action": "read"}), InboundReceipt::Read),
            other => panic!("no provider says {other:?}"),
        };
        let id = self.sends().await;
        self.customer(&deed).await;
        self.hear_receipt(&id, |reported| *reported == receipt).await;
    }

    /// After each fault that leaves open whether a message was sent, it is there once, or is known not to be there, or it is
    /// said that this is not known.
    async fn unclear_sends_are_settled(mut self) {
        let (provider, method) = self.column.sends_by;
        if self.provider.receives().contains(&Incoming::Text) {
            self.writes(&json!({})).await;
        }
        for (fault, effect) in self.column.faults.iter().flat_map(|fault| [(fault, true), (fault, false)]) {
            let order =
                json!({"provider": provider, "method": method, "fault": fault, "effect": effect, "times": 1});
            self.world.fault(order).await;
            let setup = World::setup(self.world.fields_of(self.column.account));
            let clock = setup.clock.clone();
            let provider = channels::make(setup).unwrap();
            let (outgoing, since) = (self.outgoing(), clock.now());
            let sending = provider.send(&outgoing);
            let outcome = match *fault {
                "deaf" => hurried(&clock, Duration::from_secs(4), sending).await,
                _ => sending.await,
            };
            assert!(matches!(outcome, Outcome::Unknown(_)), "{fault}: {outcome:?}");
            let dedup = provider.capabilities().dedup;
            if matches!(dedup, Dedup::Key { .. }) {
                id_of(&provider.send(&outgoing).await);
            }
            let ledger = self.ledger().await;
            let sent: Vec<_> =
                ledger.iter().filter(|entry| entry["text"] == outgoing.text.text.as_str()).collect();
            let is_there = effect || matches!(dedup, Dedup::Key { .. });
            assert_eq!(sent.len(), usize::from(is_there), "{fault}");
            clock.advance(SETTLED);
            let wanted = match (dedup, sent.first()) {
                (Dedup::Key { .. }, _) => continue,
                (Dedup::None, _) => MessageLookup::CannotTell,
                (_, None) => MessageLookup::NotThere,
                (_, Some(entry)) => MessageLookup::Here(SentIds::one(entry["external_id"].as_str())),
            };
            assert_eq!(provider.find(&outgoing, since).await, wanted, "{fault} {effect}");
        }
    }

    /// The provider posts no more.
    async fn closes(&self) {
        let (Some(receiver), Some(_)) = (&self.receiver, self.provider.registered()) else { return };
        self.provider.unregister(&format!("{}/other", receiver.url)).await.ok();
        self.provider.unregister(&receiver.url).await.unwrap();
        assert!(self.provider.registered().expect("it can be asked").await.unwrap().urls.is_empty());
    }
}

/// A text of the greatest length, in letters of two bytes.
fn longest(limit: TextLimit) -> String {
    "я".repeat(if limit.unit() == Unit::Bytes { limit.most() / 2 } else { limit.most() })
}

fn content(kind: MediaKind) -> Vec<u8> {
    format!("content of a {kind}").into_bytes()
}

/// A file of this kind: its form, type and name.
fn form(kind: MediaKind) -> (MediaForm, &'static str, &'static str) {
    let (width, height, duration_ms) = (1, 1, 1);
    match kind {
        MediaKind::Photo => (MediaForm::Photo { width, height }, "image/png", "a.png"),
        MediaKind::Video => (
            MediaForm::Video { width, height, duration_ms, streamable: true, silent: false },
            "video/mp4",
            "a.mp4",
        ),
        MediaKind::Animation => (MediaForm::Animation { width, height, duration_ms }, "video/mp4", "b.mp4"),
        MediaKind::Voice => (MediaForm::Voice { duration_ms }, "audio/mp4", "a.m4a"),
        MediaKind::Audio => (MediaForm::Audio { duration_ms }, "audio/mp4", "b.m4a"),
        MediaKind::Document => (MediaForm::Document, "application/pdf", "a.pdf"),
        MediaKind::Post | MediaKind::FileId => panic!("a file is neither"),
    }
}

/// What a file of this kind may be to a provider, the nearest first.
const fn arrives_as(kind: MediaKind) -> &'static [&'static str] {
    match kind {
        MediaKind::Photo => &["image"],
        MediaKind::Video => &["video", "document"],
        MediaKind::Animation => &["animation", "video", "document"],
        MediaKind::Voice => &["voice", "ptt", "audio"],
        MediaKind::Audio => &["audio", "document"],
        _ => &["document", "file", "application"],
    }
}
