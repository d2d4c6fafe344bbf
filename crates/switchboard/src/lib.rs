//! The `switchboard` program: its command line, and the wiring of the crates. No logic of its own.

mod alert_feed;
mod allocator;
mod api_client;
mod app_context;
mod bars;
mod channel_settings;
mod channels;
mod cli_errors;
mod code_picture;
mod code_reader;
mod command;
mod control;
mod control_bots;
mod demo_campaign;
mod demo_channels;
mod files;
mod keys;
mod location;
mod logging;
mod machine;
#[cfg(test)]
mod manual;
mod notices;
mod outgoing_file;
mod output;
mod paragraph;
mod plain_json;
mod reload;
mod reply;
mod responsive_table;
mod supervision;
mod table;
mod terminal;
mod test_build;

use std::pin::Pin;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use rustix::process::{Resource, Rlimit, setrlimit};

pub(crate) use location::Location;

/// Carries all of a small business's customer messaging.
///
/// Try it without any account: `switchboard up --sandbox`.
#[derive(Parser)]
#[command(name = "switchboard", version, max_term_width = 100, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the gateway until Ctrl+C
    #[command(
        after_help = "Ctrl+C or SIGTERM stops it: requests in flight are finished, and the exit code is 0.\n\n\
            Examples:\n  switchboard up --sandbox\n  switchboard up --config /etc/switchboard.toml"
    )]
    Up(command::up::Up),

    /// Run the sandbox alone: a simulated Telegram for tests and trials
    #[command(
        after_help = "It writes DIR/switchboard.toml when it is ready; in another terminal `up` runs with it.\n\n\
            Examples:\n  switchboard sandbox --data-dir world\n  \
            switchboard sandbox --data-dir world --accounts 20 --dialogs 4000 --seed 7\n  \
            switchboard up --config world/switchboard.toml --data-dir data"
    )]
    Sandbox(command::sandbox::SandboxCommand),

    /// Manage Telegram accounts: add, sign in, import, pause, show, remove
    #[command(
        after_help = "Works with and without a running server, and takes effect at once. Accounts of the settings \
            file are changed there; signing in to them and pausing them works here too.\n\nExamples:\n  \
            switchboard account add main --api-id 1000001 --phone +70000000001\n  \
            switchboard account login main\n  switchboard account list\n  \
            switchboard account show main --json\n  switchboard account pause main"
    )]
    Account(command::account::Account),

    /// Send a text or files through the running server and wait for the result
    #[command(
        after_help = "The server sends the message even if this command ends. Ctrl+C while a file is uploaded: no \
            message is accepted. Ctrl+C later: the message is sent all the same, and its id is printed.\n\n\
            With --idempotency-key the command can be repeated: it shows the same message, and nothing is sent \
            twice.\n\nExit codes: 0 sent, 1 not sent or not known yet, 2 wrong usage.\n\nExamples:\n  \
            switchboard send @client_1 \"Good morning\"\n  \
            switchboard send -1001234567890 \"Our <b>prices</b>\" --parse-mode html --file price-list.pdf\n  \
            switchboard send @client_1 --file a.jpg --file b.jpg --account main\n  \
            switchboard send @client_1 --file note.ogg --as voice\n  \
            write-the-report | switchboard send @client_1 - --idempotency-key report-7 --json"
    )]
    Send(command::send::Send),

    /// Show, cancel and resolve messages
    #[command(
        after_help = "Examples:\n  switchboard message show msg_01…\n  switchboard message cancel msg_01…\n  \
            switchboard message resolve msg_01… --as sent"
    )]
    Message(command::message::Message),

    /// Manage the list of contacts that no message goes to
    #[command(
        after_help = "The list cannot be switched off: no message and no invitation passes it, by any account or program.\n\n\
            Examples:\n  switchboard do-not-contact add +70000000001 --reason 'asked to stop'\n  \
            switchboard do-not-contact list\n  switchboard do-not-contact import stop.csv\n  \
            switchboard do-not-contact export > stop.csv"
    )]
    DoNotContact(command::do_not_contact::DoNotContact),

    /// Create, list and revoke API keys
    #[command(after_help = "Examples:\n  switchboard key create n8n\n  switchboard key list\n  \
            switchboard key revoke key_01…")]
    Key(command::key::Key),

    /// Post events to other programs: add, change, watch and test webhooks
    #[command(
        after_help = "Posts are signed after Standard Webhooks and retried for a day; the book's page on webhooks says \
            how to verify one.\n\nExamples:\n  switchboard webhook add https://example.com/hook --event 'message.*'\n  \
            switchboard webhook list\n  switchboard webhook test hook_01…"
    )]
    Webhook(command::webhook::Webhook),

    /// Watch bots and press their buttons: list, check, start and stop flows, and see how fast they were
    #[command(
        after_help = "A flow is a section [[flows]] of the settings, or of a file in the folder flows beside them. It \
            watches a chat from a user account and presses buttons the moment they are offered.\n\nExamples:\n  \
            switchboard flow list\n  switchboard flow check flows/trip.toml\n  switchboard flow stop trip\n  \
            switchboard flow log trip"
    )]
    Flow(command::flow::Flow),

    /// Look after channels: Avito, WhatsApp, VK and others through which customers write
    #[command(
        after_help = "An account of a channel is a section [[channels]] of the settings. Providers post what customers write to \
            an address below public_url; where one has no such call, or there is no such address, it is asked.\n\nExamples:\n  \
            switchboard channel list\n  switchboard channel status shop\n  switchboard channel connect shop"
    )]
    Channel(command::channel::Channel),

    /// Write to lists of chats: create, fill, start, follow and stop campaigns
    #[command(
        after_help = "A campaign sends messages of its own to a list of chats, through several accounts, within limits that \
            no setting can switch off. It runs in the server.\n\nExamples:\n  \
            switchboard campaign groups create spring\n  switchboard campaign import-chats chats.txt --group spring\n  \
            switchboard campaign start spring --dry-run"
    )]
    Campaign(command::campaign::Campaign),

    /// Manage the users of the dashboard
    #[command(
        after_help = "The first start of `up` adds admin, with the password of SWITCHBOARD_ADMIN_PASSWORD or with \
            one that it prints once. Viewers may read, operators may also keep it running, admins may do \
            everything. The last admin can neither be removed nor get another role.\n\n\
            A password is never an argument, which every user of the machine could read.\n\nExamples:\n  \
            switchboard user add anna --role operator\n  switchboard user list\n  \
            switchboard user password anna --reset-second-factor\n  switchboard user role anna admin\n  \
            switchboard user sessions anna --end-all\n  switchboard user remove anna\n  \
            pass show switchboard/anna | switchboard user add anna"
    )]
    User(command::user::User),

    /// List, retry and drop failed requests
    #[command(
        after_help = "Failed requests are kept for 30 days: calls of the old ports that could not create or leave a \
            chat, and invite callbacks that the receiver never accepted. Messages are retried with POST \
            /v1/messages/{id}/retry.\n\nExamples:\n  switchboard failed list\n  switchboard failed show fail_01…\n  \
            switchboard failed retry fail_01…\n  switchboard failed drop fail_01…"
    )]
    Failed(command::failed::Failed),

    /// Show alerts; manage mutes, maintenance windows and the targets of notifications
    #[command(
        after_help = "A card that fails three checks in a row raises an alert, two good checks in a row clear it. \
            Each target is notified of both; what it does not accept is sent again.\n\nExamples:\n  \
            switchboard alert list\n  switchboard alert mute account:main --for 2h\n  \
            switchboard alert targets add owner --kind telegram --chat @demo_main\n  \
            switchboard alert targets test owner"
    )]
    Alert(command::alert::Alert),

    /// Start and stop the services of the running server; install the program as a service of systemd
    #[command(
        after_help = "list, start, stop, restart and reload-cache are about the services of the running server: \
            creating chats, sending text, sending media, leaving chats. One that is stopped accepts and sends \
            nothing until it is started again, also after a restart of the server. install, uninstall, status and \
            logs are about the program as a service of this machine.\n\nExamples:\n  switchboard service list\n  \
            switchboard service stop create_chat\n  switchboard service reload-cache\n  \
            switchboard service install --config /etc/switchboard/switchboard.toml\n  \
            switchboard service status"
    )]
    Service(command::service::Service),

    /// Clear flood waits, show the progress, cancel it
    #[command(
        after_help = "Without --stop-all only accounts with a flood wait are paused, each until its deadline; the \
            others go on. With it all services are stopped, Telegram is not called for five minutes, and the \
            services that ran are started again one by one, a minute apart. Either way it continues after a restart \
            of the server, and services that were stopped by hand before stay stopped.\n\nExamples:\n  \
            switchboard flood clear\n  switchboard flood clear --stop-all\n  switchboard flood status\n  \
            switchboard flood cancel"
    )]
    Flood(command::flood::Flood),

    /// Watch the overview in the terminal, problems first
    #[command(
        after_help = "It is refreshed every two seconds and on each key; q quits. Without a terminal it is printed \
            once.\n\nExamples:\n  switchboard top\n  switchboard top --trouble --once\n  switchboard top --json"
    )]
    Top(command::top::Top),

    /// List, leave and move chats; list those that no account could find
    #[command(
        after_help = "Examples:\n  switchboard chat list\n  switchboard chat list --account main --state left\n  \
            switchboard chat unresolved"
    )]
    Chat(command::chat::Chat),

    /// Search and follow the log of the server
    #[command(
        after_help = "The log is read from the data directory; no server is needed. It is kept within the settings \
            log.budget and log.keep, and has every step of each message and every request. What a line is about is \
            in its fields: --subject shows the lines of one message.\n\n\
            Times are UTC. Texts and secrets are never logged. Control characters are shown as \\n or \\u{1b}.\n\n\
            Examples:\n  switchboard logs --follow\n  switchboard logs --level error --since 2h\n  \
            switchboard logs --subject msg_01...\n  switchboard logs --account main --error flood_wait --since 1d\n  \
            switchboard logs --grep \"a connection\" --limit 20\n  \
            switchboard logs --service send_text --since 10m --json | jq .fields"
    )]
    Logs(command::logs::Logs),

    /// Show and follow what happens: messages sent and failed, chats created, accounts in trouble
    #[command(
        after_help = "Events are kept for 14 days, a million at most (settings events.keep, events.keep_at_most). The \
            same is at GET /v1/events for other programs. With --after and the last id you have none is skipped and \
            none comes twice.\n\nExamples:\n  switchboard events\n  switchboard events --follow --json\n  \
            switchboard events --type message.failed,message.in_doubt --after 24h\n  \
            switchboard events --account main --type account.state --after 2h\n  switchboard events --types"
    )]
    Events(command::events::Events),

    /// Find problems of the server and its machine, and how to fix them
    #[command(
        after_help = "It checks settings, ports, accounts, session files, processes, unit files, file permissions, \
            disk, clock, network, store, queue and memory, with and without a running server. Each finding has its \
            evidence and a fix; nothing is changed. Run it as root to see the processes of other users.\n\n\
            With --legacy it also surveys an installation of the old scripts: a table of ports, scripts, accounts, \
            sessions and processes, what differs from the settings, and with --write-plan a file for \
            `switchboard account import --plan`. Scripts are read, never run. Other programs are listed as foreign \
            and left alone.\n\nExit codes: 0 no problem (notes do not count), 1 problems, 2 wrong usage.\n\n\
            Examples:\n  sudo switchboard doctor\n  switchboard doctor --json\n  \
            switchboard doctor --legacy /old --write-plan plan.toml\n  \
            switchboard doctor --journal journal.json --offline"
    )]
    Doctor(command::doctor::Doctor),

    /// Check that the running server is ready: that its store takes writes and its accounts have connected
    #[command(
        after_help = "It is the health check of a container without a shell. For problems and their fixes run \
            `switchboard doctor`.\n\nExit codes: 0 ready, 1 not ready, or no server runs.\n\nExamples:\n  \
            switchboard health\n  switchboard health --data-dir /var/lib/switchboard"
    )]
    Health(command::health::Health),

    /// Create, check, verify and list backups
    #[command(
        after_help = "A backup is one file: a consistent copy of the database, and the files that wait to be sent. \
            The server works on meanwhile, and the backup is checked at once. The running server makes one every \
            day and keeps seven (settings backup.every, backup.keep, backup.folder), copies them elsewhere \
            (backup.copy) and practises a restore every week (backup.drill_every). \
            Neither the master key nor the settings are in it: without that key it cannot be restored, and with it \
            it gives access to the accounts.\n\nExamples:\n  switchboard backup create\n  \
            switchboard backup list\n  switchboard backup check\n  switchboard backup verify\n  \
            switchboard restore backups/switchboard-20300131T120000.250Z.tar.gz"
    )]
    Backup(command::backup::Backup),

    /// Restore the data directory from a backup
    #[command(
        after_help = "The server must be stopped, and its master key must be in place (SWITCHBOARD_MASTER_KEY or \
            master.key in the data directory). The backup is unpacked aside and checked first; until that is done \
            nothing is changed. What was there before is kept, in a folder of its own.\n\n\
            What waited when the backup was made may have been sent since, so nothing of it is sent by itself: \
            messages and operations have failed with the code restored, or are in doubt, until you decide. If the \
            server was stopped before the backup was made and has not run since, --waiting send sends all of \
            it.\n\nAfter an interrupted restore no server starts there; run the command again to finish it.\n\n\
            Examples:\n  switchboard restore backups/switchboard-20300131T120000.250Z.tar.gz --dry-run\n  \
            switchboard restore backups/switchboard-20300131T120000.250Z.tar.gz\n  \
            switchboard restore moved.tar.gz --data-dir /srv/new --waiting send --yes"
    )]
    Restore(command::restore::Restore),

    /// Show what old scripts become here
    #[command(
        after_help = "Sessions and the old registry have `switchboard account import`.\n\nExample:\n  \
            switchboard import flows --env /old/trip/.env"
    )]
    Import(command::import::Import),

    /// Move an installation to another machine, and back
    #[command(
        after_help = "One session never runs on two sides: the old side gives its sessions up, in its store, before the new one may \
            open them, and a server that is started on a side that gave them up refuses. The book's page on moving has the ten \
            stages with the command for each.\n\nExamples:\n  switchboard move plan --to ssh://root@new.example.com\n  \
            switchboard move run --to ssh://root@new.example.com --unit switchboard --at 03:30\n  \
            switchboard move status\n  switchboard move rollback\n  switchboard move finish"
    )]
    Move(command::moving::Move),

    /// Copy a store between SQLite and PostgreSQL
    #[command(
        after_help = "Examples:\n  switchboard store copy --from sqlite:switchboard.db --to settings\n  \
            switchboard store copy --from settings --to sqlite:copy.db"
    )]
    Store(command::store::StoreCommand),

    /// Read the settings of the running server again
    #[command(
        after_help = "The file and the environment are read and checked as a whole first: settings that are wrong change \
            nothing, and the answer names the line. What can change while the server runs is applied at once, the rest is \
            listed; `switchboard settings` tells of each key which it is. The same happens on SIGHUP \
            (`systemctl reload switchboard`), where the log has the answer.\n\n\
            Exit codes: 0 the settings were read, 1 they are wrong or not all could be applied.\n\nExamples:\n  \
            switchboard reload\n  switchboard reload --json | jq .needs_restart"
    )]
    Reload(command::reload::Reload),

    /// Replace the key to what is encrypted in the store
    #[command(
        name = "master-key",
        after_help = "Works with and without a running server.\n\nExamples:\n  switchboard master-key rotate"
    )]
    MasterKey(command::master_key::MasterKeyCommand),

    /// Serve the Model Context Protocol on the standard input and output, for assistants that start a program
    #[command(
        after_help = "An assistant that speaks the protocol starts this command and gets tools: it lists accounts, channels and \
            chats, reads and searches messages, sends messages and creates chats. The running server does the work; it serves \
            the same at /mcp for assistants that speak HTTP.\n\n\
            Without --url it speaks to the server of the data directory and has all rights, as every command has. With --url \
            it has those of the API key, whose scopes and limits hold as in the API: a key with the scope read alone cannot \
            send. The book's page on assistants has the settings of clients.\n\nExamples:\n  \
            switchboard mcp\n  switchboard mcp --data-dir /var/lib/switchboard\n  \
            switchboard key create assistant --scope read\n  \
            switchboard mcp --url https://switchboard.example.com --key-file assistant.key"
    )]
    Mcp(command::mcp::Mcp),

    /// Print the OpenAPI description of the HTTP API
    #[command(after_help = "Examples:\n  switchboard openapi > openapi.json")]
    Openapi,

    /// Print every setting with its default and its meaning, as Markdown
    #[command(after_help = "Examples:\n  switchboard settings\n  switchboard settings > settings.md")]
    Settings,

    /// Print a completion script for a shell
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

