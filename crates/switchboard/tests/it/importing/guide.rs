//! The guide docs/moving.md, typed as written: from an old folder of sessions to a sent message.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::json;
use testkit::{Program, Start, World};

use super::stage;
use crate::binary;
use crate::shell::Shell;

/// What the page calls its folders and files.
const OLD: &str = "/old";
const DATA: &str = "/var/lib/switchboard";
const SETTINGS: &str = "/etc/switchboard/switchboard.toml";

fn page() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/moving.md");
    fs::read_to_string(page).expect("the page")
}

/// The blocks of a language, in order.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    page.split(fence.as_str()).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

/// The commands of the page, in order, with the one of step 7 that is in a sentence.
fn commands(page: &str) -> Vec<String> {
    let (before, after) = page.split_once("## 7. Check").expect("the last step");
    let typed = |text: &str| -> Vec<String> {
        let lines = blocks(text, "console").into_iter().flat_map(str::lines);
        lines.filter_map(|line| line.strip_prefix("$ ")).map(str::to_owned).collect()
    };
    // What follows is of moves between machines.
    let (after, _) = after.split_once("## All of it in one command").expect("the next part");
    let sentence = after.split('`').find(|text| text.starts_with("curl ")).expect("a text is sent");
    [typed(before), vec![sentence.to_owned()], typed(after)].concat()
}

/// An old installation, and a shell on a machine where the pages' places are.
struct Scene {
    world: World,
    old: PathBuf,
    shell: Shell,
    program: Option<Program>,
}

impl Scene {
    async fn new() -> Self {
        let world = World::start(binary()).await;
        let (old, _) = stage::path(&world, "old");
        let sessions = old.join("sessions");
        fs::create_dir_all(&sessions).expect("made");
        // Scripts that press buttons, and their control bot.
        fs::create_dir(old.join("trip")).expect("made");
        for (file, text) in [
            ("trip/.env", "BOT=@demo_trips_bot\nBUTTON_1=Book\n"),
            ("trip/.env.second", "BOT=@demo_bot_1\nBUTTON_1=Ride\n"),
            ("control.env", "ADMIN_IDS=5000000001\n"),
        ] {
            fs::write(old.join(file), text).expect("written");
        }
        let settings = fs::read_to_string(world.settings_file()).expect("the settings");
        for (session, account, purpose) in [
            ("main_text", "main", "send_text"),
            ("unknown", "main", "send_media"),
            ("spare", "backup_1", ""),
            // Its name says whose it is, and is wrong.
            ("backup_3", "backup_2", ""),
        ] {
            stage::session_of(&settings, account, purpose, &sessions.join(format!("{session}.session")));
        }
        // Leftovers on a server: a second copy, one that was broken off, and a file of another program.
        let text = sessions.join("main_text.session");
        fs::copy(&text, sessions.join("main_text_copy.session")).expect("copied");
        let whole = fs::read(&text).expect("reads");
        fs::write(sessions.join("half.session"), &whole[..whole.len() / 2]).expect("written");
        let relay = sessions.join("relay.session");
        super::foreign(&["make", "kurigram", world.control(), "main", relay.to_str().expect("UTF-8")]).await;

        let bound = world.chat_titled("Demo supergroup").await;
        stage::registry_of("old_main", &old.join("registry.db"), &bound, "-1008888888888");
        world.edit_settings(|text| with_main_alone(&text));
        let shell = Self::shell(&world, &old);
        Self { shell, old, program: None, world }
    }

    /// The commands that this machine has: the program; `sudo`, which asks nothing here; and `systemctl`, which records
    /// its arguments.
    fn shell(world: &World, old: &Path) -> Shell {
        let mut shell = Shell::new(world.data_dir("."));
        symlink(binary(), shell.bin().join("switchboard")).expect("linked");
        shell.has("sudo", "exec \"$@\"");
        shell.has("systemctl", &format!("echo \"$@\" >> '{}'", systemctl_log(world).display()));
        shell.place(SETTINGS, world.settings_file());
        shell.place(DATA, world.data_dir("data"));
        shell.place(OLD, old);
        shell.place(":5022/", format!(":{}/", world.legacy_port(5022)));
        shell.place("@your_own_name", "@client_1");
        shell.tell("export BACKUP_1_API_HASH=0123456789abcdef0123456789abcdef");
        // The doctor looks at the usual place before the shell is given another: here that is none of this machine.
        shell.tell(&format!("export XDG_DATA_HOME='{}'", world.data_dir("data").display()));
        shell
    }
}

fn systemctl_log(world: &World) -> PathBuf {
    world.data_dir("systemctl")
}

/// Whether the table that was shown last has a row of this file with these cells, and says this beneath it.
fn has_row(screen: &str, file: &str, cells: &[&str], why: &str) {
    let row = screen.lines().rfind(|line| line.trim_start().starts_with(&format!("{file} ")));
    let row = row.unwrap_or_else(|| panic!("{file} has no row: {screen}"));
    assert!(row.split_whitespace().skip(1).take(cells.len()).eq(cells.iter().copied()), "{file}: {screen}");
    let words = screen.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(why.is_empty() || words.contains(&format!("{file}: {why}")), "{file}: {why}: {screen}");
}

/// The settings of an owner who moves: the first account, without a session yet, and the ports that are in use.
fn with_main_alone(settings: &str) -> String {
    let (before, rest) = settings.split_once("[[telegram.accounts]]").expect("accounts");
    let (_, ports) = rest.split_once("[legacy]").expect("ports");
    let main: Vec<_> = rest.lines().take_while(|line| !line.starts_with("sessions")).collect();
    let ports: Vec<_> = ports.lines().filter(|line| !line.contains("account = ")).collect();
    format!("{before}[[telegram.accounts]]{}\n\n[legacy]{}\n", main.join("\n"), ports.join("\n"))
}

