//! Notices to people: that clients wait for one of them, and that a conversation is theirs. Who gets which is a pure function; each
//! waiting is noted in the store before its notice leaves, so that there is one.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use config::{ControlLanguage, PipelineNotifySettings};
use domain::event::AppealEvent;
use domain::{ClientId, EventFilter, EventId, EventPattern, EventType, Timestamp};
use futures::future::BoxFuture;
use store::{StoreError, WaitingClient};

use crate::service::{Inner, Pipeline};

/// How often is looked who waits.
const LOOK: Duration = Duration::from_secs(15);
/// Clients who are looked at at once.
const MOST: u32 = 200;
/// Clients who are named in one notice.
const MOST_NAMED: usize = 10;

/// Sends notices to people.
pub trait Notices: Send + Sync + 'static {
    /// Sends a notice to a target; an error says why it was not sent.
    fn tell<'a>(
        &'a self,
        target: &'a str,
        subject: &'a str,
        text: &'a str,
    ) -> BoxFuture<'a, Result<(), String>>;
}

/// The client of a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    client: ClientId,
    name: Option<String>,
    /// None where the conversation was assigned.
    waited: Option<Duration>,
}

impl Pipeline {
    /// Has people notified, where the settings name any, until the pipeline stops. `public_url` is where the dashboard is.
    pub fn notify(&self, notices: Arc<dyn Notices>, public_url: Option<String>) {
        let inner = self.shared();
        if inner.parts.settings.enabled && !inner.parts.settings.notify.is_empty() {
            let task = inner.clone();
            inner.spawn(async move { run(&task, notices.as_ref(), public_url.as_deref()).await });
        }
    }
}

async fn run(inner: &Inner, notices: &dyn Notices, public_url: Option<&str>) {
    // What was assigned before the start is no news any more.
    let mut seen = *inner.parts.store.events().newest().borrow();
    while !inner.closing().is_cancelled() {
        if let Err(error) = look(inner, notices, public_url, &mut seen).await {
            tracing::warn!(%error, "notices wait for the store");
        }
        tokio::select! {
            () = inner.closing().cancelled() => {}
            () = inner.parts.clock.sleep(LOOK) => {}
        }
    }
}

async fn look(
    inner: &Inner,
    notices: &dyn Notices,
    public_url: Option<&str>,
    seen: &mut EventId,
) -> Result<(), StoreError> {
    let (people, now) = (&inner.parts.settings.notify, inner.parts.clock.now());
    let mut notified: Vec<Vec<Named>> = vec![Vec::new(); people.len()];
    let shortest = people.iter().map(|one| one.after).min().unwrap_or_default();
    let longest = people.iter().map(|one| one.after).max().unwrap_or_default();
    let pipeline = inner.parts.store.pipeline();
    for waiting in pipeline.unnotified(shortest, longest, MOST).await? {
        let (after, whom) = whom(people, &waiting, now);
        if after > waiting.notified_after && pipeline.notified(&waiting, after).await? {
            let name = name_of(inner, waiting.client).await?;
            let named = Named { client: waiting.client, name, waited: Some(now.since(waiting.since)) };
            for index in whom {
                notified[index].push(named.clone());
            }
        }
    }
    for (one, named) in people.iter().zip(notified).filter(|(_, named)| !named.is_empty()) {
        tell(notices, one, &words(one, &named, public_url)).await;
    }
    let filter =
        EventFilter { types: vec![EventPattern::One(EventType::AppealAssigned)], ..EventFilter::default() };
    let read = inner.parts.store.events().after(*seen, &filter, MOST).await?;
    *seen = read.up_to;
    for event in read.events {
        let Ok(assigned) = serde_json::from_str::<AppealEvent>(&event.data) else { continue };
        for one in people.iter().filter(|one| one.user.is_some() && one.user == assigned.reason) {
            let name = name_of(inner, assigned.client_id).await?;
            let named = [Named { client: assigned.client_id, name, waited: None }];
            tell(notices, one, &words(one, &named, public_url)).await;
        }
    }
    Ok(())
}

async fn tell(notices: &dyn Notices, one: &PipelineNotifySettings, (subject, text): &(String, String)) {
    if let Err(why) = notices.tell(&one.target, subject, text).await {
        tracing::warn!(to = one.target, why, "a person was not notified");
    }
}

async fn name_of(inner: &Inner, client: ClientId) -> Result<Option<String>, StoreError> {
    let known = inner.parts.store.pipeline().client(client).await?;
    Ok(known.and_then(|known| known.name.or(known.phone).or(known.email)))
}

/// Who is notified of a client who waits, by their places, and the longest time of those whose time has come.
fn whom(
    people: &[PipelineNotifySettings],
    waiting: &WaitingClient,
    now: Timestamp,
) -> (Duration, Vec<usize>) {
    let waited = now.since(waiting.since);
    let is_due = |one: &PipelineNotifySettings| one.after > waiting.notified_after && one.after <= waited;
    let is_theirs = |one: &PipelineNotifySettings| {
        one.user.is_none() || waiting.assignee.is_none() || waiting.assignee == one.user
    };
    let after = people.iter().filter(|one| is_due(one)).map(|one| one.after).max().unwrap_or_default();
    let whom = people.iter().enumerate().filter(|(_, one)| is_due(one) && is_theirs(one));
    (after, whom.map(|(index, _)| index).collect())
}

