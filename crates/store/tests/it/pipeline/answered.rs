//! The words of answered messages, where the provider gives only the id.

use domain::outcome::SentIds;
use domain::{Address, Author, ChatId, ChatRef, InboundMedia, ReceivedMessage, Responder, TelegramMessageId};
use store::{Begin, PartSent, PipelineRules};

use super::{ANNA, BORIS, SILENCE, Written, page, started, written};
use crate::support::{World, accept, account, conformance};

conformance! {
    a_client_of_a_channel_answers_messages_of_its_chat,
    a_client_of_an_account_answers_messages_of_its_chat,
}

impl World {
    /// Takes in what was written, and lets silence follow.
    async fn takes_in(&self, rules: &PipelineRules) {
        self.work(rules).await;
        self.clock.advance(SILENCE);
        self.work(rules).await;
    }

    /// What the messages of a client answer, the first one left out.
    async fn answered(&self, address: &str, rules: &PipelineRules) -> Vec<Option<String>> {
        self.takes_in(rules).await;
        let client = self.client_of(address).await;
        let mut said = self.store.pipeline().conversation(client, &page()).await.unwrap().items;
        said.reverse();
        let of_client = said.iter().filter(|message| message.author == Author::Client).skip(1);
        of_client.map(|message| InboundMedia::reply_text(&message.media).map(ToOwned::to_owned)).collect()
    }

    /// A text is sent to a client, and its provider calls it so.
    async fn sends(
        &self,
        (sender, chat, address): (&str, ChatRef, Address),
        ids: SentIds,
        rules: &PipelineRules,
    ) {
        let mut message = self.message(1);
        message.account = Some(account(sender));
        message.chat = chat;
        message.address = Some(address.clone());
        message.content.text.text = "Come at five".to_owned();
        let id = message.id;
        self.store.outbox().accept(accept(message)).await.unwrap();
        let account = account(sender);
        let begin = Begin { account: account.clone(), address: address.clone(), ..self.begin(id, 0) };
        self.store.outbox().begin(begin).await.unwrap();
        let sent = PartSent { account, address, message_ids: ids, ..self.sent(id, 0) };
        self.store.outbox().part_sent(sent).await.unwrap();
        self.work(rules).await;
    }
}

async fn a_client_of_a_channel_answers_messages_of_its_chat(world: World) {
    let rules = started(&world, Responder::Ai).await;
    world.says(written(ANNA, "a-1")).await;
    world.says(written(BORIS, "b-1")).await;
    world.takes_in(&rules).await;
    let chat: domain::ChannelChat = ANNA.parse().unwrap();
    let to_anna = ("shop", ChatRef::Channel(chat.clone()), Address::Channel(chat));
    world.sends(to_anna, SentIds::one(Some("p-1")), &rules).await;
    for (id, answers) in [("a-2", "a-1"), ("a-3", "p-1"), ("a-4", "b-1"), ("a-5", "unknown")] {
        world.says(Written { reply_to: Some(answers), ..written(ANNA, id) }).await;
    }
    let expected = [Some("text of a-1".to_owned()), Some("Come at five".to_owned()), None, None];
    assert_eq!(world.answered(ANNA, &rules).await, expected);
}

async fn a_client_of_an_account_answers_messages_of_its_chat(world: World) {
    let rules = started(&world, Responder::Ai).await;
    let (anna, boris) = (ChatId::user(7).unwrap(), ChatId::user(8).unwrap());
    world.take(world.received(anna, 1, "When?")).await;
    world.take(world.received(boris, 2, "Where?")).await;
    world.takes_in(&rules).await;
    world.sends(("main", ChatRef::Id(anna), anna.into()), SentIds::one(Some(600_i64)), &rules).await;
    for (id, answers) in [(3, 1), (4, 600), (5, 2), (6, 9)] {
        let reply_to = TelegramMessageId::new(answers);
        world.take(ReceivedMessage { reply_to, ..world.received(anna, id, "Yes") }).await;
    }
    let expected = [Some("When?".to_owned()), Some("Come at five".to_owned()), None, None];
    assert_eq!(world.answered("telegram_account:main/7", &rules).await, expected);
}
