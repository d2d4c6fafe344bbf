//! `switchboard master-key`: the key to what is sealed in the store.

use clap::Subcommand;
use hyper::Method;

use crate::api_client::ApiOptions;
use crate::table::cell;

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct MasterKeyCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make another key, seal every secret with it, and replace the old one
    #[command(
        after_help = "The server works on meanwhile. If it is interrupted, the next start finishes it; until then both \
            keys are in the data directory. Afterwards the old key opens nothing but backups made before: keep a \
            copy of it as long as you keep those, and make a copy of the new one.\n\n\
            Examples:\n  switchboard master-key rotate"
    )]
    Rotate(ApiOptions),
}

impl MasterKeyCommand {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let Action::Rotate(options) = self.action;
        options
            .call(Method::POST, "/v1/master-key/rotate", None, |answer| {
                format!(
                    "The master key was replaced; {} secrets are sealed with the new one. Make a copy of master.key, and \
                     keep the old copy as long as backups that were made before.",
                    cell(answer, "fields")
                )
            })
            .await
    }
}
