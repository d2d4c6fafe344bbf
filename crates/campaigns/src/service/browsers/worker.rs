//! The worker of a browser profile: it opens the browser, sends from chat to chat, and opens it again when it was lost.

use std::collections::VecDeque;
use std::time::Duration;

use browser::{Failure, Limits, WebK};
use domain::{
    AccountState, AttemptState, CampaignAttemptId, CampaignSender, ProfileName, SenderState, Timestamp,
    UserId,
};
use store::{Claim, Claiming, SenderStop, StoreError, StoredAttempt, StoredProfile};

use super::carry::Carried;
use super::replies::ReadMarks;
use super::turns::Turn;
use crate::browsers::{Sickness, Trouble, is_of_the_person, trouble};
use crate::judge::stopped;
use crate::service::Inner;
use crate::service::place::Place;
use crate::service::worker::{ASK_AGAIN, Worker};

/// Until the browser is opened again after trouble; doubled each time, up to the longest.
const FIRST_BACKOFF: Duration = Duration::from_secs(2);
const LONGEST_BACKOFF: Duration = Duration::from_mins(10);
/// How many refusals in a row stop a profile: Telegram does not say why it refuses.
const MOST_REFUSED: u32 = 2;

/// How a time with an open browser ended.
enum Ended {
    /// The run is over or paused, or the profile stopped.
    Over,
    /// The browser is opened again after a while.
    Trouble(String),
    /// At once: it has another proxy now, or its open attempts are over.
    Again,
    /// Another run waits for the browser: it is opened again then.
    Rest(Timestamp),
    /// Its person does not send now, for no one knows how long.
    Waits,
}

/// What the worker remembers from browser to browser.
struct Course<'a> {
    /// It has none while its browser is broken or its person waits. Open attempts take none: other senders wait for their end.
    place: Place<'a>,
    /// Attempts without an end: read again when they are taken up, as what they say may have been written since.
    open: VecDeque<CampaignAttemptId>,
    sickness: Sickness,
    read_marks: ReadMarks,
    refused: u32,
    /// How often the browser was lost without a message sent.
    lost: u32,
}

