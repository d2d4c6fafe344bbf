//! What customers write, as their providers report it.

use domain::{
    ChannelChat, ChatType, ContactProof, ExternalChat, InboundChange, InboundEvent, InboundMedia,
    InboundMessage, MessageOrigin, ProvedContact,
};
use store::TakenFromChannel;

use crate::support::World;

/// A message as a customer writes it.
pub(super) struct Written<'a> {
    pub(super) address: &'a str,
    pub(super) id: &'a str,
    /// The id of the writer; left out: one of the chat.
    pub(super) user: Option<&'a str>,
    pub(super) sender_proof: ContactProof,
    /// What the provider vouches for; of a form it is typed.
    pub(super) phone: Option<&'a str>,
    pub(super) email: Option<&'a str>,
    pub(super) email_proof: ContactProof,
    pub(super) origin: MessageOrigin,
    pub(super) voice: Option<InboundMedia>,
    pub(super) chat_type: ChatType,
    pub(super) group: Option<&'a str>,
    pub(super) mentions_us: bool,
    /// The id of the message that it answers.
    pub(super) reply_to: Option<&'a str>,
}

pub(super) fn written<'a>(address: &'a str, id: &'a str) -> Written<'a> {
    let is_form = address.starts_with("form:");
    Written {
        address,
        id,
        user: None,
        sender_proof: if is_form { ContactProof::Typed } else { ContactProof::ChannelId },
        phone: None,
        email: None,
        email_proof: ContactProof::Typed,
        origin: MessageOrigin::Person,
        voice: None,
        chat_type: ChatType::Private,
        group: None,
        mentions_us: false,
        reply_to: None,
    }
}

impl World {
    pub(super) async fn says(&self, written: Written<'_>) {
        let ChannelChat { channel, account, chat } = written.address.parse().unwrap();
        let message = InboundMessage {
            media: written.voice.into_iter().collect(),
            origin: written.origin,
            user: Some(written.user.map_or_else(|| format!("user of {}", chat.as_str()), ToOwned::to_owned)),
            sender_proof: written.sender_proof,
            name: Some("Anna".to_owned()),
            phone: written.phone.map(|phone| {
                let is_form = written.address.starts_with("form:");
                let proof = if is_form { ContactProof::Typed } else { ContactProof::Provider };
                ProvedContact::new(phone, proof)
            }),
            email: written.email.map(|email| ProvedContact::new(email, written.email_proof)),
            group: written.group.and_then(ExternalChat::new),
            mentions_us: written.mentions_us,
            reply_to: written.reply_to.map(ToOwned::to_owned),
            ..InboundMessage::of(
                written.chat_type,
                chat,
                written.id,
                format!("text of {}", written.id),
                self.now(),
            )
        };
        let change = InboundChange::Message(Box::new(message));
        let events = vec![InboundEvent { key: written.id.to_owned(), change }];
        let taken = TakenFromChannel { channel, account, events, cursor: None, stores_files: false };
        self.store.channels().take(taken).await.unwrap();
    }
}
