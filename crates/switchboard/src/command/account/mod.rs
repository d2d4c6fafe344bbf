//! `switchboard account`: the Telegram accounts: adding, signing in, switching, removing, looking.

mod act;
mod add;
mod change;
mod export;
pub(crate) mod given;
mod import;
mod login;
mod look;
mod ownerless;
mod purposes;
mod remove;
mod show;
mod wait;

use clap::Subcommand;

use crate::command::up::until_told_to_stop;
use act::Switch;

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Account {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List the accounts with their states, and the sessions that belong to no account
    #[command(after_help = "An account that is not ready has its reason beneath the table. It answers \
            while `up` runs and while it does not.\n\nExamples:\n  switchboard account \
            list\n  switchboard account list --json")]
    List(look::List),

    /// Show one account with its lines, floods and counts
    #[command(after_help = "Examples:\n  switchboard account show main\n  switchboard account show main \
            --json")]
    Show(look::Show),

    /// Wait until accounts are ready and have read their dialogs
    #[command(
        after_help = "For the first time an account reads all its dialogs, 100 at a call and not faster than Telegram likes; \
                            it sends meanwhile, to chats that it knows. This needs a running server. It ends with 1 when the \
                            time is over, and says what is missing.\n\nExamples:\n  \
                            switchboard account wait\n  switchboard account wait main backup_1 --timeout 30m\n  \
                            switchboard account wait --json"
    )]
    Wait(wait::Wait),

    /// Add an account; sign in to it afterwards with `switchboard account login`
    #[command(
        after_help = "The api_id and the api_hash are those of an application at https://my.telegram.org; one \
                            application is enough for several accounts. The account is kept in the data directory, \
                            its secrets encrypted. An account that stands in the settings file is changed there.\n\n\
                            Examples:\n  \
                            switchboard account add main --api-id 1000001 --phone +70000000001\n  \
                            switchboard account add backup_1 --api-id 1000001 --api-hash-file api_hash --priority 2\n  \
                            MAIN_API_HASH=… switchboard account add main --api-id 1000001 --api-hash-env MAIN_API_HASH"
    )]
    Add(add::Add),

    /// Sign in to an account, by a code that Telegram sends or by a QR code
    #[command(
        after_help = "By phone: Telegram sends a code to the apps where the account is signed in, else as a \
                            text message; type it in. An empty line sends the code another way. If the account has \
                            a two-step password, it is asked for and not shown.\n\
                            By QR code: in Telegram on the phone open Settings > Devices > Link Desktop Device and \
                            point the camera at the code. It is drawn anew before it expires.\n\n\
                            Ctrl+C ends the sign-in. If the program is killed, the same command goes on where it was.\n\n\
                            Without a terminal: --code-stdin takes the answers from the standard input, one on each \
                            line: first the code, then the password if there is one. --json writes each state as \
                            one line and takes {\"code\":\"…\"}, {\"password\":\"…\"}, {\"phone\":\"…\"}, \
                            {\"accept_terms\":true}, {\"resend\":true} or {\"cancel\":true}, one on each line. \
                            --accept-terms accepts Telegram's terms of service beforehand.\n\n\
                            Examples:\n  \
                            switchboard account login main\n  \
                            switchboard account login main --qr\n  \
                            switchboard account login main --phone +70000000001 --for create_chat,leave_chat\n  \
                            read-the-code | switchboard account login main --code-stdin"
    )]
    Login(login::Login),

    /// Take over sessions of Telethon, Pyrogram, Kurigram and grammers, and the registry of the old scripts
    #[command(
        after_help = "What a file is, is told by what it holds; files are only read. Telegram is asked whose each \
                            session is: stop the program that used it first, and wait a minute. A session goes to the \
                            account of its person; for a person without one an account is made when --api-id and the \
                            api_hash are given, else the session is kept without an account. The first session of an \
                            account does everything; --for or a plan file say otherwise. The users and chats that a \
                            session knows come with it. A second time changes nothing.\n\n\
                            Examples:\n  \
                            switchboard account import sessions/ --dry-run\n  \
                            switchboard account import sessions/ --dry-run --write-plan plan.toml\n  \
                            switchboard account import sessions/ registry.db --plan plan.toml\n  \
                            switchboard account import main_text.session --account main --for send_text\n  \
                            API_HASH=… switchboard account import main.session --api-id 1000001 --api-hash-env API_HASH\n  \
                            print-the-string | switchboard account import - --account main --yes"
    )]
    Import(import::Import),

    /// Write a session of an account for Telethon or Kurigram
    #[command(
        after_help = "The account is stopped first and stays so until `switchboard account start`: two programs on \
                            one session end it for good. No file is written over, and only its owner can read it.\n\n\
                            Examples:\n  \
                            switchboard account export main --telethon main.session\n  \
                            switchboard account export main --for send_text --kurigram main_text.session\n  \
                            switchboard account export main --string"
    )]
    Export(export::Export),

    /// Change an account: its priority, phone, proxy, application
    #[command(after_help = "Examples:\n  switchboard account change main --priority 2\n  \
                            switchboard account change main --by-pin\n  switchboard account change main --no-proxy")]
    Change(change::Change),

    /// Give an account no more work; it stays connected, and others work in its place
    #[command(after_help = "It stays paused over restarts. Messages that name the account wait, or are \
            refused, as the caller asked.\n\nExamples:\n  switchboard account pause main\n  \
            switchboard account pause main --json")]
    Pause(Switch),

    /// Give a paused account work again
    #[command(after_help = "Examples:\n  switchboard account resume main\n  switchboard account resume \
            main --json")]
    Resume(Switch),

    /// Connect an account that was stopped
    #[command(after_help = "A session that was exported is started only when the other program is done \
            with it.\n\nExamples:\n  switchboard account start main\n  switchboard \
            account start main --json")]
    Start(Switch),

    /// Disconnect an account until it is started again
    #[command(after_help = "It stays stopped over restarts. No other program may use its sessions either, \
            unless they are exported.\n\nExamples:\n  switchboard account stop backup_1\n  \
            switchboard account stop backup_1 --json")]
    Stop(Switch),

    /// Disconnect and connect an account, forgetting what it was kept from
    #[command(after_help = "A restriction by Telegram (peer_flood, frozen) is tried again; a flood wait is \
            kept until its end.\n\nExamples:\n  switchboard account restart main\n  \
            switchboard account restart main --json")]
    Restart(Switch),

    /// Remove an account from this machine
    #[command(
        after_help = "What it sent and which chats belong to it stays known. Its sessions are kept as sessions \
                            without an account: `switchboard account list` shows them, `assign` gives one to an \
                            account again, `forget` deletes it. While messages of the account are under way it is \
                            not removed, unless --force is given.\n\nExamples:\n  \
                            switchboard account remove backup_1\n  switchboard account remove backup_1 --yes --force --json"
    )]
    Remove(remove::Remove),

    /// Take one session out of an account, which goes on with its others
    #[command(
        after_help = "`switchboard account show NAME` names the sessions. The session is kept without an account: \
                            `assign` gives it to one again, `forget` deletes it. One that the settings file names is \
                            taken out there.\n\nExamples:\n  \
                            switchboard account release main 1f2e3d4c5b6a7988\n  \
                            switchboard account release main 1f2e3d4c5b6a7988 --yes --json"
    )]
    Release(ownerless::Release),

    /// Give a session that belongs to no account to one
    #[command(after_help = "`switchboard account list` shows such sessions.\n\nExamples:\n  \
                            switchboard account assign 1f2e3d4c5b6a7988 main --for send_text")]
    Assign(ownerless::Assign),

    /// Throw away a session that belongs to no account
    #[command(after_help = "Its key is deleted from this machine for good.\n\nExamples:\n  \
                            switchboard account forget 1f2e3d4c5b6a7988")]
    Forget(ownerless::Forget),
}

/// Runs a command that asks for secrets. Ctrl+C ends it as it ends others, but not before the terminal shows again what is
/// typed.
async fn until_interrupted(command: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::select! {
        ended = command => ended,
        told = until_told_to_stop() => {
            told?;
            eprintln!();
            anyhow::bail!("interrupted; `switchboard account list` shows whether anything was changed")
        }
    }
}

impl Account {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::List(list) => list.run().await,
            Action::Show(show) => show.run().await,
            Action::Wait(wait) => until_interrupted(wait.run()).await,
            Action::Add(add) => until_interrupted(add.run()).await,
            Action::Login(login) => login.run().await,
            Action::Import(import) => import.run().await,
            Action::Export(export) => export.run().await,
            Action::Change(change) => change.run().await,
            Action::Pause(switch) => switch.run("pause").await,
            Action::Resume(switch) => switch.run("resume").await,
            Action::Start(switch) => switch.run("start").await,
            Action::Stop(switch) => switch.run("stop").await,
            Action::Restart(switch) => switch.run("restart").await,
            Action::Remove(remove) => remove.run().await,
            Action::Release(release) => release.run().await,
            Action::Assign(assign) => assign.run().await,
            Action::Forget(forget) => forget.run().await,
        }
    }
}
