//! What becomes of each session: which account it goes to and what for, or why it goes nowhere. Pure.

use domain::{AccountName, Purpose, SecretText, UserId};
use store::KeyFingerprint;

use super::account_index::{AccountIndex, ExistingAccount};
use super::plan_file::{Plan, PlannedSession};
use super::row::{SessionOutcome, SessionRow};
use crate::account::masked;

#[derive(Debug, Clone)]
pub(super) struct Subject {
    pub(super) key: KeyFingerprint,
    /// Where it is; the first is the one that is used.
    pub(super) files: Vec<String>,
    pub(super) kind: String,
    pub(super) dc_id: i32,
    pub(super) stated_user: Option<UserId>,
    pub(super) peers: usize,
}

/// Whose a session is, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Identity {
    Unasked,
    Person(Person),
    /// Telegram answered that it is no one's any more, or did not answer.
    Gone(SessionOutcome, String),
}

/// Who is signed in with a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) user_id: UserId,
    pub(super) username: Option<String>,
    pub(super) display_name: String,
    pub(super) phone: Option<String>,
}

/// What the owner wants for all sessions alike, and for single ones.
#[derive(Debug, Clone, Default)]
pub(super) struct Wishes {
    pub(super) account: Option<AccountName>,
    pub(super) purposes: Vec<Purpose>,
    pub(super) application: Option<Application>,
    pub(super) plan: Plan,
}

/// An application as my.telegram.org gives them out.
#[derive(Debug, Clone)]
pub struct Application {
    pub api_id: i32,
    pub api_hash: SecretText,
}

#[derive(Debug, Clone)]
pub(super) enum ImportAction {
    /// It becomes a session of an account.
    Join { account: AccountName, purposes: Vec<Purpose>, new: Option<NewHome> },
    /// It is kept, and belongs to no account.
    Keep,
}

/// An account that is made for a session.
#[derive(Debug, Clone)]
pub(super) struct NewHome {
    pub(super) application: Application,
    pub(super) priority: Option<u16>,
    pub(super) phone: Option<String>,
}

/// What becomes of a session, as it is shown and as it is done.
#[derive(Debug, Clone)]
pub(super) struct Decision {
    pub(super) row: SessionRow,
    pub(super) action: Option<ImportAction>,
}

impl Decision {
    /// Whether an account is made for it, which others may move into too.
    pub(super) fn makes_an_account(&self) -> bool {
        matches!(self.action, Some(ImportAction::Join { new: Some(_), .. }))
    }
}

/// Whether Telegram is to be asked about a session: not about one that is here already or that is to be left alone.
pub(super) fn needs_query(subject: &Subject, index: &AccountIndex, plan: &Plan) -> bool {
    let planned = plan.of(&subject.key.to_string(), &subject.files);
    index.holder(subject.key).is_none() && !planned.is_some_and(|planned| planned.skip)
}

/// What the plan says of sessions that are not among these: someone expects it to be heeded.
pub(super) fn unmatched(sessions: &[Subject], plan: &Plan) -> Vec<String> {
    let is_heeded = |planned: &PlannedSession| {
        sessions.iter().any(|subject| {
            plan.of(&subject.key.to_string(), &subject.files)
                .is_some_and(|heeded| std::ptr::eq(heeded, planned))
        })
    };
    let left = plan.sessions.iter().enumerate().filter(|(_, planned)| !is_heeded(planned));
    left.map(|(index, planned)| {
        let named = planned.fingerprint.as_ref().or(planned.file.as_ref()).map_or("", String::as_str);
        format!(
            "Session {} of the plan, {named}, was not heeded: it is not among these, or another one speaks for it.",
            index + 1
        )
    })
    .collect()
}

/// Decides about all sessions: first about those of which the plan says what they are for, then about the others that
/// it names, since those without instructions take what these leave; else in their order.
///
/// A session that is only kept may belong to an account that a later one shows to be its person's. So these are looked
/// at again until nothing changes: an import that is carried out leaves nothing for a second one of the same files.
pub(super) fn plan(
    sessions: &[(Subject, Identity)],
    mut index: AccountIndex,
    wishes: &Wishes,
) -> Vec<Decision> {
    let turn =
        |(subject, _): &(Subject, Identity)| match wishes.plan.of(&subject.key.to_string(), &subject.files) {
            Some(planned) if !planned.purposes.is_empty() => 0,
            Some(_) => 1,
            None => 2,
        };
    let mut order: Vec<usize> = (0..sessions.len()).collect();
    order.sort_by_key(|place| sessions.get(*place).map(turn));
    let decided = order.into_iter().filter_map(|place| {
        let (subject, whose) = sessions.get(place)?;
        Some((place, decide(subject, whose, &mut index, wishes)))
    });
    let mut decided: Vec<(usize, Decision)> = decided.collect();
    decided.sort_by_key(|(place, _)| *place);
    let mut decisions: Vec<Decision> = decided.into_iter().map(|(_, decision)| decision).collect();
    // Each turn but the last gives at least one session an account, so this ends.
    while give_homes(sessions, &mut decisions, &mut index, wishes) {}
    decisions
}

