//! Every word that a person reads, in English and in Russian: one struct for each page, so that the compiler finds what is
//! missing.

/// Makes the words of a page: a struct with a field for each text, and its values in English and in Russian.
macro_rules! words {
    ($(#[$about:meta])* $name:ident; $($(#[$note:meta])* $word:ident$([$many:literal])?: $english:expr, $russian:expr;)*) => {
        $(#[$about])*
        pub(crate) struct $name {
            pub(crate) language: $crate::view::Language,
            $($(#[$note])* pub(crate) $word: words!(@type $($many)?),)*
        }

        impl $name {
            pub(crate) fn of(language: $crate::view::Language) -> &'static Self {
                use $crate::view::Language::{English, Russian};
                const WORDS: [$name; 2] = [
                    $name { language: English, $($word: $english,)* },
                    $name { language: Russian, $($word: $russian,)* },
                ];
                // Not each page has a sentence that hangs on the language.
                let _: fn(&Self) -> $crate::view::Language = |words| words.language;
                language.of(&WORDS[0], &WORDS[1])
            }
        }
    };
    (@type) => { &'static str };
    (@type $many:literal) => { [&'static str; $many] };
}

/// Makes sentences of a page: a method for each, with its text in English and in Russian. Numbers have their thousands
/// apart, and a noun has the form that the first argument asks for.
macro_rules! sentences {
    ($name:ident; $($sentence:ident($first:ident: $first_type:ty $(, $more:ident: $type:ty)*
        $(; $noun:ident: $english_forms:expr, $russian_forms:expr)*): $english:literal, $russian:literal;)*) => {
        impl $name {
            $(pub(crate) fn $sentence(&self, $first: $first_type $(, $more: $type)*) -> String {
                use $crate::view::Language::{English, Russian};
                use $crate::words::number::Argument;
                $(
                    let forms: (&[_], &[_]) = (&$english_forms, &$russian_forms);
                    let $noun = $crate::words::number::form(self.language, $first.count(), forms);
                )*
                let $first = $first.shown();
                $(let $more = $more.shown();)*
                match self.language {
                    English => format!($english),
                    Russian => format!($russian),
                }
            })*
        }
    };
}

mod accounts;
mod campaigns;
mod channel_login;
mod channel_settings;
mod channels;
mod chats;
mod diagnostics;
mod do_not_contact;
mod doubt;
mod failed;
mod findings;
mod flows;
mod frame;
mod inbox;
mod logs;
mod messages;
mod moment;
#[cfg(test)]
mod notions;
pub(crate) mod number;
mod operations;
mod overview;
mod pipeline;
mod profiles;
mod refusal;
mod settings;
mod sign_in;
mod translation;
mod webhooks;
mod work;

pub(crate) use accounts::{AccountFormWords, AccountsWords, ImportWords, LoginWords, Span};
pub(crate) use campaigns::CampaignsWords;
pub(crate) use channel_login::ChannelLoginWords;
pub(crate) use channel_settings::ChannelSettingsWords;
pub(crate) use channels::ChannelsWords;
pub(crate) use chats::ChatsWords;
pub(crate) use diagnostics::DiagnosticsWords;
pub(crate) use do_not_contact::DoNotContactWords;
pub(crate) use doubt::DoubtWords;
pub(crate) use failed::FailedWords;
pub(crate) use flows::FlowsWords;
pub(crate) use frame::FrameWords;
pub(crate) use inbox::InboxWords;
pub(crate) use logs::LogsWords;
pub(crate) use messages::MessagesWords;
pub(crate) use moment::{Moment, Sentence, Wall};
pub(crate) use operations::OperationsWords;
pub(crate) use overview::{Leftover, OverviewWords, reason, state};
pub(crate) use pipeline::PipelineWords;
pub(crate) use profiles::ProfilesWords;
pub(crate) use refusal::RefusalWords;
pub(crate) use settings::{
    AlertsWords, AuditWords, BackupsWords, KeysWords, MaintenanceWords, MeWords, PeopleWords, SettingsWords,
    browser,
};
pub(crate) use sign_in::SignInWords;
pub(crate) use translation::{refused, translate, wrong_field};
pub(crate) use webhooks::WebhooksWords;
pub(crate) use work::{WorkWords, kind, pill};