/// What the folder's sessions are said to be before Telegram was asked: the file's name, cells of its row, and why.
const LOOKED_AT: [(&str, &[&str], &str); 7] = [
    ("main_text", &["unasked"], "the file does not say whose it is; Telegram will be asked"),
    ("main_text_copy", &["duplicate"], "the same session as"),
    ("unknown", &["unasked"], "the file does not say whose it is"),
    ("spare", &["unasked"], "the file does not say whose it is"),
    ("backup_3", &["unasked"], "the file does not say whose it is"),
    ("relay", &["unasked"], "the file does not say its phone number"),
    ("half", &["unreadable"], "it was copied only in part"),
];

/// And what came of them with the page's plan.
const IMPORTED: [(&str, &[&str], &str); 7] = [
    ("main_text", &["new", "main", "send_text"], ""),
    ("main_text_copy", &["duplicate", "main"], "the same session as"),
    ("unknown", &["skipped"], "the plan file says so"),
    ("spare", &["new", "backup_1", "all", "@demo_backup_1"], "the account backup_1 is made for it"),
    ("backup_3", &["ownerless", "@demo_backup_2"], "its person has no account here"),
    ("relay", &["new", "main", "create_chat,", "send_media,", "leave_chat"], ""),
    ("half", &["unreadable"], "it was copied only in part"),
];

#[tokio::test(flavor = "multi_thread")]
async fn migration_guide_ends_with_a_sent_message() {
    let page = page();
    let mut scene = Scene::new().await;
    let mut imported = false;
    let mut sent = None;
    for command in commands(&page) {
        if command == "sudo -u switchboard -s" {
            // A shell of another user: this one goes on.
        } else if ["cd ", "export "].iter().any(|word| command.starts_with(word)) {
            fs::create_dir_all(scene.world.data_dir("data")).expect("the folder of the service");
            scene.shell.tell(&command);
        } else if command.starts_with("switchboard account import") && !command.contains("--dry-run") {
            // What the owner writes into the plan before.
            let plan = blocks(&page, "toml")[0];
            let file = scene.world.data_dir("data").join("plan.toml");
            assert!(file.exists(), "the plan that is edited was written before");
            fs::write(file, scene.shell.here(plan)).expect("written");
            let screen = scene.shell.agrees(&command).await;
            // Once more what would be done, the question, and what came of it.
            let (_, table) = screen.split_once("[y/N]").expect("the question");
            for (file, cells, why) in IMPORTED {
                has_row(table, &format!("{file}.session"), cells, why);
            }
            imported = true;
        } else if command == "systemctl enable --now switchboard" {
            scene.shell.types(&command).await;
            let start = Start {
                environment: vec![(
                    "BACKUP_1_API_HASH".to_owned(),
                    "0123456789abcdef0123456789abcdef".to_owned(),
                )],
                ..Start::on(&scene.world, binary(), "data")
            };
            let program = start.ready().await;
            for account in ["main", "backup_1"] {
                program.account_is(account, "ready").await;
            }
            scene.program = Some(program);
        } else if command.starts_with("switchboard account export") {
            scene.shell.agrees(&command).await;
        } else {
            let output = scene.shell.types(&command).await;
            if command.starts_with("curl ") {
                sent = Some(output);
            } else if command == "switchboard account list" {
                let ready = |name: &str| {
                    output.lines().any(|line| line.split_whitespace().take(2).eq([name, "ready"]))
                };
                assert!(ready("main") && ready("backup_1"), "{output}");
            } else if command.contains("--dry-run") {
                assert!(output.contains("Nothing was opened or changed."), "{output}");
                for (file, cells, why) in LOOKED_AT {
                    has_row(&output, &format!("{file}.session"), cells, why);
                }
            }
        }
    }
    assert!(imported, "the page imports");
    let sent: serde_json::Value = serde_json::from_str(&sent.expect("the page sends")).expect("JSON");
    assert_eq!(sent["status"], "ok", "{sent}");
    let ledger = scene.world.effects("messages.sendMessage").await;
    let rows: Vec<_> = ledger.iter().map(|row| (&row["account"], &row["text"])).collect();
    assert_eq!(rows, [(&json!("main"), &json!("hello"))], "{ledger:?}");
    let listed = scene.shell.types("switchboard chat list").await;
    assert!(listed.lines().any(|line| line.contains("Demo supergroup") && line.contains("main")), "{listed}");
    let logged = fs::read_to_string(systemctl_log(&scene.world)).expect("it was asked");
    assert!(
        logged.contains("disable --now old-gateway") && logged.contains("enable --now switchboard"),
        "{logged}"
    );

    // The way back: what left is Telethon's, and its owner's alone; what was there before is as it was.
    let left = scene.world.data_dir("data").join("main.session");
    assert_eq!(fs::metadata(&left).expect("there").permissions().mode() & 0o777, 0o600);
    let key = |path: &Path| session_files::read(path).expect("a session").session.key.fingerprint();
    assert_eq!(key(&left), key(&scene.old.join("sessions/main_text.session")));
    let bytes = |folder: &Path| fs::read(folder.join("sessions/main_text.session")).expect("there");
    let kept = PathBuf::from(scene.shell.here("/old-before-the-move"));
    assert_eq!(bytes(&scene.old), bytes(&kept), "nothing in the old folder was changed");
}
