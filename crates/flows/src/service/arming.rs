//! Finding the chats that flows watch, and stopping flows whose accounts can do nothing any more.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use config::FlowSender;
use domain::account::Reason;
use domain::{ChatId, ChatRef};
use telegram::{Target, TargetError};

use super::instance::Instance;
use super::{Inner, Roster};
use crate::machine::Machine;

/// How soon a chat is looked for again that was not found, at first; also how soon a stop is written again.
const SOON: Duration = Duration::from_millis(500);

/// How late at most: each time is twice as long after the one before. A change of an account begins again.
const LATER: Duration = Duration::from_mins(10);

/// Changes of accounts within this are one.
const GATHER: Duration = Duration::from_millis(250);

/// When the chat of an instance is looked for again, and how long that is after the look before.
#[derive(Clone, Copy)]
struct NextLook {
    at: Duration,
    wait: Duration,
}

pub(super) async fn run(inner: Arc<Inner>) {
    let mut accounts = inner.parts.pool.changes();
    let mut look_at = HashMap::<u64, NextLook>::new();
    loop {
        inner.stop_restricted().await;
        let due = arm(&inner, &mut look_at).await;
        let now = inner.parts.clock.running();
        let wait = due.map_or(Duration::from_hours(1), |at| at.saturating_sub(now));
        tokio::select! {
            () = inner.closing.cancelled() => return,
            () = inner.unarmed.notified() => {}
            changed = accounts.changed() => {
                if changed.is_err() {
                    return;
                }
                tokio::select! {
                    () = inner.closing.cancelled() => return,
                    () = inner.parts.clock.sleep(GATHER) => {}
                }
                accounts.mark_unchanged();
                look_at.clear();
            }
            () = inner.parts.clock.sleep(wait) => {}
        }
    }
}

/// Looks for the chats that are due; says when the next one is.
async fn arm(inner: &Arc<Inner>, look_at: &mut HashMap<u64, NextLook>) -> Option<Duration> {
    let roster = inner.roster();
    let is_so_called = |chat_id| inner.parts.pool.today(chat_id) == chat_id;
    let is_armed = |instance: &Instance| instance.chat_id().is_some_and(is_so_called);
    let unarmed: Vec<_> = roster.all.iter().filter(|instance| !is_armed(instance)).collect();
    look_at.retain(|number, _| unarmed.iter().any(|instance| instance.number == *number));
    let mut is_news = false;
    for instance in unarmed {
        if instance.chat_id().is_some() {
            inner.carry_out(instance, None, Machine::forget);
            instance.set_target(Err("its group has become a supergroup".to_owned()));
        }
        let now = inner.parts.clock.running();
        let before = look_at.get(&instance.number).copied();
        if before.is_some_and(|next| now < next.at) || inner.closing.is_cancelled() {
            continue;
        }
        match look_for(inner, instance).await {
            Ok((target, senders)) => {
                instance.machine.lock().set_senders(senders);
                instance.set_target(Ok(target));
                look_at.remove(&instance.number);
                is_news = true;
            }
            Err(error) => {
                let wait = before.map_or(SOON, |next| next.wait.saturating_mul(2).min(LATER));
                look_at.insert(instance.number, NextLook { at: now.saturating_add(wait), wait });
                instance.set_target(Err(error.to_string()));
            }
        }
    }
    if is_news {
        // Of what is there now: settings may have been read again meanwhile.
        let mut roster = inner.roster.write();
        *roster = Arc::new(Roster::of(roster.all.clone()));
    }
    look_at.values().map(|next| next.at).min()
}

/// Finds the chat that a flow watches, and the ids of the senders that it names.
async fn look_for(inner: &Inner, instance: &Instance) -> Result<(Target, BTreeSet<ChatId>), TargetError> {
    let (pool, account) = (&inner.parts.pool, &instance.account);
    let target = pool.target(account, &instance.settings.watch).await?;
    let mut senders = BTreeSet::new();
    for sender in instance.settings.senders() {
        match sender {
            FlowSender::One(ChatRef::Id(id)) => drop(senders.insert(id)),
            FlowSender::One(named) => drop(senders.insert(pool.target(account, &named).await?.chat_id)),
            FlowSender::Bots | FlowSender::Anyone => {}
        }
    }
    Ok((target, senders))
}

impl Inner {
    /// Stops the flows of accounts that Telegram restricts, and notifies the alert targets.
    async fn stop_restricted(self: &Arc<Self>) {
        for instance in &self.roster().all {
            let Some(reason) = self.parts.pool.restriction(&instance.account) else { continue };
            if instance.machine.lock().is_stopped() {
                continue;
            }
            let word = restricted(reason);
            self.carry_out(instance, None, |machine, now| machine.stop(word, now));
            instance.set_stopped(Some(word.to_owned()));
            let detail = format!(
                "account {} is restricted ({reason}), so flow {} stopped; once the account works, start it: switchboard \
                 flow start {}",
                instance.account, instance.flow_name, instance.flow_name
            );
            self.alarms.raise(&instance.flow_name, &instance.account, word, detail);
            self.keep_stopped(instance, word).await;
        }
    }

    /// Keeps that an instance stopped by itself. Until the store has it, a restart would let it go on.
    pub(super) async fn keep_stopped(&self, instance: &Instance, reason: &'static str) {
        loop {
            match self.keep_switch(instance, Some(reason.to_owned())).await {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!(flow = instance.flow_name, %error, "that a flow stopped is written later");
                }
            }
            tokio::select! {
                () = self.closing.cancelled() => return,
                () = self.parts.clock.sleep(SOON) => {}
            }
        }
    }
}

const fn restricted(reason: Reason) -> &'static str {
    match reason {
        Reason::Frozen => "account_frozen",
        Reason::PeerFlood => "account_peer_flood",
        Reason::Banned => "account_banned",
        Reason::Deactivated => "account_deactivated",
        _ => "account_restricted",
    }
}
