//! Making sure that a new side works: a restart, health, a message to the owner's chat, flows rehearsed without their bots, a while in which
//! nothing is lost. What fails undoes the move.

use std::time::Duration;

use hyper::Method;
use moving::{AccountFact, Failed, Journal, Step};
use serde_json::{Value, json};
use systemd::Systemd;

use super::choices::Choices;
use super::opening::{Came, ask, came, running, word};
use super::side::{SideWork, audited, refused};

/// How long accounts may take until they are ready again, and a flow until it can be tried.
const READY: Duration = Duration::from_mins(2);

/// How often it is looked at what is waited for, and at a side that is watched.
const LOOK: Duration = Duration::from_millis(100);
const WATCH: Duration = Duration::from_secs(2);

impl SideWork {
    pub(super) async fn validate(&self, journal: &Journal, choices: &Choices) -> Result<Value, Failed> {
        let begun = self.clock.now();
        self.stop(choices.unit.as_deref()).await?;
        self.start(choices).await?;
        let not_serving = self.clock.now().since(begun);
        self.are_ready(journal).await?;
        let restarted = self.clock.now().since(begun);
        let server = running(&self.data_dir).await?;
        ask(&server, Method::GET, "/health/ready").await?;
        let at_boot = self.is_at_boot(choices).await?;
        let canary = self.canary(journal, choices).await?;
        let flows = self.flows(journal).await?;
        let pressed = self.rehearsal(journal).await?;
        let until = self.clock.now().plus(choices.watched());
        loop {
            self.states(journal).await?;
            if self.clock.now() >= until {
                break;
            }
            self.clock.sleep(WATCH.min(until.since(self.clock.now()))).await;
        }
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Ok(json!({
            "restart": { "not_serving_ms": ms(not_serving), "ms": ms(restarted) },
            "at_boot": at_boot,
            "canary": canary,
            "flows": flows,
            "pressed": pressed,
            "watched_s": choices.watch,
        }))
    }

    /// Whether all accounts are as they were; a session that is lost ends it.
    async fn states(&self, journal: &Journal) -> Result<bool, Failed> {
        let server = running(&self.data_dir).await?;
        let mut all = true;
        for AccountFact { name, state: before } in audited(journal) {
            let account = ask(&server, Method::GET, &format!("/v1/accounts/{name}")).await?;
            match came(&before, &account) {
                Came::Up => {}
                Came::NotYet => all = false,
                Came::Refused(why) => {
                    return Err(Failed::refused(format!(
                        "the session of {name} was lost on the new side: {why}"
                    )));
                }
            }
        }
        Ok(all)
    }

    /// Waits for the accounts after a restart.
    async fn are_ready(&self, journal: &Journal) -> Result<(), Failed> {
        let begun = self.clock.now();
        while !self.states(journal).await? {
            if self.clock.now().since(begun) > READY {
                let what = format!("not all accounts are ready {} s after a restart", READY.as_secs());
                return Err(Failed::refused(what));
            }
            self.clock.sleep(LOOK).await;
        }
        Ok(())
    }

    async fn is_at_boot(&self, choices: &Choices) -> Result<Value, Failed> {
        let Some(unit) = &choices.unit else { return Ok(Value::Null) };
        let status = Systemd::of_machine().status(unit).await.map_err(|error| refused(&error))?;
        if status.at_boot == "enabled" {
            Ok(status.at_boot.into())
        } else {
            Err(Failed::refused(format!("{unit} is not started at boot: it is {}", status.at_boot)))
        }
    }

    /// A message to the owner's chat; the same key each time, so that it is sent once.
    async fn canary(&self, journal: &Journal, choices: &Choices) -> Result<Value, Failed> {
        let Some(chat) = &choices.canary else { return Ok(Value::Null) };
        let text = format!("The move from {} to {} is done.", journal.old.name, journal.new.name);
        let body = json!({ "chat": chat, "text": text, "wait": 60 });
        let key = format!("canary-{}", journal.id);
        let sent = running(&self.data_dir).await?.post("/v1/messages", Some(&key), &body).await;
        let sent =
            sent.map_err(|error| Failed::refused(format!("the message to {chat} was not sent: {error:#}")))?;
        if sent["state"] != "sent" {
            let state = word(&sent["state"]);
            return Err(Failed::refused(format!("the message to {chat} was not sent: it is {state}")));
        }
        Ok(json!({ "message": sent["id"] }))
    }

    /// Each flow presses its buttons in a simulation, as many as on the old side.
    async fn rehearsal(&self, journal: &Journal) -> Result<Value, Failed> {
        let before = journal.facts(Step::AuditOld)["rehearsed"].clone();
        let now = self.rehearse_flows().await?;
        let mut pressed = Vec::new();
        for (name, on_old) in before.as_object().into_iter().flatten() {
            let on_new = now.get(name).copied();
            if on_new < on_old.as_u64() {
                return Err(Failed::refused(format!(
                    "the flow {name} pressed {on_old} buttons in a simulation on the old side, {} on the new one",
                    on_new.unwrap_or_default()
                )));
            }
            pressed.push(json!({ "flow": name, "presses": { "old": on_old, "new": on_new } }));
        }
        Ok(Value::Array(pressed))
    }

    /// What the old side could try is tried here: presses in a dry run, on the messages that there are.
    async fn flows(&self, journal: &Journal) -> Result<Value, Failed> {
        let mut tried = Vec::new();
        let before = journal.facts(Step::AuditOld)["flows"].clone();
        for (name, on_old) in before.as_object().into_iter().flatten() {
            let begun = self.clock.now();
            let presses = loop {
                match self.try_flow(name).await {
                    Ok(presses) => break presses,
                    Err(failed) if self.clock.now().since(begun) > READY => {
                        return Err(Failed::refused(format!("the flow {name} cannot be tried: {failed}")));
                    }
                    Err(_) => self.clock.sleep(LOOK).await,
                }
            };
            tried.push(json!({ "flow": name, "presses": { "old": on_old, "new": presses } }));
        }
        Ok(Value::Array(tried))
    }
}
