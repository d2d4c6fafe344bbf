//! `switchboard sandbox`: the simulated Telegram alone.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;

use crate::output::say;

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct SandboxCommand {
    /// The directory for switchboard.toml and the keys [default: a new temporary directory]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// The number of Telegram accounts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=5_000))]
    accounts: u16,

    /// The number of dialogs of all accounts, at least 30 each
    #[arg(long, default_value_t = 150, value_parser = clap::value_parser!(u32).range(1..=200_000))]
    dialogs: u32,

    /// The seed: the same one makes the same accounts and dialogs
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// The address of data centre 2; data centre 4 listens on the port below; port 0 takes any two
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:5097")]
    telegram: SocketAddr,

    /// The address of the control port
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:5098")]
    control: SocketAddr,
}

impl SandboxCommand {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        crate::logging::start(&config::LogSettings::default(), None);
        let temporary;
        let data_dir = if let Some(given) = self.data_dir {
            std::path::absolute(&given).with_context(|| format!("the data directory {}", given.display()))?
        } else {
            temporary = tempfile::Builder::new().prefix("switchboard-sandbox-").tempdir()?;
            temporary.path().to_owned()
        };
        let world = sandbox::Sandbox::start(sandbox::SandboxOptions {
            data_dir,
            accounts: self.accounts.into(),
            dialogs: usize::try_from(self.dialogs).unwrap_or(usize::MAX),
            seed: self.seed,
            telegram: self.telegram,
            control: self.control,
            flow: false,
        })
        .await?;
        say!("Sandbox      data centre 2 on {}, data centre 4 on {}", world.dc2, world.dc4);
        say!("Control      http://{}", world.control);
        say!("Settings     {}", world.settings_file.display());
        say!(
            "\nIn another terminal:\n  switchboard up --config {} --data-dir OTHER",
            world.settings_file.display()
        );
        super::up::until_stop_requested().await?;
        world.stop().await;
        Ok(())
    }
}
