//! An import from beginning to end: look, ask, decide, do.

use std::collections::HashSet;

use domain::{AccountName, FailedRequestId};
use session_files::{Found, Session};
use store::{ChatImport, ImportedChat, KeyFingerprint, StoredPeer};

use super::account_index::AccountIndex;
use super::destination::Destination;
use super::finding::{self, Findings, FoundSession};
use super::identity::{self, Question};
use super::old_registry::{self, Names, RegistryContents};
use super::planner::{self, Decision, Identity, ImportAction, Subject, Wishes};
use super::progress::{ImportStep, RunningImport};
use super::row::{ImportReport, RegistryReport, SessionOutcome, SessionRow};
use super::{ImportError, ImportOrder, peers};

/// Chats and lines in one write.
const CHUNK: usize = 500;

/// How many differences are listed one by one.
const MOST_LISTED: usize = 100;

/// Imports what is ordered.
pub(super) async fn run(
    destination: &Destination<'_>,
    order: ImportOrder,
    running: &RunningImport<'_>,
) -> Result<ImportReport, ImportError> {
    let ImportOrder { inputs, dry_run, account, purposes, application, plan } = order;
    let database = destination.store().file().to_owned();
    let reader = destination.reader();
    let looking = tokio::task::spawn_blocking(move || finding::find(&inputs, &database, &reader));
    let Findings { sessions, unreadable, registries, limits } =
        looking.await.map_err(|error| ImportError::Broken(error.to_string()))?;
    let wishes = Wishes { account, purposes, application, plan };
    let index = destination.index().await?;
    let mut report = ImportReport { dry_run, notes: limits, ..ImportReport::default() };

    let subjects: Vec<Subject> = sessions.iter().map(subject).collect();
    report.notes.extend(planner::unmatched(&subjects, &wishes.plan));
    let answers = if dry_run {
        vec![Identity::Unasked; subjects.len()]
    } else {
        ask(destination, &sessions, &subjects, &index, &wishes, running).await
    };
    let known: Vec<_> = subjects.into_iter().zip(answers).collect();
    let mut names: HashSet<AccountName> = index.accounts.iter().map(|one| one.name.clone()).collect();
    let decisions = planner::plan(&known, index, &wishes);
    running.step(ImportStep::Taking, sessions.len());
    let mut work: Vec<_> = decisions.into_iter().zip(sessions).enumerate().collect();
    // An account is there before the other sessions that are to work for it.
    work.sort_by_key(|(_, (decision, _))| !decision.makes_an_account());
    let mut rows = Vec::with_capacity(work.len());
    for (place, (decision, session)) in work {
        running.now(session.files.first());
        let mut row = decision.row.clone();
        if !dry_run {
            let person = person_of(&known, &decision);
            match perform(destination, &decision, session.found, person).await {
                // The next ones do not suffer from it.
                Err(ImportError::Refused { why, .. }) => row = row.with(SessionOutcome::Refused, why),
                done => done?,
            }
        }
        if let (Some(ImportAction::Join { account, .. }), SessionOutcome::New) = (&decision.action, row.what)
        {
            names.insert(account.clone());
        }
        let doubles: Vec<_> =
            session.files.iter().skip(1).map(|file| (place, row.double(file.clone()))).collect();
        rows.push((place, row));
        rows.extend(doubles);
        running.one_done();
    }
    // They are shown as they were found.
    rows.sort_by_key(|(place, _)| *place);
    report.sessions.extend(rows.into_iter().map(|(_, row)| row));
    report.sessions.extend(unreadable.into_iter().map(|(file, why)| SessionRow::unreadable(file, why)));

    if !registries.is_empty() {
        running.step(ImportStep::Registry, 0);
    }
    let names = Names { planned: &wishes.plan.names, accounts: &names };
    for (file, registry) in registries {
        let id = || FailedRequestId::from_uuid(destination.ids().next());
        let (takings, counted) = old_registry::sort_out(file, &registry, &names, destination.now(), id);
        report.registries.push(take_over(destination, takings, counted, dry_run).await?);
    }
    Ok(report)
}

fn subject(session: &FoundSession) -> Subject {
    let found = &session.found;
    Subject {
        key: KeyFingerprint(found.session.key.fingerprint().0),
        files: session.files.clone(),
        kind: found
            .version
            .map_or_else(|| found.kind.to_string(), |version| format!("{}, version {version}", found.kind)),
        dc_id: found.session.dc_id,
        stated_user: found.session.user_id,
        peers: found.session.peers.len(),
    }
}

fn person_of<'a>(known: &'a [(Subject, Identity)], decision: &Decision) -> Option<&'a planner::Person> {
    let of_it =
        |(subject, _): &&(Subject, Identity)| Some(subject.key.to_string()) == decision.row.fingerprint;
    match known.iter().find(of_it) {
        Some((_, Identity::Person(person))) => Some(person),
        _ => None,
    }
}

