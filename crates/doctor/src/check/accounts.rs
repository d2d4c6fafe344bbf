//! The accounts: which of them cannot work, and what helps.

use domain::AccountName;
use domain::account::{AccountState, Reason};

use super::{finding, minute};
use crate::finding::{Code, Finding, Fix, Severity};
use crate::inside::AccountFact;
use crate::report::{Area, Section};

pub(crate) fn check(accounts: &[AccountFact]) -> Section {
    let mut section = Section::new(Area::Accounts);
    for account in accounts {
        section.fact(account.name.to_string(), format!("{} since {}", account.state, minute(account.since)));
        section.findings.extend(judge(account));
        section.findings.extend(double(account));
    }
    if accounts.is_empty() {
        section.findings.push(finding(
            Code::NoAccount,
            Severity::Warning,
            "accounts",
            "There is no account, so nothing can be sent.",
            Fix::command_and("switchboard account add main", "then `switchboard account login main`"),
        ));
    }
    section
}

/// Accounts that are one person; reported once, at the first of them by name.
fn double(account: &AccountFact) -> Option<Finding> {
    let (name, others) = (&account.name, &account.same_person_as);
    let is_first = !others.is_empty() && others.iter().all(|other| name < other);
    let words = || others.iter().map(AccountName::as_str).collect::<Vec<_>>().join(" and ");
    is_first.then(|| {
        finding(
            Code::SamePerson,
            Severity::Warning,
            format!("account {name}"),
            format!(
                "The accounts {name} and {} are the same person: a flood wait or a ban of one hits all of them.",
                words()
            ),
            Fix::advice(format!(
                "keep one of them and give it the sessions of the others, or sign in to {} as another person",
                words()
            )),
        )
    })
}

fn judge(account: &AccountFact) -> Option<Finding> {
    let name = &account.name;
    let advice = account.reason.map_or("", Reason::advice);
    let (code, severity, what, fix) = match account.state {
        AccountState::Ready | AccountState::Connecting => return None,
        AccountState::Paused => (
            Code::AccountLimited,
            Severity::Note,
            "is paused",
            Fix::command(format!("switchboard account resume {name}")),
        ),
        AccountState::Offline => (
            Code::AccountDown,
            Severity::Warning,
            "is stopped",
            Fix::command(format!("switchboard account start {name}")),
        ),
        AccountState::FloodWait => (
            Code::AccountLimited,
            Severity::Note,
            "must wait: Telegram asked it to",
            Fix::advice("nothing, as a rule: waiting messages leave by themselves when the time is over"),
        ),
        AccountState::Error => (
            Code::AccountDown,
            Severity::Error,
            "does not work",
            Fix::command_and(format!("switchboard account show {name}"), advice),
        ),
        AccountState::Restricted => (
            Code::AccountLimited,
            Severity::Warning,
            "is restricted by Telegram",
            Fix::command_and(format!("switchboard account show {name}"), advice),
        ),
        AccountState::NeedsLogin => (
            Code::AccountDown,
            Severity::Error,
            "has no session that works",
            Fix::command_and(format!("switchboard account login {name}"), advice),
        ),
        AccountState::Banned => (
            Code::AccountDown,
            Severity::Error,
            "was closed by Telegram",
            Fix::advice(if advice.is_empty() { "write to Telegram's support" } else { advice }),
        ),
    };
    let reason = account.reason.map(|reason| format!("reason: {reason}"));
    let lines = account.lines.iter().map(|(line, state, reason)| match reason {
        Some(reason) => format!("its session for {line}: {state} ({reason})"),
        None => format!("its session for {line}: {state}"),
    });
    let detail = account.detail.clone();
    Some(
        finding(code, severity, format!("account {name}"), format!("The account {name} {what}."), fix)
            .shown_by(reason.into_iter().chain(detail).chain(lines)),
    )
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    fn account(state: AccountState, reason: Option<Reason>) -> AccountFact {
        AccountFact {
            name: "main".parse().expect("a name"),
            state,
            reason,
            detail: None,
            since: Timestamp::default(),
            same_person_as: Vec::new(),
            lines: Vec::new(),
        }
    }

    #[test]
    fn two_accounts_of_one_person_are_named_once() {
        let named = |name: &str, other: &str| AccountFact {
            name: name.parse().expect("a name"),
            same_person_as: vec![other.parse().expect("a name")],
            ..account(AccountState::Ready, None)
        };
        let section = check(&[named("main", "backup_1"), named("backup_1", "main")]);
        let [found] = section.findings.as_slice() else { panic!("{:?}", section.findings) };
        assert_eq!((found.code, found.severity), (Code::SamePerson, Severity::Warning));
        assert!(found.summary.contains("backup_1 and main are the same person"), "{}", found.summary);
    }

    #[test]
    fn every_state_that_is_not_well_has_a_finding_with_a_fix() {
        for state in AccountState::ALL {
            let section = check(&[account(state, None)]);
            let well = matches!(state, AccountState::Ready | AccountState::Connecting);
            assert_eq!(section.findings.is_empty(), well, "{state}");
            assert!(section.findings.iter().all(|finding| finding.fix != Fix::Nothing), "{state}");
        }
        let needs = check(&[account(AccountState::NeedsLogin, Some(Reason::AuthKeyDuplicated))]);
        assert!(matches!(&needs.findings[0].fix, Fix::Command { command, advice }
            if command == "switchboard account login main" && advice.contains("another program")));
        assert_eq!(check(&[]).findings[0].code, Code::NoAccount);
    }
}
