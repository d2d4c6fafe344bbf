//! How the contacts and the writer of a message that a program hands in are proved.

use channels::Nature;
use domain::phone::e164;
use domain::{ChannelName, ChatType, ContactProof, ExternalChat, ProvedContact};
use serde_json::Value;

use super::place::stated;
use super::{is_true, known};

/// What a program says of the proofs of a message.
#[derive(Clone, Copy)]
pub(super) struct Verified<'a> {
    pub(super) body: &'a Value,
    /// Whether it may vouch for contacts.
    pub(super) may_vouch: bool,
}

impl Verified<'_> {
    /// Whether the program vouches for something, and may do so.
    pub(super) fn says(self, field: &str) -> bool {
        self.may_vouch && is_true(&self.body[field])
    }

    /// Whether only the word of a program that may not vouch says that a user writes in a private chat of a provider. Such a program
    /// could name another user and read that user's messages in a chat of its own. The users of a channel of one's own are the
    /// program's.
    pub(super) fn is_user_stated(
        self,
        channel: &ChannelName,
        nature: &Nature,
        (chat, chat_type): (&ExternalChat, ChatType),
        user: Option<&str>,
    ) -> bool {
        let chat = chat.as_str();
        let number = |address: &str| (nature.number)(address);
        let is_its = |own: &str, user: &str| {
            [own, chat].contains(&user) || number(chat).is_some_and(|it| number(user) == Some(it))
        };
        let is_of_user = (nature.user)(chat).is_some_and(|own| user.is_none_or(|user| is_its(own, user)));
        let is_doubted = stated(&self.body["sender_verified"]) == Some(false);
        nature.sender_proof == ContactProof::ChannelId
            && channel.is_of_provider()
            && chat_type == ChatType::Private
            && !(self.may_vouch || is_of_user || is_doubted)
    }

    /// How the writer's id was proved. The sender of a mail can be forged, so the program has to say that it was authenticated. An id in
    /// the form of a mail address may come from such a mail in a channel of one's own, too.
    pub(super) fn sender(self, channel: &ChannelName, nature: &Nature, id: &str) -> ContactProof {
        let is_like_mail = || !channel.is_of_provider() && id.find('@').is_some_and(|place| place > 0);
        match nature.sender_proof {
            _ if stated(&self.body["sender_verified"]) == Some(false) => ContactProof::Typed,
            ContactProof::Mail if self.says("client_email_verified") => ContactProof::Mail,
            ContactProof::Mail => ContactProof::Typed,
            _ if is_like_mail() && !self.says("sender_verified") => ContactProof::Typed,
            proof => proof,
        }
    }

    /// The writer's number. It is the id in the channel where that is a number; other numbers are typed, unless the program says that
    /// the provider vouches for them.
    pub(super) fn phone(
        self,
        nature: &Nature,
        chat: &ExternalChat,
        sender_proof: ContactProof,
    ) -> Option<ProvedContact> {
        let typed = known(&self.body["client_phone"])?;
        let value = e164(&typed).unwrap_or(typed);
        let is_sender = (nature.number)(chat.as_str()).is_some_and(|number| number == value);
        let proof = if is_sender && sender_proof.is_proved() {
            ContactProof::ChannelId
        } else if self.says("client_phone_verified") {
            ContactProof::Provider
        } else {
            ContactProof::Typed
        };
        Some(ProvedContact { value, proof })
    }

    /// The writer's address. An authenticated mail proves the address that it came from.
    pub(super) fn email(
        self,
        nature: &Nature,
        chat: &ExternalChat,
        sender_proof: ContactProof,
    ) -> Option<ProvedContact> {
        let value = known(&self.body["client_email"])?;
        let is_sender = nature.sender_proof == ContactProof::Mail
            && chat.as_str().split('#').next().is_some_and(|address| address.eq_ignore_ascii_case(&value));
        let proof = match sender_proof {
            ContactProof::Mail if is_sender => ContactProof::Mail,
            _ if self.says("client_email_verified") && !is_sender => ContactProof::Provider,
            _ => ContactProof::Typed,
        };
        Some(ProvedContact { value, proof })
    }
}