/// Turns core dumps off for this process and its children: what is in memory, keys of sessions included, is written nowhere.
/// Collectors that get the dump through a pipe (`systemd-coredump`) see the limit and keep none either.
fn forbid_core_dumps() {
    if let Err(error) = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }) {
        eprintln!("warning: core dumps cannot be turned off: {error}");
    }
}

/// Runs `switchboard` with these arguments in the runtime of the caller, for a test that drops it where it is.
///
/// # Errors
/// As `main` shows them.
#[cfg(feature = "testing")]
pub async fn run_with(arguments: Vec<String>) -> anyhow::Result<()> {
    test_build::IS_WITHIN_TEST.store(true, std::sync::atomic::Ordering::Relaxed);
    run(Arguments::parse_from(arguments).command).await
}

/// Exit codes: 0 fine, 1 failed, 2 wrong usage or settings (also clap's own), 3 no account of a campaign may send any more.
pub fn main() -> ExitCode {
    forbid_core_dumps();
    let arguments = Arguments::parse();
    test_build::begin();
    // The connections of accounts have a thread of their own.
    let workers = std::thread::available_parallelism().map_or(1, |cores| (cores.get() - 1).max(1));
    let runtime =
        match tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build() {
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
                    || cause.downcast_ref().is_some_and(store::OpenError::needs_a_person)
                    || matches!(cause.downcast_ref(), Some(access::FirstError::Unfit(_)))
                    || matches!(cause.downcast_ref(), Some(events::StartError::Address(_)))
                    || cause.is::<web::TlsError>()
            };
            if error.is::<command::campaign::Frozen>() {
                return ExitCode::from(3);
            }
            if error.chain().any(wrong_usage) { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Up(up) => Box::pin(up.run()).await,
        Command::Sandbox(sandbox) => sandbox.run().await,
        Command::Account(account) => Box::pin(account.run()).await,
        Command::Send(send) => send.run().await,
        Command::Message(message) => message.run().await,
        Command::DoNotContact(list) => list.run().await,
        Command::Key(key) => key.run().await,
        Command::Webhook(webhook) => Box::pin(webhook.run()).await,
        Command::Flow(flow) => Box::pin(flow.run()).await,
        Command::Channel(channel) => Box::pin(channel.run()).await,
        Command::Campaign(campaign) => Box::pin(campaign.run()).await,
        Command::User(user) => user.run().await,
        Command::Failed(failed) => failed.run().await,
        Command::Alert(alert) => alert.run().await,
        Command::Service(service) => service.run().await,
        Command::Flood(flood) => flood.run().await,
        Command::Top(top) => top.run().await,
        Command::Chat(chat) => chat.run().await,
        Command::Logs(logs) => logs.run().await,
        Command::Events(events) => events.run().await,
        Command::Doctor(doctor) => doctor.run().await,
        Command::Health(health) => health.run().await,
        Command::Backup(backup) => backup.run().await,
        Command::Import(import) => import.run().await,
        Command::Restore(restore) => restore.run().await,
        Command::Move(moving) => Box::pin(moving.run()).await,
        Command::Store(store) => store.run().await,
        Command::MasterKey(key) => key.run().await,
        Command::Reload(reload) => reload.run().await,
        Command::Mcp(mcp) => mcp.run().await,
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
