//! `switchboard account`: the Telegram accounts.

mod add;
mod change;
mod export;
pub(crate) mod given;
mod import;
mod login;
mod look;
mod sessions;
mod show;
mod wait;

use clap::Subcommand;
use domain::AccountName;
use hyper::Method;

use crate::api_client::{ApiClient, ApiOptions};
use crate::command::up::until_stop_requested;

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Account {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List accounts with their states, and sessions that belong to no account
    #[command(
        after_help = "The reasons of accounts that are not ready are beneath the table. Works with and without \
            a running server.\n\nExamples:\n  switchboard account list\n  switchboard account list --json"
    )]
    List(ApiOptions),

    /// Show one account with its lines, flood waits and counts
    #[command(
        after_help = "Examples:\n  switchboard account show main\n  switchboard account show main --json"
    )]
    Show(One),

    /// Wait until accounts are ready and have read their dialogs
    #[command(
        after_help = "An account reads all its dialogs once, 100 with each call and no faster than Telegram allows; \
            meanwhile it sends to chats that it knows. This needs a running server. The exit code is 1 when the time \
            is over; what is missing is printed.\n\nExamples:\n  switchboard account wait\n  \
            switchboard account wait main backup_1 --timeout 30m\n  switchboard account wait --json"
    )]
    Wait(wait::Wait),

    /// Add an account; sign in to it with `switchboard account login`
    #[command(
        after_help = "The api_id and the api_hash are those of an application at https://my.telegram.org; one \
            application is enough for several accounts. The account is stored in the data directory, its secrets \
            encrypted. Accounts of the settings file are changed there.\n\nExamples:\n  \
            switchboard account add main --api-id 1000001 --phone +70000000001\n  \
            switchboard account add backup_1 --api-id 1000001 --api-hash-file api_hash --priority 2\n  \
            MAIN_API_HASH=… switchboard account add main --api-id 1000001 --api-hash-env MAIN_API_HASH"
    )]
    Add(add::Add),

    /// Sign in to an account, with a code that Telegram sends or with a QR code
    #[command(
        after_help = "By phone: Telegram sends a code to the apps where the account is signed in, else as a text \
            message; type it in. An empty line requests the code another way. A two-step password, if there is one, \
            is asked for and not shown.\n\
            By QR code: in Telegram on the phone open Settings > Devices > Link Desktop Device and scan the code. It \
            is redrawn before it expires.\n\n\
            Ctrl+C cancels the sign-in. If the program is killed, the same command continues it.\n\n\
            Without a terminal: --code-stdin reads the code from the standard input, and the password, if there is \
            one, from the next line. --json prints each state as one line and reads {\"code\":\"…\"}, \
            {\"password\":\"…\"}, {\"phone\":\"…\"}, {\"accept_terms\":true}, {\"resend\":true} or \
            {\"cancel\":true}, one on each line. --accept-terms accepts Telegram's terms of service \
            beforehand.\n\nExamples:\n  switchboard account login main\n  switchboard account login main --qr\n  \
            switchboard account login main --phone +70000000001 --for create_chat,leave_chat\n  \
            read-the-code | switchboard account login main --code-stdin"
    )]
    Login(login::Login),

    /// Import sessions of Telethon, Pyrogram, Kurigram and grammers, and the registry of the old scripts
    #[command(
        after_help = "Files are recognised by their content and only read. Telegram is asked whose each session is: \
            stop the program that used it first, and wait a minute. A session goes to the account of its user; for a \
            user without one, an account is made if --api-id and the api_hash are given, else the session is stored \
            without an account. The first session of an account does everything, unless --for or a plan file say \
            otherwise. The users and chats that a session knows are imported with it. Importing again changes \
            nothing.\n\nExamples:\n  switchboard account import sessions/ --dry-run\n  \
            switchboard account import sessions/ --dry-run --write-plan plan.toml\n  \
            switchboard account import sessions/ registry.db --plan plan.toml\n  \
            switchboard account import main_text.session --account main --for send_text\n  \
            API_HASH=… switchboard account import main.session --api-id 1000001 --api-hash-env API_HASH\n  \
            print-the-string | switchboard account import - --account main --yes"
    )]
    Import(import::Import),

    /// Export a session of an account for Telethon or Kurigram
    #[command(
        after_help = "The account is stopped first, until `switchboard account start`: Telegram ends a session for \
            good when two programs use it. No file is overwritten, and only its owner can read it.\n\nExamples:\n  \
            switchboard account export main --telethon main.session\n  \
            switchboard account export main --for send_text --kurigram main_text.session\n  \
            switchboard account export main --string"
    )]
    Export(export::Export),

    /// Change an account: its priority, phone, proxy, application, limits
    #[command(after_help = "Examples:\n  switchboard account change main --priority 2\n  \
            switchboard account change main --by-pin\n  switchboard account change main --no-proxy")]
    Change(change::Change),

    /// Pause an account: it stays connected, and other accounts do its work
    #[command(
        after_help = "It stays paused over restarts. Messages that name the account wait, or are refused, as \
            the caller asked.\n\nExamples:\n  switchboard account pause main\n  switchboard account pause main --json"
    )]
    Pause(One),

    /// Resume a paused account
    #[command(
        after_help = "Examples:\n  switchboard account resume main\n  switchboard account resume main --json"
    )]
    Resume(One),

    /// Connect an account that was stopped
    #[command(
        after_help = "Start an exported session only when the other program no longer uses it.\n\nExamples:\n  \
            switchboard account start main\n  switchboard account start main --json"
    )]
    Start(One),

    /// Disconnect an account until it is started again
    #[command(
        after_help = "It stays stopped over restarts. No other program may use its sessions either, unless \
            they are exported.\n\nExamples:\n  switchboard account stop backup_1\n  \
            switchboard account stop backup_1 --json"
    )]
    Stop(One),

    /// Reconnect an account and try again what Telegram restricted
    #[command(
        after_help = "A restriction (peer_flood, frozen) is tried again; a flood wait stays until its \
            end.\n\nExamples:\n  switchboard account restart main\n  switchboard account restart main --json"
    )]
    Restart(One),

    /// Remove an account
    #[command(
        after_help = "What it sent and which chats belong to it stays known. Its sessions are stored without an \
            account: `switchboard account list` shows them, `assign` gives one to an account, `forget` deletes it. \
            An account with messages on their way is removed only with --force.\n\nExamples:\n  \
            switchboard account remove backup_1\n  switchboard account remove backup_1 --yes --force --json"
    )]
    Remove(sessions::Remove),

    /// Release one session from an account, which keeps its others
    #[command(
        after_help = "`switchboard account show NAME` lists the sessions. The session is stored without an account: \
            `assign` gives it to one, `forget` deletes it. A session of the settings file is removed there.\n\n\
            Examples:\n  switchboard account release main 1f2e3d4c5b6a7988\n  \
            switchboard account release main 1f2e3d4c5b6a7988 --yes --json"
    )]
    Release(sessions::Release),

    /// Assign a session that belongs to no account to one
    #[command(after_help = "`switchboard account list` shows such sessions.\n\nExamples:\n  \
            switchboard account assign 1f2e3d4c5b6a7988 main --for send_text")]
    Assign(sessions::Assign),

    /// Delete a session that belongs to no account
    #[command(after_help = "Its key is deleted from this machine for good.\n\nExamples:\n  \
            switchboard account forget 1f2e3d4c5b6a7988")]
    Forget(sessions::Forget),
}

