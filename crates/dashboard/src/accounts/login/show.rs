//! The page of a sign-in: its state and the one step that comes next.

use access::Right;
use askama::Template;
use axum::extract::{Path, State as Of};
use axum::response::Response;
use http::Method;

use super::{Login, State};
use crate::accounts::{Account, find, purposes};
use crate::dashboard::Dashboard;
use crate::page::{self, QrCode, refusal, segment};
use crate::view::{Linked, Section};
use crate::visitor::Visitor;
use crate::words::{AccountsWords, LoginWords, Wall};

/// After how many seconds a QR code is asked for again where no script does: it changes, and the phone goes on.
const RENEWED: u16 = 5;

#[derive(Template)]
#[template(path = "accounts/login.html")]
pub(crate) struct Wizard<'a> {
    pub(crate) visitor: &'a Visitor,
    pub(crate) words: &'static LoginWords,
    pub(crate) list: &'static AccountsWords,
    pub(crate) wall: Wall,
    pub(crate) account: &'a Account,
    pub(crate) login: &'a Login,
    pub(crate) picture: Option<QrCode>,
}

impl Wizard<'_> {
    fn step_class(&self, at: usize) -> &'static str {
        if at < self.login.state.step() { "done" } else { "" }
    }

    fn is_at(&self, at: usize) -> bool {
        at == self.login.state.step()
    }

    /// The most characters of a code; a phrase may be long.
    fn longest_code(&self) -> u32 {
        self.login.length.unwrap_or(64).clamp(1, 64)
    }

    fn is_number(&self) -> bool {
        self.login.sent_by.as_deref() != Some("sms_words")
    }

    /// How the code can be sent now, or from when on.
    fn can_resend(&self) -> bool {
        self.login.resend_at.is_none_or(|at| at <= self.wall.now)
    }

    /// The program refused, and not Telegram.
    fn is_other_person(&self) -> bool {
        self.login.code.as_deref() == Some("other_person")
    }

    fn why(&self) -> &'static str {
        self.words.why(self.login.code.as_deref().unwrap_or_default())
    }
}

/// How far the sign-in of an account is.
pub(super) async fn ask(
    dashboard: &Dashboard,
    visitor: &Visitor,
    name: &str,
) -> Result<Login, crate::ask::Refused> {
    let path = format!("/v1/accounts/{}/login", segment(name));
    dashboard.ask::<Login>(visitor, Method::GET, &path, None).await
}

/// `GET /accounts/{name}/login`.
pub(crate) async fn show(
    Of(dashboard): Of<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Response {
    if !visitor.may(Right::Operate) {
        return refusal::not_allowed(&visitor);
    }
    let account = match find(&dashboard, &visitor, &name).await {
        Ok(account) => account,
        Err(answer) => return *answer,
    };
    let login = match ask(&dashboard, &visitor, &name).await {
        Ok(login) => login,
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    let words = LoginWords::of(visitor.language);
    let picture = login.url.as_deref().and_then(|url| QrCode::of(url).ok());
    let renew = (login.state == State::QrShown).then_some(RENEWED);
    let title = words.title(account.name.as_str());
    let body = Wizard {
        visitor: &visitor,
        words,
        list: AccountsWords::of(visitor.language),
        wall: visitor.wall(),
        account: &account,
        login: &login,
        picture,
    };
    page::moving_page(&visitor, &title, Section::Accounts, body, renew)
}
