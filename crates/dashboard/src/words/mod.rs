//! Every word that a person reads, in English and in Russian. One struct for each page, one constant for each language, so that the
//! compiler finds what is missing.

mod accounts;
mod chats;
mod diagnostics;
mod doubt;
mod failed;
mod findings;
mod frame;
mod logs;
mod messages;
mod moment;
#[cfg(test)]
mod notions;
pub(crate) mod number;
mod operations;
mod overview;
mod refusal;
mod said;
mod settings;
mod sign_in;
mod work;

pub(crate) use accounts::{AccountFormWords, AccountsWords, ImportWords, LoginWords, Span};
pub(crate) use chats::ChatsWords;
pub(crate) use diagnostics::DiagnosticsWords;
pub(crate) use doubt::DoubtWords;
pub(crate) use failed::FailedWords;
pub(crate) use frame::FrameWords;
pub(crate) use logs::LogsWords;
pub(crate) use messages::MessagesWords;
pub(crate) use moment::{Moment, Sentence, Wall};
pub(crate) use operations::OperationsWords;
pub(crate) use overview::{Leftover, OverviewWords, reason, state};
pub(crate) use refusal::RefusalWords;
pub(crate) use said::{refused, said, wrong_field};
pub(crate) use settings::{
    AlertsWords, AuditWords, BackupsWords, KeysWords, MaintenanceWords, MeWords, PeopleWords, SettingsWords,
    browser,
};
pub(crate) use sign_in::SignInWords;
pub(crate) use work::{WorkWords, kind, pill};