/// Which account.
#[derive(clap::Args)]
struct One {
    /// The name of the account
    name: AccountName,
    #[command(flatten)]
    options: ApiOptions,
}

impl One {
    /// Starts, stops, pauses, resumes or restarts it.
    async fn act(self, action: &str, now: &str) -> anyhow::Result<()> {
        let Self { name, options } = self;
        let api = ApiClient::open(&options.location).await?;
        let done = api.call(Method::POST, &format!("/v1/accounts/{name}/actions/{action}"), None).await;
        let when = if api.is_running() { "" } else { "; it takes effect when the server runs" };
        api.close().await;
        options.print(&done?, || format!("{name} {now}{when}."));
        Ok(())
    }
}

/// Runs a command that asks for secrets: on Ctrl+C the terminal shows again what is typed before the command ends.
async fn until_interrupted(command: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::select! {
        ended = command => ended,
        stopped = until_stop_requested() => {
            stopped?;
            eprintln!();
            anyhow::bail!("interrupted; `switchboard account list` shows whether anything was changed")
        }
    }
}

impl Account {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::List(options) => look::list(&options).await,
            Action::Show(One { name, options }) => look::one(&name, &options).await,
            Action::Wait(wait) => until_interrupted(wait.run()).await,
            Action::Add(add) => Box::pin(until_interrupted(add.run())).await,
            Action::Login(login) => login.run().await,
            Action::Import(import) => import.run().await,
            Action::Export(export) => export.run().await,
            Action::Change(change) => change.run().await,
            Action::Pause(one) => one.act("pause", "is paused").await,
            Action::Resume(one) => one.act("resume", "has work again").await,
            Action::Start(one) => one.act("start", "is started").await,
            Action::Stop(one) => one.act("stop", "is stopped").await,
            Action::Restart(one) => one.act("restart", "is restarted").await,
            Action::Remove(remove) => remove.run().await,
            Action::Release(release) => release.run().await,
            Action::Assign(assign) => assign.run().await,
            Action::Forget(forget) => forget.run().await,
        }
    }
}
