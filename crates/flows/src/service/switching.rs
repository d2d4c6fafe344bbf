//! Starting and stopping flows, kept over restarts.

use std::sync::Arc;

use config::FlowSettings;
use futures::FutureExt;
use futures::future::BoxFuture;
use store::{FlowSwitch, StoreError};
use telegram::TargetError;

use super::instance::Instance;
use super::{Flows, Inner};
use crate::control::{ControlError, FlowControl, FlowView};
use crate::rehearsal::rehearsal;
use crate::simulation::{Shown, Simulation, simulate};

/// How many messages of a chat a flow is tried on.
const LATEST: u8 = 10;

/// Why a flow is not tried on its chat.
#[derive(Debug, thiserror::Error)]
pub enum DryRunError {
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error(transparent)]
    Target(#[from] TargetError),
}

/// Why a flow is stopped that a person stopped.
const BY_HAND: &str = "by_hand";

impl Inner {
    pub(super) async fn keep_switch(
        &self,
        instance: &Instance,
        stopped: Option<String>,
    ) -> Result<(), StoreError> {
        let (flow, account) = (instance.flow_name.clone(), instance.account.clone());
        let switch = FlowSwitch { flow, account, stopped, changed_at: self.parts.clock.now() };
        self.parts.store.flow_runs().switch(switch).await
    }

    fn of_flow(&self, name: &str) -> Result<Vec<Arc<Instance>>, ControlError> {
        let all = self.roster();
        let of_flow: Vec<_> = all.all.iter().filter(|instance| instance.flow_name == name).cloned().collect();
        if of_flow.is_empty() { Err(ControlError::Unknown(name.to_owned())) } else { Ok(of_flow) }
    }
}

impl Flows {
    /// Tries a flow on messages, or on those that it hopes for, without pressing anything. Nothing where no such message can be made.
    pub fn simulate(&self, name: &str, shown: Option<&[Shown]>) -> Result<Option<Simulation>, ControlError> {
        let of_flow = self.0.of_flow(name)?;
        let instance = of_flow.first().ok_or_else(|| ControlError::Unknown(name.to_owned()))?;
        let flow = Arc::clone(instance.machine.lock().flow());
        Ok(match shown {
            Some(shown) => Some(simulate(&flow, shown)),
            None => rehearsal(&flow).map(|shown| simulate(&flow, &shown)),
        })
    }

    /// Tries a flow on the newest messages of its chat, without pressing anything.
    pub async fn dry_run(&self, name: &str) -> Result<(Vec<Shown>, Simulation), DryRunError> {
        let of_flow = self.0.of_flow(name)?;
        let instance = of_flow.first().ok_or_else(|| ControlError::Unknown(name.to_owned()))?;
        let target = match instance.target() {
            Some(target) => target,
            None => self.0.parts.pool.target(&instance.account, &instance.settings.watch).await?,
        };
        let latest = self.0.parts.pool.latest(&instance.account, &target, LATEST).await?;
        let shown: Vec<_> = latest
            .into_iter()
            .filter(|sighting| !sighting.is_own)
            .map(|sighting| Shown {
                message_id: sighting.message_id,
                text: sighting.text,
                keyboard: sighting.keyboard.map(Arc::unwrap_or_clone),
            })
            .collect();
        let flow = Arc::clone(instance.machine.lock().flow());
        let simulation = simulate(&flow, &shown);
        Ok((shown, simulation))
    }

    /// What the settings say of a flow.
    pub fn definition(&self, name: &str) -> Option<FlowSettings> {
        let roster = self.0.roster();
        roster.all.iter().find(|instance| instance.flow_name == name).map(|one| one.settings.clone())
    }

    fn view(&self, name: &str) -> Result<FlowView, ControlError> {
        self.get(name).ok_or_else(|| ControlError::Unknown(name.to_owned()))
    }
}

impl FlowControl for Flows {
    fn list(&self) -> Vec<FlowView> {
        let now = self.0.now();
        let mut views = Vec::<FlowView>::new();
        for instance in &self.0.roster().all {
            let on = instance.view(now);
            match views.iter_mut().find(|view| view.name == instance.flow_name) {
                Some(view) => view.on.push(on),
                None => views.push(FlowView {
                    name: instance.flow_name.clone(),
                    watch: instance.settings.watch.clone(),
                    steps: instance.settings.steps.len(),
                    on: vec![on],
                }),
            }
        }
        views
    }

    fn start<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<FlowView, ControlError>> {
        let inner = &self.0;
        async move {
            for instance in inner.of_flow(name)? {
                inner.keep_switch(&instance, None).await?;
                instance.machine.lock().start();
                instance.set_stopped(None);
                inner.alarms.clear(&instance.flow_name, &instance.account);
            }
            self.view(name)
        }
        .boxed()
    }

    fn stop<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<FlowView, ControlError>> {
        let inner = &self.0;
        async move {
            let all = inner.of_flow(name)?;
            // First the flow: it is to press nothing more, whatever the store says.
            for instance in &all {
                inner.carry_out(instance, None, |machine, now| machine.stop(BY_HAND, now));
                instance.set_stopped(Some(BY_HAND.to_owned()));
            }
            for instance in &all {
                inner.keep_switch(instance, Some(BY_HAND.to_owned())).await?;
            }
            self.view(name)
        }
        .boxed()
    }
}
