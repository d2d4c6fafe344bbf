//! The watch: takes rounds of probes, and stores what they change together with the notice.

use std::time::Duration;

use ambient::Handle;
use domain::{AlertId, AlertNoticeId, Timestamp};
use store::{NewNotice, StoredAlert};
use tokio::sync::mpsc;

use crate::alerts::Shared;
use crate::notice::Notice;
use crate::probe::Round;

/// How often notices are checked for, beside the rounds.
const LOOK: Duration = Duration::from_secs(5);

/// What is on its way into the store. Kept until the store has it, so that a store that is away loses nothing.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub(crate) alerts: Vec<StoredAlert>,
    pub(crate) notice: Option<PendingNotice>,
    /// Since when the store does not take it.
    pub(crate) refused_at: Option<Timestamp>,
}

/// A notice that is not in the store yet.
#[derive(Debug, Clone)]
pub(crate) struct PendingNotice {
    pub(crate) id: AlertNoticeId,
    pub(crate) at: Timestamp,
    pub(crate) notice: Notice,
    /// The targets, each with whether it has the notice.
    pub(crate) targets: Vec<(String, bool)>,
}

/// Runs until the alerts stop, then writes once more.
pub(crate) async fn run(shared: Handle<Shared>, mut rounds: mpsc::Receiver<Round>) {
    while !shared.closing.is_cancelled() {
        tokio::select! {
            () = shared.closing.cancelled() => {}
            Some(round) = rounds.recv() => take(&shared, &round),
            () = shared.look.notified() => {}
            () = shared.clock.sleep(LOOK) => {}
        }
        write(&shared).await;
    }
}

fn take(shared: &Shared, round: &Round) {
    let now = shared.clock.now();
    let changed = shared.state().tracker.take(round, now, || AlertId::from_uuid(shared.ids.next()));
    if changed {
        shared.bump();
    }
}

/// Brings into the store what it does not have.
async fn write(shared: &Shared) {
    loop {
        let Some(pending) = pending(shared) else { return };
        let notice = pending.notice.as_ref().map(to_row).transpose();
        let saved = match notice {
            Ok(notice) => shared.store.alerts().save(pending.alerts.clone(), notice).await,
            Err(error) => {
                // Nothing that is written here can fail to be JSON; were it so, the alerts still count.
                tracing::error!(%error, "a notice cannot be written");
                shared.store.alerts().save(pending.alerts.clone(), None).await
            }
        };
        let tells = pending.notice.is_some();
        match saved {
            Ok(()) => {
                let current = {
                    let mut state = shared.state();
                    state.tracker.settle(&pending.alerts);
                    state.pending.take().and_then(|pending| pending.notice)
                };
                shared.bump();
                record_notified_meanwhile(shared, pending.notice.as_ref(), current).await;
                if tells {
                    shared.deliver.notify_one();
                }
            }
            Err(error) => {
                tracing::warn!(%error, "alerts are not in the store yet");
                let now = shared.clock.now();
                if let Some(pending) = &mut shared.state().pending {
                    pending.refused_at.get_or_insert(now);
                }
                shared.deliver.notify_one();
                return;
            }
        }
    }
}

/// Stores which targets were notified without the store while the store took the notice after all.
async fn record_notified_meanwhile(
    shared: &Shared,
    written: Option<&PendingNotice>,
    now: Option<PendingNotice>,
) {
    let (Some(written), Some(now)) = (written, now) else { return };
    let meanwhile = now.targets.iter().zip(&written.targets).filter(|((_, now), (_, then))| *now && !*then);
    for ((name, _), _) in meanwhile {
        if let Err(error) = shared.store.alerts().delivered(name, now.id, shared.clock.now()).await {
            tracing::warn!(target = name, %error, "that a target was notified is not stored");
        }
    }
}

/// What is to be written: a notice that the store refused before, else all that is new.
fn pending(shared: &Shared) -> Option<Pending> {
    let now = shared.clock.now();
    let mut state = shared.state();
    // A notice that the store refused may have been sent already, so it stays as it is. Mere rows can be gathered again.
    let refused_at = match &state.pending {
        Some(pending) if pending.notice.is_some() => return Some(pending.clone()),
        Some(pending) => pending.refused_at,
        None => None,
    };
    let draft = state.tracker.draft(now, &state.silences, state.remind_every, &shared.server)?;
    let notice = draft.notice.map(|notice| PendingNotice {
        id: AlertNoticeId::from_uuid(shared.ids.next()),
        at: now,
        notice,
        targets: state.targets.names().into_iter().map(|name| (name, false)).collect(),
    });
    state.pending = Some(Pending { alerts: draft.alerts, notice, refused_at });
    state.pending.clone()
}

fn to_row(pending: &PendingNotice) -> Result<NewNotice, serde_json::Error> {
    Ok(NewNotice {
        id: pending.id,
        at: pending.at,
        payload: serde_json::to_string(&pending.notice)?,
        targets: pending.targets.clone(),
    })
}
