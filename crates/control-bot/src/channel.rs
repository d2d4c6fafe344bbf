//! What people are heard and answered over: a bot, or one of the accounts.

use crate::answer::Message;
use crate::ask::Ask;
use crate::words::Language;

/// What someone asks.
#[derive(Debug)]
pub(crate) struct Request<P> {
    /// Who, by the id on Telegram.
    pub(crate) person: i64,
    pub(crate) ask: Ask,
    pub(crate) language: Language,
    /// Where the answer goes.
    pub(crate) reply_to: P,
}

/// Hears people and answers them.
pub(crate) trait Channel: Send {
    type Target: Send + Sync;

    /// The next thing that anyone asks, those who are not served too. Nothing once there is no more to come.
    fn hear(&mut self) -> impl Future<Output = Option<Request<Self::Target>>> + Send;

    /// Lets a person see that something is heard, before it is followed.
    fn let_go(&self, reply_to: &Self::Target) -> impl Future<Output = ()> + Send;

    /// Answers, once: after an unclear failure the person asks again.
    fn answer(&mut self, request: Request<Self::Target>, message: Message)
    -> impl Future<Output = ()> + Send;
}