/// Asks Telegram whose the sessions are that are not here yet.
async fn ask(
    destination: &Destination<'_>,
    sessions: &[FoundSession],
    subjects: &[Subject],
    index: &AccountIndex,
    wishes: &Wishes,
    running: &RunningImport<'_>,
) -> Vec<Identity> {
    running.step(ImportStep::Asking, sessions.len());
    let mut answers = vec![Identity::Unasked; subjects.len()];
    let mut queried = Vec::new();
    let mut questions = Vec::new();
    for (place, (session, subject)) in sessions.iter().zip(subjects).enumerate() {
        if planner::needs_query(subject, index, &wishes.plan) {
            queried.push(place);
            questions.push(question(destination, &session.found.session, subject, index, wishes));
        } else {
            running.one_done();
        }
    }
    let files: Vec<_> = queried.iter().map(|place| sessions.get(*place)?.files.first()).collect();
    let answered = |question: usize| {
        running.one_done();
        // They are answered in their order; the one after it is the one that is waited for.
        running.now(files.get(question + 1).copied().flatten());
    };
    running.now(files.first().copied().flatten());
    let replies = identity::ask_all(questions, destination.clock(), answered).await;
    for (place, answer) in queried.into_iter().zip(replies) {
        answers[place] = answer;
    }
    answers
}

/// A key is shown under the application it was made with, where that is known; else under that of its account; else under
/// any of ours.
fn question(
    destination: &Destination<'_>,
    session: &Session,
    subject: &Subject,
    index: &AccountIndex,
    wishes: &Wishes,
) -> Question {
    let planned = wishes.plan.of(&subject.key.to_string(), &subject.files);
    let named = planned.and_then(|planned| planned.account.as_ref()).or(wishes.account.as_ref());
    let home = named.or_else(|| {
        let by_id = subject.stated_user.and_then(|user_id| index.account_of(user_id, None));
        by_id.map(|home| &home.name)
    });
    let own = home.and_then(|home| destination.application(home));
    let planned_account = named.and_then(|named| wishes.plan.account(named));
    let api_id = planned
        .and_then(|planned| planned.api_id)
        .or(session.api_id)
        .or_else(|| planned_account.and_then(|account| account.api_id))
        .or_else(|| own.as_ref().map(|own| own.api_id))
        .or_else(|| wishes.application.as_ref().map(|application| application.api_id))
        .or_else(|| destination.any_api_id());
    let proxy = own.and_then(|own| own.proxy);
    Question { key: destination.key(session), api_id, proxy, claims: destination.claims() }
}

/// Does what was decided about one session: peers first, the session last.
async fn perform(
    destination: &Destination<'_>,
    decision: &Decision,
    found: Found,
    person: Option<&planner::Person>,
) -> Result<(), ImportError> {
    // Nothing is done about a session whose person Telegram did not name.
    let (Some(action), Some(person)) = (&decision.action, person) else { return Ok(()) };
    match action {
        ImportAction::Join { account, purposes, new } => {
            let stored: Vec<StoredPeer> = found
                .session
                .peers
                .iter()
                .filter_map(|peer| peers::stored(peer, Some(person.user_id)))
                .collect();
            destination.take_peers(account, stored).await?;
            if let Some(new) = new {
                destination.make_account(account, new).await?;
            }
            destination.add_session(account, found.session, person, purposes).await
        }
        ImportAction::Keep => destination.keep(found.session, person, &decision.row.file).await,
    }
}

/// Takes over what there is to take of an old registry, or says what would be.
async fn take_over(
    destination: &Destination<'_>,
    takings: RegistryContents,
    mut report: RegistryReport,
    dry_run: bool,
) -> Result<RegistryReport, ImportError> {
    let imports = destination.store().imports();
    for chats in takings.chats.chunks(CHUNK) {
        let became = if dry_run {
            imports.would_take(chats.to_vec()).await?
        } else {
            imports.chats(chats.to_vec()).await?
        };
        for (chat, became) in chats.iter().zip(became) {
            if let (ChatImport::Taken(today), false) = (&became, dry_run) {
                destination.chat_was_taken(chat, *today);
            }
            count(&mut report, chat, &became);
        }
    }
    for requests in takings.requests.chunks(CHUNK) {
        let new = if dry_run {
            imports.new_failed_requests(requests.to_vec()).await?
        } else {
            imports.failed_requests(requests.to_vec()).await?
        };
        report.failed_requests_taken += new;
        report.failed_requests_known += requests.len().saturating_sub(new);
    }
    for failovers in takings.failovers.chunks(CHUNK) {
        let new = if dry_run {
            imports.new_failovers(failovers.to_vec()).await?
        } else {
            imports.failovers(failovers.to_vec()).await?
        };
        report.failovers_taken += new;
        report.failovers_left += failovers.len().saturating_sub(new);
    }
    Ok(report)
}

fn count(report: &mut RegistryReport, chat: &ImportedChat, became: &ChatImport) {
    let description = match became {
        ChatImport::Taken(_) => {
            report.chats_taken += 1;
            return;
        }
        ChatImport::Same => {
            report.chats_known += 1;
            return;
        }
        ChatImport::LeftHere => "was left here, and the registry has it in use; it stays left".to_owned(),
        ChatImport::UsedHere => "is in use here, and the registry has it left; it stays in use".to_owned(),
        ChatImport::BoundHere(account) => format!("goes through {account} here, and stays there"),
    };
    report.chats_kept_count += 1;
    if report.chats_kept.len() < MOST_LISTED {
        report.chats_kept.push(format!("{} {description}", chat.chat_id));
    }
}
