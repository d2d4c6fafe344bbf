//! `switchboard health`: whether the running server is ready, as an exit code. The health check of the container image.

use std::time::Duration;

use hyper::Method;

use crate::Location;
use crate::output::say;

/// How long the server may take to answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Health {
    #[command(flatten)]
    location: Location,
}

impl Health {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let server = self.location.server().await?;
        server.call_within(TIMEOUT, Method::GET, "/health/ready", None).await?;
        say!("The server is ready.");
        Ok(())
    }
}
