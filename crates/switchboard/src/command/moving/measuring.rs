//! How a side does: measures of its server, what watches over it, and the report of a move.

use std::time::{Duration, Instant};

use hyper::Method;
use moving::{Audit, Compared, Failed, Journal, Measured, Step};
use serde_json::{Value, json};
use systemd::Systemd;

use super::choices::Choices;
use super::side::{SideWork, broken};
use super::{server, used_files};
use crate::control;

/// How long one call to the server may take.
const CALL: Duration = Duration::from_mins(2);

/// How often the API is asked for the median of its times.
const ROUNDS: usize = 21;

/// How many flows have their times looked at.
const MOST_FLOWS: usize = 20;

impl SideWork {
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Failed> {
        let server = control::running(&self.data_dir).await.map_err(|error| broken(&error))?;
        server.call_within(CALL, method, path, body).await.map_err(|error| broken(&error))
    }

    async fn get(&self, path: &str) -> Result<Value, Failed> {
        self.call(Method::GET, path, None).await
    }

    /// The same on both sides, so that they can be compared.
    pub(super) async fn measure(&self) -> Result<Measured, Failed> {
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            self.get("/v1/accounts?limit=1").await?;
            times.push(u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX));
        }
        let overview = self.get("/v1/overview?limit=1").await.unwrap_or_default();
        let mut presses = Vec::new();
        let flows = self.get("/v1/flows?limit=200").await.unwrap_or_default();
        for flow in flows["items"].as_array().into_iter().flatten().take(MOST_FLOWS) {
            let name = flow["name"].as_str().unwrap_or_default();
            let stats = self.get(&format!("/v1/flows/{name}/stats")).await.unwrap_or_default();
            let stages = stats["stages"].as_array().into_iter().flatten();
            presses.extend(
                stages.filter(|stage| stage["stage"] == "press").filter_map(|stage| stage["p50_us"].as_u64()),
            );
        }
        let pid = server::holder(&self.data_dir);
        Ok(Measured {
            answer_us: median(times),
            press_us: median(presses),
            sent_last_hour: overview["facts"]["sent_last_hour"].as_u64(),
            memory_bytes: pid.and_then(|pid| ::machine::resident(&::machine::Root::default(), pid)),
        })
    }

    /// What the new side does beside what the old one did; the alert targets get it.
    pub(super) async fn compare(&self, journal: &Journal) -> Result<Value, Failed> {
        let old = serde_json::from_value::<Audit>(journal.facts(Step::AuditOld).clone()).ok();
        let compared = moving::compare(
            &old.and_then(|audit| audit.measured).unwrap_or_default(),
            &self.measure().await?,
        );
        let report = self.report(journal, &compared).await;
        let packages = moving::packages_that_differ(journal);
        Ok(json!({
            "measures": compared,
            "packages": packages,
            "downtime": moving::downtime(journal),
            "report": report,
        }))
    }

    /// Reports to every alert target how it went; what became of it for each. A failed report does not undo a move.
    pub(super) async fn report(&self, journal: &Journal, compared: &[Compared]) -> Value {
        let (subject, text) = moving::report(journal, compared);
        let targets = self.get("/v1/alert-targets?limit=200").await.unwrap_or_default();
        let mut reports = Vec::new();
        for target in targets["items"].as_array().into_iter().flatten() {
            let name = target["name"].as_str().unwrap_or_default();
            let body = json!({ "subject": subject, "text": text });
            let answer =
                self.call(Method::POST, &format!("/v1/alert-targets/{name}/report"), Some(&body)).await;
            reports.push(match answer {
                Ok(answer) => {
                    json!({ "target": name, "delivered": answer["delivered"], "why": answer["why"] })
                }
                Err(failed) => json!({ "target": name, "delivered": false, "why": failed.what }),
            });
        }
        Value::Array(reports)
    }

    /// What watches over the new side from now on; nothing of it is made up here.
    pub(super) async fn monitor(&self, choices: &Choices) -> Result<Value, Failed> {
        let settings = self.settings()?;
        let targets = self.get("/v1/alert-targets?limit=200").await.unwrap_or_default();
        let (mut at_boot, mut limit) = (None, None);
        if let Some(unit) = &choices.unit {
            let manager = Systemd::of_machine();
            at_boot = manager.status(unit).await.ok().map(|status| status.at_boot);
            limit = manager.given(unit).await.ok().and_then(|given| given.memory_max);
        }
        Ok(json!({
            "log_kept_for": config::format_duration(settings.log.keep),
            "log_budget": settings.log.budget,
            "alert_targets": targets["items"].as_array().map_or(0, Vec::len),
            "at_boot": at_boot,
            "memory_limit": limit,
            "uses": used_files::used(&self.data_dir, &self.settings_file, choices.unit.as_deref()).await,
        }))
    }
}

fn median(mut values: Vec<u64>) -> Option<u64> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}
