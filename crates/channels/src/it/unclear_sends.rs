//! Sends that had no clear answer, and clocks that are wrong: what the sender of all accounts says of them, and when.

use std::time::Duration;

use ambient::{Chance, Clock, Ids};
use channels::http::{Http, Route};
use channels::{Account, Channels, Setup, StoredValues};
use delivery::{Ambient, Attempt, Delivery, Limits, MessageLookup, Query, Readiness, Sender, Submission};
use domain::message::{Content, Part};
use domain::{Address, ChannelChat, ChatRef, ExternalChat, Outcome, Timestamp};
use serde_json::json;
use store::{Binding, MasterKey, Store, StoreOptions};

use crate::it::support::{World, hurried, text};
use crate::it::table::COLUMNS;

/// The accounts whose chats are looked at, and for how many seconds a call of each may still have an effect.
const LOOKED_AT: [(&str, u64); 4] = [("shop", 5), ("phone", 30), ("assistant", 10), ("studio", 30)];

/// An account, and the chat of a customer who wrote.
struct Chat {
    world: World,
    setup: Setup,
    clock: Clock,
    channels: Channels,
    address: ChannelChat,
    /// The provider and the call that sends, as faults name them.
    sends_by: (&'static str, &'static str),
}

impl Chat {
    async fn open(account: &str) -> Self {
        let column = COLUMNS.iter().find(|column| column.account == account).unwrap();
        let world = World::start().await;
        let (fields, clock) = (world.fields_of(account), Clock::system());
        let ca = fields.ca_file.as_ref().map(|file| std::fs::read(file).unwrap());
        let http = Http::new(clock.clone(), fields.api(), &Route { ca, ..Route::default() }).unwrap();
        let setup = Setup { http: http.clone(), clock: clock.clone(), ..World::setup(fields.clone()) };
        let deed = json!({"channel": fields.channel.as_str(), "account": account, "from": column.customer, "text": "Hello"});
        let done = world.customer(deed).await;
        let address = ChannelChat {
            channel: fields.channel.as_str().parse().unwrap(),
            account: fields.name.clone(),
            chat: ExternalChat::new(done["chat_id"].as_str().unwrap()).unwrap(),
        };
        let provider = channels::make(setup.clone()).unwrap();
        let account = Account::new(fields, address.channel.clone(), provider, "made-up".into()).through(http);
        let channels = Channels::new(vec![account], None, clock.clone());
        Self { world, setup, clock, channels, address, sends_by: column.sends_by }
    }

    /// The next send goes wrong.
    async fn goes_wrong(&self, fault: &str, effect: bool) {
        let (provider, method) = self.sends_by;
        let order =
            json!({"provider": provider, "method": method, "fault": fault, "effect": effect, "times": 1});
        self.world.fault(order).await;
    }

    fn content(&self) -> Content {
        Submission::plain(ChatRef::Channel(self.address.clone()), "The same", "test").content
    }

    async fn send(&self, key: i64) -> Outcome {
        let (content, address) = (self.content(), Address::Channel(self.address.clone()));
        let part = Part::of_text(0, content.text.clone(), key);
        let (account, binding) = (&self.address.account, Binding::Unchanged);
        self.channels
            .send(Attempt { account, address: &address, part: &part, content: &content, binding })
            .await
    }

    async fn find(&self, key: i64, since: Timestamp) -> MessageLookup {
        let (content, address) = (self.content(), Address::Channel(self.address.clone()));
        let part = Part::of_text(0, content.text.clone(), key);
        let (account, binding) = (&self.address.account, Binding::Unchanged);
        let attempt = Attempt { account, address: &address, part: &part, content: &content, binding };
        self.channels.find(attempt, since).await
    }
}

#[tokio::test]
async fn a_message_is_found_though_the_clock_is_fast() {
    for (account, _) in LOOKED_AT {
        let chat = Chat::open(account).await;
        chat.clock.advance(Duration::from_mins(1));
        let since = chat.clock.now();
        chat.goes_wrong("deaf", true).await;
        let outcome = hurried(&chat.clock, Duration::from_secs(4), chat.send(1)).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{account}: {outcome:?}");
        chat.clock.advance(Duration::from_mins(1));
        // Only an answer shows how far apart the clocks are.
        let found = match chat.find(1, since).await {
            MessageLookup::CannotTell => chat.find(1, since).await,
            found => found,
        };
        assert!(matches!(found, MessageLookup::Here(_)), "{account}: {found:?}");
    }
}