/// A notice: its subject and its text.
fn words(one: &PipelineNotifySettings, named: &[Named], public_url: Option<&str>) -> (String, String) {
    let is_russian = one.language == Some(ControlLanguage::Ru);
    let of = |english: &'static str, russian: &'static str| if is_russian { russian } else { english };
    let place = public_url.map(|url| url.trim_end_matches('/')).unwrap_or_default();
    let is_assigned = named.iter().all(|one| one.waited.is_none());
    let subject = match (is_assigned, named.len()) {
        (true, _) => of("a conversation is yours", "вам назначен разговор").to_owned(),
        (false, 1) => of("a client waits for an answer", "клиент ждёт ответа").to_owned(),
        (false, count) => format!("{}: {count}", of("clients wait for an answer", "клиенты ждут ответа")),
    };
    let mut text = String::new();
    for Named { client, name, waited } in named.iter().take(MOST_NAMED) {
        text.push_str(name.as_deref().unwrap_or(of("A client without a name", "Клиент без имени")));
        if let Some(minutes) = waited.map(|time| time.as_secs() / 60).filter(|minutes| *minutes > 0) {
            let _ = write!(text, ", {} {minutes} {}", of("for", "уже"), of("min", "мин"));
        }
        let _ = writeln!(text, "\n{place}/inbox/{client}");
    }
    if let Some(more) = named.len().checked_sub(MOST_NAMED).filter(|more| *more > 0) {
        let _ = writeln!(text, "{} {more}: {place}/inbox?sort=waiting", of("and", "и ещё"));
    }
    (subject, text)
}

#[cfg(test)]
mod tests {
    use domain::AppealId;
    use uuid::Uuid;

    use super::*;

    fn person(user: Option<&str>, minutes: u64) -> PipelineNotifySettings {
        PipelineNotifySettings {
            target: "chat".to_owned(),
            user: user.map(ToOwned::to_owned),
            after: Duration::from_mins(minutes),
            language: None,
        }
    }

    #[test]
    fn each_is_notified_once_of_what_is_theirs_or_no_ones() {
        let people = [person(None, 10), person(Some("olga"), 10), person(Some("boris"), 30)];
        let now = Timestamp::from_micros(1_760_000_000_000_000);
        let waiting = |assignee: Option<&str>, minutes: u64, notified: u64| WaitingClient {
            appeal: AppealId::from_uuid(Uuid::nil()),
            client: ClientId::from_uuid(Uuid::nil()),
            assignee: assignee.map(ToOwned::to_owned),
            since: now.minus(Duration::from_mins(minutes)),
            notified_after: Duration::from_mins(notified),
        };
        let due = |waiting: &WaitingClient| whom(&people, waiting, now);
        assert_eq!(due(&waiting(None, 5, 0)), (Duration::ZERO, vec![]));
        assert_eq!(due(&waiting(None, 10, 0)), (Duration::from_mins(10), vec![0, 1]));
        assert_eq!(due(&waiting(Some("boris"), 12, 0)), (Duration::from_mins(10), vec![0]));
        assert_eq!(due(&waiting(Some("boris"), 31, 10)), (Duration::from_mins(30), vec![2]));
        assert_eq!(due(&waiting(Some("olga"), 31, 10)), (Duration::from_mins(30), vec![]));
        assert_eq!(due(&waiting(None, 99, 30)), (Duration::ZERO, vec![]));
    }

    #[test]
    fn a_notice_names_the_client_and_leads_to_the_conversation() {
        let client = ClientId::from_uuid(Uuid::nil());
        let anna = Named { client, name: Some("Anna".to_owned()), waited: Some(Duration::from_mins(12)) };
        let url = Some("https://switchboard.example.com/");
        let (subject, text) = words(&person(None, 10), std::slice::from_ref(&anna), url);
        assert_eq!(subject, "a client waits for an answer");
        assert_eq!(text, format!("Anna, for 12 min\nhttps://switchboard.example.com/inbox/{client}\n"));
        let russian = PipelineNotifySettings { language: Some(ControlLanguage::Ru), ..person(None, 10) };
        let (subject, text) = words(&russian, &vec![anna.clone(); 12], url);
        assert_eq!(subject, "клиенты ждут ответа: 12");
        assert!(text.starts_with("Anna, уже 12 мин\n") && text.contains("и ещё 2: "), "{text}");
        let assigned = Named { waited: None, name: None, ..anna };
        let (subject, text) = words(&russian, &[assigned], None);
        assert_eq!(subject, "вам назначен разговор");
        assert_eq!(text, format!("Клиент без имени\n/inbox/{client}\n"));
    }
}
