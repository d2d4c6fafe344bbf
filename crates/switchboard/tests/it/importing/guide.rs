//! The guide docs/moving.md, typed as written: from an old folder of sessions to a sent message.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::json;
use testkit::{Program, Seat, Start, World};

use super::stage;
use crate::binary;

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

/// The commands of the page, in order, with the one of step 7 that stands in a sentence.
fn commands(page: &str) -> Vec<String> {
    let (before, after) = page.split_once("## 7. Check").expect("the last step");
    let typed = |text: &str| -> Vec<String> {
        let lines = blocks(text, "console").into_iter().flat_map(str::lines);
        lines.filter_map(|line| line.strip_prefix("$ ")).map(str::to_owned).collect()
    };
    let sentence = after.split('`').find(|text| text.starts_with("curl ")).expect("a text is sent");
    [typed(before), vec![sentence.to_owned()], typed(after)].concat()
}

/// An old installation, and a shell on a machine where the pages' places are.
struct Scene {
    world: World,
    old: PathBuf,
    /// What the shell was told before: where it is, and which variables there are.
    told: String,
    program: Option<Program>,
}

impl Scene {
    async fn new() -> Self {
        let world = World::start(binary()).await;
        let (old, _) = stage::path(&world, "old");
        fs::create_dir_all(old.join("sessions")).expect("made");
        let settings = fs::read_to_string(world.settings_file()).expect("the settings");
        for (session, head, purpose) in [
            ("main_text", "\"main\"", "for = [\"send_text\"]"),
            ("unknown", "\"main\"", "for = [\"send_media\"]"),
            ("spare", "\"backup_1\"", "string = "),
        ] {
            write(&settings, head, purpose, &old.join(format!("sessions/{session}.session")));
        }
        let bound = world.chat_titled("Demo supergroup").await;
        stage::registry_of("old_main", &old.join("registry.db"), &bound, "-1008888888888");
        world.edit_settings(|text| with_main_alone(&text));
        let scene = Self { told: String::new(), old, program: None, world };
        scene.install();
        scene
    }

    /// The commands that this machine has: the program; `sudo`, which asks nothing here; and `systemctl`, which writes down
    /// what it is told.
    fn install(&self) {
        let bin = self.bin();
        fs::create_dir(&bin).expect("made");
        symlink(binary(), bin.join("switchboard")).expect("linked");
        let script = |name: &str, text: &str| {
            fs::write(bin.join(name), format!("#!/bin/sh\n{text}\n")).expect("written");
            fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).expect("set");
        };
        script("sudo", "exec \"$@\"");
        script("systemctl", &format!("echo \"$@\" >> '{}'", self.told_to_systemctl().display()));
    }

    fn bin(&self) -> PathBuf {
        self.world.data_dir("bin")
    }

    fn told_to_systemctl(&self) -> PathBuf {
        self.world.data_dir("systemctl")
    }

    /// The text with this machine's places and ports.
    fn here(&self, text: &str) -> String {
        let (data, settings) = (self.world.data_dir("data"), self.world.settings_file());
        let text = text.replace(SETTINGS, settings.to_str().expect("UTF-8"));
        let text = text.replace(DATA, data.to_str().expect("UTF-8"));
        let text = text.replace(OLD, self.old.to_str().expect("UTF-8"));
        text.replace(":5022/", &format!(":{}/", self.world.legacy_port(5022)))
            .replace("@your_own_name", "@client_1")
    }

    fn typed(&self, command: &str) -> String {
        let data = self.world.data_dir("data");
        let (path, hash) = (self.bin(), "0123456789abcdef0123456789abcdef");
        // The doctor looks at the usual place before the shell is told of another: here that is none of this machine.
        format!(
            "set -e; export PATH='{}':\"$PATH\" BACKUP_1_API_HASH={hash} XDG_DATA_HOME='{}'\n{}\n{}",
            path.display(),
            data.display(),
            self.told,
            self.here(command)
        )
    }

    /// Types a command; what it printed.
    async fn types(&self, command: &str) -> String {
        let running = tokio::process::Command::new("bash")
            .args(["-c", &self.typed(command)])
            .current_dir(self.world.data_dir("."))
            .stdin(std::process::Stdio::null())
            .kill_on_drop(true)
            .output();
        let ran = tokio::time::timeout(std::time::Duration::from_mins(2), running)
            .await
            .expect("it ends")
            .expect("bash");
        let said =
            format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        // The doctor ends with 1 when he finds something, which is what he is asked for.
        let findings = command.contains(" doctor ") && ran.status.code() == Some(1);
        assert!(ran.status.success() || findings, "{command}\n{:?}\n{said}", ran.status);
        said
    }

    /// Types a command that asks a question, and says yes.
    async fn agrees(&self, command: &str) -> String {
        let mut seat = Seat::at_a_screen(Path::new("bash"), &["-c", &self.typed(command)], (160, 40));
        seat.shows("[y/N]", 1).await;
        seat.types("y");
        assert_eq!(seat.ended().await, Some(0), "{command}\n{}", seat.screen());
        seat.screen()
    }
}