/// Looks again at those that have no account. Says whether one of them got one.
fn give_homes(
    sessions: &[(Subject, Identity)],
    decisions: &mut [Decision],
    index: &mut AccountIndex,
    wishes: &Wishes,
) -> bool {
    let mut given = false;
    for ((subject, whose), decision) in sessions.iter().zip(decisions) {
        if !index.ownerless.contains(&subject.key) {
            continue;
        }
        let again = decide(subject, whose, index, wishes);
        if matches!(again.action, Some(ImportAction::Join { .. })) {
            index.ownerless.retain(|key| *key != subject.key);
            *decision = again;
            given = true;
        }
    }
    given
}

fn decide(subject: &Subject, whose: &Identity, index: &mut AccountIndex, wishes: &Wishes) -> Decision {
    let mut row = SessionRow::of(subject);
    let planned = wishes.plan.of(&subject.key.to_string(), &subject.files);
    let nothing =
        |row: SessionRow, what, detail: String| Decision { row: row.with(what, detail), action: None };
    if planned.is_some_and(|planned| planned.skip) {
        return nothing(row, SessionOutcome::Skipped, "the plan file says so".to_owned());
    }
    if let Some(holder) = index.holder(subject.key) {
        row.account = Some(holder.name.clone());
        row.user_id = holder.user_id.or(row.user_id);
        return nothing(row, SessionOutcome::Known, format!("account {} has it already", holder.name));
    }
    let person = match whose {
        Identity::Gone(what, why) => return nothing(row, *what, why.clone()),
        Identity::Person(person) => person.clone(),
        Identity::Unasked => {
            let Some(user_id) = subject.stated_user else {
                row.account = named_by(planned, wishes).cloned();
                let why = "the file does not say whose it is; Telegram will be asked".to_owned();
                return nothing(row, SessionOutcome::Unasked, why);
            };
            Person { user_id, username: None, display_name: String::new(), phone: None }
        }
    };
    row.user_id = Some(person.user_id);
    row.username.clone_from(&person.username);
    row.display_name = Some(person.display_name.clone()).filter(|name| !name.is_empty());
    row.phone = person.phone.as_deref().map(masked);
    let may_live_here = *whose == Identity::Unasked && index.knows_some_by_phone_only();
    if may_live_here
        && index.account_of(person.user_id, None).is_none()
        && named_by(planned, wishes).is_none()
    {
        let why =
            "the file does not say its phone number, by which an account may know it; Telegram will be asked";
        return nothing(row, SessionOutcome::Unasked, why.to_owned());
    }
    let mut decision = settle(subject, row, &person, planned, index, wishes);
    if *whose == Identity::Unasked {
        let detail = decision.row.detail.take();
        let so_far = "by what the file says; Telegram will be asked";
        decision.row.detail =
            Some(detail.map_or_else(|| so_far.to_owned(), |detail| format!("{detail} ({so_far})")));
    }
    decision
}

fn settle(
    subject: &Subject,
    mut row: SessionRow,
    person: &Person,
    planned: Option<&PlannedSession>,
    index: &mut AccountIndex,
    wishes: &Wishes,
) -> Decision {
    let named = named_by(planned, wishes);
    let home = index.account_of(person.user_id, person.phone.as_deref()).map(|home| home.name.clone());
    if let (Some(home), Some(named)) = (&home, named)
        && home != named
    {
        let why = format!("it is signed in as the person of {home}; leave {named} out, or name {home}");
        row.account = Some(named.clone());
        return Decision { row: row.with(SessionOutcome::OtherPerson, why), action: None };
    }
    if let Some(name) = home.as_ref().or(named)
        && let Some(account) = index.get_mut(name)
    {
        let joined = join(subject, row, person, wanted(planned, wishes), account);
        return joined.unwrap_or_else(|spare| keep(subject, spare.row, spare.why, index));
    }
    let free = || index.free_name(person);
    let Some((name, new)) = named.cloned().or_else(free).and_then(|name| {
        let new = new_home(&name, planned, wishes)?;
        Some((name, new))
    }) else {
        let why = match named {
            Some(named) => format!("there is no account {named}; to make one, give its api_id and api_hash"),
            None => "its person has no account here; to make one, give an api_id and api_hash".to_owned(),
        };
        return keep(subject, row, why, index);
    };
    if let Some(vacant) = index.get_mut(&name) {
        let joined = join(subject, row, person, wanted(planned, wishes), vacant);
        return joined.unwrap_or_else(|spare| keep(subject, spare.row, spare.why, index));
    }
    let mut account = ExistingAccount {
        name: name.clone(),
        user_id: None,
        phone: new.phone.clone(),
        keys: Vec::new(),
        taken: Vec::new(),
        is_stored: true,
    };
    let joined = join(subject, row, person, wanted(planned, wishes), &mut account);
    let mut decision = joined.unwrap_or_else(|spare| keep(subject, spare.row, spare.why, index));
    if let Some(ImportAction::Join { new: made, .. }) = &mut decision.action {
        *made = Some(new);
        decision.row.detail = Some(format!("the account {name} is made for it"));
        index.accounts.push(account);
    }
    decision
}

