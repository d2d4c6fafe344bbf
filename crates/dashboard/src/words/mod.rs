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
            /// The words in a language.
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