/// Writes one session of an account as Telethon keeps it.
fn write(settings: &str, account: &str, with: &str, file: &Path) {
    let block =
        settings.split("[[telegram.accounts]]").find(|block| block.contains(&format!("name = {account}")));
    let line =
        block.expect("the account").lines().find(|line| line.contains("string = ") && line.contains(with));
    let text = line.expect("a session").split('"').nth(1).expect("a string");
    let found = session_files::read_text(text).expect("a session");
    session_files::write_telethon(file, &found.session).expect("written");
}

/// The settings that somebody writes who moves: the first account, without a session yet, and the ports that are in use.
fn with_main_alone(settings: &str) -> String {
    let (before, rest) = settings.split_once("[[telegram.accounts]]").expect("accounts");
    let (_, ports) = rest.split_once("[legacy]").expect("ports");
    let main: Vec<_> = rest.lines().take_while(|line| !line.starts_with("sessions")).collect();
    let ports: Vec<_> = ports.lines().filter(|line| !line.contains("account = ")).collect();
    format!("{before}[[telegram.accounts]]{}\n\n[legacy]{}\n", main.join("\n"), ports.join("\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_who_types_what_the_guide_says_ends_with_a_sent_message() {
    let page = page();
    let mut scene = Scene::new().await;
    let mut imported = false;
    let mut sent = None;
    for command in commands(&page) {
        if command == "sudo -u switchboard -s" {
            // A shell of another user: this one goes on.
        } else if ["cd ", "export "].iter().any(|word| command.starts_with(word)) {
            let line = scene.here(&command) + "\n";
            fs::create_dir_all(scene.world.data_dir("data")).expect("the folder of the service");
            scene.told.push_str(&line);
        } else if command.starts_with("switchboard account import") && !command.contains("--dry-run") {
            // What the owner writes into the plan before.
            let plan = blocks(&page, "toml")[0];
            let file = scene.world.data_dir("data").join("plan.toml");
            assert!(file.exists(), "the plan that is edited was written before");
            fs::write(file, scene.here(plan)).expect("written");
            let screen = scene.agrees(&command).await;
            for (file, what, account) in [
                ("main_text.session", "new", "main"),
                ("spare.session", "new", "backup_1"),
                ("unknown.session", "skipped", ""),
            ] {
                let row =
                    screen.lines().rfind(|line| line.contains(&format!("{file} ")) && line.contains(what));
                assert!(row.is_some_and(|row| row.contains(account)), "{file}: {screen}");
            }
            imported = true;
        } else if command == "systemctl enable --now switchboard" {
            scene.types(&command).await;
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
            scene.agrees(&command).await;
        } else {
            let said = scene.types(&command).await;
            if command.starts_with("curl ") {
                sent = Some(said);
            } else if command == "switchboard account list" {
                let ready =
                    |name: &str| said.lines().any(|line| line.split_whitespace().take(2).eq([name, "ready"]));
                assert!(ready("main") && ready("backup_1"), "{said}");
            } else if command.contains("--dry-run") {
                assert!(
                    said.contains("Nothing was opened or changed.") && said.contains("main_text.session"),
                    "{said}"
                );
            }
        }
    }
    assert!(imported, "the page imports");
    let sent: serde_json::Value = serde_json::from_str(&sent.expect("the page sends")).expect("JSON");
    assert_eq!(sent["status"], "ok", "{sent}");
    let ledger = scene.world.effects("messages.sendMessage").await;
    let rows: Vec<_> = ledger.iter().map(|row| (&row["account"], &row["text"])).collect();
    assert_eq!(rows, [(&json!("main"), &json!("hello"))], "{ledger:?}");
    let listed = scene.types("switchboard chat list").await;
    assert!(listed.lines().any(|line| line.contains("Demo supergroup") && line.contains("main")), "{listed}");
    let told = fs::read_to_string(scene.told_to_systemctl()).expect("it was asked");
    assert!(
        told.contains("disable --now old-gateway") && told.contains("enable --now switchboard"),
        "{told}"
    );

    // The way back: what left is Telethon's, and its owner's alone; what was there before is as it was.
    let left = scene.world.data_dir("data").join("main.session");
    assert_eq!(fs::metadata(&left).expect("there").permissions().mode() & 0o777, 0o600);
    let key = |path: &Path| session_files::read(path).expect("a session").session.key.fingerprint();
    assert_eq!(key(&left), key(&scene.old.join("sessions/main_text.session")));
    let bytes = |folder: &Path| fs::read(folder.join("sessions/main_text.session")).expect("there");
    let kept = PathBuf::from(scene.here("/old-before-the-move"));
    assert_eq!(bytes(&scene.old), bytes(&kept), "nothing in the old folder was changed");
}
