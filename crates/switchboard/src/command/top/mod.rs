//! `switchboard top`: the overview in a terminal.

mod frame;
mod screen;

use std::io::IsTerminal;
use std::time::Duration;

use hyper::Method;
use serde_json::Value;

use crate::api_client::ApiOptions;
use crate::output::{say, say_json};
use crate::table;
use frame::{Paint, Size, draw};
use screen::{Key, Screen};

/// How often it is refreshed.
const REFRESH: Duration = Duration::from_secs(2);

/// How wide the table is where no terminal says.
const USUAL_WIDTH: usize = 120;

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Top {
    #[command(flatten)]
    options: ApiOptions,

    /// Show only cards that need attention or wait
    #[arg(long)]
    trouble: bool,

    /// Print once and exit
    #[arg(long)]
    once: bool,
}

impl Top {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let server = self.options.location.server().await?;
        let path = format!("/v1/overview?limit=200&trouble={}", self.trouble);
        let look = async || server.call(Method::GET, &path, None).await;
        if self.options.json {
            say_json(&look().await?);
            return Ok(());
        }
        if self.once || !std::io::stdout().is_terminal() || !crate::terminal::is_interactive() {
            print(&look().await?);
            return Ok(());
        }
        let paint = if std::env::var_os("NO_COLOR").is_some() { Paint::Plain } else { Paint::Colours };
        let mut screen = Screen::begin()?;
        loop {
            // A server that restarts is waited for: the screen says so instead of going away.
            let seen = look().await.map_err(|error| crate::output::explain(&error));
            screen.show(|size| match &seen {
                Ok(overview) => draw(overview, size, paint),
                Err(error) => vec![format!("no answer: {error}"), "trying again; q ends this".to_owned()],
            })?;
            match screen.key_within(REFRESH).await {
                Some(Key::Quit) => return Ok(()),
                Some(Key::Other) | None => {}
            }
        }
    }
}

/// The whole of it, as wide as the terminal.
fn print(overview: &Value) {
    let columns = table::terminal_width().map_or(USUAL_WIDTH, usize::from);
    for line in draw(overview, Size { columns, rows: usize::MAX }, Paint::Plain) {
        say!("{line}");
    }
}
