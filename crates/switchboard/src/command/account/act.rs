//! Starting, stopping and pausing an account. It stays so over restarts.

use domain::AccountName;
use hyper::Method;

use crate::Location;
use crate::api_client::ApiClient;
use crate::calls::Calls;
use crate::output::{say, say_json};

/// The account to switch.
#[derive(clap::Args)]
pub(super) struct Switch {
    /// The account's name
    name: AccountName,
    #[command(flatten)]
    location: Location,
    /// Print the account as JSON
    #[arg(long)]
    json: bool,
}

impl Switch {
    pub(super) async fn run(self, action: &str) -> anyhow::Result<()> {
        let api = ApiClient::open(&self.location).await?;
        let path = format!("/v1/accounts/{}/actions/{action}", self.name);
        let done = api.call(Method::POST, &path, None).await;
        let running = api.is_running();
        api.close().await;
        let account = done?;
        if self.json {
            say_json(&account);
            return Ok(());
        }
        let now = match action {
            "pause" => "is paused",
            "resume" => "has work again",
            "start" => "is started",
            "stop" => "is stopped",
            _ => "is restarted",
        };
        let when = if running { "" } else { "; it takes effect when the server runs" };
        say!("{} {now}{when}.", self.name);
        Ok(())
    }
}
