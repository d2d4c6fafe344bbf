//! The `switchboard` program: its command line, and the wiring of the crates. No logic of its own.

mod alert_feed;
mod allocator;
mod api_client;
mod app_context;
mod bars;
mod calls;
mod cli_errors;
mod command;
mod control;
mod core_dump;
mod files;
mod keys;
mod location;
mod logging;
mod machine;
#[cfg(test)]
mod manual;
mod outgoing_file;
mod output;
mod paragraph;
mod plain_json;
mod reply;
mod responsive_table;
mod supervision;
mod table;
mod terminal;
mod test_build;

use std::path::PathBuf;
use std::pin::Pin;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

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
pub(crate) struct Location {
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
    #[command(
        after_help = "It writes DIR/switchboard.toml when it is ready; in another terminal `up` runs with it.\n\n\
                            Examples:\n  switchboard sandbox --data-dir world\n  \
                            switchboard sandbox --data-dir world --accounts 20 --dialogs 4000 --seed 7\n  \
                            switchboard up --config world/switchboard.toml --data-dir data"
    )]
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

    /// Look at a message, have it tried no longer, end the doubt about it
    #[command(
        after_help = "Examples:\n  switchboard message show msg_01…\n  switchboard message cancel msg_01…\n  \
                            switchboard message resolve msg_01… --as sent"
    )]
    Message(command::message::Message),

    /// Make, list and revoke API keys, also while `up` runs
    #[command(after_help = "Examples:\n  switchboard key create n8n\n  switchboard key list\n  \
                            switchboard key revoke key_01…")]
    Key(command::key::Key),

    /// Add, list and remove the people who may sign in to the dashboard, also while `up` runs
    #[command(
        after_help = "The first start of `up` adds admin, with the password of SWITCHBOARD_ADMIN_PASSWORD or with one that \
                            it prints once. Viewers look, operators keep it running as well, admins may everything. The \
                            last admin can neither be removed nor get another role.\n\n\
                            A password is never an argument, which everybody on the machine could read.\n\nExamples:\n  \
                            switchboard user add anna --role operator\n  switchboard user list\n  \
                            switchboard user password anna --reset-second-factor\n  switchboard user role anna admin\n  \
                            switchboard user sessions anna --end-all\n  switchboard user remove anna\n  \
                            pass show switchboard/anna | switchboard user add anna"
    )]
    User(command::user::User),

    /// Look at requests that failed and are kept; try them again or drop them, also while `up` runs
    #[command(
        after_help = "Kept are requests to the old ports to create or leave a chat that came to nothing, and invite \
                            callbacks that the receiver never took, for 30 days. Texts are tried again with POST \
                            /v1/messages/{id}/retry.\n\nExamples:\n  switchboard failed list\n  switchboard failed show fail_01…\n  \
                            switchboard failed retry fail_01…\n  switchboard failed drop fail_01…"
    )]
    Failed(command::failed::Failed),

    /// See what is broken and who is told; mute, make maintenance windows, test
    #[command(
        after_help = "A card that failed three times in a row raises an alert, two good answers in a row clear it; both are told \
                            to every target, again and again until it has them.\n\nExamples:\n  \
                            switchboard alert list\n  switchboard alert mute account:main --for 2h\n  \
                            switchboard alert targets add owner --kind telegram --chat @demo_main\n  \
                            switchboard alert targets test owner"
    )]
    Alert(command::alert::Alert),

    /// Stop and start what the running server does; have systemd run the program
    #[command(
        after_help = "Two things are called a service. What the running server does (creating chats, sending text, sending \
                            media, leaving chats) is seen to with list, start, stop, restart and reload-cache: one that is \
                            stopped takes no work and lets nothing out, also after a restart of the server, until it is \
                            started again. The program itself as a service of this machine is seen to with install, \
                            uninstall, status and logs.\n\nExamples:\n  switchboard service list\n  \
                            switchboard service stop create_chat\n  switchboard service reload-cache\n  \
                            switchboard service install --config /etc/switchboard/switchboard.toml\n  \
                            switchboard service status"
    )]
    Service(command::service::Service),

    /// Clear flood waits: let the accounts that have one rest, or all services; look how far that is, cancel it
    #[command(
        after_help = "Without --stop-all only the accounts that must wait are paused, each until its deadline; the others \
                            do the work. With it all services are stopped, nothing is asked of Telegram for five minutes, and those \
                            that ran are started again one by one, a minute apart. Either way it goes on after a restart of the \
                            server, and services that were stopped by hand before stay stopped.\n\nExamples:\n  \
                            switchboard flood clear\n  switchboard flood clear --stop-all\n  switchboard flood status\n  \
                            switchboard flood cancel"
    )]
    Flood(command::flood::Flood),

    /// Watch in the terminal whether everything works, trouble first
    #[command(
        after_help = "It looks again every two seconds, or when a key is pressed; q ends it. Where there is no terminal it is \
                            shown once.\n\nExamples:\n  switchboard top\n  switchboard top --trouble --once\n  \
                            switchboard top --json"
    )]
    Top(command::top::Top),

    /// Look at the chats that the running server knows, and at those that no account could find; leave them, move them
    #[command(
        after_help = "Examples:\n  switchboard chat list\n  switchboard chat list --account main --state left\n  \
                            switchboard chat unresolved"
    )]
    Chat(command::chat::Chat),

    /// Show what the server wrote about itself: search it, or follow it, also while it runs
    #[command(
        after_help = "Lines are kept in the data directory, packed, within the settings log.budget and log.keep; this command \
                            reads them there and needs no server. Each step of each message is among them, and each request. \
                            What a line is about is in its fields: --subject shows the lines of one message.\n\n\
                            Times are UTC. Texts and secrets are in no line. Control characters are shown as \\n or \\u{1b}.\n\n\
                            Examples:\n  switchboard logs --follow\n  switchboard logs --level error --since 2h\n  \
                            switchboard logs --subject msg_01...\n  switchboard logs --account main --error flood_wait --since 1d\n  \
                            switchboard logs --grep \"a connection\" --limit 20\n  \
                            switchboard logs --service send_text --since 10m --json | jq .fields"
    )]
    Logs(command::logs::Logs),
    /// Find out what is wrong with the server and its machine, and what mends it
    #[command(
        after_help = "It looks at settings, ports, accounts, session files, processes, unit files, rights of files, disk, clock, \
                            network, store, queue and memory, while the server runs and while it does not. Each finding says \
                            what shows it and what mends it; nothing is changed. Run it as root to see what other users' \
                            processes hold.\n\n\
                            With --legacy it reads an installation of the old scripts as well: a table of ports, scripts, \
                            accounts, sessions and processes, what differs from the settings, and with --write-plan a file that \
                            `switchboard account import --plan` takes. Scripts are read, never run. Programs that are none of \
                            them are listed as foreign and left alone.\n\n\
                            Exit codes: 0 nothing is wrong (notes do not count), 1 something is, 2 wrong usage.\n\n\
                            Examples:\n  \
                            sudo switchboard doctor\n  switchboard doctor --json\n  \
                            switchboard doctor --legacy /old --write-plan plan.toml\n  \
                            switchboard doctor --journal journal.json --offline"
    )]
    Doctor(command::doctor::Doctor),

    /// Make backups, try and list them, also while `up` runs
    #[command(
        after_help = "A backup is one file: the database as it was at one moment, and the files that wait to be sent. Work goes on \
                            while it is made, and it is tried at once. The running server makes one every day by itself and \
                            keeps seven (settings backup.every, backup.keep, backup.folder); put copies of them on another \
                            machine. Neither the master key nor the settings are in it: without that key it cannot be put \
                            back, with it it is the accounts.\n\nExamples:\n  \
                            switchboard backup create\n  switchboard backup list\n  switchboard backup check\n  \
                            switchboard restore backups/switchboard-20300131T120000.250Z.tar.gz"
    )]
    Backup(command::backup::Backup),

    /// Put the data directory back from a backup
    #[command(
        after_help = "The server must be stopped, and its master key must be in place (SWITCHBOARD_MASTER_KEY or master.key in the \
                            data directory). The backup is unpacked aside and tried first; until it is whole and ready \
                            nothing is changed. What was there before is kept, in a folder of its own.\n\n\
                            What waited when the backup was made may have been sent since. So nothing of it is sent by itself: \
                            messages and operations have failed with the code restored, or are in doubt, until you say what is \
                            to be done. Where the server was stopped before the backup was made, and nothing ran since, --waiting \
                            send lets all of it leave.\n\n\
                            When it is broken off in the middle, no server starts there; give the command again, and it does \
                            the rest.\n\nExamples:\n  \
                            switchboard restore backups/switchboard-20300131T120000.250Z.tar.gz --dry-run\n  \
                            switchboard restore backups/switchboard-20300131T120000.250Z.tar.gz\n  \
                            switchboard restore moved.tar.gz --data-dir /srv/new --waiting send --yes"
    )]
    Restore(command::restore::Restore),

    /// Print the OpenAPI description of the HTTP API
    #[command(after_help = "Examples:\n  switchboard openapi > openapi.json")]
    Openapi,

    /// Print every setting with its default and its meaning, as Markdown
    #[command(after_help = "Examples:\n  switchboard settings\n  switchboard settings > settings.md")]
    Settings,

    /// Print a script that lets a shell complete commands and options
    #[command(
        after_help = "Put it where your shell looks for completions, then open a new shell.\n\nExamples:\n  \
                            switchboard completions bash > ~/.local/share/bash-completion/completions/switchboard\n  \
                            switchboard completions zsh > ~/.zfunc/_switchboard\n  \
                            switchboard completions fish > ~/.config/fish/completions/switchboard.fish"
    )]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Exit codes: 0 fine, 1 failed, 2 wrong usage or settings (also clap's own).
fn main() -> ExitCode {
    core_dump::forbid();
    let arguments = Arguments::parse();
    test_build::begin();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the runtime cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    // One future of one type: each way the runtime can drive it would be compiled for this one all over again.
    let work: Pin<Box<dyn Future<Output = anyhow::Result<()>>>> = Box::pin(run(arguments.command));
    let result = runtime.block_on(work);
    // Whatever still runs after the drain has had its time.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if error.is::<command::doctor::SomethingIsWrong>() {
                return ExitCode::FAILURE;
            }
            eprintln!("error: {}", output::plain(&output::explain(&error)));
            let wrong_usage = |cause: &(dyn std::error::Error + 'static)| {
                cause.is::<config::SettingsError>()
                    || cause.is::<keys::TooShort>()
                    || cause.is::<terminal::WrongUsage>()
                    || matches!(cause.downcast_ref(), Some(access::FirstError::Unfit(_)))
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
        Command::Account(account) => Box::pin(account.run()).await,
        Command::Send(send) => send.run().await,
        Command::Message(message) => message.run().await,
        Command::Key(key) => key.run().await,
        Command::User(user) => user.run().await,
        Command::Failed(failed) => failed.run().await,
        Command::Alert(alert) => alert.run().await,
        Command::Service(service) => service.run().await,
        Command::Flood(flood) => flood.run().await,
        Command::Top(top) => top.run().await,
        Command::Chat(chat) => chat.run().await,
        Command::Logs(logs) => logs.run().await,
        Command::Doctor(doctor) => doctor.run().await,
        Command::Backup(backup) => backup.run().await,
        Command::Restore(restore) => restore.run().await,
        Command::Openapi => {
            output::line(format_args!("{}", web::openapi_json()));
            Ok(())
        }
        Command::Settings => {
            output::line(format_args!("{}", config::settings_reference().trim_end()));
            Ok(())
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "switchboard", &mut script);
            output::line(format_args!("{}", String::from_utf8_lossy(&script).trim_end()));
            Ok(())
        }
    }
}