fn named_by<'a>(planned: Option<&'a PlannedSession>, wishes: &'a Wishes) -> Option<&'a AccountName> {
    planned.and_then(|planned| planned.account.as_ref()).or(wishes.account.as_ref())
}

fn wanted<'a>(planned: Option<&'a PlannedSession>, wishes: &'a Wishes) -> &'a [Purpose] {
    planned
        .map(|planned| planned.purposes.as_slice())
        .filter(|purposes| !purposes.is_empty())
        .unwrap_or(&wishes.purposes)
}

/// A session that its account has no work for.
struct Spare {
    row: SessionRow,
    why: String,
}

/// Makes it a session of this account, if that is the same person's and there is something for it to do.
fn join(
    subject: &Subject,
    mut row: SessionRow,
    person: &Person,
    wanted: &[Purpose],
    account: &mut ExistingAccount,
) -> Result<Decision, Box<Spare>> {
    let name = account.name.clone();
    row.account = Some(name.clone());
    let why = if account.user_id.is_some_and(|other| other != person.user_id) {
        Some("belongs to another person")
    } else if account.is_of_another(person) {
        Some("has another phone number than the person of this session")
    } else {
        None
    };
    if let Some(why) = why {
        let why = format!("account {name} {why}; name another account, or none");
        return Ok(Decision { row: row.with(SessionOutcome::OtherPerson, why), action: None });
    }
    if let Some(taken) = wanted.iter().find(|purpose| account.taken.contains(purpose)) {
        let why =
            format!("account {name} has a session for {} already; take that one out first", taken.as_str());
        return Ok(Decision { row: row.with(SessionOutcome::Taken, why), action: None });
    }
    let mut purposes = if wanted.is_empty() { account.free() } else { wanted.to_vec() };
    purposes.sort_unstable();
    purposes.dedup();
    if purposes.is_empty() {
        let why =
            format!("the sessions of {name} do all there is to do already; this one is kept as a spare");
        return Err(Box::new(Spare { row: SessionRow { account: None, ..row }, why }));
    }
    account.user_id = Some(person.user_id);
    account.keys.push(subject.key);
    account.taken.extend(&purposes);
    row.purposes.clone_from(&purposes);
    let row = SessionRow { what: SessionOutcome::New, ..row };
    Ok(Decision { row, action: Some(ImportAction::Join { account: name, purposes, new: None }) })
}

fn keep(subject: &Subject, row: SessionRow, why: String, index: &mut AccountIndex) -> Decision {
    if index.ownerless.contains(&subject.key) {
        return Decision {
            row: row.with(SessionOutcome::Known, format!("it is kept already; {why}")),
            action: None,
        };
    }
    index.ownerless.push(subject.key);
    Decision { row: row.with(SessionOutcome::Ownerless, why), action: Some(ImportAction::Keep) }
}

/// What an account of this name is made of, if enough is said to make one.
fn new_home(name: &AccountName, planned: Option<&PlannedSession>, wishes: &Wishes) -> Option<NewHome> {
    let account = wishes.plan.account(name);
    let both = |api_id: Option<i32>, api_hash: Option<&SecretText>| {
        Some(Application { api_id: api_id?, api_hash: api_hash?.clone() })
    };
    let of_session = planned.and_then(|planned| both(planned.api_id, planned.api_hash.as_ref()));
    let of_account = || account.and_then(|account| both(account.api_id, account.api_hash.as_ref()));
    Some(NewHome {
        application: of_session.or_else(of_account).or_else(|| wishes.application.clone())?,
        priority: account.and_then(|account| account.priority),
        phone: account.and_then(|account| account.phone.clone()),
    })
}
