//! Which step of a saga comes next, and what a step's answer or refusal means for its progress. Pure.

use domain::outcome::{Failure, RejectionCode};
use domain::saga::{
    Ended, Left, Member, MemberResult, ObserverRule, Person, Progress, RegistryChange, Role, Saga, Step,
    StepAnswer, Task,
};
use domain::{ChatId, ChatKind, ChatRef, Outcome, UserId};

use domain::account::Operation;

/// Telegram invites at most so many at once.
const INVITED_AT_ONCE: usize = 100;

/// Telegram keeps so many characters of a title.
const TITLE: usize = 128;

/// What the next step depends on beside the saga.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Surroundings {
    /// The observer of the settings.
    pub(crate) observer: Option<ChatRef>,
    /// Whether the account is another than the first choice.
    pub(crate) is_backup: bool,
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Move {
    /// This step.
    Take(Step),
    /// Nothing: it is done.
    Finish,
    /// Nothing: it cannot be done.
    Fail(Failure),
}

/// The people of a task, each once, in the order of the request.
pub(crate) fn people(task: &Task) -> Vec<Member> {
    let (members, admins): (&[ChatRef], &[ChatRef]) = match task {
        Task::CreateChat { members, admins, .. } | Task::AddMembers { members, admins, .. } => {
            (members, admins)
        }
        Task::RemoveMembers { members, .. } => (members, &[]),
        Task::LeaveChat { .. } | Task::EditChat { .. } => (&[], &[]),
    };
    let mut people: Vec<Member> = Vec::with_capacity(members.len() + admins.len());
    for who in members.iter().chain(admins) {
        if people.iter().all(|one| one.who != *who) {
            let role = if admins.contains(who) { Role::Admin } else { Role::Member };
            people.push(member(who.clone(), role));
        }
    }
    people
}

const fn member(who: ChatRef, role: Role) -> Member {
    Member { who, role, person: None, result: None, detail: None, promoted: None }
}

/// The title that the chat will have.
pub(crate) fn stored_title(title: &str) -> String {
    title.chars().take(TITLE).collect()
}

/// The kind of call by which those who could do a task in a chat are chosen: that of its first step that changes
/// something.
pub(crate) fn first_operation(task: &Task) -> Operation {
    match task {
        Task::CreateChat { .. } => Operation::CreateChat,
        Task::LeaveChat { chat, remove_members: true, .. } if !is_basic(chat) => Operation::RemoveMember,
        Task::LeaveChat { .. } => Operation::Leave,
        Task::AddMembers { .. } => Operation::Invite,
        Task::RemoveMembers { .. } => Operation::RemoveMember,
        Task::EditChat { .. } => Operation::EditChat,
    }
}

fn is_basic(chat: &ChatRef) -> bool {
    matches!(chat, ChatRef::Id(id) if id.kind() == ChatKind::Group)
}

/// Whether something was changed already, so that the rest stays with the account that did it.
pub(crate) fn is_settled(saga: &Saga) -> bool {
    let progress = &saga.progress;
    match &saga.task {
        Task::CreateChat { .. } => saga.chat_id.is_some(),
        Task::LeaveChat { .. } => {
            !progress.removed.is_empty() || !progress.not_removed.is_empty() || progress.left.is_some()
        }
        Task::AddMembers { .. } => progress.invite.is_some(),
        Task::RemoveMembers { .. } => {
            progress.members.iter().any(|one| one.person.is_some() && one.result.is_some())
        }
        Task::EditChat { .. } => progress.title.is_some() || progress.about.is_some(),
    }
}

