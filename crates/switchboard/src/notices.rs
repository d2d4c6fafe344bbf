//! Notices of the pipeline leave through the targets of alerts.

use alerts::Alerts;
use futures::future::BoxFuture;

/// The targets of alerts, for the pipeline.
pub(crate) struct ThroughAlerts(pub(crate) Alerts);

impl pipeline::Notices for ThroughAlerts {
    fn tell<'a>(
        &'a self,
        target: &'a str,
        subject: &'a str,
        text: &'a str,
    ) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            // What waits in the outbox is sent by it.
            self.0.report(target, subject, text).await.map(drop).map_err(|error| error.to_string())
        })
    }
}