#[tokio::test]
async fn a_look_says_not_there_once_the_call_is_over() {
    for (account, settles) in LOOKED_AT {
        let chat = Chat::open(account).await;
        // Another attempt began long ago.
        let since = chat.clock.now().minus(Duration::from_mins(5));
        chat.goes_wrong("cut", false).await;
        assert!(matches!(chat.send(1).await, Outcome::Unknown(_)), "{account}");
        let now = chat.clock.now();
        for ahead in [0, settles - 3] {
            chat.clock.advance(Duration::from_secs(ahead));
            assert_eq!(chat.find(1, since).await, MessageLookup::CannotTell, "{account}");
        }
        // Of what an earlier run began there is only the beginning.
        assert_eq!(chat.find(2, now).await, MessageLookup::CannotTell, "{account}");
        chat.clock.advance(Duration::from_secs(4));
        // Its answer shows that the clock has moved.
        chat.find(1, since).await;
        assert_eq!(chat.find(1, since).await, MessageLookup::NotThere, "{account}");
        assert_eq!(chat.find(2, now).await, MessageLookup::NotThere, "{account}");
    }
}

#[tokio::test]
async fn a_hold_is_lifted_once_the_clock_is_set_back() {
    for account in ["shop", "phone"] {
        let chat = Chat::open(account).await;
        let (provider, _) = chat.sends_by;
        let order = json!({"provider": provider, "fault": "rate_limit", "seconds": 3_600, "times": 1});
        chat.world.fault(order).await;
        assert!(matches!(chat.send(1).await, Outcome::Held { .. }));
        let query = Query { chat: ChatRef::Channel(chat.address.clone()), pin: None, service: None };
        let readiness = || chat.channels.candidates_now(&query).unwrap().able[0].readiness;
        chat.clock.advance(Duration::from_mins(30));
        assert!(matches!(readiness(), Readiness::HeldUntil(_)));
        chat.clock.set_back(Duration::from_hours(5));
        // The pace of its chats is kept.
        if let Readiness::HeldUntil(until) = readiness() {
            assert!(until.since(chat.clock.now()) < Duration::from_secs(2), "{until}");
        }
    }
}

#[tokio::test]
async fn what_was_sent_before_a_restart_is_no_other_message() {
    for (account, _) in LOOKED_AT {
        let chat = Chat::open(account).await;
        let data_dir = chat.world.folder.path().join("data");
        std::fs::create_dir(&data_dir).unwrap();
        let options = StoreOptions {
            data_dir: data_dir.clone(),
            url: "sqlite:switchboard.db".to_owned(),
            clock: chat.clock.clone(),
            master_key: MasterKey::File(data_dir.join("master.key")),
        };
        let store = Store::open(options).await.unwrap();
        let (ids, chance) = (Ids::new(chat.clock.clone()), Chance::from_seed(1));
        let ambient = Ambient { clock: chat.clock.clone(), ids, chance };
        let sender = std::sync::Arc::new(chat.channels.clone());
        let delivery = Delivery::new(store.clone(), sender, ambient, Limits::default());
        let since = chat.clock.now();
        let to = ChatRef::Channel(chat.address.clone());
        delivery.submit(Submission::plain(to, "The same", "test")).await.unwrap();
        let (channel, name) = (&chat.address.channel, &chat.address.account);
        let sent = async {
            while store.channels().last_sent(channel, name).await.unwrap().is_empty() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), sent).await.expect("it is sent");

        let kept = StoredValues::of_program(store, channel.clone(), name.clone()).await.unwrap();
        let restarted = channels::make(Setup { kept, ..chat.setup.clone() }).unwrap();
        let begun = text(chat.address.chat.as_str(), "The same", 2);
        assert_eq!(restarted.find(&begun, since).await, MessageLookup::NotThere, "{account}");
        let without = channels::make(chat.setup.clone()).unwrap();
        assert!(matches!(without.find(&begun, since).await, MessageLookup::Here(_)), "{account}");
    }
}