/// What comes next. For a task in a chat it is final only once the chat's id is known.
pub(crate) fn next(saga: &Saga, around: &Surroundings) -> Move {
    let progress = &saga.progress;
    let unresolved = progress.members.iter().find(|one| one.person.is_none() && one.result.is_none());
    if let Some(unresolved) = unresolved {
        return Move::Take(Step::Resolve { who: unresolved.who.clone() });
    }
    match &saga.task {
        Task::CreateChat { title, about, needs_a_member, .. } if saga.chat_id.is_none() => {
            if *needs_a_member && progress.members.iter().all(|one| one.person.is_none()) {
                return Move::Fail(Failure::Rejected { provider_code: RejectionCode::NoResolvableUsers });
            }
            Move::Take(Step::Create { title: stored_title(title), about: about.clone() })
        }
        Task::CreateChat { observer, .. } => after_create(progress, *observer, around),
        Task::LeaveChat { remove_members, keep_own, .. } => leave(saga, *remove_members, *keep_own),
        Task::AddMembers { .. } => {
            invite(progress).or_else(|| promote(progress)).map_or(Move::Finish, Move::Take)
        }
        Task::RemoveMembers { .. } => {
            let left = progress.members.iter().filter(|one| one.result.is_none());
            let user = left.filter_map(|one| one.person.as_ref()).map(|person| person.user_id).next();
            user.map_or(Move::Finish, |user| Move::Take(Step::Remove { user }))
        }
        Task::EditChat { title, about, .. } => {
            let title = title.as_ref().filter(|_| progress.title.is_none());
            let about = about.as_ref().filter(|_| progress.about.is_none());
            match (title, about) {
                (Some(title), _) => Move::Take(Step::SetTitle { title: stored_title(title) }),
                (None, Some(about)) => Move::Take(Step::SetAbout { about: about.clone() }),
                (None, None) => Move::Finish,
            }
        }
    }
}

fn after_create(progress: &Progress, rule: ObserverRule, around: &Surroundings) -> Move {
    if progress.open_history.is_none() {
        return Move::Take(Step::OpenHistory);
    }
    if let Some(step) = invite(progress).or_else(|| promote(progress)) {
        return Move::Take(step);
    }
    if let Some(observer) = missing_observer(progress, rule, around) {
        return Move::Take(Step::Resolve { who: observer });
    }
    if progress.export_link.is_none() { Move::Take(Step::ExportLink) } else { Move::Finish }
}

/// The observer, if they are to be invited and nothing was tried yet.
fn missing_observer(progress: &Progress, rule: ObserverRule, around: &Surroundings) -> Option<ChatRef> {
    let wanted = match rule {
        ObserverRule::Never => false,
        ObserverRule::Always => true,
        ObserverRule::ByBackups => around.is_backup,
    };
    let observer = around.observer.as_ref().filter(|_| wanted)?;
    let known = progress.members.iter().any(|one| one.role == Role::Observer || one.who == *observer);
    (!known).then(|| observer.clone())
}

/// The next invitation: no one twice, though named twice.
fn invite(progress: &Progress) -> Option<Step> {
    let mut users: Vec<UserId> = Vec::new();
    for one in progress.members.iter().filter(|one| one.result.is_none()) {
        let Some(person) = &one.person else { continue };
        if users.len() < INVITED_AT_ONCE && !users.contains(&person.user_id) {
            users.push(person.user_id);
        }
    }
    (!users.is_empty()).then_some(Step::Invite { users })
}

fn promote(progress: &Progress) -> Option<Step> {
    let one = progress.members.iter().find(|one| is_to_be_promoted(one))?;
    one.person.as_ref().map(|person| Step::Promote { user: person.user_id })
}

fn is_to_be_promoted(one: &Member) -> bool {
    let wanted = match one.role {
        Role::Admin => true,
        Role::Member => one.person.as_ref().is_some_and(|person| person.is_bot),
        Role::Observer => false,
    };
    let is_in = matches!(one.result, Some(MemberResult::Added | MemberResult::Already));
    wanted && is_in && one.promoted.is_none()
}

fn leave(saga: &Saga, remove_members: bool, keep_own: bool) -> Move {
    let progress = &saga.progress;
    if progress.left.is_some() {
        return Move::Finish;
    }
    let basic = saga.chat_id.is_none_or(|chat_id| chat_id.kind() != ChatKind::Channel);
    if remove_members && !basic {
        let Some(to_remove) = &progress.to_remove else { return Move::Take(Step::ListMembers { keep_own }) };
        let past = progress.removed.len() + progress.not_removed.len();
        if let Some(user) = to_remove.get(past) {
            return Move::Take(Step::Remove { user: *user });
        }
    }
    Move::Take(Step::Leave)
}

/// Whether an answer is one that this step can have.
pub(crate) const fn fits(step: &Step, answer: &StepAnswer) -> bool {
    matches!(
        (step, answer),
        (Step::Resolve { .. }, StepAnswer::Resolved { .. })
            | (Step::Create { .. }, StepAnswer::Created { .. })
            | (Step::ExportLink, StepAnswer::Link { .. })
            | (Step::ListMembers { .. }, StepAnswer::Members { .. })
            | (Step::Invite { .. }, StepAnswer::Invited { .. })
            | (
                Step::Invite { .. }
                    | Step::OpenHistory
                    | Step::Promote { .. }
                    | Step::Remove { .. }
                    | Step::Leave
                    | Step::SetTitle { .. }
                    | Step::SetAbout { .. },
                StepAnswer::Done
            )
    )
}