/// Who is logged in at a profile.
struct Person {
    user_id: UserId,
    /// The accounts here that are the same person.
    accounts: Vec<CampaignSender>,
    /// Telegram restricted one of them.
    is_blocked: Option<(SenderState, &'static str)>,
    /// Its owner paused one of them, or Telegram lets it wait.
    waits: bool,
}

/// Ends what the profile has, then goes from recipient to recipient.
pub(in crate::service) async fn work(
    worker: &Worker<'_>,
    name: &ProfileName,
    open: Vec<StoredAttempt>,
    place: Place<'_>,
) -> Result<(), StoreError> {
    let (inner, campaigns) = (worker.inner, worker.inner.parts.store.campaigns());
    let mut course = Course {
        place,
        open: open.into_iter().map(|attempt| attempt.id).collect(),
        sickness: Sickness::default(),
        read_marks: ReadMarks::default(),
        refused: 0,
        lost: 0,
    };
    loop {
        if worker.pause.is_cancelled() || course.open.is_empty() && !course.place.take(worker.pause).await {
            return Ok(());
        }
        let Some(turn) = inner.turns.take(name, &inner.changed, worker.pause).await else { return Ok(()) };
        let profile = campaigns.profile(name).await?;
        let Some(profile) = profile.filter(|profile| profile.state == SenderState::Active) else {
            // No page will show it any more.
            for id in course.open {
                if let Some(attempt) = without_end(inner, id).await? {
                    inner.leave_open(&attempt).await?;
                }
            }
            return Ok(());
        };
        if course.open.is_empty() && !worker.goes_on().await? {
            return Ok(());
        }
        let waits = profile.user_id.is_some_and(|user| inner.person(user).waits);
        let ended = if waits && course.open.is_empty() {
            Ended::Waits
        } else {
            browse(worker, &profile, &turn, &mut course).await?
        };
        drop(turn);
        match ended {
            Ended::Over => return Ok(()),
            Ended::Again => {}
            Ended::Waits => {
                course.place.leave();
                worker.nap(inner.parts.clock.now().plus(ASK_AGAIN)).await;
            }
            Ended::Rest(until) => {
                // What people changed meanwhile may let it send sooner.
                let until = until.min(inner.parts.clock.now().plus(LONGEST_BACKOFF));
                while inner.parts.clock.now() < until
                    && !worker.pause.is_cancelled()
                    && worker.goes_on().await?
                {
                    worker.nap(until).await;
                }
            }
            Ended::Trouble(why) => {
                tracing::warn!(profile = %name, why, "the browser of a profile is opened again");
                let now = inner.parts.clock.now();
                campaigns.profile_went_wrong(name, &why, now).await?;
                let backoff = backoff(course.lost);
                course.lost += 1;
                course.place.leave();
                worker.nap_through(now.plus(backoff)).await;
            }
        }
    }
}

/// Until the browser is opened again that was lost so often before.
fn backoff(lost: u32) -> Duration {
    (FIRST_BACKOFF * 2_u32.saturating_pow(lost.min(16))).min(LONGEST_BACKOFF)
}

/// Works with an open browser.
async fn browse(
    worker: &Worker<'_>,
    profile: &StoredProfile,
    turn: &Turn,
    course: &mut Course<'_>,
) -> Result<Ended, StoreError> {
    let inner = worker.inner;
    let lease = match inner.lease(profile).await? {
        Ok(lease) => lease,
        Err(why) => return Ok(Ended::Trouble(why)),
    };
    let attached = WebK::attach(
        lease.session(),
        &inner.parts.browsers.web_k,
        inner.parts.clock.clone(),
        Limits::default(),
    );
    let ended = match attached.await {
        Ok(web_k) => at_the_page(worker, profile, &web_k, turn, course).await,
        Err(error) => Ok(Ended::Trouble(error.to_string())),
    };
    if let Err(error) = lease.close().await {
        tracing::warn!(profile = %profile.name, %error, "the browser of a profile does not close");
    }
    ended
}

async fn at_the_page(
    worker: &Worker<'_>,
    profile: &StoredProfile,
    web_k: &WebK<'_>,
    turn: &Turn,
    course: &mut Course<'_>,
) -> Result<Ended, StoreError> {
    let (inner, campaigns) = (worker.inner, worker.inner.parts.store.campaigns());
    let name = &profile.name;
    // What a killed program began may still be on its way in this page: once it is loaded again, nothing is.
    let arrived = if course.open.is_empty() { web_k.arrive().await } else { web_k.start_over().await };
    let user_id = match arrived {
        Ok(user_id) => user_id,
        Err(failure) => return not_there(worker, profile, web_k, failure).await,
    };
    let Some(user_id) = UserId::new(user_id) else {
        return Ok(Ended::Trouble("the page does not say who is logged in".to_owned()));
    };
    campaigns.saw_profile(name, user_id.into()).await?;
    while let Some(id) = course.open.front().copied() {
        let Some(attempt) = without_end(inner, id).await? else {
            course.open.pop_front();
            continue;
        };
        if let Err(failure) = inner.read_replies(web_k, &worker.sender, &mut course.read_marks).await? {
            return not_there(worker, profile, web_k, failure).await;
        }
        let carried = inner.carry_in_page(web_k, &attempt).await?;
        if !matches!(carried, Carried::Open(_)) {
            course.open.pop_front();
        }
        if let Some(ended) = after(worker, profile, course, &attempt, carried).await? {
            return Ok(ended);
        }
    }
    if !course.place.take_free() {
        return Ok(Ended::Again);
    }
    if let Some(until) = worker.rests_on_until().await?
        && let Some(ended) = rest_at_the_page(worker, turn, until).await
    {
        return Ok(ended);
    }
    loop {
        if worker.pause.is_cancelled() || !worker.is_active().await? {
            return Ok(Ended::Over);
        }
        let Some(plan) = worker.plan().await? else { return Ok(Ended::Over) };
        let now = inner.parts.clock.now();
        let open_at = plan.open_at(now);
        if open_at > now {
            if turn.is_wanted() {
                return Ok(Ended::Rest(open_at));
            }
            worker.nap(open_at).await;
            continue;
        }
        let person = inner.person(user_id);
        if let Some((state, why)) = person.is_blocked {
            campaigns.stop_sender(worker.sender.clone(), state, why.to_owned(), now).await?;
            return Ok(Ended::Over);
        }
        if person.waits {
            return Ok(Ended::Waits);
        }
        if inner.has_nothing_for_a_page(&worker.run.campaign).await? {
            let why = "no message of the campaign is one that a browser profile sends: add one without files, or with one \
                       picture, film or document of 16 MiB at most";
            tracing::warn!(profile = %name, campaign = %worker.run.campaign, why, "the profile claims no chat");
            campaigns.profile_went_wrong(name, why, now).await?;
            return Ok(Ended::Over);
        }
        if let Err(failure) = inner.read_replies(web_k, &worker.sender, &mut course.read_marks).await? {
            return not_there(worker, profile, web_k, failure).await;
        }
        let now = inner.parts.clock.now();
        let claiming = Claiming {
            run: worker.run.id,
            sender: worker.sender.clone(),
            id: CampaignAttemptId::from_uuid(inner.parts.ids.next()),
            caps: plan.caps,
            person: Some(person.user_id),
            counted_with: person.accounts,
            between_cycles: plan.between_cycles,
            now,
        };
        let later = match campaigns.claim(claiming).await? {
            Claim::Over => {
                inner.changed.notify_waiters();
                return Ok(Ended::Over);
            }
            Claim::Later(at) | Claim::Limited(at) => Err(at),
            Claim::Busy => Err(now.plus(ASK_AGAIN)),
            Claim::Task(attempt) => Ok(*attempt),
        };
        let attempt = match later {
            Ok(attempt) => attempt,
            Err(at) if turn.is_wanted() => return Ok(Ended::Rest(at)),
            Err(at) => {
                worker.nap(at).await;
                continue;
            }
        };
        let carried = inner.carry_in_page(web_k, &attempt).await?;
        if matches!(carried, Carried::Open(_)) {
            course.open.push_back(attempt.id);
        }
        let (rests, was_sent) =
            (matches!(carried, Carried::Ended(_)), matches!(carried, Carried::Ended(None)));
        if let Some(ended) = after(worker, profile, course, &attempt, carried).await? {
            return Ok(ended);
        }
        let until = if rests { worker.rests_until(&plan, inner.parts.clock.now()).await? } else { None };
        let ended = match until {
            Some(until) if turn.is_wanted() => {
                // A notice behind the message may still come.
                worker.nap_through(inner.parts.clock.now().plus(ASK_AGAIN)).await;
                Some(Ended::Rest(until))
            }
            Some(until) => rest_at_the_page(worker, turn, until).await,
            None => None,
        };
        if was_sent && is_warned(worker, profile, web_k).await? {
            return Ok(Ended::Over);
        }
        if let Some(ended) = ended {
            return Ok(ended);
        }
    }
}

/// Rests until then with the browser open, as long as no other run waits for it.
async fn rest_at_the_page(worker: &Worker<'_>, turn: &Turn, until: Timestamp) -> Option<Ended> {
    while worker.inner.parts.clock.now() < until && !worker.pause.is_cancelled() {
        if turn.is_wanted() {
            return Some(Ended::Rest(until));
        }
        worker.nap(until).await;
    }
    None
}

/// An attempt as it is stored now, unless it has ended.
async fn without_end(inner: &Inner, id: CampaignAttemptId) -> Result<Option<StoredAttempt>, StoreError> {
    let attempt = inner.parts.store.campaigns().attempt(id).await?;
    Ok(attempt.filter(|attempt| attempt.state == AttemptState::Claimed))
}

/// The page did not come to the list of chats: nothing is sent.
async fn not_there(
    worker: &Worker<'_>,
    profile: &StoredProfile,
    web_k: &WebK<'_>,
    failure: Failure,
) -> Result<Ended, StoreError> {
    let (inner, now) = (worker.inner, worker.inner.parts.clock.now());
    inner.keep_picture(web_k, &profile.name, None).await?;
    match trouble(&failure) {
        Some(Trouble::Stops(state, why)) => {
            let (campaigns, sender) = (inner.parts.store.campaigns(), worker.sender.clone());
            campaigns.profile_went_wrong(&profile.name, &failure.to_string(), now).await?;
            let stop = inner.stop_of(&sender, state, why.to_owned()).await?;
            campaigns.stop_senders(sender, stop, now).await?;
            // What was begun there is left as it is.
            Ok(Ended::Trouble(failure.to_string()))
        }
        Some(Trouble::Passes) | None => Ok(Ended::Trouble(failure.to_string())),
    }
}

/// Whether a notice of the server came behind the last message, a limit or a warning. Then the profile stops before its next one.
async fn is_warned(
    worker: &Worker<'_>,
    profile: &StoredProfile,
    web_k: &WebK<'_>,
) -> Result<bool, StoreError> {
    // A page that does not answer is found out by the next look at it.
    if !web_k.notice().await.unwrap_or(false) {
        return Ok(false);
    }
    let (inner, now) = (worker.inner, worker.inner.parts.clock.now());
    inner.keep_picture(web_k, &profile.name, None).await?;
    let stop = inner.stop_of(&worker.sender, SenderState::Blocked, "notice".to_owned()).await?;
    inner.parts.store.campaigns().stop_senders(worker.sender.clone(), stop, now).await?;
    Ok(true)
}

/// What follows from an attempt for the time with this browser; nothing where it goes on.
async fn after(
    worker: &Worker<'_>,
    profile: &StoredProfile,
    course: &mut Course<'_>,
    attempt: &StoredAttempt,
    carried: Carried,
) -> Result<Option<Ended>, StoreError> {
    let (inner, now) = (worker.inner, worker.inner.parts.clock.now());
    let code = match carried {
        Carried::Nothing => return Ok(None),
        Carried::Reopen(why) | Carried::Open(why) => return Ok(Some(Ended::Trouble(why))),
        Carried::Stopped => return Ok(Some(Ended::Over)),
        Carried::Ended(code) => code,
    };
    course.lost = 0;
    course.refused = if code.as_deref() == Some("refused") { course.refused + 1 } else { 0 };
    if course.refused >= MOST_REFUSED {
        tracing::warn!(profile = %profile.name, chat = %attempt.chat, "Telegram refuses what the profile sends: it stops");
        let stop = inner.stop_of(&worker.sender, SenderState::Blocked, "refused".to_owned()).await?;
        inner.parts.store.campaigns().stop_senders(worker.sender.clone(), stop, now).await?;
        return Ok(Some(Ended::Over));
    }
    course.sickness.searched(code.as_deref() != Some("chat_not_found"));
    if course.sickness.is_sick() {
        course.sickness = Sickness::default();
        return Ok(if inner.replace_proxy(profile).await? { Some(Ended::Again) } else { None });
    }
    Ok(None)
}

impl Inner {
    /// Who is logged in at a profile, as far as the accounts here show.
    fn person(&self, user_id: UserId) -> Person {
        let views = self.parts.pool.accounts();
        let same: Vec<_> = views.into_iter().filter(|view| view.user_id == Some(user_id)).collect();
        // That a session of an account is lost says nothing about the one in the browser.
        let blocks = |state| stopped(state).filter(|(state, _)| *state == SenderState::Blocked);
        let waits = |state| matches!(state, AccountState::Paused | AccountState::FloodWait);
        Person {
            user_id,
            is_blocked: same.iter().find_map(|view| blocks(view.state)),
            waits: same.iter().any(|view| waits(view.state)),
            accounts: same.into_iter().map(|view| CampaignSender::Account(view.name)).collect(),
        }
    }

    /// Who stops with a sender, in one write: with one that Telegram stopped the accounts and the profiles of its person.
    pub(in crate::service) async fn stop_of(
        &self,
        sender: &CampaignSender,
        state: SenderState,
        why: String,
    ) -> Result<SenderStop, StoreError> {
        let mut others = Vec::new();
        if is_of_the_person(state, &why) {
            let people = self.parts.store.campaigns().people_of_profiles().await?;
            let user_id = match sender {
                CampaignSender::Account(name) => self.parts.pool.account(name).and_then(|view| view.user_id),
                CampaignSender::Profile(name) => people.get(name).copied(),
            };
            if let Some(user_id) = user_id {
                others = self.person(user_id).accounts;
                let same = people.into_iter().filter(|(_, user)| *user == user_id);
                others.extend(same.map(|(name, _)| CampaignSender::Profile(name)));
            }
        }
        Ok(SenderStop { state, why, others })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_browser_is_opened_again_ever_later() {
        let seconds = [0, 1, 2, 9, 1_000].map(|lost| backoff(lost).as_secs());
        assert_eq!(seconds, [2, 4, 8, 600, 600]);
    }
}
