//! One of the accounts as a control bot: its people write to it, and it answers with texts, which are messages like any other.

use std::sync::Arc;
use std::time::Duration;

use ambient::Clock;
use delivery::{Delivery, Submission};
use domain::{AccountName, ChatId, ChatRef, TelegramMessageId, Timestamp};
use telegram::{LiveLine, Pool, Sighting, Watcher};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::answer::Message;
use crate::channel::{Channel, Request};
use crate::numbered::Talks;
use crate::words::Language;

/// How many messages wait at most: a person does not type more.
const WAITING: usize = 100;
/// An older message is not followed: an order of yesterday is not for today.
const FRESH: Duration = Duration::from_mins(5);
/// The longest text that is looked at, in bytes: no order is longer.
const LONGEST_ORDER: usize = 200;
/// The name of control bots among those who ask for messages.
const LISTENER: &str = "control_bots";

/// What a person wrote.
struct Letter {
    person: i64,
    message_id: TelegramMessageId,
    text: String,
}

/// Hears what comes in live in the private chats of an account.
struct Ears {
    account: AccountName,
    clock: Clock,
    letters: Sender<Letter>,
}

/// An account.
pub(crate) struct AccountChannel {
    name: String,
    account: AccountName,
    clock: Clock,
    language: Option<Language>,
    delivery: Delivery,
    talks: Talks,
    letters: Receiver<Letter>,
    /// The pool hears with it for as long as it is there.
    _ears: Arc<dyn Watcher>,
}

impl AccountChannel {
    pub(crate) fn new(
        name: String,
        account: AccountName,
        clock: Clock,
        language: Option<Language>,
        (pool, delivery): (&Pool, Delivery),
    ) -> Self {
        let (letters, receiver) = channel(WAITING);
        let ears = Ears { account: account.clone(), clock: clock.clone(), letters };
        let ears: Arc<dyn Watcher> = Arc::new(ears);
        pool.watch(Arc::downgrade(&ears));
        Self {
            name,
            account,
            clock,
            language,
            delivery,
            talks: Talks::default(),
            letters: receiver,
            _ears: ears,
        }
    }
}

impl Watcher for Ears {
    fn watches(&self, account: &AccountName, chat_id: ChatId) -> bool {
        *account == self.account && chat_id.user_id().is_some()
    }

    fn seen(self: Arc<Self>, _: &AccountName, sighting: &Sighting, _: &LiveLine<'_>) {
        let is_fresh = self.clock.now().since(sighting.written_at) <= FRESH;
        let Some(person) = sighting.chat_id.user_id() else { return };
        if sighting.is_own || !is_fresh || sighting.text.len() > LONGEST_ORDER {
            return;
        }
        let (message_id, text) = (sighting.message_id, sighting.text.clone());
        if self.letters.try_send(Letter { person: person.get(), message_id, text }).is_err() {
            tracing::warn!(account = %self.account, "a control bot is written more than it can read");
        }
    }

    fn gone(self: Arc<Self>, _: &AccountName, _: Option<ChatId>, _: &[TelegramMessageId], _: i32) {}

    fn missed(self: Arc<Self>, _: &AccountName, _: ChatId, _: TelegramMessageId, _: Timestamp) {}

    fn interrupted(self: Arc<Self>, _: &AccountName) {}
}

impl Channel for AccountChannel {
    type Target = ();

    async fn hear(&mut self) -> Option<Request<()>> {
        loop {
            let Letter { person, message_id, text } = self.letters.recv().await?;
            let read = self.talks.read(person, message_id, &text, self.clock.running());
            if let Some((ask, language)) = read {
                let language = self.language.unwrap_or(language);
                return Some(Request { person, ask, language, reply_to: () });
            }
        }
    }

    async fn let_go(&self, (): &()) {}

    async fn answer(&mut self, request: Request<()>, message: Message) {
        let Some(chat_id) = ChatId::user(request.person) else { return };
        let text = self.talks.offer(request.person, &message, request.language, self.clock.running());
        let submission = Submission {
            pin: Some(self.account.clone()),
            ..Submission::plain(ChatRef::Id(chat_id), &text, LISTENER)
        };
        if let Err(error) = self.delivery.submit(submission).await {
            tracing::warn!(control_bot = self.name, %error, "a control bot cannot answer");
        }
    }
}