/// Takes what a step brought into the progress. Making a chat and leaving one are never refused this way: there the
/// refusal is the end of the whole.
pub(crate) fn record(saga: &mut Saga, step: &Step, brought: Result<&StepAnswer, &Outcome>) {
    let chat_id = saga.chat_id;
    let removes_everybody = matches!(saga.task, Task::LeaveChat { .. });
    let is_new = matches!(saga.task, Task::CreateChat { .. });
    let progress = &mut saga.progress;
    match step {
        Step::Resolve { who } => resolved(progress, who, brought),
        Step::Create { .. } => {
            if let Ok(StepAnswer::Created { chat_id }) = brought {
                saga.chat_id = Some(*chat_id);
            }
        }
        Step::OpenHistory => progress.open_history = Some(ended(brought)),
        Step::Invite { users } => {
            invited(progress, users, brought);
            if is_new {
                // No one was in it before: the one who is in it already came with an invitation whose answer was lost.
                let already = |one: &&mut Member| one.result == Some(MemberResult::Already);
                progress
                    .members
                    .iter_mut()
                    .filter(already)
                    .for_each(|one| one.result = Some(MemberResult::Added));
            }
        }
        Step::Promote { user } => {
            let ended = ended(brought);
            for one in &mut progress.members {
                if one.person.as_ref().is_some_and(|person| person.user_id == *user) && is_to_be_promoted(one)
                {
                    one.promoted = Some(ended.clone());
                }
            }
        }
        Step::ExportLink => {
            if let Ok(StepAnswer::Link { link }) = brought {
                progress.invite_link = Some(link.clone());
            }
            progress.export_link = Some(ended(brought));
        }
        Step::ListMembers { .. } => {
            let mut users = match brought {
                Ok(StepAnswer::Members { users }) => users.clone(),
                _ => Vec::new(),
            };
            users.sort_unstable();
            users.dedup();
            progress.to_remove = Some(users);
        }
        Step::Remove { user } if removes_everybody => removed_before_leaving(progress, *user, brought),
        Step::Remove { user } => removed(progress, *user, brought),
        Step::Leave => {
            if brought.is_ok() {
                progress.left = Some(match chat_id.map(ChatId::kind) {
                    Some(ChatKind::Channel) => Left::Channel,
                    _ => Left::BasicChat,
                });
            }
        }
        Step::SetTitle { .. } => progress.title = Some(ended(brought)),
        Step::SetAbout { .. } => progress.about = Some(ended(brought)),
    }
}

/// Forgets who the people are: what one account knows of them is of no use to another.
pub(crate) fn forget_people(saga: &mut Saga) {
    saga.progress.members = people(&saga.task);
    saga.progress.to_remove = None;
}

/// An outcome in words.
pub(crate) fn why(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Held { until, .. } => {
            format!("flood wait until {}", until.to_the_second())
        }
        other => other.detail().unwrap_or_else(|| other.word().to_owned()),
    }
}

/// A refusal after a lost answer: it says nothing about the earlier attempt, and the one who reads it should know.
pub(crate) fn after_lost_answer(outcome: &Outcome) -> Outcome {
    let detail = format!("{}; an earlier attempt may have been done", why(outcome));
    match outcome {
        Outcome::NotFound(_) => Outcome::NotFound(detail),
        Outcome::Forbidden(_) => Outcome::Forbidden(detail),
        Outcome::NotInChat(_) => Outcome::NotInChat(detail),
        Outcome::Rejected { .. } => Outcome::Rejected { code: detail.into() },
        _ => Outcome::Unavailable(detail),
    }
}

fn ended(brought: Result<&StepAnswer, &Outcome>) -> Ended {
    match brought {
        Ok(_) => Ended::Ok,
        Err(outcome) => Ended::Refused { why: why(outcome) },
    }
}

fn resolved(progress: &mut Progress, who: &ChatRef, brought: Result<&StepAnswer, &Outcome>) {
    let place = progress.members.iter().position(|one| one.who == *who).unwrap_or_else(|| {
        // No one else is asked for who was not in the request.
        progress.members.push(member(who.clone(), Role::Observer));
        progress.members.len() - 1
    });
    let (person, result, detail) = match brought {
        Ok(StepAnswer::Resolved { person: Some(person) }) => (Some(person.clone()), None, None),
        Ok(_) => (None, Some(MemberResult::NotFound), None),
        Err(Outcome::NotFound(detail)) => (None, Some(MemberResult::NotFound), Some(detail.clone())),
        Err(outcome) => (None, Some(MemberResult::Failed), Some(why(outcome))),
    };
    // Someone who was named in another way before has had their invitation.
    let same = person.as_ref().and_then(|person| had(progress, person));
    if let Some(one) = progress.members.get_mut(place) {
        one.person = person;
        (one.result, one.detail) = same.unwrap_or((result, detail));
    }
}

