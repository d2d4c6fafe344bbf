//! The `switchboard` program: its command line, and the wiring of the crates. No logic of its own.

mod bars;
mod command;
mod control;
mod data_dir;
mod desk;
mod files;
mod keys;
mod logging;
mod outgoing_file;
mod output;
mod reply;
mod table;
mod terminal;
mod test_build;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Messages are made on one thread and freed on another all the time; the system's allocator takes a lock for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Carries all of a small business's customer messaging.
///
/// Try it without any account: `switchboard up --sandbox`.
#[derive(Parser)]
#[command(name = "switchboard", version, max_term_width = 100, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// Where the program keeps its data and reads its settings.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Place {
    /// The settings file; without it `switchboard.toml` in the data directory, if there is one
    #[arg(long, value_name = "FILE", env = "SWITCHBOARD_CONFIG")]
    config: Option<PathBuf>,

    /// The folder for the database, keys and files [default: /var/lib/switchboard for root, else
    /// `$XDG_DATA_HOME/switchboard`]
    #[arg(long, value_name = "DIR", env = "SWITCHBOARD_DATA_DIR")]
    data_dir: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the gateway until Ctrl+C
    #[command(
        after_help = "Examples:\n  switchboard up --sandbox\n  switchboard up --config /etc/switchboard.toml\n\n\
                            Ctrl+C or SIGTERM finishes what is on the wire and exits with 0."
    )]
    Up(command::up::Up),

    /// Run the pretend outside world alone, for tests and trials
    #[command(after_help = "It writes DIR/switchboard.toml when it is ready. In another terminal:\n  \
                            switchboard up --config DIR/switchboard.toml --data-dir OTHER")]
    Sandbox(command::sandbox::SandboxCommand),

    /// Add Telegram accounts, sign in to them, switch, remove and look at them, also while `up` runs
    #[command(
        after_help = "All of this works while `up` runs, at once, and while it does not. Accounts that stand in the \
                            settings file are changed there; signing in to them and pausing them works here all the \
                            same.\n\nExamples:\n  \
                            switchboard account add main --api-id 1000001 --phone +70000000001\n  \
                            switchboard account login main\n  switchboard account list\n  \
                            switchboard account show main --json\n  switchboard account pause main"
    )]
    Account(command::account::Account),

    /// Send a text or files through the running server, and watch until it is sent
    #[command(
        after_help = "The server takes the message and sends it, whatever becomes of this command once the server has it. \
                            Ctrl+C while a file goes to the server: no message is accepted. Ctrl+C later: the message goes on by \
                            itself, and its id is told.\n\n\
                            With --idempotency-key the same command can be given again: the same message is shown, none is sent \
                            twice.\n\nExit codes: 0 sent, 1 not sent or not known yet, 2 wrong usage.\n\n\
                            Examples:\n  \
                            switchboard send @client_1 \"Good morning\"\n  \
                            switchboard send -1001234567890 \"Our <b>prices</b>\" --parse-mode html --file price-list.pdf\n  \
                            switchboard send @client_1 --file a.jpg --file b.jpg --account main\n  \
                            switchboard send @client_1 --file note.ogg --as voice\n  \
                            write-the-report | switchboard send @client_1 - --idempotency-key report-7 --json"
    )]
    Send(command::send::Send),

    /// Make, list and revoke API keys, also while `up` runs
    #[command(
        after_help = "Examples:\n  switchboard key create n8n --scope send\n  switchboard key list\n  \
                            switchboard key revoke key_01…"
    )]
    Key(command::key::Key),

    /// Look at requests that failed and are kept; try them again or drop them, also while `up` runs
    #[command(
        after_help = "Kept are requests to the old ports to create or leave a chat that came to nothing, and invite \
                            callbacks that the receiver never took, for 30 days. Texts are tried again with POST \
                            /v1/messages/{id}/retry.\n\nExamples:\n  switchboard failed list\n  switchboard failed show fail_01…\n  \
                            switchboard failed retry fail_01…\n  switchboard failed drop fail_01…"
    )]
    Failed(command::failed::Failed),

    /// Stop and start what the running server does: creating chats, sending text, sending media, leaving chats
    #[command(
        after_help = "A service that is stopped takes no work and lets nothing out, also after a restart of the \
                            server, until it is started again.\n\nExamples:\n  switchboard service list\n  \
                            switchboard service stop create_chat\n  switchboard service reload-cache"
    )]
    Service(command::service::Service),

    /// Look at the chats that the running server knows, and at those that nobody could find
    #[command(
        after_help = "Examples:\n  switchboard chat list\n  switchboard chat list --account main --state left\n  \
                            switchboard chat unresolved"
    )]
    Chat(command::chat::Chat),

    /// Print the OpenAPI description of the HTTP API
    Openapi,

    /// Print every setting with its default and its meaning, as Markdown
    Settings,
}

/// Exit codes: 0 fine, 1 failed, 2 wrong usage or settings (also clap's own).
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the runtime cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(run(arguments.command));
    // Whatever still runs after the drain has had its time.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", output::explain(&error));
            let wrong_usage = |cause: &(dyn std::error::Error + 'static)| {
                cause.is::<config::SettingsError>()
                    || cause.is::<keys::TooShort>()
                    || cause.is::<terminal::WrongUsage>()
                    || matches!(cause.downcast_ref(), Some(events::StartError::Address(_)))
            };
            if error.chain().any(wrong_usage) { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Up(up) => up.run().await,
        Command::Sandbox(sandbox) => sandbox.run().await,
        Command::Account(account) => account.run().await,
        Command::Send(send) => send.run().await,
        Command::Key(key) => key.run().await,
        Command::Failed(failed) => failed.run().await,
        Command::Service(service) => service.run().await,
        Command::Chat(chat) => chat.run().await,
        Command::Openapi => {
            output::line(format_args!("{}", web::openapi_json()));
            Ok(())
        }
        Command::Settings => {
            output::line(format_args!("{}", config::settings_reference().trim_end()));
            Ok(())
        }
    }
}
