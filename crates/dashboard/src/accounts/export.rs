//! `/accounts/{name}/export`: how a session is taken out. It never goes through a browser; the commands do it.

use access::Right;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::{Account, find};
use crate::dashboard::Dashboard;
use crate::page::{self, refusal};
use crate::view::{Linked, Section};
use crate::visitor::Visitor;
use crate::words::{AccountFormWords, WorkWords};

#[derive(Template)]
#[template(path = "accounts/export.html")]
pub(super) struct Export<'a> {
    pub(super) words: &'static AccountFormWords,
    pub(super) work: &'static WorkWords,
    pub(super) account: &'a Account,
}

impl Export<'_> {
    fn ways(&self) -> [(&'static str, &'static str, String); 3] {
        let (words, name) = (self.words, self.account.name.as_str());
        let command = |to: String| format!("switchboard account export {name} {to}");
        [
            ("telethon", words.export_telethon, command(format!("--telethon {name}.session"))),
            ("kurigram", words.export_kurigram, command(format!("--kurigram {name}.session"))),
            ("string", words.export_string, command("--string".to_owned())),
        ]
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Response {
    if !visitor.may(Right::ExportSessions) {
        return refusal::not_allowed(&visitor);
    }
    let account = match find(&dashboard, &visitor, &name).await {
        Ok(account) => account,
        Err(answer) => return *answer,
    };
    let words = AccountFormWords::of(visitor.language);
    let title = words.export_title(account.name.as_str());
    let body = Export { words, work: WorkWords::of(visitor.language), account: &account };
    page::page(&visitor, &title, Section::Accounts, body)
}