/// What became of this person under another name.
fn had(progress: &Progress, person: &Person) -> Option<(Option<MemberResult>, Option<String>)> {
    let same = |one: &&Member| one.person.as_ref().is_some_and(|other| other.user_id == person.user_id);
    let one = progress.members.iter().filter(same).find(|one| one.result.is_some())?;
    Some((one.result, one.detail.clone()))
}

fn invited(progress: &mut Progress, users: &[UserId], brought: Result<&StepAnswer, &Outcome>) {
    for one in progress.members.iter_mut().filter(|one| one.result.is_none()) {
        let Some(person) = &one.person else { continue };
        let waits =
            matches!(brought, Ok(StepAnswer::Invited { pending, .. }) if pending.contains(&person.user_id));
        if waits || !users.contains(&person.user_id) {
            continue;
        }
        let missing = match brought {
            Ok(StepAnswer::Invited { missing, .. }) => {
                missing.iter().find(|one| one.user_id == person.user_id)
            }
            _ => None,
        };
        (one.result, one.detail) = match (brought, missing) {
            (Err(outcome), _) => (Some(MemberResult::Failed), Some(why(outcome))),
            (Ok(_), Some(missing)) => (Some(missing.result), missing.detail.clone()),
            (Ok(_), None) => (Some(MemberResult::Added), None),
        };
    }
    if !matches!(progress.invite, Some(Ended::Refused { .. })) {
        progress.invite = Some(ended(brought));
    }
}

fn removed(progress: &mut Progress, user: UserId, brought: Result<&StepAnswer, &Outcome>) {
    for one in &mut progress.members {
        if one.result.is_none() && one.person.as_ref().is_some_and(|person| person.user_id == user) {
            (one.result, one.detail) = match brought {
                Ok(_) => (Some(MemberResult::Removed), None),
                Err(outcome) => (Some(MemberResult::Failed), Some(why(outcome))),
            };
        }
    }
}

fn removed_before_leaving(progress: &mut Progress, user: UserId, brought: Result<&StepAnswer, &Outcome>) {
    let Err(outcome) = brought else {
        progress.removed.push(user);
        return;
    };
    let past = progress.removed.len() + progress.not_removed.len();
    let left = progress.to_remove.as_deref().unwrap_or_default().get(past..).unwrap_or_default();
    // A missing right or a long wait is the same for everybody who is left.
    let refused = if is_about_one_user(outcome) { left.get(..1).unwrap_or_default() } else { left };
    let why = why(outcome);
    let refused: Vec<_> = refused.iter().map(|user| (*user, why.clone())).collect();
    progress.not_removed.extend(refused);
}

/// Whether a refusal to remove someone says nothing about the others.
pub(crate) fn is_about_one_user(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Rejected { .. } | Outcome::NotFound(_) => true,
        // Telegram's words for someone who is out of reach: USER_ADMIN_INVALID, USER_CREATOR and the like.
        Outcome::Forbidden(why) => why.contains("USER_") || why.contains("PARTICIPANT_"),
        _ => false,
    }
}

/// What a step's answer changes in the registry of chats.
pub(crate) fn registry(saga: &Saga, step: &Step, answer: &StepAnswer) -> Option<RegistryChange> {
    let chat_id = saga.chat_id?;
    match (step, answer) {
        (Step::Create { title, about }, _) => Some(RegistryChange::Created {
            chat_id,
            title: title.clone(),
            about: about.clone(),
            account: saga.account.clone()?,
        }),
        (Step::ExportLink, StepAnswer::Link { link }) => {
            Some(RegistryChange::Linked { chat_id, link: link.clone() })
        }
        (Step::Leave, _) => Some(RegistryChange::Left { chat_id }),
        (Step::SetTitle { title }, _) => {
            Some(RegistryChange::Edited { chat_id, title: Some(title.clone()), about: None })
        }
        (Step::SetAbout { about }, _) => {
            Some(RegistryChange::Edited { chat_id, title: None, about: Some(about.clone()) })
        }
        _ => None,
    }
}
