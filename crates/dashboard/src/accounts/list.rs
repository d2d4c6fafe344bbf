//! `/accounts`: all accounts, the worst first, and the sessions that belong to no one.

use access::Right;
use api::{AccountsPage, OwnerlessSession};
use askama::Template;
use axum::extract::{Query as QueryOf, State};
use axum::response::Response;
use domain::AccountState;
use serde::Deserialize;

use super::{Account, HERE};
use crate::dashboard::Dashboard;
use crate::listing::{self, address};
use crate::page::{self, refusal::RefusalPage};
use crate::view::{Linked, Section};
use crate::visitor::Visitor;
use crate::words::{self, AccountsWords, WorkWords};

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    pub(super) q: String,
    pub(super) state: String,
    pub(super) after: String,
}

impl Query {
    pub(super) fn page_after(&self, after: &str) -> String {
        address(HERE, &[("q", &self.q), ("state", &self.state), ("after", after)])
    }

    fn is_narrow(&self) -> bool {
        !self.q.is_empty() || !self.state.is_empty()
    }

    fn call(&self) -> String {
        let pairs = [
            ("q", self.q.trim()),
            ("state", &self.state),
            ("order", "need"),
            ("cursor", &self.after),
            ("limit", "50"),
        ];
        address("/v1/accounts", &pairs)
    }
}

#[derive(Template)]
#[template(path = "accounts/list.html")]
pub(super) struct List<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static AccountsWords,
    pub(super) work: &'static WorkWords,
    pub(super) query: &'a Query,
    pub(super) found: &'a api::Page<Account>,
    pub(super) ownerless: &'a [OwnerlessSession],
    /// How many need someone, of how many.
    pub(super) numbers: (u64, u64),
    pub(super) wrong: Option<String>,
    pub(super) may_arrange: bool,
    pub(super) may_operate: bool,
}

impl List<'_> {
    fn verdict(&self) -> String {
        self.words.verdict(self.numbers.0, self.numbers.1)
    }

    fn ownerless_count(&self) -> String {
        words::number::thousands(self.ownerless.len() as u64)
    }

    fn states() -> impl Iterator<Item = &'static str> {
        AccountState::ALL.into_iter().rev().map(AccountState::as_str)
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    QueryOf(query): QueryOf<Query>,
) -> Result<Response, RefusalPage> {
    let words = AccountsWords::of(visitor.language);
    let (found, wrong) = listing::find::<AccountsPage>(&dashboard, &visitor, &query.call()).await?;
    let all = found.states.values().sum::<usize>() as u64;
    let items = found.items.into_iter().map(|account| Account::new(account, &dashboard)).collect();
    let found = api::Page { items, next_cursor: found.next_cursor };
    // They are listed below the accounts; a page of a search is about accounts alone.
    let ownerless = if query.is_narrow() || !query.after.is_empty() {
        Vec::new()
    } else {
        let path = "/v1/ownerless-sessions";
        let (listed, _) = listing::find::<api::Page<OwnerlessSession>>(&dashboard, &visitor, path).await?;
        listed.items
    };
    let body = List {
        visitor: &visitor,
        words,
        work: WorkWords::of(visitor.language),
        query: &query,
        found: &found,
        ownerless: &ownerless,
        numbers: (dashboard.accounts_in_trouble(), all),
        wrong,
        may_arrange: visitor.may(Right::ArrangeAccounts),
        may_operate: visitor.may(Right::Operate),
    };
    Ok(page::page(&visitor, words.accounts, Section::Accounts, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_becomes_a_call_and_the_next_page_keeps_it() {
        let query = Query { q: " a&b ".into(), state: "trouble".into(), after: String::new() };
        assert_eq!(query.call(), "/v1/accounts?q=a%26b&state=trouble&order=need&limit=50");
        assert_eq!(query.page_after("main"), "/accounts?q=%20a%26b%20&state=trouble&after=main");
        assert!(query.is_narrow() && !Query::default().is_narrow());
    }
}
