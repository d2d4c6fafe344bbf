//! `/accounts/{name}/login`: signing in. The API knows how far it is; the page shows that and sends the next step.

mod act;
mod show;

use domain::Timestamp;
use serde::Deserialize;

pub(crate) use act::act;
#[cfg(test)]
pub(crate) use show::Wizard;
pub(crate) use show::show;

/// How far a sign-in is, as the API shows it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Login {
    pub(super) state: State,
    pub(super) sent_by: Option<String>,
    pub(super) length: Option<u32>,
    pub(super) wrong: u32,
    pub(super) moved: bool,
    pub(super) next_by: Option<String>,
    pub(super) resend_at: Option<Timestamp>,
    pub(super) hint: Option<String>,
    pub(super) text: Option<String>,
    pub(super) min_age: Option<u32>,
    pub(super) url: Option<String>,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) user: Option<Person>,
    pub(super) code: Option<String>,
    pub(super) detail: Option<String>,
    pub(super) until: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    #[default]
    None,
    CodeWanted,
    PasswordWanted,
    TermsWanted,
    QrShown,
    Done,
    Failed,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Person {
    pub(super) user_id: i64,
    pub(super) username: Option<String>,
    pub(super) display_name: Option<String>,
}

impl State {
    /// Its word, for scripts and tests.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::CodeWanted => "code_wanted",
            Self::PasswordWanted => "password_wanted",
            Self::TermsWanted => "terms_wanted",
            Self::QrShown => "qr_shown",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    pub(super) const fn is_under_way(self) -> bool {
        !matches!(self, Self::None | Self::Done | Self::Failed)
    }

    /// Which of the four steps it is, counted from nought.
    pub(super) const fn step(self) -> usize {
        match self {
            Self::None | Self::Failed => 0,
            Self::CodeWanted | Self::QrShown => 1,
            Self::PasswordWanted | Self::TermsWanted => 2,
            Self::Done => 3,
        }
    }
}

impl Person {
    pub(super) fn name(&self) -> String {
        let public = self.username.as_ref().map(|name| format!("@{name}"));
        self.display_name.clone().or(public).unwrap_or_else(|| self.user_id.to_string())
    }
}
